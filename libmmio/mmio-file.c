/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * MmioFile: construction, properties, signals. What it does stands in the mmio-file-SUBJECT.c files.
 */
#include "config.h"

#include "mmio-file-private.h"

#include <errno.h>
#include <glib/gi18n-lib.h>

#include "mmio-enum-types.h"
#include "mmio-error.h"

/**
 * MmioFile:
 *
 * A file mapped into memory.
 *
 * What is read comes straight from the page cache, without a system call; what is written is in the page cache when the call
 * returns, seen by every process that maps or reads the file, and on the disk once [method@Mmio.File.flush] has returned.
 * The base address never moves while the file grows, reads take no lock and never wait for growth, and a file that somebody else
 * truncates is an error, not a signal.
 *
 * ```c
 * g_autoptr (GError) error = NULL;
 * g_autoptr (MmioFile) file = mmio_file_open ("data.log", MMIO_MODE_READ_WRITE, &error);
 *
 * if (file == NULL ||
 *     !mmio_file_write (file, 0, "hello", 5, &error) ||
 *     !mmio_file_flush (file, &error))
 *   g_printerr ("%s\n", error->message);
 * ```
 *
 * The properties are the builder: those that say how the file is opened are given to `g_initable_new ()` or, in a language binding,
 * to the constructor, and can't be changed later. One of [property@Mmio.File:path], [property@Mmio.File:location]
 * and [property@Mmio.File:fd] names the file; of the first two the one that is given last, and a descriptor before either.
 *
 * An `MmioFile` may be used from any thread. A `read` never returns a mix of the bytes before and after one `write` through the same
 * object, whichever threads they are of; two objects for one file know nothing of each other, in one process as in two. Views ([method@Mmio.File.get_view]) are windows without such a guarantee. Signals come in the main context that was the
 * thread-default one when [method@Mmio.File.watch] was called.
 *
 * The last [method@GObject.Object.unref] unmaps the file and closes its descriptor. It doesn't wait for the disk: what is
 * pending is written by the kernel in its own time. Call [method@Mmio.File.flush] or [method@Mmio.File.close] to know.
 *
 * After a [fork(2)](man:fork(2)) the child may read, write, take views and flush through the objects that it has inherited, whatever the
 * parent's other threads were doing at that moment. What one of them was in the middle of writing may be there in part, and a change of
 * size half done: [method@Mmio.File.refresh] settles that. A reload is done or not begun. Signals with `notify::size`, the watch, the
 * timer of the flush policy and the calls that end in `_async` stay with the parent; of the copy-on-write pages each has its own. GObject
 * itself has locks that no child can free: where the parent has other threads, leave the last reference to the end of the process.
 *
 * Since: 1.0
 */

typedef enum
{
  PROP_LOCATION = 1,
  PROP_PATH,
  PROP_FD,
  PROP_MODE,
  PROP_SIZE,
  PROP_RESERVE_SIZE,
  PROP_PREALLOCATE,
  PROP_FLUSH_POLICY,
  PROP_FLUSH_THRESHOLD,
  PROP_PREFAULT,
  PROP_HUGE_PAGES,
  PROP_FOLLOW,
  PROP_WATCHING,
  PROP_WATCH_INTERVAL,
  PROP_WATCH_BACKEND,
  PROP_LOCATE_LIMIT,
  PROP_SETTLE_TIME,
  PROP_ANNOUNCE
} MmioFileProperty;

static GParamSpec *properties[PROP_ANNOUNCE + 1];
guint mmio_file_signals[MMIO_FILE_N_SIGNALS];
gconstpointer mmio_file_class;

static void initable_iface_init (GInitableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MmioFile, mmio_file, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (G_TYPE_INITABLE, initable_iface_init)
                               G_IMPLEMENT_INTERFACE (G_TYPE_ASYNC_INITABLE, NULL))

void
mmio_file_warn_type (const char *function)
{
  g_return_if_fail_warning (G_LOG_DOMAIN, function, "MMIO_IS_FILE (self)");
}

