/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the watches of one main context share: one GSource with one queue of timers and, where the system has inotify,
 * one queue of events on inodes. An inode of one's own hears what GFileMonitor's, the folder's, can't: writes through
 * another name, changes of the link count; and it isn't held back by what happens to the file's siblings.
 */
#pragma once

#include "mmio-watch-state-private.h"

G_BEGIN_DECLS

typedef struct _MmioWatchHub MmioWatchHub;
typedef struct _MmioWatchHubPlace MmioWatchHubPlace;
typedef struct _MmioWatchHubClient MmioWatchHubClient;

/* What an inode is to a client, and so what is to be heard of it. */
typedef enum
{
  MMIO_WATCH_ROLE_FILE,         /* written to, attributes set; unlinked, moved */
  MMIO_WATCH_ROLE_LEASED,       /* the same, and closed by a writer */
  MMIO_WATCH_ROLE_LINK,         /* a symbolic link on the way: unlinked, moved */
  MMIO_WATCH_ROLE_FOLDER,       /* on the way: removed, moved; nothing of what is in it */
  MMIO_WATCH_ROLE_PARENT        /* the same, and one name that may appear in it, or go */
} MmioWatchRole;

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

  GList link;                   /* in the hub's list of clients */
  MmioWatchHubPlace *file;      /* NULL while no file is heard */
  GSList *way;                  /* of MmioWatchHubPlace: between the root and the file */
  GSList *next_way;             /* under construction */
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

/* FALSE if the system can't say what happens to an inode, or has no queue left for us. */
gboolean mmio_watch_hub_has_queue    (MmioWatchHubClient            *client);

/* Hears what happens to this file from now on, instead of what it heard before; -1: nothing. fd may be closed thereafter.
 * role: MMIO_WATCH_ROLE_FILE or MMIO_WATCH_ROLE_LEASED.
 * Returns 0 or an errno value. */
int      mmio_watch_hub_hear_file    (MmioWatchHubClient            *client,
                                      int                            fd,
                                      MmioWatchRole                  role);
gboolean mmio_watch_hub_hears_file   (MmioWatchHubClient            *client);

/* A step of a new way, which replaces the one before when it is taken. fd stays the caller's, and open until then.
 * name: with MMIO_WATCH_ROLE_PARENT. Returns 0 or an errno value. */
int      mmio_watch_hub_add_step     (MmioWatchHubClient            *client,
                                      int                            fd,
                                      MmioWatchRole                  role,
                                      const char                    *name);
void     mmio_watch_hub_take_way     (MmioWatchHubClient            *client);

/* When to wake the client if nothing else does; G_MAXINT64: never. */
void     mmio_watch_hub_set_deadline (MmioWatchHubClient            *client,
                                      gint64                         deadline);
/* Wakes the client as if this had been heard. */
void     mmio_watch_hub_hint         (MmioWatchHubClient            *client,
                                      MmioWatchHints                 hints);

/* TRUE if nothing was heard that hasn't been told to wake (), up to now. */
gboolean mmio_watch_hub_is_quiet     (MmioWatchHubClient            *client);
/* Those of these hints that were heard up to now and haven't been told to wake (), which they then aren't any more. */
MmioWatchHints mmio_watch_hub_take_hints (MmioWatchHubClient *client,
                                          MmioWatchHints      hints);
/* Threads for what takes long; as long as the hub lives. */
GThreadPool *mmio_watch_hub_get_pool (MmioWatchHubClient            *client);

/* Between the two, one write event of the client's file is our own. The second returns TRUE if it is alone. */
void     mmio_watch_hub_hold         (MmioWatchHubClient            *client);
gboolean mmio_watch_hub_release      (MmioWatchHubClient            *client);
gboolean mmio_watch_hub_is_held      (MmioWatchHubClient            *client);

G_END_DECLS
