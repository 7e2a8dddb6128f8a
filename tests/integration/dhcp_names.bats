#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The names by which a DHCP server knows a container: they are one container's alone, or the server
# gave the second the address of the first, whose lease would end.

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dhcp '{"client_id": "{name}", "hostname": "{name}"}'
}

teardown() {
	dhcp_teardown
}

# What a container says of itself, as the server got it: "HOSTNAME CLIENT-ID" (of the id, the bytes
# behind its type).
says() { # MAC
	dnsmasq_lease "$1" | while read -r _ host client; do
		printf '%s %b\n' "$host" "$(cut -d : -f 2- <<<"$client" | sed 's/:\{0,1\}\(..\)/\\x\1/g')"
	done
}

# c0 is web, and has the address that is reserved for it.
living_web() { # RESERVATION [KEY=VALUE]...
	dnsmasq_start "--dhcp-host=$1"
	dhcp_capture
	attach_lan c0 "${@:2}"
	LIVING=$SLEEPER
	LIVING_MAC=$MAC
	assert_eq 10.0.0.50/24 "$ADDRESS"
}

# The reservation is c0's still: its renewal is acknowledged, and nobody has declined the address.
assert_living_keeps() {
	local n

	n=$(dhcp_count ACK "$LIVING_MAC")
	client_renew c0
	wait_until acknowledged "$LIVING_MAC" $((n + 1))
	ipv4_is "$LIVING" 10.0.0.50/24
	assert_eq "" "$(grep -i decline "$(dhcp_dir)/capture.log")" "declined"
}

@test "a name that a living container has: the second goes by its id, at the server, too" {
	living_web id:web,10.0.0.50 io.oci-macvlan.name=web
	attach_lan c1 io.oci-macvlan.name=web
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_eq "c1 c1" "$(says "$MAC")"
	assert_eq "web web" "$(says "$LIVING_MAC")"
	assert_living_keeps
}

@test "a host name that a living container has, where the server reserves by that" {
	network_dhcp
	living_web web,10.0.0.50 io.oci-macvlan.name=web
	attach_lan c1 io.oci-macvlan.name=web
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_contains "$(says "$MAC")" "c1 "
	assert_living_keeps
}

@test "what is behind a dot is a domain for the server" {
	network_dhcp
	living_web web,10.0.0.50 io.oci-macvlan.name=web
	attach_lan c1 io.oci-macvlan.name=web.lan
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_contains "$(says "$MAC")" "c1 "
	assert_living_keeps
}

# A bundle whose config.json has a host name.
hostname_bundle() { # ID HOSTNAME
	mkdir -p "$BUNDLES/$1"
	jq -n --arg name "$2" '{ociVersion: "1.0.2", hostname: $name, root: {path: "rootfs"}}' \
		>"$BUNDLES/$1/config.json"
}

@test "the same, with the host name of config.json: nobody has to ask for the name" {
	living_web id:web,10.0.0.50 io.oci-macvlan.name=web
	hostname_bundle c1 web
	attach_lan c1
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_eq "c1 c1" "$(says "$MAC")"
	hostname_bundle c2 WEB
	attach_lan c2
	assert_contains "$(says "$MAC")" "c2 "
	assert_living_keeps
}

@test "the beginning of another's id is no name to have" {
	living_web id:c0,10.0.0.50
	attach_lan c1 io.oci-macvlan.name=c0
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_contains "$(says "$MAC")" c1
	assert_living_keeps
}

@test "a container whose id another has for a name starts all the same" {
	living_web id:c1,10.0.0.50 io.oci-macvlan.name=c1
	attach_lan c1
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_contains "$(says "$MAC")" " c1~"
	assert_living_keeps
	attach_lan c2 io.oci-macvlan.name=c1
	assert_contains "$(says "$MAC")" "c2 c2"
	assert_living_keeps
}

names_are() { # ID N
	[ "$(name_claims "$1" | wc -w)" -eq "$2" ]
}

@test "names that version 0.1.0 has not claimed are claimed at the next renewal, and by gc" {
	living_web id:web,10.0.0.50 io.oci-macvlan.name=web
	for way in "client_renew c0" "cli gc"; do
		rm "$RUN"/pools/eth0/.client-* "$RUN"/pools/eth0/.hostname-*
		$way
		wait_until names_are c0 3
	done
}

