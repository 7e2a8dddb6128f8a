# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# podman and containerd of this machine's packages with all their files in this file's scratch
# folder and in /run, for tests in tests/isolate.sh: what they start and mount ends with its
# namespaces. After lib.bash.
#
#	setup_file() { lab_setup_file; podman_setup_file; }
#	setup() { lab_setup; podman_setup; }
#	teardown() { podman_teardown; lab_teardown; }
#
# OCI_RUNTIME is the runtime of pm_run: runc (default) or crun. PODMAN_BACKEND is what podman makes
# its own networks with: cni (default) or netavark.

IMAGE=localhost/busybox
OCI_RUNTIME=runc

# An example as it is, but for the path of the hook and the folders of this test.
example() { # FILE
	sed -e "s|\"/usr/local/libexec/oci-macvlan/oci-macvlan-hook\"|\"$BUILD/oci-macvlan-hook\"|" \
		-e "s|\"oci-macvlan-hook\", |&\"--etc\", \"$ETC\", \"--run\", \"$RUN\", |" \
		"$REPO/examples/$1"
}

# COMMAND must fail; what it said is in REFUSED.
refused() { # COMMAND...
	# shellcheck disable=SC2034 # for the tests
	if REFUSED=$("$@" 2>&1); then
		fail "must fail, but did not: $*"
		return 1
	fi
}

# What the hook had to say, on any runtime: crun and podman's poststop hide it.
assert_logged() { # PART...
	local line part

	line=$(tail -n 1 "$RUN/errors")
	for part; do
		assert_contains "$line" "$part"
	done
}

process_is_gone() { # PID
	[ ! -e "/proc/$1" ] || grep -q '^State:[[:space:]]*Z' "/proc/$1/status"
} 2>/dev/null

# Folders that podman uses whatever it is told: its locks, its cache of blobs.
engine_mounts() {
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /var/lib
}

# --- podman ---

# Storage with one image. Limits below the machine's own need no privilege, podman's usual may.
podman_setup_file() {
	export PODMAN=$BATS_FILE_TMPDIR/podman CONTAINERS_CONF=$BATS_FILE_TMPDIR/containers.conf

	engine_mounts
	mkdir -p "$PODMAN/hooks.d"
	cat >"$CONTAINERS_CONF" <<-EOF
		[containers]
		default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
		pids_limit = 0
		[network]
		network_backend = "${PODMAN_BACKEND:-cni}"
		network_config_dir = "$PODMAN/networks"
		[engine]
		cgroup_manager = "cgroupfs"
		events_logger = "file"
		infra_image = "$IMAGE"
		static_dir = "$PODMAN/static"
		volume_path = "$PODMAN/volumes"
	EOF
	annotation_check
	tar -C "$ROOTFS" -cf "$PODMAN/image.tar" .
	pm import --quiet --change 'CMD ["/bin/sleep","1000"]' --change 'STOPSIGNAL SIGKILL' \
		"$PODMAN/image.tar" "$IMAGE"
}

# The example's hooks with the folders of this test.
podman_setup() {
	local file

	for file in "$REPO"/examples/podman/*.json; do
		example "podman/${file##*/}" >"$PODMAN/hooks.d/${file##*/}"
	done
}

podman_teardown() {
	pm pod rm --all --force --time 0
	pm rm --all --force --depend --time 0
} >/dev/null

# With PODMAN_OWN_HOOKS=1 podman looks for hooks where it does by itself.
pm() { # ARG...
	local hooks=(--hooks-dir "$PODMAN/hooks.d")

	[ "${PODMAN_OWN_HOOKS-}" != 1 ] || hooks=()
	podman --root "$PODMAN/root" --runroot "$PODMAN/runroot" --tmpdir "$PODMAN/tmp" \
		--storage-driver vfs "${hooks[@]}" --runtime "$OCI_RUNTIME" "$@" 3>&-
}

# Up to version 4 podman reads an annotation as comma-separated values: one with a comma or a quote
# in it has to be quoted.
annotation_check() {
	ANNOTATION_IS_CSV=0
	if podman create --help | grep -q -- '--annotation strings'; then
		ANNOTATION_IS_CSV=1
	fi
	export ANNOTATION_IS_CSV
}

annotation() { # KEY=VALUE
	if [ "$ANNOTATION_IS_CSV" = 1 ]; then
		printf '"%s"' "${1//\"/\"\"}"
	else
		printf '%s' "$1"
	fi
}

# A container without podman's own network, on the LAN by its annotation.
pm_run() { # NAME NETWORKS [OPTION]...
	local name=$1 networks=$2
	shift 2

	pm run --detach --name "$name" --network none --cgroup-parent "/$OCI_MACVLAN_CGROUP" \
		--annotation "$(annotation "io.oci-macvlan.networks=$networks")" "$@" "$IMAGE"
}

