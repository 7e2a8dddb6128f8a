#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Conflict detection: addresses that somebody on the LAN has are not used, nobody's cache is spoilt,
# and what is used is announced. The wire is read by tcpdump on the router's port to the host.

load lib.bash
load conflicts.bash

setup_file() {
	lab_setup_file
}

# --- automatic addresses ---

@test "taken addresses are passed over in the same wait, and kept back with the holder's MAC" {
	machine printer 10.0.0.3/24 10.0.0.4/24 2001:db8:babe:cafe::3/64
	network_dual '{"conflict_detection_ms": 1000}'
	attach_timed c0
	assert_addresses "$SLEEPER" eth0 10.0.0.5/24 2001:db8:babe:cafe::4/64
	[ "$MS" -ge 1000 ] || fail "it took only $MS ms"
	[ "$MS" -lt 1900 ] || fail "three IPv4 addresses and two IPv6 took $MS ms"
	mac=$(machine_mac printer)
	for address in 10.0.0.3 10.0.0.4 2001:db8:babe:cafe::3; do
		[[ $(claim_owner $address) == .conflict/$mac-* ]] || fail "$address: $(claim_owner $address)"
	done
	expiry=$(claim_owner 10.0.0.3)
	left=$((${expiry##*-} - $(cut -d . -f 1 /proc/uptime)))
	{ [ "$left" -gt 500 ] && [ "$left" -le 600 ]; } || fail "kept back for $left s"
	can_ping "$SLEEPER" 10.0.0.4
	release c0
}

@test "one that is kept back is not asked about again, and comes back when its time is over" {
	network_dual '{"conflict_detection_ms": 50, "subnets": [{"subnet": "10.0.0.0/29", "gateway": "10.0.0.1"}]}'
	mkdir -p "$RUN/pools/eth0"
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.0.0.3/29
	ln -s ".conflict/02:00:00:00:00:77-$(($(cut -d . -f 1 /proc/uptime) + 500))" "$RUN/pools/eth0/10.0.0.4"
	ln -s ".conflict/02:00:00:00:00:78-1" "$RUN/pools/eth0/10.0.0.5"
	attach_new c1
	assert_addresses "$SLEEPER" eth0 10.0.0.6/29
	attach_new c2
	assert_addresses "$SLEEPER" eth0 10.0.0.5/29
	sleeper_start
	run attach c3 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "no free address"
}

@test "gc frees one whose time is over, and says so" {
	mkdir -p "$RUN"
	attach_new c0
	ln -s .conflict/02:00:00:00:00:78-1 "$RUN/pools/eth0/10.0.0.77"
	ln -s ".conflict/02:00:00:00:00:79-$(($(cut -d . -f 1 /proc/uptime) + 500))" "$RUN/pools/eth0/10.0.0.78"
	assert_contains "$(cli gc --dry-run)" 10.0.0.77
	assert_contains "$(cli gc)" 02:00:00:00:00:78
	refute test -L "$RUN/pools/eth0/10.0.0.77"
	test -L "$RUN/pools/eth0/10.0.0.78"
}

@test "a machine that answers for every address is named, and does not hold the attach for ever" {
	local n many=()

	for n in {3..40}; do
		many+=("10.0.0.$n/24")
	done
	machine proxy "${many[@]}"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "$(machine_mac proxy)"
	assert_contains "$output" "proxy ARP"
	assert_eq "" "$(links "$SLEEPER")"
}

# --- static addresses ---

@test "a static address in use: the container does not start, and the holder is named" {
	machine printer 10.0.0.9/24 2001:db8:babe:cafe::9/64
	mac=$(machine_mac printer)
	for ip in ip=10.0.0.9 ip6=2001:db8:babe:cafe::9; do
		sleeper_start
		run attach c0 "$SLEEPER" macvlan0 "io.oci-macvlan.$ip"
		assert_eq 1 "$status"
		assert_eq 1 "${#lines[@]}" "lines"
		assert_contains "$output" "${ip#*=}"
		assert_contains "$output" "$mac"
		assert_eq "" "$(links "$SLEEPER")"
	done
	assert_eq "" "$(find "$RUN/containers" -name '*.json')"
	# Asked for again when it is free, it is tried out anew.
	machines_remove
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.9 io.oci-macvlan.ip6=2001:db8:babe:cafe::9
	assert_addresses "$SLEEPER" eth0 10.0.0.9/24 2001:db8:babe:cafe::9/64
	release c0
}

@test "a host with the same address and the same MAC of the same rule is found, too" {
	machine twin 10.0.0.3/24
	ip -n twin link set eth0 address 02:42:0a:00:00:03
	ip -n router neigh flush dev lan
	wait_until lan_knows twin 10.0.0.3
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.0.0.4/24 2001:db8:babe:cafe::3/64
	assert_contains "$(claim_owner 10.0.0.3)" 02:42:0a:00:00:03
}

# --- the form of it, on the wire ---

@test "probes have no sender address, and nothing is announced before they are over" {
	capture_start router port0
	attach_new c0
	pid=$SLEEPER
	wait_until captured '10.0.0.3 .*tell 10.0.0.3'
	wait_until captured 'neighbor advertisement, tgt is 2001:db8:babe:cafe::3'
	capture_stop
	mac=$(mac_of "$pid" eth0)
	assert_eq 02:42:0a:00:00:03 "$mac"
	assert_probes "$(count_frames 'who-has 10.0.0.3 .*tell 0.0.0.0')"
	assert_eq 0 "$(grep -E 'tell 0.0.0.0' "$CAPTURE" | grep -c "$mac")" "probes from the final MAC"
	assert_eq 1 "$(count_frames 'who-has 10.0.0.3 .*tell 10.0.0.3')" "announcements"
	assert_eq 1 "$(count_frames "^[^ ]* $mac > ff:ff:ff:ff:ff:ff.*who-has 10.0.0.3 .*tell 10.0.0.3")"
	assert_eq 1 "$(count_frames ':: > .*neighbor solicitation, who has 2001:db8:babe:cafe::3')" "of DAD"
	probe=$(frame_time first 'who-has 10.0.0.3 .*tell 0.0.0.0')
	last=$(frame_time last 'who-has 10.0.0.3 .*tell 0.0.0.0')
	announced=$(frame_time first 'who-has 10.0.0.3 .*tell 10.0.0.3')
	advertised=$(frame_time first 'neighbor advertisement, tgt is 2001:db8:babe:cafe::3')
	# The waits begin a little before the first frame is sent.
	[ $((last - probe)) -ge 100 ] || fail "the probes are spread over $((last - probe)) ms"
	[ $((announced - probe)) -ge 180 ] || fail "announced after $((announced - probe)) ms"
	[ $((advertised - probe)) -ge 180 ] || fail "advertised after $((advertised - probe)) ms"
	# All else that came from the link before that had no sender.
	assert_eq 0 "$(grep -E 'who-has' "$CAPTURE" | grep -v 'tell 0.0.0.0' |
		grep -v 'tell 10.0.0.3' | grep -vc 'tell 10.0.0.[12]')"
	release c0 "$pid"
}

# The hook sleeps on after each wait.
@test "three probes, also where the time is over before the second" {
	network_write '{"name": "macvlan0", "parent": "eth0", "conflict_detection_ms": 50,
		"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.3/32"}]}'
	capture_start router port0
	sleeper_start
	attach_slowly c0 ppoll delay_exit=100ms
	wait_until captured '10.0.0.3 .*tell 10.0.0.3'
	capture_stop
	assert_probes "$(count_frames 'who-has 10.0.0.3 .*tell 0.0.0.0')"
	release c0
}

