/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-worker-private.h"

#include <pthread.h>

/* Threads that wait for a disk or a lock cost memory, not time: enough of them that a few slow files don't hold up the rest. */
#define MAX_THREADS 16

static gsize worker_context;    /* once */
static gsize pool;              /* once */
static gboolean is_child;       /* set while there is one thread */

/* The child of a fork has none of the threads: the files that it opens get new ones. */
static void
after_fork_in_child (void)
{
  worker_context = 0;
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
  GMainContext *context = data;

  g_main_context_push_thread_default (context);
  while (TRUE)
    g_main_context_iteration (context, TRUE);

  return NULL;
}

GMainContext *
mmio_worker_get_context (void)
{
  if (g_once_init_enter (&worker_context))
    {
      GMainContext *context = g_main_context_new ();

      /* Never joined: it lives as long as the process. */
      g_thread_unref (g_thread_new ("mmio-worker", iterate, context));
      g_once_init_leave (&worker_context, (gsize) context);
    }

  return (GMainContext *) worker_context;
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
