# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Conflict detection: machines on the LAN that have addresses, and what is on the wire. For the tests that
# load it, with their setup and teardown.

setup() {
	lab_setup
	network_dual '{"conflict_detection_ms": 200}'
	MACHINES=()
}

teardown() {
	capture_stop
	machines_remove
	lab_teardown
}

machines_remove() {
	local machine

	for machine in "${MACHINES[@]}"; do
		lan_remove_machine "$machine"
	done
	MACHINES=()
}

machine() { # NAME CIDR...
	lan_add_machine "$@"
	MACHINES+=("$1")
	ip -n router neigh flush dev lan
	wait_until lan_knows "$1" "${2%/*}"
}

# The machine answers: the router has its MAC.
lan_knows() { # NAME ADDRESS
	lan_ping router "$2" && [ "$(lan_neighbour router "$2")" = "$(machine_mac "$1")" ]
}

machine_mac() { # NAME
	ip -n "$1" -j link show dev eth0 | jq -r '.[0].address'
}

attach_new() { # ID [KEY=VALUE]...
	local id=$1
	shift

	sleeper_start
	attach "$id" "$SLEEPER" macvlan0 "$@"
}

# --- the wire ---

CAPTURE_PID=

# Captures on an interface of NETNS until capture_stop; in the background, and begun when this returns.
capture_start() { # NETNS DEV
	CAPTURE=$BATS_TEST_TMPDIR/capture
	ip netns exec "$1" tcpdump -n -e -l -U -i "$2" 'arp or icmp6' >"$CAPTURE" 2>"$CAPTURE.err" 3>&- &
	CAPTURE_PID=$!
	wait_until grep -q 'listening on' "$CAPTURE.err"
}

capture_stop() {
	[ -n "$CAPTURE_PID" ] || return 0
	kill "$CAPTURE_PID" 2>/dev/null || true
	wait "$CAPTURE_PID" 2>/dev/null || true
	CAPTURE_PID=
}

# tcpdump's "MM:SS.ffffff" of the first or last line that matches, in milliseconds of the day.
frame_time() { # first|last PATTERN
	grep -E "$2" "$CAPTURE" | if [ "$1" = first ]; then head -n 1; else tail -n 1; fi |
		awk -F '[: ]' '{ printf "%d\n", ($1 * 3600 + $2 * 60 + $3) * 1000 }'
}

captured() { # PATTERN
	grep -qE "$1" "$CAPTURE"
}

count_frames() { # PATTERN
	grep -cE "$1" "$CAPTURE" || true
}

# Three; and more while another address of the attach is not found free yet.
assert_probes() { # N
	[ "$1" -ge 3 ] || fail "$1 probes"
}
