#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A record that this version cannot read, because a later one has written it. Whoever meets it keeps
# all that its container has, takes the container for alive, and names the file and the key.

load lib.bash
load dhcp.bash
load dhcp_clients.bash
load plugins.bash
load parents.bash
load versions.bash

setup_file() {
	lab_setup_file
	HOST_RESOLV=/run/resolv.conf
	echo 'nameserver 10.0.0.1' >"$HOST_RESOLV"
	mount --bind "$HOST_RESOLV" "$(realpath /etc/resolv.conf)"
}

setup() {
	lab_setup
	network_dhcp '{}' '{"host_access": true}'
	network_write "$(jq -n --argjson ipam "$(host_local_ipam)" \
		'{name: "given", parent: "eth0", host_access: true, ipam: $ipam}')"
	network_write '{"name": "inside", "subnets": [{"subnet": "10.9.0.0/24"}]}'
	network_write '{"name": "fixed", "parent": "eth0", "subnets": [{"subnet": "10.0.0.0/24"}]}'
	dnsmasq_start --dhcp-option=option:dns-server,10.0.0.1
}

teardown() {
	local status=0

	# Of a test that has failed.
	[ ! -e "$BATS_TEST_TMPDIR/c0.json" ] || [ ! -e "$RUN/containers/c0.json" ] ||
		cp "$BATS_TEST_TMPDIR/c0.json" "$RUN/containers/c0.json"
	parents_teardown || status=$?
	dhcp_stop || status=$?
	ip netns del held 2>/dev/null || true
	return "$status"
}

# c0, which has all that a container can have, has died without a poststop. Its namespace lives on,
# and so do its links and its DHCP client: gc would take all of it.
dead_container() {
	ip netns add held
	ip netns exec held sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	HOLDER=$!
	echo "$HOLDER" >>"$SLEEPERS"
	disown "$HOLDER"
	wait_until netns_differs "$HOLDER"
	container_run c0 -a io.oci-macvlan.networks=lan,given,inside -a io.oci-macvlan.name=web \
		-j '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/held"'
	PARENT=$(isolated_parent inside)
	LEASED=$(ipv4_of "$HOLDER" | cut -d / -f 1)
	GIVEN=$(ipv4_of "$HOLDER" eth1 | cut -d / -f 1)
	kill -KILL "$(container_pid c0)"
	wait_until process_gone "$(container_pid c0)"
}

# Gives c0's record a key that nobody knows, below PATH (as of jq).
spoil() { # PATH
	cp "$RUN/containers/c0.json" "$BATS_TEST_TMPDIR/c0.json"
	jq -c "$1 += {from_a_later_version: true}" "$BATS_TEST_TMPDIR/c0.json" >"$RUN/containers/c0.json"
}

# It can be read again: then all goes the usual way.
mend() {
	cp "$BATS_TEST_TMPDIR/c0.json" "$RUN/containers/c0.json"
	cli gc
	rt_delete c0
	rm "$BATS_TEST_TMPDIR/c0.json"
	assert_ended "$HOLDER"
	assert_eq "" "$(leases given)" "what host-local has"
}

# All that c0 has.
whole() {
	network_state "$HOLDER"
	host_state
	host_link "$PARENT" '[.ifindex, .ifname, .ifalias]'
	run_listing
	ls "$RUN/dhcp"
	cat "$RUN/dns/c0.conf"
	cat "$RUN/containers/c0.json"
	leases given
	clients
}

# COMMAND changes nothing, fails, and what it prints names the record and the key.
refused() { # COMMAND...
	run "$@"
	assert_eq 1 "$status" "status of '$*' ($output)"
	assert_named "$output"
	assert_eq "$BEFORE" "$(whole)" "after '$*'"
}

assert_named() { # TEXT
	assert_contains "$1" "containers/c0.json"
	assert_contains "$1" "unknown key 'from_a_later_version'"
}

# The same of an attach whose own error is another: the log names them.
refused_for() { # ERROR NETWORK [KEY=VALUE]...
	local error=$1 network=$2
	shift 2

	sleeper_start
	state_json creating c1 "$SLEEPER" "io.oci-macvlan.networks=$network" "$@" \
		>"$BATS_TEST_TMPDIR/state"
	run logged oci-macvlan-hook createRuntime <"$BATS_TEST_TMPDIR/state"
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "$error"
	assert_named "$output $(cat "$BATS_TEST_TMPDIR/logged")"
	assert_eq "$BEFORE" "$(whole)" "after the attach"
	assert_eq "" "$(links "$SLEEPER")" "links"
}

event_failed() {
	grep -q "DHCP event 'renew' of container 'c0': record 'containers/c0.json'" "$RUN/errors"
}

