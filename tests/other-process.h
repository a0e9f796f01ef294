/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A test's other process: the test program itself, started anew with a role. main () begins with
 * other_process_main (), which runs the role and doesn't come back.
 */
#pragma once

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER_PROCESS_ROLE "--role"

/* Returns the process's exit status. argument: what the test gave it. */
typedef int (*OtherProcessFunc) (const char *argument);

typedef struct
{
  const char *name;
  OtherProcessFunc func;
} OtherProcessRole;

static const char *other_process_program;

static inline void
other_process_main (int                     argc,
                    char                   *argv[],
                    const OtherProcessRole *roles,
                    gsize                   n_roles)
{
  other_process_program = argv[0];
  if (argc < 4 || strcmp (argv[1], OTHER_PROCESS_ROLE) != 0)
    return;

  for (gsize i = 0; i < n_roles; i++)
    if (strcmp (argv[2], roles[i].name) == 0)
      exit (roles[i].func (argv[3]));

  exit (127);
}

/* With pipes to its standard input and output; fd, if it isn't -1, becomes its descriptor 3 and is taken over. */
static inline GSubprocess *
other_process_start (const char *role,
                     const char *argument,
                     int         fd)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE);
  g_autoptr (GError) error = NULL;
  GSubprocess *process;

  if (fd >= 0)
    g_subprocess_launcher_take_fd (launcher, fd, 3);
  process = g_subprocess_launcher_spawn (launcher, &error, other_process_program, OTHER_PROCESS_ROLE, role, argument, NULL);
  g_assert_no_error (error);

  return process;
}

/* Waits until the process has written a byte: it is where the test wants it. */
static inline void
other_process_expect_byte (GSubprocess *process)
{
  g_autoptr (GError) error = NULL;
  char byte;

  g_assert_cmpint (g_input_stream_read (g_subprocess_get_stdout_pipe (process), &byte, 1, NULL, &error), ==, 1);
  g_assert_no_error (error);
}

/* Lets it go on from where it waits for a byte. */
static inline void
other_process_send_byte (GSubprocess *process)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_subprocess_get_stdin_pipe (process), "x", 1, NULL, NULL, &error);
  g_assert_no_error (error);
}

static inline void
other_process_finish (GSubprocess *process)
{
  g_autoptr (GError) error = NULL;

  g_subprocess_wait_check (process, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (process);
}
