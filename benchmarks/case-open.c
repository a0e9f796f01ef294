/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Opening and closing a 4 KiB file.
 */
#include "config.h"

#include <mmio.h>

#include "bench-program.h"
#include "crowd.h"
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

static guint64
open_stream (gpointer data,
             guint64  n)
{
  g_autoptr (GFile) location = g_file_new_for_path (data);

  for (guint64 i = 0; i < n; i++)
    g_object_unref (g_file_read (location, NULL, NULL));
  return 0;
}

static void
compare (Bench      *bench,
         const char *path,
         const char *name,
         const char *name_writable)
{
  BenchSide boost = bench_program_side ("Boost.Interprocess, mapped_region", BENCH_PROGRAMS "/peer-boost", "open", path, NULL);

  bench_case (bench, &(BenchCase){
    .name = name, .title = "open and close a 4 KiB file to read", .goal = 1.4,
    .floor = { "open + fstat + mmap + munmap + close", calls_read_only, (gpointer) path },
    .subject = { "mmio_file_open + g_object_unref", open_read_only, (gpointer) path },
    .peers = (BenchSide[]){ { "… with mmio_file_close before", open_explicit_close, (gpointer) path },
                            { "g_mapped_file_new + unref", open_mapped_file, (gpointer) path },
                            { "g_file_read + close", open_stream, (gpointer) path },
                            boost,
                            { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = name_writable, .title = "open and close a 4 KiB file to read and write", .goal = 1.4,
    .floor = { "open + fstat + mmap + munmap + close", calls_read_write, (gpointer) path },
    .subject = { "mmio_file_open + g_object_unref", open_read_write, (gpointer) path } });

  bench_program_stop (&boost);
}

/* Many at once */

#define MANY 10000

typedef struct
{
  char *paths[MANY];
  gpointer open[MANY];
  FloorMap maps[MANY];
} Many;

static guint64
many_ours (gpointer data,
           guint64  n)
{
  Many *many = data;

  for (guint64 i = 0; i < n; i++)
    {
      for (guint k = 0; k < MANY; k++)
        many->open[k] = mmio_file_open (many->paths[k], MMIO_MODE_READ_ONLY, NULL);
      for (guint k = 0; k < MANY; k++)
        g_object_unref (many->open[k]);
    }
  return 0;
}

static guint64
many_calls (gpointer data,
            guint64  n)
{
  Many *many = data;

  for (guint64 i = 0; i < n; i++)
    {
      for (guint k = 0; k < MANY; k++)
        floor_map_open (&many->maps[k], many->paths[k], FALSE);
      for (guint k = 0; k < MANY; k++)
        floor_map_close (&many->maps[k]);
    }
  return 0;
}

static guint64
many_mapped_files (gpointer data,
                   guint64  n)
{
  Many *many = data;

  for (guint64 i = 0; i < n; i++)
    {
      for (guint k = 0; k < MANY; k++)
        many->open[k] = g_mapped_file_new (many->paths[k], FALSE, NULL);
      for (guint k = 0; k < MANY; k++)
        g_mapped_file_unref (many->open[k]);
    }
  return 0;
}

static void
compare_many (Bench *bench)
{
  const guint64 allowed = crowd_allow_many ();
  Many *many;

  if (allowed < MANY + 100)
    {
      bench_skip (bench, "open-10000", "no more than %" G_GUINT64_FORMAT " files may be open", allowed);
      return;
    }

  many = g_new0 (Many, 1);
  for (guint k = 0; k < MANY; k++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", k);

      many->paths[k] = (char *) bench_sparse_file (bench, name, 4096);
    }

  bench_case (bench, &(BenchCase){
    .name = "open-10000", .title = "open 10,000 files, and close them all (time of a file)", .goal = 1.4,
    .floor = { "open + fstat + mmap + munmap + close", many_calls, many, .divide = MANY },
    .subject = { "mmio_file_open + g_object_unref", many_ours, many, .divide = MANY },
    .peers = (BenchSide[]){ { "g_mapped_file_new + unref", many_mapped_files, many, .divide = MANY }, { NULL } } });

  g_free (many);
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
  if (bench_wants (bench, "open-10000"))
    compare_many (bench);
}
