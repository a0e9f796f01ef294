/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * For the thread sanitizer, preloaded: GLib isn't built with it and makes its locks of bare futexes, so that the sanitizer sees neither
 * who waits for whom nor which reference was the last. Here each such call says so and goes on to GLib's own.
 */
#include <dlfcn.h>
#include <gio/gio.h>

/* Absent in a program without the sanitizer that runs in the same environment. */
extern void __tsan_acquire (void *address) __attribute__ ((weak));
extern void __tsan_release (void *address) __attribute__ ((weak));

static inline void
acquire (gconstpointer address)
{
  if (__tsan_acquire != NULL)
    __tsan_acquire ((void *) address);
}

static inline void
release (gconstpointer address)
{
  if (__tsan_release != NULL)
    __tsan_release ((void *) address);
}

/* Not g_once and the like, which stand on what is wrapped here. */
#define NEXT(name) \
  static __typeof__ (name) *next; \
  if (G_UNLIKELY (__atomic_load_n (&next, __ATOMIC_ACQUIRE) == NULL)) \
    __atomic_store_n (&next, (__typeof__ (name) *) dlsym (RTLD_NEXT, #name), __ATOMIC_RELEASE)

/* Absent in a program without GLib. */
#pragma weak g_idle_funcs
#pragma weak g_timeout_funcs

#undef g_mutex_lock
void
g_mutex_lock (GMutex *mutex)
{
  NEXT (g_mutex_lock);
  next (mutex);
  acquire (mutex);
}

#undef g_mutex_trylock
gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  NEXT (g_mutex_trylock);
  locked = next (mutex);
  if (locked)
    acquire (mutex);
  return locked;
}

#undef g_mutex_unlock
void
g_mutex_unlock (GMutex *mutex)
{
  NEXT (g_mutex_unlock);
  release (mutex);
  next (mutex);
}

void
g_rec_mutex_lock (GRecMutex *mutex)
{
  NEXT (g_rec_mutex_lock);
  next (mutex);
  acquire (mutex);
}

void
g_rec_mutex_unlock (GRecMutex *mutex)
{
  NEXT (g_rec_mutex_unlock);
  release (mutex);
  next (mutex);
}

void
g_rw_lock_writer_lock (GRWLock *lock)
{
  NEXT (g_rw_lock_writer_lock);
  next (lock);
  acquire (lock);
}

void
g_rw_lock_writer_unlock (GRWLock *lock)
{
  NEXT (g_rw_lock_writer_unlock);
  release (lock);
  next (lock);
}

void
g_rw_lock_reader_lock (GRWLock *lock)
{
  NEXT (g_rw_lock_reader_lock);
  next (lock);
  acquire (lock);
}

void
g_rw_lock_reader_unlock (GRWLock *lock)
{
  NEXT (g_rw_lock_reader_unlock);
  release (lock);
  next (lock);
}

void
g_cond_wait (GCond  *condition,
             GMutex *mutex)
{
  NEXT (g_cond_wait);
  release (mutex);
  next (condition, mutex);
  acquire (mutex);
}

gboolean
g_cond_wait_until (GCond  *condition,
                   GMutex *mutex,
                   gint64  end_time)
{
  gboolean signalled;

  NEXT (g_cond_wait_until);
  release (mutex);
  signalled = next (condition, mutex, end_time);
  acquire (mutex);
  return signalled;
}

#undef g_object_ref
gpointer
g_object_ref (gpointer object)
{
  NEXT (g_object_ref);
  release (object);
  return next (object);
}

void
g_object_unref (gpointer object)
{
  NEXT (g_object_unref);
  release (object);
  acquire (object);
  next (object);
}

gpointer
g_weak_ref_get (GWeakRef *weak_ref)
{
  gpointer object;

  NEXT (g_weak_ref_get);
  object = next (weak_ref);
  if (object != NULL)
    acquire (object);
  return object;
}

/* What is handed to a main context is done after it was handed over. */

typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify destroy;
} Handed;

static gboolean
do_handed (gpointer data)
{
  Handed *handed = data;

  acquire (handed);
  return handed->func (handed->data);
}

static void
destroy_handed (gpointer data)
{
  Handed *handed = data;

  acquire (handed);
  if (handed->destroy != NULL)
    handed->destroy (handed->data);
  g_free (handed);
}

