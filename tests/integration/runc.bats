#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a container gets, with real containers: the runtime is the one that the file is named after
# (crun.bats is a symbolic link to runc.bats). What does not depend on the runtime is in the other
# files.

RT=$(basename "$BATS_TEST_FILENAME" .bats)
export RT
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

# A create that must fail, leaving no container; the hook's reason in $reason (crun hides stderr).
refuse_create() { # ID
	refute rt_create "$1"
	refute rt state "$1" 2>/dev/null
	reason=$(tail -n 1 "$RUN/errors")
}

@test "automatic: both families, gateways, accept_ra=0, MAC from the address" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	pid=$(container_pid c0)
	assert_addresses "$pid" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_default "$pid" 4 "10.0.0.1 eth0"
	assert_default "$pid" 6 "2001:db8:babe:cafe::1 eth0"
	assert_eq 02:42:0a:00:00:03 "$(mac_of "$pid" eth0)"
	assert_eq "macvlan bridge" "$(link_get "$pid" eth0 \
		'.linkinfo | "\(.info_kind) \(.info_data.mode)"')"
	assert_eq 0 "$(sysctl_of "$pid" net/ipv6/conf/eth0/accept_ra)"
	assert_eq 0 "$(sysctl_of "$pid" net/ipv6/conf/eth0/disable_ipv6)"
	assert_eq eth0 "$(links "$pid")"
	in_netns "$pid" ip -j addr show dev eth0 | jq -e \
		'all(.[].addr_info[] | select(.scope == "global"); .tentative | not)'
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	assert_eq c0/eth0 "$(claim_owner 10.0.0.3)"
}

@test "both containers, the gateway and a machine of the LAN reach each other, the host does not" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	container_run c1 -a io.oci-macvlan.networks=macvlan0
	pid=$(container_pid c0)
	for address in 10.0.0.1 2001:db8:babe:cafe::1 10.0.0.4 2001:db8:babe:cafe::4; do
		can_ping "$pid" "$address"
	done
	for address in 10.0.0.3 2001:db8:babe:cafe::3; do
		lan_ping router "$address"
		can_ping "$(container_pid c1)" "$address"
		assert_eq 02:42:0a:00:00:03 "$(lan_neighbour router "$address")"
	done
	cannot_ping "$pid" 10.0.0.2
	cannot_ping "$pid" 2001:db8:babe:cafe::2
}

@test "static addresses, MAC and interface by the shorthands" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.ip=10.0.0.40 \
		-a io.oci-macvlan.ip6=2001:db8:babe:cafe::40 -a io.oci-macvlan.mac=02:00:00:00:aa:bb \
		-a io.oci-macvlan.interface=lan7
	pid=$(container_pid c0)
	assert_addresses "$pid" lan7 10.0.0.40/24 2001:db8:babe:cafe::40/64
	assert_eq 02:00:00:00:aa:bb "$(mac_of "$pid" lan7)"
	assert_eq lan7 "$(links "$pid")"
	can_ping "$pid" 10.0.0.1
}

@test "static addresses, MAC and interface by the JSON selection" {
	network_dual
	container_run c0 -a 'io.oci-macvlan.networks=[{"name": "macvlan0", "interface": "net0",
		"ips": ["10.0.0.41", "2001:db8:babe:cafe::41/64"], "mac": "02:00:00:00:aa:cc"}]'
	pid=$(container_pid c0)
	assert_addresses "$pid" net0 10.0.0.41/24 2001:db8:babe:cafe::41/64
	assert_eq 02:00:00:00:aa:cc "$(mac_of "$pid" net0)"
}

