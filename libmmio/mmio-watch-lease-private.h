/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A lease on a file that is watched, and the one thread of the process that is told when somebody waits for one. It sees to it that
 * nobody waits for longer than a second, whatever the main loop is busy with.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _MmioLease MmioLease;

/* In the thread of the leases, under their lock: somebody waits for this one. Takes no time, and calls no function of these. */
typedef void (*MmioLeaseFunc) (gpointer user_data);

/* Any thread, but no two for one lease at a time. */
MmioLease *mmio_lease_new        (MmioLeaseFunc func,
                                  gpointer      user_data);
/* Gives it up. func isn't running when this returns, and isn't called any more. */
void       mmio_lease_free       (MmioLease    *lease);

/* Instead of the lease before. Takes over fd, an open file description for this alone. Returns 0 or an errno value: see
 * mmio_os_take_lease (). */
int        mmio_lease_take       (MmioLease    *lease,
                                  int           fd);
void       mmio_lease_give_up    (MmioLease    *lease);

gboolean   mmio_lease_is_held    (MmioLease    *lease);
/* It is held, and somebody waits for it. */
gboolean   mmio_lease_is_wanted  (MmioLease    *lease);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioLease, mmio_lease_free)

G_END_DECLS
