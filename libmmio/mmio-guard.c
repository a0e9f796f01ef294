/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The SIGBUS guard. Everything that on_sigbus () reaches runs in a signal handler, on any thread and any stack: it allocates
 * nothing, takes no mutex, calls async-signal-safe functions only, and touches no memory but the guard's own.
 *
 * Who may touch what:
 *  - The bounds of the slots are written under registry.mutex and read by the handler without a lock: see find_slot ().
 *  - The records of a slot are written under its own flag, by the handler and by the range's owner: see lock_slot ().
 *    mmio_guard_range_hit () and its like read them without it: see Slot.
 */
#include "config.h"

#include "mmio-guard-private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <glib-unix.h>

#if defined (HAVE_EVENTFD) && defined (HAVE_SYS_EVENTFD_H)
#include <sys/eventfd.h>
#define WAKE_BY_EVENTFD 1
#else
#define WAKE_BY_EVENTFD 0
#endif

#if HAVE_DECL_MAP_NORESERVE
#define ZERO_PAGE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE)
#else
#define ZERO_PAGE_FLAGS (MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED)
#endif

#define CACHE_LINE 64
/* In the first chunk; each further one has twice as many as the one before. */
#define FIRST_SLOTS 128
/* How often a thread looks at a taken flag before it sleeps between two looks. */
#define SPINS 64
/* Of which the system makes a page. */
#define SPARE_SIZE 1
/* How many faults in a row on pages that have been replaced are taken for latecomers. */
#define MAX_LATECOMERS 64

/* Addresses from start to below end; empty where start >= end. */
typedef struct
{
  gsize start;
  gsize end;
} Interval;

/* The addresses of a range, in the form that takes one comparison; length is 0 where there is none. */
typedef struct
{
  gsize start;
  gsize length;
} Bounds;

/* Records hold whole pages. They are written under lock, and read without it in the order pending, runs from the first to the
 * last, overflow. A page whose record moves is written to its new place first, and that place stands later in this order, so a
 * reader can't miss it. Within an interval start is written before end where it is new, and read after it. Each store of a
 * record releases, each lockless load acquires. */
typedef struct _Slot Slot;

struct _Slot
{
  _Alignas (CACHE_LINE)
  MmioGuardRange range;         /* a range is its slot */
  guint sequence;               /* odd while the bounds change; written under registry.mutex */
  guint lock;                   /* 0, or the fork generation of the holder */
  MmioGuardAccess access;
  gsize page_size;              /* a power of two */
  Bounds *bounds;               /* this slot's own in its chunk */
  Slot *next_free;              /* under registry.mutex */

  gsize pending;                /* a page that is being replaced; 0 for none */
  Interval news;                /* what mmio_guard_range_take_news () has not told yet */
  Interval runs[MMIO_GUARD_EXACT_FAULTS]; /* each page in them has been replaced */
  Interval overflow;            /* may hold pages that never faulted, some of them replaced all the same */
  guint n_latecomers;           /* since a page was replaced; under lock */
};

/* A set of slots, never freed. The bounds lie together, since the handler goes through all of them: 160 kB for 10,000 ranges. */
typedef struct _Chunk Chunk;

struct _Chunk
{
  Chunk *next;                  /* atomic: written once, when all of the next chunk is there */
  gsize n_slots;
  gsize n_used;                 /* atomic: the slots that have ever been used; the handler looks no further */
  Bounds *bounds;               /* n_slots */
  Slot *slots;                  /* n_slots; zero pages until they are used */
  gpointer memory;              /* what holds them */
};

static Bounds first_bounds[FIRST_SLOTS];
static Slot first_slots[FIRST_SLOTS];

MmioGuardRange mmio_guard_none;

static Chunk first_chunk = { NULL, FIRST_SLOTS, 0, first_bounds, first_slots, NULL };

static struct
{
  pthread_mutex_t mutex;        /* no GMutex, which the thread sanitizer can't see unless GLib was built with it */

  /* The rest is under mutex. */
  Slot *free;                   /* slots that have been used */
  Chunk *last;
  gboolean install_failed;      /* it isn't tried again: a fork handler may be registered already */
} registry = { .mutex = PTHREAD_MUTEX_INITIALIZER, .last = &first_chunk };

