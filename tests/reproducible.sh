#!/bin/sh
# SPDX-License-Identifier: MIT
# reproducible.sh DIR: the same sources are the same bytes, whoever builds them
# when and where; and what they are is within its budget.  Run in a build
# directory; the program that would be released stays as DIR/mizzle.
set -eu
out=$1
srcdir=${srcdir:-.}
jobs=$(nproc)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
mkdir -p "$out"
rm -f ./mizzle-*.tar.xz
make -s dist
tar -C "$room" -xf ./mizzle-*.tar.xz
mv ./mizzle-*.tar.xz "$room"
mv "$room"/mizzle-*/ "$room/sources"

# Another place, user, zone, language, time, umask, environment; out of tree,
# with debug information.
deep=$room/a/much/deeper/place
chmod a+rx "$room"
mkdir -p "$deep/build"
cp -R "$room/sources" "$deep"
find "$deep/sources" -exec touch -h -d '2001-02-03 04:05:06' {} +
other=
if [ "$(id -u)" -eq 0 ]; then
	chown -R nobody "$deep"
	other='setpriv --reuid=nobody --regid=nogroup --clear-groups'
fi

(cd "$room/sources" && ./configure --quiet --enable-static-binary CFLAGS=-O2 &&
	make -s -j"$jobs" && make -s install-strip DESTDIR="$room/one") \
	>"$room/log" 2>&1 || {
	tail -n 40 "$room/log"
	exit 1
}
(cd "$deep/build" && umask 077 &&
	$other env -i PATH="$PATH" HOME=/nonexistent TZ=Pacific/Kiritimati \
		LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=1000000000 TMPDIR="$deep" sh -ec "
		../sources/configure --quiet --enable-static-binary CFLAGS='-O2 -g'
		make -s -j$jobs
		make -s install-strip DESTDIR=$deep/build/two") \
	>"$room/log" 2>&1 || {
	tail -n 40 "$room/log"
	exit 1
}
one=$room/one/usr/local/bin/mizzle two=$deep/build/two/usr/local/bin/mizzle
cmp "$one" "$two" || {
	echo 'built in two places it is not the same'
	exit 1
}
if strings -n 6 "$one" | grep -F -e "$room" -e "$PWD"; then
	echo '  ^ that says where it was built'
	exit 1
fi
echo "the same in two places: $(sha256sum <"$one")"
cp "$one" "$out/mizzle"
echo budget:
export srcdir
MIZZLE=$out/mizzle sh "$srcdir/tests/it/python.sh" \
	"$srcdir/tests/it/budget.py" || [ $? -eq 77 ]
