/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When the file is looked at, and what is said then. The inode is heard, and every step of the way to it (the hub); where
 * the system can't do that, GFileMonitor. Neither is believed: each only makes us compare the state of what the path names
 * with the last state that was reported, which a tick does in any case.
 */
#include "config.h"

#include "mmio-watch-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n-lib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mmio-error.h"
#include "mmio-os-private.h"
#include "mmio-watch-hub-private.h"
#include "mmio-watch-lease-private.h"
#include "mmio-watch-locate-private.h"
#include "mmio-watch-monitor-private.h"
#include "mmio-watch-sample-private.h"
#include "mmio-watch-way-private.h"

/* How often the state is compared though nothing was heard: where events tell all, and where they can't be trusted. */
#define SLOW_TICK_MS 5000
#define POLL_TICK_MS 1000
/* Ticks of many watches fall together on multiples of this. */
#define TICK_GRAIN_MS 250
/* A burst is reported after this many intervals at the latest, or after a second if that comes first. */
#define LONGEST_DELAY_INTERVALS 4
#define LONGEST_DELAY_MS 1000
/* GFileMonitor tells of one change twice, by way of the folder and of the inode, and the second time late. A burst is at least this
 * long then, a tick of the file system's clock: whatever comes after it and finds no other time is known to be told already. */
#define MONITOR_INTERVAL_MS 10
/* A single write is over by then, and has raised its event. */
#define DOUBT_MS 100
/* A lease is tried for again after so long, and after twice as long each time, up to the slow tick. */
#define LEASE_RETRY_MS 1
/* How often the path is looked at anew if it is replaced while it is looked at, before others have their turn. */
#define MAX_LOOKS 8

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
  gboolean is_started;          /* from now on nothing may take long */
  gboolean stopped;

  MmioWatchMonitor *monitor;    /* NULL where the hub hears */
  MmioWatchWay way;             /* to the file */
  gboolean way_is_sure;         /* whatever puts something at its end, where nothing is, will be heard */

  int fd;                       /* the inode of state, kept so that its number can't be another's; -1 if there is none */
  gboolean fd_is_lent;          /* it is the owner's: read by way of begin_reading () */
  MmioWatchSeen lent;           /* of the inode that was lent, when the path came to name another one, or none */
  gboolean knows_lent;
  gboolean fd_is_readable;
  gboolean owner_stores;        /* it can be stored to by the owner: see MmioWatchSetup.fd */
  MmioFileReach reach;
  MmioFileState state;          /* what was last reported, or found at the start */
  gboolean state_is_fresh;      /* see MMIO_WATCH_KNOWN_FRESH */
  MmioFileState announced;      /* after our own last announcement; used where not all is heard */
  MmioWatchSamples samples;     /* of what state is the state of; not used with a locator */
  gboolean samples_due;         /* they are to be taken, when nobody waits for a report any more */
  MmioLocator *locator;         /* NULL if changes are not to be located */
  gboolean is_locating;         /* fd can be compared by it */
  guint64 lowest_size;          /* bytes, of those reported since content was; what is past it is new to who was told */

  MmioWatchHints hints;         /* heard since state was read */
  gint64 burst_due;             /* monotonic, us, as all times here; G_MAXINT64 if nothing waits */
  gint64 burst_latest;
  gint64 event_due;             /* of what was seen but not heard of yet; 0 if there is nothing of the kind */
  gint64 tick_due;
  gint64 confirm_due;           /* of what the locator has learnt */

  MmioLease *lease;             /* on fd's inode, as far as it can be had; NULL if none is to be had */
  gint64 lease_due;             /* when to try for it again */
  guint lease_retry;            /* ms; what is waited after the next failure */
  guint n_announcing;           /* handlers of whoever waits for the lease are under way */

  GQueue reports;               /* of MmioWatchReport: to be made, in this order */
};

static void watch_wake (MmioWatchHubClient *client,
                        MmioWatchHints      hints);

static gint64
us_of_ms (guint ms)
{
  return ms * G_GINT64_CONSTANT (1000);
}

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
  if (watch->fd >= 0 && !watch->fd_is_lent)
    close (watch->fd);
  g_free (watch->path);
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

/* What is listened to. All with lock held. */

static MmioWatchRole
role_of_file (MmioWatch *watch)
{
  return watch->lease != NULL ? MMIO_WATCH_ROLE_LEASED : MMIO_WATCH_ROLE_FILE;
}

static gboolean
hears_file (MmioWatch *watch)
{
  return mmio_watch_hub_hears_file (&watch->client);
}

/* Every write to the file but stores through a mapping raises an event that we get. */
static gboolean
hears_all (MmioWatch *watch)
{
  return hears_file (watch) && watch->reach != MMIO_FILE_REACH_REMOTE;
}

/* A tick has to stand in for events, or to look beside them. */
static gboolean
needs_polling (MmioWatch *watch)
{
  if (!watch->state.exists)
    return !watch->way_is_sure;
  if (watch->monitor != NULL)
    return watch->reach == MMIO_FILE_REACH_REMOTE || strcmp (mmio_watch_monitor_get_backend (watch->monitor), "poll") == 0;
  return !hears_file (watch) || watch->reach != MMIO_FILE_REACH_LOCAL;
}

