/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A million records of 64 bytes: one of them by its number, and all of them in turn. Beside a bare mapping, and LMDB, the database that
 * reads from a mapping: what it does more (an index, transactions) is what it is for, and what it costs.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <mmio.h>
#include <string.h>
#ifdef HAVE_LMDB
#include <lmdb.h>
#endif

#include "bench-program.h"
#include "floor.h"

#define RECORD 64
#define N_RECORDS (1 << 20)

typedef struct
{
  MmioFile *file;
  FloorMap map;
  guint8 buffer[RECORD];
  guint64 state;
#ifdef HAVE_LMDB
  MDB_env *environment;
  MDB_dbi database;
  MDB_txn *transaction;
#endif
} Records;

static volatile guint64 sink;
static volatile gsize record_size = RECORD;

static inline guint64
next_number (Records *records)
{
  records->state ^= records->state << 13;
  records->state ^= records->state >> 7;
  records->state ^= records->state << 17;

  return records->state % N_RECORDS;
}

static guint64
get_floor (gpointer data,
           guint64  n)
{
  Records *records = data;
  gsize size = record_size;

  for (guint64 i = 0; i < n; i++)
    floor_read (&records->map, next_number (records) * RECORD, records->buffer, size);
  return 0;
}

static guint64
get_by_read (gpointer data,
             guint64  n)
{
  Records *records = data;
  gsize size = record_size;

  for (guint64 i = 0; i < n; i++)
    mmio_file_read (records->file, next_number (records) * RECORD, records->buffer, size, NULL);
  return 0;
}

static guint64
get_by_peek (gpointer data,
             guint64  n)
{
  Records *records = data;
  gsize size = record_size;

  for (guint64 i = 0; i < n; i++)
    memcpy (records->buffer, mmio_file_peek (records->file, next_number (records) * RECORD, size, NULL), size);
  return 0;
}

static guint64
scan_floor (gpointer data,
            guint64  n)
{
  const FloorMap *map = &((Records *) data)->map;
  gsize size = record_size;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 sum = 0;

      for (gsize at = 0; at + size <= map->size; at += size)
        sum += *(const guint64 *) (gconstpointer) (map->base + at);
      sink = sum;
    }
  return 0;
}

/* The view is taken once a scan. */
static guint64
scan_by_view (gpointer data,
              guint64  n)
{
  Records *records = data;
  gsize size = record_size;

  for (guint64 i = 0; i < n; i++)
    {
      g_autoptr (MmioView) view = mmio_file_get_view (records->file, 0, (guint64) N_RECORDS * RECORD, NULL);
      gsize length;
      const guint8 *base = mmio_view_get_data (view, &length);
      guint64 sum = 0;

      for (gsize at = 0; at + size <= length; at += size)
        sum += *(const guint64 *) (gconstpointer) (base + at);
      sink = sum;
    }
  return 0;
}

static guint64
scan_by_iterator (gpointer data,
                  guint64  n)
{
  Records *records = data;

  for (guint64 i = 0; i < n; i++)
    {
      MmioChunkIter iter;
      gconstpointer record;
      gsize length;
      guint64 sum = 0;

      bench_need (mmio_chunk_iter_init (&iter, records->file, record_size, NULL), NULL, "mmio_chunk_iter_init");
      while (mmio_chunk_iter_next (&iter, &record, &length))
        sum += *(const guint64 *) record;
      mmio_chunk_iter_clear (&iter);
      sink = sum;
    }
  return 0;
}

#ifdef HAVE_LMDB

static guint64
get_from_lmdb (gpointer data,
               guint64  n)
{
  Records *records = data;

  for (guint64 i = 0; i < n; i++)
    {
      gsize number = next_number (records);
      MDB_val key = { sizeof number, &number }, value;

      if (mdb_get (records->transaction, records->database, &key, &value) != 0)
        g_error ("LMDB: a record is missing");
      memcpy (records->buffer, value.mv_data, value.mv_size);
    }
  return 0;
}

