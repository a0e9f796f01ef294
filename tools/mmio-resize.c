/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio resize: a new size for files.
 */
#include "config.h"

#include <glib/gi18n.h>

#include "mmio-tool.h"

static gboolean
resize (const char *path,
        guint64     bytes,
        gboolean    is_growth,
        gboolean    create,
        GError    **error)
{
  g_autoptr (MmioFile) file = NULL;
  gboolean created = FALSE;
  guint64 size = bytes;

  file = create ? tool_open_or_create (path, &created, error) : mmio_file_open (path, MMIO_MODE_READ_WRITE, error);
  if (file == NULL)
    {
      tool_suggest_creation (path, error);
      return FALSE;
    }

  /* What wraps is more than any file can have; the library says so. */
  if (is_growth && !g_uint64_checked_add (&size, mmio_file_get_size (file), bytes))
    size = G_MAXUINT64;

  if (mmio_file_resize (file, size, error) && mmio_file_flush (file, error))
    return mmio_file_close (file, error);

  if (created)
    tool_remove_created (file, error);
  return FALSE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  gboolean create = FALSE, is_growth;
  g_auto (GStrv) words = NULL;
  guint64 bytes;
  ToolStatus status = TOOL_OK;
  const GOptionEntry entries[] = {
    { "create", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &create, N_("Make a file that does not exist"), NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments))
    return TOOL_USAGE;
  if (words == NULL)
    {
      tool_complain (self, _("a size and a file are missing"));
      return TOOL_USAGE;
    }
  is_growth = words[0][0] == '+';
  if (!tool_parse_bytes (self, _("SIZE"), words[0] + (is_growth ? 1 : 0), &bytes) || !tool_check_files (self, words + 1))
    return TOOL_USAGE;

  for (char **path = words + 1; *path != NULL; path++)
    {
      g_autoptr (GError) error = NULL;

      if (!resize (*path, bytes, is_growth, create, &error))
        status = tool_fail (self, error);
    }
  return status;
}

const ToolCommand tool_resize = {
  .name = "resize",
  .arguments = N_("SIZE FILE…"),
  .summary = N_("Give files a new size"),
  .description = N_("SIZE is in BYTES; with a + before it, the file grows by as much. What a file grows by reads as zeros and takes no "
                    "space on the disk until it is written to."),
  .takes_bytes = TRUE,
  .run = run,
};
