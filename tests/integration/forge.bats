#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A process with CAP_NET_ADMIN in the container's namespace forges the kernel's answers, to every
# port, while hooks are at work there. None may take a forged success for one: what must fail fails
# and is undone, and what succeeds is there, as the kernel says.

load lib.bash

# ip(8) is flooded as well: it gives up when its socket is full, or waits for ever for an answer that
# found no room there. What only looks may look again.
in_netns() { # PID COMMAND...
	local tries seen

	if [[ " ${*:2} " == *" -j "* ]]; then
		for ((tries = 0; tries < 50; tries++)); do
			seen=$(timeout 5 nsenter -t "$1" -n "${@:2}" 2>/dev/null) || continue
			echo "$seen"
			return
		done
	fi
	nsenter -t "$1" -n "${@:2}"
}

setup_file() {
	lab_setup_file
}

# One namespace for all containers of a test: "anchor" holds it.
setup() {
	lab_setup
	network_dual
	sleeper_start
	anchor=$SLEEPER
	in_netns "$anchor" ip link set lo up
}

# The flood is in that namespace.
flood_start() {
	"$BUILD/crash/forge" flood "$anchor" </dev/null >/dev/null 2>&1 3>&- &
	disown $!
	echo $! >>"$SLEEPERS"
}

teardown() {
	lab_teardown
}

# Another init in that namespace: its pid in INIT.
init_start() {
	sleeper_join "$anchor"
	INIT=$SLEEPER
}

@test "the forgery is good: a naive reader takes it for the kernel's" {
	flood_start
	assert_eq fooled "$("$BUILD/crash/forge" victim "$anchor" 20)"
}

@test "60 attaches and detaches under forged answers: each is there, and gone" {
	flood_start
	for ((n = 0; n < 60; n++)); do
		init_start
		attach "c$n" "$INIT" macvlan0
		assert_eq true "$(link_get "$INIT" eth0 '.flags | index("UP") != null')" "eth0 is up"
		assert_addresses "$INIT" eth0 "10.0.0.$((3 + n))/24" \
			"2001:db8:babe:cafe::$(printf %x $((3 + n)))/64"
		assert_default "$INIT" 4 "10.0.0.1 eth0"
		assert_default "$INIT" 6 "2001:db8:babe:cafe::1 eth0"
		release "c$n" "$INIT"
		assert_eq "" "$(links "$anchor")" "links after detach $n"
		assert_run_empty
	done
}

@test "30 attaches whose route the kernel refuses fail under forged answers, and leave nothing" {
	# By way of an address of the namespace's own.
	in_netns "$anchor" ip addr add 2001:db8:babe:cafe::9/128 dev lo
	network_dual '{"routes": [{"dst": "2001:db8:1::/48", "gateway": "2001:db8:babe:cafe::9"}]}'
	flood_start
	for ((n = 0; n < 30; n++)); do
		init_start
		run attach "c$n" "$INIT" macvlan0
		assert_eq 1 "$status" "exit status of attach $n: $output"
		assert_contains "$output" "cannot add the route to '2001:db8:1::/48'"
		assert_eq "" "$(links "$anchor")" "links after attach $n"
		assert_run_empty
	done
}

@test "20 attaches whose name is taken fail under forged answers" {
	in_netns "$anchor" ip link add eth7 type bridge
	flood_start
	for ((n = 0; n < 20; n++)); do
		init_start
		run attach "c$n" "$INIT" macvlan0@eth7
		assert_eq 1 "$status" "exit status of attach $n: $output"
		assert_contains "$output" "'eth7' is taken"
		assert_eq eth7 "$(links "$anchor")"
		assert_run_empty
	done
}

@test "an attach whose MAC is busy fails under forged answers: its link cannot be up" {
	sleeper_start
	other=$SLEEPER
	attach other "$other" macvlan0 io.oci-macvlan.mac=02:42:00:00:00:99
	flood_start
	for ((n = 0; n < 3; n++)); do
		init_start
		run attach "c$n" "$INIT" macvlan0 io.oci-macvlan.mac=02:42:00:00:00:99
		assert_eq 1 "$status" "exit status of attach $n: $output"
		assert_contains "$output" "is in use by container 'other'"
		assert_eq "" "$(links "$anchor")"
	done
	release other "$other"
	assert_run_empty
}
