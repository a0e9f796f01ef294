/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From the watch engine's reports to the file's signals.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <glib/gi18n-lib.h>

#include "mmio-error.h"

/* What the engine gives back with each report. The file is only known weakly: the last unref stops the watch. */
typedef struct
{
  MmioWeak *file;
  guint generation;
  MmioWatchFlags flags;
} Listener;

static void
free_listener (gpointer data)
{
  Listener *self = data;

  mmio_weak_unref (self->file);
  g_free (self);
}

/* A report that was on its way when unwatch was called from another thread isn't told any more. */
static gboolean
is_current (MmioFile *self,
            guint     generation)
{
  gboolean current;

  g_mutex_lock (&self->watch_lock);
  current = self->watch != NULL && self->watch_generation == generation;
  g_mutex_unlock (&self->watch_lock);

  return current;
}

static gboolean
is_watched (MmioFile *self)
{
  gboolean watched;

  g_mutex_lock (&self->watch_lock);
  watched = self->watch != NULL;
  g_mutex_unlock (&self->watch_lock);

  return watched;
}

static void
on_changed (MmioFile              *self,
            const MmioWatchReport *report)
{
  if (self->follow)
    mmio_file_refresh (self, NULL);

  /* A handler of notify::size may have stopped the watch. If it has begun another one, that counts this change as told. */
  if (!is_watched (self))
    return;

  g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_CHANGED], 0, report->offset, report->length);
}

static void
on_replaced (MmioFile      *self,
             guint          generation,
             MmioWatchFlags flags)
{
  g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_REPLACED], 0);

  /* The handler may have stopped the watch. */
  if ((flags & MMIO_WATCH_FLAGS_RELOAD) == 0 || !is_current (self, generation))
    return;
  /* If the new file is gone again already, the next report says so. */
  if (mmio_file_reload (self, NULL) && is_current (self, generation))
    g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_CHANGED], 0, (guint64) 0, mmio_file_get_size (self));
}

static void
on_report (const MmioWatchReport *report,
           gpointer               user_data)
{
  Listener *listener = user_data;
  guint generation = listener->generation;
  g_autoptr (MmioFile) self = mmio_weak_get (listener->file);

  if (self == NULL || !is_current (self, generation))
    return;

  if (report->what == MMIO_WATCH_CHANGED || report->what == MMIO_WATCH_REPLACED)
    mmio_file_settle_later (self);
  else if (report->what == MMIO_WATCH_REMOVED)
    {
      /* What is gone settles when something stands in its place. */
      g_mutex_lock (&self->watch_lock);
      mmio_file_settle_never (self);
      g_mutex_unlock (&self->watch_lock);
    }

  switch (report->what)
    {
    case MMIO_WATCH_CHANGED:
      on_changed (self, report);
      break;

    case MMIO_WATCH_METADATA:
      g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_METADATA], 0);
      break;

    case MMIO_WATCH_REMOVED:
      g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_REMOVED], 0);
      break;

    case MMIO_WATCH_REPLACED:
      on_replaced (self, generation, listener->flags);
      break;

    case MMIO_WATCH_ABOUT_TO_CHANGE:
      g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_ABOUT_TO_CHANGE], 0);
      break;

    default:
      break;
    }
}

void
mmio_file_announce (MmioFile          *self,
                    const MmioFlushed *flushed)
{
  /* The watch stays with the parent, and whatever locks its threads have held. */
  if (self->mapping.is_inherited)
    {
      mmio_mapping_announce (&self->mapping, flushed);
      return;
    }

  g_mutex_lock (&self->watch_lock);
  if (self->watch != NULL)
    mmio_watch_hold (self->watch);
  mmio_mapping_announce (&self->mapping, flushed);
  if (self->watch != NULL)
    mmio_watch_expect (self->watch);
  g_mutex_unlock (&self->watch_lock);
}

void
mmio_file_take_seen (MmioFile          *self,
                     const struct stat *st)
{
  if (self->mapping.is_inherited)
    return;

  g_mutex_lock (&self->watch_lock);
  self->seen = (MmioWatchSeen) {
    .size = (guint64) st->st_size,
    .own_size = (guint64) st->st_size,
    .mtime = st->st_mtim.tv_sec * G_GINT64_CONSTANT (1000000000) + st->st_mtim.tv_nsec,
  };
  g_mutex_unlock (&self->watch_lock);
}

