/* SPDX-License-Identifier: MIT */
/*
 * What the splitter makes of texts that come one after the other, for those who
 * compare it with others (sql_by_pg_query.py).  Each begins with a line: flags
 * (o: standard_conforming_strings is off; p: a script of psql's; -: neither)
 * and how many bytes it has.  The answer is lines, and a dot.
 *
 *   S START END DATA-START DATA-END KIND   a statement
 *   T KIND START END                       a token
 *   P AT WHAT                              why there are no more statements
 *   Q AT WHAT                              the same of tokens
 */
#include <config.h>

#include "sql.h"
#include "sql_lex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cut(struct pgw_view text, const char *flags)
{
	struct mz_sql_statement st;
	struct mz_sql s;

	mz_sql_init(&s, text);
	s.standard_conforming_strings = !strchr(flags, 'o');
	s.copy_data = s.backslash = strchr(flags, 'p') != NULL;
	while (mz_sql_next(&s, &st))
		printf("S %zu %zu %zu %zu %d\n", st.start, st.end,
		       st.data_start, st.data_end, (int)st.kind);
	if (s.problem != MZ_SQL_OK)
		printf("P %zu %s\n", s.problem_at,
		       mz_sql_problem_text(s.problem));
}

static void scan(struct pgw_view text, const char *flags)
{
	struct mz_lex l = { .text = text, .backslashes = strchr(flags, 'o') };
	struct mz_token t;

	while (mz_lex_next(&l, &t))
		printf("T %d %zu %zu\n", (int)t.kind, t.start, t.end);
	if (l.problem != MZ_SQL_OK)
		printf("Q %zu %s\n", l.problem_at,
		       mz_sql_problem_text(l.problem));
}

/* False at the end. */
static bool one(void)
{
	char line[64], flags[16];
	unsigned char *text;
	size_t n;

	if (!fgets(line, sizeof(line), stdin) ||
	    sscanf(line, "%15s %zu", flags, &n) != 2)
		return false;
	text = malloc(n + 1); /* so that ASan sees an overrun of more */
	if (!text || fread(text, 1, n, stdin) != n)
		exit(EXIT_FAILURE);
	cut((struct pgw_view){ text, n }, flags);
	scan((struct pgw_view){ text, n }, flags);
	printf(".\n");
	fflush(stdout);
	free(text);
	return true;
}

int main(void)
{
	while (one())
		continue;
	return EXIT_SUCCESS;
}
