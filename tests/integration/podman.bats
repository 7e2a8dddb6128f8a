#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# podman with a hooks.d directory, under runc and under crun.

load lib.bash
load engine.bash

setup_file() {
	lab_setup_file
	podman_setup_file
}

setup() {
	lab_setup
	podman_setup
	network_dual
}

teardown() {
	podman_teardown
	lab_teardown
}

# The addresses that automatic allocation or a test gives: 10.0.0.N and 2001:db8:babe:cafe::N.
assert_on_lan() { # NAME N
	assert_addresses "$(pm_pid "$1")" eth0 "10.0.0.$2/24" "2001:db8:babe:cafe::$2/64"
}

address_and_neighbours() {
	local pid0 pid1

	pm_run c0 macvlan0
	pm_run c1 macvlan0
	pid0=$(pm_pid c0)
	pid1=$(pm_pid c1)
	assert_on_lan c0 3
	assert_on_lan c1 4
	assert_eq 02:42:0a:00:00:03 "$(mac_of "$pid0" eth0)"
	assert_default "$pid0" 4 "10.0.0.1 eth0"
	assert_default "$pid0" 6 "2001:db8:babe:cafe::1 eth0"
	can_ping "$pid0" 10.0.0.1
	can_ping "$pid0" 2001:db8:babe:cafe::1
	can_ping "$pid1" 10.0.0.3
	can_ping "$pid1" 2001:db8:babe:cafe::3
	lan_ping router 10.0.0.4
	lan_ping router 2001:db8:babe:cafe::4
	assert_eq 02:42:0a:00:00:03 "$(lan_neighbour router 10.0.0.3)"
	assert_eq 02:42:0a:00:00:03 "$(lan_neighbour router 2001:db8:babe:cafe::3)"
	pm exec c0 ping -c 1 -W 2 10.0.0.4
	pm exec c0 ping -c 1 -W 2 2001:db8:babe:cafe::4
	pm rm --force --time 0 c0 c1
	assert_run_empty
}

