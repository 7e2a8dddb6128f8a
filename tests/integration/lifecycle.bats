#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The life of an endpoint: attach again, detach late, in the wrong place or never; gc; reboot.

load lib.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dual
}

teardown() {
	lab_teardown
}

assert_attached() { # PID
	assert_addresses "$1" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	can_ping "$1" 10.0.0.1
}

@test "attach again: nothing changes" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	before=$(link_get "$SLEEPER" eth0 '"\(.ifindex) \(.address)"')
	attach c0 "$SLEEPER" macvlan0
	assert_eq "$before" "$(link_get "$SLEEPER" eth0 '"\(.ifindex) \(.address)"')"
	assert_eq eth0 "$(links "$SLEEPER")"
	assert_attached "$SLEEPER"
}

@test "poststop for who was never here, and many times: exit 0, no word" {
	run detach nobody
	assert_eq "0 " "$status $output"
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	for _ in 1 2 3; do
		run detach c0
		assert_eq "0 " "$status $output"
		assert_run_empty
	done
}

@test "poststop needs nothing but the id" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	rm "$ETC/networks/macvlan0.json"
	hook poststop <<<'{"id": "c0"}'
	assert_run_empty
}

@test "a poststop while init lives changes nothing and exits 0" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	run detach c0
	assert_eq 0 "$status"
	assert_attached "$SLEEPER"
}

@test "the same id in a new namespace, init dead: the same addresses, the old ones gone" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_attached "$SLEEPER"
}

@test "the same id in a new namespace, the old one alive but init dead" {
	sleeper_start
	old=$SLEEPER
	attach c0 "$old" macvlan0
	nsenter -t "$old" -n sleep 1000 >/dev/null 2>&1 3>&- &
	holder=$!
	disown "$holder"
	echo "$holder" >>"$SLEEPERS"
	wait_until same_netns "$old" "$holder"
	sleeper_stop "$old"
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_attached "$SLEEPER"
	assert_eq "" "$(links "$holder")"
}

same_netns() { # PID PID
	[ "$(readlink "/proc/$1/ns/net")" = "$(readlink "/proc/$2/ns/net")" ]
}

@test "the same id in two runtime roots: refused while the first lives" {
	sleeper_start
	first=$SLEEPER
	attach c0 "$first" macvlan0
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "in use by pid $first"
	assert_eq "" "$(links "$SLEEPER")"
	assert_attached "$first"
	# What runc does after the failed create.
	detach c0
	assert_attached "$first"
}

@test "gc frees what a dead container left, says why, and --dry-run only says" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	dead=$(head -n 1 "$SLEEPERS")
	before=$(run_listing)
	assert_eq "" "$(cli gc)" "gc of the living"
	sleeper_stop "$dead"
	assert_contains "$(cli gc --dry-run)" c0
	assert_eq "$before" "$(run_listing)"
	assert_contains "$(cli gc)" c0
	assert_eq "10.0.0.4 2001:db8:babe:cafe::4" "$(claims)"
	assert_addresses "$SLEEPER" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
}

@test "gc: a namespace that outlives its container loses the link" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	ip netns attach kept "$SLEEPER"
	sleeper_stop "$SLEEPER"
	assert_contains "$(cli gc)" c0
	assert_eq lo "$(ip -n kept -j link | jq -r 'map(.ifname) | join(" ")')"
	ip netns del kept
}

@test "ps shows live, lost and dead" {
	for id in c0 c1 c2; do
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
	done
	mapfile -t pids <"$SLEEPERS"
	in_netns "${pids[1]}" ip link del eth0
	sleeper_stop "${pids[2]}"
	assert_eq "c0 live,c1 lost,c2 dead" "$(cli ps --format json |
		jq -r 'map("\(.container) \(.state)") | sort | join(",")')"
	# A lost one is kept: repair brings it back.
	cli gc
	assert_eq "10.0.0.3 10.0.0.4 2001:db8:babe:cafe::3 2001:db8:babe:cafe::4" "$(claims)"
}

