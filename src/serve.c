/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "serve.h"

#include <stdlib.h>
#include <string.h>

/* ---- routes */

struct call {
	struct mz_server *s;
	struct mz_visit *v;
	const struct mz_request *r;
};

static void healthz(const struct call *call)
{
	mz_serve_text(call->v, 200, "text/plain; charset=utf-8", "ok\n");
}

static void readyz(const struct call *call)
{
	mz_serve_look(call->s, call->v, MZ_WAITS_READY);
}

static void metrics(const struct call *call)
{
	mz_serve_look(call->s, call->v, MZ_WAITS_METRICS);
}

static void status(const struct call *call)
{
	mz_serve_look(call->s, call->v, MZ_WAITS_STATUS);
}

static void no_memory(struct mz_visit *v)
{
	mz_serve_refuse(v, 500, "internal", "out of memory", NULL);
}

/* The task of a query such as ?to=TAG&transaction=all, or NULL. */
static struct mz_task *task_of_query(const struct call *call,
				     enum mz_task_kind kind)
{
	struct mz_task *task = mz_task_new(kind, call->v);
	const char *transaction;

	if (!task) {
		no_memory(call->v);
		return NULL;
	}
	task->ask.to = mz_http_parameter(&task->arena, call->r->query, "to");
	task->ask.tag = mz_http_parameter(&task->arena, call->r->query, "tag");
	transaction = mz_http_parameter(&task->arena, call->r->query,
					"transaction");
	if (!transaction)
		return task;
	task->ask.has_transaction = true;
	if (strcmp(transaction, "all") == 0)
		task->ask.transaction = MZ_TRANSACTION_ALL;
	else if (strcmp(transaction, "each") != 0) {
		mz_task_free(task);
		mz_serve_refuse(call->v, 400, "usage",
				"transaction is neither each nor all", NULL);
		return NULL;
	}
	return task;
}

static void plan(const struct call *call)
{
	struct mz_task *task = task_of_query(call, MZ_TASK_PLAN);

	if (task)
		mz_serve_task(call->s, call->v, task);
}

static void script(const struct call *call)
{
	struct mz_task *task = task_of_query(call, MZ_TASK_SCRIPT);

	if (!task)
		return;
	if (task->ask.tag) {
		mz_serve_task(call->s, call->v, task);
		return;
	}
	mz_task_free(task);
	mz_serve_refuse(call->v, 400, "usage", "which one? ?tag=TAG says it",
			NULL);
}

static bool number_of(const char *text, uint64_t *out)
{
	size_t n = text ? strlen(text) : 0;

	*out = 0;
	if (n == 0 || n > 18 || strspn(text, "0123456789") != n)
		return n == 0;
	*out = strtoull(text, NULL, 10);
	return true;
}

static void events(const struct call *call)
{
	const char *last = mz_exchange_header(call->v->x, "Last-Event-ID");
	struct mz_arena a;
	uint64_t behind;

	mz_arena_init(&a);
	if (!last)
		last = mz_http_parameter(&a, call->r->query, "last_event_id");
	if (number_of(last, &behind))
		mz_serve_events(call->s, call->v, behind);
	else
		mz_serve_refuse(call->v, 400, "usage",
				"Last-Event-ID is no number of ours", NULL);
	mz_arena_release(&a);
}

/* HTML, and rather than JSON. */
static bool accepts_page(const struct mz_visit *v)
{
	const char *accept = mz_exchange_header(v->x, "Accept");
	const char *html = accept ? strcasestr(accept, "text/html") : NULL;
	const char *json = html ? strcasestr(accept, "application/json") : NULL;

	return html && (!json || html < json);
}

/*
 * The page, and what it names by a query alone: a path that has no slash at
 * its end keeps its last part so.
 */
static bool wants_page(const struct mz_visit *v, const struct mz_request *r)
{
	return mz_serve_has_page(r->query) || accepts_page(v);
}

static void page_or_status(const struct call *call)
{
	const char *query = call->r->query;

	if (wants_page(call->v, call->r))
		mz_serve_page(call->v, mz_serve_has_page(query) ? query : "");
	else
		status(call);
}

static void migrate(const struct call *call)
{
	struct mz_task *task = mz_task_new(MZ_TASK_MIGRATE, call->v);
	const char *why;

	if (!task) {
		no_memory(call->v);
	} else if (!mz_serve_parse(&task->ask, &task->arena, call->r->body,
				   &why)) {
		mz_serve_refuse(call->v, 400, "usage", why, NULL);
		mz_task_free(task);
	} else if (task->ask.dry_run) {
		task->kind = MZ_TASK_PLAN;
		mz_serve_task(call->s, call->v, task);
	} else {
		mz_serve_migrate(call->s, call->v, task,
				 mz_serve_accepts(call->v, "Accept",
						  "text/event-stream"));
	}
}

