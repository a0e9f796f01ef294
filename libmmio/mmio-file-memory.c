/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Advice about memory, and what is in it.
 */
#include "config.h"

#include "mmio-file-private.h"

/**
 * mmio_file_advise:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @advice: what is going to be done with it
 * @error: return location for an error
 *
 * Tells the system what to expect of a range, which is widened to whole pages. See [madvise(2)](man:madvise(2)). No advice changes what
 * the range holds.
 *
 * It is about the memory that the range is mapped at: after [method@Mmio.File.reload], and once the file has outgrown
 * [property@Mmio.File:reserve-size], it has to be given again.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_NOT_SUPPORTED if the system doesn't know the advice, or for %MMIO_ADVICE_DONT_NEED on a copy-on-write
 * mapping; %MMIO_ERROR_ADVICE_FAILED; %MMIO_ERROR_OUT_OF_BOUNDS; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the system took it
 *
 * Since: 1.0
 */
gboolean
mmio_file_advise (MmioFile   *self,
                  guint64     offset,
                  guint64     length,
                  MmioAdvice  advice,
                  GError    **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_advise (&self->mapping, offset, length, advice, error);
}

/**
 * mmio_file_prefetch:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Asks the system to read a range into memory, and doesn't wait for it. [method@Mmio.File.touch] waits.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_ADVICE_FAILED, %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the system took it
 *
 * Since: 1.0
 */
gboolean
mmio_file_prefetch (MmioFile *self,
                    guint64   offset,
                    guint64   length,
                    GError  **error)
{
  return mmio_file_advise (self, offset, length, MMIO_ADVICE_WILL_NEED, error);
}

/**
 * mmio_file_touch:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Reads a range into memory and maps it, so that no later access to it waits, as long as memory lasts. See
 * [method@Mmio.File.lock_memory] to keep it there.
 *
 * May be called from any thread. Blocks until all of it is read; [method@Mmio.File.prefetch_async] doesn't.
 *
 * Errors: %MMIO_ERROR_TRUNCATED, %MMIO_ERROR_IO, %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if it was read
 *
 * Since: 1.0
 */
gboolean
mmio_file_touch (MmioFile *self,
                 guint64   offset,
                 guint64   length,
                 GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_populate (&self->mapping, offset, length, NULL, error);
}

/**
 * mmio_file_evict:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Asks the system to drop a range from memory. Pages that are dirty, locked, or mapped by somebody else stay. Nothing is lost.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_ADVICE_FAILED, %MMIO_ERROR_NOT_SUPPORTED, %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the system took it
 *
 * Since: 1.0
 */
gboolean
mmio_file_evict (MmioFile *self,
                 guint64   offset,
                 guint64   length,
                 GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_evict (&self->mapping, offset, length, error);
}

/**
 * mmio_file_lock_memory:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Reads a range into memory and keeps it there until [method@Mmio.File.unlock_memory], [method@Mmio.File.reload] or the end of the
 * file. See [mlock(2)](man:mlock(2)). Locks don't nest, and a forked child has none. A page that a fault took away comes back
 * unlocked with [method@Mmio.File.refresh].
 *
 * May be called from any thread. Blocks until all of it is read.
 *
 * Errors: %MMIO_ERROR_LOCK_FAILED, if `RLIMIT_MEMLOCK` is too low above all; %MMIO_ERROR_TRUNCATED if somebody else has made the file
 * shorter than that, and then nothing of the range is locked; %MMIO_ERROR_OUT_OF_BOUNDS; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if it is locked
 *
 * Since: 1.0
 */
gboolean
mmio_file_lock_memory (MmioFile *self,
                       guint64   offset,
                       guint64   length,
                       GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_lock_memory (&self->mapping, offset, length, TRUE, error);
}

/**
 * mmio_file_unlock_memory:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Takes back [method@Mmio.File.lock_memory].
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_LOCK_FAILED, %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if it isn't locked any more
 *
 * Since: 1.0
 */
gboolean
mmio_file_unlock_memory (MmioFile *self,
                         guint64   offset,
                         guint64   length,
                         GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_lock_memory (&self->mapping, offset, length, FALSE, error);
}

/**
 * mmio_file_get_resident_bytes:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @bytes: (out): how many bytes of it are in memory
 * @error: return location for an error
 *
 * Asks how much of a range is in memory, in whole pages: with `cachestat`, which is quick on large files, where the kernel has it (6.5), and
 * [mincore(2)](man:mincore(2)) elsewhere, and for copy-on-write mappings.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_NOT_SUPPORTED if the system can't tell, or doesn't tell this user, who neither owns the file nor may write to it;
 * %MMIO_ERROR_OUT_OF_BOUNDS; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the system told
 *
 * Since: 1.0
 */
gboolean
mmio_file_get_resident_bytes (MmioFile *self,
                              guint64   offset,
                              guint64   length,
                              guint64  *bytes,
                              GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_mapping_get_resident (&self->mapping, offset, length, bytes, error);
}

/**
 * mmio_file_get_huge_page_bytes:
 * @self: a file
 *
 * Gets how many bytes of the mapping are in huge pages now, whatever was asked for with [property@Mmio.File:huge-pages].
 *
 * May be called from any thread. Reads `/proc/self/smaps`, which takes its time in a process with many mappings.
 *
 * Returns: the number of bytes; 0 where the system doesn't tell
 *
 * Since: 1.0
 */
guint64
mmio_file_get_huge_page_bytes (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), 0);

  return mmio_mapping_get_huge_bytes (&self->mapping);
}
