#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What becomes of what a CNI IPAM plugin answers: versions, routes, addresses that cannot be.

load lib.bash
load plugins.bash

setup_file() { lab_setup_file; }
setup() { lab_setup; }
teardown() { lab_teardown; }

# By a plugin that answers JSON.
answered() { # JSON [MORE]
	script_network "${2:-{\}}" </dev/null
	# shellcheck disable=SC2153 # script_network sets it
	echo "$1" >"$ANSWER"
}

attach_new() {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
}

@test "a result without a version is of the one that was asked for" {
	answered '{"ips": [{"address": "10.0.0.50/24"}]}'
	attach_new
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24
	release c0
	assert_eq '"1.0.0" "1.0.0"' "$(jq -r '"\(.cniVersion | tojson) \(.prevResult.cniVersion | tojson)"' \
		"$LOG/DEL.stdin")"
}

@test "DEL is run at home, too, and reads what ADD read, with its answer" {
	script_network '{"labels": {"a": "b"}}' <<'END'
readlink /proc/self/ns/net >"$LOG/$CNI_COMMAND.netns"
echo "$CNI_ARGS $CNI_CONTAINERID $CNI_PATH" >"$LOG/$CNI_COMMAND.more"
END
	jq '.ipam.config = {text: "\u00e9 \" \\ /", number: 1.50, list: [[], {}], no: null}' \
		"$ETC/networks/macvlan0.json" >"$BATS_TEST_TMPDIR/new"
	mv "$BATS_TEST_TMPDIR/new" "$ETC/networks/macvlan0.json"
	answer 10.0.0.50/24
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.50
	rm "$ETC/networks/macvlan0.json"
	release c0
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
	cmp <(jq . "$LOG/ADD.stdin") <(jq 'del(.prevResult)' "$LOG/DEL.stdin")
	assert_eq "$(jq -c .prevResult "$LOG/DEL.stdin")" "$(jq -c . "$ANSWER")"
	cmp "$LOG/ADD.netns" "$LOG/DEL.netns"
	cmp "$LOG/ADD.more" "$LOG/DEL.more"
	assert_eq '{"cniVersion":"1.0.0","name":"macvlan0","type":"oci-macvlan"}' \
		"$(jq -c '{cniVersion, name, type}' "$LOG/ADD.stdin")"
	assert_eq '["script",[[],{}],{"cni":{"ips":["10.0.0.50"]}}]' \
		"$(jq -c '[.ipam.type, .ipam.list, .args]' "$LOG/ADD.stdin")"
}

@test "CHECK and DEL are asked in the version of the result, and have it" {
	answered '{"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "10.0.0.50/24"}]}'
	attach_new
	cli check macvlan0
	release c0
	for command in CHECK DEL; do
		assert_eq '["0.4.0","0.4.0"]' \
			"$(jq -c '[.cniVersion, .prevResult.cniVersion]' "$LOG/$command.stdin")" "$command"
	done
}

@test "0.3.x knows neither CHECK nor prevResult" {
	answered '{"cniVersion": "0.3.1", "ips": [{"version": "4", "address": "10.0.0.50/24"}]}'
	attach_new
	cli check macvlan0
	release c0
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
	assert_eq '["0.3.1",false]' "$(jq -c '[.cniVersion, has("prevResult")]' "$LOG/DEL.stdin")"
}

@test "a route of another table, or of a scope that is none, is refused" {
	answered '{"cniVersion": "1.1.0", "ips": [{"address": "10.0.0.50/24", "gateway": "10.0.0.1"}],
		"routes": [{"dst": "0.0.0.0/0", "gw": "10.0.0.9", "table": 100}, {"dst": "0.0.0.0/0"}]}'
	refuse_attach "routes[0].table" 100
	answered '{"cniVersion": "1.1.0", "ips": [{"address": "10.0.0.50/24"}],
		"routes": [{"dst": "192.168.0.0/16", "scope": 254}]}'
	refuse_attach "routes[0].scope" 254
}

@test "a route on the link has no next hop, one outside of the subnet is on the link" {
	answered '{"cniVersion": "1.1.0", "ips": [{"address": "10.0.0.50/32", "gateway": "10.0.0.1"}],
		"routes": [{"dst": "192.168.0.0/16", "scope": 253}, {"dst": "172.16.0.0/12"}, {"dst": "0.0.0.0/0"}]}'
	attach_new
	assert_eq "192.168.0.0/16 link eth0" "$(route_to "$SLEEPER" 4 192.168.0.0/16)"
	assert_eq "172.16.0.0/12 10.0.0.1 eth0" "$(route_to "$SLEEPER" 4 172.16.0.0/12)"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	can_ping "$SLEEPER" 10.0.0.1
}

@test "an address that is a gateway's of the same result is refused" {
	answered '{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.1/24", "gateway": "10.0.0.1"}]}'
	refuse_attach "10.0.0.1" gateway
	answered '{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.50/24"}],
		"routes": [{"dst": "0.0.0.0/0", "gw": "10.0.0.50"}]}'
	refuse_attach "10.0.0.50" gateway
}

@test "ipv6 none is none, static is what the plugin gives" {
	local answer='{"cniVersion": "1.0.0", "ips": [{"address": "2001:db8:77::5/64"}]}'

	answered "$answer" '{"ipv6": "none"}'
	refuse_attach 2001:db8:77::5 none
	answered "$answer" '{"ipv6": "static"}'
	attach_new
	assert_addresses "$SLEEPER" eth0 2001:db8:77::5/64
	assert_eq true "$(cli network inspect macvlan0 | jq '.[0].EnableIPv6')"
}

@test "network create looks for the plugin, and needs no IPv6 subnet for --ipv6" {
	cli network create -o parent=eth0 --ipam-driver host-local --ipam-opt subnet=10.0.0.0/24 --ipv6 x
	assert_eq true "$(cli network inspect x | jq '.[0].EnableIPv6')"
	run cli network create -o parent=eth0 -o ipv6=none --ipam-driver host-local --ipv6 y
	assert_eq 1 "$status"
	run cli network create -o parent=eth0 --ipam-driver hostlocal y
	assert_eq 1 "$status"
	assert_contains "$output" "'hostlocal'"
	refute test -e "$ETC/networks/y.json"
}
