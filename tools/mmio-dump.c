/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio dump: what stands in a file, byte by byte.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#include "mmio-tool.h"

typedef struct
{
  ToolRange range;
  ToolHex hex;
  gboolean all_lines;
  gboolean with_names;
  gboolean is_first;
} Dump;

static gboolean
dump_piece (MmioFile     *file,
            guint64       offset,
            gconstpointer data,
            gsize         length,
            gpointer      user_data,
            GError      **error)
{
  tool_print_hex (user_data, offset, data, length);
  return tool_can_output ();
}

static gboolean
dump (MmioFile *file,
      gpointer  user_data,
      GError  **error)
{
  Dump *self = user_data;
  ToolHex hex = { .all_lines = self->all_lines };
  g_autoptr (GError) local_error = NULL;
  guint64 offset, length;

  if (!tool_resolve_range (&self->range, file, &offset, &length, error))
    return FALSE;

  if (self->with_names)
    {
      g_autofree char *name = tool_display_name (mmio_file_get_path (file));

      tool_print ("%s%s:\n", self->is_first ? "" : "\n", name);
      self->is_first = FALSE;
    }
  if (!tool_for_each_piece (file, offset, length, dump_piece, &hex, &local_error) && local_error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&local_error));
      return FALSE;
    }
  tool_print ("%08" PRIx64 "\n", offset + length);
  return TRUE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  Dump command = { .range = TOOL_RANGE_INIT, .is_first = TRUE };
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    TOOL_RANGE_ENTRIES (&command.range),
    { "all", 'a', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &command.all_lines, N_("Every line, also those that are like the one before"),
      NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (tool_parse (self, entries, arguments) && tool_parse_range (self, &command.range) && tool_check_files (self, files))
    {
      command.with_names = files[1] != NULL;
      status = tool_for_each_file (self, files, dump, &command);
    }
  tool_clear_range (&command.range);
  return status;
}

const ToolCommand tool_dump = {
  .name = "dump",
  .arguments = N_("FILE…"),
  .summary = N_("Show files, or a range of them, in hexadecimal and as text"),
  .description = N_("A line that is like the one before it, and all such lines after it, are shown as one *. The last line is where the "
                    "range ends."),
  .takes_bytes = TRUE,
  .run = run,
};
