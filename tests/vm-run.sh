#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/vm-run.sh [-m MEMORY] [-t SECONDS] [-w DIR]... COMMAND [ARG...]
#
# Runs COMMAND as root under another kernel: User-Mode Linux (Debian's package user-mode-linux, 6.1)
# on the machine's own root file system, with a tmpfs over it that takes every change. The command's
# output is passed on, its exit status is ours; 125: the kernel did not run, 124: too slow.
# Needs no KVM, no disk image and no network. DIR is a folder that the command can really write to.
#
# UML has one CPU and is slow, and AddressSanitizer does not run in it.

set -u

memory=512M
limit=300
writable=()
while getopts +m:t:w: option; do
	case $option in
	m) memory=$OPTARG ;;
	t) limit=$OPTARG ;;
	w) writable+=("$(realpath "$OPTARG")") ;;
	*) exit 125 ;;
	esac
done
shift $((OPTIND - 1))
if [ $# -eq 0 ]; then
	echo "usage: $0 [-m MEMORY] [-t SECONDS] [-w DIR]... COMMAND [ARG...]" >&2
	exit 125
fi

here=$(dirname "$(realpath "$0")")
kernel=/usr/bin/linux.uml
if [ ! -x "$kernel" ]; then
	echo "$0: no $kernel: install user-mode-linux" >&2
	exit 125
fi
# Not below /run: the guest has a /run of its own, and must find what we put here.
work=$(TMPDIR=/tmp mktemp -d) || exit 125
trap 'rm -rf "$work"' EXIT
mkdir "$work/out" "$work/uml"
: >"$work/out/log"

# The command as a script, with our environment and working folder.
{
	printf 'cd %q || exit 125\n' "$PWD"
	export -p | grep -vE ' (TMPDIR|TERM|SHLVL|PWD|OLDPWD|LD_PRELOAD|_)='
	printf 'exec'
	printf ' %q' "$@"
	echo
} >"$work/command"
printf '%s\n' "${writable[@]}" >"$work/writable"

# The guest's first process. Its root is the host's, read only; the real work is in a chroot of an
# overlay. Files that the kernel under test has as modules are loaded from the package's folder.
cat >"$work/init" <<'INIT'
#!/bin/bash
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
work=$(dirname "$0")
root=/mnt/root
version=$(uname -r)
modules=/usr/lib/uml/modules/$version

power_off() {
	sync
	echo o >/proc/sysrq-trigger
	sleep 10
}
die() {
	echo "vm-run: $*"
	power_off
}
insmod_any() {
	if [ -x /sbin/insmod ]; then /sbin/insmod "$1"; else busybox insmod "$1"; fi
}
modprobe_any() {
	if [ -x /sbin/modprobe ]; then set -- /sbin/modprobe "$@"; else set -- busybox modprobe "$@"; fi
	chroot $root "$@"
}

mount -n -t proc proc /proc
mount -n -t tmpfs tmpfs /mnt || die "cannot mount a tmpfs"
mkdir -p /mnt/upper /mnt/work $root
insmod_any "$modules/kernel/fs/overlayfs/overlay.ko" || die "cannot load overlay.ko"
mount -n -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay $root ||
	die "cannot mount the overlay"
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t devtmpfs dev $root/dev
ln -sfn /proc/self/fd $root/dev/fd
mkdir -p $root/dev/shm
mount -t tmpfs shm $root/dev/shm
mount -t tmpfs run $root/run
mkdir -p $root/run/netns $root/run/lock $root/run/tmp
mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
mkdir -p "$root$work"
mount -t hostfs -o "$work/out" none "$root$work" || die "cannot mount the output folder"
while read -r dir; do
	[ -n "$dir" ] || continue
	mkdir -p "$root$dir"
	mount -t hostfs -o "$dir" none "$root$dir" || die "cannot mount $dir"
done <"$work/writable"
cp "$work/command" $root/run/command
mkdir -p "$root/lib/modules/$version"
mount --bind "$modules" "$root/lib/modules/$version"
for module in ipv6 af_packet macvlan ipvlan veth bridge dummy 8021q tun bonding vrf; do
	case $module in # the tests make their own
	dummy) parameter=numdummies=0 ;;
	bonding) parameter=max_bonds=0 ;;
	*) parameter= ;;
	esac
	# shellcheck disable=SC2086 # no word where there is no parameter
	modprobe_any $module $parameter || echo "vm-run: no module $module"
done
ip link set lo up
chroot $root /bin/bash /run/command </dev/null >"$root$work/log" 2>&1
echo $? >"$root$work/status"
power_off
INIT
chmod +x "$work/init"

preload=
if grep -qw amx_tile /proc/cpuinfo; then
	preload=$work/umlxstate.so
	"${CC:-cc}" -D_GNU_SOURCE -O2 -shared -fPIC -o "$preload" "$here/umlxstate.c" || exit 125
fi
LD_PRELOAD=$preload timeout -k 5 "$limit" "$kernel" "mem=$memory" root=/dev/root \
	rootfstype=hostfs rootflags=/ ro init="$work/init" con=null con0=null,fd:1 ssl=null quiet \
	umid=vm uml_dir="$work/uml" </dev/null >>"$work/console" 2>&1 &
pid=$!
tail -n +1 -s 0.1 -f --pid=$pid "$work/out/log"
wait "$pid"
status=$?
if [ -s "$work/out/status" ]; then
	exit "$(cat "$work/out/status")"
fi
echo "$0: no status from the guest (the kernel's: $status); its console ends with" >&2
tail -n 30 "$work/console" >&2
[ "$status" -ne 124 ] || exit 124
exit 125
