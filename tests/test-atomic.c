/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Atomics: the operations, what is refused, and waiting, between threads and between processes.
 */
#include "config.h"

#include <mmio.h>

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "mmio-test.h"
#include "other-process.h"

#define N_ADDS 1000000

static MmioAtomicU32 *
get_u32 (MmioFile *file,
         guint64   offset,
         gsize     n)
{
  g_autoptr (GError) error = NULL;
  MmioAtomicU32 *atomic = mmio_file_get_atomic_u32 (file, offset, n, &error);

  g_assert_no_error (error);
  g_assert_nonnull (atomic);
  return atomic;
}

static MmioAtomicU64 *
get_u64 (MmioFile *file,
         guint64   offset,
         gsize     n)
{
  g_autoptr (GError) error = NULL;
  MmioAtomicU64 *atomic = mmio_file_get_atomic_u64 (file, offset, n, &error);

  g_assert_no_error (error);
  g_assert_nonnull (atomic);
  return atomic;
}

static void
test_u32_operations_return_the_old_value (MmioTestFile *f,
                                          gconstpointer data)
{
  g_autoptr (MmioAtomicU32) a = get_u32 (f->file, 4, 3);
  guint32 previous = 0;

  g_assert_cmpuint (mmio_atomic_u32_get_offset (a), ==, 4);
  g_assert_cmpuint (mmio_atomic_u32_get_length (a), ==, 3);
  g_assert_true (mmio_atomic_u32_is_writable (a));
  g_assert_cmpuint (mmio_atomic_u32_load (a, 2), ==, 0);
  mmio_atomic_u32_store (a, 2, 10);
  g_assert_cmpuint (mmio_atomic_u32_add (a, 2, 5), ==, 10);
  g_assert_cmpuint (mmio_atomic_u32_sub (a, 2, 16), ==, 15);
  g_assert_cmpuint (mmio_atomic_u32_and (a, 2, 0xff), ==, G_MAXUINT32);
  g_assert_cmpuint (mmio_atomic_u32_or (a, 2, 0x100), ==, 0xff);
  g_assert_cmpuint (mmio_atomic_u32_xor (a, 2, 0x101), ==, 0x1ff);
  g_assert_cmpuint (mmio_atomic_u32_exchange (a, 2, 7), ==, 0xfe);
  g_assert_false (mmio_atomic_u32_compare_exchange (a, 2, 6, 8, &previous));
  g_assert_cmpuint (previous, ==, 7);
  g_assert_true (mmio_atomic_u32_compare_exchange (a, 2, 7, 8, &previous));
  g_assert_cmpuint (previous, ==, 7);
  g_assert_true (mmio_atomic_u32_compare_exchange (a, 2, 8, 9, NULL));
  g_assert_false (mmio_atomic_u32_compare_and_store (a, 2, 8, 10));
  g_assert_true (mmio_atomic_u32_compare_and_store (a, 2, 9, 8));
  g_assert_true (mmio_atomic_u32_compare_and_store (a, 2, 8, 9));
  g_assert_cmpuint (mmio_atomic_u32_get_pointer (a)[2], ==, 9);
  g_assert_cmpuint (mmio_atomic_u32_load (a, 0), ==, 0);
  g_assert_cmpuint (mmio_atomic_u32_load (a, 1), ==, 0);
}

