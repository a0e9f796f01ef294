/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Bytes become operations of the public interface, and what others do to the file meanwhile. A model in plain memory does the same,
 * and after each operation contents, sizes and error codes are compared. Run by libFuzzer, and over the corpus by replay.c.
 *
 * What the model leaves open is what the interface leaves open: bytes that a failed write may or may not have stored, and stores behind
 * the end of a file that somebody else has cut off inside a page ("wild" bytes); which of the pages that faulted were healed since by a
 * copy ("faulted" pages), where MmioView.check() decides.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mmio.h>

#include "fuzz-file.h"

#define MAX_PAGES 32
#define MAX_PAGE ((gsize) 4096)
#define MAX_SIZE ((gsize) MAX_PAGES * MAX_PAGE)
#define MAX_OPERATIONS 120
#define MAX_INODES 6
#define MAX_GENERATIONS 16
#define MAX_VIEWS 6
/* Below it the library keeps each range that was written to apart. */
#define MAX_EXACT_RANGES 24

typedef struct
{
  int fd;                       /* everybody else's descriptor */
  gsize size;
  guint8 data[MAX_SIZE];        /* zeros behind the end, unless wild */
  guint8 wild[MAX_SIZE];
} Inode;

/* A file as one MmioFile has mapped it, once. */
typedef struct
{
  Inode *inode;
  MmioMode mode;
  gsize mapped;                 /* its size then */
  guint8 faulted[MAX_PAGES];    /* may show zeros, until a refresh */
  guint8 is_private[MAX_PAGES]; /* copied on write, to what follows */
  guint8 data[MAX_SIZE];
  guint8 wild[MAX_SIZE];
} Generation;

typedef struct
{
  MmioView *view;
  GBytes *bytes;
  Generation *generation;
  gsize offset;
  gsize length;
  gboolean writable;
  gboolean tainted;             /* a part of one that a fault had hit */
} Window;

static struct
{
  const guint8 *input;
  gsize left;

  char *folder;
  char *path;
  gsize page;

  Inode *inodes;
  guint n_inodes;
  Inode *named;                 /* what the path names */
  Generation *generations;
  guint n_generations;

  MmioFile *file;
  Generation *generation;       /* the file's */
  Generation *first;            /* when the object that is open now was opened */
  gboolean closed;
  gboolean has_name;
  gboolean flushes;             /* by its policy */
  gsize size;

  guint8 dirty[MAX_SIZE];       /* certainly written to and not flushed */
  guint n_dirty;                /* how often since there was nothing */
  gboolean dirty_is_exact;

  Window windows[MAX_VIEWS];
} fuzz;

/* Input: zeros where it has ended. */

static guint8
byte (void)
{
  guint8 value = 0;

  if (fuzz.left > 0)
    {
      value = *fuzz.input++;
      fuzz.left--;
    }
  return value;
}

static guint
number (void)
{
  guint high = byte ();

  return high << 8 | byte ();
}

/* No macro: a and b may be read from the input. */
static gsize
smaller (guint64 a,
         guint64 b)
{
  return (gsize) MIN (a, b);
}

/* Somewhere in a file of size bytes: near the places where something changes, or outside. */
static guint64
position (gsize size)
{
  guint8 kind = byte ();
  guint64 where;

  switch (kind & 3)
    {
    case 0:
      where = number ();
      break;
    case 1:
      where = (guint64) (byte () % MAX_PAGES) * fuzz.page + (kind >> 2) % 17;
      return where >= 8 ? where - 8 : where;
    case 2:
      where = size - MIN (size, (gsize) (kind >> 2));
      return kind == 0xfe ? size + 1 : where;
    default:
      where = (guint64) number () << 2;
      return kind == 0xff ? G_MAXUINT64 - where : where;
    }
  return where;
}

static guint64
extent (gsize size,
        guint64 offset)
{
  guint8 kind = byte ();

  switch (kind & 3)
    {
    case 0:
      return kind >> 2;
    case 1:
      return number () % 9000;
    case 2:
      return (guint64) (kind >> 2) % 9 * fuzz.page;
    default:
      if (kind == 0xff)
        return G_MAXSIZE - byte ();
      return offset < size ? size - offset : kind >> 2;
    }
}

static gsize
new_size (void)
{
  return smaller (position (fuzz.size), MAX_SIZE) % (fuzz.page * MAX_PAGES + 1);
}

/* The model */

static gsize
round_up (gsize size)
{
  return (size + fuzz.page - 1) / fuzz.page * fuzz.page;
}

static gboolean
inside (guint64 offset,
        guint64 length,
        gsize   size)
{
  return offset <= size && length <= size - offset;
}

static gboolean
has_wild (const guint8 *wild,
          gsize         length)
{
  return memchr (wild, 1, length) != NULL;
}

/* As the kernel does it. */
static void
inode_set_size (Inode *inode,
                gsize  size)
{
  if (size < inode->size)
    {
      gsize first = round_up (size) / fuzz.page;

      memset (inode->data + size, 0, MAX_SIZE - size);
      memset (inode->wild + size, 0, MAX_SIZE - size);
      for (guint i = 0; i < fuzz.n_generations; i++)
        if (fuzz.generations[i].inode == inode)
          memset (fuzz.generations[i].is_private + first, 0, MAX_PAGES - first);
    }
  inode->size = size;
}

static Inode *
add_inode (int   fd,
           gsize size)
{
  Inode *inode = &fuzz.inodes[fuzz.n_inodes++];

  g_assert_cmpint (fd, >=, 0);
  memset (inode, 0, sizeof *inode);
  inode->fd = fd;
  inode->size = size;
  return inode;
}

static void
new_generation (Inode   *inode,
                MmioMode mode)
{
  fuzz.generation = &fuzz.generations[fuzz.n_generations++];
  memset (fuzz.generation, 0, sizeof *fuzz.generation);
  fuzz.generation->inode = inode;
  fuzz.generation->mode = mode;
  fuzz.generation->mapped = inode->size;
  fuzz.size = inode->size;
  memset (fuzz.dirty, 0, sizeof fuzz.dirty);
  fuzz.n_dirty = 0;
  fuzz.dirty_is_exact = TRUE;
}

