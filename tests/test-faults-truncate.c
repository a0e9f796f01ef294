/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Another process truncates the file and writes it again, at random moments, while every kind of access goes on.
 *
 * Each byte of the file has a value that follows from its offset and is not 0. So whatever is read can be checked: a page that reads
 * with a zero for its first byte was not in the file, and hardly ever may that be called a success: where a file system keeps
 * several pages in one folio, a fault that races with the truncation can have one mapped behind the end, without a signal that anybody
 * could go by. (A zero further on was behind the end for a moment. What is read meanwhile can have zeros before bytes that are there
 * again: they are written while the reader goes on, and it need not look at them in order.) The counters at the end may hold any
 * value.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_PAGES 48
#define PERIOD 251
#define MARK 0xFE               /* the value of each byte in the zone for fill */
#define TRUNCATIONS (mmio_test_is_thorough () ? 1000u : 150u)
#define MAX_THREADS 2

/* In memory that all processes share. */
typedef struct
{
  guint truncations;            /* atomic, as the rest */
  gint stop;
  guint succeeded;
  guint refused;
  guint signals;
  guint unsignalled;            /* pages behind the end that were called a success */
} Shared;

/* Of those that the kernel itself lets pass, next to the refusals. A guard that misses what it should tell lets all pass. */
#define MAX_UNSIGNALLED(refused) (100 + (refused))

typedef struct
{
  gsize page;
  gsize size;
  gsize fill_from;              /* [fill_from, counters): every byte is MARK */
  gsize counters;               /* [counters, size): anything */
} Layout;

typedef struct
{
  const char *path;
  const char *file_system;
  Shared *shared;
  const char *why;              /* static */
  guint32 seed;
  gboolean by_stream;           /* not by moves */
} Setting;

static Layout
get_layout (void)
{
  gsize page = mmio_test_page_size ();

  return (Layout){ page, N_PAGES * page, (N_PAGES - 8) * page, (N_PAGES - 2) * page };
}

static guint8
value_at (const Layout *layout,
          gsize         offset)
{
  return offset < layout->fill_from ? (guint8) (offset % PERIOD + 1) : MARK;
}

static guint8 *
make_content (const Layout *layout)
{
  guint8 *bytes = g_malloc (layout->size);

  for (gsize i = 0; i < layout->size; i++)
    bytes[i] = value_at (layout, i);

  return bytes;
}

/* What was read, and called a success, at offset. */
static void
assert_plausible (Shared       *shared,
                  const Layout *layout,
                  gsize         offset,
                  const guint8 *bytes,
                  gsize         length,
                  const char   *what)
{
  for (gsize i = 0; i < length && offset + i < layout->counters; i++)
    {
      gsize at = offset + i;
      gboolean may_be_cut = at % layout->page != 0 || i + 1 == length;

      if (bytes[i] == 0 && !may_be_cut)
        __atomic_add_fetch (&shared->unsignalled, 1, __ATOMIC_RELAXED);
      else if (bytes[i] != value_at (layout, at) && bytes[i] != 0)
        g_error ("%s: offset %" G_GSIZE_FORMAT " + %" G_GSIZE_FORMAT " reads as %u", what, offset, i, bytes[i]);
    }
}

/* The other process */

static void
pause_for (GRand *rand,
           gint   longest)
{
  gint64 end = g_get_monotonic_time () + g_rand_int_range (rand, 0, longest);

  while (g_get_monotonic_time () < end)
    sched_yield ();
}

static void
restore (int           fd,
         const Layout *layout,
         const guint8 *content,
         gsize         from)
{
  while (from < layout->size)
    {
      gssize n = pwrite (fd, content + from, layout->size - from, (off_t) from);

      g_assert_cmpint (n, >, 0);
      from += (gsize) n;
    }
}

