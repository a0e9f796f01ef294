/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ten thousand files at once, and one that is larger than memory.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#define MANY 10000
#define HEAP_OF_ONE 2048

/* Bytes that malloc () has given out; FALSE if that can't be told: another C library, or a sanitizer's malloc (). */
static gboolean
count_heap (gsize *bytes)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  struct mallinfo2 before = mallinfo2 ();
  g_autofree char *some = g_malloc (100000);
  struct mallinfo2 now;

  memset (some, 1, 100000);
  now = mallinfo2 ();
  *bytes = before.uordblks + before.hblkhd;
  return now.uordblks + now.hblkhd >= *bytes + 100000;
#else
  return FALSE;
#endif
}

static gboolean
allow_many (void)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &limit));
  if (limit.rlim_cur < MANY + 100 && limit.rlim_max >= MANY + 100)
    {
      limit.rlim_cur = MANY + 100;
      g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
    }

  return limit.rlim_cur >= MANY + 100;
}

static char *
get_path (MmioTest *t,
          guint     i)
{
  g_autofree char *name = g_strdup_printf ("%u", i);

  return mmio_test_in_folder (t, name);
}

static void
test_many (MmioTest     *t,
           gconstpointer data)
{
  const MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (GPtrArray) files = g_ptr_array_new_full (MANY, g_object_unref);
  const guint n_fds = mmio_test_count_fds ();
  gsize before = 0, now = 0;
  gboolean counts;

  if (!allow_many ())
    {
      g_test_skip ("no more than RLIMIT_NOFILE files may be open");
      return;
    }
  /* What the first file takes for all that follow. */
  mmio_test_write_file (t->path, "once", 4);
  g_object_unref (mmio_test_open (t->path, mode));
  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *path = get_path (t, i);

      mmio_test_write_file (path, &i, sizeof i);
    }

  counts = count_heap (&before);
  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *path = get_path (t, i);

      g_ptr_array_add (files, mmio_test_open (path, mode));
    }
  counts = counts && count_heap (&now);
  g_assert_cmpuint (mmio_test_count_fds (), >=, MANY);

  for (guint i = 0; i < MANY; i++)
    {
      MmioFile *file = g_ptr_array_index (files, i);

      mmio_test_assert_read (file, 0, &i, sizeof i);
      if (mode == MMIO_MODE_READ_WRITE)
        g_assert_true (mmio_file_write (file, 0, "here", 4, NULL));
    }
  for (guint i = 0; mode == MMIO_MODE_READ_WRITE && i < MANY; i++)
    {
      g_autofree char *path = get_path (t, i);

      mmio_test_assert_file (path, "here", 4);
    }

  if (counts)
    {
      g_test_message ("%" G_GSIZE_FORMAT " bytes of heap a file", (now - before) / MANY);
      g_assert_cmpuint ((now - before) / MANY, <=, HEAP_OF_ONE);
    }
  else
    {
      g_test_skip ("all is well but for what was not looked at: the heap can't be counted here");
    }

  g_ptr_array_set_size (files, 0);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  for (guint i = 0; i < MANY; i++)
    {
      g_autofree char *path = get_path (t, i);

      g_assert_no_errno (g_unlink (path));
    }
}

static void
test_sparse (MmioTest     *t,
             gconstpointer data G_GNUC_UNUSED)
{
  const guint64 size = G_GUINT64_CONSTANT (1) << 40;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  gsize before = 0, now = 0;
  struct stat buffer;
  gboolean counts;

  if (sizeof (gsize) < sizeof (guint64))
    {
      g_test_skip ("the address space ends before");
      return;
    }
  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("a sanitizer leaves no such room in the address space");
      return;
    }
  mmio_test_write_file (t->path, "first", 5);
  g_object_unref (mmio_test_open (t->path, MMIO_MODE_READ_WRITE));
  if (truncate (t->path, (off_t) size) != 0)
    {
      g_test_skip ("the file system has no file of 1 TiB");
      return;
    }

  counts = count_heap (&before);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  counts = counts && count_heap (&now);
  g_assert_cmpuint (mmio_file_get_size (file), ==, size);
  if (counts)
    g_assert_cmpuint (now - before, <=, HEAP_OF_ONE);
  else
    g_test_skip ("all is well but for what was not looked at: the heap can't be counted here");

  mmio_test_assert_read (file, 0, "first", 5);
  mmio_test_assert_read (file, size / 2, "\0\0\0\0", 4);
  g_assert_true (mmio_file_write (file, size - 4, "last", 4, &error));
  g_assert_true (mmio_file_flush (file, &error));
  mmio_test_assert_read (file, size - 4, "last", 4);
  g_assert_true (mmio_file_resize (file, size + 4, &error));
  g_assert_true (mmio_file_write (file, size, "more", 4, &error));
  mmio_test_assert_read (file, size - 4, "lastmore", 8);
  g_assert_no_error (error);

  /* It is as sparse as it was. */
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint ((guint64) buffer.st_blocks * 512, <, 1 << 20);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/many/ten-thousand-files-take-2-kib-of-heap-each/read-only", GUINT_TO_POINTER (MMIO_MODE_READ_ONLY), test_many);
  mmio_test_add ("/many/ten-thousand-files-take-2-kib-of-heap-each/read-write", GUINT_TO_POINTER (MMIO_MODE_READ_WRITE), test_many);
  mmio_test_add ("/many/a-sparse-file-of-1-tib", NULL, test_sparse);

  return g_test_run ();
}
