#!/bin/sh
# SPDX-License-Identifier: MIT
# A file is one thing (500 lines at most), a function fits on a screen (60).
# A function is what stands between a { and a } in the first column.
set -eu
cd "${srcdir:-.}"
find proto src -name '*.[ch]' ! -name '*_table.h' -exec awk '
	FNR == 1 { files++; start = 0 }
	FNR == 501 { print FILENAME ": more than 500 lines"; bad++ }
	/^{/ { start = FNR }
	/^}$/ && start {
		if (FNR - start > 60) {
			print FILENAME ":" start ": a function of " FNR - start " lines"
			bad++
		}
		start = 0
	}
	END { print files - bad " passed, " bad + 0 " failed"; exit bad > 0 }' {} +
