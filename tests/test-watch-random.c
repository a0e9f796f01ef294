/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Another process does 10,000 random things to a file. A listener that believes the reports alone must know, after each
 * burst, what is there: whether the file exists, its inode, size, mode, and every byte of it.
 */
#include "config.h"

#include "mmio-watch-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef HAVE_SYS_INOTIFY_H
#define N_OPERATIONS 10000
#else
/* what GFileMonitor doesn't hear takes a tick */
#define N_OPERATIONS 200
#endif
#define MAX_BURST 20
#define MAX_WRITE 300
/* Up to here all of the file is compared before it is said that it was only appended to. */
#define MAX_SIZE (12 * 1024)
#define PATIENCE_MS 60000

/* The process that does it */

typedef struct
{
  GRand *rand;
  guint n_writes;
  char bytes[MAX_WRITE];
} Operator;

/* Of values that come again only with the 44th write from now: a byte that changes and, before it is looked for what has changed, changes
 * back is not said to have changed, as MMIO_WATCH_FLAGS_LOCATE has it, and a listener that has read it in between would know no better. */
static gsize
random_bytes (Operator *self)
{
  gsize length = (gsize) g_rand_int_range (self->rand, 1, MAX_WRITE);
  gint32 first = 80 + (gint32) (self->n_writes++ % 44) * 4;

  for (gsize i = 0; i < length; i++)
    self->bytes[i] = (char) g_rand_int_range (self->rand, first, first + 4);
  return length;
}

static void
put (Operator   *self,
     const char *path,
     int         flags,
     off_t       offset)
{
  int fd = open (path, O_WRONLY | O_CLOEXEC | flags, 0644);
  struct stat st;

  if (fd < 0)
    return;
  if (fstat (fd, &st) == 0 && st.st_size < MAX_SIZE && pwrite (fd, self->bytes, random_bytes (self), offset) < 0)
    g_printerr ("%s: %s\n", path, g_strerror (errno));
  close (fd);
}

static void
write_through_mapping (Operator   *self,
                       const char *path)
{
#if HAVE_DECL_FALLOC_FL_KEEP_SIZE
  int fd = open (path, O_RDWR | O_CLOEXEC);
  struct stat st;

  if (fd < 0)
    return;
  if (fstat (fd, &st) == 0 && st.st_size > 0)
    {
      char *start = mmap (NULL, (gsize) st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

      start[g_rand_int_range (self->rand, 0, (gint32) st.st_size)] = 'M';
      msync (start, (gsize) st.st_size, MS_SYNC);
      munmap (start, (gsize) st.st_size);
      if (fallocate (fd, FALLOC_FL_KEEP_SIZE, 0, 1) != 0)
        g_printerr ("%s: %s\n", path, g_strerror (errno));
    }
  close (fd);
#else
  put (self, path, 0, 0);
#endif
}

static void
operate (Operator *self)
{
  const char *path = "folder/file";
  const struct timespec times[2] = { { g_rand_int_range (self->rand, 0, 1000000), 0 },
                                     { g_rand_int_range (self->rand, 0, 1000000), 0 } };

  switch (g_rand_int_range (self->rand, 0, 30))
    {
    case 0:
    case 1:
    case 2:
    case 3:
      put (self, path, O_APPEND, 0);
      break;
    case 4:
    case 5:
      put (self, path, 0, g_rand_int_range (self->rand, 0, 1000));
      break;
    case 6:
      (void) !truncate (path, g_rand_int_range (self->rand, 0, MAX_SIZE));
      break;
    case 7:
      put (self, path, O_CREAT | O_TRUNC, 0);
      break;
    case 8:
    case 9:
    case 10:
      put (self, "folder/temporary", O_CREAT | O_TRUNC, 0);
      rename ("folder/temporary", path);
      break;
    case 11:
      unlink (path);
      break;
    case 12:
    case 13:
      put (self, path, O_CREAT, 0);
      break;
    case 14:
      rename (path, "away");
      break;
    case 15:
      rename ("away", path);
      break;
    case 16:
      chmod (path, 0600 | (mode_t) g_rand_int_range (self->rand, 0, 0100));
      break;
    case 17:
      utimensat (AT_FDCWD, path, times, 0);
      break;
    case 18:
      unlink ("name");
      (void) !link (path, "name");
      break;
    case 19:
      put (self, "name", O_APPEND, 0);
      break;
    case 20:
      put (self, "name", 0, 10);
      break;
    case 21:
      rename ("name", path);
      break;
    case 22:
    case 23:
      write_through_mapping (self, path);
      break;
    case 24:
      rename ("folder", "folder.away");
      break;
    case 25:
      if (rename ("folder.away", "folder") != 0)
        g_mkdir ("folder", 0700);
      break;
    case 26:
      rename (path, "target");
      (void) !symlink ("../target", path);
      break;
    case 27:
      put (self, "other-target", O_CREAT | O_TRUNC, 0);
      (void) !symlink ("../other-target", "folder/temporary-link");
      rename ("folder/temporary-link", path);
      break;
    case 28:
      put (self, "target", O_CREAT | O_APPEND, 0);
      break;
    default:
      unlink (path);
      g_rmdir ("folder");
      g_mkdir ("folder", 0700);
      put (self, path, O_CREAT, 0);
      break;
    }
}

/* One line in: how many operations. One byte out: done. */
static int
run_operator (guint32 seed)
{
  Operator self = { .rand = g_rand_new_with_seed (seed) };
  char line[32];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      for (gint64 n = g_ascii_strtoll (line, NULL, 10); n > 0; n--)
        operate (&self);
      if (write (STDOUT_FILENO, ".", 1) != 1)
        break;
    }
  g_rand_free (self.rand);
  return 0;
}

