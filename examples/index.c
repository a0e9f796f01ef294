/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * index FILE KEY [VALUE]: shows what is stored under a key, or stores it. A hash table in a file, shared by any number of processes
 * in any of the four languages.
 *
 * 1024 slots of 64 bytes: 24 for the key, 40 for the value, padded with NUL.
 */
#include <mmio.h>
#include <string.h>

#define SLOTS 1024
#define KEY 24
#define VALUE 40
#define SLOT (KEY + VALUE)

/* The slot of the key, or the empty one that it would get; -1 if there is none, or with error set. */
static gint64
find_slot (MmioFile   *file,
           const char *key,
           GError    **error)
{
  char stored[KEY];

  for (guint64 i = 0; i < SLOTS; i++)
    {
      guint64 offset = (g_str_hash (key) + i) % SLOTS * SLOT;

      if (!mmio_file_read (file, offset, stored, KEY, error))
        return -1;
      if (stored[0] == 0 || strncmp (stored, key, KEY) == 0)
        return (gint64) offset;
    }

  return -1;
}

/* The value goes into slot as well, if there is one. */
static gboolean
look_up (MmioFile   *file,
         const char *key,
         const char *value,
         char       *slot,
         GError    **error)
{
  gint64 offset;

  /* One writer, or many readers, at a time. */
  if (!mmio_file_lock_range (file, 0, SLOTS * SLOT, value != NULL, NULL, error))
    return FALSE;
  offset = find_slot (file, key, error);
  if (offset < 0)
    return FALSE;

  if (value == NULL)
    return mmio_file_read (file, (guint64) offset, slot, SLOT, error);
  g_strlcpy (slot, key, KEY);
  g_strlcpy (slot + KEY, value, VALUE);
  return mmio_file_write (file, (guint64) offset, slot, SLOT, error);
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  /* The lock goes with the file. */
  g_autoptr (MmioFile) file = mmio_file_open_or_create (argc > 2 ? argv[1] : "index", SLOTS * SLOT, &error);
  char slot[SLOT + 1] = "";

  if (file == NULL || !look_up (file, argc > 2 ? argv[2] : "key", argc > 3 ? argv[3] : NULL, slot, &error))
    {
      g_printerr ("%s\n", error != NULL ? error->message : "the table is full");
      return 1;
    }
  g_print ("%s\n", slot + KEY);
  return 0;
}
