#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# host_access gives the host a way to addresses of the LAN only, and to none that it relies on: or a
# container would be its gateway, its resolver, or anybody in the world.

load lib.bash
load dhcp.bash
load dhcp_clients.bash
load plugins.bash

setup_file() {
	lab_setup_file
	ip route add default via 10.0.0.1
}

setup() {
	lab_setup
	mkdir -p "$BATS_TEST_TMPDIR/cni"
	echo "nameserver 10.0.0.53" >"$BATS_TEST_TMPDIR/resolv.conf"
	mount --bind "$BATS_TEST_TMPDIR/resolv.conf" "$(realpath /etc/resolv.conf)"
	network_dual '{"host_access": true, "subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.0.254"}]}'
}

teardown() {
	dhcp_teardown
	umount "$(realpath /etc/resolv.conf)"
	assert_eq "" "$(ways)" "left on the host"
	assert_eq "" "$(ip -j link | jq -r '.[].ifname | select(startswith("omv-"))')" "shims left"
}

# Where the host's routes of ours lead to, sorted, in one line.
ways() {
	{
		ip -4 -j route show proto 77
		ip -6 -j route show proto 77
	} | jq -r '.[].dst' | sort | paste -sd ' '
}

attach_new() { # ID [KEY=VALUE]...
	sleeper_start
	attach "$1" "$SLEEPER" macvlan0 "${@:2}"
}

# The attach fails with a line that has all the TEXTs.
refused_new() { # KEY=VALUE TEXT...
	local text

	sleeper_start
	run attach c9 "$SLEEPER" macvlan0 "$1"
	assert_eq 1 "$status" "exit status"
	for text in "${@:2}"; do
		assert_contains "$output" "$text"
	done
	assert_eq "" "$(links "$SLEEPER")"
}

network_static() { # [MORE]
	plugin_network '{"driver": "static"}' "$(jq -n --argjson more "${1:-{\}}" '{host_access: true} + $more')"
}

# --- what is asked for ---

@test "plugin static without subnets: an address from nowhere is the container's, not the host's" {
	network_static
	attach_new c0 io.oci-macvlan.ip=8.8.8.8/32
	assert_addresses "$SLEEPER" eth0 8.8.8.8/32
	assert_eq "" "$(ways)"
	assert_contains "$(ip route get 8.8.8.8)" "via 10.0.0.1 dev eth0"
	run cli check macvlan0
	line=$(grep 8.8.8.8 <<<"$output")
	assert_contains "$line" "host_access"
	assert_contains "$line" '{ "subnet": "8.8.8.8/32" }'
	release c0
}

@test "plugin static without subnets: the host's next hop is refused, the error says what to do" {
	network_static
	refused_new io.oci-macvlan.ip=10.0.0.1/24 "'10.0.0.1' is the host's next hop" service_addresses
	refused_new io.oci-macvlan.ip=10.0.0.53/24 "'10.0.0.53' is the host's resolver" service_addresses
	refused_new io.oci-macvlan.ip=10.0.0.2/24 "'10.0.0.2' is the host's own address"
	network_static '{"service_addresses": ["10.0.0.53"]}'
	attach_new c0 io.oci-macvlan.ip=10.0.0.53/24
	assert_eq 10.0.0.53 "$(ways)"
	release c0
}

@test "plugin static without subnets: an address of the parent's prefix has host access" {
	network_static
	attach_new c0 io.oci-macvlan.ip=10.0.0.60/24
	assert_eq 10.0.0.60 "$(ways)"
	can_ping "$SLEEPER" 10.0.0.2
	release c0
}

# As where the host has its address by DHCPv6.
@test "a prefix that only a route says is the parent's" {
	network_static
	ip route add 10.44.0.0/16 dev eth0
	attach_new c0 io.oci-macvlan.ip=10.44.0.5/16
	assert_eq 10.44.0.5 "$(ways)"
	release c0
	ip route del 10.44.0.0/16
}

