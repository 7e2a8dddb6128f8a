#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/bench/gate.sh BUILD
#
# A test, as TAP: an attach takes no more of the floor's time than it did when this was written, so
# that no later change makes it slower unseen. Ratios hardly depend on the machine's load; the
# limits are what was measured (README.md), and a tenth.

set -euo pipefail

cd "$(dirname "$0")/../.."
csv=$(mktemp)
trap 'rm -f "$csv"' EXIT
# shellcheck disable=SC2016 # expanded where BENCH_DIR is known
tests/isolate.sh -t 120 tests/bench/lab.sh sh -c \
	'exec "$0/bench/bench" "$0" tests/bench "$BENCH_DIR" attach-quick 250' "$1" >"$csv"
tests/bench/gate.py "$csv" 1.5 1.6
