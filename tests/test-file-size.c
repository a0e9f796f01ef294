/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The size of a file, and which file it is: growing, shrinking, taking over what others did, and what becomes of those who look
 * at it meanwhile.
 */
#include "config.h"

#include "mmio-test.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static MmioFile *
open_with_reserve (MmioTest *t,
                   MmioMode  mode,
                   guint64   reserve_size)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "mode", mode, "reserve-size", reserve_size, NULL);

  g_assert_no_error (error);
  return file;
}

static void
resize (MmioFile *file,
        guint64   size)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_resize (file, size, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, size);
}

static void
refresh (MmioFile *file,
         guint64   expected)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, expected);
}

static void
reload (MmioFile *file,
        guint64   expected)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_reload (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, expected);
}

static void
write_text (MmioFile   *file,
            guint64     offset,
            const char *text)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (file, offset, text, strlen (text), &error));
  g_assert_no_error (error);
}

static MmioView *
get_view (MmioFile *file,
          guint64   offset,
          gsize     length)
{
  g_autoptr (GError) error = NULL;
  MmioView *view = mmio_file_get_view (file, offset, length, &error);

  g_assert_no_error (error);
  return view;
}

static guint8
byte_of (MmioView *view,
         gsize     offset)
{
  return ((volatile guint8 *) mmio_view_get_pointer (view))[offset];
}

/* Resize */

static void
test_grow (MmioTest     *t,
           gconstpointer data G_GNUC_UNUSED)
{
  static const guint8 zeros[100000];
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 5);
  gconstpointer base = mmio_file_peek (file, 0, 5, NULL);

  write_text (file, 0, "hello");
  resize (file, 100005);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 100005);
  mmio_test_assert_read (file, 0, "hello", 5);
  mmio_test_assert_read (file, 5, zeros, sizeof zeros);
  write_text (file, 100000, "world");
  mmio_test_assert_read (file, 100000, "world", 5);
  /* No pointer moves while the file grows within the reserve. */
  g_assert_true (mmio_file_peek (file, 0, 5, NULL) == base);
}

/* What was cut off doesn't come back. */
static void
test_shrink (MmioTest     *t,
             gconstpointer data G_GNUC_UNUSED)
{
  static const guint8 zeros[20000];
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  mmio_test_write_pattern (t->path, 20000);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  resize (file, 100);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 100);
  g_assert_false (mmio_file_read (file, 100, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 100", "size 100", NULL);
  resize (file, 20000);
  mmio_test_assert_read (file, 100, zeros, 19900);
  resize (file, 0);
  g_assert_false (mmio_file_read (file, 0, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "size 0", NULL);
  resize (file, 1);
  mmio_test_assert_read (file, 0, zeros, 1);
}

static void
test_all_sizes (MmioTest     *t,
                gconstpointer data)
{
  const guint64 reserve_size = GPOINTER_TO_SIZE (data);
  const guint64 sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 3, 65536, 65537, 0, 1000000, 4096, 5000000, 1, 20000000, 0, 7 };
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_file (t->path, "", 0);
  file = open_with_reserve (t, MMIO_MODE_READ_WRITE, reserve_size);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      resize (file, sizes[i]);
      g_assert_cmpuint (mmio_test_file_size (t->path), ==, sizes[i]);
      if (sizes[i] > 0)
        {
          mmio_test_assert_read (file, sizes[i] - 1, "", 1);
          write_text (file, sizes[i] - 1, "x");
          mmio_test_assert_read (file, sizes[i] - 1, "x", 1);
        }
    }
}

static void
test_same_size (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  guint8 expected[100];

  mmio_test_write_pattern (t->path, 100);
  for (guint8 i = 0; i < 100; i++)
    expected[i] = i;
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  resize (file, 100);
  mmio_test_assert_read (file, 0, expected, 100);
}

/* The size that is asked for is what the file gets, whatever others have done. */
static void
test_size_others_changed (MmioTest     *t,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10000);

  mmio_test_truncate (t->path, 50);
  resize (file, 10000);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 10000);
  mmio_test_assert_read (file, 9999, "", 1);
  mmio_test_truncate (t->path, 0);
  resize (file, 20000);
  mmio_test_assert_read (file, 19999, "", 1);
  mmio_test_truncate (t->path, 50000);
  resize (file, 30000);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 30000);
  mmio_test_truncate (t->path, 0);
  resize (file, 10);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 10);
  mmio_test_assert_read (file, 9, "", 1);
}