static guint64
scan_lmdb (gpointer data,
           guint64  n)
{
  Records *records = data;

  for (guint64 i = 0; i < n; i++)
    {
      MDB_cursor *cursor = NULL;
      MDB_val key, value;
      guint64 sum = 0;

      mdb_cursor_open (records->transaction, records->database, &cursor);
      while (mdb_cursor_get (cursor, &key, &value, MDB_NEXT) == 0)
        sum += *(const guint64 *) value.mv_data;
      mdb_cursor_close (cursor);
      sink = sum;
    }
  return 0;
}

static void
lmdb_need (int         result,
           const char *what)
{
  if (result != 0)
    g_error ("LMDB: %s: %s", what, mdb_strerror (result));
}

static void
lmdb_open (Records    *records,
           const char *path)
{
  MDB_txn *transaction = NULL;

  lmdb_need (mdb_env_create (&records->environment), "create");
  lmdb_need (mdb_env_set_mapsize (records->environment, (gsize) 4 * N_RECORDS * RECORD), "map size");
  lmdb_need (mdb_env_open (records->environment, path, MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK, 0600), "open");
  lmdb_need (mdb_txn_begin (records->environment, NULL, 0, &transaction), "begin");
  lmdb_need (mdb_dbi_open (transaction, NULL, MDB_INTEGERKEY, &records->database), "database");
  for (gsize i = 0; i < N_RECORDS; i++)
    {
      MDB_val key = { sizeof i, &i }, value = { RECORD, records->map.base + i * RECORD };

      lmdb_need (mdb_put (transaction, records->database, &key, &value, MDB_APPEND), "put");
    }
  lmdb_need (mdb_txn_commit (transaction), "commit");
  lmdb_need (mdb_txn_begin (records->environment, NULL, MDB_RDONLY, &records->transaction), "begin");
}

static void
lmdb_close (Records *records)
{
  mdb_txn_abort (records->transaction);
  mdb_env_close (records->environment);
}

#define LMDB_SIDE(title, function, ...) { title, function, __VA_ARGS__ }
#else
#define LMDB_SIDE(title, function, ...) { .label = title, .missing = "compiled without LMDB (liblmdb-dev)" }
#endif

void
bench_record (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "records", (guint64) N_RECORDS * RECORD);
  g_autofree Records *records = g_new0 (Records, 1);
  g_autofree char *size = g_strdup_printf ("%d", RECORD);
  BenchSide boost;

  if (path == NULL)
    path = bench_disk_file (bench, "records", (guint64) N_RECORDS * RECORD);
  records->file = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);
  bench_need (records->file != NULL, error, path);
  bench_need (mmio_file_prefetch (records->file, 0, N_RECORDS * RECORD, &error), error, path);
  floor_map_open (&records->map, path, FALSE);
  records->state = 88172645463325252;
#ifdef HAVE_LMDB
  lmdb_open (records, bench_new_path (bench, FALSE, "records.mdb"));
#endif
  boost = bench_program_side ("Boost.Interprocess, mapped_region", BENCH_PROGRAMS "/peer-boost", "scan", path, size, NULL);
  boost.divide = N_RECORDS;

  bench_case (bench, &(BenchCase){
    .name = "record-get", .title = "one of a million records of 64 bytes, copied",
    .floor = { "memcpy with a bounds check", get_floor, records },
    .subject = { "mmio_file_read", get_by_read, records },
    .peers = (BenchSide[]){ { "mmio_file_peek + memcpy", get_by_peek, records },
                            LMDB_SIDE ("LMDB, mdb_get + memcpy", get_from_lmdb, records),
                            { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "record-scan", .title = "look at each of a million records of 64 bytes (time of a record)",
    .floor = { "a loop over a pointer", scan_floor, records, .divide = N_RECORDS },
    .subject = { "the same over an MmioView", scan_by_view, records, .divide = N_RECORDS },
    .peers = (BenchSide[]){ { "MmioChunkIter, a record a step", scan_by_iterator, records, .divide = N_RECORDS },
                            LMDB_SIDE ("LMDB, a cursor", scan_lmdb, records, .divide = N_RECORDS),
                            boost,
                            { NULL } } });

  bench_program_stop (&boost);
#ifdef HAVE_LMDB
  lmdb_close (records);
#endif
  floor_map_close (&records->map);
  g_object_unref (records->file);
}