/* The slot of the latest fault, where the next one mostly is too. Atomic; any slot will do, find_slot () checks it as it
 * checks all others. */
static Slot *latest_slot;

static gboolean enabled = TRUE; /* atomic */
static gboolean installed;      /* atomic; released when the handler and all it needs are there */

/* The action that was there before; written before ours is installed. */
static struct sigaction earlier;
static gboolean earlier_spent;  /* atomic: a one-shot handler (SA_RESETHAND) has had its shot */

/* Atomic: a page whose mapping can be given up, NULL while it is. To cut one mapping out of another Linux goes one past the limit on
 * their number, and then refuses any more, be it one in place of many. */
static gpointer spare;

/* Counts the forks between this process and the one that loaded the library. Never 0. Atomic, as the handler reads it, though
 * it changes only where there is one thread. A flag taken under an earlier generation was held by a thread of the parent. */
static guint fork_generation = 1;

/* What mmio_guard_get_fd () gave out, and what is written to; the same but for a pipe. Atomic, -1 before; under
 * registry.mutex where they change. */
static int wake_read_fd = -1;
static int wake_write_fd = -1;
/* Atomic: the descriptor is readable, or will be made so when it is created. */
static gboolean woken;

/* Intervals */

static inline gboolean
interval_is_empty (const Interval *interval)
{
  gsize end = __atomic_load_n (&interval->end, __ATOMIC_ACQUIRE);

  return __atomic_load_n (&interval->start, __ATOMIC_ACQUIRE) >= end;
}

static inline gboolean
interval_overlaps (const Interval *interval,
                   gsize           start,
                   gsize           end)
{
  gsize own_end = __atomic_load_n (&interval->end, __ATOMIC_ACQUIRE);
  gsize own_start = __atomic_load_n (&interval->start, __ATOMIC_ACQUIRE);

  return MAX (own_start, start) < MIN (own_end, end);
}

static void
interval_clear (Interval *interval)
{
  __atomic_store_n (&interval->end, 0, __ATOMIC_RELEASE);
}

static void
interval_widen (Interval *interval,
                gsize     start,
                gsize     end)
{
  gboolean empty = interval_is_empty (interval);

  if (empty || start < interval->start)
    __atomic_store_n (&interval->start, start, __ATOMIC_RELEASE);
  if (empty || end > interval->end)
    __atomic_store_n (&interval->end, end, __ATOMIC_RELEASE);
}

static void
extend (Interval       *hull,
        const Interval *by)
{
  gsize end = __atomic_load_n (&by->end, __ATOMIC_ACQUIRE);
  gsize start = __atomic_load_n (&by->start, __ATOMIC_ACQUIRE);

  if (start < end)
    interval_widen (hull, start, end);
}

/* Slots */

/* Compiles to one branch, which the scan needs: it would be mispredicted half the time for one end of a range alone. */
static inline gboolean
bounds_hold (const Bounds *bounds,
             gsize         address)
{
  gsize start = __atomic_load_n (&bounds->start, __ATOMIC_ACQUIRE);
  gsize length = __atomic_load_n (&bounds->length, __ATOMIC_ACQUIRE);

  return address - start < length;
}

/* The slot's range holds address, and did for the whole of this look at it. The partner is set_bounds (): who sees one of its
 * bounds sees its odd sequence or a later one too. */
static gboolean
slot_holds (const Slot *slot,
            gsize       address)
{
  guint sequence = __atomic_load_n (&slot->sequence, __ATOMIC_ACQUIRE);

  return sequence % 2 == 0 && bounds_hold (slot->bounds, address) &&
         __atomic_load_n (&slot->sequence, __ATOMIC_RELAXED) == sequence;
}

static void
set_bounds (Slot *slot,
            gsize start,
            gsize length)
{
  __atomic_store_n (&slot->sequence, slot->sequence + 1, __ATOMIC_RELAXED);
  __atomic_store_n (&slot->bounds->start, start, __ATOMIC_RELEASE);
  __atomic_store_n (&slot->bounds->length, length, __ATOMIC_RELEASE);
  __atomic_store_n (&slot->sequence, slot->sequence + 1, __ATOMIC_RELEASE);
}

/* Finds whose range holds address, while other threads add and remove theirs. It never has to wait or to try again: the range
 * that the faulting thread is accessing stays registered for as long as it does, so a slot that is changing under our eyes is
 * another's. Async-signal-safe. */
