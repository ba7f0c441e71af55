#!/bin/sh
# SPDX-License-Identifier: MIT
# The page of mizzle serve in a real browser.  WEB_HOME is where package.json
# is installed, CHROMIUM the browser; PAGE_WORLD may be a driver of a real
# server (page.mjs), without it there is a stub.
here=${srcdir:-.}/tests/web
WEB_HOME=${WEB_HOME:-${MIZZLE_CACHE:-/var/cache/mizzle-tests}/web}
export WEB_HOME
if ! command -v node >/dev/null; then
	echo 'no node here'
	exit 77
fi
exec node "$here/page.mjs" "$@"
