#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Addresses from CNI IPAM plugins: the real host-local and static. Those that do what they must not
# are in plugins_hostile.bats.

load lib.bash
load plugins.bash

setup_file() { lab_setup_file; }
setup() { lab_setup; }
teardown() { lab_teardown; }

@test "host-local gives addresses of both families, routes and gateways" {
	host_local_network '{"routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"},
		{"dst": "192.168.0.0/16", "gw": "10.0.0.254"}, {"dst": "172.16.0.0/12"}]}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24 2001:db8:babe:cafe::50/64
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	assert_default "$SLEEPER" 6 "2001:db8:babe:cafe::1 eth0"
	assert_eq "192.168.0.0/16 10.0.0.254 eth0" "$(route_to "$SLEEPER" 4 192.168.0.0/16)"
	assert_eq "172.16.0.0/12 10.0.0.1 eth0" "$(route_to "$SLEEPER" 4 172.16.0.0/12)"
	assert_eq 02:42:0a:00:00:32 "$(mac_of "$SLEEPER" eth0)"
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(leases)"
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(claims)"
	can_ping "$SLEEPER" 10.0.0.1
	assert_contains "$(cli ps)" "10.0.0.50/24,2001:db8:babe:cafe::50/64"
	release c0
	assert_eq "" "$(leases)"
}

@test "host-local invents a gateway, which is no default route" {
	plugin_network "$(host_local_ipam '{"routes": [], "ranges": [[{"subnet": "10.0.0.0/24",
		"rangeStart": "10.0.0.50"}]]}')"
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_eq 10.0.0.1 "$(jq -r '.endpoints[0].plugin.result.ips[0].gateway' "$RUN/containers/c0.json")"
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24
	assert_default "$SLEEPER" 4 ""
}

@test "the next container, and a restart, get the next address of host-local" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	release c0
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.51/24 2001:db8:babe:cafe::51/64
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.52/24 2001:db8:babe:cafe::52/64
}

@test "a runc container has its addresses and resolvers from host-local" {
	printf 'nameserver 127.0.0.53\nnameserver 10.0.0.1\nsearch lan\n' >"$BATS_TEST_TMPDIR/resolv"
	host_local_network '{"resolvConf": "'"$BATS_TEST_TMPDIR/resolv"'"}'
	container_run c0
	assert_addresses "$(container_pid c0)" eth0 10.0.0.50/24 2001:db8:babe:cafe::50/64
	run rt exec c0 cat /etc/resolv.conf
	assert_contains "$output" "nameserver 10.0.0.1"
	assert_contains "$output" "search lan"
	[[ $output != *127.0.0.53* ]]
	rt_delete c0
	assert_eq "" "$(leases)"
}

@test "a container asks for addresses: host-local" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.77
	assert_addresses "$SLEEPER" eth0 10.0.0.77/24 2001:db8:babe:cafe::50/64
	sleeper_start
	attach c1 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.78 io.oci-macvlan.ip6=2001:db8:babe:cafe::78
	assert_addresses "$SLEEPER" eth0 10.0.0.78/24 2001:db8:babe:cafe::78/64
	sleeper_start
	run attach c2 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.77
	[ "$status" -eq 1 ]
	assert_contains "$output" "IPAM plugin '/usr/lib/cni/host-local': ADD failed:"
	assert_contains "$output" 10.0.0.77
}

@test "static gives what its configuration says, or what a container asks for" {
	plugin_network '{"driver": "static", "config": {"addresses": [
		{"address": "10.0.0.60/24"}], "routes": [{"dst": "0.0.0.0/0", "gw": "10.0.0.1"}]}}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.60/24
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
	sleeper_start
	attach c1 "$SLEEPER" '[{"name": "macvlan0", "ips": ["10.0.0.61/24", "2001:db8:babe:cafe::61/64"]}]'
	assert_addresses "$SLEEPER" eth0 10.0.0.61/24 2001:db8:babe:cafe::61/64
	sleeper_start
	run attach c2 "$SLEEPER" macvlan0
	[ "$status" -eq 1 ]
	assert_contains "$output" "'10.0.0.60' is taken by container 'c0' (eth0)"
}

@test "with subnets in the file a container need not say a prefix length" {
	plugin_network '{"driver": "static"}' '{"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.0.1"}]}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.60
	assert_addresses "$SLEEPER" eth0 10.0.0.60/24
	assert_default "$SLEEPER" 4 "10.0.0.1 eth0"
}

@test "the host and the container reach each other with host_access" {
	host_local_network '{}' '{"host_access": true}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	ping -c 1 -W 2 10.0.0.50
	can_ping "$SLEEPER" 10.0.0.2
	release c0
	assert_eq "" "$(ip route show proto 77)"
	assert_eq "" "$(leases)"
}

@test "of a pod the first container asks the plugin, and the last gives back" {
	host_local_network
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" macvlan0
	sleeper_join "$owner"
	attach c1 "$SLEEPER" macvlan0
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(leases)"
	release c0 "$owner"
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(leases)"
	release c1
	assert_eq "" "$(leases)"
}

