/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-lease-private.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "mmio-os-lease-private.h"

#define LONGEST_HOLD_US G_USEC_PER_SEC

struct _MmioLease
{
  MmioLeaseFunc func;
  gpointer user_data;

  /* mutex */
  int fd;                       /* -1: no lease is held */
  gint64 deadline;              /* monotonic, us: until then who waits for it is held; G_MAXINT64 while nobody waits */
  GList link;                   /* in leases while one is held */
};

/* No GMutex, which the thread sanitizer can't see unless GLib was built with it. Held around a fork. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER;
static GQueue leases = G_QUEUE_INIT;    /* mutex; of those that are held */
static gboolean is_starting;            /* mutex */
static int listener;                    /* mutex; names the thread, 0 if it hasn't started */
static int listener_error;              /* mutex; of its start */

/* mutex held */
static void
give_up (MmioLease *lease)
{
  if (lease->fd < 0)
    return;
  /* Not by closing alone: a child of a fork may have the description as well. */
  mmio_os_give_up_lease (lease->fd);
  close (lease->fd);
  lease->fd = -1;
  g_queue_unlink (&leases, &lease->link);
}

/* mutex held. When to look again. */
static gint64
look_at_all (void)
{
  gint64 now = g_get_monotonic_time ();
  gint64 next = G_MAXINT64;
  GList *following;

  for (GList *l = leases.head; l != NULL; l = following)
    {
      MmioLease *lease = l->data;

      following = l->next;
      if (lease->deadline == G_MAXINT64 && mmio_os_lease_is_wanted (lease->fd))
        {
          lease->deadline = now + LONGEST_HOLD_US;
          lease->func (lease->user_data);
        }
      if (lease->deadline <= now)
        give_up (lease);
      else
        next = MIN (next, lease->deadline);
    }
  return next;
}

static gpointer
listen_for_breaks (gpointer unused G_GNUC_UNUSED)
{
  int number = 0;
  int error = mmio_os_listen_for_breaks (&number);
  gint64 deadline;

  pthread_mutex_lock (&mutex);
  is_starting = FALSE;
  listener = number;
  listener_error = error;
  pthread_cond_broadcast (&started);
  pthread_mutex_unlock (&mutex);

  while (error == 0)
    {
      pthread_mutex_lock (&mutex);
      deadline = look_at_all ();
      pthread_mutex_unlock (&mutex);
      mmio_os_wait_for_break (deadline);
    }
  return NULL;
}

static void
before_fork (void)
{
  pthread_mutex_lock (&mutex);
}

static void
after_fork_in_parent (void)
{
  pthread_mutex_unlock (&mutex);
}

/* The thread has stayed with the parent, and so have the leases: giving them up here would be giving up the parent's. */
static void
after_fork_in_child (void)
{
  GList *link;

  while ((link = g_queue_pop_head_link (&leases)) != NULL)
    {
      MmioLease *lease = link->data;

      close (lease->fd);
      lease->fd = -1;
    }
  is_starting = FALSE;
  listener = 0;
  started = (pthread_cond_t) PTHREAD_COND_INITIALIZER;
  pthread_mutex_unlock (&mutex);
}

/* mutex held. The thread is never joined: it lives as long as the process. */
static int
start_listener (void)
{
  static gboolean prepared;

  if (!prepared)
    prepared = pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child) == 0;
  if (listener == 0 && !is_starting)
    {
      GThread *thread = prepared ? g_thread_try_new ("mmio-lease", listen_for_breaks, NULL, NULL) : NULL;

      if (thread == NULL)
        return ENOMEM;
      g_thread_unref (thread);
      is_starting = TRUE;
    }
  while (is_starting)
    pthread_cond_wait (&started, &mutex);
  return listener_error;
}

MmioLease *
mmio_lease_new (MmioLeaseFunc func,
                gpointer      user_data)
{
  MmioLease *lease = g_new0 (MmioLease, 1);

  lease->func = func;
  lease->user_data = user_data;
  lease->fd = -1;
  lease->link.data = lease;
  return lease;
}

void
mmio_lease_free (MmioLease *lease)
{
  mmio_lease_give_up (lease);
  g_free (lease);
}

int
mmio_lease_take (MmioLease *lease,
                 int        fd)
{
  int error;

  pthread_mutex_lock (&mutex);
  give_up (lease);
  error = start_listener ();
  if (error == 0)
    error = mmio_os_take_lease (fd, listener);
  if (error == 0)
    {
      lease->fd = fd;
      lease->deadline = G_MAXINT64;
      g_queue_push_tail_link (&leases, &lease->link);
    }
  else
    {
      close (fd);
    }
  pthread_mutex_unlock (&mutex);
  return error;
}

void
mmio_lease_give_up (MmioLease *lease)
{
  pthread_mutex_lock (&mutex);
  give_up (lease);
  pthread_mutex_unlock (&mutex);
}

gboolean
mmio_lease_is_held (MmioLease *lease)
{
  gboolean held;

  pthread_mutex_lock (&mutex);
  held = lease->fd >= 0;
  pthread_mutex_unlock (&mutex);
  return held;
}

gboolean
mmio_lease_is_wanted (MmioLease *lease)
{
  gboolean wanted;

  pthread_mutex_lock (&mutex);
  wanted = lease->fd >= 0 && lease->deadline != G_MAXINT64;
  pthread_mutex_unlock (&mutex);
  return wanted;
}
