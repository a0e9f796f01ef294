/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a mapping covers: its regions, its size, and which memory lies where.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-os-private.h"
#include "mmio-placement-private.h"

/* Address space is free where pointers are wide. */
#if GLIB_SIZEOF_VOID_P >= 8
#define AUTOMATIC_RESERVE ((guint64) 1 << 26)
#else
#define AUTOMATIC_RESERVE ((guint64) 1 << 24)
#endif

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

char *
mmio_mapping_dup_name (MmioMapping *self)
{
  if (self->path != NULL)
    return mmio_os_display_name (self->path);

  /* Translators: stands where messages begin with a file's name, as in “%s: is closed”. */
  return g_strdup (_("a file without a name"));
}

gboolean
mmio_mapping_fail_closed (MmioMapping *self,
                          GError     **error)
{
  g_autofree char *name = mmio_mapping_dup_name (self);

  g_set_error (error, MMIO_ERROR, MMIO_ERROR_CLOSED, _("%s: is closed"), name);
  return FALSE;
}

int
mmio_mapping_dup_fd (MmioMapping *self,
                     GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  int fd = -1;

  if (self->closed)
    {
      mmio_mapping_fail_closed (self, error);
      return -1;
    }

  fd = fcntl (self->fd, F_DUPFD_CLOEXEC, 3);
  if (fd < 0)
    {
      int saved_errno = errno;
      g_autofree char *name = mmio_mapping_dup_name (self);
      g_autofree char *reason = mmio_os_describe (saved_errno);

      g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (saved_errno), _("%s: could not duplicate: %s"), name,
                   reason);
    }

  return fd;
}

/* Memory */

static gsize
round_up (MmioMapping *self,
          guint64      size)
{
  return (gsize) ((size + self->page_size - 1) / self->page_size * self->page_size);
}

static int
protection (MmioMapping *self)
{
  return self->mode == MMIO_MODE_READ_ONLY ? PROT_READ : PROT_READ | PROT_WRITE;
}

static int
sharing (MmioMapping *self)
{
  /* Private pages are accounted when they come to be, not for the whole reserve. */
  return self->mode == MMIO_MODE_COPY_ON_WRITE ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
}

static MmioGuardAccess
guarded_access (MmioMapping *self)
{
  switch (self->mode)
    {
    case MMIO_MODE_READ_WRITE:
      return MMIO_GUARD_WRITE_SHARED;
    case MMIO_MODE_COPY_ON_WRITE:
      return MMIO_GUARD_WRITE_PRIVATE;
    case MMIO_MODE_READ_ONLY:
    default:
      return MMIO_GUARD_READ;
    }
}

/* A wish: where there are none, nothing is wrong. */
static void
ask_for_huge_pages (MmioMapping *self,
                    gpointer     start,
                    gsize        length)
{
  if (self->huge_pages)
    mmio_os_advise (start, length, MMIO_ADVICE_HUGE_PAGE);
}

/* Both ends page-aligned. The addresses belong to the region: MAP_FIXED takes nothing from anybody else. */
static gboolean
lay_file (MmioMapping *self,
          MmioRegion  *region,
          int          fd,
          gsize        start,
          gsize        end)
{
  if (start >= end)
    return TRUE;
  if (mmap (region->base + start, end - start, protection (self), sharing (self) | MAP_FIXED | self->map_flags, fd,
            (off_t) start) == MAP_FAILED)
    return FALSE;

  ask_for_huge_pages (self, region->base + start, end - start);
  return TRUE;
}

