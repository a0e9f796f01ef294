/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio watch: a line for each thing that happens to a file.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdio.h>

#include "mmio-tool.h"

typedef struct
{
  const ToolCommand *command;
  GPtrArray *files;             /* of Watched */
  GString *json;                /* NULL: text */
  gint64 wanted;                /* events after which to end; 0: none */
  gint64 heard;
  int name_width;               /* characters */
  gboolean is_over;             /* what comes now is no longer told */
} Watcher;

typedef struct
{
  Watcher *watcher;
  MmioFile *file;
  char *name;                   /* for people */
} Watched;

static void
free_watched (gpointer data)
{
  Watched *self = data;

  if (self->file != NULL)
    g_signal_handlers_disconnect_by_data (self->file, self);
  g_clear_object (&self->file);
  g_free (self->name);
  g_free (self);
}

/* Telling */

static void
tell_json (Watcher       *self,
           gint64         now,
           const char    *event,
           const char    *path,
           const guint64 *range)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (now / G_USEC_PER_SEC);
  g_autofree char *date = g_date_time_format (seconds, "%Y-%m-%dT%H:%M:%S");
  g_autofree char *time = g_strdup_printf ("%s.%06dZ", date, (int) (now % G_USEC_PER_SEC));

  tool_json_begin (self->json);
  tool_json_add_string (self->json, "time", time);
  tool_json_add_uint (self->json, "time_us", (guint64) now);
  tool_json_add_string (self->json, "event", event);
  if (path != NULL)
    tool_json_add_path (self->json, "file", path);
  if (range != NULL)
    {
      tool_json_add_uint (self->json, "offset", range[0]);
      tool_json_add_uint (self->json, "length", range[1]);
    }
  else if (path == NULL)
    {
      tool_json_add_uint (self->json, "files", self->files->len);
    }
  tool_json_end (self->json);
}

static void
tell_text (Watcher       *self,
           gint64         now,
           const char    *event,
           const char    *name,
           const guint64 *range)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_local (now / G_USEC_PER_SEC);
  g_autofree char *time = g_date_time_format (seconds, "%H:%M:%S");
  int padding = (int) MAX (0, self->name_width - g_utf8_strlen (name, -1));

  if (range != NULL)
    {
      /* Translators: time, file, event; then where the change begins and how many bytes it has. */
      tool_print (_("%s.%06d  %s%*s  %-8s  offset %" PRIu64 "  length %" PRIu64 "\n"), time,
                  (int) (now % G_USEC_PER_SEC), name, padding, "", event, range[0], range[1]);
    }
  else
    {
      tool_print ("%s.%06d  %s%*s  %s\n", time, (int) (now % G_USEC_PER_SEC), name, padding, "", event);
    }
}

/* The events' names are an interface for scripts, and not translated. range: offset and length, or NULL. */
static void
tell (Watched       *watched,
      const char    *event,
      const guint64 *range)
{
  gint64 now = g_get_real_time ();
  Watcher *self = watched->watcher;

  if (self->is_over)
    return;

  if (self->json != NULL)
    tell_json (self, now, event, mmio_file_get_path (watched->file), range);
  else
    tell_text (self, now, event, watched->name, range);

  self->heard++;
  if ((self->wanted > 0 && self->heard >= self->wanted) || !tool_can_output ())
    {
      self->is_over = TRUE;
      tool_quit ();
    }
}

static void
on_changed (MmioFile *file,
            guint64   offset,
            guint64   length,
            gpointer  user_data)
{
  const guint64 range[] = { offset, length };

  tell (user_data, "changed", range);
}

static void
on_metadata (MmioFile *file,
             gpointer  user_data)
{
  tell (user_data, "metadata", NULL);
}

static void
on_removed (MmioFile *file,
            gpointer  user_data)
{
  tell (user_data, "removed", NULL);
}

static void
on_replaced (MmioFile *file,
             gpointer  user_data)
{
  tell (user_data, "replaced", NULL);
}

/* Starting */

