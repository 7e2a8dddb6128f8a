#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a container resolves names with, under runc; dns_crun.bats is a symbolic link to this file,
# and runs it under crun.

case $BATS_TEST_FILENAME in
*_crun.bats) RT=crun ;;
*) RT=runc ;;
esac
export RT
load lib.bash

setup_file() {
	lab_setup_file
	ip netns exec router dnsmasq --keep-in-foreground --no-resolv --no-hosts --conf-file=/dev/null \
		--pid-file= --bind-interfaces --listen-address=10.0.0.1 --user=root \
		--address=/printer.lan.test/10.0.0.77 \
		--address=/printer.lan.test/2001:db8:babe:cafe::77 </dev/null >/dev/null 2>&1 3>&- &
	disown
	wait_until dns_answers
}

dns_answers() {
	ip netns exec router busybox nslookup printer.lan.test 10.0.0.1 >/dev/null 2>&1
}

setup() {
	lab_setup
	# Each test has a root file system of its own, to which it does what images do.
	SHARED_ROOTFS=$ROOTFS
	ROOTFS=/run/dns-rootfs
	rm -rf "$ROOTFS"
	cp -a "$SHARED_ROOTFS" "$ROOTFS"
	ln -s busybox "$ROOTFS/bin/nslookup"
	HOST_RESOLV=$BATS_TEST_TMPDIR/resolv.conf
	printf '# of the host\nnameserver 10.0.0.1\nsearch lan.test\n' >"$HOST_RESOLV"
	mount --bind "$HOST_RESOLV" "$(realpath /etc/resolv.conf)"
	network_dual
}

teardown() {
	umount "$(realpath /etc/resolv.conf)"
	rm -rf /run/systemd /run/NetworkManager
	lab_teardown
	assert_no_leftovers
}

assert_no_leftovers() {
	[ ! -d "$RUN/dns" ] || assert_eq "" "$(ls "$RUN/dns")" "left in RUN/dns"
}

# The image has no resolv.conf, before and after.
assert_untouched() {
	assert_no_leftovers
	[ ! -e "$ROOTFS/etc/resolv.conf" ] || fail "a resolv.conf is left in the image"
}

resolv_of() { # ID
	rt exec "$1" cat /etc/resolv.conf
}

# How many mounts there are on it.
resolv_mounts() { # ID
	rt exec "$1" cat /proc/self/mountinfo | awk '$5 == "/etc/resolv.conf"' | wc -l
}

HOST_TEXT='nameserver 10.0.0.1
search lan.test'

rw=('-j' '.root.readonly = false')

# Runs a container whose hook is traced; what it logs, and the calls in TRACE, are in LOG.
traced_run() { # ID [OPTION]...
	local id=$1
	shift

	LOG=$BATS_TEST_TMPDIR/log
	: >"$LOG"
	cat >"$BATS_TEST_TMPDIR/traced" <<-END
		#!/bin/sh
		export ASAN_OPTIONS=detect_leaks=0
		exec strace -A -qq -s 1000 -e trace=${TRACE-sendto} -o "$LOG" "$BUILD/oci-macvlan-hook" "\$@"
	END
	chmod +x "$BATS_TEST_TMPDIR/traced"
	container_run "$id" "$@" -j ".hooks.createRuntime[].path = \"$BATS_TEST_TMPDIR/traced\""
}

assert_logged() { # PART
	assert_contains "$(grep /dev/log "$LOG")" "$1"
}

assert_not_logged() {
	refute grep /dev/log "$LOG"
}

@test "the host's resolvers, and a name resolves over the LAN" {
	container_run c0
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
	assert_contains "$(rt exec c0 nslookup printer.lan.test)" 10.0.0.77
	assert_eq 1 "$(resolv_mounts c0)"
	assert_eq 644 "$(stat -c %a "$RUN/dns/c0.conf")"
	rt_delete c0
	assert_untouched
}

@test "a root file system that may be written" {
	container_run c0 "${rw[@]}"
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
	# Our file is not the container's to fill.
	refute rt exec c0 sh -c 'echo x >/etc/resolv.conf'
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
	rt_delete c0
	assert_untouched
}

@test "an image's own file is covered, and is as before" {
	for content in "nameserver 192.0.2.1" ""; do
		printf '%s' "$content" >"$ROOTFS/etc/resolv.conf"
		container_run c0
		assert_eq "$HOST_TEXT" "$(resolv_of c0)"
		rt_delete c0
		assert_eq "$content" "$(cat "$ROOTFS/etc/resolv.conf")"
		assert_no_leftovers
	done
}

@test "a network file without dns, and one that names the mode" {
	network_dual '{"dns": {"mode": "host"}}'
	container_run c0
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
}

