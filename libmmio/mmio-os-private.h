/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * System calls that not every system has, each with its fallback. Functions return 0 or an errno value and set no error.
 */
#pragma once

#include <glib.h>
#include <sys/types.h>

#include "mmio-enums.h"

G_BEGIN_DECLS

/* Between two looks of a loop that waits for another processor. */
static inline void
mmio_os_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#elif defined(__aarch64__)
  __asm__ __volatile__ ("yield");
#endif
}

gsize    mmio_os_page_size      (void);
/* A file's name for messages. */
char    *mmio_os_display_name   (const char *path);
/* The system's message, and the limit that stands behind it where there is one. */
char    *mmio_os_describe       (int error);
/* ftruncate; EFBIG past RLIMIT_FSIZE, for which the kernel would end the process with SIGXFSZ. Asking for the limit costs half as
 * much as the truncation: *allowed is the largest size it has been asked for, begins as 0, and up to there it isn't asked again.
 * NULL: asked each time. */
int      mmio_os_set_size       (int fd, guint64 size, guint64 *allowed);
/* Asks for nothing else: who has seen a file's times makes the kernel give it a new time at the next change, to be written to the disk
 * too, where it would else be one for each tick of the clock. */
int      mmio_os_get_size       (int fd, guint64 *size);
/* Reserves blocks for [offset, offset + length) and makes the file at least that long. */
int      mmio_os_preallocate    (int fd, guint64 offset, guint64 length);
/* Blocks for the range without a change of size; ENOTSUP where the file system can't. */
int      mmio_os_allocate_range (int fd, guint64 offset, guint64 length);
/* Has the file system of fd less room than that many bytes, and what such systems keep for themselves? */
gboolean mmio_os_is_full        (int fd, guint64 length);
/* Raises a modification event for every watcher of fd's file, without a change of a byte or of the size, which it has just been found
 * to have; G_MAXUINT64: not known. *way is how that is best done for this file, and begins as 0. */
int      mmio_os_announce       (int fd, guint64 offset, guint64 size, guint *way);
/* Has the file a MiB less of blocks than of bytes? FALSE also where that can't be told. */
gboolean mmio_os_has_holes      (int fd);
/* fd's file opened once more for mmio_os_seek_data (), with an offset of its own; -1 where that isn't to be relied on. */
int      mmio_os_open_to_seek   (int fd);
/* The first byte from offset on that is no hole. ENXIO: there is none. Moves the offset of fd. */
int      mmio_os_seek_data      (int fd, guint64 offset, guint64 *data);
/* Begins to write the range to the disk; 0 also where there is no such call. */
int      mmio_os_start_writeback (int fd, guint64 offset, guint64 length);
/* Makes the name of a file durable: syncs the folder that holds path. */
int      mmio_os_sync_folder    (const char *path);
/* Makes target, close-on-exec, another number for what fd stands for, atomically. */
int      mmio_os_replace_fd     (int fd, int target);
/* EMFILE: target was opened before RLIMIT_NOFILE was lowered, and is no number that could be given to anything now. */
int      mmio_os_can_replace_fd (int target);
/* Can two more be had? As many as it takes for a thread to be woken, and GLib ends the process where they can't. */
gboolean mmio_os_has_descriptors (void);
/* The page size with which fd's file is mapped: larger than the system's on hugetlbfs. */
gsize    mmio_os_fd_page_size   (int fd, gsize block_size);

int      mmio_os_advise         (gpointer start, gsize length, MmioAdvice advice);
int      mmio_os_drop_cache     (int fd, guint64 offset, guint64 length);
/* Reads the pages in and maps them. EFAULT where a page can't be had, or a fault, as the system has it. */
int      mmio_os_populate       (gpointer start, gsize length, gsize page_size);
/* How many bytes of the range, which is mapped at start, are in memory; is_private: copy-on-write. EPERM: who we are isn't told. */
int      mmio_os_get_resident   (int fd, gboolean is_private, guint64 offset, gpointer start, gsize length, guint64 *bytes);

/* A new, empty file of mode 0600 in memory, that can be sealed, or a temporary one that has no name any more, that can't; -1 and errno. */
int      mmio_os_open_anonymous (const char *name);
/* EINVAL for a file that can't be sealed. */
int      mmio_os_add_seals      (int fd, MmioSealFlags flags);
MmioSealFlags mmio_os_get_seals (int fd);

typedef enum
{
  MMIO_OS_LOCK_NONE,
  MMIO_OS_LOCK_SHARED,
  MMIO_OS_LOCK_EXCLUSIVE
} MmioOsLock;

/* FALSE: they belong to the process, and closing any descriptor of the file drops them. */
gboolean mmio_os_has_description_locks (void);
/* Gives the range this lock and no other; a length of 0 reaches to the end for ever. EAGAIN if somebody else has it and wait is FALSE. */
int      mmio_os_lock_range     (int fd, MmioOsLock kind, guint64 offset, guint64 length, gboolean wait);

G_END_DECLS
