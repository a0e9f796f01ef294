/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct _BenchProgram
{
  pid_t pid;                    /* 0 if it could not be started */
  FILE *to, *from;
  char *missing;
};

/* Above the descriptors that the program gets, so that none of those is written over before it is copied. */
#define FIRST_FREE_FD 32

static int
move_up (int fd)
{
  int moved = fcntl (fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);

  bench_need (moved >= 0, NULL, "fcntl");
  close (fd);
  return moved;
}

/* POSIX spawn and not GSubprocess: that starts a thread, and a process with threads unmaps memory more slowly. */
static int
spawn (BenchProgram      *self,
       const char *const *arguments,
       const int         *fds,
       guint              n_fds)
{
  posix_spawn_file_actions_t actions;
  g_autofree int *high = g_new (int, n_fds + 1);
  int to[2], from[2], result;

  bench_need (pipe (to) == 0 && pipe (from) == 0, NULL, "pipe");
  for (guint i = 0; i < 2; i++)
    {
      to[i] = move_up (to[i]);
      from[i] = move_up (from[i]);
    }
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2 (&actions, from[1], STDOUT_FILENO);
  for (guint i = 0; i < n_fds; i++)
    {
      high[i] = fcntl (fds[i], F_DUPFD_CLOEXEC, FIRST_FREE_FD);
      bench_need (high[i] >= 0, NULL, "fcntl");
      posix_spawn_file_actions_adddup2 (&actions, high[i], 3 + (int) i);
    }
  result = posix_spawnp (&self->pid, arguments[0], &actions, NULL, (char *const *) arguments, environ);
  posix_spawn_file_actions_destroy (&actions);
  for (guint i = 0; i < n_fds; i++)
    close (high[i]);
  close (to[0]);
  close (from[1]);
  self->to = fdopen (to[1], "w");
  self->from = fdopen (from[0], "r");

  return result;
}

BenchProgram *
bench_program_start (const char *const *arguments,
                     const int         *fds,
                     guint              n_fds)
{
  BenchProgram *self = g_new0 (BenchProgram, 1);
  g_autofree char *name = g_path_get_basename (arguments[0]);
  char line[1024] = "";
  int result;

  /* A program that has ended is found out when nothing can be read from it. */
  signal (SIGPIPE, SIG_IGN);
  result = spawn (self, arguments, fds, n_fds);
  if (result != 0)
    {
      self->pid = 0;
      self->missing = g_strdup_printf (result == ENOENT ? "%s is not there" : "%s can't be run", name);
    }
  else if (fgets (line, sizeof line, self->from) == NULL)
    self->missing = g_strdup_printf ("%s has ended without a word", name);
  else if (g_str_has_prefix (line, "SKIP "))
    self->missing = g_strdup (g_strstrip (line + strlen ("SKIP ")));
  else if (strcmp (line, "ready\n") != 0)
    self->missing = g_strdup_printf ("%s said \"%s\" instead of \"ready\"", name, g_strstrip (line));

  return self;
}

void
bench_program_free (BenchProgram *self)
{
  fclose (self->to);
  fclose (self->from);
  if (self->pid != 0)
    waitpid (self->pid, NULL, 0);
  g_free (self->missing);
  g_free (self);
}

const char *
bench_program_get_missing (BenchProgram *self)
{
  return self->missing;
}

void
bench_program_ask (BenchProgram *self,
                   guint64       n)
{
  fprintf (self->to, "%" G_GUINT64_FORMAT "\n", n);
  fflush (self->to);
}

guint64
bench_program_wait (BenchProgram *self)
{
  char line[64];

  if (self->missing != NULL || fgets (line, sizeof line, self->from) == NULL)
    {
      if (self->missing == NULL)
        self->missing = g_strdup ("the program has ended in the middle");
      return G_MAXINT32;
    }
  return MAX (1, g_ascii_strtoull (line, NULL, 10));
}

static guint64
run_program (gpointer data,
             guint64  n)
{
  bench_program_ask (data, n);
  return bench_program_wait (data);
}

BenchSide
bench_program_side (const char *label,
                    const char *program,
                    ...)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  BenchSide side = { .label = label };
  BenchProgram *self;
  va_list list;

  g_ptr_array_add (arguments, (gpointer) program);
  va_start (list, program);
  for (const char *argument; (argument = va_arg (list, const char *)) != NULL;)
    g_ptr_array_add (arguments, (gpointer) argument);
  va_end (list);
  g_ptr_array_add (arguments, NULL);

  self = bench_program_start ((const char *const *) arguments->pdata, NULL, 0);
  side.data = self;
  if (self->missing == NULL)
    side.run = run_program;
  /* It outlives the program: it goes into the results. */
  side.missing = g_intern_string (self->missing);

  return side;
}

const char *
bench_program_why_missing (const BenchSide *side)
{
  const BenchProgram *self = side->data;

  if (side->run == NULL)
    return side->missing;

  return side->run == run_program ? g_intern_string (self->missing) : NULL;
}

void
bench_program_stop (const BenchSide *side)
{
  bench_program_free (side->data);
}

const char *
bench_program_self (void)
{
  static char path[4096];

  if (path[0] == '\0' && readlink ("/proc/self/exe", path, sizeof path - 1) < 0)
    g_strlcpy (path, g_get_prgname (), sizeof path);

  return path;
}

int
bench_program_serve (BenchRun run,
                     gpointer data)
{
  char line[64];

  printf ("ready\n");
  fflush (stdout);
  while (fgets (line, sizeof line, stdin) != NULL)
    {
      guint64 start = bench_now ();
      guint64 elapsed = run (data, g_ascii_strtoull (line, NULL, 10));

      printf ("%" G_GUINT64_FORMAT "\n", elapsed != 0 ? elapsed : bench_now () - start);
      fflush (stdout);
    }

  return EXIT_SUCCESS;
}

int
bench_program_refuse (const char *why)
{
  printf ("SKIP %s\n", why);
  fflush (stdout);
  return EXIT_SUCCESS;
}
