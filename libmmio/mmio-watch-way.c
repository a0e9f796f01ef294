/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-way-private.h"
#include "mmio-watch-state-private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef O_PATH

/* As many as the kernel follows. */
#define MAX_LINKS 40
/* And no more descriptors than this at a time. */
#define MAX_STEPS 128

typedef struct
{
  MmioWatchHubClient *client;
  int fds[MAX_STEPS];           /* all that were opened; kept until the way is taken */
  guint n_fds;
  guint n_links;
  int folder;                   /* one of fds: where the walk is */
  int outer;                    /* where folder was found; -1 if it wasn't found by name */
  char *name_in_outer;
  char *rest;                   /* what is left of the path */
  MmioWatchWay way;
} Walk;

static int
keep (Walk *walk,
      int   fd)
{
  if (fd >= 0)
    walk->fds[walk->n_fds++] = fd;
  return fd;
}

static int
open_step (Walk       *walk,
           const char *name)
{
  if (walk->n_fds == MAX_STEPS)
    {
      errno = ENAMETOOLONG;
      return -1;
    }
  return keep (walk, openat (walk->folder, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

/* FNV-1a, of numbers in the place of bytes */
static void
add_to_identity (Walk    *walk,
                 guint64  number)
{
  walk->way.identity = (walk->way.identity ^ number) * G_GUINT64_CONSTANT (0x100000001b3);
}

static void
listen_to (Walk         *walk,
           int           fd,
           MmioWatchRole role,
           const char   *name)
{
  if (mmio_watch_hub_add_step (walk->client, fd, role, name) != 0)
    walk->way.is_heard = FALSE;
}

static gboolean
enter (Walk       *walk,
       int         fd,
       const char *name)
{
  if (fd < 0)
    return FALSE;
  walk->outer = name != NULL && strcmp (name, "..") != 0 && strcmp (name, ".") != 0 ? walk->folder : -1;
  g_free (walk->name_in_outer);
  walk->name_in_outer = g_strdup (name);
  walk->folder = fd;
  listen_to (walk, fd, MMIO_WATCH_ROLE_FOLDER, NULL);
  return TRUE;
}

static gboolean
enter_root (Walk *walk)
{
  if (walk->n_fds == MAX_STEPS)
    return FALSE;
  return enter (walk, keep (walk, open ("/", O_PATH | O_DIRECTORY | O_CLOEXEC)), NULL);
}

/* Puts what the link says in front of what is left. */
static gboolean
follow_link (Walk *walk,
             int   link)
{
  char target[PATH_MAX];
  gssize length;
  char *rest;

  listen_to (walk, link, MMIO_WATCH_ROLE_LINK, NULL);
  length = readlinkat (link, "", target, sizeof target - 1);
  if (length <= 0 || ++walk->n_links > MAX_LINKS)
    return FALSE;
  target[length] = '\0';

  rest = g_strconcat (target, "/", walk->rest, NULL);
  g_free (walk->rest);
  walk->rest = rest;
  return target[0] != '/' || enter_root (walk);
}

/* The next name that is left; NULL at the end. */
static char *
take_name (Walk *walk)
{
  char *start = walk->rest + strspn (walk->rest, "/");
  gsize length = strcspn (start, "/");
  char *name = length > 0 ? g_strndup (start, length) : NULL;
  char *rest = g_strdup (start + length);

  g_free (walk->rest);
  walk->rest = rest;
  return name;
}

/* The folder may be removed and made again, too. It doesn't say so itself as long as an open file keeps it, though the file
 * itself is removed: as ours does. */
static void
await_name (Walk       *walk,
            const char *name)
{
  struct stat st;

  listen_to (walk, walk->folder, MMIO_WATCH_ROLE_PARENT, name);
  if (walk->outer < 0)
    {
      /* The root stays. What was found as ".." may go and not say so. */
      walk->way.is_awaited = walk->name_in_outer == NULL && mmio_file_tells_names (walk->folder);
      return;
    }
  walk->way.is_awaited = mmio_file_tells_names (walk->folder) && mmio_file_tells_names (walk->outer);
  listen_to (walk, walk->outer, MMIO_WATCH_ROLE_PARENT, walk->name_in_outer);
  if (fstat (walk->folder, &st) == 0 && st.st_nlink == 0)
    mmio_watch_hub_hint (walk->client, MMIO_WATCH_HINT_PATH);
}

/* FALSE at the end of the way, be it at the file or at what is missing. */
static gboolean
take_step (Walk *walk)
{
  g_autofree char *name = take_name (walk);
  struct stat st;
  int fd;

  if (name == NULL)
    return FALSE;
  fd = open_step (walk, name);
  if (fd < 0 && errno == ENOENT)
    {
      /* listened for first and looked for again then: it may have come meanwhile */
      await_name (walk, name);
      fd = open_step (walk, name);
      if (fd < 0 && errno == ENOENT)
        return FALSE;
      walk->way.is_awaited = FALSE;
    }
  if (fd < 0 || fstat (fd, &st) != 0)
    {
      walk->way.is_heard = FALSE;
      return FALSE;
    }
  add_to_identity (walk, (guint64) st.st_dev);
  add_to_identity (walk, (guint64) st.st_ino);

  if (S_ISLNK (st.st_mode))
    {
      if (follow_link (walk, fd))
        return TRUE;
      walk->way.is_heard = FALSE;
      return FALSE;
    }
  if (!S_ISDIR (st.st_mode))
    return FALSE;
  return enter (walk, fd, name);
}

MmioWatchWay
mmio_watch_way_take (MmioWatchHubClient *client,
                     const char         *path)
{
  Walk walk = { .client = client, .folder = -1, .outer = -1, .way = { .is_heard = TRUE }, .rest = g_strdup (path) };

  if (enter_root (&walk))
    {
      while (take_step (&walk))
        ;
    }
  else
    walk.way.is_heard = FALSE;

  mmio_watch_hub_take_way (client);
  for (guint i = 0; i < walk.n_fds; i++)
    close (walk.fds[i]);
  g_free (walk.rest);
  g_free (walk.name_in_outer);
  return walk.way;
}

#else

MmioWatchWay
mmio_watch_way_take (MmioWatchHubClient *client G_GNUC_UNUSED,
                     const char         *path G_GNUC_UNUSED)
{
  return (MmioWatchWay) { .is_heard = FALSE };
}

#endif
