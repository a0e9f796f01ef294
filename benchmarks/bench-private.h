/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a run has found, for those who run the cases and write down the results.
 */
#pragma once

#include <stdio.h>

#include "bench.h"

G_BEGIN_DECLS

#define BENCH_MAX_SIDES 12

typedef struct
{
  double median;
  double low, high;             /* what the median of as many turns more may come to: 95 % of the times, if nothing drifts */
  double min;
  double max;
} BenchSummary;

typedef struct
{
  const char *label;
  BenchSummary ns;              /* for one operation */
  BenchSummary ratio;           /* to the floor, turn by turn */
  double ratio_of_best;         /* the best turn of each */
  const char *missing;          /* why there are no figures; NULL if there are */
} BenchSideResult;

typedef struct
{
  BenchCase description;
  char *skipped;                /* why; NULL if it was run */
  guint repeats;
  guint n_sides;
  BenchSideResult sides[BENCH_MAX_SIDES];       /* floor, subject, peers */
  gboolean goal_met;
} BenchResult;

typedef struct
{
  char *name;
  char *title;
  char *x_label;
  double goal;
  double exponent;
  guint n_points;
  double *x;
  BenchSummary *ns;
} BenchCurveResult;

struct _Bench
{
  gboolean quick;
  char *only;                   /* prefix of the names of the cases to run; NULL: all */
  char *tmpfs_folder;           /* ours; NULL if there is none */
  char *disk_folder;            /* ours */
  char **outsiders;             /* CASE=COMMAND: further peers, see bench-program.h; may be NULL */
  GPtrArray *files;             /* (element-type filename): their names */
  double seconds;               /* that all of it took */
  GPtrArray *results;           /* (element-type BenchResult) */
  GPtrArray *curves;            /* (element-type BenchCurveResult) */
};

void bench_write_json (Bench *self,
                       FILE  *stream);

G_END_DECLS
