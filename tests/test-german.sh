#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The command in German, straight from the source folder's po/de.po, also where no German locale is installed.
# shellcheck disable=SC1111  # the quotes that it prints
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

point () # NAME TEXT PATTERN: the text has the pattern in it
{
  number=$((number + 1))
  case $2 in
    *"$3"*) echo "ok $number - $1" ;;
    *)
      failed=1
      printf '%s\n' "$2" | sed 's/^/# /'
      echo "not ok $number - $1"
      ;;
  esac
}

mkdir -p "$folder/texts/de/LC_MESSAGES"
if ! "${MSGFMT:-msgfmt}" --output="$folder/texts/de/LC_MESSAGES/libmmio.mo" "${top_srcdir:?}/po/de.po"; then
  echo "1..0 # SKIP no msgfmt"
  exit 0
fi
export TEXTDOMAINDIR="$folder/texts" LANGUAGE=de

# Any locale but C itself has translations; where this system takes C.UTF-8 for C, a German one is made.
export LC_ALL=C.UTF-8
if ! mmio --help | grep -q Befehle; then
  export LC_ALL=de_DE.UTF-8
  if ! mmio --help | grep -q Befehle; then
    mkdir "$folder/locales"
    if localedef -i de_DE -f UTF-8 "$folder/locales/de_DE.UTF-8" 2> "$folder/log"; then
      export LOCPATH="$folder/locales"
    else
      echo "1..0 # SKIP no locale that has translations: $(head -n 1 "$folder/log")"
      exit 0
    fi
  fi
fi

cd "$folder" || exit 1
printf 'Inhalt\n' > Datei

help=$(mmio --help)
point /german/help "$help" 'Befehle:'
for command in $(printf '%s\n' "$help" | sed -n '/^Befehle:$/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
  # What stands in the list stands in the command's own help, and neither is the English of an untranslated message.
  summary=$(printf '%s\n' "$help" | sed -n "s/^  $command  *//p")
  point "/german/$command/help" "$(mmio "$command" --help)" "$summary"
  english=$(LC_ALL=C mmio --help | sed -n "s/^  $command  *//p")
  difference=same
  [ "$summary" = "$english" ] || difference=other
  point "/german/$command/is-translated" "$difference" other
done

point /german/usage-error "$(mmio 2>&1)" "ein Befehl fehlt"
point /german/usage-error-of-a-command "$(mmio cat 2>&1)" "Mehr sagt „mmio cat --help“."
point /german/error-of-the-library "$(mmio cat --offset=9 Datei 2>&1)" "Position 9 + Länge 0 geht über die Größe 7 hinaus"
point /german/table "$(mmio info Datei)" "Größe"
point /german/plural-of-one "$(mmio watch --timeout=0 Datei 2>&1)" "1 Datei wird beobachtet"
point /german/plural-of-two "$(mmio watch --timeout=0 Datei "$folder/Datei" 2>&1)" "2 Dateien werden beobachtet"
point /german/json-speaks-to-programs "$(mmio info --json Datei)" '"size": 7'

# Where letters are written in another way
mkdir -p "$folder/locales"
if localedef -i de_DE -f ISO-8859-1 "$folder/locales/de_DE.ISO-8859-1" 2>/dev/null; then
  umlauts=$(LOCPATH="$folder/locales" LC_ALL=de_DE.ISO-8859-1 mmio info Datei | od -An -v -tx1 | tr -d ' \n')
  point /german/latin-1 "$umlauts" 4772f6df65
else
  number=$((number + 1))
  echo "ok $number - /german/latin-1 # SKIP the sources of the locales are not installed"
fi

echo "1..$number"
exit $failed
