/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the watches of one main context share: one GSource with one timer queue and, where the system has inotify, one
 * queue of events on inodes. An inode's own watch hears what GFileMonitor's, which is on the folder, can't: writes
 * through another name, changes of the link count; and it isn't held back by what happens to the file's siblings.
 */
#pragma once

#include "mmio-watch-state-private.h"

G_BEGIN_DECLS

typedef struct _MmioWatchHub MmioWatchHub;
typedef struct _MmioWatchHubInode MmioWatchHubInode;
typedef struct _MmioWatchHubClient MmioWatchHubClient;

typedef struct
{
  void (*ref) (MmioWatchHubClient *client);
  void (*unref) (MmioWatchHubClient *client);
  /* In the hub's context, outside its lock: something was heard, or the deadline has come. */
  void (*wake) (MmioWatchHubClient *client,
                MmioWatchHints      hints);
} MmioWatchHubClientClass;

/* A part of the watch. All but the first two fields belong to the hub and its lock. */
struct _MmioWatchHubClient
{
  MmioWatchHub *hub;
  const MmioWatchHubClientClass *klass;

  MmioWatchHubInode *inode;     /* NULL while no inode is listened to */
  GSequenceIter *timer;         /* NULL without a deadline */
  gint64 deadline;              /* monotonic, us */
  GList ready;                  /* in the hub's queue of clients to be woken */
  gboolean is_ready;
  MmioWatchHints hints;         /* heard, and not yet told to wake () */
  guint n_holds;                /* writes are being announced now */
  guint n_announced;            /* and have been, since n_holds was 0 */
  guint n_writes_held;          /* write events heard since n_holds was 0 */
};

/* Any thread. The other functions are for between the two, and the caller sees to it that they are. */
void     mmio_watch_hub_join         (MmioWatchHubClient            *client,
                                      const MmioWatchHubClientClass *klass,
                                      GMainContext                  *context);
void     mmio_watch_hub_leave        (MmioWatchHubClient            *client);
/* When the last reference on the client is gone. */
void     mmio_watch_hub_clear        (MmioWatchHubClient            *client);

/* Hears what happens to fd's inode from now on, instead of what it heard before; -1: nothing. fd may be closed thereafter.
 * Returns 0 or an errno value. */
int      mmio_watch_hub_listen       (MmioWatchHubClient            *client,
                                      int                            fd);
/* TRUE while everything that happens to the inode is heard. */
gboolean mmio_watch_hub_is_listening (MmioWatchHubClient            *client);

/* When to wake the client if nothing else does; G_MAXINT64: never. */
void     mmio_watch_hub_set_deadline (MmioWatchHubClient            *client,
                                      gint64                         deadline);
/* Wakes the client as if this had been heard. */
void     mmio_watch_hub_hint         (MmioWatchHubClient            *client,
                                      MmioWatchHints                 hints);

/* Between the two, one write event of the client's inode is our own. The second returns TRUE if it is alone. */
void     mmio_watch_hub_hold         (MmioWatchHubClient            *client);
gboolean mmio_watch_hub_release      (MmioWatchHubClient            *client);
gboolean mmio_watch_hub_is_held      (MmioWatchHubClient            *client);

G_END_DECLS
