#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Parents: which are refused and why, networks that share one, and the isolated parents of networks
# that name none. VLANs need another kernel: vlan.bats.

# shellcheck disable=SC2030,SC2031 # each test sets what it reads

load lib.bash
load parents.bash

setup_file() {
	lab_setup_file
	lan_add_parent eth1 7
}

setup() {
	lab_setup
}

teardown() {
	parents_teardown
}

# A network without a parent; its subnets are those of the LAN, which it must not reach.
network_isolated() { # NAME [JSON]
	local default

	default=$(jq -n --arg name "$1" '{name: $name, subnets: [
		{subnet: "10.0.0.0/24", gateway: "10.0.0.1"},
		{subnet: "2001:db8:babe:cafe::/64", gateway: "2001:db8:babe:cafe::1"}]}')
	network_write "$(jq -n --argjson a "$default" --argjson b "${2:-{\}}" '$a + $b')"
}

# Two containers c0 and c1 on a network; their processes are in A and B.
attach_two() { # NETWORK
	attach_to c0 "$1"
	A=$SLEEPER
	attach_to c1 "$1"
	B=$SLEEPER
}

# Creates a network on a parent with a subnet.
create_on() { # NAME PARENT SUBNET [ARGUMENT]...
	cli network create -o conflict_detection_ms=0 --subnet "$3" -o "parent=$2" "${@:4}" "$1"
}

# --- no parent ---

@test "no parent: containers reach each other in both families, and nothing else" {
	network_isolated alone
	attach_two alone
	assert_addresses "$A" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_addresses "$B" eth0 10.0.0.4/24 2001:db8:babe:cafe::4/64
	assert_eq true "$(link_get "$A" eth0 '.flags | index("LOWER_UP") != null')" "carrier"
	can_ping "$A" 10.0.0.4
	can_ping "$B" 2001:db8:babe:cafe::3
	# The router and the host are there, with addresses of that very subnet.
	cannot_ping "$A" 10.0.0.1
	cannot_ping "$A" 10.0.0.2
	cannot_ping "$A" 2001:db8:babe:cafe::1
	cannot_ping "$A" 2001:db8:babe:cafe::2
	refute ping -c 1 -W 0.5 10.0.0.3
	# Not even with the host's MAC in hand.
	in_netns "$A" ip neigh replace 10.0.0.2 dev eth0 \
		lladdr "$(host_link "$(isolated_parent alone)" .address)"
	cannot_ping "$A" 10.0.0.2
}

@test "no parent: it is made at the attach, marked, up, and silent; inspect and ls name it" {
	network_isolated alone
	parent=$(isolated_parent alone)
	[[ $parent =~ ^omv-[0-9a-f]{11}$ ]] || fail "its name: $parent"
	refute has_host_link "$parent"
	attach_to c0 alone
	assert_eq "$parent" "$(our_links)"
	assert_ours "$parent"
	assert_contains "$(host_link "$parent" .ifalias)" "'alone'"
	assert_contains "dummy ifb bridge" "$(host_link "$parent" .linkinfo.info_kind)"
	assert_eq "$parent" "$(cli network ls --format json | jq -r '.[0].parent')"
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims "$parent")"
}

@test "no parent: each network has its own, with a pool of its own" {
	network_isolated one
	network_isolated two
	attach_to c0 one
	one=$SLEEPER
	attach_to c1 two
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_eq 2 "$(our_links | wc -w)"
	in_netns "$SLEEPER" ip addr add 10.0.0.9/24 dev eth0
	cannot_ping "$one" 10.0.0.9
	# One goes, the other stays.
	release c0 "$one"
	cli network rm one
	assert_eq "$(isolated_parent two)" "$(our_links)"
}

@test "no parent: the same after a reboot, and the same again" {
	network_isolated alone
	attach_to c0 alone
	before=$(host_link "$(our_links)" '[.ifname, .address, .ifalias]')
	sleepers_stop
	ip link del "$(our_links)"
	rm -rf "$RUN"
	attach_two alone
	assert_eq "$before" "$(host_link "$(our_links)" '[.ifname, .address, .ifalias]')"
	can_ping "$A" 10.0.0.4
}

