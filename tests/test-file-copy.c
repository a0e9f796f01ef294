/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in and out: what is read is what was written, whole, and at no more cost in system calls than was promised.
 *
 * Called with --trace SCENARIO PATH it is the program that is traced.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static char *program;

/* One thread */

static void
test_read_back (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  enum { SIZE = 3 * 4096 };
  g_autoptr (MmioFile) file = mmio_test_create (t->path, SIZE);
  guint8 expected[SIZE] = { 0 };
  guint8 buffer[SIZE];
  g_autoptr (GError) error = NULL;

  /* Each length there is special code for, at offsets with and without alignment, and over the edges of pages. */
  for (gsize length = 0; length <= 300; length++)
    for (guint k = 0; k < 6; k++)
      {
        const gsize offsets[] = { 0, 1, 7, 4096 - length / 2, 8192 - 1, SIZE - length };
        gsize offset = offsets[k];

        for (gsize i = 0; i < length; i++)
          buffer[i] = (guint8) g_test_rand_int ();
        memcpy (expected + offset, buffer, length);
        g_assert_true (mmio_file_write (file, offset, buffer, length, &error));
        g_assert_no_error (error);
        memset (buffer, 0xa5, sizeof buffer);
        g_assert_true (mmio_file_read (file, offset, buffer, length, &error));
        g_assert_no_error (error);
        g_assert_cmpmem (buffer, length, expected + offset, length);
        for (gsize i = length; i < length + 64; i++)
          g_assert_cmpuint (buffer[i], ==, 0xa5);
      }
  mmio_test_assert_read (file, 0, expected, SIZE);
  mmio_test_assert_file (t->path, expected, SIZE);
}

static void
test_ways_agree (MmioTest     *t,
                 gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GBytes) copied = NULL;
  g_autoptr (GBytes) borrowed = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  const guint8 *peeked;
  guint8 buffer[5000];

  mmio_test_write_pattern (t->path, 20000);
  file = mmio_test_open (t->path, mode);
  g_assert_true (mmio_file_read (file, 10001, buffer, sizeof buffer, &error));
  peeked = mmio_file_peek (file, 10001, sizeof buffer, &error);
  g_assert_cmpmem (peeked, sizeof buffer, buffer, sizeof buffer);
  copied = mmio_file_read_bytes (file, 10001, sizeof buffer, &error);
  g_assert_cmpmem (g_bytes_get_data (copied, NULL), g_bytes_get_size (copied), buffer, sizeof buffer);
  borrowed = mmio_file_get_bytes (file, 10001, sizeof buffer, &error);
  g_assert_cmpmem (g_bytes_get_data (borrowed, NULL), g_bytes_get_size (borrowed), buffer, sizeof buffer);
  g_assert_true (g_bytes_get_data (borrowed, NULL) == peeked);
  view = mmio_file_get_view (file, 10001, sizeof buffer, &error);
  g_assert_true (mmio_view_get_pointer (view) == peeked);
  g_assert_no_error (error);

  /* What others write is seen at once, without a call. A copy stays what it was. */
  if (mode != MMIO_MODE_COPY_ON_WRITE)
    {
      mmio_test_write_at (t->path, 10001, "!", 1);
      g_assert_cmpuint (peeked[0], ==, '!');
      mmio_test_assert_read (file, 10001, "!", 1);
      g_assert_cmpuint (((const guint8 *) g_bytes_get_data (borrowed, NULL))[0], ==, '!');
      g_assert_cmpuint (((const guint8 *) g_bytes_get_data (copied, NULL))[0], ==, 10001 % 251);
    }
}

static void
test_other_processes_see (MmioTest     *t,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10000);
  g_autoptr (MmioFile) other = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
  g_autoptr (GBytes) bytes = g_bytes_new_static ("world", 5);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (file, 4094, "hello", 5, &error));
  mmio_test_assert_read (other, 4094, "hello", 5);
  g_assert_true (mmio_file_write_bytes (file, 4099, bytes, &error));
  mmio_test_assert_read (other, 4094, "helloworld", 10);
  g_assert_no_error (error);
}

