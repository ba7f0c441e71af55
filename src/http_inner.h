/* SPDX-License-Identifier: MIT */
/* What http*.c share: they alone know libevent. */
#ifndef MZ_HTTP_INNER_H
#define MZ_HTTP_INNER_H

#include "http.h"

struct event;
struct bufferevent;
struct evhttp_request;

struct mz_exchange {
	struct mz_http *http;
	struct evhttp_request *req;
	struct mz_connection *connection;
	void *user;
	struct mz_exchange *prev, *next;
};

/*
 * What libevent does not tell: how many clients there are, and since when one
 * lets us wait for its request.  Its bufferevent is held until we have seen
 * that libevent is done with it.
 */
struct mz_connection {
	struct mz_http *http;
	struct bufferevent *bev;
	struct mz_exchange *exchange; /* NULL = a request is awaited */
	int64_t since_us;
	struct mz_connection *prev, *next;
};

struct mz_http {
	struct mz_http_setup setup;
	struct event_base *base;
	struct evhttp *evhttp;
	struct evhttp_bound_socket *bound;
	struct event *wake, *interrupt, *tick;
	struct mz_connection *connections;
	size_t nconnections;
	struct mz_exchange *exchanges;
	bool full; /* so that nobody is accepted */
};

/* A request came, whole; ctx is the struct mz_http. */
void mz_exchange_come(struct evhttp_request *req, void *ctx);

/* It is answered, or its client has left. */
void mz_exchange_drop(struct mz_exchange *x);

/* NULL = it is none of ours. */
struct mz_connection *mz_connection_find(struct mz_http *h,
					 struct evhttp_request *req);

#endif
