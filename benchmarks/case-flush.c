/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making a written page durable.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <mmio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "floor.h"

#define PAGE 4096
#define SCATTERED 1000
#define LARGE (64 << 20)
/* A page in each sixteen. */
#define SCATTERED_AT(i) ((gsize) (i) * 16 * PAGE)

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

/* Scattered */

static guint64
flush_scattered (gpointer data,
                 guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      for (guint k = 0; k < SCATTERED; k++)
        mmio_file_write (data, SCATTERED_AT (k), &i, sizeof i, NULL);
      mmio_file_flush (data, NULL);
    }
  return 0;
}

static guint64
sync_scattered (gpointer data,
                guint64  n)
{
  FloorMap *map = data;

  for (guint64 i = 0; i < n; i++)
    {
      for (guint k = 0; k < SCATTERED; k++)
        memcpy (map->base + SCATTERED_AT (k), &i, sizeof i);
      msync (map->base, map->size, MS_SYNC);
    }
  return 0;
}

static guint64
write_scattered (gpointer data,
                 guint64  n)
{
  FloorMap *map = data;

  for (guint64 i = 0; i < n; i++)
    {
      for (guint k = 0; k < SCATTERED; k++)
        bench_need (pwrite (map->fd, &i, sizeof i, (off_t) SCATTERED_AT (k)) == sizeof i, NULL, "pwrite");
      bench_need (fdatasync (map->fd) == 0, NULL, "fdatasync");
    }
  return 0;
}

/* Has its pages in memory one by one, and not in the large folios in which write () has left them: there the first store to a page makes all
 * of its folio dirty, and all of it goes to the disk. */
static MmioFile *
open_page_by_page (const char *path)
{
  g_autoptr (GError) error = NULL;
  int fd = open (path, O_RDWR | O_CLOEXEC);
  MmioFile *file;

  bench_need (fd >= 0 && fsync (fd) == 0, NULL, path);
  errno = posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  bench_need (errno == 0, NULL, path);
  close (fd);
  file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  bench_need (file != NULL && mmio_file_advise (file, 0, mmio_file_get_size (file), MMIO_ADVICE_RANDOM, &error), error, path);

  return file;
}

static void
compare_scattered (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "flush-scattered", LARGE);
  const char *sync_path = bench_disk_file (bench, "msync-scattered", LARGE);
  const char *write_path = bench_disk_file (bench, "fdatasync-scattered", LARGE);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_autoptr (MmioFile) by_page = open_page_by_page (bench_disk_file (bench, "flush-by-page", LARGE));
  FloorMap sync_map, write_map;

  bench_need (file != NULL, error, path);
  floor_map_open (&sync_map, sync_path, TRUE);
  floor_map_open (&write_map, write_path, TRUE);

  bench_case (bench, &(BenchCase){
    .name = "flush-scattered-disk", .title = "write 8 bytes into each of 1,000 scattered pages and make them durable",
    .floor = { "stores + msync (MS_SYNC) of 64 MiB", sync_scattered, &sync_map },
    .subject = { "mmio_file_write + mmio_file_flush", flush_scattered, file },
    .peers = (BenchSide[]){ { "… after MMIO_ADVICE_RANDOM", flush_scattered, by_page },
                            { "pwrite + fdatasync", write_scattered, &write_map },
                            { NULL } } });

  floor_map_close (&sync_map);
  floor_map_close (&write_map);
}

static guint64
write_page (gpointer data,
            guint64  n)
{
  FloorMap *map = data;

  for (guint64 i = 0; i < n; i++)
    bench_need (pwrite (map->fd, &i, sizeof i, 2 * PAGE) == sizeof i && fdatasync (map->fd) == 0, NULL, "fdatasync");
  return 0;
}

/* A log: each record makes the file longer. */

#define RECORD 64

static guint64
append_flushed (gpointer data,
                guint64  n)
{
  guint8 record[RECORD] = { 0 };

  for (guint64 i = 0; i < n; i++)
    {
      guint64 size = mmio_file_get_size (data);

      bench_need (mmio_file_resize (data, size + RECORD, NULL) && mmio_file_write (data, size, record, RECORD, NULL) &&
                      mmio_file_flush (data, NULL),
                  NULL, "append");
    }
  return 0;
}

static guint64
append_synced (gpointer data,
               guint64  n)
{
  FloorMap *map = data;
  guint8 record[RECORD] = { 0 };

  for (guint64 i = 0; i < n; i++)
    {
      bench_need (pwrite (map->fd, record, RECORD, (off_t) map->size) == RECORD && fdatasync (map->fd) == 0, NULL, "append");
      map->size += RECORD;
    }
  return 0;
}

static void
compare_appends (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "flush-append", PAGE);
  const char *write_path = bench_disk_file (bench, "fdatasync-append", PAGE);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  FloorMap map;

  bench_need (file != NULL, error, path);
  floor_map_open (&map, write_path, TRUE);

  bench_case (bench, &(BenchCase){
    .name = "flush-append-disk", .title = "append 64 bytes and make them durable",
    .floor = { "pwrite + fdatasync", append_synced, &map },
    .subject = { "mmio_file_resize + write + flush", append_flushed, file } });

  map.size = PAGE;
  floor_map_close (&map);
}

void
bench_flush (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "flush", 16 * PAGE);
  const char *other_path = bench_disk_file (bench, "msync", 16 * PAGE);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  const char *quiet_path = bench_disk_file (bench, "flush-quiet", 16 * PAGE);
  const char *write_path = bench_disk_file (bench, "fdatasync", 16 * PAGE);
  g_autoptr (MmioFile) quiet = mmio_file_open (quiet_path, MMIO_MODE_READ_WRITE, &error);
  const char *again_path = bench_disk_file (bench, "msync-again", 16 * PAGE);
  FloorMap map, write_map, again_map;

  bench_need (file != NULL && quiet != NULL, error, path);
  g_object_set (quiet, "announce", FALSE, NULL);
  floor_map_open (&map, other_path, TRUE);
  floor_map_open (&write_map, write_path, TRUE);
  floor_map_open (&again_map, again_path, TRUE);

  /* The floor is there twice: by how much the second one is off is by how much any side may be, for where its file lies on the disk. */
  bench_case (bench, &(BenchCase){
    .name = "flush-page-disk", .title = "write 8 bytes and make them durable", .goal = 1.05,
    .floor = { "a store + msync (MS_SYNC)", sync_page, &map },
    .subject = { "mmio_file_write + mmio_file_flush", flush_page, file },
    .peers = (BenchSide[]){ { "… that is not announced to watchers", flush_page, quiet },
                            { "the floor once more, with another file", sync_page, &again_map },
                            { "pwrite + fdatasync", write_page, &write_map },
                            { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "flush-nothing", .title = "flush where nothing is dirty",
    .floor = { "msync (MS_SYNC) of a clean page", sync_clean_page, &map },
    .subject = { "mmio_file_flush", flush_nothing, file } });

  floor_map_close (&map);
  floor_map_close (&write_map);
  floor_map_close (&again_map);

  if (bench_wants (bench, "flush-append-disk"))
    compare_appends (bench);
  if (bench_wants (bench, "flush-scattered-disk"))
    compare_scattered (bench);
}
