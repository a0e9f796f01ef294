/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-tool.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HELP_WIDTH 80

/* What one view shows: large enough that its making doesn't count, and small against any memory. */
#define PIECE_BYTES (4 * 1024 * 1024)

/* The first failure of standard output; 0 while there is none. */
static int output_errno;
static gboolean has_ended;

static void
print_message (const ToolCommand *command,
               const char        *message)
{
  if (command != NULL)
    g_printerr ("mmio %s: %s\n", command->name, message);
  else
    g_printerr ("mmio: %s\n", message);
}

void
tool_complain (const ToolCommand *command,
               const char        *format,
               ...)
{
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  print_message (command, message);
  if (command != NULL)
    g_printerr (_("Try “mmio %s --help”.\n"), command->name);
  else
    g_printerr (_("Try “mmio --help”.\n"));
}

ToolStatus
tool_fail (const ToolCommand *command,
           const GError      *error)
{
  print_message (command, error->message);
  return TOOL_FAILED;
}

void
tool_suggest_growth (GError **error)
{
  if (error != NULL && g_error_matches (*error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS))
    {
      g_autofree char *message = g_steal_pointer (&(*error)->message);

      /* Translators: %s is an error: a range goes past the end of a file. */
      (*error)->message = g_strdup_printf (_("%s (--grow lets the file grow)"), message);
    }
}

void
tool_suggest_creation (const char *path,
                       GError    **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  /* It makes a file, and neither the folder that the file is to stand in nor what a symbolic link points to. */
  if (error != NULL && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) && g_file_test (folder, G_FILE_TEST_IS_DIR) &&
      !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      g_autofree char *message = g_steal_pointer (&(*error)->message);

      /* Translators: %s is an error: there is no such file. */
      (*error)->message = g_strdup_printf (_("%s (--create makes the file)"), message);
    }
}

/* Arguments */

/* The columns that a terminal shows text in: two for a wide character. */
int
tool_get_width (const char *text)
{
  int width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    {
      gunichar character = g_utf8_get_char (text);

      if (!g_unichar_iszerowidth (character))
        width += g_unichar_iswide (character) ? 2 : 1;
    }
  return width;
}

/* Each line of text in lines of at most HELP_WIDTH columns. */
static char *
wrap (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  GString *wrapped = g_string_new (NULL);

  for (char **line = lines; *line != NULL; line++)
    {
      g_auto (GStrv) words = g_strsplit (*line, " ", -1);
      glong column = 0;

      if (line != lines)
        g_string_append_c (wrapped, '\n');
      for (char **word = words; *word != NULL; word++)
        {
          int width = tool_get_width (*word);

          if (column > 0)
            g_string_append_c (wrapped, column + 1 + width > HELP_WIDTH ? '\n' : ' ');
          column = column == 0 || column + 1 + width > HELP_WIDTH ? width : column + 1 + width;
          g_string_append (wrapped, *word);
        }
    }
  return g_string_free (wrapped, FALSE);
}

static char *
describe (const ToolCommand *command)
{
  const char *bytes = _("BYTES may be hexadecimal (0x…) and have a suffix: K, M, G, T, P or E for powers of 1024, KB, MB, … of 1000.");

  if (command->description != NULL && command->takes_bytes)
    return g_strconcat (_(command->description), "\n", bytes, NULL);
  return g_strdup (command->description != NULL ? _(command->description) : "");
}

gboolean
tool_parse (const ToolCommand  *command,
            const GOptionEntry *entries,
            char             ***arguments)
{
  g_autoptr (GOptionContext) context = g_option_context_new (_(command->arguments));
  g_autoptr (GError) error = NULL;
  g_autofree char *program = g_strdup_printf ("mmio %s", command->name);
  g_autofree char *description = describe (command);
  g_autofree char *wrapped = wrap (description);

  g_set_prgname (program);
  g_option_context_set_summary (context, _(command->summary));
  g_option_context_set_description (context, wrapped);
  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);

  if (g_option_context_parse_strv (context, arguments, &error))
    return TRUE;

  tool_complain (command, "%s", error->message);
  return FALSE;
}

