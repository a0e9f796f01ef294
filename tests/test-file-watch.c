/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a watched file says, end to end. The engine behind it has tests of its own.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

/* With nothing but GFileMonitor an event that comes late is reported again. */
#ifdef HAVE_SYS_INOTIFY_H
#define expect_next mmio_test_expect
#else
#define expect_next mmio_test_hear_until
#endif

#define N_MANY 10000
#define N_BESIDES 240
#define N_SOME 50
#define MAX_IDLE 8

typedef struct
{
  MmioTest parent;
  MmioFile *file;
  MmioTestEar *ear;
} Watched;

static void
watch_as (Watched       *w,
          MmioMode       mode,
          MmioWatchFlags flags)
{
  g_autoptr (GError) error = NULL;

  w->file = mmio_test_open (w->parent.path, mode);
  w->ear = mmio_test_listen (w->file, NULL);
  g_assert_true (mmio_file_watch (w->file, flags, NULL, &error));
  g_assert_no_error (error);
  /* The comparison at the start, which may see what comes next before its event arrives. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
set_up (Watched      *w,
        gconstpointer data)
{
  mmio_test_set_up (&w->parent, data);
  mmio_test_write_file (w->parent.path, "0123456789", 10);
}

static void
tear_down (Watched      *w,
           gconstpointer data)
{
  g_clear_pointer (&w->ear, mmio_test_ear_free);
  g_clear_object (&w->file);
  mmio_test_tear_down (&w->parent, data);
}

static void
watch (Watched *w)
{
  watch_as (w, MMIO_MODE_READ_ONLY, MMIO_WATCH_FLAGS_NONE);
}

/* The rows of the table */

static void
test_write (Watched      *w,
            gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  mmio_test_write_at (w->parent.path, 3, "x", 1);
  expect_next (w->ear, "changed 0 10");
  mmio_test_assert_read (w->file, 3, "x", 1);
  mmio_test_expect_silence (w->ear);
}

static int
write_in_child (gpointer data)
{
  mmio_test_write_at (data, 3, "x", 1);
  return 0;
}

static void
test_write_by_process (Watched      *w,
                       gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  mmio_test_run_child (write_in_child, w->parent.path, NULL);
  expect_next (w->ear, "changed 0 10");
  mmio_test_expect_silence (w->ear);
}

static void
test_append (Watched      *w,
             gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  mmio_test_append (w->parent.path, "abc", 3);
  expect_next (w->ear, "changed 10 3");
  mmio_test_append (w->parent.path, "defgh", 5);
  expect_next (w->ear, "changed 13 5");
  /* The size is only taken over where it is asked for. */
  g_assert_cmpuint (mmio_file_get_size (w->file), ==, 10);
  g_assert_true (mmio_file_refresh (w->file, NULL));
  expect_next (w->ear, "size 18");
  mmio_test_assert_read (w->file, 10, "abcdefgh", 8);
}

static void
test_truncate (Watched      *w,
               gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  mmio_test_truncate (w->parent.path, 4);
  mmio_test_hear_until (w->ear, "changed 0 4");
}

static void
test_flush_of_another_mapping (Watched      *w,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) other = mmio_test_open (w->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (GError) error = NULL;

  watch (w);
  g_assert_true (mmio_file_write (other, 0, "x", 1, &error));
  g_assert_true (mmio_file_flush (other, &error));
  g_assert_no_error (error);
  /* Where there is no call that raises a modification event it is that of the times. */
#ifdef HAVE_FALLOCATE
  mmio_test_hear_until (w->ear, "changed 0 10");
#else
  mmio_test_hear_until (w->ear, "metadata");
#endif
  mmio_test_assert_read (w->file, 0, "x", 1);
  mmio_test_assert_file (w->parent.path, "x123456789", 10);
}

static int
write_mapped_in_child (gpointer data)
{
  g_autoptr (MmioFile) file = mmio_test_open (data, MMIO_MODE_READ_WRITE);

  g_assert_true (mmio_file_write (file, 3, "x", 1, NULL));
  g_assert_true (mmio_file_flush (file, NULL));
  return 0;
}

static void
test_flush_by_process (Watched      *w,
                       gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  mmio_test_run_child (write_mapped_in_child, w->parent.path, NULL);
#ifdef HAVE_FALLOCATE
  mmio_test_hear_until (w->ear, "changed 0 10");
#else
  mmio_test_hear_until (w->ear, "metadata");
#endif
  mmio_test_assert_read (w->file, 0, "012x456789", 10);
}

static void
bare_monitor_heard (GFileMonitor     *monitor G_GNUC_UNUSED,
                    GFile            *file G_GNUC_UNUSED,
                    GFile            *other_file G_GNUC_UNUSED,
                    GFileMonitorEvent event,
                    gpointer          data)
{
  if (event == G_FILE_MONITOR_EVENT_CHANGED)
    *(gboolean *) data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

static void
test_flush_for_everybody (Watched      *w,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GFile) location = g_file_new_for_path (w->parent.path);
  g_autoptr (GFileMonitor) monitor = g_file_monitor_file (location, G_FILE_MONITOR_NONE, NULL, NULL);
  gboolean heard = FALSE;

#if !defined(HAVE_FALLOCATE) || !defined(HAVE_SYS_INOTIFY_H)
  g_test_skip ("this system has no announcement that every monitor hears");
  return;
#endif
  g_file_monitor_set_rate_limit (monitor, 0);
  g_signal_connect (monitor, "changed", G_CALLBACK (bare_monitor_heard), &heard);
  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_write (w->file, 0, "x", 1, NULL));
  g_assert_true (mmio_file_flush (w->file, NULL));
  mmio_test_wait_until (NULL, is_true, &heard);
}

/* Who flushes knows already. */
static void
test_own_flush (Watched      *w,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

#if !defined(HAVE_FALLOCATE) || !defined(HAVE_SYS_INOTIFY_H)
  g_test_skip ("this system doesn't tell an announcement from a change");
  return;
#endif
  watch_as (w, MMIO_MODE_READ_WRITE, MMIO_WATCH_FLAGS_NONE);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_true (mmio_file_write (w->file, 0, "x", 1, &error));
      g_assert_true (mmio_file_flush (w->file, &error));
      g_assert_no_error (error);
    }
  mmio_test_expect_silence (w->ear);
  /* And still hears the others. */
  mmio_test_append (w->parent.path, "abc", 3);
  expect_next (w->ear, "changed 10 3");
}

