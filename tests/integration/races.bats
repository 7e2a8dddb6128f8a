#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Many at once, calls that come late, and processes that are killed in the middle.

load lib.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dual
}

teardown() {
	lab_teardown
}

# Starts the hook in the background, without a shell around it: its pid in HOOK_PID.
hook_start() { # STAGE STATE-FILE
	"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" "$1" \
		<"$2" >>"$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
	HOOK_PID=$!
}

# The same, many at once: one for each id; fails when one of them does.
hooks_at_once() { # STAGE ID...
	local stage=$1 id pid pids=() status=0
	shift

	for id in "$@"; do
		hook_start "$stage" "$BATS_TEST_TMPDIR/$stage-$id"
		pids+=("$HOOK_PID")
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	[ $status -eq 0 ] || cat "$BATS_TEST_TMPDIR/log"
	return $status
}

# Makes COUNT sleepers c1, c2, ... and the states that a runtime would send for them.
sleepers_start() { # COUNT
	local n

	ids=()
	for ((n = 1; n <= $1; n++)); do
		sleeper_start
		ids+=("c$n")
		state_json creating "c$n" "$SLEEPER" io.oci-macvlan.networks=macvlan0 \
			>"$BATS_TEST_TMPDIR/createRuntime-c$n"
		state_json stopped "c$n" 0 >"$BATS_TEST_TMPDIR/poststop-c$n"
	done
	mapfile -t pids <"$SLEEPERS"
}

# Each of the sleepers has addresses of its own, which are claimed, and nothing else is claimed.
assert_all_attached() {
	local pid all

	all=$(for pid in "${pids[@]}"; do
		addresses "$pid" eth0 | tr ' ' '\n' | sed 's,/.*,,'
	done | sort)
	assert_eq $((2 * ${#pids[@]})) "$(sort -u <<<"$all" | wc -l)" "different addresses"
	assert_eq "$(paste -sd ' ' <<<"$all")" "$(claims | tr ' ' '\n' | sort | paste -sd ' ')"
}

@test "64 containers at once, and 64 poststops" {
	sleepers_start 64
	hooks_at_once createRuntime "${ids[@]}"
	assert_all_attached
	can_ping "${pids[0]}" 10.0.0.1
	can_ping "${pids[63]}" 2001:db8:babe:cafe::1
	sleepers_stop
	hooks_at_once poststop "${ids[@]}"
	assert_run_empty
}

@test "64 hooks at once on a RUN of an earlier boot" {
	sleeper_start
	attach old "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.200
	sleepers_stop
	echo 00000000-0000-0000-0000-000000000000 >"$RUN/boot"
	sleepers_start 64
	hooks_at_once createRuntime "${ids[@]}"
	assert_all_attached
	refute test -e "$RUN/containers/old.json"
	assert_eq "boot containers dhcp dns lock netns pools returns" "$(find "$RUN" -mindepth 1 -maxdepth 1 \
		! -name errors -printf '%f\n' | sort | paste -sd ' ')" "RUN"
}

@test "64 hooks at once for one container" {
	sleepers_start 1
	mapfile -t same < <(yes c1 | head -n 64)
	hooks_at_once createRuntime "${same[@]}"
	assert_all_attached
	assert_eq eth0 "$(links "${pids[0]}")"
}

@test "one place in the pool, 32 that want it: one has it" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.64/32"}]}'
	sleepers_start 32
	refute hooks_at_once createRuntime "${ids[@]}" >/dev/null
	assert_eq 10.0.0.64 "$(claims)"
	owner=$(claim_owner 10.0.0.64)
	id=${owner%/eth0}
	assert_addresses "${pids[${id#c} - 1]}" eth0 10.0.0.64/24
	assert_eq "$id.json" "$(ls "$RUN/containers")"
}

# 32 that come at the same time, into a pool where 32 have to go. There are so many others that each
# looks for those while the others do.
assert_all_find_room() {
	sleeper_start
	"$BUILD/crash/many" "$RUN" eth0 "$SLEEPER" live=2000
	sleepers_start 32
	hooks_at_once createRuntime "${ids[@]}"
	mapfile -t pids < <(tail -n 32 "$SLEEPERS")
	for pid in "${pids[@]}"; do
		addresses "$pid" eth0
	done | sort | uniq -c | awk '{ print $1, $2 }' | sort >"$BATS_TEST_TMPDIR/given"
	assert_eq 32 "$(grep -c '^1 10.0.0' "$BATS_TEST_TMPDIR/given")" "addresses of 32 containers"
	assert_eq 32 "$(claims | tr ' ' '\n' | grep -c '^10\.0\.0')" "claims"
	assert_eq 32 "$(find "$RUN/containers" -type f ! -name 'live-*' | wc -l)" "records"
}

@test "a pool full of 32 dead ones, and 32 that want it: all have an address" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.64/27"}]}'
	for ((n = 1; n <= 32; n++)); do
		sleeper_start
		attach "old$n" "$SLEEPER" macvlan0
	done
	sleepers_stop
	assert_all_find_room
}

@test "a pool full of 32 attaches that were killed half-way, and 32 that want it" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.64/27"}]}'
	sleeper_start
	attach first "$SLEEPER" macvlan0
	release first
	for ((n = 1; n <= 32; n++)); do
		sleeper_start
		attach_killed "old$n" "$SLEEPER" renameat 2 2>/dev/null
	done
	assert_eq 32 "$(claims | wc -w)" "claims"
	mapfile -t killed <"$SLEEPERS"
	assert_all_find_room
	for pid in "${killed[@]}"; do
		[ ! -d "/proc/$pid" ] || assert_eq "" "$(links "$pid")"
	done
}

