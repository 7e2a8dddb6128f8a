#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# IPv6 by router advertisements: a real router (dnsmasq) on the LAN gives the prefix and the default
# route.

load lib.bash
load ra.bash

setup_file() {
	lab_setup_file
	router_start "$BATS_FILE_TMPDIR"
}

teardown_file() {
	router_stop "$BATS_FILE_TMPDIR"
}

setup() {
	lab_setup
	network_ra
}

teardown() {
	lab_teardown
}

router_start() { # DIR
	ip netns exec router sysctl -q net.ipv6.conf.all.forwarding=1
	wait_until router_settled
	ip netns exec router dnsmasq --keep-in-foreground --port=0 --interface=lan --enable-ra \
		--dhcp-range=2001:db8:babe:cafe::,ra-only,64 --conf-file=/dev/null \
		--pid-file="$1/pid" --dhcp-leasefile="$1/leases" --user=root >"$1/log" 2>&1 3>&- &
	disown
	wait_until test -s "$1/pid"
}

router_stop() { # DIR
	local pid

	pid=$(cat "$1/pid")
	kill "$pid"
	wait_until process_gone "$pid"
	rm -f "$1/pid"
}

@test "an address of the router's prefix within milliseconds, and its default route" {
	attach_timed c0
	address=$(usable "$SLEEPER")
	[[ $address == 2001:db8:babe:cafe:*/64 ]] || fail "address '$address'"
	[ "$MS" -lt 900 ] || fail "it took $MS ms" # the kernel alone: 4 s
	can_ping "$SLEEPER" "${LAN_PREFIX6}:1"
	assert_contains "$(default_routes "$SLEEPER" 6)" "fe80::"
	assert_contains "$(in_netns "$SLEEPER" ip -6 route show default)" "proto ra"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	lan_ping router "${address%/*}"
	assert_eq "$address" "$(recorded c0)" "in the record"
	assert_contains "$(cli ps)" "$address"
	assert_eq "$address" "$(cli network inspect macvlan0 | jq -r '.[0].Containers.c0.IPv6Address')"
	assert_eq true "$(cli network inspect macvlan0 | jq '.[0].EnableIPv6')"
	release c0
}

@test "the same again for the same container, another for another; link-local too" {
	attach_new c0
	address=$(usable "$SLEEPER")
	local=$(in_netns "$SLEEPER" ip -6 -j addr show dev eth0 scope link | jq -r '.[0].addr_info[].local')
	assert_eq "${address##*cafe:}" "${local##*fe80::}/64" "the lower half"
	release c0
	attach_new c0
	assert_eq "$address" "$(usable "$SLEEPER")"
	attach_new c2
	refute test "$address" = "$(usable "$SLEEPER")"
}

# The next two have ids of their own: while a link of another test still ends, it has the same
# link-local address, and the router's answer may go there.

@test "with conflict detection: the wait, and not twice" {
	network_ra '{"conflict_detection_ms": 1000}'
	attach_timed c3
	{ [ "$MS" -ge 900 ] && [ "$MS" -lt 1900 ]; } || fail "it took $MS ms"
	[[ $(usable "$SLEEPER") == 2001:db8:babe:cafe:*/64 ]]
	assert_eq "$(usable "$SLEEPER")" "$(recorded c3)"
}

@test "somebody has that address: the container does not start" {
	network_ra '{"conflict_detection_ms": 200}'
	attach_new c4
	address=$(usable "$SLEEPER")
	in_netns "$SLEEPER" ip link del eth0
	release c4
	lan_add_machine thief "$address"
	sleeper_start
	run attach c4 "$SLEEPER" macvlan0
	lan_remove_machine thief
	assert_eq 1 "$status"
	assert_contains "$output" "in use on the LAN"
	assert_eq "" "$(links "$SLEEPER")"
}

# Nothing that the LAN says before its sockets are open is missed.
@test "a router that answers at once, and a hook that is slow" {
	network_ra '{"conflict_detection_ms": 200}'
	sleeper_start
	attach_slowly c5 socket delay_enter=20ms
	address=$(usable "$SLEEPER")
	in_netns "$SLEEPER" ip link del eth0
	release c5
	lan_add_machine thief "$address"
	sleeper_start
	run attach_slowly c5 socket delay_enter=20ms
	lan_remove_machine thief
	assert_eq 1 "$status"
	assert_contains "$output" "in use on the LAN"
}

