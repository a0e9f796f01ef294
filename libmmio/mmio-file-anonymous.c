/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files in memory that have no name, and what nobody may do with them any more.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-os-private.h"

static MmioFile *
fail_to_create (const char *path,
                guint64     size,
                int         saved_errno,
                GError    **error)
{
  g_autofree char *name = mmio_os_display_name (path);
  g_autofree char *reason = mmio_os_describe (saved_errno);

  g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (saved_errno),
               g_dngettext (GETTEXT_PACKAGE, "%s: could not create with %" PRIu64 " byte: %s",
                            "%s: could not create with %" PRIu64 " bytes: %s", (gulong) size),
               name, size, reason);
  return NULL;
}

/**
 * mmio_file_new_anonymous: (constructor)
 * @name: (nullable): a name for people who look at the process, need not be the only one of its kind
 * @size: its size in bytes; it reads as zeros
 * @error: return location for an error
 *
 * Makes a file in memory that stands at no path, and maps it with %MMIO_MODE_READ_WRITE.
 *
 * Other processes get at it through its descriptor: a child inherits it, or `g_unix_connection_send_fd ()` passes it over a socket, and the
 * other side gives it to [ctor@Mmio.File.new_for_fd]. Nobody else can open it, but for processes of the same user. It goes with its last
 * descriptor and mapping.
 *
 * It is a [memfd_create(2)](man:memfd_create(2)) file, which can be sealed: see [method@Mmio.File.seal]. Where the system has none it is
 * a temporary file of mode 0600 that has been unlinked, and can't be.
 *
 * ```c
 * g_autoptr (MmioFile) file = mmio_file_new_anonymous ("frames", 1 << 20, &error);
 *
 * if (file != NULL)
 *   g_unix_connection_send_fd (connection, mmio_file_get_fd (file), cancellable, &error);
 * ```
 *
 * Errors are those of the %G_IO_ERROR domain: %G_IO_ERROR_TOO_MANY_OPEN_FILES, %G_IO_ERROR_NO_SPACE, …
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_new_anonymous (const char *name,
                         guint64     size,
                         GError    **error)
{
  g_autoptr (MmioFile) self = NULL;
  g_autofree char *path = NULL;
  int result;
  int fd;

  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if (name == NULL)
    name = "libmmio";
  path = g_strconcat ("memfd:", name, NULL);

  fd = mmio_os_open_anonymous (name);
  if (fd < 0)
    return fail_to_create (path, size, errno, error);
  result = mmio_os_set_size (fd, size, NULL);
  if (result != 0)
    {
      close (fd);
      return fail_to_create (path, size, result, error);
    }

  self = g_object_new (MMIO_TYPE_FILE, NULL);
  self->mapping.path = g_steal_pointer (&path);
  self->mapping.mode = MMIO_MODE_READ_WRITE;

  return mmio_file_map_fd (self, fd, error) ? g_steal_pointer (&self) : NULL;
}

static gboolean
fail_to_seal (MmioFile *self,
              int       fd,
              int       saved_errno,
              GError  **error)
{
  g_autofree char *name = mmio_mapping_dup_name (&self->mapping);
  int access = fcntl (fd, F_GETFL);
  struct stat buffer;

  /* A file of a tmpfs that has a name was never to be sealed, and says so with this error. */
  if (saved_errno == EPERM && fstat (fd, &buffer) == 0 && buffer.st_nlink > 0)
    saved_errno = EINVAL;

  if (saved_errno == EBUSY)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_BUSY,
                 _("%s: can't be sealed against writing while it is mapped for writing, by this object or any other process"), name);
  else if (saved_errno == EINVAL)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED, _("%s: can't be sealed: it is not an anonymous file that allows it"),
                 name);
  else if (saved_errno == EPERM && access >= 0 && (access & O_ACCMODE) == O_RDONLY)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE, _("%s: can't be sealed: it was not opened for writing"), name);
  else if (saved_errno == EPERM)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED, _("%s: is sealed against further seals"), name);
  else
    g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (saved_errno), _("%s: could not be sealed: %s"), name,
                 g_strerror (saved_errno));
  return FALSE;
}

