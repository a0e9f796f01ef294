/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Advice, residency, locks on memory.
 */
#include "config.h"

#include "mmio-test.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static void
test_advice (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_pattern (test->path, 10000);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_write (file, 5000, "kept", 4, &error));

  for (gint advice = MMIO_ADVICE_NORMAL; advice <= (gint) MMIO_ADVICE_DONT_DUMP; advice++)
    {
      if (!mmio_file_advise (file, 1, 9999, (MmioAdvice) advice, &error))
        {
          /* What this system doesn't have it says so of, and nothing else goes wrong. */
          g_assert_true (g_error_matches (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED) ||
                         g_error_matches (error, MMIO_ERROR, MMIO_ERROR_ADVICE_FAILED));
          g_test_message ("%s", error->message);
          g_clear_error (&error);
        }
      mmio_test_assert_read (file, 5000, "kept", 4);
    }

  g_assert_true (mmio_file_advise (file, 10000, 0, MMIO_ADVICE_RANDOM, &error));
  g_assert_false (mmio_file_advise (file, 1, 10000, MMIO_ADVICE_RANDOM, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 1", "length 10000", "size 10000", NULL);
}

static void
test_copy_on_write_keeps_its_pages (MmioTest      *test,
                                    gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_pattern (test->path, 10000);
  file = mmio_test_open (test->path, MMIO_MODE_COPY_ON_WRITE);
  g_assert_true (mmio_file_write (file, 0, "mine", 4, &error));
  g_assert_false (mmio_file_advise (file, 0, 10000, MMIO_ADVICE_DONT_NEED, &error));
  mmio_test_assert_mmio_error (&error, NOT_SUPPORTED, NULL);
  if (!mmio_file_evict (file, 0, 10000, &error))
    g_clear_error (&error);
  mmio_test_assert_read (file, 0, "mine", 4);
}

static void
test_residency (MmioTest      *test,
                gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  const gsize size = 64 * page;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, size);
  g_autoptr (GError) error = NULL;
  guint64 bytes = 1;

  if (!mmio_file_get_resident_bytes (file, 0, size, &bytes, &error) &&
      g_error_matches (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED))
    {
      g_test_skip (error->message);
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (bytes, ==, 0);

  g_assert_true (mmio_file_fill (file, 0, 8 * page, 1, &error));
  g_assert_true (mmio_file_get_resident_bytes (file, 0, size, &bytes, &error));
  g_assert_no_error (error);
  /* The system may fill more of a hole than it was asked to. */
  g_assert_cmpuint (bytes, >=, 8 * page);
  g_assert_true (mmio_file_get_resident_bytes (file, 0, 10, &bytes, &error));
  g_assert_cmpuint (bytes, ==, 10);

  g_assert_true (mmio_file_touch (file, 0, size, &error));
  g_assert_true (mmio_file_get_resident_bytes (file, 0, size, &bytes, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (bytes, ==, size);
}

static gboolean
may_lock_less_than (gsize length)
{
  struct rlimit limit;

  return getrlimit (RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur < length;
}

static void
test_lock (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 2 * page);
  g_autoptr (GError) error = NULL;
  guint64 bytes;

  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("the address sanitizer makes mlock () do nothing");
      return;
    }

  if (!mmio_file_lock_memory (file, 0, page, &error) && may_lock_less_than (page))
    {
      g_test_skip (error->message);
      return;
    }
  g_assert_no_error (error);
  if (mmio_file_get_resident_bytes (file, 0, page, &bytes, NULL))
    g_assert_cmpuint (bytes, ==, page);
  g_assert_true (mmio_file_unlock_memory (file, 0, page, &error));
  g_assert_no_error (error);
}

/* Of the whole process, in bytes. */
static guint64
get_locked_bytes (void)
{
  g_autofree char *contents = NULL;
  const char *found;
  guint64 kilobytes = 0;

  if (g_file_get_contents ("/proc/self/status", &contents, NULL, NULL) && (found = strstr (contents, "\nVmLck:")) != NULL)
    g_assert_cmpint (sscanf (found, "\nVmLck: %" G_GUINT64_FORMAT, &kilobytes), ==, 1);
  return kilobytes * 1024;
}

/* What was locked before the file grew out of its reserve lies in a range that a larger one was put in front of. */
static void
test_unlock_after_growth (MmioTest      *test,
                          gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  const guint64 before = get_locked_bytes ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  gconstpointer base;

  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("the address sanitizer makes mlock () do nothing");
      return;
    }

  mmio_test_write_pattern (test->path, 8 * page);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                         (guint64) 8 * page, NULL);
  g_assert_no_error (error);
  base = mmio_file_peek (file, 0, 1, &error);
  if (!mmio_file_lock_memory (file, 2 * page, 3 * page, &error) && may_lock_less_than (3 * page))
    {
      g_test_skip (error->message);
      return;
    }
  g_assert_no_error (error);
  g_assert_true (mmio_file_resize (file, 64 * page, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_peek (file, 0, 1, &error) != base);
  g_assert_true (mmio_file_unlock_memory (file, 0, 64 * page, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (get_locked_bytes (), ==, before);
}

static void
test_lock_cut_off (MmioTest      *test,
                   gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  const guint64 before = get_locked_bytes ();
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 8 * page);
  g_autoptr (GError) error = NULL;

  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("the address sanitizer makes mlock () do nothing");
      return;
    }

  mmio_test_truncate (test->path, page);
  g_assert_false (mmio_file_lock_memory (file, 0, 8 * page, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, test->path, NULL);
  g_assert_cmpuint (get_locked_bytes (), ==, before);
}

static void
test_evict_locked (MmioTest      *test,
                   gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 256 * page);
  g_autoptr (GError) error = NULL;
  guint64 bytes;

  g_assert_true (mmio_file_fill (file, 0, 256 * page, 'x', &error) && mmio_file_flush (file, &error));
  if (!mmio_file_lock_memory (file, 100 * page, page, &error) && may_lock_less_than (page))
    {
      g_test_skip (error->message);
      return;
    }
  g_assert_no_error (error);
  if (!mmio_file_evict (file, 0, 256 * page, &error))
    {
      mmio_test_assert_mmio_error (&error, NOT_SUPPORTED, NULL);
      g_test_skip ("a file can't be dropped from memory here");
      return;
    }
  if (!mmio_test_has_sanitizer () && mmio_file_get_resident_bytes (file, 100 * page, page, &bytes, NULL))
    g_assert_cmpuint (bytes, ==, page);
  for (gsize i = 0; i < 256; i++)
    g_assert_cmpuint (mmio_file_get_uint8 (file, i * page, &error), ==, 'x');
  g_assert_no_error (error);
}

/* Those that are mapped stay in the cache, and the range in front of which a larger one was put maps them still. */
static void
test_evict_after_growth (MmioTest      *test,
                         gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 bytes = 0;

  mmio_test_write_pattern (test->path, 64 * page);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                         (guint64) 64 * page, NULL);
  g_assert_true (mmio_file_fill (file, 0, 64 * page, 'x', &error) && mmio_file_flush (file, &error));
  g_assert_no_error (error);
  if (!mmio_file_evict (file, 0, 64 * page, NULL) || !mmio_file_get_resident_bytes (file, 0, 64 * page, &bytes, NULL) || bytes > 0)
    {
      g_test_skip ("a file can't be dropped from memory here, or it can't be told");
      return;
    }

  g_assert_true (mmio_file_touch (file, 0, 64 * page, &error));
  g_assert_true (mmio_file_resize (file, 256 * page, &error) && mmio_file_flush (file, &error));
  /* The system may be looking at a page itself at that moment. */
  bytes = 1;
  for (guint i = 0; i < 100 && bytes > 0; i++)
    {
      g_assert_true (mmio_file_evict (file, 0, 64 * page, &error));
      g_assert_true (mmio_file_get_resident_bytes (file, 0, 64 * page, &bytes, &error));
    }
  g_assert_no_error (error);
  g_assert_cmpuint (bytes, ==, 0);
}