static gboolean
lay_zeros (MmioRegion *region,
           gsize       start,
           gsize       end)
{
  return start >= end || mmap (region->base + start, end - start, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
}

static gboolean
map_region (MmioMapping *self,
            MmioRegion  *region,
            int          fd,
            gsize        used,
            gsize        length)
{
  gpointer hint = length > used ? mmio_placement_suggest (used, length) : NULL;
  gpointer base = mmap (hint, length, protection (self), sharing (self) | self->map_flags, fd, 0);

  if (base == MAP_FAILED)
    return FALSE;

  ask_for_huge_pages (self, base, length);
  *region = (MmioRegion){ .base = base, .length = length, .generation = self->generation };
  region->guard = self->is_sealed ? &mmio_guard_none : mmio_guard_add (base, length, self->page_size, guarded_access (self));
  return TRUE;
}

/* Maps at least size and at_least bytes, and as much more of size as the reserve asks for and is to be had. at_least has a reserve
 * in it already: one on top of it would double the range at each file that is mapped in place of another. */
static gboolean
map_with_reserve (MmioMapping *self,
                  MmioRegion  *region,
                  int          fd,
                  guint64      size,
                  gsize        at_least)
{
  gsize used = round_up (self, MAX (size, 1));
  gsize needed = MAX (used, at_least);
  guint64 wanted = used;

  if (self->reserve)
    wanted = self->reserve_size != 0 ? MAX (self->reserve_size, used) : used + MAX (used, AUTOMATIC_RESERVE);
  if (wanted <= G_MAXSSIZE && wanted > needed && map_region (self, region, fd, used, round_up (self, wanted)))
    return TRUE;

  return map_region (self, region, fd, used, needed);
}

static gboolean
size_fits (MmioMapping *self,
           guint64      size)
{
  return size <= (guint64) G_MAXSSIZE - self->page_size;
}

static char *
describe_map_failure (int saved_errno)
{
  if (saved_errno == ENOMEM || saved_errno == EAGAIN)
    return g_strdup_printf (_("%s (a limit on address space, locked memory or the number of mappings: RLIMIT_AS, RLIMIT_MEMLOCK, "
                              "vm.max_map_count)"),
                            g_strerror (saved_errno));
  return mmio_os_describe (saved_errno);
}

void
mmio_mapping_prepare (MmioMapping *self)
{
  self->closed = TRUE;
  self->fd = -1;
  self->seek_fd = -1;
  self->next_fd = -1;
  self->page_size = mmio_os_page_size ();
  self->guard = &mmio_guard_none;
  self->region = &self->first;
  self->first.guard = &mmio_guard_none;
  mmio_dirty_init (&self->dirty);
  g_mutex_init (&self->change_lock);
  g_mutex_init (&self->flush_lock);
  g_mutex_init (&self->wait_lock);
  g_cond_init (&self->wait_condition);
}

/* Maps the first region, if there is anything to map. */
static gboolean
map_first (MmioMapping *self,
           int          fd,
           guint64      size,
           GError     **error)
{
  /* The huge pages of a reserve would be taken from everyone else at once. */
  if (self->page_size != mmio_os_page_size ())
    self->reserve = FALSE;

  /* Nothing to map: mmap of no bytes is an error, an empty file isn't. */
  if (size == 0 && !self->reserve)
    return TRUE;

  if (!size_fits (self, size))
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("%s: size %" PRIu64 " does not fit into the address space"), name,
                   size);
      return FALSE;
    }
  if (!map_with_reserve (self, &self->first, fd, size, 0))
    {
      int saved_errno = errno;
      g_autofree char *name = mmio_mapping_dup_name (self);
      g_autofree char *reason = describe_map_failure (saved_errno);

      g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (saved_errno),
                   g_dngettext (GETTEXT_PACKAGE, "%s: could not map %" PRIu64 " byte: %s",
                                "%s: could not map %" PRIu64 " bytes: %s", (gulong) size),
                   name, size, reason);
      return FALSE;
    }

  self->base = self->first.base;
  self->guard = self->first.guard;
  self->size = (gsize) size;
  return TRUE;
}

/* Under the writer lock: who writes has to look whether the data lies in a retired region. */
static void
note_aliases (MmioMapping *self)
{
  gboolean aliased = FALSE;

  for (const MmioRegion *region = self->region->older; region != NULL; region = region->older)
    aliased = aliased || (region->base != NULL && region->generation == self->generation);
  self->write_slowly = aliased || self->mode == MMIO_MODE_READ_ONLY;
}

gboolean
mmio_mapping_init (MmioMapping *self,
                   int          fd,
                   guint64      size,
                   gsize        block_size,
                   GError     **error)
{
  self->page_size = mmio_os_fd_page_size (fd, block_size);
  if (!map_first (self, fd, size, error))
    {
      close (fd);
      return FALSE;
    }

  self->fd = fd;
  self->closed = FALSE;
  note_aliases (self);
  mmio_mapping_enlist (self);
  return TRUE;
}

