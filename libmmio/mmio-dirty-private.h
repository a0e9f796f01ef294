/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The ranges of a file that have been written to and not yet synced: a small sorted set of fixed size. Knows nothing but
 * numbers; the caller has the lock. What doesn't fit any more is joined to its nearest neighbour, so the set may come to
 * hold more than was written, never less.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MMIO_DIRTY_MAX 32

typedef struct
{
  gsize start;                  /* bytes */
  gsize end;                    /* exclusive */
} MmioRange;

typedef struct
{
  guint n;
  guint last;                   /* the range that was added to last */
  MmioRange ranges[MMIO_DIRTY_MAX];     /* sorted, disjoint, not touching; ranges[0] holds nothing while n is 0 */
} MmioDirty;

void  mmio_dirty_init     (MmioDirty       *self);
void  mmio_dirty_add_slow (MmioDirty       *self,
                           gsize            start,
                           gsize            end);
/* Takes what lies in [start, end) out of the set and into taken, at most MMIO_DIRTY_MAX ranges; returns how many. */
guint mmio_dirty_take     (MmioDirty       *self,
                           gsize            start,
                           gsize            end,
                           MmioRange       *taken);
/* Bytes. */
gsize mmio_dirty_total    (const MmioDirty *self);

static inline void
mmio_dirty_add (MmioDirty *self,
                gsize      start,
                gsize      end)
{
  const MmioRange *last = &self->ranges[self->last];

  if (G_UNLIKELY (start < last->start || end > last->end))
    mmio_dirty_add_slow (self, start, end);
}

G_END_DECLS
