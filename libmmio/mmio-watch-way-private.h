/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way from the root to a file, through symbolic links: whatever on it is moved or removed may put another file, or
 * none, at its end.
 */
#pragma once

#include "mmio-watch-hub-private.h"

G_BEGIN_DECLS

typedef struct
{
  gboolean is_heard;            /* every part of it: else one may be out of bounds for us, or the way too long */
  gboolean is_awaited;          /* a name is missing on it, and once that appears in its folder we are told */
  guint64 identity;             /* of the folders and links on it, in their order */
} MmioWatchWay;

/* Listens to every folder and link on the way, and for the first name that is missing on it to appear. A folder that is
 * replaced while it is about to be listened to goes unheard: only of a way that is the same when it is taken once more everything is
 * heard that happens from then on. */
MmioWatchWay mmio_watch_way_take (MmioWatchHubClient *client,
                                  const char         *path);

G_END_DECLS
