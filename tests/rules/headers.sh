#!/bin/sh
# SPDX-License-Identifier: MIT
# Each header compiles on its own.
set -eu
srcdir=${srcdir:-.}
passed=0 failed=0
for header in "$srcdir"/proto/*.h "$srcdir"/src/*.h; do
	case $header in *_table.h) continue ;; esac # rows for a macro
	if ${CC:-cc} -std=gnu11 -fsyntax-only -I. -I"$srcdir/proto" \
		-I"$srcdir/src" -include config.h -x c "$header"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
