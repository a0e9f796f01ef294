/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Getting hold of a file: opening, creating, replacing. Every descriptor is close-on-exec, and nothing but a regular file is
 * ever waited for.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmio-os-private.h"

static void
set_io_error (GError    **error,
              const char *path,
              int         saved_errno,
              const char *format)
{
  g_autofree char *name = mmio_os_display_name (path);
  g_autofree char *reason = mmio_os_describe (saved_errno);
  g_autofree char *message = NULL;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  message = g_strdup_printf (format, name, reason);
#pragma GCC diagnostic pop
  g_set_error_literal (error, G_IO_ERROR, (gint) g_io_error_from_errno (saved_errno), message);
}

static int
retry_open (const char *path,
            int         flags,
            mode_t      permissions)
{
  int fd;

  do
    fd = open (path, flags | O_CLOEXEC | O_NOCTTY, permissions);
  while (fd < 0 && errno == EINTR);

  return fd;
}

gboolean
mmio_file_check_regular (const char        *path,
                         const struct stat *buffer,
                         GError           **error)
{
  g_autofree char *name = NULL;

  if (S_ISREG (buffer->st_mode))
    return TRUE;

  name = mmio_os_display_name (path);
  if (S_ISDIR (buffer->st_mode))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY, _("%s: is a directory"), name);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, _("%s: is not a regular file"), name);
  return FALSE;
}

int
mmio_file_open_regular (const char *path,
                        MmioMode    mode,
                        GError    **error)
{
  int flags = mode == MMIO_MODE_READ_WRITE ? O_RDWR : O_RDONLY;
  struct stat buffer;
  int fd;

  /* Not to wait for the other end of a FIFO, nor for a device. */
  fd = retry_open (path, flags | O_NONBLOCK, 0);
  /* A regular file somebody has a lease on: that wait has an end. */
  if (fd < 0 && errno == EWOULDBLOCK && stat (path, &buffer) == 0 && S_ISREG (buffer.st_mode))
    fd = retry_open (path, flags, 0);
  if (fd < 0)
    {
      /* ENXIO: a FIFO or socket, for which there is a better word. */
      int saved_errno = errno;

      if (saved_errno != ENXIO || stat (path, &buffer) != 0 || mmio_file_check_regular (path, &buffer, error))
        set_io_error (error, path, saved_errno, _("%s: could not open: %s"));
    }

  return fd;
}

/* Files of /proc and their like are made up as they are read: they say that they are empty, and nothing of them can be mapped.
 * Who has the descriptor of one is believed, since it may be one from which reading waits. */
static gboolean
check_empty (const char  *path,
             int          fd,
             struct stat *buffer,
             GError     **error)
{
  g_autofree char *name = NULL;
  char byte;

  if (pread (fd, &byte, 1, 0) <= 0)
    return TRUE;
  /* or somebody has written to it just now */
  if (fstat (fd, buffer) != 0 || buffer->st_size > 0)
    return TRUE;

  name = mmio_os_display_name (path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, _("%s: has content but no size, and can't be mapped"), name);
  return FALSE;
}

const char *
mmio_file_get_full_path (MmioFile *self)
{
  return self->full_path != NULL ? self->full_path : self->mapping.path;
}

/* A program may change to another folder, as daemons do. Not g_canonicalize_filename (), which takes away “..” as if there were no
 * symbolic links, nor g_get_current_dir (), which believes $PWD. */
static void
keep_full_path (MmioFile *self)
{
  char *folder;

  if (!self->has_name || g_path_is_absolute (self->mapping.path))
    return;

  folder = getcwd (NULL, 0);
  if (folder != NULL)
    self->full_path = g_build_filename (folder, self->mapping.path, NULL);
  free (folder);
}

