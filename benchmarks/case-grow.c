/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A file that grows by appends of 64 KiB, to 1 GiB, while another thread reads what is there already: with the library, by write () and
 * pread (), and with a mapping that is made anew or longer each time it grows, which needs a lock that keeps the reader out meanwhile.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <mmio.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "floor.h"

#define STEP (64 << 10)
#define RECORD 64

typedef struct
{
  guint64 size;                 /* to which it grows */
  MmioFile *file;               /* ours */
  FloorMap map;                 /* the others'; lock guards it */
  pthread_rwlock_t lock;
  void (*read) (gpointer growth, guint64 at, guint8 *buffer);
  guint64 grown;                /* atomic: what is there */
  gboolean stop;                /* atomic */
} Growth;

static guint8 content[STEP];

static void
read_ours (gpointer data,
           guint64  at,
           guint8  *buffer)
{
  mmio_file_read (((Growth *) data)->file, at, buffer, RECORD, NULL);
}

static void
read_descriptor (gpointer data,
                 guint64  at,
                 guint8  *buffer)
{
  bench_need (pread (((Growth *) data)->map.fd, buffer, RECORD, (off_t) at) == RECORD, NULL, "pread");
}

static void
read_map (gpointer data,
          guint64  at,
          guint8  *buffer)
{
  Growth *growth = data;

  pthread_rwlock_rdlock (&growth->lock);
  floor_read (&growth->map, at, buffer, RECORD);
  pthread_rwlock_unlock (&growth->lock);
}

static gpointer
read_meanwhile (gpointer data)
{
  Growth *growth = data;
  guint8 buffer[RECORD];
  guint64 n = 0;

  bench_run_on (1);
  while (!__atomic_load_n (&growth->stop, __ATOMIC_RELAXED))
    {
      guint64 grown = __atomic_load_n (&growth->grown, __ATOMIC_ACQUIRE);

      for (guint i = 0; grown > 0 && i < 64; i++, n++)
        growth->read (growth, n * 4093 % (grown / RECORD) * RECORD, buffer);
    }

  return NULL;
}

static void
append_ours (Growth *growth,
             guint64 at)
{
  g_autoptr (GError) error = NULL;

  bench_need (mmio_file_resize (growth->file, at + STEP, &error) &&
              mmio_file_write (growth->file, at, content, STEP, &error), error, "append");
}

static void
append_descriptor (Growth *growth,
                   guint64 at)
{
  bench_need (pwrite (growth->map.fd, content, STEP, (off_t) at) == STEP, NULL, "pwrite");
}

static void
append_map (Growth *growth,
            guint64 at)
{
  pthread_rwlock_wrlock (&growth->lock);
  if (growth->map.size > 0)
    munmap (growth->map.base, growth->map.size);
  growth->map.size = at + STEP;
  bench_need (ftruncate (growth->map.fd, (off_t) growth->map.size) == 0, NULL, "ftruncate");
  growth->map.base = mmap (NULL, growth->map.size, PROT_READ | PROT_WRITE, MAP_SHARED, growth->map.fd, 0);
  bench_need (growth->map.base != MAP_FAILED, NULL, "mmap");
  pthread_rwlock_unlock (&growth->lock);
  floor_write (&growth->map, at, content, STEP);
}

#ifdef MREMAP_MAYMOVE
static void
append_longer_map (Growth *growth,
                   guint64 at)
{
  const guint64 size = at + STEP;

  bench_need (ftruncate (growth->map.fd, (off_t) size) == 0, NULL, "ftruncate");
  pthread_rwlock_wrlock (&growth->lock);
  growth->map.base = growth->map.size > 0 ? mremap (growth->map.base, growth->map.size, size, MREMAP_MAYMOVE)
                                          : mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, growth->map.fd, 0);
  bench_need (growth->map.base != MAP_FAILED, NULL, "mremap");
  growth->map.size = size;
  pthread_rwlock_unlock (&growth->lock);
  floor_write (&growth->map, at, content, STEP);
}
#endif