static gboolean
is_faulted (const Generation *generation,
            gsize             offset,
            gsize             length)
{
  if (length == 0)
    return FALSE;
  for (gsize i = offset / fuzz.page; i <= (offset + length - 1) / fuzz.page; i++)
    if (generation->faulted[i])
      return TRUE;
  return FALSE;
}

/* Does an access to the range fault? It then has. */
static gboolean
touch (Generation *generation,
       gsize       offset,
       gsize       length)
{
  gsize end = round_up (generation->inode->size);

  if (length == 0 || offset + length <= end)
    return FALSE;
  for (gsize i = MAX (offset, end) / fuzz.page; i <= (offset + length - 1) / fuzz.page; i++)
    generation->faulted[i] = 1;
  return TRUE;
}

static void
look (const Generation *generation,
      gsize             offset,
      gsize             length,
      guint8           *data,
      guint8           *wild)
{
  for (gsize at = offset; at < offset + length;)
    {
      gsize n = MIN (fuzz.page - at % fuzz.page, offset + length - at);
      gboolean is_private = generation->is_private[at / fuzz.page];

      memcpy (data + (at - offset), (is_private ? generation->data : generation->inode->data) + at, n);
      memcpy (wild + (at - offset), (is_private ? generation->wild : generation->inode->wild) + at, n);
      at += n;
    }
}

/* data NULL: what is stored there is not known. */
static void
store (Generation   *generation,
       gsize         offset,
       const guint8 *data,
       gsize         length)
{
  Inode *inode = generation->inode;
  gsize end = MIN (offset + length, round_up (inode->size));

  for (gsize at = offset; at < end;)
    {
      gsize i = at / fuzz.page, start = i * fuzz.page;
      gsize n = MIN (start + fuzz.page, end) - at;
      guint8 *to_data = inode->data, *to_wild = inode->wild;

      if (generation->mode == MMIO_MODE_COPY_ON_WRITE)
        {
          to_data = generation->data;
          to_wild = generation->wild;
          if (!generation->is_private[i])
            {
              memcpy (to_data + start, inode->data + start, fuzz.page);
              memcpy (to_wild + start, inode->wild + start, fuzz.page);
            }
          generation->is_private[i] = 1;
          /* A page that nobody can say of whether it is private. */
          if (data == NULL)
            memset (to_wild + start, 1, fuzz.page);
        }
      if (data != NULL)
        memcpy (to_data + at, data + (at - offset), n);
      memset (to_wild + at, data == NULL, n);
      /* The kernel may clear what was stored behind the end, or not. */
      if (generation->mode != MMIO_MODE_COPY_ON_WRITE && at + n > inode->size)
        memset (to_wild + MAX (at, inode->size), 1, at + n - MAX (at, inode->size));
      at += n;
    }
}

static void
mark_dirty (gsize offset,
            gsize length)
{
  if (length == 0 || fuzz.closed || fuzz.generation->mode != MMIO_MODE_READ_WRITE)
    return;
  memset (fuzz.dirty + offset, 1, length);
  fuzz.n_dirty++;
}

static void
clean (gsize offset,
       gsize length)
{
  memset (fuzz.dirty + offset, 0, length);
  fuzz.n_dirty++;
  if (memchr (fuzz.dirty, 1, MAX_SIZE) == NULL)
    fuzz.n_dirty = 0;
}

static void
compare (const Generation *generation,
         gsize             offset,
         gsize             length,
         const guint8     *data)
{
  g_autofree guint8 *expected = g_malloc (MAX (length, 1));
  g_autofree guint8 *wild = g_malloc (MAX (length, 1));

  look (generation, offset, length, expected, wild);
  for (gsize i = 0; i < length; i++)
    if (data[i] != expected[i] && !wild[i])
      g_error ("byte %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " + %" G_GSIZE_FORMAT " is %u, not %u", offset + i, offset, length,
               data[i], expected[i]);
}

/* What came of an operation */

/* No error: pass -1. */
static void
expect (GError *error,
        gint    code)
{
  if (code < 0)
    g_assert_no_error (error);
  else
    g_assert_error (error, MMIO_ERROR, code);
}

static gboolean
is_fault (const GError *error)
{
  return g_error_matches (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED) || g_error_matches (error, MMIO_ERROR, MMIO_ERROR_IO);
}

/* What a copy of the range has to say before it looks at pages; -1: nothing. */
static gint
range_error (guint64 offset,
             guint64 length)
{
  if (fuzz.closed)
    return MMIO_ERROR_CLOSED;
  return inside (offset, length, fuzz.size) ? -1 : MMIO_ERROR_OUT_OF_BOUNDS;
}

static gboolean
flush_can_fail (void)
{
  return fuzz.generation->inode->size < fuzz.size || memchr (fuzz.generation->faulted, 1, MAX_PAGES) != NULL;
}

/* TRUE: the bytes were read. */
static gboolean
expect_read (guint64 offset,
             guint64 length,
             GError *error)
{
  gint code = range_error (offset, length);

  if (code >= 0)
    {
      expect (error, code);
      return FALSE;
    }
  if (touch (fuzz.generation, (gsize) offset, (gsize) length))
    {
      expect (error, MMIO_ERROR_TRUNCATED);
      return FALSE;
    }
  if (error != NULL && !inside (offset, length, fuzz.generation->inode->size) &&
      is_faulted (fuzz.generation, (gsize) offset, (gsize) length))
    {
      expect (error, MMIO_ERROR_TRUNCATED);
      return FALSE;
    }
  expect (error, -1);
  return TRUE;
}

