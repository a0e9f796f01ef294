/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The system calls about pages, each with its fallback.
 */
#include "config.h"

#include "mmio-os-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_SYS_SYSCALL_H
#include <sys/syscall.h>
#endif

/* -1: there is none. */
static int
native_advice (MmioAdvice advice)
{
#ifdef HAVE_MADVISE
  switch (advice)
    {
    case MMIO_ADVICE_NORMAL:
      return MADV_NORMAL;
    case MMIO_ADVICE_RANDOM:
      return MADV_RANDOM;
    case MMIO_ADVICE_SEQUENTIAL:
      return MADV_SEQUENTIAL;
    case MMIO_ADVICE_WILL_NEED:
      return MADV_WILLNEED;
    case MMIO_ADVICE_DONT_NEED:
      return MADV_DONTNEED;
#if HAVE_DECL_MADV_COLD
    case MMIO_ADVICE_COLD:
      return MADV_COLD;
#endif
#if HAVE_DECL_MADV_PAGEOUT
    case MMIO_ADVICE_PAGE_OUT:
      return MADV_PAGEOUT;
#endif
#if HAVE_DECL_MADV_HUGEPAGE
    case MMIO_ADVICE_HUGE_PAGE:
      return MADV_HUGEPAGE;
#endif
#if HAVE_DECL_MADV_NOHUGEPAGE
    case MMIO_ADVICE_NO_HUGE_PAGE:
      return MADV_NOHUGEPAGE;
#endif
#if HAVE_DECL_MADV_DONTDUMP
    case MMIO_ADVICE_DONT_DUMP:
      return MADV_DONTDUMP;
#endif
    default:
      return -1;
    }
#else
  return -1;
#endif
}

static int
posix_advice (MmioAdvice advice)
{
#ifdef HAVE_POSIX_MADVISE
  switch (advice)
    {
    case MMIO_ADVICE_NORMAL:
      return POSIX_MADV_NORMAL;
    case MMIO_ADVICE_RANDOM:
      return POSIX_MADV_RANDOM;
    case MMIO_ADVICE_SEQUENTIAL:
      return POSIX_MADV_SEQUENTIAL;
    case MMIO_ADVICE_WILL_NEED:
      return POSIX_MADV_WILLNEED;
    case MMIO_ADVICE_DONT_NEED:
      return POSIX_MADV_DONTNEED;
    default:
      return -1;
    }
#else
  return -1;
#endif
}

int
mmio_os_advise (gpointer   start,
                gsize      length,
                MmioAdvice advice)
{
  int native = native_advice (advice);
  int portable = posix_advice (advice);

#ifdef HAVE_MADVISE
  if (native >= 0)
    {
      if (madvise (start, length, native) == 0)
        return 0;
      return errno;
    }
#endif
#ifdef HAVE_POSIX_MADVISE
  if (portable >= 0)
    return posix_madvise (start, length, portable);
#endif

  return native < 0 && portable < 0 ? ENOTSUP : 0;
}

int
mmio_os_drop_cache (int     fd,
                    guint64 offset,
                    guint64 length)
{
#ifdef POSIX_FADV_DONTNEED
  return posix_fadvise (fd, (off_t) offset, (off_t) length, POSIX_FADV_DONTNEED);
#else
  return ENOTSUP;
#endif
}

/* One byte of each page. A page that can't be had is a fault, which is the guard's affair. */
static void
touch_pages (gconstpointer start,
             gsize         length,
             gsize         page_size)
{
  const volatile guint8 *memory = start;

  for (gsize i = 0; i < length; i += page_size)
    (void) memory[i];
}

int
mmio_os_populate (gpointer start,
                  gsize    length,
                  gsize    page_size)
{
#if HAVE_DECL_MADV_POPULATE_READ
  int result;

  do
    result = madvise (start, length, MADV_POPULATE_READ) == 0 ? 0 : errno;
  while (result == EINTR || result == EAGAIN);
  /* EINVAL: a kernel older than the call (5.14). */
  if (result != EINVAL && result != ENOSYS)
    return result;
#endif

  touch_pages (start, length, page_size);
  return 0;
}

#ifdef MMIO_SYS_CACHESTAT
struct cachestat_range
{
  guint64 offset;
  guint64 length;
};

struct cachestat_result
{
  guint64 n_cache;
  guint64 n_dirty;
  guint64 n_writeback;
  guint64 n_evicted;
  guint64 n_recently_evicted;
};
#endif

#ifdef HAVE_MINCORE
/* To who neither owns a file nor may write to it Linux doesn't tell which of its pages others use: that all are there is then what
 * mincore () says. */
static gboolean
may_be_told (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  const uid_t user = geteuid ();
  struct stat buffer;

  return user == 0 || (fstat (fd, &buffer) == 0 && buffer.st_uid == user) || faccessat (AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}
#endif

int
mmio_os_get_resident (int       fd,
                      gboolean  is_private,
                      guint64   offset,
                      gpointer  start,
                      gsize     length,
                      guint64  *bytes)
{
  const gsize page_size G_GNUC_UNUSED = mmio_os_page_size ();

#ifdef MMIO_SYS_CACHESTAT
  {
    struct cachestat_range range = { offset, length };
    struct cachestat_result result;

    /* Looks at the tree of the file's cached pages alone, in which private ones aren't: quick where the file is large and hardly any of
     * it in memory. Since 6.5. */
    if (!is_private && syscall (MMIO_SYS_CACHESTAT, fd, &range, &result, 0) == 0)
      {
        *bytes = result.n_cache * page_size;
        return 0;
      }
    if (!is_private && errno != ENOSYS && errno != EOPNOTSUPP && errno != EINVAL && errno != EPERM)
      return errno;
  }
#endif

#ifdef HAVE_MINCORE
  {
    unsigned char state[4096];

    *bytes = 0;
    if (!may_be_told (fd))
      return EPERM;
    for (gsize done = 0; done < length; done += sizeof state * page_size)
      {
        gsize n = MIN (length - done, sizeof state * page_size);

        if (mincore ((guint8 *) start + done, n, state) != 0)
          return errno;
        for (gsize i = 0; i < n / page_size; i++)
          *bytes += (state[i] & 1) * page_size;
      }
    return 0;
  }
#else
  return ENOTSUP;
#endif
}
