# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the files plugins*.bats share: networks that have their addresses from a CNI
# IPAM plugin, and plugins that are scripts.

LEASES=leases # the folder of host-local's state, below the test's

# A network macvlan0 with the members of IPAM as its ipam, and those of MORE.
plugin_network() { # IPAM [MORE]
	network_write "$(jq -n --argjson ipam "$1" --argjson more "${2:-{\}}" \
		'{name: "macvlan0", parent: "eth0", ipam: $ipam} + $more')"
}

# By the real host-local, from 10.0.0.50 and 2001:db8:babe:cafe::50 on.
host_local_ipam() { # [CONFIG]
	jq -n --arg dir "$BATS_TEST_TMPDIR/$LEASES" --arg v4 "$LAN_PREFIX4" --arg v6 "$LAN_PREFIX6" \
		--argjson config "${1:-{\}}" '{driver: "host-local", config: ({dataDir: $dir, ranges: [
			[{subnet: ($v4 + ".0/24"), rangeStart: ($v4 + ".50"), gateway: ($v4 + ".1")}],
			[{subnet: ($v6 + ":/64"), rangeStart: ($v6 + ":50"), gateway: ($v6 + ":1")}]],
			routes: [{dst: "0.0.0.0/0"}, {dst: "::/0"}]} + $config)}'
}

host_local_network() { # [CONFIG [MORE]]
	plugin_network "$(host_local_ipam "${1:-{\}}")" "${2:-{\}}"
}

# host-local in a folder from which it can be uninstalled.
own_host_local() {
	OWN=$BATS_TEST_TMPDIR/own
	mkdir -p "$OWN"
	cp /usr/lib/cni/host-local "$OWN"
	plugin_network "$(host_local_ipam | jq --arg dir "$OWN" '.path = [$dir]')"
}

# The addresses that host-local has handed out, in one line.
leases() { # [NETWORK]
	find "$BATS_TEST_TMPDIR/$LEASES/${1:-macvlan0}" -type f ! -name 'last_reserved*' ! -name lock \
		-printf '%f\n' | sort | paste -sd ' '
}

# A network by a plugin that is a script, whose body is on stdin. It keeps what it reads and how it
# is called in LOG; what the body does not end is a success of DEL and CHECK, and answers ADD with
# the file ANSWER.
script_network() { # [MORE]
	local folder=$BATS_TEST_TMPDIR/cni

	LOG=$BATS_TEST_TMPDIR/log
	ANSWER=$BATS_TEST_TMPDIR/answer
	mkdir -p "$folder" "$LOG"
	{
		echo '#!/bin/bash'
		echo "LOG=$LOG ANSWER=$ANSWER"
		# shellcheck disable=SC2016 # for the script
		echo 'cat >"$LOG/$CNI_COMMAND.stdin"; echo "$CNI_COMMAND $CNI_IFNAME" >>"$LOG/calls"'
		cat
		# shellcheck disable=SC2016
		echo '[ "$CNI_COMMAND" != ADD ] || cat "$ANSWER"'
	} >"$folder/script"
	chmod +x "$folder/script"
	plugin_network "$(jq -n --arg folder "$folder" '{driver: "script", path: [$folder]}')" "${1:-{\}}"
}

answer() { # ADDRESS... (with prefix lengths)
	jq -n '{cniVersion: "1.0.0", ips: ($ARGS.positional | map({address: .}))}' --args "$@" >"$ANSWER"
}

calls() {
	paste -sd , "$LOG/calls"
}

# Runs a program of ours; what it sends to the system's log is in LOGGED, a file. (As in routes.bats:
# the log may have no socket, and ASan does not go with strace.)
logged() { # PROGRAM [ARG]...
	local program=$1
	shift

	LOGGED=$BATS_TEST_TMPDIR/logged
	ASAN_OPTIONS=detect_leaks=0 strace -qq -s 1000 -e trace=sendto -o "$BATS_TEST_TMPDIR/trace" \
		"$BUILD/$program" --etc "$ETC" --run "$RUN" "$@"
	set -- $?
	grep /dev/log "$BATS_TEST_TMPDIR/trace" >"$LOGGED" || true
	return "$1"
}

# As attach, of a new SLEEPER to macvlan0.
attach_logged() { # ID
	sleeper_start
	state_json creating "$1" "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	logged oci-macvlan-hook createRuntime <"$BATS_TEST_TMPDIR/state"
}

# What an id had of macvlan0 was forgotten; ADDRESSES are " (10.0.0.50/24)".
assert_forgotten() { # ID ADDRESSES PLUGIN
	assert_contains "$(cat "$LOGGED")" \
		"container '$1': what interface 'eth0' has of network 'macvlan0'$2 may stay reserved: IPAM plugin '$3"
}

# shellcheck disable=SC2154 # status and output are bats's
# Fails with what is in PARTs; nothing of it is left, and the plugin had its DEL.
refuse_attach() { # PART...
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0
	[ "$status" -eq 1 ] || fail "attached: $output"
	for part in "$@"; do
		assert_contains "$output" "$part"
	done
	assert_run_empty
	refute has_link "$SLEEPER" eth0
}