@test "a router that answers late: duplicates are found all the same" {
	local router hook

	network_ra '{"conflict_detection_ms": 50}'
	attach_new c0
	address=$(usable "$SLEEPER")
	release c0
	lan_add_machine thief "$address"
	router=$(cat "$BATS_FILE_TMPDIR/pid")
	sleeper_start
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	kill -STOP "$router"
	hook createRuntime <"$BATS_TEST_TMPDIR/state" 3>&- &
	hook=$!
	wait_until is_on "$SLEEPER"
	kill -CONT "$router"
	wait "$hook"
	lan_remove_machine thief
	assert_eq "" "$(in_netns "$SLEEPER" ip -6 -o addr show dev eth0 scope global -tentative -dadfailed)"
	release c0
}

# Its link is up, and has asked for routers.
is_on() { # PID
	[ -n "$(in_netns "$1" ip -6 -o addr show dev eth0 scope link 2>/dev/null)" ]
}

@test "layer 2 and router advertisements alone" {
	network_write '{"name": "macvlan0", "parent": "eth0", "ipam": {"driver": "none"}, "ipv6": "ra"}'
	attach_new c0
	[[ $(usable "$SLEEPER") == 2001:db8:babe:cafe:*/64 ]]
	assert_eq "" "$(in_netns "$SLEEPER" ip -4 addr show dev eth0)"
	release c0
}

@test "internal, and a selection without a default route: an address, and no route" {
	network_ra '{"internal": true}'
	attach_new c0
	[[ $(usable "$SLEEPER") == 2001:db8:babe:cafe:*/64 ]]
	assert_default "$SLEEPER" 6 ""
	release c0
	network_ra
	sleeper_start
	attach c1 "$SLEEPER" '[{"name": "macvlan0", "default-route": []}]'
	assert_default "$SLEEPER" 6 ""
	release c1
}

@test "the first network in the list gives the default route" {
	network_dual '{"name": "second", "subnets": [
		{"subnet": "2001:db8:9::/64", "gateway": "2001:db8:9::1"}]}'
	sleeper_start
	attach c0 "$SLEEPER" second,macvlan0
	assert_default "$SLEEPER" 6 "2001:db8:9::1 eth0"
	sleeper_start
	attach c1 "$SLEEPER" macvlan0,second
	assert_contains "$(default_routes "$SLEEPER" 6)" "fe80::"
	refute grep -q 2001:db8:9::1 <<<"$(default_routes "$SLEEPER" 6)"
}

@test "where Docker has turned IPv6 off, it is on" {
	sleeper_start
	in_netns "$SLEEPER" sysctl -q net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	attach c0 "$SLEEPER" macvlan0
	[[ $(usable "$SLEEPER") == 2001:db8:babe:cafe:*/64 ]]
}

@test "no router: the container starts without, and has an address when one speaks" {
	router_stop "$BATS_FILE_TMPDIR"
	attach_new c0
	assert_eq "" "$(usable "$SLEEPER")"
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24
	router_start "$BATS_FILE_TMPDIR"
	wait_until is_usable "$SLEEPER"
}

is_usable() { # PID
	[ -n "$(usable "$1")" ]
}

# A process of the pod that waits for the link to come, and gives it an address of somebody else.
address_adder() { # PID ADDRESS
	# shellcheck disable=SC2016 # for that shell
	in_netns "$1" bash -c 'until ip addr add "$0" dev eth1 valid_lft 3000 preferred_lft 3000 nodad
		do sleep 0.005; done' "$2" </dev/null >/dev/null 2>&1 3>&- &
	echo $! >>"$SLEEPERS"
	disown
}

@test "an address that a member of the pod gives the new link is not the router's" {
	network_ra '{"host_access": true}'
	network_write '{"name": "first", "parent": "eth0", "subnets": [{"subnet": "10.9.0.0/24"}]}'
	sleeper_start
	pod=$SLEEPER
	attach c0 "$pod" first
	address_adder "$pod" 2001:db8:babe:cafe::50/64
	sleeper_join "$pod"
	attach_slowly c1 sendto delay_exit=10ms
	in_netns "$pod" ip addr show dev eth1 | grep -q 2001:db8:babe:cafe::50
	refute grep -q 'cafe::50' "$RUN/containers/c0.json"
	assert_eq "" "$(ip -6 -j route show 2001:db8:babe:cafe::50 | jq -r '.[].dst')" "the host's way"
	release c1
	release c0 "$pod"
}
