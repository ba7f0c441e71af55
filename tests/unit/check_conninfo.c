/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "conninfo.h"
#include "outside_fake.h"
#include "unit.h"

#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct read {
	struct pgw_conninfo c;
	struct pgw_buf out;
	struct pgw_err err;
	bool ok;
};

static const char *printed(struct read *r, bool secrets)
{
	r->out.len = 0;
	pgw_conninfo_print(&r->c, secrets, &r->out);
	pgw_buf_put_u8(&r->out, '\0');
	return (const char *)r->out.data;
}

static void read_with(struct read *r, const char *text, bool repair,
		      struct fake *f)
{
	struct pgw_outside o = fake_outside(f);

	pgw_buf_init(&r->out, 1 << 16);
	pgw_conninfo_init(&r->c);
	r->c.repair = repair;
	r->ok = pgw_conninfo_parse(&r->c, text, &r->err) &&
		pgw_conninfo_complete(&r->c, &o, &r->err);
}

static void read_text(struct read *r, const char *text)
{
	struct fake f = { .env = NULL };

	read_with(r, text, true, &f);
}

static void done(struct read *r)
{
	pgw_conninfo_release(&r->c);
	pgw_buf_release(&r->out);
}

/* The one notice there is, or "". */
static const char *notice(const struct read *r)
{
	const struct pgw_buf *n = &r->c.notices;

	if (n->len == 0)
		return "";
	ck_assert_uint_eq(strlen((const char *)n->data) + 1, n->len);
	return (const char *)n->data;
}

#define DROPPED " the connection string were dropped"
#define OTHERS                                                             \
	"ignored in the connection string, because it is meant for other " \
	"programs: "
#define AT                                                               \
	"the user or password of the connection string holds an \"@\"; " \
	"the last one was taken as its end; write the others as %40: "   \
	"postgresql://user:***@"

/* what was pasted, what is printed, what is told */
static const struct {
	const char *text, *printed, *notice;
} repaired[] = {
	{ "  postgres://h/db\r\n", "dbname='db' host='h' (inet)",
	  "the blanks and line ends around" DROPPED },
	{ "postgres://h/db\n", "dbname='db' host='h' (inet)",
	  "the blanks and line ends around" DROPPED },
	{ "postgres://h/db  ", "dbname='db' host='h' (inet)", "" },
	{ "\"postgres://h/db\"\n", "dbname='db' host='h' (inet)",
	  "the quotes around" DROPPED },
	{ "'host=h dbname=db'", "dbname='db' host='h' (inet)",
	  "the quotes around" DROPPED },
	{ "password=a\\ ", "password='a ' (local)", "" },
	{ "postgres://u:p@ss@h:5/db",
	  "user='u' password='p@ss' dbname='db' host='h' port='5' (inet)",
	  AT "h:5" },
	{ "postgres://u@x.org:p@@h", "user='u' host='x.org' port='p@@h' (inet)",
	  "" },
	{ "postgres://u:a,b@c,d@h?sslmode=disable",
	  "user='u' password='a,b@c,d' host='h' sslmode='disable' (inet)",
	  AT "h" },
	{ "postgres://u:a@b@c:d@e/f",
	  "user='u' password='a@b@c:d' dbname='f' host='e' (inet)", AT "e" },
	{ "postgres://u:p@h/d@x",
	  "user='u' password='p' dbname='d@x' "
	  "host='h' (inet)",
	  "" },
	{ "postgres://h/d?application_name=a#b&user=me@x",
	  "user='me@x' dbname='d' host='h' application_name='a#b' (inet)", "" },
	{ "postgres://h/d?schema=s&x-y=1&pool_max_conns=5&options[a]=b",
	  "dbname='d' host='h' (inet)",
	  OTHERS
	  "schema (search_path is not changed), x-*, pool_max_conns, options[*" },
	{ "host=h pgbouncer=true", "host='h' (inet)", OTHERS "pgbouncer" },
	{ "postgres://h?search_path=a,b&statement_timeout=5000&timezone=UTC"
	  "&lock_timeout=5%20s&idle_in_transaction_session_timeout=",
	  "host='h' (inet)", "" },
	{ "postgres://h?ssl=1", "host='h' sslmode='require' (inet)", "" },
	{ "postgres://h?ssl=false", "host='h' sslmode='disable' (inet)", "" },
	{ "postgres://h?sslaccept=strict",
	  "host='h' sslmode='verify-full' (inet)", "" },
	{ "postgres://h?sslmode=no-verify",
	  "host='h' sslmode='no-verify' (inet)", "" },
};

