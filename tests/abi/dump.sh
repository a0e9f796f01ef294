#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# dump.sh LIBRARY FOLDER…: the binary interface of a library that was built with -g, by abidw, to compare with another's. The folders hold
# its headers. Nothing stands in it that is another's or that changes from one build to the next: no path, no line, no private type.
set -eu

library=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for headers; do
  for header in "$headers"/mmio*.h; do
    case $header in *-private.h) ;; *) cp "$header" "$folder" ;; esac
  done
done
abidw --headers-dir "$folder" --drop-private-types --exported-interfaces-only --drop-undefined-syms \
  --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names --no-write-default-sizes \
  --type-id-style hash "$library"
