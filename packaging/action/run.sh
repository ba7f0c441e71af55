#!/bin/sh
# SPDX-License-Identifier: MIT
# The second step of the Action: runs $INPUT_COMMAND.  People read stderr, in
# the log and in the summary; outputs come from the JSON.
set -eu
work=$(mktemp -d "${RUNNER_TEMP:-/tmp}/mizzle.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Never an argument: command lines can be read by everybody on the machine.
if [ -n "$INPUT_URL" ]; then
	DATABASE_URL=$INPUT_URL
	export DATABASE_URL
fi
unset INPUT_URL

set -f # split, and nothing else
# shellcheck disable=SC2086
set -- $INPUT_ARGS
[ -z "$INPUT_DIR" ] || set -- --dir "$INPUT_DIR" "$@"
[ -z "$INPUT_URL_FILE" ] || set -- --url-file "$INPUT_URL_FILE" "$@"

# Annotations name files from where we are, GitHub from the top of the project.
inside=${INPUT_WORKING_DIRECTORY#./}
case $inside in '' | . | /*) inside= ;; *) inside=${inside%/}/ ;; esac

# Line by line as it comes, to the log and to a file.
said() {
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		::*' file='[!/]*)
			line="${line%%file=*}file=$inside${line#*file=}"
			;;
		esac
		printf '%s\n' "$line" >&2
		printf '%s\n' "$line" >&3
	done 3>"$work/said"
}

# A job that is cancelled tells this shell alone; the program then rolls back.
status=0 child=
trap '[ -z "$child" ] || kill -s TERM "$child" 2>/dev/null || :' INT TERM
mkfifo "$work/stderr"
said <"$work/stderr" &
said=$!
"$MIZZLE" "$INPUT_COMMAND" --json "$@" >"$work/json" 2>"$work/stderr" &
child=$!
while :; do
	wait "$child" && status=0 || status=$?
	kill -s 0 "$child" 2>/dev/null || break # not only a signal of ours
done
wait "$said" || :

# Its last line is made of names and numbers alone.
field() {
	tail -n 1 "$work/json" |
		sed -n 's/^{"event":"result",.*"'"$1"'":"\{0,1\}\([0-9a-z]*\).*/\1/p'
}

{
	echo "applied=$(field applied)"
	echo "pending=$(field pending)"
	echo "plan-id=$(field plan)"
	echo "destructive=$(field destructive)"
	echo "status=$status"
} >>"$GITHUB_OUTPUT"

# What only looks is asked once more, for people.  What it found wrong has been
# said, with annotations.
case $INPUT_COMMAND in
plan | status | verify | check | locks | lint | ping)
	"$MIZZLE" "$INPUT_COMMAND" "$@" >"$work/text" 2>/dev/null || :
	cat "$work/text"
	;;
*)
	: >"$work/text"
	applied=$(field applied)
	[ -z "$applied" ] || echo "applied $applied, pending $(field pending)" |
		tee "$work/text"
	;;
esac

# Indented text is shown as it is, whatever stands in it; GitHub takes 1 MiB.
{
	printf '### mizzle %s: ' "$INPUT_COMMAND"
	if [ "$status" -eq 0 ]; then echo ok; else echo "status $status"; fi
	echo
	grep -hv '^::' "$work/said" "$work/text" | head -c 200000 | sed 's/^/    /'
	echo
} >>"$GITHUB_STEP_SUMMARY"
exit "$status"
