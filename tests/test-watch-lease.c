/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Before a file changes: who wants to write to it waits until a handler has returned. The writers are other processes.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Large enough that it takes a while to be read. */
#define LENGTH (1024 * 1024)
#define N_FILES 200
/* Nobody is held for longer, us. */
#define HOLD G_USEC_PER_SEC

typedef enum
{
  COPY,                         /* all of the file, more than once, while it is held */
  COUNT,
  UNWATCH,
  CLOSE,
  UNREF,
  STAY                          /* until the writer is through */
} InHandler;

typedef struct
{
  MmioTest parent;
  MmioFile *file;
  MmioTestEar *ear;
  InHandler what;
  guint n_announced;
  guint8 *expected;             /* what is to be copied */
  gsize length;                 /* bytes */
  gint64 changed_at;            /* monotonic, us: before the writer was started */
  int through[2];               /* a pipe: the writer says that it wasn't held any longer */
} Leased;

typedef enum
{
  TRUNCATE_PATH,
  TRUNCATE_OPENED,
  OPEN_TO_TRUNCATE,
  WRITE,
  READ,
  WRITE_WITHOUT_WAITING         /* O_NONBLOCK */
} Change;

typedef struct
{
  const char *path;
  Change change;
  int through;                  /* written to when it is done; -1: nowhere */
} Writer;

static int
change_file (gpointer data)
{
  static const int flags[] = { 0, O_WRONLY, O_WRONLY | O_TRUNC, O_WRONLY, O_RDONLY, O_WRONLY | O_NONBLOCK };
  const Writer *writer = data;
  char byte;
  int fd;

  if (writer->change == TRUNCATE_PATH)
    {
      g_assert_no_errno (truncate (writer->path, 10));
    }
  else
    {
      fd = open (writer->path, flags[writer->change] | O_CLOEXEC);
      if (fd < 0 && errno == EWOULDBLOCK && writer->change == WRITE_WITHOUT_WAITING)
        return 0;
      g_assert_cmpint (fd, >=, 0);
      if (writer->change == TRUNCATE_OPENED)
        g_assert_no_errno (ftruncate (fd, 10));
      if (writer->change == WRITE)
        g_assert_cmpint (pwrite (fd, "x", 1, 5), ==, 1);
      if (writer->change == READ)
        g_assert_cmpint (read (fd, &byte, 1), ==, 1);
      close (fd);
    }
  if (writer->through >= 0)
    g_assert_cmpint (write (writer->through, "x", 1), ==, 1);
  return writer->change == WRITE_WITHOUT_WAITING ? 1 : 0;
}

typedef struct
{
  pid_t pid;
  int status;
} Child;

static gboolean
has_ended (gpointer data)
{
  Child *child = data;

  return waitpid (child->pid, &child->status, WNOHANG) == child->pid;
}

/* While the main loop runs. */
static void
wait_for_child (pid_t pid)
{
  Child child = { pid, 0 };

  mmio_test_wait_until (NULL, has_ended, &child);
  g_assert_true (WIFEXITED (child.status));
  g_assert_cmpint (WEXITSTATUS (child.status), ==, 0);
}

static gboolean
is_through (Leased *l,
            int     timeout)
{
  struct pollfd poll_fd = { .fd = l->through[0], .events = POLLIN };

  return poll (&poll_fd, 1, timeout) == 1;
}

static void
change (Leased     *l,
        const char *path,
        Change      what)
{
  Writer writer = { path, what, l->through[1] };
  char byte;

  l->changed_at = g_get_monotonic_time ();
  wait_for_child (mmio_test_fork (change_file, &writer));
  if (what != WRITE_WITHOUT_WAITING)
    g_assert_cmpint (read (l->through[0], &byte, 1), ==, 1);
}

/* FALSE: on a busy machine it can have taken as long as the writer is held at most, and nothing is promised any more. */
static gboolean
is_in_time (Leased *l)
{
  return g_get_monotonic_time () < l->changed_at + HOLD;
}