/* Says what was written, after the fact: data, or nobody knows what. */
static void
expect_write (guint64       offset,
              guint64       length,
              const guint8 *data,
              GError       *error)
{
  gint code = range_error (offset, length);
  gboolean faults;

  if (code < 0 && fuzz.generation->mode == MMIO_MODE_READ_ONLY)
    code = MMIO_ERROR_WRONG_MODE;
  if (code >= 0)
    {
      expect (error, code);
      return;
    }

  faults = touch (fuzz.generation, (gsize) offset, (gsize) length);
  if (faults)
    g_assert_true (is_fault (error));
  if (error == NULL)
    {
      store (fuzz.generation, (gsize) offset, data, (gsize) length);
      mark_dirty ((gsize) offset, (gsize) length);
    }
  else
    {
      g_assert_true (is_fault (error));
      g_assert_true (is_faulted (fuzz.generation, (gsize) offset, (gsize) length) || (fuzz.flushes && flush_can_fail ()));
      store (fuzz.generation, (gsize) offset, NULL, (gsize) length);
      fuzz.dirty_is_exact = FALSE;
    }
  if (fuzz.flushes)
    {
      memset (fuzz.dirty, 0, sizeof fuzz.dirty);
      fuzz.dirty_is_exact = FALSE;
    }
}

static guint8 *
some_bytes (gsize length)
{
  guint8 *data = g_malloc (MAX (length, 1));
  guint8 seed = byte ();

  for (gsize i = 0; i < length; i++)
    data[i] = (guint8) (seed + i * 7 + i / 251);
  return data;
}

/* Operations */

static void
do_read (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  guint64 length = extent (fuzz.size, offset);
  gsize count = (gsize) MIN (length, G_MAXSIZE);

  if ((byte () & 1) != 0 || count > 2 * MAX_SIZE)
    {
      g_autoptr (GBytes) bytes = mmio_file_read_bytes (fuzz.file, offset, count, &error);

      g_assert_true ((bytes == NULL) == (error != NULL));
      if (expect_read (offset, count, error))
        {
          g_assert_cmpuint (g_bytes_get_size (bytes), ==, count);
          if (count > 0)
            compare (fuzz.generation, (gsize) offset, count, g_bytes_get_data (bytes, NULL));
        }
    }
  else
    {
      g_autofree guint8 *buffer = g_malloc (MAX (count, 1));
      gboolean success = mmio_file_read (fuzz.file, offset, buffer, count, &error);

      g_assert_true (success == (error == NULL));
      if (expect_read (offset, count, error))
        compare (fuzz.generation, (gsize) offset, count, buffer);
    }
}

static void
do_peek (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  gsize length = smaller (extent (fuzz.size, offset), G_MAXSIZE);
  gconstpointer data = mmio_file_peek (fuzz.file, offset, length, &error);

  g_assert_true ((data == NULL) == (error != NULL));
  expect (error, range_error (offset, length));
  if (data != NULL && inside (offset, length, round_up (fuzz.generation->inode->size)) &&
      !is_faulted (fuzz.generation, (gsize) offset, length))
    compare (fuzz.generation, (gsize) offset, length, data);
}

static void
do_write (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  gsize length = smaller (extent (fuzz.size, offset), 2 * MAX_SIZE);
  g_autofree guint8 *data = some_bytes (length);
  gboolean success = mmio_file_write (fuzz.file, offset, data, length, &error);

  g_assert_true (success == (error == NULL));
  expect_write (offset, length, data, error);
}

/* From memory that is the file's own. */
static void
do_write_from_view (void)
{
  const Window *window = &fuzz.windows[byte () % MAX_VIEWS];
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  gsize skip, length;
  g_autofree guint8 *data = NULL;
  g_autofree guint8 *wild = NULL;
  const guint8 *source;
  gboolean success, is_wild;

  if (window->view == NULL || window->length == 0 || window->tainted ||
      !inside (window->offset, window->length, window->generation->inode->size) ||
      is_faulted (window->generation, window->offset, window->length))
    return;

  skip = number () % window->length;
  length = smaller (window->length - skip, number ());
  source = (const guint8 *) mmio_view_get_pointer (window->view) + skip;
  data = g_malloc (MAX (length, 1));
  wild = g_malloc (MAX (length, 1));
  look (window->generation, window->offset + skip, length, data, wild);
  is_wild = length > 0 && has_wild (wild, length);
  /* Where another object has mapped the same bytes it can't be told that they overlap. */
  if (window->generation != fuzz.generation && window->generation->inode == fuzz.generation->inode &&
      MAX (window->offset + skip, offset) < MIN (window->offset + skip + length, offset + length))
    is_wild = TRUE;
  success = mmio_file_write (fuzz.file, offset, source, length, &error);
  g_assert_true (success == (error == NULL));
  expect_write (offset, length, is_wild ? NULL : data, error);
  if (success && is_wild)
    store (fuzz.generation, (gsize) offset, NULL, length);
}

static void
do_fill (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  guint64 length = extent (fuzz.size, offset);
  guint8 value = byte ();
  gboolean success = mmio_file_fill (fuzz.file, offset, length, value, &error);
  g_autofree guint8 *data = NULL;

  g_assert_true (success == (error == NULL));
  data = g_malloc (MAX_SIZE);
  memset (data, value, MAX_SIZE);
  expect_write (offset, length, data, error);
}

static void
do_move (void)
{
  g_autoptr (GError) error = NULL;
  guint64 from = position (fuzz.size);
  guint64 to = position (fuzz.size);
  guint64 length = extent (fuzz.size, MAX (from, to));
  gboolean readable = range_error (from, length) < 0;
  gboolean writable = range_error (to, length) < 0 && fuzz.generation->mode != MMIO_MODE_READ_ONLY;
  g_autofree guint8 *data = NULL;
  g_autofree guint8 *wild = NULL;
  gboolean faults, success;

  if (!readable || !writable)
    {
      g_assert_false (mmio_file_move (fuzz.file, to, from, length, &error));
      if (fuzz.closed)
        expect (error, MMIO_ERROR_CLOSED);
      else if (readable && inside (to, length, fuzz.size))
        expect (error, MMIO_ERROR_WRONG_MODE);
      else if (!g_error_matches (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE))
        expect (error, MMIO_ERROR_OUT_OF_BOUNDS);
      return;
    }

  data = g_malloc (MAX (length, 1));
  wild = g_malloc (MAX (length, 1));
  look (fuzz.generation, (gsize) from, (gsize) length, data, wild);
  success = mmio_file_move (fuzz.file, to, from, length, &error);
  g_assert_true (success == (error == NULL));

  faults = touch (fuzz.generation, (gsize) from, (gsize) length);
  if (faults || is_faulted (fuzz.generation, (gsize) from, (gsize) length))
    {
      touch (fuzz.generation, (gsize) to, (gsize) length);
      if (faults)
        g_assert_true (is_fault (error));
      if (!success)
        {
          g_assert_true (is_fault (error));
          store (fuzz.generation, (gsize) to, NULL, (gsize) length);
          fuzz.dirty_is_exact = FALSE;
          if (fuzz.flushes)
            memset (fuzz.dirty, 0, sizeof fuzz.dirty);
          return;
        }
    }
  expect_write (to, length, data, error);
  if (success && length > 0 && has_wild (wild, (gsize) length))
    store (fuzz.generation, (gsize) to, NULL, (gsize) length);
}

