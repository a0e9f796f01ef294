/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-error.h"

/**
 * mmio_error_quark:
 *
 * Gets the quark of %MMIO_ERROR.
 *
 * Returns: the quark
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (mmio-error-quark, mmio_error)