gboolean
mmio_file_map_fd (MmioFile *self,
                  int       fd,
                  GError  **error)
{
  MmioMapping *mapping = &self->mapping;
  struct stat buffer;

  mapping->reserve = mapping->mode == MMIO_MODE_READ_WRITE || self->follow || mapping->reserve_size > 0;

  if (fstat (fd, &buffer) != 0)
    {
      set_io_error (error, mapping->path, errno, _("%s: could not get the size: %s"));
      close (fd);
      return FALSE;
    }
  if (!mmio_file_check_regular (mapping->path, &buffer, error) ||
      (buffer.st_size == 0 && self->initial_fd < 0 && !check_empty (mapping->path, fd, &buffer, error)))
    {
      close (fd);
      return FALSE;
    }
  if (!mmio_mapping_init (mapping, fd, (guint64) buffer.st_size, (gsize) buffer.st_blksize, error))
    return FALSE;

  keep_full_path (self);
  self->is_initialized = TRUE;
  mmio_file_take_seen (self, &buffer);
  /* A wish: a file that can't be had that way can still be had. */
  if (self->prefault)
    mmio_mapping_populate (mapping, 0, mapping->size, NULL, NULL);
  mmio_flusher_start (&self->flusher);

  return TRUE;
}

static gboolean
check_access (MmioFile *self,
              int       fd,
              GError  **error)
{
  int flags = fcntl (fd, F_GETFL);
  gboolean can_read, can_write;
  g_autofree char *name = NULL;

  if (flags < 0)
    {
      set_io_error (error, self->mapping.path, errno, _("%s: is no open descriptor: %s"));
      return FALSE;
    }

  can_read = (flags & O_ACCMODE) != O_WRONLY;
  can_write = (flags & O_ACCMODE) == O_RDWR;
#ifdef O_PATH
  /* Stands for the name alone, though it looks like O_RDONLY. */
  can_read = can_read && (flags & O_PATH) == 0;
#endif
  if (self->mapping.mode == MMIO_MODE_READ_WRITE ? can_write : can_read)
    return TRUE;

  name = mmio_os_display_name (self->mapping.path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
               can_read ? _("%s: was not opened for writing") : _("%s: was not opened for reading"), name);
  return FALSE;
}

static gboolean
map_initial_fd (MmioFile *self,
                GError  **error)
{
  int fd;

  g_clear_object (&self->location);
  g_free (self->mapping.path);
  self->mapping.path = g_strdup_printf ("fd %d", self->initial_fd);
  self->has_name = FALSE;

  if (!check_access (self, self->initial_fd, error))
    return FALSE;

  fd = fcntl (self->initial_fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    {
      set_io_error (error, self->mapping.path, errno, _("%s: could not duplicate: %s"));
      return FALSE;
    }
  self->mapping.shares_descriptor = TRUE;
  self->mapping.is_sealed = (mmio_os_get_seals (fd) & MMIO_SEAL_FLAGS_SHRINK) != 0;

  return mmio_file_map_fd (self, fd, error);
}

gboolean
mmio_file_map_path (MmioFile *self,
                    GError  **error)
{
  int fd;

  if (self->initial_fd >= 0)
    return map_initial_fd (self, error);

  if (self->mapping.path == NULL)
    {
      if (self->location != NULL)
        {
          g_autofree char *uri = g_file_get_uri (self->location);

          g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, _("%s: is not a local file"), uri);
        }
      else
        {
          g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                               _("A file to map needs a path, a location or a descriptor"));
        }
      return FALSE;
    }

  fd = mmio_file_open_regular (self->mapping.path, self->mapping.mode, error);

  return fd >= 0 && mmio_file_map_fd (self, fd, error);
}

static MmioFile *
new_for_path (const char *path,
              MmioMode    mode)
{
  MmioFile *self = g_object_new (MMIO_TYPE_FILE, NULL);

  self->mapping.path = g_strdup (path);
  self->mapping.mode = mode;
  self->has_name = TRUE;

  return self;
}

