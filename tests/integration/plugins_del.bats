#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# CNI IPAM plugins whose ADD or DEL fails: what they may have given is not forgotten, and given back when
# they can. Scripts.

load lib.bash
load plugins.bash

setup_file() { lab_setup_file; }
setup() { lab_setup; }
teardown() { lab_teardown; }

@test "a plugin that prints garbage has given something: its DEL is not forgotten" {
	# shellcheck disable=SC2016 # for the script
	script_network <<<'[ "$CNI_COMMAND" = ADD ] || [ ! -e "$LOG/broken" ] || exit 1'
	for garbage in 'panic: runtime error' '{"ips": 1}' '{"ips": []}' \
		'{"cniVersion": "9.0.0", "ips": [{"address": "10.0.0.50/24"}]}'; do
		: >"$LOG/calls"
		printf '%s' "$garbage" >"$ANSWER"
		touch "$LOG/broken"
		sleeper_start
		run attach c0 "$SLEEPER" macvlan0
		[ "$status" -eq 1 ]
		assert_contains "$output" "IPAM plugin '$BATS_TEST_TMPDIR/cni/script'"
		sleeper_stop "$SLEEPER"
		run cli gc
		[ "$status" -eq 1 ]
		rm "$LOG/broken"
		cli gc
		assert_eq "ADD eth0,DEL eth0,DEL eth0,DEL eth0" "$(calls)" "$garbage"
		assert_run_empty
	done
}

@test "a plugin that is killed may have given something: its DEL is not forgotten" {
	# shellcheck disable=SC2016 # for the script
	script_network <<<'[ "$CNI_COMMAND" != ADD ] || kill -SEGV $$
[ ! -e "$LOG/broken" ] || exit 1'
	touch "$LOG/broken"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	[ "$status" -eq 1 ]
	assert_contains "$output" "ADD failed: it was killed by signal 11"
	sleeper_stop "$SLEEPER"
	run cli gc
	[ "$status" -eq 1 ]
	rm "$LOG/broken"
	cli gc
	assert_eq "ADD eth0,DEL eth0,DEL eth0,DEL eth0" "$(calls)"
	assert_run_empty
}

# A script whose calls fail: all, or those of a command, while LOG has a file of that name.
fail_while_there() {
	script_network <<'END'
if [ -e "$LOG/all" ] || [ -e "$LOG/$CNI_COMMAND" ]; then
	echo '{"cniVersion": "1.0.0", "code": 7, "msg": "the configuration is wrong"}'
	exit 1
fi
END
	answer 10.0.0.50/24
}

@test "an ADD and a DEL that fail leave nothing" {
	fail_while_there
	touch "$LOG/all"
	refuse_attach "ADD failed: the configuration is wrong (code 7)"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
	cli gc
	refute attach_logged c0
	assert_forgotten c0 "" "$BATS_TEST_TMPDIR/cni/script': DEL failed: the configuration is wrong (code 7)"
}

@test "an ADD that fails does not have forgotten what the network before it gave" {
	fail_while_there
	touch "$LOG/DEL"
	network_write "$(host_local_ipam '{"ranges": []}' | jq '{name: "second", parent: "eth0", ipam: .}')"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0,second
	[ "$status" -eq 1 ]
	assert_contains "$output" "network 'second': IPAM plugin '/usr/lib/cni/host-local': ADD failed"
	assert_eq macvlan0,second "$(jq -r '[.endpoints[].network] | join(",")' "$RUN/containers/c0.json")"
	cli network rm -f macvlan0
	cli network rm -f second
	assert_run_empty
}

@test "a DEL that fails keeps neither network rm -f nor a new start" {
	fail_while_there
	for id in c0 c1; do
		answer "10.0.0.5${id#c}/24"
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
	done
	sleeper_stop "$SLEEPER"
	touch "$LOG/DEL"
	run cli gc
	[ "$status" -eq 1 ]
	attach_logged c1
	assert_forgotten c1 " (10.0.0.51/24)" "$BATS_TEST_TMPDIR/cni/script': DEL failed"
	logged oci-macvlan network rm -f macvlan0
	assert_forgotten c0 " (10.0.0.50/24)" "$BATS_TEST_TMPDIR/cni/script': DEL failed"
	assert_forgotten c1 " (10.0.0.51/24)" "$BATS_TEST_TMPDIR/cni/script': DEL failed"
	refute has_link "$SLEEPER" eth0
	assert_run_empty
}