@test "two networks on two parents: eth0 and eth1, the first gives the default routes" {
	network_dual
	network_write '{"name": "storage", "parent": "eth1", "subnets": [
		{"subnet": "10.7.0.0/24", "gateway": "10.7.0.1"},
		{"subnet": "2001:db8:7::/64", "gateway": "2001:db8:7::1"}]}'
	container_run c0 -a io.oci-macvlan.networks=macvlan0,storage
	pid=$(container_pid c0)
	assert_eq "eth0 eth1" "$(links "$pid")"
	assert_addresses "$pid" eth1 10.7.0.3/24 2001:db8:7::3/64
	assert_default "$pid" 4 "10.0.0.1 eth0"
	assert_default "$pid" 6 "2001:db8:babe:cafe::1 eth0"
	can_ping "$pid" 10.7.0.1
	can_ping "$pid" 2001:db8:7::1
	can_ping "$pid" 10.0.0.1
	assert_eq "10.7.0.3 2001:db8:7::3" "$(claims eth1)"
}

@test "the same network twice: two interfaces with addresses and MACs of their own" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0@a0,macvlan0@b0
	pid=$(container_pid c0)
	assert_addresses "$pid" a0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_addresses "$pid" b0 10.0.0.4/24 2001:db8:babe:cafe::4/64
	assert_eq 02:42:0a:00:00:04 "$(mac_of "$pid" b0)"
}

@test "--network arguments serve a container without annotations" {
	network_dual
	container_run c0 -n macvlan0@n0
	pid=$(container_pid c0)
	assert_addresses "$pid" n0 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

@test "the annotation wins over --network" {
	network_dual
	container_run c0 -n other -a io.oci-macvlan.networks=macvlan0@n0
	assert_addresses "$(container_pid c0)" n0 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

@test "a container that asks for nothing is not ours" {
	network_dual
	container_run c0 -a com.example=x
	assert_eq "" "$(links "$(container_pid c0)")"
	assert_run_empty
}

@test "the name: the same addresses again, and what inspect shows" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.name=web
	container_run c1 -a io.oci-macvlan.networks=macvlan0
	rt_delete c0
	container_run c2 -a io.oci-macvlan.networks=macvlan0
	container_run c3 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.name=web
	assert_addresses "$(container_pid c2)" eth0 10.0.0.5/24 2001:db8:babe:cafe::5/64
	assert_addresses "$(container_pid c3)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_eq web "$(cli network inspect macvlan0 | jq -r '.[0].Containers.c3.Name')"
	assert_eq c2 "$(cli network inspect macvlan0 | jq -r '.[0].Containers.c2.Name')"
}

@test "an id that comes back has its addresses again; a freed address is reused last" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	rt_delete c0
	container_run c1 -a io.oci-macvlan.networks=macvlan0
	assert_addresses "$(container_pid c1)" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

@test "the host name of config.json is the Name when it is not the start of the id" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0 -j '.hostname = "web1"'
	assert_eq web1 "$(cli network inspect macvlan0 | jq -r '.[0].Containers.c0.Name')"
	container_run 0123456789abcdef0123 -a io.oci-macvlan.networks=macvlan0 \
		-j '.hostname = "0123456789ab"'
	assert_eq 0123456789ab "$(cli network inspect macvlan0 |
		jq -r '.[0].Containers["0123456789abcdef0123"].Name')"
}

@test "neighbours learn a reused address's new owner at once" {
	network_dual
	for mac in 02:00:00:00:00:01 02:00:00:00:00:02; do
		container_run c0 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.ip=10.0.0.50 \
			-a io.oci-macvlan.ip6=2001:db8:babe:cafe::50 -a io.oci-macvlan.mac=$mac
		if [ $mac = 02:00:00:00:00:01 ]; then
			lan_ping router 10.0.0.50
			lan_ping router 2001:db8:babe:cafe::50
		fi
		WAIT_SECONDS=2 wait_until router_has 10.0.0.50 $mac
		WAIT_SECONDS=2 wait_until router_has 2001:db8:babe:cafe::50 $mac
		rt_delete c0
	done
}

router_has() { # ADDRESS MAC
	[ "$(lan_neighbour router "$1")" = "$2" ]
}

