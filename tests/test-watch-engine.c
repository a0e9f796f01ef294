/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The watch engine on real files: what happens to them, and what is said then.
 */
#include "config.h"

#include "mmio-error.h"
#include "mmio-watch-private.h"
#include "mmio-watch-way-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATIENCE_MS 60000

typedef struct
{
  char *folder;
  char *path;
  int fd;                       /* as the owner's mapping has it */
  MmioWatch *watch;
  GQueue reports;               /* of MmioWatchReport */
  guint n_started;
  guint n_destroyed;
  gboolean stop_at_report;
  guint n_nested;               /* reports that are waited for in a main loop inside of a report */
  GMainContext *context;        /* where the reports must come; NULL: the default one */
  gboolean timed_out;
} Fixture;

static void append (const char *path,
                    const char *text);

static void
heard (const MmioWatchReport *report,
       gpointer               user_data)
{
  Fixture *f = user_data;

  g_assert_true (g_main_context_is_owner (f->context != NULL ? f->context : g_main_context_default ()));
  g_queue_push_tail (&f->reports, g_memdup2 (report, sizeof *report));
  if (f->stop_at_report)
    g_clear_pointer (&f->watch, mmio_watch_stop);
  if (f->n_nested > 0)
    {
      guint n_reports = g_queue_get_length (&f->reports);

      f->n_nested--;
      append (f->path, "x");
      while (g_queue_get_length (&f->reports) == n_reports)
        g_main_context_iteration (f->context, TRUE);
    }
}

static void
destroyed (gpointer user_data)
{
  Fixture *f = user_data;

  g_atomic_int_inc (&f->n_destroyed);
}

static void
write_file (const char *path,
            const char *text)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  g_assert_no_errno (close (fd));
}

static void
write_at (const char *path,
          off_t       offset,
          const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, text, strlen (text), offset), ==, (gssize) strlen (text));
  g_assert_no_errno (close (fd));
}

static void
append (const char *path,
        const char *text)
{
  int fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  g_assert_no_errno (close (fd));
}

/* In another process; $1 is the watched path, and the folder the one it is in. */
static void
shell (Fixture    *f,
       const char *script)
{
  const char *argv[] = { "/bin/sh", "-e", "-c", script, "sh", f->path, NULL };
  g_autoptr (GError) error = NULL;
  int status;

  g_spawn_sync (f->folder, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, &error);
  g_assert_no_error (error);
  g_assert_true (g_spawn_check_wait_status (status, &error));
  g_assert_no_error (error);
}

static void
save_atomically (Fixture    *f,
                 const char *text)
{
  g_autofree char *temporary = g_strconcat (f->path, ".new", NULL);

  write_file (temporary, text);
  g_assert_no_errno (rename (temporary, f->path));
}

static char *
in_folder (Fixture    *f,
           const char *name)
{
  return g_build_filename (f->folder, name, NULL);
}

static void
set_up_at (Fixture    *f,
           const char *name)
{
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("mmio-watch-XXXXXX", &error);
  g_assert_no_error (error);
  f->path = in_folder (f, name);
  write_file (f->path, "0123456789");
  f->fd = -1;
}

static void
set_up (Fixture      *f,
        gconstpointer data G_GNUC_UNUSED)
{
  set_up_at (f, "file");
}

static void
tear_down (Fixture      *f,
           gconstpointer data G_GNUC_UNUSED)
{
  const char *argv[] = { "rm", "-rf", f->folder, NULL };

  if (f->watch != NULL)
    {
      g_clear_pointer (&f->watch, mmio_watch_stop);
      g_assert_cmpuint (f->n_destroyed, ==, f->n_started);
    }
  g_queue_clear_full (&f->reports, g_free);
  if (f->fd >= 0)
    close (f->fd);
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (f->folder);
  g_free (f->path);
}

static void
start_with (Fixture              *f,
            const MmioWatchSetup *setup)
{
  g_autoptr (GError) error = NULL;

  f->watch = mmio_watch_start (setup, heard, f, destroyed, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (f->watch);
  f->n_started++;
}

static void
start_at_interval (Fixture *f,
                   guint    interval)
{
  g_autoptr (GFile) location = g_file_new_for_path (f->path);
  MmioWatchSetup setup = { .location = location, .fd = -1, .interval = interval };

  if (f->fd < 0)
    f->fd = open (f->path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (f->fd, >=, 0);
  setup.fd = f->fd;
  start_with (f, &setup);
}

static void
start_with_nothing (Fixture *f)
{
  g_autoptr (GFile) location = g_file_new_for_path (f->path);
  MmioWatchSetup setup = { .location = location, .fd = -1 };

  start_with (f, &setup);
}

/* And lets the comparison at the start go by, which may find a change before the event of it arrives. */
static void
start (Fixture *f)
{
  start_at_interval (f, 0);
  while (g_queue_is_empty (&f->reports) && g_main_context_iteration (f->context, FALSE))
    ;
}

/* Iterates until it is true, or fails. */
#define WAIT_FOR(f, condition)                            \
  G_STMT_START                                            \
  {                                                       \
    GSource *patience_ = g_timeout_source_new (PATIENCE_MS); \
                                                          \
    (f)->timed_out = FALSE;                               \
    g_source_set_callback (patience_, lose_patience, f, NULL); \
    g_source_attach (patience_, (f)->context);            \
    while (!(condition) && !(f)->timed_out)               \
      g_main_context_iteration ((f)->context, TRUE);      \
    g_source_destroy (patience_);                         \
    g_source_unref (patience_);                           \
    g_assert_false ((f)->timed_out);                      \
  }                                                       \
  G_STMT_END

static gboolean
lose_patience (gpointer user_data)
{
  Fixture *f = user_data;

  f->timed_out = TRUE;
  return G_SOURCE_REMOVE;
}

static const char *
name_of (MmioWatchWhat what)
{
  const char *names[] = { "changed", "metadata", "removed", "replaced", "settled", "about-to-change" };

  return names[what];
}

static MmioWatchReport
next (Fixture *f)
{
  g_autofree MmioWatchReport *report = NULL;

  WAIT_FOR (f, !g_queue_is_empty (&f->reports));
  report = g_queue_pop_head (&f->reports);
  g_test_message ("%s, offset %" G_GUINT64_FORMAT ", length %" G_GUINT64_FORMAT ", size %" G_GUINT64_FORMAT,
                  name_of (report->what), report->offset, report->length, report->state.size);
  return *report;
}

/* With nothing but GFileMonitor an event that comes late is reported again. */
#ifdef HAVE_SYS_INOTIFY_H
#define REPORTS_ONCE TRUE
#else
#define REPORTS_ONCE FALSE
#endif

static MmioWatchReport
assert_next (Fixture      *f,
             MmioWatchWhat what)
{
  MmioWatchReport report = next (f);

  while (!REPORTS_ONCE && report.what != what)
    report = next (f);
  g_assert_cmpstr (name_of (report.what), ==, name_of (what));
  return report;
}

static void
assert_next_changed (Fixture *f,
                     guint64  offset,
                     guint64  length)
{
  MmioWatchReport report = assert_next (f, MMIO_WATCH_CHANGED);

  while (!REPORTS_ONCE && (report.offset != offset || report.length != length))
    report = next (f);
  g_assert_cmpuint (report.offset, ==, offset);
  g_assert_cmpuint (report.length, ==, length);
}

/* Everything that happened so far has been reported, and been asserted before this is called: events come in their order,
 * and nothing comes before that of what happens now. */
static void
assert_nothing_more (Fixture *f)
{
  if (REPORTS_ONCE)
    {
      g_assert_true (g_queue_is_empty (&f->reports));
      g_assert_no_errno (chmod (f->path, 0600));
      assert_next (f, MMIO_WATCH_METADATA);
    }
  while (g_main_context_iteration (f->context, FALSE))
    ;
  if (REPORTS_ONCE && !g_queue_is_empty (&f->reports))
    g_assert_cmpstr (name_of (next (f).what), ==, "nothing");
  g_queue_clear_full (&f->reports, g_free);
}

/* The tests */

static void
test_write (Fixture      *f,
            gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  write_at (f->path, 3, "x");
  assert_next_changed (f, 0, 10);
  write_at (f->path, 3, "x");
  assert_next_changed (f, 0, 10);
  assert_nothing_more (f);
}

static void
test_write_by_another_process (Fixture      *f,
                               gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  shell (f, "printf x | dd of=\"$1\" conv=notrunc status=none");
  assert_next_changed (f, 0, 10);
  assert_nothing_more (f);
}

static void
test_append (Fixture      *f,
             gconstpointer data G_GNUC_UNUSED)
{
  MmioWatchReport report;

  start (f);
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
  append (f->path, "defgh");
  report = assert_next (f, MMIO_WATCH_CHANGED);
  g_assert_cmpuint (report.offset, ==, 13);
  g_assert_cmpuint (report.length, ==, 5);
  g_assert_true (report.state.exists);
  g_assert_cmpuint (report.state.size, ==, 18);
  assert_nothing_more (f);
}

static void
test_truncate (Fixture      *f,
               gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  g_assert_no_errno (truncate (f->path, 4));
  assert_next_changed (f, 0, 4);
  g_assert_no_errno (truncate (f->path, 0));
  assert_next_changed (f, 0, 0);
  g_assert_no_errno (truncate (f->path, 6));
  assert_next_changed (f, 0, 6);
  assert_nothing_more (f);
}

static void
test_metadata (Fixture      *f,
               gconstpointer data G_GNUC_UNUSED)
{
  const struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };

  start (f);
  g_assert_no_errno (chmod (f->path, 0640));
  assert_next (f, MMIO_WATCH_METADATA);
  g_assert_no_errno (chown (f->path, getuid (), getgid ()));
  assert_next (f, MMIO_WATCH_METADATA);
  g_assert_no_errno (utimensat (AT_FDCWD, f->path, times, 0));
  assert_next (f, MMIO_WATCH_METADATA);
  assert_nothing_more (f);
}

static void
test_extended_attribute (Fixture      *f,
                         gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  if (setxattr (f->path, "user.mmio", "1", 1, 0) != 0)
    {
      g_assert_cmpint (errno, ==, ENOTSUP);
      g_test_skip ("the temporary folder's file system has no extended attributes");
      return;
    }
  assert_next (f, MMIO_WATCH_METADATA);
  assert_nothing_more (f);
}

static void
test_link_count (Fixture      *f,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *other = in_folder (f, "other");

  start (f);
  g_assert_no_errno (link (f->path, other));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_METADATA).state.n_links, ==, 2);
  g_assert_no_errno (unlink (other));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_METADATA).state.n_links, ==, 1);
  assert_nothing_more (f);
}

