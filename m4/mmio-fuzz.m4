# SPDX-License-Identifier: LGPL-2.1-or-later

# A clang that has libFuzzer, whatever the rest is built with.
AC_DEFUN([MMIO_CHECK_FUZZER], [
  AC_ARG_VAR([FUZZ_CC], [a clang that takes -fsanitize=fuzzer, for `make fuzz'])
  FUZZ_CFLAGS="-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1"
  AC_CHECK_PROGS([FUZZ_CC], [clang])
  AS_IF([test -n "$FUZZ_CC"], [
    AC_MSG_CHECKING([whether $FUZZ_CC has libFuzzer])
    AS_ECHO(["int LLVMFuzzerTestOneInput (const unsigned char *data, unsigned long size) { return 0; }"]) > conftest.c
    AS_IF([$FUZZ_CC $FUZZ_CFLAGS -o conftest-fuzz conftest.c >&AS_MESSAGE_LOG_FD 2>&1], [AC_MSG_RESULT([yes])], [
      AC_MSG_RESULT([no])
      FUZZ_CC=])
    rm -f conftest.c conftest-fuzz])
  AC_SUBST([FUZZ_CFLAGS])
  AM_CONDITIONAL([HAVE_FUZZER], [test -n "$FUZZ_CC"])
])
