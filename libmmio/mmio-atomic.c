/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-atomic-private.h"

#include <glib/gi18n-lib.h>
#include <inttypes.h>

#include "mmio-error.h"
#include "mmio-file-private.h"
#include "mmio-os-futex-private.h"

/* Nobody wakes a sleeper when the file is truncated under it: so often it looks. */
#define LOOK_US G_USEC_PER_SEC

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define LOW_HALF 0
#else
#define LOW_HALF 1
#endif

static void
free_atomic (MmioAtomic *self)
{
  g_object_unref (self->file);
  g_free (self);
}

/* In terms of what was asked for: elements, not bytes. */
static void
fail_out_of_bounds (MmioMapping *mapping,
                    guint64      offset,
                    gsize        n_elements,
                    gsize        element_size,
                    GError     **error)
{
  g_autofree char *name = mmio_mapping_dup_name (mapping);

  /* Translators: %s is a file's name; as many elements of as many bytes, from the offset on, are more than the file has. */
  g_set_error (error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS,
               _("%s: offset %" PRIu64 " + %" PRIu64 " * %" PRIu64 " bytes exceeds size %" PRIu64), name, offset,
               (guint64) n_elements, (guint64) element_size, (guint64) mmio_mapping_get_size (mapping));
}

MmioAtomic *
mmio_atomic_new (MmioFile *file,
                 guint64   offset,
                 gsize     n_elements,
                 gsize     element_size,
                 GError  **error)
{
  MmioMapping *mapping = &file->mapping;
  g_autoptr (GError) local_error = NULL;
  gboolean writable = mapping->mode != MMIO_MODE_READ_ONLY;
  MmioAtomic *self;

  if (offset % element_size != 0)
    {
      g_autofree char *name = mmio_mapping_dup_name (mapping);

      /* Translators: %s is a file's name, the numbers are bytes. */
      g_set_error (error, MMIO_ERROR, MMIO_ERROR_MISALIGNED, _("%s: offset %" PRIu64 " is not a multiple of %" PRIu64), name,
                   offset, (guint64) element_size);
      return NULL;
    }
  if (n_elements > G_MAXSIZE / element_size)
    {
      fail_out_of_bounds (mapping, offset, n_elements, element_size, error);
      return NULL;
    }

  self = g_new0 (MmioAtomic, 1);
  g_atomic_ref_count_init (&self->ref_count);
  self->file = g_object_ref (file);
  mmio_file_listen_for_faults (file);
  if (!mmio_mapping_pin (mapping, &self->pin, offset, n_elements * element_size, writable, &local_error))
    {
      if (g_error_matches (local_error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS))
        fail_out_of_bounds (mapping, offset, n_elements, element_size, error);
      else
        g_propagate_error (error, g_steal_pointer (&local_error));
      free_atomic (self);
      return NULL;
    }

  self->element_size = element_size;
  self->base = self->pin.region->base + self->pin.offset;
  self->n_readable = n_elements;
  self->n_writable = writable ? n_elements : 0;

  return self;
}

void
mmio_atomic_ref (MmioAtomic *self)
{
  g_atomic_ref_count_inc (&self->ref_count);
}

void
mmio_atomic_complain (MmioAtomic *self,
                      const char *function,
                      gsize       index)
{
  gsize length = __atomic_load_n (&self->n_readable, __ATOMIC_RELAXED);
  g_autofree char *name = mmio_mapping_dup_name (&self->file->mapping);

  if (g_atomic_int_get (&self->released))
    g_critical ("%s: %s: the atomic was released", function, name);
  else if (index >= length)
    g_critical ("%s: %s: index %" G_GSIZE_FORMAT " is out of range: the length is %" G_GSIZE_FORMAT, function, name, index, length);
  else
    g_critical ("%s: %s: is mapped for reading only; MMIO_MODE_READ_WRITE is to change it", function, name);
}