static void
test_reading_is_nothing (Fixture      *f,
                         gconstpointer data G_GNUC_UNUSED)
{
  const struct timespec times[2] = { { 1000, 0 }, { 0, UTIME_OMIT } };

  start (f);
  shell (f, "cat \"$1\" > /dev/null; : >> \"$1\"");
  g_assert_no_errno (utimensat (AT_FDCWD, f->path, times, 0));
  assert_nothing_more (f);
}

static void
test_write_through_another_name (Fixture      *f,
                                 gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = in_folder (f, "elsewhere");
  g_autofree char *other = g_build_filename (folder, "name", NULL);

  g_assert_no_errno (g_mkdir (folder, 0700));
  g_assert_no_errno (link (f->path, other));
  start (f);
  append (other, "abc");
  assert_next_changed (f, 10, 3);
  assert_nothing_more (f);
}

static void
test_unlink (Fixture      *f,
             gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  g_assert_no_errno (unlink (f->path));
  g_assert_false (assert_next (f, MMIO_WATCH_REMOVED).state.exists);
  write_file (f->path, "new");
  g_assert_true (assert_next (f, MMIO_WATCH_REPLACED).state.exists);
  /* written before or after we looked: both are true */
  append (f->path, "er");
  while (assert_next (f, MMIO_WATCH_CHANGED).state.size != 5)
    ;
}

static void
test_rename_away_and_back (Fixture      *f,
                           gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *other = in_folder (f, "other");

  start (f);
  g_assert_no_errno (rename (f->path, other));
  assert_next (f, MMIO_WATCH_REMOVED);
  append (other, "unheard");
  g_assert_no_errno (rename (other, f->path));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 17);
  append (f->path, "heard");
  assert_next_changed (f, 17, 5);
  assert_nothing_more (f);
}

static void
test_atomic_save (Fixture      *f,
                  gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  save_atomically (f, "saved");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 5);
  append (f->path, "more");
  assert_next_changed (f, 5, 4);
  assert_nothing_more (f);
}

static void
test_atomic_save_ten_times (Fixture      *f,
                            gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  for (guint i = 0; i < 10; i++)
    {
      g_autofree char *text = g_strnfill (i, 'x');

      save_atomically (f, text);
      g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, i);
    }
  assert_nothing_more (f);

  /* in one burst, the last one is what counts */
  for (guint i = 0; i < 10; i++)
    save_atomically (f, i < 9 ? "not last" : "last");
  while (assert_next (f, MMIO_WATCH_REPLACED).state.size != 4)
    ;
  assert_nothing_more (f);
}

static void
test_save_by_others (Fixture      *f,
                     gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  start (f);
  shell (f, "sed -i s/5/five/ \"$1\"");
  assert_next (f, MMIO_WATCH_REPLACED);
  assert_nothing_more (f);

  g_file_set_contents (f->path, "by GLib", -1, &error);
  g_assert_no_error (error);
  assert_next (f, MMIO_WATCH_REPLACED);
  assert_nothing_more (f);

  /* as an editor does that keeps a backup */
  shell (f, "mv \"$1\" \"$1~\"; echo saved > \"$1\"");
  while (next (f).what != MMIO_WATCH_REPLACED)
    ;
}

static void
test_save_by_gio (Fixture      *f,
                  gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GFile) location = g_file_new_for_path (f->path);
  g_autoptr (GError) error = NULL;

  start (f);
  for (guint i = 0; i < 4; i++)
    {
      gboolean make_backup = i % 2 != 0;

      g_file_replace_contents (location, "by GIO", 6, NULL, make_backup, G_FILE_CREATE_NONE, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 6);
      assert_nothing_more (f);
    }
}

/* vim's ways, by its option backupcopy. */
typedef enum
{
  VIM_NO,                       /* the old file is renamed, and becomes the backup */
  VIM_YES,                      /* the old file is copied, and written anew */
  VIM_AUTO                      /* a file named 4913 shows whether a new one can have the owner of the old: then as with no */
} VimWay;

static const char *const vim_ways[] = { "no", "yes", "auto" };

/* The system calls that change something, in their order, as strace has them of vim 9.0. */
static void
save_as_vim (Fixture    *f,
             VimWay      way,
             const char *text)
{
  g_autofree char *probe = in_folder (f, "4913");
  g_autofree char *backup = g_strconcat (f->path, "~", NULL);
  struct stat state;
  int fd;

  g_assert_no_errno (stat (f->path, &state));
  if (way == VIM_AUTO)
    {
      fd = open (probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
      g_assert_cmpint (fd, >=, 0);
      g_assert_no_errno (fchown (fd, state.st_uid, state.st_gid));
      close (fd);
      g_assert_no_errno (unlink (probe));
    }
  unlink (backup);
  if (way == VIM_YES)
    {
      g_autofree char *content = NULL;
      const struct timespec times[] = { state.st_atim, state.st_mtim };

      g_assert_true (g_file_get_contents (f->path, &content, NULL, NULL));
      write_file (backup, content);
      g_assert_no_errno (utimensat (AT_FDCWD, backup, times, 0));
    }
  else
    {
      g_assert_no_errno (rename (f->path, backup));
    }

  fd = open (f->path, O_WRONLY | O_CREAT, 0644);
  g_assert_cmpint (fd, >=, 0);
  g_assert_no_errno (ftruncate (fd, 0));
  g_assert_cmpint (write (fd, text, strlen (text)), ==, (gssize) strlen (text));
  g_assert_no_errno (fsync (fd));
  g_assert_no_errno (fchmod (fd, state.st_mode));
  close (fd);
  g_assert_no_errno (unlink (backup));
}

static void
test_save_as_vim (Fixture      *f,
                  gconstpointer data)
{
  VimWay way = (VimWay) GPOINTER_TO_UINT (data);

  start (f);
  for (guint i = 0; i < 3; i++)
    {
      save_as_vim (f, way, "01234five6789");
      if (way == VIM_YES)
        {
          assert_next_changed (f, 0, 13);
          assert_next (f, MMIO_WATCH_METADATA);
        }
      else
        {
          g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 13);
        }
      assert_nothing_more (f);
    }
  append (f->path, "heard");
  assert_next_changed (f, 13, 5);
}

