#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Several containers in one network namespace: podman pods, and bundles that join one by path. The
# first that asks for a network owns its interface; the others are members of the owner's record.

load lib.bash
load engine.bash

setup_file() {
	lab_setup_file
	podman_setup_file
	lan_add_parent eth1 20
}

setup() {
	lab_setup
	podman_setup
	network_dual
	network_write '{"name": "storage", "parent": "eth1",
		"subnets": [{"subnet": "10.20.0.0/24", "gateway": "10.20.0.1"}]}'
}

teardown() {
	podman_teardown
	lab_teardown
	ip netns del pod 2>/dev/null || true
	ip netns del other 2>/dev/null || true
}

# --- what the records say ---

# The container that owns the endpoints of the only namespace in RUN/netns.
owner() {
	local link

	link=$(find "$RUN/netns" -type l)
	readlink "$link"
}

joined() { # ID
	jq -r '.joined // ""' "$RUN/containers/$1.json"
}

# Ids of an owner's members, sorted, in one line.
members() { # OWNER
	jq -r '[.members[].id] | sort | join(" ")' "$RUN/containers/$1.json"
}

has_members() { # OWNER ID
	[ "$(members "$1")" = "$2" ]
}

sorted() { # WORD...
	printf '%s\n' "$@" | sort | paste -sd ' '
}

# One owner whose members are all of ID..., and each of the others says that it joined it.
assert_shared() { # ID...
	local owner id

	owner=$(owner)
	assert_eq "$(sorted "$@")" "$(members "$owner")" "members of $owner"
	assert_eq "$(sorted "${@/%/.json}")" "$(sorted "$(ls "$RUN/containers")")" "records"
	for id; do
		[ "$id" != "$owner" ] || continue
		assert_eq "$owner" "$(joined "$id")" "owner in the record of $id"
	done
}

assert_on_lan() { # PID N
	assert_addresses "$1" eth0 "10.0.0.$2/24" "2001:db8:babe:cafe::$2/64"
	can_ping "$1" 10.0.0.1
	can_ping "$1" 2001:db8:babe:cafe::1
}

# --- podman pods ---

# A running pod p of m0, which is on the LAN, and leaves the pid of its infra container in INFRA.
pod_start() {
	pm_pod p
	pm_pod_run p m0 macvlan0
	INFRA=$(pm_infra_pid p)
	assert_on_lan "$INFRA" 3
}

pod_members_at_once() {
	local a b first last

	pm_pod p
	pm_pod_create p a macvlan0
	pm_pod_create p b macvlan0
	pm start a &
	a=$!
	pm start b &
	b=$!
	wait "$a"
	wait "$b"
	INFRA=$(pm_infra_pid p)
	assert_eq eth0 "$(links "$INFRA")" interfaces
	assert_on_lan "$INFRA" 3
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	assert_shared "$(pm_id a)" "$(pm_id b)"

	# The owner goes first: the other keeps the interface.
	first=a last=b
	[ "$(owner)" = "$(pm_id a)" ] || first=b last=a
	pm stop --time 0 "$first"
	assert_on_lan "$INFRA" 3
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	cli gc
	assert_on_lan "$INFRA" 3

	# The last one out, and the namespace lives on with the infra container.
	pm stop --time 0 "$last"
	assert_eq "" "$(links "$INFRA")" interfaces
	assert_run_empty
	pm start "$first"
	assert_eq eth0 "$(links "$INFRA")" interfaces
}

pod_owner_returns() {
	local pid

	pod_start
	pm_pod_run p m1 macvlan0
	pid=$(pm_pid m1)
	pm stop --time 0 m0
	pm start m0
	assert_shared "$(pm_id m0)" "$(pm_id m1)"
	assert_on_lan "$pid" 3
	pm restart --time 0 m1
	assert_shared "$(pm_id m0)" "$(pm_id m1)"
	assert_on_lan "$INFRA" 3
	assert_eq eth0 "$(links "$INFRA")" interfaces
	pm rm --force --time 0 m0 m1
	assert_run_empty
	assert_eq "" "$(links "$INFRA")" interfaces
}

