/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-private.h"
#include "bench-program.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Short turns: whatever takes the processor away hits one of many, and the median doesn't see it. */
#define USUAL_SLICE_NS 1000000
#define USUAL_REPEATS_QUICK 61
#define USUAL_REPEATS_FULL 401
#define LEAST_REPEATS 7
/* So often nothing is done in a turn that does something. */
#define MOST_RUNS (G_GUINT64_CONSTANT (1) << 40)
/* How often it has to be seen that so many runs fill a turn; twice, if it is so much longer than a turn that a disturbance is hardly all of it. */
#define CALIBRATIONS 4
#define LONG_TURNS 16
/* What takes longer is repeated less often, so that a case comes to about this. */
#define BUDGET_QUICK_NS 1000000000.0
#define BUDGET_FULL_NS 6000000000.0

guint64
bench_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

#ifdef CPU_SETSIZE

/* Those that there were before the first call. */
static const cpu_set_t *
get_processors (void)
{
  static cpu_set_t processors;
  static gsize is_set;

  if (g_once_init_enter (&is_set))
    {
      if (sched_getaffinity (0, sizeof processors, &processors) != 0)
        CPU_ZERO (&processors);
      g_once_init_leave (&is_set, 1);
    }

  return &processors;
}

gboolean
bench_run_on (guint number)
{
  const cpu_set_t *processors = get_processors ();
  cpu_set_t set;
  guint left;

  if (CPU_COUNT (processors) == 0)
    return FALSE;

  CPU_ZERO (&set);
  left = number % (guint) CPU_COUNT (processors);
  for (gsize i = 0; CPU_COUNT (&set) == 0; i++)
    if (CPU_ISSET (i, processors) && left-- == 0)
      CPU_SET (i, &set);

  return sched_setaffinity (0, sizeof set, &set) == 0;
}

void
bench_run_anywhere (void)
{
  if (CPU_COUNT (get_processors ()) > 0)
    sched_setaffinity (0, sizeof (cpu_set_t), get_processors ());
}

#else

gboolean
bench_run_on (guint number)
{
  return FALSE;
}

void
bench_run_anywhere (void)
{
}

#endif

void
bench_need (gboolean    success,
            GError     *error,
            const char *what)
{
  if (!success)
    g_error ("%s: %s", what, error != NULL ? error->message : g_strerror (errno));
}

gboolean
bench_wants (Bench      *self,
             const char *prefix)
{
  /* Either may be the longer one: --case=read-64 sets up what `read` needs, --case=read wants all of read-64-hot. */
  return self->only == NULL || g_str_has_prefix (self->only, prefix) || g_str_has_prefix (prefix, self->only);
}

gboolean
bench_is_quick (Bench *self)
{
  return self->quick;
}

/* Files */

