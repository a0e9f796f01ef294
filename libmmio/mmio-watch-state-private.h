/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stat tells of a file, and what a difference means. No events, no threads, no memory of its own.
 */
#pragma once

#include "mmio-watch-private.h"

G_BEGIN_DECLS

/* What was heard since the state was last read. */
typedef enum /*< flags >*/
{
  MMIO_WATCH_HINT_NONE = 0,
  MMIO_WATCH_HINT_WRITE = 1 << 0,       /* the content or the size was written to */
  MMIO_WATCH_HINT_ATTRIBUTES = 1 << 1,  /* mode, owner, times, links or extended attributes were set */
  MMIO_WATCH_HINT_PATH = 1 << 2,        /* something happened to the name: look what it names now */
  MMIO_WATCH_HINT_LOST = 1 << 3,        /* events were lost: anything may have happened */
  MMIO_WATCH_HINT_LOCATED = 1 << 4,     /* nothing happened, but there is news of what had changed */
  MMIO_WATCH_HINT_WANTED = 1 << 5,      /* nothing happened yet, but somebody waits for the lease to be given up */
  MMIO_WATCH_HINT_CLOSED = 1 << 6       /* nothing happened, but one who could write to it can't any more */
} MmioWatchHints;

/* Those after which the state is as it was. */
#define MMIO_WATCH_HINTS_OF_NOTHING (MMIO_WATCH_HINT_LOCATED | MMIO_WATCH_HINT_WANTED | MMIO_WATCH_HINT_CLOSED)

/* What is not heard but known. */
typedef enum /*< flags >*/
{
  MMIO_WATCH_KNOWN_NONE = 0,
  MMIO_WATCH_KNOWN_STORES = 1 << 0,     /* the owner stores through a mapping and every other write raises an event:
                                         * times that moved without one are the owner's own doing */
  MMIO_WATCH_KNOWN_FRESH = 1 << 1       /* the state before was read within one tick of the clock that files are stamped
                                         * by: a later write may have left the same times */
} MmioWatchKnown;

/* All that may have to be said, in this order. */
typedef struct
{
  gboolean removed;
  gboolean replaced;
  gboolean changed;
  gboolean metadata;
  guint64 offset;               /* bytes; of what changed */
  guint64 length;               /* bytes */
} MmioWatchVerdict;

/* FALSE if it can't be told now (an input error, no memory); a path that leads nowhere is a state: it doesn't exist.
 * Follows symbolic links. */
gboolean mmio_file_state_read_path  (const char          *path,
                                     MmioFileState       *state);
gboolean mmio_file_state_read_fd    (int                  fd,
                                     MmioFileState       *state);
/* Sound as long as one of the two is kept from going by an open descriptor. */
gboolean mmio_file_state_same_inode (const MmioFileState *a,
                                     const MmioFileState *b);
gboolean mmio_file_state_equal      (const MmioFileState *a,
                                     const MmioFileState *b);
/* The clock that files are stamped by, ns. */
gint64   mmio_file_clock            (void);
/* Might a write that came after the clock was read, and the state after that, leave the same times? */
gboolean mmio_file_state_is_fresh   (const MmioFileState *state,
                                     gint64               clock);

/* Where else than in this system's kernel can the file be written to, so that nothing is heard of it? */
typedef enum
{
  MMIO_FILE_REACH_LOCAL,
  MMIO_FILE_REACH_LAYERED,      /* in a layer of an overlay, which isn't meant to be done */
  MMIO_FILE_REACH_REMOTE        /* on another machine, or by the program that is the file system */
} MmioFileReach;

MmioFileReach mmio_file_get_reach   (int                  fd);

/* Of a folder: whatever appears in it raises an event, by exactly the name by which it is found. */
gboolean mmio_file_tells_names      (int                  fd);

void     mmio_watch_classify        (const MmioFileState *before,
                                     const MmioFileState *now,
                                     MmioWatchHints       hints,
                                     MmioWatchKnown       known,
                                     MmioWatchVerdict    *verdict);

G_END_DECLS
