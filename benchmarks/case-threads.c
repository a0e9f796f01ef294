/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Many threads, one file. The workers live as long as the case, so that a turn times their work and not their birth.
 */
#include "config.h"

#include <mmio.h>
#include <sched.h>
#include <time.h>

#include "bench.h"
#include "floor.h"

typedef struct _Team Team;

typedef struct
{
  Team *team;
  GThread *thread;
  guint64 busy;                 /* ns of processor time that the turn took */
  guint64 began;                /* when, by the clock on the wall */
  guint64 ended;
  guint64 writes;               /* of the writer, in the turn */
  guint8 buffer[64] __attribute__ ((aligned (128)));
  guint8 padding[64];           /* no two workers write to one cache line */
} Worker;

struct _Team
{
  MmioFile *file;
  MmioFile *other_file;         /* what the workers but for the first one have instead of file; may be NULL */
  const FloorMap *map;          /* instead of file: without the library */
  guint n_workers;
  gboolean has_writer;          /* the first worker writes, for as long as the others read */
  gboolean takes_views;         /* the first worker does that instead */
  gboolean grows;               /* or it appends to the file */
  guint64 apart;                /* bytes between what is written and what is read */
  Worker *workers;

  GMutex lock;
  GCond condition;
  guint turn;                   /* lock; 0 while nothing was asked for */
  gboolean stop;                /* lock */
  guint64 n;                    /* lock */
  guint n_ready;                /* atomic: who has arrived at the start */
  guint n_running;              /* lock; but for the writer */
  guint n_reading;              /* atomic */
};

#define START_SIZE (1 << 20)

static volatile gsize small = 64;

static guint64
processor_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

static void
read_hot (Worker  *worker,
          guint64  n)
{
  Team *team = worker->team;
  MmioFile *file = worker != team->workers && team->other_file != NULL ? team->other_file : team->file;
  const FloorMap *map = team->map;
  gsize count = small;

  if (map != NULL)
    for (guint64 i = 0; i < n; i++)
      floor_read (map, (i * 64) & 4095, worker->buffer, count);
  else
    for (guint64 i = 0; i < n; i++)
      mmio_file_read (file, (i * 64) & 4095, worker->buffer, count, NULL);
}

/* Returns how often. */
static guint64
write_meanwhile (Worker *worker)
{
  MmioFile *file = worker->team->file;
  const FloorMap *map = worker->team->map;
  gsize length = small;
  guint64 n = 0;

  for (; __atomic_load_n (&worker->team->n_reading, __ATOMIC_RELAXED) > 0; n++)
    {
      guint64 offset = worker->team->apart + ((n * 64) & 4095);

      if (worker->team->grows)
        mmio_file_resize (file, START_SIZE + (n % 1024) * 65536, NULL);
      else if (worker->team->takes_views)
        mmio_view_unref (mmio_file_get_view (file, offset, length, NULL));
      else if (map != NULL)
        floor_write (map, offset, worker->buffer, length);
      else
        mmio_file_write (file, offset, worker->buffer, length, NULL);
    }

  return n;
}

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  Team *team = worker->team;
  guint seen = 0;

  bench_run_on ((guint) (worker - team->workers));
  g_mutex_lock (&team->lock);
  while (TRUE)
    {
      guint64 n, start;

      while (team->turn == seen && !team->stop)
        g_cond_wait (&team->condition, &team->lock);
      if (team->stop)
        break;
      seen = team->turn;
      n = team->n;
      g_mutex_unlock (&team->lock);

      __atomic_add_fetch (&team->n_ready, 1, __ATOMIC_ACQ_REL);
      while (__atomic_load_n (&team->n_ready, __ATOMIC_ACQUIRE) < team->n_workers)
        sched_yield ();
      worker->began = bench_now ();
      start = processor_time ();
      if (team->has_writer && worker == team->workers)
        {
          worker->writes = write_meanwhile (worker);
        }
      else
        {
          read_hot (worker, n);
          __atomic_sub_fetch (&team->n_reading, 1, __ATOMIC_RELAXED);
        }
      worker->busy = processor_time () - start;
      worker->ended = bench_now ();

      g_mutex_lock (&team->lock);
      if (--team->n_running == 0)
        g_cond_broadcast (&team->condition);
    }
  g_mutex_unlock (&team->lock);

  return NULL;
}

