/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The name that libFuzzer calls. */
int  LLVMFuzzerTestOneInput (const guint8 *data,
                             size_t        size);
/* Removes what it has made in the file system. */
void fuzz_file_clear        (void);
