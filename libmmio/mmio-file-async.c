/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Everything that blocks, without blocking: each call is done in a thread of the library's own, and those on one file one after
 * another, in the order in which they were made.
 */
#include "config.h"

#include "mmio-file-private.h"
#include "mmio-worker-private.h"

/* What a call was given. One form for all of them here: each uses its part. */
typedef struct
{
  MmioFileRequest parent;
  guint64 offset;
  guint64 length;
  guint64 from;
  guint8 byte;
  GBytes *bytes;
  char *path;
  GFile *location;
  MmioMode mode;
  MmioCreateFlags flags;
  gboolean forwards;
} Request;

static void
request_free (gpointer data)
{
  Request *self = data;

  g_clear_pointer (&self->bytes, g_bytes_unref);
  g_free (self->path);
  g_clear_object (&self->location);
  g_free (self);
}

/* What is said on the way. To whoever called, where the result comes too, and before it: handlers in JavaScript can't be called in
 * another thread than theirs, and others don't count on it. */

static GPrivate task_under_way; /* borrowed */

typedef struct
{
  MmioFile *file;               /* owned */
  void (*func) (MmioFile *file);
} CallInCaller;

static void
call_free (gpointer data)
{
  CallInCaller *self = data;

  g_object_unref (self->file);
  g_free (self);
}

static gboolean
call_run (gpointer data)
{
  CallInCaller *self = data;

  self->func (self->file);
  return G_SOURCE_REMOVE;
}

gboolean
mmio_file_call_in_caller (MmioFile  *self,
                          void     (*func) (MmioFile *file))
{
  g_autoptr (GSource) source = NULL;
  CallInCaller *call;
  GTask *task;

  task = g_private_get (&task_under_way);
  if (task == NULL || g_task_get_source_object (task) != (gpointer) self)
    return FALSE;

  call = g_new (CallInCaller, 1);
  *call = (CallInCaller){ g_object_ref (self), func };
  source = g_idle_source_new ();
  g_source_set_static_name (source, "libmmio notification");
  g_source_set_priority (source, g_task_get_priority (task));
  g_source_set_callback (source, call_run, call, call_free);
  g_source_attach (source, g_task_get_context (task));
  return TRUE;
}

static void
run_operation (MmioFile *self,
               GTask    *task)
{
  const MmioFileRequest *request = g_task_get_task_data (task);

  g_private_set (&task_under_way, task);
  request->operation (self, task);
  g_private_set (&task_under_way, NULL);
}

/* The file's queue. Whoever puts something into an empty one starts a thread that works until it is empty again. */

static gpointer
work_on_task (gpointer data);

static void
work_on_queue (gpointer data)
{
  g_autoptr (MmioFile) self = data;

  while (TRUE)
    {
      g_autoptr (GTask) task = NULL;
      const MmioFileRequest *request;

      g_mutex_lock (&self->queue_lock);
      task = g_queue_pop_head (&self->queue);
      g_atomic_int_set (&self->is_queue_running, task != NULL);
      g_mutex_unlock (&self->queue_lock);

      if (task == NULL)
        return;

      request = g_task_get_task_data (task);
      g_cancellable_disconnect (g_task_get_cancellable (task), request->cancelled_id);
      if (g_task_return_error_if_cancelled (task))
        continue;

      /* What waits for others would keep one of the few threads: it gets its own, which goes on with the queue. */
      if (request->waits_for_others)
        {
          GThread *thread = g_thread_try_new ("mmio-wait", work_on_task, task, NULL);

          if (thread != NULL)
            {
              (void) g_steal_pointer (&task);
              g_thread_unref (thread);
              return;
            }
        }
      run_operation (self, task);
    }
}

static gpointer
work_on_task (gpointer data)
{
  GTask *task = data;
  MmioFile *self = g_object_ref (g_task_get_source_object (task));

  run_operation (self, task);
  g_object_unref (task);
  work_on_queue (self);

  return NULL;
}

