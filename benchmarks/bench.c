/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Short turns: whatever takes the processor away hits one of many, and the median doesn't see it. */
#define USUAL_SLICE_NS 1000000
#define USUAL_REPEATS_QUICK 61
#define USUAL_REPEATS_FULL 401
#define LEAST_REPEATS 7

guint64
bench_now (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64) now.tv_sec * 1000000000 + (guint64) now.tv_nsec;
}

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
bench_is_full (Bench *self)
{
  return self->full;
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

/* How many runs fill a slice. */
static guint64
calibrate (const BenchSide *side,
           guint64          slice)
{
  guint64 n = 1;
  double elapsed;

  measure (side, 1);
  while ((elapsed = measure (side, n)) < (double) slice / 2 && n < G_GUINT64_CONSTANT (1) << 40)
    n = elapsed < (double) slice / 64 ? n * 16 : n * 2;

  return MAX (1, (guint64) ((double) n * (double) slice / elapsed));
}

static int
compare_doubles (gconstpointer a,
                 gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static BenchSummary
summarize (const double *values,
           guint         n)
{
  g_autofree double *sorted = g_memdup2 (values, n * sizeof *values);

  qsort (sorted, n, sizeof *sorted, compare_doubles);
  return (BenchSummary){ .median = sorted[n / 2], .min = sorted[0], .max = sorted[n - 1] };
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
      g_autofree char *aim = i == 1 ? describe_limit (description, description->aim, side->ratio.median) : g_strdup ("");

      if (i == 0)
        printf ("%s: %s\n", description->name, description->title);
      printf ("  %-7s %-44s %12.1f", i == 0 ? "floor" : i == 1 ? "libmmio" : "peer", side->label, side->ns.median);
      if (i > 0)
        printf (" %8.2f %8.2f %8.2f  %-14s %s", side->ratio.median, side->ratio.min, side->ratio_of_best, goal, aim);
      printf ("\n");
    }
  fflush (stdout);
}

void
bench_case (Bench           *self,
            const BenchCase *description)
{
  guint64 slice = description->slice != 0 ? description->slice : USUAL_SLICE_NS;
  guint repeats = description->repeats != 0 ? description->repeats :
                  self->full                ? USUAL_REPEATS_FULL :
                                              USUAL_REPEATS_QUICK;
  const BenchSide *sides[BENCH_MAX_SIDES] = { &description->floor, &description->subject };
  guint64 n[BENCH_MAX_SIDES];
  double *times[BENCH_MAX_SIDES];
  g_autofree double *ratios = NULL;
  BenchResult *result;
  guint n_sides = 2;

  if (self->only != NULL && !g_str_has_prefix (description->name, self->only))
    return;

  repeats = MAX (repeats, LEAST_REPEATS);
  for (const BenchSide *peer = description->peers; peer != NULL && peer->label != NULL; peer++)
    {
      g_assert (n_sides < BENCH_MAX_SIDES);
      sides[n_sides++] = peer;
    }
  for (guint i = 0; i < n_sides; i++)
    {
      n[i] = calibrate (sides[i], slice);
      times[i] = g_new (double, repeats);
    }

  for (guint r = 0; r < repeats; r++)
    for (guint i = 0; i < n_sides; i++)
      times[i][r] = measure (sides[i], n[i]) /
                    ((double) n[i] * MAX (sides[i]->parallel, 1) * (double) MAX (sides[i]->divide, 1));

  result = g_new0 (BenchResult, 1);
  result->description = *description;
  result->n_sides = n_sides;
  result->repeats = repeats;
  ratios = g_new (double, repeats);
  for (guint i = 0; i < n_sides; i++)
    {
      BenchSideResult *side = &result->sides[i];

      side->label = sides[i]->label;
      side->ns = summarize (times[i], repeats);
      for (guint r = 0; r < repeats; r++)
        ratios[r] = description->measure == BENCH_TIME ? times[i][r] / times[0][r] : times[0][r] / times[i][r];
      side->ratio = summarize (ratios, repeats);
      side->ratio_of_best = description->measure == BENCH_TIME ? side->ns.min / result->sides[0].ns.min
                                                               : result->sides[0].ns.min / side->ns.min;
    }
  result->goal_met = description->goal <= 0 || holds (description->measure, result->sides[1].ratio.median, description->goal);
  result->aim_met = description->aim <= 0 || holds (description->measure, result->sides[1].ratio.median, description->aim);

  for (guint i = 0; i < n_sides; i++)
    g_free (times[i]);
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
  const guint repeats = self->full ? USUAL_REPEATS_FULL / 4 : USUAL_REPEATS_QUICK / 3;
  g_autofree guint64 *runs = g_new (guint64, n);
  g_autofree double *times = g_new (double, n * repeats);
  BenchCurveResult *result;

  if (self->only != NULL && !g_str_has_prefix (description->name, self->only))
    return;

  for (guint i = 0; i < n; i++)
    runs[i] = calibrate (&description->points[i].side, USUAL_SLICE_NS);
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
