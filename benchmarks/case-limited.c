/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file of 128 MiB from its beginning to its end, where a control group leaves 32 MiB of memory for its pages: each is read from the
 * disk again. Each side is a process of its own in a group of its own, and all of them walk the same file: two files of one content lie in
 * other places of the disk, of which one can be a tenth slower than the other.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <mmio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench-program.h"
#include "walk.h"

#define LIMIT (32 << 20)
#define SIZE (128 << 20)
#define CHUNK (1 << 20)

static volatile guint64 sink;

/* What a side has brought into memory is its own group's, but not for the next one to find there: out of the mapping, and then out of
 * the cache. */
static void
leave_nothing (const FloorMap *map)
{
  bench_need (madvise (map->base, map->size, MADV_DONTNEED) == 0, NULL, "madvise");
  posix_fadvise (map->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static guint64
walk_ours (gpointer data,
           guint64  n)
{
  guint64 elapsed = 0;

  for (guint64 i = 0; i < n; i++)
    {
      g_autoptr (GError) error = NULL;
      guint64 start = bench_now ();

      sink = walk_file (data, CHUNK);
      elapsed += bench_now () - start;
      bench_need (mmio_file_evict (data, 0, SIZE, &error), error, "mmio_file_evict");
    }
  return elapsed;
}

static guint64
walk_pointer (gpointer data,
              guint64  n)
{
  guint64 elapsed = 0;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 start = bench_now ();

      sink = walk_map (data, CHUNK);
      elapsed += bench_now () - start;
      leave_nothing (data);
    }
  return elapsed;
}

static guint64
walk_read (gpointer data,
           guint64  n)
{
  const FloorMap *map = data;
  g_autofree guint8 *buffer = g_aligned_alloc0 (1, CHUNK, 4096);
  guint64 elapsed = 0;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 start = bench_now ();
      guint64 total = 0;
      gssize length;

      bench_need (lseek (map->fd, 0, SEEK_SET) == 0, NULL, "lseek");
      while ((length = read (map->fd, buffer, CHUNK)) > 0)
        total += walk_chunk (buffer, (gsize) length);
      sink = total;
      elapsed += bench_now () - start;
      leave_nothing (map);
    }
  return elapsed;
}

/* ARGUMENTS: ours, advised, map or read; the file; the file of the group that lists its processes. */
int
bench_limited_partner (char **arguments)
{
  g_autoptr (MmioFile) file = NULL;
  FloorMap map;
  int fd = open (arguments[2], O_WRONLY | O_CLOEXEC);

  if (fd < 0 || write (fd, "0", 1) != 1)
    return bench_program_refuse ("the control group takes no process");
  close (fd);
  floor_map_open (&map, arguments[1], FALSE);
  if (g_str_equal (arguments[0], "map"))
    return bench_program_serve (walk_pointer, &map);
  if (g_str_equal (arguments[0], "read"))
    return bench_program_serve (walk_read, &map);

  file = mmio_file_open (arguments[1], MMIO_MODE_READ_ONLY, NULL);
  if (file != NULL && g_str_equal (arguments[0], "advised") && !mmio_file_advise (file, 0, SIZE, MMIO_ADVICE_SEQUENTIAL, NULL))
    return bench_program_refuse ("the system takes no such advice");
  return file != NULL ? bench_program_serve (walk_ours, file) : bench_program_refuse ("it can't be opened");
}

static gboolean
write_text (const char *folder,
            const char *name,
            const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean done;

  if (fd < 0)
    return FALSE;
  done = write (fd, text, strlen (text)) == (gssize) strlen (text);
  close (fd);

  return done;
}

/* A group below ours, in the hierarchy of version 2 or the one for memory of version 1; or at its root, if ours can't be seen from here. */
static char *
make_group (const char *name)
{
  static const struct
  {
    const char *prefix, *root, *limit;
  } kinds[] = { { "0::", "/sys/fs/cgroup", "memory.max" },
                { ":memory:", "/sys/fs/cgroup/memory", "memory.limit_in_bytes" } };
  g_autofree char *groups = NULL, *limit = g_strdup_printf ("%d", LIMIT);

  if (!g_file_get_contents ("/proc/self/cgroup", &groups, NULL, NULL))
    return NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      const char *at = strstr (groups, kinds[i].prefix);
      g_autofree char *own = at != NULL ? g_strndup (at + strlen (kinds[i].prefix), strcspn (at + strlen (kinds[i].prefix), "\n")) : NULL;
      const char *places[] = { own, "" };

      for (gsize k = 0; own != NULL && k < G_N_ELEMENTS (places); k++)
        {
          g_autofree char *folder = g_build_filename (kinds[i].root, places[k], name, NULL);

          if (g_mkdir (folder, 0700) != 0)
            continue;
          if (write_text (folder, kinds[i].limit, limit))
            return g_steal_pointer (&folder);
          g_rmdir (folder);
        }
    }

  return NULL;
}

/* Whatever of it is in memory belongs to whoever brought it there: nobody, from here on. */
static void
leave_memory (const char *path)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  bench_need (fd >= 0 && fsync (fd) == 0, NULL, path);
  posix_fadvise (fd, 0, 0, POSIX_FADV_DONTNEED);
  close (fd);
}

void
bench_limited (Bench *bench)
{
  static const char *const kinds[] = { "map", "ours", "advised", "read" };
  static const char *const labels[] = { "a loop over a pointer", "mmio_chunk_iter_next", "… with MMIO_ADVICE_SEQUENTIAL", "read" };
  char *groups[G_N_ELEMENTS (kinds)] = { NULL };
  BenchSide sides[G_N_ELEMENTS (kinds) + 1] = { { NULL } };
  const char *path = NULL;
  guint n;

  for (n = 0; n < G_N_ELEMENTS (kinds); n++)
    {
      g_autofree char *name = g_strdup_printf ("mmio-bench-%d-%s", (int) getpid (), kinds[n]);
      g_autofree char *list = NULL;

      groups[n] = make_group (name);
      if (groups[n] == NULL)
        break;
      list = g_build_filename (groups[n], "cgroup.procs", NULL);
      if (path == NULL)
        leave_memory (path = bench_disk_file (bench, "limited", SIZE));
      sides[n] = bench_program_side (labels[n], bench_program_self (), "--partner=limited", kinds[n], path, list, NULL);
      sides[n].divide = SIZE / CHUNK;
    }

  if (n == G_N_ELEMENTS (kinds))
    bench_case (bench, &(BenchCase){
      .name = "limited-sum", .title = "sum up 128 MiB where 32 MiB of memory are all there is (time of a chunk of 1 MiB)", .goal = 1.05,
      .floor = sides[0], .subject = sides[1], .peers = &sides[2] });
  else
    bench_skip (bench, "limited-sum", "no control group for memory can be made here");

  for (guint i = 0; i < n; i++)
    {
      bench_program_stop (&sides[i]);
      g_rmdir (groups[i]);
      g_free (groups[i]);
    }
}