@test "mode none leaves the image's file" {
	network_dual '{"dns": {"mode": "none"}}'
	echo "nameserver 192.0.2.1" >"$ROOTFS/etc/resolv.conf"
	TRACE=openat,sendto traced_run c0 -a io.oci-macvlan.networks=macvlan0 \
		-a io.oci-macvlan.name=web
	assert_eq "nameserver 192.0.2.1" "$(resolv_of c0)"
	refute grep -e config.json -e resolv.conf "$LOG"
	[ ! -e "$RUN/dns/c0.conf" ]
}

@test "mode static, with search and options" {
	network_dual '{"dns": {"mode": "static", "servers": ["10.0.0.1", "2001:db8:babe:cafe::1"],
		"search": ["lan.test", "example.org"], "options": ["ndots:2", "timeout:1"]}}'
	container_run c0
	assert_eq "nameserver 10.0.0.1
nameserver 2001:db8:babe:cafe::1
search lan.test example.org
options ndots:2 timeout:1" "$(resolv_of c0)"
	assert_contains "$(rt exec c0 nslookup printer.lan.test)" 10.0.0.77
}

@test "of several networks the first that does not say none decides" {
	lan_add_parent eth1 7 2>/dev/null || true
	network_dual '{"dns": {"mode": "none"}}'
	network_write '{"name": "second", "parent": "eth1", "subnets": [{"subnet": "10.7.0.0/24"}],
		"dns": {"mode": "static", "servers": ["10.7.0.1"]}}'
	network_write '{"name": "third", "parent": "eth1", "subnets": [{"subnet": "10.8.0.0/24"}]}'
	container_run c0 -a io.oci-macvlan.networks=macvlan0,second,third
	assert_eq "nameserver 10.7.0.1" "$(resolv_of c0)"
}

@test "the host's stub is replaced by what it asks" {
	printf 'nameserver 127.0.0.53\noptions edns0 trust-ad\n' >"$HOST_RESOLV"
	mkdir -p /run/systemd/resolve
	printf '# upstream\nnameserver 10.0.0.1\nnameserver ::1\n' >/run/systemd/resolve/resolv.conf
	container_run c0
	assert_eq "nameserver 10.0.0.1" "$(resolv_of c0)"
	rt_delete c0
	rm -r /run/systemd
	mkdir -p /run/NetworkManager
	printf 'nameserver 127.0.0.1\n' >/run/NetworkManager/resolv.conf
	printf 'nameserver 10.0.0.9\n' >/run/NetworkManager/no-stub-resolv.conf
	container_run c0
	assert_eq "nameserver 10.0.0.9" "$(resolv_of c0)"
}

@test "a stub beside real servers is left out" {
	printf 'nameserver 127.0.0.1\nnameserver 10.0.0.1\nnameserver fe80::1%%eth0\n' >"$HOST_RESOLV"
	container_run c0
	assert_eq "nameserver 10.0.0.1" "$(resolv_of c0)"
}

@test "no server that a container can reach: nothing is written, and it is logged" {
	for text in "nameserver 127.0.0.53" "nameserver ::1" "search lan.test" ""; do
		printf '%s\n' "$text" >"$HOST_RESOLV"
		traced_run c0
		assert_logged "no DNS: the host names no server"
		refute rt exec c0 cat /etc/resolv.conf
		assert_addresses "$(container_pid c0)" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
		rt_delete c0
		assert_untouched
	done
}

@test "the host's file is too large, or is none: nothing is written" {
	umount "$(realpath /etc/resolv.conf)"
	yes "nameserver 10.0.0.1" | head -c 70000 >"$HOST_RESOLV"
	mount --bind "$HOST_RESOLV" "$(realpath /etc/resolv.conf)"
	traced_run c0
	assert_logged "no DNS"
	rt_delete c0
	umount "$(realpath /etc/resolv.conf)"
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	mount --bind "$BATS_TEST_TMPDIR/fifo" "$(realpath /etc/resolv.conf)"
	traced_run c0
	assert_logged "no DNS"
	assert_untouched
}

@test "the engine's mount wins: on the file, on /etc, on all of it" {
	echo "nameserver 192.0.2.7" >"$BATS_TEST_TMPDIR/engine"
	mkdir -p "$BATS_TEST_TMPDIR/etc"
	cp "$BATS_TEST_TMPDIR/engine" "$BATS_TEST_TMPDIR/etc/resolv.conf"
	container_run c0 "${rw[@]}" -j ".mounts += [{destination: \"/etc/resolv.conf\", type: \"bind\",
		source: \"$BATS_TEST_TMPDIR/engine\", options: [\"bind\"]}]"
	assert_eq "nameserver 192.0.2.7" "$(resolv_of c0)"
	assert_eq 1 "$(resolv_mounts c0)"
	container_run c1 -j ".mounts += [{destination: \"/etc\", type: \"bind\",
		source: \"$BATS_TEST_TMPDIR/etc\", options: [\"bind\"]}]"
	assert_eq "nameserver 192.0.2.7" "$(resolv_of c1)"
	container_run c2 -j '.mounts += [{destination: "/etc", type: "tmpfs", source: "tmpfs"}]'
	refute rt exec c2 cat /etc/resolv.conf
	rt_delete c0
	rt_delete c1
	rt_delete c2
	assert_eq "nameserver 192.0.2.7" "$(cat "$BATS_TEST_TMPDIR/engine")"
	assert_no_leftovers
}

