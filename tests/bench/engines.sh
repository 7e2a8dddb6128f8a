#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/engines.sh COMMAND [ARG...]
#
# Prepares the question "containers", then runs COMMAND: podman and docker, each with one image and
# with a macvlan network of its own on eth0, all their files in BENCH_DIR and /run; podman with our
# hooks as examples/podman has them. docker's daemon ends with COMMAND. After tests/bench/docker.sh,
# in tests/bench/lab.sh.

set -euo pipefail

BATS_FILE_TMPDIR=$BENCH_DIR
# shellcheck source=tests/integration/lib.bash
. "$(dirname "$0")/../integration/lib.bash"
# shellcheck source=tests/integration/engine.bash
. "$REPO/tests/integration/engine.bash"

# shellcheck disable=SC2034 # for engine.bash
{
	PODMAN_BACKEND=netavark
	OCI_RUNTIME=crun
	ETC=$BENCH_DIR/etc
	RUN=$BENCH_DIR/run
	WAIT_SECONDS=60
}
FETCHED=$BUILD/bench/peers/docker
DOCKER_HOST=unix://$BENCH_DIR/docker.sock

# Where contestants find a program.
link_program() { # NAME
	ln -sf "$(command -v "$1")" "$BENCH_DIR/bin/$1"
}

# Both networks are made of the same LAN, each with addresses of its own.
network_options() { # IPV4-RANGE IPV6-RANGE
	echo --driver macvlan --opt parent=eth0 --ipv6 \
		--subnet 10.64.0.0/16 --gateway 10.64.0.1 --ip-range "$1" \
		--subnet 2001:db8::/64 --gateway 2001:db8::1 --ip-range "$2"
}

# Does a container have what is compared: an address and a default route of each family?
check_lan() { # COMMAND...
	local said address

	said=$("$@" "$IMAGE" /bin/busybox sh -c \
		'busybox ip addr show eth0; busybox ip route; busybox ip -6 route')
	for address in "inet 10.64." "inet6 2001:db8::" "default via 10.64.0.1 " \
		"default via 2001:db8::1 "; do
		assert_contains "$said" "$address"
	done
}

prepare_podman() {
	local options

	podman_setup_file >/dev/null
	podman_setup
	link_program crun
	link_program podman
	read -ra options < <(network_options 10.64.128.0/19 2001:db8::b:0/112)
	pm network create --disable-dns "${options[@]}" bench >/dev/null
	check_lan pm run --rm --cgroup-parent "/$OCI_MACVLAN_CGROUP" --network bench
	check_lan pm run --rm --cgroup-parent "/$OCI_MACVLAN_CGROUP" --network none \
		--annotation io.oci-macvlan.networks=bench
}

# docker answers, or its daemon has ended.
docker_is_decided() {
	docker version >/dev/null 2>&1 || process_is_gone "$DOCKERD"
}

start_docker() {
	local folder=$BENCH_DIR/docker

	mkdir -p "$folder"
	# Its key is all that it would write elsewhere, to /etc/docker.
	echo "{\"deprecated-key-path\": \"$folder/key.json\"}" >"$folder/daemon.json"
	dockerd --config-file "$folder/daemon.json" --host "$DOCKER_HOST" \
		--data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
		--containerd /run/containerd/containerd.sock --storage-driver vfs \
		--exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$OCI_MACVLAN_CGROUP" \
		--oom-score-adjust 0 --bridge none --iptables=false --ip6tables=false \
		</dev/null >"$folder/log" 2>&1 &
	DOCKERD=$!
	disown
	if ! wait_until docker_is_decided || process_is_gone "$DOCKERD"; then
		cat "$folder/log" >&2
		return 1
	fi
}

prepare_docker() {
	local options

	# First in PATH: a docker that is not this dockerd's may be there as well.
	if ! command -v dockerd >/dev/null; then
		PATH=$FETCHED/usr/sbin:$FETCHED/usr/bin:$PATH
		command -v dockerd >/dev/null || fail "no dockerd: tests/bench/docker.sh fetches it"
	fi
	link_program docker
	export DOCKER_HOST DOCKER_CONFIG=$BENCH_DIR/docker.config
	mkdir -p "$DOCKER_CONFIG"
	echo '{}' >"$DOCKER_CONFIG/config.json"
	containerd_setup_file
	start_docker
	tar -C "$ROOTFS" -c . | docker import - "$IMAGE" >/dev/null
	read -ra options < <(network_options 10.64.160.0/19 2001:db8::d:0/112)
	docker network create "${options[@]}" bench >/dev/null
	check_lan docker run --rm --network bench
}

stop_docker() {
	if [ -n "$DOCKERD" ] && kill "$DOCKERD" 2>/dev/null; then
		wait_until process_is_gone "$DOCKERD"
	fi
	[ ! -e "$CONTAINERD/pid" ] || containerd_stop TERM
}

DOCKERD=
CONTAINERD=$BENCH_DIR/containerd
export ROOTFS=/run/rootfs
rootfs_make "$ROOTFS"
mkdir -p "$BENCH_DIR/bin"
trap stop_docker EXIT
prepare_docker
prepare_podman
"$@"
