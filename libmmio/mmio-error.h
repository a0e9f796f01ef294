/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <glib.h>

#include <mmio-version.h>

G_BEGIN_DECLS

/**
 * MMIO_ERROR:
 *
 * The domain of [error@Mmio.Error].
 *
 * Since: 1.0
 */
#define MMIO_ERROR (mmio_error_quark ())

/**
 * MmioError:
 * @MMIO_ERROR_OUT_OF_BOUNDS: offset and length reach past the size, or wrap 64 bits; nothing was touched
 * @MMIO_ERROR_MISALIGNED: the offset is no multiple of what the operation needs
 * @MMIO_ERROR_WRONG_MODE: the mapping's mode does not allow it
 * @MMIO_ERROR_BUSY: something still uses what would go: a view, a lock held by somebody else
 * @MMIO_ERROR_TRUNCATED: somebody made the file shorter than the range
 * @MMIO_ERROR_NO_SPACE: the disk, or a quota, is full
 * @MMIO_ERROR_IO: the device or the file system failed
 * @MMIO_ERROR_RESIZE_FAILED: the size could not be changed; it is as it was
 * @MMIO_ERROR_FLUSH_FAILED: what was written may not be durable; stays until the file is reloaded
 * @MMIO_ERROR_LOCK_FAILED: a lock, on memory or on a range of the file, could not be had
 * @MMIO_ERROR_ADVICE_FAILED: the kernel did not take the advice
 * @MMIO_ERROR_WATCH_FAILED: the file can't be watched
 * @MMIO_ERROR_NOT_SUPPORTED: this system or file system can't do it
 * @MMIO_ERROR_CLOSED: the file was closed
 *
 * What can go wrong with a mapping. Opening and creating report %G_IO_ERROR, as GIO does.
 *
 * Since: 1.0
 */
typedef enum
{
  MMIO_ERROR_OUT_OF_BOUNDS,
  MMIO_ERROR_MISALIGNED,
  MMIO_ERROR_WRONG_MODE,
  MMIO_ERROR_BUSY,
  MMIO_ERROR_TRUNCATED,
  MMIO_ERROR_NO_SPACE,
  MMIO_ERROR_IO,
  MMIO_ERROR_RESIZE_FAILED,
  MMIO_ERROR_FLUSH_FAILED,
  MMIO_ERROR_LOCK_FAILED,
  MMIO_ERROR_ADVICE_FAILED,
  MMIO_ERROR_WATCH_FAILED,
  MMIO_ERROR_NOT_SUPPORTED,
  MMIO_ERROR_CLOSED
} MmioError;

MMIO_AVAILABLE_IN_1_0
GQuark mmio_error_quark (void);

G_END_DECLS
