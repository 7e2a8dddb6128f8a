#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/install.sh demo|check|bench|lint
#
# Installs with apt what that target needs (Debian 12). Says and does nothing when all is there.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

build=(gcc libc6-dev make libyajl-dev libmnl-dev)
# A|B: any of the two will do. busybox and busybox-static exclude each other.
lan=("busybox-static|busybox" iproute2 iputils-ping jq util-linux mount procps findutils)
demo=("${build[@]}" "${lan[@]}" runc)
check=("${demo[@]}" crun podman conmon containerd bats clang libclang-rt-14-dev python3
	python3-jsonschema user-mode-linux strace tcpdump ca-certificates e2fsprogs)
bench=("${check[@]}" netavark containernetworking-plugins iptables gnuplot-nox)
lint=("${build[@]}" clang clang-format-14 clang-tidy cppcheck shellcheck universal-ctags pyflakes3)

is_installed() { # PACKAGE|PACKAGE...
	local package

	for package in ${1//|/ }; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ] ||
			return 0
	done
	return 1
}

# Quiet; all that apt said when it fails.
apt_run() { # ARG...
	DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >"$log" 2>&1 && return
	cat "$log" >&2
	echo "$0: cannot install ${missing[*]}: apt-get $1 failed" >&2
	return 1
}

case ${1-} in
demo) packages=("${demo[@]}") ;;
check) packages=("${check[@]}") ;;
bench) packages=("${bench[@]}") ;;
lint) packages=("${lint[@]}") ;;
*)
	echo "usage: $0 demo|check|bench|lint" >&2
	exit 2
	;;
esac

missing=()
if command -v dpkg-query >/dev/null; then
	for package in "${packages[@]}"; do
		is_installed "$package" || missing+=("${package%%|*}")
	done
else
	missing=("${packages[@]%%|*}")
fi
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "$0: no apt-get here: install by hand what matches Debian's ${missing[*]}" >&2
	exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "$0: not root: run 'apt-get install --no-install-recommends ${missing[*]}' first" >&2
	exit 1
fi

echo "installing ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt_run update
apt_run install --no-install-recommends "${missing[@]}"