@test "one container is twice in the network" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0,macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24 2001:db8:babe:cafe::50/64
	assert_addresses "$SLEEPER" eth1 10.0.0.51/24 2001:db8:babe:cafe::51/64
	release c0
	assert_eq "" "$(leases)"
}

@test "an id that CNI does not allow is another to the plugin, and the same at the end" {
	host_local_network
	sleeper_start
	attach 'a+b:c' "$SLEEPER" macvlan0
	assert_contains "$(cat "$BATS_TEST_TMPDIR/$LEASES/macvlan0/10.0.0.50")" "omv-x-a_2bb_3ac"
	release 'a+b:c'
	assert_eq "" "$(leases)"
}

@test "what was given goes back when the network's file is gone, or says something else" {
	host_local_network
	# shellcheck disable=SC2016 # for eval
	for change in 'rm "$ETC/networks/macvlan0.json"' network_dual; do
		sleeper_start
		attach c0 "$SLEEPER" macvlan0
		eval "$change"
		release c0
		assert_eq "" "$(leases)"
		host_local_network
	done
}

@test "network rm -f gives back what living containers have" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	refute cli network rm macvlan0
	cli network rm -f macvlan0
	assert_eq "" "$(leases)"
	refute has_link "$SLEEPER" eth0
}

@test "a mistake in host-local's configuration: nothing stays, and once it is corrected it starts" {
	for mistake in '{"ranges": []}' '{"ranges": [[{"subnet": "10.0.0.0/33"}]]}' \
		'{"ranges": [[{"subnet": "10.0.0.0/24", "rangeStart": "10.1.0.1"}]]}'; do
		host_local_network "$mistake"
		refuse_attach "network 'macvlan0': IPAM plugin '/usr/lib/cni/host-local': ADD failed:"
		cli gc
		host_local_network
		attach c0 "$SLEEPER" macvlan0
		release c0
		assert_eq "" "$(leases)"
	done
}

@test "a hook that is killed when ADD has ended: gc gives back" {
	host_local_network
	sleeper_start
	attach_killed c0 "$SLEEPER" wait4 1
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(leases)"
	assert_eq null "$(jq '.endpoints[0].ifindex' "$RUN/containers/c0.json")"
	run cli gc
	[ "$status" -eq 0 ]
	assert_contains "$output" "its attach was killed half-way"
	assert_eq "" "$(leases)"
	assert_run_empty
}

@test "a container that dies without a poststop: gc gives back" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	cli gc
	assert_eq "" "$(leases)"
}

@test "a range full of what dead containers have has room" {
	plugin_network "$(host_local_ipam '{"ranges": [[{"subnet": "10.0.0.0/24",
		"rangeStart": "10.0.0.50", "rangeEnd": "10.0.0.51"}]], "routes": []}')"
	for id in c0 c1; do
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
		sleeper_stop "$SLEEPER"
	done
	assert_eq "10.0.0.50 10.0.0.51" "$(leases)"
	sleeper_start
	attach c2 "$SLEEPER" macvlan0
	assert_eq "c2.json" "$(ls "$RUN/containers")"
	sleeper_start
	attach c3 "$SLEEPER" macvlan0
	assert_eq "10.0.0.50 10.0.0.51" "$(leases)"
	sleeper_start
	run attach c4 "$SLEEPER" macvlan0
	[ "$status" -eq 1 ]
	assert_contains "$output" "no IP addresses available in range set: 10.0.0.50-10.0.0.51"
}

@test "a plugin that is not installed: the attach says where it was looked for" {
	plugin_network '{"driver": "whereabouts"}'
	refuse_attach "network 'macvlan0': IPAM plugin 'whereabouts' is in none of the folders" \
		/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni: containernetworking-plugins ipam.path
	run cli check
	[ "$status" -eq 1 ]
	assert_contains "$output" "broken   network 'macvlan0': IPAM plugin 'whereabouts' is in none"
}

@test "a folder, or a file that is no program, is not a plugin" {
	mkdir -p "$BATS_TEST_TMPDIR"/{one,two,three}
	mkdir "$BATS_TEST_TMPDIR/one/host-local"
	: >"$BATS_TEST_TMPDIR/two/host-local"
	plugin_network "$(host_local_ipam | jq --arg dir "$BATS_TEST_TMPDIR" \
		'.path = [$dir + "/one", $dir + "/two", $dir + "/three"]')"
	refuse_attach "is in none of the folders"
	cp /usr/lib/cni/host-local "$BATS_TEST_TMPDIR/three"
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24 2001:db8:babe:cafe::50/64
}

