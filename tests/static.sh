#!/bin/sh
# SPDX-License-Identifier: MIT
# A static program needs nothing: no loader, no library, no file beside it.
# Run where it was built, with the authorities of $CERTS, which certs.sh made.
set -eu
mizzle=${MIZZLE:-./mizzle}
srcdir=${srcdir:-.}
export srcdir
if readelf -lW "$mizzle" | grep INTERP; then
	echo "$mizzle asks for a loader"
	exit 1
fi
# What can be written cannot be run, and tables of pointers are read-only.
if readelf -lW "$mizzle" | grep 'LOAD.*RWE\|STACK.*E ' ||
	! readelf -lW "$mizzle" | grep -q RELRO; then
	echo "$mizzle is not hardened"
	exit 1
fi
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
cp "$mizzle" "$room/mizzle"
size=$(strip -o "$room/stripped" "$mizzle" && wc -c <"$room/stripped")
enter="chroot $room"
[ "$(id -u)" -eq 0 ] || enter="unshare --user --map-root-user chroot $room"
said=$($enter /mizzle --version) || :
case $said in
mizzle\ *) echo "$said: static, $size bytes, runs in an empty root" ;;
*)
	echo "in an empty root it said: $said"
	exit 1
	;;
esac

# Without a server, or the right to be a name server, there is no more to see.
for test in emptyroot sandbox opened; do
	echo "$test:"
	MIZZLE=$mizzle sh "$srcdir/tests/it/python.sh" \
		"$srcdir/tests/it/$test.py" || [ $? -eq 77 ]
done
