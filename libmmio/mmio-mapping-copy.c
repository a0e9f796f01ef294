/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in and out of a mapping: the sequences that keep a read from mixing two states, and what follows a fault in a copy.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-os-private.h"

/* A writer has the lock for the time of a copy: spinning this often is shorter than going to sleep. */
#define SPINS 200
/* A reader that is disturbed this often queues behind the writers. */
#define READ_TRIES 8
/* A page that faults this often though the file has it is read by other means. */
#define MAPPED_TRIES 3
/* Somebody who truncates and extends the file without end doesn't keep us for ever. */
#define FAULT_TRIES 64
/* So much is copied in one go: it should fit into the cache between the processor and what it shares with others. */
#define CHANGE_BLOCK ((gsize) 64 << 10)

static gboolean
try_lock (MmioMapping *self)
{
  guint unlocked = 0;

  return __atomic_load_n (&self->writer_lock, __ATOMIC_RELAXED) == 0 &&
         __atomic_compare_exchange_n (&self->writer_lock, &unlocked, 1, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void
mmio_mapping_lock_slow (MmioMapping *self)
{
  for (guint i = 0; i < SPINS; i++)
    {
      if (try_lock (self))
        return;
      mmio_os_relax ();
    }

  /* The holder looks at n_waiters after it has let go, without the full barrier that would make it certain to see us: that
   * barrier would cost each uncontended write as much as the rest of it. So a wake-up can be missed, and nobody sleeps longer
   * than a millisecond without looking. */
  g_mutex_lock (&self->wait_lock);
  __atomic_add_fetch (&self->n_waiters, 1, __ATOMIC_SEQ_CST);
  while (!try_lock (self))
    g_cond_wait_until (&self->wait_condition, &self->wait_lock, g_get_monotonic_time () + G_TIME_SPAN_MILLISECOND);
  __atomic_sub_fetch (&self->n_waiters, 1, __ATOMIC_SEQ_CST);
  g_mutex_unlock (&self->wait_lock);
}

void
mmio_mapping_wake (MmioMapping *self)
{
  g_mutex_lock (&self->wait_lock);
  g_cond_broadcast (&self->wait_condition);
  g_mutex_unlock (&self->wait_lock);
}

/* The stripes of a range: one for each of its blocks, in any order and some of them twice, or all that there are. */
typedef struct
{
  MmioStripe *stripes;
  guint64 first;                /* block */
  gsize n;                      /* MMIO_N_STRIPES: all */
} Stripes;

static void
stripes_init (Stripes    *self,
              MmioStripe *stripes,
              guint64     offset,
              guint64     length)
{
  self->stripes = stripes;
  self->first = offset >> MMIO_STRIPE_SHIFT;
  self->n = length == 0 ? 0 : (gsize) MIN (((offset + length - 1) >> MMIO_STRIPE_SHIFT) - self->first + 1, MMIO_N_STRIPES);
}

static gsize *
stripes_get (const Stripes *self,
             gsize          i)
{
  return self->n == MMIO_N_STRIPES ? &self->stripes[i].sequence : mmio_stripe_of (self->stripes, self->first + i);
}

/* Step 1 of a reader, and 4. FALSE: somebody is at it. */
static gboolean
stripes_sum (const Stripes *self,
             gsize         *sum)
{
  gsize all = 0;

  *sum = 0;
  for (gsize i = 0; i < self->n; i++)
    {
      gsize sequence = __atomic_load_n (stripes_get (self, i), __ATOMIC_ACQUIRE);

      *sum += sequence;
      all |= sequence;
    }

  return (all & MMIO_SEQUENCE_WRITING) == 0;
}

/* Under the writer lock. What a change of the range counts in is odd for everyone before a byte is stored. */
static void
begin_range (MmioMapping *self,
             Stripes     *stripes,
             guint64      offset,
             guint64      length)
{
  stripes_init (stripes, self->stripes, offset, length);
  if (stripes->stripes == NULL)
    mmio_sequence_begin (&self->sequence);
  else
    for (gsize i = 0; i < stripes->n; i++)
      mmio_sequence_begin (stripes_get (stripes, i));
  __atomic_thread_fence (__ATOMIC_RELEASE);
}

static void
end_range (MmioMapping *self,
           Stripes     *stripes)
{
  if (stripes->stripes == NULL)
    mmio_sequence_end (&self->sequence);
  else
    for (gsize i = 0; i < stripes->n; i++)
      mmio_sequence_end (stripes_get (stripes, i));
}

/* Lays out the stripes. */
static void
split (MmioMapping *self)
{
  MmioStripe *stripes = g_aligned_alloc0 (MMIO_N_STRIPES, sizeof (MmioStripe), MMIO_CACHE_LINE);

  /* A change of the whole: a reader that was in it before without stripes has to come again. */
  mmio_mapping_begin (self);
  if (self->stripes == NULL)
    __atomic_store_n (&self->stripes, g_steal_pointer (&stripes), __ATOMIC_RELEASE);
  mmio_mapping_end (self);
  g_aligned_free (stripes);
}

/* Under the writer lock. */
static gboolean
check_range (MmioMapping *self,
             guint64      offset,
             guint64      length,
             GError     **error)
{
  gsize size = mmio_mapping_get_size (self);

  if (__atomic_load_n (&self->closed, __ATOMIC_RELAXED))
    return mmio_mapping_fail_closed (self, error);
  if (!mmio_range_is_inside (offset, length, size))
    return mmio_range_fail (self->path, offset, length, size, error);

  return TRUE;
}

/* Why did a page of [offset, offset + length) fault, though the file reaches over it? 0: it doesn't any more. */
static int
probe (MmioMapping *self,
       gsize        offset,
       gsize        length,
       gboolean     for_writing)
{
  gsize start = offset - offset % self->page_size;
  char byte;

  /* Blocks that can't be had are why a store into a hole faults. The mapping shows the file's own page again by now. */
  if (for_writing && self->mode == MMIO_MODE_READ_WRITE)
    {
      int result = mmio_os_allocate_range (self->fd, start, offset + length - start);

      if (result != 0 && result != ENOTSUP)
        return result;
    }
  for (gsize at = start; at < offset + length; at += self->page_size)
    {
      gssize n;

      do
        n = pread (self->fd, &byte, 1, (off_t) at);
      while (n < 0 && errno == EINTR);
      if (n < 0)
        return errno;
    }

  return 0;
}

gboolean
mmio_mapping_fail_truncated (MmioMapping *self,
                             guint64      offset,
                             guint64      length,
                             guint64      size,
                             GError     **error)
{
  g_autofree char *name = mmio_mapping_dup_name (self);

  g_set_error (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED,
               /* Translators: %s is a file's name, the numbers are bytes. */
               _("%s: offset %" PRIu64 " + length %" PRIu64 " is cut off: the file was truncated to %" PRIu64), name, offset,
               length, size);
  return FALSE;
}

static void
fail_for_a_time (const char *name,
                 gsize       offset,
                 gsize       length,
                 GError    **error)
{
  g_set_error (error, MMIO_ERROR, MMIO_ERROR_IO,
               _("%s: a page of offset %" PRIu64 " + length %" PRIu64
                 " could not be had for a time: the file was cut off and has grown again, or the disk was full or failed"),
               name, (guint64) offset, (guint64) length);
}

gboolean
mmio_mapping_fail_fault (MmioMapping *self,
                         gsize        offset,
                         gsize        length,
                         GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  g_autofree char *name = NULL;
  struct stat buffer;

  if (self->fd >= 0 && fstat (self->fd, &buffer) == 0 && !mmio_range_is_inside (offset, length, (guint64) buffer.st_size))
    return mmio_mapping_fail_truncated (self, offset, length, (guint64) buffer.st_size, error);

  name = mmio_mapping_dup_name (self);
  fail_for_a_time (name, offset, length, error);
  return FALSE;
}

/* A copy met a page that faulted, for the tries-th time in this call. Puts the file's own pages back if the file has them; TRUE: try
 * again. Why pages can't be had is asked from the one at `at` on; of those that faulted earlier and are only put back, not at all. */
static gboolean
resolve_fault (MmioMapping *self,
               gsize        offset,
               gsize        length,
               gsize        at,
               gboolean     for_writing,
               guint        tries,
               GError     **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->change_lock);
  g_autofree char *name = NULL;
  gboolean kept = FALSE;
  struct stat buffer;
  int reason;

  if (__atomic_load_n (&self->closed, __ATOMIC_RELAXED))
    return mmio_mapping_fail_closed (self, error);

  if (fstat (self->fd, &buffer) != 0)
    reason = errno;
  /* The page may have faulted in a shrink of our own, and a growth have come and gone meanwhile: that is not somebody else's doing. */
  else if (!mmio_range_is_inside (offset, length, mmio_mapping_get_size (self)))
    return mmio_range_fail (self->path, offset, length, mmio_mapping_get_size (self), error);
  else if (!mmio_range_is_inside (offset, length, (guint64) buffer.st_size))
    return mmio_mapping_fail_truncated (self, offset, length, (guint64) buffer.st_size, error);
  else if (mmio_mapping_heal (self, offset, length, &kept))
    reason = at < offset + length ? probe (self, at, offset + length - at, for_writing) : 0;
  else
    reason = errno;

  /* Where blocks can't be asked for, this is how a full disk shows: each further try would cost a fault for each page. */
  if (reason == 0 && for_writing && tries >= MAPPED_TRIES && mmio_os_is_full (self->fd, offset + length - at))
    reason = ENOSPC;
  if (reason == 0 && !kept && tries < FAULT_TRIES)
    return TRUE;

  name = mmio_mapping_dup_name (self);
  if (reason == ENOSPC || reason == EDQUOT)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_NO_SPACE,
                 g_dngettext (GETTEXT_PACKAGE, "%s: no space to write %" PRIu64 " byte at offset %" PRIu64 ": %s",
                              "%s: no space to write %" PRIu64 " bytes at offset %" PRIu64 ": %s", length),
                 name, (guint64) length, (guint64) offset, g_strerror (reason));
  else if (reason == 0)
    fail_for_a_time (name, offset, length, error);
  else
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_IO,
                 for_writing ? g_dngettext (GETTEXT_PACKAGE, "%s: could not write %" PRIu64 " byte at offset %" PRIu64 ": %s",
                                            "%s: could not write %" PRIu64 " bytes at offset %" PRIu64 ": %s", length)
                             : g_dngettext (GETTEXT_PACKAGE, "%s: could not read %" PRIu64 " byte at offset %" PRIu64 ": %s",
                                            "%s: could not read %" PRIu64 " bytes at offset %" PRIu64 ": %s", length),
                 name, (guint64) length, (guint64) offset, g_strerror (reason));
  return FALSE;
}

