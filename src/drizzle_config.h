/* SPDX-License-Identifier: MIT */
/*
 * drizzle.config.*: what can be said for certain without running it.  Literals
 * are, and process.env.NAME, with a literal behind ?? or || if need be, and
 * constants of these.  Everything else is remembered as unclear, and is an
 * error only when it is needed.  Nothing is ever guessed.
 */
#ifndef MZ_DRIZZLE_CONFIG_H
#define MZ_DRIZZLE_CONFIG_H

#include "arena.h"
#include "error.h"

/* SCOPE(name, key): the objects that are looked into; the first is the root. */
#define MZ_CONFIG_SCOPES(SCOPE)             \
	SCOPE(ROOT, "")                     \
	SCOPE(MIGRATIONS, "migrations")     \
	SCOPE(CREDENTIALS, "dbCredentials") \
	SCOPE(SSL_OBJECT, "ssl")

/* FIELD(name, scope, key, option): option is what to pass instead. */
#define MZ_CONFIG_FIELDS(FIELD)                                           \
	FIELD(DIALECT, ROOT, "dialect", "--dir and --url")                \
	FIELD(DRIVER, ROOT, "driver", "--url")                            \
	FIELD(OUT, ROOT, "out", "--dir")                                  \
	FIELD(SCHEMA, MIGRATIONS, "schema", "--schema")                   \
	FIELD(TABLE, MIGRATIONS, "table", "--table")                      \
	FIELD(PREFIX, MIGRATIONS, "prefix", "--layout")                   \
	FIELD(URL, CREDENTIALS, "url", "--url or DATABASE_URL")           \
	FIELD(HOST, CREDENTIALS, "host", "--url or DATABASE_URL")         \
	FIELD(PORT, CREDENTIALS, "port", "--url or DATABASE_URL")         \
	FIELD(USER, CREDENTIALS, "user", "--url or DATABASE_URL")         \
	FIELD(PASSWORD, CREDENTIALS, "password", "--url or DATABASE_URL") \
	FIELD(DATABASE, CREDENTIALS, "database", "--url or DATABASE_URL") \
	FIELD(SSL, CREDENTIALS, "ssl", "--url or DATABASE_URL")           \
	FIELD(REJECT, SSL_OBJECT, "rejectUnauthorized", "--url or DATABASE_URL")

enum mz_config_scope {

#define SCOPE(name, key) MZ_CONFIG_##name,
	MZ_CONFIG_SCOPES(SCOPE)
#undef SCOPE
		MZ_CONFIG_SCOPE_COUNT
};

enum mz_config_field {

#define FIELD(name, scope, key, option) MZ_CONFIG_##name,
	MZ_CONFIG_FIELDS(FIELD)
#undef FIELD
		MZ_CONFIG_FIELD_COUNT
};

enum mz_config_kind {
	MZ_CONFIG_ABSENT,
	MZ_CONFIG_LITERAL,  /* text */
	MZ_CONFIG_VARIABLE, /* variable, else text unless that is NULL */
	MZ_CONFIG_UNCLEAR,  /* source */
};

struct mz_config_value {
	enum mz_config_kind kind;
	const char *text; /* also numbers, true and false; may be secret */
	const char *variable;
	bool empty_counts;  /* ??, not ||: an empty variable is a value */
	const char *source; /* what stands there, without texts and numbers */
	size_t line, column;
};

struct mz_drizzle_config {
	const char *path;
	struct mz_arena *arena;
	struct mz_config_value values[MZ_CONFIG_FIELD_COUNT];
	bool has_ssl_object;
};

/* Looks up a variable; NULL when it is not set. */
struct mz_config_env {
	const char *(*get)(void *ctx, const char *name);
	void *ctx;
};

/* Read it from text; path is for messages.  What is unclear stays so. */
void mz_drizzle_config_parse(struct mz_drizzle_config *c, struct mz_arena *a,
			     const char *path, struct pgw_view text);

/* The same from a file. */
bool mz_drizzle_config_load(struct mz_drizzle_config *c, struct mz_arena *a,
			    const char *path,
			    struct mz_err *err) PGW_MUST_CHECK;

/* The name of the configuration in the working directory, or NULL. */
const char *mz_drizzle_config_find(void);

/*
 * The value of a field, NULL when it is absent.  Fails when it is unclear,
 * when its variable is not set, and when the configuration is for another
 * kind of database.
 */
bool mz_drizzle_config_get(const struct mz_drizzle_config *c,
			   enum mz_config_field field,
			   const struct mz_config_env *env, const char **value,
			   struct mz_err *err) PGW_MUST_CHECK;

/*
 * dbCredentials as a connection string, a secret; NULL when there are none.
 * TLS is what drizzle-kit makes of ssl: "require" and its like do not verify,
 * true and "verify-full" do, with the system's certificates.
 */
bool mz_drizzle_config_conninfo(const struct mz_drizzle_config *c,
				const struct mz_config_env *env,
				const char **string,
				struct mz_err *err) PGW_MUST_CHECK;

#endif