/**
 * mmio_file_seal:
 * @self: a file
 * @flags: what nobody may do any more
 * @error: return location for an error
 *
 * Forbids something to everyone who has the file, for ever: so that a process which is given the file knows that the other side can't
 * truncate it or change it. See [fcntl(2)](man:fcntl(2)), `F_ADD_SEALS`. Seals add up.
 *
 * What a seal forbids is an error where it is tried: [method@Mmio.File.resize] is %MMIO_ERROR_RESIZE_FAILED.
 *
 * %MMIO_SEAL_FLAGS_WRITE needs that nobody has the file mapped for writing, and a file of mode %MMIO_MODE_READ_WRITE is so mapped itself, as
 * is, for the system, one of mode %MMIO_MODE_READ_ONLY over a descriptor that could write. %MMIO_SEAL_FLAGS_FUTURE_WRITE can be
 * had at any time. To seal a file whose content is complete against all writing, map it anew for that:
 *
 * ```c
 * g_autoptr (MmioFile) finished = mmio_file_new_for_fd (mmio_file_get_fd (file), MMIO_MODE_COPY_ON_WRITE, &error);
 *
 * if (finished != NULL &&
 *     mmio_file_close (file, &error) &&
 *     mmio_file_seal (finished, MMIO_SEAL_FLAGS_WRITE | MMIO_SEAL_FLAGS_SHRINK | MMIO_SEAL_FLAGS_GROW, &error))
 *   …
 * ```
 *
 * May be called from any thread.
 *
 * Errors: %MMIO_ERROR_BUSY for %MMIO_SEAL_FLAGS_WRITE while the file is mapped for writing; %MMIO_ERROR_NOT_SUPPORTED for a file
 * that can't be sealed, which is any but an anonymous one, or where the system doesn't know the seal; %MMIO_ERROR_WRONG_MODE if the
 * descriptor was not opened for writing; %G_IO_ERROR_PERMISSION_DENIED if it is sealed with %MMIO_SEAL_FLAGS_SEAL;
 * %MMIO_ERROR_CLOSED. On an error no seal was added.
 *
 * Returns: %TRUE if the file is sealed
 *
 * Since: 1.0
 */
gboolean
mmio_file_seal (MmioFile      *self,
                MmioSealFlags  flags,
                GError       **error)
{
  gboolean success = TRUE;
  int result;
  int fd;

  g_return_val_if_fail (MMIO_IS_FILE (self), FALSE);
  g_return_val_if_fail (error == NULL || *error == NULL, FALSE);

  /* One of our own: the file may be closed by another thread meanwhile. */
  fd = mmio_mapping_dup_fd (&self->mapping, error);
  if (fd < 0)
    return FALSE;

  /* A range that can't be cut off any more needs no guard either, but leaving it costs nothing. */
  result = mmio_os_add_seals (fd, flags);
  if (result != 0)
    success = fail_to_seal (self, fd, result, error);
  close (fd);

  return success;
}

/**
 * mmio_file_get_seals:
 * @self: a file
 *
 * Gets what nobody may do with the file any more, whoever has sealed it. See [method@Mmio.File.seal].
 *
 * May be called from any thread.
 *
 * Returns: the seals; %MMIO_SEAL_FLAGS_NONE for a file that can't be sealed or is closed
 *
 * Since: 1.0
 */
MmioSealFlags
mmio_file_get_seals (MmioFile *self)
{
  MmioSealFlags flags;
  int fd;

  g_return_val_if_fail (MMIO_IS_FILE (self), MMIO_SEAL_FLAGS_NONE);

  fd = mmio_mapping_dup_fd (&self->mapping, NULL);
  if (fd < 0)
    return MMIO_SEAL_FLAGS_NONE;

  flags = mmio_os_get_seals (fd);
  close (fd);

  return flags;
}
