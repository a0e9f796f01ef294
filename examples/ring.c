/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ring FILE send SOURCE, ring FILE receive: text from one process to another through a ring in a file, that nobody else waits for.
 *
 * Two positions that only grow: how much was sent, how much received. Then the ring. A NUL ends the text.
 */
#include <mmio.h>

#define START 64
#define CAPACITY 4096
#define SENT 0
#define RECEIVED 1

static gboolean
send (MmioFile      *file,
      MmioAtomicU32 *positions,
      const guint8  *data,
      gsize          length,
      GError       **error)
{
  while (length > 0)
    {
      guint32 sent = mmio_atomic_u32_load (positions, SENT);
      guint32 received = mmio_atomic_u32_load (positions, RECEIVED);
      gsize at = sent % CAPACITY;
      gsize n = MIN (MIN (length, CAPACITY - (sent - received)), CAPACITY - at);

      if (n == 0 && !mmio_atomic_u32_wait (positions, RECEIVED, received, -1, NULL, error))
        return FALSE;
      if (!mmio_file_write (file, START + at, data, n, error))
        return FALSE;
      mmio_atomic_u32_store (positions, SENT, sent + (guint32) n);
      mmio_atomic_u32_wake (positions, SENT, 1);
      data += n;
      length -= n;
    }

  return TRUE;
}

static gboolean
receive (MmioFile      *file,
         MmioAtomicU32 *positions,
         GError       **error)
{
  guint8 data[CAPACITY];

  while (TRUE)
    {
      guint32 sent = mmio_atomic_u32_load (positions, SENT);
      guint32 received = mmio_atomic_u32_load (positions, RECEIVED);
      gsize at = received % CAPACITY;
      gsize n = MIN (sent - received, CAPACITY - at);

      if (n == 0 && !mmio_atomic_u32_wait (positions, SENT, sent, -1, NULL, error))
        return FALSE;
      if (!mmio_file_read (file, START + at, data, n, error))
        return FALSE;
      mmio_atomic_u32_store (positions, RECEIVED, received + (guint32) n);
      mmio_atomic_u32_wake (positions, RECEIVED, 1);
      g_print ("%.*s", (int) n, (const char *) data);
      if (n > 0 && data[n - 1] == 0)
        return TRUE;
    }
}

int
main (int    argc,
      char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open_or_create (argc > 2 ? argv[1] : "ring", START + CAPACITY, &error);
  g_autoptr (MmioAtomicU32) positions = file != NULL ? mmio_file_get_atomic_u32 (file, 0, 2, &error) : NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (positions == NULL ||
      (argc > 3 && !g_file_get_contents (argv[3], &text, &length, &error)) ||
      (text != NULL && !send (file, positions, (guint8 *) text, length + 1, &error)) ||
      (text == NULL && !receive (file, positions, &error)))
    {
      g_printerr ("%s\n", error->message);
      return 1;
    }
  return 0;
}
