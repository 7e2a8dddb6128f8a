#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Bad input of every kind: one line that names the input, exit status 1, nothing changed. Runs also
# with the sanitizers' build.

load lib.bash

setup_file() {
	lab_setup_file
}

setup() {
	lab_setup
	network_dual
	STATE=$BATS_TEST_TMPDIR/state
	sleeper_start
}

teardown() {
	lab_teardown
}

# The last command must have failed with one printable line that has all the TEXTs.
assert_refused() { # TEXT...
	assert_eq 1 "$status" "exit status"
	assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
	[[ $output != *[[:cntrl:]]* ]] || fail "control characters in: $output"
	for text in "$@"; do
		assert_contains "$output" "$text"
	done
	assert_eq "" "$(run_listing)" "state after the refusal"
	assert_eq "" "$(links "$SLEEPER")" "links after the refusal"
}

# Without standard output: inspect prints its array in any case, as docker does.
error_of() { # COMMAND...
	# shellcheck disable=SC2069 # meant so: standard error alone
	"$@" 2>&1 >/dev/null
}

# The state is in the file STATE.
refuse_state() { # TEXT...
	run hook createRuntime <"$STATE"
	assert_refused "$@"
	# Nor may it crash or free anything as a poststop.
	run hook poststop <"$STATE"
	((status <= 1)) || fail "poststop ends with $status: $output"
	[ ${#lines[@]} -le 1 ] || fail "poststop says: $output"
}

refuse_annotation() { # NETWORKS TEXT...
	local networks=$1
	shift

	run attach c0 "$SLEEPER" "$networks"
	assert_refused io.oci-macvlan.networks "$@"
}

nested() { # COUNT
	printf "%*s" "$1" "" | tr ' ' '['
}

megabytes() { # COUNT
	head -c "$1"M /dev/zero | tr '\0' x
}

@test "a state that is no JSON" {
	for text in '' ' ' '{' '{"id":' '{"id":"c0","pid":12' 'nonsense' '{"id":"c0"}}' '{"id":"c0"} {}' \
		'{"id":"c0",}' "{'id':'c0'}" $'{"id":"c\xff\xfe0"}'; do
		printf '%s' "$text" >"$STATE"
		refuse_state state
	done
}

@test "a state that is a program, or zeros" {
	head -c 100000 "$(command -v busybox)" >"$STATE"
	refuse_state state
	head -c 100000 /dev/zero >"$STATE"
	refuse_state state
}

@test "a state nested too deeply" {
	nested 100000 >"$STATE"
	refuse_state state
	{
		printf '{"id":"c0","pid":%d,"x":' "$SLEEPER"
		nested 500
	} >"$STATE"
	refuse_state state
}

@test "a state of 100 MB" {
	{
		printf '{"id":"c0","pid":%d,"x":"' "$SLEEPER"
		megabytes 100
		printf '"}'
	} >"$STATE"
	refuse_state state
}

@test "a state whose members have wrong types or values" {
	for text in '[]' '"c0"' 'null' '{}' '{"id":5,"pid":1}' '{"id":null,"pid":1}' \
		'{"id":["c0"],"pid":1}' '{"id":"c0","pid":"PID"}' '{"id":"c0","pid":-1}' '{"id":"c0","pid":1.5}' \
		'{"id":"c0","pid":1e99}' \
		'{"id":"c0","pid":99999999999999999999}' '{"id":"c0","pid":PID,"bundle":[]}' \
		'{"id":"c0","pid":PID,"annotations":[]}' '{"id":"c0","pid":PID,"annotations":"x"}' \
		'{"id":"c0","pid":PID,"annotations":{"io.oci-macvlan.networks":5}}' \
		'{"id":"c0","pid":PID,"annotations":{"io.oci-macvlan.networks":["macvlan0"]}}'; do
		printf '%s' "${text//PID/$SLEEPER}" >"$STATE"
		refuse_state state
	done
}

@test "a state with a member twice" {
	for text in '{"id":"c0","id":"c1","pid":PID}' '{"id":"c0","pid":1,"pid":PID}' \
		'{"id":"c0","pid":PID,"annotations":{},"annotations":{"io.oci-macvlan.networks":"macvlan0"}}' \
		'{"id":"c0","pid":PID,"annotations":{"io.oci-macvlan.ip":"10.0.0.5","io.oci-macvlan.ip":"x"}}'; do
		printf '%s' "${text//PID/$SLEEPER}" >"$STATE"
		refuse_state state
	done
}

@test "container ids that are paths, too long, empty or unprintable" {
	for id in a/b ../c0 .. . /etc/passwd '' \
		"$(printf '%5000s' '' | tr ' ' a)" $'a\tb' $'a\nb' $'a\eb'; do
		state_json creating "$id" "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$STATE"
		refuse_state id
	done
}

@test "an annotation that is no selection" {
	for networks in '' ' ' ',' 'macvlan0,' '@eth0' 'macvlan0@' 'macvlan0@a@b' '[' \
		'[{"name":"macvlan0"' \
		'[{"name":"macvlan0"}' '[5]' '[[]]' '{"name":"macvlan0"}' '[{}]' \
		'[{"name":5}]' '[{"name":null}]' \
		'[{"name":"macvlan0","ips":"10.0.0.5"}]' '[{"name":"macvlan0","ips":[5]}]' \
		'[{"name":"macvlan0","ips":["10.0.0.500"]}]' '[{"name":"macvlan0","ips":["10.0.0.5/33"]}]' \
		'[{"name":"macvlan0","mac":5}]' '[{"name":"macvlan0","interface":"a/b"}]' \
		'[{"name":"macvlan0","interface":".."}]' '[{"name":"macvlan0","default-route":"10.0.0.1"}]' \
		'[{"name":"macvlan0","name":"macvlan0"}]' '[{"name":"macvlan0"}] x' $'\x01\x02'; do
		refuse_annotation "$networks"
	done
}

@test "keys of the selection that we do not have" {
	refuse_annotation '[{"name":"macvlan0","namespace":"default"}]' namespace
	refuse_annotation '[{"name":"macvlan0","bandwidth":{}}]' bandwidth
	refuse_annotation 'default/macvlan0' default/macvlan0
}

@test "an annotation that is too long, too deep, or lists too many" {
	printf '{"id":"c0","pid":%d,"annotations":{"io.oci-macvlan.networks":"%s"}}' "$SLEEPER" \
		"$(printf '%70000s' '' | tr ' ' a)" >"$STATE"
	refuse_state
	refuse_annotation "$(nested 5000)"
	refuse_annotation "$(printf 'macvlan0%.0s,' {1..16})macvlan0" 16
}

@test "network names that are paths" {
	cp "$ETC/networks/macvlan0.json" "$ETC/outside.json"
	for name in ../outside ../../etc/outside /etc/passwd . .. networks/../macvlan0; do
		refuse_annotation "$name"
		refuse_annotation "[{\"name\": \"$name\"}]"
		for command in inspect rm; do
			run error_of cli network "$command" "$name"
			assert_refused "$name"
		done
		run cli network create --subnet 10.0.0.0/24 -o parent=eth0 "$name"
		assert_refused "$name"
	done
	assert_eq "networks outside.json" "$(find "$ETC" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		sort | paste -sd ' ')"
	assert_eq macvlan0.json "$(ls "$ETC/networks")"
}

@test "shorthands that are wrong, or that say nothing about which network" {
	run attach c0 "$SLEEPER" macvlan0,macvlan0 io.oci-macvlan.ip=10.0.0.5
	assert_refused io.oci-macvlan.ip
	for pair in ip=10.0.0.500 ip=2001:db8::1 ip6=10.0.0.5 ip6=:::: mac=02:00 interface=a/b name=a/b; do
		run attach c0 "$SLEEPER" macvlan0 "io.oci-macvlan.$pair"
		assert_refused "io.oci-macvlan.${pair%%=*}"
	done
}

# Without annotations in the state, config.json has to say it.
@test "a config.json that cannot be read, where the state has no annotations" {
	bundle=$BUNDLES/c0
	mkdir "$bundle"
	jq -cn --arg bundle "$bundle" --argjson pid "$SLEEPER" \
		'{id: "c0", pid: $pid, bundle: $bundle}' >"$STATE"
	for text in '{' '{"annotations":' '[]' 'nonsense' '{"annotations":[]}' '{"annotations":"x"}' \
		'{"annotations":{"io.oci-macvlan.networks":5}}' "$(nested 5000)" $'\x01\x02'; do
		printf '%s' "$text" >"$bundle/config.json"
		refuse_state config.json
	done
	head -c 100000 "$(command -v busybox)" >"$bundle/config.json"
	refuse_state config.json
	{
		printf '{"x":"'
		megabytes 100
		printf '"}'
	} >"$bundle/config.json"
	refuse_state config.json
	rm "$bundle/config.json"
	mkdir "$bundle/config.json"
	refuse_state config.json
	rmdir "$bundle/config.json"
	mkfifo "$bundle/config.json"
	refuse_state config.json
}

@test "a config.json that cannot be read costs the host name, never the attach" {
	for text in '{' '[]' "$(nested 5000)"; do
		mkdir -p "$BUNDLES/c0"
		printf '%s' "$text" >"$BUNDLES/c0/config.json"
		run attach c0 "$SLEEPER" macvlan0
		assert_eq 0 "$status"
		assert_addresses "$SLEEPER" eth0 10.0.0.3/24 2001:db8:babe:cafe::3/64
		assert_eq c0 "$(cli network inspect macvlan0 | jq -r '.[0].Containers.c0.Name')"
		release c0
		sleeper_start
	done
}

@test "network files that are no files, unreadable, huge or empty" {
	file=$ETC/networks/macvlan0.json
	good=$BATS_TEST_TMPDIR/good
	mv "$file" "$good"
	refuse_file() {
		run error_of timeout 10 "$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" \
			network inspect macvlan0
		assert_refused macvlan0
		run attach c0 "$SLEEPER" macvlan0
		assert_refused macvlan0
		rm -rf "$file"
	}
	mkdir "$file"
	refuse_file
	mkfifo "$file"
	refuse_file
	ln -s macvlan0.json "$file"
	refuse_file
	: >"$file"
	refuse_file
	megabytes 100 >"$file"
	refuse_file
	head -c 100000 "$(command -v busybox)" >"$file"
	refuse_file
	nested 5000 >"$file"
	refuse_file
	head -c 100 "$good" >"$file"
	refuse_file
	cp "$good" "$file"
	chmod 000 "$file"
	run error_of setpriv --bounding-set -dac_override,-dac_read_search \
		"$BUILD/oci-macvlan" --etc "$ETC" --run "$RUN" network inspect macvlan0
	assert_refused macvlan0
}

@test "network files that say something wrong: file, key and value are named" {
	refuse_network() { # MEMBERS TEXT...
		network_dual "$1"
		shift
		run attach c0 "$SLEEPER" macvlan0
		assert_refused macvlan0.json "$@"
	}
	refuse_network '{"colour": "blue"}' colour
	refuse_network '{"mode": "sideways"}' mode sideways
	refuse_network '{"parent": "a/b"}' parent a/b
	refuse_network '{"mtu": 12}' mtu 12
	refuse_network '{"mtu": "1500"}' mtu
	refuse_network '{"internal": "yes"}' internal
	refuse_network '{"subnets": [{"subnet": "10.0.0.0/24", "gateway": "10.9.0.1"}]}' gateway 10.9.0.1
	refuse_network '{"subnets": [{"subnet": "10.0.0.0/24", "ip_range": "10.9.0.0/25"}]}' \
		ip_range 10.9.0.0/25
	refuse_network '{"subnets": [{"subnet": "10.0.0.0/24"}, {"subnet": "10.0.0.128/25"}]}' \
		10.0.0.128/25
	refuse_network '{"subnets": [{"subnet": "10.0.0.5/24"}]}' 10.0.0.5/24
	refuse_network '{"subnets": [{"subnet": "10.0.0.0/24", "aux_addresses": {"a": "10.9.0.1"}}]}' \
		10.9.0.1
	refuse_network '{"routes": [{"dst": "10.0.0.0/99"}]}' dst 10.0.0.0/99
	network_dual
	sed -i 's/"name"/"mtu": 1400, "mtu": 1500, "name"/' "$ETC/networks/macvlan0.json"
	run attach c0 "$SLEEPER" macvlan0
	assert_refused macvlan0.json mtu
	network_dual
	mv "$ETC/networks/macvlan0.json" "$ETC/networks/other.json"
	run attach c0 "$SLEEPER" other
	assert_refused other.json macvlan0
}

# A RUN with a planted symbolic link in it: what it points at is not touched.
@test "symbolic links planted in RUN are not followed" {
	attach c0 "$SLEEPER" macvlan0
	release c0
	sleeper_start
	for name in containers pools netns lock errors boot containers/c0.json pools/eth0; do
		victim=$BATS_TEST_TMPDIR/victim
		rm -rf "$victim" "$BATS_TEST_TMPDIR/moved"
		mv "$RUN/$name" "$BATS_TEST_TMPDIR/moved" 2>/dev/null || true
		case $name in
		containers | pools | netns | pools/eth0) mkdir "$victim" ;;
		*) echo untouched >"$victim" ;;
		esac
		ln -s "$victim" "$RUN/$name"
		run attach c0 "$SLEEPER" macvlan0
		[ -d "$victim" ] || assert_eq untouched "$(cat "$victim")" "what $name points at"
		[ ! -d "$victim" ] || assert_eq "" "$(ls -A "$victim")" "what $name points at"
		case $name in
		errors | boot) ;;
		*)
			assert_eq 1 "$status" "exit status with a link at $name"
			assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
			assert_eq "" "$(links "$SLEEPER")"
			;;
		esac
		rm -rf "${RUN:?}"
		sleepers_stop
		sleeper_start
		attach c0 "$SLEEPER" macvlan0
		release c0
		sleeper_start
	done
}