@test "six poststops at once, one of them still at work when the id is back" {
	state_json stopped c0 0 >"$BATS_TEST_TMPDIR/poststop"
	for ((round = 0; round < 12; round++)); do
		sleeper_start
		attach c0 "$SLEEPER" macvlan0
		sleeper_stop "$SLEEPER"
		hook_start poststop "$BATS_TEST_TMPDIR/poststop"
		late=$HOOK_PID
		sleep "0.00$((round % 6))"
		kill -STOP "$late" 2>/dev/null || true
		others=()
		for _ in 1 2 3 4 5; do
			hook_start poststop "$BATS_TEST_TMPDIR/poststop"
			others+=("$HOOK_PID")
		done
		sleeper_start
		state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/new"
		hook_start createRuntime "$BATS_TEST_TMPDIR/new"
		again=$HOOK_PID
		# A late one that was stopped with the lock in its hand blocks the others: let it go on.
		WAIT_SECONDS=1 wait_until process_gone "$again" 2>/dev/null || true
		kill -CONT "$late" 2>/dev/null || true
		wait "$again"
		for pid in "$late" "${others[@]}"; do
			wait "$pid"
		done
		assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
		assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
		release c0
		assert_run_empty
	done
}

# Holds every lock of RUN until the file "go" is there, and says by "held" that it does.
locks_hold() {
	rm -f "$BATS_TEST_TMPDIR/"{held,go}
	python3 -c 'import fcntl, os, sys, time
lock = open(sys.argv[1], "r+")
fcntl.lockf(lock, fcntl.LOCK_EX)
open(sys.argv[2] + "/held", "w").close()
while not os.path.exists(sys.argv[2] + "/go"): time.sleep(0.01)
' "$RUN/lock" "$BATS_TEST_TMPDIR" 3>&- &
	wait_until test -e "$BATS_TEST_TMPDIR/held"
}

waits_for_lock() { # PID
	grep -qE 'lk|lock' "/proc/$1/wchan"
}

# Of a runtime that was killed: its hook has begun, and its container ends before it comes further.
@test "an attach whose init dies while it waits for its lock makes nothing" {
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	release c1
	before=$(stat -c %y "$RUN/pools/eth0")
	sleeper_start
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	locks_hold
	hook_start createRuntime "$BATS_TEST_TMPDIR/state"
	wait_until waits_for_lock "$HOOK_PID"
	sleeper_stop "$SLEEPER"
	touch "$BATS_TEST_TMPDIR/go"
	refute wait "$HOOK_PID"
	assert_contains "$(<"$BATS_TEST_TMPDIR/log")" "(pid $SLEEPER) is dead"
	# Not even for a while: a claim would have changed its pool.
	assert_eq "$before" "$(stat -c %y "$RUN/pools/eth0")" "changed"
	assert_run_empty
}

