#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# host_access: the host and its containers reach each other, the LAN hears nothing wrong, and what
# the host has for it comes with the first container on a parent and goes with the last. With
# rp_filter=1, which is the strictest, but for one test.

load lib.bash

setup_file() {
	lab_setup_file
	lan_add_parent eth1 7
	lan_add_machine desk 10.0.0.9/24 2001:db8:babe:cafe::9/64
}

setup() {
	lab_setup
	rp_filter 1
	network_dual '{"host_access": true}'
}

teardown() {
	lab_teardown
	assert_eq "" "$(shims)" "left on the host"
	assert_eq "" "$(ways)" "left on the host"
}

# Also of the interfaces that will be made.
rp_filter() { # VALUE
	local setting

	for setting in /proc/sys/net/ipv4/conf/{all,default,eth0}/rp_filter; do
		echo "$1" >"$setting"
	done
}

# --- what the host has ---

# Names of the host's own macvlans, in one line.
shims() {
	ip -j link | jq -r '[.[].ifname | select(startswith("omv-"))] | sort | join(" ")'
}

shim_of() { # PARENT
	ip -j link | jq -r --arg parent "$1" \
		'.[] | select((.ifname | startswith("omv-")) and .link == $parent) | .ifname'
}

shim_get() { # PARENT FILTER
	ip -d -j link show dev "$(shim_of "$1")" | jq -r ".[0] | $2"
}

# The host's routes of ours and its permanent neighbours: "ADDRESS SHIM SOURCE|MAC", sorted.
ways() {
	{
		for family in 4 6; do
			ip -"$family" -j route show proto 77 \
				| jq -r '.[] | "\(.dst) \(.dev) \(.prefsrc)"'
		done
		ip -j neigh show nud permanent | jq -r '.[] | "\(.dst) \(.dev) \(.lladdr)"'
	} | sort
}

# All that the host has for it.
whole() {
	local shim

	ways
	for shim in $(shims); do
		ip -d -j link show dev "$shim" | jq -cS '.[0] | [.ifname, .link, .address, .ifalias,
			(.flags | index("UP") != null), .linkinfo.info_kind, .linkinfo.info_data.mode]'
		ip -j addr show dev "$shim" | jq -cS '[.[0].addr_info[] | [.local, .prefixlen, .tentative]]'
		cat "/proc/sys/net/ipv4/conf/$shim/arp_filter" "/proc/sys/net/ipv6/conf/$shim/accept_ra"
	done
}

attach_new() { # ID [NETWORKS [KEY=VALUE]...]
	sleeper_start
	attach "$1" "$SLEEPER" "${2:-macvlan0}" "${@:3}"
}

# --- who reaches whom ---

HOST=$$

# TCP in the namespace of PID: whoever calls is told which address he calls from.
serve() { # PID
	in_netns "$1" python3 -c '
import socket
listener = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    connection, caller = listener.accept()
    connection.sendall(caller[0].removeprefix("::ffff:").encode())
    connection.close()' </dev/null >/dev/null 2>&1 3>&- &
	echo "$!" >>"$SLEEPERS"
	disown "$!"
	wait_until listens "$1"
}

listens() { # PID
	[ -n "$(in_netns "$1" ss -Hltn 'sport = :7000')" ]
}

# The answer of ADDRESS to one who calls from the namespace of PID.
call() { # PID ADDRESS
	in_netns "$1" python3 -c '
import socket, sys
print(socket.create_connection((sys.argv[1], 7000), timeout=2).recv(64).decode())' "$2"
}

# Ping of one packet, which must not be lost: nothing has to be found out first.
reach_at_once() { # PID ADDRESS
	in_netns "$1" ping -c 1 -W 1 "$2" >/dev/null || fail "pid $1 does not reach $2"
}

assert_both_ways() { # PID
	local address

	for address in $(addresses "$1" eth0); do
		reach_at_once "$HOST" "${address%/*}"
	done
	reach_at_once "$1" 10.0.0.2
	reach_at_once "$1" 2001:db8:babe:cafe::2
}

