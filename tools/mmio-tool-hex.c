/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes in hexadecimal and as text, as `hexdump -C` shows them.
 */
#include "config.h"

#include "mmio-tool.h"

#include <inttypes.h>
#include <string.h>

#define LINE_BYTES 16

static void
print_line (const ToolHex *hex,
            guint64        offset,
            const guint8  *data,
            gsize          length)
{
  /* 16 times "xx ", one more space in the middle, two bars, 16 letters */
  char line[16 * 3 + 1 + 2 + 16 + 1 + 1];
  char *p = line;

  for (gsize i = 0; i < LINE_BYTES; i++)
    {
      static const char digits[] = "0123456789abcdef";

      if (i == LINE_BYTES / 2)
        *p++ = ' ';
      *p++ = i < length ? digits[data[i] >> 4] : ' ';
      *p++ = i < length ? digits[data[i] & 15] : ' ';
      *p++ = ' ';
    }
  *p++ = ' ';
  *p++ = '|';
  for (gsize i = 0; i < length; i++)
    *p++ = g_ascii_isprint (data[i]) ? (char) data[i] : '.';
  *p++ = '|';
  *p = '\0';
  tool_print ("%s%08" PRIx64 "  %s\n", hex->indent != NULL ? hex->indent : "", offset, line);
}

void
tool_print_hex (ToolHex      *hex,
                guint64       offset,
                const guint8 *data,
                gsize         length)
{
  for (gsize done = 0; done < length && tool_can_output (); done += LINE_BYTES)
    {
      gsize n = MIN (length - done, LINE_BYTES);

      if (!hex->all_lines && hex->has_last && n == LINE_BYTES && memcmp (hex->last, data + done, n) == 0)
        {
          if (!hex->is_squeezing)
            tool_print ("%s*\n", hex->indent != NULL ? hex->indent : "");
          hex->is_squeezing = TRUE;
          continue;
        }

      hex->is_squeezing = FALSE;
      hex->has_last = n == LINE_BYTES;
      memcpy (hex->last, data + done, n);
      print_line (hex, offset + done, data + done, n);
    }
}
