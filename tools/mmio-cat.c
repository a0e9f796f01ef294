/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio cat: from the mapping to standard output, without a copy of the file in between.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "mmio-tool.h"

/* What one view shows: large enough that its making doesn't count, and small against any memory. */
#define CHUNK_BYTES (4 * 1024 * 1024)

typedef enum
{
  WRITTEN,
  READER_GONE,
  FAILED
} Outcome;

static Outcome
write_all (MmioFile     *file,
           MmioView     *view,
           GError      **error)
{
  gsize length, done = 0;
  const char *data = mmio_view_get_data (view, &length);

  while (done < length)
    {
      gssize n = write (STDOUT_FILENO, data + done, length - done);

      if (n >= 0)
        {
          done += (gsize) n;
          continue;
        }
      if (errno == EINTR)
        continue;
      if (errno == EPIPE)
        return READER_GONE;
      if (errno == EFAULT)
        {
          char byte;

          /* The kernel met the end of a file that was truncated, where it raises no SIGBUS: reading says so. */
          if (!mmio_file_read (file, mmio_view_get_offset (view) + done, &byte, 1, error))
            return FAILED;
          continue;
        }

      g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (errno), _("standard output: %s"), g_strerror (errno));
      return FAILED;
    }

  return mmio_view_check (view, error) ? WRITTEN : FAILED;
}

/* length_text: NULL for "to the end" */
static Outcome
copy (const char *path,
      guint64     offset,
      gboolean    to_end,
      guint64     length,
      GError    **error)
{
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_ONLY, error);
  guint64 size;

  if (file == NULL)
    return FAILED;

  size = mmio_file_get_size (file);
  if (to_end)
    length = offset <= size ? size - offset : 0;

  /* All of it is checked before the first byte goes out. */
  if (offset > size || length > size - offset)
    {
      mmio_file_peek (file, offset, length <= G_MAXSIZE ? (gsize) length : G_MAXSIZE, error);
      return FAILED;
    }

  while (length > 0)
    {
      gsize n = (gsize) MIN (length, CHUNK_BYTES);
      g_autoptr (MmioView) view = mmio_file_get_view (file, offset, n, error);
      Outcome outcome;

      if (view == NULL)
        return FAILED;
      outcome = write_all (file, view, error);
      if (outcome != WRITTEN)
        return outcome;
      offset += n;
      length -= n;
    }
  return WRITTEN;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  g_autofree char *offset_text = NULL;
  g_autofree char *length_text = NULL;
  g_auto (GStrv) files = NULL;
  guint64 offset = 0, length = 0;
  ToolStatus status = TOOL_OK;
  const GOptionEntry entries[] = {
    { "offset", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &offset_text, N_("Where to begin in each file"), N_("BYTES") },
    { "length", 'l', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &length_text, N_("How much of each file (default: to its end)"),
      N_("BYTES") },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) ||
      (offset_text != NULL && !tool_parse_bytes (self, "--offset", offset_text, &offset)) ||
      (length_text != NULL && !tool_parse_bytes (self, "--length", length_text, &length)) ||
      !tool_check_files (self, files))
    return TOOL_USAGE;

  for (char **path = files; *path != NULL; path++)
    {
      g_autoptr (GError) error = NULL;
      Outcome outcome = copy (*path, offset, length_text == NULL, length, &error);

      if (outcome == READER_GONE)
        break;
      if (outcome == FAILED)
        status = tool_fail (self, error);
    }
  return status;
}

const ToolCommand tool_cat = {
  .name = "cat",
  .arguments = N_("FILE…"),
  .summary = N_("Write files, or a range of them, to standard output"),
  .description = N_("BYTES may be hexadecimal (0x…) and have a suffix: K, M, G, T, P or E for powers of 1024, KB, MB, … of 1000.\n"
                    "A range that isn't inside the file is an error, and nothing of that file is written."),
  .run = run,
};