static void
test_copy_on_write (MmioTest     *t,
                    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioFile) other = NULL;
  g_autoptr (MmioFile) sibling = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GBytes) before = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *content = NULL;
  guint8 *pointer;
  gsize length;

  mmio_test_write_pattern (t->path, 20000);
  g_file_get_contents (t->path, &content, &length, &error);
  g_assert_no_error (error);
  other = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  sibling = mmio_test_open (t->path, MMIO_MODE_COPY_ON_WRITE);
  file = mmio_test_open (t->path, MMIO_MODE_COPY_ON_WRITE);

  g_assert_true (mmio_file_write (file, 0, "one", 3, &error));
  g_assert_true (mmio_file_fill (file, 5000, 5000, 'x', &error));
  g_assert_true (mmio_file_move (file, 15000, 0, 3, &error));
  g_assert_true (mmio_file_set_uint32 (file, 12000, 0x61616161, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, &error));
  view = mmio_file_get_writable_view (file, 19000, 1000, &error);
  g_assert_no_error (error);
  pointer = mmio_view_get_pointer (view);
  memcpy (pointer, "view", 4);

  mmio_test_assert_read (file, 0, "one", 3);
  mmio_test_assert_read (file, 9998, "xx", 2);
  mmio_test_assert_read (file, 15000, "one", 3);
  mmio_test_assert_read (file, 12000, "aaaa", 4);
  mmio_test_assert_read (file, 19000, "view", 4);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);

  mmio_test_assert_read (other, 0, content, length);
  mmio_test_assert_read (sibling, 0, content, length);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_clear_pointer (&view, mmio_view_unref);
  g_clear_object (&file);
  mmio_test_assert_file (t->path, content, length);
}

static void
test_nothing (MmioTest     *t,
              gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  const guint64 offsets[] = { 0, 5000, 4096, 10000 };
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_pattern (t->path, 10000);
  file = mmio_test_open (t->path, mode);
  for (guint i = 0; i < G_N_ELEMENTS (offsets); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GBytes) copied = NULL;
      char byte = 'x';

      g_assert_true (mmio_file_read (file, offsets[i], &byte, 0, &error));
      g_assert_true (mmio_file_read (file, offsets[i], NULL, 0, &error));
      g_assert_cmpint (byte, ==, 'x');
      bytes = mmio_file_get_bytes (file, offsets[i], 0, &error);
      g_assert_cmpuint (g_bytes_get_size (bytes), ==, 0);
      copied = mmio_file_read_bytes (file, offsets[i], 0, &error);
      g_assert_cmpuint (g_bytes_get_size (copied), ==, 0);
      if (mode != MMIO_MODE_READ_ONLY)
        {
          g_assert_true (mmio_file_write (file, offsets[i], NULL, 0, &error));
          g_assert_true (mmio_file_write (file, offsets[i], &byte, 0, &error));
          g_assert_true (mmio_file_write_bytes (file, offsets[i], bytes, &error));
        }
      g_assert_no_error (error);
    }
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static void
test_read_bytes_of_its_own (MmioTest     *t,
                            gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GBytes) bytes = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  {
    g_autoptr (MmioFile) file = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);

    bytes = mmio_file_read_bytes (file, 0, 5, NULL);
    g_assert_true (mmio_file_close (file, NULL));
  }
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), "hello", 5);
}

static void
test_model (MmioTest     *t,
            gconstpointer data)
{
  enum { SIZE = 50000, N = 4000 };
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autofree guint8 *model = g_malloc (SIZE);
  g_autofree guint8 *buffer = g_malloc (SIZE);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_pattern (t->path, SIZE);
  for (guint i = 0; i < SIZE; i++)
    model[i] = (guint8) (i % 251);
  file = mmio_test_open (t->path, mode);

  for (guint i = 0; i < N; i++)
    {
      gsize offset = (gsize) g_test_rand_int_range (0, SIZE + 1);
      gsize length = (gsize) g_test_rand_int_range (0, (gint) MIN (SIZE - offset, i % 10 == 0 ? SIZE : 200) + 1);
      gsize other = (gsize) g_test_rand_int_range (0, (gint) (SIZE - length) + 1);

      switch (g_test_rand_int_range (0, 5))
        {
        case 0:
          for (gsize k = 0; k < length; k++)
            buffer[k] = (guint8) g_test_rand_int ();
          g_assert_true (mmio_file_write (file, offset, buffer, length, &error));
          memcpy (model + offset, buffer, length);
          break;

        case 1:
          g_assert_true (mmio_file_fill (file, offset, length, (guint8) i, &error));
          memset (model + offset, (guint8) i, length);
          break;

        case 2:
          g_assert_true (mmio_file_move (file, other, offset, length, &error));
          memmove (model + other, model + offset, length);
          break;

        case 3:
          /* What is written lies in the file itself. */
          g_assert_true (mmio_file_write (file, other, mmio_file_peek (file, offset, length, &error), length, &error));
          memmove (model + other, model + offset, length);
          break;

        default:
          g_assert_true (mmio_file_read (file, offset, buffer, length, &error));
          g_assert_cmpmem (buffer, length, model + offset, length);
          break;
        }
      g_assert_no_error (error);
    }
  mmio_test_assert_read (file, 0, model, SIZE);
  if (mode == MMIO_MODE_READ_WRITE)
    mmio_test_assert_file (t->path, model, SIZE);
}

