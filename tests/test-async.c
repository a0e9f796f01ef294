/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The calls that don't block.
 */
#include "config.h"

#include "mmio-test.h"

#include <string.h>

static void
keep_result (GObject      *source G_GNUC_UNUSED,
             GAsyncResult *result,
             gpointer      user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

static GAsyncResult *
wait_for (GAsyncResult **result)
{
  mmio_test_wait_until (NULL, has_result, result);
  return *result;
}

static void
test_open (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) created = NULL, opened = NULL, located = NULL, either = NULL, missing = NULL;
  g_autoptr (MmioFile) file = NULL, second = NULL, third = NULL, fourth = NULL;
  g_autoptr (GFile) location = g_file_new_for_path (test->path);
  g_autofree char *nowhere = mmio_test_in_folder (test, "nowhere");

  mmio_file_create_async (test->path, 100, MMIO_CREATE_FLAGS_NONE, NULL, keep_result, &created);
  file = mmio_file_create_finish (wait_for (&created), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 100);

  mmio_file_open_async (test->path, MMIO_MODE_READ_ONLY, NULL, keep_result, &opened);
  second = mmio_file_open_finish (wait_for (&opened), &error);
  g_assert_no_error (error);
  g_assert_cmpint (mmio_file_get_mode (second), ==, MMIO_MODE_READ_ONLY);

  mmio_file_open_location_async (location, MMIO_MODE_READ_WRITE, NULL, keep_result, &located);
  third = mmio_file_open_location_finish (wait_for (&located), &error);
  g_assert_no_error (error);
  g_assert_cmpint (mmio_file_get_mode (third), ==, MMIO_MODE_READ_WRITE);

  mmio_file_open_or_create_async (test->path, 5, NULL, keep_result, &either);
  fourth = mmio_file_open_or_create_finish (wait_for (&either), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (fourth), ==, 100);

  mmio_file_open_async (nowhere, MMIO_MODE_READ_ONLY, NULL, keep_result, &missing);
  g_assert_null (mmio_file_open_finish (wait_for (&missing), &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, "nowhere", NULL);
}

/* Nothing is waited for in between: what comes later finds what came before done. */
static void
test_order (MmioTest      *test,
            gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 0);
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func (g_object_unref);
  GAsyncResult *slots[200] = { NULL };

  for (guint64 i = 0; i < 100; i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (&i, sizeof i);

      mmio_file_resize_async (file, (i + 1) * sizeof i, NULL, NULL, NULL);
      mmio_file_write_async (file, i * sizeof i, bytes, NULL, keep_result, &slots[2 * i]);
      mmio_file_read_async (file, i * sizeof i, sizeof i, NULL, keep_result, &slots[2 * i + 1]);
    }

  for (guint64 i = 0; i < 100; i++)
    {
      g_autoptr (GBytes) bytes = NULL;
      guint64 value;

      g_assert_true (mmio_file_write_finish (file, wait_for (&slots[2 * i]), &error));
      bytes = mmio_file_read_finish (file, wait_for (&slots[2 * i + 1]), &error);
      g_assert_no_error (error);
      memcpy (&value, g_bytes_get_data (bytes, NULL), sizeof value);
      g_assert_cmpuint (value, ==, i);
      g_object_unref (slots[2 * i]);
      g_object_unref (slots[2 * i + 1]);
    }
}

