#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Each test that docs/safety.md names is there.
set -eu

echo 1..1
missing=
for name in $(grep -oE '`/[a-z0-9/-]+`' "$top_srcdir/docs/safety.md" | tr -d '`' | sort -u); do
  grep -qF "\"$name\"" "$top_srcdir"/tests/*.c || missing="$missing $name"
done
for name in $(grep -oE '`test-[a-z.-]+`' "$top_srcdir/docs/safety.md" | tr -d '`' | sort -u); do
  [ -e "$top_srcdir/tests/$name" ] || [ -e "$top_srcdir/tests/$name.c" ] || missing="$missing $name"
done
if [ -n "$missing" ]; then
  echo "# no such test:$missing"
  echo "not ok 1 - safety.md names tests that are there"
  exit 1
fi
echo "ok 1 - safety.md names tests that are there"