/* Views of before and behind show the same file, in each generation of ranges. */
static void
test_past_the_reserve (MmioTest     *t,
                       gconstpointer data G_GNUC_UNUSED)
{
  enum { N = 12 };
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 4096);
  g_autoptr (MmioFile) small = open_with_reserve (t, MMIO_MODE_READ_WRITE, 4096);
  g_autoptr (GPtrArray) views = g_ptr_array_new_with_free_func ((GDestroyNotify) mmio_view_unref);
  guint64 size = 4096;
  guint n_moves = 0;
  gconstpointer base = mmio_file_peek (small, 0, 1, NULL);

  for (guint i = 0; i < N; i++)
    {
      char text[2] = { (char) ('a' + i), '\0' };

      g_ptr_array_add (views, mmio_file_get_writable_view (small, 0, 4096, NULL));
      size *= 2;
      resize (small, size);
      n_moves += mmio_file_peek (small, 0, 1, NULL) != base;
      base = mmio_file_peek (small, 0, 1, NULL);
      write_text (small, 100, text);
      for (guint k = 0; k < views->len; k++)
        {
          g_assert_cmpint (byte_of (views->pdata[k], 100), ==, text[0]);
          g_assert_true (mmio_view_check (views->pdata[k], NULL));
        }
      /* And back, through the oldest of them. */
      ((volatile char *) mmio_view_get_pointer (views->pdata[0]))[200] = text[0];
      mmio_test_assert_read (small, 200, text, 1);
    }
  g_assert_cmpuint (n_moves, >, 0);
  g_assert_true (mmio_file_flush (small, NULL));
  mmio_test_assert_read (file, 100, "l", 1);
}

static void
test_busy (MmioTest     *t,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10000);
  g_autoptr (MmioView) view = get_view (file, 5000, 100);
  g_autoptr (MmioView) part = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;

  write_text (file, 5000, "hello");
  g_assert_false (mmio_file_resize (file, 5099, &error));
  mmio_test_assert_mmio_error (&error, BUSY, t->path, "5099", "offset 5000", "length 100", NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 10000);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 10000);
  mmio_test_assert_read (file, 5000, "hello", 5);
  g_assert_false (mmio_file_resize (file, 0, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
  resize (file, 5100);
  resize (file, 20000);

  bytes = mmio_file_get_bytes (file, 0, 10000, &error);
  g_assert_false (mmio_file_resize (file, 9999, &error));
  mmio_test_assert_mmio_error (&error, BUSY, "length 10000", NULL);
  g_clear_pointer (&bytes, g_bytes_unref);
  part = mmio_view_sub (view, 0, 50, &error);
  mmio_view_release (view);
  resize (file, 5050);
  g_assert_false (mmio_file_resize (file, 5049, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
  mmio_view_release (part);
  resize (file, 0);
}

/* A view of nothing keeps nothing. */
static void
test_empty_view_is_not_busy (MmioTest     *t,
                             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10000);
  g_autoptr (MmioView) view = get_view (file, 0, 0);

  resize (file, 0);
}

/* The view is in a range that has retired; it counts all the same. */
static void
test_busy_after_growth (MmioTest     *t,
                        gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) created = mmio_test_create (t->path, 4096);
  g_autoptr (MmioFile) file = open_with_reserve (t, MMIO_MODE_READ_WRITE, 4096);
  g_autoptr (MmioView) view = get_view (file, 0, 4096);
  g_autoptr (GError) error = NULL;

  resize (file, 1000000);
  g_assert_false (mmio_file_resize (file, 4095, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
  resize (file, 4096);
  mmio_view_release (view);
  resize (file, 10);
}

static void
test_notify (MmioTest     *t,
             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 100);
  g_autoptr (MmioTestEar) ear = mmio_test_listen (file, NULL);

  resize (file, 200);
  mmio_test_expect (ear, "size 200");
  resize (file, 50);
  mmio_test_expect (ear, "size 50");
  mmio_test_truncate (t->path, 70);
  refresh (file, 70);
  mmio_test_expect (ear, "size 70");
  refresh (file, 70);
  mmio_test_replace (t->path, "hello", 5);
  refresh (file, 70);
  g_assert_cmpuint (mmio_test_count_said (ear), ==, 0);
  reload (file, 5);
  mmio_test_expect (ear, "size 5");
  reload (file, 5);
  g_assert_false (mmio_file_resize (file, G_MAXUINT64, NULL));
  g_assert_cmpuint (mmio_test_count_said (ear), ==, 0);
  g_assert_true (mmio_file_close (file, NULL));
  mmio_test_expect (ear, "size 0");
}

static int
resize_past_limit (gpointer data)
{
  MmioTest *t = data;
  struct rlimit limit = { 100000, 100000 };
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 1000);
  g_autoptr (MmioFile) other = NULL;
  g_autofree char *other_path = mmio_test_in_folder (t, "other");
  g_autoptr (GError) error = NULL;

  /* As it is in a program that has never heard of it. */
  signal (SIGXFSZ, SIG_DFL);
  g_assert_no_errno (setrlimit (RLIMIT_FSIZE, &limit));

  resize (file, 100000);
  g_assert_false (mmio_file_resize (file, 100001, &error));
  mmio_test_assert_mmio_error (&error, RESIZE_FAILED, "100000", "100001", "RLIMIT_FSIZE", NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 100000);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 100000);
  g_assert_null (mmio_file_create (other_path, 100001, MMIO_CREATE_FLAGS_NONE, &error));
  g_assert_nonnull (error);
  mmio_test_assert_error (&error, G_IO_ERROR, error->code, other_path, "RLIMIT_FSIZE", NULL);
  g_assert_null (mmio_file_open_or_create (other_path, 100001, &error));
  g_assert_nonnull (error);
  mmio_test_assert_error (&error, G_IO_ERROR, error->code, other_path, "RLIMIT_FSIZE", NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);

  /* What somebody else has appended meanwhile is still there after a failure. */
  resize (file, 1000);
  mmio_test_append (t->path, "hello", 5);
  g_assert_false (mmio_file_resize (file, 200000, &error));
  mmio_test_assert_mmio_error (&error, RESIZE_FAILED, NULL);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 1005);
  return 0;
}

