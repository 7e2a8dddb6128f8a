#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# VLANs as parents, and what else needs a kernel that has 8021q, dummy, bonding and ipvlan.
#
#	tests/vm-run.sh env OCI_MACVLAN_ISOLATED=1 TMPDIR=/run/tmp bats tests/integration/vlan.bats

# shellcheck disable=SC2030,SC2031 # each test sets what it reads

load lib.bash
load parents.bash

# On the LAN's switch: the router is in VLAN 10 with 10.10.0.1, and in VLAN 20 of that with 10.20.0.1.
setup_file() {
	if ! grep -q 'User Mode Linux' /proc/cpuinfo; then
		echo "run it under tests/vm-run.sh" >&2
		return 1
	fi
	lab_setup_file
	ip -n router link add lan.10 link lan type vlan id 10
	ip -n router link set lan.10 up
	lan_addr -n router lan.10 10.10.0.1/24 fd00:10::1/64
	ip -n router link add lan.10.20 link lan.10 type vlan id 20
	ip -n router link set lan.10.20 up
	lan_addr -n router lan.10.20 10.20.0.1/24 fd00:20::1/64
}

setup() {
	lab_setup
}

teardown() {
	parents_teardown
}

# A network in VLAN 10, or in VLAN 20 of that.
network_vlan() { # NAME [PARENT]
	local n=10

	[[ ${2-} != *.20 ]] || n=20
	cli network create -o conflict_detection_ms=0 --subnet "10.$n.0.0/24" --gateway "10.$n.0.1" --subnet "fd00:$n::/64" \
		--gateway "fd00:$n::1" -o "parent=${2:-eth0.10}" "$1"
}

# A VLAN of ours on a link.
assert_vlan() { # DEV LOWER ID
	assert_ours "$1"
	assert_eq "[\"vlan\",\"$2\",$3,\"802.1Q\"]" "$(host_link "$1" \
		'[.linkinfo.info_kind, .link, .linkinfo.info_data.id, .linkinfo.info_data.protocol] | tojson')"
}

# Starts a capture on the far end of the host's cable; what it saw is in FRAMES when it ends.
capture_start() { # COUNT FILTER...
	FRAMES=$BATS_TEST_TMPDIR/frames
	ip netns exec router tcpdump -i port0 -n -e -l -c "$1" "${@:2}" >"$FRAMES" 2>"$FRAMES.err" 3>&- &
	CAPTURE=$!
	wait_until grep -q 'listening on' "$FRAMES.err"
}

# Pings until the capture has seen what it waits for.
capture_pings() { # PID ADDRESS...
	WAIT_SECONDS=20 wait_until pinged_and_captured "$@" || {
		kill "$CAPTURE"
		return 1
	}
	wait "$CAPTURE"
}

pinged_and_captured() { # PID ADDRESS...
	local address

	for address in "${@:2}"; do
		can_ping "$1" "$address"
	done
	process_gone "$CAPTURE" || [[ $(ps -o stat= -p "$CAPTURE") == Z* ]]
}

@test "it is made at the attach, and its frames are tagged on the wire" {
	network_vlan v10
	refute has_host_link eth0.10
	attach_to c0 v10
	assert_vlan eth0.10 eth0 10
	assert_eq "eth0.10" "$(our_links)"
	assert_addresses "$SLEEPER" eth0 10.10.0.2/24 fd00:10::2/64
	assert_eq "10.10.0.2 fd00:10::2" "$(claims eth0.10)"

	capture_start 1 "ether src 02:42:0a:0a:00:02 and vlan 10 and icmp"
	capture_pings "$SLEEPER" 10.10.0.1
	assert_contains "$(cat "$FRAMES")" "vlan 10"
	assert_contains "$(cat "$FRAMES")" "10.10.0.2 > 10.10.0.1: ICMP echo request"
	capture_start 1 "ether src 02:42:0a:0a:00:02 and vlan 10 and ip6 and ip6[6] = 58 and ip6[40] = 128"
	capture_pings "$SLEEPER" fd00:10::1
	assert_contains "$(cat "$FRAMES")" "fd00:10::2 > fd00:10::1: ICMP6, echo request"
	# The untagged LAN is another.
	lan_add_machine untagged 10.10.0.66/24
	cannot_ping "$SLEEPER" 10.10.0.66
	lan_remove_machine untagged
}

