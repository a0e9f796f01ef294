/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Leases, and the signal that tells of their breaks.
 *
 * The signal is SIGURG, sent to one thread that blocks it and takes it from its queue. It is ignored by whoever hasn't asked for
 * it, where SIGIO or one of the real-time signals would end a process; its action is not touched, so it stays the program's; and
 * it needs no place in a queue that may be full, for all that are under way are one. Which lease it is about is to be asked, then.
 */
#include "config.h"

#include "mmio-os-lease-private.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#if HAVE_DECL_F_SETLEASE && HAVE_DECL_F_SETSIG && HAVE_DECL_F_SETOWN_EX && defined(HAVE_SIGTIMEDWAIT) && defined(MMIO_SYS_GETTID)

#include <sys/syscall.h>

#define BREAK_SIGNAL SIGURG
/* For how long a signal that is for the process is left to its other threads. */
#define HAND_BACK_US 10000

int
mmio_os_listen_for_breaks (int *listener)
{
  sigset_t all;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, NULL);
  *listener = (int) syscall (MMIO_SYS_GETTID);
  return 0;
}

/* Sent by hand, or because of a socket's urgent data: taken from the process's queue, where one of its threads may wait for it.
 * Without memory for more than its number the kernel says that it came from process 0. */
static gboolean
is_foreign (const siginfo_t *info)
{
  return info->si_code != POLL_MSG && !(info->si_code == SI_USER && info->si_pid == 0);
}

void
mmio_os_wait_for_break (gint64 deadline)
{
  gint64 wait = deadline != G_MAXINT64 ? MAX (0, deadline - g_get_monotonic_time ()) : 0;
  struct timespec timeout = { .tv_sec = wait / G_USEC_PER_SEC, .tv_nsec = wait % G_USEC_PER_SEC * 1000 };
  siginfo_t info;
  sigset_t set;

  sigemptyset (&set);
  sigaddset (&set, BREAK_SIGNAL);
  if (sigtimedwait (&set, &info, deadline != G_MAXINT64 ? &timeout : NULL) != BREAK_SIGNAL || !is_foreign (&info))
    return;

  kill (getpid (), BREAK_SIGNAL);
  g_usleep (HAND_BACK_US);
}

int
mmio_os_take_lease (int fd,
                    int listener)
{
  struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = listener };

  if (fcntl (fd, F_SETSIG, BREAK_SIGNAL) != 0 || fcntl (fd, F_SETOWN_EX, &owner) != 0 || fcntl (fd, F_SETLEASE, F_RDLCK) != 0)
    return errno;
  return 0;
}

void
mmio_os_give_up_lease (int fd)
{
  fcntl (fd, F_SETLEASE, F_UNLCK);
}

gboolean
mmio_os_lease_is_wanted (int fd)
{
  return fcntl (fd, F_GETLEASE) != F_RDLCK;
}

gboolean
mmio_os_has_writer (int fd)
{
  /* Who opens it in the moment of the lease has the kernel send the signal: to the process, where it is ignored. */
  if (fcntl (fd, F_SETSIG, BREAK_SIGNAL) != 0)
    return FALSE;
  if (fcntl (fd, F_SETLEASE, F_RDLCK) != 0)
    return errno == EAGAIN;
  fcntl (fd, F_SETLEASE, F_UNLCK);
  return FALSE;
}

#else

int
mmio_os_listen_for_breaks (int *listener G_GNUC_UNUSED)
{
  return ENOSYS;
}

void
mmio_os_wait_for_break (gint64 deadline G_GNUC_UNUSED)
{
}

int
mmio_os_take_lease (int fd G_GNUC_UNUSED,
                    int listener G_GNUC_UNUSED)
{
  return ENOSYS;
}

void
mmio_os_give_up_lease (int fd G_GNUC_UNUSED)
{
}

gboolean
mmio_os_lease_is_wanted (int fd G_GNUC_UNUSED)
{
  return FALSE;
}

gboolean
mmio_os_has_writer (int fd G_GNUC_UNUSED)
{
  return FALSE;
}

#endif