static gboolean
mmio_file_initable_init (GInitable    *initable,
                         GCancellable *cancellable,
                         GError      **error)
{
  MmioFile *self = MMIO_FILE (initable);

  if (self->is_initialized)
    return TRUE;
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;

  return mmio_file_map_path (self, error);
}

static void
initable_iface_init (GInitableIface *iface)
{
  iface->init = mmio_file_initable_init;
}

void
mmio_file_notify_size (MmioFile *self)
{
  /* GObject's own lock may have been held by a thread of the parent that was resizing a file. */
  if (self->mapping.is_inherited)
    return;

  /* No more than a look for those who resize it all the time. */
  if (!g_atomic_int_get (&self->is_queue_running) || !mmio_file_call_in_caller (self, mmio_file_notify_size))
    g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_SIZE]);
}

void
mmio_file_notify_watching (MmioFile *self)
{
  if (mmio_file_call_in_caller (self, mmio_file_notify_watching))
    return;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_WATCHING]);
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_WATCH_BACKEND]);
}

static void
set_location (MmioFile *self,
              GFile    *location)
{
  if (location == NULL)
    return;
  g_set_object (&self->location, location);
  g_free (self->mapping.path);
  self->mapping.path = g_file_get_path (location);
  self->has_name = self->mapping.path != NULL;
}

static void
set_path (MmioFile   *self,
          const char *path)
{
  if (path == NULL)
    return;
  g_clear_object (&self->location);
  g_free (self->mapping.path);
  self->mapping.path = g_strdup (path);
  self->has_name = TRUE;
}

/* Not G_PARAM_CONSTRUCT_ONLY: GObject would set each one to its default at each construction, which costs more than the
 * mmap. So what that flag would say is said here. */
static gboolean
may_set (MmioFile   *self,
         GParamSpec *pspec)
{
  if (!self->is_initialized)
    return TRUE;

  g_critical ("The property “%s” of MmioFile can only be set at construction", pspec->name);
  return FALSE;
}

/* What the next watch takes over. Any thread, as all of the object. */
static gboolean
set_for_watch (MmioFile *self,
               guint64  *setting,
               guint64   value)
{
  gboolean changed;

  g_mutex_lock (&self->watch_lock);
  changed = *setting != value;
  *setting = value;
  g_mutex_unlock (&self->watch_lock);

  return changed;
}

static guint64
get_for_watch (MmioFile      *self,
               const guint64 *setting)
{
  guint64 value;

  g_mutex_lock (&self->watch_lock);
  value = *setting;
  g_mutex_unlock (&self->watch_lock);

  return value;
}

