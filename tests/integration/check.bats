#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# oci-macvlan check: each condition is made real, and check has to find it, and nothing else. What
# the machine itself has (its firmware, its podman, its crun) is covered by empty folders.

load lib.bash

setup_file() {
	lab_setup_file
	mkdir -p /run/cover/{dmi,hooks.d}
	# The links of this namespace, and a firmware of our own.
	mkdir /run/cover/net
	mount --bind /sys/class/net /run/cover/net
	mount -t tmpfs tmpfs /sys/class
	mkdir -p /sys/class/{net,dmi/id}
	mount --move /run/cover/net /sys/class/net
	mount -t tmpfs tmpfs /etc/containers
	mount -t tmpfs tmpfs /usr/share/containers
	export PODMAN_HOOKS=/usr/share/containers/oci/hooks.d HOOK=/run/cover/oci-macvlan-hook
	install -m 755 /dev/null "$HOOK" # root's, whoever has built ours
}

setup() {
	lab_setup
	network_good
}

teardown() {
	rm -rf /sys/class/dmi/id/* "$PODMAN_HOOKS" /etc/containers/oci /run/cdi
	lab_teardown
}

# --- what check says ---

# The network of the walkthrough, on which there is nothing to remark, with JSON in it.
network_good() { # [JSON]
	network_dual "$(jq -cn --argjson a '{"conflict_detection_ms": 200, "dns": {"mode": "none"}}' --argjson b "${1:-{\}}" '$a + $b')"
}

# Lines of check but those about the machine's own crun and podman. CHECK_STATUS is its exit status.
check() { # NETWORK...
	CHECK_STATUS=0
	cli check "$@" >"$BATS_TEST_TMPDIR/found" 2>"$BATS_TEST_TMPDIR/stderr" || CHECK_STATUS=$?
	assert_eq "" "$(cat "$BATS_TEST_TMPDIR/stderr")" stderr
	grep -v "^note     \(crun\|podman\) ('/usr" "$BATS_TEST_TMPDIR/found" || true
}

# check ends with STATUS and says one line beside those that are ok: it begins with WORD and has all
# TEXTs.
finds() { # STATUS WORD TEXT...
	local expected=$1 word=$2 text found
	shift 2

	check >"$BATS_TEST_TMPDIR/lines"
	found=$(grep -v '^ok ' "$BATS_TEST_TMPDIR/lines" || true)
	assert_eq "$expected" "$CHECK_STATUS" "exit status of '$found'"
	assert_eq 1 "$(grep -c . <<<"$found")" "lines of '$found'"
	assert_eq "$word" "${found%% *}" "word of '$found'"
	for text in "$@"; do
		assert_contains "$found" "$text"
	done
}

finds_nothing() {
	check >"$BATS_TEST_TMPDIR/lines"
	assert_eq "ok       network 'macvlan0': parent 'eth0', mode bridge, 10.0.0.0/24,2001:db8:babe:cafe::/64" \
		"$(cat "$BATS_TEST_TMPDIR/lines")"
	assert_eq 0 "$CHECK_STATUS"
}

# --- the command ---

@test "all is well: a line for each network, status 0, and nothing is changed" {
	finds_nothing
	refute test -e "$RUN"
	network_good '{"name": "b", "subnets": [], "ipam": {"driver": "none"}}'
	ip -j link >"$BATS_TEST_TMPDIR/before"
	assert_eq "ok       network 'b': parent 'eth0', mode bridge, no addresses" "$(check b)"
	assert_eq "b macvlan0" "$(check | grep -o "network '[^']*'" | cut -d "'" -f 2 | paste -sd ' ')"
	assert_eq "$(cat "$BATS_TEST_TMPDIR/before")" "$(ip -j link)"
}

@test "it asks neither for the kernel's modules nor for anything but to read" {
	network_good '{"parent": "nosuchlink"}'
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=ioctl,execve,mkdir,mkdirat,unlink,unlinkat,symlink,symlinkat,rename,renameat,mount,finit_module \
		"$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" check >/dev/null || true
	assert_eq 1 "$(grep -vc 'ioctl(1, TCGETS\|exited with' "$BATS_TEST_TMPDIR/trace")" \
		"calls but its own execve: $(cat "$BATS_TEST_TMPDIR/trace")"
}

@test "networks: none, one that is not there, files that cannot be read" {
	run cli check nope
	assert_eq 1 "$status"
	assert_contains "${lines[0]}" "broken   network 'nope' does not exist"
	run cli check ../x
	assert_eq 1 "$status"
	ETC=$BATS_TEST_TMPDIR/none run cli check nope
	assert_eq 1 "$status"
	assert_contains "${lines[0]}" "broken   network 'nope' does not exist"
	echo '{' >"$ETC/networks/torn.json"
	finds 1 broken "networks/torn.json" JSON
	ln -sf macvlan0.json "$ETC/networks/torn.json"
	finds 1 broken "networks/torn.json" "'macvlan0' is not the file's name"
	rm "$ETC"/networks/*
	finds 0 note "no networks are defined" "network create"
	rm -r "$ETC"
	finds 0 note "no networks are defined"
}

# --- parents ---

@test "a parent that an attach refuses" {
	network_good '{"parent": "eth9"}'
	finds 1 broken "network 'macvlan0': parent 'eth9' does not exist"
	network_good '{"parent": "lo"}'
	finds 1 broken "'lo'" loopback
	network_good '{"mtu": 9000}'
	finds 1 broken "mtu 9000" 1500
	ip link add br0 type bridge
	ip link add port type veth peer name port-peer
	ip link set port master br0
	network_good '{"parent": "port"}'
	finds 1 broken "'port'" "'br0'"
	ip link del port
	ip link del br0
	ip tuntap add tun0 mode tun
	network_good '{"parent": "tun0"}'
	finds 1 broken "'tun0'" Ethernet
	ip link del tun0
	ip link add mv0 link eth0 type macvlan
	network_good '{"parent": "mv0"}'
	finds 1 broken "'mv0'" "use parent 'eth0'"
	ip link del mv0
}

@test "a parent that is down, that has no carrier, that is promiscuous" {
	ip link add up0 type veth peer name up1
	network_write '{"name": "macvlan0", "parent": "up0", "ipam": {"driver": "none"}}'
	finds 0 warning "network 'macvlan0'" "'up0' is down" "ip link set up0 up"
	ip link set up0 up
	finds 0 warning "'up0' has no carrier"
	ip link set up1 up
	ip link set up0 promisc on
	finds 0 note "'up0'" promiscuous "promisc off"
	ip link del up0
}

@test "a bridge as a parent, whose frames the host's firewall sees" {
	ip link add br0 type bridge forward_delay 0
	ip link add port type veth peer name port-peer
	ip link set port master br0 up
	ip link set port-peer up
	ip link set br0 up
	wait_until grep -q 1 /sys/class/net/br0/carrier
	network_write '{"name": "macvlan0", "parent": "br0", "ipam": {"driver": "none"}}'
	for name in iptables ip6tables arptables; do
		echo 0 >"/proc/sys/net/bridge/bridge-nf-call-$name"
	done
	check >"$BATS_TEST_TMPDIR/lines"
	assert_eq "ok       network 'macvlan0': parent 'br0', mode bridge, no addresses" \
		"$(cat "$BATS_TEST_TMPDIR/lines")"
	for name in iptables ip6tables arptables; do
		echo 1 >"/proc/sys/net/bridge/bridge-nf-call-$name"
		finds 0 warning "'br0' is a bridge" "sysctl -w net.bridge.bridge-nf-call-$name=0"
		echo 0 >"/proc/sys/net/bridge/bridge-nf-call-$name"
	done
	ip link del port
	ip link del br0
}

# --- where the machine runs ---

firmware() { # FILE=TEXT...
	rm -rf /sys/class/dmi/id/*
	for file in "$@"; do
		echo "${file#*=}" >"/sys/class/dmi/id/${file%%=*}"
	done
}

@test "hypervisors and clouds that drop frames of containers" {
	firmware "sys_vendor=VMware, Inc." "product_name=VMware7,1"
	finds 0 warning "'eth0'" VMware "Forged transmits" "Promiscuous mode"
	firmware "sys_vendor=Microsoft Corporation" "product_name=Virtual Machine" chassis_asset_tag=1234
	finds 0 warning Hyper-V MacAddressSpoofing
	firmware "sys_vendor=Microsoft Corporation" "product_name=Virtual Machine" \
		chassis_asset_tag=7783-7084-3265-9085-8269-3286-77
	finds 0 warning "Microsoft Azure" "cannot work"
	firmware "sys_vendor=innotek GmbH" product_name=VirtualBox
	finds 0 warning VirtualBox "Allow All"
	firmware "sys_vendor=Amazon EC2" product_name=t3.micro
	finds 0 warning "Amazon EC2" "cannot work"
	firmware sys_vendor=Xen "product_name=HVM domU" bios_version=4.11.amazon
	finds 0 warning "Amazon EC2"
	firmware sys_vendor=Google "product_name=Google Compute Engine"
	finds 0 warning "Google Compute Engine"
	firmware sys_vendor=DigitalOcean product_name=Droplet
	finds 0 warning DigitalOcean
	firmware sys_vendor=Hetzner product_name=vServer
	finds 0 warning Hetzner
	firmware "sys_vendor=OpenStack Foundation" "product_name=OpenStack Nova"
	finds 0 warning OpenStack disable-port-security
	firmware sys_vendor=QEMU chassis_asset_tag=OracleCloud.com
	finds 0 warning "Oracle Cloud"
	# Once, and each network is as well as it is.
	network_good '{"name": "second"}'
	finds 0 warning "Oracle Cloud"
	assert_eq 2 "$(check | grep -c '^ok ')" "networks that are ok"
	rm "$ETC/networks/second.json"
	firmware sys_vendor=QEMU "product_name=Standard PC (Q35 + ICH9, 2009)"
	finds_nothing
	firmware "sys_vendor=Dell Inc." product_name=PowerEdge
	finds_nothing
}

@test "a NIC whose driver tells the hypervisor" {
	mkdir -p "$BATS_TEST_TMPDIR/net/eth0/device"
	mount --bind "$BATS_TEST_TMPDIR/net" /sys/class/net
	for driver in vmxnet3=VMware hv_netvsc=Hyper-V ena=Amazon gve=Google; do
		ln -sfn "../../../bus/pci/drivers/${driver%=*}" "$BATS_TEST_TMPDIR/net/eth0/device/driver"
		finds 0 warning "'eth0'" "${driver#*=}"
	done
	ln -sfn ../../../bus/virtio/drivers/virtio_net "$BATS_TEST_TMPDIR/net/eth0/device/driver"
	finds_nothing
	umount /sys/class/net
}

# --- addresses ---

@test "a gateway that is the host itself" {
	network_good '{"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.0.2"}]}'
	finds 0 warning "gateway 10.0.0.2 is this host" host_access
	network_good '{"subnets": [{"subnet": "2001:db8:babe:cafe::/64", "gateway": "2001:db8:babe:cafe::2"}]}'
	finds 0 warning "gateway 2001:db8:babe:cafe::2 is this host"
}

@test "a subnet in which the host has no address yet" {
	network_good '{"subnets": [{"subnet": "10.9.0.0/24"}]}'
	finds 0 note "network 'macvlan0': the host has no address in 10.9.0.0/24" ip_range
	network_good '{"subnets": [{"subnet": "10.9.0.0/24", "ip_range": "10.9.0.128/25"}]}'
	finds_ok
	# One in 2^64 is nobody's worry.
	network_good '{"subnets": [{"subnet": "fd00::/64"}]}'
	finds_ok
	ip addr add 10.9.0.7/24 dev eth0
	network_good '{"subnets": [{"subnet": "10.9.0.0/24"}]}'
	finds_ok
	ip addr del 10.9.0.7/24 dev eth0
}

finds_ok() {
	check >"$BATS_TEST_TMPDIR/lines"
	assert_eq "" "$(grep -v '^ok ' "$BATS_TEST_TMPDIR/lines")"
	assert_eq 0 "$CHECK_STATUS"
}

@test "conflict detection that is off" {
	network_good '{"conflict_detection_ms": 0}'
	finds 0 note "conflict_detection_ms is 0" "aux_addresses"
}

@test "an address that is kept back, because a machine on the LAN has it" {
	local machine=02:00:00:00:00:77 seconds

	lan_add_machine m1 10.0.0.3/24
	ip -n m1 link set eth0 address "$machine"
	network_good '{"conflict_detection_ms": 200}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	lan_remove_machine m1
	finds 0 note "parent 'eth0': address 10.0.0.3 is in use on the LAN by MAC $machine" aux_addresses
	seconds=$(check | grep -o 'for [0-9]* seconds' | cut -d ' ' -f 2)
	[ "$seconds" -gt 500 ] && [ "$seconds" -le 600 ] || fail "seconds: '$seconds'"
	release c0
	# One that has passed, and what is none at all; sorted by address.
	ln -s ".conflict/$machine-1" "$RUN/pools/eth0/10.0.0.9"
	ln -s .conflict/x "$RUN/pools/eth0/10.0.0.10"
	ln -s ".conflict/$machine-99999999" "$RUN/pools/eth0/10.0.0.100"
	ln -s ".conflict/$machine-99999999" "$RUN/pools/eth0/10.0.0.20"
	assert_eq "10.0.0.3 10.0.0.20 10.0.0.100" \
		"$(check | grep -o 'address [0-9.]*' | cut -d ' ' -f 2 | paste -sd ' ')"
	find "$RUN/pools/eth0" -type l -lname '.conflict/*' -delete
}

# --- podman and CDI ---

# A file of podman's hooks: what a good one says, through FILTER.
podman_hook() { # NAME STAGE [FILTER]
	mkdir -p "$PODMAN_HOOKS"
	jq --arg path "$HOOK" --arg stage "$2" \
		'.hook.path = $path | .hook.args[-1] = $stage | .stages = [$stage] | '"${3:-.}" \
		"$REPO/examples/podman/oci-macvlan.json" >"$PODMAN_HOOKS/$1.json"
}

@test "podman: the examples, installed well" {
	podman_hook a createRuntime
	podman_hook b poststop
	# Those of others are theirs.
	echo 'no json' >"$PODMAN_HOOKS/other.json"
	echo '{"hook": {"path": "/nowhere/nvidia-hook"}, "stages": ["prestart"]}' >"$PODMAN_HOOKS/nvidia.json"
	echo oci-macvlan-hook >"$PODMAN_HOOKS/README"
	finds_nothing
}

@test "podman: a program that is not there, or cannot be run" {
	podman_hook a createRuntime '.hook.path = "/nowhere/oci-macvlan-hook"'
	podman_hook b poststop
	finds 1 broken "'$PODMAN_HOOKS/a.json'" "no program '/nowhere/oci-macvlan-hook'" "podman"
	touch "$BATS_TEST_TMPDIR/oci-macvlan-hook"
	podman_hook a createRuntime ".hook.path = \"$BATS_TEST_TMPDIR/oci-macvlan-hook\""
	finds 1 broken "no program '$BATS_TEST_TMPDIR/oci-macvlan-hook'"
	chmod +x "$BATS_TEST_TMPDIR/oci-macvlan-hook"
	finds_nothing
}

@test "podman: one stage without the other, and stages that do not fit" {
	podman_hook a createRuntime
	finds 0 warning "not at poststop" gc
	podman_hook a poststop
	finds 1 broken "not at createRuntime"
	podman_hook b createRuntime '.hook.args[-1] = "poststop"'
	finds 1 broken "b.json" "runs at createRuntime, but its last argument is 'poststop'"
	podman_hook b createRuntime 'del(.hook.args)'
	finds 1 broken "b.json" "its last argument is ''"
	podman_hook b createRuntime '.stages = []'
	run check
	assert_contains "$output" "has no stages"
	podman_hook b prestart
	finds_nothing
}

@test "podman: a timeout of 0, and files that cannot be read" {
	podman_hook a createRuntime '.hook.timeout = 0'
	podman_hook b poststop
	finds 1 broken a.json "timeout is 0"
	podman_hook a createRuntime
	echo '{"hook": {"path": "/x/oci-macvlan-hook"' >"$PODMAN_HOOKS/c.json"
	finds 1 broken c.json JSON
	rm "$PODMAN_HOOKS/c.json"
	mkdir "$PODMAN_HOOKS/oci-macvlan-x.json"
	finds 1 broken oci-macvlan-x.json "not a regular file"
	rmdir "$PODMAN_HOOKS/oci-macvlan-x.json"
	mkfifo "$PODMAN_HOOKS/fifo.json"
	finds_nothing
	truncate -s 2M "$PODMAN_HOOKS/oci-macvlan-large.json"
	finds 1 broken "larger than"
}

@test "podman: the second folder, and links" {
	podman_hook a createRuntime '.hook.path = "/nowhere/oci-macvlan-hook"'
	podman_hook b poststop
	mkdir -p /etc/containers/oci/hooks.d
	mv "$PODMAN_HOOKS/a.json" "$BATS_TEST_TMPDIR/linked"
	ln -s "$BATS_TEST_TMPDIR/linked" /etc/containers/oci/hooks.d/a.json
	finds 1 broken "/etc/containers/oci/hooks.d/a.json" /nowhere/
}

@test "podman: hooks_dir of containers.conf is where it looks" {
	podman_hook a createRuntime '.hook.path = "/nowhere/oci-macvlan-hook"'
	mv "$PODMAN_HOOKS" "$BATS_TEST_TMPDIR/hooks"
	for conf in /usr/share/containers /etc/containers; do
		printf '%s\n' '[engine]' '#hooks_dir = ["/nowhere"]' 'hooks_dirs = ["/nowhere"]' 'hooks_dir = [' \
			'  "/nowhere", # "/none"' "  '$BATS_TEST_TMPDIR/hooks'," ']' 'x = ["/etc"]' \
			>"$conf/containers.conf"
		check >"$BATS_TEST_TMPDIR/lines"
		assert_contains "$(cat "$BATS_TEST_TMPDIR/lines")" "broken   '$BATS_TEST_TMPDIR/hooks/a.json': there is no program"
		rm "$conf/containers.conf"
		finds_nothing
	done
	for torn in 'hooks_dir = ["/x' 'hooks_dir = [' 'hooks_dir' 'hooks_dir = ["' 'hooks_dir = [#' 'hooks_dir = "/x"' "hooks_dir=[''"; do
		printf '%s' "$torn" >/etc/containers/containers.conf
		finds_nothing
	done
	rm /etc/containers/containers.conf
}

@test "podman without a hook of ours" {
	assert_contains "$(cli check)" "note     podman ('$(command -v podman)') has no hook of ours in '$PODMAN_HOOKS'"
	cdi_spec .
	refute grep -q "podman (" <(cli check)
	rm /run/cdi/*
	podman_hook a createRuntime
	podman_hook b poststop
	refute grep -q "podman (" <(cli check)
}

cdi_spec() { # FILTER
	mkdir -p /run/cdi
	jq -n --arg path "$HOOK" '
		def hook($stage): {hookName: $stage, path: $path, timeout: 40,
			args: ["oci-macvlan-hook", "--network", "macvlan0", $stage]};
		{cdiVersion: "0.3.0", kind: "oci-macvlan.io/network", devices: [{name: "macvlan0",
			containerEdits: {hooks: [hook("createRuntime"), hook("poststop")]}}]} | '"$1" \
		>/run/cdi/macvlan.json
}

@test "CDI: programs, stages and timeouts" {
	cdi_spec .
	finds_nothing
	cdi_spec '.devices[0].containerEdits.hooks[0].path = "/nowhere/oci-macvlan-hook"'
	finds 1 broken "/var/run/cdi/macvlan.json" "no program" "do not start"
	cdi_spec '.devices[0].containerEdits.hooks[1].timeout = 0'
	finds 1 broken "timeout is 0"
	cdi_spec 'del(.devices[0].containerEdits.hooks[1])'
	finds 0 warning "device 'macvlan0'" "not at poststop"
	cdi_spec '.containerEdits.hooks = [.devices[0].containerEdits.hooks[1]]
		| del(.devices[0].containerEdits.hooks[1])'
	finds_nothing
	cdi_spec 'del(.devices[0].containerEdits.hooks[0])'
	finds 1 broken "device 'macvlan0'" "not at createRuntime"
	cdi_spec '.devices = 5'
	finds_nothing
	cdi_spec '[.]'
	finds_nothing
	echo 'oci-macvlan-hook' >/run/cdi/macvlan.json
	finds 1 broken "/var/run/cdi/macvlan.json" JSON
}

# --- the runtime and the state ---

@test "crun hides what the hook says" {
	run cli check
	assert_contains "$output" "note     crun ('$(command -v crun)')"
	assert_contains "$output" "$RUN/errors"
}

@test "endpoints that are lost or dead" {
	network_good '{"conflict_detection_ms": 0, "ipam": {"driver": "none"}, "subnets": []}'
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	finds_ok
	in_netns "$SLEEPER" ip link del eth0
	finds 0 warning "container 'c0'" "'eth0'" "is gone" restart
	sleeper_stop "$SLEEPER"
	finds 0 note "container 'c0'" dead "oci-macvlan gc"
	detach c0
}

@test "the last errors of the hook, the newest last" {
	network_good
	sleeper_start
	for n in {1..7}; do
		refute attach c0 "$SLEEPER" "none$n"
	done
	check >"$BATS_TEST_TMPDIR/lines"
	assert_eq 0 "$CHECK_STATUS"
	assert_eq "none3 none4 none5 none6 none7" \
		"$(grep '^note     the hook failed at 20.*T.*Z: ' "$BATS_TEST_TMPDIR/lines" | grep -o 'none[0-9]' | uniq | paste -sd ' ')"
	printf '2026-01-01T00:00:00Z \033[31mred\n\n   \nhalf' >"$RUN/errors"
	check >"$BATS_TEST_TMPDIR/lines"
	assert_contains "$(cat "$BATS_TEST_TMPDIR/lines")" '2026-01-01T00:00:00Z: \x1b[31mred'
}

@test "a state folder that nobody could attach with" {
	mkdir -m 0777 "$RUN"
	chmod 0777 "$RUN"
	finds 1 broken "state folder '$RUN'" 0777 chmod
	rmdir "$RUN"
	touch "$RUN"
	finds 1 broken "state folder '$RUN'" "not a folder"
	rm "$RUN"
}

# The folders of bats are not for all to read.
@test "not root, and rootless" {
	lab_folders "$(mktemp -d /run/check.XXXXXX)"
	chmod -R a+rX "${ETC%/etc}"
	network_good
	mkdir "$RUN"
	found=$(setpriv --reuid 1000 --clear-groups "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" check) \
		|| fail "failed: $found"
	assert_contains "$found" "note     not run as root"
	assert_contains "$found" "ok       network 'macvlan0'"
	run unshare --user --map-root-user "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" check
	assert_eq 1 "$status"
	assert_contains "$output" "broken   rootless runtimes are not supported"
	rm -r "${ETC%/etc}"
}

# What distributions install below /lib/modules; LINE in one list and nothing in the other.
modules() { # LIST LINE
	mkdir -p "$BATS_TEST_TMPDIR/upper/modules/$(uname -r)"
	: >"$BATS_TEST_TMPDIR/upper/modules/$(uname -r)/modules.builtin"
	: >"$BATS_TEST_TMPDIR/upper/modules/$(uname -r)/modules.dep"
	echo "$2" >"$BATS_TEST_TMPDIR/upper/modules/$(uname -r)/$1"
}

@test "a kernel without macvlan" {
	[ ! -e /sys/module/macvlan ] || mount -t tmpfs tmpfs /sys/module
	mkdir "$BATS_TEST_TMPDIR/work"
	modules modules.dep kernel/net/dummy.ko:
	mount -t overlay overlay -o "lowerdir=/usr/lib,upperdir=$BATS_TEST_TMPDIR/upper,workdir=$BATS_TEST_TMPDIR/work" /usr/lib
	finds 1 broken "kernel $(uname -r): it has no macvlan" "/lib/modules/$(uname -r)"
	modules modules.dep kernel/drivers/net/macvlan.ko.xz:
	finds_nothing
	modules modules.builtin kernel/drivers/net/macvlan.ko
	finds_nothing
	umount -l /usr/lib
	! mountpoint -q /sys/module || umount -l /sys/module
}
