/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When the file is looked at, and what is said then. Two sources are heard: the inode (the hub), for what is done to the
 * file, and GFileMonitor on the path, for what takes the place of the file. Neither is believed: each only makes us compare
 * the state of what the path names with the last state that was reported, which a slow tick does in any case.
 */
#include "config.h"

#include "mmio-watch-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-watch-hub-private.h"

#ifndef O_PATH
#define O_PATH (O_RDONLY | O_NONBLOCK | O_NOCTTY)
#endif

#ifdef HAVE_SYS_INOTIFY_H
#define HAVE_INODE_EVENTS TRUE
#else
#define HAVE_INODE_EVENTS FALSE
#endif

/* How often the state is compared though nothing was heard: where events tell all, and where they can't be trusted. */
#define SLOW_TICK_MS 5000
#define POLL_TICK_MS 1000
/* Ticks of many watches fall together on multiples of this. */
#define TICK_GRAIN_MS 250
/* A burst is reported after this many intervals at the latest, or after a second if that comes first. */
#define LONGEST_DELAY_INTERVALS 4
#define LONGEST_DELAY_MS 1000

struct _MmioWatch
{
  MmioWatchHubClient client;    /* first: the hub knows the watch by it. Used under lock, and not once stopped */
  gatomicrefcount n_refs;       /* of the owner, of each monitor's handler, of the hub while it wakes us */

  /* set at the start */
  GMainContext *context;
  char *path;                   /* absolute; NULL for a file known only by its descriptor */
  guint interval;               /* ms */
  MmioWatchFunc func;
  gpointer user_data;
  GDestroyNotify destroy;

  const char *backend;          /* atomic; static */

  GMutex lock;                  /* for all that follows; nothing of the owner's is called under it */
  gboolean stopped;

  GFileMonitor *monitor;        /* on path; NULL if GIO could not */
  GFileMonitor *target_monitor; /* on where path leads through symbolic links; NULL if it is itself */
  char *target;

  int fd;                       /* the inode of state, kept so that its number can't be another's; -1 if there is none */
  gboolean owner_stores;        /* fd can be stored to: see MmioWatchSetup.fd */
  MmioFileState state;          /* what was last reported, or found at the start */
  gboolean state_is_fresh;      /* see MMIO_WATCH_KNOWN_FRESH */
  gboolean is_heard;            /* events tell all there is to tell */
  MmioFileState announced;      /* after our own last announcement; used where the inode isn't heard itself */

  MmioWatchHints hints;         /* heard since state was read */
  gint64 burst_due;             /* monotonic, us, as all times here; G_MAXINT64 if nothing waits */
  gint64 burst_latest;
  gint64 tick_due;

  GQueue reports;               /* of MmioWatchReport: to be made, in this order */
};

static void watch_wake (MmioWatchHubClient *client,
                        MmioWatchHints      hints);

static MmioWatch *
watch_ref (MmioWatch *watch)
{
  g_atomic_ref_count_inc (&watch->n_refs);
  return watch;
}

static void
watch_unref (MmioWatch *watch)
{
  if (!g_atomic_ref_count_dec (&watch->n_refs))
    return;

  if (watch->destroy != NULL)
    watch->destroy (watch->user_data);
  mmio_watch_hub_clear (&watch->client);
  g_queue_clear_full (&watch->reports, g_free);
  if (watch->fd >= 0)
    close (watch->fd);
  g_free (watch->path);
  g_free (watch->target);
  g_main_context_unref (watch->context);
  g_mutex_clear (&watch->lock);
  g_free (watch);
}

static void
client_ref (MmioWatchHubClient *client)
{
  watch_ref ((MmioWatch *) client);
}

static void
client_unref (MmioWatchHubClient *client)
{
  watch_unref ((MmioWatch *) client);
}

static const MmioWatchHubClientClass client_class = {
  .ref = client_ref,
  .unref = client_unref,
  .wake = watch_wake,
};

/* The monitors */

