#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/isolate.sh -t SECONDS+400 tests/crash/storm.sh BUILD SECONDS [SEED [KILL_MS]]
#
# The storm of crash_storm.c: builds a host with one network and a bundle for each container, and
# lets it loose for SECONDS, and until there were 300 different containers. KILL_MS is the mean time
# between two kills. Speaks TAP.

set -euo pipefail

if [ $# -lt 2 ] || [ "${OCI_MACVLAN_ISOLATED-}" != 1 ]; then
	echo "usage: tests/isolate.sh -t SECONDS+400 $0 BUILD SECONDS [SEED [KILL_MS]]" >&2
	exit 2
fi
OCI_MACVLAN_BUILD=$(realpath "$1")
export OCI_MACVLAN_BUILD
seconds=$2
seed=${3:-$(date +%s)}
kill_ms=${4:-60}

# shellcheck source=tests/integration/lib.bash
. "$(dirname "$0")/../integration/lib.bash"

CONTAINERS=320 # STORM_IDS

# The parent: a cable to nowhere.
host_up() {
	ip link add eth0 type veth peer name port0
	ip link set port0 up
	ip link set eth0 up
	lan_addr eth0 "$LAN_PREFIX4.2/24" "$LAN_PREFIX6:2/64"
}

# Of 254 addresses the gateway has one and the host another; 52 are kept back, here and there: 200
# are left. The file "reserved" says to the watcher which must never be seen.
network_up() {
	local octet aux=() reserved=(1 2)

	for octet in {5..250..5} 253 254; do
		aux+=("$LAN_PREFIX4.$octet")
		reserved+=("$octet")
	done
	aux+=("$LAN_PREFIX6:3" "$LAN_PREFIX6:10")
	network_dual "$(jq -n --arg prefix4 "$LAN_PREFIX4" --arg prefix6 "$LAN_PREFIX6" \
		'($ARGS.positional | to_entries | map({key: "kept\(.key)", value})) as $all
		| def of(f): $all | map(select(.value | f)) | from_entries;
		{subnets: [
			{subnet: ($prefix4 + ".0/24"), gateway: ($prefix4 + ".1"),
			 aux_addresses: of(contains(":") | not)},
			{subnet: ($prefix6 + ":/64"), gateway: ($prefix6 + ":1"),
			 aux_addresses: of(contains(":"))}]}' --args "${aux[@]}")"
	printf "$LAN_PREFIX4.%s\n" "${reserved[@]}" 0 255 >"$LAB/reserved"
	printf "$LAN_PREFIX6:%s\n" "" 1 2 3 10 >>"$LAB/reserved"
	# The host's own address is not the network's business, and counted here.
	assert_contains "$(cli network ls)" "0/201,"
}

# One bundle with a placeholder for the id, and from it all others.
bundles_make() {
	local config id n

	# shellcheck disable=SC2016
	bundle_make @ID@ -j '.hooks[][] |= (.args = ["storm", "hook", "'"$LAB/counters"'", "--", .path]
			+ .args[1:] | .path = "'"$BUILD/crash/storm"'")'
	config=$(<"$BUNDLES/@ID@/config.json")
	for ((n = 0; n < CONTAINERS; n++)); do
		printf -v id 'storm-%03d' "$n"
		mkdir "$BUNDLES/$id"
		printf '%s\n' "${config//@ID@/$id}" >"$BUNDLES/$id/config.json"
	done
	rm -r "$BUNDLES/@ID@"
}

# The leak sanitizer stops a program by another process; when that is killed, it waits for ever.
export ASAN_OPTIONS=detect_leaks=0

LAB=/run/storm
export ROOTFS=$LAB/rootfs
lab_folders "$LAB"
rootfs_make "$ROOTFS"
host_up
network_up
bundles_make
exec "$BUILD/crash/storm" "$LAB" "$BUILD" "$seconds" "$seed" "$kill_ms"
