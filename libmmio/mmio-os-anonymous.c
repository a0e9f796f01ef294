/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files without a name, and sealing them.
 */
#include "config.h"

#include "mmio-os-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What memfd_create () takes without the "memfd:" that it puts in front. */
#define NAME_MAX_BYTES 249

#if defined(HAVE_MEMFD_CREATE) && !defined(MFD_NOEXEC_SEAL)
/* Linux 6.3; a system can be set up to refuse anything else. */
#define MFD_NOEXEC_SEAL 0x0008U
#endif

static int
open_memfd (const char *name)
{
#ifdef HAVE_MEMFD_CREATE
  g_autofree char *short_name = g_strndup (name, NAME_MAX_BYTES);
  int fd = memfd_create (short_name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

  if (fd < 0 && errno == EINVAL)
    fd = memfd_create (short_name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  /* It is born with all rights for everyone, to whom /proc would show it. */
  if (fd >= 0 && fchmod (fd, 0600) != 0)
    {
      int saved_errno = errno;

      close (fd);
      fd = -1;
      errno = saved_errno;
    }

  return fd;
#else
  errno = ENOSYS;
  return -1;
#endif
}

static int
open_unlinked (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "mmio-XXXXXX", NULL);
  int fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);

  if (fd >= 0)
    unlink (path);

  return fd;
}

int
mmio_os_open_anonymous (const char *name)
{
  int fd = open_memfd (name);

  /* Not there, or not for us. */
  if (fd < 0 && (errno == ENOSYS || errno == EPERM || errno == EACCES || errno == EINVAL))
    fd = open_unlinked ();

  return fd;
}

#if HAVE_DECL_F_ADD_SEALS

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static const struct
{
  MmioSealFlags flag;
  guint seal;
} seal_names[] = {
  { MMIO_SEAL_FLAGS_SEAL, F_SEAL_SEAL },
  { MMIO_SEAL_FLAGS_SHRINK, F_SEAL_SHRINK },
  { MMIO_SEAL_FLAGS_GROW, F_SEAL_GROW },
  { MMIO_SEAL_FLAGS_WRITE, F_SEAL_WRITE },
  { MMIO_SEAL_FLAGS_FUTURE_WRITE, F_SEAL_FUTURE_WRITE },
};

int
mmio_os_add_seals (int           fd,
                   MmioSealFlags flags)
{
  guint seals = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (seal_names); i++)
    if ((flags & seal_names[i].flag) != 0)
      seals |= seal_names[i].seal;

  return fcntl (fd, F_ADD_SEALS, seals) == 0 ? 0 : errno;
}

MmioSealFlags
mmio_os_get_seals (int fd)
{
  MmioSealFlags flags = MMIO_SEAL_FLAGS_NONE;
  int seals = fcntl (fd, F_GET_SEALS);

  for (gsize i = 0; i < G_N_ELEMENTS (seal_names) && seals > 0; i++)
    if (((guint) seals & seal_names[i].seal) != 0)
      flags |= seal_names[i].flag;

  return flags;
}

#else

int
mmio_os_add_seals (int           fd,
                   MmioSealFlags flags)
{
  return EINVAL;
}

MmioSealFlags
mmio_os_get_seals (int fd)
{
  return MMIO_SEAL_FLAGS_NONE;
}

#endif