static void
mmio_file_set_property (GObject      *object,
                        guint         property_id,
                        const GValue *value,
                        GParamSpec   *pspec)
{
  MmioFile *self = MMIO_FILE (object);
  gboolean changed = FALSE;

  switch ((MmioFileProperty) property_id)
    {
    case PROP_LOCATION:
      if (may_set (self, pspec))
        set_location (self, g_value_get_object (value));
      break;

    case PROP_PATH:
      if (may_set (self, pspec))
        set_path (self, g_value_get_string (value));
      break;

    case PROP_FD:
      if (may_set (self, pspec))
        self->initial_fd = g_value_get_int (value);
      break;

    case PROP_MODE:
      if (may_set (self, pspec))
        self->mapping.mode = (MmioMode) g_value_get_enum (value);
      break;

    case PROP_RESERVE_SIZE:
      if (may_set (self, pspec))
        self->mapping.reserve_size = g_value_get_uint64 (value);
      break;

    case PROP_PREALLOCATE:
      if (may_set (self, pspec))
        self->mapping.preallocate = g_value_get_boolean (value);
      break;

    case PROP_FOLLOW:
      if (may_set (self, pspec))
        self->follow = g_value_get_boolean (value);
      break;

    case PROP_FLUSH_POLICY:
      changed = mmio_flusher_set_policy (&self->flusher, (MmioFlushPolicy) g_value_get_enum (value));
      break;

    case PROP_FLUSH_THRESHOLD:
      changed = mmio_flusher_set_threshold (&self->flusher, g_value_get_uint64 (value));
      break;

    case PROP_PREFAULT:
      if (may_set (self, pspec))
        self->prefault = g_value_get_boolean (value);
      break;

    case PROP_HUGE_PAGES:
      if (may_set (self, pspec))
        self->mapping.huge_pages = g_value_get_boolean (value);
      break;

    case PROP_WATCH_INTERVAL:
      changed = set_for_watch (self, &self->watch_interval, g_value_get_uint (value));
      break;

    case PROP_LOCATE_LIMIT:
      changed = set_for_watch (self, &self->locate_limit, g_value_get_uint64 (value));
      break;

    case PROP_SETTLE_TIME:
      changed = set_for_watch (self, &self->settle_time, g_value_get_uint (value));
      break;

    case PROP_ANNOUNCE:
      changed = g_atomic_int_get (&self->announce) != g_value_get_boolean (value);
      g_atomic_int_set (&self->announce, g_value_get_boolean (value));
      break;

    case PROP_SIZE:
    case PROP_WATCHING:
    case PROP_WATCH_BACKEND:
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }

  /* Those for construction only are set before anybody could listen. */
  if (changed)
    g_object_notify_by_pspec (object, pspec);
}

static void
mmio_file_get_property (GObject    *object,
                        guint       property_id,
                        GValue     *value,
                        GParamSpec *pspec)
{
  MmioFile *self = MMIO_FILE (object);

  switch ((MmioFileProperty) property_id)
    {
    case PROP_LOCATION:
      g_value_set_object (value, mmio_file_get_location (self));
      break;

    case PROP_PATH:
      g_value_set_string (value, mmio_file_get_path (self));
      break;

    case PROP_FD:
      g_value_set_int (value, mmio_file_get_fd (self));
      break;

    case PROP_MODE:
      g_value_set_enum (value, (gint) mmio_file_get_mode (self));
      break;

    case PROP_SIZE:
      g_value_set_uint64 (value, mmio_file_get_size (self));
      break;

    case PROP_RESERVE_SIZE:
      g_value_set_uint64 (value, self->mapping.reserve_size);
      break;

    case PROP_PREALLOCATE:
      g_value_set_boolean (value, self->mapping.preallocate);
      break;

    case PROP_FOLLOW:
      g_value_set_boolean (value, self->follow);
      break;

    case PROP_WATCHING:
      g_mutex_lock (&self->watch_lock);
      g_value_set_boolean (value, self->watch != NULL);
      g_mutex_unlock (&self->watch_lock);
      break;

    case PROP_FLUSH_POLICY:
      g_value_set_enum (value, g_atomic_int_get (&self->flusher.policy));
      break;

    case PROP_FLUSH_THRESHOLD:
      g_value_set_uint64 (value, __atomic_load_n (&self->flusher.threshold, __ATOMIC_RELAXED));
      break;

    case PROP_PREFAULT:
      g_value_set_boolean (value, self->prefault);
      break;

    case PROP_HUGE_PAGES:
      g_value_set_boolean (value, self->mapping.huge_pages);
      break;

    case PROP_WATCH_INTERVAL:
      g_value_set_uint (value, (guint) get_for_watch (self, &self->watch_interval));
      break;

    case PROP_WATCH_BACKEND:
      g_mutex_lock (&self->watch_lock);
      g_value_set_string (value, self->watch != NULL ? mmio_watch_get_backend (self->watch) : NULL);
      g_mutex_unlock (&self->watch_lock);
      break;

    case PROP_LOCATE_LIMIT:
      g_value_set_uint64 (value, get_for_watch (self, &self->locate_limit));
      break;

    case PROP_SETTLE_TIME:
      g_value_set_uint (value, (guint) get_for_watch (self, &self->settle_time));
      break;

    case PROP_ANNOUNCE:
      g_value_set_boolean (value, g_atomic_int_get (&self->announce));
      break;

    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
      break;
    }
}

