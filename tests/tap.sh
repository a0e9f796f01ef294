#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# For tests in shell, which read it in: a folder of their own, which goes when they end, and points, whose numbers count themselves. What a
# point has to say of its failure stands in $folder/diagnosis.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
number=0
failed=0

point () # NAME STATUS
{
  number=$((number + 1))
  if [ "$2" -eq 0 ]; then
    echo "ok $number - $1"
  else
    failed=1
    [ ! -f "$folder/diagnosis" ] || sed 's/^/# /' "$folder/diagnosis"
    echo "not ok $number - $1"
  fi
  rm -f "$folder/diagnosis"
}

clean () # NAME: there is no diagnosis
{
  if [ -s "$folder/diagnosis" ]; then point "$1" 1; else point "$1" 0; fi
}

same () # NAME FILE FILE
{
  if diff -u "$2" "$3" > "$folder/diagnosis"; then point "$1" 0; else point "$1" 1; fi
}

skip () # REASON NAME…
{
  reason=$1
  shift
  for name; do
    number=$((number + 1))
    echo "ok $number - $name # SKIP $reason"
  done
}

end ()
{
  echo "1..$number"
  exit $failed
}
