/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-sample-private.h"

#include <errno.h>
#include <unistd.h>
#include <xxhash.h>

/* The beginning, where formats keep what they count; and the end, then the ends there were before. */
#define HEAD_LENGTH (16 * 1024)
#define BLOCK_LENGTH 4096

static gboolean
read_block (int     fd,
            guint64 offset,
            guint64 length,
            guint8 *buffer)
{
  guint64 n_read = 0;

  while (n_read < length)
    {
      gssize n = pread (fd, buffer + n_read, length - n_read, (off_t) (offset + n_read));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      n_read += (guint64) n;
    }
  return TRUE;
}

static gboolean
take_block (MmioWatchSample *sample,
            int              fd,
            guint64          offset)
{
  guint8 buffer[BLOCK_LENGTH];

  if (!read_block (fd, offset, BLOCK_LENGTH, buffer))
    return FALSE;
  *sample = (MmioWatchSample) { .offset = offset, .length = BLOCK_LENGTH, .digest = XXH3_64bits (buffer, BLOCK_LENGTH) };
  return TRUE;
}

static gboolean
is_block_same (const MmioWatchSample *sample,
               int                    fd)
{
  guint8 buffer[BLOCK_LENGTH];

  return sample->length == 0 || (read_block (fd, sample->offset, BLOCK_LENGTH, buffer) &&
                                 XXH3_64bits (buffer, BLOCK_LENGTH) == sample->digest);
}

static void
take_head (MmioWatchSamples *samples,
           const guint8     *head,
           guint64           length)
{
  samples->samples[0] = (MmioWatchSample) { .offset = 0, .length = length, .digest = XXH3_64bits (head, length) };
}

static gboolean
take_rest (MmioWatchSamples *samples,
           int               fd,
           guint64           size)
{
  return take_block (&samples->samples[1], fd, size - BLOCK_LENGTH) && take_block (&samples->samples[2], fd, size / 2) &&
         take_block (&samples->samples[3], fd, size / 4 * 3);
}

void
mmio_watch_samples_take (MmioWatchSamples *samples,
                         int               fd,
                         guint64           size)
{
  guint8 head[HEAD_LENGTH];
  guint64 length = MIN (size, HEAD_LENGTH);

  *samples = (MmioWatchSamples) { .valid = FALSE };
  if (!read_block (fd, 0, length, head))
    return;
  take_head (samples, head, length);
  samples->valid = size <= HEAD_LENGTH || take_rest (samples, fd, size);
}

gboolean
mmio_watch_samples_are_whole (const MmioWatchSamples *samples,
                              guint64                 size)
{
  return samples->valid && size <= HEAD_LENGTH;
}

/* What is compared is read once and kept, so what is written elsewhere meanwhile isn't taken for what was there. */
gboolean
mmio_watch_samples_follow (MmioWatchSamples *samples,
                           int               fd,
                           guint64           size)
{
  MmioWatchSample *ends = samples->samples + 1;
  guint64 old_length = samples->samples[0].length;
  guint64 length = MIN (size, HEAD_LENGTH);
  guint8 head[HEAD_LENGTH];

  if (!samples->valid || old_length > length || !read_block (fd, 0, length, head) ||
      XXH3_64bits (head, old_length) != samples->samples[0].digest)
    return FALSE;
  for (guint i = 1; i < MMIO_WATCH_N_SAMPLES; i++)
    {
      if (!is_block_same (&samples->samples[i], fd))
        return FALSE;
    }

  take_head (samples, head, length);
  if (size <= HEAD_LENGTH)
    return TRUE;
  if (old_length < HEAD_LENGTH)
    {
      samples->valid = take_rest (samples, fd, size);
      return TRUE;
    }

  /* older ends are kept where the file doubled, so that they lie spread over it */
  if (ends[0].offset / 2 > ends[1].offset)
    {
      ends[2] = ends[1];
      ends[1] = ends[0];
    }
  samples->valid = take_block (&ends[0], fd, size - BLOCK_LENGTH);
  return TRUE;
}