static void
test_each (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);
  g_autoptr (GBytes) pattern = g_bytes_new_static ("abc", 3);
  g_autoptr (GAsyncResult) found = NULL, flushed = NULL, range = NULL, prefetched = NULL, reloaded = NULL, closed = NULL;
  g_autoptr (GAsyncResult) filled = NULL, moved = NULL, locked = NULL;

  g_assert_true (mmio_file_write (file, 5000, "abc", 3, &error));

  mmio_file_fill_async (file, 100, 3, 'x', NULL, keep_result, &filled);
  g_assert_true (mmio_file_fill_finish (file, wait_for (&filled), &error));
  mmio_test_assert_read (file, 99, "\0xxx\0", 5);
  mmio_file_move_async (file, 102, 101, 3, NULL, keep_result, &moved);
  g_assert_true (mmio_file_move_finish (file, wait_for (&moved), &error));
  mmio_test_assert_read (file, 99, "\0xxxx\0", 6);
  g_assert_true (mmio_file_fill (file, 100, 10, 0, &error));
  g_assert_true (mmio_file_flush_range (file, 0, 5000, &error));
  g_assert_no_error (error);

  mmio_file_find_async (file, pattern, 0, G_MAXUINT64, TRUE, NULL, keep_result, &found);
  g_assert_cmpint (mmio_file_find_finish (file, wait_for (&found), &error), ==, 5000);
  g_assert_no_error (error);

  mmio_file_flush_range_async (file, 0, 5001, NULL, keep_result, &range);
  g_assert_true (mmio_file_flush_range_finish (file, wait_for (&range), &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 2);
  mmio_file_flush_async (file, NULL, keep_result, &flushed);
  g_assert_true (mmio_file_flush_finish (file, wait_for (&flushed), &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);

  mmio_file_prefetch_async (file, 0, 10000, NULL, keep_result, &prefetched);
  g_assert_true (mmio_file_prefetch_finish (file, wait_for (&prefetched), &error));
  g_assert_no_error (error);

  /* Where the limit is too low the error says so, as the twin's does. */
  mmio_file_lock_memory_async (file, 0, 10000, NULL, keep_result, &locked);
  if (!mmio_file_lock_memory_finish (file, wait_for (&locked), &error))
    mmio_test_assert_mmio_error (&error, LOCK_FAILED, "offset 0", "length 10000", "RLIMIT_MEMLOCK", NULL);

  mmio_test_replace (test->path, "new", 3);
  mmio_file_reload_async (file, NULL, keep_result, &reloaded);
  g_assert_true (mmio_file_reload_finish (file, wait_for (&reloaded), &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 0, "new", 3);

  mmio_file_close_async (file, NULL, keep_result, &closed);
  g_assert_true (mmio_file_close_finish (file, wait_for (&closed), &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_is_closed (file));
}

static void
test_errors (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) outside = NULL, cancelled = NULL, opening = NULL, closed = NULL;

  mmio_file_read_async (file, 5, 6, NULL, keep_result, &outside);
  g_assert_null (mmio_file_read_finish (file, wait_for (&outside), &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 5", "length 6", "size 10", NULL);

  g_cancellable_cancel (cancellable);
  mmio_file_resize_async (file, 20, cancellable, keep_result, &cancelled);
  g_assert_false (mmio_file_resize_finish (file, wait_for (&cancelled), &error));
  mmio_test_assert_io_error (&error, CANCELLED, NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 10);

  mmio_file_open_async (test->path, MMIO_MODE_READ_ONLY, cancellable, keep_result, &opening);
  g_assert_null (mmio_file_open_finish (wait_for (&opening), &error));
  mmio_test_assert_io_error (&error, CANCELLED, NULL);

  g_assert_true (mmio_file_close (file, &error));
  mmio_file_flush_async (file, NULL, keep_result, &closed);
  g_assert_false (mmio_file_flush_finish (file, wait_for (&closed), &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
}

/* What comes behind a lock that somebody else has waits for it; what is cancelled meanwhile doesn't. */
static void
test_order_behind_a_lock (MmioTest      *test,
                          gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10);
  g_autoptr (MmioFile) other = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) locked = NULL, written = NULL, cancelled = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  g_assert_true (mmio_file_try_lock_range (other, 0, 10, TRUE, &error));
  if (mmio_file_try_lock_range (file, 0, 10, TRUE, NULL))
    {
      g_test_skip ("locks of one process don't keep each other out on this system");
      return;
    }

  mmio_file_lock_range_async (file, 0, 10, TRUE, NULL, keep_result, &locked);
  mmio_file_write_async (file, 0, bytes, NULL, keep_result, &written);
  mmio_file_write_async (file, 1, bytes, cancellable, keep_result, &cancelled);
  g_cancellable_cancel (cancellable);
  g_assert_false (mmio_file_write_finish (file, wait_for (&cancelled), &error));
  mmio_test_assert_io_error (&error, CANCELLED, NULL);
  g_assert_null (locked);
  g_assert_null (written);
  mmio_test_assert_read (file, 0, "\0\0", 2);

  g_assert_true (mmio_file_unlock_range (other, 0, 10, &error));
  g_assert_true (mmio_file_lock_range_finish (file, wait_for (&locked), &error));
  g_assert_true (mmio_file_write_finish (file, wait_for (&written), &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 0, "x\0", 2);
}

/* Whoever waits for others does so in a thread of its own: all together they keep nobody else's call waiting. */
static void
test_many_wait (MmioTest      *test,
                gconstpointer  data G_GNUC_UNUSED)
{
  g_autofree char *path = mmio_test_in_folder (test, "other");
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) holder = mmio_test_create (test->path, 10);
  g_autoptr (MmioFile) other = mmio_test_create (path, 10);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  g_autoptr (GAsyncResult) written = NULL;
  MmioFile *files[40];
  GAsyncResult *locked[G_N_ELEMENTS (files)] = { NULL };

  g_assert_true (mmio_file_try_lock_range (holder, 0, 10, TRUE, &error));
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      files[i] = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
      mmio_file_lock_range_async (files[i], 0, 10, FALSE, NULL, keep_result, &locked[i]);
    }
  mmio_file_write_async (other, 0, bytes, NULL, keep_result, &written);
  g_assert_true (mmio_file_write_finish (other, wait_for (&written), &error));
  g_assert_no_error (error);

  g_assert_true (mmio_file_unlock_range (holder, 0, 10, &error));
  for (guint i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_assert_true (mmio_file_lock_range_finish (files[i], wait_for (&locked[i]), &error));
      g_object_unref (locked[i]);
      g_object_unref (files[i]);
    }
  g_assert_no_error (error);
}

/* Too late for it: the file is there, and so is the result. */
static void
test_created_before_cancelled (MmioTest      *test,
                               gconstpointer  data G_GNUC_UNUSED)
{
  gint64 end = g_get_monotonic_time () + MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) created = NULL;
  g_autoptr (MmioFile) file = NULL;

  mmio_file_create_async (test->path, 10, MMIO_CREATE_FLAGS_NONE, cancellable, keep_result, &created);
  while (!g_file_test (test->path, G_FILE_TEST_EXISTS))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_thread_yield ();
    }
  g_cancellable_cancel (cancellable);
  file = mmio_file_create_finish (wait_for (&created), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 10);
}

static gint go;                 /* atomic */

static gpointer
cancel_soon (gpointer data)
{
  while (!g_atomic_int_get (&go))
    ;
  g_cancellable_cancel (data);

  return NULL;
}

/* Behind a lock that nobody lets go of: whoever was not told at once would wait for ever. */
static void
test_cancelled_at_any_moment (MmioTest      *test,
                              gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10);
  g_autoptr (MmioFile) other = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_autoptr (GAsyncResult) locked = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);

  g_assert_true (mmio_file_try_lock_range (other, 0, 10, TRUE, &error));
  if (mmio_file_try_lock_range (file, 0, 10, TRUE, NULL))
    {
      g_test_skip ("locks of one process don't keep each other out on this system");
      return;
    }
  mmio_file_lock_range_async (file, 0, 10, TRUE, NULL, keep_result, &locked);

  for (guint i = 0; i < 2000; i++)
    {
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (GAsyncResult) cancelled = NULL;
      GThread *thread;

      g_atomic_int_set (&go, FALSE);
      thread = g_thread_new ("canceller", cancel_soon, cancellable);
      g_atomic_int_set (&go, TRUE);
      for (guint k = 0; k < i % 64 * 16; k++)
        g_atomic_int_get (&go);
      mmio_file_write_async (file, 0, bytes, cancellable, keep_result, &cancelled);
      g_assert_false (mmio_file_write_finish (file, wait_for (&cancelled), &error));
      mmio_test_assert_io_error (&error, CANCELLED, NULL);
      g_thread_join (thread);
    }

  g_assert_null (locked);
  mmio_test_assert_read (file, 0, "\0", 1);
  g_assert_true (mmio_file_unlock_range (other, 0, 10, &error));
  g_assert_true (mmio_file_lock_range_finish (file, wait_for (&locked), &error));
  g_assert_no_error (error);
}