@test "an attach to a full pool collects the dead by itself" {
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.64/32"}]}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.64/24
	assert_eq c1/eth0 "$(claim_owner 10.0.0.64)"
}

@test "so does one that joins a pod, and holds two locks already" {
	network_dual '{"name": "small", "subnets": [{"subnet": "10.0.1.0/24", "ip_range": "10.0.1.64/32"}]}'
	sleeper_start
	dead=$SLEEPER
	attach dead "$dead" small
	sleeper_start
	owner=$SLEEPER
	attach owner "$owner" macvlan0
	nsenter -t "$owner" -n sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	member=$!
	disown "$member"
	echo "$member" >>"$SLEEPERS"
	wait_until netns_differs "$member"
	sleeper_stop "$dead"
	attach member "$member" small
	assert_addresses "$owner" eth1 10.0.1.64/24
	assert_eq owner/eth1 "$(claim_owner 10.0.1.64)"
}

@test "a killed attach is undone though its parent was renamed meanwhile" {
	sleeper_start
	attach first "$SLEEPER" macvlan0
	release first
	sleeper_start
	nsenter -t "$SLEEPER" -n sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	holder=$!
	disown "$holder"
	echo "$holder" >>"$SLEEPERS"
	wait_until netns_differs "$holder"
	attach_killed c0 "$SLEEPER" renameat 2
	assert_eq eth0 "$(links "$holder")"
	sleeper_stop "$SLEEPER"
	ip link set eth0 down
	ip link set eth0 name lan9
	ip link set lan9 up
	cli gc
	assert_eq "" "$(links "$holder")"
	assert_run_empty
	ip link set lan9 down
	ip link set lan9 name eth0
	ip -6 address replace 2001:db8:babe:cafe::2/64 dev eth0 nodad
	ip link set eth0 up
}

@test "poststop removes what an attach left that was killed while it wrote" {
	sleeper_start
	attach first "$SLEEPER" macvlan0
	release first
	sleeper_start
	attach_killed c0 "$SLEEPER" write 1
	[ -e "$RUN/containers/c0.tmp" ]
	release c0
	[ ! -e "$RUN/containers/c0.tmp" ]
}

@test "a link planted in the place of a pool: refused, and nothing is left" {
	sleeper_start
	attach first "$SLEEPER" macvlan0
	release first
	rm -r "$RUN/pools/eth0"
	ln -s /tmp "$RUN/pools/eth0"
	before=$(run_listing)
	sleeper_start
	refute attach c0 "$SLEEPER" macvlan0
	assert_eq "$before" "$(run_listing)"
	assert_eq "" "$(links "$SLEEPER")"
	rm "$RUN/pools/eth0"
}

@test "one container's name may be another's id" {
	network_dual '{"subnets": [{"subnet": "2001:db8:babe:cafe::/64"}]}'
	sleeper_start
	attach web "$SLEEPER" macvlan0
	mac=$(mac_of "$SLEEPER" eth0)
	sleeper_start
	attach other "$SLEEPER" macvlan0 io.oci-macvlan.name=web
	[ "$mac" != "$(mac_of "$SLEEPER" eth0)" ]
}

@test "a static address that a dead container left is free" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.30
	sleeper_stop "$SLEEPER"
	sleeper_start
	attach c1 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.30
	assert_eq c1/eth0 "$(claim_owner 10.0.0.30)"
}

@test "from another host namespace poststop and gc change nothing and say so" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	before=$(run_listing)
	state_json stopped c0 0 >"$BATS_TEST_TMPDIR/state"
	run ip netns exec router "$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" poststop \
		<"$BATS_TEST_TMPDIR/state"
	assert_contains "$output" namespace
	run ip netns exec router "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" gc
	assert_contains "$output" namespace
	assert_eq "$before" "$(run_listing)"
}

