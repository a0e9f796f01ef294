/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making a written page durable.
 */
#include "config.h"

#include <mmio.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "floor.h"

#define PAGE 4096

static guint64
flush_page (gpointer data,
            guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      guint64 value = i;

      mmio_file_write (data, PAGE, &value, sizeof value, NULL);
      mmio_file_flush (data, NULL);
    }
  return 0;
}

static guint64
flush_nothing (gpointer data,
               guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    mmio_file_flush (data, NULL);
  return 0;
}

static guint64
sync_page (gpointer data,
           guint64  n)
{
  FloorMap *map = data;

  for (guint64 i = 0; i < n; i++)
    {
      memcpy (map->base + PAGE, &i, sizeof i);
      msync (map->base + PAGE, PAGE, MS_SYNC);
    }
  return 0;
}

static guint64
sync_clean_page (gpointer data,
                 guint64  n)
{
  FloorMap *map = data;

  for (guint64 i = 0; i < n; i++)
    msync (map->base + PAGE, PAGE, MS_SYNC);
  return 0;
}

void
bench_flush (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "flush", 16 * PAGE);
  const char *other_path = bench_disk_file (bench, "msync", 16 * PAGE);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  FloorMap map;

  bench_need (file != NULL, error, path);
  floor_map_open (&map, other_path, TRUE);

  bench_case (bench, &(BenchCase){
    .name = "flush-page-disk", .title = "write 8 bytes and make them durable", .goal = 1.05, .aim = 1.05,
    .floor = { "a store + msync (MS_SYNC)", sync_page, &map },
    .subject = { "mmio_file_write + mmio_file_flush", flush_page, file } });
  bench_case (bench, &(BenchCase){
    .name = "flush-nothing", .title = "flush where nothing is dirty",
    .floor = { "msync (MS_SYNC) of a clean page", sync_clean_page, &map },
    .subject = { "mmio_file_flush", flush_nothing, file } });

  floor_map_close (&map);
}
