/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-mapping-window-private.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "mmio-os-private.h"

/* The kernel would end the process instead of asking the guard. */
static gboolean
unblock_faults (void)
{
  sigset_t fault, before;

  sigemptyset (&fault);
  sigaddset (&fault, SIGBUS);
  return pthread_sigmask (SIG_UNBLOCK, &fault, &before) == 0 && sigismember (&before, SIGBUS) == 1;
}

static void
block_faults (void)
{
  sigset_t fault;

  sigemptyset (&fault);
  sigaddset (&fault, SIGBUS);
  pthread_sigmask (SIG_BLOCK, &fault, NULL);
}

static gboolean
is_in_memory (int      fd,
              guint64  offset,
              gpointer start,
              gsize    length)
{
  const gsize page_size = mmio_os_page_size ();
  guint64 resident = 0;

  return mmio_os_get_resident (fd, FALSE, offset, start, length, &resident) == 0 &&
         resident >= (length + page_size - 1) / page_size * page_size;
}

gboolean
mmio_window_open (MmioWindow *self,
                  int         fd,
                  guint64     offset,
                  gsize       length)
{
  const gsize page_size = mmio_os_page_size ();
  gpointer start;

  if (length == 0 || offset % page_size != 0 || offset > (guint64) G_MAXINT64 - length || !mmio_guard_get_enabled ())
    return FALSE;

  start = mmap (NULL, length, PROT_READ, MAP_SHARED, fd, (off_t) offset);
  if (start == MAP_FAILED)
    return FALSE;
  *self = (MmioWindow) { .start = start, .length = length, .guard = &mmio_guard_none };
  if (is_in_memory (fd, offset, start, length))
    self->guard = mmio_guard_add (start, (length + page_size - 1) / page_size * page_size, page_size, MMIO_GUARD_READ);
  if (self->guard == &mmio_guard_none)
    {
      munmap (start, length);
      return FALSE;
    }
  self->unblocked = unblock_faults ();
  return TRUE;
}

gboolean
mmio_window_close (MmioWindow *self)
{
  gboolean whole;

  if (self->unblocked)
    block_faults ();
  /* orders what was read before the look for faults in it */
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  whole = !mmio_guard_range_has_faults (self->guard);
  mmio_guard_remove (self->guard);
  munmap (self->start, self->length);
  return whole;
}
