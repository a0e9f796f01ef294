/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio write: from standard input into the mapping, and onto the disk.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "mmio-tool.h"

/* Up to this much input is written in one piece or, where it doesn't fit, not at all. */
#define CHUNK_BYTES (1024 * 1024)

typedef struct
{
  guint64 offset;
  gboolean append;
  gboolean grow;
  gboolean create;
} Target;

/* Reads until the buffer is full or the input ends. -1 with the error set. */
static gssize
read_chunk (char    *buffer,
            GError **error)
{
  gsize done = 0;

  while (done < CHUNK_BYTES)
    {
      gssize n = read (STDIN_FILENO, buffer + done, CHUNK_BYTES - done);

      if (n == 0)
        break;
      if (n > 0)
        {
          done += (gsize) n;
        }
      else if (errno != EINTR)
        {
          g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (errno), _("standard input: %s"), g_strerror (errno));
          return -1;
        }
    }
  return (gssize) done;
}

static gboolean
write_chunk (MmioFile     *file,
             const Target *target,
             guint64       offset,
             const char   *buffer,
             gsize         length,
             GError      **error)
{
  guint64 end;

  if (target->grow && g_uint64_checked_add (&end, offset, length) && end > mmio_file_get_size (file) &&
      !mmio_file_resize (file, end, error))
    return FALSE;
  if (mmio_file_write (file, offset, buffer, length, error))
    return TRUE;

  if (!target->grow)
    tool_suggest_growth (error);
  return FALSE;
}

/* Says how much of the input has arrived. */
static gboolean
copy_input (MmioFile     *file,
            const Target *target,
            guint64       offset,
            guint64      *done,
            GError      **error)
{
  g_autofree char *buffer = g_malloc (CHUNK_BYTES);

  for (*done = 0;;)
    {
      gssize n = read_chunk (buffer, error);

      if (n < 0 || (n > 0 && !write_chunk (file, target, offset + *done, buffer, (gsize) n, error)))
        return FALSE;
      *done += (guint64) n;
      if (n < CHUNK_BYTES)
        return mmio_file_flush (file, error);
    }
}

static gboolean
write_input (const char   *path,
             const Target *target,
             GError      **error)
{
  g_autoptr (MmioFile) file = NULL;
  gboolean created = FALSE;
  guint64 offset, done;

  file = target->create ? tool_open_or_create (path, &created, error) : mmio_file_open (path, MMIO_MODE_READ_WRITE, error);
  if (file == NULL)
    {
      tool_suggest_creation (path, error);
      return FALSE;
    }

  offset = target->append ? mmio_file_get_size (file) : target->offset;
  if (copy_input (file, target, offset, &done, error))
    return mmio_file_close (file, error);

  /* What came through a pipe is nowhere else: it stays, without the zeros of a piece that had no room any more. */
  if (created && done == 0)
    tool_remove_created (file, error);
  else if (created)
    mmio_file_resize (file, offset + done, NULL);
  return FALSE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  Target target = { 0 };
  g_autofree char *offset_text = NULL;
  g_auto (GStrv) files = NULL;
  g_autoptr (GError) error = NULL;
  const GOptionEntry entries[] = {
    { "offset", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &offset_text, N_("Where to begin in the file (default: 0)"),
      N_("BYTES") },
    { "append", 'a', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &target.append, N_("Begin at the end of the file, and let it grow"),
      NULL },
    { "grow", 'g', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &target.grow, N_("Let the file grow where the input goes past its end"),
      NULL },
    { "create", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &target.create, N_("Make the file if there is none, and let it grow"),
      NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) ||
      (offset_text != NULL && !tool_parse_bytes (self, "--offset", offset_text, &target.offset)) ||
      !tool_check_files (self, files))
    return TOOL_USAGE;
  if (files[1] != NULL)
    {
      tool_complain (self, _("only one file can take the input"));
      return TOOL_USAGE;
    }
  if (target.append && offset_text != NULL)
    {
      tool_complain (self, _("--append and --offset exclude each other"));
      return TOOL_USAGE;
    }
  target.grow = target.grow || target.append || target.create;

  return write_input (files[0], &target, &error) ? TOOL_OK : tool_fail (self, error);
}

const ToolCommand tool_write = {
  .name = "write",
  .arguments = N_("FILE"),
  .summary = N_("Write standard input into a file, through its mapping, and flush it"),
  .description = N_("When the command ends, what it wrote is on the disk and every watcher has been told.\n"
                    "The file keeps its size unless --grow, --append or --create is given: input of up to 1 MiB that would go past its "
                    "end is then not written at all, of longer input what fits into the file in pieces of 1 MiB."),
  .takes_bytes = TRUE,
  .run = run,
};
