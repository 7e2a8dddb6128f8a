#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Namespaces that have an id in the host's before ours comes: an engine's bridge gives one, docker,
# a CNI plugin, any veth to the host. The kernel chooses the lowest free id, and gives it to the next
# namespace as soon as this one has ended. Whoever goes by such an id must not take another's link.

load lib.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dual
}

teardown() {
	lab_teardown
}

# A sleeper with a veth to the host, as an engine's bridge makes it.
bridged_sleeper_start() {
	sleeper_start
	ip link add "v$SLEEPER" type veth peer name br0 netns "$SLEEPER"
}

record_get() { # ID FILTER
	jq -r "$2" "$RUN/containers/$1.json"
}

# The namespace that had an id has ended.
nsid_is_free() { # NSID
	! ip -j netns list-id | jq -e --argjson id "$1" '.[] | select(.nsid == $id)' >/dev/null
}

# Gives a container a link and a record as version 0.1.0 made them: with the kernel's own index.
as_made_before() { # ID PID
	local id=$1 pid=$2 mac address

	mac=$(mac_of "$pid" eth0)
	in_netns "$pid" ip link del eth0
	ip link add link eth0 name omv-old address "$mac" netns "$pid" type macvlan mode bridge
	in_netns "$pid" ip link set omv-old name eth0 up
	for address in $(record_get "$id" '.endpoints[0].addresses[]'); do
		in_netns "$pid" ip addr add "$address" dev eth0
	done
	record_set "$id" ".endpoints[0].ifindex = $(link_get "$pid" eth0 .ifindex)"
}

record_set() { # ID FILTER
	jq -c "$2" "$RUN/containers/$1.json" >"$BATS_TEST_TMPDIR/record"
	cat "$BATS_TEST_TMPDIR/record" >"$RUN/containers/$1.json"
}

# c0 ran in a bridged namespace and is dead, without a poststop. NSID: what its namespace was called.
dead_container() { # new|old
	bridged_sleeper_start
	attach c0 "$SLEEPER" macvlan0
	[ "$1" = new ] || as_made_before c0 "$SLEEPER"
	NSID=$(record_get c0 .netns.nsid)
	assert_eq true "$(record_get c0 .netns.shared)" "the id is shared"
	sleeper_stop "$SLEEPER"
	wait_until nsid_is_free "$NSID"
}

# c1 lives in the namespace that has c0's id now.
living_container() { # new|old
	bridged_sleeper_start
	LIVING=$SLEEPER
	attach c1 "$LIVING" macvlan0 io.oci-macvlan.ip=10.0.0.77
	[ "$1" = new ] || as_made_before c1 "$LIVING"
	assert_eq "$NSID" "$(record_get c1 .netns.nsid)" "the id that c0 had"
	BEFORE=$(link_get "$LIVING" eth0 '"\(.ifindex) \(.address)"')
}

assert_living_untouched() {
	assert_eq "$BEFORE" "$(link_get "$LIVING" eth0 '"\(.ifindex) \(.address)"')" "c1's link"
	assert_contains "$(addresses "$LIVING" eth0)" 10.0.0.77/24
	can_ping "$LIVING" 10.0.0.1
	assert_eq c1/eth0 "$(claim_owner 10.0.0.77)"
}

assert_c0_gone() {
	refute test -e "$RUN/containers/c0.json"
	refute test -L "$RUN/pools/eth0/2001:db8:babe:cafe::3"
}

# All that may free what c0 had, whose link has gone with its namespace.
late_poststop() { # new|old new|old
	dead_container "$1"
	living_container "$2"
	detach c0
	assert_c0_gone
	assert_living_untouched
}

gc_run() { # new|old new|old
	dead_container "$1"
	living_container "$2"
	cli gc
	assert_c0_gone
	assert_living_untouched
}

address_wanted() { # new|old new|old
	dead_container "$1"
	living_container "$2"
	sleeper_start
	attach c2 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.3
	assert_eq c2/eth0 "$(claim_owner 10.0.0.3)"
	refute test -e "$RUN/containers/c0.json"
	assert_living_untouched
}

@test "a late poststop leaves the link of the container that has the id now" {
	late_poststop new new
}

@test "gc leaves it" {
	gc_run new new
}

@test "an attach that wants the dead one's address leaves it" {
	address_wanted new new
}

@test "a late poststop: the dead one's link was made by version 0.1.0, and the living one's" {
	late_poststop old old
}

@test "gc: the dead one's link was made by version 0.1.0, and the living one's" {
	gc_run old old
}

@test "an attach that wants the address: both links were made by version 0.1.0" {
	address_wanted old old
}

@test "gc: the dead one's link was made by version 0.1.0, the living one's is new" {
	gc_run old new
}

@test "gc: the dead one's link is new, the living one's was made by version 0.1.0" {
	gc_run new old
}

# Its namespace is held, as podman and CRI hold those of their networks.
held_container() { # new|old
	bridged_sleeper_start
	ip netns attach held "$SLEEPER"
	attach c0 "$SLEEPER" macvlan0
	[ "$1" = new ] || as_made_before c0 "$SLEEPER"
}

