/* SPDX-License-Identifier: MIT */
/*
 * The server of `mizzle serve` with a client that sends the input, over a
 * socket as it is.  There is no database: what a command would have said is
 * made up.  However the bytes are cut into pieces, the requests are the same
 * ones; nobody does without the secret what wants one; and what goes back is
 * whole answers, each with its headers.
 *
 * The first byte is a set of flags, the second says how large the pieces are.
 */
#include <config.h>

#include "fuzz.h"
#include "http_inner.h"
#include "serve.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TEXT_MAX 4096
#define ANSWERS_MAX ((size_t)4 << 20)
#define ROUNDS 10000
#define QUIET_ROUNDS 3

enum {
	WITH_SECRET = 1,
	WITH_BASE = 2,
	FAILING = 4,  /* commands do */
	HALFWAY = 8,  /* the client leaves before it has its answers */
	STOPPING = 16 /* the server is asked to end in the midst of it */
};

static const char secret[] = "hunter2hunter2";

struct world {
	uint8_t flags;
	struct mz_context context;
	struct mz_server server;
	struct pgw_buf requests; /* what was asked for, as text */
	struct pgw_buf answers;
	int client, interrupt;
	size_t migrations;
};

/* ---- requests are noted before they are answered */

static struct world *world_of(struct mz_server *s)
{
	return (struct world *)(void *)((char *)s -
					offsetof(struct world, server));
}

static void put(struct pgw_buf *b, const char *text)
{
	pgw_buf_put_text(b, text ? text : "-");
	pgw_buf_put(b, "\0", 1);
}

static void on_request(void *ctx, struct mz_exchange *x,
		       const struct mz_request *r)
{
	struct world *w = world_of(ctx);

	must(r->path || r->why_none);
	must(!r->why_none || r->why_none[0]);
	must(r->body.n <= 64u << 10);
	pgw_buf_put_u32(&w->requests, r->method);
	put(&w->requests, r->why_none);
	put(&w->requests, r->path);
	put(&w->requests, r->query);
	pgw_buf_put(&w->requests, r->body.p, r->body.n);
	mz_serve_request(ctx, x, r);
}

/* ---- commands */

static const char *said_by(const struct mz_task *task)
{
	if (task->kind == MZ_TASK_MIGRATE)
		return "{\"event\":\"applied\",\"tag\":\"0000_a\"}\n"
		       "{\"event\":\"result\",\"command\":\"migrate\","
		       "\"ok\":true}\n";
	return "{\"event\":\"migration\",\"tag\":\"0000_a\",\"state\":"
	       "\"pending\"}\n"
	       "{\"event\":\"result\",\"command\":\"status\",\"ok\":true}\n";
}

static void run(struct world *w, struct mz_task *task)
{
	struct mz_tasks *j = &w->server.tasks;

	task->ok = !(w->flags & FAILING);
	task->status = task->ok ? MZ_ok : MZ_connect;
	pgw_buf_put_text(&task->lines, said_by(task));
	if (task->kind == MZ_TASK_MIGRATE) {
		w->migrations++;
		pgw_buf_put(&j->said, task->lines.data, task->lines.len);
	}
	task->next = NULL;
	if (j->done.last)
		j->done.last->next = task;
	else
		j->done.first = task;
	j->done.last = task;
}

/* Run all that wait. */
static void run_tasks(struct world *w)
{
	struct mz_tasks *j = &w->server.tasks;

	for (int i = 0; i < 2; i++)
		while (j->waiting[i].first) {
			struct mz_task *task = j->waiting[i].first;

			j->waiting[i].first = task->next;
			if (!task->next)
				j->waiting[i].last = NULL;
			run(w, task);
		}
	if (j->done.first)
		mz_serve_woken(&w->server);
}

