/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The SIGBUS guard, by real faults: files are truncated under their mappings.
 */
#include "config.h"

#include "libmmio/mmio-guard-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

#if defined (SYS_rt_tgsigqueueinfo) && defined (SYS_gettid)
#define CAN_SEND_ANY_SIGNAL 1
#else
#define CAN_SEND_ANY_SIGNAL 0
#endif

/* gcc has macros for these, clang features. */
#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined (__SANITIZE_ADDRESS__) || __has_feature (address_sanitizer)
#define ADDRESS_SANITIZER 1
#else
#define ADDRESS_SANITIZER 0
#endif
#if defined (__SANITIZE_THREAD__) || __has_feature (thread_sanitizer)
#define THREAD_SANITIZER 1
#else
#define THREAD_SANITIZER 0
#endif

#define PATTERN 0xA5
/* ms; a forked child that takes longer hangs */
#define CHILD_TIMEOUT 60000

static gsize page_size;

/* A file of n_pages, all PATTERN, and a shared mapping of it. */
typedef struct
{
  char *folder;
  char *path;
  int fd;
  gsize n_pages;
  gsize length;
  guint8 *data;
} Mapped;

static void
mapped_fill (Mapped *mapped)
{
  g_autofree guint8 *bytes = g_malloc (mapped->length);

  memset (bytes, PATTERN, mapped->length);
  g_assert_cmpint (pwrite (mapped->fd, bytes, mapped->length, 0), ==, (gssize) mapped->length);
}

static Mapped *
mapped_new (gsize n_pages)
{
  g_autoptr (GError) error = NULL;
  Mapped *mapped = g_new0 (Mapped, 1);

  mapped->folder = g_dir_make_tmp ("mmio-guard-XXXXXX", &error);
  g_assert_no_error (error);
  mapped->path = g_build_filename (mapped->folder, "file", NULL);
  mapped->n_pages = n_pages;
  mapped->length = n_pages * page_size;

  mapped->fd = g_open (mapped->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  g_assert_cmpint (mapped->fd, >=, 0);
  mapped_fill (mapped);

  mapped->data = mmap (NULL, mapped->length, PROT_READ | PROT_WRITE, MAP_SHARED, mapped->fd, 0);
  g_assert_true (mapped->data != MAP_FAILED);

  return mapped;
}

static void
mapped_free (Mapped *mapped)
{
  munmap (mapped->data, mapped->length);
  close (mapped->fd);
  g_unlink (mapped->path);
  g_rmdir (mapped->folder);
  g_free (mapped->path);
  g_free (mapped->folder);
  g_free (mapped);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Mapped, mapped_free)

static guint8 *
mapped_page (Mapped *mapped,
             gsize   page)
{
  return mapped->data + page * page_size;
}

static void
mapped_truncate (Mapped *mapped,
                 gsize   n_pages)
{
  g_assert_no_errno (ftruncate (mapped->fd, (off_t) (n_pages * page_size)));
}

static MmioGuardRange *
mapped_guard (Mapped *mapped)
{
  return mmio_guard_add (mapped->data, mapped->length, page_size, MMIO_GUARD_WRITE_SHARED);
}

static gboolean
hit_page (MmioGuardRange *range,
          Mapped         *mapped,
          gsize           page)
{
  return mmio_guard_range_hit (range, mapped_page (mapped, page), page_size);
}

/* What mmio_guard_range_heal () calls: the file's own pages again. */
static gboolean
lay_file (gpointer start,
          gsize    length,
          gboolean exact,
          gpointer user_data)
{
  Mapped *mapped = user_data;
  off_t offset = (guint8 *) start - mapped->data;

  return mmap (start, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, mapped->fd, offset) == start;
}

static gboolean
lay_nothing (gpointer start,
             gsize    length,
             gboolean exact,
             gpointer user_data)
{
  errno = ENODEV;
  return FALSE;
}

static guint8
peek (const guint8 *address)
{
  return *(const volatile guint8 *) address;
}

static void
poke (guint8 *address,
      guint8  value)
{
  *(volatile guint8 *) address = value;
}

static void
assert_interval (gconstpointer start,
                 gsize         length,
                 Mapped       *mapped,
                 gsize         first_page,
                 gsize         n_pages)
{
  g_assert_cmpuint ((const guint8 *) start - mapped->data, ==, first_page * page_size);
  g_assert_cmpuint (length, ==, n_pages * page_size);
}

static void
assert_bounds (MmioGuardRange *range,
               Mapped         *mapped,
               gsize           first_page,
               gsize           n_pages)
{
  gpointer start;
  gsize length;

  g_assert_true (mmio_guard_range_bounds (range, &start, &length));
  assert_interval (start, length, mapped, first_page, n_pages);
}

static void
assert_news (MmioGuardRange *range,
             Mapped         *mapped,
             gsize           first_page,
             gsize           n_pages)
{
  gpointer start;
  gsize length;

  g_assert_true (mmio_guard_range_has_news (range));
  g_assert_true (mmio_guard_range_take_news (range, &start, &length));
  assert_interval (start, length, mapped, first_page, n_pages);
  g_assert_false (mmio_guard_range_has_news (range));
  g_assert_false (mmio_guard_range_take_news (range, &start, &length));
}

static gboolean
is_readable (int fd)
{
  struct pollfd item = { fd, POLLIN, 0 };

  g_assert_cmpint (poll (&item, 1, 0), >=, 0);
  return item.revents != 0;
}

/* Runs func in a forked child and returns how that ended, as waitpid () says it. */
static int
run_forked (void   (*func) (gpointer user_data),
            gpointer user_data)
{
  struct pollfd alive = { -1, POLLIN, 0 };
  int fds[2];
  pid_t child;
  int status;

  g_assert_no_errno (pipe (fds));
  child = fork ();
  g_assert_cmpint (child, >=, 0);

  if (child == 0)
    {
      struct rlimit none = { 0, 0 };

      close (fds[0]);
      setrlimit (RLIMIT_CORE, &none);
      signal (SIGSEGV, SIG_DFL);
      func (user_data);
      _exit (0);
    }

  /* Readable when the child's end is gone. No signal would end a child that has all of them blocked, but this one. */
  close (fds[1]);
  alive.fd = fds[0];
  if (poll (&alive, 1, CHILD_TIMEOUT) == 0)
    kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  close (fds[0]);

  return status;
}

static void
assert_lives (void   (*func) (gpointer user_data),
              gpointer user_data)
{
  int status = run_forked (func, user_data);

  g_assert_false (WIFSIGNALED (status));
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
}

static void
assert_dies_of (int      signal_number,
                void   (*func) (gpointer user_data),
                gpointer user_data)
{
  int status = run_forked (func, user_data);

  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, signal_number);
}

/* What was there before the guard counts once a process, so such tests run in one of their own. */
static gboolean
in_own_process (void)
{
  if (g_test_subprocess ())
    return TRUE;

  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
  return FALSE;
}

