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

  /* arguments[0] is the command's name; the vector is the command's to change, by tool_parse (). */
  ToolStatus (*run) (const ToolCommand *self,
                     char            ***arguments);
};

extern const ToolCommand tool_cat;
extern const ToolCommand tool_info;
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
gboolean    tool_parse_seconds    (const ToolCommand  *command,
                                   const char         *what,
                                   const char         *text,
                                   double             *seconds);
/* At least one file, and no empty name. */
gboolean    tool_check_files      (const ToolCommand  *command,
                                   char              **files);
void        tool_complain         (const ToolCommand  *command,
                                   const char         *format,
                                   ...) G_GNUC_PRINTF (2, 3);

/* Errors: a line on standard error. Each returns TOOL_FAILED. */

ToolStatus  tool_fail             (const ToolCommand  *command,
                                   const GError       *error);

/* Output. Text is UTF-8 and becomes what the locale uses; bytes stay as they are. An error is kept for tool_end_output (). */

void        tool_print            (const char         *format,
                                   ...) G_GNUC_PRINTF (1, 2);
void        tool_put_bytes        (gconstpointer       data,
                                   gsize               length);
/* FALSE once nothing that is put out arrives any more. */
gboolean    tool_can_output       (void);
/* Flushes and says what went wrong. A reader who has gone away is no error: it has what it wanted. */
ToolStatus  tool_end_output       (const ToolCommand  *command,
                                   ToolStatus          status);

/* A file's name for people: UTF-8, and nothing in it that moves the cursor. */
char       *tool_display_name     (const char         *path);

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