static void
keep_truncating (const char *path,
                 guint       n,
                 guint32     seed,
                 Shared     *shared)
{
  Layout layout = get_layout ();
  g_autofree guint8 *content = make_content (&layout);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  /* On a busy machine the two may not have met by then. */
  for (guint i = 0; i < n || (shared != NULL && __atomic_load_n (&shared->refused, __ATOMIC_RELAXED) == 0); i++)
    {
      gsize to = 0;

      switch (g_rand_int_range (rand, 0, 3))
        {
        case 0:
          break;
        case 1:
          to = (gsize) g_rand_int_range (rand, 0, N_PAGES) * layout.page;
          break;
        default:
          to = (gsize) g_rand_int_range (rand, 1, (gint32) layout.size);
        }
      g_assert_no_errno (ftruncate (fd, (off_t) to));
      if (shared != NULL)
        __atomic_add_fetch (&shared->truncations, 1, __ATOMIC_RELAXED);
      pause_for (rand, 300);
      restore (fd, &layout, content, to);
      pause_for (rand, 500);
    }
  close (fd);
}

/* The accesses: each is one promise. FALSE with an error that says so is as good as TRUE with the right bytes. */

typedef struct
{
  Setting *setting;
  Layout layout;
  MmioFile *file;
  GRand *rand;
  GRWLock *refreshing;          /* a refresh forgives the views, so it keeps away from those that are being looked at */
  guint8 *buffer;
  const guint8 *content;
} Access;

typedef gboolean (*AccessFunc) (Access  *self,
                                GError **error);

static gsize
random_range (Access *self,
              gsize   end,
              gsize  *length)
{
  gsize offset = (gsize) g_rand_int_range (self->rand, 0, (gint32) end);
  gsize longest = g_rand_boolean (self->rand) ? 200 : 6 * self->layout.page;

  longest = MIN (longest, end - offset);
  *length = (gsize) g_rand_int_range (self->rand, 0, (gint32) longest + 1);
  return offset;
}

static gboolean
do_read (Access  *self,
         GError **error)
{
  gsize length, offset = random_range (self, self->layout.size, &length);

  if (!mmio_file_read (self->file, offset, self->buffer, length, error))
    return FALSE;
  assert_plausible (self->setting->shared, &self->layout, offset, self->buffer, length, "read");
  return TRUE;
}

static gboolean
do_read_bytes (Access  *self,
               GError **error)
{
  gsize length, offset = random_range (self, self->layout.size, &length);
  g_autoptr (GBytes) bytes = mmio_file_read_bytes (self->file, offset, length, error);

  if (bytes == NULL)
    return FALSE;
  assert_plausible (self->setting->shared, &self->layout, offset, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "read_bytes");
  return TRUE;
}

static gboolean
do_get_number (Access  *self,
               GError **error)
{
  gsize offset = (gsize) g_rand_int_range (self->rand, 0, (gint32) self->layout.counters / 4) * 4;
  guint32 value;

  value = mmio_file_get_uint32 (self->file, offset, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, error);
  if (*error != NULL)
    return FALSE;
  assert_plausible (self->setting->shared, &self->layout, offset, (const guint8 *) &value, sizeof value, "get_uint32");
  return TRUE;
}

static gboolean
do_write (Access  *self,
          GError **error)
{
  gsize length, offset = random_range (self, self->layout.size, &length);

  return mmio_file_write (self->file, offset, self->content + offset, length, error);
}

static gboolean
do_fill (Access  *self,
         GError **error)
{
  gsize length, offset = random_range (self, self->layout.counters - self->layout.fill_from, &length);

  return mmio_file_fill (self->file, self->layout.fill_from + offset, length, MARK, error);
}

static gboolean
do_find (Access  *self,
         GError **error)
{
  gsize at = (gsize) g_rand_int_range (self->rand, 0, (gint32) self->layout.fill_from - 64);
  gint64 found = mmio_file_find (self->file, self->content + at, 16, at, at + 64, error);

  if (found >= 0)
    g_assert_cmpint (found, ==, (gint64) at);
  return found >= 0 || *error == NULL;
}

