/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From somebody's write () to the handler in the main loop. Each side has a folder to itself: GLib takes its time after events of
 * neighbours.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <mmio.h>
#include <poll.h>
#include <unistd.h>
#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#endif

#include "bench.h"

typedef struct
{
  char *folder;
  char *path;
  int fd;                       /* somebody else's */
  guint seen;
} Watched;

static void
watched_init (Watched    *self,
              const char *near,
              const char *name)
{
  g_autofree char *parent = g_path_get_dirname (near);
  g_autoptr (GError) error = NULL;

  self->folder = g_build_filename (parent, name, NULL);
  bench_need (g_mkdir (self->folder, 0700) == 0, NULL, self->folder);
  self->path = g_build_filename (self->folder, "file", NULL);
  bench_need (g_file_set_contents (self->path, "content of some length", -1, &error), error, self->path);
  self->fd = open (self->path, O_WRONLY | O_CLOEXEC);
  bench_need (self->fd >= 0, NULL, self->path);
}

static void
watched_clear (Watched *self)
{
  close (self->fd);
  g_unlink (self->path);
  g_rmdir (self->folder);
  g_free (self->path);
  g_free (self->folder);
}

static void
write_byte (Watched *self)
{
  bench_need (pwrite (self->fd, "x", 1, 0) == 1, NULL, self->path);
}

static void
on_monitor_changed (GFileMonitor     *monitor,
                    GFile            *file,
                    GFile            *other_file,
                    GFileMonitorEvent event,
                    gpointer          data)
{
  Watched *self = data;

  if (event == G_FILE_MONITOR_EVENT_CHANGED)
    self->seen++;
}

static void
on_file_changed (MmioFile *file,
                 guint64   offset,
                 guint64   length,
                 gpointer  data)
{
  Watched *self = data;

  self->seen++;
}

static gboolean
on_too_late (gpointer data)
{
  g_error ("an event did not come in 10 s");
  return G_SOURCE_REMOVE;
}

/* One event is over before the next begins. */
static guint64
wait_for_handler (gpointer data,
                  guint64  n)
{
  Watched *self = data;
  guint too_late = g_timeout_add_seconds (10, on_too_late, NULL);

  for (guint64 i = 0; i < n; i++)
    {
      guint seen = self->seen;

      write_byte (self);
      while (self->seen == seen)
        g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (too_late);
  return 0;
}

#ifdef IN_MODIFY
static guint64
wait_for_inotify (gpointer data,
                  guint64  n)
{
  static int queue = -1;
  Watched *self = data;
  struct pollfd poll_fd;
  char buffer[4096];

  if (queue < 0)
    {
      queue = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
      bench_need (queue >= 0 && inotify_add_watch (queue, self->path, IN_MODIFY) >= 0, NULL, "inotify");
    }
  poll_fd = (struct pollfd){ .fd = queue, .events = POLLIN };
  for (guint64 i = 0; i < n; i++)
    {
      write_byte (self);
      bench_need (poll (&poll_fd, 1, 10000) == 1 && read (queue, buffer, sizeof buffer) > 0, NULL, "inotify");
    }
  return 0;
}
#else
static guint64
wait_for_inotify (gpointer data,
                  guint64  n)
{
  return wait_for_handler (data, n);
}
#endif

void
bench_watch (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *near = bench_disk_file (bench, "near", 0);
  g_autoptr (GFileMonitor) monitor = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GFile) location = NULL;
  Watched ours = { NULL }, theirs = { NULL }, bare = { NULL };

  watched_init (&ours, near, "watch-ours");
  watched_init (&theirs, near, "watch-monitor");
  watched_init (&bare, near, "watch-inotify");

  location = g_file_new_for_path (theirs.path);
  monitor = g_file_monitor_file (location, G_FILE_MONITOR_NONE, NULL, &error);
  bench_need (monitor != NULL, error, theirs.path);
  g_file_monitor_set_rate_limit (monitor, 0);
  g_signal_connect (monitor, "changed", G_CALLBACK (on_monitor_changed), &theirs);

  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", ours.path, "watch-interval", 0, NULL);
  bench_need (file != NULL, error, ours.path);
  g_signal_connect (file, "changed", G_CALLBACK (on_file_changed), &ours);
  bench_need (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error), error, ours.path);

  bench_case (bench, &(BenchCase){
    .name = "watch-latency", .title = "from a write to the handler in the main loop", .goal = 1.2,
    .slice = 5000000, .repeats = bench_is_full (bench) ? 101 : 31,
    .floor = { "GFileMonitor, rate limit 0", wait_for_handler, &theirs },
    .subject = { "MmioFile::changed, watch-interval 0", wait_for_handler, &ours },
    .peers = (BenchSide[]){ { "inotify, bare, no main loop", wait_for_inotify, &bare }, { NULL } } });

  mmio_file_unwatch (file);
  g_file_monitor_cancel (monitor);
  watched_clear (&ours);
  watched_clear (&theirs);
  watched_clear (&bare);
}
