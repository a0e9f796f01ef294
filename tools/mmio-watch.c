/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio watch: a line for each thing that happens to a file.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdio.h>

#include "mmio-watch.h"

/* How much of what changed --locate shows at most */
#define SHOWN_BYTES 256
#define DEFAULT_SETTLE_SECONDS 0.5

/* Telling */

/* What stands in the range now; NULL if it can't be had. The file may be another by now, or shorter. */
static GBytes *
read_range (Watched       *watched,
            const guint64 *range)
{
  guint64 size = mmio_file_get_size (watched->file);
  guint64 offset = range[0];

  if (!watched->watcher->locate || offset >= size)
    return NULL;
  return mmio_file_read_bytes (watched->file, offset, (gsize) MIN (MIN (range[1], size - offset), SHOWN_BYTES), NULL);
}

static void
add_range (Watched       *watched,
           GString       *json,
           const guint64 *range)
{
  g_autoptr (GBytes) bytes = read_range (watched, range);

  tool_json_add_uint (json, "offset", range[0]);
  tool_json_add_uint (json, "length", range[1]);
  if (bytes != NULL)
    {
      gsize length;
      const guint8 *data = g_bytes_get_data (bytes, &length);
      g_autofree char *text = g_base64_encode (data, length);

      tool_json_add_string (json, "data_base64", text);
    }
}

static void
begin_json (Watcher    *self,
            gint64      now,
            const char *event)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (now / G_USEC_PER_SEC);
  g_autofree char *date = g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *time = g_strdup_printf ("%s.%06dZ", date, (int) (now % G_USEC_PER_SEC));

  tool_json_begin (self->json);
  tool_json_add_string (self->json, "time", time);
  tool_json_add_uint (self->json, "time_us", (guint64) now);
  tool_json_add_string (self->json, "event", event);
}

static void
tell_json (Watched       *watched,
           gint64         now,
           const char    *event,
           const guint64 *range)
{
  GString *json = watched->watcher->json;

  begin_json (watched->watcher, now, event);
  tool_json_add_path (json, "file", watched->path);
  if (range != NULL)
    add_range (watched, json, range);
  tool_json_end (json);
}

static void
print_range (Watched       *watched,
             const guint64 *range)
{
  g_autoptr (GBytes) bytes = read_range (watched, range);
  ToolHex hex = { .indent = "    " };
  gsize length;
  const guint8 *data;

  if (bytes == NULL)
    return;

  data = g_bytes_get_data (bytes, &length);
  tool_print_hex (&hex, range[0], data, length);
  if (length < range[1])
    /* Translators: below a hexadecimal dump that was cut off. */
    tool_print (ngettext ("    … and %" PRIu64 " byte more\n", "    … and %" PRIu64 " bytes more\n", (gulong) (range[1] - length)),
                range[1] - length);
}

static void
tell_text (Watched       *watched,
           gint64         now,
           const char    *event,
           const guint64 *range)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_local (now / G_USEC_PER_SEC);
  g_autofree char *time = g_date_time_format (seconds, "%H:%M:%S");
  int padding = (int) MAX (0, watched->watcher->name_width - tool_get_width (watched->name));

  if (range == NULL)
    {
      tool_print ("%s.%06d  %s%*s  %s\n", time, (int) (now % G_USEC_PER_SEC), watched->name, padding, "", event);
      return;
    }

  /* Translators: time, file, event; then where the change begins and how many bytes it has. */
  tool_print (_("%s.%06d  %s%*s  %-8s  offset %" PRIu64 "  length %" PRIu64 "\n"), time, (int) (now % G_USEC_PER_SEC),
              watched->name, padding, "", event, range[0], range[1]);
  print_range (watched, range);
}

/* The events' names are an interface for scripts, and not translated. */
void
watch_tell (Watched       *watched,
            const char    *event,
            const guint64 *range)
{
  gint64 now = g_get_real_time ();
  Watcher *self = watched->watcher;

  if (self->stats != NULL)
    watch_stats_add (self->stats, watched, event, now);
  if (self->is_over)
    return;

  (self->json != NULL ? tell_json : tell_text) (watched, now, event, range);

  self->heard++;
  if ((self->wanted > 0 && self->heard >= self->wanted) || !tool_can_output ())
    {
      self->is_over = TRUE;
      tool_quit ();
    }
}

/* What was done to a file after this was said is told. */
static void
tell_ready (Watcher *self)
{
  guint n = g_hash_table_size (self->files);

  if (self->json != NULL)
    {
      begin_json (self, g_get_real_time (), "ready");
      tool_json_add_uint (self->json, "files", n);
      tool_json_end (self->json);
    }
  else
    {
      g_printerr (ngettext ("Watching %u file; Ctrl-C ends.\n", "Watching %u files; Ctrl-C ends.\n", n), n);
    }
}

