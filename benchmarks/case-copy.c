/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in and out by copy, and peek. Hot: from within one page on, again and again. Random: anywhere in 64 MiB, which no cache holds.
 * The sizes are read from memory, so that no side knows them when it is compiled.
 */
#include "config.h"

#include <errno.h>
#include <mmio.h>
#include <string.h>
#include <unistd.h>

#include "bench-program.h"
#include "floor.h"

#define LARGE (64 << 20)
#define SMALL (1 << 20)

typedef struct
{
  MmioFile *file;
  FloorMap map;
  FloorMap contents;            /* of a GMappedFile */
  GInputStream *stream;
  guint8 *buffer;
  gsize size;
  guint64 state;                /* each side has a sequence of its own: see random_offset () */
} Copy;

static volatile gpointer sink;

/* Where the i-th operation goes. */
static inline guint64
hot_offset (Copy   *copy,
            guint64 i)
{
  return (i * 64) & 4095;
}

/* Marsaglia's xorshift; see https://doi.org/10.18637/jss.v008.i14. Not aligned to a page: the records of a file seldom are. All sides share
 * the pages of one file: if they went the same way, whoever came second would find in the caches what the first one had fetched. */
static inline guint64
random_offset (Copy   *copy,
               guint64 i)
{
  copy->state ^= copy->state << 13;
  copy->state ^= copy->state >> 7;
  copy->state ^= copy->state << 17;

  return (copy->state & (LARGE - 1)) % (LARGE - copy->size);
}

static void
check_call (gssize      result,
            const char *call)
{
  if (G_UNLIKELY (result < 0))
    g_error ("%s: %s", call, g_strerror (errno));
}

/* A way to copy, as the two loops WAY_hot and WAY_random around one statement. */
#define DEFINE_LOOP(name, where, statement)     \
  static guint64                                \
  name (gpointer data,                          \
        guint64  n)                             \
  {                                             \
    Copy *copy = data;                          \
    const gsize size = copy->size;              \
    guint8 *const buffer = copy->buffer;        \
                                                \
    for (guint64 i = 0; i < n; i++)             \
      {                                         \
        const guint64 offset = where (copy, i); \
                                                \
        statement;                              \
      }                                         \
    return 0;                                   \
  }
