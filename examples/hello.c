/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <mmio.h>

int
main (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open_or_create ("hello.bin", 4096, &error);
  char text[6] = "";

  if (file == NULL ||
      !mmio_file_write (file, 0, "hello", 5, &error) ||
      !mmio_file_flush (file, &error) ||
      !mmio_file_read (file, 0, text, 5, &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_print ("%s\n", text);
  return 0;
}
