#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What becomes of a DHCP lease while a container runs: renewed, changed, refused, lost.

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dhcp
}

teardown() {
	dhcp_teardown
}

claim_gone() { # ADDRESS/LEN
	[ ! -L "$RUN/pools/eth0/${1%/*}" ]
}

# The new address was there before the old one went.
assert_make_before_break() { # OLD NEW
	local old new

	new=$(grep -n -m 1 "inet $2" "$CHANGES" | cut -d : -f 1)
	old=$(grep -n -m 1 "^Deleted .*inet $1" "$CHANGES" | cut -d : -f 1)
	[[ -n $new && -n $old && $new -lt $old ]] ||
		fail "not make before break: $(cat "$CHANGES")"
}

# --- renewal ---

@test "a renewal that changes nothing changes nothing" {
	dnsmasq_start
	dhcp_capture
	attach_lan c0
	watch_addresses "$SLEEPER"
	wait_until acknowledged "$MAC" 1
	client_renew c0
	wait_until acknowledged "$MAC" 2
	client_renew c0
	wait_until acknowledged "$MAC" 3
	# But the lifetime.
	assert_eq "" "$(grep ' inet ' "$CHANGES" | grep -v "^[0-9]*: eth0 *inet $ADDRESS ")" "changes"
	ipv4_is "$SLEEPER" "$ADDRESS"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
}

# How long the kernel keeps the address: so many seconds, within 5.
lifetime_is() { # PID SECONDS
	local found

	found=$(in_netns "$1" ip -4 -j addr show dev eth0 | jq '.[].addr_info[] | select(.local).valid_life_time')
	[ "$found" -le "$2" ] && [ "$found" -gt $(($2 - 5)) ]
}

@test "the kernel takes an address away 20 s after its lease, should nobody else" {
	hostile_start 51:00000258
	attach_lan c0
	wait_until lifetime_is "$SLEEPER" 620
	dhcp_stop hostile
	hostile_start 51:00000020
	client_renew c0
	wait_until lifetime_is "$SLEEPER" 52
	dhcp_stop hostile
	hostile_start 51:00000258
	client_renew c0
	wait_until lifetime_is "$SLEEPER" 620
	ipv4_is "$SLEEPER" "$ADDRESS"
}

@test "a lease without an end: the kernel keeps the address" {
	hostile_start 51:ffffffff
	attach_lan c0
	lifetime_is "$SLEEPER" 4294967295
}

@test "the MTU that the server says, another, and none any more" {
	mtu_is() {
		[ "$(link_get "$SLEEPER" eth0 .mtu)" = "$1" ]
	}
	dnsmasq_start --dhcp-option=option:mtu,1400
	attach_lan c0
	mtu_is 1400
	dhcp_stop dnsmasq
	dnsmasq_start --dhcp-option=option:mtu,1300
	client_renew c0
	wait_until mtu_is 1300
	dhcp_stop dnsmasq
	dnsmasq_start
	client_renew c0
	wait_until mtu_is 1500
	dhcp_stop dnsmasq
	dnsmasq_start --dhcp-option=option:mtu,1300
	client_renew c0
	wait_until mtu_is 1300
	dhcp_stop dnsmasq
	client_renew c0
	WAIT_SECONDS=20 wait_until ipv4_is "$SLEEPER" ""
	wait_until mtu_is 1500
}

@test "a short lease is renewed by itself" {
	isc_start 16
	dhcp_capture
	attach_lan c0
	WAIT_SECONDS=25 wait_until acknowledged "$MAC" 2
	ipv4_is "$SLEEPER" "$ADDRESS"
}

@test "a renewal with another address and router: make before break" {
	hostile_start
	attach_lan c0
	assert_eq 10.0.0.66/24 "$ADDRESS"
	watch_addresses "$SLEEPER"
	dhcp_stop hostile
	hostile_start --address 10.0.0.67 3:0a0000fe
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/24
	wait_until default_is "$SLEEPER" "10.0.0.254 eth0"
	wait_until claim_gone "$ADDRESS"
	assert_make_before_break 10.0.0.66/24 10.0.0.67/24
	assert_eq c0/eth0 "$(claim_owner 10.0.0.67)"
	assert_contains "$(cli ps)" 10.0.0.67/24
	lan_ping router 10.0.0.67
	dhcp_stop hostile
	hostile_start --address 10.0.0.67 3:0a0000fe 1:ffff0000
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/16
}

@test "the LAN hears whose a leased address is: the first, and another at a renewal" {
	hostile_start
	arp_capture
	attach_lan c0
	wait_until arp_announced "$MAC" 10.0.0.66
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew c0
	wait_until arp_announced "$MAC" 10.0.0.67
}

