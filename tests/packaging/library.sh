#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The library as it is installed: `make install`, what is in it, programs that
# are compiled against it, and the examples for C and Node, run against a real
# server; and that threads do not get in each other's way (ThreadSanitizer).
set -u
srcdir=$(cd "${srcdir:-.}" && pwd)
top=$srcdir
export srcdir
mizzle=${MIZZLE:-}
# shellcheck source=tests/install.sh
. "$srcdir/tests/install.sh"

for tool in make pkg-config nm readelf; do
	command -v "$tool" >/dev/null || {
		echo "no $tool here"
		exit 77
	}
done

room=$(mktemp -d)
chmod 755 "$room"
build=$room # where install.sh puts logs

# A build with a shared library: this one, that of ./check, or one of our own.
library=
for place in . "$srcdir/build/gcc"; do
	[ -z "$library" ] && grep -qs '^SHARED_LIBRARY_TRUE = *$' "$place/Makefile" &&
		library=$(cd "$place" && pwd)
done
if [ -z "$library" ]; then
	library=$room/build
	mkdir "$library" && cd "$library" || exit
	"$srcdir/configure" --quiet >"$room/build.log" 2>&1 || {
		tail "$room/build.log"
		exit 1
	}
fi
cd "$library" || exit
make -s -j"$(nproc)" >"$room/build.log" 2>&1 || {
	tail "$room/build.log"
	exit 1
}
CC=$(sed -n 's/^CC = //p' Makefile)

# shellcheck source=tests/it/server.sh
. "$srcdir/tests/it/server.sh"
server_start
trap 'server_stop; rm -rf "$room"' EXIT

# ---- make install

dest=$room/dest
prefix=$dest$(sed -n 's/^prefix = //p' Makefile)
make -s install DESTDIR="$dest" >"$room/install.log" 2>&1
check 'make install' 0 $?
check 'what is there' 'bin/mizzle
include/mizzle.h
include/pgw/pgw.h
lib/libmizzle.a
lib/libmizzle.so
lib/libmizzle.so.0
lib/libpgw.a
lib/pkgconfig/libpgw.pc
lib/pkgconfig/mizzle.pc
share/man/man1/mizzle.1
share/man/man3/libpgw.3
share/man/man3/mizzle.3' "$(cd "$prefix" && find . ! -type d | sed 's,^\./,,' |
	grep -vE '^include/pgw/[a-oq-z]|/completions/|/site-functions/|/vendor_completions\.d/' | LC_ALL=C sort)"
check 'the link' libmizzle.so.0 "$(readlink "$prefix/lib/libmizzle.so")"
check 'the program asks for no library of ours' 0 \
	"$(readelf -d "$prefix/bin/mizzle" | grep -c 'NEEDED.*mizzle')"

lib=$prefix/lib/libmizzle.so.0
public=$(sed -n 's/^\t\(mizzle_[a-z_]*\);$/\1/p' "$srcdir/src/libmizzle.map" | sort)
check 'the shared library exports what is documented' "$public" \
	"$(nm -D --defined-only "$lib" | sed -n 's/^[0-9a-f]* T \(.*\)@@MIZZLE_0\.1$/\1/p' | sort)"
check 'and nothing else' "$(printf '%s\n' "$public" MIZZLE_0.1 | wc -l)" \
	"$(nm -D --defined-only "$lib" | wc -l)"
check 'its name' libmizzle.so.0 \
	"$(readelf -d "$lib" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"
check 'nothing in it can be written to but the C library'\''s own' \
	'__TMC_END__ __dso_handle completed.0' \
	"$(objdump -t "$library/libmizzle.so.0" |
		awk '$3 == "O" && ($4 == ".data" || $4 == ".bss") { print $6 }' |
		LC_ALL=C sort | paste -sd ' ')"
check 'the archive defines the same names' "$public" \
	"$(nm -g --defined-only "$prefix/lib/libmizzle.a" | awk 'NF == 3 { print $3 }' | sort)"
