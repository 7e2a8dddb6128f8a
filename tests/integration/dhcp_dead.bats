#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What becomes of a DHCP lease whose client, container or hook has died, or was moved.

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dhcp
}

teardown() {
	dhcp_teardown
}

@test "a killed client, and no gc: the address goes with its lease; gc brings it again" {
	hostile_start 51:00000002
	attach_lan c0
	client_kill c0
	dhcp_stop hostile
	WAIT_SECONDS=30 wait_until ipv4_is "$SLEEPER" ""
	assert_default "$SLEEPER" 4 ""
	hostile_start
	cli gc
	wait_until ipv4_is "$SLEEPER" "$ADDRESS"
	wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
}

@test "a client that died is started again while the server is down: the address stays" {
	dnsmasq_start
	attach_lan c0
	dhcp_stop dnsmasq
	dhcp_capture
	client_kill c0
	cli gc
	wait_until client_lives c0
	# A round of four that nobody answers, and the next.
	asked() {
		[ "$(dhcp_count Discover "$MAC")" -ge 5 ]
	}
	WAIT_SECONDS=25 wait_until asked
	ipv4_is "$SLEEPER" "$ADDRESS"
	dnsmasq_start
	ipv4_is "$SLEEPER" "$ADDRESS"
}

@test "a killed client: gc starts another, which asks for the same address" {
	dnsmasq_start
	dhcp_capture
	attach_lan c0
	before=$(client_of c0)
	watch_addresses "$SLEEPER"
	client_kill c0
	cli gc
	wait_until client_lives c0
	refute test "$before" = "$(client_of c0)"
	wait_until acknowledged "$MAC" 2
	dhcp_packets Discover "$MAC" | tail -n 1 |
		grep -qF "Requested-IP (50), length 4: ${ADDRESS%/*} " || fail "another address is asked for"
	cli gc
	assert_eq 1 "$(clients | wc -w)" "clients"
	ipv4_is "$SLEEPER" "$ADDRESS"
	assert_eq "" "$(grep -F Deleted "$CHANGES")" "addresses that went"
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
}

# Attaches c0 with a hook that is somewhere else, and is gone afterwards.
attach_with_lost_hook() { # [NETWORKS]
	local build=$BUILD

	BUILD=$BATS_TEST_TMPDIR/elsewhere
	mkdir -p "$BUILD"
	cp "$build/oci-macvlan-hook" "$BUILD/"
	sleeper_start
	attach c0 "$SLEEPER" "${1:-lan}"
	look "$SLEEPER"
	BUILD=$build
	rm "$BATS_TEST_TMPDIR/elsewhere/oci-macvlan-hook"
}

@test "the hook was moved: gc has the client call the one beside it" {
	hostile_start
	dhcp_capture
	attach_with_lost_hook
	before=$(client_of c0)
	assert_contains "$(cli gc --dry-run)" "would start the DHCP client of 'eth0' again: the hook"
	assert_eq "$before" "$(client_of c0)"
	assert_contains "$(cli gc)" "started the DHCP client of 'eth0' again: the hook that it called is gone"
	refute test "$before" = "$(client_of c0)"
	assert_eq "" "$(cli gc)"
	assert_eq "" "$(dhcp_packets Release "$MAC")" "farewells"
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/24
}

@test "an event of an earlier client changes nothing" {
	local lease command

	hostile_start
	attach_lan c0
	lease=$(cat "$RUN/dhcp/c0:eth0.lease")
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	# One that is not noted, takes a lease, and ends: by then its events are over.
	mapfile -d '' -t command <"/proc/$(client_of c0)/cmdline"
	in_netns "$SLEEPER" "${command[@]}" -q -n 9</proc/self/ns/net
	[ "$(hostile_got REQUEST "$MAC")" -ge 1 ]
	assert_eq "$lease" "$(cat "$RUN/dhcp/c0:eth0.lease")" "the server's word"
	ipv4_is "$SLEEPER" 10.0.0.66/24
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/24
}

@test "the hook is gone altogether: gc says so, and leaves the client alone" {
	dnsmasq_start
	attach_with_lost_hook
	before=$(client_of c0)
	for dry in "" --dry-run; do
		run gc_elsewhere gc ${dry:+"$dry"}
		assert_eq 1 "$status" "status ($output)"
		assert_contains "$output" "container 'c0': 'eth0': the hook that its DHCP client called is gone: there is no"
		assert_eq "$before" "$(client_of c0)"
		wait_until client_lives c0
	done
	cli gc
}

