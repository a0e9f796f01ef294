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
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#if __has_include(<sys/inotify.h>)
#include <sys/inotify.h>
#endif

#include "bench-program.h"
#include "crowd.h"

#define N_SIBLINGS 1000
/* Between two writes to siblings. */
#define SIBLING_US 1000
/* As many as make a 99th percentile of some worth, of one turn. */
#define KEPT_DELAYS 1000000

typedef struct _Watched Watched;

struct _Watched
{
  char *folder;
  char *path;
  int fd;                       /* somebody else's */
  void (*change) (Watched *self);
  GArray *delays;               /* of guint64, ns from each change to its handler; NULL: not kept */
  int inotify;                  /* a queue of its own; 0 if there is none */
  int *siblings;                /* N_SIBLINGS descriptors of files in the folder; NULL if there are none */
  guint seen;                   /* changes */
  guint64 seen_at;              /* ns; the last of them */
  guint seen_attributes;
  gboolean flip;
  guint n_located;              /* changes that came with less than all of the file */
  guint64 size;
  guint64 n_written;
  guint64 written;              /* where the last change was */
  guint n_missed;               /* changes that came with a range that hasn't it, or more than a block beside it */
  guint8 *copy, *buffer;        /* of whoever compares it himself */
  FILE *lines;                  /* of a program that prints one for each event */
};

static void write_byte (Watched *self);

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
  self->change = write_byte;
}

static void
watched_keep_delays (Watched *self)
{
  self->delays = g_array_sized_new (FALSE, FALSE, sizeof (guint64), KEPT_DELAYS);
}

static char *
sibling_path (Watched *self,
              guint    number)
{
  g_autofree char *name = g_strdup_printf ("sibling-%u", number);

  return g_build_filename (self->folder, name, NULL);
}

static void
watched_add_siblings (Watched *self)
{
  self->siblings = g_new (int, N_SIBLINGS);
  for (guint i = 0; i < N_SIBLINGS; i++)
    {
      g_autofree char *path = sibling_path (self, i);

      self->siblings[i] = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
      bench_need (self->siblings[i] >= 0, NULL, path);
    }
}

