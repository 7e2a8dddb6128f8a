#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pipework.sh NETNS PID MAC IPV4 IPV6
#
# The order of pipework(1)'s steps: a link in the host's namespace, moved into the container's,
# renamed and configured there with one ip(8) for each thing.

set -e
mkdir -p /run/netns
ln -sf "$1" "/run/netns/$2"
ip link add link eth0 dev "ph$2" type macvlan mode bridge
ip link set "ph$2" netns "$2"
ip netns exec "$2" ip link set "ph$2" name eth0
ip netns exec "$2" ip link set eth0 address "$3"
ip netns exec "$2" ip addr add "$4/16" dev eth0
ip netns exec "$2" ip addr add "$5/64" dev eth0 nodad
ip netns exec "$2" ip link set eth0 up
ip netns exec "$2" ip route replace default via 10.64.0.1 dev eth0
ip netns exec "$2" ip route replace default via 2001:db8::1 dev eth0
rm -f "/run/netns/$2"
