/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every function that takes a range of the file, called with every kind of range that isn't one, on a closed file, and in the
 * wrong mode. A new function belongs into the table.
 */
#include "config.h"

#include "mmio-test.h"

#include <string.h>

#define SIZE 10000

typedef enum
{
  WRITES = 1 << 0,              /* not for a read-only file */
  FLUSHES = 1 << 1,             /* not for a copy-on-write mapping */
  HAS_OTHER_NUMBERS = 1 << 2,   /* its message is about another range than that of the call */
  MAY_BE_UNSUPPORTED = 1 << 3,  /* by the system, or by a limit */
  TAKES_A_SIZE = 1 << 4,        /* its length is a gsize, which may be narrower than that of the call */
} CallFlags;

/* length is what it is called with where the function has none of its own. */
typedef struct
{
  const char *name;
  gboolean (*call) (MmioFile *file,
                    guint64   offset,
                    guint64   length,
                    GError  **error);
  guint64 length;               /* that of the function, where it has one */
  CallFlags flags;
} Call;

/* A length that is a lie: whoever looks at so many bytes before the bounds check dies. */
static guint8 buffer[SIZE];

static gboolean
call_read (MmioFile *file,
           guint64   offset,
           guint64   length,
           GError  **error)
{
  return mmio_file_read (file, offset, buffer, length, error);
}

static gboolean
free_bytes (GBytes *bytes)
{
  if (bytes == NULL)
    return FALSE;
  g_bytes_unref (bytes);
  return TRUE;
}

static gboolean
free_view (MmioView *view)
{
  if (view == NULL)
    return FALSE;
  mmio_view_unref (view);
  return TRUE;
}

static gboolean
call_read_bytes (MmioFile *file,
                 guint64   offset,
                 guint64   length,
                 GError  **error)
{
  return free_bytes (mmio_file_read_bytes (file, offset, length, error));
}

static gboolean
call_write (MmioFile *file,
            guint64   offset,
            guint64   length,
            GError  **error)
{
  return mmio_file_write (file, offset, buffer, length, error);
}

static gboolean
call_write_bytes (MmioFile *file,
                  guint64   offset,
                  guint64   length,
                  GError  **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (buffer, length);

  return mmio_file_write_bytes (file, offset, bytes, error);
}

static gboolean
call_fill (MmioFile *file,
           guint64   offset,
           guint64   length,
           GError  **error)
{
  return mmio_file_fill (file, offset, length, 'x', error);
}

static gboolean
call_move_to (MmioFile *file,
              guint64   offset,
              guint64   length,
              GError  **error)
{
  return mmio_file_move (file, offset, 0, length, error);
}

static gboolean
call_move_from (MmioFile *file,
                guint64   offset,
                guint64   length,
                GError  **error)
{
  return mmio_file_move (file, 0, offset, length, error);
}

static gboolean
call_find (MmioFile *file,
           guint64   offset,
           guint64   length,
           GError  **error)
{
  return mmio_file_find (file, "", 0, offset, offset + length, error) >= 0;
}

static gboolean
call_find_last (MmioFile *file,
                guint64   offset,
                guint64   length,
                GError  **error)
{
  return mmio_file_find_last (file, "", 0, offset, offset + length, error) >= 0;
}

static gboolean
call_peek (MmioFile *file,
           guint64   offset,
           guint64   length,
           GError  **error)
{
  return mmio_file_peek (file, offset, length, error) != NULL;
}

static gboolean
call_get_bytes (MmioFile *file,
                guint64   offset,
                guint64   length,
                GError  **error)
{
  return free_bytes (mmio_file_get_bytes (file, offset, length, error));
}

static gboolean
call_get_view (MmioFile *file,
               guint64   offset,
               guint64   length,
               GError  **error)
{
  return free_view (mmio_file_get_view (file, offset, length, error));
}

static gboolean
call_get_writable_view (MmioFile *file,
                        guint64   offset,
                        guint64   length,
                        GError  **error)
{
  return free_view (mmio_file_get_writable_view (file, offset, length, error));
}

static gboolean
call_flush_range (MmioFile *file,
                  guint64   offset,
                  guint64   length,
                  GError  **error)
{
  return mmio_file_flush_range (file, offset, length, error);
}

static gboolean
call_start_writeback (MmioFile *file,
                      guint64   offset,
                      guint64   length,
                      GError  **error)
{
  return mmio_file_start_writeback (file, offset, length, error);
}

