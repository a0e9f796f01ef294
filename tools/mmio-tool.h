/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the commands of `mmio` share: how they are described, how they read their arguments and how they speak.
 * They stand on the public interface alone.
 */
#pragma once

#include <gio/gio.h>
#include <mmio.h>

G_BEGIN_DECLS

/* The exit statuses, as documented in mmio(1). */
typedef enum
{
  TOOL_OK = 0,
  TOOL_FAILED = 1,
  TOOL_USAGE = 2
} ToolStatus;

typedef struct _ToolCommand ToolCommand;

struct _ToolCommand
{
  const char *name;
  const char *arguments;        /* what follows the options, translatable */
  const char *summary;          /* one line, translatable */
  const char *description;      /* what stands below the options in --help, translatable; or NULL */

  gboolean takes_bytes;         /* --help says how to write them */

  /* arguments[0] is the command's name; the vector is the command's to change, by tool_parse (). */
  ToolStatus (*run) (const ToolCommand *self,
                     char            ***arguments);
};

extern const ToolCommand tool_cat;
extern const ToolCommand tool_copy;
extern const ToolCommand tool_counter;
extern const ToolCommand tool_dump;
extern const ToolCommand tool_evict;
extern const ToolCommand tool_find;
extern const ToolCommand tool_info;
extern const ToolCommand tool_lock;
extern const ToolCommand tool_prefetch;
extern const ToolCommand tool_resident;
extern const ToolCommand tool_resize;
extern const ToolCommand tool_watch;
extern const ToolCommand tool_write;

/* Arguments. Each says on standard error what is wrong with them and returns FALSE: the command then returns TOOL_USAGE. */

gboolean    tool_parse            (const ToolCommand  *command,
                                   const GOptionEntry *entries,
                                   char             ***arguments);
/* Bytes: decimal or 0x…, with a suffix K M G T P E (of 1024; KB, MB, … of 1000). */
gboolean    tool_parse_bytes      (const ToolCommand  *command,
                                   const char         *what,
                                   const char         *text,
                                   guint64            *bytes);
/* How many: 1 or more, decimal. */
gboolean    tool_parse_count      (const ToolCommand  *command,
                                   const char         *what,
                                   const char         *text,
                                   gint64             *count);
gboolean    tool_parse_seconds    (const ToolCommand  *command,
                                   const char         *what,
                                   const char         *text,
                                   double             *seconds);
/* Says that text, given for what, is a number, but one too large. */
gboolean    tool_complain_of_size (const ToolCommand  *command,
                                   const char         *what,
                                   const char         *text);
/* At least one file, and no empty name. */
gboolean    tool_check_files      (const ToolCommand  *command,
                                   char              **files);
void        tool_complain         (const ToolCommand  *command,
                                   const char         *format,
                                   ...) G_GNUC_PRINTF (2, 3);

/* A range of each file, by --offset and --length. */
typedef struct
{
  char *offset_text, *length_text;      /* as given; NULL if not */
  guint64 offset, length;
} ToolRange;

extern const char tool_bytes_name[], tool_offset_help[], tool_length_help[];

#define TOOL_RANGE_INIT { NULL, NULL, 0, G_MAXUINT64 }
#define TOOL_RANGE_ENTRIES(range)                                                                                                \
  { "offset", 'o', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &(range)->offset_text, tool_offset_help, tool_bytes_name },         \
  { "length", 'l', G_OPTION_FLAG_NONE, G_OPTION_ARG_STRING, &(range)->length_text, tool_length_help, tool_bytes_name }

gboolean    tool_parse_range      (const ToolCommand  *command,
                                   ToolRange          *range);
void        tool_clear_range      (ToolRange          *range);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ToolRange, tool_clear_range)

/* What range is of this file: inside it, or an error of the library. */
gboolean    tool_resolve_range    (const ToolRange    *range,
                                   MmioFile           *file,
                                   guint64            *offset,
                                   guint64            *length,
                                   GError            **error);

/* Files */

typedef gboolean (*ToolFileFunc) (MmioFile *file,
                                  gpointer  user_data,
                                  GError  **error);