static MmioWatchHints
hints_of_event (MmioWatch        *watch,
                GFileMonitorEvent event)
{
  switch (event)
    {
    /* the inode has been heard already, and sooner */
    case G_FILE_MONITOR_EVENT_CHANGED:
      return mmio_watch_hub_is_listening (&watch->client) ? MMIO_WATCH_HINT_NONE : MMIO_WATCH_HINT_WRITE;
    case G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED:
      return mmio_watch_hub_is_listening (&watch->client) ? MMIO_WATCH_HINT_NONE : MMIO_WATCH_HINT_ATTRIBUTES;
    /* a guess by the clock: nothing has happened */
    case G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT:
      return MMIO_WATCH_HINT_NONE;
    case G_FILE_MONITOR_EVENT_DELETED:
    case G_FILE_MONITOR_EVENT_CREATED:
    case G_FILE_MONITOR_EVENT_PRE_UNMOUNT:
    case G_FILE_MONITOR_EVENT_UNMOUNTED:
    case G_FILE_MONITOR_EVENT_MOVED:
    case G_FILE_MONITOR_EVENT_RENAMED:
    case G_FILE_MONITOR_EVENT_MOVED_IN:
    case G_FILE_MONITOR_EVENT_MOVED_OUT:
    default:
      return MMIO_WATCH_HINT_PATH;
    }
}

static void
monitor_changed (GFileMonitor     *monitor G_GNUC_UNUSED,
                 GFile            *file G_GNUC_UNUSED,
                 GFile            *other_file G_GNUC_UNUSED,
                 GFileMonitorEvent event,
                 gpointer          user_data)
{
  MmioWatch *watch = user_data;
  MmioWatchHints hints;

  g_mutex_lock (&watch->lock);
  hints = watch->stopped ? MMIO_WATCH_HINT_NONE : hints_of_event (watch, event);
  g_mutex_unlock (&watch->lock);

  if (hints != MMIO_WATCH_HINT_NONE)
    watch_wake (&watch->client, hints);
}

static void
unref_closure_data (gpointer  data,
                    GClosure *closure G_GNUC_UNUSED)
{
  watch_unref (data);
}

/* In the watch's context, which is the thread's default for as long as it takes. */
static GFileMonitor *
monitor_path (MmioWatch  *watch,
              const char *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  g_autoptr (GFileMonitor) monitor = NULL;

  monitor = g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
  if (monitor == NULL)
    return NULL;
  g_file_monitor_set_rate_limit (monitor, 0);
  g_signal_connect_data (monitor, "changed", G_CALLBACK (monitor_changed), watch_ref (watch), unref_closure_data, 0);
  return g_steal_pointer (&monitor);
}

static void
drop_monitor (GFileMonitor *monitor,
              MmioWatch    *watch)
{
  if (monitor == NULL)
    return;
  g_file_monitor_cancel (monitor);
  g_signal_handlers_disconnect_by_data (monitor, watch);
  g_object_unref (monitor);
}

/* lock held, in the watch's context. GFileMonitor stops at a symbolic link: what is behind it needs one of its own. */
static GFileMonitor *
follow_links (MmioWatch *watch)
{
  char *target = watch->path != NULL ? realpath (watch->path, NULL) : NULL;
  GFileMonitor *outdated;

  /* where a dangling link led last is where the file may appear again */
  if (target == NULL || g_strcmp0 (target, watch->target) == 0)
    {
      free (target);
      return NULL;
    }

  g_free (watch->target);
  watch->target = g_strdup (target);
  free (target);
  outdated = g_steal_pointer (&watch->target_monitor);
  if (strcmp (watch->target, watch->path) != 0)
    watch->target_monitor = monitor_path (watch, watch->target);
  return outdated;
}

/* The state */

static gint64
clock_now_ns (void)
{
  return g_get_real_time () * 1000;
}

static const char *
backend_of_monitor (GFileMonitor *monitor)
{
  const struct
  {
    const char *type_name;
    const char *backend;
  } known[] = {
    { "GInotifyFileMonitor", "inotify" },
    { "GKqueueFileMonitor", "kqueue" },
    { "GFamFileMonitor", "fam" },
  };

  for (guint i = 0; monitor != NULL && i < G_N_ELEMENTS (known); i++)
    {
      if (strcmp (G_OBJECT_TYPE_NAME (monitor), known[i].type_name) == 0)
        return known[i].backend;
    }
  return "poll";
}

/* lock held */
static void
choose_backend (MmioWatch *watch)
{
  gboolean heard = mmio_watch_hub_is_listening (&watch->client);
  const char *backend = "poll";

  if (heard)
    backend = "inotify";
  else if (!HAVE_INODE_EVENTS || !watch->state.exists)
    backend = backend_of_monitor (watch->monitor);
  /* where the inode can't be heard for want of some limit, GIO's monitor is deaf too, and doesn't say so */

  watch->is_heard = strcmp (backend, "poll") != 0;
  g_atomic_pointer_set (&watch->backend, backend);
}

