#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The command in German, straight from the source folder's po/de.po, also where no German locale is installed.
# shellcheck disable=SC1111  # the quotes that it prints
. "${top_srcdir:?}/tests/tap-languages.sh"

printf 'Inhalt\n' > Datei

help=$(mmio --help)
says /german/help "$help" 'Befehle:'
for command in $(printf '%s\n' "$help" | sed -n '/^Befehle:$/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
  # What stands in the list stands in the command's own help, and neither is the English of an untranslated message.
  summary=$(printf '%s\n' "$help" | sed -n "s/^  $command  *//p")
  says "/german/$command/help" "$(mmio "$command" --help)" "$summary"
  english=$(LC_ALL=C mmio --help | sed -n "s/^  $command  *//p")
  difference=same
  [ "$summary" = "$english" ] || difference=other
  says "/german/$command/is-translated" "$difference" other
done

says /german/usage-error "$(mmio 2>&1)" "ein Befehl fehlt"
says /german/usage-error-of-a-command "$(mmio cat 2>&1)" "Mehr sagt „mmio cat --help“."
says /german/error-of-the-library "$(mmio cat --offset=9 Datei 2>&1)" "Position 9 + Länge 0 geht über die Größe 7 hinaus"
says /german/table "$(mmio info Datei)" "Größe"
says /german/plural-of-one "$(mmio watch --timeout=0 Datei 2>&1)" "1 Datei wird beobachtet"
says /german/plural-of-two "$(mmio watch --timeout=0 Datei "$folder/Datei" 2>&1)" "2 Dateien werden beobachtet"
says /german/json-speaks-to-programs "$(mmio info --json Datei)" '"size": 7'

# Where letters are written in another way
mkdir -p "$folder/locales"
if localedef -i de_DE -f ISO-8859-1 "$folder/locales/de_DE.ISO-8859-1" 2>/dev/null; then
  umlauts=$(LOCPATH="$folder/locales" LC_ALL=de_DE.ISO-8859-1 mmio info Datei | od -An -v -tx1 | tr -d ' \n')
  says /german/latin-1 "$umlauts" 4772f6df65
else
  skip "the sources of the locales are not installed" /german/latin-1
fi

end