static void
test_keeps_alive (MmioTest      *test,
                  gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) written = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("hello", 5);
  MmioFile *file = mmio_test_create (test->path, 5);

  mmio_file_write_async (file, 0, bytes, NULL, keep_result, &written);
  g_object_unref (file);
  wait_for (&written);
  g_assert_true (g_task_propagate_boolean (G_TASK (written), &error));
  g_assert_no_error (error);
  mmio_test_assert_file (test->path, "hello", 5);
}

typedef struct
{
  GThread *thread;
  GAsyncResult **result;
  guint n_told;
} Told;

static void
on_notify (MmioFile   *file G_GNUC_UNUSED,
           GParamSpec *property G_GNUC_UNUSED,
           Told       *told)
{
  g_assert_true (g_thread_self () == told->thread);
  g_assert_null (*told->result);
  told->n_told++;
}

static void
test_notifies_caller (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GAsyncResult) resized = NULL, closed = NULL;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 5);
  Told size = { g_thread_self (), &resized, 0 }, watching = { g_thread_self (), &closed, 0 };
  gulong handler = g_signal_connect (file, "notify::size", G_CALLBACK (on_notify), &size);

  mmio_file_resize_async (file, 10, NULL, keep_result, &resized);
  g_assert_true (mmio_file_resize_finish (file, wait_for (&resized), &error));
  g_assert_no_error (error);
  g_assert_cmpuint (size.n_told, ==, 1);
  g_signal_handler_disconnect (file, handler);

  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_signal_connect (file, "notify::watching", G_CALLBACK (on_notify), &watching);
  mmio_file_close_async (file, NULL, keep_result, &closed);
  g_assert_true (mmio_file_close_finish (file, wait_for (&closed), &error));
  g_assert_no_error (error);
  g_assert_cmpuint (watching.n_told, ==, 1);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/async/open-and-create", NULL, test_open);
  mmio_test_add ("/async/done-in-the-order-of-the-calls", NULL, test_order);
  mmio_test_add ("/async/what-comes-behind-a-lock-waits-for-it", NULL, test_order_behind_a_lock);
  mmio_test_add ("/async/many-that-wait-for-a-lock-hold-up-nobody-else", NULL, test_many_wait);
  mmio_test_add ("/async/each-does-what-its-twin-does", NULL, test_each);
  mmio_test_add ("/async/errors-and-cancellation", NULL, test_errors);
  mmio_test_add ("/async/what-was-created-before-it-was-cancelled-is-there", NULL, test_created_before_cancelled);
  mmio_test_add ("/async/cancelled-at-any-moment-is-told-at-once", NULL, test_cancelled_at_any_moment);
  mmio_test_add ("/async/file-lives-until-it-is-done", NULL, test_keeps_alive);
  mmio_test_add ("/async/properties-are-notified-where-the-result-is-told", NULL, test_notifies_caller);

  return g_test_run ();
}
