/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One address range over one file, for life: reserve, grow in place, copy in and out, pin, sync.
 * It knows a descriptor and addresses; nothing of GObject, signals or policies.
 *
 * Locks, in the order in which they are taken:
 *   flush_lock    one flush at a time; the sticky error
 *   change_lock   what the mapping covers: regions, size, the descriptor; healing
 *   writer lock   one change of bytes at a time, and the set of dirty ranges; spun on, then slept on
 *   that of forks what the child of a fork must not find half done: of all mappings, see mmio_mapping_hold_forks ()
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

/* How a copying read finds out that bytes changed under it. A sequence is a word that goes up by one where a change begins and by
 * one where it ends: odd, somebody is at it; another even number, somebody was. Only who has the writer lock changes one, so a change
 * is two plain stores. A reader stores to nothing that is shared: it looks at the sequences that its range stands under, copies,
 * looks again, and throws the copy away if one has moved. Since they only go up, their sum says whether any of them did.
 *
 * There is one sequence for the whole mapping, under which every read stands. At first every write counts in it, which costs least;
 * but then a reader waits for each write anywhere, and each write takes away the cache line that the reader looks at. So the first
 * reader that is driven to the lock lays out stripes: sequences in cache lines of their own, among which the file's blocks of 4 KiB
 * are dealt out. From then on a write counts in the stripes of its blocks alone, and a read looks at those of its own beside the
 * whole mapping's, in which only what is rare still counts: other memory, a smaller size, healing, closing.
 *
 *   reader                                       writer, who has the lock
 *   1 load the sequences, acquire                a store the sequences, odd
 *   2 copy the bytes                             b release fence
 *   3 acquire fence, faults, acquire fence       c store the bytes, or heal and forget a fault
 *   4 load the sequences again                   d store the sequences, even, release
 *
 * A reader that has copied a byte stored in c finds in 4 what a stored, or something newer: b pairs with 3. One that loads in 1 what d
 * stored copies nothing older than c: d pairs with 1. So a copy that passes is one state of its range, between two changes; also where
 * a write counts in several stripes, since all of them are odd before its first byte is stored, and even only after its last.
 *
 * It is the same with faults: a reader that finds no record in 3 any more of what it has copied finds in 4 that it was forgotten. After 4
 * would be too late to look: between the two somebody may heal. */
#define MMIO_SEQUENCE_WRITING ((gsize) 1)

/* With fewer, a writer that goes everywhere in the file has too often just taken the line that a reader wants. */
#define MMIO_STRIPE_BITS 6
#define MMIO_N_STRIPES (1u << MMIO_STRIPE_BITS)
#define MMIO_STRIPE_SHIFT 12
#define MMIO_CACHE_LINE 64

typedef struct
{
  gsize sequence;               /* atomic */
  guint8 padding[MMIO_CACHE_LINE - sizeof (gsize)];
} MmioStripe;

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
  guint64 device, inode;        /* change_lock: of the file, once another took its place; not known: 0 */
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
  gboolean passing;             /* of a call that is under way: it stands on the stack of its thread, and no child of a fork has that */
  gboolean faulted;             /* pin_lock to write, atomic to read: a fault hit it that has been healed since */
};

/* What a flush has made durable. */
typedef struct
{
  gsize first;                  /* where the first range begins; G_MAXSIZE if there was none */
  guint64 size;                 /* that the file was found to have after it; G_MAXUINT64: not known */
  guint generation;             /* of the file */
} MmioFlushed;

struct _MmioMapping
{
  /* What a copying read looks at: as good as immutable once there are stripes. */
  gsize sequence;               /* atomic; the writer lock to write: of the whole mapping */
  gsize size;                   /* atomic, bytes; never more than the region covers */
  guint8 *base;                 /* atomic; published before a size that needs it */
  MmioStripe *stripes;          /* atomic; set once, in a change of the whole; NULL: writes count in sequence */
  MmioGuardRange *guard;        /* atomic; of the region at base, never NULL */
  MmioMode mode;                /* immutable */
  gboolean write_slowly;        /* writer lock: read-only, or a retired region shows the same file at other addresses */
  gboolean closed;              /* atomic; set under flush_lock, change_lock and the writer lock */

