#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What crashes leave is freed: by gc, how fast and in which words; and by createRuntime itself when
# it needs room. $BUILD/crash/many fills RUN as thousands of crashes would.

load lib.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_large
	sleeper_start
	INIT=$SLEEPER
}

teardown() {
	lab_teardown
}

# --- thousands of records ---

# The one that many fills: 65532 addresses, and as many of IPv6.
network_large() {
	network_write '{"name": "macvlan0", "parent": "eth0", "subnets": [
		{"subnet": "10.99.0.0/16", "gateway": "10.99.0.1", "aux_addresses": {"first": "10.99.0.2"}},
		{"subnet": "2001:db8:99::/64", "gateway": "2001:db8:99::1"}]}'
}

# Of the living, INIT is the init, in whose namespace there is no link.
many() { # [OPTION]... KIND=COUNT...
	local options=()

	while [[ $1 == -* ]]; do
		options+=("$1" "$2")
		shift 2
	done
	"$BUILD/crash/many" "${options[@]}" "$RUN" eth0 "$INIT" "$@"
}

# Runs COMMAND; its wall time and its processor time, both in ms, in WALL and CPU.
measure() { # COMMAND...
	local times user system TIMEFORMAT='%R %U %S'

	{ times=$({ time "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"; } 2>&1); } ||
		fail "failed: $* $(cat "$BATS_TEST_TMPDIR/err")" || return
	read -r WALL user system <<<"${times//./}"
	CPU=$((10#$user + 10#$system))
	WALL=$((10#$WALL))
}

# Other tests run at the same time: the best of a few tries counts.
assert_fast() { # MS BEFORE-EACH COMMAND...
	local limit=$1 prepare=$2
	local walls=()
	shift 2

	for _ in 1 2 3 4 5; do
		"$prepare"
		measure "$@" || return
		walls+=("$WALL ($CPU)")
		[ "$WALL" -ge "$limit" ] || return 0
	done
	fail "not under $limit ms wall (processor): ${walls[*]}: $*"
}

left() {
	run_listing | wc -l
}

# gc frees RECORDS records of the kinds, all of them, and in time.
assert_freed() { # LINES KIND=COUNT...
	local lines=$1
	shift

	kinds=("$@")
	[ "$(stat -f -c %T "$BATS_TEST_TMPDIR")" = tmpfs ]
	assert_fast 1000 fill_kinds cli gc
	assert_eq "$lines" "$(wc -l <"$BATS_TEST_TMPDIR/out")" "lines of gc"
	assert_run_empty
}

fill_kinds() {
	many "${kinds[@]}"
}

@test "gc: 10,000 whose namespaces are gone, under a second" {
	assert_freed 10000 gone=10000
}

@test "gc: 10,000 dead in namespaces that live on" {
	assert_freed 10000 kept=10000
}

@test "gc: 10,000 attaches that were killed half-way" {
	assert_freed 10000 intent-gone=4000 intent-kept=3000 intent-live=3000
}

@test "gc: 10,000 records of pods" {
	assert_freed 10000 pod-gone=5000
}

@test "gc: 10,000 half-written records, and 5,000 containers' claims without a record" {
	assert_freed 20000 temporary=10000 claim=5000
}

@test "gc: 10,000 living: nothing is freed" {
	many live=10000
	before=$(run_listing | sha256sum)
	assert_fast 1000 true cli gc
	assert_eq "" "$(cat "$BATS_TEST_TMPDIR/out")"
	assert_eq "$before" "$(run_listing | sha256sum)"
	rm -r "$RUN"
}

@test "gc of all kinds at once: the living stay, with few files open and little memory" {
	kinds=(gone=2000 kept=1000 intent-gone=1500 intent-kept=1000 intent-live=500 pod-gone=500
		pod-live=500 temporary=500 claim=500)
	many live=1500
	living=$(run_listing)
	many -a 1500 "${kinds[@]}"
	pods=$(run_listing | grep -c "pod-live.*json")
	prlimit --nofile=24 --as=33554432 "$BUILD/oci-macvlan" --run "$RUN" gc >/dev/null
	assert_eq 1500 "$pods" "records of living pods before"
	assert_eq "$living" "$(run_listing | comm -12 - <(echo "$living"))" "the living"
	# An owner and a member of each pod, the owner's link and two claims.
	assert_eq $((500 * 5)) "$(run_listing | comm -23 - <(echo "$living") | wc -l)" "of pods"
	assert_eq "" "$(cli gc)"
	rm -r "$RUN"
}

# --- the words ---

# Every file with its content, and every link.
snapshot() {
	(cd "$RUN" && find . -printf '%p %y %i %s %l\n' | sort &&
		find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# What --dry-run says and what gc says, with the words that differ made the same.
assert_same_words() {
	local dry wet before

	before=$(snapshot)
	dry=$(cli gc --dry-run)
	assert_eq "$before" "$(snapshot)" "RUN after --dry-run"
	wet=$(cli gc)
	assert_eq "$(sort <<<"${dry//: would free /: freed }")" "$(sort <<<"$wet")"
	refute grep -v ": would free " <<<"$dry"
}

@test "gc --dry-run says what gc frees, and changes nothing" {
	many gone=300 kept=300 intent-gone=300 intent-kept=300 intent-live=300 pod-gone=300 \
		pod-live=300 temporary=300 claim=300 live=300
	assert_same_words
	rm -r "$RUN"
}

@test "gc --dry-run: one line for each thing, with a reason for people" {
	many gone=1 kept=1 intent-live=1 pod-gone=1 pod-live=1 temporary=1 claim=1 live=1
	id() { (cd "$RUN/containers" && find . -name "$1*" -printf '%f\n' | sed 's/\.[a-z]*$//'); }
	pid=$(jq '.members[0].pid' "$RUN/containers/$(id kept-0-).json")
	mapfile -t said < <(cli gc --dry-run | sort)
	mapfile -t expected < <(sort <<-END
		container '$(id gone-0-)': would free eth0 10.99.0.3/16 2001:db8:99::3/64: its network namespace is gone
		container '$(id kept-0-)': would free eth0 10.99.0.4/16 2001:db8:99::4/64: its init (pid $pid) is dead
		container '$(id intent-live-0-)': would free eth0 10.99.0.5 2001:db8:99::5: its attach was killed half-way
		container '$(id pod-gone-0-)': would free eth0 10.99.0.6/16 2001:db8:99::6/64: its network namespace is gone
		container '$(id pod-gone-dead-0-)': would free its place in the pod of '$(id pod-gone-0-)': its network namespace is gone
		container '$(id pod-live-dead-0-)': would free its place in the pod of '$(id pod-live-0-)': its init (pid $pid) is dead
		container '$(id temporary-0-)': would free a record that is not whole: the hook was killed while it wrote it
		container '$(readlink "$RUN/pools/eth0/10.99.0.8" | cut -d / -f 1)': would free eth0 10.99.0.8 on parent 'eth0': no record leads to it
		container '$(readlink "$RUN/pools/eth0/10.99.0.8" | cut -d / -f 1)': would free eth0 2001:db8:99::8 on parent 'eth0': no record leads to it
	END
	)
	assert_eq "$(printf '%s\n' "${expected[@]}")" "$(printf '%s\n' "${said[@]}")"
	assert_same_words
	rm -r "$RUN"
}

# --- createRuntime needs room ---

# A network that has COUNT (a power of two) addresses, from 10.0.0.64 on.
network_small() { # COUNT
	local len=32 count

	for ((count = 1; count < $1; count *= 2)); do
		len=$((len - 1))
	done
	network_dual '{"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.64/'$len'"}]}'
}

# Attaches c1 ... cCOUNT; their pids in pids.
fill_pool() { # COUNT
	local n

	network_small "$1"
	pids=()
	for ((n = 1; n <= $1; n++)); do
		sleeper_start
		pids+=("$SLEEPER")
		attach "c$n" "$SLEEPER" macvlan0
	done
}

# The new container has an address of the small network, and it is claimed.
assert_got_room() { # ID
	local address

	sleeper_start
	attach "$1" "$SLEEPER" macvlan0
	address=$(addresses "$SLEEPER" eth0)
	assert_contains "$address" 10.0.0.
	assert_eq "$1/eth0" "$(claim_owner "${address%/*}")"
}

@test "a pool full of dead containers whose namespaces are gone" {
	fill_pool 8
	for pid in "${pids[@]}"; do
		sleeper_stop "$pid"
	done
	assert_got_room new
	can_ping "$SLEEPER" 10.0.0.1
	assert_eq 1 "$(claims | wc -w)" "claims"
}

@test "a pool full of dead containers whose namespaces are kept, with their links up" {
	fill_pool 4
	for n in 1 2 3 4; do
		ip netns attach "kept$n" "${pids[n - 1]}"
		sleeper_stop "${pids[n - 1]}"
		assert_contains "$(ip -n "kept$n" -j addr show dev eth0)" '"10.0.0.6'
	done
	assert_got_room new
	can_ping "$SLEEPER" 10.0.0.1
	for n in 1 2 3 4; do
		assert_eq lo "$(ip -n "kept$n" -j addr | jq -r 'map(.ifname) | join(" ")')" "kept$n"
		ip netns del "kept$n"
	done
}

@test "a pool full of attaches that were killed half-way, whose inits are alive" {
	fill_pool 1 # so that RUN is there, which takes some renameat(2)
	release c1
	network_small 4
	inits=()
	for n in 1 2 3 4; do
		sleeper_start
		inits+=("$SLEEPER")
		attach_killed "c$n" "$SLEEPER" renameat 2
		assert_contains "$(addresses "$SLEEPER" eth0)" 10.0.0.6
	done
	assert_eq 4 "$(claims | wc -w)" "claims"
	assert_got_room new
	can_ping "$SLEEPER" 10.0.0.1
	for pid in "${inits[@]}"; do
		assert_eq "" "$(links "$pid")"
	done
	assert_eq new.json "$(ls "$RUN/containers")"
}

@test "a pool full of living containers: refused, and nothing is freed" {
	fill_pool 4
	before=$(run_listing)
	sleeper_start
	run attach new "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "4 of 4 are in use, 'oci-macvlan ps' and 'oci-macvlan check' show by whom"
	assert_eq "$before" "$(run_listing)"
	assert_eq "" "$(links "$SLEEPER")"
	for pid in "${pids[@]}"; do
		assert_contains "$(addresses "$pid" eth0)" 10.0.0.6
	done
}

@test "a pool full of the living and one dead" {
	fill_pool 8
	address=$(addresses "${pids[4]}" eth0)
	sleeper_stop "${pids[4]}"
	assert_got_room new
	assert_eq "$address" "$(addresses "$SLEEPER" eth0)"
	for n in 1 2 3 4 6 7 8; do
		assert_eq "c$n/eth0" "$(claim_owner "$(addresses "${pids[n - 1]}" eth0 | cut -d / -f 1)")"
	done
}

@test "a static address of a dead container whose namespace is kept" {
	network_dual
	sleeper_start
	attach c1 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.30
	ip netns attach kept "$SLEEPER"
	sleeper_stop "$SLEEPER"
	sleeper_start
	attach new "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.30
	assert_contains "$(addresses "$SLEEPER" eth0)" 10.0.0.30/24
	assert_eq lo "$(ip -n kept -j addr | jq -r 'map(.ifname) | join(" ")')"
	can_ping "$SLEEPER" 10.0.0.1
	ip netns del kept
}

attach_new() {
	attach new "$NEW" macvlan0
}

refuse_new() {
	refute attach_new
}

@test "a /16 full of 10,922 living containers: refused in less than two seconds, one dead: found" {
	many -e 6 live=10922
	sleeper_start
	NEW=$SLEEPER
	before=$(run_listing | sha256sum)
	assert_fast 2000 true refuse_new
	assert_contains "$(cat "$BATS_TEST_TMPDIR/err")" "'oci-macvlan ps' and 'oci-macvlan check' show by whom"
	assert_eq "$before" "$(run_listing | sha256sum)"
	assert_eq "" "$(links "$NEW")"

	record=$(echo "$RUN"/containers/live-7777-*)
	jq -c '.members[0].start += 1' "$record" >"$RUN/containers/edited"
	mv "$RUN/containers/edited" "$record"
	assert_fast 2000 true attach_new
	assert_contains "$(addresses "$NEW" eth0)" 10.99.
	assert_eq "" "$(find "$RUN/containers" -name 'live-7777-*')"
	assert_eq 10922 "$(find "$RUN/containers" -type f | wc -l)" "records"
	sleepers_stop
	rm -r "$RUN"
}
