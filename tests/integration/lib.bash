# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# What the integration tests share. Run a file by itself with
#	tests/isolate.sh bats tests/integration/FILE.bats
#
# A test file says
#	load lib.bash
#	setup_file() { lab_setup_file; }	# LAN (lan.bash) and ROOTFS, once a file
#	setup() { lab_setup; }			# ETC, RUN, BUNDLES and RT_ROOT, new for each test
#	teardown() { lab_teardown; }		# containers gone; fails when anything of ours leaked
#
# RT is the runtime of the rt_* functions: runc (default) or crun.

set -u

REPO=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
BUILD=${OCI_MACVLAN_BUILD:-$REPO/build}
RT=${RT:-runc}

# shellcheck source=tests/integration/lan.bash
. "$REPO/tests/integration/lan.bash"

# --- conditions ---

fail() { # TEXT...
	echo "$*" >&2
	return 1
}

# Polls until COMMAND succeeds; fails after WAIT_SECONDS (default 10).
wait_until() { # COMMAND...
	local deadline=$((SECONDS + ${WAIT_SECONDS:-10} + 1)) # SECONDS is a whole number

	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			fail "waited for nothing: $*"
			return 1
		fi
		sleep 0.02
	done
}

assert_eq() { # EXPECTED ACTUAL [WHAT]
	[ "$1" = "$2" ] || fail "${3:-value}: expected '$1', got '$2'"
}

assert_contains() { # TEXT PART
	[[ $1 == *"$2"* ]] || fail "expected '$2' in: $1"
}

refute() { # COMMAND...
	if "$@"; then
		fail "must fail, but did not: $*"
		return 1
	fi
}

# --- the lab ---

# Makes a root file system of busybox in DIR; with the libraries when it is not the static one.
rootfs_make() { # DIR
	local library

	mkdir -p "$1"/{bin,dev,etc,proc,root,run,sys,tmp}
	cp "$(command -v busybox)" "$1/bin/busybox"
	while read -r library; do
		install -D "$library" "$1$library"
	done < <(ldd "$1/bin/busybox" 2>/dev/null | grep -o '/[^ ]*')
	for applet in sh sleep cat ls ip ping ping6 hostname true; do
		ln -s busybox "$1/bin/$applet"
	done
}

lab_setup_file() {
	if [ "${OCI_MACVLAN_ISOLATED-}" != 1 ]; then
		echo "run it as: tests/isolate.sh bats $BATS_TEST_FILENAME" >&2
		return 1
	fi
	# Not below bats's folder: a container in a user namespace has to get there.
	export ROOTFS=/run/rootfs
	rootfs_make "$ROOTFS"
	lan_up
}

# Scratch folders of one test, or of the demo: everything below DIR.
lab_folders() { # DIR
	ETC=$1/etc
	RUN=$1/run
	BUNDLES=$1/bundles
	RT_ROOT=$1/$RT
	SLEEPERS=$1/sleepers
	HOOK_ARGS=()
	mkdir -p "$ETC/networks" "$BUNDLES" "$RT_ROOT"
	: >"$SLEEPERS"
}

lab_setup() {
	lab_folders "$BATS_TEST_TMPDIR"
	# Of the test before this one, which had the same addresses, and MACs.
	wait_until lan_is_quiet || fail "still on eth0: $(lan_macs)"
}

# Ends what the test started, and checks that it left nothing: no claim, no record, no namespace
# entry. Runtimes have called poststop; what sleepers left is gc's.
lab_teardown() {
	local root

	for root in "$BATS_TEST_TMPDIR"/runc* "$BATS_TEST_TMPDIR"/crun*; do
		[ ! -d "$root" ] || RT_ROOT=$root RT=$(basename "$root" | cut -c 1-4) rt_cleanup
	done
	if [ -s "$SLEEPERS" ]; then
		sleepers_stop
		cli gc >/dev/null
	fi
	assert_run_empty
}

# --- networks and our programs ---

# Writes a network file; its name is the document's. Unless it says so nobody is asked on the LAN,
# which takes time; conflicts.bats does.
network_write() { # JSON
	local name

	name=$(jq -r .name <<<"$1")
	jq '{conflict_detection_ms: 0} + .' <<<"$1" >"$ETC/networks/$name.json"
}

