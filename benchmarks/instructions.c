/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The hottest calls, one after the other, for callgrind to count their instructions: a figure that no other load on the machine moves.
 * `make bench-check` runs it. The count of everything includes the loop around the call.
 */
#include "config.h"

#include <glib/gstdio.h>
#include <mmio.h>
#include <stdio.h>
#include <sys/statfs.h>
#if __has_include(<gnu/libc-version.h>)
#include <gnu/libc-version.h>
#endif
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#endif

#define FILE_SIZE (1 << 20)
#define N 1000

/* How much there is to do to open or to flush depends on the file system. */
static gboolean
have_tmpfs (void)
{
  struct statfs buffer;

  return statfs ("/dev/shm", &buffer) == 0 && buffer.f_type == 0x01021994;
}

#ifdef CALLGRIND_ZERO_STATS

typedef struct
{
  const char *path;
  MmioFile *file;
  MmioAtomicU64 *atomic;        /* of file: counts as written for as long as it is held */
  MmioFile *clean;              /* which nobody writes to */
  MmioInputStream *stream;
  guint8 buffer[4096];
} Context;

static volatile gsize hidden_sizes[] = { 8, 64, 4096 };
static volatile gconstpointer sink;

static void
read_any (Context *context,
          gsize    count)
{
  for (guint i = 0; i < N; i++)
    mmio_file_read (context->file, i & ~7u, context->buffer, count, NULL);
}

static void
read_8 (Context *context)
{
  read_any (context, hidden_sizes[0]);
}

static void
read_64 (Context *context)
{
  read_any (context, hidden_sizes[1]);
}

static void
read_4096 (Context *context)
{
  read_any (context, hidden_sizes[2]);
}

static void
write_64 (Context *context)
{
  gsize length = hidden_sizes[1];

  for (guint i = 0; i < N; i++)
    mmio_file_write (context->file, i, context->buffer, length, NULL);
}

static void
peek_64 (Context *context)
{
  gsize length = hidden_sizes[1];

  for (guint i = 0; i < N; i++)
    sink = mmio_file_peek (context->file, i, length, NULL);
}

static void
get_uint32 (Context *context)
{
  for (guint i = 0; i < N; i++)
    sink = GUINT_TO_POINTER (mmio_file_get_uint32 (context->file, i, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN, NULL));
}

static void
view_cycle (Context *context)
{
  for (guint i = 0; i < N; i++)
    mmio_view_unref (mmio_file_get_view (context->file, i, 64, NULL));
}

static void
bytes_cycle (Context *context)
{
  for (guint i = 0; i < N; i++)
    g_bytes_unref (mmio_file_get_bytes (context->file, i, 64, NULL));
}

static void
chunk_step (Context *context)
{
  MmioChunkIter iter;
  gconstpointer data;
  gsize length;

  mmio_chunk_iter_init (&iter, context->file, FILE_SIZE / N + 1, NULL);
  while (mmio_chunk_iter_next (&iter, &data, &length))
    sink = data;
  mmio_chunk_iter_clear (&iter);
}

static void
atomic_add (Context *context)
{
  for (guint i = 0; i < N; i++)
    mmio_atomic_u64_add (context->atomic, 0, 1);
}

static void
stream_bytes (Context *context)
{
  gsize count = hidden_sizes[1];

  g_seekable_seek (G_SEEKABLE (context->stream), 0, G_SEEK_SET, NULL, NULL);
  for (guint i = 0; i < N; i++)
    g_bytes_unref (mmio_input_stream_read_bytes (context->stream, count, NULL, NULL));
}

static void
open_close (Context *context)
{
  for (guint i = 0; i < N; i++)
    g_object_unref (mmio_file_open (context->path, MMIO_MODE_READ_ONLY, NULL));
}

static void
open_close_writable (Context *context)
{
  for (guint i = 0; i < N; i++)
    g_object_unref (mmio_file_open (context->path, MMIO_MODE_READ_WRITE, NULL));
}

static void
resize_cycle (Context *context)
{
  for (guint i = 0; i < N; i++)
    {
      mmio_file_resize (context->file, 2 * FILE_SIZE, NULL);
      mmio_file_resize (context->file, FILE_SIZE, NULL);
    }
}

static void
flush_nothing (Context *context)
{
  for (guint i = 0; i < N; i++)
    mmio_file_flush (context->clean, NULL);
}

static const struct
{
  const char *name;
  void (*run) (Context *context);
} cases[] = {
  { "read-8", read_8 },
  { "read-64", read_64 },
  { "read-4096", read_4096 },
  { "write-64", write_64 },
  { "peek-64", peek_64 },
  { "get-uint32", get_uint32 },
  { "view-cycle", view_cycle },
  { "bytes-cycle", bytes_cycle },
  { "chunk-step", chunk_step },
  { "atomic-add", atomic_add },
  { "stream-bytes", stream_bytes },
  { "open-close", open_close },
  { "open-close-writable", open_close_writable },
  { "resize-cycle", resize_cycle },
  { "flush-nothing", flush_nothing },
};

static void
count (const char *name,
       void      (*run) (Context *context),
       Context    *context)
{
  /* The second time round everything that is done once has been done. */
  run (context);
  CALLGRIND_ZERO_STATS;
  run (context);
  CALLGRIND_DUMP_STATS_AT (name);
}

static int
count_all (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *template = g_build_filename (have_tmpfs () ? "/dev/shm" : g_get_tmp_dir (), "mmio-count-XXXXXX", NULL);
  const char *folder = g_mkdtemp (template);
  g_autofree char *path = g_build_filename (folder, "file", NULL);
  g_autofree char *clean_path = g_build_filename (folder, "clean", NULL);
  Context context = { path };

  context.file = mmio_file_create (path, FILE_SIZE, MMIO_CREATE_FLAGS_NONE, &error);
  if (context.file == NULL)
    g_error ("%s", error->message);
  context.clean = mmio_file_create (clean_path, FILE_SIZE, MMIO_CREATE_FLAGS_NONE, &error);
  if (context.clean == NULL || !mmio_file_flush (context.clean, &error))
    g_error ("%s", error->message);
  context.atomic = mmio_file_get_atomic_u64 (context.file, 0, 1, NULL);
  context.stream = MMIO_INPUT_STREAM (mmio_input_stream_new (context.file));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    count (cases[i].name, cases[i].run, &context);

  g_object_unref (context.stream);
  mmio_atomic_u64_unref (context.atomic);
  g_object_unref (context.file);
  g_object_unref (context.clean);
  g_unlink (path);
  g_unlink (clean_path);
  g_rmdir (folder);
  return 0;
}

#else

static int
count_all (void)
{
  printf ("valgrind/callgrind.h was not there when this was compiled\n");
  return 77;
}

#endif

/* --environment: what the counts depend on. */
int
main (int    argc,
      char **argv)
{
  if (argc < 2 || !g_str_equal (argv[1], "--environment"))
    return count_all ();

  printf ("runs %d\n", N);
#ifdef __clang__
  printf ("compiler clang %d.%d.%d\n", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  printf ("compiler gcc %d.%d.%d\n", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  printf ("files %s\n", have_tmpfs () ? "tmpfs" : "elsewhere");
  printf ("glib %u.%u.%u\n", glib_major_version, glib_minor_version, glib_micro_version);
#if __has_include(<gnu/libc-version.h>)
  printf ("libc %s\n", gnu_get_libc_version ());
#endif
  return 0;
}
