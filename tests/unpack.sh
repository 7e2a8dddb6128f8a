#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/unpack.sh PACKAGE PROGRAM
#
# Unpacks a package of Debian's into build/PACKAGE, where the tests find its PROGRAM. Not installed:
# these start a server as a service, and nobody wants a second one on the LAN because he ran our
# tests. Says and does nothing when it is there.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
package=${1:?usage: $0 PACKAGE PROGRAM}
program=${2:?usage: $0 PACKAGE PROGRAM}
folder=$(realpath "$(dirname "$0")/..")/build/$package

die() { # WHAT
	cat "$work/log" >&2
	ldd "$work/tree/$program" 2>/dev/null | grep 'not found' >&2 || true
	echo "$0: $1; unpack $package (dpkg-deb -x, not as a service) into $folder" >&2
	exit 1
}

# All that it links is in every Debian, or installed by install.sh; with another version of the package
# that may change.
runs() { # FOLDER
	[ -x "$1/$program" ] && [ "$(ldd "$1/$program" | grep -c 'not found')" -eq 0 ]
}

# apt-get cannot hand over to its own user in a folder of root's. The list of packages may be older
# than what the mirror has.
download() {
	(cd "$work" && apt-get -q -o APT::Sandbox::User=root download "$package") >>"$work/log" 2>&1
}

! runs "$folder" || exit 0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/log"
command -v apt-get >/dev/null || die "no apt-get here"
echo "unpacking $package into build/$package"
download || { apt-get -q update >>"$work/log" 2>&1 && download; } || die "cannot download $package"
mkdir -p "$work/tree"
dpkg-deb -x "$work/$package"_*.deb "$work/tree" 2>>"$work/log" || die "cannot unpack $package"
runs "$work/tree" || die "the $program of $package does not run here"
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/tree" "$folder"
