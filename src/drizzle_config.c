/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "drizzle_config.h"

#include "file.h"

#include <string.h>
#include <unistd.h>

#define CONFIG_MAX ((size_t)1 << 20)

static const struct {
	const char *prefix, *key, *option;
} fields[] = {

#define PREFIX_ROOT ""
#define PREFIX_MIGRATIONS "migrations."
#define PREFIX_CREDENTIALS "dbCredentials."
#define PREFIX_SSL_OBJECT "dbCredentials.ssl."
#define FIELD(name, scope, key, option) { PREFIX_##scope, key, option },
	MZ_CONFIG_FIELDS(FIELD)
#undef FIELD
};

const char *mz_drizzle_config_find(void)
{
	static const char *const names[] = {
		"drizzle.config.json", "drizzle.config.ts",
		"drizzle.config.js",   "drizzle.config.mjs",
		"drizzle.config.mts",  "drizzle.config.cjs",
		"drizzle.config.cts",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (access(names[i], F_OK) == 0)
			return names[i];
	}
	return NULL;
}

bool mz_drizzle_config_load(struct mz_drizzle_config *c, struct mz_arena *a,
			    const char *path, struct mz_err *err)
{
	struct pgw_buf text;
	struct mz_file f;
	bool ok;

	pgw_buf_init(&text, CONFIG_MAX);
	ok = mz_file_read(&f, path, &text);
	if (ok)
		mz_drizzle_config_parse(c, a, path, pgw_buf_view(&text));
	else
		mz_file_fail(&f, err);
	pgw_buf_release(&text);
	return ok;
}

/* ---- values */

static bool is_unclear(const struct mz_drizzle_config *c,
		       enum mz_config_field field, struct mz_err *err)
{
	const struct mz_config_value *v = &c->values[field];

	mz_fail(err, MZ_usage,
		"%s: %s%s is not known without running the file: %s", c->path,
		fields[field].prefix, fields[field].key,
		v->source[0] ? v->source : "no configuration was found in it");
	mz_hint(err, "write a literal or process.env.NAME there, or use %s",
		fields[field].option);
	return mz_at(err, c->path, v->line, v->column);
}

static bool not_set(const struct mz_drizzle_config *c,
		    enum mz_config_field field, struct mz_err *err)
{
	const struct mz_config_value *v = &c->values[field];

	mz_fail(err, MZ_usage,
		"%s: %s%s is process.env.%s, which is not set or empty",
		c->path, fields[field].prefix, fields[field].key, v->variable);
	mz_hint(err,
		"set %s, name the file that sets it with --env-file, or "
		"use %s",
		v->variable, fields[field].option);
	return mz_at(err, c->path, v->line, v->column);
}

static bool resolve(const struct mz_drizzle_config *c,
		    enum mz_config_field field, const struct mz_config_env *env,
		    const char **value, struct mz_err *err)
{
	const struct mz_config_value *v = &c->values[field];
	const char *set;

	*value = NULL;
	switch (v->kind) {
	case MZ_CONFIG_ABSENT:
		break;
	case MZ_CONFIG_LITERAL:
		*value = v->text;
		break;
	case MZ_CONFIG_UNCLEAR:
		return is_unclear(c, field, err);
	case MZ_CONFIG_VARIABLE:
		set = env->get(env->ctx, v->variable);
		if (set && !set[0] && v->text && !v->empty_counts)
			set = NULL;
		*value = set ? set : v->text;
		return (*value && **value) || not_set(c, field, err);
	}
	return true;
}

/* Where the dialect is not plain it is not looked at: it was optional. */
static bool check_dialect(const struct mz_drizzle_config *c, struct mz_err *err)
{
	const struct mz_config_value *v = &c->values[MZ_CONFIG_DIALECT];

	if (v->kind != MZ_CONFIG_LITERAL ||
	    strcmp(v->text, "postgresql") == 0 || strcmp(v->text, "pg") == 0)
		return true;
	mz_fail(err, MZ_usage, "%s: the dialect is %s, not postgresql", c->path,
		v->text);
	mz_hint(err, "name the configuration for PostgreSQL with --config");
	return mz_at(err, c->path, v->line, v->column);
}

