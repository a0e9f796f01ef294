/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Anonymous files: who gets at them, seals, and passing one to another process.
 */
#include "config.h"

#include <mmio.h>

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixconnection.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "other-process.h"

#define SIZE 8192

static MmioFile *
new_file (void)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = mmio_file_new_anonymous ("test", SIZE, &error);

  g_assert_no_error (error);
  g_assert_nonnull (file);
  return file;
}

/* A file that allows seals; NULL, and the test is skipped, where the system has none. */
static MmioFile *
new_sealable_file (void)
{
  g_autoptr (GError) error = NULL;
  MmioFile *file = new_file ();

  if (mmio_file_seal (file, MMIO_SEAL_FLAGS_NONE, &error))
    return file;

  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED);
  g_object_unref (file);
  g_test_skip ("this system has no files that can be sealed");
  return NULL;
}

static void
test_is_mapped_for_writing_and_zero (void)
{
  g_autoptr (MmioFile) file = new_file ();
  g_autoptr (GError) error = NULL;
  const guint8 zeros[SIZE] = { 0 };
  guint8 buffer[SIZE];

  g_assert_cmpuint (mmio_file_get_size (file), ==, SIZE);
  g_assert_cmpint (mmio_file_get_mode (file), ==, MMIO_MODE_READ_WRITE);
  g_assert_null (mmio_file_get_path (file));
  g_assert_null (mmio_file_get_location (file));
  g_assert_true (mmio_file_read (file, 0, buffer, SIZE, &error));
  g_assert_no_error (error);
  g_assert_cmpmem (buffer, SIZE, zeros, SIZE);
  g_assert_true (mmio_file_write (file, SIZE - 5, "hello", 5, &error));
  g_assert_true (mmio_file_resize (file, 2 * SIZE, &error));
  g_assert_true (mmio_file_flush (file, &error));
  g_assert_true (mmio_file_reload (file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_read (file, SIZE - 5, buffer, 6, &error));
  g_assert_cmpmem (buffer, 6, "hello", 6);
}

static void
test_belongs_to_its_user_alone (void)
{
  g_autoptr (MmioFile) file = new_file ();
  struct stat buffer;

  g_assert_no_errno (fstat (mmio_file_get_fd (file), &buffer));
  g_assert_cmpuint (buffer.st_mode & 07777, ==, 0600);
  g_assert_cmpuint (buffer.st_nlink, ==, 0);
  g_assert_cmpint (fcntl (mmio_file_get_fd (file), F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
}

static void
test_any_name_will_do (void)
{
  g_autofree char *long_name = g_strnfill (1000, 'n');
  const char *names[] = { NULL, "", "with/slash and\nnewline", "\xff", long_name };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MmioFile) file = mmio_file_new_anonymous (names[i], 0, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (mmio_file_get_size (file), ==, 0);
    }
}

static void
test_too_large_is_an_error (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (mmio_file_new_anonymous ("large", G_MAXUINT64, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (error->domain, ==, G_IO_ERROR);
}

/* Seals */

static void
test_sealed_size_stays (void)
{
  g_autoptr (MmioFile) file = new_sealable_file ();
  g_autoptr (GError) error = NULL;

  if (file == NULL)
    return;

  g_assert_cmpuint (mmio_file_get_seals (file), ==, MMIO_SEAL_FLAGS_NONE);
  g_assert_true (mmio_file_seal (file, MMIO_SEAL_FLAGS_SHRINK, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_seals (file), ==, MMIO_SEAL_FLAGS_SHRINK);
  g_assert_true (mmio_file_resize (file, 2 * SIZE, &error));
  g_assert_no_error (error);
  g_assert_false (mmio_file_resize (file, SIZE, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_RESIZE_FAILED);
  g_clear_error (&error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 2 * SIZE);

  g_assert_true (mmio_file_seal (file, MMIO_SEAL_FLAGS_GROW, &error));
  g_assert_cmpuint (mmio_file_get_seals (file), ==, MMIO_SEAL_FLAGS_SHRINK | MMIO_SEAL_FLAGS_GROW);
  g_assert_false (mmio_file_resize (file, 3 * SIZE, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_RESIZE_FAILED);
  g_clear_error (&error);
  g_assert_cmpuint (mmio_file_get_size (file), ==, 2 * SIZE);
  g_assert_true (mmio_file_write (file, 2 * SIZE - 1, "x", 1, &error));
  g_assert_no_error (error);
}

static void
test_write_seal_is_busy_while_mapped_for_writing (void)
{
  g_autoptr (MmioFile) file = new_sealable_file ();
  g_autoptr (MmioFile) finished = NULL;
  g_autoptr (GError) error = NULL;
  char buffer[5];

  if (file == NULL)
    return;

  g_assert_true (mmio_file_write (file, 0, "hello", 5, &error));
  g_assert_false (mmio_file_seal (file, MMIO_SEAL_FLAGS_WRITE, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_BUSY);
  g_clear_error (&error);
  g_assert_cmpuint (mmio_file_get_seals (file), ==, MMIO_SEAL_FLAGS_NONE);

  /* As the documentation says. */
  finished = mmio_file_new_for_fd (mmio_file_get_fd (file), MMIO_MODE_COPY_ON_WRITE, &error);
  g_assert_no_error (error);
  g_assert_true (mmio_file_close (file, &error));
  g_assert_no_error (error);
  g_assert_true (mmio_file_seal (finished, MMIO_SEAL_FLAGS_WRITE, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (mmio_file_get_seals (finished), ==, MMIO_SEAL_FLAGS_WRITE);
  g_assert_cmpint (pwrite (mmio_file_get_fd (finished), "x", 1, 0), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  g_assert_true (mmio_file_read (finished, 0, buffer, 5, &error));
  g_assert_cmpmem (buffer, 5, "hello", 5);
}

static void
test_future_write_seal_leaves_this_mapping (void)
{
  g_autoptr (MmioFile) file = new_sealable_file ();
  g_autoptr (GError) error = NULL;

  if (file == NULL)
    return;

  if (!mmio_file_seal (file, MMIO_SEAL_FLAGS_FUTURE_WRITE, &error))
    {
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED);
      g_test_skip ("this kernel doesn't know F_SEAL_FUTURE_WRITE");
      return;
    }
  g_assert_true (mmio_file_write (file, 0, "hello", 5, &error));
  g_assert_no_error (error);
  g_assert_cmpint (pwrite (mmio_file_get_fd (file), "x", 1, 0), ==, -1);
  g_assert_null (mmio_file_new_for_fd (mmio_file_get_fd (file), MMIO_MODE_READ_WRITE, &error));
  g_assert_nonnull (error);
}

static void
test_sealed_against_seals_is_an_error (void)
{
  g_autoptr (MmioFile) file = new_sealable_file ();
  g_autoptr (GError) error = NULL;

  if (file == NULL)
    return;

  g_assert_true (mmio_file_seal (file, MMIO_SEAL_FLAGS_SEAL, &error));
  g_assert_false (mmio_file_seal (file, MMIO_SEAL_FLAGS_GROW, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);

  g_assert_true (mmio_file_close (file, &error));
  g_assert_false (mmio_file_seal (file, MMIO_SEAL_FLAGS_GROW, &error));
  g_assert_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED);
  g_assert_cmpuint (mmio_file_get_seals (file), ==, MMIO_SEAL_FLAGS_NONE);
}

static void
test_sealing_a_named_file_is_not_supported (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("mmio-anonymous-XXXXXX", &error);
  const char *folders[] = { folder, "/dev/shm" };

  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++)
    {
      g_autofree char *named = g_strdup_printf ("%s/mmio-anonymous-%d", folders[i], (int) getpid ());
      g_autoptr (MmioFile) file = NULL;

      /* The second one is there only where it is a tmpfs. */
      if (g_access (folders[i], W_OK) != 0)
        continue;
      file = mmio_file_create (named, 1, MMIO_CREATE_FLAGS_NONE, &error);
      g_assert_no_error (error);
      g_assert_no_errno (g_access (named, F_OK));
      g_assert_false (mmio_file_seal (file, MMIO_SEAL_FLAGS_GROW, &error));
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED);
      g_clear_error (&error);
      g_assert_no_errno (g_unlink (named));
    }
  g_assert_no_errno (g_rmdir (folder));
}

/* Another process */

static GUnixConnection *
connection_for (int fd)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (fd, &error);

  g_assert_no_error (error);
  return G_UNIX_CONNECTION (g_socket_connection_factory_create_connection (socket));
}

static int
role_receive (const char *argument)
{
  g_autoptr (GUnixConnection) connection = connection_for (3);
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioAtomicU32) atomic = NULL;
  int fd;

  fd = g_unix_connection_receive_fd (connection, NULL, &error);
  g_assert_no_error (error);
  file = mmio_file_new_for_fd (fd, MMIO_MODE_READ_WRITE, &error);
  g_assert_no_error (error);
  g_assert_no_errno (close (fd));

  atomic = mmio_file_get_atomic_u32 (file, 4096, 1, &error);
  g_assert_no_error (error);
  while (mmio_atomic_u32_load (atomic, 0) == 0)
    {
      mmio_atomic_u32_wait (atomic, 0, 0, 60000, NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (mmio_atomic_u32_add (atomic, 0, 1), ==, 1);
  mmio_atomic_u32_wake (atomic, 0, 1);

  return 0;
}

static void
test_passed_over_a_socket_it_shares_an_atomic (void)
{
  g_autoptr (MmioFile) file = new_file ();
  g_autoptr (GUnixConnection) connection = NULL;
  g_autoptr (MmioAtomicU32) atomic = NULL;
  g_autoptr (GError) error = NULL;
  GSubprocess *process;
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM, 0, fds));
  g_assert_no_errno (fcntl (fds[0], F_SETFD, FD_CLOEXEC));
  process = other_process_start ("receive", "", fds[1]);
  connection = connection_for (fds[0]);
  g_assert_true (g_unix_connection_send_fd (connection, mmio_file_get_fd (file), NULL, &error));
  g_assert_no_error (error);

  atomic = mmio_file_get_atomic_u32 (file, 4096, 1, &error);
  g_assert_no_error (error);
  mmio_atomic_u32_store (atomic, 0, 1);
  mmio_atomic_u32_wake (atomic, 0, 1);
  while (mmio_atomic_u32_load (atomic, 0) == 1)
    {
      mmio_atomic_u32_wait (atomic, 0, 1, 60000, NULL, &error);
      g_assert_no_error (error);
    }
  g_assert_cmpuint (mmio_atomic_u32_load (atomic, 0), ==, 2);
  other_process_finish (process);
}

int
main (int   argc,
      char *argv[])
{
  const OtherProcessRole roles[] = { { "receive", role_receive } };

  other_process_main (argc, argv, roles, G_N_ELEMENTS (roles));
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/anonymous/is-mapped-for-writing-and-zero", test_is_mapped_for_writing_and_zero);
  g_test_add_func ("/anonymous/belongs-to-its-user-alone", test_belongs_to_its_user_alone);
  g_test_add_func ("/anonymous/any-name-will-do", test_any_name_will_do);
  g_test_add_func ("/anonymous/too-large-is-an-error", test_too_large_is_an_error);
  g_test_add_func ("/anonymous/seal/sealed-size-stays", test_sealed_size_stays);
  g_test_add_func ("/anonymous/seal/write-is-busy-while-mapped-for-writing",
                   test_write_seal_is_busy_while_mapped_for_writing);
  g_test_add_func ("/anonymous/seal/future-write-leaves-this-mapping", test_future_write_seal_leaves_this_mapping);
  g_test_add_func ("/anonymous/seal/sealed-against-seals-is-an-error", test_sealed_against_seals_is_an_error);
  g_test_add_func ("/anonymous/seal/named-file-is-not-supported", test_sealing_a_named_file_is_not_supported);
  g_test_add_func ("/anonymous/passed-over-a-socket-it-shares-an-atomic", test_passed_over_a_socket_it_shares_an_atomic);

  return g_test_run ();
}
