/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in and out of a file, by copy and without.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>

static G_NO_INLINE gboolean
read_slowly (MmioFile *self,
             guint64   offset,
             gpointer  buffer,
             gsize     count,
             GError  **error)
{
  if (mmio_mapping_read (&self->mapping, offset, buffer, count, error))
    return TRUE;

  mmio_file_tell_faults (self);
  return FALSE;
}

/* More than is copied in line: this one calls memmove, and so has to save what it needs afterwards. Apart from mmio_file_read (), which
 * would save it for 64 bytes too, and from the loop over tries and stripes in mmio_mapping_read (): what that does beside the copy is
 * 5 % of a read of 4 KiB that are in no cache. The more instructions stand between two copies, the fewer loads of the second one has
 * the processor begun while it waits for those of the first. */
static G_NO_INLINE MMIO_HOT gboolean
read_much (MmioFile *self,
           guint64   offset,
           gpointer  buffer,
           gsize     count,
           GError  **error)
{
  /* So that the copy in line is left out. */
  if (count <= MMIO_COPY_INLINE_MAX)
    __builtin_unreachable ();

  if (G_LIKELY (mmio_mapping_try_read (&self->mapping, offset, buffer, count)))
    return TRUE;

  return read_slowly (self, offset, buffer, count, error);
}

/**
 * mmio_file_read: (skip)
 * @self: a file
 * @offset: where to read, in bytes
 * @buffer: (out caller-allocates) (array length=count) (element-type guint8): memory for @count bytes
 * @count: how many bytes to read
 * @error: return location for an error
 *
 * Copies bytes out of the file.
 *
 * All of them are from before, or all from after, any one [method@Mmio.File.write] of this object. Makes no system call while
 * the pages are in memory, and takes no lock that readers share.
 *
 * May be called from any thread. May block while the pages are read from the disk.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS if @offset + @count exceeds [property@Mmio.File:size]; %MMIO_ERROR_TRUNCATED if somebody else has
 * made the file shorter than that; %MMIO_ERROR_IO if the disk fails; %MMIO_ERROR_CLOSED. On an error @buffer's content is
 * unspecified.
 *
 * Returns: %TRUE if all @count bytes were read
 *
 * Since: 1.0
 */
MMIO_HOT gboolean
mmio_file_read (MmioFile *self,
                guint64   offset,
                gpointer  buffer,
                gsize     count,
                GError  **error)
{
  if (!mmio_is_file (self, G_STRFUNC))
    return FALSE;

  if (count > MMIO_COPY_INLINE_MAX)
    return read_much (self, offset, buffer, count, error);
  if (G_LIKELY (mmio_mapping_try_read (&self->mapping, offset, buffer, count)))
    return TRUE;

  /* The last thing done, with the same arguments: a jump. So the quick way calls nothing, and all that it needs (the five arguments, two
   * sequences, where to look for them again) fits into the registers that a function may use without saving them. */
  return read_slowly (self, offset, buffer, count, error);
}

/**
 * mmio_file_read_bytes: (rename-to mmio_file_read)
 * @self: a file
 * @offset: where to read, in bytes
 * @count: how many bytes to read
 * @error: return location for an error
 *
 * Copies bytes out of the file, into new memory. As [method@Mmio.File.read] otherwise; [method@Mmio.File.get_bytes] copies
 * nothing.
 *
 * Errors: those of [method@Mmio.File.read]; %G_IO_ERROR_NO_SPACE if there is no memory for the copy.
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 *
 * Since: 1.0
 */
GBytes *
mmio_file_read_bytes (MmioFile *self,
                      guint64   offset,
                      gsize     count,
                      GError  **error)
{
  g_autofree guint8 *buffer = NULL;
  gsize size;

  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  /* Not to try to allocate what can't be there. */
  size = mmio_mapping_get_size (&self->mapping);
  if (!mmio_range_is_inside (offset, count, size) && !mmio_file_is_closed (self))
    {
      mmio_range_fail (self->mapping.path, offset, count, size, error);
      return NULL;
    }
  if (mmio_file_is_closed (self))
    {
      mmio_mapping_fail_closed (&self->mapping, error);
      return NULL;
    }

  buffer = g_try_malloc (MAX (count, 1));
  if (buffer == NULL)
    {
      g_autofree char *name = mmio_mapping_dup_name (&self->mapping);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   g_dngettext (GETTEXT_PACKAGE, "%s: could not read %" PRIu64 " byte at offset %" PRIu64 ": %s",
                                "%s: could not read %" PRIu64 " bytes at offset %" PRIu64 ": %s", count),
                   name, (guint64) count, offset, g_strerror (ENOMEM));
      return NULL;
    }
  if (!mmio_file_read (self, offset, buffer, count, error))
    return NULL;

  return g_bytes_new_take (g_steal_pointer (&buffer), count);
}

