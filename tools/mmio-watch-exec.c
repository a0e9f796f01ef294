/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The command that `mmio watch --exec` runs on a file that has settled: one at a time for each file, and once more if it has
 * settled again meanwhile.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "mmio-watch.h"

static void run (Watched *watched);

static void
on_child_exit (GObject      *object,
         GAsyncResult *result,
         gpointer      user_data)
{
  Watched *watched = user_data;
  Watcher *self = watched->watcher;
  g_autoptr (GError) error = NULL;

  if (!g_subprocess_wait_check_finish (G_SUBPROCESS (object), result, &error))
    {
      g_prefix_error (&error, "%s: %s: ", watched->name, self->exec[0]);
      tool_fail (self->command, error);
    }

  watched->is_running = FALSE;
  self->n_children--;
  if (watched->is_gone)
    watch_forget (watched);
  else if (watched->is_due && !self->is_over)
    run (watched);
}

/* Each {} of each word becomes the path. */
static char **
fill_in (char      **words,
         const char *path)
{
  g_autoptr (GPtrArray) filled = g_ptr_array_new_with_free_func (g_free);

  for (char **word = words; *word != NULL; word++)
    {
      g_auto (GStrv) parts = g_strsplit (*word, "{}", -1);

      g_ptr_array_add (filled, g_strjoinv (path, parts));
    }
  g_ptr_array_add (filled, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&filled), FALSE);
}

static void
run (Watched *watched)
{
  Watcher *self = watched->watcher;
  g_auto (GStrv) words = fill_in (self->exec, watched->path);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocess) child = g_subprocess_newv ((const char *const *) words, G_SUBPROCESS_FLAGS_NONE, &error);

  watched->is_due = FALSE;
  if (child == NULL)
    {
      g_prefix_error (&error, "%s: ", watched->name);
      tool_fail (self->command, error);
      self->has_failed = TRUE;
      return;
    }

  watched->is_running = TRUE;
  self->n_children++;
  g_subprocess_wait_check_async (child, NULL, on_child_exit, watched);
}

gboolean
watch_check_exec (Watcher *self,
                  GError **error)
{
  const char *program = self->exec != NULL ? self->exec[0] : NULL;
  g_autofree char *path = NULL;
  int number;

  if (program == NULL || strstr (program, "{}") != NULL)
    return TRUE;
  path = g_find_program_in_path (program);
  if (path != NULL)
    return TRUE;

  /* What is at the path and is no program, as a folder, isn't missing. */
  number = strchr (program, '/') == NULL || access (program, F_OK) != 0 ? ENOENT : EACCES;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (number), "--exec: %s: %s", program, g_strerror (number));
  return FALSE;
}

void
watch_exec (Watched *watched)
{
  if (watched->watcher->exec == NULL)
    return;

  if (watched->is_running)
    watched->is_due = TRUE;
  else
    run (watched);
}
