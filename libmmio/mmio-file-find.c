/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Searching, without a copy.
 */
#include "config.h"

#include "mmio-file-private.h"

#include "mmio-error.h"

/* So much is searched between two looks at the cancellable. */
#define CHUNK ((gsize) 8 << 20)
/* And at most so much in a file with holes, before it is asked where data goes on: what that costs is a hundredth of it. */
#define HOLE_CHUNK ((gsize) 1 << 20)
/* A smaller hole is searched. */
#define HOLE_MIN ((gsize) 64 << 10)

static const guint8 *
find_forwards (const guint8 *haystack,
               gsize         haystack_length,
               const guint8 *pattern,
               gsize         length)
{
  return memmem (haystack, haystack_length, pattern, length);
}

/* From the back: the pattern's last byte is looked for with memrchr, which the C library has made quick. */
static const guint8 *
find_backwards (const guint8 *haystack,
                gsize         haystack_length,
                const guint8 *pattern,
                gsize         length)
{
  const guint8 last = pattern[length - 1];

  while (haystack_length >= length)
    {
      const guint8 *end = memrchr (haystack + length - 1, last, haystack_length - length + 1);

      if (end == NULL)
        return NULL;
      if (memcmp (end - length + 1, pattern, length) == 0)
        return end - length + 1;
      haystack_length = (gsize) (end - haystack);
    }

  return NULL;
}

static gboolean
is_zero (const guint8 *bytes,
         gsize         length)
{
  while (length > 0 && bytes[length - 1] == 0)
    length--;
  return length == 0;
}

/* Where the pinned range has holes, in bytes of it. A match of what isn't all zeros lies in none with all of its bytes. */
typedef struct
{
  MmioMapping *mapping;
  const MmioPin *pin;
  gboolean known;               /* FALSE: or no longer */
  gsize chunk;                  /* how much is searched before it is asked again: the more, the longer there has been none */
} Holes;

/* Where data goes on, at from or behind it. */
static gsize
next_data (Holes *self,
           gsize  from)
{
  guint64 data;

  self->known = self->known && mmio_mapping_seek_data (self->mapping, self->pin, self->pin->offset + from, &data);

  return self->known ? (gsize) (MIN (data, self->pin->offset + self->pin->length) - self->pin->offset) : from;
}

/* Where the hole begins that ends at `to`. It can only be asked where data begins: is it behind so many bytes more? Twice as many, as long
 * as it is, and then half as many, until they may as well be searched. */
static gsize
last_data (Holes *self,
           gsize  to)
{
  gsize from = to, step = HOLE_MIN;
  gboolean grows = TRUE;

  while (from > 0 && step >= HOLE_MIN)
    {
      gsize earlier = from - MIN (from, step);
      gboolean is_hole = next_data (self, earlier) >= to;

      if (!self->known)
        return to;
      if (is_hole)
        from = earlier;
      grows = grows && is_hole;
      step = grows ? MIN (step, G_MAXSIZE / 2) * 2 : step / 2;
    }

  return from;
}

/* Is there so large a hole behind what has been looked at that it is passed over? Then of what has been looked at the rest is searched that
 * a match may begin in, or end. */
static gboolean
is_worth_skipping (Holes *self,
                   gsize  hole,
                   gsize  length)
{
  gboolean is_worth = hole > HOLE_MIN + length;

  self->chunk = is_worth ? HOLE_MIN : MIN (self->chunk * 2, HOLE_CHUNK);

  return is_worth;
}

/* seen: the bytes at the beginning of the rest that the chunk before had too. Of tmpfs a page that was looked at is no hole any more, so
 * where data goes on is asked behind them. */
static const guint8 *
search_forwards (const guint8 *haystack,
                 gsize         end,
                 const guint8 *pattern,
                 gsize         length,
                 Holes        *holes,
                 GCancellable *cancellable)
{
  gsize start = 0, seen = 0;

  while (end - start >= length && !g_cancellable_is_cancelled (cancellable))
    {
      gsize unseen = start + seen;
      gsize hole = next_data (holes, unseen) - unseen;
      gboolean skips = is_worth_skipping (holes, hole, length);
      gsize n = skips ? seen : holes->known ? holes->chunk : CHUNK;
      const guint8 *found = find_forwards (haystack + start, MIN (end - start, n + length - 1), pattern, length);

      if (found != NULL)
        return found;
      start = skips ? unseen + hole - (length - 1) : start + MIN (end - start - (length - 1), n);
      seen = length - 1;
    }

  return NULL;
}

static const guint8 *
search_backwards (const guint8 *haystack,
                  gsize         end,
                  const guint8 *pattern,
                  gsize         length,
                  Holes        *holes,
                  GCancellable *cancellable)
{
  gsize seen = 0;

  while (end >= length && !g_cancellable_is_cancelled (cancellable))
    {
      gsize unseen = end - seen;
      gsize hole = unseen - (holes->known ? last_data (holes, unseen) : unseen);
      gboolean skips = is_worth_skipping (holes, hole, length);
      gsize n = skips ? seen : holes->known ? holes->chunk : CHUNK;
      gsize window = MIN (end, n + length - 1);
      const guint8 *found = find_backwards (haystack + end - window, window, pattern, length);

      if (found != NULL)
        return found;
      end = skips ? unseen - hole + (length - 1) : end - MIN (end - (length - 1), n);
      seen = length - 1;
    }

  return NULL;
}

