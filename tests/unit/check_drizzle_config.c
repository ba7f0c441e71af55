/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "drizzle_config.h"
#include "unit.h"

#include <string.h>

#define D(members) "export default defineConfig({" members "})"
#define URL(value) D("dbCredentials: { url: " value " }")

static const char *get(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "SET") == 0)
		return "value";
	return strcmp(name, "EMPTY") == 0 ? "" : NULL;
}

static const struct mz_config_env env = { .get = get };

static const struct {
	const char *text;
	enum mz_config_field field;
	const char *value; /* NULL: absent; "!part": an error with this part */
} cases[] = {
	/* where the object is */
	{ "{\"out\":\"./m\\u0069g\"}", MZ_CONFIG_OUT, "./mig" },
	{ "\xef\xbb\xbf{ \"out\": \"mig\" }", MZ_CONFIG_OUT, "mig" },
	{ D("out: './mig'"), MZ_CONFIG_OUT, "./mig" },
	{ "export default { out: `mig` } satisfies Config;", MZ_CONFIG_OUT,
	  "mig" },
	{ "export default ({ out: 'mig' }) as Config", MZ_CONFIG_OUT, "mig" },
	{ "module.exports = { out: 'mig' };", MZ_CONFIG_OUT, "mig" },
	{ "module.exports = defineConfig({ out: 'mig' });", MZ_CONFIG_OUT,
	  "mig" },
	{ "exports.default = { out: 'mig' };", MZ_CONFIG_OUT, "mig" },
	{ "const config: Config = { out: 'mig' }\nexport default config",
	  MZ_CONFIG_OUT, "mig" },
	{ "export const config = defineConfig({ out: 'mig' });\n"
	  "export default config;",
	  MZ_CONFIG_OUT, "mig" },
	{ "const c = { out: 'mig' };\nexport default defineConfig(c);",
	  MZ_CONFIG_OUT, "mig" },
	{ "import 'dotenv/config';\nimport { defineConfig } from "
	  "'drizzle-kit';\n\nif (!process.env.X) throw new Error(`no "
	  "${'{'}`);\n" D("out: 'mig'"),
	  MZ_CONFIG_OUT, "mig" },
	{ "// export default { out: 'no' }\n/* { */ const r = /[/'\"]{/g;\n" D(
		  "out: 'mig'"),
	  MZ_CONFIG_OUT, "mig" },
	{ "import config from './other';\nexport default config;",
	  MZ_CONFIG_OUT, "!without running the file: config" },
	{ "export default await load();", MZ_CONFIG_OUT, "!await load()" },
	{ "", MZ_CONFIG_OUT, "!no configuration was found" },
	{ "let config = {};", MZ_CONFIG_OUT, "!no configuration was found" },
	{ "let config = { out: 'a' };\nexport default config;", MZ_CONFIG_OUT,
	  "!config" },
	{ "const a = b; const b = a; export default a;", MZ_CONFIG_OUT, "!a" },

	/* members */
	{ D(""), MZ_CONFIG_OUT, NULL },
	{ D("schema: './s.ts'"), MZ_CONFIG_SCHEMA, NULL },
	{ D("'out': 'mig', out2: 'x',"), MZ_CONFIG_OUT, "mig" },
	{ D("out: 'a', out: 'b'"), MZ_CONFIG_OUT, "b" },
	{ D("tablesFilter: ['!a', \"}\"], f() { return '}' }, g: (a, b) => { "
	    "a, b }, out: 'mig'"),
	  MZ_CONFIG_OUT, "mig" },
	{ D("migrations: { schema: 's', table: 't', prefix: 'index' }"),
	  MZ_CONFIG_SCHEMA, "s" },
	{ D("migrations: { table: 't' }"), MZ_CONFIG_TABLE, "t" },
	{ D("migrations: { table: 't' }"), MZ_CONFIG_SCHEMA, NULL },
	{ D("migrations: undefined"), MZ_CONFIG_SCHEMA, NULL },
	{ D("migrations: options"), MZ_CONFIG_SCHEMA, "!options" },
	{ D("migrations") ";\nconst migrations = { schema: 's' };",
	  MZ_CONFIG_SCHEMA, "s" },
	{ D("...base, out: 'mig'"), MZ_CONFIG_OUT, "mig" },
	{ D("out: 'mig', ...base"), MZ_CONFIG_OUT, "!...base" },
	{ D("...base"), MZ_CONFIG_SCHEMA, "!...base" },
	{ D("migrations: { ...base }"), MZ_CONFIG_TABLE, "!...base" },
	{ D("[key]: 'x'"), MZ_CONFIG_OUT, "![key]" },
	{ D("out() { return 'a' }"), MZ_CONFIG_OUT, "!out" },
	{ "export default { out: 'mig'", MZ_CONFIG_OUT, "!" },
	{ "export default { out: 'mig", MZ_CONFIG_OUT, "!" },

	/* values */
	{ "const dir = './mig';\n" D("out: dir"), MZ_CONFIG_OUT, "./mig" },
	{ "const out = './mig'\n" D("out"), MZ_CONFIG_OUT, "./mig" },
	{ D("out: './mig' as const"), MZ_CONFIG_OUT, "./mig" },
	{ D("out: 'a' + 'b'"), MZ_CONFIG_OUT, "!\"...\" + \"...\"" },
	{ D("out: x ? 'a' : 'b'"), MZ_CONFIG_OUT, "!x ?" },
	{ D("out: `a/${x}`"), MZ_CONFIG_OUT, "!\"...\"" },
	{ D("out: `a/${`b${{}}`}`, out: 'c'"), MZ_CONFIG_OUT, "c" },
	{ D("out: join('a', 'b')"), MZ_CONFIG_OUT, "!join(\"...\"" },
	{ D("out: 'a'.trim()"), MZ_CONFIG_OUT, "!" },
	{ D("out: 'it\\'s \\x41\\u{1F600}\\ud83d\\ude00\\\nb'"), MZ_CONFIG_OUT,
	  "it's A\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
	  "b" },
	{ D("out: 'a\\0b'"), MZ_CONFIG_OUT, "!" },
	{ D("out: '\\ud800'"), MZ_CONFIG_OUT, "!" },

	/* the environment */
	{ URL("process.env.SET"), MZ_CONFIG_URL, "value" },
	{ URL("process.env.SET!"), MZ_CONFIG_URL, "value" },
	{ URL("process.env['SET']"), MZ_CONFIG_URL, "value" },
	{ URL("process.env.SET as string"), MZ_CONFIG_URL, "value" },
	{ URL("process.env.SET ?? 'x'"), MZ_CONFIG_URL, "value" },
	{ URL("process.env.NOT ?? 'x'"), MZ_CONFIG_URL, "x" },
	{ URL("process.env.NOT || \"x\""), MZ_CONFIG_URL, "x" },
	{ URL("process.env.EMPTY || 'x'"), MZ_CONFIG_URL, "x" },
	{ URL("process.env.EMPTY ?? 'x'"), MZ_CONFIG_URL, "!EMPTY" },
	{ URL("process.env.NOT || ''"), MZ_CONFIG_URL,
	  "!process.env.NOT, which is not set" },
	{ URL("process.env.NOT!"), MZ_CONFIG_URL,
	  "!process.env.NOT, which is not set" },
	{ "const url = process.env.SET!;\n" URL("url"), MZ_CONFIG_URL,
	  "value" },
	{ URL("process.env.NOT || process.env.SET"), MZ_CONFIG_URL,
	  "!process.env.NOT || process.env.SET" },
	{ URL("process.env.SET + '?x'"), MZ_CONFIG_URL, "!process.env.SET +" },
	{ URL("process.env[name]"), MZ_CONFIG_URL, "!process.env[name]" },
	{ URL("env.DATABASE_URL"), MZ_CONFIG_URL, "!env.DATABASE_URL" },
	{ URL("`postgres://u:secret@${h}/d`"), MZ_CONFIG_URL, "!\"...\"" },

	/* other databases */
	{ D("dialect: 'postgresql', out: 'm'"), MZ_CONFIG_OUT, "m" },
	{ D("dialect: 'mysql', out: 'm'"), MZ_CONFIG_OUT,
	  "!the dialect is mysql" },
};

