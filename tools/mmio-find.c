/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio find: where bytes stand in files.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

#include "mmio-tool.h"

typedef struct
{
  ToolRange range;
  GBytes *pattern;
  gboolean count;
  gboolean as_json;
  gboolean with_names;
  gint64 limit;                 /* matches a file */
  gboolean found;
} Find;

static void
tell (Find       *self,
      MmioFile   *file,
      const char *what,
      guint64     number)
{
  const char *path = mmio_file_get_path (file);

  if (self->as_json)
    {
      g_autoptr (GString) json = g_string_new (NULL);

      tool_json_begin (json);
      tool_json_add_path (json, "file", path);
      tool_json_add_uint (json, what, number);
      tool_json_end (json);
    }
  else if (self->with_names)
    {
      g_autofree char *name = tool_display_name (path);

      tool_print ("%s:%" PRIu64 "\n", name, number);
    }
  else
    {
      tool_print ("%" PRIu64 "\n", number);
    }
}

static gboolean
find (MmioFile *file,
      gpointer  user_data,
      GError  **error)
{
  Find *self = user_data;
  g_autoptr (GError) local_error = NULL;
  gsize pattern_length;
  gconstpointer pattern = g_bytes_get_data (self->pattern, &pattern_length);
  guint64 from, length, to, n = 0;

  if (!tool_resolve_range (&self->range, file, &from, &length, error))
    return FALSE;

  to = from + length;
  while (n < (guint64) self->limit && tool_can_output ())
    {
      gint64 offset = mmio_file_find (file, pattern, pattern_length, from, to, &local_error);

      if (offset < 0)
        break;
      n++;
      if (!self->count)
        tell (self, file, "offset", (guint64) offset);
      from = (guint64) offset + 1;
    }

  self->found = self->found || n > 0;
  if (local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  if (self->count)
    tell (self, file, "count", n);
  return TRUE;
}

/* NULL if it isn't pairs of hexadecimal digits, which may have space between them. */
static GBytes *
parse_hex (const char *text)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (const char *p = text; *p != '\0';)
    {
      guint8 byte;

      if (g_ascii_isspace (*p))
        {
          p++;
          continue;
        }
      if (!g_ascii_isxdigit (p[0]) || !g_ascii_isxdigit (p[1]))
        return NULL;
      byte = (guint8) (g_ascii_xdigit_value (p[0]) << 4 | g_ascii_xdigit_value (p[1]));
      g_byte_array_append (bytes, &byte, 1);
      p += 2;
    }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static gboolean
take_pattern (const ToolCommand *command,
              Find              *self,
              const char        *text,
              gboolean           is_hex)
{
  self->pattern = is_hex ? parse_hex (text) : g_bytes_new (text, strlen (text));
  if (self->pattern == NULL)
    {
      g_autofree char *shown = tool_display_name (text);

      tool_complain (command, _("“%s” isn't pairs of hexadecimal digits"), shown);
      return FALSE;
    }
  if (g_bytes_get_size (self->pattern) == 0)
    {
      tool_complain (command, _("the pattern is empty"));
      return FALSE;
    }
  return TRUE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  Find command = { .range = TOOL_RANGE_INIT, .limit = G_MAXINT64 };
  gboolean is_hex = FALSE;
  g_autofree char *limit_text = NULL;
  g_auto (GStrv) words = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    TOOL_RANGE_ENTRIES (&command.range),
    { "hex", 'x', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &is_hex, N_("The pattern is bytes in hexadecimal, as “de ad be ef”"), NULL },
    { "count", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &command.count, N_("How often it stands in each file, not where"), NULL },
    { "limit", 'n', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &limit_text, N_("End a file after as many matches"), N_("N") },
    { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &command.as_json, N_("One JSON object a line"), NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) || !tool_parse_range (self, &command.range) ||
      (limit_text != NULL && !tool_parse_count (self, "--limit", limit_text, &command.limit)))
    ;
  else if (words == NULL)
    tool_complain (self, _("a pattern and a file are missing"));
  else if (take_pattern (self, &command, words[0], is_hex) && tool_check_files (self, words + 1))
    {
      command.with_names = words[2] != NULL;
      status = tool_for_each_file (self, words + 1, find, &command);
      if (status == TOOL_OK && !command.found)
        status = TOOL_FAILED;
    }

  g_clear_pointer (&command.pattern, g_bytes_unref);
  tool_clear_range (&command.range);
  return status;
}

const ToolCommand tool_find = {
  .name = "find",
  .arguments = N_("PATTERN FILE…"),
  .summary = N_("Say where bytes stand in files"),
  .description = N_("A line for each match: its offset, after the file's name if there are several. Matches may overlap.\n"
                    "Where nothing is found the exit status is 1."),
  .takes_bytes = TRUE,
  .run = run,
};
