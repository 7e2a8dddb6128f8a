#!/bin/bash
# SPDX-License-Identifier: MIT
#
# run.sh SECONDS   fuzz each target for that long, starting from its seeds; one line each
# run.sh replay    run each target once over its seeds; TAP
#
# The targets are those of "make fuzzers". An input that breaks one is kept in build/fuzz/crashes.

set -u
cd "$(dirname "$0")/../.." || exit 1

targets=(state bundle selection network record cni lease lan resolv dhcp_values)

# The seeds of a target: its own, and the documents that the schema tests use.
seeds()
{
	local folder

	for folder in "tests/fuzz/corpus/$1" "tests/schema/corpus/$1"; do
		[ ! -d "$folder" ] || echo "$folder"
	done
}

# Runs a target with the options given; new inputs go into a scratch folder, output into a file.
run()
{
	local target=$1 crash=build/fuzz/crashes/$1-
	local -a folders

	shift
	mapfile -t folders < <(seeds "$target")
	mkdir -p "$scratch/$target" build/fuzz/crashes
	"build/fuzz/fuzz_$target" -timeout=10 -artifact_prefix="$crash" "$@" \
		"$scratch/$target" "${folders[@]}" >"$scratch/$target.log" 2>&1
}

replay()
{
	local target number=0 status=0

	for target in "${targets[@]}"; do
		number=$((number + 1))
		if run "$target" -runs=0; then
			echo "ok $number - fuzz target $target over its seeds"
		else
			echo "not ok $number - fuzz target $target over its seeds"
			tail -n 30 "$scratch/$target.log" | sed 's/^/# /'
			status=1
		fi
	done
	echo "1..$number"
	return $status
}

fuzz()
{
	local target runs status=0

	for target in "${targets[@]}"; do
		if run "$target" -max_total_time="$1"; then
			runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$scratch/$target.log")
			echo "$target: $runs inputs in $1 s, none broke it"
		else
			echo "$target: broken, see build/fuzz/crashes:"
			tail -n 30 "$scratch/$target.log"
			status=1
		fi
	done
	return $status
}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

case ${1-} in
replay)
	replay
	;;
[1-9]*)
	fuzz "$1"
	;;
*)
	echo "usage: run.sh SECONDS|replay" >&2
	exit 2
	;;
esac
