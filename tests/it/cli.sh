#!/bin/sh
# SPDX-License-Identifier: MIT
# The command line without a database: help, mistakes, lost output.
set -u
mizzle=${MIZZLE:-$PWD/mizzle}
work=$(mktemp -d "${TMPDIR:-/tmp}/mizzle.XXXXXX")
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# What the caller's environment says is not for tests.
for name in $(env | sed -n 's/^\(PG[A-Z]*\|MIZZLE_[A-Z]*\)=.*/\1/p'); do
	unset "$name"
done
unset DATABASE_URL GITHUB_ACTIONS NO_COLOR CLICOLOR_FORCE CI name
cd "$work" || exit 1

# expect STATUS STDOUT STDERR ARGUMENTS...: the texts are patterns of case
expect() {
	want_status=$1 want_out=$2 want_err=$3
	shift 3
	"$mizzle" "$@" >out 2>err </dev/null
	status=$?
	out=$(cat out) err=$(cat err)
	verdict=ok
	[ "$status" -eq "$want_status" ] || verdict="status $status"
	# shellcheck disable=SC2254
	case $out in $want_out) ;; *) verdict="stdout: $out" ;; esac
	# shellcheck disable=SC2254
	case $err in $want_err) ;; *) verdict="stderr: $err" ;; esac
	tell "mizzle $*" "$verdict"
}

tell() {
	if [ "$2" = ok ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED: %s\n  %s\n' "$1" "$2"
	fi
}

# help and version: stdout, 0
expect 0 'mizzle [0-9]*' '' --version
expect 0 '*Usage: mizzle *Commands:*migrate*Options of every command:*' '' --help
expect 0 '*Usage: mizzle *Commands:*' '' help
expect 0 'Usage: mizzle migrate*--lock-wait DURATION*' '' help migrate
expect 0 'Usage: mizzle migrate*--lock-wait DURATION*' '' migrate --help
expect 0 'Usage: mizzle migrate*' '' --help up
expect 0 'Usage: mizzle ping*--print-config*' '' ping -h --json

# mistakes: stderr, 2
expect 2 '' '*Usage: mizzle *Commands:*'
expect 2 '' '*Usage: mizzle *Commands:*' --quiet
expect 2 '' "error: there is no command 'migrat'*did you mean 'migrate'?" migrat
expect 2 '' "error: there is no command 'migrat'*did you mean 'migrate'?" help migrat
expect 2 '' "*no option '--jsom'*did you mean --json?" status --jsom
expect 2 '' '*--to is not an option of status*belongs to migrate*' status --to x
expect 2 '' '*--fail-on*not one of error, warning or none*' check --fail-on=eror
expect 2 '' '*--wait needs a value*' ping --wait
expect 2 '' "*unexpected argument 'x'*" ping x
expect 2 '' '*a connection string is not an argument*' ping postgres://u:pw@h/d
expect 2 '{"event":"error","code":"usage",*"event":"result",*"ok":false*' \
	'error: *' frobnicate --json
expect 2 '' '*cannot write the trace*' ping --trace=/nowhere/at/all

# what was understood
expect 0 "user='u' password='\*\*\*' dbname='d' host='h' port='5433' (inet)" '' \
	ping --print-config --url postgres://u:secret@h:5433/d
expect 0 "*password='secret'*" '' \
	ping --print-config --show-secrets --url=postgres://u:secret@h/d
expect 0 "dbname='d' (local)" '' --url 'dbname=d' ping --print-config --
expect 2 '' '*there is no command*' -- --print-config
expect 0 '{"event":"config",*"event":"result","command":"ping","ok":true}' '' \
	ping --print-config --json --url=postgres://h
expect 2 '' 'error: --url: *' ping --print-config --url 'postgres://u:secret@[h/d'
case $(cat out err) in
*secret*) tell 'no password in an error' "$(cat out err)" ;;
*) tell 'no password in an error' ok ;;
esac
printf 'postgres://f@h/d\r\n' >url
expect 0 "user='f'*" '' ping --print-config --url-file url
expect 2 '' '*nowhere*' ping --print-config --url-file nowhere
: >empty
expect 2 '' '*empty*' ping --print-config --url-file empty
expect 2 '' '*exclude each other*' ping --url=x --url-file=url
DATABASE_URL=postgres://env@h/d
export DATABASE_URL
expect 0 "user='env'*" '' ping --print-config
expect 0 "user='opt'*" '' ping --print-config --url postgres://opt@h/d
DATABASE_URL='postgres://[h'
expect 2 '' 'error: DATABASE_URL: *' ping --print-config
unset DATABASE_URL
MIZZLE_WAIT=soon
export MIZZLE_WAIT
expect 2 '' "error: MIZZLE_WAIT: 'soon' is not a duration*" ping
unset MIZZLE_WAIT