@test "ping and TCP, both ways, both families; the host is 10.0.0.2 as always" {
	attach_new c0
	pid=$SLEEPER
	assert_both_ways "$pid"
	serve "$pid"
	assert_eq 10.0.0.2 "$(call "$HOST" 10.0.0.3)"
	assert_eq 2001:db8:babe:cafe::2 "$(call "$HOST" 2001:db8:babe:cafe::3)"
	serve "$HOST"
	assert_eq 10.0.0.3 "$(call "$pid" 10.0.0.2)"
	assert_eq 2001:db8:babe:cafe::3 "$(call "$pid" 2001:db8:babe:cafe::2)"
	can_ping "$pid" 10.0.0.1
	can_ping "$pid" 10.0.0.9
	lan_ping desk 10.0.0.3
	lan_ping desk 2001:db8:babe:cafe::3
}

@test "without host_access neither reaches the other, and the host has nothing" {
	network_dual
	attach_new c0
	assert_eq "" "$(shims)"
	cannot_ping "$HOST" 10.0.0.3
	cannot_ping "$SLEEPER" 2001:db8:babe:cafe::2
	assert_eq null "$(jq -c '.endpoints[0].host_access' "$RUN/containers/c0.json")"
}

@test "the shim: a marked macvlan without an IPv4 address, that takes no router's word" {
	attach_new c0
	shim=$(shim_of eth0)
	assert_eq "$shim" "$(shims)"
	assert_eq "macvlan bridge" "$(shim_get eth0 '.linkinfo | "\(.info_kind) \(.info_data.mode)"')"
	assert_eq "oci-macvlan: the host on eth0" "$(shim_get eth0 .ifalias)"
	assert_eq 1 "$(cat "/proc/sys/net/ipv4/conf/$shim/arp_filter")"
	assert_eq 0 "$(cat "/proc/sys/net/ipv6/conf/$shim/accept_ra")"
	assert_eq "inet6 link false" "$(ip -j addr show dev "$shim" \
		| jq -r '.[0].addr_info[] | "\(.family) \(.scope) \(.tentative // false)"')"
	assert_eq "10.0.0.3 $shim 02:42:0a:00:00:03
10.0.0.3 $shim 10.0.0.2
2001:db8:babe:cafe::3 $shim 02:42:0a:00:00:03
2001:db8:babe:cafe::3 $shim 2001:db8:babe:cafe::2" "$(ways)"
	assert_eq true "$(jq -c '.endpoints[0].host_access' "$RUN/containers/c0.json")"
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims "$shim")" "marks"
	assert_eq true "$(cli network inspect macvlan0 | jq -r '.[0].Options.host_access')"
}

@test "a shim that somebody has set up half-made is made whole" {
	attach_new c0
	shim=$(shim_of eth0)
	release c0
	ip link add "$shim" link eth0 type macvlan mode bridge
	ip link set "$shim" up
	attach_new c1
	assert_eq "oci-macvlan: the host on eth0" "$(shim_get eth0 .ifalias)"
	assert_eq 1 "$(cat "/proc/sys/net/ipv4/conf/$shim/arp_filter")"
	assert_eq 0 "$(cat "/proc/sys/net/ipv6/conf/$shim/accept_ra")"
	release c1
}