@test "a plugin that was uninstalled gets its addresses back when it is there again" {
	own_host_local
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	mv "$OWN/host-local" "$OWN/away"
	sleeper_stop "$SLEEPER"
	run detach c0
	[ "$status" -eq 1 ]
	assert_contains "$output" "interface 'eth0': IPAM plugin '$OWN/host-local' is gone: install it again"
	run cli gc
	[ "$status" -eq 1 ]
	assert_contains "$output" "container 'c0': interface 'eth0': IPAM plugin '$OWN/host-local' is gone"
	assert_contains "$output" "network rm -f macvlan0"
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(claims)"
	mv "$OWN/away" "$OWN/host-local"
	cli gc
	assert_eq "" "$(leases)"
	assert_run_empty
}

@test "a plugin that was uninstalled keeps neither network rm -f nor a new start" {
	own_host_local
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	rm "$OWN/host-local"
	sleeper_stop "$SLEEPER"
	network_dual
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_eq 2 "$(claims | wc -w)"
	release c0
	assert_run_empty
	own_host_local
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	rm "$OWN/host-local"
	run cli network rm macvlan0
	[ "$status" -eq 1 ]
	cli network rm -f macvlan0
	refute has_link "$SLEEPER" eth0
	assert_run_empty
}

@test "a plugin that was uninstalled keeps nobody from joining a pod" {
	own_host_local
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" macvlan0
	mv "$OWN/host-local" "$OWN/away"
	sleeper_join "$owner"
	member=$SLEEPER
	attach c1 "$member" macvlan0
	# Its own endpoint would be the plugin's.
	sleeper_join "$owner"
	run attach c2 "$SLEEPER" macvlan0,macvlan0
	[ "$status" -eq 1 ]
	assert_contains "$output" "network 'macvlan0': IPAM plugin 'host-local' is in none of the folders $OWN"
	mv "$OWN/away" "$OWN/host-local"
	release c1 "$member"
	release c0 "$owner"
	assert_eq "" "$(leases)"
}

@test "check asks plugins whether they know what they have given" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	run cli check
	[ "$status" -eq 0 ]
	[[ $output != *host-local\':* ]]
	assert_contains "$output" "addresses by host-local"
	rm "$BATS_TEST_TMPDIR/$LEASES"/macvlan0/{10,2001}*
	run cli check
	assert_contains "$output" "warning  container 'c0' (c0), interface 'eth0': IPAM plugin '/usr/lib/cni/host-local': CHECK failed:"
	assert_contains "$output" "restart the container"
}

@test "check gives static what it has answered" {
	plugin_network '{"driver": "static", "config": {"addresses": [
		{"address": "10.0.0.60/24", "gateway": "10.0.0.1"}]}}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	run cli check
	[ "$status" -eq 0 ]
	[[ $output != *CHECK* ]]
}

@test "network create makes such a network, ls and inspect show it" {
	cli network create -o parent=eth0 -o conflict_detection_ms=0 --ipam-driver host-local \
		--ipam-opt subnet=10.0.0.0/24 --ipam-opt rangeStart=10.0.0.70 \
		--ipam-opt dataDir="$BATS_TEST_TMPDIR/$LEASES" macvlan0
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.70/24
	assert_eq "macvlan0 macvlan eth0 bridge - by host-local" \
		"$(cli network ls | awk 'NR == 2 { print $2, $3, $4, $5, $6, $7, $8 }')"
	assert_eq "host-local 10.0.0.70" "$(cli network inspect macvlan0 \
		| jq -r '.[0].IPAM | "\(.Driver) \(.Options.rangeStart)"')"
}

# The section of README.md on plugins.
readme_section() {
	sed -n '/^## Addresses from a CNI IPAM plugin/,/^## /p' "$REPO/README.md"
}

# Ids and times differ.
without_ids() {
	sed 's/^[0-9a-f]\{12\} /ID /; s/  */ /g; s/ *$//'
}

@test "README.md: the network and the commands of its section" {
	# As they are there, with our folders.
	oci-macvlan() { cli "$@"; }
	runc() { command runc --root "$RT_ROOT" "$@" </dev/null 3>&-; }
	readme_section | sed -n 's/^    //p' | jq '{conflict_detection_ms: 0} + .' >"$ETC/networks/leased.json"
	bundle_make container5 -n leased
	# shellcheck disable=SC2016 # the backquotes are Markdown's
	readme_section | sed -n '/^```text/,/^```$/p' | grep -v '^```' >"$BATS_TEST_TMPDIR/expected"
	[ "$(grep -c '^# ' "$BATS_TEST_TMPDIR/expected")" -ge 6 ]
	cd "$BUNDLES" || return 1
	mapfile -t lines < <(grep '^# ' "$BATS_TEST_TMPDIR/expected")
	for line in "${lines[@]}"; do
		echo "$line" >>"$BATS_TEST_TMPDIR/got"
		eval "${line#\# }" >>"$BATS_TEST_TMPDIR/got" 2>&1
	done
	assert_eq "$(without_ids <"$BATS_TEST_TMPDIR/expected")" "$(without_ids <"$BATS_TEST_TMPDIR/got")"
}
