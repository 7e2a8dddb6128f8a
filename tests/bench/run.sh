#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/run.sh BUILD [quick]
#
# Puts all questions, each on tests/isolate.sh's empty machine, and reports: BUILD/bench/raw has what
# was measured, BUILD/bench/results results.md, and for each question a CSV and a plot. With "quick",
# fewer rounds, and without the peers.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")/../.."

build=$(realpath "${1:?usage: $0 BUILD [quick]}")
raw=$build/bench/raw
results=$build/bench/results
export OCI_MACVLAN_BUILD=$build

if [ "$(id -u)" -ne 0 ]; then
	echo "$0: the benchmark makes namespaces and containers: run it as root" >&2
	exit 1
fi
rm -rf "$raw" "$results"
mkdir -p "$raw"

# The version of a Debian package, or of nothing.
version_of() { # PACKAGE
	dpkg-query -W -f '${Package} ${Version}\n' "$1" 2>/dev/null || true
}

describe_machine() {
	local package

	sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | sort | uniq -c |
		sed 's/^ *\([0-9]*\) /\1 x /'
	echo "Linux $(uname -r) $(uname -m), $(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)"
	# A hypervisor makes what traps into it slow; the C library's start does (CPUID).
	grep -qw hypervisor /proc/cpuinfo && echo "a virtual machine"
	for package in libc6 gcc libyajl2 libmnl0 iproute2 netavark containernetworking-plugins crun \
		runc podman; do
		version_of "$package"
	done
	echo "oci-macvlan $(git describe --always --dirty 2>/dev/null || echo "not from git")"
}

# Puts a question; COMMAND prepares what it needs.
ask() { # QUESTION ROUNDS [COMMAND]
	local start=$SECONDS result=

	printf '%-20s' "$1"
	# shellcheck disable=SC2016 # expanded where BENCH_DIR is known
	tests/isolate.sh -t 400 tests/bench/lab.sh ${3+"$3"} sh -c \
		'exec "$0/bench/bench" "$0" tests/bench "$BENCH_DIR" "$@"' "$build" "$1" "$2" \
		>"$raw/$1.csv" || result=" FAILED"
	printf '%4d s%s\n' $((SECONDS - start)) "$result"
	[ -z "$result" ] || failed+=("$1")
}

# The programs themselves, without libraries. A shell is no program of the contestant's own.
measure_binaries() {
	local name path

	while read -r name path; do
		[ ! -e "$path" ] ||
			echo "memory,binary,$name,0,$(($(stat -Lc %s "$path") / 1024)),0"
	done <<-EOF
		floor $build/bench/floor
		ours $build/bench/stripped
		netavark /usr/lib/podman/netavark
		cni /usr/lib/cni/macvlan
		host-local /usr/lib/cni/host-local
	EOF
}

failed=()
describe_machine >"$raw/machine.txt"
if [ "${2-}" = quick ]; then
	ask attach-quick 250
	ask parallel-quick 3
	ask allocation-quick 0
else
	ask attach 150
	ask dual 5
	ask detach-gone 100
	ask detach-alive 40
	ask endpoints 40
	ask parallel 4
	ask allocation 5
	ask memory 3
	strip -o "$build/bench/stripped" "$build/oci-macvlan-hook"
	measure_binaries >>"$raw/memory.csv"
	ask runtimes 60 tests/bench/bundles.sh
	if tests/bench/docker.sh "$build"; then
		ask containers 15 tests/bench/engines.sh
	else
		failed+=(containers)
	fi
fi
tests/bench/report.py "$raw" "$results"
sed -n '/^| claim/,/^$/p' "$results/results.md"
echo "$results/results.md"
if [ ${#failed[@]} -gt 0 ]; then
	echo "$0: failed: ${failed[*]}" >&2
	exit 1
fi
