/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 64 readers and 4 writers of one file, while it grows from 4 KiB to 1 GiB: no record is ever seen torn.
 * MMIO_TEST_SECONDS says how long; the default is short.
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

static void
test_torn (MmioTest      *test,
           gconstpointer  data G_GNUC_UNUSED)
{
  const char *seconds = g_getenv ("MMIO_TEST_SECONDS");
  const gint64 duration = (gint64) (G_TIME_SPAN_SECOND * (seconds != NULL ? g_ascii_strtod (seconds, NULL) : 1));
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

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/threads/no-record-is-torn-while-the-file-grows", NULL, test_torn);

  return g_test_run ();
}