/* -1 or where, as mmio_file_find () and its twin. */
static gint64
search (const guint8 *data,
        gsize         length,
        const guint8 *pattern,
        gsize         pattern_length,
        gboolean      forwards)
{
  gint64 found = -1;

  for (gsize i = 0; pattern_length <= length && i <= length - pattern_length; i++)
    if (memcmp (data + i, pattern, pattern_length) == 0)
      {
        found = (gint64) i;
        if (forwards)
          break;
      }
  return found;
}

static void
do_find (void)
{
  g_autoptr (GError) error = NULL;
  guint64 from = position (fuzz.size);
  guint64 to = (byte () & 1) != 0 ? G_MAXUINT64 : position (fuzz.size);
  gsize pattern_length = byte () % 17;
  gsize sample = number () << 1;
  gboolean forwards = (byte () & 1) != 0;
  guint8 pattern[16];
  guint64 end = to == G_MAXUINT64 ? MAX (from, fuzz.size) : to;
  g_autofree guint8 *data = NULL;
  g_autofree guint8 *wild = NULL;
  gboolean faults;
  gint64 expected, found;
  gsize length;

  for (guint i = 0; i < sizeof pattern; i++)
    pattern[i] = sample + i < MAX_SIZE ? fuzz.generation->inode->data[sample + i] : (guint8) i;
  found = (forwards ? mmio_file_find : mmio_file_find_last) (fuzz.file, pattern, pattern_length, from, to, &error);

  if (fuzz.closed)
    {
      expect (error, MMIO_ERROR_CLOSED);
      return;
    }
  if (end < from || !inside (from, end - from, fuzz.size))
    {
      g_assert_cmpint (found, ==, -1);
      expect (error, MMIO_ERROR_OUT_OF_BOUNDS);
      return;
    }

  length = (gsize) (end - from);
  faults = pattern_length > 0 && pattern_length <= length && touch (fuzz.generation, (gsize) from, length);
  if (error != NULL)
    {
      g_assert_cmpint (found, ==, -1);
      g_assert_true (is_fault (error));
      g_assert_true (is_faulted (fuzz.generation, (gsize) from, length));
      return;
    }

  data = g_malloc (MAX (length, 1));
  wild = g_malloc (MAX (length, 1));
  look (fuzz.generation, (gsize) from, length, data, wild);
  /* Bytes that it needn't have looked at: a match came before, or fewer were left than the pattern has. */
  if (faults && found == -1)
    {
      g_assert_cmpuint (end - MAX (from, round_up (fuzz.generation->inode->size)), <, pattern_length);
      return;
    }
  if (length > 0 && has_wild (wild, length))
    return;
  expected = pattern_length == 0 ? (gint64) (forwards ? 0 : length) : search (data, length, pattern, pattern_length, forwards);
  g_assert_cmpint (found, ==, expected < 0 ? -1 : (gint64) from + expected);
}

static void
put_ordered (guint8              *to,
             guint64              value,
             guint                width,
             GDataStreamByteOrder order)
{
  gboolean big = order == G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN ||
                 (order == G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN && G_BYTE_ORDER == G_BIG_ENDIAN);

  for (guint i = 0; i < width; i++)
    to[i] = (guint8) (value >> 8 * (big ? width - 1 - i : i));
}

static void
do_value (void)
{
  static const GDataStreamByteOrder orders[] = {
    G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN, G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN, G_DATA_STREAM_BYTE_ORDER_HOST_ENDIAN
  };
  g_autoptr (GError) error = NULL;
  guint8 kind = byte ();
  guint width = 1 << (kind & 3);
  GDataStreamByteOrder order = orders[(kind >> 2) % 3];
  gboolean is_set = (kind & 0x80) != 0;
  guint64 offset = position (fuzz.size);
  guint64 value = (guint64) number () * 0x0001000300070fffu;
  guint8 expected[8], wild[8], got[8];

  value &= G_MAXUINT64 >> (64 - 8 * width);
  if (is_set)
    {
      gboolean success;

      if (width == 1)
        success = mmio_file_set_uint8 (fuzz.file, offset, (guint8) value, &error);
      else if (width == 2)
        success = mmio_file_set_uint16 (fuzz.file, offset, (guint16) value, order, &error);
      else if (width == 4)
        success = mmio_file_set_uint32 (fuzz.file, offset, (guint32) value, order, &error);
      else
        success = mmio_file_set_uint64 (fuzz.file, offset, value, order, &error);
      g_assert_true (success == (error == NULL));
      put_ordered (got, value, width, order);
      expect_write (offset, width, got, error);
      return;
    }

  if (width == 1)
    value = mmio_file_get_uint8 (fuzz.file, offset, &error);
  else if (width == 2)
    value = mmio_file_get_uint16 (fuzz.file, offset, order, &error);
  else if (width == 4)
    value = mmio_file_get_uint32 (fuzz.file, offset, order, &error);
  else
    value = mmio_file_get_uint64 (fuzz.file, offset, order, &error);
  if (!expect_read (offset, width, error))
    {
      g_assert_cmpuint (value, ==, 0);
      return;
    }
  look (fuzz.generation, (gsize) offset, width, expected, wild);
  put_ordered (got, value, width, order);
  if (!has_wild (wild, width))
    g_assert_cmpmem (got, width, expected, width);
}

/* Views */

static Window *
free_window (void)
{
  for (guint i = 0; i < MAX_VIEWS; i++)
    if (fuzz.windows[i].view == NULL && fuzz.windows[i].bytes == NULL)
      return &fuzz.windows[i];
  return NULL;
}