static gboolean
call_advise (MmioFile *file,
             guint64   offset,
             guint64   length,
             GError  **error)
{
  return mmio_file_advise (file, offset, length, MMIO_ADVICE_WILL_NEED, error);
}

static gboolean
call_prefetch (MmioFile *file,
               guint64   offset,
               guint64   length,
               GError  **error)
{
  return mmio_file_prefetch (file, offset, length, error);
}

static gboolean
call_touch (MmioFile *file,
            guint64   offset,
            guint64   length,
            GError  **error)
{
  return mmio_file_touch (file, offset, length, error);
}

static gboolean
call_evict (MmioFile *file,
            guint64   offset,
            guint64   length,
            GError  **error)
{
  return mmio_file_evict (file, offset, length, error);
}

static gboolean
call_lock_memory (MmioFile *file,
                  guint64   offset,
                  guint64   length,
                  GError  **error)
{
  return mmio_file_lock_memory (file, offset, length, error);
}

static gboolean
call_unlock_memory (MmioFile *file,
                    guint64   offset,
                    guint64   length,
                    GError  **error)
{
  return mmio_file_unlock_memory (file, offset, length, error);
}

static gboolean
call_get_resident_bytes (MmioFile *file,
                         guint64   offset,
                         guint64   length,
                         GError  **error)
{
  guint64 n;

  return mmio_file_get_resident_bytes (file, offset, length, &n, error);
}

/* What only says by the error that there was one. */
static gboolean
propagate (GError **error,
           GError  *local_error)
{
  if (local_error == NULL)
    return TRUE;
  g_propagate_error (error, local_error);
  return FALSE;
}

#define DEFINE_NUMBER(name, ...) \
  static gboolean \
  call_get_##name (MmioFile *file, guint64 offset, guint64 length G_GNUC_UNUSED, GError **error) \
  { \
    GError *local_error = NULL; \
\
    mmio_file_get_##name (file, offset, ##__VA_ARGS__, &local_error); \
    return propagate (error, local_error); \
  } \
\
  static gboolean \
  call_set_##name (MmioFile *file, guint64 offset, guint64 length G_GNUC_UNUSED, GError **error) \
  { \
    return mmio_file_set_##name (file, offset, 0, ##__VA_ARGS__, error); \
  }

DEFINE_NUMBER (uint8)
DEFINE_NUMBER (int8)
DEFINE_NUMBER (uint16, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN)
DEFINE_NUMBER (int16, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN)
DEFINE_NUMBER (uint32, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN)
DEFINE_NUMBER (int32, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN)
DEFINE_NUMBER (uint64, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN)
DEFINE_NUMBER (int64, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN)
DEFINE_NUMBER (float, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN)
DEFINE_NUMBER (double, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN)

/* The asynchronous twins, waited for. */

static void
keep_result (GObject      *object G_GNUC_UNUSED,
             GAsyncResult *result,
             gpointer      data)
{
  *(GAsyncResult **) data = g_object_ref (result);
}

static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