void
mmio_atomic_release (MmioAtomic *self)
{
  __atomic_store_n (&self->n_readable, 0, __ATOMIC_RELAXED);
  __atomic_store_n (&self->n_writable, 0, __ATOMIC_RELAXED);
  if (!g_atomic_int_compare_and_exchange (&self->released, FALSE, TRUE))
    return;

  mmio_mapping_unpin (&self->file->mapping, &self->pin);
  /* The flush policy counts it as a write. If the flush fails the next one says so. */
  if (self->pin.writable && !mmio_file_is_closed (self->file))
    mmio_file_after_write (self->file, self->pin.length, NULL);
}

void
mmio_atomic_unref (MmioAtomic *self)
{
  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;

  mmio_atomic_release (self);
  free_atomic (self);
}

gboolean
mmio_atomic_check (MmioAtomic *self,
                   GError    **error)
{
  return g_atomic_int_get (&self->released) || mmio_mapping_check_pin (&self->file->mapping, &self->pin, error);
}

/* Waiting */

static guint64
load (MmioAtomic *self,
      gsize       index)
{
  if (self->element_size == sizeof (guint32))
    return __atomic_load_n (mmio_atomic_u32_at (self, index), __ATOMIC_SEQ_CST);

  return __atomic_load_n (mmio_atomic_u64_at (self, index), __ATOMIC_SEQ_CST);
}

/* The words a waiter watches; the first is the one that is woken. All processes on one machine agree on which half that is.
 *
 * Of 64 bits both halves are watched, the low one first: who changes the high half alone and then wakes the low one either finds the
 * waiter there already or has changed the high half before the waiter looks at it. Where the kernel can watch one word only, the
 * waiter looks again at short intervals. */
static guint
fill_words (MmioAtomic    *self,
            gsize          index,
            guint64        expected,
            MmioFutexWord *words)
{
  const guint32 *halves;

  if (self->element_size == sizeof (guint32))
    {
      words[0] = (MmioFutexWord) { mmio_atomic_u32_at (self, index), (guint32) expected, FALSE };
      return 1;
    }

  halves = (const guint32 *) (gpointer) mmio_atomic_u64_at (self, index);
  words[0] = (MmioFutexWord) { halves + LOW_HALF, (guint32) expected, FALSE };
  words[1] = (MmioFutexWord) { halves + (1 - LOW_HALF), (guint32) (expected >> 32), FALSE };
  return 2;
}

static void
on_cancelled (GCancellable *cancellable,
              gpointer      user_data)
{
  guint32 *word = user_data;

  __atomic_store_n (word, 1, __ATOMIC_SEQ_CST);
  mmio_os_futex_wake (word, 1, TRUE);
}

static gboolean
fail_timed_out (MmioAtomic *self,
                gsize       index,
                GError    **error)
{
  g_autofree char *name = mmio_mapping_dup_name (&self->file->mapping);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT, _("%s: the value at offset %" PRIu64 " did not change in time"), name,
               self->pin.offset + (guint64) index * self->element_size);
  return FALSE;
}

/* Sleeps at once, and doesn't look for a while first. On idle processors that would be fifty times quicker where the answer is on its
 * way already; but it keeps the two sides on two processors, and where those are busy each in turn is put aside for milliseconds, so that
 * on a loaded machine a round trip took sixteen times that of a bare futex. Who knows better can call load in a loop before.
 *
 * timeout: in microseconds; negative: none. */