static void
test_u64_operations_return_the_old_value (MmioTestFile *f,
                                          gconstpointer data)
{
  g_autoptr (MmioAtomicU64) a = get_u64 (f->file, 8, 3);
  const guint64 high = G_GUINT64_CONSTANT (1) << 40;
  guint64 previous = 0;

  g_assert_cmpuint (mmio_atomic_u64_get_offset (a), ==, 8);
  g_assert_cmpuint (mmio_atomic_u64_get_length (a), ==, 3);
  g_assert_true (mmio_atomic_u64_is_writable (a));
  mmio_atomic_u64_store (a, 2, G_MAXUINT32);
  g_assert_cmpuint (mmio_atomic_u64_add (a, 2, 1), ==, G_MAXUINT32);
  g_assert_cmpuint (mmio_atomic_u64_sub (a, 2, 1), ==, G_GUINT64_CONSTANT (1) << 32);
  g_assert_cmpuint (mmio_atomic_u64_and (a, 2, 0xff), ==, G_MAXUINT32);
  g_assert_cmpuint (mmio_atomic_u64_or (a, 2, high), ==, 0xff);
  g_assert_cmpuint (mmio_atomic_u64_xor (a, 2, high | 1), ==, high | 0xff);
  g_assert_cmpuint (mmio_atomic_u64_exchange (a, 2, high), ==, 0xfe);
  g_assert_false (mmio_atomic_u64_compare_exchange (a, 2, 0, 8, &previous));
  g_assert_cmpuint (previous, ==, high);
  g_assert_true (mmio_atomic_u64_compare_exchange (a, 2, high, high + 1, &previous));
  g_assert_false (mmio_atomic_u64_compare_and_store (a, 2, high, 0));
  g_assert_true (mmio_atomic_u64_compare_and_store (a, 2, high + 1, G_MAXUINT64));
  g_assert_true (mmio_atomic_u64_compare_and_store (a, 2, G_MAXUINT64, high + 1));
  g_assert_cmpuint (previous, ==, high);
  g_assert_cmpuint (mmio_atomic_u64_get_pointer (a)[2], ==, high + 1);
  g_assert_cmpuint (mmio_atomic_u64_load (a, 0), ==, 0);
  g_assert_cmpuint (mmio_atomic_u64_load (a, 1), ==, 0);
}

