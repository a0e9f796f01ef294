/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-worker-private.h"

/* Threads that wait for a disk or a lock cost memory, not time: enough of them that a few slow files don't hold up the rest. */
#define MAX_THREADS 16

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
  static gsize once;

  if (g_once_init_enter (&once))
    {
      GMainContext *context = g_main_context_new ();

      /* Never joined: it lives as long as the process. */
      g_thread_unref (g_thread_new ("mmio-worker", iterate, context));
      g_once_init_leave (&once, (gsize) context);
    }

  return (GMainContext *) once;
}

static void
run_work (gpointer data,
          gpointer user_data G_GNUC_UNUSED)
{
  Work work = *(Work *) data;

  g_free (data);
  work.func (work.data);
}

void
mmio_worker_run (MmioWorkFunc func,
                 gpointer     data)
{
  static gsize once;
  Work *work = g_new (Work, 1);

  if (g_once_init_enter (&once))
    g_once_init_leave (&once, (gsize) g_thread_pool_new (run_work, NULL, MAX_THREADS, FALSE, NULL));

  *work = (Work){ func, data };
  g_thread_pool_push ((GThreadPool *) once, work, NULL);
}
