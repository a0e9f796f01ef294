/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flush policies, and what counts as pending.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void
set_policy (MmioFile        *file,
            MmioFlushPolicy  policy,
            guint64          threshold)
{
  g_object_set (file, "flush-threshold", threshold, "flush-policy", policy, NULL);
}

static void
write_bytes (MmioFile *file,
             guint64   offset,
             gsize     length)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *data = g_malloc0 (length);

  g_assert_true (mmio_file_write (file, offset, data, length, &error));
  g_assert_no_error (error);
}

static void
test_manual (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 100000);
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  write_bytes (file, 0, 100);
  write_bytes (file, 50, 100);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 150);
  write_bytes (file, 50000, 10);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 160);

  g_assert_true (mmio_file_flush_range (file, 100, 40000, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 110);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_no_error (error);
}

static void
test_pending_of_writable_view (MmioTest      *test,
                               gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000);
  g_autoptr (GError) error = NULL;
  MmioView *view = mmio_file_get_writable_view (file, 100, 50, &error);

  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 50);
  /* It may be stored to again at any time. */
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 50);
  mmio_view_unref (view);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 50);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_no_error (error);
}

static void
test_many_ranges (MmioTest      *test,
                  gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000 * 1000);
  guint64 written = 0;

  for (guint64 i = 0; i < 1000; i++)
    {
      write_bytes (file, i * 997, 10);
      written += 10;
      g_assert_cmpuint (mmio_file_get_pending_bytes (file), >=, written);
    }
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), <=, 1000 * 1000);
}

