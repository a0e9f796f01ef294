#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One TAP point: libFuzzer finds nothing in FUZZ_SECONDS. What it does find is left beside the log, to be run again as
# FUZZ_TRACE=1 tests/fuzz/fuzz-file FILE, and kept in tests/fuzz/corpus/ once it is mended.
set -u
seconds=${FUZZ_SECONDS:-60}
fuzzer=$top_builddir/tests/fuzz/fuzz-file

echo 1..1
if [ ! -x "$fuzzer" ]; then
  echo "ok 1 /fuzz/does-as-the-model-does # SKIP no clang with libFuzzer"
  exit 0
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/found"
export G_DEBUG=fatal-criticals
# The library's own handler has to be asked before the sanitizer's. GLib keeps what it allocates once.
export ASAN_OPTIONS=handle_sigbus=0:detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
export TMPDIR="$work"

"$fuzzer" -max_total_time="$seconds" -max_len=600 -timeout=60 -rss_limit_mb=1024 -print_final_stats=1 -artifact_prefix="$top_builddir/tests/fuzz/" \
  "$work/found" "$top_srcdir/tests/fuzz/corpus" > "$work/log" 2>&1
status=$?
grep -a -E '^stat::|^SUMMARY|Test unit written' "$work/log" | sed 's/^/# /'
if [ "$status" -eq 0 ]; then
  echo "ok 1 /fuzz/does-as-the-model-does"
else
  sed 's/^/# /' "$work/log" | tail -n 80
  echo "not ok 1 /fuzz/does-as-the-model-does"
fi
