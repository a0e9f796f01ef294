/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#define FUSE_USE_VERSION 31

#include "fuse-disk.h"

#include <errno.h>
#include <fuse.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

static FuseDisk *disk;          /* in the process that serves it */

static FuseDiskFile *
find_file (const char *path)
{
  for (guint i = 0; i < FUSE_DISK_FILES; i++)
    if (disk->files[i].name[0] != '\0' && strcmp (disk->files[i].name, path + 1) == 0)
      return &disk->files[i];

  return NULL;
}

static gboolean
is_to_fail (gint *counter)
{
  gint left = g_atomic_int_get (counter);

  if (left <= 0)
    return FALSE;
  g_atomic_int_set (counter, left - 1);
  __atomic_add_fetch (&disk->n_failures, 1, __ATOMIC_SEQ_CST);
  return TRUE;
}

static void
hold (gint *flag)
{
  if (!g_atomic_int_get (flag))
    return;

  g_atomic_int_inc (&disk->n_held);
  while (g_atomic_int_get (flag))
    g_thread_yield ();
}

static void *
on_init (struct fuse_conn_info *connection G_GNUC_UNUSED,
         struct fuse_config    *config)
{
  config->attr_timeout = 0;
  config->entry_timeout = 0;
  config->negative_timeout = 0;
  config->hard_remove = 1;
  return NULL;
}

static int
on_getattr (const char            *path,
            struct stat           *buffer,
            struct fuse_file_info *info G_GNUC_UNUSED)
{
  const FuseDiskFile *file = find_file (path);

  memset (buffer, 0, sizeof *buffer);
  buffer->st_nlink = 1;
  if (strcmp (path, "/") == 0)
    {
      buffer->st_mode = S_IFDIR | 0755;
      return 0;
    }
  if (file == NULL)
    return -ENOENT;
  buffer->st_mode = S_IFREG | file->mode;
  buffer->st_size = (off_t) file->size;
  return 0;
}

static int
on_create (const char            *path,
           mode_t                 mode,
           struct fuse_file_info *info G_GNUC_UNUSED)
{
  for (guint i = 0; i < FUSE_DISK_FILES; i++)
    if (disk->files[i].name[0] == '\0')
      {
        memset (&disk->files[i], 0, sizeof disk->files[i]);
        disk->files[i].mode = mode & 07777;
        g_strlcpy (disk->files[i].name, path + 1, sizeof disk->files[i].name);
        return 0;
      }

  return -ENOSPC;
}

static int
on_open (const char            *path,
         struct fuse_file_info *info)
{
  info->direct_io = g_atomic_int_get (&disk->no_mapping) != 0;
  return find_file (path) != NULL ? 0 : -ENOENT;
}

static int
on_read (const char            *path,
         char                  *buffer,
         size_t                 count,
         off_t                  offset,
         struct fuse_file_info *info G_GNUC_UNUSED)
{
  const FuseDiskFile *file = find_file (path);

  if (file == NULL)
    return -ENOENT;
  if (is_to_fail (&disk->fail_reads))
    return -EIO;
  if ((gsize) offset >= file->size)
    return 0;
  count = MIN (count, file->size - (gsize) offset);
  memcpy (buffer, file->data + offset, count);
  return (int) count;
}

static int
on_write (const char            *path,
          const char            *buffer,
          size_t                 count,
          off_t                  offset,
          struct fuse_file_info *info G_GNUC_UNUSED)
{
  FuseDiskFile *file = find_file (path);

  if (file == NULL)
    return -ENOENT;
  if (is_to_fail (&disk->fail_writes))
    return -EIO;
  if ((gsize) offset + count > FUSE_DISK_MAX)
    return -EFBIG;
  memcpy (file->data + offset, buffer, count);
  file->size = MAX (file->size, (gsize) offset + count);
  return (int) count;
}

static int
on_truncate (const char            *path,
             off_t                  size,
             struct fuse_file_info *info G_GNUC_UNUSED)
{
  FuseDiskFile *file = find_file (path);

