#!/bin/sh
# SPDX-License-Identifier: MIT
# Line coverage of proto/ by the unit tests, the fuzz corpora and the servers
# that misbehave: per file, then the total.  Builds in coverage/ of the
# current folder; needs gcc and gcov.  LEAST is how many percent are enough,
# LINES_OF=proto/x.c shows instead which lines of that file were not run.
set -eu
top=$(cd "${srcdir:-.}" && pwd)
mkdir -p coverage && cd coverage
[ -f Makefile ] || "$top/configure" --quiet CFLAGS='-O0 -g --coverage' \
	LDFLAGS=--coverage LIBS=-lm
find . -name '*.gcda' -delete
make -s -j2 check FORTIFY_CPPFLAGS= "TESTS=${COVERAGE_TESTS:-\$(unit_tests) \
	tests/fuzz/replay.sh tests/it/hostile.py tests/it/hostile_query.py tests/it/hostile_tls.py}" \
	>make.log 2>&1 || {
	tail -n 50 make.log
	exit 1
}
if [ -n "${LINES_OF:-}" ]; then
	gcov --stdout -o proto "${LINES_OF%.c}.gcno" |
		awk -F: '/^ *-: *0:Source:/ { here = $4 }
			here ~ /proto\/.*\.c$/ && /^ *#####:/'
	exit
fi
gcov -n -o proto proto/*.gcno 2>/dev/null | awk -v least="${LEAST:-0}" '
	/^File / { file = ""; if (!/_data\.c/ && match($0, /proto\/[a-z0-9_]*\.c/))
		file = substr($0, RSTART, RLENGTH) }
	file != "" && /^Lines executed:/ {
		split($0, part, /[:% ]+/)
		printf "%6.2f %% of %4d  %s\n", part[3], part[5], file | "sort -n"
		run += part[3] * part[5] / 100
		all += part[5]
		file = ""
	}
	END {
		close("sort -n")
		printf "%6.2f %% of %4d lines\n", 100 * run / all, all
		exit 100 * run / all < least
	}'
