#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a network file can say, seen in the container's namespace: modes, MTU, routes, ranges and
# subnets. Default routes are in routes.bats.

load lib.bash

setup_file() {
	lab_setup_file
	lan_add_parent eth1 7
}

setup() {
	lab_setup
}

teardown() {
	lab_teardown
}

# A network on eth0 with these subnets.
network_subnets() { # SUBNETS-JSON
	network_dual "$(jq -n --argjson subnets "$1" '{subnets: $subnets}')"
}

attach_new() { # ID [KEY=VALUE]...
	local id=$1
	shift

	sleeper_start
	attach "$id" "$SLEEPER" macvlan0 "$@"
}

# An attach that must fail; its one line is in $output.
refuse_attach() { # ID [KEY=VALUE]...
	local id=$1 before
	shift

	sleeper_start
	before=$(run_listing)
	run attach "$id" "$SLEEPER" macvlan0 "$@"
	assert_eq 1 "$status" "exit status"
	assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
	assert_eq "$before" "$(run_listing)" "state after the refusal"
	assert_eq "" "$(links "$SLEEPER")" "links after the refusal"
}

@test "private: the gateway answers, the neighbour does not" {
	network_dual '{"mode": "private"}'
	attach_new c0
	attach_new c1
	assert_eq private "$(link_get "$SLEEPER" eth0 .linkinfo.info_data.mode)"
	can_ping "$SLEEPER" 10.0.0.1
	can_ping "$SLEEPER" 2001:db8:babe:cafe::1
	cannot_ping "$SLEEPER" 10.0.0.3
	cannot_ping "$SLEEPER" 2001:db8:babe:cafe::3
}

@test "vepa: the neighbour answers when the switch reflects" {
	network_dual '{"mode": "vepa"}'
	attach_new c0
	attach_new c1
	assert_eq vepa "$(link_get "$SLEEPER" eth0 .linkinfo.info_data.mode)"
	can_ping "$SLEEPER" 10.0.0.1
	cannot_ping "$SLEEPER" 10.0.0.3
	bridge -n router link set dev port0 hairpin on
	wait_until can_ping "$SLEEPER" 10.0.0.3
	wait_until can_ping "$SLEEPER" 2001:db8:babe:cafe::3
	bridge -n router link set dev port0 hairpin off
}

@test "passthru: the parent's MAC, one endpoint, no MAC of one's own" {
	mac=$(ip -j link show dev eth1 | jq -r '.[0].address')
	network_write '{"name": "macvlan0", "parent": "eth1", "mode": "passthru", "subnets": [
		{"subnet": "10.7.0.0/24", "gateway": "10.7.0.1"},
		{"subnet": "2001:db8:7::/64", "gateway": "2001:db8:7::1"}]}'
	refuse_attach c0 io.oci-macvlan.mac=02:00:00:00:00:07
	assert_contains "$output" passthru
	attach_new c1
	pid=$SLEEPER
	assert_eq passthru "$(link_get "$pid" eth0 .linkinfo.info_data.mode)"
	assert_eq "$mac" "$(mac_of "$pid" eth0)"
	assert_eq "$mac" "$(ip -j link show dev eth1 | jq -r '.[0].address')" "the parent's MAC"
	assert_eq "$mac" "$(cli network inspect macvlan0 | jq -r '.[0].Containers.c1.MacAddress')"
	can_ping "$pid" 10.7.0.1
	can_ping "$pid" 2001:db8:7::1
	refuse_attach c2
	assert_contains "$output" passthru
	release c1 "$pid"
	attach_new c2
	release c2
	assert_eq "$mac" "$(ip -j link show dev eth1 | jq -r '.[0].address')" "the parent's MAC"
}

@test "passthru is refused on a parent that has another endpoint" {
	network_dual
	attach_new c0
	network_dual '{"name": "through", "mode": "passthru"}'
	sleeper_start
	run attach c1 "$SLEEPER" through
	assert_eq 1 "$status"
	assert_contains "$output" passthru
}

@test "source: the allow list is in the kernel, and is required" {
	network_dual '{"mode": "source"}'
	refuse_attach c0
	assert_contains "$output" source_macs
	mac=$(ip -n router -j link show dev lan | jq -r '.[0].address')
	network_dual "{\"mode\": \"source\", \"source_macs\": [\"$mac\", \"02:00:00:00:00:99\"]}"
	attach_new c1
	assert_eq source "$(link_get "$SLEEPER" eth0 .linkinfo.info_data.mode)"
	assert_eq "$(jq -nr '$ARGS.positional | sort | join(" ")' --args "$mac" 02:00:00:00:00:99)" \
		"$(link_get "$SLEEPER" eth0 '.linkinfo.info_data.macaddr_data | sort | join(" ")')"
	can_ping "$SLEEPER" 10.0.0.1
	can_ping "$SLEEPER" 2001:db8:babe:cafe::1
}

