#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Makes the corpus of a released version's records: one of each kind, as that version's programs write
# it. "make check" does not run this. With an empty folder RECORDS:
#
#	RECORDS=$PWD/tests/schema/corpus/record/VERSION OCI_MACVLAN_BUILD="$(tests/old-version.sh COMMIT)" \
#		tests/isolate.sh bats tests/schema/records.bats

load ../integration/lib.bash
load ../integration/dhcp.bash
load ../integration/dhcp_clients.bash
load ../integration/plugins.bash
load ../integration/parents.bash

setup_file() {
	: "${RECORDS:?the folder that they are written into}"
	mkdir -p "$RECORDS"
	lab_setup_file
	lan_add_parent eth1 20
	lan_add_parent eth2 30
}

setup() {
	lab_setup
	network_dual
	network_write '{"name": "storage", "parent": "eth1",
		"subnets": [{"subnet": "10.20.0.0/24", "gateway": "10.20.0.1"}]}'
}

teardown() {
	local status=0

	parents_teardown || status=$?
	dhcp_stop || status=$?
	ip netns del shared 2>/dev/null || true
	return "$status"
}

# Writes the record of ID into the corpus. The test's own folder becomes one that any machine may have.
keep() { # NAME ID
	sed "s|$BATS_TEST_TMPDIR/|/var/lib/cni/|g" "$RUN/containers/$2.json" >"$RECORDS/$1.json"
}

attach_new() { # ID NETWORKS [KEY=VALUE]...
	sleeper_start
	attach "$1" "$SLEEPER" "${@:2}"
}

# Kills an attach at its N-th record: 1 is the intent, 2 the final one.
keep_killed() { # NAME ID PID NETWORKS N
	state_json creating "$2" "$3" "io.oci-macvlan.networks=$4" >"$BATS_TEST_TMPDIR/state"
	strace -qq -o /dev/null -e trace=renameat -e inject="renameat:signal=KILL:when=$5" \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state" || true
	keep "$1" "$2"
}

@test "plain" {
	attach_new dual macvlan0
	keep dual dual
	attach_new named macvlan0 io.oci-macvlan.name=web1
	keep named named
	attach_new plain storage
	keep plain plain
	attach_new asked '[{"name": "macvlan0", "ips": ["10.0.0.77", "2001:db8:babe:cafe::77"],
		"mac": "02:00:5e:00:00:77", "interface": "net0"}]'
	keep asked asked
	attach_new two macvlan0,storage
	keep two-networks two
	attach_new twice macvlan0,macvlan0 io.oci-macvlan.name=web2
	keep network-twice twice
}

@test "modes and parents" {
	local mode

	for mode in private vepa passthru; do
		network_write "$(jq -n --arg mode "$mode" \
			'{name: $mode, parent: "eth2", mode: $mode, subnets: [{subnet: "10.30.0.0/24"}]}')"
		attach_new "$mode" "$mode"
		keep "$mode" "$mode"
		release "$mode"
	done
	network_write '{"name": "source", "parent": "eth2", "mode": "source",
		"source_macs": ["02:00:5e:00:00:01"], "subnets": [{"subnet": "10.30.0.0/24"}]}'
	attach_new source source
	keep source source
	network_write '{"name": "inside", "subnets": [{"subnet": "10.9.0.0/24"}]}'
	attach_new inside inside
	keep isolated-parent inside
	network_write '{"name": "bare", "parent": "eth1", "ipam": {"driver": "none"}}'
	attach_new bare bare
	keep layer-2 bare
	network_write '{"name": "open4", "parent": "eth0", "host_access": true,
		"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.128/25"}]}'
	attach_new host open4
	keep host-access host
	network_dual '{"name": "open", "host_access": true}'
	attach_new opened open
	keep host-access-dual opened
}

@test "DHCP" {
	network_dhcp
	dnsmasq_start
	attach_new least lan
	keep dhcp least
	network_write '{"name": "lan", "parent": "eth0", "conflict_detection_ms": 200, "host_access": true,
		"ipam": {"driver": "dhcp", "config": {"client_id": "id-{name}", "hostname": "{name}-box"}},
		"dns": {"mode": "host"}, "routes": [{"dst": "192.168.0.0/16", "gateway": "10.0.0.254"},
		{"dst": "fd00:7::/48", "gateway": "2001:db8:babe:cafe::1"}],
		"subnets": [{"subnet": "2001:db8:babe:cafe::/64", "gateway": "2001:db8:babe:cafe::1"}]}'
	attach_new full '[{"name": "lan", "default-route": ["10.0.0.254"]}]' io.oci-macvlan.name=web1
	keep dhcp-full full
	network_dhcp '{"timeout_ms": 200, "required": false}'
	dhcp_stop
	attach_new without lan
	keep dhcp-without-a-lease without
	sleeper_start
	keep_killed intent-dhcp killed "$SLEEPER" lan 2
}

@test "plugin" {
	host_local_network
	attach_new c0 macvlan0
	keep plugin c0
	sleeper_start
	keep_killed intent-plugin killed "$SLEEPER" macvlan0 2
	plugin_network '{"driver": "static", "config": {"addresses": [{"address": "10.0.0.99/24"}],
		"dns": {"nameservers": ["10.0.0.1"], "search": ["lan.example"]}}}' '{"host_access": true}'
	attach_new c1 macvlan0 io.oci-macvlan.name=web1
	keep plugin-with-host-access c1
}

@test "pods" {
	attach_new m0 macvlan0
	pod=$SLEEPER
	sleeper_join "$pod"
	attach m1 "$SLEEPER" macvlan0
	sleeper_join "$pod"
	attach m2 "$SLEEPER" storage
	keep pod-owner m0
	keep pod-member m1
	keep pod-member-with-a-network m2
	sleeper_join "$pod"
	network_write '{"name": "third", "parent": "eth2", "subnets": [{"subnet": "10.30.0.0/24"}]}'
	keep_killed pod-member-killed m3 "$SLEEPER" third 3
	keep intent-in-a-pod m0
	sleeper_stop "$pod"
	detach m0
	keep pod-owner-has-left m0
}

@test "a namespace that had an id" {
	sleeper_start
	ip netns attach shared "$SLEEPER"
	ip netns set shared auto
	attach shared "$SLEEPER" macvlan0
	keep shared-namespace-id shared
}

@test "intents" {
	attach_new first macvlan0 # RUN is new: that is a file, too
	sleeper_start
	keep_killed intent i0 "$SLEEPER" macvlan0 2
	sleeper_start
	keep_killed intent-two-networks i1 "$SLEEPER" macvlan0,storage 2
	network_dual '{"name": "open", "host_access": true}'
	sleeper_start
	keep_killed intent-host-access i2 "$SLEEPER" open 2
}
