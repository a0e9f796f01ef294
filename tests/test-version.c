/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <mmio.h>

static void
test_is_the_packages_version (void)
{
  g_autofree char *version = g_strdup_printf ("%d.%d.%d", MMIO_MAJOR_VERSION, MMIO_MINOR_VERSION, MMIO_MICRO_VERSION);

  g_assert_cmpstr (version, ==, PACKAGE_VERSION);
  g_assert_cmpstr (MMIO_VERSION_STRING, ==, PACKAGE_VERSION);
}

static void
test_check_compares_all_three_parts (void)
{
  g_assert_true (MMIO_CHECK_VERSION (MMIO_MAJOR_VERSION, MMIO_MINOR_VERSION, MMIO_MICRO_VERSION));
  g_assert_false (MMIO_CHECK_VERSION (MMIO_MAJOR_VERSION, MMIO_MINOR_VERSION, MMIO_MICRO_VERSION + 1));
  g_assert_false (MMIO_CHECK_VERSION (MMIO_MAJOR_VERSION, MMIO_MINOR_VERSION + 1, 0));
  g_assert_false (MMIO_CHECK_VERSION (MMIO_MAJOR_VERSION + 1, 0, 0));
}

static void
test_enumerations_have_types (void)
{
  g_autoptr (GEnumClass) modes = g_type_class_ref (MMIO_TYPE_MODE);
  g_autoptr (GFlagsClass) flags = g_type_class_ref (MMIO_TYPE_WATCH_FLAGS);

  g_assert_cmpint (g_enum_get_value_by_nick (modes, "copy-on-write")->value, ==, MMIO_MODE_COPY_ON_WRITE);
  g_assert_cmpuint (g_flags_get_value_by_nick (flags, "lease")->value, ==, MMIO_WATCH_FLAGS_LEASE);
}

int
main (int   argc,
      char *argv[])
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/version/is-the-packages-version", test_is_the_packages_version);
  g_test_add_func ("/version/check-compares-all-three-parts", test_check_compares_all_three_parts);
  g_test_add_func ("/version/enumerations-have-types", test_enumerations_have_types);

  return g_test_run ();
}