/* lock held. Takes over fd, the inode that is compared with from now on. */
static gboolean
take_inode (MmioWatch *watch,
            int        fd)
{
  gint64 now = clock_now_ns ();
  MmioFileState state;

  /* heard first and read then: what comes between is reported once too often, not once too seldom */
  mmio_watch_hub_listen (&watch->client, fd);
  if (!mmio_file_state_read_fd (fd, &state))
    {
      close (fd);
      return FALSE;
    }

  if (watch->fd >= 0)
    close (watch->fd);
  watch->fd = fd;
  watch->owner_stores = (fcntl (fd, F_GETFL) & O_ACCMODE) == O_RDWR;
  watch->state = state;
  watch->state_is_fresh = mmio_file_state_is_fresh (&state, now);
  return TRUE;
}

/* lock held */
static void
add_report (MmioWatch    *watch,
            MmioWatchWhat what,
            guint64       offset,
            guint64       length)
{
  MmioWatchReport *report = g_new (MmioWatchReport, 1);

  *report = (MmioWatchReport) {
    .what = what,
    .offset = offset,
    .length = length,
    .state = watch->state,
  };
  g_queue_push_tail (&watch->reports, report);
}

/* lock held. The inode is taken by opening the path, so that its number stays its own; if there is no descriptor
 * to be had, its birth time has to tell it from the next one. */
static void
take_replacement (MmioWatch           *watch,
                  const MmioFileState *now)
{
  MmioFileState kept;
  int fd;

  /* renamed away and back */
  if (watch->fd >= 0 && mmio_file_state_read_fd (watch->fd, &kept) && mmio_file_state_same_inode (&kept, now))
    {
      watch->state = kept;
      watch->state_is_fresh = TRUE;
      return;
    }

  fd = open (watch->path, O_PATH | O_CLOEXEC);
  if (fd >= 0 && take_inode (watch, fd))
    return;

  mmio_watch_hub_listen (&watch->client, -1);
  if (watch->fd >= 0)
    close (watch->fd);
  watch->fd = -1;
  watch->owner_stores = FALSE;
  watch->state = *now;
  watch->state_is_fresh = TRUE;
}

/* lock held */
static MmioWatchKnown
what_is_known (MmioWatch *watch)
{
  MmioWatchKnown known = MMIO_WATCH_KNOWN_NONE;

  if (watch->owner_stores && watch->is_heard)
    known |= MMIO_WATCH_KNOWN_STORES;
  if (watch->state_is_fresh)
    known |= MMIO_WATCH_KNOWN_FRESH;
  return known;
}

/* lock held */
static void
compare (MmioWatch *watch)
{
  MmioWatchHints hints = watch->hints;
  gint64 clock = clock_now_ns ();
  MmioWatchVerdict verdict;
  MmioFileState now;
  gboolean known;

  known = watch->path != NULL ? mmio_file_state_read_path (watch->path, &now) : mmio_file_state_read_fd (watch->fd, &now);
  if (!known)
    return;

  watch->hints = MMIO_WATCH_HINT_NONE;
  if (hints == MMIO_WATCH_HINT_WRITE && mmio_file_state_equal (&now, &watch->announced))
    hints = MMIO_WATCH_HINT_NONE;
  mmio_watch_classify (&watch->state, &now, hints, what_is_known (watch), &verdict);

  if (verdict.replaced)
    {
      take_replacement (watch, &now);
      add_report (watch, MMIO_WATCH_REPLACED, 0, watch->state.size);
      return;
    }

  watch->state = now;
  watch->state_is_fresh = mmio_file_state_is_fresh (&now, clock);
  if (verdict.removed)
    add_report (watch, MMIO_WATCH_REMOVED, 0, 0);
  if (verdict.changed)
    add_report (watch, MMIO_WATCH_CHANGED, verdict.offset, verdict.length);
  if (verdict.metadata)
    add_report (watch, MMIO_WATCH_METADATA, 0, 0);
}

/* Time */

static gint64
us_of_ms (guint ms)
{
  return ms * G_GINT64_CONSTANT (1000);
}

/* lock held */
static void
plan_tick (MmioWatch *watch,
           gint64     now)
{
  gint64 grain = us_of_ms (TICK_GRAIN_MS);
  gint64 due = now + us_of_ms (MAX (watch->is_heard && watch->state.exists ? SLOW_TICK_MS : POLL_TICK_MS, watch->interval));

  watch->tick_due = (due + grain - 1) / grain * grain;
}

/* lock held. TRUE if the state is to be compared now. */
static gboolean
plan_burst (MmioWatch     *watch,
            MmioWatchHints hints,
            gint64         now)
{
  if (hints != MMIO_WATCH_HINT_NONE)
    {
      guint longest = MAX (watch->interval, MIN (LONGEST_DELAY_INTERVALS * (guint64) watch->interval, LONGEST_DELAY_MS));

      watch->hints |= hints;
      if (watch->burst_due == G_MAXINT64)
        watch->burst_latest = now + us_of_ms (longest);
      watch->burst_due = MIN (now + us_of_ms (watch->interval), watch->burst_latest);
    }
  return watch->burst_due <= now;
}