static void
test_file_size_limit (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (resize_past_limit, t, NULL);
}

static int
grow_on_full_disk (gpointer data)
{
  MmioTest *t = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (!mmio_test_mount_tmpfs (t->folder, 256 * 1024))
    return MMIO_TEST_SKIP;
  mmio_test_write_pattern (t->path, 10000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "mode", MMIO_MODE_READ_WRITE, "preallocate", TRUE, NULL);
  g_assert_no_error (error);
  resize (file, 20000);
  mmio_test_append (t->path, "appended", 8);
  g_assert_false (mmio_file_resize (file, 1000000, &error));
  mmio_test_assert_mmio_error (&error, NO_SPACE, t->path, "20000", "1000000", NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 20000);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 20008);
  refresh (file, 20008);
  mmio_test_assert_read (file, 20000, "appended", 8);
  mmio_test_assert_read (file, 9999, (guint8[]){ 9999 % 251 }, 1);
  return 0;
}

static void
test_full_disk (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (grow_on_full_disk, t, "not allowed to mount a file system here");
}

/* Refresh */

static void
test_refresh (MmioTest     *t,
              gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, mode);
  mmio_test_append (t->path, "world", 5);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 5);
  g_assert_false (mmio_file_read (file, 5, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, NULL);
  refresh (file, 10);
  mmio_test_assert_read (file, 0, "helloworld", 10);

  mmio_test_truncate (t->path, 3);
  refresh (file, 3);
  mmio_test_assert_read (file, 0, "hel", 3);
  mmio_test_truncate (t->path, 0);
  refresh (file, 0);
  mmio_test_truncate (t->path, 4096);
  refresh (file, 4096);
  mmio_test_assert_read (file, 4095, "", 1);
}

static void
test_refresh_to_much_more (MmioTest     *t,
                           gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, mode);
  view = get_view (file, 0, 5);
  mmio_test_truncate (t->path, 300 * 1024 * 1024);
  mmio_test_append (t->path, "world", 5);
  if (mode == MMIO_MODE_COPY_ON_WRITE)
    {
      /* Its private pages can't move: an error that says so, and all is as it was. */
      g_assert_false (mmio_file_refresh (file, &error));
      mmio_test_assert_mmio_error (&error, RESIZE_FAILED, t->path, "reserve-size", NULL);
      g_assert_cmpuint (mmio_file_get_size (file), ==, 5);
    }
  else
    {
      refresh (file, 300 * 1024 * 1024 + 5);
      mmio_test_assert_read (file, 300 * 1024 * 1024, "world", 5);
    }
  g_assert_cmpmem (mmio_view_get_pointer (view), 5, "hello", 5);
  mmio_test_assert_read (file, 0, "hello", 5);
}

/* Truncation by others */