# The walkthrough's network, with the members of JSON added to it or put in their place.
network_dual() { # [JSON]
	local default

	default=$(jq -n --arg v4 "$LAN_PREFIX4" --arg v6 "$LAN_PREFIX6" '{
		name: "macvlan0", parent: "eth0", subnets: [
			{subnet: ($v4 + ".0/24"), gateway: ($v4 + ".1")},
			{subnet: ($v6 + ":/64"), gateway: ($v6 + ":1")}]}')
	network_write "$(jq -n --argjson a "$default" --argjson b "${1:-{\}}" '$a + $b')"
}

cli() { # ARG...
	"$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" "$@"
}

# The hook, with HOOK_ARGS before the stage; the state on stdin.
hook() { # STAGE
	"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" "${HOOK_ARGS[@]}" "$1"
}

state_json() { # STATUS ID PID [KEY=VALUE]...
	local status=$1 id=$2 pid=$3
	shift 3

	jq -cn --arg status "$status" --arg id "$id" --argjson pid "$pid" --arg bundle "$BUNDLES/$id" \
		'{ociVersion: "1.0.2", id: $id, status: $status, pid: $pid, bundle: $bundle,
		  annotations: ($ARGS.positional
			| map({key: .[:index("=")], value: .[index("=") + 1:]}) | from_entries)}' --args "$@"
}

# Attaches the namespace of PID, as a runtime would. NETWORKS: io.oci-macvlan.networks.
attach() { # ID PID NETWORKS [KEY=VALUE]...
	local id=$1 pid=$2 networks=$3
	shift 3

	state_json creating "$id" "$pid" "io.oci-macvlan.networks=$networks" "$@" | hook createRuntime
}

# Attaches a new namespace to macvlan0. MS: how many milliseconds the hook took.
attach_timed() { # ID [KEY=VALUE]...
	local id=$1 start state=$BATS_TEST_TMPDIR/state
	shift

	sleeper_start
	state_json creating "$id" "$SLEEPER" io.oci-macvlan.networks=macvlan0 "$@" >"$state"
	start=$(date +%s%N)
	hook createRuntime <"$state"
	# shellcheck disable=SC2034 # the tests read it
	MS=$((($(date +%s%N) - start) / 1000000))
}

# Attaches to macvlan0, and is killed at the N-th CALL of a system call. (renameat: 1 is the intent,
# 2 the final record.)
attach_killed() { # ID PID CALL N
	state_json creating "$1" "$2" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	strace -qq -o /dev/null -e trace="$3" -e inject="$3":signal=KILL:when="$4" \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state" || true
}

# Attaches SLEEPER to macvlan0 as on a busy host: a system call takes its time. WHEN: "delay_enter=20ms"
# before each, or "delay_exit=20ms" after.
attach_slowly() { # ID CALL WHEN
	state_json creating "$1" "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$BATS_TEST_TMPDIR/state"
	ASAN_OPTIONS=detect_leaks=0 strace -qq -o /dev/null -e trace="$2" -e inject="$2:$3" \
		"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime \
		<"$BATS_TEST_TMPDIR/state"
}

# As crun calls it: pid 0.
detach() { # ID
	state_json stopped "$1" 0 | hook poststop
}

# --- processes that are containers without a runtime ---

# Starts a process in a network namespace of its own and leaves its pid in SLEEPER.
sleeper_start() {
	unshare --net sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	SLEEPER=$!
	disown "$SLEEPER"
	echo "$SLEEPER" >>"$SLEEPERS"
	wait_until netns_differs "$SLEEPER"
}

# The same in a mount namespace of its own, as a runtime's init is before it changes its root.
private_sleeper_start() {
	unshare --net --mount --propagation slave sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	SLEEPER=$!
	disown "$SLEEPER"
	echo "$SLEEPER" >>"$SLEEPERS"
	wait_until process_is "$SLEEPER" sleep
}

process_is() { # PID NAME
	[ "$(cat "/proc/$1/comm")" = "$2" ]
}

# The same in the network namespace of PID.
sleeper_join() { # PID
	nsenter -t "$1" -n sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	SLEEPER=$!
	disown "$SLEEPER"
	echo "$SLEEPER" >>"$SLEEPERS"
	wait_until netns_differs "$SLEEPER"
}

