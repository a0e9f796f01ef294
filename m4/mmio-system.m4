# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the system offers. The code asks for these results alone, never for the name of a system, and has a POSIX way
# for each that is missing. Every result can be overruled on configure's command line through its cache variable:
#
#   function FUNC        ac_cv_func_FUNC=no              HAVE_FUNC
#   declaration NAME     ac_cv_have_decl_NAME=no         HAVE_DECL_NAME (always defined, 0 or 1)
#   header DIR/NAME.h    ac_cv_header_DIR_NAME_h=no      HAVE_DIR_NAME_H
#   raw call NAME        mmio_cv_syscall_NAME=no         MMIO_SYS_NAME, the number to give to syscall ()
#
# --disable-optional-syscalls overrules all that POSIX doesn't have, at once: the build that proves the POSIX ways.

m4_define([mmio_posix_functions],
  [posix_fallocate, posix_madvise, mlock, fdatasync])

m4_define([mmio_optional_functions],
  [fallocate, memfd_create, statx, sync_file_range, mremap, madvise, mincore, mlock2, renameat2, eventfd, preadv2,
   copy_file_range, process_vm_readv, dup3, sigtimedwait])

m4_define([mmio_optional_declarations],
  [F_OFD_SETLK, F_SETLEASE, F_SETSIG, F_SETOWN_EX, F_ADD_SEALS, O_TMPFILE, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, RENAME_NOREPLACE, SEEK_DATA])

m4_define([mmio_optional_advice],
  [MAP_NORESERVE, MAP_POPULATE, MAP_FIXED_NOREPLACE, MAP_HUGETLB,
   MADV_COLD, MADV_PAGEOUT, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DONTFORK,
   MADV_POPULATE_READ, MADV_POPULATE_WRITE, MLOCK_ONFAULT])

m4_define([mmio_optional_headers],
  [linux/futex.h, linux/fs.h, linux/magic.h, sys/syscall.h, sys/statfs.h, sys/vfs.h, sys/eventfd.h, sys/inotify.h])

# MMIO_CHECK_SYSCALL(NAME, [NUMBER])
# A system call without a function in the C library. NUMBER is what it has on every architecture, for calls that are
# younger than many systems' headers; without it the headers must know the call.
AC_DEFUN([MMIO_CHECK_SYSCALL], [
  AC_CACHE_CHECK([for system call $1], [mmio_cv_syscall_$1], [
    AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#include <sys/syscall.h>
#ifndef SYS_$1
#error no SYS_$1
#endif
]])], [mmio_cv_syscall_$1=SYS_$1], [
      mmio_cv_syscall_$1=no
      m4_ifval([$2], [
      # Numbers are shared by all architectures since Linux 5.0, but for Alpha's offset.
      AS_CASE([$host], [alpha*], [], [*-linux*], [mmio_cv_syscall_$1=$2])])
    ])])
  AS_IF([test "x$mmio_cv_syscall_$1" != xno], [
    AC_DEFINE_UNQUOTED([MMIO_SYS_]m4_toupper([$1]), [$mmio_cv_syscall_$1], [The number of system call $1])])
])

AC_DEFUN([MMIO_CHECK_SYSTEM], [
  AC_CANONICAL_HOST
  AC_ARG_ENABLE([optional-syscalls],
    [AS_HELP_STRING([--disable-optional-syscalls],
      [use POSIX alone, whatever the system offers: for testing the fallbacks])],
    [], [enable_optional_syscalls=yes])
  AS_IF([test "x$enable_optional_syscalls" = xno], [
    m4_foreach([mmio_name], [mmio_optional_functions], [ac_cv_func_[]mmio_name=no
    ])
    m4_foreach([mmio_name], [mmio_optional_declarations], [ac_cv_have_decl_[]mmio_name=no
    ])
    m4_foreach([mmio_name], [mmio_optional_advice], [ac_cv_have_decl_[]mmio_name=no
    ])
    m4_foreach([mmio_name], [mmio_optional_headers], [AS_TR_SH([ac_cv_header_]mmio_name)=no
    ])
    mmio_cv_syscall_futex=no
    mmio_cv_syscall_futex_waitv=no
    mmio_cv_syscall_cachestat=no
    mmio_cv_syscall_gettid=no
  ])

  m4_foreach([mmio_name], [mmio_optional_headers], [AC_CHECK_HEADERS(mmio_name)])
  m4_foreach([mmio_name], [mmio_posix_functions, mmio_optional_functions], [AC_CHECK_FUNCS(mmio_name)])
  AC_CHECK_DECLS(m4_dquote(mmio_optional_declarations), [], [], [[
#include <fcntl.h>
#include <stdio.h>
]])
  AC_CHECK_DECLS(m4_dquote(mmio_optional_advice), [], [], [[
#include <sys/mman.h>
]])
  MMIO_CHECK_SYSCALL([futex])
  MMIO_CHECK_SYSCALL([futex_waitv], [449])
  MMIO_CHECK_SYSCALL([cachestat], [451])
  MMIO_CHECK_SYSCALL([gettid])

  # Some 32-bit processors have no instruction for 64 bits.
  AC_CACHE_CHECK([for the library of 64-bit atomic operations], [mmio_cv_lib_atomic], [
    mmio_cv_lib_atomic=unknown
    mmio_save_LIBS=$LIBS
    for mmio_lib in "" -latomic; do
      LIBS="$mmio_save_LIBS $mmio_lib"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[
#include <stdint.h>
typedef uint64_t aligned_t __attribute__ ((aligned (8)));
static aligned_t value;
]], [[
  uint64_t expected = __atomic_fetch_add (&value, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n (&value, __atomic_load_n (&value, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
  return !__atomic_compare_exchange_n (&value, &expected, 2, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
]])], [mmio_cv_lib_atomic=${mmio_lib:-none}; break])
    done
    LIBS=$mmio_save_LIBS])
  AS_CASE([$mmio_cv_lib_atomic],
    [unknown], [AC_MSG_ERROR([there are no 64-bit atomic operations])],
    [none], [ATOMIC_LIBS=],
    [ATOMIC_LIBS=$mmio_cv_lib_atomic])
  AC_SUBST([ATOMIC_LIBS])
])
