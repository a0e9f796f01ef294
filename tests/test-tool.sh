#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The mmio command on real files: what it prints, what it leaves behind and how it ends.
# shellcheck disable=SC1111  # the quotes that it prints
set -u

folder=$(mktemp -d)
watcher=
trap 'test -z "$watcher" || kill "$watcher" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder" || exit 1
number=0
failed=0

python=${PYTHON:-python3}
"$python" -c 'import json' 2>/dev/null || python=

ok () # NAME
{
  number=$((number + 1))
  echo "ok $number - $1"
}

not_ok () # NAME DIAGNOSIS
{
  number=$((number + 1))
  failed=1
  printf '%s\n' "$2" | sed 's/^/# /'
  echo "not ok $number - $1"
}

skip () # NAME REASON
{
  number=$((number + 1))
  echo "ok $number - $1 # SKIP $2"
}

is () # NAME WANTED GOT
{
  if [ "$2" = "$3" ]; then
    ok "$1"
  else
    not_ok "$1" "wanted: $2
got:    $3"
  fi
}

same () # NAME FILE FILE
{
  if difference=$(cmp "$2" "$3" 2>&1); then
    ok "$1"
  else
    not_ok "$1" "$difference"
  fi
}

# Runs a command; leaves its exit status and output in $status, $out and $err.
run () # COMMAND…
{
  status=0
  "$@" > out 2> err < "${input:-/dev/null}" || status=$?
  out=$(cat out)
  err=$(cat err)
}

# The last run ended so, with this on standard output and as much as this in what it said on standard error ("": nothing).
ended () # NAME STATUS OUTPUT PART-OF-ERROR
{
  if [ "$status" -ne "$2" ]; then
    not_ok "$1" "exit status $status, not $2; $err"
  elif [ "$out" != "$3" ]; then
    not_ok "$1" "printed “$out”, not “$3”; $err"
  elif [ -z "$4" ] && [ -n "$err" ]; then
    not_ok "$1" "said “$err”"
  else
    case $err in
      *"$4"*) ok "$1" ;;
      *) not_ok "$1" "said “$err”, without “$4”" ;;
    esac
  fi
}

# Evaluates a Python expression over `lines`, the objects that stand on standard input.
json_is () # NAME EXPRESSION < FILE
{
  if [ -z "$python" ]; then
    skip "$1" "no Python to read JSON with"
  elif message=$("$python" -c '
import json, sys
lines = [json.loads(line) for line in sys.stdin.buffer.read().decode("utf-8").splitlines()]
if not eval(sys.argv[1]):
    sys.exit(f"{sys.argv[1]} is not so of {lines}")' "$2" 2>&1); then
    ok "$1"
  else
    not_ok "$1" "$message"
  fi
}

# The command itself

run mmio
ended /tool/no-command-is-a-usage-error 2 "" "a command is missing"
run mmio fly
ended /tool/unknown-command-is-a-usage-error 2 "" "fly"
run mmio --fly
ended /tool/unknown-option-is-a-usage-error 2 "" "--fly"
run mmio --version
case "$status $out" in
  "0 mmio (libmmio) "[0-9]*) ok /tool/version ;;
  *) not_ok /tool/version "$status $out" ;;
esac
run mmio --help
commands=$(sed -n '/^Commands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' out)
is /tool/help-lists-the-commands "0 cat copy counter dump evict find info lock prefetch resident resize watch write " \
  "$status $(echo "$commands" | LC_ALL=C sort | tr '\n' ' ')"

for command in $commands; do
  run mmio "$command" --help
  case "$status $out" in
    "0 "*"mmio $command "*) ok "/tool/$command/help" ;;
    *) not_ok "/tool/$command/help" "$status $out $err" ;;
  esac
  # the summary is one line, as in the list of commands; what stands below the options fits a terminal
  is "/tool/$command/help-fits-a-terminal" "" "$(sed '1,/^  -h, --help/d' out | LC_ALL=C.UTF-8 awk 'length > 100')"
  run mmio "$command"
  ended "/tool/$command/no-arguments-is-a-usage-error" 2 "" "mmio $command --help"
  run mmio "$command" --fly
  ended "/tool/$command/unknown-option-is-a-usage-error" 2 "" "--fly"
done

# What no command takes. Each has its own arguments before the file.

mkfifo pipe
printf 'text' > source
for command in info cat dump counter "find x" write "copy source" "resize 8" resident prefetch evict "lock --timeout=0.1" \
    "watch --timeout=20"; do
  name=${command%% *}
  # shellcheck disable=SC2086
  {
    run mmio $command missing
    ended "/tool/$name/missing-file-is-an-error" 1 "" "missing: "
    run mmio $command .
    ended "/tool/$name/directory-is-an-error" 1 "" ".: "
    run mmio $command pipe
    ended "/tool/$name/fifo-is-an-error-and-no-hang" 1 "" "pipe: is not a regular file"
    run mmio $command /dev/null
    ended "/tool/$name/device-is-an-error" 1 "" "/dev/null: is not a regular file"
    run mmio $command ""
    ended "/tool/$name/empty-name-is-a-usage-error" 2 "" "empty"
  }
done

# cat

printf 'hello world\n' > greeting
printf 'good bye\n' > farewell
: > empty

