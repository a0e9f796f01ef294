/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Views: windows that stay where they are, whatever becomes of the file.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static MmioView *
get_view (MmioFile *file,
          guint64   offset,
          gsize     length,
          gboolean  writable)
{
  g_autoptr (GError) error = NULL;
  MmioView *view = writable ? mmio_file_get_writable_view (file, offset, length, &error)
                            : mmio_file_get_view (file, offset, length, &error);

  g_assert_no_error (error);
  g_assert_nonnull (view);
  return view;
}

static void
assert_view (MmioView     *view,
             gconstpointer data,
             gsize         length)
{
  gsize n;
  gconstpointer found = mmio_view_get_data (view, &n);

  g_assert_cmpmem (found, n, data, length);
  g_assert_true (found == mmio_view_get_pointer (view));
  g_assert_cmpuint (mmio_view_get_length (view), ==, length);
}

static void
test_window (MmioTest     *t,
             gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (MmioView) writable = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "0123456789", 10);
  file = mmio_test_open (t->path, mode);
  view = get_view (file, 2, 5, FALSE);
  g_assert_cmpuint (mmio_view_get_offset (view), ==, 2);
  g_assert_false (mmio_view_is_writable (view));
  assert_view (view, "23456", 5);
  g_assert_true (mmio_view_check (view, &error));
  g_assert_no_error (error);

  writable = mmio_file_get_writable_view (file, 2, 5, &error);
  if (mode == MMIO_MODE_READ_ONLY)
    {
      g_assert_null (writable);
      mmio_test_assert_mmio_error (&error, WRONG_MODE, t->path, NULL);
      return;
    }
  g_assert_no_error (error);
  g_assert_true (mmio_view_is_writable (writable));
  memcpy (mmio_view_get_pointer (writable), "abc", 3);
  assert_view (view, "abc56", 5);
  mmio_test_assert_read (file, 0, "01abc56789", 10);
  mmio_test_assert_file (t->path, mode == MMIO_MODE_READ_WRITE ? "01abc56789" : "0123456789", 10);
}

static void
test_sub (MmioTest     *t,
          gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (MmioView) part = NULL;
  g_autoptr (MmioView) part_of_part = NULL;
  g_autoptr (MmioView) nothing = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "0123456789", 10);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = get_view (file, 1, 8, TRUE);
  part = mmio_view_sub (view, 2, 5, &error);
  part_of_part = mmio_view_sub (part, 1, 2, &error);
  nothing = mmio_view_sub (part, 5, 0, &error);
  g_assert_no_error (error);
  assert_view (part, "34567", 5);
  assert_view (part_of_part, "45", 2);
  assert_view (nothing, "", 0);
  g_assert_cmpuint (mmio_view_get_offset (part), ==, 3);
  g_assert_cmpuint (mmio_view_get_offset (part_of_part), ==, 4);
  g_assert_cmpuint (mmio_view_get_offset (nothing), ==, 8);
  g_assert_true (mmio_view_is_writable (part_of_part));

  /* Each has its own hold. */
  mmio_view_release (view);
  mmio_view_release (part);
  assert_view (part_of_part, "45", 2);
  g_assert_false (mmio_file_resize (file, 5, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
  g_assert_true (mmio_file_resize (file, 8, &error));
  mmio_view_release (part_of_part);
  mmio_view_release (nothing);
  g_assert_true (mmio_file_resize (file, 0, &error));
  g_assert_no_error (error);
}

static void
test_release (MmioTest     *t,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GBytes) behind = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  mmio_test_write_file (t->path, "0123456789", 10);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = get_view (file, 0, 10, FALSE);
  before = mmio_view_get_bytes (view);
  mmio_view_release (view);
  mmio_view_release (view);
  g_assert_cmpuint (mmio_view_get_length (view), ==, 0);
  g_assert_null (mmio_view_get_pointer (view));
  g_assert_null (mmio_view_get_data (view, &length));
  g_assert_cmpuint (length, ==, 0);
  g_assert_true (mmio_view_check (view, &error));
  behind = mmio_view_get_bytes (view);
  g_assert_cmpuint (g_bytes_get_size (behind), ==, 0);

  g_assert_cmpmem (g_bytes_get_data (before, NULL), g_bytes_get_size (before), "0123456789", 10);
  g_assert_false (mmio_file_resize (file, 9, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
  g_clear_pointer (&before, g_bytes_unref);
  g_assert_true (mmio_file_resize (file, 9, &error));
  g_assert_no_error (error);
}

static void
test_references (MmioTest     *t,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10);
  MmioView *view = get_view (file, 0, 10, FALSE);
  GValue value = G_VALUE_INIT;
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_view_ref (view) == view);
  mmio_view_unref (view);
  g_value_init (&value, MMIO_TYPE_VIEW);
  g_value_set_boxed (&value, view);
  g_assert_true (g_value_get_boxed (&value) == view);
  mmio_view_unref (view);
  g_assert_false (mmio_file_resize (file, 0, &error));
  mmio_test_assert_mmio_error (&error, BUSY, NULL);
  g_value_unset (&value);
  g_assert_true (mmio_file_resize (file, 0, &error));
  g_assert_no_error (error);
}

