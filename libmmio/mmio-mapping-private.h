/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One address range over one file, for life: reserve, grow in place, copy in and out, pin, sync.
 * It knows a descriptor and addresses; nothing of GObject, signals or policies.
 *
 * Locks, in the order in which they are taken:
 *   flush_lock    one flush at a time; the sticky error
 *   change_lock   what the mapping covers: regions, size, the descriptor; healing
 *   sequence      the writers' lock and the readers' check (below)
 *   pin_lock      the list of pins; spun on, held for a few instructions
 */
#pragma once

#include <gio/gio.h>
#include <string.h>

#include "mmio-bounds-private.h"
#include "mmio-dirty-private.h"
#include "mmio-enums.h"
#include "mmio-guard-private.h"

G_BEGIN_DECLS

typedef struct _MmioMapping MmioMapping;
typedef struct _MmioRegion MmioRegion;
typedef struct _MmioPin MmioPin;

/* The sequence word: bit 0 says that bytes are being changed, bit 1 that somebody keeps writers out without changing
 * anything, the rest counts the changes. A reader is undisturbed by bit 1. */
#define MMIO_SEQUENCE_WRITING ((gsize) 1)
#define MMIO_SEQUENCE_HELD ((gsize) 2)
#define MMIO_SEQUENCE_STEP ((gsize) 4)

/* One mmap. Immutable once published, but for what zero memory has been laid over. */
struct _MmioRegion
{
  guint8 *base;
  gsize length;                 /* address space, a multiple of page_size */
  MmioGuardRange *guard;
  guint generation;             /* of the file: regions of an older one show a file that has been replaced */
  gsize zero_from;              /* change_lock: zero memory lies over [zero_from, zero_to) */
  gsize zero_to;
  gboolean is_empty;            /* change_lock: nothing but zero memory */
  MmioRegion *older;            /* retired regions, unmapped at finalisation */
};

/* A range that must stay as it is: what a view or borrowed bytes point at. */
struct _MmioPin
{
  MmioPin *next;
  MmioPin *previous;
  MmioRegion *region;
  gsize offset;
  gsize length;
  gboolean writable;
  gboolean faulted;             /* pin_lock to write, atomic to read: a fault hit it that has been healed since */
};

struct _MmioMapping
{
  /* What a copying read looks at; nobody writes to these lines but a writer. */
  gsize sequence;               /* atomic */
  gsize size;                   /* atomic, bytes; never more than the region covers */
  guint8 *base;                 /* atomic; published before a size that needs it */
  MmioGuardRange *guard;        /* atomic; of the region at base, never NULL */
  MmioMode mode;                /* immutable */
  gboolean write_slowly;        /* sequence: read-only, or a retired region shows the same file at other addresses */
  gboolean closed;              /* atomic; set under flush_lock, change_lock and sequence */

  MmioDirty dirty;              /* under the sequence; empty but in read-write mode */

  gint stores_lost;             /* atomic: what was stored through a writable pin went into a zero page; until a refresh */
  gint size_pending;            /* atomic: the size was changed and not yet synced */
  guint n_waiters;              /* atomic: who sleeps in wait_condition until the sequence is free */
  GMutex wait_lock;
  GCond wait_condition;

  guint pin_lock;
  MmioPin *pins;                /* pin_lock */
  guint n_writable_pins;        /* pin_lock to write; atomic to read */

  GMutex change_lock;
  MmioRegion *region;           /* change_lock and pin_lock to write, one of them to read: the current one, the retired behind it */
  MmioRegion first;             /* what region points to until the mapping outgrows it */
  guint generation;             /* change_lock */
  guint64 allowed_size;         /* change_lock: no limit on the size of files forbids this one */
  int fd;                       /* immutable number; -1 once closed (change_lock and flush_lock) */
  gsize page_size;              /* immutable */
  guint64 reserve_size;         /* immutable: what was asked for; 0: automatic */
  gboolean reserve;             /* immutable: map past the end, so as to grow in place */
  gboolean preallocate;         /* immutable: growth reserves blocks */
  int map_flags;                /* immutable: added to each mmap */
  gboolean is_inherited;        /* set in the child of a fork, while there is one thread */
  gboolean is_sealed;           /* immutable: nobody can cut the file off, so nothing needs to be guarded */
  char *path;                   /* immutable, file system encoding: for messages */