# A pod without a network, and a member of it that asks for one.
pm_pod() { # POD
	pm pod create --name "$1" --network none --cgroup-parent "/$OCI_MACVLAN_CGROUP"
}

pm_pod_create() { # POD NAME NETWORKS [OPTION]...
	local pod=$1 name=$2 networks=$3
	shift 3

	pm create --pod "$pod" --name "$name" \
		--annotation "$(annotation "io.oci-macvlan.networks=$networks")" "$@" "$IMAGE"
}

pm_pod_run() { # POD NAME NETWORKS [OPTION]...
	pm_pod_create "$@" && pm start "$2"
}

# Of its init; 0 when it does not run.
pm_pid() { # NAME
	pm container inspect --format '{{.State.Pid}}' "$1"
}

pm_id() { # NAME
	pm container inspect --format '{{.Id}}' "$1"
}

pm_infra_pid() { # POD
	pm_pid "$(pm pod inspect --format '{{.InfraContainerID}}' "$1")"
}

pm_not_running() { # NAME
	assert_eq 0 "$(pm_pid "$1")" "pid of $1"
}

# conmon is how podman hears that a container ended: without it nobody runs poststop.
pm_kill_conmon() { # NAME...
	local pid

	for pid in $(pm container inspect --format '{{.State.ConmonPid}}' "$@"); do
		kill -KILL "$pid"
		wait_until process_is_gone "$pid"
	done
}

# --- containerd ---

# Only what `ctr run` with runc needs.
containerd_setup_file() {
	export CONTAINERD=$BATS_FILE_TMPDIR/containerd

	engine_mounts
	mkdir -p "$CONTAINERD"
	cat >"$CONTAINERD/config.toml" <<-EOF
		version = 2
		root = "$CONTAINERD/root"
		state = "/run/containerd"
		disabled_plugins = [
			"io.containerd.grpc.v1.cri",
			"io.containerd.internal.v1.opt",
			"io.containerd.snapshotter.v1.aufs",
			"io.containerd.snapshotter.v1.btrfs",
			"io.containerd.snapshotter.v1.devmapper",
			"io.containerd.snapshotter.v1.zfs",
		]
		[grpc]
		address = "/run/containerd/containerd.sock"
		[ttrpc]
		address = "/run/containerd/containerd.sock.ttrpc"
	EOF
	containerd_start
}

containerd_start() {
	containerd --config "$CONTAINERD/config.toml" </dev/null >>"$CONTAINERD/log" 2>&1 3>&- &
	echo "$!" >"$CONTAINERD/pid"
	disown
	wait_until ctr version >/dev/null 2>&1
}

containerd_stop() { # [SIGNAL]
	local pid

	pid=$(cat "$CONTAINERD/pid")
	kill "-${1:-TERM}" "$pid"
	wait_until process_is_gone "$pid"
}

# A config.json by the example's recipe, in BUNDLES/ID.json; the jq filter is applied last.
ctr_config() { # ID NETWORKS [FILTER]
	example containerd/config.jq >"$BUNDLES/config.jq"
	ctr oci spec | jq --from-file "$BUNDLES/config.jq" --arg id "$1" --arg root "$ROOTFS" \
		--arg networks "$2" --args /bin/sleep 1000 |
		jq ".linux.cgroupsPath = \"/$OCI_MACVLAN_CGROUP/$1\" | ${3-.}" >"$BUNDLES/$1.json"
}

ctr_run() { # ID [CTR-OPTION]...
	local id=$1
	shift

	ctr "$@" run --detach --config "$BUNDLES/$id.json" "$id" </dev/null 3>&-
}

ctr_pid() { # ID [CTR-OPTION]...
	local id=$1
	shift

	ctr "$@" task ls | awk -v id="$id" '$1 == id { print $2 }'
}

# The end of a container, of its task and of whatever is left of one that did not start.
ctr_rm() { # ID [CTR-OPTION]...
	local id=$1
	shift

	ctr "$@" task kill --signal KILL "$id" && wait_until ctr_is_stopped "$id" "$@"
	ctr "$@" task rm "$id"
	ctr "$@" container rm "$id"
} >/dev/null 2>&1

ctr_is_stopped() { # ID [CTR-OPTION]...
	local id=$1
	shift

	ctr "$@" task ls | awk -v id="$id" '$1 == id && $3 == "STOPPED" { found = 1 }
		END { exit !found }'
}

containerd_teardown() {
	local namespace id

	for namespace in $(ctr namespace ls --quiet); do
		for id in $(ctr --namespace "$namespace" container ls --quiet); do
			ctr_rm "$id" --namespace "$namespace" || true
		done
	done
}
