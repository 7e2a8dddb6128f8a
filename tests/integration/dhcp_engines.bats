#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A DHCP client that stays: no runtime waits for it, none takes it along before its time, and it ends
# with its container, after a word to the server.

load lib.bash
load engine.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
	podman_setup_file
	containerd_setup_file
}

teardown_file() {
	containerd_stop
}

setup() {
	lab_setup
	podman_setup
	network_dhcp
	dnsmasq_start
	dhcp_capture
}

teardown() {
	containerd_teardown
	podman_teardown
	dhcp_teardown
}

# It has a lease and its own client, and the LAN sees it.
assert_leased() { # PID
	look "$1"
	[[ $ADDRESS == 10.0.0.1??/24 ]] || fail "address '$ADDRESS'"
	assert_default "$1" 4 "10.0.0.1 eth0"
	lan_ping router "${ADDRESS%/*}"
	assert_eq "${ADDRESS%/*}" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)"
}

assert_released() {
	wait_until dnsmasq_lease_gone "$MAC"
	wait_until dhcp_seen Release "$MAC"
	no_clients
	assert_run_empty
}

# The runtime returns although the client lives: not a second for all of it.
with_runtime() { # RUNTIME
	# shellcheck disable=SC2034 # of rt_*()
	local RT=$1 RT_ROOT=$BATS_TEST_TMPDIR/$1

	mkdir -p "$RT_ROOT"
	container_run c0 -a io.oci-macvlan.networks=lan -a io.oci-macvlan.name=web
	assert_leased "$(container_pid c0)"
	rt exec c0 ping -c 1 -W 2 10.0.0.1
	rt_delete c0
	assert_released
}

@test "runc: lease, and release with the container" { with_runtime runc; }
@test "crun: lease, and release with the container" { with_runtime crun; }

with_podman() {
	pm_run web lan
	assert_leased "$(pm_pid web)"
	before="$MAC $ADDRESS"
	pm exec web ping -c 1 -W 2 10.0.0.1
	assert_contains "$(pm exec web cat /etc/resolv.conf)" nameserver
	pm stop --time 0 web
	assert_released
	pm start web
	assert_leased "$(pm_pid web)"
	assert_eq "$before" "$MAC $ADDRESS" "after a restart"
	pm rm --force --time 0 web
	assert_released
}

@test "podman, runc: lease, stop, start, rm" { with_podman; }
@test "podman, crun: lease, stop, start, rm" { OCI_RUNTIME=crun with_podman; }

@test "podman: a pod has one lease" {
	pm_pod pod
	pm_pod_run pod one lan
	assert_leased "$(pm_pid one)"
	assert_eq 1 "$(clients | wc -w)" "clients"
	pm pod rm --force --time 0 pod
	assert_released
}

@test "podman: conmon killed, so no poststop comes: gc ends the client" {
	pm_run web lan
	assert_leased "$(pm_pid web)"
	pid=$(pm_pid web)
	pm_kill_conmon web
	kill -KILL "$pid"
	wait_until process_is_gone "$pid"
	cli gc
	assert_released
}

@test "containerd: lease, and release with the task" {
	ctr_config c0 lan
	ctr_run c0
	assert_leased "$(ctr_pid c0)"
	ctr_rm c0
	assert_released
}
