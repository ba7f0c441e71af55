#!/bin/sh
# SPDX-License-Identifier: MIT
# mizzle check: what is printed and with which status it ends.
set -u
mizzle=${MIZZLE:-$PWD/mizzle}
work=$(mktemp -d "${TMPDIR:-/tmp}/mizzle.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
unset DATABASE_URL MIZZLE_DIR GITHUB_ACTIONS NO_COLOR CLICOLOR_FORCE
cd "$work" || exit 1

# expect STATUS PATTERN ARGUMENTS...: the pattern is of stdout and stderr
expect() {
	want_status=$1 want=$2
	shift 2
	"$mizzle" check "$@" >out 2>&1 </dev/null
	status=$?
	out=$(cat out) verdict=ok
	[ "$status" -eq "$want_status" ] || verdict="status $status: $out"
	# shellcheck disable=SC2254
	case $out in $want) ;; *) verdict="output: $out" ;; esac
	if [ "$verdict" = ok ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: check %s\n  %s\n' "$*" "$verdict"
	fi
}

# put FILE TEXT
put() {
	mkdir -p "$(dirname "$1")"
	printf '%b' "$2" >"$1"
}

entry() {
	printf '{"idx":%s,"when":%s,"tag":"%s"}' "$1" "$2" "$3"
}

expect 2 '*error: no folder drizzle*hint: *--dir*'
mkdir drizzle
expect 2 '*no migrations in drizzle: neither meta/_journal.json nor*'

put drizzle/meta/_journal.json "{\"entries\":[$(entry 0 5 0000_a),
$(entry 1 6 0001_b)]}"
put drizzle/0000_a.sql 'select 1;'
put drizzle/0001_b.sql 'select 2;'
expect 0 'checked 2 migrations: nothing was found'
expect 0 'checked 2 migrations: nothing was found' --dir drizzle/
expect 0 '{"event":"result","command":"check","ok":true,"checked":2,*' --json

put drizzle/0001_b.sql 'select 2;\r\n'
expect 0 'warning\[crlf\]: 0001_b has CRLF line ends*drizzle/0001_b.sql:1:10*'
expect 8 '*checked 2 migrations: 0 errors, 1 warning*' --fail-on warning

put drizzle/meta/_journal.json "{\"entries\":[$(entry 0 6 0000_a),
$(entry 1 5 0001_b)]}"
put drizzle/0001_b.sql "select 2;\\nselect 'x"
expect 8 '*error\[journal-order\]:*skips this one in silence*drizzle/meta/_journal.json:2:1*error\[unterminated\]:*drizzle/0001_b.sql:2:8*2 errors*'
expect 0 '*2 errors*' --fail-on none
expect 8 '*"event":"finding"*"file":"drizzle/0001_b.sql","line":2,"column":8*"ok":false*' --json

rm drizzle/0001_b.sql
expect 8 '*error\[missing-file\]: drizzle/0001_b.sql is missing*'
put drizzle/meta/_journal.json '{"entries":[\n<<<<<<< HEAD\n'
expect 8 '*unresolved merge conflict*drizzle/meta/_journal.json:2:1*'

printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