/* Gives this thread a SIGBUS with the code and the address, as only the kernel does else. */
static void
send_sigbus (int      code,
             gpointer address)
{
#if CAN_SEND_ANY_SIGNAL
  siginfo_t info = { 0 };

  info.si_signo = SIGBUS;
  info.si_code = code;
  info.si_addr = address;
  g_assert_no_errno (syscall (SYS_rt_tgsigqueueinfo, getpid (), syscall (SYS_gettid), SIGBUS, &info));
#endif
}

static void
touch_page (gpointer user_data)
{
  peek (user_data);
}

/* Faults in the range */

static void
test_read (void)
{
  g_autoptr (Mapped) mapped = mapped_new (4);
  MmioGuardRange *range = mapped_guard (mapped);

  g_assert_true (range != &mmio_guard_none);
  g_assert_false (mmio_guard_range_has_faults (range));

  mapped_truncate (mapped, 2);
  g_assert_cmpuint (peek (mapped_page (mapped, 1)), ==, PATTERN);
  g_assert_false (mmio_guard_range_has_faults (range));

  g_assert_cmpuint (peek (mapped_page (mapped, 2) + 5), ==, 0);
  g_assert_cmpuint (peek (mapped_page (mapped, 3) + page_size - 1), ==, 0);
  g_assert_cmpuint (peek (mapped_page (mapped, 1)), ==, PATTERN);
  g_assert_true (mmio_guard_range_has_faults (range));

  mmio_guard_remove (range);
}

static void
test_write (void)
{
  g_autoptr (Mapped) mapped = mapped_new (2);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 1);
  poke (mapped_page (mapped, 1) + 7, 42);
  g_assert_cmpuint (peek (mapped_page (mapped, 1) + 7), ==, 42);
  g_assert_true (hit_page (range, mapped, 1));

  mmio_guard_remove (range);
}

static void
poke_page (gpointer user_data)
{
  peek (user_data);
  poke (user_data, 1);
}

static void
test_read_only (void)
{
  g_autoptr (Mapped) mapped = mapped_new (1);
  MmioGuardRange *range = mmio_guard_add (mapped->data, mapped->length, page_size, MMIO_GUARD_READ);

  mapped_truncate (mapped, 0);
  assert_lives (touch_page, mapped->data);
  assert_dies_of (SIGSEGV, poke_page, mapped->data);

  mmio_guard_remove (range);
}

static void
test_errno (void)
{
  g_autoptr (Mapped) mapped = mapped_new (1);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  errno = EXDEV;
  peek (mapped->data);
  g_assert_cmpint (errno, ==, EXDEV);

  mmio_guard_remove (range);
}

static void
test_page_size (void)
{
  const gsize large = 4 * page_size;
  g_autoptr (Mapped) mapped = mapped_new (12);
  guint8 *start = (guint8 *) (((gsize) mapped->data + large - 1) & ~(large - 1));
  MmioGuardRange *range = mmio_guard_add (start, 2 * large, large, MMIO_GUARD_WRITE_SHARED);

  mapped_truncate (mapped, 0);
  g_assert_cmpuint (peek (start + large + page_size), ==, 0);
  g_assert_true (mmio_guard_range_hit (range, start + large, 1));
  g_assert_true (mmio_guard_range_hit (range, start + 2 * large - 1, 1));
  g_assert_false (mmio_guard_range_hit (range, start, large));

  mmio_guard_remove (range);
}

/* Records */

static void
test_hit (void)
{
  g_autoptr (Mapped) mapped = mapped_new (16);
  MmioGuardRange *range = mapped_guard (mapped);
  gpointer start;
  gsize length;

  g_assert_false (mmio_guard_range_hit (range, mapped->data, mapped->length));
  g_assert_false (mmio_guard_range_bounds (range, &start, &length));

  mapped_truncate (mapped, 0);
  peek (mapped_page (mapped, 5));
  peek (mapped_page (mapped, 9));
  peek (mapped_page (mapped, 8));

  for (gsize page = 0; page < mapped->n_pages; page++)
    g_assert_cmpint (hit_page (range, mapped, page), ==, page == 5 || page == 8 || page == 9);

  g_assert_true (mmio_guard_range_hit (range, mapped_page (mapped, 6) - 1, 1));
  g_assert_false (mmio_guard_range_hit (range, mapped_page (mapped, 6), 1));
  g_assert_true (mmio_guard_range_hit (range, mapped_page (mapped, 8) - 1, 2));
  g_assert_false (mmio_guard_range_hit (range, mapped_page (mapped, 8) - 1, 1));
  g_assert_false (mmio_guard_range_hit (range, mapped_page (mapped, 5), 0));
  g_assert_true (mmio_guard_range_hit (range, mapped->data, mapped->length));
  assert_bounds (range, mapped, 5, 5);

  mmio_guard_remove (range);
}

static void
test_runs_are_exact (void)
{
  g_autoptr (Mapped) mapped = mapped_new (MMIO_GUARD_EXACT_FAULTS * 8);
  MmioGuardRange *range = mapped_guard (mapped);

  /* Runs of six pages, with a gap of two between them */
  mapped_truncate (mapped, 0);
  for (gsize page = 0; page < mapped->n_pages; page++)
    if (page % 8 < 6)
      peek (mapped_page (mapped, page));

  for (gsize page = 0; page < mapped->n_pages; page++)
    g_assert_cmpint (hit_page (range, mapped, page), ==, page % 8 < 6);
  g_assert_cmpuint (range->n_active, ==, MMIO_GUARD_EXACT_FAULTS);

  mmio_guard_remove (range);
}

static void
test_overflow (void)
{
  const gsize n_runs = MMIO_GUARD_EXACT_FAULTS + 4;
  g_autoptr (Mapped) mapped = mapped_new (2 * n_runs + 2);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  for (gsize i = 0; i < n_runs; i++)
    peek (mapped_page (mapped, 1 + 2 * i));

  for (gsize i = 0; i < n_runs; i++)
    g_assert_true (hit_page (range, mapped, 1 + 2 * i));
  for (gsize i = 0; i <= MMIO_GUARD_EXACT_FAULTS; i++)
    g_assert_false (hit_page (range, mapped, 2 * i));
  g_assert_false (hit_page (range, mapped, 2 * n_runs));
  assert_bounds (range, mapped, 1, 2 * n_runs - 1);

  mapped_fill (mapped);
  g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_file, mapped));
  g_assert_false (mmio_guard_range_has_faults (range));
  for (gsize page = 0; page < mapped->n_pages; page++)
    g_assert_cmpuint (peek (mapped_page (mapped, page)), ==, PATTERN);

  mmio_guard_remove (range);
}

/* Healing */