static void
test_always (MmioTest      *test,
             gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GOutputStream) stream = NULL;

  mmio_test_write_pattern (test->path, 1000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_READ_WRITE, "flush-policy",
                         MMIO_FLUSH_POLICY_ALWAYS, NULL);
  g_assert_no_error (error);

  write_bytes (file, 0, 100);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_fill (file, 0, 100, 1, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_move (file, 100, 0, 100, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_set_uint32 (file, 0, 1, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  mmio_view_unref (mmio_file_get_writable_view (file, 0, 100, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  mmio_atomic_u32_unref (mmio_file_get_atomic_u32 (file, 0, 10, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  mmio_atomic_u64_unref (mmio_file_get_atomic_u64 (file, 0, 10, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  stream = mmio_output_stream_new (file);
  g_assert_true (g_output_stream_write_all (stream, "hello", 5, NULL, NULL, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_no_error (error);
}

/* There is nothing that could be flushed, and no reason to fail for it. */
static void
test_copy_on_write (MmioTest      *test,
                    gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_pattern (test->path, 1000);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", test->path, "mode", MMIO_MODE_COPY_ON_WRITE, "flush-policy",
                         MMIO_FLUSH_POLICY_ALWAYS, NULL);
  g_assert_no_error (error);
  write_bytes (file, 0, 100);
  mmio_view_unref (mmio_file_get_writable_view (file, 0, 100, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static void
test_every_bytes (MmioTest      *test,
                  gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_BYTES, 100);
  write_bytes (file, 0, 99);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 99);
  write_bytes (file, 5000, 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  write_bytes (file, 0, 99);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 99);
}

static void
test_every_writes (MmioTest      *test,
                   gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_WRITES, 3);
  write_bytes (file, 0, 1);
  write_bytes (file, 1, 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 2);
  write_bytes (file, 2, 1);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static gboolean
is_flushed (gpointer data)
{
  return mmio_file_get_pending_bytes (data) == 0;
}

static void
test_every_millis (MmioTest      *test,
                   gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 10000);
  gint64 end = g_get_monotonic_time () + MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
  gpointer weak = file;

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_MILLIS, 5);
  for (guint i = 0; i < 3; i++)
    {
      write_bytes (file, 0, 100);
      /* No main loop runs. */
      while (!is_flushed (file))
        {
          g_assert_cmpint (g_get_monotonic_time (), <, end);
          g_thread_yield ();
        }
    }

  /* The timer holds no reference: but for a flush under way the object goes with its last one. */
  g_object_add_weak_pointer (G_OBJECT (file), &weak);
  g_clear_object (&file);
  while (g_atomic_pointer_get (&weak) != NULL)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_thread_yield ();
    }
}

/* How often the thread that waits for the timers has gone to sleep. FALSE: the system doesn't say. */
static gboolean
count_wakeups (guint64 *n)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *task;

  while (tasks != NULL && (task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path = g_strdup_printf ("/proc/self/task/%s/status", task);
      g_autofree char *status = NULL;
      const char *line;

      if (!g_file_get_contents (path, &status, NULL, NULL) || strstr (status, "Name:\tmmio-worker\n") == NULL)
        continue;
      line = strstr (status, "\nvoluntary_ctxt_switches:");
      if (line == NULL)
        return FALSE;
      *n = g_ascii_strtoull (strchr (line, ':') + 1, NULL, 10);
      return TRUE;
    }

  return FALSE;
}

/* Wakeups until a timer of 200 ms has flushed. */
static guint64
wakeups_meanwhile (MmioFile *slow)
{
  gint64 end = g_get_monotonic_time () + MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
  guint64 before = 0, after = 0;

  g_assert_true (count_wakeups (&before));
  write_bytes (slow, 0, 10);
  while (!is_flushed (slow))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, end);
      g_thread_yield ();
    }
  g_assert_true (count_wakeups (&after));
  return after - before;
}

#define MANY_WAKEUPS 40

static void
test_timer_stops (MmioTest      *test G_GNUC_UNUSED,
                  gconstpointer  data)
{
  gboolean closes = data != NULL;
  /* Neither on a disk: waiting for one would be sleep as well. */
  g_autoptr (MmioFile) slow = mmio_file_new_anonymous (NULL, 100, NULL);
  g_autoptr (MmioFile) quick = mmio_file_new_anonymous (NULL, 100, NULL);
  gint64 end = g_get_monotonic_time () + MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
  guint64 with, without, n;

  set_policy (slow, MMIO_FLUSH_POLICY_EVERY_MILLIS, 200);
  set_policy (quick, MMIO_FLUSH_POLICY_EVERY_MILLIS, 1);
  /* The thread is there, and has its name. */
  while (!count_wakeups (&n))
    {
      if (!g_file_test ("/proc/self/task", G_FILE_TEST_EXISTS))
        {
          g_test_skip ("the system doesn't tell how often a thread wakes up");
          return;
        }
      g_thread_yield ();
    }

  /* From one of the slow timer's ticks to the next: 200, unless others have the processors. */
  do
    with = wakeups_meanwhile (slow);
  while (with < MANY_WAKEUPS && g_get_monotonic_time () < end);
  if (with < MANY_WAKEUPS)
    {
      g_test_skip ("the machine is too busy to tell a quick timer from a slow one");
      return;
    }
  if (closes)
    g_assert_true (mmio_file_close (quick, NULL));
  else
    g_clear_object (&quick);
  /* The tick under way has some of the quick one's. */
  do
    without = wakeups_meanwhile (slow);
  while (without >= MANY_WAKEUPS / 2 && g_get_monotonic_time () < end);
  g_test_message ("%" G_GUINT64_FORMAT " wakeups with a quick timer, %" G_GUINT64_FORMAT " after that", with, without);
  g_assert_cmpuint (without, <, MANY_WAKEUPS / 2);
}

/* The timer runs however the file was opened, and whether the policy was there from the beginning or came later. */

typedef enum
{
  BY_PATH,
  BY_PATH_THRESHOLD_LAST,
  BY_LOCATION,
  BY_FD,
  BY_PATH_ASYNC,
  OPEN,
  OPEN_LOCATION,
  OPEN_ASYNC,
  CREATE,
  CREATE_REPLACING,
  OPEN_OR_CREATE,
  NEW_FOR_FD,
  NEW_ANONYMOUS,
  N_WAYS
} Way;

static void
keep_result (GObject      *source G_GNUC_UNUSED,
             GAsyncResult *result,
             gpointer      user_data)
{
  *(GAsyncResult **) user_data = g_object_ref (result);
}

static gboolean
has_result (gpointer data)
{
  return *(GAsyncResult **) data != NULL;
}

#define TIMER "flush-policy", MMIO_FLUSH_POLICY_EVERY_MILLIS
#define WRITING "mode", MMIO_MODE_READ_WRITE

static MmioFile *
open_in (Way         way,
         const char *path,
         int         fd)
{
  g_autoptr (GFile) location = g_file_new_for_path (path);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GObject) source = NULL;
  g_autoptr (GError) error = NULL;
  MmioFile *file = NULL;

  switch (way)
    {
    case BY_PATH:
      file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", path, WRITING, "flush-threshold", (guint64) 5, TIMER, NULL);
      break;
    case BY_PATH_THRESHOLD_LAST:
      file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, TIMER, "flush-threshold", (guint64) 5, WRITING, "path", path, NULL);
      break;
    case BY_LOCATION:
      file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "location", location, WRITING, TIMER, NULL);
      break;
    case BY_FD:
      file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "fd", fd, WRITING, TIMER, NULL);
      break;
    case BY_PATH_ASYNC:
      g_async_initable_new_async (MMIO_TYPE_FILE, G_PRIORITY_DEFAULT, NULL, keep_result, &result, "path", path, WRITING, TIMER, NULL);
      mmio_test_wait_until (NULL, has_result, &result);
      source = g_async_result_get_source_object (result);
      file = MMIO_FILE (g_async_initable_new_finish (G_ASYNC_INITABLE (source), result, &error));
      break;
    case OPEN:
      file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
      break;
    case OPEN_LOCATION:
      file = mmio_file_open_location (location, MMIO_MODE_READ_WRITE, NULL, &error);
      break;
    case OPEN_ASYNC:
      mmio_file_open_async (path, MMIO_MODE_READ_WRITE, NULL, keep_result, &result);
      mmio_test_wait_until (NULL, has_result, &result);
      file = mmio_file_open_finish (result, &error);
      break;
    case CREATE:
      g_assert_no_errno (unlink (path));
      file = mmio_file_create (path, 1000, MMIO_CREATE_FLAGS_NONE, &error);
      break;
    case CREATE_REPLACING:
      file = mmio_file_create (path, 1000, MMIO_CREATE_FLAGS_REPLACE, &error);
      break;
    case OPEN_OR_CREATE:
      g_assert_no_errno (unlink (path));
      file = mmio_file_open_or_create (path, 1000, &error);
      break;
    case NEW_FOR_FD:
      file = mmio_file_new_for_fd (fd, MMIO_MODE_READ_WRITE, &error);
      break;
    case NEW_ANONYMOUS:
      file = mmio_file_new_anonymous (NULL, 1000, &error);
      break;
    case N_WAYS:
    default:
      g_assert_not_reached ();
    }

  g_assert_no_error (error);
  if (way >= OPEN)
    set_policy (file, MMIO_FLUSH_POLICY_EVERY_MILLIS, 5);
  return file;
}

static void
test_ways_of_opening (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  for (Way way = BY_PATH; way < N_WAYS; way++)
    {
      gint64 end = g_get_monotonic_time () + MMIO_TEST_PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
      g_autoptr (MmioFile) file = NULL;
      int fd;

      mmio_test_write_pattern (test->path, 1000);
      fd = open (test->path, O_RDWR | O_CLOEXEC);
      g_assert_cmpint (fd, >=, 0);
      file = open_in (way, test->path, fd);
      write_bytes (file, 0, 100);
      while (!is_flushed (file))
        {
          g_assert_cmpint (g_get_monotonic_time (), <, end);
          g_thread_yield ();
        }
      g_assert_no_errno (close (fd));
    }
}

/* What is written beside a flush counts for the next one. */

#define N_WRITERS 4
#define WRITES 50
#define THRESHOLD 64

typedef struct
{
  MmioFile *file;
  guint number;
} Writer;

static gpointer
write_all_over (gpointer data)
{
  Writer *self = data;

  for (guint i = 0; i < WRITES; i++)
    write_bytes (self->file, (i * N_WRITERS + self->number) * 16, 16);
  return NULL;
}

static void
test_counts_beside_a_flush (MmioTest      *test,
                            gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, N_WRITERS * WRITES * 16);

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_BYTES, THRESHOLD);
  for (guint round = 0; round < 20; round++)
    {
      GThread *threads[N_WRITERS];
      Writer writers[N_WRITERS];

      for (guint i = 0; i < N_WRITERS; i++)
        {
          writers[i] = (Writer){ file, i };
          threads[i] = g_thread_new ("writer", write_all_over, &writers[i]);
        }
      for (guint i = 0; i < N_WRITERS; i++)
        g_thread_join (threads[i]);
      g_assert_cmpuint (mmio_file_get_pending_bytes (file), <, THRESHOLD);
    }
}

