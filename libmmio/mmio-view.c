/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-view.h"

#include "mmio-file-private.h"

/**
 * MmioView:
 *
 * A window on a range of a mapped file, without a copy.
 *
 * A view shows what the file holds at the moment of looking, and keeps its range where it is: the memory stays valid, also when the file
 * grows, is replaced, or closed, and a shrink that would cut it off is %MMIO_ERROR_BUSY. Views have no locks: who
 * writes while another reads coordinates it, with atomics or range locks.
 *
 * If somebody else truncates the file, or the disk fails, the lost pages read as zeros and [method@Mmio.View.check] says so.
 *
 * ```c
 * g_autoptr (MmioView) view = mmio_file_get_view (file, 0, 4096, &error);
 *
 * if (view != NULL)
 *   {
 *     process (mmio_view_get_pointer (view), mmio_view_get_length (view));
 *     if (!mmio_view_check (view, &error))
 *       g_printerr ("%s\n", error->message);
 *   }
 * ```
 *
 * The reference count may be used from any thread.
 *
 * Since: 1.0
 */
struct _MmioView
{
  gatomicrefcount ref_count;
  MmioFile *file;               /* owned */
  guint64 offset;
  gint released;                /* atomic: who turns it on takes the pin out */
  MmioPin pin;
};

G_DEFINE_BOXED_TYPE (MmioView, mmio_view, mmio_view_ref, mmio_view_unref)

/* What a view costs is this allocation and five locked instructions: the file's reference up and down, the pins' lock as often, and the last
 * look at its own count. The pin is a part of the view, so that there is nothing else to allocate, and one of a list with links both ways,
 * so that no other view is looked at. */
