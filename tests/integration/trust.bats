#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What root believes: network files that nobody else can change. Each test makes one that somebody else
# can change, sees it refused, runs the command of the message, and sees that it works then.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and has its own ETC and output

load lib.bash

setup_file() { lab_setup_file; }

setup() {
	lab_setup
	network_dual
	FILE=$ETC/networks/macvlan0.json
}

teardown() { lab_teardown; }

# The hook attaches c0 to macvlan0, and the address is there.
attaches() {
	sleeper_start
	attach c0 "$SLEEPER" macvlan0 || fail "refused"
	has_link "$SLEEPER" eth0 || fail "no interface"
	release c0
}

# A command of ours refuses macvlan0 with all TEXTs.
command_refuses() { # "COMMAND" TEXT...
	local text

	# shellcheck disable=SC2086 # words
	run cli $1
	assert_eq 1 "$status" "exit status of $1"
	for text in "${@:2}"; do
		assert_contains "$output" "$text"
	done
}

# The hook refuses macvlan0 in one line with all TEXTs, which OUTPUT is; check calls it broken.
hook_refuses() { # TEXT...
	local text

	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status" "exit status of the hook"
	assert_eq 1 "${#lines[@]}" "lines of '$output'"
	OUTPUT=$output
	refute has_link "$SLEEPER" eth0
	assert_run_empty
	for text in "$@"; do
		assert_contains "$OUTPUT" "$text"
	done
	command_refuses "check macvlan0" "broken   " "$@"
}

# It is not even read.
refuses() { # TEXT...
	hook_refuses "$@"
	command_refuses "network inspect macvlan0" "$@"
}