START_TEST(values_are_certain_or_an_error)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].value, *value;
		struct mz_drizzle_config c;
		struct mz_arena arena;
		struct mz_err err = { 0 };
		bool ok;

		mz_arena_init(&arena);
		mz_drizzle_config_parse(&c, &arena, "drizzle.config.ts",
					pgw_view_of(cases[i].text));
		ok = mz_drizzle_config_get(&c, cases[i].field, &env, &value,
					   &err);
		if (want && want[0] == '!') {
			ck_assert_msg(!ok, "case %zu: %s", i, value);
			ck_assert_msg(strstr(err.msg, want + 1) != NULL,
				      "case %zu: %s", i, err.msg);
			ck_assert_msg(!strstr(err.msg, "secret"), "case %zu",
				      i);
			ck_assert(err.status == MZ_usage && err.hint[0]);
			ck_assert_uint_ge(err.place.line, 1);
		} else {
			ck_assert_msg(ok, "case %zu: %s", i, err.msg);
			ck_assert_msg(!want == !value &&
					      (!want || !strcmp(want, value)),
				      "case %zu: %s", i, value);
		}
		mz_arena_release(&arena);
	}
}

END_TEST

static const struct {
	const char *credentials; /* and more of the root */
	const char *string;	 /* as above */
} connections[] = {
	{ "", NULL },
	{ "dbCredentials: { url: 'postgres://h/d' }", "postgres://h/d" },
	{ "dbCredentials: { url: 'postgres://h/d', ssl: f() }",
	  "postgres://h/d" },
	{ "dbCredentials: { host: 'h', database: 'd' }",
	  "host='h' dbname='d'" },
	{ "dbCredentials: { host: 'h', port: 5433, user: \"it's\", "
	  "password: 'a\\\\b', database: 'd', ssl: false }",
	  "host='h' port='5433' user='it\\'s' password='a\\\\b' dbname='d' "
	  "sslmode=disable" },
	{ "dbCredentials: { host: process.env.SET!, ssl: 'prefer' }",
	  "host='value' sslmode=require" },
	{ "dbCredentials: { host: 'h', ssl: true }",
	  "host='h' sslmode=verify-full sslrootcert=system" },
	{ "dbCredentials: { host: 'h', ssl: 'verify-full' }",
	  "host='h' sslmode=verify-full sslrootcert=system" },
	{ "dbCredentials: { host: 'h', ssl: { rejectUnauthorized: false } }",
	  "host='h' sslmode=require" },
	{ "dbCredentials: { host: 'h', ssl: {} }",
	  "host='h' sslmode=verify-full sslrootcert=system" },
	{ "dbCredentials: { host: 'h', ssl: { ca: read('x') } }",
	  "!dbCredentials.ssl" },
	{ "dbCredentials: { host: 'h', ssl: 'maybe' }", "!which says nothing" },
	{ "dbCredentials: { host: 'h', port: Number(x) }",
	  "!dbCredentials.port" },
	{ "dbCredentials: credentials()", "!credentials" },
	{ "driver: 'pglite', dbCredentials: { url: './data' }", "!pglite" },
	{ "dialect: 'sqlite', dbCredentials: { url: './data' }", "!sqlite" },
};

