#!/bin/sh
# SPDX-License-Identifier: MIT
# The splitter cuts as PostgreSQL's own scanner and grammar do: sql_by_pg_query.py
# does the work, with what is in PG_QUERY_HOME (package.json installed there).
set -eu
home=${PG_QUERY_HOME:-}
if [ ! -d "$home/node_modules/libpg-query" ] || ! command -v node >/dev/null ||
	! command -v python3 >/dev/null; then
	echo "skipped: needs node, python3, and libpg-query in PG_QUERY_HOME"
	exit 77
fi
here=${srcdir:-.}/tests/fuzz
exec python3 "$here/sql_by_pg_query.py" ./tests/fuzz/cutter "$home" "$here/corpus"