@test "no parent: the mtu is what the network says, also when it says more later" {
	network_isolated alone
	attach_to c0 alone
	assert_eq 1500 "$(link_get "$SLEEPER" eth0 .mtu)"
	network_isolated alone '{"mtu": 9000}'
	attach_to c1 alone
	A=$SLEEPER
	attach_to c2 alone
	assert_eq 9000 "$(link_get "$A" eth0 .mtu)"
	can_ping "$A" 10.0.0.5 -s 8000 -M "do"
}

@test "no parent: one that somebody has set down is set up again" {
	network_isolated alone
	attach_to c0 alone
	ip link set "$(our_links)" down
	A=$SLEEPER
	attach_to c1 alone
	assert_ours "$(our_links)"
	can_ping "$A" 10.0.0.4
}

@test "no parent: what has its name and is not ours is refused, and stays" {
	network_isolated alone
	parent=$(isolated_parent alone)
	ip link add "$parent" type bridge
	refuse_attach_to c0 alone
	assert_contains "$output" "'$parent' is not ours"
	cli network rm alone
	has_host_link "$parent"
	ip link del "$parent"
}

@test "no parent: many at once make one" {
	network_isolated alone
	for n in {0..9}; do
		sleeper_start
		pids+=("$SLEEPER")
	done
	for n in {0..9}; do
		attach "c$n" "${pids[n]}" alone 3>&- &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do
		wait "$job"
	done
	assert_ours "$(our_links)"
	assert_eq 1 "$(our_links | wc -w)"
	can_ping "${pids[0]}" "$(addresses "${pids[9]}" eth0 | sed 's|/.*||')"
}

@test "no parent: network rm removes it, but not while something else uses it" {
	network_isolated alone
	attach_to c0 alone
	parent=$(our_links)
	run cli network rm alone
	assert_eq 1 "$status"
	has_host_link "$parent"
	release c0

	# A macvlan that is not ours: here, and in another namespace.
	ip link add foreign link "$parent" type macvlan mode bridge
	cli network rm alone
	has_host_link "$parent"
	sleeper_start
	ip link set foreign netns "$SLEEPER"
	in_netns "$SLEEPER" ip link set foreign up
	cli network rm -f nothing
	has_host_link "$parent"
	in_netns "$SLEEPER" ip link del foreign
	# An address; a bridge; a name of its own.
	ip addr add 192.0.2.1/32 dev "$parent"
	cli network rm -f nothing
	has_host_link "$parent"
	ip addr flush dev "$parent"
	ip link set "$parent" alias "mine now"
	cli network rm -f nothing
	has_host_link "$parent"
	ip link set "$parent" alias "$MARK"
	cli network rm -f nothing
	refute has_host_link "$parent"
}

@test "no parent: network rm -f, and without RUN" {
	network_isolated alone
	attach_to c0 alone
	cli network rm -f alone
	assert_eq "" "$(our_links)"
	assert_eq "" "$(links "$SLEEPER")"
	network_isolated alone
	attach_to c1 alone
	sleepers_stop
	rm -rf "$RUN"
	cli network rm alone
	assert_eq "" "$(our_links)"
}

@test "no parent: killed anywhere, the next attach or network rm finishes" {
	local seen=

	for n in {1..16}; do
		for then in attach rm; do
			network_isolated macvlan0
			sleeper_start
			attach_killed c0 "$SLEEPER" sendto "$n"
			seen+="$(our_links | sed -E 's/omv-t[0-9a-f]{10}/half/g; s/omv-[0-9a-f]*/whole/g')\n"
			if [ "$then" = attach ]; then
				attach_to c1 macvlan0
				assert_eq "$(isolated_parent macvlan0)" "$(our_links)"
				assert_ours "$(our_links)"
			fi
			sleepers_stop
			cli gc >/dev/null
			cli network rm macvlan0
			assert_eq "" "$(our_links)" "left after a kill at message $n, $then"
		done
	done
	# It was killed half-way, and when it was whole.
	seen=$(printf '%b' "$seen" | sort -u | paste -sd ' ')
	assert_contains "$seen" half
	assert_contains "$seen" whole
}