@test "a poststop whose state comes after the id is back" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	hook poststop <"$BATS_TEST_TMPDIR/fifo" >/dev/null 2>&1 3>&- &
	late=$!
	exec 9>"$BATS_TEST_TMPDIR/fifo"
	release c0 9>&-
	sleeper_start 9>&-
	attach c0 "$SLEEPER" macvlan0 9>&-
	state_json stopped c0 0 >&9
	exec 9>&-
	wait "$late"
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
}

@test "kill -9 of the hook at any moment, then gc: nothing is left" {
	for ((round = 0; round < 60; round++)); do
		sleeper_start
		state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
		hook_start createRuntime "$BATS_TEST_TMPDIR/state"
		sleep "0.00$((round % 10))"
		kill -KILL "$HOOK_PID" 2>/dev/null || true
		wait "$HOOK_PID" 2>/dev/null || true
		ip netns attach kept "$SLEEPER"
		sleeper_stop "$SLEEPER"
		cli gc >/dev/null
		assert_run_empty
		assert_eq lo "$(ip -n kept -j link | jq -r 'map(.ifname) | join(" ")')" "links after gc"
		ip netns del kept
	done
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	can_ping "$SLEEPER" 10.0.0.1
}

@test "kill -9 of the hook at any moment, then attach again: all is well" {
	for ((round = 0; round < 30; round++)); do
		sleeper_start
		state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
		hook_start createRuntime "$BATS_TEST_TMPDIR/state"
		sleep "0.00$((round % 10))"
		kill -KILL "$HOOK_PID" 2>/dev/null || true
		wait "$HOOK_PID" 2>/dev/null || true
		attach c0 "$SLEEPER" macvlan0
		assert_eq eth0 "$(links "$SLEEPER")"
		assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
		assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
		assert_default "$SLEEPER" 6 "2001:db8:babe:cafe::1 eth0"
		assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
		release c0
		assert_run_empty
	done
}

@test "gc, ps and attach at once: the living are untouched" {
	sleepers_start 16
	for _ in 1 2 3 4; do
		for ((n = 0; n < 10; n++)); do
			cli gc
			cli ps
		done >/dev/null 2>"$BATS_TEST_TMPDIR/gc-errors" 3>&- &
	done
	hooks_at_once createRuntime "${ids[@]}"
	wait
	assert_all_attached
	assert_eq "" "$(cat "$BATS_TEST_TMPDIR/gc-errors")"
}

# --- the same with real runtimes ---

# A first hook that waits until the file "go" is in the bundle, and says by "blocked" that it does.
# shellcheck disable=SC2016 # expanded by the hook's own shell
BLOCKER='{path: "/bin/sh", timeout: 60, args: ["sh", "-c",
	"cat >/dev/null; echo $$ >blocked; until [ -e go ]; do sleep 0.02; done"]}'

runtime_use() { # RUNTIME
	RT=$1
	RT_ROOT=$BATS_TEST_TMPDIR/$1
	mkdir -p "$RT_ROOT"
}

# Starts a create in the background, waits until it is in the blocking hook, and kills -9 it there.
create_and_kill() { # ID
	"$RT" --root "$RT_ROOT" create --bundle "$BUNDLES/$1" --pid-file "$BUNDLES/$1/pid" "$1" \
		</dev/null >"$BUNDLES/$1/out" 2>&1 3>&- &
	creator=$!
	wait_until test -s "$BUNDLES/$1/blocked"
	kill -KILL "$creator"
	wait "$creator" 2>/dev/null || true
}