@test "links in an image are covered and never followed" {
	umask 022
	mkdir -p "$ROOTFS/outside"
	echo image >"$ROOTFS/etc/shadow"
	sha256sum /etc/passwd /etc/shadow /etc/group >"$BATS_TEST_TMPDIR/sums"
	ln -s loop1 "$ROOTFS/etc/loop0"
	ln -s loop0 "$ROOTFS/etc/loop1"
	for target in /etc/shadow ../../../../../etc/shadow /proc/self/root/etc/shadow shadow \
		/proc/1/root/etc/shadow ../run/systemd/resolve/stub-resolv.conf /nowhere/at/all \
		loop0 resolv.conf . .. / /proc/self/fd/3 "$BATS_TEST_TMPDIR/x"; do
		ln -sfn "$target" "$ROOTFS/etc/resolv.conf"
		container_run c0 "${rw[@]}"
		assert_eq "$HOST_TEXT" "$(resolv_of c0)" "with a link to $target"
		rt_delete c0
		assert_eq "$target" "$(readlink "$ROOTFS/etc/resolv.conf")"
		assert_no_leftovers
	done
	sha256sum --check --quiet "$BATS_TEST_TMPDIR/sums"
	assert_eq image "$(cat "$ROOTFS/etc/shadow")"
	[ ! -e "$BATS_TEST_TMPDIR/x" ]
}

@test "a folder /etc that is a link stays inside the image" {
	mkdir -p "$ROOTFS/usr" "$BATS_TEST_TMPDIR/victim"
	rmdir "$ROOTFS/etc"
	mkdir "$ROOTFS/usr/etc"
	for target in usr/etc /usr/etc ../../../usr/etc; do
		ln -sfn "$target" "$ROOTFS/etc"
		container_run c0
		assert_eq "$HOST_TEXT" "$(resolv_of c0)" "with /etc -> $target"
		rt_delete c0
		assert_eq "" "$(ls "$ROOTFS/usr/etc")"
		assert_no_leftovers
	done
	for target in "$BATS_TEST_TMPDIR/victim" /proc/self/root/etc /proc/self/cwd etc; do
		ln -sfn "$target" "$ROOTFS/etc"
		traced_run c0
		assert_logged "no DNS"
		rt_delete c0
		assert_eq "" "$(ls "$BATS_TEST_TMPDIR/victim")"
		assert_no_leftovers
	done
}

@test "what is no file is left alone, and the container starts" {
	mkdir "$ROOTFS/etc/resolv.conf"
	traced_run c0
	assert_logged "neither a file nor a link"
	rt_delete c0
	rmdir "$ROOTFS/etc/resolv.conf"
	mkfifo "$ROOTFS/etc/resolv.conf"
	traced_run c0
	assert_logged "neither a file nor a link"
	rt_delete c0
	rm "$ROOTFS/etc/resolv.conf"
	mknod "$ROOTFS/etc/resolv.conf" c 1 5
	traced_run c0
	assert_logged "neither a file nor a link"
	rt_delete c0
	rm "$ROOTFS/etc/resolv.conf"
	rmdir "$ROOTFS/etc"
	echo x >"$ROOTFS/etc"
	traced_run c0
	assert_logged "no DNS"
	rt_delete c0
	assert_eq x "$(cat "$ROOTFS/etc")"
}

@test "an image without /etc gets one for as long as it runs" {
	rmdir "$ROOTFS/etc"
	container_run c0
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
	rt_delete c0
	[ ! -e "$ROOTFS/etc" ]
	assert_no_leftovers
}

@test "prestart and createRuntime: it is mounted once" {
	container_run c0 -j '.hooks.prestart = .hooks.createRuntime'
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
	assert_eq 1 "$(resolv_mounts c0)"
	rt_delete c0
	assert_untouched
}

@test "containers that share a root file system: the last one takes the file away" {
	container_run c0
	container_run c1
	rt_delete c0
	assert_eq "$HOST_TEXT" "$(resolv_of c1)"
	container_run c2
	rt_delete c1
	assert_eq "$HOST_TEXT" "$(resolv_of c2)"
	rt_delete c2
	assert_untouched
}

