# shellcheck shell=sh disable=SC2119,SC2120
# SPDX-License-Identifier: MIT
# A PostgreSQL server of one's own for a test; meant to be sourced.
#
#   server_start [NAME=VALUE...]  a fresh cluster, listening on 127.0.0.1:$port
#                                 and on a Unix socket in $dir
#   server_hba LINE...            other lines for pg_hba.conf, in force at once
#   server_stop                   also runs on exit; kills, then removes $dir
#   server_up, server_down [SIG]  start and stop what server_start made
#   fresh_db NAME                 an empty database (an old one is dropped)
#   url DB [USER]                 its URL, by TCP and with the password
#   sql DB "STATEMENTS"           run as the superuser; rows come out as a|b
#   check WHAT WANT GOT           one test
#   verdict                       "N passed, N failed", and the exit status
#
# Roles: postgres (superuser) and tester (may create databases), both with the
# password $password.  At first everybody is trusted on the socket and must
# give the password (SCRAM) by TCP; the superuser gets in by the socket always.
#
# PG_BIN names the directory of initdb and postgres.  Without any the test is
# skipped, unless REQUIRE_PG is set (as it is in CI).

# What the caller's environment says of databases is not for tests.
for name in $(env | sed -n 's/^\(PG[A-Z]*\|MIZZLE_[A-Z]*\)=.*/\1/p'); do
	unset "$name"
done
unset DATABASE_URL SSL_CERT_FILE SSL_CERT_DIR OPENSSL_CONF name
HOME=/nonexistent
export HOME
umask 022

newest_pg=$(find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null |
	sort -V | tail -n 1)
PG_BIN=${PG_BIN:-$newest_pg}
psql=$PG_BIN/psql # the one in PATH may be a wrapper, and slow
[ -x "$psql" ] || psql=$newest_pg/psql
if [ ! -x "$PG_BIN/initdb" ] || [ ! -x "$psql" ]; then
	echo "no PostgreSQL server here (PG_BIN says where)"
	[ -z "${REQUIRE_PG-}" ] || exit 1
	exit 77
fi

password='p@ss word'
port='' dir='' server_pid='' server_settings=''

# The server refuses to run as root, which is what CI is.  setpriv leaves no
# process of its own between us and the server.
as_pg=
[ "$(id -u)" -ne 0 ] ||
	as_pg='setpriv --reuid=postgres --regid=postgres --init-groups'

# Memory is much faster than a disk here, but containers may have little; and
# ON_DISK says that the disk is what is wanted.
server_dir() {
	room=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
	if [ -z "${ON_DISK-}" ] && [ "${room:-0}" -gt 2000000 ] && [ -w /dev/shm ]; then
		mktemp -d /dev/shm/mizzle.XXXXXX
	else
		mktemp -d "${TMPDIR:-/tmp}/mizzle.XXXXXX"
	fi
}

server_start() {
	dir=$(server_dir)
	trap server_stop EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	printf '%s\n' "$password" >"$dir/password"
	[ -z "$as_pg" ] || chown -R postgres "$dir"
	$as_pg "$PG_BIN/initdb" -U postgres -A trust --pwfile="$dir/password" \
		--no-sync --locale=C -E UTF8 -D "$dir/data" >"$dir/initdb.log" 2>&1 || {
		cat "$dir/initdb.log"
		exit 1
	}
	server_settings="fsync=off unix_socket_directories=$dir $*"
	server_rules 'local all all trust' 'host all all 127.0.0.1/32 scram-sha-256'
	server_up
	sql postgres "SET password_encryption = 'scram-sha-256';
		CREATE ROLE tester LOGIN CREATEDB PASSWORD '$password'"
}

# A port is free if the server can have it; then it is ours, whoever else
# runs tests at the same time.
server_up() {
	for attempt in 1 2 3 4 5 6 7 8 9 10; do
		[ "$attempt" -eq 1 ] && [ -n "$port" ] || port=$(($(
			od -An -N2 -tu2 /dev/urandom) % 20000 + 12000))
		# shellcheck disable=SC2086 # settings are words
		set -- $server_settings
		for setting; do set -- "$@" -c "$setting" && shift; done
		$as_pg "$PG_BIN/postgres" -D "$dir/data" -p "$port" \
			-c listen_addresses=127.0.0.1 "$@" \
			</dev/null >>"$dir/server.log" 2>&1 &
		server_pid=$!
		server_answers && return
		wait "$server_pid" || :
		grep -q 'Address already in use' "$dir/server.log" || break
	done
	cat "$dir/server.log"
	server_pid=
	exit 1
}

# The eighth line of postmaster.pid is the state.
server_answers() {
	while kill -0 "$server_pid" 2>/dev/null; do
		case $(sed -n '1p;8p' "$dir/data/postmaster.pid" 2>/dev/null |
			tr -d ' ' | paste -sd ' ') in
		"$server_pid ready" | "$server_pid standby") return 0 ;;
		esac
		sleep 0.01
	done
	return 1
}

# server_down [SIGNAL]: QUIT is the quickest, INT the cleanest.
server_down() {
	[ -n "$server_pid" ] || return 0
	kill -s "${1:-QUIT}" "$server_pid" 2>/dev/null || :
	wait "$server_pid" || :
	server_pid=
}

server_stop() {
	server_down
	[ -z "$dir" ] || rm -rf "$dir"
	dir=
}

server_rules() {
	printf '%s\n' 'local all postgres trust' "$@" >"$dir/data/pg_hba.conf"
	[ -z "$as_pg" ] || chown postgres "$dir/data/pg_hba.conf"
}

# The postmaster reads both files before it forks again, so that a backend
# with a new load time proves that the rules are in force.
server_hba() {
	server_rules "$@"
	loaded=$(sql postgres 'SELECT pg_conf_load_time()')
	kill -s HUP "$server_pid"
	while [ "$loaded" = "$(sql postgres 'SELECT pg_conf_load_time()')" ]; do
		sleep 0.01
	done
}

sql() {
	"$psql" -X -q -A -t -v ON_ERROR_STOP=1 -h "$dir" -p "$port" \
		-U postgres -d "$1" -c "$2"
}

fresh_db() {
	sql postgres "DROP DATABASE IF EXISTS \"$1\" WITH (FORCE)" 2>/dev/null
	if [ "$(sql postgres 'SHOW server_version_num')" -ge 150000 ]; then
		set -- "$1" 'STRATEGY file_copy' # half the time of wal_log
	fi
	sql postgres "CREATE DATABASE \"$1\" OWNER tester TEMPLATE template0 ${2-}"
}

url() {
	printf 'postgresql://%s:%s@127.0.0.1:%s/%s\n' "${2-tester}" \
		"$(printf %s "$password" | sed 's/@/%40/g; s/ /%20/g')" "$port" "$1"
}

failures=0 passes=0

check() {
	if [ "$2" = "$3" ]; then
		passes=$((passes + 1))
	else
		failures=$((failures + 1))
		printf 'FAIL %s\n  want: %s\n  got:  %s\n' "$1" "$2" "$3"
	fi
}

verdict() {
	echo "$passes passed, $failures failed"
	[ "$failures" -eq 0 ]
}
