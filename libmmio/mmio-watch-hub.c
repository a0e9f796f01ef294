/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-hub-private.h"
#include "mmio-watch-locate-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_SYS_INOTIFY_H
#include <sys/inotify.h>
#endif

/* How much is taken from the kernel before the other sources of the main loop have their turn; with 16 KiB a read, a full
 * queue of 16384 events needs at least 16. */
#define MAX_READS_A_TURN 32
/* And how long clients are woken: of thousands that have something to do at once, some wait for the next turn. A third of what a
 * main loop has for a frame. */
#define LONGEST_TURN_US 5000
/* How many queues without a client stay with their contexts: a user has 128 for all programs, as the kernel is set up, and a thread
 * with a context of its own may live on for long. */
#define MAX_IDLE 8

typedef struct _Inode Inode;
typedef struct _Name Name;

struct _MmioWatchHub
{
  GSource source;
  gpointer key;                 /* immutable: hub_key of the process that made it */

  guint n_clients;              /* hubs_lock */
  gboolean is_idle;             /* hubs_lock: counted in n_idle */

  GMutex lock;                  /* for all of the below, and the hub's part of each client; nothing is called under it */
  GQueue clients;               /* of MmioWatchHubClient */
  GSequence *timers;            /* of MmioWatchHubClient, by deadline */
  GQueue ready;                 /* of MmioWatchHubClient, each holding a reference */
  GHashTable *inodes;           /* inotify's number -> Inode, owned */
  int fd;                       /* of inotify; -1 if there is none */
  int error;                    /* why there is none */
  GSource *mounts;              /* MountsSource, owned: set once, before the hub can be found; NULL if there is none */
  GThreadPool *pool;            /* NULL until somebody needs it */
};

struct _Inode
{
  int number;                   /* inotify's */
  guint32 mask;                 /* what inotify listens for */
  guint n_places[MMIO_WATCH_ROLE_PARENT + 1];
  MmioWatchHubPlace *places;    /* a list */
  GHashTable *names;            /* text -> Name, owned: what is awaited in a folder; NULL if nothing is */
};

/* In a folder of thousands of files that are awaited each event is about one of them: only that one is looked at. */
struct _Name
{
  MmioWatchHubPlace *places;    /* a list, by next_of_name; never empty */
  char text[];
};

struct _MmioWatchHubPlace
{
  Inode *inode;                 /* NULL: the kernel has given up on it */
  MmioWatchHubPlace *next;      /* in inode's list */
  MmioWatchHubPlace **previous; /* what points here */
  MmioWatchHubPlace *next_of_name;
  MmioWatchHubPlace **previous_of_name;
  MmioWatchHubClient *client;
  MmioWatchRole role;
  Name *name;                   /* NULL if no name is awaited */
  int fd;                       /* borrowed from who builds the way, until it is taken */
};

/* Finding a context's hub and joining it is one step: else it could go in between. */
static GMutex hubs_lock;

/* By it a context's hub is found. Another one in the child of a fork, whose hubs are its own: from those of the parent it would take
 * the events that the parent waits for. */
static gpointer hub_key = &hubs_lock;

static guint n_idle;            /* hubs_lock: hubs that stay for a next client */

static void
after_fork_in_child (void)
{
  static guint n_forks;

  g_mutex_init (&hubs_lock);
  n_idle = 0;
  hub_key = GUINT_TO_POINTER (++n_forks);
}

__attribute__ ((constructor)) static void
prepare_for_fork (void)
{
  pthread_atfork (NULL, NULL, after_fork_in_child);
}

/* hubs_lock held */
static void
set_idle (MmioWatchHub *hub,
          gboolean      is_idle)
{
  if (hub->key != hub_key || hub->is_idle == is_idle)
    return;
  hub->is_idle = is_idle;
  n_idle += is_idle ? 1 : -1;
}

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
tell (MmioWatchHub       *hub,
      MmioWatchHubClient *client,
      MmioWatchHints      hints)
{
  client->hints |= hints;
  if (client->is_ready)
    return;
  client->is_ready = TRUE;
  client->klass->ref (client);
  g_queue_push_tail_link (&hub->ready, &client->ready);
}

/* lock held */
static void
tell_all (MmioWatchHub  *hub,
          MmioWatchHints hints)
{
  for (GList *l = hub->clients.head; l != NULL; l = l->next)
    tell (hub, l->data, hints);
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
      tell (hub, client, MMIO_WATCH_HINT_NONE);
    }
}