/* What is written lies in the file */

static void
assert_own_bytes (MmioFile *file,
                  MmioView *source,
                  gsize     from,
                  gsize     to,
                  gsize     length)
{
  g_autofree guint8 *expected = g_memdup2 ((const guint8 *) mmio_view_get_pointer (source) + from, length);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (file, to, (const guint8 *) mmio_view_get_pointer (source) + from, length, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, to, expected, length);
}

static void
write_own_bytes (MmioFile *file,
                 MmioView *source)
{
  const gsize lengths[] = { 1, 8, 20, 64, 65, 500, 6000 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (gsize distance = 1; distance < 3000; distance = distance * 3 + 1)
      {
        assert_own_bytes (file, source, 5000, 5000 + distance, lengths[i]);
        assert_own_bytes (file, source, 5000 + distance, 5000, lengths[i]);
      }
}

static void
test_own_bytes (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;

  mmio_test_write_pattern (t->path, 20000);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = mmio_file_get_view (file, 0, 20000, NULL);
  write_own_bytes (file, view);
}

/* The view shows the same pages at other addresses then. */
static void
test_own_bytes_after_growth (MmioTest     *t,
                             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_pattern (t->path, 20000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                         (guint64) 20000, NULL);
  g_assert_no_error (error);
  view = mmio_file_get_view (file, 0, 20000, &error);
  g_assert_true (mmio_file_resize (file, 100000, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_peek (file, 0, 1, NULL) != mmio_view_get_pointer (view));
  write_own_bytes (file, view);
}

/* A page elsewhere has faulted, and every copy looks closer then. */
static void
test_own_bytes_beside_a_fault (MmioTest     *t,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (MmioView) lost = NULL;
  g_autoptr (GError) error = NULL;

  if (!mmio_get_fault_guard ())
    {
      g_test_skip ("the fault guard is off");
      return;
    }
  mmio_test_write_pattern (t->path, 100000);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  view = mmio_file_get_view (file, 0, 20000, NULL);
  lost = mmio_file_get_view (file, 90000, 10000, NULL);
  mmio_test_truncate (t->path, 40000);
  g_assert_cmpuint (((const volatile guint8 *) mmio_view_get_pointer (lost))[9999], ==, 0);
  g_assert_false (mmio_view_check (lost, &error));
  mmio_test_assert_mmio_error (&error, TRUNCATED, "40000", NULL);
  write_own_bytes (file, view);
}

/* Many threads: a read is never torn */

#define RECORD 200
#define N_RECORDS 64

typedef struct
{
  MmioFile *file;
  guint n_rounds;
  gint n_running;               /* atomic: writers and growers at work */
  gint n_reads;                 /* atomic */
} Race;

static gpointer
write_records (gpointer data)
{
  Race *race = data;
  guint8 record[RECORD];
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < race->n_rounds; i++)
    {
      g_autoptr (GError) error = NULL;

      memset (record, (int) (i % 256), sizeof record);
      g_assert_true (mmio_file_write (race->file, (guint64) g_rand_int_range (random, 0, N_RECORDS) * RECORD, record,
                                      sizeof record, &error));
      g_assert_no_error (error);
    }
  g_atomic_int_add (&race->n_running, -1);
  return NULL;
}

static gpointer
read_records (gpointer data)
{
  Race *race = data;
  guint8 record[RECORD];
  g_autoptr (GRand) random = g_rand_new_with_seed (2);

  while (g_atomic_int_get (&race->n_running) > 0)
    {
      g_autoptr (GError) error = NULL;

      g_assert_true (mmio_file_read (race->file, (guint64) g_rand_int_range (random, 0, N_RECORDS) * RECORD, record,
                                     sizeof record, &error));
      g_assert_no_error (error);
      for (guint i = 1; i < RECORD; i++)
        if (record[i] != record[0])
          g_assert_cmpuint (record[i], ==, record[0]);
      g_atomic_int_inc (&race->n_reads);
    }
  return NULL;
}

static gpointer
grow_and_shrink (gpointer data)
{
  Race *race = data;
  guint64 least = N_RECORDS * RECORD;

  for (guint i = 0; i < race->n_rounds / 20; i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 size = least + (guint64) i * 3000;

      g_assert_true (mmio_file_resize (race->file, size, &error));
      g_assert_no_error (error);
      if (i % 3 == 2)
        g_assert_true (mmio_file_resize (race->file, least, &error));
      g_assert_no_error (error);
    }
  g_atomic_int_add (&race->n_running, -1);
  return NULL;
}

static void
run_race (MmioTest *t,
          guint64   reserve_size,
          gboolean  grow)
{
  Race race = { .n_rounds = g_test_slow () ? 200000 : 5000 };
  GThread *threads[5];
  guint n = 0;
  g_autoptr (MmioFile) created = mmio_test_create (t->path, N_RECORDS * RECORD);
  g_autoptr (GError) error = NULL;

  race.file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                              reserve_size, NULL);
  g_assert_no_error (error);
  race.n_running = 2 + grow;
  threads[n++] = g_thread_new ("writer", write_records, &race);
  threads[n++] = g_thread_new ("writer", write_records, &race);
  if (grow)
    threads[n++] = g_thread_new ("grower", grow_and_shrink, &race);
  threads[n++] = g_thread_new ("reader", read_records, &race);
  threads[n++] = g_thread_new ("reader", read_records, &race);
  while (n > 0)
    g_thread_join (threads[--n]);
  g_test_message ("%d reads", race.n_reads);
  g_object_unref (race.file);
}