static gboolean
is_current (const Window *window)
{
  return (window->view != NULL || window->bytes != NULL) && !fuzz.closed && window->generation == fuzz.generation;
}

static void
do_view (void)
{
  g_autoptr (GError) error = NULL;
  Window *window = free_window ();
  guint64 offset = position (fuzz.size);
  gsize length = smaller (extent (fuzz.size, offset), G_MAXSIZE);
  guint8 kind = byte () % 4;
  gint code = range_error (offset, length);

  if (window == NULL)
    return;

  *window = (Window) { .generation = fuzz.generation, .offset = (gsize) offset, .length = length };
  if (kind == 0)
    {
      window->bytes = mmio_file_get_bytes (fuzz.file, offset, length, &error);
    }
  else if (kind == 1)
    {
      window->view = mmio_file_get_view (fuzz.file, offset, length, &error);
    }
  else
    {
      window->writable = TRUE;
      window->view = mmio_file_get_writable_view (fuzz.file, offset, length, &error);
      if (fuzz.generation->mode == MMIO_MODE_READ_ONLY)
        code = MMIO_ERROR_WRONG_MODE;
    }
  g_assert_true ((window->view == NULL && window->bytes == NULL) == (error != NULL));
  expect (error, code);
  if (error != NULL)
    *window = (Window) { NULL };
}

static void
do_sub (void)
{
  const Window *whole = &fuzz.windows[byte () % MAX_VIEWS];
  Window *part = free_window ();
  g_autoptr (GError) error = NULL;
  guint64 offset;
  gsize length;

  if (whole->view == NULL || part == NULL)
    return;

  offset = position (whole->length);
  length = smaller (extent (whole->length, offset), G_MAXSIZE);
  part->view = mmio_view_sub (whole->view, offset, length, &error);
  if (!inside (offset, length, whole->length))
    {
      g_assert_null (part->view);
      expect (error, MMIO_ERROR_OUT_OF_BOUNDS);
      return;
    }
  g_assert_no_error (error);
  part->bytes = NULL;
  part->generation = whole->generation;
  part->offset = whole->offset + (gsize) offset;
  part->length = length;
  part->writable = whole->writable;
  part->tainted = whole->tainted || is_faulted (whole->generation, whole->offset, whole->length);
  g_assert_cmpuint (mmio_view_get_offset (part->view), ==, part->offset);
}

/* What was seen in a window, which check () then judged. */
static void
judge (Generation   *generation,
       gsize         offset,
       gsize         length,
       gboolean      tainted,
       const guint8 *data,
       gboolean      passed,
       const GError *error)
{
  g_assert_true (passed == (error == NULL));
  if (touch (generation, offset, length))
    g_assert_false (passed);
  if (passed)
    {
      compare (generation, offset, length, data);
      return;
    }
  g_assert_true (is_fault (error));
  g_assert_true (tainted || is_faulted (generation, offset, length));
}

static void
do_look (void)
{
  const Window *window = &fuzz.windows[byte () % MAX_VIEWS];
  g_autoptr (GError) error = NULL;
  g_autofree guint8 *copy = NULL;
  gconstpointer data;
  gsize length = 0;

  if (window->view == NULL && window->bytes == NULL)
    return;

  if (window->bytes != NULL)
    data = g_bytes_get_data (window->bytes, &length);
  else
    data = mmio_view_get_data (window->view, &length);
  g_assert_cmpuint (length, ==, window->length);
  copy = g_malloc (MAX (length, 1));
  if (length > 0)
    memcpy (copy, data, length);

  if (window->view != NULL)
    {
      gboolean passed = mmio_view_check (window->view, &error);

      judge (window->generation, window->offset, length, window->tainted, copy, passed, error);
    }
  else if (!touch (window->generation, window->offset, length) && !is_faulted (window->generation, window->offset, length))
    {
      compare (window->generation, window->offset, length, copy);
    }
}

static void
do_store (void)
{
  const Window *window = &fuzz.windows[byte () % MAX_VIEWS];
  g_autofree guint8 *data = NULL;
  guint8 *target;
  gsize skip, length;

  if (window->view == NULL || !window->writable || window->length == 0)
    return;

  skip = number () % window->length;
  length = smaller (window->length - skip, number ());
  data = some_bytes (length);
  target = mmio_view_get_pointer (window->view);
  memcpy (target + skip, data, length);
  touch (window->generation, window->offset + skip, length);
  store (window->generation, window->offset + skip, mmio_view_check (window->view, NULL) ? data : NULL, length);
}

static void
release (Window *window)
{
  if (is_current (window) && window->writable && window->offset < fuzz.size)
    {
      mark_dirty (window->offset, MIN (window->length, fuzz.size - window->offset));
      if (fuzz.flushes)
        {
          memset (fuzz.dirty, 0, sizeof fuzz.dirty);
          fuzz.dirty_is_exact = FALSE;
        }
    }
  if (window->view != NULL && (byte () & 1) != 0)
    {
      mmio_view_release (window->view);
      g_assert_cmpuint (mmio_view_get_length (window->view), ==, 0);
      g_assert_null (mmio_view_sub (window->view, 0, 0, NULL));
    }
  g_clear_pointer (&window->view, mmio_view_unref);
  g_clear_pointer (&window->bytes, g_bytes_unref);
}

static void
do_release (void)
{
  release (&fuzz.windows[byte () % MAX_VIEWS]);
}

static void
do_chunks (void)
{
  g_autoptr (GError) error = NULL;
  gsize chunk_size = number () % 9000;
  g_autofree guint8 *copy = g_malloc (MAX_SIZE);
  MmioChunkIter iter;
  gconstpointer data;
  gsize length, total = 0;
  gboolean passed;

  if (fuzz.size / MAX (chunk_size, 1) > 3000 && chunk_size > 0)
    chunk_size += 100;
  if (!mmio_chunk_iter_init (&iter, fuzz.file, chunk_size, &error))
    {
      g_assert_true (fuzz.closed);
      expect (error, MMIO_ERROR_CLOSED);
      return;
    }
  g_assert_false (fuzz.closed);
  while (mmio_chunk_iter_next (&iter, &data, &length))
    {
      g_assert_cmpuint (length, <=, fuzz.size - total);
      memcpy (copy + total, data, length);
      total += length;
    }
  g_assert_cmpuint (total, ==, fuzz.size);
  passed = mmio_chunk_iter_check (&iter, &error);
  judge (fuzz.generation, 0, total, FALSE, copy, passed, error);
  mmio_chunk_iter_clear (&iter);
}

