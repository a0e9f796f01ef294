/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The watch engine: turns GFileMonitor's events, and comparisons of the file's state, into what happened to the file.
 * It knows nothing of memory, of mappings or of MmioFile.
 */
#pragma once

#include <gio/gio.h>

#include "mmio-enums.h"

G_BEGIN_DECLS

typedef struct _MmioWatch MmioWatch;

typedef enum
{
  MMIO_WATCH_CHANGED,           /* content or size; offset and length say where */
  MMIO_WATCH_METADATA,
  MMIO_WATCH_REMOVED,
  MMIO_WATCH_REPLACED,          /* another inode stands at the path now */
  MMIO_WATCH_ABOUT_TO_CHANGE    /* somebody is held off until the report has been handled, a second at most */
} MmioWatchWhat;

/* All of a file's state that stat tells and that is compared. All zero where the file doesn't exist. */
typedef struct
{
  gboolean exists;
  guint64 device;
  guint64 inode;
  guint64 size;                 /* bytes */
  gint64 mtime;                 /* ns since the epoch */
  gint64 ctime;                 /* ns */
  gint64 birth;                 /* ns; 0 where the file system doesn't tell */
  guint32 mode;
  guint32 uid;
  guint32 gid;
  guint64 n_links;
} MmioFileState;

typedef struct
{
  MmioWatchWhat what;
  guint64 offset;               /* bytes; meaningful with MMIO_WATCH_CHANGED */
  guint64 length;               /* bytes */
  MmioFileState state;          /* of the path, as it is now */
} MmioWatchReport;

/* Called in the watch's main context, outside all locks. May stop the watch. */
typedef void (*MmioWatchFunc) (const MmioWatchReport *report,
                               gpointer               user_data);

/* What the owner knows of the content. */
typedef struct
{
  guint64 size;                 /* bytes */
  guint64 own_size;             /* another size that is no news, since the owner has set it */
  gint64 mtime;                 /* ns; MMIO_WATCH_ANY_TIME: says nothing, since the owner has moved it */
} MmioWatchSeen;

#define MMIO_WATCH_ANY_TIME G_MININT64

typedef struct
{
  GFile *location;              /* what is watched; NULL for a file known only by its descriptor: it is never removed or replaced */
  int fd;                       /* the mapped inode; -1 if none. The state at start is compared with it,
                                 * so nothing that happened between opening and watching is missed. Open for writing, it says that
                                 * the owner may store through a mapping: times that move without an event then mean nothing */
  gboolean fd_is_lent;          /* it is readable, and stays open and the same inode until mmio_watch_keep () or the end of the
                                 * watch. Else it is duplicated */
  const MmioWatchSeen *seen;    /* of fd's inode; what differs from it is reported as changed. NULL: nothing does */
  MmioWatchFlags flags;
  guint interval;               /* ms by which bursts are coalesced; 0: every event */
  guint64 locate_limit;         /* bytes */
} MmioWatchSetup;

/* Starts watching; reports come in the thread-default main context of the calling thread.
 * destroy is called once, when no report can come any more: in mmio_watch_stop (), where a report that was under way then
 * ends, or before NULL is returned.
 * MMIO_ERROR_WATCH_FAILED, or MMIO_ERROR_NOT_SUPPORTED for a location that is no local file, or one that no lease can be had on. */
MmioWatch  *mmio_watch_start       (const MmioWatchSetup *setup,
                                    MmioWatchFunc         func,
                                    gpointer              user_data,
                                    GDestroyNotify        destroy,
                                    GCancellable         *cancellable,
                                    GError              **error);
/* After it returns no report comes any more, if it was called in the watch's own context's thread; from any other thread, none
 * begins any more. Frees the watch. */
void        mmio_watch_stop        (MmioWatch            *watch);
/* Around something of our own that raises an event not to be reported: an announcement, a change of size.
 *   mmio_watch_hold (watch); … one such call … ; mmio_watch_expect (watch);
 * What happened before is still reported, and so is what somebody else does meanwhile, as far as the system tells it apart:
 * keep the time between the two short. Any thread; pairs may overlap. */
void        mmio_watch_hold        (MmioWatch            *watch);
void        mmio_watch_expect      (MmioWatch            *watch);
/* What of the inode that is lent, or was until another one stood at the path, has been reported; FALSE if there is none. Any thread. */
gboolean    mmio_watch_get_seen    (MmioWatch            *watch,
                                    MmioWatchSeen        *seen);
/* What was lent is about to be another inode, or to be closed. Any thread, as with the next. */
void        mmio_watch_keep        (MmioWatch            *watch);
/* As fd_is_lent says, from now on; if it is another inode than the one that is compared with, it isn't taken. */
void        mmio_watch_lend        (MmioWatch            *watch,
                                    int                   fd);
/* The owner has mapped what the path names now: compare with this descriptor from now on. Any thread. */
void        mmio_watch_rebase      (MmioWatch            *watch,
                                    int                   fd);
/* "inotify", "poll", …: what the changes are heard from now. Static. Any thread. */
const char *mmio_watch_get_backend (MmioWatch            *watch);

G_END_DECLS
