/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Searching files with holes, on real file systems: what is found is what memmem finds in a copy, whichever way it got there.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE ((gsize) 24 << 20)
#define N_PIECES 12
/* A sanitizer looks at each byte that memmem () does. */
#define HAS_SANITIZER (mmio_test_has_sanitizer () || mmio_test_has_thread_sanitizer ())
#define QUERIES (HAS_SANITIZER ? 8u : mmio_test_is_thorough () ? 160u : 80u)
#define FILES (HAS_SANITIZER ? 1u : mmio_test_is_thorough () ? 4u : 2u)

typedef struct
{
  const char *folder;
  const char *file_system;
  guint32 seed;
  GRand *rand;
  char *path;
  int fd;                       /* the test's own */
  guint8 *copy;                 /* of what the file should hold */
  MmioFile *file;
  gsize pieces[N_PIECES];       /* where something was written last */
  guint n_pieces;
} Sparse;

static gsize
pick (Sparse *self,
      gsize   from,
      gsize   to)
{
  return from + (gsize) (g_rand_double (self->rand) * (double) (to - from));
}

/* By each of the ways in which bytes come into a file, and go. */
static void
change_something (Sparse *self)
{
  const gsize length = pick (self, 1, 20000);
  gsize offset = pick (self, 0, SIZE - length);
  g_autoptr (GError) error = NULL;
  guint8 *bytes = self->copy + offset;

  /* Often where pages begin, where the holes end. */
  if (g_rand_boolean (self->rand))
    offset -= offset % 4096;
  bytes = self->copy + offset;

  switch (g_rand_int_range (self->rand, 0, 7))
    {
    case 0:
      /* Blocks that hold nothing yet. */
      g_assert_no_errno (fallocate (self->fd, 0, (off_t) offset, (off_t) length));
      return;
    case 1:
      memset (bytes, 0, length);
      g_assert_no_errno (fallocate (self->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) offset, (off_t) length));
      return;
    case 2:
      g_assert_true (mmio_file_flush (self->file, &error));
      g_assert_no_error (error);
      /* What is clean goes out of memory. */
      g_assert_cmpint (posix_fadvise (self->fd, 0, 0, POSIX_FADV_DONTNEED), ==, 0);
      return;
    case 3:
      {
        /* A page that was looked at while it was a hole. */
        g_autoptr (MmioView) view = mmio_file_get_writable_view (self->file, offset, length, &error);
        guint8 *memory = mmio_view_get_pointer (view);
        volatile guint8 seen = memory[0];

        g_assert_cmpuint (seen, ==, bytes[0]);
        for (gsize i = 0; i < length; i++)
          memory[i] = bytes[i] = (guint8) g_rand_int_range (self->rand, 0, 3);
      }
      break;
    case 4:
      for (gsize i = 0; i < length; i++)
        bytes[i] = (guint8) g_rand_int_range (self->rand, 0, 3);
      g_assert_cmpint (pwrite (self->fd, bytes, length, (off_t) offset), ==, length);
      break;
    default:
      for (gsize i = 0; i < length; i++)
        bytes[i] = (guint8) g_rand_int_range (self->rand, 0, 3);
      g_assert_true (mmio_file_write (self->file, offset, bytes, length, &error));
      g_assert_no_error (error);
    }
  self->pieces[self->n_pieces++ % N_PIECES] = offset + (g_rand_boolean (self->rand) ? length : 0);
}

/* Most of the file is zeros: by a byte of the pattern that is none, if it has one. */
static gint64
find_last_in (const guint8 *bytes,
              gsize         n,
              const guint8 *pattern,
              gsize         length)
{
  gsize key = 0, n_places = n < length ? 0 : n - length + 1;
  const guint8 *found;

  while (key + 1 < length && pattern[key] == 0)
    key++;
  while (n_places > 0 && (found = memrchr (bytes + key, pattern[key], n_places)) != NULL)
    {
      n_places = (gsize) (found - (bytes + key));
      if (memcmp (bytes + n_places, pattern, length) == 0)
        return (gint64) n_places;
    }

  return -1;
}

