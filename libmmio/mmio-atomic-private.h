/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What atomics of both widths are: a pinned range, and waiting for one of its elements.
 */
#pragma once

#include "mmio-atomic.h"
#include "mmio-mapping-private.h"

G_BEGIN_DECLS

typedef struct
{
  gatomicrefcount ref_count;
  gint released;                /* atomic: who turns it on takes the pin out */
  /* Relaxed atomics: both become 0 with the release, which whoever is in an operation has to rule out. One comparison is the
   * whole check of an operation: nothing is writable where the file is mapped for reading. */
  gsize n_readable;             /* elements */
  gsize n_writable;
  guint8 *base;                 /* immutable: the first element, aligned to its size */
  gsize element_size;           /* immutable: 4 or 8 */
  MmioFile *file;               /* owned */
  MmioPin pin;
} MmioAtomic;

/* A type of its own, since guint64 is aligned to 4 bytes only on some 32-bit systems, and then the compiler calls for help where
 * it needn't. */
typedef guint64 MmioAlignedU64 __attribute__ ((aligned (8)));

MmioAtomic *mmio_atomic_new     (MmioFile     *file,
                                 guint64       offset,
                                 gsize         n_elements,
                                 gsize         element_size,
                                 GError      **error);
void        mmio_atomic_ref     (MmioAtomic   *self);
void        mmio_atomic_unref   (MmioAtomic   *self);
void        mmio_atomic_release (MmioAtomic   *self);
gboolean    mmio_atomic_check   (MmioAtomic   *self,
                                 GError      **error);
gboolean    mmio_atomic_wait    (MmioAtomic   *self,
                                 gsize         index,
                                 guint64       expected,
                                 gint64        timeout,
                                 GCancellable *cancellable,
                                 GError      **error);
guint       mmio_atomic_wake    (MmioAtomic   *self,
                                 gsize         index,
                                 guint         n);
/* The reference on self is taken over by the wait, which ref and unref are for. */
void        mmio_atomic_wait_async  (MmioAtomic         *self,
                                     gsize               index,
                                     guint64             expected,
                                     gint64              timeout,
                                     GCancellable       *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer            user_data);
gboolean    mmio_atomic_wait_finish (MmioAtomic         *self,
                                     GAsyncResult       *result,
                                     GError            **error);

/* Neither looks at the file: the bounds lie in the object and become 0 when it is released, so that an operation is two loads, two
 * comparisons and the locked instruction itself. */
static inline gboolean
mmio_atomic_is_readable (MmioAtomic *self,
                         gsize       index)
{
  return index < __atomic_load_n (&self->n_readable, __ATOMIC_RELAXED);
}

static inline gboolean
mmio_atomic_is_writable (MmioAtomic *self,
                         gsize       index)
{
  return index < __atomic_load_n (&self->n_writable, __ATOMIC_RELAXED);
}

/* Says what is wrong with an operation on an element, which is the program's own mistake: it does nothing. */
void mmio_atomic_complain (MmioAtomic *self,
                           const char *function,
                           gsize       index) __attribute__ ((cold));

/* What each operation begins with; function: its name. */
static inline gboolean
mmio_atomic_can_read (MmioAtomic *self,
                      const char *function,
                      gsize       index)
{
  if (G_LIKELY (mmio_atomic_is_readable (self, index)))
    return TRUE;

  mmio_atomic_complain (self, function, index);
  return FALSE;
}

static inline gboolean
mmio_atomic_can_change (MmioAtomic *self,
                        const char *function,
                        gsize       index)
{
  if (G_LIKELY (mmio_atomic_is_writable (self, index)))
    return TRUE;

  mmio_atomic_complain (self, function, index);
  return FALSE;
}

static inline guint32 *
mmio_atomic_u32_at (MmioAtomic *self,
                    gsize       index)
{
  return (guint32 *) (gpointer) self->base + index;
}

static inline MmioAlignedU64 *
mmio_atomic_u64_at (MmioAtomic *self,
                    gsize       index)
{
  return (MmioAlignedU64 *) (gpointer) self->base + index;
}

G_END_DECLS
