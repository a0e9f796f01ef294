/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-chunk-iter.h"

#include "mmio-file-private.h"
#include "mmio-error.h"
#include "mmio-os-private.h"

G_DEFINE_BOXED_TYPE (MmioChunkIter, mmio_chunk_iter, mmio_chunk_iter_copy, mmio_chunk_iter_free)

/**
 * mmio_chunk_iter_init: (skip)
 * @self: uninitialised memory
 * @file: a file
 * @chunk_size: the length of a chunk in bytes; 0 for the size of a page
 * @error: return location for an error
 *
 * Begins to walk through a file. Undone by [method@Mmio.ChunkIter.clear].
 *
 * A file that is not in memory, or larger than it, is walked twice as fast after [method@Mmio.File.advise] with
 * %MMIO_ADVICE_SEQUENTIAL: without it the system reads on both sides of the page that was touched. It is the caller's to say, since the
 * advice is for all who use this mapping.
 *
 * Errors: %MMIO_ERROR_CLOSED; @self is then cleared.
 *
 * Returns: %TRUE if there is something to walk through
 *
 * Since: 1.0
 */
gboolean
mmio_chunk_iter_init (MmioChunkIter *self,
                      MmioFile      *file,
                      gsize          chunk_size,
                      GError       **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (MMIO_IS_FILE (file), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  *self = (MmioChunkIter){ .chunk_size = chunk_size != 0 ? chunk_size : mmio_os_page_size () };

  /* A shrink may come between asking for the size and pinning that much. */
  while (self->view == NULL)
    {
      g_autoptr (GError) local_error = NULL;

      self->view = mmio_file_get_view (file, 0, mmio_mapping_get_size (&file->mapping), &local_error);
      if (self->view == NULL && !g_error_matches (local_error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }

  self->data = mmio_view_get_pointer (self->view);
  self->left = mmio_view_get_length (self->view);
  return TRUE;
}

/**
 * mmio_chunk_iter_clear: (skip)
 * @self: an iterator
 *
 * Lets go of the file. What [method@Mmio.ChunkIter.next] gave must not be used any more.
 *
 * Since: 1.0
 */
void
mmio_chunk_iter_clear (MmioChunkIter *self)
{
  g_return_if_fail (self != NULL);

  g_clear_pointer (&self->view, mmio_view_unref);
  self->data = NULL;
  self->left = 0;
}

/**
 * mmio_chunk_iter_next: (skip)
 * @self: an iterator
 * @data: (out) (array length=length) (element-type guint8) (transfer none): the chunk
 * @length: (out): its length in bytes
 *
 * Goes on to the next chunk. The last one may be shorter than the others.
 *
 * The memory is valid until the iterator is cleared or freed. Where the file was truncated by somebody else it is zeros, and
 * [method@Mmio.ChunkIter.check] says so.
 *
 * Returns: %FALSE if there is none left
 *
 * Since: 1.0
 */
gboolean
mmio_chunk_iter_next (MmioChunkIter *self,
                      gconstpointer *data,
                      gsize         *length)
{
  /* Fourteen instructions without a branch: the smaller one is a conditional move, and the end is a chunk of nothing. The range was pinned and
   * checked once, by init, so that a step has nothing to ask and nothing to fail with. */
  gsize n = MIN (self->left, self->chunk_size);

  *data = self->data;
  *length = n;
  self->data += n;
  self->left -= n;

  return n > 0;
}

/**
 * mmio_chunk_iter_next_value:
 * @self: an iterator
 * @length: (out): the length of the chunk in bytes
 *
 * Goes on to the next chunk. As [method@Mmio.ChunkIter.next] otherwise, for languages in which an array has a length.
 *
 * Returns: (array length=length) (element-type guint8) (transfer none) (nullable): the chunk; %NULL if there is none left
 *
 * Since: 1.0
 */
gconstpointer
mmio_chunk_iter_next_value (MmioChunkIter *self,
                            gsize         *length)
{
  gconstpointer data;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (length != NULL, NULL);

  return mmio_chunk_iter_next (self, &data, length) ? data : NULL;
}

/**
 * mmio_chunk_iter_next_view:
 * @self: an iterator
 *
 * Goes on to the next chunk, as a view with its own hold on its range.
 *
 * Returns: (transfer full) (nullable): the chunk; %NULL if there is none left
 *
 * Since: 1.0
 */
MmioView *
mmio_chunk_iter_next_view (MmioChunkIter *self)
{
  gconstpointer data;
  gsize length;
  guint64 offset;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->view == NULL)
    return NULL;
  offset = mmio_view_get_length (self->view) - self->left;

  return mmio_chunk_iter_next (self, &data, &length) ? mmio_view_sub (self->view, offset, length, NULL) : NULL;
}

/**
 * mmio_chunk_iter_check:
 * @self: an iterator
 * @error: return location for an error
 *
 * Whether all that was given was the file's. See [method@Mmio.View.check].
 *
 * Errors: %MMIO_ERROR_TRUNCATED, %MMIO_ERROR_IO.
 *
 * Returns: %TRUE if no fault has hit the range
 *
 * Since: 1.0
 */
gboolean
mmio_chunk_iter_check (MmioChunkIter *self,
                       GError       **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return self->view == NULL || mmio_view_check (self->view, error);
}

/**
 * mmio_chunk_iter_copy:
 * @self: an iterator
 *
 * Makes a second iterator that stands at the same chunk.
 *
 * Returns: (transfer full): the iterator
 *
 * Since: 1.0
 */
MmioChunkIter *
mmio_chunk_iter_copy (MmioChunkIter *self)
{
  MmioChunkIter *copy;

  g_return_val_if_fail (self != NULL, NULL);

  copy = g_memdup2 (self, sizeof *self);
  if (copy->view != NULL)
    mmio_view_ref (copy->view);

  return copy;
}

/**
 * mmio_chunk_iter_free:
 * @self: (transfer full): an iterator from [method@Mmio.File.chunks] or [method@Mmio.ChunkIter.copy]
 *
 * Frees an iterator.
 *
 * Since: 1.0
 */
void
mmio_chunk_iter_free (MmioChunkIter *self)
{
  g_return_if_fail (self != NULL);

  mmio_chunk_iter_clear (self);
  g_free (self);
}

/**
 * mmio_file_chunks:
 * @self: a file
 * @chunk_size: the length of a chunk in bytes; 0 for the size of a page
 * @error: return location for an error
 *
 * Begins to walk through the file: [method@Mmio.ChunkIter.init] for languages that have no stack to put it on.
 *
 * A file that is not in memory, or larger than it, is walked twice as fast after [method@Mmio.File.advise] with
 * %MMIO_ADVICE_SEQUENTIAL: without it the system reads on both sides of the page that was touched. It is the caller's to say, since the
 * advice is for all who use this mapping.
 *
 * Errors: %MMIO_ERROR_CLOSED.
 *
 * Returns: (transfer full): an iterator, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioChunkIter *
mmio_file_chunks (MmioFile *self,
                  gsize     chunk_size,
                  GError  **error)
{
  MmioChunkIter iter;

  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (!mmio_chunk_iter_init (&iter, self, chunk_size, error))
    return NULL;

  return g_memdup2 (&iter, sizeof iter);
}
