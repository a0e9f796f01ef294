/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk that is full, on real file systems: before a write, in the middle of one, and under views, growth and creation.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_PAGES 32
#define ROUNDS (mmio_test_is_thorough () ? 60u : 10u)

/* In memory that all processes share. */
typedef struct
{
  char why[128];                /* to skip */
  guint full_disk_writes;       /* that said NO_SPACE */
  guint full_disk_views;
  guint full_disk_resizes;
  guint full_disk_creations;
  guint full_disk_streams;
  guint successes;
  guint pages_kept;             /* of writes that said so */
} Shared;

typedef struct
{
  const char *folder;
  const char *file_system;
  Shared *shared;
  gsize page;
  GRand *rand;
  char *path;
  char *ballast;
} Disk;

static void
write_blocks (int   fd,
              gsize block)
{
  g_autofree char *bytes = g_malloc (block);

  memset (bytes, 'b', block);
  while (write (fd, bytes, block) == (gssize) block)
    ;
}

static gboolean
mount_disk (Disk *self)
{
  const char *why;

  alarm (150);
  if (!mmio_test_mount (self->folder, self->file_system, &why))
    {
      g_strlcpy (self->shared->why, why, sizeof self->shared->why);
      return FALSE;
    }
  self->path = g_build_filename (self->folder, "file", NULL);
  self->ballast = g_build_filename (self->folder, "ballast", NULL);

  return TRUE;
}

