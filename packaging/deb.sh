#!/bin/sh
# SPDX-License-Identifier: MIT
# Builds the Debian package from the tarball that `make dist` makes:
#
#   deb.sh [-o DIR] TARBALL [OPTION OF DPKG-BUILDPACKAGE...]
#
# puts the .deb, .changes and .buildinfo into DIR (.).  `make deb` does both.
# packaging/debian of the tarball becomes debian/.
set -eu

die() {
	echo "deb.sh: $*" >&2
	exit 2
}

out=.
if [ "${1-}" = -o ]; then
	[ $# -ge 2 ] || die 'where to? -o DIR'
	out=$2
	shift 2
fi
[ $# -gt 0 ] || die 'from which tarball? make dist makes one'
tarball=$1
shift
[ -f "$tarball" ] || die "there is no $tarball"
for tool in dpkg-buildpackage dh; do
	command -v $tool >/dev/null ||
		die "$tool is missing; apt-get install dpkg-dev debhelper"
done
name=$(basename "$tarball" .tar.xz)
version=${name#mizzle-}
[ "mizzle-$version.tar.xz" = "$(basename "$tarball")" ] ||
	die "$tarball is not mizzle-VERSION.tar.xz"

mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$tarball" "$work/mizzle_$version.orig.tar.xz"
tar -xJf "$tarball" -C "$work"
cp -R "$work/$name/packaging/debian" "$work/$name/debian"
packaged=$(dpkg-parsechangelog -l "$work/$name/debian/changelog" -S Version)
[ "${packaged%-*}" = "$version" ] ||
	die "packaging/debian/changelog is of $packaged, the tarball of $version"
(cd "$work/$name" && dpkg-buildpackage -us -uc "$@")
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
for source in "$work"/*.dsc "$work"/*.debian.tar.*; do
	[ ! -f "$source" ] || cp "$source" "$out"
done