# What ends a dead container in the usual way.
nobody_ends_it() {
	BEFORE=$(whole)
	refused cli gc
	refused detach c0
	sleeper_start
	refused attach c0 "$SLEEPER" fixed
	refused_for "'$LEASED'" fixed "io.oci-macvlan.ip=$LEASED"
}

# Whoever else comes across it.
nobody_touches_it() {
	local name

	nobody_ends_it
	refused cli gc --dry-run
	refused cli ps
	refused cli check
	refused cli network rm -f inside
	refused cli network rm -f lan given fixed
	refused cli network rm fixed
	sleeper_join "$HOLDER"
	refused attach c2 "$SLEEPER" fixed
	refused_for "'$GIVEN'" fixed "io.oci-macvlan.ip=$GIVEN"
	network_write "$(jq -n --arg range "$GIVEN/32" '{name: "full", parent: "eth0",
		subnets: [{subnet: "10.0.0.0/24", ip_range: $range}]}')"
	refused_for "no free address" full
	network_write '{"name": "alone", "parent": "eth0", "mode": "passthru",
		"subnets": [{"subnet": "10.0.0.0/24"}]}'
	refused_for "mode passthru" alone
	refused_for "MAC" fixed "io.oci-macvlan.mac=$(mac_of "$HOLDER" eth1)"
	client_renew c0
	wait_until event_failed
	assert_eq "$BEFORE" "$(whole)" "after a DHCP event"
	for name in lan given inside fixed; do
		[ -e "$ETC/networks/$name.json" ]
	done
	# Nobody else is kept from anything.
	sleeper_start
	attach c3 "$SLEEPER" fixed
	release c3
	assert_eq "$BEFORE" "$(whole)" "after another container"
}

@test "a key of the record" {
	dead_container
	spoil .
	nobody_ends_it
	mend
}

@test "a key of an endpoint" {
	dead_container
	spoil '.endpoints[0]'
	nobody_ends_it
	mend
}

@test "a key of an endpoint's dhcp" {
	dead_container
	spoil '.endpoints[0].dhcp'
	nobody_touches_it
	mend
}

# How long the kernel keeps the leased address: so many seconds, within 5.
lifetime_is() { # PID SECONDS
	local found

	found=$(in_netns "$1" ip -4 -j addr show dev eth0 |
		jq '.[].addr_info[] | select(.local).valid_life_time')
	[ "$found" -le "$2" ] && [ "$found" -gt $(($2 - 5)) ]
}

# Its client has asked, so the server, which knows no other answer, has refused.
was_refused() {
	[ "$(hostile_got REQUEST)" -ge 1 ]
}

# Else the kernel took it away 20 s after the lease that the record is from.
@test "a lease that is renewed: the address stays" {
	dhcp_stop
	hostile_start 51:00000258
	network_dhcp
	attach_lan c0
	wait_until lifetime_is "$SLEEPER" 620
	spoil '.endpoints[0].dhcp'
	dhcp_stop hostile
	hostile_start 51:00001000
	client_renew c0
	wait_until lifetime_is "$SLEEPER" 4116
	wait_until event_failed
	# Another address it cannot have.
	dhcp_stop hostile
	hostile_start --address 10.0.0.67 51:00000100
	: >"$RUN/errors"
	client_renew c0
	wait_until event_failed
	ipv4_is "$SLEEPER" "$ADDRESS"
	# Nor does it lose the one that it has, for as long as that is promised.
	dhcp_stop hostile
	hostile_start --nak
	client_renew c0
	wait_until was_refused
	ipv4_is "$SLEEPER" "$ADDRESS"
	client_lives c0
	cp "$BATS_TEST_TMPDIR/c0.json" "$RUN/containers/c0.json"
	release c0
}

# Only its record leads to the parent.
@test "a parent that we made stays for an endpoint that has lost its link" {
	dead_container
	in_netns "$HOLDER" ip link del eth2
	spoil '.endpoints[2]'
	rm "$ETC/networks/inside.json"
	BEFORE=$(whole)
	refused cli network rm -f inside
	refused cli network rm -f nothing
	mend
	cli network rm -f inside
	refute has_host_link "$PARENT"
}

# A pod whose owner's record cannot be read.
@test "members of a pod stay in it" {
	dead_container
	cp "$RUN/containers/c0.json" "$BATS_TEST_TMPDIR/owner.json"
	jq -c --arg pid "$HOLDER" '.members += [{id: "m1", pid: 1, start: 1}]' \
		"$BATS_TEST_TMPDIR/owner.json" >"$RUN/containers/c0.json"
	echo '{"id":"m1","joined":"c0"}' >"$RUN/containers/m1.json"
	spoil '.endpoints[1]'
	BEFORE=$(whole)
	refused cli gc
	refused detach m1
	sleeper_join "$HOLDER"
	refused attach m1 "$SLEEPER" given
	mend
}