  GMutex flush_lock;
  GError *flush_error;          /* flush_lock: the first failure; every later flush fails with it */

  /* The list of all mappings: see mmio-mapping-fork.c. */
  MmioMapping *next_mapping;
  MmioMapping **link_to_mapping;
};

/* Closed until mmio_mapping_init () succeeds: whatever is called on it says so. */
void     mmio_mapping_prepare        (MmioMapping   *self);
/* Takes over fd, which is closed where it fails. */
gboolean mmio_mapping_init           (MmioMapping   *self,
                                      int            fd,
                                      guint64        size,
                                      gsize          block_size,
                                      GError       **error);
void     mmio_mapping_clear          (MmioMapping   *self);
void     mmio_mapping_close          (MmioMapping   *self);

gboolean mmio_mapping_read           (MmioMapping   *self,
                                      guint64        offset,
                                      gpointer       buffer,
                                      gsize          count,
                                      GError       **error);
gboolean mmio_mapping_write          (MmioMapping   *self,
                                      guint64        offset,
                                      gconstpointer  data,
                                      gsize          length,
                                      GError       **error);
/* Changes bytes inside the sequence: func gets what lies at offset, length bytes of it. May be called again after a fault. */
typedef void (*MmioChangeFunc) (guint8        *base,
                                gsize          offset,
                                gsize          length,
                                gconstpointer  data);
gboolean mmio_mapping_change         (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      MmioChangeFunc func,
                                      gconstpointer  data,
                                      GError       **error);
gconstpointer mmio_mapping_peek      (MmioMapping   *self,
                                      guint64        offset,
                                      gsize          length,
                                      GError       **error);

gboolean mmio_mapping_pin            (MmioMapping   *self,
                                      MmioPin       *pin,
                                      guint64        offset,
                                      guint64        length,
                                      gboolean       writable,
                                      GError       **error);
/* A part of what pin pins, in the same region. */
gboolean mmio_mapping_pin_part       (MmioMapping   *self,
                                      MmioPin       *part,
                                      const MmioPin *pin,
                                      guint64        offset,
                                      gsize          length,
                                      GError       **error);
void     mmio_mapping_unpin          (MmioMapping   *self,
                                      MmioPin       *pin);
gboolean mmio_mapping_check_pin      (MmioMapping   *self,
                                      const MmioPin *pin,
                                      GError       **error);

gboolean mmio_mapping_resize         (MmioMapping   *self,
                                      guint64        size,
                                      GError       **error);
gboolean mmio_mapping_refresh        (MmioMapping   *self,
                                      GError       **error);
/* Takes over fd: another file from now on, or the same one opened anew. */
gboolean mmio_mapping_replace        (MmioMapping   *self,
                                      int            fd,
                                      guint64        size,
                                      GError       **error);

/* Makes [offset, offset + length) durable as far as it can be dirty; a length of G_MAXUINT64 reaches to the end.
 * first: where the first range that was synced begins; G_MAXSIZE if there was none. */
gboolean mmio_mapping_flush          (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      gsize         *first,
                                      GError       **error);
gboolean mmio_mapping_start_writeback (MmioMapping  *self,
                                       guint64       offset,
                                       guint64       length,
                                       GError      **error);
/* Raises a modification event at offset, which has just been synced. */
void     mmio_mapping_announce       (MmioMapping   *self,
                                      gsize          offset);
guint64  mmio_mapping_get_pending    (MmioMapping   *self);
/* What a writable pin was used for can't be seen: it counts as written when it goes, and at each flush. */
void     mmio_mapping_mark_dirty     (MmioMapping   *self,
                                      guint64        offset,
                                      gsize          length);