/* What a suffix multiplies by; 0 if it is none. */
static guint64
parse_suffix (const char *suffix)
{
  static const char letters[] = "KMGTPE";
  const char *letter;
  guint64 base, factor = 1;

  if (suffix[0] == '\0' || g_str_equal (suffix, "B"))
    return 1;

  letter = strchr (letters, g_ascii_toupper (suffix[0]));
  if (letter == NULL)
    return 0;
  if (suffix[1] == '\0' || g_str_equal (suffix + 1, "iB"))
    base = 1024;
  else if (g_str_equal (suffix + 1, "B"))
    base = 1000;
  else
    return 0;

  for (const char *p = letters; p <= letter; p++)
    factor *= base;
  return factor;
}

gboolean
tool_complain_of_size (const ToolCommand *command,
                       const char        *what,
                       const char        *text)
{
  g_autofree char *shown = tool_display_name (text);

  tool_complain (command, _("%s: “%s” is too large"), what, shown);
  return FALSE;
}

gboolean
tool_parse_bytes (const ToolCommand *command,
                  const char        *what,
                  const char        *text,
                  guint64           *bytes)
{
  gboolean is_hex = g_ascii_strncasecmp (text, "0x", 2) == 0 && g_ascii_isxdigit (text[2]);
  g_autofree char *shown = tool_display_name (text);
  guint64 number, factor;
  char *end = NULL;

  errno = 0;
  number = g_ascii_strtoull (text, &end, is_hex ? 16 : 10);
  factor = parse_suffix (end);
  if (!g_ascii_isdigit (text[0]) || factor == 0)
    {
      /* Translators: the first %s is an option or an argument, the second what was given for it. */
      tool_complain (command, _("%s: “%s” is no number of bytes"), what, shown);
      return FALSE;
    }
  if (errno != 0 || !g_uint64_checked_mul (bytes, number, factor))
    return tool_complain_of_size (command, what, text);
  return TRUE;
}

gboolean
tool_parse_count (const ToolCommand *command,
                  const char        *what,
                  const char        *text,
                  gint64            *count)
{
  g_autofree char *shown = tool_display_name (text);
  guint64 number;
  char *end = NULL;

  number = g_ascii_strtoull (text, &end, 10);
  if (!g_ascii_isdigit (text[0]) || *end != '\0' || number == 0)
    {
      tool_complain (command, _("%s: “%s” is no whole number above 0"), what, shown);
      return FALSE;
    }
  if (number > G_MAXINT64)
    return tool_complain_of_size (command, what, text);
  *count = (gint64) number;
  return TRUE;
}

/* Translators: stands for an amount, as in --offset=BYTES. */
const char tool_bytes_name[] = N_("BYTES");
const char tool_offset_help[] = N_("Where to begin in each file");
const char tool_length_help[] = N_("How much of each file (default: to its end)");

gboolean
tool_parse_range (const ToolCommand *command,
                  ToolRange         *range)
{
  return (range->offset_text == NULL || tool_parse_bytes (command, "--offset", range->offset_text, &range->offset)) &&
         (range->length_text == NULL || tool_parse_bytes (command, "--length", range->length_text, &range->length));
}

void
tool_clear_range (ToolRange *range)
{
  g_clear_pointer (&range->offset_text, g_free);
  g_clear_pointer (&range->length_text, g_free);
}

gboolean
tool_parse_seconds (const ToolCommand *command,
                    const char        *what,
                    const char        *text,
                    double            *seconds)
{
  g_autofree char *shown = tool_display_name (text);
  char *end = NULL;

  *seconds = g_ascii_strtod (text, &end);
  /* Neither a sign nor space, nor a word for what is no number, but the dot of .5 */
  if (!(g_ascii_isdigit (text[0]) || text[0] == '.') || *end != '\0' || end == text)
    {
      tool_complain (command, _("%s: “%s” is no number of seconds"), what, shown);
      return FALSE;
    }
  /* a timeout of GLib counts seconds in an unsigned int */
  if (*seconds > G_MAXINT)
    return tool_complain_of_size (command, what, text);
  return TRUE;
}

