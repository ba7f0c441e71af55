/* SPDX-License-Identifier: MIT */
/*
 * What libpq 18.4 did with some hundred strings, files and environments.
 * Where this client does better on purpose, the difference is counted, so
 * that it cannot grow unseen.
 */
#include <config.h>

#include "outside_fake.h"
#include "reading.h"
#include "rows.h"
#include "unit.h"

#include <string.h>

enum { ENV = 16 };

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
	if (columns[6][0] != '=' && columns[6][0] != '\0')
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

/* ---- service files */

/* "service='s' host='h' | ok", or "... | error" */
static void put_given(const struct pgw_conninfo *c, struct pgw_buf *out)
{
	for (size_t k = 0; k < PGW_KEYWORDS; k++) {
		if (c->set[k].source <= PGW_FROM_PRESET)
			continue;
		pgw_buf_put_text(out, pgw_keyword_rows[k].name);
		pgw_buf_put_text(out, "='");
		pgw_buf_put_text(out, c->set[k].value);
		pgw_buf_put_text(out, "' ");
	}
	pgw_buf_put_text(out, "| ok");
}

/* The table shortens long contents; those have tests of their own. */
static bool is_shortened(const char *text)
{
	return strstr(text, "...(") != NULL;
}

static void check_service(char *columns[], void *ctx)
{
	struct tally *t = ctx;
	const char *expected = strcmp(columns[4], "=") == 0 ? columns[3] :
							      columns[4];
	const char *env[ENV];
	struct fake f = { .env = env,
			  .path = "SERVICEFILE",
			  .mode = 0644,
			  .text = { (unsigned char *)columns[1], 0 } };
	struct pgw_outside o = fake_outside(&f);
	struct pgw_conninfo c;
	struct pgw_buf out;
	struct pgw_err err;
	size_t n = 0;

	if (is_shortened(columns[1])) {
		t->silent++;
		return;
	}
	f.text.n = unescape(columns[1]);
	split_env(columns[2], env);
	while (env[n])
		n++;
	env[n++] = "PGSERVICEFILE";
	env[n++] = "SERVICEFILE";
	env[n] = NULL;
	pgw_buf_init(&out, ROW);
	pgw_conninfo_init(&c);
	if (pgw_conninfo_complete(&c, &o, &err)) {
		put_given(&c, &out);
	} else {
		pgw_buf_put_text(&out, "service='s' | ");
		pgw_buf_put_text(&out, err.msg);
	}
	ck_assert_str_eq(text_of(&out), expected);
	t->same++;
	pgw_buf_release(&out);
	pgw_conninfo_release(&c);
}

START_TEST(service_files_are_read_as_libpq_reads_them)
{
	struct tally t = { .repair = false };
	size_t n = each_row("vectors/pg_service-cases.tsv", check_service, &t);

	ck_assert_uint_eq(n, 25);
	ck_assert_uint_eq(t.silent, 1);
	ck_assert_uint_eq(t.same, n - t.silent);
}

END_TEST

/* ---- password files */

static void check_found(const struct pgw_config *cfg, const char *expected)
{
	const char *warning = strstr(expected, "WARNING: ");
	const char *password = cfg->hosts[0].password;

	if (strncmp(expected, "sent: ", 6) == 0)
		ck_assert_pstr_eq(password, expected + 6);
	else
		ck_assert(!password || password[0] == '\0');
	ck_assert_int_eq(cfg->notices.len > 0, warning != NULL);
	if (warning)
		ck_assert_str_eq((const char *)cfg->notices.data, warning + 9);
}

static void check_passfile(char *columns[], void *ctx)
{
	struct tally *t = ctx;
	const char *env[ENV];
	struct fake f = { .env = env,
			  .path = "f",
			  .mode = (unsigned)strtoul(columns[2], NULL, 8),
			  .text = { (unsigned char *)columns[1], 0 } };
	struct pgw_outside o = fake_outside(&f);
	struct pgw_conninfo c;
	struct pgw_config cfg;
	struct pgw_err err;

	if (is_shortened(columns[1])) {
		t->silent++;
		return;
	}
	f.text.n = unescape(columns[1]);
	unescape(columns[5]);
	split_env(columns[4], env);
	pgw_conninfo_init(&c);
	ck_assert(pgw_conninfo_parse(&c, columns[3], &err));
	ck_assert(pgw_conninfo_set(&c, PGW_KW_passfile, "f", &err));
	ck_assert(pgw_conninfo_complete(&c, &o, &err));
	ck_assert_msg(pgw_config_settle(&cfg, &c, &o, &err), "%s", err.msg);
	check_found(&cfg, columns[5]);
	t->same++;
	pgw_config_release(&cfg);
	pgw_conninfo_release(&c);
}

