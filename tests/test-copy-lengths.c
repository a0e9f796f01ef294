/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Copies of every small length, and of some larger ones, which take other paths than long ones do.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <mmio.h>
#include <string.h>

#define SIZE 1024
#define LONGEST 200

typedef struct
{
  char *folder;
  char *path;
  MmioFile *file;
} Fixture;

static guint8
original (gsize offset)
{
  return (guint8) (offset * 7 + offset / 251 + 1);
}

static void
set_up (Fixture      *fixture,
        gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint8 content[SIZE];

  for (gsize i = 0; i < SIZE; i++)
    content[i] = original (i);
  fixture->folder = g_dir_make_tmp ("mmio-copy-XXXXXX", &error);
  g_assert_no_error (error);
  fixture->path = g_build_filename (fixture->folder, "file", NULL);
  g_file_set_contents (fixture->path, (const char *) content, SIZE, &error);
  g_assert_no_error (error);
  fixture->file = mmio_file_open (fixture->path, MMIO_MODE_READ_WRITE, &error);
  g_assert_no_error (error);
}

static void
tear_down (Fixture      *fixture,
           gconstpointer data)
{
  g_object_unref (fixture->file);
  g_unlink (fixture->path);
  g_rmdir (fixture->folder);
  g_free (fixture->path);
  g_free (fixture->folder);
}

static void
test_read_fills_the_buffer_and_no_more (Fixture      *fixture,
                                        gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (gsize length = 0; length <= LONGEST; length++)
    for (gsize offset = 0; offset < 20; offset++)
      {
        guint8 buffer[LONGEST + 16];

        memset (buffer, 0xaa, sizeof buffer);
        g_assert_true (mmio_file_read (fixture->file, offset, buffer + 8, length, &error));
        g_assert_no_error (error);
        for (gsize i = 0; i < 8; i++)
          g_assert_cmphex (buffer[i], ==, 0xaa);
        for (gsize i = 0; i < length; i++)
          g_assert_cmphex (buffer[8 + i], ==, original (offset + i));
        for (gsize i = 8 + length; i < sizeof buffer; i++)
          g_assert_cmphex (buffer[i], ==, 0xaa);
      }
}

static void
test_read_reaches_the_last_byte (Fixture      *fixture,
                                 gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  guint8 buffer[LONGEST];

  for (gsize length = 1; length <= LONGEST; length++)
    {
      g_assert_true (mmio_file_read (fixture->file, SIZE - length, buffer, length, &error));
      g_assert_no_error (error);
      g_assert_cmphex (buffer[length - 1], ==, original (SIZE - 1));

      g_assert_false (mmio_file_read (fixture->file, SIZE - length + 1, buffer, length, &error));
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS);
      g_clear_error (&error);
    }
}

static void
test_write_changes_its_range_and_no_more (Fixture      *fixture,
                                          gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  for (gsize length = 0; length <= LONGEST; length++)
    for (gsize offset = 8; offset < 28; offset++)
      {
        guint8 content[LONGEST + 64], expected[LONGEST + 64];

        for (gsize i = 0; i < sizeof content; i++)
          content[i] = expected[i] = original (i);
        g_assert_true (mmio_file_write (fixture->file, 0, content, sizeof content, &error));
        g_assert_no_error (error);

        for (gsize i = 0; i < length; i++)
          content[i] = expected[offset + i] = (guint8) (i ^ 0x5a);
        g_assert_true (mmio_file_write (fixture->file, offset, content, length, &error));
        g_assert_no_error (error);
        g_assert_true (mmio_file_read (fixture->file, 0, content, sizeof content, &error));
        g_assert_no_error (error);
        g_assert_cmpmem (content, sizeof content, expected, sizeof expected);
      }
}

static void
test_write_from_an_overlapping_view_moves (Fixture      *fixture,
                                           gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioView) view = mmio_file_get_view (fixture->file, 0, SIZE, &error);
  const guint8 *mapped = mmio_view_get_pointer (view);

  g_assert_no_error (error);
  for (gsize length = 1; length <= LONGEST; length++)
    for (gssize shift = -40; shift <= 40; shift++)
      {
        guint8 content[SIZE], expected[SIZE];
        gsize from = 100, to = (gsize) (100 + shift);

        for (gsize i = 0; i < SIZE; i++)
          content[i] = expected[i] = original (i);
        g_assert_true (mmio_file_write (fixture->file, 0, content, SIZE, &error));
        g_assert_no_error (error);

        memmove (expected + to, expected + from, length);
        g_assert_true (mmio_file_write (fixture->file, to, mapped + from, length, &error));
        g_assert_no_error (error);
        g_assert_cmpmem (mapped, SIZE, expected, SIZE);
      }
}

static void
test_what_is_no_file_is_a_warning (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
      guint8 byte;

      g_log_set_always_fatal (G_LOG_LEVEL_ERROR);
      g_assert_false (mmio_file_read ((MmioFile *) object, 0, &byte, 1, NULL));
      g_assert_false (mmio_file_write (NULL, 0, &byte, 1, NULL));
      g_assert_null (mmio_file_peek ((MmioFile *) object, 0, 1, NULL));
      return;
    }

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("*CRITICAL*mmio_file_read: assertion 'MMIO_IS_FILE (self)' failed*"
                             "*CRITICAL*mmio_file_write: assertion 'MMIO_IS_FILE (self)' failed*"
                             "*CRITICAL*mmio_file_peek: assertion 'MMIO_IS_FILE (self)' failed*");
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add ("/copy/read-fills-the-buffer-and-no-more", Fixture, NULL, set_up, test_read_fills_the_buffer_and_no_more,
              tear_down);
  g_test_add ("/copy/read-reaches-the-last-byte", Fixture, NULL, set_up, test_read_reaches_the_last_byte, tear_down);
  g_test_add ("/copy/write-changes-its-range-and-no-more", Fixture, NULL, set_up, test_write_changes_its_range_and_no_more,
              tear_down);
  g_test_add ("/copy/write-from-an-overlapping-view-moves", Fixture, NULL, set_up, test_write_from_an_overlapping_view_moves,
              tear_down);
  g_test_add_func ("/copy/what-is-no-file-is-a-warning", test_what_is_no_file_is_a_warning);

  return g_test_run ();
}