static void
test_never_torn (MmioTest     *t,
                 gconstpointer data G_GNUC_UNUSED)
{
  run_race (t, 0, FALSE);
}

static void
test_never_torn_in_growth (MmioTest     *t,
                           gconstpointer data G_GNUC_UNUSED)
{
  run_race (t, 0, TRUE);
}

static void
test_never_torn_past_the_reserve (MmioTest     *t,
                                  gconstpointer data G_GNUC_UNUSED)
{
  run_race (t, 1, TRUE);
}

/* What is pending */

static void
assert_pending (MmioFile *file,
                guint64   expected)
{
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, expected);
}

static void
test_pending (MmioTest     *t,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 100000);
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;

  assert_pending (file, 0);
  mmio_file_write (file, 100, "0123456789", 10, &error);
  assert_pending (file, 10);
  mmio_file_write (file, 105, "0123456789", 10, &error);
  assert_pending (file, 15);
  mmio_file_write (file, 50000, "0123456789", 10, &error);
  assert_pending (file, 25);
  g_assert_false (mmio_file_write (file, 99999, "xx", 2, NULL));
  assert_pending (file, 25);

  g_assert_true (mmio_file_flush_range (file, 0, 110, &error));
  assert_pending (file, 15);
  g_assert_true (mmio_file_flush_range (file, 200, 0, &error));
  g_assert_true (mmio_file_flush_range (file, 50005, 0, &error));
  assert_pending (file, 15);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  assert_pending (file, 0);

  view = mmio_file_get_writable_view (file, 1000, 500, &error);
  assert_pending (file, 500);
  g_assert_true (mmio_file_flush (file, &error));
  assert_pending (file, 500);
  mmio_view_release (view);
  assert_pending (file, 500);
  g_assert_true (mmio_file_flush (file, &error));
  assert_pending (file, 0);
}

static void
test_pending_of_many (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 100 * 4096);
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < 100; i++)
    g_assert_true (mmio_file_write (file, i * 4096, "x", 1, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), >=, 100);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), <=, 100 * 4096);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  assert_pending (file, 0);
}

/* Somebody else has cut the file off: what was written there can't be made durable any more. */
static void
test_pending_after_truncation (MmioTest     *t,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (t->path, 10000);
  g_autoptr (MmioView) view = mmio_file_get_writable_view (file, 9000, 1000, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_write (file, 0, "x", 1, &error));
  g_assert_true (mmio_file_write (file, 8500, "x", 1, &error));
  mmio_test_truncate (t->path, 100);
  g_assert_true (mmio_file_refresh (file, &error));
  assert_pending (file, 1);
  mmio_view_release (view);
  assert_pending (file, 1);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
  assert_pending (file, 0);
}

/* Further from the first ones than what is synced together. */
#define FAR_PAGE 1000

/* System calls: the program that is traced. It marks what is looked at by writes to no descriptor. */

static void
mark (const char *text)
{
  (void) !write (-1, text, strlen (text));
}