static void
ask (Sparse *self)
{
  const gsize length = pick (self, 1, g_rand_int_range (self->rand, 0, 8) == 0 ? 6000 : 24);
  g_autofree guint8 *pattern = g_malloc (length);
  gsize from = g_rand_boolean (self->rand) ? 0 : pick (self, 0, SIZE);
  gsize to = g_rand_boolean (self->rand) ? SIZE : pick (self, from, SIZE);
  /* Around an end of what was written: into a hole, or out of one. */
  gsize middle = self->n_pieces > 0 ? self->pieces[pick (self, 0, MIN (self->n_pieces, N_PIECES))] : pick (self, 0, SIZE);
  gsize at = MIN (middle - MIN (middle, pick (self, 0, 2 * length)), SIZE - length);
  g_autoptr (GError) error = NULL;
  const guint8 *found;
  gint64 expected;

  memcpy (pattern, self->copy + at, length);
  /* Mostly not to be found. */
  if (g_rand_int_range (self->rand, 0, 4) == 0)
    pattern[pick (self, 0, length)] ^= 1;
  if (g_rand_int_range (self->rand, 0, 16) == 0)
    memset (pattern, 0, length);

  found = memmem (self->copy + from, to - from, pattern, length);
  expected = found != NULL ? (gint64) (found - self->copy) : -1;
  g_assert_cmpint (mmio_file_find (self->file, pattern, length, from, to, &error), ==, expected);
  g_assert_no_error (error);

  expected = find_last_in (self->copy + from, to - from, pattern, length);
  g_assert_cmpint (mmio_file_find_last (self->file, pattern, length, from, to, &error), ==, expected < 0 ? -1 : expected + (gint64) from);
  g_assert_no_error (error);
}

static int
search_at_random (gpointer data)
{
  Sparse *self = data;
  const char *why;

  alarm (200);
  /* Of tmpfs a hole takes its pages when it is looked at. */
  if (g_str_equal (self->file_system, "tmpfs") ? !mmio_test_mount_tmpfs (self->folder, 2 * SIZE)
                                               : !mmio_test_mount (self->folder, self->file_system, &why))
    return MMIO_TEST_SKIP;
  self->path = g_build_filename (self->folder, "file", NULL);
  self->rand = g_rand_new_with_seed (self->seed);

  for (guint i = 0; i < FILES; i++)
    {
      g_autofree guint8 *copy = g_malloc0 (SIZE);

      self->copy = copy;
      self->n_pieces = 0;
      self->file = mmio_test_create (self->path, SIZE);
      self->fd = open (self->path, O_RDWR | O_CLOEXEC);
      for (guint j = 0; j < QUERIES; j++)
        {
          if (j % 4 == 0)
            change_something (self);
          ask (self);
        }
      g_assert_no_errno (close (self->fd));
      g_object_unref (self->file);
      g_assert_no_errno (unlink (self->path));
    }

  return 0;
}

static void
test_random (MmioTest     *test,
             gconstpointer data)
{
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  Sparse sparse = { .folder = folder, .file_system = data, .seed = (guint32) g_test_rand_int () };
  int status;

  g_assert_no_errno (mkdir (folder, 0700));
  status = mmio_test_wait_child (mmio_test_fork (search_at_random, &sparse));
  if (status == MMIO_TEST_SKIP)
    g_test_skip ("this file system can't be made or mounted here");
  else
    g_assert_cmpint (status, ==, 0);
}

#if GLIB_SIZEOF_VOID_P > 4
#define HUGE_SIZE ((guint64) 1 << 40)

