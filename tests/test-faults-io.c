/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk that fails: EIO for what is read, written and synced; and what is on it at the moment a call returns that promised to
 * have it there.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_FUSE3
#include "fuse-disk.h"

#define SIZE ((gsize) 4 * mmio_test_page_size ())

typedef struct
{
  FuseDisk *disk;
  char *folder;
  char *path;
} Faulty;

static void
put_file (Faulty *self,
          gsize   size)
{
  FuseDiskFile *file = &self->disk->files[0];

  g_strlcpy (file->name, "file", sizeof file->name);
  file->mode = 0644;
  file->size = file->stable_size = size;
  for (gsize i = 0; i < size; i++)
    file->data[i] = file->stable[i] = (guint8) (i % 251);
}

static FuseDiskFile *
get_file (Faulty *self)
{
  for (guint i = 0; i < FUSE_DISK_FILES; i++)
    if (g_str_equal (self->disk->files[i].name, "file"))
      return &self->disk->files[i];

  g_assert_not_reached ();
}

/* What a power cut at this moment would leave is what the file shows. */
static void
assert_stable (Faulty     *self,
               MmioFile   *file,
               const char *what)
{
  const FuseDiskFile *on_disk = get_file (self);
  gsize size = (gsize) mmio_file_get_size (file);

  g_test_message ("%s", what);
  g_assert_cmpuint (on_disk->stable_size, ==, size);
  mmio_test_assert_read (file, 0, on_disk->stable, size);
}

/* Nothing of the file is in the page cache any more, so that it has to be read from the disk. */
static void
forget_pages (Faulty *self)
{
  int fd = open (self->path, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_no_errno (posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED));
  close (fd);
}