static void
unmap_region (MmioRegion *region)
{
  mmio_guard_remove (region->guard);
  munmap (region->base, region->length);
  mmio_placement_release (region->base, region->length);
}

void
mmio_mapping_clear (MmioMapping *self)
{
  MmioRegion *region = self->region;

  mmio_mapping_delist (self);
  while (region != NULL)
    {
      MmioRegion *older = region->older;

      if (region->base != NULL)
        unmap_region (region);
      if (region != &self->first)
        g_free (region);
      region = older;
    }
  self->region = NULL;

  mmio_mapping_end_seeking (self);
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
  g_clear_pointer (&self->stripes, g_aligned_free);
  g_clear_error (&self->flush_error);
  g_clear_pointer (&self->path, g_free);
  g_mutex_clear (&self->change_lock);
  g_mutex_clear (&self->flush_lock);
  g_mutex_clear (&self->wait_lock);
  g_cond_clear (&self->wait_condition);
}

/* Publishing. Base before size, each with release: a reader that sees the size, by its acquire, sees memory that covers it. */

static void
publish_size (MmioMapping *self,
              gsize        size)
{
  __atomic_store_n (&self->size, size, __ATOMIC_RELEASE);
}

/* The region in front stays mapped, for readers that are still in it and for the views that pin it. */
static void
publish_region (MmioMapping *self,
                MmioRegion  *region)
{
  mmio_mapping_begin (self);
  mmio_mapping_hold_forks ();
  mmio_mapping_lock_pins (self);
  region->older = self->region;
  self->region = region;
  mmio_mapping_unlock_pins (self);
  note_aliases (self);
  __atomic_store_n (&self->guard, region->guard, __ATOMIC_RELEASE);
  __atomic_store_n (&self->base, region->base, __ATOMIC_RELEASE);
  mmio_mapping_let_fork ();
  mmio_mapping_end (self);
}

/* Makes the current region cover size bytes. */
static gboolean
ensure_region (MmioMapping *self,
               guint64      size,
               GError     **error)
{
  g_autofree MmioRegion *region = NULL;
  gboolean mapped = FALSE;
  int saved_errno = EOVERFLOW;

  if (size <= self->region->length)
    return TRUE;

  if (self->mode == MMIO_MODE_COPY_ON_WRITE && self->region->base != NULL)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_RESIZE_FAILED,
                   g_dngettext (GETTEXT_PACKAGE,
                                "%s: the file has grown to %" PRIu64
                                " byte; a copy-on-write mapping can't move, and has room for %" PRIu64 ": set reserve-size",
                                "%s: the file has grown to %" PRIu64
                                " bytes; a copy-on-write mapping can't move, and has room for %" PRIu64 ": set reserve-size",
                                (gulong) size),
                   name, size, (guint64) self->region->length);
      return FALSE;
    }

  region = g_new0 (MmioRegion, 1);
  if (size_fits (self, size))
    {
      /* At least twice what there was, so that all retired regions together are smaller than the current one. */
      guint64 doubled = 2 * (guint64) self->region->length;

      mapped = size_fits (self, doubled) && map_with_reserve (self, region, self->fd, size, (gsize) doubled);
      mapped = mapped || map_with_reserve (self, region, self->fd, size, 0);
      saved_errno = errno;
    }
  if (!mapped)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);
      g_autofree char *reason = describe_map_failure (saved_errno);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_RESIZE_FAILED,
                   g_dngettext (GETTEXT_PACKAGE, "%s: could not map %" PRIu64 " byte: %s",
                                "%s: could not map %" PRIu64 " bytes: %s", (gulong) size),
                   name, size, reason);
      return FALSE;
    }

  publish_region (self, g_steal_pointer (&region));
  return TRUE;
}

/* Faults and zero memory */

static gsize
align_down (MmioMapping *self,
            gsize        offset)
{
  return offset - offset % self->page_size;
}

typedef struct
{
  MmioMapping *mapping;
  MmioRegion *region;
  gboolean kept;
} Heal;