/* From there to the end, which a resize in another thread may move between the look at it and the pin. */
static gboolean
pin_to_end (MmioMapping *mapping,
            MmioPin     *pin,
            guint64      from,
            GError     **error)
{
  for (;;)
    {
      g_autoptr (GError) local_error = NULL;
      gsize size = mmio_mapping_get_size (mapping);

      if (mmio_mapping_pin_passing (mapping, pin, from, size > from ? size - from : 0, &local_error))
        return TRUE;
      if (from > size || !g_error_matches (local_error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS))
        {
          g_propagate_error (error, g_steal_pointer (&local_error));
          return FALSE;
        }
    }
}

gint64
mmio_file_search (MmioFile      *self,
                  gconstpointer  pattern,
                  gsize          length,
                  guint64        from,
                  guint64        to,
                  gboolean       forwards,
                  GCancellable  *cancellable,
                  GError       **error)
{
  MmioMapping *mapping = &self->mapping;
  const guint8 *base, *found;
  gboolean to_end = to == G_MAXUINT64;
  gint64 result = -1;
  MmioPin pin;
  Holes holes = { mapping, &pin, FALSE, HOLE_MIN };

  if (mmio_file_is_closed (self))
    {
      mmio_mapping_fail_closed (mapping, error);
      return -1;
    }
  if (to < from)
    {
      mmio_range_fail (mapping->path, from, to - from, mmio_mapping_get_size (mapping), error);
      return -1;
    }
  if (!(to_end ? pin_to_end (mapping, &pin, from, error) : mmio_mapping_pin_passing (mapping, &pin, from, to - from, error)))
    return -1;

  if (length == 0)
    {
      result = (gint64) (forwards ? from : from + pin.length);
    }
  else if (pin.length >= length)
    {
      base = pin.region->base + pin.offset;
      holes.known = pin.length > HOLE_CHUNK && !is_zero (pattern, length) && mmio_mapping_has_holes (mapping, &pin);
      found = (forwards ? search_forwards : search_backwards) (base, pin.length, pattern, length, &holes, cancellable);
      result = found != NULL ? (gint64) (from + (guint64) (found - base)) : -1;
    }
  if (!mmio_mapping_check_pin (mapping, &pin, error) || g_cancellable_set_error_if_cancelled (cancellable, error))
    result = -1;
  mmio_mapping_unpin (mapping, &pin);
  if (result < 0)
    mmio_file_tell_faults (self);

  return result;
}

/**
 * mmio_file_find:
 * @self: a file
 * @pattern: (array length=length) (element-type guint8): the bytes to look for
 * @length: how many bytes
 * @from: where to begin, in bytes
 * @to: where to end, in bytes: a match lies before it with all of its bytes; %G_MAXUINT64 for the end of the file
 * @error: return location for an error
 *
 * Looks for bytes, and finds where they come first. An empty pattern is found at @from.
 *
 * Looks at the file's own memory, which others may change meanwhile. Where it has holes, in which nothing but zeros can be found, they
 * are passed over, on ext4, XFS, btrfs and tmpfs, unless the file is mapped copy-on-write.
 *
 * May be called from any thread. Blocks for as long as it takes to read the range; see [method@Mmio.File.find_async].
 *
 * Errors: %MMIO_ERROR_OUT_OF_BOUNDS if @from to @to isn't a range inside the file; %MMIO_ERROR_TRUNCATED, %MMIO_ERROR_IO,
 * %MMIO_ERROR_CLOSED.
 *
 * Returns: the offset of the first match in bytes; -1 if there is none, or with @error set
 *
 * Since: 1.0
 */
gint64
mmio_file_find (MmioFile      *self,
                gconstpointer  pattern,
                gsize          length,
                guint64        from,
                guint64        to,
                GError       **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), -1);
  g_return_val_if_fail (pattern != NULL || length == 0, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return mmio_file_search (self, pattern, length, from, to, TRUE, NULL, error);
}

/**
 * mmio_file_find_last:
 * @self: a file
 * @pattern: (array length=length) (element-type guint8): the bytes to look for
 * @length: how many bytes
 * @from: where to begin, in bytes
 * @to: where to end, in bytes: a match lies before it with all of its bytes; %G_MAXUINT64 for the end of the file
 * @error: return location for an error
 *
 * Looks for bytes, and finds where they come last. An empty pattern is found at @to. As [method@Mmio.File.find] otherwise.
 *
 * Returns: the offset of the last match in bytes; -1 if there is none, or with @error set
 *
 * Since: 1.0
 */
gint64
mmio_file_find_last (MmioFile      *self,
                     gconstpointer  pattern,
                     gsize          length,
                     guint64        from,
                     guint64        to,
                     GError       **error)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), -1);
  g_return_val_if_fail (pattern != NULL || length == 0, -1);
  g_return_val_if_fail (error == NULL || *error == NULL, -1);

  return mmio_file_search (self, pattern, length, from, to, FALSE, NULL, error);
}