static void
mmio_file_dispose (GObject *object)
{
  mmio_weak_clear (&MMIO_FILE (object)->weak);
  mmio_file_unwatch (MMIO_FILE (object));
  mmio_file_ignore_faults (MMIO_FILE (object));

  G_OBJECT_CLASS (mmio_file_parent_class)->dispose (object);
}

static void
mmio_file_finalize (GObject *object)
{
  MmioFile *self = MMIO_FILE (object);

  mmio_mapping_clear (&self->mapping);
  g_clear_object (&self->location);
  g_free (self->full_path);
  g_clear_pointer (&self->watch_context, g_main_context_unref);
  mmio_flusher_clear (&self->flusher);
  mmio_weak_free (&self->weak);
  g_mutex_clear (&self->queue_lock);
  g_mutex_clear (&self->watch_lock);

  G_OBJECT_CLASS (mmio_file_parent_class)->finalize (object);
}

static void
mmio_file_class_init (MmioFileClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags read_write = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
  const GParamFlags read_only = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  mmio_file_class = klass;

  object_class->set_property = mmio_file_set_property;
  object_class->get_property = mmio_file_get_property;
  object_class->dispose = mmio_file_dispose;
  object_class->finalize = mmio_file_finalize;

  /**
   * MmioFile:location: (getter get_location)
   *
   * The file, for construction only: a local one, or one that has a local path.
   *
   * Since: 1.0
   */
  properties[PROP_LOCATION] = g_param_spec_object ("location", NULL, NULL, G_TYPE_FILE, read_write);

  /**
   * MmioFile:path: (getter get_path)
   *
   * The file's path, in the encoding of file names, for construction only. %NULL for a file that has no name.
   *
   * Since: 1.0
   */
  properties[PROP_PATH] = g_param_spec_string ("path", NULL, NULL, NULL, read_write);

  /**
   * MmioFile:fd: (getter get_fd)
   *
   * The file's descriptor. At construction: one to duplicate, -1 for none. Later: the object's own, -1 once it is closed.
   *
   * Since: 1.0
   */
  properties[PROP_FD] = g_param_spec_int ("fd", NULL, NULL, -1, G_MAXINT, -1, read_write);

  /**
   * MmioFile:mode: (getter get_mode)
   *
   * How the file is mapped, for construction only; for reading by default.
   *
   * Since: 1.0
   */
  properties[PROP_MODE] = g_param_spec_enum ("mode", NULL, NULL, MMIO_TYPE_MODE, MMIO_MODE_READ_ONLY, read_write);

  /**
   * MmioFile:size: (getter get_size)
   *
   * How many bytes of the file can be reached: 0 once it is closed.
   *
   * Changes with [method@Mmio.File.resize], [method@Mmio.File.refresh] and [method@Mmio.File.reload], and, where
   * [property@Mmio.File:follow] is set, when others change it.
   *
   * Since: 1.0
   */
  properties[PROP_SIZE] = g_param_spec_uint64 ("size", NULL, NULL, 0, G_MAXUINT64, 0, read_only);

  /**
   * MmioFile:reserve-size:
   *
   * How many bytes of address space to map, for construction only. The file grows up to there without a new mapping. It costs no
   * memory. 0 leaves it to the library: 64 MiB more than the file (16 MiB on 32-bit systems), or twice the file if that is more, for a
   * file that is mapped for writing or followed, and nothing more than the file otherwise.
   *
   * Where as much can't be had, less is taken; the file can still grow.
   *
   * Since: 1.0
   */
  properties[PROP_RESERVE_SIZE] = g_param_spec_uint64 ("reserve-size", NULL, NULL, 0, G_MAXUINT64, 0, read_write);

  /**
   * MmioFile:preallocate:
   *
   * Whether growing the file reserves its blocks on the disk, so that no later write meets a full disk; for construction only.
   *
   * Since: 1.0
   */
  properties[PROP_PREALLOCATE] = g_param_spec_boolean ("preallocate", NULL, NULL, FALSE, read_write);

  /**
   * MmioFile:flush-policy:
   *
   * When what was written is flushed without being asked for. Writes by copy count when they return; writable views and atomics, whose
   * stores can't be seen, count with their length when they are released. A flush that fails makes the write that caused it fail with
   * %MMIO_ERROR_FLUSH_FAILED; where it was the timer's, the next flush does.
   *
   * With %MMIO_FLUSH_POLICY_EVERY_MILLIS a thread of the library flushes; nothing has to run a main loop, and it ends when the file is closed,
   * or with the object.
   * Of a copy-on-write mapping, whose changes never reach the file, nothing is ever flushed.
   *
   * Since: 1.0
   */
  properties[PROP_FLUSH_POLICY] =
      g_param_spec_enum ("flush-policy", NULL, NULL, MMIO_TYPE_FLUSH_POLICY, MMIO_FLUSH_POLICY_MANUAL, read_write);

  /**
   * MmioFile:flush-threshold:
   *
   * How many bytes, writes or milliseconds [property@Mmio.File:flush-policy] is about; at least 1, which is the default.
   *
   * Since: 1.0
   */
  properties[PROP_FLUSH_THRESHOLD] =
      g_param_spec_uint64 ("flush-threshold", NULL, NULL, 1, G_MAXUINT64, 1, read_write);

  /**
   * MmioFile:prefault:
   *
   * Whether to read the whole file into memory when it is opened, so that no later read waits for the disk; for construction only.
   *
   * Since: 1.0
   */
  properties[PROP_PREFAULT] = g_param_spec_boolean ("prefault", NULL, NULL, FALSE, read_write);

  /**
   * MmioFile:huge-pages:
   *
   * Whether to ask for huge pages, also for what the file grows by and what it is reloaded as; for construction only. It is a wish:
   * [method@Mmio.File.get_huge_page_bytes] tells what came of it.
   *
   * Since: 1.0
   */
  properties[PROP_HUGE_PAGES] = g_param_spec_boolean ("huge-pages", NULL, NULL, FALSE, read_write);

  /**
   * MmioFile:follow:
   *
   * Whether [property@Mmio.File:size] follows other writers while the file is watched; for construction only.
   *
   * Since: 1.0
   */
  properties[PROP_FOLLOW] = g_param_spec_boolean ("follow", NULL, NULL, FALSE, read_write);

  /**
   * MmioFile:watching:
   *
   * Whether the file is watched.
   *
   * Since: 1.0
   */
  properties[PROP_WATCHING] = g_param_spec_boolean ("watching", NULL, NULL, FALSE, read_only);

  /**
   * MmioFile:watch-interval:
   *
   * By how many milliseconds changes that come in a burst are gathered into one signal. 0, the default: each is told at once. Taken
   * over by the next [method@Mmio.File.watch].
   *
   * Since: 1.0
   */
  properties[PROP_WATCH_INTERVAL] = g_param_spec_uint ("watch-interval", NULL, NULL, 0, G_MAXINT, 0, read_write);

  /**
   * MmioFile:watch-backend:
   *
   * What changes are heard from: `inotify`, `poll`, or what else the system has. %NULL while the file isn't watched.
   *
   * Since: 1.0
   */
  properties[PROP_WATCH_BACKEND] = g_param_spec_string ("watch-backend", NULL, NULL, NULL, read_only);

  /**
   * MmioFile:locate-limit:
   *
   * Up to which size, in bytes, a file is copied so that %MMIO_WATCH_FLAGS_LOCATE finds changes to the byte; a larger one is
   * compared by blocks. 1 MiB by default. Taken over by the next [method@Mmio.File.watch].
   *
   * Since: 1.0
   */
  properties[PROP_LOCATE_LIMIT] = g_param_spec_uint64 ("locate-limit", NULL, NULL, 0, G_MAXUINT64, 1024 * 1024, read_write);

  /**
   * MmioFile:settle-time:
   *
   * After how many milliseconds without a change a file counts as settled; 500 by default. Taken over by the next change.
   *
   * Since: 1.0
   */
  properties[PROP_SETTLE_TIME] = g_param_spec_uint ("settle-time", NULL, NULL, 0, G_MAXINT, 500, read_write);

  /**
   * MmioFile:announce:
   *
   * Whether a flush makes itself heard. Stores into a mapping raise no event, neither does syncing them; an announced flush raises a
   * modification event for the watchers of any program, without changing a byte or the size. %TRUE by default.
   *
   * Since: 1.0
   */
  properties[PROP_ANNOUNCE] = g_param_spec_boolean ("announce", NULL, NULL, TRUE, read_write);

  g_object_class_install_properties (object_class, G_N_ELEMENTS (properties), properties);

  /**
   * MmioFile::changed:
   * @self: the file
   * @offset: where the change begins, in bytes
   * @length: how many bytes may have changed
   *
   * The file's content was changed: through a descriptor by anyone, or through a mapping by a libmmio process that flushed it.
   *
   * Where only an append is known of, the range is what was appended; where nothing is known, it is the whole file.
   *
   * What this object has stored and flushes itself is not told to it. A change of size is, also by its own
   * [method@Mmio.File.resize].
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_CHANGED] = g_signal_new ("changed", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                              G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);

  /**
   * MmioFile::metadata:
   * @self: the file
   *
   * The file's mode, owner, times, number of links or extended attributes were changed.
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_METADATA] =
      g_signal_new ("metadata", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * MmioFile::removed:
   * @self: the file
   *
   * The file isn't at its path any more: it was unlinked or renamed, or its file system unmounted.
   *
   * The mapping keeps showing it, and the watch stays: [signal@Mmio.File::replaced] follows when the path is made again.
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_REMOVED] =
      g_signal_new ("removed", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * MmioFile::replaced:
   * @self: the file
   *
   * Another file stands at the path now, as after an editor's atomic save.
   *
   * The mapping keeps showing the old one until [method@Mmio.File.reload].
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_REPLACED] =
      g_signal_new ("replaced", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * MmioFile::settled:
   * @self: the file
   *
   * The file has changed, then hasn't for [property@Mmio.File:settle-time], and nobody has it open for writing as far as the system
   * tells. With %MMIO_WATCH_FLAGS_SETTLE the beginning of the watch counts as a change.
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_SETTLED] =
      g_signal_new ("settled", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * MmioFile::about-to-change:
   * @self: the file
   *
   * Somebody wants to write to the file or to truncate it, and is held off until the handlers have returned, for one second at most:
   * what is needed of the file as it is can be copied now. Only with %MMIO_WATCH_FLAGS_LEASE.
   *
   * It is told when the file is opened for writing, or truncated by its path, and again when the last one who could write to it has
   * closed it and the next one comes. What happens to the name alone, a rename or an unlink, isn't held off. Who opens the file with
   * `O_NONBLOCK` is refused with `EWOULDBLOCK` for that moment, where others wait. A signal that would come after the second is over
   * doesn't come: then the file isn't as it was.
   *
   * The writer may be a thread of the same process, but not the one that iterates the main context: that one would wait out the second.
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_ABOUT_TO_CHANGE] =
      g_signal_new ("about-to-change", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * MmioFile::fault:
   * @self: the file
   * @offset: where the fault was, in bytes
   * @length: how many bytes can't be had
   *
   * Pages of the file could not be had while somebody looked at them: the file was truncated by somebody else, the disk was full
   * or failed. Views show zeros there until [method@Mmio.File.refresh]; see [method@Mmio.View.check].
   *
   * Each page that faulted is told once, as one range with those that faulted beside it, in the main context of the last
   * [method@Mmio.File.watch], or in the default one.
   *
   * Since: 1.0
   */
  mmio_file_signals[MMIO_FILE_SIGNAL_FAULT] = g_signal_new ("fault", MMIO_TYPE_FILE, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                                            G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
}

static void
mmio_file_init (MmioFile *self)
{
  self->initial_fd = -1;
  mmio_mapping_prepare (&self->mapping);
  self->announce = TRUE;
  self->settle_time = 500;
  self->locate_limit = 1024 * 1024;
  g_mutex_init (&self->watch_lock);
  g_mutex_init (&self->queue_lock);
  g_queue_init (&self->queue);
  mmio_flusher_init (&self->flusher, G_OBJECT (self), &self->weak, mmio_file_flush_pending);
}

/**
 * mmio_file_get_location: (get-property location)
 * @self: a file
 *
 * Gets the file's location.
 *
 * May be called from any thread.
 *
 * Returns: (transfer none) (nullable): the location; %NULL for a file without a name
 *
 * Since: 1.0
 */
GFile *
mmio_file_get_location (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);

  if (g_atomic_pointer_get (&self->location) == NULL && self->has_name)
    {
      GFile *location = g_file_new_for_path (mmio_file_get_full_path (self));

      if (!g_atomic_pointer_compare_and_exchange (&self->location, NULL, location))
        g_object_unref (location);
    }

  return g_atomic_pointer_get (&self->location);
}

