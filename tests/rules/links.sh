#!/bin/sh
# SPDX-License-Identifier: MIT
# What the pages link to is there: files, and headings of pages; links to other
# sites are not followed.  Pictures are light.
set -eu
cd "${srcdir:-.}"
for picture in docs/*.svg; do
	[ "$(wc -c <"$picture")" -le 60000 ] || {
		echo "$picture: more than 60 kB"
		exit 1
	}
done
exec awk '
# As GitHub names headings: lower case, blanks to -, punctuation dropped.
function anchor(text) {
	gsub(/\]\([^)]*\)/, "", text)
	text = tolower(text)
	gsub(/[^a-z0-9 _-]/, "", text)
	gsub(/ /, "-", text)
	return text
}

# ./a/../b.md is b.md
function tidy(path,    n, parts, out, i, k) {
	n = split(path, parts, "/")
	k = 0
	for (i = 1; i <= n; i++) {
		if (parts[i] == "." || parts[i] == "")
			continue
		if (parts[i] == ".." && k > 0)
			k--
		else
			out[++k] = parts[i]
	}
	path = out[1]
	for (i = 2; i <= k; i++)
		path = path "/" out[i]
	return path
}

function is_there(path) {
	return system("test -e \"" path "\"") == 0
}

FNR == 1 { fenced = 0; page[FILENAME] = 1 }
/^ *```/ { fenced = !fenced; next }
fenced { next }
/^#+ / {
	name = $0
	sub(/^#+ +/, "", name)
	name = anchor(name)
	key = FILENAME "#" name
	while (key in heading)
		key = FILENAME "#" name "-" ++again[FILENAME, name]
	heading[key] = 1
}
{
	line = $0
	gsub(/`[^`]*`/, "", line)
	while (match(line, /\]\([^) ]+\)/)) {
		target = substr(line, RSTART + 2, RLENGTH - 3)
		line = substr(line, RSTART + RLENGTH)
		if (target !~ /^[a-z]+:/)
			link[++links] = FILENAME "\t" FNR "\t" target
	}
}
END {
	for (i = 1; i <= links; i++) {
		split(link[i], part, "\t")
		folder = part[1]
		sub(/[^\/]*$/, "", folder)
		path = part[3]
		sub(/#.*/, "", path)
		path = path == "" ? part[1] : tidy(folder path)
		name = part[3] ~ /#/ ? part[3] : ""
		sub(/^[^#]*#/, "", name)
		if (!(path in page) && !is_there(path))
			why = "no such file"
		else if (name != "" && !((path "#" name) in heading))
			why = "no such heading"
		else
			why = ""
		if (why != "") {
			print part[1] ":" part[2] ": " part[3] ": " why
			bad++
		}
	}
	if (links < 20) {
		print "only " links " links were found"
		bad++
	}
	print links - bad " passed, " bad + 0 " failed"
	exit bad > 0
}' README.md CONTRIBUTING.md SECURITY.md docs/*.md
