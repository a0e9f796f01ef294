/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The set of dirty ranges, against a bitmap. What goes wrong here is a write that no flush ever syncs.
 */
#include "config.h"

#include "mmio-dirty-private.h"

#include <string.h>

#define SIZE 2000

typedef struct
{
  MmioDirty set;
  guint8 model[SIZE];           /* what was written and not taken */
  gboolean exact;               /* the set has never been full: it holds just that */
} Pair;

static void
pair_init (Pair *self)
{
  memset (self->model, 0, sizeof self->model);
  mmio_dirty_init (&self->set);
  self->exact = TRUE;
}

static gboolean
set_holds (const MmioDirty *set,
           gsize            position)
{
  for (guint i = 0; i < set->n; i++)
    if (position >= set->ranges[i].start && position < set->ranges[i].end)
      return TRUE;

  return FALSE;
}

static void
check (Pair *self)
{
  const MmioDirty *set = &self->set;
  gsize total = 0;

  g_assert_cmpuint (set->n, <=, MMIO_DIRTY_MAX);
  g_assert_true (set->last == 0 || set->last < set->n);
  for (guint i = 0; i < set->n; i++)
    {
      g_assert_cmpuint (set->ranges[i].start, <, set->ranges[i].end);
      g_assert_cmpuint (set->ranges[i].end, <=, SIZE);
      if (i > 0)
        g_assert_cmpuint (set->ranges[i - 1].end, <, set->ranges[i].start);
    }
  for (gsize i = 0; i < SIZE; i++)
    {
      gboolean held = set_holds (set, i);

      total += held;
      if (self->model[i] && !held)
        g_error ("byte %" G_GSIZE_FORMAT " was written and is not in the set", i);
      if (self->exact && held && !self->model[i])
        g_error ("byte %" G_GSIZE_FORMAT " is in the set and was not written", i);
    }
  g_assert_cmpuint (mmio_dirty_total (set), ==, total);
}

static void
add (Pair *self,
     gsize start,
     gsize end)
{
  if (start < end)
    memset (self->model + start, 1, end - start);
  if (self->set.n == MMIO_DIRTY_MAX)
    self->exact = FALSE;
  mmio_dirty_add (&self->set, start, end);
}

/* What is taken is what the set held there, neither more nor less, and what it leaves behind is the rest. */
static void
take (Pair *self,
      gsize start,
      gsize end)
{
  MmioRange taken[MMIO_DIRTY_MAX];
  MmioDirty before = self->set;
  guint n = mmio_dirty_take (&self->set, start, end, taken);
  gsize position = start;

  g_assert_cmpuint (n, <=, MMIO_DIRTY_MAX);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpuint (taken[i].start, <, taken[i].end);
      g_assert_cmpuint (taken[i].start, >=, start);
      g_assert_cmpuint (taken[i].end, <=, end);
      g_assert_cmpuint (taken[i].start, >=, position);
      position = taken[i].end;
      for (gsize k = taken[i].start; k < taken[i].end; k++)
        g_assert_true (set_holds (&before, k));
    }
  for (gsize k = start; k < end && k < SIZE; k++)
    {
      gboolean was_taken = FALSE;

      for (guint i = 0; i < n; i++)
        was_taken = was_taken || (k >= taken[i].start && k < taken[i].end);
      g_assert_true (was_taken == set_holds (&before, k));
      self->model[k] = 0;
    }
  if (before.n == MMIO_DIRTY_MAX)
    self->exact = FALSE;
}

static void
test_empty (void)
{
  MmioRange taken[MMIO_DIRTY_MAX];
  Pair pair;

  pair_init (&pair);
  check (&pair);
  g_assert_cmpuint (mmio_dirty_take (&pair.set, 0, G_MAXSIZE, taken), ==, 0);
  add (&pair, 5, 5);
  add (&pair, 0, 0);
  g_assert_cmpuint (pair.set.n, ==, 0);
  check (&pair);
}

