/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-output-stream.h"

#include "mmio-error.h"
#include "mmio-file-private.h"
#include "mmio-stream-private.h"

/* The file grows by half of what it has, but not by so little that each write resizes, nor by so much that a program that dies leaves a file that
 * is mostly air. */
#define LEAST_GROWTH ((guint64) 64 * 1024)
#define MOST_GROWTH ((guint64) 64 * 1024 * 1024)

/**
 * MmioOutputStream:
 *
 * A mapped file as a [class@Gio.OutputStream]: for whatever writes to streams.
 *
 * Writing begins at the beginning of the file and goes over what is there; seek to the end to append, or truncate first to
 * replace all. A write past the end makes the file grow, by more than it needs, so that not every write has to. Until the stream
 * is closed [property@Mmio.File:size] shows this, and readers find zeros behind what was written; closing trims the file to what was
 * written, or what was there before if that is longer. A file that was resized by other means meanwhile is left alone.
 *
 * What was written is in the file when the write returns, and counts as pending: closing doesn't make it durable, nor does
 * [method@Gio.OutputStream.flush], since the stream itself keeps nothing back. [method@Mmio.File.flush] does, as does
 * [property@Mmio.File:flush-policy].
 *
 * ```c
 * g_autoptr (GOutputStream) stream = mmio_output_stream_new (file);
 *
 * if (g_output_stream_printf (stream, NULL, NULL, &error, "%s\n", line) &&
 *     g_output_stream_close (stream, NULL, &error) &&
 *     mmio_file_flush (file, &error))
 *   …
 * ```
 *
 * It is [iface@Gio.Seekable], also to past the end: the hole between reads as zeros. Truncating resizes the file at once. Neither can be
 * done while a write is under way (%G_IO_ERROR_PENDING), nor once the stream is closed (%G_IO_ERROR_CLOSED). Errors are
 * those of [method@Mmio.File.write] and [method@Mmio.File.resize]; from closing, %MMIO_ERROR_BUSY if a view reaches past what
 * was written, or %MMIO_ERROR_CLOSED if the file was closed before the stream, and then the file keeps what it has grown by.
 *
 * As any stream it is for one thread at a time, and one stream that makes a file grow is enough for it. Closing it leaves the file open.
 *
 * Since: 1.0
 */
struct _MmioOutputStream
{
  GOutputStream parent_instance;

  MmioFile *file;               /* owned, immutable */
  guint64 position;             /* bytes, at most G_MAXINT64 */
  guint64 grown_to;             /* the size that this stream gave the file; 0 if it gave it none */
  guint64 end;                  /* while that is the size: where the content ends */
};

enum
{
  PROP_FILE = 1,
  N_PROPERTIES
};

static GParamSpec *properties[N_PROPERTIES];