pod_other_address() {
	pod_start
	refused pm_pod_run p m1 macvlan0 --annotation io.oci-macvlan.ip=10.0.0.77
	[ "$OCI_RUNTIME" != runc ] || assert_contains "$REFUSED" "$(pm_id m0)"
	assert_logged "$(pm_id m0)"
	pm_not_running m1
	assert_on_lan "$INFRA" 3
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	assert_shared "$(pm_id m0)"
	pm rm --force --time 0 m1
	assert_on_lan "$INFRA" 3
	# What it has already may be asked for.
	pm_pod_run p m2 macvlan0 --annotation io.oci-macvlan.ip=10.0.0.3
	assert_shared "$(pm_id m0)" "$(pm_id m2)"
}

pod_second_network() {
	local owner

	pod_start
	owner=$(pm_id m0)
	pm_pod_run p m1 macvlan0,storage
	assert_eq "eth0 eth1" "$(links "$INFRA")" interfaces
	assert_addresses "$INFRA" eth1 10.20.0.3/24
	can_ping "$INFRA" 10.20.0.1
	assert_shared "$owner" "$(pm_id m1)"
	assert_eq "macvlan0 storage" "$(jq -r '[.endpoints[].network] | sort | join(" ")' \
		"$RUN/containers/$owner.json")"
	pm stop --time 0 m0
	assert_eq "eth0 eth1" "$(links "$INFRA")" interfaces
	can_ping "$INFRA" 10.20.0.1
	pm stop --time 0 m1
	assert_eq "" "$(links "$INFRA")" interfaces
	assert_run_empty
}

pod_stop_start_rm() {
	pod_start
	pm_pod_run p m1 macvlan0
	pm pod stop --time 0 p
	assert_run_empty
	pm pod start p
	INFRA=$(pm_infra_pid p)
	assert_eq eth0 "$(links "$INFRA")" interfaces
	assert_shared "$(pm_id m0)" "$(pm_id m1)"
	can_ping "$INFRA" 10.0.0.1
	pm pod rm --force --time 0 p
	assert_run_empty
}

# podman restarts the infra container first: each member comes back in the new namespace while
# others still live in the old one.
pod_restart() {
	local round

	pod_start
	pm_pod_run p m1 macvlan0
	for round in 1 2 3; do
		pm pod restart p
		INFRA=$(pm_infra_pid p)
		assert_eq eth0 "$(links "$INFRA")" "interfaces, round $round"
		assert_shared "$(pm_id m0)" "$(pm_id m1)"
		can_ping "$INFRA" 10.0.0.1
		can_ping "$INFRA" 2001:db8:babe:cafe::1
	done
}

# Nobody runs poststop for the members, and the namespace lives: gc has to delete the link.
pod_conmons_killed() {
	local pid

	pod_start
	pm_pod_run p m1 macvlan0
	pm_kill_conmon m0 m1
	cli gc
	assert_on_lan "$INFRA" 3
	pid=$(pm_pid m0)
	kill -KILL "$pid"
	wait_until process_is_gone "$pid"
	cli gc
	assert_on_lan "$INFRA" 3
	pid=$(pm_pid m1)
	kill -KILL "$pid"
	wait_until process_is_gone "$pid"
	assert_eq eth0 "$(links "$INFRA")" interfaces
	cli gc
	assert_eq "" "$(links "$INFRA")" interfaces
	assert_run_empty
}

# No infra container: the namespace is the first container's own, and outlives it by the second.
network_of_container() {
	local pid

	pm_run c0 macvlan0
	pm run --detach --name c1 --network container:c0 --cgroup-parent "/$OCI_MACVLAN_CGROUP" \
		--annotation io.oci-macvlan.networks=macvlan0 "$IMAGE"
	pid=$(pm_pid c1)
	assert_eq "$(pm_id c0)" "$(owner)"
	assert_shared "$(pm_id c0)" "$(pm_id c1)"
	kill -KILL "$(pm_pid c0)"
	wait_until pm_not_running c0 2>/dev/null
	wait_until has_members "$(pm_id c0)" "$(pm_id c1)"
	assert_on_lan "$pid" 3
	pm stop --time 0 c1
	wait_until assert_run_empty 2>/dev/null
	pm rm --force c1
}