gboolean
tool_check_files (const ToolCommand *command,
                  char             **files)
{
  if (files == NULL || files[0] == NULL)
    {
      tool_complain (command, _("a file is missing"));
      return FALSE;
    }

  for (char **file = files; *file != NULL; file++)
    if (**file == '\0')
      {
        tool_complain (command, _("the name of a file is empty"));
        return FALSE;
      }
  return TRUE;
}

/* Files */

gboolean
tool_resolve_range (const ToolRange *range,
                    MmioFile        *file,
                    guint64         *offset,
                    guint64         *length,
                    GError         **error)
{
  guint64 size = mmio_file_get_size (file);

  *offset = range->offset;
  *length = range->length;
  if (range->length_text == NULL)
    *length = *offset <= size ? size - *offset : 0;

  if (*offset <= size && *length <= size - *offset)
    return TRUE;

  /* The library's own words */
  mmio_file_peek (file, *offset, (gsize) MIN (*length, G_MAXSIZE), error);
  return FALSE;
}

ToolStatus
tool_for_each_file (const ToolCommand *command,
                    char             **paths,
                    ToolFileFunc       func,
                    gpointer           user_data)
{
  ToolStatus status = TOOL_OK;

  for (char **path = paths; *path != NULL && tool_can_output (); path++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (MmioFile) file = mmio_file_open (*path, MMIO_MODE_READ_ONLY, &error);

      if (file == NULL || !func (file, user_data, &error))
        status = tool_fail (command, error);
    }
  return status;
}

gboolean
tool_for_each_piece (MmioFile     *file,
                     guint64       offset,
                     guint64       length,
                     ToolPieceFunc func,
                     gpointer      user_data,
                     GError      **error)
{
  while (length > 0)
    {
      gsize n = (gsize) MIN (length, PIECE_BYTES);
      g_autoptr (MmioView) view = mmio_file_get_view (file, offset, n, error);

      if (view == NULL)
        return FALSE;
      if (!func (file, offset, mmio_view_get_pointer (view), n, user_data, error))
        return FALSE;
      if (!mmio_view_check (view, error))
        return FALSE;
      offset += n;
      length -= n;
    }
  return TRUE;
}

