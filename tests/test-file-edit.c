/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers, filling, moving, finding, chunks.
 */
#include "config.h"

#include "mmio-test.h"

#include <float.h>

static void
test_numbers (MmioTest      *test,
              gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 64);
  g_autoptr (GError) error = NULL;
  const GDataStreamByteOrder orders[] = { G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN,
                                          G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN };

  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      /* At an odd offset: no alignment is asked for. */
      const guint64 offset = 3 + i;

#define ROUND_TRIP(type, value, compare)                                                                                          \
  G_STMT_START                                                                                                                    \
    {                                                                                                                             \
      g_assert_true (mmio_file_set_##type (file, offset, (value), orders[i], &error));                                           \
      g_assert_no_error (error);                                                                                                  \
      compare (mmio_file_get_##type (file, offset, orders[i], &error), ==, (value));                                             \
      g_assert_no_error (error);                                                                                                  \
    }                                                                                                                             \
  G_STMT_END

      ROUND_TRIP (uint16, G_MAXUINT16 - 1, g_assert_cmpuint);
      ROUND_TRIP (int16, G_MININT16 + 1, g_assert_cmpint);
      ROUND_TRIP (uint32, G_MAXUINT32 - 1, g_assert_cmpuint);
      ROUND_TRIP (int32, G_MININT32 + 1, g_assert_cmpint);
      ROUND_TRIP (uint64, G_MAXUINT64 - 1, g_assert_cmpuint);
      ROUND_TRIP (int64, G_MININT64 + 1, g_assert_cmpint);
#undef ROUND_TRIP

      g_assert_true (mmio_file_set_float (file, offset, -1.5f, orders[i], &error));
      g_assert_cmpfloat_with_epsilon (mmio_file_get_float (file, offset, orders[i], &error), -1.5f, FLT_EPSILON);
      g_assert_true (mmio_file_set_double (file, offset, G_PI, orders[i], &error));
      g_assert_cmpfloat_with_epsilon (mmio_file_get_double (file, offset, orders[i], &error), G_PI, DBL_EPSILON);
      g_assert_no_error (error);
    }

  g_assert_true (mmio_file_set_uint8 (file, 63, 200, &error));
  g_assert_cmpuint (mmio_file_get_uint8 (file, 63, &error), ==, 200);
  g_assert_cmpint (mmio_file_get_int8 (file, 63, &error), ==, -56);
  g_assert_true (mmio_file_set_int8 (file, 62, -1, &error));
  g_assert_cmpuint (mmio_file_get_uint8 (file, 62, &error), ==, 255);
  g_assert_no_error (error);
}

static void
test_byte_order (MmioTest      *test,
                 gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 8);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_set_uint32 (file, 0, 0x01020304, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, &error));
  mmio_test_assert_read (file, 0, "\1\2\3\4", 4);
  g_assert_true (mmio_file_set_uint32 (file, 0, 0x01020304, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN, &error));
  mmio_test_assert_read (file, 0, "\4\3\2\1", 4);
  g_assert_true (mmio_file_set_double (file, 0, 1.0, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, &error));
  mmio_test_assert_read (file, 0, "\x3f\xf0\0\0\0\0\0\0", 8);
  g_assert_no_error (error);
}

static void
test_numbers_are_bounds_checked (MmioTest      *test,
                                 gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 8);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (mmio_file_get_uint64 (file, 1, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, &error), ==, 0);
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 1", "length 8", "size 8", NULL);
  g_assert_false (mmio_file_set_uint16 (file, G_MAXUINT64, 1, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "size 8", NULL);
}

