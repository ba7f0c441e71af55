# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: MIT
# What building and testing need, installed where it is missing; meant to be
# sourced where $top is the source tree and $build a place for logs.
#
#   install_packages NAME...  Debian packages, by apt-get
#   install_cross             what builds for arm64, and runs it
#   install_drizzle           the real Drizzle, by npm; sets DRIZZLE_HOME
#   install_kits              drizzle-kit, by npm; sets KIT_HOME
#   install_pg_query          PostgreSQL's scanner, by npm; sets PG_QUERY_HOME
#   install_postgres          PostgreSQL 13 to 18, by npm; sets POSTGRES_HOME
#   install_bench             what mizzle is compared with, by npm; sets BENCH_HOME
#   install_web               what drives a browser, by npm; sets WEB_HOME
#   install_packaging         what checks packages and examples, by npm; sets
#                             PACKAGING_HOME

build_packages=(
	autoconf automake ca-certificates gcc libc-ares-dev libc6-dev libevent-dev libjansson-dev libssl-dev
	libutf8proc-dev make pkg-config zlib1g-dev
)
server_packages=(postgresql postgresql-contrib)
test_packages=(
	bash-completion check fish iproute2 "${server_packages[@]}" openssl
	pgbouncer python3 tshark xz-utils zsh
)
static_packages=(binutils strace)
cross_packages=(gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static)
foreign_packages=(
	check libc-ares-dev libevent-dev libjansson-dev libssl-dev libsubunit-dev
	libutf8proc-dev zlib1g-dev
)
matrix_packages=(pgbouncer) # npm comes with what needs it
web_packages=(chromium fonts-dejavu-core)
lint_packages=(
	clang clang-format clang-tidy codespell cppcheck libclang-rt-14-dev
	mandoc shellcheck
)

# Node brings npm along where it is not Debian's.
packaging_packages=(
	binutils buildah crun debhelper debootstrap docker-compose dpkg-dev lintian
	podman python3-yaml skopeo systemd systemd-container
)

# Those of another architecture, which may stand beside it, do not count.
is_installed() {
	dpkg-query -W -f '${Architecture} ${db:Status-Status}\n' "$1" 2>/dev/null |
		grep -qxE "($(dpkg --print-architecture)|all) installed"
}

