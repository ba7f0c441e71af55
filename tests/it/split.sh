#!/bin/sh
# SPDX-License-Identifier: MIT
# Scripts are cut as psql cuts them: split_by_psql.py does the work.
set -eu

psql=$(find "${PG_BIN:-/nonexistent}"/psql /usr/lib/postgresql/*/bin/psql \
	-maxdepth 0 2>/dev/null | sort -V | tail -n 1)
if [ -z "$psql" ] || ! command -v python3 >/dev/null; then
	echo "skipped: needs psql and python3"
	exit 77
fi
exec python3 "${srcdir:-.}/tests/it/split_by_psql.py" "$psql" ./tests/it/split_tool \
	"${SHARED:-${srcdir:-.}/../shared}"
