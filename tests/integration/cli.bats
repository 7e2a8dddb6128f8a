#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# oci-macvlan: its commands about networks, its usage and its exit statuses. Commands about
# containers are in cli_endpoints.bats.
#
# shellcheck disable=SC2154 # run --separate-stderr sets stderr and stderr_lines

load lib.bash

bats_require_minimum_version 1.5.0

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	ETC=$BATS_TEST_TMPDIR/new/etc
}

teardown() {
	lab_teardown
}

create() { # ARG...
	cli network create "$@"
}

# What was made, through jq; keys in the order of the file.
file() { # NAME FILTER
	jq -c "$2" "$ETC/networks/$1.json"
}

# The command fails with STATUS, says nothing on stdout and one line with all TEXTs on stderr; where
# it is misuse, the usage follows.
refuse_with() { # STATUS COMMAND-COUNT COMMAND... TEXT...
	local expected=$1 count=$2 text
	shift 2

	run --separate-stderr cli "${@:1:count}"
	assert_eq "$expected" "$status" "exit status of ${*:1:count}"
	assert_eq "" "$output" "stdout of ${*:1:count}"
	assert_contains "${stderr_lines[0]}" "oci-macvlan: "
	if [ "$expected" = 2 ]; then
		assert_contains "${stderr_lines[1]}" "usage: oci-macvlan"
	else
		assert_eq 1 "${#stderr_lines[@]}" "lines of '$stderr'"
	fi
	for text in "${@:count+1}"; do
		assert_contains "${stderr_lines[0]}" "$text"
	done
}

# network create -o parent=eth0 with ARGs and the name "x" fails; nothing is made.
refuse_create() { # COUNT ARG... TEXT...
	local count=$1
	shift

	refuse_with 1 $((count + 5)) network create -o parent=eth0 "${@:1:count}" x \
		"oci-macvlan: network create: " "${@:count+1}"
	refute test -e "$ETC/networks/x.json"
}

# --- network create ---

@test "create: the command line of docker's documentation" {
	run create -d macvlan --subnet=10.0.0.0/24 --gateway=10.0.0.1 \
		--subnet=2001:db8:babe:cafe::/64 --gateway=2001:db8:babe:cafe::1 \
		-o parent=eth0 --ipv6 macvlan0
	assert_eq 0 "$status"
	assert_eq macvlan0 "$output"
	assert_eq '{"name":"macvlan0","parent":"eth0","subnets":[{"subnet":"10.0.0.0/24","gateway":"10.0.0.1"},{"subnet":"2001:db8:babe:cafe::/64","gateway":"2001:db8:babe:cafe::1"}]}' \
		"$(file macvlan0 .)"
	assert_eq 644 "$(stat -c %a "$ETC/networks/macvlan0.json")" "mode of the file"
	assert_eq 755 "$(stat -c %a "$ETC/networks")" "mode of the folder"
	refute test -e "$RUN"
}

@test "create: every flag, in every form" {
	create --driver macvlan --subnet 10.0.0.0/24,10.1.0.0/16 --subnet 2001:DB8::/64 \
		--gateway 10.1.0.1,10.0.0.1 --ip-range=10.1.1.0/24 --ip-range 2001:db8::1:0/112 \
		--aux-address=printer=10.0.0.200 --aux-address="nas=10.1.0.7" --aux-address v6=2001:db8::9 \
		-oparent=eth0 -o macvlan_mode=private --opt mtu=1400 -o=conflict_detection_ms=0 \
		--opt=host_access=false -o ipv6=static -o dns=none --ipv6=true --internal \
		--label team=edge --label=empty --label equals=a=b --ipam-driver default full
	assert_eq '["name","parent","mode","subnets","internal","mtu","ipam","ipv6","conflict_detection_ms","host_access","dns","labels"]' \
		"$(file full keys_unsorted)" "keys"
	assert_eq '[{"subnet":"10.0.0.0/24","gateway":"10.0.0.1","aux_addresses":{"printer":"10.0.0.200"}},{"subnet":"10.1.0.0/16","gateway":"10.1.0.1","ip_range":"10.1.1.0/24","aux_addresses":{"nas":"10.1.0.7"}},{"subnet":"2001:db8::/64","ip_range":"2001:db8::1:0/112","aux_addresses":{"v6":"2001:db8::9"}}]' \
		"$(file full .subnets)" "subnets"
	assert_eq '["eth0","private",true,1400,{"driver":"local"},"static",0,false,{"mode":"none"}]' \
		"$(file full '[.parent, .mode, .internal, .mtu, .ipam, .ipv6, .conflict_detection_ms, .host_access, .dns]')"
	assert_eq '{"team":"edge","empty":"","equals":"a=b"}' "$(file full .labels)" "labels"
}

