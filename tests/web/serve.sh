#!/bin/sh
# SPDX-License-Identifier: MIT
# The page in a real browser, with a real mizzle serve and PostgreSQL.
srcdir=${srcdir:-.}
PAGE_WORLD="sh $srcdir/tests/it/python.sh $srcdir/tests/web/world.py"
export srcdir PAGE_WORLD
exec sh "$srcdir/tests/web/run.sh" "$@"