/* Time is no promise, but memory is: on tmpfs each page of a hole that is looked at stays. */
static int
search_a_huge_hole (gpointer data)
{
  Sparse *self = data;
  const gint64 at = (gint64) (HUGE_SIZE / 3);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  struct stat buffer;

  alarm (100);
  if (!mmio_test_mount_tmpfs (self->folder, 64 << 20))
    return MMIO_TEST_SKIP;
  self->path = g_build_filename (self->folder, "file", NULL);
  file = mmio_test_create (self->path, HUGE_SIZE);
  g_assert_true (mmio_file_write (file, (guint64) at, "needle", 6, &error));
  g_assert_no_error (error);
  g_assert_cmpint (mmio_file_find (file, "needle", 6, 0, G_MAXUINT64, &error), ==, at);
  g_assert_no_error (error);
  g_assert_cmpint (mmio_file_find_last (file, "needle", 6, 0, G_MAXUINT64, &error), ==, at);
  g_assert_cmpint (mmio_file_find (file, "needles", 7, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_cmpint (mmio_file_find_last (file, "needles", 7, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_cmpint (mmio_file_find (file, "\0needle", 7, 0, G_MAXUINT64, &error), ==, at - 1);
  g_assert_cmpint (mmio_file_find_last (file, "needle\0", 7, 0, G_MAXUINT64, &error), ==, at);
  g_assert_cmpint (mmio_file_find (file, "\0\0\0", 3, (guint64) at, G_MAXUINT64, &error), ==, at + 6);
  g_assert_no_error (error);
  g_assert_no_errno (stat (self->path, &buffer));
  g_assert_cmpuint ((guint64) buffer.st_blocks * 512, <, 32 << 20);

  return 0;
}

static void
test_huge_hole (MmioTest     *test,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = mmio_test_in_folder (test, "mount");
  Sparse sparse = { .folder = folder };
  int status;

  if (!HAVE_DECL_SEEK_DATA)
    {
      g_test_skip ("built without SEEK_DATA");
      return;
    }
  g_assert_no_errno (mkdir (folder, 0700));
  status = mmio_test_wait_child (mmio_test_fork (search_a_huge_hole, &sparse));
  if (status == MMIO_TEST_SKIP)
    g_test_skip ("not allowed to mount a file system here");
  else
    g_assert_cmpint (status, ==, 0);
}
#endif

static void
test_private (MmioTest     *test,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = mmio_test_in_folder (test, "file");
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (path, "", 0);
  mmio_test_truncate (path, (goffset) SIZE);
  file = mmio_test_open (path, MMIO_MODE_COPY_ON_WRITE);
  g_assert_true (mmio_file_write (file, SIZE / 2, "mine", 4, &error));
  g_assert_cmpint (mmio_file_find (file, "mine", 4, 0, G_MAXUINT64, &error), ==, SIZE / 2);
  g_assert_cmpint (mmio_file_find_last (file, "mine", 4, 0, G_MAXUINT64, &error), ==, SIZE / 2);
  g_assert_no_error (error);
}

/* The pieces in which is searched end somewhere: a match that lies across such an end, and in the hole behind it, is in neither. */
static void
test_over_seams (MmioTest     *test,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = mmio_test_in_folder (test, "file");
  const gsize page = mmio_test_page_size (), length = 5000, known = 100;
  g_autofree guint8 *bytes = g_malloc (page), *pattern = g_malloc0 (length), *mirrored = g_malloc0 (length);
  g_autoptr (MmioFile) file = mmio_test_create (path, SIZE);
  g_autoptr (GRand) rand = mmio_test_new_rand ();
  g_autoptr (GError) error = NULL;

  for (gsize end = page; end < (1 << 20); end += page)
    {
      for (gsize i = 0; i < page; i++)
        bytes[i] = (guint8) g_rand_int_range (rand, 1, 256);
      memcpy (pattern, bytes + page - known, known);
      memcpy (mirrored + length - known, bytes, known);
      g_assert_true (mmio_file_write (file, end - page, bytes, page, &error));
      g_assert_true (mmio_file_write (file, SIZE - end, bytes, page, &error));
      g_assert_cmpint (mmio_file_find (file, pattern, length, 0, SIZE / 2, &error), ==, end - known);
      g_assert_cmpint (mmio_file_find_last (file, mirrored, length, SIZE / 2, SIZE, &error), ==, SIZE - end + known - length);
      g_assert_no_error (error);
    }
}

/* What a descriptor that others have may show of a search: where it stands, and the locks that go with each that is closed. */
static void
test_bystanders (MmioTest     *test,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = mmio_test_in_folder (test, "file");
  struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };
  g_autoptr (MmioFile) first = mmio_test_create (path, SIZE);
  g_autoptr (MmioFile) second = NULL;
  g_autoptr (GError) error = NULL;
  guint n_fds;
  int fd = open (path, O_RDWR | O_CLOEXEC);
  pid_t child;
  int status;

  second = mmio_file_new_for_fd (fd, MMIO_MODE_READ_ONLY, &error);
  g_assert_no_error (error);
  g_assert_cmpint (lseek (fd, 5, SEEK_SET), ==, 5);
  g_assert_cmpint (lseek (mmio_file_get_fd (first), 7, SEEK_SET), ==, 7);
  g_assert_no_errno (fcntl (fd, F_SETLK, &lock));

  g_assert_cmpint (mmio_file_find (first, "absent", 6, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_cmpint (mmio_file_find (second, "absent", 6, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_no_error (error);

  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 5);
  g_assert_cmpint (lseek (mmio_file_get_fd (first), 0, SEEK_CUR), ==, 7);
  child = fork ();
  if (child == 0)
    {
      struct flock seen = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10 };

      _exit (fcntl (fd, F_GETLK, &seen) == 0 && seen.l_type == F_WRLCK ? 0 : 1);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);

  /* Nothing of it outlives the file. */
  n_fds = mmio_test_count_fds ();
  g_assert_true (mmio_file_reload (first, &error));
  g_assert_cmpint (mmio_file_find (first, "absent", 6, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  g_assert_true (mmio_file_close (second, NULL));
  g_assert_true (mmio_file_close (first, NULL));
  g_assert_cmpuint (mmio_test_count_fds (), <=, n_fds - 2);
  g_assert_no_errno (close (fd));
}

static void
test_truncated (MmioTest     *test,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = mmio_test_in_folder (test, "file");
  g_autoptr (MmioFile) file = mmio_test_create (path, SIZE);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (mmio_file_find (file, "absent", 6, 0, G_MAXUINT64, &error), ==, -1);
  g_assert_no_error (error);
  mmio_test_truncate (path, (goffset) SIZE / 2);
  g_assert_cmpint (mmio_file_find (file, "absent", 6, 0, G_MAXUINT64, &error), ==, -1);
  mmio_test_assert_mmio_error (&error, TRUNCATED, NULL);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/find/sparse/as-memmem-on-tmpfs", "tmpfs", test_random);
  mmio_test_add ("/find/sparse/as-memmem-on-ext4", "ext4", test_random);
  mmio_test_add ("/find/sparse/as-memmem-on-xfs", "xfs", test_random);
  mmio_test_add ("/find/sparse/as-memmem-on-btrfs", "btrfs", test_random);
#if GLIB_SIZEOF_VOID_P > 4
  mmio_test_add ("/find/sparse/a-huge-hole-takes-no-memory", NULL, test_huge_hole);
#endif
  mmio_test_add ("/find/sparse/private-changes-are-found", NULL, test_private);
  mmio_test_add ("/find/sparse/over-seams", NULL, test_over_seams);
  mmio_test_add ("/find/sparse/offsets-and-locks-stay", NULL, test_bystanders);
  mmio_test_add ("/find/sparse/truncated-by-others-is-an-error", NULL, test_truncated);

  return g_test_run ();
}
