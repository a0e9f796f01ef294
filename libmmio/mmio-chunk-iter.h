/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <mmio-file.h>

G_BEGIN_DECLS

/**
 * MmioChunkIter:
 *
 * Walks through a file, chunk by chunk, without copying and without allocating anything at a step.
 *
 * In C it lives on the stack:
 *
 * ```c
 * MmioChunkIter iter;
 * gconstpointer data;
 * gsize length;
 *
 * if (!mmio_chunk_iter_init (&iter, file, 4096, &error))
 *   return FALSE;
 * while (mmio_chunk_iter_next (&iter, &data, &length))
 *   checksum (data, length);
 * mmio_chunk_iter_clear (&iter);
 * ```
 *
 * Language bindings get one from [method@Mmio.File.chunks].
 *
 * It walks to the end that the file had when it began, and keeps that range in place as a view does. One iterator belongs to one
 * thread at a time.
 *
 * Since: 1.0
 */
struct _MmioChunkIter
{
  /*< private >*/
  MmioView *view;
  const guint8 *data;
  gsize left;
  gsize chunk_size;
  gpointer reserved[4];
};

#define MMIO_TYPE_CHUNK_ITER (mmio_chunk_iter_get_type ())

MMIO_AVAILABLE_IN_1_0
GType          mmio_chunk_iter_get_type (void) G_GNUC_CONST;

MMIO_AVAILABLE_IN_1_0
gboolean       mmio_chunk_iter_init     (MmioChunkIter  *self,
                                         MmioFile       *file,
                                         gsize           chunk_size,
                                         GError        **error);
MMIO_AVAILABLE_IN_1_0
void           mmio_chunk_iter_clear    (MmioChunkIter  *self);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_chunk_iter_next     (MmioChunkIter  *self,
                                         gconstpointer  *data,
                                         gsize          *length);
MMIO_AVAILABLE_IN_1_0
gconstpointer  mmio_chunk_iter_next_value (MmioChunkIter *self,
                                           gsize         *length);
MMIO_AVAILABLE_IN_1_0
MmioView      *mmio_chunk_iter_next_view (MmioChunkIter *self);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_chunk_iter_check    (MmioChunkIter  *self,
                                         GError        **error);
MMIO_AVAILABLE_IN_1_0
MmioChunkIter *mmio_chunk_iter_copy     (MmioChunkIter  *self);
MMIO_AVAILABLE_IN_1_0
void           mmio_chunk_iter_free     (MmioChunkIter  *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (MmioChunkIter, mmio_chunk_iter_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioChunkIter, mmio_chunk_iter_free)

G_END_DECLS
