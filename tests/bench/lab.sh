#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/lab.sh COMMAND [ARG...]
#
# Runs COMMAND on tests/isolate.sh's empty machine with a LAN for the benchmark: the host's eth0,
# whose cable ends in a namespace of its own, the network "bench" on it, and a bundle with a
# config.json as podman writes it. BENCH_DIR is the folder, on a tmpfs.

set -euo pipefail

if [ "${OCI_MACVLAN_ISOLATED-}" != 1 ]; then
	echo "run it as: tests/isolate.sh $0 ..." >&2
	exit 1
fi

export BENCH_DIR=$TMPDIR/bench
mkdir -p "$BENCH_DIR/etc/networks" "$BENCH_DIR/bundle"
cp "$(dirname "$0")/config.json" "$BENCH_DIR/bundle/config.json"
# 10.64.64.0 and above are the peers'.
cat >"$BENCH_DIR/etc/networks/bench.json" <<'EOF'
{
    "name": "bench",
    "parent": "eth0",
    "conflict_detection_ms": 0,
    "dns": { "mode": "none" },
    "subnets": [
        { "subnet": "10.64.0.0/16", "ip_range": "10.64.0.0/18", "gateway": "10.64.0.1" },
        { "subnet": "2001:db8::/64", "gateway": "2001:db8::1" }
    ]
}
EOF

cat >"$BENCH_DIR/etc/networks/wide.json" <<'EOF'
{
    "name": "wide",
    "parent": "eth0",
    "conflict_detection_ms": 0,
    "dns": { "mode": "none" },
    "subnets": [{ "subnet": "10.65.0.0/16", "gateway": "10.65.0.1" }]
}
EOF

ip netns add router
ip link add eth0 type veth peer name port0 netns router
ip -n router link set port0 up
ip -n router addr add 10.64.0.1/16 dev port0
ip -n router addr add 2001:db8::1/64 dev port0 nodad
ip link set eth0 up
ip addr add 10.64.0.2/16 dev eth0
ip addr add 2001:db8::2/64 dev eth0 nodad
"$@"
