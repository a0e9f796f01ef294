/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a file was like, to find the bytes in which it differs: a copy up to a limit, else eight bytes for each block. It is fed
 * piece by piece and knows nothing of files. Not thread-safe.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MMIO_DIGEST_BLOCK 4096

typedef struct _MmioDigest MmioDigest;

/* The smallest range that holds all differences: [start, end) in bytes; none if start >= end. */
typedef struct
{
  guint64 start;
  guint64 end;
} MmioDigestRange;

#define MMIO_DIGEST_RANGE_NONE ((MmioDigestRange) { G_MAXUINT64, 0 })

static inline void
mmio_digest_range_add (MmioDigestRange *range,
                       guint64          start,
                       guint64          end)
{
  range->start = MIN (range->start, start);
  range->end = MAX (range->end, end);
}

/* Of an empty file. A file of up to copy_limit bytes is compared to the byte, a longer one to the block; what is appended
 * to either, to the byte. */
MmioDigest *mmio_digest_new        (guint64          copy_limit);
void        mmio_digest_free       (MmioDigest      *digest);
guint64     mmio_digest_get_size   (MmioDigest      *digest);
/* Does an update with what the file has look at data but once, and keep no copy? Else data must not change meanwhile. */
gboolean    mmio_digest_looks_once (MmioDigest      *digest);
/* The file is about this long: spares growing step by step. */
void        mmio_digest_reserve    (MmioDigest      *digest,
                                    guint64          size);
/* This is what stands at offset now. Adds to range what differs from what stood there, and remembers it.
 * offset: a multiple of the block, and not past the end. length: a multiple of the block too, but at the end of the file. */
void        mmio_digest_update     (MmioDigest      *digest,
                                    guint64          offset,
                                    const guint8    *data,
                                    gsize            length,
                                    MmioDigestRange *range);
/* The file is this long now, and was longer. */
void        mmio_digest_truncate   (MmioDigest      *digest,
                                    guint64          size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioDigest, mmio_digest_free)

G_END_DECLS