@test "create: flags behind the name, -- and letters together" {
	create after --subnet 10.0.0.0/24 -o parent=eth0 --internal=false
	assert_eq '["name","parent","subnets"]' "$(file after keys_unsorted)"
	create --subnet 10.1.0.0/24 -o parent=eth0 -dmacvlan -- last
	test -e "$ETC/networks/last.json"
	cli network rm -f -- last
	refute test -e "$ETC/networks/last.json"
}

@test "create: source, passthru and layer 2 only" {
	create -o parent=eth0 -o mode=source -o source_macs=02:00:00:00:00:01,02:00:00:00:00:02 \
		--subnet 10.0.0.0/24 s
	assert_eq '["source",["02:00:00:00:00:01","02:00:00:00:00:02"]]' "$(file s '[.mode, .source_macs]')"
	cli network rm s
	create -o parent=eth0 -o macvlan_mode=passthru --ipam-driver none p
	assert_eq '["passthru",{"driver":"none"},null]' "$(file p '[.mode, .ipam, .subnets]')"
}

@test "create: a name that exists is not overwritten" {
	create --subnet 10.0.0.0/24 -o parent=eth0 x
	refuse_with 1 7 network create --subnet 10.1.0.0/24 -o parent=eth0 x "network 'x' exists already"
	assert_eq '"10.0.0.0/24"' "$(file x .subnets[0].subnet)"
	# Whatever it is that is there.
	ln -s nowhere "$ETC/networks/y.json"
	mkdir "$ETC/networks/z.json"
	for name in y z; do
		refuse_with 1 7 network create --subnet 10.0.0.0/24 -o parent=eth0 "$name" "exists already"
	done
	assert_eq "x.json y.json z.json" "$(sorted_names "$ETC/networks")"
}

sorted_names() { # DIR
	find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd ' '
}

@test "create: of many at once, one makes it" {
	made=$(for _ in {1..16}; do
		create --subnet 10.0.0.0/24 -o parent=eth0 x 2>/dev/null &
	done | wc -l)
	assert_eq 1 "$made"
	assert_eq x.json "$(sorted_names "$ETC/networks")"
}

@test "create: the subnets and what belongs to them" {
	refuse_create 0 subnets
	refuse_create 2 --subnet 10.0.0.0 --subnet "'10.0.0.0'"
	refuse_create 2 --subnet 10.0.0.0/33 "'10.0.0.0/33'"
	refuse_create 2 --subnet 10.0.0.5/24 "'10.0.0.5/24'" "'10.0.0.0/24'"
	refuse_create 1 --subnet= --subnet
	refuse_create 2 --subnet 10.0.0.0/24,10.0.0.128/25 overlaps
	refuse_create 2 --subnet 127.0.0.0/8 loopback
	refuse_create 2 --subnet "$(seq -s, -f '10.%g.0.0/24' 1 17)" 16
	refuse_create 3 --subnet 10.0.0.0/24 --gateway=10.1.0.1 --gateway "'10.1.0.1'"
	refuse_create 3 --subnet 10.0.0.0/24 --gateway=10.0.0.1/24 --gateway
	refuse_create 3 --subnet 10.0.0.0/24 --gateway=10.0.0.0 "'10.0.0.0'"
	refuse_create 3 --subnet 10.0.0.0/24 --gateway=10.0.0.1,10.0.0.2 "'10.0.0.2'" second
	refuse_create 3 --subnet 10.0.0.0/24 --ip-range=10.1.0.0/25 --ip-range "'10.1.0.0/25'"
	refuse_create 3 --subnet 10.0.0.0/24 --ip-range=10.0.0.0/23 ip_range
	refuse_create 3 --subnet 10.0.0.0/24 --ip-range=10.0.0.0/25,10.0.0.128/25 second
	refuse_create 3 --subnet 10.0.0.0/24 --aux-address=10.0.0.7 --aux-address NAME=IP
	refuse_create 3 --subnet 10.0.0.0/24 --aux-address==10.0.0.7 NAME=IP
	refuse_create 3 --subnet 10.0.0.0/24 --aux-address=a=10.0.0.700 "'10.0.0.700'"
	refuse_create 3 --subnet 10.0.0.0/24 --aux-address=a=10.1.0.7 "'a=10.1.0.7'"
	refuse_create 4 --subnet 10.0.0.0/24 --aux-address=a=10.0.0.7 --aux-address=a=10.0.0.8 "'a'" twice
	refuse_create 3 --subnet 10.0.0.0/24 --ipv6 --ipv6
}

