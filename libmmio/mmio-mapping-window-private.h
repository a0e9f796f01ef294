/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A part of a file that is looked at in passing: what is in memory already is neither copied nor kept mapped. Belongs to no
 * mapping of the program's.
 */
#pragma once

#include "mmio-guard-private.h"

G_BEGIN_DECLS

typedef struct
{
  gpointer start;
  gsize length;                 /* bytes */
  MmioGuardRange *guard;
  gboolean unblocked;           /* the signal of a fault, which this thread had blocked */
} MmioWindow;

/* Shows [offset, offset + length) of fd's file, which others may write to meanwhile: what is read twice may differ. FALSE where it
 * has to be read from the descriptor: it isn't all in memory, ends before that, can't be mapped, or no guard would catch a fault. */
gboolean mmio_window_open  (MmioWindow *self,
                            int         fd,
                            guint64     offset,
                            gsize       length);
/* FALSE if some of it could not be had, and was shown as zeros. */
gboolean mmio_window_close (MmioWindow *self);

G_END_DECLS