/* The listener */

typedef struct
{
  char *path;
  MmioFileState state;
  GByteArray *bytes;
  guint n_reports;
  guint64 missing_from;         /* the file was too short by then to be read from here on, as far as was said */
  GString *history;
  gboolean burst_is_over;
  gboolean timed_out;
} Listener;

/* What was said to be there may be gone by now. That will be reported, but if it comes back just as it was, nothing will
 * be said to have changed, and where its folder was away nothing at all: it has to be read with the next report, or when it is there
 * again. */
static void
read_range (Listener *self,
            guint64   offset,
            guint64   length)
{
  int fd = open (self->path, O_RDONLY | O_CLOEXEC);
  struct stat st;
  guint64 size = self->state.size, end = offset + length;
  guint length_before = self->bytes->len;
  gssize n_read = 0;

  g_byte_array_set_size (self->bytes, (guint) size);
  if (size > length_before)
    memset (self->bytes->data + length_before, '?', size - length_before);
  if (self->missing_from < size)
    {
      offset = MIN (offset, self->missing_from);
      end = size;
    }
  /* another file may stand there for a moment */
  if (fd >= 0 && fstat (fd, &st) == 0 && st.st_ino == self->state.inode)
    n_read = pread (fd, self->bytes->data + offset, end - offset, (off_t) offset);
  self->missing_from = n_read < (gssize) (end - offset) ? offset + (guint64) MAX (n_read, 0) : G_MAXUINT64;
  g_string_append_printf (self->history, "(%" G_GSSIZE_FORMAT ")", n_read);
  if (fd >= 0)
    close (fd);
}

static void
heard (const MmioWatchReport *report,
       gpointer               user_data)
{
  Listener *self = user_data;

  self->n_reports++;
  g_string_append_printf (self->history, " %d:%" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, report->what,
                          report->offset, report->length, report->state.size);
  if (self->history->len > 4000)
    g_string_erase (self->history, 0, 2000);
  self->state = report->state;
  switch (report->what)
    {
    case MMIO_WATCH_CHANGED:
      g_assert_cmpuint (report->offset, <=, report->state.size);
      g_assert_cmpuint (report->length, <=, report->state.size - report->offset);
      read_range (self, report->offset, report->length);
      break;
    case MMIO_WATCH_REPLACED:
      read_range (self, 0, report->state.size);
      break;
    case MMIO_WATCH_REMOVED:
      g_assert_false (report->state.exists);
      g_byte_array_set_size (self->bytes, 0);
      break;
    case MMIO_WATCH_METADATA:
      if (self->missing_from < self->state.size)
        read_range (self, self->missing_from, 0);
      break;
    case MMIO_WATCH_ABOUT_TO_CHANGE:
    default:
      break;
    }
}

static gboolean
knows_the_truth (Listener *self)
{
  struct stat st;
  g_autofree char *contents = NULL;
  gsize length;

  if (stat (self->path, &st) != 0)
    return !self->state.exists;
  if (!self->state.exists || self->state.inode != st.st_ino || self->state.size != (guint64) st.st_size ||
      self->state.mode != st.st_mode)
    return FALSE;
  if (self->missing_from < self->state.size)
    read_range (self, self->missing_from, 0);
  if (!g_file_get_contents (self->path, &contents, &length, NULL))
    return FALSE;
  return length == self->bytes->len && memcmp (contents, self->bytes->data, length) == 0;
}

static void
tell_the_difference (Listener *self)
{
  g_autofree char *contents = NULL;
  struct stat st = { 0 };
  gsize length = 0, at = 0;

  g_test_message ("listener: exists %d, inode %" G_GUINT64_FORMAT ", size %" G_GUINT64_FORMAT ", mode %o",
                  self->state.exists, self->state.inode, self->state.size, self->state.mode);
  if (stat (self->path, &st) != 0)
    g_test_message ("truth: %s", g_strerror (errno));
  else
    g_test_message ("truth: inode %" G_GUINT64_FORMAT ", size %" G_GUINT64_FORMAT ", mode %o", (guint64) st.st_ino,
                    (guint64) st.st_size, st.st_mode);
  if (!g_file_get_contents (self->path, &contents, &length, NULL))
    return;
  while (at < MIN (length, self->bytes->len) && contents[at] == (char) self->bytes->data[at])
    at++;
  g_test_message ("listener has %u bytes, the first %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " are right", self->bytes->len,
                  at, length);
  g_test_message ("reports:%s", self->history->str);
}