START_TEST(what_people_paste_is_repaired_with_one_notice)
{
	for (size_t i = 0; i < COUNT(repaired); i++) {
		struct read r;

		read_text(&r, repaired[i].text);
		ck_assert_msg(r.ok, "%s: %s", repaired[i].text, r.err.msg);
		ck_assert_str_eq(printed(&r, true), repaired[i].printed);
		ck_assert_str_eq(notice(&r), repaired[i].notice);
		done(&r);
	}
}

END_TEST

static const struct {
	const char *text, *msg, *hint;
} refused[] = {
	{ "postgres://u:se/cret@h/db",
	  "the password of the connection string contains \"/\"",
	  "write %2F for each \"/\" in it" },
	{ "postgres://h/db#frag",
	  "a \"#\" is not allowed in the host or database name of the "
	  "connection string",
	  "remove the \"#\" and what follows; if it belongs to the name or "
	  "password, write %23" },
	{ "postgres://u:secret@h#x/db",
	  "a \"#\" is not allowed in the host or database name of the "
	  "connection string",
	  "remove the \"#\" and what follows; if it belongs to the name or "
	  "password, write %23" },
	{ "postgres://h?sslmod=require",
	  "invalid URI query parameter: \"sslmod\"",
	  "did you mean \"sslmode\"?" },
	{ "postgres://h?chanel_binding=require",
	  "invalid URI query parameter: \"chanel_binding\"",
	  "did you mean \"channel_binding\"?" },
	{ "host=h requireauth=md5", "invalid connection option \"requireauth\"",
	  "did you mean \"require_auth\"?" },
	{ "postgres://h?whatever=1",
	  "invalid URI query parameter: \"whatever\"", "" },
	{ "postgres://h?statement_timeout=soon",
	  "invalid \"statement_timeout\" value: \"soon\"",
	  "a number of milliseconds, or one with a unit: 500ms, 30s, 5min, "
	  "1h" },
	{ "host=h lock_timeout=.", "invalid \"lock_timeout\" value: \".\"",
	  "a number of milliseconds, or one with a unit: 500ms, 30s, 5min, "
	  "1h" },
	{ "postgres://h?search_path=%ff",
	  "the value of \"search_path\" is not UTF-8", "" },
	{ "postgres://h?sslidentity=x",
	  "connection string: this value of \"sslidentity\" is not supported",
	  "use sslcert and sslkey instead" },
	{ "postgres://h?ssl=maybe",
	  "connection string: this value of \"ssl\" is not supported",
	  "use sslmode instead: disable, prefer, require, verify-ca or "
	  "verify-full" },
	{ "POSTGRES://h/db",
	  "missing \"=\" after \"POSTGRES://h/db\" in connection info string",
	  "a connection URI begins with postgresql:// or postgres://, in "
	  "lower case and without \"+driver\" or \"jdbc:\"" },
	{ "psql postgres://h/d",
	  "missing \"=\" after \"psql\" in connection info string",
	  "a connection URI stands alone: remove what is before it, such as a "
	  "command or the name of a variable" },
	{ "DATABASE_URL=postgres://h/d",
	  "invalid connection option \"DATABASE_URL\"",
	  "a connection URI stands alone: remove what is before it, such as a "
	  "command or the name of a variable" },
	{ "${DATABASE_URL}",
	  "missing \"=\" after \"${DATABASE_URL}\" in connection info string",
	  "this names a variable; its value is what is needed" },
	{ "postgres://h?options=endpoint=x",
	  "extra key/value separator \"=\" in URI query parameter: "
	  "\"options\"",
	  "write a \"=\" in a value as %3D" },
	{ "''", "missing \"=\" after \"''\" in connection info string", "" },
};

