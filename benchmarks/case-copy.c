/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in and out by copy, and peek. Hot: within one page. The sizes are read from a volatile, so that no side knows them.
 */
#include "config.h"

#include <mmio.h>

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
}
