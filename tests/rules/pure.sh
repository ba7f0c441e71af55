#!/bin/sh
# SPDX-License-Identifier: MIT
# The core of proto/ does no I/O and knows neither clock nor environment: its
# objects may ask for memory, strings and formatting, for digests (crypto.c),
# and for nothing else.  A new name here is a decision.
set -eu
allowed='malloc|free|snprintf|vsnprintf|explicit_bzero'
allowed="$allowed|mem(cpy|move|chr|set|cmp)|bcmp|str(len|n?cmp|chr|c?spn|pbrk|str)"
allowed="$allowed|utf8proc_(decompose|reencode)"
allowed="$allowed|__[a-z_]+_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_"
allowed="$allowed|__(asan|ubsan|lsan|sanitizer|sancov|gcov|llvm)_.*"

# shellcheck disable=SC2046,SC2086 # a list of names, which make gives us
set -- $(printf '%s\n' ${pgw_core:?} | sed -n 's/\.c$/.o/p')
nm -g --defined-only "$@" proto/crypto.o | awk 'NF == 3 { print $3 }' |
	sort -u >pure.own
nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u >pure.asked
if comm -13 pure.own pure.asked | grep -vxE "$allowed"; then
	echo "  ^ the core must not ask for these"
	exit 1
fi
rm -f pure.own pure.asked
echo "$# passed, 0 failed"
