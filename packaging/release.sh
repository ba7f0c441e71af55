#!/bin/sh
# SPDX-License-Identifier: MIT
# release.sh TARBALL DIR: all that is published of a version, made of nothing
# but its tarball, in DIR:
#
#   mizzle-VERSION.tar.xz           the tarball
#   mizzle-VERSION-linux-ARCH       the static program, of this machine and, if
#                                   Debian's cross compiler is here, of aarch64,
#                                   whose libraries are in $FOREIGN_HOME
#                                   (./check cross gets them)
#   mizzle-VERSION.spdx.json        what they are made of
#   THIRD-PARTY-NOTICES, LICENSE    what their licences ask for
#   SHA256SUMS
#
# The same sources on the same Debian make the same bytes: the only time in
# them is $SOURCE_DATE_EPOCH, by default that of the tarball's content.
set -eu
tarball=$1 out=$2
name=${tarball##*/} name=${name%.tar.xz}
version=${name#mizzle-}
jobs=$(nproc)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

tar -C "$room" -xf "$tarball"
epoch=${SOURCE_DATE_EPOCH:-$(stat -c %Y "$room/$name/configure.ac")}
export SOURCE_DATE_EPOCH="$epoch"
unset CC CFLAGS CPPFLAGS LDFLAGS LIBS MAKEFLAGS MFLAGS MAKELEVEL
rm -rf "$out"
mkdir -p "$out"
cp "$tarball" "$room/$name/LICENSE" "$out"

# build ARCH [OPTION...]: the program of an architecture, and its map
build() {
	arch=$1
	shift
	mkdir "$room/$arch"
	echo "building for $arch"
	(cd "$room/$arch" &&
		"../$name/configure" --quiet --enable-static-binary \
			CFLAGS=-O2 "$@" &&
		make -s -j"$jobs" &&
		make -s install-strip DESTDIR="$room/$arch/root") \
		>"$room/log" 2>&1 || {
		tail -n 40 "$room/log" >&2
		echo "release: cannot build for $arch" >&2
		exit 1
	}
	cp "$room/$arch/root/usr/local/bin/mizzle" "$out/$name-linux-$arch"
}

made_of() { echo "$out/$name-linux-$1=$room/$1/mizzle.map"; }

packaging=$room/$name/packaging
here=$(uname -m)
build "$here"
made=$(made_of "$here")
there=aarch64-linux-gnu
if [ "$here" = aarch64 ]; then
	:
elif command -v $there-gcc >/dev/null &&
	[ -f "${FOREIGN_HOME-}/usr/lib/$there/libssl.a" ]; then
	# shellcheck source=packaging/foreign.sh
	. "$packaging/foreign.sh"
	(foreign $there && build aarch64 --host=$there)
	made="$made $(made_of aarch64)"
else
	echo 'no cross compiler for aarch64, or no libraries in FOREIGN_HOME: left out'
fi

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
python3 "$packaging/notices.py" "$room/$here/mizzle.map" \
	>"$out/THIRD-PARTY-NOTICES"
# shellcheck disable=SC2086 # no name in it has a blank
python3 "$packaging/sbom.py" "$version" "$epoch" "$out/$name.tar.xz" $made \
	>"$out/$name.spdx.json"
chmod 0644 "$out"/*
chmod 0755 "$out/$name"-linux-*
find "$out" -type f -exec touch -h -d "@$epoch" {} +
(cd "$out" && LC_ALL=C && export LC_ALL && sha256sum ./* | sed 's, \./, ,') \
	>"$room/SHA256SUMS"
cp "$room/SHA256SUMS" "$out"
touch -d "@$epoch" "$out/SHA256SUMS"
cat "$out/SHA256SUMS"
