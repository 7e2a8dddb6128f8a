#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# IPv6 by router advertisements from a router that tells all what one has asked (BIRD, as many real
# ones), a while later where it has just done so, and also unasked. dnsmasq, in ra.bats, answers at once,
# and only who has asked.

load lib.bash
load ra.bash

setup_file() {
	lab_setup_file
	router_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	kill "$(cat "$BATS_FILE_TMPDIR/pid")"
	wait_until router_ended
}

setup() {
	lab_setup
	network_ra '{"conflict_detection_ms": 200}'
}

teardown() {
	lab_teardown
}

router_start() { # DIR
	ip netns exec router sysctl -q net.ipv6.conf.all.forwarding=1
	wait_until router_settled
	cat >"$1/conf" <<-END
		router id 10.0.0.1;
		protocol device { }
		protocol radv {
			interface "lan" {
				min ra interval 3;
				max ra interval 4;
				min delay 1;
				prefix ${LAN_PREFIX6}:/64 { };
			};
		}
	END
	ip netns exec router "$REPO/build/bird2/usr/sbin/bird" -f -c "$1/conf" -s "$1/socket" -P "$1/pid" \
		>"$1/log" 2>&1 3>&- &
	disown
	wait_until test -s "$1/pid"
}

# It removes its file last.
router_ended() {
	[ ! -e "$BATS_FILE_TMPDIR/pid" ]
}

@test "an address each time, whoever hears the router first" {
	for id in c0 c1 c2 c3; do
		attach_new "$id"
		[[ $(usable "$SLEEPER") == 2001:db8:babe:cafe:*/64 ]] || fail "no address for $id"
		assert_eq "$(usable "$SLEEPER")" "$(recorded "$id")" "in the record"
		can_ping "$SLEEPER" "${LAN_PREFIX6}:1"
	done
}

@test "eight at once" {
	local id pids=() jobs=()

	for id in {0..7}; do
		sleeper_start
		pids+=("$SLEEPER")
	done
	for id in {0..7}; do
		attach "c$id" "${pids[id]}" macvlan0 3>&- &
		jobs+=("$!")
	done
	for id in "${jobs[@]}"; do
		wait "$id"
	done
	for id in {0..7}; do
		[[ $(usable "${pids[id]}") == 2001:db8:babe:cafe:*/64 ]] || fail "no address for c$id"
	done
}

# Where the router lets the trial wait too long the container starts, and its own link finds out.
@test "somebody has that address: the container does not get it" {
	attach_new c0
	address=$(usable "$SLEEPER")
	[ -n "$address" ]
	release c0
	wait_until lan_is_quiet
	lan_add_machine thief "$address"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	lan_remove_machine thief
	if [ "$status" -eq 0 ]; then
		assert_eq "" "$(usable "$SLEEPER")"
	else
		assert_contains "$output" "in use on the LAN"
		assert_eq "" "$(links "$SLEEPER")"
	fi
}
