#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# CNI IPAM plugins that do what they must not, and what a plugin sees of us: scripts.

load lib.bash
load plugins.bash

setup_file() { lab_setup_file; }
setup() { lab_setup; }
teardown() { lab_teardown; }

@test "a plugin has seven variables, three descriptors, no signal blocked, and is at home" {
	script_network <<'END'
[ "$CNI_COMMAND" = ADD ] || exit 0
tr '\0' '\n' </proc/$$/environ | sort >"$LOG/environ"
fds=() # without a pipe or a redirection, which would be one of them
for fd in /proc/$$/fd/*; do
	[ "$fd" -ef "$0" ] || [ ! -e "$fd" ] || fds+=("${fd##*/}")
done
echo "${fds[*]}" >"$LOG/fds"
readlink /proc/self/ns/net >"$LOG/netns"
readlink "$CNI_NETNS" >"$LOG/its"
grep -E '^Sig(Blk|Ign)' /proc/self/status >"$LOG/signals"
pwd >"$LOG/pwd"
ps -o pid=,pgid= -p $$ | awk '{ print $1 == $2 }' >"$LOG/group"
END
	answer 10.0.0.50/24
	sleeper_start
	SECRET=1 attach c0 "$SLEEPER" macvlan0
	assert_eq "CNI_ARGS=IgnoreUnknown=1
CNI_COMMAND=ADD
CNI_CONTAINERID=c0
CNI_IFNAME=eth0
CNI_NETNS=/proc/$SLEEPER/ns/net
CNI_PATH=$BATS_TEST_TMPDIR/cni
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$(cat "$LOG/environ")"
	assert_eq "0 1 2" "$(cat "$LOG/fds")" "descriptors"
	assert_eq "$(readlink /proc/self/ns/net)" "$(cat "$LOG/netns")" "where it runs"
	assert_eq "$(readlink "/proc/$SLEEPER/ns/net")" "$(cat "$LOG/its")" "CNI_NETNS"
	# 32 and 33 are the C library's own: as they are here, so they are there.
	while read -r _ mask; do
		assert_eq 0 $((0x$mask & ~0x180000000)) "signals"
	done <"$LOG/signals"
	assert_eq / "$(cat "$LOG/pwd")"
	assert_eq 1 "$(cat "$LOG/group")"
}

@test "a member of a pod that joins runs nothing" {
	script_network <<<''
	answer 10.0.0.50/24
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" macvlan0
	sleeper_join "$owner"
	attach c1 "$SLEEPER" macvlan0
	assert_eq "ADD eth0" "$(calls)"
	release c1
	assert_eq "ADD eth0" "$(calls)"
	release c0 "$owner"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
}

@test "check looks into a pod by a member that lives" {
	# shellcheck disable=SC2016 # for the script
	script_network <<<'[ "$CNI_COMMAND" != CHECK ] || readlink "$CNI_NETNS" >"$LOG/netns"'
	answer 10.0.0.50/24
	sleeper_start
	owner=$SLEEPER
	attach c0 "$owner" macvlan0
	sleeper_join "$owner"
	attach c1 "$SLEEPER" macvlan0
	sleeper_stop "$owner"
	cli check
	assert_eq "$(readlink "/proc/$SLEEPER/ns/net")" "$(cat "$LOG/netns")"
	release c1
	cli gc
}

@test "an attach that fails later gives back, one that fails before asks nobody" {
	script_network <<<''
	answer 10.0.0.50/24
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0,missing
	[ "$status" -eq 1 ]
	[ ! -e "$LOG/calls" ]
	network_dual '{"name": "second"}'
	sleeper_start
	attach c1 "$SLEEPER" second io.oci-macvlan.ip=10.0.0.9
	first=$SLEEPER
	sleeper_start
	run attach c0 "$SLEEPER" '[{"name": "macvlan0"}, {"name": "second", "ips": ["10.0.0.9"]}]'
	[ "$status" -eq 1 ]
	assert_contains "$output" "'10.0.0.9' is taken by container 'c1' (eth0)"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
	release c1 "$first"
}

