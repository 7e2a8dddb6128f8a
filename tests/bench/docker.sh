#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/docker.sh BUILD
#
# Has docker at hand for the benchmark, without installing it: its package would start a daemon on
# this machine. Where there is no dockerd, Debian's package is fetched and unpacked into
# BUILD/bench/peers/docker. What it needs besides, tests/install.sh bench has installed.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

docker=$1/bench/peers/docker
if command -v dockerd >/dev/null || [ -d "$docker" ]; then
	exit 0
fi
echo "fetching docker.io"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# As apt's own user, whom a folder of root's would shut out.
chown _apt: "$work" 2>/dev/null || true
if ! (cd "$work" && apt-get -q download docker.io >log 2>&1); then
	cat "$work/log" >&2
	echo "$0: cannot fetch docker.io: apt-get download failed" >&2
	exit 1
fi
# Complete or not there at all.
rm -rf "$docker.new"
mkdir -p "$docker.new"
dpkg -x "$work"/docker.io_*.deb "$docker.new"
mv "$docker.new" "$docker"
