#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The walkthrough's attach on kernel 6.1 (Debian 12's own), where an interface for a container can
# not be created by a name that the host uses too, unless it has an index: the host has eth0, and so
# has the container.
#
#	tests/vm-run.sh env OCI_MACVLAN_ISOLATED=1 TMPDIR=/run/tmp bats tests/integration/uml.bats

load lib.bash

setup_file() {
	if ! grep -q 'User Mode Linux' /proc/cpuinfo; then
		echo "run it under tests/vm-run.sh" >&2
		return 1
	fi
	lab_setup_file
}

setup() {
	lab_setup
	network_dual
}

teardown() {
	lab_teardown
}

assert_endpoint() { # PID ADDRESS4 ADDRESS6
	assert_eq eth0 "$(links "$1")"
	assert_addresses "$1" eth0 "$2/24" "$3/64"
	assert_default "$1" 4 "10.0.0.1 eth0"
	assert_default "$1" 6 "2001:db8:babe:cafe::1 eth0"
	can_ping "$1" 10.0.0.1
	can_ping "$1" 2001:db8:babe:cafe::1
}

# Nothing on the host but what the test put there.
assert_host_links() {
	assert_eq "eth0 lo" "$(ip -j link show | jq -r 'map(.ifname) | sort | join(" ")')"
}

@test "the kernel refuses the name, and is what we think it is" {
	assert_eq 6.1 "$(uname -r | cut -d . -f 1-2)"
	sleeper_start
	run ip link add eth0 link eth0 netns "$SLEEPER" type macvlan mode bridge
	refute test "$status" -eq 0
	assert_contains "$output" exists
}

@test "eth0 on eth0: automatic and static, ping, neighbours, detach" {
	sleeper_start
	first=$SLEEPER
	attach c0 "$first" macvlan0
	assert_endpoint "$first" 10.0.0.3 2001:db8:babe:cafe::3
	sleeper_start
	attach c1 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.40 io.oci-macvlan.ip6=2001:db8:babe:cafe::40
	assert_endpoint "$SLEEPER" 10.0.0.40 2001:db8:babe:cafe::40
	can_ping "$SLEEPER" 10.0.0.3
	can_ping "$SLEEPER" 2001:db8:babe:cafe::3
	lan_ping router 10.0.0.40
	assert_eq 02:42:0a:00:00:28 "$(lan_neighbour router 10.0.0.40)"
	assert_host_links
	release c1
	release c0 "$first"
	assert_run_empty
}

# Up to 6.12 the kernel looks for a new link's index in the host's namespace, and not for its name.
@test "an index that is taken on the host gives way to the next" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	first=$(link_get "$SLEEPER" eth0 .ifindex)
	cli network rm -f macvlan0
	network_dual
	ip link add x0 index "$first" type bridge
	attach c0 "$SLEEPER" macvlan0
	second=$(link_get "$SLEEPER" eth0 .ifindex)
	[ "$first" -ne "$second" ] || fail "the index is $second again"
	assert_endpoint "$SLEEPER" 10.0.0.3 2001:db8:babe:cafe::3
	release c0
	ip link del x0
	assert_run_empty
}

@test "an index that is taken in the container gives way to the next" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	first=$(link_get "$SLEEPER" eth0 .ifindex)
	cli network rm -f macvlan0
	network_dual
	in_netns "$SLEEPER" ip link add x0 index "$first" type bridge
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	release c0
	assert_run_empty
}

@test "passthru, source and private on a parent of the same name" {
	for mode in passthru source private; do
		network_dual "{\"mode\": \"$mode\", \"source_macs\": [\"02:00:00:00:00:99\"]}"
		[ $mode = source ] || network_dual "{\"mode\": \"$mode\"}"
		sleeper_start
		attach c0 "$SLEEPER" macvlan0
		assert_eq "$mode" "$(link_get "$SLEEPER" eth0 .linkinfo.info_data.mode)"
		assert_eq eth0 "$(links "$SLEEPER")"
		release c0
		assert_host_links
	done
}

@test "a name that is taken in the container is refused, whoever says EEXIST" {
	sleeper_start
	in_netns "$SLEEPER" ip link add eth0 type bridge
	run attach c0 "$SLEEPER" macvlan0@eth0
	assert_eq 1 "$status"
	assert_contains "$output" eth0
	assert_eq eth0 "$(links "$SLEEPER")"
	assert_run_empty
	assert_host_links
}

@test "a failure after the link is made leaves nothing" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_start
	run attach c1 "$SLEEPER" '[{"name": "macvlan0", "mac": "02:42:0a:00:00:03"}]'
	assert_eq 1 "$status"
	assert_eq "" "$(links "$SLEEPER")"
	assert_host_links
}

# Not by nsenter: the machine's root is a chroot here, which it would leave.
@test "DNS: the mount covers an image's file, one that is missing, and a link" {
	network_dual '{"dns": {"mode": "static", "servers": ["10.0.0.53"]}}'
	ROOTFS=$BATS_TEST_TMPDIR/rootfs
	mkdir -p "$ROOTFS/etc"
	bundle_make c0
	for image in missing file link; do
		case $image in
		file) echo image >"$ROOTFS/etc/resolv.conf" ;;
		link) ln -sf ../nowhere "$ROOTFS/etc/resolv.conf" ;;
		esac
		private_sleeper_start
		attach c0 "$SLEEPER" macvlan0
		assert_eq "nameserver 10.0.0.53" \
			"$(cat "/proc/$SLEEPER/root$ROOTFS/etc/resolv.conf")" "$image"
		release c0
		[ $image != missing ] || [ ! -e "$ROOTFS/etc/resolv.conf" ]
	done
	assert_eq ../nowhere "$(readlink "$ROOTFS/etc/resolv.conf")"
}

@test "a real runc container" {
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	assert_endpoint "$(container_pid c0)" 10.0.0.3 2001:db8:babe:cafe::3
	rt_delete c0
	assert_run_empty
}