@test "create: options" {
	refuse_create 4 --subnet 10.0.0.0/24 -o bogus=1 bogus macvlan_mode
	refuse_create 4 --subnet 10.0.0.0/24 -o mtu mtu KEY=VALUE
	refuse_create 4 --subnet 10.0.0.0/24 -o mtu= mtu
	refuse_create 4 --subnet 10.0.0.0/24 -o mtu=01 mtu
	refuse_create 4 --subnet 10.0.0.0/24 -o 'mtu=1500,"x":1' mtu
	refuse_create 4 --subnet 10.0.0.0/24 -o mtu=67 mtu 68
	refuse_create 4 --subnet 10.0.0.0/24 -o mtu=99999999999999999999999 mtu
	refuse_create 4 --subnet 10.0.0.0/24 -o internal=yes internal
	refuse_create 4 --subnet 10.0.0.0/24 -o macvlan_mode=hub "'hub'" bridge
	refuse_create 4 --subnet 10.0.0.0/24 -o macvlan_mode=source source_macs
	refuse_create 4 --subnet 10.0.0.0/24 -o source_macs=02:00:00:00:00:01 source_macs
	refuse_create 4 --subnet 10.0.0.0/24 -o ipv6=static ipv6
	refuse_create 4 --subnet 10.0.0.0/24 -o dns=x dns
	refuse_create 5 --subnet 10.0.0.0/24 --label a=1 --label=a=2 "'a'" twice
	refuse_create 3 --subnet 10.0.0.0/24 --label=$'a=\xff' UTF-8
	refuse_create 3 --subnet 10.0.0.0/24 --driver=bridge "'bridge'" macvlan
	refuse_create 3 --subnet 10.0.0.0/24 --ipam-driver=a/b "'a/b'"
}

@test "create: an IPAM driver has its own options and subnets" {
	refuse_create 6 --ipam-driver dhcp --subnet 10.0.0.0/24 --gateway 10.0.0.1 "subnets[0].gateway" dhcp
	refuse_create 4 --ipam-driver dhcp --ipam-opt a=b ipam.config "'a'"
	refuse_create 4 --subnet 10.0.0.0/24 --ipam-opt a=b ipam.config "'local'"
}

@test "create: driver dhcp, whose options are numbers and truth values where they must be" {
	create -o parent=eth0 --ipam-driver dhcp least
	create -o parent=eth0 --ipam-driver dhcp --subnet 10.0.0.0/24 -o host_access=true leases
	assert_eq '[{"subnet":"10.0.0.0/24"}]' "$(file leases .subnets)"
	assert_eq '{"driver":"dhcp"}' "$(file least .ipam)"
	create -o parent=eth0 --ipam-opt timeout_ms=5000 --ipam-opt required=false \
		--ipam-opt client_id=5 --ipam-opt 'hostname={name}' --ipam-driver=dhcp full
	assert_eq '{"timeout_ms":5000,"required":false,"client_id":"5","hostname":"{name}"}' \
		"$(file full .ipam.config)"
	refuse_create 4 --ipam-driver dhcp --ipam-opt timeout_ms --ipam-opt timeout_ms "'' is not a number"
	refuse_create 4 --ipam-driver dhcp --ipam-opt timeout_ms=1e3 --ipam-opt "'1e3' is not a number"
	refuse_create 4 --ipam-driver dhcp --ipam-opt timeout_ms=25001 ipam.config.timeout_ms 25000
	refuse_create 4 --ipam-driver dhcp --ipam-opt required=maybe --ipam-opt "'maybe' is not true or false"
	refuse_create 6 --ipam-driver dhcp --ipam-opt required=true --ipam-opt required=false "'required'" twice
}

@test "create: options of other IPAM drivers stay as they are" {
	create -o parent=eth0 --ipam-driver host-local --ipam-opt timeout_ms=5000 \
		--ipam-opt required=false --ipam-opt range=10.0.0.0/24 x
	assert_eq '{"timeout_ms":"5000","required":"false","range":"10.0.0.0/24"}' "$(file x .ipam.config)"
}

