/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Integers that processes share.
 */
#include "config.h"

#include <mmio.h>
#include <string.h>

#include "bench-program.h"
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

/* Contended: another process does the same to the same integer, from before the turn until after it. */

typedef struct
{
  BenchRun add;
  gpointer target;
  guint64 *control;             /* [0]: 1 while the partner is to add; [8]: 1 while it does */
  BenchProgram *partner;
} Contest;

static guint64
add_meanwhile (gpointer data,
               guint64  n)
{
  Contest *self = data;
  guint64 start = bench_now (), done = 0;

  __atomic_store_n (&self->control[8], 1, __ATOMIC_SEQ_CST);
  for (; __atomic_load_n (&self->control[0], __ATOMIC_RELAXED) != 0; done += 100)
    self->add (self->target, 100);
  __atomic_store_n (&self->control[8], 0, __ATOMIC_SEQ_CST);

  return MAX (1, (bench_now () - start) / MAX (1, done));
}

static guint64
add_contended (gpointer data,
               guint64  n)
{
  Contest *self = data;
  guint64 start, elapsed;

  __atomic_store_n (&self->control[0], 1, __ATOMIC_SEQ_CST);
  bench_program_ask (self->partner, 1);
  while (__atomic_load_n (&self->control[8], __ATOMIC_SEQ_CST) == 0)
    ;
  start = bench_now ();
  self->add (self->target, n);
  elapsed = bench_now () - start;
  __atomic_store_n (&self->control[0], 0, __ATOMIC_SEQ_CST);
  bench_program_wait (self->partner);

  return elapsed;
}

/* The integer is at 64, what steers the partner at 2048 and 2112: in no cache line of another's. */
static void
contest_init (Contest        *self,
              gboolean        ours,
              const FloorMap *map,
              MmioAtomicU64  *atomic)
{
  self->add = ours ? add_held : add_bare;
  self->target = ours ? (gpointer) atomic : map->base + 64;
  self->control = (guint64 *) (gpointer) (map->base + 2048);
}

static void
contest_start (Contest    *self,
               const char *kind,
               const char *path)
{
  const char *arguments[] = { bench_program_self (), "--partner=atomic", kind, path, NULL };

  self->partner = bench_program_start (arguments, NULL, 0);
  if (bench_program_get_missing (self->partner) != NULL)
    g_error ("%s", bench_program_get_missing (self->partner));
}

static MmioAtomicU64 *
open_atomic (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  MmioAtomicU64 *atomic;

  bench_need (file != NULL, error, path);
  atomic = mmio_file_get_atomic_u64 (file, 64, 1, &error);
  bench_need (atomic != NULL, error, path);
  return atomic;
}

int
bench_atomic_partner (char **arguments)
{
  g_autoptr (MmioAtomicU64) atomic = open_atomic (arguments[1]);
  Contest contest = { NULL };
  FloorMap map;

  floor_map_open (&map, arguments[1], TRUE);
  contest_init (&contest, g_str_equal (arguments[0], "ours"), &map, atomic);
  return bench_program_serve (add_meanwhile, &contest);
}

static void
compare_contended (Bench *bench)
{
  const char *path = bench_tmpfs_file (bench, "contended", 4096);
  const char *bare_path = bench_tmpfs_file (bench, "contended-bare", 4096);
  g_autoptr (MmioAtomicU64) atomic = NULL;
  Contest ours = { NULL }, bare = { NULL };
  FloorMap map, bare_map;

  if (path == NULL || g_get_num_processors () < 2)
    {
      bench_skip (bench, "atomic-contended", path == NULL ? "no tmpfs" : "one processor");
      return;
    }

  atomic = open_atomic (path);
  floor_map_open (&map, path, TRUE);
  floor_map_open (&bare_map, bare_path, TRUE);
  memset (map.base, 0, map.size);
  memset (bare_map.base, 0, bare_map.size);
  contest_init (&ours, TRUE, &map, atomic);
  contest_init (&bare, FALSE, &bare_map, NULL);
  bench_run_on (1);
  contest_start (&ours, "ours", path);
  contest_start (&bare, "bare", bare_path);
  bench_run_on (0);

  bench_case (bench, &(BenchCase){
    .name = "atomic-contended", .title = "add 1 to a shared 64-bit integer while another process does", .goal = 1.5,
    .slice = 5000000,
    .floor = { "the instruction, in both", add_contended, &bare },
    .subject = { "mmio_atomic_u64_add, in both", add_contended, &ours } });

  bench_program_free (ours.partner);
  bench_program_free (bare.partner);
  bench_run_anywhere ();
  floor_map_close (&map);
  floor_map_close (&bare_map);
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
    .name = "atomic-add", .title = "add 1 to a shared 64-bit integer", .goal = 1.5,
    .floor = { "the instruction", add_bare, map.base + 64 },
    .subject = { "mmio_atomic_u64_add", add_held, atomic },
    .peers = (BenchSide[]){ { "… on mmio_atomic_u64_get_pointer", add_bare, mmio_atomic_u64_get_pointer (atomic) },
                            { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "atomic-look-up", .title = "get a shared 64-bit integer, add 1 to it and drop it",
    .floor = { "the instruction", add_bare, map.base + 64 },
    .subject = { "mmio_file_get_atomic_u64 + add + unref", add_looked_up, file } });
  bench_case (bench, &(BenchCase){
    .name = "atomic-load", .title = "load a shared 64-bit integer",
    .floor = { "the instruction", load_bare, map.base + 64 },
    .subject = { "mmio_atomic_u64_load", load_held, atomic } });

  floor_map_close (&map);

  compare_contended (bench);
}
