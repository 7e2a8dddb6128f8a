#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/bundles.sh COMMAND [ARG...]
#
# Makes the containers of the question "runtimes", then runs COMMAND: in BENCH_DIR/bundles a bundle
# for each hook, in BENCH_DIR/bin the runtimes. In tests/bench/lab.sh.

set -euo pipefail

# shellcheck source=tests/integration/lib.bash
. "$(dirname "$0")/../integration/lib.bash"

ETC=$BENCH_DIR/etc
RUN=$BENCH_DIR/run
BUNDLES=$BENCH_DIR/bundles
# Whose example becomes the bundles: runc takes it as well.
RT=crun
HAS='.process.args = ["/bin/busybox", "test", "-e", "/proc/sys/net/ipv4/conf/eth0"]'
HAS_NOT='.process.args = ["/bin/busybox", "test", "!", "-e", "/proc/sys/net/ipv4/conf/eth0"]'

export ROOTFS=/run/rootfs
rootfs_make "$ROOTFS"
mkdir -p "$BUNDLES" "$BENCH_DIR/bin"
for runtime in crun runc; do
	ln -sf "$(command -v "$runtime")" "$BENCH_DIR/bin/$runtime"
done
bundle_make none -j "$HAS_NOT | del(.hooks)"
bundle_make empty -j "$HAS_NOT | del(.hooks.poststop) |
	.hooks.createRuntime = [{path: \"$BUILD/bench/empty\", args: [\"empty\"]}]"
bundle_make ours -a io.oci-macvlan.networks=bench -j "$HAS | del(.hooks.poststop)"
"$@"
