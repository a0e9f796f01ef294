/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio cat: from the mapping to standard output, without a copy of the file in between.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "mmio-tool.h"

static gboolean
write_piece (MmioFile     *file,
             guint64       offset,
             gconstpointer data,
             gsize         length,
             gpointer      user_data,
             GError      **error)
{
  gsize done = 0;

  while (done < length)
    {
      gssize n = write (STDOUT_FILENO, (const char *) data + done, length - done);

      if (n >= 0)
        {
          done += (gsize) n;
        }
      else if (errno == EFAULT)
        {
          char byte;

          /* The kernel met the end of a file that was truncated, where it raises no SIGBUS: reading says so. */
          if (!mmio_file_read (file, offset + done, &byte, 1, error))
            return FALSE;
        }
      else if (errno != EINTR)
        {
          tool_fail_output (errno);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
copy (MmioFile *file,
      gpointer  user_data,
      GError  **error)
{
  g_autoptr (GError) local_error = NULL;
  guint64 offset, length;

  /* All of it is checked before the first byte goes out. */
  if (!tool_resolve_range (user_data, file, &offset, &length, error))
    return FALSE;
  if (tool_for_each_piece (file, offset, length, write_piece, NULL, &local_error) || local_error == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&local_error));
  return FALSE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  g_auto (ToolRange) range = TOOL_RANGE_INIT;
  g_auto (GStrv) files = NULL;
  const GOptionEntry entries[] = {
    TOOL_RANGE_ENTRIES (&range),
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) || !tool_parse_range (self, &range) || !tool_check_files (self, files))
    return TOOL_USAGE;

  return tool_for_each_file (self, files, copy, &range);
}

const ToolCommand tool_cat = {
  .name = "cat",
  .arguments = N_("FILE…"),
  .summary = N_("Write files, or a range of them, to standard output"),
  .description = N_("A range that isn't inside the file is an error, and nothing of that file is written."),
  .takes_bytes = TRUE,
  .run = run,
};
