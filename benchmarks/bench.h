/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs cases. A case is something the library does, beside a floor (the least that has to be done anyway: a memcpy, a
 * system call) and, where there are any, beside peers that do the same. All sides of a case take turns in one run, so that
 * what disturbs the machine disturbs them alike, and what counts is the ratio of two neighbours.
 *
 * No framework does that: Google Benchmark (libbenchmark-dev), the only one in Debian for C or C++, can shuffle its repetitions but
 * reports each function alone and forgets which repetition stood beside which; hyperfine times processes, not
 * calls; criterion is a test framework in spite of its name.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Does the thing n times. Returns the time that it took in ns, or 0 to have it measured from outside. */
typedef guint64 (*BenchRun) (gpointer data,
                             guint64  n);

typedef struct
{
  const char *label;            /* NULL ends an array of sides */
  BenchRun run;
  gpointer data;
  guint parallel;               /* how many of them n runs do at once; 0 is 1 */
  guint64 divide;               /* one run does this many of what is counted, a step of a walk for instance; 0 is 1 */
  const char *missing;          /* with a run of NULL: why it can't be measured here */
} BenchSide;

typedef enum
{
  BENCH_TIME,                   /* ratio: time of a side / time of the floor, goals are at most */
  BENCH_RATE                    /* ratio: rate of a side / rate of the floor, goals are at least */
} BenchMeasure;

typedef struct
{
  const char *name;
  const char *title;
  BenchMeasure measure;
  double goal;                  /* 0: none; what has to hold for the median of the ratio */
  BenchSide floor;
  BenchSide subject;
  const BenchSide *peers;       /* ends with a label of NULL; may be NULL */
  guint64 slice;                /* ns that one turn of a side lasts; 0: as long as is usual */
  gboolean same_runs;           /* as many runs in a turn of each side as the floor's has: how many fill one can't be found out of sides
                                 * that a busy machine disturbs more often than not */
} BenchCase;

/* How the time of one thing grows with another. */
typedef struct
{
  double x;
  BenchSide side;
} BenchPoint;

typedef struct
{
  const char *name;
  const char *title;
  const char *x_label;
  double goal;                  /* 0: none; what the exponent may come to: 0.1 for what is constant */
  const BenchPoint *points;
  guint n_points;
  gboolean same_runs;           /* as many as the first point has */
} BenchCurve;

typedef struct _Bench Bench;

void        bench_case      (Bench           *self,
                             const BenchCase *description);
/* Measures the points in turns, and fits time = c * x ^ exponent to their medians. */
void        bench_curve     (Bench           *self,
                             const BenchCurve *description);
/* Said aloud, and written down like a result. */
void        bench_skip      (Bench           *self,
                             const char      *name,
                             const char      *format,
                             ...) G_GNUC_PRINTF (3, 4);
/* Not to set up what is not asked for. */
gboolean    bench_wants     (Bench           *self,
                             const char      *prefix);
gboolean    bench_is_quick  (Bench           *self);
/* A new file of size bytes, filled, that goes with the run. On tmpfs, where a system call costs what the kernel's own code
 * costs; or on the disk that the build is on. NULL if there is no such place. */
const char *bench_tmpfs_file (Bench          *self,
                              const char     *name,
                              guint64         size);
const char *bench_disk_file (Bench           *self,
                             const char      *name,
                             guint64          size);
/* A file without content. */
const char *bench_sparse_file (Bench         *self,
                               const char    *name,
                               guint64        size);
/* A name for a file that the case makes itself. */
const char *bench_new_path  (Bench           *self,
                             gboolean         on_disk,
                             const char      *name);
/* The calling thread, and whoever it starts, on that one of the processors that this process may have, counted from 0 and round again;
 * bench_run_anywhere () on any. What runs beside each other is told where: two that took turns on one processor would not meet at all, and
 * left to itself the kernel does now this, now that. FALSE: it can't be told here. */
gboolean    bench_run_on    (guint            number);
void        bench_run_anywhere (void);
/* ns, of a clock that doesn't jump. */
guint64     bench_now       (void);
/* Ends the program if what a case needs has failed: a case that runs on error paths would measure nonsense. */
void        bench_need      (gboolean         success,
                             GError          *error,
                             const char      *what);

/* The cases, one subject a file. */
void bench_atomic   (Bench *bench);
void bench_chunk    (Bench *bench);
void bench_copy     (Bench *bench);
void bench_find     (Bench *bench);
void bench_flush    (Bench *bench);
void bench_grow     (Bench *bench);
void bench_guard    (Bench *bench);
void bench_language (Bench *bench);
void bench_limited  (Bench *bench);
void bench_open     (Bench *bench);
void bench_record   (Bench *bench);
void bench_resize   (Bench *bench);
void bench_scale    (Bench *bench);
void bench_stream   (Bench *bench);
void bench_threads  (Bench *bench);
void bench_view     (Bench *bench);
void bench_wake     (Bench *bench);
void bench_watch    (Bench *bench);

/* What runs in another process beside a case: mmio-bench --partner=NAME ARGUMENT…. Each returns an exit status. */
int bench_atomic_partner  (char **arguments);
int bench_limited_partner (char **arguments);
int bench_wake_partner    (char **arguments);

G_END_DECLS