static gboolean
sleep_until_changed (MmioAtomic    *self,
                     gsize          index,
                     guint64        expected,
                     gint64         timeout,
                     MmioFutexWord *words,
                     guint          n_words,
                     GCancellable  *cancellable,
                     GError       **error)
{
  /* The clock is read only for those who want it: this and the next wake-up are what a round trip consists of. */
  gint64 end = timeout < 0 ? 0 : g_get_monotonic_time () + timeout;
  gboolean has_slept = FALSE;
  gboolean woken = FALSE;
  guint round = 0;

  for (;;)
    {
      gboolean changed = load (self, index) != expected;
      gint64 left = LOOK_US;

      /* After the look, which is what meets the fault: zeros that are none of the file's are no change. */
      if ((changed || has_slept) && !mmio_atomic_check (self, error))
        return FALSE;
      if (changed || woken)
        return TRUE;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (timeout >= 0)
        left = end - g_get_monotonic_time ();
      if (left <= 0)
        return mmio_atomic_check (self, error) && fail_timed_out (self, index, error);

      woken = mmio_os_futex_wait (words, n_words, MIN (left, LOOK_US), &round) == MMIO_FUTEX_WOKEN;
      has_slept = TRUE;
    }
}

gboolean
mmio_atomic_wait (MmioAtomic   *self,
                  gsize         index,
                  guint64       expected,
                  gint64        timeout,
                  GCancellable *cancellable,
                  GError      **error)
{
  MmioFutexWord words[MMIO_FUTEX_WORDS_MAX];
  guint n_words = fill_words (self, index, expected, words);
  guint32 cancelled = 0;
  gulong handler;
  gboolean success;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return FALSE;
  /* The longest is so long that the end is still a time. */
  timeout = timeout < 0 ? -1 : MIN (timeout, G_MAXINT64 / 2000) * 1000;
  if (cancellable == NULL)
    return sleep_until_changed (self, index, expected, timeout, words, n_words, NULL, error);

  words[n_words++] = (MmioFutexWord) { &cancelled, 0, TRUE };
  handler = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), &cancelled, NULL);
  success = sleep_until_changed (self, index, expected, timeout, words, n_words, cancellable, error);
  /* Waits for a handler that is running: the word is ours no longer than this call. */
  g_cancellable_disconnect (cancellable, handler);

  return success;
}

guint
mmio_atomic_wake (MmioAtomic *self,
                  gsize       index,
                  guint       n)
{
  MmioFutexWord words[MMIO_FUTEX_WORDS_MAX];

  fill_words (self, index, 0, words);

  return n == 0 ? 0 : mmio_os_futex_wake (words[0].address, n, FALSE);
}

typedef struct
{
  MmioAtomic *atomic;           /* owned */
  gsize index;
  guint64 expected;
  gint64 timeout;
} Wait;

static void
free_wait (gpointer data)
{
  Wait *wait = data;

  mmio_atomic_unref (wait->atomic);
  g_free (wait);
}

static gpointer
run_wait (gpointer data)
{
  g_autoptr (GTask) task = data;
  const Wait *wait = g_task_get_task_data (task);
  GError *error = NULL;

  if (mmio_atomic_wait (wait->atomic, wait->index, wait->expected, wait->timeout, g_task_get_cancellable (task), &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);

  return NULL;
}

void
mmio_atomic_wait_async (MmioAtomic         *self,
                        gsize               index,
                        guint64             expected,
                        gint64              timeout,
                        GCancellable       *cancellable,
                        GAsyncReadyCallback callback,
                        gpointer            user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Wait *wait = g_new (Wait, 1);
  GError *error = NULL;
  GThread *thread;

  *wait = (Wait) { self, index, expected, timeout };
  g_task_set_source_tag (task, mmio_atomic_wait_async);
  g_task_set_task_data (task, wait, free_wait);
  /* The wait itself decides between cancellation and what has come before it. */
  g_task_set_check_cancellable (task, FALSE);

  /* A thread of its own: the pool of g_task_run_in_thread () is for work that comes to an end, and waits would fill it. */
  thread = g_thread_try_new ("mmio-wait", run_wait, g_object_ref (task), &error);
  if (thread != NULL)
    {
      g_thread_unref (thread);
    }
  else
    {
      g_object_unref (task);
      g_task_return_error (task, error);
    }
  g_object_unref (task);
}

gboolean
mmio_atomic_wait_finish (MmioAtomic   *self,
                         GAsyncResult *result,
                         GError      **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