static void
test_truncated_and_back (MmioTest     *t,
                         gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (MmioView) front = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *buffer = g_malloc (10 * page);

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  mmio_test_write_pattern (t->path, 10 * page);
  file = mmio_test_open (t->path, mode);
  view = get_view (file, 4 * page, 2 * page);
  front = get_view (file, 0, page);
  mmio_test_truncate (t->path, page);

  g_assert_false (mmio_file_read (file, 0, buffer, 10 * page, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, t->path, NULL);
  g_assert_true (mmio_file_read (file, 0, buffer, page, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (byte_of (view, 5), ==, 0);
  g_assert_false (mmio_view_check (view, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, t->path, NULL);
  g_assert_true (mmio_view_check (front, &error));
  g_assert_no_error (error);
  if (mode != MMIO_MODE_READ_ONLY)
    {
      g_assert_false (mmio_file_write (file, 5 * page, "x", 1, &error));
      mmio_test_assert_mmio_error (&error, TRUNCATED, t->path, NULL);
    }

  /* A refresh says what there is; the view has nothing to show. */
  refresh (file, page);
  g_assert_false (mmio_file_read (file, 0, buffer, page + 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, NULL);
  g_assert_false (mmio_view_check (view, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);

  /* Grown back: the bytes of the file again, for the same view. */
  mmio_test_truncate (t->path, 10 * page);
  mmio_test_write_at (t->path, 4 * page + 5, "!", 1);
  refresh (file, 10 * page);
  g_assert_cmpuint (byte_of (view, 5), ==, '!');
  g_assert_true (mmio_view_check (view, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 4 * page + 5, "!", 1);
  if (mode == MMIO_MODE_READ_WRITE)
    {
      write_text (file, 4 * page + 6, "?");
      g_assert_cmpuint (byte_of (view, 6), ==, '?');
      g_assert_true (mmio_file_flush (file, &error));
      g_assert_no_error (error);
    }
}

static void
test_reload_heals (MmioTest     *t,
                   gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint8 buffer[20000];

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  mmio_test_write_pattern (t->path, 20000);
  file = mmio_test_open (t->path, mode);
  mmio_test_truncate (t->path, 100);
  g_assert_false (mmio_file_read (file, 0, buffer, 20000, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  reload (file, 100);
  g_assert_true (mmio_file_read (file, 0, buffer, 100, &error));
  mmio_test_write_pattern (t->path, 20000);
  reload (file, 20000);
  g_assert_true (mmio_file_read (file, 0, buffer, 20000, &error));
  g_assert_cmpuint (buffer[19999], ==, 19999 % 251);
}

/* Reload */

static void
test_reload (MmioTest     *t,
             gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) old = NULL;
  g_autoptr (MmioView) new = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  mmio_test_write_pattern (t->path, 20000);
  file = mmio_test_open (t->path, mode);
  fd = mmio_file_get_fd (file);
  old = get_view (file, 10000, 10000);
  bytes = mmio_file_get_bytes (file, 0, 100, NULL);
  mmio_test_replace (t->path, "hello", 5);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 20000);
  reload (file, 5);
  g_assert_cmpint (mmio_file_get_fd (file), ==, fd);
  mmio_test_assert_read (file, 0, "hello", 5);
  new = get_view (file, 0, 5);

  g_assert_cmpuint (byte_of (old, 9999), ==, 19999 % 251);
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (bytes, NULL))[99], ==, 99);
  g_assert_true (mmio_view_check (old, &error));
  g_assert_no_error (error);
  /* The old file's views are no obstacle to the new one. */
  if (mode == MMIO_MODE_READ_WRITE)
    {
      resize (file, 100);
      resize (file, 5);
      write_text (file, 0, "J");
      mmio_test_assert_file (t->path, "Jello", 5);
      g_assert_cmpuint (byte_of (old, 0), ==, 10000 % 251);
    }
  mmio_test_write_pattern (t->path, 50000);
  reload (file, 50000);
  mmio_test_assert_read (file, 49999, (guint8[]){ 49999 % 251 }, 1);
}

static void
test_reload_failing (MmioTest     *t,
                     gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint n_fds;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, mode);
  n_fds = mmio_test_count_fds ();
  g_assert_no_errno (unlink (t->path));
  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, t->path, NULL);
  mmio_test_assert_read (file, 0, "hello", 5);
  g_assert_no_errno (mkdir (t->path, 0755));
  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_io_error (&error, IS_DIRECTORY, t->path, NULL);
  g_assert_no_errno (rmdir (t->path));
  g_assert_no_errno (mkfifo (t->path, 0644));
  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_io_error (&error, NOT_REGULAR_FILE, t->path, NULL);
  mmio_test_assert_read (file, 0, "hello", 5);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 5);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

/* Whatever the sizes, and with a view of each file or without. */
static void
test_reload_often (MmioTest     *t,
                   gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  guint n_fds = 0, n_maps = 0;

  mmio_test_write_file (t->path, "0", 1);
  file = mmio_test_open (t->path, mode);
  for (guint i = 1; i <= 400; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);
      g_autofree char *content = g_strnfill (4096 * (i % 7), 'x');
      g_autofree char *all = g_strconcat (text, content, NULL);

      if (i % 3 == 0)
        {
          g_clear_pointer (&view, mmio_view_unref);
          view = get_view (file, 0, 1);
        }
      mmio_test_replace (t->path, all, strlen (all));
      reload (file, strlen (all));
      mmio_test_assert_read (file, 0, all, strlen (all));
      if (i == 100)
        {
          n_fds = mmio_test_count_fds ();
          n_maps = mmio_test_count_maps ();
        }
    }
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (mmio_test_count_maps (), <=, n_maps + 8);
}

static guint64
count_address_space (void)
{
  g_autofree char *statm = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents ("/proc/self/statm", &statm, NULL, &error);
  g_assert_no_error (error);
  return g_ascii_strtoull (statm, NULL, 10) * mmio_test_page_size ();
}

/* A view of each file that was replaced: each needs its own range, of its own file's size and reserve and no more. */
static void
test_reload_with_views (MmioTest     *t,
                        gconstpointer data)
{
  enum { N = 40 };
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GPtrArray) views = g_ptr_array_new_with_free_func ((GDestroyNotify) mmio_view_unref);
  guint64 before, one;

  mmio_test_write_file (t->path, "0", 1);
  before = count_address_space ();
  file = mmio_test_open (t->path, mode);
  one = count_address_space () - before;
  for (guint i = 0; i < N; i++)
    {
      guint8 byte = (guint8) i;

      g_ptr_array_add (views, get_view (file, 0, 1));
      mmio_test_replace (t->path, &byte, 1);
      reload (file, 1);
    }
  for (guint i = 1; i < N; i++)
    g_assert_cmpuint (byte_of (views->pdata[i], 0), ==, i - 1);
  g_assert_cmpuint (count_address_space () - before, <, (N + 2) * one + 256 * 1024 * 1024);

  /* Without them the ranges are used again. */
  g_ptr_array_set_size (views, 0);
  before = count_address_space ();
  for (guint i = 0; i < N; i++)
    {
      mmio_test_replace (t->path, "x", 1);
      reload (file, 1);
    }
  g_assert_cmpuint (count_address_space (), ==, before);
}

static void
assert_is_the_files (MmioFile *file,
                     MmioView *view,
                     guint64   offset)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  *(guint8 *) mmio_view_get_pointer (view) += 1;
  mmio_test_assert_read (file, offset, mmio_view_get_pointer (view), 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), >=, 1);
  g_assert_false (mmio_file_resize (file, offset, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
}

/* The way on from a flush that has failed: what is stored through a view of before must not be called durable unsynced. */
static void
test_reload_same_file (MmioTest     *t,
                       gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autofree char *away = mmio_test_in_folder (t, "away");
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 2 * page);
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  view = mmio_file_get_writable_view (file, page, 1, &error);
  g_assert_no_error (error);
  reload (file, 2 * page);
  assert_is_the_files (file, view, page);
  reload (file, 2 * page);
  assert_is_the_files (file, view, page);

  /* Of another file the view is no part; when the first one has come back it is again. */
  g_assert_no_errno (g_rename (t->path, away));
  mmio_test_write_file (t->path, "other", 5);
  reload (file, 5);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  resize (file, 0);
  g_assert_no_errno (g_rename (away, t->path));
  reload (file, 2 * page);
  assert_is_the_files (file, view, page);

  /* What has faulted in it is healed, as in the rest. */
  if (mmio_get_fault_guard ())
    {
      mmio_test_truncate (t->path, page);
      g_assert_cmpuint (byte_of (view, 0), ==, 0);
      g_assert_false (mmio_view_check (view, &error));
      mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
      mmio_test_write_pattern (t->path, 3 * page);
      reload (file, 3 * page);
      g_assert_true (mmio_view_check (view, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (byte_of (view, 0), ==, page % 251);
      assert_is_the_files (file, view, page);
    }

  g_clear_pointer (&view, mmio_view_unref);
  resize (file, 0);
}

/* A view that is taken anew after each reload costs no range for each. */
static void
test_reload_same_file_often (MmioTest     *t,
                             gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  guint64 before = 0;

  mmio_test_write_pattern (t->path, 20000);
  file = mmio_test_open (t->path, mode);
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (MmioView) old = g_steal_pointer (&view);

      view = get_view (file, 19999, 1);
      reload (file, 20000);
      g_assert_cmpuint (byte_of (view, 0), ==, 19999 % 251);
      if (i == 10)
        before = count_address_space ();
    }
  g_assert_cmpuint (count_address_space (), ==, before);
}

static void
test_refresh_often (MmioTest     *t,
                    gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  guint n_fds, n_maps;

  mmio_test_write_pattern (t->path, 100000);
  file = mmio_test_open (t->path, mode);
  n_fds = mmio_test_count_fds ();
  n_maps = mmio_test_count_maps ();
  for (guint i = 0; i < 300; i++)
    {
      char byte;
      gsize size = (i * 7919) % 100000;

      mmio_test_truncate (t->path, size);
      if (mmio_get_fault_guard ())
        mmio_file_read (file, 99999, &byte, 1, NULL);
      refresh (file, size);
      mmio_test_truncate (t->path, 100000);
      refresh (file, 100000);
      mmio_test_assert_read (file, 99999, "", 1);
    }
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (mmio_test_count_maps (), <=, n_maps + 16);
}

/* Threads */

typedef struct
{
  MmioFile *file;
  const char *path;
  gint stop;                    /* atomic */
  gint n_reads;                 /* atomic */
  MmioError may_fail_with;      /* beside OUT_OF_BOUNDS */
} Crowd;

/* Everybody reads what may not be there any more; all the process may do is say so. */
static gpointer
look_around (gpointer data)
{
  Crowd *crowd = data;
  guint8 buffer[3000];
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  while (!g_atomic_int_get (&crowd->stop))
    {
      guint64 offset = (guint64) g_rand_int_range (random, 0, 200000);
      g_autoptr (GError) error = NULL;
      g_autoptr (MmioView) view = NULL;
      gboolean success;

      switch (g_rand_int_range (random, 0, 3))
        {
        case 0:
          success = mmio_file_read (crowd->file, offset, buffer, sizeof buffer, &error);
          break;

        case 1:
          view = mmio_file_get_view (crowd->file, offset, sizeof buffer, &error);
          success = view != NULL;
          if (success)
            memcpy (buffer, mmio_view_get_pointer (view), sizeof buffer);
          break;

        default:
          success = mmio_file_write (crowd->file, offset, buffer, sizeof buffer, &error);
          break;
        }
      if (!success && !g_error_matches (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS) &&
          !g_error_matches (error, MMIO_ERROR, (gint) crowd->may_fail_with) &&
          /* Who finds the file cut off and grown again at each of many tries is told that. */
          !(crowd->may_fail_with == MMIO_ERROR_TRUNCATED && g_error_matches (error, MMIO_ERROR, MMIO_ERROR_IO)))
        g_assert_no_error (error);
      g_atomic_int_inc (&crowd->n_reads);
      if (g_error_matches (error, MMIO_ERROR, MMIO_ERROR_CLOSED))
        break;
    }
  return NULL;
}

static void
start_crowd (Crowd    *crowd,
             GThread **threads,
             guint     n)
{
  for (guint i = 0; i < n; i++)
    threads[i] = g_thread_new ("look-around", look_around, crowd);
  while (g_atomic_int_get (&crowd->n_reads) < 100)
    g_thread_yield ();
}

static void
end_crowd (Crowd    *crowd,
           GThread **threads,
           guint     n)
{
  g_atomic_int_set (&crowd->stop, TRUE);
  for (guint i = 0; i < n; i++)
    g_thread_join (threads[i]);
  g_test_message ("%d looks", crowd->n_reads);
}

static void
test_resize_under_readers (MmioTest     *t,
                           gconstpointer data)
{
  g_autoptr (MmioFile) created = mmio_test_create (t->path, 100000);
  g_autoptr (MmioFile) file = open_with_reserve (t, MMIO_MODE_READ_WRITE, GPOINTER_TO_SIZE (data));
  Crowd crowd = { .file = file, .may_fail_with = MMIO_ERROR_OUT_OF_BOUNDS };
  GThread *threads[3];

  start_crowd (&crowd, threads, G_N_ELEMENTS (threads));
  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (GError) error = NULL;

      if (!mmio_file_resize (file, (i * 7919) % 200000, &error))
        {
          g_assert_error (error, MMIO_ERROR, MMIO_ERROR_BUSY);
          g_thread_yield ();
        }
    }
  end_crowd (&crowd, threads, G_N_ELEMENTS (threads));
}

