/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What is left after a fault or a fork, and that nothing of it is lost in silence.
 */
#include "config.h"

#include "mmio-test.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Forking */

#define FORKS (mmio_test_is_thorough () ? 500u : 60u)
#define RECORD 65536

typedef struct
{
  MmioFile *file;
  gint stop;                    /* atomic */
} Busy;

static gpointer
keep_writing (gpointer data)
{
  Busy *busy = data;
  g_autofree guint8 *record = g_malloc0 (RECORD);

  for (guint8 i = 0; !g_atomic_int_get (&busy->stop); i++)
    {
      memset (record, i, RECORD);
      g_assert_true (mmio_file_write (busy->file, 0, record, RECORD, NULL));
    }

  return NULL;
}

static gpointer
keep_resizing (gpointer data)
{
  Busy *busy = data;

  while (!g_atomic_int_get (&busy->stop))
    {
      g_autoptr (GError) error = NULL;

      mmio_file_resize (busy->file, 4 * RECORD, &error);
      g_assert_no_error (error);
      mmio_file_resize (busy->file, 2 * RECORD, &error);
      g_assert_no_error (error);
    }

  return NULL;
}

static gpointer
keep_viewing (gpointer data)
{
  Busy *busy = data;

  while (!g_atomic_int_get (&busy->stop))
    {
      g_autoptr (MmioView) view = mmio_file_get_writable_view (busy->file, 0, RECORD, NULL);

      g_assert_nonnull (view);
    }

  return NULL;
}

/* GLib takes a lock for it. */
static gpointer
keep_naming (gpointer data)
{
  Busy *busy = data;

  while (!g_atomic_int_get (&busy->stop))
    {
      g_autofree char *name = g_filename_display_name ("name");

      g_assert_nonnull (name);
    }

  return NULL;
}

static int
use_inherited (gpointer data)
{
  Busy *busy = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autofree guint8 *record = g_malloc0 (RECORD);
  guint8 byte = 1;

  g_assert_false (mmio_file_read (busy->file, G_MAXUINT64, record, 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, NULL);
  g_assert_true (mmio_file_read (busy->file, 0, record, RECORD, &error));
  g_assert_true (mmio_file_write (busy->file, RECORD, &byte, 1, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (busy->file), >, 0);
  view = mmio_file_get_view (busy->file, 0, RECORD, &error);
  g_assert_no_error (error);
  g_assert_nonnull (view);
  g_assert_true (mmio_view_check (view, &error));
  g_clear_pointer (&view, mmio_view_unref);
  g_assert_true (mmio_file_refresh (busy->file, &error));
  g_assert_true (mmio_file_flush_range (busy->file, 0, 1, &error));
  g_assert_no_error (error);

  /* The last reference stays: GObject's own locks may be held by a thread that is not here. */
  return 0;
}

static void
test_fork (MmioTest     *test,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 2 * RECORD);
  Busy busy = { file, FALSE };
  GThread *threads[4];

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer takes the parent's threads for the child's");
      return;
    }
  threads[0] = g_thread_new ("writes", keep_writing, &busy);
  threads[1] = g_thread_new ("resizes", keep_resizing, &busy);
  threads[2] = g_thread_new ("views", keep_viewing, &busy);
  threads[3] = g_thread_new ("names", keep_naming, &busy);
  for (guint i = 0; i < FORKS; i++)
    g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (use_inherited, &busy)), ==, 0);
  g_atomic_int_set (&busy.stop, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Calls that the parent's other threads are in, with what they have pinned. */

#define SEARCHED ((gsize) 1 << 20)

static gpointer
keep_searching (gpointer data)
{
  Busy *busy = data;

  while (!g_atomic_int_get (&busy->stop))
    g_assert_cmpint (mmio_file_find (busy->file, "needle", 6, 0, G_MAXUINT64, NULL), ==, -1);

  return NULL;
}

/* The page that the last byte lies in stays, so the search in the parent meets no fault. */
static int
cut_off_a_byte (gpointer data)
{
  Busy *busy = data;
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_resize (busy->file, SEARCHED - 1, &error));
  g_assert_no_error (error);
  return 0;
}

static void
test_fork_in_calls (MmioTest     *test,
                    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, SEARCHED);
  Busy busy = { file, FALSE };
  GThread *thread;

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer takes the parent's threads for the child's");
      return;
    }
  thread = g_thread_new ("searches", keep_searching, &busy);
  for (guint i = 0; i < FORKS; i++)
    g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (cut_off_a_byte, &busy)), ==, 0);
  g_atomic_int_set (&busy.stop, TRUE);
  g_thread_join (thread);
}

/* Reloading */

