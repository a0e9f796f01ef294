#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The manual pages: they have every command and every option that --help has, and no other.
set -u

. "${top_srcdir:?}/tests/tap.sh"
page=$top_srcdir/docs/mmio.1

export LC_ALL=C
mmio --help | sed -n '/^Commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort > "$folder/commands"
sed -n 's/^\.SH "MMIO \([A-Z]*\)"$/\1/p' "$page" | tr '[:upper:]' '[:lower:]' | sort > "$folder/sections"
same /manual/a-section-for-each-command "$folder/commands" "$folder/sections"

while read -r command; do
  # From one command's line of the synopsis to the next one's
  sed '/^\.SH DESCRIPTION/q' "$page" | sed 's/\\-/-/g' | sed -n "/^\\.B mmio $command\$/,/^\\.br\$/p" | grep -o -- '--[a-z]*' | sort -u > "$folder/synopsis"
  mmio "$command" --help | grep -o -- '^  -[a-zA-Z], --[a-z]*' | grep -o -- '--[a-z]*' | grep -v -x -e --help | sort -u > "$folder/own"
  same "/manual/$command/options-of-the-synopsis" "$folder/own" "$folder/synopsis"

  # What is particular to it is told in its section, what several have before the first section.
  sed 's/\\-/-/g' "$page" | awk -v section="MMIO $(echo "$command" | tr '[:lower:]' '[:upper:]')" '
    /^\.SH/ { name = $0; sub (/^\.SH "?/, "", name); sub (/"$/, "", name) }
    name == section || name == "DESCRIPTION"' | grep -o -- '--[a-z]*' | sort -u > "$folder/told"
  comm -23 "$folder/own" "$folder/told" > "$folder/diagnosis"
  clean "/manual/$command/options-are-told"
done < "$folder/commands"

viewer=$top_builddir/examples/viewer/mmio-viewer
if [ -x "$viewer" ]; then
  # Those that every application has are told by --help.
  "$viewer" --help 2> "$folder/log" | grep -o -- '--[a-z-]*' | grep -v -x -e '--help-.*' | sort -u > "$folder/own"
  sed 's/\\-/-/g' "$top_srcdir/docs/mmio-viewer.1" | grep -o -- '--[a-z-]*' | sort -u > "$folder/told"
  same /manual/viewer/options "$folder/own" "$folder/told"
else
  skip "the viewer is not built" /manual/viewer/options
fi

if command -v groff > /dev/null; then
  for page in mmio.1 mmio-viewer.1 libmmio.7; do
    groff -ww -man -Tascii "$top_srcdir/docs/$page" 2> "$folder/diagnosis" > /dev/null
    clean "/manual/$page/no-mistake-of-layout"
  done
else
  skip "no groff" /manual/no-mistake-of-layout
fi

end
