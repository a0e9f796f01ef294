/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the system is asked to do with a mapping's pages, and what it says of them.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "mmio-error.h"
#include "mmio-os-private.h"

/* Whole pages, and the range pinned: no region is taken away while the system looks at it. */
typedef struct
{
  MmioPin pin;
  guint8 *start;
  gsize length;
} Pages;

static gboolean
take_pages (MmioMapping *self,
            Pages       *pages,
            guint64      offset,
            guint64      length,
            GError     **error)
{
  gsize start, end;

  if (!mmio_mapping_pin_passing (self, &pages->pin, offset, length, error))
    return FALSE;

  start = pages->pin.offset - pages->pin.offset % self->page_size;
  end = pages->pin.offset + pages->pin.length;
  end += (self->page_size - end % self->page_size) % self->page_size;
  /* an empty file has no address to add to */
  pages->start = length > 0 ? pages->pin.region->base + start : NULL;
  pages->length = length > 0 ? end - start : 0;

  return TRUE;
}

static gboolean
finish_pages (MmioMapping *self,
              Pages       *pages,
              int          result,
              MmioError    code,
              const char  *what,
              GError     **error)
{
  gsize offset = pages->pin.offset, length = pages->pin.length;

  mmio_mapping_unpin (self, &pages->pin);
  if (result != 0)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, (gint) (result == ENOTSUP ? MMIO_ERROR_NOT_SUPPORTED : code),
                   /* Translators: the second %s is what could not be done, the third why. */
                   _("%s: offset %" PRIu64 " + length %" PRIu64 ": %s: %s"), name, (guint64) offset, (guint64) length, what,
                   g_strerror (result));
    }

  return result == 0;
}

/* Calls func for the pages in each region that shows them: the ones in front of which a larger one was put stay mapped. Under
 * change_lock. */
static int
for_each_region (MmioMapping *self,
                 const Pages *pages,
                 int (*func)  (gpointer start,
                               gsize    length,
                               gsize    page_size))
{
  gsize offset = (gsize) (pages->start - pages->pin.region->base);
  int result = 0;

  for (MmioRegion *region = self->region; region != NULL && result == 0; region = region->older)
    if (region->base != NULL && region->generation == pages->pin.region->generation && offset < region->length)
      result = func (region->base + offset, MIN (pages->length, region->length - offset), self->page_size);

  return result;
}

gboolean
mmio_mapping_advise (MmioMapping *self,
                     guint64      offset,
                     guint64      length,
                     MmioAdvice   advice,
                     GError     **error)
{
  Pages pages;
  int result;

  if (!take_pages (self, &pages, offset, length, error))
    return FALSE;

  /* On a private mapping this would throw away what was written. */
  if (advice == MMIO_ADVICE_DONT_NEED && self->mode == MMIO_MODE_COPY_ON_WRITE)
    result = ENOTSUP;
  else
    result = pages.length > 0 ? mmio_os_advise (pages.start, pages.length, advice) : 0;

  /* Translators: the advice about memory that is given to the system, as in madvise(2) */
  return finish_pages (self, &pages, result, MMIO_ERROR_ADVICE_FAILED, _("the advice was not taken"), error);
}

/* So many pages beside one that is locked may stay with it: fewer aren't worth a system call of their own. */
#define FEW_PAGES 16

/* Out of the mapping. */
static int
drop_pages (gpointer start,
            gsize    length,
            gsize    page_size)
{
  int result = mmio_os_advise (start, length, MMIO_ADVICE_DONT_NEED);
  gsize half = length / 2 - length / 2 % page_size;

  /* Some of them are locked, and stay. */
  if (result != EINVAL)
    return result;
  if (length <= FEW_PAGES * page_size)
    return 0;

  result = drop_pages (start, half, page_size);

  return result == 0 ? drop_pages ((guint8 *) start + half, length - half, page_size) : result;
}

gboolean
mmio_mapping_evict (MmioMapping *self,
                    guint64      offset,
                    guint64      length,
                    GError     **error)
{
  Pages pages;
  int result = 0;

  if (!take_pages (self, &pages, offset, length, error))
    return FALSE;

  if (pages.length > 0)
    {
      /* The descriptor stays open, and the file's own. */
      g_mutex_lock (&self->change_lock);
      /* Pages that are mapped stay in the cache: first out of the mapping, then out of the cache. */
      if (self->mode != MMIO_MODE_COPY_ON_WRITE)
        result = for_each_region (self, &pages, drop_pages);
      if (!self->closed && result == 0)
        result = mmio_os_drop_cache (self->fd, (guint64) (pages.start - pages.pin.region->base), pages.length);
      g_mutex_unlock (&self->change_lock);
    }

  return finish_pages (self, &pages, result, MMIO_ERROR_ADVICE_FAILED, _("could not be dropped from memory"), error);
}

