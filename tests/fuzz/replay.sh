#!/bin/sh
# SPDX-License-Identifier: MIT
# Each fuzz target, once over all that is in its corpus.
set -eu
n=0
for source in "${srcdir:-.}"/tests/fuzz/fuzz_*.c; do
	target=$(basename "$source" .c)
	echo "$target"
	"./tests/fuzz/$target" "${srcdir:-.}/tests/fuzz/corpus/${target#fuzz_}"/*
	n=$((n + 1))
done
echo "$n passed, 0 failed"
