#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What root believes: network files, and programs of plugins, that nobody else can change. Each test
# makes one that somebody else can change, sees it refused, runs the command of the message, and sees
# that it works then.

# shellcheck disable=SC2030,SC2031 # each test is a subshell, and has its own ETC and output

load lib.bash
load plugins.bash

setup_file() {
	lab_setup_file
	# The machine's own hooks, CDI and plugins are not looked at.
	mount -t tmpfs -o mode=755 tmpfs /etc/containers
	mount -t tmpfs -o mode=755 tmpfs /usr/share/containers
	mount -t tmpfs -o mode=755 tmpfs /opt
}

setup() {
	lab_setup
	network_dual
	FILE=$ETC/networks/macvlan0.json
}

teardown() {
	rm -rf /run/cdi /usr/share/containers/oci
	lab_teardown
}

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

# --- plugins ---

# A plugin that leaves a file when it runs, as PROGRAM.
setup_plugin() {
	script_network <<'END'
touch "$LOG/ran"
END
	answer 10.0.0.50/24
	PROGRAM=$BATS_TEST_TMPDIR/cni/script
}

refuses_plugin() { # TEXT...
	rm -f "$LOG/ran"
	hook_refuses "network 'macvlan0'" "IPAM plugin 'script' is not run" "$@"
	refute test -e "$LOG/ran"
	mend
	attaches
	test -e "$LOG/ran"
}

@test "a plugin's program that others own or may write to is not run" {
	setup_plugin
	attaches
	chown 1000 "$PROGRAM"
	refuses_plugin "'$PROGRAM' belongs to user 1000 and has mode 0755" "chown root '$PROGRAM'"
	chmod 775 "$PROGRAM"
	refuses_plugin "'$PROGRAM' belongs to user 0 and has mode 0775" "chmod go-w '$PROGRAM'"
}

