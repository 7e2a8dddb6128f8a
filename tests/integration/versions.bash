# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Two versions of the programs in one RUN: NEW, that of this tree, and OLD, which is 0.1.0. For the
# files versions*.bats, after lib.bash, dhcp.bash, dhcp_clients.bash and plugins.bash.
#
# Later versions number links in another way, and keep more in RUN. So the tests look at what the
# kernel, the DHCP server and the plugin have, at records' and claims' being there, and at nothing
# else of ours.

# shellcheck disable=SC2034 # by its name: see by()
NEW=$BUILD

# Builds 0.1.0 where "make check" has not done so.
old_setup_file() {
	local said status=0

	said=$("$REPO/tests/old-version.sh" 2>"$BATS_FILE_TMPDIR/old.log") || status=$?
	case $status in
	0) export OLD=$said ;;
	3) export NO_OLD=$said ;;
	*)
		cat "$BATS_FILE_TMPDIR/old.log" >&2
		return 1
		;;
	esac
}

# Skips the test where 0.1.0 cannot be had.
old_setup() {
	[ -z "${NO_OLD-}" ] || skip "no version 0.1.0: $NO_OLD"
}

# Runs COMMAND, a function that calls our programs, with those of VERSION.
by() { # OLD|NEW COMMAND...
	BUILD=${!1} "${@:2}"
}

# As a package does it: the file of the path is another from now on. Afterwards BIN has both programs.
install_version() { # OLD|NEW
	local program

	BIN=$BATS_TEST_TMPDIR/bin
	mkdir -p "$BIN"
	for program in oci-macvlan-hook oci-macvlan; do
		cp "${!1}/$program" "$BIN/.$program.new"
		mv "$BIN/.$program.new" "$BIN/$program"
	done
}

# Starts a process in a namespace of its own, in SLEEPER, and another there that is no container's, in
# HOLDER: so the namespace lives on, and one can look whether the links have gone.
# shellcheck disable=SC2034 # the tests read it
held_sleeper_start() {
	local container

	sleeper_start
	container=$SLEEPER
	sleeper_join "$container"
	HOLDER=$SLEEPER
	SLEEPER=$container
}

# What a container has of the kernel: a line for each link, address and route.
network_state() { # PID
	in_netns "$1" ip -j addr | jq -c '.[] | [.ifindex, .ifname, .address, .flags, .mtu,
		(.addr_info | map([.local, .prefixlen, .scope]))]'
	in_netns "$1" ip -4 route
	in_netns "$1" ip -6 route
}

# Addresses of all interfaces, sorted, in one line.
all_addresses() { # PID
	in_netns "$1" ip -j addr | jq -r '[.[] | .ifname as $link | .addr_info[]
		| select(.scope == "global") | "\($link) \(.local)/\(.prefixlen)"] | sort | join(" ")'
}

# What the host has for host access.
host_state() {
	ip -j link | jq -r '.[].ifname | select(startswith("omv-h"))'
	ip -4 route show proto 77
	ip -6 route show proto 77
	ip neigh show nud permanent
}

# Both list every endpoint of an id as live, with an address that the kernel has.
assert_listed() { # ID PID NETWORK...
	local id=$1 pid=$2 network address
	shift 2

	assert_eq "$# live" "$(cli ps --format json | jq -r --arg id "$id" 'map(select(.container == $id))
		| "\(length) \(map(.state) | unique | join(" "))"')" "endpoints of $id"
	for network; do
		address=$(cli network inspect "$network" \
			| jq -r --arg id "$id" '.[0].Containers[$id].IPv4Address')
		assert_contains "$(all_addresses "$pid")" "$address"
	done
}

# Nothing of it is left: in its namespace, on the host, in RUN.
assert_ended() { # PID
	assert_eq "" "$(links "$1")" "links"
	assert_eq "" "$(host_state)" "left on the host"
	assert_run_empty
	[ ! -d "$RUN/dhcp" ] || assert_eq "" "$(ls "$RUN/dhcp")" "left in RUN/dhcp"
	assert_eq "" "$(clients)" "DHCP clients"
}

# 0.1.0 does not know the claims on names at DHCP servers, which came later. They, and nothing else,
# are left where it detaches; gc frees them, and so does whoever wants such a name.
sweep_names() {
	refute grep -vE '^pools/[^/]*/\.(client|hostname)-' <(run_listing)
	by NEW cli gc
}
