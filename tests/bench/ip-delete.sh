#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ip-delete.sh NETNS: deletes eth0 in a namespace.

exec nsenter --net="$1" ip link del eth0
