/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "http.h"

#include "http_tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX (16u << 10)
#define BODY_MAX (64u << 10)
#define REQUEST_MS 15000 /* for a request to come, from its connection on */
#define IDLE_S 60	 /* without a byte in either direction */
#define BACKLOG_MAX ((size_t)1 << 20) /* that a client has not taken yet */

struct mz_exchange {
	struct mz_http *http;
	struct evhttp_request *req;
	struct connection *connection;
	void *user;
	bool begun; /* of an answer in pieces */
	int status;
	struct mz_exchange *prev, *next;
};

/*
 * What libevent does not tell: how many clients there are, and since when one
 * lets us wait for its request.  Known by the filter that each is read
 * through, which changes nothing and says when it is freed.
 */
struct connection {
	struct mz_http *http;
	struct bufferevent *filter, *socket;
	struct mz_exchange *exchange; /* NULL = a request is awaited */
	int64_t since_us;
	struct connection *prev, *next;
};

struct mz_http {
	struct mz_http_setup setup;
	struct event_base *base;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound;
	struct event *wake, *interrupt, *tick;
	struct connection *connections;
	size_t nconnections;
	struct mz_exchange *exchanges;
	size_t nexchanges;
	bool full; /* so that nobody is accepted */
};

/* ---- connections */

static void let_in(struct mz_http *h)
{
	bool full = h->nconnections >= h->setup.connections_max;
	struct evconnlistener *l;

	if (full == h->full || !h->bound)
		return;
	h->full = full;
	l = evhttp_bound_socket_get_listener(h->bound);
	if (full)
		evconnlistener_disable(l);
	else
		evconnlistener_enable(l);
}

static void drop_exchange(struct mz_exchange *x)
{
	struct mz_http *h = x->http;

	h->setup.hooks.gone(h->setup.hooks.ctx, x);
	if (x->prev)
		x->prev->next = x->next;
	else
		h->exchanges = x->next;
	if (x->next)
		x->next->prev = x->prev;
	h->nexchanges--;
	x->connection->exchange = NULL;
	x->connection->since_us = pgw_clock_us();
	free(x);
}

/* Its request is freed next, whether it was answered or not. */
static void on_closed(struct evhttp_connection *evcon, void *ctx)
{
	struct connection *c = ctx;

	(void)evcon;
	if (c->exchange)
		drop_exchange(c->exchange);
}

static void on_freed(void *ctx)
{
	struct connection *c = ctx;
	struct mz_http *h = c->http;

	if (c->prev)
		c->prev->next = c->next;
	else
		h->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	h->nconnections--;
	free(c);
	let_in(h);
}

static void add_connection(struct mz_http *h, struct connection *c)
{
	c->http = h;
	c->since_us = pgw_clock_us();
	c->next = h->connections;
	if (h->connections)
		h->connections->prev = c;
	h->connections = c;
	h->nconnections++;
	let_in(h);
}

/* A client was accepted; its socket is set later. */
static struct bufferevent *on_accepted(struct event_base *base, void *ctx)
{
	struct connection *c = calloc(1, sizeof(*c));
	struct mz_http *h = ctx;

	if (!c)
		return NULL;
	c->socket = h->setup.tls ?
			    mz_tls_bufferevent(base, h->setup.tls) :
			    bufferevent_socket_new(base, -1,
						   BEV_OPT_CLOSE_ON_FREE);
	if (c->socket)
		c->filter = bufferevent_filter_new(c->socket, NULL, NULL,
						   BEV_OPT_CLOSE_ON_FREE,
						   on_freed, c);
	if (!c->filter) {
		if (c->socket)
			bufferevent_free(c->socket);
		free(c);
		return NULL;
	}
	add_connection(h, c);
	return c->filter;
}

static struct connection *find(const struct mz_http *h,
			       struct evhttp_connection *evcon)
{
	const struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evcon);
	struct connection *c = h->connections;

	while (c && c->filter != bev)
		c = c->next;
	return c;
}

/* libevent then sees the end of it, and closes. */
static void hang_up(struct connection *c)
{
	shutdown(bufferevent_getfd(c->socket), SHUT_RDWR);
}

static void hang_up_on_the_slow(struct mz_http *h)
{
	int64_t now = pgw_clock_us();

	for (struct connection *c = h->connections; c; c = c->next)
		if (!c->exchange &&
		    now - c->since_us > (int64_t)REQUEST_MS * 1000)
			hang_up(c);
}

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
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	struct mz_exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	*x = (struct mz_exchange){ .http = h,
				   .req = req,
				   .next = h->exchanges };
	if (h->exchanges)
		h->exchanges->prev = x;
	h->exchanges = x;
	h->nexchanges++;
	x->connection = find(h, evcon);
	x->connection->exchange = x;
	evhttp_connection_set_closecb(evcon, on_closed, x->connection);
	return x;
}

static void on_request(struct evhttp_request *req, void *ctx)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(req);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct mz_http *h = ctx;
	struct mz_exchange *x = new_exchange(h, req);
	struct mz_request r = {
		.method = method_of(req),
		.query = uri ? evhttp_uri_get_query(uri) : NULL,
		.address = address_of(h, evhttp_request_get_connection(req)),
		.began_us = pgw_clock_us(),
	};
	size_t n = 0;
	char *decoded;

	if (!x) {
		evhttp_send_error(req, 503, NULL);
		return;
	}
	decoded = path ? evhttp_uridecode(path, 0, &n) : NULL;
	/* a NUL in it is no path of ours */
	r.path = decoded && strlen(decoded) == n ? decoded : NULL;
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

static void note(struct mz_exchange *x, int status)
{
	const struct mz_http_hooks *hooks = &x->http->setup.hooks;

	x->status = status;
	hooks->answered(hooks->ctx, x, status);
}