#define READS (1u << MZ_GET | 1u << MZ_HEAD)

/* The first that fits; paths in front of them is that of --base-path. */
static const struct route {
	const char *path;
	bool based;
	unsigned methods;
	enum mz_right right; /* of what is no page */
	void (*call)(const struct call *call);
} routes[] = {
	{ "/healthz", false, READS, MZ_RIGHT_NONE, healthz },
	{ "/readyz", false, READS, MZ_RIGHT_NONE, readyz },
	{ "/metrics", false, READS, MZ_RIGHT_READ, metrics },
	{ "", true, READS, MZ_RIGHT_READ, page_or_status },
	{ "", true, 1u << MZ_POST, MZ_RIGHT_MIGRATE, migrate },
	{ "/status", true, READS, MZ_RIGHT_READ, status },
	{ "/plan", true, READS, MZ_RIGHT_READ, plan },
	{ "/sql", true, READS, MZ_RIGHT_READ, script },
	{ "/events", true, 1u << MZ_GET, MZ_RIGHT_READ, events },
};

static bool is_path(const struct mz_server *s, const struct route *row,
		    const char *path)
{
	size_t n = row->based ? strlen(s->base_path) : 0;

	return strncmp(path, s->base_path, n) == 0 &&
	       strcmp(path + n, row->path) == 0;
}

/* *methods: those of that path; 0 = it is none of ours. */
static const struct route *find_route(const struct mz_server *s,
				      const struct mz_request *r,
				      unsigned *methods)
{
	*methods = 0;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!is_path(s, &routes[i], r->path))
			continue;
		*methods |= routes[i].methods;
		if (routes[i].methods & (1u << r->method))
			return &routes[i];
	}
	return NULL;
}

/* ---- who may */

static bool knows_host(const struct mz_server *s, struct mz_visit *v)
{
	const char *host = mz_exchange_header(v->x, "Host");

	if (mz_gate_host(&s->gate, host))
		return true;
	mz_serve_refuse(v, 403, "refused", "the header Host names another host",
			"name it with --allow-host where that is wanted");
	return false;
}

static void put_challenge(struct mz_visit *v)
{
	mz_exchange_put_header(v->x, "WWW-Authenticate",
			       "Bearer realm=\"mizzle\"");
}

static bool paused(struct mz_server *s, struct mz_visit *v, int64_t now_ms)
{
	int64_t pause = mz_gate_pause(&s->gate, v->address, now_ms);
	struct mz_arena a;

	if (pause == 0)
		return false;
	mz_arena_init(&a);
	mz_exchange_put_header(v->x, "Retry-After",
			       mz_printf(&a, "%lld",
					 (long long)(pause + 999) / 1000));
	mz_arena_release(&a);
	mz_serve_refuse(v, 429, "refused",
			"too many wrong secrets from this address",
			"Retry-After says how long to wait");
	return true;
}

/* A wrong secret is somebody's guess; none at all is a first visit. */
static void refuse_secret(struct mz_server *s, struct mz_visit *v,
			  const char *authorization, int64_t now_ms)
{
	if (authorization) {
		mz_gate_failed(&s->gate, v->address, now_ms);
		s->refused++;
		mz_report_warning(&s->c->report, "a wrong secret from %s",
				  v->address);
	}
	put_challenge(v);
	mz_serve_refuse(v, 401, "refused",
			authorization ? "the secret is wrong" :
					"a secret is needed",
			"send it as Authorization: Bearer SECRET");
}

static bool has_secret(struct mz_server *s, struct mz_visit *v,
		       enum mz_right needed)
{
	const char *authorization = mz_exchange_header(v->x, "Authorization");
	int64_t now_ms = pgw_clock_us() / 1000;

	if (s->gate.nkeys > 0 && authorization && paused(s, v, now_ms))
		return false;
	v->right = mz_gate_right(&s->gate, authorization);
	if (v->right == MZ_RIGHT_NONE) {
		refuse_secret(s, v, authorization, now_ms);
		return false;
	}
	mz_gate_passed(&s->gate, v->address);
	if (v->right >= needed)
		return true;
	mz_serve_refuse(v, 403, "refused", "this secret may only read", NULL);
	return false;
}

static bool is_of_us(struct mz_visit *v)
{
	if (mz_gate_origin(mz_exchange_header(v->x, "Host"),
			   mz_exchange_header(v->x, "Origin"),
			   mz_exchange_header(v->x, "Sec-Fetch-Site")))
		return true;
	mz_serve_refuse(v, 403, "refused", "a page of another site asks for it",
			NULL);
	return false;
}

