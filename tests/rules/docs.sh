#!/bin/sh
# SPDX-License-Identifier: MIT
# What the tables in src/ list is in the manual page and the other way round:
# commands, options, environment variables, exit statuses.  The README names
# every command and exit status.
set -eu
cd "${srcdir:-.}"
page=src/mizzle.1
passed=0 failed=0

# same WHAT TABLE PAGE: both have the same lines.
same() {
	printf '%s\n' "$2" | sort -u >"$work/table"
	printf '%s\n' "$3" | sort -u >"$work/page"
	if difference=$(diff "$work/table" "$work/page"); then
		passed=$((passed + $(wc -l <"$work/table")))
	else
		echo "$1: < is only in the table, > only in $page"
		echo "$difference" | grep '^[<>]'
		failed=$((failed + 1))
	fi
}

in_readme() {
	if grep -q "$2" README.md; then
		passed=$((passed + 1))
	else
		echo "README.md: $1 is missing"
		failed=$((failed + 1))
	fi
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# section NAME: the lines of that section of the page
section() {
	sed -n "/^\.Sh $1\$/,/^\.Sh/p" $page
}

commands=$(sed -n 's/^COMMAND(\([a-z_]*\),.*/\1/p' src/commands.def | tr _ -)
same commands "$commands" "$(section COMMANDS | sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p')"
same aliases "$(sed -n 's/^COMMAND([a-z_]*, "\([a-z]*\)".*/\1/p' src/commands.def)" \
	"$(section COMMANDS | sed -n 's/^\.It Cm .*, Cm \([a-z-]*\).*/\1/p')"
same options "$(sed -n 's/^OPTION([a-z_]*, "\([a-z-]*\)".*/\1/p' src/options.def)" \
	"$(sed -n 's/^\.It Fl \([a-zA-Z0-9] , Fl \)\{0,1\}-\([a-z-]*\).*/\2/p' $page)"
same letters "$(sed -n "s/^OPTION([^']*, '\(.\)',.*/\1/p" src/options.def)" \
	"$(sed -n 's/^\.It Fl \([a-zA-Z0-9]\) , Fl -.*/\1/p' $page)"
same variables "$(sed -n 's/^OPTION([a-z_]*, "[^"]*", [^,]*, [^,]*, "\([A-Z_]*\)".*/\1/p' src/options.def
	printf '%s\n' NO_COLOR CLICOLOR_FORCE GITHUB_ACTIONS SOURCE_DATE_EPOCH 'PG*')" \
	"$(section ENVIRONMENT | sed -n 's/^\.It Ev \(.*\)/\1/p')"
statuses=$(sed -n 's/^.X(\([0-9]*\), *\([a-z]*\)).*/\1 \2/p' src/error.h)
same 'exit statuses' "$statuses" \
	"$(section 'EXIT STATUS' | sed -n 's/^\.It \([0-9]*\) Pq \([a-z]*\)/\1 \2/p')"

for command in $commands; do
	in_readme "the command $command" "mizzle $command"
done
for status in $(printf '%s\n' "$statuses" | sed 's/ .*//'); do
	in_readme "exit status $status" "^| $status |"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