run mmio cat greeting farewell
ended /tool/cat/several-files 0 "hello world
good bye" ""
run mmio cat empty
ended /tool/cat/empty-file 0 "" ""
run mmio cat --offset=6 --length 5 greeting
ended /tool/cat/range 0 "world" ""
run mmio cat -o 0x6 -l 5B greeting
ended /tool/cat/hexadecimal-offset 0 "world" ""
run mmio cat --offset=12 greeting
ended /tool/cat/offset-at-the-end 0 "" ""
run mmio cat --offset=13 greeting
ended /tool/cat/offset-past-the-end-is-an-error 1 "" "greeting: offset 13 + length 0 exceeds size 12"
run mmio cat --offset=6 --length=7 greeting
ended /tool/cat/length-past-the-end-is-an-error 1 "" "greeting: offset 6 + length 7 exceeds size 12"
run mmio cat --offset=6 --length=18446744073709551615 greeting
ended /tool/cat/range-that-wraps-is-an-error 1 "" "exceeds size 12"
run mmio cat missing greeting
ended /tool/cat/goes-on-after-a-missing-file 1 "hello world" "missing: "

# Numbers: what is none, and what is one but too large, is told from each other and from what was left out.
junk_is_told () # OPTION COMMAND… -- JUNK…
{
  option=$1
  name=$2
  shift
  words=
  while [ "$1" != -- ]; do
    words="$words $1"
    shift
  done
  shift
  for junk in "$@"; do
    case $junk in
      *too-large) junk=${junk%-too-large}; wanted="$option: “$junk” is too large" ;;
      *) wanted="$option: “$junk” is no " ;;
    esac
    # shellcheck disable=SC2086
    run mmio $words "$option=$junk" greeting
    ended "/tool/$name/junk-$option-is-a-usage-error/“$junk”" 2 "" "$wanted"
  done
}

for command in cat dump prefetch evict lock find\ x; do
  for option in --offset --length; do
    # shellcheck disable=SC2086
    junk_is_told $option $command -- "" -1 x
  done
done
junk_is_told --offset cat -- x -1 1X 1.5 "" " 1" +1 0x 1Kb 18446744073709551616-too-large 16E-too-large
junk_is_told --offset write -- "" -1 x
junk_is_told --from copy source -- "" -1 x
junk_is_told --to copy source -- "" -1 x
junk_is_told --length copy source -- "" -1 x
junk_is_told --offset counter -- "" -1 x
junk_is_told --add counter -- "" x 1x 1.5 - + " 1" 18446744073709551616-too-large -18446744073709551616-too-large
junk_is_told --limit find x -- "" 0 -1 +1 x 1x 1.5 " 1" 0x1 9223372036854775808-too-large 18446744073709551616-too-large
junk_is_told --count watch -- "" 0 -1 +1 x 1x 1.5 " 1" 0x1 9223372036854775808-too-large 18446744073709551616-too-large
junk_is_told --timeout watch -- "" -1 +1 x 1x " 1" nan inf . 1e10-too-large 1e999-too-large
junk_is_told --settle watch -- "" -1 +1 x 1x " 1" nan inf . 1e10-too-large 1e999-too-large
junk_is_told --timeout lock -- "" -1 x 1e10-too-large
# Longer than GLib counts milliseconds
run mmio watch --settle=3000000 --timeout=0 greeting
ended /tool/watch/settles-after-a-month 0 "" "Watching 1 file; Ctrl-C ends."
is /tool/watch/settles-after-a-month-without-a-warning 1 "$(wc -l < err)"

head -c 9000000 /dev/urandom > large
mmio cat large > copy
same /tool/cat/large-file large copy
mmio cat --offset=4M --length 4194305 large > copy
tail -c +4194305 large | head -c 4194305 > part
same /tool/cat/suffix part copy
rm copy part

# The status of the first of two commands in a pipe
first=$( { { mmio cat large 2>&3; echo $? >&4; } | head -c 1 > /dev/null; } 3>&1 4>&1)
is /tool/cat/reader-that-goes-away-is-no-error 0 "$first"
if [ -c /dev/full ]; then
  for command in "cat greeting" "info greeting" "info --json greeting" "--help" "cat --help"; do
    status=0
    # shellcheck disable=SC2086
    err=$(mmio $command 2>&1 > /dev/full) || status=$?
    out=
    ended "/tool/full-disk-at-standard-output-is-an-error/$command" 1 "" "standard output: "
  done
else
  skip /tool/full-disk-at-standard-output-is-an-error "no /dev/full"
fi

# Truncated while it is read: the pipe is full, so that the command waits in the middle of the file.
head -c 8M /dev/zero > shrinking
rm -f bytes
mkfifo bytes
mmio cat shrinking > bytes 2> err &
watcher=$!
exec 3< bytes
head -c 1 <&3 > /dev/null
: > shrinking
cat <&3 > /dev/null
wait "$watcher" && status=0 || status=$?
watcher=
exec 3<&-
out=
err=$(cat err)
ended /tool/cat/truncated-while-it-is-read-is-an-error 1 "" "shrinking: "

# A closed descriptor: what is printed goes nowhere, and not into the file that is opened next.
printf '01234567' > victim
status=0
mmio counter --add=0 victim >&- 2> err || status=$?
out=
err=$(cat err)
ended /tool/closed-standard-output-is-an-error 1 "" "standard output: "
is /tool/closed-standard-output-harms-no-file "01234567" "$(cat victim)"
status=0
mmio write victim <&- 2> err || status=$?
err=$(cat err)
ended /tool/closed-standard-input-is-an-error 1 "" "standard input: "
mmio counter --add=x victim 2>&-
is /tool/closed-standard-error-harms-no-file "01234567" "$(cat victim)"

# What a file is missing for: --create makes it, where there is a folder for it, and is nothing that reading needs.
for command in write "copy source" "resize 8" "counter --add=1"; do
  # shellcheck disable=SC2086
  run mmio $command missing
  ended "/tool/${command%% *}/missing-file-suggests-create" 1 "" " (--create makes the file)"
  # shellcheck disable=SC2086
  run mmio $command missing/file
  case $err in
    *--create*) not_ok "/tool/${command%% *}/missing-folder-suggests-nothing" "$err" ;;
    *) ended "/tool/${command%% *}/missing-folder-suggests-nothing" 1 "" "missing/file: " ;;
  esac
