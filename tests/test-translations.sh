#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The translations: every message is found by xgettext, and every translation has the formats of its original.
set -eu

. "${top_srcdir:?}/tests/tap.sh"
cd "$top_srcdir"

{
  grep -rlE --include='*.c' '\b(_|N_|C_|NC_|ngettext|g_dngettext) ?\(' libmmio tools || true
  grep -rlE --include='*.js' '\b(_|C_|ngettext)\(' examples/viewer/src || true
  grep -rl --include='*.ui' 'translatable="yes"' examples/viewer || true
  ls examples/viewer/data/*.desktop.in examples/viewer/data/*.metainfo.xml.in
} | LC_ALL=C sort > "$folder/using"
sed '/^#/d; /^$/d' po/POTFILES.in | LC_ALL=C sort > "$folder/listed"
same /translations/every-file-with-messages-is-listed "$folder/listed" "$folder/using"

"$XGETTEXT" --from-code=UTF-8 --keyword=_ --keyword=N_ --keyword=C_:1c,2 --keyword=NC_:1c,2 --keyword=g_dngettext:2,3 \
  --keyword=ngettext:1,2 --files-from=po/POTFILES.in --output="$folder/all.pot" 2> "$folder/diagnosis" && status=0 || status=1
point /translations/messages-are-found $status

# Those whose every message has to be translated.
complete=$(cat po/LINGUAS)

for language in $(cat po/LINGUAS); do
  "$MSGMERGE" --quiet --no-fuzzy-matching --output="$folder/$language.po" "po/$language.po" "$folder/all.pot"
  "$MSGFMT" --check --statistics --output="$folder/$language.mo" "$folder/$language.po" 2> "$folder/diagnosis" && status=0 || status=1
  point "/translations/$language/formats-are-right" $status
  msgattrib --only-fuzzy --no-obsolete "po/$language.po" > "$folder/diagnosis"
  clean "/translations/$language/nothing-is-fuzzy"
  case " $(echo $complete) " in
    *" $language "*)
      msgattrib --untranslated --no-wrap "$folder/$language.po" > "$folder/diagnosis"
      clean "/translations/$language/is-complete"
      ;;
  esac
done

ls po/*.po | sed 's,po/\(.*\)\.po,\1,' | LC_ALL=C sort > "$folder/there"
LC_ALL=C sort po/LINGUAS > "$folder/linguas"
same /translations/every-language-is-listed "$folder/linguas" "$folder/there"

end
