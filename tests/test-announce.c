/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A flush makes itself heard to watchers of any program, and that changes nothing about the file.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <mmio.h>
#include <sys/stat.h>
#include <unistd.h>
#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#define HAVE_INOTIFY
#endif

#define SIZE 20000

#if defined(HAVE_INOTIFY) && defined(HAVE_FALLOCATE)
static void
test_is_heard_and_changes_nothing (gconstpointer data)
{
  const char *parent = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autofree char *folder = g_build_filename (parent, "mmio-announce-XXXXXX", NULL);
  g_autofree char *path = NULL;
  g_autofree char *content = g_malloc (SIZE), *after = NULL;
  char events[sizeof (struct inotify_event) + 256] __attribute__ ((aligned (8)));
  const struct inotify_event *event = (const void *) events;
  struct stat before, now;
  gsize length;
  int watch;

  if (g_mkdtemp (folder) == NULL)
    {
      g_autofree char *reason = g_strdup_printf ("no folder in %s", parent);

      g_test_skip (reason);
      return;
    }
  path = g_build_filename (folder, "file", NULL);
  for (gsize i = 0; i < SIZE; i++)
    content[i] = (char) i;
  g_file_set_contents (path, content, SIZE, &error);
  g_assert_no_error (error);
  file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_assert_no_error (error);

  /* Whatever the file system puts off is done before the file is looked at. */
  g_assert_true (mmio_file_write (file, 0, content, SIZE, &error) && mmio_file_flush (file, &error));
  g_assert_no_error (error);

  watch = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  g_assert_cmpint (watch, >=, 0);
  g_assert_cmpint (inotify_add_watch (watch, path, IN_MODIFY), >=, 0);

  content[100] = 'x';
  g_assert_true (mmio_file_write (file, 0, content, SIZE, &error));
  g_assert_no_error (error);
  g_assert_cmpint (stat (path, &before), ==, 0);
  g_assert_cmpint (read (watch, events, sizeof events), <, 0);

  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  g_assert_cmpint (read (watch, events, sizeof events), >, 0);
  g_assert_cmpuint (event->mask, ==, IN_MODIFY);

  g_assert_cmpint (stat (path, &now), ==, 0);
  g_assert_cmpint (now.st_size, ==, before.st_size);
  g_assert_cmpint (now.st_blocks, ==, before.st_blocks);
  g_file_get_contents (path, &after, &length, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (after, length, content, SIZE);

  close (watch);
  g_unlink (path);
  g_rmdir (folder);
}
#else
static void
test_is_heard_and_changes_nothing (gconstpointer data G_GNUC_UNUSED)
{
  g_test_skip ("built without the system calls that raise such an event or hear it");
}
#endif

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_data_func ("/announce/in-tmp/is-heard-and-changes-nothing", g_get_tmp_dir (), test_is_heard_and_changes_nothing);
  g_test_add_data_func ("/announce/on-tmpfs/is-heard-and-changes-nothing", "/dev/shm", test_is_heard_and_changes_nothing);

  return g_test_run ();
}