static void
test_metadata (Watched      *w,
               gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *link_path = mmio_test_in_folder (&w->parent, "link");
  const struct timeval times[2] = { { 1000, 0 }, { 2000, 0 } };

  watch (w);
  g_assert_no_errno (chmod (w->parent.path, 0600));
  expect_next (w->ear, "metadata");
  g_assert_no_errno (utimes (w->parent.path, times));
  expect_next (w->ear, "metadata");
  g_assert_no_errno (link (w->parent.path, link_path));
  expect_next (w->ear, "metadata");
  g_assert_no_errno (unlink (link_path));
  expect_next (w->ear, "metadata");
  if (setxattr (w->parent.path, "user.mmio", "x", 1, 0) == 0)
    expect_next (w->ear, "metadata");
  if (chown (w->parent.path, 12345, (gid_t) -1) == 0)
    expect_next (w->ear, "metadata");
  mmio_test_expect_silence (w->ear);
}

static void
test_unlink (Watched      *w,
             gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  g_assert_no_errno (unlink (w->parent.path));
  expect_next (w->ear, "removed");
  mmio_test_assert_read (w->file, 0, "0123456789", 10);
  /* The watch stays. */
  mmio_test_replace (w->parent.path, "again", 5);
  mmio_test_hear_until (w->ear, "replaced");
  mmio_test_assert_read (w->file, 0, "0123456789", 10);
  g_assert_true (mmio_file_reload (w->file, NULL));
  mmio_test_assert_read (w->file, 0, "again", 5);
  mmio_test_append (w->parent.path, "!", 1);
  mmio_test_hear_until (w->ear, "changed 5 1");
}

static void
test_rename_away (Watched      *w,
                  gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *elsewhere = mmio_test_in_folder (&w->parent, "elsewhere");

  watch (w);
  g_assert_no_errno (rename (w->parent.path, elsewhere));
  expect_next (w->ear, "removed");
  mmio_test_assert_read (w->file, 0, "0123456789", 10);
}

static void
test_atomic_save (Watched      *w,
                  gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioView) view = NULL;

  watch (w);
  view = mmio_file_get_view (w->file, 0, 10, NULL);
  for (guint i = 0; i < 3; i++)
    {
      mmio_test_replace (w->parent.path, "new", 3);
      expect_next (w->ear, "replaced");
    }
  g_assert_cmpmem (mmio_view_get_pointer (view), 10, "0123456789", 10);
  mmio_test_assert_read (w->file, 0, "0123456789", 10);
  /* It is the path that is watched. */
  mmio_test_append (w->parent.path, "er", 2);
  mmio_test_hear_until (w->ear, "changed 3 2");
}