/* Each step may be seen by itself: that the file is gone for a moment, then there and empty. What is said at last is how it is. */
static void
test_save_by_vim (Fixture      *f,
                  gconstpointer data)
{
  VimWay way = (VimWay) GPOINTER_TO_UINT (data);
  g_autofree char *vim = g_find_program_in_path ("vim");
  g_autofree char *script = NULL;
  guint n_replaced = 0;
  MmioWatchReport report;

  if (vim == NULL)
    {
      g_test_skip ("vim is not installed");
      return;
    }
  start (f);
  script = g_strdup_printf ("vim -N -u NONE -i NONE -n -es -c 'set backupskip= writebackup backupcopy=%s' -c 's/5/five/' -c wq \"$1\" "
                            "</dev/null", vim_ways[way]);
  shell (f, script);
  shell (f, "test \"$(cat \"$1\")\" = 01234five6789");
  do
    {
      report = next (f);
      n_replaced += report.what == MMIO_WATCH_REPLACED ? 1 : 0;
      if (way == VIM_YES)
        g_assert_cmpstr (name_of (report.what), !=, "removed");
    }
  while (report.state.size != 14);
  g_assert_cmpuint (n_replaced, ==, way == VIM_YES ? 0 : 1);
  append (f->path, "heard");
  while (report.state.size != 19)
    {
      report = next (f);
      g_assert_true (report.what == MMIO_WATCH_CHANGED || report.what == MMIO_WATCH_METADATA);
    }
}

static void
test_recreate_at_once (Fixture      *f,
                       gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  for (guint i = 0; i < 20; i++)
    {
      /* a file system is free to give the new file the number of the old one, and the same size and times */
      g_assert_no_errno (unlink (f->path));
      write_file (f->path, "0123456789");
      assert_next (f, MMIO_WATCH_REPLACED);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      g_queue_clear_full (&f->reports, g_free);
    }
}

static void
test_difference_at_the_start (Fixture      *f,
                              gconstpointer data G_GNUC_UNUSED)
{
  f->fd = open (f->path, O_RDONLY | O_CLOEXEC);
  save_atomically (f, "saved");
  start_at_interval (f, 0);
  g_assert_true (g_queue_is_empty (&f->reports));
  assert_next (f, MMIO_WATCH_REPLACED);
  assert_nothing_more (f);
  g_clear_pointer (&f->watch, mmio_watch_stop);

  g_assert_no_errno (unlink (f->path));
  start_at_interval (f, 0);
  assert_next (f, MMIO_WATCH_REMOVED);
}

static void
test_written_anew (Fixture      *f,
                   gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = g_strnfill (100000, 'a');
  g_autofree char *second = g_strnfill (150000, 'b');

  start (f);
  write_file (f->path, "A longer text, and not appended");
  assert_next_changed (f, 0, 31);
  write_file (f->path, first);
  assert_next_changed (f, 0, 100000);
  write_file (f->path, second);
  assert_next_changed (f, 0, 150000);
  append (f->path, first);
  assert_next_changed (f, 150000, 100000);
  append (f->path, second);
  assert_next_changed (f, 250000, 150000);
  assert_nothing_more (f);
}

/* One write is told once, wherever it falls: here into the middle of a turn of the main loop, between the reading of the events and
 * the comparison, by the handler of another file whose turn is first. */

typedef struct
{
  Fixture *f;
  const char *text;             /* what is appended to it at the next report; NULL: nothing any more */
} Appender;

static void
append_when_heard (const MmioWatchReport *report G_GNUC_UNUSED,
                   gpointer               user_data)
{
  Appender *self = user_data;

  if (self->text != NULL)
    append (self->f->path, g_steal_pointer (&self->text));
}

static MmioWatch *
start_appender (Appender   *self,
                const char *path)
{
  g_autoptr (GFile) location = g_file_new_for_path (path);
  g_autoptr (GError) error = NULL;
  MmioWatchSetup setup = { .location = location, .fd = -1 };
  MmioWatch *watch;

  write_file (path, "0123456789");
  watch = mmio_watch_start (&setup, append_when_heard, self, NULL, NULL, &error);
  g_assert_no_error (error);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  return watch;
}

static gboolean
has_turns (void)
{
  if (REPORTS_ONCE)
    return TRUE;
  g_test_skip ("GFileMonitor's events come when they come");
  return FALSE;
}

static void
test_append_before_the_first_comparison (Fixture      *f,
                                         gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = in_folder (f, "other");
  g_autofree char *large = g_strnfill (100000, 'a');
  Appender appender = { f, NULL };
  MmioWatch *other;

  if (!has_turns ())
    return;
  other = start_appender (&appender, path);
  appender.text = "abc";
  append (path, "x");
  start_at_interval (f, 0);
  assert_next_changed (f, 10, 3);
  assert_nothing_more (f);
  g_clear_pointer (&f->watch, mmio_watch_stop);

  write_file (f->path, large);
  appender.text = "abc";
  append (path, "x");
  start_at_interval (f, 0);
  assert_next_changed (f, 100000, 3);
  assert_nothing_more (f);
  mmio_watch_stop (other);
}

static void
test_append_beside_an_append (Fixture      *f,
                              gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *path = in_folder (f, "other");
  Appender appender = { f, NULL };
  MmioWatch *other;

  if (!has_turns ())
    return;
  other = start_appender (&appender, path);
  start (f);
  appender.text = "de";
  append (path, "x");
  append (f->path, "abc");
  assert_next_changed (f, 10, 5);
  assert_nothing_more (f);
  mmio_watch_stop (other);
}

/* As a write that has not raised its event yet, for all that can be seen. */
static void
test_store_by_another (Fixture      *f,
                       gconstpointer data G_GNUC_UNUSED)
{
  const struct timespec times[2] = { { 1000, 0 }, { 2000, 0 } };
  int fd = open (f->path, O_RDWR | O_CLOEXEC);
  struct stat st;
  char *map;

  g_assert_cmpint (fd, >=, 0);
  g_assert_no_errno (futimens (fd, times));
  f->fd = open (f->path, O_RDONLY | O_CLOEXEC);
  start_at_interval (f, 0);
  map = mmap (NULL, 10, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  g_assert_true (map != MAP_FAILED);
  map[3] = 'x';
  g_assert_no_errno (msync (map, 10, MS_SYNC));
  g_assert_no_errno (munmap (map, 10));
  g_assert_no_errno (fstat (fd, &st));
  g_assert_no_errno (close (fd));
  if (st.st_mtime == 2000)
    {
      g_test_skip ("a store through a mapping leaves the times as they are here");
      return;
    }

  if (REPORTS_ONCE)
    {
      g_main_context_iteration (NULL, FALSE);
      g_assert_true (g_queue_is_empty (&f->reports));
    }
  assert_next_changed (f, 0, 10);
  assert_nothing_more (f);
}

static void
test_exchange (Fixture      *f,
               gconstpointer data G_GNUC_UNUSED)
{
#ifdef RENAME_EXCHANGE
  g_autofree char *other = in_folder (f, "other");

  write_file (other, "other");
  start (f);
  g_assert_no_errno (renameat2 (AT_FDCWD, f->path, AT_FDCWD, other, RENAME_EXCHANGE));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 5);
  g_assert_no_errno (renameat2 (AT_FDCWD, f->path, AT_FDCWD, other, RENAME_EXCHANGE));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 10);
  assert_nothing_more (f);
