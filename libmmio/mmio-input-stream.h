/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <mmio-file.h>

G_BEGIN_DECLS

#define MMIO_TYPE_INPUT_STREAM (mmio_input_stream_get_type ())

MMIO_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (MmioInputStream, mmio_input_stream, MMIO, INPUT_STREAM, GInputStream)

MMIO_AVAILABLE_IN_1_0
GInputStream *mmio_input_stream_new        (MmioFile         *file);
MMIO_AVAILABLE_IN_1_0
MmioFile     *mmio_input_stream_get_file   (MmioInputStream  *self);
MMIO_AVAILABLE_IN_1_0
GBytes       *mmio_input_stream_read_bytes (MmioInputStream  *self,
                                            gsize             count,
                                            GCancellable     *cancellable,
                                            GError          **error);

G_END_DECLS
