#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/crash/lab.sh COMMAND [ARG...]
#
# Runs COMMAND on tests/isolate.sh's empty machine with two parents, eth0 and eth1, whose cables end
# in a namespace of their own.

set -euo pipefail

if [ "${OCI_MACVLAN_ISOLATED-}" != 1 ]; then
	echo "run it as: tests/isolate.sh $0 ..." >&2
	exit 1
fi

ip netns add router
for n in 0 1; do
	ip link add "eth$n" type veth peer name "port$n" netns router
	ip -n router link set "port$n" up
	ip link set "eth$n" up
	ip addr add "10.$n.0.2/24" dev "eth$n"
	ip addr add "2001:db8:$n:1::2/64" dev "eth$n" nodad
done
# Prefixes of the LAN, for networks whose files have none: the host has a way to no others.
for n in 4 5 6; do
	ip route add "10.$n.0.0/24" dev eth0
	ip route add "2001:db8:$n:1::/64" dev eth0
done
# A stranger, for the networks "tried" and "asked".
ip -n router addr add 10.3.0.1/24 dev port0
ip -n router addr add 10.5.0.5/24 dev port0
ip -n router addr add 2001:db8:3:1::1/64 dev port0 nodad
# A DHCP server, for the networks "leased"; it has bound its sockets when it has left this shell.
ip -n router addr add 10.6.0.1/24 dev port0
ip netns exec router dnsmasq --conf-file=/dev/null --interface=port0 --except-interface=lo \
	--bind-interfaces --port=0 --no-hosts --no-resolv --no-ping --dhcp-authoritative \
	--dhcp-range=10.6.0.10,10.6.0.250,255.255.255.0,1h --dhcp-leasefile="$TMPDIR/dnsmasq.leases" \
	--pid-file= --user=root --log-facility="$TMPDIR/dnsmasq.log"
"$@"
