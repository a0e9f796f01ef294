/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parts of `mmio watch`: the files that are watched, what is told of them, what is run when they have settled, and figures.
 */
#pragma once

#include "mmio-tool.h"

G_BEGIN_DECLS

typedef struct _WatchStats WatchStats;

typedef struct
{
  const ToolCommand *command;
  GHashTable *files;            /* paths -> Watched */
  GPtrArray *patterns;          /* of WatchPattern */

  GString *json;                /* NULL: text */
  gboolean locate;
  gboolean lease;               /* writers are held off until that has been told */
  double settle_seconds;        /* negative: “settled” is not told */
  char **exec;                  /* what is run when a file has settled; NULL: nothing */
  WatchStats *stats;            /* NULL: none */

  gint64 wanted;                /* events after which to end; 0: none */
  gint64 heard;
  gboolean has_failed;          /* something could not be run */
  guint n_children;             /* that run now */
  int name_width;               /* characters */
  gboolean is_over;             /* what comes now is no longer told */
} Watcher;

typedef struct
{
  Watcher *watcher;
  MmioFile *file;
  char *path;
  char *name;                   /* for people */
  gboolean is_from_pattern;     /* forgotten when it is removed */
  gboolean is_gone;             /* to be forgotten */
  gboolean is_running;          /* the command, on this file */
  gboolean is_due;              /* and is to be run once more */
} Watched;

/* Telling: mmio-watch.c. range: offset and length, or NULL. */
void        watch_tell            (Watched       *watched,
                                   const char    *event,
                                   const guint64 *range);

/* Files: mmio-watch-files.c */

/* A path, or a pattern of files in a folder, whose files are watched as they come. */
gboolean    watch_add             (Watcher       *self,
                                   const char    *path_or_pattern,
                                   GError       **error);
/* Lets go of a file that is gone, soon and not in its own handler; while the command runs on it, when that has ended. */
void        watch_forget          (Watched       *watched);
void        watch_clear_files     (Watcher       *self);

/* The command: mmio-watch-exec.c */

/* Whether there is such a command at all, as far as that can be told before there is a file. */
gboolean    watch_check_exec      (Watcher       *self,
                                   GError       **error);
void        watch_exec            (Watched       *watched);

/* Figures: mmio-watch-stats.c */

WatchStats *watch_stats_new       (void);
void        watch_stats_free      (WatchStats    *self);
/* As told, at this time (us since the epoch). */
void        watch_stats_add       (WatchStats    *self,
                                   Watched       *watched,
                                   const char    *event,
                                   gint64         now);
/* The file is watched from now on. */
void        watch_stats_start     (WatchStats    *self,
                                   Watched       *watched);
void        watch_stats_tell      (WatchStats    *self,
                                   Watcher       *watcher);

G_END_DECLS