/* Called by the guard, which keeps faults in the range waiting. */
static gboolean
lay_healed (gpointer start,
            gsize    length,
            gboolean exact,
            gpointer user_data)
{
  Heal *heal = user_data;
  gsize offset = (gsize) ((guint8 *) start - heal->region->base);

  /* What was written to a private page is nowhere else. Past the end there is none: whoever cut the file off took it along. */
  if (!exact && heal->mapping->mode == MMIO_MODE_COPY_ON_WRITE &&
      offset < round_up (heal->mapping, mmio_mapping_get_size (heal->mapping)))
    {
      heal->kept = TRUE;
      return FALSE;
    }
  if (!lay_file (heal->mapping, heal->region, heal->mapping->fd, offset, offset + length))
    return FALSE;

  mmio_mapping_mark_pins_faulted (heal->mapping, heal->region, offset, length);
  return TRUE;
}

static gboolean
heal_region (MmioMapping *self,
             MmioRegion  *region,
             gsize        offset,
             gsize        length,
             gboolean    *kept)
{
  Heal heal = { self, region, FALSE };
  gboolean healed;
  gsize start = MIN (align_down (self, offset), region->length);
  gsize end = MIN (round_up (self, (guint64) offset + length), region->length);

  healed = start >= end || !mmio_guard_range_has_faults (region->guard) ||
           mmio_guard_range_heal (region->guard, region->base + start, end - start, lay_healed, &heal);
  if (heal.kept && kept != NULL)
    *kept = TRUE;

  return healed || heal.kept;
}

gboolean
mmio_mapping_heal (MmioMapping *self,
                   gsize        offset,
                   gsize        length,
                   gboolean    *kept)
{
  gboolean success = TRUE;

  if (kept != NULL)
    *kept = FALSE;
  /* A change of the whole: a reader that has copied from the zero page finds out, and a writer isn't in it. */
  mmio_mapping_begin (self);
  for (MmioRegion *region = self->region; region != NULL && success; region = region->older)
    if (region->generation == self->generation && region->base != NULL)
      success = heal_region (self, region, offset, length, kept);
  mmio_mapping_end (self);

  return success;
}

gboolean
mmio_mapping_has_fault_news (MmioMapping *self)
{
  gboolean news = FALSE;

  mmio_mapping_lock_pins (self);
  for (MmioRegion *region = self->region; region != NULL && !news; region = region->older)
    news = mmio_guard_range_has_news (region->guard);
  mmio_mapping_unlock_pins (self);

  return news;
}

gboolean
mmio_mapping_take_fault (MmioMapping *self,
                         gsize       *offset,
                         gsize       *length)
{
  gsize from = G_MAXSIZE, to = 0;

  g_mutex_lock (&self->change_lock);
  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    {
      gpointer start;
      gsize n;

      if (mmio_guard_range_take_news (region->guard, &start, &n))
        {
          from = MIN (from, (gsize) ((guint8 *) start - region->base));
          to = MAX (to, (gsize) ((guint8 *) start - region->base) + n);
        }
    }
  g_mutex_unlock (&self->change_lock);

  *offset = from;
  *length = to > from ? to - from : 0;
  return to > from;
}

void
mmio_mapping_tidy (MmioMapping *self)
{
  gsize end;
  gpointer start;
  gsize length;

  if (!g_mutex_trylock (&self->change_lock))
    return;
  end = round_up (self, mmio_mapping_get_size (self));
  if (!self->closed && self->region->base != NULL && mmio_guard_range_bounds (self->region->guard, &start, &length) &&
      (guint8 *) start + length > self->region->base + end)
    {
      gboolean all_behind = (guint8 *) start >= self->region->base + end;

      mmio_mapping_heal (self, end, self->region->length - end, NULL);
      /* A shrink of our own isn't news. */
      if (all_behind)
        mmio_guard_range_take_news (self->region->guard, &start, &length);
    }
  g_mutex_unlock (&self->change_lock);
}