START_TEST(what_cannot_be_meant_is_refused_with_a_hint)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct read r;

		read_text(&r, refused[i].text);
		ck_assert_msg(!r.ok, "%s", refused[i].text);
		ck_assert_str_eq(r.err.msg, refused[i].msg);
		ck_assert_str_eq(r.err.hint, refused[i].hint);
		done(&r);
	}
}

END_TEST

/* In each, the password or a piece of it holds "sec". */
static const char *const leaky[] = {
	"postgres://u:sec%zz@h/db",
	"postgres://u:sec%00@h/db",
	"postgres://u:sec ret@h/db",
	"postgres://sec%zz:x@h/db",
	"postgres://u:a/sec%zz@h/db",
	"postgres://u:1/sec%zz@h/db",
	"postgres://u:1/x?sec=ret&seq@h/db",
	"postgres://u:1/x?seq&sec@h/db",
	"postgres://u:1/x?sec=re=t@h/db",
	"postgres://u:sec@[::1",
	"postgres://u:sec@[]/db",
	"postgres://u:sec@[::1]x/db",
	"postgres://[::1?password=sec",
	"postgres://u:a@b@c/sec@h/%zz",
	"postgres://h?password=sec%zz",
	"postgres://h?password=a&sec",
	"postgres://h?password=a&sec=x",
	"postgres://h?password=a&x=%zz&sec=1",
	"postgres://h?pass%77ord=a&sec=x",
	"postgres://h?api_key=sec%zz",
	"postgres://u:sec%zz",
	"postgres://u:sec ret",
	"postgresql+asyncpg://u:sec@h/db",
	"postgres+x://u:sec@h/db?sslmode=require",
	"jdbc:postgresql://h/db?password=sec&user=u",
	"host=h password=my sec pw",
	"host=h password=my sec=pw",
	"password=a b c sec",
	"password='sec",
};

START_TEST(no_error_shows_a_piece_of_a_password)
{
	for (size_t i = 0; i < 2 * COUNT(leaky); i++) {
		const char *text = leaky[i / 2];
		struct fake f = { .env = NULL };
		struct read r;

		read_with(&r, text, i % 2, &f);
		ck_assert_msg(!r.ok, "%s", text);
		ck_assert_int_eq(r.err.code, PGW_E_CONFIG);
		ck_assert_msg(!strstr(r.err.msg, "sec") &&
				      !strstr(r.err.hint, "sec"),
			      "%s: %s", text, r.err.msg);
		ck_assert_uint_eq(r.c.notices.len, 0);
		done(&r);
	}
}

END_TEST

/* name=value; of each. */
static const char *locals(const struct pgw_conninfo *c, char out[256])
{
	struct pgw_cur cur = pgw_cur_of(pgw_buf_view(&c->local));

	out[0] = '\0';
	for (bool name = true; cur.p < cur.end; name = !name) {
		strcat(out, pgw_cur_str(&cur));
		strcat(out, name ? "=" : ";");
		ck_assert(!cur.bad);
	}
	return out;
}

START_TEST(settings_of_the_server_are_kept_for_transactions)
{
	static const struct {
		const char *text, *locals;
	} cases[] = {
		{ "postgres://h/d", "" },
		{ "postgres://h?search_path=a,%22b%22&timezone=UTC",
		  "search_path=a,\"b\";TimeZone=UTC;" },
		{ "postgres://h?TimeZone=Europe/Berlin",
		  "TimeZone=Europe/Berlin;" },
		{ "host=h lock_timeout='5 s' statement_timeout=1.5min",
		  "lock_timeout=5 s;statement_timeout=1.5min;" },
		{ "postgres://h?statement_timeout=1&statement_timeout=2",
		  "statement_timeout=1;statement_timeout=2;" },
		{ "postgres://h?idle_in_transaction_session_timeout=0&"
		  "lock_timeout=",
		  "idle_in_transaction_session_timeout=0;" },
	};

	char out[256];

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct read r;

		read_text(&r, cases[i].text);
		ck_assert_msg(r.ok, "%s: %s", cases[i].text, r.err.msg);
		ck_assert_str_eq(locals(&r.c, out), cases[i].locals);
		ck_assert(pgw_conninfo_parse(&r.c, "search_path=z", &r.err));
		ck_assert(strstr(locals(&r.c, out), "search_path=z;"));
		done(&r);
	}
}