@test "pod, runc: members started at once, owner stopped first" { pod_members_at_once; }
@test "pod, crun: members started at once, owner stopped first" { OCI_RUNTIME=crun pod_members_at_once; }
@test "pod, runc: members stop and start" { pod_owner_returns; }
@test "pod, crun: members stop and start" { OCI_RUNTIME=crun pod_owner_returns; }
@test "pod, runc: another address of the same network" { pod_other_address; }
@test "pod, crun: another address of the same network" { OCI_RUNTIME=crun pod_other_address; }
@test "pod, runc: a second network" { pod_second_network; }
@test "pod, crun: a second network" { OCI_RUNTIME=crun pod_second_network; }
@test "pod, runc: pod stop, start, rm --force" { pod_stop_start_rm; }
@test "pod, crun: pod stop, start, rm --force" { OCI_RUNTIME=crun pod_stop_start_rm; }
@test "pod, runc: pod restart" { pod_restart; }
@test "pod, crun: pod restart" { OCI_RUNTIME=crun pod_restart; }
@test "pod, runc: conmons killed, then gc" { pod_conmons_killed; }
@test "pod, crun: conmons killed, then gc" { OCI_RUNTIME=crun pod_conmons_killed; }
@test "podman, runc: --network container:NAME" { network_of_container; }
@test "podman, crun: --network container:NAME" { OCI_RUNTIME=crun network_of_container; }

# --- bundles that join a namespace by its path ---

# Makes a namespace that lives without a container, and leaves a process to look into it in POD.
netns_pod() { # [RUNTIME]
	RT=${1-runc}
	RT_ROOT=$BATS_TEST_TMPDIR/$RT
	mkdir -p "$RT_ROOT"
	netns_add pod
}

netns_add() { # NAME
	ip netns add "$1"
	ip netns exec "$1" sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	POD=$!
	echo "$POD" >>"$SLEEPERS"
	disown
	wait_until netns_differs "$POD"
}