@test "a record that is garbage: named, and left as it is" {
	attach c0 "$SLEEPER" macvlan0
	record=$RUN/containers/c0.json
	cp "$record" "$BATS_TEST_TMPDIR/good"
	for text in '' '{' '[]' '{"id":"other"}' '{"id":"c0","colour":1}' "$(nested 5000)"; do
		printf '%s' "$text" >"$record"
		for stage in createRuntime poststop; do
			state_json any c0 "$SLEEPER" io.oci-macvlan.networks=macvlan0 >"$STATE"
			run hook "$stage" <"$STATE"
			assert_eq 1 "$status" "$stage with a record of '$text'"
			assert_eq 1 "${#lines[@]}" "lines of the error '$output'"
			assert_contains "$output" c0.json
		done
		assert_eq "$text" "$(cat "$record")"
	done
	cp "$BATS_TEST_TMPDIR/good" "$record"
	release c0
}

@test "claims that somebody else made are respected" {
	attach c0 "$SLEEPER" macvlan0
	release c0
	ln -s ../../../../etc/passwd "$RUN/pools/eth0/10.0.0.4"
	ln -s "$(printf '%3000s' '' | tr ' ' a)" "$RUN/pools/eth0/10.0.0.5"
	sleeper_start
	attach c1 "$SLEEPER" macvlan0
	assert_addresses "$SLEEPER" eth0 10.0.0.6/24 2001:db8:babe:cafe::4/64
	rm "$RUN/pools/eth0/10.0.0.4" "$RUN/pools/eth0/10.0.0.5"
}

@test "not ours: the state is read to its end, whatever else is in it" {
	{
		printf '{"id":"c0","pid":1,"annotations":{"x":"y"},"z":"'
		head -c 900000 /dev/zero | tr '\0' x
		printf '"}'
	} >"$STATE"
	# shellcheck disable=SC2016 # expanded by the inner shell
	run bash -c 'set -o pipefail; . "$1"; ETC=$2 RUN=$3 HOOK_ARGS=()
		cat "$4" | hook createRuntime' - \
		"$REPO/tests/integration/lib.bash" "$ETC" "$RUN" "$STATE"
	assert_eq "0 " "$status $output"
}
