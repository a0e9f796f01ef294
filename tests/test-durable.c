/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a flush has acknowledged is on the disk, on real file systems: the disk is kept as it is at that moment, and mounted again.
 * tests/powercut cuts the power too; here are more file systems, and flushes of several ranges.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_ROUNDS 8
#define N_TRIES 5
/* The exit status of a child that has found the system writing by itself. */
#define TRY_AGAIN 78
/* Where the ranges begin, in MiB: some so near to each other that they are synced together, others not. */
static const guint64 places[] = { 0, 1, 2, 12, 16 };

#define N_RANGES G_N_ELEMENTS (places)

typedef struct
{
  const char *file_system;
  gboolean is_overlaid;         /* the file is opened through an overlay on the disk */
  gboolean grows;               /* each round has a new size to sync as well */
  const char *folder;
  const char *path;             /* on the disk */
  char *why;                    /* in memory that both processes share: to skip */
} Durable;

static guint64
get_offset (guint round,
            guint range)
{
  return (places[range] << 20) + round * mmio_test_page_size ();
}

static guint64
get_value (guint round,
           guint range)
{
  return ((guint64) round + 1) * 1000 + range;
}

/* Each round stores into pages that the file has no blocks for yet. */
static void
write_round (MmioFile *file,
             guint     round)
{
  g_autoptr (GError) error = NULL;

  for (guint range = 0; range < N_RANGES; range++)
    {
      guint64 value = get_value (round, range);

      g_assert_true (mmio_file_write (file, get_offset (round, range), &value, sizeof value, &error));
      g_assert_no_error (error);
    }
}

/* The last range may lie behind the end. */
static gboolean
has_any_of_round (MmioFile *file,
                  guint     round)
{
  for (guint range = 0; range < N_RANGES - 1; range++)
    {
      guint64 value;

      g_assert_true (mmio_file_read (file, get_offset (round, range), &value, sizeof value, NULL));
      if (value != 0)
        return TRUE;
    }

  return FALSE;
}

/* Lays an overlay over the disk, whose upper folder is the one of path. What it is mounted at, or NULL. */
static char *
mount_overlay (const Durable *self)
{
  g_autofree char *upper = g_path_get_dirname (self->path);
  g_autofree char *lower = g_build_filename (self->folder, "lower", NULL);
  g_autofree char *work = g_build_filename (self->folder, "work", NULL);
  g_autofree char *merged = g_build_filename (self->folder, "merged", NULL);
  g_autofree char *options = g_strdup_printf ("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work);

  g_assert_no_errno (mkdir (lower, 0700));
  g_assert_no_errno (mkdir (work, 0700));
  g_assert_no_errno (mkdir (merged, 0700));

  return mount ("overlay", merged, "overlay", 0, options) == 0 ? g_steal_pointer (&merged) : NULL;
}

static int
flush_and_look (gpointer data)
{
  const Durable *self = data;
  g_autofree char *folder = g_path_get_dirname (self->path);
  g_autofree char *path = g_strdup (self->path);
  g_autofree char *overlay = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  const char *why;
  guint64 size = get_offset (1, N_RANGES - 1);

  alarm (150);
  if (!mmio_test_mount (self->folder, self->file_system, &why))
    {
      g_strlcpy (self->why, why, 128);
      return MMIO_TEST_SKIP;
    }
  g_assert_no_errno (mkdir (folder, 0700));
  if (self->is_overlaid)
    {
      overlay = mount_overlay (self);
      if (overlay == NULL)
        {
          g_strlcpy (self->why, "no overlay can be mounted here", 128);
          return MMIO_TEST_SKIP;
        }
      g_free (path);
      path = g_build_filename (overlay, "file", NULL);
    }

  file = mmio_file_create (path, self->grows ? size : get_offset (N_ROUNDS + 1, N_RANGES - 1), MMIO_CREATE_FLAGS_DURABLE, &error);
  g_assert_no_error (error);
  for (guint round = 0; round < N_ROUNDS; round++)
    {
      if (self->grows)
        g_assert_true (mmio_file_resize (file, size + round * mmio_test_page_size (), &error));
      write_round (file, round);
      g_assert_true (mmio_file_flush (file, &error));
      g_assert_no_error (error);
    }
  size = mmio_file_get_size (file);
  /* One without a flush: if it were there as well, this would show nothing. The system may write it out at any time. */
  if (self->grows)
    g_assert_true (mmio_file_resize (file, size + mmio_test_page_size (), &error));
  write_round (file, N_ROUNDS);
  if (!mmio_test_keep_disk (self->folder))
    return TRY_AGAIN;
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_clear_object (&file);
  if (overlay != NULL)
    g_assert_no_errno (umount (overlay));
  mmio_test_mount_kept_disk (self->folder, self->file_system);

  file = mmio_test_open (self->path, MMIO_MODE_READ_ONLY);
  g_assert_cmpuint (mmio_file_get_size (file), >=, size);
  for (guint round = 0; round < N_ROUNDS; round++)
    for (guint range = 0; range < N_RANGES; range++)
      {
        guint64 value = get_value (round, range);

        mmio_test_assert_read (file, get_offset (round, range), &value, sizeof value);
      }

  return mmio_file_get_size (file) > size || has_any_of_round (file, N_ROUNDS) ? TRY_AGAIN : 0;
}

/* Each time on a disk of its own: the last one is given back when the system comes to it. */
static int
try_on_disk (MmioTest *t,
             Durable  *self,
             guint     number)
{
  g_autofree char *name = g_strdup_printf ("mount-%u", number);
  g_autofree char *folder = mmio_test_in_folder (t, name);
  g_autofree char *path = g_build_filename (folder, "upper", "file", NULL);

  self->folder = folder;
  self->path = path;
  g_assert_no_errno (mkdir (folder, 0700));
  return mmio_test_wait_child (mmio_test_fork (flush_and_look, self));
}

static void
test_durable (MmioTest     *t,
              gconstpointer data)
{
  char *why = mmap (NULL, 128, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const gboolean is_overlaid = g_str_equal (data, "overlay");
  Durable self = { is_overlaid ? "ext4" : data, is_overlaid, FALSE, NULL, NULL, why };

  g_assert_true (why != MAP_FAILED);
  for (guint i = 0; i < 2; i++)
    {
      int status = TRY_AGAIN;

      self.grows = i == 1;
      for (guint number = 0; number < N_TRIES && status == TRY_AGAIN; number++)
        status = try_on_disk (t, &self, i * N_TRIES + number);
      if (status == TRY_AGAIN)
        {
          g_test_skip ("this system writes so much by itself that a flush makes no difference");
          break;
        }
      if (status == MMIO_TEST_SKIP)
        {
          g_autofree char *reason = g_strdup_printf ("%s: %s", (const char *) data, why);

          g_test_skip (reason);
          break;
        }
      g_assert_cmpint (status, ==, 0);
    }

  munmap (why, 128);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/durable/all-ranges-of-a-flush-are-on-the-disk/ext4", "ext4", test_durable);
  mmio_test_add ("/durable/all-ranges-of-a-flush-are-on-the-disk/xfs", "xfs", test_durable);
  mmio_test_add ("/durable/all-ranges-of-a-flush-are-on-the-disk/btrfs", "btrfs", test_durable);
  mmio_test_add ("/durable/all-ranges-of-a-flush-are-on-the-disk/overlay", "overlay", test_durable);

  return g_test_run ();
}