static void
test_misaligned_is_an_error (MmioTestFile *f,
                             gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mmio_file_get_atomic_u32 (f->file, 6, 1, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_MISALIGNED);
  g_assert_nonnull (strstr (error->message, "offset 6 is not a multiple of 4"));
  g_clear_error (&error);

  g_assert_null (mmio_file_get_atomic_u64 (f->file, 4, 1, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_MISALIGNED);
  g_assert_nonnull (strstr (error->message, "offset 4 is not a multiple of 8"));
}

static void
test_out_of_bounds_is_an_error (MmioTestFile *f,
                                gconstpointer data)
{
  const gsize lengths[] = { 2, G_MAXSIZE / 8, G_MAXSIZE };

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autoptr (GError) error32 = NULL;
      g_autoptr (GError) error64 = NULL;

      g_assert_null (mmio_file_get_atomic_u32 (f->file, 8192 - 4, lengths[i], &error32));
      g_assert_error (error32, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
      g_assert_null (mmio_file_get_atomic_u64 (f->file, 8192 - 8, lengths[i], &error64));
      g_assert_error (error64, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
      /* what was asked for, and not how many bytes that comes to */
      if (i == 0)
        g_assert_nonnull (strstr (error64->message, "offset 8184 + 2 * 8 bytes exceeds size 8192"));
    }
}

static void
test_index_out_of_range_does_nothing (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *folder = g_dir_make_tmp ("mmio-atomic-XXXXXX", NULL);
      g_autofree char *path = g_build_filename (folder, "file", NULL);
      g_autoptr (MmioFile) file = mmio_file_create (path, 64, MMIO_CREATE_FLAGS_NONE, &error);
      g_autoptr (MmioAtomicU32) a = get_u32 (file, 0, 2);

      g_log_set_always_fatal (G_LOG_FATAL_MASK);
      g_unlink (path);
      g_rmdir (folder);
      g_assert_cmpuint (mmio_atomic_u32_add (a, 2, 1), ==, 0);
      g_assert_cmpuint (mmio_atomic_u32_add (a, G_MAXSIZE, 1), ==, 0);
      mmio_atomic_u32_wake (a, 2, 1);
      g_assert_cmpuint (mmio_file_get_uint32 (file, 8, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, NULL), ==, 0);
      return;
    }

  g_setenv ("G_DEBUG", "", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_setenv ("G_DEBUG", "fatal-criticals", TRUE);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*mmio_atomic_u32_add: */file: index 2 is out of range: the length is 2*");
  g_test_trap_assert_stderr ("*mmio_atomic_u32_wake: */file: index 2 is out of range: the length is 2*");
}

static void
test_change_of_a_read_only_one_does_nothing (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *folder = g_dir_make_tmp ("mmio-atomic-XXXXXX", NULL);
      g_autofree char *path = g_build_filename (folder, "file", NULL);
      g_autoptr (MmioFile) file = NULL;
      g_autoptr (MmioAtomicU64) a = NULL;

      g_log_set_always_fatal (G_LOG_FATAL_MASK);
      g_assert_true (g_file_set_contents (path, "12345678", 8, &error));
      file = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);
      a = mmio_file_get_atomic_u64 (file, 0, 1, &error);
      g_assert_no_error (error);
      g_unlink (path);
      g_rmdir (folder);
      mmio_atomic_u64_store (a, 0, 1);
      g_assert_cmpuint (mmio_atomic_u64_load (a, 0), !=, 1);
      mmio_atomic_u64_release (a);
      g_assert_cmpuint (mmio_atomic_u64_load (a, 0), ==, 0);
      return;
    }

  g_setenv ("G_DEBUG", "", TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_setenv ("G_DEBUG", "fatal-criticals", TRUE);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*mmio_atomic_u64_store: */file: is mapped for reading only*");
  g_test_trap_assert_stderr ("*mmio_atomic_u64_load: */file: the atomic was released*");
}

static void
test_closed_is_an_error_and_held_ones_stay (MmioTestFile *f,
                                            gconstpointer data)
{
  g_autoptr (MmioAtomicU32) a = get_u32 (f->file, 0, 1);
  g_autoptr (GError) error = NULL;

  mmio_atomic_u32_store (a, 0, 5);
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_atomic_u32_add (a, 0, 1), ==, 5);
  g_assert_cmpuint (mmio_atomic_u32_load (a, 0), ==, 6);

  g_assert_null (mmio_file_get_atomic_u32 (f->file, 0, 1, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
}

static void
test_counts_as_dirty (MmioTestFile *f,
                      gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  MmioAtomicU64 *a;

  g_assert_true (mmio_file_flush (f->file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 0);
  a = get_u64 (f->file, 64, 2);
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 16);
  g_assert_true (mmio_file_flush (f->file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 16);
  mmio_atomic_u64_unref (a);
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 16);
  g_assert_true (mmio_file_flush (f->file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 0);
  g_assert_no_error (error);
}

static void
test_shrink_below_is_busy_until_released (MmioTestFile *f,
                                          gconstpointer data)
{
  g_autoptr (MmioAtomicU32) a = get_u32 (f->file, 4096, 1);
  g_autoptr (GError) error = NULL;

  g_assert_false (mmio_file_resize (f->file, 4096, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_BUSY);
  g_clear_error (&error);

  mmio_atomic_u32_release (a);
  g_assert_cmpuint (mmio_atomic_u32_get_length (a), ==, 0);
  g_assert_null (mmio_atomic_u32_get_pointer (a));
  mmio_atomic_u32_release (a);
  g_assert_true (mmio_file_resize (f->file, 4096, &error));
  g_assert_no_error (error);
}

static void
test_stays_coherent_while_the_file_outgrows_its_reserve (MmioTestFile *f,
                                                         gconstpointer data)
{
  g_autoptr (MmioAtomicU32) before = get_u32 (f->file, 0, 1);
  g_autoptr (MmioAtomicU32) after = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_resize (f->file, G_GUINT64_CONSTANT (1) << 28, &error));
  g_assert_no_error (error);
  after = get_u32 (f->file, 0, 1);
  g_assert_true (mmio_atomic_u32_get_pointer (before) != mmio_atomic_u32_get_pointer (after));
  mmio_atomic_u32_add (before, 0, 1);
  mmio_atomic_u32_add (after, 0, 1);
  g_assert_cmpuint (mmio_atomic_u32_load (before, 0), ==, 2);
  g_assert_cmpuint (mmio_atomic_u32_load (after, 0), ==, 2);
}

/* Modes */

static void
test_read_only_loads_and_waits (MmioTestFile *f,
                                gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) reader = mmio_file_open (f->parent.path, MMIO_MODE_READ_ONLY, &error);
  g_autoptr (MmioAtomicU64) seen = get_u64 (reader, 0, 1);
  g_autoptr (MmioAtomicU64) written = get_u64 (f->file, 0, 1);

  g_assert_no_error (error);
  g_assert_false (mmio_atomic_u64_is_writable (seen));
  g_assert_false (mmio_atomic_u64_wait (seen, 0, 0, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_clear_error (&error);
  mmio_atomic_u64_store (written, 0, 3);
  g_assert_cmpuint (mmio_atomic_u64_load (seen, 0), ==, 3);
  g_assert_true (mmio_atomic_u64_wait (seen, 0, 0, 0, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_atomic_u64_check (seen, &error));
}

static void
test_copy_on_write_keeps_changes_to_itself (MmioTestFile *f,
                                            gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) copy = mmio_file_open (f->parent.path, MMIO_MODE_COPY_ON_WRITE, &error);
  g_autoptr (MmioAtomicU32) own = get_u32 (copy, 0, 1);
  g_autoptr (MmioAtomicU32) same = get_u32 (copy, 0, 1);
  g_autoptr (MmioAtomicU32) shared = get_u32 (f->file, 0, 1);

  g_assert_no_error (error);
  mmio_atomic_u32_add (own, 0, 4);
  g_assert_cmpuint (mmio_atomic_u32_load (same, 0), ==, 4);
  g_assert_cmpuint (mmio_atomic_u32_load (shared, 0), ==, 0);
  g_assert_false (mmio_atomic_u32_wait (own, 0, 4, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
}

/* Between threads and processes */

static void
add_many (MmioAtomicU64 *counter,
          MmioAtomicU32 *counter32)
{
  for (guint i = 0; i < N_ADDS; i++)
    {
      mmio_atomic_u64_add (counter, 0, 1);
      mmio_atomic_u32_add (counter32, 0, 1);
    }
}

static int
role_add (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_autoptr (MmioAtomicU64) counter = get_u64 (file, 8, 1);
  g_autoptr (MmioAtomicU32) counter32 = get_u32 (file, 16, 1);

  add_many (counter, counter32);
  return 0;
}

static void
test_two_processes_count_exactly (MmioTestFile *f,
                                  gconstpointer data)
{
  g_autoptr (MmioAtomicU64) counter = get_u64 (f->file, 8, 1);
  g_autoptr (MmioAtomicU32) counter32 = get_u32 (f->file, 16, 1);
  /* Carries into the high half on the way. */
  const guint64 start = G_MAXUINT32 - (guint64) N_ADDS;
  GSubprocess *process;

  mmio_atomic_u64_store (counter, 0, start);
  process = other_process_start ("add", f->parent.path, -1);
  add_many (counter, counter32);
  other_process_finish (process);
  g_assert_cmpuint (mmio_atomic_u64_load (counter, 0), ==, start + 2 * N_ADDS);
  g_assert_cmpuint (mmio_atomic_u32_load (counter32, 0), ==, 2 * N_ADDS);
}

/* Waits for each odd value of element 0 and answers with the next even one. */
#define N_ROUNDS 2000

static int
role_answer (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_autoptr (MmioAtomicU32) a = get_u32 (file, 0, 1);
  g_autoptr (MmioAtomicU64) b = get_u64 (file, 8, 1);

  for (guint32 i = 0; i < N_ROUNDS; i++)
    {
      while (mmio_atomic_u32_load (a, 0) == 2 * i)
        {
          mmio_atomic_u32_wait (a, 0, 2 * i, -1, NULL, &error);
          g_assert_no_error (error);
        }
      mmio_atomic_u32_store (a, 0, 2 * i + 2);
      /* Only the high half of this one ever changes. */
      mmio_atomic_u64_add (b, 0, G_GUINT64_CONSTANT (1) << 32);
      mmio_atomic_u64_wake (b, 0, 1);
    }

  return 0;
}

static void
test_wake_reaches_another_process (MmioTestFile *f,
                                   gconstpointer data)
{
  g_autoptr (MmioAtomicU32) a = get_u32 (f->file, 0, 1);
  g_autoptr (MmioAtomicU64) b = get_u64 (f->file, 8, 1);
  g_autoptr (GError) error = NULL;
  GSubprocess *process = other_process_start ("answer", f->parent.path, -1);

  for (guint32 i = 0; i < N_ROUNDS; i++)
    {
      guint64 before = (guint64) i << 32;

      g_assert_cmpuint (mmio_atomic_u32_add (a, 0, 1), ==, 2 * i);
      mmio_atomic_u32_wake (a, 0, 1);
      while (mmio_atomic_u64_load (b, 0) == before)
        {
          mmio_atomic_u64_wait (b, 0, before, 60000, NULL, &error);
          g_assert_no_error (error);
        }
    }
  other_process_finish (process);
}

static void
test_wait_times_out (MmioTestFile *f,
                     gconstpointer data)
{
  g_autoptr (MmioAtomicU32) a = get_u32 (f->file, 0, 1);
  g_autoptr (MmioAtomicU64) b = get_u64 (f->file, 8, 1);
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GCancellable) cancellable = i == 0 ? NULL : g_cancellable_new ();
      g_autoptr (GError) error32 = NULL;
      g_autoptr (GError) error64 = NULL;

      g_assert_false (mmio_atomic_u32_wait (a, 0, 0, 20, cancellable, &error32));
      g_assert_error (error32, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
      g_assert_false (mmio_atomic_u64_wait (b, 0, 0, 20, cancellable, &error64));
      g_assert_error (error64, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 4 * 20 * 1000);
}

static void
test_wait_sees_a_change_that_came_before (MmioTestFile *f,
                                          gconstpointer data)
{
  g_autoptr (MmioAtomicU64) a = get_u64 (f->file, 0, 1);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_atomic_u64_wait (a, 0, G_GUINT64_CONSTANT (1) << 32, -1, NULL, &error));
  g_assert_no_error (error);
}

typedef struct
{
  MmioAtomicU64 *atomic;
  GCancellable *cancellable;
  GError *error;
  gboolean result;
  gboolean done;
} Waiter;

static gpointer
wait_for_ever (gpointer data)
{
  Waiter *waiter = data;

  waiter->result = mmio_atomic_u64_wait (waiter->atomic, 0, 0, -1, waiter->cancellable, &waiter->error);
  return NULL;
}

static void
test_cancel_ends_the_wait_and_no_other (MmioTestFile *f,
                                        gconstpointer data)
{
  g_autoptr (MmioAtomicU64) a = get_u64 (f->file, 0, 1);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GCancellable) other = g_cancellable_new ();
  Waiter waiter = { .atomic = a, .cancellable = cancellable };
  Waiter bystander = { .atomic = a, .cancellable = other };
  GThread *thread = g_thread_new ("waiter", wait_for_ever, &waiter);
  GThread *bystanding = g_thread_new ("bystander", wait_for_ever, &bystander);

  g_cancellable_cancel (cancellable);
  g_thread_join (thread);
  g_assert_false (waiter.result);
  g_assert_error (waiter.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&waiter.error);

  mmio_atomic_u64_store (a, 0, 1);
  mmio_atomic_u64_wake (a, 0, G_MAXUINT);
  g_thread_join (bystanding);
  g_assert_true (bystander.result);
  g_assert_no_error (bystander.error);

  g_assert_false (mmio_atomic_u64_wait (a, 0, 1, -1, cancellable, &waiter.error));
  g_assert_error (waiter.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&waiter.error);
}

static void
waited (GObject      *source,
        GAsyncResult *result,
        gpointer      user_data)
{
  Waiter *waiter = user_data;

  waiter->result = mmio_atomic_u64_wait_finish (waiter->atomic, result, &waiter->error);
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
test_wait_async_keeps_the_main_loop_free (MmioTestFile *f,
                                          gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  MmioAtomicU64 *a = get_u64 (f->file, 0, 1);
  Waiter first = { .atomic = a };
  Waiter second = { .atomic = a };

  mmio_atomic_u64_wait_async (a, 0, 0, -1, NULL, waited, &first);
  mmio_atomic_u64_wait_async (a, 0, 0, -1, cancellable, waited, &second);
  g_assert_false (first.done);
  g_cancellable_cancel (cancellable);
  iterate_until (&second.done);
  g_assert_false (second.result);
  g_assert_error (second.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&second.error);

  mmio_atomic_u64_store (a, 0, G_GUINT64_CONSTANT (1) << 32);
  mmio_atomic_u64_wake (a, 0, 1);
  iterate_until (&first.done);
  g_assert_true (first.result);
  g_assert_no_error (first.error);
  mmio_atomic_u64_unref (a);
}

/* Faults */

static int
role_truncate (const char *path)
{
  return truncate (path, 0) == 0 ? 0 : 1;
}

static void
test_truncation_is_an_error_and_heals (MmioTestFile *f,
                                       gconstpointer data)
{
  g_autoptr (MmioAtomicU64) a = get_u64 (f->file, 4096, 1);
  g_autoptr (GError) error = NULL;

  mmio_atomic_u64_store (a, 0, 1);
  other_process_finish (other_process_start ("truncate", f->parent.path, -1));

  /* Not taken for a change to 0. */
  g_assert_false (mmio_atomic_u64_wait (a, 0, 1, -1, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED);
  g_clear_error (&error);
  g_assert_cmpuint (mmio_atomic_u64_add (a, 0, 1), ==, 0);
  g_assert_false (mmio_atomic_u64_check (a, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED);
  g_clear_error (&error);

  g_assert_no_errno (truncate (f->parent.path, 8192));
  g_assert_true (mmio_file_refresh (f->file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_atomic_u64_check (a, &error));
  g_assert_cmpuint (mmio_atomic_u64_add (a, 0, 1), ==, 0);
  g_assert_cmpuint (mmio_file_get_uint64 (f->file, 4096, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, NULL), ==, 1);
}

static void
test_sleeper_notices_a_truncation (MmioTestFile *f,
                                   gconstpointer data)
{
  g_autoptr (MmioAtomicU64) a = get_u64 (f->file, 4096, 1);
  Waiter waiter = { .atomic = a };
  GThread *thread = g_thread_new ("waiter", wait_for_ever, &waiter);

  other_process_finish (other_process_start ("truncate", f->parent.path, -1));
  g_thread_join (thread);
  g_assert_false (waiter.result);
  g_assert_error (waiter.error, MMIO_ERROR, MMIO_ERROR_TRUNCATED);
  g_clear_error (&waiter.error);
}

int
main (int   argc,
      char *argv[])
{
  const OtherProcessRole roles[] = { { "add", role_add }, { "answer", role_answer }, { "truncate", role_truncate } };

  other_process_main (argc, argv, roles, G_N_ELEMENTS (roles));
  g_test_init (&argc, &argv, NULL);

#define TEST(path, func) mmio_test_add_with_file (path, 8192, func)
  TEST ("/atomic/u32/operations-return-the-old-value", test_u32_operations_return_the_old_value);
  TEST ("/atomic/u64/operations-return-the-old-value", test_u64_operations_return_the_old_value);
  TEST ("/atomic/misaligned-is-an-error", test_misaligned_is_an_error);
  TEST ("/atomic/out-of-bounds-is-an-error", test_out_of_bounds_is_an_error);
  g_test_add_func ("/atomic/index-out-of-range-does-nothing", test_index_out_of_range_does_nothing);
  g_test_add_func ("/atomic/change-of-a-read-only-one-does-nothing", test_change_of_a_read_only_one_does_nothing);
  TEST ("/atomic/closed-is-an-error-and-held-ones-stay", test_closed_is_an_error_and_held_ones_stay);
  TEST ("/atomic/counts-as-dirty", test_counts_as_dirty);
  TEST ("/atomic/shrink-below-is-busy-until-released", test_shrink_below_is_busy_until_released);
  TEST ("/atomic/stays-coherent-while-the-file-outgrows-its-reserve",
        test_stays_coherent_while_the_file_outgrows_its_reserve);
  TEST ("/atomic/read-only-loads-and-waits", test_read_only_loads_and_waits);
  TEST ("/atomic/copy-on-write-keeps-changes-to-itself", test_copy_on_write_keeps_changes_to_itself);
  TEST ("/atomic/two-processes-count-exactly", test_two_processes_count_exactly);
  TEST ("/atomic/wait/wake-reaches-another-process", test_wake_reaches_another_process);
  TEST ("/atomic/wait/times-out", test_wait_times_out);
  TEST ("/atomic/wait/sees-a-change-that-came-before", test_wait_sees_a_change_that_came_before);
  TEST ("/atomic/wait/cancel-ends-it-and-no-other", test_cancel_ends_the_wait_and_no_other);
  TEST ("/atomic/wait/async-keeps-the-main-loop-free", test_wait_async_keeps_the_main_loop_free);
  TEST ("/atomic/truncation-is-an-error-and-heals", test_truncation_is_an_error_and_heals);
  TEST ("/atomic/wait/sleeper-notices-a-truncation", test_sleeper_notices_a_truncation);
#undef TEST

  return g_test_run ();
}