/* Size and durability */

static void
drop_behind (gsize size)
{
  if (size < fuzz.size)
    clean (size, MAX_SIZE - size);
  fuzz.size = size;
}

static void
do_resize (void)
{
  g_autoptr (GError) error = NULL;
  guint64 size = new_size ();
  gboolean busy = FALSE;
  gboolean success;

  if (byte () == 0xff)
    size = G_MAXUINT64 - size;
  success = mmio_file_resize (fuzz.file, size, &error);
  g_assert_true (success == (error == NULL));

  for (guint i = 0; i < MAX_VIEWS; i++)
    busy = busy || (size < fuzz.size && is_current (&fuzz.windows[i]) &&
                    fuzz.windows[i].offset + fuzz.windows[i].length > size);
  if (fuzz.closed)
    expect (error, MMIO_ERROR_CLOSED);
  else if (fuzz.generation->mode != MMIO_MODE_READ_WRITE)
    expect (error, MMIO_ERROR_WRONG_MODE);
  else if (size > MAX_SIZE)
    expect (error, MMIO_ERROR_RESIZE_FAILED);
  else
    expect (error, busy ? MMIO_ERROR_BUSY : -1);
  if (!success)
    return;

  inode_set_size (fuzz.generation->inode, (gsize) size);
  drop_behind ((gsize) size);
}

static void
do_refresh (void)
{
  g_autoptr (GError) error = NULL;
  gboolean success = mmio_file_refresh (fuzz.file, &error);
  gsize size;

  g_assert_true (success == (error == NULL));
  if (fuzz.closed)
    {
      expect (error, MMIO_ERROR_CLOSED);
      return;
    }

  size = fuzz.generation->inode->size;
  /* Pages that are this mapping's alone can't be put elsewhere. */
  if (!success && fuzz.generation->mode == MMIO_MODE_COPY_ON_WRITE && size > round_up (fuzz.generation->mapped))
    {
      expect (error, MMIO_ERROR_RESIZE_FAILED);
      return;
    }
  g_assert_no_error (error);
  drop_behind (size);
  memset (fuzz.generation->faulted, 0, round_up (size) / fuzz.page);
  for (guint i = 0; i < MAX_VIEWS; i++)
    if (is_current (&fuzz.windows[i]))
      fuzz.windows[i].tainted = is_faulted (fuzz.generation, 0, MAX_SIZE);
}

/* A window on the very file that has been mapped anew is on what is the file now, though at other addresses. Private pages are each
 * mapping's own. */
static void
keep_windows (void)
{
  for (guint i = 0; i < MAX_VIEWS; i++)
    {
      Window *window = &fuzz.windows[i];

      if ((window->view == NULL && window->bytes == NULL) || window->generation < fuzz.first ||
          window->generation->inode != fuzz.generation->inode || window->generation->mode == MMIO_MODE_COPY_ON_WRITE)
        continue;
      for (gsize page = 0; page < MAX_PAGES; page++)
        fuzz.generation->faulted[page] |= window->generation->faulted[page];
      window->generation = fuzz.generation;
    }
}

static void
do_reload (void)
{
  g_autoptr (GError) error = NULL;
  gboolean success;

  if (fuzz.n_generations == MAX_GENERATIONS)
    return;

  success = mmio_file_reload (fuzz.file, &error);
  g_assert_true (success == (error == NULL));
  if (fuzz.closed)
    expect (error, MMIO_ERROR_CLOSED);
  else if (fuzz.has_name && fuzz.named == NULL)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  else
    g_assert_no_error (error);
  if (success)
    {
      new_generation (fuzz.has_name ? fuzz.named : fuzz.generation->inode, fuzz.generation->mode);
      keep_windows ();
    }
}

/* Has something to be lost in [offset, end)? */
static gboolean
is_cut_off (gsize offset,
            gsize end)
{
  gsize start = MAX (offset, fuzz.generation->inode->size);

  if (start >= end)
    return FALSE;
  if (memchr (fuzz.dirty + start, 1, end - start) != NULL)
    return TRUE;
  for (guint i = 0; i < MAX_VIEWS; i++)
    {
      const Window *window = &fuzz.windows[i];

      if (is_current (window) && window->writable && MAX (window->offset, start) < MIN (window->offset + window->length, end))
        return TRUE;
    }
  return FALSE;
}

/* TRUE: what was written is on the disk. */
static gboolean
expect_flush (gsize         offset,
              gsize         end,
              const GError *error)
{
  if (fuzz.generation->mode == MMIO_MODE_READ_ONLY)
    {
      g_assert_no_error (error);
      return TRUE;
    }
  if (fuzz.generation->mode == MMIO_MODE_COPY_ON_WRITE)
    {
      g_assert_error (error, MMIO_ERROR, MMIO_ERROR_WRONG_MODE);
      return FALSE;
    }
  if (is_cut_off (offset, end))
    g_assert_error (error, MMIO_ERROR, MMIO_ERROR_TRUNCATED);
  if (error == NULL)
    return TRUE;
  g_assert_true (is_fault (error));
  g_assert_true (flush_can_fail ());
  return FALSE;
}

static void
do_flush (void)
{
  g_autoptr (GError) error = NULL;
  gboolean success = mmio_file_flush (fuzz.file, &error);

  g_assert_true (success == (error == NULL));
  if (fuzz.closed)
    {
      expect (error, MMIO_ERROR_CLOSED);
    }
  else if (expect_flush (0, fuzz.size, error))
    {
      clean (0, MAX_SIZE);
      fuzz.dirty_is_exact = TRUE;
    }
}

static void
do_flush_range (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  guint64 length = extent (fuzz.size, offset);
  gboolean success = mmio_file_flush_range (fuzz.file, offset, length, &error);
  gint code = range_error (offset, length);

  g_assert_true (success == (error == NULL));
  if (code >= 0)
    expect (error, code);
  else if (expect_flush ((gsize) offset, (gsize) (offset + length), error))
    clean ((gsize) offset, (gsize) length);
}