/**
 * mmio_file_open: (constructor)
 * @path: (type filename): the path of a regular file
 * @mode: how to map it
 * @error: return location for an error
 *
 * Maps a file. An empty one is mapped with size 0.
 *
 * Blocks for as long as the file system takes to open a file, never on a FIFO or device.
 *
 * With %MMIO_MODE_READ_WRITE the file has to be readable and writable, with the other modes readable. Errors are those of
 * the %G_IO_ERROR domain, as from `g_file_read ()`: %G_IO_ERROR_NOT_FOUND, %G_IO_ERROR_PERMISSION_DENIED,
 * %G_IO_ERROR_IS_DIRECTORY, %G_IO_ERROR_NOT_REGULAR_FILE for a FIFO, socket or device, %G_IO_ERROR_NOT_SUPPORTED for a file that is
 * made up as it is read, as those of `/proc` are, %G_IO_ERROR_TOO_MANY_OPEN_FILES, …
 *
 * See [open(2)](man:open(2)), [mmap(2)](man:mmap(2)).
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_open (const char *path,
                MmioMode    mode,
                GError    **error)
{
  g_autoptr (MmioFile) self = NULL;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (mode <= MMIO_MODE_COPY_ON_WRITE, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  self = new_for_path (path, mode);

  return mmio_file_map_path (self, error) ? g_steal_pointer (&self) : NULL;
}

/**
 * mmio_file_open_location: (constructor)
 * @location: a file with a local path
 * @mode: how to map it
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Maps a file that is given as a [iface@Gio.File]. As [ctor@Mmio.File.open] otherwise.
 *
 * A location without a local path is %G_IO_ERROR_NOT_SUPPORTED.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_open_location (GFile        *location,
                         MmioMode      mode,
                         GCancellable *cancellable,
                         GError      **error)
{
  g_return_val_if_fail (G_IS_FILE (location), NULL);
  g_return_val_if_fail (mode <= MMIO_MODE_COPY_ON_WRITE, NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (MMIO_TYPE_FILE, cancellable, error, "location", location, "mode", mode, NULL);
}

/**
 * mmio_file_new_for_fd: (constructor)
 * @fd: an open descriptor of a regular file
 * @mode: how to map it
 * @error: return location for an error
 *
 * Maps a file that is open already. The descriptor is duplicated and stays the caller's.
 *
 * One that was not opened for what @mode needs is %G_IO_ERROR_PERMISSION_DENIED; one that stands for anything but a regular file is
 * %G_IO_ERROR_IS_DIRECTORY or %G_IO_ERROR_NOT_REGULAR_FILE.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_new_for_fd (int       fd,
                      MmioMode  mode,
                      GError  **error)
{
  g_return_val_if_fail (fd >= 0, NULL);
  g_return_val_if_fail (mode <= MMIO_MODE_COPY_ON_WRITE, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  return g_initable_new (MMIO_TYPE_FILE, NULL, error, "fd", fd, "mode", mode, NULL);
}

/* Creating */

/* Gives the open, empty file its size and, where asked for, its blocks and its durability. */
static gboolean
furnish (int             fd,
         const char     *path,
         guint64         size,
         MmioCreateFlags flags,
         GError        **error)
{
  int result = mmio_os_set_size (fd, size, NULL);

  if (result == 0 && (flags & MMIO_CREATE_FLAGS_PREALLOCATE) != 0)
    result = mmio_os_preallocate (fd, 0, size);
  if (result == 0 && (flags & MMIO_CREATE_FLAGS_DURABLE) != 0)
    result = fsync (fd) == 0 ? 0 : errno;

  if (result != 0)
    {
      g_autofree char *name = mmio_os_display_name (path);
      g_autofree char *reason = mmio_os_describe (result);

      g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (result),
                   g_dngettext (GETTEXT_PACKAGE, "%s: could not create with %" PRIu64 " byte: %s",
                                "%s: could not create with %" PRIu64 " bytes: %s", (gulong) size),
                   name, size, reason);
    }

  return result == 0;
}

/* A new file beside path, under a name that nobody else has. */
static int
open_temporary (const char *path,
                mode_t      permissions,
                char      **temporary,
                GError    **error)
{
  int fd;

  for (guint i = 0; i < 100; i++)
    {
      g_autofree char *candidate = NULL;
      g_autofree char *folder = g_path_get_dirname (path);

      candidate = g_strdup_printf ("%s/.mmio-%08x%08x", folder, g_random_int (), (guint) getpid ());
      fd = retry_open (candidate, O_RDWR | O_CREAT | O_EXCL, permissions);
      if (fd >= 0)
        {
          *temporary = g_steal_pointer (&candidate);
          return fd;
        }
      if (errno != EEXIST)
        break;
    }

  set_io_error (error, path, errno, _("%s: could not create: %s"));
  return -1;
}

