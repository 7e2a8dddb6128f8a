#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/systemd-run.sh [-m MEMORY] [-t SECONDS] [-w DIR]... COMMAND [ARG...]
#
# Runs COMMAND as root where systemd is the init: in tests/vm-run.sh, whose options these are, as the
# only service of a systemd that is pid 1 of a pid namespace. Output and exit status are passed on.
#
# systemctl, and systemd-run but for --wait and --pipe, need no D-Bus: they ask /run/systemd/private.
# There is no udev, no journal and no login; cgroups are version 2. None of the machine's units is
# there: what a unit needs by default (sysinit.target) would clean /tmp, mount and load things.

set -euo pipefail

# Here: the options are vm-run's.
if [ "${1-}" != --inside ]; then
	options=()
	while [[ ${1-} == -[mtw] ]]; do
		options+=("$1" "${2-}")
		shift 2
	done
	if [ $# -eq 0 ]; then
		echo "usage: $0 [-m MEMORY] [-t SECONDS] [-w DIR]... COMMAND [ARG...]" >&2
		exit 125
	fi
	if [ ! -x /lib/systemd/systemd ]; then
		echo "$0: no /lib/systemd/systemd: install systemd" >&2
		exit 125
	fi
	exec "$(dirname "$0")/vm-run.sh" "${options[@]}" "$0" --inside "$@"
fi
shift

# There: a service has an environment, a folder and an output of its own; it gets ours.
work=$(mktemp -d /run/systemd-run.XXXXXX)
mkfifo "$work/output"
{
	printf 'cd %q || exit 125\n' "$PWD"
	export -p | grep -vE ' (TERM|SHLVL|PWD|OLDPWD|_)='
	printf 'exec </dev/null >%q 2>&1' "$work/output"
	printf ' %q' "$@"
	echo
} >"$work/command"
units=/run/systemd/system
mkdir -p "$units"
for target in sysinit basic shutdown; do
	printf '[Unit]\nDefaultDependencies=no\n' >"$units/$target.target"
done
cat >"$units/command.service" <<UNIT
[Unit]
DefaultDependencies=no
SuccessAction=exit-force
FailureAction=exit-force

[Service]
Type=oneshot
ExecStart=/bin/bash $work/command
UNIT

# cgroups are mounted again: the root of the mount is the one of the new cgroup namespace.
cat >"$work/init" <<'INIT'
umount /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
exec env -i PATH="$PATH" container=oci-macvlan-test \
	SYSTEMD_UNIT_PATH=/run/systemd/transient:/run/systemd/system \
	/lib/systemd/systemd --system --unit=command.service --log-target=console \
	--log-level=warning --show-status=no
INIT

cat "$work/output" &
status=0
unshare --mount --pid --fork --kill-child --mount-proc --cgroup --propagation private \
	/bin/bash "$work/init" || status=$?
# For cat to see an end also when the command was never started.
: <>"$work/output"
wait
exit "$status"
