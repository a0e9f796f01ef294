/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-input-stream.h"

#include <glib/gi18n-lib.h>

#include "mmio-error.h"
#include "mmio-file-private.h"
#include "mmio-stream-private.h"

/**
 * MmioInputStream:
 *
 * A mapped file as a [class@Gio.InputStream]: for whatever reads from streams.
 *
 * Reads are copies out of the page cache, without a system call. [method@Mmio.InputStream.read_bytes] copies nothing at all.
 * The stream ends where the file ends at the time of reading: what the file has grown by, after [method@Mmio.File.refresh] or with
 * [property@Mmio.File:follow], can be read on, though the end was reached before. A file that somebody has truncated is
 * %MMIO_ERROR_TRUNCATED, not an end.
 *
 * ```c
 * g_autoptr (GInputStream) stream = mmio_input_stream_new (file);
 * g_autoptr (GDataInputStream) lines = g_data_input_stream_new (stream);
 * ```
 *
 * It is [iface@Gio.Seekable], also to past the end, though neither while a read is under way (%G_IO_ERROR_PENDING) nor once it is closed
 * (%G_IO_ERROR_CLOSED). Several streams for one file have a position each. As any stream it is for
 * one thread at a time. Closing it leaves the file open.
 *
 * It isn't [iface@Gio.PollableInputStream]: a page that isn't in memory has to be waited for, and there is nothing to poll for it.
 * Asynchronous reads are done in a thread, as for any file.
 *
 * Since: 1.0
 */
struct _MmioInputStream
{
  GInputStream parent_instance;

  MmioFile *file;               /* owned, immutable */
  guint64 position;             /* bytes, at most G_MAXINT64 */
};

enum
{
  PROP_FILE = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void seekable_iface_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MmioInputStream, mmio_input_stream, G_TYPE_INPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, seekable_iface_init))

/* How many of count bytes there are at the position; an end that is none is an error. */
static gboolean
get_available (MmioInputStream  *self,
               gsize            *count,
               GError          **error)
{
  guint64 size, left;

  if (self->file == NULL)
    return mmio_stream_fail_closed (NULL, error);

  size = mmio_file_get_size (self->file);
  left = size > self->position ? size - self->position : 0;
  *count = (gsize) MIN (left, *count);

  return left > 0 || !mmio_file_is_closed (self->file) || mmio_stream_fail_closed (self->file, error);
}

/* Did somebody shrink the file between the look at its size and the access? Then there is less to be had, and no error. */
static gboolean
has_shrunk (MmioInputStream *self,
            gsize            count,
            GError         **error)
{
  if (!g_error_matches (*error, MMIO_ERROR, MMIO_ERROR_OUT_OF_BOUNDS) ||
      mmio_range_is_inside (self->position, count, mmio_file_get_size (self->file)))
    return FALSE;

  g_clear_error (error);
  return TRUE;
}

static gssize
mmio_input_stream_read (GInputStream  *stream,
                        void          *buffer,
                        gsize          count,
                        GCancellable  *cancellable,
                        GError       **error)
{
  MmioInputStream *self = MMIO_INPUT_STREAM (stream);
  GError *local_error = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return -1;

  do
    {
      gsize available = count;

      if (!get_available (self, &available, error))
        return -1;
      if (available == 0)
        return 0;
      if (mmio_file_read (self->file, self->position, buffer, available, &local_error))
        {
          self->position += available;
          return (gssize) available;
        }
      count = available;
    }
  while (has_shrunk (self, count, &local_error));

  g_propagate_error (error, local_error);
  return -1;
}

static gssize
mmio_input_stream_skip (GInputStream  *stream,
                        gsize          count,
                        GCancellable  *cancellable,
                        GError       **error)
{
  MmioInputStream *self = MMIO_INPUT_STREAM (stream);

  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !get_available (self, &count, error))
    return -1;

  self->position += count;
  return (gssize) count;
}

static gboolean
mmio_input_stream_close (GInputStream  *stream,
                         GCancellable  *cancellable,
                         GError       **error)
{
  return TRUE;
}

static goffset
mmio_input_stream_tell (GSeekable *seekable)
{
  return (goffset) MMIO_INPUT_STREAM (seekable)->position;
}

static gboolean
mmio_input_stream_can_seek (GSeekable *seekable)
{
  return TRUE;
}

static gboolean
mmio_input_stream_seek (GSeekable     *seekable,
                        goffset        offset,
                        GSeekType      type,
                        GCancellable  *cancellable,
                        GError       **error)
{
  MmioInputStream *self = MMIO_INPUT_STREAM (seekable);
  gboolean success;

  if (self->file == NULL)
    return mmio_stream_fail_closed (NULL, error);
  /* The position is a read's that is under way in a thread, as of any file's stream. */
  if (g_cancellable_set_error_if_cancelled (cancellable, error) || !g_input_stream_set_pending (G_INPUT_STREAM (self), error))
    return FALSE;

  success = mmio_stream_seek (&self->position, offset, type, mmio_file_get_size (self->file), error);
  g_input_stream_clear_pending (G_INPUT_STREAM (self));

  return success;
}

static gboolean
mmio_input_stream_can_truncate (GSeekable *seekable)
{
  return FALSE;
}