static void
choose_backend (MmioWatch *watch)
{
  const char *backend;

  if (watch->monitor != NULL)
    backend = mmio_watch_monitor_get_backend (watch->monitor);
  else if (watch->state.exists ? hears_file (watch) : watch->way.is_heard)
    backend = needs_polling (watch) ? "inotify+poll" : "inotify";
  else
    backend = "poll";
  g_atomic_pointer_set (&watch->backend, (gpointer) backend);
}

static void
renew_way (MmioWatch *watch)
{
  MmioWatchWay before = watch->way;

  if (watch->path == NULL)
    return;
  if (watch->monitor != NULL)
    {
      mmio_watch_monitor_follow (watch->monitor);
      return;
    }
  watch->way = mmio_watch_way_take (&watch->client, watch->path);
  watch->way_is_sure = watch->way.is_awaited && watch->way.is_heard && before.is_heard && before.identity == watch->way.identity;
}

/* The inode that is compared with. All with lock held. */

/* Opens the same inode for reading, in a way that leaves no trace: a time of access that moves would have to be written with
 * the owner's next flush. */
static int
open_again (int fd)
{
  char by_number[32];
  int again = -1;

  g_snprintf (by_number, sizeof by_number, "/proc/self/fd/%d", fd);
#ifdef O_NOATIME
  again = open (by_number, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOATIME);
#endif
  return again >= 0 ? again : open (by_number, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static gboolean
is_regular (int fd)
{
  struct stat st;

  return fstat (fd, &st) == 0 && S_ISREG (st.st_mode);
}

/* A descriptor that keeps the owner's inode and reads it. -1 and errno. */
static int
keep_inode (int owner_fd)
{
  int fd = is_regular (owner_fd) ? open_again (owner_fd) : -1;

  return fd >= 0 ? fd : fcntl (owner_fd, F_DUPFD_CLOEXEC, 0);
}

/* A descriptor that keeps the inode and, of a regular file, reads it. -1 and errno. */
static int
open_inode (const char *path)
{
#ifdef O_PATH
  int kept = open (path, O_PATH | O_CLOEXEC);
  int fd;

  if (kept < 0)
    return -1;
  fd = is_regular (kept) ? open_again (kept) : -1;
  if (fd < 0)
    return kept;
  close (kept);
  return fd;
#else
  return open (path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
#endif
}

static gboolean
is_stored_to (int owner_fd)
{
  return owner_fd >= 0 && (fcntl (owner_fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

static void
keep_fd (MmioWatch *watch,
         int        fd,
         gboolean   owner_stores)
{
  int flags = fd >= 0 ? fcntl (fd, F_GETFL) : 0;

  if (watch->fd >= 0 && !watch->fd_is_lent)
    close (watch->fd);
  watch->fd = fd;
  watch->fd_is_lent = FALSE;
  watch->owner_stores = owner_stores;
  watch->fd_is_readable = fd >= 0 && (flags & O_ACCMODE) != O_WRONLY;
#ifdef O_PATH
  watch->fd_is_readable = watch->fd_is_readable && (flags & O_PATH) == 0;
#endif
}

/* What fd_is_readable allows. The owner's descriptor would leave a trace, but where no other is to be had. */
static int
begin_reading (MmioWatch *watch)
{
  int again = watch->fd_is_lent ? open_again (watch->fd) : -1;

  return again >= 0 ? again : watch->fd;
}

static void
end_reading (MmioWatch *watch,
             int        fd)
{
  if (fd != watch->fd)
    close (fd);
}

static void
take_samples_of (MmioWatch *watch,
                 guint64    size)
{
  int fd = begin_reading (watch);

  mmio_watch_samples_take (&watch->samples, fd, size);
  end_reading (watch, fd);
}

/* Of a file that has grown. */
static gboolean
do_samples_follow (MmioWatch *watch,
                   guint64    size)
{
  gboolean follow;
  int fd;

  if (!watch->samples.valid || !watch->fd_is_readable)
    return FALSE;
  fd = begin_reading (watch);
  follow = mmio_watch_samples_follow (&watch->samples, fd, size);
  end_reading (watch, fd);
  return follow;
}

static void
take_samples (MmioWatch *watch)
{
  MmioFileState after;

  watch->samples_due = FALSE;
  watch->samples.valid = FALSE;
  if (watch->locator != NULL || !watch->fd_is_readable || !S_ISREG (watch->state.mode))
    return;
  take_samples_of (watch, watch->state.size);
  /* samples of what came later would hide that it came */
  if (!mmio_file_state_read_fd (watch->fd, &after) || !mmio_file_state_equal (&after, &watch->state))
    watch->samples.valid = FALSE;
}

/* For the locator; -1 if there is none to be had. */
static int
open_to_locate (MmioWatch *watch)
{
  int fd = watch->fd_is_lent ? open_again (watch->fd) : -1;

  return fd >= 0 ? fd : fcntl (watch->fd, F_DUPFD_CLOEXEC, 0);
}

static void
locate_in_fd (MmioWatch *watch)
{
  int fd = -1;

  if (watch->locator == NULL)
    return;
  if (watch->fd_is_readable && S_ISREG (watch->state.mode))
    fd = open_to_locate (watch);
  watch->is_locating = fd >= 0;
  if (fd < 0)
    return;
  watch->confirm_due = G_MAXINT64;
  mmio_locator_set_file (watch->locator, fd, &watch->state, !watch->is_started || watch->reach != MMIO_FILE_REACH_REMOTE);
}

/* The lease on it. All with lock held. */

/* Takes over nothing of fd's but its inode. EREMOTE where a lease holds off those of this system alone. */
static int
take_lease (MmioWatch *watch)
{
  MmioFileState state;
  int fd;

  if (watch->reach == MMIO_FILE_REACH_REMOTE)
    return EREMOTE;
  if (!S_ISREG (watch->state.mode))
    return EINVAL;
  fd = open_again (watch->fd);
  if (fd < 0 && watch->path != NULL)
    {
      fd = open_inode (watch->path);
      if (fd >= 0 && !(mmio_file_state_read_fd (fd, &state) && mmio_file_state_same_inode (&state, &watch->state)))
        {
          close (fd);
          return ESTALE;
        }
    }
  return fd >= 0 ? mmio_lease_take (watch->lease, fd) : errno;
}

static void
retry_lease_soon (MmioWatch *watch)
{
  watch->lease_retry = LEASE_RETRY_MS;
  watch->lease_due = g_get_monotonic_time () + us_of_ms (LEASE_RETRY_MS);
}

/* Whoever is waiting, or has the file open, keeps it from being had: nobody who was let go is held again. */
static void
try_lease (MmioWatch *watch,
           gint64     now)
{
  watch->lease_due = G_MAXINT64;
  if (watch->lease == NULL || watch->fd < 0 || watch->n_announcing > 0 || mmio_lease_is_held (watch->lease))
    return;
  if (take_lease (watch) == 0)
    return;
  watch->lease_due = now + us_of_ms (watch->lease_retry);
  watch->lease_retry = MIN (2 * watch->lease_retry, SLOW_TICK_MS);
}

/* Another inode is watched. */
static void
move_lease (MmioWatch *watch)
{
  if (watch->lease == NULL)
    return;
  mmio_lease_give_up (watch->lease);
  watch->lease_retry = LEASE_RETRY_MS;
  /* at the start it is the caller who tries, and says why it fails */
  if (watch->is_started)
    try_lease (watch, g_get_monotonic_time ());
}

/* Takes over fd, if it isn't lent. */
static gboolean
take_inode (MmioWatch *watch,
            int        fd,
            gboolean   fd_is_lent,
            gboolean   owner_stores)
{
  gint64 clock = mmio_file_clock ();
  MmioFileState state;

  /* heard first and read then: what comes between is reported once too often, not once too seldom */
  mmio_watch_hub_hear_file (&watch->client, fd, role_of_file (watch));
  if (!mmio_file_state_read_fd (fd, &state))
    {
      if (!fd_is_lent)
        close (fd);
      return FALSE;
    }

  keep_fd (watch, fd, owner_stores);
  watch->fd_is_lent = fd_is_lent;
  watch->lowest_size = state.size;
  watch->reach = mmio_file_get_reach (fd);
  watch->state = state;
  watch->state_is_fresh = mmio_file_state_is_fresh (&state, clock);
  take_samples (watch);
  locate_in_fd (watch);
  move_lease (watch);
  return TRUE;
}

/* now: what the path names. */
static void
take_replacement (MmioWatch           *watch,
                  const MmioFileState *now)
{
  MmioFileState kept;
  int fd;

  /* renamed away and back: it has been heard all the time */
  if (watch->fd >= 0 && mmio_file_state_read_fd (watch->fd, &kept) && mmio_file_state_same_inode (&kept, now))
    {
      watch->state = kept;
      watch->state_is_fresh = TRUE;
      take_samples (watch);
      locate_in_fd (watch);
      return;
    }

  fd = open_inode (watch->path);
  if (fd >= 0 && take_inode (watch, fd, FALSE, FALSE))
    return;

  /* no descriptor is to be had: its birth time has to tell it from the next one */
  mmio_watch_hub_hear_file (&watch->client, -1, MMIO_WATCH_ROLE_FILE);
  keep_fd (watch, -1, FALSE);
  move_lease (watch);
  watch->state = *now;
  watch->state_is_fresh = TRUE;
  watch->samples.valid = FALSE;
  watch->is_locating = FALSE;
}

/* Comparing. All with lock held, in the watch's context. */

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

  if (what == MMIO_WATCH_CHANGED || what == MMIO_WATCH_REPLACED)
    watch->lowest_size = watch->state.size;
  else
    watch->lowest_size = MIN (watch->lowest_size, watch->state.size);
}

static MmioWatchKnown
what_is_known (MmioWatch *watch)
{
  MmioWatchKnown known = MMIO_WATCH_KNOWN_NONE;

  if (watch->owner_stores && (watch->monitor != NULL ? !needs_polling (watch) : hears_all (watch)))
    known |= MMIO_WATCH_KNOWN_STORES;
  if (watch->state_is_fresh)
    known |= MMIO_WATCH_KNOWN_FRESH;
  return known;
}

/* FALSE if no descriptor is left to look at the file with. */
static gboolean
request_location (MmioWatch *watch)
{
  gboolean needs_file = mmio_locator_needs_file (watch->locator);
  int fd = needs_file ? open_to_locate (watch) : -1;

  if (needs_file && fd < 0)
    return FALSE;
  mmio_locator_request (watch->locator, fd);
  return TRUE;
}

/* watch->state is the new one. A file that has grown may also have been written anew. */
static void
report_changed (MmioWatch              *watch,
                const MmioWatchVerdict *verdict)
{
  guint64 size = watch->state.size;

  if (watch->is_locating && request_location (watch))
    return;
  if (verdict->offset > 0 && do_samples_follow (watch, size))
    {
      add_report (watch, MMIO_WATCH_CHANGED, verdict->offset, verdict->length);
      return;
    }
  watch->samples.valid = FALSE;
  watch->samples_due = TRUE;
  add_report (watch, MMIO_WATCH_CHANGED, 0, size);
}

static void
take_verdict (MmioWatch              *watch,
              const MmioWatchVerdict *verdict,
              const MmioFileState    *now,
              gint64                  clock)
{
  watch->state = *now;
  watch->state_is_fresh = mmio_file_state_is_fresh (now, clock);
  if (verdict->removed)
    add_report (watch, MMIO_WATCH_REMOVED, 0, 0);
  if (verdict->replaced)
    add_report (watch, MMIO_WATCH_REPLACED, 0, now->size);
  if (verdict->changed)
    report_changed (watch, verdict);
  if (verdict->metadata)
    add_report (watch, MMIO_WATCH_METADATA, 0, 0);
}

static gboolean
read_state (MmioWatch     *watch,
            MmioFileState *state)
{
  if (watch->path != NULL)
    return mmio_file_state_read_path (watch->path, state);
  return mmio_file_state_read_fd (watch->fd, state);
}

/* The worker's answer, after a while in which the file may have changed again: the state is as it is now, and what
 * changed meanwhile is told when it is heard. */
static void
report_located (MmioWatch *watch)
{
  MmioFileState reported = watch->state, now;
  guint64 start, end;

  if (mmio_locator_is_in_doubt (watch->locator))
    watch->confirm_due = g_get_monotonic_time () + us_of_ms (DOUBT_MS);
  if (!mmio_locator_take (watch->locator, &start, &end) || !watch->is_locating || !watch->state.exists)
    return;
  if (!mmio_file_state_read_fd (watch->fd, &now))
    now = watch->state;
  end = MIN (end, now.size);
  start = MIN (start, end);
  if (now.size > watch->lowest_size)
    {
      start = start < end ? MIN (start, watch->lowest_size) : watch->lowest_size;
      end = now.size;
    }

  watch->state = now;
  add_report (watch, MMIO_WATCH_CHANGED, start, end - start);
  watch->state = reported;
}

/* A write that was under way while the file was learnt would have ended by now, and be known. */
static void
confirm_locator (MmioWatch *watch)
{
  MmioFileState now;

  watch->confirm_due = G_MAXINT64;
  if (watch->is_locating && watch->hints == MMIO_WATCH_HINT_NONE && mmio_watch_hub_is_quiet (&watch->client) &&
      mmio_file_state_read_fd (watch->fd, &now) && mmio_file_state_equal (&now, &watch->state))
    mmio_locator_confirm (watch->locator);
}

/* The file goes out of sight while it is being looked for what has changed in it. */
static void
give_up_locating (MmioWatch *watch)
{
  if (watch->is_locating && watch->state.exists && mmio_locator_is_busy (watch->locator))
    add_report (watch, MMIO_WATCH_CHANGED, 0, watch->state.size);
  watch->is_locating = FALSE;
}

static MmioWatchSeen
get_seen (MmioWatch *watch)
{
  return (MmioWatchSeen) { .size = watch->state.size, .own_size = watch->state.size, .mtime = watch->state.mtime };
}

/* Another inode stood at the path a moment ago, or none. It may go on changing hands while it is looked at: what the path names
 * once everything is listened to is what is reported. FALSE if the same inode is back: it is to be compared then. */
static gboolean
find_what_stands_there (MmioWatch *watch)
{
  gboolean existed = watch->state.exists;
  MmioWatchVerdict verdict = { 0 };
  MmioFileState now;
  gint64 clock;

  if (watch->fd_is_lent && existed)
    {
      watch->lent = get_seen (watch);
      watch->knows_lent = TRUE;
    }
  for (guint i = 0; i < MAX_LOOKS; i++)
    {
      /* each time: there may be a link on the way to this one where there was none to the last */
      renew_way (watch);
      clock = mmio_file_clock ();
      if (!read_state (watch, &now))
        {
          watch->hints |= MMIO_WATCH_HINT_PATH;
          return TRUE;
        }
      if (mmio_file_state_same_inode (&watch->state, &now))
        {
          if (!verdict.replaced)
            return FALSE;
          break;
        }
      give_up_locating (watch);
      if (!now.exists)
        break;
      take_replacement (watch, &now);
      verdict.replaced = TRUE;
    }
  if (now.exists && !mmio_file_state_same_inode (&watch->state, &now))
    mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_PATH);

  verdict.removed = existed && !now.exists;
  verdict.replaced = verdict.replaced && now.exists;
  take_verdict (watch, &verdict, now.exists ? &watch->state : &now, clock);
  return TRUE;
}

static MmioWatchVerdict
classify (MmioWatch           *watch,
          const MmioFileState *now)
{
  MmioWatchHints hints = watch->hints;
  MmioWatchVerdict verdict;

  if (hints == MMIO_WATCH_HINT_WRITE &&
      (mmio_file_state_equal (now, &watch->announced) ||
       (watch->monitor != NULL && !watch->state_is_fresh && mmio_file_state_equal (now, &watch->state))))
    hints = MMIO_WATCH_HINT_NONE;
  mmio_watch_classify (&watch->state, now, hints, what_is_known (watch), &verdict);
  return verdict;
}

/* Content that differs though nothing was heard of a write: the event is about to come. */
static gboolean
is_ahead_of_its_event (MmioWatch              *watch,
                       const MmioWatchVerdict *verdict)
{
  return verdict->changed && (watch->hints & (MMIO_WATCH_HINT_WRITE | MMIO_WATCH_HINT_LOST)) == 0 && hears_all (watch);
}

/* A write may come between the events that were read and the state that is, and its own event is only read thereafter: reported
 * with this state already, it would be once more then, as a change of all of the file. So the events are read again, and
 * TRUE says that there is one, after which the state has to be read again. Of two writes that are reported as one, the second
 * may have been no append: only where all is looked at is that seen. */
static gboolean
hear_what_is_seen (MmioWatch              *watch,
                   const MmioFileState    *now,
                   const MmioWatchVerdict *verdict)
{
  gboolean is_append = verdict->changed && verdict->offset > 0 && mmio_watch_samples_are_whole (&watch->samples, now->size) &&
                       hears_all (watch);
  MmioWatchHints heard = MMIO_WATCH_HINT_NONE;

  if (is_append || is_ahead_of_its_event (watch, verdict))
    heard = mmio_watch_hub_take_hints (&watch->client, MMIO_WATCH_HINT_WRITE);
  watch->hints |= heard;
  return heard != MMIO_WATCH_HINT_NONE;
}

/* A store through a mapping raises no event: it isn't waited for any longer than it takes a write to end. */
static gboolean
waits_for_event (MmioWatch              *watch,
                 const MmioWatchVerdict *verdict)
{
  gint64 now;

  if (!is_ahead_of_its_event (watch, verdict))
    return FALSE;
  now = g_get_monotonic_time ();
  if (watch->event_due == 0)
    watch->event_due = now + us_of_ms (DOUBT_MS);
  return now < watch->event_due;
}

static void
compare (MmioWatch *watch)
{
  MmioWatchHints hints;
  MmioWatchVerdict verdict;
  MmioFileState now;
  gint64 clock;
  guint n_looks = 0;

  watch->burst_due = G_MAXINT64;
  /* What is awaited for sure is heard: of thousands of missing files each costs a look at its path, now and then. */
  if ((watch->hints & (MMIO_WATCH_HINT_PATH | MMIO_WATCH_HINT_LOST)) != 0 || (!watch->state.exists && !watch->way_is_sure))
    renew_way (watch);
  do
    {
      clock = mmio_file_clock ();
      if (!read_state (watch, &now))
        return;
      verdict = classify (watch, &now);
    }
  while (++n_looks < MAX_LOOKS && hear_what_is_seen (watch, &now, &verdict));

  if (waits_for_event (watch, &verdict))
    {
      watch->burst_due = watch->burst_latest = watch->event_due;
      return;
    }

  watch->event_due = 0;
  hints = watch->hints;
  watch->hints = MMIO_WATCH_HINT_NONE;
  if (!verdict.removed && !verdict.replaced)
    take_verdict (watch, &verdict, &now, clock);
  else if (!find_what_stands_there (watch))
    mmio_watch_hub_hint (&watch->client, hints | MMIO_WATCH_HINT_PATH);
}

/* Time. All with lock held. */

static void
plan_tick (MmioWatch *watch,
           gint64     now)
{
  gint64 grain = us_of_ms (TICK_GRAIN_MS);
  gint64 due = now + us_of_ms (MAX (needs_polling (watch) ? POLL_TICK_MS : SLOW_TICK_MS, watch->interval));

  watch->tick_due = (due + grain - 1) / grain * grain;
}

/* TRUE if the state is to be compared now. */
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

/* A limit that kept us from listening may have been lifted. */
static void
try_to_hear_again (MmioWatch *watch)
{
  if (watch->fd >= 0 && !hears_file (watch) && mmio_watch_hub_hear_file (&watch->client, watch->fd, role_of_file (watch)) == 0)
    watch->hints |= MMIO_WATCH_HINT_LOST;
}

static void
plan_wake (MmioWatch *watch)
{
  mmio_watch_hub_set_deadline (&watch->client, MIN (MIN (watch->burst_due, watch->tick_due),
                                                    MIN (watch->confirm_due, watch->lease_due)));
}

static void
look (MmioWatch     *watch,
      MmioWatchHints hints)
{
  gint64 now = g_get_monotonic_time ();
  gboolean burst = plan_burst (watch, hints & ~MMIO_WATCH_HINTS_OF_NOTHING, now);
  gboolean tick = watch->tick_due <= now;

  if ((hints & MMIO_WATCH_HINT_WANTED) != 0)
    add_report (watch, MMIO_WATCH_ABOUT_TO_CHANGE, 0, 0);
  if ((hints & (MMIO_WATCH_HINT_CLOSED | MMIO_WATCH_HINT_LOST)) != 0)
    watch->lease_retry = LEASE_RETRY_MS;

  if ((hints & MMIO_WATCH_HINT_LOCATED) != 0)
    report_located (watch);
  if (watch->confirm_due <= now)
    confirm_locator (watch);

  if ((burst || tick) && mmio_watch_hub_is_held (&watch->client))
    {
      /* a state between an announcement and its end says nothing */
      mmio_watch_hub_set_deadline (&watch->client, now + us_of_ms (1));
      return;
    }

  if (tick)
    try_to_hear_again (watch);
  if (burst || (tick && watch->burst_due == G_MAXINT64))
    {
      compare (watch);
      choose_backend (watch);
    }
  if (tick || (needs_polling (watch) && watch->tick_due > now + us_of_ms (POLL_TICK_MS + TICK_GRAIN_MS)))
    plan_tick (watch, now);
  if (watch->lease_due <= now || (hints & (MMIO_WATCH_HINT_CLOSED | MMIO_WATCH_HINT_LOST)) != 0)
    try_lease (watch, now);
  plan_wake (watch);
}

/* NULL if there is none left. */
static MmioWatchReport *
take_report (MmioWatch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&watch->lock);
  g_autofree MmioWatchReport *report = NULL;

  while (!watch->stopped && (report = g_queue_pop_head (&watch->reports)) != NULL)
    {
      if (report->what != MMIO_WATCH_ABOUT_TO_CHANGE)
        break;
      if (mmio_lease_is_wanted (watch->lease))
        {
          watch->n_announcing++;
          break;
        }
      /* too late: the second is over, and the file isn't what it was */
      retry_lease_soon (watch);
      plan_wake (watch);
      g_clear_pointer (&report, g_free);
    }
  return g_steal_pointer (&report);
}

static void
let_go (MmioWatch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&watch->lock);

  watch->n_announcing--;
  if (watch->stopped)
    return;
  mmio_lease_give_up (watch->lease);
  retry_lease_soon (watch);
  plan_wake (watch);
}

/* Another call of this may be under way further down the stack, in a main loop that a handler runs: then it goes on with
 * what is left here. */
static void
make_reports (MmioWatch *watch)
{
  for (;;)
    {
      g_autofree MmioWatchReport *report = take_report (watch);

      if (report == NULL)
        return;
      watch->func (report, watch->user_data);
      if (report->what == MMIO_WATCH_ABOUT_TO_CHANGE)
        let_go (watch);
    }
}

static void
watch_wake (MmioWatchHubClient *client,
            MmioWatchHints      hints)
{
  MmioWatch *watch = (MmioWatch *) client;

  watch_ref (watch);
  /* for GFileMonitors that are made on the way */
  g_main_context_push_thread_default (watch->context);
  g_mutex_lock (&watch->lock);
  if (!watch->stopped)
    look (watch, hints);
  g_mutex_unlock (&watch->lock);
  g_main_context_pop_thread_default (watch->context);

  make_reports (watch);

  g_mutex_lock (&watch->lock);
  if (watch->samples_due && !watch->stopped)
    {
      take_samples (watch);
      /* of a write during the handlers the times may say nothing */
      if (!mmio_watch_hub_is_quiet (&watch->client))
        watch->samples.valid = FALSE;
    }
  g_mutex_unlock (&watch->lock);
  watch_unref (watch);
}

/* On the worker's thread; the watch lets go of the locator before it leaves the hub. */
static void
locator_has_news (gpointer locator G_GNUC_UNUSED,
                  gpointer user_data)
{
  MmioWatch *watch = user_data;

  mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_LOCATED);
}

/* In the thread of the leases; the watch lets go of the lease before it leaves the hub. */
static void
lease_is_wanted (gpointer user_data)
{
  MmioWatch *watch = user_data;

  mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_WANTED);
}

