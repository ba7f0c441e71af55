/* SPDX-License-Identifier: MIT */
/* Answers of the server, and the page, which is packed into the program. */
#include <config.h>

#include "serve.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define JSON_TYPE "application/json; charset=utf-8"

/* ---- answers */

/* What a browser must not do with anything of ours. */
static void put_headers(struct mz_exchange *x)
{
	static const char *const headers[][2] = {
		{ "Cache-Control", "no-store" },
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'self'; style-src 'self'; "
		  "connect-src 'self'; img-src 'self' data:; base-uri 'none'; "
		  "form-action 'none'; frame-ancestors 'none'" },
		{ "Cross-Origin-Opener-Policy", "same-origin" },
		{ "Cross-Origin-Resource-Policy", "same-origin" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
	};

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		mz_exchange_put_header(x, headers[i][0], headers[i][1]);
}

static void answer(struct mz_visit *v, int status, const char *type,
		   struct pgw_view body)
{
	put_headers(v->x);
	mz_exchange_answer(v->x, status, type, body);
}

void mz_serve_json(struct mz_visit *v, int status, const struct pgw_buf *body)
{
	if (body->failed)
		answer(v, 500, JSON_TYPE, pgw_view_of("{\"ok\":false}"));
	else
		answer(v, status, JSON_TYPE, pgw_buf_view(body));
}

void mz_serve_text(struct mz_visit *v, int status, const char *type,
		   const char *body)
{
	answer(v, status, type, pgw_view_of(body));
}

void mz_serve_refuse(struct mz_visit *v, int status, const char *code,
		     const char *message, const char *hint)
{
	struct pgw_buf body;

	pgw_buf_init(&body, SIZE_MAX);
	mz_serve_refusal(&body, code, message, hint);
	mz_serve_json(v, status, &body);
	pgw_buf_release(&body);
}

void mz_serve_stream(struct mz_visit *v)
{
	put_headers(v->x);
	/* nginx would gather them */
	mz_exchange_put_header(v->x, "X-Accel-Buffering", "no");
	mz_exchange_begin(v->x, 200, "text/event-stream");
}

/* ---- the page */

bool mz_serve_accepts(const struct mz_visit *v, const char *header,
		      const char *what)
{
	const char *value = mz_exchange_header(v->x, header);

	return value && strcasestr(value, what) != NULL;
}

static bool unpack(const struct mz_page_file *f, struct pgw_buf *out)
{
	z_stream z = { .avail_in = (uInt)f->size };
	unsigned char *room = malloc(f->unpacked + 1);
	bool ok;

	if (!room)
		return false;
	memcpy(&z.next_in, &f->gzip, sizeof(f->gzip));
	z.next_out = room;
	z.avail_out = (uInt)f->unpacked + 1;
	ok = inflateInit2(&z, 16 + MAX_WBITS) == Z_OK &&
	     inflate(&z, Z_FINISH) == Z_STREAM_END;
	inflateEnd(&z);
	if (ok)
		pgw_buf_put(out, room, f->unpacked);
	free(room);
	return ok;
}

static void answer_file(struct mz_visit *v, const struct mz_page_file *f)
{
	struct pgw_buf plain;

	mz_exchange_put_header(v->x, "Vary", "Accept, Accept-Encoding");
	if (mz_serve_accepts(v, "Accept-Encoding", "gzip")) {
		mz_exchange_put_header(v->x, "Content-Encoding", "gzip");
		answer(v, 200, f->type, (struct pgw_view){ f->gzip, f->size });
		return;
	}
	pgw_buf_init(&plain, SIZE_MAX);
	if (unpack(f, &plain))
		answer(v, 200, f->type, pgw_buf_view(&plain));
	else
		answer(v, 500, NULL, (struct pgw_view){ 0 });
	pgw_buf_release(&plain);
}

static const struct mz_page_file *page_file(const char *name)
{
	for (size_t i = 0; i < mz_page_count; i++)
		if (strcmp(mz_page_files[i].name, name) == 0)
			return &mz_page_files[i];
	return NULL;
}

bool mz_serve_has_page(const char *name)
{
	return name && page_file(name) != NULL;
}

void mz_serve_page(struct mz_visit *v, const char *name)
{
	const struct mz_page_file *f = page_file(name);

	if (f)
		answer_file(v, f);
	else
		mz_serve_refuse(v, 404, "usage", "there is no page", NULL);
}
