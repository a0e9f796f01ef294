/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Pins: the ranges that views and borrowed bytes point at. A pin keeps a range from being cut off by a shrink, and remembers
 * that a fault hit it.
 */
#include "config.h"

#include "mmio-mapping-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

#include "mmio-error.h"

/* How often a thread yields before it sleeps between two looks: the holder may be of lower priority on this very processor. */
#define YIELDS 64
#define SLEEP_US 100

static G_NO_INLINE void
wait_for_pins (MmioMapping *self)
{
  for (guint i = 0; __atomic_load_n (&self->pin_lock, __ATOMIC_RELAXED) != 0; i++)
    if (i < YIELDS)
      g_thread_yield ();
    else
      g_usleep (SLEEP_US);
}

/* A bit of our own and not a GMutex: it is held for a few instructions, twice in the life of each view, and letting go is a
 * plain store. */
void
mmio_mapping_lock_pins (MmioMapping *self)
{
  while (__atomic_exchange_n (&self->pin_lock, 1, __ATOMIC_ACQUIRE) != 0)
    wait_for_pins (self);
}

void
mmio_mapping_unlock_pins (MmioMapping *self)
{
  __atomic_store_n (&self->pin_lock, 0, __ATOMIC_RELEASE);
}

static void
link_pin (MmioMapping *self,
          MmioPin     *pin)
{
  pin->previous = NULL;
  pin->next = self->pins;
  if (pin->next != NULL)
    pin->next->previous = pin;
  self->pins = pin;
  if (pin->writable)
    __atomic_add_fetch (&self->n_writable_pins, 1, __ATOMIC_RELAXED);
}

static gboolean
is_current (MmioMapping   *self,
            const MmioPin *pin)
{
  return pin->region->generation == self->region->generation;
}

gboolean
mmio_mapping_is_pinned (MmioMapping *self,
                        MmioRegion  *region)
{
  for (const MmioPin *pin = self->pins; pin != NULL; pin = pin->next)
    if (pin->region == region)
      return TRUE;

  return FALSE;
}

static inline __attribute__ ((always_inline)) gboolean
take_pin (MmioMapping *self,
          MmioPin     *pin,
          guint64      offset,
          guint64      length,
          gboolean     writable,
          gboolean     passing,
          GError     **error)
{
  gboolean closed, inside;
  gsize size;

  mmio_mapping_lock_pins (self);
  size = mmio_mapping_get_size (self);
  closed = self->closed;
  inside = mmio_range_is_inside (offset, length, size);
  if (inside && !closed)
    {
      pin->region = self->region;
      pin->offset = (gsize) offset;
      pin->length = (gsize) length;
      pin->writable = writable;
      pin->passing = passing;
      pin->faulted = FALSE;
      link_pin (self, pin);
    }
  mmio_mapping_unlock_pins (self);

  if (closed)
    return mmio_mapping_fail_closed (self, error);
  if (!inside)
    return mmio_range_fail (self->path, offset, length, size, error);

  return TRUE;
}

gboolean
mmio_mapping_pin (MmioMapping *self,
                  MmioPin     *pin,
                  guint64      offset,
                  guint64      length,
                  gboolean     writable,
                  GError     **error)
{
  if (writable && self->mode == MMIO_MODE_READ_ONLY)
    return mmio_mapping_fail_read_only (self, error);

  return take_pin (self, pin, offset, length, writable, FALSE, error);
}

gboolean
mmio_mapping_pin_passing (MmioMapping *self,
                          MmioPin     *pin,
                          guint64      offset,
                          guint64      length,
                          GError     **error)
{
  return take_pin (self, pin, offset, length, FALSE, TRUE, error);
}

gboolean
mmio_mapping_pin_part (MmioMapping   *self,
                       MmioPin       *part,
                       const MmioPin *pin,
                       guint64        offset,
                       gsize          length,
                       GError       **error)
{
  if (!mmio_range_is_inside (offset, length, pin->length))
    return mmio_range_fail (self->path, offset, length, pin->length, error);

  mmio_mapping_lock_pins (self);
  part->region = pin->region;
  part->offset = pin->offset + (gsize) offset;
  part->length = length;
  part->writable = pin->writable;
  part->passing = FALSE;
  part->faulted = pin->faulted;
  link_pin (self, part);
  mmio_mapping_unlock_pins (self);

  return TRUE;
}

