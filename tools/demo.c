/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The demonstration: `mmio watch` on a file, another process that does things to it, and each shown beside the event that
 * came and the time from the one to the other. Fails if an event that was to come did not.
 *
 * Three processes: this one, `mmio watch --json`, and the actor, who tells by its own clock when it acted.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <locale.h>
#include <mmio.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 5000        /* with an event that does not come */
#define PACE_MS 450             /* between two acts, for somebody who looks on */
#define QUICK_PACE_MS 50        /* for nobody */
#define FILE_NAME "notes.txt"
#define OTHER_NAME "notes.txt~"
#define UNDER "                                                " /* the column of the events */

/* What is done. Each returns 0 or an errno, and sets *when just before the system call that does it. */

static int
append_text (const char *text,
             gint64     *when)
{
  int fd = open (FILE_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);
  int result;

  if (fd < 0)
    return errno;
  *when = g_get_real_time ();
  result = write (fd, text, strlen (text)) < 0 ? errno : 0;
  close (fd);
  return result;
}

static int
append_line (gint64 *when)
{
  return append_text ("and one more line\n", when);
}

static int
append_to_new_file (gint64 *when)
{
  return append_text ("and one after it\n", when);
}

static int
store_and_flush (gint64 *when)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (FILE_NAME, MMIO_MODE_READ_WRITE, &error);

  if (file != NULL && mmio_file_write (file, 0, "FIRST", 5, &error))
    {
      *when = g_get_real_time ();
      mmio_file_flush (file, &error);
    }
  if (error == NULL)
    return 0;

  g_printerr ("%s\n", error->message);
  return EIO;
}

static int
change_mode (gint64 *when)
{
  *when = g_get_real_time ();
  return chmod (FILE_NAME, 0600) != 0 ? errno : 0;
}

static int
save_as_editors_do (gint64 *when)
{
  int fd = open (OTHER_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  int result;

  if (fd < 0)
    return errno;
  result = write (fd, "a new first line\n", 17) < 0 ? errno : 0;
  close (fd);
  *when = g_get_real_time ();
  return result == 0 && rename (OTHER_NAME, FILE_NAME) != 0 ? errno : result;
}

static int
cut (gint64 *when)
{
  *when = g_get_real_time ();
  return truncate (FILE_NAME, 8) != 0 ? errno : 0;
}

static int
remove_it (gint64 *when)
{
  *when = g_get_real_time ();
  return unlink (FILE_NAME) != 0 ? errno : 0;
}

static int
make_again (gint64 *when)
{
  int fd;

  *when = g_get_real_time ();
  fd = open (FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd < 0)
    return errno;
  close (fd);
  return 0;
}

typedef struct
{
  const char *title;
  const char *by;
  const char *event;            /* that has to come */
  const char *then;             /* the one that has to follow, or NULL */
  int (*act) (gint64 *when);
} Act;

static const Act acts[] = {
  { "appends a line", "write", "changed", NULL, append_line },
  { "stores 5 bytes in a mapping", "mmio_file_flush", "changed", NULL, store_and_flush },
  { "changes its mode", "chmod", "metadata", NULL, change_mode },
  { "saves as editors do", "rename over it", "replaced", "changed", save_as_editors_do },
  { "appends to the new file", "write", "changed", NULL, append_to_new_file },
  { "cuts it to 8 bytes", "truncate", "changed", NULL, cut },
  { "removes it", "unlink", "removed", NULL, remove_it },
  { "makes it again", "open", "replaced", "changed", make_again },
};

typedef struct
{
  gint64 when;                  /* us since the epoch */
  int result;
} Deed;

/* The other process: does what it is told, one byte each, and says when. Ends with its input. */
static G_GNUC_NORETURN void
be_actor (int input,
          int output)
{
  guint8 index;

  while (read (input, &index, 1) == 1)
    {
      Deed deed = { 0 };

      deed.result = acts[index].act (&deed.when);
      if (write (output, &deed, sizeof deed) != sizeof deed)
        break;
    }
  _exit (0);
}

typedef struct
{
  pid_t pid;
  int to, from;
} Actor;

static gboolean
start_actor (Actor      *actor,
             const char *folder)
{
  int orders[2], answers[2];

  if (pipe (orders) != 0 || pipe (answers) != 0)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      fcntl (orders[i], F_SETFD, FD_CLOEXEC);
      fcntl (answers[i], F_SETFD, FD_CLOEXEC);
    }

  actor->pid = fork ();
  if (actor->pid == 0)
    {
      close (orders[1]);
      close (answers[0]);
      if (chdir (folder) != 0)
        _exit (1);
      be_actor (orders[0], answers[1]);
    }
  close (orders[0]);
  close (answers[1]);
  actor->to = orders[1];
  actor->from = answers[0];
  return actor->pid > 0;
}