static void
test_edges (void)
{
  Pair pair;

  pair_init (&pair);
  add (&pair, 10, 20);
  add (&pair, 30, 40);
  check (&pair);
  g_assert_cmpuint (pair.set.n, ==, 2);
  /* Those that touch are one. */
  add (&pair, 20, 30);
  check (&pair);
  g_assert_cmpuint (pair.set.n, ==, 1);
  add (&pair, 5, 10);
  add (&pair, 40, 41);
  check (&pair);
  g_assert_cmpuint (pair.set.n, ==, 1);
  g_assert_cmpuint (mmio_dirty_total (&pair.set), ==, 36);
  take (&pair, 10, 20);
  check (&pair);
  g_assert_cmpuint (pair.set.n, ==, 2);
  take (&pair, 0, 10);
  take (&pair, 20, G_MAXSIZE);
  check (&pair);
  g_assert_cmpuint (pair.set.n, ==, 0);
}

/* Nothing is in no bytes. */
static void
test_take_nothing (void)
{
  MmioRange taken[MMIO_DIRTY_MAX];
  Pair pair;

  pair_init (&pair);
  add (&pair, 10, 20);
  for (gsize i = 8; i < 22; i++)
    {
      g_assert_cmpuint (mmio_dirty_take (&pair.set, i, i, taken), ==, 0);
      check (&pair);
    }
}

static void
test_largest_numbers (void)
{
  MmioRange taken[MMIO_DIRTY_MAX];
  MmioDirty set;

  mmio_dirty_init (&set);
  mmio_dirty_add (&set, G_MAXSIZE - 10, G_MAXSIZE);
  mmio_dirty_add (&set, 0, 1);
  g_assert_cmpuint (mmio_dirty_total (&set), ==, 11);
  g_assert_cmpuint (mmio_dirty_take (&set, 0, G_MAXSIZE, taken), ==, 2);
  g_assert_cmpuint (taken[1].end, ==, G_MAXSIZE);
  g_assert_cmpuint (set.n, ==, 0);
}

/* What doesn't fit is joined, and never lost. */
static void
test_full (void)
{
  Pair pair;

  pair_init (&pair);
  for (guint i = 0; i < 200; i++)
    {
      gsize at = (i * 37) % 199 * 10;

      add (&pair, at, at + 1);
      check (&pair);
    }
  g_assert_cmpuint (pair.set.n, ==, MMIO_DIRTY_MAX);
  /* A hole in one of a full set has no room either. */
  take (&pair, 5, 6);
  check (&pair);
  for (guint i = 0; i < 40; i++)
    {
      take (&pair, i * 50 + 20, i * 50 + 22);
      check (&pair);
    }
  take (&pair, 0, SIZE);
  check (&pair);
  g_assert_cmpuint (pair.set.n, ==, 0);
}

static void
run_random (guint n_operations,
            gint  longest,
            gint  one_in_takes)
{
  Pair pair;

  pair_init (&pair);
  for (guint i = 0; i < n_operations; i++)
    {
      gsize start = (gsize) g_test_rand_int_range (0, SIZE);
      gsize length = (gsize) g_test_rand_int_range (0, longest);
      gsize end = MIN (start + length, SIZE);

      if (g_test_rand_int_range (0, one_in_takes) == 0)
        take (&pair, start, g_test_rand_bit () ? end : G_MAXSIZE);
      else
        add (&pair, start, end);
      check (&pair);
    }
}

/* GTest prints the seed, and --seed repeats the run. */
static void
test_random (void)
{
  run_random (2000, 50, 4);
  run_random (2000, 4, 20);
  run_random (2000, 500, 3);
  run_random (2000, 3, 2);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/dirty/an-empty-set-holds-nothing", test_empty);
  g_test_add_func ("/dirty/ranges-that-touch-are-one", test_edges);
  g_test_add_func ("/dirty/nothing-is-taken-from-no-bytes", test_take_nothing);
  g_test_add_func ("/dirty/the-largest-numbers-work", test_largest_numbers);
  g_test_add_func ("/dirty/a-full-set-loses-nothing", test_full);
  g_test_add_func ("/dirty/agrees-with-a-bitmap", test_random);

  return g_test_run ();
}
