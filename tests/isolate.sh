#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/isolate.sh [-t SECONDS] COMMAND [ARG...]
#
# Runs COMMAND as root on "a machine of its own": new network, mount and pid namespaces, an empty
# tmpfs as /run (TMPDIR is in it), lo up and nothing else. When COMMAND ends, or after SECONDS,
# every process, namespace, interface and file that it made there is gone.
#
# OCI_MACVLAN_CGROUP is the cgroup that containers belong below (config.json's cgroupsPath).

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# /sys as seen from the new network namespace, with the cgroups of the old mount. crun refuses a
# tree where both cgroup versions have controllers; without the second version's mount it is happy.
mount_sys() {
	mkdir /run/cgroup
	mount --rbind /sys/fs/cgroup /run/cgroup
	umount -l /sys
	mount -t sysfs sysfs /sys
	mount --move /run/cgroup /sys/fs/cgroup
	rmdir /run/cgroup
	if mountpoint -q /sys/fs/cgroup/unified; then
		umount -l /sys/fs/cgroup/unified
	fi
}

inside() {
	local limit=$1 status=0
	shift

	umask 022 # what tests make is root's alone, and so is believed
	mount -t tmpfs -o mode=755 tmpfs /run
	mkdir -p /run/lock /run/netns /run/tmp
	mount_sys
	ip link set lo up
	export OCI_MACVLAN_ISOLATED=1 TMPDIR=/run/tmp
	# Not exec: this shell is pid 1 and reaps what the runtimes leave behind.
	timeout -k 5 "$limit" "$@" || status=$?
	exit "$status"
}

# A cgroup can be removed as soon as the last killed process has left it.
remove_cgroups() {
	local tries

	for tries in {1..50}; do
		find /sys/fs/cgroup -depth -type d -path "*/$OCI_MACVLAN_CGROUP*" \
			-exec rmdir {} + 2>/dev/null || true
		[ -n "$(find /sys/fs/cgroup -type d -name "$OCI_MACVLAN_CGROUP")" ] || return 0
		sleep 0.1
	done
	echo "$0: cannot remove the cgroup $OCI_MACVLAN_CGROUP after $tries tries" >&2
}

if [ "${1-}" = --inside ]; then
	shift
	inside "$@"
fi

limit=600
if [ "${1-}" = -t ]; then
	limit=$2
	shift 2
fi
if [ $# -eq 0 ]; then
	echo "usage: $0 [-t SECONDS] COMMAND [ARG...]" >&2
	exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "$0: containers and namespaces need root: run it as root" >&2
	exit 1
fi

export OCI_MACVLAN_CGROUP=oci-macvlan-test-$$
status=0
unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
	"$0" --inside "$limit" "$@" || status=$?
remove_cgroups
exit "$status"
