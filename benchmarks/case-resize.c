/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Growing and shrinking, against unmapping and mapping again, which is what a program does that has no reserve.
 */
#include "config.h"

#include <errno.h>
#include <mmio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "floor.h"

#define MIB (1 << 20)

static guint64
resize_cycle (gpointer data,
              guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      mmio_file_resize (data, 2 * MIB, NULL);
      mmio_file_resize (data, MIB, NULL);
    }
  return 0;
}

/* Shrinking, the mapping goes before the file's end does: nobody is to look past it. */
static void
remap (FloorMap *map,
       guint64   size)
{
  munmap (map->base, map->size);
  if (ftruncate (map->fd, (off_t) size) != 0)
    g_error ("ftruncate: %s", g_strerror (errno));
  map->base = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);
  if (map->base == MAP_FAILED)
    g_error ("mmap: %s", g_strerror (errno));
  map->size = size;
}

static guint64
remap_cycle (gpointer data,
             guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      remap (data, 2 * MIB);
      remap (data, MIB);
    }
  return 0;
}

#ifdef MREMAP_MAYMOVE
/* On Linux a mapping can be made longer or shorter; longer, only as far as nothing else is in the way, else it moves, and no pointer into it
 * is good any more. */
static void
remap_in_place (FloorMap *map,
                guint64   size)
{
  if (size > map->size && ftruncate (map->fd, (off_t) size) != 0)
    g_error ("ftruncate: %s", g_strerror (errno));
  map->base = mremap (map->base, map->size, size, MREMAP_MAYMOVE);
  if (map->base == MAP_FAILED)
    g_error ("mremap: %s", g_strerror (errno));
  if (size < map->size && ftruncate (map->fd, (off_t) size) != 0)
    g_error ("ftruncate: %s", g_strerror (errno));
  map->size = size;
}

static guint64
mremap_cycle (gpointer data,
              guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      remap_in_place (data, 2 * MIB);
      remap_in_place (data, MIB);
    }
  return 0;
}
#define MREMAP_SIDE(map) { "ftruncate + mremap, which may move", mremap_cycle, map }
#else
#define MREMAP_SIDE(map) { .label = "ftruncate + mremap", .missing = "this system has no mremap" }
#endif

/* The file alone, as if nobody had mapped it: what no library can be quicker than. */
static guint64
truncate_cycle (gpointer data,
                guint64  n)
{
  int fd = GPOINTER_TO_INT (data);

  for (guint64 i = 0; i < n; i++)
    if (ftruncate (fd, 2 * MIB) != 0 || ftruncate (fd, MIB) != 0)
      g_error ("ftruncate: %s", g_strerror (errno));
  return 0;
}

static void
compare (Bench      *bench,
         const char *path,
         const char *other_path,
         const char *third_path,
         const char *fourth_path,
         const char *name,
         double      goal)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  FloorMap map, moving, bare;

  bench_need (file != NULL, error, path);
  floor_map_open (&map, other_path, TRUE);
  floor_map_open (&moving, fourth_path, TRUE);
  floor_map_open (&bare, third_path, TRUE);
  munmap (bare.base, bare.size);

  bench_case (bench, &(BenchCase){
    .name = name, .title = "resize 1 -> 2 -> 1 MiB", .goal = goal,
    .floor = { "munmap + ftruncate + mmap", remap_cycle, &map },
    .subject = { "mmio_file_resize", resize_cycle, file },
    .peers = (BenchSide[]){ MREMAP_SIDE (&moving),
                            { "ftruncate of a file that nobody maps", truncate_cycle, GINT_TO_POINTER (bare.fd) },
                            { NULL } } });

  floor_map_close (&map);
  floor_map_close (&moving);
  close (bare.fd);
}

void
bench_resize (Bench *bench)
{
  const char *path = bench_tmpfs_file (bench, "resize", MIB);

  /* The goal is for tmpfs: on a disk's file system ftruncate itself, with its journal, is most of both. */
  if (path != NULL)
    compare (bench, path, bench_tmpfs_file (bench, "remap", MIB), bench_tmpfs_file (bench, "bare", MIB),
             bench_tmpfs_file (bench, "mremap", MIB), "resize-tmpfs", 0.25);
  else
    bench_skip (bench, "resize-tmpfs", "no tmpfs");
  compare (bench, bench_disk_file (bench, "resize", MIB), bench_disk_file (bench, "remap", MIB),
           bench_disk_file (bench, "bare", MIB), bench_disk_file (bench, "mremap", MIB), "resize-disk", 0);
}