static void make_tasks(struct world *w)
{
	struct mz_tasks *j = &w->server.tasks;
	int ends[2];

	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	j->base = &w->context;
	j->wake = ends[0];
	j->wake_write = ends[1];
	must(pthread_mutex_init(&j->mutex, NULL) == 0);
	must(pthread_cond_init(&j->more, NULL) == 0);
	pgw_buf_init(&j->said, 1u << 20);
	for (size_t i = 0; i <= MZ_READERS; i++)
		j->workers[i] = (struct mz_worker){ .interrupt_fd = -1,
						    .signal_fd = -1 };
}

/* ---- the two ends */

/* A socket that listens under a name that the kernel chooses. */
static int make_listener(struct sockaddr_un *name, socklen_t *n)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*n = sizeof(name->sun_family);
	must(fd >= 0 && bind(fd, (struct sockaddr *)name, *n) == 0);
	*n = sizeof(*name);
	must(getsockname(fd, (struct sockaddr *)name, n) == 0);
	must(listen(fd, 4) == 0);
	return fd;
}

static void make_http(struct world *w)
{
	struct mz_http_setup setup = {
		.is_unix = true,
		.wake = w->server.tasks.wake,
		.interrupt_fd = w->context.interrupt_fd,
		.connections_max = 2,
		.hooks = { .request = on_request,
			   .gone = mz_serve_gone,
			   .answered = mz_serve_answered,
			   .woken = mz_serve_woken,
			   .interrupted = mz_serve_interrupted,
			   .tick = mz_serve_tick,
			   .ctx = &w->server },
	};
	struct sockaddr_un name;
	struct mz_err err;
	socklen_t n;

	setup.listener = make_listener(&name, &n);
	w->server.http = mz_http_new(&setup, &err);
	must(w->server.http != NULL);
	w->client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			   0);
	must(w->client >= 0 &&
	     connect(w->client, (struct sockaddr *)&name, n) == 0);
}

static FILE *nowhere(void)
{
	static FILE *f;

	if (!f)
		f = fopen("/dev/null", "w");
	must(f != NULL);
	return f;
}