/* Furnishes and maps the new file at fd, which is taken over: what can fail does so before the file has its name. */
static MmioFile *
map_new (const char     *path,
         int             fd,
         guint64         size,
         MmioCreateFlags flags,
         GError        **error)
{
  g_autoptr (MmioFile) self = NULL;

  if (!furnish (fd, path, size, flags, error))
    {
      close (fd);
      return NULL;
    }

  self = new_for_path (path, MMIO_MODE_READ_WRITE);
  self->mapping.preallocate = (flags & MMIO_CREATE_FLAGS_PREALLOCATE) != 0;
  if (!mmio_file_map_fd (self, fd, error))
    return NULL;
  g_atomic_int_set (&self->mapping.size_pending, (flags & MMIO_CREATE_FLAGS_DURABLE) == 0);

  return g_steal_pointer (&self);
}

static gboolean
make_name_durable (const char     *path,
                   MmioCreateFlags flags,
                   GError        **error)
{
  int result = (flags & MMIO_CREATE_FLAGS_DURABLE) != 0 ? mmio_os_sync_folder (path) : 0;

  if (result != 0)
    set_io_error (error, path, result, _("%s: could not sync the folder: %s"));
  return result == 0;
}

static MmioFile *
create_exclusive (const char     *path,
                  guint64         size,
                  MmioCreateFlags flags,
                  GError        **error)
{
  g_autoptr (MmioFile) self = NULL;
  int fd = retry_open (path, O_RDWR | O_CREAT | O_EXCL, 0666);

  if (fd < 0)
    {
      set_io_error (error, path, errno, _("%s: could not create: %s"));
      return NULL;
    }
  self = map_new (path, fd, size, flags, error);
  if (self == NULL || !make_name_durable (path, flags, error))
    {
      unlink (path);
      return NULL;
    }

  return g_steal_pointer (&self);
}

/* The new file takes over who may do what with the old one. Without the right to give files away the owner stays ours. */
static int
take_over_permissions (int                fd,
                       const struct stat *old)
{
  mode_t permissions = old->st_mode & 07777;

  if (fchown (fd, old->st_uid, old->st_gid) != 0 && fchown (fd, (uid_t) -1, old->st_gid) != 0)
    permissions &= (mode_t) ~(S_ISUID | S_ISGID | S_IRWXG);

  return fchmod (fd, permissions) == 0 ? 0 : errno;
}

static MmioFile *
create_replacing (const char     *path,
                  guint64         size,
                  MmioCreateFlags flags,
                  GError        **error)
{
  g_autofree char *temporary = NULL;
  g_autoptr (MmioFile) self = NULL;
  struct stat old;
  gboolean exists = lstat (path, &old) == 0;
  /* A symbolic link at path is replaced itself; what it points to is left alone, and its permissions mean nothing. */
  gboolean is_regular = exists && S_ISREG (old.st_mode);
  int result;
  int fd;

  if (exists && !S_ISLNK (old.st_mode) && !mmio_file_check_regular (path, &old, error))
    return NULL;

  fd = open_temporary (path, is_regular ? 0600 : 0666, &temporary, error);
  if (fd < 0)
    return NULL;

  self = map_new (path, fd, size, flags, error);
  if (self != NULL)
    {
      result = is_regular ? take_over_permissions (fd, &old) : 0;
      if (result == 0 && is_regular && (flags & MMIO_CREATE_FLAGS_DURABLE) != 0)
        result = fsync (fd) == 0 ? 0 : errno;
      if (result == 0)
        result = rename (temporary, path) == 0 ? 0 : errno;
      if (result == 0)
        return make_name_durable (path, flags, error) ? g_steal_pointer (&self) : NULL;
      set_io_error (error, path, result, _("%s: could not replace: %s"));
    }

  unlink (temporary);
  return NULL;
}

