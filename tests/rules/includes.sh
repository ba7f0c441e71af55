#!/bin/sh
# SPDX-License-Identifier: MIT
# Dependencies point one way, and a few things are done in one place only.
set -eu
cd "${srcdir:-.}"
rules=0 bad=0

# deny WHERE PATTERN [EXCEPT]: no source in WHERE, but those whose path matches
# EXCEPT, has a line that matches PATTERN.
deny() {
	rules=$((rules + 1))
	if find "$1" -name '*.[ch]' | grep -vE "${3:-^$}" |
		xargs grep -nE "$2" /dev/null; then
		echo "  ^ not allowed in $1"
		bad=$((bad + 1))
	fi
}

# deny_include WHERE HEADERS [EXCEPT]
deny_include() {
	deny "$1" "^#include [<\"]($2)" "${3-}"
}

headers() {
	find "$1" -name '*.h' ! -name pgw.h | sed 's,.*/,,; s/\./\\./' |
		paste -sd '|'
}

# One direction: proto/ knows nothing of src/, src/ only pgw.h of proto/.
deny_include proto "($(headers src))\""
deny_include src "($(headers proto))\""

# One place: libraries, sockets, files, the environment, time, output.
deny_include proto 'openssl/' '/(crypto\.c|tls[a-z_]*\.[ch])$'
deny_include proto 'ares' '/resolve\.c$'
deny_include proto 'zlib' '/tls_lookup\.c$'
deny_include proto 'poll\.h|netinet/tcp' '/(sock|sock_open|race|resolve|clock)\.c$'
deny_include proto 'sys/socket|sys/un|netinet/in|arpa/' \
	'/(sock|sock_open|resolve|addr|dial)\.[ch]$'
deny_include proto 'time\.h|sys/time' '/clock\.c$'
deny_include proto 'fcntl|sys/stat|dirent|pwd' '/(outside|sock|tls[a-z_]*)\.c$'
deny_include src 'openssl/' '/(http_tls|static_curves)\.c$'
deny_include src 'event2/' '/http(_tls|_exchange)?\.[ch]$'
deny_include src 'sys/socket|netinet|arpa/|sys/un' \
	'/(listen|http|static_stubs)\.c$'
deny_include src 'ares'
deny_include src 'pthread' '/tasks\.h$'
deny_include src 'poll' '/(signals|steady)\.c$'
deny_include src 'zlib' '/(bundle|pack|image|serve_answer)\.c$'
deny_include src 'netdb|dlfcn' '/static_stubs\.c$'
deny_include src 'jansson' '/(journal|config|json[a-z_]*|report[a-z_]*)\.[ch]$'
deny proto '[^_a-z](secure_)?getenv\(|[^a-z_]environ[^a-z_]' '/outside\.c$'
deny src '[^_a-z](secure_)?getenv\(|[^a-z_]environ[^a-z_]'
deny proto '[^_a-z](v?f?printf|f?puts|putchar|fputc|perror|fwrite)\('
deny src '[^_a-z](v?f?printf|f?puts|putchar|fputc|perror|fwrite)\(' \
	'/(report[a-z_]*|line|arena)\.c$'
deny proto '[^_a-z](exit|abort)\('

# What nobody needs: text without bounds, conversions without errors.
deny proto '[^_a-z](strcpy|strcat|sprintf|vsprintf|gets|strtok|ato[ifl]+)\('
deny src '[^_a-z](strcpy|strcat|sprintf|vsprintf|gets|strtok|ato[ifl]+)\('

# The first lines are the same everywhere.
rules=$((rules + 2))
if find proto src tests tools -name '*.[ch]' -exec sh -c 'for f; do
	head -n 1 "$f" | grep -q "^/\* SPDX-License-Identifier: MIT \*/$" ||
		echo "$f"; done' sh {} + | grep .; then
	echo "  ^ without an SPDX line"
	bad=$((bad + 1))
fi
if find proto src tests tools -name '*.c' -exec sh -c 'for f; do
	[ "$(grep -m 1 "^#include" "$f")" = "#include <config.h>" ] ||
		echo "$f"; done' sh {} + | grep .; then
	echo "  ^ config.h is not what it includes first"
	bad=$((bad + 1))
fi

echo "$((rules - bad)) passed, $bad failed"
[ "$bad" -eq 0 ]
