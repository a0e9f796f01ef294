/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Figures: how many events, how long from a change to its event, and whether anything went untold.
 *
 * The time of a change is what the file system wrote down, the inode's ctime. Untold is what a file's state at the end differs
 * in from its state at the last event.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <sys/stat.h>

#include "mmio-watch.h"

/* What may still come at the end */
#define PATIENCE_US (G_USEC_PER_SEC / 2)

typedef struct
{
  gboolean exists;
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec mtime, ctime;
} State;

struct _WatchStats
{
  gint64 begin;                 /* us, monotonic */
  GHashTable *counts;           /* the events' names, static -> how many */
  GHashTable *states;           /* paths -> State as last told */
  GArray *delays;               /* of gint64, us */
};

static State
read_state (const char *path)
{
  struct stat buffer;

  if (stat (path, &buffer) != 0)
    return (State) { .exists = FALSE };
  return (State) {
    .exists = TRUE,
    .device = buffer.st_dev,
    .inode = buffer.st_ino,
    .size = buffer.st_size,
    .mtime = buffer.st_mtim,
    .ctime = buffer.st_ctim,
  };
}

static gboolean
is_same_state (const State *a,
               const State *b)
{
  if (!a->exists || !b->exists)
    return a->exists == b->exists;
  return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
         a->mtime.tv_nsec == b->mtime.tv_nsec && a->ctime.tv_sec == b->ctime.tv_sec && a->ctime.tv_nsec == b->ctime.tv_nsec;
}

WatchStats *
watch_stats_new (void)
{
  WatchStats *self = g_new0 (WatchStats, 1);

  self->begin = g_get_monotonic_time ();
  self->counts = g_hash_table_new (g_str_hash, g_str_equal);
  self->states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->delays = g_array_new (FALSE, FALSE, sizeof (gint64));
  return self;
}

void
watch_stats_free (WatchStats *self)
{
  g_hash_table_unref (self->counts);
  g_hash_table_unref (self->states);
  g_array_unref (self->delays);
  g_free (self);
}

static void
keep_state (WatchStats *self,
            const char *path,
            State       state)
{
  g_hash_table_insert (self->states, g_strdup (path), g_memdup2 (&state, sizeof state));
}

void
watch_stats_start (WatchStats *self,
                   Watched    *watched)
{
  keep_state (self, watched->path, read_state (watched->path));
}

void
watch_stats_add (WatchStats *self,
                 Watched    *watched,
                 const char *event,
                 gint64      now)
{
  State state = read_state (watched->path);
  struct timespec changed = state.ctime;
  struct stat buffer;
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, event));
  gint64 delay;

  g_hash_table_insert (self->counts, (gpointer) event, GUINT_TO_POINTER (count + 1));
  keep_state (self, watched->path, state);

  /* These say that nothing has happened. */
  if (g_str_equal (event, "settled") || g_str_equal (event, "about-to-change"))
    return;
  /* What is gone from its path tells its time itself. */
  if (!state.exists && fstat (mmio_file_get_fd (watched->file), &buffer) == 0)
    changed = buffer.st_ctim;
  delay = MAX (0, now - ((gint64) changed.tv_sec * G_USEC_PER_SEC + changed.tv_nsec / 1000));
  g_array_append_val (self->delays, delay);
}

static guint
count_untold (WatchStats *self)
{
  GHashTableIter iter;
  gpointer path, state;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &path, &state))
    {
      State now = read_state (path);

      n += is_same_state (state, &now) ? 0 : 1;
    }
  return n;
}

static gboolean
on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

/* What happened at the last moment is on its way: it is let come, and not told any more than to these figures. */
static guint
wait_for_untold (WatchStats *self)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_US;
  guint tick = g_timeout_add (10, on_tick, NULL);
  guint n;

  while ((n = count_untold (self)) > 0 && g_get_monotonic_time () < deadline)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (tick);
  return n;
}

static int
compare_delays (gconstpointer a,
                gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

/* of the sorted delays; the smallest one that so many per cent don't exceed */
static gint64
get_percentile (WatchStats *self,
                guint       percent)
{
  guint n = self->delays->len;

  return n > 0 ? g_array_index (self->delays, gint64, (n * (guint64) percent + 99) / 100 - 1) : 0;
}

static const char *const event_names[] = { "changed", "metadata", "removed", "replaced", "created", "settled", "about-to-change" };

static guint
get_count (WatchStats *self,
           const char *event)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, event));
}

static void
tell_json (WatchStats *self,
           Watcher    *watcher,
           guint       n_untold,
           gint64      duration)
{
  GString *json = watcher->json;

  tool_json_begin (json);
  tool_json_add_string (json, "event", "stats");
  tool_json_add_uint (json, "duration_us", (guint64) duration);
  tool_json_add_uint (json, "events", (guint64) watcher->heard);
  for (gsize i = 0; i < G_N_ELEMENTS (event_names); i++)
    tool_json_add_uint (json, event_names[i], get_count (self, event_names[i]));
  tool_json_add_uint (json, "lost", n_untold);
  if (self->delays->len > 0)
    {
      tool_json_add_uint (json, "latency_us_p50", (guint64) get_percentile (self, 50));
      tool_json_add_uint (json, "latency_us_p90", (guint64) get_percentile (self, 90));
      tool_json_add_uint (json, "latency_us_p99", (guint64) get_percentile (self, 99));
      tool_json_add_uint (json, "latency_us_max", (guint64) get_percentile (self, 100));
    }
  tool_json_end (json);
}

static void
tell_text (WatchStats *self,
           Watcher    *watcher,
           guint       n_untold,
           gint64      duration)
{
  const char *separator = ": ";

  g_printerr (ngettext ("%" PRId64 " event in %.1f s", "%" PRId64 " events in %.1f s", (gulong) watcher->heard), watcher->heard,
              (double) duration / G_USEC_PER_SEC);
  for (gsize i = 0; i < G_N_ELEMENTS (event_names); i++)
    if (get_count (self, event_names[i]) > 0)
      {
        g_printerr ("%s%u %s", separator, get_count (self, event_names[i]), event_names[i]);
        separator = ", ";
      }
  g_printerr ("\n");
  /* Translators: files with a change at the end that no event told of */
  g_printerr (_("Lost: %u\n"), n_untold);
  if (self->delays->len > 0)
    g_printerr (_("From change to event: median %.3f ms, 90 %% %.3f ms, 99 %% %.3f ms, longest %.3f ms\n"),
                (double) get_percentile (self, 50) / 1000, (double) get_percentile (self, 90) / 1000,
                (double) get_percentile (self, 99) / 1000, (double) get_percentile (self, 100) / 1000);
}

void
watch_stats_tell (WatchStats *self,
                  Watcher    *watcher)
{
  gint64 duration = g_get_monotonic_time () - self->begin;
  guint n_untold = wait_for_untold (self);

  g_array_sort (self->delays, compare_delays);
  (watcher->json != NULL ? tell_json : tell_text) (self, watcher, n_untold, duration);
}
