#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What oci-macvlan says and does about containers: network inspect, ls and rm with endpoints, ps, gc.
# The containers are processes without a runtime.
#
# shellcheck disable=SC2154 # run --separate-stderr sets stderr and stderr_lines

load lib.bash

bats_require_minimum_version 1.5.0

setup_file() {
	lab_setup_file
	lan_add_parent eth1 20
}

setup() {
	lab_setup
	network_dual
	network_write '{"name": "storage", "parent": "eth1", "subnets": [{"subnet": "10.20.0.0/24"}]}'
}

teardown() {
	lab_teardown
}

# A container ID on NETWORKS; its pid in SLEEPER.
attach_new() { # ID NETWORKS [KEY=VALUE]...
	sleeper_start
	attach "$1" "$SLEEPER" "${@:2}"
}

containers() { # NETWORK FILTER
	cli network inspect "$1" | jq -c ".[0].Containers | $2"
}

@test "inspect: a container has docker's keys, and what the kernel says" {
	attach_new c0 macvlan0 io.oci-macvlan.name=web
	assert_eq '["c0"]' "$(containers macvlan0 keys)"
	assert_eq '["Name","EndpointID","MacAddress","IPv4Address","IPv6Address"]' \
		"$(containers macvlan0 '.c0 | keys_unsorted')"
	assert_eq "[\"web\",\"$(mac_of "$SLEEPER" eth0)\",\"10.0.0.3/24\",\"2001:db8:babe:cafe::3/64\"]" \
		"$(containers macvlan0 '.c0 | [.Name, .MacAddress, .IPv4Address, .IPv6Address]')"
	assert_eq true "$(containers macvlan0 '.c0.EndpointID | test("^[0-9a-f]{64}$")')"
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_eq '{}' "$(containers storage .)"
	release c0
	assert_eq '{}' "$(containers macvlan0 .)"
}

@test "inspect: one family only, none, and several networks" {
	network_write '{"name": "l2", "parent": "eth0", "ipam": {"driver": "none"}}'
	attach_new c0 storage,l2
	assert_eq '["10.20.0.1/24",""]' "$(containers storage '.c0 | [.IPv4Address, .IPv6Address]')"
	assert_eq '["",""]' "$(containers l2 '.c0 | [.IPv4Address, .IPv6Address]')"
	assert_eq "\"$(mac_of "$SLEEPER" eth1)\"" "$(containers l2 .c0.MacAddress)"
	assert_eq false "$(jq -n --argjson a "$(containers storage .c0.EndpointID)" \
		--argjson b "$(containers l2 .c0.EndpointID)" '$a == $b')" "same EndpointID"
	release c0
}

@test "inspect: a container that is on the network twice" {
	attach_new c0 macvlan0,macvlan0
	assert_eq 2 "$(containers macvlan0 length)"
	assert_eq '"10.0.0.3/24"' "$(containers macvlan0 .c0.IPv4Address)"
	assert_eq true "$(containers macvlan0 'to_entries[] | select(.key != "c0")
		| .key == "ep-" + .value.EndpointID and .value.IPv4Address == "10.0.0.4/24"')"
	release c0
}

@test "inspect shows live endpoints only, ls counts claims" {
	for id in c0 c1 c2; do
		attach_new "$id" macvlan0
	done
	mapfile -t pids <"$SLEEPERS"
	in_netns "${pids[1]}" ip link del eth0
	sleeper_stop "${pids[2]}"
	assert_eq '["c0"]' "$(containers macvlan0 keys)"
	assert_eq '[3,3]' "$(cli network ls --format json | jq -c '.[0].subnets | map(.used)')"
	assert_contains "$(cli network ls)" "3/253,3/2^64"
	assert_eq '[0]' "$(cli network ls --format json | jq -c '.[1].subnets | map(.used)')"
	cli gc >/dev/null
	assert_eq '[2,2]' "$(cli network ls --format json | jq -c '.[0].subnets | map(.used)')"
	detach c1
	cli network rm -f macvlan0
}

@test "ls counts in the pool of the parent's own name" {
	ip link property add dev eth0 altname uplink
	network_dual '{"parent": "uplink"}'
	attach_new c0 macvlan0
	assert_contains "$(cli network ls)" "1/253,1/2^64"
	ip link property del dev eth0 altname uplink
	release c0
}