/* The owner's side */

static gboolean
set_error (GError    **error,
           MmioWatch  *watch,
           int         number)
{
  g_autofree char *name = watch->path != NULL ? mmio_os_display_name (watch->path) : NULL;
  g_autofree char *reason = mmio_os_describe (number);

  if (name != NULL)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_WATCH_FAILED, _("Can't watch “%s”: %s"), name, reason);
  else
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_WATCH_FAILED, _("Can't watch the file: %s"), reason);
  return FALSE;
}

/* What is compared with at first: the owner's inode, or else what the path names. */
static gboolean
take_first_inode (MmioWatch *watch,
                  int        owner_fd,
                  gboolean   fd_is_lent,
                  GError   **error)
{
  int fd;

  if (owner_fd >= 0 && fd_is_lent)
    return take_inode (watch, owner_fd, TRUE, is_stored_to (owner_fd)) ? TRUE : set_error (error, watch, EIO);

  fd = owner_fd >= 0 ? keep_inode (owner_fd) : open_inode (watch->path);

  if (fd < 0)
    {
      int number = errno;

      return owner_fd < 0 && number == ENOENT ? TRUE : set_error (error, watch, number);
    }
  return take_inode (watch, fd, FALSE, is_stored_to (owner_fd)) ? TRUE : set_error (error, watch, EIO);
}