static void
do_writeback (void)
{
  g_autoptr (GError) error = NULL;
  guint64 offset = position (fuzz.size);
  guint64 length = extent (fuzz.size, offset);

  mmio_file_start_writeback (fuzz.file, offset, length, &error);
  expect (error, range_error (offset, length));
}

static void
check_pending (void)
{
  g_autofree guint8 *dirty = NULL;
  guint64 pending, expected = 0;

  if (fuzz.closed)
    return;

  pending = mmio_file_get_pending_bytes (fuzz.file);
  if (fuzz.generation->mode != MMIO_MODE_READ_WRITE)
    {
      g_assert_cmpuint (pending, ==, 0);
      return;
    }
  dirty = g_memdup2 (fuzz.dirty, MAX_SIZE);
  for (guint i = 0; i < MAX_VIEWS; i++)
    {
      const Window *window = &fuzz.windows[i];

      if (is_current (window) && window->writable && window->offset < fuzz.size)
        memset (dirty + window->offset, 1, MIN (window->length, fuzz.size - window->offset));
    }
  for (gsize i = 0; i < fuzz.size; i++)
    expected += dirty[i];
  g_assert_cmpuint (pending, >=, expected);
  if (fuzz.dirty_is_exact && fuzz.n_dirty < MAX_EXACT_RANGES)
    g_assert_cmpuint (pending, ==, expected);
}

/* What others do */

static void
do_foreign_size (void)
{
  Inode *inode = (byte () & 7) == 0 && fuzz.named != NULL ? fuzz.named : fuzz.generation->inode;
  gsize size = new_size ();

  g_assert_no_errno (ftruncate (inode->fd, (off_t) size));
  inode_set_size (inode, size);
}

static void
do_foreign_write (void)
{
  Inode *inode = fuzz.generation->inode;
  gsize offset = new_size ();
  gsize length = smaller (number () % 9000, fuzz.page * MAX_PAGES - offset);
  g_autofree guint8 *data = some_bytes (length);

  if (length == 0)
    return;
  g_assert_cmpint (pwrite (inode->fd, data, length, (off_t) offset), ==, length);
  memcpy (inode->data + offset, data, length);
  memset (inode->wild + offset, 0, length);
  inode->size = MAX (inode->size, offset + length);
}

static void
do_rename_over (void)
{
  g_autofree char *temporary = g_strconcat (fuzz.path, "~", NULL);
  g_autofree guint8 *data = NULL;
  gsize size = new_size ();

  if (fuzz.n_inodes == MAX_INODES)
    return;
  data = some_bytes (size);
  fuzz.named = add_inode (open (temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), size);
  g_assert_cmpint (pwrite (fuzz.named->fd, data, size, 0), ==, size);
  memcpy (fuzz.named->data, data, size);
  g_assert_no_errno (rename (temporary, fuzz.path));
}

static void
do_unlink (void)
{
  if (fuzz.named == NULL)
    return;
  g_assert_no_errno (unlink (fuzz.path));
  fuzz.named = NULL;
}

static void
check_inodes (void)
{
  g_autofree guint8 *data = g_malloc (MAX_SIZE);

  for (guint i = 0; i < fuzz.n_inodes; i++)
    {
      const Inode *inode = &fuzz.inodes[i];
      struct stat buffer;

      g_assert_no_errno (fstat (inode->fd, &buffer));
      g_assert_cmpint (buffer.st_size, ==, inode->size);
      g_assert_cmpint (pread (inode->fd, data, inode->size, 0), ==, inode->size);
      for (gsize at = 0; at < inode->size; at++)
        if (data[at] != inode->data[at] && !inode->wild[at])
          g_error ("byte %" G_GSIZE_FORMAT " of the file is %u, not %u", at, data[at], inode->data[at]);
    }
}

/* Opening and closing */

static void
do_close (void)
{
  g_autoptr (GError) error = NULL;
  gboolean success = mmio_file_close (fuzz.file, &error);

  g_assert_true (success == (error == NULL));
  if (fuzz.closed || fuzz.generation->mode != MMIO_MODE_READ_WRITE)
    g_assert_no_error (error);
  else
    expect_flush (0, fuzz.size, error);
  fuzz.closed = TRUE;
  fuzz.size = 0;
  g_assert_true (mmio_file_is_closed (fuzz.file));
}

static void
on_fault (MmioFile *file,
          guint64   offset,
          guint64   length)
{
  g_assert_cmpuint (length, >, 0);
  g_assert_cmpuint (offset + length, <=, MAX_SIZE);
}

static MmioFile *
open_with_properties (MmioMode mode,
                      guint8   options,
                      GError **error)
{
  MmioFlushPolicy policy = mode != MMIO_MODE_READ_WRITE || (options & 3) != 0 ? MMIO_FLUSH_POLICY_MANUAL
                           : (options & 4) != 0                               ? MMIO_FLUSH_POLICY_EVERY_BYTES
                                                                              : MMIO_FLUSH_POLICY_ALWAYS;

  fuzz.flushes = policy != MMIO_FLUSH_POLICY_MANUAL;
  return g_initable_new (MMIO_TYPE_FILE, NULL, error,
                         "path", fuzz.path,
                         "mode", mode,
                         "reserve-size", (guint64) (options >> 4) * fuzz.page,
                         "flush-policy", policy,
                         "flush-threshold", (guint64) 5000,
                         "preallocate", (options & 8) != 0,
                         NULL);
}

