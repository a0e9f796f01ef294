/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From wake to awake: two processes that hand a number to and fro, one cycle being there and back. The other process answers as often
 * as it is asked to.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <mmio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if __has_include(<linux/futex.h>)
#include <linux/futex.h>
#include <sys/syscall.h>
#endif
#if __has_include(<sys/eventfd.h>)
#include <sys/eventfd.h>
#endif

#include "bench-program.h"
#include "floor.h"

#if defined(FUTEX_WAIT) && defined(SYS_futex) && defined(EFD_CLOEXEC)

typedef struct
{
  MmioAtomicU32 *atomic;        /* [0]: ours is odd, theirs even */
  guint32 *word;                /* the same, for the floor */
  const struct timespec *limit; /* of its wait; NULL: none */
  int there[2], back[2];        /* pipe or eventfd, to read from and to write to */
  gsize message;                /* bytes of it */
  BenchRun cycle;
  BenchProgram *partner;
} Wake;

/* Bare */

/* The library's wait looks once a second whether the file has been cut off meanwhile. The timer for that is what it costs. */
static const struct timespec second = { 1, 0 };

static void
bare_wait (const Wake *self,
           guint32     old)
{
  while (__atomic_load_n (self->word, __ATOMIC_SEQ_CST) == old)
    syscall (SYS_futex, self->word, FUTEX_WAIT, old, self->limit, NULL, 0);
}

