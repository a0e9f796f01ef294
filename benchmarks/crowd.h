/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that are there while something is measured.
 */
#pragma once

#include <mmio.h>

G_BEGIN_DECLS

typedef struct
{
  GPtrArray *files;             /* (element-type MmioFile): those that are there now; the same for all crowds of a curve */
  guint n;                      /* how many there are to be */
  MmioFile *(*join) (gconstpointer data,
                     guint         number);     /* opens one of them */
  gconstpointer data;
} Crowd;

/* Brings the crowd to its size. */
void    crowd_gather           (const Crowd *self);
/* How many descriptors there may be, which are as many as are allowed from then on. */
guint64 crowd_allow_many       (void);

G_END_DECLS