/* Else a size that others have brought back would be no news. */
void
mmio_file_take_size (MmioFile *self,
                     guint64   size)
{
  if (self->mapping.is_inherited)
    return;

  g_mutex_lock (&self->watch_lock);
  self->seen.size = size;
  g_mutex_unlock (&self->watch_lock);
}

/* With watch_lock held: what a watch that begins now is to compare with. Stores of our own move the time, and a change of size of
 * our own is known here. */
static MmioWatchSeen
get_seen (MmioFile *self)
{
  MmioWatchSeen seen = self->seen;

  if (self->mapping.mode != MMIO_MODE_READ_WRITE)
    return seen;
  if (g_atomic_int_get (&self->has_stored) || mmio_mapping_get_pending (&self->mapping) > 0)
    {
      seen.own_size = mmio_mapping_get_size (&self->mapping);
      seen.mtime = MMIO_WATCH_ANY_TIME;
    }
  return seen;
}

/* With watch_lock held */
static void
stop_watch (MmioFile *self)
{
  if (self->watch == NULL)
    return;
  mmio_watch_get_seen (self->watch, &self->seen);
  g_clear_pointer (&self->watch, mmio_watch_stop);
}

void
mmio_file_begin_reload (MmioFile *self)
{
  if (self->mapping.is_inherited)
    return;

  g_mutex_lock (&self->watch_lock);
  if (self->n_reloads++ == 0 && self->watch != NULL)
    mmio_watch_keep (self->watch);
  g_mutex_unlock (&self->watch_lock);
}

void
mmio_file_end_reload (MmioFile *self,
                      gboolean  reloaded)
{
  int fd;

  if (self->mapping.is_inherited)
    return;

  g_mutex_lock (&self->watch_lock);
  fd = mmio_file_get_fd (self);
  if (self->watch != NULL && reloaded)
    mmio_watch_rebase (self->watch, fd);
  if (--self->n_reloads == 0 && self->watch != NULL)
    mmio_watch_lend (self->watch, fd);
  g_mutex_unlock (&self->watch_lock);
}

/* To stop the parent's watch, as a new one would, is to make the parent deaf: see mmio_file_stop_watch (). */
static gboolean
fail_inherited (MmioFile *self,
                GError  **error)
{
  g_autofree char *name = mmio_mapping_dup_name (&self->mapping);

  g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED,
               _("%s: was opened before the fork, and only the parent process can watch it: open it again"), name);
  return FALSE;
}

/**
 * mmio_file_watch:
 * @self: a file
 * @flags: how to watch it
 * @cancellable: (nullable): a cancellable, for the start of the watch
 * @error: return location for an error
 *
 * Begins to tell what happens to the file, with the signals [signal@Mmio.File::changed], [signal@Mmio.File::metadata],
 * [signal@Mmio.File::removed] and [signal@Mmio.File::replaced].
 *
 * They are emitted in the main context that is the thread-default one now, which has to be iterated. What has happened to the file between
 * its opening, or the end of an earlier watch, and this call is told too: that another file stands at its path, and that its content was changed,
 * as far as its size and time of modification say so; of a file that was written to through this object, the size alone. A file that is
 * watched already is watched anew. The watch keeps no reference on the file: it ends with it.
 *
 * Watching follows the path: after an atomic save the new file is what [signal@Mmio.File::changed] is about, though the mapping
 * shows the old one until [method@Mmio.File.reload], which %MMIO_WATCH_FLAGS_RELOAD calls by itself.
 *
 * May be called from any thread. Many files can be watched at once: a watch takes no descriptor besides the file's own, but for one while a
 * file that has replaced it isn't reloaded.
 *
 * With %MMIO_WATCH_FLAGS_LEASE the system has to give a lease on the file, as Linux does (see `F_SETLEASE` in [fcntl(2)](man:fcntl(2))): to
 * the user that the file belongs to, or to who has the capability `CAP_LEASE`, on file systems that can't be written to from
 * elsewhere, and while nobody, this process included, has the file open for writing. A file that replaces it is leased in its stead
 * if that can be.
 *
 * Errors: %MMIO_ERROR_WATCH_FAILED, naming the limit that is reached if it is one; %MMIO_ERROR_NOT_SUPPORTED, saying why, if @flags asks for
 * what can't be had here, or in the child of a fork for a file that the parent has opened; %G_IO_ERROR_CANCELLED; %MMIO_ERROR_CLOSED.
 *
 * Returns: %TRUE if the file is watched
 *
 * Since: 1.0
 */