static void
test_reload_under_readers (MmioTest     *t,
                           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 100000);
  Crowd crowd = { .file = file, .may_fail_with = MMIO_ERROR_OUT_OF_BOUNDS };
  GThread *threads[3];

  start_crowd (&crowd, threads, G_N_ELEMENTS (threads));
  for (guint i = 0; i < 200; i++)
    {
      g_autofree char *content = g_strnfill (1 + i * 1000, 'x');
      g_autoptr (GError) error = NULL;

      mmio_test_replace (t->path, content, strlen (content));
      mmio_file_reload (file, &error);
      g_assert_no_error (error);
    }
  end_crowd (&crowd, threads, G_N_ELEMENTS (threads));
}

static void
test_truncation_under_readers (MmioTest     *t,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 200000);
  Crowd crowd = { .file = file, .may_fail_with = MMIO_ERROR_TRUNCATED };
  GThread *threads[3];

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  start_crowd (&crowd, threads, G_N_ELEMENTS (threads));
  for (guint i = 0; i < 300; i++)
    {
      mmio_test_truncate (t->path, (i * 7919) % 200000);
      if (i % 5 == 0)
        g_assert_true (mmio_file_refresh (file, NULL));
      mmio_test_truncate (t->path, 200000);
      if (i % 3 == 0)
        g_assert_true (mmio_file_refresh (file, NULL));
    }
  end_crowd (&crowd, threads, G_N_ELEMENTS (threads));
  mmio_test_truncate (t->path, 200000);
  refresh (file, 200000);
  mmio_test_assert_read (file, 199999, mmio_file_peek (file, 199999, 1, NULL), 1);
}

