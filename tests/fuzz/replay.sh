#!/bin/sh
# SPDX-License-Identifier: MIT
# Each fuzz target, once over all that is in its corpus.
for corpus in "$srcdir"/tests/fuzz/corpus/*; do
	echo "$(basename "$corpus"):"
	./tests/fuzz/replay_"$(basename "$corpus")" "$corpus"/* || exit 1
done
