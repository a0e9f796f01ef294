/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library's own threads: one that waits (for timers and for faults), and a few that do what blocks. Both are started by
 * the first who needs them. A forked child has neither.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The context of the thread that waits. Sources attached to it must not block. */
GMainContext *mmio_worker_get_context (void);

/* Runs func in a thread that may block. */
typedef void (*MmioWorkFunc) (gpointer data);
void          mmio_worker_run         (MmioWorkFunc func,
                                       gpointer     data);

G_END_DECLS
