#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench-check.sh PROGRAM FILE FOLDER: counts the instructions of the hottest calls with callgrind, in FOLDER, and compares them with FILE.
# Fails if one has more than 5 % more. bench-check.sh --update PROGRAM FILE FOLDER writes FILE anew.
#
# There are two counts a call. The library's own instructions, in libmmio-1.0.so, depend on the compiler, its flags, the architecture and
# the file system. What runs beneath it as well depends on the processor too, for which the C library picks its memcpy, and on every
# library: that count is compared where all of this is the same as it was for FILE. What can't be compared is said with a SKIP, and why.
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
# "own": what the library's own count depends on. "all": what else the count of everything depends on.
{
  sed -n 's/^compiler \([^ ]* [0-9]*\).*/own compiler \1/p' "$folder/environment"
  echo "own architecture $(uname -m)"
  echo "own flags ${CFLAGS:-}"
  sed -n 's/^files /own files /p' "$folder/environment"
  sed '/^runs /d; /^files /d; s/^/all /' "$folder/environment"
  echo "all valgrind $(valgrind --version)"
  echo "all kernel $(uname -r | sed 's/[^0-9.].*//')"
  echo "all processor$(for flag in avx avx2 bmi2 erms fsrm rtm; do grep -qw -m1 "$flag" /proc/cpuinfo && printf ' %s' "$flag"; done || :)"
} > "$folder/environment.new"

# differences KIND: what is another than it was for FILE.
differences () { diff "$folder/environment.old" "$folder/environment.new" | sed -n "s/^\([<>]\) $1/\1/p"; }

everything=1
if [ -z "$update" ]; then
  sed -n 's/^# with //p' "$file" > "$folder/environment.old"
  if [ -n "$(differences own)" ]; then
    skip "counted with something else (< there, > here); to compare, count with the older source here: make bench-count
$(differences own)"
  fi
  if [ -n "$(differences all)" ]; then
    everything=0
    echo "SKIP: bench-check: what runs beneath the library is another than what was counted (< there, > here), and is not compared"
    differences all
  fi
fi

# Valgrind itself tells the program that it runs on a processor without AVX-512.
status=0
run valgrind --quiet --tool=callgrind --compress-strings=no --compress-pos=no --callgrind-out-file="$folder/callgrind" "$program" \
  > "$folder/callgrind.log" 2>&1 || status=$?
[ "$status" -ne 77 ] || skip "$(cat "$folder/callgrind.log")"
[ "$status" -eq 0 ] || { cat "$folder/callgrind.log"; exit 1; }

# One dump a case, in the order in which they were run: its name, and what was counted since the one before it. The line after "calls=" is
# what the function called has cost, and is told of that one too.
i=1
: > "$folder/counts"
while [ -f "$folder/callgrind.$i" ]; do
  awk -v runs="$runs" '
    /^desc: Trigger: Client Request: / { name = $5 }
    /^ob=/ { own = /\/libmmio-1\.0\.so/ }
    /^calls=/ { getline; next }
    /^[0-9]/ { all += $2; if (own) library += $2 }
    END { if (name != "") printf "%s %.1f %.1f\n", name, library / runs, all / runs }' "$folder/callgrind.$i" >> "$folder/counts"
  i=$((i + 1))
done
awk '$2 == 0 { exit 1 } END { exit NR == 0 }' "$folder/counts" || { echo "callgrind has not counted the library"; exit 1; }

if [ -n "$update" ]; then
  {
    echo "# SPDX-License-Identifier: LGPL-2.1-or-later"
    echo "#"
    echo "# Instructions a call, counted by callgrind: the library's own, and all. Written by make bench-count, compared by make bench-check."
    sed 's/^/# with /' "$folder/environment.new"
    cat "$folder/counts"
  } > "$file"
  cat "$file"
  exit
fi

# A line a count, as automake prints them for tests.
awk -v everything="$everything" '
  function compare (name, new, old,   change)
  {
    change = (new / old - 1) * 100
    if (change > 5) failed++
    if (change < -5) fewer++
    printf "%s: bench-check %-30s %8.1f instructions, were %8.1f: %+.1f %%\n", (change > 5 ? "FAIL" : "PASS"), name, new, old, change
  }
  FNR == NR { if ($1 != "#") { own[$1] = $2; all[$1] = $3; order[++n] = $1 }; next }
  !($1 in own) { printf "FAIL: bench-check %s: %.1f instructions, not in the file: make bench-count\n", $1, $2; failed++; next }
  {
    seen[$1] = 1
    compare ($1, $2, own[$1])
    if (everything) compare ($1 " and beneath", $3, all[$1])
  }
  END {
    for (i = 1; i <= n; i++)
      if (!(order[i] in seen)) { printf "FAIL: bench-check %s: was not counted\n", order[i]; failed++ }
    if (failed) print "where more are meant to be, make bench-count writes them down"
    if (fewer) print "some have become fewer: make bench-count keeps it that way"
    exit failed > 0
  }' "$file" "$folder/counts"
