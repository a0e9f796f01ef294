/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which files `mmio watch` watches: those it was given, and those that match a pattern, now or later.
 */
#include "config.h"

#include <fnmatch.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "mmio-watch.h"

/* The folder is read anew this often, should the system have lost an event. */
#define RESCAN_MS 2000

typedef struct
{
  Watcher *watcher;
  char *folder;                 /* as it is to be opened */
  char *prefix;                 /* what stands before a name in the paths that are told */
  char *pattern;
  GHashTable *refused;          /* names of which an error was told */
  GFileMonitor *monitor;
  guint rescan;
} WatchPattern;

static void
free_watched (gpointer data)
{
  Watched *self = data;

  if (self->file != NULL)
    g_signal_handlers_disconnect_by_data (self->file, self);
  g_clear_object (&self->file);
  g_free (self->path);
  g_free (self->name);
  g_free (self);
}

static void
free_pattern (gpointer data)
{
  WatchPattern *self = data;

  g_clear_handle_id (&self->rescan, g_source_remove);
  if (self->monitor != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->monitor, self);
      g_file_monitor_cancel (self->monitor);
    }
  g_clear_object (&self->monitor);
  g_free (self->folder);
  g_free (self->prefix);
  g_free (self->pattern);
  g_clear_pointer (&self->refused, g_hash_table_unref);
  g_free (self);
}

/* One file */

static void
on_changed (MmioFile *file,
            guint64   offset,
            guint64   length,
            gpointer  user_data)
{
  const guint64 range[] = { offset, length };

  watch_tell (user_data, "changed", range);
}

static void
on_about_to_change (MmioFile *file,
                    gpointer  user_data)
{
  watch_tell (user_data, "about-to-change", NULL);
}

static void
on_metadata (MmioFile *file,
             gpointer  user_data)
{
  watch_tell (user_data, "metadata", NULL);
}

static void
on_replaced (MmioFile *file,
             gpointer  user_data)
{
  watch_tell (user_data, "replaced", NULL);
}

static void
on_settled (MmioFile *file,
            gpointer  user_data)
{
  watch_tell (user_data, "settled", NULL);
  watch_exec (user_data);
}

static void check_name (WatchPattern *self,
                        const char   *name);

static gboolean
on_forget (gpointer user_data)
{
  Watched *watched = user_data;
  Watcher *self = watched->watcher;
  g_autofree char *path = g_strdup (watched->path);

  g_hash_table_remove (self->files, path);
  for (guint i = 0; i < self->patterns->len; i++)
    {
      WatchPattern *pattern = g_ptr_array_index (self->patterns, i);

      /* it may have been made again meanwhile */
      if (g_str_has_prefix (path, pattern->prefix))
        check_name (pattern, path + strlen (pattern->prefix));
    }
  return G_SOURCE_REMOVE;
}

void
watch_forget (Watched *watched)
{
  watched->is_gone = TRUE;
  if (!watched->is_running)
    g_idle_add (on_forget, watched);
}

static void
on_removed (MmioFile *file,
            gpointer  user_data)
{
  Watched *watched = user_data;

  /* before anybody knows and makes it again: that would be heard here as well */
  if (watched->is_from_pattern)
    mmio_file_unwatch (file);
  watch_tell (watched, "removed", NULL);
  if (watched->is_from_pattern && !watched->is_gone)
    watch_forget (watched);
}

/* is_new: somebody may be writing it still. */
static Watched *
add_file (Watcher    *self,
          const char *path,
          gboolean    is_new,
          GError    **error)
{
  g_autoptr (MmioFile) file = NULL;
  MmioWatchFlags flags = (self->locate ? MMIO_WATCH_FLAGS_LOCATE | MMIO_WATCH_FLAGS_RELOAD : MMIO_WATCH_FLAGS_NONE) |
                         (self->lease ? MMIO_WATCH_FLAGS_LEASE : MMIO_WATCH_FLAGS_NONE) |
                         (is_new ? MMIO_WATCH_FLAGS_SETTLE : MMIO_WATCH_FLAGS_NONE);
  Watched *watched;

  file = g_initable_new (MMIO_TYPE_FILE, NULL, error, "path", path, "follow", self->locate, NULL);
  if (file == NULL)
    return NULL;

  watched = g_new0 (Watched, 1);
  watched->watcher = self;
  watched->path = g_strdup (path);
  watched->name = tool_display_name (path);
  watched->file = g_steal_pointer (&file);
  g_hash_table_insert (self->files, watched->path, watched);
  self->name_width = MAX (self->name_width, tool_get_width (watched->name));

  g_signal_connect (watched->file, "changed", G_CALLBACK (on_changed), watched);
  g_signal_connect (watched->file, "about-to-change", G_CALLBACK (on_about_to_change), watched);
  g_signal_connect (watched->file, "metadata", G_CALLBACK (on_metadata), watched);
  g_signal_connect (watched->file, "removed", G_CALLBACK (on_removed), watched);
  g_signal_connect (watched->file, "replaced", G_CALLBACK (on_replaced), watched);
  if (self->settle_seconds >= 0)
    {
      g_object_set (watched->file, "settle-time", (guint) MIN (self->settle_seconds * 1000, G_MAXINT), NULL);
      g_signal_connect (watched->file, "settled", G_CALLBACK (on_settled), watched);
    }
  if (self->stats != NULL)
    watch_stats_start (self->stats, watched);
  if (mmio_file_watch (watched->file, flags, NULL, error))
    return watched;

  g_hash_table_remove (self->files, path);
  return NULL;
}