done
ln -s nowhere link
for command in write "copy source" "resize 8" "counter --add=1"; do
  # shellcheck disable=SC2086
  run mmio $command link
  case $err in
    *--create*) not_ok "/tool/${command%% *}/link-to-nowhere-suggests-nothing" "$err" ;;
    *) ended "/tool/${command%% *}/link-to-nowhere-suggests-nothing" 1 "" "link: " ;;
  esac
  # shellcheck disable=SC2086
  run mmio $command --create link
  ended "/tool/${command%% *}/link-to-nowhere-is-an-error" 1 "" "link: is a symbolic link to a file that does not exist"
done
rm link
run mmio copy missing source
case $err in
  *--create*) not_ok /tool/copy/missing-source-suggests-nothing "$err" ;;
  *) ended /tool/copy/missing-source-suggests-nothing 1 "" "missing: " ;;
esac

# Where the locale has no such quotes
if [ "$(printf '“' | LC_ALL=C iconv -f UTF-8 -t ASCII//TRANSLIT 2>/dev/null)" = '"' ]; then
  LC_ALL=C run mmio cat --offset=x greeting
  ended /tool/quotes-in-ascii 2 "" '--offset: "x" is no number of bytes
Try "mmio cat --help".'
else
  skip /tool/quotes-in-ascii "this system's iconv doesn't know what is near to a quote"
fi

# write

printf 'HELLO' > input-5
input=input-5 run mmio write greeting
ended /tool/write/says-nothing 0 "" ""
is /tool/write/at-the-beginning "HELLO world" "$(cat greeting)"
input=input-5 run mmio write --offset 6 greeting
is /tool/write/offset "HELLO HELLO" "$(cat greeting)"
input=input-5 run mmio write --offset=8 greeting
ended /tool/write/past-the-end-is-an-error 1 "" "greeting: offset 8 + length 5 exceeds size 12 (--grow"
is /tool/write/past-the-end-touches-nothing "HELLO HELLO" "$(cat greeting)"
input=input-5 run mmio write --offset=18446744073709551613 --grow greeting
ended /tool/write/offset-that-wraps-is-an-error 1 "" "exceeds size 12"
input=input-5 run mmio write --offset=14 --grow greeting
ended /tool/write/grow 0 "" ""
is /tool/write/grow-leaves-zeros-between "HELLO HELLO
..HELLO" "$(tr '\0' . < greeting)"
input=input-5 run mmio write --append greeting
is /tool/write/append "HELLO HELLO
..HELLOHELLO" "$(tr '\0' . < greeting)"
input=input-5 run mmio write --create new
ended /tool/write/create 0 "" ""
is /tool/write/create-writes "HELLO" "$(cat new)"
input=large run mmio write --create copy
ended /tool/write/large-input 0 "" ""
same /tool/write/large-input-is-all-there large copy
run mmio write greeting
ended /tool/write/no-input-changes-nothing 0 "" ""
input=. run mmio write greeting
ended /tool/write/unreadable-input-is-an-error 1 "" "standard input: "
run mmio write greeting farewell
ended /tool/write/two-files-is-a-usage-error 2 "" "one file"
run mmio write --append --offset=1 greeting
ended /tool/write/append-with-an-offset-is-a-usage-error 2 "" "--append"

# resize

run mmio resize 5 farewell
ended /tool/resize/says-nothing 0 "" ""
is /tool/resize/shrinks "good " "$(cat farewell)"
run mmio resize 1K farewell copy
is /tool/resize/several-files-with-a-suffix "1024 1024" "$(wc -c < farewell) $(wc -c < copy)"
run mmio resize +1KiB farewell
is /tool/resize/by-as-much "2048" "$(wc -c < farewell | tr -d ' ')"
run mmio resize 1KB farewell
is /tool/resize/decimal-suffix "1000" "$(wc -c < farewell | tr -d ' ')"
run mmio resize 0 farewell
is /tool/resize/to-nothing "0" "$(wc -c < farewell | tr -d ' ')"
run mmio resize --create 3M sparse
is /tool/resize/create "3145728" "$(wc -c < sparse | tr -d ' ')"
run mmio resize 8 missing greeting
ended /tool/resize/goes-on-after-a-missing-file 1 "" "missing: "
is /tool/resize/went-on "8" "$(wc -c < greeting | tr -d ' ')"
run mmio resize big greeting
ended /tool/resize/junk-size-is-a-usage-error 2 "" "“big”"
run mmio resize 8
ended /tool/resize/no-file-is-a-usage-error 2 "" "a file is missing"
run mmio resize +18446744073709551615 greeting
case $status in
  1) is /tool/resize/size-that-wraps-is-an-error "8" "$(wc -c < greeting | tr -d ' ')" ;;
  *) not_ok /tool/resize/size-that-wraps-is-an-error "$status $err" ;;
esac

# info

# shellcheck disable=SC2012  # a plain name
inode=$(ls -i greeting | sed 's/^ *\([0-9]*\) .*/\1/')
run mmio info greeting
case "$status $out" in
  "0 greeting
"*"size "*"8
"*"inode "*"$inode"*) ok /tool/info/text ;;
  *) not_ok /tool/info/text "$status $out $err" ;;
esac
chmod 640 greeting
run mmio info --json greeting empty
json_is /tool/info/json "[line['size'] for line in lines] == [8, 0] and lines[0]['mode'] == '0640' and \
lines[0]['inode'] == $inode" < out
run mmio info --watch greeting
case "$status $out" in
  "0 greeting
"*"watched with "*) ok /tool/info/what-it-is-watched-with ;;
  *) not_ok /tool/info/what-it-is-watched-with "$status $out $err" ;;