bool mz_drizzle_config_get(const struct mz_drizzle_config *c,
			   enum mz_config_field field,
			   const struct mz_config_env *env, const char **value,
			   struct mz_err *err)
{
	*value = NULL;
	return check_dialect(c, err) && resolve(c, field, env, value, err);
}

/* ---- connection */

/* keyword = 'value', as connection strings quote. */
static const char *add(struct mz_arena *a, const char *string,
		       const char *keyword, const char *value)
{
	char *quoted = mz_alloc_array(a, strlen(value) + 1, 2);
	size_t n = 0;

	for (; *value; value++) {
		if (*value == '\'' || *value == '\\')
			quoted[n++] = '\\';
		quoted[n++] = *value;
	}
	return mz_printf(a, "%s%s%s='%s'", string, string[0] ? " " : "",
			 keyword, quoted);
}

static bool bad_ssl(const struct mz_drizzle_config *c, const char *value,
		    struct mz_err *err)
{
	const struct mz_config_value *v = &c->values[MZ_CONFIG_SSL];

	mz_fail(err, MZ_usage,
		"%s: dbCredentials.ssl is %s, which says nothing", c->path,
		value);
	mz_hint(err, "it is true, false, \"require\", \"allow\", \"prefer\" or "
		     "\"verify-full\"");
	return mz_at(err, c->path, v->line, v->column);
}

#define VERIFY "sslmode=verify-full sslrootcert=system"

static bool add_ssl(const struct mz_drizzle_config *c,
		    const struct mz_config_env *env, const char **string,
		    struct mz_err *err)
{
	static const struct {
		const char *value, *settings;
	} modes[] = {
		{ "true", VERIFY },
		{ "false", "sslmode=disable" },
		{ "require", "sslmode=require" },
		{ "allow", "sslmode=require" },
		{ "prefer", "sslmode=require" },
		{ "verify-full", VERIFY },
	};

	const char *value, *reject;

	if (!resolve(c, MZ_CONFIG_SSL, env, &value, err) ||
	    !resolve(c, MZ_CONFIG_REJECT, env, &reject, err))
		return false;
	if (c->has_ssl_object)
		value = reject && strcmp(reject, "false") == 0 ? "require" :
								 "true";
	if (!value)
		return true;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(value, modes[i].value) != 0)
			continue;
		*string = mz_printf(c->arena, "%s %s", *string,
				    modes[i].settings);
		return true;
	}
	return bad_ssl(c, value, err);
}

static bool build(const struct mz_drizzle_config *c,
		  const struct mz_config_env *env, const char **string,
		  struct mz_err *err)
{
	static const struct {
		enum mz_config_field field;
		const char *keyword;
	} rows[] = {
		{ MZ_CONFIG_HOST, "host" },
		{ MZ_CONFIG_PORT, "port" },
		{ MZ_CONFIG_USER, "user" },
		{ MZ_CONFIG_PASSWORD, "password" },
		{ MZ_CONFIG_DATABASE, "dbname" },
	};

	const char *value;

	*string = "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!resolve(c, rows[i].field, env, &value, err))
			return false;
		if (value)
			*string = add(c->arena, *string, rows[i].keyword,
				      value);
	}
	if ((*string)[0])
		return add_ssl(c, env, string, err);
	*string = NULL;
	return true;
}

/* Drivers without a server that one could connect to. */
static bool check_driver(const struct mz_drizzle_config *c, struct mz_err *err)
{
	const struct mz_config_value *v = &c->values[MZ_CONFIG_DRIVER];

	if (v->kind != MZ_CONFIG_LITERAL ||
	    (strcmp(v->text, "pglite") != 0 &&
	     strcmp(v->text, "aws-data-api") != 0))
		return true;
	mz_fail(err, MZ_usage,
		"%s: with the driver %s there is no server to connect to",
		c->path, v->text);
	mz_hint(err, "say where the server is with --url or DATABASE_URL");
	return mz_at(err, c->path, v->line, v->column);
}

bool mz_drizzle_config_conninfo(const struct mz_drizzle_config *c,
				const struct mz_config_env *env,
				const char **string, struct mz_err *err)
{
	*string = NULL;
	if (!check_dialect(c, err) || !check_driver(c, err) ||
	    !resolve(c, MZ_CONFIG_URL, env, string, err))
		return false;
	return *string || build(c, env, string, err);
}
