/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-bounds-private.h"

#include <glib/gi18n-lib.h>

#include <inttypes.h>

#include "mmio-error.h"
#include "mmio-os-private.h"

gboolean
mmio_range_fail (const char *path,
                 guint64     offset,
                 guint64     length,
                 guint64     size,
                 GError    **error)
{
  g_autofree char *name = path != NULL ? mmio_os_display_name (path) : g_strdup (_("a file without a name"));

  /* Translators: %s is a file's name, the numbers are bytes. */
  g_set_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS,
               _("%s: offset %" PRIu64 " + length %" PRIu64 " exceeds size %" PRIu64),
               name, offset, length, size);
  return FALSE;
}