@test "the host's resolver: nobody gets it by chance, one may be told to have it" {
	network_dual '{"host_access": true, "subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.52/30"}]}'
	refused_new io.oci-macvlan.ip=10.0.0.53 "'10.0.0.53' is the host's resolver" service_addresses
	network_dual '{"host_access": true, "service_addresses": ["10.0.0.53"],
		"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.52/30"}]}'
	for n in 1 2 3; do
		attach_new "c$n"
		[ ! -L "$RUN/pools/eth0/10.0.0.53" ] || fail "c$n has the resolver's address"
	done
	sleeper_start
	run attach c4 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "10.0.0.52/30"
	attach_new dns io.oci-macvlan.ip=10.0.0.53
	assert_eq dns/eth0 "$(claim_owner 10.0.0.53)"
	assert_contains "$(ways)" 10.0.0.53
	ping -c 1 -W 2 10.0.0.53
	assert_eq 10.0.0.53 "$(cli network inspect macvlan0 | jq -r '.[0].Options.service_addresses')"
}

@test "next hops of any table, and of routes by several ways" {
	ip route add 10.50.0.0/16 nexthop via 10.0.0.71 nexthop via 10.0.0.72
	ip route add 10.51.0.0/16 via 10.0.0.73 table 51
	ip -6 route add 2001:db8:50::/48 via 2001:db8:babe:cafe::71
	network_dual '{"host_access": true}'
	for ip in 10.0.0.71 10.0.0.72 10.0.0.73; do
		refused_new "io.oci-macvlan.ip=$ip" "'$ip' is the host's next hop" service_addresses
	done
	refused_new io.oci-macvlan.ip6=2001:db8:babe:cafe::71 "is the host's next hop"
	ip route del 10.50.0.0/16
	ip route flush table 51
	ip -6 route del 2001:db8:50::/48
}

@test "a next hop that is an object of its own, which routes name by its number" {
	sysctl -qw net.ipv4.nexthop_compat_mode=0
	ip nexthop add id 7 via 10.0.0.74 dev eth0
	ip route add 10.54.0.0/16 nhid 7
	network_dual '{"host_access": true}'
	refused_new io.oci-macvlan.ip=10.0.0.74 "'10.0.0.74' is the host's next hop" service_addresses
	network_dhcp '{}' '{"host_access": true}'
	hostile_start --address 10.0.0.74
	attach_lan c0
	assert_eq "" "$(ways)"
	ip route del 10.54.0.0/16
	ip nexthop del id 7
	sysctl -qw net.ipv4.nexthop_compat_mode=1
}

@test "a container that is the LAN's gateway has no way to itself, and the others go by it" {
	network_dual '{"host_access": true, "service_addresses": ["10.0.0.254"],
		"routes": [{"dst": "192.168.0.0/16", "gateway": "10.0.0.254"}],
		"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.0.254"}]}'
	attach_new gate io.oci-macvlan.ip=10.0.0.254
	assert_eq "" "$(default_routes "$SLEEPER" 4)"
	assert_eq "" "$(route_to "$SLEEPER" 4 192.168.0.0/16)"
	attach_new c0
	assert_default "$SLEEPER" 4 "10.0.0.254 eth0"
	can_ping "$SLEEPER" 10.0.0.254
}

@test "network create takes service_addresses, and refuses those that nobody can ask for" {
	cli network create --subnet 10.0.0.0/24 -o parent=eth0 -o service_addresses=10.0.0.53,10.0.0.54 dns
	assert_eq '["10.0.0.53","10.0.0.54"]' "$(jq -c .service_addresses "$ETC/networks/dns.json")"
	run cli network create --subnet 10.0.0.0/24 -o parent=eth0 -o service_addresses=10.0.1.53 other
	assert_eq 1 "$status"
	assert_contains "$output" "10.0.1.53"
}

# --- what was given before, and is lost ---

@test "what another version has marked is not mended where it was not allowed" {
	network_static
	attach_new c0 io.oci-macvlan.ip=8.8.8.8/32
	first=$SLEEPER
	attach_new c1 io.oci-macvlan.ip=10.0.0.60/24
	shim=$(ip -j link | jq -r '.[].ifname | select(startswith("omv-h"))')
	ln -s c0/eth0 "$RUN/pools/$shim/8.8.8.8"
	ip route flush proto 77
	attach_new c2 io.oci-macvlan.ip=10.0.0.61/24
	assert_eq "10.0.0.60 10.0.0.61" "$(ways)"
	release c0 "$first"
	refute test -L "$RUN/pools/$shim/8.8.8.8"
}

