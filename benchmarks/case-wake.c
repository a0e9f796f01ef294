/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From wake to awake: two threads that hand a number to and fro, one cycle being there and back. The futex is one that processes can
 * share, as that of the library is.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <mmio.h>
#include <unistd.h>
#if __has_include(<linux/futex.h>)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif
#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif

#include "bench.h"

#if defined(FUTEX_WAIT) && defined(SYS_futex) && defined(EFD_CLOEXEC)

typedef struct
{
  MmioAtomicU32 *atomic;        /* [0]: ours is odd, theirs even */
  guint32 *word;                /* the same, for the floor */
  int there[2], back[2];        /* pipe or eventfd, to read from and to write to */
  gsize message;                /* bytes of it */
  void (*answer) (gpointer data);
  gboolean stop;                /* atomic */
} Wake;

/* Bare */

static void
bare_wait (guint32 *word,
           guint32  old)
{
  while (__atomic_load_n (word, __ATOMIC_SEQ_CST) == old)
    syscall (SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
}

static void
bare_pass (guint32 *word,
           guint32  next)
{
  __atomic_store_n (word, next, __ATOMIC_SEQ_CST);
  syscall (SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void
answer_bare (gpointer data)
{
  Wake *self = data;

  for (guint32 value = 0; !__atomic_load_n (&self->stop, __ATOMIC_SEQ_CST); value += 2)
    {
      bare_wait (self->word, value);
      bare_pass (self->word, value + 2);
    }
}

static guint64
cycle_bare (gpointer data,
            guint64  n)
{
  Wake *self = data;
  guint32 value = __atomic_load_n (self->word, __ATOMIC_SEQ_CST);

  for (guint64 i = 0; i < n; i++, value += 2)
    {
      bare_pass (self->word, value + 1);
      bare_wait (self->word, value + 1);
    }
  return 0;
}

/* Ours */

static void
our_wait (MmioAtomicU32 *atomic,
          guint32        old)
{
  while (mmio_atomic_u32_load (atomic, 0) == old)
    mmio_atomic_u32_wait (atomic, 0, old, -1, NULL, NULL);
}

static void
our_pass (MmioAtomicU32 *atomic,
          guint32        next)
{
  mmio_atomic_u32_store (atomic, 0, next);
  mmio_atomic_u32_wake (atomic, 0, G_MAXUINT);
}

static void
answer_ours (gpointer data)
{
  Wake *self = data;

  for (guint32 value = 0; !__atomic_load_n (&self->stop, __ATOMIC_SEQ_CST); value += 2)
    {
      our_wait (self->atomic, value);
      our_pass (self->atomic, value + 2);
    }
}

static guint64
cycle_ours (gpointer data,
            guint64  n)
{
  Wake *self = data;
  guint32 value = mmio_atomic_u32_load (self->atomic, 0);

  for (guint64 i = 0; i < n; i++, value += 2)
    {
      our_pass (self->atomic, value + 1);
      our_wait (self->atomic, value + 1);
    }
  return 0;
}

/* Descriptors */

static void
transfer (int      from,
          int      to,
          gsize    length,
          gboolean first_write)
{
  guint64 value = 1;

  if (first_write)
    bench_need (write (to, &value, length) == (gssize) length, NULL, "write");
  bench_need (read (from, &value, length) == (gssize) length, NULL, "read");
  value = 1;
  if (!first_write)
    bench_need (write (to, &value, length) == (gssize) length, NULL, "write");
}

static void
answer_descriptor (gpointer data)
{
  Wake *self = data;

  while (!__atomic_load_n (&self->stop, __ATOMIC_SEQ_CST))
    transfer (self->there[0], self->back[1], self->message, FALSE);
}

static guint64
cycle_descriptor (gpointer data,
                  guint64  n)
{
  Wake *self = data;

  for (guint64 i = 0; i < n; i++)
    transfer (self->back[0], self->there[1], self->message, TRUE);
  return 0;
}

static gpointer
partner (gpointer data)
{
  Wake *self = data;

  self->answer (self);
  return NULL;
}

/* The partner looks at stop after each cycle, so one more ends it. */
static void
finish (Wake     *self,
        GThread  *thread,
        BenchRun  cycle)
{
  __atomic_store_n (&self->stop, TRUE, __ATOMIC_SEQ_CST);
  cycle (self, 1);
  g_thread_join (thread);
}

void
bench_wake (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_new_anonymous ("bench-wake", 4096, &error);
  g_autoptr (MmioAtomicU32) first = NULL, second = NULL;
  Wake ours = { .answer = answer_ours }, bare = { .answer = answer_bare };
  Wake by_pipe = { .answer = answer_descriptor, .message = 1 }, by_event = { .answer = answer_descriptor, .message = 8 };
  GThread *threads[4];

  bench_need (file != NULL, error, "memory");
  first = mmio_file_get_atomic_u32 (file, 0, 1, &error);
  second = mmio_file_get_atomic_u32 (file, 1024, 1, &error);
  bench_need (first != NULL && second != NULL, error, "memory");
  ours.atomic = first;
  bare.word = mmio_atomic_u32_get_pointer (second);
  bench_need (pipe (by_pipe.there) == 0 && pipe (by_pipe.back) == 0, NULL, "pipe");
  by_event.there[0] = by_event.there[1] = eventfd (0, EFD_CLOEXEC);
  by_event.back[0] = by_event.back[1] = eventfd (0, EFD_CLOEXEC);
  bench_need (by_event.there[0] >= 0 && by_event.back[0] >= 0, NULL, "eventfd");

  threads[0] = g_thread_new ("ours", partner, &ours);
  threads[1] = g_thread_new ("bare", partner, &bare);
  threads[2] = g_thread_new ("pipe", partner, &by_pipe);
  threads[3] = g_thread_new ("eventfd", partner, &by_event);

  bench_case (bench, &(BenchCase){
    .name = "wake-cycle", .title = "wake another thread, and be woken by it", .goal = 1.2,
    .floor = { "a futex, bare", cycle_bare, &bare },
    .subject = { "mmio_atomic_u32_wake + mmio_atomic_u32_wait", cycle_ours, &ours },
    .peers = (BenchSide[]){ { "a byte through a pipe", cycle_descriptor, &by_pipe },
                            { "an eventfd", cycle_descriptor, &by_event },
                            { NULL } } });

  finish (&ours, threads[0], cycle_ours);
  finish (&bare, threads[1], cycle_bare);
  finish (&by_pipe, threads[2], cycle_descriptor);
  finish (&by_event, threads[3], cycle_descriptor);
  for (guint i = 0; i < 2; i++)
    {
      close (by_pipe.there[i]);
      close (by_pipe.back[i]);
    }
  close (by_event.there[0]);
  close (by_event.back[0]);
}

#else

void
bench_wake (Bench *bench)
{
  bench_skip (bench, "wake-cycle", "this system has no futex");
}

#endif
