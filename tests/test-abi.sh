#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Programs that were built with the last release run with this library: nothing that they use has gone or is another. More may have come.
# tests/abi/ has the interface as it was released; `make abi-dump` writes it anew, when there is a release.
set -u

. "${top_srcdir:?}/tests/tap.sh"
abi=$top_srcdir/tests/abi

finds () # NAME COMMAND…: it finds a break of the interface, else it could find none
{
  name=$1
  shift
  "$@" && status=1 || status=0
  point "$name" $status
}

# Functions, and the types that they are given and give

compare () # OLD NEW: abidiff's 1 and 2 are its own failures
{
  abidiff --no-added-syms "$1" "$2" > "$folder/diagnosis" 2>&1
}

functions='/abi/functions /abi/finds/removed-function /abi/finds/another-value /abi/finds/another-size'
library=$top_builddir/.libs/libmmio-1.0.so
released=$abi/libmmio-1.0.abi
if ! command -v abidiff > /dev/null; then
  skip "abidiff is not installed" $functions
elif [ ! -f "$library" ]; then
  skip "configured without a shared library" $functions
elif ! readelf -h "$library" | grep -q 'X86-64'; then
  skip "the release was dumped on x86-64" $functions
elif ! readelf -S "$library" | grep -q '\.debug_info'; then
  skip "the library was built without -g" $functions
else
  sh "$abi/dump.sh" "$library" "$top_srcdir/libmmio" "$top_builddir/libmmio" > "$folder/built" 2> "$folder/diagnosis" &&
    compare "$released" "$folder/built"
  point /abi/functions $?

  sed 's/mmio_file_close\>/mmio_file_gone/g' "$folder/built" > "$folder/broken"
  finds /abi/finds/removed-function compare "$folder/broken" "$folder/built"
  sed "s/\(MMIO_ADVICE_RANDOM' value='\)1'/\117'/" "$folder/built" > "$folder/broken"
  finds /abi/finds/another-value compare "$folder/broken" "$folder/built"
  sed "s/\(_MmioChunkIter' size-in-bits='\)512'/\1448'/" "$folder/built" > "$folder/broken"
  finds /abi/finds/another-size compare "$folder/broken" "$folder/built"
fi

# What has no symbol: values, properties, signals

gone () # OLD NEW: no line of the old one is missing
{
  LC_ALL=C comm -23 "$1" "$2" > "$folder/diagnosis"
  [ ! -s "$folder/diagnosis" ]
}

objects='/abi/objects /abi/finds/removed-signal'
released=$abi/libmmio-1.0.objects
if [ ! -f "$top_builddir/Mmio-1.0.gir" ]; then
  skip "configured without introspection" $objects
elif [ -z "$PYTHON" ]; then
  skip "no Python" $objects
else
  "$PYTHON" "$abi/introspected.py" "$top_builddir/Mmio-1.0.gir" > "$folder/built" 2> "$folder/diagnosis" && gone "$released" "$folder/built"
  point /abi/objects $?

  grep -v 'signal changed' "$folder/built" > "$folder/broken"
  finds /abi/finds/removed-signal gone "$folder/built" "$folder/broken"
fi

end