@test "create: the parent is checked" {
	parent() {
		refuse_with 1 7 network create --subnet 10.0.0.0/24 -o "parent=$1" x "${@:2}"
	}
	ip link add br0 type bridge
	ip link add port type veth peer name port-peer
	ip link set port master br0
	parent eth9 "'eth9'" "does not exist"
	parent eth9.10 "'eth9.10'" "no 'eth9'"
	parent omv-1 "'omv-1'" "our own"
	parent lo "'lo'" loopback
	parent port "'port'" "'br0'"
	parent '' parent
	parent 'a b' "'a b'"
	parent 0123456789abcdef parent
	refuse_create 4 --subnet 10.0.0.0/24 -o mtu=9000 9000 1500 "'eth0'"
	ip link property add dev br0 altname uplink
	create --subnet 10.0.0.0/24 -o parent=uplink x
	ip link del port
	ip link del br0
}

@test "create: names that are paths, too long or not ASCII" {
	for name in ../x a/b /etc/x . .. .x 'a b' $'a\nb' ä '' "$(printf '%5000s' '' | tr ' ' a)"; do
		refuse_with 1 7 network create --subnet 10.0.0.0/24 -o parent=eth0 "$name" "network name"
	done
	refute test -e "$ETC"
	create --subnet 10.0.0.0/24 -o parent=eth0 "$(printf '%64s' '' | tr ' ' a)"
}

@test "create: folders that cannot be made" {
	touch "$BATS_TEST_TMPDIR/file"
	ETC=$BATS_TEST_TMPDIR/file/etc refuse_with 1 7 network create --subnet 10.0.0.0/24 -o parent=eth0 x "$BATS_TEST_TMPDIR/file"
	cd "$BATS_TEST_TMPDIR"
	"$BUILD/oci-macvlan" --etc relative//etc/ network create --subnet 10.0.0.0/24 -o parent=eth0 x
	test -f relative/etc/networks/x.json
}

# --- network ls ---

@test "ls: nothing, a table, ids and JSON" {
	assert_eq "NETWORK ID  NAME  DRIVER  PARENT  MODE  SUBNETS  ADDRESSES" "$(cli network ls)"
	assert_eq '[]' "$(cli network ls --format json)"
	assert_eq '' "$(cli network ls -q)"
	create --subnet 10.0.0.0/24 --gateway 10.0.0.1 --subnet 2001:db8::/64 -o parent=eth0 b
	create --subnet 10.0.0.0/8 -o parent=eth0 -o macvlan_mode=vepa a
	create --ipam-driver none -o parent=eth0 a-b
	mapfile -t rows < <(cli network ls | tr -s ' ')
	assert_eq 4 "${#rows[@]}" rows
	id=$(cli network inspect a | jq -r '.[0].Id')
	assert_eq "${id:0:12} a macvlan eth0 vepa 10.0.0.0/8 0/2^24" "${rows[1]}"
	assert_eq "a-b macvlan eth0 bridge - -" "${rows[2]#* }"
	assert_eq "b macvlan eth0 bridge 10.0.0.0/24,2001:db8::/64 0/253,0/2^64" "${rows[3]#* }"
	assert_eq "${id:0:12}" "$(cli network ls --quiet | head -n 1)"
	assert_eq '["a",["a","a-b","b"]]' "$(cli network ls --format=json | jq -c '[.[0].name, map(.name)]')"
	assert_eq '["id","name","driver","parent","mode","subnets"]' \
		"$(cli network ls --format json | jq -c '.[0] | keys_unsorted')"
	assert_eq "$id" "$(cli network ls --format json | jq -r '.[0].id')"
	assert_eq '{"subnet":"10.0.0.0/24","used":0,"total":253}' \
		"$(cli network ls --format json | jq -c '.[2].subnets[0]')"
	refute test -e "$RUN"
}

# Each file is said in a line of its own; the good one is listed all the same.
@test "ls: files that cannot be read cost only their own line" {
	create --subnet 10.0.0.0/24 -o parent=eth0 good
	cd "$ETC/networks"
	mkdir folder.json
	mkfifo fifo.json
	ln -s good.json link.json
	echo '{' >broken.json
	head -c 5000 /dev/urandom >binary.json
	: >empty.json
	sed s/good/other/ good.json >misnamed.json
	cp good.json 'a b.json'
	cp good.json .hidden.json
	cp good.json good.txt
	cp good.json "$(printf '%100s' '' | tr ' ' a).json"
	run --separate-stderr timeout 10 "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" network ls
	assert_eq 1 "$status"
	assert_eq 2 "${#lines[@]}" "rows of '$output'"
	assert_contains "${lines[1]}" good
	assert_eq 9 "${#stderr_lines[@]}" "lines of '$stderr'"
	for name in folder fifo link broken binary empty misnamed 'a b' aaaaaa; do
		assert_contains "$stderr" "$name"
	done
	run --separate-stderr cli network ls --format json
	assert_eq 1 "$status"
	assert_eq good "$(jq -r '.[].name' <<<"$output")"
	run --separate-stderr cli network ls -q
	assert_eq 1 "$status"
	assert_eq 1 "${#lines[@]}"
}