static Slot *
find_slot (gsize address)
{
  Slot *latest = __atomic_load_n (&latest_slot, __ATOMIC_ACQUIRE);

  if (latest != NULL && slot_holds (latest, address))
    return latest;

  for (Chunk *chunk = &first_chunk; chunk != NULL; chunk = __atomic_load_n (&chunk->next, __ATOMIC_ACQUIRE))
    {
      const Bounds *bounds = chunk->bounds;
      gsize n_used = __atomic_load_n (&chunk->n_used, __ATOMIC_ACQUIRE);

      for (gsize i = 0; i < n_used; i++)
        {
          /* The start may be one range's and the length another's; slot_holds () finds out. */
          if (G_UNLIKELY (bounds_hold (&bounds[i], address)) && slot_holds (&chunk->slots[i], address))
            {
              __atomic_store_n (&latest_slot, &chunk->slots[i], __ATOMIC_RELEASE);
              return &chunk->slots[i];
            }
        }
    }

  return NULL;
}

/* Of all records but the pending one. */
static Interval
get_hull (const Slot *slot)
{
  Interval hull = { 0, 0 };

  for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
    extend (&hull, &slot->runs[i]);
  extend (&hull, &slot->overflow);

  return hull;
}

static void
count_records (Slot *slot)
{
  guint n = (slot->pending != 0) + !interval_is_empty (&slot->overflow);

  for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
    n += !interval_is_empty (&slot->runs[i]);

  __atomic_store_n (&slot->range.n_active, n, __ATOMIC_RELEASE);
}

/* Takes the flag that guards the slot's records. All signals are blocked until unlock_slot (): a handler that ran on this thread
 * meanwhile and faulted in the same range would wait for ever. For the same reason no mapped memory may be touched; a fault with
 * SIGBUS blocked kills, it does not hang. Async-signal-safe. */