static void
watched_clear (Watched *self)
{
  for (guint i = 0; self->siblings != NULL && i < N_SIBLINGS; i++)
    {
      g_autofree char *path = sibling_path (self, i);

      close (self->siblings[i]);
      g_unlink (path);
    }
  g_free (self->siblings);
  g_clear_pointer (&self->delays, g_array_unref);
  if (self->inotify > 0)
    close (self->inotify);
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

  self->seen_at = bench_now ();
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

  self->seen_at = bench_now ();
  self->seen++;
  if (length < self->size)
    self->n_located++;
  if (length > 4096 || self->written < offset || self->written >= offset + length)
    self->n_missed++;
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

/* Of the last change that was seen. Returns it, ns. */
static guint64
keep_delay (Watched *self,
            guint64  since)
{
  guint64 delay = self->seen_at - since;

  if (self->delays != NULL && self->delays->len < KEPT_DELAYS)
    g_array_append_val (self->delays, delay);
  return delay;
}

static int
compare_delays (gconstpointer a,
                gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return (x > y) - (x < y);
}

/* us; of the sorted delays, the smallest that so many per cent don't exceed. */
static double
get_percentile (Watched *self,
                guint    percent)
{
  return (double) g_array_index (self->delays, guint64, (self->delays->len * (guint64) percent + 99) / 100 - 1) / 1000;
}

/* What the medians of turns don't say: each event by itself. */
static void
tell_delays (const char *label,
             Watched    *self)
{
  if (self->delays->len == 0)
    return;
  g_array_sort (self->delays, compare_delays);
  printf ("  %-44s %7u events: median %9.1f us, p99 %9.1f us\n", label, self->delays->len, get_percentile (self, 50),
          get_percentile (self, 99));
}

/* One event is over before the next begins. What is done after the handler was called isn't counted, on any side. */
static guint64
wait_for_handler (gpointer data,
                  guint64  n)
{
  Watched *self = data;
  guint64 total = 0;
  guint too_late = g_timeout_add_seconds (60, on_too_late, NULL);

  for (guint64 i = 0; i < n; i++)
    {
      guint seen = self->seen;
      guint64 start = bench_now ();

      self->change (self);
      while (self->seen == seen)
        g_main_context_iteration (NULL, TRUE);
      total += keep_delay (self, start);
    }
  g_source_remove (too_late);
  return total;
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
  Watched *self = data;
  struct pollfd poll_fd;
  guint64 total = 0;
  char buffer[4096];

  if (self->inotify == 0)
    {
      self->inotify = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
      bench_need (self->inotify > 0 && inotify_add_watch (self->inotify, self->path, IN_MODIFY) >= 0, NULL, "inotify");
    }
  poll_fd = (struct pollfd){ .fd = self->inotify, .events = POLLIN };
  for (guint64 i = 0; i < n; i++)
    {
      guint64 start = bench_now ();

      self->change (self);
      bench_need (poll (&poll_fd, 1, 10000) == 1 && read (self->inotify, buffer, sizeof buffer) > 0, NULL, "inotify");
      self->seen_at = bench_now ();
      total += keep_delay (self, start);
    }
  return total;
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
watch_by_monitor (Watched          *watched,
                  GFileMonitorFlags flags,
                  int               rate_limit)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GFile) location = g_file_new_for_path (watched->path);
  GFileMonitor *monitor = g_file_monitor_file (location, flags, NULL, &error);

  bench_need (monitor != NULL, error, watched->path);
  if (rate_limit >= 0)
    g_file_monitor_set_rate_limit (monitor, rate_limit);
  g_signal_connect (monitor, "changed", G_CALLBACK (on_monitor_changed), watched);
  return monitor;
}

static GFileMonitor *
watch_theirs (Watched *watched)
{
  return watch_by_monitor (watched, G_FILE_MONITOR_NONE, 0);
}

/* Where the file has changed: by LOCATE, or by reading all of it again and comparing it with a copy. */

static void
write_somewhere (Watched *self)
{
  const guint8 byte = (guint8) (1 + self->n_written / 7);

  self->written = self->n_written * 4099 % self->size;
  self->n_written++;
  bench_need (pwrite (self->fd, &byte, 1, (off_t) self->written) == 1, NULL, self->path);
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
  ours.change = write_somewhere;
  bench_need (pwrite (ours.fd, content, size, 0) == (gssize) size && pwrite (theirs.fd, content, size, 0) == (gssize) size, NULL,
              ours.path);
  theirs.copy = g_malloc0 (size);
  theirs.buffer = g_malloc0 (size);
  monitor = watch_theirs (&theirs);
  file = watch_ours (&ours, MMIO_WATCH_FLAGS_LOCATE);

  bench_case (bench, &(BenchCase){
    .name = name, .title = title, .slice = 5000000,
    .floor = { "GFileMonitor, rate limit 0, read and memcmp", wait_and_compare, &theirs },
    .subject = { "MmioFile::changed, LOCATE", wait_for_handler, &ours } });
  printf ("  %u of %u were located\n", ours.n_located, ours.seen);

  mmio_file_unwatch (file);
  g_file_monitor_cancel (monitor);
  g_free (theirs.copy);
  g_free (theirs.buffer);
  watched_clear (&ours);
  watched_clear (&theirs);
}

/* A large file, of which no copy is kept: each change is found by reading all of it. */

#define LARGE (G_GUINT64_CONSTANT (1) << 30)
#define PIECE (128 * 1024)

typedef struct
{
  MmioFile *file;
  const guint64 *map;
  gsize n_words;
  guint64 sum;
} Mapped;

