#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The examples do what they say, in each language, and the README shows them as they are.
set -u

. "${top_srcdir:?}/tests/tap.sh"

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

# Waits until FILE holds TEXT, for a minute.
expect ()
{
  for _ in $(seq 1200); do
    if grep -q "$2" "$1"; then
      return 0
    fi
    sleep 0.05
  done
  echo "# \"$2\" did not come; $1 holds:"
  sed 's/^/#   /' "$1"
  return 1
}

hello ()
{
  [ "$(run "$1" hello)" = hello ] && [ "$(wc -c < hello.bin)" -eq 4096 ] && [ "$(head -c 5 hello.bin)" = hello ]
}

tail ()
{
  echo one > log
  run "$1" tail log > out &
  expect out one && echo two >> log && expect out two && echo three >> log && expect out three
  result=$?
  rm log
  wait $! && [ $result -eq 0 ] && [ "$(tr '\n' ' ' < out)" = "one two three " ]
}

hex ()
{
  printf 'The quick brown fox\n\0\377' > fox
  run "$1" hex fox > out
  cat > expected <<'EOF'
00000000  54 68 65 20 71 75 69 63 6b 20 62 72 6f 77 6e 20  The quick brown 
00000010  66 6f 78 0a 00 ff                                fox...
EOF
  diff expected out
}

counter ()
{
  run "$1" counter count 500 > /dev/null & first=$!
  run "$1" counter count 500 > /dev/null & second=$!
  wait $first && wait $second && [ "$(run "$1" counter count 0)" = 1000 ]
}

ring ()
{
  seq 10000 > numbers
  run "$1" ring pipe receive > out & receiver=$!
  run "$1" ring pipe send numbers && wait $receiver && cmp numbers out
}

config ()
{
  printf '[main]\nname=first\n' > file.conf
  run "$1" config file.conf > out &
  expect out first &&
    printf '[main]\nname=second\n' > new && mv new file.conf && expect out second &&
    printf '[main]\nname=third\n' > new && mv new file.conf && expect out third &&
    printf '[main]\nname=in place\n' > file.conf && expect out 'in place'
  result=$?
  rm file.conf
  wait $! && [ $result -eq 0 ]
}

# What one language has stored the next one finds.
index ()
{
  file="$folder/index.bin"
  for key in apple bear cherry; do
    [ "$(run "$1" index "$file" $key "$key of $1")" = "$key of $1" ] || return 1
  done
  [ "$(run "$1" index "$file" bear)" = "bear of $1" ] && [ -z "$(run "$1" index "$file" none)" ] &&
    [ "$(run c index "$file" cherry)" = "cherry of $1" ] &&
    run c index "$file" zebra "zebra of c" > /dev/null && [ "$(run "$1" index "$file" zebra)" = "zebra of c" ]
}

image ()
{
  { printf 'P6\n2 2\n255\n'; printf '\377\0\0\0\377\0\0\0\377\377\377\377'; } > in.ppm
  [ "$(run "$1" image in.ppm out.png)" = "2 x 2" ] && [ "$(head -c 4 out.png | od -An -tx1 | tr -d ' ')" = 89504e47 ]
}

# Why GdkPixbuf can't be used; nothing if it can.
missing_pixbuf ()
{
  case $1 in
    c) [ -x "$top_builddir/examples/image" ] ;;
    vala) [ -x "$top_builddir/examples/image-vala" ] ;;
    js) "$GJS" -c 'imports.gi.versions.GdkPixbuf = "2.0"; imports.gi.GdkPixbuf' 2>/dev/null ;;
    python) "$PYTHON" -c 'from gi.repository import GdkPixbuf' 2>/dev/null ;;
  esac || echo "GdkPixbuf is not installed"
}