static gboolean
add_file (Watcher    *self,
          const char *path,
          GError    **error)
{
  Watched *watched = g_new0 (Watched, 1);

  g_ptr_array_add (self->files, watched);
  watched->watcher = self;
  watched->name = tool_display_name (path);
  self->name_width = MAX (self->name_width, (int) g_utf8_strlen (watched->name, -1));

  watched->file = mmio_file_open (path, MMIO_MODE_READ_ONLY, error);
  if (watched->file == NULL)
    return FALSE;

  g_signal_connect (watched->file, "changed", G_CALLBACK (on_changed), watched);
  g_signal_connect (watched->file, "metadata", G_CALLBACK (on_metadata), watched);
  g_signal_connect (watched->file, "removed", G_CALLBACK (on_removed), watched);
  g_signal_connect (watched->file, "replaced", G_CALLBACK (on_replaced), watched);
  return mmio_file_watch (watched->file, MMIO_WATCH_FLAGS_NONE, NULL, error);
}

/* What was done to a file after this was said is told. */
static void
tell_ready (Watcher *self)
{
  if (self->json != NULL)
    tell_json (self, g_get_real_time (), "ready", NULL, NULL);
  else
    g_printerr (ngettext ("Watching %u file; Ctrl-C ends.\n", "Watching %u files; Ctrl-C ends.\n", self->files->len),
                self->files->len);
}

static ToolStatus
watch (Watcher *self,
       char   **paths,
       double   seconds)
{
  ToolEnd end;

  tool_begin_main ();
  for (char **path = paths; *path != NULL; path++)
    {
      g_autoptr (GError) error = NULL;

      if (!add_file (self, *path, &error))
        return tool_fail (self->command, error);
    }

  setvbuf (stdout, NULL, _IOLBF, 0);
  tell_ready (self);
  end = tool_run_main (seconds);

  if (end == TOOL_END_TIMEOUT && self->heard < self->wanted)
    {
      g_autoptr (GError) error = NULL;

      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
                   _("%" PRId64 " of %" PRId64 " events came in %g seconds"), self->heard, self->wanted, seconds);
      return tool_fail (self->command, error);
    }
  return TOOL_OK;
}

static ToolStatus
run (const ToolCommand *command,
     char            ***arguments)
{
  gboolean as_json = FALSE;
  gint64 count = 0;
  double seconds = -1;
  g_autofree char *timeout_text = NULL;
  g_auto (GStrv) files = NULL;
  Watcher self = { .command = command };
  ToolStatus status;
  const GOptionEntry entries[] = {
    { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_json, N_("One JSON object a line"), NULL },
    { "count", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_INT64, &count, N_("End after as many events"), N_("N") },
    { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &timeout_text, N_("End after as many seconds"), N_("SECONDS") },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (command, entries, arguments) ||
      (timeout_text != NULL && !tool_parse_seconds (command, "--timeout", timeout_text, &seconds)) ||
      !tool_check_files (command, files))
    return TOOL_USAGE;
  if (count < 0)
    {
      tool_complain (command, _("--count: a number of events can't be negative"));
      return TOOL_USAGE;
    }

  self.wanted = count;
  self.files = g_ptr_array_new_with_free_func (free_watched);
  self.json = as_json ? g_string_new (NULL) : NULL;
  status = watch (&self, files, seconds);

  g_ptr_array_unref (self.files);
  if (self.json != NULL)
    g_string_free (self.json, TRUE);
  return status;
}

const ToolCommand tool_watch = {
  .name = "watch",
  .arguments = N_("FILE…"),
  .summary = N_("Say what happens to files, as it happens"),
  .description = N_("Events: changed (content or size, with the offset and the length if they are known, else the whole file), metadata, "
                    "removed, replaced (another file stands at the path now, as after an editor's save).\n"
                    "With --json the first line is an event “ready”, which --count does not count: whatever is done to a file after "
                    "it is told. Without it standard error says so.\n"
                    "Ctrl-C ends with exit status 0. So does --timeout, unless --count was given and as many events did not come."),
  .run = run,
};
