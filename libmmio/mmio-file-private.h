/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <sys/stat.h>

#include "mmio-file.h"
#include "mmio-flusher-private.h"
#include "mmio-mapping-private.h"
#include "mmio-view.h"
#include "mmio-watch-private.h"
#include "mmio-weak-private.h"

G_BEGIN_DECLS

/* Does what task was asked for, and returns its result. */
typedef void (*MmioFileOperation) (MmioFile *self,
                                   GTask    *task);

/* A GTask's data begins with it. */
typedef struct
{
  MmioFileOperation operation;
  gboolean waits_for_others;    /* and so may take for ever */
  gulong cancelled_id;          /* the queue's own */
} MmioFileRequest;

struct _MmioFile
{
  GObject parent_instance;

  /* Set before initialisation, immutable then. */
  GFile *location;              /* made when asked for, atomic; NULL for a file without a name */
  char *full_path;              /* owned: of a path that was given relative to a folder that needn't stay the working one; else NULL */
  int initial_fd;               /* what the `fd` property was given; -1 */
  gboolean has_name;            /* mapping.path is the path of a file, not a description */
  gboolean follow;
  gboolean prefault;
  gboolean is_initialized;

  gint announce;                /* atomic */
  gint listens_for_faults;      /* atomic */

  MmioWeak *weak;               /* owned, atomic: what callbacks have of the file; NULL if there are none */

  MmioFlusher flusher;

  /* queue_lock: the calls that wait for their turn, GTasks */
  GMutex queue_lock;
  GQueue queue;
  gint is_queue_running;        /* atomic; written under queue_lock */

  /* watch_lock: the watch and how it is made */
  GMutex watch_lock;
  MmioWatch *watch;             /* is lent the mapping's descriptor, so it is stopped before that is closed */
  MmioWatchSeen seen;           /* when the file was opened or reloaded, or by the last watch */
  gint has_stored;              /* atomic: what was stored here has been flushed, or the size set: times say nothing of others */
  gboolean is_closing;          /* no watch is started any more */
  guint n_reloads;              /* under way: the descriptor isn't lent meanwhile */
  GMainContext *watch_context;  /* of the last watch: where `fault` is emitted; NULL for the default one */
  GSource *settling;            /* until then the file has to be quiet; NULL if it hasn't changed */
  guint watch_generation;       /* which watch the reports belong to; a report of an earlier one is dropped */
  guint64 watch_interval;       /* ms */
  guint64 settle_time;          /* ms */
  guint64 locate_limit;         /* bytes */

  /* Immutable place; see there for its locks. Inside, so that a read is one pointer away; last, since what a read looks at must not
   * share a cache line with the reference count above, which each view takes and drops. */
  MmioMapping mapping;
};

/* For functions of a few nanoseconds: each begins a cache line, so that how fast one is does not depend on what was compiled before it
 * (peek: else 2.4 to 3.0 ns, from one build to the next). */
#define MMIO_HOT __attribute__ ((aligned (64)))

/* Of MmioFile, once there is one. */
G_GNUC_INTERNAL extern gconstpointer mmio_file_class;

G_GNUC_INTERNAL void mmio_file_warn_type (const char *function) __attribute__ ((cold));

/* What g_return_val_if_fail (MMIO_IS_FILE (instance), …) does, for the calls that take as long as a few instructions do: the macro
 * calls a function for the type, and whatever was passed has to survive that call (read of 64 bytes: 5.9 ns with it,
 * 4.5 ns without). The type is final, so a file is what has exactly its class. */
static inline gboolean
mmio_is_file (gconstpointer instance,
              const char   *function)
{
  if (G_LIKELY (instance != NULL) && G_LIKELY (((const GTypeInstance *) instance)->g_class == mmio_file_class))
    return TRUE;

  mmio_file_warn_type (function);
  return FALSE;
}

typedef enum
{
  MMIO_FILE_SIGNAL_CHANGED,
  MMIO_FILE_SIGNAL_METADATA,
  MMIO_FILE_SIGNAL_REMOVED,
  MMIO_FILE_SIGNAL_REPLACED,
  MMIO_FILE_SIGNAL_SETTLED,
  MMIO_FILE_SIGNAL_ABOUT_TO_CHANGE,
  MMIO_FILE_SIGNAL_FAULT,
  MMIO_FILE_N_SIGNALS
} MmioFileSignal;