#else
  g_test_skip ("two files can't be exchanged here");
#endif
}

static void
test_link_on_the_way_changes (Fixture      *f,
                              gconstpointer data G_GNUC_UNUSED)
{
  shell (f, "mkdir -p a/sub b/sub; echo in b > b/sub/file; mv \"$1\" a/sub; ln -s a link; ln -s link/../link/sub sub");
  g_free (f->path);
  f->path = in_folder (f, "sub/file");
  start (f);
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
  shell (f, "ln -s b other; mv -T other link");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 5);
  append (f->path, "abc");
  assert_next_changed (f, 5, 3);
  shell (f, "rm link");
  assert_next (f, MMIO_WATCH_REMOVED);
  shell (f, "ln -s a link");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 13);
  assert_nothing_more (f);
}

static void
test_dangling_link (Fixture      *f,
                    gconstpointer data G_GNUC_UNUSED)
{
  shell (f, "mv \"$1\" target; ln -s missing/target other; mv -T other \"$1\"");
  g_free (f->path);
  f->path = in_folder (f, "target");
  f->fd = open (f->path, O_RDWR | O_CLOEXEC);
  g_free (f->path);
  f->path = in_folder (f, "file");
  start_at_interval (f, 0);
  assert_next (f, MMIO_WATCH_REMOVED);
  shell (f, "mkdir missing");
  shell (f, "mv target missing");
  assert_next (f, MMIO_WATCH_REPLACED);
  assert_nothing_more (f);
}

static void
test_link_target_changes (Fixture      *f,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = in_folder (f, "elsewhere");
  g_autofree char *target = g_build_filename (folder, "target", NULL);
  g_autofree char *temporary = g_build_filename (folder, "temporary", NULL);

  g_assert_no_errno (g_mkdir (folder, 0700));
  g_assert_no_errno (rename (f->path, target));
  g_assert_no_errno (symlink (target, f->path));
  start (f);
  append (target, "abc");
  assert_next_changed (f, 10, 3);
  write_file (temporary, "saved");
  g_assert_no_errno (rename (temporary, target));
  assert_next (f, MMIO_WATCH_REPLACED);
  g_assert_no_errno (unlink (target));
  assert_next (f, MMIO_WATCH_REMOVED);
  write_file (target, "again");
  assert_next (f, MMIO_WATCH_REPLACED);
}

static void
test_link_changes (Fixture      *f,
                   gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *first = in_folder (f, "first");
  g_autofree char *second = in_folder (f, "second");
  g_autofree char *temporary = in_folder (f, "temporary");

  g_assert_no_errno (rename (f->path, first));
  write_file (second, "second");
  g_assert_no_errno (symlink (first, f->path));
  start (f);
  g_assert_no_errno (symlink (second, temporary));
  g_assert_no_errno (rename (temporary, f->path));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 6);
  append (second, "abc");
  assert_next_changed (f, 6, 3);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_REMOVED);
}

static void
test_folder_goes_and_comes (Fixture      *f,
                            gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = in_folder (f, "folder");
  g_autofree char *renamed = in_folder (f, "renamed");
  g_autofree char *path = g_build_filename (folder, "file", NULL);

  g_assert_no_errno (g_mkdir (folder, 0700));
  g_assert_no_errno (rename (f->path, path));
  g_free (f->path);
  f->path = g_steal_pointer (&path);
  start (f);

  g_assert_no_errno (rename (folder, renamed));
  assert_next (f, MMIO_WATCH_REMOVED);
  g_assert_no_errno (g_mkdir (folder, 0700));
  write_file (f->path, "new");
  assert_next (f, MMIO_WATCH_REPLACED);

  shell (f, "rm -r folder");
  while (next (f).what != MMIO_WATCH_REMOVED)
    ;
  shell (f, "mkdir folder; echo again > folder/file");
  assert_next (f, MMIO_WATCH_REPLACED);
}

static void
test_folders_appear (Fixture      *f,
                     gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_REMOVED);
  g_clear_pointer (&f->watch, mmio_watch_stop);

  g_free (f->path);
  f->path = in_folder (f, "one/two/three/file");
  start_with_nothing (f);
  shell (f, "mkdir one");
  shell (f, "mkdir -p one/two/three");
  shell (f, "echo here > \"$1\"");
  assert_next (f, MMIO_WATCH_REPLACED);
}

static void
ignore_client (MmioWatchHubClient *client G_GNUC_UNUSED)
{
}

static void
ignore_wake (MmioWatchHubClient *client G_GNUC_UNUSED,
             MmioWatchHints      hints G_GNUC_UNUSED)
{
}

static gboolean
can_await (Fixture *f)
{
  int fd = open (f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean can = REPORTS_ONCE && mmio_file_tells_names (fd);

  close (fd);
  if (!can)
    g_test_skip ("the system can't tell of every name that appears in this folder");
  return can;
}

/* What is missing needs no look at the way to it as long as everything is heard that could put something there. */
static void
test_way_is_known (Fixture      *f,
                   gconstpointer data G_GNUC_UNUSED)
{
  const MmioWatchHubClientClass klass = { .ref = ignore_client, .unref = ignore_client, .wake = ignore_wake };
  const struct
  {
    const char *script;
    const char *name;
    gboolean is_awaited;
  } cases[] = {
    { "mkdir -p a/b", "a/b/nothing", TRUE },
    { "mkdir -p a/b", "a/nothing/b/c", TRUE },
    { "mkdir -p a/b; ln -s a link", "link/b/nothing", TRUE },
    { "mkdir -p a/b; ln -s a/b/nothing link", "link", TRUE },
    /* what is in the way can go without a word */
    { "echo > a", "a/nothing", FALSE },
    /* a folder that is found as the one above can go so, too */
    { "mkdir -p a/b; ln -s ../nothing a/b/link", "a/b/link", FALSE },
    { "ln -s link link", "link", FALSE },
    { "mkdir -p a/b", "a/b", FALSE },
    { "echo > a", "a", FALSE },
  };
  MmioWatchHubClient client = { 0 };

  if (!can_await (f))
    return;
  mmio_watch_hub_join (&client, &klass, g_main_context_default ());
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = in_folder (f, cases[i].name);
      MmioWatchWay first, second;

      shell (f, "rm -rf a link");
      shell (f, cases[i].script);
      first = mmio_watch_way_take (&client, path);
      second = mmio_watch_way_take (&client, path);
      g_test_message ("%s", cases[i].name);
      g_assert_cmpint (first.is_awaited, ==, cases[i].is_awaited);
      g_assert_cmpint (second.is_awaited, ==, cases[i].is_awaited);
      g_assert_cmpuint (first.identity, ==, second.identity);
      if (!cases[i].is_awaited || i > 2)
        continue;
      g_assert_true (first.is_heard);

      /* another one that looks the same */
      shell (f, "mv a was-a; cp -r was-a a; rm -r was-a");
      second = mmio_watch_way_take (&client, path);
      g_assert_true (second.is_awaited);
      g_assert_cmpuint (first.identity, !=, second.identity);
    }
  mmio_watch_hub_leave (&client);
  mmio_watch_hub_clear (&client);
}

static void
test_missing_is_not_polled (Fixture      *f,
                            gconstpointer data G_GNUC_UNUSED)
{
  if (!can_await (f))
    return;
  start (f);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_REMOVED);
  WAIT_FOR (f, strcmp (mmio_watch_get_backend (f->watch), "inotify") == 0);
  write_file (f->path, "again");
  assert_next (f, MMIO_WATCH_REPLACED);
  g_assert_cmpstr (mmio_watch_get_backend (f->watch), ==, "inotify");
  g_clear_pointer (&f->watch, mmio_watch_stop);

  close (f->fd);
  f->fd = -1;
  g_free (f->path);
  f->path = in_folder (f, "a/b/file");
  shell (f, "mkdir -p a/b; echo > a/b/file");
  start (f);
  shell (f, "mv a gone; echo > a");
  assert_next (f, MMIO_WATCH_REMOVED);
  WAIT_FOR (f, strcmp (mmio_watch_get_backend (f->watch), "inotify+poll") == 0);
  shell (f, "rm a; mkdir -p a/b; echo here > \"$1\"");
  assert_next (f, MMIO_WATCH_REPLACED);
}