# Runs the command that OUTPUT ends with.
mend() {
	local command=${OUTPUT##*root does: }

	[ "$command" != "$OUTPUT" ] || fail "no command: $OUTPUT"
	bash -c "$command"
}

refuses_until_mended() { # TEXT...
	refuses "$@"
	mend
	attaches
}

# --- network files ---

@test "a network file that another user owns" {
	chown 1000 "$FILE"
	chmod 600 "$FILE"
	refuses_until_mended "'$FILE' belongs to user 1000 and has mode 0600" "chown root '$FILE'"
	assert_eq "0 600" "$(stat -c '%u %a' "$FILE")"
}

@test "a network file that its group, or everybody, may write to" {
	chgrp 1000 "$FILE"
	chmod 664 "$FILE"
	refuses_until_mended "'$FILE' belongs to user 0 and has mode 0664" "chmod go-w '$FILE'"
	assert_eq 644 "$(stat -c %a "$FILE")"
	chmod 602 "$FILE"
	refuses_until_mended "mode 0602"
	chown 1000 "$FILE"
	chmod 666 "$FILE"
	refuses_until_mended "user 1000" "mode 0666" "chown root '$FILE' && chmod go-w '$FILE'"
}

@test "a refused file does not keep other networks, and can be removed" {
	network_dual '{"name": "good"}'
	chmod 666 "$FILE"
	refuses "mode 0666"
	run attach c0 "$SLEEPER" macvlan0,good
	assert_eq 1 "$status"
	attach c0 "$SLEEPER" good || fail "the other network is refused, too"
	run cli network ls
	assert_eq 1 "$status"
	assert_contains "$output" "mode 0666"
	assert_contains "$output" " good "
	run cli network inspect macvlan0 good
	assert_eq 1 "$status"
	assert_contains "$output" '"Name": "good"'
	release c0
	cli network rm macvlan0
	refute test -e "$FILE"
}

# --- the folders ---

@test "an ETC that others may write to, also a sticky one: no network is used" {
	for mode in 0777 0775 1777; do
		chmod "$mode" "$ETC"
		refuses_until_mended "no network is used: '$ETC' belongs to user 0 and has mode $mode" \
			"chmod go-w '$ETC'"
	done
	chown 1000 "$ETC"
	refuses_until_mended "'$ETC' belongs to user 1000 and has mode" "chown root '$ETC'"
}

@test "an ETC/networks that others own or may write to: no network is used" {
	chown 1000 "$ETC/networks"
	refuses_until_mended "no network is used: '$ETC/networks' belongs to user 1000" \
		"chown root '$ETC/networks'"
	chmod 1777 "$ETC/networks"
	refuses_until_mended "'$ETC/networks' belongs to user 0 and has mode 1777"
}

@test "commands that use no network file go on, the others say what is wrong" {
	chmod 777 "$ETC"
	for command in "network ls" "network rm macvlan0" \
		"network create -d macvlan --subnet 10.9.0.0/24 -o parent=eth0 new"; do
		# shellcheck disable=SC2086 # words
		run cli $command
		assert_eq 1 "$status" "$command"
		assert_eq 1 "${#lines[@]}" "$command: $output"
		assert_contains "$output" "'$ETC' belongs to user 0 and has mode 0777"
	done
	assert_eq macvlan0.json "$(ls "$ETC/networks")"
	cli ps
	cli gc
}

@test "network create makes what is trusted, whatever the umask" {
	rm -r "$ETC"
	(umask 0 && cli network create --subnet 10.0.0.0/24 -o parent=eth0 macvlan0)
	assert_eq "755 755 644" "$(stat -c %a "$ETC" "$ETC/networks" "$FILE" | paste -sd ' ')"
	attaches
	rm -r "$ETC/networks"
	(umask 077 && cli network create --subnet 10.0.0.0/24 -o parent=eth0 macvlan0)
	assert_eq "755 644" "$(stat -c %a "$ETC/networks" "$FILE" | paste -sd ' ')"
	attaches
}

@test "folders above ETC may be another user's: a clone in a home" {
	mkdir -p "$BATS_TEST_TMPDIR/home"
	mv "$ETC" "$BATS_TEST_TMPDIR/home/etc"
	chown 1000 "$BATS_TEST_TMPDIR/home"
	ETC=$BATS_TEST_TMPDIR/home/etc
	attaches
	chmod 1777 "$BATS_TEST_TMPDIR/home"
	attaches
}

# --- symbolic links ---

@test "a network file that is a symbolic link: what it leads to is judged, and the folder" {
	local far=$BATS_TEST_TMPDIR/far

	mkdir "$far"
	mv "$FILE" "$far/lan"
	ln -s "$far/lan" "$FILE"
	attaches
	assert_contains "$(cli network inspect macvlan0)" '"Name": "macvlan0"'
	chown 1000 "$far/lan"
	refuses_until_mended "'$far/lan' belongs to user 1000" "chown root '$far/lan'"
	chown 1000 "$far"
	refuses_until_mended "'$far' belongs to user 1000" "chown root '$far'"
	chmod 777 "$far"
	refuses_until_mended "'$far' belongs to user 0 and has mode 0777"
	chmod 1777 "$far" # as /tmp is: nobody can put another file in its place
	attaches
	rm "$far/lan"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	assert_eq 1 "$status"
	assert_contains "$output" "symbolic link that leads nowhere"
	cli network rm macvlan0
	refute test -L "$FILE"
}

@test "an ETC, and an ETC/networks, that are symbolic links" {
	local far=$BATS_TEST_TMPDIR/far real

	real=$ETC
	mkdir "$far"
	mv "$ETC/networks" "$far/networks"
	ln -s "$far/networks" "$ETC/networks"
	ln -s "$ETC" "$BATS_TEST_TMPDIR/link"
	for ETC in "$real" "$BATS_TEST_TMPDIR/link" "$BATS_TEST_TMPDIR/link/"; do
		attaches
		cli network create --subnet 10.9.0.0/24 -o parent=eth0 new
		test -e "$far/networks/new.json"
		cli network rm new
		chown 1000 "$far"
		refuses_until_mended "no network is used: '$far' belongs to user 1000"
		chmod 777 "$far/networks"
		refuses_until_mended "'$far/networks' belongs to user 0 and has mode 0777"
		chown 1000 "$real"
		refuses_until_mended "'$real' belongs to user 1000"
	done
}
