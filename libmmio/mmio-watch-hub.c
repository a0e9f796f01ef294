/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-hub-private.h"

#include <errno.h>
#include <glib-unix.h>
#include <unistd.h>

#ifdef HAVE_SYS_INOTIFY_H
#include <sys/inotify.h>
#endif

/* How much is taken from the kernel before the other sources of the main loop have their turn; with 16 KiB a read, a full
 * queue of 16384 events needs 32. */
#define MAX_READS_A_TURN 32

struct _MmioWatchHub
{
  GSource source;

  GMutex lock;                  /* for all of the below, and the hub's part of each client; nothing is called under it */
  guint n_clients;              /* hubs_lock; the last one to leave destroys the source */
  GSequence *timers;            /* of MmioWatchHubClient, by deadline */
  GQueue ready;                 /* of MmioWatchHubClient, each holding a reference */
  GHashTable *inodes;           /* inotify's number -> MmioWatchHubInode, owned */
  int fd;                       /* of inotify; -1 if there is none */
  int error;                    /* why there is none */
};

struct _MmioWatchHubInode
{
  int number;                   /* inotify's */
  GHashTable *clients;          /* a set */
};

/* Finding a context's hub and joining it is one step: else it could go in between. */
static GMutex hubs_lock;

static int
compare_deadlines (gconstpointer a,
                   gconstpointer b,
                   gpointer      unused G_GNUC_UNUSED)
{
  const MmioWatchHubClient *first = a;
  const MmioWatchHubClient *second = b;

  return (first->deadline > second->deadline) - (first->deadline < second->deadline);
}

/* lock held */
static void
make_ready (MmioWatchHub       *hub,
            MmioWatchHubClient *client)
{
  if (client->is_ready)
    return;
  client->is_ready = TRUE;
  client->klass->ref (client);
  g_queue_push_tail_link (&hub->ready, &client->ready);
}

/* lock held */
static void
update_ready_time (MmioWatchHub *hub)
{
  GSequenceIter *first = g_sequence_get_begin_iter (hub->timers);
  gint64 ready_time = -1;

  if (!g_queue_is_empty (&hub->ready))
    ready_time = 0;
  else if (!g_sequence_iter_is_end (first))
    ready_time = ((MmioWatchHubClient *) g_sequence_get (first))->deadline;

  if (g_source_get_ready_time (&hub->source) != ready_time)
    g_source_set_ready_time (&hub->source, ready_time);
}

/* lock held */
static void
take_due_timers (MmioWatchHub *hub)
{
  gint64 now = g_get_monotonic_time ();
  GSequenceIter *first;

  while (!g_sequence_iter_is_end (first = g_sequence_get_begin_iter (hub->timers)))
    {
      MmioWatchHubClient *client = g_sequence_get (first);

      if (client->deadline > now)
        return;
      g_sequence_remove (first);
      client->timer = NULL;
      make_ready (hub, client);
    }
}

static void
inode_free (gpointer data)
{
  MmioWatchHubInode *inode = data;

  g_hash_table_unref (inode->clients);
  g_free (inode);
}

#ifdef HAVE_SYS_INOTIFY_H

#define INODE_EVENTS (IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)

/* lock held */
static void
hear_on_inode (MmioWatchHub      *hub,
               MmioWatchHubInode *inode,
               guint32            mask)
{
  MmioWatchHints hints = MMIO_WATCH_HINT_NONE;
  GHashTableIter iter;
  gpointer key;

  if ((mask & IN_MODIFY) != 0)
    hints |= MMIO_WATCH_HINT_WRITE;
  if ((mask & IN_ATTRIB) != 0)
    hints |= MMIO_WATCH_HINT_ATTRIBUTES;
  if ((mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0)
    hints |= MMIO_WATCH_HINT_PATH;

  g_hash_table_iter_init (&iter, inode->clients);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    {
      MmioWatchHubClient *client = key;

      if (hints == MMIO_WATCH_HINT_WRITE && client->n_holds > 0)
        {
          client->n_writes_held++;
          continue;
        }
      client->hints |= hints;
      make_ready (hub, client);
    }
}

/* lock held. The kernel has given up the watch: the inode, or its file system, is gone. */
static void
forget_inode (MmioWatchHub      *hub,
              MmioWatchHubInode *inode)
{
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, inode->clients);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    ((MmioWatchHubClient *) key)->inode = NULL;
  g_hash_table_remove (hub->inodes, GINT_TO_POINTER (inode->number));
}

/* lock held */
static void
hear_of_loss (MmioWatchHub *hub)
{
  GHashTableIter inodes, clients;
  gpointer inode, client;

  g_hash_table_iter_init (&inodes, hub->inodes);
  while (g_hash_table_iter_next (&inodes, NULL, &inode))
    {
      g_hash_table_iter_init (&clients, ((MmioWatchHubInode *) inode)->clients);
      while (g_hash_table_iter_next (&clients, &client, NULL))
        {
          ((MmioWatchHubClient *) client)->hints |= MMIO_WATCH_HINT_LOST;
          make_ready (hub, client);
        }
    }
}