#define DEFINE_ASYNC(name, finish, ...) \
  static gboolean \
  call_##name##_async (MmioFile *file, guint64 offset, guint64 length, GError **error) \
  { \
    g_autoptr (GBytes) bytes = g_bytes_new_static (buffer, length); \
    g_autoptr (GAsyncResult) result = NULL; \
\
    (void) bytes; \
    mmio_file_##name##_async (file, __VA_ARGS__, NULL, keep_result, &result); \
    mmio_test_wait_until (NULL, has_result, &result); \
    return finish (mmio_file_##name##_finish (file, result, error)); \
  }

static gboolean
is_true (gboolean value)
{
  return value;
}

static gboolean
is_found (gint64 value)
{
  return value >= 0;
}

DEFINE_ASYNC (read, free_bytes, offset, length)
DEFINE_ASYNC (write, is_true, offset, bytes)
DEFINE_ASYNC (flush_range, is_true, offset, length)
DEFINE_ASYNC (prefetch, is_true, offset, length)
DEFINE_ASYNC (fill, is_true, offset, length, 'x')
DEFINE_ASYNC (move, is_true, 0, offset, length)
DEFINE_ASYNC (lock_memory, is_true, offset, length)

static gboolean
call_find_async (MmioFile *file,
                 guint64   offset,
                 guint64   length,
                 GError  **error)
{
  g_autoptr (GBytes) pattern = g_bytes_new_static ("", 0);
  g_autoptr (GAsyncResult) result = NULL;

  mmio_file_find_async (file, pattern, offset, offset + length, TRUE, NULL, keep_result, &result);
  mmio_test_wait_until (NULL, has_result, &result);
  return is_found (mmio_file_find_finish (file, result, error));
}

#define NUMBER(name, length) \
  { "get-" #name, call_get_##name, length, 0 }, { "set-" #name, call_set_##name, length, WRITES }

static const Call calls[] = {
  { "read", call_read, 0, TAKES_A_SIZE },
  { "read-bytes", call_read_bytes, 0, TAKES_A_SIZE },
  { "write", call_write, 0, WRITES | TAKES_A_SIZE },
  { "write-bytes", call_write_bytes, 0, WRITES | TAKES_A_SIZE },
  { "fill", call_fill, 0, WRITES },
  { "move-to", call_move_to, 0, WRITES | HAS_OTHER_NUMBERS },
  { "move-from", call_move_from, 0, WRITES },
  { "find", call_find, 0, HAS_OTHER_NUMBERS },
  { "find-last", call_find_last, 0, HAS_OTHER_NUMBERS },
  { "peek", call_peek, 0, TAKES_A_SIZE },
  { "get-bytes", call_get_bytes, 0, TAKES_A_SIZE },
  { "get-view", call_get_view, 0, TAKES_A_SIZE },
  { "get-writable-view", call_get_writable_view, 0, WRITES | TAKES_A_SIZE },
  { "flush-range", call_flush_range, 0, FLUSHES },
  { "start-writeback", call_start_writeback, 0, 0 },
  { "advise", call_advise, 0, MAY_BE_UNSUPPORTED },
  { "prefetch", call_prefetch, 0, MAY_BE_UNSUPPORTED },
  { "touch", call_touch, 0, 0 },
  { "evict", call_evict, 0, MAY_BE_UNSUPPORTED },
  { "lock-memory", call_lock_memory, 0, MAY_BE_UNSUPPORTED },
  { "unlock-memory", call_unlock_memory, 0, MAY_BE_UNSUPPORTED },
  { "get-resident-bytes", call_get_resident_bytes, 0, MAY_BE_UNSUPPORTED },
  NUMBER (uint8, 1),
  NUMBER (int8, 1),
  NUMBER (uint16, 2),
  NUMBER (int16, 2),
  NUMBER (uint32, 4),
  NUMBER (int32, 4),
  NUMBER (uint64, 8),
  NUMBER (int64, 8),
  NUMBER (float, 4),
  NUMBER (double, 8),
  { "read-async", call_read_async, 0, TAKES_A_SIZE },
  { "write-async", call_write_async, 0, WRITES | TAKES_A_SIZE },
  { "find-async", call_find_async, 0, HAS_OTHER_NUMBERS },
  { "flush-range-async", call_flush_range_async, 0, FLUSHES },
  { "prefetch-async", call_prefetch_async, 0, MAY_BE_UNSUPPORTED },
  { "fill-async", call_fill_async, 0, WRITES },
  { "move-async", call_move_async, 0, WRITES },
  { "lock-memory-async", call_lock_memory_async, 0, MAY_BE_UNSUPPORTED },
};

typedef struct
{
  guint64 offset;
  guint64 length;
} Range;

static const Range past_the_end[] = {
  { SIZE, 1 }, { SIZE + 1, 0 }, { SIZE + 1, 1 }, { 0, SIZE + 1 }, { SIZE - 1, 2 }, { 1, SIZE },
  { (guint64) 1 << 31, 1 }, { (guint64) 1 << 32, 1 }, { (guint64) 1 << 40, 1 }, { 0, (guint64) 1 << 32 },
  { (guint64) 1 << 62, (guint64) 1 << 62 },
};

static const Range wrapping[] = {
  { G_MAXUINT64, 1 }, { G_MAXUINT64, 2 }, { G_MAXUINT64, SIZE + 1 }, { G_MAXUINT64, G_MAXUINT64 }, { G_MAXUINT64 - 10, 20 },
  { 1, G_MAXUINT64 }, { 10, G_MAXUINT64 - 5 }, { SIZE, G_MAXUINT64 }, { SIZE, G_MAXUINT64 - SIZE + 1 },
  { (guint64) 1 << 63, (guint64) 1 << 63 }, { G_MAXUINT64 - SIZE + 1, SIZE }, { SIZE + 1, G_MAXUINT64 - SIZE },
  { 0, G_MAXUINT64 }, { 0, G_MAXUINT64 - 1 }, { (guint64) 1 << 63, 1 }, { 0, (guint64) 1 << 63 }, { G_MAXUINT64, 0 },
  { (guint64) G_MAXINT64 - 1, 2 }, { 100, G_MAXINT64 },
};

static gboolean
is_inside (guint64 offset,
           guint64 length)
{
  return offset <= SIZE && length <= SIZE - offset;
}

static MmioFile *
open_pattern (MmioTest *t,
              MmioMode  mode)
{
  mmio_test_write_pattern (t->path, SIZE);
  return mmio_test_open (t->path, mode);
}

static void
assert_untouched (MmioTest *t,
                  MmioFile *file)
{
  guint8 expected[SIZE];

  for (guint i = 0; i < SIZE; i++)
    expected[i] = (guint8) (i % 251);
  mmio_test_assert_file (t->path, expected, SIZE);
  if (!mmio_file_is_closed (file))
    {
      g_assert_cmpuint (mmio_file_get_size (file), ==, SIZE);
      mmio_test_assert_read (file, 0, expected, SIZE);
    }
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static void
assert_out_of_bounds (const Call  *call,
                      MmioFile    *file,
                      const Range *ranges,
                      guint        n)
{
  for (guint i = 0; i < n; i++)
    {
      guint64 offset = ranges[i].offset;
      guint64 length = call->length > 0 ? call->length : ranges[i].length;
      g_autofree char *offset_text = g_strdup_printf ("offset %" G_GUINT64_FORMAT, offset);
      g_autofree char *length_text = g_strdup_printf ("length %" G_GUINT64_FORMAT, length);
      g_autoptr (GError) error = NULL;

      if (is_inside (offset, length))
        continue;
      if ((call->flags & TAKES_A_SIZE) != 0 && length != (gsize) length)
        continue;
      /* To find it is the end of the file. */
      if ((call->flags & HAS_OTHER_NUMBERS) != 0 && offset + length == G_MAXUINT64)
        continue;

      g_test_message ("%s (%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT ")", call->name, offset, length);
      g_assert_false (call->call (file, offset, length, &error));
      if ((call->flags & HAS_OTHER_NUMBERS) != 0)
        mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, mmio_file_get_path (file), "size 10000", NULL);
      else
        mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, mmio_file_get_path (file), offset_text, length_text, "size 10000",
                                     NULL);
      g_assert_false (call->call (file, offset, length, NULL));
    }
}

static void
test_past_the_end (MmioTest     *t,
                   gconstpointer data)
{
  const Call *call = data;
  g_autoptr (MmioFile) file = open_pattern (t, MMIO_MODE_READ_WRITE);

  assert_out_of_bounds (call, file, past_the_end, G_N_ELEMENTS (past_the_end));
  assert_untouched (t, file);
}

static void
test_wrapping (MmioTest     *t,
               gconstpointer data)
{
  const Call *call = data;
  g_autoptr (MmioFile) file = open_pattern (t, MMIO_MODE_READ_WRITE);

  assert_out_of_bounds (call, file, wrapping, G_N_ELEMENTS (wrapping));
  assert_untouched (t, file);
}

static void
assert_fails (const Call *call,
              MmioFile   *file,
              guint64     offset,
              guint64     length,
              MmioError   code)
{
  g_autoptr (GError) error = NULL;

  if (call->length > 0)
    length = call->length;
  g_assert_false (call->call (file, offset, length, &error));
  mmio_test_assert_error (&error, MMIO_ERROR, (gint) code, mmio_file_get_path (file), NULL);
  g_assert_false (call->call (file, offset, length, NULL));
}

static void
test_closed (MmioTest     *t,
             gconstpointer data)
{
  const Call *call = data;
  const MmioMode modes[] = { MMIO_MODE_READ_WRITE, MMIO_MODE_COPY_ON_WRITE, MMIO_MODE_READ_ONLY };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (MmioFile) file = open_pattern (t, modes[i]);

      g_assert_true (mmio_file_close (file, NULL));
      /* A read-only file is no place to write to, open or closed. */
      if (modes[i] == MMIO_MODE_READ_ONLY && (call->flags & WRITES) != 0)
        continue;
      assert_fails (call, file, 0, 0, MMIO_ERROR_CLOSED);
      assert_fails (call, file, 0, 1, MMIO_ERROR_CLOSED);
      assert_fails (call, file, SIZE, 0, MMIO_ERROR_CLOSED);
      assert_fails (call, file, SIZE, 1, MMIO_ERROR_CLOSED);
      assert_fails (call, file, G_MAXUINT64, G_MAXUINT64, MMIO_ERROR_CLOSED);
      assert_fails (call, file, 0, G_MAXUINT64, MMIO_ERROR_CLOSED);
      assert_untouched (t, file);
    }
}

