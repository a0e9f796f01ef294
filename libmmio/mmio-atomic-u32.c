/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-atomic-private.h"

#include "mmio-file-private.h"

/**
 * MmioAtomicU32:
 *
 * One or more 32-bit integers in a mapped file, for threads and processes to share.
 *
 * All operations are sequentially consistent, for threads and for processes that map the same file, whatever address they have it at.
 * Those that change an element return what it was before. Values are in the byte order of the machine.
 *
 * ```c
 * g_autoptr (MmioAtomicU32) counter = mmio_file_get_atomic_u32 (file, 0, 1, &error);
 *
 * if (counter != NULL)
 *   {
 *     mmio_atomic_u32_add (counter, 0, 1);
 *     mmio_atomic_u32_wake (counter, 0, 1);
 *   }
 * ```
 *
 * Operations take an index, which is 0 where there is one element. They are a few instructions and report no errors: an
 * index that isn't less than [method@Mmio.AtomicU32.get_length], or a change where the file is mapped for reading, is a programmer
 * error, which is logged and does nothing.
 *
 * It keeps its range where it is, as a view does: it works on the same memory while the file grows, is replaced or closes, and a shrink
 * that would cut it off is %MMIO_ERROR_BUSY. What is changed through it can't be seen by the library, so all of it counts as
 * written while it lives: [method@Mmio.File.flush] syncs it each time.
 *
 * If somebody else truncates the file its elements read as zeros and changes are lost: [method@Mmio.AtomicU32.check] says so.
 *
 * What the file's mode means here:
 *
 * - %MMIO_MODE_READ_WRITE: everything, shared with all who map the file.
 * - %MMIO_MODE_READ_ONLY: `load`, `wait` and `wake`.
 * - %MMIO_MODE_COPY_ON_WRITE: everything, shared by the threads that use this [class@Mmio.File] and with nobody else: the first
 *   change gives the mapping its own page, in which later changes of others don't show; so does the first `wait` or `wake`.
 *
 * May be used from any thread.
 *
 * Since: 1.0
 */
struct _MmioAtomicU32
{
  MmioAtomic atomic;
};

G_DEFINE_BOXED_TYPE (MmioAtomicU32, mmio_atomic_u32, mmio_atomic_u32_ref, mmio_atomic_u32_unref)

/**
 * mmio_file_get_atomic_u32:
 * @self: a file
 * @offset: where the first element is, in bytes; a multiple of 4
 * @n_elements: how many elements there are, one after the other
 * @error: return location for an error
 *
 * Gets 32-bit integers in the file, to be changed atomically. See [struct@Mmio.AtomicU32].
 *
 * A range that lies in a hole of the file while the disk is full can't be stored to; [property@Mmio.File:preallocate] rules it out.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_MISALIGNED if @offset isn't a multiple of 4; %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_CLOSED.
 *
 * Returns: (transfer full): the elements, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioAtomicU32 *
mmio_file_get_atomic_u32 (MmioFile *self,
                          guint64   offset,
                          gsize     n_elements,
                          GError  **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return (MmioAtomicU32 *) mmio_atomic_new (self, offset, n_elements, sizeof (guint32), error);
}

/**
 * mmio_atomic_u32_ref:
 * @self: an atomic
 *
 * Takes a reference.
 *
 * Returns: (transfer full): @self
 *
 * Since: 1.0
 */
MmioAtomicU32 *
mmio_atomic_u32_ref (MmioAtomicU32 *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  mmio_atomic_ref (&self->atomic);

  return self;
}

/**
 * mmio_atomic_u32_unref:
 * @self: (transfer full): an atomic
 *
 * Drops a reference. The last one releases the range.
 *
 * Since: 1.0
 */
void
mmio_atomic_u32_unref (MmioAtomicU32 *self)
{
  g_return_if_fail (self != NULL);

  mmio_atomic_unref (&self->atomic);
}

/**
 * mmio_atomic_u32_release:
 * @self: an atomic
 *
 * Lets go of the range before the last reference goes: for languages in which nobody knows when that is. From then on there are no
 * elements. No other thread may be in an operation meanwhile.
 *
 * Since: 1.0
 */
void
mmio_atomic_u32_release (MmioAtomicU32 *self)
{
  g_return_if_fail (self != NULL);

  mmio_atomic_release (&self->atomic);
}

/**
 * mmio_atomic_u32_get_offset:
 * @self: an atomic
 *
 * Gets where in the file the first element is.
 *
 * Returns: the offset in bytes
 *
 * Since: 1.0
 */
guint64
mmio_atomic_u32_get_offset (MmioAtomicU32 *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->atomic.pin.offset;
}

/**
 * mmio_atomic_u32_get_length:
 * @self: an atomic
 *
 * Gets how many elements there are.
 *
 * Returns: the number of elements, each of 4 bytes; 0 once it is released
 *
 * Since: 1.0
 */
gsize
mmio_atomic_u32_get_length (MmioAtomicU32 *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return __atomic_load_n (&self->atomic.n_readable, __ATOMIC_RELAXED);
}

