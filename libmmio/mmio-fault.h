/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <glib.h>

#include <mmio-version.h>

G_BEGIN_DECLS

MMIO_AVAILABLE_IN_1_0
void     mmio_set_fault_guard (gboolean enabled);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_get_fault_guard (void);

G_END_DECLS