/* Bytes and views outlive the object that made them, its name and its file. */
static void
test_outlive (MmioTest     *t,
              gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_pattern (t->path, 50000);
  {
    g_autoptr (MmioFile) file = mmio_test_open (t->path, mode);

    bytes = mmio_file_get_bytes (file, 40000, 1000, NULL);
    view = get_view (file, 45000, 1000, FALSE);
  }
  g_assert_no_errno (unlink (t->path));
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (bytes, NULL))[999], ==, 40999 % 251);
  g_assert_cmpuint (((const guint8 *) mmio_view_get_pointer (view))[999], ==, 45999 % 251);
  g_assert_true (mmio_view_check (view, &error));
  g_assert_no_error (error);
}

static void
test_outlive_close (MmioTest     *t,
                    gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (MmioView) part = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  guint8 *pointer;
  int fd;

  mmio_test_write_pattern (t->path, 50000);
  file = mmio_test_open (t->path, mode);
  fd = mmio_file_get_fd (file);
  view = get_view (file, 40000, 1000, mode != MMIO_MODE_READ_ONLY);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  /* The descriptor is gone; the memory isn't. */
  g_assert_cmpint (fcntl (fd, F_GETFD), ==, -1);
  g_assert_cmpint (mmio_file_get_fd (file), ==, -1);
  pointer = mmio_view_get_pointer (view);
  g_assert_cmpuint (pointer[999], ==, 40999 % 251);
  part = mmio_view_sub (view, 100, 100, &error);
  g_assert_no_error (error);
  bytes = mmio_view_get_bytes (part);
  g_assert_cmpuint (((const guint8 *) g_bytes_get_data (bytes, NULL))[0], ==, 40100 % 251);
  if (mode == MMIO_MODE_READ_WRITE)
    {
      pointer[0] = '!';
      mmio_test_write_at (t->path, 40001, "?", 1);
      g_assert_cmpuint (pointer[1], ==, '?');
    }
  g_assert_true (mmio_view_check (view, &error));
  mmio_view_release (view);
  g_assert_cmpuint (((const guint8 *) mmio_view_get_pointer (part))[0], ==, 40100 % 251);
}

/* After a close nobody holds the file up: its blocks go when the last view goes, not when the object does. */
static gboolean
is_mapped (const char *path)
{
  g_autofree char *maps = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  return strstr (maps, path) != NULL;
}

static void
test_close_lets_go (MmioTest     *t,
                    gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;

  mmio_test_write_pattern (t->path, 50000);
  file = mmio_test_open (t->path, mode);
  g_assert_true (is_mapped (t->path));
  view = get_view (file, 40000, 1000, FALSE);
  g_assert_true (mmio_file_close (file, NULL));
  g_assert_true (is_mapped (t->path));
  mmio_view_release (view);
  g_assert_false (is_mapped (t->path));
}