check 'names of libpgw.a' '' "$(nm -g --defined-only "$prefix/lib/libpgw.a" |
	awk 'NF == 3 && $3 !~ /^pgw_/ { print $3 }')"
check 'names inside of libmizzle.a' '' "$(nm -g --defined-only "$library/libmizzle.a" |
	awk 'NF == 3 && $3 !~ /^(mz|cmd|mizzle)_/ { print $3 }')"

# ---- programs

export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$dest
export LD_LIBRARY_PATH=$prefix/lib
strict='-std=c11 -Wall -Wextra -Wpedantic -Werror'

# compile WHAT OUT SOURCE FLAG...
compile() {
	local what=$1 out=$2 source=$3 status
	shift 3
	# shellcheck disable=SC2086 # words
	$CC $strict -o "$out" "$source" "$@" >"$room/cc.log" 2>&1
	status=$?
	check "$what" 0 "$status"
	[ "$status" -eq 0 ] || grep -v warning "$room/cc.log" | head -n 20
}

startup=$srcdir/examples/c/startup.c
# shellcheck disable=SC2046 # words
{
	compile 'with the shared library' "$room/startup" "$startup" \
		$(pkg-config --cflags --libs mizzle)
	compile 'all static' "$room/startup-static" "$startup" -static \
		$(pkg-config --static --cflags --libs mizzle)
}
check 'it asks for libmizzle.so.0' 1 \
	"$(readelf -d "$room/startup" | grep -c 'NEEDED.*libmizzle\.so\.0')"
check 'and for no library of its' 0 \
	"$(readelf -d "$room/startup" | grep -cE 'NEEDED.*(ssl|crypto|cares|jansson)')"

cat >"$room/query.c" <<'END'
#include <pgw/pgw.h>
#include <stdio.h>
static void on_row(void *ctx, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, v;
	(void)ctx;
	while (pgw_column_next(&cols, &v))
		printf("%.*s\n", (int)v.n, (const char *)v.p);
}
int main(int argc, char **argv)
{
	struct pgw_conn_options options = { .interrupt_fd = -1 };
	struct pgw_conninfo info;
	struct pgw_config cfg;
	struct pgw_outside o = { 0 };
	struct pgw_conn *c;
	struct pgw_err err;
	if (argc < 2)
		return 2;
	pgw_conninfo_init(&info);
	if (!pgw_conninfo_parse(&info, argv[1], &err) ||
	    !pgw_conninfo_complete(&info, &o, &err) ||
	    !pgw_config_settle(&cfg, &info, &o, &err) ||
	    !pgw_connect(&c, &cfg, &options, &err))
		return fprintf(stderr, "%s\n", err.msg), 1;
	pgw_conn_answers(c, on_row, NULL, NULL);
	if (!pgw_conn_query(c, "SELECT 6 * 7", &err))
		return fprintf(stderr, "%s\n", err.msg), 1;
	pgw_conn_close(c);
	pgw_config_release(&cfg);
	pgw_conninfo_release(&info);
	return 0;
}
END
# shellcheck disable=SC2046
compile 'with libpgw' "$room/query" "$room/query.c" \
	$(pkg-config --cflags --libs libpgw)
check 'libpgw asks' 42 "$("$room/query" "$(url postgres)" 2>&1)"

printf '#include <mizzle.h>\nint main(void) { struct mizzle_error *e = 0; return e != 0; }\n' \
	>"$room/plus.cc"
if c++ -x c++ -fsyntax-only /dev/null 2>/dev/null; then
	c++ -std=c++98 -Wall -Wextra -Werror -Wno-long-long -I"$prefix/include" -fsyntax-only "$room/plus.cc"
	check 'the header is C++, too' 0 $?
fi

# ---- the example for C