START_TEST(credentials_become_a_connection_string)
{
	for (size_t i = 0; i < sizeof(connections) / sizeof(connections[0]);
	     i++) {
		const char *want = connections[i].string, *value;
		struct mz_drizzle_config c;
		struct mz_arena arena;
		struct mz_err err = { 0 };
		bool ok;

		mz_arena_init(&arena);
		mz_drizzle_config_parse(
			&c, &arena, "drizzle.config.ts",
			pgw_view_of(mz_printf(&arena, "export default {%s}",
					      connections[i].credentials)));
		ok = mz_drizzle_config_conninfo(&c, &env, &value, &err);
		if (want && want[0] == '!') {
			ck_assert_msg(!ok, "case %zu: %s", i, value);
			ck_assert_msg(strstr(err.msg, want + 1) != NULL,
				      "case %zu: %s", i, err.msg);
		} else {
			ck_assert_msg(ok, "case %zu: %s", i, err.msg);
			ck_assert_msg(!want == !value &&
					      (!want || !strcmp(want, value)),
				      "case %zu: %s", i, value);
		}
		mz_arena_release(&arena);
	}
}

END_TEST

START_TEST(an_unclear_value_is_shown_where_it_stands)
{
	struct mz_drizzle_config c;
	struct mz_arena arena;
	struct mz_err err;
	const char *value;

	mz_arena_init(&arena);
	mz_drizzle_config_parse(&c, &arena, "x.ts",
				pgw_view_of("export default {\n  out: "
					    "dir(a, [b])\n}"));
	ck_assert(
		!mz_drizzle_config_get(&c, MZ_CONFIG_OUT, &env, &value, &err));
	ck_assert_str_eq(err.msg, "x.ts: out is not known without running the "
				  "file: dir(a, [b])");
	ck_assert_str_eq(err.place.file, "x.ts");
	ck_assert_uint_eq(err.place.line, 2);
	ck_assert_uint_eq(err.place.column, 8);
	ck_assert(strstr(err.hint, "--dir") != NULL);
	ck_assert(!mz_drizzle_config_load(&c, &arena, "/nowhere/x.ts", &err));
	mz_arena_release(&arena);
}

END_TEST

UNIT_MAIN("drizzle_config", values_are_certain_or_an_error,
	  credentials_become_a_connection_string,
	  an_unclear_value_is_shown_where_it_stands)