gboolean
mmio_file_watch (MmioFile       *self,
                 MmioWatchFlags  flags,
                 GCancellable   *cancellable,
                 GError        **error)
{
  MmioWatchSetup setup;
  Listener *listener;
  MmioWatch *watch;
  MmioWatchSeen seen;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  if (mmio_file_is_closed (self))
    return mmio_mapping_fail_closed (&self->mapping, error);
  if (self->mapping.is_inherited)
    return fail_inherited (self, error);
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  listener = g_new0 (Listener, 1);
  listener->file = mmio_weak_ref_at (&self->weak, self);
  listener->flags = flags;

  g_mutex_lock (&self->watch_lock);
  if (self->is_closing)
    {
      g_mutex_unlock (&self->watch_lock);
      free_listener (listener);
      return mmio_mapping_fail_closed (&self->mapping, error);
    }
  listener->generation = self->watch_generation + 1;
  if (self->watch != NULL)
    mmio_watch_get_seen (self->watch, &self->seen);
  seen = get_seen (self);
  setup = (MmioWatchSetup) {
    .location = mmio_file_get_location (self),
    .fd = mmio_file_get_fd (self),
    .fd_is_lent = self->n_reloads == 0,
    .seen = self->n_reloads == 0 ? &seen : NULL,
    .flags = flags,
    .interval = (guint) self->watch_interval,
    .locate_limit = self->locate_limit,
  };
  watch = mmio_watch_start (&setup, on_report, listener, free_listener, cancellable, error);
  if (watch != NULL)
    {
      stop_watch (self);
      self->watch = watch;
      self->watch_generation = listener->generation;
      g_clear_pointer (&self->watch_context, g_main_context_unref);
      self->watch_context = g_main_context_ref_thread_default ();
    }
  g_mutex_unlock (&self->watch_lock);

  if (watch == NULL)
    return FALSE;

  if ((flags & MMIO_WATCH_FLAGS_SETTLE) != 0)
    mmio_file_settle_later (self);
  mmio_file_listen_for_faults (self);
  mmio_file_notify_watching (self);
  return TRUE;
}

/* It is stopped under the lock: whoever finds none may take its descriptor away. */
gboolean
mmio_file_stop_watch (MmioFile *self,
                      gboolean  for_good)
{
  gboolean was_watched;

  /* The kernel's end of the watch is the parent's as well: who takes it away here makes the parent deaf. */
  if (self->mapping.is_inherited)
    return FALSE;

  g_mutex_lock (&self->watch_lock);
  was_watched = self->watch != NULL;
  self->is_closing = self->is_closing || for_good;
  stop_watch (self);
  mmio_file_settle_never (self);
  g_mutex_unlock (&self->watch_lock);

  return was_watched;
}

/**
 * mmio_file_unwatch:
 * @self: a file
 *
 * Stops telling what happens to the file. Does nothing if it isn't watched.
 *
 * Called in the main context that the signals come in, also from a handler, none comes after it has returned. Called from another
 * thread, one whose handlers are being called at that moment, or just about to be, is the last.
 *
 * It doesn't wait for anything. Two descriptors that all watches of a main context share are kept for the next one, as long as the
 * context is; but those of eight contexts at most, and to close others' takes some milliseconds.
 *
 * Since: 1.0
 */
void
mmio_file_unwatch (MmioFile *self)
{
  g_return_if_fail (MMIO_IS_FILE (self));

  if (mmio_file_stop_watch (self, FALSE))
    mmio_file_notify_watching (self);
}
