/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The way from the root to a file, through symbolic links: whatever on it is moved or removed may put another file, or
 * none, at its end.
 */
#pragma once

#include "mmio-watch-hub-private.h"

G_BEGIN_DECLS

/* Listens to every folder and link on the way, and for the first name that is missing on it to appear. What happens
 * after this began is heard. FALSE if a part of the way can't be heard: it may be out of bounds for us, or too long. */
gboolean mmio_watch_way_take (MmioWatchHubClient *client,
                              const char         *path);

G_END_DECLS
