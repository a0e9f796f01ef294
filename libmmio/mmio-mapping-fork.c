/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Around a fork: the child has one thread, so whatever another thread of the parent held at that moment is held for ever there.
 * Every mapping is on a list, which the child goes through before anything else runs in it. The fast paths know nothing of it.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <pthread.h>
#include <unistd.h>

#include "mmio-os-private.h"

/* No GMutex, which the thread sanitizer can't see unless GLib was built with it. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static MmioMapping *mappings;   /* mutex */
static gboolean prepared;       /* mutex */
static guint n_forks;           /* mutex */

/* The child has its own copy of the lock, and nobody in it holds it: the one thread there is was forking. TRUE: a thread of the parent
 * has held it. */
static gboolean
free_lock (GMutex *lock)
{
  if (g_mutex_trylock (lock))
    {
      g_mutex_unlock (lock);
      return FALSE;
    }

  g_mutex_init (lock);
  return TRUE;
}

/* Calls that were under way in the parent aren't here, and their stacks are given to new threads. What is left is linked anew: whoever
 * goes along `next` finds the list whole at each step of linking and unlinking, but only he. */
static void
sort_out_pins (MmioMapping *self)
{
  MmioPin **at = &self->pins;
  MmioPin *previous = NULL;

  self->n_writable_pins = 0;
  while (*at != NULL)
    {
      MmioPin *pin = *at;

      if (pin->passing)
        {
          *at = pin->next;
          continue;
        }
      pin->previous = previous;
      previous = pin;
      at = &pin->next;
      self->n_writable_pins += pin->writable ? 1 : 0;
    }
  self->pin_lock = 0;
}

static void
take_over (MmioMapping *self)
{
  const gboolean was_flushing = free_lock (&self->flush_lock);
  const gboolean was_changing = free_lock (&self->change_lock);

  self->is_inherited = TRUE;
  self->shares_with_parent = TRUE;
  /* A flush has taken what it was going to make durable, and its end is the parent's alone. */
  if ((was_flushing || was_changing) && self->mode == MMIO_MODE_READ_WRITE)
    self->size_pending = TRUE;
  if (self->writer_lock != 0 || was_flushing)
    {
      /* It may have been half way through the set; and of what it was writing nobody knows how far it came. */
      mmio_dirty_init (&self->dirty);
      if (self->mode == MMIO_MODE_READ_WRITE)
        mmio_dirty_add (&self->dirty, 0, self->size);
    }
  if (self->writer_lock != 0)
    {
      mmio_sequence_end (&self->sequence);
      for (guint i = 0; self->stripes != NULL && i < MMIO_N_STRIPES; i++)
        mmio_sequence_end (&self->stripes[i].sequence);
      self->writer_lock = 0;
    }

  sort_out_pins (self);

  /* The end of a reload whose file is mapped already. */
  if (self->next_fd >= 0)
    {
      mmio_os_replace_fd (self->next_fd, self->fd);
      close (self->next_fd);
      self->next_fd = -1;
    }

  if (self->n_waiters != 0)
    {
      self->n_waiters = 0;
      g_cond_init (&self->wait_condition);
    }
  free_lock (&self->wait_lock);
}

static void
before_fork (void)
{
  pthread_mutex_lock (&mutex);
}

static void
after_fork_in_parent (void)
{
  n_forks++;
  pthread_mutex_unlock (&mutex);
}

static void
after_fork_in_child (void)
{
  for (MmioMapping *mapping = mappings; mapping != NULL; mapping = mapping->next_mapping)
    take_over (mapping);
  pthread_mutex_unlock (&mutex);
}

void
mmio_mapping_enlist (MmioMapping *self)
{
  pthread_mutex_lock (&mutex);
  if (!prepared)
    prepared = pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child) == 0;
  self->n_forks = n_forks;
  self->next_mapping = mappings;
  if (self->next_mapping != NULL)
    self->next_mapping->link_to_mapping = &self->next_mapping;
  self->link_to_mapping = &mappings;
  mappings = self;
  pthread_mutex_unlock (&mutex);
}

void
mmio_mapping_delist (MmioMapping *self)
{
  pthread_mutex_lock (&mutex);
  /* Its neighbours set the link as well, so it is looked at under the lock. */
  if (self->link_to_mapping != NULL)
    {
      *self->link_to_mapping = self->next_mapping;
      if (self->next_mapping != NULL)
        self->next_mapping->link_to_mapping = self->link_to_mapping;
      self->link_to_mapping = NULL;
    }
  pthread_mutex_unlock (&mutex);
}

gboolean
mmio_mapping_has_forked (MmioMapping *self)
{
  gboolean has_forked;

  pthread_mutex_lock (&mutex);
  has_forked = self->shares_with_parent || self->n_forks != n_forks;
  pthread_mutex_unlock (&mutex);

  return has_forked;
}

void
mmio_mapping_forget_forks (MmioMapping *self)
{
  pthread_mutex_lock (&mutex);
  self->shares_with_parent = FALSE;
  self->n_forks = n_forks;
  pthread_mutex_unlock (&mutex);
}

void
mmio_mapping_hold_forks (void)
{
  pthread_mutex_lock (&mutex);
}

void
mmio_mapping_let_fork (void)
{
  pthread_mutex_unlock (&mutex);
}
