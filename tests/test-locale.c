/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The library's messages in another language, from a catalogue made of po/de.po for the occasion.
 */
#include "config.h"

#include <locale.h>
#include <libintl.h>

#include <glib/gstdio.h>
#include <mmio.h>

static void
test_domain_is_bound_where_it_is_installed (void)
{
  g_type_ensure (MMIO_TYPE_FILE);

  g_assert_cmpstr (bindtextdomain (GETTEXT_PACKAGE, NULL), ==, LOCALEDIR);
}

static void
test_errors_speak_german (void)
{
  g_autofree char *po = g_test_build_filename (G_TEST_DIST, "..", "po", "de.po", NULL);
  g_autofree char *folder = NULL;
  g_autofree char *messages = NULL;
  g_autofree char *catalogue = NULL;
  g_autofree char *language = NULL;
  g_autoptr (MmioFile) file = NULL;
  g_autoptr (GError) error = NULL;
  const char *msgfmt = g_getenv ("MSGFMT");
  const char *argv[] = { msgfmt, "--output", NULL, po, NULL };
  int wait_status;

  if (msgfmt == NULL || *msgfmt != '/')
    {
      g_test_skip ("msgfmt was not found");
      return;
    }

  folder = g_dir_make_tmp ("mmio-locale-XXXXXX", &error);
  g_assert_no_error (error);
  language = g_build_filename (folder, "de", NULL);
  messages = g_build_filename (language, "LC_MESSAGES", NULL);
  catalogue = g_build_filename (messages, GETTEXT_PACKAGE ".mo", NULL);
  g_assert_cmpint (g_mkdir_with_parents (messages, 0700), ==, 0);
  argv[2] = catalogue;
  g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &wait_status, &error);
  g_assert_no_error (error);
  g_assert_cmpint (wait_status, ==, 0);

  bindtextdomain (GETTEXT_PACKAGE, folder);
  file = mmio_file_open (folder, MMIO_MODE_READ_ONLY, &error);
  g_assert_null (file);
  g_assert_nonnull (error);
  g_assert_true (g_str_has_suffix (error->message, "ist ein Ordner"));

  g_assert_cmpint (g_unlink (catalogue), ==, 0);
  g_assert_cmpint (g_rmdir (messages), ==, 0);
  g_assert_cmpint (g_rmdir (language), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int   argc,
      char *argv[])
{
  g_setenv ("LANGUAGE", "de", TRUE);
  setlocale (LC_ALL, "C.UTF-8");
  g_test_init (&argc, &argv, NULL);

#ifdef ENABLE_NLS
  g_test_add_func ("/locale/domain-is-bound-where-it-is-installed", test_domain_is_bound_where_it_is_installed);
  g_test_add_func ("/locale/errors-speak-german", test_errors_speak_german);
#endif

  return g_test_run ();
}
