/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "mmio-watch-monitor-private.h"

#include <stdlib.h>
#include <string.h>

#include "mmio-os-private.h"

struct _MmioWatchMonitor
{
  MmioWatchHubClient *client;
  char *path;
  char *target;                 /* where path leads; NULL if it leads nowhere and never has */
  GFileMonitor *on_path;        /* NULL if GIO could not */
  GFileMonitor *on_target;      /* NULL if that is path */
};

static MmioWatchHints
hints_of_event (GFileMonitorEvent event)
{
  switch (event)
    {
    case G_FILE_MONITOR_EVENT_CHANGED:
      return MMIO_WATCH_HINT_WRITE;
    case G_FILE_MONITOR_EVENT_ATTRIBUTE_CHANGED:
      return MMIO_WATCH_HINT_ATTRIBUTES;
    /* a guess by the clock: nothing has happened */
    case G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT:
      return MMIO_WATCH_HINT_NONE;
    case G_FILE_MONITOR_EVENT_DELETED:
    case G_FILE_MONITOR_EVENT_CREATED:
    case G_FILE_MONITOR_EVENT_PRE_UNMOUNT:
    case G_FILE_MONITOR_EVENT_UNMOUNTED:
    case G_FILE_MONITOR_EVENT_MOVED:
    case G_FILE_MONITOR_EVENT_RENAMED:
    case G_FILE_MONITOR_EVENT_MOVED_IN:
    case G_FILE_MONITOR_EVENT_MOVED_OUT:
    default:
      return MMIO_WATCH_HINT_PATH;
    }
}

static void
on_changed (GFileMonitor     *monitor G_GNUC_UNUSED,
            GFile            *file G_GNUC_UNUSED,
            GFile            *other_file G_GNUC_UNUSED,
            GFileMonitorEvent event,
            gpointer          user_data)
{
  MmioWatchHubClient *client = user_data;
  MmioWatchHints hints = hints_of_event (event);

  if (hints != MMIO_WATCH_HINT_NONE)
    client->klass->wake (client, hints);
}

static void
unref_client (gpointer  data,
              GClosure *closure G_GNUC_UNUSED)
{
  MmioWatchHubClient *client = data;

  client->klass->unref (client);
}

static GFileMonitor *
monitor_path (MmioWatchHubClient *client,
              const char         *path)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GFileMonitor *monitor = NULL;

  /* GIO has a thread for its monitors, and ends the process where it can't have what wakes it. */
  if (mmio_os_has_descriptors ())
    monitor = g_file_monitor_file (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
  if (monitor == NULL)
    return NULL;
  g_file_monitor_set_rate_limit (monitor, 0);
  client->klass->ref (client);
  g_signal_connect_data (monitor, "changed", G_CALLBACK (on_changed), client, unref_client, 0);
  return monitor;
}

static void
drop (GFileMonitor       *monitor,
      MmioWatchHubClient *client)
{
  if (monitor == NULL)
    return;
  g_file_monitor_cancel (monitor);
  g_signal_handlers_disconnect_by_data (monitor, client);
  g_object_unref (monitor);
}

MmioWatchMonitor *
mmio_watch_monitor_new (MmioWatchHubClient *client,
                        const char         *path)
{
  MmioWatchMonitor *monitor = g_new0 (MmioWatchMonitor, 1);

  monitor->client = client;
  monitor->path = g_strdup (path);
  monitor->on_path = monitor_path (client, path);
  mmio_watch_monitor_follow (monitor);
  return monitor;
}

void
mmio_watch_monitor_free (MmioWatchMonitor *monitor)
{
  drop (monitor->on_path, monitor->client);
  drop (monitor->on_target, monitor->client);
  g_free (monitor->path);
  g_free (monitor->target);
  g_free (monitor);
}

void
mmio_watch_monitor_follow (MmioWatchMonitor *monitor)
{
  char *target = realpath (monitor->path, NULL);

  /* where a dangling link led last is where the file may appear again */
  if (target == NULL || g_strcmp0 (target, monitor->target) == 0)
    {
      free (target);
      return;
    }

  g_free (monitor->target);
  monitor->target = g_strdup (target);
  free (target);
  drop (g_steal_pointer (&monitor->on_target), monitor->client);
  if (strcmp (monitor->target, monitor->path) != 0)
    monitor->on_target = monitor_path (monitor->client, monitor->target);
}

const char *
mmio_watch_monitor_get_backend (MmioWatchMonitor *monitor)
{
  const struct
  {
    const char *type_name;
    const char *backend;
  } known[] = {
    { "GInotifyFileMonitor", "inotify" },
    { "GKqueueFileMonitor", "kqueue" },
    { "GFamFileMonitor", "fam" },
  };

  for (guint i = 0; monitor->on_path != NULL && i < G_N_ELEMENTS (known); i++)
    {
      if (strcmp (G_OBJECT_TYPE_NAME (monitor->on_path), known[i].type_name) == 0)
        return known[i].backend;
    }
  return "poll";
}
