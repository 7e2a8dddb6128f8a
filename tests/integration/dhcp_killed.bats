#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# kill -9 of a DHCP client's event script while it applies a changed lease, at any of the system calls
# that change something: the next event makes good whatever is missing. (tests/crash kills the rest.)
# And one that is stopped.

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dhcp
	hostile_start
	attach_lan c0
	OLD=66
	NEW=67
}

teardown() {
	dhcp_teardown
}

# The LAN's server gives another address and another router from now on.
server_changes() {
	dhcp_stop hostile
	hostile_start --address "10.0.0.$NEW" "3:0a0000$(printf %02x $((NEW + 100)))"
}

no_event() {
	[ -z "$(pgrep -f '\.event (bound|renew|deconfig|nak|leasefail)')" ]
}

is_traced() { # PID
	! grep -qx $'TracerPid:\t0' "/proc/$1/status"
}

# All that a lease has: one address, its claim and no other, the route.
is_changed() {
	ipv4_is "$SLEEPER" "10.0.0.$NEW/24" &&
		default_is "$SLEEPER" "10.0.0.$((NEW + 100)) eth0" &&
		[ ! -L "$RUN/pools/eth0/10.0.0.$OLD" ] &&
		[ "$(claim_owner "10.0.0.$NEW")" = c0/eth0 ]
}

is_killed() {
	grep -q 'killed by SIGKILL' "$BATS_TEST_TMPDIR/trace"
}

is_over() {
	no_event && { is_killed || is_changed; }
}

# Renews, and kills whichever process of the client's is about to make its Nth CALL.
renew_killed() { # CALL N
	local client strace

	client=$(client_of c0)
	: >"$BATS_TEST_TMPDIR/trace"
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace="$1" -e inject="$1":signal=KILL:when="$2" \
		-p "$client" 2>"$BATS_TEST_TMPDIR/strace" 3>&- &
	strace=$!
	wait_until is_traced "$client"
	client_renew c0
	wait_until is_over
	kill "$strace"
	wait "$strace" || true
	refute is_traced "$client"
	wait_until client_lives c0
}

# Sets KILLED to whether there is such a call.
change_killed() { # CALL N
	server_changes
	renew_killed "$1" "$2"
	KILLED=false
	if is_killed; then
		KILLED=true
		client_renew c0
	fi
	wait_until is_changed
	wait_until no_event
	lan_ping router "10.0.0.$NEW"
	read -r OLD NEW <<<"$NEW $OLD"
}

@test "killed at any call that changes something, the next event makes it good" {
	local call n kills=0

	for call in setns setsid renameat symlinkat unlinkat sendto; do
		n=1
		change_killed "$call" 1
		[ "$KILLED" = true ] || fail "no $call is made"
		while [ "$KILLED" = true ]; do
			kills=$((kills + 1))
			n=$((n + 1))
			change_killed "$call" "$n"
		done
	done
	echo "# $kills kills" >&3
	assert_eq 1 "$(clients | wc -w)" "clients"
	release c0
	assert_run_empty
}

@test "killed while it holds the container's lock: poststop goes on" {
	server_changes
	renew_killed symlinkat 1
	is_killed || fail "it makes no claim"
	sleeper_stop "$SLEEPER"
	detach c0
	no_clients
	assert_run_empty
}

# The process that a trace says is stopped, in STOPPED.
is_stopped() {
	STOPPED=$(awk '/stopped by SIGSTOP/ { print $1 }' "$BATS_TEST_TMPDIR/trace")
	[ -n "$STOPPED" ]
}

# Renews, and leaves the process that is to apply the change stopped; its pid is in STOPPED.
renew_stopped() {
	local client strace

	client=$(client_of c0)
	strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=setsid -e inject=setsid:signal=STOP \
		-p "$client" 2>"$BATS_TEST_TMPDIR/strace" 3>&- &
	strace=$!
	wait_until is_traced "$client"
	client_renew c0
	wait_until is_stopped
	kill "$strace"
	wait "$strace" || true
}

@test "stopped until the id is another container's: that one is let alone" {
	renew_stopped
	release c0
	attach_lan c0
	# For the earlier client's event it would be its container that has died.
	sleeper_stop "$SLEEPER"
	grep -q '^State:.T (stopped)' "/proc/$STOPPED/status"
	kill -CONT "$STOPPED"
	wait_until process_gone "$STOPPED"
	[ -e "$RUN/containers/c0.json" ] || fail "the record is gone"
	wait_until client_lives c0
	detach c0
}