static MmioFile *
open_in_some_way (guint8    kind,
                  MmioMode *mode,
                  Inode   **inode,
                  GError  **error)
{
  MmioFile *file;
  gsize size = new_size ();
  MmioCreateFlags flags = MMIO_CREATE_FLAGS_NONE;

  *inode = fuzz.named;
  switch (kind % 6)
    {
    case 0:
      return open_with_properties (*mode, byte (), error);
    case 1:
      return mmio_file_open (fuzz.path, *mode, error);
    case 2:
      *mode = MMIO_MODE_READ_WRITE;
      return mmio_file_open_or_create (fuzz.path, size, error);
    case 3:
      *mode = MMIO_MODE_READ_WRITE;
      flags = (MmioCreateFlags) (byte () & (MMIO_CREATE_FLAGS_REPLACE | MMIO_CREATE_FLAGS_PREALLOCATE));
      file = mmio_file_create (fuzz.path, size, flags, error);
      if (fuzz.named != NULL && (flags & MMIO_CREATE_FLAGS_REPLACE) == 0)
        g_assert_error (*error, G_IO_ERROR, G_IO_ERROR_EXISTS);
      else
        *inode = fuzz.named = NULL;
      return file;
    case 4:
      fuzz.has_name = FALSE;
      *inode = fuzz.generation->inode;
      return mmio_file_new_for_fd ((*inode)->fd, *mode, error);
    default:
      fuzz.has_name = FALSE;
      *mode = MMIO_MODE_READ_WRITE;
      *inode = NULL;
      return mmio_file_new_anonymous ("fuzz", size, error);
    }
}

static void
do_open (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = NULL;
  guint8 kind = byte ();
  MmioMode mode = (MmioMode) ((kind >> 4) % 3);
  Inode *named = fuzz.named;
  Inode *inode;

  if (fuzz.n_generations == MAX_GENERATIONS || fuzz.n_inodes == MAX_INODES)
    return;

  fuzz.flushes = FALSE;
  fuzz.has_name = TRUE;
  g_clear_object (&fuzz.file);
  /* Views keep it alive, if it has any. */
  file = open_in_some_way (kind, &mode, &inode, &error);
  if (file == NULL)
    {
      if (kind % 6 < 2)
        {
          g_assert_null (named);
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
        }
      else
        {
          g_assert_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS);
        }
      /* Something to go on with. */
      g_clear_error (&error);
      kind = 2;
      file = open_in_some_way (kind, &mode, &inode, &error);
    }
  g_assert_no_error (error);
  if (inode == NULL)
    {
      inode = add_inode (dup (mmio_file_get_fd (file)), (gsize) mmio_file_get_size (file));
      if (fuzz.has_name)
        fuzz.named = inode;
    }
  g_assert_cmpint (mmio_file_get_mode (file), ==, mode);
  g_signal_connect (file, "fault", G_CALLBACK (on_fault), NULL);
  fuzz.file = g_steal_pointer (&file);
  fuzz.closed = FALSE;
  new_generation (inode, mode);
  fuzz.first = fuzz.generation;
}

static void
do_iterate (void)
{
  for (guint i = 0; i < 5 && g_main_context_iteration (NULL, FALSE); i++)
    ;
}

static void
check_all (void)
{
  check_pending ();
  check_inodes ();
}

static const struct
{
  const char *name;
  void (*run) (void);
} operations[] = {
  { "read", do_read },           { "write", do_write },           { "fill", do_fill },
  { "move", do_move },           { "find", do_find },             { "value", do_value },
  { "peek", do_peek },           { "view", do_view },             { "look", do_look },
  { "store", do_store },         { "sub", do_sub },               { "release", do_release },
  { "chunks", do_chunks },       { "resize", do_resize },         { "refresh", do_refresh },
  { "reload", do_reload },       { "flush", do_flush },           { "flush_range", do_flush_range },
  { "writeback", do_writeback }, { "foreign size", do_foreign_size }, { "foreign write", do_foreign_write },
  { "rename over", do_rename_over }, { "unlink", do_unlink },     { "close", do_close },
  { "open", do_open },           { "iterate", do_iterate },       { "write from view", do_write_from_view },
  { "check", check_all },
};

static void
set_up (void)
{
  static gboolean is_ready;

  if (!is_ready)
    {
      g_autofree char *template = NULL;
      const char *parent = access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir ();

      template = g_build_filename (parent, "mmio-fuzz-XXXXXX", NULL);
      fuzz.folder = g_mkdtemp (g_steal_pointer (&template));
      g_assert_nonnull (fuzz.folder);
      fuzz.path = g_build_filename (fuzz.folder, "file", NULL);
      fuzz.page = MAX_PAGE;
      fuzz.inodes = g_new0 (Inode, MAX_INODES);
      fuzz.generations = g_new0 (Generation, MAX_GENERATIONS);
      atexit (fuzz_file_clear);
      is_ready = TRUE;
    }
}

void
fuzz_file_clear (void)
{
  if (fuzz.folder == NULL)
    return;
  g_assert_no_errno (rmdir (fuzz.folder));
  g_clear_pointer (&fuzz.folder, g_free);
  g_clear_pointer (&fuzz.path, g_free);
}

int
LLVMFuzzerTestOneInput (const guint8 *data,
                        size_t        size)
{
  gboolean trace = g_getenv ("FUZZ_TRACE") != NULL;

  set_up ();
  fuzz.input = data;
  fuzz.left = size;
  fuzz.n_inodes = fuzz.n_generations = 0;
  fuzz.named = NULL;
  /* There is always a file. */
  fuzz.named = add_inode (open (fuzz.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), 0);
  fuzz.closed = TRUE;
  fuzz.size = 0;
  new_generation (fuzz.named, MMIO_MODE_READ_ONLY);
  do_foreign_write ();
  do_open ();

  for (guint i = 0; i < MAX_OPERATIONS && fuzz.left > 0; i++)
    {
      guint operation = byte () % G_N_ELEMENTS (operations);

      if (trace)
        g_printerr ("%s: size %" G_GSIZE_FORMAT ", of the file %" G_GSIZE_FORMAT "\n", operations[operation].name, fuzz.size,
                    fuzz.generation->inode->size);
      operations[operation].run ();
      g_assert_cmpuint (mmio_file_get_size (fuzz.file), ==, fuzz.size);
    }

  check_all ();
  for (guint i = 0; i < MAX_VIEWS; i++)
    release (&fuzz.windows[i]);
  check_all ();
  g_clear_object (&fuzz.file);
  do_iterate ();
  check_inodes ();
  for (guint i = 0; i < fuzz.n_inodes; i++)
    close (fuzz.inodes[i].fd);
  unlink (fuzz.path);

  return 0;
}