static void
stop_actor (Actor *actor)
{
  close (actor->to);
  close (actor->from);
  waitpid (actor->pid, NULL, 0);
}

/* The watch */

typedef struct
{
  GPid pid;
  int fd;
  GString *buffer;              /* what has come and isn't a whole line yet */
} Watch;

static gboolean
start_watch (Watch      *watch,
             const char *folder,
             GError    **error)
{
  const char *const arguments[] = { "mmio", "watch", "--json", "--locate", FILE_NAME, NULL };

  watch->buffer = g_string_new (NULL);
  return g_spawn_async_with_pipes (folder, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                                   &watch->pid, NULL, &watch->fd, NULL, error);
}

/* NULL if none comes in time. */
static char *
next_line (Watch *watch,
           int    timeout_ms)
{
  gint64 deadline = g_get_monotonic_time () + timeout_ms * (G_USEC_PER_SEC / 1000);

  for (;;)
    {
      const char *end = strchr (watch->buffer->str, '\n');
      struct pollfd item = { .fd = watch->fd, .events = POLLIN };
      gint64 left = (deadline - g_get_monotonic_time ()) / 1000;
      char bytes[4096];
      gssize n;

      if (end != NULL)
        {
          gsize length = (gsize) (end - watch->buffer->str);
          char *line = g_strndup (watch->buffer->str, length);

          g_string_erase (watch->buffer, 0, (gssize) length + 1);
          return line;
        }
      if (poll (&item, 1, (int) CLAMP (left, 0, timeout_ms)) <= 0)
        return NULL;
      n = read (watch->fd, bytes, sizeof bytes);
      if (n <= 0)
        return NULL;
      g_string_append_len (watch->buffer, bytes, n);
    }
}

static void
stop_watch (Watch *watch)
{
  kill (watch->pid, SIGINT);
  waitpid (watch->pid, NULL, 0);
  g_spawn_close_pid (watch->pid);
  close (watch->fd);
  g_string_free (watch->buffer, TRUE);
}

typedef struct
{
  char name[16];
  gint64 when;
  gboolean has_range;
  guint64 offset, length;
} Event;

static gboolean
read_event (const char *line,
            Event      *event)
{
  const char *name = strstr (line, "\"event\": \"");
  const char *when = strstr (line, "\"time_us\": ");
  const char *range = strstr (line, "\"offset\": ");

  if (name == NULL || when == NULL || sscanf (name, "\"event\": \"%15[a-z]", event->name) != 1 ||
      sscanf (when, "\"time_us\": %" SCNd64, &event->when) != 1)
    return FALSE;
  event->has_range =
      range != NULL && sscanf (range, "\"offset\": %" SCNu64 ", \"length\": %" SCNu64, &event->offset, &event->length) == 2;
  return TRUE;
}

/* The show */

typedef struct
{
  gboolean is_terminal;
  guint n_missing;              /* acts of which an event did not come */
  GArray *delays;               /* of gint64, us */
} Show;

static const char *
style (const Show *show,
       const char *sequence)
{
  return show->is_terminal ? sequence : "";
}

#define BOLD(show) style (show, "\033[1m")
#define DIM(show) style (show, "\033[2m")
#define RED(show) style (show, "\033[1;31m")
#define GREEN(show) style (show, "\033[1;32m")
#define CYAN(show) style (show, "\033[36m")
#define PLAIN(show) style (show, "\033[0m")

