/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * System calls that not every system has, each with its fallback; what there is, configure has found out.
 */
#include "config.h"

#include "mmio-os-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#ifdef HAVE_SYS_VFS_H
#include <sys/vfs.h>
#endif
#ifdef HAVE_LINUX_MAGIC_H
#include <linux/magic.h>
#endif

/* What is less is found in memory sooner than a system call could tell. */
#define HOLES_MIN ((off_t) 1 << 20)

gsize
mmio_os_page_size (void)
{
  static gsize page_size;

  if (g_once_init_enter (&page_size))
    g_once_init_leave (&page_size, (gsize) sysconf (_SC_PAGESIZE));

  return page_size;
}

static gboolean
get_limit (int      resource,
           guint64 *value)
{
  struct rlimit limit;

  if (getrlimit (resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return FALSE;

  *value = (guint64) limit.rlim_cur;
  return TRUE;
}

char *
mmio_os_display_name (const char *path)
{
  /* GLib takes a lock for it, which a thread of the parent may have held in the child of a fork. */
  return g_str_is_ascii (path) ? g_strdup (path) : g_filename_display_name (path);
}

char *
mmio_os_describe (int error)
{
  guint64 limit;

  if (error == EMFILE && get_limit (RLIMIT_NOFILE, &limit))
    /* Translators: %s is the system's message, as in "Too many open files". */
    return g_strdup_printf (_("%s (the limit is RLIMIT_NOFILE, %" PRIu64 ")"), g_strerror (error), limit);
  if (error == ENFILE)
    return g_strdup_printf (_("%s (the limit is fs.file-max)"), g_strerror (error));
  if (error == EFBIG && get_limit (RLIMIT_FSIZE, &limit))
    return g_strdup_printf (_("%s (the limit is RLIMIT_FSIZE, %" PRIu64 ")"), g_strerror (error), limit);

  return g_strdup (g_strerror (error));
}

int
mmio_os_set_size (int      fd,
                  guint64  size,
                  guint64 *allowed)
{
  struct stat buffer;
  guint64 limit;
  int result;

  if (size > (guint64) G_MAXINT64)
    return EFBIG;
  if (allowed == NULL || size > *allowed)
    {
      gboolean is_allowed = !get_limit (RLIMIT_FSIZE, &limit) || size <= limit;

      if (!is_allowed && fstat (fd, &buffer) == 0 && size > (guint64) buffer.st_size)
        return EFBIG;
      if (is_allowed && allowed != NULL)
        *allowed = size;
    }

  do
    result = ftruncate (fd, (off_t) size) == 0 ? 0 : errno;
  while (result == EINTR);

  return result;
}

int
mmio_os_get_size (int      fd,
                  guint64 *size)
{
  struct stat buffer;

#if defined(HAVE_STATX) && defined(STATX_SIZE)
  struct statx extended;

  if (statx (fd, "", AT_EMPTY_PATH, STATX_SIZE, &extended) == 0 && (extended.stx_mask & STATX_SIZE) != 0)
    {
      *size = extended.stx_size;
      return 0;
    }
#endif

  if (fstat (fd, &buffer) != 0)
    return errno;

  *size = (guint64) buffer.st_size;
  return 0;
}

static gboolean
is_unsupported (int result)
{
#if EOPNOTSUPP != ENOTSUP
  if (result == EOPNOTSUPP)
    return TRUE;
#endif
  return result == ENOTSUP || result == ENOSYS;
}

int
mmio_os_preallocate (int     fd,
                     guint64 offset,
                     guint64 length)
{
  int result = ENOTSUP;

  if (length == 0)
    return 0;

#ifdef HAVE_FALLOCATE
  do
    result = fallocate (fd, 0, (off_t) offset, (off_t) length) == 0 ? 0 : errno;
  while (result == EINTR);
#endif
#ifdef HAVE_POSIX_FALLOCATE
  /* Writes into each block where the file system itself can't reserve. */
  if (is_unsupported (result))
    do
      result = posix_fallocate (fd, (off_t) offset, (off_t) length);
    while (result == EINTR);
#endif

  return result;
}

int
mmio_os_allocate_range (int     fd,
                        guint64 offset,
                        guint64 length)
{
#if defined(HAVE_FALLOCATE) && defined(FALLOC_FL_KEEP_SIZE)
  int result;

  do
    result = fallocate (fd, FALLOC_FL_KEEP_SIZE, (off_t) offset, (off_t) length) == 0 ? 0 : errno;
  while (result == EINTR);

  return is_unsupported (result) ? ENOTSUP : result;
#else
  return ENOTSUP;
#endif
}

#if defined(HAVE_FALLOCATE) && defined(FALLOC_FL_PUNCH_HOLE) && defined(FALLOC_FL_KEEP_SIZE)
/* A hole of one byte where a file can have its very last one, and this one ends long before: nothing is changed, and nothing has to
 * be written. ENOTSUP where that can't be. */
static int
punch_nothing (int     fd,
               guint64 size,
               guint  *way)
{
  /* The last bytes of the largest files there can be: in general, and on ext4 with blocks of 4, 2 and 1 KiB, which refuses
   * the others with EFBIG. */
  static const gint64 last_bytes[] = { G_MAXINT64 - 1, 4096 * (gint64) G_MAXUINT32 - 1, 2048 * (gint64) G_MAXUINT32 - 1,
                                       1024 * (gint64) G_MAXUINT32 - 1 };

  if (sizeof (off_t) < sizeof (gint64))
    return ENOTSUP;

  while (*way < G_N_ELEMENTS (last_bytes) && (guint64) last_bytes[*way] / 2 >= size)
    {
      if (fallocate (fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t) last_bytes[*way], 1) == 0)
        return 0;
      /* What can't be done there, or not so far out, can't be the next time either. */
      if (errno == EFBIG)
        (*way)++;
      else if (is_unsupported (errno))
        *way = G_N_ELEMENTS (last_bytes);
      else
        break;
    }

  return ENOTSUP;
}
#else
static int
punch_nothing (int     fd G_GNUC_UNUSED,
               guint64 size G_GNUC_UNUSED,
               guint  *way G_GNUC_UNUSED)
{
  return ENOTSUP;
}
#endif

gboolean
mmio_os_has_holes (int fd)
{
  struct stat buffer;

  return fstat (fd, &buffer) == 0 && buffer.st_size >= HOLES_MIN && buffer.st_blocks < (buffer.st_size - HOLES_MIN) / 512;
}

#if HAVE_DECL_SEEK_DATA && defined(HAVE_SYS_VFS_H) && defined(HAVE_LINUX_MAGIC_H)
/* Those that know of each page that somebody has stored to through a mapping. Not overlayfs, where the same name may be opened as
 * another file than the one that is mapped; nor what comes by the network or from a program, which may know less. */
static gboolean
knows_its_holes (int fd)
{
  struct statfs buffer;

  if (fstatfs (fd, &buffer) != 0)
    return FALSE;

  switch ((guint32) buffer.f_type)
    {
    case EXT4_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
#ifdef XFS_SUPER_MAGIC
    case XFS_SUPER_MAGIC:
#endif
      return TRUE;
    default:
      return FALSE;
    }
}

int
mmio_os_open_to_seek (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  struct stat own, there;
  int other;

  if (!knows_its_holes (fd))
    return -1;
  other = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (other < 0)
    return -1;
  if (fstat (fd, &own) != 0 || fstat (other, &there) != 0 || own.st_dev != there.st_dev || own.st_ino != there.st_ino)
    {
      close (other);
      return -1;
    }

  return other;
}

int
mmio_os_seek_data (int      fd,
                   guint64  offset,
                   guint64 *data)
{
  off_t result;

  if (offset > (guint64) G_MAXINT64)
    return EOVERFLOW;
  result = lseek (fd, (off_t) offset, SEEK_DATA);
  if (result < 0)
    return errno;

  *data = (guint64) result;
  return 0;
}
#else
int
mmio_os_open_to_seek (int fd G_GNUC_UNUSED)
{
  return -1;
}

int
mmio_os_seek_data (int      fd G_GNUC_UNUSED,
                   guint64  offset G_GNUC_UNUSED,
                   guint64 *data G_GNUC_UNUSED)
{
  return ENOTSUP;
}
#endif

gboolean
mmio_os_is_full (int     fd,
                 guint64 length)
{
  struct statvfs buffer;

  /* One that is full to its users shows up to a fiftieth as free. */
  return fstatvfs (fd, &buffer) == 0 &&
         (guint64) buffer.f_bavail < length / MAX (buffer.f_frsize, 1) + 1 + (guint64) buffer.f_blocks / 50;
}

/* The kernel raises IN_MODIFY for whatever fallocate does, also where that is nothing. Of the two calls that change nothing here the
 * second one has ext4 commit its journal at the next sync, which then takes 1.3 times as long. Not ftruncate to the same
 * size, which could cut off what another process has just appended. Where there is no such call a change of the times at least
 * raises an attribute event. */
int
mmio_os_announce (int     fd,
                  guint64 offset,
                  guint64 size,
                  guint  *way)
{
  int result = punch_nothing (fd, size, way);

  /* The block is there already, it has just been synced. */
  if (result != 0)
    result = mmio_os_allocate_range (fd, offset, 1);
  if (result == ENOTSUP)
    result = futimens (fd, NULL) == 0 ? 0 : errno;

  return result;
}

int
mmio_os_start_writeback (int     fd,
                         guint64 offset,
                         guint64 length)
{
  int result = 0;

#ifdef HAVE_SYNC_FILE_RANGE
  do
    result = sync_file_range (fd, (off_t) offset, (off_t) length, SYNC_FILE_RANGE_WRITE) == 0 ? 0 : errno;
  while (result == EINTR);
#endif

  return is_unsupported (result) ? 0 : result;
}

int
mmio_os_sync_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int result = 0;
  int fd = open (folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

  if (fd < 0)
    return errno;
  /* EINVAL: the file system has no need of it and says so. */
  if (fsync (fd) != 0 && errno != EINVAL)
    result = errno;
  close (fd);

  return result;
}

int
mmio_os_replace_fd (int fd,
                    int target)
{
  int result;

  do
    {
#ifdef HAVE_DUP3
      result = dup3 (fd, target, O_CLOEXEC) >= 0 ? 0 : errno;
#else
      result = dup2 (fd, target) >= 0 && fcntl (target, F_SETFD, FD_CLOEXEC) == 0 ? 0 : errno;
#endif
    }
  while (result == EINTR || result == EBUSY);

  return result;
}

int
mmio_os_can_replace_fd (int target)
{
  guint64 limit;

  return get_limit (RLIMIT_NOFILE, &limit) && (guint64) target >= limit ? EMFILE : 0;
}

gboolean
mmio_os_has_descriptors (void)
{
  int fds[2];

  if (!g_unix_open_pipe (fds, FD_CLOEXEC, NULL))
    return FALSE;

  close (fds[0]);
  close (fds[1]);
  return TRUE;
}

gsize
mmio_os_fd_page_size (int   fd,
                      gsize block_size)
{
#if defined(HAVE_SYS_VFS_H) && defined(HUGETLBFS_MAGIC)
  struct statfs buffer;

  /* The smallest huge page there is has 1 MiB: no need to ask for an ordinary file. */
  if (block_size >= 1024 * 1024 && fstatfs (fd, &buffer) == 0 && (guint32) buffer.f_type == HUGETLBFS_MAGIC)
    return (gsize) buffer.f_bsize;
#endif

  return mmio_os_page_size ();
}
