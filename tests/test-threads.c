/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Readers and writers of one file at the same time: 64 and 4 while it grows from 4 KiB to 1 GiB, of records and of ranges of any length.
 * No read ever sees a part of a write. MMIO_TEST_SECONDS says how long the first takes: 10 in CI, 1 otherwise.
 */
#include "config.h"

#include "mmio-test.h"

#include <string.h>

#define N_READERS 64
#define N_WRITERS 4

typedef struct
{
  guint64 words[15];
  guint64 sum;
} Record;

typedef struct
{
  MmioFile *file;
  guint seed;
  guint64 n;
} Worker;

static gint stop;               /* atomic */
static gint has_written;        /* atomic: of the records, some thread has */

static guint64
sum_of (const Record *record)
{
  guint64 sum = 0x9e3779b97f4a7c15u;

  for (guint i = 0; i < G_N_ELEMENTS (record->words); i++)
    sum = (sum ^ record->words[i]) * 0x100000001b3u;

  return sum;
}

static void
write_record (MmioFile *file,
              guint64   offset,
              guint64   value)
{
  g_autoptr (GError) error = NULL;
  Record record;

  for (guint i = 0; i < G_N_ELEMENTS (record.words); i++)
    record.words[i] = value + i;
  record.sum = sum_of (&record);
  g_assert_true (mmio_file_write (file, offset, &record, sizeof record, &error));
  g_assert_no_error (error);
}

static gpointer
run_writer (gpointer data)
{
  Worker *self = data;
  guint64 value = self->seed;

  while (!g_atomic_int_get (&stop))
    {
      value = value * 6364136223846793005u + 1442695040888963407u;
      /* Two records, that all of them write. */
      write_record (self->file, value >> 33 & 1 ? 0 : 2 * sizeof (Record), value);
      self->n++;
      g_atomic_int_set (&has_written, TRUE);
    }

  return NULL;
}

static gpointer
run_reader (gpointer data)
{
  Worker *self = data;
  g_autoptr (GError) error = NULL;
  Record record;

  while (!g_atomic_int_get (&stop))
    {
      g_assert_true (mmio_file_read (self->file, self->n % 2 == 0 ? 0 : 2 * sizeof (Record), &record, sizeof record, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (record.sum, ==, sum_of (&record));
      self->n++;
    }

  return NULL;
}

static gboolean
is_over (gpointer data)
{
  return g_get_monotonic_time () > *(gint64 *) data;
}

static gint64
get_duration (void)
{
  const char *seconds = g_getenv ("MMIO_TEST_SECONDS");

  return (gint64) (G_TIME_SPAN_SECOND * (seconds != NULL ? g_ascii_strtod (seconds, NULL) : 1));
}

static void
test_torn (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  const gint64 duration = get_duration ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  Worker workers[N_READERS + N_WRITERS] = { 0 };
  GThread *threads[N_READERS + N_WRITERS];
  guint64 n_read = 0, n_written = 0, size = 4096;
  gint64 begin, end;

  mmio_test_write_pattern (test->path, size);
  /* Less than a page in reserve: it outgrows its region again and again. */
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                         (guint64) 1, NULL);
  g_assert_no_error (error);
  write_record (file, 0, 1);
  write_record (file, 2 * sizeof (Record), 2);

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      workers[i] = (Worker){ .file = file, .seed = i };
      threads[i] = g_thread_new ("worker", i < N_READERS ? run_reader : run_writer, &workers[i]);
    }

  begin = g_get_monotonic_time ();
  end = begin + duration;
  for (guint step = 1; step <= 18 * 4; step++)
    {
      gint64 next = begin + duration * step / (18 * 4);

      size = step % 4 == 0 ? (guint64) 4096 << step / 4 : size + 4096;
      g_assert_true (mmio_file_resize (file, size, &error));
      g_assert_no_error (error);
      while (!is_over (&next))
        g_thread_yield ();
    }
  while (!is_over (&end))
    g_thread_yield ();
  /* Among so many readers a busy machine may not have come to the writers yet. */
  for (end += MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND; !g_atomic_int_get (&has_written); g_thread_yield ())
    g_assert_false (is_over (&end));
  g_atomic_int_set (&stop, TRUE);

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    {
      g_thread_join (threads[i]);
      *(i < N_READERS ? &n_read : &n_written) += workers[i].n;
    }
  g_assert_cmpuint (mmio_file_get_size (file), ==, 1 << 30);
  g_assert_cmpuint (n_written, >, 0);
  g_test_message ("%" G_GUINT64_FORMAT " records read and %" G_GUINT64_FORMAT " written, none torn, while the file grew to 1 GiB",
                  n_read, n_written);
}