/* And where there is none, at once. */
static void
test_close_gives_back (MmioTest     *t,
                       gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10000);

  g_assert_true (is_mapped (t->path));
  g_assert_true (mmio_file_close (file, NULL));
  g_assert_false (is_mapped (t->path));
}

static void
test_replaced_file_goes (MmioTest     *t,
                         gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autofree char *deleted = g_strconcat (t->path, " (deleted)", NULL);

  mmio_test_write_pattern (t->path, 50000);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = get_view (file, 40000, 1000, FALSE);
  mmio_test_replace (t->path, "new", 3);
  g_assert_true (mmio_file_reload (file, NULL));
  g_assert_true (is_mapped (deleted));
  g_assert_cmpuint (((const guint8 *) mmio_view_get_pointer (view))[999], ==, 40999 % 251);
  mmio_view_release (view);
  g_assert_false (is_mapped (deleted));
  mmio_test_assert_read (file, 0, "new", 3);
}

/* A writable view of the file that was replaced is the old file's affair. */
static void
test_writable_view_of_old_file (MmioTest     *t,
                                gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioFile) old = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "0123456789", 10);
  old = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = get_view (file, 0, 10, TRUE);
  mmio_test_replace (t->path, "abcdefghij", 10);
  g_assert_true (mmio_file_reload (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  memcpy (mmio_view_get_pointer (view), "XX", 2);
  mmio_test_assert_read (old, 0, "XX23456789", 10);
  mmio_test_assert_read (file, 0, "abcdefghij", 10);
  g_assert_true (mmio_file_resize (file, 5, &error));
  mmio_view_release (view);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
}

static gboolean
view_is_hit (MmioView *view)
{
  g_autoptr (GError) error = NULL;

  if (mmio_view_check (view, &error))
    {
      g_assert_no_error (error);
      return FALSE;
    }
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  return TRUE;
}

/* A fault is told to the views that it hit, and to no others. */
static void
test_check_is_for_each (MmioTest     *t,
                        gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) front = NULL;
  g_autoptr (MmioView) hit = NULL;
  g_autoptr (MmioView) other = NULL;
  g_autoptr (MmioView) part = NULL;
  g_autoptr (MmioView) late = NULL;

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  mmio_test_write_pattern (t->path, 100 * page);
  file = mmio_test_open (t->path, mode);
  front = get_view (file, 0, page, FALSE);
  hit = get_view (file, 10 * page, 10 * page, FALSE);
  other = get_view (file, 50 * page, page, FALSE);
  mmio_test_truncate (t->path, 5 * page);
  g_assert_false (view_is_hit (hit));
  g_assert_cmpuint (((volatile guint8 *) mmio_view_get_pointer (hit))[3 * page], ==, 0);
  g_assert_true (view_is_hit (hit));
  g_assert_false (view_is_hit (front));
  g_assert_false (view_is_hit (other));
  part = mmio_view_sub (hit, 0, page, NULL);
  late = mmio_view_sub (hit, 3 * page, page, NULL);
  g_assert_false (view_is_hit (part));
  g_assert_true (view_is_hit (late));

  mmio_test_truncate (t->path, 100 * page);
  g_assert_true (mmio_file_refresh (file, NULL));
  g_assert_false (view_is_hit (hit));
  g_assert_false (view_is_hit (late));
  g_assert_cmpuint (((volatile guint8 *) mmio_view_get_pointer (hit))[3 * page], ==, 0);
}

