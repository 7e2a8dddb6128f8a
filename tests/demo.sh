#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/demo.sh BUILD
#
# The walkthrough: a LAN with a host and a router, two real runc containers on it. Prints each
# command and its output as a user sees it, and fails when a step does not show what it should.
# Runs on a machine of its own (tests/isolate.sh), with an /etc/oci-macvlan of its own, so that it
# leaves the real one as it was.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
build=$(realpath "${1:?usage: $0 BUILD}")
here=$(realpath "$(dirname "$0")")
etc=/etc/oci-macvlan

if [ "${OCI_MACVLAN_ISOLATED-}" != 1 ]; then
	# A mount point for the demo's own /etc/oci-macvlan, for as long as the demo runs.
	if [ "$(id -u)" -eq 0 ] && mkdir "$etc" 2>/dev/null; then
		trap 'rmdir "$etc"' EXIT
	fi
	"$here/isolate.sh" -t 120 "$here/demo.sh" "$build"
	exit
fi

# shellcheck source=tests/integration/lib.bash
. "$here/integration/lib.bash"

# --- saying and checking ---

explain() { # TEXT
	printf '\n\033[1m%s\033[0m\n' "$1" | if [ -t 1 ]; then cat; else sed 's/\x1b\[[01]*m//g'; fi
}

# Prints and runs a command line; its output is also in $output.
show() { # COMMAND-LINE
	printf '# %s\n' "$1"
	show_fails_or_not "$1" || broken "it failed"
}

# The same for a command that must fail.
show_failing() { # COMMAND-LINE
	printf '# %s\n' "$1"
	! show_fails_or_not "$1" || broken "it should have failed"
}

show_fails_or_not() {
	local status=0

	# A file and not a pipe: a container keeps what runc run has as its output.
	eval "$1" </dev/null >"$TMPDIR/output" 2>&1 || status=$?
	output=$(cat "$TMPDIR/output")
	[ -z "$output" ] || printf '%s\n' "$output"
	return "$status"
}

broken() { # TEXT
	printf '\ndemo: the last command did not show what it should: %s\n' "$1" >&2
	exit 1
}

expect() { # TEXT...
	local text

	for text in "$@"; do
		[[ $output == *"$text"* ]] || broken "expected '$text'"
	done
}

expect_not() { # TEXT
	[[ $output != *"$1"* ]] || broken "did not expect '$1'"
}

# What inspect says about the network, as JSON.
expect_json() { # FILTER
	jq -e "$1" <<<"$output" >/dev/null || broken "expected $1"
}

# The kernel's own view, whatever the commands above printed.
expect_kernel() { # CONTAINER CIDR4 CIDR6
	local pid

	pid=$(runc state "$1" | jq .pid)
	assert_addresses "$pid" eth0 "$2" "$3" || broken "wrong addresses in the kernel"
	assert_default "$pid" 4 "10.0.0.1 eth0" || broken "wrong route in the kernel"
	assert_default "$pid" 6 "2001:db8:babe:cafe::1 eth0" || broken "wrong route in the kernel"
}

# --- the stage ---

mountpoint_made() {
	[ -d "$etc" ] || broken "no $etc to mount the demo's own on"
	mount -t tmpfs -o mode=755 tmpfs "$etc"
}

# A bundle as runc spec makes one, with our hooks and these annotations in its config.json.
demo_bundle() { # NAME ANNOTATIONS
	mkdir "$1"
	ln -s ../rootfs "$1/rootfs"
	jq --arg hook "$build/oci-macvlan-hook" --arg rootfs "$PWD/rootfs" --argjson annotations "$2" \
		--arg cgroup "/$OCI_MACVLAN_CGROUP/$1" '.hooks[][].path = $hook
		| .annotations = $annotations | .root.path = $rootfs | .linux.cgroupsPath = $cgroup' \
		"$REPO/examples/runc.json" >"$1/config.json"
}

mountpoint_made
PATH=$build:$PATH
mkdir "$TMPDIR/demo"
cd "$TMPDIR/demo"
rootfs_make rootfs
lan_up
demo_bundle container0 '{"io.oci-macvlan.networks": "macvlan0"}'
demo_bundle container1 '{"io.oci-macvlan.networks": "macvlan0",
	"io.oci-macvlan.ip": "10.0.0.4", "io.oci-macvlan.ip6": "2001:db8:babe:cafe::4"}'
demo_bundle container2 '{"io.oci-macvlan.networks": "macvlan0", "io.oci-macvlan.ip": "10.0.0.5"}'
demo_bundle container3 '{"io.oci-macvlan.networks": "macvlan0"}'
demo_bundle container4 '{"io.oci-macvlan.networks": "open", "io.oci-macvlan.ip": "10.0.0.7"}'

explain "A host with eth0 on a LAN, and the LAN's router."
show "ip -brief address show dev eth0"
expect "10.0.0.2/24" "2001:db8:babe:cafe::2/64"
show "ip -n router -brief address show dev lan"
expect "10.0.0.1/24" "2001:db8:babe:cafe::1/64"

explain "A dual-stack network on eth0, in the words of docker network create."
show "oci-macvlan network create -d macvlan \\
    --subnet=10.0.0.0/24 --gateway=10.0.0.1 \\
    --subnet=2001:db8:babe:cafe::/64 --gateway=2001:db8:babe:cafe::1 \\
    -o parent=eth0 --ipv6 macvlan0"
