#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The demonstration: it shows every event, and it fails where one does not come.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
demo=${top_builddir:?}/tools/demo
failed=0

# The demonstration's own temporary folder goes below this one.
mkdir "$folder/tmp"
status=0
TMPDIR=$folder/tmp "$demo" > "$folder/out" 2>&1 || status=$?
events=$(grep -cE ' (changed|metadata|removed|replaced) .* (µs|us|ms)$' "$folder/out")
if ! grep -q '^#define HAVE_FALLOCATE 1' "$top_builddir/config.h"; then
  echo "ok 1 - /demo/shows-every-event # SKIP nothing raises an event for a flush here without changing the file"
elif [ "$status" -eq 0 ] && [ "$events" -ge 8 ] && grep -q 'each heard' "$folder/out"; then
  echo "ok 1 - /demo/shows-every-event"
else
  failed=1
  sed 's/^/# /' "$folder/out"
  echo "not ok 1 - /demo/shows-every-event"
fi

if grep -q "$(printf '\033')" "$folder/out"; then
  failed=1
  echo "not ok 2 - /demo/no-colours-where-there-is-no-terminal"
else
  echo "ok 2 - /demo/no-colours-where-there-is-no-terminal"
fi

left=$(ls -A "$folder/tmp")
if [ -z "$left" ]; then
  echo "ok 3 - /demo/leaves-nothing-behind"
else
  failed=1
  echo "# left: $left"
  echo "not ok 3 - /demo/leaves-nothing-behind"
fi

# A watch that is deaf: it is ready and says no more.
mkdir "$folder/deaf"
printf '#!/bin/sh\necho '\''{"time_us": 1, "event": "ready"}'\''\n' > "$folder/deaf/mmio"
chmod +x "$folder/deaf/mmio"
status=0
TMPDIR=$folder/tmp PATH=$folder/deaf:$PATH "$demo" > "$folder/out" 2>&1 || status=$?
if [ "$status" -eq 1 ] && grep -q '8 of 8 acts went unheard' "$folder/out"; then
  echo "ok 4 - /demo/fails-where-an-event-does-not-come"
else
  failed=1
  sed 's/^/# /' "$folder/out"
  echo "not ok 4 - /demo/fails-where-an-event-does-not-come"
fi

echo "1..4"
exit $failed