/* A hole that is looked at on a full tmpfs faults, since even its zeros would take a page; the system call needs none. What it brings
 * is what the mapping would show, but for private pages. FALSE: the mapping has to tell why. Under the writer lock. */
static gboolean
read_by_descriptor (MmioMapping *self,
                    gsize        offset,
                    guint8      *buffer,
                    gsize        count)
{
  gsize done = 0;

  if (self->mode == MMIO_MODE_COPY_ON_WRITE)
    return FALSE;

  while (done < count)
    {
      gssize n = pread (self->fd, buffer + done, count - done, (off_t) (offset + done));

      if (n == 0 || (n < 0 && errno != EINTR))
        return FALSE;
      done += (gsize) MAX (n, 0);
    }

  return TRUE;
}

typedef enum
{
  READ_DONE,
  READ_DISTURBED,               /* by a change: once more */
  READ_BARRED                   /* the range isn't there, or something in the file has faulted */
} ReadResult;

/* mmio_mapping_try_read () for a range of any length. */
static ReadResult
try_read (MmioMapping *self,
          guint64      offset,
          gpointer     buffer,
          gsize        count)
{
  gsize sequence = __atomic_load_n (&self->sequence, __ATOMIC_ACQUIRE);
  Stripes stripes = { __atomic_load_n (&self->stripes, __ATOMIC_ACQUIRE), 0, 0 };
  gsize before = 0, after = 0;
  gboolean faulted;
  gsize size;

  if ((sequence & MMIO_SEQUENCE_WRITING) != 0)
    return READ_DISTURBED;
  /* Before the stripes: of a range that ends past 64 bits there are none. */
  size = __atomic_load_n (&self->size, __ATOMIC_ACQUIRE);
  if (offset >= size || !mmio_range_is_inside (offset, count, size))
    return READ_BARRED;
  if (stripes.stripes != NULL)
    {
      stripes_init (&stripes, stripes.stripes, offset, count);
      if (!stripes_sum (&stripes, &before))
        return READ_DISTURBED;
    }

  mmio_copy (buffer, __atomic_load_n (&self->base, __ATOMIC_RELAXED) + offset, count);

  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  faulted = mmio_guard_range_has_faults (__atomic_load_n (&self->guard, __ATOMIC_RELAXED));
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  stripes_sum (&stripes, &after);
  if (before != after || __atomic_load_n (&self->sequence, __ATOMIC_RELAXED) != sequence)
    return READ_DISTURBED;

  return faulted ? READ_BARRED : READ_DONE;
}