netns_differs() { # PID
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

sleeper_stop() { # PID
	kill -KILL "$1"
	wait_until process_gone "$1"
}

process_gone() { # PID
	[ ! -e "/proc/$1" ]
}

sleepers_stop() {
	local pid pids

	mapfile -t pids <"$SLEEPERS"
	for pid in "${pids[@]}"; do
		kill -KILL "$pid" 2>/dev/null || true
	done
	for pid in "${pids[@]}"; do
		wait_until process_gone "$pid"
	done
	: >"$SLEEPERS"
}

# The end of the container that attach() made of the process PID: death, then poststop.
release() { # ID [PID]
	sleeper_stop "${2:-$SLEEPER}"
	detach "$1"
}

# --- containers ---

# Makes a bundle in BUNDLES/ID from examples/RT.json, with our programs and folders in it.
#	-a KEY=VALUE	annotation (without -a, it asks for macvlan0)
#	-n NETWORK	--network argument of the hook
#	-j FILTER	jq filter on config.json, applied last
bundle_make() { # ID [OPTION]...
	local id=$1 option annotations=() networks=() filter=. OPTIND=1
	shift

	while getopts a:n:j: option; do
		case $option in
		a) annotations+=("$OPTARG") ;;
		n) networks+=(--network "$OPTARG") ;;
		j) filter="$filter | $OPTARG" ;;
		*) return 2 ;;
		esac
	done
	mkdir -p "$BUNDLES/$id"
	printf '%s\n' "${networks[@]}" | jq -Rn '[inputs | select(. != "")]' >"$BUNDLES/$id/networks"
	printf '%s\0' "${annotations[@]}" | jq -Rs 'split("\u0000") | map(select(. != "")
		| {key: .[:index("=")], value: .[index("=") + 1:]}) | from_entries' >"$BUNDLES/$id/annotations"
	jq --arg hook "$BUILD/oci-macvlan-hook" --arg etc "$ETC" --arg run "$RUN" \
		--arg rootfs "$ROOTFS" --arg cgroup "/${OCI_MACVLAN_CGROUP-oci-macvlan-test}/$id" \
		--slurpfile networks "$BUNDLES/$id/networks" \
		--slurpfile annotations "$BUNDLES/$id/annotations" '
		.hooks[][] |= (.path = $hook
			| .args = [.args[0], "--etc", $etc, "--run", $run] + $networks[0] + .args[1:])
		| .root.path = $rootfs
		| .linux.cgroupsPath = $cgroup
		| if $annotations[0] != {} then .annotations = $annotations[0]
		  elif $networks[0] != [] then del(.annotations) else . end
		| '"$filter" "$REPO/examples/$RT.json" >"$BUNDLES/$id/config.json"
}

rt() { # ARG...
	"$RT" --root "$RT_ROOT" "$@"
}

# The container keeps the descriptors that create has: a file and not bats's pipes, for which bats
# would wait. What the runtime said is printed.
rt_create() { # ID [BUNDLE]
	local bundle=${2:-$BUNDLES/$1} status=0

	rt create --bundle "$bundle" --pid-file "$bundle/pid" "$1" \
		</dev/null >"$bundle/out" 2>&1 3>&- || status=$?
	cat "$bundle/out"
	return "$status"
}

rt_start() { # ID
	rt start "$1"
}

rt_run() { # ID [BUNDLE]
	rt_create "$@" && rt_start "$1"
}

# Makes the bundle and runs it: see bundle_make.
container_run() { # ID [OPTION]...
	bundle_make "$@" && rt_run "$1"
}

# Kills init and waits for its death; poststop has not run then.
rt_kill() { # ID
	rt kill "$1" KILL
	wait_until rt_is_stopped "$1"
}

rt_is_stopped() { # ID
	[ "$(rt state "$1" | jq -r .status)" = stopped ]
}

# Removes a container, stopped or not; the runtime runs poststop.
rt_delete() { # ID
	rt delete --force "$1"
}

# All that is left of a test's containers. A first delete can fail on a half-made one.
rt_cleanup() {
	local id

	for id in $(rt list -q 2>/dev/null); do
		rt delete --force "$id" || rt delete --force "$id" || true
	done
}

container_pid() { # ID
	cat "$BUNDLES/$1/pid"
}

