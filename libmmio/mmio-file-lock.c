/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Range locks between processes.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-os-private.h"

/* How long somebody who can be cancelled waits between two tries. */
#define FIRST_WAIT_MS 1
#define LONGEST_WAIT_MS 16

static gboolean
fail_lock (MmioFile   *self,
           MmioOsLock  kind,
           guint64     offset,
           guint64     length,
           int         saved_errno,
           GError    **error)
{
  g_autofree char *name = mmio_mapping_dup_name (&self->mapping);

  if (saved_errno == EAGAIN)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_BUSY,
                 g_dngettext (GETTEXT_PACKAGE, "%s: %" PRIu64 " byte at offset %" PRIu64 " is locked by somebody else",
                              "%s: %" PRIu64 " bytes at offset %" PRIu64 " are locked by somebody else", (gulong) length),
                 name, length, offset);
  else if (saved_errno == EBADF)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE,
                 kind == MMIO_OS_LOCK_EXCLUSIVE ? _("%s: an exclusive lock needs a file opened for writing")
                                                : _("%s: a shared lock needs a file opened for reading"),
                 name);
  else if (saved_errno == ENOLCK)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_LOCK_FAILED,
                 g_dngettext (GETTEXT_PACKAGE,
                              "%s: could not lock %" PRIu64 " byte at offset %" PRIu64
                              ": %s (ENOLCK: the limit on locks is reached, or a network file system can't be asked for one)",
                              "%s: could not lock %" PRIu64 " bytes at offset %" PRIu64
                              ": %s (ENOLCK: the limit on locks is reached, or a network file system can't be asked for one)",
                              (gulong) length),
                 name, length, offset, g_strerror (saved_errno));
  else
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_LOCK_FAILED,
                 g_dngettext (GETTEXT_PACKAGE, "%s: could not lock %" PRIu64 " byte at offset %" PRIu64 ": %s",
                              "%s: could not lock %" PRIu64 " bytes at offset %" PRIu64 ": %s", (gulong) length),
                 name, length, offset, g_strerror (saved_errno));
  return FALSE;
}

/* There is nothing wrong with a lock past the end of a file; the numbers only have to fit. */
static gboolean
check_range (MmioFile *self,
             guint64   offset,
             guint64   length,
             GError  **error)
{
  return mmio_range_is_inside (offset, length, G_MAXINT64) ||
         mmio_range_fail (self->mapping.path, offset, length, G_MAXINT64, error);
}

/* One try; FALSE if the file is closed. EAGAIN: somebody else has the lock. */
static gboolean
try_lock (MmioFile   *self,
          MmioOsLock  kind,
          guint64     offset,
          guint64     length,
          int        *result,
          GError    **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->mapping.change_lock);

  *result = EBADF;
  if (self->mapping.closed)
    return mmio_mapping_fail_closed (&self->mapping, error);

  *result = mmio_os_lock_range (self->mapping.fd, kind, offset, length, FALSE);
  self->mapping.has_locked = self->mapping.has_locked || kind != MMIO_OS_LOCK_NONE;
  return TRUE;
}

/* The kernel has no wait that could be cancelled but by a signal, and a signal to a thread that isn't ours isn't ours to send. A helper
 * thread that waits in our place could get the lock after we have given up, and letting go of it then would take away a lock of the same
 * range that the object has got meanwhile. So this tries again and again, at intervals that grow, and sleeps between. */
static gboolean
wait_by_trying (MmioFile      *self,
                MmioOsLock     kind,
                guint64        offset,
                guint64        length,
                GCancellable  *cancellable,
                GError       **error)
{
  GPollFD poll_fd;
  gboolean can_poll = g_cancellable_make_pollfd (cancellable, &poll_fd);
  gboolean success = FALSE;
  int wait_ms = FIRST_WAIT_MS;
  int result = EAGAIN;

  while (result == EAGAIN)
    {
      /* Without a descriptor for it the cancellable is seen after the wait, which is short. */
      if (can_poll)
        g_poll (&poll_fd, 1, wait_ms);
      else
        g_usleep ((gulong) wait_ms * 1000);
      wait_ms = MIN (2 * wait_ms, LONGEST_WAIT_MS);

      if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
          !try_lock (self, kind, offset, length, &result, error))
        break;
      success = result == 0;
      if (!success && result != EAGAIN)
        fail_lock (self, kind, offset, length, result, error);
    }
  if (can_poll)
    g_cancellable_release_fd (cancellable);

  return success;
}

