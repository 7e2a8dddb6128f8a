#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/gate.sh BUILD
#
# A test, as TAP: an attach takes no more of the floor's time than it did when this was written, and
# a tenth, so that no later change makes it slower unseen (gate.py has the limits).

set -euo pipefail

cd "$(dirname "$0")/../.."
csv=$(mktemp)
trap 'rm -f "$csv"' EXIT
# shellcheck disable=SC2016 # expanded where BENCH_DIR is known
tests/isolate.sh -t 120 tests/bench/lab.sh sh -c \
	'exec "$0/bench/bench" "$0" tests/bench "$BENCH_DIR" attach-quick 250' "$1" >"$csv"
tests/bench/gate.py "$csv"
