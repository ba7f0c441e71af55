/* SPDX-License-Identifier: MIT */
/*
 * A connection string, as libpq reads it and repaired; what can be read is
 * settled.  Its password must not come out again in an error or a notice.
 */
#include <config.h>

#include "conninfo.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Long enough that no text of ours has it by chance. */
static const char mark[] = "hunter2";

static bool holds_mark(const struct pgw_conninfo *c, const struct pgw_err *err)
{
	const struct pgw_buf *n = &c->notices;

	return strstr(err->msg, mark) || strstr(err->hint, mark) ||
	       (n->len > 0 &&
		memmem(n->data, n->len, mark, sizeof(mark) - 1) != NULL);
}

/* The string is a whole URI with a well-formed user's part, then the input. */
static void check_mark(const char *text, bool repair)
{
	struct pgw_conninfo c;
	struct pgw_err err = { 0 };
	struct pgw_buf whole;

	pgw_buf_init(&whole, 1 << 22);
	pgw_buf_put_text(&whole, "postgres://u:");
	pgw_buf_put_text(&whole, mark);
	pgw_buf_put_text(&whole, "@");
	pgw_buf_put_str(&whole, text);
	pgw_conninfo_init(&c);
	c.repair = repair;
	if (whole.failed)
		abort();
	if (!pgw_conninfo_parse(&c, (const char *)whole.data, &err) &&
	    err.code == PGW_OK)
		abort();
	if (!strstr(text, mark) && holds_mark(&c, &err))
		abort();
	pgw_conninfo_release(&c);
	pgw_buf_release(&whole);
}

static const char *os_user(void *ctx)
{
	(void)ctx;
	return "me";
}

/* Names and values in pairs, for SET LOCAL: both are to be quoted as UTF-8. */
static void check_local(const struct pgw_conninfo *c)
{
	struct pgw_cur cur = pgw_cur_of(pgw_buf_view(&c->local));
	size_t n = 0, bad;

	for (; cur.p < cur.end; n++)
		if (!pgw_utf8_valid(pgw_view_of(pgw_cur_str(&cur)), &bad) ||
		    cur.bad)
			abort();
	if (n % 2 != 0)
		abort();
}

static void read_and_settle(const char *text, bool repair, bool lenient)
{
	const struct pgw_outside o = { .os_user = os_user };
	struct pgw_conninfo c;
	struct pgw_config cfg;
	struct pgw_buf out;
	struct pgw_err err = { 0 };

	pgw_conninfo_init(&c);
	c.repair = repair;
	c.lenient = lenient;
	pgw_buf_init(&out, 1 << 22);
	if (pgw_conninfo_parse(&c, text, &err) &&
	    pgw_conninfo_complete(&c, &o, &err)) {
		check_local(&c);
		pgw_conninfo_print(&c, false, &out);
		if (pgw_config_settle(&cfg, &c, &o, &err)) {
			if (cfg.nhosts == 0 || cfg.user[0] == '\0')
				abort();
			pgw_config_release(&cfg);
		}
	}
	pgw_conninfo_release(&c);
	pgw_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (int repair = 0; repair < 2; repair++) {
		read_and_settle(text, repair, false);
		read_and_settle(text, repair, true);
		check_mark(text, repair);
	}
	free(text);
	return 0;
}
