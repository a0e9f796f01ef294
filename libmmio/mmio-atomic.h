/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <mmio-file.h>

G_BEGIN_DECLS

typedef struct _MmioAtomicU32 MmioAtomicU32;

#define MMIO_TYPE_ATOMIC_U32 (mmio_atomic_u32_get_type ())

MMIO_AVAILABLE_IN_1_0
GType          mmio_atomic_u32_get_type         (void) G_GNUC_CONST;

MMIO_AVAILABLE_IN_1_0
MmioAtomicU32 *mmio_file_get_atomic_u32         (MmioFile            *self,
                                                 guint64              offset,
                                                 gsize                n_elements,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
MmioAtomicU32 *mmio_atomic_u32_ref              (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u32_unref            (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u32_release          (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u32_get_offset       (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
gsize          mmio_atomic_u32_get_length       (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u32_is_writable      (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
guint32       *mmio_atomic_u32_get_pointer      (MmioAtomicU32       *self);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u32_check            (MmioAtomicU32       *self,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_load             (MmioAtomicU32       *self,
                                                 gsize                index);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u32_store            (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_exchange         (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_add              (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_sub              (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_and              (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_or               (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
guint32        mmio_atomic_u32_xor              (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              value);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u32_compare_exchange (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              expected,
                                                 guint32              desired,
                                                 guint32             *previous);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u32_compare_and_store (MmioAtomicU32      *self,
                                                  gsize               index,
                                                  guint32             expected,
                                                  guint32             desired);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u32_wait             (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              expected,
                                                 gint64               timeout_ms,
                                                 GCancellable        *cancellable,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u32_wait_async       (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint32              expected,
                                                 gint64               timeout_ms,
                                                 GCancellable        *cancellable,
                                                 GAsyncReadyCallback  callback,
                                                 gpointer             user_data);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u32_wait_finish      (MmioAtomicU32       *self,
                                                 GAsyncResult        *result,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
guint          mmio_atomic_u32_wake             (MmioAtomicU32       *self,
                                                 gsize                index,
                                                 guint                n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioAtomicU32, mmio_atomic_u32_unref)

typedef struct _MmioAtomicU64 MmioAtomicU64;

#define MMIO_TYPE_ATOMIC_U64 (mmio_atomic_u64_get_type ())

MMIO_AVAILABLE_IN_1_0
GType          mmio_atomic_u64_get_type         (void) G_GNUC_CONST;

MMIO_AVAILABLE_IN_1_0
MmioAtomicU64 *mmio_file_get_atomic_u64         (MmioFile            *self,
                                                 guint64              offset,
                                                 gsize                n_elements,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
MmioAtomicU64 *mmio_atomic_u64_ref              (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u64_unref            (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u64_release          (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_get_offset       (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
gsize          mmio_atomic_u64_get_length       (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u64_is_writable      (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
guint64       *mmio_atomic_u64_get_pointer      (MmioAtomicU64       *self);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u64_check            (MmioAtomicU64       *self,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_load             (MmioAtomicU64       *self,
                                                 gsize                index);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u64_store            (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_exchange         (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_add              (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_sub              (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_and              (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_or               (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
guint64        mmio_atomic_u64_xor              (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              value);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u64_compare_exchange (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              expected,
                                                 guint64              desired,
                                                 guint64             *previous);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u64_compare_and_store (MmioAtomicU64      *self,
                                                  gsize               index,
                                                  guint64             expected,
                                                  guint64             desired);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u64_wait             (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              expected,
                                                 gint64               timeout_ms,
                                                 GCancellable        *cancellable,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
void           mmio_atomic_u64_wait_async       (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint64              expected,
                                                 gint64               timeout_ms,
                                                 GCancellable        *cancellable,
                                                 GAsyncReadyCallback  callback,
                                                 gpointer             user_data);
MMIO_AVAILABLE_IN_1_0
gboolean       mmio_atomic_u64_wait_finish      (MmioAtomicU64       *self,
                                                 GAsyncResult        *result,
                                                 GError             **error);
MMIO_AVAILABLE_IN_1_0
guint          mmio_atomic_u64_wake             (MmioAtomicU64       *self,
                                                 gsize                index,
                                                 guint                n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioAtomicU64, mmio_atomic_u64_unref)

G_END_DECLS
