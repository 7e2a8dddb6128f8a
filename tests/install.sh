#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/install.sh demo|check|bench|bench-quick|lint
#
# Installs with apt what that target needs (Debian 12). Says and does nothing when all is there. What
# must not be installed, because it would serve the LAN, is unpacked into the build's folder.

set -euo pipefail

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

build=(gcc libc6-dev make libyajl-dev libmnl-dev)
# A|B: any of the two will do. busybox and busybox-static exclude each other.
lan=("busybox-static|busybox" iproute2 iputils-ping jq util-linux mount procps findutils)
# Docker's own packages have runc in containerd.io, which excludes Debian's.
demo=("${build[@]}" "${lan[@]}" "runc|containerd.io")
check=("${demo[@]}" crun podman conmon "containerd|containerd.io" bats clang libclang-rt-14-dev python3
	python3-jsonschema user-mode-linux strace tcpdump dnsmasq-base udhcpc systemd
	containernetworking-plugins ca-certificates e2fsprogs libssh-gcrypt-4 git)
bench_quick=("${build[@]}" iproute2 util-linux mount procps python3 "gnuplot-nox|gnuplot-qt|gnuplot-x11")
bench=("${bench_quick[@]}" "${demo[@]}" crun podman conmon "containerd|containerd.io" netavark
	containernetworking-plugins iptables ca-certificates)
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
bench-quick) packages=("${bench_quick[@]}") ;;
lint) packages=("${lint[@]}") ;;
*)
	echo "usage: $0 demo|check|bench|bench-quick|lint" >&2
	exit 2
	;;
esac

# At the end.
unpack() { # TARGET
	[ "$1" = check ] || return 0
	"$(dirname "$0")/unpack.sh" isc-dhcp-server usr/sbin/dhcpd
	"$(dirname "$0")/unpack.sh" bird2 usr/sbin/bird
}

missing=()
if command -v dpkg-query >/dev/null; then
	for package in "${packages[@]}"; do
		is_installed "$package" || missing+=("${package%%|*}")
	done
else
	missing=("${packages[@]%%|*}")
fi
if [ ${#missing[@]} -eq 0 ]; then
	unpack "$1"
	exit
fi

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
apt_run install --no-install-recommends --no-remove "${missing[@]}"
unpack "$1"
