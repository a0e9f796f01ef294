/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From somebody's write () to the handler in the main loop. Each side has a folder to itself: GLib takes its time after events of
 * neighbours.
 */
#include "config.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <mmio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#endif

#include "bench-program.h"
#include "crowd.h"

typedef struct
{
  char *folder;
  char *path;
  int fd;                       /* somebody else's */
  guint seen;                   /* changes */
  guint seen_attributes;
  gboolean flip;
  guint n_located;              /* changes that came with less than all of the file */
  guint64 size;
  guint64 n_written;
  guint8 *copy, *buffer;        /* of whoever compares it himself */
  FILE *lines;                  /* of a program that prints one for each event */
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
  self->fd = open (self->path, O_RDWR | O_CLOEXEC);
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
  else if (event == G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED)
    self->seen_attributes++;
}

static void
on_file_changed (MmioFile *file,
                 guint64   offset,
                 guint64   length,
                 gpointer  data)
{
  Watched *self = data;

  self->seen++;
  if (length < self->size)
    self->n_located++;
}

static void
on_file_metadata (MmioFile *file,
                  gpointer  data)
{
  Watched *self = data;

  self->seen_attributes++;
}

static gboolean
on_too_late (gpointer data)
{
  g_error ("an event did not come in a minute");
  return G_SOURCE_REMOVE;
}

/* One event is over before the next begins. */
static guint64
wait_for_handler (gpointer data,
                  guint64  n)
{
  Watched *self = data;
  guint too_late = g_timeout_add_seconds (60, on_too_late, NULL);

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

#define BURST 1000

/* Many writes at once; then a change of another kind, after which all of them have been heard. */
static guint64
hear_burst (gpointer data,
            guint64  n)
{
  Watched *self = data;
  guint too_late = g_timeout_add_seconds (60, on_too_late, NULL);

  for (guint64 i = 0; i < n; i++)
    {
      guint seen = self->seen_attributes;

      for (guint k = 0; k < BURST; k++)
        write_byte (self);
      self->flip = !self->flip;
      bench_need (fchmod (self->fd, self->flip ? 0640 : 0600) == 0, NULL, self->path);
      while (self->seen_attributes == seen)
        g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (too_late);
  return 0;
}

static guint64
wait_for_line (gpointer data,
               guint64  n)
{
  Watched *self = data;
  char line[64];

  for (guint64 i = 0; i < n; i++)
    {
      write_byte (self);
      bench_need (fgets (line, sizeof line, self->lines) != NULL, NULL, "inotifywait has ended");
    }
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
#define INOTIFY_SIDE(watched) { "inotify, bare, no main loop", wait_for_inotify, watched }
#else
#define INOTIFY_SIDE(watched) { .label = "inotify, bare", .missing = "this system has none" }
#endif

/* Returns NULL if inotify-tools are not installed. It says on its standard error when it is ready. */
static GSubprocess *
start_inotifywait (Watched *watched)
{
  GSubprocess *program = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, NULL, "inotifywait", "-m", "-e",
                                           "modify", "--format", "%e", watched->path, NULL);
  char line[256];
  FILE *errors;

  if (program == NULL)
    return NULL;

  watched->lines = fdopen (dup (g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (g_subprocess_get_stdout_pipe (program)))), "r");
  errors = fdopen (dup (g_unix_input_stream_get_fd (G_UNIX_INPUT_STREAM (g_subprocess_get_stderr_pipe (program)))), "r");
  while (fgets (line, sizeof line, errors) != NULL && strstr (line, "established") == NULL)
    ;
  fclose (errors);
  return program;
}

static void
stop_inotifywait (GSubprocess *program,
                  Watched     *watched)
{
  if (program == NULL)
    return;

  g_subprocess_force_exit (program);
  g_subprocess_wait (program, NULL, NULL);
  fclose (watched->lines);
  g_object_unref (program);
}

static MmioFile *
watch_ours (Watched       *watched,
            MmioWatchFlags flags)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", watched->path, "watch-interval", 0, NULL);

  bench_need (file != NULL, error, watched->path);
  g_signal_connect (file, "changed", G_CALLBACK (on_file_changed), watched);
  g_signal_connect (file, "metadata", G_CALLBACK (on_file_metadata), watched);
  bench_need (mmio_file_watch (file, flags, NULL, &error), error, watched->path);
  return file;
}

static GFileMonitor *
watch_theirs (Watched *watched)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) location = g_file_new_for_path (watched->path);
  GFileMonitor *monitor = g_file_monitor_file (location, G_FILE_MONITOR_NONE, NULL, &error);

  bench_need (monitor != NULL, error, watched->path);
  g_file_monitor_set_rate_limit (monitor, 0);
  g_signal_connect (monitor, "changed", G_CALLBACK (on_monitor_changed), watched);
  return monitor;
}