/* With writers kept out. What has faulted is put back where the file has it. */
static gboolean
read_locked (MmioMapping *self,
             guint64      offset,
             gpointer     buffer,
             gsize        count,
             GError     **error)
{
  for (guint i = 0; i < FAULT_TRIES; i++)
    {
      MmioGuardRange *guard;
      const guint8 *base;
      gboolean valid, hit;

      mmio_mapping_lock (self);
      valid = check_range (self, offset, count, error);
      guard = self->guard;
      base = self->base;
      if (valid && count > 0)
        mmio_copy (buffer, base + offset, count);
      /* The zero page may have been laid for another thread, which recorded it before. */
      __atomic_thread_fence (__ATOMIC_ACQUIRE);
      hit = valid && mmio_guard_range_has_faults (guard);
      if (hit && !mmio_guard_range_hit (guard, base + offset, count))
        {
          mmio_mapping_unlock (self);
          mmio_mapping_tidy (self);
          return TRUE;
        }
      if (hit && i >= MAPPED_TRIES)
        hit = !read_by_descriptor (self, offset, buffer, count);
      mmio_mapping_unlock (self);

      if (!valid)
        return FALSE;
      if (!hit)
        return TRUE;
      if (!resolve_fault (self, offset, count, offset, FALSE, i + 1, error))
        return FALSE;
    }

  return FALSE;
}

