/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The SIGBUS guard: a fault inside a registered address range becomes a zero page and a record of it.
 * It knows addresses only: nothing of files, offsets or sizes. It stands below the mapping.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many faulted pages a range remembers exactly; what comes after is remembered as one interval. */
#define MMIO_GUARD_EXACT_FAULTS 16

typedef struct _MmioGuardRange MmioGuardRange;

/* A slot of the registry. Slots are never freed, so the handler may look at any of them at any time;
 * a slot whose range was removed is used again. */
struct _MmioGuardRange
{
  guint n_active;               /* atomic: faults recorded and not yet healed; the copy path's only look */
  /* the rest is mmio-guard.c's own; see there */
  gpointer reserved[MMIO_GUARD_EXACT_FAULTS + 12];
};

/* Stands in for a range where the guard is off: n_active is 0 for ever. Never NULL, so the copy path has no test for it. */
extern MmioGuardRange mmio_guard_none;

void            mmio_guard_set_enabled  (gboolean enabled);
gboolean        mmio_guard_get_enabled  (void);

/* Registers [start, start + length): page-aligned, mapped by the caller for as long as it is registered.
 * Installs the handler at the first call. Returns &mmio_guard_none if the guard is off. Any thread.
 * page_size: what one fault replaces (the huge page size on hugetlbfs). */
MmioGuardRange *mmio_guard_add          (gpointer        start,
                                         gsize           length,
                                         gsize           page_size,
                                         gboolean        writable);
/* To be called before the range is unmapped. Any thread. */
void            mmio_guard_remove       (MmioGuardRange *range);

/* TRUE while faults are recorded that nobody has healed. */
static inline gboolean
mmio_guard_range_has_faults (const MmioGuardRange *range)
{
  return __atomic_load_n (&range->n_active, __ATOMIC_RELAXED) != 0;
}

/* Does an unhealed faulted page overlap [start, start + length)? */
gboolean        mmio_guard_range_hit    (MmioGuardRange *range,
                                         gconstpointer   start,
                                         gsize           length);
/* The smallest page-aligned interval that holds every unhealed fault; FALSE if there is none. */
gboolean        mmio_guard_range_bounds (MmioGuardRange *range,
                                         gpointer       *start,
                                         gsize          *length);
/* Forgets the faults in [start, start + length): the owner has laid something else over these pages. */
void            mmio_guard_range_heal   (MmioGuardRange *range,
                                         gconstpointer   start,
                                         gsize           length);

/* A descriptor that becomes readable when any range has had a fault nobody has taken yet; -1 if the guard is off.
 * Several listeners may poll it; who wakes up calls mmio_guard_range_take_news () on its own ranges. */
int             mmio_guard_get_fd       (void);
/* The faults since the last call, as one page-aligned interval; FALSE if there were none. Each fault is told once. */
gboolean        mmio_guard_range_take_news (MmioGuardRange *range,
                                            gpointer       *start,
                                            gsize          *length);

G_END_DECLS