# All that may be asked for is asked for, and a machine listens.
assert_lan_unharmed() {
	local host shim c0 machine

	host=$(ip -j link show dev eth0 | jq -r '.[0].address')
	lan_ping desk 10.0.0.2
	lan_ping desk 2001:db8:babe:cafe::2
	ip netns exec desk tcpdump -i eth0 -nel --immediate-mode arp or icmp6 \
		</dev/null >"$BATS_TEST_TMPDIR/wire" 2>"$BATS_TEST_TMPDIR/tcpdump" 3>&- &
	echo "$!" >>"$SLEEPERS"
	disown "$!"
	wait_until grep -q listening "$BATS_TEST_TMPDIR/tcpdump"

	attach_new c0
	c0=$SLEEPER
	assert_both_ways "$c0"
	shim=$(shim_get eth0 .address)
	# The host asks, out of the parent; machines ask for the host; a container asks for it.
	ip neigh flush dev eth0
	ping -c 1 -W 2 10.0.0.9 >/dev/null
	ping -c 1 -W 2 2001:db8:babe:cafe::9 >/dev/null
	for machine in desk router; do
		ip -n "$machine" neigh flush all
		lan_ping "$machine" 10.0.0.2
		lan_ping "$machine" 2001:db8:babe:cafe::2
	done
	in_netns "$c0" ip neigh flush dev eth0
	assert_both_ways "$c0"
	release c0 "$c0"
	lan_ping desk 10.0.0.2

	ip netns exec router ping -c 1 -W 0.1 10.0.0.77 >/dev/null || true
	wait_until grep -q 'who-has 10.0.0.77' "$BATS_TEST_TMPDIR/wire"
	grep -q "$host.* who-has 10.0.0.9 tell 10.0.0.2" "$BATS_TEST_TMPDIR/wire"
	refute grep -E "$shim > .*(ARP|neighbor (solicitation|advertisement)|router)" \
		"$BATS_TEST_TMPDIR/wire"
	refute grep -E "is-at $shim" "$BATS_TEST_TMPDIR/wire"
	for machine in desk router; do
		assert_eq "$host" "$(lan_neighbour "$machine" 10.0.0.2)" "$machine's neighbour"
		assert_eq "$host" "$(lan_neighbour "$machine" 2001:db8:babe:cafe::2)" "$machine's neighbour"
	done
}

@test "the LAN hears of the shim neither that it has the host's addresses nor that it asks" {
	assert_lan_unharmed
}

# Then the kernel does not already drop what a machine asks the shim.
@test "so it is with rp_filter=0" {
	rp_filter 0
	assert_lan_unharmed
}

@test "it comes with the first and goes with the last" {
	attach_new c0
	c0=$SLEEPER
	alone=$(whole)
	attach_new c1
	c1=$SLEEPER
	network_dual '{"name": "plain"}'
	attach_new c2 plain
	assert_both_ways "$c1"
	release c1 "$c1"
	assert_eq "$alone" "$(whole)"
	assert_both_ways "$c0"
	release c0 "$c0"
	assert_eq "" "$(shims)"
	assert_eq "" "$(ways)"
	detach c0
	can_ping "$SLEEPER" 10.0.0.1
}

@test "what was flushed is there again after the next attach, for all" {
	attach_new c0
	attach_new c1
	c1=$SLEEPER
	before=$(whole)
	shim=$(shim_of eth0)
	n=0
	for harm in "ip link del $shim" "ip link set $shim down" "ip -4 route flush proto 77" \
		"ip -6 route flush proto 77" "ip neigh flush dev $shim nud permanent" \
		"ip -6 route del 2001:db8:babe:cafe::3" "ip addr flush dev $shim" \
		"ip addr del 10.0.0.2/24 dev eth0" "ip addr del 2001:db8:babe:cafe::2/64 dev eth0"; do
		$harm
		# What the host got back by itself, by DHCP or by hand.
		[[ $harm != *" dev eth0" ]] || lan_addr eth0 "${harm:12:-9}"
		refute test "$before" = "$(whole)"
		n=$((n + 1))
		attach_new "new$n"
		release "new$n"
		assert_eq "$before" "$(whole)" "after '$harm'"
		assert_both_ways "$c1"
	done
}

@test "a container that knows the shim reaches the host at once when it was made again" {
	attach_new c0
	c0=$SLEEPER
	assert_both_ways "$c0"
	for turn in 1 2 3; do
		ip link del "$(shim_of eth0)"
		attach_new "again$turn"
		assert_both_ways "$c0"
	done
}

# Nothing when the host has nothing for host access.
left() {
	ways
	shims
}

