# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Our own short checks instead of introspection.m4 and vapigen.m4: configure can be regenerated
# where gobject-introspection and Vala are not installed.

# MMIO_CHECK_INTROSPECTION(VERSION)
AC_DEFUN([MMIO_CHECK_INTROSPECTION], [
  AC_ARG_ENABLE([introspection],
    [AS_HELP_STRING([--enable-introspection=@<:@no/auto/yes@:>@], [make the GIR and the typelib @<:@auto@:>@])],
    [], [AS_VAR_SET_IF([enable_introspection], [], [enable_introspection=auto])])
  # The typelib is read beside the library that it names, and there is none.
  AS_IF([test "x$enable_shared" = xno], [
    AS_IF([test "x$enable_introspection" = xyes], [AC_MSG_ERROR([--disable-shared and --enable-introspection exclude each other])])
    enable_introspection=no])
  have_introspection=no
  AS_IF([test "x$enable_introspection" != xno], [
    PKG_CHECK_EXISTS([gobject-introspection-1.0 >= $1], [
      have_introspection=yes
      PKG_CHECK_VAR([INTROSPECTION_SCANNER], [gobject-introspection-1.0], [g_ir_scanner])
      PKG_CHECK_VAR([INTROSPECTION_COMPILER], [gobject-introspection-1.0], [g_ir_compiler])
    ], [
      AS_IF([test "x$enable_introspection" = xyes],
            [AC_MSG_ERROR([--enable-introspection needs gobject-introspection-1.0 >= $1])])])])
  AM_CONDITIONAL([HAVE_INTROSPECTION], [test "x$have_introspection" = xyes])
])

AC_DEFUN([MMIO_CHECK_VALA], [
  AC_REQUIRE([MMIO_CHECK_INTROSPECTION])
  AC_ARG_ENABLE([vala],
    [AS_HELP_STRING([--enable-vala=@<:@no/auto/yes@:>@], [make the Vala bindings; needs introspection @<:@auto@:>@])],
    [], [enable_vala=auto])
  AC_PATH_PROG([VAPIGEN], [vapigen])
  AC_PATH_PROG([VALAC], [valac])
  have_vala=no
  AS_IF([test "x$enable_vala" != xno], [
    AS_IF([test -n "$VAPIGEN" && test -n "$VALAC" && test "x$have_introspection" = xyes], [have_vala=yes], [
      AS_IF([test "x$enable_vala" = xyes],
            [AC_MSG_ERROR([--enable-vala needs vapigen, valac and introspection])])])])
  AM_CONDITIONAL([HAVE_VALA], [test "x$have_vala" = xyes])
])

# An interpreter that can import gi: the first python3 on the PATH often can't where several are installed.
AC_DEFUN([MMIO_CHECK_PYTHON], [
  AC_ARG_VAR([PYTHON], [the Python interpreter, one where "import gi" works])
  AC_MSG_CHECKING([for a Python that can import gi])
  have_python_gi=no
  for mmio_python in "$PYTHON" python3 /usr/bin/python3; do
    AS_IF([test -n "$mmio_python" && "$mmio_python" -c 'import gi.repository' >/dev/null 2>&1], [
      have_python_gi=yes
      PYTHON=`"$mmio_python" -c 'import sys; print(sys.executable)'`
      break])
  done
  AS_IF([test "x$have_python_gi" = xyes], [AC_MSG_RESULT([$PYTHON])], [
    AC_MSG_RESULT([none])
    AC_PATH_PROG([PYTHON], [python3])])
  # Where PyGObject looks for overrides, in our prefix.
  AC_ARG_VAR([pyoverridesdir], [where the Python overrides are installed])
  AS_IF([test -z "$pyoverridesdir" && test "x$have_python_gi" = xyes], [
    pyoverridesdir=`"$PYTHON" -c 'import gi.overrides; print (gi.overrides.__path__@<:@-1@:>@)' | sed 's,^/usr/\(local/\)\{0\,1\},${prefix}/,'`])
  AS_IF([test -z "$pyoverridesdir"], [pyoverridesdir='${prefix}/lib/python3/dist-packages/gi/overrides'])
  AM_CONDITIONAL([HAVE_PYTHON_GI], [test "x$have_python_gi" = xyes])
])

# The part of the Python binding that is in C: for the interpreter above, so tried with what that one says of itself.
AC_DEFUN([MMIO_CHECK_PYTHON_EXTENSION], [
  AC_REQUIRE([MMIO_CHECK_PYTHON])
  AC_ARG_ENABLE([python-extension],
    [AS_HELP_STRING([--enable-python-extension=@<:@no/auto/yes@:>@], [build the part of the Python binding that is in C; needs the headers of Python >= 3.11 and of PyGObject @<:@auto@:>@])],
    [], [enable_python_extension=auto])
  have_python_extension=no
  AS_IF([test "x$enable_python_extension" != xno && test "x$have_introspection$have_python_gi" = xyesyes], [
    AC_MSG_CHECKING([for the headers of Python and PyGObject])
    mmio_python_include=`"$PYTHON" -c 'import sysconfig; paths = sysconfig.get_paths (); print (*dict.fromkeys ("-I" + paths@<:@name@:>@ for name in ("include", "platinclude")))' 2>/dev/null`
    PKG_CHECK_EXISTS([pygobject-3.0], [
      PYTHON_EXTENSION_CFLAGS="$mmio_python_include `$PKG_CONFIG --cflags pygobject-3.0`"
      mmio_save_CPPFLAGS=$CPPFLAGS
      CPPFLAGS="$CPPFLAGS $PYTHON_EXTENSION_CFLAGS"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#define Py_LIMITED_API 0x030b0000
#include <Python.h>
#include <pygobject.h>
#if PY_VERSION_HEX < 0x030b0000
#error "no stable interface with buffers"
#endif
]], [[Py_buffer buffer; return PyObject_GetBuffer (NULL, &buffer, sizeof (PyGObject));]])], [have_python_extension=yes])
      CPPFLAGS=$mmio_save_CPPFLAGS])
    # Not every interpreter loads what keeps to the stable interface.
    PYTHON_EXTENSION_SUFFIX=.abi3.so
    AS_IF(["$PYTHON" -c 'import sys, importlib.machinery; sys.exit ("'$PYTHON_EXTENSION_SUFFIX'" not in importlib.machinery.EXTENSION_SUFFIXES)' 2>/dev/null],
          [], [have_python_extension=no])
    AC_MSG_RESULT([$have_python_extension])])
  AS_IF([test "x$enable_python_extension$have_python_extension" = xyesno],
        [AC_MSG_ERROR([--enable-python-extension needs introspection, and the headers of Python >= 3.11 and of PyGObject])])
  AC_ARG_VAR([pyextdir], [where the part of the Python binding that is in C is installed])
  AS_IF([test -z "$pyextdir"], [pyextdir='${pyoverridesdir}/../..'])
  AC_SUBST([PYTHON_EXTENSION_CFLAGS])
  AC_SUBST([PYTHON_EXTENSION_SUFFIX])
  AC_SUBST([have_python_extension])
  AM_CONDITIONAL([HAVE_PYTHON_EXTENSION], [test "x$have_python_extension" = xyes])
])