static void
test_fill (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_fill (file, 2, 5, 'x', &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 0, "\0\0xxxxx\0\0\0", 10);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 5);

  g_assert_true (mmio_file_fill (file, 10, 0, 'y', &error));
  g_assert_false (mmio_file_fill (file, 6, 5, 'y', &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 6", "length 5", "size 10", NULL);
  mmio_test_assert_read (file, 0, "\0\0xxxxx\0\0\0", 10);
}

static void
test_move (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (file, 0, "0123456789", 10, &error));
  /* Overlapping, in both directions. */
  g_assert_true (mmio_file_move (file, 2, 0, 6, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 0, "0101234589", 10);
  g_assert_true (mmio_file_move (file, 0, 2, 8, &error));
  mmio_test_assert_read (file, 0, "0123458989", 10);

  g_assert_false (mmio_file_move (file, 0, 5, 6, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 5", "length 6", "size 10", NULL);
  g_assert_false (mmio_file_move (file, 5, 0, 6, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 5", "length 6", "size 10", NULL);
  mmio_test_assert_read (file, 0, "0123458989", 10);
}

static void
test_find (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 20);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (file, 0, "abcabcabc-----------", 20, &error));
  g_assert_cmpint (mmio_file_find (file, "abc", 3, 0, G_MAXUINT64, &error), ==, 0);
  g_assert_cmpint (mmio_file_find (file, "abc", 3, 1, G_MAXUINT64, &error), ==, 3);
  g_assert_cmpint (mmio_file_find (file, "abc", 3, 1, 5, &error), ==, -1);
  g_assert_no_error (error);
  g_assert_cmpint (mmio_file_find (file, "abc", 3, 1, 6, &error), ==, 3);
  g_assert_cmpint (mmio_file_find_last (file, "abc", 3, 0, G_MAXUINT64, &error), ==, 6);
  g_assert_cmpint (mmio_file_find_last (file, "abc", 3, 0, 8, &error), ==, 3);
  g_assert_cmpint (mmio_file_find_last (file, "-", 1, 0, G_MAXUINT64, &error), ==, 19);
  g_assert_cmpint (mmio_file_find_last (file, "x", 1, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_cmpint (mmio_file_find (file, NULL, 0, 4, G_MAXUINT64, &error), ==, 4);
  g_assert_cmpint (mmio_file_find_last (file, NULL, 0, 4, G_MAXUINT64, &error), ==, 20);
  g_assert_cmpint (mmio_file_find (file, "a", 1, 20, G_MAXUINT64, &error), ==, -1);
  g_assert_no_error (error);

  g_assert_cmpint (mmio_file_find (file, "a", 1, 21, G_MAXUINT64, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 21", "size 20", NULL);
  g_assert_cmpint (mmio_file_find (file, "a", 1, 0, 21, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "length 21", "size 20", NULL);
  g_assert_cmpint (mmio_file_find (file, "a", 1, 5, 4, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 5", NULL);
}

/* A match may lie over the seam between two of the pieces in which a large file is searched. */
static void
test_find_over_seams (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  const gsize piece = (gsize) 8 << 20;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 3 * piece);
  g_autoptr (GError) error = NULL;

  for (gsize shift = 0; shift <= 8; shift++)
    {
      guint64 at = 2 * piece - shift;

      g_assert_true (mmio_file_write (file, at, "needle!!", 8, &error));
      g_assert_cmpint (mmio_file_find (file, "needle!!", 8, 0, G_MAXUINT64, &error), ==, at);
      g_assert_true (mmio_file_fill (file, at, 8, 0, &error));

      at = piece - shift;
      g_assert_true (mmio_file_write (file, at, "needle!!", 8, &error));
      g_assert_cmpint (mmio_file_find_last (file, "needle!!", 8, 0, G_MAXUINT64, &error), ==, at);
      g_assert_true (mmio_file_fill (file, at, 8, 0, &error));
    }
  g_assert_no_error (error);
}

typedef struct
{
  MmioFile *file;
  gint is_done;                 /* atomic */
} Resizer;

static gpointer
resize_often (gpointer data)
{
  Resizer *self = data;

  /* It can't shrink where the search has it. */
  for (guint i = 0; i < 40000; i++)
    g_assert_true (mmio_file_resize (self->file, i % 2 == 0 ? 100 : 200, NULL) || i % 2 == 0);
  g_atomic_int_set (&self->is_done, TRUE);
  return NULL;
}

/* The end of the file is where it is at the moment of looking: no error, wherever that is. */
static void
test_find_beside_a_resize (MmioTest      *test,
                           gconstpointer  data G_GNUC_UNUSED)
{
  Resizer resizer = { mmio_test_create (test->path, 200), FALSE };
  g_autoptr (MmioFile) file = resizer.file;
  g_autoptr (GError) error = NULL;
  GThread *thread = g_thread_new ("resizer", resize_often, &resizer);

  while (!g_atomic_int_get (&resizer.is_done))
    {
      g_assert_cmpint (mmio_file_find (file, "not there", 9, 0, G_MAXUINT64, &error), ==, -1);
      g_assert_no_error (error);
    }
  g_thread_join (thread);

  g_assert_true (mmio_file_resize (file, 100, &error));
  g_assert_cmpint (mmio_file_find (file, "", 0, 101, G_MAXUINT64, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 101", "size 100", NULL);
}

static void
test_chunks (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (MmioChunkIter) iter = { 0 };
  gconstpointer chunk;
  gsize length, at = 0;

  mmio_test_write_pattern (test->path, 1000);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_chunk_iter_init (&iter, file, 300, &error));
  g_assert_no_error (error);

  while (mmio_chunk_iter_next (&iter, &chunk, &length))
    {
      g_assert_cmpuint (length, ==, at < 900 ? 300 : 100);
      for (gsize i = 0; i < length; i++)
        g_assert_cmpuint (((const guint8 *) chunk)[i], ==, (at + i) % 251);
      at += length;
    }
  g_assert_cmpuint (at, ==, 1000);
  g_assert_false (mmio_chunk_iter_next (&iter, &chunk, &length));
  g_assert_true (mmio_chunk_iter_check (&iter, &error));

  /* As a view does. */
  g_assert_false (mmio_file_resize (file, 999, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
}

static void
test_chunks_by_page (MmioTest      *test,
                     gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 2 * page + 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioChunkIter) iter = mmio_file_chunks (file, 0, &error);
  g_autoptr (MmioView) view = NULL;
  gsize length;

  g_assert_nonnull (mmio_chunk_iter_next_value (iter, &length));
  g_assert_cmpuint (length, ==, page);
  view = mmio_chunk_iter_next_view (iter);
  g_assert_cmpuint (mmio_view_get_offset (view), ==, page);
  g_assert_cmpuint (mmio_view_get_length (view), ==, page);
  g_assert_nonnull (mmio_chunk_iter_next_value (iter, &length));
  g_assert_cmpuint (length, ==, 1);
  g_assert_null (mmio_chunk_iter_next_value (iter, &length));
  g_assert_null (mmio_chunk_iter_next_view (iter));
}

static void
test_chunks_of_nothing (MmioTest      *test,
                        gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 0);
  g_autoptr (GError) error = NULL;
  MmioChunkIter iter;
  gconstpointer chunk;
  gsize length;

  g_assert_true (mmio_chunk_iter_init (&iter, file, 0, &error));
  g_assert_false (mmio_chunk_iter_next (&iter, &chunk, &length));
  mmio_chunk_iter_clear (&iter);

  g_assert_true (mmio_file_close (file, &error));
  g_assert_false (mmio_chunk_iter_init (&iter, file, 0, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/file/numbers/round-trip-in-each-byte-order", NULL, test_numbers);
  mmio_test_add ("/file/numbers/byte-order-is-what-it-says", NULL, test_byte_order);
  mmio_test_add ("/file/numbers/past-end-is-an-error", NULL, test_numbers_are_bounds_checked);
  mmio_test_add ("/file/fill/sets-the-range-alone", NULL, test_fill);
  mmio_test_add ("/file/move/overlapping", NULL, test_move);
  mmio_test_add ("/file/find/first-and-last", NULL, test_find);
  mmio_test_add ("/file/find/over-seams", NULL, test_find_over_seams);
  mmio_test_add ("/file/find/to-the-end-beside-a-resize", NULL, test_find_beside_a_resize);
  mmio_test_add ("/file/chunks/last-one-is-short", NULL, test_chunks);
  mmio_test_add ("/file/chunks/pages-with-0", NULL, test_chunks_by_page);
  mmio_test_add ("/file/chunks/empty-and-closed", NULL, test_chunks_of_nothing);

  return g_test_run ();
}