/* The time of the appends alone: what they brought is gone again afterwards. */
static guint64
grow (Growth *growth,
      guint64 n,
      void  (*append) (Growth *growth, guint64 at))
{
  guint64 elapsed = 0;

  for (guint64 i = 0; i < n; i++)
    {
      GThread *reader;
      guint64 start;

      growth->grown = 0;
      growth->stop = FALSE;
      reader = g_thread_new ("reader", read_meanwhile, growth);
      start = bench_now ();
      for (guint64 at = 0; at < growth->size; at += STEP)
        {
          append (growth, at);
          __atomic_store_n (&growth->grown, at + STEP, __ATOMIC_RELEASE);
        }
      elapsed += bench_now () - start;
      __atomic_store_n (&growth->stop, TRUE, __ATOMIC_RELAXED);
      g_thread_join (reader);

      if (growth->file != NULL)
        bench_need (mmio_file_resize (growth->file, 0, NULL), NULL, "resize");
      else
        bench_need (ftruncate (growth->map.fd, 0) == 0, NULL, "ftruncate");
      if (growth->map.size > 0)
        munmap (growth->map.base, growth->map.size);
      growth->map.size = 0;
    }

  return elapsed;
}

static guint64
grow_ours (gpointer data,
           guint64  n)
{
  return grow (data, n, append_ours);
}

static guint64
grow_descriptor (gpointer data,
                 guint64  n)
{
  return grow (data, n, append_descriptor);
}

static guint64
grow_map (gpointer data,
          guint64  n)
{
  return grow (data, n, append_map);
}

#ifdef MREMAP_MAYMOVE
static guint64
grow_longer_map (gpointer data,
                 guint64  n)
{
  return grow (data, n, append_longer_map);
}
#define MREMAP_SIDE(growth, n) { "ftruncate + mremap, a lock", grow_longer_map, growth, .divide = n }
#else
#define MREMAP_SIDE(growth, n) { .label = "ftruncate + mremap, a lock", .missing = "this system has no mremap" }
#endif

static void
growth_init (Growth     *self,
             Bench      *bench,
             const char *name,
             void      (*read) (gpointer growth, guint64 at, guint8 *buffer))
{
  const char *path = bench_new_path (bench, FALSE, name);
  pthread_rwlockattr_t attributes;

  self->size = bench_is_quick (bench) ? 64 << 20 : 1 << 30;
  self->read = read;
  self->map.fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  bench_need (self->map.fd >= 0, NULL, path);
  pthread_rwlockattr_init (&attributes);
#ifdef PTHREAD_RWLOCK_INITIALIZER_WRITER_NONRECURSIVE_NP
  /* Else a reader that comes again and again keeps the writer out for good. */
  pthread_rwlockattr_setkind_np (&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
  pthread_rwlock_init (&self->lock, &attributes);
  pthread_rwlockattr_destroy (&attributes);
  if (read == read_ours)
    {
      g_autoptr (GError) error = NULL;

      self->file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
      bench_need (self->file != NULL, error, path);
    }
}

static void
growth_clear (Growth *self)
{
  g_clear_object (&self->file);
  pthread_rwlock_destroy (&self->lock);
  close (self->map.fd);
}

void
bench_grow (Bench *bench)
{
  Growth ours = { 0 }, descriptor = { 0 }, map = { 0 }, longer_map = { 0 };
  guint64 appends;

  growth_init (&ours, bench, "grow-ours", read_ours);
  growth_init (&descriptor, bench, "grow-descriptor", read_descriptor);
  growth_init (&map, bench, "grow-map", read_map);
  growth_init (&longer_map, bench, "grow-longer-map", read_map);
  appends = ours.size / STEP;
  bench_run_on (0);

  bench_case (bench, &(BenchCase){
    .name = "grow-append", .title = bench_is_quick (bench) ? "append 64 KiB, up to 64 MiB, while a thread reads"
                                                           : "append 64 KiB, up to 1 GiB, while a thread reads",
    .floor = { "pwrite, beside pread", grow_descriptor, &descriptor, .divide = appends },
    .subject = { "mmio_file_resize + write, beside read", grow_ours, &ours, .divide = appends },
    .peers = (BenchSide[]){ { "munmap + ftruncate + mmap, a lock", grow_map, &map, .divide = appends },
                            MREMAP_SIDE (&longer_map, appends),
                            { NULL } } });

  bench_run_anywhere ();
  growth_clear (&ours);
  growth_clear (&descriptor);
  growth_clear (&map);
  growth_clear (&longer_map);
}
