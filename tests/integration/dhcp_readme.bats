#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# README.md's section on DHCP, with dnsmasq: its commands word for word, and what they print.

load lib.bash
load dhcp.bash
load dhcp_clients.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	OUTPUT=$BATS_TEST_TMPDIR/output
}

teardown() {
	dhcp_teardown
}

# The commands of the section and what they print, without the rest of the text.
readme_example() {
	awk '/^## / { section = $0 == "## Addresses from the LAN'\''s DHCP server" } /^```/ { fenced = !fenced; next }
		section && fenced' "$REPO/README.md"
}

# As the user has them.
oci-macvlan() { # ARG...
	cli "$@"
}

runc() { # ARG...
	command runc --root "$RT_ROOT" "$@"
}

# All that a command line prints is in OUTPUT: a file and not a pipe, which a container would keep.
readme_run() { # COMMAND-LINE
	(cd "$BUNDLES" && eval "$1") </dev/null >"$OUTPUT" 2>&1 3>&- || fail "$1: $(cat "$OUTPUT")"
}

# What is different each time: MACs, pids, seconds, and how wide columns are.
readme_same() {
	sed -E 's/([0-9a-f]{2}:){5}[0-9a-f]{2}/MAC/g; s/ [0-9]+ +live/ PID live/; s/ 3(600|59[0-9])s$/ LEASE/; s/ +/ /g' "$@"
}

readme_shows() { # LINE
	readme_same "$OUTPUT" | grep -qxF -e "$(readme_same <<<"$1")" ||
		fail "expected '$1', got: $(cat "$OUTPUT")"
}

@test "README.md's example, word for word" {
	local line commands=0 shown=0

	dnsmasq_start --dhcp-sequential-ip --dhcp-host=id:web,10.0.0.50
	bundle_make container5 -a io.oci-macvlan.networks=lan
	bundle_make container6 -a io.oci-macvlan.networks=reserved -a io.oci-macvlan.name=web
	while IFS= read -r line <&4; do
		if [[ $line == '# '* ]]; then
			readme_run "${line#\# }"
			commands=$((commands + 1))
		else
			readme_shows "$line"
			shown=$((shown + 1))
		fi
	done 4< <(readme_example)
	assert_eq 8 "$commands" commands
	assert_eq 8 "$shown" "lines that they print"
	MAC=$(mac_of "$(rt state container6 | jq .pid)" eth0)
	assert_eq 10.0.0.50 "$(dnsmasq_lease "$MAC" | cut -d ' ' -f 1)" "at the server"
	test -e "$RUN/dhcp/container5:eth0.lease"
	rt_delete container5
	rt_delete container6
	wait_until dnsmasq_lease_gone "$MAC"
}

@test "what README.md says of a host without a server" {
	cli network create --ipam-driver dhcp --ipam-opt timeout_ms=1000 -o parent=eth0 lan
	sleeper_start
	refute attach c0 "$SLEEPER" lan
	cli network rm lan
	cli network create --ipam-driver dhcp --ipam-opt timeout_ms=1000 --ipam-opt required=false \
		-o parent=eth0 lan
	attach_lan c0
	assert_eq "" "$ADDRESS"
	assert_contains "$(cli ps)" none
	dnsmasq_start --dhcp-sequential-ip
	WAIT_SECONDS=20 wait_until ipv4_is "$SLEEPER" 10.0.0.100/24
	release c0
}
