#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/run.sh BUILD
#
# Runs every test: the unit programs of BUILD and of a build with sanitizers, the schema corpus, the
# fuzz corpora, the integration tests. Each is a group that speaks TAP; two run at a time. Prints a
# line a group, what failed, and last "N passed, N failed, N skipped". Fails when a test failed, a
# group crashed, ran too long or did not do what it had planned, or nothing ran.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")/.."

build=$(realpath "${1:?usage: $0 BUILD}")
plain=$PWD/build
san=$PWD/build-san
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

if [ "$(id -u)" -ne 0 ]; then
	echo "$0: the integration tests make namespaces and containers: run it as root" >&2
	exit 1
fi

# Reads TAP, prints the failures with what follows them, and writes "passed failed skipped".
tap_count() { # GROUP STATUS COUNTFILE
	awk -v group="$1" -v status="$2" -v counts="$3" '
		function failure(text) { failed++; printf "not ok   %s: %s\n", group, text }
		/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; has_plan = 1; shown = 0; next }
		/^ok .*# *[Ss][Kk][Ii][Pp]/ { ran++; shown = 0; skipped++; print "skipped  " group ": " $0; next }
		/^ok / { ran++; shown = 0; passed++; next }
		/^not ok / { ran++; shown = 1; sub(/^not ok [0-9]* *-? */, ""); failure($0); next }
		/^Bail out!/ { failure($0); shown = 1; next }
		{ if (shown) print "         " $0; else last = $0 }
		END {
			end = "exit status " status " " last
			if (!has_plan) failure("no plan, " end)
			else if (planned != ran) failure("planned " planned ", ran " ran + 0 ", " end)
			else if (status != 0 && failed == 0) failure(end)
			printf "%d %d %d\n", passed, failed, skipped > counts
		}'
}

# A group: runs COMMAND and prints its part of the report in one piece.
run_group() { # GROUP COMMAND...
	local group=$1 file=$logs/${1//\//_} status=0 start passed failed skipped
	shift

	start=$(date +%s%N)
	"$@" </dev/null >"$file.tap" 2>&1 || status=$?
	tap_count "$group" "$status" "$file.count" <"$file.tap" >"$file.report"
	read -r passed failed skipped <"$file.count"
	printf '%-8s %-28s %4d tests %6d ms\n' "$([ "$failed" -eq 0 ] && echo ok || echo FAILED)" \
		"$group" $((passed + failed + skipped)) $((($(date +%s%N) - start) / 1000000)) >>"$file.report"
	cat "$file.report"
}

# Two at a time: starts GROUP when there is room.
start_group() { # GROUP COMMAND...
	while [ "$(jobs -rp | wc -l)" -ge 2 ]; do
		wait -n || true
	done
	run_group "$@" &
}

# The sanitizers' build is a test of its own: it has to build.
build_san() {
	echo 1..1
	if env -u MAKEFLAGS -u MAKELEVEL -u SAN make -s SAN=1 all unit; then
		echo "ok 1 - builds with ASan and UBSan"
	else
		echo "not ok 1 - builds with ASan and UBSan"
	fi
}

build_plain() {
	echo 1..1
	if env -u MAKEFLAGS -u MAKELEVEL -u SAN make -s all tools; then
		echo "ok 1 - builds"
	else
		echo "not ok 1 - builds"
	fi
}

# On a machine of its own; uml.bats under another kernel, where sanitizers do not run.
integration() { # BUILD FILE
	if [ "$2" = uml ]; then
		tests/vm-run.sh -t 500 env OCI_MACVLAN_BUILD="$plain" OCI_MACVLAN_ISOLATED=1 \
			TMPDIR=/run/tmp bats --tap "tests/integration/$2.bats"
		return
	fi
	tests/isolate.sh -t 500 env OCI_MACVLAN_BUILD="$1" \
		bats --tap "tests/integration/$2.bats"
}

unit_groups() { # PREFIX BUILD
	local program

	for program in tests/unit/test_*.c; do
		program=$(basename "$program" .c)
		start_group "$1/$program" timeout -k 5 300 "$2/unit/$program"
	done
}

[ "$build" = "$plain" ] || start_group build build_plain
[ "$build" = "$san" ] || start_group build-san build_san
wait

# The long ones first.
for file in uml podman races containerd pods; do
	[ -e "tests/integration/$file.bats" ] || continue
	start_group "integration/$file" integration "$build" "$file"
done
for file in tests/integration/*.bats; do
	file=$(basename "$file" .bats)
	case $file in
	uml | podman | races | containerd | pods) ;;
	*) start_group "integration/$file" integration "$build" "$file" ;;
	esac
done
[ "$build" = "$san" ] || start_group integration-san/input integration "$san" input
unit_groups unit "$build"
[ "$build" = "$san" ] || unit_groups unit-san "$san"
start_group schema/agree timeout -k 5 300 tests/schema/agree.py "$build"
start_group fuzz/replay timeout -k 5 300 tests/fuzz/run.sh replay
start_group layers tests/layers.sh
start_group readme timeout -k 5 300 tests/readme.sh "$build"
wait

read -r passed failed skipped < <(cat "$logs"/*.count |
	awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