for program in startup startup-static; do
	fresh_db lib
	DATABASE_URL=$(url lib)
	export DATABASE_URL
	said=$("$room/$program" "$srcdir/drizzle" 2>"$room/err")
	check "$program: it is ready" '0 ready' "$? $said"
	check "$program: each is told" 8 "$(grep -c '^\[[1-8]/8\].* applied: 000' "$room/err")"
	check "$program: all are there" 8 \
		"$(sql lib 'SELECT count(*) FROM drizzle.__drizzle_migrations')"
	check "$program: once more" '0 applied, 8 there' \
		"$("$room/$program" "$srcdir/drizzle" 2>&1 >/dev/null)"
done
fresh_db lib
mkdir "$room/bad"
printf 'SELECT 1;\nSELECT nothing;\n' >"$room/bad/1_bad.sql"
said=$("$room/startup" "$room/bad" 2>"$room/err")
check 'SQL that fails' '1 ' "$? $said"
check 'where it is' '  at line 2, column 8' "$(grep '  at line' "$room/err")"
check 'what it is' '42703: column "nothing" does not exist' "$(grep '^42' "$room/err")"

# Whoever asks for a variable is told on descriptor 9, if it is the library.
cat >"$room/spy.c" <<'END'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
char *getenv(const char *name)
{
	static char *(*real)(const char *name);
	Dl_info from;
	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "getenv");
	if (dladdr(__builtin_return_address(0), &from) && from.dli_fname &&
	    strstr(from.dli_fname, "libmizzle"))
		dprintf(9, "%s\n", name);
	return real(name);
}
END
if $CC -shared -fPIC -o "$room/spy.so" "$room/spy.c" 2>"$room/cc.log"; then
	LD_PRELOAD=$room/spy.so "$room/startup" "$srcdir/drizzle" 9>"$room/asked" \
		>"$room/out" 2>&1
	check 'no variable of the environment is asked for' '' "$(cat "$room/asked")"
fi

mkdir "$room/slow"
printf 'CREATE TABLE slow ();\nSELECT pg_sleep(600);\n' >"$room/slow/1_slow.sql"

# sleeping N: wait until so many sessions of the database sleep
sleeping() {
	local n
	for n in $(seq 600); do
		[ "$(sql postgres "SELECT count(*) FROM pg_stat_activity
			WHERE datname = 'lib' AND wait_event = 'PgSleep'")" = "$1" ] && return
		sleep 0.1
	done
	return "$n"
}

fresh_db lib
"$room/startup" "$room/slow" >"$room/out" 2>"$room/err" &
pid=$!
sleeping 1
kill -TERM "$pid"
wait "$pid"
check 'SIGTERM: status' 128 $?
check 'SIGTERM: nothing runs any more' 0 "$(sleeping 0; echo $?)"
check 'SIGTERM: rolled back' '' "$(sql lib "SELECT to_regclass('slow')")"

# ---- the examples for Node

# node_server WHAT VARIABLE=VALUE...: server.mjs in all its ways
node_server() {
	local what=$1 out=$room/node.out pid
	shift
	fresh_db lib
	env "$@" PORT=0 node "$room/node/server.mjs" "$srcdir/drizzle" >"$out" 2>&1 &
	pid=$!
	for _ in $(seq 600); do
		grep -q '^ready' "$out" || ! kill -0 "$pid" 2>/dev/null || {
			sleep 0.1
			continue
		}
		break
	done
	check "$what: migrates, then is ready" '8
8 migrations applied
ready' "$(grep -c '^applied "000' "$out"; grep -v '^applied' "$out" |
		sed 's/^ready on port [0-9]*$/ready/')"
	check "$what: it answers" ok "$(node -e '
		fetch("http://127.0.0.1:" + process.argv[1]).then((r) => r.text()).then(
			(t) => process.stdout.write(t))' "$(sed -n 's/^ready on port //p' "$out")" 2>&1)"
	kill -TERM "$pid"
	wait "$pid"
	check "$what: and ends" 0 $?
	fresh_db lib
	env "$@" PORT=0 node "$room/node/server.mjs" "$room/bad" >"$out" 2>&1
	check "$what: SQL that fails" 1 $?
	check "$what: is told" '"code":"sql" "sqlstate":"42703" "tag":"1_bad" "line":2 "column":8' "$(
		grep '^{' "$out" | grep -oE '"(code|sqlstate|tag|line|column)":[^,}]*' | paste -sd ' ')"
	env "$@" PORT=0 DATABASE_URL=postgresql://127.0.0.1:1/x \
		node "$room/node/server.mjs" "$room/nowhere" >"$out" 2>&1
	check "$what: a folder that is not there" 1 $?
	fresh_db lib
	env "$@" PORT=0 node "$room/node/server.mjs" "$room/slow" >"$out" 2>&1 &
	pid=$!
	sleeping 1
	kill -TERM "$pid"
	wait "$pid"
	check "$what: stopped while it migrates" 1 $?
	check "$what: nothing runs any more" 0 "$(sleeping 0; echo $?)"
	check "$what: rolled back" '' "$(sql lib "SELECT to_regclass('slow')")"
}