# As README.md says: the two files in the folder that podman reads without being told. The folder
# above is a copy here, so that the machine keeps its own.
installed_hooks() {
	local copy=$BATS_TEST_TMPDIR/containers
	local -x PODMAN_OWN_HOOKS=1 # for pm()

	cp -a /usr/share/containers "$copy"
	mkdir -p "$copy/oci/hooks.d"
	cp "$PODMAN"/hooks.d/*.json "$copy/oci/hooks.d"
	mount --bind "$copy" /usr/share/containers
	pm_run c0 macvlan0
	assert_on_lan c0 3
	pm rm --force --time 0 c0
	umount /usr/share/containers
	assert_run_empty
}

static_and_shorthands() {
	pm_run c0 '[{"name":"macvlan0","interface":"lan0","mac":"02:42:0a:00:00:99",
		"ips":["10.0.0.40","2001:db8:babe:cafe::40"]}]'
	assert_addresses "$(pm_pid c0)" lan0 10.0.0.40/24 2001:db8:babe:cafe::40/64
	assert_eq 02:42:0a:00:00:99 "$(mac_of "$(pm_pid c0)" lan0)"
	pm_run c1 macvlan0 --annotation io.oci-macvlan.ip=10.0.0.41 \
		--annotation io.oci-macvlan.ip6=2001:db8:babe:cafe::41
	assert_on_lan c1 41
	pm rm --force --time 0 c0 c1
	assert_run_empty
}

without_annotation() {
	pm run --detach --name c0 --network none --cgroup-parent "/$OCI_MACVLAN_CGROUP" "$IMAGE"
	assert_eq "" "$(links "$(pm_pid c0)")" "interfaces"
	assert_run_empty
}

stop_start_restart() {
	pm_run c0 macvlan0
	pm_run c1 macvlan0
	pm stop --time 0 c0
	assert_eq "10.0.0.4 2001:db8:babe:cafe::4" "$(claims)"
	# The cursor is past c0's address: only that it was its last one brings it back.
	pm_run c2 macvlan0
	assert_on_lan c2 5
	pm start c0
	assert_on_lan c0 3
	can_ping "$(pm_pid c1)" 10.0.0.3
	pm restart --time 0 c0
	assert_on_lan c0 3
	can_ping "$(pm_pid c1)" 2001:db8:babe:cafe::3
	pm stop --time 0 c0 c1 c2
	assert_run_empty
}

# Nobody waits for poststop here: conmon has podman run it when init is dead.
kill_frees() {
	pm_run c0 macvlan0
	pm kill c0
	wait_until assert_run_empty 2>/dev/null
	assert_eq exited "$(pm container inspect --format '{{.State.Status}}' c0)"
	pm start c0
	assert_on_lan c0 3
	kill -KILL "$(pm_pid c0)"
	wait_until assert_run_empty 2>/dev/null
}

rm_force_frees() {
	pm_run c0 macvlan0
	pm_run c1 macvlan0 --rm
	pm rm --force --time 0 c0
	assert_eq "10.0.0.4 2001:db8:babe:cafe::4" "$(claims)"
	pm kill c1
	wait_until assert_run_empty 2>/dev/null
}

stop_kill_rm_at_once() {
	local round

	for round in 1 2 3; do
		pm_run c0 macvlan0 --annotation io.oci-macvlan.name=web
		assert_on_lan c0 3
		# Each of them may come too late for its own purpose; the container must go.
		pm stop --time 0 c0 &
		pm kill c0 &
		pm rm --force --time 0 c0 &
		wait
		# podman's rm gives up when its kill finds the container stopped by then: once more.
		! pm container exists c0 || pm rm --force --time 0 c0
		refute pm container exists c0
		wait_until assert_run_empty 2>/dev/null || fail "round $round"
	done
}

taken_address() {
	pm_run c0 macvlan0
	refused pm_run c1 macvlan0 --annotation io.oci-macvlan.ip=10.0.0.3
	[ "$OCI_RUNTIME" != runc ] || assert_contains "$REFUSED" "$(pm_id c0)"
	assert_logged 10.0.0.3 "$(pm_id c0)"
	pm_not_running c1
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	assert_eq "$(pm_id c0).json" "$(ls "$RUN/containers")"
	can_ping "$(pm_pid c0)" 10.0.0.1
	pm rm --force --time 0 c0
	pm start c1
	assert_contains "$(addresses "$(pm_pid c1)" eth0)" 10.0.0.3/24
	can_ping "$(pm_pid c1)" 10.0.0.1
	can_ping "$(pm_pid c1)" 2001:db8:babe:cafe::1
}

missing_network() {
	refused pm_run c0 lab
	[ "$OCI_RUNTIME" != runc ] || assert_contains "$REFUSED" lab
	assert_logged lab
	pm_not_running c0
	assert_run_empty
	network_dual '{"name": "lab"}'
	pm start c0
	assert_on_lan c0 3
}

# Without conmon nobody runs poststop: the address is kept until gc.
conmon_killed() {
	local id

	pm_run c0 macvlan0
	id=$(pm_id c0)
	pm_run c1 macvlan0
	pm_kill_conmon c0
	cli gc
	assert_on_lan c0 3
	can_ping "$(pm_pid c0)" 10.0.0.1
	pm stop --time 0 c0
	pm rm --force --time 0 c0
	assert_eq "10.0.0.3 10.0.0.4 2001:db8:babe:cafe::3 2001:db8:babe:cafe::4" "$(claims)"
	assert_contains "$(cli gc --dry-run)" "$id"
	cli gc
	assert_eq "10.0.0.4 2001:db8:babe:cafe::4" "$(claims)"
	assert_on_lan c1 4
	can_ping "$(pm_pid c1)" 10.0.0.1
}

# Who asks for a dead container's address finds that it is dead.
conmon_killed_then_static() {
	local pid

	pm_run c0 macvlan0
	pid=$(pm_pid c0)
	pm_kill_conmon c0
	refused pm_run c1 macvlan0 --annotation io.oci-macvlan.ip=10.0.0.3
	kill -KILL "$pid"
	wait_until process_is_gone "$pid"
	pm start c1
	assert_contains "$(addresses "$(pm_pid c1)" eth0)" 10.0.0.3/24
	can_ping "$(pm_pid c1)" 10.0.0.1
	cli gc
	assert_eq "$(pm_id c1)/eth0" "$(claim_owner 10.0.0.3)"
	assert_eq "$(pm_id c1).json" "$(ls "$RUN/containers")"
}

name_keeps_address() {
	pm_run c0 macvlan0 --annotation io.oci-macvlan.name=web
	pm_run c1 macvlan0
	pm rm --force --time 0 c0
	pm_run c2 macvlan0
	assert_on_lan c2 5
	pm_run c3 macvlan0 --annotation io.oci-macvlan.name=web
	assert_on_lan c3 3
}

user_namespace() {
	pm_run c0 macvlan0 --uidmap 0:100000:65536
	refute test /proc/self/ns/user -ef "/proc/$(pm_pid c0)/ns/user"
	assert_on_lan c0 3
	can_ping "$(pm_pid c0)" 10.0.0.1
	can_ping "$(pm_pid c0)" 2001:db8:babe:cafe::1
	pm stop --time 0 c0
	assert_run_empty
}

# The host's resolvers, where podman does not mount a file of its own; gone from the container's
# layer when it has stopped.
resolvers() {
	local host

	host=$(grep -E '^(nameserver|search|domain|options|sortlist)' /etc/resolv.conf)
	pm_run c0 macvlan0
	assert_eq "$host" "$(pm exec c0 cat /etc/resolv.conf)"
	pm stop --time 0 c0
	assert_run_empty
	refute pm_has_resolv c0
	pm start c0
	assert_eq "$host" "$(pm exec c0 cat /etc/resolv.conf)"
	echo "nameserver 192.0.2.7" >"$BATS_TEST_TMPDIR/resolv.conf"
	pm_run c1 macvlan0 --volume "$BATS_TEST_TMPDIR/resolv.conf:/etc/resolv.conf"
	assert_eq "nameserver 192.0.2.7" "$(pm exec c1 cat /etc/resolv.conf)"
	pm_run c2 macvlan0 --read-only
	assert_eq "$host" "$(pm exec c2 cat /etc/resolv.conf)"
	pm rm --force --time 0 c0 c1 c2
	assert_run_empty
}

pm_has_resolv() { # NAME
	local root status=0

	root=$(pm mount "$1")
	[ -e "$root/etc/resolv.conf" ] || status=1
	pm umount "$1" >/dev/null
	return "$status"
}

host_network() {
	refused pm run --detach --name c0 --network host --cgroup-parent "/$OCI_MACVLAN_CGROUP" \
		--annotation io.oci-macvlan.networks=macvlan0 "$IMAGE"
	assert_logged host
	pm_not_running c0
	assert_run_empty
	assert_addresses $$ eth0 10.0.0.2/24 2001:db8:babe:cafe::2/64
}

@test "podman, runc: addresses, routes, neighbours" { address_and_neighbours; }
@test "podman, crun: addresses, routes, neighbours" { OCI_RUNTIME=crun address_and_neighbours; }
@test "podman, runc: static addresses and shorthands" { static_and_shorthands; }
@test "podman, crun: static addresses and shorthands" { OCI_RUNTIME=crun static_and_shorthands; }
@test "podman, runc: no annotation, no change" { without_annotation; }
@test "podman, crun: no annotation, no change" { OCI_RUNTIME=crun without_annotation; }
@test "podman, runc: stop, start, restart" { stop_start_restart; }
@test "podman, crun: stop, start, restart" { OCI_RUNTIME=crun stop_start_restart; }
@test "podman, runc: kill" { kill_frees; }
@test "podman, crun: kill" { OCI_RUNTIME=crun kill_frees; }
@test "podman, runc: rm --force and --rm" { rm_force_frees; }
@test "podman, crun: rm --force and --rm" { OCI_RUNTIME=crun rm_force_frees; }
@test "podman, runc: stop, kill and rm at once" { stop_kill_rm_at_once; }
@test "podman, crun: stop, kill and rm at once" { OCI_RUNTIME=crun stop_kill_rm_at_once; }
@test "podman, runc: taken address" { taken_address; }
@test "podman, crun: taken address" { OCI_RUNTIME=crun taken_address; }
@test "podman, runc: missing network" { missing_network; }
@test "podman, crun: missing network" { OCI_RUNTIME=crun missing_network; }
@test "podman, runc: conmon killed, then gc" { conmon_killed; }
@test "podman, crun: conmon killed, then gc" { OCI_RUNTIME=crun conmon_killed; }
@test "podman, runc: conmon killed, then its address asked for" { conmon_killed_then_static; }
@test "podman, crun: conmon killed, then its address asked for" { OCI_RUNTIME=crun conmon_killed_then_static; }
@test "podman, runc: the name keeps the address" { name_keeps_address; }
@test "podman, crun: the name keeps the address" { OCI_RUNTIME=crun name_keeps_address; }
@test "podman, runc: user namespace" { user_namespace; }
@test "podman, crun: user namespace" { OCI_RUNTIME=crun user_namespace; }
@test "podman, runc: hooks where podman looks for them" { installed_hooks; }
@test "podman, crun: hooks where podman looks for them" { OCI_RUNTIME=crun installed_hooks; }
@test "podman, runc: resolvers" { resolvers; }
@test "podman, crun: resolvers" { OCI_RUNTIME=crun resolvers; }
@test "podman, runc: host network is refused" { host_network; }
@test "podman, crun: host network is refused" { OCI_RUNTIME=crun host_network; }