/**
 * mmio_atomic_u32_is_writable:
 * @self: an atomic
 *
 * Whether elements may be changed.
 *
 * Returns: %TRUE unless the file is mapped for reading
 *
 * Since: 1.0
 */
gboolean
mmio_atomic_u32_is_writable (MmioAtomicU32 *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->atomic.pin.writable;
}

/**
 * mmio_atomic_u32_get_pointer: (skip)
 * @self: an atomic
 *
 * Gets the address of the first element, for C11 or C++ atomics, or a futex of one's own. Valid as long as @self isn't released.
 *
 * Returns: (nullable): the address; %NULL if there are no elements
 *
 * Since: 1.0
 */
guint32 *
mmio_atomic_u32_get_pointer (MmioAtomicU32 *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return mmio_atomic_is_readable (&self->atomic, 0) ? mmio_atomic_u32_at (&self->atomic, 0) : NULL;
}

/**
 * mmio_atomic_u32_check:
 * @self: an atomic
 * @error: return location for an error
 *
 * Whether all that was read and changed was the file's. To be asked afterwards; as [method@Mmio.View.check] otherwise.
 *
 * Errors: %MMIO_ERROR_TRUNCATED if the file is too short for the elements now; %MMIO_ERROR_IO otherwise.
 *
 * Returns: %TRUE if no fault has hit the elements
 *
 * Since: 1.0
 */
gboolean
mmio_atomic_u32_check (MmioAtomicU32 *self,
                       GError       **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_atomic_check (&self->atomic, error);
}

/**
 * mmio_atomic_u32_load:
 * @self: an atomic
 * @index: which element
 *
 * Reads an element.
 *
 * Returns: its value
 *
 * Since: 1.0
 */