static void
copy_all (Leased   *l,
          MmioFile *file)
{
  g_autofree guint8 *copy = g_malloc (l->length);

  /* Whoever weren't held would be through long before. */
  for (guint i = 0; i < 20; i++)
    {
      g_autoptr (GError) error = NULL;
      gboolean success, is_through_by_now;

      memset (copy, 0, l->length);
      success = mmio_file_read (file, 0, copy, l->length, &error);
      is_through_by_now = is_through (l, 0);
      if (!is_in_time (l))
        {
          g_test_message ("copied %u times, then the time was over", i);
          return;
        }
      g_assert_true (success);
      g_assert_no_error (error);
      g_assert_cmpmem (copy, l->length, l->expected, l->length);
      g_assert_false (is_through_by_now);
    }
}

static void
handle (MmioFile *file,
        Leased   *l)
{
  l->n_announced++;
  switch (l->what)
    {
    case COPY:
      copy_all (l, file);
      break;

    case UNWATCH:
      mmio_file_unwatch (file);
      break;

    case CLOSE:
      g_assert_true (mmio_file_close (file, NULL));
      break;

    case UNREF:
      g_clear_object (&l->file);
      break;

    case STAY:
      g_assert_true (is_through (l, MMIO_TEST_PATIENCE_MS));
      break;

    case COUNT:
    default:
      break;
    }
}

static void
on_about_to_change (MmioFile *file,
                    Leased   *l)
{
  g_assert_true (g_main_context_is_owner (NULL));
  handle (file, l);
}

/* As the kernel's list has it: not one that is being given up. */
static gboolean
has_lease (const char *path)
{
  g_autofree char *list = NULL;
  g_autofree char *inode = NULL;
  g_auto (GStrv) lines = NULL;
  GStatBuf state;

  g_assert_no_errno (g_stat (path, &state));
  inode = g_strdup_printf (":%" G_GUINT64_FORMAT " ", (guint64) state.st_ino);
  g_assert_true (g_file_get_contents ("/proc/locks", &list, NULL, NULL));
  lines = g_strsplit (list, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    if (strstr (*line, "LEASE") != NULL && strstr (*line, "ACTIVE") != NULL && strstr (*line, inode) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
has_lease_func (gpointer path)
{
  return has_lease (path);
}

/* It is taken again when the last writer is gone. */
static void
wait_for_lease (const char *path)
{
  mmio_test_wait_until (NULL, has_lease_func, (gpointer) path);
}

static void
lease_as (Leased        *l,
          MmioWatchFlags flags,
          InHandler      what)
{
  g_autoptr (GError) error = NULL;

  l->what = what;
  l->file = mmio_test_open (l->parent.path, MMIO_MODE_READ_ONLY);
  l->ear = mmio_test_listen (l->file, NULL);
  g_signal_connect (l->file, "about-to-change", G_CALLBACK (on_about_to_change), l);
  g_assert_true (mmio_file_watch (l->file, flags | MMIO_WATCH_FLAGS_LEASE, NULL, &error));
  g_assert_no_error (error);
  g_assert_true (has_lease (l->parent.path));
}

static void
expect (Leased     *l,
        const char *data,
        gsize       length)
{
  g_free (l->expected);
  l->expected = g_memdup2 (data, length);
  l->length = length;
}

static void
set_up (Leased       *l,
        gconstpointer data)
{
  gsize length;
  g_autofree char *content = NULL;

  mmio_test_set_up (&l->parent, data);
  mmio_test_write_pattern (l->parent.path, LENGTH);
  g_assert_true (g_file_get_contents (l->parent.path, &content, &length, NULL));
  expect (l, content, length);
  g_assert_no_errno (pipe (l->through));
}

static void
tear_down (Leased       *l,
           gconstpointer data)
{
  g_clear_pointer (&l->ear, mmio_test_ear_free);
  g_clear_object (&l->file);
  g_free (l->expected);
  close (l->through[0]);
  close (l->through[1]);
  mmio_test_tear_down (&l->parent, data);
}

/* Who is held, and for how long */

static void
test_held (Leased       *l,
           gconstpointer data)
{
  Change what = (Change) GPOINTER_TO_UINT (data);

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COPY);
  change (l, l->parent.path, what);
  g_assert_cmpuint (l->n_announced, ==, 1);
  mmio_test_hear_until (l->ear, what == WRITE ? "changed 0 1048576" : what == OPEN_TO_TRUNCATE ? "changed 0 0" : "changed 0 10");
}

static void
test_reader (Leased       *l,
             gconstpointer data G_GNUC_UNUSED)
{
  lease_as (l, MMIO_WATCH_FLAGS_NONE, COUNT);
  change (l, l->parent.path, READ);
  g_assert_no_errno (chmod (l->parent.path, 0600));
  mmio_test_hear_until (l->ear, "metadata");
  g_assert_cmpuint (l->n_announced, ==, 0);
  g_assert_true (has_lease (l->parent.path));
}

static void
test_stuck (Leased       *l,
            gconstpointer data G_GNUC_UNUSED)
{
  lease_as (l, MMIO_WATCH_FLAGS_NONE, STAY);
  change (l, l->parent.path, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 1);
  mmio_test_hear_until (l->ear, "changed 0 10");
  /* And the next one is announced again. */
  l->what = COUNT;
  wait_for_lease (l->parent.path);
  change (l, l->parent.path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 2);
}

/* The main loop is busy with something else: what is said late would not be true. */
static void
test_busy (Leased       *l,
           gconstpointer data G_GNUC_UNUSED)
{
  Writer writer = { l->parent.path, TRUNCATE_PATH, l->through[1] };
  char byte;
  pid_t pid;

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COUNT);
  pid = mmio_test_fork (change_file, &writer);
  g_assert_true (is_through (l, MMIO_TEST_PATIENCE_MS));
  g_assert_cmpint (read (l->through[0], &byte, 1), ==, 1);
  wait_for_child (pid);
  mmio_test_hear_until (l->ear, "changed 0 10");
  g_assert_cmpuint (l->n_announced, ==, 0);
  wait_for_lease (l->parent.path);
  change (l, l->parent.path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 1);
}

static void
test_again (Leased       *l,
            gconstpointer data G_GNUC_UNUSED)
{
  static const Change changes[] = { WRITE, TRUNCATE_OPENED, TRUNCATE_PATH, OPEN_TO_TRUNCATE };

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COUNT);
  for (guint i = 0; i < 20; i++)
    {
      wait_for_lease (l->parent.path);
      change (l, l->parent.path, changes[i % G_N_ELEMENTS (changes)]);
      g_assert_cmpuint (l->n_announced, ==, i + 1);
    }
}