static Handed *
hand (GSourceFunc    func,
      gpointer       data,
      GDestroyNotify destroy)
{
  Handed *handed = g_new (Handed, 1);

  *handed = (Handed){ func, data, destroy };
  release (handed);
  return handed;
}

void
g_main_context_invoke_full (GMainContext  *context,
                            gint           priority,
                            GSourceFunc    func,
                            gpointer       data,
                            GDestroyNotify destroy)
{
  NEXT (g_main_context_invoke_full);
  next (context, priority, do_handed, hand (func, data, destroy), destroy_handed);
}

void
g_main_context_invoke (GMainContext *context,
                       GSourceFunc   func,
                       gpointer      data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, func, data, NULL);
}

void
g_source_set_callback (GSource       *source,
                       GSourceFunc    func,
                       gpointer       data,
                       GDestroyNotify destroy)
{
  NEXT (g_source_set_callback);
  release (source);
  /* A source with functions of its own calls func in its own way. It is only known to come after the beginning of the iteration. */
  if (source->source_funcs == &g_idle_funcs || source->source_funcs == &g_timeout_funcs)
    next (source, do_handed, hand (func, data, destroy), destroy_handed);
  else
    next (source, func, data, destroy);
}

guint
g_source_attach (GSource      *source,
                 GMainContext *context)
{
  NEXT (g_source_attach);
  release (source);
  release (context);
  return next (source, context);
}

void
g_source_set_ready_time (GSource *source,
                         gint64   ready_time)
{
  NEXT (g_source_set_ready_time);
  release (source);
  next (source, ready_time);
}

gboolean
g_main_context_iteration (GMainContext *context,
                          gboolean      may_block)
{
  gboolean dispatched;

  NEXT (g_main_context_iteration);
  acquire (context);
  dispatched = next (context, may_block);
  acquire (context);
  return dispatched;
}

/* What is handed to a thread of a pool. */

typedef struct
{
  GFunc func;
  gpointer data;
} Pool;

static void
run_pushed (gpointer data,
            gpointer user_data)
{
  const Pool *pool = user_data;

  acquire (data);
  pool->func (data, pool->data);
}

GThreadPool *
g_thread_pool_new (GFunc     func,
                   gpointer  data,
                   gint      max_threads,
                   gboolean  exclusive,
                   GError  **error)
{
  Pool *pool = g_new (Pool, 1);

  NEXT (g_thread_pool_new);
  *pool = (Pool){ func, data };
  release (pool);
  return next (run_pushed, pool, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool,
                    gpointer     data,
                    GError     **error)
{
  NEXT (g_thread_pool_push);
  release (data);
  return next (pool, data, error);
}

/* A task: to its thread, and back. */

static void
run_task (GTask        *task,
          gpointer      source,
          gpointer      task_data,
          GCancellable *cancellable)
{
  GTaskThreadFunc func = (GTaskThreadFunc) g_object_get_data (G_OBJECT (task), "tsan-func");

  acquire (task);
  func (task, source, task_data, cancellable);
}

void
g_task_run_in_thread (GTask           *task,
                      GTaskThreadFunc  func)
{
  NEXT (g_task_run_in_thread);
  g_object_set_data (G_OBJECT (task), "tsan-func", (gpointer) func);
  release (task);
  next (task, run_task);
}

void
g_task_return_pointer (GTask          *task,
                       gpointer        result,
                       GDestroyNotify  destroy)
{
  NEXT (g_task_return_pointer);
  release (task);
  next (task, result, destroy);
}

void
g_task_return_boolean (GTask    *task,
                       gboolean  result)
{
  NEXT (g_task_return_boolean);
  release (task);
  next (task, result);
}

void
g_task_return_int (GTask  *task,
                   gssize  result)
{
  NEXT (g_task_return_int);
  release (task);
  next (task, result);
}

void
g_task_return_error (GTask  *task,
                     GError *error)
{
  NEXT (g_task_return_error);
  release (task);
  next (task, error);
}

gpointer
g_task_propagate_pointer (GTask   *task,
                          GError **error)
{
  NEXT (g_task_propagate_pointer);
  acquire (task);
  return next (task, error);
}

gboolean
g_task_propagate_boolean (GTask   *task,
                          GError **error)
{
  NEXT (g_task_propagate_boolean);
  acquire (task);
  return next (task, error);
}

gssize
g_task_propagate_int (GTask   *task,
                      GError **error)
{
  NEXT (g_task_propagate_int);
  acquire (task);
  return next (task, error);
}