orphan_after_attach() { # RUNTIME
	runtime_use "$1"
	bundle_make c0 -a io.oci-macvlan.networks=macvlan0 -j ".hooks.createRuntime += [$BLOCKER]"
	create_and_kill c0
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	rt_delete c0 2>/dev/null || true
	rm "$BUNDLES/c0/blocked"
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	touch "$BUNDLES/c0/go"
	assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	can_ping "$(container_pid c0)" 10.0.0.1
	rt_delete c0
	rm "$BUNDLES/c0/go"
	assert_run_empty
}

@test "kill -9 of runc after our createRuntime, then re-create at once" {
	orphan_after_attach runc
}

@test "kill -9 of crun after our createRuntime, then re-create at once" {
	orphan_after_attach crun
}

# The hook itself is the orphan: it starts when its runtime is dead and the id is being re-created.
orphan_hook() { # RUNTIME
	runtime_use "$1"
	bundle_make c0 -a io.oci-macvlan.networks=macvlan0 -j '.hooks.createRuntime[0] |=
		(.args = ["sh", "-c", "cat >state; echo $$ >blocked; until [ -e go ]; do sleep 0.01; done
			\"$@\" <state >orphan 2>&1; touch done", "sh", .path] + .args[1:] | .path = "/bin/sh")'
	create_and_kill c0
	rt_delete c0 2>/dev/null || true
	old=$(jq .pid "$BUNDLES/c0/state")
	touch "$BUNDLES/c0/go"
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	wait_until test -e "$BUNDLES/c0/done"
	wait_until process_gone "$old"
	pid=$(container_pid c0)
	assert_addresses "$pid" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_eq eth0 "$(links "$pid")"
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	can_ping "$pid" 10.0.0.1
	rt_delete c0
	rm "$BUNDLES/c0/"{go,done,blocked}
	assert_run_empty
}

@test "an orphaned createRuntime of runc beside the re-created container" {
	for _ in 1 2 3; do
		orphan_hook runc
	done
}

@test "an orphaned createRuntime of crun beside the re-created container" {
	for _ in 1 2 3; do
		orphan_hook crun
	done
}

six_deletes() { # RUNTIME
	runtime_use "$1"
	for _ in 1 2 3; do
		container_run c0 -a io.oci-macvlan.networks=macvlan0
		deletes=()
		for _ in 1 2 3 4 5 6; do
			rt delete --force c0 >/dev/null 2>&1 3>&- &
			deletes+=($!)
		done
		wait_until rt_is_unknown c0
		container_run c0 -a io.oci-macvlan.networks=macvlan0 || container_retry c0
		cat "$RUN/errors" || true
		for delete in "${deletes[@]}"; do
			wait "$delete" || true
		done
		if rt state c0 >/dev/null 2>&1; then
			assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
			rt_delete c0
		else
			# A delete that was late took the state of the new container, and not its life.
			kill -KILL "$(container_pid c0)" 2>/dev/null || true
			wait_until process_gone "$(container_pid c0)"
			cli gc
		fi
		assert_run_empty
	done
}

rt_is_unknown() { # ID
	refute rt state "$1"
} >/dev/null 2>&1

# One of the six deletes caught the new container while it was being made: once they are done, no
# other can.
container_retry() { # ID
	for delete in "${deletes[@]}"; do
		wait "$delete" || true
	done
	rt delete --force "$1" 2>/dev/null || true
	container_run "$1" -a io.oci-macvlan.networks=macvlan0
}

@test "six deletes of a runc container at once, and the id again" {
	six_deletes runc
}

@test "six deletes of a crun container at once, and the id again" {
	six_deletes crun
}

@test "sixteen real containers at once" {
	creators=()
	for ((n = 0; n < 16; n++)); do
		if ((n % 2)); then runtime_use crun; else runtime_use runc; fi
		bundle_make "c$n" -a io.oci-macvlan.networks=macvlan0
		rt_create "c$n" >/dev/null &
		creators+=($!)
	done
	for creator in "${creators[@]}"; do
		wait "$creator"
	done
	pids=()
	for ((n = 0; n < 16; n++)); do
		pids+=("$(container_pid "c$n")")
	done
	assert_all_attached
}
