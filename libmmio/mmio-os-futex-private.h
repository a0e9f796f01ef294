/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sleeping until somebody, in whatever process, changes a word of memory and says so. Where the kernel has no such call the
 * word is looked at again and again, at growing intervals.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define MMIO_FUTEX_WORDS_MAX 3

typedef struct
{
  const guint32 *address;
  guint32 expected;
  gboolean is_private;          /* no other process has it */
} MmioFutexWord;

typedef enum
{
  MMIO_FUTEX_WOKEN,             /* somebody woke words[0] */
  MMIO_FUTEX_LOOK_AGAIN         /* a word differs, the time is over, or it is only time to look */
} MmioFutexResult;

/* Sleeps while all n words (1 to MMIO_FUTEX_WORDS_MAX) have the expected values, at most timeout microseconds. A word that differs by the time of the call is
 * noticed; one that changes later only where it was woken, or at the next look. round: 0 at first, counts the calls of
 * one wait. Only words[0] is ever woken across processes. */
MmioFutexResult mmio_os_futex_wait (const MmioFutexWord *words,
                                    guint                n,
                                    gint64               timeout,
                                    guint               *round);
/* Wakes at most n who sleep with address as their words[0], or at all if it is private; returns how many. */
guint           mmio_os_futex_wake (const guint32       *address,
                                    guint                n,
                                    gboolean             is_private);

G_END_DECLS