/**
 * mmio_file_create: (constructor)
 * @path: (type filename): where to create the file
 * @size: its size in bytes; it reads as zeros
 * @flags: how to create it
 * @error: return location for an error
 *
 * Creates a file and maps it with %MMIO_MODE_READ_WRITE.
 *
 * If there is a file already this is %G_IO_ERROR_EXISTS, unless @flags has %MMIO_CREATE_FLAGS_REPLACE: then a new inode is put in its
 * place by [rename(2)](man:rename(2)), with the old one's permissions. The old file is never truncated, so whoever has it
 * mapped is not hurt. A symbolic link is replaced itself, not what it points to.
 *
 * With %MMIO_CREATE_FLAGS_PREALLOCATE a disk that is too full is %G_IO_ERROR_NO_SPACE. Where creation fails, nothing is left behind
 * and what was there is as it was. Other errors are those of the %G_IO_ERROR domain.
 *
 * Blocks for as long as the file system takes, and with %MMIO_CREATE_FLAGS_DURABLE until the disk has it.
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_create (const char     *path,
                  guint64         size,
                  MmioCreateFlags flags,
                  GError        **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  if ((flags & MMIO_CREATE_FLAGS_REPLACE) != 0)
    return create_replacing (path, size, flags, error);
  return create_exclusive (path, size, flags, error);
}

/**
 * mmio_file_open_or_create: (constructor)
 * @path: (type filename): the path of a file
 * @size: the size in bytes that a new file gets; one that exists keeps its own
 * @error: return location for an error
 *
 * Maps a file with %MMIO_MODE_READ_WRITE, and creates it if it isn't there.
 *
 * Of several processes that do so at once, one creates the file and all of them map that one: it appears at @path with all of its
 * size. Errors are those of the %G_IO_ERROR domain, as from [ctor@Mmio.File.open] and [ctor@Mmio.File.create].
 *
 * Returns: (transfer full): the mapped file, or %NULL with @error set
 *
 * Since: 1.0
 */
MmioFile *
mmio_file_open_or_create (const char *path,
                          guint64     size,
                          GError    **error)
{
  g_autofree char *name = NULL;

  g_return_val_if_fail (path != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  /* A second round comes only where somebody else created the file between the two steps, a third where it was removed
   * again. A symbolic link that points nowhere would go on for ever. */
  for (guint i = 0; i < 100; i++)
    {
      g_autoptr (GError) local_error = NULL;
      g_autofree char *temporary = NULL;
      MmioFile *self = mmio_file_open (path, MMIO_MODE_READ_WRITE, &local_error);
      int result;
      int fd;

      if (self != NULL)
        return self;
      if (!g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return NULL;
        }

      fd = open_temporary (path, 0666, &temporary, error);
      if (fd < 0)
        return NULL;
      self = map_new (path, fd, size, MMIO_CREATE_FLAGS_NONE, error);
      if (self == NULL)
        {
          unlink (temporary);
          return NULL;
        }

      /* Fails where rename would replace what another process has just created. */
      result = link (temporary, path) == 0 ? 0 : errno;
      unlink (temporary);
      if (result == 0)
        return self;

      g_object_unref (self);
      if (result == EPERM || result == EOPNOTSUPP || result == ENOSYS || result == EMLINK)
        {
          /* A file system without hard links. */
          g_clear_error (&local_error);
          self = create_exclusive (path, size, MMIO_CREATE_FLAGS_NONE, &local_error);
          if (self != NULL)
            return self;
          if (!g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_EXISTS))
            {
              g_propagate_error (error, g_steal_pointer (&local_error));
              return NULL;
            }
        }
      else if (result != EEXIST)
        {
          set_io_error (error, path, result, _("%s: could not create: %s"));
          return NULL;
        }
    }

  /* ENOENT, which is what opening said, would deny what stands there. */
  name = g_filename_display_name (path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, _("%s: is a symbolic link to a file that does not exist"), name);
  return NULL;
}