@test "RUN of an earlier boot: its claims are void" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	echo 00000000-0000-0000-0000-000000000000 >"$RUN/boot"
	sleeper_stop "$SLEEPER"
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	assert_attached "$SLEEPER"
	assert_eq "$(cat /proc/sys/kernel/random/boot_id)" "$(cat "$RUN/boot")"
	assert_eq c1/eth0 "$(claim_owner 10.0.0.3)"
}

@test "a name that is in use: the second container goes by its id" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.name=web
	sleeper_start
	attach c1 "$SLEEPER" macvlan0 io.oci-macvlan.name=web
	assert_addresses "$SLEEPER" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
	release c1
	sleeper_start
	attach c2 "$SLEEPER" macvlan0
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
}

@test "removing a network: refused while it is used, -f detaches" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	run cli network rm macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" c0
	assert_attached "$SLEEPER"
	cli network rm -f macvlan0
	assert_eq "" "$(links "$SLEEPER")"
	assert_run_empty
	refute test -e "$ETC/networks/macvlan0.json"
}

@test "the container's own changes are no obstacle: link renamed, moved MAC, address removed" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	ip netns attach kept "$SLEEPER"
	ip -n kept addr flush dev eth0
	ip -n kept link set eth0 down
	ip -n kept link set eth0 name renamed0
	release c0
	assert_run_empty
	assert_eq lo "$(ip -n kept -j link | jq -r 'map(.ifname) | join(" ")')"
	ip netns del kept
}

@test "a foreign link that took the name of ours is not deleted" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	ip netns attach kept "$SLEEPER"
	ip -n kept link del eth0
	ip -n kept link add eth0 type bridge
	release c0
	assert_run_empty
	assert_eq "eth0 lo" "$(ip -n kept -j link | jq -r 'map(.ifname) | sort | join(" ")')"
	ip netns del kept
}

@test "a hung runtime and a held lock: the hook ends by its own deadline" {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	release c0
	sleeper_start
	# Who holds all locks, and a stdin that never ends.
	python3 -c 'import fcntl, struct, sys, time
file = open(sys.argv[1], "r+b")
fcntl.fcntl(file, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
time.sleep(1000)' "$RUN/lock" >/dev/null 2>&1 3>&- &
	echo $! >>"$SLEEPERS"
	disown $!
	locker=$!
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	sleep 1000 >"$BATS_TEST_TMPDIR/fifo" 3>&- &
	echo $! >>"$SLEEPERS"
	disown $!
	wait_until grep -q "OFDLCK.*WRITE.*:$(stat -c %i "$RUN/lock") " /proc/locks
	start=$SECONDS
	hook createRuntime <"$BATS_TEST_TMPDIR/fifo" >"$BATS_TEST_TMPDIR/hung" 2>&1 3>&- &
	hung=$!
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" c0
	refute wait "$hung"
	((SECONDS - start <= 50)) || fail "took $((SECONDS - start)) s"
	assert_eq 1 "$(wc -l <"$BATS_TEST_TMPDIR/hung")"
	assert_eq "" "$(links "$SLEEPER")"
	assert_run_empty
	sleeper_stop "$locker"
}

@test "a pod's member whose own record was lost, again with another init: its poststop is heard" {
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" macvlan0
	sleeper_join "$owner"
	attach c1 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	rm "$RUN/containers/c1.json"
	sleeper_join "$owner"
	attach c1 "$SLEEPER" macvlan0
	assert_eq "$SLEEPER" "$(jq '.members[] | select(.id == "c1") | .pid' "$RUN/containers/c0.json")"
	assert_eq c0 "$(jq -r .joined "$RUN/containers/c1.json")"
	release c1 "$SLEEPER"
	assert_eq c0 "$(jq -r '[.members[].id] | join(" ")' "$RUN/containers/c0.json")"
	release c0 "$owner"
	assert_run_empty
}
