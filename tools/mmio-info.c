/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio info: what a file is.
 */
#include "config.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "mmio-tool.h"

/* st_blocks counts these, whatever the file system's block is: see stat(2). */
#define BLOCK_BYTES 512

/* of the longest label in any language */
#define LABEL_WIDTH 18

static char *
format_time (const struct timespec *time,
             GTimeZone             *zone)
{
  g_autoptr (GDateTime) seconds = g_date_time_new_from_unix_utc (time->tv_sec);
  g_autoptr (GDateTime) there = seconds != NULL ? g_date_time_to_timezone (seconds, zone) : NULL;
  g_autofree char *before = NULL;
  g_autofree char *after = NULL;

  if (there == NULL)
    return g_strdup_printf ("%" PRId64, (gint64) time->tv_sec);

  before = g_date_time_format (there, "%Y-%m-%dT%H:%M:%S");
  after = g_date_time_format (there, "%:z");
  return g_strdup_printf ("%s.%09ld%s", before, (long) time->tv_nsec, g_str_equal (after, "+00:00") ? "Z" : after);
}

/* "rw-r--r--" */
static void
format_permissions (mode_t mode,
                    char   text[10])
{
  static const char letters[] = "rwxrwxrwx";

  for (guint i = 0; i < 9; i++)
    text[i] = (mode & (0400u >> i)) != 0 ? letters[i] : '-';
  text[9] = '\0';
}

static void
print_row (const char *label,
           const char *format,
           ...) G_GNUC_PRINTF (2, 3);

static void
print_row (const char *label,
           const char *format,
           ...)
{
  g_autofree char *value = NULL;
  va_list arguments;
  int width = tool_get_width (label);

  va_start (arguments, format);
  value = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  tool_print ("  %s%*s%s\n", label, (int) MAX (1, LABEL_WIDTH - width), "", value);
}

static void
print_bytes (const char *label,
             guint64     bytes)
{
  g_autofree char *rounded = tool_format_bytes (bytes);

  if (bytes < 1024)
    print_row (label, "%" PRIu64, bytes);
  else
    print_row (label, "%" PRIu64 " (%s)", bytes, rounded);
}

/* What is told only where the system tells it */
typedef struct
{
  gboolean has_watched;
  char *backend;                /* NULL: it can't be watched */
  gboolean has_resident;
  guint64 resident;             /* bytes */
} Extras;

static void
print_text (const char        *path,
            MmioFile          *file,
            const struct stat *state,
            const Extras      *extras)
{
  g_autofree char *name = tool_display_name (path);
  g_autoptr (GTimeZone) zone = g_time_zone_new_local ();
  g_autofree char *modified = format_time (&state->st_mtim, zone);
  char permissions[10];

  format_permissions (state->st_mode, permissions);
  tool_print ("%s\n", name);
  print_bytes (_("size"), mmio_file_get_size (file));
  /* Translators: the space that the file takes there */
  print_bytes (_("on disk"), (guint64) state->st_blocks * BLOCK_BYTES);
  if (extras->has_resident)
    print_bytes (_("in memory"), extras->resident);
  /* Translators: the permissions, as “0644 rw-r--r--” */
  print_row (_("mode"), "%04o %s", (guint) state->st_mode & 07777, permissions);
  print_row (_("owner, group"), "%u, %u", (guint) state->st_uid, (guint) state->st_gid);
  print_row (_("device"), "%u:%u", major (state->st_dev), minor (state->st_dev));
  print_row (_("inode"), "%" PRIu64, (guint64) state->st_ino);
  /* Translators: the number of hard links */
  print_row (_("links"), "%" PRIu64, (guint64) state->st_nlink);
  print_row (_("modified"), "%s", modified);
  /* Translators: where changes of it are heard from: “inotify”, “poll” or the message that follows */
  if (extras->has_watched)
    print_row (_("watched with"), "%s", extras->backend != NULL ? extras->backend : _("nothing: it can't be watched"));
}

static void
print_json (const char        *path,
            MmioFile          *file,
            const struct stat *state,
            const Extras      *extras)
{
  g_autoptr (GString) json = g_string_new (NULL);
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autofree char *modified = format_time (&state->st_mtim, utc);
  g_autofree char *device = g_strdup_printf ("%u:%u", major (state->st_dev), minor (state->st_dev));
  g_autofree char *mode = g_strdup_printf ("%04o", (guint) state->st_mode & 07777);

  tool_json_begin (json);
  tool_json_add_path (json, "file", path);
  tool_json_add_uint (json, "size", mmio_file_get_size (file));
  tool_json_add_uint (json, "on_disk", (guint64) state->st_blocks * BLOCK_BYTES);
  if (extras->has_resident)
    tool_json_add_uint (json, "resident", extras->resident);
  tool_json_add_string (json, "mode", mode);
  tool_json_add_uint (json, "owner", state->st_uid);
  tool_json_add_uint (json, "group", state->st_gid);
  tool_json_add_string (json, "device", device);
  tool_json_add_uint (json, "inode", state->st_ino);
  tool_json_add_uint (json, "links", state->st_nlink);
  tool_json_add_string (json, "modified", modified);
  if (extras->backend != NULL)
    tool_json_add_string (json, "watch_backend", extras->backend);
  tool_json_end (json);
}

static gboolean
show (const char *path,
      gboolean    as_json,
      gboolean    watch,
      GError    **error)
{
  g_autoptr (MmioFile) file = mmio_file_open (path, MMIO_MODE_READ_ONLY, error);
  Extras extras = { .has_watched = watch };
  struct stat state;

  if (file == NULL)
    return FALSE;

  if (fstat (mmio_file_get_fd (file), &state) != 0)
    {
      int saved_errno = errno;
      g_autofree char *name = tool_display_name (path);

      g_set_error (error, G_IO_ERROR, (gint) g_io_error_from_errno (saved_errno), "%s: %s", name, g_strerror (saved_errno));
      return FALSE;
    }
  extras.has_resident = mmio_file_get_resident_bytes (file, 0, mmio_file_get_size (file), &extras.resident, NULL);
  /* Not unless asked to: the system takes milliseconds to end a watch, more than all the rest. */
  if (watch && mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, NULL))
    g_object_get (file, "watch-backend", &extras.backend, NULL);

  (as_json ? print_json : print_text) (path, file, &state, &extras);
  g_free (extras.backend);
  return TRUE;
}

static ToolStatus
run (const ToolCommand *self,
     char            ***arguments)
{
  gboolean as_json = FALSE, watch = FALSE;
  g_auto (GStrv) files = NULL;
  ToolStatus status = TOOL_OK;
  const GOptionEntry entries[] = {
    { "json", 'j', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &as_json, N_("One JSON object a line"), NULL },
    { "watch", 'w', G_OPTION_FLAG_NONE, G_OPTION_ARG_NONE, &watch, N_("Also say what it can be watched with"), NULL },
    { G_OPTION_REMAINING, 0, G_OPTION_FLAG_NONE, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL, NULL },
    G_OPTION_ENTRY_NULL
  };

  if (!tool_parse (self, entries, arguments) || !tool_check_files (self, files))
    return TOOL_USAGE;

  for (char **path = files; *path != NULL; path++)
    {
      g_autoptr (GError) error = NULL;

      if (!show (*path, as_json, watch, &error))
        status = tool_fail (self, error);
    }
  return status;
}

const ToolCommand tool_info = {
  .name = "info",
  .arguments = N_("FILE…"),
  .summary = N_("Say what a file is: size, mode, device, inode"),
  .run = run,
};