/* Where the file has changed: by LOCATE, or by reading all of it again and comparing it with a copy. */

static guint64
write_somewhere (Watched *self)
{
  const guint64 offset = self->n_written * 4099 % self->size;
  const guint8 byte = (guint8) (1 + self->n_written / 7);

  self->n_written++;
  bench_need (pwrite (self->fd, &byte, 1, (off_t) offset) == 1, NULL, self->path);
  return offset;
}

static guint64
wait_for_located (gpointer data,
                  guint64  n)
{
  Watched *self = data;
  guint too_late = g_timeout_add_seconds (60, on_too_late, NULL);

  for (guint64 i = 0; i < n; i++)
    {
      guint seen = self->seen;

      write_somewhere (self);
      while (self->seen == seen)
        g_main_context_iteration (NULL, TRUE);
    }
  g_source_remove (too_late);
  return 0;
}

static guint64
wait_and_compare (gpointer data,
                  guint64  n)
{
  Watched *self = data;
  guint too_late = g_timeout_add_seconds (60, on_too_late, NULL);

  for (guint64 i = 0; i < n; i++)
    {
      guint seen = self->seen;
      guint64 first = 0;

      write_somewhere (self);
      while (self->seen == seen)
        g_main_context_iteration (NULL, TRUE);
      bench_need (pread (self->fd, self->buffer, self->size, 0) == (gssize) self->size, NULL, self->path);
      while (first < self->size && memcmp (self->buffer + first, self->copy + first, MIN (4096, self->size - first)) == 0)
        first += 4096;
      if (first < self->size)
        memcpy (self->copy + first, self->buffer + first, MIN (4096, self->size - first));
    }
  g_source_remove (too_late);
  return 0;
}

static void
compare_located (Bench      *bench,
                 const char *name,
                 const char *title,
                 guint64     size)
{
  const char *near = bench_disk_file (bench, "near", 0);
  g_autofree char *content = g_malloc0 (size);
  g_autoptr (GFileMonitor) monitor = NULL;
  g_autoptr (MmioFile) file = NULL;
  Watched ours = { NULL }, theirs = { NULL };

  if (!bench_wants (bench, name))
    return;

  watched_init (&ours, near, "locate-ours");
  watched_init (&theirs, near, "locate-monitor");
  ours.size = theirs.size = size;
  bench_need (pwrite (ours.fd, content, size, 0) == (gssize) size && pwrite (theirs.fd, content, size, 0) == (gssize) size, NULL,
              ours.path);
  theirs.copy = g_malloc0 (size);
  theirs.buffer = g_malloc0 (size);
  monitor = watch_theirs (&theirs);
  file = watch_ours (&ours, MMIO_WATCH_FLAGS_LOCATE);

  bench_case (bench, &(BenchCase){
    .name = name, .title = title, .slice = 5000000,
    .floor = { "GFileMonitor, rate limit 0, read and memcmp", wait_and_compare, &theirs },
    .subject = { "MmioFile::changed, LOCATE", wait_for_located, &ours } });
  printf ("  %u of %u were located\n", ours.n_located, ours.seen);

  mmio_file_unwatch (file);
  g_file_monitor_cancel (monitor);
  g_free (theirs.copy);
  g_free (theirs.buffer);
  watched_clear (&ours);
  watched_clear (&theirs);
}

/* Many files watched in one folder, and one of them is written to. */

/* Two descriptors each: what is usual for root is enough. */
#define MAX_WATCHED 2000

typedef struct
{
  Crowd crowd;
  Watched *watched;             /* the one that is written to */
} WatchedCrowd;

static MmioFile *
join (gconstpointer paths,
      guint         number)
{
  const char *path = ((const char *const *) paths)[number];
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);

  bench_need (file != NULL && mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error), error, path);
  return file;
}

