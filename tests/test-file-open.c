/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Getting hold of a file, in every way and in spite of everything.
 */
#include "config.h"

#include "mmio-test.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const MmioMode modes[] = { MMIO_MODE_READ_ONLY, MMIO_MODE_READ_WRITE, MMIO_MODE_COPY_ON_WRITE };

/* Opens what can't be opened, in each mode; the path is named. */
#define assert_no_open(path, code, ...) \
  G_STMT_START \
  { \
    for (guint i_ = 0; i_ < G_N_ELEMENTS (modes); i_++) \
      { \
        g_autoptr (GError) error_ = NULL; \
        g_autofree char *name_ = g_filename_display_name (path); \
\
        g_assert_null (mmio_file_open (path, modes[i_], &error_)); \
        mmio_test_assert_io_error (&error_, code, name_, __VA_ARGS__); \
      } \
  } \
  G_STMT_END

/* Opening */

static void
test_each_mode (MmioTest     *t,
                gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  struct stat expected, found;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, mode);

  g_assert_cmpuint (mmio_file_get_size (file), ==, 5);
  g_assert_cmpint (mmio_file_get_mode (file), ==, mode);
  g_assert_cmpstr (mmio_file_get_path (file), ==, t->path);
  g_assert_false (mmio_file_is_closed (file));
  mmio_test_assert_read (file, 0, "hello", 5);

  g_assert_no_errno (fstat (mmio_file_get_fd (file), &found));
  g_assert_no_errno (stat (t->path, &expected));
  g_assert_cmpuint (found.st_ino, ==, expected.st_ino);

  g_assert_cmpint (mmio_file_write (file, 0, "J", 1, &error), ==, mode != MMIO_MODE_READ_ONLY);
  if (mode == MMIO_MODE_READ_ONLY)
    mmio_test_assert_mmio_error (&error, WRONG_MODE, t->path, NULL);
  mmio_test_assert_read (file, 0, mode == MMIO_MODE_READ_ONLY ? "hello" : "Jello", 5);
  mmio_test_assert_file (t->path, mode == MMIO_MODE_READ_WRITE ? "Jello" : "hello", 5);
}

static void
test_empty (MmioTest     *t,
            gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  char buffer;

  mmio_test_write_file (t->path, "", 0);
  file = mmio_test_open (t->path, mode);

  g_assert_cmpuint (mmio_file_get_size (file), ==, 0);
  g_assert_true (mmio_file_read (file, 0, &buffer, 0, &error));
  g_assert_no_error (error);
  g_assert_false (mmio_file_read (file, 0, &buffer, 1, &error));
  mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, "offset 0", "length 1", "size 0", NULL);
  view = mmio_file_get_view (file, 0, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_view_get_length (view), ==, 0);
  g_assert_nonnull (mmio_view_get_pointer (view));
  g_assert_true (mmio_view_check (view, &error));
  bytes = mmio_file_get_bytes (file, 0, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 0);
  g_assert_nonnull (mmio_file_peek (file, 0, 0, &error));
  g_assert_cmpint (mmio_file_flush (file, &error), ==, mode != MMIO_MODE_COPY_ON_WRITE);
  g_clear_error (&error);

  /* By us where we may, else by somebody else. */
  if (mode == MMIO_MODE_READ_WRITE)
    g_assert_true (mmio_file_resize (file, 5, &error));
  else
    mmio_test_truncate (t->path, 5);
  mmio_test_write_at (t->path, 0, "hello", 5);
  g_assert_true (mmio_file_refresh (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 5);
  mmio_test_assert_read (file, 0, "hello", 5);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
}

static void
test_empty_is_watched (MmioTest     *t,
                       gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioTestEar) ear = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "", 0);
  file = mmio_test_open (t->path, mode);
  ear = mmio_test_listen (file, NULL);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  g_assert_no_error (error);
  mmio_test_append (t->path, "hello", 5);
  mmio_test_expect (ear, "changed 0 5");
}

static void
test_directory (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  g_assert_no_errno (mkdir (t->path, 0755));
  assert_no_open (t->path, IS_DIRECTORY, "directory", NULL);
}

/* A child, so that a hang is an alarm. */
static int
open_special (gpointer data)
{
  assert_no_open (data, NOT_REGULAR_FILE, "regular", NULL);
  return 0;
}

static void
test_fifo (MmioTest     *t,
           gconstpointer data G_GNUC_UNUSED)
{
  g_assert_no_errno (mkfifo (t->path, 0644));
  mmio_test_run_child (open_special, t->path, NULL);
}

static void
test_device (void)
{
  mmio_test_run_child (open_special, (gpointer) "/dev/null", NULL);
  mmio_test_run_child (open_special, (gpointer) "/dev/zero", NULL);
}

/* A file that is made up as it is read says that it is empty. */
static void
test_made_up_file (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;
  struct stat buffer;

  if (stat ("/proc/self/status", &buffer) != 0 || buffer.st_size != 0)
    {
      g_test_skip ("no /proc here");
      return;
    }
  file = mmio_file_open ("/proc/self/status", MMIO_MODE_READ_ONLY, &error);
  g_assert_null (file);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED);
  g_assert_nonnull (strstr (error->message, "/proc/self/status: has content but no size"));
}

static void
bind_socket (const char *folder,
             const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpuint (strlen (path), <, sizeof address.sun_path);
  strcpy (address.sun_path, path);
  g_assert_no_errno (bind (fd, (const void *) &address, sizeof address));
  close (fd);
}

static void
test_socket (MmioTest     *t,
             gconstpointer data G_GNUC_UNUSED)
{
  bind_socket (t->folder, "file");
  mmio_test_run_child (open_special, t->path, NULL);
}

