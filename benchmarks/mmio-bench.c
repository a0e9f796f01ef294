/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Measures libmmio beside what it stands on. A goal that is missed is said, and is no failure: speed depends on the machine and on
 * what else it does. `make bench-check` is what guards against getting slower.
 */
#include "config.h"

#include "bench-private.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct
{
  const char *prefix;
  void (*run) (Bench *bench);
} groups[] = {
  { "read", bench_copy },      { "write", bench_copy },     { "peek", bench_copy },       { "view", bench_view },
  { "guard", bench_guard },
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

/* With room for what is put there: a container may have little. */
static gboolean
is_tmpfs (const char *folder,
          guint64     room)
{
  struct statfs buffer;

  return statfs (folder, &buffer) == 0 && buffer.f_type == 0x01021994 && (guint64) buffer.f_bavail * (guint64) buffer.f_bsize >= room;
}

/* Who is asked to measure something asks for what there is. */
static gboolean
is_a_case (const char *name,
           gsize       length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if (strncmp (groups[i].prefix, name, MIN (length, strlen (groups[i].prefix))) == 0)
      return TRUE;

  return FALSE;
}

/* What is wrong with what was asked for; NULL: nothing. Before anything is measured: that takes minutes. */
static char *
find_fault (const Bench *bench,
            const char  *tmpfs,
            const char  *disk,
            const char  *output,
            char       **rest)
{
  if (*rest != NULL)
    return g_strdup_printf ("%s: what is that? Options only; see --help", *rest);
  if (bench->only != NULL && !is_a_case (bench->only, strlen (bench->only)))
    return g_strdup_printf ("--case=%s: no case's name begins so; docs/performance.md names them all", bench->only);
  for (char **outsider = bench->outsiders; outsider != NULL && *outsider != NULL; outsider++)
    {
      gsize length = strcspn (*outsider, "=");

      if ((*outsider)[length] == '\0' || (*outsider)[length + 1] == '\0')
        return g_strdup_printf ("--peer=%s: it is to be CASE=COMMAND", *outsider);
      if (!is_a_case (*outsider, length))
        return g_strdup_printf ("--peer=%s: there is no case %.*s; docs/performance.md names them all", *outsider, (int) length, *outsider);
    }
  if (tmpfs != NULL && !is_tmpfs (tmpfs, 0))
    return g_strdup_printf ("--tmpfs=%s: that is no folder on a tmpfs", tmpfs);
  if (disk != NULL && !g_file_test (disk, G_FILE_TEST_IS_DIR))
    return g_strdup_printf ("--disk=%s: that is no folder", disk);
  if (output != NULL)
    {
      /* Nothing is cut off yet: a run that is broken off leaves the results of the last one. */
      int fd = open (output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

      if (fd < 0)
        return g_strdup_printf ("--output=%s: %s", output, g_strerror (errno));
      close (fd);
    }

  return NULL;
}

/* Whoever was to take turns and could not, since there was no such case in this run. */
static void
tell_idle_outsiders (const Bench *bench)
{
  for (char **outsider = bench->outsiders; outsider != NULL && *outsider != NULL; outsider++)
    {
      gsize length = strcspn (*outsider, "=");
      gboolean found = FALSE;

      for (guint i = 0; i < bench->results->len && !found; i++)
        {
          const BenchResult *result = g_ptr_array_index (bench->results, i);

          found = result->skipped == NULL && strlen (result->description.name) == length &&
                  strncmp (result->description.name, *outsider, length) == 0;
        }
      if (!found)
        g_printerr ("--peer=%s: it took no turn, since no case %.*s was run\n", *outsider, (int) length, *outsider);
    }
}

static pid_t child;

static void
pass_on (int number)
{
  kill (child, number);
}

/* The run is a child of this process, which clears away the files however it ends. Returns in the child alone. */
static void
run_in_child (Bench *bench)
{
  const char *arguments[] = { "rm", "-rf", bench->disk_folder, bench->tmpfs_folder, NULL };
  int status = 0;

  fflush (NULL);
  child = fork ();
  bench_need (child >= 0, NULL, "fork");
  if (child == 0)
    return;

  /* Who is told to stop from the terminal is the child as well. */
  signal (SIGINT, SIG_IGN);
  signal (SIGTERM, pass_on);
  while (waitpid (child, &status, 0) < 0 && errno == EINTR)
    ;
  g_spawn_sync (NULL, (char **) arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
  exit (WIFEXITED (status) ? WEXITSTATUS (status) : 1);
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
  if (goals > 0)
    printf ("%u of %u goals met\n", met, goals);
}

int
main (int    argc,
      char **argv)
{
  g_autofree char *output = NULL, *tmpfs = NULL, *disk = NULL, *fault = NULL, *written = NULL;
  g_autoptr (GOptionContext) context = NULL;
  g_autoptr (GError) error = NULL;
  void (*last) (Bench *) = NULL;
  const guint64 start = bench_now ();
  Bench bench = { 0 };
  const GOptionEntry entries[] = {
    { "quick", 0, 0, G_OPTION_ARG_NONE, &bench.quick, "Fewer repeats and smaller files", NULL },
    { "case", 0, 0, G_OPTION_ARG_STRING, &bench.only, "Run only the cases whose names begin so: read, read-64-hot", "PREFIX" },
    { "peer", 0, 0, G_OPTION_ARG_STRING_ARRAY, &bench.outsiders, "One more side for a case, may be repeated: a program that takes turns", "CASE=COMMAND" },
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

  fault = find_fault (&bench, tmpfs, disk, output, argv + 1);
  if (fault != NULL)
    {
      g_printerr ("%s\n", fault);
      return 2;
    }

  bench.files = g_ptr_array_new_with_free_func (g_free);
  bench.results = g_ptr_array_new ();
  bench.curves = g_ptr_array_new ();
  if (is_tmpfs (tmpfs != NULL ? tmpfs : "/dev/shm", bench.quick ? G_GUINT64_CONSTANT (1) << 30 : G_GUINT64_CONSTANT (5) << 29))
    bench.tmpfs_folder = make_folder (tmpfs != NULL ? tmpfs : "/dev/shm");
  bench.disk_folder = make_folder (disk != NULL ? disk : ".");
  bench_need (bench.disk_folder != NULL, NULL, "a folder for the files");
  run_in_child (&bench);

  if (bench.tmpfs_folder == NULL)
    printf ("no tmpfs with enough room at %s: files are on the disk, and what needs one is skipped\n", tmpfs != NULL ? tmpfs : "/dev/shm");
  printf ("  %-7s %-48s %12s %8s %8s %8s  %s\n", "", "", "ns/op", "ratio", "min", "best/best", "goal");
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    if (groups[i].run != last && bench_wants (&bench, groups[i].prefix))
      {
        last = groups[i].run;
        /* What the cases before have left to be written is not written beside this one. */
        sync ();
        groups[i].run (&bench);
      }
  if (bench.results->len == 0 && bench.curves->len == 0)
    {
      g_printerr ("--case=%s: no case's name begins so; docs/performance.md names them all\n", bench.only);
      return 2;
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
      written = g_canonicalize_filename (output, NULL);
      printf ("written to %s\n", written);
    }
  tell_idle_outsiders (&bench);
  return 0;
}