static gboolean
look_at_view (Access   *self,
              MmioView *view,
              GError  **error)
{
  gsize length = mmio_view_get_length (view);
  gsize offset = (gsize) mmio_view_get_offset (view);

  memcpy (self->buffer, mmio_view_get_pointer (view), length);
  if (!mmio_view_check (view, error))
    return FALSE;
  assert_plausible (self->setting->shared, &self->layout, offset, self->buffer, length, "view");
  return TRUE;
}

static gboolean
do_view (Access  *self,
         GError **error)
{
  gsize length, offset = random_range (self, self->layout.size, &length);
  g_autoptr (GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new (self->refreshing);
  g_autoptr (MmioView) view = mmio_file_get_view (self->file, offset, length, error);

  return view != NULL && look_at_view (self, view, error);
}

static gboolean
do_writable_view (Access  *self,
                  GError **error)
{
  gsize length, offset = random_range (self, self->layout.counters, &length);
  g_autoptr (GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new (self->refreshing);
  g_autoptr (MmioView) view = mmio_file_get_writable_view (self->file, offset, length, error);

  if (view == NULL)
    return FALSE;
  memcpy (mmio_view_get_pointer (view), self->content + offset, length);
  return mmio_view_check (view, error);
}

static gboolean
do_bytes (Access  *self,
          GError **error)
{
  gsize length, offset = random_range (self, self->layout.size, &length);
  g_autoptr (GBytes) bytes = mmio_file_get_bytes (self->file, offset, length, error);
  guint sum = 0;

  if (bytes == NULL)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    sum += ((const guint8 *) g_bytes_get_data (bytes, NULL))[i];
  self->buffer[0] = (guint8) sum;
  return TRUE;
}

static gboolean
do_atomics (Access  *self,
            GError **error)
{
  g_autoptr (GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new (self->refreshing);
  g_autoptr (MmioAtomicU64) counters = mmio_file_get_atomic_u64 (self->file, self->layout.counters, 2 * self->layout.page / 8, error);

  if (counters == NULL)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      gsize at = (gsize) g_rand_int_range (self->rand, 0, (gint32) mmio_atomic_u64_get_length (counters));
      guint64 expected = mmio_atomic_u64_load (counters, at);

      mmio_atomic_u64_add (counters, at, 1);
      mmio_atomic_u64_compare_exchange (counters, at, expected, 7, NULL);
    }
  return mmio_atomic_u64_check (counters, error);
}

static gboolean
do_chunks (Access  *self,
           GError **error)
{
  g_autoptr (GRWLockReaderLocker) locker = g_rw_lock_reader_locker_new (self->refreshing);
  g_auto (MmioChunkIter) iter = { 0 };
  gsize at = 0, length;
  gconstpointer data;

  if (!mmio_chunk_iter_init (&iter, self->file, 3000, error))
    return FALSE;
  while (mmio_chunk_iter_next (&iter, &data, &length))
    {
      memcpy (self->buffer, data, length);
      if (!mmio_chunk_iter_check (&iter, error))
        return FALSE;
      assert_plausible (self->setting->shared, &self->layout, at, self->buffer, length, "chunk");
      at += length;
    }
  return TRUE;
}

static gboolean
do_stream (Access  *self,
           GError **error)
{
  g_autoptr (GInputStream) stream = mmio_input_stream_new (self->file);
  gsize length, offset = random_range (self, self->layout.size, &length);
  gsize read;

  if (!g_seekable_seek (G_SEEKABLE (stream), (goffset) offset, G_SEEK_SET, NULL, error) ||
      !g_input_stream_read_all (stream, self->buffer, length, &read, NULL, error))
    return FALSE;
  assert_plausible (self->setting->shared, &self->layout, offset, self->buffer, read, "stream");
  return TRUE;
}

static gboolean
do_stream_out (Access  *self,
               GError **error)
{
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (self->file);
  gsize length, offset = random_range (self, self->layout.size, &length);
  gboolean success = g_seekable_seek (G_SEEKABLE (stream), (goffset) offset, G_SEEK_SET, NULL, error) &&
                     g_output_stream_write_all (stream, self->content + offset, length, NULL, NULL, error);

  /* Not to be finalised with an error that nobody hears of. */
  return g_output_stream_close (stream, NULL, success ? error : NULL) && success;
}

static gboolean
do_refresh (Access  *self,
            GError **error)
{
  g_autoptr (GRWLockWriterLocker) locker = g_rw_lock_writer_locker_new (self->refreshing);

  return mmio_file_refresh (self->file, error);
}

static gboolean
do_flush (Access  *self,
          GError **error)
{
  return g_rand_int_range (self->rand, 0, 16) != 0 || mmio_file_flush (self->file, error);
}

static gboolean
do_move (Access  *self,
         GError **error)
{
  gsize length, offset = random_range (self, self->layout.fill_from - 4 * PERIOD, &length);
  g_autoptr (GRWLockWriterLocker) locker = NULL;
  gboolean success;

  length = MIN (length, self->layout.fill_from - 4 * PERIOD - offset);
  /* A move that is cut short leaves what it may: nobody looks until the file has its bytes again. */
  locker = g_rw_lock_writer_locker_new (self->refreshing);
  success = mmio_file_move (self->file, offset + 4 * PERIOD, offset, length, error);

  return success;
}

static const AccessFunc accesses[] = {
  do_read, do_read, do_read_bytes, do_get_number, do_write,   do_fill,  do_find,
  do_view, do_bytes, do_writable_view, do_atomics, do_chunks, do_flush, do_refresh, do_stream,
};

static void
access_once (Access    *self,
             AccessFunc func)
{
  Shared *shared = self->setting->shared;
  g_autoptr (GError) error = NULL;

  if (func (self, &error))
    {
      g_assert_no_error (error);
      __atomic_add_fetch (&shared->succeeded, 1, __ATOMIC_RELAXED);
      return;
    }

  /* Cut off, or cut off and there again, or beyond a size that a refresh has taken over. */
  if (!g_error_matches (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED) && !g_error_matches (error, MMIO_ERROR, MMIO_ERROR_IO) &&
      !g_error_matches (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS))
    g_error ("%s", error->message);
  __atomic_add_fetch (&shared->refused, 1, __ATOMIC_RELAXED);
}

static gpointer
keep_accessing (gpointer data)
{
  Access *self = data;

  while (!g_atomic_int_get (&self->setting->shared->stop))
    access_once (self, accesses[g_rand_int_range (self->rand, 0, G_N_ELEMENTS (accesses))]);

  return NULL;
}

static gboolean
is_over (gpointer data)
{
  int status;
  pid_t pid = waitpid (*(pid_t *) data, &status, WNOHANG);

  if (pid != 0)
    g_assert_true (pid > 0 && WIFEXITED (status) && WEXITSTATUS (status) == 0);
  return pid != 0;
}

static void
on_fault (MmioFile *file G_GNUC_UNUSED,
          guint64   offset G_GNUC_UNUSED,
          guint64   length G_GNUC_UNUSED,
          gpointer  user_data)
{
  ((Shared *) user_data)->signals++;
}

/* After all that the file is as it was, and shows itself so. */
static void
assert_whole (MmioFile     *file,
              const Layout *layout,
              const guint8 *content)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioView) view = NULL;

  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, layout->size);
  mmio_test_assert_read (file, 0, content, layout->counters);
  view = mmio_file_get_view (file, 0, layout->counters, &error);
  g_assert_cmpmem (mmio_view_get_pointer (view), layout->counters, content, layout->counters);
  g_assert_true (mmio_view_check (view, &error));
  g_assert_no_error (error);
}