/* What tells of mounts tells it once to who polls, and a main loop drops what it has polled for a source if one of a higher priority is
 * ready too. So this is a source of its own, of the highest priority there is. */
typedef struct
{
  GSource source;
  MmioWatchHub *hub;            /* owned, as the source's data: until it is destroyed */
  int fd;                       /* polls as an error when a file system is mounted or unmounted */
} MountsSource;

static gboolean
mounts_dispatch (GSource    *source,
                 GSourceFunc unused_callback G_GNUC_UNUSED,
                 gpointer    unused_data G_GNUC_UNUSED)
{
  MmioWatchHub *hub = ((MountsSource *) source)->hub;

  if (hub->key != hub_key)
    return G_SOURCE_REMOVE;
  g_mutex_lock (&hub->lock);
  tell_all (hub, MMIO_WATCH_HINT_PATH);
  update_ready_time (hub);
  g_mutex_unlock (&hub->lock);
  return G_SOURCE_CONTINUE;
}

static void
mounts_finalize (GSource *source)
{
  close (((MountsSource *) source)->fd);
}

static GSourceFuncs mounts_funcs = {
  .dispatch = mounts_dispatch,
  .finalize = mounts_finalize,
};

static void
unref_hub (gpointer hub)
{
  g_source_unref (hub);
}

