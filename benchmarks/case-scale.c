/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What should take the same time however large a file is, and however many files and views there are, does so or is found out here.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <mmio.h>

#include "bench.h"
#include "crowd.h"

#define MAX_POINTS 8
#define KIB G_GUINT64_CONSTANT (1024)
#define MIB (KIB * KIB)
#define GIB (MIB * KIB)

static volatile gsize small = 64;
static volatile gconstpointer sink;

typedef struct
{
  const char *path;
  MmioFile *file;
  guint64 size;
} Sized;

static guint64
open_close (gpointer data,
            guint64  n)
{
  const Sized *sized = data;

  for (guint64 i = 0; i < n; i++)
    g_object_unref (mmio_file_open (sized->path, MMIO_MODE_READ_WRITE, NULL));
  return 0;
}

static guint64
read_hot (gpointer data,
          guint64  n)
{
  const Sized *sized = data;
  MmioFile *file = sized->file;
  gsize count = small;
  guint8 buffer[64];

  for (guint64 i = 0; i < n; i++)
    mmio_file_read (file, (i * 64) & 4095, buffer, count, NULL);
  return 0;
}

static guint64
peek_hot (gpointer data,
          guint64  n)
{
  const Sized *sized = data;
  MmioFile *file = sized->file;
  gsize length = small;

  for (guint64 i = 0; i < n; i++)
    sink = mmio_file_peek (file, (i * 64) & 4095, length, NULL);
  return 0;
}

static guint64
resize_cycle (gpointer data,
              guint64  n)
{
  const Sized *sized = data;

  for (guint64 i = 0; i < n; i++)
    {
      mmio_file_resize (sized->file, sized->size + MIB, NULL);
      mmio_file_resize (sized->file, sized->size, NULL);
    }
  return 0;
}

static void
over_sizes (Bench      *bench,
            const char *name,
            const char *title,
            BenchRun    run,
            Sized      *sizes,
            guint       n)
{
  BenchPoint points[MAX_POINTS];

  for (guint i = 0; i < n; i++)
    points[i] = (BenchPoint){ (double) sizes[i].size, { title, run, &sizes[i] } };
  bench_curve (bench, &(BenchCurve){ name, title, "file size, bytes", 0.1, points, n });
}

static void
scale_sizes (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  Sized sizes[] = { { .size = 4 * KIB }, { .size = MIB }, { .size = 64 * MIB }, { .size = GIB }, { .size = 64 * GIB },
                    { .size = 1024 * GIB } };
  const guint n = G_N_ELEMENTS (sizes);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("sparse-%u", i);
      guint64 first = 0;

      sizes[i].path = bench_sparse_file (bench, name, sizes[i].size);
      sizes[i].file = mmio_file_open (sizes[i].path, MMIO_MODE_READ_WRITE, &error);
      bench_need (sizes[i].file != NULL, error, sizes[i].path);
      /* In memory. */
      bench_need (mmio_file_write (sizes[i].file, 0, &first, sizeof first, &error), error, sizes[i].path);
    }

  over_sizes (bench, "scale-size-read", "read 64 hot bytes of a file of any size", read_hot, sizes, n);
  over_sizes (bench, "scale-size-peek", "peek into a file of any size", peek_hot, sizes, n);
  over_sizes (bench, "scale-size-open", "open and close a file of any size, to write", open_close, sizes, n);
  over_sizes (bench, "scale-size-resize", "grow a file of any size by 1 MiB, and shrink it again", resize_cycle, sizes, n);

  for (guint i = 0; i < n; i++)
    g_object_unref (sizes[i].file);
}

typedef struct
{
  MmioFile *file;
  GPtrArray *views;             /* (element-type MmioView) */
} Viewed;

static guint64
view_cycle (gpointer data,
            guint64  n)
{
  const Viewed *viewed = data;

  for (guint64 i = 0; i < n; i++)
    mmio_view_unref (mmio_file_get_view (viewed->file, (i * 64) & 4095, 64, NULL));
  return 0;
}

static void
scale_views (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const guint counts[] = { 1, 10, 100, 1000, 10000 };
  const char *path = bench_disk_file (bench, "viewed", 64 * KIB);
  Viewed viewed[G_N_ELEMENTS (counts)];
  BenchPoint points[G_N_ELEMENTS (counts)];

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      viewed[i].file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
      bench_need (viewed[i].file != NULL, error, path);
      viewed[i].views = g_ptr_array_new_with_free_func ((GDestroyNotify) mmio_view_unref);
      for (guint k = 0; k < counts[i]; k++)
        g_ptr_array_add (viewed[i].views, mmio_file_get_view (viewed[i].file, k, 64, NULL));
      points[i] = (BenchPoint){ counts[i], { "a view", view_cycle, &viewed[i] } };
    }

  bench_curve (bench, &(BenchCurve){ "scale-views", "take and release one more view", "views of the file", 0.1, points,
                                     G_N_ELEMENTS (counts) });

  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    {
      g_ptr_array_unref (viewed[i].views);
      g_object_unref (viewed[i].file);
    }
}

static MmioFile *
join (gconstpointer path,
      guint         number)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);

  bench_need (file != NULL, error, path);
  return file;
}

/* The crowd gathers before the clock is looked at. */
static guint64
open_in_crowd (gpointer data,
               guint64  n)
{
  const Crowd *crowd = data;
  guint64 start;

  crowd_gather (crowd);
  start = bench_now ();
  for (guint64 i = 0; i < n; i++)
    g_object_unref (join (crowd->data, 0));
  return bench_now () - start;
}

static void
scale_files (Bench *bench)
{
  const guint counts[] = { 1, 10, 100, 1000, 10000 };
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  const char *path = bench_sparse_file (bench, "crowd", 4 * KIB);
  Crowd crowds[G_N_ELEMENTS (counts)];
  BenchPoint points[G_N_ELEMENTS (counts)];
  const guint64 allowed = crowd_allow_many ();
  guint n;

  for (n = 0; n < G_N_ELEMENTS (counts) && counts[n] + 64 < allowed; n++)
    {
      crowds[n] = (Crowd){ files, counts[n], join, path };
      points[n] = (BenchPoint){ counts[n], { "a file", open_in_crowd, &crowds[n] } };
    }

  bench_curve (bench, &(BenchCurve){ "scale-files", "open and close one more file", "files open", 0.1, points, n });
}

void
bench_scale (Bench *bench)
{
  if (bench_wants (bench, "scale-size"))
    scale_sizes (bench);
  if (bench_wants (bench, "scale-views"))
    scale_views (bench);
  if (bench_wants (bench, "scale-files"))
    scale_files (bench);
}
