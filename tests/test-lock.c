/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Range locks, against other objects and other processes.
 */
#include "config.h"

#include <mmio.h>

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mmio-test.h"
#include "other-process.h"

/* The other process: takes a lock, says so, and lets go when it is told. */

static int
hold (const char *path,
      gboolean    exclusive)
{
  g_autoptr (MmioFile) file = mmio_test_open (path, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;
  char byte = 'x';

  g_assert_true (mmio_file_lock_range (file, 100, 50, exclusive, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (write (STDOUT_FILENO, &byte, 1), ==, 1);
  g_assert_cmpint (read (STDIN_FILENO, &byte, 1), ==, 1);
  g_assert_true (mmio_file_unlock_range (file, 100, 50, &error));
  g_assert_no_error (error);
  /* Lives on: what is seen outside is the unlocking, not the end. */
  g_assert_cmpint (write (STDOUT_FILENO, &byte, 1), ==, 1);
  g_assert_cmpint (read (STDIN_FILENO, &byte, 1), ==, 1);

  return 0;
}

static int
role_hold (const char *path)
{
  return hold (path, TRUE);
}

static int
role_share (const char *path)
{
  return hold (path, FALSE);
}

static GSubprocess *
start_holder (MmioTestFile *f,
              const char   *role)
{
  GSubprocess *process = other_process_start (role, f->parent.path, -1);

  other_process_expect_byte (process);
  return process;
}

static void
release_holder (GSubprocess *process)
{
  other_process_send_byte (process);
  other_process_expect_byte (process);
}

static void
end_holder (GSubprocess *process)
{
  other_process_send_byte (process);
  other_process_finish (process);
}

static void
assert_busy (MmioFile *file,
             guint64   offset,
             guint64   length,
             gboolean  exclusive)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (mmio_file_try_lock_range (file, offset, length, exclusive, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_BUSY);
}

static void
assert_free (MmioFile *file,
             guint64   offset,
             guint64   length,
             gboolean  exclusive)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_try_lock_range (file, offset, length, exclusive, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_unlock_range (file, offset, length, &error));
  g_assert_no_error (error);
}

static void
test_try_is_busy_while_another_process_has_it (MmioTestFile *f,
                                               gconstpointer data)
{
  GSubprocess *process = start_holder (f, "hold");

  assert_busy (f->file, 100, 50, TRUE);
  assert_busy (f->file, 149, 1, FALSE);
  assert_busy (f->file, 0, 0, FALSE);
  assert_free (f->file, 0, 100, TRUE);
  assert_free (f->file, 150, 0, TRUE);

  release_holder (process);
  assert_free (f->file, 100, 50, TRUE);
  end_holder (process);
}

static void
test_shared_ones_stand_beside_each_other (MmioTestFile *f,
                                          gconstpointer data)
{
  GSubprocess *process = start_holder (f, "share");

  assert_free (f->file, 100, 50, FALSE);
  assert_busy (f->file, 100, 50, TRUE);
  release_holder (process);
  end_holder (process);
}

static void
test_goes_with_the_process (MmioTestFile *f,
                            gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  GSubprocess *process = start_holder (f, "hold");

  g_subprocess_force_exit (process);
  g_assert_true (mmio_file_lock_range (f->file, 0, 0, TRUE, NULL, &error));
  g_assert_no_error (error);
  g_subprocess_wait (process, NULL, NULL);
  g_object_unref (process);
}

typedef struct
{
  MmioFile *file;
  GCancellable *cancellable;
  GError *error;
  gboolean result;
  gboolean done;
} Waiter;

static gpointer
wait_for_lock (gpointer data)
{
  Waiter *waiter = data;

  waiter->result = mmio_file_lock_range (waiter->file, 100, 50, TRUE, waiter->cancellable, &waiter->error);
  return NULL;
}

#if HAVE_DECL_F_OFD_SETLK
/* A lock of an open file that somebody waits for stands there as "12: -> OFDLCK ADVISORY WRITE -1 08:01:4711 100 149". */
static gboolean
is_waited_for (gpointer data)
{
  g_autofree char *inode = g_strdup_printf (":%" PRIu64 " ", *(const guint64 *) data);
  g_autofree char *content = NULL;
  g_auto (GStrv) lines = NULL;

  g_assert_true (g_file_get_contents ("/proc/locks", &content, NULL, NULL));
  lines = g_strsplit (content, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    if (strstr (lines[i], "-> ") != NULL && strstr (lines[i], inode) != NULL)
      return TRUE;

  return FALSE;
}
#endif

/* Until the thread really waits, where that can be told: with a cancellable it tries again and again. */
static void
let_it_wait (MmioTestFile *f,
             Waiter       *waiter)
{
#if HAVE_DECL_F_OFD_SETLK
  struct stat status;
  guint64 inode;

  if (waiter->cancellable != NULL || access ("/proc/locks", R_OK) != 0)
    return;
  g_assert_no_errno (stat (f->parent.path, &status));
  inode = (guint64) status.st_ino;
  mmio_test_wait_until (NULL, is_waited_for, &inode);
#endif
}

static void
test_waits_until_it_is_let_go (MmioTestFile *f,
                               gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GCancellable) cancellable = i == 0 ? NULL : g_cancellable_new ();
      GSubprocess *process = start_holder (f, "hold");
      Waiter waiter = { .file = f->file, .cancellable = cancellable };
      GThread *thread = g_thread_new ("waiter", wait_for_lock, &waiter);

      let_it_wait (f, &waiter);
      release_holder (process);
      g_thread_join (thread);
      g_assert_true (waiter.result);
      g_assert_no_error (waiter.error);
      g_assert_true (mmio_file_unlock_range (f->file, 0, 0, NULL));
      end_holder (process);
    }
}

static void
test_cancel_ends_the_wait (MmioTestFile *f,
                           gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GSubprocess *process = start_holder (f, "hold");
  Waiter waiter = { .file = f->file, .cancellable = cancellable };
  GThread *thread = g_thread_new ("waiter", wait_for_lock, &waiter);

  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_false (waiter.result);
  g_assert_error (waiter.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&waiter.error);
  release_holder (process);
  end_holder (process);
}

static void
locked (GObject      *source,
        GAsyncResult *result,
        gpointer      user_data)
{
  Waiter *waiter = user_data;

  waiter->result = mmio_file_lock_range_finish (MMIO_FILE (source), result, &waiter->error);
  waiter->done = TRUE;
}

static gboolean
patience_ends (gpointer data)
{
  g_error ("nothing came");
  return G_SOURCE_REMOVE;
}

static void
iterate_until (gboolean *done)
{
  guint timeout = g_timeout_add_seconds (60, patience_ends, NULL);

  while (!*done)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (timeout);
}

static void
test_async_waits_and_can_be_cancelled (MmioTestFile *f,
                                       gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GSubprocess *process = start_holder (f, "hold");
  Waiter first = { 0 };
  Waiter second = { 0 };

  mmio_file_lock_range_async (f->file, 100, 50, TRUE, NULL, locked, &first);
  mmio_file_lock_range_async (f->file, 100, 50, TRUE, cancellable, locked, &second);
  g_cancellable_cancel (cancellable);
  iterate_until (&second.done);
  g_assert_false (second.result);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&second.error);

  g_assert_false (first.done);
  release_holder (process);
  iterate_until (&first.done);
  g_assert_true (first.result);
  g_assert_no_error (first.error);
  end_holder (process);
}

