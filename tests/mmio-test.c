/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void
mmio_test_set_up (MmioTest     *self,
                  gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("mmio-test-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = mmio_test_in_folder (self, "file");
}

void
mmio_test_tear_down (MmioTest     *self,
                     gconstpointer data G_GNUC_UNUSED)
{
  const char *argv[] = { "rm", "-rf", self->folder, NULL };

  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_free (self->folder);
  g_free (self->path);
}

void
mmio_test_set_up_file (MmioTestFile *self,
                       gconstpointer data)
{
  mmio_test_set_up (&self->parent, NULL);
  self->file = mmio_test_create (self->parent.path, GPOINTER_TO_SIZE (data));
}

void
mmio_test_tear_down_file (MmioTestFile *self,
                          gconstpointer data G_GNUC_UNUSED)
{
  g_clear_object (&self->file);
  g_assert_cmpuint (mmio_test_count_names (&self->parent), ==, 1);
  mmio_test_tear_down (&self->parent, NULL);
}

char *
mmio_test_in_folder (MmioTest   *self,
                     const char *name)
{
  return g_build_filename (self->folder, name, NULL);
}

static guint
count_names (const char *folder)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  guint n = 0;

  g_assert_no_error (error);
  while (g_dir_read_name (dir) != NULL)
    n++;

  return n;
}

guint
mmio_test_count_names (MmioTest *self)
{
  return count_names (self->folder);
}

gsize
mmio_test_page_size (void)
{
  return (gsize) sysconf (_SC_PAGESIZE);
}

/* Files */

static void
write_all (int           fd,
           gconstpointer data,
           gsize         length,
           off_t         offset)
{
  const guint8 *bytes = data;
  gsize done = 0;

  while (done < length)
    {
      gssize n = offset < 0 ? write (fd, bytes + done, length - done)
                            : pwrite (fd, bytes + done, length - done, offset + (off_t) done);

      g_assert_cmpint (n, >, 0);
      done += (gsize) n;
    }
}

static void
open_and_write (const char   *path,
                int           flags,
                gconstpointer data,
                gsize         length,
                off_t         offset)
{
  int fd = open (path, flags | O_CLOEXEC, 0644);

  g_assert_cmpint (fd, >=, 0);
  write_all (fd, data, length, offset);
  g_assert_no_errno (close (fd));
}

void
mmio_test_write_file (const char   *path,
                      gconstpointer data,
                      gsize         length)
{
  open_and_write (path, O_WRONLY | O_CREAT | O_TRUNC, data, length, -1);
}

void
mmio_test_write_pattern (const char *path,
                         gsize       length)
{
  g_autofree guint8 *data = g_malloc (MAX (length, 1));

  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) (i % 251);
  mmio_test_write_file (path, data, length);
}

void
mmio_test_write_at (const char   *path,
                    guint64       offset,
                    gconstpointer data,
                    gsize         length)
{
  open_and_write (path, O_WRONLY, data, length, (off_t) offset);
}

void
mmio_test_append (const char   *path,
                  gconstpointer data,
                  gsize         length)
{
  open_and_write (path, O_WRONLY | O_APPEND, data, length, -1);
}

void
mmio_test_truncate (const char *path,
                    guint64     size)
{
  g_assert_no_errno (truncate (path, (off_t) size));
}

void
mmio_test_replace (const char   *path,
                   gconstpointer data,
                   gsize         length)
{
  g_autofree char *temporary = g_strconcat (path, ".new", NULL);

  mmio_test_write_file (temporary, data, length);
  g_assert_no_errno (rename (temporary, path));
}

void
mmio_test_assert_file (const char   *path,
                       gconstpointer data,
                       gsize         length)
{
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;

  g_file_get_contents (path, &content, &size, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (content, size, data, length);
}

guint64
mmio_test_file_size (const char *path)
{
  struct stat buffer;

  g_assert_no_errno (stat (path, &buffer));
  return (guint64) buffer.st_size;
}

MmioFile *
mmio_test_open (const char *path,
                MmioMode    mode)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_open (path, mode, &error);

  g_assert_no_error (error);
  g_assert_true (MMIO_IS_FILE (file));
  return file;
}

MmioFile *
mmio_test_create (const char *path,
                  guint64     size)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_create (path, size, MMIO_CREATE_FLAGS_NONE, &error);

  g_assert_no_error (error);
  g_assert_true (MMIO_IS_FILE (file));
  return file;
}

