/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Was a file that has grown only appended to? A few blocks of it, whose digests are kept, tell: a file that was written anew
 * and came out longer differs in one of them. Small files are looked at whole.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MMIO_WATCH_N_SAMPLES 4

typedef struct
{
  guint64 offset;               /* bytes */
  guint64 length;               /* bytes; 0: not in use */
  guint64 digest;
} MmioWatchSample;

typedef struct
{
  gboolean valid;
  MmioWatchSample samples[MMIO_WATCH_N_SAMPLES];
} MmioWatchSamples;

/* fd: open for reading. */
void     mmio_watch_samples_take    (MmioWatchSamples       *samples,
                                     int                     fd,
                                     guint64                 size);
/* They leave out nothing of a file of this length: it was looked at whole, and will be. */
gboolean mmio_watch_samples_are_whole (const MmioWatchSamples *samples,
                                       guint64                 size);
/* The file is this long now, and longer than it was: TRUE if that is all, and then the samples are those of what it is now. */
gboolean mmio_watch_samples_follow  (MmioWatchSamples       *samples,
                                     int                     fd,
                                     guint64                 size);

G_END_DECLS
