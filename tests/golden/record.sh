#!/bin/sh
# SPDX-License-Identifier: MIT
# Records all conversations anew, or that of one name, with the server that
# PG_BIN names:
#
#   make tests/golden/recorder && sh tests/golden/record.sh [NAME]
#
# Look at what has changed in the traces before it is committed.
set -eu
srcdir=${srcdir:-$(dirname "$0")/../..}
recorder=$PWD/tests/golden/recorder
# shellcheck source=tests/it/server.sh
. "$srcdir/tests/it/server.sh"

server_start
sh "$srcdir/tests/certs.sh" "$dir/certs"
[ "$(id -u)" -ne 0 ] || chown -R postgres "$dir/certs"
server_settings="$server_settings ssl=on ssl_cert_file=$dir/certs/server.crt
	ssl_key_file=$dir/certs/server.key"
server_down
server_up
# The password of "quick" is the same, hashed but once.
sql postgres "
	CREATE ROLE trusted LOGIN;
	CREATE ROLE clear LOGIN PASSWORD 'secret';
	CREATE ROLE salted LOGIN PASSWORD 'secret';
	CREATE ROLE quick LOGIN PASSWORD 'SCRAM-SHA-256\$1:c2l4dGVlbiBieXRlcyBvaw==\$iKiEfNDy7Xbxfk4pKxwXyA4XUPZG8wd9ShvLvd6fl1s=:ACEa3mIbKKpw04Zzs+j/MQMwfu4PICb/QqGpyIkVd0A=';
	SET password_encryption = md5;
	CREATE ROLE hashed LOGIN PASSWORD 'secret';"
server_hba \
	'host all trusted,nobody 127.0.0.1/32 trust' \
	'host all clear 127.0.0.1/32 password' \
	'host all hashed 127.0.0.1/32 md5' \
	'host all salted,quick 127.0.0.1/32 scram-sha-256'

version=$(($(sql postgres 'SHOW server_version_num') / 10000))
mkdir -p "$srcdir/tests/golden/$version"
"$recorder" 127.0.0.1 "$port" "$srcdir/tests/golden/$version" "$@"
ls "$srcdir/tests/golden/$version"
