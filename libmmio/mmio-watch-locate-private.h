/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which bytes of a file have changed: it is read on a worker thread and compared with its digest.
 */
#pragma once

#include "mmio-watch-state-private.h"

G_BEGIN_DECLS

typedef struct _MmioLocator MmioLocator;

/* Locators share their threads. notify is called on one of them, when there is something to take, under the locator's
 * lock: it must not call the locator. */
MmioLocator *mmio_locator_new      (GThreadPool    *pool,
                                    guint64         copy_limit,
                                    GFunc           notify,
                                    gpointer        user_data);
/* notify is not called any more. */
void         mmio_locator_free     (MmioLocator    *locator);
/* What the pool runs. */
GThreadPool *mmio_locator_pool_new (void);

/* Learns what is in this file, which becomes the one to be compared. Takes over fd, which is open for reading, and closes it when
 * there is nothing to be read any more.
 * state: what changed since is to be found.
 * at_once: if the file is short it is learnt when this returns: whoever reads it later knows no less than we do. */
void         mmio_locator_set_file (MmioLocator         *locator,
                                    int                  fd,
                                    const MmioFileState *state,
                                    gboolean             at_once);
/* What was learnt later may be newer than what somebody else has read, by a write that was under way. Until this is said
 * not to be so, any change is answered with the whole file. */
gboolean     mmio_locator_is_in_doubt (MmioLocator *locator);
void         mmio_locator_confirm  (MmioLocator    *locator);
/* Has the file been closed, so that a request has to bring it again? */
gboolean     mmio_locator_needs_file (MmioLocator  *locator);
/* The file was changed: find out where. Each request is answered, several of them perhaps at once. Takes over fd: the same file,
 * open for reading, or -1 if it isn't needed. */
void         mmio_locator_request  (MmioLocator    *locator,
                                    int             fd);
/* The range in which the file has changed since the last range was taken, [start, end) in bytes: empty if no byte differs,
 * with an end of G_MAXUINT64 if all of the file may. FALSE if there is no answer yet. */
gboolean     mmio_locator_take     (MmioLocator    *locator,
                                    guint64        *start,
                                    guint64        *end);
/* Is a request not answered yet? */
gboolean     mmio_locator_is_busy  (MmioLocator    *locator);

G_END_DECLS
