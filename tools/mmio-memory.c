/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio prefetch, evict and lock: what of a file is held in memory.
 */
#include "config.h"

#include <glib/gi18n.h>

#include "mmio-tool.h"

typedef struct
{
  ToolRange range;
  gboolean wait;
  GPtrArray *locked;            /* of MmioFile */
  guint64 n_locked;             /* bytes */
} Memory;

static gboolean
prefetch (MmioFile *file,
          gpointer  user_data,
          GError  **error)
{
  Memory *self = user_data;
  guint64 offset, length;

  return tool_resolve_range (&self->range, file, &offset, &length, error) &&
         (self->wait ? mmio_file_touch : mmio_file_prefetch) (file, offset, length, error);
}

static gboolean
evict (MmioFile *file,
       gpointer  user_data,
       GError  **error)
{
  Memory *self = user_data;
  guint64 offset, length;

  return tool_resolve_range (&self->range, file, &offset, &length, error) && mmio_file_evict (file, offset, length, error);
}

static gboolean
lock (MmioFile *file,
      gpointer  user_data,
      GError  **error)
{
  Memory *self = user_data;
  guint64 offset, length;

  if (!tool_resolve_range (&self->range, file, &offset, &length, error) || !mmio_file_lock_memory (file, offset, length, error))
    return FALSE;

  g_ptr_array_add (self->locked, g_object_ref (file));
  self->n_locked += length;
  return TRUE;
}

static ToolStatus
run_prefetch (const ToolCommand *self,
              char            ***arguments)
{
  Memory memory = { .range = TOOL_RANGE_INIT };
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    TOOL_RANGE_ENTRIES (&memory.range),
    { "wait", 'w', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &memory.wait, N_("Wait until all of it is read"), NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (tool_parse (self, entries, arguments) && tool_parse_range (self, &memory.range) && tool_check_files (self, files))
    status = tool_for_each_file (self, files, prefetch, &memory);
  tool_clear_range (&memory.range);
  return status;
}

static ToolStatus
run_evict (const ToolCommand *self,
           char            ***arguments)
{
  Memory memory = { .range = TOOL_RANGE_INIT };
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    TOOL_RANGE_ENTRIES (&memory.range),
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (tool_parse (self, entries, arguments) && tool_parse_range (self, &memory.range) && tool_check_files (self, files))
    status = tool_for_each_file (self, files, evict, &memory);
  tool_clear_range (&memory.range);
  return status;
}

static ToolStatus
hold (const ToolCommand *self,
      Memory            *memory,
      char             **files,
      double             seconds)
{
  g_autofree char *amount = NULL;
  ToolStatus status;

  tool_begin_main ();
  memory->locked = g_ptr_array_new_with_free_func (g_object_unref);
  status = tool_for_each_file (self, files, lock, memory);
  if (status == TOOL_OK)
    {
      amount = tool_format_bytes (memory->n_locked);
      /* Translators: %s is an amount, as “4.0 MiB”. */
      g_printerr (_("%s locked in memory; Ctrl-C ends.\n"), amount);
      tool_run_main (seconds);
    }
  g_ptr_array_unref (memory->locked);
  return status;
}

static ToolStatus
run_lock (const ToolCommand *self,
          char            ***arguments)
{
  Memory memory = { .range = TOOL_RANGE_INIT };
  g_autofree char *timeout_text = NULL;
  double seconds = -1;
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_USAGE;
  const GOptionEntry entries[] = {
    TOOL_RANGE_ENTRIES (&memory.range),
    { "timeout", 't', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &timeout_text, N_("End after as many seconds"), N_("SECONDS") },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (tool_parse (self, entries, arguments) && tool_parse_range (self, &memory.range) &&
      (timeout_text == NULL || tool_parse_seconds (self, "--timeout", timeout_text, &seconds)) && tool_check_files (self, files))
    status = hold (self, &memory, files, seconds);
  tool_clear_range (&memory.range);
  return status;
}

const ToolCommand tool_prefetch = {
  .name = "prefetch",
  .arguments = N_("FILE…"),
  .summary = N_("Have files, or a range of them, read into memory"),
  .description = N_("Ends at once, while the system reads; with --wait, when it has read. “mmio resident” says what is there."),
  .takes_bytes = TRUE,
  .run = run_prefetch,
};

const ToolCommand tool_evict = {
  .name = "evict",
  .arguments = N_("FILE…"),
  .summary = N_("Have files, or a range of them, dropped from memory"),
  .description = N_("Nothing is lost: what isn't on the disk yet stays in memory, and so does what somebody has mapped or locked."),
  .takes_bytes = TRUE,
  .run = run_evict,
};

const ToolCommand tool_lock = {
  .name = "lock",
  .arguments = N_("FILE…"),
  .summary = N_("Keep files, or a range of them, in memory until Ctrl-C"),
  .description = N_("How much may be locked is limited: see “ulimit -l”. Standard error says when all of it is locked."),
  .takes_bytes = TRUE,
  .run = run_lock,
};
