#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What version 0.1.0 has started, this one shows, starts again, stops and collects; and the other
# way, as two installations do that share a RUN. versions_both.bats has both at work at once.

load lib.bash
load dhcp.bash
load dhcp_clients.bash
load plugins.bash
load versions.bash

setup_file() {
	old_setup_file
	lab_setup_file
	lan_add_parent eth1 20
}

setup() {
	lab_setup
	old_setup
}

teardown() {
	dhcp_teardown
	ip netns del shared 2>/dev/null || true
}

# --- the kinds ---

# Each has a function KIND_begin, which is called once, and sets NETWORKS and OPTIONS; others may be
# there: KIND_namespace readies a new namespace (in SLEEPER), KIND_ended looks what is left elsewhere.

plain_begin() {
	network_dual
	NETWORKS=macvlan0 OPTIONS=()
}

named_begin() {
	plain_begin
	OPTIONS=(io.oci-macvlan.name=web1)
}

dhcp_begin() {
	network_dhcp
	dnsmasq_start
	NETWORKS=lan OPTIONS=()
}

dhcp_ended() {
	wait_until test ! -s "$(dhcp_dir)/dnsmasq.leases"
}

dhcp_named_begin() {
	dhcp_begin
	OPTIONS=(io.oci-macvlan.name=web1)
}

dhcp_named_ended() { dhcp_ended; }

plugin_begin() {
	host_local_network
	NETWORKS=macvlan0 OPTIONS=()
}

plugin_ended() {
	assert_eq "" "$(leases)" "what host-local has"
}

host_access_begin() {
	network_dual '{"host_access": true}'
	NETWORKS=macvlan0 OPTIONS=()
}

host_access_namespace() {
	can_ping "$1" 10.0.0.2
	can_ping "$1" 2001:db8:babe:cafe::2
}

# The namespace has an id before the hook comes.
shared_begin() {
	plain_begin
}

shared_namespace() {
	ip netns del shared 2>/dev/null || true
	ip netns attach shared "$1"
	ip netns set shared auto
}

two_begin() {
	network_dual
	network_write '{"name": "storage", "parent": "eth1",
		"subnets": [{"subnet": "10.20.0.0/24", "gateway": "10.20.0.1"}]}'
	NETWORKS=macvlan0,storage OPTIONS=()
}

if_there() { # FUNCTION [ARG]...
	! declare -F "$1" >/dev/null || "$@"
}

# --- their lives ---

# Starts c0 in a new namespace; its pid is in SLEEPER.
start() { # OLD|NEW KIND
	held_sleeper_start
	[ "$2" != shared ] || shared_namespace "$SLEEPER"
	by "$1" attach c0 "$SLEEPER" "$NETWORKS" "${OPTIONS[@]}"
}

# Called once more, as where prestart and createRuntime are both set.
attach_again() { # OLD|NEW
	local before

	before=$(network_state "$SLEEPER" && host_state && run_listing)
	by "$1" attach c0 "$SLEEPER" "$NETWORKS" "${OPTIONS[@]}"
	assert_eq "$before" "$(network_state "$SLEEPER" && host_state && run_listing)" "after it"
}

# Dies without a poststop and comes back.
restart() { # OLD|NEW KIND
	local before first=$HOLDER

	before=$(all_addresses "$SLEEPER")
	sleeper_stop "$SLEEPER"
	start "$1" "$2"
	assert_eq "" "$(links "$first")" "links left behind"
	# What host-local gives next is its own affair.
	[ "$2" = plugin ] || assert_eq "$before" "$(all_addresses "$SLEEPER")" "addresses"
	can_ping "$SLEEPER" 10.0.0.1
}

ended() { # BY-WHOM KIND
	[ "$1" = NEW ] || sweep_names
	assert_ended "$HOLDER"
	if_there "$2_ended"
}