/* Of the objects of one process */

static void
test_belongs_to_the_object (MmioTestFile *f,
                            gconstpointer data)
{
  g_autoptr (MmioFile) other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_try_lock_range (f->file, 10, 10, TRUE, &error));
  g_assert_no_error (error);
  /* Once more, and the other kind: replaces its own. */
  g_assert_true (mmio_file_try_lock_range (f->file, 10, 20, FALSE, &error));
  g_assert_true (mmio_file_try_lock_range (f->file, 10, 20, TRUE, &error));
  g_assert_no_error (error);

  if (mmio_file_try_lock_range (other, 10, 1, TRUE, NULL))
    {
      g_test_skip ("this system has locks of processes alone");
      return;
    }
  assert_busy (other, 10, 1, TRUE);
  /* What lies in the middle can be let go. */
  g_assert_true (mmio_file_unlock_range (f->file, 15, 5, &error));
  assert_free (other, 15, 5, TRUE);
  assert_busy (other, 14, 1, TRUE);
  assert_busy (other, 20, 1, TRUE);

  /* An object that goes takes along none but its own. */
  g_clear_object (&other);
  other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  assert_busy (other, 14, 1, TRUE);

  g_assert_true (mmio_file_close (f->file, &error));
  assert_free (other, 0, 0, TRUE);
}

