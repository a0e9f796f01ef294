/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Streams on a file, and those who read from streams and bytes.
 */
#include "config.h"

#include <mmio.h>

#include <unistd.h>

#ifdef HAVE_JSON_GLIB
#include <json-glib/json-glib.h>
#endif

#include "mmio-test.h"
#include "other-process.h"

#define TEXT "one\ntwo\nthree\n"

/* Gives the file this content. */
static void
fill (MmioTestFile *f,
      const char   *data,
      gsize         length)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_resize (f->file, length, &error));
  g_assert_true (mmio_file_write (f->file, 0, data, length, &error));
  g_assert_no_error (error);
}

static void
assert_content (MmioTestFile *f,
                const char   *data,
                gsize         length)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  gsize content_length;

  g_file_get_contents (f->parent.path, &content, &content_length, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (content, content_length, data, length);
}

static void
assert_reads (GInputStream *stream,
              gsize         count,
              const char   *expected)
{
  g_autoptr (GError) error = NULL;
  char buffer[64] = { 0 };

  g_assert_cmpuint (count, <, sizeof buffer);
  g_assert_cmpint (g_input_stream_read (stream, buffer, count, NULL, &error), ==, (gssize) strlen (expected));
  g_assert_no_error (error);
  g_assert_cmpstr (buffer, ==, expected);
}

static void
assert_writes (GOutputStream *stream,
               const char    *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_output_stream_write_all (stream, text, strlen (text), NULL, NULL, &error));
  g_assert_no_error (error);
}

static void
assert_closes (GOutputStream *stream)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_output_stream_close (stream, NULL, &error));
  g_assert_no_error (error);
}

static void
assert_seeks (gpointer  stream,
              goffset   offset,
              GSeekType type,
              goffset   result)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_seekable_seek (G_SEEKABLE (stream), offset, type, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, result);
}

/* Input */

static void
test_input_reads_to_the_end (MmioTestFile *f,
                             gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_input_stream_get_file (MMIO_INPUT_STREAM (stream)) == f->file);
  assert_reads (stream, 4, "");
  fill (f, TEXT, strlen (TEXT));
  assert_reads (stream, 4, "one\n");
  g_assert_cmpint (g_input_stream_skip (stream, 4, NULL, &error), ==, 4);
  assert_reads (stream, 40, "three\n");
  assert_reads (stream, 40, "");
  g_assert_cmpint (g_input_stream_skip (stream, 4, NULL, &error), ==, 0);
  g_assert_no_error (error);
}

static void
test_input_reads_on_where_the_file_has_grown (MmioTestFile *f,
                                              gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);

  fill (f, "one\n", 4);
  assert_reads (stream, 40, "one\n");
  assert_reads (stream, 40, "");
  fill (f, "one\ntwo\n", 8);
  assert_reads (stream, 40, "two\n");
}

static void
test_input_seeks_like_a_file (MmioTestFile *f,
                              gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  g_autoptr (GError) error = NULL;
  const struct
  {
    goffset offset;
    GSeekType type;
  } bad[] = { { -1, G_SEEK_SET }, { -15, G_SEEK_END }, { G_MININT64, G_SEEK_CUR }, { G_MAXINT64, G_SEEK_END } };

  fill (f, TEXT, strlen (TEXT));
  g_assert_true (g_seekable_can_seek (G_SEEKABLE (stream)));
  assert_seeks (stream, 4, G_SEEK_SET, 4);
  assert_reads (stream, 3, "two");
  assert_seeks (stream, -3, G_SEEK_CUR, 4);
  assert_seeks (stream, -6, G_SEEK_END, 8);
  assert_reads (stream, 5, "three");
  assert_seeks (stream, 100, G_SEEK_END, 114);
  assert_reads (stream, 5, "");

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      assert_seeks (stream, 2, G_SEEK_SET, 2);
      g_assert_false (g_seekable_seek (G_SEEKABLE (stream), bad[i].offset, bad[i].type, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
      g_clear_error (&error);
      g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 2);
    }

  g_assert_false (g_seekable_can_truncate (G_SEEKABLE (stream)));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (stream), 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
}

