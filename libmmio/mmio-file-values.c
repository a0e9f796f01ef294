/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers in a file, in either byte order and at any offset: they need no alignment.
 *
 * Each is a read or a write of its bytes: a call within the library, not through the PLT, whose inline copy takes the shortest way at
 * so small a length. The byte order costs a comparison and a bswap in a register.
 */
#include "config.h"

#include "mmio-file-private.h"

static inline gboolean
is_foreign (GDataStreamByteOrder byte_order)
{
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  return byte_order == G_DATA_STREAM_BYTE_ORDER_BIG_ENDIAN;
#else
  return byte_order == G_DATA_STREAM_BYTE_ORDER_LITTLE_ENDIAN;
#endif
}

/**
 * mmio_file_get_uint8:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @error: return location for an error
 *
 * Reads an unsigned byte. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
guint8
mmio_file_get_uint8 (MmioFile *self,
                     guint64 offset,
                     GError **error)
{
  guint8 value = 0;

  return mmio_file_read (self, offset, &value, sizeof value, error) ? value : 0;
}

/**
 * mmio_file_set_uint8:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @error: return location for an error
 *
 * Writes an unsigned byte. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_uint8 (MmioFile *self,
                     guint64 offset,
                     guint8 value,
                     GError **error)
{
  return mmio_file_write (self, offset, &value, sizeof value, error);
}

/**
 * mmio_file_get_int8:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @error: return location for an error
 *
 * Reads a signed byte. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
gint8
mmio_file_get_int8 (MmioFile *self,
                    guint64 offset,
                    GError **error)
{
  gint8 value = 0;

  return mmio_file_read (self, offset, &value, sizeof value, error) ? value : 0;
}

/**
 * mmio_file_set_int8:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @error: return location for an error
 *
 * Writes a signed byte. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_int8 (MmioFile *self,
                    guint64 offset,
                    gint8 value,
                    GError **error)
{
  return mmio_file_write (self, offset, &value, sizeof value, error);
}

/**
 * mmio_file_get_uint16:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads an unsigned 16-bit integer. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
guint16
mmio_file_get_uint16 (MmioFile *self,
                      guint64 offset,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint16 value = 0;

  if (!mmio_file_read (self, offset, &value, sizeof value, error))
    return 0;

  return is_foreign (byte_order) ? GUINT16_SWAP_LE_BE (value) : value;
}

/**
 * mmio_file_set_uint16:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes an unsigned 16-bit integer. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_uint16 (MmioFile *self,
                      guint64 offset,
                      guint16 value,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint16 bits = value;

  if (is_foreign (byte_order))
    bits = GUINT16_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_int16:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads a signed 16-bit integer. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
gint16
mmio_file_get_int16 (MmioFile *self,
                     guint64 offset,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint16 value = 0;

  if (!mmio_file_read (self, offset, &value, sizeof value, error))
    return 0;

  return (gint16) (is_foreign (byte_order) ? GUINT16_SWAP_LE_BE (value) : value);
}

/**
 * mmio_file_set_int16:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes a signed 16-bit integer. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_int16 (MmioFile *self,
                     guint64 offset,
                     gint16 value,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint16 bits = (guint16) value;

  if (is_foreign (byte_order))
    bits = GUINT16_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_uint32:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads an unsigned 32-bit integer. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
guint32
mmio_file_get_uint32 (MmioFile *self,
                      guint64 offset,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint32 value = 0;

  if (!mmio_file_read (self, offset, &value, sizeof value, error))
    return 0;

  return is_foreign (byte_order) ? GUINT32_SWAP_LE_BE (value) : value;
}

/**
 * mmio_file_set_uint32:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes an unsigned 32-bit integer. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_uint32 (MmioFile *self,
                      guint64 offset,
                      guint32 value,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint32 bits = value;

  if (is_foreign (byte_order))
    bits = GUINT32_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_int32:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads a signed 32-bit integer. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
gint32
mmio_file_get_int32 (MmioFile *self,
                     guint64 offset,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint32 value = 0;

  if (!mmio_file_read (self, offset, &value, sizeof value, error))
    return 0;

  return (gint32) (is_foreign (byte_order) ? GUINT32_SWAP_LE_BE (value) : value);
}

/**
 * mmio_file_set_int32:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes a signed 32-bit integer. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_int32 (MmioFile *self,
                     guint64 offset,
                     gint32 value,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint32 bits = (guint32) value;

  if (is_foreign (byte_order))
    bits = GUINT32_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_uint64:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads an unsigned 64-bit integer. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
guint64
mmio_file_get_uint64 (MmioFile *self,
                      guint64 offset,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint64 value = 0;

  if (!mmio_file_read (self, offset, &value, sizeof value, error))
    return 0;

  return is_foreign (byte_order) ? GUINT64_SWAP_LE_BE (value) : value;
}

/**
 * mmio_file_set_uint64:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes an unsigned 64-bit integer. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_uint64 (MmioFile *self,
                      guint64 offset,
                      guint64 value,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint64 bits = value;

  if (is_foreign (byte_order))
    bits = GUINT64_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_int64:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads a signed 64-bit integer. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
gint64
mmio_file_get_int64 (MmioFile *self,
                     guint64 offset,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint64 value = 0;

  if (!mmio_file_read (self, offset, &value, sizeof value, error))
    return 0;

  return (gint64) (is_foreign (byte_order) ? GUINT64_SWAP_LE_BE (value) : value);
}

/**
 * mmio_file_set_int64:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes a signed 64-bit integer. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_int64 (MmioFile *self,
                     guint64 offset,
                     gint64 value,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint64 bits = (guint64) value;

  if (is_foreign (byte_order))
    bits = GUINT64_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_float:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads an IEEE 754 single-precision number. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
gfloat
mmio_file_get_float (MmioFile *self,
                     guint64 offset,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint32 bits = 0;
  gfloat value;

  if (!mmio_file_read (self, offset, &bits, sizeof bits, error))
    return 0;

  if (is_foreign (byte_order))
    bits = GUINT32_SWAP_LE_BE (bits);
  memcpy (&value, &bits, sizeof value);

  return value;
}

/**
 * mmio_file_set_float:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes an IEEE 754 single-precision number. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_float (MmioFile *self,
                     guint64 offset,
                     gfloat value,
                     GDataStreamByteOrder byte_order,
                     GError **error)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  if (is_foreign (byte_order))
    bits = GUINT32_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}

/**
 * mmio_file_get_double:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Reads an IEEE 754 double-precision number. As [method@Mmio.File.read] otherwise, whose errors it has.
 *
 * 0 is a value as well: whether there was an error is told by @error.
 *
 * Returns: the value; 0 with @error set
 *
 * Since: 1.0
 */
gdouble
mmio_file_get_double (MmioFile *self,
                      guint64 offset,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint64 bits = 0;
  gdouble value;

  if (!mmio_file_read (self, offset, &bits, sizeof bits, error))
    return 0;

  if (is_foreign (byte_order))
    bits = GUINT64_SWAP_LE_BE (bits);
  memcpy (&value, &bits, sizeof value);

  return value;
}

/**
 * mmio_file_set_double:
 * @self: a file
 * @offset: where it stands, in bytes; needs no alignment
 * @value: the value
 * @byte_order: its byte order
 * @error: return location for an error
 *
 * Writes an IEEE 754 double-precision number. As [method@Mmio.File.write] otherwise, whose errors it has.
 *
 * Returns: %TRUE if it was written
 *
 * Since: 1.0
 */
gboolean
mmio_file_set_double (MmioFile *self,
                      guint64 offset,
                      gdouble value,
                      GDataStreamByteOrder byte_order,
                      GError **error)
{
  guint64 bits;

  memcpy (&bits, &value, sizeof bits);
  if (is_foreign (byte_order))
    bits = GUINT64_SWAP_LE_BE (bits);

  return mmio_file_write (self, offset, &bits, sizeof bits, error);
}