static void
be_truncated (Setting *setting,
              MmioMode mode)
{
  Layout layout = get_layout ();
  g_autofree guint8 *content = make_content (&layout);
  g_autoptr (MmioFile) file = NULL;
  GThread *threads[MAX_THREADS];
  Access access[MAX_THREADS];
  /* Stores through one view while somebody looks through another are a race, and meant to be one. */
  guint n_threads = mmio_test_has_thread_sanitizer () ? 1 : MAX_THREADS;
  GRWLock refreshing;
  pid_t pid;

  mmio_test_write_file (setting->path, content, layout.size);
  g_rw_lock_init (&refreshing);
  file = mmio_test_open (setting->path, mode);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), setting->shared);

  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      alarm (120);
      keep_truncating (setting->path, TRUNCATIONS, setting->seed, setting->shared);
      _exit (0);
    }

  for (guint i = 0; i < n_threads; i++)
    {
      access[i] = (Access){ setting, layout, file, g_rand_new_with_seed (setting->seed + i + 1), &refreshing,
                            g_malloc (layout.size), content };
      threads[i] = g_thread_new ("accesses", keep_accessing, &access[i]);
    }
  mmio_test_wait_until (NULL, is_over, &pid);
  g_atomic_int_set (&setting->shared->stop, TRUE);
  for (guint i = 0; i < n_threads; i++)
    {
      g_thread_join (threads[i]);
      g_rand_free (access[i].rand);
      g_free (access[i].buffer);
    }
  if (mode == MMIO_MODE_READ_WRITE)
    assert_whole (file, &layout, content);
  g_rw_lock_clear (&refreshing);
}

