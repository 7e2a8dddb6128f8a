#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Which network gives the default routes.

load lib.bash

setup_file() {
	lab_setup_file
	lan_add_parent eth1 7
}

setup() {
	lab_setup
	network_dual
	network_write '{"name": "second", "parent": "eth1", "subnets": [
		{"subnet": "10.7.0.0/24", "gateway": "10.7.0.1"},
		{"subnet": "2001:db8:7::/64", "gateway": "2001:db8:7::1"}]}'
	sleeper_start
	pid=$SLEEPER
}

teardown() {
	lab_teardown
}

assert_defaults() { # "GATEWAY4 DEV" "GATEWAY6 DEV"
	assert_default "$pid" 4 "$1"
	assert_default "$pid" 6 "$2"
}

# The namespace has default routes before we come: by a bridge.
routes_before() {
	in_netns "$pid" ip link set lo up
	in_netns "$pid" ip link add other type bridge
	in_netns "$pid" ip link set other up
	in_netns "$pid" ip addr add 172.31.0.2/24 dev other
	in_netns "$pid" ip addr add fd31::2/64 dev other nodad
	in_netns "$pid" ip route add default via 172.31.0.1
	in_netns "$pid" ip -6 route add default via fd31::1
}

# A link that is moved in keeps its index, which may be higher than any that the kernel gives there.
@test "a link that was moved in, and its default routes of another metric, stay what they are" {
	sleeper_start
	ip link add moved index 57 type veth peer name cable
	ip link set cable up
	ip link set moved netns "$SLEEPER"
	in_netns "$SLEEPER" ip link set moved up
	in_netns "$SLEEPER" ip addr add 172.31.0.2/24 dev moved
	in_netns "$SLEEPER" ip addr add fd31::2/64 dev moved nodad
	in_netns "$SLEEPER" ip route add default via 172.31.0.1 metric 100
	in_netns "$SLEEPER" ip -6 route add default via fd31::1 metric 100
	attach c0 "$SLEEPER" macvlan0
	assert_default "$SLEEPER" 4 "172.31.0.1 moved"
	assert_default "$SLEEPER" 6 "fd31::1 moved"
}

@test "killed while it replaces a default route: gc gives the namespace its routes back" {
	sleeper_start
	in_netns "$SLEEPER" ip link set lo up
	in_netns "$SLEEPER" ip route add default dev lo
	in_netns "$SLEEPER" ip -6 route add default dev lo metric 1024
	before=$(in_netns "$SLEEPER" ip -4 route; in_netns "$SLEEPER" ip -6 route)
	state_json creating c0 "$SLEEPER" 'io.oci-macvlan.networks=[{"name":"macvlan0",
		"default-route":["10.0.0.1","2001:db8:babe:cafe::1"]}]' >"$BATS_TEST_TMPDIR/state"
	for ((n = 8; n <= 40; n++)); do
		strace -qq -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=$n \
			"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
			<"$BATS_TEST_TMPDIR/state" && fail "was not killed at request $n"
		# Behind the final record it is attached, and keeps its route.
		! jq -e '.endpoints[0].ifindex' "$RUN/containers/c0.json" >/dev/null || break
		cli gc >/dev/null
		assert_eq "$before" "$(in_netns "$SLEEPER" ip -4 route; in_netns "$SLEEPER" ip -6 route)"
	done
	((n > 14 && n < 40)) || fail "killed until request $n"
	assert_contains "$(in_netns "$SLEEPER" ip route get 203.0.113.1)" "via 10.0.0.1 dev eth0"
}

@test "a member of a pod may ask for another default route, and the next for the same" {
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" macvlan0
	assert_default "$owner" 4 "10.0.0.1 eth0"
	for id in c1 c2; do
		nsenter -t "$owner" -n sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
		member=$!
		disown "$member"
		echo "$member" >>"$SLEEPERS"
		wait_until netns_differs "$member"
		attach "$id" "$member" '[{"name":"macvlan0","default-route":["10.0.0.254"]}]'
		assert_default "$owner" 4 "10.0.0.254 eth0"
		assert_default "$owner" 6 "2001:db8:babe:cafe::1 eth0"
	done
}

@test "a route by way of a subnet without an address of ours is left out" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24"}, {"subnet": "10.0.1.0/24"}],
		"routes": [{"dst": "172.16.0.0/12", "gateway": "10.0.0.254"},
			{"dst": "192.168.0.0/16", "gateway": "10.0.1.254"}]}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.1.9
	assert_eq "" "$(in_netns "$SLEEPER" ip route show 172.16.0.0/12)"
	assert_contains "$(in_netns "$SLEEPER" ip route show 192.168.0.0/16)" "via 10.0.1.254 dev eth0"
}

@test "a default route that leads nowhere is one that is there: it stays" {
	for kind in unreachable blackhole prohibit; do
		sleeper_start
		in_netns "$SLEEPER" ip route add "$kind" default
		in_netns "$SLEEPER" ip -6 route add "$kind" default metric 1024
		attach c0 "$SLEEPER" macvlan0
		assert_eq "$kind default" "$(in_netns "$SLEEPER" ip route show default | xargs)"
		assert_contains "$(in_netns "$SLEEPER" ip -6 route show default)" "$kind default"
		assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
		release c0
	done
}

@test "a listed route to where another network's subnet is: that stays" {
	network_dual '{"routes": [{"dst": "10.7.0.0/16", "gateway": "10.0.0.254"},
		{"dst": "192.168.0.0/16", "gateway": "10.0.0.254"}]}'
	network_write '{"name": "storage", "parent": "eth0", "subnets": [{"subnet": "10.7.0.0/16"}]}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0,storage
	assert_contains "$(in_netns "$SLEEPER" ip route show 10.7.0.0/16)" "dev eth1"
	assert_contains "$(in_netns "$SLEEPER" ip route show 192.168.0.0/16)" "via 10.0.0.254 dev eth0"
}