gboolean
mmio_mapping_populate (MmioMapping  *self,
                       guint64       offset,
                       guint64       length,
                       GCancellable *cancellable,
                       GError      **error)
{
  const gsize step = (gsize) 16 << 20;
  Pages pages;
  gboolean intact;
  int result = 0;

  if (!take_pages (self, &pages, offset, length, error))
    return FALSE;

  for (gsize done = 0; done < pages.length && result == 0 && !g_cancellable_is_cancelled (cancellable); done += step)
    result = mmio_os_populate (pages.start + done, MIN (step, pages.length - done), self->page_size);

  /* EFAULT, or a fault that the guard has caught: the file isn't as long any more, or can't be read. */
  if (result == EFAULT || result == EHWPOISON)
    {
      mmio_mapping_fail_fault (self, pages.pin.offset, pages.pin.length, error);
      mmio_mapping_unpin (self, &pages.pin);
      return FALSE;
    }
  intact = mmio_mapping_check_pin (self, &pages.pin, error);

  return finish_pages (self, &pages, result, MMIO_ERROR_IO, _("could not be read into memory"), intact ? error : NULL) && intact &&
         !g_cancellable_set_error_if_cancelled (cancellable, error);
}

static int
unlock_pages (gpointer start,
              gsize    length,
              gsize    page_size G_GNUC_UNUSED)
{
  return munlock (start, length) == 0 ? 0 : errno;
}

static gboolean
is_cut_off (MmioMapping   *self,
            const MmioPin *pin)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  guint64 size;

  return !self->closed && mmio_os_get_size (self->fd, &size) == 0 && !mmio_range_is_inside (pin->offset, pin->length, size);
}

gboolean
mmio_mapping_lock_memory (MmioMapping *self,
                          guint64      offset,
                          guint64      length,
                          gboolean     lock,
                          GError     **error)
{
  Pages pages;
  int result = 0;

  if (!take_pages (self, &pages, offset, length, error))
    return FALSE;

  if (pages.length > 0 && lock)
    result = mlock (pages.start, pages.length) == 0 ? 0 : errno;
  if (pages.length > 0 && !lock)
    {
      g_mutex_lock (&self->change_lock);
      result = for_each_region (self, &pages, unlock_pages);
      g_mutex_unlock (&self->change_lock);
    }
  /* Linux calls this ENOMEM too, and leaves the pages that there are locked. */
  if (result != 0 && lock && is_cut_off (self, &pages.pin))
    {
      munlock (pages.start, pages.length);
      mmio_mapping_fail_fault (self, pages.pin.offset, pages.pin.length, error);
      mmio_mapping_unpin (self, &pages.pin);
      return FALSE;
    }

  return finish_pages (self, &pages, result, MMIO_ERROR_LOCK_FAILED,
                       lock ? _("could not be locked into memory (RLIMIT_MEMLOCK)") : _("could not be unlocked"), error);
}

gboolean
mmio_mapping_get_resident (MmioMapping *self,
                           guint64      offset,
                           guint64      length,
                           guint64     *bytes,
                           GError     **error)
{
  Pages pages;
  int result = 0;

  *bytes = 0;
  if (!take_pages (self, &pages, offset, length, error))
    return FALSE;

  if (pages.length > 0)
    {
      /* As in mmio_mapping_evict (). */
      g_mutex_lock (&self->change_lock);
      if (!self->closed)
        result = mmio_os_get_resident (self->fd, self->mode == MMIO_MODE_COPY_ON_WRITE,
                                       (guint64) (pages.start - pages.pin.region->base), pages.start, pages.length, bytes);
      g_mutex_unlock (&self->change_lock);
    }
  /* The pages' overhang isn't part of what was asked for. */
  *bytes = MIN (*bytes, length);

  return finish_pages (self, &pages, result, MMIO_ERROR_NOT_SUPPORTED, _("residency can't be told"), error);
}

/* /proc/self/smaps tells what is, not what was asked for. */
guint64
mmio_mapping_get_huge_bytes (MmioMapping *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  g_autofree char *line = NULL;
  guintptr base = (guintptr) self->region->base;
  gboolean ours = FALSE;
  guint64 total = 0;
  gsize size = 0;
  FILE *stream;

  if (self->closed || base == 0)
    return 0;
  stream = fopen ("/proc/self/smaps", "re");
  if (stream == NULL)
    return 0;

  while (getline (&line, &size, stream) > 0)
    {
      guint64 from, to, n;

      if (sscanf (line, "%" SCNx64 "-%" SCNx64 " ", &from, &to) == 2)
        ours = from >= base && from < base + self->region->length;
      else if (ours && (sscanf (line, "FilePmdMapped: %" SCNu64 " kB", &n) == 1 ||
                        sscanf (line, "ShmemPmdMapped: %" SCNu64 " kB", &n) == 1 ||
                        sscanf (line, "AnonHugePages: %" SCNu64 " kB", &n) == 1 ||
                        sscanf (line, "Shared_Hugetlb: %" SCNu64 " kB", &n) == 1 ||
                        sscanf (line, "Private_Hugetlb: %" SCNu64 " kB", &n) == 1))
        total += n * 1024;
    }
  fclose (stream);

  return total;
}