esac
run mmio info missing greeting
case "$status $out" in
  "1 greeting"*) ok /tool/info/goes-on-after-a-missing-file ;;
  *) not_ok /tool/info/goes-on-after-a-missing-file "$status $out" ;;
esac

# dump

printf 'The quick brown fox\n\000\001\177\200\377 jumps' > fox
run mmio dump fox
ended /tool/dump/hex-and-text 0 "\
00000000  54 68 65 20 71 75 69 63  6b 20 62 72 6f 77 6e 20  |The quick brown |
00000010  66 6f 78 0a 00 01 7f 80  ff 20 6a 75 6d 70 73     |fox...... jumps|
0000001f" ""
if hexdump -C fox > wanted 2>/dev/null; then
  sed 's/[[:space:]]*$//' wanted > trimmed
  same /tool/dump/as-hexdump trimmed out
else
  skip /tool/dump/as-hexdump "no hexdump"
fi
run mmio dump --offset=4 --length=5 fox
ended /tool/dump/range 0 "\
00000004  71 75 69 63 6b                                    |quick|
00000009" ""
run mmio dump --offset=30 --length=2 fox
ended /tool/dump/range-past-the-end-is-an-error 1 "" "fox: offset 30 + length 2 exceeds size 31"
run mmio dump sparse
ended /tool/dump/like-lines-are-one 0 "\
00000000  00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|
*
00300000" ""
run mmio dump --all --length=4K sparse
is /tool/dump/all-lines 257 "$(wc -l < out | tr -d ' ')"
run mmio dump empty source
ended /tool/dump/several-files 0 "\
empty:
00000000

source:
00000000  74 65 78 74                                       |text|
00000004" ""

# find

printf 'abcabcab' > letters
run mmio find abcab letters
ended /tool/find/overlapping-matches 0 "0
3" ""
run mmio find --hex '62 63' letters fox source
ended /tool/find/hex-in-several-files 0 "letters:1
letters:4" ""
run mmio find --hex 7F80ff fox
ended /tool/find/bytes-that-are-no-text 0 "22" ""
run mmio find --count ab letters source
ended /tool/find/count 0 "letters:3
source:0" ""
run mmio find --limit=2 ab letters
ended /tool/find/limit 0 "0
3" ""
run mmio find --offset=1 --length=4 ab letters
ended /tool/find/range 0 "3" ""
run mmio find --json ab letters
json_is /tool/find/json "[(line['file'], line['offset']) for line in lines] == [('letters', 0), ('letters', 3), ('letters', 6)]" < out
run mmio find xyz letters
ended /tool/find/nothing-found-is-status-1 1 "" ""
run mmio find ab missing letters
ended /tool/find/goes-on-after-a-missing-file 1 "letters:0
letters:3
letters:6" "missing: "
run mmio find --hex 'abc' letters
ended /tool/find/half-a-byte-is-a-usage-error 2 "" "“abc”"
run mmio find --hex 'xy' letters
ended /tool/find/junk-hex-is-a-usage-error 2 "" "“xy”"
run mmio find '' letters
ended /tool/find/empty-pattern-is-a-usage-error 2 "" "the pattern is empty"
run mmio find ab
ended /tool/find/no-file-is-a-usage-error 2 "" "a file is missing"

# copy

run mmio copy --from=3 --to=0 --length=4 letters letters
ended /tool/copy/within-a-file 0 "" ""
is /tool/copy/within-a-file-copies "abcabcab" "$(cat letters)"
printf '0123456789' > digits
run mmio copy --from=0 --to=2 --length=6 digits digits
is /tool/copy/ranges-may-overlap "0101234589" "$(cat digits)"
run mmio copy --to=3 source digits
is /tool/copy/between-files "010text589" "$(cat digits)"
run mmio copy --to=8 source digits
ended /tool/copy/past-the-end-is-an-error 1 "" "digits: offset 8 + length 4 exceeds size 10 (--grow"
is /tool/copy/past-the-end-touches-nothing "010text589" "$(cat digits)"
run mmio copy --grow --to=8 source digits
is /tool/copy/grow "010text5text" "$(cat digits)"
run mmio copy --grow --to=9 --length=3 digits digits
is /tool/copy/grow-within-a-file "010text5t010" "$(cat digits)"
run mmio copy --from=11 --length=2 digits letters
ended /tool/copy/range-past-the-sources-end-is-an-error 1 "" "digits: offset 11 + length 2 exceeds size 12"
run mmio copy --to=18446744073709551615 --grow source digits
ended /tool/copy/target-that-wraps-is-an-error 1 "" "digits: "
run mmio copy --create large other
same /tool/copy/create large other
truncate -s 16M sparse
printf data | dd of=sparse bs=1 seek=9000001 conv=notrunc 2> /dev/null
run mmio copy --create --to=100 sparse spread
{ head -c 100 /dev/zero; cat sparse; } > expected
same /tool/copy/sparse expected spread
if [ "$(stat -c %b sparse)" -gt 4096 ]; then
  skip /tool/copy/holes-stay-holes "this file system keeps no holes"
elif [ "$(stat -c %b spread)" -gt 4096 ]; then
  not_ok /tool/copy/holes-stay-holes "$(stat -c %b spread) blocks of 512 bytes"
else
  ok /tool/copy/holes-stay-holes
fi
head -c 10000 large > overwritten
run mmio copy --grow --length=20000 sparse overwritten
head -c 20000 /dev/zero > expected
same /tool/copy/zeros-go-over-what-was-there expected overwritten
rm sparse spread expected overwritten
run mmio copy --create missing another
ended /tool/copy/missing-source-is-an-error 1 "" "missing: "
if [ -e another ]; then
  not_ok /tool/copy/missing-source-makes-no-target "there is a target"
else
  ok /tool/copy/missing-source-makes-no-target
