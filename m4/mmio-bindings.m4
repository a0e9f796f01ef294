# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Our own short checks instead of introspection.m4 and vapigen.m4: configure can be regenerated
# where gobject-introspection and Vala are not installed.

# MMIO_CHECK_INTROSPECTION(VERSION)
AC_DEFUN([MMIO_CHECK_INTROSPECTION], [
  AC_ARG_ENABLE([introspection],
    [AS_HELP_STRING([--enable-introspection=@<:@no/auto/yes@:>@], [make the GIR and the typelib @<:@auto@:>@])],
    [], [AS_VAR_SET_IF([enable_introspection], [], [enable_introspection=auto])])
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