G_GNUC_INTERNAL extern guint mmio_file_signals[MMIO_FILE_N_SIGNALS];

/* Opens self->mapping.path, or takes self->initial_fd, and maps it. */
gboolean mmio_file_map_path      (MmioFile     *self,
                                  GError      **error);
/* Maps the open fd, which is taken over also where it fails. */
gboolean mmio_file_map_fd        (MmioFile     *self,
                                  int           fd,
                                  GError      **error);
/* What to look at for what stands at the file's path now. */
const char *mmio_file_get_full_path (MmioFile *self);
/* Opens a regular file without ever blocking on anything else; -1 and a G_IO_ERROR otherwise. */
int      mmio_file_open_regular  (const char   *path,
                                  MmioMode      mode,
                                  GError      **error);

/* FALSE and a G_IO_ERROR that says what it is instead. */
gboolean mmio_file_check_regular (const char   *path,
                                  const struct stat *buffer,
                                  GError      **error);

void     mmio_file_notify_size   (MmioFile     *self);
void     mmio_file_notify_watching (MmioFile   *self);
/* Lets watchers of any program know what was flushed; our own watch doesn't report it. */
void     mmio_file_announce      (MmioFile          *self,
                                  const MmioFlushed *flushed);
/* for_good: none is started any more. TRUE if there was a watch. */
gboolean mmio_file_stop_watch    (MmioFile     *self,
                                  gboolean      for_good);
/* As the file is that is being mapped. */
void     mmio_file_take_seen     (MmioFile          *self,
                                  const struct stat *st);
/* The size was set here. */
void     mmio_file_take_size     (MmioFile     *self,
                                  guint64       size);
/* Between the two the descriptor may become another file's; reloaded: and has. */
void     mmio_file_begin_reload  (MmioFile     *self);
void     mmio_file_end_reload    (MmioFile     *self,
                                  gboolean      reloaded);
/* Searches [from, to), the end of the file with G_MAXUINT64; -1 if there is no match, or with error set. */
gint64   mmio_file_search        (MmioFile     *self,
                                  gconstpointer pattern,
                                  gsize         length,
                                  guint64       from,
                                  guint64       to,
                                  gboolean      forwards,
                                  GCancellable *cancellable,
                                  GError      **error);

/* Has task, which is taken over, done when everything before it is done. */
void     mmio_file_enqueue       (MmioFile     *self,
                                  GTask        *task);
/* In a thread that does what an _async function was asked for: has func called where the result is told, before it is. Elsewhere FALSE. */
gboolean mmio_file_call_in_caller (MmioFile *self,
                                   void    (*func) (MmioFile *file));
/* The file has changed: `settled` is emitted once it has been quiet for the time. */
void     mmio_file_settle_later  (MmioFile     *self);
/* Under watch_lock. */
void     mmio_file_settle_never  (MmioFile     *self);
/* Has `fault` emitted, soon and in its context, if there is something to tell. */
void     mmio_file_tell_faults   (MmioFile     *self);
void     mmio_file_listen_for_faults_slow (MmioFile *self);
void     mmio_file_ignore_faults (MmioFile     *self);

/* From now on somebody may look at the file's memory by himself: faults are heard of. */
static inline void
mmio_file_listen_for_faults (MmioFile *self)
{
  if (G_UNLIKELY (!g_atomic_int_get (&self->listens_for_faults)))
    mmio_file_listen_for_faults_slow (self);
}

/* What the flush policy's timer calls. */
void     mmio_file_flush_pending (GObject      *object);

/* What each change of length bytes ends with: flushes where the policy says so, and there is anything that a flush could be for. */
static inline gboolean
mmio_file_after_write (MmioFile *self,
                       guint64   length,
                       GError  **error)
{
  return G_LIKELY (!mmio_flusher_note (&self->flusher, length)) || self->mapping.mode != MMIO_MODE_READ_WRITE ||
         mmio_file_flush (self, error);
}

G_END_DECLS