static void
test_missing (MmioTest     *t,
              gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *below = g_build_filename (t->path, "below", NULL);

  assert_no_open (t->path, NOT_FOUND, NULL);
  assert_no_open (below, NOT_FOUND, NULL);
  mmio_test_write_file (t->path, "", 0);
  assert_no_open (below, NOT_DIRECTORY, NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

static void
test_empty_path (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mmio_file_open ("", MMIO_MODE_READ_ONLY, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, NULL);
}

static int
open_without_permission (gpointer data)
{
  MmioTest *t = data;
  const gboolean is_root = geteuid () == 0;
  g_autofree char *other = mmio_test_in_folder (t, "other");
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  GStatBuf info;

  mmio_test_write_file (t->path, "secret", 6);
  g_assert_no_errno (chmod (t->path, 0));
  g_assert_no_errno (chmod (t->folder, 0755));
  if (is_root && seteuid (65534) != 0)
    return MMIO_TEST_SKIP;
  /* Where TMPDIR is root's alone */
  if (is_root && g_stat (t->path, &info) != 0)
    return MMIO_TEST_SKIP;

  assert_no_open (t->path, PERMISSION_DENIED, NULL);

  if (seteuid (getuid ()) != 0)
    return MMIO_TEST_SKIP;
  g_assert_no_errno (chmod (t->path, 0444));
  if (is_root && seteuid (65534) != 0)
    return MMIO_TEST_SKIP;

  g_assert_null (mmio_file_open (t->path, MMIO_MODE_READ_WRITE, &error));
  mmio_test_assert_io_error (&error, PERMISSION_DENIED, t->path, NULL);
  file = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
  mmio_test_assert_read (file, 0, "secret", 6);
  g_clear_object (&file);
  file = mmio_test_open (t->path, MMIO_MODE_COPY_ON_WRITE);
  g_assert_true (mmio_file_write (file, 0, "S", 1, &error));

  /* The folder is root's then. */
  if (is_root)
    {
      g_assert_null (mmio_file_create (other, 1, MMIO_CREATE_FLAGS_NONE, &error));
      mmio_test_assert_io_error (&error, PERMISSION_DENIED, other, NULL);
      g_assert_null (mmio_file_create (other, 1, MMIO_CREATE_FLAGS_REPLACE, &error));
      mmio_test_assert_io_error (&error, PERMISSION_DENIED, other, NULL);
      g_assert_null (mmio_file_open_or_create (other, 1, &error));
      mmio_test_assert_io_error (&error, PERMISSION_DENIED, other, NULL);
    }

  return 0;
}

static void
test_no_permission (MmioTest     *t,
                    gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (open_without_permission, t, "can't give up root here, or not reach the folder then");
}

/* Any byte but '/' and 0 may stand in a name. */
static void
test_odd_names (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  const char *names[] = { "a\nb", "\xff\xfe", "%s%n %d", " ", "-", "\xc3\x28", "file:", "\"'\\" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = mmio_test_in_folder (t, names[i]);
      g_autofree char *display_name = g_filename_display_name (path);
      g_autoptr (MmioFile) file = NULL;
      g_autoptr (GFile) location = g_file_new_for_path (path);
      g_autoptr (GError) error = NULL;
      char buffer[2];

      assert_no_open (path, NOT_FOUND, NULL);
      file = mmio_test_create (path, 1);
      g_assert_cmpstr (mmio_file_get_path (file), ==, path);
      g_assert_true (g_file_equal (mmio_file_get_location (file), location));
      g_assert_false (mmio_file_read (file, 0, buffer, 2, &error));
      mmio_test_assert_mmio_error (&error, OUT_OF_BOUNDS, display_name, NULL);
      g_clear_object (&file);

      file = mmio_file_open_location (location, MMIO_MODE_READ_WRITE, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (mmio_file_reload (file, &error));
      g_assert_no_error (error);
      g_clear_object (&file);
      file = mmio_file_create (path, 2, MMIO_CREATE_FLAGS_REPLACE, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (mmio_test_file_size (path), ==, 2);
    }
  g_assert_cmpuint (mmio_test_count_names (t), ==, G_N_ELEMENTS (names));
}

static void
test_long_names (MmioTest     *t,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *longest = g_strnfill (255, 'n');
  g_autofree char *too_long = g_strnfill (256, 'n');
  g_autofree char *path = mmio_test_in_folder (t, longest);
  g_autofree char *bad_path = mmio_test_in_folder (t, too_long);
  g_autofree char *endless = g_strnfill (1024 * 1024, 'n');
  g_autoptr (MmioFile) file = mmio_test_create (path, 3);
  g_autoptr (MmioFile) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (mmio_file_get_size (file), ==, 3);
  again = mmio_file_create (path, 4, MMIO_CREATE_FLAGS_REPLACE, &error);
  g_assert_no_error (error);
  assert_no_open (bad_path, FILENAME_TOO_LONG, NULL);
  assert_no_open (endless, FILENAME_TOO_LONG, NULL);
  g_assert_null (mmio_file_create (bad_path, 1, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, FILENAME_TOO_LONG, NULL);
  g_assert_null (mmio_file_create (bad_path, 1, MMIO_CREATE_FLAGS_REPLACE, &error));
  mmio_test_assert_io_error (&error, FILENAME_TOO_LONG, NULL);
  g_assert_null (mmio_file_open_or_create (bad_path, 1, &error));
  mmio_test_assert_io_error (&error, FILENAME_TOO_LONG, NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

static void
test_symbolic_link (MmioTest     *t,
                    gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *link = mmio_test_in_folder (t, "link");
  g_autofree char *loop = mmio_test_in_folder (t, "loop");
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  g_assert_no_errno (symlink ("file", link));
  g_assert_no_errno (symlink ("loop", loop));
  file = mmio_test_open (link, MMIO_MODE_READ_ONLY);
  mmio_test_assert_read (file, 0, "hello", 5);
  assert_no_open (loop, TOO_MANY_LINKS, NULL);
}

static void
test_location (MmioTest     *t,
               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GFile) location = g_file_new_for_path (t->path);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_null (mmio_file_open_location (location, MMIO_MODE_READ_ONLY, NULL, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, t->path, NULL);
  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_file_open_location (location, MMIO_MODE_COPY_ON_WRITE, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (mmio_file_get_location (file) == location);
  g_assert_cmpstr (mmio_file_get_path (file), ==, t->path);
  g_assert_cmpint (mmio_file_get_mode (file), ==, MMIO_MODE_COPY_ON_WRITE);
  mmio_test_assert_read (file, 0, "hello", 5);
}

static void
test_remote_location (void)
{
  g_autoptr (GFile) location = g_file_new_for_uri ("sftp://server.invalid/file");
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_null (mmio_file_open_location (location, modes[i], NULL, &error));
      mmio_test_assert_io_error (&error, NOT_SUPPORTED, "sftp://server.invalid/file", NULL);
    }
}

static void
test_cancelled (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GFile) location = g_file_new_for_path (t->path);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  g_cancellable_cancel (cancellable);
  g_assert_null (mmio_file_open_location (location, MMIO_MODE_READ_ONLY, cancellable, &error));
  mmio_test_assert_io_error (&error, CANCELLED, NULL);
}

/* Descriptors */

static void
test_fd (MmioTest     *t,
         gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  int fd;

  mmio_test_write_file (t->path, "hello", 5);
  fd = open (t->path, O_RDWR | O_CLOEXEC);
  g_assert_cmpint (lseek (fd, 3, SEEK_SET), ==, 3);
  file = mmio_file_new_for_fd (fd, mode, &error);
  g_assert_no_error (error);
  g_assert_cmpint (mmio_file_get_fd (file), !=, fd);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 3);
  g_assert_null (mmio_file_get_path (file));
  g_assert_null (mmio_file_get_location (file));
  /* It needs neither the caller's descriptor nor the name. */
  g_assert_no_errno (close (fd));
  g_assert_no_errno (unlink (t->path));
  mmio_test_assert_read (file, 0, "hello", 5);
  g_assert_true (mmio_file_reload (file, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 0, "hello", 5);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
}

static void
assert_bad_fd (int      fd,
               MmioMode mode,
               GIOErrorEnum code)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mmio_file_new_for_fd (fd, mode, &error));
  mmio_test_assert_error (&error, G_IO_ERROR, (gint) code, "fd", NULL);
}

static void
test_fd_access (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  guint n_fds = mmio_test_count_fds ();
  int fd;

  mmio_test_write_file (t->path, "hello", 5);
  fd = open (t->path, O_RDONLY | O_CLOEXEC);
  assert_bad_fd (fd, MMIO_MODE_READ_WRITE, G_IO_ERROR_PERMISSION_DENIED);
  g_object_unref (mmio_file_new_for_fd (fd, MMIO_MODE_READ_ONLY, NULL));
  g_object_unref (mmio_file_new_for_fd (fd, MMIO_MODE_COPY_ON_WRITE, NULL));
  close (fd);

  fd = open (t->path, O_WRONLY | O_CLOEXEC);
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    assert_bad_fd (fd, modes[i], G_IO_ERROR_PERMISSION_DENIED);
  close (fd);

#ifdef O_PATH
  /* Of an empty file too, of which nothing has to be mapped. */
  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      mmio_test_truncate (t->path, i);
      fd = open (t->path, O_PATH | O_CLOEXEC);
      assert_bad_fd (fd, modes[i], G_IO_ERROR_PERMISSION_DENIED);
      close (fd);
    }
#endif

  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

static void
test_fd_of_no_file (MmioTest     *t,
                    gconstpointer data G_GNUC_UNUSED)
{
  guint n_fds = mmio_test_count_fds ();
  int folder = open (t->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int pair[2], sockets[2];
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (pipe2 (pair, O_CLOEXEC));
  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets));
  assert_bad_fd (folder, MMIO_MODE_READ_ONLY, G_IO_ERROR_IS_DIRECTORY);
  assert_bad_fd (pair[0], MMIO_MODE_READ_ONLY, G_IO_ERROR_NOT_REGULAR_FILE);
  assert_bad_fd (sockets[0], MMIO_MODE_READ_WRITE, G_IO_ERROR_NOT_REGULAR_FILE);
  close (folder);
  close (pair[0]);
  close (pair[1]);
  close (sockets[0]);
  close (sockets[1]);

  /* Closed by now. */
  g_assert_null (mmio_file_new_for_fd (folder, MMIO_MODE_READ_ONLY, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_IO_ERROR);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

static void
assert_closed_on_exec (MmioFile *file,
                       GError   *error)
{
  g_assert_no_error (error);
  g_assert_cmpint (fcntl (mmio_file_get_fd (file), F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
}

static void
test_close_on_exec (MmioTest     *t,
                    gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) created = NULL;
  g_autoptr (MmioFile) opened = NULL;
  g_autoptr (MmioFile) replacing = NULL;
  g_autoptr (MmioFile) existing = NULL;
  g_autoptr (MmioFile) duplicated = NULL;
  g_autoptr (GError) error = NULL;

  created = mmio_file_create (t->path, 1, MMIO_CREATE_FLAGS_NONE, &error);
  assert_closed_on_exec (created, error);
  opened = mmio_file_open (t->path, MMIO_MODE_READ_ONLY, &error);
  assert_closed_on_exec (opened, error);
  replacing = mmio_file_create (t->path, 1, MMIO_CREATE_FLAGS_REPLACE, &error);
  assert_closed_on_exec (replacing, error);
  existing = mmio_file_open_or_create (t->path, 1, &error);
  assert_closed_on_exec (existing, error);
  duplicated = mmio_file_new_for_fd (mmio_file_get_fd (existing), MMIO_MODE_READ_ONLY, &error);
  assert_closed_on_exec (duplicated, error);
  mmio_file_reload (opened, &error);
  assert_closed_on_exec (opened, error);
  mmio_file_reload (duplicated, &error);
  assert_closed_on_exec (duplicated, error);
}

/* Creating */

static void
test_create (MmioTest     *t,
             gconstpointer data G_GNUC_UNUSED)
{
  static const guint8 zeros[10000];
  mode_t mask = umask (027);
  g_autoptr (MmioFile) file = mmio_test_create (t->path, sizeof zeros);
  g_autoptr (MmioFile) other = NULL;
  g_autoptr (GError) error = NULL;
  struct stat buffer;

  umask (mask);
  g_assert_cmpint (mmio_file_get_mode (file), ==, MMIO_MODE_READ_WRITE);
  g_assert_cmpuint (mmio_file_get_size (file), ==, sizeof zeros);
  mmio_test_assert_read (file, 0, zeros, sizeof zeros);
  mmio_test_assert_file (t->path, zeros, sizeof zeros);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_mode & 07777, ==, 0640);

  g_assert_true (mmio_file_write (file, 0, "x", 1, &error));
  g_assert_null (mmio_file_create (t->path, 1, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, EXISTS, t->path, NULL);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, sizeof zeros);
  mmio_test_assert_read (file, 0, "x", 1);
}

static void
test_create_durable (MmioTest     *t,
                     gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_create (t->path, 5, MMIO_CREATE_FLAGS_DURABLE, &error);
  g_autoptr (MmioFile) other = NULL;

  g_assert_no_error (error);
  other = mmio_file_create (t->path, 6, MMIO_CREATE_FLAGS_DURABLE | MMIO_CREATE_FLAGS_REPLACE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 6);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

static void
test_create_relative (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *old_folder = g_get_current_dir ();
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioFile) replacing = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (chdir (t->folder));
  file = mmio_test_create ("file", 1);
  replacing = mmio_file_create ("file", 2, MMIO_CREATE_FLAGS_REPLACE | MMIO_CREATE_FLAGS_DURABLE, &error);
  g_assert_no_error (error);
  g_assert_no_errno (chdir (old_folder));
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 2);
}

/* A program that has changed to another folder, where another file has that name. */
static void
test_relative_stays (MmioTest     *t,
                     gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *old_folder = g_get_current_dir ();
  g_autofree char *other_folder = mmio_test_in_folder (t, "other");
  g_autofree char *location = NULL;
  g_autofree char *path = realpath (t->folder, NULL);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioFile) built = NULL;
  g_autoptr (MmioTestEar) ear = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (mkdir (other_folder, 0755));
  mmio_test_write_file (t->path, "this", 4);
  g_assert_no_errno (chdir (t->folder));
  file = mmio_test_open ("file", MMIO_MODE_READ_ONLY);
  built = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", "other/../file", NULL);
  g_assert_no_error (error);
  g_assert_no_errno (chdir ("other"));
  mmio_test_write_file ("file", "another", 7);

  g_assert_cmpstr (mmio_file_get_path (file), ==, "file");
  location = g_file_get_path (mmio_file_get_location (file));
  g_assert_true (g_str_has_prefix (location, path));
  g_assert_cmpstr (location + strlen (path), ==, "/file");
  g_assert_true (g_file_equal (mmio_file_get_location (built), mmio_file_get_location (file)));
  g_assert_true (mmio_file_reload (built, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (built, 0, "this", 4);
  ear = mmio_test_listen (file, NULL);
  g_assert_true (mmio_file_watch (file, MMIO_WATCH_FLAGS_RELOAD, NULL, &error));
  g_assert_no_error (error);
  mmio_test_replace (t->path, "new", 3);
  mmio_test_hear_until (ear, "replaced");
  mmio_test_hear_until (ear, "changed 0 3");
  mmio_test_assert_read (file, 0, "new", 3);
  g_assert_no_errno (chdir (old_folder));
}

static void
test_preallocate (MmioTest     *t,
                  gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_create (t->path, 1000000, MMIO_CREATE_FLAGS_PREALLOCATE, &error);
  struct stat buffer;

  g_assert_no_error (error);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_blocks * 512, >=, 1000000);
  g_assert_true (mmio_file_resize (file, 2000000, &error));
  g_assert_no_error (error);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_blocks * 512, >=, 2000000);

  /* What others have cut off is had again as well, whether the size is the old one or larger. */
  mmio_test_truncate (t->path, 0);
  g_assert_true (mmio_file_resize (file, 2000000, &error));
  g_assert_no_error (error);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_blocks * 512, >=, 2000000);
  mmio_test_truncate (t->path, 0);
  g_assert_true (mmio_file_resize (file, 3000000, &error));
  g_assert_no_error (error);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_blocks * 512, >=, 3000000);
}

static void
test_replace_keeps_the_old (MmioTest     *t,
                            gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) old = NULL;
  g_autoptr (MmioFile) new = NULL;
  g_autoptr (MmioView) view = NULL;
  g_autoptr (GError) error = NULL;
  struct stat buffer;
  ino_t inode;

  mmio_test_write_pattern (t->path, 10000);
  g_assert_no_errno (stat (t->path, &buffer));
  inode = buffer.st_ino;
  old = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
  view = mmio_file_get_view (old, 9000, 1000, &error);

  new = mmio_file_create (t->path, 3, MMIO_CREATE_FLAGS_REPLACE, &error);
  g_assert_no_error (error);
  mmio_test_assert_file (t->path, "\0\0\0", 3);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_ino, !=, inode);
  g_assert_true (mmio_file_write (new, 0, "new", 3, &error));
  mmio_test_assert_file (t->path, "new", 3);

  g_assert_cmpuint (((const guint8 *) mmio_view_get_pointer (view))[999], ==, 9999 % 251);
  g_assert_true (mmio_view_check (view, &error));
  g_assert_true (mmio_file_refresh (old, &error));
  g_assert_cmpuint (mmio_file_get_size (old), ==, 10000);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

