/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where a file has no blocks, so that whoever goes through it need not look at zeros. A page that somebody has stored to is none of it,
 * written to the disk or not: the file system gives it a place before the store, or finds it in memory.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <errno.h>
#include <unistd.h>

#include "mmio-os-private.h"

/* Under change_lock: is what pin pins what the descriptor stands for, and no byte of it private? */
static gboolean
shows_file (MmioMapping   *self,
            const MmioPin *pin)
{
  return !__atomic_load_n (&self->closed, __ATOMIC_RELAXED) && self->mode != MMIO_MODE_COPY_ON_WRITE &&
         pin->region->generation == self->generation;
}

gboolean
mmio_mapping_has_holes (MmioMapping   *self,
                        const MmioPin *pin)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);

  if (!shows_file (self, pin) || !mmio_os_has_holes (self->fd))
    return FALSE;

  /* Asking moves the offset of an open file, which is not ours alone: who has the descriptor may be reading with it. It stays open as
   * long as the other one, since closing it drops the locks of fcntl(2) that the program may have on the file. */
  if (!self->has_tried_seeking)
    {
      /* A fork copies the descriptors first and the memory later: not to give a child a number that isn't open there. */
      mmio_mapping_hold_forks ();
      self->seek_fd = mmio_os_open_to_seek (self->fd);
      mmio_mapping_let_fork ();
    }
  self->has_tried_seeking = TRUE;

  return self->seek_fd >= 0;
}

gboolean
mmio_mapping_seek_data (MmioMapping   *self,
                        const MmioPin *pin,
                        guint64        offset,
                        guint64       *data)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  guint64 size;
  int result;

  if (!shows_file (self, pin) || self->seek_fd < 0)
    return FALSE;

  result = mmio_os_seek_data (self->seek_fd, offset, data);
  /* To the end there is none: but if the end is no longer where it was, the memory has to tell. */
  if (result == ENXIO && mmio_os_get_size (self->seek_fd, &size) == 0 && mmio_range_is_inside (pin->offset, pin->length, size))
    {
      *data = G_MAXUINT64;
      return TRUE;
    }

  return result == 0;
}

void
mmio_mapping_end_seeking (MmioMapping *self)
{
  int fd = self->seek_fd;

  /* In this order, as in mmio_mapping_close (). */
  __atomic_store_n (&self->seek_fd, -1, __ATOMIC_RELEASE);
  self->has_tried_seeking = FALSE;
  if (fd >= 0)
    close (fd);
}
