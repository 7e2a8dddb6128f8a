#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What becomes of a DHCP lease while a container runs: renewed, changed, refused, lost; and of a
# client whose container, hook or own process is killed.

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

# The server has acknowledged so many requests of a MAC.
acknowledged() { # MAC N
	[ "$(dhcp_count ACK "$1")" -ge "$2" ]
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

@test "a killed client, and no gc: the address goes with its lease; gc brings it again" {
	hostile_start 51:00000002
	attach_lan c0
	kill -KILL "$(client_of c0)"
	dhcp_stop hostile
	WAIT_SECONDS=30 wait_until ipv4_is "$SLEEPER" ""
	assert_default "$SLEEPER" 4 ""
	hostile_start
	cli gc
	wait_until ipv4_is "$SLEEPER" "$ADDRESS"
	wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
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

@test "a client that died is started again while the server is down: the address stays" {
	dnsmasq_start
	attach_lan c0
	dhcp_stop dnsmasq
	dhcp_capture
	kill -KILL "$(client_of c0)"
	cli gc
	wait_until client_lives c0
	# A round of four that nobody answers, and the next.
	asked() {
		[ "$(dhcp_count Discover "$MAC")" -ge 5 ]
	}
	WAIT_SECONDS=25 wait_until asked
	ipv4_is "$SLEEPER" "$ADDRESS"
	dnsmasq_start
	ipv4_is "$SLEEPER" "$ADDRESS"
}

@test "an id that begins with a dot has files of its own" {
	dnsmasq_start
	attach_lan .c0
	first=$SLEEPER
	attach_lan c0
	cli gc
	client_lives .c0
	client_lives c0
	release c0
	client_lives .c0
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
	client_lives c0
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
	client_lives c0
}

# --- what is killed ---

@test "a killed client: gc starts another, which asks for the same address" {
	dnsmasq_start
	dhcp_capture
	attach_lan c0
	before=$(client_of c0)
	watch_addresses "$SLEEPER"
	kill -KILL "$before"
	wait_until process_gone "$before"
	cli gc
	client_lives c0
	refute test "$before" = "$(client_of c0)"
	wait_until acknowledged "$MAC" 2
	dhcp_packets Discover "$MAC" | tail -n 1 |
		grep -qF "Requested-IP (50), length 4: ${ADDRESS%/*} " || fail "another address is asked for"
	cli gc
	assert_eq 1 "$(clients | wc -w)" "clients"
	ipv4_is "$SLEEPER" "$ADDRESS"
	assert_eq "" "$(grep -F Deleted "$CHANGES")" "addresses that went"
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
}

# Attaches c0 with a hook that is somewhere else, and is gone afterwards.
attach_with_lost_hook() {
	local build=$BUILD

	BUILD=$BATS_TEST_TMPDIR/elsewhere
	mkdir -p "$BUILD"
	cp "$build/oci-macvlan-hook" "$BUILD/"
	attach_lan c0
	BUILD=$build
	rm "$BATS_TEST_TMPDIR/elsewhere/oci-macvlan-hook"
}

@test "the hook was moved: gc has the client call the one beside it" {
	hostile_start
	dhcp_capture
	attach_with_lost_hook
	before=$(client_of c0)
	assert_contains "$(cli gc --dry-run)" "would start the DHCP client of 'eth0' again: the hook"
	assert_eq "$before" "$(client_of c0)"
	assert_contains "$(cli gc)" "started the DHCP client of 'eth0' again: the hook that it called is gone"
	refute test "$before" = "$(client_of c0)"
	assert_eq "" "$(cli gc)"
	assert_eq "" "$(dhcp_packets Release "$MAC")" "farewells"
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/24
}

@test "an event of an earlier client changes nothing" {
	local lease command

	hostile_start
	attach_lan c0
	lease=$(cat "$RUN/dhcp/c0:eth0.lease")
	dhcp_stop hostile
	hostile_start --address 10.0.0.67
	# One that is not noted, takes a lease, and ends: by then its events are over.
	mapfile -d '' -t command <"/proc/$(client_of c0)/cmdline"
	in_netns "$SLEEPER" "${command[@]}" -q -n 9</proc/self/ns/net
	[ "$(hostile_got REQUEST "$MAC")" -ge 1 ]
	assert_eq "$lease" "$(cat "$RUN/dhcp/c0:eth0.lease")" "the server's word"
	ipv4_is "$SLEEPER" 10.0.0.66/24
	client_renew c0
	wait_until ipv4_is "$SLEEPER" 10.0.0.67/24
}

@test "the hook is gone altogether: gc says so, and leaves the client alone" {
	dnsmasq_start
	attach_with_lost_hook
	before=$(client_of c0)
	cp "$BUILD/oci-macvlan" "$BATS_TEST_TMPDIR/elsewhere/"
	[ ! -e /usr/local/libexec/oci-macvlan ] || mount -t tmpfs none /usr/local/libexec/oci-macvlan
	run "$BATS_TEST_TMPDIR/elsewhere/oci-macvlan" --etc "$ETC" --run "$RUN" gc
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "container 'c0': 'eth0': the hook that its DHCP client called is gone: there is no"
	assert_eq "$before" "$(client_of c0)"
	client_lives c0
	cli gc
}

@test "a client that no record leads to: gc ends it, and --dry-run only says so" {
	local pid files said

	dnsmasq_start
	attach_lan c1
	attach_lan c0
	pid=$(client_of c0)
	rm "$RUN/containers/c0.json"
	files=$(ls -l "$RUN/dhcp")
	said=$(cli gc --dry-run)
	assert_eq 1 "$(grep -c "^container 'c0': would free its DHCP client's files: " <<<"$said")" "lines"
	assert_eq "$files" "$(ls -l "$RUN/dhcp")" "RUN/dhcp after --dry-run"
	client_lives c0
	said=$(cli gc)
	assert_contains "$said" "container 'c0': freed its DHCP client's files: no record leads to them"
	wait_until process_gone "$pid"
	assert_eq "" "$(find "$RUN/dhcp" -name 'c0:*')" "left in RUN/dhcp"
	wait_until dnsmasq_lease_gone "$MAC"
	refute grep -F "'c1'" <<<"$said"
	client_lives c1
}

@test "poststop never comes: the client's next event ends it, and frees all" {
	dnsmasq_start
	attach_lan c0
	sleeper_stop "$SLEEPER"
	client_renew c0
	wait_until no_clients
	wait_until record_gone c0
	assert_run_empty
	wait_until dnsmasq_lease_gone "$MAC"
}

@test "poststop never comes: gc ends the client, and frees all" {
	dnsmasq_start
	attach_lan c0
	sleeper_stop "$SLEEPER"
	cli gc
	no_clients
	assert_run_empty
	wait_until dnsmasq_lease_gone "$MAC"
}

# Starts the hook and waits until it waits for a lease. Its pid is in HOOK.
hook_waits() { # ID
	state_json creating "$1" "$SLEEPER" io.oci-macvlan.networks=lan >"$BATS_TEST_TMPDIR/state"
	"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state" >"$BATS_TEST_TMPDIR/hook" 2>&1 3>&- &
	HOOK=$!
	wait_until client_lives "$1"
}

hook_kill() {
	kill -KILL "$HOOK"
	wait "$HOOK" || true
}

@test "the hook is killed while it waits, the container dies: gc leaves nothing" {
	sleeper_start
	hook_waits c0
	hook_kill
	sleeper_stop "$SLEEPER"
	cli gc
	no_clients
	assert_run_empty
}

@test "the hook is killed while it waits: poststop leaves nothing" {
	sleeper_start
	hook_waits c0
	hook_kill
	release c0
	no_clients
	assert_run_empty
}

@test "the hook is killed while it waits: the next attach has one client and one lease" {
	sleeper_start
	hook_waits c0
	hook_kill
	dnsmasq_start
	attach c0 "$SLEEPER" lan
	look "$SLEEPER"
	assert_eq 1 "$(clients | wc -w)" "clients"
	assert_eq "${ADDRESS%/*}" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)"
	assert_eq 1 "$(grep -c . "$(dhcp_dir)/dnsmasq.leases")" "leases"
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
}

@test "poststop while the hook waits: neither waits for the other's end for long" {
	network_dhcp '{"timeout_ms": 3000}'
	sleeper_start
	hook_waits c0
	release c0
	wait "$HOOK" || true
	no_clients
	assert_run_empty
}