/* Of a page that was written to, the file's own is nothing that anybody looks at. */
static void
test_private_residency (MmioTest      *test,
                        gconstpointer  data G_GNUC_UNUSED)
{
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 bytes = 0;

  mmio_test_write_pattern (test->path, 16 * page);
  file = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_fill (file, 0, 16 * page, 1, &error) && mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_clear_object (&file);

  file = mmio_test_open (test->path, MMIO_MODE_COPY_ON_WRITE);
  g_assert_true (mmio_file_fill (file, 0, 16 * page, 2, &error));
  g_assert_no_error (error);
  if (!mmio_file_evict (file, 0, 16 * page, NULL) || !mmio_file_get_resident_bytes (file, 0, 16 * page, &bytes, NULL))
    {
      g_test_skip ("a file can't be dropped from memory here, or it can't be told");
      return;
    }
  g_assert_cmpuint (bytes, >, 0);
}

/* To who may only read a file Linux has told since 5.2 that all of it is in memory, by one of its calls. */
static int
ask_as_somebody_else (gpointer data)
{
  const gsize size = 64 * mmio_test_page_size ();
  g_autoptr (MmioFile) file = mmio_test_create (data, size);
  g_autoptr (MmioFile) other = NULL;
  g_autoptr (GError) error = NULL;
  guint64 bytes = 0;

  g_assert_true (mmio_file_fill (file, 0, size, 1, &error) && mmio_file_flush (file, &error));
  g_assert_no_error (error);
  g_assert_no_errno (chmod (data, 0644));
  other = mmio_test_open (data, MMIO_MODE_READ_ONLY);
  if (!mmio_file_evict (file, 0, size, NULL) || !mmio_file_get_resident_bytes (file, 0, size, &bytes, NULL) || bytes > 0 ||
      geteuid () != 0 || seteuid (65534) != 0)
    return MMIO_TEST_SKIP;

  if (mmio_file_get_resident_bytes (other, 0, size, &bytes, &error))
    g_assert_cmpuint (bytes, ==, 0);
  else
    mmio_test_assert_mmio_error (&error, NOT_SUPPORTED, NULL);
  return 0;
}