static void
test_name_that_is_no_text (void)
{
  Fixture f = { 0 };

  set_up_at (&f, "caf\xe9\n\xff name");
  start (&f);
  append (f.path, "abc");
  assert_next_changed (&f, 10, 3);
  save_atomically (&f, "saved");
  assert_next (&f, MMIO_WATCH_REPLACED);
  assert_nothing_more (&f);
  tear_down (&f, NULL);
}

static void
test_descriptor_alone (Fixture      *f,
                       gconstpointer data G_GNUC_UNUSED)
{
  MmioWatchSetup setup = { .location = NULL, .fd = -1 };

  f->fd = open (f->path, O_RDONLY | O_CLOEXEC);
  setup.fd = f->fd;
  start_with (f, &setup);
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
  g_assert_no_errno (chmod (f->path, 0600));
  assert_next (f, MMIO_WATCH_METADATA);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_METADATA);
}

static void
test_burst_is_coalesced (Fixture      *f,
                         gconstpointer data G_GNUC_UNUSED)
{
  start_at_interval (f, 50);
  for (guint i = 0; i < 100; i++)
    append (f->path, "x");
  g_assert_no_errno (chmod (f->path, 0640));
  assert_next_changed (f, 10, 100);
  assert_next (f, MMIO_WATCH_METADATA);
  save_atomically (f, "saved");
  append (f->path, "x");
  assert_next (f, MMIO_WATCH_REPLACED);
  assert_nothing_more (f);
}

static gboolean
append_one (gpointer user_data)
{
  append (user_data, "x");
  return G_SOURCE_CONTINUE;
}

static void
test_busy_writer_is_heard (Fixture      *f,
                           gconstpointer data G_GNUC_UNUSED)
{
  guint writer;

  start_at_interval (f, 100);
  writer = g_timeout_add (2, append_one, f->path);
  for (guint i = 0; i < 3; i++)
    assert_next (f, MMIO_WATCH_CHANGED);
  g_source_remove (writer);
}

static gboolean
can_announce (void)
{
#if defined HAVE_SYS_INOTIFY_H && HAVE_DECL_FALLOC_FL_KEEP_SIZE
  return TRUE;
#else
  g_test_skip ("nothing raises an event here without changing the file");
  return FALSE;
#endif
}

static void
announce (Fixture *f)
{
  mmio_watch_hold (f->watch);
#if HAVE_DECL_FALLOC_FL_KEEP_SIZE
  g_assert_no_errno (fallocate (f->fd, FALLOC_FL_KEEP_SIZE, 0, 1));
#endif
  mmio_watch_expect (f->watch);
}

static void
test_own_announcement_is_nothing (Fixture      *f,
                                  gconstpointer data G_GNUC_UNUSED)
{
  if (!can_announce ())
    return;
  start (f);
  announce (f);
  assert_nothing_more (f);
  for (guint i = 0; i < 10; i++)
    announce (f);
  assert_nothing_more (f);

  mmio_watch_hold (f->watch);
  g_assert_no_errno (ftruncate (f->fd, 4096));
  mmio_watch_expect (f->watch);
  assert_nothing_more (f);
  append (f->path, "abc");
  assert_next_changed (f, 4096, 3);
}

static void
test_write_beside_an_announcement (Fixture      *f,
                                   gconstpointer data G_GNUC_UNUSED)
{
  if (!can_announce ())
    return;
  start (f);
  write_at (f->path, 0, "before");
  announce (f);
  assert_next (f, MMIO_WATCH_CHANGED);
  assert_nothing_more (f);
  announce (f);
  write_at (f->path, 0, "after");
  assert_next (f, MMIO_WATCH_CHANGED);
  assert_nothing_more (f);
  announce (f);
  write_at (f->path, 0, "between");
  announce (f);
  assert_next (f, MMIO_WATCH_CHANGED);
  assert_nothing_more (f);
}

static void
test_announcement_of_another_watch (Fixture      *f,
                                    gconstpointer data G_GNUC_UNUSED)
{
  Fixture other = { .path = f->path, .fd = f->fd };

  if (!can_announce ())
    return;
  start (f);
  other.fd = f->fd;
  start (&other);
  announce (&other);
  assert_next_changed (f, 0, 10);
  assert_nothing_more (f);
  assert_next (&other, MMIO_WATCH_METADATA);
  g_clear_pointer (&other.watch, mmio_watch_stop);
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
}

static void
test_rebase (Fixture      *f,
             gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  save_atomically (f, "saved");
  assert_next (f, MMIO_WATCH_REPLACED);
  close (f->fd);
  f->fd = open (f->path, O_RDWR | O_CLOEXEC);
  mmio_watch_rebase (f->watch, f->fd);
  assert_nothing_more (f);
  append (f->path, "abc");
  assert_next_changed (f, 5, 3);

  /* the owner was late: the path has gone on */
  save_atomically (f, "once");
  close (f->fd);
  f->fd = open (f->path, O_RDWR | O_CLOEXEC);
  save_atomically (f, "twice");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 5);
  mmio_watch_rebase (f->watch, f->fd);
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 5);
}

static void
test_stop_in_a_report (Fixture      *f,
                       gconstpointer data G_GNUC_UNUSED)
{
  start_at_interval (f, 20);
  f->stop_at_report = TRUE;
  append (f->path, "abc");
  g_assert_no_errno (chmod (f->path, 0600));
  assert_next (f, MMIO_WATCH_CHANGED);
  g_assert_null (f->watch);
  g_assert_cmpuint (f->n_destroyed, ==, 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_true (g_queue_is_empty (&f->reports));
}

static void
test_stop_before_a_report (Fixture      *f,
                           gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  append (f->path, "abc");
  g_clear_pointer (&f->watch, mmio_watch_stop);
  g_assert_cmpuint (f->n_destroyed, ==, 1);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_true (g_queue_is_empty (&f->reports));
}

static gpointer
stop_watches (gpointer data)
{
  GAsyncQueue *watches = data;
  gpointer watch;

  while ((watch = g_async_queue_pop (watches)) != watches)
    mmio_watch_stop (watch);
  return NULL;
}

static void
test_stop_from_another_thread (Fixture      *f,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GAsyncQueue) watches = g_async_queue_new ();
  GThread *thread = g_thread_new ("stopper", stop_watches, watches);

  for (guint i = 0; i < 200; i++)
    {
      start_at_interval (f, 0);
      append (f->path, "x");
      g_async_queue_push (watches, g_steal_pointer (&f->watch));
      for (guint j = 0; j < i % 4; j++)
        g_main_context_iteration (NULL, FALSE);
    }
  g_async_queue_push (watches, watches);
  g_thread_join (thread);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (f->n_destroyed, ==, 200);
}

static void
test_reports_come_in_the_context_of_the_start (Fixture      *f,
                                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GMainContext) context = g_main_context_new ();

  f->context = context;
  g_main_context_push_thread_default (context);
  start (f);
  g_main_context_pop_thread_default (context);
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
  save_atomically (f, "saved");
  assert_next (f, MMIO_WATCH_REPLACED);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_REMOVED);
  write_file (f->path, "again");
  assert_next (f, MMIO_WATCH_REPLACED);
  g_clear_pointer (&f->watch, mmio_watch_stop);
}