static MmioView *
view_alloc (MmioFile *file)
{
  MmioView *self = g_new (MmioView, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->file = g_object_ref (file);
  self->released = FALSE;

  return self;
}

static void
view_free (MmioView *self)
{
  g_object_unref (self->file);
  g_free (self);
}

/* In line: dropping a view calls nothing more for it. */
static inline __attribute__ ((always_inline)) void
view_let_go (MmioView *self)
{
  mmio_mapping_unpin (&self->file->mapping, &self->pin);
  /* The flush policy counts it as a write. If the flush fails the next one says so. */
  if (self->pin.writable && !mmio_file_is_closed (self->file))
    mmio_file_after_write (self->file, self->pin.length, NULL);
}

static MmioView *
view_new (MmioFile *file,
          guint64   offset,
          gsize     length,
          gboolean  writable,
          GError  **error)
{
  MmioView *self = view_alloc (file);

  self->offset = offset;
  mmio_file_listen_for_faults (file);
  if (mmio_mapping_pin (&file->mapping, &self->pin, offset, length, writable, error))
    return self;

  view_free (self);
  return NULL;
}

/**
 * mmio_file_get_view:
 * @self: a file
 * @offset: where the view begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Gets a window on a range of the file, for reading. See [struct@Mmio.View].
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: (transfer full): the view, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioView *
mmio_file_get_view (MmioFile *self,
                    guint64   offset,
                    gsize     length,
                    GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return view_new (self, offset, length, FALSE, error);
}

/**
 * mmio_file_get_writable_view:
 * @self: a file
 * @offset: where the view begins, in bytes
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Gets a window on a range of the file, for reading and writing. See [struct@Mmio.View].
 *
 * What is stored through it can't be seen by the library, so all of the view counts as written while it lives:
 * [method@Mmio.File.flush] syncs it each time.
 *
 * A store into a hole of the file while the disk is full is lost, and [method@Mmio.View.check] says so;
 * [property@Mmio.File:preallocate] rules it out.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_WRONG_MODE for a file mapped read-only; %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: (transfer full): the view, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioView *
mmio_file_get_writable_view (MmioFile *self,
                             guint64   offset,
                             gsize     length,
                             GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return view_new (self, offset, length, TRUE, error);
}

/**
 * mmio_view_ref:
 * @self: a view
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
MmioView *
mmio_view_ref (MmioView *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);

  return self;
}

/**
 * mmio_view_unref:
 * @self: (transfer full): a view
 *
 * Drops a reference. The last one releases the range.
 *
 * Since: 1.0
 */
void
mmio_view_unref (MmioView *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  /* Nobody else has it any more, so there is nobody to be quicker than: a look is enough. */
  if (!g_atomic_int_get (&self->released))
    view_let_go (self);
  view_free (self);
}

/**
 * mmio_view_release:
 * @self: a view
 *
 * Lets go of the range before the last reference goes: for languages in which nobody knows when that is. From then on the view has length 0
 * and no data. Memory that was got from it must not be used any more; bytes from [method@Mmio.View.get_bytes] and views from
 * [method@Mmio.View.sub] have their own hold on the range and stay valid.
 *
 * Since: 1.0
 */
void
mmio_view_release (MmioView *self)
{
  g_return_if_fail (self != NULL);

  if (g_atomic_int_compare_and_exchange (&self->released, FALSE, TRUE))
    view_let_go (self);
}

/**
 * mmio_view_get_file:
 * @self: a view
 *
 * Gets the file that the view is of, which lives at least as long as the view.
 *
 * Returns: (transfer none): the file
 *
 * Since: 1.0
 */
MmioFile *
mmio_view_get_file (MmioView *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->file;
}

/**
 * mmio_view_get_offset:
 * @self: a view
 *
 * Gets where in the file the view begins.
 *
 * Returns: the offset in bytes
 *
 * Since: 1.0
 */
guint64
mmio_view_get_offset (MmioView *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->offset;
}

/**
 * mmio_view_get_length:
 * @self: a view
 *
 * Gets the length of the view.
 *
 * Returns: the length in bytes; 0 once it is released
 *
 * Since: 1.0
 */
gsize
mmio_view_get_length (MmioView *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return g_atomic_int_get (&self->released) ? 0 : self->pin.length;
}

/**
 * mmio_view_is_writable:
 * @self: a view
 *
 * Whether the view's memory may be stored to.
 *
 * Returns: %TRUE if it may
 *
 * Since: 1.0
 */
gboolean
mmio_view_is_writable (MmioView *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->pin.writable;
}

/**
 * mmio_view_get_pointer:
 * @self: a view
 *
 * Gets the address of the view's memory, which may be stored to only if the view is writable. Valid as long as the view isn't
 * released.
 *
 * Returns: (nullable): the address; %NULL once the view is released
 *
 * Since: 1.0
 */
gpointer
mmio_view_get_pointer (MmioView *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (g_atomic_int_get (&self->released))
    return NULL;

  return self->pin.region->base != NULL ? self->pin.region->base + self->pin.offset : (gpointer) "";
}

/**
 * mmio_view_get_data:
 * @self: a view
 * @length: (out) (optional): the length in bytes
 *
 * Gets the view's memory. As [method@Mmio.View.get_pointer] otherwise.
 *
 * Returns: (array length=length) (element-type guint8) (transfer none) (nullable): the memory; %NULL once the view is released
 *
 * Since: 1.0
 */
gpointer
mmio_view_get_data (MmioView *self,
                    gsize    *length)
{
  g_return_val_if_fail (self != NULL, NULL);

  if (length != NULL)
    *length = mmio_view_get_length (self);

  return mmio_view_get_pointer (self);
}

/**
 * mmio_view_sub:
 * @self: a view
 * @offset: where the part begins, in bytes from the beginning of the view
 * @length: its length in bytes
 * @error: return location for an error
 *
 * Gets a part of the view, with its own hold on its range.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS if the part isn't inside the view, which has length 0 once it is released.
 *
 * Returns: (transfer full): the part, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioView *
mmio_view_sub (MmioView *self,
               guint64   offset,
               gsize     length,
               GError  **error)
{
  MmioView *part;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (g_atomic_int_get (&self->released))
    {
      mmio_range_fail (self->file->mapping.path, offset, length, 0, error);
      return NULL;
    }

  part = view_alloc (self->file);
  part->offset = self->offset + offset;
  if (mmio_mapping_pin_part (&self->file->mapping, &part->pin, &self->pin, offset, length, error))
    return part;

  view_free (part);
  return NULL;
}

/**
 * mmio_view_get_bytes:
 * @self: a view
 *
 * Gets the view's memory as [struct@GLib.Bytes], without a copy. The bytes have their own hold on the range.
 *
 * Returns: (transfer full): the bytes; empty once the view is released
 *
 * Since: 1.0
 */
GBytes *
mmio_view_get_bytes (MmioView *self)
{
  MmioView *hold;

  g_return_val_if_fail (self != NULL, NULL);

  hold = mmio_view_sub (self, 0, mmio_view_get_length (self), NULL);
  if (hold == NULL)
    return g_bytes_new_static ("", 0);

  return g_bytes_new_with_free_func (mmio_view_get_pointer (hold), mmio_view_get_length (hold),
                                     (GDestroyNotify) mmio_view_unref, hold);
}

/**
 * mmio_view_check:
 * @self: a view
 * @error: return location for an error
 *
 * Whether everything that was seen through the view was the file's. To be asked after looking.
 *
 * A fault (the file was truncated by somebody else, the disk was full or failed) leaves zeros in the view, and stores into them are lost.
 * Stays failed until [method@Mmio.File.refresh] puts the file's own pages back. A truncation inside the last page that is left
 * is no fault: its tail reads as zeros; see [mmap(2)](man:mmap(2)).
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_TRUNCATED if the file is too short for the view now; %MMIO_ERROR_IO otherwise.
 *
 * Returns: %TRUE if no fault has hit the view
 *
 * Since: 1.0
 */
gboolean
mmio_view_check (MmioView *self,
                 GError  **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (g_atomic_int_get (&self->released))
    return TRUE;

  return mmio_mapping_check_pin (&self->file->mapping, &self->pin, error);
}
