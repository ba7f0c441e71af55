/* SPDX-License-Identifier: MIT */
/*
 * What libpq 18.4 did with some hundred strings, files and environments.
 * Where this client does better on purpose, the difference is counted, so
 * that it cannot grow unseen.
 */
#include <config.h>

#include "outside_fake.h"
#include "shared.h"
#include "unit.h"

#include <string.h>

enum { COLUMNS = 8, ENV = 16, ROW = 1 << 16 };

/* ---- rows */

static int hex(const char *p)
{
	const char digits[3] = { p[0], p[1], '\0' };

	return (int)strtoul(digits, NULL, 16);
}

/* Undo \n \t \r \\ \xNN in place; gives the length. */
static size_t unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p != '\0'; p++) {
		if (*p != '\\') {
			*to++ = *p;
			continue;
		}
		p++;
		if (*p == 'x') {
			*to++ = (char)hex(p + 1);
			p += 2;
		} else {
			*to++ = (char)(*p == 'n' ? '\n' :
				       *p == 't' ? '\t' :
				       *p == 'r' ? '\r' :
						   *p);
		}
	}
	*to = '\0';
	return (size_t)(to - text);
}

static size_t split(char *row, char *columns[COLUMNS])
{
	size_t n = 0;

	row[strcspn(row, "\n")] = '\0';
	while (n < COLUMNS) {
		size_t end = strcspn(row, "\t");
		bool last = row[end] == '\0';

		columns[n++] = row;
		row[end] = '\0';
		if (last)
			break;
		row += end + 1;
	}
	return n;
}

/* "A=b C=" into name, value, ... */
static void split_env(char *text, const char *env[ENV])
{
	size_t n = 0;

	while (*text != '\0' && n + 2 < ENV) {
		size_t end = strcspn(text, " ");
		bool last = text[end] == '\0';
		char *equals;

		text[end] = '\0';
		equals = strchr(text, '=');
		ck_assert_ptr_nonnull(equals);
		*equals = '\0';
		env[n++] = text;
		env[n++] = equals + 1;
		text += end + (last ? 0 : 1);
	}
	env[n] = NULL;
}

/* Run act on each row but the first, which names the columns. */
static size_t each_row(const char *name, void (*act)(char *columns[], void *),
		       void *ctx)
{
	static char row[ROW];
	FILE *f = shared_open(name);
	char *columns[COLUMNS] = { NULL };
	size_t n = 0;

	ck_assert_ptr_nonnull(fgets(row, sizeof(row), f));
	while (fgets(row, sizeof(row), f)) {
		split(row, columns);
		act(columns, ctx);
		n++;
	}
	fclose(f);
	return n;
}

static const char *text_of(struct pgw_buf *b)
{
	pgw_buf_put_u8(b, '\0');
	ck_assert(!b->failed);
	return (const char *)b->data;
}

/* ---- strings */

struct tally {
	bool repair;
	size_t same, silent, repaired, refused, other;
};

static bool read_string(struct pgw_conninfo *c, const char *input, char *env,
			struct pgw_buf *out, struct pgw_err *err)
{
	const char *pairs[ENV];
	struct fake f = { .env = pairs };
	struct pgw_outside o = fake_outside(&f);

	split_env(env, pairs);
	if (!pgw_conninfo_parse(c, input, err) ||
	    !pgw_conninfo_complete(c, &o, err))
		return false;
	pgw_conninfo_print(c, true, out);
	return true;
}

static void count_failure(struct tally *t, const char *input,
			  const char *expected, const struct pgw_err *err)
{
	if (strncmp(expected, "ERR ", 4) != 0)
		t->refused++;
	else if (strcmp(expected + 4, err->msg) == 0)
		t->same++;
	else if (strchr(input, '@'))
		t->silent++;
	else
		ck_abort_msg("%s:\n%s\n%s", input, expected, err->msg);
}

static void count_success(struct tally *t, const char *input,
			  const char *expected, const char *got)
{
	if (strncmp(expected, "OK ", 3) == 0 && strcmp(expected + 3, got) == 0)
		t->same++;
	else if (t->repair && strncmp(expected, "ERR ", 4) == 0)
		t->repaired++;
	else if (t->repair)
		t->other++;
	else
		ck_abort_msg("%s:\n%s\n%s", input, expected, got);
}

static void check_string(char *columns[], void *ctx)
{
	struct tally *t = ctx;
	char *input = columns[3], *expected = columns[4];
	struct pgw_conninfo c;
	struct pgw_buf out;
	struct pgw_err err;

	/* From 18.4, unless that is the same as the test's own text. */
	if (columns[6] && columns[6][0] != '=' && columns[6][0] != '\0')
		expected = columns[6];
	unescape(input);
	unescape(expected);
	pgw_buf_init(&out, ROW);
	pgw_conninfo_init(&c);
	c.repair = t->repair;
	if (read_string(&c, input, columns[2], &out, &err))
		count_success(t, input, expected, text_of(&out));
	else
		count_failure(t, input, expected, &err);
	pgw_conninfo_release(&c);
	pgw_buf_release(&out);
}

START_TEST(strings_are_read_as_libpq_reads_them)
{
	struct tally t = { .repair = false };
	size_t n = each_row("vectors/uri-cases.tsv", check_string, &t);

	ck_assert_uint_eq(n, 264);
	ck_assert_uint_eq(t.refused, 0);
	ck_assert_uint_eq(t.silent, 7);
	ck_assert_uint_eq(t.same, n - t.silent);
}

END_TEST

START_TEST(the_repair_layer_changes_little)
{
	struct tally t = { .repair = true };
	size_t n = each_row("vectors/uri-cases.tsv", check_string, &t);

	/* a raw / in the password; a #fragment behind the host */
	ck_assert_uint_eq(t.refused, 2);
	/* a line end behind the string */
	ck_assert_uint_eq(t.other, 1);
	/* quotes around it; keys of other programs */
	ck_assert_uint_eq(t.repaired, 17);
	ck_assert_uint_eq(t.same + t.silent, n - 20);
}

END_TEST

int main(void)
{
	const TTest *tests[] = { strings_are_read_as_libpq_reads_them,
				 the_repair_layer_changes_little };

	fclose(shared_open("vectors/uri-cases.tsv"));
	return unit_main("conninfo_vectors", tests,
			 sizeof(tests) / sizeof(tests[0]));
}
