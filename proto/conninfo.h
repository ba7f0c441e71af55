/* SPDX-License-Identifier: MIT */
/*
 * Where the database is and who we are: libpq 18's connection strings, service
 * files, environment and password files, bit for bit, then a layer that
 * diagnoses what people really paste.  No environment and no files of its own:
 * both are given to it.  No error and no notice ever holds a secret.
 *
 *   raw:      pgw_conninfo_*   keyword -> text, and where it came from
 *   settled:  struct pgw_config   checked, typed, complete; never changes
 *             again, also for a second connection or a cancel request
 */
#ifndef PGW_CONNINFO_H
#define PGW_CONNINFO_H

#include "buf.h"
#include "err.h"

enum pgw_keyword {

#define KEYWORD(name, env, preset, care) PGW_KW_##name,
#include "keywords.def"
#undef KEYWORD
	PGW_KEYWORDS
};

/* Where a value came from, in libpq's order of precedence. */
enum pgw_source {
	PGW_FROM_NOWHERE,
	PGW_FROM_PRESET, /* compiled in */
	PGW_FROM_ENV,
	PGW_FROM_SERVICE, /* beats the environment, as in libpq */
	PGW_FROM_STRING,
};

struct pgw_setting {
	char *value; /* owned, NUL-terminated; NULL = not given */
	enum pgw_source source;
	const char *variable; /* PGW_FROM_ENV: its name */
};

struct pgw_conninfo {
	struct pgw_setting set[PGW_KEYWORDS];

	/* What they would be without the string: print leaves that out. */
	struct pgw_setting without[PGW_KEYWORDS];
	struct pgw_buf notices; /* one NUL-terminated text after the other */

	/*
	 * Settings of the server: name, value, name, ..., each NUL-terminated.
	 * The last of a name counts.  Names are ours, values valid UTF-8; they
	 * are for SET LOCAL, because poolers refuse them in a startup message.
	 */
	struct pgw_buf local;
	bool repair;  /* read what Node's drivers would have read; default on */
	bool lenient; /* ignore keys that nobody knows, with a notice */
	bool pooled;  /* the string says pgbouncer=true */
	bool uri; /* the string was one: a bad port may be half a password */

	/* The string, in errors; the caller's.  NULL: the connection string. */
	const char *name;
};

enum pgw_found {
	PGW_FOUND,
	PGW_FOUND_NOT, /* or not readable: libpq does not tell them apart */
	PGW_FOUND_TOO_LARGE, /* more than what text may hold */
	PGW_FOUND_NOMEM,
};

/* What parsing may ask of the outside.  Any of them may be NULL. */
struct pgw_outside {
	/* NULL when it is not set. */
	const char *(*env)(void *ctx, const char *name);

	/*
	 * Append a whole file to text.  *mode gets its permission bits and
	 * *regular whether it is a plain file; only then it is read.
	 */
	enum pgw_found (*file)(void *ctx, const char *path,
			       struct pgw_buf *text, unsigned *mode,
			       bool *regular);

	/* Name and home directory of who runs us; "" when unknown. */
	const char *(*os_user)(void *ctx);
	const char *(*home)(void *ctx);
	bool (*is_dir)(void *ctx, const char *path); /* to probe socket dirs */
	void *ctx;
};

void pgw_conninfo_init(struct pgw_conninfo *c);
void pgw_conninfo_release(struct pgw_conninfo *c); /* wipes */

/*
 * Read a URI or a keyword=value string.  What it names overrides what was set
 * before.  The settings are unchanged after a failure.
 */
bool pgw_conninfo_parse(struct pgw_conninfo *c, const char *text,
			struct pgw_err *err) PGW_MUST_CHECK;

/* Set one keyword as a string would; NULL takes it back. */
bool pgw_conninfo_set(struct pgw_conninfo *c, enum pgw_keyword keyword,
		      const char *value, struct pgw_err *err) PGW_MUST_CHECK;

/* Fill what the string left open: service file, environment, presets. */
bool pgw_conninfo_complete(struct pgw_conninfo *c, const struct pgw_outside *o,
			   struct pgw_err *err) PGW_MUST_CHECK;

/*
 * What libpq's own URI test prints: what the string said and would not be so
 * without it, in libpq's order, then (inet) or (local).  Passwords, and what
 * may be a piece of one, are *** unless secrets is true.  Call _complete
 * first: only then it is known what would be so anyway.
 */
void pgw_conninfo_print(const struct pgw_conninfo *c, bool secrets,
			struct pgw_buf *out);

/* ---- settled */