static bool may(struct mz_server *s, struct mz_visit *v,
		const struct mz_request *r, const struct route *row)
{
	if (!knows_host(s, v))
		return false;
	if (v->method == MZ_POST && !is_of_us(v))
		return false;
	return row->right == MZ_RIGHT_NONE ||
	       (row->call == page_or_status && wants_page(v, r)) ||
	       has_secret(s, v, row->right);
}

/* ---- from request to answer */

static void no_route(struct mz_server *s, struct mz_visit *v,
		     const struct mz_request *r, unsigned methods)
{
	size_t n = strlen(s->base_path);
	bool slash = strncmp(r->path, s->base_path, n) == 0 &&
		     strcmp(r->path + n, "/") == 0;

	if (methods) {
		mz_exchange_put_header(v->x, "Allow",
				       methods & 1u << MZ_POST ?
					       "GET, HEAD, POST" :
				       methods & 1u << MZ_HEAD ? "GET, HEAD" :
								 "GET");
		mz_serve_refuse(v, 405, "usage", "not by this method", NULL);
	} else if (slash || strcmp(r->path, "/") == 0) {
		mz_exchange_put_header(v->x, "Location", s->base_path);
		mz_serve_text(v, 302, NULL, "");
	} else {
		mz_serve_refuse(v, 404, "usage", "there is nothing here",
				s->base_path);
	}
}

/* Who stands behind proxies that are trusted: the last that is none of them. */
static void put_address(const struct mz_server *s, struct mz_visit *v,
			const char *peer)
{
	const mz_kind_texts *proxies = &s->c->opt.trusted_proxy;
	const char *forwarded;
	struct mz_arena a;
	size_t end;

	mz_arena_init(&a);
	forwarded = mz_exchange_list(v->x, &a, "X-Forwarded-For");
	end = forwarded ? strlen(forwarded) : 0;
	strncpy(v->address, peer, sizeof(v->address) - 1);
	while (mz_gate_is_one(proxies->list, proxies->n, v->address) &&
	       end > 0) {
		size_t start = end;

		while (start > 0 && forwarded[start - 1] != ',')
			start--;
		mz_gate_trim(v->address, sizeof(v->address), forwarded + start,
			     end - start);
		end = start > 0 ? start - 1 : 0;
	}
	mz_arena_release(&a);
}

static struct mz_visit *new_visit(struct mz_server *s, struct mz_exchange *x,
				  const struct mz_request *r)
{
	struct mz_visit *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->x = x;
	v->method = r->method;
	v->began_us = r->began_us;
	strncpy(v->path, r->path ? r->path : "?", sizeof(v->path) - 1);
	v->next = s->visits;
	if (s->visits)
		s->visits->prev = v;
	s->visits = v;
	mz_exchange_set(x, v);
	put_address(s, v, r->address);
	return v;
}

void mz_serve_request(void *ctx, struct mz_exchange *x,
		      const struct mz_request *r)
{
	struct mz_server *s = ctx;
	struct mz_visit *v = new_visit(s, x, r);
	const struct route *row;
	unsigned methods;

	if (!v) {
		mz_exchange_answer(x, 503, NULL, (struct pgw_view){ 0 });
		return;
	}
	if (r->why_none) {
		mz_exchange_put_header(x, "Connection", "close");
		mz_serve_refuse(v, 400, "usage", r->why_none, NULL);
		return;
	}
	if (s->signal) {
		mz_exchange_put_header(x, "Connection", "close");
		mz_serve_refuse(v, 503, "connect", "the server is ending",
				NULL);
		return;
	}
	row = find_route(s, r, &methods);
	if (!row)
		no_route(s, v, r, methods);
	else if (may(s, v, r, row))
		row->call(&(struct call){ s, v, r });
}

void mz_serve_gone(void *ctx, struct mz_exchange *x)
{
	struct mz_visit *v = mz_exchange_get(x);
	struct mz_server *s = ctx;

	if (!v)
		return;
	if (v->task)
		v->task->owner = NULL;
	if (v->prev)
		v->prev->next = v->next;
	else
		s->visits = v->next;
	if (v->next)
		v->next->prev = v->prev;
	free(v);
}

void mz_serve_answered(void *ctx, struct mz_exchange *x, int status)
{
	static const char *const methods[] = { "GET", "HEAD", "POST", "?" };
	const struct mz_visit *v = mz_exchange_get(x);
	struct mz_server *s = ctx;

	if (status >= 100 && status < 600)
		s->answers[status / 100]++;
	if (!v)
		return;
	mz_report_request(&s->c->report,
			  &(struct mz_served){ .address = v->address,
					       .method = methods[v->method],
					       .path = v->path,
					       .status = status,
					       .us = (uint64_t)(pgw_clock_us() -
								v->began_us) });
}