@test "the members of a pod have one each" {
	local join

	cp -a "$ROOTFS" /run/dns-rootfs1
	container_run c0
	join="(.linux.namespaces[] | select(.type == \"network\")).path = \"/proc/$(container_pid c0)/ns/net\""
	ROOTFS=/run/dns-rootfs1 container_run c1 -j "$join"
	assert_eq "$HOST_TEXT" "$(resolv_of c1)"
	rt_delete c0
	[ ! -e "$RUN/dns/c0.conf" ]
	assert_eq "$HOST_TEXT" "$(resolv_of c1)"
	rt_delete c1
	assert_untouched
	[ ! -e /run/dns-rootfs1/etc/resolv.conf ]
	rm -r /run/dns-rootfs1
}

# Attaches a process that is a container without a runtime, by the bundle of its name; what the hook
# logs, and the calls in TRACE, are in LOG.
traced_attach() { # ID PID
	LOG=$BATS_TEST_TMPDIR/log
	state_json creating "$1" "$2" io.oci-macvlan.networks=macvlan0 \
		| ASAN_OPTIONS=detect_leaks=0 strace -qq -s 500 -e trace="${TRACE-sendto}" -o "$LOG" \
			"$BUILD/oci-macvlan-hook" --etc "$ETC" --run "$RUN" createRuntime
}

# As the process sees what is mounted there.
resolv_seen_by() { # PID
	nsenter -t "$1" -m cat "$ROOTFS/etc/resolv.conf"
}

# runc and crun refuse a label where there is no SELinux: so without a runtime.
@test "the SELinux label of mounts is that of the file" {
	label=system_u:object_r:container_file_t:s0:c1,c2
	bundle_make c0 -j ".linux.mountLabel = \"$label\""
	private_sleeper_start
	TRACE=fsetxattr,sendto traced_attach c0 "$SLEEPER"
	assert_contains "$(cat "$LOG")" "\"security.selinux\", \"$label"
	assert_not_logged
	assert_eq "$HOST_TEXT" "$(resolv_seen_by "$SLEEPER")"
	release c0
	assert_untouched
}

@test "a config.json that is none, or a label in it, costs DNS and not the attach" {
	bundle_make c0 -j '.linux.mountLabel = "a b"'
	private_sleeper_start
	traced_attach c0 "$SLEEPER"
	assert_logged "linux.mountLabel"
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	assert_no_leftovers
	release c0
	echo '{' >"$BUNDLES/c0/config.json"
	private_sleeper_start
	traced_attach c0 "$SLEEPER"
	assert_logged "no host name and no DNS"
	assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
	release c0
	bundle_make c0 -j 'del(.root)'
	private_sleeper_start
	traced_attach c0 "$SLEEPER"
	assert_logged "config.json has no root.path"
	release c0
	assert_untouched
}

@test "a process that shares the host's mounts gets none" {
	bundle_make c0
	sleeper_start
	traced_attach c0 "$SLEEPER"
	assert_logged "no mount namespace of its own"
	release c0
	assert_untouched
}

@test "a user namespace: root inside can read it" {
	chmod 755 "$ROOTFS"
	container_run c0 -j '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	assert_eq "$HOST_TEXT" "$(resolv_of c0)"
	rt_delete c0
	assert_untouched
}

@test "killed at any step: gc and poststop leave nothing" {
	local step end

	bundle_make c0
	# The first links are claims, the last is where our file is; then it is made, and mounted.
	for step in symlinkat:1 symlinkat:2 symlinkat:3 symlinkat:4 symlinkat:5 symlinkat:6 fchmod:1 fchmod:2 \
		open_tree:1 mount_setattr:1 vfork:1 renameat:2; do
		for end in gc poststop; do
			private_sleeper_start
			attach_killed c0 "$SLEEPER" "${step%:*}" "${step#*:}"
			sleeper_stop "$SLEEPER"
			if [ "$end" = gc ]; then
				cli gc >/dev/null
			else
				detach c0
			fi
			assert_run_empty
			assert_untouched
		done
	done
}

@test "gc sweeps what no record leads to, and says so" {
	container_run c0
	rm "$RUN/containers/c0.json"
	assert_contains "$(cli gc --dry-run)" "container 'c0': would free its resolv.conf"
	[ -e "$RUN/dns/c0.conf" ]
	assert_contains "$(cli gc)" "container 'c0': freed its resolv.conf"
	assert_eq "" "$(cli gc)"
	assert_untouched
}

@test "a reboot ends what is in RUN/dns" {
	echo "nameserver 192.0.2.1" >"$ROOTFS/etc/resolv.conf"
	container_run c0
	rt_kill c0
	echo 00000000-0000-0000-0000-000000000000 >"$RUN/boot"
	container_run c1
	assert_eq c1.conf "$(ls "$RUN/dns")"
}
