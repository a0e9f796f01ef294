/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The domain of errors, and the language that they speak.
 */
#include "config.h"

#include "mmio-error.h"

#ifdef ENABLE_NLS
#include <libintl.h>

/* Before anyone can see a message. It stands in a file that everybody needs: from an archive the linker takes no other. */
__attribute__ ((constructor)) static void
bind_domain (void)
{
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
}
#endif

/**
 * mmio_error_quark:
 *
 * Gets the quark of %MMIO_ERROR.
 *
 * Returns: the quark
 *
 * Since: 1.0
 */
G_DEFINE_QUARK (mmio-error-quark, mmio_error)