static int
run_scenario (const char *scenario,
              const char *path)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *buffer = g_malloc0 (100000);
  g_autofree char *base = NULL;
  gsize page = mmio_test_page_size ();

  if (g_str_equal (scenario, "nothing"))
    return 0;

  file = mmio_test_open (path, g_str_equal (scenario, "read-only") ? MMIO_MODE_READ_ONLY : MMIO_MODE_READ_WRITE);
  g_object_set (file, "announce", FALSE, NULL);
  if (g_str_equal (scenario, "flush-far"))
    g_assert_true (mmio_file_resize (file, (FAR_PAGE + 2) * page, &error));
  g_assert_true (mmio_file_touch (file, 0, mmio_file_get_size (file), &error));
  g_assert_true (mmio_file_read (file, 0, buffer, 100000, &error));
  if (!g_str_equal (scenario, "read-only"))
    g_assert_true (mmio_file_write (file, 0, buffer, 100000, &error) && mmio_file_flush (file, &error));
  base = g_strdup_printf ("base %p", mmio_file_peek (file, 0, 1, &error));
  mark (base);
  mark ("begin");

  if (g_str_equal (scenario, "read-only") || g_str_equal (scenario, "read"))
    {
      for (guint i = 0; i < 100; i++)
        mmio_file_read (file, i * 100, buffer, i * 900, &error);
      mmio_file_peek (file, 100, 100, &error);
      mmio_file_get_uint64 (file, 77, G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, &error);
    }
  else if (g_str_equal (scenario, "write"))
    {
      for (guint i = 0; i < 100; i++)
        mmio_file_write (file, i * 100, buffer, i * 900, &error);
      mmio_file_fill (file, 1, 2, 3, &error);
    }
  else if (g_str_equal (scenario, "flush-nothing"))
    {
      mmio_file_flush (file, &error);
      mmio_file_flush_range (file, 0, 100, &error);
    }
  else if (g_str_equal (scenario, "flush-one"))
    {
      mmio_file_write (file, 3 * page + 10, buffer, 20, &error);
      mmio_file_write (file, 3 * page + 500, buffer, 30, &error);
      mmio_file_write (file, 3 * page + 30, buffer, 470, &error);
      mmio_file_flush (file, &error);
      mmio_file_flush (file, &error);
    }
  else if (g_str_equal (scenario, "flush-far"))
    {
      mmio_file_write (file, (FAR_PAGE + 1) * page - 1, buffer, 2, &error);
      mmio_file_write (file, 2 * page, buffer, 1, &error);
      mmio_file_flush (file, &error);
    }
  else if (g_str_equal (scenario, "flush-near"))
    {
      mmio_file_write (file, 9 * page - 1, buffer, 2, &error);
      mmio_file_write (file, 2 * page, buffer, 1, &error);
      mmio_file_flush (file, &error);
    }
  else if (g_str_equal (scenario, "flush-range"))
    {
      mmio_file_write (file, 2 * page, buffer, 1, &error);
      mmio_file_write (file, 9 * page, buffer, 1, &error);
      mmio_file_flush_range (file, 0, 5 * page, &error);
    }
  else if (g_str_equal (scenario, "flush-view"))
    {
      g_autoptr (MmioView) view = mmio_file_get_writable_view (file, 4 * page, 2 * page, &error);

      memset (mmio_view_get_pointer (view), 1, 100);
      mmio_file_flush (file, &error);
    }
  else if (g_str_equal (scenario, "announce"))
    {
      g_object_set (file, "announce", TRUE, NULL);
      for (guint i = 0; i < 2; i++)
        {
          mmio_file_write (file, 3 * page, buffer, 1, &error);
          mmio_file_flush (file, &error);
        }
    }
  else if (g_str_equal (scenario, "grow"))
    {
      mmio_file_resize (file, 200000, &error);
      mmio_file_write (file, 150000, buffer, 10, &error);
    }
  else if (g_str_equal (scenario, "grow-and-flush"))
    {
      mmio_file_resize (file, 200000, &error);
      mmio_file_write (file, 150000, buffer, 10, &error);
      mmio_file_flush (file, &error);
    }
  else if (g_str_equal (scenario, "last-reference"))
    {
      mmio_file_write (file, 0, buffer, 10, &error);
      g_clear_object (&file);
    }
  else
    {
      g_assert_not_reached ();
    }

  mark ("end");
  g_assert_no_error (error);
  return 0;
}

typedef struct
{
  gsize base;
  GPtrArray *calls;             /* of char*: each system call of the main thread between begin and end */
} Trace;

