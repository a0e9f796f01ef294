/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "floor.h"

#include <string.h>

gboolean
floor_read_shared (const FloorMap *map,
                   guint64         offset,
                   gpointer        buffer,
                   gsize           count)
{
  if (offset > map->size || count > map->size - offset)
    return FALSE;

  memcpy (buffer, map->base + offset, count);
  return TRUE;
}

gboolean
floor_write_shared (const FloorMap *map,
                    guint64         offset,
                    gconstpointer   data,
                    gsize           length)
{
  if (offset > map->size || length > map->size - offset)
    return FALSE;

  memcpy (map->base + offset, data, length);
  return TRUE;
}

gconstpointer
floor_peek_shared (const FloorMap *map,
                   guint64         offset,
                   gsize           length)
{
  if (offset > map->size || length > map->size - offset)
    return NULL;

  return map->base + offset;
}
