#!/bin/sh
# SPDX-License-Identifier: MIT
# The tests that SECURITY.md names are there, and what it promises of the
# source can be seen in it.
set -eu
cd "${srcdir:-.}"
passed=0 failed=0

good() { passed=$((passed + 1)); }
bad() {
	echo "$1"
	failed=$((failed + 1))
}

# Each `tests/FILE: TEXT`; a row of the table has one or says why not.
rows=$(sed -n '/^|---/,$p' SECURITY.md | tail -n +2)
while IFS= read -r row; do
	case $row in
	*'`tests/'* | *'cannot apply: '*) good ;;
	*) bad "neither a test nor a reason: $row" ;;
	esac
done <<END
$rows
END
named=$(printf '%s\n' "$rows" | tr '`' '\n' | grep '^tests/')
while IFS= read -r test; do
	if grep -qF -e "${test#*: }" "${test%%: *}"; then
		good
	else
		bad "not there: $test"
	fi
done <<END
$named
END

# Secrets, and what is to be proved with them, are compared in constant time.
if grep -nE '\<(mem|str)n?cmp\(' proto/scram*.c proto/crypto.c; then
	bad 'compared, but not in constant time'
else
	good
fi

# A function in our own SQL is one of pg_catalog, whatever search_path says.
if grep -nE '"[^"]*[^._a-z](pg_[a-z_]+|(set_config|current_setting|string_agg|count|to_reg[a-z]+)) *\(' \
	src/*.c proto/*.c; then
	bad 'a function without pg_catalog'
else
	good
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