gboolean
mmio_mapping_read (MmioMapping *self,
                   guint64      offset,
                   gpointer     buffer,
                   gsize        count,
                   GError     **error)
{
  ReadResult result = READ_DISTURBED;

  for (guint i = 0; i < READ_TRIES && result == READ_DISTURBED; i++)
    {
      if (i > 0)
        mmio_os_relax ();
      result = try_read (self, offset, buffer, count);
    }
  if (result == READ_DONE)
    return TRUE;

  if (result == READ_DISTURBED && __atomic_load_n (&self->stripes, __ATOMIC_RELAXED) == NULL)
    split (self);

  return read_locked (self, offset, buffer, count, error);
}

gboolean
mmio_mapping_fail_read_only (MmioMapping *self,
                             GError     **error)
{
  g_autofree char *name = mmio_mapping_dup_name (self);

  g_set_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE, _("%s: is mapped for reading only"), name);
  return FALSE;
}

/* What has been stored to pages that faulted will not be synced: it is in no file. Under the writer lock. */
static void
mark_arrived (MmioMapping *self,
              gsize        start,
              gsize        end)
{
  while (start < end)
    {
      gsize next = MIN (end, start - start % self->page_size + self->page_size);

      if (!mmio_guard_range_hit (self->guard, self->base + start, next - start))
        mmio_mapping_mark (self, start, next);
      start = next;
    }
}

/* What a change puts into its range. */
typedef struct
{
  enum
  {
    FROM_MEMORY,
    FROM_FILE,
    FROM_BYTE
  } kind;
  const guint8 *memory;
  gsize offset;                 /* in the file */
  guint8 byte;
} Content;