/* lock held. FALSE if there may be more. */
static gboolean
drain (MmioWatchHub *hub)
{
  union
  {
    struct inotify_event event;
    char bytes[16 * 1024];
  } buffer;

  for (guint i = 0; hub->fd >= 0 && i < MAX_READS_A_TURN; i++)
    {
      gssize n_bytes = read (hub->fd, &buffer, sizeof buffer);

      if (n_bytes < 0 && errno == EINTR)
        continue;
      if (n_bytes <= 0)
        return TRUE;

      for (gsize at = 0; at < (gsize) n_bytes;)
        {
          const struct inotify_event *event = (const struct inotify_event *) (buffer.bytes + at);
          MmioWatchHubInode *inode = g_hash_table_lookup (hub->inodes, GINT_TO_POINTER (event->wd));

          at += sizeof *event + event->len;
          if ((event->mask & IN_Q_OVERFLOW) != 0)
            hear_of_loss (hub);
          if (inode == NULL)
            continue;
          hear_on_inode (hub, inode, event->mask);
          if ((event->mask & IN_IGNORED) != 0)
            forget_inode (hub, inode);
        }
    }
  return hub->fd < 0;
}

static void
open_queue (MmioWatchHub *hub)
{
  hub->fd = inotify_init1 (IN_NONBLOCK | IN_CLOEXEC);
  if (hub->fd < 0)
    hub->error = errno;
  else
    g_source_add_unix_fd (&hub->source, hub->fd, G_IO_IN);
}

/* lock held */
static int
add_inode (MmioWatchHub *hub,
           int           fd)
{
  char path[32];
  int number;

  if (hub->fd < 0)
    return -hub->error;
  /* by descriptor, since the path may name something else already */
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  number = inotify_add_watch (hub->fd, path, INODE_EVENTS);
  return number >= 0 ? number : -errno;
}

static void
remove_inode (MmioWatchHub *hub,
              int           number)
{
  inotify_rm_watch (hub->fd, number);
}

#else

static gboolean
drain (MmioWatchHub *hub G_GNUC_UNUSED)
{
  return TRUE;
}

static void
open_queue (MmioWatchHub *hub)
{
  hub->fd = -1;
  hub->error = ENOSYS;
}

static int
add_inode (MmioWatchHub *hub,
           int           fd G_GNUC_UNUSED)
{
  return -hub->error;
}

static void
remove_inode (MmioWatchHub *hub G_GNUC_UNUSED,
              int           number G_GNUC_UNUSED)
{
}

#endif

static gboolean
hub_dispatch (GSource    *source,
              GSourceFunc unused_callback G_GNUC_UNUSED,
              gpointer    unused_data G_GNUC_UNUSED)
{
  MmioWatchHub *hub = (MmioWatchHub *) source;
  g_autoptr (GSource) alive G_GNUC_UNUSED = g_source_ref (source);
  guint n_ready;

  g_mutex_lock (&hub->lock);
  drain (hub);
  take_due_timers (hub);
  n_ready = g_queue_get_length (&hub->ready);

  /* One at a time from the shared queue: a main loop nested in wake () serves the rest. */
  while (n_ready-- > 0 && !g_queue_is_empty (&hub->ready))
    {
      MmioWatchHubClient *client = g_queue_pop_head_link (&hub->ready)->data;
      MmioWatchHints hints = client->hints;

      client->is_ready = FALSE;
      client->hints = MMIO_WATCH_HINT_NONE;
      g_mutex_unlock (&hub->lock);
      client->klass->wake (client, hints);
      client->klass->unref (client);
      g_mutex_lock (&hub->lock);
    }

  update_ready_time (hub);
  g_mutex_unlock (&hub->lock);
  return G_SOURCE_CONTINUE;
}

static void
hub_finalize (GSource *source)
{
  MmioWatchHub *hub = (MmioWatchHub *) source;

  if (hub->fd >= 0)
    close (hub->fd);
  g_sequence_free (hub->timers);
  g_hash_table_unref (hub->inodes);
  g_mutex_clear (&hub->lock);
}

static GSourceFuncs hub_funcs = {
  .dispatch = hub_dispatch,
  .finalize = hub_finalize,
};

static MmioWatchHub *
hub_new (GMainContext *context)
{
  GSource *source = g_source_new (&hub_funcs, sizeof (MmioWatchHub));
  MmioWatchHub *hub = (MmioWatchHub *) source;

  g_source_set_static_name (source, "libmmio watches");
  g_source_set_can_recurse (source, TRUE);
  g_source_set_callback (source, NULL, &hub_funcs, NULL);
  g_mutex_init (&hub->lock);
  g_queue_init (&hub->ready);
  hub->timers = g_sequence_new (NULL);
  hub->inodes = g_hash_table_new_full (NULL, NULL, NULL, inode_free);
  open_queue (hub);
  g_source_attach (source, context);
  return hub;
}

