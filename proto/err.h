/* SPDX-License-Identifier: MIT */
/*
 * Errors.  A function that can fail returns bool and takes a struct pgw_err
 * last.  The struct is filled where the failure is known and read where it is
 * shown; nothing in between formats text.  It owns no memory, so reporting an
 * error cannot itself fail.  Neither msg nor hint ever holds a secret.
 */
#ifndef PGW_ERR_H
#define PGW_ERR_H

#include <stdbool.h>

#define PGW_ERR_MAX 512
#define PGW_HINT_MAX 256

/*
 * X(name, passes, text).  What passes may be gone in a while, or may not be so
 * at another address.
 */
#define PGW_CODES(X)                                                     \
	X(NOMEM, false, "out of memory")                                 \
	X(IO, true, "input/output error")                                \
	X(RESOLVE, true, "the name of the host could not be resolved")   \
	X(REFUSED, true, "the server does not accept connections there") \
	X(TIMEOUT, true, "timed out")                                    \
	X(INTERRUPTED, false, "interrupted")                             \
	X(CLOSED, true, "the server closed the connection")              \
	X(PROTOCOL, false, "the server broke the wire protocol")         \
	X(TLS, false, "no secure connection")                            \
	X(AUTH, false, "authentication failed")                          \
	X(CONFIG, false, "the connection settings are wrong")            \
	X(UNSUPPORTED, false, "not supported")                           \
	X(LIMIT, false, "too large")                                     \
	X(SERVER, false, "the server reported an error")                 \
	X(USAGE, false, "called out of turn")

enum pgw_code {
	PGW_OK,

#define X(name, passes, text) PGW_E_##name,
	PGW_CODES(X)
#undef X
};

struct pgw_err {
	enum pgw_code code;
	char sqlstate[6]; /* "" unless code is PGW_E_SERVER */
	char msg[PGW_ERR_MAX];
	char hint[PGW_HINT_MAX]; /* what to do next; "" when there is nothing */
};

#define PGW_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define PGW_MUST_CHECK __attribute__((warn_unused_result))

const char *pgw_code_text(enum pgw_code code);

/*
 * The same for an error: a server that starts up or is full passes, too, and
 * so does a pooler whose server is not there.
 */
bool pgw_err_passes(const struct pgw_err *err);

/* Fill err and return false, so that a caller can say: return pgw_fail(...). */
bool pgw_fail(struct pgw_err *err, enum pgw_code code, const char *fmt, ...)
	PGW_PRINTF(3, 4);

/* Put "what: " before the message that err already has; returns false. */
bool pgw_wrap(struct pgw_err *err, const char *fmt, ...) PGW_PRINTF(2, 3);

/* Say what to do next; returns false. */
bool pgw_hint(struct pgw_err *err, const char *fmt, ...) PGW_PRINTF(2, 3);

#endif
