#!/bin/sh
# SPDX-License-Identifier: MIT
# Reads connection strings as the installed libpq does: COUNT of them (`make
# differ` takes ten million), made from those of $SHARED and some of its own.
set -eu
shared=${SHARED:-${srcdir:-.}/../shared}
strings=$(mktemp)
trap 'rm -f "$strings"' EXIT
if [ -f "$shared/vectors/uri-cases.tsv" ]; then
	cut -f4 "$shared/vectors/uri-cases.tsv" >"$strings"
fi
./tests/fuzz/differ_conninfo "${COUNT:-200000}" "$strings"