MmioFile *
tool_open_or_create (const char *path,
                     gboolean   *created,
                     GError    **error)
{
  g_autoptr (GError) local_error = NULL;
  MmioFile *file = mmio_file_open (path, MMIO_MODE_READ_WRITE, &local_error);

  *created = FALSE;
  if (file == NULL && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    {
      g_clear_error (&local_error);
      file = mmio_file_create (path, 0, MMIO_CREATE_FLAGS_NONE, &local_error);
      *created = file != NULL;
    }
  /* Somebody else has made it between the two. */
  if (file == NULL && g_error_matches (local_error, G_IO_ERROR, G_IO_ERROR_EXISTS))
    return mmio_file_open_or_create (path, 0, error);

  if (file == NULL)
    g_propagate_error (error, g_steal_pointer (&local_error));
  return file;
}

void
tool_remove_created (MmioFile *file,
                     GError  **error)
{
  g_autofree char *path = g_strdup (mmio_file_get_path (file));
  struct stat own, there;

  if (fstat (mmio_file_get_fd (file), &own) == 0 && lstat (path, &there) == 0 && own.st_dev == there.st_dev &&
      own.st_ino == there.st_ino && unlink (path) == 0 && error != NULL && *error != NULL)
    {
      g_autofree char *message = g_steal_pointer (&(*error)->message);

      /* Translators: %s is an error, after which a file that the command had made itself is removed. */
      (*error)->message = g_strdup_printf (_("%s (the new file has been removed again)"), message);
    }
}

/* Output */

void
tool_put_bytes (gconstpointer data,
                gsize         length)
{
  if (output_errno == 0 && length > 0 && fwrite (data, 1, length, stdout) != length)
    output_errno = errno;
}

/* With what is nearest to what the charset hasn't; NULL where it has nothing near, or the system knows of no such thing.
 * g_convert () takes what isn't exact for an error. */
static char *
transliterate (const char *text,
               const char *charset)
{
  g_autofree char *target = g_strconcat (charset, "//TRANSLIT", NULL);
  GIConv converter = g_iconv_open (target, "UTF-8");
  gsize left = strlen (text), room = 8 * left;
  g_autofree char *converted = g_malloc0 (room + 1);
  char *from = (char *) text, *to = converted;
  gsize result;

  if (converter == (GIConv) -1)
    return NULL;
  result = g_iconv (converter, &from, &left, &to, &room);
  g_iconv_close (converter);
  return result != (gsize) -1 ? g_steal_pointer (&converted) : NULL;
}

/* UTF-8 as the locale writes it: in ASCII, quotes and dots are ASCII's. */
static char *
to_locale (const char *text)
{
  g_autofree char *charset = NULL;
  char *converted;

  if (g_get_charset (NULL))
    return g_strdup (text);

  charset = g_get_codeset ();
  converted = transliterate (text, charset);
  if (converted == NULL)
    converted = g_convert_with_fallback (text, -1, charset, "UTF-8", "?", NULL, NULL, NULL);
  return converted != NULL ? converted : g_strdup (text);
}

void
tool_print (const char *format,
            ...)
{
  g_autofree char *text = NULL;
  g_autofree char *converted = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);

  converted = to_locale (text);
  tool_put_bytes (converted, strlen (converted));
}

static void
print (const char *text)
{
  tool_print ("%s", text);
}

static void
print_error (const char *text)
{
  g_autofree char *converted = to_locale (text);

  fputs (converted, stderr);
  fflush (stderr);
}

static void
on_exit_early (void)
{
  if (!has_ended && tool_end_output (NULL, TOOL_OK) != TOOL_OK)
    _exit (TOOL_FAILED);
}

void
tool_begin_output (void)
{
  g_set_print_handler (print);
  g_set_printerr_handler (print_error);
  /* --help of a command is printed by GLib, which then exits. */
  atexit (on_exit_early);
}

gboolean
tool_can_output (void)
{
  if (output_errno == 0 && ferror (stdout))
    output_errno = EIO;
  return output_errno == 0;
}

ToolStatus
tool_end_output (const ToolCommand *command,
                 ToolStatus         status)
{
  g_autofree char *message = NULL;

  has_ended = TRUE;
  if (tool_can_output () && fflush (stdout) != 0)
    output_errno = errno;
  if (output_errno == 0 || output_errno == EPIPE)
    return status;

  message = g_strdup_printf (_("standard output: %s"), g_strerror (output_errno));
  print_message (command, message);
  return TOOL_FAILED;
}

void
tool_fail_output (int number)
{
  if (output_errno == 0)
    output_errno = number;
}

char *
tool_format_bytes (guint64 bytes)
{
  g_autofree char *text = g_format_size_full (bytes, G_FORMAT_SIZE_IEC_UNITS);
  g_auto (GStrv) words = g_strsplit (text, "\302\240", -1);

  /* its no-break space would be a "?" where the locale has none */
  return g_strjoinv (" ", words);
}

char *
tool_display_name (const char *path)
{
  g_autofree char *name = g_filename_display_name (path);
  GString *shown = g_string_sized_new (strlen (name));

  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (c == '\n')
        g_string_append (shown, "\\n");
      else if (g_unichar_iscntrl (c))
        g_string_append_printf (shown, "\\x%02x", c);
      else
        g_string_append_unichar (shown, c);
    }
  return g_string_free (shown, FALSE);
}