static void
test_what_cannot_be_watched (Fixture      *f,
                             gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GFile) remote = g_file_new_for_uri ("http://localhost/file");
  g_autoptr (GFile) location = g_file_new_for_path (f->path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  MmioWatchSetup setup = { .location = remote, .fd = -1 };

  g_assert_null (mmio_watch_start (&setup, heard, f, destroyed, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED);
  g_clear_error (&error);

  setup.location = location;
  g_cancellable_cancel (cancellable);
  g_assert_null (mmio_watch_start (&setup, heard, f, destroyed, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpuint (f->n_destroyed, ==, 2);
}

/* What the kernel makes up is changed by nobody who could be held off, though it gives a lease. */
static void
test_lease_on_what_is_made_up (Fixture      *f,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GFile) location = g_file_new_for_path ("/proc/version");
  g_autoptr (GError) error = NULL;
  MmioWatchSetup setup = { .location = location, .fd = -1, .flags = MMIO_WATCH_FLAGS_LEASE };

  if (!g_file_query_exists (location, NULL))
    {
      g_test_skip ("there is no /proc here");
      return;
    }
  g_assert_null (mmio_watch_start (&setup, heard, f, destroyed, NULL, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "/proc/version"));
  g_assert_cmpuint (f->n_destroyed, ==, 1);
}

static void
test_nested_main_loop (Fixture      *f,
                       gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  f->n_nested = 2;
  append (f->path, "x");
  assert_next_changed (f, 10, 1);
  assert_next_changed (f, 11, 1);
  assert_next_changed (f, 12, 1);
  assert_nothing_more (f);
}

/* Equal events in a row would be merged: these are 100,000, and the queue takes 16,384 by default. */
static void
overflow_queue (Fixture *f)
{
  for (guint i = 0; i < 50000; i++)
    {
      g_assert_cmpint (pwrite (f->fd, "x", 1, 10 + i % 2), ==, 1);
      g_assert_no_errno (fchmod (f->fd, (i & 1) == 0 ? 0600 : 0644));
    }
}

static void
test_queue_overflow (Fixture      *f,
                     gconstpointer data G_GNUC_UNUSED)
{
  start (f);
  overflow_queue (f);
  append (f->path, "the last word");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_CHANGED).state.size, ==, 25);
  assert_next (f, MMIO_WATCH_METADATA);
  assert_nothing_more (f);

  overflow_queue (f);
  save_atomically (f, "saved");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 5);
  assert_nothing_more (f);

  close (f->fd);
  f->fd = open (f->path, O_RDWR | O_CLOEXEC);
  overflow_queue (f);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_REMOVED);
  write_file (f->path, "again");
  assert_next (f, MMIO_WATCH_REPLACED);
}

/* A file of so many blocks, each with its number all over. */
static void
start_locating (Fixture *f,
                guint    n_blocks,
                guint64  limit)
{
  g_autoptr (GFile) location = g_file_new_for_path (f->path);
  MmioWatchSetup setup = { .location = location, .flags = MMIO_WATCH_FLAGS_LOCATE, .locate_limit = limit };
  g_autofree guint32 *content = g_new (guint32, n_blocks * 1024);

  for (guint i = 0; i < n_blocks * 1024; i++)
    content[i] = i / 1024;
  f->fd = open (f->path, O_RDWR | O_TRUNC | O_CLOEXEC);
  g_assert_cmpint (write (f->fd, content, n_blocks * 4096), ==, n_blocks * 4096);
  setup.fd = f->fd;
  start_with (f, &setup);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
test_locate_to_the_byte (Fixture      *f,
                         gconstpointer data G_GNUC_UNUSED)
{
  start_locating (f, 64, 1024 * 1024);
  write_at (f->path, 100000, "!");
  assert_next_changed (f, 100000, 1);
  write_at (f->path, 100000, "!");
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_CHANGED).length, ==, 0);
  append (f->path, "abc");
  assert_next_changed (f, 64 * 4096, 3);
  g_assert_no_errno (truncate (f->path, 5000));
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_CHANGED).length, ==, 0);
  shell (f, "printf first | dd of=\"$1\" conv=notrunc status=none;"
            "printf last | dd of=\"$1\" conv=notrunc status=none bs=1 seek=4000");
  /* perhaps in two reports */
  {
    MmioWatchReport report = assert_next (f, MMIO_WATCH_CHANGED);

    while (report.offset + report.length != 4004)
      report = assert_next (f, MMIO_WATCH_CHANGED);
  }
  assert_nothing_more (f);
}

static void
test_locate_to_the_block (Fixture      *f,
                          gconstpointer data G_GNUC_UNUSED)
{
  MmioWatchReport report;

  start_locating (f, 1024, 4096);
  /* a file of this length is learnt on the worker's thread: until then, all of it may have changed */
  do
    {
      write_at (f->path, 100 * 4096 + 17, "!");
      report = assert_next (f, MMIO_WATCH_CHANGED);
      write_at (f->path, 100 * 4096 + 17, "?");
      report = assert_next (f, MMIO_WATCH_CHANGED);
    }
  while (report.length != 4096);
  g_assert_cmpuint (report.offset, ==, 100 * 4096);

  append (f->path, "abc");
  assert_next_changed (f, 1024 * 4096, 3);
  append (f->path, "def");
  assert_next_changed (f, 1024 * 4096 + 3, 3);
  g_assert_no_errno (truncate (f->path, 1000));
  assert_next (f, MMIO_WATCH_CHANGED);
  /* short enough for a copy now */
  write_at (f->path, 10, "x");
  assert_next (f, MMIO_WATCH_CHANGED);
  write_at (f->path, 20, "y");
  assert_next_changed (f, 20, 1);
  assert_nothing_more (f);
}

static void
test_locate_in_a_replacement (Fixture      *f,
                              gconstpointer data G_GNUC_UNUSED)
{
  MmioWatchReport report;

  start_locating (f, 64, 1024 * 1024);
  save_atomically (f, "a new file");
  assert_next (f, MMIO_WATCH_REPLACED);
  do
    {
      write_at (f->path, 2, "N");
      report = assert_next (f, MMIO_WATCH_CHANGED);
      write_at (f->path, 2, "n");
      report = assert_next (f, MMIO_WATCH_CHANGED);
    }
  while (report.length != 1);
  g_assert_cmpuint (report.offset, ==, 2);
  assert_nothing_more (f);
}

/* Written to faster than it can be read: reports come all the same. */
static void
test_locate_beside_a_busy_writer (Fixture      *f,
                                  gconstpointer data G_GNUC_UNUSED)
{
  guint writer;

  start_locating (f, 4096, 4096);
  writer = g_timeout_add (1, append_one, f->path);
  for (guint i = 0; i < 5; i++)
    assert_next (f, MMIO_WATCH_CHANGED);
  g_source_remove (writer);
}

typedef struct
{
  int fd;
  gint is_done;                 /* atomic */
} Truncater;

static gpointer
truncate_often (gpointer user_data)
{
  Truncater *self = user_data;
  g_autofree char *content = g_strnfill (4096 * 4096, 'x');

  for (guint i = 0; i < 100; i++)
    {
      const off_t shorter = 4096 * (off_t) (1 + i * 37 % 4000);

      g_assert_no_errno (ftruncate (self->fd, shorter));
      g_assert_cmpint (pwrite (self->fd, content, 4096 * 4096, 0), ==, 4096 * 4096);
    }
  g_atomic_int_set (&self->is_done, TRUE);
  g_main_context_wakeup (NULL);
  return NULL;
}

/* It is looked at where it lies in memory, which goes away meanwhile: that is no fault of anybody, not even of who blocks the signal. */
static void
test_locate_while_it_is_truncated (Fixture      *f,
                                   gconstpointer data G_GNUC_UNUSED)
{
  Truncater truncater = { -1, FALSE };
  MmioWatchReport report;
  GThread *thread;
  sigset_t fault;

  sigemptyset (&fault);
  sigaddset (&fault, SIGBUS);
  pthread_sigmask (SIG_BLOCK, &fault, NULL);
  start_locating (f, 4096, 4096);
  truncater.fd = f->fd;
  thread = g_thread_new ("truncater", truncate_often, &truncater);
  WAIT_FOR (f, g_atomic_int_get (&truncater.is_done));
  g_thread_join (thread);
  pthread_sigmask (SIG_UNBLOCK, &fault, NULL);

  /* And then it is known again, to the block. */
  do
    {
      write_at (f->path, 100 * 4096 + 17, "!");
      report = assert_next (f, MMIO_WATCH_CHANGED);
      write_at (f->path, 100 * 4096 + 17, "?");
      report = assert_next (f, MMIO_WATCH_CHANGED);
    }
  while (report.length != 4096);
  g_assert_cmpuint (report.offset, ==, 100 * 4096);
}