static void
test_two_files_on_one_path (Watched      *w,
                            gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) other = mmio_test_open (w->parent.path, MMIO_MODE_READ_WRITE);
  g_autoptr (MmioTestEar) other_ear = mmio_test_listen (other, NULL);

  watch (w);
  g_assert_true (mmio_file_watch (other, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  mmio_test_append (w->parent.path, "abc", 3);
  expect_next (w->ear, "changed 10 3");
  expect_next (other_ear, "changed 10 3");
  mmio_test_replace (w->parent.path, "new", 3);
  expect_next (w->ear, "replaced");
  expect_next (other_ear, "replaced");
  /* One of them stops, and the other hears on. */
  mmio_file_unwatch (other);
  mmio_test_append (w->parent.path, "er", 2);
  expect_next (w->ear, "changed 3 2");
  mmio_test_expect_silence (w->ear);
  g_assert_cmpuint (mmio_test_count_said (other_ear), ==, 0);
}

static void
test_two_paths_to_one_file (Watched      *w,
                            gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *other_path = mmio_test_in_folder (&w->parent, "other");
  g_autoptr (MmioFile) other = NULL;
  g_autoptr (MmioTestEar) other_ear = NULL;

  g_assert_no_errno (link (w->parent.path, other_path));
  other = mmio_test_open (other_path, MMIO_MODE_READ_ONLY);
  other_ear = mmio_test_listen (other, NULL);
  g_assert_true (mmio_file_watch (other, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  watch (w);
  /* The content is that of both; the name is one's own. */
  mmio_test_append (other_path, "abc", 3);
  expect_next (w->ear, "changed 10 3");
  expect_next (other_ear, "changed 10 3");
  mmio_test_replace (w->parent.path, "new", 3);
  expect_next (w->ear, "replaced");
  expect_next (other_ear, "metadata");
  mmio_test_append (other_path, "d", 1);
  expect_next (other_ear, "changed 13 1");
  mmio_test_append (w->parent.path, "er", 2);
  expect_next (w->ear, "changed 3 2");
  g_assert_no_errno (unlink (other_path));
  expect_next (other_ear, "removed");
  mmio_test_expect_silence (w->ear);
}

/* What each has heard. */
typedef struct
{
  guint n;
  guint n_wrong;
  guint n_wanted;
} Heard;

static void
on_many_changed (MmioFile *file G_GNUC_UNUSED,
                 guint64   offset,
                 guint64   length,
                 Heard    *heard)
{
  heard->n++;
  heard->n_wrong += offset != 10 || length != 1 ? 1 : 0;
}

static gboolean
all_have_heard (gpointer data)
{
  const Heard *heard = data;

  return heard->n >= heard->n_wanted;
}

static void
test_many (Watched      *w,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  struct rlimit limit, before;
  Heard heard = { 0 };
  guint n_wanted = N_MANY;

  /* One descriptor each, and few besides. Where the limit can't be raised it is as many as it lets: test-watch-engine has them all. */
  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  limit = before;
  limit.rlim_cur = N_MANY + N_BESIDES;
  limit.rlim_max = MAX (limit.rlim_cur, limit.rlim_max);
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    {
      limit.rlim_cur = limit.rlim_max = before.rlim_max;
      g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
      n_wanted = (guint) before.rlim_max - N_BESIDES;
      g_test_message ("%u files", n_wanted);
    }

  for (guint i = 0; i < n_wanted; i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", i);
      g_autoptr (GError) error = NULL;
      MmioFile *file;

      g_ptr_array_add (paths, mmio_test_in_folder (&w->parent, name));
      mmio_test_write_file (g_ptr_array_index (paths, i), "0123456789", 10);
      file = mmio_test_open (g_ptr_array_index (paths, i), MMIO_MODE_READ_ONLY);
      g_ptr_array_add (files, file);
      g_signal_connect (file, "changed", G_CALLBACK (on_many_changed), &heard);
      g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
      g_assert_no_error (error);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  for (guint i = 0; i < n_wanted; i++)
    mmio_test_append (g_ptr_array_index (paths, i), "x", 1);
  heard.n_wanted = n_wanted;
  mmio_test_wait_until (NULL, all_have_heard, &heard);
  g_assert_cmpuint (heard.n, ==, n_wanted);
  g_assert_cmpuint (heard.n_wrong, ==, 0);

  g_ptr_array_set_size (files, 0);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
}

/* Taking it down takes long. */
static void
test_queue_stays (Watched      *w,
                  gconstpointer data G_GNUC_UNUSED)
{
  guint n_fds;

  watch (w);
  mmio_file_unwatch (w->file);
  n_fds = mmio_test_count_fds ();
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  mmio_test_append (w->parent.path, "abc", 3);
  mmio_test_hear_until (w->ear, "changed 10 3");
}

/* But it goes with its context. */
static void
test_queue_goes (Watched      *w,
                 gconstpointer data G_GNUC_UNUSED)
{
  guint n_fds = mmio_test_count_fds ();
  g_autoptr (GMainContext) context = g_main_context_new ();

  g_main_context_push_thread_default (context);
  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  g_main_context_pop_thread_default (context);
  g_clear_object (&w->file);
  g_clear_pointer (&context, g_main_context_unref);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

static gpointer
watch_once (gpointer path)
{
  GMainContext *context = g_main_context_new ();
  g_autoptr (MmioFile) file = mmio_test_open (path, MMIO_MODE_READ_ONLY);

  g_main_context_push_thread_default (context);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  mmio_file_unwatch (file);
  g_main_context_pop_thread_default (context);
  return context;
}

/* A user has no more than 128 queues, and contexts may stay. */
static void
test_few_queues_stay (Watched      *w,
                      gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) contexts = g_ptr_array_new_with_free_func ((GDestroyNotify) g_main_context_unref);
  guint first, n_fds;

  /* What GLib may keep is there before. */
  g_main_context_unref (watch_once (w->parent.path));
  first = mmio_test_count_fds ();
  /* A context has a descriptor of its own. */
  for (guint i = 0; i < MAX_IDLE; i++)
    g_ptr_array_add (contexts, g_thread_join (g_thread_new ("context", watch_once, w->parent.path)));
  n_fds = mmio_test_count_fds ();
  for (guint i = 0; i < N_SOME; i++)
    g_ptr_array_add (contexts, g_thread_join (g_thread_new ("context", watch_once, w->parent.path)));
  g_assert_cmpuint (mmio_test_count_fds (), <=, n_fds + N_SOME);

  /* Those that have gone make room. */
  g_ptr_array_set_size (contexts, 0);
  g_assert_cmpuint (mmio_test_count_fds (), ==, first);
  for (guint i = 0; i < MAX_IDLE; i++)
    g_ptr_array_add (contexts, g_thread_join (g_thread_new ("context", watch_once, w->parent.path)));
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

static gboolean
has_few_descriptors (gpointer data)
{
  return mmio_test_count_fds () <= *(const guint *) data;
}

/* Also once what has changed in it has been found, and once it was replaced and reloaded. */
static void
test_one_descriptor (Watched      *w,
                     gconstpointer data)
{
  MmioWatchFlags flags = MMIO_WATCH_FLAGS_RELOAD | (MmioWatchFlags) GPOINTER_TO_UINT (data);
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) ears = g_ptr_array_new_with_free_func ((GDestroyNotify) mmio_test_ear_free);
  guint most;

  /* What all watches share is there before. */
  watch_as (w, MMIO_MODE_READ_ONLY, flags);
  most = mmio_test_count_fds () + N_SOME;

  for (guint i = 0; i < N_SOME; i++)
    {
      MmioFile *file = mmio_test_open (w->parent.path, i % 2 == 0 ? MMIO_MODE_READ_ONLY : MMIO_MODE_READ_WRITE);

      g_ptr_array_add (files, file);
      g_ptr_array_add (ears, mmio_test_listen (file, NULL));
      g_assert_true (mmio_file_watch (file, flags, NULL, NULL));
    }
  mmio_test_wait_until (NULL, has_few_descriptors, &most);

  mmio_test_append (w->parent.path, "abc", 3);
  for (guint i = 0; i < N_SOME; i++)
    mmio_test_hear_until (g_ptr_array_index (ears, i), "changed 10 3");
  mmio_test_wait_until (NULL, has_few_descriptors, &most);

  mmio_test_replace (w->parent.path, "new", 3);
  for (guint i = 0; i < N_SOME; i++)
    mmio_test_hear_until (g_ptr_array_index (ears, i), "changed 0 3");
  mmio_test_wait_until (NULL, has_few_descriptors, &most);

  /* And it is the new one's. */
  mmio_test_append (w->parent.path, "er", 2);
  for (guint i = 0; i < N_SOME; i++)
    mmio_test_hear_until (g_ptr_array_index (ears, i), "changed 3 2");
  g_assert_no_errno (chmod (w->parent.path, 0600));
  for (guint i = 0; i < N_SOME; i++)
    mmio_test_hear_until (g_ptr_array_index (ears, i), "metadata");
}

/* The watch looks at the file without leaving a trace of it, though it has no descriptor of its own. */
static void
test_time_of_access (Watched      *w,
                     gconstpointer data G_GNUC_UNUSED)
{
#ifdef O_NOATIME
  const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
  struct stat st;

  watch (w);
  g_assert_no_errno (utimensat (AT_FDCWD, w->parent.path, times, 0));
  mmio_test_hear_until (w->ear, "metadata");
  mmio_test_append (w->parent.path, "abc", 3);
  expect_next (w->ear, "changed 10 3");
  g_assert_no_errno (stat (w->parent.path, &st));
  g_assert_cmpint (st.st_atim.tv_sec, ==, 1000);
#else
  g_test_skip ("O_NOATIME is not here");
#endif
}

/* What hinders the main loop for a millisecond, and how often since the main loop served somebody else. */
typedef struct
{
  guint n;
  guint n_in_a_row;
  guint most_in_a_row;
} Row;

static void
on_slow_metadata (Row *row)
{
  gint64 end = g_get_monotonic_time () + 1000;

  while (g_get_monotonic_time () < end)
    ;
  row->n++;
  row->n_in_a_row++;
  row->most_in_a_row = MAX (row->most_in_a_row, row->n_in_a_row);
}

static gboolean
on_turn_of_another (gpointer data)
{
  ((Row *) data)->n_in_a_row = 0;
  return G_SOURCE_CONTINUE;
}

static gboolean
all_were_slow (gpointer data)
{
  return ((Row *) data)->n >= N_SOME;
}

static void
test_turns (Watched      *w,
            gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  Row row = { 0 };
  guint other;

  for (guint i = 0; i < N_SOME; i++)
    {
      MmioFile *file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);

      g_ptr_array_add (files, file);
      g_signal_connect_swapped (file, "metadata", G_CALLBACK (on_slow_metadata), &row);
      g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;

  other = g_idle_add_full (G_PRIORITY_DEFAULT, on_turn_of_another, &row, NULL);
  g_assert_no_errno (chmod (w->parent.path, 0600));
  mmio_test_wait_until (NULL, all_were_slow, &row);
  /* The handlers take a millisecond at least, a turn five. */
  g_assert_cmpuint (row.most_in_a_row, <=, 6);
  g_source_remove (other);
}

static void
test_reload (Watched      *w,
             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioView) view = NULL;

  watch_as (w, MMIO_MODE_READ_WRITE, MMIO_WATCH_FLAGS_RELOAD);
  view = mmio_file_get_view (w->file, 0, 10, NULL);
  mmio_test_replace (w->parent.path, "new", 3);
  expect_next (w->ear, "replaced");
  expect_next (w->ear, "size 3");
  expect_next (w->ear, "changed 0 3");
  mmio_test_assert_read (w->file, 0, "new", 3);
  g_assert_cmpmem (mmio_view_get_pointer (view), 10, "0123456789", 10);
  mmio_test_replace (w->parent.path, "newer", 5);
  mmio_test_hear_until (w->ear, "changed 0 5");
  mmio_test_assert_read (w->file, 0, "newer", 5);
}

static void
test_follow (Watched      *w,
             gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;

  w->file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", w->parent.path, "mode", mode, "follow", TRUE, NULL);
  g_assert_no_error (error);
  w->ear = mmio_test_listen (w->file, NULL);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  for (guint i = 0; i < 20; i++)
    {
      g_autofree char *size = g_strdup_printf ("size %u", 11 + i);
      g_autofree char *changed = g_strdup_printf ("changed %u 1", 10 + i);

      mmio_test_append (w->parent.path, "x", 1);
      expect_next (w->ear, size);
      expect_next (w->ear, changed);
      mmio_test_assert_read (w->file, 10 + i, "x", 1);
    }
}

typedef enum
{
  UNWATCH,
  CLOSE,
  UNREF,
  WATCH_AGAIN,
  RELOAD
} InHandler;

static void
do_in_notify (MmioFile   *file,
              GParamSpec *pspec G_GNUC_UNUSED,
              InHandler  *what)
{
  switch (*what)
    {
    case UNWATCH:
      mmio_file_unwatch (file);
      break;

    case CLOSE:
      g_assert_true (mmio_file_close (file, NULL));
      break;

    case WATCH_AGAIN:
    default:
      g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
      break;
    }
}

/* The size is told first, and whoever hears of it may have heard enough. */
static void
test_in_notify (Watched      *w,
                gconstpointer data)
{
  InHandler what = (InHandler) GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;

  w->file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", w->parent.path, "follow", TRUE, NULL);
  g_assert_no_error (error);
  w->ear = mmio_test_listen (w->file, NULL);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_signal_connect (w->file, "notify::size", G_CALLBACK (do_in_notify), &what);
  mmio_test_append (w->parent.path, "x", 1);
  expect_next (w->ear, "size 11");
  if (what == WATCH_AGAIN)
    expect_next (w->ear, "changed 10 1");
  else if (what == CLOSE)
    expect_next (w->ear, "size 0");
  mmio_test_expect_silence (w->ear);
  g_assert_cmpuint (mmio_test_count_said (w->ear), ==, 0);
}

static int
unmount_under_watch (gpointer data)
{
  Watched *w = data;
  g_autofree char *folder = mmio_test_in_folder (&w->parent, "mount");
  g_autofree char *path = g_build_filename (folder, "file", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (mkdir (folder, 0755));
  if (!mmio_test_mount_tmpfs (folder, 64 * 1024))
    return MMIO_TEST_SKIP;
  mmio_test_write_file (path, "hello", 5);
  w->file = mmio_test_open (path, MMIO_MODE_READ_ONLY);
  w->ear = mmio_test_listen (w->file, NULL);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  /* The mapping keeps the file system busy: it goes lazily. */
  g_assert_no_errno (umount2 (folder, MNT_DETACH));
  expect_next (w->ear, "removed");
  mmio_test_assert_read (w->file, 0, "hello", 5);
  g_clear_pointer (&w->ear, mmio_test_ear_free);
  g_clear_object (&w->file);
  return 0;
}

static void
test_unmount (Watched      *w,
              gconstpointer data G_GNUC_UNUSED)
{
  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer allows no threads in the child of a process with threads");
      return;
    }
  mmio_test_run_child (unmount_under_watch, w, "not allowed to mount a file system here");
}

/* The life of a watch */

static void
test_before_the_watch (Watched      *w,
                       gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  w->ear = mmio_test_listen (w->file, NULL);
  mmio_test_replace (w->parent.path, "new", 3);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  expect_next (w->ear, "replaced");
}

static int
write_before_the_watch (gpointer data)
{
  mmio_test_write_at (data, 3, "x", 1);
  return 0;
}

static void
watch_and_listen (Watched *w)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
}

/* Content that has changed since it was read, or since it was told last. */
static void
test_written_before_the_watch (Watched      *w,
                               gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);

  w->file = mmio_test_open (w->parent.path, mode);
  w->ear = mmio_test_listen (w->file, NULL);
  mmio_test_append (w->parent.path, "abc", 3);
  watch_and_listen (w);
  expect_next (w->ear, "changed 0 13");
  mmio_test_expect_silence (w->ear);

  /* What was told isn't told by the next watch. */
  mmio_file_unwatch (w->file);
  watch_and_listen (w);
  mmio_test_expect_silence (w->ear);
  watch_and_listen (w);
  mmio_test_expect_silence (w->ear);

  mmio_file_unwatch (w->file);
  mmio_test_truncate (w->parent.path, 5);
  watch_and_listen (w);
  expect_next (w->ear, "changed 0 5");
  mmio_test_expect_silence (w->ear);

  /* What has happened and is not told yet is the next one's. */
  mmio_test_append (w->parent.path, "d", 1);
  mmio_file_unwatch (w->file);
  watch_and_listen (w);
  expect_next (w->ear, "changed 0 6");
  mmio_test_expect_silence (w->ear);
}

/* Of the same length, so that the time alone tells: it has moved on by then. */
static void
test_overwritten_before_the_watch (Watched      *w,
                                   gconstpointer data)
{
  const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };

  g_assert_no_errno (utimensat (AT_FDCWD, w->parent.path, times, 0));
  w->file = mmio_test_open (w->parent.path, (MmioMode) GPOINTER_TO_UINT (data));
  w->ear = mmio_test_listen (w->file, NULL);
  mmio_test_run_child (write_before_the_watch, w->parent.path, NULL);
  watch_and_listen (w);
  expect_next (w->ear, "changed 0 10");
  mmio_test_expect_silence (w->ear);
}