@test "a plugin's program in a folder that others own or may write to is not run" {
	setup_plugin
	chown 1000 "${PROGRAM%/*}"
	refuses_plugin "'${PROGRAM%/*}' belongs to user 1000" "chown root '${PROGRAM%/*}'"
	chmod 777 "${PROGRAM%/*}"
	refuses_plugin "'${PROGRAM%/*}' belongs to user 0 and has mode 0777"
	chmod 1777 "${PROGRAM%/*}"
	attaches
	# The first that is there counts, also where another one would do.
	mkdir -m 777 "$BATS_TEST_TMPDIR/first"
	chmod 777 "$BATS_TEST_TMPDIR/first"
	cp "$PROGRAM" "$BATS_TEST_TMPDIR/first"
	plugin_network "$(jq -n --arg first "$BATS_TEST_TMPDIR/first" --arg folder "${PROGRAM%/*}" \
		'{driver: "script", path: [$first, $folder]}')"
	refuses_plugin "'$BATS_TEST_TMPDIR/first' belongs to user 0 and has mode 0777"
}

@test "a plugin's program that is a symbolic link" {
	local far=$BATS_TEST_TMPDIR/far

	setup_plugin
	mkdir "$far"
	mv "$PROGRAM" "$far/program"
	ln -s "$far/program" "$PROGRAM"
	attaches
	chown 1000 "$far/program"
	refuses_plugin "'$far/program' belongs to user 1000"
	chown 1000 "$far"
	refuses_plugin "'$far' belongs to user 1000"
	chown 1000 "${PROGRAM%/*}"
	refuses_plugin "'${PROGRAM%/*}' belongs to user 1000"
}

@test "network create refuses a plugin that others may change" {
	setup_plugin
	install -D "$PROGRAM" /opt/cni/bin/script
	chmod 775 /opt/cni/bin/script
	run cli network create --ipam-driver script -o parent=eth0 new
	assert_eq 1 "$status"
	assert_contains "$output" "'/opt/cni/bin/script' belongs to user 0 and has mode 0775"
	chmod 755 /opt/cni/bin/script
	cli network create --ipam-driver script -o parent=eth0 new
}

@test "a record's plugin is run for DEL, whoever may write to it by now" {
	setup_plugin
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	chmod 777 "$PROGRAM"
	release c0
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
}

@test "a pod's second container joins, whoever may write to the plugin by now" {
	setup_plugin
	sleeper_start
	first=$SLEEPER
	attach c0 "$first" macvlan0
	chmod 777 "$PROGRAM"
	sleeper_join "$first"
	attach c1 "$SLEEPER" macvlan0 || fail "does not join"
	release c1
	release c0 "$first"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
}

# --- hooks ---

# check says one line that is broken, with all TEXTs; none after the command in it.
breaks() { # TEXT...
	local text

	run cli check
	assert_eq 1 "$status" "$output"
	OUTPUT=$(grep '^broken' <<<"$output")
	assert_eq 1 "$(wc -l <<<"$OUTPUT")" "lines of '$OUTPUT'"
	for text in "$@"; do
		assert_contains "$OUTPUT" "$text"
	done
	mend
	cli check
}

# Files of an engine, in FOLDER, are judged, with the folder and the hook's program.
breaks_with() { # FOLDER FILE PROGRAM
	cli check
	chown 1000 "$1/$2"
	breaks "'$1/$2' belongs to user 1000" "chown root '$1/$2'"
	chmod 664 "$1/$2"
	breaks "'$1/$2' belongs to user 0 and has mode 0664"
	chmod 1777 "$1"
	breaks "'$1' belongs to user 0 and has mode 1777"
	chown 1000 "$1"
	breaks "'$1' belongs to user 1000"
	mv "$1/$2" "$BATS_TEST_TMPDIR/$2"
	ln -s "$BATS_TEST_TMPDIR/$2" "$1/$2"
	cli check
	chmod 666 "$BATS_TEST_TMPDIR/$2"
	breaks "'$BATS_TEST_TMPDIR/$2' belongs to user 0 and has mode 0666"
	chown 1000 "$BATS_TEST_TMPDIR"
	breaks "'$BATS_TEST_TMPDIR' belongs to user 1000"
	chmod 777 "$3"
	run cli check
	assert_eq 1 "$status"
	assert_contains "$output" "the hook's program: '$3' belongs to user 0 and has mode 0777"
	chmod 755 "$3"
	chown 1000 "${3%/*}"
	run cli check
	assert_contains "$output" "the hook's program: '${3%/*}' belongs to user 1000"
	chown 0 "${3%/*}"
	cli check
}

@test "check: podman's hooks" {
	local folder=/usr/share/containers/oci/hooks.d

	install -D -m 755 /dev/null "$BATS_TEST_TMPDIR/bin/oci-macvlan-hook"
	mkdir -p "$folder"
	for stage in createRuntime poststop; do
		jq --arg path "$BATS_TEST_TMPDIR/bin/oci-macvlan-hook" --arg stage "$stage" \
			'.hook.path = $path | .hook.args[-1] = $stage | .stages = [$stage]' \
			"$REPO/examples/podman/oci-macvlan.json" >"$folder/$stage.json"
	done
	breaks_with "$folder" poststop.json "$BATS_TEST_TMPDIR/bin/oci-macvlan-hook"
	# Where none is ours, it is not ours to judge.
	rm "$folder"/*
	echo '{}' >"$folder/other.json"
	chmod 666 "$folder/other.json"
	chmod 777 "$folder"
	cli check
}

@test "check: CDI" {
	install -D -m 755 /dev/null "$BATS_TEST_TMPDIR/bin/oci-macvlan-hook"
	mkdir /run/cdi
	jq -n --arg path "$BATS_TEST_TMPDIR/bin/oci-macvlan-hook" '
		def hook($stage): {hookName: $stage, path: $path, args: ["oci-macvlan-hook", $stage]};
		{cdiVersion: "0.3.0", kind: "oci-macvlan.io/network", devices: [{name: "macvlan0",
			containerEdits: {hooks: [hook("createRuntime"), hook("poststop")]}}]}' \
		>/run/cdi/oci-macvlan.json
	breaks_with /run/cdi oci-macvlan.json "$BATS_TEST_TMPDIR/bin/oci-macvlan-hook"
}