/* Without the guard a reader that is still at work past the new end would die: it finds zeros there instead. */
static gboolean
cover_tail (MmioMapping *self,
            gsize        new_size,
            gsize        old_size)
{
  gsize start = round_up (self, new_size);
  gsize end = round_up (self, old_size);

  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    {
      if (region->guard != &mmio_guard_none || region->base == NULL || region->generation != self->generation ||
          start >= MIN (end, region->length))
        continue;
      if (!lay_zeros (region, start, MIN (end, region->length)))
        return FALSE;
      region->zero_from = region->zero_to > region->zero_from ? MIN (region->zero_from, start) : start;
      region->zero_to = MAX (region->zero_to, MIN (end, region->length));
    }

  return TRUE;
}

static gboolean
uncover (MmioMapping *self,
         gsize        size)
{
  gsize end = round_up (self, size);

  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    {
      gsize to = MIN (end, region->zero_to);

      if (region->zero_from >= to || region->generation != self->generation)
        continue;
      if (!lay_file (self, region, self->fd, region->zero_from, to))
        return FALSE;
      region->zero_from = to;
    }

  return TRUE;
}

static gboolean
has_faults (MmioMapping *self)
{
  gboolean faults = FALSE;

  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    faults = faults || mmio_guard_range_has_faults (region->guard);

  return faults;
}

static gboolean
is_covered (MmioMapping *self)
{
  gboolean covered = FALSE;

  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    covered = covered || region->zero_from < region->zero_to;

  return covered;
}

/* Before [0, size) is published: the file's own pages lie there. */
static gboolean
show_file (MmioMapping *self,
           gsize        size)
{
  return (!has_faults (self) || mmio_mapping_heal (self, 0, size, NULL)) && uncover (self, size);
}

/* Size */

static gboolean
fail_resize (MmioMapping *self,
             guint64      size,
             int          saved_errno,
             GError     **error)
{
  g_autofree char *name = mmio_mapping_dup_name (self);
  g_autofree char *reason = mmio_os_describe (saved_errno);
  MmioError code = saved_errno == ENOSPC || saved_errno == EDQUOT ? MMIO_ERROR_NO_SPACE : MMIO_ERROR_RESIZE_FAILED;

  g_set_error (error, MMIO_ERROR, (gint) code,
               g_dngettext (GETTEXT_PACKAGE, "%s: could not resize from %" PRIu64 " to %" PRIu64 " byte: %s",
                            "%s: could not resize from %" PRIu64 " to %" PRIu64 " bytes: %s", (gulong) size),
               name, (guint64) mmio_mapping_get_size (self), size, reason);
  return FALSE;
}

static gboolean
grow (MmioMapping *self,
      gsize        old_size,
      gsize        size,
      GError     **error)
{
  struct stat before = { .st_size = (off_t) size };
  gboolean resized;
  int result = 0;

  if (!ensure_region (self, size, error))
    return FALSE;

  /* What others have given it may not be our size: that is what a failure goes back to, where there is anything left to fail. */
  if (self->preallocate || has_faults (self) || is_covered (self))
    result = fstat (self->fd, &before) == 0 ? 0 : errno;
  if (result == 0)
    result = mmio_os_set_size (self->fd, size, &self->allowed_size);
  resized = result == 0;
  /* From where the file ended: what others have cut off of it is a hole now. */
  if (result == 0 && self->preallocate)
    {
      guint64 from = MIN ((guint64) before.st_size, old_size);

      result = mmio_os_preallocate (self->fd, from, size - from);
    }
  if (result == 0 && !show_file (self, size))
    result = errno;
  if (result != 0)
    {
      if (resized && (guint64) before.st_size < size)
        mmio_os_set_size (self->fd, (guint64) before.st_size, &self->allowed_size);
      return fail_resize (self, size, result, error);
    }

  publish_size (self, size);
  return TRUE;
}

/* Behind the end there is nothing to sync. Under the writer lock. */
static void
drop_dirty (MmioMapping *self,
            gsize        size)
{
  MmioRange dropped[MMIO_DIRTY_MAX];

  mmio_dirty_take (&self->dirty, size, G_MAXSIZE, dropped);
}