static void
test_input_bytes_are_the_mapping (MmioTestFile *f,
                                  gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  MmioInputStream *self = MMIO_INPUT_STREAM (stream);
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) two = NULL;
  g_autoptr (GBytes) rest = NULL;
  g_autoptr (GBytes) end = NULL;
  g_autoptr (GBytes) copy = NULL;

  fill (f, TEXT, strlen (TEXT));
  assert_seeks (stream, 4, G_SEEK_SET, 4);
  two = mmio_input_stream_read_bytes (self, 4, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (two, NULL), g_bytes_get_size (two), "two\n", 4);
  g_assert_true (g_bytes_get_data (two, NULL) == mmio_file_peek (f->file, 4, 4, NULL));
  rest = mmio_input_stream_read_bytes (self, G_MAXSIZE, NULL, &error);
  g_assert_cmpuint (g_bytes_get_size (rest), ==, 6);
  end = mmio_input_stream_read_bytes (self, 1, NULL, &error);
  g_assert_cmpuint (g_bytes_get_size (end), ==, 0);

  /* What GIO itself calls by that name copies. */
  assert_seeks (stream, 4, G_SEEK_SET, 4);
  copy = g_input_stream_read_bytes (stream, 4, NULL, &error);
  g_assert_true (g_bytes_equal (copy, two));

  /* They outlive everything. */
  g_clear_object (&stream);
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (two, NULL), g_bytes_get_size (two), "two\n", 4);
}

