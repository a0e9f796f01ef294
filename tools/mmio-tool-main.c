/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The main loop of the commands that go on until they are told to end.
 */
#include "config.h"

#include "mmio-tool.h"

#include <glib-unix.h>
#include <sys/stat.h>
#include <unistd.h>

static struct
{
  gboolean is_over;
  ToolEnd end;
} state;

static void
end (ToolEnd how)
{
  if (!state.is_over)
    state.end = how;
  state.is_over = TRUE;
  g_main_context_wakeup (NULL);
}

static gboolean
on_signal (gpointer user_data)
{
  end (TOOL_END_SIGNAL);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_timeout (gpointer user_data)
{
  end (TOOL_END_TIMEOUT);
  return G_SOURCE_REMOVE;
}

static gboolean
on_reader_gone (gint         fd,
                GIOCondition condition,
                gpointer     user_data)
{
  end (TOOL_END_QUIT);
  return G_SOURCE_REMOVE;
}

void
tool_begin_main (void)
{
  struct stat buffer;

  g_unix_signal_add (SIGINT, on_signal, NULL);
  g_unix_signal_add (SIGTERM, on_signal, NULL);
  g_unix_signal_add (SIGHUP, on_signal, NULL);

  /* Nobody writes to find out that the reader has gone while nothing happens. */
  if (fstat (STDOUT_FILENO, &buffer) == 0 && (S_ISFIFO (buffer.st_mode) || S_ISSOCK (buffer.st_mode)))
    g_unix_fd_add (STDOUT_FILENO, G_IO_ERR, on_reader_gone, NULL);
}

ToolEnd
tool_run_main (double seconds)
{
  /* What is too long to be counted in milliseconds is so in seconds. */
  if (seconds > G_MAXINT / 1000)
    g_timeout_add_seconds ((guint) seconds, on_timeout, NULL);
  else if (seconds >= 0)
    g_timeout_add ((guint) (seconds * 1000), on_timeout, NULL);

  while (!state.is_over)
    g_main_context_iteration (NULL, TRUE);
  return state.end;
}

void
tool_quit (void)
{
  end (TOOL_END_QUIT);
}
