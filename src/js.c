/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "js.h"

#include <string.h>

/* Templates within templates; what is deeper is broken for us. */
#define DEPTH_MAX 32

struct mz_js mz_js_at(struct pgw_view text, size_t at)
{
	return (struct mz_js){ .text = text, .at = at };
}

static int byte_at(const struct mz_js *js, size_t at)
{
	return at < js->text.n ? js->text.p[at] : -1;
}

static bool begins(const struct mz_js *js, size_t at, const char *with)
{
	size_t n = strlen(with);

	return js->text.n - at >= n && memcmp(js->text.p + at, with, n) == 0;
}

static bool is_word(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '#' ||
	       c >= 0x80;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* ---- what is passed over */

static size_t line_end(const struct mz_js *js, size_t at)
{
	const unsigned char *lf = memchr(js->text.p + at, '\n',
					 js->text.n - at);

	return lf ? (size_t)(lf - js->text.p) : js->text.n;
}

/* Behind the comment at at; 0 when it has no end. */
static size_t comment_end(const struct mz_js *js, size_t at)
{
	const unsigned char *end;

	if (byte_at(js, at + 1) == '/')
		return line_end(js, at);
	end = memmem(js->text.p + at + 2, js->text.n - at - 2, "*/", 2);
	return end ? (size_t)(end - js->text.p) + 2 : 0;
}

/* False at a comment without an end. */
static bool skip_blank(struct mz_js *js)
{
	for (;;) {
		int c = byte_at(js, js->at);
		size_t end;

		if (c == ' ' || (c >= '\t' && c <= '\r')) {
			js->at++;
		} else if (begins(js, js->at, "\xef\xbb\xbf")) {
			js->at += 3;
		} else if (begins(js, js->at, "//") ||
			   begins(js, js->at, "/*")) {
			end = comment_end(js, js->at);
			if (end == 0)
				return false;
			js->at = end;
		} else {
			return true;
		}
	}
}

/* ---- quotes */

/* Behind the string that begins at at; 0 when it has no end on its line. */
static size_t string_end(const struct mz_js *js, size_t at)
{
	int quote = byte_at(js, at), c;

	for (at++; (c = byte_at(js, at)) != quote; at++) {
		if (c == -1 || c == '\n')
			return 0;
		if (c == '\\')
			at++;
	}
	return at + 1;
}

/* One step through a template; *depth is where it stands in braces[]. */
struct template
{
	size_t braces[DEPTH_MAX]; /* open ones of each ${ */
	size_t depth;		  /* 0 = in the outermost text */
	bool code;		  /* inside ${ }, not in text */
	bool any;		  /* there was a ${ */
};

static size_t text_step(const struct mz_js *js, struct template *t, size_t at)
{
	if (byte_at(js, at) == '\\')
		return at + 2;
	if (begins(js, at, "${")) {
		t->any = true;
		t->code = true;
		t->braces[t->depth] = 0;
		return at + 2;
	}
	return at + 1;
}

static size_t code_step(const struct mz_js *js, struct template *t, size_t at)
{
	int c = byte_at(js, at);

	if (c == '\'' || c == '"')
		return string_end(js, at);
	if (begins(js, at, "//") || begins(js, at, "/*"))
		return comment_end(js, at);
	if (c == '{')
		t->braces[t->depth]++;
	else if (c == '}' && t->braces[t->depth] == 0)
		t->code = false;
	else if (c == '}')
		t->braces[t->depth]--;
	return at + 1;
}

/* Behind the template that begins at at; 0 when it has no end. */
static size_t template_end(const struct mz_js *js, size_t at, bool *any)
{
	struct template t = { 0 };

	at++;
	while (at > 0 && at < js->text.n) {
		if (byte_at(js, at) != '`') {
			at = t.code ? code_step(js, &t, at) :
				      text_step(js, &t, at);
			continue;
		}
		at++;
		if (t.code) { /* one begins in the code */
			t.code = false;
			if (++t.depth == DEPTH_MAX)
				return 0;
		} else if (t.depth > 0) { /* one ends there */
			t.code = true;
			t.depth--;
		} else {
			*any = t.any;
			return at;
		}
	}
	return 0;
}

/* Behind the regular expression that begins at at; 0 when there is none. */
static size_t regex_end(const struct mz_js *js, size_t at)
{
	bool in_class = false;
	int c;

	for (at++; (c = byte_at(js, at)) != '/' || in_class; at++) {
		if (c == -1 || c == '\n')
			return 0;
		if (c == '\\')
			at++;
		else if (c == '[')
			in_class = true;
		else if (c == ']')
			in_class = false;
	}
	for (at++; is_word(byte_at(js, at));)
		at++;
	return at;
}

/* ---- tokens */

static struct mz_js_token broken(struct mz_js *js, size_t start)
{
	js->at = js->text.n;
	return (struct mz_js_token){ MZ_JS_BROKEN, start, js->text.n };
}

static struct mz_js_token take(struct mz_js *js, enum mz_js_kind kind,
			       size_t end)
{
	struct mz_js_token t = { kind, js->at, end };

	if (end == 0 || end > js->text.n)
		return broken(js, js->at);
	js->at = end;
	js->operand = kind != MZ_JS_SYMBOL;
	return t;
}

/* Behind these a slash begins a regular expression. */
static bool is_operator_word(const struct mz_js *js, struct mz_js_token t)
{
	return mz_js_is(js, t, "return") || mz_js_is(js, t, "typeof") ||
	       mz_js_is(js, t, "case") || mz_js_is(js, t, "in") ||
	       mz_js_is(js, t, "of") || mz_js_is(js, t, "default");
}

static struct mz_js_token symbol(struct mz_js *js)
{
	static const char *const longer[] = { "...", "??", "||",
					      "=>",  "==", "?." };
	int c = byte_at(js, js->at);
	size_t n = 1;
	struct mz_js_token t;

	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++) {
		if (n == 1 && begins(js, js->at, longer[i]))
			n = strlen(longer[i]);
	}
	t = take(js, MZ_JS_SYMBOL, js->at + n);
	js->operand = c == ')' || c == ']' || c == '}';
	return t;
}