static void
bare_pass (guint32 *word,
           guint32  next)
{
  __atomic_store_n (word, next, __ATOMIC_SEQ_CST);
  syscall (SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static guint64
answer_bare (gpointer data,
             guint64  n)
{
  Wake *self = data;
  guint32 value = __atomic_load_n (self->word, __ATOMIC_SEQ_CST) & ~1u;

  for (guint64 i = 0; i < n; i++, value += 2)
    {
      bare_wait (self, value);
      bare_pass (self->word, value + 2);
    }
  return 0;
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
      bare_wait (self, value + 1);
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

static guint64
answer_ours (gpointer data,
             guint64  n)
{
  Wake *self = data;
  guint32 value = mmio_atomic_u32_load (self->atomic, 0) & ~1u;

  for (guint64 i = 0; i < n; i++, value += 2)
    {
      our_wait (self->atomic, value);
      our_pass (self->atomic, value + 2);
    }
  return 0;
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

static guint64
answer_descriptor (gpointer data,
                   guint64  n)
{
  Wake *self = data;

  for (guint64 i = 0; i < n; i++)
    transfer (self->there[0], self->back[1], self->message, FALSE);
  return 0;
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

/* The partner may not yet be there when the first cycle begins: that is part of one in hundreds. */
static guint64
run_cycles (gpointer data,
            guint64  n)
{
  Wake *self = data;
  guint64 start, elapsed;

  bench_program_ask (self->partner, n);
  start = bench_now ();
  self->cycle (self, n);
  elapsed = bench_now () - start;
  bench_program_wait (self->partner);

  return elapsed;
}

static MmioAtomicU32 *
open_atomic (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  MmioAtomicU32 *atomic;

  bench_need (file != NULL, error, path);
  atomic = mmio_file_get_atomic_u32 (file, 0, 1, &error);
  bench_need (atomic != NULL, error, path);
  return atomic;
}

static guint32 *
map_word (const char *path)
{
  FloorMap map;

  floor_map_open (&map, path, TRUE);
  return (gpointer) map.base;
}

int
bench_wake_partner (char **arguments)
{
  const char *kind = arguments[0], *argument = arguments[1];

  if (g_str_equal (kind, "ours"))
    return bench_program_serve (answer_ours, &(Wake){ .atomic = open_atomic (argument) });
  if (g_str_equal (kind, "bare"))
    return bench_program_serve (answer_bare, &(Wake){ .word = map_word (argument) });

  if (g_str_equal (kind, "limited"))
    return bench_program_serve (answer_bare, &(Wake){ .word = map_word (argument), .limit = &second });

  return bench_program_serve (answer_descriptor, &(Wake){ .there = { 3 }, .back = { [1] = 4 }, .message = strtoul (argument, NULL, 10) });
}

static void
start_partner (Wake       *self,
               const char *kind,
               const char *argument)
{
  const char *arguments[] = { bench_program_self (), "--partner=wake", kind, argument, NULL };
  const int fds[] = { self->there[0], self->back[1] };

  self->partner = bench_program_start (arguments, fds, self->message > 0 ? G_N_ELEMENTS (fds) : 0);
  if (bench_program_get_missing (self->partner) != NULL)
    g_error ("%s", bench_program_get_missing (self->partner));
}

/* Where the two run decides more than how they wake each other: on one processor it is a switch from one to the other, on two the other
 * one has to be brought out of its sleep first, which a virtual machine can't do by itself. */
static void
compare (Bench      *bench,
         const char *name,
         const char *title,
         guint       processor,
         guint       other_processor)
{
  const guint8 zeros[4096] = { 0 };
  const char *path = bench_new_path (bench, FALSE, "wake-ours"), *bare_path = bench_new_path (bench, FALSE, "wake-bare");
  const char *limited_path = bench_new_path (bench, FALSE, "wake-limited");
  Wake ours = { .cycle = cycle_ours }, bare = { .cycle = cycle_bare };
  Wake limited = { .cycle = cycle_bare, .limit = &second };
  Wake by_pipe = { .cycle = cycle_descriptor, .message = 1 }, by_event = { .cycle = cycle_descriptor, .message = 8 };
  Wake *all[] = { &ours, &bare, &limited, &by_pipe, &by_event };

  bench_need (g_file_set_contents (path, (const char *) zeros, sizeof zeros, NULL) &&
              g_file_set_contents (bare_path, (const char *) zeros, sizeof zeros, NULL) &&
              g_file_set_contents (limited_path, (const char *) zeros, sizeof zeros, NULL), NULL, path);
  ours.atomic = open_atomic (path);
  bare.word = map_word (bare_path);
  limited.word = map_word (limited_path);
  bench_need (pipe (by_pipe.there) == 0 && pipe (by_pipe.back) == 0, NULL, "pipe");
  by_event.there[0] = by_event.there[1] = eventfd (0, EFD_CLOEXEC);
  by_event.back[0] = by_event.back[1] = eventfd (0, EFD_CLOEXEC);
  bench_need (by_event.there[0] >= 0 && by_event.back[0] >= 0, NULL, "eventfd");
  bench_run_on (other_processor);
  start_partner (&ours, "ours", path);
  start_partner (&bare, "bare", bare_path);
  start_partner (&limited, "limited", limited_path);
  start_partner (&by_pipe, "descriptor", "1");
  start_partner (&by_event, "descriptor", "8");
  bench_run_on (processor);

  bench_case (bench, &(BenchCase){
    .name = name, .title = title, .goal = 1.2, .slice = 5000000,
    .floor = { "a futex, bare", run_cycles, &bare },
    .subject = { "mmio_atomic_u32_wake + mmio_atomic_u32_wait", run_cycles, &ours },
    .peers = (BenchSide[]){ { "a futex with a limit of a second, bare", run_cycles, &limited },
                            { "a byte through a pipe", run_cycles, &by_pipe },
                            { "an eventfd", run_cycles, &by_event },
                            { NULL } } });

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    bench_program_free (all[i]->partner);
  for (guint i = 0; i < 2; i++)
    {
      close (by_pipe.there[i]);
      close (by_pipe.back[i]);
    }
  close (by_event.there[0]);
  close (by_event.back[0]);
  mmio_atomic_u32_unref (ours.atomic);
}

void
bench_wake (Bench *bench)
{
  compare (bench, "wake-cycle", "wake another process on the same processor, and be woken by it", 0, 0);
  if (g_get_num_processors () > 1)
    compare (bench, "wake-cycle-apart", "wake another process on another processor, and be woken by it", 0, 1);
  else
    bench_skip (bench, "wake-cycle-apart", "one processor");
  bench_run_anywhere ();
}

#else

void
bench_wake (Bench *bench)
{
  bench_skip (bench, "wake-cycle", "this system has no futex");
}

int
bench_wake_partner (char **arguments)
{
  return bench_program_refuse ("this system has no futex");
}

#endif