/* Who doesn't want to wait is sent away, which begins to end the lease all the same. */
static void
test_without_waiting (Leased       *l,
                      gconstpointer data G_GNUC_UNUSED)
{
  lease_as (l, MMIO_WATCH_FLAGS_NONE, COPY);
  change (l, l->parent.path, WRITE_WITHOUT_WAITING);
  while (l->n_announced == 0)
    g_main_context_iteration (NULL, TRUE);
  wait_for_lease (l->parent.path);
  change (l, l->parent.path, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 2);
}

static void
test_two_watchers (Leased       *l,
                   gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) other = mmio_test_open (l->parent.path, MMIO_MODE_COPY_ON_WRITE);

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COPY);
  g_signal_connect (other, "about-to-change", G_CALLBACK (on_about_to_change), l);
  g_assert_true (mmio_file_watch (other, MMIO_WATCH_FLAGS_LEASE, NULL, NULL));
  change (l, l->parent.path, OPEN_TO_TRUNCATE);
  g_assert_cmpuint (l->n_announced, ==, 2);
}

static int
truncate_all (gpointer data)
{
  Leased *l = data;

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *path = mmio_test_in_folder (&l->parent, name);
      pid_t pid = fork ();

      /* All at once: what the kernel says of one stands for many. */
      if (pid == 0)
        _exit (truncate (path, 0) == 0 ? 0 : 1);
      g_assert_cmpint (pid, >, 0);
    }
  for (guint i = 0; i < N_FILES; i++)
    {
      int status;

      g_assert_cmpint (wait (&status), >, 0);
      g_assert_cmpint (status, ==, 0);
    }
  return 0;
}