@test "a default route of somebody else stays the only one when a renewal brings a router" {
	hostile_start -3
	attach_lan c0
	assert_default "$SLEEPER" 4 ""
	in_netns "$SLEEPER" ip link add other type veth peer name peer
	in_netns "$SLEEPER" ip addr add 10.9.0.2/24 dev other
	in_netns "$SLEEPER" ip link set other up
	in_netns "$SLEEPER" ip route add default via 10.9.0.1 dev other
	# Each is over when the address before is claimed no more.
	for n in 67 68; do
		dhcp_stop hostile
		hostile_start --address "10.0.0.$n" "3:0a0000$n"
		client_renew c0
		wait_until claim_gone "10.0.0.$((n - 1))"
		ipv4_is "$SLEEPER" "10.0.0.$n/24"
		assert_default "$SLEEPER" 4 "10.9.0.1 other"
	done
}

@test "a default route that others hide: the lease is applied all the same" {
	hostile_start
	attach_lan c0
	for half in 0.0.0.0/1 128.0.0.0/1; do
		in_netns "$SLEEPER" ip route add "$half" via 10.0.0.9 dev eth0
	done
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew c0
	wait_until claim_gone 10.0.0.66/24
	ipv4_is "$SLEEPER" 10.0.0.67/24
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	dhcp_stop hostile
	hostile_start --address 10.0.0.68 3:0a0000fe
	client_renew c0
	wait_until claim_gone 10.0.0.67/24
	assert_default "$SLEEPER" 4 "10.0.0.254 eth0"
}

@test "a default route that leads nowhere stays, and the lease is applied all the same" {
	local n=66 kind

	hostile_start -3
	attach_lan c0
	for kind in unreachable blackhole prohibit; do
		n=$((n + 1))
		in_netns "$SLEEPER" ip route replace "$kind" default
		dhcp_stop hostile
		hostile_start --address "10.0.0.$n" 3:0a0000fe
		client_renew c0
		wait_until claim_gone "10.0.0.$((n - 1))/24"
		ipv4_is "$SLEEPER" "10.0.0.$n/24"
		assert_eq "$kind default" "$(in_netns "$SLEEPER" ip route show default | xargs)"
	done
}

@test "a default route that a hand has changed stays until the server has another router" {
	hostile_start
	attach_lan c0
	in_netns "$SLEEPER" ip route replace default via 10.0.0.253 dev eth0
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew c0
	wait_until claim_gone 10.0.0.66/24
	assert_default "$SLEEPER" 4 "10.0.0.253 eth0"
	dhcp_stop hostile
	hostile_start --address 10.0.0.68 3:0a0000fe
	client_renew c0
	wait_until claim_gone 10.0.0.67/24
	assert_contains "$(in_netns "$SLEEPER" ip route get 203.0.113.1)" "via 10.0.0.254 dev eth0"
}

@test "a classless route by another gateway, and one that is there no more" {
	hostile_start 121:18c0a8050a0000fd18c0a8060a0000fd000a000001
	attach_lan c0
	assert_eq "192.168.5.0/24 10.0.0.253 eth0" "$(route_to "$SLEEPER" 4 192.168.5.0/24)"
	dhcp_stop hostile
	hostile_start 121:18c0a8050a0000fe000a000001
	classless_is() { # TEXT
		[ "$(route_to "$SLEEPER" 4 192.168.5.0/24)" = "$1" ]
	}
	client_renew c0
	wait_until classless_is "192.168.5.0/24 10.0.0.254 eth0"
	assert_eq "" "$(route_to "$SLEEPER" 4 192.168.6.0/24)"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
}

@test "default-route in a selection is there again after a lost lease" {
	dnsmasq_start
	sleeper_start
	attach c0 "$SLEEPER" '[{"name": "lan", "default-route": ["10.0.0.254"]}]'
	assert_default "$SLEEPER" 4 "10.0.0.254 eth0"
	dhcp_stop dnsmasq
	client_renew c0
	WAIT_SECONDS=20 wait_until ipv4_is "$SLEEPER" ""
	dnsmasq_start
	wait_until default_is "$SLEEPER" "10.0.0.254 eth0"
}

@test "an address that a hand has removed is there again after a renewal" {
	dnsmasq_start
	attach_lan c0
	in_netns "$SLEEPER" ip addr flush dev eth0
	client_renew c0
	wait_until ipv4_is "$SLEEPER" "$ADDRESS"
	wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
}

@test "an id that begins with a dot has files of its own" {
	dnsmasq_start
	attach_lan .c0
	first=$SLEEPER
	attach_lan c0
	cli gc
	wait_until client_lives .c0
	wait_until client_lives c0
	release c0
	wait_until client_lives .c0
	release .c0 "$first"
}

@test "host_access follows the address" {
	network_dhcp '{}' '{"host_access": true}'
	hostile_start
	attach_lan c0
	ping -c 1 -W 2 10.0.0.66
	can_ping "$SLEEPER" 10.0.0.2
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew c0
	wait_until claim_gone 10.0.0.66/24
	wait_until ping -c 1 -W 0.5 10.0.0.67
	can_ping "$SLEEPER" 10.0.0.2
	assert_eq 10.0.0.67 "$(ip -j route show proto 77 | jq -r '.[].dst')" "the host's routes"
	release c0
	assert_eq "" "$(ip -j link | jq -r '.[].ifname | select(startswith("omv-"))')" "shims left"
}