/* In the watch's context. Another call of this may be under way further down the stack, in a main loop that a
 * handler runs: then it goes on with what is left here. */
static void
make_reports (MmioWatch *watch)
{
  for (;;)
    {
      g_autofree MmioWatchReport *report = NULL;

      g_mutex_lock (&watch->lock);
      report = watch->stopped ? NULL : g_queue_pop_head (&watch->reports);
      g_mutex_unlock (&watch->lock);

      if (report == NULL)
        return;
      watch->func (report, watch->user_data);
    }
}

/* lock held, in the watch's context. Returns a monitor to be dropped. */
static GFileMonitor *
look (MmioWatch     *watch,
      MmioWatchHints hints)
{
  GFileMonitor *outdated = NULL;
  gint64 now = g_get_monotonic_time ();
  gboolean burst = plan_burst (watch, hints, now);
  gboolean tick = watch->tick_due <= now;

  if ((burst || tick) && mmio_watch_hub_is_held (&watch->client))
    {
      /* a state between an announcement and its end says nothing */
      mmio_watch_hub_set_deadline (&watch->client, now + us_of_ms (1));
      return NULL;
    }

  if (burst || (tick && watch->burst_due == G_MAXINT64))
    {
      gboolean follow = tick || (watch->hints & MMIO_WATCH_HINT_PATH) != 0;

      compare (watch);
      watch->burst_due = G_MAXINT64;
      if (follow)
        outdated = follow_links (watch);
      choose_backend (watch);
    }
  if (tick)
    plan_tick (watch, now);
  mmio_watch_hub_set_deadline (&watch->client, MIN (watch->burst_due, watch->tick_due));
  return outdated;
}

static void
watch_wake (MmioWatchHubClient *client,
            MmioWatchHints      hints)
{
  MmioWatch *watch = (MmioWatch *) client;
  GFileMonitor *outdated = NULL;

  watch_ref (watch);
  g_main_context_push_thread_default (watch->context);
  g_mutex_lock (&watch->lock);
  if (!watch->stopped)
    outdated = look (watch, hints);
  g_mutex_unlock (&watch->lock);
  drop_monitor (outdated, watch);
  g_main_context_pop_thread_default (watch->context);

  make_reports (watch);
  watch_unref (watch);
}

/* The owner's side */

static gboolean
set_error (GError    **error,
           MmioWatch  *watch,
           int         number)
{
  g_autofree char *name = watch->path != NULL ? g_filename_display_name (watch->path) : NULL;

  if (name != NULL)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_WATCH_FAILED, _("Can't watch “%s”: %s"), name, g_strerror (number));
  else
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_WATCH_FAILED, _("Can't watch the file: %s"), g_strerror (number));
  return FALSE;
}

/* What is compared with at first: the owner's inode, or else what the path names. */
static gboolean
take_first_inode (MmioWatch *watch,
                  int        owner_fd,
                  GError   **error)
{
  int fd = owner_fd >= 0 ? fcntl (owner_fd, F_DUPFD_CLOEXEC, 0) : open (watch->path, O_PATH | O_CLOEXEC);

  if (fd < 0)
    {
      int number = errno;

      return owner_fd < 0 && number == ENOENT ? TRUE : set_error (error, watch, number);
    }
  return take_inode (watch, fd) ? TRUE : set_error (error, watch, EIO);
}

static MmioWatch *
watch_new (const MmioWatchSetup *setup,
           char                 *path,
           MmioWatchFunc         func,
           gpointer              user_data)
{
  MmioWatch *watch = g_new0 (MmioWatch, 1);

  g_atomic_ref_count_init (&watch->n_refs);
  g_mutex_init (&watch->lock);
  g_queue_init (&watch->reports);
  watch->context = g_main_context_ref_thread_default ();
  watch->path = path;
  watch->interval = setup->interval;
  watch->func = func;
  watch->user_data = user_data;
  watch->fd = -1;
  watch->backend = "poll";
  watch->burst_due = G_MAXINT64;
  mmio_watch_hub_join (&watch->client, &client_class, watch->context);
  return watch;
}

