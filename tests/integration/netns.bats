#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Namespaces and parents that the hook has to refuse, or to get along with.

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

# A call of the hook that must fail with one line that has all the TEXTs; nothing is left.
refuse() { # PID NETWORKS TEXT...
	local pid=$1 networks=$2
	shift 2

	before=$(links "$pid")
	run attach c0 "$pid" "$networks"
	assert_refused "$@"
	assert_eq "$before" "$(links "$pid")"
}

assert_refused() { # TEXT...
	assert_eq 1 "$status" "exit status"
	assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
	for text in "$@"; do
		assert_contains "$output" "$text"
	done
	assert_run_empty
}

@test "lo is up afterwards" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	can_ping "$SLEEPER" 127.0.0.1
	can_ping "$SLEEPER" ::1
}

@test "the host's own namespace" {
	sleep 1000 >/dev/null 2>&1 3>&- &
	disown $!
	echo $! >>"$SLEEPERS"
	refuse $! macvlan0 namespace host
}

@test "a user namespace that is not the initial one" {
	sleeper_start
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --user --map-root-user bash -c '. "$1"; shift; ETC=$1 RUN=$2 BUNDLES=$3 HOOK_ARGS=()
		attach c0 "$4" macvlan0' - "$REPO/tests/integration/lib.bash" "$ETC" "$RUN" "$BUNDLES" "$SLEEPER"
	assert_refused "user namespace"
}

# There it could do all of it: rootless engines have such a namespace.
@test "a user namespace that owns its network namespace is refused before anything is done" {
	# shellcheck disable=SC2016 # expanded by the inner shell
	run unshare --user --map-root-user --net bash -c '. "$1"; shift; ETC=$1 RUN=$2 BUNDLES=$3 HOOK_ARGS=()
		ip link add eth0 type veth peer name cable && ip link set eth0 up || exit
		unshare --net sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
		trap "kill $!" EXIT
		wait_until netns_differs $!
		attach c0 $! macvlan0' - "$REPO/tests/integration/lib.bash" "$ETC" "$BATS_TEST_TMPDIR/run" "$BUNDLES"
	assert_refused "user namespace"
	[ ! -e "$BATS_TEST_TMPDIR/run/containers" ]
}

@test "a lo by another name is set up" {
	sleeper_start
	in_netns "$SLEEPER" ip link set lo name loop0
	attach c0 "$SLEEPER" macvlan0
	assert_eq true "$(link_get "$SLEEPER" loop0 '.flags | index("UP") != null')" "loop0 is up"
}

@test "a missing parent" {
	network_dual '{"parent": "eth9"}'
	sleeper_start
	refuse "$SLEEPER" macvlan0 eth9
}

@test "a parent that is a port of a bridge" {
	ip link add br0 type bridge
	ip link add eth5 type veth peer name eth5p
	ip link set eth5 master br0 up
	network_dual '{"parent": "eth5"}'
	sleeper_start
	refuse "$SLEEPER" macvlan0 eth5 br0
	ip link del eth5
	ip link del br0
}

@test "a parent that is not Ethernet" {
	network_dual '{"parent": "lo"}'
	sleeper_start
	refuse "$SLEEPER" macvlan0 lo Ethernet
}

@test "a bridge as parent works" {
	ip link add br0 type bridge
	ip link set br0 up
	network_dual '{"parent": "br0"}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_eq eth0 "$(links "$SLEEPER")"
	release c0
	ip link del br0
}

@test "an interface name that is taken in the container" {
	sleeper_start
	in_netns "$SLEEPER" ip link add net0 type bridge
	refuse "$SLEEPER" macvlan0@net0 net0
}

@test "names by default skip what is taken" {
	sleeper_start
	in_netns "$SLEEPER" ip link add eth0 type bridge
	attach c0 "$SLEEPER" macvlan0
	assert_eq "eth0 eth1" "$(links "$SLEEPER")"
	assert_addresses "$SLEEPER" eth1 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

@test "names by default skip what the list itself uses" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0,macvlan0@eth0
	assert_eq "eth0 eth1" "$(links "$SLEEPER")"
}

@test "the same name twice in one list" {
	sleeper_start
	refuse "$SLEEPER" macvlan0@net0,macvlan0@net0 net0
}

@test "a process that is gone, and none at all" {
	sleeper_start
	sleeper_stop "$SLEEPER"
	run attach c0 "$SLEEPER" macvlan0
	assert_refused "$SLEEPER"
	run attach c0 0 macvlan0
	assert_refused pid
}

@test "IPv6 that was turned off in the namespace is turned on for us" {
	sleeper_start
	for name in all default; do
		in_netns "$SLEEPER" sh -c "echo 1 >/proc/sys/net/ipv6/conf/$name/disable_ipv6"
	done
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	can_ping "$SLEEPER" 2001:db8:babe:cafe::1
}

@test "router advertisements change nothing" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_eq 0 "$(sysctl_of "$SLEEPER" net/ipv6/conf/eth0/accept_ra)"
}

@test "a parent that is down: the endpoint comes alive with it" {
	ip link set eth0 down
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	ip link set eth0 up
	lan_addr eth0 2001:db8:babe:cafe::2/64
	wait_until can_ping "$SLEEPER" 10.0.0.1
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
}

@test "a network nobody defined, and names that are none" {
	sleeper_start
	refuse "$SLEEPER" nowhere nowhere
	refuse "$SLEEPER" ../macvlan0 ../macvlan0
	refuse "$SLEEPER" ns/macvlan0 ns/macvlan0
	refuse "$SLEEPER" macvlan0@waytoolonginterface waytoolonginterface
}

@test "a MAC that is in use on the parent: an error that names it" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_start
	before=$(run_listing)
	run attach c1 "$SLEEPER" '[{"name": "macvlan0", "mac": "02:42:0a:00:00:03"}]'
	assert_eq 1 "$status"
	assert_contains "$output" 02:42:0a:00:00:03
	assert_eq "$before" "$(run_listing)"
	assert_eq "" "$(links "$SLEEPER")"
}

@test "a MAC that a dying container still holds: the attach waits for it" {
	for round in 1 2 3 4 5; do
		sleeper_start
		attach c0 "$SLEEPER" '[{"name": "macvlan0", "mac": "02:00:00:00:00:77"}]'
		can_ping "$SLEEPER" 10.0.0.1
		release c0
		assert_run_empty
	done
	assert_eq 5 "$round"
}

@test "MACs that cannot be one's own" {
	sleeper_start
	for mac in 01:00:5e:00:00:01 00:00:00:00:00:00 02:00:00:00:00 nonsense; do
		refuse "$SLEEPER" "[{\"name\": \"macvlan0\", \"mac\": \"$mac\"}]" "$mac"
	done
}

@test "misuse: usage on stderr, exit status 2" {
	for arguments in "" start "--bogus createRuntime" "createRuntime poststop" "--etc"; do
		# shellcheck disable=SC2086 # several words
		run "$BUILD/oci-macvlan-hook" $arguments </dev/null
		assert_eq 2 "$status" "exit status of '$arguments'"
		assert_contains "$output" createRuntime
	done
}