static void
test_heal (void)
{
  g_autoptr (Mapped) mapped = mapped_new (8);
  MmioGuardRange *range = mapped_guard (mapped);
  gpointer start;
  gsize length;

  mapped_truncate (mapped, 4);
  for (gsize page = 4; page < 8; page++)
    peek (mapped_page (mapped, page));
  assert_bounds (range, mapped, 4, 4);

  mapped_fill (mapped);
  g_assert_cmpuint (peek (mapped_page (mapped, 5)), ==, 0);

  /* As far as the file reaches again */
  g_assert_true (mmio_guard_range_heal (range, mapped->data, 6 * page_size, lay_file, mapped));
  g_assert_cmpuint (peek (mapped_page (mapped, 5)), ==, PATTERN);
  g_assert_cmpuint (peek (mapped_page (mapped, 6)), ==, 0);
  assert_bounds (range, mapped, 6, 2);

  /* Nothing has faulted there */
  g_assert_true (mmio_guard_range_heal (range, mapped->data, 6 * page_size, lay_nothing, NULL));

  g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_file, mapped));
  g_assert_cmpuint (peek (mapped_page (mapped, 7)), ==, PATTERN);
  g_assert_false (mmio_guard_range_has_faults (range));
  g_assert_false (mmio_guard_range_bounds (range, &start, &length));

  /* And it can fault again */
  mapped_truncate (mapped, 4);
  g_assert_cmpuint (peek (mapped_page (mapped, 5)), ==, 0);
  assert_bounds (range, mapped, 5, 1);

  mmio_guard_remove (range);
}

static void
test_heal_middle (void)
{
  g_autoptr (Mapped) mapped = mapped_new (2 * MMIO_GUARD_EXACT_FAULTS + 8);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  for (gsize page = 0; page < 7; page++)
    peek (mapped_page (mapped, page));
  mapped_fill (mapped);
  g_assert_true (mmio_guard_range_heal (range, mapped_page (mapped, 3), page_size, lay_file, mapped));
  for (gsize page = 0; page < 7; page++)
    {
      g_assert_cmpint (hit_page (range, mapped, page), ==, page != 3);
      g_assert_cmpuint (peek (mapped_page (mapped, page)), ==, page == 3 ? PATTERN : 0);
    }

  /* With no place left for what is beyond the middle, it is still remembered. */
  mapped_truncate (mapped, 0);
  for (gsize page = 8; page < mapped->n_pages; page += 2)
    peek (mapped_page (mapped, page));
  mapped_fill (mapped);
  g_assert_true (mmio_guard_range_heal (range, mapped_page (mapped, 1), page_size, lay_file, mapped));
  g_assert_false (hit_page (range, mapped, 1));
  for (gsize page = 0; page < mapped->n_pages; page++)
    if (peek (mapped_page (mapped, page)) == 0)
      g_assert_true (hit_page (range, mapped, page));

  mmio_guard_remove (range);
}

static void
test_heal_fails (void)
{
  g_autoptr (Mapped) mapped = mapped_new (2);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  peek (mapped_page (mapped, 1));

  g_assert_false (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_nothing, NULL));
  g_assert_cmpint (errno, ==, ENODEV);
  g_assert_true (hit_page (range, mapped, 1));

  /* The signals are as they were. */
  g_assert_cmpuint (peek (mapped_page (mapped, 0)), ==, 0);

  g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, NULL, NULL));
  g_assert_false (mmio_guard_range_has_faults (range));

  mmio_guard_remove (range);
}

static void
lay_without_heal (gpointer user_data)
{
  Mapped *mapped = user_data;

  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (peek (mapped->data), ==, 0);
      g_assert_true (lay_file (mapped->data, mapped->length, TRUE, mapped));
    }
}

static void
test_heal_forgotten (void)
{
  g_autoptr (Mapped) mapped = mapped_new (1);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  assert_lives (lay_without_heal, mapped);

  mmio_guard_remove (range);
}

/* News */

static void
test_news (void)
{
  g_autoptr (Mapped) mapped = mapped_new (8);
  MmioGuardRange *range = mapped_guard (mapped);
  gpointer start;
  gsize length;
  int fd = mmio_guard_get_fd ();

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (mmio_guard_get_fd (), ==, fd);
  g_assert_cmpint (fcntl (fd, F_GETFD) & FD_CLOEXEC, !=, 0);
  mmio_guard_clear_fd ();
  g_assert_false (is_readable (fd));
  g_assert_false (mmio_guard_range_take_news (range, &start, &length));

  mapped_truncate (mapped, 0);
  peek (mapped_page (mapped, 2));
  peek (mapped_page (mapped, 5));
  g_assert_true (is_readable (fd));
  mmio_guard_clear_fd ();
  g_assert_false (is_readable (fd));
  assert_news (range, mapped, 2, 4);

  /* A page that has been told is no news, and memory that was healed before it was told still is. */
  peek (mapped_page (mapped, 2));
  g_assert_false (is_readable (fd));
  peek (mapped_page (mapped, 7));
  mapped_fill (mapped);
  g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_file, mapped));
  g_assert_true (is_readable (fd));
  mmio_guard_clear_fd ();
  assert_news (range, mapped, 7, 1);

  mmio_guard_remove (range);
}

static void
test_news_before_fd (void)
{
  g_autoptr (Mapped) mapped = NULL;
  MmioGuardRange *range;

  if (!in_own_process ())
    return;

  mapped = mapped_new (1);
  range = mapped_guard (mapped);
  mapped_truncate (mapped, 0);
  peek (mapped->data);

  /* The first to ask for the descriptor hears of what was before. */
  g_assert_true (is_readable (mmio_guard_get_fd ()));
  assert_news (range, mapped, 0, 1);
}

/* Slots */

static void
test_reuse (void)
{
  g_autoptr (Mapped) mapped = mapped_new (2 * (MMIO_GUARD_EXACT_FAULTS + 2));
  MmioGuardRange *first = mapped_guard (mapped);
  MmioGuardRange *second;

  mapped_truncate (mapped, 0);
  for (gsize page = 0; page < mapped->n_pages; page += 2)
    peek (mapped_page (mapped, page));
  g_assert_true (mmio_guard_range_has_faults (first));
  mmio_guard_remove (first);

  second = mapped_guard (mapped);
  g_assert_true (second == first);
  g_assert_false (mmio_guard_range_has_faults (second));
  g_assert_false (mmio_guard_range_has_news (second));
  g_assert_false (mmio_guard_range_hit (second, mapped->data, mapped->length));

  peek (mapped_page (mapped, 1));
  assert_bounds (second, mapped, 1, 1);
  mmio_guard_remove (second);
}

static void
test_removed (void)
{
  g_autoptr (Mapped) mapped = mapped_new (2);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  peek (mapped->data);
  mmio_guard_remove (range);

  assert_dies_of (SIGBUS, touch_page, mapped_page (mapped, 1));
}

