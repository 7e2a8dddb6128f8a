# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What parents.bats and vlan.bats share.
# shellcheck disable=SC2154 # status, lines and output are bats's

MARK="made by oci-macvlan"

# Names of the host's interfaces that are ours, or marked as ours, in one line.
our_links() {
	ip -d -j link | jq -r --arg mark "$MARK" '[.[] | select((.ifname | startswith("omv-"))
		or (.ifalias // "" | startswith($mark))) | .ifname] | sort | join(" ")'
}

# With the networks go the parents that we made.
parents_teardown() {
	local names

	lab_teardown
	mapfile -t names < <(cli network ls --format json | jq -r '.[].name')
	cli network rm -f "${names[@]}" nothing >/dev/null
	assert_eq "" "$(our_links)" "interfaces that are left"
}

host_link() { # DEV FILTER
	ip -d -j link show dev "$1" | jq -r ".[0] | $2"
}

has_host_link() { # DEV
	ip link show dev "$1" >/dev/null 2>&1
}

# The parent that a network without one has.
isolated_parent() { # NETWORK
	cli network inspect "$1" | jq -r '.[0].Options.parent'
}

is_up() { # DEV
	[ "$(host_link "$1" '.flags | index("UP") != null')" = true ]
}

# Ours: marked, up, with no address and no IPv6, silent when asked for the host's others.
assert_ours() { # DEV
	assert_contains "$(host_link "$1" '.ifalias // ""')" "$MARK"
	is_up "$1" || fail "$1 is not up"
	assert_eq "" "$(ip -o addr show dev "$1")" "addresses of $1"
	assert_eq 1 "$(cat "/proc/sys/net/ipv6/conf/$1/disable_ipv6")" "disable_ipv6 of $1"
	assert_eq 1 "$(cat "/proc/sys/net/ipv4/conf/$1/arp_ignore")" "arp_ignore of $1"
}

# Starts a container and leaves its process in SLEEPER.
attach_to() { # ID NETWORKS [KEY=VALUE]...
	sleeper_start
	attach "$1" "$SLEEPER" "${@:2}"
}

# An attach that must fail, and leaves nothing; its one line is in $output.
refuse_attach_to() { # ID NETWORKS
	local before

	sleeper_start
	before=$(run_listing)
	run attach "$1" "$SLEEPER" "$2"
	assert_eq 1 "$status" "exit status"
	assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
	assert_eq "$before" "$(run_listing)" "state after the refusal"
	assert_eq "" "$(links "$SLEEPER")" "links after the refusal"
}

# A network create that must fail with all of these words in its one line, and write no file.
refuse_create() { # ARGUMENTS NAME WORD...
	local arguments=$1 name=$2 word
	shift 2

	# shellcheck disable=SC2086 # words
	run cli network create $arguments "$name"
	assert_eq 1 "$status" "exit status of network create $arguments $name"
	assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
	for word; do
		assert_contains "$output" "$word"
	done
	refute test -e "$ETC/networks/$name.json"
}

# Attaches as attach_to does; what the hook logs is in LOG, a file.
attach_logged() { # ID NETWORKS
	LOG=$BATS_TEST_TMPDIR/log
	sleeper_start
	state_json creating "$1" "$SLEEPER" "io.oci-macvlan.networks=$2" >"$BATS_TEST_TMPDIR/state"
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=sendto -s 1000 \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state" || return
	grep /dev/log "$BATS_TEST_TMPDIR/trace" >"$LOG" || true
}
