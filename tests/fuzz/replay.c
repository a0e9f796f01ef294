/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs the fuzz target over its corpus, and over inputs at random, where there is no libFuzzer: any compiler, any build.
 */
#include <unistd.h>

#include "fuzz-file.h"

#define N_RANDOM 300

static void
test_corpus (gconstpointer data)
{
  const char *path = data;
  g_autofree char *content = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;

  g_file_get_contents (path, &content, &length, &error);
  g_assert_no_error (error);
  LLVMFuzzerTestOneInput ((const guint8 *) content, length);
}

static void
test_random (void)
{
  guint8 input[600];

  for (guint i = 0; i < N_RANDOM; i++)
    {
      gsize length = (gsize) g_test_rand_int_range (1, sizeof input);

      for (gsize j = 0; j < length; j++)
        input[j] = (guint8) g_test_rand_int_range (0, 256);
      LLVMFuzzerTestOneInput (input, length);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_autofree char *folder = NULL;
  g_autoptr (GDir) entries = NULL;
  g_autoptr (GError) error = NULL;
  const char *name;
  int result;

  g_test_init (&argc, &argv, NULL);
  if (sysconf (_SC_PAGESIZE) != 4096)
    {
      g_print ("1..0 # SKIP the model knows pages of 4096 bytes\n");
      return 0;
    }

  folder = g_test_build_filename (G_TEST_DIST, "fuzz", "corpus", NULL);
  entries = g_dir_open (folder, 0, &error);
  g_assert_no_error (error);
  while ((name = g_dir_read_name (entries)) != NULL)
    {
      g_autofree char *test = g_strconcat ("/fuzz/corpus/", name, NULL);

      g_test_add_data_func_full (test, g_build_filename (folder, name, NULL), test_corpus, g_free);
    }
  g_test_add_func ("/fuzz/random/does-as-the-model-does", test_random);

  result = g_test_run ();
  fuzz_file_clear ();
  return result;
}
