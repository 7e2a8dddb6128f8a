#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tests/lint.sh
#
# Form, warnings of two compilers and two analysers, shell scripts, layering and sizes. Prints what
# is wrong; nothing but one line when all is well.

set -uo pipefail

cd "$(dirname "$0")/.." || exit

FUNCTION_LINES_MAX=60
FILE_LINES_MAX=500

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()

mapfile -t all_c < <(find schema ipam hook tests -name '*.[ch]' | sort)
mapfile -t sources < <(find schema ipam hook tests -name '*.c' ! -path 'tests/fuzz/*' \
	! -name umlxstate.c | sort)
mapfile -t scripts < <(grep -lE '^#!/bin/(ba)?sh' -r tests examples .ci | sort
	find tests -name '*.bash' | sort)
mapfile -t bats < <(find tests -name '*.bats' | sort)

step() { # NAME COMMAND...
	local name=$1
	shift

	if ! "$@" >"$work/log" 2>&1; then
		echo "--- $name"
		cat "$work/log"
		failed+=("$name")
	fi
}

format() {
	local clang_format

	clang_format=$(command -v clang-format-14 || command -v clang-format) || return
	"$clang_format" --dry-run -Werror "${all_c[@]}"
}

# Everything with one compiler, warnings being errors, in a copy so that no object is shared.
compile() { # CC
	rm -rf "$work/tree"
	mkdir "$work/tree"
	cp -r Makefile schema ipam hook tests "$work/tree"
	env -u MAKEFLAGS -u MAKELEVEL -u SAN make -C "$work/tree" -s -j 2 CC="$1" CFLAGS="-O2 -g -Werror" \
		all unit tools crash bench-programs
}

# The programs; what unit tests do to them is not always tidy. One file a run: with several,
# clang-tidy 14 takes every va_list for uninitialised.
tidy() {
	find schema ipam hook -name '*.c' -print0 | xargs -0 -n 1 -P 2 sh -c \
		'clang-tidy --quiet "$@" -- -std=gnu11 -I. -D_GNU_SOURCE -DOCI_MACVLAN_VERSION="\"0\"" -DOCI_MACVLAN_LIBEXEC="\"/\"" \
			2>/dev/null' tidy
}

# Suppressed: what does not see a cleanup attribute (leaks, and the value that only it uses; clang's
# analyser and the sanitizers look for those), readdir_r and rand (there
# are no threads), and a wish for declarations in inner blocks.
check_cpp() {
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,style,performance,portability \
		--inline-suppr --suppress=missingIncludeSystem --suppress=resourceLeak \
		--suppress=memleak --suppress=unreadVariable --suppress=readdirCalled --suppress=rand_rCalled \
		--suppress=variableScope --library=posix --library=gnu \
		-j 2 -I. -D_GNU_SOURCE '-DOCI_MACVLAN_VERSION="0"' '-DOCI_MACVLAN_LIBEXEC="/"' "${sources[@]}"
}

check_python() {
	pyflakes3 tests/bench/*.py tests/schema/*.py tests/tools/*.py
}

check_shell() {
	shellcheck -x "${scripts[@]}" && shellcheck -x -s bats "${bats[@]}"
}

# ctags says where a function starts and ends.
functions_too_long() {
	ctags -x --c-kinds=f --_xformat='%{input} %N %n %e' "${all_c[@]}" |
		awk -v max="$FUNCTION_LINES_MAX" '$4 - $3 + 1 > max {
			printf "%s:%d: %s has %d lines, at most %d\n", $1, $3, $2, $4 - $3 + 1, max; bad = 1 }
			END { exit bad }'
}

files_too_long() {
	wc -l "${all_c[@]}" "${scripts[@]}" "${bats[@]}" |
		awk -v max="$FILE_LINES_MAX" '$2 != "total" && $1 > max {
			printf "%s: %d lines, at most %d\n", $2, $1, max; bad = 1 } END { exit bad }'
}

# The first line of each file says its licence; a script's comes after the interpreter.
licences() {
	local file bad=0

	for file in "${all_c[@]}" "${scripts[@]}" "${bats[@]}"; do
		if ! head -n 2 "$file" | grep -q 'SPDX-License-Identifier: MIT'; then
			echo "$file: no SPDX-License-Identifier in its first two lines"
			bad=1
		fi
	done
	return "$bad"
}

step clang-format format
step gcc compile gcc
step clang compile clang
step clang-tidy tidy
step cppcheck check_cpp
step shellcheck check_shell
step pyflakes check_python
step layers tests/layers.sh
step "function size" functions_too_long
step "file size" files_too_long
step licences licences

if [ ${#failed[@]} -gt 0 ]; then
	echo "lint: failed: ${failed[*]}"
	exit 1
fi
echo "lint: clean"
