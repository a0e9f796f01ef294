/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GFileMonitor, where the hub has no queue of its own. It is on the folder, so it doesn't hear of writes through another
 * name and of link counts, and it may say the same thing twice: late events find a state that was reported already.
 */
#pragma once

#include "mmio-watch-hub-private.h"

G_BEGIN_DECLS

typedef struct _MmioWatchMonitor MmioWatchMonitor;

/* Wakes the client, in the thread-default main context of the calling thread, which is the one it has joined the hub with. */
MmioWatchMonitor *mmio_watch_monitor_new         (MmioWatchHubClient *client,
                                                  const char         *path);
/* The caller holds a reference on the client. Any thread. */
void              mmio_watch_monitor_free        (MmioWatchMonitor   *monitor);
/* GFileMonitor stops at a symbolic link: looks where path leads now, and listens there too. In the context, and the caller
 * holds a reference on the client. */
void              mmio_watch_monitor_follow      (MmioWatchMonitor   *monitor);
/* "poll" if GIO could do no better. Static. */
const char       *mmio_watch_monitor_get_backend (MmioWatchMonitor   *monitor);

G_END_DECLS