static void
team_start (Team *team)
{
  team->workers = g_aligned_alloc0 (team->n_workers, sizeof (Worker), 128);
  g_mutex_init (&team->lock);
  g_cond_init (&team->condition);
  for (guint i = 0; i < team->n_workers; i++)
    {
      team->workers[i].team = team;
      team->workers[i].thread = g_thread_new ("worker", work, &team->workers[i]);
    }
}

static void
team_stop (Team *team)
{
  g_mutex_lock (&team->lock);
  team->stop = TRUE;
  g_cond_broadcast (&team->condition);
  g_mutex_unlock (&team->lock);
  for (guint i = 0; i < team->n_workers; i++)
    g_thread_join (team->workers[i].thread);
  g_aligned_free (team->workers);
  g_mutex_clear (&team->lock);
  g_cond_clear (&team->condition);
}

/* From when the first one of the readers began, all of them being awake, to when the last one had done. */
static guint64
team_run (gpointer data,
          guint64  n)
{
  Team *team = data;
  const Worker *first_reader = team->workers + (team->has_writer ? 1 : 0);
  guint64 began = G_MAXUINT64, ended = 0;

  g_mutex_lock (&team->lock);
  team->n = n;
  team->n_running = team->n_workers;
  __atomic_store_n (&team->n_reading, team->n_workers - (team->has_writer ? 1 : 0), __ATOMIC_RELAXED);
  __atomic_store_n (&team->n_ready, 0, __ATOMIC_RELEASE);
  team->turn++;
  g_cond_broadcast (&team->condition);
  while (team->n_running > 0)
    g_cond_wait (&team->condition, &team->lock);
  g_mutex_unlock (&team->lock);

  for (const Worker *worker = first_reader; worker < team->workers + team->n_workers; worker++)
    {
      began = MIN (began, worker->began);
      ended = MAX (ended, worker->ended);
    }

  return ended - began;
}

/* As if each worker had had a processor to itself. */
static guint64
team_run_busy (gpointer data,
               guint64  n)
{
  Team *team = data;
  guint first = team->has_writer ? 1 : 0;
  guint64 busy = 0;

  team_run (data, n);
  for (guint i = first; i < team->n_workers; i++)
    busy += team->workers[i].busy;

  return busy / (team->n_workers - first);
}

/* The time of as many writes as the others did reads: for the writer's rate. */
static guint64
team_run_writer (gpointer data,
                 guint64  n)
{
  Team *team = data;

  team_run (data, n);
  return (guint64) ((double) team->workers[0].busy * (double) n / (double) MAX (team->workers[0].writes, 1));
}

static guint64
write_alone (gpointer data,
             guint64  n)
{
  guint8 buffer[64] = { 0 };
  gsize length = small;
  guint64 start = processor_time ();

  for (guint64 i = 0; i < n; i++)
    mmio_file_write (data, (i * 64) & 4095, buffer, length, NULL);
  return MAX (1, processor_time () - start);
}

/* Whoever measures on a busy machine gets two figures: by the clock on the wall, which others' programs slow down too, and by the
 * threads' processor time, which shows only what the threads cost each other. Processors that share a core, with each other or with
 * another machine's, slow each other down all the same: two threads with a file each, which share nothing, show by how much. Turns are as
 * short as everywhere: the clock runs from when both threads are awake, and of 8 ms more would be disturbed than not. */
