/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * counter FILE N: adds one to a counter N times, beside any number of other processes that do the same, and prints it.
 */
#include <mmio.h>

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open_or_create (argc > 1 ? argv[1] : "counter", 8, &error);
  g_autoptr (MmioAtomicU64) counter = file != NULL ? mmio_file_get_atomic_u64 (file, 0, 1, &error) : NULL;

  if (counter == NULL)
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  for (guint64 i = argc > 2 ? g_ascii_strtoull (argv[2], NULL, 10) : 1; i > 0; i--)
    mmio_atomic_u64_add (counter, 0, 1);
  g_print ("%" G_GUINT64_FORMAT "\n", mmio_atomic_u64_load (counter, 0));
  return 0;
}