static void
test_wrong_mode (MmioTest     *t,
                 gconstpointer data)
{
  const Call *call = data;
  MmioMode mode = (call->flags & WRITES) != 0 ? MMIO_MODE_READ_ONLY : MMIO_MODE_COPY_ON_WRITE;
  g_autoptr (MmioFile) file = open_pattern (t, mode);

  assert_fails (call, file, 0, 0, MMIO_ERROR_WRONG_MODE);
  assert_fails (call, file, 0, 1, MMIO_ERROR_WRONG_MODE);
  assert_fails (call, file, 5000, 100, MMIO_ERROR_WRONG_MODE);
  if (call->length == 0)
    {
      assert_fails (call, file, 0, SIZE, MMIO_ERROR_WRONG_MODE);
      assert_fails (call, file, SIZE, 0, MMIO_ERROR_WRONG_MODE);
    }
  assert_untouched (t, file);
}

/* The same calls with ranges that are in order, to the very edges. */
static void
test_inside (MmioTest     *t,
             gconstpointer data)
{
  const Call *call = data;
  const Range ranges[] = { { 0, 0 }, { 0, 1 }, { 5000, 0 }, { 4095, 2 }, { SIZE, 0 }, { SIZE - 1, 1 }, { 0, SIZE } };
  const MmioMode modes[] = { MMIO_MODE_READ_ONLY, MMIO_MODE_READ_WRITE, MMIO_MODE_COPY_ON_WRITE };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_autoptr (MmioFile) file = open_pattern (t, modes[i]);
      guint n = 0;

      if ((modes[i] == MMIO_MODE_READ_ONLY && (call->flags & WRITES) != 0) ||
          (modes[i] == MMIO_MODE_COPY_ON_WRITE && (call->flags & FLUSHES) != 0))
        continue;
      for (guint k = 0; k < G_N_ELEMENTS (ranges); k++)
        {
          guint64 offset = call->length > 0 && ranges[k].offset > 5000 ? SIZE - call->length : ranges[k].offset;
          g_autoptr (GError) error = NULL;

          g_test_message ("%s (%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT ")", call->name, offset, ranges[k].length);
          if (call->call (file, offset, ranges[k].length, &error))
            n++;
          else if ((call->flags & MAY_BE_UNSUPPORTED) == 0 || error->code == MMIO_ERROR_OUT_OF_BOUNDS)
            g_assert_no_error (error);
        }
      g_assert_true (n == G_N_ELEMENTS (ranges) || (call->flags & MAY_BE_UNSUPPORTED) != 0);
    }
}

