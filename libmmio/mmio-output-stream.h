/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <mmio-file.h>

G_BEGIN_DECLS

#define MMIO_TYPE_OUTPUT_STREAM (mmio_output_stream_get_type ())

MMIO_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (MmioOutputStream, mmio_output_stream, MMIO, OUTPUT_STREAM, GOutputStream)

MMIO_AVAILABLE_IN_1_0
GOutputStream *mmio_output_stream_new      (MmioFile         *file);
MMIO_AVAILABLE_IN_1_0
MmioFile      *mmio_output_stream_get_file (MmioOutputStream *self);

G_END_DECLS
