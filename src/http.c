/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "http_inner.h"

#include "http_tls.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADERS_MAX (16u << 10)
#define BODY_MAX (64u << 10)
#define INPUT_MAX (128u << 10) /* of what is not read yet */
#define REQUEST_MS 15000       /* for a request to come, whole */
#define METHODS 0x17F	       /* all that libevent reads, but CONNECT */
#define IDLE_S 60	       /* without a byte in either direction */

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

/* There are no descriptors left: the next tick may be better. */
static void on_accept_failed(struct evconnlistener *l, void *evhttp)
{
	(void)evhttp;
	evconnlistener_disable(l);
}

static void try_again(struct mz_http *h)
{
	if (h->bound && !h->full)
		evconnlistener_enable(
			evhttp_bound_socket_get_listener(h->bound));
}

static void forget(struct mz_http *h, struct mz_connection *c)
{
	bufferevent_decref(c->bev);
	if (h->connections == c)
		h->connections = c->next;
	else
		c->prev->next = c->next;
	if (c->next)
		c->next->prev = c->prev;
	h->nconnections--;
	let_in(h);
	free(c);
}

static void remember(struct mz_http *h, struct mz_connection *c)
{
	bufferevent_incref(c->bev);
	c->http = h;
	c->since_us = pgw_clock_us();
	c->next = h->connections;
	if (h->connections)
		h->connections->prev = c;
	h->connections = c;
	h->nconnections++;
	let_in(h);
}

/* The connection ends. */
static void on_closed(struct evhttp_connection *evcon, void *ctx)
{
	struct mz_connection *c = ctx;
	struct mz_exchange *x = c->exchange;
	struct evhttp_request *req = x ? x->req : NULL;

	(void)evcon;
	if (x)
		mz_exchange_drop(x);
	/* libevent has let go of it, and leaves it to us */
	if (req && !evhttp_request_get_connection(req))
		evhttp_request_free(req);
	forget(c->http, c);
}

static bool is_sending(const struct mz_connection *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev)) > 0;
}

/* libevent then sees the end of it, and closes. */
static void hang_up(const struct mz_connection *c)
{
	if (!c->exchange && !is_sending(c))
		shutdown(bufferevent_getfd(c->bev), SHUT_RDWR);
}

/* libevent has taken its calls off. */
static bool is_ended(const struct mz_connection *c)
{
	bufferevent_event_cb call;

	bufferevent_getcb(c->bev, NULL, NULL, &call, NULL);
	return !call;
}

/*
 * Forget those that ended before a whole request came, of which libevent tells
 * nobody, and hang up on those of which none comes.
 */
static void look_after(struct mz_http *h)
{
	int64_t now = pgw_clock_us();
	struct mz_connection *c, *next;

	for (c = h->connections; c; c = next) {
		next = c->next;
		if (is_ended(c))
			forget(h, c);
		else if (now - c->since_us > (int64_t)REQUEST_MS * 1000)
			hang_up(c);
	}
}

/* A client was accepted; its socket is set later. */
static struct bufferevent *on_accepted(struct event_base *base, void *ctx)
{
	struct mz_connection *c = calloc(1, sizeof(*c));
	struct mz_http *h = ctx;

	if (!c)
		return NULL;
	c->bev = h->setup.tls ? mz_tls_bufferevent(base, h->setup.tls) :
				bufferevent_socket_new(base, -1,
						       BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev) {
		free(c);
		return NULL;
	}
	bufferevent_setwatermark(c->bev, EV_READ, 0, INPUT_MAX);
	if (h->nconnections + 1 >= h->setup.connections_max)
		look_after(h);
	remember(h, c);
	return c->bev;
}

struct mz_connection *mz_connection_find(struct mz_http *h,
					 struct evhttp_request *req)
{
	struct evhttp_connection *evcon = evhttp_request_get_connection(req);
	const struct bufferevent *bev =
		evhttp_connection_get_bufferevent(evcon);
	struct mz_connection *c = h->connections;

	while (c && c->bev != bev)
		c = c->next;
	if (c)
		evhttp_connection_set_closecb(evcon, on_closed, c);
	return c;
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
	look_after(h);
	try_again(h);
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
	evhttp_set_allowed_methods(h->evhttp, METHODS);
	evhttp_set_gencb(h->evhttp, mz_exchange_come, h);
	evhttp_set_bevcb(h->evhttp, on_accepted, h);
	evutil_make_socket_nonblocking(h->setup.listener);
	h->bound = evhttp_accept_socket_with_handle(h->evhttp,
						    h->setup.listener);
	if (!h->bound)
		return false;
	evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(h->bound),
				    on_accept_failed);
	return watch_all(h);
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
	while (h->connections)
		forget(h, h->connections);
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
	for (struct mz_connection *c = h->connections; c; c = c->next)
		hang_up(c);
}

void mz_http_end(struct mz_http *h)
{
	static const struct timeval soon = { 0, 200000 };

	/* what was answered still has to go out */
	event_base_loopexit(h->base, &soon);
}
