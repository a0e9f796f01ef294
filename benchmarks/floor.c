/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

gboolean
floor_read (const FloorMap *map,
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
floor_write (const FloorMap *map,
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
floor_peek (const FloorMap *map,
            guint64         offset,
            gsize           length)
{
  if (offset > map->size || length > map->size - offset)
    return NULL;

  return map->base + offset;
}

gboolean
floor_step (const FloorMap *map,
            guint64        *at,
            gsize           size,
            gconstpointer  *data,
            gsize          *length)
{
  guint64 left = map->size - *at;

  *data = map->base + *at;
  *length = MIN (left, size);
  *at += *length;

  return left > 0;
}

void
floor_map_open (FloorMap   *map,
                const char *path,
                gboolean    writable)
{
  struct stat buffer;

  map->fd = open (path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (map->fd < 0 || fstat (map->fd, &buffer) != 0)
    g_error ("%s: %s", path, g_strerror (errno));

  map->size = (guint64) buffer.st_size;
  map->base = mmap (NULL, map->size, writable ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED, map->fd, 0);
  if (map->base == MAP_FAILED)
    g_error ("%s: mmap: %s", path, g_strerror (errno));
}

void
floor_map_close (FloorMap *map)
{
  munmap (map->base, map->size);
  close (map->fd);
}