@test "ls: ETC and RUN that are not folders" {
	touch "$BATS_TEST_TMPDIR/file"
	RUN=$BATS_TEST_TMPDIR/file refuse_with 1 2 network ls "$BATS_TEST_TMPDIR/file"
	ETC=$BATS_TEST_TMPDIR/file refuse_with 1 2 network ls "$BATS_TEST_TMPDIR/file"
	mkdir -p "$ETC"
	touch "$ETC/networks"
	refuse_with 1 2 network ls networks
}

# --- network inspect ---

@test "inspect: exactly docker's keys, always in one order" {
	create --subnet 10.0.0.0/24 --gateway 10.0.0.1 --ip-range 10.0.0.128/25 \
		--aux-address printer=10.0.0.200 --subnet 2001:db8::/64 -o parent=eth0 -o mtu=1400 \
		-o dns.mode=none -o conflict_detection_ms=0 --internal --label team=edge x
	got=$(cli network inspect x)
	assert_eq '["Name","Id","Scope","Driver","EnableIPv6","IPAM","Internal","Containers","Options","Labels"]' \
		"$(jq -c '.[0] | keys_unsorted' <<<"$got")" keys
	assert_eq '{"Driver":"default","Options":{},"Config":[{"Subnet":"10.0.0.0/24","Gateway":"10.0.0.1","IPRange":"10.0.0.128/25","AuxiliaryAddresses":{"printer":"10.0.0.200"}},{"Subnet":"2001:db8::/64"}]}' \
		"$(jq -c '.[0].IPAM' <<<"$got")" IPAM
	assert_eq '["x","local","macvlan",true,true,{},{"team":"edge"}]' \
		"$(jq -c '.[0] | [.Name, .Scope, .Driver, .EnableIPv6, .Internal, .Containers, .Labels]' <<<"$got")"
	assert_eq '{"parent":"eth0","macvlan_mode":"bridge","mtu":"1400","conflict_detection_ms":"0","dns":"none"}' \
		"$(jq -c '.[0].Options' <<<"$got")" Options
	assert_eq true "$(jq '.[0].Id | test("^[0-9a-f]{64}$")' <<<"$got")" "form of Id"
	assert_eq "$got" "$(cli network inspect x)" "the second time"
	create -o parent=eth0 --ipam-driver none y
	assert_eq '["none",[],false,{},{}]' \
		"$(cli network inspect y | jq -c '.[0] | [.IPAM.Driver, .IPAM.Config, .EnableIPv6, .Labels, .Containers]')"
}

@test "inspect: several, by id, and some that are not there" {
	create --subnet 10.0.0.0/24 -o parent=eth0 x
	create --subnet 10.0.0.0/24 -o parent=eth0 y
	id=$(cli network inspect y | jq -r '.[0].Id')
	assert_eq '["y","y","x"]' "$(cli network inspect "$id" "${id:0:4}" x | jq -c 'map(.Name)')"
	# A name goes before an id.
	create --subnet 10.0.0.0/24 -o parent=eth0 "${id:0:6}"
	assert_eq "${id:0:6}" "$(cli network inspect "${id:0:6}" | jq -r '.[].Name')"
	run --separate-stderr cli network inspect x nope ../y y
	assert_eq 1 "$status"
	assert_eq '["x","y"]' "$(jq -c 'map(.Name)' <<<"$output")"
	assert_eq 2 "${#stderr_lines[@]}" "lines of '$stderr'"
	assert_contains "${stderr_lines[0]}" "oci-macvlan: network inspect: network 'nope' does not exist"
	assert_contains "${stderr_lines[1]}" "'../y'"
	run --separate-stderr cli network inspect "${id:0:3}"
	assert_eq "1 []" "$status $output"
}

# --- network rm ---