install_packages() {
	local missing=() name sudo=()
	command -v dpkg-query >/dev/null || {
		echo "not Debian; taking it that these are here: $*"
		return 0
	}
	for name; do is_installed "$name" || missing+=("$name"); done
	[ "${#missing[@]}" -gt 0 ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || {
			echo "these packages are missing; as root: apt-get install ${missing[*]}" >&2
			return 1
		}
		sudo=(sudo)
	fi
	echo "installing ${missing[*]}"
	# RUNLEVEL=1: a database server that comes along is not to be started.
	{
		"${sudo[@]}" apt-get -q -o Acquire::Retries=3 update &&
			"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
				apt-get -q -y -o Acquire::Retries=3 \
				install --no-install-recommends "${missing[@]}"
	} >"$build/packages.log" 2>&1 </dev/null || {
		tail -n 20 "$build/packages.log" >&2
		echo "cannot install ${missing[*]}" >&2
		return 1
	}
}

# Debian's compiler for arm64, who runs what it makes, and libraries, which stay
# apart from the machine's own: installed beside them, they can replace them.
install_cross() {
	local home
	home=$(cache_dir)/arm64
	install_packages "${cross_packages[@]}" || return
	[ "$(cat "$home/done" 2>/dev/null)" = "${foreign_packages[*]}" ] ||
		fetch_foreign "$home" >"$build/foreign.log" 2>&1 || {
		tail -n 20 "$build/foreign.log" >&2
		return 1
	}
	export FOREIGN_HOME=$home/root
}

# apt's and dpkg's own lists are left alone: these are of a machine that is not
# there.
fetch_foreign() {
	rm -rf "$1" && mkdir -p "$1/lists/partial" "$1/archives/partial" "$1/root" &&
		: >"$1/status" && cat >"$1/apt.conf" <<-END || return
			APT::Architecture "arm64";
			APT::Architectures { "arm64"; };
			APT::Sandbox::User "root";
			Acquire::Retries "3";
			Dir::State::Lists "$1/lists";
			Dir::State::status "$1/status";
			Dir::Cache "$1";
		END
	(export APT_CONFIG=$1/apt.conf && cd "$1/archives" && apt-get -q update &&
		apt-get -q download "${foreign_packages[@]}") &&
		mkdir -p "$1/root/var/lib/dpkg/info" "$1/root/var/lib/dpkg/updates" &&
		: >"$1/root/var/lib/dpkg/status" &&
		dpkg --root="$1/root" --force-architecture --force-depends \
			--force-script-chrootless --unpack "$1"/archives/*.deb &&
		echo "${foreign_packages[*]}" >"$1/done"
}

# Where other users can read it, if this is root: the server runs as postgres.
cache_dir() {
	if [ -n "${MIZZLE_CACHE-}" ]; then
		echo "$MIZZLE_CACHE"
	elif [ "$(id -u)" -eq 0 ]; then
		echo /var/cache/mizzle-tests
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/mizzle-tests"
	fi
}

# Without it the tests that compare with it are skipped.
install_drizzle() {
	[ -f "$top/tests/it/drizzle/package.json" ] || return 0
	install_home DRIZZLE_HOME drizzle tests/it/drizzle \
		"install Drizzle; what compares with it is skipped"
}

# Both versions call for a drizzle-orm of their own, so each has its place.
install_kits() {
	local version home
	home=$(cache_dir)
	for version in 0 1; do
		keep_npm "$top/tests/it/drizzle/kit$version.json" "$home/kit$version" ||
			cannot "install drizzle-kit; what needs it is skipped" || return 0
	done
	export KIT_HOME=$home
}

# Without it the splitter is compared with psql alone.
install_pg_query() {
	install_home PG_QUERY_HOME pg_query tests/fuzz \
		"install libpg-query; what compares with it is skipped"
}

# Without them make check-matrix has only Debian's server.  The packages leave
# it to a script of theirs to make the links between the libraries.
install_postgres() {
	install_home POSTGRES_HOME postgres tests/it/postgres \
		"install PostgreSQL; its versions are skipped" link_postgres
}

link_postgres() {
	local package
	for package in node_modules/postgres-*; do
		(cd "$package" && node scripts/hydrate-symlinks.js) || return
	done
}

# Without them make bench has only psql to compare with.
install_bench() {
	install_home BENCH_HOME bench tests/bench \
		"install the peers; make bench leaves them out"
}

# Without it the tests of the page are skipped.
install_web() {
	install_home WEB_HOME web tests/web \
		"install what drives a browser; the page is not tested"
}

# Without them the packages for npm are left out, or what checks them.
install_packaging() {
	install_home PACKAGING_HOME packaging tests/packaging \
		"install schemas and compilers; what needs them is left out"
}

# install_home VARIABLE NAME DIR WHAT [COMPLETE]: the variable says where what
# DIR/package.json names is, in a place of that name; else WHAT cannot be done.
install_home() {
	local home
	home=$(cache_dir)/$2
	keep_npm "$top/$3/package.json" "$home" ${5+"$5"} ||
		cannot "$4" || return 0
	export "$1=$home"
}

# What the package.json $1 names stands in $2; $3 may be what completes it.
keep_npm() {
	cmp -s "$1" "$2/installed.json" ||
		install_npm "$@" >"$build/npm.log" 2>&1 </dev/null
}

install_npm() {
	command -v npm >/dev/null || install_packages nodejs npm || return
	(mkdir -p "$2" && cp "$1" "$2/package.json" && cd "$2" &&
		npm install --no-audit --no-fund --ignore-scripts && ${3:-true} &&
		cp package.json installed.json)
}

cannot() {
	tail -n 20 "$build/npm.log"
	echo "cannot $1"
	return 1
}
