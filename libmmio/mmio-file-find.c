/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Searching, without a copy.
 */
#include "config.h"

#include "mmio-file-private.h"

#include "mmio-error.h"

/* So much is searched between two looks at the cancellable. */
#define CHUNK ((gsize) 8 << 20)

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

typedef const guint8 *(*FindFunc) (const guint8 *haystack,
                                   gsize         haystack_length,
                                   const guint8 *pattern,
                                   gsize         length);

/* Consecutive chunks overlap by one byte less than the pattern has. */
static const guint8 *
search (const guint8  *haystack,
        gsize          haystack_length,
        const guint8  *pattern,
        gsize          length,
        gboolean       forwards,
        GCancellable  *cancellable)
{
  gsize done = 0;

  while (haystack_length - done >= length && !g_cancellable_is_cancelled (cancellable))
    {
      gsize n = MIN (haystack_length - done, CHUNK + length - 1);
      const guint8 *start = forwards ? haystack + done : haystack + haystack_length - done - n;
      const guint8 *found = (forwards ? find_forwards : find_backwards) (start, n, pattern, length);

      if (found != NULL)
        return found;
      done += n - (length - 1);
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

      if (mmio_mapping_pin (mapping, pin, from, size > from ? size - from : 0, FALSE, &local_error))
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
  if (!(to_end ? pin_to_end (mapping, &pin, from, error) : mmio_mapping_pin (mapping, &pin, from, to - from, FALSE, error)))
    return -1;

  if (length == 0)
    {
      result = (gint64) (forwards ? from : from + pin.length);
    }
  else if (pin.length >= length)
    {
      base = pin.region->base + pin.offset;
      found = search (base, pin.length, pattern, length, forwards, cancellable);
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
 * Looks at the file's own memory, which others may change meanwhile.
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
