#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Two hosts on one LAN, "a" and "b", each with a range of its own: README.md's example as it is
# there, and what happens when somebody gets it wrong. A host is a network namespace with an eth0
# on the router's switch, and has an /etc, a /run/oci-macvlan and a /run/runc of its own.

load lib.bash

setup_file() {
	lab_setup_file
}

setup() {
	SLEEPERS=$BATS_TEST_TMPDIR/sleepers
	: >"$SLEEPERS"
	HOSTS=()
	host_start a 10.0.0.2/24 2001:db8:babe:cafe::2/64
	host_start b 10.0.0.3/24 2001:db8:babe:cafe::3/64
}

teardown() {
	local host status=0

	for host in "${HOSTS[@]}"; do
		at "$host" rt_cleanup
	done
	sleepers_stop
	for host in "${HOSTS[@]}"; do
		at "$host" cli gc >/dev/null || status=1
		at "$host" assert_run_empty || status=1
		host_stop "$host"
	done
	return "$status"
}

# --- hosts ---

declare -gA HOST_PID

# What a host's first process does before it sleeps: the mounts.
# shellcheck disable=SC2016 # its own variables
HOST_INIT='set -e
	mkdir -p /run/oci-macvlan /run/runc
	mount --bind "$1/etc" /etc
	mount --bind "$1/run" /run/oci-macvlan
	mount --bind "$1/runc" /run/runc
	mount --rbind /sys/fs/cgroup "$1/cgroup"
	mount -t sysfs sysfs /sys
	mount --move "$1/cgroup" /sys/fs/cgroup
	exec sleep 1000'

# A host NAME; its files are in the test's folder, below NAME.
host_start() { # NAME CIDR...
	local folder=$BATS_TEST_TMPDIR/$1

	lan_add_machine "$@"
	mkdir -p "$folder"/{bundles,cgroup,etc/oci-macvlan/networks,run,runc}
	echo "nameserver 10.0.0.1" >"$folder/etc/resolv.conf"
	tr -d - </proc/sys/kernel/random/uuid >"$folder/etc/machine-id"
	nsenter --net="/run/netns/$1" unshare --mount --propagation private \
		bash -c "$HOST_INIT" host "$folder" </dev/null >"$folder/init" 2>&1 3>&- &
	HOST_PID[$1]=$!
	HOSTS+=("$1")
	disown "$!"
	wait_until process_is "$!" sleep || fail "$(cat "$folder/init")"
	# A host of an earlier test had another MAC.
	ip -n router neigh flush dev lan
	wait_until lan_ping router "${2%/*}"
}

host_stop() { # HOST
	kill -KILL "${HOST_PID[$1]}"
	wait_until process_gone "${HOST_PID[$1]}"
	lan_remove_machine "$1"
}

# Runs a program on HOST.
on() { # HOST COMMAND...
	nsenter -t "${HOST_PID[$1]}" -n -m env -C "$PWD" PATH="$BUILD:$PATH" "${@:2}"
}

# Calls a function of lib.bash with HOST as its host.
at() { # HOST FUNCTION [ARG...]
	local folder=$BATS_TEST_TMPDIR/$1
	# shellcheck disable=SC2034 # lib.bash reads them
	local HOST=$1 ETC=$folder/etc/oci-macvlan RUN=$folder/run BUNDLES=$folder/bundles HOOK_ARGS=()
	shift

	"$@"
}

# What lib.bash runs on the machine itself.
cli() { # ARG...
	on "$HOST" oci-macvlan "$@"
}

hook() { # STAGE
	on "$HOST" oci-macvlan-hook "$1"
}

rt() { # ARG...
	on "$HOST" runc "$@"
}

# Writes macvlan0 on HOST with these subnets; conflicts are detected, in DETECTION_MS.
network_of() { # HOST SUBNET...
	local host=$1
	shift

	at "$host" network_write "$(jq -n --argjson ms "${DETECTION_MS:-200}" '{name: "macvlan0",
		parent: "eth0", conflict_detection_ms: $ms, subnets: $ARGS.positional}' --jsonargs "$@")"
}