fi
run mmio copy source
ended /tool/copy/no-target-is-a-usage-error 2 "" "a source and a target"
run mmio copy source digits letters
ended /tool/copy/three-files-is-a-usage-error 2 "" "a source and a target"

# counter

run mmio counter --create --add=5 number
ended /tool/counter/create-and-add 0 "5" ""
run mmio counter --add=-7 number
ended /tool/counter/starts-over-below-nothing 0 "18446744073709551614" ""
run mmio counter --add 3 number
ended /tool/counter/starts-over-past-its-end 0 "1" ""
run mmio counter number
ended /tool/counter/print 0 "1" ""
{
  for _ in 1 2 3 4 5 6 7 8 9 10; do mmio counter --add=1 number; done > counts-1 &
  for _ in 1 2 3 4 5 6 7 8 9 10; do mmio counter --add=1 number; done > counts-2
  wait
}
is /tool/counter/each-addition-counts "21" "$(mmio counter number)"
is /tool/counter/no-value-comes-twice "20" "$(sort -u counts-1 counts-2 | wc -l | tr -d ' ')"
run mmio counter --create --offset=8 --add=1 second
ended /tool/counter/create-at-an-offset 0 "1" ""
run mmio counter --offset=8 number
ended /tool/counter/past-the-end-is-an-error 1 "" "number: offset 8 + 1 * 8 bytes exceeds size 8"
run mmio counter --offset=4 second
ended /tool/counter/misaligned-is-an-error 1 "" "second: offset 4"
run mmio counter --create --offset=18446744073709551608 new-number
ended /tool/counter/offset-that-wraps-is-a-usage-error 2 "" "--offset: “18446744073709551608” is too large"
run mmio counter number second
ended /tool/counter/two-files-is-a-usage-error 2 "" "one file"

run mmio counter --create --offset=4 new-number
ended /tool/counter/misaligned-for-a-new-file-is-a-usage-error 2 "" "--offset: a counter stands at a multiple of 8"
is /tool/counter/misaligned-makes-no-file "" "$(ls new-number 2>/dev/null)"

# What a command has made goes again with it where it fails, and nothing else does. Blocks of 512 bytes or of 1 KiB: it depends on the
# shell.

removed="(the new file has been removed again)"
limited () # BLOCKS COMMAND…
{
  # shellcheck disable=SC2016
  sh -c 'ulimit -f "$1" && shift && exec "$@"' sh "$@"
}
for command in "copy --create large" "resize --create 1M"; do
  # shellcheck disable=SC2086
  run limited 1 mmio $command made
  ended "/tool/${command%% *}/failed-says-that-the-new-file-is-removed" 1 "" "$removed"
  is "/tool/${command%% *}/failed-leaves-no-new-file" "" "$(ls made 2>/dev/null)"
  printf 'mine' > made
  # shellcheck disable=SC2086
  run limited 1 mmio $command made
  case $err in
    *"$removed"*) not_ok "/tool/${command%% *}/failed-leaves-a-file-that-was-there" "$err" ;;
    *) is "/tool/${command%% *}/failed-leaves-a-file-that-was-there" "1 mine" "$status $(cat made)" ;;
  esac
  rm -f made
done
input=large run limited 1 mmio write --create made
ended /tool/write/failed-says-that-the-new-file-is-removed 1 "" "$removed"
is /tool/write/failed-leaves-no-new-file "" "$(ls made 2>/dev/null)"
input=. run mmio write --create made
ended /tool/write/unreadable-input-says-that-the-new-file-is-removed 1 "" "standard input: "
is /tool/write/unreadable-input-leaves-no-new-file "" "$(ls made 2>/dev/null)"
input=large run limited 5000 mmio write --create made
ended /tool/write/input-that-arrived-in-part-is-an-error 1 "" "made: "
size=$(wc -c < made | tr -d ' ')
head -c "$size" large > part
is /tool/write/input-that-arrived-in-part-is-in-whole-pieces "0" "$((size % 1048576))"
same /tool/write/input-that-arrived-in-part-stays part made
rm -f made

mkdir small
if unshare -rm mount -t tmpfs -o size=1M tmpfs small 2>/dev/null; then
  # shellcheck disable=SC2016
  run unshare -rm sh -c 'mount -t tmpfs -o size=1M tmpfs small && mmio copy --create large small/made; status=$?; ls small; exit $status'
  ended /tool/copy/full-disk-leaves-no-new-file 1 "" "small/made: no space to write"
  case $err in
    *"$removed"*) ok /tool/copy/full-disk-says-that-the-new-file-is-removed ;;
    *) not_ok /tool/copy/full-disk-says-that-the-new-file-is-removed "$err" ;;
  esac
else
  skip /tool/copy/full-disk-leaves-no-new-file "not allowed to mount a file system here"
  skip /tool/copy/full-disk-says-that-the-new-file-is-removed "not allowed to mount a file system here"
fi

# What is in memory. What the system keeps there is its own affair: tmpfs can't drop anything.

run mmio prefetch large
ended /tool/prefetch/says-nothing 0 "" ""
run mmio prefetch --wait --offset=1M --length=4K large empty
ended /tool/prefetch/range-past-the-end-is-an-error 1 "" "empty: offset 1048576"
# What has just been brought there others may have the system drop at once: then once more.
resident () # OUTPUT COMMAND…
{
  part=$1
  shift
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    mmio prefetch --wait large
    run "$@"
    case $out in *"$part"*) return ;; esac
  done
}
resident '"resident": 9000000' mmio resident --json large
case $err in
  "")
    json_is /tool/resident/all-of-what-was-prefetched "lines[0]['size'] == lines[0]['resident'] == 9000000" < out
    resident 'large  ████████████████████████████████████████  100.0 %' mmio resident large empty
    case "$(sed -n 1p out)" in
      "large  "*"  100.0 %  "*) ok /tool/resident/text ;;
      *) not_ok /tool/resident/text "$out" ;;
    esac
    is /tool/resident/sum-of-several-files "all" "$(sed -n '3s/ .*//p' out)"
    ;;
  *)
    for name in all-of-what-was-prefetched text sum-of-several-files; do
      skip "/tool/resident/$name" "$err"
    done
    ;;