/* A filter that was not allowed to write does not begin by itself. */
static void push(struct connection *c)
{
	bufferevent_flush(c->filter, EV_WRITE, BEV_NORMAL);
}

void mz_exchange_answer(struct mz_exchange *x, int status, const char *type,
			struct pgw_view body)
{
	struct evhttp_request *req = x->req;
	struct connection *c = x->connection;
	struct evbuffer *out = evbuffer_new();

	if (out && body.n > 0)
		evbuffer_add(out, body.p, body.n);
	if (type)
		mz_exchange_put_header(x, "Content-Type", type);
	note(x, status);
	drop_exchange(x);
	evhttp_send_reply(req, status, NULL, out);
	push(c);
	if (out)
		evbuffer_free(out);
}

void mz_exchange_begin(struct mz_exchange *x, int status, const char *type)
{
	mz_exchange_put_header(x, "Content-Type", type);
	x->begun = true;
	note(x, status);
	evhttp_send_reply_start(x->req, status, NULL);
	push(x->connection);
}

bool mz_exchange_send(struct mz_exchange *x, struct pgw_view piece)
{
	struct bufferevent *bev = evhttp_connection_get_bufferevent(
		evhttp_request_get_connection(x->req));
	struct evbuffer *out;

	if (evbuffer_get_length(bufferevent_get_output(bev)) > BACKLOG_MAX)
		return false;
	out = evbuffer_new();
	if (!out)
		return false;
	evbuffer_add(out, piece.p, piece.n);
	evhttp_send_reply_chunk(x->req, out);
	push(x->connection);
	evbuffer_free(out);
	return true;
}

void mz_exchange_end(struct mz_exchange *x)
{
	struct evhttp_request *req = x->req;
	struct connection *c = x->connection;

	drop_exchange(x);
	evhttp_send_reply_end(req);
	push(c);
}

/* ---- the loop */

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	const struct mz_http_hooks *hooks =
		&((struct mz_http *)ctx)->setup.hooks;

	(void)fd;
	(void)what;
	hooks->woken(hooks->ctx);
}

static void on_interrupt(evutil_socket_t fd, short what, void *ctx)
{
	const struct mz_http_hooks *hooks =
		&((struct mz_http *)ctx)->setup.hooks;

	(void)fd;
	(void)what;
	hooks->interrupted(hooks->ctx);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
	struct mz_http *h = ctx;

	(void)fd;
	(void)what;
	hang_up_on_the_slow(h);
	h->setup.hooks.tick(h->setup.hooks.ctx);
}

static bool watch(struct mz_http *h, struct event **e, int fd,
		  event_callback_fn call)
{
	if (fd < 0)
		return true;
	*e = event_new(h->base, fd, EV_READ | EV_PERSIST, call, h);
	return *e && event_add(*e, NULL) == 0;
}

static bool watch_all(struct mz_http *h)
{
	static const struct timeval second = { 1, 0 };

	h->tick = event_new(h->base, -1, EV_PERSIST, on_tick, h);
	return h->tick && event_add(h->tick, &second) == 0 &&
	       watch(h, &h->wake, h->setup.wake, on_wake) &&
	       watch(h, &h->interrupt, h->setup.interrupt_fd, on_interrupt);
}

static bool set_up(struct mz_http *h)
{
	h->base = event_base_new();
	h->evhttp = h->base ? evhttp_new(h->base) : NULL;
	if (!h->evhttp)
		return false;
	evhttp_set_max_headers_size(h->evhttp, HEADERS_MAX);
	evhttp_set_max_body_size(h->evhttp, BODY_MAX);
	evhttp_set_timeout(h->evhttp, IDLE_S);
	evhttp_set_default_content_type(h->evhttp, NULL);
	evhttp_set_gencb(h->evhttp, on_request, h);
	evhttp_set_bevcb(h->evhttp, on_accepted, h);
	evutil_make_socket_nonblocking(h->setup.listener);
	h->bound = evhttp_accept_socket_with_handle(h->evhttp,
						    h->setup.listener);
	return h->bound && watch_all(h);
}

struct mz_http *mz_http_new(const struct mz_http_setup *setup,
			    struct mz_err *err)
{
	struct mz_http *h = calloc(1, sizeof(*h));

	if (h)
		h->setup = *setup;
	if (h && set_up(h))
		return h;
	if (!h || !h->bound)
		close(setup->listener);
	mz_http_free(h);
	mz_fail(err, MZ_internal, "cannot set up the server");
	return NULL;
}

static void free_event(struct event *e)
{
	if (e)
		event_free(e);
}

void mz_http_free(struct mz_http *h)
{
	if (!h)
		return;
	free_event(h->wake);
	free_event(h->interrupt);
	free_event(h->tick);
	h->bound = NULL;
	if (h->evhttp)
		evhttp_free(h->evhttp);
	while (h->exchanges)
		drop_exchange(h->exchanges);
	if (h->base)
		event_base_free(h->base);
	free(h);
}

bool mz_http_run(struct mz_http *h)
{
	return event_base_dispatch(h->base) >= 0;
}

void mz_http_stop_accepting(struct mz_http *h)
{
	if (h->bound)
		evhttp_del_accept_socket(h->evhttp, h->bound);
	h->bound = NULL;
	for (struct connection *c = h->connections; c; c = c->next)
		if (!c->exchange)
			hang_up(c);
}

void mz_http_end(struct mz_http *h)
{
	static const struct timeval soon = { 0, 200000 };

	/* what was answered still has to go out */
	event_base_loopexit(h->base, &soon);
}

size_t mz_http_open(const struct mz_http *h)
{
	return h->nexchanges;
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
