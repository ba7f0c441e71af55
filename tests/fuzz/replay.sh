#!/bin/sh
# SPDX-License-Identifier: MIT
# Each fuzz target, once over all that is in its corpus; targets.txt knows it.
set -eu
here=${srcdir:-.}/tests/fuzz
n=0
for source in "$here"/fuzz_*.c; do
	name=$(basename "$source" .c)
	name=${name#fuzz_}
	echo "$name"
	"./tests/fuzz/fuzz_$name" "$here/corpus/$name"/*
	grep -q "^$name " "$here/targets.txt" || {
		echo "$name is not in targets.txt"
		exit 1
	}
	n=$((n + 1))
done
echo "$n passed, 0 failed"