drop_held() {
	ip netns del held
}

assert_no_macvlan() { # NETNS
	assert_eq "" "$(ip -n "$1" -d -j link | jq -r '.[] | select(.linkinfo.info_kind == "macvlan").ifname')"
}

@test "its own link is found in a namespace that outlives it: by poststop" {
	held_container new
	release c0
	assert_no_macvlan held
	assert_run_empty
	drop_held
}

@test "its own link is found in a namespace that outlives it: by gc, made by version 0.1.0" {
	held_container old
	sleeper_stop "$SLEEPER"
	cli gc
	assert_no_macvlan held
	assert_run_empty
	drop_held
}

# All that may be changed with CAP_NET_ADMIN.
@test "whatever a container changes of its link from inside, it is found" {
	held_container new
	in_netns "$SLEEPER" sh -c 'ip link set eth0 down
		ip link set eth0 name mine address 02:00:00:00:00:99 alias other group 7 txqueuelen 9
		ip link add eth0 type bridge && ip link set mine up'
	release c0
	assert_no_macvlan held
	assert_run_empty
	drop_held
}

# A namespace that nobody of ours is in, on the same parent: c0's, or another's?
stranger_start() {
	bridged_sleeper_start
	ip link add link eth0 name omv-x address 02:00:00:00:00:55 netns "$SLEEPER" type macvlan mode bridge
	in_netns "$SLEEPER" ip link set omv-x name eth0 up
}

@test "in doubt nothing is deleted and nothing is free, and check says so" {
	dead_container old
	stranger_start
	assert_eq "$(record_get c0 '.endpoints[0].ifindex')" "$(link_get "$SLEEPER" eth0 .ifindex)" index
	before=$(run_listing)
	for way in "detach c0" "cli gc"; do
		run $way
		assert_eq 1 "$status" "exit status of $way"
		assert_contains "$output" "id $NSID"
		assert_eq eth0 "$(links "$SLEEPER" | tr ' ' '\n' | grep eth0)"
		assert_eq "$before" "$(run_listing)"
	done
	sleeper_start
	run attach c2 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.3
	assert_eq 1 "$status"
	assert_contains "$output" c0
	rm "$RUN/errors"
	run cli check
	line=$(grep "stay taken" <<<"$output")
	assert_contains "$line" "'c0'"
	assert_contains "$line" 10.0.0.3/24,2001:db8:babe:cafe::3/64
}

@test "in doubt: what it has is free as soon as that namespace has ended" {
	dead_container old
	stranger_start
	refute cli gc
	sleeper_stop "$SLEEPER"
	wait_until nsid_is_free "$NSID"
	cli gc
	assert_run_empty
}

# The hook is killed at each of its requests of the kernel, so with and without a link.
killed_everywhere() { # WHAT-FOLLOWS
	local n=0 state

	for ((n = 1; n < 60; n++)); do
		bridged_sleeper_start
		ip netns attach held "$SLEEPER"
		state=$BATS_TEST_TMPDIR/state
		state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$state"
		if strace -qq -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=$n \
			"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime <"$state"; then
			break
		fi
		"$1"
		assert_run_empty
	done
	release c0
	drop_held
	((n > 12)) || fail "killed at $n requests only"
}

gc_of_held() {
	sleeper_stop "$SLEEPER"
	cli gc >/dev/null
	assert_no_macvlan held
	drop_held
}

@test "killed at any request, the namespace outlives it: gc finds the link" {
	killed_everywhere gc_of_held
}

# Renamed and with another MAC, as a container could that was started all the same.
gc_of_changed() {
	in_netns "$SLEEPER" sh -c '! ip link show eth0 || { ip link set eth0 down
		ip link set eth0 name mine address 02:00:00:00:00:99 && ip link set mine up; }' >/dev/null 2>&1
	gc_of_held
}

@test "killed at any request, and the link was changed from inside" {
	killed_everywhere gc_of_changed
}

# Another has the id, and a link of the same name on the same parent.
gc_beside_living() {
	local nsid=

	[ ! -e "$RUN/containers/c0.json" ] || nsid=$(record_get c0 .netns.nsid)
	sleeper_stop "$SLEEPER"
	drop_held
	[ -z "$nsid" ] || wait_until nsid_is_free "$nsid"
	NSID=$nsid
	bridged_sleeper_start
	attach c1 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.77
	LIVING=$SLEEPER
	BEFORE=$(link_get "$LIVING" eth0 '"\(.ifindex) \(.address)"')
	[ -z "$nsid" ] || assert_eq "$nsid" "$(record_get c1 .netns.nsid)" "the id that c0 had"
	cli gc >/dev/null
	assert_living_untouched
	assert_eq "10.0.0.77 2001:db8:babe:cafe::3" "$(claims)"
	release c1 "$LIVING"
}

@test "killed at any request, and another has the id: its link stays, the claims are free" {
	killed_everywhere gc_beside_living
}

