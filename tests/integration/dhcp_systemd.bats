#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Where systemd runs a DHCP client has a unit of its own: stopping the unit that has started the
# container must not take the client. With a real systemd:
#
#	tests/systemd-run.sh env OCI_MACVLAN_ISOLATED=1 TMPDIR=/run/tmp bats tests/integration/dhcp_systemd.bats

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	if [ ! -d /run/systemd/system ]; then
		echo "run it under tests/systemd-run.sh" >&2
		return 1
	fi
	lab_setup_file
}

setup() {
	lab_setup
	network_dhcp
	dnsmasq_start
}

teardown() {
	systemctl stop engine 2>/dev/null || true
	[ ! -e /run/systemd/private.away ] || socket_back
	dhcp_teardown
	wait_until n_scopes 0
}

scopes() {
	systemctl list-units --all --plain --no-legend 'oci-macvlan-dhcp-*' | cut -d ' ' -f 1
}

cgroup_of() { # PID
	sed -n 's/^0:://p' "/proc/$1/cgroup"
}

# What a runtime does, as the service 'engine': the container is not of it, as with conmon's scope.
engine_attach() { # ID
	sleeper_start
	state_json creating "$1" "$SLEEPER" io.oci-macvlan.networks=lan >"$BATS_TEST_TMPDIR/state"
	cat >"$BATS_TEST_TMPDIR/engine" <<-END
		#!/bin/bash
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime <"$BATS_TEST_TMPDIR/state" \\
			>"$BATS_TEST_TMPDIR/out" 2>&1
		echo \$? >"$BATS_TEST_TMPDIR/status"
		exec sleep 1000
	END
	chmod +x "$BATS_TEST_TMPDIR/engine"
	rm -f "$BATS_TEST_TMPDIR/status"
	systemd-run --quiet --unit=engine "$BATS_TEST_TMPDIR/engine"
	WAIT_SECONDS=60 wait_until test -s "$BATS_TEST_TMPDIR/status"
	cat "$BATS_TEST_TMPDIR/out"
	return "$(cat "$BATS_TEST_TMPDIR/status")"
}

@test "the client is in a scope of its own, and outlives the unit that has started it" {
	engine_attach c0
	look "$SLEEPER"
	pid=$(client_of c0)
	wait_until client_lives c0
	[[ $(cgroup_of "$pid") == /system.slice/oci-macvlan-dhcp-*.scope ]] ||
		fail "cgroup $(cgroup_of "$pid")"
	systemctl stop engine
	wait_until client_lives c0
	assert_eq "$pid" "$(client_of c0)"
	ipv4_is "$SLEEPER" "$ADDRESS"
	release c0
	no_clients
	wait_until dnsmasq_lease_gone "$MAC"
	wait_until n_scopes 0
}

# systemd hears a little later that one has ended.
n_scopes() { # N
	[ "$(scopes | wc -l)" -eq "$1" ]
}

@test "two containers, and one that comes back: a unit each" {
	sleeper_start
	attach c0 "$SLEEPER" lan
	first=$SLEEPER
	attach_lan c1
	wait_until n_scopes 2
	release c0 "$first"
	sleeper_start
	attach c0 "$SLEEPER" lan
	wait_until n_scopes 2
	assert_eq 2 "$(clients | wc -w)" "clients"
}

@test "stopping the scope is a farewell, and gc starts the client again" {
	attach_lan c0
	systemctl stop "$(scopes)"
	wait_until no_clients
	wait_until dnsmasq_lease_gone "$MAC"
	cli gc
	wait_until client_lives c0
	wait_until ipv4_is "$SLEEPER" "$ADDRESS"
}

@test "gc is a service that ends at once: the client that it has started lives on" {
	attach_lan c0
	client_kill c0
	printf '#!/bin/sh\nexec "%s" --etc "%s" --run "%s" gc\n' "$BUILD/oci-macvlan" "$ETC" "$RUN" \
		>"$BATS_TEST_TMPDIR/gc"
	chmod +x "$BATS_TEST_TMPDIR/gc"
	systemd-run --quiet --unit=gc --service-type=oneshot "$BATS_TEST_TMPDIR/gc"
	wait_until unit_ended gc
	wait_until client_lives c0
	[[ $(cgroup_of "$(client_of c0)") == /system.slice/oci-macvlan-dhcp-*.scope ]]
	wait_until ipv4_is "$SLEEPER" "$ADDRESS"
}

# Nothing of it runs any more.
unit_ended() { # UNIT
	[ "$(systemctl show -P ActiveState "$1")" = inactive ]
}

# --- a systemd that does not answer ---

socket_away() {
	mv /run/systemd/private /run/systemd/private.away
}

socket_back() {
	rm -f /run/systemd/private
	mv /run/systemd/private.away /run/systemd/private
}

@test "systemd cannot be reached: the client runs all the same" {
	socket_away
	attach_lan c0
	wait_until client_lives c0
	[ -n "$ADDRESS" ]
	client_kill c0
	cli gc
	wait_until client_lives c0
	socket_back
}

@test "systemd does not answer: the client runs all the same, within the limit" {
	socket_away
	/usr/bin/python3 -I -c '
import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("/run/systemd/private")
s.listen(5)
time.sleep(300)' </dev/null >/dev/null 2>&1 3>&- &
	mute=$!
	disown
	wait_until test -S /run/systemd/private
	sleeper_start
	start=$SECONDS
	run attach c0 "$SLEEPER" lan
	took=$((SECONDS - start))
	kill "$mute"
	socket_back
	assert_eq 0 "$status" "status ($output)"
	[ "$took" -le 12 ] || fail "it took $took s"
	wait_until client_lives c0
	[ -n "$(ipv4_of "$SLEEPER")" ]
}