/* Waits in the order in which the kernel serves, with a duplicate, which stands for the same open file and so for the same owner of
 * locks: a close doesn't pull the descriptor away from under the wait. */
static gboolean
wait_in_kernel (MmioFile   *self,
                MmioOsLock  kind,
                guint64     offset,
                guint64     length,
                GError    **error)
{
  gboolean is_current = FALSE;

  while (!is_current)
    {
      guint generation;
      gboolean closed;
      int result;
      int fd;

      /* First the generation, then the descriptor: after a reload between the two there is only one round too many. */
      g_mutex_lock (&self->mapping.change_lock);
      generation = self->mapping.generation;
      g_mutex_unlock (&self->mapping.change_lock);
      fd = mmio_mapping_dup_fd (&self->mapping, error);
      if (fd < 0)
        return FALSE;

      result = mmio_os_lock_range (fd, kind, offset, length, TRUE);

      g_mutex_lock (&self->mapping.change_lock);
      is_current = self->mapping.generation == generation;
      closed = self->mapping.closed;
      /* A reload has given up what was locked before it, and this is of the new file. */
      self->mapping.has_locked = self->mapping.has_locked || (result == 0 && is_current && !closed);
      g_mutex_unlock (&self->mapping.change_lock);
      /* The file was closed or replaced meanwhile, and a view may keep alive what was locked. */
      if (result == 0 && (closed || !is_current))
        mmio_os_lock_range (fd, MMIO_OS_LOCK_NONE, offset, length, FALSE);
      close (fd);

      if (result != 0)
        return fail_lock (self, kind, offset, length, result, error);
      if (closed)
        return mmio_mapping_fail_closed (&self->mapping, error);
    }

  return TRUE;
}

static MmioOsLock
kind_of (gboolean exclusive)
{
  return exclusive ? MMIO_OS_LOCK_EXCLUSIVE : MMIO_OS_LOCK_SHARED;
}

/**
 * mmio_file_lock_range:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes; 0 for all that is behind @offset, however long the file becomes
 * @exclusive: %TRUE for a lock that nobody else may have any lock beside, %FALSE for one that many may have
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Locks a range of the file against other processes and other objects, and waits for it.
 *
 * Locks are advisory: they keep out who asks for a lock, and nobody else; see [fcntl(2)](man:fcntl(2)). The range may lie
 * past the end of the file. A lock of one's own is replaced by the new one where they overlap, which makes a shared one exclusive or
 * the other way round. Who waits to become exclusive keeps the shared one meanwhile: of two who have one and both want that, each waits
 * for the other.
 *
 * The owner is the open file that this object has (`F_OFD_SETLK`), so threads that use the same object don't keep each other out, and two
 * objects for one path do. An object of [ctor@Mmio.File.new_for_fd] is the same owner as whoever else has that open file, and a forked
 * child the same as its parent: neither keeps the other out, and what one of them unlocks is unlocked. Where the system has none but
 * the process's own locks (`F_SETLK`), the owner is the process, for which no two objects keep each other out, and all locks on a file
 * go as soon as it closes any descriptor of it, as a watch, a search and a reload do by themselves.
 *
 * The locks go with [method@Mmio.File.unlock_range], with [method@Mmio.File.close], with the last reference, with the process, and with
 * [method@Mmio.File.reload]. But where the open file is shared they go when the last who has it closes it or ends, be it a forked child
 * that never uses it; a reload in its parent gives them up for both. Of two who wait for each other neither is told.
 *
 * May be called from any thread; blocks until the lock is had. With a @cancellable it tries again and again, at intervals of up to 16 ms,
 * since the system's own wait can't be cancelled; without one it sleeps until it is its turn, also if the file is closed meanwhile.
 *
 * Errors: %MMIO_ERROR_WRONG_MODE for an exclusive lock on a file that was not opened for writing; %MMIO_ERROR_OUT_OF_BOUNDS if
 * @offset + @length exceeds 2^63 - 1; %MMIO_ERROR_LOCK_FAILED if the file system or a limit (`ENOLCK`) doesn't allow it;
 * %G_IO_ERROR_CANCELLED; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the range is locked
 *
 * Since: 1.0
 */