@test "no parent: private, vepa, passthru and source are possible" {
	for mode in private vepa passthru; do
		network_isolated "n-$mode" "{\"mode\": \"$mode\"}"
		attach_to "c-$mode" "n-$mode"
		assert_eq "$mode" "$(link_get "$SLEEPER" eth0 .linkinfo.info_data.mode)"
	done
}

@test "no parent: internal has no default route, else it is as the network says" {
	network_isolated alone
	network_isolated inside '{"internal": true}'
	attach_to c9 alone
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	attach_two inside
	assert_default "$B" 4 ""
	assert_default "$B" 6 ""
	can_ping "$B" 10.0.0.3
}

@test "no parent: several subnets, and containers in each" {
	network_isolated alone '{"subnets": [{"subnet": "172.28.100.0/24"}, {"subnet": "172.28.102.0/24",
		"gateway": "172.28.102.254"}, {"subnet": "2001:db8:abc2::/64"}, {"subnet": "2001:db8:abc4::/64"}]}'
	attach_to c0 alone io.oci-macvlan.ip=172.28.100.20 io.oci-macvlan.ip6=2001:db8:abc2::20
	A=$SLEEPER
	attach_to c1 alone io.oci-macvlan.ip=172.28.100.21 io.oci-macvlan.ip6=2001:db8:abc2::21
	can_ping "$A" 172.28.100.21
	can_ping "$A" 2001:db8:abc2::21
	assert_default "$A" 4 ""
	attach_to c2 alone io.oci-macvlan.ip=172.28.102.20 io.oci-macvlan.ip6=2001:db8:abc4::20
	B=$SLEEPER
	attach_to c3 alone io.oci-macvlan.ip=172.28.102.21 io.oci-macvlan.ip6=2001:db8:abc4::21
	can_ping "$B" 172.28.102.21
	can_ping "$B" 2001:db8:abc4::21
	assert_default "$B" 4 "172.28.102.254 eth0"
	cannot_ping "$A" 172.28.102.20
}

@test "no parent: addresses as anywhere: ranges, aux, static, by name" {
	network_isolated alone '{"subnets": [{"subnet": "10.9.0.0/24", "gateway": "10.9.0.1",
		"ip_range": "10.9.0.128/25", "aux_addresses": {"x": "10.9.0.128"}}]}'
	attach_to c0 alone
	assert_addresses "$SLEEPER" eth0 10.9.0.129/24
	assert_eq 02:42:0a:09:00:81 "$(mac_of "$SLEEPER" eth0)"
	attach_to c1 alone io.oci-macvlan.ip=10.9.0.7
	assert_addresses "$SLEEPER" eth0 10.9.0.7/24
	attach_to c2 alone io.oci-macvlan.name=web
	address=$(addresses "$SLEEPER" eth0)
	release c2
	attach_to c3 alone io.oci-macvlan.name=web
	assert_addresses "$SLEEPER" eth0 "$address"
}

@test "no parent: created by network create, run by a real runtime" {
	cli network create --subnet 10.9.0.0/24 --internal alone
	assert_eq '["internal","name","subnets"]' "$(jq -c keys "$ETC/networks/alone.json")"
	container_run c0 -a io.oci-macvlan.networks=alone
	container_run c1 -a io.oci-macvlan.networks=alone
	in_container c0 ping -c 1 -W 2 10.9.0.2
	rt_delete c0
	rt_delete c1
	cli network rm alone
	assert_eq "" "$(our_links)"
}

# --- parents that are refused ---

# By network create and by the hook, each with all of these words.
assert_refused() { # PARENT WORD...
	local parent=$1 word
	shift

	refuse_create "--subnet 10.3.0.0/24 -o parent=$parent" x "$@"
	network_write "{\"name\": \"x\", \"parent\": \"$parent\", \"subnets\": [{\"subnet\": \"10.3.0.0/24\"}]}"
	refuse_attach_to c9 x
	for word; do
		assert_contains "$output" "$word"
	done
	cli network rm x >/dev/null
}