# One container of KIND: started by one, and all else by the other.
life() { # STARTS GOES-ON KIND
	"$3_begin"
	start "$1" "$3"
	can_ping "$SLEEPER" 10.0.0.1
	[ "$3" != host_access ] || host_access_namespace "$SLEEPER"
	# shellcheck disable=SC2086 # words
	by "$2" assert_listed c0 "$SLEEPER" ${NETWORKS//,/ }
	by "$2" cli gc
	can_ping "$SLEEPER" 10.0.0.1
	if [ "$1" = OLD ]; then
		attach_again "$2"
		restart "$2" "$3"
		sleeper_stop "$SLEEPER"
		by "$1" detach c0
		ended "$1" "$3"
		start "$1" "$3"
	fi
	sleeper_stop "$SLEEPER"
	by "$2" detach c0
	ended "$2" "$3"
	start "$1" "$3"
	sleeper_stop "$SLEEPER"
	by "$2" cli gc
	ended "$2" "$3"
}

@test "0.1.0 starts it, this version goes on: an endpoint" { life OLD NEW plain; }
@test "0.1.0 starts it, this version goes on: an endpoint of a name" { life OLD NEW named; }
@test "0.1.0 starts it, this version goes on: DHCP" { life OLD NEW dhcp; }
@test "0.1.0 starts it, this version goes on: DHCP, of a name" { life OLD NEW dhcp_named; }
@test "0.1.0 starts it, this version goes on: a CNI IPAM plugin" { life OLD NEW plugin; }
@test "0.1.0 starts it, this version goes on: host_access" { life OLD NEW host_access; }
@test "0.1.0 starts it, this version goes on: a namespace that had an id" { life OLD NEW shared; }
@test "0.1.0 starts it, this version goes on: two networks" { life OLD NEW two; }

@test "this version starts it, 0.1.0 lists and ends it: an endpoint" { life NEW OLD plain; }
@test "this version starts it, 0.1.0 lists and ends it: DHCP" { life NEW OLD dhcp; }
@test "this version starts it, 0.1.0 lists and ends it: host_access" { life NEW OLD host_access; }

# --- pods ---

# The owner, M0, and a member, M1, of a version each. Both pids are in their namespace.
pod_start() { # OWNER'S MEMBER'S
	held_sleeper_start
	M0=$SLEEPER
	by "$1" attach m0 "$M0" "$NETWORKS"
	sleeper_join "$M0"
	M1=$SLEEPER
	by "$2" attach m1 "$M1" "$NETWORKS"
	assert_eq eth0 "$(links "$M0")" interfaces
	by "$1" assert_listed m0 "$M0" "$NETWORKS"
	by "$2" assert_listed m0 "$M0" "$NETWORKS"
}

# Each is ended by the other version than it was started with.
pod_life() { # OWNER'S MEMBER'S
	local before

	plain_begin
	pod_start "$1" "$2"
	before=$(network_state "$M0")
	sleeper_stop "$M0"
	by "$2" detach m0
	assert_eq "$before" "$(network_state "$M1")" "after the owner has left"
	sleeper_stop "$M1"
	by "$1" detach m1
	assert_ended "$HOLDER"

	pod_start "$1" "$2"
	before=$(network_state "$M0")
	sleeper_stop "$M1"
	by "$1" detach m1
	assert_eq "$before" "$(network_state "$M0")" "after the member has left"
	sleeper_stop "$M0"
	by "$2" detach m0
	assert_ended "$HOLDER"

	# Nobody calls poststop.
	pod_start "$1" "$2"
	sleeper_stop "$M0"
	by "$2" cli gc
	can_ping "$M1" 10.0.0.1
	sleeper_stop "$M1"
	by "$2" cli gc
	assert_ended "$HOLDER"
}

@test "a pod: the owner by 0.1.0, a member by this version" { pod_life OLD NEW; }
@test "a pod: the owner by this version, a member by 0.1.0" { pod_life NEW OLD; }