/* The tail that is being flushed may be cut off by a resize of one's own, which is nobody's loss. */

static gint stop;               /* atomic */

static gpointer
write_tail_and_flush (gpointer data)
{
  MmioFile *file = data;
  g_autoptr (GError) error = NULL;

  while (!g_atomic_int_get (&stop))
    {
      if (!mmio_file_write (file, 3 * 4096, "tail", 4, &error))
        mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, NULL);
      g_assert_true (mmio_file_flush (file, &error));
      g_assert_no_error (error);
    }
  return NULL;
}

static void
test_beside_a_shrink (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 4 * 4096);
  g_autoptr (GError) error = NULL;
  GThread *thread;

  g_atomic_int_set (&stop, FALSE);
  thread = g_thread_new ("flusher", write_tail_and_flush, file);
  for (guint i = 0; i < 20000; i++)
    {
      g_assert_true (mmio_file_resize (file, i % 2 == 0 ? 4096 : 4 * 4096, &error));
      g_assert_no_error (error);
    }
  g_atomic_int_set (&stop, TRUE);
  g_thread_join (thread);

  g_assert_true (mmio_file_resize (file, 4096, &error));
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_no_error (error);
}

static void
test_close_flushes (MmioTest      *test,
                    gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 100);
  g_autoptr (GError) error = NULL;

  write_bytes (file, 0, 100);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
}

