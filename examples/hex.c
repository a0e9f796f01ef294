/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * hex FILE: the file's bytes, sixteen a line, as numbers and as text.
 */
#include <mmio.h>

static void
print_line (guint64       offset,
            const guint8 *data,
            gsize         length)
{
  g_autoptr (GString) line = g_string_new (NULL);

  g_string_append_printf (line, "%08" G_GINT64_MODIFIER "x ", offset);
  for (gsize i = 0; i < 16; i++)
    g_string_append_printf (line, i < length ? " %02x" : "   ", i < length ? data[i] : 0);
  g_string_append (line, "  ");
  for (gsize i = 0; i < length; i++)
    g_string_append_c (line, g_ascii_isprint (data[i]) ? (char) data[i] : '.');
  g_print ("%s\n", line->str);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (argc > 1 ? argv[1] : "", MMIO_MODE_READ_ONLY, &error);
  g_auto (MmioChunkIter) iter = { 0, };
  gconstpointer data;
  gsize length;

  if (file == NULL || !mmio_chunk_iter_init (&iter, file, 16, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  for (guint64 offset = 0; mmio_chunk_iter_next (&iter, &data, &length); offset += 16)
    print_line (offset, data, length);
  return 0;
}