/* Opens each file for reading, one after the other. An error is told and doesn't keep from the next file. */
ToolStatus  tool_for_each_file    (const ToolCommand  *command,
                                   char              **paths,
                                   ToolFileFunc        func,
                                   gpointer            user_data);

/* Shows a range piece by piece, without a copy and in little memory. func returns FALSE to end, with or without an error. */
typedef gboolean (*ToolPieceFunc) (MmioFile      *file,
                                   guint64        offset,
                                   gconstpointer  data,
                                   gsize          length,
                                   gpointer       user_data,
                                   GError       **error);

gboolean    tool_for_each_piece   (MmioFile           *file,
                                   guint64             offset,
                                   guint64             length,
                                   ToolPieceFunc       func,
                                   gpointer            user_data,
                                   GError            **error);

/* Opens a file for writing, and makes an empty one where there is none. */
MmioFile   *tool_open_or_create   (const char         *path,
                                   gboolean           *created,
                                   GError            **error);
/* After an error: takes away what tool_open_or_create () has made, unless another file stands there by now, and adds that to the
 * error. */
void        tool_remove_created   (MmioFile           *file,
                                   GError            **error);

/* Errors: a line on standard error. Each returns TOOL_FAILED. */

ToolStatus  tool_fail             (const ToolCommand  *command,
                                   const GError       *error);

/* Adds to an error of bounds that there is an option --grow. */
void        tool_suggest_growth   (GError            **error);
/* Adds to the error of a missing file that there is an option --create, where that helps. */
void        tool_suggest_creation (const char         *path,
                                   GError            **error);

/* Output. Text is UTF-8 and becomes what the locale uses; bytes stay as they are. An error is kept for tool_end_output (). */

/* Once, before anything is printed and after the locale is set. */
void        tool_begin_output     (void);
void        tool_print            (const char         *format,
                                   ...) G_GNUC_PRINTF (1, 2);
void        tool_put_bytes        (gconstpointer       data,
                                   gsize               length);
/* Standard output was written to in another way, and failed with this errno. */
void        tool_fail_output      (int                 number);
/* FALSE once nothing that is put out arrives any more. */
gboolean    tool_can_output       (void);
/* Flushes and says what went wrong. A reader who has gone away is no error: it has what it wanted. */
ToolStatus  tool_end_output       (const ToolCommand  *command,
                                   ToolStatus          status);

/* A file's name for people: UTF-8, and nothing in it that moves the cursor. */
char       *tool_display_name     (const char         *path);
int         tool_get_width        (const char         *text);

/* A number of bytes for people: "4.0 MiB". */
char       *tool_format_bytes     (guint64             bytes);

/* Bytes in hexadecimal and as text, 16 a line. */
typedef struct
{
  const char *indent;
  gboolean all_lines;           /* FALSE: lines like the one before become one "*" */
  guint8 last[16];
  gboolean has_last, is_squeezing;
} ToolHex;

/* offset: of data, which goes on where the call before ended. */
void        tool_print_hex        (ToolHex            *hex,
                                   guint64             offset,
                                   const guint8       *data,
                                   gsize               length);

/* The main loop, until Ctrl-C, SIGTERM, SIGHUP, tool_quit (), or for as many seconds (negative: no limit). */

typedef enum
{
  TOOL_END_QUIT,
  TOOL_END_SIGNAL,
  TOOL_END_TIMEOUT
} ToolEnd;

/* Before anything that must not be cut off. */
void        tool_begin_main       (void);
ToolEnd     tool_run_main         (double              seconds);
void        tool_quit             (void);

/* One JSON object, member by member. */

void        tool_json_begin       (GString            *json);
void        tool_json_add_string  (GString            *json,
                                   const char         *name,
                                   const char         *value);
void        tool_json_add_uint    (GString            *json,
                                   const char         *name,
                                   guint64             value);
/* A path is bytes, a JSON string is not: one that isn't UTF-8 is told twice, readable as NAME and exact as NAME_base64. */
void        tool_json_add_path    (GString            *json,
                                   const char         *name,
                                   const char         *path);
/* Ends the object and puts it out as one line. */
void        tool_json_end         (GString            *json);

G_END_DECLS