static gboolean
shrink (MmioMapping *self,
        gsize        old_size,
        gsize        size,
        GError     **error)
{
  int result = 0;

  if (!mmio_mapping_reserve_shrink (self, size, error))
    return FALSE;

  /* The smaller size is out. Whoever passed the check before is a writer, and done when this begins, or finds that the sequence has
   * moved. */
  mmio_mapping_begin (self);
  if (!cover_tail (self, size, old_size))
    result = errno;
  if (result == 0)
    result = mmio_os_set_size (self->fd, size, &self->allowed_size);
  if (result == 0)
    drop_dirty (self, size);
  mmio_mapping_end (self);

  if (result != 0)
    {
      uncover (self, old_size);
      publish_size (self, old_size);
      return fail_resize (self, size, result, error);
    }

  return TRUE;
}

gboolean
mmio_mapping_resize (MmioMapping *self,
                     guint64      size,
                     GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  gsize old_size = mmio_mapping_get_size (self);
  gboolean success;

  if (self->closed)
    return mmio_mapping_fail_closed (self, error);
  if (self->mode != MMIO_MODE_READ_WRITE)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE, _("%s: only a file mapped for reading and writing can be resized"),
                   name);
      return FALSE;
    }
  if (!size_fits (self, size))
    return fail_resize (self, size, EFBIG, error);

  if (size < old_size)
    success = shrink (self, old_size, (gsize) size, error);
  else
    success = grow (self, old_size, (gsize) size, error);
  if (success)
    g_atomic_int_set (&self->size_pending, TRUE);

  return success;
}

/* The size that others have given the file; under change_lock. */
static gboolean
adopt_size (MmioMapping *self,
            guint64      size,
            GError     **error)
{
  gsize old_size = mmio_mapping_get_size (self);

  if (!ensure_region (self, size, error))
    return FALSE;
  if (!show_file (self, (gsize) size))
    return fail_resize (self, size, errno, error);

  mmio_mapping_forgive_pins (self);
  if (size >= old_size)
    {
      publish_size (self, (gsize) size);
      return TRUE;
    }

  mmio_mapping_begin (self);
  mmio_mapping_lock_pins (self);
  publish_size (self, (gsize) size);
  mmio_mapping_unlock_pins (self);
  cover_tail (self, (gsize) size, old_size);
  drop_dirty (self, (gsize) size);
  mmio_mapping_end (self);
  return TRUE;
}

gboolean
mmio_mapping_refresh (MmioMapping *self,
                      GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  struct stat buffer;

  if (self->closed)
    return mmio_mapping_fail_closed (self, error);
  if (fstat (self->fd, &buffer) != 0)
    {
      int saved_errno = errno;
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_IO, _("%s: could not get the size: %s"), name, g_strerror (saved_errno));
      return FALSE;
    }

  return adopt_size (self, (guint64) buffer.st_size, error);
}

/* A region in which nothing is pinned and which is long enough, whatever it shows: what was borrowed without a pin ends here. It may
 * still have readers; they will find that the sequence has moved. In a change of the whole and under pin_lock. */
static MmioRegion *
find_free_region (MmioMapping *self,
                  gsize        length)
{
  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    if (region->base != NULL && region->length >= length && !mmio_mapping_is_pinned (self, region))
      return region;

  return NULL;
}

static void
unlink_region (MmioMapping *self,
               MmioRegion  *region)
{
  MmioRegion **at = &self->region;

  while (*at != NULL && *at != region)
    at = &(*at)->older;
  if (*at != NULL)
    *at = region->older;
}

/* Which file is to be replaced, and by which. */
typedef struct
{
  struct stat old;
  struct stat new;
} Identity;

/* What is pinned and shows the very file that has been opened anew stays a part of it: a view that is stored to is flushed, and keeps
 * a shrink off, as before. Private pages are each mapping's own. Under pin_lock, with the new generation set. */
static void
keep_views (MmioMapping    *self,
            MmioRegion     *taken,
            const Identity *identity)
{
  const guint old_generation = self->generation - 1;

  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    {
      if (region == taken)
        continue;
      if (region->generation == old_generation)
        {
          region->device = (guint64) identity->old.st_dev;
          region->inode = (guint64) identity->old.st_ino;
        }
      if (self->mode != MMIO_MODE_COPY_ON_WRITE && region->inode != 0 && region->inode == (guint64) identity->new.st_ino &&
          region->device == (guint64) identity->new.st_dev && mmio_mapping_is_pinned (self, region))
        region->generation = self->generation;
    }
}

typedef struct
{
  MmioMapping *mapping;
  MmioRegion *region;
  int fd;
} Taking;