static void
on_one_of_many (MmioFile *file,
                guint    *n)
{
  guint8 content[5];

  g_assert_true (mmio_file_read (file, 0, content, sizeof content, NULL));
  g_assert_cmpmem (content, sizeof content, "hello", 5);
  (*n)++;
}

static void
test_many (Leased       *l,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = 0;

  for (guint i = 0; i < N_FILES; i++)
    {
      g_autofree char *name = g_strdup_printf ("file-%u", i);
      g_autofree char *path = mmio_test_in_folder (&l->parent, name);
      MmioFile *file;

      mmio_test_write_file (path, "hello", 5);
      file = mmio_test_open (path, MMIO_MODE_READ_ONLY);
      g_ptr_array_add (files, file);
      g_signal_connect (file, "about-to-change", G_CALLBACK (on_one_of_many), &n);
      g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_LEASE, NULL, NULL));
    }
  wait_for_child (mmio_test_fork (truncate_all, l));
  g_assert_cmpuint (n, ==, N_FILES);
}

/* Where the lease is */

static void
test_rename_and_unlink (Leased       *l,
                        gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *elsewhere = mmio_test_in_folder (&l->parent, "elsewhere");
  g_autofree char *link_path = mmio_test_in_folder (&l->parent, "link");

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COPY);
  /* Neither changes a byte, and nobody waits. */
  g_assert_no_errno (rename (l->parent.path, elsewhere));
  mmio_test_hear_until (l->ear, "removed");
  g_assert_cmpuint (l->n_announced, ==, 0);
  /* The mapping shows it still. */
  change (l, elsewhere, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 1);
  g_assert_no_errno (rename (elsewhere, l->parent.path));
  mmio_test_hear_until (l->ear, "replaced");

  wait_for_lease (l->parent.path);
  l->what = COUNT;
  g_assert_no_errno (link (l->parent.path, link_path));
  g_assert_no_errno (unlink (l->parent.path));
  mmio_test_hear_until (l->ear, "removed");
  g_assert_cmpuint (l->n_announced, ==, 1);
  g_assert_true (has_lease (link_path));
  change (l, link_path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 2);
}

static void
test_replaced (Leased       *l,
               gconstpointer data)
{
  MmioWatchFlags flags = (MmioWatchFlags) GPOINTER_TO_UINT (data);
  g_autofree char *old = mmio_test_in_folder (&l->parent, "old");

  g_assert_no_errno (link (l->parent.path, old));
  lease_as (l, flags, flags == MMIO_WATCH_FLAGS_RELOAD ? COPY : COUNT);
  mmio_test_replace (l->parent.path, "a new one", 9);
  mmio_test_hear_until (l->ear, flags == MMIO_WATCH_FLAGS_RELOAD ? "changed 0 9" : "replaced");
  wait_for_lease (l->parent.path);
  g_assert_false (has_lease (old));
  expect (l, "a new one", 9);
  change (l, l->parent.path, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 1);
  change (l, old, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 1);
}

/* Its end */

static void
test_end_in_handler (Leased       *l,
                     gconstpointer data)
{
  lease_as (l, MMIO_WATCH_FLAGS_NONE, (InHandler) GPOINTER_TO_UINT (data));
  change (l, l->parent.path, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 1);
  change (l, l->parent.path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 1);
  g_assert_false (has_lease (l->parent.path));
}

static void
test_end (Leased       *l,
          gconstpointer data)
{
  lease_as (l, MMIO_WATCH_FLAGS_NONE, (InHandler) GPOINTER_TO_UINT (data));
  handle (l->file, l);
  g_assert_false (has_lease (l->parent.path));
  change (l, l->parent.path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 1);
}

/* Nobody iterates the context any more. */
static void
test_unwatch_while_held (Leased       *l,
                         gconstpointer data G_GNUC_UNUSED)
{
  Writer writer = { l->parent.path, TRUNCATE_PATH, l->through[1] };
  pid_t pid;

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COUNT);
  pid = mmio_test_fork (change_file, &writer);
  while (has_lease (l->parent.path))
    g_thread_yield ();
  mmio_file_unwatch (l->file);
  wait_for_child (pid);
  g_assert_cmpuint (l->n_announced, ==, 0);
}