gboolean
mmio_file_lock_range (MmioFile      *self,
                      guint64        offset,
                      guint64        length,
                      gboolean       exclusive,
                      GCancellable  *cancellable,
                      GError       **error)
{
  MmioOsLock kind = kind_of (exclusive);
  int result;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_range (self, offset, length, error) ||
      g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !try_lock (self, kind, offset, length, &result, error))
    return FALSE;
  if (result == 0)
    return TRUE;
  if (result != EAGAIN)
    return fail_lock (self, kind, offset, length, result, error);

  if (cancellable == NULL && mmio_os_has_description_locks ())
    return wait_in_kernel (self, kind, offset, length, error);
  return wait_by_trying (self, kind, offset, length, cancellable, error);
}

/**
 * mmio_file_try_lock_range:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes; 0 for all that is behind @offset, however long the file becomes
 * @exclusive: %TRUE for a lock that nobody else may have any lock beside, %FALSE for one that many may have
 * @error: return location for an error
 *
 * Locks a range of the file if nobody else has a lock that stands against it. As [method@Mmio.File.lock_range] otherwise, but it
 * doesn't wait.
 *
 * Errors: %MMIO_ERROR_BUSY if somebody else has it; %MMIO_ERROR_WRONG_MODE, %MMIO_ERROR_OUT_OF_BOUNDS, %MMIO_ERROR_LOCK_FAILED,
 * %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the range is locked
 *
 * Since: 1.0
 */
gboolean
mmio_file_try_lock_range (MmioFile  *self,
                          guint64    offset,
                          guint64    length,
                          gboolean   exclusive,
                          GError   **error)
{
  MmioOsLock kind = kind_of (exclusive);
  int result;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_range (self, offset, length, error) || !try_lock (self, kind, offset, length, &result, error))
    return FALSE;

  return result == 0 || fail_lock (self, kind, offset, length, result, error);
}

/**
 * mmio_file_unlock_range:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes; 0 for all that is behind @offset
 * @error: return location for an error
 *
 * Lets go of the locks that this object has on a range. What it has locked on both sides stays locked; a range that isn't locked is
 * no error.
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS; %MMIO_ERROR_LOCK_FAILED; %MMIO_ERROR_CLOSED, and then the locks are gone anyway.
 *
 * Returns: %TRUE if the range isn't locked by this object
 *
 * Since: 1.0
 */
gboolean
mmio_file_unlock_range (MmioFile  *self,
                        guint64    offset,
                        guint64    length,
                        GError   **error)
{
  int result;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (!check_range (self, offset, length, error) || !try_lock (self, MMIO_OS_LOCK_NONE, offset, length, &result, error))
    return FALSE;

  return result == 0 || fail_lock (self, MMIO_OS_LOCK_NONE, offset, length, result, error);
}

typedef struct
{
  MmioFileRequest parent;
  guint64 offset;
  guint64 length;
  gboolean exclusive;
} Request;

static void
run_lock (MmioFile *self,
          GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;

  if (mmio_file_lock_range (self, request->offset, request->length, request->exclusive, g_task_get_cancellable (task), &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * mmio_file_lock_range_async:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes; 0 for all that is behind @offset
 * @exclusive: %TRUE for a lock that nobody else may have any lock beside, %FALSE for one that many may have
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (closure user_data): what to call in the main context that is the thread-default one now
 * @user_data: data for @callback
 *
 * Locks a range of the file, as [method@Mmio.File.lock_range] does, without blocking, after whatever was asked of the file before.
 *
 * What is asked of the file afterwards waits for the lock, so that it finds the range locked. A call that must not wait
 * has a twin that is not asynchronous.
 *
 * Since: 1.0
 */
void
mmio_file_lock_range_async (MmioFile            *self,
                            guint64              offset,
                            guint64              length,
                            gboolean             exclusive,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, mmio_file_lock_range_async);
  request = g_new0 (Request, 1);
  request->parent.operation = run_lock;
  request->parent.waits_for_others = TRUE;
  request->offset = offset;
  request->length = length;
  request->exclusive = exclusive;
  g_task_set_task_data (task, request, g_free);
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_lock_range_finish:
 * @self: a file
 * @result: what the callback got
 * @error: return location for an error
 *
 * Ends what [method@Mmio.File.lock_range_async] began. Errors are those of [method@Mmio.File.lock_range].
 *
 * Returns: %TRUE if the range is locked
 *
 * Since: 1.0
 */
gboolean
mmio_file_lock_range_finish (MmioFile      *self,
                             GAsyncResult  *result,
                             GError       **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, mmio_file_lock_range_async), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