# Runs COMMAND on a host that has no DHCP client. /dev/null is no program, also not for root.
without_dhcp_client() { # COMMAND...
	# shellcheck disable=SC2016 # for that bash
	unshare --mount --propagation private bash -c '
		for program in udhcpc busybox; do
			mount --bind /dev/null "$(realpath "$(command -v "$program")")" || exit 99
		done
		exec "$@"' bash "$@"
}

# --- what the kernel says ---

in_netns() { # PID COMMAND...
	local pid=$1
	shift

	nsenter -t "$pid" -n "$@"
}

in_container() { # ID COMMAND...
	local id=$1
	shift

	in_netns "$(container_pid "$id")" "$@"
}

# Global addresses of an interface, sorted, in one line.
addresses() { # PID INTERFACE
	in_netns "$1" ip -j addr show dev "$2" | jq -r '[.[].addr_info[] | select(.scope == "global")
		| "\(.local)/\(.prefixlen)"] | sort | join(" ")'
}

assert_addresses() { # PID INTERFACE ADDRESS/LEN...
	local pid=$1 interface=$2
	shift 2

	assert_eq "$(jq -rn '$ARGS.positional | sort | join(" ")' --args "$@")" \
		"$(addresses "$pid" "$interface")" "addresses of $interface"
}

link_get() { # PID INTERFACE FILTER
	in_netns "$1" ip -d -j link show dev "$2" | jq -r ".[0] | $3"
}

mac_of() { # PID INTERFACE
	link_get "$1" "$2" .address
}

has_link() { # PID INTERFACE
	in_netns "$1" ip link show dev "$2" >/dev/null 2>&1
}

# Names of all interfaces but lo, in one line.
links() { # PID
	in_netns "$1" ip -j link | jq -r '[.[].ifname | select(. != "lo")] | sort | join(" ")'
}

# "GATEWAY DEV" of each default route, in one line.
default_routes() { # PID 4|6
	in_netns "$1" ip -"$2" -j route show default \
		| jq -r '[.[] | "\(.gateway // "link") \(.dev)"] | join(", ")'
}

assert_default() { # PID 4|6 "GATEWAY DEV"
	assert_eq "$3" "$(default_routes "$1" "$2")" "IPv$2 default route"
}

# "DST GATEWAY DEV" of the routes to DST.
route_to() { # PID 4|6 DST
	in_netns "$1" ip -"$2" -j route show "$3" \
		| jq -r '[.[] | "\(.dst) \(.gateway // "link") \(.dev)"] | join(", ")'
}

sysctl_of() { # PID NAME (as net/ipv6/conf/eth0/accept_ra)
	in_netns "$1" cat "/proc/sys/$2"
}

can_ping() { # PID ADDRESS [PING-OPTION]...
	local pid=$1 address=$2
	shift 2

	in_netns "$pid" ping -c 1 -W 2 "$@" "$address" >/dev/null
}

cannot_ping() { # PID ADDRESS [PING-OPTION]...
	local pid=$1 address=$2
	shift 2

	refute in_netns "$pid" ping -c 1 -W 0.5 "$@" "$address" >/dev/null
}

# Everything in RUN that belongs to a container; hints, empty pools and what is a stranger's on the
# LAN are none's.
run_listing() {
	[ ! -d "$RUN/containers" ] || (cd "$RUN" && find pools containers netns dns -mindepth 1 \
		! \( -path 'pools/*' -type d \) ! -name '.hint-*' ! -lname '.conflict/*' | sort)
}

# No claim, no record and no namespace entry is left.
assert_run_empty() {
	assert_eq "" "$(run_listing)" "left in RUN"
}

# Who holds ADDRESS: the target of the claim.
claim_owner() { # ADDRESS [PARENT]
	readlink "$RUN/pools/${2:-eth0}/$1"
}

# Addresses claimed in a parent's pool, sorted, in one line.
claims() { # [PARENT]
	find "$RUN/pools/${1:-eth0}" -type l ! -name '.*' -printf '%f\n' | sort | paste -sd ' '
}

# The names that a container has in a parent's pool, sorted, in one line.
name_claims() { # ID [PARENT]
	find "$RUN/pools/${2:-eth0}" -type l -name '.*' -lname "$1/*" -printf '%f\n' | sort | paste -sd ' '
}