/* Other processes */

static int
close_and_stay (gpointer data)
{
  Leased *l = data;
  char byte;

  g_assert_true (mmio_file_close (l->file, NULL));
  g_assert_cmpint (write (l->through[1], "x", 1), ==, 1);
  /* until the parent goes on */
  g_assert_cmpint (read (STDIN_FILENO, &byte, 1), ==, 0);
  return 0;
}

/* It has a copy of every descriptor. */
static void
test_fork (Leased       *l,
           gconstpointer data G_GNUC_UNUSED)
{
  int stay[2], standard_input = dup (STDIN_FILENO);
  char byte;
  pid_t pid;

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COPY);
  g_assert_no_errno (pipe2 (stay, O_CLOEXEC));
  dup2 (stay[0], STDIN_FILENO);
  fcntl (stay[1], F_SETFD, FD_CLOEXEC);
  pid = fork ();
  if (pid == 0)
    {
      close (stay[1]);
      _exit (close_and_stay (l));
    }
  dup2 (standard_input, STDIN_FILENO);
  close (standard_input);
  close (stay[0]);
  g_assert_cmpint (read (l->through[0], &byte, 1), ==, 1);

  g_assert_true (has_lease (l->parent.path));
  change (l, l->parent.path, TRUNCATE_PATH);
  g_assert_cmpuint (l->n_announced, ==, 1);
  wait_for_lease (l->parent.path);
  mmio_file_unwatch (l->file);
  g_assert_false (has_lease (l->parent.path));
  close (stay[1]);
  wait_for_child (pid);
}

static gboolean
can_start_threads_in_child (void)
{
  if (!mmio_test_has_thread_sanitizer ())
    return TRUE;
  g_test_skip ("the thread sanitizer knows no thread that is started after a fork");
  return FALSE;
}

static int
lease_in_child (gpointer data)
{
  Leased *l = data;
  Leased own = { .parent = l->parent, .expected = l->expected, .length = l->length };

  /* What the parent leases it leases by itself; the child has none of it. */
  g_assert_no_errno (pipe (own.through));
  lease_as (&own, MMIO_WATCH_FLAGS_NONE, COPY);
  change (&own, own.parent.path, TRUNCATE_PATH);
  g_assert_cmpuint (own.n_announced, ==, 1);
  return 0;
}

static void
test_lease_in_child (Leased       *l,
                     gconstpointer data G_GNUC_UNUSED)
{
  if (!can_start_threads_in_child ())
    return;
  lease_as (l, MMIO_WATCH_FLAGS_NONE, COPY);
  l->changed_at = g_get_monotonic_time ();
  wait_for_child (mmio_test_fork (lease_in_child, l));
  g_assert_cmpuint (l->n_announced, ==, 1);
}

static void
test_exec (Leased       *l,
           gconstpointer data G_GNUC_UNUSED)
{
  const char *argv[] = { "sh", "-c", "exec ls -l /proc/$$/fd", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree char *open_files = NULL;

  lease_as (l, MMIO_WATCH_FLAGS_NONE, COUNT);
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_LEAVE_DESCRIPTORS_OPEN, NULL, NULL, &open_files, NULL, NULL,
                &error);
  g_assert_no_error (error);
  g_assert_nonnull (strstr (open_files, "pipe:"));
  g_assert_null (strstr (open_files, l->parent.path));
}

/* The signal that the kernel sends stays the program's. */

static gint n_urgent;           /* atomic */

static void
on_urgent (int number G_GNUC_UNUSED)
{
  g_atomic_int_inc (&n_urgent);
}

static gboolean
is_urgent (gpointer data)
{
  return g_atomic_int_get (&n_urgent) > GPOINTER_TO_INT (data);
}

