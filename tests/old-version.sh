#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/old-version.sh [COMMIT]
#
# Builds the hook and the admin program of an earlier version, by default 0.1.0, from this
# repository's history, and prints the folder that has both. It builds once: the folder gets its name
# when all is in it.
#
# Exit status 3: this is no clone with that commit; the line on stdout says why. 1: it does not build.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd "$(dirname "$0")/.."

commit=${1-f6079f00b57efbc1b659719a86e2f96e46106b61} # 0.1.0
folder=$PWD/build/old-${commit:0:7}

# The repository may be another user's than root's.
git_here() { # ARG...
	git -c safe.directory="$PWD" "$@"
}

skip() { # WHY
	echo "$1"
	exit 3
}

if [ ! -d "$folder" ]; then
	command -v git >/dev/null || skip "there is no git on this machine"
	[ -e .git ] || skip "this folder is no git repository"
	git_here cat-file -e "$commit^{commit}" 2>/dev/null ||
		skip "this repository has no commit ${commit:0:7}; 'git fetch --unshallow' completes a shallow clone"
	mkdir -p build
	work=$(mktemp -d build/.old-XXXXXX)
	trap 'rm -rf "$work"' EXIT
	git_here archive "$commit" | tar -x -C "$work"
	env -u MAKEFLAGS -u MAKELEVEL -u SAN -u CFLAGS make -s -C "$work" all >&2
	# Another process may have been faster: then its folder stays.
	mv -T "$work" "$folder" 2>/dev/null || [ -d "$folder" ]
fi
echo "$folder/build"
