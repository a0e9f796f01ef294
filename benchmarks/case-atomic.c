/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Integers that processes share.
 */
#include "config.h"

#include <mmio.h>

#include "bench.h"
#include "floor.h"

static guint64
add_held (gpointer data,
          guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    mmio_atomic_u64_add (data, 0, 1);
  return 0;
}

static guint64
add_bare (gpointer data,
          guint64  n)
{
  guint64 *value = data;

  for (guint64 i = 0; i < n; i++)
    __atomic_fetch_add (value, 1, __ATOMIC_SEQ_CST);
  return 0;
}

static guint64
add_looked_up (gpointer data,
               guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      MmioAtomicU64 *atomic = mmio_file_get_atomic_u64 (data, 64, 1, NULL);

      mmio_atomic_u64_add (atomic, 0, 1);
      mmio_atomic_u64_unref (atomic);
    }
  return 0;
}

static guint64
load_held (gpointer data,
           guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    mmio_atomic_u64_load (data, 0);
  return 0;
}

static guint64
load_bare (gpointer data,
           guint64  n)
{
  guint64 *value = data;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 loaded = __atomic_load_n (value, __ATOMIC_SEQ_CST);

      /* Not to be left out. */
      __asm__ __volatile__ ("" : : "r" (loaded));
    }
  return 0;
}

void
bench_atomic (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "atomic", 4096);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_autoptr (MmioAtomicU64) atomic = NULL;
  FloorMap map;

  bench_need (file != NULL, error, path);
  atomic = mmio_file_get_atomic_u64 (file, 64, 1, &error);
  bench_need (atomic != NULL, error, path);
  floor_map_open (&map, path, TRUE);

  bench_case (bench, &(BenchCase){
    .name = "atomic-add", .title = "add 1 to a shared 64-bit integer", .goal = 1.5, .aim = 1.5,
    .floor = { "the instruction", add_bare, map.base + 64 },
    .subject = { "mmio_atomic_u64_add", add_held, atomic },
    .peers = (BenchSide[]){ { "… on mmio_atomic_u64_get_pointer", add_bare, mmio_atomic_u64_get_pointer (atomic) },
                            { "… got and dropped each time", add_looked_up, file },
                            { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "atomic-load", .title = "load a shared 64-bit integer",
    .floor = { "the instruction", load_bare, map.base + 64 },
    .subject = { "mmio_atomic_u64_load", load_held, atomic } });

  floor_map_close (&map);
}