MmioWatch *
mmio_watch_start (const MmioWatchSetup *setup,
                  MmioWatchFunc         func,
                  gpointer              user_data,
                  GDestroyNotify        destroy,
                  GCancellable         *cancellable,
                  GError              **error)
{
  g_autofree char *path = NULL;
  MmioWatch *watch;
  gboolean started;

  g_return_val_if_fail (setup != NULL && (setup->location != NULL || setup->fd >= 0), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  path = setup->location != NULL ? g_file_get_path (setup->location) : NULL;
  if (setup->location != NULL && path == NULL)
    {
      g_autofree char *uri = g_file_get_uri (setup->location);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED, _("Can't watch “%s”: it is no local file"), uri);
      return NULL;
    }
  if ((setup->flags & MMIO_WATCH_FLAGS_LEASE) != 0)
    {
      g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED, _("Leases are not supported"));
      return NULL;
    }

  watch = watch_new (setup, g_steal_pointer (&path), func, user_data);

  /* another thread may run the context, and be woken before this returns */
  g_mutex_lock (&watch->lock);
  if (watch->path != NULL)
    watch->monitor = monitor_path (watch, watch->path);
  started = take_first_inode (watch, setup->fd, error);
  if (started)
    {
      watch->destroy = destroy;
      follow_links (watch);
      choose_backend (watch);
      /* the path is compared with the inode where reports can be made, at once */
      mmio_watch_hub_set_deadline (&watch->client, 0);
    }
  g_mutex_unlock (&watch->lock);

  if (!started)
    g_clear_pointer (&watch, mmio_watch_stop);
  return watch;
}

void
mmio_watch_stop (MmioWatch *watch)
{
  GFileMonitor *monitor, *target_monitor;

  g_return_if_fail (watch != NULL);

  g_mutex_lock (&watch->lock);
  watch->stopped = TRUE;
  monitor = g_steal_pointer (&watch->monitor);
  target_monitor = g_steal_pointer (&watch->target_monitor);
  mmio_watch_hub_leave (&watch->client);
  g_mutex_unlock (&watch->lock);

  drop_monitor (monitor, watch);
  drop_monitor (target_monitor, watch);
  watch_unref (watch);
}

void
mmio_watch_hold (MmioWatch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;
  MmioFileState now;

  g_return_if_fail (watch != NULL);

  locker = g_mutex_locker_new (&watch->lock);
  mmio_watch_hub_hold (&watch->client);

  /* without events of our own, what differs already can't be told later from what we are about to do */
  if (!mmio_watch_hub_is_listening (&watch->client) && watch->fd >= 0 && mmio_file_state_read_fd (watch->fd, &now) &&
      watch->state.exists && !mmio_file_state_equal (&now, &watch->state))
    mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_LOST);
}

void
mmio_watch_expect (MmioWatch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;
  MmioFileState announced = { .exists = FALSE }, later;
  gboolean alone;

  g_return_if_fail (watch != NULL);

  locker = g_mutex_locker_new (&watch->lock);
  if (watch->fd >= 0)
    mmio_file_state_read_fd (watch->fd, &announced);
  alone = mmio_watch_hub_release (&watch->client) && watch->hints == MMIO_WATCH_HINT_NONE;
  if (!alone || !watch->owner_stores || !watch->state.exists || !announced.exists)
    return;

  /* The kernel merges equal events: another's write just after ours may have been taken for it. */
  if (!mmio_file_state_read_fd (watch->fd, &later) || !mmio_file_state_equal (&later, &announced))
    mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_WRITE);

  watch->state = announced;
  watch->state_is_fresh = TRUE;
  if (!mmio_watch_hub_is_listening (&watch->client))
    watch->announced = announced;
}

void
mmio_watch_rebase (MmioWatch *watch,
                   int        fd)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;
  MmioFileState state;
  int kept;

  g_return_if_fail (watch != NULL && fd >= 0);

  locker = g_mutex_locker_new (&watch->lock);
  kept = fcntl (fd, F_DUPFD_CLOEXEC, 0);
  if (kept < 0)
    return;

  if (watch->fd >= 0 && mmio_file_state_read_fd (kept, &state) && mmio_file_state_same_inode (&state, &watch->state))
    {
      /* what was reported of this inode stays what was reported */
      close (watch->fd);
      watch->fd = kept;
      watch->owner_stores = (fcntl (kept, F_GETFL) & O_ACCMODE) == O_RDWR;
      return;
    }

  /* the path may name yet another file by now */
  take_inode (watch, kept);
  choose_backend (watch);
  mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_PATH);
}

const char *
mmio_watch_get_backend (MmioWatch *watch)
{
  g_return_val_if_fail (watch != NULL, NULL);

  return g_atomic_pointer_get (&watch->backend);
}