@test "a plugin that kills the hook: gc runs DEL" {
	script_network <<'END'
if [ "$CNI_COMMAND" = ADD ]; then
	echo $$ >"$LOG/lease"
	kill -KILL $PPID
	exec sleep 1000
fi
rm "$LOG/lease"
END
	answer 10.0.0.50/24
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	[ "$status" -eq 137 ]
	wait_until process_gone "$(cat "$LOG/lease")"
	run cli gc
	[ "$status" -eq 0 ]
	[ ! -e "$LOG/lease" ]
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
	assert_run_empty
}

@test "a DEL that fails keeps the record, not the link, and gc tries again" {
	script_network '{"host_access": true}' <<'END'
if [ "$CNI_COMMAND" = DEL ] && [ -e "$LOG/broken" ]; then
	echo '{"cniVersion": "1.0.0", "code": 11, "msg": "the store is away"}'
	exit 1
fi
END
	answer 10.0.0.50/24
	network_dual '{"name": "second"}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0,second
	touch "$LOG/broken"
	sleeper_stop "$SLEEPER"
	run detach c0
	[ "$status" -eq 1 ]
	assert_contains "$output" "interface 'eth0': IPAM plugin '$BATS_TEST_TMPDIR/cni/script': DEL failed: the store is away (code 11)"
	assert_eq "" "$(ip route show proto 77)" "routes to it"
	assert_eq 10.0.0.50 "$(claims)"
	run cli gc
	[ "$status" -eq 1 ]
	assert_contains "$output" "container 'c0': interface 'eth0': IPAM plugin"
	assert_contains "$(cli ps)" dead
	rm "$LOG/broken"
	run cli gc
	[ "$status" -eq 0 ]
	assert_contains "$output" "container 'c0': freed"
	assert_run_empty
}

@test "network rm says which container it cannot free, and frees the others" {
	# shellcheck disable=SC2016 # for the script
	script_network <<<'[ ! -e "$LOG/$CNI_COMMAND.$CNI_CONTAINERID" ] || exit 1'
	for id in c0 c1 c2; do
		answer "10.0.0.5${id#c}/24"
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
		sleeper_stop "$SLEEPER"
	done
	touch "$LOG/DEL.c0"
	run cli network rm macvlan0
	[ "$status" -eq 1 ]
	assert_contains "$output" "oci-macvlan: network rm: container 'c0': interface 'eth0': IPAM plugin '$BATS_TEST_TMPDIR/cni/script': DEL failed"
	assert_contains "$output" "network 'macvlan0' is in use by 1 endpoint: stop the containers, or use -f"
	assert_eq c0.json "$(ls "$RUN/containers")"
	for id in c1 c2; do
		answer "10.0.0.5${id#c}/24"
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
	done
	# With -f a DEL that fails is no reason any more, but a claim that cannot be removed.
	ASAN_OPTIONS=detect_leaks=0 run strace -qq -o /dev/null -e inject=unlinkat:error=EIO:when=1 \
		"$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" network rm -f macvlan0
	[ "$status" -eq 1 ]
	assert_contains "$output" "oci-macvlan: network rm: container 'c0': interface 'eth0':"
	assert_eq 1 "${#lines[@]}" "lines"
	assert_eq c0.json "$(ls "$RUN/containers")"
	cli network rm -f macvlan0
	assert_run_empty
}

@test "gc that is started with SIGCHLD ignored sees that a DEL fails" {
	# shellcheck disable=SC2016 # for the script
	script_network <<<'[ ! -e "$LOG/$CNI_COMMAND" ] || exit 1'
	answer 10.0.0.50/24
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	sleeper_stop "$SLEEPER"
	touch "$LOG/DEL"
	trap '' CHLD
	run cli gc
	trap - CHLD
	[ "$status" -eq 1 ]
	assert_contains "$output" "DEL failed: it ended with status 1"
	rm "$LOG/DEL"
	cli gc
	assert_run_empty
}

@test "a DEL that hangs is waited for once, whatever many containers it has" {
	script_network <<'END'
[ "$CNI_COMMAND" != DEL ] || [ ! -e "$LOG/broken" ] || sleep 1000
[ "$CNI_COMMAND" != ADD ] || jq -n --arg id "$CNI_CONTAINERID" \
	'{cniVersion: "1.0.0", ips: [{address: "10.0.0.5\($id[1:])/24"}]}'
exit 0
END
	for id in c1 c2 c3; do
		sleeper_start
		attach "$id" "$SLEEPER" macvlan0
		sleeper_stop "$SLEEPER"
	done
	touch "$LOG/broken"
	SECONDS=0
	run cli gc
	[ "$status" -eq 1 ]
	[ "$SECONDS" -lt 19 ]
	assert_contains "$output" "DEL failed: it did not end in time"
	assert_contains "$output" "is not asked: one did not end in time just now"
	rm "$LOG/broken"
	cli gc
	assert_run_empty
}