#define DEFINE_WAY(way, statement)                         \
  DEFINE_LOOP (way##_hot, hot_offset, statement)           \
  DEFINE_LOOP (way##_random, random_offset, statement)

DEFINE_WAY (read_ours, mmio_file_read (copy->file, offset, buffer, size, NULL))
DEFINE_WAY (read_floor, floor_read (&copy->map, offset, buffer, size))
DEFINE_LOOP (read_shared_hot, hot_offset, floor_read_shared (&copy->map, offset, buffer, size))
DEFINE_WAY (read_pread, check_call (pread (copy->map.fd, buffer, size, (off_t) offset), "pread"))
DEFINE_WAY (read_read, check_call (lseek (copy->map.fd, (off_t) offset, SEEK_SET), "lseek");
            check_call (read (copy->map.fd, buffer, size), "read"))
DEFINE_WAY (read_mapped_file, floor_read (&copy->contents, offset, buffer, size))
DEFINE_WAY (read_stream, g_seekable_seek (G_SEEKABLE (copy->stream), (goffset) offset, G_SEEK_SET, NULL, NULL);
            check_call (g_input_stream_read (copy->stream, buffer, size, NULL, NULL), "g_input_stream_read"))
DEFINE_WAY (write_ours, mmio_file_write (copy->file, offset, buffer, size, NULL))
DEFINE_WAY (write_floor, floor_write (&copy->map, offset, buffer, size))
DEFINE_LOOP (write_shared_hot, hot_offset, floor_write_shared (&copy->map, offset, buffer, size))
DEFINE_WAY (write_write, check_call (lseek (copy->map.fd, (off_t) offset, SEEK_SET), "lseek");
            check_call (write (copy->map.fd, buffer, size), "write"))
DEFINE_WAY (write_pwrite, check_call (pwrite (copy->map.fd, buffer, size, (off_t) offset), "pwrite"))

static guint64
peek_ours (gpointer data,
           guint64  n)
{
  Copy *copy = data;
  MmioFile *file = copy->file;
  gsize length = copy->size;

  for (guint64 i = 0; i < n; i++)
    sink = (gpointer) mmio_file_peek (file, hot_offset (copy, i), length, NULL);
  return 0;
}

static guint64
peek_floor (gpointer data,
            guint64  n)
{
  Copy *copy = data;
  gsize length = copy->size;

  for (guint64 i = 0; i < n; i++)
    sink = (gpointer) floor_peek (&copy->map, hot_offset (copy, i), length);
  return 0;
}

static guint64
peek_shared (gpointer data,
             guint64  n)
{
  Copy *copy = data;
  gsize length = copy->size;

  for (guint64 i = 0; i < n; i++)
    sink = (gpointer) floor_peek_shared (&copy->map, hot_offset (copy, i), length);
  return 0;
}

/* A case */

typedef struct
{
  const char *name, *title;
  gsize size;
  gboolean random, writes;
  double goal;
} Kind;

static const Kind kinds[] = {
  { "read-64-hot", "read 64 hot bytes", 64, FALSE, FALSE, 1.7 },
  { "read-4k-hot", "read 4 KiB that are hot", 4096, FALSE, FALSE, 0 },
  { "read-64k-hot", "read 64 KiB that are hot", 65536, FALSE, FALSE, 0 },
  { "write-64-hot", "write 64 hot bytes", 64, FALSE, TRUE, 2.5 },
  { "write-4k-hot", "write 4 KiB that are hot", 4096, FALSE, TRUE, 0 },
  { "write-64k-hot", "write 64 KiB that are hot", 65536, FALSE, TRUE, 0 },
  { "read-64-random", "read 64 bytes anywhere in 64 MiB", 64, TRUE, FALSE, 0 },
  { "read-4k-random", "read 4 KiB anywhere in 64 MiB", 4096, TRUE, FALSE, 1.05 },
  { "read-64k-random", "read 64 KiB anywhere in 64 MiB", 65536, TRUE, FALSE, 1.05 },
  { "write-64-random", "write 64 bytes anywhere in 64 MiB", 64, TRUE, TRUE, 0 },
  { "write-4k-random", "write 4 KiB anywhere in 64 MiB", 4096, TRUE, TRUE, 0 },
  { "write-64k-random", "write 64 KiB anywhere in 64 MiB", 65536, TRUE, TRUE, 0 },
};

static void
compare (Bench      *bench,
         const Kind *kind,
         const Copy *copy,
         const char *path)
{
  const gboolean hot = !kind->random;
  g_autofree char *size = g_strdup_printf ("%" G_GSIZE_FORMAT, kind->size);
  Copy sides[8];
  BenchSide peers[8] = { { NULL } };
  BenchCase description = { .name = kind->name, .title = kind->title, .goal = kind->goal };
  BenchSide boost;
  guint n = 0;

  /* One buffer for all sides in this process: where it lies matters to memcpy. */
  for (gsize i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      sides[i] = *copy;
      sides[i].size = kind->size;
      sides[i].state = G_GUINT64_CONSTANT (88172645463325252) * (2 * i + 1);
    }
  boost = bench_program_side ("Boost.Interprocess, mapped_region", BENCH_PROGRAMS "/peer-boost", kind->writes ? "write" : "read",
                              hot ? "hot" : "random", path, size, NULL);

  if (kind->writes)
    {
      description.floor = (BenchSide){ "memcpy with a bounds check", hot ? write_floor_hot : write_floor_random, &sides[0] };
      description.subject = (BenchSide){ "mmio_file_write", hot ? write_ours_hot : write_ours_random, &sides[1] };
      if (hot)
        peers[n++] = (BenchSide){ "the floor, in a shared library", write_shared_hot, &sides[2] };
      peers[n++] = (BenchSide){ "pwrite", hot ? write_pwrite_hot : write_pwrite_random, &sides[3] };
      peers[n++] = (BenchSide){ "lseek + write", hot ? write_write_hot : write_write_random, &sides[4] };
    }
  else
    {
      description.floor = (BenchSide){ "memcpy with a bounds check", hot ? read_floor_hot : read_floor_random, &sides[0] };
      description.subject = (BenchSide){ "mmio_file_read", hot ? read_ours_hot : read_ours_random, &sides[1] };
      if (hot)
        peers[n++] = (BenchSide){ "the floor, in a shared library", read_shared_hot, &sides[2] };
      peers[n++] = (BenchSide){ "GMappedFile, memcpy with a bounds check", hot ? read_mapped_file_hot : read_mapped_file_random,
                                &sides[6] };
      peers[n++] = (BenchSide){ "pread", hot ? read_pread_hot : read_pread_random, &sides[3] };
      peers[n++] = (BenchSide){ "lseek + read", hot ? read_read_hot : read_read_random, &sides[4] };
      peers[n++] = (BenchSide){ "GFileInputStream, seek and read", hot ? read_stream_hot : read_stream_random, &sides[5] };
    }
  peers[n++] = boost;
  description.peers = peers;

  bench_case (bench, &description);
  bench_program_stop (&boost);
}

static gboolean
is_wanted (Bench   *bench,
           gboolean random)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i].random == random && bench_wants (bench, kinds[i].name))
      return TRUE;

  return !random && bench_wants (bench, "peek-64-hot");
}