member_run() { # ID [OPTION]...
	container_run "$@" -j '(.linux.namespaces[] | select(.type == "network")).path
		|= (. // "/run/netns/pod")'
}

netns_attach_again() {
	member_run m0
	assert_on_lan "$POD" 3
	rt_kill m0
	assert_on_lan "$POD" 3
	rt_delete m0
	assert_eq "" "$(links "$POD")" interfaces
	assert_run_empty
	member_run m0
	assert_on_lan "$POD" 3
	rt_delete m0
	assert_eq "" "$(links "$POD")" interfaces
	assert_run_empty
}

netns_owner_first() {
	local id

	for id in m0 m1 m2; do
		member_run "$id"
	done
	assert_eq m0 "$(owner)"
	assert_shared m0 m1 m2
	assert_eq eth0 "$(links "$POD")" interfaces
	rt_delete m0
	assert_on_lan "$POD" 3
	rt_delete m2
	assert_on_lan "$POD" 3
	# The owner's id comes back while its record still serves the others.
	member_run m0
	assert_shared m0 m1
	assert_on_lan "$POD" 3
	rt_delete m1
	assert_on_lan "$POD" 3
	rt_delete m0
	assert_eq "" "$(links "$POD")" interfaces
	assert_run_empty
}

# The owner's id comes back in another namespace, as in podman pod restart, and takes along its
# addresses; who stayed behind has nothing left, and leaves without a trace.
netns_owner_elsewhere() {
	local first=$POD

	member_run m0
	member_run m1
	rt_delete m0
	assert_on_lan "$first" 3
	netns_add other
	member_run m0 -j '(.linux.namespaces[] | select(.type == "network")).path
		= "/run/netns/other"'
	assert_eq m0 "$(owner)"
	assert_eq m0 "$(members m0)"
	assert_on_lan "$POD" 3
	assert_eq "" "$(links "$first")" "interfaces left behind"
	rt_delete m1
	assert_on_lan "$POD" 3
	assert_shared m0
	rt_delete m0
	assert_run_empty
}

netns_all_at_once() {
	local id pids=()

	for id in m0 m1 m2 m3; do
		member_run "$id" >"$BUNDLES/$id.log" 2>&1 3>&- &
		pids+=("$!")
	done
	for id in "${pids[@]}"; do
		wait "$id"
	done
	assert_shared m0 m1 m2 m3
	assert_eq eth0 "$(links "$POD")" interfaces
	assert_on_lan "$POD" 3
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	for id in m0 m1 m2 m3; do
		rt_delete "$id" >/dev/null 2>&1 3>&- &
	done
	wait_until assert_run_empty 2>/dev/null
	assert_eq "" "$(links "$POD")" interfaces
}

# A member may ask for what the owner has, and for nothing else of the same network.
netns_other_request() {
	local other

	member_run m0
	for other in io.oci-macvlan.ip=10.0.0.50 io.oci-macvlan.ip6=2001:db8:babe:cafe::50 \
		io.oci-macvlan.mac=02:42:0a:00:00:50 io.oci-macvlan.interface=lan0; do
		refused member_run m1 -a io.oci-macvlan.networks=macvlan0 -a "$other"
		[ "$RT" != runc ] || assert_contains "$REFUSED" m0
		assert_logged m0
		refute rt state m1
		assert_shared m0
		assert_eq eth0 "$(links "$POD")" interfaces
		assert_on_lan "$POD" 3
	done
	member_run m1 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.ip=10.0.0.3 \
		-a io.oci-macvlan.mac=02:42:0a:00:00:03 -a io.oci-macvlan.interface=eth0
	assert_shared m0 m1
}

netns_second_network() {
	member_run m0
	member_run m1 -a io.oci-macvlan.networks=storage
	assert_eq "eth0 eth1" "$(links "$POD")" interfaces
	assert_addresses "$POD" eth1 10.20.0.3/24
	can_ping "$POD" 10.20.0.1
	assert_shared m0 m1
	assert_eq m0/eth1 "$(claim_owner 10.20.0.3 eth1)"
	assert_default "$POD" 4 "10.0.0.1 eth0"
	rt_delete m0
	assert_eq "eth0 eth1" "$(links "$POD")" interfaces
	rt_delete m1
	assert_eq "" "$(links "$POD")" interfaces
	assert_run_empty
}

# A second network that cannot be had undoes what this member did, and nothing of the owner's.
netns_second_network_fails() {
	local networks='[{"name":"macvlan0"},{"name":"storage","ips":["10.20.0.2"]}]'

	member_run m0
	refused member_run m1 -a "io.oci-macvlan.networks=$networks"
	assert_logged 10.20.0.2
	refute rt state m1
	assert_shared m0
	assert_eq eth0 "$(links "$POD")" interfaces
	assert_eq "" "$(claims eth1)" "claims on eth1"
	assert_on_lan "$POD" 3
}

# The runtime is gone with its state, so poststop never comes; the namespace lives.
netns_collected() {
	member_run m0
	member_run m1
	kill -KILL "$(container_pid m0)"
	wait_until process_is_gone "$(container_pid m0)"
	cli gc
	assert_on_lan "$POD" 3
	kill -KILL "$(container_pid m1)"
	wait_until process_is_gone "$(container_pid m1)"
	cli gc --dry-run
	assert_eq eth0 "$(links "$POD")" interfaces
	cli gc
	assert_eq "" "$(links "$POD")" interfaces
	assert_run_empty
	rt_delete m0
	rt_delete m1
}

# The namespace is deleted by its name first: poststop finds nothing of it but the record.
netns_gone_first() {
	member_run m0
	member_run m1
	rt_kill m0
	rt_kill m1
	ip netns del pod
	kill -KILL "$POD"
	rt_delete m1
	rt_delete m0
	assert_run_empty
}

@test "namespace by path, runc: attached again after stop" { netns_pod && netns_attach_again; }
@test "namespace by path, crun: attached again after stop" { netns_pod crun && netns_attach_again; }
@test "namespace by path, runc: owner deleted first, comes back" { netns_pod && netns_owner_first; }
@test "namespace by path, crun: owner deleted first, comes back" { netns_pod crun && netns_owner_first; }
@test "namespace by path, runc: owner comes back elsewhere" { netns_pod && netns_owner_elsewhere; }
@test "namespace by path, crun: owner comes back elsewhere" { netns_pod crun && netns_owner_elsewhere; }
@test "namespace by path, runc: all at once" { netns_pod && netns_all_at_once; }
@test "namespace by path, crun: all at once" { netns_pod crun && netns_all_at_once; }
@test "namespace by path, runc: another address, MAC or name" { netns_pod && netns_other_request; }
@test "namespace by path, crun: another address, MAC or name" { netns_pod crun && netns_other_request; }
@test "namespace by path, runc: a second network" { netns_pod && netns_second_network; }
@test "namespace by path, crun: a second network" { netns_pod crun && netns_second_network; }
@test "namespace by path, runc: a second network that fails" { netns_pod && netns_second_network_fails; }
@test "namespace by path, crun: a second network that fails" { netns_pod crun && netns_second_network_fails; }
@test "namespace by path, runc: never deleted, then gc" { netns_pod && netns_collected; }
@test "namespace by path, crun: never deleted, then gc" { netns_pod crun && netns_collected; }
@test "namespace by path, runc: the namespace goes first" { netns_pod && netns_gone_first; }
@test "namespace by path, crun: the namespace goes first" { netns_pod crun && netns_gone_first; }
