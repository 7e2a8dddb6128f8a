#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# CNI IPAM plugins whose state outlives a reboot, where RUN does, too: they are told what has ended.

load lib.bash
load plugins.bash

setup_file() { lab_setup_file; }
setup() { lab_setup; }
teardown() { lab_teardown; }

# The machine comes back: nothing runs any more, and RUN, which is on a disk here, is as it was.
reboot_machine() {
	sleepers_stop
	echo 00000000-0000-0000-0000-000000000000 >"$RUN/boot"
}

# What is still to be given back: ids, in one line.
owed() {
	find "$RUN/returns" -name '*.json' -printf '%f\n' | sed 's/\.json$//' | sort | paste -sd ' '
}

@test "after a reboot gc gives back what host-local gave" {
	host_local_network
	network_dual '{"name": "second"}'
	for id in c0 c1; do
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
	done
	sleeper_start
	attach c2 "$SLEEPER" second
	reboot_machine
	run cli gc --dry-run
	assert_contains "$output" "container 'c0': would free what a plugin gave it: a reboot ended it"
	assert_eq 4 "$(leases | wc -w)"
	run cli gc
	[ "$status" -eq 0 ]
	assert_contains "$output" "container 'c0': freed what a plugin gave it: a reboot ended it"
	assert_contains "$output" "container 'c1': freed what a plugin gave it: a reboot ended it"
	[[ $output != *c2* ]]
	assert_eq "" "$(leases)"
	assert_eq "" "$(ls "$RUN/returns")"
	assert_run_empty
	assert_eq "" "$(cli gc)"
}

@test "after a reboot the same id: what it had is given back, what it gets stays" {
	host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	reboot_machine
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.51/24 2001:db8:babe:cafe::51/64
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases)"
	assert_eq "" "$(owed)"
	cli gc
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases)"
	release c0
	assert_eq "" "$(leases)"
}

@test "after reboots another id finds room in a full range" {
	plugin_network "$(host_local_ipam '{"ranges": [[{"subnet": "10.0.0.0/24",
		"rangeStart": "10.0.0.50", "rangeEnd": "10.0.0.50"}]], "routes": []}')"
	for id in c0 c1 c2; do
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
		assert_addresses "$SLEEPER" eth0 10.0.0.50/24
		reboot_machine
	done
	# A second reboot before anybody came.
	cli ps
	echo 00000000-0000-0000-0000-000000000000 >"$RUN/boot"
	cli ps
	assert_eq c2 "$(owed)"
	cli gc
	assert_eq "" "$(leases)"
}

@test "after a reboot a pod whose member brings the plugin: by the owner's id" {
	host_local_network
	network_dual '{"name": "second"}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	reboot_machine
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" second
	assert_eq c0 "$(owed)"
	sleeper_join "$owner"
	attach c1 "$SLEEPER" second,macvlan0
	assert_eq "" "$(owed)"
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases)"
	cli gc
	assert_eq "10.0.0.51 2001:db8:babe:cafe::51" "$(leases)"
}

@test "after a reboot networks without a plugin have nothing to do with it" {
	host_local_network
	network_dual '{"name": "second"}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	reboot_machine
	cli ps
	sleeper_start
	state_json creating c0 "$SLEEPER" io.oci-macvlan.networks=second >"$BATS_TEST_TMPDIR/state"
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o "$BATS_TEST_TMPDIR/trace" \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime <"$BATS_TEST_TMPDIR/state"
	assert_contains "$(cat "$BATS_TEST_TMPDIR/trace")" '"containers"'
	[[ $(cat "$BATS_TEST_TMPDIR/trace") != *'"returns"'* ]]
	assert_eq c0 "$(owed)"
	cli gc
	assert_eq "" "$(leases)"
}

@test "after a reboot a plugin that was uninstalled keeps nobody from starting" {
	own_host_local
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	reboot_machine
	rm -r "$OWN"
	LEASES=elsewhere host_local_network
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_eq "" "$(owed)"
	assert_eq "$(addresses "$SLEEPER" eth0 | sed 's,/[0-9]*,,g')" "$(claims)"
}

# After a reboot c0 has something of a plugin whose DEL fails while there is LOG/broken.
reboot_with_broken() { # [BODY]
	script_network <<END
if [ "\$CNI_COMMAND" = DEL ] && [ -e "\$LOG/broken" ]; then
	${1-exit 1}
fi
END
	answer 10.0.0.50/24
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	reboot_machine
	touch "$LOG/broken"
	: >"$LOG/calls"
}