static void
trace_clear (Trace *self)
{
  g_clear_pointer (&self->calls, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Trace, trace_clear)

static gboolean
run_strace (MmioTest   *t,
            const char *scenario,
            char      **output)
{
  g_autofree char *log = mmio_test_in_folder (t, "trace");
  const char *argv[] = { "strace", "-f", "-qq", "-o", log, "-e", "trace=all", "-e", "signal=none", "-s", "64",
                         program, "--trace", scenario, t->path, NULL };
  g_auto (GStrv) environment = g_get_environ ();
  g_autoptr (GError) error = NULL;
  int status;

  /* The leak checker can't work under a tracer. */
  environment = g_environ_setenv (environment, "ASAN_OPTIONS", "detect_leaks=0:handle_sigbus=0", TRUE);
  if (!g_spawn_sync (NULL, (char **) argv, environment, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL,
                     NULL, &status, &error))
    return FALSE;
  if (!g_spawn_check_wait_status (status, NULL))
    return FALSE;

  return g_file_get_contents (log, output, NULL, NULL);
}

/* A look at the size is part of a flush: what somebody else has cut off is not on the disk. */
static void
drop_looks (Trace *self)
{
  for (guint i = self->calls->len; i > 0; i--)
    {
      const char *call = g_ptr_array_index (self->calls, i - 1);

      if (g_str_has_prefix (call, "fstat(") || g_str_has_prefix (call, "newfstatat(") || g_str_has_prefix (call, "statx("))
        g_ptr_array_remove_index (self->calls, i - 1);
    }
}

/* FALSE: not to be had here, and the test is skipped. */
static gboolean
trace (MmioTest   *t,
       const char *scenario,
       Trace      *self)
{
  g_autofree char *output = NULL;
  g_auto (GStrv) lines = NULL;
  gboolean within = FALSE, ended = FALSE;

  mmio_test_write_pattern (t->path, 100000);
  if (!run_strace (t, "nothing", &output))
    {
      g_test_skip ("strace is not installed, or tracing is not allowed here");
      return FALSE;
    }
  g_clear_pointer (&output, g_free);
  g_assert_true (run_strace (t, scenario, &output));

  self->calls = g_ptr_array_new_with_free_func (g_free);
  lines = g_strsplit (output, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *call = strpbrk (lines[i], " \t");

      /* Each line begins with the thread's number. */
      if (call == NULL || strncmp (lines[i], lines[0], (gsize) (call - lines[i]) + 1) != 0)
        continue;
      while (*call == ' ' || *call == '\t')
        call++;
      if (g_str_has_prefix (call, "write(-1, \"base "))
        self->base = (gsize) g_ascii_strtoull (call + strlen ("write(-1, \"base "), NULL, 16);
      else if (g_str_has_prefix (call, "write(-1, \"begin"))
        within = TRUE;
      else if (g_str_has_prefix (call, "write(-1, \"end"))
        ended = TRUE;
      else if (within && !ended)
        g_ptr_array_add (self->calls, g_strdup (call));
    }
  g_assert_true (ended);
  g_assert_cmpuint (self->base, !=, 0);
  if (g_str_has_prefix (scenario, "flush"))
    drop_looks (self);
  for (guint i = 0; i < self->calls->len; i++)
    g_test_message ("%s", (const char *) g_ptr_array_index (self->calls, i));

  return TRUE;
}

static const char *
nth_call (Trace *self,
          guint  n)
{
  g_assert_cmpuint (n, <, self->calls->len);
  return g_ptr_array_index (self->calls, n);
}

/* The nth call syncs these pages of the file, waits for it, and succeeds. */
static void
assert_msync (Trace *self,
              guint  n,
              gsize  first_page,
              gsize  n_pages)
{
  const char *call = nth_call (self, n);
  gsize page = mmio_test_page_size ();
  char *end;
  gsize start, length;

  g_assert_true (g_str_has_prefix (call, "msync(0x"));
  start = (gsize) g_ascii_strtoull (call + strlen ("msync("), &end, 16) - self->base;
  length = (gsize) g_ascii_strtoull (end + strlen (", "), &end, 10);
  g_assert_cmpuint (start, ==, first_page * page);
  g_assert_cmpuint ((length + page - 1) / page, ==, n_pages);
  g_assert_true (g_str_has_prefix (end, ", MS_SYNC"));
  /* Another thread was traced meanwhile. */
  if (strstr (end, "<unfinished") != NULL)
    call = nth_call (self, n + 1);
  g_assert_true (g_str_has_suffix (call, "= 0"));
}

static void
test_no_system_call (MmioTest     *t,
                     gconstpointer data)
{
  g_auto (Trace) self = { 0 };

  if (trace (t, data, &self))
    g_assert_cmpuint (self.calls->len, ==, 0);
}

static void
test_flush_syncs_the_page (MmioTest     *t,
                           gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };

  if (!trace (t, "flush-one", &self))
    return;
  assert_msync (&self, 0, 3, 1);
  g_assert_cmpuint (self.calls->len, ==, 1);
}

