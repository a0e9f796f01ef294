/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Durability: which ranges can be dirty, and getting them onto the disk.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-os-private.h"

/* Bytes between two ranges that are synced as one. */
#define SYNC_TOGETHER ((gsize) 1 << 20)

/* Under the writer lock: what was written comes out of the set, and what live writable pins cover is added to it. */
static void
collect (MmioMapping *self,
         gsize        start,
         gsize        end,
         MmioDirty   *set)
{
  MmioRange taken[MMIO_DIRTY_MAX];
  guint n;

  mmio_dirty_init (set);
  n = self->dirty.n > 0 ? mmio_dirty_take (&self->dirty, start, end, taken) : 0;
  for (guint i = 0; i < n; i++)
    mmio_dirty_add (set, taken[i].start, taken[i].end);
  mmio_mapping_get_writable_pins (self, set, start, end);
}

/* Under change_lock: what our own resize has cut off since it was collected is nobody's any more. */
static void
drop_cut_off (MmioMapping *self,
              MmioDirty   *set)
{
  gsize size = mmio_mapping_get_size (self);
  MmioRange dropped[MMIO_DIRTY_MAX];

  if (set->n > 0 && set->ranges[set->n - 1].end > size)
    mmio_dirty_take (set, size, G_MAXSIZE, dropped);
}

/* What has not become durable stays pending. */
static void
put_back (MmioMapping *self,
          MmioDirty   *set)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);

  drop_cut_off (self, set);
  mmio_mapping_lock (self);
  for (guint i = 0; i < set->n; i++)
    mmio_dirty_add (&self->dirty, set->ranges[i].start, set->ranges[i].end);
  mmio_mapping_unlock (self);
}

static gboolean
fail_flush (MmioMapping *self,
            gsize        offset,
            gsize        length,
            int          saved_errno,
            GError     **error)
{
  g_autofree char *name = mmio_mapping_dup_name (self);

  /* The kernel reports a failed write once, drops the pages' dirty mark, and calls the next sync a success; see fsync(2) and
   * https://wiki.postgresql.org/wiki/Fsync_Errors. We keep it. */
  g_set_error (&self->flush_error, MMIO_ERROR, MMIO_ERROR_FLUSH_FAILED,
               g_dngettext (GETTEXT_PACKAGE, "%s: could not make %" PRIu64 " byte at offset %" PRIu64 " durable: %s",
                            "%s: could not make %" PRIu64 " bytes at offset %" PRIu64 " durable: %s", length),
               name, (guint64) length, (guint64) offset, g_strerror (saved_errno));
  g_propagate_error (error, g_error_copy (self->flush_error));
  return FALSE;
}

static int
sync_range (MmioMapping     *self,
            const MmioRange *range)
{
  gsize start = range->start - range->start % self->page_size;
  /* A growth may put a larger region in front meanwhile, which shows the same pages. */
  guint8 *base = __atomic_load_n (&self->base, __ATOMIC_ACQUIRE);
  int result;

  do
    result = msync (base + start, range->end - start, MS_SYNC) == 0 ? 0 : errno;
  while (result == EINTR);

  return result;
}

/* Syncs what can be dirty. Ranges that are near each other go together: each sync has the disk empty its cache, which takes longer
 * than to write what others may have made dirty between them. Only a sync promises anything, so it covers every range: on overlayfs
 * sync_file_range (2) finds no page to write, and of a sync of one range some file systems log no more than that range.
 * failed: which of them it was. */
static int
sync_set (MmioMapping     *self,
          const MmioDirty *set,
          gboolean         with_size,
          MmioRange       *failed)
{
  int result = 0;

  if (with_size)
    {
      *failed = (MmioRange) { 0, mmio_mapping_get_size (self) };
      do
        result = fdatasync (self->fd) == 0 ? 0 : errno;
      while (result == EINTR);
      /* Where there is nothing to sync a size with, there may be something for the bytes. */
      if (result != EINVAL)
        return result;
      result = 0;
    }

  for (guint i = 0; i < set->n && result == 0;)
    {
      *failed = set->ranges[i++];
      while (i < set->n && set->ranges[i].start - failed->end <= SYNC_TOGETHER)
        failed->end = set->ranges[i++].end;
      result = sync_range (self, failed);
    }

  return result;
}

/* The first part of the set that a fault has hit, in any region that shows this file: views store through the retired ones too. Under
 * the sequence nothing is healed and no region put in front meanwhile. */
static gboolean
find_hit (MmioMapping     *self,
          const MmioDirty *set,
          MmioRange       *hit)
{
  for (const MmioRegion *region = self->region; region != NULL; region = region->older)
    {
      if (region->base == NULL || region->generation != self->generation || !mmio_guard_range_has_faults (region->guard))
        continue;
      for (guint i = 0; i < set->n; i++)
        {
          gsize start = set->ranges[i].start, end = MIN (set->ranges[i].end, region->length);

          if (start < end && mmio_guard_range_hit (region->guard, region->base + start, end - start))
            {
              *hit = set->ranges[i];
              return TRUE;
            }
        }
    }

  return FALSE;
}

