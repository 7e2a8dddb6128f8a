#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/layers.sh: the layering, as TAP. schema knows nothing of the others, ipam nothing of hook;
# schema/json* has the JSON library to itself, hook/nl and hook/rtnl* have netlink's (and the
# benchmark's floor, which shares nothing with them).

set -euo pipefail

cd "$(dirname "$0")/.."
n=0
status=0

# Passes when no line of these files, comments aside, matches.
check_none() { # WHAT REGEX FILE...
	local what=$1 regex=$2 found
	shift 2

	n=$((n + 1))
	if found=$(grep -nE "$regex" "$@" /dev/null | grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)'); then
		echo "not ok $n - $what"
		printf '# %s\n' "${found//$'\n'/$'\n# '}"
		status=1
	else
		echo "ok $n - $what"
	fi
}

# The C files of the project but those whose path matches REGEX.
sources_but() { # REGEX
	find schema ipam hook tests -name '*.[ch]' | grep -vE "$1" | sort
}

mapfile -t schema < <(find schema -name '*.[ch]')
mapfile -t ipam < <(find ipam -name '*.[ch]')
mapfile -t no_yajl < <(sources_but '^schema/json[a-z_]*\.[ch]$')
mapfile -t no_mnl < <(sources_but '^(hook/(nl|rtnl[a-z_]*)\.[ch]|tests/bench/floor\.c)$')

check_none "schema includes neither ipam nor hook" \
	'#[ \t]*include[ \t]*"(ipam|hook)/' "${schema[@]}"
check_none "ipam does not include hook" '#[ \t]*include[ \t]*"hook/' "${ipam[@]}"
check_none "only schema/json* uses yajl" 'yajl_|<yajl/' "${no_yajl[@]}"
check_none "only hook/nl and hook/rtnl use libmnl" 'mnl_[a-z]|libmnl/' "${no_mnl[@]}"
check_none "includes name their folder" '#[ \t]*include[ \t]*"[^/"]*"' "${schema[@]}" "${ipam[@]}"
echo "1..$n"
exit "$status"