esac
run mmio evict large empty
ended /tool/evict/says-nothing 0 "" ""
same /tool/evict/loses-nothing large other
run mmio lock --timeout=0.05 --length=4K large
case "$status $err" in
  "0 4.0 KiB locked"*) ok /tool/lock/timeout-ends-it ;;
  *limit*|*RLIMIT_MEMLOCK*) skip /tool/lock/timeout-ends-it "$err" ;;
  *) not_ok /tool/lock/timeout-ends-it "$status $err" ;;
esac
chmod 755 .
run sh -c 'ulimit -l 0 && exec setpriv --reuid=65534 --clear-groups mmio lock --timeout=0.05 "$1"' sh "$folder/large"
case "$status $err" in
  "1 mmio lock: "*large*RLIMIT_MEMLOCK*) ok /tool/lock/limit-is-an-error ;;
  *) skip /tool/lock/limit-is-an-error "nobody here whom a limit binds" ;;
esac

# Names that are no plain text

odd=$(printf 'a"b\\c\td\n\377e')
if printf 'odd' > "$odd" 2>/dev/null; then
  run mmio info --json "$odd"
  json_is /tool/names/json-of-a-name-that-is-not-utf8 "len(lines) == 1 and \
__import__('base64').b64decode(lines[0]['file_base64']) == b'a\"b\\\\c\td\n\xffe'" < out
  run mmio cat "$odd"
  ended /tool/names/cat-of-a-name-that-is-not-utf8 0 "odd" ""
  run mmio info "$odd"
  is /tool/names/a-line-break-stays-in-its-line 'a"b\c\x09d\n' "$(head -n 1 out | head -c 12)"
else
  skip /tool/names/json-of-a-name-that-is-not-utf8 "this file system takes no such name"
  odd=
fi
printf 'dash' > -dash
run mmio cat -- -dash
ended /tool/names/after-two-dashes-a-dash-is-a-name 0 "dash" ""

# watch: the events come through a named pipe, so that each can be waited for. The command's own limit ends what would hang.

watch () # OPTION-OR-FILE…: starts it and returns when it is ready
{
  rm -f events
  mkfifo events
  mmio watch --timeout=60 "$@" > events 2> watch-err &
  watcher=$!
  exec 3< events
}

next () # leaves the next line in $line; "" at the end
{
  line=
  IFS= read -r line <&3 || true
}

# Stops the watch that goes on; leaves its exit status in $status
stop () # SIGNAL
{
  kill "-$1" "$watcher"
  wait "$watcher" && status=0 || status=$?
  watcher=
  exec 3<&-
}

# The next event has this name and, if given, this range.
told () # NAME EVENT [OFFSET LENGTH]
{
  next
  case $line in
    *"\"event\": \"$2\""*"\"file\": \"watched\""*"${3:+\"offset\": $3, \"length\": $4\}}"*) ok "$1" ;;
    *) not_ok "$1" "wanted: $2 ${3-} ${4-}
got:    $line
$(cat watch-err)" ;;
  esac
}

# Installed, the test has no configuration to look into, and the system has everything.
lacks () # MACRO
{
  [ -f "${top_builddir:-}/config.h" ] && ! grep -q "^#define $1 1" "$top_builddir/config.h"
}

if lacks HAVE_SYS_INOTIFY_H; then
  skip /tool/watch/each-event "GFileMonitor alone may tell of one change twice, the second time without its range"
else

printf 'one two three\n' > watched
watch --json watched
next
case $line in
  *'"event": "ready", "files": 1}') ok /tool/watch/json-says-when-it-is-ready ;;
  *) not_ok /tool/watch/json-says-when-it-is-ready "$line" ;;
esac
printf 'four\n' >> watched
told /tool/watch/append changed 14 5
if lacks HAVE_FALLOCATE; then
  skip /tool/watch/mapped-write "nothing raises an event here without changing the file"
else
  printf 'ONE' | mmio write watched
  told /tool/watch/mapped-write changed
fi
chmod 600 watched
told /tool/watch/mode metadata
printf 'another one\n' > temporary
mv temporary watched
told /tool/watch/atomic-save replaced
printf 'more\n' >> watched
told /tool/watch/append-after-an-atomic-save changed 12 5
mmio resize 4 watched
told /tool/watch/truncation changed
rm watched
told /tool/watch/removal removed
printf 'back\n' > watched
told /tool/watch/making-it-again replaced
stop INT
is /tool/watch/interrupt-ends-it-in-order "0 " "$status $(cat watch-err)"

watch --json watched
next
stop TERM
is /tool/watch/termination-ends-it-in-order "0" "$status"

watch --json --count=2 watched greeting
next
printf 'x' >> watched
next
first=$line
printf 'y' >> greeting
next
printf '%s\n' "$first" "$line" > out
json_is /tool/watch/several-files "[(line['file'], line['event'], line['length']) for line in lines] == \
[('watched', 'changed', 1), ('greeting', 'changed', 1)]" < out
json_is /tool/watch/times-are-of-the-events "all(abs(line['time_us'] / 1e6 - __import__('time').time()) < 600 for line in lines)" < out
next
wait "$watcher" && status=0 || status=$?
watcher=
is /tool/watch/count-ends-it "0 " "$status $line"
exec 3<&-