static void seekable_iface_init (GSeekableIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (MmioOutputStream, mmio_output_stream, G_TYPE_OUTPUT_STREAM,
                               G_IMPLEMENT_INTERFACE (G_TYPE_SEEKABLE, seekable_iface_init))

/* Where the content ends, without what the file has grown by in advance. */
static guint64
get_end (MmioOutputStream *self)
{
  guint64 size = mmio_file_get_size (self->file);

  return self->grown_to != 0 && size == self->grown_to ? self->end : size;
}

static gboolean
grow (MmioOutputStream  *self,
      guint64            needed,
      GError           **error)
{
  guint64 end = get_end (self);
  guint64 wanted = needed + CLAMP (needed / 2, LEAST_GROWTH, MOST_GROWTH);

  /* There may be room for this write, though not for those to come. */
  if (!mmio_file_resize (self->file, wanted, NULL))
    {
      wanted = needed;
      if (!mmio_file_resize (self->file, needed, error))
        return FALSE;
    }

  self->grown_to = wanted;
  self->end = end;
  return TRUE;
}

static gssize
mmio_output_stream_write (GOutputStream  *stream,
                          const void     *buffer,
                          gsize           count,
                          GCancellable   *cancellable,
                          GError        **error)
{
  MmioOutputStream *self = MMIO_OUTPUT_STREAM (stream);
  guint64 needed = self->position + count;

  if (self->file == NULL)
    {
      mmio_stream_fail_closed (NULL, error);
      return -1;
    }
  if (g_cancellable_set_error_if_cancelled (cancellable, error) ||
      (needed > mmio_file_get_size (self->file) && !grow (self, needed, error)) ||
      !mmio_file_write (self->file, self->position, buffer, count, error))
    return -1;

  self->position = needed;
  self->end = MAX (self->end, needed);
  return (gssize) count;
}

static gboolean
mmio_output_stream_close (GOutputStream  *stream,
                          GCancellable   *cancellable,
                          GError        **error)
{
  MmioOutputStream *self = MMIO_OUTPUT_STREAM (stream);
  guint64 grown_to = self->grown_to;
  guint64 end = self->end;

  self->grown_to = 0;
  if (grown_to <= end)
    return TRUE;
  if (mmio_file_is_closed (self->file))
    return mmio_stream_fail_closed (self->file, error);

  return mmio_file_get_size (self->file) != grown_to || mmio_file_resize (self->file, end, error);
}

static goffset
mmio_output_stream_tell (GSeekable *seekable)
{
  return (goffset) MMIO_OUTPUT_STREAM (seekable)->position;
}

static gboolean
mmio_output_stream_can_seek (GSeekable *seekable)
{
  return TRUE;
}

/* Position and file are a write's that is under way in a thread, and nobody's once the stream is closed, as of any file's stream. */
static gboolean
begin (MmioOutputStream  *self,
       GCancellable      *cancellable,
       GError           **error)
{
  if (self->file == NULL)
    return mmio_stream_fail_closed (NULL, error);

  return !g_cancellable_set_error_if_cancelled (cancellable, error) &&
         g_output_stream_set_pending (G_OUTPUT_STREAM (self), error);
}

static gboolean
mmio_output_stream_seek (GSeekable     *seekable,
                         goffset        offset,
                         GSeekType      type,
                         GCancellable  *cancellable,
                         GError       **error)
{
  MmioOutputStream *self = MMIO_OUTPUT_STREAM (seekable);
  gboolean success;

  if (!begin (self, cancellable, error))
    return FALSE;

  success = mmio_stream_seek (&self->position, offset, type, get_end (self), error);
  g_output_stream_clear_pending (G_OUTPUT_STREAM (self));

  return success;
}

static gboolean
mmio_output_stream_can_truncate (GSeekable *seekable)
{
  MmioFile *file = MMIO_OUTPUT_STREAM (seekable)->file;

  return file != NULL && mmio_file_get_mode (file) == MMIO_MODE_READ_WRITE;
}

static gboolean
mmio_output_stream_truncate (GSeekable     *seekable,
                             goffset        offset,
                             GCancellable  *cancellable,
                             GError       **error)
{
  MmioOutputStream *self = MMIO_OUTPUT_STREAM (seekable);
  guint64 end = 0;
  gboolean success;

  if (!begin (self, cancellable, error))
    return FALSE;

  success = mmio_stream_seek (&end, offset, G_SEEK_SET, 0, error) && mmio_file_resize (self->file, end, error);
  if (success)
    self->grown_to = 0;
  g_output_stream_clear_pending (G_OUTPUT_STREAM (self));

  return success;
}

static void
mmio_output_stream_set_property (GObject      *object,
                                 guint         property_id,
                                 const GValue *value,
                                 GParamSpec   *pspec)
{
  if (property_id == PROP_FILE)
    MMIO_OUTPUT_STREAM (object)->file = g_value_dup_object (value);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
mmio_output_stream_get_property (GObject    *object,
                                 guint       property_id,
                                 GValue     *value,
                                 GParamSpec *pspec)
{
  if (property_id == PROP_FILE)
    g_value_set_object (value, MMIO_OUTPUT_STREAM (object)->file);
  else
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, property_id, pspec);
}

static void
mmio_output_stream_finalize (GObject *object)
{
  g_clear_object (&MMIO_OUTPUT_STREAM (object)->file);

  G_OBJECT_CLASS (mmio_output_stream_parent_class)->finalize (object);
}

static void
mmio_output_stream_class_init (MmioOutputStreamClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GOutputStreamClass *stream_class = G_OUTPUT_STREAM_CLASS (klass);

  object_class->set_property = mmio_output_stream_set_property;
  object_class->get_property = mmio_output_stream_get_property;
  object_class->finalize = mmio_output_stream_finalize;
  stream_class->write_fn = mmio_output_stream_write;
  stream_class->close_fn = mmio_output_stream_close;

  /**
   * MmioOutputStream:file: (getter get_file)
   *
   * The file that is written to.
   *
   * Since: 1.0
   */
  properties[PROP_FILE] = g_param_spec_object ("file", NULL, NULL, MMIO_TYPE_FILE,
                                               G_PARAM_READWRITE | G_PARAM_CONSTRUCT_ONLY | G_PARAM_STATIC_STRINGS);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);
}

static void
mmio_output_stream_init (MmioOutputStream *self)
{
}

static void
seekable_iface_init (GSeekableIface *iface)
{
  iface->tell = mmio_output_stream_tell;
  iface->can_seek = mmio_output_stream_can_seek;
  iface->seek = mmio_output_stream_seek;
  iface->can_truncate = mmio_output_stream_can_truncate;
  iface->truncate_fn = mmio_output_stream_truncate;
}

/**
 * mmio_output_stream_new:
 * @file: a file
 *
 * Makes a stream that writes to a file from its beginning.
 *
 * Returns: (transfer full) (type MmioOutputStream): the stream
 *
 * Since: 1.0
 */
GOutputStream *
mmio_output_stream_new (MmioFile *file)
{
  g_return_val_if_fail (MMIO_IS_FILE (file), NULL);

  return g_object_new (MMIO_TYPE_OUTPUT_STREAM, "file", file, NULL);
}

/**
 * mmio_output_stream_get_file: (get-property file)
 * @self: a stream
 *
 * Gets the file that is written to.
 *
 * Returns: (transfer none): the file
 *
 * Since: 1.0
 */
MmioFile *
mmio_output_stream_get_file (MmioOutputStream *self)
{
  g_return_val_if_fail (MMIO_IS_OUTPUT_STREAM (self), NULL);

  return self->file;
}