MMIO_HOT guint32
mmio_atomic_u32_load (MmioAtomicU32 *self,
                      gsize          index)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_read (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_load_n (mmio_atomic_u32_at (&self->atomic, index), __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_store:
 * @self: an atomic
 * @index: which element
 * @value: its new value
 *
 * Writes an element.
 *
 * Since: 1.0
 */
MMIO_HOT void
mmio_atomic_u32_store (MmioAtomicU32 *self,
                       gsize          index,
                       guint32        value)
{
  g_return_if_fail (self != NULL);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return;

  __atomic_store_n (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_exchange:
 * @self: an atomic
 * @index: which element
 * @value: the new value
 *
 * Writes an element and tells what it was before.
 *
 * Returns: the value before
 *
 * Since: 1.0
 */
MMIO_HOT guint32
mmio_atomic_u32_exchange (MmioAtomicU32 *self,
                          gsize          index,
                          guint32        value)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_exchange_n (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_add:
 * @self: an atomic
 * @index: which element
 * @value: what to add
 *
 * Adds to an element. A sum that is too large wraps.
 *
 * Returns: the value before
 *
 * Since: 1.0
 */
MMIO_HOT guint32
mmio_atomic_u32_add (MmioAtomicU32 *self,
                     gsize          index,
                     guint32        value)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_fetch_add (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_sub:
 * @self: an atomic
 * @index: which element
 * @value: what to subtract
 *
 * Subtracts from an element. A difference below 0 wraps.
 *
 * Returns: the value before
 *
 * Since: 1.0
 */
guint32
mmio_atomic_u32_sub (MmioAtomicU32 *self,
                     gsize          index,
                     guint32        value)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_fetch_sub (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_and:
 * @self: an atomic
 * @index: which element
 * @value: the bits to keep
 *
 * Clears the bits of an element that @value doesn't have.
 *
 * Returns: the value before
 *
 * Since: 1.0
 */
guint32
mmio_atomic_u32_and (MmioAtomicU32 *self,
                     gsize          index,
                     guint32        value)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_fetch_and (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_or:
 * @self: an atomic
 * @index: which element
 * @value: the bits to set
 *
 * Sets bits of an element.
 *
 * Returns: the value before
 *
 * Since: 1.0
 */
guint32
mmio_atomic_u32_or (MmioAtomicU32 *self,
                    gsize          index,
                    guint32        value)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_fetch_or (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_xor:
 * @self: an atomic
 * @index: which element
 * @value: the bits to turn over
 *
 * Turns over bits of an element.
 *
 * Returns: the value before
 *
 * Since: 1.0
 */
guint32
mmio_atomic_u32_xor (MmioAtomicU32 *self,
                     gsize          index,
                     guint32        value)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return 0;

  return __atomic_fetch_xor (mmio_atomic_u32_at (&self->atomic, index), value, __ATOMIC_SEQ_CST);
}

/**
 * mmio_atomic_u32_compare_exchange:
 * @self: an atomic
 * @index: which element
 * @expected: what it has to be
 * @desired: its new value
 * @previous: (out) (optional): what it was before
 *
 * Writes an element if it has the expected value. Never fails where it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
MMIO_HOT gboolean
mmio_atomic_u32_compare_exchange (MmioAtomicU32 *self,
                                  gsize          index,
                                  guint32        expected,
                                  guint32        desired,
                                  guint32       *previous)
{
  gboolean success;

  if (previous != NULL)
    *previous = 0;
  g_return_val_if_fail (self != NULL, FALSE);
  if (!mmio_atomic_can_change (&self->atomic, G_STRFUNC, index))
    return FALSE;

  success = __atomic_compare_exchange_n (mmio_atomic_u32_at (&self->atomic, index), &expected, desired, FALSE,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  if (previous != NULL)
    *previous = expected;

  return success;
}

/**
 * mmio_atomic_u32_compare_and_store:
 * @self: an atomic
 * @index: which element
 * @expected: what it has to be
 * @desired: its new value
 *
 * Writes an element if it has the expected value, and does not say what it had otherwise.
 *
 * It is [method@Mmio.AtomicU32.compare_exchange] where only success matters, and in languages whose numbers can't hold what was there.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_atomic_u32_compare_and_store (MmioAtomicU32 *self,
                                   gsize          index,
                                   guint32        expected,
                                   guint32        desired)
{
  return mmio_atomic_u32_compare_exchange (self, index, expected, desired, NULL);
}

/**
 * mmio_atomic_u32_wait:
 * @self: an atomic
 * @index: which element
 * @expected: the value with which there is nothing to do
 * @timeout_ms: how long to wait at most, in milliseconds; -1 for as long as it takes
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Sleeps while an element has the expected value, until somebody, in this or in another process, changes it and then calls
 * [method@Mmio.AtomicU32.wake].
 *
 * Returns at once if the value is another already, so that a change between looking and waiting isn't missed. May return %TRUE
 * though the value is the expected one again, or still: look at it, and wait anew. A change that nobody wakes for is noticed late or not
 * at all, as is a wake that no change goes before.
 *
 * Uses [futex(2)](man:futex(2)), so that a program without this library can take part: the futex is the element. Where
 * the system has no such call, the value is looked at each 10 ms.
 *
 * May be called from any thread; blocks, and sleeps at once: who expects the answer within microseconds can look for so long first.
 *
 * Errors: %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_CANCELLED; %MMIO_ERROR_TRUNCATED or %MMIO_ERROR_IO if a fault has hit the elements, which a
 * sleeper notices within a second.
 *
 * Returns: %TRUE if it is time to look
 *
 * Since: 1.0
 */
gboolean
mmio_atomic_u32_wait (MmioAtomicU32 *self,
                      gsize          index,
                      guint32        expected,
                      gint64         timeout_ms,
                      GCancellable  *cancellable,
                      GError       **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  if (!mmio_atomic_can_read (&self->atomic, G_STRFUNC, index))
    return FALSE;
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_atomic_wait (&self->atomic, index, expected, timeout_ms, cancellable, error);
}

/**
 * mmio_atomic_u32_wait_async:
 * @self: an atomic
 * @index: which element
 * @expected: the value with which there is nothing to do
 * @timeout_ms: how long to wait at most, in milliseconds; -1 for as long as it takes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (closure user_data): what to call in the main context that is the thread-default one now
 * @user_data: data for @callback
 *
 * Waits as [method@Mmio.AtomicU32.wait] does, without blocking. Each wait that is under way has a thread of its own.
 *
 * Since: 1.0
 */
void
mmio_atomic_u32_wait_async (MmioAtomicU32      *self,
                            gsize               index,
                            guint32             expected,
                            gint64              timeout_ms,
                            GCancellable       *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer            user_data)
{
  g_return_if_fail (self != NULL);
  if (!mmio_atomic_can_read (&self->atomic, G_STRFUNC, index))
    return;
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  mmio_atomic_wait_async (&mmio_atomic_u32_ref (self)->atomic, index, expected, timeout_ms, cancellable, callback, user_data);
}

/**
 * mmio_atomic_u32_wait_finish:
 * @self: an atomic
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends what [method@Mmio.AtomicU32.wait_async] began.
 *
 * Returns: %TRUE if it is time to look; errors as from [method@Mmio.AtomicU32.wait]
 *
 * Since: 1.0
 */
gboolean
mmio_atomic_u32_wait_finish (MmioAtomicU32 *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return mmio_atomic_wait_finish (&self->atomic, result, error);
}

/**
 * mmio_atomic_u32_wake:
 * @self: an atomic
 * @index: which element
 * @n: how many to wake at most; 1, or %G_MAXUINT for all
 *
 * Wakes those who wait for an element, in this and in other processes. Change it first.
 *
 * Returns: how many were woken; 0 where the system can't tell
 *
 * Since: 1.0
 */
guint
mmio_atomic_u32_wake (MmioAtomicU32 *self,
                      gsize          index,
                      guint          n)
{
  g_return_val_if_fail (self != NULL, 0);
  if (!mmio_atomic_can_read (&self->atomic, G_STRFUNC, index))
    return 0;

  return mmio_atomic_wake (&self->atomic, index, n);
}