/* What has not begun is told at once that it was cancelled, and needs no turn. */
static void
on_cancelled (GCancellable *cancellable,
              GTask        *task)
{
  MmioFile *self = g_task_get_source_object (task);
  gboolean waiting;

  g_mutex_lock (&self->queue_lock);
  waiting = g_queue_remove (&self->queue, task);
  g_mutex_unlock (&self->queue_lock);

  if (waiting)
    {
      MmioFileRequest *request = g_task_get_task_data (task);

      g_task_return_error_if_cancelled (task);
      /* Not g_cancellable_disconnect (), which would wait for this very handler. */
      g_signal_handler_disconnect (cancellable, request->cancelled_id);
      g_object_unref (task);
    }
}

void
mmio_file_enqueue (MmioFile *self,
                   GTask    *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  g_autoptr (GTask) kept = g_object_ref (task);
  MmioFileRequest *request = g_task_get_task_data (task);
  gboolean start;

  /* Who is told that it was cancelled can rely on that nothing was done: the operation itself decides, once it has begun. */
  g_task_set_check_cancellable (task, FALSE);
  if (g_task_return_error_if_cancelled (task))
    {
      g_object_unref (task);
      return;
    }
  if (cancellable != NULL)
    request->cancelled_id = g_signal_connect_data (cancellable, "cancelled", G_CALLBACK (on_cancelled), g_object_ref (task),
                                                   (GClosureNotify) g_object_unref, (GConnectFlags) 0);

  g_mutex_lock (&self->queue_lock);
  g_queue_push_tail (&self->queue, task);
  start = !self->is_queue_running;
  g_atomic_int_set (&self->is_queue_running, TRUE);
  g_mutex_unlock (&self->queue_lock);

  if (start)
    mmio_worker_run (work_on_queue, g_object_ref (self));

  /* Cancelled between the look above and the moment from which on_cancelled () finds the task: nobody would tell before its turn. */
  if (g_cancellable_is_cancelled (cancellable))
    on_cancelled (cancellable, kept);
}

static GTask *
task_new (MmioFile            *self,
          GCancellable        *cancellable,
          GAsyncReadyCallback  callback,
          gpointer             user_data,
          gpointer             source_tag,
          Request            **request)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  g_task_set_source_tag (task, source_tag);
  *request = g_new0 (Request, 1);
  g_task_set_task_data (task, *request, request_free);

  return task;
}