static void
test_flush_syncs_near_ranges_at_once (MmioTest     *t,
                                      gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };

  if (!trace (t, "flush-near", &self))
    return;
  assert_msync (&self, 0, 2, 8);
  g_assert_cmpuint (self.calls->len, ==, 1);
}

static void
test_flush_syncs_not_what_is_between (MmioTest     *t,
                                      gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };

  if (!trace (t, "flush-far", &self))
    return;
  assert_msync (&self, 0, 2, 1);
  assert_msync (&self, 1, FAR_PAGE, 2);
  g_assert_cmpuint (self.calls->len, ==, 2);
}

static void
test_flush_range_syncs_no_more (MmioTest     *t,
                                gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };

  if (!trace (t, "flush-range", &self))
    return;
  assert_msync (&self, 0, 2, 1);
  g_assert_cmpuint (self.calls->len, ==, 1);
}

static void
test_flush_syncs_views (MmioTest     *t,
                        gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };
  guint n = 0;

  if (!trace (t, "flush-view", &self))
    return;
  for (guint i = 0; i < self.calls->len; i++)
    if (g_str_has_prefix (nth_call (&self, i), "msync("))
      {
        assert_msync (&self, i, 4, 2);
        n++;
      }
  g_assert_cmpuint (n, ==, 1);
}

static gboolean
is_done_call (const char *call)
{
  return strstr (call, "<unfinished") == NULL;
}

static void
test_flush_announces (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };
  guint n_syncs = 0, n_after = 0;

  if (!trace (t, "announce", &self))
    return;
  assert_msync (&self, 0, 3, 1);
  for (guint i = 0; i < self.calls->len; i++)
    {
      n_syncs += g_str_has_prefix (nth_call (&self, i), "msync(");
      n_after += n_syncs == 2 && is_done_call (nth_call (&self, i));
    }
  /* What the file system refuses is tried once. From then on it takes the sync, a look at the size, and what raises the event. */
  g_assert_cmpuint (n_syncs, ==, 2);
  g_assert_cmpuint (n_after, ==, 3);
  g_assert_true (g_str_has_suffix (nth_call (&self, self.calls->len - 1), "= 0"));
  /* Never by a call that could cut off what somebody else has just appended. */
  for (guint i = 0; i < self.calls->len; i++)
    g_assert_null (strstr (nth_call (&self, i), "truncate"));
}

/* What is pending is the kernel's then: nobody waits for a disk behind a reference that goes. */
static void
test_last_reference_syncs_nothing (MmioTest     *t,
                                   gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };

  if (!trace (t, "last-reference", &self))
    return;
  for (guint i = 0; i < self.calls->len; i++)
    g_assert_null (strstr (nth_call (&self, i), "sync"));
}

static void
test_growth_in_place (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };
  guint n_truncates = 0;

  if (!trace (t, "grow", &self))
    return;
  for (guint i = 0; i < self.calls->len; i++)
    {
      g_assert_null (strstr (nth_call (&self, i), "map("));
      g_assert_null (strstr (nth_call (&self, i), "mremap("));
      /* ftruncate64 on 32-bit systems */
      n_truncates += g_str_has_prefix (nth_call (&self, i), "ftruncate");
    }
  g_assert_cmpuint (n_truncates, ==, 1);
}

static gboolean
is_sync_of_size (const char *call)
{
  return g_str_has_prefix (call, "fdatasync(") || g_str_has_prefix (call, "fsync(");
}

static void
test_growth_is_synced (MmioTest     *t,
                       gconstpointer data G_GNUC_UNUSED)
{
  g_auto (Trace) self = { 0 };
  guint n_syncs = 0;
  const char *last = NULL;

  if (!trace (t, "grow-and-flush", &self))
    return;
  /* Once: what it has to wait for is the same as for the sync of a range. */
  for (guint i = 0; i < self.calls->len; i++)
    {
      n_syncs += g_str_has_prefix (nth_call (&self, i), "msync(") || is_sync_of_size (nth_call (&self, i));
      if (is_sync_of_size (nth_call (&self, i)))
        last = nth_call (&self, i);
    }
  g_assert_cmpuint (n_syncs, ==, 1);
  g_assert_nonnull (last);
  g_assert_true (g_str_has_suffix (last, "= 0"));
}

#define READ_ONLY GUINT_TO_POINTER (MMIO_MODE_READ_ONLY)
#define READ_WRITE GUINT_TO_POINTER (MMIO_MODE_READ_WRITE)
#define COPY_ON_WRITE GUINT_TO_POINTER (MMIO_MODE_COPY_ON_WRITE)