void
mmio_watch_hub_join (MmioWatchHubClient            *client,
                     const MmioWatchHubClientClass *klass,
                     GMainContext                  *context)
{
  GSource *source;

  client->klass = klass;
  client->ready.data = client;

  g_mutex_lock (&hubs_lock);
  source = g_main_context_find_source_by_funcs_user_data (context, &hub_funcs, &hub_funcs);
  client->hub = source != NULL ? (MmioWatchHub *) g_source_ref (source) : hub_new (context);
  client->hub->n_clients++;
  g_mutex_unlock (&hubs_lock);
}

/* lock held. What was heard for others stays in the queue. */
static void
stop_listening (MmioWatchHub       *hub,
                MmioWatchHubClient *client)
{
  MmioWatchHubInode *inode = g_steal_pointer (&client->inode);

  if (inode == NULL)
    return;
  g_hash_table_remove (inode->clients, client);
  if (g_hash_table_size (inode->clients) > 0)
    return;
  remove_inode (hub, inode->number);
  g_hash_table_remove (hub->inodes, GINT_TO_POINTER (inode->number));
}

void
mmio_watch_hub_leave (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  gboolean was_ready;

  g_mutex_lock (&hub->lock);
  stop_listening (hub, client);
  g_clear_pointer (&client->timer, g_sequence_remove);
  was_ready = client->is_ready;
  if (was_ready)
    g_queue_unlink (&hub->ready, &client->ready);
  client->is_ready = FALSE;
  g_mutex_unlock (&hub->lock);

  g_mutex_lock (&hubs_lock);
  if (--hub->n_clients == 0)
    g_source_destroy (&hub->source);
  g_mutex_unlock (&hubs_lock);

  if (was_ready)
    client->klass->unref (client);
}

void
mmio_watch_hub_clear (MmioWatchHubClient *client)
{
  g_source_unref (&client->hub->source);
}

int
mmio_watch_hub_listen (MmioWatchHubClient *client,
                       int                 fd)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);
  MmioWatchHubInode *inode;
  int number;

  if (fd < 0)
    {
      stop_listening (hub, client);
      return 0;
    }

  /* the new one first: it may be the same inode, which then is never left unheard */
  number = add_inode (hub, fd);
  if (number < 0)
    {
      stop_listening (hub, client);
      return -number;
    }

  inode = g_hash_table_lookup (hub->inodes, GINT_TO_POINTER (number));
  if (inode == NULL)
    {
      inode = g_new0 (MmioWatchHubInode, 1);
      inode->number = number;
      inode->clients = g_hash_table_new (NULL, NULL);
      g_hash_table_insert (hub->inodes, GINT_TO_POINTER (number), inode);
    }
  if (client->inode == inode)
    return 0;
  g_hash_table_add (inode->clients, client);
  stop_listening (hub, client);
  client->inode = inode;
  return 0;
}

gboolean
mmio_watch_hub_is_listening (MmioWatchHubClient *client)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->hub->lock);

  return client->inode != NULL;
}

gboolean
mmio_watch_hub_is_held (MmioWatchHubClient *client)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->hub->lock);

  return client->n_holds > 0;
}

void
mmio_watch_hub_set_deadline (MmioWatchHubClient *client,
                             gint64              deadline)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);

  if (client->timer != NULL && client->deadline == deadline)
    return;
  g_clear_pointer (&client->timer, g_sequence_remove);
  client->deadline = deadline;
  if (deadline != G_MAXINT64)
    client->timer = g_sequence_insert_sorted (hub->timers, client, compare_deadlines, NULL);
  update_ready_time (hub);
}

void
mmio_watch_hub_hint (MmioWatchHubClient *client,
                     MmioWatchHints      hints)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);

  client->hints |= hints;
  make_ready (hub, client);
  update_ready_time (hub);
}

void
mmio_watch_hub_hold (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);

  /* what is in the kernel's queue by now is not ours */
  if (!drain (hub))
    client->hints |= MMIO_WATCH_HINT_WRITE;
  if (client->n_holds++ == 0)
    client->n_announced = client->n_writes_held = 0;
  update_ready_time (hub);
}

gboolean
mmio_watch_hub_release (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);
  gboolean alone;

  drain (hub);
  client->n_announced++;
  client->n_holds--;
  alone = client->hints == MMIO_WATCH_HINT_NONE;
  if (client->n_holds == 0 && client->n_writes_held > client->n_announced)
    {
      client->hints |= MMIO_WATCH_HINT_WRITE;
      make_ready (hub, client);
      alone = FALSE;
    }
  update_ready_time (hub);
  return alone;
}
