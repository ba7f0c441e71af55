/* SPDX-License-Identifier: MIT */
/*
 * What the splitter makes of files, for tests in other languages: a line with
 * the file's name, one for each statement (bytes, line, kind, what), and one
 * with what is not terminated, if anything.  A file of the name "off" stands
 * for standard_conforming_strings = off from there on, and "psql" for scripts
 * of psql's: then a COPY is followed by a line with the bytes of its rows.
 */
#include <config.h>

#include "sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *kind_name(enum mz_sql_kind kind)
{
	switch (kind) {
	case MZ_SQL_PLAIN:
		return "plain";
	case MZ_SQL_BEGIN:
		return "begin";
	case MZ_SQL_COMMIT:
		return "commit";
	case MZ_SQL_ROLLBACK:
		return "rollback";
	case MZ_SQL_SAVEPOINT:
		return "savepoint";
	case MZ_SQL_ALONE:
		return "alone";
	case MZ_SQL_COPY_STDIN:
		return "copy";
	}
	return "?";
}

static bool read_file(const char *path, struct pgw_buf *b)
{
	char chunk[8192];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		perror(path);
		return false;
	}
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		pgw_buf_put(b, chunk, n);
	n = (size_t)ferror(f);
	fclose(f);
	return n == 0 && !b->failed;
}

static void split(struct pgw_view text, bool standard_conforming_strings,
		  bool psql)
{
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, text);
	s.standard_conforming_strings = standard_conforming_strings;
	s.copy_data = s.backslash = psql;
	while (mz_sql_next(&s, &st)) {
		printf("%zu %zu %zu %s %s\n", st.start, st.end, st.line,
		       kind_name(st.kind), st.what ? st.what : "-");
		if (st.data_start > 0)
			printf("rows %zu %zu\n", st.data_start, st.data_end);
	}
	if (s.problem != MZ_SQL_OK)
		printf("%zu %s\n", s.problem_at,
		       mz_sql_problem_text(s.problem));
}

int main(int argc, char **argv)
{
	bool standard_conforming_strings = true, psql = false, ok = true;

	for (int i = 1; i < argc && ok; i++) {
		struct pgw_buf b;

		if (strcmp(argv[i], "off") == 0) {
			standard_conforming_strings = false;
			continue;
		}
		if (strcmp(argv[i], "psql") == 0) {
			psql = true;
			continue;
		}
		printf("file %s\n", argv[i]);
		pgw_buf_init(&b, SIZE_MAX / 2);
		ok = read_file(argv[i], &b);
		split(pgw_buf_view(&b), standard_conforming_strings, psql);
		pgw_buf_release(&b);
	}
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