static void
compare_readers (Bench    *bench,
                 MmioFile *file,
                 MmioFile *other_file)
{
  Team one = { .file = file, .n_workers = 1 };
  Team two = { .file = file, .n_workers = 2 };
  Team apart = { .file = file, .other_file = other_file, .n_workers = 2 };

  team_start (&one);
  team_start (&two);
  team_start (&apart);

  bench_case (bench, &(BenchCase){
    .name = "threads-2-read-64", .title = "rate of two reading threads, by the clock on the wall",
    .measure = BENCH_RATE, .goal = 1.95, .same_runs = TRUE,
    .floor = { "one thread", team_run, &one },
    .subject = { "two threads", team_run, &two, .parallel = 2 },
    .peers = (BenchSide[]){ { "two threads, each with its own file", team_run, &apart, .parallel = 2 }, { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "threads-2-read-64-busy", .title = "rate of two reading threads, by their processor time",
    .measure = BENCH_RATE, .goal = 1.95, .same_runs = TRUE,
    .floor = { "one thread", team_run_busy, &one },
    .subject = { "two threads", team_run_busy, &two, .parallel = 2 },
    .peers = (BenchSide[]){ { "two threads, each with its own file", team_run_busy, &apart, .parallel = 2 }, { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = "threads-2-sharing", .title = "what it costs two reading threads to share a file, by their processor time",
    .measure = BENCH_RATE, .goal = 0.95, .same_runs = TRUE,
    .floor = { "each with its own file", team_run_busy, &apart },
    .subject = { "one file", team_run_busy, &two } });

  team_stop (&one);
  team_stop (&two);
  team_stop (&apart);
}

static void
compare_with_writer (Bench      *bench,
                     MmioFile   *file,
                     FloorMap   *map,
                     guint64     apart,
                     const char *read_name,
                     const char *write_name,
                     const char *title,
                     double      goal)
{
  Team alone = { .file = file, .n_workers = 1 };
  Team mixed = { .file = file, .n_workers = 2, .has_writer = TRUE, .apart = apart };
  Team floor_mixed = { .map = map, .n_workers = 2, .has_writer = TRUE, .apart = apart };

  team_start (&alone);
  team_start (&mixed);
  team_start (&floor_mixed);

  bench_case (bench, &(BenchCase){
    .name = read_name, .title = title,
    .measure = BENCH_RATE, .goal = goal,
    .floor = { "a reader alone", team_run_busy, &alone },
    .subject = { "a reader beside a writer", team_run_busy, &mixed },
    .peers = (BenchSide[]){ { "memcpy beside memcpy: torn reads", team_run_busy, &floor_mixed }, { NULL } } });
  bench_case (bench, &(BenchCase){
    .name = write_name, .title = "rate of that writer, by processor time",
    .measure = BENCH_RATE,
    .floor = { "a writer alone", write_alone, file },
    .subject = { "a writer beside a reader", team_run_writer, &mixed } });

  team_stop (&alone);
  team_stop (&mixed);
  team_stop (&floor_mixed);
}

static void
compare_with_growth (Bench  *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "threads-growth", START_SIZE);
  g_autoptr (MmioFile) file = path != NULL ? mmio_file_open (path, MMIO_MODE_READ_WRITE, &error) : NULL;
  Team alone = { .file = file, .n_workers = 1 };
  Team mixed = { .file = file, .n_workers = 2, .has_writer = TRUE, .grows = TRUE };

  if (path == NULL)
    {
      bench_skip (bench, "threads-read-beside-growth", "no tmpfs");
      return;
    }
  bench_need (file != NULL, error, path);

  team_start (&alone);
  team_start (&mixed);
  bench_case (bench, &(BenchCase){
    .name = "threads-read-beside-growth", .title = "rate of a reader while the file grows by 64 KiB at a time, by processor time",
    .measure = BENCH_RATE,
    .floor = { "a reader alone", team_run_busy, &alone },
    .subject = { "a reader beside it", team_run_busy, &mixed } });
  team_stop (&alone);
  team_stop (&mixed);
}

#define MAX_POINTS 16

/* A point for each number of threads that read, beside one that writes if has_writer. */
static void
scale_over (Bench           *bench,
            MmioFile        *file,
            const BenchCurve *description,
            BenchRun         run,
            const guint     *counts,
            guint            n,
            gboolean         together,
            gboolean         has_writer)
{
  BenchCurve curve = *description;
  Team teams[MAX_POINTS] = { { NULL } };
  BenchPoint points[MAX_POINTS];

  if (!bench_wants (bench, curve.name))
    return;

  for (guint i = 0; i < n; i++)
    {
      teams[i] = (Team){ .file = file, .n_workers = counts[i] + (has_writer ? 1 : 0), .has_writer = has_writer, .apart = 512 << 10 };
      team_start (&teams[i]);
      points[i] = (BenchPoint){ counts[i], { "a read", run, &teams[i], .parallel = together ? counts[i] : 1 } };
    }
  curve.points = points;
  curve.n_points = n;
  bench_curve (bench, &curve);
  for (guint i = 0; i < n; i++)
    team_stop (&teams[i]);
}

static void
scale_threads (Bench    *bench,
               MmioFile *file)
{
  static const guint many[] = { 1, 2, 4, 8, 16 };
  const guint processors = g_get_num_processors ();
  guint up_to_all[MAX_POINTS], n = 0;

  /* By processor time also where there are more of them than processors. */
  scale_over (bench, file,
              &(BenchCurve){ "scale-threads-read", "read 64 hot bytes in each of many threads (processor time of one)", "threads", 0.1 },
              team_run_busy, many, G_N_ELEMENTS (many), FALSE, FALSE);
  scale_over (bench, file,
              &(BenchCurve){ "scale-threads-beside-writer",
                             "read 64 hot bytes in each of many threads, beside a writer elsewhere (processor time of one)",
                             "reading threads", 0.1 },
              team_run_busy, many, G_N_ELEMENTS (many), FALSE, TRUE);
  /* By the clock on the wall up to as many as there are processors: twice the threads, half the time. */
  for (guint count = 1; count < processors && n < MAX_POINTS - 1; count *= 2)
    up_to_all[n++] = count;
  up_to_all[n++] = processors;
  scale_over (bench, file,
              &(BenchCurve){ "scale-threads-together",
                             "read 64 hot bytes in many threads together, by the clock on the wall",
                             "threads", .same_runs = TRUE },
              team_run, up_to_all, n, TRUE, FALSE);
}

static void
compare_with_views (Bench    *bench,
                    MmioFile *file)
{
  Team alone = { .file = file, .n_workers = 1 };
  Team mixed = { .file = file, .n_workers = 2, .has_writer = TRUE, .takes_views = TRUE };

  team_start (&alone);
  team_start (&mixed);
  bench_case (bench, &(BenchCase){
    .name = "threads-read-beside-views", .title = "rate of a reader beside a thread that takes and drops views, by processor time",
    .measure = BENCH_RATE,
    .floor = { "a reader alone", team_run_busy, &alone },
    .subject = { "a reader beside it", team_run_busy, &mixed } });
  team_stop (&alone);
  team_stop (&mixed);
}

void
bench_threads (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_disk_file (bench, "threads", START_SIZE);
  const char *other_path = bench_disk_file (bench, "threads-other", START_SIZE);
  g_autoptr (MmioFile) file = NULL, other_file = NULL;
  FloorMap map;

  if (g_get_num_processors () < 2)
    {
      bench_skip (bench, "threads-2-read-64", "one processor");
      return;
    }

  file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  bench_need (file != NULL, error, path);
  other_file = mmio_file_open (other_path, MMIO_MODE_READ_WRITE, &error);
  bench_need (other_file != NULL, error, other_path);
  floor_map_open (&map, path, TRUE);

  compare_readers (bench, file, other_file);
  compare_with_writer (bench, file, &map, 512 << 10, "threads-read-beside-writer", "threads-write-beside-reader",
                       "rate of a reader beside a constant writer elsewhere in the file, by processor time", 0.5);
  compare_with_writer (bench, file, &map, 0, "threads-read-same-page", "threads-write-same-page",
                       "rate of a reader beside a constant writer of the same page, by processor time", 0);
  compare_with_views (bench, file);
  compare_with_growth (bench);
  scale_threads (bench, file);

  floor_map_close (&map);
}
