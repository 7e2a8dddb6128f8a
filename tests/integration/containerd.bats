#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# containerd through ctr, with hooks in the OCI spec that it is given.

load lib.bash
load engine.bash

setup_file() {
	lab_setup_file
	containerd_setup_file
}

teardown_file() {
	containerd_stop
}

setup() {
	lab_setup
	network_dual
}

teardown() {
	containerd_teardown
	lab_teardown
}

# A container of the example's config.json.
container_start() { # ID NETWORKS [FILTER]
	ctr_config "$@"
	ctr_run "$1"
}

assert_on_lan() { # PID N
	assert_addresses "$1" eth0 "10.0.0.$2/24" "2001:db8:babe:cafe::$2/64"
	can_ping "$1" 10.0.0.1
	can_ping "$1" 2001:db8:babe:cafe::1
}

shim_pid() { # ID
	awk '/^PPid:/ { print $2 }' "/proc/$(ctr_pid "$1")/status"
}

@test "containerd: addresses, routes, neighbours; task rm frees them" {
	local pid0 pid1

	container_start c0 macvlan0
	container_start c1 macvlan0
	pid0=$(ctr_pid c0)
	pid1=$(ctr_pid c1)
	assert_on_lan "$pid0" 3
	assert_on_lan "$pid1" 4
	assert_default "$pid0" 4 "10.0.0.1 eth0"
	assert_default "$pid0" 6 "2001:db8:babe:cafe::1 eth0"
	can_ping "$pid1" 10.0.0.3
	can_ping "$pid1" 2001:db8:babe:cafe::3
	lan_ping router 10.0.0.4
	assert_eq 02:42:0a:00:00:03 "$(lan_neighbour router 10.0.0.3)"
	assert_eq 02:42:0a:00:00:04 "$(lan_neighbour router 10.0.0.4)"
	ctr task exec --exec-id e0 c0 ping -c 1 -W 2 10.0.0.4
	ctr task kill --signal KILL c0
	wait_until ctr_is_stopped c0
	ctr task rm c0 || true # reports that the task was killed
	assert_eq "10.0.0.4 2001:db8:babe:cafe::4" "$(claims)"
	ctr container rm c0
	ctr_rm c1
	assert_run_empty
}

@test "containerd: the same container again has the same address" {
	container_start c0 macvlan0
	ctr_rm c0
	container_start c1 macvlan0
	assert_on_lan "$(ctr_pid c1)" 4
	container_start c0 macvlan0
	assert_on_lan "$(ctr_pid c0)" 3
}

@test "containerd: static addresses in the annotation" {
	container_start c0 '[{"name":"macvlan0","ips":["10.0.0.40","2001:db8:babe:cafe::40"]}]'
	assert_on_lan "$(ctr_pid c0)" 40
}

@test "containerd: taken address" {
	container_start c0 macvlan0
	refused container_start c1 '[{"name":"macvlan0","ips":["10.0.0.3"]}]'
	assert_contains "$REFUSED" 10.0.0.3
	assert_contains "$REFUSED" c0
	assert_eq "" "$(ctr_pid c1)" "pid of c1"
	assert_eq c0.json "$(ls "$RUN/containers")"
	assert_on_lan "$(ctr_pid c0)" 3
}

@test "containerd: shim killed" {
	local shim

	container_start c0 macvlan0
	container_start c1 macvlan0
	shim=$(shim_pid c0)
	grep -q containerd-shim "/proc/$shim/cmdline"
	kill -KILL "$shim"
	wait_until only_c1_claims
	assert_on_lan "$(ctr_pid c1)" 4
}

only_c1_claims() {
	[ "$(claims)" = "10.0.0.4 2001:db8:babe:cafe::4" ]
}

@test "containerd: killed, container dies, started again" {
	local pid

	container_start c0 macvlan0
	pid=$(ctr_pid c0)
	containerd_stop KILL
	kill -KILL "$pid"
	wait_until process_is_gone "$pid"
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	containerd_start
	ctr_rm c0 || true
	wait_until assert_run_empty 2>/dev/null
}

# containerd runs poststop for the one that did not start: the first must not feel it.
@test "containerd: one id in two containerd namespaces" {
	container_start c0 macvlan0
	refused ctr_run c0 --namespace other
	assert_contains "$REFUSED" "in use by pid $(ctr_pid c0)"
	assert_on_lan "$(ctr_pid c0)" 3
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	ctr_rm c0 --namespace other || true
	assert_on_lan "$(ctr_pid c0)" 3
}

@test "containerd: the host's own network namespace is refused" {
	refused container_start c0 macvlan0 \
		'.linux.namespaces |= map(select(.type != "network"))'
	assert_contains "$REFUSED" host
	assert_eq "" "$(ctr_pid c0)" "pid of c0"
	assert_run_empty
	assert_addresses $$ eth0 10.0.0.2/24 2001:db8:babe:cafe::2/64
}
