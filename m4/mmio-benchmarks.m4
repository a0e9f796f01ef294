# SPDX-License-Identifier: LGPL-2.1-or-later

# What the benchmarks measure libmmio beside, if it is there: nothing else is built with it.
AC_DEFUN([MMIO_CHECK_PEERS], [
  PKG_CHECK_MODULES([LMDB], [lmdb], [have_lmdb=yes], [have_lmdb=no])
  AM_CONDITIONAL([HAVE_LMDB], [test "x$have_lmdb" = xyes])

  dnl A single file that no library comes of: libtool need not know C++.
  AC_ARG_VAR([CXX], [a C++ compiler, for a benchmark])
  AC_ARG_VAR([CXXFLAGS], [its flags])
  AC_CHECK_PROGS([CXX], [g++ clang++ c++])
  : ${CXXFLAGS="-g -O2"}
  have_boost=no
  AS_IF([test -n "$CXX"], [
    AC_MSG_CHECKING([for Boost.Interprocess])
    AS_ECHO(["#include <boost/interprocess/mapped_region.hpp>"]) > conftest.cpp
    AS_IF([$CXX -E conftest.cpp >/dev/null 2>&AS_MESSAGE_LOG_FD], [have_boost=yes])
    rm -f conftest.cpp
    AC_MSG_RESULT([$have_boost])])
  AM_CONDITIONAL([HAVE_BOOST], [test "x$have_boost" = xyes])
])
