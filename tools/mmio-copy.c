/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio copy: a range of one file to another, or to another place in the same one.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>

#include "mmio-tool.h"

/* Of most file systems; where it is another, more or less of the holes is kept. */
#define BLOCK 4096

typedef struct
{
  ToolRange range;              /* in the source */
  guint64 to;
  gboolean grow;
  gboolean create;
  MmioFile *target;
  guint64 old_size;             /* of the target, in bytes; behind it are zeros */
} Copy;

static gboolean
is_same_file (MmioFile *a,
              MmioFile *b)
{
  struct stat state_a, state_b;

  return fstat (mmio_file_get_fd (a), &state_a) == 0 && fstat (mmio_file_get_fd (b), &state_b) == 0 &&
         state_a.st_dev == state_b.st_dev && state_a.st_ino == state_b.st_ino;
}

/* Is it something else than what the target has there after its growth? */
static gboolean
is_wanted (const Copy   *self,
           guint64       to,
           const guint8 *bytes,
           gsize         length)
{
  return to < self->old_size || bytes[0] != 0 || memcmp (bytes, bytes + 1, length - 1) != 0;
}

/* What is a hole in the source stays one, and a block of zeros becomes one, where the target has grown. */
static gboolean
write_piece (MmioFile     *file,
             guint64       offset,
             gconstpointer data,
             gsize         length,
             gpointer      user_data,
             GError      **error)
{
  const Copy *self = user_data;
  const guint64 to = self->to + (offset - self->range.offset);
  const guint8 *bytes = data;
  gsize start = 0;              /* of what has to be written */

  for (gsize at = 0, n; at < length; at += n)
    {
      n = MIN ((gsize) (BLOCK - (to + at) % BLOCK), length - at);
      if (!is_wanted (self, to + at, bytes + at, n))
        {
          if (start < at && !mmio_file_write (self->target, to + start, bytes + start, at - start, error))
            return FALSE;
          start = at + n;
        }
    }
  return start == length || mmio_file_write (self->target, to + start, bytes + start, length - start, error);
}

static gboolean
copy_to (Copy     *self,
         MmioFile *target,
         MmioFile *source,
         guint64   from,
         guint64   length,
         GError  **error)
{
  guint64 end, size = mmio_file_get_size (target);

  if (!g_uint64_checked_add (&end, self->to, length) || (end > size && !self->grow))
    {
      /* The library's own words */
      mmio_file_peek (target, self->to, (gsize) MIN (length, G_MAXSIZE), error);
      if (!self->grow)
        tool_suggest_growth (error);
      return FALSE;
    }
  if (end > size && !mmio_file_resize (target, end, error))
    return FALSE;

  self->target = target;
  self->old_size = size;
  if (is_same_file (source, target))
    {
      if (!mmio_file_move (target, self->to, from, length, error))
        return FALSE;
    }
  else if (!tool_for_each_piece (source, from, length, write_piece, self, error))
    {
      return FALSE;
    }
  return mmio_file_flush (target, error);
}

static gboolean
copy (Copy       *self,
      const char *source_path,
      const char *target_path,
      GError    **error)
{
  g_autoptr (MmioFile) source = mmio_file_open (source_path, MMIO_MODE_READ_ONLY, error);
  g_autoptr (MmioFile) target = NULL;
  gboolean created = FALSE;
  guint64 from, length;

  if (source == NULL || !tool_resolve_range (&self->range, source, &from, &length, error))
    return FALSE;

  target = self->create ? tool_open_or_create (target_path, &created, error) : mmio_file_open (target_path, MMIO_MODE_READ_WRITE, error);
  if (target == NULL)
    {
      tool_suggest_creation (target_path, error);
      return FALSE;
    }
  if (copy_to (self, target, source, from, length, error))
    return mmio_file_close (target, error);

  if (created)
    tool_remove_created (target, error);
  return FALSE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  Copy command = { .range = TOOL_RANGE_INIT };
  g_autofree char *to_text = NULL;
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    { "from", 'f', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &command.range.offset_text, N_("Where to begin in the source (default: 0)"),
      N_("BYTES") },
    { "to", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &to_text, N_("Where to begin in the target (default: 0)"), N_("BYTES") },
    { "length", 'l', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &command.range.length_text,
      N_("How much (default: to the end of the source)"), N_("BYTES") },
    { "grow", 'g', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &command.grow, N_("Let the target grow where the range goes past its end"),
      NULL },
    { "create", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &command.create, N_("Make the target if there is none, and let it grow"),
      NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (tool_parse (self, entries, arguments) &&
      (command.range.offset_text == NULL || tool_parse_bytes (self, "--from", command.range.offset_text, &command.range.offset)) &&
      (command.range.length_text == NULL || tool_parse_bytes (self, "--length", command.range.length_text, &command.range.length)) &&
      (to_text == NULL || tool_parse_bytes (self, "--to", to_text, &command.to)) && tool_check_files (self, files))
    {
      g_autoptr (GError) error = NULL;

      command.grow = command.grow || command.create;
      if (files[1] == NULL || files[2] != NULL)
        tool_complain (self, _("a source and a target are needed"));
      else
        status = copy (&command, files[0], files[1], &error) ? TOOL_OK : tool_fail (self, error);
    }
  tool_clear_range (&command.range);
  return status;
}

const ToolCommand tool_copy = {
  .name = "copy",
  .arguments = N_("SOURCE TARGET"),
  .summary = N_("Copy a range of a file into another file, or to another place in the same one"),
  .description = N_("Both may be the same file, and the ranges may overlap. The target is changed in its place and flushed; it never gets "
                    "shorter, and grows only with --grow or --create."),
  .takes_bytes = TRUE,
  .run = run,
};