/* Who reads while the file is closed is told so, and the memory that it was about to read is still some memory. */
static void
test_close_under_readers (MmioTest     *t,
                          gconstpointer data)
{
  for (guint i = 0; i < 40; i++)
    {
      g_autoptr (MmioFile) created = NULL;
      g_autoptr (MmioFile) file = NULL;
      Crowd crowd = { .may_fail_with = MMIO_ERROR_CLOSED };
      GThread *threads[3];
      g_autoptr (GError) error = NULL;

      unlink (t->path);
      created = mmio_test_create (t->path, 150000);
      file = open_with_reserve (t, MMIO_MODE_READ_WRITE, GPOINTER_TO_SIZE (data));
      crowd.file = file;
      start_crowd (&crowd, threads, G_N_ELEMENTS (threads));
      if (i % 2 == 0)
        resize (file, 180000);
      g_assert_true (mmio_file_close (file, &error));
      g_assert_no_error (error);
      /* They end by themselves: each meets CLOSED. */
      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        g_thread_join (threads[k]);
    }
}

static gpointer
unref_late (gpointer data)
{
  MmioFile *file = data;
  char byte;

  mmio_file_read (file, 0, &byte, 1, NULL);
  g_object_unref (file);
  return NULL;
}

static void
test_unref_anywhere (MmioTest     *t,
                     gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_write_file (t->path, "hello", 5);
  for (guint i = 0; i < 200; i++)
    {
      MmioFile *file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
      GThread *threads[2];

      if (i % 4 == 0)
        g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        threads[k] = g_thread_new ("unref", unref_late, g_object_ref (file));
      g_object_unref (file);
      for (guint k = 0; k < G_N_ELEMENTS (threads); k++)
        g_thread_join (threads[k]);
    }
}