@test "an attach that was killed leaves nothing, and takes nothing from others" {
	for point in "symlinkat 4" "symlinkat 5" "renameat 2" "openat 1" "sendto 40" "sendto 45" \
		"sendto 50" "sendto 55"; do
		read -r call n <<<"$point"
		sleeper_start
		attach_killed c0 "$SLEEPER" "$call" "$n"
		sleeper_stop "$SLEEPER"
		cli gc
		assert_eq "" "$(left)" "left after kill -9 at $point"
		assert_run_empty
	done
	attach_new c1
	c1=$SLEEPER
	before=$(whole)
	for point in "symlinkat 5" "renameat 2" "sendto 45"; do
		read -r call n <<<"$point"
		sleeper_start
		attach_killed c0 "$SLEEPER" "$call" "$n"
		sleeper_stop "$SLEEPER"
		cli gc
		assert_eq "$before" "$(whole)" "left after kill -9 at $point"
		assert_both_ways "$c1"
	done
}

# Is killed at the N-th CALL.
detach_killed() { # ID CALL N
	state_json stopped "$1" 0 >"$BATS_TEST_TMPDIR/state"
	strace -qq -o /dev/null -e trace="$2" -e inject="$2":signal=KILL:when="$3" \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" poststop \
		<"$BATS_TEST_TMPDIR/state" || true
}

@test "a detach that was killed is gone on with by gc, and by the next detach" {
	for again in "cli gc" "detach c0"; do
		for point in "unlinkat 1" "unlinkat 2" "unlinkat 3" "sendto 2" "sendto 3" "sendto 4" \
			"sendto 5" "sendto 6" "sendto 7" "sendto 8"; do
			read -r call n <<<"$point"
			attach_new c0
			sleeper_stop "$SLEEPER"
			detach_killed c0 "$call" "$n"
			$again
			assert_eq "" "$(left)" "left after kill -9 at $point, $again"
			assert_run_empty
		done
	done
}

@test "gc takes back what no record leads to" {
	attach_new c0
	c0=$SLEEPER
	attach_new c1
	before=$(ways | grep -c .)
	sleeper_stop "$SLEEPER"
	rm "$RUN/containers/c1.json"
	cli gc --dry-run >"$BATS_TEST_TMPDIR/out"
	assert_eq "$before" "$(ways | grep -c .)" "ways after --dry-run"
	cli gc >"$BATS_TEST_TMPDIR/out"
	assert_eq $((before / 2)) "$(ways | grep -c .)" "ways"
	assert_both_ways "$c0"
	sleeper_stop "$c0"
	rm "$RUN/containers/c0.json"
	cli gc >"$BATS_TEST_TMPDIR/out"
	assert_eq "" "$(left)"
}

@test "attaches and detaches at once: each can be reached while it is there, and nothing is left" {
	turns() { # N
		local turn pid address=10.0.0.$((100 + $1)) address6=2001:db8:babe:cafe::$((100 + $1))

		for turn in {1..8}; do
			unshare --net sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
			pid=$!
			wait_until netns_differs "$pid"
			attach "w$1" "$pid" macvlan0 "io.oci-macvlan.ip=$address" \
				"io.oci-macvlan.ip6=$address6"
			reach_at_once "$HOST" "$address"
			reach_at_once "$HOST" "$address6"
			kill -KILL "$pid"
			wait "$pid" 2>/dev/null || true
			detach "w$1"
		done
	}
	pids=()
	for n in 1 2 3 4; do
		turns "$n" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
}

@test "a family that the host has no address of is said to be left out" {
	ip -6 addr del 2001:db8:babe:cafe::2/64 dev eth0
	sleeper_start
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 \
		io.oci-macvlan.ip6=2001:db8:babe:cafe::30 >"$BATS_TEST_TMPDIR/state"
	# As in routes.bats: the log may have no socket, and ASan does not go with strace.
	ASAN_OPTIONS=detect_leaks=0 strace -qq -s 999 -e trace=sendto \
		-o "$BATS_TEST_TMPDIR/calls" "$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime <"$BATS_TEST_TMPDIR/state"
	lan_addr eth0 2001:db8:babe:cafe::2/64
	assert_contains "$(grep /dev/log "$BATS_TEST_TMPDIR/calls")" \
		"network 'macvlan0': the host has no IPv6 address on parent 'eth0'"
	reach_at_once "$HOST" 10.0.0.3
	assert_eq "" "$(ip -6 route show proto 77)"
	attach_new c1
	assert_eq 2 "$(ip -6 -j route show proto 77 | jq length)"
}