struct mz_js_token mz_js_next(struct mz_js *js)
{
	struct mz_js_token t;
	size_t end;
	bool any = false;
	int c;

	if (!skip_blank(js))
		return broken(js, js->at);
	c = byte_at(js, js->at);
	end = js->at;
	if (c == -1)
		return (struct mz_js_token){ MZ_JS_END, end, end };
	if (c == '\'' || c == '"')
		return take(js, MZ_JS_STRING, string_end(js, end));
	if (c == '`') {
		end = template_end(js, end, &any);
		return take(js, any ? MZ_JS_TEMPLATE : MZ_JS_STRING, end);
	}
	if (c == '/' && !js->operand)
		return take(js, MZ_JS_REGEX, regex_end(js, end));
	if (!is_word(c))
		return symbol(js);
	while (is_word(byte_at(js, end)) ||
	       (is_digit(c) && byte_at(js, end) == '.'))
		end++;
	t = take(js, is_digit(c) ? MZ_JS_NUMBER : MZ_JS_WORD, end);
	js->operand = !is_operator_word(js, t);
	return t;
}

bool mz_js_is(const struct mz_js *js, struct mz_js_token t, const char *what)
{
	struct pgw_view v = { js->text.p + t.start, t.end - t.start };

	return (t.kind == MZ_JS_WORD || t.kind == MZ_JS_SYMBOL) &&
	       pgw_view_is(v, what);
}

int mz_js_bracket(const struct mz_js *js, struct mz_js_token t)
{
	int c = byte_at(js, t.start);

	if (t.kind != MZ_JS_SYMBOL)
		return 0;
	if (c == '(' || c == '[' || c == '{')
		return 1;
	return c == ')' || c == ']' || c == '}' ? -1 : 0;
}

bool mz_js_skip(struct mz_js *js, struct mz_js_token t)
{
	size_t depth = 0;

	for (;;) {
		int step = mz_js_bracket(js, t);

		if (t.kind == MZ_JS_END || t.kind == MZ_JS_BROKEN)
			return false;
		if (step > 0)
			depth++;
		else if (step < 0 && depth > 0)
			depth--;
		if (depth == 0)
			return true;
		t = mz_js_next(js);
	}
}

/* ---- values */

