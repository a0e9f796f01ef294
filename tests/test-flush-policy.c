/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flush policies, and what counts as pending.
 */
#include "config.h"

#include "mmio-test.h"

static void
set_policy (MmioFile        *file,
            MmioFlushPolicy  policy,
            guint64          threshold)
{
  g_object_set (file, "flush-threshold", threshold, "flush-policy", policy, NULL);
}

static void
write_bytes (MmioFile *file,
             guint64   offset,
             gsize     length)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_malloc0 (length);

  g_assert_true (mmio_file_write (file, offset, data, length, &error));
  g_assert_no_error (error);
}

static void
test_manual (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 100000);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  write_bytes (file, 0, 100);
  write_bytes (file, 50, 100);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 150);
  write_bytes (file, 50000, 10);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 160);

  g_assert_true (mmio_file_flush_range (file, 100, 40000, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 110);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_no_error (error);
}

static void
test_pending_of_writable_view (MmioTest      *test,
                               gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000);
  g_autoptr (GError) error = NULL;
  MmioView *view = mmio_file_get_writable_view (file, 100, 50, &error);

  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 50);
  /* It may be stored to again at any time. */
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 50);
  mmio_view_unref (view);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 50);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_no_error (error);
}

static void
test_many_ranges (MmioTest      *test,
                  gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000 * 1000);
  guint64 written = 0;

  for (guint64 i = 0; i < 1000; i++)
    {
      write_bytes (file, i * 997, 10);
      written += 10;
      g_assert_cmpuint (mmio_file_get_pending_bytes (file), >=, written);
    }
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), <=, 1000 * 1000);
}

static void
test_always (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_pattern (test->path, 1000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "flush-policy",
                         MMIO_FLUSH_POLICY_ALWAYS, NULL);
  g_assert_no_error (error);

  write_bytes (file, 0, 100);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_fill (file, 0, 100, 1, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_move (file, 100, 0, 100, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_set_uint32 (file, 0, 1, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  mmio_view_unref (mmio_file_get_writable_view (file, 0, 100, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_no_error (error);
}

static void
test_every_bytes (MmioTest      *test,
                  gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_BYTES, 100);
  write_bytes (file, 0, 99);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 99);
  write_bytes (file, 5000, 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  write_bytes (file, 0, 99);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 99);
}

static void
test_every_writes (MmioTest      *test,
                   gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_WRITES, 3);
  write_bytes (file, 0, 1);
  write_bytes (file, 1, 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 2);
  write_bytes (file, 2, 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static gboolean
is_flushed (gpointer data)
{
  return mmio_file_get_pending_bytes (data) == 0;
}

static void
test_every_millis (MmioTest      *test,
                   gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);
  gint64 end = g_get_monotonic_time () + MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
  gpointer weak = file;

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_MILLIS, 5);
  for (guint i = 0; i < 3; i++)
    {
      write_bytes (file, 0, 100);
      /* No main loop runs. */
      while (!is_flushed (file))
        {
          g_assert_cmpint (g_get_monotonic_time (), <, end);
          g_thread_yield ();
        }
    }

  /* The timer holds no reference: but for a flush under way the object goes with its last one. */
  g_object_add_weak_pointer (G_OBJECT (file), &weak);
  g_clear_object (&file);
  while (g_atomic_pointer_get (&weak) != NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_thread_yield ();
    }
}

static void
test_close_flushes (MmioTest      *test,
                    gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 100);
  g_autoptr (GError) error = NULL;

  write_bytes (file, 0, 100);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static void
test_start_writeback (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000);
  g_autoptr (GError) error = NULL;

  write_bytes (file, 0, 100);
  g_assert_true (mmio_file_start_writeback (file, 0, 1000, &error));
  g_assert_true (mmio_file_start_writeback (file, 1000, 0, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 100);
  g_assert_false (mmio_file_start_writeback (file, 1, 1000, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 1", "length 1000", "size 1000", NULL);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/flush/manual/pending-is-what-was-written", NULL, test_manual);
  mmio_test_add ("/flush/pending/writable-view-counts-while-it-lives", NULL, test_pending_of_writable_view);
  mmio_test_add ("/flush/pending/never-less-than-what-was-written", NULL, test_many_ranges);
  mmio_test_add ("/flush/policy/always", NULL, test_always);
  mmio_test_add ("/flush/policy/every-bytes", NULL, test_every_bytes);
  mmio_test_add ("/flush/policy/every-writes", NULL, test_every_writes);
  mmio_test_add ("/flush/policy/every-millis-needs-no-loop-and-ends-with-the-object", NULL, test_every_millis);
  mmio_test_add ("/flush/close-flushes", NULL, test_close_flushes);
  mmio_test_add ("/flush/start-writeback-makes-nothing-durable", NULL, test_start_writeback);

  return g_test_run ();
}
