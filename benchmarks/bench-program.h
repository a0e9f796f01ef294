/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A side of a case that is a program of its own: in another language, in another process, from outside. It takes turns as the others do.
 * It prints the line "ready", or "SKIP " and why; then, for each line with a number n that it reads, it does the thing n times and
 * prints a line with the time that this took, in ns. It ends when there is no more to read.
 */
#pragma once

#include "bench.h"

G_BEGIN_DECLS

typedef struct _BenchProgram BenchProgram;

/* The arguments end with NULL. The program is looked for on the PATH; one that isn't there makes a side that is missing. */
BenchSide     bench_program_side  (const char        *label,
                                   const char        *program,
                                   ...) G_GNUC_NULL_TERMINATED;
void          bench_program_stop  (const BenchSide   *side);
/* Why there are no figures of any side, program or not: that may be so from the beginning, or a program has ended. NULL if there are. */
const char   *bench_program_why_missing (const BenchSide *side);
/* Its figures are none, and it takes no more turns: "NAME why" is what is said instead. FALSE: it is no program. */
gboolean      bench_program_distrust (const BenchSide *side,
                                      const char      *why);

/* As that, for a process that is no side but works beside one; it gets fds as its descriptors 3, 4, …. Never fails. */
BenchProgram *bench_program_start (const char *const *arguments,
                                   const int         *fds,
                                   guint              n_fds);
void          bench_program_free  (BenchProgram      *program);
/* Why it won't do anything; NULL if it will. */
const char   *bench_program_get_missing (BenchProgram *program);
void          bench_program_ask   (BenchProgram      *program,
                                   guint64            n);
guint64       bench_program_wait  (BenchProgram      *program);

/* The path of this program, to run it as a partner. */
const char   *bench_program_self  (void);

/* The other end: answers until there is no more to read. Returns an exit status. */
int           bench_program_serve (BenchRun           run,
                                   gpointer           data);
int           bench_program_refuse (const char       *why);

G_END_DECLS
