# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# IPv6 by router advertisements: what the tests with one router and the other share.

# The bridge has its link-local address, from which it advertises.
router_settled() {
	[ -z "$(ip -n router -6 addr show dev lan tentative)" ] &&
		[ -n "$(ip -n router -6 addr show dev lan scope link)" ]
}

network_ra() { # [JSON]
	network_dual "$(jq -n --argjson more "${1:-{\}}" '{ipv6: "ra", subnets: [
		{subnet: "10.0.0.0/24", gateway: "10.0.0.1"}]} + $more')"
}

attach_new() { # ID [KEY=VALUE]...
	local id=$1
	shift

	sleeper_start
	attach "$id" "$SLEEPER" macvlan0 "$@"
}

# The global IPv6 addresses of eth0 that are usable, in one line.
usable() { # PID
	in_netns "$1" ip -6 -j addr show dev eth0 scope global | jq -r '[.[].addr_info[] | select(.local)
		| select(.tentative | not) | "\(.local)/\(.prefixlen)"] | sort | join(" ")'
}

recorded() { # ID
	jq -r '[.endpoints[0].addresses[] | select(contains(":"))] | join(" ")' "$RUN/containers/$1.json"
}
