#!/bin/sh
# SPDX-License-Identifier: MIT
# The completion scripts that are installed are what the program prints.
set -eu
mizzle=${MIZZLE:-./mizzle}
kept=${srcdir:-.}/packaging/completions
passed=0 failed=0
[ -x "$mizzle" ] || {
	echo "no program to ask: $mizzle"
	exit 77
}

for file in bash/mizzle zsh/_mizzle fish/mizzle.fish; do
	if "$mizzle" completion "${file%/*}" | diff "$kept/$file" -; then
		passed=$((passed + 1))
	else
		echo "  ^ $file is an old one; make completions"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