static void
test_replace_keeps_permissions (MmioTest     *t,
                                gconstpointer data G_GNUC_UNUSED)
{
  const mode_t permissions[] = { 0600, 0640, 0444, 0666, 0700, 04755, 0 };
  g_autoptr (GError) error = NULL;
  struct stat buffer;

  mmio_test_write_file (t->path, "x", 1);
  for (guint i = 0; i < G_N_ELEMENTS (permissions); i++)
    {
      g_autoptr (MmioFile) file = NULL;

      g_assert_no_errno (chmod (t->path, permissions[i]));
      file = mmio_file_create (t->path, i, MMIO_CREATE_FLAGS_REPLACE, &error);
      g_assert_no_error (error);
      g_assert_no_errno (stat (t->path, &buffer));
      g_assert_cmpuint (buffer.st_mode & 07777, ==, permissions[i]);
      g_assert_cmpuint (buffer.st_size, ==, i);
    }
}

static void
test_replace_keeps_the_owner (MmioTest     *t,
                              gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  struct stat buffer;

  mmio_test_write_file (t->path, "x", 1);
  if (chown (t->path, 12345, 54321) != 0)
    {
      g_test_skip ("not allowed to give a file away");
      return;
    }
  g_assert_no_errno (chmod (t->path, 0660));
  file = mmio_file_create (t->path, 1, MMIO_CREATE_FLAGS_REPLACE, &error);
  g_assert_no_error (error);
  g_assert_no_errno (stat (t->path, &buffer));
  g_assert_cmpuint (buffer.st_uid, ==, 12345);
  g_assert_cmpuint (buffer.st_gid, ==, 54321);
  g_assert_cmpuint (buffer.st_mode & 07777, ==, 0660);
}