/* Under change_lock: lays the file's own pages over the faulted ones in the range, in every region of this file.
 * kept, which may be NULL: some stay as they are, recorded, since among them may be private pages that would be lost. */
gboolean mmio_mapping_heal           (MmioMapping   *self,
                                      gsize          offset,
                                      gsize          length,
                                      gboolean      *kept);
/* Faults that nobody was told of yet, as one interval, in bytes of the file. */
gboolean mmio_mapping_has_fault_news (MmioMapping   *self);
gboolean mmio_mapping_take_fault     (MmioMapping   *self,
                                      gsize         *offset,
                                      gsize         *length);
/* Forgets faults that lie past the end, which a shrink leaves behind, so that reads are quick again. */
void     mmio_mapping_tidy           (MmioMapping   *self);

gboolean mmio_mapping_advise         (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      MmioAdvice     advice,
                                      GError       **error);
gboolean mmio_mapping_evict          (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      GError       **error);
/* Reads the range in and waits for it. */
gboolean mmio_mapping_populate       (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      GCancellable  *cancellable,
                                      GError       **error);
gboolean mmio_mapping_lock_memory    (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      gboolean       lock,
                                      GError       **error);
gboolean mmio_mapping_get_resident   (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      guint64       *bytes,
                                      GError       **error);
guint64  mmio_mapping_get_huge_bytes (MmioMapping   *self);

/* Onto the list of those that a fork frees of what the parent's other threads held, and off it. */
void     mmio_mapping_enlist         (MmioMapping   *self);
void     mmio_mapping_delist         (MmioMapping   *self);

void     mmio_mapping_lock_pins      (MmioMapping   *self);
void     mmio_mapping_unlock_pins    (MmioMapping   *self);
gboolean mmio_mapping_reserve_shrink (MmioMapping   *self,
                                      gsize          size,
                                      GError       **error);
void     mmio_mapping_mark_pins_faulted (MmioMapping *self,
                                         MmioRegion  *region,
                                         gsize        offset,
                                         gsize        length);
/* A refresh puts the file's own pages back: the pins show them again. */
void     mmio_mapping_forgive_pins   (MmioMapping   *self);
guint    mmio_mapping_get_writable_pins (MmioMapping *self,
                                         MmioDirty   *set,
                                         gsize        start,
                                         gsize        end);
void     mmio_mapping_empty_unused   (MmioMapping   *self);
/* Under pin_lock. */
gboolean mmio_mapping_is_pinned      (MmioMapping   *self,
                                      MmioRegion    *region);

gboolean mmio_mapping_fail_closed    (MmioMapping   *self,
                                      GError       **error);
/* A fault hit [offset, offset + length): says why as far as it can be known. Returns FALSE. */
gboolean mmio_mapping_fail_fault     (MmioMapping   *self,
                                      gsize          offset,
                                      gsize          length,
                                      GError       **error);
gboolean mmio_mapping_fail_read_only (MmioMapping   *self,
                                      GError       **error);
gboolean mmio_mapping_fail_truncated (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      guint64        size,
                                      GError       **error);
/* -1 and an error if the mapping is closed. */
int      mmio_mapping_dup_fd         (MmioMapping   *self,
                                      GError       **error);
/* The file's name for messages. */
char    *mmio_mapping_dup_name       (MmioMapping   *self);

static inline gsize
mmio_mapping_get_size (MmioMapping *self)
{
  return __atomic_load_n (&self->size, __ATOMIC_ACQUIRE);
}

#if defined(__SANITIZE_THREAD__)
#define MMIO_NO_TSAN __attribute__ ((no_sanitize_thread, noinline))
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MMIO_NO_TSAN __attribute__ ((no_sanitize ("thread"), noinline))
#endif
#endif

#ifdef MMIO_NO_TSAN
#define MMIO_COPY_INLINE_MAX 0

/* Bytes are copied while another thread may be writing them: that is what the sequence is there to find out, and the copy is
 * then thrown away. The race is meant; the sanitizer, which would also see it inside memmove, is told so here and nowhere else. */