  if (file == NULL)
    return -ENOENT;
  if (size > FUSE_DISK_MAX)
    return -EFBIG;
  if ((gsize) size < file->size)
    memset (file->data + size, 0, file->size - (gsize) size);
  file->size = (gsize) size;
  return 0;
}

static int
on_fsync (const char            *path,
          int                    data_only G_GNUC_UNUSED,
          struct fuse_file_info *info G_GNUC_UNUSED)
{
  FuseDiskFile *file = find_file (path);

  if (file == NULL)
    return -ENOENT;
  hold (&disk->hold_syncs);
  if (is_to_fail (&disk->fail_syncs))
    return -EIO;
  memcpy (file->stable, file->data, FUSE_DISK_MAX);
  file->stable_size = file->size;
  __atomic_add_fetch (&file->n_syncs, 1, __ATOMIC_SEQ_CST);
  return 0;
}

static int
on_fsyncdir (const char            *path G_GNUC_UNUSED,
             int                    data_only G_GNUC_UNUSED,
             struct fuse_file_info *info G_GNUC_UNUSED)
{
  __atomic_add_fetch (&disk->n_folder_syncs, 1, __ATOMIC_SEQ_CST);
  return 0;
}

static int
on_unlink (const char *path)
{
  FuseDiskFile *file = find_file (path);

  if (file == NULL)
    return -ENOENT;
  file->name[0] = '\0';
  return 0;
}

static int
on_rename (const char  *from,
           const char  *to,
           unsigned int flags G_GNUC_UNUSED)
{
  FuseDiskFile *file = find_file (from), *old = find_file (to);

  if (file == NULL)
    return -ENOENT;
  if (old != NULL)
    old->name[0] = '\0';
  g_strlcpy (file->name, to + 1, sizeof file->name);
  return 0;
}

static int
on_chmod (const char            *path,
          mode_t                 mode,
          struct fuse_file_info *info G_GNUC_UNUSED)
{
  FuseDiskFile *file = find_file (path);

  if (file != NULL)
    file->mode = mode & 07777;
  return file != NULL ? 0 : -ENOENT;
}

static int
on_chown (const char            *path,
          uid_t                  user G_GNUC_UNUSED,
          gid_t                  group G_GNUC_UNUSED,
          struct fuse_file_info *info G_GNUC_UNUSED)
{
  return find_file (path) != NULL ? 0 : -ENOENT;
}

static int
on_utimens (const char            *path,
            const struct timespec  times[2] G_GNUC_UNUSED,
            struct fuse_file_info *info G_GNUC_UNUSED)
{
  hold (&disk->hold_times);
  return find_file (path) != NULL ? 0 : -ENOENT;
}

static const struct fuse_operations operations = {
  .init = on_init,
  .getattr = on_getattr,
  .create = on_create,
  .open = on_open,
  .read = on_read,
  .write = on_write,
  .truncate = on_truncate,
  .fsync = on_fsync,
  .fsyncdir = on_fsyncdir,
  .unlink = on_unlink,
  .rename = on_rename,
  .chmod = on_chmod,
  .chown = on_chown,
  .utimens = on_utimens,
};

static int
serve (const char *folder,
       int         ready)
{
  char *argv[] = { (char *) "fuse-disk", NULL };
  struct fuse_args args = FUSE_ARGS_INIT (1, argv);
  struct fuse *fuse = fuse_new (&args, &operations, sizeof operations, NULL);

  if (fuse == NULL || fuse_mount (fuse, folder) != 0 || write (ready, "x", 1) != 1)
    return 1;
  close (ready);

  return fuse_loop (fuse);
}

gboolean
fuse_disk_mount (FuseDisk   *self,
                 const char *folder)
{
  int fds[2];
  char byte;
  gboolean ready;
  pid_t pid;

  if (unshare (CLONE_NEWNS) != 0 || mount ("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || pipe (fds) != 0)
    return FALSE;

  pid = fork ();
  if (pid == 0)
    {
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      close (fds[0]);
      disk = self;
      _exit (serve (folder, fds[1]));
    }

  close (fds[1]);
  ready = pid > 0 && read (fds[0], &byte, 1) == 1;
  close (fds[0]);

  return ready;
}
