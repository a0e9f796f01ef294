/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the fault guard costs: a fault beside the least that a handler can do, and a read where nothing faults.
 */
#include "config.h"

#include <fcntl.h>
#include <mmio.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

/* Pages that fault one after another, before they are all put back. */
#define PAGES 128

typedef struct
{
  int fd;
  gsize page;
  guint8 *own;                  /* a mapping of one's own */
  MmioFile *file;
} Faults;

static gsize bare_page;

static void
on_fault (int        number G_GNUC_UNUSED,
          siginfo_t *info,
          gpointer   context G_GNUC_UNUSED)
{
  mmap ((gpointer) ((gsize) info->si_addr & ~(bare_page - 1)), bare_page, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static guint64
touch (const guint8 *bytes,
       gsize         page,
       guint64       n)
{
  const volatile guint8 *at = bytes;
  guint64 before = bench_now ();

  for (guint64 i = 0; i < n; i++)
    (void) at[i * page];
  return bench_now () - before;
}

static void
set_pages (const Faults *self,
           guint         n)
{
  bench_need (ftruncate (self->fd, (off_t) (n * self->page)) == 0, NULL, "ftruncate");
}

static guint64
fault_bare (gpointer data,
            guint64  n)
{
  const Faults *self = data;
  struct sigaction bare = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
  struct sigaction before;
  guint64 time = 0;

  sigemptyset (&bare.sa_mask);
  bench_need (sigaction (SIGBUS, &bare, &before) == 0, NULL, "sigaction");
  for (guint64 done = 0; done < n; done += PAGES)
    {
      set_pages (self, 0);
      time += touch (self->own, self->page, MIN (n - done, PAGES));
      set_pages (self, PAGES);
      bench_need (mmap (self->own, PAGES * self->page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, self->fd, 0) != MAP_FAILED,
                  NULL, "mmap");
    }
  sigaction (SIGBUS, &before, NULL);
  return time;
}

static guint64
fault_guarded (gpointer data,
               guint64  n)
{
  const Faults *self = data;
  g_autoptr (GError) error = NULL;
  guint64 time = 0;

  for (guint64 done = 0; done < n; done += PAGES)
    {
      const guint8 *bytes = mmio_file_peek (self->file, 0, PAGES * self->page, &error);

      bench_need (bytes != NULL, error, "peek");
      set_pages (self, 0);
      time += touch (bytes, self->page, MIN (n - done, PAGES));
      set_pages (self, PAGES);
      bench_need (mmio_file_refresh (self->file, &error), error, "refresh");
    }
  return time;
}

static guint64
read_hot (gpointer data,
          guint64  n)
{
  MmioFile *file = data;
  guint8 record[64];

  for (guint64 i = 0; i < n; i++)
    {
      mmio_file_read (file, (i * 64) & 4095, record, sizeof record, NULL);
      __asm__ volatile ("" : : "r"(record) : "memory");
    }
  return 0;
}

static void
measure_faults (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  gsize page = bare_page = (gsize) sysconf (_SC_PAGESIZE);
  const char *path = bench_tmpfs_file (bench, "guard", PAGES * page);
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &error);
  Faults faults = { open (path, O_RDWR | O_CLOEXEC), page, NULL, file };

  bench_need (file != NULL && faults.fd >= 0, error, path);
  faults.own = mmap (NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED, faults.fd, 0);
  bench_need (faults.own != MAP_FAILED, NULL, "mmap");

  bench_case (bench, &(BenchCase){
    .name = "guard-fault", .title = "a page that the file has lost, touched", .goal = 3.0,
    .floor = { "a bare handler that maps a zero page", fault_bare, &faults },
    .subject = { "the fault guard", fault_guarded, &faults } });

  munmap (faults.own, PAGES * page);
  close (faults.fd);
}

/* The switch counts for what is mapped after it. */
static void
measure_reads (Bench *bench)
{
  g_autoptr (GError) error = NULL;
  const char *path = bench_tmpfs_file (bench, "guard-read", 1 << 16);
  g_autoptr (MmioFile) guarded = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);
  g_autoptr (MmioFile) bare = NULL;

  mmio_set_fault_guard (FALSE);
  bare = mmio_file_open (path, MMIO_MODE_READ_ONLY, &error);
  mmio_set_fault_guard (TRUE);
  bench_need (guarded != NULL && bare != NULL, error, path);

  bench_case (bench, &(BenchCase){
    .name = "guard-read", .title = "read 64 B, hot, with the fault guard", .goal = 1.05,
    .floor = { "mmio_file_read without the guard", read_hot, bare },
    .subject = { "mmio_file_read with it", read_hot, guarded } });
}

void
bench_guard (Bench *bench)
{
  if (bench_wants (bench, "guard-fault"))
    measure_faults (bench);
  if (bench_wants (bench, "guard-read"))
    measure_reads (bench);
}
