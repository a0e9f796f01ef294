/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * config FILE: shows [main] name of a key file, anew each time it is saved, in place or atomically, until it is removed.
 */
#include <mmio.h>

static void
show_name (MmioFile *file)
{
  g_autoptr (GKeyFile) keys = g_key_file_new ();
  g_autoptr (GBytes) bytes = mmio_file_get_bytes (file, 0, mmio_file_get_size (file), NULL);
  g_autofree char *name = NULL;

  /* A file that is just being written may make no sense yet: there will be another signal. */
  if (bytes == NULL || !g_key_file_load_from_bytes (keys, bytes, G_KEY_FILE_NONE, NULL))
    return;
  name = g_key_file_get_string (keys, "main", "name", NULL);
  if (name != NULL)
    g_print ("%s\n", name);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (MmioFile) file =
      g_initable_new (MMIO_TYPE_FILE, NULL, &error, "path", argc > 1 ? argv[1] : "config", "follow", TRUE, NULL);

  /* RELOAD: the file that an editor puts in its place is mapped, and changed follows. */
  if (file == NULL || !mmio_file_watch (file, MMIO_WATCH_FLAGS_RELOAD, NULL, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_signal_connect (file, "changed", G_CALLBACK (show_name), NULL);
  g_signal_connect_swapped (file, "removed", G_CALLBACK (g_main_loop_quit), loop);
  show_name (file);
  g_main_loop_run (loop);
  return 0;
}
