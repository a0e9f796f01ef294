/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When a file has settled: nothing has changed for the time that was asked for, and nobody has it open for writing as far as
 * the system tells.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "mmio-watch.h"

#ifdef F_SETLEASE
/* Who opens the file for writing in the moment of a lease makes the kernel send SIGIO, which would end the process. A handler
 * and not SIG_IGN, which commands that are run would inherit. */
static void
on_lease_break (int number)
{
}

static void
catch_lease_breaks (void)
{
  static gboolean is_caught;
  struct sigaction action = { .sa_handler = on_lease_break, .sa_flags = SA_RESTART };

  if (!is_caught)
    sigaction (SIGIO, &action, NULL);
  is_caught = TRUE;
}
#endif

/* A read lease is to be had only of a file that nobody has open for writing: see fcntl(2). FALSE where it can't be known. */
static gboolean
has_writer (const char *path)
{
  gboolean found = FALSE;

#ifdef F_SETLEASE
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0)
    return FALSE;
  catch_lease_breaks ();
  if (fcntl (fd, F_SETLEASE, F_RDLCK) == 0)
    fcntl (fd, F_SETLEASE, F_UNLCK);
  else
    found = errno == EAGAIN;
  close (fd);
#endif
  return found;
}

static gboolean
on_quiet (gpointer user_data)
{
  Watched *watched = user_data;

  if (has_writer (watched->path))
    return G_SOURCE_CONTINUE;

  watched->settling = 0;
  watch_tell (watched, "settled", NULL);
  watch_exec (watched);
  return G_SOURCE_REMOVE;
}

void
watch_settle_later (Watched *watched)
{
  Watcher *self = watched->watcher;

  if (self->settle_seconds < 0)
    return;
  g_clear_handle_id (&watched->settling, g_source_remove);
  watched->settling = g_timeout_add ((guint) (self->settle_seconds * 1000), on_quiet, watched);
}

void
watch_settle_never (Watched *watched)
{
  g_clear_handle_id (&watched->settling, g_source_remove);
}