static guint64
read_mapped (gpointer data,
             guint64  n)
{
  Mapped *self = data;
  g_autofree guint8 *piece = g_malloc (PIECE);

  for (guint64 i = 0; i < n; i++)
    for (guint64 offset = 0; offset < LARGE; offset += PIECE)
      bench_need (mmio_file_read (self->file, offset, piece, PIECE, NULL), NULL, "read");
  return 0;
}

static guint64
add_mapped (gpointer data,
            guint64  n)
{
  Mapped *self = data;

  for (guint64 i = 0; i < n; i++)
    {
      guint64 sums[4] = { 0 };

      for (gsize k = 0; k + 4 <= self->n_words; k += 4)
        for (guint lane = 0; lane < 4; lane++)
          sums[lane] += self->map[k + lane];
      self->sum += sums[0] + sums[1] + sums[2] + sums[3];
      /* It may not be left out. */
      __asm__ __volatile__ ("" : : "r" (self->sum) : "memory");
    }
  return 0;
}

/* bytes, of memory that is the process's own */
static guint64
get_own_memory (void)
{
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &status, NULL, NULL) || (line = strstr (status, "RssAnon:")) == NULL)
    return 0;
  return g_ascii_strtoull (line + strlen ("RssAnon:"), NULL, 10) * 1024;
}

static void
locate_in_large (Bench *bench)
{
  const char *path = bench_disk_file (bench, "large", LARGE);
  const char *small_path = bench_disk_file (bench, "small", 4096);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioFile) small_file = NULL;
  Watched ours = { .path = (char *) path, .size = LARGE, .change = write_somewhere };
  Watched small = { .path = (char *) small_path, .size = 4096, .change = write_somewhere };
  Mapped mapped = { .n_words = LARGE / sizeof (guint64) };
  guint64 before, after;

  ours.fd = open (path, O_RDWR | O_CLOEXEC);
  bench_need (ours.fd >= 0, NULL, path);
  mapped.map = mmap (NULL, LARGE, PROT_READ, MAP_SHARED, ours.fd, 0);
  bench_need (mapped.map != MAP_FAILED, NULL, path);

  /* What watching takes at all isn't counted: a small file is watched first. */
  small.fd = open (small_path, O_RDWR | O_CLOEXEC);
  bench_need (small.fd >= 0, NULL, small_path);
  small_file = watch_ours (&small, MMIO_WATCH_FLAGS_LOCATE);
  wait_for_handler (&small, 10);
  before = get_own_memory ();
  file = watch_ours (&ours, MMIO_WATCH_FLAGS_LOCATE);
  /* The first ones come when the file is not known yet, with all of it. */
  while (ours.n_located == 0)
    wait_for_handler (&ours, 1);
  after = get_own_memory ();
  mapped.file = file;
  ours.seen = ours.n_missed = 0;
  bench_case (bench, &(BenchCase){
    .name = "locate-1g",
    .title = "from a write to the handler that is told which block of 1 GiB it was in", .goal = 1.3, .slice = 500000000,
    .floor = { "mmio_file_read of all of the file", read_mapped, &mapped },
    .subject = { "MmioFile::changed, LOCATE", wait_for_handler, &ours },
    .peers = (BenchSide[]){ { "all words of the mapping are added up", add_mapped, &mapped }, { NULL } } });
  printf ("  %u of %u to the block; %.1f MiB of memory, %.2f %% of the file\n", ours.seen - ours.n_missed, ours.seen,
          (double) (after - before) / (1 << 20), 100.0 * (double) (after - before) / (double) LARGE);

  mmio_file_unwatch (file);
  mmio_file_unwatch (small_file);
  close (small.fd);
  munmap ((gpointer) mapped.map, LARGE);
  close (ours.fd);
}

/* Somebody writes to the file's siblings meanwhile: to those of whose turn it is. */

typedef struct
{
  gpointer watched;             /* atomic: of whose folder; NULL: nothing is written to */
  gint stop;                    /* atomic */
} SiblingWriter;