/* What this object has written is no news. */
static void
test_stored_before_the_watch (Watched      *w,
                              gconstpointer data G_GNUC_UNUSED)
{
  const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 2000 } };
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (utimensat (AT_FDCWD, w->parent.path, times, 0));
  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_write (w->file, 0, "x", 1, &error));
  w->ear = mmio_test_listen (w->file, NULL);
  watch_and_listen (w);
  mmio_test_expect_silence (w->ear);
  mmio_file_unwatch (w->file);
  g_assert_true (mmio_file_flush (w->file, &error));
  watch_and_listen (w);
  mmio_test_expect_silence (w->ear);
  mmio_file_unwatch (w->file);
  g_assert_true (mmio_file_resize (w->file, 20, &error));
  expect_next (w->ear, "size 20");
  watch_and_listen (w);
  mmio_test_expect_silence (w->ear);
  g_assert_no_error (error);
}

/* The mapped file is the same as when it was told of, though another one stands at the path since. */
static void
test_told_before_the_replacement (Watched      *w,
                                  gconstpointer data)
{
  const char *const path = w->parent.path;

  watch_as (w, MMIO_MODE_READ_ONLY, (MmioWatchFlags) GPOINTER_TO_UINT (data));
  mmio_test_append (path, "abc", 3);
  mmio_test_hear_until (w->ear, "changed 10 3");
  mmio_test_replace (path, "new", 3);
  mmio_test_hear_until (w->ear, "replaced");
  mmio_file_unwatch (w->file);
  watch_and_listen (w);
  expect_next (w->ear, "replaced");

  g_assert_no_errno (g_unlink (path));
  mmio_test_hear_until (w->ear, "removed");
  mmio_file_unwatch (w->file);
  watch_and_listen (w);
  expect_next (w->ear, "removed");

  /* But once it is the new one that is mapped, that counts. */
  mmio_test_replace (path, "newer", 5);
  mmio_test_hear_until (w->ear, "replaced");
  g_assert_true (mmio_file_reload (w->file, NULL));
  mmio_file_unwatch (w->file);
  mmio_test_append (path, "!", 1);
  watch_and_listen (w);
  mmio_test_hear_until (w->ear, "changed 0 6");
  mmio_test_expect_silence (w->ear);
}