/* Called by the guard, which keeps faults in the range waiting. */
static gboolean
lay_taken (gpointer start,
           gsize    length,
           gboolean exact G_GNUC_UNUSED,
           gpointer user_data)
{
  const Taking *taking = user_data;
  gsize offset = (gsize) ((guint8 *) start - taking->region->base);

  return lay_file (taking->mapping, taking->region, taking->fd, offset, offset + length);
}

/* Lays the file at fd over region and puts it in front. In a change of the whole and under pin_lock. */
static int
take_region (MmioMapping    *self,
             MmioRegion     *region,
             int             fd,
             gsize           size,
             const Identity *identity)
{
  gsize covered = region->guard == &mmio_guard_none ? round_up (self, size) : region->length;
  Taking taking = { self, region, fd };

  /* First what can fail. A failure here leaves the old file in place. A reader that is still on its way through the region may
   * fault in what has just been laid: the zero page that it got is replaced as well, before its record goes. */
  if (!lay_file (self, region, fd, 0, covered) || !lay_zeros (region, covered, region->length) ||
      !mmio_guard_range_heal (region->guard, region->base, region->length, lay_taken, &taking))
    return errno;

  unlink_region (self, region);
  region->older = self->region;
  region->generation = ++self->generation;
  keep_views (self, region, identity);
  region->zero_from = covered;
  region->zero_to = region->length;
  region->is_empty = FALSE;
  region->device = region->inode = 0;
  self->region = region;
  note_aliases (self);

  __atomic_store_n (&self->guard, region->guard, __ATOMIC_RELEASE);
  __atomic_store_n (&self->base, region->base, __ATOMIC_RELEASE);
  publish_size (self, size);
  mmio_dirty_init (&self->dirty);
  return 0;
}

/* Not every file can be mapped, and once the old one has made room it is too late. Huge pages are too few to try. */
static int
try_to_map (MmioMapping *self,
            int          fd)
{
  gpointer page;

  if (self->page_size != mmio_os_page_size ())
    return 0;

  page = mmap (NULL, self->page_size, protection (self), sharing (self) | self->map_flags, fd, 0);
  if (page == MAP_FAILED)
    return errno;

  munmap (page, self->page_size);
  return 0;
}

/* Lays the file at fd over region, or over one that is free and at_least so long, which is NULL if there is none. A child of a fork finds
 * all of it or nothing; if it comes before the descriptor follows, it sees to that itself. */
static int
put_in_front (MmioMapping    *self,
              MmioRegion    **region,
              gsize           at_least,
              int             fd,
              gsize           size,
              const Identity *identity)
{
  int result = 0;

  mmio_mapping_begin (self);
  mmio_mapping_hold_forks ();
  mmio_mapping_lock_pins (self);
  if (*region == NULL)
    *region = find_free_region (self, at_least);
  if (*region != NULL)
    result = take_region (self, *region, fd, size, identity);
  if (*region != NULL && result == 0)
    self->next_fd = fd;
  mmio_mapping_unlock_pins (self);
  mmio_mapping_let_fork ();
  mmio_mapping_end (self);

  return result;
}

