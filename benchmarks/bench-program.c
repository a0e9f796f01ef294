/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
  char *name;
  char *missing;                /* why it takes no turns; NULL if it does */
};

/* Longer than any turn takes, and than any program needs to get ready. */
#define PATIENCE_SECONDS 120
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

/* Who has said something that isn't meant takes no more turns, and needn't be waited for. */
static void
give_up (BenchProgram *self,
         char         *why)
{
  g_free (self->missing);
  self->missing = why;
  if (self->pid != 0)
    kill (self->pid, SIGKILL);
}

/* The next line without its end; FALSE, and why in missing, if there is none. The program says one line at a time, so that nothing of the
 * next one is in the stream's buffer, where poll () would not see it. */
static gboolean
hear_line (BenchProgram *self,
           char         *line,
           int           size)
{
  struct pollfd poll_fd = { .fd = fileno (self->from), .events = POLLIN };
  int n, status = 0;

  do
    n = poll (&poll_fd, 1, PATIENCE_SECONDS * 1000);
  while (n < 0 && errno == EINTR);
  if (n == 0)
    {
      give_up (self, g_strdup_printf ("%s has said nothing for %d s", self->name, PATIENCE_SECONDS));
      return FALSE;
    }
  if (fgets (line, size, self->from) != NULL)
    {
      line[strcspn (line, "\n")] = '\0';
      return TRUE;
    }

  /* It has ended, or if it goes on without its output it is of no more use. */
  kill (self->pid, SIGKILL);
  if (waitpid (self->pid, &status, 0) == self->pid)
    self->pid = 0;
  if (WIFEXITED (status) && WEXITSTATUS (status) == 127)
    self->missing = g_strdup_printf ("%s finds no such command", self->name);
  else if (WIFEXITED (status) && WEXITSTATUS (status) != 0)
    self->missing = g_strdup_printf ("%s has ended with status %d", self->name, WEXITSTATUS (status));
  else
    self->missing = g_strdup_printf ("%s has ended", self->name);
  return FALSE;
}

BenchProgram *
bench_program_start (const char *const *arguments,
                     const int         *fds,
                     guint              n_fds)
{
  BenchProgram *self = g_new0 (BenchProgram, 1);
  char line[1024];
  int result;

  /* A program that has ended is found out when nothing can be read from it. */
  signal (SIGPIPE, SIG_IGN);
  self->name = g_path_get_basename (arguments[0]);
  result = spawn (self, arguments, fds, n_fds);
  if (result != 0)
    {
      self->pid = 0;
      self->missing = g_strdup_printf (result == ENOENT ? "%s is not there" : "%s can't be run", self->name);
    }
  else if (!hear_line (self, line, sizeof line))
    ;
  else if (g_str_has_prefix (line, "SKIP "))
    give_up (self, g_strdup (g_strstrip (line + strlen ("SKIP "))));
  else if (strcmp (line, "ready") != 0)
    give_up (self, g_strdup_printf ("%s said \"%s\" instead of \"ready\"", self->name, line));

  return self;
}

void
bench_program_free (BenchProgram *self)
{
  char line[64];

  /* That is what tells it to end. What it still has to say nobody wants to know. */
  fclose (self->to);
  if (self->missing == NULL)
    while (hear_line (self, line, sizeof line))
      ;
  fclose (self->from);
  if (self->pid != 0)
    waitpid (self->pid, NULL, 0);
  g_free (self->missing);
  g_free (self->name);
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
  guint64 elapsed;
  char line[64];

  if (self->missing != NULL || !hear_line (self, line, sizeof line))
    return G_MAXINT32;

  if (!g_ascii_string_to_unsigned (line, 10, 0, G_MAXINT64, &elapsed, NULL))
    {
      give_up (self, g_strdup_printf ("%s said \"%s\" instead of a number of nanoseconds", self->name, line));
      return G_MAXINT32;
    }
  return MAX (1, elapsed);
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

gboolean
bench_program_distrust (const BenchSide *side,
                        const char      *why)
{
  BenchProgram *self = side->data;

  if (side->run != run_program)
    return FALSE;

  if (self->missing == NULL)
    give_up (self, g_strdup_printf ("%s %s", self->name, why));
  return TRUE;
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
