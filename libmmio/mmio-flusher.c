/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-flusher-private.h"

#include "mmio-worker-private.h"

/* What the timer holds: the owner only weakly, so that it stops with the object. */
typedef struct
{
  gatomicrefcount ref_count;
  MmioWeak *owner;
  MmioFlusherFunc func;
  gint busy;                    /* atomic: a flush takes longer than the interval; no second one beside it */
} Tick;

static void
tick_unref (gpointer data)
{
  Tick *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  mmio_weak_unref (self->owner);
  g_free (self);
}

/* May be where the last reference on the owner goes: in a thread of its own, where finalisation may block. */
static void
run_tick (gpointer data)
{
  Tick *self = data;
  g_autoptr (GObject) owner = mmio_weak_get (self->owner);

  if (owner != NULL)
    self->func (owner);
  g_atomic_int_set (&self->busy, FALSE);
  tick_unref (self);
}

static gboolean
on_timer (gpointer data)
{
  Tick *self = data;

  if (g_atomic_int_compare_and_exchange (&self->busy, FALSE, TRUE))
    {
      g_atomic_ref_count_inc (&self->ref_count);
      mmio_worker_run (run_tick, self);
    }

  return G_SOURCE_CONTINUE;
}

void
mmio_flusher_init (MmioFlusher     *self,
                   GObject         *owner,
                   MmioWeak       **weak,
                   MmioFlusherFunc  func)
{
  *self = (MmioFlusher){ .policy = MMIO_FLUSH_POLICY_MANUAL, .threshold = 1, .owner = owner, .weak = weak, .func = func };
  g_mutex_init (&self->lock);
}

static void
stop_timer (MmioFlusher *self)
{
  __atomic_store_n (&self->lacks_timer, FALSE, __ATOMIC_RELAXED);
  if (self->timer == NULL)
    return;

  g_source_destroy (self->timer);
  g_clear_pointer (&self->timer, g_source_unref);
}

static void
start_timer (MmioFlusher *self,
             guint64      interval)
{
  Tick *tick = g_new0 (Tick, 1);

  g_atomic_ref_count_init (&tick->ref_count);
  tick->owner = mmio_weak_ref_at (self->weak, self->owner);
  tick->func = self->func;

  self->timer = g_timeout_source_new ((guint) MIN (interval, G_MAXUINT));
  g_source_set_static_name (self->timer, "libmmio flush");
  g_source_set_callback (self->timer, on_timer, tick, tick_unref);
  if (!mmio_worker_attach (self->timer))
    {
      g_clear_pointer (&self->timer, g_source_unref);
      __atomic_store_n (&self->lacks_timer, TRUE, __ATOMIC_RELAXED);
    }
}

void
mmio_flusher_clear (MmioFlusher *self)
{
  stop_timer (self);
  g_mutex_clear (&self->lock);
}

void
mmio_flusher_start (MmioFlusher *self)
{
  g_mutex_lock (&self->lock);
  self->is_started = TRUE;
  if (self->policy == MMIO_FLUSH_POLICY_EVERY_MILLIS)
    start_timer (self, self->threshold);
  g_mutex_unlock (&self->lock);
}

void
mmio_flusher_stop (MmioFlusher *self)
{
  g_mutex_lock (&self->lock);
  self->is_started = FALSE;
  stop_timer (self);
  g_mutex_unlock (&self->lock);
}

/* Under lock. */
static gboolean
set (MmioFlusher     *self,
     MmioFlushPolicy  policy,
     gsize            threshold)
{
  if (self->policy == (gint) policy && self->threshold == threshold)
    return FALSE;

  stop_timer (self);
  __atomic_store_n (&self->threshold, threshold, __ATOMIC_RELAXED);
  __atomic_store_n (&self->policy, (gint) policy, __ATOMIC_RELAXED);
  if (policy == MMIO_FLUSH_POLICY_EVERY_MILLIS && self->is_started)
    start_timer (self, threshold);

  return TRUE;
}

gboolean
mmio_flusher_set_policy (MmioFlusher     *self,
                         MmioFlushPolicy  policy)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return set (self, policy, self->threshold);
}

gboolean
mmio_flusher_set_threshold (MmioFlusher *self,
                            guint64      threshold)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  return set (self, (MmioFlushPolicy) self->policy, (gsize) CLAMP (threshold, 1, G_MAXSIZE));
}

gsize
mmio_flusher_begin (MmioFlusher *self)
{
  /* Acquire: pairs with the release of mmio_flusher_note_slow (); what is taken off the count here is dirty before the flush looks. */
  return __atomic_exchange_n (&self->since, 0, __ATOMIC_ACQUIRE);
}

void
mmio_flusher_undo (MmioFlusher *self,
                   gsize        since)
{
  __atomic_add_fetch (&self->since, since, __ATOMIC_RELAXED);
}

/* Tries once more to have one. */
static gboolean
still_lacks_timer (MmioFlusher *self)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&self->lock);

  if (self->lacks_timer)
    {
      stop_timer (self);
      start_timer (self, self->threshold);
    }

  return self->lacks_timer;
}

gboolean
mmio_flusher_note_slow (MmioFlusher *self,
                        guint64      length)
{
  gsize threshold = __atomic_load_n (&self->threshold, __ATOMIC_RELAXED);

  switch ((MmioFlushPolicy) __atomic_load_n (&self->policy, __ATOMIC_RELAXED))
    {
    case MMIO_FLUSH_POLICY_ALWAYS:
      return TRUE;

    case MMIO_FLUSH_POLICY_EVERY_BYTES:
      return __atomic_add_fetch (&self->since, (gsize) length, __ATOMIC_RELEASE) >= threshold;

    case MMIO_FLUSH_POLICY_EVERY_WRITES:
      return __atomic_add_fetch (&self->since, 1, __ATOMIC_RELEASE) >= threshold;

    case MMIO_FLUSH_POLICY_EVERY_MILLIS:
      /* Sooner than was asked for, where there is nobody to look at the clock. */
      return G_UNLIKELY (__atomic_load_n (&self->lacks_timer, __ATOMIC_RELAXED)) && still_lacks_timer (self);

    case MMIO_FLUSH_POLICY_MANUAL:
    default:
      return FALSE;
    }
}
