/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Faults that other processes cause, as the public interface tells of them.
 */
#include "config.h"

#include "mmio-test.h"

#include <signal.h>
#include <string.h>

typedef struct
{
  GThread *thread;              /* the signal came in */
  guint n;
  guint64 offset;
  guint64 length;
} Heard;

static void
on_fault (MmioFile *file G_GNUC_UNUSED,
          guint64   offset,
          guint64   length,
          gpointer  user_data)
{
  Heard *heard = user_data;

  heard->thread = g_thread_self ();
  heard->n++;
  heard->offset = offset;
  heard->length = length;
}

static gboolean
was_heard (gpointer data)
{
  return ((Heard *) data)->n > 0;
}

static gboolean
is_zero (const guint8 *bytes,
         gsize         length)
{
  for (gsize i = 0; i < length; i++)
    if (bytes[i] != 0)
      return FALSE;
  return TRUE;
}

static void
test_view (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL, whole = NULL;
  g_autoptr (GError) error = NULL;
  Heard heard = { NULL };

  mmio_test_write_pattern (test->path, 4 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_ONLY);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), &heard);
  view = mmio_file_get_view (file, 2 * page, page, &error);
  whole = mmio_file_get_view (file, 0, page, &error);

  mmio_test_truncate (test->path, page);
  g_assert_true (is_zero (mmio_view_get_pointer (view), page));
  g_assert_false (mmio_view_check (view, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, "truncated", NULL);
  g_assert_true (mmio_view_check (whole, &error));

  mmio_test_wait_until (NULL, was_heard, &heard);
  g_assert_cmpuint (heard.n, ==, 1);
  g_assert_cmpuint (heard.offset, ==, 2 * page);
  g_assert_cmpuint (heard.length, ==, page);

  /* It grows back, and the view shows it again. */
  mmio_test_write_pattern (test->path, 4 * page);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_view_check (view, &error));
  g_assert_cmpuint (((guint8 *) mmio_view_get_pointer (view))[1], ==, (2 * page + 1) % 251);
}

/* Whatever looks at the file's memory by itself has faults heard of, without a view or a watch beside it. */
static void
test_atomic_is_heard (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioAtomicU64) atomic = NULL;
  g_autoptr (GError) error = NULL;
  Heard heard = { NULL };

  mmio_test_write_pattern (test->path, 2 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), &heard);
  atomic = mmio_file_get_atomic_u64 (file, page, 1, &error);
  g_assert_no_error (error);
  mmio_test_truncate (test->path, 0);
  g_assert_cmpuint (mmio_atomic_u64_load (atomic, 0), ==, 0);
  g_assert_false (mmio_atomic_u64_check (atomic, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  mmio_test_wait_until (NULL, was_heard, &heard);
  g_assert_cmpuint (heard.offset, ==, page);
}

static void
test_edits_are_heard (MmioTest      *test,
                      gconstpointer  data)
{
  const gsize page = mmio_test_page_size ();
  const char *what = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  Heard heard = { NULL };

  mmio_test_write_pattern (test->path, 4 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), &heard);
  mmio_test_truncate (test->path, page);
  if (g_str_equal (what, "fill"))
    g_assert_false (mmio_file_fill (file, 2 * page, page, 1, &error));
  else if (g_str_equal (what, "move"))
    g_assert_false (mmio_file_move (file, 0, 2 * page, page, &error));
  else
    g_assert_cmpint (mmio_file_find (file, "not there", 9, 0, G_MAXUINT64, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
  mmio_test_wait_until (NULL, was_heard, &heard);
  g_assert_cmpuint (heard.offset + heard.length, >, page);
}

static gpointer
look_and_wait (gpointer data)
{
  MmioFile *file = data;
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  Heard heard = { NULL };

  g_main_context_push_thread_default (context);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), &heard);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  view = mmio_file_get_view (file, 0, mmio_file_get_size (file), &error);
  g_assert_no_error (error);
  mmio_test_truncate (mmio_file_get_path (file), 0);
  g_assert_true (is_zero (mmio_view_get_pointer (view), mmio_view_get_length (view)));

  mmio_test_wait_until (context, was_heard, &heard);
  g_assert_true (heard.thread == g_thread_self ());
  mmio_file_unwatch (file);
  g_main_context_pop_thread_default (context);

  return NULL;
}

static void
test_context (MmioTest      *test,
              gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_pattern (test->path, mmio_test_page_size ());
  file = mmio_test_open (test->path, MMIO_MODE_READ_ONLY);
  g_thread_join (g_thread_new ("looks", look_and_wait, file));
}