/* As far as times tell it: before Linux 6.13 two changes within a tick of the clock have the same. */
static gboolean
differs_from_seen (MmioWatch           *watch,
                   const MmioWatchSeen *seen)
{
  const MmioFileState *state = &watch->state;

  if (!state->exists || !S_ISREG (state->mode))
    return FALSE;
  return (state->size != seen->size && state->size != seen->own_size) ||
         (seen->mtime != MMIO_WATCH_ANY_TIME && state->mtime != seen->mtime);
}

static const char *
why_no_lease (MmioWatch *watch,
              int        number)
{
  switch (number)
    {
    case EAGAIN:
      return watch->owner_stores ? _("it is open for writing here") : _("somebody has it open for writing");

    case EACCES:
      return _("it belongs to another user, and this process lacks the capability CAP_LEASE");

    case EREMOTE:
      return _("it can be written to from outside this system");

    case EINVAL:
    case ENOLCK:
    case ENOTSUP:
      return _("its file system has no leases");

    case ENOSYS:
      return _("this system has no leases");

    default:
      return NULL;
    }
}

static void
set_lease_error (GError    **error,
                 MmioWatch  *watch,
                 int         number)
{
  g_autofree char *name = watch->path != NULL ? mmio_os_display_name (watch->path) : NULL;
  const char *reason = why_no_lease (watch, number);

  if (reason == NULL)
    set_error (error, watch, number);
  else if (name != NULL)
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED, _("Can't have a lease on “%s”: %s"), name, reason);
  else
    g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED, _("Can't have a lease on the file: %s"), reason);
}

