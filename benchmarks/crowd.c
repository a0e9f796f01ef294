/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "crowd.h"

#include <sys/resource.h>

#include "bench.h"

void
crowd_gather (const Crowd *self)
{
  while (self->files->len > self->n)
    g_ptr_array_remove_index (self->files, self->files->len - 1);
  while (self->files->len < self->n)
    g_ptr_array_add (self->files, self->join (self->data, self->files->len));
}

guint64
crowd_allow_many (void)
{
  struct rlimit limit;

  bench_need (getrlimit (RLIMIT_NOFILE, &limit) == 0, NULL, "RLIMIT_NOFILE");
  limit.rlim_cur = limit.rlim_max;
  setrlimit (RLIMIT_NOFILE, &limit);

  return limit.rlim_cur;
}
