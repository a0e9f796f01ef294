/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#if !defined (MMIO_INSIDE) && !defined (MMIO_COMPILATION)
#error "Only <mmio.h> can be included directly."
#endif

#include <gio/gio.h>

#include <mmio-enums.h>

G_BEGIN_DECLS

typedef struct _MmioView MmioView;
typedef struct _MmioChunkIter MmioChunkIter;

#define MMIO_TYPE_FILE (mmio_file_get_type ())

MMIO_AVAILABLE_IN_1_0
G_DECLARE_FINAL_TYPE (MmioFile, mmio_file, MMIO, FILE, GObject)

/* Opening */

MMIO_AVAILABLE_IN_1_0
MmioFile   *mmio_file_open              (const char       *path,
                                         MmioMode          mode,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioFile   *mmio_file_open_location     (GFile            *location,
                                         MmioMode          mode,
                                         GCancellable     *cancellable,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioFile   *mmio_file_create            (const char       *path,
                                         guint64           size,
                                         MmioCreateFlags   flags,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioFile   *mmio_file_open_or_create    (const char       *path,
                                         guint64           size,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioFile   *mmio_file_new_for_fd        (int               fd,
                                         MmioMode          mode,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioFile   *mmio_file_new_anonymous     (const char       *name,
                                         guint64           size,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_close             (MmioFile         *self,
                                         GError          **error);

/* What it is */

MMIO_AVAILABLE_IN_1_0
GFile      *mmio_file_get_location      (MmioFile         *self);
MMIO_AVAILABLE_IN_1_0
const char *mmio_file_get_path          (MmioFile         *self);
MMIO_AVAILABLE_IN_1_0
int         mmio_file_get_fd            (MmioFile         *self);
MMIO_AVAILABLE_IN_1_0
MmioMode    mmio_file_get_mode          (MmioFile         *self);
MMIO_AVAILABLE_IN_1_0
guint64     mmio_file_get_size          (MmioFile         *self);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_is_closed         (MmioFile         *self);

/* Copying */

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_read              (MmioFile         *self,
                                         guint64           offset,
                                         gpointer          buffer,
                                         gsize             count,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
GBytes     *mmio_file_read_bytes        (MmioFile         *self,
                                         guint64           offset,
                                         gsize             count,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_write             (MmioFile         *self,
                                         guint64           offset,
                                         gconstpointer     data,
                                         gsize             length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_write_bytes       (MmioFile         *self,
                                         guint64           offset,
                                         GBytes           *bytes,
                                         GError          **error);

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_fill              (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         guint8            byte,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_move              (MmioFile         *self,
                                         guint64           to,
                                         guint64           from,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gint64      mmio_file_find              (MmioFile         *self,
                                         gconstpointer     pattern,
                                         gsize             length,
                                         guint64           from,
                                         guint64           to,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gint64      mmio_file_find_last         (MmioFile         *self,
                                         gconstpointer     pattern,
                                         gsize             length,
                                         guint64           from,
                                         guint64           to,
                                         GError          **error);

/* Numbers */

MMIO_AVAILABLE_IN_1_0
guint8 mmio_file_get_uint8 (MmioFile *self,
                            guint64 offset,
                            GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_uint8 (MmioFile *self,
                              guint64 offset,
                              guint8 value,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gint8 mmio_file_get_int8 (MmioFile *self,
                          guint64 offset,
                          GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_int8 (MmioFile *self,
                             guint64 offset,
                             gint8 value,
                             GError **error);
MMIO_AVAILABLE_IN_1_0
guint16 mmio_file_get_uint16 (MmioFile *self,
                              guint64 offset,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_uint16 (MmioFile *self,
                               guint64 offset,
                               guint16 value,
                               GDataStreamByteOrder byte_order,
                               GError **error);
MMIO_AVAILABLE_IN_1_0
gint16 mmio_file_get_int16 (MmioFile *self,
                            guint64 offset,
                            GDataStreamByteOrder byte_order,
                            GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_int16 (MmioFile *self,
                              guint64 offset,
                              gint16 value,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
guint32 mmio_file_get_uint32 (MmioFile *self,
                              guint64 offset,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_uint32 (MmioFile *self,
                               guint64 offset,
                               guint32 value,
                               GDataStreamByteOrder byte_order,
                               GError **error);
MMIO_AVAILABLE_IN_1_0
gint32 mmio_file_get_int32 (MmioFile *self,
                            guint64 offset,
                            GDataStreamByteOrder byte_order,
                            GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_int32 (MmioFile *self,
                              guint64 offset,
                              gint32 value,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
guint64 mmio_file_get_uint64 (MmioFile *self,
                              guint64 offset,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_uint64 (MmioFile *self,
                               guint64 offset,
                               guint64 value,
                               GDataStreamByteOrder byte_order,
                               GError **error);
MMIO_AVAILABLE_IN_1_0
gint64 mmio_file_get_int64 (MmioFile *self,
                            guint64 offset,
                            GDataStreamByteOrder byte_order,
                            GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_int64 (MmioFile *self,
                              guint64 offset,
                              gint64 value,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gfloat mmio_file_get_float (MmioFile *self,
                            guint64 offset,
                            GDataStreamByteOrder byte_order,
                            GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_float (MmioFile *self,
                              guint64 offset,
                              gfloat value,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gdouble mmio_file_get_double (MmioFile *self,
                              guint64 offset,
                              GDataStreamByteOrder byte_order,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_set_double (MmioFile *self,
                               guint64 offset,
                               gdouble value,
                               GDataStreamByteOrder byte_order,
                               GError **error);

/* Without a copy */

MMIO_AVAILABLE_IN_1_0
gconstpointer mmio_file_peek            (MmioFile         *self,
                                         guint64           offset,
                                         gsize             length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
GBytes     *mmio_file_get_bytes         (MmioFile         *self,
                                         guint64           offset,
                                         gsize             length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioView   *mmio_file_get_view          (MmioFile         *self,
                                         guint64           offset,
                                         gsize             length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioView   *mmio_file_get_writable_view (MmioFile         *self,
                                         guint64           offset,
                                         gsize             length,
                                         GError          **error);

MMIO_AVAILABLE_IN_1_0
MmioChunkIter *mmio_file_chunks         (MmioFile         *self,
                                         gsize             chunk_size,
                                         GError          **error);

/* Size */

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_resize            (MmioFile         *self,
                                         guint64           size,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_refresh           (MmioFile         *self,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_reload            (MmioFile         *self,
                                         GError          **error);

/* Durability */

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_flush             (MmioFile         *self,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_flush_range       (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_start_writeback   (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
guint64     mmio_file_get_pending_bytes (MmioFile         *self);

/* Memory */

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_advise             (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         MmioAdvice        advice,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_prefetch           (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_touch              (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_evict              (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_lock_memory        (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_unlock_memory      (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_get_resident_bytes (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         guint64          *bytes,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
guint64     mmio_file_get_huge_page_bytes (MmioFile         *self);

/* Without blocking: done in a thread, in the order of the calls on one file. The callback comes in the thread-default main context of the call. */

MMIO_AVAILABLE_IN_1_0
void mmio_file_open_async (const char *path,
                           MmioMode mode,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
MMIO_AVAILABLE_IN_1_0
MmioFile *mmio_file_open_finish (GAsyncResult *result,
                                 GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_open_location_async (GFile *location,
                                    MmioMode mode,
                                    GCancellable *cancellable,
                                    GAsyncReadyCallback callback,
                                    gpointer user_data);
MMIO_AVAILABLE_IN_1_0
MmioFile *mmio_file_open_location_finish (GAsyncResult *result,
                                          GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_create_async (const char *path,
                             guint64 size,
                             MmioCreateFlags flags,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
MMIO_AVAILABLE_IN_1_0
MmioFile *mmio_file_create_finish (GAsyncResult *result,
                                   GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_open_or_create_async (const char *path,
                                     guint64 size,
                                     GCancellable *cancellable,
                                     GAsyncReadyCallback callback,
                                     gpointer user_data);
MMIO_AVAILABLE_IN_1_0
MmioFile *mmio_file_open_or_create_finish (GAsyncResult *result,
                                           GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_read_async (MmioFile *self,
                           guint64 offset,
                           gsize count,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
MMIO_AVAILABLE_IN_1_0
GBytes *mmio_file_read_finish (MmioFile *self,
                               GAsyncResult *result,
                               GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_write_async (MmioFile *self,
                            guint64 offset,
                            GBytes *bytes,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_write_finish (MmioFile *self,
                                 GAsyncResult *result,
                                 GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_fill_async (MmioFile *self,
                           guint64 offset,
                           guint64 length,
                           guint8 byte,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_fill_finish (MmioFile *self,
                                GAsyncResult *result,
                                GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_move_async (MmioFile *self,
                           guint64 to,
                           guint64 from,
                           guint64 length,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_move_finish (MmioFile *self,
                                GAsyncResult *result,
                                GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_find_async (MmioFile *self,
                           GBytes *pattern,
                           guint64 from,
                           guint64 to,
                           gboolean forwards,
                           GCancellable *cancellable,
                           GAsyncReadyCallback callback,
                           gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gint64 mmio_file_find_finish (MmioFile *self,
                              GAsyncResult *result,
                              GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_resize_async (MmioFile *self,
                             guint64 size,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_resize_finish (MmioFile *self,
                                  GAsyncResult *result,
                                  GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_reload_async (MmioFile *self,
                             GCancellable *cancellable,
                             GAsyncReadyCallback callback,
                             gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_reload_finish (MmioFile *self,
                                  GAsyncResult *result,
                                  GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_flush_async (MmioFile *self,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_flush_finish (MmioFile *self,
                                 GAsyncResult *result,
                                 GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_flush_range_async (MmioFile *self,
                                  guint64 offset,
                                  guint64 length,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_flush_range_finish (MmioFile *self,
                                       GAsyncResult *result,
                                       GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_prefetch_async (MmioFile *self,
                               guint64 offset,
                               guint64 length,
                               GCancellable *cancellable,
                               GAsyncReadyCallback callback,
                               gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_prefetch_finish (MmioFile *self,
                                    GAsyncResult *result,
                                    GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_lock_memory_async (MmioFile *self,
                                  guint64 offset,
                                  guint64 length,
                                  GCancellable *cancellable,
                                  GAsyncReadyCallback callback,
                                  gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_lock_memory_finish (MmioFile *self,
                                       GAsyncResult *result,
                                       GError **error);
MMIO_AVAILABLE_IN_1_0
void mmio_file_close_async (MmioFile *self,
                            GCancellable *cancellable,
                            GAsyncReadyCallback callback,
                            gpointer user_data);
MMIO_AVAILABLE_IN_1_0
gboolean mmio_file_close_finish (MmioFile *self,
                                 GAsyncResult *result,
                                 GError **error);

/* Between processes */

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_lock_range        (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         gboolean          exclusive,
                                         GCancellable     *cancellable,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
void        mmio_file_lock_range_async  (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         gboolean          exclusive,
                                         GCancellable     *cancellable,
                                         GAsyncReadyCallback callback,
                                         gpointer          user_data);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_lock_range_finish (MmioFile         *self,
                                         GAsyncResult     *result,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_try_lock_range    (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         gboolean          exclusive,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_unlock_range      (MmioFile         *self,
                                         guint64           offset,
                                         guint64           length,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_seal              (MmioFile         *self,
                                         MmioSealFlags     flags,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
MmioSealFlags mmio_file_get_seals       (MmioFile         *self);

/* Watching */

MMIO_AVAILABLE_IN_1_0
gboolean    mmio_file_watch             (MmioFile         *self,
                                         MmioWatchFlags    flags,
                                         GCancellable     *cancellable,
                                         GError          **error);
MMIO_AVAILABLE_IN_1_0
void        mmio_file_unwatch           (MmioFile         *self);

G_END_DECLS