static void
test_residency_of_others (MmioTest      *test,
                          gconstpointer  data G_GNUC_UNUSED)
{
  mmio_test_run_child (ask_as_somebody_else, test->path, "a file can't be dropped from memory here, or only by root as somebody else");
}

static int
lock_without_a_limit (gpointer data)
{
  const struct rlimit limit = { 0, 0 };
  g_autoptr (MmioFile) file = mmio_test_create (data, 10000);
  g_autoptr (GError) error = NULL;

  if (setrlimit (RLIMIT_MEMLOCK, &limit) != 0)
    return MMIO_TEST_SKIP;
  /* Root may lock what it likes. */
  if (geteuid () == 0 && seteuid (65534) != 0)
    return MMIO_TEST_SKIP;
  g_assert_false (mmio_file_lock_memory (file, 0, 10000, &error));
  mmio_test_assert_mmio_error (&error, LOCK_FAILED, "RLIMIT_MEMLOCK", NULL);

  return 0;
}

static void
test_lock_limit (MmioTest      *test,
                 gconstpointer  data G_GNUC_UNUSED)
{
  if (mmio_test_has_sanitizer ())
    {
      g_test_skip ("the address sanitizer makes mlock () do nothing");
      return;
    }

  mmio_test_run_child (lock_without_a_limit, test->path, "the limit on locked memory can't be lowered here");
}

static void
test_prefault (MmioTest      *test,
               gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) before = NULL, file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 bytes = 0;

  mmio_test_write_pattern (test->path, 100000);
  before = mmio_test_open (test->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_fill (before, 0, 100000, 1, &error) && mmio_file_flush (before, &error));
  g_assert_no_error (error);
  if (!mmio_file_evict (before, 0, 100000, NULL) || !mmio_file_get_resident_bytes (before, 0, 100000, &bytes, NULL) || bytes == 100000)
    {
      g_test_skip ("a file can't be dropped from memory here, or it can't be told");
      return;
    }

  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "prefault", TRUE, NULL);
  g_assert_no_error (error);
  g_assert_true (mmio_file_get_resident_bytes (file, 0, 100000, &bytes, &error));
  g_assert_cmpuint (bytes, ==, 100000);
}

