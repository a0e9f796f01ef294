/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The lock of a mapping's pins, which is spun on.
 */
#include "config.h"

#include "libmmio/mmio-mapping-private.h"

#include <string.h>
#include <unistd.h>

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#define PATIENCE_US (30 * G_TIME_SPAN_SECOND)

#ifdef MMIO_SYS_GETTID

/* How often the thread has gone to sleep by itself; to yield is not to sleep. -1: the system doesn't say. */
static gint64
count_sleeps (int thread)
{
  static const char key[] = "\nvoluntary_ctxt_switches:";
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/status", thread);
  g_autofree char *status = NULL;
  const char *line;

  if (!g_file_get_contents (path, &status, NULL, NULL))
    return -1;
  line = strstr (status, key);
  return line != NULL ? g_ascii_strtoll (line + strlen (key), NULL, 10) : -1;
}

typedef struct
{
  MmioMapping mapping;
  gint64 n_sleeps;              /* before */
  gint thread;                  /* atomic: 0 until it is about to take the lock */
} Fixture;

static gpointer
take_lock (gpointer data)
{
  Fixture *self = data;
  int thread = (int) syscall (MMIO_SYS_GETTID);

  self->n_sleeps = count_sleeps (thread);
  g_atomic_int_set (&self->thread, thread);
  mmio_mapping_lock_pins (&self->mapping);
  mmio_mapping_unlock_pins (&self->mapping);
  return NULL;
}

/* The holder may be of lower priority on the same processor, where it can't go on before others sleep. */
static void
test_sleeps (void)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE_US;
  Fixture fixture = { .thread = 0 };
  GThread *thread;

  if (count_sleeps (getpid ()) < 0)
    {
      g_test_skip ("the system doesn't say how often a thread has slept");
      return;
    }

  mmio_mapping_lock_pins (&fixture.mapping);
  thread = g_thread_new ("waiter", take_lock, &fixture);
  while (g_atomic_int_get (&fixture.thread) == 0 || count_sleeps (fixture.thread) < fixture.n_sleeps + 3)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_thread_yield ();
    }
  mmio_mapping_unlock_pins (&fixture.mapping);
  g_thread_join (thread);
}

#else

static void
test_sleeps (void)
{
  g_test_skip ("the system doesn't say which thread this is");
}

#endif

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/pin/lock/who-waits-for-long-sleeps", test_sleeps);

  return g_test_run ();
}