/**
 * mmio_file_write:
 * @self: a file
 * @offset: where to write, in bytes
 * @data: (array length=length) (element-type guint8): what to write
 * @length: how many bytes
 * @error: return location for an error
 *
 * Copies bytes into the file. It doesn't grow: see [method@Mmio.File.resize].
 *
 * On return every process that maps or reads the file sees them; they survive a power cut after [method@Mmio.File.flush]. Copy-on-write
 * mappings keep them to themselves.
 *
 * May be called from any thread: writes of one object never mix. May block while a page is read from the disk. @data may lie in
 * a view of this object.
 *
 * Errors: %MMIO_ERROR_WRONG_MODE for a file mapped read-only; %MMIO_ERROR_OUT_OF_BOUNDS if @offset + @length exceeds
 * [property@Mmio.File:size], and then nothing is written; %MMIO_ERROR_NO_SPACE if the range has holes and the disk is full, and then
 * the bytes before the first page that could not be had have been written, and none from there on; %MMIO_ERROR_TRUNCATED if somebody
 * else has made the file shorter than that, or %MMIO_ERROR_IO, and then some may have been written; %MMIO_ERROR_CLOSED;
 * %MMIO_ERROR_FLUSH_FAILED where [property@Mmio.File:flush-policy] made it flush, and that failed.
 *
 * Returns: %TRUE if all bytes were written
 *
 * Since: 1.0
 */
MMIO_HOT gboolean
mmio_file_write (MmioFile      *self,
                 guint64        offset,
                 gconstpointer  data,
                 gsize          length,
                 GError       **error)
{
  if (!mmio_is_file (self, G_STRFUNC))
    return FALSE;
  g_return_val_if_fail (data != NULL || length == 0, FALSE);

  /* One locked instruction, which costs more than all the rest: the lock is let go by a plain store. Six registers are saved here, about
   * 1 ns, since what follows the copy (the dirty range, the flush policy) needs the arguments again. */
  if (G_UNLIKELY (!mmio_mapping_try_write (&self->mapping, offset, data, length) &&
                  !mmio_mapping_write (&self->mapping, offset, data, length, error)))
    {
      mmio_file_tell_faults (self);
      return FALSE;
    }

  return mmio_file_after_write (self, length, error);
}

/**
 * mmio_file_write_bytes:
 * @self: a file
 * @offset: where to write, in bytes
 * @bytes: what to write
 * @error: return location for an error
 *
 * Copies bytes into the file. As [method@Mmio.File.write] otherwise.
 *
 * Returns: %TRUE if all bytes were written
 *
 * Since: 1.0
 */
gboolean
mmio_file_write_bytes (MmioFile *self,
                       guint64   offset,
                       GBytes   *bytes,
                       GError  **error)
{
  gconstpointer data;
  gsize length;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (bytes != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  data = g_bytes_get_data (bytes, &length);

  return mmio_file_write (self, offset, data, length, error);
}

/**
 * mmio_file_peek: (skip)
 * @self: a file
 * @offset: where to look, in bytes
 * @length: how many bytes must be there
 * @error: return location for an error
 *
 * Borrows a pointer to the file's bytes: the cheapest way to look at them.
 *
 * Nothing is pinned. The pointer is valid until the file is closed, reloaded, finalised or shrunk below the range, which the caller
 * has to rule out; it stays valid while the file grows. What it points to is what the file holds at the moment of looking.
 * If somebody truncates the file zeros are seen there, and nobody says so: [method@Mmio.View.check] does.
 *
 * May be called from any thread. Never blocks, but looking at the bytes may.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: (transfer none) (nullable): the bytes, or %NULL with @error set
 *
 * Since: 1.0
 */
MMIO_HOT gconstpointer
mmio_file_peek (MmioFile *self,
                guint64   offset,
                gsize     length,
                GError  **error)
{
  gsize size;

  if (!mmio_is_file (self, G_STRFUNC))
    return NULL;

  /* Fourteen instructions without a frame: the type, the two comparisons, base + offset. The slow way is a jump with the same arguments. */
  size = mmio_mapping_get_size (&self->mapping);
  if (G_LIKELY (offset < size && mmio_range_is_inside (offset, length, size)))
    return __atomic_load_n (&self->mapping.base, __ATOMIC_RELAXED) + offset;

  return mmio_mapping_peek (&self->mapping, offset, length, error);
}

/**
 * mmio_file_get_bytes:
 * @self: a file
 * @offset: where the bytes begin
 * @length: how many
 * @error: return location for an error
 *
 * Gets a window on the file as [struct@GLib.Bytes], without a copy.
 *
 * Against the contract of `GBytes` its content changes when the file does. It keeps the file and the range alive until it is
 * freed: meanwhile [method@Mmio.File.resize] to less is %MMIO_ERROR_BUSY.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 *
 * Since: 1.0
 */
GBytes *
mmio_file_get_bytes (MmioFile *self,
                     guint64   offset,
                     gsize     length,
                     GError  **error)
{
  MmioView *view = mmio_file_get_view (self, offset, length, error);

  if (view == NULL)
    return NULL;

  /* Nobody else knows this view, so nobody can release it: the bytes need no hold of their own, as those of mmio_view_get_bytes () do. */
  return g_bytes_new_with_free_func (mmio_view_get_pointer (view), length, (GDestroyNotify) mmio_view_unref, view);
}