@test "with 0 nothing is asked" {
	network_dual '{"conflict_detection_ms": 0}'
	capture_start router port0
	attach_timed c0
	wait_until captured '10.0.0.3 .*tell 10.0.0.3'
	capture_stop
	assert_eq 0 "$(count_frames 'tell 0.0.0.0')"
	assert_eq 0 "$(count_frames 'who has 2001:db8:babe:cafe::3')"
	release c0
}

@test "a neighbour that knew another for the address reaches the new container within a second" {
	machine laptop 10.0.0.50/24 2001:db8:babe:cafe::50/64
	ip -n laptop neigh replace 10.0.0.3 lladdr 02:00:00:00:00:99 dev eth0 nud reachable
	ip -n laptop neigh replace 2001:db8:babe:cafe::3 lladdr 02:00:00:00:00:99 dev eth0 nud reachable
	attach_new c0
	WAIT_SECONDS=1 wait_until ip netns exec laptop ping -c 1 -W 0.2 10.0.0.3
	WAIT_SECONDS=1 wait_until ip netns exec laptop ping -c 1 -W 0.2 2001:db8:babe:cafe::3
	assert_eq "$(mac_of "$SLEEPER" eth0)" "$(lan_neighbour laptop 10.0.0.3)"
	release c0
}

@test "passthru: probed and announced from the parent's MAC" {
	lan_add_parent eth1 7
	network_write '{"name": "macvlan0", "parent": "eth1", "mode": "passthru", "conflict_detection_ms": 100,
		"subnets": [{"subnet": "10.7.0.0/24"}, {"subnet": "2001:db8:7::/64"}]}'
	ip -n router-eth1 addr add 10.7.0.3/24 dev lan
	mac=$(ip -j link show dev eth1 | jq -r '.[0].address')
	capture_start router-eth1 port0
	attach_new c0
	assert_addresses "$SLEEPER" eth0 10.7.0.4/24 2001:db8:7::3/64
	wait_until captured 'who-has 10.7.0.4 .*tell 10.7.0.4'
	wait_until captured 'neighbor advertisement, tgt is 2001:db8:7::3'
	capture_stop
	assert_probes "$(count_frames "^[^ ]* $mac .*who-has 10.7.0.4 .*tell 0.0.0.0")"
	assert_eq "$mac" "$(mac_of "$SLEEPER" eth0)"
	release c0
	ip link del eth1
	ip netns del router-eth1
	rm -r "$RUN/pools/eth1"
}