static void
test_signal (Leased       *l,
             gconstpointer data G_GNUC_UNUSED)
{
  const struct timespec patience = { .tv_sec = MMIO_TEST_PATIENCE_MS / 1000 };
  struct sigaction action = { .sa_handler = on_urgent }, before;
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, SIGURG);
  lease_as (l, MMIO_WATCH_FLAGS_NONE, COUNT);
  pthread_sigmask (SIG_UNBLOCK, &set, NULL);
  g_assert_no_errno (sigaction (SIGURG, &action, &before));
  g_assert_true (before.sa_handler == SIG_DFL);
  for (int i = 0; i < 100; i++)
    {
      g_assert_no_errno (kill (getpid (), SIGURG));
      mmio_test_wait_until (NULL, is_urgent, GINT_TO_POINTER (i));
    }
  change (l, l->parent.path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 1);
  g_assert_cmpint (g_atomic_int_get (&n_urgent), ==, 100);

  /* One who waits for it gets it, though another thread waits as well. */
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  for (guint i = 0; i < 20; i++)
    {
      g_assert_no_errno (kill (getpid (), SIGURG));
      g_assert_cmpint (sigtimedwait (&set, NULL, &patience), ==, SIGURG);
    }
  wait_for_lease (l->parent.path);
  change (l, l->parent.path, WRITE);
  g_assert_cmpuint (l->n_announced, ==, 2);
  g_assert_no_errno (sigaction (SIGURG, &before, NULL));
}

/* Where none can be had */

static void
assert_no_lease (MmioFile   *file,
                 const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = NULL;
  gboolean watching;

  g_assert_false (mmio_file_watch (file, MMIO_WATCH_FLAGS_LEASE, NULL, &error));
  g_object_get (file, "watching", &watching, "path", &path, NULL);
  mmio_test_assert_mmio_error (&error, NOT_SUPPORTED, path, reason, NULL);
  g_assert_false (watching);
  /* All else works. */
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
}

static void
test_read_write (Leased       *l,
                 gconstpointer data G_GNUC_UNUSED)
{
  l->file = mmio_test_open (l->parent.path, MMIO_MODE_READ_WRITE);
  assert_no_lease (l->file, "open for writing here");
}