/* The size that the file had when it was opened is news after another one was set. */
static void
test_cut_back_before_the_watch (Watched      *w,
                                gconstpointer data G_GNUC_UNUSED)
{
  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_WRITE);
  g_assert_true (mmio_file_resize (w->file, 20, NULL));
  w->ear = mmio_test_listen (w->file, NULL);
  mmio_test_truncate (w->parent.path, 10);
  watch_and_listen (w);
  expect_next (w->ear, "changed 0 10");
}

static void
test_properties (Watched      *w,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *backend = NULL;
  gboolean watching;

  watch (w);
  g_object_get (w->file, "watching", &watching, "watch-backend", &backend, NULL);
  g_assert_true (watching);
  g_assert_nonnull (backend);
  g_clear_pointer (&backend, g_free);
  mmio_file_unwatch (w->file);
  g_object_get (w->file, "watching", &watching, "watch-backend", &backend, NULL);
  g_assert_false (watching);
  g_assert_null (backend);
}

static void
test_unwatch (Watched      *w,
              gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  mmio_test_write_at (w->parent.path, 0, "x", 1);
  mmio_test_replace (w->parent.path, "new", 3);
  mmio_file_unwatch (w->file);
  mmio_file_unwatch (w->file);
  mmio_test_expect_silence (w->ear);
  g_assert_cmpuint (mmio_test_count_said (w->ear), ==, 0);

  /* And again. */
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  mmio_test_hear_until (w->ear, "replaced");
  mmio_test_append (w->parent.path, "!", 1);
  mmio_test_hear_until (w->ear, "changed 3 1");
}

static void
test_watch_twice (Watched      *w,
                  gconstpointer data G_GNUC_UNUSED)
{
  watch (w);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  mmio_test_append (w->parent.path, "!", 1);
  expect_next (w->ear, "changed 10 1");
  mmio_test_expect_silence (w->ear);
}

typedef struct
{
  Watched *w;
  InHandler what;
  guint n_heard;
} Handler;

static void
do_in_handler (MmioFile *file,
               Handler  *handler)
{
  handler->n_heard++;
  switch (handler->what)
    {
    case UNWATCH:
      mmio_file_unwatch (file);
      break;

    case CLOSE:
      g_assert_true (mmio_file_close (file, NULL));
      break;

    case UNREF:
      g_clear_object (&handler->w->file);
      break;

    case WATCH_AGAIN:
      g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
      break;

    case RELOAD:
    default:
      g_assert_true (mmio_file_reload (file, NULL));
      break;
    }
}

static gboolean
handler_was_called (gpointer data)
{
  return ((Handler *) data)->n_heard > 0;
}

/* A second watched file in the same folder shows that the events have gone by. */
static void
test_in_handler (Watched      *w,
                 gconstpointer data)
{
  Handler handler = { w, (InHandler) GPOINTER_TO_UINT (data), 0 };
  g_autofree char *other_path = mmio_test_in_folder (&w->parent, "other");
  g_autoptr (MmioFile) other = mmio_test_create (other_path, 1);
  g_autoptr (MmioTestEar) other_ear = mmio_test_listen (other, NULL);
  const gboolean goes_on = handler.what == WATCH_AGAIN || handler.what == RELOAD;

  g_assert_true (mmio_file_watch (other, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  g_signal_connect (w->file, "replaced", G_CALLBACK (do_in_handler), &handler);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_RELOAD, NULL, NULL));
  mmio_test_replace (w->parent.path, "new", 3);
  mmio_test_wait_until (NULL, handler_was_called, &handler);
  g_assert_cmpuint (handler.n_heard, ==, 1);

  if (handler.what == UNREF)
    g_assert_null (w->file);
  else
    g_assert_cmpint (mmio_file_is_closed (w->file), ==, handler.what == CLOSE);
  mmio_test_replace (w->parent.path, "newer", 5);
  mmio_test_append (other_path, "x", 1);
  mmio_test_hear_until (other_ear, "changed 1 1");
  if (goes_on)
    while (handler.n_heard < 2)
      g_main_context_iteration (NULL, TRUE);
  else
    g_assert_cmpuint (handler.n_heard, ==, 1);
}

/* Contexts and threads */