static gboolean
take_first_lease (MmioWatch *watch,
                  GError   **error)
{
  int number = watch->lease != NULL && watch->fd >= 0 ? take_lease (watch) : 0;

  if (number != 0)
    set_lease_error (error, watch, number);
  return number == 0;
}

static MmioWatch *
watch_new (const MmioWatchSetup *setup,
           char                 *path,
           MmioWatchFunc         func,
           gpointer              user_data,
           GDestroyNotify        destroy)
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
  watch->destroy = destroy;
  watch->fd = -1;
  watch->backend = "poll";
  watch->burst_due = G_MAXINT64;
  watch->confirm_due = G_MAXINT64;
  watch->lease_due = G_MAXINT64;
  mmio_watch_hub_join (&watch->client, &client_class, watch->context);
  if ((setup->flags & MMIO_WATCH_FLAGS_LOCATE) != 0)
    watch->locator = mmio_locator_new (mmio_watch_hub_get_pool (&watch->client), setup->locate_limit, locator_has_news,
                                       watch);
  if ((setup->flags & MMIO_WATCH_FLAGS_LEASE) != 0)
    watch->lease = mmio_lease_new (lease_is_wanted, watch);
  return watch;
}

static gboolean
is_possible (const MmioWatchSetup *setup,
             GCancellable         *cancellable,
             GError              **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  if (setup->location != NULL && g_file_peek_path (setup->location) == NULL)
    {
      g_autofree char *uri = g_file_get_uri (setup->location);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_NOT_SUPPORTED, _("Can't watch “%s”: it is no local file"), uri);
      return FALSE;
    }
  return TRUE;
}