/* Ranges that every write fills with one byte, all of one or its tail: a read of any part finds two bytes, one before the tail and one
 * in it, or it is torn. What the library counts changes by are blocks of 4 KiB: inside one, over the edge of two, from the
 * middle of one to the middle of another, as many as it counts one by one and more than that. */
static const struct
{
  guint64 offset;
  gsize length;
  gsize tail;                   /* where it begins, from offset */
} ranges[] = {
  { 64, 128, 32 },
  { 2 * 4096 - 1, 2, 1 },
  { 4 * 4096 - 24, 64, 30 },
  { 8 * 4096 - 100, 3 * 4096, 5000 },
  { 16 * 4096, 64 * 4096, 4096 + 1 },
  { 96 * 4096 + 17, 70 * 4096, 2 * 4096 },
  { 170 * 4096 + 5, 24 * 4096, 2 * 4096 },
};

#define RANGES_SIZE (200 * 4096)
#define N_RANGE_READERS 6
#define N_RANGE_WRITERS 2

typedef struct
{
  MmioFile *file;
  GRand *rand;
  guint n[G_N_ELEMENTS (ranges)];
} Ranger;

/* Mostly a short one: the long ones take most of the time as it is. */
static guint
choose_range (Ranger *self)
{
  return (guint) g_rand_int_range (self->rand, 0, g_rand_boolean (self->rand) ? 4 : G_N_ELEMENTS (ranges));
}

static gpointer
fill_ranges (gpointer data)
{
  Ranger *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *bytes = g_malloc (RANGES_SIZE);

  while (!g_atomic_int_get (&stop))
    {
      guint i = choose_range (self);
      guint8 byte = (guint8) g_rand_int (self->rand);
      gsize from = g_rand_boolean (self->rand) ? ranges[i].tail : 0;
      guint64 offset = ranges[i].offset + from;
      gsize length = ranges[i].length - from;

      if (g_rand_boolean (self->rand))
        {
          g_assert_true (mmio_file_fill (self->file, offset, length, byte, &error));
        }
      else
        {
          memset (bytes, byte, length);
          g_assert_true (mmio_file_write (self->file, offset, bytes, length, &error));
        }
      g_assert_no_error (error);
      self->n[i]++;
    }

  return NULL;
}

static gboolean
are_equal (const guint8 *bytes,
           gsize         n)
{
  return n < 2 || memcmp (bytes, bytes + 1, n - 1) == 0;
}

static gpointer
read_ranges (gpointer data)
{
  Ranger *self = data;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *bytes = g_malloc (RANGES_SIZE);

  while (!g_atomic_int_get (&stop))
    {
      guint i = choose_range (self);
      gsize from = (gsize) g_rand_int_range (self->rand, 0, (gint32) ranges[i].length);
      gsize count = ranges[i].length - from;
      gsize head;

      /* The whole, or from anywhere to the end or to anywhere. */
      if (g_rand_boolean (self->rand))
        {
          from = 0;
          count = ranges[i].length;
        }
      else if (g_rand_boolean (self->rand))
        {
          count = (gsize) g_rand_int_range (self->rand, 1, (gint32) count + 1);
        }
      g_assert_true (mmio_file_read (self->file, ranges[i].offset + from, bytes, count, &error));
      g_assert_no_error (error);
      head = CLAMP (ranges[i].tail, from, from + count) - from;
      g_assert_true (are_equal (bytes, head));
      g_assert_true (are_equal (bytes + head, count - head));
      self->n[i]++;
    }

  return NULL;
}

/* Readers, then writers. */
typedef struct
{
  Ranger rangers[N_RANGE_READERS + N_RANGE_WRITERS];
  GThread *threads[N_RANGE_READERS + N_RANGE_WRITERS];
} Rangers;

static void
start_rangers (Rangers  *self,
               MmioFile *file)
{
  g_atomic_int_set (&stop, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (self->threads); i++)
    {
      self->rangers[i] = (Ranger){ .file = file, .rand = mmio_test_new_rand () };
      self->threads[i] = g_thread_new ("ranger", i < N_RANGE_READERS ? read_ranges : fill_ranges, &self->rangers[i]);
    }
}

static void
stop_rangers (Rangers *self)
{
  g_atomic_int_set (&stop, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (self->threads); i++)
    {
      g_thread_join (self->threads[i]);
      g_rand_free (self->rangers[i].rand);
    }
}

