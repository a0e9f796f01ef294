# SPDX-License-Identifier: LGPL-2.1-or-later

# MMIO_APPEND_CFLAGS(VARIABLE, FLAGS)
# Appends those of FLAGS that the compiler knows.
AC_DEFUN([MMIO_APPEND_CFLAGS], [
  for mmio_flag in $2; do
    # gcc says nothing of an unknown -Wno-X until another warning comes; asking for -WX tells.
    mmio_try=`AS_ECHO(["$mmio_flag"]) | sed 's/^-Wno-/-W/'`
    AS_VAR_PUSHDEF([mmio_cache], [mmio_cv_cflag_$mmio_flag])
    AC_CACHE_CHECK([whether $CC takes $mmio_flag], [mmio_cache], [
      mmio_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS -Werror $mmio_try"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
                        [AS_VAR_SET([mmio_cache], [yes])], [AS_VAR_SET([mmio_cache], [no])])
      CFLAGS=$mmio_save_CFLAGS])
    AS_VAR_IF([mmio_cache], [yes], [AS_VAR_APPEND([$1], [" $mmio_flag"])])
    AS_VAR_POPDEF([mmio_cache])
  done
])

# MMIO_APPEND_LDFLAGS(VARIABLE, FLAGS)
# Appends those of FLAGS that a shared library can be linked with.
AC_DEFUN([MMIO_APPEND_LDFLAGS], [
  for mmio_flag in $2; do
    AS_VAR_PUSHDEF([mmio_cache], [mmio_cv_ldflag_$mmio_flag])
    AC_CACHE_CHECK([whether the linker takes $mmio_flag], [mmio_cache], [
      mmio_save_CFLAGS=$CFLAGS
      mmio_save_LDFLAGS=$LDFLAGS
      CFLAGS="$CFLAGS -fPIC"
      LDFLAGS="$LDFLAGS -shared -Werror $mmio_flag"
      AC_LINK_IFELSE([AC_LANG_SOURCE([[int mmio_symbol (void); int mmio_symbol (void) { return 0; }]])],
                     [AS_VAR_SET([mmio_cache], [yes])], [AS_VAR_SET([mmio_cache], [no])])
      CFLAGS=$mmio_save_CFLAGS
      LDFLAGS=$mmio_save_LDFLAGS])
    AS_VAR_IF([mmio_cache], [yes], [AS_VAR_APPEND([$1], [" $mmio_flag"])])
    AS_VAR_POPDEF([mmio_cache])
  done
])

# --enable-sanitizer=LIST, as in -fsanitize=LIST
AC_DEFUN([MMIO_CHECK_SANITIZER], [
  AC_ARG_ENABLE([sanitizer],
    [AS_HELP_STRING([--enable-sanitizer=LIST],
      [instrument the code, for instance "address,undefined" or "thread"; leaves out introspection @<:@no@:>@])],
    [], [enable_sanitizer=no])
  SANITIZER_CFLAGS=
  AS_IF([test "x$enable_sanitizer" = xyes], [enable_sanitizer=address,undefined])
  AS_IF([test "x$enable_sanitizer" != xno], [
    SANITIZER_CFLAGS="-fsanitize=$enable_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
    AC_MSG_CHECKING([whether $CC can link with -fsanitize=$enable_sanitizer])
    mmio_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
    AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])], [
      AC_MSG_RESULT([no])
      AC_MSG_ERROR([--enable-sanitizer=$enable_sanitizer does not work with $CC])])
    CFLAGS=$mmio_save_CFLAGS
    # gcc warns of each fence: its ThreadSanitizer doesn't follow them. Where one matters the code is annotated.
    MMIO_APPEND_CFLAGS([SANITIZER_CFLAGS], [-Wno-tsan])
    # An interpreter is not instrumented, so it can't load an instrumented library.
    AS_CASE([$enable_introspection],
      [yes], [AC_MSG_ERROR([--enable-sanitizer and --enable-introspection exclude each other])],
      [enable_introspection=no])
  ])
  AC_SUBST([SANITIZER_CFLAGS])
  AM_CONDITIONAL([ENABLE_SANITIZER], [test "x$enable_sanitizer" != xno])
  AM_CONDITIONAL([ENABLE_THREAD_SANITIZER], [test "x$enable_sanitizer" = xthread])
])