[ "$output" = macvlan0 ] || broken "expected its name"
show "oci-macvlan network ls"
expect macvlan0 eth0 bridge 10.0.0.0/24 2001:db8:babe:cafe::/64
show "oci-macvlan network inspect macvlan0"
expect_json '.[0] | .Name == "macvlan0" and .Driver == "macvlan" and .EnableIPv6
	and .Options.parent == "eth0" and .Containers == {}
	and .IPAM.Config == [{Subnet: "10.0.0.0/24", Gateway: "10.0.0.1"},
		{Subnet: "2001:db8:babe:cafe::/64", Gateway: "2001:db8:babe:cafe::1"}]'

explain "A bundle whose config.json has two hooks and an annotation is on the network."
show "jq '{annotations, hooks}' container0/config.json"
expect oci-macvlan-hook createRuntime poststop io.oci-macvlan.networks
show "runc run --detach --bundle container0 container0"
expect_kernel container0 10.0.0.3/24 2001:db8:babe:cafe::3/64
show "runc exec container0 ip address show dev eth0"
expect "inet 10.0.0.3/24" "inet6 2001:db8:babe:cafe::3/64"
show "runc exec container0 ip route"
expect "default via 10.0.0.1 dev eth0"
show "runc exec container0 ip -6 route"
expect "default via 2001:db8:babe:cafe::1 dev eth0"
show "oci-macvlan network inspect macvlan0"
expect_json '.[0].Containers.container0 | .Name == "container0"
	and .MacAddress == "02:42:0a:00:00:03" and .IPv4Address == "10.0.0.3/24"
	and .IPv6Address == "2001:db8:babe:cafe::3/64"'

explain "Another one, with addresses of our choice."
show "jq .annotations container1/config.json"
expect 10.0.0.4 2001:db8:babe:cafe::4
show "runc run --detach --bundle container1 container1"
expect_kernel container1 10.0.0.4/24 2001:db8:babe:cafe::4/64
show "oci-macvlan ps"
expect container0 10.0.0.3 container1 10.0.0.4 live

explain "The gateway answers, and so does the other container."
show "runc exec container0 ping -c 1 -W 2 10.0.0.1"
expect "1 packets received"
show "runc exec container0 ping -c 1 -W 2 2001:db8:babe:cafe::1"
expect "1 packets received"
show "runc exec container1 ping -c 1 -W 2 10.0.0.3"
expect "1 packets received"
show "runc exec container1 ping -c 1 -W 2 2001:db8:babe:cafe::3"
expect "1 packets received"

explain "The host's own address does not: macvlan keeps a host and its containers apart."
show_failing "runc exec container0 ping -c 1 -W 1 10.0.0.2"
expect "0 packets received"

explain "The router knows both, by MAC addresses of their own."
show "ip netns exec router ping -c 1 -W 2 10.0.0.4"
show "ip netns exec router ping -c 1 -W 2 2001:db8:babe:cafe::4"
show "ip -n router neighbour show dev lan"
for address in 10.0.0.3 2001:db8:babe:cafe::3; do
	[ "$(lan_neighbour router "$address")" = 02:42:0a:00:00:03 ] || broken "MAC of $address"
done
for address in 10.0.0.4 2001:db8:babe:cafe::4; do
	[ "$(lan_neighbour router "$address")" = 02:42:0a:00:00:04 ] || broken "MAC of $address"
done

explain "A printer on the LAN has the address 10.0.0.5. Nobody who asks for it gets it."
lan_add_machine printer 10.0.0.5/24
show "jq .annotations container2/config.json"
show_failing "runc run --detach --bundle container2 container2"
printer=$(ip -n printer -j link show dev eth0 | jq -r '.[0].address')
expect "address '10.0.0.5' is in use on the LAN by MAC '$printer'"

explain "Nor does who asks for none: the next one is 10.0.0.6."
show "runc run --detach --bundle container3 container3"
show "oci-macvlan ps"
expect "10.0.0.6/24"
pid=$(runc state container3 | jq .pid)
assert_addresses "$pid" eth0 10.0.0.6/24 2001:db8:babe:cafe::6/64 || broken "wrong addresses in the kernel"
show "oci-macvlan check macvlan0"
expect "address 10.0.0.5 is in use on the LAN by MAC $printer"
show "runc delete --force container3"
lan_remove_machine printer

explain "Each address is a symbolic link to its owner."
show "ls -l /run/oci-macvlan/pools/eth0"
expect "10.0.0.3 -> container0/eth0" "10.0.0.4 -> container1/eth0" \
	"2001:db8:babe:cafe::3 -> container0/eth0" "2001:db8:babe:cafe::4 -> container1/eth0"

explain "Both stop: the addresses are free again, the network is empty and can go."
show "runc delete --force container0"
show "runc delete --force container1"
show "ls -l /run/oci-macvlan/pools/eth0"
expect_not "container"
show "oci-macvlan ps"
expect_not container
show "oci-macvlan network inspect macvlan0"
expect_json '.[0].Containers == {}'
show "oci-macvlan network rm macvlan0"
expect macvlan0
show "oci-macvlan network ls"
expect_not macvlan0

explain "The host reaches the containers of a network with host_access, and they the host."
show "oci-macvlan network create --subnet=10.0.0.0/24 --gateway=10.0.0.1 -o parent=eth0 -o host_access=true open"
show "runc run --detach --bundle container4 container4"
show "ping -c 1 -W 2 10.0.0.7"
expect "1 received"
show "runc exec container4 ping -c 1 -W 2 10.0.0.2"
expect "1 packets received"
show "ip route show proto 77"
expect "10.0.0.7 dev omv-h" "src 10.0.0.2"

explain "Its own macvlan and routes go with the last of them."
show "runc delete --force container4"
show "ip route show proto 77"
expect_not 10.0.0.7
show "ip -brief link"
expect_not omv-
show "oci-macvlan network rm open"

explain "All steps showed what they should."
