#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ip-batch.sh NETNS PID MAC IPV4 IPV6
#
# The best that a shell can do: ip(8) creates the link right in the container's namespace, and a
# second one does all the rest there.

set -e
ip link add link eth0 name eth0 netns "$2" address "$3" type macvlan mode bridge
nsenter --net="$1" ip -batch - <<EOF
link set eth0 up
addr add $4/16 dev eth0
addr add $5/64 dev eth0 nodad
route add default via 10.64.0.1 dev eth0
route add default via 2001:db8::1 dev eth0
EOF