static const char *
make_file (Bench      *self,
           const char *folder,
           const char *name,
           guint64     size)
{
  g_autofree guint8 *block = NULL;
  const gsize block_size = 1 << 20;
  char *path;
  int fd;

  if (folder == NULL)
    return NULL;

  path = g_build_filename (folder, name, NULL);
  fd = open (path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  bench_need (fd >= 0, NULL, path);
  block = g_malloc (block_size);
  for (gsize i = 0; i < block_size; i++)
    block[i] = (guint8) (i * 7 + i / 251);
  for (guint64 done = 0; done < size;)
    {
      gssize n = write (fd, block, MIN (block_size, size - done));

      bench_need (n > 0, NULL, path);
      done += (guint64) n;
    }
  close (fd);
  g_ptr_array_add (self->files, path);

  return path;
}

const char *
bench_tmpfs_file (Bench      *self,
                  const char *name,
                  guint64     size)
{
  return make_file (self, self->tmpfs_folder, name, size);
}

const char *
bench_disk_file (Bench      *self,
                 const char *name,
                 guint64     size)
{
  return make_file (self, self->disk_folder, name, size);
}

const char *
bench_sparse_file (Bench      *self,
                   const char *name,
                   guint64     size)
{
  const char *path = make_file (self, self->tmpfs_folder != NULL ? self->tmpfs_folder : self->disk_folder, name, 0);

  bench_need (truncate (path, (off_t) size) == 0, NULL, path);
  return path;
}

const char *
bench_new_path (Bench      *self,
                gboolean    on_disk,
                const char *name)
{
  char *path = g_build_filename (on_disk || self->tmpfs_folder == NULL ? self->disk_folder : self->tmpfs_folder, name, NULL);

  g_ptr_array_add (self->files, path);
  return path;
}

/* Measuring */

static double
measure (const BenchSide *side,
         guint64          n)
{
  guint64 start = bench_now ();
  guint64 elapsed = side->run (side->data, n);

  if (elapsed == 0)
    elapsed = bench_now () - start;
  return (double) MAX (elapsed, 1);
}

/* The least of some times that n runs take: where the processor was taken away in the first one, one run can seem to fill a turn.
 * duration is the least that they take with what is prepared for them and not timed. */
static double
measure_undisturbed (const BenchSide *side,
                     guint64          n,
                     guint64          slice,
                     double          *duration)
{
  double least = G_MAXDOUBLE;

  *duration = G_MAXDOUBLE;
  for (guint i = 0; i < CALIBRATIONS; i++)
    {
      guint64 start = bench_now ();
      double elapsed = measure (side, n);

      least = MIN (least, elapsed);
      *duration = MIN (*duration, (double) (bench_now () - start));
      if (least < (double) slice / 2 || (i > 0 && least > LONG_TURNS * (double) slice))
        break;
    }

  return least;
}

/* How many runs fill a slice. duration is how long that many take, with what is prepared for them and not timed. */
static guint64
calibrate (const BenchSide *side,
           guint64          slice,
           double          *duration)
{
  guint64 n = 1, filling;
  double elapsed;

  measure (side, 1);
  while (TRUE)
    {
      elapsed = measure_undisturbed (side, n, slice, duration);
      if (elapsed >= (double) slice / 2)
        break;
      if (n >= MOST_RUNS)
        {
          /* A loop that the compiler has left out, or a program that makes its figures up. */
          if (!bench_program_distrust (side, "says that a million runs take less than a nanosecond"))
            g_error ("%s: it does nothing", side->label);
          break;
        }
      n = elapsed < (double) slice / 64 ? n * 16 : n * 2;
    }

  filling = MAX (1, (guint64) ((double) n * (double) slice / elapsed));
  *duration *= (double) filling / (double) n;
  return filling;
}

/* duration of so many runs, with what is prepared for them and not timed. */
static double
try_runs (const BenchSide *side,
          guint64          n)
{
  guint64 start = bench_now ();

  measure (side, n);
  return (double) (bench_now () - start);
}

/* Who takes which turn in a round. What a side leaves behind, in the caches or in a file system's journal, meets the one after it, so
 * each side follows each other one equally often, in as many rounds as there are sides or twice as many; see E. J. Williams,
 * "Experimental designs balanced for the estimation of residual effects of treatments" (1949). Two sides: A B, B A. */
static guint
whose_turn (guint n_sides,
            guint round,
            guint turn)
{
  /* 0, n - 1, 1, n - 2, 2 …: one step of each size. */
  guint place = round / n_sides % 2 == 0 ? turn : n_sides - 1 - turn;

  return ((place % 2 == 0 ? place / 2 : n_sides - 1 - place / 2) + round) % n_sides;
}

static guint
how_often (Bench *self,
           double duration)
{
  double budget = self->quick ? BUDGET_QUICK_NS : BUDGET_FULL_NS;

  return (guint) CLAMP (budget / duration, LEAST_REPEATS, self->quick ? USUAL_REPEATS_QUICK : USUAL_REPEATS_FULL);
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* The interval for the median is one of order statistics, which asks nothing of how the values are spread: how many of n lie below the median
 * is binomial, n / 2 +- 1.96 * sqrt (n) / 2. Of less than six it is all. */
static BenchSummary
summarize (const double *values,
           guint         n)
{
  g_autofree double *sorted = g_memdup2 (values, n * sizeof *values);
  guint below = (guint) MAX (0, floor ((n - 1.96 * sqrt (n)) / 2));

  qsort (sorted, n, sizeof *sorted, compare_doubles);
  return (BenchSummary){ .median = sorted[n / 2], .low = sorted[below], .high = sorted[n - 1 - below],
                         .min = sorted[0], .max = sorted[n - 1] };
}

static gboolean
holds (BenchMeasure what,
       double       ratio,
       double       limit)
{
  return what == BENCH_TIME ? ratio <= limit : ratio >= limit;
}

static char *
describe_limit (const BenchCase *description,
                double           limit,
                double           ratio)
{
  if (limit <= 0)
    return g_strdup ("");
  return g_strdup_printf ("%s %.2f %s", description->measure == BENCH_TIME ? "<=" : ">=", limit,
                          holds (description->measure, ratio, limit) ? "met" : "MISSED");
}

static void
print_result (const BenchResult *result)
{
  const BenchCase *description = &result->description;

  for (guint i = 0; i < result->n_sides; i++)
    {
      const BenchSideResult *side = &result->sides[i];
      g_autofree char *goal = i == 1 ? describe_limit (description, description->goal, side->ratio.median) : g_strdup ("");

      if (i == 0)
        printf ("%s: %s\n", description->name, description->title);
      if (side->missing != NULL)
        {
          printf ("  peer    %-48s SKIP %s\n", side->label, side->missing);
          continue;
        }
      printf ("  %-7s %-48s %12.1f", i == 0 ? "floor" : i == 1 ? "libmmio" : "peer", side->label, side->ns.median);
      if (i > 0)
        printf (" %8.2f %8.2f %8.2f  %s", side->ratio.median, side->ratio.min, side->ratio_of_best, goal);
      printf ("\n");
    }
  fflush (stdout);
}

/* Those who are added from outside with --peer. */
static guint
add_outsiders (Bench            *self,
               const char       *name,
               BenchSide        *outsiders,
               const BenchSide **sides,
               guint             n_sides)
{
  for (char **outsider = self->outsiders; outsider != NULL && *outsider != NULL; outsider++)
    {
      const char *command = strchr (*outsider, '=');

      if (command == NULL || strncmp (*outsider, name, (gsize) (command - *outsider)) != 0 ||
          name[command - *outsider] != '\0' || n_sides == BENCH_MAX_SIDES)
        continue;
      outsiders[n_sides] = bench_program_side (command + 1, "/bin/sh", "-c", command + 1, NULL);
      sides[n_sides] = &outsiders[n_sides];
      n_sides++;
    }

  return n_sides;
}

/* There is no case without a floor and without the library. */
static gboolean
skip_if_missing (Bench           *self,
                 const BenchCase *description)
{
  const BenchSide *sides[] = { &description->floor, &description->subject };

  for (gsize i = 0; i < G_N_ELEMENTS (sides); i++)
    if (bench_program_why_missing (sides[i]) != NULL)
      {
        bench_skip (self, description->name, "%s: %s", sides[i]->label, bench_program_why_missing (sides[i]));
        return TRUE;
      }

  return FALSE;
}

void
bench_case (Bench           *self,
            const BenchCase *description)
{
  const guint64 slice = description->slice != 0 ? description->slice : USUAL_SLICE_NS;
  const BenchSide *sides[BENCH_MAX_SIDES] = { &description->floor, &description->subject };
  BenchSide outsiders[BENCH_MAX_SIDES];
  guint64 n[BENCH_MAX_SIDES] = { 0 };
  double *times[BENCH_MAX_SIDES] = { NULL };
  g_autofree double *ratios = NULL;
  double all = 0;
  BenchResult *result;
  guint n_sides = 2, n_own_sides, repeats;

  if (self->only != NULL && !g_str_has_prefix (description->name, self->only))
    return;

  if (skip_if_missing (self, description))
    return;
  for (const BenchSide *peer = description->peers; peer != NULL && peer->label != NULL; peer++)
    {
      g_assert (n_sides < BENCH_MAX_SIDES);
      sides[n_sides++] = peer;
    }
  n_own_sides = n_sides;
  n_sides = add_outsiders (self, description->name, outsiders, sides, n_sides);
  for (guint i = 0; i < n_sides; i++)
    if (sides[i]->run != NULL)
      {
        double duration;

        if (i > 0 && description->same_runs)
          {
            n[i] = n[0];
            duration = try_runs (sides[i], n[i]);
          }
        else
          {
            n[i] = calibrate (sides[i], slice, &duration);
          }
        all += duration;
      }
  repeats = how_often (self, all);

  for (guint i = 0; i < n_sides; i++)
    times[i] = g_new0 (double, repeats);
  for (guint r = 0; r < repeats; r++)
    for (guint turn = 0; turn < n_sides; turn++)
      {
        guint i = whose_turn (n_sides, r, turn);

        if (sides[i]->run != NULL)
          times[i][r] = measure (sides[i], n[i]) /
                        ((double) n[i] * MAX (sides[i]->parallel, 1) * (double) MAX (sides[i]->divide, 1));
      }

  if (skip_if_missing (self, description))
    return;

  result = g_new0 (BenchResult, 1);
  result->description = *description;
  result->n_sides = n_sides;
  result->repeats = repeats;
  ratios = g_new (double, repeats);
  for (guint i = 0; i < n_sides; i++)
    {
      BenchSideResult *side = &result->sides[i];

      side->label = sides[i]->label;
      side->missing = bench_program_why_missing (sides[i]);
      if (side->missing != NULL)
        continue;
      side->ns = summarize (times[i], repeats);
      for (guint r = 0; r < repeats; r++)
        ratios[r] = description->measure == BENCH_TIME ? times[i][r] / times[0][r] : times[0][r] / times[i][r];
      side->ratio = summarize (ratios, repeats);
      side->ratio_of_best = description->measure == BENCH_TIME ? side->ns.min / result->sides[0].ns.min
                                                               : result->sides[0].ns.min / side->ns.min;
    }
  result->goal_met = description->goal <= 0 || holds (description->measure, result->sides[1].ratio.median, description->goal);

  for (guint i = 0; i < n_sides; i++)
    g_free (times[i]);
  for (guint i = n_own_sides; i < n_sides; i++)
    bench_program_stop (&outsiders[i]);
  print_result (result);
  g_ptr_array_add (self->results, result);
}

/* The slope of a straight line through the logarithms. */
static double
fit_exponent (const double       *x,
              const BenchSummary *y,
              guint               n)
{
  double mean_x = 0, mean_y = 0, above = 0, below = 0;

  for (guint i = 0; i < n; i++)
    {
      mean_x += log (x[i]) / n;
      mean_y += log (y[i].median) / n;
    }
  for (guint i = 0; i < n; i++)
    {
      above += (log (x[i]) - mean_x) * (log (y[i].median) - mean_y);
      below += (log (x[i]) - mean_x) * (log (x[i]) - mean_x);
    }

  return above / below;
}

void
bench_curve (Bench            *self,
             const BenchCurve *description)
{
  const guint n = description->n_points;
  g_autofree guint64 *runs = g_new (guint64, n);
  g_autofree double *times = NULL;
  BenchCurveResult *result;
  guint64 start;
  guint repeats;

  if (self->only != NULL && !g_str_has_prefix (description->name, self->only))
    return;
  if (n < 2)
    {
      bench_skip (self, description->name, "a line takes two points, and the system allows %u", n);
      return;
    }

  for (guint i = 0; i < n; i++)
    {
      double duration;

      runs[i] = i > 0 && description->same_runs ? runs[0] : calibrate (&description->points[i].side, USUAL_SLICE_NS, &duration);
    }
  /* One round for nothing: from point to point much may have to be prepared. */
  start = bench_now ();
  for (guint i = 0; i < n; i++)
    measure (&description->points[i].side, runs[i]);
  repeats = how_often (self, (double) (bench_now () - start));
  times = g_new (double, n * repeats);
  for (guint r = 0; r < repeats; r++)
    for (guint i = 0; i < n; i++)
      times[i * repeats + r] = measure (&description->points[i].side, runs[i]) /
                               ((double) runs[i] * MAX (description->points[i].side.parallel, 1));

  result = g_new0 (BenchCurveResult, 1);
  result->name = g_strdup (description->name);
  result->title = g_strdup (description->title);
  result->x_label = g_strdup (description->x_label);
  result->goal = description->goal;
  result->n_points = n;
  result->x = g_new (double, n);
  result->ns = g_new (BenchSummary, n);
  printf ("%s: %s\n  %-14s", description->name, description->title, description->x_label);
  for (guint i = 0; i < n; i++)
    {
      result->x[i] = description->points[i].x;
      result->ns[i] = summarize (times + i * repeats, repeats);
      printf (" %12.0f", result->x[i]);
    }
  result->exponent = fit_exponent (result->x, result->ns, n);
  printf ("\n  %-14s", "ns/op");
  for (guint i = 0; i < n; i++)
    printf (" %12.1f", result->ns[i].median);
  printf ("\n  exponent %.3f", result->exponent);
  if (result->goal > 0)
    printf ("  <= %.2f %s", result->goal, result->exponent <= result->goal ? "met" : "MISSED");
  printf ("\n");
  fflush (stdout);
  g_ptr_array_add (self->curves, result);
}

void
bench_skip (Bench      *self,
            const char *name,
            const char *format,
            ...)
{
  BenchResult *result;
  va_list args;

  if (!bench_wants (self, name))
    return;

  result = g_new0 (BenchResult, 1);
  result->description.name = g_intern_string (name);
  va_start (args, format);
  result->skipped = g_strdup_vprintf (format, args);
  va_end (args);
  printf ("%s: SKIP %s\n", name, result->skipped);
  g_ptr_array_add (self->results, result);
}