static void
test_context (Watched      *w,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GError) error = NULL;

  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  /* The ear asserts that it is the owner of this one. */
  w->ear = mmio_test_listen (w->file, context);
  g_main_context_push_thread_default (context);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_main_context_pop_thread_default (context);
  g_assert_no_error (error);
  mmio_test_write_at (w->parent.path, 0, "x", 1);
  expect_next (w->ear, "changed 0 10");
  mmio_file_unwatch (w->file);
}

typedef struct
{
  Watched *w;
  GMainLoop *loop;
  gint ready;                   /* atomic */
} Worker;

static gboolean
set_ready (gpointer data)
{
  g_atomic_int_set (&((Worker *) data)->ready, TRUE);
  return G_SOURCE_REMOVE;
}

static gpointer
run_worker (gpointer data)
{
  Worker *worker = data;
  GMainContext *context = g_main_loop_get_context (worker->loop);

  g_main_context_push_thread_default (context);
  g_assert_true (mmio_file_watch (worker->w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  g_main_context_invoke (context, set_ready, worker);
  g_main_loop_run (worker->loop);
  g_main_context_pop_thread_default (context);
  return NULL;
}

static gboolean
is_ready (gpointer data)
{
  return g_atomic_int_get (&((Worker *) data)->ready);
}

static gboolean
has_said (gpointer data)
{
  return mmio_test_count_said (data) > 0;
}

static void
test_thread (Watched      *w,
             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (context, FALSE);
  Worker worker = { w, loop, FALSE };
  GThread *thread;
  guint n;

  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  w->ear = mmio_test_listen (w->file, context);
  thread = g_thread_new ("worker", run_worker, &worker);
  mmio_test_wait_until (NULL, is_ready, &worker);
  mmio_test_write_at (w->parent.path, 0, "x", 1);
  mmio_test_wait_until (NULL, has_said, w->ear);

  /* From here: none begins after it has returned. What had begun is over when the worker has come round. */
  mmio_file_unwatch (w->file);
  worker.ready = FALSE;
  g_main_context_invoke (context, set_ready, &worker);
  mmio_test_wait_until (NULL, is_ready, &worker);
  n = mmio_test_count_said (w->ear);
  mmio_test_write_at (w->parent.path, 0, "y", 1);
  g_main_loop_quit (loop);
  g_thread_join (thread);
  mmio_test_expect_silence (w->ear);
  g_assert_cmpuint (mmio_test_count_said (w->ear), ==, n);
}

static gpointer
write_often (gpointer data)
{
  for (guint i = 0; i < 500; i++)
    mmio_test_append (data, "x", 1);
  return NULL;
}

#ifdef HAVE_SYS_INOTIFY_H
static guint
count_kernel_watches (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fdinfo", 0, NULL);
  guint n = 0;

  for (const char *name = folder != NULL ? g_dir_read_name (folder) : NULL; name != NULL; name = g_dir_read_name (folder))
    {
      g_autofree char *path = g_build_filename ("/proc/self/fdinfo", name, NULL);
      g_autofree char *info = NULL;

      if (!g_file_get_contents (path, &info, NULL, NULL))
        continue;
      for (const char *at = strstr (info, "inotify wd:"); at != NULL; at = strstr (at + 1, "inotify wd:"))
        n++;
    }

  return n;
}

/* In the queues of inotify that are open here. */
static gboolean
has_unread_events (void)
{
  g_autoptr (GDir) folder = g_dir_open ("/proc/self/fd", 0, NULL);
  gboolean unread = FALSE;

  for (const char *name = g_dir_read_name (folder); name != NULL; name = g_dir_read_name (folder))
    {
      g_autofree char *path = g_build_filename ("/proc/self/fd", name, NULL);
      g_autofree char *target = g_file_read_link (path, NULL);
      GPollFD poll_fd = { atoi (name), G_IO_IN, 0 };

      if (g_strcmp0 (target, "anon_inode:inotify") == 0)
        unread = unread || g_poll (&poll_fd, 1, 0) > 0;
    }

  return unread;
}

/* Runs the loop that it has inherited, hears of a file of its own, and lets go of what is its parent's. */
static int
close_in_child (gpointer data)
{
  Watched *w = data;
  g_autofree char *own = mmio_test_in_folder (&w->parent, "own");
  g_autoptr (MmioFile) file = mmio_test_create (own, 10);
  g_autoptr (MmioTestEar) ear = mmio_test_listen (file, NULL);
  g_autoptr (GError) error = NULL;

  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  mmio_test_write_at (own, 3, "x", 1);
  mmio_test_hear_until (ear, "changed 0 10");
  g_assert_false (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  mmio_test_assert_mmio_error (&error, NOT_SUPPORTED, NULL);
  mmio_file_unwatch (w->file);
  return mmio_file_close (w->file, NULL) ? 0 : 1;
}

/* The kernel's end of the watch is one for both. */
static void
test_fork (Watched      *w,
           gconstpointer data G_GNUC_UNUSED)
{
  guint before;

  if (mmio_test_has_thread_sanitizer ())
    {
      g_test_skip ("the sanitizer allows no threads in the child of a process with threads");
      return;
    }

  watch_as (w, MMIO_MODE_READ_WRITE, MMIO_WATCH_FLAGS_NONE);
  before = count_kernel_watches ();
  if (before == 0)
    {
      g_test_skip ("the kernel doesn't tell which watches there are");
      return;
    }
  mmio_test_write_at (w->parent.path, 3, "x", 1);
  g_assert_cmpint (mmio_test_wait_child (mmio_test_fork (close_in_child, w)), ==, 0);
  g_assert_cmpuint (count_kernel_watches (), ==, before);
  g_assert_true (has_unread_events ());
  mmio_test_hear_until (w->ear, "changed 0 10");
}
#endif

static void
test_unwatch_under_load (Watched      *w,
                         gconstpointer data G_GNUC_UNUSED)
{
  GThread *thread;

  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_WRITE);
  w->ear = mmio_test_listen (w->file, NULL);
  thread = g_thread_new ("writer", write_often, w->parent.path);
  for (guint i = 0; i < 50; i++)
    {
      guint n;

      g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
      for (guint k = 0; k < i % 4; k++)
        g_main_context_iteration (NULL, FALSE);
      mmio_file_unwatch (w->file);
      n = mmio_test_count_said (w->ear);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_assert_cmpuint (mmio_test_count_said (w->ear), ==, n);
    }
  g_thread_join (thread);
}

/* Many changes, few signals, and the last state is told. */
static void
test_interval (Watched      *w,
               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  w->file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", w->parent.path, "watch-interval", 200, "follow", TRUE, NULL);
  g_assert_no_error (error);
  w->ear = mmio_test_listen (w->file, NULL);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  for (guint i = 0; i < 200; i++)
    mmio_test_append (w->parent.path, "x", 1);
  mmio_test_hear_until (w->ear, "size 210");
  g_assert_cmpuint (mmio_test_count_said (w->ear), <, 50);
}

static void
test_by_descriptor (Watched      *w,
                    gconstpointer data G_GNUC_UNUSED)
{
  int fd = open (w->parent.path, O_RDONLY | O_CLOEXEC);
  g_autoptr (GError) error = NULL;

  w->file = mmio_file_new_for_fd (fd, MMIO_MODE_READ_ONLY, &error);
  g_assert_no_error (error);
  close (fd);
  w->ear = mmio_test_listen (w->file, NULL);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
  mmio_test_append (w->parent.path, "abc", 3);
  mmio_test_hear_until (w->ear, "changed 10 3");
}

static void
test_cancelled (Watched      *w,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  gboolean watching;

  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  g_cancellable_cancel (cancellable);
  g_assert_false (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, cancellable, &error));
  mmio_test_assert_io_error (&error, CANCELLED, NULL);
  g_object_get (w->file, "watching", &watching, NULL);
  g_assert_false (watching);
}

/* A watch holds the file no longer than its owner does, and leaves nothing. */
static void
test_no_leak (Watched      *w,
              gconstpointer data G_GNUC_UNUSED)
{
  guint n_fds = 0;
  gpointer weak;

  for (guint i = 0; i < 50; i++)
    {
      g_autoptr (MmioFile) file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);

      g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
      if (i % 3 == 0)
        g_assert_true (mmio_file_close (file, NULL));
      if (i % 3 == 1)
        mmio_file_unwatch (file);
      weak = file;
      g_object_add_weak_pointer (G_OBJECT (file), &weak);
      g_clear_object (&file);
      g_assert_null (weak);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      if (i == 10)
        n_fds = mmio_test_count_fds ();
    }
  g_assert_cmpuint (mmio_test_count_fds (), <=, n_fds + 2);
}

