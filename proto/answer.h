/* SPDX-License-Identifier: MIT */
/* What the server answers, as the user of a connection sees it. */
#ifndef PGW_ANSWER_H
#define PGW_ANSWER_H

#include "diag.h"

/* What became of one Query message. */
struct pgw_outcome {
	bool ok;
	char txn;	      /* 'I' idle, 'T' in a transaction, 'E' failed */
	const char *tag;      /* of its last command; "" when there was none */
	struct pgw_diag diag; /* the first error; empty when ok */
};

struct pgw_row {
	uint16_t ncols;
	struct pgw_view cols; /* for pgw_column_next */
};

/* Iterate over the columns of a row; p is NULL for a null value. */
bool pgw_column_next(struct pgw_view *cols, struct pgw_view *value);

/* The columns of a result whose rows follow, for pgw_field_next. */
struct pgw_columns {
	uint16_t n;
	struct pgw_view fields;
};

struct pgw_field {
	const char *name;
	uint32_t type; /* its OID */
};

/* Iterate over the columns of a result; false at the end. */
bool pgw_field_next(struct pgw_view *fields, struct pgw_field *field);

/* Any of these may be NULL.  What they are given is valid during the call. */
struct pgw_hooks {
	void (*row)(void *ctx, const struct pgw_row *row);
	void (*columns)(void *ctx, const struct pgw_columns *columns);
	void (*copy)(void *ctx, struct pgw_view data); /* of COPY TO STDOUT */
	void (*done)(void *ctx, const struct pgw_outcome *outcome);
	void (*notice)(void *ctx, const struct pgw_diag *diag);
	void (*warning)(void *ctx, const char *text); /* from us, not from it */
	void (*trace)(void *ctx, const char *line);   /* one message, masked */
	void *ctx;
};

/* What is worth knowing of the server's parameters; "" = not reported. */
struct pgw_server {
	char version[64];   /* server_version */
	char encoding[32];  /* client_encoding */
	char conforming[8]; /* standard_conforming_strings */
};

#endif