static void
test_copies (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *size = g_strdup_printf ("%" G_GSIZE_FORMAT, page);
  Heard heard = { NULL };
  guint8 byte = 7;

  mmio_test_write_pattern (test->path, 4 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), &heard);
  mmio_test_truncate (test->path, page);

  g_assert_false (mmio_file_read (file, 3 * page, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, size, NULL);
  g_assert_false (mmio_file_write (file, 3 * page, &byte, 1, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, size, NULL);
  g_assert_false (mmio_file_fill (file, 3 * page, 1, 0, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, size, NULL);
  g_assert_false (mmio_file_move (file, 0, 3 * page, 1, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, size, NULL);
  g_assert_cmpint (mmio_file_find (file, "x", 1, 0, G_MAXUINT64, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, TRUNCATED, size, NULL);
  g_assert_false (mmio_file_touch (file, 0, 4 * page, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, size, NULL);
  mmio_test_wait_until (NULL, was_heard, &heard);

  /* What is left can be read as before, and what has grown back too. */
  g_assert_true (mmio_file_read (file, 1, &byte, 1, &error));
  g_assert_cmpuint (byte, ==, 1);
  mmio_test_write_pattern (test->path, 4 * page);
  g_assert_true (mmio_file_read (file, 3 * page, &byte, 1, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (byte, ==, 3 * page % 251);
}

static void
test_last_page (MmioTest      *test,
                gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_pattern (test->path, 1000);
  file = mmio_test_open (test->path, MMIO_MODE_READ_ONLY);
  view = mmio_file_get_view (file, 0, 1000, &error);
  mmio_test_truncate (test->path, 500);

  /* No fault, so nothing to tell: the tail of the page reads as zeros. */
  g_assert_true (is_zero ((guint8 *) mmio_view_get_pointer (view) + 500, 500));
  g_assert_true (mmio_view_check (view, &error));
  g_assert_no_error (error);
}

/* A write into what is left of the last page succeeds, and is on no disk. */
static void
test_flush_of_what_was_cut_off (MmioTest      *test,
                                gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000);
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  const gsize page = mmio_test_page_size ();

  mmio_test_truncate (test->path, 100);
  g_assert_true (mmio_file_write (file, 500, "lost", 4, &error));
  g_assert_no_error (error);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, "offset 500", "length 4", "truncated to 100", NULL);
  /* It is no failure of the disk: what is there can be flushed once the size is known. */
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);

  /* A store that went into a zero page, also where the file has grown back and a copy has put its page back. */
  g_assert_true (mmio_file_resize (file, 2 * page, &error));
  view = mmio_file_get_writable_view (file, page, 4, &error);
  mmio_test_truncate (test->path, 0);
  memcpy (mmio_view_get_pointer (view), "lost", 4);
  mmio_test_truncate (test->path, 2 * page);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  mmio_test_assert_read (file, page, "\0\0\0\0", 4);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
}

static int
map_without_guard (gpointer data)
{
  g_autoptr (GError) error = NULL;
  struct sigaction action;
  MmioFile *file;

  mmio_set_fault_guard (FALSE);
  g_assert_false (mmio_get_fault_guard ());
  file = mmio_test_create (data, 3 * mmio_test_page_size ());
  g_assert_no_errno (sigaction (SIGBUS, NULL, &action));
  g_assert_true (action.sa_handler == SIG_DFL);

  /* A shrink of one's own hurts nobody, guard or no guard. */
  g_assert_true (mmio_file_fill (file, 0, 3 * mmio_test_page_size (), 1, &error));
  g_assert_nonnull (mmio_file_peek (file, 2 * mmio_test_page_size (), 1, &error));
  {
    const guint8 *tail = mmio_file_peek (file, 2 * mmio_test_page_size (), 1, &error);

    g_assert_true (mmio_file_resize (file, 1, &error));
    g_assert_cmpuint (tail[0], ==, 0);
    g_assert_true (mmio_file_resize (file, 3 * mmio_test_page_size (), &error));
    g_assert_true (mmio_file_write (file, 2 * mmio_test_page_size (), "x", 1, &error));
    g_assert_cmpuint (tail[0], ==, 'x');
  }
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  mmio_test_truncate (data, 2 * mmio_test_page_size () + 1);
  g_object_unref (file);

  return 0;
}

static void
test_without_guard (MmioTest      *test,
                    gconstpointer  data G_GNUC_UNUSED)
{
  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("the sanitizer has a handler of its own");
      return;
    }
  g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (map_without_guard, test->path)), ==, 0);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  /* First: no file has been mapped in this process yet. */
  mmio_test_add ("/fault/guard-switched-off-stays-out", NULL, test_without_guard);
  mmio_test_add ("/fault/an-atomic-alone-is-heard", NULL, test_atomic_is_heard);
  mmio_test_add ("/fault/of-a-fill-is-heard", "fill", test_edits_are_heard);
  mmio_test_add ("/fault/of-a-move-is-heard", "move", test_edits_are_heard);
  mmio_test_add ("/fault/of-a-find-is-heard", "find", test_edits_are_heard);
  mmio_test_add ("/fault/view/zeros-check-fails-and-signal-comes-once", NULL, test_view);
  mmio_test_add ("/fault/signal-comes-in-the-context-of-the-watch", NULL, test_context);
  mmio_test_add ("/fault/copies-say-truncated", NULL, test_copies);
  mmio_test_add ("/fault/inside-the-last-page-is-none", NULL, test_last_page);
  mmio_test_add ("/fault/flush-of-what-was-cut-off-is-an-error", NULL, test_flush_of_what_was_cut_off);

  return g_test_run ();
}