/* Patterns */

/* NULL where there is nothing to watch by that name, or where it is watched already. */
static Watched *
add_name (WatchPattern *self,
          const char   *name,
          gboolean      is_new)
{
  g_autofree char *path = g_strconcat (self->prefix, name, NULL);
  g_autoptr (GError) error = NULL;
  Watched *watched;
  GStatBuf state;

  if (fnmatch (self->pattern, name, FNM_PERIOD) != 0 || g_hash_table_contains (self->watcher->files, path) ||
      g_stat (path, &state) != 0 || !S_ISREG (state.st_mode))
    return NULL;

  watched = add_file (self->watcher, path, is_new, &error);
  if (watched != NULL)
    {
      watched->is_from_pattern = TRUE;
      g_hash_table_remove (self->refused, name);
      return watched;
    }

  /* it may be gone again */
  if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) && g_hash_table_add (self->refused, g_strdup (name)))
    tool_fail (self->watcher->command, error);
  return NULL;
}

static void
check_name (WatchPattern *self,
            const char   *name)
{
  Watched *watched = self->watcher->is_over ? NULL : add_name (self, name, TRUE);

  if (watched != NULL)
    watch_tell (watched, "created", NULL);
}

static void
on_folder_event (GFileMonitor     *monitor,
                 GFile            *file,
                 GFile            *other_file,
                 GFileMonitorEvent event,
                 gpointer          user_data)
{
  WatchPattern *self = user_data;
  GFile *where = event == G_FILE_MONITOR_EVENT_RENAMED ? other_file : file;
  g_autofree char *name = g_file_get_basename (where);

  if (event == G_FILE_MONITOR_EVENT_CREATED || event == G_FILE_MONITOR_EVENT_MOVED_IN || event == G_FILE_MONITOR_EVENT_RENAMED)
    check_name (self, name);
}

static gboolean
scan (WatchPattern *self,
      gboolean      is_first,
      GError      **error)
{
  g_autoptr (GDir) folder = g_dir_open (self->folder, 0, error);
  const char *name;

  if (folder == NULL)
    return FALSE;

  while ((name = g_dir_read_name (folder)) != NULL)
    {
      if (is_first)
        add_name (self, name, FALSE);
      else
        check_name (self, name);
    }
  return TRUE;
}

static gboolean
on_rescan (gpointer user_data)
{
  scan (user_data, FALSE, NULL);
  return G_SOURCE_CONTINUE;
}

static gboolean
add_pattern (Watcher    *self,
             const char *path,
             GError    **error)
{
  WatchPattern *pattern = g_new0 (WatchPattern, 1);
  const char *slash = strrchr (path, '/');
  g_autoptr (GFile) folder = NULL;

  g_ptr_array_add (self->patterns, pattern);
  pattern->watcher = self;
  pattern->refused = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  pattern->prefix = slash != NULL ? g_strndup (path, (gsize) (slash - path) + 1) : g_strdup ("");
  pattern->folder = g_strdup (slash != NULL ? pattern->prefix : ".");
  pattern->pattern = g_strdup (slash != NULL ? slash + 1 : path);

  /* Before the first scan, so that nothing comes between them. */
  folder = g_file_new_for_path (pattern->folder);
  pattern->monitor = g_file_monitor_directory (folder, G_FILE_MONITOR_WATCH_MOVES, NULL, error);
  if (pattern->monitor == NULL)
    return FALSE;
  g_file_monitor_set_rate_limit (pattern->monitor, 0);
  g_signal_connect (pattern->monitor, "changed", G_CALLBACK (on_folder_event), pattern);
  pattern->rescan = g_timeout_add (RESCAN_MS, on_rescan, pattern);
  return scan (pattern, TRUE, error);
}

static gboolean
is_pattern (const char *path)
{
  const char *slash = strrchr (path, '/');
  GStatBuf state;

  return strpbrk (slash != NULL ? slash + 1 : path, "*?[") != NULL && g_lstat (path, &state) != 0;
}

/* Each file takes some descriptors, and there may be thousands. */
static void
raise_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max)
    {
      limit.rlim_cur = limit.rlim_max;
      setrlimit (RLIMIT_NOFILE, &limit);
    }
}

gboolean
watch_add (Watcher    *self,
           const char *path_or_pattern,
           GError    **error)
{
  if (self->files == NULL)
    {
      raise_limit ();
      self->files = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, free_watched);
      self->patterns = g_ptr_array_new_with_free_func (free_pattern);
    }

  if (is_pattern (path_or_pattern))
    return add_pattern (self, path_or_pattern, error);
  return g_hash_table_contains (self->files, path_or_pattern) || add_file (self, path_or_pattern, FALSE, error) != NULL;
}

void
watch_clear_files (Watcher *self)
{
  g_clear_pointer (&self->patterns, g_ptr_array_unref);
  g_clear_pointer (&self->files, g_hash_table_unref);
}