/* Takes all the room there is. */
static void
fill_disk (Disk *self)
{
  int fd = open (self->ballast, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  gsize block = 4 << 20;

  g_assert_cmpint (fd, >=, 0);
  for (; block >= self->page; block /= 2)
    {
      struct stat buffer;

      g_assert_no_errno (fstat (fd, &buffer));
      while (fallocate (fd, 0, buffer.st_size, (off_t) block) == 0)
        buffer.st_size += (off_t) block;
    }
  /* What is reserved for delayed allocation comes out, and what is left over is used up. */
  g_assert_no_errno (syncfs (fd));
  write_blocks (fd, self->page);
  fsync (fd);
  write_blocks (fd, self->page);
  g_assert_no_errno (close (fd));
}

static void
free_disk (Disk *self)
{
  int fd = open (self->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  g_assert_no_errno (unlink (self->ballast));
  g_assert_no_errno (syncfs (fd));
  close (fd);
}

/* Half of the file has blocks, the rest is a hole. */
static MmioFile *
create_half (Disk *self)
{
  g_autofree guint8 *bytes = g_malloc (N_PAGES / 2 * self->page);
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_test_create (self->path, N_PAGES * self->page);

  memset (bytes, 'o', N_PAGES / 2 * self->page);
  g_assert_true (mmio_file_write (file, 0, bytes, N_PAGES / 2 * self->page, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);

  return file;
}

/* bytes[0, n) are all value; returns how many are from the beginning on. */
static gsize
count_from_start (const guint8 *bytes,
                  gsize         n,
                  guint8        value)
{
  gsize i = 0;

  while (i < n && bytes[i] == value)
    i++;
  return i;
}

/* What any process sees, from the beginning on. */
static void
read_all (Disk   *self,
          guint8 *bytes,
          gsize   n)
{
  int fd = open (self->path, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (pread (fd, bytes, n, 0), ==, n);
  g_assert_no_errno (close (fd));
}

/* Where blocks are overwritten in place, those that the file has can't fail. */
static gboolean
overwrites_in_place (Disk *self)
{
  return !g_str_equal (self->file_system, "btrfs");
}

/* What a change to 'n' that has failed has left in [offset, offset + length): the new bytes up to a page that could not be had, and from
 * there on what was there before. Returns how many are new. Where a page gets another place whenever it has been written to the disk, it
 * can go again between its first byte and the rest: then all that is certain is that each byte is the old one or the new. */
static gsize
assert_left (Disk         *self,
             gsize         offset,
             const guint8 *before,
             const guint8 *after,
             gsize         length)
{
  gsize kept = count_from_start (after, length, 'n');

  if (overwrites_in_place (self))
    {
      g_assert_cmpuint (kept, <, length);
      g_assert_true (kept == 0 || (offset + kept) % self->page == 0);
      g_assert_cmpmem (after + kept, length - kept, before + kept, length - kept);
    }
  else
    {
      for (gsize i = kept; i < length; i++)
        if (after[i] != 'n')
          g_assert_cmpuint (after[i], ==, before[i]);
    }

  return kept;
}

static void
write_into_hole (Disk     *self,
                 MmioFile *file)
{
  const gsize first = (gsize) g_rand_int_range (self->rand, 0, N_PAGES - 1) * self->page;
  const gsize offset = first + (gsize) g_rand_int_range (self->rand, 0, (gint32) self->page);
  const gsize hole = N_PAGES / 2 * self->page;
  const gsize length = N_PAGES * self->page - offset;
  g_autofree guint8 *bytes = g_malloc (length);
  g_autofree guint8 *before = g_malloc (N_PAGES * self->page), *after = g_malloc (N_PAGES * self->page);
  g_autoptr (GError) error = NULL;
  gsize kept;

  read_all (self, before, N_PAGES * self->page);
  memset (bytes, 'n', length);
  if (mmio_file_write (file, offset, bytes, length, &error))
    {
      /* A file system that had more room than it gave away: then the bytes are there. */
      g_assert_no_error (error);
      self->shared->successes++;
      mmio_test_assert_read (file, offset, bytes, length);
    }
  else
    {
      mmio_test_assert_mmio_error (&error, NO_SPACE, NULL);
      self->shared->full_disk_writes++;

      read_all (self, after, N_PAGES * self->page);
      g_assert_cmpmem (after, offset, before, offset);
      kept = assert_left (self, offset, before + offset, after + offset, length);
      if (overwrites_in_place (self) && offset < hole)
        g_assert_cmpuint (offset + kept, >=, hole);
      mmio_test_assert_read (file, 0, after, N_PAGES * self->page);
    }

  /* What is there is durable all the same. */
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
}

static void
write_to_be_kept (Disk     *self,
                  MmioFile *file)
{
  g_autofree guint8 *bytes = g_malloc (N_PAGES * self->page);
  g_autoptr (GError) error = NULL;

  memset (bytes, 'k', N_PAGES * self->page);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_true (mmio_file_write (file, 0, bytes, N_PAGES * self->page, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  mmio_test_assert_file (self->path, bytes, N_PAGES * self->page);
}

static void
store_into_hole (Disk     *self,
                 MmioFile *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioView) view = mmio_file_get_writable_view (file, 0, N_PAGES * self->page, &error);
  guint8 *bytes = mmio_view_get_pointer (view);

  memset (bytes + N_PAGES / 2 * self->page, 'v', N_PAGES / 2 * self->page);
  if (mmio_view_check (view, &error))
    {
      self->shared->successes++;
      return;
    }
  mmio_test_assert_mmio_error (&error, IO, NULL);
  self->shared->full_disk_views++;

  /* Some of what was stored is in no file: a flush that said nothing of it would be a lie. */
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, IO, NULL);
}

static MmioFile *
create_growing (Disk *self)
{
  g_autofree char *path = g_build_filename (self->folder, "grows", NULL);
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_create (path, self->page, MMIO_CREATE_FLAGS_PREALLOCATE, &error);

  g_assert_no_error (error);
  g_assert_true (mmio_file_fill (file, 0, self->page, 'g', &error));

  return file;
}

static void
grow_preallocated (Disk     *self,
                   MmioFile *file)
{
  g_autofree guint8 *bytes = g_malloc (self->page);
  g_autoptr (GError) error = NULL;

  g_assert_false (mmio_file_resize (file, 512 << 20, &error));
  mmio_test_assert_mmio_error (&error, NO_SPACE, NULL);
  self->shared->full_disk_resizes++;
  g_assert_cmpuint (mmio_file_get_size (file), ==, self->page);
  g_assert_cmpuint (mmio_test_file_size (mmio_file_get_path (file)), ==, self->page);
  memset (bytes, 'g', self->page);
  mmio_test_assert_read (file, 0, bytes, self->page);
}

static void
stream_until_full (Disk     *self,
                   MmioFile *file)
{
  g_autofree guint8 *bytes = g_malloc (16 * self->page);
  g_autoptr (GError) error = NULL;
  g_autoptr (GOutputStream) stream = mmio_output_stream_new (file);
  gsize written = 0;

  memset (bytes, 's', 16 * self->page);
  if (g_output_stream_write_all (stream, bytes, 16 * self->page, &written, NULL, &error))
    self->shared->successes++;
  else
    {
      mmio_test_assert_mmio_error (&error, NO_SPACE, NULL);
      self->shared->full_disk_streams++;
    }
  g_assert_true (g_output_stream_close (stream, NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, written);
  mmio_test_assert_read (file, 0, bytes, written);
}

static void
create_preallocated (Disk *self)
{
  g_autofree char *path = g_build_filename (self->folder, "new", NULL);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (MmioFile) file = mmio_file_create (path, 512 << 20,
                                                    MMIO_CREATE_FLAGS_PREALLOCATE | (i == 1 ? MMIO_CREATE_FLAGS_REPLACE : 0), &error);

      g_assert_null (file);
      mmio_test_assert_io_error (&error, NO_SPACE, NULL);
      self->shared->full_disk_creations++;
      g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
    }
}

static guint
count_names (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* A page of the target can't be had while the bytes move, but can be a moment later, or not at all. The ranges overlap: had some of them
 * moved before that was found out, what belongs there would be overwritten by then, and moving once more would put other bytes there and
 * call that a success. */

typedef struct
{
  Disk *disk;
  MmioView *target;
} Relief;

static gpointer
make_room (gpointer data)
{
  Relief *self = data;

  while (mmio_view_check (self->target, NULL))
    ;
  g_assert_no_errno (unlink (self->disk->ballast));
  return NULL;
}

#define MOVED ((gsize) 16 << 20)
#define SHIFT (MOVED / 2)

static int
move_into_hole (gpointer data)
{
  Disk *self = data;
  g_autofree guint32 *numbers = g_malloc (MOVED);

  alarm (150);
  if (!mmio_test_mount_tmpfs (self->folder, 2 * MOVED))
    return MMIO_TEST_SKIP;
  self->path = g_build_filename (self->folder, "file", NULL);
  self->ballast = g_build_filename (self->folder, "ballast", NULL);
  for (gsize i = 0; i < MOVED / sizeof *numbers; i++)
    numbers[i] = (guint32) i + 1;

  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (MmioFile) file = mmio_test_create (self->path, MOVED + SHIFT);
      g_autoptr (GError) error = NULL;
      Relief relief = { self, NULL };
      GThread *thread;

      g_assert_true (mmio_file_write (file, 0, numbers, MOVED, &error));
      g_assert_no_error (error);
      fill_disk (self);
      relief.target = mmio_file_get_view (file, MOVED, SHIFT, &error);
      thread = g_thread_new ("relief", make_room, &relief);
      if (mmio_file_move (file, SHIFT, 0, MOVED, &error))
        {
          mmio_test_assert_read (file, SHIFT, numbers, MOVED);
          self->shared->successes++;
          /* Nothing was wrong: it goes on waiting. */
          mmio_test_truncate (self->path, 0);
          g_assert_cmpuint (*(const guint8 *) mmio_view_get_pointer (relief.target), ==, 0);
        }
      else
        {
          mmio_test_assert_mmio_error (&error, NO_SPACE, NULL);
          self->shared->full_disk_writes++;
          mmio_test_assert_read (file, 0, numbers, MOVED);
        }
      g_thread_join (thread);
      mmio_view_unref (relief.target);
      g_clear_object (&file);
      g_assert_no_errno (unlink (self->path));
    }

  return 0;
}

/* A long change over a hole that the disk has some room for. The file: blocks, a hole, blocks again, and what is to be moved. */

#define GAP_HEAD 16u
#define GAP_HOLE 256u
#define GAP_TAIL 16u
#define GAP_LENGTH (GAP_HEAD + GAP_HOLE + GAP_TAIL)
#define GAP_ROOM 64u

typedef gboolean (*GapWay) (MmioFile *file,
                            gsize     page,
                            GError  **error);

static gboolean
write_over_gap (MmioFile *file,
                gsize     page,
                GError  **error)
{
  g_autofree guint8 *bytes = g_malloc (GAP_LENGTH * page);

  memset (bytes, 'n', GAP_LENGTH * page);
  return mmio_file_write (file, 0, bytes, GAP_LENGTH * page, error);
}

/* Where a page of the source has the same place in the cache as one of the target, the C library copies downwards. */
static gboolean
write_over_gap_from_page (MmioFile *file,
                          gsize     page,
                          GError  **error)
{
  guint8 *bytes = mmap (NULL, (GAP_LENGTH + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  gboolean success;

  g_assert_true (bytes != MAP_FAILED);
  memset (bytes, 'n', (GAP_LENGTH + 1) * page);
  success = mmio_file_write (file, 0, bytes + page - 64, GAP_LENGTH * page, error);
  munmap (bytes, (GAP_LENGTH + 1) * page);

  return success;
}

static gboolean
fill_gap (MmioFile *file,
          gsize     page,
          GError  **error)
{
  return mmio_file_fill (file, 0, GAP_LENGTH * page, 'n', error);
}

static gboolean
move_over_gap (MmioFile *file,
               gsize     page,
               GError  **error)
{
  return mmio_file_move (file, 0, GAP_LENGTH * page, GAP_LENGTH * page, error);
}

static MmioFile *
create_gap (Disk *self)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_test_create (self->path, 2 * GAP_LENGTH * self->page);

  g_assert_true (mmio_file_fill (file, 0, GAP_HEAD * self->page, 'o', &error));
  g_assert_true (mmio_file_fill (file, (GAP_HEAD + GAP_HOLE) * self->page, GAP_TAIL * self->page, 'o', &error));
  g_assert_true (mmio_file_fill (file, GAP_LENGTH * self->page, GAP_LENGTH * self->page, 'n', &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);

  return file;
}

static void
free_some_room (Disk *self)
{
  int fd = open (self->ballast, O_RDWR | O_CLOEXEC);
  struct stat buffer;

  g_assert_no_errno (fstat (fd, &buffer));
  g_assert_no_errno (ftruncate (fd, buffer.st_size - GAP_ROOM * (off_t) self->page));
  g_assert_no_errno (syncfs (fd));
  g_assert_no_errno (close (fd));
}

static void
change_over_gap (Disk  *self,
                 GapWay change)
{
  g_autoptr (MmioFile) file = create_gap (self);
  g_autofree guint8 *before = g_malloc (GAP_LENGTH * self->page), *after = g_malloc (GAP_LENGTH * self->page);
  g_autoptr (GError) error = NULL;
  gsize kept;

  fill_disk (self);
  /* In the way of what follows there is a page that could not be had earlier. */
  {
    g_autoptr (MmioView) view = mmio_file_get_writable_view (file, (GAP_HEAD + 1) * self->page, self->page, &error);

    *(guint8 *) mmio_view_get_pointer (view) = 'v';
  }
  free_some_room (self);
  read_all (self, before, GAP_LENGTH * self->page);

  if (change (file, self->page, &error))
    {
      self->shared->successes++;
    }
  else
    {
      mmio_test_assert_mmio_error (&error, NO_SPACE, NULL);
      self->shared->full_disk_writes++;
      read_all (self, after, GAP_LENGTH * self->page);
      kept = assert_left (self, 0, before, after, GAP_LENGTH * self->page);
      if (overwrites_in_place (self))
        g_assert_cmpuint (kept, >, (GAP_HEAD + 2) * self->page);
      self->shared->pages_kept += kept / self->page;
      mmio_test_assert_read (file, 0, after, GAP_LENGTH * self->page);
    }

  free_disk (self);
  g_assert_true (mmio_file_close (file, NULL));
  g_assert_no_errno (unlink (self->path));
}

/* So little that it is copied in one go, from a hole into blocks. */
static void
write_from_gap (Disk *self,
                gsize length)
{
  g_autoptr (MmioFile) file = create_gap (self);
  const gsize end = (GAP_HEAD + GAP_HOLE) * self->page, offset = end - length / 2;
  g_autofree guint8 *before = g_malloc (length), *after = g_malloc (length), *bytes = g_malloc (length);
  g_autoptr (GError) error = NULL;
  gsize kept;
  int fd = open (self->path, O_RDONLY | O_CLOEXEC);

  fill_disk (self);
  memset (bytes, 'n', length);
  g_assert_cmpint (pread (fd, before, length, (off_t) offset), ==, length);
  if (mmio_file_write (file, offset, bytes, length, &error))
    {
      self->shared->successes++;
    }
  else
    {
      mmio_test_assert_mmio_error (&error, NO_SPACE, NULL);
      self->shared->full_disk_writes++;
      g_assert_cmpint (pread (fd, after, length, (off_t) offset), ==, length);
      kept = assert_left (self, offset, before, after, length);
      if (overwrites_in_place (self))
        g_assert_cmpuint (kept, ==, 0);
    }

  close (fd);
  free_disk (self);
  g_assert_true (mmio_file_close (file, NULL));
  g_assert_no_errno (unlink (self->path));
}

static int
be_nearly_full (gpointer data)
{
  Disk *self = data;

  if (!mount_disk (self))
    return MMIO_TEST_SKIP;

  for (guint i = 0; i < ROUNDS / 5; i++)
    {
      change_over_gap (self, write_over_gap);
      change_over_gap (self, write_over_gap_from_page);
      change_over_gap (self, fill_gap);
      change_over_gap (self, move_over_gap);
      write_from_gap (self, 64);
      write_from_gap (self, 1000);
      write_from_gap (self, 2 * self->page);
    }

  return 0;
}

static int
be_full (gpointer data)
{
  Disk *self = data;
  guint names;

  if (!mount_disk (self))
    return MMIO_TEST_SKIP;
  names = count_names (self->folder);

  for (guint i = 0; i < ROUNDS; i++)
    {
      g_autoptr (MmioFile) file = create_half (self);
      g_autoptr (MmioFile) growing = create_growing (self);
      g_autofree char *streamed_path = g_build_filename (self->folder, "streamed", NULL);
      g_autoptr (MmioFile) streamed = mmio_test_create (streamed_path, 0);

      fill_disk (self);
      for (guint j = 0; j < 3; j++)
        write_into_hole (self, file);
      create_preallocated (self);
      stream_until_full (self, streamed);
      grow_preallocated (self, growing);
      store_into_hole (self, file);
      free_disk (self);
      write_to_be_kept (self, file);
      g_assert_true (mmio_file_resize (growing, 64 * self->page, NULL));
      g_assert_no_errno (unlink (mmio_file_get_path (growing)));
      g_assert_no_errno (unlink (streamed_path));
      g_assert_true (mmio_file_close (file, NULL));
      g_assert_no_errno (unlink (self->path));
      g_assert_cmpuint (count_names (self->folder), ==, names);
    }

  return 0;
}

static void
test_move_into_hole (MmioTest     *test,
                     gconstpointer data)
{
  Shared *shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  Disk disk = { folder, data, shared, mmio_test_page_size (), NULL, NULL, NULL };
  int status;

  g_assert_true (shared != MAP_FAILED);
  g_assert_no_errno (mkdir (folder, 0700));
  status = mmio_test_wait_child (mmio_test_fork (move_into_hole, &disk));
  if (status == MMIO_TEST_SKIP)
    {
      g_test_skip ("not allowed to mount a file system here");
    }
  else
    {
      g_assert_cmpint (status, ==, 0);
      g_test_message ("%u moves said that the page could not be had, %u that all was well", shared->full_disk_writes, shared->successes);
    }
  munmap (shared, sizeof *shared);
}

/* FALSE, and the test is skipped, if such a file system can't be had here. */
static gboolean
run_on_disk (MmioTestChild func,
             Disk         *disk)
{
  int status;

  g_assert_true ((gpointer) disk->shared != MAP_FAILED);
  g_assert_no_errno (mkdir (disk->folder, 0700));
  status = mmio_test_wait_child (mmio_test_fork (func, disk));
  if (status == MMIO_TEST_SKIP)
    {
      g_autofree char *reason = g_strdup_printf ("%s: %s", disk->file_system, disk->shared->why);

      g_test_skip (reason);
      return FALSE;
    }

  g_assert_cmpint (status, ==, 0);
  return TRUE;
}

static void
test_nearly_full (MmioTest     *test,
                  gconstpointer data)
{
  Shared *shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  Disk disk = { folder, data, shared, mmio_test_page_size (), NULL, NULL, NULL };

  if (run_on_disk (be_nearly_full, &disk))
    {
      g_test_message ("%s: the disk was full for %u changes, which kept %u pages; %u had room", (const char *) data,
                      shared->full_disk_writes, shared->pages_kept, shared->successes);
      g_assert_cmpuint (shared->full_disk_writes, >=, ROUNDS / 5);
    }
  munmap (shared, sizeof *shared);
}

static void
test_full (MmioTest     *test,
           gconstpointer data)
{
  Shared *shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  g_autoptr (GRand) rand = mmio_test_new_rand ();
  Disk disk = { folder, data, shared, mmio_test_page_size (), rand, NULL, NULL };

  if (run_on_disk (be_full, &disk))
    {
      g_test_message ("%s: the disk was full for %u writes, %u streams, %u views, %u resizes, %u creations; %u had room",
                      (const char *) data, shared->full_disk_writes, shared->full_disk_streams, shared->full_disk_views,
                      shared->full_disk_resizes, shared->full_disk_creations, shared->successes);
      g_assert_cmpuint (shared->full_disk_writes, >=, ROUNDS);
    }
  munmap (shared, sizeof *shared);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/faults/disk/a-move-is-never-made-twice", "tmpfs", test_move_into_hole);
  mmio_test_add ("/faults/disk/full-on-tmpfs", "tmpfs", test_full);
  mmio_test_add ("/faults/disk/full-on-ext4", "ext4", test_full);
  mmio_test_add ("/faults/disk/full-on-xfs", "xfs", test_full);
  mmio_test_add ("/faults/disk/full-on-btrfs", "btrfs", test_full);
  mmio_test_add ("/faults/disk/a-change-ends-before-the-first-page-without-room-on-tmpfs", "tmpfs", test_nearly_full);
  mmio_test_add ("/faults/disk/a-change-ends-before-the-first-page-without-room-on-ext4", "ext4", test_nearly_full);
  mmio_test_add ("/faults/disk/a-change-ends-before-the-first-page-without-room-on-xfs", "xfs", test_nearly_full);
  mmio_test_add ("/faults/disk/a-change-ends-before-the-first-page-without-room-on-btrfs", "btrfs", test_nearly_full);

  return g_test_run ();
}