@test "refused: a bridge's port, and the bridge is named; the bridge itself will do" {
	ip link add br0 type bridge
	ip link add port9 type veth peer name port9-peer
	ip link set port9 master br0
	ip link set port9 up
	ip link set port9-peer up
	ip link set br0 up
	assert_refused port9 "'port9' is a port of 'br0' (bridge)" "use parent 'br0'"
	create_on good br0 10.3.0.0/24
	attach_two good
	can_ping "$A" 10.3.0.2
	sleepers_stop
	ip link del br0
	ip link del port9
}

@test "refused: lo, tun, what does not exist, names of our own" {
	ip tuntap add dev tun9 mode tun
	ip tuntap add dev tap9 mode tap
	assert_refused lo loopback
	assert_refused tun9 "'tun9' is not an Ethernet interface"
	assert_refused eth9 "'eth9' does not exist"
	assert_refused eth9.10 "'eth9.10' does not exist" "no 'eth9'"
	assert_refused eth0.5000 "'eth0.5000' does not exist" "number from 1 to 4094"
	refuse_create "--subnet 10.3.0.0/24 -o parent=omv-1" x "'omv-1'" "our own"
	create_on good tap9 10.3.0.0/24
	cli network rm good
	ip link del tun9
	ip link del tap9
}

@test "refused: a macvlan, and what it is on is named" {
	ip link add mac9 link eth0 type macvlan mode bridge
	assert_refused mac9 "'mac9' is itself a macvlan of 'eth0'" "use parent 'eth0'"
	ip link del mac9
}

@test "refused: a VLAN of what is refused, and the one to use instead is named" {
	ip link add br0 type bridge
	ip link add port9 type veth peer name port9-peer
	ip link set port9 master br0
	assert_refused port9.10 "'port9' is a port of 'br0'" "use parent 'br0.10'"
	assert_refused port9.10.20 "use parent 'br0.10.20'"
	assert_refused lo.10 loopback
	ip link del br0
	ip link del port9
}

@test "refused: a VLAN whose name would be too long" {
	ip link add averylongname9 type veth peer name other9
	assert_refused averylongname9.10 "'averylongname9.10' cannot be created" "longer than 15"
	ip link del averylongname9
}

@test "a parent that is down is said, and the container comes alive with it" {
	network_dual '{"parent": "eth1"}'
	ip link set eth1 down
	attach_logged c0 macvlan0
	assert_contains "$(cat "$LOG")" "'eth1' is down"
	refute is_up eth1
	assert_eq true "$(link_get "$SLEEPER" eth0 '.flags | index("NO-CARRIER") != null')"
	ip link set eth1 up
	wait_until has_carrier "$SLEEPER"
	attach_logged c1 macvlan0
	refute grep "is down" "$LOG"
	lan_addr eth1 2001:db8:7::2/64
}

has_carrier() { # PID
	[ "$(link_get "$1" eth0 '.flags | index("LOWER_UP") != null')" = true ]
}

# --- networks that share a parent ---

@test "two networks on one parent, of different subnets, and with either gone" {
	create_on one eth1 10.7.0.0/24 --gateway 10.7.0.1 -o conflict_detection_ms=0
	create_on two eth1 10.8.0.0/24 -o conflict_detection_ms=0
	attach_to c0 one
	one=$SLEEPER
	attach_to c1 two
	assert_addresses "$SLEEPER" eth0 10.8.0.1/24
	can_ping "$one" 10.7.0.1
	release c1
	cli network rm two
	can_ping "$one" 10.7.0.1
	has_host_link eth1
	release c0 "$one"
	cli network rm one
	has_host_link eth1
	# The first one goes first.
	create_on one eth1 10.7.0.0/24
	create_on two eth1 10.7.0.0/24 --gateway 10.7.0.1
	cli network rm one
	attach_to c2 two
	can_ping "$SLEEPER" 10.7.0.1
}

@test "overlapping subnets on one parent share its pool; the same subnet on two are two pools" {
	create_on one eth1 10.7.0.0/24
	create_on two eth1 10.7.0.0/16
	create_on three eth0 10.7.0.0/24
	attach_to c0 one
	assert_addresses "$SLEEPER" eth0 10.7.0.1/24
	attach_to c1 two
	assert_addresses "$SLEEPER" eth0 10.7.0.3/16
	attach_to c2 three
	assert_addresses "$SLEEPER" eth0 10.7.0.1/24
	assert_eq "10.7.0.1 10.7.0.3" "$(claims eth1)"
	assert_eq "10.7.0.1" "$(claims eth0)"
}