END_TEST

START_TEST(a_pooler_that_the_string_tells_of_is_remembered)
{
	struct read r;

	read_text(&r, "postgres://h?pgbouncer=true");
	ck_assert(r.ok && r.c.pooled);
	done(&r);
	read_text(&r, "postgres://h?pgbouncer=false");
	ck_assert(r.ok && !r.c.pooled);
	done(&r);
}

END_TEST

START_TEST(unknown_keys_can_be_passed_over_but_not_those_of_security)
{
	static const struct {
		const char *text, *notice; /* NULL: refused all the same */
	} cases[] = {
		{ "postgres://h?whatever=1&other=2&schema=x",
		  "ignored in the connection string, because nobody knows it: "
		  "whatever, other" },
		{ "host=h whatever=1", "ignored in the connection string, "
				       "because nobody knows it: whatever" },
		{ "postgres://h?sslmod=require", NULL },
		{ "postgres://h?sslsomething=1", NULL },
		{ "postgres://h?SSLsomething=1", NULL },
		{ "postgres://h?Channel_Binding=require", NULL },
		{ "postgres://h?chanel_binding=require", NULL },
		{ "postgres://h?password=a&sec=x", NULL },
		{ "postgres://h?ssl=maybe", NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct read r = { .ok = false };

		pgw_conninfo_init(&r.c);
		pgw_buf_init(&r.out, 1 << 16);
		r.c.lenient = true;
		r.ok = pgw_conninfo_parse(&r.c, cases[i].text, &r.err);
		ck_assert_msg(r.ok == (cases[i].notice != NULL), "%s",
			      cases[i].text);
		if (r.ok)
			ck_assert(memmem(r.c.notices.data, r.c.notices.len,
					 cases[i].notice,
					 strlen(cases[i].notice) + 1));
		done(&r);
	}
}

END_TEST

START_TEST(print_masks_secrets_and_what_may_be_a_piece_of_one)
{
	static const struct {
		const char *text, *printed;
	} cases[] = {
		{ "postgres://u:secret@h", "user='u' password='***' host='h' "
					   "(inet)" },
		{ "postgres://u@s:secret@h",
		  "user='u' host='s' port='***' (inet)" },
		{ "postgres://u:12/secret@h/d",
		  "dbname='***' host='u' port='12' (inet)" },
		{ "sslpassword=a scram_client_key=b scram_server_key=c "
		  "oauth_client_secret=d",
		  "sslpassword='***' scram_client_key='***' "
		  "scram_server_key='***' oauth_client_secret='***' (local)" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct read r;

		read_text(&r, cases[i].text);
		ck_assert(r.ok);
		ck_assert_str_eq(printed(&r, false), cases[i].printed);
		done(&r);
	}
}

END_TEST

START_TEST(a_string_that_fails_changes_nothing)
{
	struct read r;
	struct pgw_err err;

	read_text(&r, "postgres://u@h/db?schema=x");
	ck_assert(r.ok);
	ck_assert(
		!pgw_conninfo_parse(&r.c, "user=other host=x nonsense", &err));
	ck_assert_str_eq(printed(&r, true), "user='u' dbname='db' host='h' "
					    "(inet)");
	ck_assert_str_eq(notice(&r), OTHERS "schema (search_path is not "
					    "changed)");
	ck_assert(pgw_conninfo_parse(&r.c, "user=other", &err));
	ck_assert_str_eq(printed(&r, true), "user='other' dbname='db' "
					    "host='h' (inet)");
	done(&r);
}

END_TEST

START_TEST(string_beats_service_beats_environment_beats_preset)
{
	static const char *const env[] = { "PGSERVICE", "s",  "PGHOST", "env",
					   "PGPORT",	"1",  "PGUSER", "env",
					   "PGTZ",	"tz", NULL };
	struct fake f = { .env = env,
			  .home = "/home/me",
			  .path = "/home/me/.pg_service.conf",
			  .text = pgw_view_of("[s]\nhost=srv\nuser=srv\n") };
	struct read r;

	read_with(&r, "user=str", true, &f);
	ck_assert(r.ok);
	ck_assert_str_eq(r.c.set[PGW_KW_user].value, "str");
	ck_assert_int_eq(r.c.set[PGW_KW_user].source, PGW_FROM_STRING);
	ck_assert_str_eq(r.c.set[PGW_KW_host].value, "srv");
	ck_assert_int_eq(r.c.set[PGW_KW_host].source, PGW_FROM_SERVICE);
	ck_assert_str_eq(r.c.set[PGW_KW_port].value, "1");
	ck_assert_int_eq(r.c.set[PGW_KW_port].source, PGW_FROM_ENV);
	ck_assert_str_eq(r.c.set[PGW_KW_sslmode].value, "prefer");
	ck_assert_int_eq(r.c.set[PGW_KW_sslmode].source, PGW_FROM_PRESET);
	done(&r);
}

END_TEST

START_TEST(the_service_file_is_looked_for_where_libpq_looks)
{
	static const char *const dir[] = { "PGSYSCONFDIR", "/sys", NULL };
	static const char *const file[] = { "PGSERVICEFILE", "/f", NULL };

	const struct {
		const char *const *env;
		const char *path, *msg;
	} cases[] = {
		{ NULL, "/home/me/.pg_service.conf", NULL },
		{ dir, "/sys/pg_service.conf", NULL },
		{ NULL, "/etc/postgresql-common/pg_service.conf", NULL },
		{ file, "/f", NULL },
		{ file, "/sys/pg_service.conf",
		  "service file \"/f\" not "
		  "found" },
		{ NULL, "/f", "definition of service \"s\" not found" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake f = { .env = cases[i].env,
				  .home = "/home/me",
				  .path = cases[i].path,
				  .text = pgw_view_of("[s]\nhost=h\n") };
		struct read r;

		read_with(&r, "service=s", true, &f);
		ck_assert_int_eq(r.ok, cases[i].msg == NULL);
		if (r.ok)
			ck_assert_str_eq(r.c.set[PGW_KW_host].value, "h");
		else
			ck_assert_str_eq(r.err.msg, cases[i].msg);
		done(&r);
	}
}

END_TEST

START_TEST(a_line_of_a_service_file_has_at_most_1021_bytes)
{
	for (size_t n = 1021; n <= 1022; n++) {
		char text[1100] = "[s]\npassword=";
		struct fake f = { .home = "/h", .path = "/h/.pg_service.conf" };
		struct read r;

		memset(text + strlen(text), 'x', n - strlen("password="));
		strcat(text, "\n");
		f.text = pgw_view_of(text);
		read_with(&r, "service=s", true, &f);
		ck_assert_int_eq(r.ok, n == 1021);
		if (!r.ok)
			ck_assert_str_eq(r.err.msg,
					 "line 2 too long in service file "
					 "\"/h/.pg_service.conf\"");
		done(&r);
	}
}

END_TEST

START_TEST(a_keyword_can_be_set_and_taken_back)
{
	struct read r;

	read_text(&r, "host=a");
	ck_assert(pgw_conninfo_set(&r.c, PGW_KW_host, "b", &r.err));
	ck_assert_str_eq(printed(&r, true), "host='b' (inet)");
	ck_assert(pgw_conninfo_set(&r.c, PGW_KW_host, NULL, &r.err));
	ck_assert_str_eq(printed(&r, true), "(local)");
	done(&r);
}

END_TEST

UNIT_MAIN("conninfo", what_people_paste_is_repaired_with_one_notice,
	  what_cannot_be_meant_is_refused_with_a_hint,
	  no_error_shows_a_piece_of_a_password,
	  settings_of_the_server_are_kept_for_transactions,
	  a_pooler_that_the_string_tells_of_is_remembered,
	  unknown_keys_can_be_passed_over_but_not_those_of_security,
	  print_masks_secrets_and_what_may_be_a_piece_of_one,
	  a_string_that_fails_changes_nothing,
	  string_beats_service_beats_environment_beats_preset,
	  the_service_file_is_looked_for_where_libpq_looks,
	  a_line_of_a_service_file_has_at_most_1021_bytes,
	  a_keyword_can_be_set_and_taken_back)