SUBNET6='{"subnet": "2001:db8:babe:cafe::/64", "gateway": "2001:db8:babe:cafe::1"}'

range4() { # RANGE
	jq -n '{subnet: "10.0.0.0/24", gateway: "10.0.0.1", ip_range: $ARGS.positional[0]}' --args "$1"
}

range6() { # RANGE
	jq '.ip_range = $ARGS.positional[0]' --args "$1" <<<"$SUBNET6"
}

# --- many containers ---

# Attaches N new namespaces on each host, all at the same time; PIDS has them, those of "a" first.
attach_many() { # N
	local host i jobs=()

	PIDS=()
	for ((i = 0; i < 2 * $1; i++)); do
		sleeper_start
		PIDS+=("$SLEEPER")
	done
	for ((i = 0; i < 2 * $1; i++)); do
		host=$([ "$i" -lt "$1" ] && echo a || echo b)
		at "$host" attach "$host$i" "${PIDS[i]}" macvlan0 2>>"$BATS_TEST_TMPDIR/err" 3>&- &
		jobs+=("$!")
	done
	for i in "${jobs[@]}"; do
		wait "$i" || fail "$(cat "$BATS_TEST_TMPDIR/err")" || return
	done
}

# The addresses of containers, one a line, without the prefixes' lengths.
addresses_of() { # PID...
	local pid

	for pid in "$@"; do
		addresses "$pid" eth0
	done | tr ' ' '\n' | sed 's:/.*::' | sort
}

# Every container reaches every address.
assert_mesh() { # PID...
	local pid all

	mapfile -t all < <(addresses_of "$@")
	for pid in "$@"; do
		# shellcheck disable=SC2016 # its own variables
		in_netns "$pid" sh -c 'for to; do ping -c 1 -W 2 "$to" >/dev/null || echo "$$: not $to"; done' \
			sh "${all[@]}" 3>&- &
	done >"$BATS_TEST_TMPDIR/lost"
	wait
	assert_eq "" "$(cat "$BATS_TEST_TMPDIR/lost")" "not reached"
}

# The router asks the LAN for each address anew, and one machine answers. Two containers with one
# IPv4 address would have one MAC, too: so answers are counted, and not MACs.
assert_one_answer_each() { # ADDRESS...
	local address wire=$BATS_TEST_TMPDIR/wire tcpdump

	# Not promiscuous: what containers ask each other is none of the router's.
	ip netns exec router tcpdump -i lan -p -nl --immediate-mode \
		'arp or icmp6[0] = 135 or icmp6[0] = 136' >"$wire" 2>"$wire.err" </dev/null 3>&- &
	tcpdump=$!
	wait_until grep -q 'listening on' "$wire.err"
	ip -n router neigh flush dev lan
	for address in "$@" 10.0.0.3; do
		lan_ping router "$address"
	done
	wait_until grep -q 'Reply 10.0.0.3 is-at' "$wire"
	kill "$tcpdump"
	wait "$tcpdump" || true
	for address in "$@"; do
		[ "$(questions "$address" "$wire")" -gt 0 ] || fail "nobody asked for $address"
		assert_eq "$(questions "$address" "$wire")" "$(answers "$address" "$wire")" "answers of $address"
	done
}

# On a busy machine the router may ask twice.
questions() { # ADDRESS WIRE
	grep -cE "who-has $1 (.* )?tell 10\.0\.0\.1,|2001:db8:babe:cafe::1 > .*who has $1," "$2" || true
}

answers() { # ADDRESS WIRE
	grep -c -e "Reply $1 is-at" -e "tgt is $1," "$2" || true
}

# --- README.md ---

# The commands of README.md's section and what they print, without the rest of the text.
readme_example() {
	awk '/^## / { section = $0 == "## Many hosts on one LAN" } /^```/ { fenced = !fenced; next }
		section && fenced' "$REPO/README.md"
}

