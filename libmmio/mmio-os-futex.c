/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-os-futex-private.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(MMIO_SYS_FUTEX) && defined(HAVE_LINUX_FUTEX_H)
#include <linux/futex.h>
#include <sys/syscall.h>
#define USE_FUTEX 1
#endif

/* How long a sleep may last that sees one word where there are several to see, or none but by looking. */
#define SLICE_US 10000
#define FIRST_SLICE_US 50

static MmioFutexResult
sleep_a_slice (gint64 timeout,
               guint *round)
{
  gint64 slice = MIN (FIRST_SLICE_US << MIN (*round, 16), SLICE_US);

  *round += 1;
  g_usleep ((gulong) CLAMP (timeout, 1, slice));

  return MMIO_FUTEX_LOOK_AGAIN;
}

#ifdef USE_FUTEX

/* What the two calls take, on every architecture and whatever size the C library gives to time_t. */
typedef struct
{
  long seconds;
  long nanoseconds;
} RelativeTime;

static MmioFutexResult
wait_for_one (const MmioFutexWord *word,
              gint64               timeout,
              guint               *round)
{
  RelativeTime time = { (long) (timeout / G_USEC_PER_SEC), (long) (timeout % G_USEC_PER_SEC * 1000) };
  int operation = FUTEX_WAIT | (word->is_private ? FUTEX_PRIVATE_FLAG : 0);

  if (syscall (MMIO_SYS_FUTEX, word->address, operation, word->expected, &time, NULL, 0) == 0)
    return MMIO_FUTEX_WOKEN;
  /* EFAULT: the page is gone; who looks at it finds out. Should it stay so, that must not become a busy loop. */
  if (errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
    return sleep_a_slice (timeout, round);

  return MMIO_FUTEX_LOOK_AGAIN;
}

#ifdef MMIO_SYS_FUTEX_WAITV

typedef struct
{
  guint64 value;
  guint64 address;
  guint32 flags;
  guint32 reserved;
} Waiter;

typedef struct
{
  gint64 seconds;
  gint64 nanoseconds;
} AbsoluteTime;

#define WAITER_IS_U32 2

static gint waitv_is_missing;   /* atomic */

/* FALSE if the kernel doesn't have the call (Linux 5.16), or a sandbox forbids it. */
static gboolean
wait_for_many (const MmioFutexWord *words,
               guint                n,
               gint64               timeout,
               guint               *round,
               MmioFutexResult     *result)
{
  Waiter waiters[MMIO_FUTEX_WORDS_MAX];
  gint64 end = g_get_monotonic_time () + timeout;
  AbsoluteTime time = { end / G_USEC_PER_SEC, end % G_USEC_PER_SEC * 1000 };
  long index;

  if (g_atomic_int_get (&waitv_is_missing))
    return FALSE;

  for (guint i = 0; i < n; i++)
    {
      guint32 flags = WAITER_IS_U32 | (words[i].is_private ? (guint32) FUTEX_PRIVATE_FLAG : 0);

      waiters[i] = (Waiter) { words[i].expected, (guintptr) words[i].address, flags, 0 };
    }
  index = syscall (MMIO_SYS_FUTEX_WAITV, waiters, n, 0, &time, CLOCK_MONOTONIC);

  *result = index == 0 ? MMIO_FUTEX_WOKEN : MMIO_FUTEX_LOOK_AGAIN;
  if (index < 0 && errno != EAGAIN && errno != EINTR && errno != ETIMEDOUT)
    {
      if (errno == ENOSYS || errno == EPERM || errno == EINVAL)
        {
          g_atomic_int_set (&waitv_is_missing, TRUE);
          return FALSE;
        }
      *result = sleep_a_slice (timeout, round);
    }

  return TRUE;
}

#endif

MmioFutexResult
mmio_os_futex_wait (const MmioFutexWord *words,
                    guint                n,
                    gint64               timeout,
                    guint               *round)
{
#ifdef MMIO_SYS_FUTEX_WAITV
  MmioFutexResult result;
#endif

  if (n == 1)
    return wait_for_one (words, timeout, round);
#ifdef MMIO_SYS_FUTEX_WAITV
  if (wait_for_many (words, n, timeout, round, &result))
    return result;
#endif

  return wait_for_one (words, MIN (timeout, SLICE_US), round);
}

guint
mmio_os_futex_wake (const guint32 *address,
                    guint          n,
                    gboolean       is_private)
{
  int operation = FUTEX_WAKE | (is_private ? FUTEX_PRIVATE_FLAG : 0);
  long n_woken = syscall (MMIO_SYS_FUTEX, address, operation, (int) MIN (n, G_MAXINT), NULL, NULL, 0);

  return n_woken > 0 ? (guint) n_woken : 0;
}

#else

MmioFutexResult
mmio_os_futex_wait (const MmioFutexWord *words,
                    guint                n,
                    gint64               timeout,
                    guint               *round)
{
  return sleep_a_slice (timeout, round);
}

/* Who waits looks by itself. */
guint
mmio_os_futex_wake (const guint32 *address,
                    guint          n,
                    gboolean       is_private)
{
  return 0;
}

#endif