@test "the first network that has a gateway" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24"},
		{"subnet": "2001:db8:babe:cafe::/64", "gateway": "2001:db8:babe:cafe::1"}]}'
	attach c0 "$pid" macvlan0,second
	assert_defaults "10.7.0.1 eth1" "2001:db8:babe:cafe::1 eth0"
}

@test "an internal network gives none" {
	network_dual '{"internal": true}'
	attach c0 "$pid" macvlan0,second
	assert_defaults "10.7.0.1 eth1" "2001:db8:7::1 eth1"
	can_ping "$pid" 10.0.0.1
}

@test "no gateway, no default route" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24"}, {"subnet": "2001:db8:babe:cafe::/64"}]}'
	attach c0 "$pid" macvlan0
	assert_defaults "" ""
	can_ping "$pid" 10.0.0.1
}

@test "default-route in a selection wins over the order" {
	attach c0 "$pid" '[{"name": "macvlan0"},
		{"name": "second", "default-route": ["10.7.0.1", "2001:db8:7::1"]}]'
	assert_defaults "10.7.0.1 eth1" "2001:db8:7::1 eth1"
}

@test "default-route for one family leaves the other to the order" {
	attach c0 "$pid" '[{"name": "macvlan0"}, {"name": "second", "default-route": ["10.7.0.1"]}]'
	assert_defaults "10.7.0.1 eth1" "2001:db8:babe:cafe::1 eth0"
}

@test "an address in default-route takes the place of the subnet's gateway" {
	attach c0 "$pid" '[{"name": "macvlan0", "default-route": ["10.0.0.254"]}]'
	assert_default "$pid" 4 "10.0.0.254 eth0"
}

@test "default-route []: none from this network" {
	attach c0 "$pid" '[{"name": "macvlan0", "default-route": []}, {"name": "second"}]'
	assert_defaults "10.7.0.1 eth1" "2001:db8:7::1 eth1"
}

@test "default-route [] alone: none at all" {
	attach c0 "$pid" '[{"name": "macvlan0", "default-route": []}]'
	assert_defaults "" ""
}

@test "an address outside the network's subnets is refused" {
	run attach c0 "$pid" '[{"name": "macvlan0", "default-route": ["10.9.0.1"]}]'
	assert_eq 1 "$status"
	assert_contains "$output" 10.9.0.1
	assert_eq "" "$(links "$pid")"
}

@test "two networks that ask for the same family's default route are refused" {
	run attach c0 "$pid" '[{"name": "macvlan0", "default-route": ["10.0.0.1"]},
		{"name": "second", "default-route": ["10.7.0.1"]}]'
	assert_eq 1 "$status"
	assert_contains "$output" "default"
	assert_eq "" "$(links "$pid")"
}

@test "a default route that is there stays, and the log says so" {
	routes_before
	state_json creating c0 "$pid" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	# The system's log is a socket that the machine may not have: look at what is sent to it.
	# (ASan looks for leaks by ptrace, as strace does: not both.)
	ASAN_OPTIONS=detect_leaks=0 strace -qq -s 500 -e trace=sendto -o "$BATS_TEST_TMPDIR/log" \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime <"$BATS_TEST_TMPDIR/state"
	assert_contains "$(grep /dev/log "$BATS_TEST_TMPDIR/log")" "IPv4 default route"
	assert_contains "$(grep /dev/log "$BATS_TEST_TMPDIR/log")" "IPv6 default route"
	assert_defaults "172.31.0.1 other" "fd31::1 other"
	assert_addresses "$pid" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

@test "one that is there is replaced when the selection asks" {
	routes_before
	attach c0 "$pid" '[{"name": "macvlan0", "default-route": ["10.0.0.1", "2001:db8:babe:cafe::1"]}]'
	assert_defaults "10.0.0.1 eth0" "2001:db8:babe:cafe::1 eth0"
	can_ping "$pid" 10.0.0.1
}

@test "several are replaced, of any metric" {
	routes_before
	in_netns "$pid" ip route add default via 172.31.0.1 metric 50
	in_netns "$pid" ip -6 route add default via fd31::1 metric 1
	in_netns "$pid" ip -6 route add default via fd31::9 metric 50
	attach c0 "$pid" '[{"name": "macvlan0", "default-route": ["10.0.0.1", "2001:db8:babe:cafe::1"]}]'
	assert_defaults "10.0.0.1 eth0" "2001:db8:babe:cafe::1 eth0"
	can_ping "$pid" 10.0.0.1
}

@test "one that was replaced is back when the attach fails" {
	routes_before
	run attach c0 "$pid" '[
		{"name": "macvlan0", "default-route": ["10.0.0.1", "2001:db8:babe:cafe::1"]},
		{"name": "second", "ips": ["10.7.0.1"]}]'
	assert_eq 1 "$status"
	assert_defaults "172.31.0.1 other" "fd31::1 other"
	assert_eq other "$(links "$pid")"
}

@test "a gateway outside its subnet, on the link" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.99.0.1", "onlink": true}]}'
	attach c0 "$pid" macvlan0
	assert_default "$pid" 4 "10.99.0.1 eth0"
}

@test "our routes have a protocol number of their own" {
	attach c0 "$pid" macvlan0
	for family in 4 6; do
		protocol=$(in_netns "$pid" ip -"$family" -j -N route show default | jq -r '.[0].protocol')
		[[ $protocol =~ ^[0-9]+$ && $protocol -gt 18 ]] || fail "protocol of IPv$family: $protocol"
	done
}
