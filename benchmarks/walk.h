/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file from its beginning to its end, a chunk at a time, summed up as a checksum or a parser goes through it: with the library, and over
 * a mapping of one's own.
 */
#pragma once

#include <mmio.h>

#include "floor.h"

G_BEGIN_DECLS

guint64 walk_chunk    (const guint8   *chunk,
                       gsize           length);
guint64 walk_file     (MmioFile       *file,
                       gsize           chunk_size);
guint64 walk_map      (const FloorMap *map,
                       gsize           chunk_size);

/* One word of each chunk: what the step itself costs shows. */
guint64 walk_file_in_steps (MmioFile       *file,
                            gsize           chunk_size);
guint64 walk_map_in_steps  (const FloorMap *map,
                            gsize           chunk_size);
guint64 walk_map_by_calls  (const FloorMap *map,
                            gsize           chunk_size);

G_END_DECLS
