/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Locks on ranges of a file: those of the open file description, and where there are none those of the process.
 */
#include "config.h"

#include "mmio-os-private.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#if HAVE_DECL_F_OFD_SETLK
#define SET_LOCK F_OFD_SETLK
#define SET_LOCK_AND_WAIT F_OFD_SETLKW
#else
#define SET_LOCK F_SETLK
#define SET_LOCK_AND_WAIT F_SETLKW
#endif

gboolean
mmio_os_has_description_locks (void)
{
  return HAVE_DECL_F_OFD_SETLK;
}

int
mmio_os_lock_range (int        fd,
                    MmioOsLock kind,
                    guint64    offset,
                    guint64    length,
                    gboolean   wait)
{
  static const short types[] = { F_UNLCK, F_RDLCK, F_WRLCK };
  int result;

  do
    {
      /* Set anew each time: l_pid has to be 0. */
      struct flock lock = {
        .l_type = types[kind],
        .l_whence = SEEK_SET,
        .l_start = (off_t) offset,
        .l_len = (off_t) length,
      };

      result = fcntl (fd, wait ? SET_LOCK_AND_WAIT : SET_LOCK, &lock) == 0 ? 0 : errno;
    }
  while (result == EINTR);

  return result == EACCES ? EAGAIN : result;
}