@test "a plugin that hangs is killed with all that it has started" {
	script_network <<'END'
[ "$CNI_COMMAND" = ADD ] || exit 0
trap '' TERM INT HUP
sleep 1000 &
echo "$$ $!" >"$LOG/pids"
wait
END
	SECONDS=0
	refuse_attach "IPAM plugin '$BATS_TEST_TMPDIR/cni/script': ADD failed: it did not end in time"
	[ "$SECONDS" -ge 9 ] && [ "$SECONDS" -lt 19 ]
	read -r one other <"$LOG/pids"
	process_gone "$one"
	wait_until process_gone "$other"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
}

@test "a plugin that ends and leaves others with its output: nobody waits, and they are gone" {
	script_network <<'END'
sleep 1000 &
echo "$!" >"$LOG/pid"
END
	answer 10.0.0.50/24
	sleeper_start
	SECONDS=0
	attach c0 "$SLEEPER" macvlan0
	[ "$SECONDS" -lt 9 ]
	wait_until process_gone "$(cat "$LOG/pid")"
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24
}

@test "a plugin that prints garbage" {
	script_network <<<''
	for garbage in '' 'panic: runtime error' '{' '[]' 'null' '{"ips": 1}'; do
		printf '%s' "$garbage" >"$ANSWER"
		refuse_attach "IPAM plugin '$BATS_TEST_TMPDIR/cni/script'"
	done
	head -c 5000 /dev/urandom >"$ANSWER"
	refuse_attach "IPAM plugin '$BATS_TEST_TMPDIR/cni/script': ADD failed: its answer is not JSON"
}

@test "a plugin that prints 100 MB costs no memory and no time" {
	script_network <<'END'
[ "$CNI_COMMAND" = ADD ] || exit 0
head -c 100000000 /dev/zero | tr '\0' ' '
END
	SECONDS=0
	(
		ulimit -v 65536
		refuse_attach "ADD failed: it printed more than 65536 bytes"
	)
	[ "$SECONDS" -lt 9 ]
}

@test "a plugin that says 100 MB on stderr is heard out, and quoted in part" {
	script_network <<'END'
[ "$CNI_COMMAND" = ADD ] || exit 0
echo "it begins here" >&2
head -c 100000000 /dev/zero | tr '\0' x >&2
exit 3
END
	refuse_attach "ADD failed: it ended with status 3, and said: it begins here\x0axxxx"
	[ "${#output}" -lt 1100 ]
}

@test "a plugin that fails, with and without an error object" {
	script_network <<'END'
[ "$CNI_COMMAND" = ADD ] || exit 0
cat "$ANSWER"
exit 1
END
	jq -n '{cniVersion: "1.0.0", code: 11, msg: "no leases left",
		details: "all of 10.0.0.0/24\nare in use \u001b[31m"}' >"$ANSWER"
	refuse_attach "network 'macvlan0': IPAM plugin '$BATS_TEST_TMPDIR/cni/script': ADD failed: no leases left: all of 10.0.0.0/24\x0aare in use \x1b[31m (code 11)"
	: >"$ANSWER"
	refuse_attach "ADD failed: it ended with status 1, and did not say why"
	echo "cannot reach the server" >"$ANSWER"
	refuse_attach "ADD failed: it ended with status 1, and said: cannot reach the server"
}

@test "a plugin that is killed, and one that cannot be run" {
	# shellcheck disable=SC2016 # for the script
	script_network <<<'[ "$CNI_COMMAND" = ADD ] && kill -SEGV $$'
	refuse_attach "ADD failed: it was killed by signal 11"
	printf '#!/nonexistent/interpreter\n' >"$BATS_TEST_TMPDIR/cni/script"
	refuse_attach "ADD failed: it ended with status 127, and said: cannot run it: No such file or directory"
}

@test "addresses that a container may not have are refused, and given back" {
	script_network <<<''
	while read -r address message; do
		: >"$LOG/calls"
		answer "$address"
		refuse_attach "IPAM plugin '$BATS_TEST_TMPDIR/cni/script': " "'${address%/*}" "$message"
		case $message in
		*own*) asked="ADD eth0,DEL eth0,ADD eth0,DEL eth0" ;; # for another, which is the same
		*) asked="ADD eth0,DEL eth0" ;;
		esac
		assert_eq "$asked" "$(calls)"
	done <<'END'
