#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/gate.sh BUILD
#
# A test, as TAP: an attach makes no more system calls than when this was written, touches about as
# many pages, and does not wait where it did not, so that no later change makes it slower unseen
# (gate.py has the limits).

set -euo pipefail

cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

ask() { # BUILD QUESTION ROUNDS
	# shellcheck disable=SC2016 # expanded where BENCH_DIR is known
	tests/isolate.sh -t 400 tests/bench/lab.sh sh -c \
		'exec "$0/bench/bench" "$0" tests/bench "$BENCH_DIR" "$@"' "$@" >"$dir/$2"
}

ask "$1" attach-quick 250
ask "$1" work 9
tests/bench/gate.py "$dir/attach-quick" "$dir/work"