static int
be_truncated_on (gpointer data)
{
  Setting *setting = data;
  g_autofree char *folder = g_path_get_dirname (setting->path);

  alarm (120);
  if (!mmio_test_mount (folder, setting->file_system, &setting->why))
    {
      /* Only the shared memory outlives us. */
      g_strlcpy ((char *) setting->shared, setting->why, 128);
      return MMIO_TEST_SKIP;
    }
  be_truncated (setting, MMIO_MODE_READ_WRITE);

  return 0;
}

static Shared *
new_shared (void)
{
  Shared *shared = mmap (NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  g_assert_true (shared != MAP_FAILED);
  return shared;
}

static void
report (const char   *name,
        const Shared *shared)
{
  g_test_message ("%s: %u random truncations survived; %u accesses succeeded, %u were refused, %u signals; %u pages without one", name,
                  shared->truncations, shared->succeeded, shared->refused, shared->signals, shared->unsignalled);
  g_assert_cmpuint (shared->truncations, >=, TRUNCATIONS);
  g_assert_cmpuint (shared->refused, >, 0);
  g_assert_cmpuint (shared->unsignalled, <=, MAX_UNSIGNALLED (shared->refused));
}

static void
test_truncate (MmioTest     *test,
               gconstpointer data)
{
  Shared *shared = new_shared ();
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  g_autofree char *path = g_build_filename (folder, "file", NULL);
  Setting setting = { path, data, shared, NULL, (guint32) g_test_rand_int (), FALSE };
  int status;

  g_assert_no_errno (mkdir (folder, 0700));
  status = mmio_test_wait_child (mmio_test_fork (be_truncated_on, &setting));
  if (status == MMIO_TEST_SKIP)
    {
      g_autofree char *reason = g_strdup_printf ("%s: %s", (const char *) data, (const char *) shared);

      g_test_skip (reason);
    }
  else
    {
      g_assert_cmpint (status, ==, 0);
      report (data, shared);
    }
  munmap (shared, 4096);
}

/* What leaves bytes that nobody can foretell where it is cut short: alone with the file. */
static int
change_and_be_truncated (gpointer data)
{
  Setting *setting = data;
  Layout layout = get_layout ();
  g_autofree guint8 *content = make_content (&layout);
  g_autoptr (MmioFile) file = NULL;
  GRWLock refreshing;
  Access access;
  pid_t pid;

  alarm (120);
  mmio_test_write_file (setting->path, content, layout.size);
  g_rw_lock_init (&refreshing);
  file = mmio_test_open (setting->path, MMIO_MODE_READ_WRITE);
  access = (Access){ setting, layout, file, g_rand_new_with_seed (setting->seed), &refreshing, g_malloc (layout.size), content };
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      keep_truncating (setting->path, TRUNCATIONS, setting->seed, setting->shared);
      _exit (0);
    }
  while (!is_over (&pid))
    {
      access_once (&access, setting->by_stream ? do_stream_out : do_move);
      access_once (&access, do_refresh);
    }

  /* Whatever has been left, what succeeds now does what it should. */
  g_assert_true (mmio_file_refresh (file, NULL));
  g_assert_true (mmio_file_resize (file, layout.size, NULL));
  g_assert_true (mmio_file_write (file, 0, content, layout.size, NULL));
  g_assert_true (mmio_file_move (file, 4 * PERIOD, 0, layout.fill_from - 8 * PERIOD, NULL));
  mmio_test_assert_read (file, 0, content, layout.size);
  g_rand_free (access.rand);
  g_free (access.buffer);

  return 0;
}