@test "a parent that is down: it works when the parent is up" {
	ip link set eth0 down
	attach_new c0
	ip link set eth0 up
	lan_addr eth0 2001:db8:babe:cafe::2/64
	wait_until can_ping "$HOST" 10.0.0.1
	attach_new c1
	reach_at_once "$SLEEPER" 2001:db8:babe:cafe::2
	for address in $(addresses "$SLEEPER" eth0) $(claims "$(shim_of eth0)"); do
		reach_at_once "$HOST" "${address%/*}"
	done
}

@test "the host's address may lie outside the subnet" {
	ip addr del 10.0.0.2/24 dev eth0
	ip addr add 10.99.0.2/24 dev eth0
	attach_new c0 macvlan0 io.oci-macvlan.ip=10.0.0.3
	pid=$SLEEPER
	reach_at_once "$HOST" 10.0.0.3 || bad=1
	reach_at_once "$pid" 10.99.0.2 || bad=1
	ip addr del 10.99.0.2/24 dev eth0
	lan_addr eth0 10.0.0.2/24
	[ -z "${bad-}" ]
}

@test "two parents: a shim each" {
	network_write '{"name": "second", "parent": "eth1", "host_access": true, "subnets": [
		{"subnet": "10.7.0.0/24", "gateway": "10.7.0.1"}, {"subnet": "2001:db8:7::/64"}]}'
	attach_new c0 macvlan0,second
	pid=$SLEEPER
	attach_new c1
	refute test "$(shim_of eth0)" = "$(shim_of eth1)"
	assert_eq "oci-macvlan: the host on eth1" "$(shim_get eth1 .ifalias)"
	assert_both_ways "$pid"
	reach_at_once "$HOST" 10.7.0.3
	reach_at_once "$pid" 10.7.0.2
	reach_at_once "$pid" 2001:db8:7::2
	release c0 "$pid"
	assert_eq "$(shim_of eth0)" "$(shims)"
}

@test "a pod: its shim stays until the last member has left" {
	attach_new c0
	pid=$SLEEPER
	sleeper_join "$pid"
	ip -4 route flush proto 77
	attach c1 "$SLEEPER" macvlan0
	assert_both_ways "$pid"
	before=$(whole)
	release c0 "$pid"
	assert_eq "$before" "$(whole)"
	assert_both_ways "$SLEEPER"
	release c1
	assert_eq "" "$(shims)"
}

@test "network rm -f takes it back" {
	attach_new c0
	cli network rm -f macvlan0
	assert_eq "" "$(left)"
}

@test "a real container" {
	container_run c0 -a io.oci-macvlan.networks=macvlan0
	assert_both_ways "$(container_pid c0)"
	rt exec c0 ping -c 1 -W 2 10.0.0.2
	rt_delete c0
	assert_eq "" "$(left)"
}

@test "somebody else's route is left alone, and named" {
	ip route add 10.0.0.3/32 via 10.0.0.9
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	found=$(ip route show 10.0.0.3)
	ip route del 10.0.0.3/32
	assert_eq "10.0.0.3 via 10.0.0.9 dev eth0 " "$found"
	assert_eq 1 "$status"
	assert_contains "$output" "network 'macvlan0': cannot add the host's route to '10.0.0.3'"
	assert_eq "" "$(left)"
	assert_run_empty
}

@test "somebody else's interface of the shim's name is left alone, and named" {
	attach_new c0
	shim=$(shim_of eth0)
	release c0
	ip link add "$shim" type bridge
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	ip link del "$shim" type bridge
	assert_eq 1 "$status"
	assert_contains "$output" "interface '$shim' is not ours"
	assert_run_empty
}
