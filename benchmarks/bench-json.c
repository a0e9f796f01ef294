/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The results as JSON, with what has to be known of the machine to compare them. README.md says what each member is.
 */
#include "config.h"

#include "bench-private.h"

#if __has_include(<gnu/libc-version.h>)
#include <gnu/libc-version.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Goes up where a member goes, or means something else; more of them may come without. */
#define FORMAT 1

static void
write_string (FILE       *stream,
              const char *string)
{
  /* A peer's command may be of any bytes. */
  g_autofree char *valid = g_utf8_make_valid (string, -1);

  fputc ('"', stream);
  for (const char *text = valid; *text != '\0'; text++)
    {
      if (*text == '"' || *text == '\\')
        fprintf (stream, "\\%c", *text);
      else if ((guchar) *text < 0x20)
        fprintf (stream, "\\u%04x", (guchar) *text);
      else
        fputc (*text, stream);
    }
  fputc ('"', stream);
}

static void
write_member (FILE       *stream,
              const char *name,
              const char *text)
{
  fprintf (stream, "    \"%s\": ", name);
  write_string (stream, text);
  fprintf (stream, ",\n");
}

/* The value of the first line of a /proc file that begins with key. */
static char *
look_up (const char *path,
         const char *key)
{
  g_autofree char *content = NULL;
  g_auto (GStrv) lines = NULL;

  if (g_file_get_contents (path, &content, NULL, NULL))
    {
      lines = g_strsplit (content, "\n", -1);
      for (char **line = lines; *line != NULL; line++)
        if (g_str_has_prefix (*line, key))
          {
            const char *colon = strchr (*line, ':');

            return g_strstrip (g_strdup (colon != NULL ? colon + 1 : *line));
          }
    }

  return g_strdup ("unknown");
}

static char *
get_load (void)
{
  double load[3];

  return getloadavg (load, 3) == 3 ? g_strdup_printf ("%.2f %.2f %.2f", load[0], load[1], load[2]) : g_strdup ("unknown");
}

static char *
describe_file_system (const char *folder)
{
  static const struct
  {
    guint32 magic;
    const char *name;
  } known[] = { { 0x01021994, "tmpfs" }, { 0xEF53, "ext4" }, { 0x58465342, "xfs" }, { 0x9123683E, "btrfs" },
                { 0x794C7630, "overlayfs" }, { 0x6969, "nfs" } };
  struct statfs buffer;

  if (folder == NULL || statfs (folder, &buffer) != 0)
    return g_strdup ("none");
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if ((guint32) buffer.f_type == known[i].magic)
      return g_strdup (known[i].name);

  return g_strdup_printf ("0x%08x", (guint32) buffer.f_type);
}

static void
write_machine (Bench *self,
               FILE  *stream)
{
  g_autofree char *processor = look_up ("/proc/cpuinfo", "model name");
  g_autofree char *load = get_load ();
  g_autofree char *memory = look_up ("/proc/meminfo", "MemTotal");
  g_autofree char *tmpfs = describe_file_system (self->tmpfs_folder);
  g_autofree char *disk = describe_file_system (self->disk_folder);
  g_autofree char *glib = g_strdup_printf ("%u.%u.%u", glib_major_version, glib_minor_version, glib_micro_version);
  g_autofree char *release = NULL;
  struct utsname system;

  uname (&system);
  release = g_strdup (system.release);
  fprintf (stream, "  \"machine\": {\n");
  write_member (stream, "processor", processor);
  write_member (stream, "architecture", system.machine);
  write_member (stream, "memory", memory);
  /* Without what a distribution or a place calls its own build. */
  release[strspn (release, "0123456789.")] = '\0';
  write_member (stream, "kernel", release);
  write_member (stream, "glib", glib);
#if __has_include(<gnu/libc-version.h>)
  write_member (stream, "libc", gnu_get_libc_version ());
#endif
#ifdef __clang__
  write_member (stream, "compiler", __VERSION__);
#else
  write_member (stream, "compiler", "gcc " __VERSION__);
#endif
  write_member (stream, "tmpfs", tmpfs);
  write_member (stream, "disk", disk);
  write_member (stream, "load_average", load);
  fprintf (stream, "    \"processors\": %u\n  },\n", g_get_num_processors ());
}