static gboolean
mmio_input_stream_truncate (GSeekable     *seekable,
                            goffset        offset,
                            GCancellable  *cancellable,
                            GError       **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, _("A stream to read from can't truncate"));
  return FALSE;
}

static void
mmio_input_stream_set_property (GObject      *object,
                                guint         property_id,
                                const GValue *value,
                                GParamSpec   *pspec)
{
  if (property_id == PROP_FILE)
    MMIO_INPUT_STREAM (object)->file = g_value_dup_object (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
mmio_input_stream_get_property (GObject    *object,
                                guint       property_id,
                                GValue     *value,
                                GParamSpec *pspec)
{
  if (property_id == PROP_FILE)
    g_value_set_object (value, MMIO_INPUT_STREAM (object)->file);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
mmio_input_stream_finalize (GObject *object)
{
  g_clear_object (&MMIO_INPUT_STREAM (object)->file);

  G_OBJECT_CLASS (mmio_input_stream_parent_class)->finalize (object);
}

static void
mmio_input_stream_class_init (MmioInputStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GInputStreamClass *stream_class = G_INPUT_STREAM_CLASS (klass);

  object_class->set_property = mmio_input_stream_set_property;
  object_class->get_property = mmio_input_stream_get_property;
  object_class->finalize = mmio_input_stream_finalize;
  stream_class->read_fn = mmio_input_stream_read;
  stream_class->skip = mmio_input_stream_skip;
  stream_class->close_fn = mmio_input_stream_close;

  /**
   * MmioInputStream:file: (getter get_file)
   *
   * The file that is read.
   *
   * Since: 1.0
   */
  properties[PROP_FILE] = g_param_spec_object ("file", NULL, NULL, MMIO_TYPE_FILE,
                                               G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
mmio_input_stream_init (MmioInputStream *self)
{
}

static void
seekable_iface_init (GSeekableIface *iface)
{
  iface->tell = mmio_input_stream_tell;
  iface->can_seek = mmio_input_stream_can_seek;
  iface->seek = mmio_input_stream_seek;
  iface->can_truncate = mmio_input_stream_can_truncate;
  iface->truncate_fn = mmio_input_stream_truncate;
}

/**
 * mmio_input_stream_new:
 * @file: a file
 *
 * Makes a stream that reads a file from its beginning.
 *
 * Returns: (transfer full) (type MmioInputStream): the stream
 *
 * Since: 1.0
 */
GInputStream *
mmio_input_stream_new (MmioFile *file)
{
  g_return_val_if_fail (MMIO_IS_FILE (file), NULL);

  return g_object_new (MMIO_TYPE_INPUT_STREAM, "file", file, NULL);
}

/**
 * mmio_input_stream_get_file: (get-property file)
 * @self: a stream
 *
 * Gets the file that is read.
 *
 * Returns: (transfer none): the file
 *
 * Since: 1.0
 */
MmioFile *
mmio_input_stream_get_file (MmioInputStream *self)
{
  g_return_val_if_fail (MMIO_IS_INPUT_STREAM (self), NULL);

  return self->file;
}

/**
 * mmio_input_stream_read_bytes:
 * @self: a stream
 * @count: how many bytes at most
 * @cancellable: (nullable): a cancellable
 * @error: return location for an error
 *
 * Reads without a copy: the bytes are a window on the file, as those of [method@Mmio.File.get_bytes], and what is said there holds for
 * them. The position moves on by their number.
 *
 * [method@Gio.InputStream.read_bytes], which can't be overridden, works too but copies.
 *
 * Errors: %MMIO_ERROR_CLOSED if the file is closed; %G_IO_ERROR_CLOSED if the stream is; %G_IO_ERROR_PENDING if another operation on it
 * is under way; %G_IO_ERROR_CANCELLED.
 *
 * Returns: (transfer full): all @count bytes, or what is left of the file, which is nothing at its end; %NULL with @error set
 *
 * Since: 1.0
 */
GBytes *
mmio_input_stream_read_bytes (MmioInputStream  *self,
                              gsize             count,
                              GCancellable     *cancellable,
                              GError          **error)
{
  GError *local_error = NULL;
  GBytes *bytes = NULL;

  g_return_val_if_fail (MMIO_IS_INPUT_STREAM (self), NULL);
  g_return_val_if_fail (cancellable == NULL || G_IS_CANCELLABLE (cancellable), NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  /* However many bytes, since none is copied: two thirds of the instructions are the view's and the bytes' that are handed out, the rest what
   * each read of any stream has to ask: may it, is another one under way, is it closed, what is left of the file. */
  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      !g_input_stream_set_pending (G_INPUT_STREAM (self), error))
    return NULL;

  do
    {
      g_clear_error (&local_error);
      if (!get_available (self, &count, &local_error))
        break;
      if (count == 0)
        bytes = g_bytes_new_static ("", 0);
      else
        bytes = mmio_file_get_bytes (self->file, self->position, count, &local_error);
    }
  while (bytes == NULL && has_shrunk (self, count, &local_error));

  if (bytes != NULL)
    self->position += count;
  else
    g_propagate_error (error, local_error);
  g_input_stream_clear_pending (G_INPUT_STREAM (self));

  return bytes;
}