@test "mtu: the network's, and never more than the parent's" {
	network_dual '{"mtu": 1400}'
	attach_new c0
	assert_eq 1400 "$(link_get "$SLEEPER" eth0 .mtu)"
	network_dual '{"mtu": 9000}'
	refuse_attach c1
	assert_contains "$output" 9000
	assert_contains "$output" eth0
}

@test "routes: by a gateway and on the link, in both families" {
	network_dual '{"routes": [{"dst": "192.168.0.0/16", "gateway": "10.0.0.254"},
		{"dst": "172.16.0.0/12"}, {"dst": "2001:db8:f::/48", "gateway": "2001:db8:babe:cafe::fe"}]}'
	attach_new c0
	assert_eq "192.168.0.0/16 10.0.0.254 eth0" "$(route_to "$SLEEPER" 4 192.168.0.0/16)"
	assert_eq "172.16.0.0/12 link eth0" "$(route_to "$SLEEPER" 4 172.16.0.0/12)"
	assert_eq "2001:db8:f::/48 2001:db8:babe:cafe::fe eth0" "$(route_to "$SLEEPER" 6 2001:db8:f::/48)"
}

@test "ip_range: automatic ones from it, static ones from all of the subnet" {
	network_subnets '[{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1", "ip_range": "10.0.0.128/25"},
		{"subnet": "2001:db8:babe:cafe::/64", "ip_range": "2001:db8:babe:cafe:1::/80"}]'
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.0.0.128/24 2001:db8:babe:cafe:1::/64
	attach_new c1 io.oci-macvlan.ip=10.0.0.9
	assert_addresses "$SLEEPER" eth0 10.0.0.9/24 2001:db8:babe:cafe:1::1/64
}

@test "aux addresses are nobody's" {
	network_subnets '[{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1",
		"aux_addresses": {"printer": "10.0.0.3", "scanner": "10.0.0.4"}}]'
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.0.0.5/24
	refuse_attach c1 io.oci-macvlan.ip=10.0.0.4
	assert_contains "$output" 10.0.0.4
}

@test "never handed out: network, broadcast, gateway, anycast, the host's own, outside" {
	network_dual
	for address in 10.0.0.0 10.0.0.255 10.0.0.1 10.0.0.2 10.1.0.5; do
		refuse_attach c0 "io.oci-macvlan.ip=$address"
		assert_contains "$output" "$address"
	done
	for address in 2001:db8:babe:cafe:: 2001:db8:babe:cafe::1 2001:db8:babe:cafe::2 2001:db8::5; do
		refuse_attach c0 "io.oci-macvlan.ip6=$address"
		assert_contains "$output" "$address"
	done
}

@test "an address that the host has on another interface is not handed out" {
	network_dual
	ip addr add 10.0.0.3/32 dev lo
	ip addr add 2001:db8:babe:cafe::3/128 dev eth1 nodad
	attach_new c0
	ip addr del 10.0.0.3/32 dev lo
	ip addr del 2001:db8:babe:cafe::3/128 dev eth1
	assert_addresses "$SLEEPER" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
}

@test "/31 and /127: both addresses" {
	network_subnets '[{"subnet": "10.0.0.64/31"}, {"subnet": "2001:db8:babe:cafe::64/127"}]'
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.0.0.64/31 2001:db8:babe:cafe::64/127
	attach_new c1
	assert_addresses "$SLEEPER" eth0 10.0.0.65/31 2001:db8:babe:cafe::65/127
	can_ping "$SLEEPER" 10.0.0.64
	can_ping "$SLEEPER" 2001:db8:babe:cafe::64
	refuse_attach c2
	assert_contains "$output" 10.0.0.64/31
}

@test "several subnets in a family: the first by itself, another for a static address" {
	network_subnets '[{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1"},
		{"subnet": "10.7.0.0/24", "gateway": "10.7.0.9"}, {"subnet": "10.8.0.0/24"},
		{"subnet": "2001:db8:babe:cafe::/64"}, {"subnet": "2001:db8:8::/64", "gateway": "2001:db8:8::1"}]'
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::1/64
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	assert_default "$SLEEPER" 6 ""
	attach_new c1 io.oci-macvlan.ip=10.7.0.30 io.oci-macvlan.ip6=2001:db8:8::30
	assert_addresses "$SLEEPER" eth0 10.7.0.30/24 2001:db8:8::30/64
	assert_default "$SLEEPER" 4 "10.7.0.9 eth0"
	assert_default "$SLEEPER" 6 "2001:db8:8::1 eth0"
	sleeper_start
	attach c2 "$SLEEPER" '[{"name": "macvlan0", "ips": ["10.0.0.31", "10.8.0.31/24"]}]'
	assert_addresses "$SLEEPER" eth0 10.0.0.31/24 10.8.0.31/24 2001:db8:babe:cafe::3/64
}