static void
test_input_cancelled_and_closed_are_errors (MmioTestFile *f,
                                            gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  MmioInputStream *self = MMIO_INPUT_STREAM (stream);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  char buffer[4];

  fill (f, TEXT, strlen (TEXT));
  g_cancellable_cancel (cancellable);
  g_assert_cmpint (g_input_stream_read (stream, buffer, 4, cancellable, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_assert_null (mmio_input_stream_read_bytes (self, 4, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);

  /* No end of a file, though its size is 0. */
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_cmpint (g_input_stream_read (stream, buffer, 4, NULL, &error), ==, -1);
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (mmio_input_stream_read_bytes (self, 4, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_clear_error (&error);

  g_assert_true (g_input_stream_close (stream, NULL, &error));
  g_assert_cmpint (g_input_stream_read (stream, buffer, 4, NULL, &error), ==, -1);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_null (mmio_input_stream_read_bytes (self, 4, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

static void
assert_no_seek (gpointer stream,
                gint     code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_seekable_seek (G_SEEKABLE (stream), 1, G_SEEK_SET, NULL, &error));
  g_assert_error (error, G_IO_ERROR, code);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 0);
}

static void
assert_no_truncation (MmioTestFile *f,
                      gpointer      stream,
                      gint          code)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (g_seekable_truncate (G_SEEKABLE (stream), 1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, code);
  assert_content (f, TEXT, strlen (TEXT));
}

static void
test_input_seeks_in_its_turn (MmioTestFile *f,
                              gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);

  fill (f, TEXT, strlen (TEXT));
  g_assert_true (g_input_stream_set_pending (stream, NULL));
  assert_no_seek (stream, G_IO_ERROR_PENDING);
  g_input_stream_clear_pending (stream);
  assert_seeks (stream, 4, G_SEEK_SET, 4);
  g_assert_false (g_input_stream_has_pending (stream));
  assert_seeks (stream, 0, G_SEEK_SET, 0);
  g_assert_true (g_input_stream_close (stream, NULL, NULL));
  assert_no_seek (stream, G_IO_ERROR_CLOSED);
}

static void
test_output_seeks_and_truncates_in_its_turn (MmioTestFile *f,
                                             gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);

  fill (f, TEXT, strlen (TEXT));
  g_assert_true (g_output_stream_set_pending (stream, NULL));
  assert_no_seek (stream, G_IO_ERROR_PENDING);
  assert_no_truncation (f, stream, G_IO_ERROR_PENDING);
  g_output_stream_clear_pending (stream);
  assert_seeks (stream, 4, G_SEEK_SET, 4);
  g_assert_true (g_seekable_truncate (G_SEEKABLE (stream), strlen (TEXT), NULL, NULL));
  g_assert_false (g_output_stream_has_pending (stream));
  assert_seeks (stream, 0, G_SEEK_SET, 0);
  assert_closes (stream);
  assert_no_seek (stream, G_IO_ERROR_CLOSED);
  assert_no_truncation (f, stream, G_IO_ERROR_CLOSED);
}

/* As a language binding may do. */
static void
test_without_a_file (MmioTestFile *f,
                     gconstpointer data)
{
  g_autoptr (GInputStream) input = g_object_new (MMIO_TYPE_INPUT_STREAM, NULL);
  g_autoptr (GOutputStream) output = g_object_new (MMIO_TYPE_OUTPUT_STREAM, NULL);
  g_autoptr (GError) error = NULL;
  char buffer[1] = { 0 };

  g_assert_cmpint (g_input_stream_read (input, buffer, 1, NULL, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_cmpint (g_input_stream_skip (input, 1, NULL, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_null (mmio_input_stream_read_bytes (MMIO_INPUT_STREAM (input), 1, NULL, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (g_seekable_seek (G_SEEKABLE (input), 0, G_SEEK_SET, NULL, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_true (g_input_stream_close (input, NULL, &error));

  g_assert_cmpint (g_output_stream_write (output, buffer, 1, NULL, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (g_seekable_seek (G_SEEKABLE (output), 0, G_SEEK_SET, NULL, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (g_seekable_can_truncate (G_SEEKABLE (output)));
  g_assert_false (g_seekable_truncate (G_SEEKABLE (output), 0, NULL, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_true (g_output_stream_close (output, NULL, &error));
  g_assert_no_error (error);
}

static int
role_truncate (const char *path)
{
  return truncate (path, 4096) == 0 ? 0 : 1;
}

static void
test_input_truncation_in_mid_stream_is_no_end (MmioTestFile *f,
                                               gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  g_autofree char *content = g_strnfill (65536, 'x');
  g_autoptr (GError) error = NULL;
  char buffer[4096];

  fill (f, content, 65536);
  g_assert_cmpint (g_input_stream_read (stream, buffer, 4096, NULL, &error), ==, 4096);
  other_process_finish (other_process_start ("truncate", f->parent.path, -1));
  g_assert_cmpint (g_input_stream_read (stream, buffer, 4096, NULL, &error), ==, -1);
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED);
  g_clear_error (&error);
  g_assert_cmpint (g_seekable_tell (G_SEEKABLE (stream)), ==, 4096);

  g_assert_true (mmio_file_refresh (f->file, &error));
  g_assert_cmpint (g_input_stream_read (stream, buffer, 4096, NULL, &error), ==, 0);
  g_assert_no_error (error);
}

/* Output */

static void
test_output_grows_and_trims_on_close (MmioTestFile *f,
                                      gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);
  g_autoptr (GString) written = g_string_new (NULL);
  guint n_sizes = 0;
  guint64 last_size = 0;

  g_assert_true (mmio_output_stream_get_file (MMIO_OUTPUT_STREAM (stream)) == f->file);
  for (guint i = 0; i < 100000; i++)
    {
      g_autofree char *line = g_strdup_printf ("line %u\n", i);

      assert_writes (stream, line);
      g_string_append (written, line);
      g_assert_cmpuint (mmio_file_get_size (f->file), >=, written->len);
      if (mmio_file_get_size (f->file) != last_size)
        n_sizes++;
      last_size = mmio_file_get_size (f->file);
    }
  g_assert_cmpuint (n_sizes, <, 20);
  assert_seeks (stream, 0, G_SEEK_END, (goffset) written->len);
  assert_closes (stream);
  g_assert_cmpuint (mmio_file_get_size (f->file), ==, written->len);
  assert_content (f, written->str, written->len);
}

static void
test_output_trims_when_it_is_dropped (MmioTestFile *f,
                                      gconstpointer data)
{
  GOutputStream *stream = mmio_output_stream_new (f->file);

  assert_writes (stream, "hello");
  g_assert_cmpuint (mmio_file_get_size (f->file), >, 5);
  g_object_unref (stream);
  assert_content (f, "hello", 5);
}

static void
test_output_goes_over_what_is_there (MmioTestFile *f,
                                     gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);

  fill (f, TEXT, strlen (TEXT));
  assert_writes (stream, "ONE");
  assert_closes (stream);
  assert_content (f, "ONE\ntwo\nthree\n", strlen (TEXT));
}

static void
test_output_appends_after_a_seek_to_the_end (MmioTestFile *f,
                                             gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);

  fill (f, TEXT, strlen (TEXT));
  assert_seeks (stream, 0, G_SEEK_END, 14);
  assert_writes (stream, "four\n");
  assert_seeks (stream, 0, G_SEEK_END, 19);
  assert_seeks (stream, 2, G_SEEK_CUR, 21);
  assert_writes (stream, "!");
  assert_closes (stream);
  assert_content (f, TEXT "four\n\0\0!", 22);
}

static void
test_output_truncates (MmioTestFile *f,
                       gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);
  g_autoptr (GError) error = NULL;

  assert_writes (stream, TEXT);
  g_assert_true (g_seekable_can_truncate (G_SEEKABLE (stream)));
  g_assert_true (g_seekable_truncate (G_SEEKABLE (stream), 4, NULL, &error));
  g_assert_no_error (error);
  assert_content (f, "one\n", 4);
  g_assert_false (g_seekable_truncate (G_SEEKABLE (stream), -1, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_clear_error (&error);
  assert_seeks (stream, 0, G_SEEK_END, 4);
  assert_writes (stream, "2\n");
  assert_closes (stream);
  assert_content (f, "one\n2\n", 6);
}

static void
test_output_leaves_a_size_that_is_not_its_own (MmioTestFile *f,
                                               gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);
  g_autoptr (GError) error = NULL;

  assert_writes (stream, "hello");
  g_assert_true (mmio_file_resize (f->file, 100, &error));
  g_assert_no_error (error);
  assert_closes (stream);
  g_assert_cmpuint (mmio_file_get_size (f->file), ==, 100);
}

static void
test_output_counts_as_pending (MmioTestFile *f,
                               gconstpointer data)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);
  g_autoptr (GError) error = NULL;

  assert_writes (stream, "hello");
  assert_closes (stream);
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 5);
  g_assert_true (mmio_file_flush (f->file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (f->file), ==, 0);
}

static void
test_output_errors_are_the_files (MmioTestFile *f,
                                  gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) reader = mmio_file_open (f->parent.path, MMIO_MODE_READ_ONLY, &error);
  g_autoptr (GOutputStream) refused = mmio_output_stream_new (reader);
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (f->file);
  g_autoptr (GOutputStream) late = mmio_output_stream_new (f->file);
  g_autoptr (MmioView) view = NULL;

  g_assert_no_error (error);
  g_assert_false (g_seekable_can_truncate (G_SEEKABLE (refused)));
  g_assert_cmpint (g_output_stream_write (refused, "x", 1, NULL, &error), ==, -1);
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE);
  g_clear_error (&error);

  assert_seeks (stream, G_MAXINT64 - 1, G_SEEK_SET, G_MAXINT64 - 1);
  g_assert_cmpint (g_output_stream_write (stream, "xx", 2, NULL, &error), ==, -1);
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_RESIZE_FAILED);
  g_clear_error (&error);
  g_assert_cmpuint (mmio_file_get_size (f->file), ==, 0);
  assert_seeks (stream, 0, G_SEEK_SET, 0);

  assert_writes (stream, "hello");
  view = mmio_file_get_view (f->file, 5, 1, &error);
  g_assert_no_error (error);
  g_assert_false (g_output_stream_close (stream, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_cmpuint (mmio_file_get_size (f->file), >, 5);
  mmio_view_release (view);

  assert_seeks (late, 0, G_SEEK_END, (goffset) mmio_file_get_size (f->file));
  assert_writes (late, "x");
  g_assert_true (mmio_file_close (f->file, &error));
  g_assert_no_error (error);
  g_assert_cmpint (g_output_stream_write (late, "x", 1, NULL, &error), ==, -1);
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_clear_error (&error);
  g_assert_false (g_output_stream_close (late, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
}

/* Consumers */

static void
test_consumer_zlib (MmioTestFile *f,
                    gconstpointer data)
{
  g_autoptr (GOutputStream) sink = mmio_output_stream_new (f->file);
  g_autoptr (GConverter) compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1));
  g_autoptr (GOutputStream) compressing = g_converter_output_stream_new (sink, compressor);
  g_autoptr (GInputStream) source = mmio_input_stream_new (f->file);
  g_autoptr (GConverter) decompressor = G_CONVERTER (g_zlib_decompressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP));
  g_autoptr (GInputStream) decompressing = g_converter_input_stream_new (source, decompressor);
  g_autoptr (GOutputStream) result = g_memory_output_stream_new_resizable ();
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 50000; i++)
    g_string_append_printf (text, "%u ", g_rand_int (random));
  g_output_stream_write_all (compressing, text->str, text->len, NULL, NULL, &error);
  g_assert_no_error (error);
  assert_closes (compressing);
  g_assert_cmpuint (mmio_file_get_size (f->file), >, 100000);

  g_output_stream_splice (result, decompressing,
                          G_OUTPUT_STREAM_SPLICE_CLOSE_SOURCE | G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_memory_output_stream_get_data (G_MEMORY_OUTPUT_STREAM (result)),
                   g_memory_output_stream_get_data_size (G_MEMORY_OUTPUT_STREAM (result)), text->str, text->len);
}

static void
test_consumer_lines (MmioTestFile *f,
                     gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stream);
  g_autoptr (GError) error = NULL;
  const char *expected[] = { "one", "two", "three", NULL };

  fill (f, TEXT, strlen (TEXT));
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpstr (line, ==, expected[i]);
    }
}

static void
test_consumer_key_file (MmioTestFile *f,
                        gconstpointer data)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  const char *text = "[group]\nkey=42\n";

  fill (f, text, strlen (text));
  bytes = mmio_file_get_bytes (f->file, 0, strlen (text), &error);
  g_key_file_load_from_bytes (key_file, bytes, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_key_file_get_integer (key_file, "group", "key", &error), ==, 42);
}

static void
test_consumer_variant_in_place (MmioTestFile *f,
                                gconstpointer data)
{
  g_autoptr (GVariant) original = g_variant_ref_sink (g_variant_new ("(sat)", "name", NULL));
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  fill (f, g_variant_get_data (original), g_variant_get_size (original));
  bytes = mmio_file_get_bytes (f->file, 0, g_variant_get_size (original), &error);
  g_assert_no_error (error);
  variant = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE ("(sat)"), bytes, FALSE));
  g_assert_true (g_variant_get_data (variant) == mmio_file_peek (f->file, 0, 1, NULL));
  g_assert_true (g_variant_equal (variant, original));
}

static void
test_consumer_json (MmioTestFile *f,
                    gconstpointer data)
{
#ifdef HAVE_JSON_GLIB
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;
  const char *text = "{ \"numbers\": [1, 2, 3] }";
  JsonObject *root;

  fill (f, text, strlen (text));
  json_parser_load_from_stream (parser, stream, NULL, &error);
  g_assert_no_error (error);
  root = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpint (json_array_get_int_element (json_object_get_array_member (root, "numbers"), 2), ==, 3);
#else
  g_test_skip ("built without json-glib");
#endif
}

typedef struct
{
  GMainLoop *loop;
  GBytes *bytes;
} AsyncRead;

static void
on_read (GObject      *source,
         GAsyncResult *result,
         gpointer      user_data)
{
  AsyncRead *read = user_data;
  g_autoptr (GError) error = NULL;

  read->bytes = g_input_stream_read_bytes_finish (G_INPUT_STREAM (source), result, &error);
  g_assert_no_error (error);
  g_main_loop_quit (read->loop);
}

static gboolean
patience_ends (gpointer data)
{
  g_error ("nothing came");
  return G_SOURCE_REMOVE;
}

static void
test_input_reads_asynchronously (MmioTestFile *f,
                                 gconstpointer data)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (f->file);
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  AsyncRead read = { .loop = loop };
  guint timeout = g_timeout_add_seconds (60, patience_ends, NULL);

  fill (f, TEXT, strlen (TEXT));
  g_input_stream_read_bytes_async (stream, 3, G_PRIORITY_DEFAULT, NULL, on_read, &read);
  g_main_loop_run (loop);
  g_source_remove (timeout);
  g_assert_cmpmem (g_bytes_get_data (read.bytes, NULL), g_bytes_get_size (read.bytes), "one", 3);
  g_bytes_unref (read.bytes);
}

int
main (int   argc,
      char *argv[])
{
  const OtherProcessRole roles[] = { { "truncate", role_truncate } };

  other_process_main (argc, argv, roles, G_N_ELEMENTS (roles));
  g_test_init (&argc, &argv, NULL);

#define TEST(path, func) mmio_test_add_with_file (path, 0, func)
  TEST ("/stream/input/reads-to-the-end", test_input_reads_to_the_end);
  TEST ("/stream/input/reads-on-where-the-file-has-grown", test_input_reads_on_where_the_file_has_grown);
  TEST ("/stream/input/seeks-like-a-file", test_input_seeks_like_a_file);
  TEST ("/stream/input/seeks-neither-beside-a-read-nor-once-closed", test_input_seeks_in_its_turn);
  TEST ("/stream/input/bytes-are-the-mapping", test_input_bytes_are_the_mapping);
  TEST ("/stream/input/cancelled-and-closed-are-errors", test_input_cancelled_and_closed_are_errors);
  TEST ("/stream/input/truncation-in-mid-stream-is-no-end", test_input_truncation_in_mid_stream_is_no_end);
  TEST ("/stream/input/reads-asynchronously", test_input_reads_asynchronously);
  TEST ("/stream/output/grows-and-trims-on-close", test_output_grows_and_trims_on_close);
  TEST ("/stream/output/trims-when-it-is-dropped", test_output_trims_when_it_is_dropped);
  TEST ("/stream/output/goes-over-what-is-there", test_output_goes_over_what_is_there);
  TEST ("/stream/output/appends-after-a-seek-to-the-end", test_output_appends_after_a_seek_to_the_end);
  TEST ("/stream/output/truncates", test_output_truncates);
  TEST ("/stream/output/seeks-and-truncates-neither-beside-a-write-nor-once-closed", test_output_seeks_and_truncates_in_its_turn);
  TEST ("/stream/output/leaves-a-size-that-is-not-its-own", test_output_leaves_a_size_that_is_not_its_own);
  TEST ("/stream/output/counts-as-pending", test_output_counts_as_pending);
  TEST ("/stream/output/errors-are-the-files", test_output_errors_are_the_files);
  TEST ("/stream/made-without-a-file-is-an-error", test_without_a_file);
  TEST ("/stream/consumer/zlib", test_consumer_zlib);
  TEST ("/stream/consumer/lines", test_consumer_lines);
  TEST ("/stream/consumer/key-file", test_consumer_key_file);
  TEST ("/stream/consumer/variant-in-place", test_consumer_variant_in_place);
  TEST ("/stream/consumer/json", test_consumer_json);
#undef TEST

  return g_test_run ();
}
