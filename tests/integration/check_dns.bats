#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# oci-macvlan check, about resolvers. /etc/resolv.conf is a file of the test's own.

load lib.bash

setup_file() {
	lab_setup_file
	touch /run/resolv.conf
	mount --bind /run/resolv.conf /etc/resolv.conf
}

setup() {
	lab_setup
	network '{}'
}

teardown() {
	rm -rf /run/systemd /run/NetworkManager
	lab_teardown
}

network() { # JSON
	network_dual "$(jq -cn --argjson a '{"conflict_detection_ms": 200, "dns": {"mode": "host"}}' \
		--argjson b "$1" '$a + $b')"
}

# dns.mode static with these servers.
static() { # SERVER...
	network "$(jq -cn '{dns: {mode: "static", servers: $ARGS.positional}}' --args "$@")"
}

resolv() { # LINE...
	printf '%s\n' "$@" >/run/resolv.conf
}

# Lines of check about resolvers.
found() {
	cli check macvlan0 | grep resolver || true
}

finds() { # WORD TEXT...
	local lines text

	lines=$(found)
	assert_eq 1 "$(grep -c . <<<"$lines")" "lines of '$lines'"
	assert_eq "$1" "${lines%% *}" "word of '$lines'"
	for text in "${@:2}"; do
		assert_contains "$lines" "$text"
	done
}

finds_nothing() {
	assert_eq "" "$(found)"
}

@test "host: resolvers that a container can reach" {
	resolv '# nameserver 10.0.0.2' 'search example' 'nameserver 10.0.0.1' \
		$'nameserver\t2001:db8:babe:cafe::1 # the router' 'nameserver 192.0.2.53' 'nameserverx 10.0.0.2'
	finds_nothing
	network '{"dns": {"mode": "none"}}'
	resolv 'nameserver 10.0.0.2'
	finds_nothing
}

@test "host: a loopback stub, and whom it asks" {
	for stub in 127.0.0.53 ::1 127.0.0.1; do
		resolv "nameserver $stub"
		finds warning "/etc/resolv.conf" "dns.mode to static"
	done
	resolv ''
	finds warning "/etc/resolv.conf"
	resolv 'nameserver 127.0.0.53'
	mkdir -p /run/systemd/resolve /run/NetworkManager
	echo 'nameserver 10.0.0.1' >/run/NetworkManager/no-stub-resolv.conf
	finds_nothing
	# systemd's goes first.
	echo 'nameserver 10.0.0.2' >/run/systemd/resolve/resolv.conf
	finds warning "resolver 10.0.0.2 is this host"
	# One beside a stub counts, and then nobody asks whom the stub asks.
	resolv 'nameserver 127.0.0.53' 'nameserver 10.0.0.1'
	finds_nothing
}

@test "host: a resolver that is the host itself" {
	resolv 'nameserver 10.0.0.2' 'nameserver 10.0.0.1'
	finds warning "network 'macvlan0': resolver 10.0.0.2 is this host" host_access "dns.servers"
	resolv 'nameserver 2001:db8:babe:cafe::2'
	finds warning "resolver 2001:db8:babe:cafe::2 is this host"
}

@test "DHCP: the server names them, and the host's are there for when it does not" {
	network_write '{"name": "macvlan0", "parent": "eth0", "ipam": {"driver": "dhcp"}}'
	for server in 10.0.0.1 10.0.0.2 192.0.2.53; do
		resolv "nameserver $server"
		finds_nothing
	done
	resolv 'nameserver 127.0.0.53'
	finds note "network 'macvlan0'" "only when whoever gives the addresses names one" /etc/resolv.conf
	network '{"subnets": [], "ipam": {"driver": "dhcp"}, "dns": {"mode": "host"}}'
	finds warning "/etc/resolv.conf"
	resolv 'nameserver 10.0.0.2'
	finds warning "resolver 10.0.0.2 is this host"
	network '{"subnets": [], "ipam": {"driver": "dhcp"}, "dns": {"mode": "none"}}'
	finds_nothing
}

@test "a resolver to which the network has no route" {
	resolv 'nameserver 192.0.2.53'
	network '{"internal": true}'
	finds note "resolver 192.0.2.53 lies outside"
	network '{"internal": true, "routes": [{"dst": "192.0.2.0/24", "gateway": "10.0.0.1"}]}'
	finds_nothing
	network '{"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1"}]}'
	finds_nothing
	resolv 'nameserver 2001:db8::53'
	finds note "resolver 2001:db8::53 lies outside"
	resolv 'nameserver 10.0.0.9'
	network '{"internal": true}'
	finds_nothing
}

@test "static: each server" {
	resolv 'nameserver 127.0.0.1'
	static 10.0.0.1 192.0.2.53
	finds_nothing
	static 127.0.0.1 10.0.0.1
	finds warning "resolver 127.0.0.1 is a loopback address"
	static 10.0.0.1 10.0.0.2
	finds warning "resolver 10.0.0.2 is this host"
}

@test "a resolv.conf that is none" {
	head -c 60000 /dev/urandom >/run/resolv.conf
	finds warning "/etc/resolv.conf"
	head -c 200000 /dev/zero >/run/resolv.conf
	finds warning "/etc/resolv.conf"
	{
		head -c 30000 /dev/zero | tr '\0' '\n'
		echo 'nameserver 10.0.0.1'
	} >/run/resolv.conf
	finds_nothing
}