G_GNUC_UNUSED MMIO_NO_TSAN static void
mmio_copy (void       *to,
           const void *from,
           gsize       length)
{
  volatile guint8 *target = to;
  const volatile guint8 *source = from;

  if ((guintptr) to <= (guintptr) from)
    for (gsize i = 0; i < length; i++)
      target[i] = source[i];
  else
    for (gsize i = length; i > 0; i--)
      target[i - 1] = source[i - 1];
}
G_GNUC_UNUSED MMIO_NO_TSAN static void
mmio_set (void  *to,
          guint8 byte,
          gsize  length)
{
  volatile guint8 *target = to;

  for (gsize i = 0; i < length; i++)
    target[i] = byte;
}
#else
#define mmio_set(to, byte, length) memset ((to), (byte), (length))

#define MMIO_COPY_INLINE_MAX 64

/* What fits into one register. A vector, since clang keeps structs and arrays on the stack. */
typedef guint64 MmioCopyBlock __attribute__ ((vector_size (16)));

/* length: of one TYPE to two of them. */
#define MMIO_COPY_ENDS(TYPE)                                                                                                   \
  G_STMT_START                                                                                                                 \
  {                                                                                                                            \
    TYPE first, last;                                                                                                          \
    memcpy (&first, source, sizeof first);                                                                                     \
    memcpy (&last, source + length - sizeof last, sizeof last);                                                                \
    memcpy (target, &first, sizeof first);                                                                                     \
    memcpy (target + length - sizeof last, &last, sizeof last);                                                                \
  }                                                                                                                            \
  G_STMT_END

/* Records are small. Their copy stands in line here, so that read and write call nothing and keep nothing on the stack: that is
 * a third of the time of 64 bytes. As with memmove everything is loaded before anything is stored, since what is written may
 * come from a view of the same file. */
static inline void
mmio_copy (void       *to,
           const void *from,
           gsize       length)
{
  guint8 *target = to;
  const guint8 *source = from;

  if (length > MMIO_COPY_INLINE_MAX)
    {
      memmove (to, from, length);
    }
  else if (length >= 2 * sizeof (MmioCopyBlock))
    {
      MmioCopyBlock first, second, third, last;

      memcpy (&first, source, sizeof (MmioCopyBlock));
      memcpy (&second, source + sizeof (MmioCopyBlock), sizeof (MmioCopyBlock));
      memcpy (&third, source + length - 2 * sizeof (MmioCopyBlock), sizeof (MmioCopyBlock));
      memcpy (&last, source + length - sizeof (MmioCopyBlock), sizeof (MmioCopyBlock));
      memcpy (target, &first, sizeof (MmioCopyBlock));
      memcpy (target + sizeof (MmioCopyBlock), &second, sizeof (MmioCopyBlock));
      memcpy (target + length - 2 * sizeof (MmioCopyBlock), &third, sizeof (MmioCopyBlock));
      memcpy (target + length - sizeof (MmioCopyBlock), &last, sizeof (MmioCopyBlock));
    }
  else if (length >= sizeof (MmioCopyBlock))
    MMIO_COPY_ENDS (MmioCopyBlock);
  else if (length >= sizeof (guint64))
    MMIO_COPY_ENDS (guint64);
  else if (length >= sizeof (guint32))
    MMIO_COPY_ENDS (guint32);
  else if (length >= sizeof (guint16))
    MMIO_COPY_ENDS (guint16);
  else if (length > 0)
    *target = *source;
}
#endif

/* The whole of a read, where nothing is in the way: no lock, no store to anything shared. FALSE says only that
 * mmio_mapping_read () has to look closer. */