static void
watch_mounts (MmioWatchHub *hub,
              GMainContext *context)
{
  int fd = open ("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

  if (fd < 0)
    return;
  hub->mounts = g_source_new (&mounts_funcs, sizeof (MountsSource));
  ((MountsSource *) hub->mounts)->hub = hub;
  ((MountsSource *) hub->mounts)->fd = fd;
  g_source_set_static_name (hub->mounts, "libmmio mounts");
  g_source_set_priority (hub->mounts, G_MININT);
  g_source_set_can_recurse (hub->mounts, TRUE);
  g_source_set_callback (hub->mounts, NULL, g_source_ref (&hub->source), unref_hub);
  g_source_add_unix_fd (hub->mounts, fd, G_IO_ERR);
  g_source_attach (hub->mounts, context);
}

static void
free_inode (gpointer data)
{
  Inode *inode = data;

  g_clear_pointer (&inode->names, g_hash_table_unref);
  g_free (inode);
}

static Name *
get_name (Inode      *inode,
          const char *text)
{
  gsize size = strlen (text) + 1;
  Name *name;

  if (inode->names == NULL)
    inode->names = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  name = g_hash_table_lookup (inode->names, text);
  if (name == NULL)
    {
      name = g_malloc0 (sizeof *name + size);
      memcpy (name->text, text, size);
      g_hash_table_insert (inode->names, name->text, name);
    }
  return name;
}

static void
link_to_name (MmioWatchHubPlace *place,
              Name              *name)
{
  place->name = name;
  place->next_of_name = name->places;
  if (place->next_of_name != NULL)
    place->next_of_name->previous_of_name = &place->next_of_name;
  place->previous_of_name = &name->places;
  name->places = place;
}

static void
unlink_from_name (MmioWatchHubPlace *place)
{
  Name *name = g_steal_pointer (&place->name);

  *place->previous_of_name = place->next_of_name;
  if (place->next_of_name != NULL)
    place->next_of_name->previous_of_name = place->previous_of_name;
  if (name->places == NULL)
    g_hash_table_remove (place->inode->names, name->text);
}

/* lock held */
static void
link_place (MmioWatchHubPlace *place,
            Inode             *inode,
            const char        *name)
{
  place->inode = inode;
  place->next = inode->places;
  if (place->next != NULL)
    place->next->previous = &place->next;
  place->previous = &inode->places;
  inode->places = place;
  inode->n_places[place->role]++;
  if (name != NULL)
    link_to_name (place, get_name (inode, name));
}

/* lock held */
static void
unlink_place (MmioWatchHubPlace *place)
{
  if (place->inode == NULL)
    return;
  if (place->name != NULL)
    unlink_from_name (place);
  *place->previous = place->next;
  if (place->next != NULL)
    place->next->previous = place->previous;
  place->inode->n_places[place->role]--;
  place->inode = NULL;
}

#ifdef HAVE_SYS_INOTIFY_H

static const guint32 role_masks[] = {
  [MMIO_WATCH_ROLE_FILE] = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF,
  [MMIO_WATCH_ROLE_LEASED] = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF | IN_CLOSE_WRITE,
  [MMIO_WATCH_ROLE_LINK] = IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF,
  [MMIO_WATCH_ROLE_FOLDER] = IN_MOVE_SELF | IN_DELETE_SELF,
  [MMIO_WATCH_ROLE_PARENT] = IN_MOVE_SELF | IN_DELETE_SELF | IN_CREATE | IN_MOVED_TO | IN_DELETE,
};

static MmioWatchHints
hints_for_place (const MmioWatchHubPlace    *place,
                 const struct inotify_event *event)
{
  MmioWatchHints hints = MMIO_WATCH_HINT_NONE;
  gboolean is_file = place->role == MMIO_WATCH_ROLE_FILE || place->role == MMIO_WATCH_ROLE_LEASED;

  if ((event->mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0)
    hints |= MMIO_WATCH_HINT_PATH;
  if (place->role == MMIO_WATCH_ROLE_LINK && (event->mask & IN_ATTRIB) != 0)
    hints |= MMIO_WATCH_HINT_PATH;
  if (is_file && (event->mask & IN_ATTRIB) != 0)
    hints |= MMIO_WATCH_HINT_ATTRIBUTES;
  if (is_file && (event->mask & IN_MODIFY) != 0)
    hints |= MMIO_WATCH_HINT_WRITE;
  if (place->role == MMIO_WATCH_ROLE_LEASED && (event->mask & IN_CLOSE_WRITE) != 0)
    hints |= MMIO_WATCH_HINT_CLOSED;
  return hints;
}

/* lock held. Of what is in a folder, only the awaited names matter. */
static void
hear_of_name (MmioWatchHub *hub,
              Inode        *inode,
              const char   *text)
{
  const Name *name = inode->names != NULL ? g_hash_table_lookup (inode->names, text) : NULL;

  for (MmioWatchHubPlace *place = name != NULL ? name->places : NULL; place != NULL; place = place->next_of_name)
    tell (hub, place->client, MMIO_WATCH_HINT_PATH);
}

/* lock held */
static void
hear (MmioWatchHub               *hub,
      Inode                      *inode,
      const struct inotify_event *event)
{
  if (event->len > 0)
    {
      hear_of_name (hub, inode, event->name);
      return;
    }

  for (MmioWatchHubPlace *place = inode->places; place != NULL; place = place->next)
    {
      MmioWatchHints hints = hints_for_place (place, event);

      if (hints == MMIO_WATCH_HINT_WRITE && place->client->n_holds > 0)
        place->client->n_writes_held++;
      else if (hints != MMIO_WATCH_HINT_NONE)
        tell (hub, place->client, hints);
    }

  if ((event->mask & IN_IGNORED) == 0)
    return;
  while (inode->places != NULL)
    unlink_place (inode->places);
  g_hash_table_remove (hub->inodes, GINT_TO_POINTER (event->wd));
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
          Inode *inode = g_hash_table_lookup (hub->inodes, GINT_TO_POINTER (event->wd));

          at += sizeof *event + event->len;
          if ((event->mask & IN_Q_OVERFLOW) != 0)
            tell_all (hub, MMIO_WATCH_HINT_LOST);
          else if (inode != NULL)
            hear (hub, inode, event);
        }
      /* there was room for one more, so there was none */
      if ((gsize) n_bytes + sizeof (struct inotify_event) + NAME_MAX + 1 <= sizeof buffer)
        return TRUE;
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

static int
listen_to (MmioWatchHub *hub,
           int           fd,
           guint32       mask)
{
  char path[32];

  /* by descriptor, since a path may name something else already */
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fd);
  return inotify_add_watch (hub->fd, path, mask);
}

/* lock held. *number: an errno value if NULL is returned. */
static Inode *
add_inode (MmioWatchHub *hub,
           int           fd,
           MmioWatchRole role,
           int          *error)
{
  Inode *inode;
  int number;

  if (hub->fd < 0)
    {
      *error = hub->error;
      return NULL;
    }
  number = listen_to (hub, fd, role_masks[role] | IN_MASK_ADD);
  if (number < 0)
    {
      *error = errno;
      return NULL;
    }

  inode = g_hash_table_lookup (hub->inodes, GINT_TO_POINTER (number));
  if (inode == NULL)
    {
      inode = g_new0 (Inode, 1);
      inode->number = number;
      g_hash_table_insert (hub->inodes, GINT_TO_POINTER (number), inode);
    }
  inode->mask |= role_masks[role];
  return inode;
}

/* lock held. No more than its places need: what appears in a folder is many events, once its name is found none. */
static void
narrow_inode (MmioWatchHub *hub,
              int           fd,
              Inode        *inode)
{
  guint32 mask = 0;

  for (guint role = 0; role < G_N_ELEMENTS (role_masks); role++)
    mask |= inode->n_places[role] > 0 ? role_masks[role] : 0;
  if (mask != inode->mask && listen_to (hub, fd, mask) == inode->number)
    inode->mask = mask;
}

/* lock held */
static void
remove_inode (MmioWatchHub *hub,
              Inode        *inode)
{
  inotify_rm_watch (hub->fd, inode->number);
  g_hash_table_remove (hub->inodes, GINT_TO_POINTER (inode->number));
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

static Inode *
add_inode (MmioWatchHub *hub,
           int           fd G_GNUC_UNUSED,
           MmioWatchRole role G_GNUC_UNUSED,
           int          *error)
{
  *error = hub->error;
  return NULL;
}

static void
narrow_inode (MmioWatchHub *hub G_GNUC_UNUSED,
              int           fd G_GNUC_UNUSED,
              Inode        *inode G_GNUC_UNUSED)
{
}

static void
remove_inode (MmioWatchHub *hub G_GNUC_UNUSED,
              Inode        *inode G_GNUC_UNUSED)
{
}

#endif

/* lock held */
static int
add_place (MmioWatchHubClient *client,
           int                 fd,
           MmioWatchRole       role,
           const char         *name,
           MmioWatchHubPlace **place)
{
  int error = 0;
  Inode *inode = add_inode (client->hub, fd, role, &error);

  if (inode == NULL)
    return error;
  *place = g_new0 (MmioWatchHubPlace, 1);
  (*place)->client = client;
  (*place)->role = role;
  link_place (*place, inode, name);
  return 0;
}

/* lock held. What was heard for others stays in the queue. */
static void
remove_place (MmioWatchHubPlace *place)
{
  MmioWatchHub *hub = place->client->hub;
  Inode *inode = place->inode;

  unlink_place (place);
  if (inode != NULL && inode->places == NULL)
    remove_inode (hub, inode);
  g_free (place);
}

static void
remove_place_func (gpointer place)
{
  remove_place (place);
}

static gboolean
hub_dispatch (GSource    *source,
              GSourceFunc unused_callback G_GNUC_UNUSED,
              gpointer    unused_data G_GNUC_UNUSED)
{
  MmioWatchHub *hub = (MmioWatchHub *) source;
  g_autoptr (GSource) alive G_GNUC_UNUSED = g_source_ref (source);
  gint64 end = g_get_monotonic_time () + LONGEST_TURN_US;
  guint n_ready;

  if (hub->key != hub_key)
    return G_SOURCE_REMOVE;

  g_mutex_lock (&hub->lock);
  drain (hub);
  take_due_timers (hub);
  n_ready = g_queue_get_length (&hub->ready);

  /* One at a time from the shared queue: a main loop nested in wake () serves the rest. */
  while (n_ready-- > 0 && !g_queue_is_empty (&hub->ready) && g_get_monotonic_time () < end)
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

  g_mutex_lock (&hubs_lock);
  set_idle (hub, FALSE);
  g_mutex_unlock (&hubs_lock);

  if (hub->fd >= 0)
    close (hub->fd);
  g_clear_pointer (&hub->mounts, g_source_unref);
  /* what is being run ends by itself */
  if (hub->pool != NULL)
    g_thread_pool_free (hub->pool, FALSE, FALSE);
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
  /* by these data the source is found again */
  g_source_set_callback (source, NULL, hub_key, NULL);
  hub->key = hub_key;
  g_mutex_init (&hub->lock);
  g_queue_init (&hub->clients);
  g_queue_init (&hub->ready);
  hub->timers = g_sequence_new (NULL);
  hub->inodes = g_hash_table_new_full (NULL, NULL, NULL, free_inode);
  open_queue (hub);
  watch_mounts (hub, context);
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
  client->link.data = client;
  client->ready.data = client;

  g_mutex_lock (&hubs_lock);
  source = g_main_context_find_source_by_funcs_user_data (context, &hub_funcs, hub_key);
  client->hub = source != NULL ? (MmioWatchHub *) g_source_ref (source) : hub_new (context);
  client->hub->n_clients++;
  set_idle (client->hub, FALSE);
  g_mutex_unlock (&hubs_lock);

  g_mutex_lock (&client->hub->lock);
  g_queue_push_tail_link (&client->hub->clients, &client->link);
  g_mutex_unlock (&client->hub->lock);
}

void
mmio_watch_hub_leave (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  gboolean was_ready;

  g_mutex_lock (&hub->lock);
  g_queue_unlink (&hub->clients, &client->link);
  g_clear_pointer (&client->file, remove_place);
  g_slist_free_full (g_steal_pointer (&client->way), remove_place_func);
  g_slist_free_full (g_steal_pointer (&client->next_way), remove_place_func);
  g_clear_pointer (&client->timer, g_sequence_remove);
  was_ready = client->is_ready;
  if (was_ready)
    g_queue_unlink (&hub->ready, &client->ready);
  client->is_ready = FALSE;
  g_mutex_unlock (&hub->lock);

  /* Closing inotify's queue takes the kernel 10 ms and more, a frame of a program that unwatches: it stays for the next watch, as
   * long as the context, unless enough of them stay. Where there was none to be had the next one tries anew. */
  g_mutex_lock (&hubs_lock);
  if (--hub->n_clients == 0)
    {
      if (hub->fd >= 0 && n_idle < MAX_IDLE)
        set_idle (hub, TRUE);
      else
        {
          if (hub->mounts != NULL)
            g_source_destroy (hub->mounts);
          g_source_destroy (&hub->source);
        }
    }
  g_mutex_unlock (&hubs_lock);

  if (was_ready)
    client->klass->unref (client);
}

void
mmio_watch_hub_clear (MmioWatchHubClient *client)
{
  g_source_unref (&client->hub->source);
}

gboolean
mmio_watch_hub_has_queue (MmioWatchHubClient *client)
{
  /* set once, before the hub can be found */
  return client->hub->fd >= 0;
}

int
mmio_watch_hub_hear_file (MmioWatchHubClient *client,
                          int                 fd,
                          MmioWatchRole       role)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);
  MmioWatchHubPlace *before = g_steal_pointer (&client->file);
  int error = 0;

  /* the new one first: it may be the same inode, which then is never left unheard */
  if (fd >= 0)
    error = add_place (client, fd, role, NULL, &client->file);
  g_clear_pointer (&before, remove_place);
  return error;
}

