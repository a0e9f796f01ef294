/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file from its beginning to its end in chunks of 4 KiB, as a checksum or a parser goes through it.
 */
#include "config.h"

#include "bench.h"
#include "walk.h"

#define SIZE (64 << 20)
#define CHUNK 4096

static volatile guint64 sink;

static guint64
sum_up (gpointer data,
        guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    sink = walk_file (data, CHUNK);
  return 0;
}

static guint64
sum_up_floor (gpointer data,
              guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    sink = walk_map (data, CHUNK);
  return 0;
}

static guint64
look (gpointer data,
      guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    sink = walk_file_in_steps (data, CHUNK);
  return 0;
}

static guint64
look_floor (gpointer data,
            guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    sink = walk_map_in_steps (data, CHUNK);
  return 0;
}

static guint64
look_by_calls (gpointer data,
               guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    sink = walk_map_by_calls (data, CHUNK);
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
    .floor = { "a loop over a pointer", sum_up_floor, &map, .divide = SIZE / CHUNK },
    .subject = { "mmio_chunk_iter_next", sum_up, file, .divide = SIZE / CHUNK } });
  /* A loop of four instructions isn't the quickest: it has so many loads under way, all of them of one place in a page, that they wait for
   * each other (over the library's own pointer too). A call between them, and it is quicker: hence that one beside it. */
  bench_case (bench, &(BenchCase){
    .name = "chunk-look", .title = "look at one word of each chunk of 4 KiB in 64 MiB (time of a chunk)",
    .floor = { "a loop over a pointer", look_floor, &map, .divide = SIZE / CHUNK },
    .subject = { "mmio_chunk_iter_next", look, file, .divide = SIZE / CHUNK },
    .peers = (BenchSide[]){ { "a pointer, a call for each step", look_by_calls, &map, .divide = SIZE / CHUNK }, { NULL } } });

  floor_map_close (&map);
}
