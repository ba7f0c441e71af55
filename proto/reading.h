/* SPDX-License-Identifier: MIT */
/*
 * What the readers of connection strings, service files and password files
 * share.  Texts are NUL-terminated, owned, and wiped before they are freed.
 */
#ifndef PGW_READING_H
#define PGW_READING_H

#include "conninfo.h"

enum pgw_care {
	PGW_CARE_SECRET = 1,
	PGW_CARE_REFUSED = 2,
};

struct pgw_keyword_row {
	const char *name, *env, *preset;
	unsigned care; /* a set of PGW_CARE_* */
};

/* Indexed by enum pgw_keyword. */
extern const struct pgw_keyword_row pgw_keyword_rows[PGW_KEYWORDS];

/* PGW_KEYWORDS when there is no such keyword. */
enum pgw_keyword pgw_keyword_of(struct pgw_view name);

/* ---- texts */

char *pgw_text(struct pgw_view v); /* NULL: out of memory */
void pgw_text_free(char *text);	   /* wipes; NULL is fine */
bool pgw_text_set(char **to, struct pgw_view v, struct pgw_err *err);
bool pgw_nomem(struct pgw_err *err);

bool pgw_is_blank(char c); /* as isspace in the C locale */
bool pgw_is_one_of(char c, const char *set);
bool pgw_same_name(const char *a, const char *b); /* but for ASCII case */

/* The next element of a list between commas; false after the last one. */
struct pgw_list {
	const char *at; /* NULL after the last element */
};

bool pgw_list_next(struct pgw_list *l, struct pgw_view *item);
size_t pgw_list_count(const char *list);

/* The next line of text, without its line feed; false at the end. */
bool pgw_line_next(struct pgw_view *text, struct pgw_view *line);

void pgw_notice(struct pgw_buf *notices, const char *fmt, ...) PGW_PRINTF(2, 3);

void pgw_settings_release(struct pgw_setting set[PGW_KEYWORDS]);

/* ---- reading a string */

struct pgw_reading {
	struct pgw_setting set[PGW_KEYWORDS]; /* what the string said */
	struct pgw_buf notices;
	struct pgw_buf ignored; /* "name, name": keys of other programs */
	struct pgw_buf unknown; /* the same of keys that nobody knows */
	struct pgw_buf local;	/* as in struct pgw_conninfo */
	bool repair, lenient, pooled;
	bool uri;
	bool quiet; /* what is read may hold a secret: errors quote nothing */
};

/*
 * Take a key and its value.  On
 * failure err is filled; what says how the kind of string calls a key.
 */
bool pgw_reading_store(struct pgw_reading *r, const char *what,
		       struct pgw_view key, struct pgw_view value,
		       struct pgw_err *err);

/* Zero unless text begins with postgres:// or postgresql://. */
size_t pgw_uri_prefix(const char *text);

/* libpq's reading of where the user's part ends: an @, or NULL. */
const char *pgw_uri_userinfo_end(const char *text);

/* at is the @ that ends the user's part; NULL when there is none. */
bool pgw_uri_read(struct pgw_reading *r, const char *text, const char *at,
		  struct pgw_err *err);
bool pgw_keyval_read(struct pgw_reading *r, const char *text,
		     struct pgw_err *err);

/* ---- diagnosis */

/*
 * What was really meant: without the blanks and quotes around it.  The result
 * is a part of text.
 */
struct pgw_view pgw_diagnose_trim(struct pgw_reading *r, const char *text);

/* The @ that ends the user's part, or an error that says what to encode. */
bool pgw_diagnose_uri(struct pgw_reading *r, const char *text, const char **at,
		      struct pgw_err *err);

/* Say what to do about a string that was to be a URI, and is none. */
void pgw_diagnose_scheme(const char *text, struct pgw_err *err);

/*
 * Take a key that libpq does not know, whatever there is to do with it: ignore
 * it, obey it, or refuse it.
 */
bool pgw_foreign_store(struct pgw_reading *r, const char *what,
		       struct pgw_view key, struct pgw_view value,
		       struct pgw_err *err);

/* ---- files */

/* Fill what set leaves open from the section of that name. */
bool pgw_service_fill(struct pgw_setting set[PGW_KEYWORDS], const char *name,
		      const struct pgw_outside *o, struct pgw_err *err);

struct pgw_passfile {
	const char *path;
	struct pgw_buf text; /* empty when there is none to be trusted */
};

/* Read it once; a file that others may read is left alone, with a notice. */
bool pgw_passfile_read(struct pgw_passfile *f, const struct pgw_outside *o,
		       struct pgw_buf *notices, struct pgw_err *err);
void pgw_passfile_release(struct pgw_passfile *f);

/* host, port, database, user, as they are matched. */
enum { PGW_PASSFILE_FIELDS = 4 };

/* *password stays NULL when no line fits. */
bool pgw_passfile_find(const struct pgw_passfile *f,
		       const char *const wanted[PGW_PASSFILE_FIELDS],
		       char **password, struct pgw_err *err);

/* ---- settling */

bool pgw_settle_hosts(struct pgw_config *cfg, const struct pgw_outside *o,
		      struct pgw_err *err);
bool pgw_settle_values(struct pgw_config *cfg, struct pgw_err *err);
bool pgw_settle_tls(struct pgw_config *cfg, const struct pgw_outside *o,
		    struct pgw_err *err);
void pgw_tls_settings_release(struct pgw_tls_settings *t); /* wipes */
bool pgw_settle_numbers(struct pgw_config *cfg, struct pgw_err *err);
bool pgw_settle_require_auth(struct pgw_config *cfg, struct pgw_err *err);

/*
 * Say in the hint where the value of k came from, and what it may be; or where
 * two values came from that do not go together.  Return false.
 */
bool pgw_blame(const struct pgw_config *cfg, enum pgw_keyword k,
	       const char *may_be, struct pgw_err *err);
bool pgw_blame_both(const struct pgw_config *cfg, enum pgw_keyword a,
		    enum pgw_keyword b, struct pgw_err *err);

/* The value, NULL when it is empty. */
const char *pgw_given(const struct pgw_config *cfg, enum pgw_keyword k);

/* The index of the value among names, which end in NULL; 0 when unset. */
bool pgw_choose(const struct pgw_config *cfg, enum pgw_keyword k,
		const char *const *names, unsigned *index, struct pgw_err *err);

/* An integer as libpq reads it: blanks around it, a sign, an int's range. */
bool pgw_settle_int(const char *text, int32_t *value);

#endif
