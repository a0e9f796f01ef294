/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-placement-private.h"

#define TABLE ((guintptr) 1 << 30)      /* what one page table of the second level stands for */
#define ENTRY ((guintptr) 1 << 21)      /* and one of its entries */

#if GLIB_SIZEOF_VOID_P >= 8

/* The system maps downwards from where the libraries are. We begin this far below them, to stay out of its way, and
 * begin again from there when we have come down as far as this. */
#define DISTANCE ((guintptr) 1 << 36)
#define SPAN ((guintptr) 1 << 44)

/* Below this address we have placed nothing since we began at the top; 0: at the top. Atomic. It may lie: others map where they
 * like, and then the system doesn't take the hint. */
static guintptr cursor;

static guintptr
round_down (guintptr address,
            guintptr unit)
{
  return address - address % unit;
}

static guintptr
get_top (void)
{
  /* An address in this library. */
  guintptr here = (guintptr) &cursor;

  return here > DISTANCE + SPAN ? round_down (here - DISTANCE, TABLE) : 0;
}

gpointer
mmio_placement_suggest (gsize used,
                        gsize length)
{
  const guintptr top = get_top ();
  guintptr old = __atomic_load_n (&cursor, __ATOMIC_RELAXED);
  guintptr base;

  if (top == 0 || used > SPAN / 4 || length > SPAN / 4)
    return NULL;

  used = (gsize) round_down (used + ENTRY - 1, ENTRY);
  do
    {
      guintptr end = old != 0 ? old : top;

      if (end - (used + length + TABLE) < top - SPAN)
        end = top;
      base = round_down (end - (length > used ? length - used : 0), TABLE) - used;
    }
  while (!__atomic_compare_exchange_n (&cursor, &old, base, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED));

  return (gpointer) base;
}

void
mmio_placement_release (gpointer base,
                        gsize    length)
{
  guintptr expected = (guintptr) base;

  /* The last one placed is often the first to go: its place is as good as new. */
  __atomic_compare_exchange_n (&cursor, &expected, round_down (expected + length + TABLE - 1, TABLE), FALSE, __ATOMIC_RELAXED,
                               __ATOMIC_RELAXED);
}

#else

gpointer
mmio_placement_suggest (gsize used,
                        gsize length)
{
  return NULL;
}

void
mmio_placement_release (gpointer base,
                        gsize    length)
{
}

#endif
