#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/readme.sh BUILD
#
# README.md tells the truth: make demo passes and has every command of the walkthrough, the network
# file is one, each annotation is one, what it links to is there, and make has the two commands.
# Speaks TAP.

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${1:?usage: $0 BUILD}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0

check() { # NAME COMMAND...
	local name=$1
	shift

	count=$((count + 1))
	if "$@" >"$scratch/out" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		tail -n 20 "$scratch/out"
	fi
}

# The lines of fenced blocks of a kind: "" for what the walkthrough shows, "json" for a file.
blocks() { # KIND
	awk -v fence="\`\`\`$1" '/^```/ { fenced = !fenced; inside = fenced && $0 == fence; next } inside' README.md
}

# Command lines with what they go on with.
commands() {
	blocks "" | awk '/^# / || more { print; more = /\\$/ }'
}

demo_shows_the_commands() {
	local line missing=0

	[ "$(commands | wc -l)" -ge 12 ] || return 1
	while IFS= read -r line; do
		grep -qxF -e "$line" "$scratch/demo" || {
			echo "not in the demo: $line"
			missing=1
		}
	done < <(commands)
	return "$missing"
}

# What the table says, in the form that a selection has as JSON.
json_annotations() {
	# shellcheck disable=SC2016 # the backquotes are Markdown's
	sed -n 's/^| `\(\[{.*\]\)` |.*/\1/p' README.md >"$scratch/selection"
	[ -s "$scratch/selection" ] && "$build/tools/schema_read" selection "$scratch/selection"
}

network_file() {
	blocks json >"$scratch/macvlan0.json"
	"$build/tools/schema_read" network "$scratch/macvlan0.json"
}

links() {
	local link missing=0

	while IFS= read -r link; do
		[ -e "$link" ] || {
			echo "not there: $link"
			missing=1
		}
	done < <(grep -o '](\([^)]*\))' README.md | tr -d ']()')
	return "$missing"
}

targets() {
	grep -q '^    make demo ' README.md && grep -q '^    make check ' README.md &&
		make -n demo >/dev/null && make -n check >/dev/null
}

check "make demo shows the walkthrough" bash -c "tests/demo.sh '$build' >'$scratch/demo' 2>&1 ||
	{ tail -n 20 '$scratch/demo'; false; }"
check "with the commands that README.md has" demo_shows_the_commands
check "its network file is one" network_file
check "its JSON annotation is one" json_annotations
check "what it links to is there" links
check "make has the two commands" targets
echo "1..$count"
