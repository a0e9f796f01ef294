/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file from its beginning to its end in chunks of 4 KiB, as a checksum or a parser goes through it.
 */
#include "config.h"

#include <mmio.h>

#include "bench.h"
#include "floor.h"

#define SIZE (64 << 20)

static volatile gsize chunk_size = 4096;
static volatile guint64 sink;

/* Four sums at a time, so that memory and not the adding is what is waited for. */
static inline guint64
sum (const guint64 *words,
     gsize          n)
{
  guint64 sums[4] = { 0 };

  for (gsize i = 0; i + 4 <= n; i += 4)
    for (guint k = 0; k < 4; k++)
      sums[k] += words[i + k];

  return sums[0] + sums[1] + sums[2] + sums[3];
}

static guint64
walk_sum (gpointer data,
          guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      MmioChunkIter iter;
      gconstpointer chunk;
      gsize length;
      guint64 total = 0;

      bench_need (mmio_chunk_iter_init (&iter, data, chunk_size, NULL), NULL, "mmio_chunk_iter_init");
      while (mmio_chunk_iter_next (&iter, &chunk, &length))
        total += sum (chunk, length / sizeof (guint64));
      mmio_chunk_iter_clear (&iter);
      sink = total;
    }
  return 0;
}

static guint64
walk_sum_floor (gpointer data,
                guint64  n)
{
  const FloorMap *map = data;
  const gsize step = chunk_size;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 total = 0;

      for (gsize at = 0; at < map->size; at += step)
        total += sum ((const guint64 *) (gconstpointer) (map->base + at), MIN (step, map->size - at) / sizeof (guint64));
      sink = total;
    }
  return 0;
}

/* One word of each chunk: what the step itself costs shows. */
static guint64
walk_look (gpointer data,
           guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      MmioChunkIter iter;
      gconstpointer chunk;
      gsize length;
      guint64 total = 0;

      bench_need (mmio_chunk_iter_init (&iter, data, chunk_size, NULL), NULL, "mmio_chunk_iter_init");
      while (mmio_chunk_iter_next (&iter, &chunk, &length))
        total += *(const guint64 *) chunk;
      mmio_chunk_iter_clear (&iter);
      sink = total;
    }
  return 0;
}

static guint64
walk_look_floor (gpointer data,
                 guint64  n)
{
  const FloorMap *map = data;
  const gsize step = chunk_size;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 total = 0;

      for (gsize at = 0; at < map->size; at += step)
        total += *(const guint64 *) (gconstpointer) (map->base + at);
      sink = total;
    }
  return 0;
}

void
bench_chunk (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "chunk", SIZE);
  g_autoptr (MmioFile) file = NULL;
  FloorMap map;

  if (path == NULL)
    path = bench_disk_file (bench, "chunk", SIZE);
  file = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);
  bench_need (file != NULL, error, path);
  floor_map_open (&map, path, FALSE);

  bench_case (bench, &(BenchCase){
    .name = "chunk-sum", .title = "sum up 64 MiB in chunks of 4 KiB (time of a chunk)", .goal = 1.1,
    .floor = { "a loop over a pointer", walk_sum_floor, &map, .divide = SIZE / 4096 },
    .subject = { "mmio_chunk_iter_next", walk_sum, file, .divide = SIZE / 4096 } });
  bench_case (bench, &(BenchCase){
    .name = "chunk-look", .title = "look at one word of each chunk of 4 KiB in 64 MiB (time of a chunk)",
    .floor = { "a loop over a pointer", walk_look_floor, &map, .divide = SIZE / 4096 },
    .subject = { "mmio_chunk_iter_next", walk_look, file, .divide = SIZE / 4096 } });

  floor_map_close (&map);
}