static gpointer
write_to_siblings (gpointer data)
{
  SiblingWriter *self = data;

  for (guint64 i = 0; !g_atomic_int_get (&self->stop); i++)
    {
      const Watched *watched = g_atomic_pointer_get (&self->watched);

      if (watched != NULL)
        bench_need (pwrite (watched->siblings[i % N_SIBLINGS], "x", 1, 0) == 1, NULL, watched->folder);
      g_usleep (SIBLING_US);
    }
  return NULL;
}

typedef struct
{
  BenchRun run;
  Watched watched;
  SiblingWriter *writer;
} AmongSiblings;

static guint64
run_among_siblings (gpointer data,
                    guint64  n)
{
  AmongSiblings *self = data;
  guint64 total;

  g_atomic_pointer_set (&self->writer->watched, (gpointer) &self->watched);
  total = self->run (&self->watched, n);
  g_atomic_pointer_set (&self->writer->watched, NULL);
  return total;
}

static void
init_among_siblings (AmongSiblings *self,
                     SiblingWriter *writer,
                     BenchRun       run,
                     const char    *near,
                     const char    *name)
{
  watched_init (&self->watched, near, name);
  watched_add_siblings (&self->watched);
  watched_keep_delays (&self->watched);
  self->writer = writer;
  self->run = run;
}

static void
compare_among_siblings (Bench *bench)
{
  const char *near = bench_disk_file (bench, "near", 0);
  SiblingWriter writer = { NULL, FALSE };
  AmongSiblings ours = { NULL }, theirs = { NULL }, by_inode = { NULL }, bare = { NULL };
  g_autoptr (GFileMonitor) monitor = NULL;
  g_autoptr (GFileMonitor) inode_monitor = NULL;
  g_autoptr (MmioFile) file = NULL;
  BenchSide inotify = INOTIFY_SIDE (&bare);
  GThread *thread;

  crowd_allow_many ();
  init_among_siblings (&ours, &writer, wait_for_handler, near, "siblings-ours");
  init_among_siblings (&theirs, &writer, wait_for_handler, near, "siblings-monitor");
  init_among_siblings (&by_inode, &writer, wait_for_handler, near, "siblings-inode");
  init_among_siblings (&bare, &writer, inotify.run, near, "siblings-inotify");
  file = watch_ours (&ours.watched, MMIO_WATCH_FLAGS_NONE);
  monitor = watch_theirs (&theirs.watched);
  inode_monitor = watch_by_monitor (&by_inode.watched, G_FILE_MONITOR_WATCH_HARD_LINKS, 0);
  thread = g_thread_new ("siblings", write_to_siblings, &writer);
  if (inotify.run != NULL)
    inotify.run = run_among_siblings;

  bench_case (bench, &(BenchCase){
    .name = "watch-siblings", .title = "the same, while 1,000 other files of the folder are written to", .goal = 1.2, .slice = 5000000,
    .floor = { "GFileMonitor, rate limit 0", run_among_siblings, &theirs },
    .subject = { "MmioFile::changed, watch-interval 0", run_among_siblings, &ours },
    .peers = (BenchSide[]){ inotify, { "GFileMonitor of the inode, rate limit 0", run_among_siblings, &by_inode }, { NULL } } });
  tell_delays ("GFileMonitor, rate limit 0", &theirs.watched);
  tell_delays ("MmioFile::changed, watch-interval 0", &ours.watched);
  tell_delays ("inotify, bare, no main loop", &bare.watched);
  tell_delays ("GFileMonitor of the inode, rate limit 0", &by_inode.watched);

  g_atomic_int_set (&writer.stop, TRUE);
  g_thread_join (thread);
  mmio_file_unwatch (file);
  g_file_monitor_cancel (monitor);
  g_file_monitor_cancel (inode_monitor);
  watched_clear (&ours.watched);
  watched_clear (&theirs.watched);
  watched_clear (&by_inode.watched);
  watched_clear (&bare.watched);
}

/* Many files watched in one folder, and one of them is written to. */