MmioWatch *
mmio_watch_start (const MmioWatchSetup *setup,
                  MmioWatchFunc         func,
                  gpointer              user_data,
                  GDestroyNotify        destroy,
                  GCancellable         *cancellable,
                  GError              **error)
{
  MmioWatch *watch;
  gboolean started;

  g_return_val_if_fail (setup != NULL && (setup->location != NULL || setup->fd >= 0), NULL);
  g_return_val_if_fail (func != NULL, NULL);

  if (!is_possible (setup, cancellable, error))
    {
      if (destroy != NULL)
        destroy (user_data);
      return NULL;
    }

  watch = watch_new (setup, setup->location != NULL ? g_file_get_path (setup->location) : NULL, func, user_data, destroy);

  /* another thread may run the context, and be woken before this returns */
  g_mutex_lock (&watch->lock);
  if (watch->path != NULL && !mmio_watch_hub_has_queue (&watch->client))
    {
      watch->monitor = mmio_watch_monitor_new (&watch->client, watch->path);
      watch->interval = MAX (watch->interval, MONITOR_INTERVAL_MS);
    }
  renew_way (watch);
  started = take_first_inode (watch, setup->fd, setup->fd_is_lent, error) && take_first_lease (watch, error);
  if (started && setup->seen != NULL && differs_from_seen (watch, setup->seen))
    add_report (watch, MMIO_WATCH_CHANGED, 0, watch->state.size);
  choose_backend (watch);
  /* the path is compared with the inode where reports can be made, at once */
  mmio_watch_hub_set_deadline (&watch->client, 0);
  watch->is_started = TRUE;
  watch->stopped = !started;
  g_mutex_unlock (&watch->lock);

  if (!started)
    g_clear_pointer (&watch, mmio_watch_stop);
  return watch;
}

