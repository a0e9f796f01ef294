/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A weak reference on an object, for callbacks that must not keep it. Unlike a GWeakRef it hangs no interpreter: before GLib 2.80
 * g_weak_ref_get () takes its reference in a lock that all objects share. Where that is an object's second reference, a binding with
 * toggle references waits there for its interpreter, whose thread may be waiting for that lock to let go of any other object.
 *
 * The lock here is one object's alone. Who waits for it is in that object's dispose (), so its last reference was no toggle
 * reference any more, and who has it waits for nobody.
 */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

typedef struct _MmioWeak MmioWeak;

/* Any thread, which has a reference on object or keeps it from being finalised. (transfer full). Made when it is first asked for, and
 * kept at place, atomically: most files never need one. One that is asked for after mmio_weak_clear () is of nothing. */
MmioWeak *mmio_weak_ref_at (MmioWeak **place,
                            gpointer   object);
/* In the object's dispose (), and in its finalize (). */
void      mmio_weak_clear  (MmioWeak **place);
void      mmio_weak_free   (MmioWeak **place);

MmioWeak *mmio_weak_ref    (MmioWeak  *self);
void      mmio_weak_unref  (gpointer   self);
/* Any thread. (transfer full); NULL if the object is going or gone. */
gpointer  mmio_weak_get    (MmioWeak  *self);

G_END_DECLS
