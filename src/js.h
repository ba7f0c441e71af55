/* SPDX-License-Identifier: MIT */
/*
 * The tokens of JavaScript, TypeScript and JSON, as far as finding literals in
 * a configuration file needs them.  Nothing is run, nothing recurses.
 */
#ifndef MZ_JS_H
#define MZ_JS_H

#include "arena.h"

enum mz_js_kind {
	MZ_JS_END,
	MZ_JS_WORD, /* identifier or keyword */
	MZ_JS_NUMBER,
	MZ_JS_STRING,	/* '...', "...", `...` without ${ */
	MZ_JS_TEMPLATE, /* `...` with ${ */
	MZ_JS_REGEX,
	MZ_JS_SYMBOL, /* one byte, or ... ?? || => == */
	MZ_JS_BROKEN, /* a quote or a comment without its end */
};

struct mz_js_token {
	enum mz_js_kind kind;
	size_t start, end;
};

struct mz_js {
	struct pgw_view text;
	size_t at;
	bool operand; /* the last token was one: a slash divides */
};

struct mz_js mz_js_at(struct pgw_view text, size_t at);

/* END and BROKEN stay. */
struct mz_js_token mz_js_next(struct mz_js *js);

/* The token is these characters: a keyword, or a symbol. */
bool mz_js_is(const struct mz_js *js, struct mz_js_token t, const char *what);

/* 1 for a bracket that opens, -1 for one that closes, else 0. */
int mz_js_bracket(const struct mz_js *js, struct mz_js_token t);

/*
 * Pass over brackets that belong together, of which t is the first, or over t
 * alone.  False when they do not end.
 */
bool mz_js_skip(struct mz_js *js, struct mz_js_token t);

/*
 * The value of a STRING, with its escapes resolved; NULL when it holds a NUL
 * or an escape that is none.
 */
const char *mz_js_string(const struct mz_js *js, struct mz_js_token t,
			 struct mz_arena *a);

/* The characters of a token. */
const char *mz_js_text(const struct mz_js *js, struct mz_js_token t,
		       struct mz_arena *a);

#endif
