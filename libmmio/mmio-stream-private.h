/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the two streams have in common: a position, which may lie past the end.
 */
#pragma once

#include "mmio-file.h"

G_BEGIN_DECLS

/* end: what G_SEEK_END counts from. On an error the position is as it was. */
gboolean mmio_stream_seek (guint64   *position,
                           goffset    offset,
                           GSeekType  type,
                           guint64    end,
                           GError   **error);
/* file is NULL where a language binding has made a stream without one. Returns FALSE. */
gboolean mmio_stream_fail_closed (MmioFile *file,
                                  GError  **error);

G_END_DECLS
