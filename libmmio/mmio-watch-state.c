/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-state-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#ifdef HAVE_SYS_STATFS_H
#include <sys/statfs.h>
#endif

#define NS_PER_SECOND G_GINT64_CONSTANT (1000000000)

#ifdef HAVE_STATX
#include <sys/sysmacros.h>

static gint64
timestamp (const struct statx_timestamp *time)
{
  return time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

static int
read_state (int            dir,
            const char    *path,
            int            flags,
            MmioFileState *state)
{
  struct statx st;

  if (statx (dir, path, flags, STATX_BASIC_STATS | STATX_BTIME, &st) != 0)
    return errno;

  *state = (MmioFileState) {
    .exists = TRUE,
    .device = makedev (st.stx_dev_major, st.stx_dev_minor),
    .inode = st.stx_ino,
    .size = st.stx_size,
    .mtime = timestamp (&st.stx_mtime),
    .ctime = timestamp (&st.stx_ctime),
    .birth = (st.stx_mask & STATX_BTIME) != 0 ? timestamp (&st.stx_btime) : 0,
    .mode = st.stx_mode,
    .uid = st.stx_uid,
    .gid = st.stx_gid,
    .n_links = st.stx_nlink,
  };
  return 0;
}

static int
read_state_at_path (const char    *path,
                    MmioFileState *state)
{
  return read_state (AT_FDCWD, path, 0, state);
}

static int
read_state_of_fd (int            fd,
                  MmioFileState *state)
{
  return read_state (fd, "", AT_EMPTY_PATH, state);
}

#else

static void
take_stat (const struct stat *st,
           MmioFileState     *state)
{
  *state = (MmioFileState) {
    .exists = TRUE,
    .device = st->st_dev,
    .inode = st->st_ino,
    .size = st->st_size,
    .mtime = st->st_mtim.tv_sec * NS_PER_SECOND + st->st_mtim.tv_nsec,
    .ctime = st->st_ctim.tv_sec * NS_PER_SECOND + st->st_ctim.tv_nsec,
    .mode = st->st_mode,
    .uid = st->st_uid,
    .gid = st->st_gid,
    .n_links = st->st_nlink,
  };
}

static int
read_state_at_path (const char    *path,
                    MmioFileState *state)
{
  struct stat st;

  if (stat (path, &st) != 0)
    return errno;
  take_stat (&st, state);
  return 0;
}

static int
read_state_of_fd (int            fd,
                  MmioFileState *state)
{
  struct stat st;

  if (fstat (fd, &st) != 0)
    return errno;
  take_stat (&st, state);
  return 0;
}

#endif

/* The path leads nowhere, as opposed to: it can't be told now. */
static gboolean
error_means_absent (int error)
{
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP || error == ENAMETOOLONG ||
         error == ESTALE;
}

gboolean
mmio_file_state_read_path (const char    *path,
                           MmioFileState *state)
{
  int error = read_state_at_path (path, state);

  if (error == 0)
    return TRUE;
  *state = (MmioFileState) { .exists = FALSE };
  return error_means_absent (error);
}

gboolean
mmio_file_state_read_fd (int            fd,
                         MmioFileState *state)
{
  int error = read_state_of_fd (fd, state);

  if (error == 0)
    return TRUE;
  *state = (MmioFileState) { .exists = FALSE };
  return error_means_absent (error);
}

gboolean
mmio_file_state_same_inode (const MmioFileState *a,
                            const MmioFileState *b)
{
  if (!a->exists || !b->exists)
    return FALSE;
  return a->device == b->device && a->inode == b->inode && a->birth == b->birth;
}

gboolean
mmio_file_state_equal (const MmioFileState *a,
                       const MmioFileState *b)
{
  if (!a->exists || !b->exists)
    return a->exists == b->exists;
  return mmio_file_state_same_inode (a, b) && a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime &&
         a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->n_links == b->n_links;
}

gint64
mmio_file_clock (void)
{
#ifdef CLOCK_REALTIME_COARSE
  struct timespec now;

  if (clock_gettime (CLOCK_REALTIME_COARSE, &now) == 0)
    return now.tv_sec * NS_PER_SECOND + now.tv_nsec;
#endif
  /* no later than the last of 100 ticks a second */
  return g_get_real_time () * 1000 - NS_PER_SECOND / 100;
}

gboolean
mmio_file_state_is_fresh (const MmioFileState *state,
                          gint64               clock)
{
  return state->exists && state->ctime >= clock;
}

#ifdef HAVE_SYS_STATFS_H

MmioFileReach
mmio_file_get_reach (int fd)
{
  /* statfs(2); not all systems' headers have all of them */
  static const guint32 remote[] = {
    0x00006969, /* NFS */
    0x0000517b, /* SMB */
    0xfe534d42, /* SMB2 */
    0xff534d42, /* CIFS */
    0x65735546, /* FUSE */
    0x01021997, /* 9P */
    0x00c36400, /* Ceph */
    0x5346414f, /* AFS */
    0x6b414653, /* kAFS */
    0x73757245, /* Coda */
    0x0000564c, /* NCP */
    0x7461636f, /* OCFS2 */
    0x01161970, /* GFS2 */
    0x0bd00bd0, /* Lustre */
    0x47504653, /* GPFS */
    0x19830326, /* BeeGFS */
    0x20030528, /* OrangeFS */
    0x786f4256, /* VirtualBox shared folders */
    0xbacbacbc, /* VMware shared folders */
    0x7c7c6673, /* Parallels shared folders */
    0x00009fa0, /* proc: made up when it is read */
    0x62656572, /* sysfs */
    0x27e0eb,   /* cgroup */
    0x63677270, /* cgroup2 */
    0x64626720, /* debugfs */
  };
  const guint32 overlay = 0x794c7630;
  struct statfs st;

  if (fstatfs (fd, &st) != 0)
    return MMIO_FILE_REACH_LOCAL;
  for (guint i = 0; i < G_N_ELEMENTS (remote); i++)
    {
      if ((guint32) st.f_type == remote[i])
        return MMIO_FILE_REACH_REMOTE;
    }
  return (guint32) st.f_type == overlay ? MMIO_FILE_REACH_LAYERED : MMIO_FILE_REACH_LOCAL;
}

gboolean
mmio_file_tells_names (int fd)
{
  /* Those that are known to do so: other systems change them, or kernels by themselves, or "File" is found where "file" appears. */
  static const guint32 known[] = {
    0x0000ef53, /* ext2, ext3, ext4 */
    0x58465342, /* XFS */
    0x9123683e, /* btrfs */
    0xf2f52010, /* F2FS */
    0xca451a4e, /* bcachefs */
    0x01021994, /* tmpfs */
    0x858458f6, /* ramfs */
    0x958458f6, /* hugetlbfs */
  };
  struct statfs st;

  if (fstatfs (fd, &st) != 0)
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    {
      if ((guint32) st.f_type == known[i])
        return TRUE;
    }
  return FALSE;
}

#else

/* Which are local isn't known: none is taken for it. */
MmioFileReach
mmio_file_get_reach (int fd G_GNUC_UNUSED)
{
  return MMIO_FILE_REACH_LAYERED;
}

gboolean
mmio_file_tells_names (int fd G_GNUC_UNUSED)
{
  return FALSE;
}

#endif

static void
compare_content (const MmioFileState *before,
                 const MmioFileState *now,
                 MmioWatchHints       hints,
                 MmioWatchKnown       known,
                 MmioWatchVerdict    *verdict)
{
  gboolean written = (hints & MMIO_WATCH_HINT_WRITE) != 0;
  gboolean lost = (hints & MMIO_WATCH_HINT_LOST) != 0;

  /* utimensat () moves mtime and is heard as a change of attributes alone */
  if (now->mtime != before->mtime &&
      (lost || ((hints & MMIO_WATCH_HINT_ATTRIBUTES) == 0 && (known & MMIO_WATCH_KNOWN_STORES) == 0)))
    written = TRUE;
  if (lost && (known & MMIO_WATCH_KNOWN_FRESH) != 0)
    written = TRUE;

  if (now->size > before->size)
    {
      verdict->offset = before->size;
      verdict->length = now->size - before->size;
    }
  else
    {
      verdict->offset = 0;
      verdict->length = now->size;
    }
  verdict->changed = written || now->size != before->size;
}

static gboolean
metadata_differ (const MmioFileState *before,
                 const MmioFileState *now,
                 MmioWatchHints       hints,
                 gboolean             changed)
{
  if ((hints & MMIO_WATCH_HINT_ATTRIBUTES) != 0)
    return TRUE;
  if (now->mode != before->mode || now->uid != before->uid || now->gid != before->gid || now->n_links != before->n_links)
    return TRUE;
  /* an extended attribute moves ctime alone; a store through a mapping moves both */
  return !changed && now->ctime != before->ctime && now->mtime == before->mtime;
}

void
mmio_watch_classify (const MmioFileState *before,
                     const MmioFileState *now,
                     MmioWatchHints       hints,
                     MmioWatchKnown       known,
                     MmioWatchVerdict    *verdict)
{
  *verdict = (MmioWatchVerdict) { .removed = before->exists && !now->exists };

  if (!now->exists)
    return;
  if (!mmio_file_state_same_inode (before, now))
    {
      verdict->replaced = TRUE;
      return;
    }

  compare_content (before, now, hints, known, verdict);
  verdict->metadata = metadata_differ (before, now, hints, verdict->changed);
}
