#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The examples do what they say, in each language, and the README shows them as they are.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

point ()
{
  number=$((number + 1))
  if [ "$1" -eq 0 ]; then
    echo "ok $number - $2"
  else
    echo "not ok $number - $2"
    failed=1
  fi
}

# run LANGUAGE NAME [ARGUMENT…]: runs an example in the current folder.
run ()
{
  language=$1 name=$2
  shift 2
  case $language in
    c) "$top_builddir/examples/$name" "$@" ;;
    vala) "$top_builddir/examples/$name-vala" "$@" ;;
    python) "$PYTHON" "$top_srcdir/examples/$name.py" "$@" ;;
    js) "$GJS" -m "$top_srcdir/examples/$name.js" "$@" ;;
  esac
}

# Why a language's examples can't be run here; nothing if they can.
missing ()
{
  case $1 in
    c) ;;
    vala) [ -x "$top_builddir/examples/hello-vala" ] || echo "configured without Vala" ;;
    *)
      if [ ! -f "$top_builddir/Mmio-1.0.typelib" ]; then
        echo "configured without introspection"
      elif [ "$1" = js ] && [ -z "$GJS" ]; then
        echo "gjs is not installed"
      elif [ "$1" = python ] && ! "$PYTHON" -c 'import gi.repository' 2>/dev/null; then
        echo "no Python that can import gi"
      fi ;;
  esac
}

hello ()
{
  [ "$(run "$1" hello)" = hello ] && [ "$(wc -c < hello.bin)" -eq 4096 ] && [ "$(head -c 5 hello.bin)" = hello ]
}

for example in hello; do
  for language in c python js vala; do
    reason=$(missing $language)
    if [ -n "$reason" ]; then
      number=$((number + 1))
      echo "ok $number - $example in $language # SKIP $reason"
      continue
    fi
    mkdir "$folder/$example-$language"
    (cd "$folder/$example-$language" && $example $language)
    point $? "$example in $language"
  done
done

# A block that begins with ```LANGUAGE examples/FILE is that file, but for its licence line.
shown=$(sed -n 's/^```[a-z]* \(examples\/.*\)$/\1/p' "$top_srcdir/README.md")
for file in $shown; do
  awk -v file="$file" '$0 == "```" { inside = 0 } inside { print } /^```/ && $2 == file { inside = 1 }' \
    "$top_srcdir/README.md" > "$folder/shown"
  sed 1d "$top_srcdir/$file" | diff "$folder/shown" - > "$folder/diff"
  point $? "the README shows $file"
  sed 's/^/# /' "$folder/diff"
done
[ "$(echo "$shown" | wc -l)" -ge 4 ]
point $? "the README shows a program in each language"

echo "1..$number"
exit $failed
