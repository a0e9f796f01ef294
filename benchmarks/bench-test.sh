#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench-test.sh MAKE PYTHON FOLDER: whether the benchmarks say what is wrong with what they are given, and write what README.md promises.
# Runs one short case again and again, in FOLDER. No time is asserted. Prints a line a point, as automake does for tests.
# shellcheck disable=SC2015,SC2086,SC2317  # what is called by name, and a status
set -u

make=$1 python=$2 folder=$3
source=$(cd "$(dirname "$0")" && pwd)
case=peek-64-hot
failed=0

[ -n "$python" ] || { echo "SKIP: bench-test: there is no Python to read the results"; exit 0; }
rm -rf "$folder"
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# point NAME COMMAND…
point ()
{
  name=$1
  shift
  if "$@" > "$folder/log" 2>&1; then
    echo "PASS: bench-test /$name"
  else
    echo "FAIL: bench-test /$name"
    sed 's/^/| /' "$folder/log"
    failed=1
  fi
}

bench () { EXTERNAL=${external:-} "$make" -s bench-quick BENCH_FLAGS="--case=$case $1"; }

# says TEXT FLAGS: the run succeeds, and its output has TEXT.
says () { bench "$2" > "$folder/out" 2>&1 && grep -F -- "$1" "$folder/out" || { cat "$folder/out"; false; }; }

# refuses TEXT FLAGS: it doesn't, and measures nothing before it says so.
refuses ()
{
  rm -f bench/results.json
  if bench "$2" > "$folder/out" 2>&1; then cat "$folder/out"; return 1; fi
  grep -F -- "$1" "$folder/out" && [ ! -s bench/results.json ] || { cat "$folder/out"; false; }
}

# peer NAME: a program with the lines that are read.
peer ()
{
  { echo '#!/bin/sh'; cat; } > "$folder/$1"
  chmod +x "$folder/$1"
}

peer good << 'END'
echo ready
while read -r n; do echo $((n * 20)); done
END
peer no-number << 'END'
echo ready
while read -r n; do echo soon; done
END
peer negative << 'END'
echo ready
while read -r n; do echo -5; done
END
peer nothing << 'END'
echo ready
while read -r n; do echo 0; done
END
peer dies << 'END'
echo ready
read -r n
exit 3
END
peer not-ready << 'END'
echo hello
END
peer skips << 'END'
echo SKIP no hardware for it
END

point peer/takes-its-turns says " 20.0" "--peer=$case=$folder/good"
point peer/no-number-is-no-figure says 'said "soon" instead of a number' "--peer=$case=$folder/no-number"
point peer/a-negative-number-is-no-figure says 'said "-5" instead of a number' "--peer=$case=$folder/negative"
point peer/what-takes-no-time-is-no-figure says 'less than a nanosecond' "--peer=$case=$folder/nothing"
point peer/one-that-dies-is-missing says 'has ended with status 3' "--peer=$case=$folder/dies"
point peer/one-that-is-not-ready-is-missing says 'said "hello" instead of "ready"' "--peer=$case=$folder/not-ready"
point peer/one-may-say-why-not says 'SKIP no hardware for it' "--peer=$case=$folder/skips"
point peer/no-such-command says 'finds no such command' "--peer=$case=$folder/nowhere"
point peer/of-a-case-that-is-not-run says 'it took no turn' "--peer=read-64-hot=$folder/good"
point options/no-case-has-that-name refuses "no case's name begins so" --case=nothing
point options/a-peer-of-no-case refuses 'there is no case nothing' --peer=nothing=true
point options/a-peer-without-a-command refuses 'it is to be CASE=COMMAND' "--peer=$case"
point options/what-is-no-option refuses 'what is that' word
point options/a-folder-that-is-none refuses 'that is no folder' "--disk=$folder/nowhere"
point options/a-tmpfs-that-is-none refuses 'that is no folder on a tmpfs' --tmpfs=/proc

row='my \| own (measured elsewhere) | 9.3 ns'
echo "{\"case\": \"$case\", \"ns_per_op\": 9.3, \"label\": \"my | own\"}" > "$folder/figures"
from () { external=$1; shift; "$@"; status=$?; external=; return $status; }
has_row () { bench '' && grep -F "$row" bench/results.md; }
has_no_row () { bench '' && ! grep -F "measured elsewhere" bench/results.md; }

point external/a-file from "$folder/figures" has_row
point external/none-is-left-from-the-last-run has_no_row
point external/a-command from "cat '$folder/figures'" has_row
point external/of-a-case-that-is-not-run from "echo '{\"case\": \"peek\", \"ns_per_op\": 1}'" says 'no such case was run' ''
point external/no-such-file from "$folder/nowhere" refuses 'no such file' ''
point external/a-command-that-fails from false refuses 'has ended with status 1' ''
point external/nothing from true refuses 'there is no line in it' ''
point external/no-json from 'echo hello' refuses 'line 1: hello' ''
point external/no-figure from "echo '{\"case\": \"$case\"}'" refuses '"ns_per_op" is to be' ''
point external/text-for-a-figure from "echo '{\"case\": \"$case\", \"ns_per_op\": \"9\"}'" refuses '"ns_per_op" is to be' ''
point external/no-time-at-all from "echo '{\"case\": \"$case\", \"ns_per_op\": 0}'" refuses '"ns_per_op" is to be' ''

# What README.md says is in the results is in them, and nothing else.
documented () # FLAGS
{
  bench "$1" && "$python" - "$source/README.md" bench/results.json << 'END'
import json, re, sys
from xml.etree import ElementTree

rows = [line.split('|')[1:3] for line in open(sys.argv[1], encoding='utf-8') if line.startswith('| ')]
known = {name for row in rows for name in re.findall('`([a-z_]+)`', row[0] + row[1])}
seen = set()

def walk(value):
    if isinstance(value, dict):
        seen.update(value)
        value = value.values()
    if not isinstance(value, str) and hasattr(value, '__iter__'):
        for inner in value:
            walk(inner)

results = json.load(open(sys.argv[2], encoding='utf-8'))
walk(results)
assert seen <= known, f'not in README.md: {seen - known}'
assert results['format'] == 1, results['format']
for case in results['cases']:
    assert [side['role'] for side in case['sides'][:2]] == ['floor', 'libmmio'], case
for plot in 'ratios', 'scale':
    ElementTree.parse(f'bench/{plot}.svg')
END
}
peer odd << 'END'
printf 'SKIP <&"\\ | \001 \377\n'
END
case=peek-64-hot
point results/are-as-documented documented ''
point results/survive-any-byte documented "--peer=$case=$folder/odd"
case=scale-views
point results/curves-are-as-documented documented ''
case=peek-64-hot
no_page () { ! "$make" -s bench-docs BENCH_FLAGS="--quick --case=$case" > "$folder/out" 2>&1 && grep -F 'alone no page is made' "$folder/out"; }
point page/is-not-made-of-some-cases-alone no_page

exit $failed
