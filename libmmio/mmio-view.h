/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <mmio-file.h>

G_BEGIN_DECLS

#define MMIO_TYPE_VIEW (mmio_view_get_type ())

MMIO_AVAILABLE_IN_1_0
GType         mmio_view_get_type     (void) G_GNUC_CONST;

MMIO_AVAILABLE_IN_1_0
MmioView     *mmio_view_ref          (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
void          mmio_view_unref        (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
MmioFile     *mmio_view_get_file     (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
guint64       mmio_view_get_offset   (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
gsize         mmio_view_get_length   (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
gboolean      mmio_view_is_writable  (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
gpointer      mmio_view_get_data     (MmioView  *self,
                                      gsize     *length);
MMIO_AVAILABLE_IN_1_0
gpointer      mmio_view_get_pointer  (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
GBytes       *mmio_view_get_bytes    (MmioView  *self);
MMIO_AVAILABLE_IN_1_0
MmioView     *mmio_view_sub          (MmioView  *self,
                                      guint64    offset,
                                      gsize      length,
                                      GError   **error);
MMIO_AVAILABLE_IN_1_0
gboolean      mmio_view_check        (MmioView  *self,
                                      GError   **error);
MMIO_AVAILABLE_IN_1_0
void          mmio_view_release      (MmioView  *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioView, mmio_view_unref)

G_END_DECLS