static gboolean
is_durable (gpointer data)
{
  return mmio_file_get_pending_bytes (data) == 0;
}

static void
on_flushed (GObject      *source G_GNUC_UNUSED,
            GAsyncResult *result G_GNUC_UNUSED,
            gpointer      data)
{
  *(gboolean *) data = TRUE;
}

static void
on_fault (MmioFile *file G_GNUC_UNUSED,
          guint64   offset G_GNUC_UNUSED,
          guint64   length G_GNUC_UNUSED,
          gpointer  data)
{
  *(gboolean *) data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

/* All that needs a thread of the library: by its clock, by its pool, and with word of a fault. */
static int
use_threads (gpointer data)
{
  g_autoptr (MmioFile) file = mmio_test_create (data, 100000);
  g_autoptr (MmioView) view = mmio_file_get_view (file, 50000, 1, NULL);
  gboolean flushed = FALSE, faulted = FALSE;

  set_policy (file, MMIO_FLUSH_POLICY_EVERY_MILLIS, 1);
  write_bytes (file, 0, 100);
  mmio_test_wait_until (NULL, is_durable, file);
  mmio_file_flush_async (file, NULL, on_flushed, &flushed);
  mmio_test_wait_until (NULL, is_true, &flushed);
  if (mmio_get_fault_guard ())
    {
      g_signal_connect (file, "fault", G_CALLBACK (on_fault), &faulted);
      mmio_test_truncate (data, 0);
      g_assert_cmpuint (*(volatile guint8 *) mmio_view_get_pointer (view), ==, 0);
      mmio_test_wait_until (NULL, is_true, &faulted);
    }

  return 0;
}

/* Which limit keeps the library from having a thread of its own, in a process where no thread has left a stack. */
typedef struct
{
  int resource;
  int n_left;                   /* descriptors */
} Without;

static struct rlimit
get_limit (const Without *self)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (self->resource, &limit));
  if (self->resource == RLIMIT_NOFILE)
    {
      int next = dup (STDIN_FILENO);

      limit.rlim_cur = (rlim_t) (next + self->n_left);
      g_assert_no_errno (close (next));
    }
  else
    {
      g_autofree char *sizes = NULL;

      g_assert_true (g_file_get_contents ("/proc/self/statm", &sizes, NULL, NULL));
      limit.rlim_cur = (rlim_t) g_ascii_strtoull (sizes, NULL, 10) * mmio_test_page_size () + 1024 * 1024;
    }

  return limit;
}

static void
use_no_thread (const char    *path,
               const Without *without)
{
  g_autoptr (MmioFile) file = mmio_test_create (path, 100000);
  g_autoptr (MmioView) view = NULL, later = NULL;
  g_autoptr (GError) error = NULL;
  gboolean faulted = FALSE;
  struct rlimit before, limit;

  /* A program's loop has its descriptor. */
  g_main_context_default ();
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), &faulted);
  g_assert_no_errno (getrlimit (without->resource, &before));
  limit = get_limit (without);
  g_assert_no_errno (setrlimit (without->resource, &limit));
  view = mmio_file_get_view (file, 50000, 1, &error);
  g_assert_no_error (error);
  set_policy (file, MMIO_FLUSH_POLICY_EVERY_MILLIS, G_MAXUINT);
  write_bytes (file, 0, 100);
  /* Nobody looks at the clock. */
  g_assert_true (is_flushed (file));
  /* GIO's monitors, where there is nothing better, have a thread that can't be done without. */
  if (without->resource == RLIMIT_NOFILE)
    g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
  g_assert_no_errno (setrlimit (without->resource, &before));

  /* With the next of each all is as it should be. */
  write_bytes (file, 0, 100);
  write_bytes (file, 0, 100);
  g_assert_false (is_flushed (file));
  later = mmio_file_get_view (file, 50001, 1, &error);
  g_assert_no_error (error);
  if (mmio_get_fault_guard ())
    {
      mmio_test_truncate (path, 0);
      g_assert_cmpuint (*(volatile guint8 *) mmio_view_get_pointer (view), ==, 0);
      mmio_test_wait_until (NULL, is_true, &faulted);
    }
}