/* The crowd gathers before the clock is looked at. */
static guint64
hear_in_crowd (gpointer data,
               guint64  n)
{
  const WatchedCrowd *crowd = data;
  guint64 start;

  crowd_gather (&crowd->crowd);
  /* What those who have just come look at first is over. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  start = bench_now ();
  wait_for_handler (crowd->watched, n);
  return bench_now () - start;
}

static void
scale_watched (Bench *bench)
{
  static const guint counts[] = { 1, 10, 100, 1000, MAX_WATCHED };
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  const char *path = bench_disk_file (bench, "watched", 64);
  g_autofree const char **paths = g_new (const char *, MAX_WATCHED);
  WatchedCrowd crowds[G_N_ELEMENTS (counts)];
  BenchPoint points[G_N_ELEMENTS (counts)];
  Watched watched = { .path = (char *) path };
  const guint64 allowed = crowd_allow_many ();
  g_autoptr (MmioFile) file = NULL;
  /* Watching them takes a tenth of a millisecond each, and that each time round. */
  const guint most = bench_is_quick (bench) ? 1000 : MAX_WATCHED;
  guint n;

  for (guint i = 0; i < most && 2 * i + 100 < allowed; i++)
    {
      g_autofree char *name = g_strdup_printf ("watched-%u", i);

      paths[i] = bench_disk_file (bench, name, 64);
    }
  watched.fd = open (path, O_WRONLY | O_CLOEXEC);
  bench_need (watched.fd >= 0, NULL, path);
  file = watch_ours (&watched, MMIO_WATCH_FLAGS_NONE);
  for (n = 0; n < G_N_ELEMENTS (counts) && counts[n] <= most && 2 * counts[n] + 100 < allowed; n++)
    {
      crowds[n] = (WatchedCrowd){ { files, counts[n], join, paths }, &watched };
      points[n] = (BenchPoint){ counts[n], { "an event", hear_in_crowd, &crowds[n] } };
    }

  bench_curve (bench, &(BenchCurve){ "scale-watched", "from a write to the handler, while others in the folder are watched",
                                     "files watched", 0.1, points, n });
  mmio_file_unwatch (file);
  close (watched.fd);
}

static void
compare_events (Bench *bench)
{
  const char *near = bench_disk_file (bench, "near", 0);
  g_autoptr (GFileMonitor) monitor = NULL;
  g_autoptr (MmioFile) file = NULL;
  GSubprocess *inotifywait = NULL;
  Watched ours = { NULL }, theirs = { NULL }, bare = { NULL }, by_inotifywait = { NULL }, by_watchdog = { NULL }, by_python = { NULL };
  BenchSide watchdog, python, line = { .label = "inotifywait -m, a line from another process", .missing = "inotify-tools are not installed" };

  watched_init (&ours, near, "watch-ours");
  watched_init (&theirs, near, "watch-monitor");
  watched_init (&bare, near, "watch-inotify");
  watched_init (&by_inotifywait, near, "watch-inotifywait");
  watched_init (&by_watchdog, near, "watch-watchdog");
  watched_init (&by_python, near, "watch-python");
  monitor = watch_theirs (&theirs);
  file = watch_ours (&ours, MMIO_WATCH_FLAGS_NONE);
  inotifywait = start_inotifywait (&by_inotifywait);
  if (inotifywait != NULL)
    {
      line.run = wait_for_line;
      line.data = &by_inotifywait;
    }
  watchdog = bench_program_side ("python3-watchdog, in its thread", BENCH_PYTHON, BENCH_SCRIPTS "/peer.py", "watch-watchdog",
                                 by_watchdog.path, NULL);
  python = bench_program_side ("MmioFile::changed in Python", BENCH_PYTHON, BENCH_SCRIPTS "/peer.py", "watch-mmio", by_python.path, NULL);

  bench_case (bench, &(BenchCase){
    .name = "watch-latency", .title = "from a write to the handler in the main loop", .goal = 1.2, .slice = 5000000,
    .floor = { "GFileMonitor, rate limit 0", wait_for_handler, &theirs },
    .subject = { "MmioFile::changed, watch-interval 0", wait_for_handler, &ours },
    .peers = (BenchSide[]){ INOTIFY_SIDE (&bare), line, watchdog, python, { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "watch-rate", .title = "a write, of a thousand at once until all of them are heard", .slice = 5000000,
    .floor = { "GFileMonitor, rate limit 0", hear_burst, &theirs, .divide = BURST },
    .subject = { "MmioFile::changed, watch-interval 0", hear_burst, &ours, .divide = BURST } });

  bench_program_stop (&watchdog);
  bench_program_stop (&python);
  stop_inotifywait (inotifywait, &by_inotifywait);
  mmio_file_unwatch (file);
  g_file_monitor_cancel (monitor);
  watched_clear (&ours);
  watched_clear (&theirs);
  watched_clear (&bare);
  watched_clear (&by_inotifywait);
  watched_clear (&by_watchdog);
  watched_clear (&by_python);
}

void
bench_watch (Bench *bench)
{
  if (bench_wants (bench, "watch"))
    compare_events (bench);
  compare_located (bench, "locate-1m", "from a write to the handler that is told which byte of 1 MiB it was", 1 << 20);
  compare_located (bench, "locate-64m", "from a write to the handler that is told which block of 64 MiB it was in", 64 << 20);
  if (bench_wants (bench, "scale-watched"))
    scale_watched (bench);
}
