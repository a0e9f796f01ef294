/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The SIGBUS guard: a fault inside a registered address range becomes a zero page and a record of it.
 * It knows addresses only: nothing of files, offsets or sizes. It stands below the mapping.
 *
 * What it can't do: a thread that blocks SIGBUS is killed by the kernel before any handler is asked, and a handler that
 * somebody installs later and that does not pass faults on keeps them from the guard.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How many runs of adjacent faulted pages a range remembers exactly; what comes after is remembered as one interval. */
#define MMIO_GUARD_EXACT_FAULTS 16

typedef struct _MmioGuardRange MmioGuardRange;

/* A slot of the registry. Slots are never freed, so the handler may look at any of them at any time;
 * a slot whose range was removed is used again. The rest of it is mmio-guard.c's own. */
struct _MmioGuardRange
{
  guint n_active;               /* atomic: records not yet healed; the copy path's only look */
};

/* Stands in for a range where the guard is off: n_active is 0 for ever. Never NULL, so the copy path has no test for it. */
extern MmioGuardRange mmio_guard_none;

/* For the ranges added from now on. Before the first one, FALSE keeps the handler out; once installed it stays, since
 * others may have chained to it, and so does the guard of the ranges that have it. */
void            mmio_guard_set_enabled  (gboolean enabled);
gboolean        mmio_guard_get_enabled  (void);

/* What a range may be used for, and whether what is stored to it is anywhere else. */
typedef enum
{
  MMIO_GUARD_READ,
  MMIO_GUARD_WRITE_SHARED,
  MMIO_GUARD_WRITE_PRIVATE
} MmioGuardAccess;

/* Registers [start, start + length): page-aligned, mapped by the caller for as long as it is registered, and no part of
 * another registered range. Installs the handler at the first call. Returns &mmio_guard_none if the guard is off. Any thread.
 * page_size: what one fault replaces (the huge page size on hugetlbfs); a power of two. At the limit on the number of mappings it
 * is all from some page before to the end of the range, unless something private would be lost. */
MmioGuardRange *mmio_guard_add          (gpointer        start,
                                         gsize           length,
                                         gsize           page_size,
                                         MmioGuardAccess access);
/* To be called before the range is unmapped, when no thread accesses it any more. Any thread. */
void            mmio_guard_remove       (MmioGuardRange *range);

/* TRUE while faults are recorded that nobody has healed. A record is there before its zero page is, so a copy that was given
 * zeros sees it, if two things hold: an acquire fence stands between the copy and this call, and no heal came before this call (heal
 * inside the write side of the sequence that validates copies, and look at that after this call and another acquire fence). */
static inline gboolean
mmio_guard_range_has_faults (const MmioGuardRange *range)
{
  return __atomic_load_n (&range->n_active, __ATOMIC_RELAXED) != 0;
}

/* Does an unhealed faulted page overlap [start, start + length)? Takes no lock. */
gboolean        mmio_guard_range_hit    (MmioGuardRange *range,
                                         gconstpointer   start,
                                         gsize           length);
/* The smallest page-aligned interval that holds every unhealed fault; FALSE if there is none. Takes no lock. */
gboolean        mmio_guard_range_bounds (MmioGuardRange *range,
                                         gpointer       *start,
                                         gsize          *length);

/* Lays something else over [start, start + length), pages whose faults are recorded. FALSE if it could not: the record stays.
 * exact: each of these pages holds a zero page. Else some may never have faulted, and what is private in them would be lost.
 * A fault in the range waits while this runs, in whichever thread it happens: do not access the range and do not block.
 * All signals are blocked. Tried once more after ENOMEM, if there was something to give up for it. */
typedef gboolean (*MmioGuardLayFunc) (gpointer start,
                                      gsize    length,
                                      gboolean exact,
                                      gpointer user_data);

/* Heals what has faulted in [start, start + length): lay is called for each recorded run of pages there, which is then
 * forgotten. No fault can come between the two, so none is forgotten that happens in what has just been laid. lay is NULL
 * where no fault can happen any more, since the owner has laid anonymous memory already. TRUE unless a lay failed, whose errno
 * is kept. */
gboolean        mmio_guard_range_heal   (MmioGuardRange  *range,
                                         gconstpointer    start,
                                         gsize            length,
                                         MmioGuardLayFunc lay,
                                         gpointer         user_data);

/* A descriptor, the same for the whole process, that becomes readable when any range faults; -1 if the guard is off or no
 * descriptor is left. Made at the first call; a forked child gets its own under the same number. */
int             mmio_guard_get_fd       (void);
/* Makes it unreadable until the next fault. Several main contexts may poll it, but only the first one to wake up is sure
 * to see it readable: it clears it (else every poll spins), then takes the news of its own ranges and wakes the other contexts
 * whose ranges have news. */
void            mmio_guard_clear_fd     (void);
/* Has the range faults that take_news would tell? Takes no lock. */
gboolean        mmio_guard_range_has_news  (MmioGuardRange *range);
/* The faults since the last call, as one page-aligned interval; FALSE if there were none. Each fault is told once, healed or not. */
gboolean        mmio_guard_range_take_news (MmioGuardRange *range,
                                            gpointer       *start,
                                            gsize          *length);

G_END_DECLS