static void
test_replace_symbolic_link (MmioTest     *t,
                            gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *target = mmio_test_in_folder (t, "target");
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  struct stat buffer;

  mmio_test_write_file (target, "precious", 8);
  g_assert_no_errno (symlink ("target", t->path));
  g_assert_null (mmio_file_create (t->path, 3, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, EXISTS, NULL);
  file = mmio_file_create (t->path, 3, MMIO_CREATE_FLAGS_REPLACE, &error);
  g_assert_no_error (error);
  g_assert_no_errno (lstat (t->path, &buffer));
  g_assert_true (S_ISREG (buffer.st_mode));
  mmio_test_assert_file (target, "precious", 8);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 2);

  /* One that points nowhere isn't followed either. */
  g_assert_no_errno (unlink (target));
  g_assert_no_errno (unlink (t->path));
  g_assert_no_errno (symlink ("target", t->path));
  g_assert_null (mmio_file_create (t->path, 3, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, EXISTS, NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

static int
replace_special (gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mmio_file_create (data, 3, MMIO_CREATE_FLAGS_REPLACE, &error));
  mmio_test_assert_io_error (&error, NOT_REGULAR_FILE, data, NULL);
  g_assert_null (mmio_file_create (data, 3, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, EXISTS, data, NULL);
  g_assert_null (mmio_file_open_or_create (data, 3, &error));
  mmio_test_assert_io_error (&error, NOT_REGULAR_FILE, data, NULL);
  return 0;
}

static void
test_create_over_other_things (MmioTest     *t,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *folder = mmio_test_in_folder (t, "folder");
  g_autofree char *below = g_build_filename (folder, "missing", "file", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (mkfifo (t->path, 0644));
  mmio_test_run_child (replace_special, t->path, NULL);
  g_assert_no_errno (mkdir (folder, 0755));
  g_assert_null (mmio_file_create (folder, 3, MMIO_CREATE_FLAGS_REPLACE, &error));
  mmio_test_assert_io_error (&error, IS_DIRECTORY, folder, NULL);
  g_assert_null (mmio_file_create (folder, 3, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, EXISTS, folder, NULL);
  g_assert_null (mmio_file_open_or_create (folder, 3, &error));
  mmio_test_assert_io_error (&error, IS_DIRECTORY, folder, NULL);
  g_assert_null (mmio_file_create (below, 3, MMIO_CREATE_FLAGS_NONE, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, below, NULL);
  g_assert_null (mmio_file_create (below, 3, MMIO_CREATE_FLAGS_REPLACE, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, below, NULL);
  g_assert_null (mmio_file_open_or_create (below, 3, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, below, NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 2);
}

/* Sizes that no file, or no mapping, can have. */
static void
assert_creation_leaves_nothing (MmioTest       *t,
                                guint64         size,
                                MmioCreateFlags flags)
{
  guint n_fds = mmio_test_count_fds ();
  g_autoptr (GError) error = NULL;
  struct stat before, after;
  g_autofree char *number = g_strdup_printf ("%" G_GUINT64_FORMAT, size);

  g_assert_null (mmio_file_create (t->path, size, flags, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_IO_ERROR);
  mmio_test_assert_error (&error, G_IO_ERROR, error->code, t->path, number, NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 0);

  if (flags == MMIO_CREATE_FLAGS_NONE)
    {
      g_assert_null (mmio_file_open_or_create (t->path, size, &error));
      g_assert_nonnull (error);
      g_assert_true (error->domain == G_IO_ERROR);
      g_clear_error (&error);
      g_assert_cmpuint (mmio_test_count_names (t), ==, 0);
    }

  mmio_test_write_file (t->path, "precious", 8);
  g_assert_no_errno (stat (t->path, &before));
  g_assert_null (mmio_file_create (t->path, size, flags | MMIO_CREATE_FLAGS_REPLACE, &error));
  g_assert_nonnull (error);
  g_assert_true (error->domain == G_IO_ERROR);
  mmio_test_assert_file (t->path, "precious", 8);
  g_assert_no_errno (stat (t->path, &after));
  g_assert_cmpuint (after.st_ino, ==, before.st_ino);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
  g_assert_no_errno (unlink (t->path));
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

static void
test_failed_creation (MmioTest     *t,
                      gconstpointer data G_GNUC_UNUSED)
{
  const guint64 sizes[] = { G_MAXUINT64, (guint64) G_MAXINT64 + 1, G_MAXINT64, G_MAXINT64 - 4096, (guint64) 1 << 62 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      assert_creation_leaves_nothing (t, sizes[i], MMIO_CREATE_FLAGS_NONE);
      assert_creation_leaves_nothing (t, sizes[i], MMIO_CREATE_FLAGS_PREALLOCATE | MMIO_CREATE_FLAGS_DURABLE);
    }
}

/* On tmpfs a file may have any size that off_t can tell: there it is the mapping that fails. */
static int
create_unmappable (gpointer data)
{
  MmioTest *t = data;

  if (!mmio_test_mount_tmpfs (t->folder, 1024 * 1024))
    return MMIO_TEST_SKIP;
  assert_creation_leaves_nothing (t, (guint64) 1 << 60, MMIO_CREATE_FLAGS_NONE);
  assert_creation_leaves_nothing (t, G_MAXINT64 - 8192, MMIO_CREATE_FLAGS_NONE);
  return 0;
}

static void
test_unmappable_creation (MmioTest     *t,
                          gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (create_unmappable, t, "not allowed to mount a file system here");
}

static int
create_on_full_disk (gpointer data)
{
  MmioTest *t = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;

  if (!mmio_test_mount_tmpfs (t->folder, 64 * 1024))
    return MMIO_TEST_SKIP;

  assert_creation_leaves_nothing (t, 1024 * 1024, MMIO_CREATE_FLAGS_PREALLOCATE);
  g_assert_null (mmio_file_create (t->path, 1024 * 1024, MMIO_CREATE_FLAGS_PREALLOCATE, &error));
  mmio_test_assert_io_error (&error, NO_SPACE, t->path, "1048576", NULL);

  /* What fits is had, and nothing of the failed attempts is in the way. */
  file = mmio_file_create (t->path, 32 * 1024, MMIO_CREATE_FLAGS_PREALLOCATE, &error);
  g_assert_no_error (error);
  g_assert_true (mmio_file_write (file, 0, "hello", 5, &error));

  /* Growing keeps the promise. */
  g_assert_false (mmio_file_resize (file, 1024 * 1024, &error));
  mmio_test_assert_mmio_error (&error, NO_SPACE, t->path, "32768", "1048576", NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 32 * 1024);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 32 * 1024);
  mmio_test_assert_read (file, 0, "hello", 5);
  return 0;
}

static void
test_full_disk (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (create_on_full_disk, t, "not allowed to mount a file system here");
}

static void
test_open_or_create (MmioTest     *t,
                     gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) first = mmio_file_open_or_create (t->path, 5, &error);
  g_autoptr (MmioFile) second = NULL;

  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (first), ==, 5);
  g_assert_cmpint (mmio_file_get_mode (first), ==, MMIO_MODE_READ_WRITE);
  mmio_test_assert_read (first, 0, "\0\0\0\0\0", 5);
  g_assert_true (mmio_file_write (first, 0, "hello", 5, &error));
  second = mmio_file_open_or_create (t->path, 100, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_size (second), ==, 5);
  mmio_test_assert_read (second, 0, "hello", 5);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

typedef struct
{
  const char *path;
  int barrier;                  /* reading end of a pipe: ends when all may go */
  guint8 number;
} Racer;

#define N_RACERS 8
#define RACE_SIZE 3000000

static int
race (gpointer data)
{
  Racer *racer = data;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (read (racer->barrier, &byte, 1), ==, 0);
  file = mmio_file_open_or_create (racer->path, RACE_SIZE, &error);
  g_assert_no_error (error);
  /* Never a file that somebody else is still making. */
  g_assert_cmpuint (mmio_file_get_size (file), ==, RACE_SIZE);
  g_assert_true (mmio_file_write (file, racer->number, &racer->number, 1, &error));
  g_assert_no_error (error);
  return 0;
}

static void
test_open_or_create_raced (MmioTest     *t,
                           gconstpointer data G_GNUC_UNUSED)
{
  for (guint round = 0; round < 10; round++)
    {
      guint8 expected[N_RACERS];
      pid_t pids[N_RACERS];
      int barrier[2];
      g_autoptr (MmioFile) file = NULL;

      g_assert_no_errno (pipe2 (barrier, O_CLOEXEC));
      for (guint8 i = 0; i < N_RACERS; i++)
        {
          Racer racer = { t->path, barrier[0], i };

          expected[i] = i;
          pids[i] = fork ();
          g_assert_cmpint (pids[i], >=, 0);
          if (pids[i] == 0)
            {
              close (barrier[1]);
              alarm (MMIO_TEST_PATIENCE_MS / 1000);
              _exit (race (&racer));
            }
        }
      close (barrier[0]);
      close (barrier[1]);
      for (guint i = 0; i < N_RACERS; i++)
        g_assert_cmpint (mmio_test_wait_child (pids[i]), ==, 0);

      g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
      file = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
      mmio_test_assert_read (file, 0, expected, sizeof expected);
      g_assert_no_errno (unlink (t->path));
    }
}

static void
test_open_or_create_dangling_link (MmioTest     *t,
                                   gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (symlink ("nowhere", t->path));
  g_assert_null (mmio_file_open_or_create (t->path, 5, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, t->path, NULL);
  g_assert_cmpuint (mmio_test_count_names (t), ==, 1);
}

/* Limits */

static int
open_without_descriptors (gpointer data)
{
  MmioTest *t = data;
  guint n_fds = mmio_test_count_fds ();
  struct rlimit limit = { 64, 64 };
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GError) error = NULL;
  int fd;

  mmio_test_write_file (t->path, "hello", 5);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
  while (error == NULL)
    {
      MmioFile *file = mmio_file_open (t->path, MMIO_MODE_READ_WRITE, &error);

      if (file != NULL)
        g_ptr_array_add (files, file);
    }
  mmio_test_assert_io_error (&error, TOO_MANY_OPEN_FILES, t->path, "RLIMIT_NOFILE", NULL);
  g_assert_cmpuint (files->len, >, 0);
  fd = mmio_file_get_fd (g_ptr_array_index (files, 0));
  g_assert_null (mmio_file_new_for_fd (fd, MMIO_MODE_READ_ONLY, &error));
  mmio_test_assert_io_error (&error, TOO_MANY_OPEN_FILES, "RLIMIT_NOFILE", NULL);
  g_assert_false (mmio_file_reload (g_ptr_array_index (files, 0), &error));
  mmio_test_assert_io_error (&error, TOO_MANY_OPEN_FILES, "RLIMIT_NOFILE", NULL);
  mmio_test_assert_read (g_ptr_array_index (files, 0), 0, "hello", 5);

  g_ptr_array_set_size (files, 0);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  g_object_unref (mmio_test_open (t->path, MMIO_MODE_READ_WRITE));
  return 0;
}

/* What has a number past the limit keeps it, and nothing else can have it: the mapping must not be another file than the descriptor. */
static int
reload_past_the_limit (gpointer data)
{
  MmioTest *t = data;
  int low = dup (STDIN_FILENO);
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  struct rlimit limit;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  mmio_test_replace (t->path, "another", 7);
  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &limit));
  limit.rlim_cur = (rlim_t) mmio_file_get_fd (file);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
  g_assert_no_errno (close (low));

  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_mmio_error (&error, IO, t->path, "RLIMIT_NOFILE", NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 5);
  mmio_test_assert_read (file, 0, "hello", 5);
  return 0;
}

static void
test_reload_past_the_limit (MmioTest     *t,
                            gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (reload_past_the_limit, t, NULL);
}

static void
test_no_descriptors (MmioTest     *t,
                     gconstpointer data G_GNUC_UNUSED)
{
  mmio_test_run_child (open_without_descriptors, t, NULL);
}

/* Takes what addresses there are, but for less than that many bytes: enough for what is small. */
static void
leave_room (gsize bytes)
{
  const gsize small = 4 * 1024 * 1024;
  gpointer kept = mmap (NULL, small, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (kept != MAP_FAILED);
  while (mmap (NULL, bytes - small, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
    ;
  munmap (kept, small);
}

static int
open_without_address_space (gpointer data)
{
  MmioTest *t = data;
  const rlim_t room = 256 * 1024 * 1024;
  struct rlimit limit = { room, room };
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *length = NULL;
  guint64 size;
  g_autofree char *large = mmio_test_in_folder (t, "large");

  mmio_test_write_file (t->path, "hello", 5);
  mmio_test_write_file (large, "", 0);
  mmio_test_truncate (large, room);
  g_assert_no_errno (setrlimit (RLIMIT_AS, &limit));

  for (guint i = 0; i < G_N_ELEMENTS (modes); i++)
    {
      g_assert_null (mmio_file_open (large, modes[i], &error));
      mmio_test_assert_io_error (&error, NO_SPACE, large, "268435456", "RLIMIT_AS", NULL);
    }

  /* Less reserve than was asked for is no error. */
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "mode", MMIO_MODE_READ_WRITE,
                         "reserve-size", (guint64) 1 << 40, NULL);
  g_assert_no_error (error);
  g_assert_true (mmio_file_resize (file, 1024 * 1024, &error));
  g_assert_no_error (error);
  mmio_test_assert_read (file, 0, "hello", 5);
  g_assert_false (mmio_file_resize (file, room, &error));
  mmio_test_assert_mmio_error (&error, RESIZE_FAILED, t->path, "268435456", "RLIMIT_AS", NULL);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 1024 * 1024);
  g_assert_cmpuint (mmio_test_file_size (t->path), ==, 1024 * 1024);

  size = room / 2;
  while (!mmio_file_resize (file, size, NULL))
    size /= 2;
  leave_room (size / 2);
  length = g_strdup_printf ("%" G_GUINT64_FORMAT, size - 16);
  g_assert_null (mmio_file_read_bytes (file, 16, size - 16, &error));
  mmio_test_assert_io_error (&error, NO_SPACE, t->path, length, "offset 16", NULL);
  g_clear_object (&file);

  g_assert_no_errno (unlink (large));
  g_assert_no_errno (unlink (t->path));
  assert_creation_leaves_nothing (t, room, MMIO_CREATE_FLAGS_NONE);
  return 0;
}

static void
test_no_address_space (MmioTest     *t,
                       gconstpointer data G_GNUC_UNUSED)
{
  if (mmio_test_has_sanitizer ())
    g_test_skip ("a sanitizer takes more address space than the limit leaves");
  else
    mmio_test_run_child (open_without_address_space, t, NULL);
}

/* Properties */

static void
test_properties (MmioTest     *t,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GFile) location = NULL;
  g_autoptr (GFile) expected_location = g_file_new_for_path (t->path);
  g_autofree char *path = NULL;
  g_autofree char *backend = NULL;
  g_autoptr (GError) error = NULL;
  MmioMode mode;
  guint64 size, reserve_size, locate_limit;
  gboolean preallocate, follow, watching, announce;
  guint watch_interval, settle_time;
  int fd;

  mmio_test_write_file (t->path, "hello", 5);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "mode", MMIO_MODE_READ_WRITE, "reserve-size",
                         (guint64) 1000000, "preallocate", TRUE, "follow", TRUE, "watch-interval", 10, "locate-limit",
                         (guint64) 5, "settle-time", 20, "announce", FALSE, NULL);
  g_assert_no_error (error);
  g_object_get (file, "path", &path, "location", &location, "fd", &fd, "mode", &mode, "size", &size, "reserve-size",
                &reserve_size, "preallocate", &preallocate, "follow", &follow, "watching", &watching, "watch-backend",
                &backend, "watch-interval", &watch_interval, "locate-limit", &locate_limit, "settle-time", &settle_time,
                "announce", &announce, NULL);
  g_assert_cmpstr (path, ==, t->path);
  g_assert_true (g_file_equal (location, expected_location));
  g_assert_cmpint (fd, ==, mmio_file_get_fd (file));
  g_assert_cmpint (mode, ==, MMIO_MODE_READ_WRITE);
  g_assert_cmpuint (size, ==, 5);
  g_assert_cmpuint (reserve_size, ==, 1000000);
  g_assert_true (preallocate);
  g_assert_true (follow);
  g_assert_false (watching);
  g_assert_null (backend);
  g_assert_cmpuint (watch_interval, ==, 10);
  g_assert_cmpuint (locate_limit, ==, 5);
  g_assert_cmpuint (settle_time, ==, 20);
  g_assert_false (announce);
}

/* Whichever it is, all that the file says of itself is about that one. */
static void
test_two_names (MmioTest     *t,
                gconstpointer data G_GNUC_UNUSED)
{
  g_autofree char *other = mmio_test_in_folder (t, "other");
  g_autoptr (GFile) location = g_file_new_for_path (other);
  g_autoptr (GFile) path_location = g_file_new_for_path (t->path);
  g_autoptr (MmioFile) by_path = NULL, by_location = NULL, by_fd = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "path", 4);
  mmio_test_write_file (other, "other", 5);

  by_path = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "location", location, "path", t->path, NULL);
  g_assert_no_error (error);
  mmio_test_assert_read (by_path, 0, "path", 4);
  g_assert_cmpstr (mmio_file_get_path (by_path), ==, t->path);
  g_assert_true (g_file_equal (mmio_file_get_location (by_path), path_location));

  by_location = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, "location", location, NULL);
  g_assert_no_error (error);
  mmio_test_assert_read (by_location, 0, "other", 5);
  g_assert_cmpstr (mmio_file_get_path (by_location), ==, other);
  g_assert_true (g_file_equal (mmio_file_get_location (by_location), location));

  by_fd = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "location", location, "fd", mmio_file_get_fd (by_path), NULL);
  g_assert_no_error (error);
  mmio_test_assert_read (by_fd, 0, "path", 4);
  g_assert_null (mmio_file_get_path (by_fd));
  g_assert_null (mmio_file_get_location (by_fd));
}

static void
count_by_name (GObject    *object G_GNUC_UNUSED,
               GParamSpec *pspec,
               gpointer    user_data)
{
  GHashTable *counts = user_data;
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (counts, pspec->name));

  g_hash_table_insert (counts, (gpointer) pspec->name, GUINT_TO_POINTER (n + 1));
}