int
main (int   argc,
      char *argv[])
{
  g_autoptr (GError) error = NULL;
  int result;

  if (argc == 4 && g_str_equal (argv[1], "--trace"))
    return run_scenario (argv[2], argv[3]);

  g_test_init (&argc, &argv, NULL);
  program = g_file_read_link ("/proc/self/exe", NULL);
  if (program == NULL)
    program = g_strdup (argv[0]);

  mmio_test_add ("/file/write/is-read-back-at-every-length", NULL, test_read_back);
  mmio_test_add ("/file/read/every-way-shows-the-same/read-only", READ_ONLY, test_ways_agree);
  mmio_test_add ("/file/read/every-way-shows-the-same/read-write", READ_WRITE, test_ways_agree);
  mmio_test_add ("/file/read/every-way-shows-the-same/copy-on-write", COPY_ON_WRITE, test_ways_agree);
  mmio_test_add ("/file/write/is-seen-by-other-mappings-at-once", NULL, test_other_processes_see);
  mmio_test_add ("/file/write/copy-on-write-never-reaches-the-file", NULL, test_copy_on_write);
  mmio_test_add ("/file/copy/of-no-bytes-succeeds-anywhere/read-only", READ_ONLY, test_nothing);
  mmio_test_add ("/file/copy/of-no-bytes-succeeds-anywhere/read-write", READ_WRITE, test_nothing);
  mmio_test_add ("/file/copy/of-no-bytes-succeeds-anywhere/copy-on-write", COPY_ON_WRITE, test_nothing);
  mmio_test_add ("/file/read-bytes/outlive-the-file", NULL, test_read_bytes_of_its_own);
  mmio_test_add ("/file/copy/agrees-with-plain-memory/read-write", READ_WRITE, test_model);
  mmio_test_add ("/file/copy/agrees-with-plain-memory/copy-on-write", COPY_ON_WRITE, test_model);
  mmio_test_add ("/file/write/of-the-files-own-bytes", NULL, test_own_bytes);
  mmio_test_add ("/file/write/of-the-files-own-bytes-after-growth-past-the-reserve", NULL, test_own_bytes_after_growth);
  mmio_test_add ("/file/write/of-the-files-own-bytes-beside-a-fault", NULL, test_own_bytes_beside_a_fault);

  mmio_test_add ("/file/read/is-never-torn", NULL, test_never_torn);
  mmio_test_add ("/file/read/is-never-torn-while-the-file-grows", NULL, test_never_torn_in_growth);
  mmio_test_add ("/file/read/is-never-torn-while-the-file-outgrows-its-range", NULL, test_never_torn_past_the_reserve);

  mmio_test_add ("/file/pending/is-what-was-written-and-not-flushed", NULL, test_pending);
  mmio_test_add ("/file/pending/is-never-less-than-was-written", NULL, test_pending_of_many);
  mmio_test_add ("/file/pending/forgets-what-was-cut-off", NULL, test_pending_after_truncation);

  mmio_test_add ("/file/read/makes-no-system-call/read-only", "read-only", test_no_system_call);
  mmio_test_add ("/file/read/makes-no-system-call/read-write", "read", test_no_system_call);
  mmio_test_add ("/file/write/makes-no-system-call", "write", test_no_system_call);
  mmio_test_add ("/file/flush/of-nothing-makes-no-system-call", "flush-nothing", test_no_system_call);
  mmio_test_add ("/file/flush/syncs-the-page-that-was-written-and-waits", NULL, test_flush_syncs_the_page);
  mmio_test_add ("/file/flush/syncs-ranges-that-are-near-at-once", NULL, test_flush_syncs_near_ranges_at_once);
  mmio_test_add ("/file/flush/syncs-not-what-lies-far-between", NULL, test_flush_syncs_not_what_is_between);
  mmio_test_add ("/file/flush-range/syncs-no-more-than-its-range", NULL, test_flush_range_syncs_no_more);
  mmio_test_add ("/file/flush/syncs-live-writable-views", NULL, test_flush_syncs_views);
  mmio_test_add ("/file/flush/announces-itself-without-touching-the-size", NULL, test_flush_announces);
  mmio_test_add ("/file/flush/the-last-reference-makes-none", NULL, test_last_reference_syncs_nothing);
  mmio_test_add ("/file/resize/in-the-reserve-is-one-ftruncate", NULL, test_growth_in_place);
  mmio_test_add ("/file/flush/makes-a-new-size-durable", NULL, test_growth_is_synced);

  result = g_test_run ();
  g_free (program);
  return result;
}