mkdir "$room/node"
cp "$srcdir"/examples/node/*.mjs "$room/node"
if command -v node >/dev/null; then
	MIZZLE=$room/nothing node "$room/node/server.mjs" >"$room/node.out" 2>&1
	check 'Node, without the program: is told' 1 \
		"$(grep -c '"usage".*cannot run .*nothing' "$room/node.out")"
	node_server 'Node, by the program' MIZZLE="${mizzle:-$prefix/bin/mizzle}"
	koffi=$(cache_dir)/koffi
	if keep_npm "$srcdir/tests/packaging/koffi/package.json" "$koffi"; then
		ln -s "$koffi/node_modules" "$room/node/node_modules"
		node_server 'Node, by the library' MIZZLE_FFI=1 LIBMIZZLE="$lib"
		fresh_db lib
		check 'Node, by the library: states' '0.1.0 8 pending, 8 applied' "$(
			LIBMIZZLE=$lib node --input-type=module -e "
			const { migrate, status, version } = await import('$room/node/migrate-ffi.mjs');
			const o = { url: process.env.DATABASE_URL, dir: '$srcdir/drizzle' };
			const count = async (s) => (await status(o)).filter((m) => m.state === s).length;
			const pending = await count('pending');
			await migrate(o);
			console.log(version, pending, 'pending,', await count('applied'), 'applied');" 2>&1)"
	else
		cannot 'install koffi; calling the library from Node is left out'
	fi
else
	echo 'no node here: its examples are left out'
fi

# ---- threads

tsan=$room/tsan
mkdir "$tsan" && cd "$tsan" || exit
echo 'int main(void) { return 0; }' >"$room/empty.c"
if [ -z "${LONG-}" ]; then
	echo 'threads are looked at by ThreadSanitizer with LONG=1'
elif $CC -fsanitize=thread -o "$room/empty" "$room/empty.c" 2>/dev/null &&
	"$room/empty"; then
	{ "$srcdir/configure" --quiet --enable-sanitizers=thread CC="$CC" CFLAGS=-O1 \
		--with-ca-bundle=no && make -s -j"$(nproc)" mizzle tests/it/library_tool; } \
		>"$room/tsan.log" 2>&1
	check 'builds with ThreadSanitizer' 0 $? || tail "$room/tsan.log"
	env -u LD_LIBRARY_PATH MIZZLE="$tsan/mizzle" \
		sh "$srcdir/tests/it/python.sh" "$srcdir/tests/it/library.py" \
		>"$room/tsan.log" 2>&1
	status=$?
	check 'no thread gets in the way of another' 0 "$status"
	[ "$status" -eq 0 ] || head -n 60 "$room/tsan.log"
else
	echo 'no ThreadSanitizer here: threads are left out'
fi

# ---- make uninstall

cd "$library" || exit
make -s uninstall DESTDIR="$dest" >"$room/install.log" 2>&1
check 'make uninstall leaves nothing' '' "$(find "$dest" ! -type d)"

verdict
