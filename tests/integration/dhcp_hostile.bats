#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A DHCP server that says what no server should. An address that cannot be a machine's is no lease;
# of the rest a container gets what can be used, and no more.

# shellcheck disable=SC2030,SC2031 # each test sets what it reads

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dhcp
}

teardown() {
	dhcp_teardown
	[ ! -e /run/x ] || fail "somebody has run what the server sent"
}

# With what that server says no container starts; nothing is left of it.
assert_no_lease() { # ARG...
	network_dhcp '{"timeout_ms": 1200}'
	hostile_start "$@"
	sleeper_start
	run attach c0 "$SLEEPER" lan
	dhcp_stop hostile
	assert_eq 1 "$status" "status with $*" || return
	assert_contains "$output" "DHCP" || return
	assert_eq 1 "${#lines[@]}" "lines with $*" || return
	assert_eq "" "$(links "$SLEEPER")" "links after $*" || return
	no_clients || fail "a client is left after $*" || return
	assert_run_empty
}

# With what that server says a container starts, with an address that is its own.
leased() { # ARG...
	network_dhcp
	hostile_start "$@"
	attach_lan c0
	assert_eq 10.0.0.66/24 "$ADDRESS" "address with $*"
}

unleased() {
	release c0
	dhcp_stop hostile
}

@test "an address that is no machine's" {
	for no_address in 0.0.0.0 0.1.2.3 255.255.255.255 224.0.0.1 240.0.0.1 127.0.0.1; do
		assert_no_lease --address "$no_address"
	done
}

@test "an address that is a subnet's own or its broadcast" {
	assert_no_lease --address 10.0.0.0
	assert_no_lease --address 10.0.0.255
}

@test "the host's own address, and one that another container of this host has" {
	assert_no_lease --address 10.0.0.2
	assert_contains "$output" "10.0.0.2"
	hostile_start
	attach_lan c1
	dhcp_stop hostile
	assert_other_refused
}

# c1 has what c2 is given, too.
assert_other_refused() {
	hostile_start
	sleeper_start
	run attach c2 "$SLEEPER" lan
	assert_eq 1 "$status"
	assert_contains "$output" "10.0.0.66"
	assert_eq "" "$(links "$SLEEPER")"
	assert_eq c1/eth0 "$(claim_owner 10.0.0.66)"
}

@test "masks: none, 0, with holes" {
	for mask in -1 1:00000000; do
		assert_no_lease "$mask"
	done
	# udhcpc counts the ones and calls it a length: what counts is that the container gets nothing
	# but this address, and a route to no more than that.
	hostile_start 1:ff00ff00
	sleeper_start
	run attach c0 "$SLEEPER" lan
	[[ $status -ne 0 || $(ipv4_of "$SLEEPER") == 10.0.0.66/24 ]]
}

@test "a mask of 32, and a router that is not in it" {
	hostile_start 1:ffffffff
	attach_lan c0
	assert_eq 10.0.0.66/32 "$ADDRESS"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	can_ping "$SLEEPER" 10.0.0.1
}

@test "routers that are none" {
	for router in 00000000 7f000001 e0000001 ffffffff 0a000042; do
		leased 3:$router
		assert_default "$SLEEPER" 4 ""
		unleased
	done
}

@test "MTUs that nobody can use" {
	for mtu in 0000 0001 0044 ffff 0102030405; do
		leased 26:$mtu
		value=$(link_get "$SLEEPER" eth0 .mtu)
		{ [ "$value" -ge 576 ] && [ "$value" -le 1500 ]; } || fail "MTU $value with $mtu"
		unleased
	done
}

@test "classless static routes: cut short, longer than 32 bits, without end" {
	leased 121:18
	unleased
	leased 121:210a0000010a000001
	assert_eq "" "$(in_netns "$SLEEPER" ip route show | grep -v 'proto kernel' | grep -v '^default')"
	unleased
	leased 121:20c0a80101e000000120c0a801027f00000120e00000010a000001087f0a000001
	assert_eq "" "$(in_netns "$SLEEPER" ip route show | grep -v 'proto kernel')" "routes"
	unleased
	leased 121:"$(printf '20c0a801%02x0a000001' {1..25})"
	[ "$(in_netns "$SLEEPER" ip route show | wc -l)" -le 26 ]
	unleased
}