if [ -n "$odd" ]; then
  watch --json --count=1 "$odd"
  next
  printf 'x' >> "$odd"
  next
  printf '%s\n' "$line" > out
  json_is /tool/watch/json-of-a-name-that-is-not-utf8 "__import__('base64').b64decode(lines[0]['file_base64'])[-2:] == b'\xffe'" < out
  wait "$watcher"
  watcher=
  exec 3<&-
fi

# The bytes of the range; one that is found while the file still changes may be larger than what changed.
printf 'one two three\n' > located
watch --json --locate located
next
printf 'TWO' | mmio write --offset=4 located
next
printf '%s\n' "$line" > out
printf 'a new file\n' > temporary
mv temporary located
next
printf '%s\n' "$line" >> out
next
printf '%s\n' "$line" >> out
printf 'b' | dd of=located bs=1 seek=2 conv=notrunc 2> /dev/null
next
printf '%s\n' "$line" >> out
stop INT
json_is /tool/watch/locate-shows-the-bytes "lines[0]['offset'] <= 4 and \
__import__('base64').b64decode(lines[0]['data_base64'])[4 - lines[0]['offset']:].startswith(b'TWO')" < out
json_is /tool/watch/locate-goes-on-with-the-new-file "[line['event'] for line in lines[1:]] == ['replaced', 'changed', 'changed'] and \
lines[3]['offset'] <= 2 and __import__('base64').b64decode(lines[3]['data_base64'])[2 - lines[3]['offset']:].startswith(b'b')" < out

mkfifo located-events said-2
mmio watch --timeout=60 --locate --count=1 located > located-events 2> said-2 &
watcher=$!
exec 3< located-events 4< said-2
IFS= read -r line <&4
head -c 300 /dev/zero | tr '\0' z >> located
cat <&3 > out
wait "$watcher"
watcher=
exec 3<&- 4<&-
is /tool/watch/locate-shows-the-beginning "\
    0000000b  7a 7a 7a 7a 7a 7a 7a 7a  7a 7a 7a 7a 7a 7a 7a 7a  |zzzzzzzzzzzzzzzz|
    *
    … and 44 bytes more" "$(sed 1d out)"

# A pattern: files that come and go
mkdir logs
printf 'old\n' > logs/a.log
printf 'text\n' > logs/b.txt
: > logs/.c.log
watch --json --stats 'logs/*.log'
next
case $line in
  *'"event": "ready", "files": 1}') ok /tool/watch/pattern-takes-what-matches ;;
  *) not_ok /tool/watch/pattern-takes-what-matches "$line" ;;
esac
told_of () # NAME EVENT FILE
{
  next
  case $line in
    *"\"event\": \"$2\", \"file\": \"$3\""*) ok "$1" ;;
    *) not_ok "$1" "wanted: $2 $3
got:    $line" ;;
  esac
}
printf 'x' >> logs/a.log
told_of /tool/watch/pattern-file-that-was-there changed logs/a.log
printf 'x' >> logs/b.txt
: > logs/d.log
told_of /tool/watch/pattern-file-that-comes created logs/d.log
printf 'x' >> logs/d.log
told_of /tool/watch/pattern-change-of-a-file-that-came changed logs/d.log
mv logs/b.txt logs/b.log
told_of /tool/watch/pattern-file-that-is-renamed-to-match created logs/b.log
rm logs/d.log
told_of /tool/watch/pattern-file-that-goes removed logs/d.log
: > logs/d.log
told_of /tool/watch/pattern-file-that-comes-again created logs/d.log
printf 'new\n' > logs/temporary
mv logs/temporary logs/a.log
told_of /tool/watch/pattern-file-that-is-replaced replaced logs/a.log
kill -INT "$watcher"
next
printf '%s\n' "$line" > out
json_is /tool/watch/stats "lines[0]['event'] == 'stats' and [lines[0][name] for name in \
('events', 'changed', 'created', 'removed', 'replaced', 'metadata', 'lost')] == [7, 2, 3, 1, 1, 0, 0] and \
lines[0]['latency_us_p50'] <= lines[0]['latency_us_p99'] <= lines[0]['latency_us_max']" < out
wait "$watcher" && status=0 || status=$?
watcher=
exec 3<&-
is /tool/watch/stats-come-with-an-interrupt 0 "$status"
run mmio watch --timeout=0.05 --stats 'logs/*.log'
ended /tool/watch/stats-as-text 0 "" "0 events in "
# It is made again while its removal is being said: the line doesn't fit into the pipe.
if [ -z "$python" ]; then
  skip /tool/watch/pattern-file-that-comes-again-at-once "no Python to make a pipe small with"
elif message=$("$python" -c '
import fcntl, json, os, select, subprocess, sys
source, target = os.pipe()
try:
    fcntl.fcntl(target, 1031, 4096)  # F_SETPIPE_SZ
except OSError:
    pass
prefix = "logs" + "/" * 4000
path = prefix + "d.log"
watcher = subprocess.Popen(["mmio", "watch", "--json", "--timeout=60", prefix + "*.log"], stdout=target)
os.close(target)
lines = os.fdopen(source, "rb", buffering=0)
def hear():
    event = json.loads(lines.readline())
    return event["event"] if event.get("file") in (None, path) else event["event"] + " of " + event["file"]
events = [hear()]
os.remove("logs/d.log")
select.select([source], [], [])
open("logs/d.log", "w").close()
events += [hear(), hear()]
os.chmod("logs/d.log", 0o600)
events.append(hear())
watcher.kill()
watcher.wait()
if events != ["ready", "removed", "created", "metadata"]:
    sys.exit(str(events))' 2>&1); then
  ok /tool/watch/pattern-file-that-comes-again-at-once
else
  not_ok /tool/watch/pattern-file-that-comes-again-at-once "$message"
fi
run mmio watch --timeout=60 'missing/*.log'
ended /tool/watch/pattern-in-a-missing-folder-is-an-error 1 "" "missing"
run mmio watch --timeout=60 'logs/*.png' missing
ended /tool/watch/pattern-with-nothing-yet-is-none 1 "" "missing: "

# Text: standard error says when it is ready
rm -f said
mkfifo said events-2
mmio watch --timeout=60 --count=2 watched > events-2 2> said &
watcher=$!
exec 3< events-2 4< said
IFS= read -r line <&4
is /tool/watch/text-says-when-it-is-ready "Watching 1 file; Ctrl-C ends." "$line"
printf 'z' >> watched
next
case $line in
  [0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]"  watched  changed   offset 6  length 1")
    ok /tool/watch/text ;;
  *) not_ok /tool/watch/text "$line" ;;
