#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# IPv4 addresses from the LAN's DHCP server: what a container has when it starts, what the server
# knows of it, and how it ends. Servers: dnsmasq, and ISC dhcpd.

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
	lan_add_parent eth1 11
	ip netns exec router sysctl -q net.ipv6.conf.all.forwarding=1
	wait_until router_settled
}

setup() {
	lab_setup
	network_dhcp
}

teardown() {
	[ ! -e /run/netns/squatter ] || lan_remove_machine squatter
	dhcp_teardown
}

# The bridge has its link-local address, from which dnsmasq advertises.
router_settled() {
	[ -z "$(ip -n router -6 addr show dev lan tentative)" ] &&
		[ -n "$(ip -n router -6 addr show dev lan scope link)" ]
}

isc_released() { # MAC
	[[ $(isc_lease "$1") == *" free" ]]
}

# Numbers below a key that has "lease" in its name, which may be the remaining seconds.
lease_numbers() { # JSON
	jq '[.. | objects | to_entries[] | select(.key | test("lease"; "i")) | .value | .. | numbers]' <<<"$1"
}

assert_remaining() { # JSON
	jq -e 'any(. > 3500 and . <= 3600)' <<<"$(lease_numbers "$1")" >/dev/null ||
		fail "no remaining time of a lease of 3600 s in: $1"
}

# --- the lease ---