static void
test_notify (MmioTest     *t,
             gconstpointer data G_GNUC_UNUSED)
{
  static const char *const names[] = { "flush-policy", "flush-threshold", "watch-interval", "locate-limit", "settle-time", "announce" };
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (MmioFile) file = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
  g_signal_connect (file, "notify", G_CALLBACK (count_by_name), counts);
  /* The second time nothing changes. */
  for (guint i = 0; i < 2; i++)
    g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_EVERY_WRITES, "flush-threshold", (guint64) 7, "watch-interval", 8,
                  "locate-limit", (guint64) 9, "settle-time", 10, "announce", FALSE, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_assert_cmpuint (GPOINTER_TO_UINT (g_hash_table_lookup (counts, names[i])), ==, 1);
}

#define N_SETTINGS 2000

/* Sets what may be set later to one of two values, over and over. */
static gpointer
set_and_set (gpointer data)
{
  for (guint i = 0; i < N_SETTINGS; i++)
    g_object_set (data, "watch-interval", i % 2 != 0 ? G_MAXINT : 0, "settle-time", i % 2 != 0 ? G_MAXINT : 0, "locate-limit",
                  i % 2 != 0 ? G_MAXUINT64 : 0, NULL);
  return NULL;
}

static void
test_properties_from_any_thread (MmioTest     *t,
                                 gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  GThread *thread;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
  set_and_set (file);
  thread = g_thread_new ("setter", set_and_set, file);
  for (guint i = 0; i < N_SETTINGS; i++)
    {
      guint watch_interval, settle_time;
      guint64 locate_limit;

      g_object_get (file, "watch-interval", &watch_interval, "settle-time", &settle_time, "locate-limit", &locate_limit, NULL);
      g_assert_true (watch_interval == 0 || watch_interval == G_MAXINT);
      g_assert_true (settle_time == 0 || settle_time == G_MAXINT);
      g_assert_true (locate_limit == 0 || locate_limit == G_MAXUINT64);
    }
  g_thread_join (thread);
}