typedef struct
{
  Busy busy;
  MmioTest *test;
  const char *names[2];
} Reloading;

static gpointer
keep_reloading (gpointer data)
{
  Reloading *self = data;
  g_autofree char *link_path = mmio_test_in_folder (self->test, "link");

  for (guint i = 0; !g_atomic_int_get (&self->busy.stop); i++)
    {
      g_autoptr (GError) error = NULL;
      const char *name = self->names[i % 2];

      g_assert_no_errno (symlink (name, link_path));
      g_assert_no_errno (rename (link_path, self->test->path));
      g_assert_true (mmio_file_reload (self->busy.file, &error));
      g_assert_no_error (error);
    }

  return NULL;
}

static void
assert_one_file (MmioFile *file)
{
  gsize size = mmio_file_get_size (file);
  g_autofree guint8 *bytes = g_malloc (size);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_read (file, 0, bytes, size, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size, ==, bytes[0] == 1 ? RECORD : 2 * RECORD);
  for (gsize i = 0; i < size; i++)
    g_assert_cmpuint (bytes[i], ==, bytes[0]);
}

/* The descriptor stands for the file that is mapped. */
static int
look_at_reloaded (gpointer data)
{
  Reloading *self = data;
  gsize size = mmio_file_get_size (self->busy.file);
  g_autoptr (GError) error = NULL;

  assert_one_file (self->busy.file);
  g_assert_true (mmio_file_refresh (self->busy.file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (self->busy.file), ==, size);
  assert_one_file (self->busy.file);
  return 0;
}

static void
test_fork_in_reload (MmioTest     *test,
                     gconstpointer data G_GNUC_UNUSED)
{
  char *paths[] = { mmio_test_in_folder (test, "short"), mmio_test_in_folder (test, "long") };
  Reloading self = { .test = test, .names = { "short", "long" } };
  g_autoptr (MmioFile) file = NULL;
  GThread *thread;

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer takes the parent's threads for the child's");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree guint8 *bytes = g_malloc ((i + 1) * RECORD);

      memset (bytes, (int) i + 1, (i + 1) * RECORD);
      mmio_test_write_file (paths[i], bytes, (i + 1) * RECORD);
    }
  g_assert_no_errno (symlink ("short", test->path));
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  self.busy.file = file;

  thread = g_thread_new ("reloads", keep_reloading, &self);
  for (guint i = 0; i < FORKS; i++)
    g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (look_at_reloaded, &self)), ==, 0);
  g_atomic_int_set (&self.busy.stop, TRUE);
  g_thread_join (thread);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    g_clear_pointer (&paths[i], g_free);
}

/* A fork right behind the system call, as another thread may do it. The thread sanitizer has a close () of its own. */

#if defined(__SANITIZE_THREAD__)
#define HAS_OWN_CLOSE 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAS_OWN_CLOSE 0
#endif
#endif
#ifndef HAS_OWN_CLOSE
#define HAS_OWN_CLOSE 1
#endif

#if HAS_OWN_CLOSE
static int closing = -1;
static MmioFile *being_closed;
static int forked_status;       /* of the child; -1 before */

static int
take_number_over (gpointer data)
{
  int number = GPOINTER_TO_INT (data);

  g_assert_cmpint (dup2 (STDERR_FILENO, number), ==, number);
  g_object_unref (being_closed);
  g_assert_cmpint (fcntl (number, F_GETFD), >=, 0);
  return 0;
}

int
close (int fd)
{
  static int (*next) (int);
  int result;

  if (next == NULL)
    next = (__typeof__ (next)) dlsym (RTLD_NEXT, "close");
  result = next (fd);
  if (fd >= 0 && fd == closing)
    {
      closing = -1;
      forked_status = mmio_test_wait_child (mmio_test_fork (take_number_over, GINT_TO_POINTER (fd)));
    }

  return result;
}

static void
test_fork_in_close (MmioTest     *test,
                    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, RECORD);
  g_autoptr (GError) error = NULL;

  being_closed = file;
  closing = mmio_file_get_fd (file);
  forked_status = -1;
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_cmpint (forked_status, ==, 0);
}
#endif

/* GObject takes a lock for it. */
static gpointer
keep_asking (gpointer data)
{
  Busy *busy = data;
  guint id = g_signal_lookup ("fault", MMIO_TYPE_FILE);

  while (!g_atomic_int_get (&busy->stop))
    g_assert_false (g_signal_has_handler_pending (busy->file, id, 0, TRUE));

  return NULL;
}