for example in hello tail hex counter ring config index image; do
  for language in c python js vala; do
    reason=$(missing $language)
    if [ -z "$reason" ] && [ $example = image ]; then
      reason=$(missing_pixbuf $language)
    fi
    if [ -n "$reason" ]; then
      skip "$reason" "$example in $language"
      continue
    fi
    mkdir "$folder/$example-$language"
    (cd "$folder/$example-$language" && $example $language)
    point "$example in $language" $?
  done
done

# A block that begins with ```LANGUAGE examples/FILE is that file, but for its licence line.
shown=$(sed -n 's/^```[a-z]* \(examples\/.*\)$/\1/p' "$top_srcdir/README.md")
for file in $shown; do
  awk -v file="$file" '$0 == "```" { inside = 0 } inside { print } /^```/ && $2 == file { inside = 1 }' \
    "$top_srcdir/README.md" > "$folder/shown"
  sed 1d "$top_srcdir/$file" | diff "$folder/shown" - > "$folder/diagnosis"
  point "the README shows $file" $?
done
[ "$(echo "$shown" | wc -l)" -ge 4 ]
point "the README shows a program in each language" $?

# So is a block in a page of the reference that follows <!-- examples/FILE -->.
for page in "$top_srcdir"/docs/*.md; do
  for file in $(sed -n 's/^<!-- \(examples\/.*\) -->$/\1/p' "$page"); do
    awk -v mark="<!-- $file -->" '$0 == "```" { inside = 0 } inside { print }
      /^```./ && marked { inside = 1; marked = 0 } $0 == mark { marked = 1 }' "$page" > "$folder/shown"
    # Without the licence line, and the empty line of the comment after it
    awk 'NR == 1 { opened = /^\/\*/ && !/\*\/$/; next }
      NR == 2 && (/^ \*$/ || /^\/\/$/) { next }
      NR == 3 && opened { sub (/^ /, "/"); held = $0; next }
      NR == 4 && opened { if (/^ \*\/$/) { print held " */"; next } print held }
      { print }' "$top_srcdir/$file" | diff "$folder/shown" - > "$folder/diagnosis"
    point "${page##*/} shows $file" $?
  done
done

# What stands in a page without such a mark is one line, which no program is.
for page in "$top_srcdir"/docs/*.md; do
  awk -v page="${page##*/}" '/^<!-- examples\// { marked = NR + 2 }
    inside && $0 == "```" { if (lines > 1) print page ": line " start; inside = 0 }
    inside { lines++ }
    /^```(c|js|python|vala)$/ && NR != marked { inside = 1; lines = 0; start = NR }' "$page"
done > "$folder/diagnosis"
[ ! -s "$folder/diagnosis" ]
point "the programs of the pages are examples" $?

# The lines of C in the reference's comments can be compiled, where a file and an error are at hand.
cat > "$folder/comments.c" <<'EOF'
#include <gio/gunixconnection.h>
#include <mmio.h>

void process (gconstpointer data, gsize length);
void taken (MmioFile *file, const char *line, GUnixConnection *connection, GCancellable *cancellable, GError *error);
void
taken (MmioFile *file, const char *line, GUnixConnection *connection, GCancellable *cancellable, GError *error)
{
EOF
awk '/^ \* ```c$/ { inside = 1; print "{\n#line " FNR + 1 " \"" FILENAME "\""; next }
  /^ \* ```$/ && inside { inside = 0; print "}" }
  inside { sub (/^ \* ?/, ""); gsub (/…/, ";"); print }' "$top_srcdir"/libmmio/*.c >> "$folder/comments.c"
echo '}' >> "$folder/comments.c"
# shellcheck disable=SC2046,SC2086  # words
$CC -Wall -Werror -Wno-unused-variable -fsyntax-only -I"$top_builddir/libmmio" -I"$top_srcdir/libmmio" \
  $(${PKG_CONFIG:-pkg-config} --cflags gio-unix-2.0) "$folder/comments.c" > "$folder/diagnosis" 2>&1 &&
  [ "$(grep -c '^#line' "$folder/comments.c")" -ge 8 ]
point "the examples of the reference are C" $?

end
