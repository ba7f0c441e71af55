#!/bin/sh
# SPDX-License-Identifier: MIT
# The first step of the Action: the program, from $INPUT_PATH or from npm.
# What npm brings is unpacked, not installed: nothing of it is run by npm.
set -eu
top=${GITHUB_ACTION_PATH:?}

fail() {
	echo "::error::mizzle: $*"
	exit 2
}

from_npm() {
	version=${INPUT_VERSION:-$(sed -n \
		's/^AC_INIT(\[mizzle\], \[\([^]]*\)\].*/\1/p' "$top/configure.ac")}
	case $version in
	'' | *[!0-9A-Za-z.-]*) fail "'$version' is no version" ;;
	esac
	case $(uname -s)-$(uname -m) in
	Linux-x86_64) arch=x64 ;;
	Linux-aarch64) arch=arm64 ;;
	*) fail "there is no program for $(uname -s) on $(uname -m); use a Linux runner" ;;
	esac
	command -v npm >/dev/null ||
		fail 'npm is not on this runner; set it up first, or name a program in path'
	place=$(mktemp -d "${RUNNER_TEMP:-/tmp}/mizzle.XXXXXX")
	npm pack --silent --ignore-scripts --pack-destination "$place" \
		"@mizzle/linux-$arch@$version" >"$place/said" 2>&1 || {
		cat "$place/said"
		fail "npm has no @mizzle/linux-$arch of version $version"
	}
	tar -xzf "$place"/*.tgz -C "$place"
	program=$place/package/bin/mizzle
}

if [ -n "${INPUT_PATH-}" ]; then
	case $INPUT_PATH in
	/*) program=$INPUT_PATH ;;
	*) program=$PWD/$INPUT_PATH ;; # the next step may be in another folder
	esac
	[ -x "$program" ] || fail "there is no program $INPUT_PATH"
else
	from_npm
fi
"$program" --version
echo "program=$program" >>"$GITHUB_OUTPUT"