static void
test_many_ranges (void)
{
  const gsize n_ranges = 10000;
  g_autoptr (Mapped) mapped = mapped_new (2 * n_ranges);
  g_autofree MmioGuardRange **ranges = g_new (MmioGuardRange *, n_ranges);
  gsize n_faulted = 0;

  /* One page each, with a page between that is nobody's */
  for (gsize i = 0; i < n_ranges; i++)
    ranges[i] = mmio_guard_add (mapped_page (mapped, 2 * i), page_size, page_size, MMIO_GUARD_WRITE_SHARED);

  mapped_truncate (mapped, 0);
  for (gsize i = 0; i < n_ranges; i += 97)
    g_assert_cmpuint (peek (mapped_page (mapped, 2 * i)), ==, 0);
  peek (mapped_page (mapped, 2 * (n_ranges - 1)));
  assert_dies_of (SIGBUS, touch_page, mapped_page (mapped, 2 * n_ranges - 1));
  assert_dies_of (SIGBUS, touch_page, mapped_page (mapped, 1));

  for (gsize i = 0; i < n_ranges; i++)
    {
      gboolean faulted = i % 97 == 0 || i == n_ranges - 1;

      g_assert_cmpint (mmio_guard_range_has_faults (ranges[i]), ==, faulted);
      n_faulted += faulted;
      mmio_guard_remove (ranges[i]);
    }
  g_assert_cmpuint (n_faulted, ==, n_ranges / 97 + 2);
}

/* Threads */

#define N_THREADS 4
#define N_FAULTS 500

typedef struct
{
  Mapped *mapped;
  MmioGuardRange *range;
  guint index;
  gint *go;                     /* atomic */
} Task;

