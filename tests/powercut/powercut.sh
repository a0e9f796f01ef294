#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A power cut, really: records are written and flushed inside a virtual machine, whose process on the host is killed without warning at
# a random moment. After the next start every record that a flush had acknowledged has to be there.
#
# What it shows: that a flush brings the bytes, the size and the name out of the machine, through its page cache, its file system's
# journal and its disk's queue. All of those are lost at the cut, and that they are is checked too, by what was written
# and not flushed. What it can't show: that the host's own disk keeps its word, since the host goes on running.
#
#   CUTS                    how many (20)
#   MMIO_POWERCUT_KERNEL    a kernel for the machine that has ext4, NVMe and a serial line built in, as Debian's linux-image-cloud-amd64
set -u

cuts=${CUTS:-20}
guest=$top_builddir/tests/powercut/powercut-guest

skip () { echo "1..0 # SKIP $*"; exit 0; }
# No test of the promise, but nothing that it could be tested with: so an error and not a skip.
die () { echo "Bail out! $*"; exit 1; }

qemu=$(command -v qemu-system-x86_64) || skip "qemu-system-x86_64 is not installed"
busybox=$(command -v busybox) || skip "busybox-static is not installed"
command -v cpio >/dev/null || skip "cpio is not installed"
mkfs=$(PATH=$PATH:/usr/sbin:/sbin command -v mkfs.ext4) || skip "e2fsprogs is not installed"
[ "$(uname -m)" = x86_64 ] || skip "the machine is an x86_64"
if ldd "$busybox" >/dev/null 2>&1; then
  skip "busybox is not a static one"
fi

# Built in, since the machine has no modules.
has_drivers ()
{
  config=$(dirname "$1")/config-${1##*/vmlinuz-}
  [ -r "$config" ] && grep -q '^CONFIG_EXT4_FS=y' "$config" && grep -q '^CONFIG_BLK_DEV_NVME=y' "$config"
}
kernel=${MMIO_POWERCUT_KERNEL:-}
if [ -z "$kernel" ]; then
  for candidate in /boot/vmlinuz-*; do
    if [ -r "$candidate" ] && has_drivers "$candidate"; then
      kernel=$candidate
    fi
  done
fi
[ -n "$kernel" ] || skip "no kernel with ext4 and NVMe built in, as in linux-image-cloud-amd64"

folder=$(mktemp -d "${TMPDIR:-/tmp}/mmio-powercut-XXXXXX") || exit 1
machine=
clean_up ()
{
  [ -z "$machine" ] || kill -9 "$machine" 2>/dev/null
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

make_initramfs ()
{
  root=$folder/root
  mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/disk" "$root/tmp"
  cp "$busybox" "$root/bin/busybox"
  cp "$guest" "$root/powercut-guest"
  for library in $(ldd "$guest" | grep -o '/[^ ]*'); do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
  done
  cat > "$root/init" <<'END'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs dev /dev 2>/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do
  [ -b /dev/nvme0n1 ] && break
  /bin/busybox sleep 0.2
done
/bin/busybox mount -t ext4 /dev/nvme0n1 /disk || echo "failed: mount"
life=$(/bin/busybox sed 's/.*life=\([0-9]*\).*/\1/' /proc/cmdline)
/powercut-guest /disk "$life"
/bin/busybox poweroff -f
END
  chmod +x "$root/init"
  (cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) > "$folder/initramfs"
}

start_machine ()
{
  : > "$folder/said"
  "$qemu" -accel "$accelerator" -m 256 -nodefaults -display none -no-reboot -serial stdio \
    -kernel "$kernel" -initrd "$folder/initramfs" -append "console=ttyS0 quiet panic=-1 life=$1" \
    -drive "file=$folder/disk,format=raw,if=none,id=disk,cache=writeback" -device nvme,drive=disk,serial=mmio \
    > "$folder/said" 2> "$folder/errors" </dev/null &
  machine=$!
}

# Lines that have come whole, without the serial line's carriage returns.
said () { tr -d '\r' < "$folder/said" | sed '$!b
/^ack [0-9]*$/d' | grep -aE "^$1" ; }

# wait_for WHAT SECONDS: until the machine has said it
wait_for ()
{
  tries=0
  until said "$1" >/dev/null; do
    tries=$((tries + 1))
    if said failed >/dev/null || ! kill -0 "$machine" 2>/dev/null || [ $tries -gt $(($2 * 20)) ]; then
      return 1
    fi
    sleep 0.05
  done
}

# Far longer than a slow machine takes.
expect ()
{
  wait_for "$1" 120 && return
  sed 's/^/# /' "$folder/said" "$folder/errors"
  die "the machine did not say $1"
}

# A machine whose kernel stands still or ends before it has said a word has not touched the disk: emulated ones do, now and then. Once.
come_up ()
{
  start_machine "$1"
  if ! wait_for 'have [0-9]' 60 && ! [ -s "$folder/said" ]; then
    echo "# the machine said nothing: it is started once more"
    cut
    start_machine "$1"
  fi
  expect 'have [0-9]'
}

cut ()
{
  kill -9 "$machine" 2>/dev/null
  wait "$machine" 2>/dev/null
  machine=
}

make_disk ()
{
  rm -f "$folder/disk"
  truncate -s 64M "$folder/disk" && "$mkfs" -q -F "$folder/disk" || die "could not make the disk"
}

make_initramfs
make_disk

# There may be a /dev/kvm that no machine comes up with.
accelerator=tcg
if [ -w /dev/kvm ]; then
  accelerator=kvm
  start_machine 0
  wait_for 'have [0-9]' 15 || accelerator=tcg
  cut
  make_disk
fi
echo "# with $accelerator"

echo "1..$((cuts + 1))"
acknowledged=0 lost=0 failed=0
life=0
while [ "$life" -le "$cuts" ]; do
  come_up "$life"
  expect 'ack [0-9]+'
  if [ "$life" -gt 0 ]; then
    have=$(said 'have [0-9]' | sed 's/have //')
    if [ "$have" -ge "$acknowledged" ]; then
      echo "ok $life - after cut $life all $acknowledged acknowledged records are there"
    else
      echo "not ok $life - after cut $life there are $have records, and $acknowledged had been acknowledged"
      failed=1
    fi
    if said lost >/dev/null; then
      lost=$((lost + 1))
    fi
  fi
  # At any moment of the writing.
  sleep "$(awk -v seed="$(od -An -N4 -tu4 /dev/urandom)" 'BEGIN { srand (seed); printf "%.3f", rand () * 0.6 }')"
  cut
  acknowledged=$(($(said 'ack [0-9]+' | tail -n 1 | sed 's/ack //') + 1))
  life=$((life + 1))
done

echo "# $cuts cuts, $acknowledged records acknowledged; what was not flushed was lost $lost times"
if [ "$lost" -gt 0 ]; then
  echo "ok $((cuts + 1)) - a cut loses what was not flushed"
else
  echo "not ok $((cuts + 1)) - a cut loses what was not flushed"
  failed=1
fi
exit $failed
