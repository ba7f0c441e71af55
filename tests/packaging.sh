#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs every test in tests/packaging against the static program $MIZZLE and
# sums what they say.  One that ends with 77 was skipped, and said why.
set -u
srcdir=${srcdir:-.}
MIZZLE=${MIZZLE:-./mizzle}
export srcdir MIZZLE
if readelf -lW "$MIZZLE" | grep -q INTERP; then
	echo "$MIZZLE is not static; configure with --enable-static-binary" >&2
	exit 2
fi

said=$(mktemp)
trap 'rm -f "$said"' EXIT
passed=0 failed=0

# Indented, so that the last line alone is the sum.
one() {
	name=${1#"$srcdir/tests/packaging/"}
	case $name in
	*.py) set -- sh "$srcdir/tests/it/python.sh" "$1" ;;
	*) set -- bash "$1" ;; # some are of bash
	esac
	began=$(date +%s)
	"$@" >"$said" 2>&1 </dev/null
	status=$?
	echo "$name: $(($(date +%s) - began)) s"
	sed 's/^/  /' "$said"
	if [ "$status" -eq 77 ]; then
		echo "skipped: $name: $(tail -n 1 "$said")"
		return
	fi
	ok=$(sed -n '$s/^\([0-9]*\) passed, [0-9]* failed$/\1/p' "$said")
	bad=$(sed -n '$s/^[0-9]* passed, \([0-9]*\) failed$/\1/p' "$said")
	# what ended without a sum, or badly in spite of it, is one failure
	[ -n "$bad" ] && { [ "$status" -eq 0 ] || [ "$bad" -gt 0 ]; } || bad=1
	passed=$((passed + ${ok:-0})) failed=$((failed + bad))
}

for test in "$srcdir"/tests/packaging/*.sh "$srcdir"/tests/packaging/*.py; do
	one "$test"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