  /* What hardly ever changes keeps what each write and each view store to, below, out of the cache lines above. */
  int fd;                       /* immutable number; -1 once closed (change_lock and flush_lock) */
  gboolean huge_pages;          /* immutable: ask for them wherever the file is laid */
  gsize page_size;              /* immutable */
  guint64 reserve_size;         /* immutable: what was asked for; 0: automatic */
  gboolean reserve;             /* immutable: map past the end, so as to grow in place */
  gboolean preallocate;         /* immutable: growth reserves blocks */
  int map_flags;                /* immutable: added to each mmap */
  gboolean is_inherited;        /* set in the child of a fork, while there is one thread */
  gboolean shares_with_parent;  /* change_lock: so is the open file, until a reload opens it anew */
  gboolean shares_descriptor;   /* immutable: somebody else has the open file too, and with it the locks */
  gboolean has_locked;          /* change_lock: a range of the file, at some time */
  gboolean is_sealed;           /* immutable: nobody can cut the file off, so nothing needs to be guarded */
  char *path;                   /* immutable, file system encoding: for messages */

  GMutex change_lock;
  MmioRegion *region;           /* change_lock and pin_lock to write, one of them to read: the current one, the retired behind it */
  MmioRegion first;             /* what region points to until the mapping outgrows it */
  guint generation;             /* change_lock and flush_lock to write, one of them to read */
  guint64 allowed_size;         /* change_lock: no limit on the size of files forbids this one */
  guint announce_way;           /* change_lock: see mmio_os_announce () */
  int seek_fd;                  /* change_lock: the same file opened once more, for mmio_mapping_seek_data (); -1: not yet, or not to be had */
  gboolean has_tried_seeking;   /* change_lock */
  int next_fd;                  /* change_lock: what fd is about to stand for, and the region in front shows already; -1: nothing else */

  guint writer_lock;            /* atomic: 1 while somebody has it */
  guint n_waiters;              /* atomic: who sleeps in wait_condition until the writer lock is free */
  MmioDirty dirty;              /* writer lock; empty but in read-write mode */

  gint stores_lost;             /* atomic: what was stored through a writable pin went into a zero page; until a refresh */
  gint size_pending;            /* atomic: the size was changed and not yet synced */
  GMutex wait_lock;
  GCond wait_condition;

  guint pin_lock;
  MmioPin *pins;                /* pin_lock */
  guint n_writable_pins;        /* pin_lock to write; atomic to read */

  GMutex flush_lock;
  GError *flush_error;          /* flush_lock: the first failure; every later flush fails with it */

