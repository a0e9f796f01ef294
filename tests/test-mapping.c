/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What threads do to each other in a mapping in moments so short that they have to be brought about.
 */
#include "config.h"

#include "libmmio/mmio-mapping-private.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

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

/* A reader that is held up, by a signal, wherever it is: what it has copied may be the zeros of a page that has faulted, and while it is
 * held up that page is healed. */

#define HEALS 10000
#define MARK 'A'

typedef struct
{
  MmioMapping mapping;
  gint stop;                    /* atomic */
  gint n_zeros;                 /* atomic: reads that went well and had none of the file's bytes */
} Healed;

static gint n_held;             /* atomic: how often the reader was held up */
static gint n_released;         /* atomic */

static void
hold_up (int signal_number G_GNUC_UNUSED)
{
  int n = __atomic_add_fetch (&n_held, 1, __ATOMIC_SEQ_CST);

  while (__atomic_load_n (&n_released, __ATOMIC_SEQ_CST) < n)
    sched_yield ();
}

static gpointer
read_on_and_on (gpointer data)
{
  Healed *self = data;
  guint8 byte;

  while (!g_atomic_int_get (&self->stop))
    if (mmio_mapping_try_read (&self->mapping, 0, &byte, 1) && byte != MARK)
      g_atomic_int_inc (&self->n_zeros);
  return NULL;
}

static pthread_t
start_reader (Healed *healed)
{
  pthread_t thread;

  g_assert_cmpint (pthread_create (&thread, NULL, read_on_and_on, healed), ==, 0);
  return thread;
}

static void
test_heal_beside_read (void)
{
  const gsize page_size = (gsize) sysconf (_SC_PAGESIZE);
  struct sigaction action = { .sa_handler = hold_up };
  Healed healed = { .stop = FALSE };
  g_autofree guint8 *page = g_malloc (page_size);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  pthread_t reader;
  int fd, own_fd;

  own_fd = g_file_open_tmp ("mmio-test-XXXXXX", &path, &error);
  g_assert_no_error (error);
  memset (page, MARK, page_size);
  g_assert_cmpint (pwrite (own_fd, page, page_size, 0), ==, (gssize) page_size);
  g_assert_no_errno (sigaction (SIGUSR1, &action, NULL));

  mmio_mapping_prepare (&healed.mapping);
  healed.mapping.mode = MMIO_MODE_READ_WRITE;
  fd = g_open (path, O_RDWR | O_CLOEXEC, 0);
  g_assert_cmpint (fd, >=, 0);
  g_assert_true (mmio_mapping_init (&healed.mapping, fd, page_size, 0, &error));
  g_assert_no_error (error);
  reader = start_reader (&healed);

  for (gint i = 1; i <= HEALS; i++)
    {
      g_assert_no_errno (ftruncate (own_fd, 0));
      g_assert_cmpuint (*(volatile guint8 *) healed.mapping.base, ==, 0);
      g_assert_cmpint (pthread_kill (reader, SIGUSR1), ==, 0);
      while (__atomic_load_n (&n_held, __ATOMIC_SEQ_CST) < i)
        sched_yield ();
      g_assert_cmpint (pwrite (own_fd, page, page_size, 0), ==, (gssize) page_size);
      g_assert_true (mmio_mapping_refresh (&healed.mapping, &error));
      g_assert_no_error (error);
      __atomic_store_n (&n_released, i, __ATOMIC_SEQ_CST);
    }
  g_atomic_int_set (&healed.stop, TRUE);
  g_assert_cmpint (pthread_join (reader, NULL), ==, 0);
  g_assert_cmpint (g_atomic_int_get (&healed.n_zeros), ==, 0);

  mmio_mapping_close (&healed.mapping);
  mmio_mapping_clear (&healed.mapping);
  close (own_fd);
  g_unlink (path);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/mapping/pins/who-waits-for-long-sleeps", test_sleeps);
  g_test_add_func ("/mapping/read/zeros-of-a-fault-that-is-healed-are-none-of-the-file", test_heal_beside_read);

  return g_test_run ();
}