static void set_up(struct world *w, uint8_t flags)
{
	struct mz_server *s = &w->server;
	struct mz_options *o = &w->context.opt;
	struct mz_err err;
	int ends[2];

	memset(w, 0, sizeof(*w));
	w->flags = flags;
	mz_arena_init(&w->context.arena);
	must(mz_options_preset(o, &err));
	mz_report_init(&w->context.report, nowhere(), nowhere());
	w->context.report.quiet = true;
	must(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
	w->context.interrupt_fd = ends[0];
	w->interrupt = ends[1];
	pgw_buf_init(&w->requests, 1u << 24);
	pgw_buf_init(&w->answers, ANSWERS_MAX);
	s->c = &w->context;
	s->base_path = flags & WITH_BASE ? "/base" : "";
	mz_feed_init(&s->feed);
	pgw_buf_init(&s->document, SIZE_MAX);
	pgw_buf_init(&s->applied, SIZE_MAX);
	if (flags & WITH_SECRET)
		must(mz_gate_add(&s->gate, &w->context.arena,
				 pgw_view_of(secret), MZ_RIGHT_MIGRATE) == 1);
	make_tasks(w);
	make_http(w);
}

static void tear_down(struct world *w)
{
	struct mz_server *s = &w->server;

	if (w->client >= 0)
		close(w->client);
	mz_tasks_stop(&s->tasks);
	mz_http_free(s->http);
	mz_serve_forget_runs(s);
	mz_serve_forget_looks(s);
	mz_feed_release(&s->feed);
	close(w->context.interrupt_fd);
	close(w->interrupt);
	mz_arena_release(&w->context.arena);
	pgw_buf_release(&w->requests);
	pgw_buf_release(&w->answers);
}

/* ---- a conversation */

/* What came back; false when there was nothing. */
static bool hear(struct world *w)
{
	unsigned char chunk[8192];
	ssize_t n = recv(w->client, chunk, sizeof(chunk), 0);

	if (n > 0 && w->answers.len + (size_t)n <= ANSWERS_MAX)
		pgw_buf_put(&w->answers, chunk, (size_t)n);
	return n > 0;
}

/* Until nothing happens any more. */
static void turn(struct world *w)
{
	int quiet = 0;

	for (int i = 0; i < ROUNDS && quiet < QUIET_ROUNDS; i++) {
		size_t before = w->requests.len;

		event_base_loop(w->server.http->base, EVLOOP_NONBLOCK);
		run_tasks(w);
		quiet = hear(w) || w->requests.len > before ? 0 : quiet + 1;
	}
}

/* False when the server has hung up. */
static bool send_all(struct world *w, struct pgw_view v)
{
	while (v.n > 0) {
		ssize_t n = send(w->client, v.p, v.n, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return false;
		if (n > 0) {
			v.p += n;
			v.n -= (size_t)n;
		}
		turn(w);
	}
	return true;
}

static void converse(struct world *w, struct pgw_view text, size_t piece)
{
	bool ok = true, stopped = false;

	while (ok && text.n > 0) {
		size_t n = text.n < piece ? text.n : piece;

		ok = send_all(w, (struct pgw_view){ text.p, n });
		text.p += n;
		text.n -= n;
		if ((w->flags & STOPPING) && text.n < piece && !stopped)
			stopped = write(w->interrupt, "\x0f", 1) == 1;
	}
	if (w->flags & HALFWAY) {
		close(w->client);
		w->client = -1;
	} else {
		shutdown(w->client, SHUT_WR);
	}
	for (int i = 0; i < QUIET_ROUNDS; i++)
		if (w->client >= 0)
			turn(w);
		else
			event_base_loop(w->server.http->base, EVLOOP_NONBLOCK);
	run_tasks(w);
}

/* ---- what must hold */

static size_t count(struct pgw_view v, const char *what)
{
	size_t n = 0, size = strlen(what);
	const unsigned char *at;

	while (v.n >= size && (at = memmem(v.p, v.n, what, size)) != NULL) {
		n++;
		v.n -= (size_t)(at - v.p) + size;
		v.p = at + size;
	}
	return n;
}

static void check(const struct world *w, struct pgw_view text)
{
	struct pgw_view answers = pgw_buf_view(&w->answers);
	bool knows = memmem(text.p ? (const char *)text.p : "", text.n, secret,
			    strlen(secret));

	/* what libevent refuses has whatever version it came with */
	if (answers.n >= 7)
		must(memcmp(answers.p, w->requests.len ? "HTTP/1." : "HTTP/",
			    w->requests.len ? 7 : 5) == 0);
	must(knows || count(answers, secret) == 0);
	if ((w->flags & WITH_SECRET) && !knows)
		must(w->migrations == 0);
	must(!w->requests.failed && w->server.http->nconnections <= 2);
}

/* What was asked for, as text. */
static struct pgw_buf play(struct pgw_view text, uint8_t flags, size_t piece)
{
	static struct world w; /* large */
	struct pgw_buf requests;

	set_up(&w, flags);
	converse(&w, text, piece);
	check(&w, text);
	requests = w.requests;
	pgw_buf_init(&w.requests, 0);
	tear_down(&w);
	return requests;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size };
	uint8_t flags = take_byte(&text);
	size_t piece = (size_t)take_byte(&text) % 64 + 1 + text.n / 100;
	struct pgw_buf whole, pieces;

	if (text.n > TEXT_MAX)
		return 0;
	signal(SIGPIPE, SIG_IGN); /* as main does */
	whole = play(text, flags, text.n);
	pieces = play(text, flags, piece);
	if (!(flags & STOPPING))
		must(same_view(pgw_buf_view(&whole), pgw_buf_view(&pieces)));
	pgw_buf_release(&whole);
	pgw_buf_release(&pieces);
	return 0;
}
