/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * image PPM PNG: hands the pixels of a mapped image, in the format of ppm(5), to GdkPixbuf without a copy, and saves them.
 */
#include <gdk-pixbuf/gdk-pixbuf.h>
#include <mmio.h>
#include <stdio.h>
#include <stdlib.h>

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open (argc > 2 ? argv[1] : "", MMIO_MODE_READ_ONLY, &error);
  g_autoptr (GBytes) pixels = NULL;
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  char header[64] = "";
  int width, height, start;

  if (file == NULL || !mmio_file_read (file, 0, header, MIN (mmio_file_get_size (file), sizeof header - 1), &error))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  if (sscanf (header, "P6 %d %d 255%n", &width, &height, &start) != 2 || width <= 0 || height <= 0)
    {
      g_printerr ("%s: not an image in PPM\n", argv[1]);
      return 1;
    }

  /* One white-space character ends the header. The bytes keep the file where it is. */
  pixels = mmio_file_get_bytes (file, (guint64) start + 1, (gsize) width * (gsize) height * 3, &error);
  if (pixels != NULL)
    pixbuf = gdk_pixbuf_new_from_bytes (pixels, GDK_COLORSPACE_RGB, FALSE, 8, width, height, width * 3);
  if (pixbuf == NULL || !gdk_pixbuf_save (pixbuf, argv[2], "png", &error, NULL))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  g_print ("%d x %d\n", width, height);
  return 0;
}