@test "a taken static address: the owner is named, nothing is left, nothing runs" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	bundle_make c1 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.ip=10.0.0.3
	before=$(run_listing)
	refuse_create c1
	assert_contains "$reason" 10.0.0.3
	assert_contains "$reason" c0
	assert_eq "$before" "$(run_listing)"
	can_ping "$(container_pid c0)" 10.0.0.1
}

@test "a failure on the second network undoes the first" {
	network_dual
	network_write '{"name": "bad", "parent": "eth9", "subnets": [{"subnet": "10.9.0.0/24"}]}'
	bundle_make c0 -a io.oci-macvlan.networks=macvlan0,bad
	refuse_create c0
	assert_contains "$reason" eth9
	assert_run_empty
}

@test "a full pool is an error, and a free place is used again" {
	network_write '{"name": "macvlan0", "parent": "eth0", "subnets": [
		{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1", "ip_range": "10.0.0.64/31"}]}'
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	container_run c1 -a io.oci-macvlan.networks=macvlan0
	assert_eq "10.0.0.64 10.0.0.65" "$(claims)"
	bundle_make c2 -a io.oci-macvlan.networks=macvlan0
	refuse_create c2
	assert_contains "$reason" 10.0.0.64/31
	rt_delete c1
	container_run c3 -a io.oci-macvlan.networks=macvlan0
	assert_addresses "$(container_pid c3)" eth0 10.0.0.65/24
}

@test "a container in a user namespace of its own" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0 -j '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings | .mounts |= map(select(.type != "sysfs"))'
	pid=$(container_pid c0)
	assert_addresses "$pid" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	can_ping "$pid" 10.0.0.1
}

@test "a namespace given by path: the link goes at poststop, the namespace stays" {
	network_dual
	ip netns add joined
	container_run c0 -a io.oci-macvlan.networks=macvlan0 \
		-j '(.linux.namespaces[] | select(.type == "network")).path = "/run/netns/joined"'
	assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	rt_delete c0
	assert_eq lo "$(ip -n joined -j link | jq -r 'map(.ifname) | join(" ")')"
	ip netns del joined
}

@test "the host's own namespace is refused, with and without an entry in config.json" {
	network_dual
	bundle_make c0 -a io.oci-macvlan.networks=macvlan0 \
		-j '.linux.namespaces |= map(select(.type != "network"))
			| .mounts |= map(select(.type != "sysfs"))'
	refuse_create c0
	assert_contains "$reason" namespace
	bundle_make c1 -a io.oci-macvlan.networks=macvlan0 -j '(.linux.namespaces[]
		| select(.type == "network")).path = "/proc/self/ns/net"
			| .mounts |= map(select(.type != "sysfs"))'
	refuse_create c1
	assert_contains "$reason" namespace
	refute has_link $$ macvlan0
	assert_eq eth0 "$(ip -j link show type veth | jq -r '.[].ifname' | grep -x eth0)"
}

@test "poststop: by delete of a running, a killed and a created container" {
	network_dual
	for how in running killed created; do
		bundle_make c0 -a io.oci-macvlan.networks=macvlan0
		rt_create c0
		[ $how = created ] || rt_start c0
		[ $how != killed ] || rt_kill c0
		rt_delete c0
		assert_run_empty
	done
}

@test "prestart and createRuntime both set: one endpoint" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0 -j '.hooks.prestart =
		[.hooks.createRuntime[0] | .args[-1] = "prestart"]'
	pid=$(container_pid c0)
	assert_eq eth0 "$(links "$pid")"
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
}

@test "prestart alone" {
	network_dual
	container_run c0 -a io.oci-macvlan.networks=macvlan0 -j '.hooks.prestart =
		[.hooks.createRuntime[0] | .args[-1] = "prestart"] | del(.hooks.createRuntime)'
	assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

@test "the example's own config.json, but for paths" {
	network_dual
	bundle_make c0
	assert_eq macvlan0 "$(jq -r '.annotations["io.oci-macvlan.networks"]' "$BUNDLES/c0/config.json")"
	rt_run c0
	assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
}