@test "rm: by name and by id; what is not there" {
	create --subnet 10.0.0.0/24 -o parent=eth0 x
	create --subnet 10.0.0.0/24 -o parent=eth0 y
	create --subnet 10.0.0.0/24 -o parent=eth0 z
	run --separate-stderr cli network rm x nope a/b "$(cli network inspect y | jq -r '.[0].Id')"
	assert_eq 1 "$status"
	assert_eq "x y" "$(paste -sd ' ' <<<"$output")"
	assert_eq 2 "${#stderr_lines[@]}" "lines of '$stderr'"
	assert_contains "${stderr_lines[0]}" "network 'nope' does not exist"
	assert_eq z.json "$(sorted_names "$ETC/networks")"
	# As docker: -f is about the result.
	assert_eq "" "$(cli network rm -f nope)"
	refute test -e "$RUN"
}

@test "rm: a file that is no network goes, a folder does not" {
	mkdir -p "$ETC/networks/folder.json"
	echo garbage >"$ETC/networks/garbage.json"
	ln -s nowhere "$ETC/networks/link.json"
	assert_eq "garbage link" "$(cli network rm garbage link | paste -sd ' ')"
	refuse_with 1 3 network rm folder folder.json
	assert_eq folder.json "$(sorted_names "$ETC/networks")"
}

# --- usage ---

@test "usage: help goes to stdout, misuse to stderr with status 2" {
	for option in help --help -h; do
		run --separate-stderr cli "$option"
		assert_eq "0" "$status$stderr"
		for command in 'network create' 'network ls' 'network inspect' 'network rm' connect disconnect \
			ps gc check repair hooks version; do
			assert_contains "$output" "  $command"
		done
	done
	for command in "network create" "network rm" ps; do
		# shellcheck disable=SC2086 # two words
		assert_eq "$(cli help $command)" "$(cli $command --help)"
	done
	refuse_with 2 0 "a command is missing"
	refuse_with 2 1 network "'network'"
	refuse_with 2 2 network frob "'network frob'"
	refuse_with 2 1 frob "'frob'"
	refuse_with 2 1 --frob "'--frob'"
	refuse_with 2 1 --etc "'--etc'"
	refuse_with 2 2 --run= ps "--run"
	refuse_with 2 2 network create "network create"
	refuse_with 2 4 network create x y "'y'"
	refuse_with 2 4 network create --frob x "'--frob'"
	refuse_with 2 4 network create --sub=10.0.0.0/24 x "'--sub=10.0.0.0/24'"
	refuse_with 2 3 network create --subnet "'--subnet'"
	refuse_with 2 4 network create --ipv6=maybe x "'maybe'"
	refuse_with 2 3 network ls -x "'-x'"
	refuse_with 2 3 network ls extra "'extra'"
	refuse_with 2 4 network ls --format xml "'xml'"
	refuse_with 2 3 ps --format=xml "'xml'"
	refuse_with 2 2 network inspect "network inspect"
	refuse_with 2 3 network rm -f "network rm"
	refuse_with 2 2 gc --now "'--now'"
	refuse_with 2 2 help frob "'frob'"
}

@test "usage: the commands of later issues are there and say so" {
	for command in "connect macvlan0 c0 --pid 1" "disconnect macvlan0 c0" \
		repair "hooks runc"; do
		# shellcheck disable=SC2086 # several words
		run --separate-stderr cli $command
		assert_eq 1 "$status"
		assert_eq "oci-macvlan: ${command%% *}: not supported yet" "$stderr"
	done
}

@test "usage: version" {
	assert_contains "$(cli --version)" "oci-macvlan "
	run cli version
	assert_eq 0 "$status"
	assert_eq "$(cli --version)" "${lines[0]}"
	assert_eq "kernel $(uname -r)" "${lines[1]}"
	assert_eq "SO_NETNS_COOKIE yes" "${lines[2]}"
	assert_eq "DHCP client $(command -v udhcpc)" "${lines[3]/#DHCP client \/sbin/DHCP client \/usr/sbin}"
	assert_eq 4 "${#lines[@]}"
	run without_dhcp_client "$BUILD/oci-macvlan" version
	assert_eq "DHCP client no" "${lines[3]}"
}

@test "usage: no environment variable changes anything, a full disk is no success" {
	create --subnet 10.0.0.0/24 -o parent=eth0 x
	POSIXLY_CORRECT=1 create y --subnet 10.0.0.0/24 -o parent=eth0
	# shellcheck disable=SC2016 # for the inner shell
	run --separate-stderr bash -c '"$0" --etc "$1" --run "$2" network ls >/dev/full' \
		"$BUILD/oci-macvlan" "$ETC" "$RUN"
	assert_eq 1 "$status"
	assert_contains "$stderr" stdout
}