@test "a lease before the container starts: address, router; the server knows MAC, id and name" {
	dnsmasq_start
	attach_lan c0 io.oci-macvlan.name=web1
	[[ $ADDRESS == 10.0.0.1??/24 ]] || fail "address '$ADDRESS'"
	assert_addresses "$SLEEPER" eth0 "$ADDRESS"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	can_ping "$SLEEPER" 10.0.0.1
	lan_ping router "${ADDRESS%/*}"
	assert_eq "${ADDRESS%/*} web1 01:$MAC" "$(dnsmasq_lease "$MAC")" "at the server"
	assert_eq c0/eth0 "$(claim_owner "${ADDRESS%/*}")"
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
}

@test "the same from ISC dhcpd" {
	isc_start 600
	attach_lan c0 io.oci-macvlan.name=web1
	assert_eq "${ADDRESS%/*} active" "$(isc_lease "$MAC")"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	can_ping "$SLEEPER" 10.0.0.1
	release c0
	wait_until isc_lease_is "$MAC" "${ADDRESS%/*} free"
}

@test "it does not take long" {
	dnsmasq_start
	sleeper_start
	start=$(date +%s%N)
	attach c0 "$SLEEPER" lan
	ms=$((($(date +%s%N) - start) / 1000000))
	echo "# $ms ms" >&3
	[ "$ms" -lt 3000 ] || fail "it took $ms ms"
}

@test "the same MAC and the same address after a restart" {
	dnsmasq_start
	attach_lan c0 io.oci-macvlan.name=web1
	before="$MAC $ADDRESS"
	release c0
	attach_lan c1 io.oci-macvlan.name=web1
	assert_eq "$before" "$MAC $ADDRESS"
	attach_lan c2 io.oci-macvlan.name=web2
	refute test "${before% *}" = "$MAC"
	refute test "${before#* }" = "$ADDRESS"
}

@test "reservations by MAC, computed or given" {
	dnsmasq_start
	attach_lan c0 io.oci-macvlan.name=web1
	release c0
	dhcp_stop dnsmasq
	dnsmasq_start --dhcp-host="$MAC,10.0.0.77" --dhcp-host=02:00:5e:00:00:01,10.0.0.78
	attach_lan c1 io.oci-macvlan.name=web1
	assert_eq 10.0.0.77/24 "$ADDRESS"
	attach_lan c2 io.oci-macvlan.mac=02:00:5e:00:00:01
	assert_eq "02:00:5e:00:00:01 10.0.0.78/24" "$MAC $ADDRESS"
}

@test "client_id and hostname of the network, with the container's name: reservation by client id" {
	network_dhcp '{"client_id": "id-{name}", "hostname": "{name}-box"}'
	dnsmasq_start --dhcp-host=id:id-web1,10.0.0.79
	attach_lan c0 io.oci-macvlan.name=web1
	assert_eq 10.0.0.79/24 "$ADDRESS"
	assert_eq "10.0.0.79 web1-box 00:69:64:2d:77:65:62:31" "$(dnsmasq_lease "$MAC")"
}

# Runs a container; the server has NAME as its host name (*: none).
assert_hostname() { # NAME ID [OPTION]...
	local name=$1
	shift

	container_run "$@" -a io.oci-macvlan.networks=lan
	look "$(container_pid "$1")"
	assert_eq "$name" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 2)" "host name with $*"
}

@test "the host name of config.json before the container's name, but not one made of its id" {
	dnsmasq_start
	assert_hostname box c0 -a io.oci-macvlan.name=web0 -j '.hostname = "box"'
	assert_hostname web1 abcdef1 -a io.oci-macvlan.name=web1 -j '.hostname = "abcdef"'
	assert_hostname web2 c2 -a io.oci-macvlan.name=web2
	assert_hostname 0123456789ab 0123456789abcdef -j '.hostname = "01234567"'
}

@test "a host name has what host names may have, and as much" {
	local long

	dnsmasq_start
	long=$(printf 'a%.0s' {1..100})
	assert_hostname "${long:0:63}" c0 -a io.oci-macvlan.name="$long"
	assert_hostname my-box c1 -j '.hostname = "_my_box-."'
	assert_hostname '*' c2 -j '.hostname = "_"'
}

@test "released at poststop: a word to the server, and the client is gone" {
	dnsmasq_start
	dhcp_capture
	attach_lan c0
	pid=$(client_of c0)
	wait_until client_lives c0
	release c0
	wait_until process_gone "$pid"
	wait_until dhcp_seen Release "$MAC" "Client-IP ${ADDRESS%/*}"
	wait_until dnsmasq_lease_gone "$MAC"
	assert_run_empty
}

@test "poststop while the server is down does not wait for it" {
	dnsmasq_start
	attach_lan c0
	dhcp_stop
	sleeper_stop "$SLEEPER"
	start=$SECONDS
	detach c0
	[ $((SECONDS - start)) -le 3 ] || fail "it took $((SECONDS - start)) s"
	no_clients
	assert_run_empty
}

# --- no server ---

@test "no server: the container does not start, after the limit, and nothing is left" {
	network_dhcp '{"timeout_ms": 1500}'
	sleeper_start
	start=$(date +%s%N)
	run attach c0 "$SLEEPER" lan
	ms=$((($(date +%s%N) - start) / 1000000))
	assert_eq 1 "$status"
	assert_contains "$output" "network 'lan'"
	assert_contains "$output" "DHCP"
	assert_eq 1 "${#lines[@]}" "lines"
	{ [ "$ms" -ge 1500 ] && [ "$ms" -lt 4500 ]; } || fail "it took $ms ms"
	no_clients
	assert_eq "" "$(links "$SLEEPER")"
	assert_run_empty
	network_dhcp '{"timeout_ms": 100}'
	ip link set eth0 down
	run attach c0 "$SLEEPER" lan
	ip link set eth0 up
	assert_contains "$output" "the parent is down"
}

@test "not required: the container starts without, and has the lease when the server comes" {
	network_dhcp '{"timeout_ms": 500, "required": false}'
	attach_lan c0
	assert_eq "" "$ADDRESS"
	has_link "$SLEEPER" eth0
	wait_until client_lives c0
	dnsmasq_start
	WAIT_SECONDS=20 wait_until default_is "$SLEEPER" "10.0.0.1 eth0"
	look "$SLEEPER"
	assert_eq "${ADDRESS%/*}" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)"
	wait_until test -L "$RUN/pools/eth0/${ADDRESS%/*}"
	assert_contains "$(cli ps)" "$ADDRESS"
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
}

# --- what a lease may say ---

@test "classless static routes (121) count and not the router (3)" {
	dnsmasq_start --dhcp-option=3,10.0.0.1 \
		--dhcp-option=121,192.168.5.0/24,10.0.0.253,0.0.0.0/0,10.0.0.254
	attach_lan c0
	assert_default "$SLEEPER" 4 "10.0.0.254 eth0"
	assert_eq "192.168.5.0/24 10.0.0.253 eth0" "$(route_to "$SLEEPER" 4 192.168.5.0/24)"
}

@test "121 without a default route: none, whatever 3 says" {
	dnsmasq_start --dhcp-option=3,10.0.0.1 --dhcp-option=121,192.168.5.0/24,10.0.0.253
	attach_lan c0
	assert_default "$SLEEPER" 4 ""
}

@test "no router: no default route" {
	dnsmasq_start --dhcp-option=3
	attach_lan c0
	assert_default "$SLEEPER" 4 ""
	can_ping "$SLEEPER" 10.0.0.1
}

@test "the MTU of the server, but not above the parent's" {
	dnsmasq_start --dhcp-option=option:mtu,1400
	attach_lan c0
	assert_eq 1400 "$(link_get "$SLEEPER" eth0 .mtu)"
	dhcp_stop
	isc_start 600 'option interface-mtu 9000'
	attach_lan c1
	assert_eq 1500 "$(link_get "$SLEEPER" eth0 .mtu)"
}

@test "resolvers, domain and search list are in the container's resolv.conf" {
	dnsmasq_start --dhcp-option=option:dns-server,10.0.0.7,10.0.0.8 --domain=lan.example
	bundle_make c0 -a io.oci-macvlan.networks=lan
	rt_run c0
	resolv=$(rt exec c0 cat /etc/resolv.conf)
	assert_eq "10.0.0.7 10.0.0.8" "$(awk '$1 == "nameserver" { print $2 }' <<<"$resolv" | paste -sd ' ')"
	assert_eq "search lan.example" "$(grep -E '^(search|domain)' <<<"$resolv" | sed s/domain/search/)"
	dhcp_stop
	dnsmasq_start --dhcp-option=option:dns-server,10.0.0.7 \
		--dhcp-option=option:domain-search,a.example,b.example
	container_run c1 -a io.oci-macvlan.networks=lan
	assert_contains "$(rt exec c1 cat /etc/resolv.conf)" "search a.example b.example"
}

# --- with others ---

@test "two networks with DHCP in one container" {
	network_write '{"name": "other", "parent": "eth1", "ipam": {"driver": "dhcp"}}'
	dnsmasq_start
	DHCP_NETNS=router-eth1 DHCP_PREFIX=10.11.0 isc_start 600
	sleeper_start
	attach c0 "$SLEEPER" lan@eth0,other@eth1
	look "$SLEEPER"
	mac1=$(mac_of "$SLEEPER" eth1)
	[[ "$ADDRESS $(ipv4_of "$SLEEPER" eth1)" == "10.0.0.1"??"/24 10.11.0.1"??/24 ]] ||
		fail "addresses $ADDRESS $(ipv4_of "$SLEEPER" eth1)"
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	wait_until client_lives c0 eth0
	wait_until client_lives c0 eth1
	release c0
	wait_until dnsmasq_lease_gone "$MAC"
	DHCP_NETNS=router-eth1 wait_until isc_released "$mac1"
}

word_is() { # ID ADDRESS/LEN
	[ "$(jq -r .address "$RUN/dhcp/$1:eth0.lease")" = "$2" ]
}

@test "what a server says while the attach waits for another network's is not lost" {
	local attaching

	network_write '{"name": "other", "parent": "eth1", "ipam": {"driver": "dhcp"}}'
	hostile_start
	sleeper_start
	attach c0 "$SLEEPER" lan@eth0,other@eth1 3>&- &
	attaching=$!
	wait_until ipv4_is "$SLEEPER" 10.0.0.66/24
	dhcp_stop hostile
	hostile_start --address 10.0.0.67 3:0a0000fe
	client_renew c0
	wait_until word_is c0 10.0.0.67/24
	DHCP_NETNS=router-eth1 DHCP_PREFIX=10.11.0 dnsmasq_start
	client_renew c0 eth1
	wait "$attaching"
	assert_eq 10.0.0.67/24 "$(ipv4_of "$SLEEPER")"
	assert_default "$SLEEPER" 4 "10.0.0.254 eth0"
	assert_eq 10.0.0.67 "$(claims)"
	[[ $(ipv4_of "$SLEEPER" eth1) == 10.11.0.1??/24 ]]
}

@test "with an IPv6 subnet, and with router advertisements" {
	network_dhcp '{}' '{"subnets": [{"subnet": "2001:db8:babe:cafe::/64", "gateway": "2001:db8:babe:cafe::1"}]}'
	dnsmasq_start
	attach_lan c0
	assert_contains "$(addresses "$SLEEPER" eth0)" "2001:db8:babe:cafe::"
	assert_default "$SLEEPER" 6 "2001:db8:babe:cafe::1 eth0"
	can_ping "$SLEEPER" 2001:db8:babe:cafe::1
	dhcp_stop
	network_dhcp '{}' '{"ipv6": "ra"}'
	dnsmasq_start --dhcp-range=10.0.0.100,10.0.0.199,255.255.255.0,1h --enable-ra \
		--dhcp-range=2001:db8:babe:cafe::,ra-only,64
	attach_lan c1
	[[ $ADDRESS == 10.0.0.1??/24 ]] || fail "address '$ADDRESS'"
	assert_contains "$(addresses "$SLEEPER" eth0)" "2001:db8:babe:cafe:"
	assert_contains "$(default_routes "$SLEEPER" 6)" "fe80::"
}

@test "an address that somebody has: the server hears of it, and gives another" {
	network_dhcp '{}' '{"conflict_detection_ms": 200}'
	lan_add_machine squatter 10.0.0.100/24
	dnsmasq_start --dhcp-sequential-ip --dhcp-range=10.0.0.100,10.0.0.101,255.255.255.0,1h
	dhcp_capture
	attach_lan c0
	assert_eq 10.0.0.101/24 "$ADDRESS"
	dhcp_seen Decline "$MAC" 'Requested-IP (50), length 4: 10.0.0.100'
}

@test "no DHCP client on this host: the error names the package, nothing is left" {
	dnsmasq_start
	sleeper_start
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=lan >"$BATS_TEST_TMPDIR/state"
	run without_dhcp_client "$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state"
	assert_eq 1 "$status"
	assert_contains "$output" "udhcpc"
	assert_contains "$output" "install"
	assert_eq "" "$(links "$SLEEPER")"
	assert_run_empty
}

@test "gc cannot start a client again that is not on this host any more: it says so" {
	dnsmasq_start
	attach_lan c0
	client_kill c0
	run without_dhcp_client "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" gc
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "container 'c0': 'eth0': cannot start the DHCP client: there is no DHCP client"
	assert_contains "$output" "package 'udhcpc'"
}

@test "check: no DHCP client on this host is broken, for a network that needs one" {
	network_dual
	found=$(cli check lan)
	assert_contains "$found" "ok       network 'lan': parent 'eth0', mode bridge, addresses by dhcp"
	run without_dhcp_client "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" check lan
	assert_eq 1 "$status"
	assert_contains "$output" "broken   network 'lan': there is no DHCP client on this host: install udhcpc"
	assert_contains "$output" "package 'udhcpc'"
	refute grep -q "^ok .*'lan'" <<<"$output"
	run without_dhcp_client "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" check macvlan0
	refute grep -q "DHCP client" <<<"$output"
}

@test "a pod has one client, which lives as long as the last member" {
	dnsmasq_start
	attach_lan c0
	pod=$SLEEPER
	sleeper_join "$pod"
	attach c1 "$SLEEPER" lan
	assert_eq 1 "$(clients | wc -w)" "clients"
	assert_eq "$ADDRESS" "$(ipv4_of "$SLEEPER")"
	release c0 "$pod"
	assert_eq 1 "$(clients | wc -w)" "clients"
	assert_eq "$ADDRESS" "$(ipv4_of "$SLEEPER")"
	assert_eq "${ADDRESS%/*}" "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)"
	release c1
	no_clients
	wait_until dnsmasq_lease_gone "$MAC"
}

resolv_is() { # ID TEXT
	[ "$(rt exec "$1" cat /etc/resolv.conf)" = "$2" ]
}

@test "a second member of a pod has the server's resolvers, too, and follows them" {
	local id

	dnsmasq_start --dhcp-option=option:dns-server,10.0.0.7 --domain=lan.example
	container_run c0 -a io.oci-macvlan.networks=lan
	container_run c1 -a io.oci-macvlan.networks=lan -j '(.linux.namespaces[]
		| select(.type == "network")).path = "/proc/'"$(container_pid c0)"'/ns/net"'
	for id in c0 c1; do
		assert_eq $'nameserver 10.0.0.7\nsearch lan.example' "$(rt exec "$id" cat /etc/resolv.conf)"
	done
	dhcp_stop dnsmasq
	dnsmasq_start --dhcp-option=option:dns-server,10.0.0.8 --domain=home.example
	client_renew c0
	for id in c0 c1; do
		wait_until resolv_is "$id" $'nameserver 10.0.0.8\nsearch home.example'
	done
}

@test "ps and inspect show the address, and for how long it is" {
	dnsmasq_start
	attach_lan c0
	assert_contains "$(cli ps)" "$ADDRESS"
	ps=$(cli ps --format json)
	assert_contains "$ps" "$ADDRESS"
	assert_remaining "$ps"
	inspect=$(cli network inspect lan)
	assert_eq "$ADDRESS" "$(jq -r '.[0].Containers.c0.IPv4Address' <<<"$inspect")"
	assert_remaining "$inspect"
}

@test "50 containers at once: 50 leases, 50 clients, below 200 kB each" {
	local i pid pids=() jobs=() pss=0

	network_dhcp '{"timeout_ms": 25000}'
	dnsmasq_start
	for i in {1..50}; do
		sleeper_start
		pids+=("$SLEEPER")
	done
	for i in {1..50}; do
		attach "c$i" "${pids[i - 1]}" lan 3>&- &
		jobs+=($!)
	done
	for i in "${jobs[@]}"; do
		wait "$i"
	done
	assert_eq 50 "$(for pid in "${pids[@]}"; do ipv4_of "$pid"; done | sort -u | grep -c .)" "addresses"
	assert_eq 50 "$(grep -c . "$(dhcp_dir)/dnsmasq.leases")" "leases"
	assert_eq 50 "$(clients | wc -w)" "clients"
	for pid in $(clients); do
		pss=$((pss + $(awk '$1 == "Pss:" { print $2 }' "/proc/$pid/smaps_rollup")))
	done
	echo "# $((pss / 50)) kB a client" >&3
	[ $((pss / 50)) -lt 200 ] || fail "$((pss / 50)) kB a client"
}