static ToolStatus
watch (Watcher *self,
       char   **paths,
       double   seconds)
{
  g_autoptr (GError) exec_error = NULL;
  ToolEnd end;

  tool_begin_main ();
  if (!watch_check_exec (self, &exec_error))
    return tool_fail (self->command, exec_error);
  for (char **path = paths; *path != NULL; path++)
    {
      g_autoptr (GError) error = NULL;

      if (!watch_add (self, *path, &error))
        return tool_fail (self->command, error);
    }

  setvbuf (stdout, NULL, _IOLBF, 0);
  tell_ready (self);
  end = tool_run_main (seconds);
  self->is_over = TRUE;

  /* What runs may finish, unless it is to be broken off. */
  while (end != TOOL_END_SIGNAL && self->n_children > 0)
    g_main_context_iteration (NULL, TRUE);
  if (self->stats != NULL)
    watch_stats_tell (self->stats, self);

  if (end == TOOL_END_TIMEOUT && self->heard < self->wanted)
    {
      g_autoptr (GError) error = NULL;

      /* Translators: how many events came, how many were to come, and how long it waited for them, in seconds. */
      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   ngettext ("%" PRId64 " of %" PRId64 " event came in %g s", "%" PRId64 " of %" PRId64 " events came in %g s",
                             (gulong) self->wanted),
                   self->heard, self->wanted, seconds);
      return tool_fail (self->command, error);
    }
  return self->has_failed ? TOOL_FAILED : TOOL_OK;
}

typedef struct
{
  gboolean as_json;
  gboolean with_stats;
  char *count;
  char *exec;
  char *settle;
  char *timeout;
  double timeout_seconds;
} Options;

static gboolean
take_options (Watcher *self,
              Options *options)
{
  g_autoptr (GError) error = NULL;

  options->timeout_seconds = -1;
  self->settle_seconds = -1;
  if ((options->count != NULL && !tool_parse_count (self->command, "--count", options->count, &self->wanted)) ||
      (options->timeout != NULL && !tool_parse_seconds (self->command, "--timeout", options->timeout, &options->timeout_seconds)) ||
      (options->settle != NULL && !tool_parse_seconds (self->command, "--settle", options->settle, &self->settle_seconds)))
    return FALSE;
  if (options->exec != NULL && !g_shell_parse_argv (options->exec, NULL, &self->exec, &error))
    {
      tool_complain (self->command, "--exec: %s", error->message);
      return FALSE;
    }
  if (self->exec != NULL && self->settle_seconds < 0)
    self->settle_seconds = DEFAULT_SETTLE_SECONDS;
  if (options->as_json)
    self->json = g_string_new (NULL);
  if (options->with_stats)
    self->stats = watch_stats_new ();
  return TRUE;
}

static ToolStatus
run (const ToolCommand *command,
     char            ***arguments)
{
  Watcher self = { .command = command };
  Options options = { 0 };
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options.as_json, N_("One JSON object a line"), NULL },
    { "locate", 'l', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &self.locate, N_("Find out which bytes changed, and show them"), NULL },
    { "lease", 'L', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &self.lease,
      N_("Have who wants to write to a file wait until that has been said"), NULL },
    { "settle", 's', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options.settle,
      N_("Also say when a file has settled: when nothing has changed for as long"), N_("SECONDS") },
    { "exec", 'e', G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME, &options.exec,
      N_("When a file has settled, run a command, with its path for {}"), N_("COMMAND") },
    { "stats", 'S', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &options.with_stats,
      N_("At the end, say how many events came, how fast, and what was lost"), NULL },
    { "count", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options.count, N_("End after as many events"), N_("N") },
    { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &options.timeout, N_("End after as many seconds"), N_("SECONDS") },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (tool_parse (command, entries, arguments) && take_options (&self, &options) && tool_check_files (command, files))
    status = watch (&self, files, options.timeout_seconds);

  watch_clear_files (&self);
  g_clear_pointer (&self.stats, watch_stats_free);
  g_strfreev (self.exec);
  if (self.json != NULL)
    g_string_free (self.json, TRUE);
  g_free (options.count);
  g_free (options.exec);
  g_free (options.settle);
  g_free (options.timeout);
  return status;
}

const ToolCommand tool_watch = {
  .name = "watch",
  .arguments = N_("FILE…"),
  .summary = N_("Say what happens to files, as it happens"),
  /* Translators: the names of the events and of the options stay as they are. */
  .description = N_("A quoted pattern, as 'logs/*.log', stands for the files of a folder that match it, also those that come later.\n"
                    "Events: changed (content or size, with the offset and the length if they are known, else the whole file), metadata, "
                    "removed, replaced (another file stands at the path now, as after an editor's save), created (of a pattern), "
                    "settled (nothing has changed for a while, with --settle or --exec).\n"
                    "With --json the first line is an event “ready”, which --count does not count: whatever is done to a file after "
                    "it is told. Without it standard error says so.\n"
                    "Ctrl-C ends with exit status 0. So does --timeout, unless --count was given and as many events did not come."),
  .run = run,
};
