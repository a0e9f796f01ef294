/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From the guard's records to the `fault` signal, and the guard's switch.
 */
#include "config.h"

#include "mmio-fault.h"

#include <glib-unix.h>
#include <pthread.h>

#include "mmio-file-private.h"
#include "mmio-worker-private.h"

/**
 * mmio_set_fault_guard:
 * @enabled: whether faults in mapped files are to be caught
 *
 * Switches the guard that turns a fault in a mapped file into an error on or off, for the files that are mapped from now on. It is
 * on by default.
 *
 * The guard is a handler for `SIGBUS`, installed when the first file is mapped, that deals with faults in libmmio's own mappings
 * and passes every other one to the handler that was there before. A program that can't have that switches it off before it maps its
 * first file; a file that is truncated while it is read then kills the process, as with plain [mmap(2)](man:mmap(2)).
 *
 * A handler that is installed later has to pass on what it doesn't know. A thread that blocks `SIGBUS` is killed by the kernel at a
 * fault.
 *
 * May be called from any thread.
 *
 * Since: 1.0
 */
void
mmio_set_fault_guard (gboolean enabled)
{
  mmio_guard_set_enabled (enabled);
}

/**
 * mmio_get_fault_guard:
 *
 * Whether files that are mapped from now on are guarded. See [func@Mmio.set_fault_guard].
 *
 * Returns: %TRUE if they are
 *
 * Since: 1.0
 */
gboolean
mmio_get_fault_guard (void)
{
  return mmio_guard_get_enabled ();
}

/* Telling. A fault in a view happens in the middle of somebody's code, in a signal handler: the guard wakes up the thread that waits,
 * which looks through the files that have views, and has the signal emitted in each one's own context. */

static GMutex listeners_lock;
static GHashTable *listeners;   /* listeners_lock: of MmioFile, not owned */

/* Who listens in the child of a fork are the files that it opens itself. */
static void
after_fork_in_child (void)
{
  g_mutex_init (&listeners_lock);
  listeners = NULL;
}

__attribute__ ((constructor)) static void
prepare_for_fork (void)
{
  pthread_atfork (NULL, NULL, after_fork_in_child);
}

static gboolean
emit_fault (gpointer data)
{
  g_autoptr (MmioFile) self = mmio_weak_get (data);
  gsize offset, length;

  if (self != NULL && !mmio_file_is_closed (self) && mmio_mapping_take_fault (&self->mapping, &offset, &length))
    g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_FAULT], 0, (guint64) offset, (guint64) length);

  return G_SOURCE_REMOVE;
}

/* Takes no reference on the file, which its caller or listeners_lock keeps from going: in a binding that might wait for the interpreter,
 * whose thread might wait for listeners_lock. */
void
mmio_file_tell_faults (MmioFile *self)
{
  g_autoptr (GSource) source = NULL;
  g_autoptr (GMainContext) context = NULL;

  /* Signals stay with the parent, and GObject's lock for them may have been held by one of its threads. */
  if (self->mapping.is_inherited || !mmio_mapping_has_fault_news (&self->mapping) ||
      !g_signal_has_handler_pending (self, mmio_file_signals[MMIO_FILE_SIGNAL_FAULT], 0, TRUE))
    return;

  g_mutex_lock (&self->watch_lock);
  context = self->watch_context != NULL ? g_main_context_ref (self->watch_context) : NULL;
  g_mutex_unlock (&self->watch_lock);

  source = g_idle_source_new ();
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_static_name (source, "libmmio fault");
  g_source_set_callback (source, emit_fault, mmio_weak_ref_at (&self->weak, self), mmio_weak_unref);
  g_source_attach (source, context);
}

static gboolean
on_fault (gint         fd G_GNUC_UNUSED,
          GIOCondition condition G_GNUC_UNUSED,
          gpointer     user_data G_GNUC_UNUSED)
{
  GHashTableIter iter;
  gpointer file;

  /* First clear, then look: a fault in between makes it readable again. */
  mmio_guard_clear_fd ();

  g_mutex_lock (&listeners_lock);
  g_hash_table_iter_init (&iter, listeners);
  while (g_hash_table_iter_next (&iter, &file, NULL))
    mmio_file_tell_faults (file);
  g_mutex_unlock (&listeners_lock);

  return G_SOURCE_CONTINUE;
}

void
mmio_file_listen_for_faults_slow (MmioFile *self)
{
  int fd;

  /* Signals stay with the parent. */
  if (self->mapping.is_inherited)
    return;

  fd = mmio_guard_get_fd ();
  if (fd < 0 || !g_atomic_int_compare_and_exchange (&self->listens_for_faults, FALSE, TRUE))
    return;

  g_mutex_lock (&listeners_lock);
  if (listeners == NULL)
    {
      g_autoptr (GSource) source = g_unix_fd_source_new (fd, G_IO_IN);

      g_source_set_static_name (source, "libmmio faults");
      g_source_set_callback (source, G_SOURCE_FUNC (on_fault), NULL, NULL);
      if (mmio_worker_attach (source))
        listeners = g_hash_table_new (NULL, NULL);
    }
  /* Without a thread for it faults are not told, which whoever has the next view tries again. */
  if (listeners != NULL)
    g_hash_table_add (listeners, self);
  else
    g_atomic_int_set (&self->listens_for_faults, FALSE);
  g_mutex_unlock (&listeners_lock);
}

void
mmio_file_ignore_faults (MmioFile *self)
{
  if (!g_atomic_int_get (&self->listens_for_faults))
    return;

  g_mutex_lock (&listeners_lock);
  if (listeners != NULL)
    g_hash_table_remove (listeners, self);
  g_mutex_unlock (&listeners_lock);
}