void
mmio_test_assert_read (MmioFile     *file,
                       guint64       offset,
                       gconstpointer data,
                       gsize         length)
{
  g_autofree guint8 *buffer = g_malloc0 (length + 1);
  g_autoptr (GError) error = NULL;

  mmio_file_read (file, offset, buffer, length, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (buffer, length, data, length);
}

void
mmio_test_assert_error (GError **error,
                        GQuark   domain,
                        gint     code,
                        ...)
{
  const char *part;
  va_list parts;

  g_assert_error (*error, domain, code);
  g_assert_true (g_utf8_validate ((*error)->message, -1, NULL));
  va_start (parts, code);
  while ((part = va_arg (parts, const char *)) != NULL)
    if (strstr ((*error)->message, part) == NULL)
      g_error ("“%s” does not say “%s”", (*error)->message, part);
  va_end (parts);
  g_clear_error (error);
}

/* Processes */

pid_t
mmio_test_fork (MmioTestChild func,
                gpointer      data)
{
  pid_t pid;

  fflush (NULL);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      alarm (MMIO_TEST_PATIENCE_MS / 1000);
      _exit (func (data));
    }

  return pid;
}

int
mmio_test_wait_status (pid_t pid)
{
  int status;

  while (waitpid (pid, &status, 0) != pid)
    g_assert_cmpint (errno, ==, EINTR);

  return status;
}

int
mmio_test_wait_child (pid_t pid)
{
  int status = mmio_test_wait_status (pid);

  if (WIFSIGNALED (status))
    g_assert_cmpstr (g_strsignal (WTERMSIG (status)), ==, "no signal");
  g_assert_true (WIFEXITED (status));

  return WEXITSTATUS (status);
}

gboolean
mmio_test_run_child (MmioTestChild func,
                     gpointer      data,
                     const char   *reason_to_skip)
{
  int status = mmio_test_wait_child (mmio_test_fork (func, data));

  if (status == MMIO_TEST_SKIP && reason_to_skip != NULL)
    {
      g_test_skip (reason_to_skip);
      return FALSE;
    }
  g_assert_cmpint (status, ==, 0);

  return TRUE;
}

static gboolean
write_text (const char *path,
            const char *text)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC);
  gboolean success = fd >= 0 && write (fd, text, strlen (text)) == (gssize) strlen (text);

  if (fd >= 0)
    close (fd);
  return success;
}

