/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library's own threads: one that waits (for timers and for faults), and a few that do what blocks. Both are started by
 * the first who needs them. A forked child has neither.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Has the thread that waits see to source, which must not block. FALSE: there is no such thread, since the system has none left, or no
 * descriptors for it. Who asks again later may be luckier. */
gboolean mmio_worker_attach (GSource *source);

/* Runs func in a thread that may block. */
typedef void (*MmioWorkFunc) (gpointer data);
void     mmio_worker_run    (MmioWorkFunc func,
                             gpointer     data);

G_END_DECLS