@test "two addresses in one subnet, and a wrong prefix length, are refused" {
	network_dual
	for ips in '["10.0.0.30", "10.0.0.31"]' '["10.0.0.30/25"]'; do
		sleeper_start
		run attach c0 "$SLEEPER" "[{\"name\": \"macvlan0\", \"ips\": $ips}]"
		assert_eq 1 "$status"
		assert_contains "$output" 10.0.0.30
	done
}

@test "IPv4 only: IPv6 is off on the interface" {
	network_subnets '[{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1"}]'
	attach_new c0
	assert_eq 1 "$(sysctl_of "$SLEEPER" net/ipv6/conf/eth0/disable_ipv6)"
	assert_eq "" "$(in_netns "$SLEEPER" ip -6 addr show dev eth0)"
	can_ping "$SLEEPER" 10.0.0.1
}

@test "IPv6 only: a stable MAC from a hash, another for another container" {
	network_subnets '[{"subnet": "2001:db8:babe:cafe::/64", "gateway": "2001:db8:babe:cafe::1"}]'
	attach_new c0
	pid=$SLEEPER
	mac=$(mac_of "$pid" eth0)
	can_ping "$pid" 2001:db8:babe:cafe::1
	assert_addresses "$SLEEPER" eth0 2001:db8:babe:cafe::3/64
	[[ $mac == ?[26ae]:* ]] || fail "not a locally administered unicast MAC: $mac"
	attach_new c1
	refute test "$mac" = "$(mac_of "$SLEEPER" eth0)"
	release c1
	release c0 "$pid"
	attach_new c0
	assert_eq "$mac" "$(mac_of "$SLEEPER" eth0)"
}

@test "a large IPv6 subnet, and one that is all in the upper half" {
	network_subnets '[{"subnet": "2001:db8::/32"}]'
	attach_new c0
	assert_addresses "$SLEEPER" eth0 2001:db8::1/32
	network_dual '{"name": "high", "subnets": [{"subnet": "fd00:ffff:ffff:fffe::/63",
		"ip_range": "fd00:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"}]}'
	sleeper_start
	attach c1 "$SLEEPER" high
	assert_addresses "$SLEEPER" eth0 fd00:ffff:ffff:ffff:ffff:ffff:ffff:fffe/63
}

@test "ipam none: a link and no address" {
	network_write '{"name": "macvlan0", "parent": "eth0", "ipam": {"driver": "none"}}'
	attach_new c0
	assert_addresses "$SLEEPER" eth0
	assert_eq UP "$(link_get "$SLEEPER" eth0 '.flags[] | select(. == "UP")')"
	assert_eq macvlan "$(link_get "$SLEEPER" eth0 .linkinfo.info_kind)"
}

@test "networks on one parent share its addresses" {
	network_dual
	network_dual '{"name": "second"}'
	attach_new c0
	sleeper_start
	attach c1 "$SLEEPER" second
	assert_addresses "$SLEEPER" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
	sleeper_start
	run attach c2 "$SLEEPER" '[{"name": "second", "ips": ["10.0.0.3"]}]'
	assert_eq 1 "$status"
	assert_contains "$output" c0
}

@test "host_access is refused in modes and networks for which it cannot be, by create as well" {
	for mode in private vepa passthru; do
		network_dual "{\"host_access\": true, \"mode\": \"$mode\"}"
		sleeper_start
		run attach c0 "$SLEEPER" macvlan0
		assert_eq 1 "$status"
		assert_contains "$output" "host_access: needs mode bridge, but the mode is $mode"
		run cli network create --subnet 10.0.0.0/24 -o parent=eth0 -o host_access=true \
			-o macvlan_mode="$mode" other
		assert_eq 1 "$status"
		assert_contains "$output" "needs mode bridge"
	done
	run cli network create --ipam-driver none -o parent=eth0 -o host_access=true other
	assert_eq 1 "$status"
	assert_contains "$output" "host_access: needs addresses"
	run cli network create --subnet 10.0.0.0/24 -o host_access=true other
	assert_eq 1 "$status"
	assert_contains "$output" "host_access: needs a parent"
	cli network create --subnet 10.0.0.0/24 -o parent=eth0 -o host_access=true other
	assert_eq true "$(jq .host_access "$ETC/networks/other.json")"
}

@test "an alternative name of the parent is the same pool" {
	ip link property add dev eth0 altname uplink0
	network_dual '{"parent": "uplink0"}'
	attach_new c0
	ip link property del dev eth0 altname uplink0
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims eth0)"
}