esac
rm watched
next
case $line in
  [0-2][0-9]:*"  watched  removed") ok /tool/watch/text-without-a-range ;;
  *) not_ok /tool/watch/text-without-a-range "$line" ;;
esac
wait "$watcher"
watcher=
exec 3<&- 4<&-

# What is run when a file has settled
printf 'a' > settling
watch --json --settle=0.05 --count=2 --exec "cp {} 'copy of {}'" settling
next
printf 'b' >> settling
next
next
case $line in
  *'"event": "settled", "file": "settling"}') ok /tool/watch/settled-comes-after-the-change ;;
  *) not_ok /tool/watch/settled-comes-after-the-change "$line $(cat watch-err)" ;;
esac
wait "$watcher" && status=0 || status=$?
watcher=
exec 3<&-
is /tool/watch/exec-is-waited-for "0 ab" "$status $(cat 'copy of settling')"

# While somebody has it open for writing, it has not settled.
watch --json --settle=0.02 --count=3 settling
next
exec 5>> settling
printf 'w' >&5
next
# ten times as long as it takes to settle
run mmio watch --timeout=0.2 settling
printf 'w' >&5
next
exec 5>&-
case $line in
  *'"event": "changed"'*) ok /tool/watch/not-settled-with-a-writer ;;
  *) not_ok /tool/watch/not-settled-with-a-writer "$line" ;;
esac
next
case $line in
  *'"event": "settled"'*) ok /tool/watch/settled-without-the-writer ;;
  *) not_ok /tool/watch/settled-without-the-writer "$line" ;;
esac
wait "$watcher"
watcher=
exec 3<&-

# Who wants to write waits until it has been said.
printf 'leased\n' > leased
if lacks HAVE_DECL_F_SETLEASE; then
  run mmio watch --lease leased
  ended /tool/watch/lease 1 "" "this system has no leases"
else
  watch --json --lease --count=2 leased
  next
  printf 'x' >> leased
  next
  case $line in
    *'"event": "about-to-change", "file": "leased"}') ok /tool/watch/lease ;;
    *) not_ok /tool/watch/lease "$line $(cat watch-err)" ;;
  esac
  next
  case $line in
    *'"event": "changed", "file": "leased", "offset": 7, "length": 1}') ok /tool/watch/changed-comes-after-it ;;
    *) not_ok /tool/watch/changed-comes-after-it "$line" ;;
  esac
  wait "$watcher"
  watcher=
  exec 3<&-
  exec 5>> leased
  run mmio watch --lease leased
  ended /tool/watch/no-lease-beside-a-writer 1 "" "somebody has it open for writing"
  exec 5>&-
fi

# A shell would take this name apart; --exec does not.
if [ -n "$odd" ]; then
  watch --json --settle=0.02 --count=2 --exec 'cp {} "copy of an odd name"' "$odd"
  next
  printf 'y' >> "$odd"
  wait "$watcher"
  watcher=
  exec 3<&-
  same /tool/watch/exec-takes-the-path-as-it-is "$odd" "copy of an odd name"
fi

watch --json --settle=0.02 --count=2 --exec 'false {}' settling
next
printf 'd' >> settling
wait "$watcher" && status=0 || status=$?
watcher=
exec 3<&-
case "$status $(cat watch-err)" in
  "0 "*"settling: false: "*) ok /tool/watch/command-that-fails-is-told ;;
  *) not_ok /tool/watch/command-that-fails-is-told "$(cat watch-err)" ;;
esac
# Which command it is can only be known then.
watch --json --settle=0.02 --count=2 --exec "'$folder/{}'" settling
next
printf 'e' >> settling
wait "$watcher" && status=0 || status=$?
watcher=
exec 3<&-
case "$status $(cat watch-err)" in
  "1 mmio watch: settling: "*"$folder/settling"*) ok /tool/watch/command-that-cannot-be-run-is-an-error ;;
  *) not_ok /tool/watch/command-that-cannot-be-run-is-an-error "$status $(cat watch-err)" ;;
esac
for command in no-such-command ./no-such-command ./greeting .; do
  run mmio watch --timeout=60 --exec "$command {}" greeting
  ended "/tool/watch/exec-of-no-program-is-an-error-at-once/$command" 1 "" "mmio watch: --exec: $command: "
done
run mmio watch --exec "unclosed '" greeting
ended /tool/watch/exec-that-is-no-command-is-a-usage-error 2 "" "--exec: "

fi # HAVE_SYS_INOTIFY_H

run mmio watch --timeout=0.05 greeting
ended /tool/watch/timeout-ends-it 0 "" "Watching 1 file"
run mmio watch --timeout=0.05 --count=3 greeting
ended /tool/watch/timeout-before-the-count-is-an-error 1 "" "0 of 3 events"
run mmio watch --timeout=60 greeting missing
ended /tool/watch/one-missing-file-is-an-error 1 "" "missing: "

first=$( { { mmio watch --timeout=60 greeting 2>/dev/null; echo $? >&4; } | true; } 4>&1)
is /tool/watch/ends-when-its-reader-goes-away 0 "$first"

echo "1..$number"
exit $failed