static void
test_open_elsewhere (Leased       *l,
                     gconstpointer data)
{
  gboolean is_mapped = GPOINTER_TO_INT (data);
  int fd = open (l->parent.path, O_RDWR | O_CLOEXEC);
  gpointer map = NULL;

  l->file = mmio_test_open (l->parent.path, MMIO_MODE_READ_ONLY);
  if (is_mapped)
    {
      map = mmap (NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      g_assert_true (map != MAP_FAILED);
      close (fd);
    }
  assert_no_lease (l->file, "somebody has it open for writing");
  if (is_mapped)
    munmap (map, LENGTH);
  else
    close (fd);
  g_assert_true (mmio_file_watch (l->file, MMIO_WATCH_FLAGS_LEASE, NULL, NULL));
  g_assert_true (has_lease (l->parent.path));
}

static int
lease_as_another (gpointer data)
{
  Leased *l = data;
  const gboolean was_root = geteuid () == 0;
  GStatBuf info;

  if (was_root)
    {
      g_assert_no_errno (chmod (l->parent.folder, 0755));
      g_assert_no_errno (chmod (l->parent.path, 0644));
      g_assert_no_errno (setuid (65534));
    }
  /* Where TMPDIR is root's alone nobody else comes to the one of the test. */
  l->file = mmio_test_open (was_root && g_stat (l->parent.path, &info) == 0 ? l->parent.path : "/etc/passwd", MMIO_MODE_READ_ONLY);
  assert_no_lease (l->file, "CAP_LEASE");
  return 0;
}

static void
test_another_user (Leased       *l,
                   gconstpointer data G_GNUC_UNUSED)
{
  if (can_start_threads_in_child ())
    mmio_test_run_child (lease_as_another, l, NULL);
}

#if !HAVE_DECL_F_SETLEASE || !HAVE_DECL_F_SETSIG || !HAVE_DECL_F_SETOWN_EX || !defined(HAVE_SIGTIMEDWAIT)
static void
test_no_leases (Leased       *l,
                gconstpointer data G_GNUC_UNUSED)
{
  l->file = mmio_test_open (l->parent.path, MMIO_MODE_READ_ONLY);
  assert_no_lease (l->file, "this system has no leases");
}
#endif

#define add(name, data, func) g_test_add (name, Leased, data, set_up, func, tear_down)

int
main (int   argc,
      char *argv[])
{
  sigset_t set;

  /* As whoever waits for a signal has to, before there are other threads: see test_signal (). */
  sigemptyset (&set);
  sigaddset (&set, SIGURG);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  g_test_init (&argc, &argv, NULL);

#if !HAVE_DECL_F_SETLEASE || !HAVE_DECL_F_SETSIG || !HAVE_DECL_F_SETOWN_EX || !defined(HAVE_SIGTIMEDWAIT)
  add ("/file/lease/without-them-it-is-not-supported", NULL, test_no_leases);
  return g_test_run ();
#endif

  add ("/file/lease/a-truncater-waits-for-the-handler/by-path", GUINT_TO_POINTER (TRUNCATE_PATH), test_held);
  add ("/file/lease/a-truncater-waits-for-the-handler/by-descriptor", GUINT_TO_POINTER (TRUNCATE_OPENED), test_held);
  add ("/file/lease/a-truncater-waits-for-the-handler/in-opening", GUINT_TO_POINTER (OPEN_TO_TRUNCATE), test_held);
  add ("/file/lease/a-writer-waits-for-the-handler", GUINT_TO_POINTER (WRITE), test_held);
  add ("/file/lease/a-reader-does-not-wait", NULL, test_reader);
  add ("/file/lease/a-stuck-handler-holds-nobody-for-good", NULL, test_stuck);
  add ("/file/lease/a-busy-loop-holds-nobody-for-good", NULL, test_busy);
  add ("/file/lease/the-next-change-is-announced-too", NULL, test_again);
  add ("/file/lease/who-does-not-wait-is-announced-too", NULL, test_without_waiting);
  add ("/file/lease/each-of-two-watchers-is-waited-for", NULL, test_two_watchers);
  add ("/file/lease/many-at-once-are-each-announced", NULL, test_many);

  add ("/file/lease/a-rename-or-unlink-does-not-wait-and-the-lease-stays", NULL, test_rename_and_unlink);
  add ("/file/lease/moves-to-the-file-that-replaces-it", GUINT_TO_POINTER (MMIO_WATCH_FLAGS_NONE), test_replaced);
  add ("/file/lease/moves-to-the-file-that-replaces-it/with-reload", GUINT_TO_POINTER (MMIO_WATCH_FLAGS_RELOAD), test_replaced);

  add ("/file/lease/ends-with-unwatch-in-the-handler", GUINT_TO_POINTER (UNWATCH), test_end_in_handler);
  add ("/file/lease/ends-with-close-in-the-handler", GUINT_TO_POINTER (CLOSE), test_end_in_handler);
  add ("/file/lease/ends-with-the-last-unref-in-the-handler", GUINT_TO_POINTER (UNREF), test_end_in_handler);
  add ("/file/lease/ends-with-unwatch", GUINT_TO_POINTER (UNWATCH), test_end);
  add ("/file/lease/ends-with-close", GUINT_TO_POINTER (CLOSE), test_end);
  add ("/file/lease/ends-with-the-last-unref", GUINT_TO_POINTER (UNREF), test_end);
  add ("/file/lease/ends-with-unwatch-while-somebody-waits", NULL, test_unwatch_while_held);

  add ("/file/lease/stays-with-the-parent-of-a-fork", NULL, test_fork);
  add ("/file/lease/can-be-had-in-a-child-too", NULL, test_lease_in_child);
  add ("/file/lease/is-not-left-to-another-program", NULL, test_exec);
  add ("/file/lease/leaves-its-signal-to-the-program", NULL, test_signal);

  add ("/file/lease/not-on-what-is-open-for-writing-here", NULL, test_read_write);
  add ("/file/lease/not-on-what-is-open-for-writing-elsewhere", GINT_TO_POINTER (FALSE), test_open_elsewhere);
  add ("/file/lease/not-on-what-is-mapped-for-writing-elsewhere", GINT_TO_POINTER (TRUE), test_open_elsewhere);
  add ("/file/lease/not-on-what-belongs-to-another-user", NULL, test_another_user);

  return g_test_run ();
}
