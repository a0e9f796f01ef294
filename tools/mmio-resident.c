/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio resident: how much of a file is in memory, and where.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <unistd.h>

#include "mmio-tool.h"

#define BAR_CELLS 40

typedef struct
{
  gboolean as_json;
  int name_width;
  guint n_files;
  guint64 size, resident;       /* of all */
} Resident;

typedef enum
{
  NONE,
  SOME,
  ALL
} Share;

static Share
get_share (guint64 resident,
           guint64 length)
{
  if (resident >= length)
    return ALL;
  return resident > 0 ? SOME : NONE;
}

/* Each cell stands for as many whole pages, or, where there are fewer pages than cells, each page for several cells. */
static gboolean
make_bar (MmioFile *file,
          GString  *bar,
          GError  **error)
{
  static const char *const letters[] = { "·", "▒", "█" }, *const ascii_letters[] = { ".", "+", "#" };
  const char *const *set = g_get_charset (NULL) ? letters : ascii_letters;
  guint64 size = mmio_file_get_size (file);
  guint64 page = (guint64) sysconf (_SC_PAGESIZE);
  guint64 n_pages = (size + page - 1) / page;

  for (guint i = 0; i < BAR_CELLS && n_pages > 0; i++)
    {
      guint64 first = n_pages / BAR_CELLS * i + n_pages % BAR_CELLS * i / BAR_CELLS;
      guint64 next = n_pages / BAR_CELLS * (i + 1) + n_pages % BAR_CELLS * (i + 1) / BAR_CELLS;
      guint64 offset = first * page;
      guint64 length = MIN (MAX (next, first + 1) * page, size) - offset;
      guint64 resident;

      if (!mmio_file_get_resident_bytes (file, offset, length, &resident, error))
        return FALSE;
      g_string_append (bar, set[get_share (resident, length)]);
    }
  if (n_pages == 0)
    g_string_append_printf (bar, "%*s", BAR_CELLS, "");
  return TRUE;
}

static void
print_row (Resident   *self,
           const char *name,
           const char *bar,
           guint64     resident,
           guint64     size)
{
  g_autofree char *some = tool_format_bytes (resident);
  g_autofree char *all = tool_format_bytes (size);
  int padding = (int) MAX (0, self->name_width - tool_get_width (name));
  double percent = size > 0 ? 100.0 * (double) resident / (double) size : 0;

  tool_print ("%s%*s  %s  %5.1f %%  %s / %s\n", name, padding, "", bar, percent, some, all);
}

static gboolean
show (MmioFile *file,
      gpointer  user_data,
      GError  **error)
{
  Resident *self = user_data;
  g_autofree char *name = tool_display_name (mmio_file_get_path (file));
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 size = mmio_file_get_size (file), resident;

  if (!mmio_file_get_resident_bytes (file, 0, size, &resident, error))
    return FALSE;

  self->n_files++;
  self->size += size;
  self->resident += resident;
  if (self->as_json)
    {
      tool_json_begin (text);
      tool_json_add_path (text, "file", mmio_file_get_path (file));
      tool_json_add_uint (text, "size", size);
      tool_json_add_uint (text, "resident", resident);
      tool_json_end (text);
      return TRUE;
    }

  if (!make_bar (file, text, error))
    return FALSE;
  print_row (self, name, text->str, resident, size);
  return TRUE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  Resident command = { 0 };
  g_auto (GStrv) files = NULL;
  ToolStatus status;
  const GOptionEntry entries[] = {
    { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &command.as_json, N_("One JSON object a line"), NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) || !tool_check_files (self, files))
    return TOOL_USAGE;

  for (char **path = files; *path != NULL; path++)
    {
      g_autofree char *name = tool_display_name (*path);

      command.name_width = MAX (command.name_width, tool_get_width (name));
    }
  status = tool_for_each_file (self, files, show, &command);

  if (command.n_files > 1 && !command.as_json)
    {
      g_autofree char *blank = g_strnfill (BAR_CELLS, ' ');

      /* Translators: in the last line of a table: all files together */
      print_row (&command, _("all"), blank, command.resident, command.size);
    }
  return status;
}

const ToolCommand tool_resident = {
  .name = "resident",
  .arguments = N_("FILE…"),
  .summary = N_("Show how much of files is in memory, and where"),
  .description = N_("The bar is the file from its beginning to its end: █ is in memory, ▒ in part, · is not. (#, + and . where the "
                    "terminal isn't UTF-8.)"),
  .run = run,
};
