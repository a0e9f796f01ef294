/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in and out by copy, and peek. Hot: within one page. Random: anywhere in 64 MiB, which no cache holds. The sizes are
 * read from a volatile, so that no side knows them.
 */
#include "config.h"

#include <errno.h>
#include <mmio.h>
#include <unistd.h>

#include "bench.h"
#include "floor.h"

typedef struct
{
  MmioFile *file;
  FloorMap map;
  guint8 buffer[64] __attribute__ ((aligned (64)));
} Copy;

static volatile gsize small = 64;
static volatile gpointer sink;

/* Where the i-th operation goes. */
#define HOT(i) (((i) * 64) & 4095)

static guint64
read_hot (gpointer data,
          guint64  n)
{
  Copy *copy = data;
  MmioFile *file = copy->file;
  gsize count = small;

  for (guint64 i = 0; i < n; i++)
    mmio_file_read (file, HOT (i), copy->buffer, count, NULL);
  return 0;
}

static guint64
read_hot_floor (gpointer data,
                guint64  n)
{
  Copy *copy = data;
  gsize count = small;

  for (guint64 i = 0; i < n; i++)
    floor_read (&copy->map, HOT (i), copy->buffer, count);
  return 0;
}

static guint64
read_hot_shared (gpointer data,
                 guint64  n)
{
  Copy *copy = data;
  gsize count = small;

  for (guint64 i = 0; i < n; i++)
    floor_read_shared (&copy->map, HOT (i), copy->buffer, count);
  return 0;
}

static guint64
write_hot (gpointer data,
           guint64  n)
{
  Copy *copy = data;
  MmioFile *file = copy->file;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    mmio_file_write (file, HOT (i), copy->buffer, length, NULL);
  return 0;
}

static guint64
write_hot_floor (gpointer data,
                 guint64  n)
{
  Copy *copy = data;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    floor_write (&copy->map, HOT (i), copy->buffer, length);
  return 0;
}

static guint64
write_hot_shared (gpointer data,
                  guint64  n)
{
  Copy *copy = data;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    floor_write_shared (&copy->map, HOT (i), copy->buffer, length);
  return 0;
}

static guint64
peek_hot (gpointer data,
          guint64  n)
{
  Copy *copy = data;
  MmioFile *file = copy->file;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    sink = (gpointer) mmio_file_peek (file, HOT (i), length, NULL);
  return 0;
}

static guint64
peek_hot_floor (gpointer data,
                guint64  n)
{
  Copy *copy = data;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    sink = (gpointer) floor_peek (&copy->map, HOT (i), length);
  return 0;
}

static guint64
peek_hot_shared (gpointer data,
                 guint64  n)
{
  Copy *copy = data;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    sink = (gpointer) floor_peek_shared (&copy->map, HOT (i), length);
  return 0;
}

/* Random */

#define LARGE (64 << 20)

typedef struct
{
  MmioFile *file;
  FloorMap map;
  gsize size;
  guint8 *buffer;
  guint64 state;                /* each side goes its own way through the same sequence */
} Random;

/* Marsaglia's xorshift; see https://doi.org/10.18637/jss.v008.i14 */
static inline guint64
next_offset (Random *random)
{
  random->state ^= random->state << 13;
  random->state ^= random->state >> 7;
  random->state ^= random->state << 17;

  /* Not aligned to a page: the records of a file seldom are. */
  return (random->state & (LARGE - 1)) % (LARGE - random->size);
}

static guint64
read_random (gpointer data,
             guint64  n)
{
  Random *random = data;
  MmioFile *file = random->file;

  for (guint64 i = 0; i < n; i++)
    mmio_file_read (file, next_offset (random), random->buffer, random->size, NULL);
  return 0;
}

static guint64
read_random_floor (gpointer data,
                   guint64  n)
{
  Random *random = data;

  for (guint64 i = 0; i < n; i++)
    floor_read (&random->map, next_offset (random), random->buffer, random->size);
  return 0;
}

static guint64
read_random_pread (gpointer data,
                   guint64  n)
{
  Random *random = data;

  for (guint64 i = 0; i < n; i++)
    if (pread (random->map.fd, random->buffer, random->size, (off_t) next_offset (random)) < 0)
      g_error ("pread: %s", g_strerror (errno));
  return 0;
}

static guint64
write_random (gpointer data,
              guint64  n)
{
  Random *random = data;
  MmioFile *file = random->file;

  for (guint64 i = 0; i < n; i++)
    mmio_file_write (file, next_offset (random), random->buffer, random->size, NULL);
  return 0;
}

static guint64
write_random_floor (gpointer data,
                    guint64  n)
{
  Random *random = data;

  for (guint64 i = 0; i < n; i++)
    floor_write (&random->map, next_offset (random), random->buffer, random->size);
  return 0;
}