@test "ps: a table and JSON" {
	assert_eq "CONTAINER  NAME  NETWORK  INTERFACE  MAC  ADDRESSES  PID  STATE" "$(cli ps)"
	assert_eq '[]' "$(cli ps --format json)"
	attach_new c1 macvlan0,storage@data0 io.oci-macvlan.name=web
	pid=$SLEEPER
	attach_new c0 macvlan0
	mapfile -t rows < <(cli ps | tr -s ' ')
	assert_eq 4 "${#rows[@]}" rows
	assert_eq "c0 c0 macvlan0 eth0 02:42:0a:00:00:04 10.0.0.4/24,2001:db8:babe:cafe::4/64 $SLEEPER live" \
		"${rows[1]}"
	assert_eq "c1 web storage data0 02:42:0a:14:00:01 10.20.0.1/24 $pid live" "${rows[2]}"
	assert_eq "c1 web macvlan0 eth0 02:42:0a:00:00:03 10.0.0.3/24,2001:db8:babe:cafe::3/64 $pid live" \
		"${rows[3]}"
	assert_eq "{\"container\":\"c1\",\"name\":\"web\",\"network\":\"storage\",\"interface\":\"data0\",\"mac\":\"$(mac_of "$pid" data0)\",\"addresses\":[\"10.20.0.1/24\"],\"pid\":$pid,\"state\":\"live\"}" \
		"$(cli ps --format json | jq -c '.[1]')"
	release c0
	release c1 "$pid"
	assert_eq '[]' "$(cli ps --format json)"
}

@test "ps: records that cannot be read, planted links" {
	attach_new c0 macvlan0
	ln -s /etc/passwd "$RUN/containers/link.json"
	mkdir "$RUN/containers/folder.json"
	assert_eq '["c0"]' "$(cli ps --format json 2>/dev/null | jq -c 'map(.container)')"
	rm "$RUN/containers/link.json"
	rmdir "$RUN/containers/folder.json"
	release c0
}

@test "rm: refused while endpoints are live or lost, and lists them" {
	attach_new c0 macvlan0 io.oci-macvlan.name=web
	attach_new c1 macvlan0
	in_netns "$SLEEPER" ip link del eth0
	before=$(run_listing)
	run --separate-stderr cli network rm macvlan0 storage
	assert_eq 1 "$status"
	assert_eq storage "$output" "what was removed"
	assert_eq 3 "${#stderr_lines[@]}" "lines of '$stderr'"
	assert_contains "${stderr_lines[0]}" "oci-macvlan: network rm: network 'macvlan0' is in use by 2 endpoints"
	assert_contains "${stderr_lines[1]}" "c0 (web), interface eth0, 10.0.0.3/24,2001:db8:babe:cafe::3/64: live"
	assert_contains "${stderr_lines[2]}" "c1 (c1), interface eth0, 10.0.0.4/24,2001:db8:babe:cafe::4/64: lost"
	assert_eq "$before" "$(run_listing)"
	test -e "$ETC/networks/macvlan0.json"
	assert_eq macvlan0 "$(cli network rm --force macvlan0)"
	while read -r pid; do
		assert_eq "" "$(links "$pid")"
	done <"$SLEEPERS"
	assert_run_empty
}

@test "rm: dead endpoints are collected first" {
	attach_new c0 macvlan0
	sleeper_stop "$SLEEPER"
	assert_eq macvlan0 "$(cli network rm macvlan0)"
	assert_run_empty
}

@test "rm -f: only that network is detached, also where its file is gone" {
	attach_new c0 macvlan0,storage
	rm "$ETC/networks/macvlan0.json"
	cli network rm -f macvlan0
	assert_eq eth1 "$(links "$SLEEPER")"
	assert_eq "" "$(claims)"
	assert_eq 10.20.0.1 "$(claims eth1)"
	release c0
}

@test "ps: a record that cannot be read hides nothing, and is said" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	echo '{' >"$RUN/containers/broken.json"
	run --separate-stderr cli ps
	assert_eq 1 "$status"
	assert_contains "$output" c0
	assert_contains "$stderr" broken
	run --separate-stderr cli gc
	assert_eq 1 "$status"
	assert_eq "" "$output"
	assert_contains "$stderr" broken
	rm "$RUN/containers/broken.json"
}

@test "rm: refused where a record cannot be read, for it may have an endpoint" {
	attach_new c0 macvlan0
	echo '{' >"$RUN/containers/broken.json"
	for force in "" -f; do
		# shellcheck disable=SC2086 # no argument at all
		run --separate-stderr cli network rm $force macvlan0
		assert_eq 1 "$status"
		assert_eq 1 "${#stderr_lines[@]}" "lines of '$stderr'"
		assert_contains "$stderr" "cannot tell whether network 'macvlan0' is in use"
		assert_contains "$stderr" broken
		test -e "$ETC/networks/macvlan0.json"
		assert_eq eth0 "$(links "$SLEEPER")"
	done
	rm "$RUN/containers/broken.json"
}

@test "ps: in another host namespace it says that it cannot tell" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	run --separate-stderr ip netns exec router "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" ps
	assert_eq 1 "$status"
	assert_contains "$stderr" "another host network namespace"
	[[ $output != *c0* ]]
}

@test "gc: nothing to do, and a RUN that is not there" {
	assert_eq "" "$(cli gc)"
	assert_eq "" "$(cli gc --dry-run)"
	refute test -e "$RUN"
	attach_new c0 macvlan0
	sleeper_stop "$SLEEPER"
	assert_eq 1 "$(cli gc --dry-run | wc -l)"
	assert_eq 1 "$(cli gc | wc -l)"
	assert_eq "" "$(cli gc)"
}
