/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A disk that fails when it is told to, and that shows what a power cut would leave of it: a FUSE file system of one folder, whose
 * files lie in memory that the test shares with the process that serves it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FUSE_DISK_FILES 4
#define FUSE_DISK_MAX 65536     /* bytes of a file */

typedef struct
{
  char name[64];                /* "" where there is none */
  guint mode;
  gsize size;
  guint8 data[FUSE_DISK_MAX];
  guint n_syncs;
  gsize stable_size;            /* what a power cut would leave */
  guint8 stable[FUSE_DISK_MAX];
} FuseDiskFile;

typedef struct
{
  /* Set by the test, atomic: how many of these calls from now on fail with EIO. */
  gint fail_reads;
  gint fail_writes;
  gint fail_syncs;
  /* Set by the test, atomic: syncs wait as long as it is set. Files that are opened can't be mapped to be shared. */
  gint hold_syncs;
  gint hold_times;              /* the same for utimensat (), by which a flush is announced here */
  gint no_mapping;

  guint n_failures;             /* atomic: calls that did */
  guint n_folder_syncs;         /* atomic */
  gint n_held;                  /* atomic: calls that wait, or have waited */
  FuseDiskFile files[FUSE_DISK_FILES];
} FuseDisk;

/* Mounts it on the folder, in a mount namespace of this process alone, and serves it from another process that ends with this one.
 * FALSE if that can't be had here. */
gboolean fuse_disk_mount (FuseDisk   *self,
                          const char *folder);

G_END_DECLS