static void
test_empty_file (MmioTest     *t,
                 gconstpointer data)
{
  const Call *call = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "", 0);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  assert_fails (call, file, 0, 1, MMIO_ERROR_OUT_OF_BOUNDS);
  assert_fails (call, file, 1, 0, MMIO_ERROR_OUT_OF_BOUNDS);
  if (call->length == 0 && !call->call (file, 0, 0, &error) &&
      ((call->flags & MAY_BE_UNSUPPORTED) == 0 || error->code == MMIO_ERROR_OUT_OF_BOUNDS))
    g_assert_no_error (error);
}

/* What takes no range. */

static void
test_size_in_wrong_mode (MmioTest     *t,
                         gconstpointer data G_GNUC_UNUSED)
{
  const MmioMode modes[] = { MMIO_MODE_READ_ONLY, MMIO_MODE_COPY_ON_WRITE };
  const guint64 sizes[] = { 0, SIZE, SIZE + 1, G_MAXUINT64 };

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    for (guint k = 0; k < G_N_ELEMENTS (sizes); k++)
      {
        g_autoptr (MmioFile) file = open_pattern (t, modes[i]);
        g_autoptr (GError) error = NULL;

        g_assert_false (mmio_file_resize (file, sizes[k], &error));
        mmio_test_assert_mmio_error (&error, WRONG_MODE, t->path, NULL);
        assert_untouched (t, file);
      }
}

