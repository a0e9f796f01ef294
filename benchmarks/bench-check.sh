#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench-check.sh PROGRAM FILE FOLDER: counts the instructions of the hottest calls with callgrind, in FOLDER, and compares them with FILE.
# Fails if one has more than 5 % more. bench-check.sh --update PROGRAM FILE FOLDER writes FILE anew.
#
# The counts hold for one processor family, compiler, its flags and the libraries beneath; FILE says for which. Elsewhere this says
# SKIP and why, and compares nothing.
set -eu

update=
if [ "$1" = --update ]; then
  update=yes
  shift
fi
program=$1 file=$2 folder=$3

skip () { echo "SKIP: bench-check: $*"; exit 0; }

command -v valgrind >/dev/null 2>&1 || skip "valgrind is not installed"
mkdir -p "$folder"
rm -f "$folder"/callgrind.*

# libtool sets the paths, so that it is the program that is run and not a shell script around it.
run () { ${LIBTOOL:-libtool} --mode=execute "$@"; }

run "$program" --environment > "$folder/environment"
runs=$(awk '$1 == "runs" { print $2 }' "$folder/environment")
{
  sed '/^runs /d' "$folder/environment"
  echo "flags ${CFLAGS:-}"
  echo "valgrind $(valgrind --version)"
  echo "processor $(uname -m)$(for flag in avx2 erms; do grep -qw -m1 "$flag" /proc/cpuinfo && printf ' %s' "$flag"; done || :)"
} > "$folder/environment.new"

if [ -z "$update" ]; then
  sed -n 's/^# with //p' "$file" > "$folder/environment.old"
  if ! cmp -s "$folder/environment.old" "$folder/environment.new"; then
    skip "counted elsewhere (< there, > here); to compare, count with the older source here: make bench-count
$(diff "$folder/environment.old" "$folder/environment.new" | grep '^[<>]')"
  fi
fi

status=0
run valgrind --quiet --tool=callgrind --callgrind-out-file="$folder/callgrind" "$program" > "$folder/callgrind.log" 2>&1 ||
  status=$?
[ "$status" -ne 77 ] || skip "$(cat "$folder/callgrind.log")"
[ "$status" -eq 0 ] || { cat "$folder/callgrind.log"; exit 1; }

# One dump a case, in the order in which they were run: its name, and what was counted since the one before it.
i=1
: > "$folder/counts"
while [ -f "$folder/callgrind.$i" ]; do
  awk -v runs="$runs" '
    /^desc: Trigger: Client Request: / { name = $5 }
    /^(summary|totals): / { total = $2 }
    END { if (name != "") printf "%s %.1f\n", name, total / runs }' "$folder/callgrind.$i" >> "$folder/counts"
  i=$((i + 1))
done
[ -s "$folder/counts" ] || { echo "callgrind has counted nothing"; exit 1; }

if [ -n "$update" ]; then
  {
    echo "# SPDX-License-Identifier: LGPL-2.1-or-later"
    echo "#"
    echo "# Instructions a call, counted by callgrind. Written by make bench-count, compared by make bench-check."
    sed 's/^/# with /' "$folder/environment.new"
    cat "$folder/counts"
  } > "$file"
  cat "$file"
  exit
fi

# A line a call, as automake prints them for tests.
awk '
  FNR == NR { if ($1 != "#") { old[$1] = $2; order[++n] = $1 }; next }
  !($1 in old) { printf "FAIL: bench-check %s: %.1f instructions, not in the file: make bench-count\n", $1, $2; failed++; next }
  {
    seen[$1] = 1
    change = ($2 / old[$1] - 1) * 100
    if (change > 5) failed++
    if (change < -5) fewer++
    printf "%s: bench-check %-20s %8.1f instructions, were %8.1f: %+.1f %%\n", (change > 5 ? "FAIL" : "PASS"), $1, $2, old[$1], change
  }
  END {
    for (i = 1; i <= n; i++)
      if (!(order[i] in seen)) { printf "FAIL: bench-check %s: was not counted\n", order[i]; failed++ }
    if (fewer) print "some have become fewer: make bench-count keeps it that way"
    exit failed > 0
  }' "$file" "$folder/counts"