/* Where the content lies; NULL for a byte. What is written may lie in a view that a retired region holds. Copied from there it could
 * be overwritten while it is read, since the copy can't tell that the two addresses stand for the same bytes. Under the writer lock. */
static const guint8 *
find_content (MmioMapping   *self,
              const Content *content)
{
  if (content->kind == FROM_BYTE)
    return NULL;
  if (content->kind == FROM_FILE)
    return self->base + content->offset;

  for (const MmioRegion *region = self->region->older; region != NULL; region = region->older)
    if (region->generation == self->generation && (guintptr) content->memory >= (guintptr) region->base &&
        (guintptr) content->memory - (guintptr) region->base < region->length)
      return self->base + (content->memory - region->base);

  return content->memory;
}

/* Bytes of a range in memory, and where they come from. */
typedef struct
{
  guint8 *target;
  const guint8 *source;         /* NULL: all are byte */
  guint8 byte;
  gsize length;
} Change;

static void
put (const Change *self,
     gsize         start,
     gsize         end)
{
  if (self->source != NULL)
    mmio_copy (self->target + start, self->source + start, end - start);
  else
    mmio_set (self->target + start, self->byte, end - start);
}

/* A store that changes nothing, and that the compiler leaves where it is. */
static void
touch (guint8 *byte)
{
  guint8 value = __atomic_load_n (byte, __ATOMIC_RELAXED);

  while (!__atomic_compare_exchange_n (byte, &value, value, FALSE, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
    ;
}

/* Stores to each page that [start, end) has a part in, upwards. Returns where the first one begins that can't be had, or end. As the
 * handler runs on this thread, a fault is seen at once. */
static gsize
have_pages (const Change   *self,
            gsize           start,
            gsize           end,
            gsize           page_size,
            gboolean        unchanged,
            MmioGuardRange *guard)
{
  for (gsize at = start; at < end; at += page_size - ((gsize) (self->target + at) & (page_size - 1)))
    {
      if (unchanged)
        touch (self->target + at);
      else
        put (self, at, at + 1);
      __atomic_signal_fence (__ATOMIC_SEQ_CST);
      if (G_UNLIKELY (mmio_guard_range_has_faults (guard)) && mmio_guard_range_hit (guard, self->target + at, 1))
        return at;
    }

  return end;
}

typedef enum
{
  CHANGE_DONE,
  CHANGE_STOPPED,               /* before a page that faulted */
  CHANGE_SPOILED                /* and what should have been put there isn't anywhere any more */
} ChangeResult;

/* Goes up to the first page that can't be had, and no further: *end says how far. The C library copies downwards too, and the ends of a
 * range before its middle, so it could take the last of the disk for pages behind one that is then missing. Therefore the pages of a
 * block are had before it is copied, each by the first byte that goes there; since the block fits into the cache, this costs next to
 * nothing. Where the bytes come from what they go to none may be stored early, and all pages are had at first. Under the writer lock. */
static ChangeResult
make_change (const Change   *self,
             gsize           page_size,
             MmioGuardRange *guard,
             gsize          *end)
{
  gboolean overlaps = self->source != NULL && mmio_overlap (self->target, self->source, self->length);

  for (gsize start = 0; start < self->length; start = *end)
    {
      gsize block = overlaps ? self->length : MIN (self->length - start, CHANGE_BLOCK);
      gsize had = have_pages (self, start, start + block, page_size, overlaps, guard);

      *end = start + block;
      if (had < *end && overlaps)
        {
          *end = 0;
          return CHANGE_STOPPED;
        }
      put (self, start, had);
      if (had < *end)
        {
          *end = had;
          return CHANGE_STOPPED;
        }

      /* One of the pages has gone again: somebody truncates, or it was written to the disk meanwhile and needs another place there. */
      __atomic_signal_fence (__ATOMIC_SEQ_CST);
      if (G_UNLIKELY (mmio_guard_range_has_faults (guard)) && mmio_guard_range_hit (guard, self->target + start, block))
        return overlaps ? CHANGE_SPOILED : CHANGE_STOPPED;
    }

  return CHANGE_DONE;
}

/* Changes length bytes from offset on. */
static gboolean
change (MmioMapping   *self,
        guint64        offset,
        guint64        length,
        const Content *content,
        GError       **error)
{
  for (guint i = 0; i < FAULT_TRIES; i++)
    {
      ChangeResult result = CHANGE_DONE;
      gboolean valid, tidy = FALSE;
      gsize at = 0;

      mmio_mapping_lock (self);
      /* A reload may have put a shorter file there since the content was looked at. */
      valid = check_range (self, offset, length, error) &&
              (content->kind != FROM_FILE || check_range (self, content->offset, length, error));
      if (valid && self->mode != MMIO_MODE_READ_ONLY && length > 0)
        {
          const Change what = { self->base + offset, find_content (self, content), content->byte, (gsize) length };
          MmioGuardRange *guard = self->guard;
          Stripes stripes;

          /* What faulted before is put back at first: what is stored there now would be in no file. */
          if (mmio_guard_range_has_faults (guard) && mmio_guard_range_hit (guard, what.target, what.length))
            {
              result = CHANGE_STOPPED;
              at = i < MAPPED_TRIES ? what.length : 0;
            }
          else
            {
              begin_range (self, &stripes, offset, length);
              result = make_change (&what, self->page_size, guard, &at);
              end_range (self, &stripes);
              if (result == CHANGE_DONE)
                mmio_mapping_mark (self, (gsize) offset, (gsize) (offset + length));
              else
                mark_arrived (self, (gsize) offset, (gsize) offset + at);
              tidy = mmio_guard_range_has_faults (guard);
            }
        }
      mmio_mapping_unlock (self);

      if (!valid)
        return FALSE;
      if (self->mode == MMIO_MODE_READ_ONLY)
        return mmio_mapping_fail_read_only (self, error);
      if (result == CHANGE_DONE)
        {
          if (tidy)
            mmio_mapping_tidy (self);
          return TRUE;
        }
      if (!resolve_fault (self, (gsize) offset, (gsize) length, (gsize) offset + at, TRUE,
                          result == CHANGE_SPOILED ? FAULT_TRIES : i + 1, error))
        return FALSE;
    }

  return FALSE;
}

gboolean
mmio_mapping_write (MmioMapping  *self,
                    guint64       offset,
                    gconstpointer data,
                    gsize         length,
                    GError      **error)
{
  const Content content = { .kind = FROM_MEMORY, .memory = data };

  if (length - 1 < (gsize) 1 << MMIO_STRIPE_SHIFT && mmio_mapping_write_block (self, offset, data, length, TRUE))
    return TRUE;

  return change (self, offset, length, &content, error);
}

gboolean
mmio_mapping_fill (MmioMapping *self,
                   guint64      offset,
                   guint64      length,
                   guint8       byte,
                   GError     **error)
{
  const Content content = { .kind = FROM_BYTE, .byte = byte };

  return change (self, offset, length, &content, error);
}

gboolean
mmio_mapping_move (MmioMapping   *self,
                   guint64        to,
                   const MmioPin *from,
                   GError       **error)
{
  const Content content = { .kind = FROM_FILE, .offset = from->offset };

  return change (self, to, from->length, &content, error);
}

gconstpointer
mmio_mapping_peek (MmioMapping *self,
                   guint64      offset,
                   gsize        length,
                   GError     **error)
{
  gsize size = mmio_mapping_get_size (self);

  if (__atomic_load_n (&self->closed, __ATOMIC_ACQUIRE))
    {
      mmio_mapping_fail_closed (self, error);
      return NULL;
    }
  if (!mmio_range_is_inside (offset, length, size))
    {
      mmio_range_fail (self->path, offset, length, size, error);
      return NULL;
    }
  /* An empty file may have no memory at all; a borrowed pointer is NULL only where there is an error. */
  if (length == 0 && __atomic_load_n (&self->base, __ATOMIC_RELAXED) == NULL)
    return "";

  return __atomic_load_n (&self->base, __ATOMIC_RELAXED) + offset;
}