@test "leases of no time, for ever, and of a time that is not said" {
	for lease in 51:00000000 51:00000001 51:ffffffff -51; do
		hostile_start "$lease"
		sleeper_start
		run attach c0 "$SLEEPER" lan
		[[ $status -ne 0 || $(ipv4_of "$SLEEPER") == 10.0.0.66/24 ]] ||
			fail "status $status with lease $lease: $output"
		cli ps >/dev/null
		unleased
	done
}

@test "a server that does not say who it is" {
	leased -54
	unleased
}

# A container with what that server says in its resolv.conf, which is in RESOLV.
resolv_with() { # ARG...
	hostile_start "$@"
	container_run c0 -a io.oci-macvlan.networks=lan
	RESOLV=$(rt exec c0 cat /etc/resolv.conf)
	rt_delete c0
	dhcp_stop hostile
}

# Nothing but what resolv.conf(5) knows, in lines that it can read.
assert_resolv_sane() {
	local line

	while read -r line; do
		[[ $line =~ ^(#.*|nameserver\ [0-9a-f.:]+|(search|domain)(\ [A-Za-z0-9._-]+)+|options\ .*|)$ ]] ||
			fail "line '$line' in resolv.conf" || return
		[ "${#line}" -le 2048 ] || fail "a line of ${#line} bytes" || return
	done <<<"$RESOLV"
}

@test "resolvers that are none, or the container itself" {
	resolv_with 6:7f000001
	assert_resolv_sane
	refute grep -q 127.0.0.1 <<<"$RESOLV"
	resolv_with 6:00000000ffffffffe00000010a000007
	assert_resolv_sane
	assert_eq "nameserver 10.0.0.7" "$(grep nameserver <<<"$RESOLV")"
	resolv_with 6:0102
	assert_resolv_sane
}

@test "domains with line breaks, commands, and no end" {
	resolv_with 6:0a000007 '15=lan\nnameserver 10.6.6.6'
	assert_resolv_sane
	refute grep -q 10.6.6.6 <<<"$RESOLV"
	# shellcheck disable=SC2016 # for whoever runs it
	resolv_with 6:0a000007 '15=;touch /run/x' "12=\$(touch /run/x)" '17=/;touch /run/x' \
		'67=`touch /run/x`'
	assert_resolv_sane
	resolv_with 6:0a000007 "15=$(printf 'a%.0s' {1..250})"
	assert_resolv_sane
	resolv_with 6:0a000007 119:ff
	assert_resolv_sane
	resolv_with 6:0a000007 119:c000
	assert_resolv_sane
	resolv_with 6:0a000007 119:0161036c616e000162036c616e00
	assert_contains "$RESOLV" "search a.lan b.lan"
}

@test "packets that are too long are no answer" {
	assert_no_lease "15=$(printf 'a%.0s' {1..2000})"
	assert_no_lease 121:"$(printf '20c0a801%02x0a000001' {1..100})"
}

# A change that a server with a good word makes later shows that the bad one has been dealt with.
@test "a renewal that is hostile: the container keeps what it has, or has nothing" {
	for no_address in 0.0.0.0 224.0.0.1 10.0.0.2; do
		hostile_start
		attach_lan c0
		watch_addresses "$SLEEPER"
		dhcp_stop hostile
		hostile_start --address "$no_address"
		client_renew c0
		wait_until answered REQUEST
		[[ $(ipv4_of "$SLEEPER") == @(|10.0.0.66/24) ]] || fail "$(ipv4_of "$SLEEPER") with $no_address"
		dhcp_stop hostile
		hostile_start 3:0a0000fd
		client_renew c0
		wait_until default_is "$SLEEPER" "10.0.0.253 eth0"
		refute grep -F "inet $no_address/" "$CHANGES"
		release c0
		dhcp_stop
	done
}

answered() { # TYPE
	[ "$(hostile_got "$1")" -ge 1 ]
}