gboolean
mmio_watch_hub_hears_file (MmioWatchHubClient *client)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->hub->lock);

  return client->file != NULL && client->file->inode != NULL;
}

int
mmio_watch_hub_add_step (MmioWatchHubClient *client,
                         int                 fd,
                         MmioWatchRole       role,
                         const char         *name)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->hub->lock);
  MmioWatchHubPlace *place = NULL;
  int error = add_place (client, fd, role, name, &place);

  if (error != 0)
    return error;
  place->fd = fd;
  client->next_way = g_slist_prepend (client->next_way, place);
  return 0;
}

void
mmio_watch_hub_take_way (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);

  g_slist_free_full (g_steal_pointer (&client->way), remove_place_func);
  client->way = g_steal_pointer (&client->next_way);
  for (GSList *l = client->way; l != NULL; l = l->next)
    {
      MmioWatchHubPlace *place = l->data;

      if (place->inode != NULL)
        narrow_inode (hub, place->fd, place->inode);
      place->fd = -1;
    }
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

  tell (hub, client, hints);
  update_ready_time (hub);
}

gboolean
mmio_watch_hub_is_quiet (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);
  gboolean drained = drain (hub);

  update_ready_time (hub);
  return drained && (client->hints & ~MMIO_WATCH_HINTS_OF_NOTHING) == 0;
}