@test "QinQ: both are made, marked, and both tags are on the wire" {
	network_vlan v20 eth0.10.20
	attach_to c0 v20
	assert_vlan eth0.10 eth0 10
	assert_vlan eth0.10.20 eth0.10 20
	capture_start 1 "ether src 02:42:0a:14:00:02 and vlan 10 and vlan 20"
	capture_pings "$SLEEPER" 10.20.0.1 fd00:20::1
	assert_contains "$(cat "$FRAMES")" "vlan 10"
	assert_contains "$(cat "$FRAMES")" "vlan 20"
	release c0
	cli network rm v20
	assert_eq "" "$(our_links)"
}

@test "made again when it is missing: deleted, or after a reboot" {
	network_vlan v10
	attach_to c0 v10
	ip link del eth0.10
	attach_to c1 v10
	assert_vlan eth0.10 eth0 10
	can_ping "$SLEEPER" 10.10.0.1
	sleepers_stop
	ip link del eth0.10
	rm -rf "$RUN"
	attach_to c0 v10
	assert_vlan eth0.10 eth0 10
	can_ping "$SLEEPER" 10.10.0.1
}

@test "it goes with the last network that uses it, or a VLAN on it" {
	network_vlan one
	network_vlan two
	network_vlan three eth0.10.20
	attach_to c0 one
	release c0
	attach_to c1 three
	release c1
	assert_eq "eth0.10 eth0.10.20" "$(our_links)"
	cli network rm one
	cli network rm two
	assert_eq "eth0.10 eth0.10.20" "$(our_links)"
	cli network rm three
	assert_eq "" "$(our_links)"

	# The other way round.
	network_vlan two
	network_vlan three eth0.10.20
	attach_to c0 three
	release c0
	cli network rm three
	assert_eq "eth0.10" "$(our_links)"
	cli network rm two
	assert_eq "" "$(our_links)"
}

@test "it stays while a network's file cannot be read, and while another's container is there" {
	network_vlan one
	network_vlan two
	attach_to c0 two
	echo '{' >"$ETC/networks/broken.json"
	mv "$ETC/networks/two.json" "$BATS_TEST_TMPDIR"
	cli network rm one
	assert_eq "eth0.10" "$(our_links)"
	rm "$ETC/networks/broken.json"
	cli network rm -f one
	assert_eq "eth0.10" "$(our_links)"
	can_ping "$SLEEPER" 10.10.0.1
	release c0
	cli network rm -f one
	assert_eq "" "$(our_links)"
}

@test "an administrator's is used as it is, and kept" {
	ip link add eth0.10 link eth0 type vlan id 10
	ip link set eth0.10 up
	network_vlan v10
	attach_to c0 v10
	can_ping "$SLEEPER" 10.10.0.1
	assert_eq "" "$(our_links)"
	release c0
	cli network rm v10
	has_host_link eth0.10
	assert_eq 0 "$(cat /proc/sys/net/ipv4/conf/eth0.10/arp_ignore)"
	ip link del eth0.10
	# Of any kind; and one that is down stays so.
	ip link add eth0.10 type dummy
	network_vlan v10
	attach_logged c1 v10
	assert_contains "$(cat "$LOG")" "'eth0.10' is down"
	refute is_up eth0.10
	release c1
	cli network rm v10
	has_host_link eth0.10
	ip link del eth0.10
}

@test "one that an administrator made meanwhile has another mark, id, lower link or name: kept" {
	network_vlan v10
	alias_mine() { ip link set eth0.10 alias mine; }
	alias_longer() { ip link set eth0.10 alias "${MARK}s"; }
	rename() { ip link set eth0.10 down && ip link set eth0.10 name lan10; }
	rename_id() { ip link set eth0.10 down && ip link set eth0.10 name eth0.11; }
	rename_lower() { ip link set eth0.10 down && ip link set eth0.10 name eth1.10; }
	vlans() { ip -j -d link show type vlan | jq -r '[.[].ifname] | join(" ")'; }
	for change in alias_mine alias_longer rename rename_id rename_lower; do
		attach_to c0 v10
		release c0
		$change
		before=$(vlans)
		cli network rm v10
		assert_eq "$before" "$(vlans)" "after $change"
		ip link del "$before"
		network_vlan v10
	done
	# A link of that name and mark that is something else.
	cli network rm v10
	ip link add eth0.10 type dummy
	ip link set eth0.10 alias "$MARK"
	cli network rm -f v10
	has_host_link eth0.10
	ip link del eth0.10
}

