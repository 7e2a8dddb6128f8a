# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# A LAN out of network namespaces and veths, for tests/isolate.sh's empty machine. The caller's own
# namespace is "the host".
#
#	host                    router (namespace)
#	eth0  10.0.0.2 -------- port0 + lan (bridge) 10.0.0.1
#	      2001:db8:babe:cafe::2                  2001:db8:babe:cafe::1
#
# The router's bridge is the switch of the LAN: lan_add_machine plugs another machine into it.
# Parents that have other names and other LANs: lan_add_parent.

LAN_PREFIX4=10.0.0
LAN_PREFIX6=2001:db8:babe:cafe:

# Addresses without duplicate address detection: they are usable when this returns. (Of IPv6 the kernel
# joins the groups a little after it has the address.)
lan_addr() { # NETNS-OPTION... DEV CIDR...
	local arguments=() dev

	while [ "$1" = -n ]; do
		arguments+=("$1" "$2")
		shift 2
	done
	dev=$1
	shift
	for cidr in "$@"; do
		case $cidr in
		*:*)
			ip "${arguments[@]}" addr add "$cidr" dev "$dev" nodad
			wait_until lan_addr_is_settled "${arguments[@]}" "$dev" "$cidr"
			;;
		*) ip "${arguments[@]}" addr add "$cidr" dev "$dev" ;;
		esac
	done
}

# It has joined the group in which others ask for the address: that of its last 24 bits.
lan_addr_is_settled() { # NETNS-OPTION... DEV CIDR
	local address=${*: -1} seventh group
	address=${address%/*}
	seventh=${address%:*}
	seventh=${seventh##*:}

	printf -v group 'ff02::1:ff%02x:%x' $((0x${seventh:-0} & 0xff)) $((0x${address##*:}))
	ip "${@:1:$#-2}" -6 maddr show dev "${*: -2:1}" | grep -qwF "$group"
}

# A switch in the namespace NETNS: a bridge that forwards at once and floods all multicast.
lan_add_switch() { # NETNS BRIDGE
	ip -n "$1" link add "$2" type bridge stp_state 0 forward_delay 0 mcast_snooping 0
	ip -n "$1" link set "$2" up
}

# Builds the LAN in the picture above. Call it once.
lan_up() {
	ip netns add router
	ip -n router link set lo up
	lan_add_switch router lan
	lan_addr -n router lan "${LAN_PREFIX4}.1/24" "${LAN_PREFIX6}:1/64"
	ip link add eth0 type veth peer name port0 netns router
	ip -n router link set port0 master lan up
	ip link set eth0 up
	lan_addr eth0 "${LAN_PREFIX4}.2/24" "${LAN_PREFIX6}:2/64"
	wait_until lan_ready eth0 "${LAN_PREFIX4}.1"
}

# A second LAN with a router of its own: 10.NUMBER.0.0/24 and 2001:db8:NUMBER::/64; the host has .2.
lan_add_parent() { # DEV NUMBER
	local netns=router-$1

	ip netns add "$netns"
	ip -n "$netns" link set lo up
	lan_add_switch "$netns" lan
	lan_addr -n "$netns" lan "10.$2.0.1/24" "2001:db8:$2::1/64"
	ip link add "$1" type veth peer name port0 netns "$netns"
	ip -n "$netns" link set port0 master lan up
	ip link set "$1" up
	lan_addr "$1" "10.$2.0.2/24" "2001:db8:$2::2/64"
	wait_until lan_ready "$1" "10.$2.0.1"
}

lan_ready() { # DEV ADDRESS
	ping -c 1 -W 0.2 -I "$1" "$2"
} >/dev/null 2>&1

# Another machine on the LAN: a namespace NAME with eth0, plugged into the router's switch. It hears,
# and is heard, when this returns.
lan_add_machine() { # NAME CIDR...
	local name=$1
	shift

	ip netns add "$name"
	ip -n "$name" link set lo up
	ip -n "$name" link add eth0 type veth peer name "p-$name" netns router
	ip -n router link set "p-$name" master lan up
	ip -n "$name" link set eth0 up
	wait_until lan_is_plugged "$name"
	lan_addr -n "$name" eth0 "$@"
}

# The kernel sees a carrier only a while after there is one.
lan_is_plugged() { # NAME
	ip -n "$1" link show dev eth0 | grep -qF "state UP" &&
		ip -n router -d link show dev "p-$1" | grep -qF "bridge_slave state forwarding"
}

lan_remove_machine() { # NAME
	ip -n "$1" link del eth0
	ip netns del "$1"
}

# No container's link is on the host's eth0 any more: the kernel takes them away some time after the
# last process of their namespace has ended, and until then they answer for their addresses.
lan_is_quiet() {
	[ -z "$(lan_macs)" ]
}

# The MACs of macvlans that are up on the host's eth0, in whatever namespace.
lan_macs() {
	bridge fdb show dev eth0 | awk '!/^(33:33|01:00:5e):/ { print $1 }'
}

# The MAC that a machine's neighbour table has for ADDRESS; nothing when there is none.
lan_neighbour() { # NETNS ADDRESS
	ip -n "$1" -j neigh show "$2" | jq -r '.[0].lladdr // empty'
}

lan_ping() { # NETNS ADDRESS
	ip netns exec "$1" ping -c 1 -W 2 "$2" >/dev/null
}
