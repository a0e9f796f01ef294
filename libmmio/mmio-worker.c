/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-worker-private.h"

#include <pthread.h>

#include "mmio-os-private.h"

/* Threads that wait for a disk or a lock cost memory, not time: enough of them that a few slow files don't hold up the rest. */
#define MAX_THREADS 16

static GMutex lock;
static GMainContext *context;   /* lock */
static gboolean has_thread;     /* lock: one that iterates context */
static gsize pool;              /* once */
static gboolean is_child;       /* set while there is one thread */

/* The child of a fork has none of the threads: the files that it opens get new ones. */
static void
after_fork_in_child (void)
{
  g_mutex_init (&lock);
  context = NULL;
  has_thread = FALSE;
  is_child = TRUE;
}

__attribute__ ((constructor)) static void
prepare_for_fork (void)
{
  pthread_atfork (NULL, NULL, after_fork_in_child);
}

typedef struct
{
  MmioWorkFunc func;
  gpointer data;
} Work;

static gpointer
iterate (gpointer data)
{
  g_main_context_push_thread_default (data);
  while (TRUE)
    g_main_context_iteration (data, TRUE);

  return NULL;
}

gboolean
mmio_worker_attach (GSource *source)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&lock);

  /* GLib ends the process where it has no descriptor for a context, and where g_thread_new () has no thread. */
  if (context == NULL && mmio_os_has_descriptors ())
    context = g_main_context_new ();
  if (context != NULL && !has_thread)
    {
      GThread *thread = g_thread_try_new ("mmio-worker", iterate, context, NULL);

      /* Never joined: it lives as long as the process. */
      has_thread = thread != NULL;
      g_clear_pointer (&thread, g_thread_unref);
    }
  if (has_thread)
    g_source_attach (source, context);

  return has_thread;
}

static void
run_work (gpointer data,
          gpointer user_data G_GNUC_UNUSED)
{
  Work work = *(Work *) data;

  g_free (data);
  work.func (work.data);
}

static gpointer
run_alone (gpointer data)
{
  run_work (data, NULL);
  return NULL;
}

void
mmio_worker_run (MmioWorkFunc func,
                 gpointer     data)
{
  Work *work = g_new (Work, 1);

  *work = (Work){ func, data };
  /* GLib's pools count on threads that have stayed with the parent. */
  if (is_child)
    {
      g_thread_unref (g_thread_new ("mmio-work", run_alone, work));
      return;
    }

  if (g_once_init_enter (&pool))
    g_once_init_leave (&pool, (gsize) g_thread_pool_new (run_work, NULL, MAX_THREADS, FALSE, NULL));
  g_thread_pool_push ((GThreadPool *) pool, work, NULL);
}