void
mmio_watch_stop (MmioWatch *watch)
{
  g_return_if_fail (watch != NULL);

  g_mutex_lock (&watch->lock);
  watch->stopped = TRUE;
  g_clear_pointer (&watch->monitor, mmio_watch_monitor_free);
  g_clear_pointer (&watch->locator, mmio_locator_free);
  g_clear_pointer (&watch->lease, mmio_lease_free);
  mmio_watch_hub_leave (&watch->client);
  if (watch->fd_is_lent)
    keep_fd (watch, -1, FALSE);
  g_mutex_unlock (&watch->lock);

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

  /* where not all is heard, what differs already can't be told later from what we are about to do */
  if (!hears_all (watch) && watch->fd >= 0 && mmio_file_state_read_fd (watch->fd, &now) && watch->state.exists &&
      !mmio_file_state_equal (&now, &watch->state))
    mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_LOST);
}

/* Of something that is still to be reported. */
static gboolean
has_heard (MmioWatch *watch)
{
  return watch->hints != MMIO_WATCH_HINT_NONE || watch->event_due != 0;
}

/* Only the size is looked at, not the times, for the kernel gives a file whose times were looked at a new one with the next
 * store, which the next flush then has to write. Times that the owner's stores have moved are no news where all is heard. */
static void
expect_heard (MmioWatch *watch)
{
  guint64 announced = 0, later = 0;
  gboolean known = mmio_os_get_size (watch->fd, &announced) == 0;
  gboolean alone = mmio_watch_hub_release (&watch->client) && !has_heard (watch);

  known = known && mmio_os_get_size (watch->fd, &later) == 0;
  if (!alone || !watch->owner_stores || !watch->state.exists || !known)
    return;

  /* equal events are merged: another's write just after ours may have been taken for it */
  if (later != announced)
    mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_WRITE);
  watch->state.size = announced;
  watch->state_is_fresh = TRUE;
  /* what the owner has stored is no reason to doubt that the next one only appends */
  watch->samples.valid = FALSE;
  if (watch->locator == NULL && watch->fd_is_readable)
    take_samples_of (watch, announced);
}