/* A forked child may read what its parent has mapped, and sees what both write. */
static int
read_in_child (gpointer data)
{
  MmioFile *file = data;

  mmio_test_assert_read (file, 0, "hello", 5);
  write_text (file, 5, "child");
  return 0;
}

static void
test_fork (MmioTest     *t,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10);

  write_text (file, 0, "hello");
  mmio_test_run_child (read_in_child, file, NULL);
  mmio_test_assert_read (file, 0, "hellochild", 10);
  g_assert_true (mmio_file_close (file, NULL));
}

static int
meet_truncation_in_child (gpointer data)
{
  MmioFile *file = data;
  g_autoptr (GError) error = NULL;
  char buffer[100];

  g_assert_false (mmio_file_read (file, 50000, buffer, sizeof buffer, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  return 0;
}

static void
test_fork_and_truncation (MmioTest     *t,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 100000);

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  mmio_test_truncate (t->path, 10);
  mmio_test_run_child (meet_truncation_in_child, file, NULL);
  mmio_test_truncate (t->path, 100000);
  mmio_test_assert_read (file, 50000, "", 1);
}

#define READ_ONLY GUINT_TO_POINTER (MMIO_MODE_READ_ONLY)
#define READ_WRITE GUINT_TO_POINTER (MMIO_MODE_READ_WRITE)
#define COPY_ON_WRITE GUINT_TO_POINTER (MMIO_MODE_COPY_ON_WRITE)
/* As little as can be had: each growth is into a new range. */
#define NO_RESERVE GSIZE_TO_POINTER (1)
#define SOME_RESERVE GSIZE_TO_POINTER (1024 * 1024)

#define add_for_each_mode(name, func) \
  mmio_test_add (name "/read-only", READ_ONLY, func); \
  mmio_test_add (name "/read-write", READ_WRITE, func); \
  mmio_test_add (name "/copy-on-write", COPY_ON_WRITE, func)

#define add_for_each_reserve(name, func) \
  mmio_test_add (name "/automatic-reserve", NULL, func); \
  mmio_test_add (name "/some-reserve", SOME_RESERVE, func); \
  mmio_test_add (name "/no-reserve", NO_RESERVE, func)

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/file/resize/growing-adds-zeros-and-moves-nothing", NULL, test_grow);
  mmio_test_add ("/file/resize/what-was-cut-off-does-not-come-back", NULL, test_shrink);
  add_for_each_reserve ("/file/resize/to-every-kind-of-size", test_all_sizes);
  mmio_test_add ("/file/resize/to-the-same-size-changes-nothing", NULL, test_same_size);
  mmio_test_add ("/file/resize/gives-the-size-whatever-others-did", NULL, test_size_others_changed);
  mmio_test_add ("/file/resize/past-the-reserve-all-views-stay-coherent", NULL, test_past_the_reserve);
  mmio_test_add ("/file/resize/below-a-view-is-busy", NULL, test_busy);
  mmio_test_add ("/file/resize/below-an-empty-view-is-not-busy", NULL, test_empty_view_is_not_busy);
  mmio_test_add ("/file/resize/below-a-view-of-before-the-growth-is-busy", NULL, test_busy_after_growth);
  mmio_test_add ("/file/size/is-notified-when-it-changes", NULL, test_notify);
  mmio_test_add ("/file/resize/past-the-limit-on-file-size-is-an-error-and-no-signal", NULL, test_file_size_limit);
  mmio_test_add ("/file/resize/on-a-full-disk-leaves-all-as-it-was", NULL, test_full_disk);

  add_for_each_mode ("/file/refresh/takes-over-the-size", test_refresh);
  add_for_each_mode ("/file/refresh/to-a-size-far-past-the-reserve", test_refresh_to_much_more);
  add_for_each_mode ("/file/refresh/after-truncation-and-growth-shows-the-file-again", test_truncated_and_back);
  add_for_each_mode ("/file/refresh/often-leaks-nothing", test_refresh_often);

  add_for_each_mode ("/file/reload/shows-the-new-file-and-views-the-old", test_reload);
  mmio_test_add ("/file/reload/of-the-same-file-keeps-its-views", NULL, test_reload_same_file);
  add_for_each_mode ("/file/reload/of-the-same-file-takes-no-range-each", test_reload_same_file_often);
  add_for_each_mode ("/file/reload/failing-changes-nothing", test_reload_failing);
  add_for_each_mode ("/file/reload/heals-what-was-truncated", test_reload_heals);
  add_for_each_mode ("/file/reload/often-leaks-nothing", test_reload_often);
  add_for_each_mode ("/file/reload/under-views-takes-no-more-than-a-range-each", test_reload_with_views);

  add_for_each_reserve ("/file/threads/resize-under-readers", test_resize_under_readers);
  mmio_test_add ("/file/threads/reload-under-readers", NULL, test_reload_under_readers);
  mmio_test_add ("/file/threads/truncation-under-readers", NULL, test_truncation_under_readers);
  add_for_each_reserve ("/file/threads/close-under-readers-is-closed", test_close_under_readers);
  mmio_test_add ("/file/threads/the-last-reference-goes-anywhere", NULL, test_unref_anywhere);
  mmio_test_add ("/file/fork/a-child-may-read-and-write", NULL, test_fork);
  mmio_test_add ("/file/fork/a-child-meets-truncation-as-its-parent-does", NULL, test_fork_and_truncation);

  return g_test_run ();
}
