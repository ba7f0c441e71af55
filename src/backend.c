/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "backend.h"

#include "db.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "\xE2\x80\xA6"
#define QUERY_ROOM 100

/* ---- reading */

/* -1 for a null, and for what is no number. */
static int64_t take_number(struct mz_arena *a, struct pgw_view *cols)
{
	const char *text = mz_db_text(a, cols);
	char *end;
	int64_t n;

	if (!text || !*text)
		return -1;
	n = strtoll(text, &end, 10);
	return *end || n < 0 ? -1 : n;
}

/* Pids with commas; a null when there are none. */
static const char *take_pids(struct mz_arena *a, struct pgw_view *cols)
{
	const char *text = mz_db_text(a, cols);

	return text && *text && text[strspn(text, "0123456789,")] == '\0' ?
		       text :
		       NULL;
}

void mz_backend_read(struct mz_backend *b, struct mz_arena *a,
		     struct pgw_view *cols)
{
	b->pid = take_number(a, cols);
	b->user = mz_db_text(a, cols);
	b->application = mz_db_text(a, cols);
	b->address = mz_db_text(a, cols);
	b->type = mz_db_text(a, cols);
	b->state = mz_db_text(a, cols);
	b->since = mz_db_text(a, cols);
	b->seconds = take_number(a, cols);
	b->xact_seconds = take_number(a, cols);
	b->query = mz_db_text(a, cols);
	b->blocked_by = take_pids(a, cols);
}

/* ---- text */

void mz_span(char out[MZ_SPAN_MAX], int64_t seconds)
{
	int64_t s = seconds < 0 ? 0 : seconds;
	int64_t m = s / 60, h = m / 60, d = h / 24;
	int n;

	if (d > 0)
		n = snprintf(out, MZ_SPAN_MAX, "%" PRId64 "d%" PRId64 "h", d,
			     h % 24);
	else if (h > 0)
		n = snprintf(out, MZ_SPAN_MAX, "%" PRId64 "h%" PRId64 "m", h,
			     m % 60);
	else if (m > 0)
		n = snprintf(out, MZ_SPAN_MAX, "%" PRId64 "m%" PRId64 "s", m,
			     s % 60);
	else
		n = snprintf(out, MZ_SPAN_MAX, "%" PRId64 "s", s);
	/* "5m0s" is 5m */
	if (n > 3 && out[n - 2] == '0' && strchr("dhm", out[n - 3]))
		out[n - 2] = '\0';
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_inside_character(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* No more of a text is looked at than there is room: it may be long. */
static size_t line_length(struct pgw_view text, size_t room)
{
	size_t n = 0;

	while (n < text.n && n < room && text.p[n] != '\n' && text.p[n] != '\r')
		n++;
	return n;
}

/* At most n bytes of text that end with a whole character of UTF-8. */
static size_t whole_characters(struct pgw_view text, size_t n)
{
	size_t end = n;

	while (end > 0 && n - end < 3 && end < text.n &&
	       is_inside_character(text.p[end]))
		end--;
	return end < text.n && is_inside_character(text.p[end]) ? n : end;
}

void mz_first_line(char *out, size_t room, struct pgw_view text)
{
	const size_t mark = strlen(ELLIPSIS);
	size_t n;

	while (text.n > 0 && is_blank(text.p[0])) {
		text.p++;
		text.n--;
	}
	while (text.n > 0 && is_blank(text.p[text.n - 1]))
		text.n--;
	n = line_length(text, room);
	if (n > room - 1 || (n < text.n && n > room - 1 - mark))
		n = whole_characters(text, room - 1 - mark);
	if (n > 0)
		memcpy(out, text.p, n);
	out[n] = '\0';
	if (n < text.n)
		memcpy(out + n, ELLIPSIS, mark + 1);
}

const char *mz_without_mark(struct mz_arena *a, const char *line)
{
	size_t n = strlen(line), mark = strlen(ELLIPSIS);

	if (n >= mark && strcmp(line + n - mark, ELLIPSIS) == 0)
		n -= mark;
	return mz_strndup(a, line, n);
}

static const char *add(struct mz_arena *a, const char *text, const char *name,
		       const char *value)
{
	if (!value || !*value)
		return text;
	return mz_printf(a, "%s, %s%s", text, name, value);
}

static const char *add_state(struct mz_arena *a, const char *text,
			     const struct mz_backend *b)
{
	char span[MZ_SPAN_MAX];

	if (!b->state || !*b->state)
		return text;
	if (b->seconds < 0)
		return add(a, text, "", b->state);
	mz_span(span, b->seconds);
	text = mz_printf(a, "%s, %s for %s", text, b->state, span);
	if (strcmp(b->state, "active") != 0 ||
	    b->xact_seconds <= b->seconds + 1)
		return text;
	mz_span(span, b->xact_seconds);
	return mz_printf(a, "%s (its transaction for %s)", text, span);
}

const char *mz_backend_text(struct mz_arena *a, const struct mz_backend *b)
{
	bool is_client = !b->type || strcmp(b->type, "client backend") == 0;
	char query[QUERY_ROOM];
	const char *text;

	if (b->pid < 0)
		return "a session without a number";
	if (b->pid == 0)
		return "a prepared transaction";
	text = mz_printf(a, "pid %" PRId64, b->pid);
	text = add(a, text, "", is_client ? NULL : b->type);
	text = add(a, text, "user ", b->user);
	text = add(a, text, "application ", b->application);
	text = add(a, text, "from ", b->address);
	text = add_state(a, text, b);
	text = add(a, text, "blocked by pid ", b->blocked_by);
	if (!b->state)
		return b->user ? mz_printf(a,
					   "%s, doing what this role may not "
					   "see",
					   text) :
				 text;
	if (!b->query || !*b->query)
		return text;
	mz_first_line(query, sizeof(query), pgw_view_of(b->query));
	return mz_printf(a, "%s: \"%s\"", text, query);
}

/* ---- ending it */

static struct mz_remedy remedy(struct mz_arena *a, const struct mz_backend *b,
			       const char *function, const char *effect)
{
	return (struct mz_remedy){
		.sql = mz_printf(a, "SELECT %s(%" PRId64 ")", function, b->pid),
		.effect = effect,
	};
}

struct mz_remedy mz_backend_remedy(struct mz_arena *a,
				   const struct mz_backend *b)
{
	static const char cancel[] = "pg_cancel_backend";
	static const char terminate[] = "pg_terminate_backend";

	if (b->pid < 0)
		return (struct mz_remedy){ .effect = "it cannot be named" };
	if (b->pid == 0)
		return (struct mz_remedy){
			.effect = "pg_prepared_xacts has its name: COMMIT or "
				  "ROLLBACK PREPARED it",
		};
	if (b->type && strcmp(b->type, "autovacuum worker") == 0)
		return remedy(a, b, cancel, "cancels it; it tries again later");
	if (!b->state)
		return remedy(a, b, terminate,
			      "ends its connection; this role may not see "
			      "what it does");
	if (strcmp(b->state, "active") == 0)
		return remedy(a, b, cancel,
			      "cancels its statement, which rolls its "
			      "transaction back");
	return remedy(a, b, terminate,
		      "ends its connection: it runs nothing that could be "
		      "cancelled");
}