@test "passthru first: no second network on its parent" {
	create_on first eth1 10.7.0.0/24 -o macvlan_mode=passthru
	refuse_create "--subnet 10.8.0.0/24 -o parent=eth1" second "'eth1'" "'first'" passthru
	refuse_create "--subnet 10.8.0.0/24 -o parent=eth1 -o macvlan_mode=passthru" second "'first'"
	create_on second eth0 10.8.0.0/24
	cli network rm first
	create_on third eth1 10.8.0.0/24
}

@test "passthru second: not on another network's parent, by whatever name" {
	create_on first eth1 10.7.0.0/24
	refuse_create "--subnet 10.8.0.0/24 -o parent=eth1 -o mode=passthru" second "'eth1'" "'first'" passthru
	ip link property add dev eth1 altname uplink1
	refuse_create "--subnet 10.8.0.0/24 -o parent=uplink1 -o mode=passthru" second "'first'"
	ip link property del dev eth1 altname uplink1
	cli network rm first
	create_on second eth1 10.7.0.0/24 -o mode=passthru
}

@test "internal on a parent: no default route, but its neighbours" {
	create_on inside eth1 10.7.0.0/24 --gateway 10.7.0.1 --internal
	attach_two inside
	assert_default "$A" 4 ""
	can_ping "$A" 10.7.0.4
	can_ping "$A" 10.7.0.1
	refute in_netns "$A" ping -c 1 -W 0.5 10.0.0.1
}

@test "several subnets on a parent, with gateways and without" {
	cli network create --subnet 10.7.0.0/24 --gateway 10.7.0.1 --subnet 10.8.0.0/24 \
		--subnet 2001:db8:7::/64 --gateway 2001:db8:7::1 --subnet 2001:db8:8::/64 -o parent=eth1 several
	attach_to c0 several
	A=$SLEEPER
	assert_addresses "$A" eth0 10.7.0.3/24 2001:db8:7::3/64
	can_ping "$A" 10.7.0.1
	can_ping "$A" 2001:db8:7::1
	attach_to c1 several io.oci-macvlan.ip=10.8.0.20 io.oci-macvlan.ip6=2001:db8:8::20
	B=$SLEEPER
	attach_to c2 several io.oci-macvlan.ip=10.8.0.21 io.oci-macvlan.ip6=2001:db8:8::21
	can_ping "$B" 10.8.0.21
	can_ping "$B" 2001:db8:8::21
	assert_default "$B" 4 ""
}

@test "persistence: networks are files; a container has its address again after a reboot" {
	create_on stays eth1 10.7.0.0/24 --gateway 10.7.0.1
	attach_to c0 stays
	attach_to c1 stays
	sleepers_stop
	rm -rf "$RUN"
	assert_eq stays "$(cli network ls --format json | jq -r '.[].name')"
	attach_two stays
	assert_addresses "$A" eth0 10.7.0.3/24
	can_ping "$A" 10.7.0.1
	can_ping "$A" 10.7.0.4
}

@test "install ships what keeps NetworkManager and systemd-networkd off our interfaces" {
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$REPO" install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr
	cd "$BATS_TEST_TMPDIR/root/usr/lib"
	grep -qx 'unmanaged-devices+=interface-name:omv-\*' NetworkManager/conf.d/90-oci-macvlan.conf
	grep -qx 'Name=omv-\*' systemd/network/10-oci-macvlan.network
	grep -qx 'Unmanaged=yes' systemd/network/10-oci-macvlan.network
	grep -qx 'OriginalName=omv-\*' systemd/network/10-oci-macvlan.link
	grep -qx 'MACAddressPolicy=none' systemd/network/10-oci-macvlan.link
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$REPO" uninstall DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/usr
	assert_eq "" "$(find "$BATS_TEST_TMPDIR/root" -type f)"
}