enum pgw_sslmode {
	PGW_SSL_DISABLE,
	PGW_SSL_ALLOW,
	PGW_SSL_PREFER,
	PGW_SSL_REQUIRE,
	PGW_SSL_VERIFY_CA,
	PGW_SSL_VERIFY_FULL,
};

const char *pgw_sslmode_name(enum pgw_sslmode mode);

/* require_auth, as a set */
enum {
	PGW_AUTH_NONE = 1,
	PGW_AUTH_PASSWORD = 2,
	PGW_AUTH_MD5 = 4,
	PGW_AUTH_GSS = 8,
	PGW_AUTH_SSPI = 16,
	PGW_AUTH_SCRAM = 32,
	PGW_AUTH_OAUTH = 64,
	PGW_AUTH_ANY = 127,
};

enum pgw_target {
	PGW_TARGET_ANY,
	PGW_TARGET_READ_WRITE,
	PGW_TARGET_READ_ONLY,
	PGW_TARGET_PRIMARY,
	PGW_TARGET_STANDBY,
	PGW_TARGET_PREFER_STANDBY,
};

enum pgw_channel_binding {
	PGW_BINDING_DISABLE,
	PGW_BINDING_PREFER,
	PGW_BINDING_REQUIRE,
};

enum pgw_certmode {
	PGW_CERT_DISABLE, /* never send a certificate */
	PGW_CERT_ALLOW,	  /* send it when the server asks and we have one */
	PGW_CERT_REQUIRE, /* fail unless the server asks for it */
};

/* What TLS needs to know.  No file is read before there is a handshake. */
struct pgw_tls_settings {
	/* NULL = none; those by default, in ~/.postgresql, need not exist. */
	char *root, *crl, *cert, *key;
	bool root_given, crl_given, cert_given, key_given;
	bool root_system; /* sslrootcert=system; root is NULL */

	/* For that: SSL_CERT_FILE and SSL_CERT_DIR; NULL = unset. */
	char *system_file, *system_dirs;
	char *crl_dir;	    /* NULL = none */
	char *key_password; /* NULL = none */
	char *key_log;	    /* sslkeylogfile; NULL = none */
	enum pgw_certmode certmode;
	uint16_t version_min; /* as on the wire: 0x0303 is TLS 1.2 */
	uint16_t version_max; /* 0 = any */
	bool sni;

	/*
	 * Others in this process use OpenSSL, too: whoever is first reads
	 * openssl.cnf for all, so it must be read.  Not set by settling.
	 */
	bool shared;
};

struct pgw_host {
	/*
	 * A name, an address, a socket directory, or @name.  Never NULL, but
	 * "" when only hostaddr was given.
	 */
	char *host;
	char *hostaddr; /* NULL unless it was given */
	char *password; /* NULL = none; from the string or the passfile */
	bool from_passfile;
	uint16_t port;
	bool local; /* a Unix socket */
};

struct pgw_config {
	struct pgw_host *hosts; /* at least one, in the order to try them */
	size_t nhosts;
	char *user;
	char *dbname;
	char *application_name; /* printable ASCII, at most 63 bytes */
	char *options;		/* NULL = none */
	char *datestyle, *timezone, *geqo; /* PGDATESTYLE ...; NULL = unset */
	char *passfile; /* where from_passfile passwords are; NULL = none */
	enum pgw_sslmode sslmode;
	bool sslmode_given; /* by the user, not by default */
	bool ssl_direct;    /* sslnegotiation=direct */
	enum pgw_channel_binding channel_binding;
	uint32_t protocol_min, protocol_max; /* as sent; see msg.h */
	unsigned require_auth;
	bool require_auth_given;
	enum pgw_target target;
	bool target_given;
	bool load_balance;
	uint32_t connect_timeout_ms; /* per address; 0 = for ever */
	bool keepalives;
	uint32_t keepalives_idle_s, keepalives_interval_s, keepalives_count;
	uint32_t tcp_user_timeout_ms; /* 0 = the system's */
	uint32_t max_iterations;      /* of SCRAM */
	char *requirepeer;	      /* NULL = anyone */
	struct pgw_tls_settings tls;
	struct pgw_buf notices;	 /* one NUL-terminated text after the other */
	struct pgw_conninfo raw; /* as they were given */
};

/*
 * Check every value and settle it, password file included.  Takes nothing
 * from c but copies.  Notices of c come first among the config's own.
 */
bool pgw_config_settle(struct pgw_config *cfg, const struct pgw_conninfo *c,
		       const struct pgw_outside *o,
		       struct pgw_err *err) PGW_MUST_CHECK;
void pgw_config_release(struct pgw_config *cfg); /* wipes */

#endif