static gboolean
lose_patience (gpointer user_data)
{
  ((Listener *) user_data)->timed_out = TRUE;
  return G_SOURCE_REMOVE;
}

static gboolean
burst_is_over (int          fd,
               GIOCondition condition G_GNUC_UNUSED,
               gpointer     user_data)
{
  char byte;

  g_assert_cmpint (read (fd, &byte, 1), ==, 1);
  ((Listener *) user_data)->burst_is_over = TRUE;
  return G_SOURCE_CONTINUE;
}

/* Sometimes the listener listens meanwhile, sometimes it is busy. */
static void
run_burst (Listener *self,
           int       commands,
           int       answers,
           int       n_operations)
{
  g_autofree char *line = g_strdup_printf ("%d\n", n_operations);
  guint patience = g_timeout_add (PATIENCE_MS, lose_patience, self);

  self->burst_is_over = FALSE;
  g_assert_cmpint (write (commands, line, strlen (line)), ==, (gssize) strlen (line));
  if (g_test_rand_bit ())
    burst_is_over (answers, G_IO_IN, self);
  while (!self->timed_out && !(self->burst_is_over && knows_the_truth (self)))
    g_main_context_iteration (NULL, TRUE);
  if (self->timed_out)
    tell_the_difference (self);
  g_assert_false (self->timed_out);
  g_source_remove (patience);
}

typedef struct
{
  const char *name;
  guint interval;
  MmioWatchFlags flags;
  guint64 locate_limit;
} Kind;

static const Kind kinds[] = {
  { "/watch/random/listener-knows-the-truth", 0, MMIO_WATCH_FLAGS_NONE, 0 },
  { "/watch/random/listener-knows-the-truth/in-bursts", 5, MMIO_WATCH_FLAGS_NONE, 0 },
  { "/watch/random/listener-knows-the-truth/located-to-the-byte", 0, MMIO_WATCH_FLAGS_LOCATE, 8 * 1024 },
  { "/watch/random/listener-knows-the-truth/located-to-the-block", 3, MMIO_WATCH_FLAGS_LOCATE, 0 },
};

static void
test_random (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("mmio-random-XXXXXX", &error);
  g_autofree char *seed = g_strdup_printf ("%u", (guint32) g_test_rand_int ());
  const char *argv[] = { "/proc/self/exe", "--operate", seed, NULL };
  const char *clean[] = { "rm", "-rf", folder, NULL };
  Listener self = { .path = g_build_filename (folder, "folder", "file", NULL), .bytes = g_byte_array_new (), .history = g_string_new (NULL),
                    .missing_from = G_MAXUINT64 };
  g_autoptr (GFile) location = g_file_new_for_path (self.path);
  MmioWatchSetup setup = { .location = location, .fd = -1, .flags = kind->flags, .interval = kind->interval,
                           .locate_limit = kind->locate_limit };
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  MmioWatch *watch;
  int commands, answers;
  guint source, n_bursts = 0;

  g_assert_no_error (error);
  if (program != NULL)
    argv[0] = program;
  g_spawn_async_with_pipes (folder, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, &commands, &answers, NULL,
                            &error);
  g_assert_no_error (error);

  watch = mmio_watch_start (&setup, heard, &self, NULL, NULL, &error);
  g_assert_no_error (error);
  source = g_unix_fd_add (answers, G_IO_IN, burst_is_over, &self);

  for (int left = N_OPERATIONS; left > 0; n_bursts++)
    {
      int n = g_test_rand_int_range (1, MAX_BURST);

      n = MIN (n, left);
      run_burst (&self, commands, answers, n);
      left -= n;
    }
  g_test_message ("%u bursts, %u reports", n_bursts, self.n_reports);

  g_source_remove (source);
  mmio_watch_stop (watch);
  close (commands);
  close (answers);
  g_spawn_sync (NULL, (char **) clean, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  g_byte_array_unref (self.bytes);
  g_string_free (self.history, TRUE);
  g_free (self.path);
}

int
main (int   argc,
      char *argv[])
{
  if (argc == 3 && strcmp (argv[1], "--operate") == 0)
    return run_operator ((guint32) g_ascii_strtoull (argv[2], NULL, 10));

  g_test_init (&argc, &argv, NULL);

  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    g_test_add_data_func (kinds[i].name, &kinds[i], test_random);

  return g_test_run ();
}
