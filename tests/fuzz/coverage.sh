#!/bin/sh
# SPDX-License-Identifier: MIT
# What the corpora run: for each target, of the files that it is for, how many
# of their lines its own corpus covers.  Builds in fuzz-coverage/ of the current
# folder; needs clang and llvm-cov.  LINES_OF=src/x.c shows instead which lines
# of that file no corpus runs.
set -eu
top=$(cd "${srcdir:-.}" && pwd)
here=$top/tests/fuzz
for tool in clang llvm-cov llvm-profdata; do
	command -v $tool >/dev/null || {
		echo "skipped: needs $tool"
		exit 77
	}
done
mkdir -p fuzz-coverage/profiles && cd fuzz-coverage
flags='-fprofile-instr-generate -fcoverage-mapping'
[ -f Makefile ] || "$top/configure" --quiet CC=clang CFLAGS="-O1 -g $flags" \
	LDFLAGS=-fprofile-instr-generate LIBS=-lm
targets=$(awk '!/^#/ { print $1 }' "$here/targets.txt")
for target in $targets; do set -- "$@" "tests/fuzz/fuzz_$target"; done
make -s -j2 FORTIFY_CPPFLAGS= "$@" >make.log 2>&1 || {
	tail -n 50 make.log
	exit 1
}

objects=
for target in $targets; do
	LLVM_PROFILE_FILE=profiles/$target.raw "./tests/fuzz/fuzz_$target" \
		"$here/corpus/$target"/* >/dev/null 2>&1 || {
		echo "the corpus of $target fails: make check"
		exit 1
	}
	llvm-profdata merge -o "profiles/$target" "profiles/$target.raw"
	objects="$objects -object tests/fuzz/fuzz_$target"
done

# Lines and those that were not run, of each file: "src/x.c 120 7".
report() {
	profile=$1
	shift
	# shellcheck disable=SC2086 # options are words
	llvm-cov report -instr-profile "$profile" $objects 2>/dev/null |
		awk '$1 ~ /^(src|proto)\/.*\.c$/ { print $1, $8, $9 }'
}

if [ -n "${LINES_OF:-}" ]; then
	llvm-profdata merge -o profiles/all profiles/*.raw
	# shellcheck disable=SC2086
	llvm-cov export -format=lcov -instr-profile profiles/all $objects \
		2>/dev/null | awk -v file="$LINES_OF" -F '[:,]' '
			$1 == "SF" { here = index($2, file) > 0 }
			here && $1 == "DA" && $3 == 0 { print $2 }' |
		sort -nu | while read -r line; do
			printf '%5d:%s\n' "$line" "$(sed -n "${line}p" "$top/$LINES_OF")"
		done
	exit
fi

grep -v '^#' "$here/targets.txt" | while read -r target _ files; do
	report "profiles/$target" | awk -v target="$target" -v files="$files" '
		BEGIN {
			n = split(files, pattern, " ")
			for (i = 1; i <= n; i++) {
				gsub(/\./, "\\.", pattern[i])
				gsub(/\*/, "[a-z0-9_]*", pattern[i])
			}
		}
		{
			for (i = 1; i <= n; i++)
				if ($1 ~ "^" pattern[i] "$") {
					all += $2
					missed += $3
					break
				}
		}
		END {
			printf "%-15s %6.2f %% of %4d lines  %s\n", target,
				all ? 100 * (all - missed) / all : 0, all, files
		}'
done
