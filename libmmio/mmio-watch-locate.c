/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file is read round and round as long as a request is open: a request is answered once all of the file has been read
 * after it was made, wherever in the round that was. So a newer change takes nothing from the reading that was done for
 * an older one, and a busy writer can't keep a change from being reported.
 */
#include "config.h"

#include "mmio-watch-locate-private.h"

#include <errno.h>
#include <unistd.h>

#include "mmio-digest-private.h"
#include "mmio-mapping-window-private.h"
#include "mmio-watch-state-private.h"

/* How much is read at once: it stays in the second-level cache until it is digested. */
#define PIECE (128 * 1024)
/* How much is looked at where it lies in memory: a large page. */
#define WINDOW (2 * 1024 * 1024)
/* After so much another file has its turn. */
#define TURN (64 * 1024 * 1024)
/* What is learnt while others wait. */
#define SHORT (1024 * 1024)
/* A file that changes faster than it can be read is said to have changed somewhere, this often. */
#define LONGEST_WAIT_US (G_USEC_PER_SEC)
#define MAX_THREADS 2

/* A place in the endless row of rounds. */
typedef struct
{
  guint64 round;
  guint64 offset;
} Place;

struct _MmioLocator
{
  gatomicrefcount n_refs;       /* of the owner, and of the pool while it is queued or run */
  GThreadPool *pool;
  guint64 copy_limit;
  GFunc notify;
  gpointer user_data;

  GMutex lock;                  /* for all that follows */
  gboolean freed;
  gboolean is_queued;           /* in the pool, or run by it */
  int next_fd;                  /* a file to begin with; -1 if there is none */
  MmioDigest *next_digest;      /* of that file */
  gboolean next_is_known;
  MmioFileState learnt_from;    /* the state of that file, or of the one that is being read, which changes are looked for since */
  guint n_open;                 /* requests that are not answered: 0, 1, or 2 for more */
  Place first;                  /* where the reader was when the oldest of them was made */
  Place last;                   /* and the newest */
  gint64 first_time;            /* monotonic, us */
  Place place;                  /* where the reader is */
  gsize reading;                /* so many bytes from there on at most, and perhaps has done so already; 0: nothing */
  gboolean is_known;            /* the digest is of all of the file */
  gboolean is_in_doubt;         /* and may hold changes that are still to be reported: the next answer is the whole file */
  gboolean is_changed;          /* and does */
  MmioDigestRange found;        /* and not answered yet */
  guint64 size;                 /* bytes, at the end of the last round */
  gboolean has_answer;
  MmioDigestRange answer;

  /* the reader's own: only one thread at a time runs it */
  int fd;                       /* -1 while there is nothing to be read */
  gboolean is_local;            /* what others write to the file is in our memory, too */
  MmioDigest *digest;
};

static MmioLocator *
locator_ref (MmioLocator *self)
{
  g_atomic_ref_count_inc (&self->n_refs);
  return self;
}

