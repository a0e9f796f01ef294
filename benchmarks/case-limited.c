/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file of 256 MiB from its beginning to its end, where a control group leaves 64 MiB of memory for its pages: each is read from the
 * disk again. Both sides are processes of their own, each in a group of its own.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <mmio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench-program.h"
#include "floor.h"

#define LIMIT (64 << 20)
#define SIZE (256 << 20)
#define CHUNK (1 << 20)

static volatile guint64 sink;

static inline guint64
sum (const guint8 *chunk,
     gsize         length)
{
  const guint64 *words = (const guint64 *) (gconstpointer) chunk;
  guint64 sums[4] = { 0 };

  for (gsize i = 0; i + 4 <= length / sizeof *words; i += 4)
    for (guint k = 0; k < 4; k++)
      sums[k] += words[i + k];

  return sums[0] + sums[1] + sums[2] + sums[3];
}

static guint64
walk_ours (gpointer data,
           guint64  n)
{
  for (guint64 i = 0; i < n; i++)
    {
      MmioChunkIter iter;
      gconstpointer chunk;
      gsize length;
      guint64 total = 0;

      bench_need (mmio_chunk_iter_init (&iter, data, CHUNK, NULL), NULL, "mmio_chunk_iter_init");
      while (mmio_chunk_iter_next (&iter, &chunk, &length))
        total += sum (chunk, length);
      mmio_chunk_iter_clear (&iter);
      sink = total;
    }
  return 0;
}

static guint64
walk_map (gpointer data,
          guint64  n)
{
  const FloorMap *map = data;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 total = 0;

      for (gsize at = 0; at < map->size; at += CHUNK)
        total += sum (map->base + at, MIN (CHUNK, map->size - at));
      sink = total;
    }
  return 0;
}

static guint64
walk_read (gpointer data,
           guint64  n)
{
  const FloorMap *map = data;
  g_autofree guint8 *buffer = g_aligned_alloc0 (1, CHUNK, 4096);

  for (guint64 i = 0; i < n; i++)
    {
      guint64 total = 0;
      gssize length;

      bench_need (lseek (map->fd, 0, SEEK_SET) == 0, NULL, "lseek");
      while ((length = read (map->fd, buffer, CHUNK)) > 0)
        total += sum (buffer, (gsize) length);
      sink = total;
    }
  return 0;
}

/* ARGUMENTS: ours, map or read; the file; the file of the group that lists its processes. */
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
    return bench_program_serve (walk_map, &map);
  if (g_str_equal (arguments[0], "read"))
    return bench_program_serve (walk_read, &map);

  file = mmio_file_open (arguments[1], MMIO_MODE_READ_ONLY, NULL);
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
  static const char *const kinds[] = { "map", "ours", "read" };
  static const char *const labels[] = { "a loop over a pointer", "mmio_chunk_iter_next", "read" };
  char *groups[G_N_ELEMENTS (kinds)] = { NULL };
  BenchSide sides[G_N_ELEMENTS (kinds) + 1] = { { NULL } };
  guint n;

  for (n = 0; n < G_N_ELEMENTS (kinds); n++)
    {
      g_autofree char *name = g_strdup_printf ("mmio-bench-%d-%s", (int) getpid (), kinds[n]);
      g_autofree char *list = NULL;
      const char *path;

      groups[n] = make_group (name);
      if (groups[n] == NULL)
        break;
      list = g_build_filename (groups[n], "cgroup.procs", NULL);
      path = bench_disk_file (bench, name, SIZE);
      leave_memory (path);
      sides[n] = bench_program_side (labels[n], bench_program_self (), "--partner=limited", kinds[n], path, list, NULL);
      sides[n].divide = SIZE / CHUNK;
    }

  if (n == G_N_ELEMENTS (kinds))
    bench_case (bench, &(BenchCase){
      .name = "limited-sum", .title = "sum up 256 MiB where 64 MiB of memory are all there is (time of a chunk of 1 MiB)", .goal = 1.05,
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
