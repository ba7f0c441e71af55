#!/bin/sh
# SPDX-License-Identifier: MIT
# `make release` in a place of its own, and whether what comes of it is what it
# says: see help/release.py.  With LONG it is made twice, and must be the same.
set -eu
srcdir=$(cd "${srcdir:-.}" && pwd)
export srcdir
for tool in gcc make xz tar dpkg-query python3; do
	command -v $tool >/dev/null || {
		echo "no $tool here"
		exit 77
	}
done
[ -x "$srcdir/configure" ] || {
	echo 'no configure here: autoreconf -fi'
	exit 77
}
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT

# made NAME: what make release makes in a directory of that name
made() {
	mkdir "$room/$1"
	(cd "$room/$1" && "$srcdir/configure" --quiet && make -s release) \
		>"$room/$1.log" 2>&1 || {
		tail -n 40 "$room/$1.log"
		echo '0 passed, 1 failed'
		exit 1
	}
}

made one
if [ -n "${LONG-}" ]; then
	made another
	diff -r "$room/one/release" "$room/another/release" || {
		echo 'a second time it is not the same'
		echo '0 passed, 1 failed'
		exit 1
	}
fi
sh "$srcdir/tests/it/python.sh" "$srcdir/tests/packaging/help/release.py" \
	"$room/one/release"