AC_DEFUN([MMIO_CHECK_FLAGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [make every warning an error @<:@no@:>@])],
    [], [enable_werror=no])

  WARN_CFLAGS=
  MMIO_APPEND_CFLAGS([WARN_CFLAGS], [ \
    -Wall -Wextra -Wformat=2 \
    -Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wfloat-equal \
    -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations -Wold-style-definition \
    -Wmissing-include-dirs -Wnested-externs -Wredundant-decls -Winit-self -Wvla \
    -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wimplicit-fallthrough -Walloca \
    -Wdate-time -Wunused-but-set-variable -Wuninitialized -Wstrict-aliasing=2 \
    -Wno-unused-parameter -Wno-missing-field-initializers -Wno-cast-function-type \
    -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion \
    -Werror=return-type])
  # clang calls a GMutexLocker that is held to the end of its block an unused variable. Real ones gcc finds.
  AC_CACHE_CHECK([whether $CC is clang], [mmio_cv_clang], [
    AC_PREPROC_IFELSE([AC_LANG_SOURCE([[
#ifndef __clang__
#error not clang
#endif
]])], [mmio_cv_clang=yes], [mmio_cv_clang=no])])
  AS_IF([test "x$mmio_cv_clang" = xyes], [AS_VAR_APPEND([WARN_CFLAGS], [" -Wno-unused-variable"])])
  AS_IF([test "x$enable_werror" = xyes], [AS_VAR_APPEND([WARN_CFLAGS], [" -Werror"])])
  AC_SUBST([WARN_CFLAGS])

  # Calls within the library go straight to the function, not through the PLT: each type check would pay.
  LIBRARY_CFLAGS=
  MMIO_APPEND_CFLAGS([LIBRARY_CFLAGS], [-fvisibility=hidden -fno-strict-aliasing -fno-plt])
  AC_SUBST([LIBRARY_CFLAGS])

  # Where a function or a loop of a nanosecond lies in a cache line changes its time by a fifth, and with it what is measured against it.
  BENCH_CFLAGS=
  MMIO_APPEND_CFLAGS([BENCH_CFLAGS], [-falign-functions=64 -falign-loops=64])
  AC_SUBST([BENCH_CFLAGS])

  # nodelete: the fault handler and the registered types must not be unmapped by dlclose ().
  LIBRARY_LDFLAGS=
  MMIO_APPEND_LDFLAGS([LIBRARY_LDFLAGS],
    [-Wl,-Bsymbolic-functions -Wl,-z,relro -Wl,-z,now -Wl,-z,nodelete -Wl,--as-needed])
  # An instrumented library leaves the sanitizer's own symbols to the program.
  AS_IF([test "x$enable_sanitizer" = xno],
        [MMIO_APPEND_LDFLAGS([LIBRARY_LDFLAGS], [-Wl,-z,defs])])
  AC_SUBST([LIBRARY_LDFLAGS])

  AC_CACHE_CHECK([for a linker that takes version scripts], [mmio_cv_version_script], [
    AS_ECHO(["MMIO_1.0 { global: mmio_symbol; local: *; };"]) > conftest.map
    mmio_save_CFLAGS=$CFLAGS
    mmio_save_LDFLAGS=$LDFLAGS
    CFLAGS="$CFLAGS -fPIC"
    LDFLAGS="$LDFLAGS -shared -Wl,--version-script=conftest.map"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[int mmio_symbol (void); int mmio_symbol (void) { return 0; }]])],
                   [mmio_cv_version_script=yes], [mmio_cv_version_script=no])
    CFLAGS=$mmio_save_CFLAGS
    LDFLAGS=$mmio_save_LDFLAGS
    rm -f conftest.map])
  AM_CONDITIONAL([HAVE_VERSION_SCRIPT], [test "x$mmio_cv_version_script" = xyes])
])