void
mmio_mapping_unpin (MmioMapping *self,
                    MmioPin     *pin)
{
  gboolean was_last_use;

  /* Whatever was stored through it counts as written. A part of it may be dirty after the pin has gone. */
  if (pin->writable && pin->length > 0 && self->mode == MMIO_MODE_READ_WRITE)
    {
      gsize size;

      mmio_mapping_lock (self);
      /* What somebody else has cut off can't become durable any more. */
      size = mmio_mapping_get_size (self);
      /* Views of a file that was replaced are the old file's affair. */
      if (!self->closed && is_current (self, pin))
        mmio_mapping_mark (self, MIN (pin->offset, size), MIN (pin->offset + pin->length, size));
      mmio_mapping_unlock (self);
    }

  mmio_mapping_lock_pins (self);
  if (pin->next != NULL)
    pin->next->previous = pin->previous;
  if (pin->previous != NULL)
    pin->previous->next = pin->next;
  else
    self->pins = pin->next;
  if (pin->writable)
    __atomic_sub_fetch (&self->n_writable_pins, 1, __ATOMIC_RELAXED);
  was_last_use = (self->closed || !is_current (self, pin)) && !mmio_mapping_is_pinned (self, pin->region);
  mmio_mapping_unlock_pins (self);

  if (G_UNLIKELY (was_last_use))
    {
      g_mutex_lock (&self->change_lock);
      mmio_mapping_empty_unused (self);
      g_mutex_unlock (&self->change_lock);
    }
}

/* Under change_lock. Publishes the smaller size if no pin reaches past it. */
gboolean
mmio_mapping_reserve_shrink (MmioMapping *self,
                             gsize        size,
                             GError     **error)
{
  const MmioPin *in_the_way = NULL;
  gsize offset = 0, length = 0;

  mmio_mapping_lock_pins (self);
  for (const MmioPin *pin = self->pins; pin != NULL && in_the_way == NULL; pin = pin->next)
    if (is_current (self, pin) && pin->offset + pin->length > size)
      in_the_way = pin;
  if (in_the_way != NULL)
    {
      offset = in_the_way->offset;
      length = in_the_way->length;
    }
  else
    {
      __atomic_store_n (&self->size, size, __ATOMIC_RELEASE);
    }
  mmio_mapping_unlock_pins (self);

  if (in_the_way != NULL)
    {
      g_autofree char *name = mmio_mapping_dup_name (self);

      g_set_error (error, MMIO_ERROR, MMIO_ERROR_BUSY,
                   g_dngettext (GETTEXT_PACKAGE,
                                "%s: can't shrink to %" PRIu64 " byte: a view of offset %" PRIu64 " + length %" PRIu64 " is in use",
                                "%s: can't shrink to %" PRIu64 " bytes: a view of offset %" PRIu64 " + length %" PRIu64 " is in use",
                                (gulong) size),
                   name, (guint64) size, (guint64) offset, (guint64) length);
      return FALSE;
    }

  return TRUE;
}

void
mmio_mapping_mark_pins_faulted (MmioMapping *self,
                                MmioRegion  *region,
                                gsize        offset,
                                gsize        length)
{
  mmio_mapping_lock_pins (self);
  for (MmioPin *pin = self->pins; pin != NULL; pin = pin->next)
    if (pin->region == region && pin->length > 0 && pin->offset < offset + length && offset < pin->offset + pin->length)
      {
        __atomic_store_n (&pin->faulted, TRUE, __ATOMIC_RELAXED);
        if (pin->writable && is_current (self, pin))
          g_atomic_int_set (&self->stores_lost, TRUE);
      }
  mmio_mapping_unlock_pins (self);
}

void
mmio_mapping_forgive_pins (MmioMapping *self)
{
  mmio_mapping_lock_pins (self);
  for (MmioPin *pin = self->pins; pin != NULL; pin = pin->next)
    if (is_current (self, pin))
      __atomic_store_n (&pin->faulted, FALSE, __ATOMIC_RELAXED);
  g_atomic_int_set (&self->stores_lost, FALSE);
  mmio_mapping_unlock_pins (self);
}

gboolean
mmio_mapping_check_pin (MmioMapping   *self,
                        const MmioPin *pin,
                        GError       **error)
{
  gboolean faulted = mmio_guard_range_has_faults (pin->region->guard) &&
                     mmio_guard_range_hit (pin->region->guard, pin->region->base + pin->offset, pin->length);

  /* Healing marks the pin first and forgets the record then, with release: who doesn't see the record any more sees the mark. */
  __atomic_thread_fence (__ATOMIC_ACQUIRE);
  faulted = faulted || __atomic_load_n (&pin->faulted, __ATOMIC_RELAXED);

  return !faulted || mmio_mapping_fail_fault (self, pin->offset, pin->length, error);
}

/* Adds what writable pins cover, inside [start, end), to ranges. Returns how many there are: more than fit are joined. */
guint
mmio_mapping_get_writable_pins (MmioMapping *self,
                                MmioDirty   *set,
                                gsize        start,
                                gsize        end)
{
  guint n = 0;

  if (__atomic_load_n (&self->n_writable_pins, __ATOMIC_RELAXED) == 0)
    return 0;

  mmio_mapping_lock_pins (self);
  for (const MmioPin *pin = self->pins; pin != NULL; pin = pin->next)
    if (pin->writable && is_current (self, pin) && pin->offset < end && pin->offset + pin->length > start)
      {
        mmio_dirty_add (set, MAX (pin->offset, start), MIN (pin->offset + pin->length, end));
        n++;
      }
  mmio_mapping_unlock_pins (self);

  return n;
}