static guint64
write_random_pwrite (gpointer data,
                     guint64  n)
{
  Random *random = data;

  for (guint64 i = 0; i < n; i++)
    if (pwrite (random->map.fd, random->buffer, random->size, (off_t) next_offset (random)) < 0)
      g_error ("pwrite: %s", g_strerror (errno));
  return 0;
}

static void
compare_random (Bench      *bench,
                const char *path)
{
  static const struct
  {
    gsize size;
    const char *read_name, *read_title, *write_name, *write_title;
    double limit;
  } sizes[] = {
    { 64, "read-64-random", "read 64 bytes anywhere in 64 MiB", "write-64-random", "write 64 bytes anywhere in 64 MiB", 0 },
    { 4096, "read-4k-random", "read 4 KiB anywhere in 64 MiB", "write-4k-random", "write 4 KiB anywhere in 64 MiB", 1.05 },
    { 65536, "read-64k-random", "read 64 KiB anywhere in 64 MiB", "write-64k-random", "write 64 KiB anywhere in 64 MiB", 1.05 },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  Random sides[3] = { { NULL } };
  FloorMap map;

  bench_need (file != NULL, error, path);
  floor_map_open (&map, path, TRUE);
  /* Both have all their pages before anything is timed. */
  bench_need (mmio_file_prefetch (file, 0, LARGE, &error) && mmio_file_touch (file, 0, LARGE, &error), error, path);
  for (gsize i = 0; i < LARGE; i += 4096)
    ((volatile guint8 *) map.base)[i] += 0;

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      for (gsize side = 0; side < G_N_ELEMENTS (sides); side++)
        sides[side] = (Random){ file, map, sizes[i].size, g_aligned_alloc0 (1, sizes[i].size, 4096), 88172645463325252 };

      bench_case (bench, &(BenchCase){
        .name = sizes[i].read_name, .title = sizes[i].read_title, .goal = sizes[i].limit, .aim = sizes[i].limit,
        .floor = { "memcpy with a bounds check", read_random_floor, &sides[0] },
        .subject = { "mmio_file_read", read_random, &sides[1] },
        .peers = (BenchSide[]){ { "pread", read_random_pread, &sides[2] }, { NULL } } });
      bench_case (bench, &(BenchCase){
        .name = sizes[i].write_name, .title = sizes[i].write_title,
        .floor = { "memcpy with a bounds check", write_random_floor, &sides[0] },
        .subject = { "mmio_file_write", write_random, &sides[1] },
        .peers = (BenchSide[]){ { "pwrite", write_random_pwrite, &sides[2] }, { NULL } } });

      for (gsize side = 0; side < G_N_ELEMENTS (sides); side++)
        g_aligned_free (sides[side].buffer);
    }

  floor_map_close (&map);
}

void
bench_copy (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "copy", 1 << 20);
  Copy copy = { NULL };

  if (path == NULL)
    path = bench_disk_file (bench, "copy", 1 << 20);

  copy.file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  bench_need (copy.file != NULL, error, path);
  floor_map_open (&copy.map, path, TRUE);

  bench_case (bench, &(BenchCase){
    .name = "read-64-hot", .title = "read 64 hot bytes", .goal = 2.0, .aim = 1.7,
    .floor = { "memcpy with a bounds check", read_hot_floor, &copy },
    .subject = { "mmio_file_read", read_hot, &copy },
    .peers = (BenchSide[]){ { "the floor, in a shared library", read_hot_shared, &copy }, { NULL } } });

  bench_case (bench, &(BenchCase){
    .name = "write-64-hot", .title = "write 64 hot bytes", .goal = 3.5, .aim = 2.5,
    .floor = { "memcpy with a bounds check", write_hot_floor, &copy },
    .subject = { "mmio_file_write", write_hot, &copy },
    .peers = (BenchSide[]){ { "the floor, in a shared library", write_hot_shared, &copy }, { NULL } } });

  bench_case (bench, &(BenchCase){
    .name = "peek-64-hot", .title = "a pointer to 64 hot bytes", .goal = 2.2, .aim = 2.0,
    .floor = { "a bounds check", peek_hot_floor, &copy },
    .subject = { "mmio_file_peek", peek_hot, &copy },
    .peers = (BenchSide[]){ { "the floor, in a shared library", peek_hot_shared, &copy }, { NULL } } });

  floor_map_close (&copy.map);
  g_object_unref (copy.file);

  path = bench_tmpfs_file (bench, "random", LARGE);
  compare_random (bench, path != NULL ? path : bench_disk_file (bench, "random", LARGE));
}