static void
expect_unheard (MmioWatch *watch)
{
  MmioFileState announced = { .exists = FALSE };
  gboolean alone;

  if (watch->fd >= 0)
    mmio_file_state_read_fd (watch->fd, &announced);
  alone = mmio_watch_hub_release (&watch->client) && !has_heard (watch);
  if (!alone || !watch->owner_stores || !watch->state.exists || !announced.exists)
    return;

  watch->state = announced;
  watch->state_is_fresh = TRUE;
  watch->announced = announced;
  take_samples (watch);
}

void
mmio_watch_expect (MmioWatch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;

  g_return_if_fail (watch != NULL);

  locker = g_mutex_locker_new (&watch->lock);
  if (hears_all (watch))
    expect_heard (watch);
  else
    expect_unheard (watch);
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
  kept = keep_inode (fd);
  if (kept < 0)
    return;

  if (watch->fd >= 0 && mmio_file_state_read_fd (kept, &state) && mmio_file_state_same_inode (&state, &watch->state))
    {
      /* what was reported of this inode stays what was reported */
      keep_fd (watch, kept, is_stored_to (fd));
      return;
    }

  /* the path may name yet another file by now */
  take_inode (watch, kept, FALSE, is_stored_to (fd));
  choose_backend (watch);
  mmio_watch_hub_hint (&watch->client, MMIO_WATCH_HINT_PATH);
}

static gboolean
has_untold_content (MmioWatch *watch)
{
  for (GList *l = watch->reports.head; l != NULL; l = l->next)
    {
      if (((MmioWatchReport *) l->data)->what == MMIO_WATCH_CHANGED)
        return TRUE;
    }
  return watch->is_locating && mmio_locator_is_busy (watch->locator);
}

gboolean
mmio_watch_get_seen (MmioWatch     *watch,
                     MmioWatchSeen *seen)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;

  g_return_val_if_fail (watch != NULL && seen != NULL, FALSE);

  locker = g_mutex_locker_new (&watch->lock);
  /* what waits to be told would never be: the next watch finds it again */
  if (has_untold_content (watch))
    return FALSE;
  if (watch->fd_is_lent && watch->state.exists)
    {
      *seen = get_seen (watch);
      return TRUE;
    }
  if (watch->knows_lent)
    *seen = watch->lent;
  return watch->knows_lent;
}

void
mmio_watch_keep (MmioWatch *watch)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;

  g_return_if_fail (watch != NULL);

  locker = g_mutex_locker_new (&watch->lock);
  watch->knows_lent = FALSE;
  if (watch->fd_is_lent)
    keep_fd (watch, keep_inode (watch->fd), watch->owner_stores);
}

void
mmio_watch_lend (MmioWatch *watch,
                 int        fd)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = NULL;
  MmioFileState state;

  g_return_if_fail (watch != NULL && fd >= 0);

  locker = g_mutex_locker_new (&watch->lock);
  if (watch->fd_is_lent || !mmio_file_state_read_fd (fd, &state) || !mmio_file_state_same_inode (&state, &watch->state))
    return;
  keep_fd (watch, fd, is_stored_to (fd));
  watch->fd_is_lent = TRUE;
}

const char *
mmio_watch_get_backend (MmioWatch *watch)
{
  g_return_val_if_fail (watch != NULL, NULL);

  return g_atomic_pointer_get (&watch->backend);
}