# Runs a command line on HOST as somebody who sits there; all that it prints is in OUTPUT.
readme_run() { # HOST COMMAND-LINE
	# A file and not a pipe: a container keeps what runc run has as its output.
	(cd "$BATS_TEST_TMPDIR/$1/bundles" && on "$1" sh -c "$2") \
		</dev/null >"$OUTPUT" 2>&1 3>&- || true
}

# A line that README.md shows is in OUTPUT, but for times, and for what the "..." stands for.
readme_shows() { # LINE
	local line=${1#... }

	line=${line%time=*}
	grep -qF -e "$line" "$OUTPUT" || fail "expected '$line', got: $(cat "$OUTPUT")"
}

pid_of() { # HOST CONTAINER
	at "$1" rt state "$2" | jq .pid
}

@test "README.md's example, word for word" {
	local line command='' host commands=0
	OUTPUT=$BATS_TEST_TMPDIR/output

	at a bundle_make container0
	at b bundle_make container1
	at b bundle_make container2 -a io.oci-macvlan.networks=macvlan0 -a io.oci-macvlan.ip=10.0.0.64
	while IFS= read -r line <&4; do
		case $line in
		[ab]'# '*)
			host=${line%%#*}
			command=${line#*# }
			;;
		*)
			if [ -z "$command" ]; then
				readme_shows "$line"
				continue
			fi
			command+=$'\n'$line
			;;
		esac
		if [[ $command != *\\ ]]; then
			readme_run "$host" "$command"
			commands=$((commands + 1))
			command=''
		fi
	done 4< <(readme_example)
	assert_eq 8 "$commands" "commands"
	assert_addresses "$(pid_of a container0)" eth0 10.0.0.64/24 2001:db8:babe:cafe:a::/64
	assert_addresses "$(pid_of b container1)" eth0 10.0.0.128/24 2001:db8:babe:cafe:b::/64
	assert_eq "container0.json" "$(ls "$BATS_TEST_TMPDIR/a/run/containers")"
	assert_eq "container1.json" "$(ls "$BATS_TEST_TMPDIR/b/run/containers")"
}

# --- what README.md says of it ---

@test "ten at once on each: each gives its own range's only, and all reach all" {
	local all

	network_of a "$(range4 10.0.0.64/26)" "$(range6 2001:db8:babe:cafe:a::/80)"
	network_of b "$(range4 10.0.0.128/25)" "$(range6 2001:db8:babe:cafe:b::/80)"
	attach_many 10
	assert_eq 10 "$(addresses_of "${PIDS[@]:0:10}" | grep -cE '^10\.0\.0\.(6[4-9]|7[0-3])$')" "of a"
	assert_eq 10 "$(addresses_of "${PIDS[@]:0:10}" | grep -c '^2001:db8:babe:cafe:a::')" "IPv6 of a"
	assert_eq 10 "$(addresses_of "${PIDS[@]:10}" | grep -cE '^10\.0\.0\.1(2[89]|3[0-7])$')" "of b"
	assert_eq 10 "$(addresses_of "${PIDS[@]:10}" | grep -c '^2001:db8:babe:cafe:b::')" "IPv6 of b"
	mapfile -t all < <(addresses_of "${PIDS[@]}" | uniq)
	assert_eq 40 "${#all[@]}" "addresses"
	assert_mesh "${PIDS[@]}"
	assert_one_answer_each "${all[@]}"
}

@test "ranges that overlap by mistake: what the other has is passed over" {
	local host one

	for host in a b; do
		network_of "$host" "$(range4 10.0.0.64/26)" "$(range6 2001:db8:babe:cafe:a::/80)"
	done
	sleeper_start
	one=$SLEEPER
	at a attach c0 "$one" macvlan0
	sleeper_start
	at b attach c0 "$SLEEPER" macvlan0
	assert_addresses "$one" eth0 10.0.0.64/24 2001:db8:babe:cafe:a::/64
	assert_addresses "$SLEEPER" eth0 10.0.0.65/24 2001:db8:babe:cafe:a::1/64
	assert_contains "$(at b claim_owner 10.0.0.64)" ".conflict/$(mac_of "$one" eth0)-"
	assert_mesh "$one" "$SLEEPER"
	lan_ping a 10.0.0.65
	lan_ping b 10.0.0.64
	assert_one_answer_each 10.0.0.64 10.0.0.65 2001:db8:babe:cafe:a:: 2001:db8:babe:cafe:a::1
}

# With a long wait, as an attach fails that needed half of it to make its link, and heard meanwhile that
# another host wants its address.
@test "and ten at once on each: no address twice" {
	local all host

	for host in a b; do
		DETECTION_MS=2000 network_of "$host" "$(range4 10.0.0.64/26)" \
			"$(range6 2001:db8:babe:cafe:a::/80)"
	done
	attach_many 10
	mapfile -t all < <(addresses_of "${PIDS[@]}" | uniq)
	assert_eq 40 "${#all[@]}" "addresses"
	assert_one_answer_each "${all[@]}"
	assert_mesh "${PIDS[@]}"
}

@test "an address that a container of the other host has is refused, with its MAC" {
	local address mac

	network_of a "$(range4 10.0.0.64/26)" "$(range6 2001:db8:babe:cafe:a::/80)"
	network_of b "$(range4 10.0.0.128/25)" "$(range6 2001:db8:babe:cafe:b::/80)"
	sleeper_start
	at a attach c0 "$SLEEPER" macvlan0
	mac=$(mac_of "$SLEEPER" eth0)
	for address in ip=10.0.0.64 ip6=2001:db8:babe:cafe:a::; do
		sleeper_start
		run at b attach c1 "$SLEEPER" macvlan0 "io.oci-macvlan.$address"
		assert_eq 1 "$status"
		assert_eq 1 "${#lines[@]}" "lines"
		assert_contains "$output" "'${address#*=}' is in use on the LAN by MAC '$mac'"
		assert_eq "" "$(links "$SLEEPER")"
	done
}

@test "a range that is full says so, and takes none of the other's" {
	network_of a "$(range4 10.0.0.64/30)"
	network_of b "$(range4 10.0.0.68/30)"
	attach_many 4
	sleeper_start
	run at a attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "no free address"
	assert_contains "$output" 10.0.0.64/30
	assert_eq "10.0.0.64 10.0.0.65 10.0.0.66 10.0.0.67" "$(at a claims)"
	assert_eq "10.0.0.68 10.0.0.69 10.0.0.70 10.0.0.71" "$(at b claims)"
}

@test "IPv6 only: the same name on both hosts has different MACs" {
	local one

	network_of a "$(range6 2001:db8:babe:cafe:a::/80)"
	network_of b "$(range6 2001:db8:babe:cafe:b::/80)"
	sleeper_start
	one=$SLEEPER
	at a attach c0 "$one" macvlan0 io.oci-macvlan.name=web
	sleeper_start
	at b attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.name=web
	refute [ "$(mac_of "$one" eth0)" = "$(mac_of "$SLEEPER" eth0)" ]
	assert_mesh "$one" "$SLEEPER"
}

@test "host_access: each host reaches its own containers, and those of the other" {
	local one address host

	network_of a "$(range4 10.0.0.64/26)" "$(range6 2001:db8:babe:cafe:a::/80)"
	network_of b "$(range4 10.0.0.128/25)" "$(range6 2001:db8:babe:cafe:b::/80)"
	for host in a b; do
		at "$host" network_write "$(jq '.host_access = true' \
			"$BATS_TEST_TMPDIR/$host/etc/oci-macvlan/networks/macvlan0.json")"
	done
	sleeper_start
	one=$SLEEPER
	at a attach c0 "$one" macvlan0
	sleeper_start
	at b attach c0 "$SLEEPER" macvlan0
	for address in $(addresses_of "$one" "$SLEEPER"); do
		lan_ping a "$address"
		lan_ping b "$address"
	done
	for address in 10.0.0.2 10.0.0.3 2001:db8:babe:cafe::2 2001:db8:babe:cafe::3; do
		can_ping "$one" "$address"
		can_ping "$SLEEPER" "$address"
	done
}
