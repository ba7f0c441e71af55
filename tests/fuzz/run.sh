#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks for more, in a build with --enable-fuzzers: TIME seconds for each target,
# or for those that FUZZ names.  What is new goes to found/NAME/, what goes wrong
# to found/NAME-crash-... (-timeout-, -leak-), and what libFuzzer says to
# found/NAME.log.
#
#   run.sh         fuzz, and say how far each came
#   run.sh merge   add to the corpora in the source tree what of found/ runs code
#                  that nothing there does
set -u
here=${srcdir:-.}/tests/fuzz
make=${MAKE:-make}

# The line of targets.txt, or the n-th word of it.
about() {
	awk -v name="$1" -v n="${2:-1}" '$1 == name { print $n }' "$here/targets.txt"
}

targets() {
	if [ -n "${FUZZ-}" ]; then
		echo "$FUZZ" | tr ' ' '\n' | grep .
	else
		awk '!/^#/ { print $1 }' "$here/targets.txt"
	fi
}

said() { grep -ao "$1" "found/$2.log" | tail -n 1 | grep -o '[0-9]*$'; }

# fuzz NAME: its line of the table; fails when something went wrong.
fuzz() {
	dict=$(about "$1" 2)
	set -- "$1" "./tests/fuzz/fuzz_$1" -max_total_time="${TIME:-60}" \
		-timeout=20 -rss_limit_mb=3000 -print_final_stats=1 \
		-artifact_prefix="found/$1-"
	[ "$dict" = - ] || set -- "$@" -dict="$here/dict/$dict.dict"
	name=$1
	shift
	mkdir -p "found/$name"
	"$@" "found/$name" "$here/corpus/$name" >"found/$name.log" 2>&1
	status=$?
	printf '%-15s %10s executions, %5s edges' "$name" \
		"$(said 'number_of_executed_units: [0-9]*' "$name")" \
		"$(said 'cov: [0-9]*' "$name")"
	[ "$status" -ne 0 ] || { echo; return; }
	echo ', WENT WRONG:'
	grep -a -E 'does not hold|SUMMARY|Test unit' "found/$name.log"
	return 1
}

# As few as will do, and edges alone count: with how often each is passed there
# would be thousands.
merge() {
	"./tests/fuzz/fuzz_$1" -set_cover_merge=1 -use_counters=0 "$here/corpus/$1" \
		"found/$1" >"found/$1.merge.log" 2>&1 || {
		tail -n 20 "found/$1.merge.log"
		return 1
	}
	find "$here/corpus/$1" -type f | wc -l | sed "s/^/$1: /; s/\$/ inputs/"
}

status=0
for target in $(targets); do
	[ -n "$(about "$target")" ] || {
		echo "there is no target $target in targets.txt" >&2
		exit 2
	}
	$make -s "tests/fuzz/fuzz_$target" || exit
	if [ "${1-}" = merge ]; then
		[ ! -d "found/$target" ] || merge "$target" || status=1
	else
		fuzz "$target" || status=1
	fi
done
exit $status