static int
meet_fault (gpointer data)
{
  Busy *busy = data;
  g_autoptr (GError) error = NULL;
  guint8 byte;

  g_assert_false (mmio_file_read (busy->file, RECORD, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  return 0;
}

static void
test_fork_and_fault (MmioTest     *test,
                     gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 2 * RECORD);
  Busy busy = { file, FALSE };
  GThread *thread;

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer takes the parent's threads for the child's");
      return;
    }
  mmio_test_truncate (test->path, 0);
  thread = g_thread_new ("asks", keep_asking, &busy);
  for (guint i = 0; i < FORKS; i++)
    g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (meet_fault, &busy)), ==, 0);
  g_atomic_int_set (&busy.stop, TRUE);
  g_thread_join (thread);
}

/* Healing */

static void
test_private_pages (MmioTest     *test,
                    gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  const guint n_pages = 100, kept = 70;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  volatile guint8 *bytes;
  guint8 byte;

  mmio_test_write_pattern (test->path, n_pages * page);
  file = mmio_test_open (test->path, MMIO_MODE_COPY_ON_WRITE);
  view = mmio_file_get_writable_view (file, 0, n_pages * page, &error);
  bytes = mmio_view_get_pointer (view);

  /* More faults apart from each other than can be told one from the other. */
  mmio_test_truncate (test->path, 0);
  for (guint i = 1; i < n_pages; i += 2)
    g_assert_cmpuint (bytes[i * page], ==, 0);
  mmio_test_write_pattern (test->path, n_pages * page);
  bytes[kept * page] = 0xEE;

  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_no_error (error);
  /* What can be told apart shows the file again, what was written in between is still there. */
  g_assert_cmpuint (bytes[page], ==, page % 251);
  g_assert_cmpuint (bytes[kept * page], ==, 0xEE);
  g_assert_true (mmio_file_read (file, page, &byte, 1, &error));
  g_assert_cmpuint (byte, ==, page % 251);
  /* The rest is not passed off as the file's. */
  g_assert_false (mmio_file_read (file, (kept + 1) * page, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  g_assert_false (mmio_view_check (view, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);

  /* A reload gives up the private pages, and all is well. */
  g_clear_pointer (&view, mmio_view_unref);
  g_assert_true (mmio_file_reload (file, &error));
  g_assert_true (mmio_file_read (file, (kept + 1) * page, &byte, 1, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (byte, ==, (kept + 1) * page % 251);
}

/* Healing one page of many must not need the others' to be healed before. */
static void
test_among_many (MmioTest     *test,
                 gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  const guint n_pages = 100;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint8 byte;

  mmio_test_write_pattern (test->path, n_pages * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  mmio_test_truncate (test->path, 0);
  for (guint i = 1; i < n_pages; i += 2)
    {
      g_assert_false (mmio_file_read (file, i * page, &byte, 1, &error));
      mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
    }
  mmio_test_write_pattern (test->path, n_pages * page);

  for (guint i = n_pages / 2; i < n_pages / 2 + 4; i++)
    {
      g_assert_true (mmio_file_write (file, i * page, "x", 1, &error));
      g_assert_no_error (error);
      mmio_test_assert_read (file, i * page, "x", 1);
    }
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
}

static void
test_lost_store (MmioTest     *test,
                 gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  volatile guint8 *bytes;

  mmio_test_write_pattern (test->path, 2 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  view = mmio_file_get_writable_view (file, 0, 2 * page, &error);
  bytes = mmio_view_get_pointer (view);

  mmio_test_truncate (test->path, 0);
  bytes[page] = 0xEE;
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);

  mmio_test_write_pattern (test->path, 2 * page);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);

  g_assert_true (mmio_file_refresh (file, &error));
  bytes[page] = 0xEE;
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, page, "\xEE", 1);
}

/* A view stores where it was taken, also when the file has been mapped anew since, over more addresses. */
static void
test_store_lost_elsewhere (MmioTest     *test,
                           gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  volatile guint8 *bytes;

  mmio_test_write_pattern (test->path, 2 * page);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                         (guint64) 1, NULL);
  g_assert_no_error (error);
  view = mmio_file_get_writable_view (file, 0, 2 * page, &error);
  bytes = mmio_view_get_pointer (view);
  g_assert_true (mmio_file_resize (file, 64 * page, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);

  mmio_test_truncate (test->path, 0);
  bytes[page] = 0xEE;
  mmio_test_write_pattern (test->path, 64 * page);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  g_clear_pointer (&view, mmio_view_unref);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);

  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_true (mmio_file_write (file, page, "\xEE", 1, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
}

static void
test_failed_write (MmioTest     *test,
                   gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *bytes = g_malloc (2 * page);

  mmio_test_write_pattern (test->path, 4 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  mmio_test_truncate (test->path, 2 * page);

  /* Of two pages one is there: only that is pending. */
  memset (bytes, 0xEE, 2 * page);
  g_assert_false (mmio_file_write (file, page, bytes, 2 * page, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, page);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, page, bytes, page);
}

/* The guard */

static int
map_sealed (gpointer data G_GNUC_UNUSED)
{
#if defined(HAVE_MEMFD_CREATE) && defined(F_ADD_SEALS)
  g_autoptr (GError) error = NULL;
  const gsize page = mmio_test_page_size ();
  struct sigaction action;
  MmioFile *file;
  int fd = memfd_create ("sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

  if (fd < 0 || ftruncate (fd, (off_t) page) != 0 || fcntl (fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
    return MMIO_TEST_SKIP;

  file = mmio_file_new_for_fd (fd, MMIO_MODE_READ_WRITE, &error);
  g_assert_no_error (error);
  g_assert_no_errno (sigaction (SIGBUS, NULL, &action));
  g_assert_true (action.sa_handler == SIG_DFL);

  /* It works as any other does. */
  g_assert_true (mmio_file_write (file, 0, "x", 1, &error));
  g_assert_true (mmio_file_resize (file, 3 * page, &error));
  g_assert_true (mmio_file_write (file, 3 * page - 1, "y", 1, &error));
  g_assert_false (mmio_file_resize (file, page, &error));
  mmio_test_assert_mmio_error (&error, RESIZE_FAILED, NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 3 * page);
  mmio_test_assert_read (file, 3 * page - 1, "y", 1);
  g_object_unref (file);

  /* A file that can be cut off is guarded. */
  file = mmio_file_new_anonymous (NULL, page, &error);
  g_assert_no_error (error);
  g_assert_no_errno (sigaction (SIGBUS, NULL, &action));
  g_assert_true (action.sa_handler != SIG_DFL);
  g_object_unref (file);

  return 0;
#else
  return MMIO_TEST_SKIP;
#endif
}

static void
test_sealed (MmioTest     *test G_GNUC_UNUSED,
             gconstpointer data G_GNUC_UNUSED)
{
  if (mmio_test_has_sanitizer ())
    g_test_skip ("the sanitizer has a handler of its own");
  else
    mmio_test_run_child (map_sealed, NULL, "there are no seals here");
}

static int
die_without_guard (gpointer data)
{
  const gsize page = mmio_test_page_size ();
  MmioFile *file;
  guint8 byte;

  mmio_set_fault_guard (FALSE);
  mmio_test_write_pattern (data, 2 * page);
  file = mmio_test_open (data, MMIO_MODE_READ_ONLY);
  mmio_test_truncate (data, 0);
  mmio_file_read (file, page, &byte, 1, NULL);

  return 0;
}

static void
test_dies_without_guard (MmioTest     *test,
                         gconstpointer data G_GNUC_UNUSED)
{
  int status;
  pid_t pid;

  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("the sanitizer has a handler of its own");
      return;
    }
  pid = mmio_test_fork (die_without_guard, test->path);
  status = mmio_test_wait_status (pid);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGBUS);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  /* First: no file has been mapped in this process yet. */
  mmio_test_add ("/faults/guard/sealed-against-shrinking-needs-none", NULL, test_sealed);
  mmio_test_add ("/faults/guard/switched-off-a-truncation-kills-as-with-mmap", NULL, test_dies_without_guard);
  mmio_test_add ("/faults/fork/child-uses-what-other-threads-held", NULL, test_fork);
  mmio_test_add ("/faults/fork/child-is-in-no-call-of-other-threads", NULL, test_fork_in_calls);
  mmio_test_add ("/faults/fork/child-of-a-reload-has-one-file-or-the-other", NULL, test_fork_in_reload);
#if HAS_OWN_CLOSE
  mmio_test_add ("/faults/fork/child-of-a-close-has-not-its-descriptor", NULL, test_fork_in_close);
#endif
  mmio_test_add ("/faults/fork/child-that-meets-a-fault-does-not-hang", NULL, test_fork_and_fault);
  mmio_test_add ("/faults/heal/private-pages-survive", NULL, test_private_pages);
  mmio_test_add ("/faults/heal/a-write-among-many-faults-works", NULL, test_among_many);
  mmio_test_add ("/faults/flush/store-that-reached-no-file-is-an-error", NULL, test_lost_store);
  mmio_test_add ("/faults/flush/store-through-an-outgrown-range-is-an-error", NULL, test_store_lost_elsewhere);
  mmio_test_add ("/faults/flush/failed-write-is-not-pending", NULL, test_failed_write);

  return g_test_run ();
}
