/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <glib-object.h>

#include <mmio-version.h>

G_BEGIN_DECLS

/**
 * MmioMode:
 * @MMIO_MODE_READ_ONLY: the file is only read; a write is %MMIO_ERROR_WRONG_MODE
 * @MMIO_MODE_READ_WRITE: writes go to the file and are seen by every process that maps or reads it
 * @MMIO_MODE_COPY_ON_WRITE: writes go to this mapping's own copy of the page, never to the file
 *   (`MAP_PRIVATE`, see [mmap(2)](man:mmap(2)))
 *
 * How a file is mapped.
 *
 * Since: 1.0
 */
typedef enum
{
  MMIO_MODE_READ_ONLY,
  MMIO_MODE_READ_WRITE,
  MMIO_MODE_COPY_ON_WRITE
} MmioMode;

/**
 * MmioFlushPolicy:
 * @MMIO_FLUSH_POLICY_MANUAL: only when a flush is called for
 * @MMIO_FLUSH_POLICY_ALWAYS: every write is durable when it returns
 * @MMIO_FLUSH_POLICY_EVERY_BYTES: whenever [property@Mmio.File:flush-threshold] bytes are pending
 * @MMIO_FLUSH_POLICY_EVERY_WRITES: after every [property@Mmio.File:flush-threshold] writes
 * @MMIO_FLUSH_POLICY_EVERY_MILLIS: every [property@Mmio.File:flush-threshold] milliseconds, if anything is pending; every write where
 *   the system has no thread or descriptor left for a clock
 *
 * When what was written is made durable without being asked for.
 *
 * Since: 1.0
 */
typedef enum
{
  MMIO_FLUSH_POLICY_MANUAL,
  MMIO_FLUSH_POLICY_ALWAYS,
  MMIO_FLUSH_POLICY_EVERY_BYTES,
  MMIO_FLUSH_POLICY_EVERY_WRITES,
  MMIO_FLUSH_POLICY_EVERY_MILLIS
} MmioFlushPolicy;

/**
 * MmioAdvice:
 * @MMIO_ADVICE_NORMAL: no particular treatment
 * @MMIO_ADVICE_RANDOM: expect reads in random order: no read-ahead. Pages that are not in memory yet come one by one, and where one is
 *   changed a flush writes that page and not its neighbours
 * @MMIO_ADVICE_SEQUENTIAL: expect reads in order: read far ahead
 * @MMIO_ADVICE_WILL_NEED: read the range in, without waiting
 * @MMIO_ADVICE_DONT_NEED: the range will not be used soon. Nothing that was written is lost; on a copy-on-write mapping,
 *   where it would be, it is %MMIO_ERROR_NOT_SUPPORTED
 * @MMIO_ADVICE_COLD: the first to go when memory is short
 * @MMIO_ADVICE_PAGE_OUT: reclaim the range now
 * @MMIO_ADVICE_HUGE_PAGE: use huge pages where the file system can
 * @MMIO_ADVICE_NO_HUGE_PAGE: never use huge pages
 * @MMIO_ADVICE_DONT_DUMP: leave the range out of core dumps
 *
 * What a program expects to do with a range: see [madvise(2)](man:madvise(2)).
 *
 * Since: 1.0
 */
typedef enum
{
  MMIO_ADVICE_NORMAL,
  MMIO_ADVICE_RANDOM,
  MMIO_ADVICE_SEQUENTIAL,
  MMIO_ADVICE_WILL_NEED,
  MMIO_ADVICE_DONT_NEED,
  MMIO_ADVICE_COLD,
  MMIO_ADVICE_PAGE_OUT,
  MMIO_ADVICE_HUGE_PAGE,
  MMIO_ADVICE_NO_HUGE_PAGE,
  MMIO_ADVICE_DONT_DUMP
} MmioAdvice;

/**
 * MmioWatchFlags:
 * @MMIO_WATCH_FLAGS_NONE: say that the file changed
 * @MMIO_WATCH_FLAGS_LOCATE: find out which bytes changed, off the main thread; what changed and changed back between two looks did not
 * @MMIO_WATCH_FLAGS_RELOAD: when the file is replaced, map the new one
 * @MMIO_WATCH_FLAGS_LEASE: hold off who wants to write until [signal@Mmio.File::about-to-change] has been handled; where no lease can be
 *   had the watch is %MMIO_ERROR_NOT_SUPPORTED
 * @MMIO_WATCH_FLAGS_SETTLE: let the file as it stands settle too, as if it had changed just now: for one that somebody may still be
 *   writing, or has just written
 *
 * How a file is watched.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  MMIO_WATCH_FLAGS_NONE = 0,
  MMIO_WATCH_FLAGS_LOCATE = 1 << 0,
  MMIO_WATCH_FLAGS_RELOAD = 1 << 1,
  MMIO_WATCH_FLAGS_LEASE = 1 << 2,
  MMIO_WATCH_FLAGS_SETTLE = 1 << 3
} MmioWatchFlags;

/**
 * MmioCreateFlags:
 * @MMIO_CREATE_FLAGS_NONE: the file must not exist yet
 * @MMIO_CREATE_FLAGS_REPLACE: if a file is there, a new inode takes its place atomically; who has the old one open
 *   or mapped keeps it whole
 * @MMIO_CREATE_FLAGS_PREALLOCATE: reserve the blocks now, so that no later write can meet a full disk
 * @MMIO_CREATE_FLAGS_DURABLE: on return the file and its name survive a power cut. Where the folder can't be synced that is an error,
 *   and the new file is taken away again; with %MMIO_CREATE_FLAGS_REPLACE it stays, since the old one has gone: after a power cut
 *   the name stands for the one or the other, each of them whole
 *
 * How a file is created.
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  MMIO_CREATE_FLAGS_NONE = 0,
  MMIO_CREATE_FLAGS_REPLACE = 1 << 0,
  MMIO_CREATE_FLAGS_PREALLOCATE = 1 << 1,
  MMIO_CREATE_FLAGS_DURABLE = 1 << 2
} MmioCreateFlags;

/**
 * MmioSealFlags:
 * @MMIO_SEAL_FLAGS_NONE: everything is allowed
 * @MMIO_SEAL_FLAGS_SEAL: no further seals
 * @MMIO_SEAL_FLAGS_SHRINK: the file can't become shorter
 * @MMIO_SEAL_FLAGS_GROW: the file can't become longer
 * @MMIO_SEAL_FLAGS_WRITE: the content can't be changed
 * @MMIO_SEAL_FLAGS_FUTURE_WRITE: the content can't be changed but through mappings that exist already
 *
 * What can be forbidden to all who have an anonymous file: see [fcntl(2)](man:fcntl(2)), "File Sealing".
 *
 * Since: 1.0
 */
typedef enum /*< flags >*/
{
  MMIO_SEAL_FLAGS_NONE = 0,
  MMIO_SEAL_FLAGS_SEAL = 1 << 0,
  MMIO_SEAL_FLAGS_SHRINK = 1 << 1,
  MMIO_SEAL_FLAGS_GROW = 1 << 2,
  MMIO_SEAL_FLAGS_WRITE = 1 << 3,
  MMIO_SEAL_FLAGS_FUTURE_WRITE = 1 << 4
} MmioSealFlags;

G_END_DECLS
