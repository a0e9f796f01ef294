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

  bench_need (file != NULL, error, path);

  bench_case (bench, &(BenchCase){
    .name = "view-cycle", .title = "take a pinned view and release it", .goal = 5.0, .aim = 5.0,
    .floor = { "malloc + free", heap_cycle, NULL },
    .subject = { "mmio_file_get_view + mmio_view_unref", view_cycle, file },
    .peers = (BenchSide[]){ { "mmio_file_get_bytes + g_bytes_unref", bytes_cycle, file }, { NULL } } });
}
