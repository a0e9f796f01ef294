/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * JSON objects, one a line.
 */
#include "config.h"

#include "mmio-tool.h"

#include <inttypes.h>
#include <string.h>

/* value is UTF-8 */
static void
append_string (GString    *json,
               const char *value)
{
  g_string_append_c (json, '"');
  for (const char *p = value; *p != '\0'; p++)
    {
      guchar c = (guchar) *p;

      if (c == '"' || c == '\\')
        g_string_append_printf (json, "\\%c", c);
      else if (c < 0x20 || c == 0x7f)
        g_string_append_printf (json, "\\u%04x", c);
      else
        g_string_append_c (json, *p);
    }
  g_string_append_c (json, '"');
}

static void
append_name (GString    *json,
             const char *name)
{
  if (json->len > 1)
    g_string_append (json, ", ");
  append_string (json, name);
  g_string_append (json, ": ");
}

void
tool_json_begin (GString *json)
{
  g_string_assign (json, "{");
}

void
tool_json_add_string (GString    *json,
                      const char *name,
                      const char *value)
{
  append_name (json, name);
  append_string (json, value);
}

void
tool_json_add_uint (GString    *json,
                    const char *name,
                    guint64     value)
{
  append_name (json, name);
  g_string_append_printf (json, "%" PRIu64, value);
}

void
tool_json_add_path (GString    *json,
                    const char *name,
                    const char *path)
{
  g_autofree char *valid = g_utf8_make_valid (path, -1);

  tool_json_add_string (json, name, valid);
  if (!g_str_equal (valid, path))
    {
      g_autofree char *exact_name = g_strconcat (name, "_base64", NULL);
      g_autofree char *exact = g_base64_encode ((const guchar *) path, strlen (path));

      tool_json_add_string (json, exact_name, exact);
    }
}

void
tool_json_end (GString *json)
{
  g_string_append (json, "}\n");
  tool_put_bytes (json->str, json->len);
}
