/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "http_inner.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#define BACKLOG_MAX ((size_t)1 << 20) /* that a client has not taken yet */

/* ---- requests */

static enum mz_method method_of(const struct evhttp_request *req)
{
	enum evhttp_cmd_type command = evhttp_request_get_command(req);

	return command == EVHTTP_REQ_GET  ? MZ_GET :
	       command == EVHTTP_REQ_HEAD ? MZ_HEAD :
	       command == EVHTTP_REQ_POST ? MZ_POST :
					    MZ_OTHER;
}

static const char *address_of(const struct mz_http *h,
			      struct evhttp_connection *evcon)
{
	char *address = NULL;
	uint16_t port;

	if (h->setup.is_unix)
		return "unix";
	evhttp_connection_get_peer(evcon, &address, &port);
	return address ? address : "";
}

/* All of it is there: it came with the request. */
static struct pgw_view body_of(struct evhttp_request *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t n = evbuffer_get_length(in);

	return (struct pgw_view){ n > 0 ? evbuffer_pullup(in, -1) : NULL, n };
}

static struct mz_exchange *new_exchange(struct mz_http *h,
					struct evhttp_request *req)
{
	struct mz_connection *c = mz_connection_find(h, req);
	struct mz_exchange *x = c ? calloc(1, sizeof(*x)) : NULL;

	if (!x)
		return NULL;
	*x = (struct mz_exchange){
		.http = h, .req = req, .connection = c, .next = h->exchanges
	};
	if (h->exchanges)
		h->exchanges->prev = x;
	h->exchanges = x;
	c->exchange = x;
	return x;
}

void mz_exchange_drop(struct mz_exchange *x)
{
	struct mz_http *h = x->http;

	h->setup.hooks.gone(h->setup.hooks.ctx, x);
	if (x->prev)
		x->prev->next = x->next;
	else
		h->exchanges = x->next;
	if (x->next)
		x->next->prev = x->prev;
	x->connection->exchange = NULL;
	x->connection->since_us = pgw_clock_us();
	free(x);
}

/* A name with a blank in it is one that others may read in another way. */
static bool is_name(const char *name)
{
	return name[0] != '\0' && !strpbrk(name, " \t\"(),/:;<=>?@[\\]{}");
}

/*
 * What a proxy in front of us may understand in another way than we do is not
 * understood at all: where a request ends, and whom it is for.
 */
static const char *why_none(struct evhttp_request *req)
{
	static const char *const once[] = { "Host", "Content-Length",
					    "Transfer-Encoding",
					    "Authorization" };
	const struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	const char *coding = evhttp_find_header(headers, "Transfer-Encoding");
	size_t seen[sizeof(once) / sizeof(once[0])] = { 0 };
	const struct evkeyval *h;

	if (req->major != 1 || (signed char)req->minor < 0) {
		req->major = req->minor = 1; /* of the answer */
		return "it is no HTTP/1.1";
	}
	TAILQ_FOREACH(h, headers, next)
	{
		if (!is_name(h->key))
			return "a header has no proper name";
		for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
			if (strcasecmp(h->key, once[i]) == 0 && seen[i]++)
				return "a header is there twice";
	}
	if (req->minor > 0 && !seen[0])
		return "the header Host is missing";
	if (coding && (seen[1] || strcasecmp(coding, "chunked") != 0))
		return "its length is not clear";
	return NULL;
}

void mz_exchange_come(struct evhttp_request *req, void *ctx)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct mz_http *h = ctx;
	struct mz_exchange *x = new_exchange(h, req);
	struct mz_request r = {
		.method = method_of(req),
		.why_none = why_none(req),
		.query = uri ? evhttp_uri_get_query(uri) : NULL,
		.address = address_of(h, evhttp_request_get_connection(req)),
		.began_us = pgw_clock_us(),
	};
	size_t n = 0;
	char *decoded;

	if (r.query && strstr(r.query, "%00"))
		r.why_none = "a NUL is in it";
	if (!x) {
		evhttp_send_error(req, 503, NULL);
		return;
	}
	decoded = path ? evhttp_uridecode(path, 0, &n) : NULL;
	/* a NUL in it is no path of ours */
	r.path = decoded && strlen(decoded) == n ? decoded : NULL;
	if (!r.path && !r.why_none)
		r.why_none = "the path is none";
	r.body = body_of(req);
	h->setup.hooks.request(h->setup.hooks.ctx, x, &r);
	free(decoded);
}

/* ---- answers */

void mz_exchange_set(struct mz_exchange *x, void *user)
{
	x->user = user;
}

void *mz_exchange_get(const struct mz_exchange *x)
{
	return x->user;
}

const char *mz_exchange_header(const struct mz_exchange *x, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(x->req),
				  name);
}

void mz_exchange_put_header(struct mz_exchange *x, const char *name,
			    const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(x->req), name,
			  value);
}

const char *mz_exchange_list(const struct mz_exchange *x, struct mz_arena *a,
			     const char *name)
{
	const struct evkeyvalq *headers =
		evhttp_request_get_input_headers(x->req);
	const struct evkeyval *h;
	const char *list = NULL;

	TAILQ_FOREACH(h, headers, next)
	{
		if (strcasecmp(h->key, name) != 0)
			continue;
		list = list ? mz_printf(a, "%s,%s", list, h->value) : h->value;
	}
	return list;
}

static void note(struct mz_exchange *x, int status)
{
	const struct mz_http_hooks *hooks = &x->http->setup.hooks;

	hooks->answered(hooks->ctx, x, status);
}

/* What a HEAD asks for is as long as what it does not get. */
static void put_length(struct mz_exchange *x, size_t n)
{
	char text[32];

	snprintf(text, sizeof(text), "%zu", n);
	mz_exchange_put_header(x, "Content-Length", text);
}

void mz_exchange_answer(struct mz_exchange *x, int status, const char *type,
			struct pgw_view body)
{
	struct evhttp_request *req = x->req;
	struct evbuffer *out = evbuffer_new();

	if (evhttp_request_get_command(req) == EVHTTP_REQ_HEAD)
		put_length(x, body.n);
	else if (out && body.n > 0)
		evbuffer_add(out, body.p, body.n);
	if (type)
		mz_exchange_put_header(x, "Content-Type", type);
	note(x, status);
	mz_exchange_drop(x);
	evhttp_send_reply(req, status, NULL, out);
	if (out)
		evbuffer_free(out);
}

void mz_exchange_begin(struct mz_exchange *x, int status, const char *type)
{
	mz_exchange_put_header(x, "Content-Type", type);
	note(x, status);
	evhttp_send_reply_start(x->req, status, NULL);
}

bool mz_exchange_send(struct mz_exchange *x, struct pgw_view piece)
{
	struct evbuffer *out;

	if (evbuffer_get_length(bufferevent_get_output(x->connection->bev)) >
	    BACKLOG_MAX)
		return false;
	out = evbuffer_new();
	if (!out)
		return false;
	evbuffer_add(out, piece.p, piece.n);
	evhttp_send_reply_chunk(x->req, out);
	evbuffer_free(out);
	return true;
}

void mz_exchange_end(struct mz_exchange *x)
{
	struct evhttp_request *req = x->req;

	mz_exchange_drop(x);
	evhttp_send_reply_end(req);
}

const char *mz_http_parameter(struct mz_arena *a, const char *query,
			      const char *name)
{
	struct evkeyvalq list;
	const char *value;

	if (!query || evhttp_parse_query_str(query, &list) != 0)
		return NULL;
	value = evhttp_find_header(&list, name);
	if (value)
		value = mz_strdup(a, value);
	evhttp_clear_headers(&list);
	return value;
}