static void
test_change (MmioTest     *test,
             gconstpointer data)
{
  Shared *shared = new_shared ();
  Setting setting = { test->path, NULL, shared, NULL, (guint32) g_test_rand_int (), g_str_equal (data, "stream") };

  g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (change_and_be_truncated, &setting)), ==, 0);
  report (data, shared);
  munmap (shared, 4096);
}

/* For the scripts: test-faults-truncate --truncate PATH TIMES SEED. They check the same bytes. */
static int
truncate_for_script (char **argv)
{
  keep_truncating (argv[0], (guint) g_ascii_strtoull (argv[1], NULL, 10), (guint32) g_ascii_strtoull (argv[2], NULL, 10), NULL);
  return 0;
}

/* Each page that faults alone takes two mappings. */
static int
read_more_than_mappings (gpointer data)
{
  const gsize page = mmio_test_page_size ();
  g_autofree char *content = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint64 n_mappings, size;
  char byte;

  if (!g_file_get_contents ("/proc/sys/vm/max_map_count", &content, NULL, NULL))
    return MMIO_TEST_SKIP;
  n_mappings = g_ascii_strtoull (content, NULL, 10);
  if (n_mappings > 200000)
    return MMIO_TEST_SKIP;

  size = (n_mappings + 1000) * page;
  file = mmio_test_create (data, size);
  mmio_test_truncate (data, 0);
  for (guint64 offset = 0; offset < size; offset += 2 * page)
    {
      g_assert_false (mmio_file_read (file, offset, &byte, 1, &error));
      mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
    }

  mmio_test_truncate (data, size);
  mmio_test_write_at (data, size - 1, "x", 1);
  mmio_test_assert_read (file, size - 1, "x", 1);
  g_assert_true (mmio_file_write (file, size / 2, "y", 1, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_test_count_maps (), <, 1000);
  mmio_test_assert_read (file, size / 2, "y", 1);
  return 0;
}

static void
test_mappings (MmioTest     *test,
               gconstpointer data G_GNUC_UNUSED)
{
  if (mmio_test_has_sanitizer () || mmio_test_has_valgrind ())
    g_test_skip ("the sanitizer needs mappings of its own");
  else
    mmio_test_run_child (read_more_than_mappings, test->path, "the number of mappings has no limit in reach");
}

int
main (int   argc,
      char *argv[])
{
  if (argc == 5 && strcmp (argv[1], "--truncate") == 0)
    return truncate_for_script (argv + 2);

  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/faults/truncate/tmpfs", "tmpfs", test_truncate);
  mmio_test_add ("/faults/truncate/ext4", "ext4", test_truncate);
  mmio_test_add ("/faults/truncate/xfs", "xfs", test_truncate);
  mmio_test_add ("/faults/truncate/btrfs", "btrfs", test_truncate);
  mmio_test_add ("/faults/truncate/in-the-middle-of-a-move", "move", test_change);
  mmio_test_add ("/faults/truncate/more-pages-than-there-are-mappings", NULL, test_mappings);
  mmio_test_add ("/faults/truncate/under-an-output-stream", "stream", test_change);

  return g_test_run ();
}