# The index that eth0 of c0 gets in the namespace of PID; other links may be in its way.
index_after() { # PID INDEX...
	local pid=$1 index
	shift

	for index; do
		in_netns "$pid" ip link add "x$index" index "$index" type bridge
	done
	attach c0 "$pid" macvlan0 >&2 && link_get "$pid" eth0 .ifindex
}

@test "an index that is taken in the namespace gives way to the next, as long as there is one" {
	sleeper_start
	taken=()
	for ((n = 0; n < 16; n++)); do
		taken+=("$(index_after "$SLEEPER" "${taken[@]: -1}")")
		can_ping "$SLEEPER" 10.0.0.1
		((taken[n] >= 4096 && taken[n] <= 32767)) || fail "index ${taken[n]}"
		detach_living c0
		assert_run_empty
		assert_no_macvlan_in "$SLEEPER"
	done
	assert_eq 16 "$(printf '%s\n' "${taken[@]}" | sort -u | wc -l)" "different indexes"
	run index_after "$SLEEPER" "${taken[@]: -1}"
	assert_eq 1 "$status"
	assert_contains "$output" "interface indexes"
	assert_run_empty
}

# Its init lives, and so does the namespace.
detach_living() { # ID
	cli network rm -f macvlan0
	network_dual
}

assert_no_macvlan_in() { # PID
	assert_eq "" "$(in_netns "$1" ip -d -j link | jq -r '.[] | select(.linkinfo.info_kind == "macvlan").ifname')"
}

# Each endpoint has 16 indexes that it may have, so two of one container may have one in common.
@test "an intent that may have the index of another endpoint of its record leaves that" {
	network_write '{"name": "storage", "parent": "eth0", "subnets": [{"subnet": "10.9.0.0/24"}]}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	mac=$(mac_of "$SLEEPER" eth0)
	# The second endpoint is made, and not recorded.
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0,storage >"$BATS_TEST_TMPDIR/state"
	strace -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=2 \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state" || true
	index=$(link_get "$SLEEPER" eth1 .ifindex)
	in_netns "$SLEEPER" ip link del eth1
	in_netns "$SLEEPER" ip link del eth0
	ip link add link eth0 name omv-x index "$index" address "$mac" netns "$SLEEPER" type macvlan mode bridge
	in_netns "$SLEEPER" ip link set omv-x name eth0 up
	record_set c0 ".endpoints[0].ifindex = $index"
	cli gc
	assert_eq "$index" "$(link_get "$SLEEPER" eth0 .ifindex)" "the first endpoint's link"
	assert_eq 1 "$(record_get c0 '.endpoints | length')"
	release c0
	assert_run_empty
}

@test "a record that cannot be read may be of the container that has the id: nothing is deleted" {
	bridged_sleeper_start
	attach c0 "$SLEEPER" '[{"name": "macvlan0", "mac": "02:00:00:00:00:77"}]'
	as_made_before c0 "$SLEEPER"
	NSID=$(record_get c0 .netns.nsid)
	sleeper_stop "$SLEEPER"
	wait_until nsid_is_free "$NSID"
	bridged_sleeper_start
	LIVING=$SLEEPER
	attach c1 "$LIVING" '[{"name": "macvlan0", "ips": ["10.0.0.77"], "mac": "02:00:00:00:00:77"}]'
	as_made_before c1 "$LIVING"
	assert_eq "$NSID" "$(record_get c1 .netns.nsid)" "the id that c0 had"
	BEFORE=$(link_get "$LIVING" eth0 '"\(.ifindex) \(.address)"')
	record_set c1 '.later = 1'
	run cli gc
	assert_eq 1 "$status"
	assert_living_untouched
	assert_eq c0/eth0 "$(claim_owner 10.0.0.3)"
	record_set c1 'del(.later)'
	cli gc
	assert_living_untouched
	assert_c0_gone
}

# A member of a pod knows what the index is made of. It can lose links of its own by that.
@test "a member of the pod that takes the first index of a link: the undo finds the link all the same" {
	network_write '{"name": "m1", "parent": "eth0", "subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.0.0.160/28"}]}'
	sleeper_start
	pod=$SLEEPER
	attach c0 "$pod" macvlan0,m1
	index=$(link_get "$pod" eth1 .ifindex)
	m1=$(cat "$ETC/networks/m1.json")
	cli network rm -f m1
	network_write "$m1"
	in_netns "$pod" ip link add link eth0 name decoy index "$index" type macvlan mode bridge
	# Its MAC is in use, so the attach fails when its link is made.
	in_netns "$pod" ip link add link eth0 name busy address 02:42:0a:00:00:a1 type macvlan mode bridge
	in_netns "$pod" ip link set busy up
	sleeper_join "$pod"
	run attach c1 "$SLEEPER" '[{"name": "m1", "ips": ["10.0.0.161"], "mac": "02:42:0a:00:00:a1"}]'
	assert_eq 1 "$status"
	assert_eq "busy eth0" "$(links "$pod")"
	assert_eq "10.0.0.3 2001:db8:babe:cafe::3" "$(claims)"
	release c0 "$pod"
}
