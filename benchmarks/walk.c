/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "walk.h"

#include "bench.h"

/* Four sums at a time, so that memory and not the adding is what is waited for. */
static inline guint64
sum (const guint8 *chunk,
     gsize         length)
{
  const guint64 *words = (const guint64 *) (gconstpointer) chunk;
  guint64 sums[4] = { 0 };

  for (gsize i = 0; i + 4 <= length / sizeof *words; i += 4)
    for (guint k = 0; k < 4; k++)
      sums[k] += words[i + k];

  return sums[0] + sums[1] + sums[2] + sums[3];
}

static inline guint64
look (const guint8 *chunk,
      gsize         length G_GNUC_UNUSED)
{
  return *(const guint64 *) (gconstpointer) chunk;
}

/* Inlined into those below: what is done with a chunk is no call. */
static inline __attribute__ ((always_inline)) guint64
for_each_of_file (MmioFile *file,
                  gsize     chunk_size,
                  guint64 (*func) (const guint8 *chunk, gsize length))
{
  MmioChunkIter iter;
  gconstpointer chunk;
  gsize length;
  guint64 total = 0;

  bench_need (mmio_chunk_iter_init (&iter, file, chunk_size, NULL), NULL, "mmio_chunk_iter_init");
  while (mmio_chunk_iter_next (&iter, &chunk, &length))
    total += func (chunk, length);
  mmio_chunk_iter_clear (&iter);

  return total;
}

static inline __attribute__ ((always_inline)) guint64
for_each_of_map (const FloorMap *map,
                 gsize           chunk_size,
                 guint64 (*func) (const guint8 *chunk, gsize length))
{
  guint64 total = 0;

  for (gsize at = 0; at < map->size; at += chunk_size)
    total += func (map->base + at, MIN (chunk_size, map->size - at));

  return total;
}

guint64
walk_chunk (const guint8 *chunk,
            gsize         length)
{
  return sum (chunk, length);
}

guint64
walk_file (MmioFile *file,
           gsize     chunk_size)
{
  return for_each_of_file (file, chunk_size, sum);
}

guint64
walk_map (const FloorMap *map,
          gsize           chunk_size)
{
  return for_each_of_map (map, chunk_size, sum);
}

guint64
walk_file_in_steps (MmioFile *file,
                    gsize     chunk_size)
{
  return for_each_of_file (file, chunk_size, look);
}

guint64
walk_map_in_steps (const FloorMap *map,
                   gsize           chunk_size)
{
  return for_each_of_map (map, chunk_size, look);
}

guint64
walk_map_by_calls (const FloorMap *map,
                   gsize           chunk_size)
{
  guint64 at = 0, total = 0;
  gconstpointer chunk;
  gsize length;

  while (floor_step (map, &at, chunk_size, &chunk, &length))
    total += look (chunk, length);

  return total;
}