static void
return_boolean (GTask   *task,
                gboolean success,
                GError  *error)
{
  if (success)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
finish_boolean (MmioFile      *self,
                GAsyncResult  *result,
                gpointer       source_tag,
                GError       **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* Opening: there is no file yet, so there is no order. */

static void
run_opening (GTask        *task,
             gpointer      source G_GNUC_UNUSED,
             gpointer      task_data,
             GCancellable *cancellable)
{
  const Request *request = task_data;
  g_autoptr (GError) error = NULL;
  MmioFile *file;

  if (g_task_return_error_if_cancelled (task))
    return;

  if (request->location != NULL)
    file = mmio_file_open_location (request->location, request->mode, cancellable, &error);
  else if (g_task_get_source_tag (task) == mmio_file_create_async)
    file = mmio_file_create (request->path, request->length, request->flags, &error);
  else if (g_task_get_source_tag (task) == mmio_file_open_or_create_async)
    file = mmio_file_open_or_create (request->path, request->length, &error);
  else
    file = mmio_file_open (request->path, request->mode, &error);

  if (file != NULL)
    g_task_return_pointer (task, file, g_object_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
start_opening (GTask *task)
{
  /* Once it has begun it is done: who is told that it was cancelled finds no file that it has created. */
  g_task_set_check_cancellable (task, FALSE);
  g_task_run_in_thread (task, run_opening);
  g_object_unref (task);
}

static MmioFile *
finish_opening (GAsyncResult  *result,
                gpointer       source_tag,
                GError       **error)
{
  g_return_val_if_fail (g_task_is_valid (result, NULL), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, source_tag), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * mmio_file_open_async:
 * @path: (type filename): the path of a regular file
 * @mode: how to map it
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Maps a file, as [ctor@Mmio.File.open] does, without blocking. The call itself never fails; see [func@Mmio.File.open_finish].
 *
 * Since: 1.0
 */
void
mmio_file_open_async (const char *path,
                      MmioMode mode,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (path != NULL);
  g_return_if_fail (mode <= MMIO_MODE_COPY_ON_WRITE);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (NULL, cancellable, callback, user_data, mmio_file_open_async, &request);
  request->path = g_strdup (path);
  request->mode = mode;
  start_opening (task);
}

/**
 * mmio_file_open_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [func@Mmio.File.open_async] has come to. Errors are those of [ctor@Mmio.File.open], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_open_finish (GAsyncResult *result,
                       GError **error)
{
  return finish_opening (result, mmio_file_open_async, error);
}

/**
 * mmio_file_open_location_async:
 * @location: a file with a local path
 * @mode: how to map it
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Maps a file, as [ctor@Mmio.File.open_location] does, without blocking. The call itself never fails; see [func@Mmio.File.open_location_finish].
 *
 * Since: 1.0
 */
void
mmio_file_open_location_async (GFile *location,
                               MmioMode mode,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (G_IS_FILE (location));
  g_return_if_fail (mode <= MMIO_MODE_COPY_ON_WRITE);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (NULL, cancellable, callback, user_data, mmio_file_open_location_async, &request);
  request->location = g_object_ref (location);
  request->mode = mode;
  start_opening (task);
}

/**
 * mmio_file_open_location_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [func@Mmio.File.open_location_async] has come to. Errors are those of [ctor@Mmio.File.open_location], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_open_location_finish (GAsyncResult *result,
                                GError **error)
{
  return finish_opening (result, mmio_file_open_location_async, error);
}

/**
 * mmio_file_create_async:
 * @path: (type filename): where to create the file
 * @size: its size in bytes
 * @flags: how to create it
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Creates a file, as [ctor@Mmio.File.create] does, without blocking. The call itself never fails; see [func@Mmio.File.create_finish].
 *
 * Since: 1.0
 */
void
mmio_file_create_async (const char *path,
                        guint64 size,
                        MmioCreateFlags flags,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (path != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (NULL, cancellable, callback, user_data, mmio_file_create_async, &request);
  request->path = g_strdup (path);
  request->length = size;
  request->flags = flags;
  start_opening (task);
}

/**
 * mmio_file_create_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [func@Mmio.File.create_async] has come to. Errors are those of [ctor@Mmio.File.create], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_create_finish (GAsyncResult *result,
                         GError **error)
{
  return finish_opening (result, mmio_file_create_async, error);
}

/**
 * mmio_file_open_or_create_async:
 * @path: (type filename): the path of a regular file
 * @size: the size in bytes that a new file gets
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Maps a file and creates it if it is not there, as [ctor@Mmio.File.open_or_create] does, without blocking. The call itself never fails; see [func@Mmio.File.open_or_create_finish].
 *
 * Since: 1.0
 */
void
mmio_file_open_or_create_async (const char *path,
                                guint64 size,
                                GCancellable *cancellable,
                                GAsyncReadyCallback callback,
                                gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (path != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (NULL, cancellable, callback, user_data, mmio_file_open_or_create_async, &request);
  request->path = g_strdup (path);
  request->length = size;
  start_opening (task);
}

/**
 * mmio_file_open_or_create_finish:
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [func@Mmio.File.open_or_create_async] has come to. Errors are those of [ctor@Mmio.File.open_or_create], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_open_or_create_finish (GAsyncResult *result,
                                 GError **error)
{
  return finish_opening (result, mmio_file_open_or_create_async, error);
}

/* On a file */

static void
run_read (MmioFile *self,
          GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  GBytes *bytes = mmio_file_read_bytes (self, request->offset, (gsize) request->length, &error);

  if (bytes != NULL)
    g_task_return_pointer (task, bytes, (GDestroyNotify) g_bytes_unref);
  else
    g_task_return_error (task, error);
}

/**
 * mmio_file_read_async:
 * @self: a file
 * @offset: where to read, in bytes
 * @count: how many bytes to read
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Reads bytes without blocking, after whatever was asked of the file before. See [method@Mmio.File.read].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_read_async (MmioFile *self,
                      guint64 offset,
                      gsize count,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_read_async, &request);
  request->parent.operation = run_read;
  request->offset = offset;
  request->length = count;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_read_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.read_async] has come to. Errors are those of [method@Mmio.File.read], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): the bytes, or %NULL with @error set
 *
 * Since: 1.0
 */
GBytes *
mmio_file_read_finish (MmioFile *self,
                       GAsyncResult *result,
                       GError **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);
  g_return_val_if_fail (g_async_result_is_tagged (result, mmio_file_read_async), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
run_write (MmioFile *self,
           GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_file_write_bytes (self, request->offset, request->bytes, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_write_async:
 * @self: a file
 * @offset: where to write, in bytes
 * @bytes: what to write
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Writes bytes without blocking, after whatever was asked of the file before. See [method@Mmio.File.write].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_write_async (MmioFile *self,
                       guint64 offset,
                       GBytes *bytes,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (bytes != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_write_async, &request);
  request->parent.operation = run_write;
  request->offset = offset;
  request->bytes = g_bytes_ref (bytes);
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_write_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.write_async] has come to. Errors are those of [method@Mmio.File.write], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_write_finish (MmioFile *self,
                        GAsyncResult *result,
                        GError **error)
{
  return finish_boolean (self, result, mmio_file_write_async, error);
}

static void
run_fill (MmioFile *self,
          GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_file_fill (self, request->offset, request->length, request->byte, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_fill_async:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @byte: what each of them becomes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Sets each byte of a range without blocking, after whatever was asked of the file before. See [method@Mmio.File.fill].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_fill_async (MmioFile *self,
                      guint64 offset,
                      guint64 length,
                      guint8 byte,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_fill_async, &request);
  request->parent.operation = run_fill;
  request->offset = offset;
  request->length = length;
  request->byte = byte;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_fill_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.fill_async] has come to. Errors are those of [method@Mmio.File.fill], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_fill_finish (MmioFile *self,
                       GAsyncResult *result,
                       GError **error)
{
  return finish_boolean (self, result, mmio_file_fill_async, error);
}

static void
run_move (MmioFile *self,
          GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_file_move (self, request->offset, request->from, request->length, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_move_async:
 * @self: a file
 * @to: where the bytes go, in bytes
 * @from: where they come from, in bytes
 * @length: how many they are
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Copies bytes inside the file without blocking, after whatever was asked of the file before. See [method@Mmio.File.move].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_move_async (MmioFile *self,
                      guint64 to,
                      guint64 from,
                      guint64 length,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_move_async, &request);
  request->parent.operation = run_move;
  request->offset = to;
  request->from = from;
  request->length = length;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_move_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.move_async] has come to. Errors are those of [method@Mmio.File.move], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_move_finish (MmioFile *self,
                       GAsyncResult *result,
                       GError **error)
{
  return finish_boolean (self, result, mmio_file_move_async, error);
}

static void
run_find (MmioFile *self,
          GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gsize length;
  gconstpointer pattern = g_bytes_get_data (request->bytes, &length);
  gint64 found = mmio_file_search (self, pattern, length, request->offset, request->length, request->forwards,
                                   g_task_get_cancellable (task), &error);

  if (error == NULL)
    g_task_return_pointer (task, g_memdup2 (&found, sizeof found), g_free);
  else
    g_task_return_error (task, error);
}

/**
 * mmio_file_find_async:
 * @self: a file
 * @pattern: the bytes to look for
 * @from: where to begin, in bytes
 * @to: where to end, in bytes; %G_MAXUINT64 for the end of the file
 * @forwards: %TRUE for the first match, %FALSE for the last one
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Looks for bytes without blocking, after whatever was asked of the file before. See [method@Mmio.File.find].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_find_async (MmioFile *self,
                      GBytes *pattern,
                      guint64 from,
                      guint64 to,
                      gboolean forwards,
                      GCancellable *cancellable,
                      GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (pattern != NULL);
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_find_async, &request);
  request->parent.operation = run_find;
  request->offset = from;
  request->length = to;
  request->bytes = g_bytes_ref (pattern);
  request->forwards = forwards;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_find_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.find_async] has come to. Errors are those of [method@Mmio.File.find], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: the offset of the match in bytes; -1 if there is none, or with @error set
 *
 * Since: 1.0
 */
gint64
mmio_file_find_finish (MmioFile *self,
                       GAsyncResult *result,
                       GError **error)
{
  gint64 *offset;
  gint64 found;

  g_return_val_if_fail (MMIO_IS_FILE (self), -1);
  g_return_val_if_fail (g_task_is_valid (result, self), -1);
  g_return_val_if_fail (g_async_result_is_tagged (result, mmio_file_find_async), -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  offset = g_task_propagate_pointer (G_TASK (result), error);
  found = offset != NULL ? *offset : -1;
  g_free (offset);

  return found;
}

static void
run_resize (MmioFile *self,
            GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_file_resize (self, request->length, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_resize_async:
 * @self: a file
 * @size: the new size in bytes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Changes the size of the file without blocking, after whatever was asked of the file before. See [method@Mmio.File.resize].
 * `notify::size` is emitted in the main context that @callback comes in, before it.
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_resize_async (MmioFile *self,
                        guint64 size,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_resize_async, &request);
  request->parent.operation = run_resize;
  request->length = size;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_resize_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.resize_async] has come to. Errors are those of [method@Mmio.File.resize], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_resize_finish (MmioFile *self,
                         GAsyncResult *result,
                         GError **error)
{
  return finish_boolean (self, result, mmio_file_resize_async, error);
}

static void
run_reload (MmioFile *self,
            GTask    *task)
{
  GError *error = NULL;
  gboolean success = mmio_file_reload (self, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_reload_async:
 * @self: a file
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Maps what the path names now without blocking, after whatever was asked of the file before. See [method@Mmio.File.reload].
 * `notify::size`, if the size has changed, is emitted in the main context that @callback comes in, before it.
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_reload_async (MmioFile *self,
                        GCancellable *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_reload_async, &request);
  request->parent.operation = run_reload;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_reload_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.reload_async] has come to. Errors are those of [method@Mmio.File.reload], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_reload_finish (MmioFile *self,
                         GAsyncResult *result,
                         GError **error)
{
  return finish_boolean (self, result, mmio_file_reload_async, error);
}

static void
run_flush (MmioFile *self,
           GTask    *task)
{
  GError *error = NULL;
  gboolean success = mmio_file_flush (self, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_flush_async:
 * @self: a file
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Makes what was written durable without blocking, after whatever was asked of the file before. See [method@Mmio.File.flush].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_flush_async (MmioFile *self,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_flush_async, &request);
  request->parent.operation = run_flush;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_flush_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.flush_async] has come to. Errors are those of [method@Mmio.File.flush], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_flush_finish (MmioFile *self,
                        GAsyncResult *result,
                        GError **error)
{
  return finish_boolean (self, result, mmio_file_flush_async, error);
}

static void
run_flush_range (MmioFile *self,
                 GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_file_flush_range (self, request->offset, request->length, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_flush_range_async:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Makes a range durable without blocking, after whatever was asked of the file before. See [method@Mmio.File.flush_range].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_flush_range_async (MmioFile *self,
                             guint64 offset,
                             guint64 length,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_flush_range_async, &request);
  request->parent.operation = run_flush_range;
  request->offset = offset;
  request->length = length;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_flush_range_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.flush_range_async] has come to. Errors are those of [method@Mmio.File.flush_range], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_flush_range_finish (MmioFile *self,
                              GAsyncResult *result,
                              GError **error)
{
  return finish_boolean (self, result, mmio_file_flush_range_async, error);
}

static void
run_prefetch (MmioFile *self,
              GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_mapping_populate (&self->mapping, request->offset, request->length,
                                            g_task_get_cancellable (task), &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_prefetch_async:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Reads a range into memory, and is done when it is there, without blocking, after whatever was asked of the file before. See [method@Mmio.File.touch].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_prefetch_async (MmioFile *self,
                          guint64 offset,
                          guint64 length,
                          GCancellable *cancellable,
                          GAsyncReadyCallback callback,
                          gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_prefetch_async, &request);
  request->parent.operation = run_prefetch;
  request->offset = offset;
  request->length = length;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_prefetch_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.prefetch_async] has come to. Errors are those of [method@Mmio.File.touch], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_prefetch_finish (MmioFile *self,
                           GAsyncResult *result,
                           GError **error)
{
  return finish_boolean (self, result, mmio_file_prefetch_async, error);
}

static void
run_lock_memory (MmioFile *self,
                 GTask    *task)
{
  const Request *request = g_task_get_task_data (task);
  GError *error = NULL;
  gboolean success = mmio_file_lock_memory (self, request->offset, request->length, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_lock_memory_async:
 * @self: a file
 * @offset: where the range begins, in bytes
 * @length: its length in bytes
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Reads a range into memory and keeps it there, without blocking, after whatever was asked of the file before. See [method@Mmio.File.lock_memory].
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_lock_memory_async (MmioFile *self,
                             guint64 offset,
                             guint64 length,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_lock_memory_async, &request);
  request->parent.operation = run_lock_memory;
  request->offset = offset;
  request->length = length;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_lock_memory_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.lock_memory_async] has come to. Errors are those of [method@Mmio.File.lock_memory], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_lock_memory_finish (MmioFile *self,
                              GAsyncResult *result,
                              GError **error)
{
  return finish_boolean (self, result, mmio_file_lock_memory_async, error);
}

static void
run_close (MmioFile *self,
           GTask    *task)
{
  GError *error = NULL;
  gboolean success = mmio_file_close (self, &error);

  return_boolean (task, success, error);
}

/**
 * mmio_file_close_async:
 * @self: a file
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async) (nullable): what to call when it is done, in the thread-default main context of now
 * @user_data: (closure): passed to @callback
 *
 * Flushes and closes the file without blocking, after whatever was asked of the file before. See [method@Mmio.File.close].
 * `notify::size`, and `notify::watching` if it was watched, are emitted in the main context that @callback comes in, before it.
 *
 * The file lives until it is done. A cancelled call that has not begun changes nothing.
 *
 * Since: 1.0
 */
void
mmio_file_close_async (MmioFile *self,
                       GCancellable *cancellable,
                       GAsyncReadyCallback callback,
                       gpointer user_data)
{
  Request *request;
  GTask *task;

  g_return_if_fail (MMIO_IS_FILE (self));
  g_return_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable));

  task = task_new (self, cancellable, callback, user_data, mmio_file_close_async, &request);
  request->parent.operation = run_close;
  mmio_file_enqueue (self, task);
}

/**
 * mmio_file_close_finish:
 * @self: a file
 * @result: what the callback was given
 * @error: return location for an error
 *
 * Gets what [method@Mmio.File.close_async] has come to. Errors are those of [method@Mmio.File.close], and %G_IO_ERROR_CANCELLED.
 *
 * Returns: %TRUE if it was done
 *
 * Since: 1.0
 */
gboolean
mmio_file_close_finish (MmioFile *self,
                        GAsyncResult *result,
                        GError **error)
{
  return finish_boolean (self, result, mmio_file_close_async, error);
}