typedef struct
{
  MmioFile *file;
  GMainContext *context;
} Closer;

static gpointer
watch_until_closed (gpointer data)
{
  Closer *closer = data;
  g_autoptr (GError) error = NULL;

  g_main_context_push_thread_default (closer->context);
  while (mmio_file_watch (closer->file, MMIO_WATCH_FLAGS_NONE, NULL, &error))
    {
      while (g_main_context_iteration (closer->context, FALSE))
        ;
    }
  g_main_context_pop_thread_default (closer->context);
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  return NULL;
}

/* Its descriptor may be another file's by then. */
static void
test_watch_of_what_is_closed (Watched      *w,
                              gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  for (guint i = 0; i < N_SOME; i++)
    {
      g_autoptr (MmioFile) file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
      Closer closer = { file, context };
      gboolean is_watched;
      GThread *thread = g_thread_new ("watches", watch_until_closed, &closer);

      g_assert_true (mmio_file_close (file, NULL));
      g_thread_join (thread);
      g_object_get (file, "watching", &is_watched, NULL);
      g_assert_false (is_watched);
    }
}

static void
count (gpointer n)
{
  (*(guint *) n)++;
}

static gboolean
is_counted (gpointer n)
{
  return *(guint *) n > 0;
}

static gboolean
time_is_over (gpointer over)
{
  *(guint *) over = 1;
  return G_SOURCE_REMOVE;
}

static void
test_settled (MmioTest      *test,
              gconstpointer  data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  guint n_settled = 0, n_changed = 0, over = 0;
  int fd;

  mmio_test_write_file (test->path, "one", 3);
  file = mmio_test_open (test->path, MMIO_MODE_READ_ONLY);
  g_object_set (file, "settle-time", 20, NULL);
  g_signal_connect_swapped (file, "settled", G_CALLBACK (count), &n_settled);
  g_signal_connect_swapped (file, "changed", G_CALLBACK (count), &n_changed);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);

  mmio_test_append (test->path, "two", 3);
  mmio_test_wait_until (NULL, is_counted, &n_settled);
  g_assert_cmpuint (n_changed, ==, 1);
  g_assert_cmpuint (n_settled, ==, 1);

#if HAVE_DECL_F_SETLEASE
  /* Not while somebody has it open for writing: looked for ten times as long as it takes. */
  fd = open (test->path, O_WRONLY | O_APPEND | O_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, "three", 5), ==, 5);
  g_timeout_add (200, time_is_over, &over);
  mmio_test_wait_until (NULL, is_counted, &over);
  g_assert_cmpuint (n_settled, ==, 1);
  close (fd);
  n_settled = 0;
  mmio_test_wait_until (NULL, is_counted, &n_settled);
#else
  (void) fd;
  (void) over;
#endif

  /* Nothing comes of a watch that has ended. */
  n_settled = 0;
  over = 0;
  n_changed = 0;
  mmio_test_append (test->path, "four", 4);
  mmio_test_wait_until (NULL, is_counted, &n_changed);
  mmio_file_unwatch (file);
  g_timeout_add (100, time_is_over, &over);
  mmio_test_wait_until (NULL, is_counted, &over);
  g_assert_cmpuint (n_settled, ==, 0);
}

static void
test_settles_as_it_stands (Watched      *w,
                           gconstpointer data G_GNUC_UNUSED)
{
  guint n_settled = 0, n_replaced = 0, over = 0;
#if HAVE_DECL_F_SETLEASE
  int fd = open (w->parent.path, O_WRONLY | O_APPEND | O_CLOEXEC);
#endif

  w->file = mmio_test_open (w->parent.path, MMIO_MODE_READ_ONLY);
  g_object_set (w->file, "settle-time", 20, NULL);
  g_signal_connect_swapped (w->file, "settled", G_CALLBACK (count), &n_settled);
  g_signal_connect_swapped (w->file, "replaced", G_CALLBACK (count), &n_replaced);
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_SETTLE, NULL, NULL));
#if HAVE_DECL_F_SETLEASE
  /* Somebody is still writing it. */
  g_timeout_add (200, time_is_over, &over);
  mmio_test_wait_until (NULL, is_counted, &over);
  g_assert_cmpuint (n_settled, ==, 0);
  close (fd);
#endif
  mmio_test_wait_until (NULL, is_counted, &n_settled);
  g_assert_cmpuint (n_settled, ==, 1);

  /* Without it nothing settles that has not changed, and what is gone doesn't before something stands in its place. */
  n_settled = 0;
  g_assert_true (mmio_file_watch (w->file, MMIO_WATCH_FLAGS_NONE, NULL, NULL));
  mmio_test_append (w->parent.path, "x", 1);
  g_assert_no_errno (unlink (w->parent.path));
  over = 0;
  g_timeout_add (200, time_is_over, &over);
  mmio_test_wait_until (NULL, is_counted, &over);
  g_assert_cmpuint (n_settled, ==, 0);
  mmio_test_write_file (w->parent.path, "again", 5);
  mmio_test_wait_until (NULL, is_counted, &n_settled);
  g_assert_cmpuint (n_replaced, ==, 1);
}