10.0.0.2/24 is the host's own address
2001:db8:babe:cafe::2/64 is the host's own address
10.0.0.0/24 network or broadcast address
10.0.0.255/24 network or broadcast address
2001:db8:babe:cafe::/64 subnet-router anycast
224.0.0.9/24 is not an address that a host can have
127.0.0.9/8 is not an address that a host can have
ff02::9/64 is not an address that a host can have
fe80::9/64 is not an address that a host can have
END
}

@test "a host with many addresses, as kube-proxy gives it: its own are refused, others are not" {
	script_network <<<''
	seq 1101 | awk '{ print "address add 10.64." int($1 / 250) "." $1 % 250 "/32 dev lo" }' | ip -batch -
	answer 10.64.4.101/16
	refuse_attach "IPAM plugin '$BATS_TEST_TMPDIR/cni/script': address '10.64.4.101' is the host's own address"
	assert_eq "ADD eth0,DEL eth0,ADD eth0,DEL eth0" "$(calls)"
	: >"$LOG/calls"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.64.4.100
	[ "$status" -eq 1 ]
	assert_contains "$output" "address '10.64.4.100' is the host's own address: ask for another"
	assert_eq "" "$(calls)"
	answer 10.0.0.50/24
	attach c0 "$SLEEPER" macvlan0
	ip address flush dev lo to 10.64.0.0/16
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24
}

@test "with subnets in the file an address lies in one of them" {
	script_network '{"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.0.0.254",
		"aux_addresses": {"printer": "10.0.0.200"}}]}' <<<''
	while read -r address message; do
		answer "$address"
		refuse_attach "IPAM plugin '$BATS_TEST_TMPDIR/cni/script': address '${address%/*}" "$message"
	done <<'END'
10.1.0.50/24 lies in no subnet of network 'macvlan0' (10.0.0.0/24)
10.0.0.50/16 lies in subnet 10.0.0.0/24 of network 'macvlan0': give both the same prefix length
10.0.0.254/24 is a gateway of network 'macvlan0': keep the plugin from giving it
10.0.0.200/24 is the aux address of 'printer'
END
	# Of a family that has none in the file, it may be any.
	answer 10.0.0.50/24 2001:db8:77::5/64
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.50/24 2001:db8:77::5/64
	assert_default "$SLEEPER" 4 "10.0.0.254 eth0"
}

@test "with router advertisements a plugin gives IPv4 alone" {
	script_network '{"ipv6": "ra"}' <<<''
	answer 10.0.0.50/24 2001:db8:77::5/64
	refuse_attach "address '2001:db8:77::5/64' is not used in network 'macvlan0'"
}

@test "no address, too many, two of a subnet, and an old version" {
	script_network <<<''
	answer
	refuse_attach "its answer is not usable: there is no address in it"
	# shellcheck disable=SC2046 # words
	answer $(printf '10.%d.0.5/24 ' $(seq 17))
	refuse_attach "more than 16 addresses"
	answer 10.0.0.50/24 10.0.0.51/24
	refuse_attach "'10.0.0.51/24' is in the same subnet as '10.0.0.50'"
	echo '{"cniVersion": "0.2.0", "ip4": {"ip": "10.0.0.50/24"}}' >"$ANSWER"
	refuse_attach "cniVersion: '0.2.0' is not understood" "use a newer plugin"
}

@test "only IPv6, and sixteen addresses" {
	script_network <<<''
	answer 2001:db8:babe:cafe::50/64
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 2001:db8:babe:cafe::50/64
	can_ping "$SLEEPER" 2001:db8:babe:cafe::1
	release c0
	# shellcheck disable=SC2046 # words
	answer $(printf '10.%d.0.5/24 ' $(seq 16))
	sleeper_start
	attach c0 "$SLEEPER" macvlan0
	assert_eq 16 "$(addresses "$SLEEPER" eth0 | wc -w)"
}

@test "a plugin that gives another address than was asked for" {
	script_network <<<''
	answer 10.0.0.50/24
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.60
	[ "$status" -eq 1 ]
	assert_contains "$output" "address '10.0.0.60' was asked for, and another given"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
	sleeper_start
	run attach c0 "$SLEEPER" macvlan0 io.oci-macvlan.ip=10.0.0.2
	[ "$status" -eq 1 ]
	assert_contains "$output" "is the host's own address: ask for another"
	assert_eq "ADD eth0,DEL eth0" "$(calls)"
}
