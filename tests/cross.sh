#!/bin/sh
# SPDX-License-Identifier: MIT
# A static program for arm64, in whose build directory this runs, does under
# qemu what it does at home: unit tests of what depends on a processor, a real
# migration, and TLS with all its ways to say no.
set -eu
srcdir=${srcdir:-.}
export srcdir
qemu=${QEMU:-qemu-aarch64-static}
units='base64 buf config conninfo crypto directive dotenv excerpt foreign hash
	journal json_edit msg name naming options outside plan resolve saslprep
	scram script session_own session_rules session_sasl sql sql_kind
	sql_place sql_script statements tls_name tls_peer tls_pem tls_values'

readelf -h ./mizzle | grep -q 'Machine: *AArch64' || {
	echo 'mizzle is not for arm64'
	exit 1
}
if readelf -lW ./mizzle | grep INTERP; then
	echo 'mizzle asks for a loader'
	exit 1
fi
aarch64-linux-gnu-strip -o ./mizzle.stripped ./mizzle
size=$(wc -c <./mizzle.stripped) packed=$(gzip -9c ./mizzle.stripped | wc -c)
echo "$size bytes stripped, $packed by gzip -9"
[ "$size" -le 6000000 ] && [ "$packed" -le 2400000 ]

printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$qemu" "$PWD/mizzle.stripped" \
	>./mizzle.qemu
chmod +x ./mizzle.qemu
./mizzle.qemu --version | grep '^mizzle '

tests=
for unit in $units; do
	[ ! -f "$srcdir/tests/unit/check_$unit.c" ] ||
		tests="$tests tests/unit/check_$unit"
done
# shellcheck disable=SC2086 # a list of names
make -s -j"$(nproc)" $tests
make -s -j"$(nproc)" check-TESTS LOG_COMPILER="$qemu" TESTS="$tests"

for test in history tls; do
	echo "$test:"
	MIZZLE=$PWD/mizzle.qemu sh "$srcdir/tests/it/python.sh" \
		"$srcdir/tests/it/$test.py" || [ $? -eq 77 ]
done
