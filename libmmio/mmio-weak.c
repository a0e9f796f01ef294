/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-weak-private.h"

struct _MmioWeak
{
  gatomicrefcount ref_count;
  GMutex lock;
  gpointer object;              /* lock; not owned */
};

/* Of no object, and never freed: this reference is nobody's. */
static MmioWeak nothing = { .ref_count = 1 };

static MmioWeak *
weak_new (gpointer object)
{
  MmioWeak *self = g_new0 (MmioWeak, 1);

  g_atomic_ref_count_init (&self->ref_count);
  g_mutex_init (&self->lock);
  self->object = object;

  return self;
}

MmioWeak *
mmio_weak_ref_at (MmioWeak **place,
                  gpointer   object)
{
  MmioWeak *self = g_atomic_pointer_get (place);

  if (self == NULL)
    {
      self = weak_new (object);
      if (!g_atomic_pointer_compare_and_exchange (place, NULL, self))
        {
          mmio_weak_unref (self);
          self = g_atomic_pointer_get (place);
        }
    }

  return mmio_weak_ref (self);
}

MmioWeak *
mmio_weak_ref (MmioWeak *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

void
mmio_weak_unref (gpointer data)
{
  MmioWeak *self = data;

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  g_mutex_clear (&self->lock);
  g_free (self);
}

gpointer
mmio_weak_get (MmioWeak *self)
{
  gpointer object;

  g_mutex_lock (&self->lock);
  object = self->object != NULL ? g_object_ref (self->object) : NULL;
  g_mutex_unlock (&self->lock);

  return object;
}

void
mmio_weak_clear (MmioWeak **place)
{
  MmioWeak *self = g_atomic_pointer_get (place);

  if (self == NULL)
    {
      /* Whoever asks for the first time from now on, as a thread may that is just looking at the object, gets one of nothing. */
      if (g_atomic_pointer_compare_and_exchange (place, NULL, mmio_weak_ref (&nothing)))
        return;
      mmio_weak_unref (&nothing);
      self = g_atomic_pointer_get (place);
    }

  g_mutex_lock (&self->lock);
  self->object = NULL;
  g_mutex_unlock (&self->lock);
}

void
mmio_weak_free (MmioWeak **place)
{
  g_clear_pointer (place, mmio_weak_unref);
}
