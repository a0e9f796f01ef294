/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Making what was written durable.
 */
#include "config.h"

#include "mmio-file-private.h"

#include "mmio-error.h"

static gboolean
flush (MmioFile *self,
       guint64   offset,
       guint64   length,
       GError  **error)
{
  gsize since = length == G_MAXUINT64 ? mmio_flusher_begin (&self->flusher) : 0;
  MmioFlushed flushed;

  if (!mmio_mapping_flush (&self->mapping, offset, length, &flushed, error))
    {
      mmio_flusher_undo (&self->flusher, since);
      return FALSE;
    }

  if (flushed.first != G_MAXSIZE)
    g_atomic_int_set (&self->has_stored, TRUE);
  if (flushed.first != G_MAXSIZE && g_atomic_int_get (&self->announce))
    mmio_file_announce (self, &flushed);
  return TRUE;
}

/* A failure stays with the mapping: whoever flushes next is told. */
void
mmio_file_flush_pending (GObject *object)
{
  MmioFile *self = MMIO_FILE (object);

  if (!mmio_file_is_closed (self) &&
      (mmio_mapping_get_pending (&self->mapping) > 0 || g_atomic_int_get (&self->mapping.size_pending)))
    flush (self, 0, G_MAXUINT64, NULL);
}

/**
 * mmio_file_flush:
 * @self: a file
 * @error: return location for an error
 *
 * Makes what was written durable: when this returns %TRUE all bytes written before the call, by whatever means of this object, and the
 * size, survive a power cut, as far as the disk keeps its word.
 *
 * Syncs the ranges that can be dirty: those written to, and those of live writable views; see [msync(2)](man:msync(2)) with `MS_SYNC`.
 * Of what others have made dirty it syncs no more than what lies between two such ranges that are less than 1 MiB from each other, and,
 * where the size is to be synced, what [fdatasync(2)](man:fdatasync(2)) does. Then, unless [property@Mmio.File:announce] is off, it makes
 * itself heard to watchers. On a file mapped for reading there is nothing to do.
 *
 * May be called from any thread; blocks until the disk has answered, and neither readers nor writers wait for it.
 *
 * Errors: %MMIO_ERROR_FLUSH_FAILED if the system reports that it could not write. It reports this once and then
 * forgets, so every later flush of this object fails too, with the first error, until [method@Mmio.File.reload]. It reports it
 * once to each open file, as [open(2)](man:open(2)) makes them: of those that share one, an object of [ctor@Mmio.File.new_for_fd] with
 * the owner of the descriptor or a forked child with its parent, only the first that syncs is told.
 * %MMIO_ERROR_TRUNCATED if somebody else has cut off what was written, and %MMIO_ERROR_IO if a store through a view or an atomic was lost
 * (see [method@Mmio.View.check]), both until [method@Mmio.File.refresh]. %MMIO_ERROR_WRONG_MODE for a copy-on-write mapping, whose changes
 * never reach the file; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if everything is on the disk
 *
 * Since: 1.0
 */
gboolean
mmio_file_flush (MmioFile *self,
                 GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return flush (self, 0, G_MAXUINT64, error);
}

/**
 * mmio_file_flush_range:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Makes what was written to a range durable. As [method@Mmio.File.flush] otherwise.
 *
 * A range that isn't inside the file is %MMIO_ERROR_OUT_OF_BOUNDS.
 *
 * Returns: %TRUE if the range is on the disk
 *
 * Since: 1.0
 */
gboolean
mmio_file_flush_range (MmioFile *self,
                       guint64   offset,
                       guint64   length,
                       GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  /* What mmio_mapping_flush () takes for "to the end" is no range that could be inside a file. */
  if (length == G_MAXUINT64 && !mmio_file_is_closed (self))
    return mmio_range_fail (self->mapping.path, offset, length, mmio_mapping_get_size (&self->mapping), error);

  return flush (self, offset, length, error);
}

/**
 * mmio_file_start_writeback:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Asks the system to begin writing a range to the disk, and doesn't wait for it. Nothing is durable by it, and what is pending stays so;
 * a later flush has less to wait for. See [sync_file_range(2)](man:sync_file_range(2)); where there is no such call nothing is done.
 *
 * May be called from any thread. May block for a moment where the disk's queue is full.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS; %MMIO_ERROR_IO; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if nothing stands against it
 *
 * Since: 1.0
 */
gboolean
mmio_file_start_writeback (MmioFile *self,
                           guint64   offset,
                           guint64   length,
                           GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_start_writeback (&self->mapping, offset, length, error);
}

/**
 * mmio_file_get_pending_bytes:
 * @self: a file
 *
 * Gets how many bytes a flush would have to make durable: those written to since, and those of live writable views, which may be written
 * to at any time. Never less than what is pending; more where more than 32 separate ranges were written to, since the gaps between
 * the closest of them are counted then.
 *
 * May be called from any thread.
 *
 * Returns: the number of bytes
 *
 * Since: 1.0
 */
guint64
mmio_file_get_pending_bytes (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), 0);

  return mmio_mapping_get_pending (&self->mapping);
}

/**
 * mmio_file_close:
 * @self: a file
 * @error: return location for an error
 *
 * Flushes what is pending, stops the watch, and lets go of the file: its descriptor is closed, and its memory given back once no view
 * and no borrowed bytes use it. Whoever calls anything else on it afterwards gets %MMIO_ERROR_CLOSED, also a thread that is in the middle
 * of a read. Closing a closed file does nothing.
 *
 * The file is closed in any case; where the flush fails its error is reported.
 *
 * May be called from any thread; blocks until the disk has answered if anything is pending. `notify::size` is emitted in the
 * calling thread.
 *
 * Errors: those of [method@Mmio.File.flush]: %MMIO_ERROR_FLUSH_FAILED, %MMIO_ERROR_TRUNCATED, %MMIO_ERROR_IO.
 *
 * Returns: %TRUE if what was written is on the disk
 *
 * Since: 1.0
 */
gboolean
mmio_file_close (MmioFile *self,
                 GError  **error)
{
  g_autoptr (GError) local_error = NULL;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (mmio_file_is_closed (self))
    return TRUE;

  if (mmio_file_stop_watch (self, TRUE))
    mmio_file_notify_watching (self);
  if (self->mapping.mode == MMIO_MODE_READ_WRITE)
    flush (self, 0, G_MAXUINT64, &local_error);
  /* Another thread was quicker to close it. */
  if (g_error_matches (local_error, MMIO_ERROR, MMIO_ERROR_CLOSED))
    return TRUE;

  mmio_mapping_close (&self->mapping);
  if (!self->mapping.is_inherited)
    mmio_flusher_stop (&self->flusher);
  mmio_file_notify_size (self);
  if (local_error == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}
