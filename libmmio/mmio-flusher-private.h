/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Flush policy: counts what was written and says when a flush is due. Knows nothing of files or memory.
 */
#pragma once

#include <glib-object.h>

#include "mmio-enums.h"
#include "mmio-weak-private.h"

G_BEGIN_DECLS

/* Called in a thread of the library's own, with a reference on owner held. */
typedef void (*MmioFlusherFunc) (GObject *owner);

typedef struct
{
  gint policy;                  /* atomic; an MmioFlushPolicy */
  gsize threshold;              /* atomic: bytes, writes or ms; at least 1 */
  gsize since;                  /* atomic: bytes or writes since the last flush */
  GObject *owner;               /* not owned */
  MmioWeak **weak;              /* the owner's */
  MmioFlusherFunc func;
  GMutex lock;
  gboolean is_started;          /* lock */
  gboolean lacks_timer;         /* atomic; lock to write: there should be one, and the system had no thread for it */
  GSource *timer;               /* lock */
} MmioFlusher;

void     mmio_flusher_init      (MmioFlusher     *self,
                                 GObject         *owner,
                                 MmioWeak       **weak,
                                 MmioFlusherFunc  func);
/* The owner is going: no call of func begins any more. */
void     mmio_flusher_clear     (MmioFlusher     *self);
/* From start to stop the timer may run; before, the owner is still being made, and no other thread may look at it. */
void     mmio_flusher_start     (MmioFlusher     *self);
void     mmio_flusher_stop      (MmioFlusher     *self);
/* TRUE: it was another one. */
gboolean mmio_flusher_set_policy    (MmioFlusher     *self,
                                     MmioFlushPolicy  policy);
gboolean mmio_flusher_set_threshold (MmioFlusher     *self,
                                     guint64          threshold);
/* Around a flush of everything. Counting begins anew before anything is collected: a write beside the flush may be counted though it was
 * flushed, but is never forgotten. What begin returned is counted again where the flush has failed. */
gsize    mmio_flusher_begin     (MmioFlusher     *self);
void     mmio_flusher_undo      (MmioFlusher     *self,
                                 gsize            since);
gboolean mmio_flusher_note_slow (MmioFlusher     *self,
                                 guint64          length);

/* length bytes were written, all at once. TRUE: a flush is due. */
static inline gboolean
mmio_flusher_note (MmioFlusher *self,
                   guint64      length)
{
  return G_UNLIKELY (__atomic_load_n (&self->policy, __ATOMIC_RELAXED) != MMIO_FLUSH_POLICY_MANUAL) &&
         mmio_flusher_note_slow (self, length);
}

G_END_DECLS