# As a program beside which there is no hook.
gc_elsewhere() { # ARG...
	cp "$BUILD/oci-macvlan" "$BATS_TEST_TMPDIR/elsewhere/"
	[ ! -e /usr/local/libexec/oci-macvlan ] || mount -t tmpfs none /usr/local/libexec/oci-macvlan
	"$BATS_TEST_TMPDIR/elsewhere/oci-macvlan" --etc "$ETC" --run "$RUN" "$@"
}

@test "a client that cannot be started does not keep another from it" {
	dnsmasq_start
	network_dhcp '{}' '{"name": "second"}'
	attach_with_lost_hook lan,second
	ln -sf "$BUILD/oci-macvlan-hook" "$RUN/dhcp/c0:eth1.event"
	client_kill c0 eth1
	run gc_elsewhere gc
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "'eth0': the hook that its DHCP client called is gone"
	assert_contains "$output" "started the DHCP client of 'eth1' again: it had ended"
	wait_until client_lives c0 eth1
	cli gc
}

@test "a client that no record leads to: gc ends it, and --dry-run only says so" {
	local pid files said

	dnsmasq_start
	attach_lan c1
	attach_lan c0
	pid=$(client_of c0)
	rm "$RUN/containers/c0.json"
	files=$(ls -l "$RUN/dhcp")
	said=$(cli gc --dry-run)
	assert_eq 1 "$(grep -c "^container 'c0': would free its DHCP client's files: " <<<"$said")" "lines"
	assert_eq "$files" "$(ls -l "$RUN/dhcp")" "RUN/dhcp after --dry-run"
	wait_until client_lives c0
	said=$(cli gc)
	assert_contains "$said" "container 'c0': freed its DHCP client's files: no record leads to them"
	wait_until process_gone "$pid"
	assert_eq "" "$(find "$RUN/dhcp" -name 'c0:*')" "left in RUN/dhcp"
	wait_until dnsmasq_lease_gone "$MAC"
	refute grep -F "'c1'" <<<"$said"
	wait_until client_lives c1
}

@test "poststop never comes: the client's next event ends it, and frees all" {
	dnsmasq_start
	attach_lan c0
	sleeper_stop "$SLEEPER"
	client_renew c0
	wait_until no_clients
	wait_until record_gone c0
	assert_run_empty
	wait_until dnsmasq_lease_gone "$MAC"
}

@test "poststop never comes: gc ends the client, and frees all" {
	dnsmasq_start
	attach_lan c0
	sleeper_stop "$SLEEPER"
	cli gc
	no_clients
	assert_run_empty
	wait_until dnsmasq_lease_gone "$MAC"
}

# Starts the hook and waits until it waits for a lease. Its pid is in HOOK.
hook_waits() { # ID
	state_json creating "$1" "$SLEEPER" io.oci-macvlan.networks=lan >"$BATS_TEST_TMPDIR/state"
	"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state" >"$BATS_TEST_TMPDIR/hook" 2>&1 3>&- &
	HOOK=$!
	wait_until client_lives "$1"
}

hook_kill() {
	kill -KILL "$HOOK"
	wait "$HOOK" || true
}

@test "the hook is killed while it waits, the container dies: gc leaves nothing" {
	sleeper_start
	hook_waits c0
	hook_kill
	sleeper_stop "$SLEEPER"
	cli gc
	no_clients
	assert_run_empty
}

@test "the hook is killed while it waits: poststop leaves nothing" {
	sleeper_start
	hook_waits c0
	hook_kill
	release c0
	no_clients
	assert_run_empty
}

@test "the hook is killed while it waits: the next attach has one client and one lease" {
	sleeper_start
	hook_waits c0
	hook_kill
	dnsmasq_start
	attach c0 "$SLEEPER" lan
	look "$SLEEPER"
	assert_eq 1 "$(clients | wc -w)" "clients"
	assert_eq "${ADDRESS%/*}" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)"
	assert_eq 1 "$(grep -c . "$(dhcp_dir)/dnsmasq.leases")" "leases"
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
}

@test "poststop while the hook waits: neither waits for the other's end for long" {
	network_dhcp '{"timeout_ms": 3000}'
	sleeper_start
	hook_waits c0
	release c0
	wait "$HOOK" || true
	no_clients
	assert_run_empty
}