/* What was stored where the file has no page any more is on no disk, though the sync found nothing wrong: behind the end that somebody
 * else has given the file, or in a zero page. Not sticky: a refresh takes over what is. */
static gboolean
check_lost (MmioMapping *self,
            MmioDirty   *set,
            guint64     *size,
            GError     **error)
{
  gboolean cut_off = FALSE, lost = FALSE;
  MmioRange hit = { 0, 0 };

  /* No resize of our own is half done, so a size that differs is somebody else's doing. */
  g_mutex_lock (&self->change_lock);
  drop_cut_off (self, set);
  if (set->n > 0)
    {
      hit = set->ranges[set->n - 1];
      if (mmio_os_get_size (self->fd, size) != 0)
        *size = G_MAXUINT64;
      cut_off = *size < hit.end;
    }
  if (set->n > 0 && !cut_off)
    {
      mmio_mapping_lock (self);
      mmio_mapping_lock_pins (self);
      lost = g_atomic_int_get (&self->stores_lost) || find_hit (self, set, &hit);
      mmio_mapping_unlock_pins (self);
      mmio_mapping_unlock (self);
    }
  g_mutex_unlock (&self->change_lock);

  if (cut_off)
    return mmio_mapping_fail_truncated (self, hit.start, hit.end - hit.start, *size, error);
  return !lost || mmio_mapping_fail_fault (self, hit.start, hit.end - hit.start, error);
}

gboolean
mmio_mapping_flush (MmioMapping *self,
                    guint64      offset,
                    guint64      length,
                    MmioFlushed *flushed,
                    GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->flush_lock);
  gsize size = mmio_mapping_get_size (self);
  gboolean size_pending;
  MmioRange failed = { 0 };
  MmioDirty set;
  int result;
  gsize end;

  *flushed = (MmioFlushed){ .first = G_MAXSIZE, .size = G_MAXUINT64, .generation = self->generation };
  if (self->closed)
    return mmio_mapping_fail_closed (self, error);
  if (self->flush_error != NULL)
    {
      g_propagate_error (error, g_error_copy (self->flush_error));
      return FALSE;
    }
  if (length == G_MAXUINT64)
    length = size > offset ? size - offset : 0;
  if (!mmio_range_is_inside (offset, length, size))
    return mmio_range_fail (self->path, offset, length, size, error);
  if (self->mode == MMIO_MODE_READ_ONLY)
    return TRUE;
  if (self->mode == MMIO_MODE_COPY_ON_WRITE)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE, _("%s: what is written to a copy-on-write mapping never reaches the file"),
                   name);
      return FALSE;
    }

  end = (gsize) (offset + length);
  mmio_mapping_lock (self);
  collect (self, (gsize) offset, end, &set);
  mmio_mapping_unlock (self);
  size_pending = g_atomic_int_compare_and_exchange (&self->size_pending, TRUE, FALSE);

  result = sync_set (self, &set, size_pending, &failed);
  if (result != 0)
    {
      put_back (self, &set);
      return fail_flush (self, failed.start, failed.end - failed.start, result, error);
    }
  if (set.n > 0 && !check_lost (self, &set, &flushed->size, error))
    {
      put_back (self, &set);
      return FALSE;
    }

  if (set.n > 0)
    flushed->first = set.ranges[0].start;
  return TRUE;
}

gboolean
mmio_mapping_start_writeback (MmioMapping *self,
                              guint64      offset,
                              guint64      length,
                              GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  gsize size = mmio_mapping_get_size (self);
  int result;

  if (self->closed)
    return mmio_mapping_fail_closed (self, error);
  if (!mmio_range_is_inside (offset, length, size))
    return mmio_range_fail (self->path, offset, length, size, error);

  /* To the call a length of 0 is all the rest. */
  result = length > 0 && self->mode == MMIO_MODE_READ_WRITE ? mmio_os_start_writeback (self->fd, offset, length) : 0;
  if (result != 0)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_IO,
                   g_dngettext (GETTEXT_PACKAGE, "%s: could not begin to write %" PRIu64 " byte at offset %" PRIu64 ": %s",
                                "%s: could not begin to write %" PRIu64 " bytes at offset %" PRIu64 ": %s", (gulong) length),
                   name, length, offset, g_strerror (result));
    }

  return result == 0;
}

guint64
mmio_mapping_get_pending (MmioMapping *self)
{
  MmioDirty set;

  if (self->mode != MMIO_MODE_READ_WRITE)
    return 0;

  mmio_mapping_lock (self);
  set = self->dirty;
  mmio_mapping_get_writable_pins (self, &set, 0, mmio_mapping_get_size (self));
  mmio_mapping_unlock (self);

  return mmio_dirty_total (&set);
}