@test "host_access of a lease that comes late" {
	network_dhcp '{"timeout_ms": 0, "required": false}' '{"host_access": true}'
	attach_lan c0
	assert_eq "" "$ADDRESS"
	dnsmasq_start
	wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
	look "$SLEEPER"
	wait_until ping -c 1 -W 0.5 "${ADDRESS%/*}"
	can_ping "$SLEEPER" 10.0.0.2
}

@test "routes of the network's file come and go with the lease" {
	network_dhcp '{"timeout_ms": 0, "required": false}' \
		'{"routes": [{"dst": "192.168.0.0/16", "gateway": "10.0.0.254"},
			{"dst": "172.16.0.0/12", "gateway": "10.99.0.1"}]}'
	route_is() { # TEXT
		[ "$(route_to "$SLEEPER" 4 192.168.0.0/16)" = "$1" ]
	}
	attach_lan c0
	route_is ""
	dnsmasq_start
	wait_until route_is "192.168.0.0/16 10.0.0.254 eth0"
	dhcp_stop dnsmasq
	client_renew c0
	WAIT_SECONDS=20 wait_until route_is ""
	dnsmasq_start
	wait_until route_is "192.168.0.0/16 10.0.0.254 eth0"
	assert_eq "" "$(route_to "$SLEEPER" 4 172.16.0.0/12)" "by way of another subnet"
	release c0
	network_dhcp '{}' '{"routes": [{"dst": "192.168.0.0/16", "gateway": "10.0.0.254"}]}'
	attach_lan c0
	route_is "192.168.0.0/16 10.0.0.254 eth0"
}

@test "resolvers follow the lease in a container that runs" {
	hostile_start 6:0a000001 15=lan
	container_run c0 -a io.oci-macvlan.networks=lan
	resolv_has() { # TEXT
		[[ $(rt exec c0 cat /etc/resolv.conf) == *"$1"* ]]
	}
	resolv_has "nameserver 10.0.0.1"
	resolv_has "search lan"
	dhcp_stop hostile
	hostile_start 6:0a0000fd 15=home
	client_renew c0
	wait_until resolv_has "nameserver 10.0.0.253"
	assert_eq $'nameserver 10.0.0.253\nsearch home' "$(rt exec c0 cat /etc/resolv.conf)"
}

@test "another router alone" {
	hostile_start
	attach_lan c0
	dhcp_stop hostile
	hostile_start 3:0a0000fd
	client_renew c0
	wait_until default_is "$SLEEPER" "10.0.0.253 eth0"
	ipv4_is "$SLEEPER" "$ADDRESS"
}

@test "the server refuses the address (dnsmasq): another one" {
	dnsmasq_start
	dhcp_capture
	attach_lan c0
	dhcp_stop dnsmasq
	dnsmasq_start --dhcp-host="$MAC,10.0.0.80"
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.80/24
	wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
	dhcp_seen NACK "$MAC"
	wait_until claim_gone "$ADDRESS"
	assert_eq "10.0.0.80" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)"
}

@test "the server refuses the address (ISC dhcpd): another one, with another router" {
	isc_start 600
	dhcp_capture
	attach_lan c0
	dhcp_stop isc
	isc_start 600 'option routers 10.0.0.254' \
		"host moved { hardware ethernet $MAC; fixed-address 10.0.0.79; }"
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.79/24
	wait_until default_is "$SLEEPER" "10.0.0.254 eth0"
	dhcp_seen NACK "$MAC"
	wait_until claim_gone "$ADDRESS"
}

@test "a server that refuses everything: no address, until one comes that does not" {
	network_dhcp '{"timeout_ms": 1500}'
	hostile_start --nak
	sleeper_start
	run attach c0 "$SLEEPER" lan
	assert_eq 1 "$status"
	assert_contains "$output" "DHCP"
	[ "$(hostile_got REQUEST)" -ge 1 ]
	no_clients
	dhcp_stop
	dnsmasq_start
	attach c0 "$SLEEPER" lan
	look "$SLEEPER"
	[[ $ADDRESS == 10.0.0.1??/24 ]] || fail "address '$ADDRESS'"
}

# --- a lease that ends ---

@test "lost: address and route go, discovery goes on, and the next lease is taken" {
	dnsmasq_start
	attach_lan c0
	dhcp_stop dnsmasq
	client_renew c0
	WAIT_SECONDS=20 wait_until ipv4_is "$SLEEPER" ""
	assert_default "$SLEEPER" 4 ""
	wait_until claim_gone "$ADDRESS"
	wait_until client_lives c0
	refute grep -qF "${ADDRESS%/*}" <<<"$(cli ps)"
	dnsmasq_start
	WAIT_SECONDS=20 wait_until ipv4_is "$SLEEPER" "$ADDRESS"
	wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
}

@test "expired: the time of the lease is up" {
	isc_start 16
	attach_lan c0
	dhcp_stop isc
	WAIT_SECONDS=60 wait_until ipv4_is "$SLEEPER" ""
	assert_default "$SLEEPER" 4 ""
	wait_until claim_gone "$ADDRESS"
	wait_until client_lives c0
}