static void
test_past_the_end_is_fine (MmioTestFile *f,
                           gconstpointer data)
{
  assert_free (f->file, 1 << 20, 10, TRUE);
  assert_free (f->file, G_MAXINT64 - 1, 1, TRUE);
  assert_free (f->file, G_MAXINT64 - 1, 0, TRUE);
}

static void
test_wrapping_is_out_of_bounds (MmioTestFile *f,
                                gconstpointer data)
{
  const struct
  {
    guint64 offset;
    guint64 length;
  } ranges[] = { { G_MAXUINT64, 1 }, { 1, G_MAXUINT64 }, { G_MAXINT64, 1 }, { (guint64) G_MAXINT64 + 1, 0 } };

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (mmio_file_lock_range (f->file, ranges[i].offset, ranges[i].length, TRUE, NULL, &error));
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
      g_clear_error (&error);
      g_assert_false (mmio_file_try_lock_range (f->file, ranges[i].offset, ranges[i].length, TRUE, &error));
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
      g_clear_error (&error);
      g_assert_false (mmio_file_unlock_range (f->file, ranges[i].offset, ranges[i].length, &error));
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
    }
}

/* The numbers are looked at first, and it has no name to say them with. */
static void
test_wrapping_in_what_was_never_opened (void)
{
  g_autoptr (MmioFile) file = g_object_new (MMIO_TYPE_FILE, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (mmio_file_lock_range (file, G_MAXUINT64, 1, TRUE, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
}

static void
test_exclusive_on_a_read_only_file_is_an_error (MmioTestFile *f,
                                                gconstpointer data)
{
  g_autoptr (MmioFile) reader = mmio_test_open (f->parent.path, MMIO_MODE_READ_ONLY);
  g_autoptr (GError) error = NULL;

  assert_free (reader, 0, 0, FALSE);
  g_assert_false (mmio_file_lock_range (reader, 0, 0, TRUE, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE);
  g_clear_error (&error);
  g_assert_false (mmio_file_try_lock_range (reader, 0, 0, TRUE, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE);
}

static void
test_closed_is_an_error (MmioTestFile *f,
                         gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_false (mmio_file_lock_range (f->file, 0, 1, TRUE, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (mmio_file_try_lock_range (f->file, 0, 1, TRUE, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (mmio_file_unlock_range (f->file, 0, 1, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
}

static void
test_close_ends_the_wait_with_the_lock (MmioTestFile *f,
                                        gconstpointer data)
{
  GSubprocess *process = start_holder (f, "hold");
  Waiter waiter = { .file = f->file };
  GThread *thread = g_thread_new ("waiter", wait_for_lock, &waiter);
  g_autoptr (MmioFile) other = NULL;
  g_autoptr (GError) error = NULL;

  let_it_wait (f, &waiter);
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  release_holder (process);
  g_thread_join (thread);
  g_assert_false (waiter.result);
  g_assert_error (waiter.error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_clear_error (&waiter.error);
  end_holder (process);

  other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  assert_free (other, 0, 0, TRUE);
}

/* The lock is the open file's, which whatever still shows the file keeps open. */
static void
test_goes_under_a_view (MmioTestFile *f,
                        gconstpointer data)
{
  g_autoptr (MmioFile) other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (MmioView) old = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_lock_range (f->file, 0, 1, TRUE, NULL, &error));
  old = mmio_file_get_view (f->file, 0, 1, &error);
  g_assert_true (mmio_file_reload (f->file, &error));
  g_assert_no_error (error);
  assert_free (other, 0, 1, TRUE);
  g_assert_true (mmio_file_try_lock_range (f->file, 0, 1, TRUE, &error));
  g_assert_no_error (error);

  view = mmio_file_get_view (f->file, 0, 1, &error);
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  assert_free (other, 0, 1, TRUE);
}

static void
test_close_ends_the_wait_under_a_view (MmioTestFile *f,
                                       gconstpointer data)
{
  g_autoptr (MmioView) view = mmio_file_get_view (f->file, 0, 1, NULL);

  test_close_ends_the_wait_with_the_lock (f, data);
}

#if HAVE_DECL_F_OFD_SETLK
static void
become_exclusive (MmioTestFile *f,
                  GCancellable *cancellable)
{
  g_autoptr (MmioFile) reader = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (MmioFile) other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  Waiter waiter = { f->file, cancellable, NULL, FALSE, FALSE };
  g_autoptr (GError) error = NULL;
  GThread *thread;

  g_assert_true (mmio_file_lock_range (f->file, 100, 50, FALSE, NULL, &error));
  g_assert_true (mmio_file_lock_range (reader, 100, 1, FALSE, NULL, &error));
  g_assert_no_error (error);
  thread = g_thread_new ("waiter", wait_for_lock, &waiter);
  let_it_wait (f, &waiter);
  for (guint i = 0; i < 100; i++)
    {
      assert_busy (other, 120, 1, TRUE);
      g_thread_yield ();
    }
  g_assert_true (mmio_file_unlock_range (reader, 100, 1, &error));
  g_thread_join (thread);
  g_assert_no_error (waiter.error);
  g_assert_true (waiter.result);
  assert_busy (other, 120, 1, FALSE);
  g_assert_true (mmio_file_unlock_range (f->file, 0, 0, &error));
  g_assert_no_error (error);
}

/* Nobody can come between: what was read under the shared one is still so under the exclusive one. */
static void
test_shared_one_stays_until_it_is_exclusive (MmioTestFile *f,
                                             gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();

  become_exclusive (f, NULL);
  become_exclusive (f, cancellable);
}

/* What is given up with a close is also what a reload has had its wait begin anew for. */
static void
test_goes_after_a_wait_across_a_reload (MmioTestFile *f,
                                        gconstpointer data)
{
  g_autoptr (MmioFile) other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  Waiter waiter = { .file = f->file };
  GThread *thread;

  if (access ("/proc/locks", R_OK) != 0)
    {
      g_test_skip ("nothing tells who waits for a lock");
      return;
    }

  g_assert_true (mmio_file_try_lock_range (other, 100, 50, TRUE, &error));
  thread = g_thread_new ("waiter", wait_for_lock, &waiter);
  let_it_wait (f, &waiter);
  g_assert_true (mmio_file_reload (f->file, &error));
  g_assert_true (mmio_file_unlock_range (other, 0, 0, &error));
  g_thread_join (thread);
  g_assert_true (waiter.result);
  assert_busy (other, 100, 50, TRUE);

  view = mmio_file_get_view (f->file, 0, 1, &error);
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  assert_free (other, 100, 50, TRUE);
}

static void
in_child (MmioFile *file,
          gboolean (*func) (MmioFile *file))
{
  int status = 0;
  pid_t pid = fork ();

  if (pid == 0)
    _exit (func (file) ? 0 : 1);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
}

static gboolean
lock_and_close (MmioFile *file)
{
  return mmio_file_try_lock_range (file, 0, 1, TRUE, NULL) && mmio_file_close (file, NULL);
}

static gboolean
unlock (MmioFile *file)
{
  return mmio_file_unlock_range (file, 0, 1, NULL);
}

static void
test_fork_is_one_owner (MmioTestFile *f,
                        gconstpointer data)
{
  g_autoptr (MmioFile) other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_lock_range (f->file, 0, 1, TRUE, NULL, &error));
  in_child (f->file, lock_and_close);
  assert_busy (other, 0, 1, TRUE);
  in_child (f->file, unlock);
  assert_free (other, 0, 1, TRUE);
}

static gboolean
lock_anew_and_close (MmioFile *file)
{
  g_autoptr (MmioFile) other = mmio_file_open (mmio_file_get_path (file), MMIO_MODE_READ_WRITE, NULL);
  g_autoptr (MmioView) view = NULL;

  /* The view keeps the new open file, which is this process's alone. */
  return mmio_file_reload (file, NULL) && mmio_file_try_lock_range (file, 0, 1, TRUE, NULL) &&
         (view = mmio_file_get_view (file, 0, 1, NULL)) != NULL && mmio_file_close (file, NULL) &&
         mmio_file_try_lock_range (other, 0, 1, TRUE, NULL);
}

/* What a reload opens no child of an earlier fork has, nor the parent of the child that reloads. */
static void
test_reload_ends_the_sharing (MmioTestFile *f,
                              gconstpointer data)
{
  in_child (f->file, lock_anew_and_close);
  g_assert_true (lock_anew_and_close (f->file));
}

/* As of a daemon that locks, forks, and lets the parent go. */
static void
test_stays_with_a_child (MmioTestFile *f,
                         gconstpointer data)
{
  g_autoptr (MmioFile) other = mmio_test_open (f->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;
  int fds[2], status = 0;
  char byte;
  pid_t pid;

  g_assert_true (mmio_file_lock_range (f->file, 0, 1, TRUE, NULL, &error));
  g_assert_no_errno (pipe (fds));
  pid = fork ();
  if (pid == 0)
    {
      close (fds[1]);
      _exit (read (fds[0], &byte, 1) == 0 ? 0 : 1);
    }
  close (fds[0]);
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  assert_busy (other, 0, 1, TRUE);
  close (fds[1]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  assert_free (other, 0, 1, TRUE);
}
#endif

int
main (int   argc,
      char *argv[])
{
  const OtherProcessRole roles[] = { { "hold", role_hold }, { "share", role_share } };

  other_process_main (argc, argv, roles, G_N_ELEMENTS (roles));
  g_test_init (&argc, &argv, NULL);

#define TEST(path, func) mmio_test_add_with_file (path, 4096, func)
  TEST ("/lock/try-is-busy-while-another-process-has-it", test_try_is_busy_while_another_process_has_it);
  TEST ("/lock/shared-ones-stand-beside-each-other", test_shared_ones_stand_beside_each_other);
  TEST ("/lock/goes-with-the-process", test_goes_with_the_process);
  TEST ("/lock/waits-until-it-is-let-go", test_waits_until_it_is_let_go);
  TEST ("/lock/cancel-ends-the-wait", test_cancel_ends_the_wait);
  TEST ("/lock/async-waits-and-can-be-cancelled", test_async_waits_and_can_be_cancelled);
  TEST ("/lock/belongs-to-the-object", test_belongs_to_the_object);
  TEST ("/lock/past-the-end-is-fine", test_past_the_end_is_fine);
  TEST ("/lock/wrapping-is-out-of-bounds", test_wrapping_is_out_of_bounds);
  TEST ("/lock/exclusive-on-a-read-only-file-is-an-error", test_exclusive_on_a_read_only_file_is_an_error);
  TEST ("/lock/closed-is-an-error", test_closed_is_an_error);
  TEST ("/lock/close-ends-the-wait-with-the-lock", test_close_ends_the_wait_with_the_lock);
  TEST ("/lock/close-ends-the-wait-with-the-lock/under-a-view", test_close_ends_the_wait_under_a_view);
  TEST ("/lock/goes-with-reload-and-close-under-a-view", test_goes_under_a_view);
  g_test_add_func ("/lock/wrapping-is-out-of-bounds/of-what-was-never-opened", test_wrapping_in_what_was_never_opened);
#if HAVE_DECL_F_OFD_SETLK
  TEST ("/lock/a-shared-one-stays-until-it-is-exclusive", test_shared_one_stays_until_it_is_exclusive);
  TEST ("/lock/goes-with-close-after-a-wait-across-a-reload", test_goes_after_a_wait_across_a_reload);
  TEST ("/lock/fork/a-reload-ends-the-sharing", test_reload_ends_the_sharing);
  TEST ("/lock/fork/parent-and-child-are-one-owner", test_fork_is_one_owner);
  TEST ("/lock/fork/stays-with-a-child-when-the-parent-closes", test_stays_with_a_child);
#endif
#undef TEST

  return g_test_run ();
}
