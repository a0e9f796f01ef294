/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 64 MiB from one end to the other through a stream, beside GIO's streams for files. All of it is in memory.
 */
#include "config.h"

#include <mmio.h>

#include "bench.h"
#include "walk.h"

#define SIZE (64 << 20)

typedef struct
{
  GInputStream *stream;
  gsize count;                  /* bytes a read */
  guint8 *buffer;
  gboolean sums;                /* the bytes are looked at too */
} Stream;

static volatile gconstpointer sink;
static volatile guint64 sum;

static void
rewind_stream (Stream *self)
{
  bench_need (g_seekable_seek (G_SEEKABLE (self->stream), 0, G_SEEK_SET, NULL, NULL), NULL, "seek");
}

static guint64
read_all (gpointer data,
          guint64  n)
{
  Stream *self = data;

  for (guint64 i = 0; i < n; i++)
    {
      gsize total = 0;
      gssize length;

      rewind_stream (self);
      while ((length = g_input_stream_read (self->stream, self->buffer, self->count, NULL, NULL)) > 0)
        total += (gsize) length;
      bench_need (total == SIZE, NULL, "read to the end");
    }
  return 0;
}

static guint64
read_all_bytes (gpointer data,
                guint64  n)
{
  Stream *self = data;

  for (guint64 i = 0; i < n; i++)
    {
      gsize total = 0;

      rewind_stream (self);
      while (TRUE)
        {
          GBytes *bytes = MMIO_IS_INPUT_STREAM (self->stream)
                              ? mmio_input_stream_read_bytes (MMIO_INPUT_STREAM (self->stream), self->count, NULL, NULL)
                              : g_input_stream_read_bytes (self->stream, self->count, NULL, NULL);
          gsize length;

          sink = g_bytes_get_data (bytes, &length);
          if (self->sums)
            sum = walk_chunk ((const guint8 *) sink, length);
          total += length;
          g_bytes_unref (bytes);
          if (length == 0)
            break;
        }
      bench_need (total == SIZE, NULL, "read to the end");
    }
  return 0;
}

static void
compare (Bench        *bench,
         GInputStream *ours,
         GInputStream *theirs,
         gsize         count,
         const char   *copy_name,
         const char   *bytes_name,
         const char   *copy_title,
         const char   *bytes_title,
         double        copy_goal,
         double        bytes_goal)
{
  g_autofree guint8 *buffer = g_malloc (count);
  Stream stream = { ours, count, buffer };
  Stream other = { theirs, count, buffer };
  const guint64 reads = SIZE / count;

  bench_case (bench, &(BenchCase){
    .name = bytes_name, .title = bytes_title, .measure = BENCH_RATE, .goal = bytes_goal,
    .floor = { "GFileInputStream, g_input_stream_read_bytes", read_all_bytes, &other, .divide = reads },
    .subject = { "mmio_input_stream_read_bytes", read_all_bytes, &stream, .divide = reads } });
  bench_case (bench, &(BenchCase){
    .name = copy_name, .title = copy_title, .measure = BENCH_RATE, .goal = copy_goal,
    .floor = { "GFileInputStream", read_all, &other, .divide = reads },
    .subject = { "MmioInputStream", read_all, &stream, .divide = reads } });
}

typedef struct
{
  GOutputStream *stream;
  gsize count;                  /* bytes a write */
  guint8 *buffer;
} Sink;

static guint64
write_all (gpointer data,
           guint64  n)
{
  Sink *self = data;

  for (guint64 i = 0; i < n; i++)
    {
      bench_need (g_seekable_seek (G_SEEKABLE (self->stream), 0, G_SEEK_SET, NULL, NULL), NULL, "seek");
      for (gsize total = 0; total < SIZE; total += self->count)
        bench_need (g_output_stream_write (self->stream, self->buffer, self->count, NULL, NULL) == (gssize) self->count, NULL, "write");
    }
  return 0;
}

/* The one has brought the bytes into the nearest cache when they are handed out, the other hasn't: what is left of the difference when all of
 * them are looked at. */
static void
compare_sums (Bench        *bench,
              GInputStream *ours,
              GInputStream *theirs)
{
  Stream stream = { ours, 4096, NULL, TRUE };
  Stream other = { theirs, 4096, NULL, TRUE };

  bench_case (bench, &(BenchCase){
    .name = "stream-sum-4k", .title = "rate of reads of 4 KiB through a stream, as GBytes that are summed up", .measure = BENCH_RATE,
    .floor = { "GFileInputStream, g_input_stream_read_bytes", read_all_bytes, &other, .divide = SIZE / 4096 },
    .subject = { "mmio_input_stream_read_bytes", read_all_bytes, &stream, .divide = SIZE / 4096 } });
}

/* Over what is there: growth is a case of its own. */
static void
compare_writing (Bench      *bench,
                 const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  g_autoptr (GFile) location = g_file_new_for_path (path);
  g_autoptr (GFileIOStream) other = g_file_open_readwrite (location, NULL, NULL);
  g_autoptr (GOutputStream) ours = NULL;
  g_autofree guint8 *buffer = g_malloc0 (1 << 20);
  static const struct
  {
    gsize count;
    const char *name;
    const char *title;
  } writes[] = {
    { 4096, "stream-write-4k", "rate of writes of 4 KiB through a stream" },
    { 1 << 20, "stream-write-1m", "rate of writes of 1 MiB through a stream" },
  };

  bench_need (file != NULL && other != NULL, error, path);
  ours = mmio_output_stream_new (file);
  for (guint i = 0; i < G_N_ELEMENTS (writes); i++)
    {
      Sink sink_of_ours = { ours, writes[i].count, buffer };
      Sink sink_of_other = { g_io_stream_get_output_stream (G_IO_STREAM (other)), writes[i].count, buffer };

      bench_case (bench, &(BenchCase){
        .name = writes[i].name, .title = writes[i].title, .measure = BENCH_RATE, .goal = 0,
        .floor = { "GFileOutputStream", write_all, &sink_of_other, .divide = SIZE / writes[i].count },
        .subject = { "MmioOutputStream", write_all, &sink_of_ours, .divide = SIZE / writes[i].count } });
    }
  bench_need (g_output_stream_close (ours, NULL, &error), error, path);
}

void
bench_stream (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "stream", SIZE);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GFile) location = NULL;
  g_autoptr (GInputStream) ours = NULL, theirs = NULL;

  if (path == NULL)
    path = bench_disk_file (bench, "stream", SIZE);
  file = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);
  bench_need (file != NULL, error, path);
  bench_need (mmio_file_prefetch (file, 0, SIZE, &error) && mmio_file_touch (file, 0, SIZE, &error), error, path);
  location = g_file_new_for_path (path);
  ours = mmio_input_stream_new (file);
  theirs = G_INPUT_STREAM (g_file_read (location, NULL, &error));
  bench_need (theirs != NULL, error, path);

  compare (bench, ours, theirs, 4096, "stream-read-4k", "stream-bytes-4k", "rate of reads of 4 KiB through a stream, into a buffer",
           "rate of reads of 4 KiB through a stream, as GBytes that nobody looks at", 0, 5.0);
  compare (bench, ours, theirs, 1 << 20, "stream-read-1m", "stream-bytes-1m",
           "rate of reads of 1 MiB through a stream, into a buffer", "rate of reads of 1 MiB through a stream, as GBytes that nobody looks at", 1.0, 1.0);
  compare_sums (bench, ours, theirs);
  compare_writing (bench, path);
}
