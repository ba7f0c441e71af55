#!/bin/sh
# SPDX-License-Identifier: MIT
# Images, built and run: see container.py.  $MIZZLE is the static program.
set -eu
srcdir=${srcdir:-.}
export srcdir
exec sh "$srcdir/tests/it/python.sh" "$srcdir/tests/packaging/container.py"