gboolean
mmio_test_mount_tmpfs (const char *folder,
                       gsize       size)
{
  g_autofree char *options = g_strdup_printf ("size=%" G_GSIZE_FORMAT ",mode=0777", size);
  g_autofree char *user_map = g_strdup_printf ("0 %u 1", (guint) geteuid ());
  g_autofree char *group_map = g_strdup_printf ("0 %u 1", (guint) getegid ());

  if (unshare (CLONE_NEWNS) != 0 &&
      (unshare (CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_text ("/proc/self/uid_map", user_map) ||
       !write_text ("/proc/self/setgroups", "deny") || !write_text ("/proc/self/gid_map", group_map)))
    return FALSE;

  return mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 && mount ("tmpfs", folder, "tmpfs", 0, options) == 0;
}

static gboolean
run_quietly (const char *first,
             ...)
{
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  const char *argument = first;
  int status;
  va_list rest;

  va_start (rest, first);
  for (; argument != NULL; argument = va_arg (rest, const char *))
    g_ptr_array_add (argv, (gpointer) argument);
  va_end (rest);
  g_ptr_array_add (argv, NULL);

  return g_spawn_sync (NULL, (char **) argv->pdata, NULL,
                       G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, NULL, NULL,
                       &status, NULL) &&
         g_spawn_check_wait_status (status, NULL);
}

static gboolean
make_file_system (const char *type,
                  const char *image)
{
  if (g_str_equal (type, "ext4"))
    return run_quietly ("mkfs.ext4", "-q", "-F", "-m", "0", image, NULL);
  if (g_str_equal (type, "xfs"))
    return run_quietly ("mkfs.xfs", "-q", "-f", image, NULL);

  return run_quietly ("mkfs.btrfs", "-q", "-f", image, NULL);
}

gboolean
mmio_test_mount (const char  *folder,
                 const char  *type,
                 const char **why)
{
  g_autofree char *image = g_strconcat (folder, ".image", NULL);
  /* The least that mkfs accepts, and a little more. */
  const off_t size = (g_str_equal (type, "ext4") ? 16 : g_str_equal (type, "xfs") ? 320 : 128) << 20;
  /* mkfs is found there also where the path of an ordinary user leaves it out. */
  g_autofree char *path = g_strconcat (g_getenv ("PATH"), ":/usr/sbin:/sbin", NULL);
  int fd;

  *why = "no mount namespace is to be had";
  if (g_str_equal (type, "tmpfs"))
    return mmio_test_mount_tmpfs (folder, 8 << 20);
  *why = "only root can mount a loop device";
  if (geteuid () != 0 || unshare (CLONE_NEWNS) != 0 || mount ("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0)
    return FALSE;

  fd = open (image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  g_assert_cmpint (fd, >=, 0);
  g_assert_no_errno (ftruncate (fd, size));
  g_assert_no_errno (close (fd));

  g_setenv ("PATH", path, TRUE);
  *why = "its mkfs is not installed";
  if (!make_file_system (type, image))
    return FALSE;
  *why = "it can't be mounted on a loop device here";
  return run_quietly ("mount", "-t", type, "-o", "loop", image, folder, NULL);
}

gboolean
mmio_test_keep_disk (const char *folder)
{
  g_autofree char *image = g_strconcat (folder, ".image", NULL);
  g_autofree char *kept = g_strconcat (folder, ".kept", NULL);

  g_assert_true (run_quietly ("cp", "--sparse=always", image, kept, NULL));
  /* What is the same before and after is as it was in between. */
  return run_quietly ("cmp", image, kept, NULL);
}

void
mmio_test_mount_kept_disk (const char *folder,
                           const char *type)
{
  g_autofree char *kept = g_strconcat (folder, ".kept", NULL);

  g_assert_true (run_quietly ("umount", folder, NULL));
  g_assert_true (run_quietly ("mount", "-t", type, "-o", "loop", kept, folder, NULL));
}

gboolean
mmio_test_is_thorough (void)
{
  return g_getenv ("MMIO_TEST_THOROUGH") != NULL;
}

GRand *
mmio_test_new_rand (void)
{
  return g_rand_new_with_seed ((guint32) g_test_rand_int ());
}

guint
mmio_test_count_fds (void)
{
  return count_names ("/proc/self/fd");
}

guint
mmio_test_count_maps (void)
{
  g_autofree char *maps = NULL;
  g_autoptr (GError) error = NULL;
  guint n = 0;

  g_file_get_contents ("/proc/self/maps", &maps, NULL, &error);
  g_assert_no_error (error);
  for (const char *at = maps; *at != '\0'; at++)
    n += *at == '\n';

  return n;
}

gboolean
mmio_test_has_sanitizer (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return TRUE;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return TRUE;
#else
  return FALSE;
#endif
#else
  return FALSE;
#endif
}

gboolean
mmio_test_has_valgrind (void)
{
  const char *preloaded = g_getenv ("LD_PRELOAD");

  return preloaded != NULL && strstr (preloaded, "/vgpreload_") != NULL;
}

gboolean
mmio_test_has_thread_sanitizer (void)
{
#if defined(__SANITIZE_THREAD__)
  return TRUE;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
  return TRUE;
#else
  return FALSE;
#endif
#else
  return FALSE;
#endif
}

/* Waiting */

static gboolean
set_true (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
look_again (gpointer data G_GNUC_UNUSED)
{
  return G_SOURCE_CONTINUE;
}

void
mmio_test_wait_until (GMainContext     *context,
                      MmioTestCondition condition,
                      gpointer          data)
{
  g_autoptr (GSource) patience = g_timeout_source_new (MMIO_TEST_PATIENCE_MS);
  /* What another thread brings about may not wake the context. */
  g_autoptr (GSource) tick = g_timeout_source_new (10);
  gboolean timed_out = FALSE;

  g_source_set_callback (patience, set_true, &timed_out, NULL);
  g_source_attach (patience, context);
  g_source_set_callback (tick, look_again, NULL, NULL);
  g_source_attach (tick, context);
  while (!condition (data) && !timed_out)
    g_main_context_iteration (context, TRUE);
  g_source_destroy (patience);
  g_source_destroy (tick);
  g_assert_false (timed_out);
}

static void
say (MmioTestEar *self,
     char        *what)
{
  g_mutex_lock (&self->lock);
  g_queue_push_tail (&self->said, what);
  g_mutex_unlock (&self->lock);
}

static void
assert_context (MmioTestEar *self)
{
  g_assert_true (g_main_context_is_owner (self->context != NULL ? self->context : g_main_context_default ()));
}

static void
on_changed (MmioFile *file G_GNUC_UNUSED,
            guint64   offset,
            guint64   length,
            gpointer  data)
{
  assert_context (data);
  say (data, g_strdup_printf ("changed %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, offset, length));
}

static void
on_metadata (MmioFile *file G_GNUC_UNUSED,
             gpointer  data)
{
  assert_context (data);
  say (data, g_strdup ("metadata"));
}

static void
on_removed (MmioFile *file G_GNUC_UNUSED,
            gpointer  data)
{
  assert_context (data);
  say (data, g_strdup ("removed"));
}

static void
on_replaced (MmioFile *file G_GNUC_UNUSED,
             gpointer  data)
{
  assert_context (data);
  say (data, g_strdup ("replaced"));
}

static void
on_notify_size (MmioFile   *file,
                GParamSpec *pspec G_GNUC_UNUSED,
                gpointer    data)
{
  say (data, g_strdup_printf ("size %" G_GUINT64_FORMAT, mmio_file_get_size (file)));
}

MmioTestEar *
mmio_test_listen (MmioFile     *file,
                  GMainContext *context)
{
  MmioTestEar *self = g_new0 (MmioTestEar, 1);

  self->context = context;
  g_mutex_init (&self->lock);
  g_set_weak_pointer (&self->file, file);
  g_signal_connect (file, "changed", G_CALLBACK (on_changed), self);
  g_signal_connect (file, "metadata", G_CALLBACK (on_metadata), self);
  g_signal_connect (file, "removed", G_CALLBACK (on_removed), self);
  g_signal_connect (file, "replaced", G_CALLBACK (on_replaced), self);
  g_signal_connect (file, "notify::size", G_CALLBACK (on_notify_size), self);

  return self;
}

void
mmio_test_ear_free (MmioTestEar *self)
{
  if (self->file != NULL)
    g_signal_handlers_disconnect_by_data (self->file, self);
  g_clear_weak_pointer (&self->file);
  g_queue_clear_full (&self->said, g_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gboolean
has_said (gpointer data)
{
  return mmio_test_count_said (data) > 0;
}

static char *
hear (MmioTestEar *self)
{
  char *what;

  mmio_test_wait_until (self->context, has_said, self);
  g_mutex_lock (&self->lock);
  what = g_queue_pop_head (&self->said);
  g_mutex_unlock (&self->lock);
  g_test_message ("heard: %s", what);

  return what;
}

void
mmio_test_expect (MmioTestEar *self,
                  const char  *what)
{
  g_autofree char *heard = hear (self);

  g_assert_cmpstr (heard, ==, what);
}

void
mmio_test_hear_until (MmioTestEar *self,
                      const char  *what)
{
  g_autofree char *heard = hear (self);

  while (!g_str_equal (heard, what))
    {
      g_free (heard);
      heard = hear (self);
    }
}

guint
mmio_test_count_said (MmioTestEar *self)
{
  guint n;

  g_mutex_lock (&self->lock);
  n = g_queue_get_length (&self->said);
  g_mutex_unlock (&self->lock);

  return n;
}

static void
monitor_heard (GFileMonitor     *monitor G_GNUC_UNUSED,
               GFile            *file G_GNUC_UNUSED,
               GFile            *other_file G_GNUC_UNUSED,
               GFileMonitorEvent event,
               gpointer          data)
{
  if (event == G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED)
    *(gboolean *) data = TRUE;
}

static gboolean
is_true (gpointer data)
{
  return *(gboolean *) data;
}

void
mmio_test_expect_silence (MmioTestEar *self)
{
  g_autoptr (GFileMonitor) monitor = NULL;
  gboolean arrived = FALSE;
  guint n = mmio_test_count_said (self);

#ifndef HAVE_SYS_INOTIFY_H
  /* With nothing but GFileMonitor an event that comes late is reported again. */
  while (g_main_context_iteration (self->context, FALSE))
    ;
  return;
#endif

  g_main_context_push_thread_default (self->context);
  monitor = g_file_monitor_file (mmio_file_get_location (self->file), G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
  g_main_context_pop_thread_default (self->context);
  g_file_monitor_set_rate_limit (monitor, 0);
  g_signal_connect (monitor, "changed", G_CALLBACK (monitor_heard), &arrived);

  /* What comes after has passed everything that came before, on either of the ways that events take. */
  g_assert_no_errno (chmod (mmio_file_get_path (self->file), 0600));
  mmio_test_wait_until (self->context, is_true, &arrived);
  while (g_main_context_iteration (self->context, FALSE))
    ;
  g_mutex_lock (&self->lock);
  while (g_queue_get_length (&self->said) > n)
    {
      g_autofree char *heard = g_queue_pop_tail (&self->said);

      if (!g_str_equal (heard, "metadata"))
        g_assert_cmpstr (heard, ==, "nothing");
    }
  g_mutex_unlock (&self->lock);
}
