/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a word is that stands at the end of 64 MiB.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <mmio.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench-program.h"
#include "floor.h"

#define SIZE (64 << 20)
#define WORD "needle in a haystack"

typedef struct
{
  const char *path;
  MmioFile *file;
  FloorMap map;
  char **environment;           /* of grep */
} Haystack;

static guint64
find_ours (gpointer data,
           guint64  n)
{
  Haystack *haystack = data;

  for (guint64 i = 0; i < n; i++)
    bench_need (mmio_file_find (haystack->file, WORD, strlen (WORD), 0, SIZE, NULL) >= 0, NULL, "mmio_file_find");
  return 0;
}

static guint64
find_memmem (gpointer data,
             guint64  n)
{
  Haystack *haystack = data;

  for (guint64 i = 0; i < n; i++)
    bench_need (memmem (haystack->map.base, SIZE, WORD, strlen (WORD)) != NULL, NULL, "memmem");
  return 0;
}

/* All of the program: starting it takes a millisecond. In the C locale, in which it needn't look for characters. */
static guint64
find_grep (gpointer data,
           guint64  n)
{
  Haystack *haystack = data;
  const char *arguments[] = { "grep", "-F", "-q", "-a", WORD, haystack->path, NULL };

  for (guint64 i = 0; i < n; i++)
    {
      pid_t pid;
      int status = -1;

      if (posix_spawnp (&pid, arguments[0], NULL, NULL, (char *const *) arguments, haystack->environment) != 0 || waitpid (pid, &status, 0) != pid ||
          status != 0)
        g_error ("grep did not find the word");
    }
  return 0;
}

void
bench_find (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "haystack", SIZE);
  g_auto (GStrv) environment = NULL;
  g_autofree char *grep = g_find_program_in_path ("grep");
  g_autoptr (MmioFile) file = NULL;
  Haystack haystack;
  BenchSide python, by_grep = { .label = "grep -F, the whole program", .missing = "grep is not installed" };

  if (path == NULL)
    path = bench_disk_file (bench, "haystack", SIZE);
  haystack.path = path;
  haystack.environment = environment = g_environ_setenv (g_get_environ (), "LC_ALL", "C", TRUE);
  haystack.file = file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  bench_need (file != NULL, error, path);
  bench_need (mmio_file_write (file, SIZE - strlen (WORD), WORD, strlen (WORD), &error), error, path);
  bench_need (mmio_file_prefetch (file, 0, SIZE, &error) && mmio_file_touch (file, 0, SIZE, &error), error, path);
  floor_map_open (&haystack.map, path, FALSE);
  if (grep != NULL)
    {
      by_grep.run = find_grep;
      by_grep.data = &haystack;
    }
  python = bench_program_side ("Python's mmap.find", BENCH_PYTHON, BENCH_SCRIPTS "/peer.py", "find-mmap", path, WORD, NULL);

  bench_case (bench, &(BenchCase){
    .name = "find-64m", .title = "find a word at the end of 64 MiB", .slice = 10000000,
    .floor = { "memmem", find_memmem, &haystack },
    .subject = { "mmio_file_find", find_ours, &haystack },
    .peers = (BenchSide[]){ by_grep, python, { NULL } } });

  bench_program_stop (&python);
  floor_map_close (&haystack.map);
}
