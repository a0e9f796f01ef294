/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opening and closing a 4 KiB file.
 */
#include "config.h"

#include <mmio.h>

#include "bench.h"
#include "floor.h"

static guint64
open_read_only (gpointer data,
                guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    g_object_unref (mmio_file_open (data, MMIO_MODE_READ_ONLY, NULL));
  return 0;
}

static guint64
open_read_write (gpointer data,
                 guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    g_object_unref (mmio_file_open (data, MMIO_MODE_READ_WRITE, NULL));
  return 0;
}

static guint64
open_explicit_close (gpointer data,
                     guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      MmioFile *file = mmio_file_open (data, MMIO_MODE_READ_ONLY, NULL);

      mmio_file_close (file, NULL);
      g_object_unref (file);
    }
  return 0;
}

static guint64
calls_read_only (gpointer data,
                 guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      FloorMap map;

      floor_map_open (&map, data, FALSE);
      floor_map_close (&map);
    }
  return 0;
}

static guint64
calls_read_write (gpointer data,
                  guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      FloorMap map;

      floor_map_open (&map, data, TRUE);
      floor_map_close (&map);
    }
  return 0;
}

static guint64
open_mapped_file (gpointer data,
                  guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    g_mapped_file_unref (g_mapped_file_new (data, FALSE, NULL));
  return 0;
}

static void
compare (Bench      *bench,
         const char *path,
         const char *name,
         const char *name_writable)
{
  bench_case (bench, &(BenchCase){
    .name = name, .title = "open and close a 4 KiB file to read", .goal = 1.5, .aim = 1.4,
    .floor = { "open + fstat + mmap + munmap + close", calls_read_only, (gpointer) path },
    .subject = { "mmio_file_open + g_object_unref", open_read_only, (gpointer) path },
    .peers = (BenchSide[]){ { "… with mmio_file_close before", open_explicit_close, (gpointer) path },
                            { "g_mapped_file_new + unref", open_mapped_file, (gpointer) path },
                            { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = name_writable, .title = "open and close a 4 KiB file to read and write", .goal = 1.5, .aim = 1.4,
    .floor = { "open + fstat + mmap + munmap + close", calls_read_write, (gpointer) path },
    .subject = { "mmio_file_open + g_object_unref", open_read_write, (gpointer) path } });
}

void
bench_open (Bench *bench)
{
  const char *path = bench_tmpfs_file (bench, "open", 4096);

  if (path != NULL)
    compare (bench, path, "open-close-tmpfs", "open-close-rw-tmpfs");
  else
    bench_skip (bench, "open-close-tmpfs", "no tmpfs");
  compare (bench, bench_disk_file (bench, "open", 4096), "open-close-disk", "open-close-rw-disk");
}
