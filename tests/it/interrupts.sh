#!/bin/sh
# SPDX-License-Identifier: MIT
# Signals: what runs is cancelled and rolled back, the status is 128+N.
set -u
here=$(dirname "$0")
# shellcheck source=tests/it/server.sh
. "$here/server.sh"
mizzle=${MIZZLE:-$PWD/mizzle}
server_start
fresh_db signals
DATABASE_URL=$(url signals)
export DATABASE_URL
mkdir "$dir/folder"
printf 'CREATE TABLE a();\nSELECT pg_sleep(60);\n' >"$dir/folder/1.sql"

# Wait until the server runs, or does not run, our statement.
await_sleeping() {
	for _ in $(seq 600); do
		[ "$(sql signals "SELECT count(*) FROM pg_stat_activity
			WHERE usename = 'tester' AND state = 'active'")" = "$1" ] &&
			return
		sleep 0.1
	done
	echo "no $1 statements after 60 s"
}

# Where signals are ignored, as after nohup, they would stay so.
default=
env --default-signal=HUP true 2>/dev/null && default='env --default-signal=HUP'

for signal in INT:130 TERM:143 HUP:129; do
	# shellcheck disable=SC2086 # words
	$default "$mizzle" migrate --dir "$dir/folder" >"$dir/out" 2>"$dir/err" &
	pid=$!
	await_sleeping 1
	kill -"${signal%:*}" "$pid"
	wait "$pid"
	check "status after ${signal%:*}" "${signal#*:}" "$?"
	check "nothing runs after ${signal%:*}" '' "$(await_sleeping 0)"
	check "rolled back after ${signal%:*}" '' \
		"$(sql signals "SELECT 'a' FROM pg_class WHERE relname = 'a'")"
	check "stderr after ${signal%:*}" 1 "$(grep -c '^error: ' "$dir/err")"
done

# ping
check 'ping knows the server' 1 "$("$mizzle" ping --json |
	grep -c '"event":"ping".*"database":"signals".*"authentication":"SCRAM-SHA-256".*"pooler":false')"
check 'ping is for people too' 'database        signals, as tester' \
	"$("$mizzle" ping | grep '^database')"
"$mizzle" ping --url "$(url signals | sed 's/p%40/wrong/')" >"$dir/out" 2>&1
check 'a wrong password' 3 "$?"
check 'and no word of it' 0 "$(grep -c wrong "$dir/out")"

verdict
