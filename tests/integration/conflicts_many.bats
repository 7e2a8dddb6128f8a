#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Conflict detection by many at once, on one host and on two; where nobody can be asked; and hooks that
# are ended while they wait.

load lib.bash
load conflicts.bash

setup_file() {
	lab_setup_file
}

# --- many at once ---

# A second host on the LAN: the namespace NAME, whose eth0 is the parent; its RUN is of its own.
host_hook() { # NETNS RUN ID PID [KEY=VALUE]...
	local netns=$1 run=$2 id=$3 pid=$4
	shift 4

	state_json creating "$id" "$pid" io.oci-macvlan.networks=macvlan0 "$@" |
		ip netns exec "$netns" "$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$run" createRuntime
}

# One a line; none where there is no eth0.
all_addresses() { # PID
	{ addresses "$1" eth0 2>/dev/null || true; } | tr ' ' '\n'
}

host2_add() {
	ip netns add host2
	ip -n host2 link add eth0 type veth peer name p-host2 netns router
	ip -n router link set p-host2 master lan up
	ip -n host2 link set eth0 up
	wait_until port_forwards p-host2
}

port_forwards() { # PORT
	[ "$(ip -n router -j -d link show dev "$1" | jq -r '.[0].linkinfo.info_slave_data.state')" = forwarding ]
}

# How many of two containers have it.
holders() { # CIDR PID PID
	{ all_addresses "$2" && all_addresses "$3"; } | grep -cxF "$1" || true
}

@test "two hosts that ask for the same address at nearly the same time: one gets it" {
	local one other n=0 pause have got=0

	host2_add
	for pause in 0 0.05 0.15 0.19 0.25 0; do
		n=$((n + 1))
		sleeper_start
		one=$SLEEPER
		sleeper_start
		other=$SLEEPER
		(sleep "$pause" && host_hook host2 "$BATS_TEST_TMPDIR/run2" "b$n" "$other" \
			"io.oci-macvlan.ip=10.0.0.4$n") 2>"$BATS_TEST_TMPDIR/err2" 3>&- &
		attach "a$n" "$one" macvlan0 "io.oci-macvlan.ip=10.0.0.4$n" 2>"$BATS_TEST_TMPDIR/err" || true
		wait "$!" || true
		have=$(holders "10.0.0.4$n/24" "$one" "$other")
		[ "$have" -le 1 ] || fail "both have it with $pause s between"
		assert_eq $((2 - have)) "$(cat "$BATS_TEST_TMPDIR/err" "$BATS_TEST_TMPDIR/err2" |
			grep -cF "10.0.0.4$n")" "told so"
		got=$((got + have))
	done
	# Where a link takes its time, who heard the other meanwhile gives up, too.
	[ "$got" -ge 4 ] || fail "of 6 addresses nobody got $((6 - got))"
	sleepers_stop
	cli gc >/dev/null
	ip netns del host2
}

@test "two hosts that ask for the same IPv6 address at once: one at most gets it" {
	local one other n

	host2_add
	for n in 1 2 3; do
		sleeper_start
		one=$SLEEPER
		sleeper_start
		other=$SLEEPER
		host_hook host2 "$BATS_TEST_TMPDIR/run2" "b$n" "$other" \
			"io.oci-macvlan.ip6=2001:db8:babe:cafe::4$n" 2>/dev/null 3>&- &
		attach "a$n" "$one" macvlan0 "io.oci-macvlan.ip6=2001:db8:babe:cafe::4$n" 2>/dev/null || true
		wait "$!" || true
		[ "$(holders "2001:db8:babe:cafe::4$n/64" "$one" "$other")" -le 1 ] || fail "both have it"
	done
	sleepers_stop
	cli gc >/dev/null
	ip netns del host2
}

@test "two hosts that ask for any addresses at once get others" {
	local one other

	host2_add
	sleeper_start
	one=$SLEEPER
	sleeper_start
	other=$SLEEPER
	host_hook host2 "$BATS_TEST_TMPDIR/run2" b "$other" 3>&- &
	attach a "$one" macvlan0
	wait "$!"
	has_link "$one" eth0
	has_link "$other" eth0
	assert_eq 4 "$({ all_addresses "$one" && all_addresses "$other"; } | sort -u | wc -l)"
	sleepers_stop
	cli gc >/dev/null
	ip netns del host2
}