static inline gboolean
mmio_mapping_try_read (MmioMapping *self,
                       guint64      offset,
                       gpointer     buffer,
                       gsize        count)
{
  /* Acquire: pairs with the release that ends a change, so that what is copied is at least as new as the sequence. */
  gsize sequence = __atomic_load_n (&self->sequence, __ATOMIC_ACQUIRE);
  gsize size;
  const guint8 *base;

  if (G_UNLIKELY (sequence & MMIO_SEQUENCE_WRITING))
    return FALSE;

  /* Acquire: pairs with the release in publish_size (); whoever sees the new size sees the base that covers it. */
  size = __atomic_load_n (&self->size, __ATOMIC_ACQUIRE);
  /* The first comparison sends a closed mapping, whose size is 0, to the slow path even for a read of nothing. */
  if (G_UNLIKELY (offset >= size || !mmio_range_is_inside (offset, count, size)))
    return FALSE;

  base = __atomic_load_n (&self->base, __ATOMIC_RELAXED);
  mmio_copy (buffer, base + offset, count);

  /* The copy is over before the sequence is looked at again; pairs with the release fence in mmio_mapping_lock (). */
  __atomic_thread_fence (__ATOMIC_ACQUIRE);

  return ((__atomic_load_n (&self->sequence, __ATOMIC_RELAXED) ^ sequence) & ~MMIO_SEQUENCE_HELD) == 0 &&
         !mmio_guard_range_has_faults (__atomic_load_n (&self->guard, __ATOMIC_RELAXED));
}

void mmio_mapping_lock_slow (MmioMapping *self,
                             gsize        bit) __attribute__ ((cold));
void mmio_mapping_wake      (MmioMapping *self) __attribute__ ((cold));

/* Begins a change: one compare-and-swap where nobody is in the way. */
static inline void
mmio_mapping_lock (MmioMapping *self)
{
  gsize sequence = __atomic_load_n (&self->sequence, __ATOMIC_RELAXED);

  if (G_UNLIKELY ((sequence & (MMIO_SEQUENCE_WRITING | MMIO_SEQUENCE_HELD)) != 0 ||
                  !__atomic_compare_exchange_n (&self->sequence, &sequence, sequence | MMIO_SEQUENCE_WRITING, FALSE,
                                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
    mmio_mapping_lock_slow (self, MMIO_SEQUENCE_WRITING);

  /* No byte is stored before the sequence is odd for everyone. */
  __atomic_thread_fence (__ATOMIC_RELEASE);
}

static inline void
mmio_mapping_unlock (MmioMapping *self)
{
  gsize sequence = __atomic_load_n (&self->sequence, __ATOMIC_RELAXED);

  __atomic_store_n (&self->sequence, (sequence & ~MMIO_SEQUENCE_WRITING) + MMIO_SEQUENCE_STEP, __ATOMIC_RELEASE);
  if (G_UNLIKELY (__atomic_load_n (&self->n_waiters, __ATOMIC_RELAXED) != 0))
    mmio_mapping_wake (self);
}

/* Under the sequence. */
static inline void
mmio_mapping_mark (MmioMapping *self,
                   gsize        start,
                   gsize        end)
{
  if (G_LIKELY (self->mode == MMIO_MODE_READ_WRITE))
    mmio_dirty_add (&self->dirty, start, end);
}

/* As mmio_mapping_try_read (). */
static inline gboolean
mmio_mapping_try_write (MmioMapping  *self,
                        guint64       offset,
                        gconstpointer data,
                        gsize         length)
{
  gboolean done = FALSE;
  gsize size;

  mmio_mapping_lock (self);
  size = mmio_mapping_get_size (self);
  /* With faults nothing is copied here: it would be copied twice, and what is written may lie in the range that it is written to. */
  if (G_LIKELY (offset < size && mmio_range_is_inside (offset, length, size) && !self->write_slowly &&
                !mmio_guard_range_has_faults (self->guard)))
    {
      mmio_copy (self->base + offset, data, length);
      /* Looked at before anybody can heal: whoever heals takes the sequence. A fault in this very copy is seen, since the
       * handler ran on this thread; the signal fence keeps the compiler from looking too early. */
      __atomic_signal_fence (__ATOMIC_SEQ_CST);
      done = !mmio_guard_range_has_faults (self->guard);
      if (G_LIKELY (done))
        mmio_mapping_mark (self, offset, offset + length);
    }
  mmio_mapping_unlock (self);

  return done;
}

G_END_DECLS
