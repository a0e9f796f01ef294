/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where in the address space a mapping goes that covers more than its file. Knows numbers alone, maps nothing.
 *
 * Truncating a file makes the kernel walk the page tables behind its new end, in every mapping of it: a table of 512 entries (each 2 MiB
 * where pages are 4 KiB) costs 6 us if it exists, no more than one entry does if it doesn't. It exists as soon as any page of
 * the 1 GiB that it stands for is in use, by whatever mapping. So the used part of a mapping is put right before a multiple of 1 GiB,
 * and the reserve begins at it, where no table is until the file has grown that far. A cycle of 1 -> 2 -> 1 MiB then takes
 * 2.4 us with 64 MiB behind it, and 2.6 us with 64 GiB; where the kernel chooses the address it is 2.9 and 9.6 us (tmpfs,
 * Linux 6.18, x86-64). The price is that a mapping shares no such table with its neighbours: 4 KiB of kernel memory once it is used.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A hint for mmap: length bytes, of which the first `used` hold the file. NULL: whatever the system chooses. Nothing depends on
 * the system's taking the hint. */
gpointer mmio_placement_suggest (gsize    used,
                                 gsize    length);
/* What was mapped at base has gone. */
void     mmio_placement_release (gpointer base,
                                 gsize    length);

G_END_DECLS
