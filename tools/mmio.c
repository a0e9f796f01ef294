/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * mmio: the command. Finds the subcommand; each stands in a file of its own, mmio-COMMAND.c.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "mmio-tool.h"

static const ToolCommand *const commands[] = {
  &tool_info, &tool_watch, &tool_cat, &tool_dump, &tool_find, &tool_write, &tool_copy, &tool_resize,
  &tool_resident, &tool_prefetch, &tool_evict, &tool_lock, &tool_counter,
};

static const ToolCommand *
find_command (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (g_str_equal (commands[i]->name, name))
      return commands[i];
  return NULL;
}

static void
print_help (void)
{
  tool_print ("%s\n  mmio %s\n\n%s\n\n%s\n", _("Usage:"), _("COMMAND [OPTION…] FILE…"),
              _("Looks at files, changes them and watches them through libmmio's memory mappings."), _("Commands:"));
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    tool_print ("  %-10s%s\n", commands[i]->name, _(commands[i]->summary));
  tool_print ("\n%s\n", _("“mmio COMMAND --help” says more about a command, “mmio --version” which version this is."));
}

static ToolStatus
run (char ***arguments)
{
  const char *name = (*arguments)[0];
  const ToolCommand *command;

  if (name == NULL)
    {
      tool_complain (NULL, _("a command is missing"));
      return TOOL_USAGE;
    }
  if (g_str_equal (name, "--version"))
    {
      tool_print ("mmio (libmmio) %s\n", PACKAGE_VERSION);
      return tool_end_output (NULL, TOOL_OK);
    }
  if (g_str_equal (name, "--help") || g_str_equal (name, "-h") || g_str_equal (name, "-?"))
    {
      print_help ();
      return tool_end_output (NULL, TOOL_OK);
    }

  command = find_command (name);
  if (command == NULL)
    {
      g_autofree char *shown = tool_display_name (name);

      tool_complain (NULL, name[0] == '-' ? _("there is no option “%s”") : _("there is no command “%s”"), shown);
      return TOOL_USAGE;
    }

  return tool_end_output (command, command->run (command, arguments));
}

/* Were one of the three closed, the next file to be opened would take its number, and what is printed would go into that file.
 * What stands in for it fails, as a closed one does. */
static void
hold_standard_descriptors (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl (fd, F_GETFD) < 0 && errno == EBADF && open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
      exit (TOOL_FAILED);
}

int
main (int    argc,
      char **argv)
{
  const char *locale_folder = g_getenv ("TEXTDOMAINDIR");
  g_auto (GStrv) arguments = NULL;

  hold_standard_descriptors ();
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, locale_folder != NULL ? locale_folder : LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  tool_begin_output ();

  /* A reader that goes away is seen as EPIPE, where it can be told from a full disk and ends a command in order. */
  signal (SIGPIPE, SIG_IGN);

  arguments = g_strdupv (argc > 0 ? argv + 1 : argv);
  return (int) run (&arguments);
}
