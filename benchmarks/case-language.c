/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a call costs in the other languages, beside what these have themselves. Each side is a program of its own that takes its turns.
 */
#include "config.h"

#include <mmio.h>
#include <string.h>

#include "bench-program.h"

#define SIZE (4 << 20)
#define MAX_PEERS 4

typedef struct
{
  const char *name, *title;
  const char *floor, *floor_side;
  const char *subject, *subject_side;
  const char *peers[MAX_PEERS][2];
  guint64 divide;
  double goal;
  gboolean big; /* a file of 1 GiB */
} Kind;

static const Kind python_kinds[] = {
  { "python-index", "f[i] in Python", "mmap", "index-mmap", "Mmio.File", "index-mmio",
    { { "its view, a memoryview", "index-view" }, { "numpy.memmap", "index-numpy" } }, .goal = 3.0 },
  { "python-slice", "64 bytes, f[i:j] in Python", "mmap", "slice-mmap", "Mmio.File", "slice-mmio",
    { { "its view, a memoryview", "slice-view" }, { "numpy.memmap", "slice-numpy" }, { "os.pread", "slice-pread" } } },
  { "python-write", "f[i:j] = 64 bytes in Python", "mmap", "write-mmap", "Mmio.File", "write-mmio",
    { { "numpy.memmap", "write-numpy" } } },
  { "python-open", "open, look at the last byte and close in Python", "mmap", "open-mmap", "Mmio.File", "open-mmio",
    { { "numpy.memmap", "open-numpy" } } },
  { "python-view", "open and view 1 GiB, look at the last byte, in Python", "mmap", "view-mmap", "Mmio.File", "view-mmio",
    { { NULL } }, .goal = 1.0, .big = TRUE },
  { "python-find", "find what is not there in 4 MiB in Python", "mmap", "find-mmap", "Mmio.File", "find-mmio", { { NULL } } },
  { "python-sum", "sum of 4 MiB by numpy", "numpy.memmap", "sum-memmap", "numpy.frombuffer of a view", "sum-mmio", { { NULL } },
    .goal = 1.05 },
};

static const Kind gjs_kinds[] = {
  { "gjs-get", "an integer after the other in GJS", "Gio.DataInputStream", "get-stream", "Mmio.File.get_uint32", "get-mmio",
    { { NULL } }, 1000 },
  { "gjs-read", "64 bytes anywhere in GJS", "Gio.FileInputStream, seek and read_bytes", "read-stream", "Mmio.File.read", "read-mmio",
    { { NULL } }, 1000 },
  { "gjs-all", "all of 4 MiB as a Uint8Array in GJS", "Gio.File.load_contents", "all-load", "Mmio.File.read", "all-mmio",
    { { NULL } }, 1 },
};

typedef BenchSide (*StartSide) (const char *label,
                                const char *side,
                                const char *path);

static BenchSide
start_python (const char *label,
              const char *side,
              const char *path)
{
  return bench_program_side (label, BENCH_PYTHON, BENCH_SCRIPTS "/peer.py", side, path, g_str_has_prefix (side, "find-") ? "nowhere" : NULL,
                             NULL);
}

static BenchSide
start_gjs (const char *label,
           const char *side,
           const char *path)
{
  return bench_program_side (label, BENCH_GJS, "-m", BENCH_SCRIPTS "/peer.js", side, path, NULL);
}

static void
compare (Bench      *bench,
         const Kind *kind,
         StartSide   start,
         const char *path)
{
  BenchSide peers[MAX_PEERS + 1] = { { NULL } };
  BenchCase description = { .name = kind->name, .title = kind->title, .goal = kind->goal, .peers = peers };
  guint n = 0;

  if (!bench_wants (bench, kind->name))
    return;

  if (kind->big)
    path = bench_sparse_file (bench, kind->name, G_GUINT64_CONSTANT (1) << 30);
  description.floor = start (kind->floor, kind->floor_side, path);
  description.subject = start (kind->subject, kind->subject_side, path);
  for (; n < MAX_PEERS && kind->peers[n][0] != NULL; n++)
    peers[n] = start (kind->peers[n][0], kind->peers[n][1], path);
  description.floor.divide = description.subject.divide = kind->divide;

  bench_case (bench, &description);

  bench_program_stop (&description.floor);
  bench_program_stop (&description.subject);
  while (n > 0)
    bench_program_stop (&peers[--n]);
}

/* Vala compiles to C: the same call from C is what it can be held to. */

static volatile guint32 sink;

static guint64
read_from_c (gpointer data,
             guint64  n)
{
  guint8 buffer[64];

  for (guint64 i = 0; i < n; i++)
    mmio_file_read (data, (i * 64) & 4095, buffer, sizeof buffer, NULL);
  return 0;
}

static guint64
get_from_c (gpointer data,
            guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    sink += mmio_file_get_uint32 (data, (i * 64) & 4095, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN, NULL);
  return 0;
}

static guint64
view_from_c (gpointer data,
             guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      g_autoptr (MmioView) view = mmio_file_get_view (data, (i * 64) & 4095, 64, NULL);

      sink += *(const guint8 *) mmio_view_get_data (view, NULL);
    }
  return 0;
}

static void
compare_vala (Bench      *bench,
              const char *path)
{
  static const struct
  {
    const char *name, *title, *side;
    BenchRun from_c;
  } kinds[] = {
    { "vala-read", "read 64 hot bytes in Vala", "read", read_from_c },
    { "vala-get", "get a 32-bit integer in Vala", "get", get_from_c },
    { "vala-view", "take a view, look at it and release it in Vala", "view", view_from_c },
  };
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);

  bench_need (file != NULL, error, path);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      BenchSide vala = bench_program_side ("the same call from Vala", BENCH_PROGRAMS "/peer-vala", kinds[i].side, path, NULL);

      bench_case (bench, &(BenchCase){
        .name = kinds[i].name, .title = kinds[i].title,
        .floor = { "the same call from C", kinds[i].from_c, file },
        .subject = vala });
      bench_program_stop (&vala);
    }
}

void
bench_language (Bench *bench)
{
  const char *path = bench_tmpfs_file (bench, "language", SIZE);

  if (path == NULL)
    path = bench_disk_file (bench, "language", SIZE);
  if (bench_wants (bench, "python-"))
    for (gsize i = 0; i < G_N_ELEMENTS (python_kinds); i++)
      compare (bench, &python_kinds[i], start_python, path);
  if (bench_wants (bench, "gjs-"))
    for (gsize i = 0; i < G_N_ELEMENTS (gjs_kinds); i++)
      compare (bench, &gjs_kinds[i], start_gjs, path);
  if (bench_wants (bench, "vala-"))
    compare_vala (bench, path);
}