  /* The list of all mappings: see mmio-mapping-fork.c. */
  MmioMapping *next_mapping;
  MmioMapping **link_to_mapping;
  guint n_forks;                /* of the process, when this was put on the list or the file was opened anew */
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
gboolean mmio_mapping_fill           (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      guint8         byte,
                                      GError       **error);
/* What from pins, which may overlap what it goes to. */
gboolean mmio_mapping_move           (MmioMapping   *self,
                                      guint64        to,
                                      const MmioPin *from,
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
/* For reading, until the call that asks for it returns. */
gboolean mmio_mapping_pin_passing    (MmioMapping   *self,
                                      MmioPin       *pin,
                                      guint64        offset,
                                      guint64        length,
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
/* Takes over fd: another file from now on, or the same one opened anew; is_duplicate: or the very open file that there was. */
gboolean mmio_mapping_replace        (MmioMapping   *self,
                                      int            fd,
                                      gboolean       is_duplicate,
                                      guint64        size,
                                      GError       **error);

/* Makes [offset, offset + length) durable as far as it can be dirty; a length of G_MAXUINT64 reaches to the end. */
gboolean mmio_mapping_flush          (MmioMapping   *self,
                                      guint64        offset,
                                      guint64        length,
                                      MmioFlushed   *flushed,
                                      GError       **error);
gboolean mmio_mapping_start_writeback (MmioMapping  *self,
                                       guint64       offset,
                                       guint64       length,
                                       GError      **error);
/* Raises a modification event for what has just been flushed. */
void     mmio_mapping_announce       (MmioMapping       *self,
                                      const MmioFlushed *flushed);
guint64  mmio_mapping_get_pending    (MmioMapping   *self);

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

/* Is it worth asking where pin's range has holes? */
gboolean mmio_mapping_has_holes      (MmioMapping   *self,
                                      const MmioPin *pin);
/* From offset on, where the first byte stands that may be other than zero; G_MAXUINT64: nowhere. FALSE: that isn't known. */
gboolean mmio_mapping_seek_data      (MmioMapping   *self,
                                      const MmioPin *pin,
                                      guint64        offset,
                                      guint64       *data);
/* Under change_lock, or when nobody else is there: the descriptor stands for another file, or none. */
void     mmio_mapping_end_seeking    (MmioMapping   *self);

/* Onto the list of those that a fork frees of what the parent's other threads held, and off it. */
void     mmio_mapping_enlist         (MmioMapping   *self);
void     mmio_mapping_delist         (MmioMapping   *self);
/* A child may have the open file too: the object was inherited, or was there at a fork. */
gboolean mmio_mapping_has_forked     (MmioMapping   *self);
/* The descriptor stands for a file that was opened just now: no child has it. */
void     mmio_mapping_forget_forks   (MmioMapping   *self);
/* Around what a child must find done or not begun. The last lock to take but for pin_lock, and nothing that may wait is done under it. */
void     mmio_mapping_hold_forks     (void);
void     mmio_mapping_let_fork       (void);

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
/* Under change_lock: gives up the locks on ranges. They go with the open file, which a view keeps alive as long as itself. */
void     mmio_mapping_drop_locks     (MmioMapping   *self);
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

/* What mmio_copy () does in line, but under the thread sanitizer. */
#define MMIO_COPY_INLINE_MAX 64

#ifdef MMIO_NO_TSAN
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

/* A multiplication, so that blocks a power of two apart, of which there are many, do not share a stripe; 32 bits, which is quick
 * everywhere. Knuth, The Art of Computer Programming, 6.4. */
static inline gsize *
mmio_stripe_of (MmioStripe *stripes,
                guint64     block)
{
  return &stripes[((guint32) block * 0x9e3779b1u) >> (32 - MMIO_STRIPE_BITS)].sequence;
}

/* The whole of a read of up to a block, where nothing is in the way: no lock, no store to anything shared. FALSE says only that
 * mmio_mapping_read () has to look closer. */
static inline __attribute__ ((always_inline)) gboolean
mmio_mapping_try_read (MmioMapping *self,
                       guint64      offset,
                       gpointer     buffer,
                       gsize        count)
{
  /* Acquire, all of them: step 1 above. The stripes' also pairs with the release that publishes them. */
  gsize sequence = __atomic_load_n (&self->sequence, __ATOMIC_ACQUIRE);
  MmioStripe *stripes = __atomic_load_n (&self->stripes, __ATOMIC_ACQUIRE);
  const gsize *also = &self->sequence;
  gsize sum = sequence, size;
  const guint8 *base;

  if (stripes != NULL)
    {
      /* In more than one block, or of nothing. */
      if (G_UNLIKELY ((offset ^ (offset + count - 1)) >> MMIO_STRIPE_SHIFT != 0))
        return FALSE;
      also = mmio_stripe_of (stripes, offset >> MMIO_STRIPE_SHIFT);
      sum = __atomic_load_n (also, __ATOMIC_ACQUIRE);
    }
  if (G_UNLIKELY ((sequence | sum) & MMIO_SEQUENCE_WRITING))
    return FALSE;
  sum += sequence;

  /* Acquire: pairs with the release in publish_size (); whoever sees the new size sees the base that covers it. */
  size = __atomic_load_n (&self->size, __ATOMIC_ACQUIRE);
  /* The first comparison sends a closed mapping, whose size is 0, to the slow path even for a read of nothing. */
  if (G_UNLIKELY (offset >= size || !mmio_range_is_inside (offset, count, size)))
    return FALSE;

  base = __atomic_load_n (&self->base, __ATOMIC_RELAXED);
  mmio_copy (buffer, base + offset, count);

  /* Steps 3 and 4. */
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  if (G_UNLIKELY (mmio_guard_range_has_faults (__atomic_load_n (&self->guard, __ATOMIC_RELAXED))))
    return FALSE;
  __atomic_thread_fence (__ATOMIC_ACQUIRE);

  return __atomic_load_n (&self->sequence, __ATOMIC_RELAXED) + __atomic_load_n (also, __ATOMIC_RELAXED) == sum;
}

void mmio_mapping_lock_slow (MmioMapping *self) __attribute__ ((cold));
void mmio_mapping_wake      (MmioMapping *self) __attribute__ ((cold));

/* Keeps writers out and leaves readers undisturbed: one compare-and-swap where nobody is in the way. */
static inline void
mmio_mapping_lock (MmioMapping *self)
{
  guint unlocked = 0;

  if (G_UNLIKELY (!__atomic_compare_exchange_n (&self->writer_lock, &unlocked, 1, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)))
    mmio_mapping_lock_slow (self);
}

static inline void
mmio_mapping_unlock (MmioMapping *self)
{
  __atomic_store_n (&self->writer_lock, 0, __ATOMIC_RELEASE);
  if (G_UNLIKELY (__atomic_load_n (&self->n_waiters, __ATOMIC_RELAXED) != 0))
    mmio_mapping_wake (self);
}

/* Under the writer lock. Does nothing where that sequence is odd already, or even: two blocks may have one stripe. */
static inline void
mmio_sequence_begin (gsize *sequence)
{
  __atomic_store_n (sequence, __atomic_load_n (sequence, __ATOMIC_RELAXED) | MMIO_SEQUENCE_WRITING, __ATOMIC_RELAXED);
}

static inline void
mmio_sequence_end (gsize *sequence)
{
  gsize value = __atomic_load_n (sequence, __ATOMIC_RELAXED);

  __atomic_store_n (sequence, value + (value & MMIO_SEQUENCE_WRITING), __ATOMIC_RELEASE);
}

/* Around a change that any read may notice. Takes the writer lock, and lets it go. */
static inline void
mmio_mapping_begin (MmioMapping *self)
{
  mmio_mapping_lock (self);
  mmio_sequence_begin (&self->sequence);
  __atomic_thread_fence (__ATOMIC_RELEASE);
}

static inline void
mmio_mapping_end (MmioMapping *self)
{
  mmio_sequence_end (&self->sequence);
  mmio_mapping_unlock (self);
}

/* Under the writer lock. */
static inline void
mmio_mapping_mark (MmioMapping *self,
                   gsize        start,
                   gsize        end)
{
  if (G_LIKELY (self->mode == MMIO_MODE_READ_WRITE))
    mmio_dirty_add (&self->dirty, start, end);
}

static inline gboolean
mmio_overlap (gconstpointer a,
              gconstpointer b,
              gsize         length)
{
  return MAX ((guintptr) a, (guintptr) b) - MIN ((guintptr) a, (guintptr) b) < length;
}

/* Stores one byte of what is to be written. FALSE: its page faulted. The handler ran on this thread, so that is seen at once. */
static inline gboolean
mmio_mapping_have_page (MmioMapping  *self,
                        guint8       *target,
                        const guint8 *data)
{
  mmio_copy (target, data, 1);
  __atomic_signal_fence (__ATOMIC_SEQ_CST);

  return !mmio_guard_range_has_faults (self->guard);
}

/* The whole of a write of up to a block, where nothing is in the way; across: it lies in two. FALSE says only that mmio_mapping_write ()
 * has to look closer. Both versions of this are compiled, so that the one that nearly all writes take has no more to do. */
static inline __attribute__ ((always_inline)) gboolean
mmio_mapping_write_block (MmioMapping  *self,
                          guint64       offset,
                          gconstpointer data,
                          gsize         length,
                          gboolean      across)
{
  gboolean done = FALSE;
  gsize size;

  mmio_mapping_lock (self);
  size = mmio_mapping_get_size (self);
  /* With faults nothing is copied here: it would be copied twice, and what is written may lie in the range that it is written to. */
  if (G_LIKELY (offset < size && mmio_range_is_inside (offset, length, size) && !self->write_slowly &&
                !mmio_guard_range_has_faults (self->guard) &&
                !(across && (self->stripes != NULL || mmio_overlap (self->base + offset, data, length)))))
    {
      gsize *sequence = self->stripes != NULL ? mmio_stripe_of (self->stripes, offset >> MMIO_STRIPE_SHIFT) : &self->sequence;
      guint8 *target = self->base + offset;
      /* Even: nobody else is at it, and there is but one. */
      const gsize before = __atomic_load_n (sequence, __ATOMIC_RELAXED);
      gboolean had = TRUE;

      __atomic_store_n (sequence, before + MMIO_SEQUENCE_WRITING, __ATOMIC_RELAXED);
      __atomic_thread_fence (__ATOMIC_RELEASE);
      /* One page can be stored to in any order. Of two the second must stay as it is where the first can't be had. */
      if (across)
        {
          gsize second = self->page_size - (offset & (self->page_size - 1));

          had = mmio_mapping_have_page (self, target, data) &&
                (second >= length || mmio_mapping_have_page (self, target + second, (const guint8 *) data + second));
        }
      if (G_LIKELY (had))
        mmio_copy (target, data, length);
      __atomic_store_n (sequence, before + 2 * MMIO_SEQUENCE_WRITING, __ATOMIC_RELEASE);
      /* Looked at before anybody can heal: whoever heals takes the lock. A fault in this very copy is seen, since the handler ran on
       * this thread; the signal fence keeps the compiler from looking too early. */
      __atomic_signal_fence (__ATOMIC_SEQ_CST);
      done = !mmio_guard_range_has_faults (self->guard);
      if (G_LIKELY (done))
        mmio_mapping_mark (self, offset, offset + length);
    }
  mmio_mapping_unlock (self);

  return done;
}

/* As mmio_mapping_try_read (). No page is smaller than a block. */
static inline gboolean
mmio_mapping_try_write (MmioMapping  *self,
                        guint64       offset,
                        gconstpointer data,
                        gsize         length)
{
  /* In more than one block, or of nothing. */
  if (G_UNLIKELY ((offset ^ (offset + length - 1)) >> MMIO_STRIPE_SHIFT != 0))
    return FALSE;

  return mmio_mapping_write_block (self, offset, data, length, FALSE);
}

G_END_DECLS