/**
 * mmio_file_get_path: (get-property path)
 * @self: a file
 *
 * Gets the file's path. A relative one is relative to what was the working folder when the file was mapped: for
 * [method@Mmio.File.get_location], [method@Mmio.File.reload] and [method@Mmio.File.watch] it stays that.
 *
 * May be called from any thread.
 *
 * Returns: (type filename) (nullable): the path, as it was given; %NULL for a file without a name
 *
 * Since: 1.0
 */
const char *
mmio_file_get_path (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), NULL);

  return self->has_name ? self->mapping.path : NULL;
}

/**
 * mmio_file_get_fd: (get-property fd)
 * @self: a file
 *
 * Gets the file's descriptor, which is close-on-exec and stays the file's own: duplicate it to keep it. It keeps its number
 * when the file is reloaded.
 *
 * May be called from any thread.
 *
 * Returns: the descriptor; -1 once the file is closed
 *
 * Since: 1.0
 */
int
mmio_file_get_fd (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), -1);

  return self->is_initialized ? g_atomic_int_get (&self->mapping.fd) : self->initial_fd;
}

/**
 * mmio_file_get_mode: (get-property mode)
 * @self: a file
 *
 * Gets how the file is mapped.
 *
 * May be called from any thread.
 *
 * Returns: the mode
 *
 * Since: 1.0
 */
MmioMode
mmio_file_get_mode (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), MMIO_MODE_READ_ONLY);

  return self->mapping.mode;
}

/**
 * mmio_file_get_size: (get-property size)
 * @self: a file
 *
 * Gets how many bytes can be reached. The file itself may have another size by now, if others change it: see
 * [method@Mmio.File.refresh] and [property@Mmio.File:follow].
 *
 * May be called from any thread.
 *
 * Returns: the size in bytes; 0 once the file is closed
 *
 * Since: 1.0
 */
guint64
mmio_file_get_size (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), 0);

  return mmio_mapping_get_size (&self->mapping);
}

/**
 * mmio_file_is_closed:
 * @self: a file
 *
 * Whether [method@Mmio.File.close] was called.
 *
 * May be called from any thread.
 *
 * Returns: %TRUE if the file is closed
 *
 * Since: 1.0
 */
gboolean
mmio_file_is_closed (MmioFile *self)
{
  g_return_val_if_fail (MMIO_IS_FILE (self), TRUE);

  return __atomic_load_n (&self->mapping.closed, __ATOMIC_ACQUIRE);
}
