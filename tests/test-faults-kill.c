/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A writer that is killed at a random moment: each record that a flush has acknowledged is whole, and what comes after it is a record
 * or nothing that pretends to be one.
 */
#include "config.h"

#include "mmio-test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define KILLS (mmio_test_is_thorough () ? 100u : 15u)
#define N_WORDS 37              /* of a record: no divisor of a page */

typedef struct
{
  guint64 words[N_WORDS];       /* the number of the record, what follows from it, and last their sum */
} Record;

typedef struct
{
  const char *path;
  guint64 first;                /* the number of the first record to write */
  int fd;                       /* where acknowledged numbers go */
} Writer;

static void
make_record (Record *self,
             guint64 number)
{
  guint64 sum = number;

  self->words[0] = number;
  for (guint i = 1; i < N_WORDS - 1; i++)
    sum += self->words[i] = (number + i) * G_GUINT64_CONSTANT (0x9E3779B97F4A7C15);
  self->words[N_WORDS - 1] = sum;
}

static int
keep_writing (gpointer data)
{
  const Writer *writer = data;
  const gsize page = mmio_test_page_size ();
  g_autoptr (GError) error = NULL;
  g_autoptr (MmioFile) file = mmio_file_open_or_create (writer->path, 0, &error);

  g_assert_no_error (error);
  if (writer->first % 2 == 0)
    g_object_set (file, "flush-policy", MMIO_FLUSH_POLICY_ALWAYS, NULL);
  for (guint64 number = writer->first; number < G_MAXUINT64; number++)
    {
      guint64 offset = number * sizeof (Record);
      Record record;

      make_record (&record, number);
      if (offset + sizeof record > mmio_file_get_size (file))
        g_assert_true (mmio_file_resize (file, (offset + sizeof record + page) / page * page, &error));
      g_assert_true (mmio_file_write (file, offset, &record, sizeof record, &error));
      if (writer->first % 2 != 0)
        g_assert_true (mmio_file_flush (file, &error));
      g_assert_no_error (error);
      g_assert_cmpint (write (writer->fd, &number, sizeof number), ==, sizeof number);
    }

  return 0;
}

static void
test_kill (MmioTest     *test,
           gconstpointer data G_GNUC_UNUSED)
{
  g_autoptr (GRand) rand = mmio_test_new_rand ();
  guint64 acknowledged = 0;     /* how many */

  for (guint i = 0; i < KILLS; i++)
    {
      g_autofree char *content = NULL;
      g_autoptr (GError) error = NULL;
      Writer writer = { test->path, acknowledged, -1 };
      guint64 number;
      gsize size;
      int status, fds[2];
      pid_t pid;

      g_assert_no_errno (pipe (fds));
      writer.fd = fds[1];
      pid = mmio_test_fork (keep_writing, &writer);
      close (fds[1]);
      /* It has come as far as to write; then at any moment. */
      g_assert_cmpint (read (fds[0], &number, sizeof number), ==, sizeof number);
      acknowledged = number + 1;
      g_usleep ((gulong) g_rand_int_range (rand, 0, 15000));
      g_assert_no_errno (kill (pid, SIGKILL));
      while (read (fds[0], &number, sizeof number) == sizeof number)
        acknowledged = number + 1;
      close (fds[0]);
      status = mmio_test_wait_status (pid);
      g_assert_true (WIFSIGNALED (status));
      g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);

      g_file_get_contents (test->path, &content, &size, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (size, >=, acknowledged * sizeof (Record));
      for (guint64 j = 0; j < acknowledged; j++)
        {
          Record record;

          make_record (&record, j);
          g_assert_cmpmem (content + j * sizeof record, sizeof record, &record, sizeof record);
        }
    }

  g_test_message ("%u writers killed, %" G_GUINT64_FORMAT " acknowledged records whole", KILLS, acknowledged);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  mmio_test_add ("/faults/kill/acknowledged-records-are-whole", NULL, test_kill);

  return g_test_run ();
}
