/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-state-private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* The coarsest clock a local file system stamps with: the tick of a kernel with HZ=100. */
#define CLOCK_TICK_NS (10 * G_GINT64_CONSTANT (1000000))

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

gboolean
mmio_file_state_is_fresh (const MmioFileState *state,
                          gint64               now)
{
  return state->exists && state->ctime > now - CLOCK_TICK_NS;
}

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