static void
run_threads (GThreadFunc func,
             Mapped     *mapped,
             gint       *go)
{
  GThread *threads[N_THREADS];
  Task tasks[N_THREADS];

  for (guint i = 0; i < N_THREADS; i++)
    {
      tasks[i] = (Task) { mapped, NULL, i, go };
      threads[i] = g_thread_new ("faults", func, &tasks[i]);
    }
  for (guint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
}

/* All of them store into each page at about the same time, each its own byte. */
static gpointer
store_in_each_page (gpointer data)
{
  Task *task = data;

  for (gsize page = 0; page < task->mapped->n_pages; page++)
    {
      g_atomic_int_inc (&task->go[page]);
      while (g_atomic_int_get (&task->go[page]) < N_THREADS)
        g_thread_yield ();
      poke (mapped_page (task->mapped, page) + task->index, (guint8) (task->index + 1));
    }

  return NULL;
}

static void
test_same_page (void)
{
  g_autoptr (Mapped) mapped = mapped_new (N_FAULTS);
  g_autofree gint *go = g_new0 (gint, mapped->n_pages);
  MmioGuardRange *range = mapped_guard (mapped);

  mapped_truncate (mapped, 0);
  run_threads (store_in_each_page, mapped, go);

  for (gsize page = 0; page < mapped->n_pages; page++)
    {
      g_assert_true (hit_page (range, mapped, page));
      for (guint i = 0; i < N_THREADS; i++)
        g_assert_cmpuint (peek (mapped_page (mapped, page) + i), ==, i + 1);
    }

  mmio_guard_remove (range);
}

/* The same for certain: the second fault is handled when the first has been, and its page has been written to. */
static void
test_latecomer (void)
{
  g_autoptr (Mapped) mapped = mapped_new (1);
  MmioGuardRange *range = mapped_guard (mapped);

  if (!CAN_SEND_ANY_SIGNAL)
    {
      mmio_guard_remove (range);
      g_test_skip ("a signal can't be given an address here");
      return;
    }

  mapped_truncate (mapped, 0);
  poke (mapped->data, 42);
  assert_news (range, mapped, 0, 1);

  send_sigbus (BUS_ADRERR, mapped->data + 9);
  g_assert_cmpuint (peek (mapped->data), ==, 42);
  g_assert_false (mmio_guard_range_has_news (range));

  mmio_guard_remove (range);
}

/* Each in turn registers the pages of its quarter, faults, and removes them. */
static gpointer
fault_in_own_ranges (gpointer data)
{
  Task *task = data;
  gsize n_own = task->mapped->n_pages / N_THREADS;

  for (gsize i = 0; i + 1 < n_own; i += 2)
    {
      guint8 *start = mapped_page (task->mapped, task->index * n_own + i);
      MmioGuardRange *range = mmio_guard_add (start, 2 * page_size, page_size, MMIO_GUARD_WRITE_SHARED);

      g_assert_false (mmio_guard_range_has_faults (range));
      g_assert_cmpuint (peek (start + page_size), ==, 0);
      g_assert_true (mmio_guard_range_hit (range, start + page_size, 1));
      g_assert_false (mmio_guard_range_hit (range, start, page_size));
      mmio_guard_remove (range);
    }

  return NULL;
}

static void
test_add_during_faults (void)
{
  g_autoptr (Mapped) mapped = mapped_new (N_THREADS * N_FAULTS);

  mapped_truncate (mapped, 0);
  run_threads (fault_in_own_ranges, mapped, NULL);
}

/* Reads all pages over and over, while the file shrinks and grows and is healed. */
static gpointer
read_until_stopped (gpointer data)
{
  Task *task = data;

  while (!g_atomic_int_get (task->go))
    for (gsize page = 0; page < task->mapped->n_pages; page++)
      {
        guint8 byte = peek (mapped_page (task->mapped, page));

        g_assert_true (byte == 0 || byte == PATTERN);
      }

  return NULL;
}

static void
test_heal_during_faults (void)
{
  g_autoptr (Mapped) mapped = mapped_new (8);
  MmioGuardRange *range = mapped_guard (mapped);
  gint stop = FALSE;
  Task task = { mapped, range, 0, &stop };
  GThread *threads[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", read_until_stopped, &task);

  for (guint i = 0; i < N_FAULTS; i++)
    {
      mapped_truncate (mapped, i % mapped->n_pages);
      peek (mapped_page (mapped, mapped->n_pages - 1));
      mapped_fill (mapped);
      g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_file, mapped));

      /* A page that shows zeros has a record, which may have come from a reader since. */
      for (gsize page = 0; page < mapped->n_pages; page++)
        if (peek (mapped_page (mapped, page)) != PATTERN)
          g_assert_true (hit_page (range, mapped, page));
    }

  g_atomic_int_set (&stop, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  mmio_guard_remove (range);
}

/* Stacks */

static Mapped *on_stack_mapped;
static guint8 on_stack_byte;

static void
fault_in_handler (int signal_number)
{
  on_stack_byte = peek (on_stack_mapped->data);
}

static void
set_alternate_stack (gpointer memory,
                     gsize    size)
{
  stack_t stack = { .ss_sp = memory, .ss_size = size };

  g_assert_no_errno (sigaltstack (&stack, NULL));
}

static gpointer
fault_on_alternate_stack (gpointer data)
{
  const gsize size = 64 * 1024;
  g_autofree guint8 *memory = g_malloc (size);
  stack_t off = { .ss_flags = SS_DISABLE };

  set_alternate_stack (memory, size);
  raise (SIGUSR1);
  g_assert_no_errno (sigaltstack (&off, NULL));

  return NULL;
}

static void
test_alternate_stack (void)
{
  g_autoptr (Mapped) mapped = mapped_new (1);
  MmioGuardRange *range = mapped_guard (mapped);
  struct sigaction action = { .sa_handler = fault_in_handler, .sa_flags = SA_ONSTACK };
  struct sigaction before;

  if (THREAD_SANITIZER)
    {
      mmio_guard_remove (range);
      g_test_skip ("the thread sanitizer runs handlers of signals that were sent with SIGBUS blocked");
      return;
    }

  g_assert_no_errno (sigaction (SIGUSR1, &action, &before));
  on_stack_mapped = mapped;
  on_stack_byte = 1;
  mapped_truncate (mapped, 0);

  g_thread_join (g_thread_new ("alternate", fault_on_alternate_stack, NULL));
  g_assert_cmpuint (on_stack_byte, ==, 0);
  g_assert_true (hit_page (range, mapped, 0));

  g_assert_no_errno (sigaction (SIGUSR1, &before, NULL));
  mmio_guard_remove (range);
}

/* The earlier action */

static guint8 *nobodys_page;
static volatile sig_atomic_t n_calls;
static volatile gsize seen_address;
static volatile int seen_code;
static volatile gboolean seen_usr1_blocked, seen_sigbus_blocked, seen_on_alternate;
static guint8 *alternate_memory;
static const gsize alternate_size = 64 * 1024;
static sigjmp_buf way_out;

static void
note_mask (void)
{
  sigset_t mask;
  guint8 here;

  pthread_sigmask (SIG_BLOCK, NULL, &mask);
  seen_usr1_blocked = sigismember (&mask, SIGUSR1);
  seen_sigbus_blocked = sigismember (&mask, SIGBUS);
  seen_on_alternate = alternate_memory != NULL &&
                      (gsize) &here - (gsize) alternate_memory < alternate_size;
  n_calls++;
}

/* What another library's guard would do: it knows its own page. */
static void
note_plain (int signal_number)
{
  note_mask ();
  mmap (nobodys_page, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void
note_info (int        signal_number,
           siginfo_t *info,
           gpointer   context)
{
  seen_address = (gsize) info->si_addr;
  seen_code = info->si_code;
  note_plain (signal_number);
}

static void
jump_out (int signal_number)
{
  n_calls++;
  siglongjmp (way_out, 1);
}

/* Sets the action that the guard finds, then a range of one page, truncated, with a page after it that is nobody's. */
static Mapped *
guard_after (void (*handler) (int),
             void (*info_handler) (int, siginfo_t *, void *),
             int    flags)
{
  struct sigaction action = { .sa_flags = flags };
  Mapped *mapped = mapped_new (2);
  struct rlimit none = { 0, 0 };

  setrlimit (RLIMIT_CORE, &none);
  sigemptyset (&action.sa_mask);
  sigaddset (&action.sa_mask, SIGUSR1);
  if (info_handler != NULL)
    action.sa_sigaction = info_handler;
  else
    action.sa_handler = handler;
  g_assert_no_errno (sigaction (SIGBUS, &action, NULL));

  mmio_guard_add (mapped->data, page_size, page_size, MMIO_GUARD_WRITE_SHARED);
  mapped_truncate (mapped, 0);
  nobodys_page = mapped_page (mapped, 1);

  return mapped;
}

/* Nobody's page can fault again. */
static void
renew_nobodys_page (Mapped *mapped)
{
  g_assert_true (lay_file (nobodys_page, page_size, TRUE, mapped));
}

static void
test_earlier_info (void)
{
  g_autoptr (Mapped) mapped = NULL;

  if (!in_own_process ())
    return;

  mapped = guard_after (NULL, note_info, SA_SIGINFO);
  g_assert_cmpuint (peek (mapped->data), ==, 0);
  g_assert_cmpint (n_calls, ==, 0);

  peek (nobodys_page + 3);
  g_assert_cmpint (n_calls, ==, 1);
  g_assert_cmpuint (seen_address, ==, (gsize) nobodys_page + 3);
  g_assert_cmpint (seen_code, ==, BUS_ADRERR);
  g_assert_true (seen_usr1_blocked);
  g_assert_true (seen_sigbus_blocked);

  /* The mask is as it was, and the guard still there. */
  renew_nobodys_page (mapped);
  peek (nobodys_page);
  g_assert_cmpint (n_calls, ==, 2);
}

static void
test_earlier_plain (void)
{
  g_autoptr (Mapped) mapped = NULL;

  if (!in_own_process ())
    return;

  mapped = guard_after (note_plain, NULL, SA_NODEFER);
  peek (mapped->data);
  g_assert_cmpint (n_calls, ==, 0);

  peek (nobodys_page);
  g_assert_cmpint (n_calls, ==, 1);
  g_assert_true (seen_usr1_blocked);
  g_assert_false (seen_sigbus_blocked);
}

static void
test_earlier_once (void)
{
  g_autoptr (Mapped) mapped = NULL;

  if (!in_own_process ())
    return;

  mapped = guard_after (NULL, note_info, SA_SIGINFO | SA_RESETHAND);
  peek (nobodys_page);
  g_assert_cmpint (n_calls, ==, 1);

  renew_nobodys_page (mapped);
  g_assert_cmpuint (peek (mapped->data), ==, 0);
  assert_dies_of (SIGBUS, touch_page, nobodys_page);
}

static void
test_earlier_jumps_out (void)
{
  g_autoptr (Mapped) mapped = NULL;

  if (!in_own_process ())
    return;

  mapped = guard_after (jump_out, NULL, 0);
  for (guint i = 0; i < 3; i++)
    if (sigsetjmp (way_out, TRUE) == 0)
      {
        peek (nobodys_page);
        g_assert_not_reached ();
      }
  g_assert_cmpint (n_calls, ==, 3);
  g_assert_cmpuint (peek (mapped->data), ==, 0);
}

static void
test_earlier_on_alternate_stack (void)
{
  g_autoptr (Mapped) mapped = NULL;
  struct sigaction action;
  stack_t off = { .ss_flags = SS_DISABLE };

  if (!in_own_process ())
    return;

  mapped = guard_after (NULL, note_info, SA_SIGINFO | SA_ONSTACK);
  g_assert_no_errno (sigaction (SIGBUS, NULL, &action));
  g_assert_cmpint (action.sa_flags & SA_ONSTACK, !=, 0);

  peek (nobodys_page);
  g_assert_false (seen_on_alternate);

  alternate_memory = g_malloc (alternate_size);
  set_alternate_stack (alternate_memory, alternate_size);
  renew_nobodys_page (mapped);
  peek (nobodys_page);
  g_assert_true (seen_on_alternate);
  g_assert_cmpuint (peek (mapped->data), ==, 0);

  g_assert_no_errno (sigaltstack (&off, NULL));
  g_free (alternate_memory);
}

static void
raise_sigbus (gpointer user_data)
{
  raise (SIGBUS);
}

static void
kill_with_sigbus (gpointer user_data)
{
  kill (getpid (), SIGBUS);
}

static void
test_earlier_default (void)
{
  g_autoptr (Mapped) mapped = NULL;

  if (!in_own_process ())
    return;

  mapped = guard_after (SIG_DFL, NULL, 0);
  assert_lives (touch_page, mapped->data);
  assert_dies_of (SIGBUS, touch_page, nobodys_page);
  assert_dies_of (SIGBUS, raise_sigbus, NULL);
  assert_dies_of (SIGBUS, kill_with_sigbus, NULL);
}

static void
test_earlier_ignore (void)
{
  g_autoptr (Mapped) mapped = NULL;

  if (!in_own_process ())
    return;

  mapped = guard_after (SIG_IGN, NULL, 0);
  assert_lives (touch_page, mapped->data);
  assert_dies_of (SIGBUS, touch_page, nobodys_page);
  assert_lives (raise_sigbus, NULL);
  assert_lives (kill_with_sigbus, NULL);
}

static void
test_codes (void)
{
  g_autoptr (Mapped) mapped = NULL;
  MmioGuardRange *range;

  if (!CAN_SEND_ANY_SIGNAL)
    {
      g_test_skip ("a signal can't be given an address here");
      return;
    }
  if (!in_own_process ())
    return;

  mapped = guard_after (NULL, note_info, SA_SIGINFO);
  mapped_fill (mapped);
  range = mmio_guard_add (nobodys_page, page_size, page_size, MMIO_GUARD_WRITE_SHARED);

  /* Sent, with an address of ours: not ours */
  send_sigbus (SI_QUEUE, nobodys_page);
  g_assert_cmpint (n_calls, ==, 1);
  g_assert_cmpint (seen_code, ==, SI_QUEUE);
  g_assert_cmpuint (seen_address, ==, (gsize) nobodys_page);

  /* A misaligned access, and bad memory that nobody has accessed, leave the page as it is. */
  send_sigbus (BUS_ADRALN, nobodys_page);
  g_assert_cmpint (n_calls, ==, 2);
#ifdef BUS_MCEERR_AO
  send_sigbus (BUS_MCEERR_AO, nobodys_page);
  g_assert_cmpint (n_calls, ==, 3);
#endif
  g_assert_false (mmio_guard_range_has_faults (range));

#ifdef BUS_MCEERR_AR
  /* Bad memory that was accessed is replaced, and again if it is the zero page that went bad. */
  renew_nobodys_page (mapped);
  g_assert_cmpuint (peek (nobodys_page), ==, PATTERN);
  for (guint i = 0; i < 2; i++)
    {
      send_sigbus (BUS_MCEERR_AR, nobodys_page);
      g_assert_cmpint (n_calls, ==, 3);
      g_assert_cmpuint (peek (nobodys_page), ==, 0);
      g_assert_cmpuint (range->n_active, ==, 1);
      poke (nobodys_page, 1);
    }
#endif
}

/* How many mappings the kernel lets a process have; 0 if it doesn't say. */
static guint64
get_max_mappings (void)
{
  g_autofree char *content = NULL;

  if (!g_file_get_contents ("/proc/sys/vm/max_map_count", &content, NULL, NULL))
    return 0;

  return g_ascii_strtoull (content, NULL, 10);
}

/* From then on no page can be cut out of a mapping. */
static void
use_up_mappings (guint64 n)
{
  guint8 *pages = mmap (NULL, n * page_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (pages != MAP_FAILED);
  for (guint64 i = 1; i < n; i += 2)
    if (mprotect (pages + i * page_size, page_size, PROT_READ) != 0)
      {
        g_assert_cmpint (errno, ==, ENOMEM);
        return;
      }

  g_assert_not_reached ();
}

#define LIMITED_PAGES 8

/* LIMITED_PAGES of a file that has half of them, in a process of its own that can't have another mapping; with_fault: the first of the
 * others has faulted before. NULL: that can't be had here, or this isn't the process. */
static Mapped *
map_at_the_limit (MmioGuardAccess   access,
                  gboolean          with_fault,
                  MmioGuardRange  **range)
{
  int flags = MAP_FIXED | (access == MMIO_GUARD_WRITE_PRIVATE ? MAP_PRIVATE : MAP_SHARED);
  struct sigaction action = { .sa_handler = jump_out };
  guint64 max_mappings = get_max_mappings ();
  Mapped *mapped;

  if (ADDRESS_SANITIZER || THREAD_SANITIZER)
    {
      g_test_skip ("the sanitizer needs mappings of its own");
      return NULL;
    }
  if (max_mappings == 0 || max_mappings > 200000)
    {
      g_test_skip ("the number of mappings has no limit in reach");
      return NULL;
    }
  if (!in_own_process ())
    return NULL;

  g_assert_no_errno (sigaction (SIGBUS, &action, NULL));
  mapped = mapped_new (LIMITED_PAGES);
  g_assert_true (mmap (mapped->data, mapped->length, PROT_READ | PROT_WRITE, flags, mapped->fd, 0) == mapped->data);
  mapped_truncate (mapped, LIMITED_PAGES / 2);
  *range = mmio_guard_add (mapped->data, mapped->length, page_size, access);
  if (with_fault)
    {
      peek (mapped_page (mapped, LIMITED_PAGES / 2));
      assert_news (*range, mapped, LIMITED_PAGES / 2, 1);
    }
  use_up_mappings (max_mappings);
  return mapped;
}

static void
assert_all_can_be_healed (MmioGuardRange *range,
                          Mapped         *mapped)
{
  mapped_fill (mapped);
  g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_file, mapped));
  g_assert_false (mmio_guard_range_has_faults (range));
  for (guint i = 0; i < LIMITED_PAGES; i++)
    g_assert_cmpuint (peek (mapped_page (mapped, i)), ==, PATTERN);
}

static void
test_no_mapping_left (void)
{
  MmioGuardRange *range;
  g_autoptr (Mapped) mapped = map_at_the_limit (MMIO_GUARD_WRITE_SHARED, FALSE, &range);

  if (mapped == NULL)
    return;

  g_assert_cmpuint (peek (mapped_page (mapped, LIMITED_PAGES - 2)), ==, 0);
  g_assert_cmpint (n_calls, ==, 0);
  assert_bounds (range, mapped, 0, LIMITED_PAGES);
  assert_news (range, mapped, LIMITED_PAGES - 2, 1);
  assert_all_can_be_healed (range, mapped);
}

static void
test_no_mapping_left_for_more (void)
{
  const guint first = LIMITED_PAGES / 2;
  MmioGuardRange *range;
  g_autoptr (Mapped) mapped = map_at_the_limit (MMIO_GUARD_WRITE_SHARED, TRUE, &range);

  if (mapped == NULL)
    return;

  /* Nothing before the page that faulted first. */
  g_assert_cmpuint (peek (mapped_page (mapped, first + 2)), ==, 0);
  g_assert_cmpint (n_calls, ==, 0);
  assert_bounds (range, mapped, first, LIMITED_PAGES - first);
  assert_news (range, mapped, first + 2, 1);
  for (guint i = 0; i < first; i++)
    g_assert_cmpuint (peek (mapped_page (mapped, i)), ==, PATTERN);

  /* There is room for one more now, which takes more than there is: one too many. */
  mapped_truncate (mapped, 0);
  g_assert_cmpuint (peek (mapped_page (mapped, 1)), ==, 0);
  g_assert_cmpuint (peek (mapped_page (mapped, 3)), ==, 0);
  g_assert_cmpint (n_calls, ==, 0);
  assert_bounds (range, mapped, 1, LIMITED_PAGES - 1);
  assert_all_can_be_healed (range, mapped);
}

/* What was written to a private page is nowhere else. */
static void
test_no_mapping_left_private (void)
{
  MmioGuardRange *range;
  g_autoptr (Mapped) mapped = map_at_the_limit (MMIO_GUARD_WRITE_PRIVATE, FALSE, &range);

  if (mapped == NULL)
    return;

  if (sigsetjmp (way_out, TRUE) == 0)
    {
      peek (mapped_page (mapped, LIMITED_PAGES / 2));
      g_assert_not_reached ();
    }
  g_assert_cmpint (n_calls, ==, 1);
  g_assert_false (mmio_guard_range_has_faults (range));
  g_assert_false (mmio_guard_range_hit (range, mapped->data, mapped->length));
  g_assert_false (mmio_guard_range_has_news (range));
}

/* Off */

static void
test_disabled (void)
{
  g_autoptr (Mapped) mapped = NULL;
  MmioGuardRange *range;
  struct sigaction action;
  gpointer start;
  gsize length;

  if (!in_own_process ())
    return;

  g_assert_true (mmio_guard_get_enabled ());
  mmio_guard_set_enabled (FALSE);
  g_assert_false (mmio_guard_get_enabled ());

  mapped = mapped_new (2);
  range = mapped_guard (mapped);
  g_assert_true (range == &mmio_guard_none);
  g_assert_false (mmio_guard_range_has_faults (range));
  g_assert_false (mmio_guard_range_hit (range, mapped->data, mapped->length));
  g_assert_false (mmio_guard_range_bounds (range, &start, &length));
  g_assert_false (mmio_guard_range_has_news (range));
  g_assert_false (mmio_guard_range_take_news (range, &start, &length));
  g_assert_true (mmio_guard_range_heal (range, mapped->data, mapped->length, lay_nothing, NULL));
  g_assert_cmpint (mmio_guard_get_fd (), ==, -1);
  mmio_guard_clear_fd ();

  g_assert_no_errno (sigaction (SIGBUS, NULL, &action));
  g_assert_true (action.sa_handler == SIG_DFL);
  mapped_truncate (mapped, 0);
  assert_dies_of (SIGBUS, touch_page, mapped->data);

  mmio_guard_remove (range);
}

static void
test_disabled_later (void)
{
  g_autoptr (Mapped) mapped = NULL;
  MmioGuardRange *before;

  if (!in_own_process ())
    return;

  mapped = mapped_new (2);
  before = mmio_guard_add (mapped->data, page_size, page_size, MMIO_GUARD_WRITE_SHARED);
  mmio_guard_set_enabled (FALSE);
  g_assert_true (mmio_guard_add (mapped_page (mapped, 1), page_size, page_size, MMIO_GUARD_WRITE_SHARED) == &mmio_guard_none);

  mapped_truncate (mapped, 0);
  g_assert_cmpuint (peek (mapped->data), ==, 0);
  g_assert_true (hit_page (before, mapped, 0));
  g_assert_true (is_readable (mmio_guard_get_fd ()));
  assert_dies_of (SIGBUS, touch_page, mapped_page (mapped, 1));

  mmio_guard_set_enabled (TRUE);
  g_assert_true (mmio_guard_add (mapped_page (mapped, 1), page_size, page_size, MMIO_GUARD_WRITE_SHARED) != &mmio_guard_none);
  g_assert_cmpuint (peek (mapped_page (mapped, 1)), ==, 0);
}

/* Forks */

typedef struct
{
  Mapped *mapped;
  MmioGuardRange *range;
} Inherited;

static void
fault_in_child (gpointer user_data)
{
  Inherited *inherited = user_data;
  g_autoptr (Mapped) own = NULL;
  MmioGuardRange *range;

  /* What the parent had unread is the child's to read too. */
  g_assert_true (is_readable (mmio_guard_get_fd ()));
  mmio_guard_clear_fd ();
  g_assert_false (is_readable (mmio_guard_get_fd ()));
  assert_news (inherited->range, inherited->mapped, 0, 1);

  g_assert_cmpuint (peek (mapped_page (inherited->mapped, 2)), ==, 0);
  g_assert_true (is_readable (mmio_guard_get_fd ()));
  assert_news (inherited->range, inherited->mapped, 2, 1);
  assert_bounds (inherited->range, inherited->mapped, 0, 3);

  own = mapped_new (1);
  range = mapped_guard (own);
  mapped_truncate (own, 0);
  g_assert_cmpuint (peek (own->data), ==, 0);
  assert_bounds (range, own, 0, 1);
  mmio_guard_remove (range);
  mmio_guard_remove (inherited->range);
}

static void
fault_alone_in_child (gpointer user_data)
{
  Inherited *inherited = user_data;

  peek (mapped_page (inherited->mapped, 3));
  g_assert_true (is_readable (mmio_guard_get_fd ()));
}

static void
test_fork (void)
{
  g_autoptr (Mapped) mapped = mapped_new (4);
  MmioGuardRange *range = mapped_guard (mapped);
  Inherited inherited = { mapped, range };
  int fd = mmio_guard_get_fd ();

  mmio_guard_clear_fd ();
  mapped_truncate (mapped, 0);
  peek (mapped_page (mapped, 0));

  assert_lives (fault_in_child, &inherited);

  /* The child has neither read what is ours nor told us what is its own. */
  g_assert_true (is_readable (fd));
  mmio_guard_clear_fd ();
  assert_bounds (range, mapped, 0, 1);
  assert_news (range, mapped, 0, 1);
  assert_lives (fault_alone_in_child, &inherited);
  g_assert_false (is_readable (fd));

  mmio_guard_remove (range);
}

static void
check_number (gpointer user_data)
{
  int number = GPOINTER_TO_INT (user_data);

  g_assert_cmpint (mmio_guard_get_fd (), ==, number);
  g_assert_cmpint (fcntl (number, F_GETFD), ==, FD_CLOEXEC);
  g_assert_cmpint (fcntl (number, F_GETFL) & O_NONBLOCK, !=, 0);
  g_assert_true (is_readable (number));
}

static void
test_fork_number (void)
{
  g_autoptr (Mapped) mapped = NULL;
  int lower[4];
  int number;

  if (!in_own_process ())
    return;

  for (guint i = 0; i < G_N_ELEMENTS (lower); i++)
    {
      lower[i] = open ("/", O_RDONLY | O_CLOEXEC);
      g_assert_cmpint (lower[i], >=, 0);
    }
  number = mmio_guard_get_fd ();
  g_assert_cmpint (number, >, lower[3]);

  mapped = mapped_new (1);
  mapped_guard (mapped);
  mapped_truncate (mapped, 0);
  peek (mapped->data);

  /* Whatever lower numbers are free when the child makes its own; two of the four go to run_forked (). */
  assert_lives (check_number, GINT_TO_POINTER (number));
  for (guint i = 0; i < G_N_ELEMENTS (lower); i++)
    {
      close (lower[i]);
      assert_lives (check_number, GINT_TO_POINTER (number));
    }
}

static void
fault_everywhere (gpointer user_data)
{
  Inherited *inherited = user_data;

  for (gsize page = 0; page < inherited->mapped->n_pages; page++)
    {
      g_assert_cmpuint (peek (mapped_page (inherited->mapped, page)), ==, 0);
      g_assert_true (hit_page (inherited->range, inherited->mapped, page));
    }
}

/* Lays pages of the file that is still too short, so that all of them fault again. */
static gpointer
fault_until_stopped (gpointer data)
{
  Task *task = data;

  while (!g_atomic_int_get (task->go))
    {
      for (gsize page = 0; page < task->mapped->n_pages; page++)
        peek (mapped_page (task->mapped, page));
      mmio_guard_range_heal (task->range, task->mapped->data, task->mapped->length, lay_file, task->mapped);
    }

  return NULL;
}

static void
test_fork_during_faults (void)
{
  g_autoptr (Mapped) mapped = mapped_new (2 * MMIO_GUARD_EXACT_FAULTS);
  MmioGuardRange *range = mapped_guard (mapped);
  Inherited inherited = { mapped, range };
  GThread *threads[2];
  gint stop = FALSE;
  Task task = { mapped, range, 0, &stop };

  mapped_truncate (mapped, 0);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("faults", fault_until_stopped, &task);

  for (guint i = 0; i < 200; i++)
    assert_lives (fault_everywhere, &inherited);

  g_atomic_int_set (&stop, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);

  mmio_guard_remove (range);
}

int
main (int    argc,
      char **argv)
{
  page_size = (gsize) sysconf (_SC_PAGESIZE);

  g_test_init (&argc, &argv, NULL);

  /* The action that the guard finds is this one, not a sanitizer's. */
  signal (SIGBUS, SIG_DFL);

  g_test_add_func ("/guard/fault/read-gives-zeros", test_read);
  g_test_add_func ("/guard/fault/write-goes-to-a-page-of-ours", test_write);
  g_test_add_func ("/guard/fault/read-only-range-stays-read-only", test_read_only);
  g_test_add_func ("/guard/fault/errno-is-kept", test_errno);
  g_test_add_func ("/guard/fault/replaces-one-page-of-the-given-size", test_page_size);
  g_test_add_func ("/guard/fault/on-an-alternate-stack", test_alternate_stack);
  g_test_add_func ("/guard/record/hit-and-bounds-are-exact", test_hit);
  g_test_add_func ("/guard/record/runs-of-pages-are-exact", test_runs_are_exact);
  g_test_add_func ("/guard/record/too-many-are-all-remembered", test_overflow);
  g_test_add_func ("/guard/heal/brings-the-file-back", test_heal);
  g_test_add_func ("/guard/heal/middle-of-a-run", test_heal_middle);
  g_test_add_func ("/guard/heal/failure-keeps-the-record", test_heal_fails);
  g_test_add_func ("/guard/heal/forgotten-is-no-hang", test_heal_forgotten);
  g_test_add_func ("/guard/news/told-once", test_news);
  g_test_add_func ("/guard/news/older-than-the-descriptor", test_news_before_fd);
  g_test_add_func ("/guard/slot/used-again-is-clean", test_reuse);
  g_test_add_func ("/guard/slot/removed-is-no-longer-guarded", test_removed);
  g_test_add_func ("/guard/slot/ten-thousand-ranges", test_many_ranges);
  g_test_add_func ("/guard/threads/a-page-is-replaced-once", test_same_page);
  g_test_add_func ("/guard/threads/a-late-fault-keeps-what-was-stored", test_latecomer);
  g_test_add_func ("/guard/threads/add-and-remove-during-faults", test_add_during_faults);
  g_test_add_func ("/guard/threads/heal-during-faults", test_heal_during_faults);
  g_test_add_func ("/guard/earlier/handler-with-info", test_earlier_info);
  g_test_add_func ("/guard/earlier/plain-handler", test_earlier_plain);
  g_test_add_func ("/guard/earlier/one-shot-handler", test_earlier_once);
  g_test_add_func ("/guard/earlier/handler-that-jumps-out", test_earlier_jumps_out);
  g_test_add_func ("/guard/earlier/handler-on-an-alternate-stack", test_earlier_on_alternate_stack);
  g_test_add_func ("/guard/earlier/default-dies-of-sigbus", test_earlier_default);
  g_test_add_func ("/guard/earlier/ignored-dies-of-a-fault-alone", test_earlier_ignore);
  g_test_add_func ("/guard/earlier/gets-what-is-no-fault-of-the-page", test_codes);
  g_test_add_func ("/guard/earlier/gets-the-fault-where-no-page-can-be-laid", test_no_mapping_left_private);
  g_test_add_func ("/guard/limit/at-that-on-mappings-the-range-is-zero", test_no_mapping_left);
  g_test_add_func ("/guard/limit/at-that-on-mappings-only-the-rest-of-the-range-is-zero", test_no_mapping_left_for_more);
  g_test_add_func ("/guard/off/keeps-the-handler-out", test_disabled);
  g_test_add_func ("/guard/off/later-leaves-older-ranges-guarded", test_disabled_later);
  g_test_add_func ("/guard/fork/child-has-its-own", test_fork);
  g_test_add_func ("/guard/fork/descriptor-keeps-its-number", test_fork_number);
  g_test_add_func ("/guard/fork/during-faults-is-no-hang", test_fork_during_faults);

  return g_test_run ();
}