static void
locator_unref (MmioLocator *self)
{
  if (!g_atomic_ref_count_dec (&self->n_refs))
    return;

  if (self->fd >= 0)
    close (self->fd);
  if (self->next_fd >= 0)
    close (self->next_fd);
  g_clear_pointer (&self->digest, mmio_digest_free);
  g_clear_pointer (&self->next_digest, mmio_digest_free);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* lock held */
static void
queue (MmioLocator *self)
{
  if (self->is_queued || self->freed)
    return;
  self->is_queued = TRUE;
  g_thread_pool_push (self->pool, locator_ref (self), NULL);
}

/* Has all of the file been read since? */
static gboolean
is_round_complete (const Place *since,
                   const Place *now)
{
  return now->round > since->round + 1 || (now->round == since->round + 1 && now->offset >= since->offset);
}

/* lock held */
static void
give_answer (MmioLocator *self)
{
  if (self->is_in_doubt)
    self->found = (MmioDigestRange) { 0, G_MAXUINT64 };
  self->is_in_doubt = FALSE;

  if (!self->has_answer)
    self->answer = MMIO_DIGEST_RANGE_NONE;
  if (self->found.start < self->found.end)
    mmio_digest_range_add (&self->answer, self->found.start, self->found.end);
  self->found = MMIO_DIGEST_RANGE_NONE;
  self->has_answer = TRUE;

  if (--self->n_open > 0)
    {
      self->first = self->last;
      self->first_time = g_get_monotonic_time ();
    }
}

/* lock held. TRUE if there is an answer. */
static gboolean
answer_requests (MmioLocator *self)
{
  gboolean answered = FALSE;

  while (self->is_known && self->n_open > 0 && is_round_complete (&self->first, &self->place))
    {
      give_answer (self);
      answered = TRUE;
    }

  if (self->n_open == 2 && g_get_monotonic_time () - self->first_time > LONGEST_WAIT_US)
    {
      self->is_in_doubt = TRUE;
      give_answer (self);
      answered = TRUE;
    }
  return answered;
}

/* lock held. What was read was there when it was read: but was it before the first change that is to be found? */
static void
end_learning (MmioLocator         *self,
              const MmioFileState *now)
{
  self->is_known = TRUE;
  self->found = MMIO_DIGEST_RANGE_NONE;
  self->is_in_doubt = TRUE;
  self->is_changed = self->n_open > 0 || !mmio_file_state_equal (now, &self->learnt_from);
}

/* lock held, and nobody reads */
static void
take_file (MmioLocator *self)
{
  if (self->next_fd < 0)
    return;

  if (self->fd >= 0)
    close (self->fd);
  self->fd = self->next_fd;
  self->next_fd = -1;
  self->is_local = mmio_file_get_reach (self->fd) == MMIO_FILE_REACH_LOCAL;
  g_clear_pointer (&self->digest, mmio_digest_free);
  self->digest = g_steal_pointer (&self->next_digest);
  self->is_known = self->next_is_known;
  self->is_in_doubt = FALSE;
  self->size = mmio_digest_get_size (self->digest);
  self->found = MMIO_DIGEST_RANGE_NONE;
  self->place = (Place) { self->place.round + 1, 0 };
}

/* lock held. A round ends where the file does: there was nothing to be read at end. TRUE if it has just been learnt. */
static gboolean
end_round (MmioLocator *self,
           guint64      end)
{
  gboolean was_known = self->is_known;
  MmioFileState now;

  /* it may have become shorter than what has been read before */
  if (mmio_file_state_read_fd (self->fd, &now) && now.exists)
    end = MIN (end, now.size);
  mmio_digest_truncate (self->digest, end);
  self->size = end;
  self->place = (Place) { self->place.round + 1, 0 };
  if (!was_known)
    end_learning (self, &now);
  return !was_known;
}

/* What can't be read is where the file ends, for us. */
static gsize
read_piece (int     fd,
            guint64 offset,
            guint8 *piece)
{
  gsize n_read = 0;

  while (n_read < PIECE)
    {
      gssize n = pread (fd, piece + n_read, PIECE - n_read, (off_t) (offset + n_read));

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        break;
      n_read += (gsize) n;
    }
  return n_read;
}

/* How much is looked at next. */
static gsize
get_step (MmioLocator *self)
{
  return self->is_local && self->digest != NULL && mmio_digest_looks_once (self->digest) ? WINDOW : PIECE;
}

/* Up to the next window's beginning, as far as the file goes; 0 if it has to be read. */
static gsize
look_through_window (MmioLocator     *self,
                     guint64          offset,
                     MmioDigestRange *range)
{
  gsize length = WINDOW - offset % WINDOW;
  MmioWindow window;
  MmioFileState now;

  if (!mmio_file_state_read_fd (self->fd, &now) || !now.exists || now.size <= offset)
    return 0;
  length = (gsize) MIN (length, now.size - offset);
  if (!mmio_window_open (&window, self->fd, offset, length))
    return 0;
  mmio_digest_update (self->digest, offset, window.start, length, range);
  return mmio_window_close (&window) ? length : 0;
}

/* Returns how much was read. */
static gsize
read_on (MmioLocator *self,
         guint8      *piece)
{
  guint64 offset = MIN (self->place.offset, mmio_digest_get_size (self->digest) / MMIO_DIGEST_BLOCK * MMIO_DIGEST_BLOCK);
  MmioDigestRange range = MMIO_DIGEST_RANGE_NONE;
  gsize n_read = get_step (self) == WINDOW ? look_through_window (self, offset, &range) : 0;
  /* a window that is cut short was cut by the end of the file */
  gboolean at_end = n_read > 0 && (offset + n_read) % WINDOW != 0;
  gboolean news = FALSE;

  if (n_read == 0)
    {
      n_read = read_piece (self->fd, offset, piece);
      at_end = n_read < PIECE;
      mmio_digest_update (self->digest, offset, piece, n_read, &range);
    }

  g_mutex_lock (&self->lock);
  self->reading = 0;
  if (self->next_fd < 0)
    {
      if (range.start < range.end)
        mmio_digest_range_add (&self->found, range.start, range.end);
      self->place.offset = offset + n_read;
      if (at_end)
        news = end_round (self, offset + n_read);
      news = answer_requests (self) || news;
    }
  if (news && !self->freed)
    self->notify (self, self->user_data);
  g_mutex_unlock (&self->lock);
  return n_read;
}

/* lock held */
static gboolean
has_work (MmioLocator *self)
{
  return !self->freed && (self->next_fd >= 0 || (self->fd >= 0 && (!self->is_known || self->n_open > 0)));
}

/* lock held, and nobody reads. A descriptor for each of many files that rest would soon be more than a process may have. */
static void
rest (MmioLocator *self)
{
  if (has_work (self))
    queue (self);
  else if (self->fd >= 0)
    {
      close (self->fd);
      self->fd = -1;
    }
}

static void
run (gpointer data,
     gpointer unused G_GNUC_UNUSED)
{
  MmioLocator *self = data;
  g_autofree guint8 *piece = g_malloc (PIECE);
  gboolean goes_on = TRUE;

  for (guint64 n_read = 0; goes_on && n_read < TURN;)
    {
      g_mutex_lock (&self->lock);
      take_file (self);
      goes_on = has_work (self);
      self->reading = goes_on ? get_step (self) : 0;
      g_mutex_unlock (&self->lock);

      if (goes_on)
        n_read += read_on (self, piece);
    }

  g_mutex_lock (&self->lock);
  self->is_queued = FALSE;
  rest (self);
  g_mutex_unlock (&self->lock);
  locator_unref (self);
}

GThreadPool *
mmio_locator_pool_new (void)
{
  return g_thread_pool_new (run, NULL, MAX_THREADS, FALSE, NULL);
}

MmioLocator *
mmio_locator_new (GThreadPool    *pool,
                  guint64         copy_limit,
                  GFunc           notify,
                  gpointer        user_data)
{
  MmioLocator *self = g_new0 (MmioLocator, 1);

  g_atomic_ref_count_init (&self->n_refs);
  g_mutex_init (&self->lock);
  self->pool = pool;
  self->copy_limit = copy_limit;
  self->notify = notify;
  self->user_data = user_data;
  self->fd = self->next_fd = -1;
  self->found = MMIO_DIGEST_RANGE_NONE;
  return self;
}

void
mmio_locator_free (MmioLocator *self)
{
  g_mutex_lock (&self->lock);
  self->freed = TRUE;
  g_mutex_unlock (&self->lock);
  locator_unref (self);
}

/* FALSE if it takes too long. */
static gboolean
learn_at_once (MmioDigest *digest,
               int         fd,
               guint64     size)
{
  g_autofree guint8 *piece = NULL;
  MmioDigestRange range = MMIO_DIGEST_RANGE_NONE;
  guint64 offset = 0;
  gsize n_read = PIECE;

  if (size > SHORT)
    return FALSE;
  piece = g_malloc (PIECE);
  while (n_read == PIECE && offset <= SHORT)
    {
      n_read = read_piece (fd, offset, piece);
      mmio_digest_update (digest, offset, piece, n_read, &range);
      offset += n_read;
    }
  if (n_read < PIECE)
    return TRUE;
  mmio_digest_truncate (digest, 0);
  return FALSE;
}

void
mmio_locator_set_file (MmioLocator         *self,
                       int                  fd,
                       const MmioFileState *state,
                       gboolean             at_once)
{
  MmioDigest *digest = mmio_digest_new (self->copy_limit);
  gboolean is_known;

  mmio_digest_reserve (digest, state->size);
  is_known = at_once && learn_at_once (digest, fd, state->size);

  g_mutex_lock (&self->lock);
  if (self->next_fd >= 0)
    close (self->next_fd);
  g_clear_pointer (&self->next_digest, mmio_digest_free);
  self->next_fd = fd;
  self->next_digest = digest;
  self->next_is_known = is_known;
  self->learnt_from = *state;
  self->n_open = 0;
  self->has_answer = FALSE;
  if (!self->is_queued)
    {
      take_file (self);
      rest (self);
    }
  g_mutex_unlock (&self->lock);
}

gboolean
mmio_locator_is_in_doubt (MmioLocator *self)
{
  gboolean is_in_doubt;

  g_mutex_lock (&self->lock);
  is_in_doubt = self->is_known && self->is_in_doubt && !self->is_changed && self->next_fd < 0;
  g_mutex_unlock (&self->lock);
  return is_in_doubt;
}

void
mmio_locator_confirm (MmioLocator *self)
{
  g_mutex_lock (&self->lock);
  if (self->is_known && self->next_fd < 0 && self->n_open == 0 && !self->is_changed)
    self->is_in_doubt = FALSE;
  g_mutex_unlock (&self->lock);
}

/* lock held */
static gboolean
needs_file (MmioLocator *self)
{
  return self->fd < 0 && self->next_fd < 0;
}

gboolean
mmio_locator_needs_file (MmioLocator *self)
{
  gboolean needed;

  g_mutex_lock (&self->lock);
  needed = needs_file (self);
  g_mutex_unlock (&self->lock);
  return needed;
}

void
mmio_locator_request (MmioLocator *self,
                      int          fd)
{
  g_mutex_lock (&self->lock);
  if (fd >= 0 && needs_file (self))
    self->fd = g_steal_fd (&fd);
  self->last = self->place;
  /* a file that waits to be read begins with a round of its own */
  if (self->next_fd >= 0)
    self->last = (Place) { self->place.round + 1, 0 };
  /* what is being read now may be what was there before the change */
  else
    self->last.offset += self->reading;
  if (self->n_open == 0)
    {
      self->first = self->last;
      self->first_time = g_get_monotonic_time ();
    }
  self->n_open = MIN (self->n_open + 1, 2);
  queue (self);
  g_mutex_unlock (&self->lock);
  if (fd >= 0)
    close (fd);
}

gboolean
mmio_locator_take (MmioLocator *self,
                   guint64     *start,
                   guint64     *end)
{
  gboolean has_answer;

  g_mutex_lock (&self->lock);
  has_answer = self->has_answer;
  *start = MIN (self->answer.start, self->size);
  *end = MAX (self->answer.end, *start);
  self->has_answer = FALSE;
  g_mutex_unlock (&self->lock);
  return has_answer;
}

gboolean
mmio_locator_is_busy (MmioLocator *self)
{
  gboolean is_busy;

  g_mutex_lock (&self->lock);
  is_busy = self->n_open > 0 || self->has_answer;
  g_mutex_unlock (&self->lock);
  return is_busy;
}
