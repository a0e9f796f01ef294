/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When a file has settled: it has changed, then hasn't for a while, and nobody has it open for writing as far as the system tells.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <fcntl.h>
#include <unistd.h>

#include "mmio-os-lease-private.h"

/* FALSE where that can't be known: a file that we have open for writing ourselves, or that belongs to somebody else. */
static gboolean
has_writer (MmioFile *self)
{
  gboolean found;
  int fd;

  if (self->mapping.mode == MMIO_MODE_READ_WRITE || !self->has_name)
    return FALSE;
  fd = open (mmio_file_get_full_path (self), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0)
    return FALSE;

  found = mmio_os_has_writer (fd);
  close (fd);

  return found;
}

static gboolean
on_quiet (gpointer user_data)
{
  g_autoptr (MmioFile) self = mmio_weak_get (user_data);
  gboolean is_ours;

  if (self == NULL)
    return G_SOURCE_REMOVE;
  /* Asked again after the same time. */
  if (has_writer (self))
    return G_SOURCE_CONTINUE;

  g_mutex_lock (&self->watch_lock);
  is_ours = self->settling != NULL && self->settling == g_main_current_source ();
  if (is_ours)
    g_clear_pointer (&self->settling, g_source_unref);
  g_mutex_unlock (&self->watch_lock);

  if (is_ours)
    g_signal_emit (self, mmio_file_signals[MMIO_FILE_SIGNAL_SETTLED], 0);
  return G_SOURCE_REMOVE;
}

/* Under watch_lock. */
void
mmio_file_settle_never (MmioFile *self)
{
  if (self->settling == NULL)
    return;

  g_source_destroy (self->settling);
  g_clear_pointer (&self->settling, g_source_unref);
}

void
mmio_file_settle_later (MmioFile *self)
{
  g_mutex_lock (&self->watch_lock);
  mmio_file_settle_never (self);
  if (self->watch != NULL)
    {
      self->settling = g_timeout_source_new ((guint) self->settle_time);
      g_source_set_static_name (self->settling, "libmmio settle");
      g_source_set_callback (self->settling, on_quiet, mmio_weak_ref_at (&self->weak, self), mmio_weak_unref);
      g_source_attach (self->settling, self->watch_context);
    }
  g_mutex_unlock (&self->watch_lock);
}
