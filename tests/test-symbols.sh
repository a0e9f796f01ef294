#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One list of public symbols: what the library exports, the version script, the headers and the GIR name the same.
set -eu

. "${top_srcdir:?}/tests/tap.sh"

sed -n '/global:/,/local:/s/^ *\(mmio_[a-z0-9_]*\);$/\1/p' "$top_srcdir/libmmio/libmmio.map" > "$folder/map-as-it-is"
LC_ALL=C sort "$folder/map-as-it-is" > "$folder/map"
same /symbols/version-script-is-in-order "$folder/map-as-it-is" "$folder/map"

if test -f "$top_builddir/.libs/libmmio-1.0.so"; then
  # shellcheck disable=SC2086  # a command and its options
  $NM -D --defined-only "$top_builddir/.libs/libmmio-1.0.so" |
    awk '$2 != "A" { sub (/@.*/, "", $3); print $3 }' | LC_ALL=C sort > "$folder/library"
  same /symbols/library-exports-the-version-script "$folder/map" "$folder/library"
else
  skip "configured without a shared library" /symbols/library-exports-the-version-script
fi

# The headers as installed: what an MMIO_AVAILABLE_IN macro stands before.
headers=$folder/headers.c
for header in "$top_srcdir"/libmmio/mmio*.h "$top_builddir"/libmmio/mmio*.h; do
  case $header in *-private.h) ;; *) cat "$header" ;; esac
done > "$headers"
# What is installed, not what a stray file says
awk '
  /MMIO_AVAILABLE_IN_[0-9_]+ *$/ || /^MMIO_AVAILABLE_IN_[0-9_]+ / || /^MMIO_DEPRECATED/ { public = 1 }
  public && match ($0, /mmio_[a-z0-9_]+ *\(/) {
    name = substr ($0, RSTART, RLENGTH); sub (/ *\($/, "", name); print name; public = 0
  }
  public && /^G_DECLARE_FINAL_TYPE/ {
    split ($0, words, /[ ,]+/); print words[3] "_get_type"; public = 0
  }
' "$headers" | LC_ALL=C sort -u > "$folder/headers"
same /symbols/headers-declare-the-version-script "$folder/map" "$folder/headers"

if test -f "$top_builddir/Mmio-1.0.gir"; then
  # Each type's get_type is an attribute; functions that stand for another's name in bindings are listed all the same.
  { grep -o 'c:identifier="mmio_[a-z0-9_]*"' "$top_builddir/Mmio-1.0.gir" | cut -d'"' -f2
    grep -o 'glib:get-type="mmio_[a-z0-9_]*"' "$top_builddir/Mmio-1.0.gir" | cut -d'"' -f2
  } | LC_ALL=C sort -u > "$folder/gir"
  same /symbols/gir-names-the-version-script "$folder/map" "$folder/gir"
else
  skip "built without introspection" /symbols/gir-names-the-version-script
fi

debian=$top_srcdir/debian/libmmio-1.0-0.symbols
if test -f "$debian"; then
  sed -n 's/^ \(mmio_[a-z0-9_]*\)@MMIO_1\.0 .*/\1/p' "$debian" > "$folder/debian"
  same /symbols/debian-lists-the-version-script "$folder/map" "$folder/debian"
else
  skip "a release holds no debian/" /symbols/debian-lists-the-version-script
fi

# The page that names each function in each language: types stand in it as types, and an asynchronous pair as one.
sed -n 's/^| .\(mmio_[a-z0-9_]*\) ().*/\1/p' "$top_srcdir/docs/languages.md" | LC_ALL=C sort -u > "$folder/docs"
sed -e '/_get_type$/d' -e 's/_finish$/_async/' "$folder/map" | LC_ALL=C sort -u > "$folder/map-for-docs"
same /symbols/docs-name-the-version-script "$folder/map-for-docs" "$folder/docs"

end