static gboolean
set_value (const char *path,
           const char *value)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean done = fd >= 0 && write (fd, value, strlen (value)) > 0;

  if (fd >= 0)
    close (fd);
  return done;
}

#define CANNOT_BE_DONE_HERE 77

/* TRUE in a process of its own, with namespaces and so limits and mounts of its own; FALSE in the one that has started it,
 * after it has ended. */
static gboolean
in_namespace (int         flags,
              const char *test)
{
  const char *argv[] = { "/proc/self/exe", "-p", test, "--GTestSubprocess", NULL };
  g_autofree char *output = NULL;
  g_autoptr (GError) error = NULL;
  int status;

  if (g_test_subprocess ())
    {
      g_autofree char *uids = g_strdup_printf ("0 %u 1", (guint) getuid ());
      g_autofree char *gids = g_strdup_printf ("0 %u 1", (guint) getgid ());

      if (unshare (CLONE_NEWUSER | flags) != 0 || !set_value ("/proc/self/uid_map", uids) ||
          !set_value ("/proc/self/setgroups", "deny") || !set_value ("/proc/self/gid_map", gids))
        exit (CANNOT_BE_DONE_HERE);
      return TRUE;
    }

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &error);
  g_assert_no_error (error);
  if (WIFEXITED (status) && WEXITSTATUS (status) == CANNOT_BE_DONE_HERE)
    {
      g_test_skip ("a process can't have namespaces of its own here, or not do this in them");
      return FALSE;
    }
  if (!g_spawn_check_wait_status (status, &error))
    g_test_message ("%s", output);
  g_assert_no_error (error);
  return FALSE;
}

#define N_MANY 10000

typedef struct
{
  guint n;                      /* that have heard */
  guint n_wrong;
} Heard;

typedef struct
{
  Heard *all;
  gboolean has_heard;
} OneOfMany;

static void
one_of_many_heard (const MmioWatchReport *report,
                   gpointer               user_data)
{
  OneOfMany *self = user_data;

  if (REPORTS_ONCE && (self->has_heard || report->what != MMIO_WATCH_CHANGED || report->offset != 10 || report->length != 1))
    self->all->n_wrong++;
  self->all->n += self->has_heard ? 0 : 1;
  self->has_heard = TRUE;
}

static void
test_many (Fixture      *f,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GPtrArray) watches = g_ptr_array_new_with_free_func ((GDestroyNotify) mmio_watch_stop);
  g_autofree OneOfMany *ones = g_new (OneOfMany, N_MANY);
  struct rlimit limit, before;
  Heard heard = { 0, 0 };

  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  limit = before;
  limit.rlim_cur = MAX (limit.rlim_cur, N_MANY + 1000);
  limit.rlim_max = MAX (limit.rlim_cur, limit.rlim_max);
  if (setrlimit (RLIMIT_NOFILE, &limit) != 0)
    {
      g_test_skip ("not allowed to open so many files here");
      return;
    }
  for (guint i = 0; i < N_MANY; i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", i);
      g_autofree char *path = in_folder (f, name);
      g_autoptr (GFile) location = g_file_new_for_path (path);
      g_autoptr (GError) error = NULL;
      MmioWatchSetup setup = { .location = location, .fd = -1 };

      write_file (path, "0123456789");
      ones[i] = (OneOfMany) { &heard, FALSE };
      g_ptr_array_add (watches, mmio_watch_start (&setup, one_of_many_heard, &ones[i], NULL, NULL, &error));
      g_assert_no_error (error);
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  for (guint i = 0; i < N_MANY; i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", i);
      g_autofree char *path = in_folder (f, name);

      append (path, "x");
    }
  WAIT_FOR (f, heard.n >= N_MANY);
  g_assert_cmpuint (heard.n, ==, N_MANY);
  g_assert_cmpuint (heard.n_wrong, ==, 0);
  g_ptr_array_set_size (watches, 0);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
}

static gboolean
can_run_out (void)
{
  if (REPORTS_ONCE)
    return TRUE;
  g_test_skip ("what GFileMonitor runs out of, it doesn't say");
  return FALSE;
}

static void
assert_polled (Fixture *f)
{
  g_assert_cmpstr (mmio_watch_get_backend (f->watch), ==, "poll");
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
  save_atomically (f, "saved");
  assert_next (f, MMIO_WATCH_REPLACED);
  g_assert_no_errno (chmod (f->path, 0640));
  assert_next (f, MMIO_WATCH_METADATA);
  g_assert_no_errno (unlink (f->path));
  assert_next (f, MMIO_WATCH_REMOVED);
  write_file (f->path, "again");
  assert_next (f, MMIO_WATCH_REPLACED);
  g_assert_cmpstr (mmio_watch_get_backend (f->watch), ==, "poll");
}

static void
test_no_watches_left (Fixture      *f,
                      gconstpointer data G_GNUC_UNUSED)
{
  if (!can_run_out () || !in_namespace (0, "/watch/lost/no-watches-left"))
    return;
  if (!set_value ("/proc/sys/user/max_inotify_watches", "0"))
    exit (CANNOT_BE_DONE_HERE);
  start (f);
  assert_polled (f);

  /* and hears again as soon as it can */
  g_assert_true (set_value ("/proc/sys/user/max_inotify_watches", "1000"));
  WAIT_FOR (f, strcmp (mmio_watch_get_backend (f->watch), "inotify") == 0);
  append (f->path, "abc");
  while (next (f).state.size != 8)
    ;
}

static void
test_no_queue_left (Fixture      *f,
                    gconstpointer data G_GNUC_UNUSED)
{
  if (!can_run_out () || !in_namespace (0, "/watch/lost/no-queue-left"))
    return;
  if (!set_value ("/proc/sys/user/max_inotify_instances", "0"))
    exit (CANNOT_BE_DONE_HERE);
  start (f);
  assert_polled (f);
}

