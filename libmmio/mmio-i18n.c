/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tells gettext where the library's translations are, before anyone can see a message.
 */
#include "config.h"

#ifdef ENABLE_NLS
#include <libintl.h>

__attribute__ ((constructor)) static void
bind_domain (void)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
}
#endif
