/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio counter: a 64-bit number in a file that any number of processes add to.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>

#include "mmio-tool.h"

typedef struct
{
  guint64 offset;
  gboolean create;
  gboolean has_addend;
  gboolean is_negative;
  guint64 addend;               /* its absolute value */
} Counter;

/* At most 64 bits, with a sign or without one. */
static gboolean
parse_addend (const ToolCommand *command,
              Counter           *self,
              const char        *text)
{
  const char *digits = text[0] == '-' || text[0] == '+' ? text + 1 : text;
  char *end = NULL;

  self->is_negative = text[0] == '-';
  if (g_ascii_isdigit (digits[0]))
    {
      errno = 0;
      self->addend = g_ascii_strtoull (digits, &end, 10);
      if (*end == '\0')
        return errno == 0 || tool_complain_of_size (command, "--add", text);
    }

  tool_complain (command, _("--add: “%s” is no number"), text);
  return FALSE;
}

static gboolean
count (const Counter *self,
       const char    *path,
       guint64       *value,
       GError       **error)
{
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (MmioAtomicU64) number = NULL;

  if (self->create)
    file = mmio_file_open_or_create (path, self->offset + sizeof *value, error);
  else
    file = mmio_file_open (path, self->has_addend ? MMIO_MODE_READ_WRITE : MMIO_MODE_READ_ONLY, error);
  if (file == NULL)
    {
      tool_suggest_creation (path, error);
      return FALSE;
    }

  number = mmio_file_get_atomic_u64 (file, self->offset, 1, error);
  if (number == NULL)
    return FALSE;

  if (!self->has_addend)
    *value = mmio_atomic_u64_load (number, 0);
  else if (self->is_negative)
    *value = mmio_atomic_u64_sub (number, 0, self->addend) - self->addend;
  else
    *value = mmio_atomic_u64_add (number, 0, self->addend) + self->addend;

  if (self->has_addend)
    mmio_atomic_u64_wake (number, 0, G_MAXUINT);
  return mmio_atomic_u64_check (number, error) && mmio_file_close (file, error);
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  Counter counter = { 0 };
  g_autofree char *offset_text = NULL;
  g_autofree char *addend_text = NULL;
  g_auto (GStrv) files = NULL;
  g_autoptr (GError) error = NULL;
  guint64 value = 0;
  const GOptionEntry entries[] = {
    { "offset", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &offset_text, N_("Where the counter stands: a multiple of 8 (default: 0)"),
      N_("BYTES") },
    { "add", 'a', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &addend_text, N_("Add to it; the number may be negative"),
      /* Translators: stands for a number, as in --add=N. */
      N_("N") },
    { "create", 'c', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &counter.create, N_("Make the file if there is none"), NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) ||
      (offset_text != NULL && !tool_parse_bytes (self, "--offset", offset_text, &counter.offset)) ||
      (addend_text != NULL && !parse_addend (self, &counter, addend_text)) || !tool_check_files (self, files))
    return TOOL_USAGE;
  if (files[1] != NULL)
    {
      tool_complain (self, _("a counter is in one file"));
      return TOOL_USAGE;
    }
  if (counter.create && counter.offset > G_MAXUINT64 - sizeof value)
    {
      tool_complain_of_size (self, "--offset", offset_text);
      return TOOL_USAGE;
    }
  /* Said before there is a file for it. */
  if (counter.create && counter.offset % sizeof value != 0)
    {
      tool_complain (self, _("--offset: a counter stands at a multiple of 8"));
      return TOOL_USAGE;
    }
  counter.has_addend = addend_text != NULL;

  if (!count (&counter, files[0], &value, &error))
    return tool_fail (self, error);
  tool_print ("%" PRIu64 "\n", value);
  return TOOL_OK;
}

const ToolCommand tool_counter = {
  .name = "counter",
  .arguments = N_("FILE"),
  .summary = N_("Print a counter in a file, or add to it, atomically among all processes"),
  .description = N_("The counter is 8 bytes, unsigned, in the machine's byte order, and starts over past its end. What is printed is its "
                    "value after the addition: no two processes that add 1 get the same one. Whoever waits for the counter is woken."),
  .takes_bytes = TRUE,
  .run = run,
};
