#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# configure says what it can't do, instead of a build that breaks later.
set -u

. "${top_srcdir:?}/tests/tap.sh"

mkdir "$folder/a space" && cd "$folder/a space" || exit 1
# A source folder with a space is Automake's to refuse.
ln -s "$top_srcdir" ../source
../source/configure > "$folder/output" 2>&1
status=$?
cp "$folder/output" "$folder/diagnosis"
[ $status -ne 0 ] && grep -q 'error: .* a space' "$folder/output"
point /configure/a-space $?

end
