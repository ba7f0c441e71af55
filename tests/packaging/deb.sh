#!/bin/sh
# SPDX-License-Identifier: MIT
# The Debian package: built from the tarball $DIST, looked at, and installed,
# used and removed in a fresh Debian; and the unit of the examples, which
# systemd runs in there.
set -u
for tool in dpkg-buildpackage dh lintian; do
	command -v $tool >/dev/null || {
		echo "no $tool here"
		exit 77
	}
done
[ -f "${DIST-}" ] || {
	echo 'no tarball of the sources (DIST says where)'
	exit 77
}
. "${srcdir:?}/tests/it/server.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"; server_stop' EXIT
chmod 755 "$work"

DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$(nproc)" \
	DEB_BUILD_PROFILES=nocheck \
	sh "$srcdir/packaging/deb.sh" -o "$work" "$DIST" -b \
	>"$work/build.log" 2>&1 || {
	tail -n 60 "$work/build.log"
	exit 1
}
deb=$(find "$work" -name '*.deb')
check 'one package comes out' 1 "$(echo "$deb" | wc -l)"
check 'the compiler and the linker have nothing to say' '' \
	"$(grep -E '(warning|error):' "$work/build.log" | sort | uniq -c)"

# ---- as it is

check 'lintian finds nothing' '' \
	"$(lintian --allow-root --fail-on none "$work"/*.changes 2>&1)"
field() { dpkg-deb -f "$deb" "$1"; }
check 'it depends on nothing' '' "$(field Depends)"
check 'it says what is linked in' \
	'c-ares glibc jansson libevent openssl utf8proc zlib' \
	"$(field Static-Built-Using | tr ',' '\n' | sed 's/^ *//; s/ .*//' |
		sort | paste -sd ' ')"
check 'it has the version of the program' "$("${MIZZLE:-./mizzle}" --version)" \
	"mizzle $(field Version | sed 's/-[^-]*$//')"

dpkg-deb -c "$deb" | awk '{ print $6 }' | sed 's/^\.//' >"$work/files"
for file in /usr/bin/mizzle /usr/share/man/man1/mizzle.1.gz \
	/usr/share/bash-completion/completions/mizzle \
	/usr/share/zsh/vendor-completions/_mizzle \
	/usr/share/fish/vendor_completions.d/mizzle.fish \
	/usr/share/doc/mizzle/copyright \
	/usr/share/doc/mizzle/changelog.Debian.gz \
	/usr/share/doc/mizzle/README.md.gz \
	/usr/share/doc/mizzle/examples/systemd/mizzle.service; do
	check "it has $file" "$file" "$(grep -x "$file" "$work/files")"
done
check 'and nothing outside of /usr' '' "$(grep -v '^/\(usr/.*\)\?$' "$work/files")"

# ---- in a fresh Debian

root=$work/root
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
if [ "$(id -u)" -ne 0 ] || ! command -v debootstrap >/dev/null; then
	echo 'no debootstrap here, or not root: it is not installed'
	verdict
	exit
fi
if ! debootstrap --variant=minbase --include=systemd-sysv "$suite" "$root" \
	>"$work/root.log" 2>&1; then
	tail -n 3 "$work/root.log"
	echo "debootstrap made no $suite: it is not installed"
	verdict
	exit
fi

# What dpkg itself writes down is not the package's.
list() {
	(cd "$root" && find . -path ./var/lib/dpkg -prune -o \
		-path ./var/log -prune -o -print | sort)
}
in_root() { chroot --userspec=65534:65534 "$root" "$@"; }

server_start
fresh_db deb
list >"$work/before"
cp "$deb" "$root/mizzle.deb"
check 'it is installed by dpkg alone' 0 "$(chroot "$root" \
	dpkg -i /mizzle.deb >"$work/dpkg.log" 2>&1; echo $?)"
check 'as a user without rights: it runs' \
	"$("${MIZZLE:-./mizzle}" --version)" "$(in_root mizzle --version)"
cp -R "$srcdir/drizzle" "$root/tmp/drizzle"
DATABASE_URL=$(url deb)
export DATABASE_URL
check 'it migrates' 0 "$(in_root mizzle migrate --dir /tmp/drizzle \
	>"$work/said" 2>&1; echo $?)"
check 'what it applied is there' 8 "$(sql deb \
	'SELECT count(*) FROM drizzle.__drizzle_migrations')"
check 'it verifies' 0 "$(in_root mizzle verify --dir /tmp/drizzle \
	>"$work/said" 2>&1; echo $?)"
check 'the files are those of the package' '' "$(chroot "$root" dpkg -V mizzle)"

# ---- by systemd

# systemd says by the status of the container what became of the application.
units=$root/etc/systemd/system
lay_out() {
	mkdir -p "$root/srv/shop" "$root/etc/shop" "$units/mizzle.service.d" \
		"$units/multi-user.target.wants"
	cp -R "$srcdir/drizzle" "$root/srv/shop"
	cp "$root/usr/share/doc/mizzle/examples/systemd/mizzle.service" "$units"
	printf '%s\n' '[Unit]' FailureAction=exit-force \
		FailureActionExitStatus=43 >"$units/mizzle.service.d/end.conf"
	printf '%s\n' '[Unit]' Requires=mizzle.service After=mizzle.service \
		SuccessAction=exit-force SuccessActionExitStatus=42 \
		'[Service]' Type=oneshot 'ExecStart=/bin/echo shop runs' \
		>"$units/shop.service"
	ln -s ../shop.service "$units/multi-user.target.wants"
}
# boots DB: in memory, so that the root stays as it is
boots() {
	(umask 077 && url "$1" >"$root/etc/shop/database-url")
	timeout -s KILL 120 systemd-nspawn -q -D "$root" --register=no \
		--keep-unit --volatile=overlay --console=read-only -b \
		systemd.log_target=console </dev/null >"$work/boot.log" 2>&1
	echo $?
}
if ! command -v systemd-nspawn >/dev/null; then
	echo 'no systemd-nspawn here: the unit is not run'
elif lay_out && fresh_db booted && status=$(boots booted) &&
	! grep -q 'mizzle.service' "$work/boot.log"; then
	tail -n 3 "$work/boot.log"
	echo 'systemd does not come up here: the unit is not run'
else
	check 'the application starts once the migrations are done' 42 "$status"
	check 'they were applied by the unit' 8 "$(sql booted \
		'SELECT count(*) FROM drizzle.__drizzle_migrations')"
	echo 'SELECT nowhere;' >"$root/srv/shop/drizzle/0007_tags.sql"
	fresh_db broken
	check 'it does not when one failed' 43 "$(boots broken)"
	check 'what was before it is kept' 7 "$(sql broken \
		'SELECT count(*) FROM drizzle.__drizzle_migrations')"
fi
rm -rf "$root/srv/shop" "$root/etc/shop" "$units/mizzle.service" \
	"$units/mizzle.service.d" "$units/shop.service" \
	"$units/multi-user.target.wants/shop.service"

# ---- and away again

check 'it is removed' 0 "$(chroot "$root" dpkg -P mizzle \
	>"$work/dpkg.log" 2>&1; echo $?)"
rm -r "$root/mizzle.deb" "$root/tmp/drizzle"
list >"$work/after"
check 'and nothing of it is left' '' "$(diff "$work/before" "$work/after")"
[ "$failures" -eq 0 ] || tail -n 30 "$work"/*.log
verdict