static void
compare_all (Bench      *bench,
             gboolean    random,
             const char *name,
             gsize       size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMappedFile) mapped = NULL;
  g_autoptr (GFile) location = NULL;
  const char *path;
  Copy copy = { NULL };

  if (!is_wanted (bench, random))
    return;

  path = bench_tmpfs_file (bench, name, size);
  if (path == NULL)
    path = bench_disk_file (bench, name, size);
  copy.file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  bench_need (copy.file != NULL, error, path);
  floor_map_open (&copy.map, path, TRUE);
  mapped = g_mapped_file_new (path, FALSE, &error);
  bench_need (mapped != NULL, error, path);
  copy.contents = (FloorMap){ (guint8 *) g_mapped_file_get_contents (mapped), g_mapped_file_get_length (mapped), -1 };
  location = g_file_new_for_path (path);
  copy.stream = G_INPUT_STREAM (g_file_read (location, NULL, &error));
  bench_need (copy.stream != NULL, error, path);
  copy.buffer = g_aligned_alloc0 (1, 65536, 4096);

  /* All have their pages before anything is timed. */
  bench_need (mmio_file_prefetch (copy.file, 0, size, &error) && mmio_file_touch (copy.file, 0, size, &error), error, path);
  for (gsize i = 0; i < size; i += 4096)
    {
      ((volatile guint8 *) copy.map.base)[i] += 0;
      sink = GUINT_TO_POINTER (((volatile guint8 *) copy.contents.base)[i]);
    }

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i].random == random && bench_wants (bench, kinds[i].name))
      compare (bench, &kinds[i], &copy, path);
  if (!random)
    {
      copy.size = 64;
      bench_case (bench, &(BenchCase){
        .name = "peek-64-hot", .title = "a pointer to 64 hot bytes", .goal = 2.0,
        .floor = { "a bounds check", peek_floor, &copy },
        .subject = { "mmio_file_peek", peek_ours, &copy },
        .peers = (BenchSide[]){ { "the floor, in a shared library", peek_shared, &copy }, { NULL } } });
    }

  g_aligned_free (copy.buffer);
  g_object_unref (copy.stream);
  floor_map_close (&copy.map);
  g_object_unref (copy.file);
}

void
bench_copy (Bench *bench)
{
  compare_all (bench, FALSE, "copy", SMALL);
  compare_all (bench, TRUE, "random", LARGE);
}
