/* SPDX-License-Identifier: MIT */
/*
 * What clients of the server write: bodies, headers, addresses; and its own
 * lines, cut and mixed, as documents.  The first byte says which.
 */
#include <config.h>

#include "feed.h"
#include "gate.h"
#include "json_serve.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void body(struct pgw_view text)
{
	struct mz_arena arena;
	struct mz_ask ask;
	struct pgw_buf out;
	const char *why = NULL;

	mz_arena_init(&arena);
	pgw_buf_init(&out, SIZE_MAX);
	if (mz_serve_parse(&ask, &arena, text, &why)) {
		if ((ask.to && !*ask.to) || (ask.approve && !*ask.approve))
			abort();
	} else {
		if (!why || !*why)
			abort();
		mz_serve_refusal(&out, "usage", why, NULL);
		if (out.failed || memchr(out.data, '\n', out.len))
			abort();
	}
	pgw_buf_release(&out);
	mz_arena_release(&arena);
}

/* Lines of a status, and then of a run. */
static void documents(struct pgw_view text)
{
	struct mz_serve_state state = { 0 };
	struct pgw_buf document, out;

	for (int kind = MZ_TASK_STATUS; kind <= MZ_TASK_MIGRATE; kind++) {
		struct mz_task *task = mz_task_new((enum mz_task_kind)kind,
						   NULL);

		if (!task)
			return;
		pgw_buf_init(&document, SIZE_MAX);
		pgw_buf_init(&out, SIZE_MAX);
		pgw_buf_put(&task->lines, text.p, text.n);
		mz_serve_mark(task, text);
		mz_serve_document(&document, task);
		mz_serve_status(&out, pgw_buf_view(&document), &state);
		if (document.failed || out.failed || out.data[0] != '{' ||
		    out.data[out.len - 1] != '}')
			abort();
		mz_feed_kind(pgw_buf_view(&out));
		pgw_buf_release(&document);
		pgw_buf_release(&out);
		mz_task_free(task);
	}
	mz_feed_kind(text);
}

/* Up to three headers, between NULs. */
static void headers(char *text, size_t n)
{
	static struct mz_gate gate; /* large, and as it was */
	const char *parts[3] = { text, NULL, NULL };
	struct mz_arena arena;
	char out[64];

	for (size_t i = 0, k = 1; i < n && k < 3; i++)
		if (text[i] == '\0')
			parts[k++] = text + i + 1;
	mz_arena_init(&arena);
	memset(&gate, 0, sizeof(gate));
	mz_gate_add(&gate, &arena, pgw_view_of("a\nb"), MZ_RIGHT_READ);
	if (mz_gate_right(&gate, parts[0]) == MZ_RIGHT_MIGRATE)
		abort();
	gate.nhosts = 1;
	gate.hosts = parts;
	if (text[0] && !strpbrk(text, ":[") && !mz_gate_host(&gate, text))
		abort();
	mz_gate_host(&gate, parts[1]);
	mz_gate_origin(parts[0], parts[1], parts[2]);
	mz_gate_within(parts[0], parts[1] ? parts[1] : "::1");
	mz_gate_is_one(parts, 1, text);
	for (int i = 0; i < 6; i++)
		mz_gate_failed(&gate, text, 1000);
	if (mz_gate_pause(&gate, text, 1000) <= 0)
		abort();
	mz_gate_passed(&gate, text);
	if (mz_gate_pause(&gate, text, 1000) != 0)
		abort();
	mz_gate_trim(out, sizeof(out), text, n);
	mz_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 3 == 0)
		body((struct pgw_view){ (unsigned char *)text, size - 1 });
	else if (data[0] % 3 == 1)
		documents((struct pgw_view){ (unsigned char *)text, size - 1 });
	else
		headers(text, size - 1);
	free(text);
	return 0;
}