static const char *
event_style (const Show *show,
             const char *name)
{
  static const struct
  {
    const char *name, *sequence;
  } styles[] = {
    { "changed", "\033[1;32m" },
    { "metadata", "\033[1;34m" },
    { "removed", "\033[1;31m" },
    { "replaced", "\033[1;35m" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (styles); i++)
    if (g_str_equal (styles[i].name, name))
      return style (show, styles[i].sequence);
  return "";
}

/* Right-aligned, whatever the letters take in bytes. */
static char *
format_delay (gint64 us)
{
  if (us < 1000)
    return g_strdup_printf ("%6" PRId64 " %s", us, g_get_charset (NULL) ? "µs" : "us");
  return g_strdup_printf ("%6.1f ms", (double) us / 1000);
}

static void
show_event (const Show  *show,
            const Event *event,
            gint64       delay)
{
  g_autofree char *after = format_delay (delay);
  g_autofree char *range = NULL;

  if (event->has_range)
    range = g_strdup_printf ("%" PRIu64 " bytes at %" PRIu64, event->length, event->offset);
  g_print ("%s%-10s%s%-16s%s%s%s\n", event_style (show, event->name), event->name, PLAIN (show), range != NULL ? range : "",
           CYAN (show), after, PLAIN (show));
}

/* Shows what comes until it is the event that has to. */
static gboolean
await (Show       *show,
       Watch      *watch,
       const char *name,
       gint64      when)
{
  for (;;)
    {
      g_autofree char *line = next_line (watch, PATIENCE_MS);
      Event event;
      gint64 delay;

      if (line == NULL || !read_event (line, &event))
        {
          g_print ("%snothing: %s was to come%s\n", RED (show), name, PLAIN (show));
          return FALSE;
        }

      delay = event.when - when;
      show_event (show, &event, delay);
      if (g_str_equal (event.name, name))
        {
          g_array_append_val (show->delays, delay);
          return TRUE;
        }
      g_print ("%s", UNDER);
    }
}

static void
perform (Show  *show,
         Actor *actor,
         Watch *watch,
         guint8 index)
{
  const Act *act = &acts[index];
  Deed deed;

  g_print ("  %-29s%s%-17s%s", act->title, DIM (show), act->by, PLAIN (show));
  if (write (actor->to, &index, 1) != 1 || read (actor->from, &deed, sizeof deed) != sizeof deed || deed.result != 0)
    {
      g_print ("%swas not possible%s\n", RED (show), PLAIN (show));
      show->n_missing++;
      return;
    }

  if (!await (show, watch, act->event, deed.when))
    {
      show->n_missing++;
      return;
    }
  if (act->then == NULL)
    return;

  g_print ("%s", UNDER);
  if (!await (show, watch, act->then, deed.when))
    show->n_missing++;
}

static int
compare_delays (gconstpointer a,
                gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static void
summarize (Show *show)
{
  guint n = show->delays->len;

  g_print ("\n");
  if (show->n_missing > 0)
    {
      g_print ("  %s%u of %u acts went unheard.%s\n", RED (show), show->n_missing, (guint) G_N_ELEMENTS (acts), PLAIN (show));
      return;
    }

  g_array_sort (show->delays, compare_delays);
  g_autofree char *median = format_delay (g_array_index (show->delays, gint64, n / 2));
  g_autofree char *longest = format_delay (g_array_index (show->delays, gint64, n - 1));

  g_print ("  %s%u acts, each heard.%s Half of the events came within %s, the slowest after %s.\n", GREEN (show),
           (guint) G_N_ELEMENTS (acts), PLAIN (show), g_strchug (median), g_strchug (longest));
}

static gboolean
run (Show       *show,
     Actor      *actor,
     const char *folder,
     GError    **error)
{
  Watch watch = { 0 };
  g_autofree char *line = NULL;

  if (!start_watch (&watch, folder, error))
    return FALSE;

  g_print ("\n  %s$ mmio watch --locate %s%s\n\n", BOLD (show), FILE_NAME, PLAIN (show));
  g_print ("  %s%-29s%-17s%-26s%9s%s\n", DIM (show), "another process", "by", "mmio watch says", "after", PLAIN (show));

  /* The first line says that the watch is ready. */
  line = next_line (&watch, PATIENCE_MS);
  if (line == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "mmio watch did not start");
      stop_watch (&watch);
      return FALSE;
    }

  for (guint8 i = 0; i < G_N_ELEMENTS (acts); i++)
    {
      g_usleep ((show->is_terminal ? PACE_MS : QUICK_PACE_MS) * 1000);
      perform (show, actor, &watch, i);
    }
  summarize (show);
  g_print ("\n");

  stop_watch (&watch);
  return show->n_missing == 0;
}

int
main (int    argc,
      char **argv)
{
  Show show = { .is_terminal = isatty (STDOUT_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0 };
  Actor actor = { 0 };
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("mmio-demo-XXXXXX", &error);
  g_autofree char *path = NULL, *other = NULL;
  gboolean success = FALSE;

  if (folder == NULL)
    {
      g_printerr ("demo: %s\n", error->message);
      return 1;
    }
  path = g_build_filename (folder, FILE_NAME, NULL);
  other = g_build_filename (folder, OTHER_NAME, NULL);
  setlocale (LC_ALL, "");
  signal (SIGPIPE, SIG_IGN);
  show.delays = g_array_new (FALSE, FALSE, sizeof (gint64));

  /* Before GLib starts a thread. */
  if (!g_file_set_contents (path, "first line\nsecond line\n", -1, &error))
    {
      g_printerr ("demo: %s\n", error->message);
    }
  else if (!start_actor (&actor, folder))
    {
      g_printerr ("demo: %s\n", g_strerror (errno));
    }
  else
    {
      success = run (&show, &actor, folder, &error);
      stop_actor (&actor);
      if (error != NULL)
        g_printerr ("demo: %s\n", error->message);
    }

  g_array_unref (show.delays);
  g_remove (path);
  g_remove (other);
  g_rmdir (folder);
  return success ? 0 : 1;
}
