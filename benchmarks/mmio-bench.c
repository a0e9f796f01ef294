/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Measures libmmio beside what it stands on. A goal that is missed is said, and is no failure: speed depends on the machine and on
 * what else it does. `make bench-check` is what guards against getting slower.
 */
#include "config.h"

#include "bench-private.h"

#include <glib/gstdio.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <unistd.h>

static const struct
{
  const char *prefix;
  void (*run) (Bench *bench);
} groups[] = {
  { "read", bench_copy },      { "write", bench_copy },     { "peek", bench_copy },       { "view", bench_view },
  { "chunk", bench_chunk },    { "record", bench_record },  { "find", bench_find },       { "atomic", bench_atomic },
  { "resize", bench_resize },  { "open", bench_open },      { "flush", bench_flush },     { "stream", bench_stream },
  { "python", bench_language }, { "gjs", bench_language },  { "vala", bench_language },   { "limited", bench_limited },
  { "wake", bench_wake },      { "scale-size", bench_scale }, { "scale-views", bench_scale }, { "scale-files", bench_scale },
  /* Last: once a process has run on several processors, unmapping memory has to tell all of them, which flatters resize. */
  { "threads", bench_threads }, { "scale-threads", bench_threads }, { "grow", bench_grow },
  { "watch", bench_watch },    { "locate", bench_watch },   { "scale-watched", bench_watch },
};

static const struct
{
  const char *name;
  int (*run) (char **arguments);
} partners[] = {
  { "--partner=atomic", bench_atomic_partner },
  { "--partner=limited", bench_limited_partner },
  { "--partner=wake", bench_wake_partner },
};

static char *
make_folder (const char *parent)
{
  g_autofree char *template = g_build_filename (parent, "mmio-bench-XXXXXX", NULL);

  return g_mkdtemp (template) != NULL ? g_steal_pointer (&template) : NULL;
}

static gboolean
is_tmpfs (const char *folder)
{
  struct statfs buffer;

  return statfs (folder, &buffer) == 0 && buffer.f_type == 0x01021994;
}

static void
clean_up (Bench *bench)
{
  for (guint i = 0; i < bench->files->len; i++)
    g_unlink (g_ptr_array_index (bench->files, i));
  if (bench->tmpfs_folder != NULL)
    g_rmdir (bench->tmpfs_folder);
  if (bench->disk_folder != NULL)
    g_rmdir (bench->disk_folder);
}

static void
print_end (Bench *bench)
{
  guint goals = 0, met = 0;

  for (guint i = 0; i < bench->results->len; i++)
    {
      const BenchResult *result = g_ptr_array_index (bench->results, i);

      if (result->skipped != NULL || result->description.goal <= 0)
        continue;
      goals++;
      met += result->goal_met ? 1 : 0;
    }
  for (guint i = 0; i < bench->curves->len; i++)
    {
      const BenchCurveResult *curve = g_ptr_array_index (bench->curves, i);

      if (curve->goal <= 0)
        continue;
      goals++;
      met += curve->exponent <= curve->goal ? 1 : 0;
    }
  printf ("%u of %u goals met\n", met, goals);
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *output = NULL, *tmpfs = NULL, *disk = NULL;
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  void (*last) (Bench *) = NULL;
  const guint64 start = bench_now ();
  Bench bench = { 0 };
  const GOptionEntry entries[] = {
    { "quick", 0, 0, G_OPTION_ARG_NONE, &bench.quick, "Fewer repeats and smaller files", NULL },
    { "case", 0, 0, G_OPTION_ARG_STRING, &bench.only, "Run only the cases whose names begin so", "PREFIX" },
    { "peer", 0, 0, G_OPTION_ARG_STRING_ARRAY, &bench.outsiders, "One more side for a case: a program that takes turns", "CASE=COMMAND" },
    { "output", 0, 0, G_OPTION_ARG_FILENAME, &output, "Write the results to FILE as JSON", "FILE" },
    { "tmpfs", 0, 0, G_OPTION_ARG_FILENAME, &tmpfs, "A folder on a tmpfs (/dev/shm)", "FOLDER" },
    { "disk", 0, 0, G_OPTION_ARG_FILENAME, &disk, "A folder on a disk (the current one)", "FOLDER" },
    { NULL }
  };

  setlocale (LC_ALL, "C");
  for (gsize i = 0; argc > 1 && i < G_N_ELEMENTS (partners); i++)
    if (g_str_equal (argv[1], partners[i].name))
      return partners[i].run (argv + 2);

  context = g_option_context_new ("- measure libmmio beside what it stands on");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    {
      g_printerr ("%s\n", error->message);
      return 2;
    }

  bench.files = g_ptr_array_new_with_free_func (g_free);
  bench.results = g_ptr_array_new ();
  bench.curves = g_ptr_array_new ();
  if (is_tmpfs (tmpfs != NULL ? tmpfs : "/dev/shm"))
    bench.tmpfs_folder = make_folder (tmpfs != NULL ? tmpfs : "/dev/shm");
  bench.disk_folder = make_folder (disk != NULL ? disk : ".");
  bench_need (bench.disk_folder != NULL, NULL, "a folder for the files");

  printf ("  %-7s %-48s %12s %8s %8s %8s  %s\n", "", "", "ns/op", "ratio", "min", "best/best", "goal");
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if (groups[i].run != last && bench_wants (&bench, groups[i].prefix))
      {
        last = groups[i].run;
        groups[i].run (&bench);
      }
  print_end (&bench);
  bench.seconds = (double) (bench_now () - start) / 1e9;
  printf ("%.0f s\n", bench.seconds);

  if (output != NULL)
    {
      FILE *stream = fopen (output, "we");

      bench_need (stream != NULL, NULL, output);
      bench_write_json (&bench, stream);
      bench_need (fclose (stream) == 0, NULL, output);
      printf ("written to %s\n", output);
    }
  clean_up (&bench);
  return 0;
}