@test "after a reboot a DEL that fails: gc says so, others start, the same id forgets it" {
	reboot_with_broken
	for _ in 1 2; do
		run cli gc
		[ "$status" -eq 1 ]
		assert_eq "oci-macvlan: gc: container 'c0': what a plugin gave it before a reboot is not given back: interface 'eth0': IPAM plugin '$BATS_TEST_TMPDIR/cni/script': DEL failed: it ended with status 1, and did not say why" "$output"
	done
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	assert_eq "DEL eth0,DEL eth0,DEL eth0,ADD eth0" "$(calls)"
	answer 10.0.0.51/24
	attach_logged c0
	assert_forgotten c0 " (10.0.0.50/24)" "$BATS_TEST_TMPDIR/cni/script': DEL failed"
	assert_eq "DEL eth0,DEL eth0,DEL eth0,ADD eth0,DEL eth0,ADD eth0" "$(calls)"
	rm "$LOG/broken"
	assert_eq "" "$(ls "$RUN/returns")"
	assert_eq "" "$(cli gc)"
}

@test "after a reboot a DEL that hangs is waited for once, and others start" {
	reboot_with_broken 'sleep 1000'
	for id in c1 c2; do
		sed "s/c0/$id/g" "$RUN/containers/c0.json" >"$RUN/containers/$id.json"
	done
	SECONDS=0
	run cli gc
	[ "$status" -eq 1 ]
	[ "$SECONDS" -lt 19 ]
	assert_eq 3 "$(grep -c "is not given back" <<<"$output")"
	assert_contains "$output" "is not asked: one did not end in time just now"
	SECONDS=0
	sleeper_start
	attach c9 "$SLEEPER" macvlan0
	[ "$SECONDS" -lt 19 ]
	rm "$LOG/broken"
	cli gc
	assert_eq "" "$(ls "$RUN/returns")"
}

# Somebody waits for a lock in RUN/lock.
lock_is_awaited() {
	grep -q -- "-> .*:$(stat -c %i "$RUN/lock") " /proc/locks
}

@test "after a reboot an attach waits for who gives back what its id had" {
	# shellcheck disable=SC2016 # for the script
	reboot_with_broken 'while [ -e "$LOG/broken" ]; do :; done'
	cli gc &
	gc=$!
	wait_until grep -q DEL "$LOG/calls"
	sleeper_start
	same=$SLEEPER
	attach c0 "$same" macvlan0 &
	hook=$!
	wait_until lock_is_awaited
	assert_eq "DEL eth0" "$(calls)"
	rm "$LOG/broken"
	wait "$gc"
	wait "$hook"
	assert_addresses "$same" eth0 10.0.0.50/24
	assert_eq "DEL eth0,ADD eth0" "$(calls)"
}

@test "after a reboot gc leaves to an attach what its id had" {
	# shellcheck disable=SC2016 # for the script
	reboot_with_broken 'while [ -e "$LOG/broken" ]; do :; done'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 &
	hook=$!
	wait_until grep -q DEL "$LOG/calls"
	assert_eq "" "$(timeout 8 "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" gc)"
	assert_eq "DEL eth0" "$(calls)"
	rm "$LOG/broken"
	wait "$hook"
	assert_eq "DEL eth0,ADD eth0" "$(calls)"
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24
}

@test "after a reboot a record of a later version: what its plugin gave it stays, and its id waits" {
	host_local_network
	network_dual '{"name": "second"}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	readable=$(cat "$RUN/containers/c0.json")
	jq -c '.from_a_later_version = true' <<<"$readable" >"$RUN/containers/c0.json"
	reboot_machine
	run cli gc
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "record 'containers/c0.json': unknown key 'from_a_later_version'"
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(leases)"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status" "status ($output)"
	assert_contains "$output" "record 'containers/c0.json': unknown key 'from_a_later_version'"
	assert_eq "10.0.0.50 2001:db8:babe:cafe::50" "$(leases)"
	# Others start, and so does this one where it asks for nothing of a plugin.
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	release c1
	sleeper_start
	attach c0 "$SLEEPER" second
	release c0
	assert_eq c0 "$(owed)"
	echo "$readable" >"$(find "$RUN/returns" -name c0.json)"
	cli gc
	assert_eq "" "$(leases)$(owed)"
}