@test "a way that another version has made, and that is not allowed, goes at the next attach" {
	network_static
	attach_new c0 io.oci-macvlan.ip=8.8.8.8/32
	first=$SLEEPER
	attach_new c1 io.oci-macvlan.ip=10.0.0.60/24
	shim=$(ip -j link | jq -r '.[].ifname | select(startswith("omv-h"))')
	ln -s c0/eth0 "$RUN/pools/$shim/8.8.8.8"
	ip neigh add 8.8.8.8 lladdr "$(mac_of "$first" eth0)" dev "$shim" nud permanent
	ip route add 8.8.8.8 dev "$shim" src 10.0.0.2 proto 77
	run cli check macvlan0
	assert_contains "$(grep 8.8.8.8 <<<"$output")" "until the next attach"
	attach_new c2 io.oci-macvlan.ip=10.0.0.61/24
	assert_eq "10.0.0.60 10.0.0.61" "$(ways)"
	assert_eq "" "$(ip -j neigh show 8.8.8.8 nud permanent | jq -r '.[].dst')"
	release c0 "$first"
}

@test "an address that becomes the host's next hop loses its way at the next attach" {
	network_static
	attach_new c0 io.oci-macvlan.ip=10.0.0.60/24
	ip route add 10.60.0.0/16 via 10.0.0.60
	attach_new c1 io.oci-macvlan.ip=10.0.0.61/24
	assert_eq "10.0.0.61" "$(ways)"
	ip route del 10.60.0.0/16
	attach_new c2 io.oci-macvlan.ip=10.0.0.62/24
	assert_eq "10.0.0.60 10.0.0.61 10.0.0.62" "$(ways)"
}

@test "a subnet of the file outside of the parent's prefixes is mended, too" {
	network_dual '{"host_access": true, "subnets": [{"subnet": "10.9.0.0/24"}]}'
	attach_new c0
	assert_eq 10.9.0.1 "$(ways)"
	ip route flush proto 77
	attach_new c1
	assert_eq "10.9.0.1 10.9.0.2" "$(ways)"
}

# --- leases ---

@test "a lease from nowhere: the container may have it, the host gets no way to it" {
	network_dhcp '{}' '{"host_access": true}'
	hostile_start --address 8.8.8.8
	attach_lan c0
	assert_eq 8.8.8.8/24 "$ADDRESS"
	assert_eq "" "$(ways)"
	assert_contains "$(ip route get 8.8.8.8)" "via 10.0.0.1 dev eth0"
	run cli check lan
	assert_contains "$(grep 8.8.8.8 <<<"$output")" '{ "subnet": "8.8.8.0/24" }'
}

@test "a lease that is the host's next hop or resolver: the host gets no way to it" {
	network_dhcp '{}' '{"host_access": true}'
	hostile_start --address 10.0.0.1
	attach_lan c0
	assert_eq "" "$(ways)"
	dhcp_stop hostile
	hostile_start --address 10.0.0.53
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.53/24
	assert_eq "" "$(ways)"
	release c0
	network_dhcp '{}' '{"host_access": true, "service_addresses": ["10.0.0.53"]}'
	attach_lan c0
	assert_eq 10.0.0.53 "$(ways)"
}

@test "a late lease that service_addresses lists is the host's resolver" {
	network_dhcp '{"timeout_ms": 0, "required": false}' \
		'{"host_access": true, "service_addresses": ["10.0.0.53"]}'
	attach_lan c0
	assert_eq "" "$ADDRESS"
	hostile_start --address 10.0.0.53
	wait_until way_is 10.0.0.53
}

way_is() { # DST...
	[ "$(ways)" = "$*" ]
}