static int
fail_reads (gpointer data)
{
  Faulty *self = data;
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *bytes = g_malloc (SIZE);

  put_file (self, SIZE);
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;
  file = mmio_test_open (self->path, MMIO_MODE_READ_ONLY);

  g_atomic_int_set (&self->disk->fail_reads, 1000);
  g_assert_false (mmio_file_read (file, page, bytes, 1, &error));
  mmio_test_assert_mmio_error (&error, IO, "Input/output error", NULL);
  g_assert_cmpint (mmio_file_find (file, "x", 1, 0, G_MAXUINT64, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, IO, NULL);
  g_assert_null (mmio_file_read_bytes (file, 0, SIZE, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  view = mmio_file_get_view (file, 2 * page, page, &error);
  g_assert_cmpuint (*(volatile guint8 *) mmio_view_get_pointer (view), ==, 0);
  g_assert_false (mmio_view_check (view, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
  g_assert_cmpuint (self->disk->n_failures, >, 0);

  /* Not for ever: the disk is well again. */
  g_atomic_int_set (&self->disk->fail_reads, 0);
  g_assert_true (mmio_file_read (file, 0, bytes, SIZE, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (bytes, SIZE, self->disk->files[0].data, SIZE);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_true (mmio_view_check (view, &error));
  g_assert_cmpmem (mmio_view_get_pointer (view), page, self->disk->files[0].data + 2 * page, page);
  g_clear_pointer (&view, mmio_view_unref);

  /* At random: the bytes or an error, never anything else. */
  for (guint i = 0; i < (mmio_test_is_thorough () ? 2000 : 200); i++)
    {
      gsize offset = (gsize) g_test_rand_int_range (0, (gint32) SIZE);
      gsize length = (gsize) g_test_rand_int_range (0, (gint32) (SIZE - offset) + 1);

      forget_pages (self);
      g_atomic_int_set (&self->disk->fail_reads, g_test_rand_int_range (0, 3));
      if (mmio_file_read (file, offset, bytes, length, &error))
        g_assert_cmpmem (bytes, length, self->disk->files[0].data + offset, length);
      else
        mmio_test_assert_mmio_error (&error, IO, NULL);
    }

  return 0;
}

typedef gint *(*FailCounter) (FuseDisk *disk);

static gint *
get_fail_syncs (FuseDisk *disk)
{
  return &disk->fail_syncs;
}

static gint *
get_fail_writes (FuseDisk *disk)
{
  return &disk->fail_writes;
}

static void
assert_flush_fails (MmioFile   *file,
                    const char *message)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (mmio_file_flush (file, &error));
  g_assert_error (error, MMIO_ERROR, (gint) MMIO_ERROR_FLUSH_FAILED);
  if (message != NULL)
    g_assert_cmpstr (error->message, ==, message);
}

static void
fail_once (Faulty     *self,
           FailCounter counter)
{
  g_autoptr (GError) error = NULL, first = NULL;
  g_autoptr (MmioFile) file = mmio_test_open (self->path, MMIO_MODE_READ_WRITE);

  g_assert_true (mmio_file_write (file, 0, "kept", 4, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  assert_stable (self, file, "before the failure");

  /* Set before there is anything to write: the system may do that by itself at any time, and then it is what fails. */
  g_atomic_int_set (counter (self->disk), 1);
  g_assert_true (mmio_file_write (file, 0, "lost", 4, &error));
  g_assert_false (mmio_file_flush (file, &first));
  g_assert_error (first, MMIO_ERROR, (gint) MMIO_ERROR_FLUSH_FAILED);
  g_assert_nonnull (strstr (first->message, "Input/output error"));
  g_assert_cmpint (g_atomic_int_get (counter (self->disk)), ==, 0);

  /* The disk is well again and the system has forgotten: we have not. */
  assert_flush_fails (file, first->message);
  g_assert_true (mmio_file_write (file, 4, "more", 4, &error));
  assert_flush_fails (file, first->message);
  g_assert_false (mmio_file_flush_range (file, 0, 1, &error));
  g_assert_error (error, MMIO_ERROR, (gint) MMIO_ERROR_FLUSH_FAILED);
  g_clear_error (&error);
  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_ALWAYS, NULL);
  g_assert_false (mmio_file_write (file, 8, "even", 4, &error));
  g_assert_error (error, MMIO_ERROR, (gint) MMIO_ERROR_FLUSH_FAILED);
  g_clear_error (&error);
  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_MANUAL, NULL);

  /* Whoever starts again from what is there is told the truth again. */
  g_assert_true (mmio_file_reload (file, &error));
  g_assert_true (mmio_file_write (file, 0, "anew", 4, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (get_file (self)->stable, 4, "anew", 4);

  /* A close that can't keep its promise says so, and closes. */
  g_atomic_int_set (counter (self->disk), 1);
  g_assert_true (mmio_file_write (file, 0, "last", 4, &error));
  g_assert_false (mmio_file_close (file, &error));
  g_assert_error (error, MMIO_ERROR, (gint) MMIO_ERROR_FLUSH_FAILED);
  g_assert_true (mmio_file_is_closed (file));
}

/* Several ranges are written out one after the other, and synced once: each of these can fail. */
static void
fail_one_of_many (Faulty     *self,
                  FailCounter counter)
{
  const gsize step = 2 * mmio_test_page_size ();
  g_autoptr (MmioFile) file = mmio_test_open (self->path, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;

  for (gsize offset = 0; offset + 4 <= SIZE; offset += step)
    g_assert_true (mmio_file_write (file, offset, "kept", 4, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  assert_stable (self, file, "several ranges");

  g_atomic_int_set (counter (self->disk), 1);
  for (gsize offset = 0; offset + 4 <= SIZE; offset += step)
    g_assert_true (mmio_file_write (file, offset, "lost", 4, &error));
  assert_flush_fails (file, NULL);
  assert_flush_fails (file, NULL);
  g_assert_cmpint (g_atomic_int_get (counter (self->disk)), ==, 0);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), >=, 4);
}

static int
fail_flushes (gpointer data)
{
  Faulty *self = data;

  put_file (self, SIZE);
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;
  fail_once (self, get_fail_syncs);
  fail_once (self, get_fail_writes);
  fail_one_of_many (self, get_fail_syncs);
  fail_one_of_many (self, get_fail_writes);

  return 0;
}

/* An atomic is what a log has its end in, and lives as long as the file. */
static int
fail_under_atomic (gpointer data)
{
  Faulty *self = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioAtomicU64) atomic = NULL;
  g_autoptr (GError) error = NULL;

  put_file (self, SIZE);
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;
  file = mmio_test_open (self->path, MMIO_MODE_READ_WRITE);
  atomic = mmio_file_get_atomic_u64 (file, 0, 1, &error);
  g_assert_no_error (error);

  mmio_atomic_u64_store (atomic, 0, 1);
  g_atomic_int_set (&self->disk->fail_syncs, 1);
  assert_flush_fails (file, NULL);
  g_assert_true (mmio_file_reload (file, &error));
  mmio_atomic_u64_store (atomic, 0, 2);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  assert_stable (self, file, "an atomic of before the reload");

  return 0;
}

static gpointer
write_and_flush (gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (data, 0, "held", 4, &error));
  g_assert_true (mmio_file_flush (data, &error));
  g_assert_no_error (error);
  return NULL;
}

static gboolean
is_held (gpointer data)
{
  return g_atomic_int_get ((gint *) data) > 0;
}

/* Forks while a thread is in a flush and the disk doesn't answer. The child has the disk go on. */
static int
fork_while_held (Faulty *self,
                 gint   *flag)
{
  /* Not the one that the watch is in: it might ask the disk for something, and that doesn't answer. */
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;
  pid_t pid;

  put_file (self, SIZE);
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;
  file = mmio_test_open (self->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);

  g_atomic_int_set (flag, 1);
  thread = g_thread_new ("flush", write_and_flush, file);
  mmio_test_wait_until (context, is_held, &self->disk->n_held);
  pid = fork ();
  if (pid == 0)
    {
      gboolean pending = mmio_file_get_pending_bytes (file) >= 4;

      alarm (MMIO_TEST_PATIENCE_MS / 1000);
      g_atomic_int_set (flag, 0);
      _exit ((pending || flag != &self->disk->hold_syncs) && mmio_file_write (file, 0, "more", 4, NULL) &&
             mmio_file_flush (file, NULL) && get_file (self)->n_syncs >= 2 && mmio_file_reload (file, NULL) &&
             mmio_file_close (file, NULL) ? 0 : 1);
    }
  g_assert_cmpint (mmio_test_wait_child (pid), ==, 0);
  g_thread_join (thread);

  return 0;
}

/* The child can't know how the flush ends. */
static int
fork_in_sync (gpointer data)
{
  Faulty *self = data;

  return fork_while_held (self, &self->disk->hold_syncs);
}

/* The watch's lock is held then. */
static int
fork_in_announcement (gpointer data)
{
  Faulty *self = data;

  return fork_while_held (self, &self->disk->hold_times);
}

/* It is found out only by trying, and must not cost the memory that readers are in. */
static int
reload_unmappable (gpointer data)
{
  Faulty *self = data;
  g_autofree char *other = g_build_filename (self->folder, "other", NULL);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  put_file (self, SIZE);
  g_strlcpy (self->disk->files[1].name, "other", sizeof self->disk->files[1].name);
  self->disk->files[1].mode = 0644;
  self->disk->files[1].size = SIZE;
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;
  file = mmio_test_open (self->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_write (file, SIZE - 4, "here", 4, &error));

  g_atomic_int_set (&self->disk->no_mapping, 1);
  g_assert_no_errno (g_rename (other, self->path));
  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_mmio_error (&error, IO, self->path, NULL);
  mmio_test_assert_read (file, SIZE - 4, "here", 4);
  g_assert_true (mmio_file_write (file, 0, "too", 3, &error));
  g_assert_no_error (error);

  return 0;
}

static int
fail_size (gpointer data)
{
  Faulty *self = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  put_file (self, SIZE);
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;

  /* Nothing but the size is pending. */
  file = mmio_test_open (self->path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_resize (file, 2 * SIZE, &error));
  g_atomic_int_set (&self->disk->fail_syncs, 1);
  assert_flush_fails (file, NULL);
  assert_flush_fails (file, NULL);
  g_atomic_int_set (&self->disk->fail_syncs, 1);
  g_assert_null (mmio_file_create (self->path, SIZE, MMIO_CREATE_FLAGS_DURABLE | MMIO_CREATE_FLAGS_REPLACE, &error));
  g_assert_nonnull (error);
  /* What was there is there. */
  g_assert_cmpuint (mmio_test_file_size (self->path), ==, 2 * SIZE);

  return 0;
}

static gboolean
was_synced (gpointer data)
{
  const FuseDiskFile *on_disk = get_file (data);

  return __atomic_load_n (&on_disk->stable_size, __ATOMIC_SEQ_CST) == on_disk->size &&
         memcmp (on_disk->stable, on_disk->data, on_disk->size) == 0 && on_disk->stable[0] == 't';
}

static void
on_flushed (GObject      *source,
            GAsyncResult *result,
            gpointer      data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_flush_finish (MMIO_FILE (source), result, &error));
  g_assert_no_error (error);
  *(gboolean *) data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

/* The program that is the file system changes a file by itself: the kernel has no event of it. */
static int
change_unheard (gpointer data)
{
  Faulty *self = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioTestEar) ear = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *backend = NULL;
  g_autofree char *appended = g_strdup_printf ("changed %" G_GSIZE_FORMAT " 5", SIZE);

  put_file (self, SIZE);
  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;
  file = mmio_test_open (self->path, MMIO_MODE_READ_ONLY);
  ear = mmio_test_listen (file, NULL);
  /* It could not be held off either. */
  g_assert_false (mmio_file_watch (file, MMIO_WATCH_FLAGS_LEASE, NULL, &error));
  mmio_test_assert_mmio_error (&error, NOT_SUPPORTED, self->path, NULL);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
  g_object_get (file, "watch-backend", &backend, NULL);
  /* Where it isn't known what is local, the slow tick has to do. */
#ifdef HAVE_SYS_STATFS_H
  g_assert_nonnull (strstr (backend, "poll"));
#endif

  self->disk->files[0].size = SIZE + 5;
  mmio_test_hear_until (ear, appended);
  self->disk->files[0].name[0] = 'F';
  mmio_test_hear_until (ear, "removed");
  self->disk->files[0].name[0] = 'f';
  mmio_test_hear_until (ear, "replaced");
  return 0;
}

static int
keep_promises (gpointer data)
{
  Faulty *self = data;
  const gsize page = mmio_test_page_size ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  gboolean flushed = FALSE;

  if (!fuse_disk_mount (self->disk, self->folder))
    return MMIO_TEST_SKIP;

  file = mmio_file_create (self->path, SIZE, MMIO_CREATE_FLAGS_DURABLE, &error);
  g_assert_no_error (error);
  assert_stable (self, file, "create, DURABLE");
  g_assert_cmpuint (self->disk->n_folder_syncs, ==, 1);
  g_clear_object (&file);

  g_assert_no_errno (chmod (self->path, 0640));
  file = mmio_file_create (self->path, 2 * page, MMIO_CREATE_FLAGS_DURABLE | MMIO_CREATE_FLAGS_REPLACE, &error);
  g_assert_no_error (error);
  assert_stable (self, file, "create, DURABLE and REPLACE");
  g_assert_cmpuint (self->disk->n_folder_syncs, ==, 2);
  g_assert_cmpuint (get_file (self)->n_syncs, ==, 2);

  g_assert_true (mmio_file_write (file, page, "write", 5, &error));
  g_assert_true (mmio_file_flush (file, &error));
  assert_stable (self, file, "flush");
  g_assert_true (mmio_file_resize (file, SIZE, &error));
  g_assert_true (mmio_file_flush (file, &error));
  assert_stable (self, file, "flush of a larger size");
  g_assert_true (mmio_file_resize (file, 3 * page, &error));
  g_assert_true (mmio_file_flush (file, &error));
  assert_stable (self, file, "flush of a smaller size");
  g_assert_true (mmio_file_resize (file, SIZE, &error));
  g_assert_true (mmio_file_write (file, SIZE - 5, "range", 5, &error));
  g_assert_true (mmio_file_flush_range (file, SIZE - 5, 5, &error));
  assert_stable (self, file, "flush_range in what has just been added");
  g_assert_true (mmio_file_write (file, 0, "async", 5, &error));
  mmio_file_flush_async (file, NULL, on_flushed, &flushed);
  mmio_test_wait_until (NULL, is_true, &flushed);
  assert_stable (self, file, "flush_async");
  {
    g_autoptr (MmioView) view = mmio_file_get_writable_view (file, page, 5, &error);

    memcpy (mmio_view_get_pointer (view), "store", 5);
    g_assert_true (mmio_file_flush (file, &error));
    assert_stable (self, file, "flush with a live view");
    memcpy (mmio_view_get_pointer (view), "STORE", 5);
  }
  g_assert_true (mmio_file_flush (file, &error));
  assert_stable (self, file, "flush after a view");
  {
    g_autoptr (MmioAtomicU64) counter = mmio_file_get_atomic_u64 (file, 2 * page, 1, &error);

    mmio_atomic_u64_add (counter, 0, 7);
    g_assert_true (mmio_file_flush (file, &error));
    assert_stable (self, file, "flush after an atomic");
  }

  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_ALWAYS, NULL);
  g_assert_true (mmio_file_write (file, 1, "always", 6, &error));
  assert_stable (self, file, "ALWAYS: write");
  g_assert_true (mmio_file_fill (file, 5, page, 'f', &error));
  assert_stable (self, file, "ALWAYS: fill");
  g_assert_true (mmio_file_move (file, 2 * page, 5, 100, &error));
  assert_stable (self, file, "ALWAYS: move");
  g_assert_true (mmio_file_set_uint32 (file, 8, 0x01020304, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, &error));
  assert_stable (self, file, "ALWAYS: set_uint32");
  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_EVERY_WRITES, "flush-threshold", (guint64) 2, NULL);
  g_assert_true (mmio_file_write (file, 1, "one", 3, &error));
  g_assert_true (mmio_file_write (file, 4, "two", 3, &error));
  assert_stable (self, file, "EVERY_WRITES");
  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_EVERY_BYTES, "flush-threshold", (guint64) 6, NULL);
  g_assert_true (mmio_file_write (file, 7, "six", 3, &error));
  g_assert_true (mmio_file_write (file, 10, "six", 3, &error));
  assert_stable (self, file, "EVERY_BYTES");
  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_EVERY_MILLIS, "flush-threshold", (guint64) 5, NULL);
  g_assert_true (mmio_file_write (file, 0, "timer", 5, &error));
  mmio_test_wait_until (NULL, was_synced, self);
  assert_stable (self, file, "EVERY_MILLIS");
  g_assert_true (mmio_file_resize (file, 2 * page, &error));
  mmio_test_wait_until (NULL, was_synced, self);
  assert_stable (self, file, "EVERY_MILLIS: a size alone");
  g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_MANUAL, NULL);

  {
    g_autoptr (GOutputStream) stream = mmio_output_stream_new (file);

    g_assert_true (g_seekable_seek (G_SEEKABLE (stream), 0, G_SEEK_END, NULL, &error));
    g_assert_true (g_output_stream_write_all (stream, "streamed", 8, NULL, NULL, &error));
    g_assert_true (g_output_stream_close (stream, NULL, &error));
    g_assert_true (mmio_file_flush (file, &error));
    g_assert_no_error (error);
    g_assert_cmpuint (mmio_file_get_size (file), ==, 2 * page + 8);
    assert_stable (self, file, "flush after a stream");
  }

  g_assert_true (mmio_file_write (file, 0, "close", 5, &error));
  g_assert_true (mmio_file_resize (file, page, &error));
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (get_file (self)->stable_size, ==, page);
  g_assert_cmpmem (get_file (self)->stable, 5, "close", 5);

  return 0;
}

static void
test_disk (MmioTest     *test,
           gconstpointer data)
{
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  g_autofree char *path = g_build_filename (folder, "file", NULL);
  FuseDisk *disk = mmap (NULL, sizeof (FuseDisk), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Faulty faulty = { disk, folder, path };

  g_assert_true (disk != MAP_FAILED);
  g_assert_no_errno (mkdir (folder, 0700));
  if (mmio_test_run_child (data, &faulty, "no FUSE file system can be mounted here"))
    g_test_message ("%u calls of the disk failed", disk->n_failures);
  munmap (disk, sizeof (FuseDisk));
}

#define add_disk_test(name, func) mmio_test_add (name, (gconstpointer) (func), test_disk)
#else
static void
test_without_fuse (MmioTest     *test G_GNUC_UNUSED,
                   gconstpointer data G_GNUC_UNUSED)
{
  g_test_skip ("built without libfuse");
}

#define add_disk_test(name, func) mmio_test_add (name, NULL, test_without_fuse)
#endif

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  add_disk_test ("/faults/io/page-that-can-not-be-read-is-an-error", fail_reads);
  add_disk_test ("/faults/io/failed-flush-stays-failed-until-reload", fail_flushes);
  add_disk_test ("/faults/io/what-an-atomic-stores-after-a-failed-flush-and-reload-is-flushed", fail_under_atomic);
  add_disk_test ("/faults/io/what-is-being-flushed-at-a-fork-is-pending-in-the-child", fork_in_sync);
  add_disk_test ("/faults/io/fork-in-an-announcement-does-not-hang-the-child", fork_in_announcement);
  add_disk_test ("/faults/io/reload-of-what-can-not-be-mapped-changes-nothing", reload_unmappable);
  add_disk_test ("/faults/io/failed-sync-of-the-size-is-an-error", fail_size);
  add_disk_test ("/faults/io/what-changes-without-an-event-is-told", change_unheard);
  add_disk_test ("/faults/io/success-means-it-is-on-the-disk", keep_promises);

  return g_test_run ();
}