static void put_utf8(struct pgw_buf *out, uint32_t cp)
{
	if (cp < 0x80) {
		pgw_buf_put_u8(out, (uint8_t)cp);
		return;
	}
	if (cp < 0x800) {
		pgw_buf_put_u8(out, (uint8_t)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			pgw_buf_put_u8(out, (uint8_t)(0xe0 | cp >> 12));
		} else {
			pgw_buf_put_u8(out, (uint8_t)(0xf0 | cp >> 18));
			pgw_buf_put_u8(out, (uint8_t)(0x80 | (cp >> 12 & 63)));
		}
		pgw_buf_put_u8(out, (uint8_t)(0x80 | (cp >> 6 & 63)));
	}
	pgw_buf_put_u8(out, (uint8_t)(0x80 | (cp & 63)));
}

static bool hex(struct pgw_cur *c, size_t digits, uint32_t *cp)
{
	for (; digits > 0; digits--) {
		uint8_t d = pgw_cur_u8(c);

		if (c->bad)
			return false;
		if (is_digit(d))
			*cp = *cp * 16 + (uint32_t)(d - '0');
		else if ((d | 0x20) >= 'a' && (d | 0x20) <= 'f')
			*cp = *cp * 16 + (uint32_t)((d | 0x20) - 'a') + 10;
		else
			return false;
	}
	return true;
}

/* \u1234, \u{12345}, and a pair of surrogates; behind the u. */
static bool unicode(struct pgw_cur *c, uint32_t *cp)
{
	uint32_t low = 0;
	size_t digits = 0;

	if (c->p < c->end && *c->p == '{') {
		pgw_cur_u8(c);
		while (c->p + digits < c->end && c->p[digits] != '}')
			digits++;
		return digits >= 1 && digits <= 6 && hex(c, digits, cp) &&
		       pgw_cur_u8(c) == '}';
	}
	if (!hex(c, 4, cp))
		return false;
	if (*cp < 0xd800 || *cp > 0xdbff)
		return true;
	if (!pgw_view_is(pgw_cur_take(c, 2), "\\u") || !hex(c, 4, &low) ||
	    low < 0xdc00 || low > 0xdfff)
		return false;
	*cp = 0x10000 + ((*cp - 0xd800) << 10) + (low - 0xdc00);
	return true;
}

/* What stands behind a backslash. */
static bool escape(struct pgw_cur *c, struct pgw_buf *out)
{
	static const char names[] = "nrtbfv";
	static const char values[] = "\n\r\t\b\f\v";
	uint8_t e = pgw_cur_u8(c);
	const char *name = e ? strchr(names, e) : NULL;
	uint32_t cp = 0;

	if (name) {
		pgw_buf_put_u8(out, (uint8_t)values[name - names]);
		return true;
	}
	if (e == '\n' || (e == '\r' && c->p < c->end && *c->p == '\n')) {
		if (e == '\r')
			pgw_cur_u8(c);
		return true; /* the line goes on */
	}
	if (is_digit(e))
		return false;
	if (e != 'x' && e != 'u') {
		pgw_buf_put_u8(out, e);
		return true;
	}
	if (!(e == 'x' ? hex(c, 2, &cp) : unicode(c, &cp)) || cp == 0 ||
	    cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return false;
	put_utf8(out, cp);
	return true;
}

const char *mz_js_string(const struct mz_js *js, struct mz_js_token t,
			 struct mz_arena *a)
{
	struct pgw_view inside = { js->text.p + t.start + 1,
				   t.end - t.start - 2 };
	struct pgw_cur c = pgw_cur_of(inside);
	const char *value = NULL;
	struct pgw_buf out;
	bool ok = true;

	pgw_buf_init(&out, 4 * inside.n + 1);
	while (ok && c.p < c.end) {
		uint8_t byte = pgw_cur_u8(&c);

		if (byte == '\\')
			ok = escape(&c, &out);
		else
			pgw_buf_put_u8(&out, byte);
		ok = ok && byte != '\0';
	}
	pgw_buf_put_u8(&out, '\0');
	if (ok && !out.failed)
		value = mz_strdup(a, (const char *)out.data);
	pgw_buf_release(&out);
	return value;
}

const char *mz_js_text(const struct mz_js *js, struct mz_js_token t,
		       struct mz_arena *a)
{
	return mz_strndup(a, (const char *)js->text.p + t.start,
			  t.end - t.start);
}
