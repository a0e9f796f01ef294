/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The one bounds check of the library.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Compares without a sum, which could wrap. */
static inline gboolean
mmio_range_is_inside (guint64 offset,
                      guint64 length,
                      guint64 size)
{
  return offset <= size && length <= size - offset;
}

/* Sets MMIO_ERROR_OUT_OF_BOUNDS naming the three numbers; returns FALSE. */
gboolean mmio_range_fail (const char *path,
                          guint64     offset,
                          guint64     length,
                          guint64     size,
                          GError    **error);

G_END_DECLS
