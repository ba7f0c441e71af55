/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "feed.h"

#include <stdlib.h>
#include <string.h>

void mz_feed_init(struct mz_feed *f)
{
	memset(f, 0, sizeof(*f));
	f->first = f->next = 1;
}

static void forget_first(struct mz_feed *f)
{
	struct mz_feed_event *e = &f->events[f->first++ % MZ_FEED_EVENTS];

	f->bytes -= e->n;
	free(e->text);
	*e = (struct mz_feed_event){ 0 };
}

void mz_feed_release(struct mz_feed *f)
{
	while (f->first < f->next)
		forget_first(f);
}

bool mz_feed_add(struct mz_feed *f, struct pgw_view text)
{
	char *copy = malloc(text.n + 1);

	if (!copy)
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	while (f->first < f->next && (f->next - f->first == MZ_FEED_EVENTS ||
				      f->bytes + text.n > MZ_FEED_BYTES))
		forget_first(f);
	f->events[f->next++ % MZ_FEED_EVENTS] =
		(struct mz_feed_event){ copy, text.n };
	f->bytes += text.n;
	return true;
}

const struct mz_feed_event *mz_feed_get(const struct mz_feed *f,
					uint64_t number)
{
	if (number < f->first || number >= f->next)
		return NULL;
	return &f->events[number % MZ_FEED_EVENTS];
}

struct pgw_view mz_feed_kind(struct pgw_view text)
{
	static const char start[] = "{\"event\":\"";
	size_t n = sizeof(start) - 1;
	const unsigned char *end;

	if (text.n < n || memcmp(text.p, start, n) != 0)
		return (struct pgw_view){ 0 };
	end = memchr(text.p + n, '"', text.n - n);
	return (struct pgw_view){ text.p + n,
				  end ? (size_t)(end - text.p) - n : 0 };
}
