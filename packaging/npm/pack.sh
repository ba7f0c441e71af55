#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the packages for npm from programs that were linked statically:
#
#   pack.sh [-o DIR] x64=PROGRAM [arm64=PROGRAM]
#
# writes mizzle-VERSION.tgz and a mizzle-linux-ARCH-VERSION.tgz for each into
# DIR (.); the same input makes the same bytes.  To publish, first those of the
# platforms, then mizzle: npm publish FILE --access public.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
version=$(sed -n 's/^AC_INIT(\[mizzle\], \[\([^]]*\)\].*/\1/p' "$top/configure.ac")

die() {
	echo "pack.sh: $*" >&2
	exit 2
}

out=.
if [ "${1-}" = -o ]; then
	[ $# -ge 2 ] || die 'where to? -o DIR'
	out=$2
	shift 2
fi
[ $# -gt 0 ] || die 'for which machine? x64=PROGRAM or arm64=PROGRAM'
command -v npm >/dev/null || die 'npm is missing; on Debian: apt-get install npm'

# npm asks its own registry for a newer npm, and a package needs none.
export npm_config_update_notifier=false npm_config_audit=false \
	npm_config_fund=false npm_config_ignore_scripts=true

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The machine of an ELF program stands in two bytes behind its head.
machine_of() {
	case $(od -An -N20 -tx1 "$1" | tr -d ' \n') in
	7f454c460201*3e00) echo x64 ;;
	7f454c460201*b700) echo arm64 ;;
	*) echo other ;;
	esac
}

# A program that asks for a loader runs on some systems only.
check_program() {
	[ -f "$2" ] || die "there is no $2"
	[ "$(machine_of "$2")" = "$1" ] || die "$2 is no program for $1"
	if readelf -lW "$2" | grep -q INTERP; then
		die "$2 is not static; configure with --enable-static-binary"
	fi
	said=$("$2" --version 2>/dev/null) || return 0 # of another machine
	[ "$said" = "mizzle $version" ] || die "$2 is $said, not mizzle $version"
}

# pack DIRECTORY [SED-SCRIPT]: what is in the work directory of that name
pack() {
	sed "s/@VERSION@/$version/g${2:+; $2}" \
		"$work/$1/package.json.in" >"$work/$1/package.json"
	rm "$work/$1/package.json.in"
	cp "$top/LICENSE" "$work/$1"
	find "$work/$1" -type f -exec chmod 644 {} +
	[ ! -d "$work/$1/bin" ] || chmod 755 "$work/$1"/bin/*
	(cd "$work/$1" && npm pack --silent --pack-destination "$out")
}

for pair; do
	arch=${pair%%=*} program=${pair#*=}
	case $arch in x64 | arm64) ;; *) die "no machine $arch; there are x64 and arm64" ;; esac
	check_program "$arch" "$program"
	cp -R "$here/platform" "$work/$arch"
	mkdir "$work/$arch/bin"
	cp "$program" "$work/$arch/bin/mizzle"
	strip "$work/$arch/bin/mizzle" 2>/dev/null || : # not for another machine
	pack "$arch" "s/@ARCH@/$arch/g"
done
cp -R "$here/mizzle" "$work/mizzle"
pack mizzle