static void
test_default_properties (MmioTest     *t,
                         gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  MmioMode mode;
  guint64 locate_limit;
  gboolean follow, announce;
  guint settle_time;

  mmio_test_write_file (t->path, "hello", 5);
  file = g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", t->path, NULL);
  g_assert_no_error (error);
  g_object_get (file, "mode", &mode, "follow", &follow, "locate-limit", &locate_limit, "settle-time", &settle_time,
                "announce", &announce, NULL);
  g_assert_cmpint (mode, ==, MMIO_MODE_READ_ONLY);
  g_assert_false (follow);
  g_assert_cmpuint (locate_limit, ==, 1024 * 1024);
  g_assert_cmpuint (settle_time, ==, 500);
  g_assert_true (announce);

  /* And what the class says they are. */
  for (guint i = 0; i < 1; i++)
    {
      g_autofree GParamSpec **specs = NULL;
      guint n;

      specs = g_object_class_list_properties (G_OBJECT_GET_CLASS (file), &n);
      g_assert_cmpuint (n, >, 0);
      for (guint k = 0; k < n; k++)
        {
          g_auto (GValue) value = G_VALUE_INIT;

          if (g_str_equal (specs[k]->name, "path") || g_str_equal (specs[k]->name, "location") ||
              g_str_equal (specs[k]->name, "fd") || g_str_equal (specs[k]->name, "size"))
            continue;
          g_value_init (&value, specs[k]->value_type);
          g_object_get_property (G_OBJECT (file), specs[k]->name, &value);
          if (!g_param_value_defaults (specs[k], &value))
            g_error ("%s is not at its default", specs[k]->name);
        }
    }
}