static void
test_wishes (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 bytes;

  mmio_test_write_pattern (test->path, 100000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "prefault", TRUE, "huge-pages", TRUE, NULL);
  g_assert_no_error (error);
  if (mmio_file_get_resident_bytes (file, 0, 100000, &bytes, NULL))
    g_assert_cmpuint (bytes, ==, 100000);
  /* What is, not what was asked for. */
  g_assert_cmpuint (mmio_file_get_huge_page_bytes (file), <=, 4 << 20);
}

/* VmFlags of the mapping that address lies in: see proc_pid_smaps(5). NULL: not told. */
static char *
get_vm_flags (gconstpointer address)
{
  g_autofree char *contents = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean inside = FALSE;

  if (!g_file_get_contents ("/proc/self/smaps", &contents, NULL, NULL))
    return NULL;
  lines = g_strsplit (contents, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      guint64 from, to;

      if (sscanf (lines[i], "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x ", &from, &to) == 2)
        inside = from <= (guintptr) address && (guintptr) address < to;
      else if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
        return g_strconcat (lines[i], " ", NULL);
    }

  return NULL;
}

static gboolean
wants_huge_pages (MmioFile *file,
                  guint64   offset)
{
  g_autofree char *flags = get_vm_flags (mmio_file_peek (file, offset, 1, NULL));

  return flags != NULL && strstr (flags, " hg ") != NULL;
}

static void
test_huge_pages_are_asked_for_everywhere (MmioTest      *test,
                                          gconstpointer  data G_GNUC_UNUSED)
{
  const guint64 reserve = 64 * 1024 * 1024;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  gconstpointer base;

  mmio_test_write_pattern (test->path, 10000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "huge-pages", TRUE,
                         "reserve-size", reserve, NULL);
  g_assert_no_error (error);
  if (!wants_huge_pages (file, 0))
    {
      g_test_skip ("the system knows no huge pages, or doesn't tell that they were asked for");
      return;
    }

  base = mmio_file_peek (file, 0, 1, NULL);
  g_assert_true (mmio_file_resize (file, reserve, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_peek (file, 0, 1, NULL) == base);
  g_assert_true (wants_huge_pages (file, reserve - 1));
  g_assert_true (mmio_file_resize (file, 2 * reserve, &error));
  g_assert_true (mmio_file_peek (file, 0, 1, NULL) != base);
  g_assert_true (wants_huge_pages (file, 0) && wants_huge_pages (file, 2 * reserve - 1));
  g_assert_true (mmio_file_reload (file, &error));
  g_assert_no_error (error);
  g_assert_true (wants_huge_pages (file, 0) && wants_huge_pages (file, 2 * reserve - 1));
}

static gpointer
ask_until_closed (gpointer data)
{
  MmioFile *file = data;
  g_autoptr (GError) error = NULL;
  guint64 bytes;

  /* What the descriptor stands for is the file or, once it is closed, not asked for: never somebody else's file. */
  while (mmio_file_get_resident_bytes (file, 0, 10000, &bytes, &error) && mmio_file_evict (file, 0, 10000, &error))
    ;
  if (!g_error_matches (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED))
    mmio_test_assert_mmio_error (&error, CLOSED, NULL);

  return NULL;
}

static void
test_closed_meanwhile (MmioTest      *test,
                       gconstpointer  data G_GNUC_UNUSED)
{
  mmio_test_write_pattern (test->path, 10000);
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (MmioFile) file = mmio_test_open (test->path, MMIO_MODE_READ_ONLY);
      g_autoptr (GError) error = NULL;
      GThread *thread = g_thread_new ("asker", ask_until_closed, file);

      if (i % 4 == 0)
        g_assert_true (mmio_file_reload (file, &error));
      g_assert_true (mmio_file_close (file, &error));
      g_assert_no_error (error);
      g_thread_join (thread);
    }
}

/* What this process has made dirty, in bytes; see proc_pid_io(5). */
static gboolean
get_bytes_to_write (guint64 *bytes)
{
  g_autofree char *contents = NULL;
  const char *found;

  if (!g_file_get_contents ("/proc/self/io", &contents, NULL, NULL))
    return FALSE;
  found = strstr (contents, "\nwrite_bytes: ");
  return found != NULL && sscanf (found, "\nwrite_bytes: %" G_GUINT64_FORMAT, bytes) == 1;
}