@test "an address is defended while another network of the container still waits" {
	local one other

	host2_add
	network_dual '{"name": "slow", "conflict_detection_ms": 1500, "subnets": [{"subnet": "10.9.0.0/24"}]}'
	sleeper_start
	one=$SLEEPER
	sleeper_start
	other=$SLEEPER
	state_json creating a "$one" \
		'io.oci-macvlan.networks=[{"name": "macvlan0", "ips": ["10.0.0.44"]}, {"name": "slow"}]' \
		>"$BATS_TEST_TMPDIR/state"
	hook createRuntime <"$BATS_TEST_TMPDIR/state" 3>&- &
	# Its own trial is over by then; its link is not made yet.
	(sleep 0.6 && host_hook host2 "$BATS_TEST_TMPDIR/run2" b "$other" io.oci-macvlan.ip=10.0.0.44) \
		2>"$BATS_TEST_TMPDIR/err2" 3>&- &
	wait
	assert_eq 1 "$(holders 10.0.0.44/24 "$one" "$other")" "have it"
	sleepers_stop
	cli gc >/dev/null
	ip netns del host2
}

@test "50 at once wait about as long as one" {
	local pids=() i start ms

	for i in {1..50}; do
		sleeper_start
		pids+=("$SLEEPER")
		state_json creating "m$i" "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/m$i"
	done
	start=$(date +%s%N)
	for i in {1..50}; do
		hook createRuntime <"$BATS_TEST_TMPDIR/m$i" 3>&- &
	done
	wait
	ms=$((($(date +%s%N) - start) / 1000000))
	for i in {0..49}; do
		addresses "${pids[i]}" eth0
	done >"$BATS_TEST_TMPDIR/all"
	assert_eq 50 "$(grep -o '10\.0\.0\.[0-9]*' "$BATS_TEST_TMPDIR/all" | sort -u | wc -l)"
	assert_eq 50 "$(grep -o '2001:[^ ]*' "$BATS_TEST_TMPDIR/all" | sort -u | wc -l)"
	assert_eq 0 "$(find "$RUN/pools" -lname '.conflict/*' | wc -l)" "taken for strangers"
	echo "# 50 at once: $ms ms" >&3
	[ "$ms" -lt 4000 ] || fail "50 took $ms ms"
}

# --- where nobody can be asked ---

@test "a parent without a carrier: nobody is asked, and the container starts" {
	network_dual '{"conflict_detection_ms": 1000}'
	ip -n router link set port0 down
	attach_timed c0
	ip -n router link set port0 up
	[ "$MS" -lt 900 ] || fail "it waited $MS ms"
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	wait_until can_ping "$SLEEPER" 10.0.0.1
	release c0
}

@test "two networks of one container wait together" {
	network_dual '{"conflict_detection_ms": 1000}'
	network_dual '{"name": "second", "conflict_detection_ms": 1000, "subnets": [{"subnet": "10.9.0.0/24"}]}'
	sleeper_start
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0,second >"$BATS_TEST_TMPDIR/state"
	start=$(date +%s%N)
	hook createRuntime <"$BATS_TEST_TMPDIR/state"
	ms=$((($(date +%s%N) - start) / 1000000))
	[ "$ms" -lt 1900 ] || fail "it took $ms ms"
	assert_addresses "$SLEEPER" eth1 10.9.0.1/24
	release c0
}

# Starts an attach that waits for 5 s, and is at it when this returns: its pid is in HOOK.
hook_start() { # ID
	network_dual '{"conflict_detection_ms": 5000}'
	sleeper_start
	state_json creating "$1" "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime <"$BATS_TEST_TMPDIR/state" \
		2>"$BATS_TEST_TMPDIR/err" 3>&- &
	HOOK=$!
	wait_until hook_waits
}

# It has claimed an address, and is in a namespace that is neither the host's nor the container's.
hook_waits() {
	local netns

	netns=$(readlink "/proc/$HOOK/ns/net")
	[ -L "$RUN/pools/eth0/10.0.0.3" ] && [ "$netns" != "$(readlink /proc/self/ns/net)" ] &&
		[ "$netns" != "$(readlink "/proc/$SLEEPER/ns/net")" ]
}

@test "ended while it waits, it leaves nothing" {
	hook_start c0
	kill -TERM "$HOOK"
	refute wait "$HOOK"
	assert_contains "$(cat "$BATS_TEST_TMPDIR/err")" "signal 15"
	assert_eq "" "$(links "$SLEEPER")"
	assert_run_empty
}

@test "killed while it waits: nothing is in the container, and gc frees what it had" {
	hook_start c0
	kill -KILL "$HOOK"
	refute wait "$HOOK"
	assert_eq "" "$(links "$SLEEPER")"
	assert_contains "$(cli gc)" "killed half-way"
	assert_run_empty
}
