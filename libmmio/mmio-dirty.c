/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-dirty-private.h"

#include <string.h>

/* Holds nothing, so that mmio_dirty_add () needs no test for an empty set. */
static const MmioRange nothing = { G_MAXSIZE, 0 };

void
mmio_dirty_init (MmioDirty *self)
{
  self->n = 0;
  self->last = 0;
  self->ranges[0] = nothing;
}

/* The first range that ends at or after position. */
static guint
find (const MmioDirty *self,
      gsize            position)
{
  guint low = 0, high = self->n;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (self->ranges[middle].end < position)
        low = middle + 1;
      else
        high = middle;
    }

  return low;
}

static void
remove_ranges (MmioDirty *self,
               guint      first,
               guint      n)
{
  memmove (&self->ranges[first], &self->ranges[first + n], (self->n - first - n) * sizeof (MmioRange));
  self->n -= n;
  self->last = 0;
  if (self->n == 0)
    self->ranges[0] = nothing;
}

static void
insert (MmioDirty *self,
        guint      at,
        gsize      start,
        gsize      end)
{
  memmove (&self->ranges[at + 1], &self->ranges[at], (self->n - at) * sizeof (MmioRange));
  self->ranges[at] = (MmioRange) { start, end };
  self->n++;
}

/* Widens ranges[at] over [start, end), and swallows those that then touch it. */
static void
widen (MmioDirty *self,
       guint      at,
       gsize      start,
       gsize      end)
{
  guint next = at + 1;

  start = MIN (start, self->ranges[at].start);
  end = MAX (end, self->ranges[at].end);
  while (next < self->n && self->ranges[next].start <= end)
    {
      end = MAX (end, self->ranges[next].end);
      next++;
    }
  self->ranges[at] = (MmioRange) { start, end };
  if (next > at + 1)
    remove_ranges (self, at + 1, next - at - 1);
  self->last = at;
}

void
mmio_dirty_add_slow (MmioDirty *self,
                     gsize      start,
                     gsize      end)
{
  guint at;

  if (start >= end)
    return;

  at = find (self, start);
  if (at < self->n && self->ranges[at].start <= end)
    {
      widen (self, at, start, end);
    }
  else if (self->n < MMIO_DIRTY_MAX)
    {
      insert (self, at, start, end);
      self->last = at;
    }
  else
    {
      gsize gap_before = at > 0 ? start - self->ranges[at - 1].end : G_MAXSIZE;
      gsize gap_behind = at < self->n ? self->ranges[at].start - end : G_MAXSIZE;

      widen (self, gap_before <= gap_behind ? at - 1 : at, start, end);
    }
}

guint
mmio_dirty_take (MmioDirty *self,
                 gsize      start,
                 gsize      end,
                 MmioRange *taken)
{
  MmioRange left[2];
  guint n_left = 0;
  guint first = find (self, start);
  guint n = 0;

  if (start >= end)
    return 0;
  if (first < self->n && self->ranges[first].end == start)
    first++;
  while (first + n < self->n && self->ranges[first + n].start < end)
    {
      MmioRange range = self->ranges[first + n];

      if (range.start < start)
        left[n_left++] = (MmioRange) { range.start, start };
      if (range.end > end)
        left[n_left++] = (MmioRange) { end, range.end };
      taken[n] = (MmioRange) { MAX (range.start, start), MIN (range.end, end) };
      n++;
    }

  if (n > 0)
    remove_ranges (self, first, n);
  for (guint i = 0; i < n_left; i++)
    mmio_dirty_add (self, left[i].start, left[i].end);

  return n;
}

gsize
mmio_dirty_total (const MmioDirty *self)
{
  gsize total = 0;

  for (guint i = 0; i < self->n; i++)
    total += self->ranges[i].end - self->ranges[i].start;

  return total;
}