static void
test_builder_with_nothing (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_initable_new (MMIO_TYPE_FILE, NULL, &error, NULL));
  mmio_test_assert_io_error (&error, INVALID_ARGUMENT, NULL);
  g_assert_null (g_initable_new (MMIO_TYPE_FILE, NULL, &error, "mode", MMIO_MODE_READ_WRITE, NULL));
  mmio_test_assert_io_error (&error, INVALID_ARGUMENT, NULL);
}

static void
test_builder_with_cancellable (MmioTest     *t,
                               gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_null (g_initable_new (MMIO_TYPE_FILE, cancellable, &error, "path", t->path, NULL));
  mmio_test_assert_io_error (&error, CANCELLED, NULL);
}

static void
set_too_late (MmioFile   *file,
              const char *name,
              GType       type,
              gint64      number)
{
  g_autofree char *pattern = g_strdup_printf ("*%s*construction*", name);
  g_auto (GValue) value = G_VALUE_INIT;

  g_value_init (&value, type);
  if (type == G_TYPE_STRING)
    g_value_set_static_string (&value, "other");
  else if (type == G_TYPE_OBJECT || type == G_TYPE_FILE)
    g_value_take_object (&value, g_file_new_for_path ("/other"));
  else if (type == MMIO_TYPE_MODE)
    g_value_set_enum (&value, (gint) number);
  else if (type == G_TYPE_UINT64)
    g_value_set_uint64 (&value, (guint64) number);
  else if (type == G_TYPE_INT)
    g_value_set_int (&value, (gint) number);
  else
    g_value_set_boolean (&value, number != 0);

  g_test_expect_message ("libmmio", G_LOG_LEVEL_CRITICAL, pattern);
  g_object_set_property (G_OBJECT (file), name, &value);
  g_test_assert_expected_messages ();
}

static void
test_set_too_late (MmioTest     *t,
                   gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = NULL;
  guint64 reserve_size;
  gboolean preallocate, follow;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, MMIO_MODE_READ_ONLY);
  set_too_late (file, "path", G_TYPE_STRING, 0);
  set_too_late (file, "location", G_TYPE_FILE, 0);
  set_too_late (file, "fd", G_TYPE_INT, 0);
  set_too_late (file, "mode", MMIO_TYPE_MODE, MMIO_MODE_READ_WRITE);
  set_too_late (file, "reserve-size", G_TYPE_UINT64, 1);
  set_too_late (file, "preallocate", G_TYPE_BOOLEAN, 1);
  set_too_late (file, "follow", G_TYPE_BOOLEAN, 1);

  g_assert_cmpstr (mmio_file_get_path (file), ==, t->path);
  g_assert_cmpint (mmio_file_get_mode (file), ==, MMIO_MODE_READ_ONLY);
  g_object_get (file, "reserve-size", &reserve_size, "preallocate", &preallocate, "follow", &follow, NULL);
  g_assert_cmpuint (reserve_size, ==, 0);
  g_assert_false (preallocate);
  g_assert_false (follow);
  /* These may. */
  g_object_set (file, "announce", FALSE, "watch-interval", 1, "settle-time", 1, "locate-limit", (guint64) 1, NULL);
}

