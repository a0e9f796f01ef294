#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the README tells to type does what the README says, and its links lead somewhere.
set -u

. "${top_srcdir:?}/tests/tap.sh"
readme=$top_srcdir/README.md

# The block of code number N below a heading.
block () # HEADING N
{
  awk -v heading="## $1" -v wanted="$2" '
    /^## / { here = $0 == heading }
    /^```/ { inside = !inside; if (inside && here) count++; next }
    here && inside && count == wanted' "$readme"
}

# What comes first on the PATH is not what was configured: another Python, which has no gi, another valac.
mkdir "$folder/bin" "$folder/work"
for program in python3 valac; do
  printf '#!/bin/sh\necho "not the %s that was configured"\nexit 1\n' $program > "$folder/bin/$program"
  chmod +x "$folder/bin/$program"
done
export PATH="$folder/bin:$PATH"
cd "$folder/work" || exit 1

run () # COMMAND…: in this folder, with what was built
{
  LANGUAGE='' "$top_builddir/run" "$@" > "$folder/output" 2>&1 < /dev/null
}

# Whoever asks for them below it, a shell as well as a program, gets those that were configured.
for program in python3 valac; do
  if [ ! -x "$top_builddir/programs/$program" ]; then
    skip "/readme/run/$program" "there was none to configure"
    continue
  fi
  run "$program" --version && run env "$program" --version && run sh -c "$program --version"
  status=$?
  cp "$folder/output" "$folder/diagnosis"
  point "/readme/run/$program" $status
done

missing=
if [ ! -f "$top_builddir/Mmio-1.0.typelib" ]; then
  missing="configured without introspection"
elif [ -z "$GJS" ]; then
  missing="gjs is not installed"
elif ! run python3 -c 'import gi.repository'; then
  missing="no Python that can import gi"
fi

if [ -n "$missing" ]; then
  skip "$missing" /readme/in-one-line
else
  block 'In one line' 1 > "$folder/commands"
  block 'In one line' 2 > "$folder/expected"
  run sh "$folder/commands"
  diff -u "$folder/expected" "$folder/output" > "$folder/diagnosis"
  point /readme/in-one-line $?
fi

# The programs that the README shows, as it tells to run them.
cp "$top_srcdir"/examples/hello.* .
block 'The same program in four languages' 5 > "$folder/commands"
while read -r command; do
  language=$(echo "$command" | sed -E 's/.*hello\.([a-z]*).*/\1/')
  missing=
  case $language in
    # What was instrumented links with what was instrumented alone.
    c)
      ! grep -q -e '^SANITIZER_CFLAGS = .*-fsanitize' "$top_builddir/Makefile" || missing="the library is instrumented"
      # An archive asks for pkg-config --static.
      [ -f "$top_builddir/.libs/libmmio-1.0.so" ] || missing="configured without a shared library" ;;
    vala) [ -x "$top_builddir/examples/hello-vala" ] || missing="configured without Vala" ;;
    *) [ -f "$top_builddir/Mmio-1.0.typelib" ] || missing="configured without introspection" ;;
  esac
  case $language in
    js) [ -n "$GJS" ] || missing="gjs is not installed" ;;
    py) run python3 -c 'import gi.repository' || missing="no Python that can import gi" ;;
  esac
  if [ -n "$missing" ]; then
    skip "$missing" "/readme/$language"
    continue
  fi
  rm -f hello hello.bin
  run sh -c "$command"
  cp "$folder/output" "$folder/diagnosis"
  [ "$(tail -n 1 "$folder/output")" = hello ] && [ "$(head -c 5 hello.bin)" = hello ]
  point "/readme/$language" $?
done < "$folder/commands"
[ "$(wc -l < "$folder/commands")" -eq 4 ]
point /readme/four-languages $?

end
