/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What callbacks have of an object that may go at any time.
 */
#include "config.h"

#include "mmio-weak-private.h"

static void
test_kept (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  MmioWeak *place = NULL;
  MmioWeak *weak = mmio_weak_ref_at (&place, object);
  g_autoptr (GObject) got = mmio_weak_get (weak);

  g_assert_true (got == object);
  mmio_weak_unref (weak);
  mmio_weak_free (&place);
  g_assert_null (place);
}

static void
test_cleared (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);
  MmioWeak *place = NULL;
  MmioWeak *weak = mmio_weak_ref_at (&place, object);

  mmio_weak_clear (&place);
  g_assert_null (mmio_weak_get (weak));
  mmio_weak_free (&place);
  g_assert_null (mmio_weak_get (weak));
  mmio_weak_unref (weak);
}

/* As where a thread finds a fault in a file that is just going. */
static void
test_asked_for_too_late (void)
{
  g_autoptr (GObject) object = g_object_new (G_TYPE_OBJECT, NULL);

  for (guint i = 0; i < 3; i++)
    {
      MmioWeak *place = NULL, *weak;

      mmio_weak_clear (&place);
      weak = mmio_weak_ref_at (&place, object);
      g_assert_null (mmio_weak_get (weak));
      mmio_weak_clear (&place);
      mmio_weak_free (&place);
      g_assert_null (mmio_weak_get (weak));
      mmio_weak_unref (weak);
    }
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/weak/has-the-object-while-it-is-there", test_kept);
  g_test_add_func ("/weak/has-nothing-once-it-is-cleared", test_cleared);
  g_test_add_func ("/weak/has-nothing-where-it-is-asked-for-after-that", test_asked_for_too_late);

  return g_test_run ();
}
