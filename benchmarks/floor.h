/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a program has to do anyway that maps a file itself and doesn't want to be killed by a wrong offset: a bounds check in a
 * function of its own, in another source file, for any size. Neither can be inlined into the loops that call them, and the
 * compiler knows no size, just as it is with the library's functions.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct
{
  guint8 *base;
  guint64 size;
  int fd;
} FloorMap;

gboolean      floor_read   (const FloorMap *map,
                            guint64         offset,
                            gpointer        buffer,
                            gsize           count);
gboolean      floor_write  (const FloorMap *map,
                            guint64         offset,
                            gconstpointer   data,
                            gsize           length);
gconstpointer floor_peek   (const FloorMap *map,
                            guint64         offset,
                            gsize           length);

/* A step through it, as an iterator would take it: where *at is, and then size further. FALSE at the end. */
gboolean      floor_step   (const FloorMap *map,
                            guint64        *at,
                            gsize           size,
                            gconstpointer  *data,
                            gsize          *length);

/* The first three out of a shared library: what of the library's cost is only that it is one. */
gboolean      floor_read_shared  (const FloorMap *map,
                                  guint64         offset,
                                  gpointer        buffer,
                                  gsize           count);
gboolean      floor_write_shared (const FloorMap *map,
                                  guint64         offset,
                                  gconstpointer   data,
                                  gsize           length);
gconstpointer floor_peek_shared  (const FloorMap *map,
                                  guint64         offset,
                                  gsize           length);

/* open + fstat + mmap; munmap + close. Ends the program on failure. */
void          floor_map_open  (FloorMap   *map,
                               const char *path,
                               gboolean    writable);
void          floor_map_close (FloorMap   *map);

G_END_DECLS