gboolean
mmio_mapping_replace (MmioMapping *self,
                      int          fd,
                      gboolean     is_duplicate,
                      guint64      size,
                      GError     **error)
{
  g_autoptr (GMutexLocker) flush_locker = g_mutex_locker_new (&self->flush_lock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  /* Never less than there was: a reader that saw the old size and sees the new base stays inside the region. */
  gsize at_least = MAX (self->region->length, self->page_size);
  MmioRegion *region = NULL;
  g_autofree MmioRegion *fresh = NULL;
  Identity identity = { 0 };
  int result = 0;

  if (self->closed)
    return mmio_mapping_fail_closed (self, error);
  if (!size_fits (self, size))
    result = EOVERFLOW;
  else if (fstat (self->fd, &identity.old) != 0 || fstat (fd, &identity.new) != 0)
    result = errno;
  else
    result = mmio_os_can_replace_fd (self->fd);
  if (result == 0)
    result = try_to_map (self, fd);

  if (result == 0)
    {
      at_least = MAX (at_least, round_up (self, size));
      /* What it stands for is about to go. */
      mmio_mapping_end_seeking (self);
      result = put_in_front (self, &region, at_least, fd, (gsize) size, &identity);
    }
  if (result == 0 && region == NULL)
    {
      fresh = g_new0 (MmioRegion, 1);
      if (!map_with_reserve (self, fresh, fd, size, at_least))
        result = errno;
      else
        {
          region = fresh;
          result = put_in_front (self, &region, at_least, fd, (gsize) size, &identity);
          /* Where it fails nobody has seen it. */
          if (result == 0)
            g_steal_pointer (&fresh);
          else
            unmap_region (fresh);
        }
    }
  /* The number stays, so that whoever uses the descriptor meanwhile has the one file or the other. */
  if (result == 0)
    {
      mmio_mapping_drop_locks (self);
      result = mmio_os_replace_fd (fd, self->fd);
      /* Not in the middle of a fork, which copies the descriptors first and the memory later: that child may have the old file there. */
      mmio_mapping_hold_forks ();
      self->next_fd = -1;
      mmio_mapping_let_fork ();
    }

  if (result != 0)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);
      g_autofree char *reason = describe_map_failure (result);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_IO, _("%s: could not map the file anew: %s"), name, reason);
      return FALSE;
    }

  g_atomic_int_set (&self->size_pending, FALSE);
  g_atomic_int_set (&self->stores_lost, FALSE);
  g_clear_error (&self->flush_error);
  self->announce_way = 0;
  if (!is_duplicate)
    mmio_mapping_forget_forks (self);
  close (fd);
  mmio_mapping_empty_unused (self);
  /* What has faulted in the views that stay. */
  if (show_file (self, (gsize) size))
    mmio_mapping_forgive_pins (self);
  return TRUE;
}

void
mmio_mapping_announce (MmioMapping       *self,
                       const MmioFlushed *flushed)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  guint64 size = flushed->size;

  if (self->closed)
    return;
  /* A reload has come between. */
  if (flushed->generation != self->generation && mmio_os_get_size (self->fd, &size) != 0)
    size = G_MAXUINT64;
  mmio_os_announce (self->fd, flushed->first, size, &self->announce_way);
}

/* Under change_lock: regions that nobody can come to any more, and nothing pins, give back their file and memory. Their addresses
 * stay until finalisation, since a reader in another thread may still be on its way through them. */
void
mmio_mapping_empty_unused (MmioMapping *self)
{
  for (MmioRegion *region = self->region; region != NULL; region = region->older)
    {
      gboolean unused;

      if (region->base == NULL || region->is_empty)
        continue;
      mmio_mapping_lock_pins (self);
      unused = (self->closed || region->generation != self->generation) && !mmio_mapping_is_pinned (self, region);
      mmio_mapping_unlock_pins (self);
      if (unused)
        region->is_empty = lay_zeros (region, 0, region->length);
    }
}

void
mmio_mapping_drop_locks (MmioMapping *self)
{
  /* Of an open file that somebody else has as well they aren't ours alone. */
  if (self->has_locked && !self->shares_with_parent && !self->shares_descriptor)
    mmio_os_lock_range (self->fd, MMIO_OS_LOCK_NONE, 0, 0, FALSE);
  self->has_locked = FALSE;
}

void
mmio_mapping_close (MmioMapping *self)
{
  g_autoptr (GMutexLocker) flush_locker = g_mutex_locker_new (&self->flush_lock);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  int fd = self->fd;

  if (self->closed)
    return;

  mmio_mapping_begin (self);
  mmio_mapping_lock_pins (self);
  __atomic_store_n (&self->closed, TRUE, __ATOMIC_RELEASE);
  publish_size (self, 0);
  mmio_mapping_unlock_pins (self);
  mmio_mapping_end (self);

  mmio_mapping_empty_unused (self);
  /* A child that goes on keeps them. */
  if (!mmio_mapping_has_forked (self))
    mmio_mapping_drop_locks (self);
  mmio_mapping_end_seeking (self);
  /* In this order: a child of a fork between the two would take for its own what gets the number next. */
  __atomic_store_n (&self->fd, -1, __ATOMIC_RELEASE);
  close (fd);
}