@test "with subnets a lease outside of them is declined" {
	network_dhcp '{}' '{"host_access": true, "subnets": [{"subnet": "10.0.0.0/24"}]}'
	hostile_start --address 8.8.8.8
	sleeper_start
	run attach c0 "$SLEEPER" lan
	assert_eq 1 "$status"
	assert_contains "$output" "8.8.8.8/24"
	assert_contains "$output" "in no subnet of network 'lan'"
	assert_run_empty
	dhcp_stop hostile
	hostile_start
	attach_lan c0
	assert_eq 10.0.0.66/24 "$ADDRESS"
	assert_eq 10.0.0.66 "$(ways)"
	dhcp_stop hostile
	hostile_start --address 8.8.8.8
	client_renew c0
	wait_until logged_in_errors "8.8.8.8/24"
	ipv4_is "$SLEEPER" 10.0.0.66/24
	assert_eq 10.0.0.66 "$(ways)"
	assert_eq 10.0.0.66 "$(claims)"
}

logged_in_errors() { # TEXT
	grep -qF "$1" "$RUN/errors"
}

@test "subnets give leases of them host access, where the host has another address" {
	network_dhcp '{"timeout_ms": 0, "required": false}' \
		'{"host_access": true, "subnets": [{"subnet": "10.9.0.0/24"}, {"subnet": "2001:db8:9::/64"}]}'
	attach_lan c0
	assert_eq 2001:db8:9::1 "$(ways)"
	hostile_start --address 10.9.0.66 --server 10.9.0.1
	wait_until way_is 10.9.0.66 2001:db8:9::1
}

# --- a container that is the server of its own client ---

# It gives its link another name, and the old name to a veth of its own, behind which it answers.
serve_oneself() { # PID ADDRESS
	in_netns "$1" sh -c 'ip link set eth0 down && ip link set eth0 name mine && ip link set mine up
		ip link add eth0 type veth peer name peer0 && ip link set eth0 up && ip link set peer0 up'
	nsenter -t "$1" -n /usr/bin/python3 -I "$REPO/tests/tools/dhcp_hostile.py" peer0 \
		--address "$2" --server 10.0.0.1 </dev/null >"$(dhcp_dir)/own.log" 2>&1 3>&- &
	echo $! >"$(dhcp_dir)/own.pid"
	disown
	wait_until grep -q '^READY' "$(dhcp_dir)/own.log"
}

own_requests() { # N
	[ "$(grep -c '^REQUEST' "$(dhcp_dir)/own.log")" -ge "$1" ]
}

@test "a container that answers its own client: its word is nobody's" {
	network_dhcp '{}' '{"host_access": true}'
	hostile_start
	attach_lan c0
	before=$(cat "$RUN/dhcp/c0:eth0.lease")
	serve_oneself "$SLEEPER" 10.0.0.99
	# The client asks again only when its event script has ended.
	client_renew c0
	WAIT_SECONDS=30 wait_until own_requests 1
	client_renew c0
	WAIT_SECONDS=30 wait_until own_requests 2
	assert_eq "$before" "$(cat "$RUN/dhcp/c0:eth0.lease")" "the lease"
	assert_eq 10.0.0.66 "$(claims)"
	assert_eq "" "$(ipv4_of "$SLEEPER" eth0)"
	assert_eq 10.0.0.66 "$(ways)"
}

@test "a client that gc starts again asks by the container's own link, whatever that is called" {
	network_dhcp '{}' '{"host_access": true}'
	hostile_start
	attach_lan c0
	serve_oneself "$SLEEPER" 10.0.0.99
	client_kill c0
	n=$(hostile_got REQUEST)
	cli gc
	wait_until client_lives c0
	# It looks for its interface by a name, and must not have the kernel load a module by that.
	assert_eq 0 $(((0x$(awk '$1 == "CapEff:" { print $2 }' "/proc/$(client_of c0)/status") >> 16) & 1))
	assert_contains "$(tr '\0' ' ' <"/proc/$(client_of c0)/cmdline")" "-i mine "
	wait_until hostile_got_more "$n"
	refute own_requests 1
	ipv4_is "$SLEEPER" "" # of eth0, which is not ours
	assert_eq 10.0.0.66/24 "$(ipv4_of "$SLEEPER" mine)"
}

hostile_got_more() { # N
	[ "$(hostile_got REQUEST)" -gt "$1" ]
}
