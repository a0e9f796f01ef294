/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ten thousand files at once, and one that is larger than any memory: what they cost the process, and that they work.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif

#define N_FILES 10000
#define MOST_HEAP 2048
#define TIB (G_GUINT64_CONSTANT (1) << 40)

/* What malloc has given out. 0: not known. */
static gsize
get_heap (void)
{
#ifdef HAVE_MALLINFO2
  if (!mmio_test_has_sanitizer ())
    {
      struct mallinfo2 info = mallinfo2 ();

      return info.uordblks + info.hblkhd;
    }
#endif
  return 0;
}

static void
test_many_files (MmioTest      *test,
                 gconstpointer  data)
{
  const MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  const gboolean writable = mode == MMIO_MODE_READ_WRITE;
  g_autofree MmioFile **files = g_new0 (MmioFile *, N_FILES);
  struct rlimit limit, old_limit;
  gsize before, after;
  guint fds;

  if (writable && (sizeof (gpointer) < 8 || mmio_test_has_sanitizer ()))
    {
      g_test_skip ("addresses are few, or a sanitizer shadows them all: not with a reserve for each");
      return;
    }
  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &old_limit));
  limit = old_limit;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < N_FILES + 100)
    {
      g_test_skip ("RLIMIT_NOFILE doesn't allow as many");
      return;
    }

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *path = mmio_test_in_folder (test, name);

      mmio_test_write_file (path, &i, sizeof i);
    }
  /* The first one has the library make what all of them share. */
  mmio_test_write_file (test->path, "", 0);
  g_object_unref (mmio_test_open (test->path, MMIO_MODE_READ_ONLY));

  fds = mmio_test_count_fds ();
  before = get_heap ();
  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *path = mmio_test_in_folder (test, name);

      files[i] = mmio_test_open (path, mode);
    }
  after = get_heap ();

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autoptr (GError) error = NULL;

      mmio_test_assert_read (files[i], 0, &i, sizeof i);
      if (writable)
        g_assert_true (mmio_file_resize (files[i], 8192, &error) && mmio_file_write (files[i], 8000, &i, sizeof i, &error));
      g_assert_no_error (error);
    }
  for (guint i = 0; writable && i < N_FILES; i++)
    mmio_test_assert_read (files[i], 8000, &i, sizeof i);
  for (guint i = 0; i < N_FILES; i++)
    g_clear_object (&files[i]);
  g_assert_cmpuint (mmio_test_count_fds (), ==, fds);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &old_limit));

  g_test_message ("%" G_GSIZE_FORMAT " bytes of heap a file", (after - before) / N_FILES);
  if (before != 0)
    g_assert_cmpuint ((after - before) / N_FILES, <=, MOST_HEAP);
}

static void
test_sparse (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioAtomicU64) atomic = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  gsize before = get_heap ();
  struct stat buffer;
  guint64 bytes;

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the thread sanitizer leaves no such room in the address space");
      return;
    }
  file = mmio_file_create (test->path, TIB, MMIO_CREATE_FLAGS_NONE, &error);
  if (sizeof (gpointer) < 8)
    {
      mmio_test_assert_io_error (&error, FAILED, "1099511627776", "address space", NULL);
      return;
    }
  if (g_error_matches (error, G_IO_ERROR, (gint) g_io_error_from_errno (EFBIG)))
    {
      g_test_skip ("the file system has no files as large");
      return;
    }
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_test_file_size (test->path), ==, TIB);

  g_assert_true (mmio_file_write (file, TIB - 6, "needle", 6, &error));
  mmio_test_assert_read (file, TIB - 8, "\0\0needle", 8);
  g_assert_false (mmio_file_write (file, TIB - 5, "needle", 6, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 1099511627771", "length 6", "size 1099511627776", NULL);
  g_assert_cmpint (mmio_file_find_last (file, "needle", 6, 0, G_MAXUINT64, &error), ==, TIB - 6);
  g_assert_no_error (error);
  view = mmio_file_get_view (file, 0, TIB, &error);
  g_assert_no_error (error);
  g_assert_cmpmem ((const guint8 *) mmio_view_get_pointer (view) + TIB - 6, 6, "needle", 6);
  atomic = mmio_file_get_atomic_u64 (file, TIB / 2, 1, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_atomic_u64_add (atomic, 0, 1), ==, 0);
  g_assert_cmpuint (mmio_file_get_uint64 (file, TIB / 2, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, &error), ==, 1);
  if (mmio_file_get_resident_bytes (file, TIB - (1 << 20), 1 << 20, &bytes, NULL))
    g_assert_cmpuint (bytes, >, 0);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 6 + 8);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_resize (file, TIB + 4096, &error));
  g_assert_no_error (error);
  /* It is as sparse as it was, but for what the system makes of a page that is stored to: with its neighbours it may be megabytes. */
  g_assert_no_errno (stat (test->path, &buffer));
  g_assert_cmpuint ((guint64) buffer.st_blocks * 512, <, 64 << 20);
  g_clear_pointer (&view, mmio_view_unref);
  g_clear_pointer (&atomic, mmio_atomic_u64_unref);
  g_assert_true (mmio_file_resize (file, 1, &error));
  g_assert_no_error (error);
  if (before != 0)
    g_assert_cmpuint (get_heap (), <=, before + 64 * 1024);
}

/* A step through the file takes nothing, however many there are. */
static void
test_chunks (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1 << 20);
  g_autoptr (GError) error = NULL;
  g_auto (MmioChunkIter) iter = { 0 };
  gconstpointer chunk;
  gsize length, before, after;
  guint n = 0;

  g_assert_true (mmio_chunk_iter_init (&iter, file, 16, &error));
  g_assert_no_error (error);
  before = get_heap ();
  while (mmio_chunk_iter_next (&iter, &chunk, &length))
    n++;
  after = get_heap ();
  g_assert_cmpuint (n, ==, (1 << 20) / 16);
  /* A thread of the library's own may be starting meanwhile: of the steps' own memory there would be more by far. */
  g_assert_cmpuint (after, <, before + n);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/scale/ten-thousand-files-at-once/to-read", GUINT_TO_POINTER (MMIO_MODE_READ_ONLY), test_many_files);
  mmio_test_add ("/scale/ten-thousand-files-at-once/to-write", GUINT_TO_POINTER (MMIO_MODE_READ_WRITE), test_many_files);
  mmio_test_add ("/scale/one-sparse-file-of-a-tebibyte", NULL, test_sparse);

  mmio_test_add ("/scale/chunks-take-no-memory", NULL, test_chunks);

  return g_test_run ();
}