#define CHANGED_PAGES 256
#define PAGES_APART 16

/* How much changes in a page here and there come to, in a file that has been read before. FALSE: that can't be told, or not without what write () has left in memory. */
static gboolean
change_here_and_there (const char *path,
                       gboolean    advise,
                       guint64    *bytes)
{
  const gsize size = CHANGED_PAGES * PAGES_APART * mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 before, resident;
  guint8 byte;

  mmio_test_write_pattern (path, size);
  file = mmio_test_open (path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_fill (file, 0, size, 1, &error) && mmio_file_flush (file, &error));
  g_assert_no_error (error);
  if (!mmio_file_evict (file, 0, size, NULL) || !mmio_file_get_resident_bytes (file, 0, size, &resident, NULL) || resident > 0 ||
      !get_bytes_to_write (&before))
    return FALSE;

  if (advise)
    g_assert_true (mmio_file_advise (file, 0, size, MMIO_ADVICE_RANDOM, &error));
  g_assert_no_error (error);
  /* In order, page by page: the pages come with the more of their neighbours the longer this goes on. */
  for (gsize offset = 0; offset < size; offset += mmio_test_page_size ())
    g_assert_true (mmio_file_read (file, offset, &byte, 1, &error));
  for (gsize page = 0; page < CHANGED_PAGES; page++)
    g_assert_true (mmio_file_write (file, page * PAGES_APART * mmio_test_page_size (), "changed", 7, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  g_assert_true (get_bytes_to_write (bytes));
  *bytes -= before;

  return TRUE;
}

static void
test_random_pages_are_written_alone (MmioTest      *test,
                                     gconstpointer  data G_GNUC_UNUSED)
{
  const guint64 least = CHANGED_PAGES * mmio_test_page_size ();
  guint64 usual, advised;

  if (!change_here_and_there (test->path, FALSE, &usual) || !change_here_and_there (test->path, TRUE, &advised))
    {
      g_test_skip ("a file can't be dropped from memory here, or it can't be told");
      return;
    }
  g_test_message ("%" G_GUINT64_FORMAT " bytes, advised %" G_GUINT64_FORMAT, usual, advised);
  /* The file system may have something of its own to note down. */
  if (usual <= least + least / 4)
    g_test_skip ("this file system writes no more than the pages that were changed");
  else
    g_assert_cmpuint (advised, <=, least + least / 4);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/memory/advice-changes-no-byte", NULL, test_advice);
  mmio_test_add ("/memory/advice-keeps-private-pages", NULL, test_copy_on_write_keeps_its_pages);
  mmio_test_add ("/memory/residency", NULL, test_residency);
  mmio_test_add ("/memory/closed-meanwhile-is-closed", NULL, test_closed_meanwhile);
  mmio_test_add ("/memory/random-pages-are-written-alone", NULL, test_random_pages_are_written_alone);
  mmio_test_add ("/memory/lock", NULL, test_lock);
  mmio_test_add ("/memory/lock-names-the-limit", NULL, test_lock_limit);
  mmio_test_add ("/memory/unlock-lets-go-of-what-was-locked-before-the-file-grew", NULL, test_unlock_after_growth);
  mmio_test_add ("/memory/lock-of-what-is-cut-off-says-so", NULL, test_lock_cut_off);
  mmio_test_add ("/memory/evict-leaves-what-is-locked", NULL, test_evict_locked);
  mmio_test_add ("/memory/evict-drops-what-came-in-before-the-file-grew", NULL, test_evict_after_growth);
  mmio_test_add ("/memory/residency-of-private-pages", NULL, test_private_residency);
  mmio_test_add ("/memory/residency-of-somebody-elses-file-is-true-or-an-error", NULL, test_residency_of_others);
  mmio_test_add ("/memory/prefault-reads-all-of-it", NULL, test_prefault);
  mmio_test_add ("/memory/prefault-and-huge-pages-are-wishes", NULL, test_wishes);
  mmio_test_add ("/memory/huge-pages-are-asked-for-wherever-the-file-is-mapped", NULL, test_huge_pages_are_asked_for_everywhere);

  return g_test_run ();
}