/* One descriptor each, and few besides: where so many aren't allowed the curve ends sooner, and says so by its last count. */
#define MAX_WATCHED 10000
#define N_BESIDES 100

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
  Watched watched = { .path = (char *) path, .change = write_byte };
  const guint64 allowed = crowd_allow_many ();
  g_autoptr (MmioFile) file = NULL;
  /* Watching them takes a tenth of a millisecond each, and that each time round. */
  const guint most = bench_is_quick (bench) ? 1000 : MAX_WATCHED;
  guint n;

  for (guint i = 0; i < most && i + N_BESIDES < allowed; i++)
    {
      g_autofree char *name = g_strdup_printf ("watched-%u", i);

      paths[i] = bench_disk_file (bench, name, 64);
    }
  watched.fd = open (path, O_WRONLY | O_CLOEXEC);
  bench_need (watched.fd >= 0, NULL, path);
  file = watch_ours (&watched, MMIO_WATCH_FLAGS_NONE);
  for (n = 0; n < G_N_ELEMENTS (counts) && counts[n] <= most && counts[n] + N_BESIDES < allowed; n++)
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
  g_autoptr (GFileMonitor) default_monitor = NULL;
  g_autoptr (MmioFile) file = NULL;
  GSubprocess *inotifywait = NULL;
  Watched ours = { NULL }, theirs = { NULL }, bare = { NULL }, by_inotifywait = { NULL }, by_watchdog = { NULL }, by_python = { NULL };
  Watched by_default = { NULL };
  BenchSide watchdog, python, line = { .label = "inotifywait -m, a line from another process", .missing = "inotify-tools are not installed" };

  watched_init (&ours, near, "watch-ours");
  watched_init (&theirs, near, "watch-monitor");
  watched_init (&bare, near, "watch-inotify");
  watched_init (&by_inotifywait, near, "watch-inotifywait");
  watched_init (&by_watchdog, near, "watch-watchdog");
  watched_init (&by_python, near, "watch-python");
  watched_init (&by_default, near, "watch-default");
  watched_keep_delays (&ours);
  watched_keep_delays (&theirs);
  watched_keep_delays (&bare);
  watched_keep_delays (&by_default);
  monitor = watch_theirs (&theirs);
  default_monitor = watch_by_monitor (&by_default, G_FILE_MONITOR_NONE, -1);
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
    .name = "watch-inotify", .title = "the same beside the least that a program can do", .goal = 3, .slice = 5000000,
    .floor = INOTIFY_SIDE (&bare),
    .subject = { "MmioFile::changed, watch-interval 0", wait_for_handler, &ours } });
  bench_case (bench, &(BenchCase){
    .name = "watch-default", .title = "the same beside a monitor as it comes", .goal = 1, .slice = 5000000,
    .floor = { "GFileMonitor, its own rate limit", wait_for_handler, &by_default },
    .subject = { "MmioFile::changed, watch-interval 0", wait_for_handler, &ours } });
  tell_delays ("GFileMonitor, rate limit 0", &theirs);
  tell_delays ("GFileMonitor, its own rate limit", &by_default);
  tell_delays ("MmioFile::changed, watch-interval 0", &ours);
  tell_delays ("inotify, bare, no main loop", &bare);
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
  g_file_monitor_cancel (default_monitor);
  watched_clear (&by_default);
}

void
bench_watch (Bench *bench)
{
  if (bench_wants (bench, "watch"))
    compare_events (bench);
  if (bench_wants (bench, "watch-siblings"))
    compare_among_siblings (bench);
  compare_located (bench, "locate-1m", "from a write to the handler that is told which byte of 1 MiB it was", 1 << 20);
  compare_located (bench, "locate-64m", "from a write to the handler that is told which block of 64 MiB it was in", 64 << 20);
  if (bench_wants (bench, "locate-1g"))
    locate_in_large (bench);
  if (bench_wants (bench, "scale-watched"))
    scale_watched (bench);
}