MmioWatchHints
mmio_watch_hub_take_hints (MmioWatchHubClient *client,
                           MmioWatchHints      hints)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);
  MmioWatchHints taken;

  drain (hub);
  taken = client->hints & hints;
  client->hints &= ~taken;
  update_ready_time (hub);
  return taken;
}

GThreadPool *
mmio_watch_hub_get_pool (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);

  if (hub->pool == NULL)
    hub->pool = mmio_locator_pool_new ();
  return hub->pool;
}

void
mmio_watch_hub_hold (MmioWatchHubClient *client)
{
  MmioWatchHub *hub = client->hub;
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&hub->lock);

  /* what is in the kernel's queue by now is not ours */
  if (!drain (hub))
    tell (hub, client, MMIO_WATCH_HINT_WRITE);
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
  alone = (client->hints & ~MMIO_WATCH_HINTS_OF_NOTHING) == 0;
  if (client->n_holds == 0 && client->n_writes_held > client->n_announced)
    {
      tell (hub, client, MMIO_WATCH_HINT_WRITE);
      alone = FALSE;
    }
  update_ready_time (hub);
  return alone;
}

gboolean
mmio_watch_hub_is_held (MmioWatchHubClient *client)
{
  g_autoptr (GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new (&client->hub->lock);

  return client->n_holds > 0;
}