@test "a foreign macvlan, an address, a VLAN, a bridge keeps it; the next network rm removes it" {
	network_vlan v10
	attach_to c0 v10
	release c0
	ip link add br9 type bridge
	kept() { # COMMAND TO-UNDO-IT
		$1
		cli network rm -f v10
		has_host_link eth0.10 || fail "removed in spite of: $1"
		$2
	}
	kept "ip link add foreign link eth0.10 type macvlan mode bridge" "ip link del foreign"
	kept "ip addr add 192.0.2.1/32 dev eth0.10" "ip addr flush dev eth0.10"
	kept "ip link add qinq link eth0.10 type vlan id 99" "ip link del qinq"
	kept "ip link set eth0.10 master br9" "ip link set eth0.10 nomaster"
	sleeper_start
	in_other() {
		ip link add foreign link eth0.10 type macvlan mode bridge
		ip link set foreign netns "$SLEEPER"
		in_netns "$SLEEPER" ip link set foreign up
	}
	kept in_other "in_netns $SLEEPER ip link del foreign"
	cli network rm -f nothing
	refute has_host_link eth0.10
	ip link del br9
}

@test "by an alternative name of what it is on it is the same VLAN" {
	ip link property add dev eth0 altname uplink0
	network_vlan one uplink0.10
	network_vlan two eth0.10
	attach_to c0 one
	attach_to c1 two
	assert_vlan eth0.10 eth0 10
	assert_addresses "$SLEEPER" eth0 10.10.0.3/24 fd00:10::3/64
	sleepers_stop
	cli network rm two
	assert_eq eth0.10 "$(our_links)"
	cli network rm one
	assert_eq "" "$(our_links)"
	ip link property del dev eth0 altname uplink0
}

@test "a VLAN that is there by another name is named" {
	network_vlan v10
	ip link add other10 link eth0 type vlan id 10
	refuse_attach_to c0 v10
	assert_contains "$output" "VLAN 10 is there as 'other10': use parent 'other10'"
	refuse_create "--subnet 10.3.0.0/24 -o parent=eth0.10" x "use parent 'other10'"
	ip link set other10 up
	network_vlan other other10
	attach_to c0 other
	can_ping "$SLEEPER" 10.10.0.1
	release c0
	cli network rm other
	has_host_link other10
	ip link del other10
	assert_eq "" "$(our_links)"
}

@test "what it is on is down: said, and it comes up with it" {
	network_vlan v10
	ip link set eth0 down
	attach_logged c0 v10
	assert_contains "$(cat "$LOG")" "'eth0.10' is down"
	assert_contains "$(host_link eth0.10 .ifalias)" "$MARK"
	ip link set eth0 up
	wait_until can_ping "$SLEEPER" 10.10.0.1
	assert_vlan eth0.10 eth0 10
	# Ours, set down: up again.
	ip link set eth0.10 down
	attach_to c1 v10
	assert_vlan eth0.10 eth0 10
	can_ping "$SLEEPER" 10.10.0.1
	lan_addr eth0 2001:db8:babe:cafe::2/64
}

@test "two attaches at once make one" {
	network_vlan v20 eth0.10.20
	for n in 0 1 2 3; do
		sleeper_start
		pids+=("$SLEEPER")
	done
	for n in 0 1 2 3; do
		attach "c$n" "${pids[n]}" v20 3>&- &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do
		wait "$job"
	done
	assert_eq "eth0.10 eth0.10.20" "$(our_links)"
	assert_vlan eth0.10.20 eth0.10 20
	can_ping "${pids[0]}" "$(addresses "${pids[3]}" eth0 | sed 's|/.*||')"
}

# Attaches to macvlan0 in VLAN 20 of VLAN 10, and is killed at the N-th message to the kernel.
kill_at() { # N
	network_write '{"name": "macvlan0", "parent": "eth0.10.20", "subnets": [{"subnet": "10.20.0.0/24"}]}'
	sleeper_start
	attach_killed c0 "$SLEEPER" sendto "$1" 2>/dev/null
	STATE=$(ip -j link | jq -r '[.[] | select(.ifname | startswith("eth0.") or startswith("omv-"))
		| (.ifname | sub("omv-t.*"; "half")) + if .ifalias then "+" else "" end] | sort | join(" ")')
}

rm_leaves_nothing() {
	sleepers_stop
	cli gc >/dev/null
	cli network rm macvlan0 >/dev/null
	assert_eq "" "$(our_links)" "left by network rm"
}

@test "killed in any state, the next attach or network rm finishes" {
	local seen=

	# Before the ninth message it only asks.
	for n in {9..24}; do
		kill_at "$n"
		rm_leaves_nothing
		[[ $seen != *"($STATE)"* ]] || continue
		seen+="($STATE)"
		kill_at "$n"
		attach_to c1 macvlan0
		assert_eq "eth0.10 eth0.10.20" "$(our_links)" "after a kill at message $n"
		assert_vlan eth0.10 eth0 10
		assert_vlan eth0.10.20 eth0.10 20
		rm_leaves_nothing
	done
	assert_eq "()(half)(half+)(eth0.10+)(eth0.10+ half)(eth0.10+ half+)(eth0.10+ eth0.10.20+)" \
		"$seen" "states"
}

