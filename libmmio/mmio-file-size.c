/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The size of a file, and which file it is.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmio-error.h"

/**
 * mmio_file_resize:
 * @self: a file
 * @size: the new size in bytes
 * @error: return location for an error
 *
 * Changes the size of the file, whatever size others may have given it meanwhile: what somebody else has appended behind @size is cut
 * off. Those who change the size of one file agree on it by [method@Mmio.File.lock_range]. What it grows by reads as zeros.
 *
 * No reader waits, and while the file grows no pointer moves. The new size survives a power cut after [method@Mmio.File.flush].
 *
 * May be called from any thread. `notify::size` is emitted in the calling one.
 *
 * Errors: %MMIO_ERROR_WRONG_MODE unless the mode is %MMIO_MODE_READ_WRITE; %MMIO_ERROR_BUSY if a view reaches past the new end;
 * %MMIO_ERROR_NO_SPACE if [property@Mmio.File:preallocate] is set and the disk is full; %MMIO_ERROR_RESIZE_FAILED if the file system
 * or the address space doesn't allow it; %MMIO_ERROR_CLOSED. On an error size and content are as they were.
 *
 * Returns: %TRUE if the file has the new size
 *
 * Since: 1.0
 */
gboolean
mmio_file_resize (MmioFile *self,
                  guint64   size,
                  GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  g_atomic_int_set (&self->has_stored, TRUE);
  if (!mmio_mapping_resize (&self->mapping, size, error))
    return FALSE;

  mmio_file_take_size (self, size);
  mmio_file_notify_size (self);
  return TRUE;
}

/**
 * mmio_file_refresh:
 * @self: a file
 * @error: return location for an error
 *
 * Takes over the size that others have given the file, and puts the file's own pages back where a fault has left zeros: views of them
 * show the file again and [method@Mmio.View.check] succeeds.
 *
 * May be called from any thread. `notify::size` is emitted in the calling one, if the size has changed.
 *
 * Errors: %MMIO_ERROR_IO if the size can't be had; %MMIO_ERROR_RESIZE_FAILED if the larger file can't be mapped;
 * %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if [property@Mmio.File:size] is that of the file
 *
 * Since: 1.0
 */
gboolean
mmio_file_refresh (MmioFile *self,
                   GError  **error)
{
  gsize old_size;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  old_size = mmio_mapping_get_size (&self->mapping);
  if (!mmio_mapping_refresh (&self->mapping, error))
    return FALSE;

  if (mmio_mapping_get_size (&self->mapping) != old_size)
    mmio_file_notify_size (self);
  return TRUE;
}

/**
 * mmio_file_reload:
 * @self: a file
 * @error: return location for an error
 *
 * Maps what the path names now, which is another file if it was replaced.
 *
 * Views, bytes and atomics keep showing the old file, and what is stored through them from then on is not flushed with this object.
 * If the path still names that very file they stay a part of it: they are flushed, keep a shrink off, and what has faulted
 * in them is healed as by [method@Mmio.File.refresh].
 *
 * What was written to the old file and not flushed is left to the kernel. An earlier failure to flush is
 * forgotten: this is the way on from %MMIO_ERROR_FLUSH_FAILED. What was to become durable then has to be written again: what
 * is read is what memory holds, which the disk may not have. Locks on ranges are given up. Pages of a copy-on-write mapping that were written to are lost.
 *
 * A file that has no name is mapped anew from its descriptor.
 *
 * May be called from any thread, while others read: each read is of the old file or of the new one. `notify::size` is emitted in
 * the calling thread, if the size has changed.
 *
 * Errors: those of [ctor@Mmio.File.open]; %MMIO_ERROR_IO if it can't be mapped; %MMIO_ERROR_CLOSED. On an error the mapping is as it
 * was.
 *
 * Returns: %TRUE if the file was mapped anew
 *
 * Since: 1.0
 */
gboolean
mmio_file_reload (MmioFile *self,
                  GError  **error)
{
  MmioMapping *mapping;
  struct stat buffer;
  gsize old_size;
  int fd;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  mapping = &self->mapping;
  if (mmio_file_is_closed (self))
    return mmio_mapping_fail_closed (mapping, error);

  if (self->has_name)
    {
      fd = mmio_file_open_regular (mmio_file_get_full_path (self), mapping->mode, error);
    }
  else
    {
      fd = mmio_mapping_dup_fd (mapping, error);
    }
  if (fd < 0)
    return FALSE;

  old_size = mmio_mapping_get_size (mapping);
  if (fstat (fd, &buffer) != 0)
    {
      int saved_errno = errno;
      g_autofree char *name = mmio_mapping_dup_name (mapping);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_IO, _("%s: could not get the size: %s"), name, g_strerror (saved_errno));
      close (fd);
      return FALSE;
    }
  if (!mmio_file_check_regular (mapping->path, &buffer, error))
    {
      close (fd);
      return FALSE;
    }
  mmio_file_begin_reload (self);
  if (!mmio_mapping_replace (mapping, fd, !self->has_name, (guint64) buffer.st_size, error))
    {
      mmio_file_end_reload (self, FALSE);
      close (fd);
      return FALSE;
    }

  mmio_file_take_seen (self, &buffer);
  mmio_file_end_reload (self, TRUE);
  if (mmio_mapping_get_size (mapping) != old_size)
    mmio_file_notify_size (self);
  return TRUE;
}