/* A copy of the same range has put the file's page back: the view showed zeros all the same, and says so until a refresh. */
static void
test_check_remembers (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL, empty = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  mmio_test_write_pattern (t->path, 10 * page);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = get_view (file, 0, 10 * page, FALSE);
  empty = get_view (file, 5 * page + 1, 0, TRUE);
  mmio_test_truncate (t->path, page);
  g_assert_cmpuint (((volatile guint8 *) mmio_view_get_pointer (view))[5 * page], ==, 0);
  mmio_test_write_pattern (t->path, 10 * page);
  g_assert_true (mmio_file_read (file, 5 * page, &byte, 1, &error));
  g_assert_no_error (error);
  g_assert_false (mmio_view_check (view, &error));
  mmio_test_assert_error (&error, MMIO_ERROR, error->code, t->path, NULL);
  /* Of nothing nothing can have been lost, by looking or by storing. */
  g_assert_true (mmio_view_check (empty, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_true (mmio_view_check (view, &error));
  g_assert_no_error (error);
}

typedef struct
{
  MmioFile *file;
  gint n_running;
} Pinning;

static gpointer
pin_and_release (gpointer data)
{
  Pinning *pinning = data;

  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (MmioView) view = mmio_file_get_view (pinning->file, i % 900, 100, NULL);
      g_autoptr (MmioView) part = NULL;

      if (view == NULL)
        continue;
      part = mmio_view_sub (view, 10, 10, NULL);
      if (i % 2 == 0)
        mmio_view_release (view);
      g_assert_nonnull (part);
      g_assert_cmpuint (mmio_view_get_length (part), ==, 10);
    }
  g_atomic_int_add (&pinning->n_running, -1);
  return NULL;
}

static void
test_pins_of_many_threads (MmioTest     *t,
                           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 1000);
  Pinning pinning = { file, 4 };
  GThread *threads[4];
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("pin", pin_and_release, &pinning);
  while (g_atomic_int_get (&pinning.n_running) > 0)
    {
      g_autoptr (GError) local_error = NULL;

      if (!mmio_file_resize (file, 0, &local_error))
        g_assert_error (local_error, MMIO_ERROR, MMIO_ERROR_BUSY);
      g_assert_true (mmio_file_resize (file, 1000, NULL));
    }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_assert_true (mmio_file_resize (file, 0, &error));
  g_assert_no_error (error);
}

#define READ_ONLY GUINT_TO_POINTER (MMIO_MODE_READ_ONLY)
#define READ_WRITE GUINT_TO_POINTER (MMIO_MODE_READ_WRITE)
#define COPY_ON_WRITE GUINT_TO_POINTER (MMIO_MODE_COPY_ON_WRITE)

#define add_for_each_mode(name, func) \
  mmio_test_add (name "/read-only", READ_ONLY, func); \
  mmio_test_add (name "/read-write", READ_WRITE, func); \
  mmio_test_add (name "/copy-on-write", COPY_ON_WRITE, func)

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  add_for_each_mode ("/view/shows-its-range-and-keeps-to-the-mode", test_window);
  mmio_test_add ("/view/close-gives-back-what-no-view-shows", NULL, test_close_gives_back);
  mmio_test_add ("/view/sub/has-its-own-hold", NULL, test_sub);
  mmio_test_add ("/view/release/lets-go-once", NULL, test_release);
  mmio_test_add ("/view/the-last-reference-lets-go", NULL, test_references);
  add_for_each_mode ("/view/outlives-the-object-and-the-file", test_outlive);
  add_for_each_mode ("/view/outlives-close", test_outlive_close);
  add_for_each_mode ("/view/the-last-one-after-close-lets-go-of-the-file", test_close_lets_go);
  mmio_test_add ("/view/the-last-one-of-a-replaced-file-lets-go-of-it", NULL, test_replaced_file_goes);
  mmio_test_add ("/view/of-a-replaced-file-writes-to-that-one", NULL, test_writable_view_of_old_file);
  add_for_each_mode ("/view/check/tells-the-views-that-were-hit", test_check_is_for_each);
  mmio_test_add ("/view/check/remembers-until-refresh", NULL, test_check_remembers);
  mmio_test_add ("/view/pins-of-many-threads", NULL, test_pins_of_many_threads);

  return g_test_run ();
}