static void
test_ranges (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  const gint64 end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, RANGES_SIZE);
  g_autoptr (GError) error = NULL;
  Rangers rangers;

  start_rangers (&rangers, file);
  /* What lies behind all of them comes and goes: no reader is to take a change of the size for one of its bytes, nor the other way. */
  while (g_get_monotonic_time () < end)
    {
      g_assert_true (mmio_file_resize (file, 2 * RANGES_SIZE, &error));
      g_assert_no_error (error);
      g_thread_yield ();
      g_assert_true (mmio_file_resize (file, RANGES_SIZE, &error));
      g_assert_no_error (error);
      g_thread_yield ();
    }
  stop_rangers (&rangers);

  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    {
      guint n_read = 0, n_written = 0;

      for (guint j = 0; j < G_N_ELEMENTS (rangers.rangers); j++)
        *(j < N_RANGE_READERS ? &n_read : &n_written) += rangers.rangers[j].n[i];
      g_test_message ("%" G_GSIZE_FORMAT " bytes: %u times read and %u times written, never torn", ranges[i].length, n_read, n_written);
    }
}

/* Short ones have a copy of their own, in registers: each length of it, in one block. */

#define SHORT_OFFSET 128
#define MAX_SHORT 64

static gpointer
write_short (gpointer data)
{
  Worker *self = data;
  g_autoptr (GError) error = NULL;
  guint8 bytes[MAX_SHORT];

  while (!g_atomic_int_get (&stop))
    {
      memset (bytes, (int) (self->n & 0xff), sizeof bytes);
      g_assert_true (mmio_file_write (self->file, SHORT_OFFSET, bytes, sizeof bytes, &error));
      g_assert_no_error (error);
      self->n++;
    }

  return NULL;
}

static gpointer
read_short (gpointer data)
{
  Worker *self = data;
  g_autoptr (GError) error = NULL;
  guint8 bytes[MAX_SHORT];

  while (!g_atomic_int_get (&stop))
    {
      /* Half of the time all of it. */
      gsize count = self->n % 2 == 0 ? MAX_SHORT : 2 + self->n / 2 % (MAX_SHORT - 1);

      g_assert_true (mmio_file_read (self->file, SHORT_OFFSET + MAX_SHORT - count, bytes, count, &error));
      g_assert_no_error (error);
      g_assert_true (are_equal (bytes, count));
      self->n++;
    }

  return NULL;
}

static void
test_short (MmioTest      *test,
            gconstpointer  data G_GNUC_UNUSED)
{
  const gint64 end = g_get_monotonic_time () + G_TIME_SPAN_SECOND;
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 4096);
  Worker workers[3] = { { file, 0, 0 }, { file, 0, 0 }, { file, 0, 0 } };
  GThread *threads[3];

  g_atomic_int_set (&stop, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("short", i == 0 ? write_short : read_short, &workers[i]);
  while (g_get_monotonic_time () < end)
    g_thread_yield ();
  g_atomic_int_set (&stop, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
}

/* Around a fork */

#define N_FORKS 40

static int
use_in_child (gpointer data)
{
  MmioFile *file = data;
  guint8 *bytes = g_malloc (RANGES_SIZE);

  /* What a thread of the parent was writing may be there in part. Nothing is held by anybody, and nothing seems to be at work. */
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (!mmio_file_read (file, ranges[i].offset, bytes, ranges[i].length, NULL) ||
        !mmio_file_write (file, ranges[i].offset, bytes, ranges[i].length, NULL) ||
        !mmio_file_fill (file, ranges[i].offset, ranges[i].length, 1, NULL) ||
        !mmio_file_read (file, ranges[i].offset, bytes, ranges[i].length, NULL))
      return 1;
  g_free (bytes);
  return 0;
}

static void
test_fork (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  Rangers rangers;

  mmio_test_write_pattern (test->path, RANGES_SIZE);
  /* What the child writes is its own, so that the parent's readers see nothing of it. */
  file = mmio_test_open (test->path, MMIO_MODE_COPY_ON_WRITE);
  for (guint i = 0; i < G_N_ELEMENTS (ranges); i++)
    g_assert_true (mmio_file_fill (file, ranges[i].offset, ranges[i].length, 1, NULL));

  start_rangers (&rangers, file);
  for (guint i = 0; i < N_FORKS; i++)
    g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (use_in_child, file)), ==, 0);
  stop_rangers (&rangers);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/threads/no-record-is-torn-while-the-file-grows", NULL, test_torn);
  mmio_test_add ("/threads/no-range-of-any-length-is-torn", NULL, test_ranges);
  mmio_test_add ("/threads/no-short-record-is-torn", NULL, test_short);
  mmio_test_add ("/threads/a-forked-child-finds-nothing-held", NULL, test_fork);

  return g_test_run ();
}
