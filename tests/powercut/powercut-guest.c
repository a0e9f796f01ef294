/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What runs inside the virtual machine: says which records of the last life are there, then writes further ones until the power goes.
 *
 *   powercut-guest FOLDER LIFE
 *
 *   have N        the records 0 … N - 1 are there and whole
 *   kept|lost     what the last life wrote and did not flush
 *   ack N         record N is on the disk, says a flush
 */
#include "config.h"

#include <mmio.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_WORDS 75              /* of a record: no divisor of a page */
#define UNFLUSHED_SLOT 4096
/* A copy of each of the first records lies in the file before all of them, so that a flush has two ranges, both where a hole was. */
#define N_COPIES 10000
#define COPIES_SIZE (8 << 20)

typedef struct
{
  guint64 words[N_WORDS];
} Record;

G_STATIC_ASSERT (N_COPIES * sizeof (Record) <= COPIES_SIZE);

static G_NORETURN void
fail (const char   *what,
      const GError *error)
{
  printf ("failed: %s: %s\n", what, error != NULL ? error->message : "");
  fflush (stdout);
  exit (1);
}

static void
make_record (Record *self,
             guint64 number)
{
  for (guint i = 0; i < N_WORDS; i++)
    self->words[i] = (number + 1) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15) + i;
}

static guint64
get_offset (guint64 number)
{
  return COPIES_SIZE + number * sizeof (Record);
}

static gboolean
has_record (MmioFile *file,
            guint64   offset,
            guint64   number)
{
  Record wanted, found;

  make_record (&wanted, number);
  return mmio_file_read (file, offset, &found, sizeof found, NULL) && memcmp (&wanted, &found, sizeof found) == 0;
}

static guint64
count_records (MmioFile *file)
{
  guint64 n = 0;

  while (has_record (file, get_offset (n), n) && (n >= N_COPIES || has_record (file, n * sizeof (Record), n)))
    n++;

  return n;
}

static gboolean
add_record (MmioFile *file,
            guint64   number,
            GError  **error)
{
  guint64 offset = get_offset (number);
  Record record;

  make_record (&record, number);
  if (offset + sizeof record > mmio_file_get_size (file) && !mmio_file_resize (file, offset + 3 * sizeof record, error))
    return FALSE;
  if (number < N_COPIES && !mmio_file_write (file, number * sizeof record, &record, sizeof record, error))
    return FALSE;

  return mmio_file_write (file, offset, &record, sizeof record, error) && mmio_file_flush (file, error);
}

/* A byte a life, in a page of its own of a file that has been durable from the first life on: written, never flushed. */
static void
use_unflushed (const char *folder,
               guint64     life)
{
  g_autofree char *path = g_build_filename (folder, "unflushed", NULL);
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_open_or_create (path, 64 * UNFLUSHED_SLOT, &error);
  guint8 byte;

  if (file == NULL)
    fail ("unflushed", error);
  if (life == 0 && (!mmio_file_fill (file, 0, 64 * UNFLUSHED_SLOT, 1, &error) || !mmio_file_flush (file, &error)))
    fail ("unflushed", error);
  if (life > 0)
    {
      if (!mmio_file_read (file, (life - 1) * UNFLUSHED_SLOT, &byte, 1, &error))
        fail ("unflushed", error);
      puts (byte == 2 ? "kept" : "lost");
    }
  byte = 2;
  if (!mmio_file_write (file, life * UNFLUSHED_SLOT, &byte, 1, &error))
    fail ("unflushed", error);
  /* Open for as long as there is power: a close would flush. */
}

int
main (int   argc,
      char *argv[])
{
  g_autofree char *path = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  if (argc != 3)
    return 2;
  path = g_build_filename (argv[1], "records", NULL);
  file = g_file_test (path, G_FILE_TEST_EXISTS) ? mmio_file_open (path, MMIO_MODE_READ_WRITE, &error)
                                                : mmio_file_create (path, 0, MMIO_CREATE_FLAGS_DURABLE, &error);
  if (file == NULL)
    fail ("records", error);

  printf ("have %" G_GUINT64_FORMAT "\n", count_records (file));
  use_unflushed (argv[1], g_ascii_strtoull (argv[2], NULL, 10));
  fflush (stdout);

  for (guint64 number = count_records (file);; number++)
    {
      if (!add_record (file, number, &error))
        fail ("record", error);
      printf ("ack %" G_GUINT64_FORMAT "\n", number);
      fflush (stdout);
    }
}
