# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Containers whose address comes from a DHCP server, and the clients that they have. After lib.bash
# and dhcp.bash.
#
#	setup_file() { lab_setup_file; }
#	setup() { lab_setup; network_dhcp; }
#	teardown() { dhcp_teardown; }

# The network 'lan' without a subnet. Nothing is probed unless NETWORK says so.
network_dhcp() { # [CONFIG] [NETWORK]
	network_write "$(jq -n --argjson config "${1:-{\}}" --argjson network "${2:-{\}}" \
		'{name: "lan", parent: "eth0", ipam: {driver: "dhcp", config: $config}} + $network')"
}

# Ends what the test has started: no client is left, nor what hook and client tell each other.
dhcp_teardown() {
	local status=0

	lab_teardown || status=$?
	dhcp_stop || status=$?
	[ ! -d "$RUN/dhcp" ] || assert_eq "" "$(ls "$RUN/dhcp")" "left in RUN/dhcp" || status=$?
	assert_eq "" "$(clients)" "clients left" || status=$?
	return "$status"
}

# The pids of all clients, in one line. Nobody else's are in this pid namespace.
clients() {
	pgrep -f '(^|/)udhcpc |busybox udhcpc ' | paste -sd ' '
}

no_clients() {
	[ -z "$(clients)" ]
}

# Attaches a new namespace to 'lan'; its pid is in SLEEPER, its MAC in MAC, its address in ADDRESS.
attach_lan() { # ID [KEY=VALUE]...
	local id=$1
	shift

	sleeper_start
	attach "$id" "$SLEEPER" lan "$@"
	look "$SLEEPER"
}

# MAC and ADDRESS (with its length) of eth0.
# shellcheck disable=SC2034 # the tests read them
look() { # PID
	MAC=$(mac_of "$1" eth0)
	ADDRESS=$(ipv4_of "$1")
}

ipv4_of() { # PID [INTERFACE]
	in_netns "$1" ip -4 -j addr show dev "${2:-eth0}" |
		jq -r '[.[].addr_info[] | select(.local) | "\(.local)/\(.prefixlen)"] | join(" ")'
}

ipv4_is() { # PID ADDRESS/LEN
	[ "$(ipv4_of "$1")" = "$2" ]
}

default_is() { # PID "GATEWAY DEV"
	[ "$(default_routes "$1" 4)" = "$2" ]
}

# The pid that RUN has for an endpoint's client; nothing when it has none.
client_of() { # ID [INTERFACE]
	readlink "$RUN/dhcp/$1:${2:-eth0}.client" | cut -d ' ' -f 1
}

client_lives() { # ID [INTERFACE]
	[ "$(cat "/proc/$(client_of "$@")/comm" 2>/dev/null)" = udhcpc ]
}

# Kills a client, and waits until it is gone: for as long as it ends, gc takes it for alive.
client_kill() { # ID [INTERFACE]
	local pid

	pid=$(client_of "$@")
	kill -KILL "$pid"
	wait_until process_gone "$pid"
}

# Has the client ask now. Where nobody answers it gives the lease up after 8 s, whatever is left of it.
client_renew() { # ID [INTERFACE]
	kill -USR1 "$(client_of "$@")"
}

# The server has acknowledged so many requests of a MAC.
acknowledged() { # MAC N
	[ "$(dhcp_count ACK "$1")" -ge "$2" ]
}

record_gone() { # ID
	[ ! -e "$RUN/containers/$1.json" ]
}

# Writes what becomes of the addresses in the namespace of PID into CHANGES until dhcp_stop.
watch_addresses() { # PID
	local dir

	dir=$(dhcp_dir)
	CHANGES=$dir/monitor.log
	nsenter -t "$1" -n stdbuf -oL ip -4 monitor address </dev/null >"$CHANGES" 2>&1 3>&- &
	echo $! >"$dir/monitor.pid"
	disown
	wait_until monitor_listens "$1"
}

# It has joined its multicast group.
monitor_listens() { # PID
	in_netns "$1" cat /proc/net/netlink | awk '$2 == 0 && $4 != "00000000" { found = 1 } END { exit !found }'
}