START_TEST(password_files_are_read_as_libpq_reads_them)
{
	struct tally t = { .repair = false };
	size_t n = each_row("vectors/pgpass-cases.tsv", check_passfile, &t);

	ck_assert_uint_eq(n, 46);
	ck_assert_uint_eq(t.silent, 2);
	ck_assert_uint_eq(t.same, n - t.silent);
}

END_TEST

/* ---- what libpq says only when it connects */

/* It got as far as to try: the settings were fine. */
static bool is_of_the_network(const char *expected)
{
	static const char *const signs[] = {
		"<refused>",
		"Connection refused",
		"No such file or",
		"Invalid argument",
		"could not translate",
		"could not parse network address",
		"Unix-domain socket path",
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(expected, signs[i]))
			return true;
	return false;
}

static const char *without_place(const char *expected)
{
	const char *failed = strstr(expected, "failed: ");

	return failed ? failed + 8 : expected;
}

/* Where we do otherwise on purpose; msg is NULL for what we take. */
static const struct different {
	const char *setting, *msg, *why;
} different[] = {
	{ "client_encoding='x'",
	  "client_encoding \"x\" is not supported: only UTF8 is",
	  "migrations are UTF-8" },
	{ "replication='x'",
	  "connection option \"replication\" is not supported",
	  "a migration is no replication" },
	{ "channel_binding=require sslmode=disable",
	  "channel_binding=require cannot be had with sslmode=disable",
	  "it fails anyway, but only once the server is asked" },
	{ "ssl_max_protocol_version='TLSv1.1'",
	  "ssl_max_protocol_version \"TLSv1.1\" is too old: nothing below "
	  "TLSv1.2 is secure",
	  "it fails in libpq, too; this says why" },
	{ "keepalives_idle='-1'", NULL, "all that is below 0 is 0" },
};

static const struct different *find_different(const char *input)
{
	for (size_t i = 0; i < sizeof(different) / sizeof(different[0]); i++)
		if (strstr(input, different[i].setting))
			return &different[i];
	return NULL;
}

static void check_settled(struct tally *t, const char *input,
			  const char *expected, bool ok,
			  const struct pgw_err *err)
{
	const struct different *d = find_different(input);

	if (d) {
		t->other++;
		ck_assert_pstr_eq(ok ? NULL : err->msg, d->msg);
		return;
	}
	t->same++;
	ck_assert_msg(is_of_the_network(expected) == ok, "%s: %s, not %s",
		      input, ok ? "ok" : err->msg, expected);
	if (!ok)
		ck_assert_str_eq(err->msg, without_place(expected));
}

static void check_connect(char *columns[], void *ctx)
{
	const char *expected = strcmp(columns[3], "=") == 0 ? columns[2] :
							      columns[3];
	const char *env[ENV];
	struct fake f = { .env = env, .user = "u" };
	struct pgw_outside o = fake_outside(&f);
	struct pgw_conninfo c;
	struct pgw_config cfg;
	struct pgw_err err;
	bool ok;

	unescape(columns[1]);
	split_env(columns[0], env);
	pgw_conninfo_init(&c);
	c.repair = false;
	ok = pgw_conninfo_parse(&c, columns[1], &err) &&
	     pgw_conninfo_complete(&c, &o, &err) &&
	     pgw_config_settle(&cfg, &c, &o, &err);
	check_settled(ctx, columns[1], expected, ok, &err);
	if (ok)
		pgw_config_release(&cfg);
	pgw_conninfo_release(&c);
}

START_TEST(values_are_checked_as_libpq_checks_them)
{
	struct tally t = { .repair = false };
	size_t n = each_row("vectors/conninfo-connect-cases.tsv", check_connect,
			    &t);

	ck_assert_uint_eq(n, 145);
	ck_assert_uint_eq(t.other, sizeof(different) / sizeof(different[0]));
	ck_assert_uint_eq(t.same, n - t.other);
}

END_TEST

int main(void)
{
	const TTest *tests[] = {
		strings_are_read_as_libpq_reads_them,
		the_repair_layer_changes_little,
		service_files_are_read_as_libpq_reads_them,
		password_files_are_read_as_libpq_reads_them,
		values_are_checked_as_libpq_checks_them,
	};

	fclose(shared_open("vectors/uri-cases.tsv"));
	return unit_main("conninfo_vectors", tests,
			 sizeof(tests) / sizeof(tests[0]));
}