@test "what an attach has tried out that is refused later is free at once" {
	network_dual '{"name": "slow", "conflict_detection_ms": 3000, "subnets": [{"subnet": "10.0.0.0/24"}]}'
	network_dual '{"name": "second", "conflict_detection_ms": 200, "subnets": [
		{"subnet": "2001:db8:babe:cafe::/64"}]}'
	machine printer 10.0.0.30/24
	for id in c0 c1; do
		sleeper_start
		eval "$id=$SLEEPER"
	done
	# shellcheck disable=SC2154 # set above
	state_json creating c0 "$c0" io.oci-macvlan.networks='[{"name": "slow", "ips": ["10.0.0.30"]},
		{"name": "second", "ips": ["2001:db8:babe:cafe::30"]}]' >"$BATS_TEST_TMPDIR/c0"
	# shellcheck disable=SC2154
	state_json creating c1 "$c1" io.oci-macvlan.networks='[{"name": "second",
		"ips": ["2001:db8:babe:cafe::30"]}]' >"$BATS_TEST_TMPDIR/c1"
	# It answers the second probe, a second after the first; the other address is long found free.
	ip -n router link set p-printer down
	(sleep 0.5 && ip -n router link set p-printer up) 3>&- &
	run hook createRuntime <"$BATS_TEST_TMPDIR/c0"
	hook createRuntime <"$BATS_TEST_TMPDIR/c1"
	assert_eq 1 "$status"
	assert_contains "$output" "10.0.0.30"
	assert_addresses "$c1" eth0 2001:db8:babe:cafe::30/64
	wait
	release c1 "$c1"
}

# --- our own ---

@test "the same container within a minute does not wait; another does" {
	network_dual '{"conflict_detection_ms": 1000}'
	attach_new c0 io.oci-macvlan.name=web
	release c0
	attach_timed c1 io.oci-macvlan.name=web
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	[ "$MS" -lt 900 ] || fail "the same name waited $MS ms"
	release c1
	attach_timed c2 io.oci-macvlan.ip=10.0.0.3
	[ "$MS" -ge 1000 ] || fail "another waited $MS ms only"
	release c2
}

@test "a container of ours that is dying is not taken for a stranger" {
	attach_new old io.oci-macvlan.ip=10.0.0.30
	old=$SLEEPER
	# It goes on answering for a while, from the MAC that it had: a machine plays that.
	release old "$old"
	machine ghost 10.0.0.99/24
	ip -n ghost link set eth0 address 02:42:0a:00:00:1e
	ip -n ghost addr add 10.0.0.30/24 dev eth0
	sleeper_start
	state_json creating new "$SLEEPER" io.oci-macvlan.networks=macvlan0 io.oci-macvlan.ip=10.0.0.30 \
		>"$BATS_TEST_TMPDIR/state"
	start=$(date +%s%N)
	(sleep 1 && ip -n ghost addr del 10.0.0.30/24 dev eth0) 3>&- &
	hook createRuntime <"$BATS_TEST_TMPDIR/state"
	ms=$((($(date +%s%N) - start) / 1000000))
	# And then as long as for any address.
	[ "$ms" -ge 1150 ] || fail "it did not wait for the silence: $ms ms"
	assert_addresses "$SLEEPER" eth0 10.0.0.30/24 2001:db8:babe:cafe::4/64
	wait
	release new
}

@test "one with its MAC that does not fall silent is a stranger after all" {
	attach_new old io.oci-macvlan.ip=10.0.0.30
	release old
	machine ghost 10.0.0.99/24
	ip -n ghost link set eth0 address 02:42:0a:00:00:1e
	ip -n ghost addr add 10.0.0.30/24 dev eth0
	sleeper_start
	run attach new "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.30
	assert_eq 1 "$status"
	assert_contains "$output" "in use on the LAN by MAC '02:42:0a:00:00:1e'"
}

@test "and so is one with another MAC" {
	attach_new old io.oci-macvlan.ip=10.0.0.30
	release old
	machine ghost 10.0.0.30/24
	sleeper_start
	run attach new "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.30
	assert_eq 1 "$status"
	assert_contains "$output" "$(machine_mac ghost)"
}