/* What a language binding's constructor leaves where nobody called init. */
static void
assert_unusable (MmioFile *file)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = g_bytes_new_static ("x", 1);
  char buffer[1] = { 0 };

  g_assert_cmpuint (mmio_file_get_size (file), ==, 0);
  for (gsize n = 0; n < 2; n++)
    {
      g_assert_false (mmio_file_read (file, 0, buffer, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_null (mmio_file_read_bytes (file, 0, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_false (mmio_file_write (file, 0, buffer, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_null (mmio_file_peek (file, 0, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_null (mmio_file_get_bytes (file, 0, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_null (mmio_file_get_view (file, 0, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_null (mmio_file_get_writable_view (file, 0, n, &error));
      g_clear_error (&error);
      g_assert_false (mmio_file_resize (file, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
      g_assert_false (mmio_file_flush_range (file, 0, n, &error));
      mmio_test_assert_mmio_error (&error, CLOSED, NULL);
    }
  g_assert_false (mmio_file_write_bytes (file, 0, bytes, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (mmio_file_refresh (file, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (mmio_file_reload (file, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (mmio_file_flush (file, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_false (mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error));
  mmio_test_assert_mmio_error (&error, CLOSED, NULL);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  mmio_file_unwatch (file);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
}

static void
test_uninitialised (MmioTest     *t,
                    gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  g_autoptr (MmioFile) nameless = g_object_new (MMIO_TYPE_FILE, "mode", mode, NULL);
  g_autoptr (MmioFile) named = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  named = g_object_new (MMIO_TYPE_FILE, "path", t->path, "mode", mode, NULL);
  assert_unusable (nameless);
  assert_unusable (named);
}

static void
test_init_twice (MmioTest     *t,
                 gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (MmioFile) file = g_object_new (MMIO_TYPE_FILE, "path", t->path, NULL);
  g_autoptr (MmioFile) folder = g_object_new (MMIO_TYPE_FILE, "path", t->folder, NULL);
  g_autoptr (GError) error = NULL;
  guint n_fds;

  g_assert_false (g_initable_init (G_INITABLE (file), NULL, &error));
  mmio_test_assert_io_error (&error, NOT_FOUND, NULL);
  assert_unusable (file);
  for (guint i = 0; i < 2; i++)
    {
      g_assert_false (g_initable_init (G_INITABLE (folder), NULL, &error));
      mmio_test_assert_io_error (&error, IS_DIRECTORY, NULL);
    }
  assert_unusable (folder);

  mmio_test_write_file (t->path, "hello", 5);
  g_clear_object (&file);
  file = g_object_new (MMIO_TYPE_FILE, "path", t->path, NULL);
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_no_error (error);
  n_fds = mmio_test_count_fds ();
  g_assert_true (g_initable_init (G_INITABLE (file), NULL, &error));
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  mmio_test_assert_read (file, 0, "hello", 5);
}

/* Closing */

static void
count_notify (MmioFile   *file G_GNUC_UNUSED,
              GParamSpec *pspec G_GNUC_UNUSED,
              guint      *n)
{
  (*n)++;
}

static void
test_close_twice (MmioTest     *t,
                  gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  guint n_fds = mmio_test_count_fds ();
  guint n_notified = 0;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  file = mmio_test_open (t->path, mode);
  g_signal_connect (file, "notify::size", G_CALLBACK (count_notify), &n_notified);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_is_closed (file));
  g_assert_cmpint (mmio_file_get_fd (file), ==, -1);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 0);
  g_assert_cmpuint (mmio_file_get_pending_bytes (file), ==, 0);
  g_assert_cmpint (mmio_file_get_mode (file), ==, mode);
  g_assert_cmpstr (mmio_file_get_path (file), ==, t->path);
  g_assert_cmpuint (n_notified, ==, 1);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (n_notified, ==, 1);
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

static gpointer
close_in_thread (gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (mmio_file_close (data, &error));
  g_assert_no_error (error);
  return NULL;
}

static void
test_close_at_once (MmioTest     *t,
                    gconstpointer data G_GNUC_UNUSED)
{
  for (guint round = 0; round < 200; round++)
    {
      g_autoptr (MmioFile) file = NULL;
      g_autoptr (GError) error = NULL;
      GThread *threads[3];

      mmio_test_write_file (t->path, "hello", 5);
      file = mmio_test_open (t->path, MMIO_MODE_READ_WRITE);
      g_assert_true (mmio_file_write (file, 0, "J", 1, &error));
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        threads[i] = g_thread_new ("close", close_in_thread, file);
      for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
        g_thread_join (threads[i]);
      g_assert_true (mmio_file_is_closed (file));
    }
}

static void
test_unref_without_close (MmioTest     *t,
                          gconstpointer data)
{
  MmioMode mode = (MmioMode) GPOINTER_TO_UINT (data);
  guint n_fds, n_maps;
  g_autoptr (GError) error = NULL;

  mmio_test_write_file (t->path, "hello", 5);
  g_object_unref (mmio_test_open (t->path, mode));
  n_fds = mmio_test_count_fds ();
  n_maps = mmio_test_count_maps ();
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (MmioFile) file = mmio_test_open (t->path, mode);

      if (mode != MMIO_MODE_READ_ONLY)
        g_assert_true (mmio_file_write (file, 0, "J", 1, &error));
    }
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
  g_assert_cmpuint (mmio_test_count_maps (), <=, n_maps + 8);
  mmio_test_assert_file (t->path, mode == MMIO_MODE_READ_WRITE ? "Jello" : "hello", 5);
}

static void
test_failing_leaks_nothing (MmioTest     *t,
                            gconstpointer data G_GNUC_UNUSED)
{
  guint n_fds = mmio_test_count_fds ();
  g_autoptr (GError) error = NULL;

  g_assert_no_errno (mkdir (t->path, 0755));
  for (guint i = 0; i < 50; i++)
    {
      assert_no_open (t->path, IS_DIRECTORY, NULL);
      g_assert_null (mmio_file_open ("/dev/null", MMIO_MODE_READ_ONLY, NULL));
      g_assert_null (mmio_file_open_or_create (t->path, 1, NULL));
      g_assert_null (mmio_file_create (t->path, 1, MMIO_CREATE_FLAGS_REPLACE, NULL));
    }
  g_assert_cmpuint (mmio_test_count_fds (), ==, n_fds);
}

#define READ_ONLY GUINT_TO_POINTER (MMIO_MODE_READ_ONLY)
#define READ_WRITE GUINT_TO_POINTER (MMIO_MODE_READ_WRITE)
#define COPY_ON_WRITE GUINT_TO_POINTER (MMIO_MODE_COPY_ON_WRITE)

#define add_for_each_mode(name, func) \
  mmio_test_add (name "/read-only", READ_ONLY, func); \
  mmio_test_add (name "/read-write", READ_WRITE, func); \
  mmio_test_add (name "/copy-on-write", COPY_ON_WRITE, func)

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  add_for_each_mode ("/file/open/shows-the-file-and-keeps-to-its-mode", test_each_mode);
  add_for_each_mode ("/file/open/an-empty-file-has-size-0-and-can-grow", test_empty);
  add_for_each_mode ("/file/open/an-empty-file-can-be-watched", test_empty_is_watched);
  mmio_test_add ("/file/open/a-directory-is-an-error", NULL, test_directory);
  mmio_test_add ("/file/open/a-fifo-is-an-error-and-no-hang", NULL, test_fifo);
  g_test_add_func ("/file/open/a-device-is-an-error", test_device);
  g_test_add_func ("/file/open/a-file-of-proc-is-an-error-and-not-empty", test_made_up_file);
  mmio_test_add ("/file/open/a-socket-is-an-error", NULL, test_socket);
  mmio_test_add ("/file/open/a-missing-file-is-an-error-and-not-created", NULL, test_missing);
  g_test_add_func ("/file/open/an-empty-path-is-an-error", test_empty_path);
  mmio_test_add ("/file/open/without-permission-is-an-error", NULL, test_no_permission);
  mmio_test_add ("/file/open/any-name-works-and-messages-are-utf-8", NULL, test_odd_names);
  mmio_test_add ("/file/open/a-name-of-255-bytes-works-and-256-is-an-error", NULL, test_long_names);
  mmio_test_add ("/file/open/a-symbolic-link-is-followed", NULL, test_symbolic_link);
  mmio_test_add ("/file/open-location/a-local-one-works", NULL, test_location);
  g_test_add_func ("/file/open-location/a-remote-one-is-an-error", test_remote_location);
  mmio_test_add ("/file/open-location/can-be-cancelled", NULL, test_cancelled);

  add_for_each_mode ("/file/new-for-fd/duplicates-the-descriptor", test_fd);
  mmio_test_add ("/file/new-for-fd/wrong-access-is-an-error", NULL, test_fd_access);
  mmio_test_add ("/file/new-for-fd/anything-but-a-file-is-an-error", NULL, test_fd_of_no_file);
  mmio_test_add ("/file/open/every-descriptor-is-close-on-exec", NULL, test_close_on_exec);

  mmio_test_add ("/file/create/makes-zeros-and-never-overwrites", NULL, test_create);
  mmio_test_add ("/file/create/durable", NULL, test_create_durable);
  mmio_test_add ("/file/open/a-relative-path-stays-what-it-was", NULL, test_relative_stays);
  mmio_test_add ("/file/create/a-relative-path-works", NULL, test_create_relative);
  mmio_test_add ("/file/create/preallocate-reserves-blocks", NULL, test_preallocate);
  mmio_test_add ("/file/create/replace-keeps-the-old-file-for-who-has-it", NULL, test_replace_keeps_the_old);
  mmio_test_add ("/file/create/replace-keeps-permissions", NULL, test_replace_keeps_permissions);
  mmio_test_add ("/file/create/replace-keeps-the-owner", NULL, test_replace_keeps_the_owner);
  mmio_test_add ("/file/create/replaces-a-symbolic-link-itself", NULL, test_replace_symbolic_link);
  mmio_test_add ("/file/create/over-anything-but-a-file-is-an-error", NULL, test_create_over_other_things);
  mmio_test_add ("/file/create/a-size-too-large-leaves-all-as-it-was", NULL, test_failed_creation);
  mmio_test_add ("/file/create/a-size-too-large-to-map-leaves-all-as-it-was", NULL, test_unmappable_creation);
  mmio_test_add ("/file/create/a-full-disk-leaves-all-as-it-was", NULL, test_full_disk);
  mmio_test_add ("/file/open-or-create/creates-once-and-then-opens", NULL, test_open_or_create);
  mmio_test_add ("/file/open-or-create/raced-by-processes-makes-one-file", NULL, test_open_or_create_raced);
  mmio_test_add ("/file/open-or-create/a-link-to-nowhere-is-an-error", NULL, test_open_or_create_dangling_link);

  mmio_test_add ("/file/limits/no-descriptors-left-says-so", NULL, test_no_descriptors);
  mmio_test_add ("/file/limits/reload-of-a-number-past-the-limit-changes-nothing", NULL, test_reload_past_the_limit);
  mmio_test_add ("/file/limits/no-address-space-left-says-so", NULL, test_no_address_space);

  mmio_test_add ("/file/properties/are-the-builder", NULL, test_properties);
  mmio_test_add ("/file/properties/two-names-are-one-file", NULL, test_two_names);
  mmio_test_add ("/file/properties/tell-when-they-change", NULL, test_notify);
  mmio_test_add ("/file/properties/from-any-thread", NULL, test_properties_from_any_thread);
  mmio_test_add ("/file/properties/have-the-defaults-they-claim", NULL, test_default_properties);
  g_test_add_func ("/file/properties/naming-no-file-is-an-error", test_builder_with_nothing);
  mmio_test_add ("/file/properties/building-can-be-cancelled", NULL, test_builder_with_cancellable);
  mmio_test_add ("/file/properties/set-after-construction-is-critical", NULL, test_set_too_late);
  add_for_each_mode ("/file/properties/an-object-that-was-not-initialised-is-closed", test_uninitialised);
  mmio_test_add ("/file/properties/init-twice-is-once", NULL, test_init_twice);

  add_for_each_mode ("/file/close/twice-does-nothing", test_close_twice);
  mmio_test_add ("/file/close/by-several-threads-at-once-is-no-error", NULL, test_close_at_once);
  add_for_each_mode ("/file/unref/without-close-leaks-nothing-and-loses-nothing", test_unref_without_close);
  mmio_test_add ("/file/open/failing-leaks-no-descriptor", NULL, test_failing_leaks_nothing);

  return g_test_run ();
}