@test "another network of the parent has the same server" {
	living_web id:web,10.0.0.50 io.oci-macvlan.name=web
	network_write '{"name": "lan2", "parent": "eth0",
		"ipam": {"driver": "dhcp", "config": {"client_id": "{name}"}}}'
	sleeper_start
	attach c1 "$SLEEPER" lan2 io.oci-macvlan.name=web
	look "$SLEEPER"
	[ "$ADDRESS" != 10.0.0.50/24 ] || fail "it has the first one's address"
	assert_living_keeps
}

@test "one client_id for all: the second container does not start, and the error says why" {
	network_dhcp '{"client_id": "web"}'
	living_web id:web,10.0.0.50
	sleeper_start
	run attach c1 "$SLEEPER" lan
	assert_eq 1 "$status"
	assert_contains "$output" "'c0/eth0' has the DHCP client_id 'web'"
	assert_contains "$output" "{name}"
	assert_living_keeps
}

@test "one host name for all is what the file says" {
	network_dhcp '{"hostname": "farm"}'
	dnsmasq_start
	attach_lan c0
	attach_lan c1
	assert_contains "$(says "$MAC")" "farm "
	assert_eq c0/eth0 "$(claim_owner .hostname-farm)"
	# And of no other network's containers.
	network_write '{"name": "lan2", "parent": "eth0", "ipam": {"driver": "dhcp"}}'
	sleeper_start
	attach c2 "$SLEEPER" lan2 io.oci-macvlan.name=farm
	look "$SLEEPER"
	assert_contains "$(says "$MAC")" "c2 "
}

@test "the names are free when the container has ended, by poststop, by gc, and for who wants them" {
	dnsmasq_start --dhcp-host=id:web,10.0.0.50
	for way in "detach c0" "cli gc" true; do
		attach_lan c0 io.oci-macvlan.name=web
		assert_eq 10.0.0.50/24 "$ADDRESS" "before $way"
		assert_eq 3 "$(name_claims c0 | wc -w)" "names of c0"
		sleeper_stop "$SLEEPER"
		$way
	done
	attach_lan c1 io.oci-macvlan.name=web
	assert_eq 10.0.0.50/24 "$ADDRESS"
	assert_eq "web web" "$(says "$MAC")"
	release c1
	assert_run_empty
}

@test "two interfaces of one container: each has names of its own" {
	dnsmasq_start
	sleeper_start
	attach c0 "$SLEEPER" lan,lan,lan io.oci-macvlan.name=web
	for interface in eth0 eth1 eth2; do
		says "$(mac_of "$SLEEPER" $interface)"
	done >"$BATS_TEST_TMPDIR/said"
	assert_eq 3 "$(cut -d ' ' -f 2 "$BATS_TEST_TMPDIR/said" | sort -u | wc -l)" "client ids"
	assert_eq 3 "$(cut -d ' ' -f 1 "$BATS_TEST_TMPDIR/said" | sort -u | wc -l)" "host names"
	release c0
	assert_run_empty
}

@test "a name that a killed attach had claimed is free" {
	dnsmasq_start --dhcp-host=id:web,10.0.0.50
	state_json creating c0 0 io.oci-macvlan.networks=lan io.oci-macvlan.name=web >"$BATS_TEST_TMPDIR/state"
	for n in 2 3 4 5; do
		sleeper_start
		jq -c --argjson pid "$SLEEPER" '.pid = $pid' "$BATS_TEST_TMPDIR/state" >"$BATS_TEST_TMPDIR/s"
		strace -f -qq -o /dev/null -e trace=symlinkat -e inject=symlinkat:signal=KILL:when=$n \
			"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
			<"$BATS_TEST_TMPDIR/s" >/dev/null 2>&1 && fail "not killed at link $n"
		sleeper_stop "$SLEEPER"
		attach_lan c1 io.oci-macvlan.name=web
		assert_eq "web web" "$(says "$MAC")"
		release c1
		cli gc
		assert_run_empty
	done
}
