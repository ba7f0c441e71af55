/* SPDX-License-Identifier: MIT */
/*
 * What the server said in an ErrorResponse or a NoticeResponse.  Every field
 * may be missing; the text is the server's own and must be made harmless
 * before it is shown.
 */
#ifndef PGW_DIAG_H
#define PGW_DIAG_H

#include "buf.h"
#include "err.h"

#define PGW_DIAG_MAX (64u << 10) /* bytes kept of one error */

/* The letters of protocol.sgml, "Error and Notice Message Fields". */
enum pgw_diag_field {
	PGW_DIAG_SEVERITY_LOCAL = 'S',
	PGW_DIAG_SEVERITY = 'V', /* never translated; falls back to S */
	PGW_DIAG_SQLSTATE = 'C',
	PGW_DIAG_MESSAGE = 'M',
	PGW_DIAG_DETAIL = 'D',
	PGW_DIAG_HINT = 'H',
	PGW_DIAG_POSITION = 'P', /* characters of the query, from 1 */
	PGW_DIAG_INTERNAL_POSITION = 'p',
	PGW_DIAG_INTERNAL_QUERY = 'q',
	PGW_DIAG_WHERE = 'W',
	PGW_DIAG_SCHEMA = 's',
	PGW_DIAG_TABLE = 't',
	PGW_DIAG_COLUMN = 'c',
	PGW_DIAG_DATATYPE = 'd',
	PGW_DIAG_CONSTRAINT = 'n',
};

struct pgw_diag {
	struct pgw_view fields; /* letter, text, NUL; again and again */
};

/* The text of a field, or NULL. */
const char *pgw_diag_get(const struct pgw_diag *d, enum pgw_diag_field field);

/* A field that is a number from 1; 0 when it is missing or is not one. */
size_t pgw_diag_number(const struct pgw_diag *d, enum pgw_diag_field field);

bool pgw_diag_is_fatal(const struct pgw_diag *d); /* the connection is gone */

/* The SQLSTATE when it has its five characters, else "". */
const char *pgw_diag_sqlstate(const struct pgw_diag *d);

/* Fill err with severity, message and SQLSTATE. */
void pgw_diag_to_err(const struct pgw_diag *d, struct pgw_err *err);

#endif
