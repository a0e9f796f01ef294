#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What `make install` has put below its prefix (and DESTDIR) is whole, and works without the build folder: `make installcheck` runs this with
# the folders, DESTDIR before each, as installed_NAME. Programs are built and run as one who has just installed it does it.
set -u

. "${top_srcdir:?}/tests/tap.sh"

check () # NAME COMMAND…
{
  name=$1
  shift
  "$@" > "$folder/diagnosis" 2>&1 < /dev/null
  point "$name" $?
}

says_hello () # COMMAND…: as each examples/hello does
{
  rm -f hello.bin
  said=$("$@") && [ "$said" = hello ] && [ "$(head -c 5 hello.bin)" = hello ] || { echo "said: $said"; false; }
}

mkdir "$folder/pkgconfig" "$folder/work"
cd "$folder/work" || exit 1

# The file for pkg-config says where things will be once they are where DESTDIR was said to stand for.
sed -E "s,^(prefix|exec_prefix|libdir|includedir|datarootdir|datadir)=/,&${DESTDIR#/}/," "$installed_pkgconfig/mmio-1.0.pc" > "$folder/pkgconfig/mmio-1.0.pc"
export PKG_CONFIG_PATH="$folder/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"

build_c ()
{
  # shellcheck disable=SC2046,SC2086  # flags are words
  $CC -Wall -Werror -o hello "$top_srcdir/examples/hello.c" $(${PKG_CONFIG:-pkg-config} --cflags --libs mmio-1.0) &&
    says_hello ./hello && ldd ./hello | grep -F "$installed_lib/"
}
check /installed/c build_c

include_in_cxx ()
{
  # shellcheck disable=SC2046
  echo '#include <mmio.h>' | "$CXX" -Wall -Werror -fsyntax-only -x c++ - $(${PKG_CONFIG:-pkg-config} --cflags mmio-1.0)
}
if [ -n "$CXX" ]; then
  check /installed/headers-in-c++ include_in_cxx
else
  skip "no C++ compiler" /installed/headers-in-c++
fi

build_vala ()
{
  "$VALAC" --vapidir="$installed_vapi" --pkg=mmio-1.0 -o hello-vala "$top_srcdir/examples/hello.vala" && says_hello ./hello-vala
}
if [ -f "$top_builddir/mmio-1.0.vapi" ]; then
  check /installed/vala build_vala
else
  skip "configured without Vala" /installed/vala
fi

extensions=
[ ! -f "$top_builddir/bindings/python/_mmio.la" ] || extensions=_mmio
run_python ()
{
  # shellcheck disable=SC2086  # none or one
  says_hello "$PYTHON" "$top_srcdir/examples/hello.py" &&
    "$PYTHON" -c 'import sys, mmio_mmap, gi.overrides
gi.require_version ("Mmio", "1.0")
from gi.repository import Mmio
folder, *extensions = sys.argv[1:]
for name in ["mmio_mmap", "gi.overrides.Mmio"] + extensions:
    assert sys.modules[name].__file__.startswith (folder), sys.modules[name].__file__' "$installed_python" $extensions
}
if [ ! -f "$top_builddir/Mmio-1.0.typelib" ]; then
  skip "configured without introspection" /installed/python
elif ! "$PYTHON" -c 'import gi.repository' 2>/dev/null; then
  skip "no Python that can import gi" /installed/python
else
  check /installed/python run_python
fi

if [ ! -f "$top_builddir/Mmio-1.0.typelib" ]; then
  skip "configured without introspection" /installed/gjs
elif [ -z "$GJS" ]; then
  skip "gjs is not installed" /installed/gjs
else
  check /installed/gjs says_hello "$GJS" -m "$top_srcdir/examples/hello.js"
fi

run_command ()
{
  [ "$(command -v mmio)" = "$installed_bin/mmio" ] && ldd "$installed_bin/mmio" | grep -F "$installed_lib/" &&
    printf hello | mmio write --create file && [ "$(mmio cat file)" = hello ] && mmio watch --timeout=0 file
}
check /installed/command run_command

speaks_german ()
{
  TEXTDOMAINDIR=$installed_locale LANGUAGE=de mmio --help | grep Befehle
}
if [ -f "$installed_locale/de/LC_MESSAGES/libmmio.mo" ]; then
  # Where C.UTF-8 is taken for C nothing is translated, whatever is installed.
  if LANGUAGE=de LC_ALL=C.UTF-8 TEXTDOMAINDIR=$installed_locale gettext libmmio 'Commands:' 2>/dev/null | grep -q Befehle; then
    check /installed/languages speaks_german
  else
    skip "no locale that has translations" /installed/languages
  fi
else
  skip "configured without translations" /installed/languages
fi

# Files that no program asks for before a user does
files_are_there ()
{
  for file in "$installed_man/man1/mmio.1" "$installed_man/man7/libmmio.7" "$installed_bashcompletions/mmio" "$installed_zshcompletions/_mmio" \
              "$installed_fishcompletions/mmio.fish"; do
    [ -s "$file" ] || { echo "$file is missing"; return 1; }
  done
  [ ! -f "$top_builddir/Mmio-1.0.gir" ] || [ -s "$installed_gir/Mmio-1.0.gir" ] || { echo "the GIR is missing"; return 1; }
  [ ! -f "$top_builddir/docs/reference.stamp" ] || [ -s "$installed_reference/index.html" ] || { echo "the reference is missing"; return 1; }
}
check /installed/files files_are_there

# Two of the installed tests, as gnome-desktop-testing would run them: packages run them all.
run_installed ()
{
  for test in "$installed_metadata/test-version.test" "$installed_metadata/test-tool.sh.test"; do
    # shellcheck disable=SC2046  # a command and its words
    env $(sed -n "s,^Exec=,,; s,$tests_folder,${DESTDIR}$tests_folder,gp" "$test") || return 1
  done
}
if [ -d "$installed_metadata" ]; then
  check /installed/tests run_installed
else
  skip "configured without --enable-installed-tests" /installed/tests
fi

end