@test "what a killed hook left in each state: unmarked, marked, renamed but not up" {
	network_vlan v10
	for n in {9..16}; do
		kill_at "$n"
		[ "$STATE" != half ] || break
	done
	TEMPORARY=$(our_links)
	[[ $TEMPORARY = omv-t* ]] || fail "no temporary name was seen"
	for state in unmarked marked up; do
		[ $state != marked ] || ip link set "$TEMPORARY" alias "$MARK"
		[ $state != up ] || ip link set "$TEMPORARY" alias "$MARK" up
		attach_to "c-$state" v10
		assert_eq eth0.10 "$(our_links)"
		assert_vlan eth0.10 eth0 10
		can_ping "$SLEEPER" 10.10.0.1
		ip link del eth0.10
		ip link add "$TEMPORARY" link eth0 type vlan id 10
	done
	ip link del "$TEMPORARY"
	ip link add eth0.10 link eth0 type vlan id 10
	ip link set eth0.10 alias "$MARK"
	attach_to c-down v10
	is_up eth0.10
	can_ping "$SLEEPER" 10.10.0.1
	# Of another kind, under the temporary name: somebody else's.
	ip link del eth0.10
	ip link add "$TEMPORARY" type veth peer name other9
	refuse_attach_to c9 v10
	assert_contains "$output" "'$TEMPORARY' is in the way"
	ip link del "$TEMPORARY"
}

@test "the host does not answer on it, neither for its addresses nor by IPv6" {
	network_vlan v10
	attach_to c0 v10
	ip addr add 10.10.0.77/32 dev lo
	# From the VLAN: nobody has it.
	refute ip netns exec router busybox arping -q -c 2 -w 1 -I lan.10 10.10.0.77
	ip addr del 10.10.0.77/32 dev lo
	ip netns exec router busybox arping -q -c 1 -w 2 -I lan.10 10.10.0.2
}

@test "no parent: a dummy, and the same as anywhere" {
	cli network create --subnet 10.9.0.0/24 --subnet fd00:9::/64 alone
	attach_to c0 alone
	A=$SLEEPER
	attach_to c1 alone
	parent=$(isolated_parent alone)
	assert_ours "$parent"
	assert_eq dummy "$(host_link "$parent" .linkinfo.info_kind)"
	can_ping "$A" 10.9.0.2
	can_ping "$A" fd00:9::2
	sleepers_stop
	cli gc >/dev/null
	cli network rm alone
	assert_eq "" "$(our_links)"
}

@test "refused: a bond's port, and its VLAN; the bond is named; a VRF's port is fine" {
	ip link add bond9 type bond
	ip link add port9 type veth peer name port9-peer
	ip link set port9 master bond9
	refuse_create "--subnet 10.3.0.0/24 -o parent=port9" x "'port9' is a port of 'bond9' (bond)" "use parent 'bond9'"
	refuse_create "--subnet 10.3.0.0/24 -o parent=port9.10" x "use parent 'bond9.10'"
	ip link del bond9
	ip link add vrf9 type vrf table 9
	ip link set port9 master vrf9
	network_vlan v10 port9.10
	ip link del vrf9
	ip link del port9
}

@test "refused: a parent that has an ipvlan, which is named; one that is elsewhere is told" {
	ip link add ipvl9 link eth0 type ipvlan mode l2
	network_write '{"name": "x", "parent": "eth0", "subnets": [{"subnet": "10.0.0.0/24"}]}'
	refuse_attach_to c0 x
	assert_contains "$output" "parent 'eth0' has ipvlan 'ipvl9' on it"
	refuse_create "--subnet 10.3.0.0/24 -o parent=eth0" y "'eth0'" "ipvlan 'ipvl9'"
	refuse_create "--subnet 10.3.0.0/24 -o parent=ipvl9" y "'ipvl9' is itself a ipvlan of 'eth0'"
	sleeper_start
	ip link set ipvl9 netns "$SLEEPER"
	other=$SLEEPER
	refuse_attach_to c1 x
	assert_contains "$output" "ipvlan"
	in_netns "$other" ip link del ipvl9
}

@test "a real runc container in the VLAN" {
	network_vlan v10
	container_run c0 -a io.oci-macvlan.networks=v10
	in_container c0 ping -c 1 -W 2 10.10.0.1
	rt_delete c0
	cli network rm v10
	refute has_host_link eth0.10
}