#define add(name, data, func) g_test_add ("/file/watch/" name, Watched, data, set_up, func, tear_down)

#ifndef HAVE_SYS_INOTIFY_H
static void
test_nothing (void)
{
  g_test_skip ("GFileMonitor alone may tell of one change twice, the second time without its range; see tests/test-watch-engine.c");
}
#endif

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

#ifndef HAVE_SYS_INOTIFY_H
  g_test_add_func ("/file/watch/each-event", test_nothing);
  return g_test_run ();
#endif

  add ("a-write-is-changed", NULL, test_write);
  add ("a-write-by-another-process-is-changed", NULL, test_write_by_process);
  add ("an-append-is-changed-with-its-range", NULL, test_append);
  add ("a-truncation-is-changed", NULL, test_truncate);
  add ("a-flushed-mapped-write-is-changed", NULL, test_flush_of_another_mapping);
  add ("a-flushed-mapped-write-of-another-process-is-changed", NULL, test_flush_by_process);
  add ("a-flush-is-heard-by-every-monitor", NULL, test_flush_for_everybody);
  add ("a-flush-of-ones-own-is-not-told", NULL, test_own_flush);
  add ("what-is-not-content-is-metadata", NULL, test_metadata);
  add ("an-unlink-is-removed-and-a-new-file-replaced", NULL, test_unlink);
  add ("a-rename-away-is-removed", NULL, test_rename_away);
  add ("an-atomic-save-is-replaced-and-the-mapping-stays", NULL, test_atomic_save);
  add ("two-files-on-one-path-hear-each-for-itself", NULL, test_two_files_on_one_path);
  add ("two-paths-to-one-file-share-its-content", NULL, test_two_paths_to_one_file);
  add ("thousands-of-files-are-watched-at-once", NULL, test_many);
  add ("shares-what-the-next-one-takes-over", NULL, test_queue_stays);
  add ("leaves-nothing-behind-in-a-context-that-goes", NULL, test_queue_goes);
  add ("leaves-little-behind-in-contexts-that-stay", NULL, test_few_queues_stay);
  add ("takes-no-descriptor-of-its-own", NULL, test_one_descriptor);
  add ("takes-no-descriptor-of-its-own/locating", GUINT_TO_POINTER (MMIO_WATCH_FLAGS_LOCATE), test_one_descriptor);
  add ("leaves-the-time-of-access-alone", NULL, test_time_of_access);
  add ("many-at-once-leave-others-their-turn", NULL, test_turns);
  add ("with-reload-the-new-file-is-mapped", NULL, test_reload);
  add ("with-follow-the-size-follows/read-only", GUINT_TO_POINTER (MMIO_MODE_READ_ONLY), test_follow);
  add ("with-follow-the-size-follows/read-write", GUINT_TO_POINTER (MMIO_MODE_READ_WRITE), test_follow);
  add ("with-follow-what-stops-in-notify-size-has-stopped/unwatch", GUINT_TO_POINTER (UNWATCH), test_in_notify);
  add ("with-follow-what-stops-in-notify-size-has-stopped/close", GUINT_TO_POINTER (CLOSE), test_in_notify);
  add ("with-follow-a-watch-begun-in-notify-size-misses-nothing", GUINT_TO_POINTER (WATCH_AGAIN), test_in_notify);
  add ("an-unmount-is-removed", NULL, test_unmount);
  mmio_test_add ("/file/watch/settled-comes-when-nobody-writes-any-more", NULL, test_settled);

  add ("what-stands-there-settles-if-asked-to", NULL, test_settles_as_it_stands);

  add ("what-came-before-the-watch-is-told", NULL, test_before_the_watch);
  add ("a-write-before-the-watch-is-told-once/read-only", GUINT_TO_POINTER (MMIO_MODE_READ_ONLY), test_written_before_the_watch);
  add ("a-write-before-the-watch-is-told-once/read-write", GUINT_TO_POINTER (MMIO_MODE_READ_WRITE), test_written_before_the_watch);
  add ("bytes-written-over-before-the-watch-are-told/read-only", GUINT_TO_POINTER (MMIO_MODE_READ_ONLY),
       test_overwritten_before_the_watch);
  add ("bytes-written-over-before-the-watch-are-told/read-write", GUINT_TO_POINTER (MMIO_MODE_READ_WRITE),
       test_overwritten_before_the_watch);
  add ("what-was-stored-before-the-watch-is-not-told", NULL, test_stored_before_the_watch);
  add ("a-size-that-comes-back-before-the-watch-is-told", NULL, test_cut_back_before_the_watch);
  add ("what-was-told-before-a-replacement-is-told-once", NULL, test_told_before_the_replacement);
  add ("what-was-told-before-a-replacement-is-told-once/locating", GUINT_TO_POINTER (MMIO_WATCH_FLAGS_LOCATE),
       test_told_before_the_replacement);
  add ("the-properties-say-so", NULL, test_properties);
  add ("nothing-comes-after-unwatch", NULL, test_unwatch);
  add ("twice-is-once", NULL, test_watch_twice);
  add ("unwatch-in-a-handler", GUINT_TO_POINTER (UNWATCH), test_in_handler);
  add ("close-in-a-handler", GUINT_TO_POINTER (CLOSE), test_in_handler);
  add ("the-last-unref-in-a-handler", GUINT_TO_POINTER (UNREF), test_in_handler);
  add ("watch-again-in-a-handler", GUINT_TO_POINTER (WATCH_AGAIN), test_in_handler);
  add ("reload-in-a-handler", GUINT_TO_POINTER (RELOAD), test_in_handler);
  add ("signals-come-in-the-context-of-the-call", NULL, test_context);
  add ("unwatch-from-another-thread", NULL, test_thread);
  add ("unwatch-under-load", NULL, test_unwatch_under_load);
#ifdef HAVE_SYS_INOTIFY_H
  add ("stays-with-the-parent-of-a-fork-whatever-the-child-does", NULL, test_fork);
#endif
  add ("an-interval-gathers-a-burst", NULL, test_interval);
  add ("a-file-without-a-name-is-watched", NULL, test_by_descriptor);
  add ("the-start-can-be-cancelled", NULL, test_cancelled);
  add ("leaves-nothing-behind", NULL, test_no_leak);
  add ("is-not-begun-once-the-file-is-being-closed", NULL, test_watch_of_what_is_closed);

  return g_test_run ();
}