# .env: never overrides, read when it is needed, named or not
printf 'DATABASE_URL=postgres://file@h/d\nMIZZLE_WAIT=later\nPGPORT=77\n' >.env
expect 0 "user='file'*" '' ping --print-config
expect 2 '' "error: MIZZLE_WAIT: 'later' is not a duration*" ping
expect 0 "user='opt'*" '' ping --print-config --url postgres://opt@h/d
DATABASE_URL=postgres://env@h/d
export DATABASE_URL
expect 0 "user='env'*" '' ping --print-config
unset DATABASE_URL
printf 'DATABASE_URL=postgres://named@h/d\n' >other
expect 0 "user='named'*" '' ping --print-config --env-file other
expect 2 '' 'error: nowhere *' ping --print-config --env-file nowhere
rm .env && mkdir .env
expect 0 "(*)" '' ping --print-config
rmdir .env
mkfifo .env
expect 0 '*Usage*' '' --help
expect 2 '' 'error: .env *' ping --print-config
rm .env

# drizzle.config.*: the last to be asked, and only when it is needed
cat >drizzle.config.ts <<'EOT'
export default defineConfig({
	dialect: 'postgresql',
	out: './from-config',
	dbCredentials: { url: process.env.THEIR_URL! },
	migrations: { table: compute(), schema: 'theirs' },
});
EOT
expect 2 '' '*from-config*' check
expect 2 '' '*elsewhere*' check --dir elsewhere
expect 2 '' '*THEIR_URL*' ping --print-config
THEIR_URL=postgres://config@h/d
export THEIR_URL
expect 0 "user='config'*" '' ping --print-config
expect 0 "user='opt'*" '' ping --print-config --url postgres://opt@h/d
expect 2 '' '*table*' ping
PGHOST=h
export PGHOST
expect 0 '(*)' '' ping --print-config
unset PGHOST THEIR_URL
expect 2 '' '*nowhere*' check --config nowhere
rm drizzle.config.ts

# no server
expect 3 '' 'error: *127.0.0.1:1*' ping --url postgres://u@127.0.0.1:1/d
esc=$(printf '\033')
expect 3 '' "$esc*error:*" ping --url postgres://u@127.0.0.1:1/d --color=always
GITHUB_ACTIONS=true
export GITHUB_ACTIONS
expect 3 '' 'error: *::error::*' ping --url postgres://u@127.0.0.1:1/d
unset GITHUB_ACTIONS

# output that is lost is an error, and closed descriptors are nobody else's
for how in '>&-' '>/dev/full'; do
	for what in --version --help 'ping --print-config'; do
		eval "\"\$mizzle\" $what $how" 2>err
		[ $? -eq 1 ] && grep -q '^error: cannot write the output' err
		case $? in
		0) tell "$what $how" ok ;;
		*) tell "$what $how" "$(cat err)" ;;
		esac
	done
done
"$mizzle" ping --url postgres://u@127.0.0.1:1/d <&- >&- 2>&-
tell 'no descriptor at all' "$([ $? -eq 3 ] && echo ok)"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
