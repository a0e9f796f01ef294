/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Windows on a file, taken and dropped.
 */
#include "config.h"

#include <mmio.h>
#include <stdlib.h>

#include "bench.h"

static volatile gpointer sink;
static volatile gsize heap_size = 96;

static guint64
view_cycle (gpointer data,
            guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    mmio_view_unref (mmio_file_get_view (data, (i * 64) & 4095, 64, NULL));
  return 0;
}

static guint64
bytes_cycle (gpointer data,
             guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    g_bytes_unref (mmio_file_get_bytes (data, (i * 64) & 4095, 64, NULL));
  return 0;
}

static guint64
static_bytes_cycle (gpointer data,
                    guint64  n)
{
  static guint8 memory[8192];

  for (guint64 i = 0; i < n; i++)
    g_bytes_unref (g_bytes_new_static (memory + ((i * 64) & 4095), 64));
  return 0;
}

static guint64
mapped_bytes_cycle (gpointer data,
                    guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      GBytes *all = g_mapped_file_get_bytes (data);

      g_bytes_unref (g_bytes_new_from_bytes (all, (i * 64) & 4095, 64));
      g_bytes_unref (all);
    }
  return 0;
}

static guint64
heap_cycle (gpointer data,
            guint64  n)
{
  gsize size = heap_size;

  for (guint64 i = 0; i < n; i++)
    {
      sink = malloc (size);
      free (sink);
    }
  return 0;
}

void
bench_view (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "view", 1 << 16);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_autoptr (GMappedFile) mapped = g_mapped_file_new (path, FALSE, NULL);

  bench_need (file != NULL && mapped != NULL, error, path);

  bench_case (bench, &(BenchCase){
    .name = "view-cycle", .title = "take a pinned view and release it", .goal = 5.0,
    .floor = { "malloc + free", heap_cycle, NULL },
    .subject = { "mmio_file_get_view + mmio_view_unref", view_cycle, file } });
  bench_case (bench, &(BenchCase){
    .name = "view-bytes", .title = "64 bytes as pinned GBytes, and drop them",
    .floor = { "GBytes of memory of one's own", static_bytes_cycle, file },
    .subject = { "mmio_file_get_bytes + g_bytes_unref", bytes_cycle, file },
    .peers = (BenchSide[]){ { "g_mapped_file_get_bytes + a part of them", mapped_bytes_cycle, mapped }, { NULL } } });
}
