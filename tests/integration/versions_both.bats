#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# An upgrade under running containers, with their DHCP clients and runtimes; and version 0.1.0 and
# this one at work in one pool at once. versions.bats has their containers one by one.

load lib.bash
load dhcp.bash
load dhcp_clients.bash
load versions.bash

setup_file() {
	old_setup_file
	lab_setup_file
}

setup() {
	lab_setup
	old_setup
}

teardown() {
	dhcp_teardown
}

# --- an upgrade in place ---

# The server gives another address, and the client asks.
lease_changes() { # ID
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew "$1"
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/24
	wait_until claims_are 10.0.0.67
	can_ping "$SLEEPER" 10.0.0.1
}

was_released() {
	[ "$(hostile_got RELEASE)" = 1 ]
}

claims_are() { # ADDRESS
	[ "$(claims)" = "$1" ]
}

@test "a DHCP client calls the hook that has taken the place of its own" {
	network_dhcp
	hostile_start --address 10.0.0.66
	install_version OLD
	held_sleeper_start
	by BIN attach c0 "$SLEEPER" lan
	ipv4_is "$SLEEPER" 10.0.0.66/24
	install_version NEW
	lease_changes c0
	by BIN assert_listed c0 "$SLEEPER" lan
	sleeper_stop "$SLEEPER"
	by BIN detach c0
	assert_ended "$HOLDER"
	wait_until was_released
}

@test "a DHCP client calls the hook of 0.1.0, which reads what this version wrote" {
	network_dhcp
	hostile_start --address 10.0.0.66
	held_sleeper_start
	pid=$SLEEPER
	by OLD attach c0 "$pid" lan
	sleeper_join "$pid"
	by NEW attach c1 "$SLEEPER" lan
	by NEW cli gc
	lease_changes c0
	sleeper_stop "$pid"
	by NEW detach c0
	sleeper_stop "$SLEEPER"
	by OLD detach c1
	sweep_names
	assert_ended "$HOLDER"
}

@test "the client that 0.1.0 started has died: gc of this version starts another" {
	network_dhcp
	hostile_start --address 10.0.0.66
	by OLD attach_lan c0
	client_kill c0
	by NEW cli gc
	wait_until client_lives c0
	lease_changes c0
}

# runc has the path of the hook in its own state.
@test "a runtime's containers live through an upgrade" {
	install_version OLD
	network_dual '{"host_access": true}'
	by BIN container_run c0 -a io.oci-macvlan.networks=macvlan0
	by BIN container_run c1 -a io.oci-macvlan.networks=macvlan0
	install_version NEW
	by BIN container_run c2 -a io.oci-macvlan.networks=macvlan0
	by BIN cli gc
	for id in c0 c1 c2; do
		by BIN assert_listed "$id" "$(container_pid "$id")" macvlan0
		can_ping "$(container_pid "$id")" 10.0.0.2
	done
	rt_delete c0
	rt_kill c1
	rt_delete c1
	can_ping "$(container_pid c2)" 10.0.0.2
	rt_delete c2
	assert_run_empty
	assert_eq "" "$(host_state)" "left on the host"
}

# --- both at once ---

any_version() {
	local versions=(OLD NEW)

	echo "${versions[RANDOM % 2]}"
}

# ID dies, and somebody calls its poststop.
storm_end() { # ID VERSION
	kill -KILL "${PIDS[$1]}"
	wait_until process_gone "${PIDS[$1]}"
	by "$2" detach "$1"
}

# Fails where two living namespaces have an address in common, or one has not both.
assert_all_different() {
	local id found

	found=$(for id in "${!PIDS[@]}"; do
		all_addresses "${PIDS[$id]}"
	done | tr ' ' '\n' | grep '/')
	assert_eq "$((2 * ${#PIDS[@]}))" "$(wc -l <<<"$found")" "addresses"
	assert_eq "" "$(sort <<<"$found" | uniq -d)" "addresses that two have"
}

@test "both at once, 10 at a time in one pool: no address twice, nothing left" {
	local wave id jobs going seed=$RANDOM
	declare -A PIDS=()

	echo "seed $seed"
	RANDOM=$seed
	# Not much more than those that live at a time: addresses come again.
	network_dual "$(jq -n '{subnets: [{subnet: "10.0.0.0/24", gateway: "10.0.0.1", ip_range: "10.0.0.32/27"},
		{subnet: "2001:db8:babe:cafe::/64", gateway: "2001:db8:babe:cafe::1",
		 ip_range: "2001:db8:babe:cafe::20/123"}]}')"
	for wave in {1..4}; do
		mapfile -t going < <(printf '%s\n' "${!PIDS[@]}" | grep . | shuf -n 8)
		jobs=()
		for id in "${going[@]}"; do
			storm_end "$id" "$(any_version)" 3>&- &
			jobs+=($!)
		done
		for id in "${going[@]}"; do
			unset "PIDS[$id]"
		done
		for id in c"$wave"{0..9}; do
			sleeper_start
			PIDS[$id]=$SLEEPER
		done
		for id in c"$wave"{0..9}; do
			by "$(any_version)" attach "$id" "${PIDS[$id]}" macvlan0 3>&- &
			jobs+=($!)
		done
		for id in "${jobs[@]}"; do
			wait "$id"
		done
		assert_all_different
	done
	# The rest: half of it by whoever comes first.
	for id in "${!PIDS[@]}"; do
		kill -KILL "${PIDS[$id]}"
	done
	jobs=()
	for id in NEW OLD NEW OLD; do
		by "$id" cli gc >/dev/null 3>&- &
		jobs+=($!)
	done
	for id in "${!PIDS[@]}"; do
		by "$(any_version)" detach "$id" 3>&- &
		jobs+=($!)
	done
	for id in "${jobs[@]}"; do
		wait "$id"
	done
	assert_run_empty
	[ ! -e "$RUN/errors" ] || assert_eq "" "$(cat "$RUN/errors")" "errors"
}
