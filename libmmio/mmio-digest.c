/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-digest-private.h"

#include <string.h>
#include <xxhash.h>

struct _MmioDigest
{
  guint64 copy_limit;
  guint64 size;                 /* bytes known */

  guint8 *copy;                 /* of all size bytes if is_copy, else of the first n_copied */
  gsize copy_allocated;
  gboolean is_copy;
  guint64 n_copied;

  guint64 *blocks;              /* if not is_copy: of each block, the last one as long as it is */
  gsize blocks_allocated;
};

static guint64
n_blocks_of (guint64 size)
{
  return size / MMIO_DIGEST_BLOCK + (size % MMIO_DIGEST_BLOCK > 0 ? 1 : 0);
}

MmioDigest *
mmio_digest_new (guint64 copy_limit)
{
  MmioDigest *self = g_new0 (MmioDigest, 1);

  self->copy_limit = copy_limit;
  self->is_copy = TRUE;
  return self;
}

void
mmio_digest_free (MmioDigest *self)
{
  g_free (self->copy);
  g_free (self->blocks);
  g_free (self);
}

guint64
mmio_digest_get_size (MmioDigest *self)
{
  return self->size;
}

gboolean
mmio_digest_looks_once (MmioDigest *self)
{
  return !self->is_copy && self->size > self->copy_limit;
}

/* By an eighth at least, so that a file that grows bit by bit isn't copied each time, and the memory stays near to
 * what is needed. */
static gsize
grown (gsize allocated,
       gsize needed)
{
  return needed <= allocated ? allocated : MAX (needed, allocated + allocated / 8);
}

static void
allocate_copy (MmioDigest *self,
               guint64     size)
{
  gsize allocated = grown (self->copy_allocated, (gsize) size);

  if (allocated == self->copy_allocated)
    return;
  self->copy = g_realloc (self->copy, allocated);
  self->copy_allocated = allocated;
}

static void
allocate_blocks (MmioDigest *self,
                 guint64     size)
{
  gsize allocated = grown (self->blocks_allocated, (gsize) n_blocks_of (size));

  if (allocated == self->blocks_allocated)
    return;
  self->blocks = g_renew (guint64, self->blocks, allocated);
  self->blocks_allocated = allocated;
}

static void
drop_copy (MmioDigest *self)
{
  g_clear_pointer (&self->copy, g_free);
  self->copy_allocated = 0;
  self->n_copied = 0;
}

static void
drop_blocks (MmioDigest *self)
{
  g_clear_pointer (&self->blocks, g_free);
  self->blocks_allocated = 0;
}

static guint64
block_length (MmioDigest *self,
              guint64     block)
{
  return MIN (MMIO_DIGEST_BLOCK, self->size - block * MMIO_DIGEST_BLOCK);
}

/* The file has outgrown the limit. */
static void
turn_copy_into_blocks (MmioDigest *self,
                       guint64     size)
{
  guint64 n_blocks = n_blocks_of (self->size);

  allocate_blocks (self, size);
  for (guint64 i = 0; i < n_blocks; i++)
    self->blocks[i] = XXH3_64bits (self->copy + i * MMIO_DIGEST_BLOCK, block_length (self, i));
  self->is_copy = FALSE;
  drop_copy (self);
}

void
mmio_digest_reserve (MmioDigest *self,
                     guint64     size)
{
  if (self->is_copy && size <= self->copy_limit)
    {
      allocate_copy (self, size);
      return;
    }
  if (self->is_copy)
    turn_copy_into_blocks (self, size);
  allocate_blocks (self, size);
}

static void
compare_bytes (MmioDigest      *self,
               guint64          offset,
               const guint8    *data,
               gsize            length,
               MmioDigestRange *range)
{
  const guint8 *before = self->copy + offset;
  gsize first = 0, end = length;

  if (length == 0 || memcmp (before, data, length) == 0)
    return;
  while (before[first] == data[first])
    first++;
  while (before[end - 1] == data[end - 1])
    end--;
  mmio_digest_range_add (range, offset + first, offset + end);
}

static void
update_copy (MmioDigest      *self,
             guint64          offset,
             const guint8    *data,
             gsize            length,
             MmioDigestRange *range)
{
  /* An empty file has no copy to add to. */
  if (length == 0)
    return;
  compare_bytes (self, offset, data, (gsize) MIN (length, self->size - offset), range);
  allocate_copy (self, offset + length);
  memcpy (self->copy + offset, data, length);
}

/* start: of the block. length: what is to be known of it now. */
static void
update_block (MmioDigest      *self,
              guint64          start,
              const guint8    *data,
              gsize            length,
              MmioDigestRange *range)
{
  guint64 block = start / MMIO_DIGEST_BLOCK;
  guint64 digest = XXH3_64bits (data, length);
  guint64 known = start < self->size ? block_length (self, block) : 0;

  /* a block that was appended to is the same as far as it went */
  if (known > 0 && known < length && XXH3_64bits (data, known) != self->blocks[block])
    mmio_digest_range_add (range, start, start + known);
  else if (known >= length && digest != self->blocks[block])
    mmio_digest_range_add (range, start, start + length);
  self->blocks[block] = digest;
}

/* The file has become short enough to be compared to the byte once a copy is complete; it is made from the beginning. */
static void
fill_copy (MmioDigest   *self,
           guint64       offset,
           const guint8 *data,
           gsize         length)
{
  if (self->size > self->copy_limit || offset > self->n_copied)
    return;
  allocate_copy (self, self->size);
  /* An empty file has no copy to add to. */
  if (length > 0)
    memcpy (self->copy + offset, data, length);
  self->n_copied = MAX (self->n_copied, offset + length);
  if (self->n_copied < self->size)
    return;
  self->is_copy = TRUE;
  drop_blocks (self);
}

void
mmio_digest_update (MmioDigest      *self,
                    guint64          offset,
                    const guint8    *data,
                    gsize            length,
                    MmioDigestRange *range)
{
  guint64 end = offset + length;

  g_return_if_fail (offset % MMIO_DIGEST_BLOCK == 0 && offset <= self->size);

  if (self->is_copy && end > self->copy_limit)
    turn_copy_into_blocks (self, end);

  if (self->is_copy)
    {
      update_copy (self, offset, data, length, range);
    }
  else
    {
      allocate_blocks (self, end);
      for (gsize at = 0; at < length; at += MMIO_DIGEST_BLOCK)
        update_block (self, offset + at, data + at, MIN (MMIO_DIGEST_BLOCK, length - at), range);
    }

  if (end > self->size)
    {
      mmio_digest_range_add (range, self->size, end);
      self->size = end;
    }
  if (!self->is_copy)
    fill_copy (self, offset, data, length);
}

void
mmio_digest_truncate (MmioDigest *self,
                      guint64     size)
{
  if (size >= self->size)
    return;
  self->size = size;
  self->n_copied = MIN (self->n_copied, size);
  if (self->is_copy)
    return;

  if (size == 0)
    {
      self->is_copy = TRUE;
      drop_blocks (self);
    }
  else if (n_blocks_of (size) < self->blocks_allocated / 2)
    {
      self->blocks_allocated = (gsize) n_blocks_of (size);
      self->blocks = g_renew (guint64, self->blocks, self->blocks_allocated);
    }
}
