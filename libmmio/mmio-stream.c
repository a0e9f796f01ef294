/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-stream-private.h"

#include <glib/gi18n-lib.h>

#include "mmio-error.h"
#include "mmio-file-private.h"

gboolean
mmio_stream_fail_closed (MmioFile *file,
                         GError  **error)
{
  if (file != NULL)
    return mmio_mapping_fail_closed (&file->mapping, error);

  g_set_error_literal (error, MMIO_ERROR, MMIO_ERROR_CLOSED, _("The stream was made without a file"));
  return FALSE;
}

gboolean
mmio_stream_seek (guint64   *position,
                  goffset    offset,
                  GSeekType  type,
                  guint64    end,
                  GError   **error)
{
  guint64 from = 0;
  gboolean fits;

  if (type == G_SEEK_CUR)
    from = *position;
  else if (type == G_SEEK_END)
    from = end;

  /* G_MININT64 has no positive twin. */
  if (offset < 0)
    fits = from >= (guint64) - (offset + 1) + 1;
  else
    fits = from <= (guint64) G_MAXINT64 - (guint64) offset;
  if (!fits)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, _("Can't seek to before the beginning, or past the largest offset"));
      return FALSE;
    }

  *position = from + (guint64) offset;
  return TRUE;
}
