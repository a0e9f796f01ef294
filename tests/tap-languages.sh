#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For tests of what is translated, which read it in: what tap.sh has, says (), and mmio with the translations of the source folder, in a
# locale that has any, also where none is installed. LANGUAGE chooses one.
set -u
. "${top_srcdir:?}/tests/tap.sh"

says () # NAME TEXT PATTERN: the text has the pattern in it
{
  printf '%s\n' "$2" > "$folder/diagnosis"
  case $2 in
    *"$3"*) point "$1" 0 ;;
    *) point "$1" 1 ;;
  esac
}

for language in $(cat "$top_srcdir/po/LINGUAS"); do
  mkdir -p "$folder/texts/$language/LC_MESSAGES"
  if ! "${MSGFMT:-msgfmt}" --output="$folder/texts/$language/LC_MESSAGES/libmmio.mo" "$top_srcdir/po/$language.po"; then
    echo "1..0 # SKIP no msgfmt"
    exit 0
  fi
done
export TEXTDOMAINDIR="$folder/texts" LANGUAGE=de

# Any locale but C itself has translations; where this system takes C.UTF-8 for C, another one is made.
export LC_ALL=C.UTF-8
if ! mmio --help | grep -q Befehle; then
  export LC_ALL=en_US.UTF-8
  if ! mmio --help | grep -q Befehle; then
    mkdir "$folder/locales"
    if localedef -i en_US -f UTF-8 "$folder/locales/en_US.UTF-8" 2> "$folder/log"; then
      export LOCPATH="$folder/locales"
    else
      echo "1..0 # SKIP no locale that has translations: $(head -n 1 "$folder/log")"
      exit 0
    fi
  fi
fi

cd "$folder" || exit 1
