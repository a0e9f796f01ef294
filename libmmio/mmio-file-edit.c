/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Changes that need no bytes from the caller.
 */
#include "config.h"

#include "mmio-file-private.h"

#include "mmio-bounds-private.h"

/**
 * mmio_file_fill:
 * @self: a file
 * @offset: where to begin, in bytes
 * @length: how many bytes
 * @byte: the value each of them gets
 * @error: return location for an error
 *
 * Sets every byte of a range to one value. As [method@Mmio.File.write] otherwise, whose errors it has. Blocks for as long as it takes to
 * have the pages.
 *
 * Returns: %TRUE if all bytes were written
 *
 * Since: 1.0
 */
gboolean
mmio_file_fill (MmioFile *self,
                guint64   offset,
                guint64   length,
                guint8    byte,
                GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!mmio_mapping_fill (&self->mapping, offset, length, byte, error))
    {
      mmio_file_tell_faults (self);
      return FALSE;
    }

  return mmio_file_after_write (self, length, error);
}

/**
 * mmio_file_move:
 * @self: a file
 * @to: where the bytes go, in bytes
 * @from: where they come from, in bytes
 * @length: how many
 * @error: return location for an error
 *
 * Moves bytes inside the file; the two ranges may overlap. As [method@Mmio.File.write] otherwise, whose errors it has: a reader
 * sees all of it or nothing. Blocks for as long as it takes to have the pages.
 *
 * Where the ranges overlap, all pages that are written to are had before the first byte moves, so that with %MMIO_ERROR_NO_SPACE all
 * is as it was. Should one of them go in the middle of it, since somebody truncates the file or the disk fails (%MMIO_ERROR_TRUNCATED,
 * %MMIO_ERROR_IO), both ranges are in an unspecified state.
 *
 * Returns: %TRUE if all bytes were moved
 *
 * Since: 1.0
 */
gboolean
mmio_file_move (MmioFile *self,
                guint64   to,
                guint64   from,
                guint64   length,
                GError  **error)
{
  gboolean success;
  MmioPin source;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  /* Pinned, so that what was checked stays there; and so that a fault in the source is known of. */
  if (!mmio_mapping_pin_passing (&self->mapping, &source, from, length, error))
    return FALSE;

  success = mmio_mapping_move (&self->mapping, to, &source, error) && mmio_mapping_check_pin (&self->mapping, &source, error);
  mmio_mapping_unpin (&self->mapping, &source);
  if (!success)
    {
      mmio_file_tell_faults (self);
      return FALSE;
    }

  return mmio_file_after_write (self, length, error);
}
