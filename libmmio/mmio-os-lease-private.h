/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Leases: whoever opens a file for writing, or truncates it, is held by the kernel until who has the lease gives it up. See
 * fcntl(2). A lease belongs to the open file description: it is had of a descriptor that was opened for nothing else.
 * Functions return 0 or an errno value.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Makes the calling thread one that is told of leases' breaks, and of nothing else: signals are blocked in it from now on. Sets
 * *listener to what names the thread for mmio_os_take_lease (). ENOSYS where the system has no leases. */
int      mmio_os_listen_for_breaks  (int   *listener);
/* In such a thread: until a lease may have to be given up, or the deadline (monotonic, us; G_MAXINT64: none) has come. Says not
 * which: mmio_os_lease_is_wanted () does. Nothing that happens between two calls is missed. */
void     mmio_os_wait_for_break     (gint64 deadline);

/* fd was opened for reading. EAGAIN while anybody has the file open for writing, EACCES if it is another user's, EINVAL where the
 * file system has no leases. */
int      mmio_os_take_lease         (int    fd,
                                     int    listener);
void     mmio_os_give_up_lease      (int    fd);
/* Somebody waits for it, or the kernel has taken it away. */
gboolean mmio_os_lease_is_wanted    (int    fd);

/* Has anybody the file open for writing? fd was opened for reading, for this question alone. FALSE where it can't be known: of a file
 * that is another user's. */
gboolean mmio_os_has_writer         (int    fd);

G_END_DECLS