static void
write_summary (FILE               *stream,
               const char         *name,
               const BenchSummary *summary)
{
  fprintf (stream, "\"%s\": {\"median\": %.4f, \"low\": %.4f, \"high\": %.4f, \"min\": %.4f, \"max\": %.4f}", name, summary->median,
           summary->low, summary->high, summary->min, summary->max);
}

static void
write_result (FILE              *stream,
              const BenchResult *result)
{
  const BenchCase *description = &result->description;

  fprintf (stream, "    {\"case\": ");
  write_string (stream, description->name);
  if (result->skipped != NULL)
    {
      fprintf (stream, ", \"skipped\": ");
      write_string (stream, result->skipped);
      fprintf (stream, "}");
      return;
    }

  fprintf (stream, ", \"title\": ");
  write_string (stream, description->title);
  fprintf (stream, ", \"measure\": \"%s\", \"repeats\": %u", description->measure == BENCH_TIME ? "time" : "rate",
           result->repeats);
  if (description->goal > 0)
    fprintf (stream, ", \"goal\": %.2f, \"goal_met\": %s", description->goal, result->goal_met ? "true" : "false");
  fprintf (stream, ",\n     \"sides\": [");
  for (guint i = 0; i < result->n_sides; i++)
    {
      const BenchSideResult *side = &result->sides[i];

      fprintf (stream, "%s\n      {\"role\": \"%s\", \"label\": ", i > 0 ? "," : "",
               i == 0   ? "floor"
               : i == 1 ? "libmmio"
                        : "peer");
      write_string (stream, side->label);
      if (side->missing != NULL)
        {
          fprintf (stream, ", \"skipped\": ");
          write_string (stream, side->missing);
          fprintf (stream, "}");
          continue;
        }
      fprintf (stream, ", ");
      write_summary (stream, "ns_per_op", &side->ns);
      fprintf (stream, ", ");
      write_summary (stream, "ratio", &side->ratio);
      fprintf (stream, ", \"ratio_of_best\": %.4f}", side->ratio_of_best);
    }
  fprintf (stream, "]}");
}

static void
write_curve (FILE                   *stream,
             const BenchCurveResult *curve)
{
  fprintf (stream, "    {\"curve\": ");
  write_string (stream, curve->name);
  fprintf (stream, ", \"title\": ");
  write_string (stream, curve->title);
  fprintf (stream, ", \"x_label\": ");
  write_string (stream, curve->x_label);
  fprintf (stream, ", \"exponent\": %.4f", curve->exponent);
  if (curve->goal > 0)
    fprintf (stream, ", \"goal\": %.2f, \"goal_met\": %s", curve->goal, curve->exponent <= curve->goal ? "true" : "false");
  fprintf (stream, ",\n     \"points\": [");
  for (guint i = 0; i < curve->n_points; i++)
    {
      fprintf (stream, "%s\n      {\"x\": %.0f, ", i > 0 ? "," : "", curve->x[i]);
      write_summary (stream, "ns_per_op", &curve->ns[i]);
      fprintf (stream, "}");
    }
  fprintf (stream, "]}");
}

void
bench_write_json (Bench *self,
                  FILE  *stream)
{
  fprintf (stream, "{\n  \"format\": %d,\n  \"version\": \"%s\",\n  \"mode\": \"%s\",\n  \"only\": ", FORMAT, PACKAGE_VERSION,
           self->quick ? "quick" : "full");
  if (self->only != NULL)
    write_string (stream, self->only);
  else
    fprintf (stream, "null");
  fprintf (stream, ",\n  \"seconds\": %.0f,\n", self->seconds);
  write_machine (self, stream);
  fprintf (stream, "  \"cases\": [\n");
  for (guint i = 0; i < self->results->len; i++)
    {
      write_result (stream, g_ptr_array_index (self->results, i));
      fprintf (stream, i + 1 < self->results->len ? ",\n" : "\n");
    }
  fprintf (stream, "  ],\n  \"curves\": [\n");
  for (guint i = 0; i < self->curves->len; i++)
    {
      write_curve (stream, g_ptr_array_index (self->curves, i));
      fprintf (stream, i + 1 < self->curves->len ? ",\n" : "\n");
    }
  fprintf (stream, "  ]\n}\n");
}