static void
lock_slot (Slot     *slot,
           sigset_t *mask)
{
  guint generation = __atomic_load_n (&fork_generation, __ATOMIC_RELAXED);
  sigset_t all;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, mask);

  for (guint spins = 0;; spins++)
    {
      guint holder = 0;

      if (__atomic_compare_exchange_n (&slot->lock, &holder, generation, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;

      /* Held by a thread that was not forked with us. It may have been about to replace a page. */
      if (holder != generation &&
          __atomic_compare_exchange_n (&slot->lock, &holder, generation, FALSE, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        {
          if (slot->pending != 0)
            interval_widen (&slot->overflow, slot->pending, slot->pending + slot->page_size);
          __atomic_store_n (&slot->pending, 0, __ATOMIC_RELEASE);
          count_records (slot);
          return;
        }

      /* The holder may be of lower priority on this very processor. */
      if (spins >= SPINS)
        poll (NULL, 0, 1);
    }
}

static void
unlock_slot (Slot           *slot,
             const sigset_t *mask)
{
  __atomic_store_n (&slot->lock, 0, __ATOMIC_RELEASE);
  pthread_sigmask (SIG_SETMASK, mask, NULL);
}

/* Faults */

static gboolean
runs_hold (const Slot *slot,
           gsize       page)
{
  for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
    if (interval_overlaps (&slot->runs[i], page, page + slot->page_size))
      return TRUE;

  return FALSE;
}

static void
remember (Slot *slot,
          gsize page)
{
  gsize end = page + slot->page_size;
  Interval *place = &slot->overflow;

  if (runs_hold (slot, page))
    return;

  for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
    {
      Interval *run = &slot->runs[i];

      if (interval_is_empty (run))
        {
          if (place == &slot->overflow)
            place = run;
        }
      else if (run->end == page || run->start == end)
        {
          place = run;
          break;
        }
    }

  interval_widen (place, page, end);
}

/* Shared, so that it is never joined with what stands beside it. Async-signal-safe. */
static void
make_spare (void)
{
  gpointer none = NULL, page;

  if (__atomic_load_n (&spare, __ATOMIC_RELAXED) != NULL)
    return;
  page = mmap (NULL, SPARE_SIZE, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED && !__atomic_compare_exchange_n (&spare, &none, page, FALSE, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    munmap (page, SPARE_SIZE);
}

static gboolean
give_up_spare (void)
{
  gpointer page = __atomic_exchange_n (&spare, NULL, __ATOMIC_ACQ_REL);

  return page != NULL && munmap (page, SPARE_SIZE) == 0;
}

static gboolean
lay_zeros (const Slot *slot,
           gsize       start,
           gsize       end)
{
  int protection = slot->access == MMIO_GUARD_READ ? PROT_READ : PROT_READ | PROT_WRITE;

  return mmap ((gpointer) start, end - start, protection, ZERO_PAGE_FLAGS, -1, 0) != MAP_FAILED;
}

/* At the limit on the number of mappings none can be cut in two. But all from the page to the end of the range can become one zero
 * mapping where there is a zero page behind it already, or with what stands between it and the last one before it, or else the whole
 * range: that takes no more than there are. Pages go with it that could be had; so they are recorded, and can be healed. With the flag
 * held. Async-signal-safe. */
static gboolean
replace_rest (Slot *slot,
              gsize page)
{
  const Interval before = slot->overflow;
  const Interval hull = get_hull (slot);
  gsize end = slot->bounds->start + slot->bounds->length;
  gsize start = hull.end > page ? page : MAX (hull.end, slot->bounds->start);

  if (slot->access == MMIO_GUARD_WRITE_PRIVATE)
    return FALSE;

  extend (&slot->overflow, &hull);
  interval_widen (&slot->overflow, start, end);
  if (lay_zeros (slot, start, end) || (give_up_spare () && lay_zeros (slot, start, end)))
    {
      make_spare ();
      /* Healed one by one they would have to be cut out. */
      for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
        interval_clear (&slot->runs[i]);
      return TRUE;
    }

  __atomic_store_n (&slot->overflow.end, before.end, __ATOMIC_RELEASE);
  __atomic_store_n (&slot->overflow.start, before.start, __ATOMIC_RELEASE);
  return FALSE;
}

/* Lays a zero page over the one that holds address, or finds that another thread has. The record comes first: who reads the zeros
 * can see it. Async-signal-safe. */
static gboolean
replace_page (Slot    *slot,
              gsize    address,
              gboolean bad_memory)
{
  gboolean replaced = TRUE;
  sigset_t mask;
  gsize page;

  lock_slot (slot, &mask);

  page = address & ~(slot->page_size - 1);

  /* Another thread faulted here too and was first: a second zero page would drop what it has stored in its own meanwhile. Not so
   * if the memory is bad, be it the zero page's own. And if this goes on, something has been laid over that page without a heal,
   * and returning would fault for ever. */
  if (!bad_memory && runs_hold (slot, page) && slot->n_latecomers < MAX_LATECOMERS)
    {
      slot->n_latecomers++;
      unlock_slot (slot, &mask);
      return TRUE;
    }

  /* n_active before pending: mmio_guard_remove () looks for something to clear there alone. */
  __atomic_store_n (&slot->range.n_active, slot->range.n_active + 1, __ATOMIC_RELEASE);
  __atomic_store_n (&slot->pending, page, __ATOMIC_RELEASE);

  if (lay_zeros (slot, page, page + slot->page_size))
    {
      slot->n_latecomers = 0;
      remember (slot, page);
    }
  else
    {
      replaced = replace_rest (slot, page);
    }
  if (replaced)
    interval_widen (&slot->news, page, page + slot->page_size);

  __atomic_store_n (&slot->pending, 0, __ATOMIC_RELEASE);
  count_records (slot);

  unlock_slot (slot, &mask);
  return replaced;
}

/* Async-signal-safe. */
static void
write_wake (void)
{
  /* Sequentially consistent: the partner is mmio_guard_get_fd (), which stores the descriptor and then looks at woken. */
  int fd = __atomic_load_n (&wake_write_fd, __ATOMIC_SEQ_CST);
  guint64 one = 1;

  /* A full pipe or counter is readable already. */
  if (fd >= 0 && write (fd, &one, sizeof one) < 0)
    return;
}

/* Async-signal-safe. */
static void
wake (void)
{
  /* The partner is mmio_guard_clear_fd (): if it was TRUE, that call is still to come, and sees the news that stand before this. */
  if (!__atomic_exchange_n (&woken, TRUE, __ATOMIC_SEQ_CST))
    write_wake ();
}

/* Did the thread that got the signal cause it by accessing the address? Only then does it come again if nothing is done. */
static gboolean
is_fault (const siginfo_t *info)
{
  /* kill (), sigqueue () and their like */
  if (info->si_code <= 0)
    return FALSE;

#ifdef BUS_MCEERR_AO
  /* News of bad memory that nobody has accessed */
  if (info->si_code == BUS_MCEERR_AO)
    return FALSE;
#endif

  return TRUE;
}

static gboolean
is_bad_memory (const siginfo_t *info)
{
#ifdef BUS_MCEERR_AR
  return info->si_code == BUS_MCEERR_AR;
#else
  return FALSE;
#endif
}

/* Gives the signal to the action that was there before the guard, as the kernel would have. Async-signal-safe. */
static void
pass_on (int        signal_number,
         siginfo_t *info,
         gpointer   context)
{
  gboolean by_default = earlier.sa_handler == SIG_DFL;
  gboolean ignored = earlier.sa_handler == SIG_IGN;

  if (!by_default && !ignored && (earlier.sa_flags & SA_RESETHAND) != 0)
    by_default = __atomic_exchange_n (&earlier_spent, TRUE, __ATOMIC_RELAXED);

  if (ignored && !is_fault (info))
    return;

  /* A fault can't be ignored: the kernel kills too. The instruction runs and faults again, so that the core dump shows it as it
   * was; a signal that was sent has to be sent again, and comes when this handler returns. */
  if (by_default || ignored)
    {
      struct sigaction action = { .sa_handler = SIG_DFL };

      sigemptyset (&action.sa_mask);
      sigaction (SIGBUS, &action, NULL);
      if (!is_fault (info))
        raise (SIGBUS);
      return;
    }

  /* Where this handler returns, the mask of the interrupted code comes back. */
  pthread_sigmask (SIG_BLOCK, &earlier.sa_mask, NULL);
  if ((earlier.sa_flags & SA_NODEFER) != 0 && sigismember (&earlier.sa_mask, SIGBUS) == 0)
    {
      sigset_t self;

      sigemptyset (&self);
      sigaddset (&self, SIGBUS);
      pthread_sigmask (SIG_UNBLOCK, &self, NULL);
    }

  if ((earlier.sa_flags & SA_SIGINFO) != 0)
    earlier.sa_sigaction (signal_number, info, context);
  else
    earlier.sa_handler (signal_number);
}

static void
on_sigbus (int        signal_number,
           siginfo_t *info,
           gpointer   context)
{
  int saved_errno = errno;

  /* An alignment fault (BUS_ADRALN) says nothing about the page. */
  if (is_fault (info) && info->si_code != BUS_ADRALN)
    {
      Slot *slot = find_slot ((gsize) info->si_addr);
      gboolean replaced = FALSE;
      int cancel_state;

      if (slot != NULL)
        {
          /* write () and poll () are cancellation points; a memory access is none. */
          pthread_setcancelstate (PTHREAD_CANCEL_DISABLE, &cancel_state);
          replaced = replace_page (slot, (gsize) info->si_addr, is_bad_memory (info));
          if (replaced)
            wake ();
          pthread_setcancelstate (cancel_state, NULL);
        }

      if (replaced)
        {
          errno = saved_errno;
          return;
        }
    }

  errno = saved_errno;
  pass_on (signal_number, info, context);
}

/* The descriptor that wakes */

/* Opens what wakes, at the lowest free numbers. */
static gboolean
open_wake_fds (int *read_fd,
               int *write_fd)
{
#if WAKE_BY_EVENTFD
  *read_fd = *write_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  return *read_fd >= 0;
#else
  int fds[2];

  if (!g_unix_open_pipe (fds, FD_CLOEXEC, NULL))
    return FALSE;

  fcntl (fds[0], F_SETFL, O_NONBLOCK);
  fcntl (fds[1], F_SETFL, O_NONBLOCK);
  *read_fd = fds[0];
  *write_fd = fds[1];
  return TRUE;
#endif
}

/* Gives what is open as fd a number that is free. */
static void
renumber (int fd,
          int number)
{
  if (fd == number)
    return;

  dup2 (fd, number);
  fcntl (number, F_SETFD, FD_CLOEXEC);
  close (fd);
}

/* Around a fork: the registry is whole in the child, and its mutex free. */

static void
before_fork (void)
{
  pthread_mutex_lock (&registry.mutex);
}

static void
after_fork_in_parent (void)
{
  pthread_mutex_unlock (&registry.mutex);
}

/* What the parent polls must neither be woken nor cleared by the child, so it gets its own, under the numbers that its main
 * contexts already poll. */
static void
after_fork_in_child (void)
{
  int read_fd = wake_read_fd, write_fd = wake_write_fd;
  int new_read_fd, new_write_fd;

  __atomic_store_n (&fork_generation, MAX (fork_generation + 1, 1), __ATOMIC_RELAXED);

  if (read_fd >= 0)
    {
      /* Closed first: a full table of descriptors has room for the new ones then. */
      close (read_fd);
      if (write_fd != read_fd)
        close (write_fd);

      if (open_wake_fds (&new_read_fd, &new_write_fd))
        {
          /* The write end first: of a pipe's two numbers, both the lowest free ones, it alone can be the other end's old one. */
          if (write_fd != read_fd)
            renumber (new_write_fd, write_fd);
          renumber (new_read_fd, read_fd);
          if (woken)
            write_wake ();
        }
      else
        wake_read_fd = wake_write_fd = -1;
    }

  pthread_mutex_unlock (&registry.mutex);
}

/* Ranges */

/* Called under registry.mutex. */
static gboolean
install (void)
{
  struct sigaction action = { 0 };

  if (sigaction (SIGBUS, NULL, &earlier) != 0 || pthread_atfork (before_fork, after_fork_in_parent, after_fork_in_child) != 0)
    return FALSE;

  /* SA_ONSTACK: the thread may be deep in its stack, and some runtimes, Go's for one, demand it of every handler. It means nothing
   * to threads without an alternate stack.
   * SA_RESTART: a signal that was sent and is passed on interrupts system calls only where it did before. */
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  if (earlier.sa_handler == SIG_DFL || earlier.sa_handler == SIG_IGN || (earlier.sa_flags & SA_RESTART) != 0)
    action.sa_flags |= SA_RESTART;
  sigemptyset (&action.sa_mask);

  make_spare ();
  return sigaction (SIGBUS, &action, NULL) == 0;
}

/* Called under registry.mutex. */
static void
add_chunk (void)
{
  gsize n_slots = registry.last->n_slots * 2;
  Chunk *chunk = g_new0 (Chunk, 1);

  chunk->n_slots = n_slots;
  chunk->bounds = g_new0 (Bounds, n_slots);
  chunk->memory = g_malloc0 (n_slots * sizeof (Slot) + CACHE_LINE);
  chunk->slots = (Slot *) (((gsize) chunk->memory + CACHE_LINE - 1) & ~(gsize) (CACHE_LINE - 1));

  /* Released to find_slot (). */
  __atomic_store_n (&registry.last->next, chunk, __ATOMIC_RELEASE);
  registry.last = chunk;
}

/* Called under registry.mutex. */
static Slot *
take_slot (void)
{
  Slot *slot = registry.free;
  Chunk *chunk;

  if (slot != NULL)
    {
      registry.free = slot->next_free;
      return slot;
    }

  if (registry.last->n_used == registry.last->n_slots)
    add_chunk ();

  chunk = registry.last;
  slot = &chunk->slots[chunk->n_used];
  slot->bounds = &chunk->bounds[chunk->n_used];
  __atomic_store_n (&chunk->n_used, chunk->n_used + 1, __ATOMIC_RELEASE);
  return slot;
}

void
mmio_guard_set_enabled (gboolean value)
{
  __atomic_store_n (&enabled, value, __ATOMIC_RELAXED);
}

gboolean
mmio_guard_get_enabled (void)
{
  return __atomic_load_n (&enabled, __ATOMIC_RELAXED);
}

MmioGuardRange *
mmio_guard_add (gpointer        start,
                gsize           length,
                gsize           page_size,
                MmioGuardAccess access)
{
  Slot *slot;

  g_return_val_if_fail (start != NULL, &mmio_guard_none);
  g_return_val_if_fail (page_size > 0 && (page_size & (page_size - 1)) == 0, &mmio_guard_none);
  g_return_val_if_fail (length > 0 && length <= G_MAXSIZE - (gsize) start, &mmio_guard_none);
  g_return_val_if_fail ((((gsize) start | length) & (page_size - 1)) == 0, &mmio_guard_none);

  if (!mmio_guard_get_enabled ())
    return &mmio_guard_none;

  pthread_mutex_lock (&registry.mutex);

  if (!installed)
    {
      gboolean done = !registry.install_failed && install ();

      registry.install_failed = !done;
      if (!done)
        {
          pthread_mutex_unlock (&registry.mutex);
          return &mmio_guard_none;
        }
      __atomic_store_n (&installed, TRUE, __ATOMIC_RELEASE);
    }

  slot = take_slot ();
  slot->page_size = page_size;
  slot->access = access;
  set_bounds (slot, (gsize) start, length);

  pthread_mutex_unlock (&registry.mutex);

  return &slot->range;
}

void
mmio_guard_remove (MmioGuardRange *range)
{
  Slot *slot = (Slot *) range;

  g_return_if_fail (range != NULL);

  if (range == &mmio_guard_none)
    return;

  pthread_mutex_lock (&registry.mutex);

  set_bounds (slot, 0, 0);

  /* No thread is inside the range, so nobody holds the flag, unless a thread of the parent process did. */
  if (range->n_active != 0 || !interval_is_empty (&slot->news))
    {
      for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
        interval_clear (&slot->runs[i]);
      interval_clear (&slot->overflow);
      interval_clear (&slot->news);
      slot->pending = 0;
      slot->n_latecomers = 0;
      __atomic_store_n (&slot->lock, 0, __ATOMIC_RELAXED);
      __atomic_store_n (&range->n_active, 0, __ATOMIC_RELAXED);
    }

  slot->next_free = registry.free;
  registry.free = slot;

  pthread_mutex_unlock (&registry.mutex);
}

gboolean
mmio_guard_range_hit (MmioGuardRange *range,
                      gconstpointer   start,
                      gsize           length)
{
  const Slot *slot = (const Slot *) range;
  gsize from = (gsize) start;
  gsize to = from + length;
  gsize pending;

  g_return_val_if_fail (range != NULL, FALSE);

  if (range == &mmio_guard_none)
    return FALSE;

  pending = __atomic_load_n (&slot->pending, __ATOMIC_ACQUIRE);
  if (pending != 0 && MAX (pending, from) < MIN (pending + slot->page_size, to))
    return TRUE;

  for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS; i++)
    if (interval_overlaps (&slot->runs[i], from, to))
      return TRUE;

  return interval_overlaps (&slot->overflow, from, to);
}

static gboolean
give (const Interval *interval,
      gpointer       *start,
      gsize          *length)
{
  if (interval_is_empty (interval))
    return FALSE;

  *start = (gpointer) interval->start;
  *length = interval->end - interval->start;
  return TRUE;
}

gboolean
mmio_guard_range_bounds (MmioGuardRange *range,
                         gpointer       *start,
                         gsize          *length)
{
  const Slot *slot = (const Slot *) range;
  Interval hull;
  gsize pending;

  g_return_val_if_fail (range != NULL && start != NULL && length != NULL, FALSE);

  if (range == &mmio_guard_none)
    return FALSE;

  pending = __atomic_load_n (&slot->pending, __ATOMIC_ACQUIRE);
  hull = get_hull (slot);
  if (pending != 0)
    interval_widen (&hull, pending, pending + slot->page_size);

  return give (&hull, start, length);
}

/* Takes what stands between from and to out of a record. Called with the flag held. */
static void
forget (Slot     *slot,
        Interval *record,
        gsize     from,
        gsize     to)
{
  gsize rest = record->end;
  Interval *place = record + 1;

  if (from <= record->start && to >= record->end)
    interval_clear (record);
  else if (from <= record->start)
    __atomic_store_n (&record->start, to, __ATOMIC_RELEASE);
  else if (to >= record->end)
    __atomic_store_n (&record->end, from, __ATOMIC_RELEASE);
  else
    {
      while (place < slot->runs + MMIO_GUARD_EXACT_FAULTS && !interval_is_empty (place))
        place++;
      if (place == slot->runs + MMIO_GUARD_EXACT_FAULTS)
        place = &slot->overflow;

      interval_widen (place, to, rest);
      __atomic_store_n (&record->end, from, __ATOMIC_RELEASE);
    }
}

static gboolean
heal_record (Slot            *slot,
             Interval        *record,
             gsize            from,
             gsize            to,
             MmioGuardLayFunc lay,
             gpointer         user_data)
{
  from = MAX (from, record->start);
  to = MIN (to, record->end);
  if (from >= to)
    return TRUE;
  /* Where nothing is left to remember two ends of it apart, all of it goes: what is forgotten in the middle alone would stay a fault. */
  if (record == &slot->overflow && from > record->start && to < record->end)
    {
      from = record->start;
      to = record->end;
    }

  if (lay != NULL && !lay ((gpointer) from, to - from, record != &slot->overflow, user_data) &&
      !(errno == ENOMEM && give_up_spare () && lay ((gpointer) from, to - from, record != &slot->overflow, user_data)))
    return FALSE;

  forget (slot, record, from, to);
  return TRUE;
}

gboolean
mmio_guard_range_heal (MmioGuardRange  *range,
                       gconstpointer    start,
                       gsize            length,
                       MmioGuardLayFunc lay,
                       gpointer         user_data)
{
  Slot *slot = (Slot *) range;
  gsize from = (gsize) start;
  gsize to = from + length;
  gboolean healed = TRUE;
  int saved_errno;
  sigset_t mask;

  g_return_val_if_fail (range != NULL, FALSE);

  if (!mmio_guard_range_has_faults (range))
    return TRUE;

  g_return_val_if_fail (((from | length) & (slot->page_size - 1)) == 0, FALSE);

  lock_slot (slot, &mask);

  for (guint i = 0; i < MMIO_GUARD_EXACT_FAULTS && healed; i++)
    healed = heal_record (slot, &slot->runs[i], from, to, lay, user_data);
  if (healed)
    healed = heal_record (slot, &slot->overflow, from, to, lay, user_data);
  saved_errno = errno;
  make_spare ();
  count_records (slot);

  unlock_slot (slot, &mask);

  errno = saved_errno;
  return healed;
}

/* News */

int
mmio_guard_get_fd (void)
{
  int fd = __atomic_load_n (&wake_read_fd, __ATOMIC_ACQUIRE);
  int read_fd, write_fd;

  if (fd >= 0 || (!mmio_guard_get_enabled () && !__atomic_load_n (&installed, __ATOMIC_ACQUIRE)))
    return fd;

  pthread_mutex_lock (&registry.mutex);

  if (wake_read_fd < 0 && open_wake_fds (&read_fd, &write_fd))
    {
      /* Sequentially consistent: the partner is wake (), which sets woken and then looks for the descriptor. */
      __atomic_store_n (&wake_write_fd, write_fd, __ATOMIC_SEQ_CST);
      if (__atomic_load_n (&woken, __ATOMIC_SEQ_CST))
        write_wake ();
      __atomic_store_n (&wake_read_fd, read_fd, __ATOMIC_RELEASE);
    }
  fd = wake_read_fd;

  pthread_mutex_unlock (&registry.mutex);

  return fd;
}

void
mmio_guard_clear_fd (void)
{
  int fd = __atomic_load_n (&wake_read_fd, __ATOMIC_ACQUIRE);
  guint64 counter;

  /* A counter is empty after one read, a pipe holds at most what was written once for each clearing. */
  if (fd >= 0)
    while (read (fd, &counter, sizeof counter) > 0)
      ;

  /* After the reading, so that a fault from now on writes again. It acquires the news of all that did not: see wake (). */
  __atomic_exchange_n (&woken, FALSE, __ATOMIC_SEQ_CST);
}

gboolean
mmio_guard_range_has_news (MmioGuardRange *range)
{
  g_return_val_if_fail (range != NULL, FALSE);

  return range != &mmio_guard_none && !interval_is_empty (&((Slot *) range)->news);
}

gboolean
mmio_guard_range_take_news (MmioGuardRange *range,
                            gpointer       *start,
                            gsize          *length)
{
  Slot *slot = (Slot *) range;
  gboolean given;
  sigset_t mask;

  g_return_val_if_fail (range != NULL && start != NULL && length != NULL, FALSE);

  if (!mmio_guard_range_has_news (range))
    return FALSE;

  lock_slot (slot, &mask);
  given = give (&slot->news, start, length);
  interval_clear (&slot->news);
  unlock_slot (slot, &mask);

  return given;
}