/* What is written to a layer of an overlay behind its back raises no event on the file that is seen through it. */
static void
test_overlay (Fixture      *f,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *lower = in_folder (f, "lower/file");
  g_autofree char *merged = in_folder (f, "merged");
  g_autofree char *options = NULL;

  if (!in_namespace (CLONE_NEWNS, "/watch/overlay-is-polled-beside-events"))
    return;
  shell (f, "mkdir lower upper work merged; mv \"$1\" lower/file");
  options = g_strdup_printf ("lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", f->folder, f->folder, f->folder);
  if (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount ("none", merged, "overlay", 0, options) != 0)
    exit (CANNOT_BE_DONE_HERE);
  f->fd = open (merged, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  g_assert_false (mmio_file_tells_names (f->fd));
  g_assert_no_errno (close (f->fd));
  g_free (f->path);
  f->path = g_build_filename (merged, "file", NULL);
  f->fd = open (f->path, O_RDONLY | O_CLOEXEC);
  start (f);
  if (REPORTS_ONCE)
    g_assert_cmpstr (mmio_watch_get_backend (f->watch), ==, "inotify+poll");
  append (lower, "abc");
  assert_next_changed (f, 10, 3);
  /* The first change through the overlay has the file copied to the upper layer; who has it mapped sees the lower one for good. */
  append (f->path, "d");
#ifdef HAVE_STATX
  g_assert_cmpuint (assert_next (f, MMIO_WATCH_REPLACED).state.size, ==, 14);
#else
  /* nothing but the time of its birth tells them apart */
  while (next (f).state.size != 14)
    ;
#endif
  append (f->path, "e");
  while (next (f).state.size != 15)
    ;
  g_clear_pointer (&f->watch, mmio_watch_stop);
  close (f->fd);
  f->fd = -1;
  g_assert_no_errno (umount2 (merged, MNT_DETACH));
}

static gboolean
take_turn (gint         fd G_GNUC_UNUSED,
           GIOCondition condition G_GNUC_UNUSED,
           gpointer     user_data)
{
  guint *n_turns = user_data;

  return ++*n_turns < 10;
}

/* The system tells of a mount once, to whoever asks; a main loop asks for all sources, and has then turns for the more urgent ones. */
static void
test_mount_beside_urgent (Fixture      *f,
                          gconstpointer data G_GNUC_UNUSED)
{
  int urgent[2];
  guint n_turns = 0;

  if (!REPORTS_ONCE)
    {
      g_test_skip ("GFileMonitor doesn't tell of mounts");
      return;
    }
  if (!in_namespace (CLONE_NEWNS, "/watch/mount-is-told-beside-what-is-urgent"))
    return;
  if (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    exit (CANNOT_BE_DONE_HERE);
  start (f);
  while (g_main_context_iteration (f->context, FALSE))
    ;
  g_assert_true (g_unix_open_pipe (urgent, FD_CLOEXEC, NULL));
  g_assert_cmpint (write (urgent[1], "x", 1), ==, 1);
  g_unix_fd_add_full (G_PRIORITY_HIGH, urgent[0], G_IO_IN, take_turn, &n_turns, NULL);
  if (mount ("none", f->folder, "tmpfs", 0, NULL) != 0)
    exit (CANNOT_BE_DONE_HERE);
  /* not with the next tick */
  while (g_main_context_iteration (f->context, FALSE))
    ;
  g_assert_cmpuint (n_turns, ==, 10);
  g_assert_cmpuint (g_queue_get_length (&f->reports), ==, 1);
  assert_next (f, MMIO_WATCH_REMOVED);
  close (urgent[0]);
  close (urgent[1]);
  g_assert_no_errno (umount2 (f->folder, MNT_DETACH));
}

static void
test_unmount (Fixture      *f,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = in_folder (f, "mounted");

  if (!in_namespace (CLONE_NEWNS, "/watch/unmount-is-removed"))
    return;
  g_assert_no_errno (g_mkdir (folder, 0700));
  if (mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount ("none", folder, "tmpfs", 0, NULL) != 0)
    exit (CANNOT_BE_DONE_HERE);
  g_free (f->path);
  f->path = g_build_filename (folder, "file", NULL);
  write_file (f->path, "0123456789");
  start (f);
  append (f->path, "abc");
  assert_next_changed (f, 10, 3);
  g_assert_no_errno (umount2 (folder, MNT_DETACH));
  assert_next (f, MMIO_WATCH_REMOVED);
  g_assert_no_errno (mount ("none", folder, "tmpfs", 0, NULL));
  write_file (f->path, "another");
  assert_next (f, MMIO_WATCH_REPLACED);
  /* mounted over */
  g_assert_no_errno (mount ("none", folder, "tmpfs", 0, NULL));
  assert_next (f, MMIO_WATCH_REMOVED);
  g_assert_no_errno (umount2 (folder, MNT_DETACH));
  assert_next (f, MMIO_WATCH_REPLACED);
  /* What is mounted on can't be removed. */
  g_clear_pointer (&f->watch, mmio_watch_stop);
  g_assert_no_errno (umount2 (folder, MNT_DETACH));
}

static void
add (const char *name,
     void (*test) (Fixture *f, gconstpointer data))
{
  g_autofree char *path = g_strconcat ("/watch/", name, NULL);

  g_test_add (path, Fixture, NULL, set_up, test, tear_down);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  add ("write-is-changed", test_write);
  add ("write/by-another-process", test_write_by_another_process);
  add ("write/through-another-name", test_write_through_another_name);
  add ("append-names-what-was-appended", test_append);
  add ("truncate-is-changed", test_truncate);
  add ("metadata", test_metadata);
  add ("metadata/extended-attribute", test_extended_attribute);
  add ("metadata/link-count", test_link_count);
  add ("reading-is-nothing", test_reading_is_nothing);
  add ("unlink-is-removed-and-heard-again-when-created", test_unlink);
  add ("rename/away-and-back", test_rename_away_and_back);
  add ("atomic-save-is-replaced", test_atomic_save);
  add ("atomic-save-is-replaced/ten-times", test_atomic_save_ten_times);
  add ("atomic-save-is-replaced/by-others", test_save_by_others);
  add ("atomic-save-is-replaced/by-gio", test_save_by_gio);
  for (guint way = VIM_NO; way <= VIM_AUTO; way++)
    {
      g_autofree char *as = g_strdup_printf ("/watch/save-as-vim/backupcopy-%s", vim_ways[way]);
      g_autofree char *by = g_strdup_printf ("/watch/save-by-vim/backupcopy-%s", vim_ways[way]);

      g_test_add (as, Fixture, GUINT_TO_POINTER (way), set_up, test_save_as_vim, tear_down);
      g_test_add (by, Fixture, GUINT_TO_POINTER (way), set_up, test_save_by_vim, tear_down);
    }
  add ("recreated-at-once-is-replaced", test_recreate_at_once);
  add ("difference-at-the-start-is-reported", test_difference_at_the_start);
  add ("written-anew-is-no-append", test_written_anew);
  add ("append-is-told-once/before-the-first-comparison", test_append_before_the_first_comparison);
  add ("append-is-told-once/beside-an-append", test_append_beside_an_append);
  add ("store-by-another-is-reported-though-no-event-comes", test_store_by_another);
  add ("exchange-is-replaced", test_exchange);
  add ("unmount-is-removed", test_unmount);
  add ("mount-is-told-beside-what-is-urgent", test_mount_beside_urgent);
  add ("overlay-is-polled-beside-events", test_overlay);
  add ("symbolic-link/on-the-way", test_link_on_the_way_changes);
  add ("symbolic-link/dangling", test_dangling_link);
  add ("symbolic-link/target-changes", test_link_target_changes);
  add ("symbolic-link/link-changes", test_link_changes);
  add ("folder-goes-and-comes", test_folder_goes_and_comes);
  add ("folders-appear", test_folders_appear);
  add ("way/is-known-where-all-is-heard", test_way_is_known);
  add ("way/missing-is-not-polled", test_missing_is_not_polled);
  g_test_add_func ("/watch/name-that-is-no-text", test_name_that_is_no_text);
  add ("descriptor-alone", test_descriptor_alone);
  add ("interval/burst-is-coalesced", test_burst_is_coalesced);
  add ("interval/busy-writer-is-heard", test_busy_writer_is_heard);
  add ("announcement/own-is-nothing", test_own_announcement_is_nothing);
  add ("announcement/write-beside-it-is-reported", test_write_beside_an_announcement);
  add ("announcement/of-another-watch-is-changed", test_announcement_of_another_watch);
  add ("locate/to-the-byte", test_locate_to_the_byte);
  add ("locate/to-the-block", test_locate_to_the_block);
  add ("locate/in-a-replacement", test_locate_in_a_replacement);
  add ("locate/beside-a-busy-writer", test_locate_beside_a_busy_writer);
  add ("locate/while-it-is-truncated", test_locate_while_it_is_truncated);
  add ("ten-thousand-at-once", test_many);
  add ("lost/queue-overflow", test_queue_overflow);
  add ("lost/no-watches-left", test_no_watches_left);
  add ("lost/no-queue-left", test_no_queue_left);
  add ("rebase", test_rebase);
  add ("nested-main-loop", test_nested_main_loop);
  add ("stop/in-a-report", test_stop_in_a_report);
  add ("stop/before-a-report", test_stop_before_a_report);
  add ("stop/from-another-thread", test_stop_from_another_thread);
  add ("context-of-the-start", test_reports_come_in_the_context_of_the_start);
  add ("what-cannot-be-watched", test_what_cannot_be_watched);
  add ("no-lease-on-what-is-made-up", test_lease_on_what_is_made_up);

  return g_test_run ();
}
