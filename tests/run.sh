#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/run.sh BUILD [crash | soak SECONDS]
#
# Runs every test: the unit programs of BUILD and of a build with sanitizers, the schema corpus, the
# fuzz corpora, the integration tests, a sample of the crash tests, the benchmark's gate, 60 s of the
# storm. With "crash", all of the crash tests and nothing else; with "soak", the storm for so long.
#
# Each is a group that speaks TAP; two run at a time. Prints a line a group, what failed, figures, and
# last "N passed, N failed, N skipped". Fails when a test failed, a group crashed, ran too long or did
# not do what it had planned, or nothing ran.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")/.."

build=$(realpath "${1:?usage: $0 BUILD [crash | soak SECONDS]}")
what=${2-check}
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
		/^ok / { ran++; shown = 0; passed++; before = ""; next }
		/^not ok / {
			ran++; shown = 1
			sub(/^not ok [0-9]* *-? */, "")
			failure($0)
			printf "%s", before
			before = ""
			next
		}
		/^Bail out!/ { failure($0); shown = 1; next }
		shown { print "         " $0; next }
		/^#/ { before = before "         " $0 "\n" } # what a crash test says comes before
		{ last = $0 }
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

# As many as JOBS at a time: starts GROUP when there is room.
jobs=2
start_group() { # GROUP COMMAND...
	while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
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
	if env -u MAKEFLAGS -u MAKELEVEL -u SAN make -s all tools crash bench-programs; then
		echo "ok 1 - builds"
	else
		echo "not ok 1 - builds"
	fi
}

# The programs of 0.1.0, for versions*.bats. Without its commit those tests are skipped.
build_old() {
	local status=0 said

	echo 1..1
	said=$(tests/old-version.sh) || status=$?
	case $status in
	0) echo "ok 1 - builds version 0.1.0" ;;
	3) echo "ok 1 - builds version 0.1.0 # skip $said" ;;
	*) echo "not ok 1 - builds version 0.1.0" ;;
	esac
}

# Files that need another kernel than the machine's (an older one, or one with VLANs), or a systemd.
uml_files='uml vlan dhcp_systemd'
is_uml() { # FILE
	[[ " $uml_files " == *" $1 "* ]]
}

# On a machine of its own; some under User-Mode Linux, where sanitizers do not run.
integration() { # BUILD FILE
	local runner=tests/vm-run.sh

	[[ $2 != *_systemd ]] || runner=tests/systemd-run.sh
	if is_uml "$2"; then
		"$runner" -t 2400 env OCI_MACVLAN_BUILD="$plain" OCI_MACVLAN_ISOLATED=1 \
			TMPDIR=/run/tmp bats --tap "tests/integration/$2.bats"
		return
	fi
	tests/isolate.sh -t 1500 env OCI_MACVLAN_BUILD="$1" \
		bats --tap "tests/integration/$2.bats"
}

unit_groups() { # PREFIX BUILD
	local program

	for program in tests/unit/test_*.c; do
		program=$(basename "$program" .c)
		start_group "$1/$program" timeout -k 5 300 "$2/unit/$program"
	done
}

# A crash test on a machine of its own. Sanitizers make system calls of their own and are none of
# this: it is always the plain build's.
start_crash() { # LIMIT-SECONDS PROGRAM STEP OFFSET [SCENARIO]
	start_group "crash/$2 ${*:3}" tests/isolate.sh -t "$1" tests/crash/lab.sh \
		"$plain/crash/$2" "$plain" "${@:3}"
}

# One in so many pairs of a system call and what happens there; another sample each time.
crash_sample() {
	start_crash 2000 kill 25 $((RANDOM % 25)) -DHCP
	start_crash 2000 fault 12 $((RANDOM % 12)) -DHCP
	# Each waits for a server.
	start_crash 2000 kill 150 $((RANDOM % 150)) DHCP
	start_crash 2000 fault 150 $((RANDOM % 150)) DHCP
	start_crash 2000 reboot 60 $((RANDOM % 60))
}

# All of them, in parts. They wait most of the time, so many run at once.
crash_all() {
	local program part

	jobs=6
	for program in kill fault reboot; do
		for part in {0..5}; do
			start_crash 7000 "$program" 6 "$part"
		done
	done
	wait
	jobs=2
}

# Has bounds on time, and so the machine for itself: nothing else runs meanwhile.
run_alone() { # GROUP COMMAND...
	wait
	run_group "$@"
}

storm() { # SECONDS
	run_alone "crash/storm $1" tests/isolate.sh -t $(($1 + 400)) tests/crash/storm.sh "$plain" "$1"
}

check() {
	[ "$build" = "$plain" ] || start_group build build_plain
	[ "$build" = "$san" ] || start_group build-san build_san
	start_group build-old build_old
	wait
	check_groups
	crash_sample
	run_alone bench/gate tests/bench/gate.sh "$plain"
	run_alone integration/healing integration "$build" healing
	storm 60
}

check_groups() {
	local file

	# The long ones first.
	# shellcheck disable=SC2086 # words
	for file in $uml_files podman races containerd pods dhcp_changes shared versions unreadable; do
		[ -e "tests/integration/$file.bats" ] || continue
		start_group "integration/$file" integration "$build" "$file"
	done
	for file in tests/integration/*.bats; do
		file=$(basename "$file" .bats)
		is_uml "$file" || case $file in
		podman | races | containerd | pods | dhcp_changes | shared | versions | unreadable | healing) ;;
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
}

# What the crash tests counted: "# sum N WHAT" is added up, of "# max N WHAT" the largest is said.
print_figures() {
	cat "$logs"/*.tap | awk '
		/^# sum / { n = $3; sub(/^# sum [^ ]* /, ""); sum[$0] += n }
		/^# max / { n = $3; sub(/^# max [^ ]* /, ""); if (n > max[$0]) max[$0] = n }
		END {
			for (what in sum) printf "%10d %s\n", sum[what], what
			for (what in max) printf "%10d %s (the largest)\n", max[what], what
		}' | sort -k 2
}

case $what in
check) check ;;
crash)
	crash_all
	storm 300
	;;
soak) storm "${3:?usage: $0 BUILD soak SECONDS}" ;;
*)
	echo "usage: $0 BUILD [crash | soak SECONDS]" >&2
	exit 2
	;;
esac
wait

print_figures
read -r passed failed skipped < <(cat "$logs"/*.count |
	awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }')
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
