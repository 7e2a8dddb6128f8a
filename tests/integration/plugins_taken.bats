#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A CNI IPAM plugin gives what somebody has: the host, another container, a machine on the LAN.

load lib.bash
load plugins.bash

setup_file() { lab_setup_file; }
setup() { lab_setup; }
teardown() { lab_teardown; }

@test "two networks on a parent do not share an address, whoever gives it" {
	host_local_network
	network_write "$(host_local_ipam | jq '{name: "other", parent: "eth0", ipam: .}')"
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	first=$SLEEPER
	sleeper_start
	attach c1 "$SLEEPER" other
	assert_addresses "$SLEEPER" eth0 10.0.0.51/24 2001:db8:babe:cafe::51/64
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases other)"
	release c1
	# What a dead one holds is free.
	sleeper_stop "$first"
	rm -r "$BATS_TEST_TMPDIR/$LEASES/other"
	sleeper_start
	attach c1 "$SLEEPER" other
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24 2001:db8:babe:cafe::50/64
	assert_eq "" "$(leases)"
	release c1
	assert_run_empty
}

@test "the host's own address is not a container's: the plugin gives another" {
	ip addr add 10.0.0.50/24 dev eth0
	host_local_network
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	ip addr del 10.0.0.50/24 dev eth0
	assert_eq 0 "$status" "status ($output)"
	assert_addresses "$SLEEPER" eth0 10.0.0.51/24 2001:db8:babe:cafe::51/64
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases)"
}

# Who has ADDRESS on the LAN, in the words of an error.
in_use_by() { # ADDRESS
	echo "address '$1' is in use on the LAN by MAC '$(ip -n printer -j link show eth0 | jq -r '.[0].address')'"
}

@test "an address that somebody on the LAN has is given back, and another one is had" {
	lan_add_machine printer 10.0.0.50/24
	host_local_network '{}' '{"conflict_detection_ms": 200}'
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	lan_remove_machine printer
	assert_eq 0 "$status" "status ($output)"
	assert_addresses "$SLEEPER" eth0 10.0.0.51/24 2001:db8:babe:cafe::51/64
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases)"
	assert_eq "" "$(claim_owner 2001:db8:babe:cafe::50)"
	release c0
	assert_eq "" "$(leases)"
}

@test "an IPv6 address that somebody on the LAN has is found out, too" {
	lan_add_machine printer 2001:db8:babe:cafe::50/64
	host_local_network '{}' '{"conflict_detection_ms": 200}'
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	lan_remove_machine printer
	assert_eq 0 "$status" "status ($output)"
	assert_addresses "$SLEEPER" eth0 10.0.0.51/24 2001:db8:babe:cafe::51/64
}

@test "of two networks one has an address that somebody has: both are tried out again" {
	lan_add_machine printer 10.0.0.50/24
	host_local_network '{}' '{"conflict_detection_ms": 200}'
	network_write '{"name": "local", "parent": "eth0", "conflict_detection_ms": 200, "subnets": [
		{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.192/26", "gateway": "10.0.0.1"}]}'
	sleeper_start
	run attach c0 "$SLEEPER" local,macvlan0
	lan_remove_machine printer
	assert_eq 0 "$status" "status ($output)"
	assert_addresses "$SLEEPER" eth0 10.0.0.192/24
	assert_addresses "$SLEEPER" eth1 10.0.0.51/24 2001:db8:babe:cafe::51/64
}

@test "what is tried out again is not found to be in use by the trial before" {
	lan_add_machine printer 10.0.0.50/24
	script_network '{"conflict_detection_ms": 200}' <<-'END'
		if [ "$(grep -c ADD "$LOG/calls")" = 2 ]; then
			sleep 0.4 # until IPv6 addresses of the first trial have passed
			echo '{"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.51/24"}]}'
			exit
		fi
	END
	answer 10.0.0.50/24
	network_write '{"name": "local", "parent": "eth0", "conflict_detection_ms": 200, "subnets": [
		{"subnet": "2001:db8:babe:cafe::/64", "ip_range": "2001:db8:babe:cafe::c0/122"}]}'
	sleeper_start
	run attach c0 "$SLEEPER" local,macvlan0
	lan_remove_machine printer
	assert_eq 0 "$status" "status ($output)"
	assert_addresses "$SLEEPER" eth1 10.0.0.51/24
	assert_addresses "$SLEEPER" eth0 2001:db8:babe:cafe::c0/64
}

@test "a plugin that gives the same address again: the error says who has it" {
	lan_add_machine printer 10.0.0.60/24
	plugin_network '{"driver": "static", "config": {"addresses": [{"address": "10.0.0.60/24"}]}}' \
		'{"conflict_detection_ms": 200}'
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "network 'macvlan0': $(in_use_by 10.0.0.60): ask for another"
	lan_remove_machine printer
	refute has_link "$SLEEPER" eth0
	assert_run_empty
}

@test "a plugin that gives one taken address after the other is asked 8 times" {
	lan_add_machine printer 10.0.0.{50..59}/24
	script_network '{"conflict_detection_ms": 200}' <<-'END'
		echo "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"10.0.0.$((49 + $(grep -c ADD "$LOG/calls")))/24\"}]}" >"$ANSWER"
	END
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "$(in_use_by 10.0.0.57)"
	lan_remove_machine printer
	assert_eq 8 "$(grep -c ADD "$LOG/calls")" "ADDs"
	assert_eq 8 "$(grep -c DEL "$LOG/calls")" "DELs"
	refute has_link "$SLEEPER" eth0
	assert_run_empty
}

@test "a plugin that gives no other address: the error says both" {
	lan_add_machine printer 10.0.0.50/24
	script_network '{"conflict_detection_ms": 200}' <<-'END'
		if [ "$(grep -c ADD "$LOG/calls")" = 2 ]; then
			echo '{"cniVersion": "1.0.0", "code": 11, "msg": "no leases left"}'
			exit 1
		fi
	END
	answer 10.0.0.50/24
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "network 'macvlan0': $(in_use_by 10.0.0.50)"
	assert_contains "$output" "; no other: IPAM plugin '$BATS_TEST_TMPDIR/cni/script': ADD failed: no leases left"
	lan_remove_machine printer
	assert_eq "ADD eth0,DEL eth0,ADD eth0,DEL eth0" "$(calls)"
	assert_run_empty
}

@test "a container that asks for the address that somebody has gets no other" {
	lan_add_machine printer 10.0.0.77/24
	host_local_network '{}' '{"conflict_detection_ms": 200}'
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.77
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "network 'macvlan0': $(in_use_by 10.0.0.77): ask for another"
	lan_remove_machine printer
	assert_eq "" "$(leases)"
	assert_run_empty
}
