/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * tail FILE: prints the file, then what is appended to it, until it is removed.
 */
#include <mmio.h>

static guint64 shown;

static void
show_rest (MmioFile *file)
{
  guint64 size = mmio_file_get_size (file);
  g_autoptr (GBytes) bytes = NULL;

  /* It was cut off: begin anew. */
  if (size < shown)
    shown = 0;
  bytes = mmio_file_get_bytes (file, shown, size - shown, NULL);
  if (bytes == NULL)
    return;
  g_print ("%.*s", (int) g_bytes_get_size (bytes), (const char *) g_bytes_get_data (bytes, NULL));
  shown = size;
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  /* follow: the size of the mapping is that of the file, whoever makes it grow. */
  g_autoptr (MmioFile) file =
      g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", argc > 1 ? argv[1] : "log", "follow", TRUE, NULL);

  if (file == NULL || !mmio_file_watch (file, MMIO_WATCH_FLAGS_NONE, NULL, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_signal_connect (file, "notify::size", G_CALLBACK (show_rest), NULL);
  g_signal_connect_swapped (file, "removed", G_CALLBACK (g_main_loop_quit), loop);
  show_rest (file);
  g_main_loop_run (loop);
  return 0;
}