static void
test_without_thread (MmioTest      *test,
                     gconstpointer  data)
{
  const Without *without = data;

  if (without->resource == RLIMIT_AS && (mmio_test_has_sanitizer () || mmio_test_has_valgrind ()))
    {
      g_test_skip ("the sanitizer takes more address space than the limit leaves");
      return;
    }
  if (g_test_subprocess ())
    {
      use_no_thread (test->path, without);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
  g_test_trap_assert_passed ();
}

/* As of a server that forks for each of its workers, after it has used the library itself. */
static void
test_child_has_its_own_threads (MmioTest      *test,
                                gconstpointer  data G_GNUC_UNUSED)
{
  g_autofree char *in_child = mmio_test_in_folder (test, "child");

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer allows no threads in the child of a process with threads");
      return;
    }
  if (mmio_test_has_valgrind ())
    {
      g_test_skip ("valgrind takes for lost in the child what the parent's threads held");
      return;
    }
  use_threads (test->path);
  g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (use_threads, in_child)), ==, 0);
}

static void
test_start_writeback (MmioTest      *test,
                      gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = mmio_test_create (test->path, 1000);
  g_autoptr (GError) error = NULL;

  write_bytes (file, 0, 100);
  g_assert_true (mmio_file_start_writeback (file, 0, 1000, &error));
  g_assert_true (mmio_file_start_writeback (file, 1000, 0, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 100);
  g_assert_false (mmio_file_start_writeback (file, 1, 1000, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 1", "length 1000", "size 1000", NULL);
}

int
main (int   argc,
      char *argv[])
{
  static const Without no_memory = { RLIMIT_AS, 0 }, no_descriptor = { RLIMIT_NOFILE, 0 }, one_descriptor = { RLIMIT_NOFILE, 1 },
                       two_descriptors = { RLIMIT_NOFILE, 2 };

  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/flush/manual/pending-is-what-was-written", NULL, test_manual);
  mmio_test_add ("/flush/pending/writable-view-counts-while-it-lives", NULL, test_pending_of_writable_view);
  mmio_test_add ("/flush/pending/never-less-than-what-was-written", NULL, test_many_ranges);
  mmio_test_add ("/flush/policy/always", NULL, test_always);
  mmio_test_add ("/flush/policy/every-bytes", NULL, test_every_bytes);
  mmio_test_add ("/flush/policy/every-writes", NULL, test_every_writes);
  mmio_test_add ("/flush/policy/every-millis-needs-no-loop-and-ends-with-the-object", NULL, test_every_millis);
  mmio_test_add ("/flush/policy/every-millis-stops-with-the-object", NULL, test_timer_stops);
  mmio_test_add ("/flush/policy/every-millis-stops-with-close", "", test_timer_stops);
  mmio_test_add ("/flush/policy/every-millis-in-every-way-of-opening", NULL, test_ways_of_opening);
  mmio_test_add ("/flush/policy/every-bytes-counts-what-is-written-beside-a-flush", NULL, test_counts_beside_a_flush);
  mmio_test_add ("/flush/policy/copy-on-write-has-nothing-to-flush", NULL, test_copy_on_write);
  mmio_test_add ("/flush/policy/every-millis-and-async-in-a-child-that-opens-its-own", NULL, test_child_has_its_own_threads);
  mmio_test_add ("/flush/policy/every-millis-without-a-thread-is-each-write", &no_memory, test_without_thread);
  mmio_test_add ("/flush/policy/every-millis-without-a-descriptor-is-each-write", &no_descriptor, test_without_thread);
  mmio_test_add ("/flush/policy/every-millis-with-one-descriptor-is-each-write", &one_descriptor, test_without_thread);
  mmio_test_add ("/flush/policy/every-millis-with-two-descriptors-is-each-write", &two_descriptors, test_without_thread);
  mmio_test_add ("/flush/beside-a-shrink-of-ones-own-is-no-error", NULL, test_beside_a_shrink);
  mmio_test_add ("/flush/close-flushes", NULL, test_close_flushes);
  mmio_test_add ("/flush/start-writeback-makes-nothing-durable", NULL, test_start_writeback);

  return g_test_run ();
}
