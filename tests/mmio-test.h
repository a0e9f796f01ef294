/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of MmioFile share: a folder for each test, other processes, and waiting for signals.
 */
#pragma once

#include <mmio.h>

#include <sys/types.h>
#include <sys/wait.h>

G_BEGIN_DECLS

/* Nothing that is waited for takes longer, also on a slow machine under a sanitizer. */
#define MMIO_TEST_PATIENCE_MS 60000
/* The exit status of a child that can't do here what it was made for. */
#define MMIO_TEST_SKIP 77

typedef struct
{
  char *folder;
  char *path;                   /* of a file in it, which is not there yet */
} MmioTest;

#define mmio_test_add(name, data, func) g_test_add (name, MmioTest, data, mmio_test_set_up, func, mmio_test_tear_down)

void      mmio_test_set_up        (MmioTest      *self,
                                   gconstpointer  data);
void      mmio_test_tear_down     (MmioTest      *self,
                                   gconstpointer  data);
/* A test with a file: created before it, with as many bytes, and open for writing. */
typedef struct
{
  MmioTest parent;
  MmioFile *file;
} MmioTestFile;

#define mmio_test_add_with_file(name, size, func) \
  g_test_add (name, MmioTestFile, GSIZE_TO_POINTER (size), mmio_test_set_up_file, func, mmio_test_tear_down_file)

void      mmio_test_set_up_file   (MmioTestFile  *self,
                                   gconstpointer  data);
void      mmio_test_tear_down_file (MmioTestFile *self,
                                   gconstpointer  data);
char     *mmio_test_in_folder     (MmioTest      *self,
                                   const char    *name);
/* How many names the folder holds. */
guint     mmio_test_count_names   (MmioTest      *self);
gsize     mmio_test_page_size     (void);

/* Files, by descriptor: as a program does that knows nothing of mappings. Each asserts that it worked. */
void      mmio_test_write_file    (const char    *path,
                                   gconstpointer  data,
                                   gsize          length);
/* A file of length bytes, each with the value of its offset modulo 251. */
void      mmio_test_write_pattern (const char    *path,
                                   gsize          length);
void      mmio_test_write_at      (const char    *path,
                                   guint64        offset,
                                   gconstpointer  data,
                                   gsize          length);
void      mmio_test_append        (const char    *path,
                                   gconstpointer  data,
                                   gsize          length);
void      mmio_test_truncate      (const char    *path,
                                   guint64        size);
void      mmio_test_replace       (const char    *path,
                                   gconstpointer  data,
                                   gsize          length);
void      mmio_test_assert_file   (const char    *path,
                                   gconstpointer  data,
                                   gsize          length);
guint64   mmio_test_file_size     (const char    *path);

MmioFile *mmio_test_open          (const char    *path,
                                   MmioMode       mode);
MmioFile *mmio_test_create        (const char    *path,
                                   guint64        size);
/* What a read through the file gives. */
void      mmio_test_assert_read   (MmioFile      *file,
                                   guint64        offset,
                                   gconstpointer  data,
                                   gsize          length);
/* The error has this code, names what is in parts (NULL at the end), and is valid UTF-8. Clears it. */
void      mmio_test_assert_error  (GError       **error,
                                   GQuark         domain,
                                   gint           code,
                                   ...) G_GNUC_NULL_TERMINATED;
#define mmio_test_assert_mmio_error(error, code, ...) \
  mmio_test_assert_error (error, MMIO_ERROR, (gint) MMIO_ERROR_##code, __VA_ARGS__)
#define mmio_test_assert_io_error(error, code, ...) \
  mmio_test_assert_error (error, G_IO_ERROR, (gint) G_IO_ERROR_##code, __VA_ARGS__)

/* Other processes: forked, so they must not touch what other threads of the test may hold. func returns the exit status; a failed
 * assertion in it ends the child with a signal. A child that hangs is ended by an alarm. */
typedef int (*MmioTestChild) (gpointer data);

pid_t     mmio_test_fork          (MmioTestChild  func,
                                   gpointer       data);
/* The exit status; asserts that the process was not ended by a signal. */
int       mmio_test_wait_child    (pid_t          pid);
/* What waitpid () says. */
int       mmio_test_wait_status   (pid_t          pid);
/* Forks and waits. FALSE, and the test is skipped, if the child can't do its work here. */
gboolean  mmio_test_run_child     (MmioTestChild  func,
                                   gpointer       data,
                                   const char    *reason_to_skip);
/* In a child: mounts a tmpfs of so many bytes over the folder, which nobody else sees. */
gboolean  mmio_test_mount_tmpfs   (const char    *folder,
                                   gsize          size);
/* The same with a small file system of this type, "tmpfs" or one that mkfs makes in a sparse file beside the folder. With the last
 * process that sees the mount the loop device goes too. FALSE and a reason in *why if that can't be had here. */
gboolean  mmio_test_mount         (const char    *folder,
                                   const char    *type,
                                   const char   **why);
/* In a child that has mounted a file system of mkfs's: remembers what is on its disk at this moment. FALSE if the system was just
 * writing to it, so that what is remembered is of no one moment. */
gboolean  mmio_test_keep_disk     (const char    *folder);
/* Unmounts the file system, on which nothing may be open, and mounts that disk instead. */
void      mmio_test_mount_kept_disk (const char  *folder,
                                     const char  *type);

/* TRUE under `make check-faults`: as many faults as it takes to be sure, not as fit into a quick check. */
gboolean  mmio_test_is_thorough   (void);
/* For a thread or a child: follows from the seed that the test program prints and takes with --seed. */
GRand    *mmio_test_new_rand      (void);

/* Descriptors that are open now, and lines of the process's memory map. */
guint     mmio_test_count_fds     (void);
guint     mmio_test_count_maps    (void);
/* Address sanitizer and the like reserve more than any limit on address space leaves. */
gboolean  mmio_test_has_sanitizer (void);
gboolean  mmio_test_has_thread_sanitizer (void);
gboolean  mmio_test_has_valgrind  (void);

/* Waiting: iterates the context until the condition holds; fails after MMIO_TEST_PATIENCE_MS. */
typedef gboolean (*MmioTestCondition) (gpointer data);

void      mmio_test_wait_until    (GMainContext  *context,
                                   MmioTestCondition condition,
                                   gpointer       data);

/* Everything a file has said, in order: "changed 0 10", "metadata", "removed", "replaced", "size 20". */
typedef struct
{
  gpointer file;                /* MmioFile, weak: a test may drop the last reference */
  GMainContext *context;        /* where the signals have to come; notify::size comes anywhere */
  GMutex lock;
  GQueue said;                  /* lock: of char* */
} MmioTestEar;

MmioTestEar *mmio_test_listen     (MmioFile      *file,
                                   GMainContext  *context);
void      mmio_test_ear_free      (MmioTestEar   *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MmioTestEar, mmio_test_ear_free)
/* Waits for the next thing said, and asserts that it is this. */
void      mmio_test_expect        (MmioTestEar   *self,
                                   const char    *what);
/* Waits until this is said, whatever comes before. */
void      mmio_test_hear_until    (MmioTestEar   *self,
                                   const char    *what);
guint     mmio_test_count_said    (MmioTestEar   *self);
/* Nothing is on its way: whatever has happened so far was heard. */
void      mmio_test_expect_silence (MmioTestEar  *self);

G_END_DECLS