static void
test_size_that_cannot_be (MmioTest     *t,
                          gconstpointer data G_GNUC_UNUSED)
{
  const guint64 sizes[] = { G_MAXUINT64, (guint64) G_MAXINT64 + 1, G_MAXINT64, G_MAXINT64 - 4095, (guint64) 1 << 60 };
  g_autoptr (MmioFile) file = open_pattern (t, MMIO_MODE_READ_WRITE);

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, sizes[i]);
      g_autoptr (GError) error = NULL;

      g_assert_false (mmio_file_resize (file, sizes[i], &error));
      mmio_test_assert_mmio_error (&error, RESIZE_FAILED, t->path, number, NULL);
      g_assert_false (mmio_file_resize (file, sizes[i], NULL));
      assert_untouched (t, file);
    }
}

static void
test_flush_in_wrong_mode (MmioTest     *t,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = open_pattern (t, MMIO_MODE_COPY_ON_WRITE);
  g_autoptr (MmioFile) read_only = open_pattern (t, MMIO_MODE_READ_ONLY);
  g_autoptr (GError) error = NULL;

  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, WRONG_MODE, t->path, NULL);
  g_assert_true (mmio_file_flush (read_only, &error));
  g_assert_no_error (error);
}

static void
test_closed_without_a_range (MmioTest     *t,
                             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = open_pattern (t, MMIO_MODE_READ_WRITE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  MmioChunkIter iter;

  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_false (mmio_file_resize (file, 1, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_false (mmio_file_refresh (file, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_false (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_false (mmio_chunk_iter_init (&iter, file, 0, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_null (mmio_file_chunks (file, 0, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, t->path, NULL);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_cmpuint (mmio_file_get_huge_page_bytes (file), ==, 0);
  mmio_file_unwatch (file);
  assert_untouched (t, file);
}

static void
test_sub_views (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  const Range ranges[] = { { 101, 0 }, { 100, 1 }, { 0, 101 }, { G_MAXUINT64, 1 }, { 1, G_MAXUINT64 }, { G_MAXUINT64, G_MAXUINT64 },
                           { G_MAXUINT64 - 49, 50 }, { 50, G_MAXUINT64 - 49 } };
  g_autoptr (MmioFile) file = open_pattern (t, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioView) view = mmio_file_get_view (file, 5000, 100, &error);

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      g_autofree char *offset_text = g_strdup_printf ("offset %" G_GUINT64_FORMAT, ranges[i].offset);
      gsize length = (gsize) ranges[i].length;
      g_autofree char *length_text = g_strdup_printf ("length %" G_GSIZE_FORMAT, length);

      g_assert_null (mmio_view_sub (view, ranges[i].offset, length, &error));
      mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, t->path, offset_text, length_text, "size 100", NULL);
      g_assert_null (mmio_view_sub (view, ranges[i].offset, length, NULL));
    }
  g_assert_true (free_view (mmio_view_sub (view, 0, 100, &error)));
  g_assert_true (free_view (mmio_view_sub (view, 100, 0, &error)));
  mmio_view_release (view);
  g_assert_null (mmio_view_sub (view, 0, 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "size 0", NULL);
}

static void
add (const char *promise,
     const Call *call,
     void      (*func) (MmioTest     *t,
                        gconstpointer data))
{
  g_autofree char *name = g_strdup_printf ("/file/%s/%s", call->name, promise);

  mmio_test_add (name, call, func);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    {
      const Call *call = &calls[i];

      add ("a-range-inside-works", call, test_inside);
      add ("past-the-end-is-an-error", call, test_past_the_end);
      add ("a-range-that-wraps-is-an-error", call, test_wrapping);
      add ("on-a-closed-file-is-an-error", call, test_closed);
      add ("on-an-empty-file-is-an-error-but-for-nothing", call, test_empty_file);
      if ((call->flags & (WRITES | FLUSHES)) != 0)
        add ("in-the-wrong-mode-is-an-error", call, test_wrong_mode);
    }
  mmio_test_add ("/file/resize/in-the-wrong-mode-is-an-error", NULL, test_size_in_wrong_mode);
  mmio_test_add ("/file/resize/to-a-size-that-cannot-be-changes-nothing", NULL, test_size_that_cannot_be);
  mmio_test_add ("/file/flush/in-the-wrong-mode-is-an-error", NULL, test_flush_in_wrong_mode);
  mmio_test_add ("/file/close/whatever-comes-after-is-an-error", NULL, test_closed_without_a_range);
  mmio_test_add ("/view/sub/past-the-end-or-wrapping-is-an-error", NULL, test_sub_views);

  return g_test_run ();
}
