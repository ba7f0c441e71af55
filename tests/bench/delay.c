/* SPDX-License-Identifier: MIT */
/*
 * A long way to a server, for tests and benchmarks: delay PORT MS
 *
 * Listens on 127.0.0.1, says on which port, and passes what comes on to PORT,
 * MS milliseconds later in each direction, in order, and as much at a time as
 * comes.  As connecting would take a round trip too, the first bytes of a
 * client come that much later.  Ends when its standard input does.
 *
 * Of each connection there is a line "+" when it is taken and one when it has
 * ended: how many round trips it took, that of connecting included, and the
 * bytes from and to the client.  A
 * piece is one round trip further than the answers that its sender had by
 * then: what is sent ahead costs none, and a goodbye without an answer neither.
 */
#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNS_MAX 64
#define PIECE (64u << 10)
#define QUEUED_MAX (256u << 20) /* on its way, in one direction */
#define NS 1000000000
#define NEVER INT64_MAX

struct piece {
	struct piece *next;
	int64_t due_ns;
	size_t turn, at, n; /* n = 0: the end */
	unsigned char bytes[];
};

/* From one socket to the other. */
struct way {
	int from, to;
	struct piece *first, *last;
	size_t queued, bytes;
	size_t turn; /* of what was delivered last */
	bool ended;  /* by who sends */
	bool over;   /* and who receives knows, or is gone */
};

struct conn {
	bool open;
	int64_t since_ns;
	struct way up, down; /* from the client; from the server */
};

struct delay {
	int listener;
	uint16_t target;
	int64_t ns;
	struct conn conns[CONNS_MAX];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS + t.tv_nsec;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in local(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr =
					     htonl(INADDR_LOOPBACK) };
}

static void at_once(int fd)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		die("TCP_NODELAY");
}

/* ---- connections */

static int to_server(uint16_t port)
{
	struct sockaddr_in to = local(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static void take_client(struct delay *d)
{
	int client = accept(d->listener, NULL, NULL), server;

	if (client < 0)
		return;
	server = to_server(d->target);
	if (server < 0) { /* then nobody is here either */
		close(client);
		return;
	}
	at_once(client);
	at_once(server);
	for (size_t i = 0; i < CONNS_MAX; i++) {
		if (d->conns[i].open)
			continue;
		d->conns[i] = (struct conn){
			.open = true,
			.since_ns = now_ns(),
			.up = { .from = client, .to = server },
			.down = { .from = server, .to = client },
		};
		puts("+");
		fflush(stdout);
		return;
	}
	fputs("delay: too many connections\n", stderr);
	exit(1);
}

static void release(struct way *w)
{
	while (w->first) {
		struct piece *p = w->first;

		w->first = p->next;
		free(p);
	}
	close(w->from);
}

/* One side has heard all, so there is nobody left to talk to. */
static void finish(struct conn *c)
{
	printf("%zu %zu %zu\n", c->down.turn + 1, c->up.bytes, c->down.bytes);
	fflush(stdout);
	release(&c->up);
	release(&c->down);
	c->open = false;
}

/* ---- bytes */

/* The first words of a client wait until it would have been connected. */
static int64_t due(const struct delay *d, const struct conn *c,
		   const struct way *w)
{
	int64_t now = now_ns(), connected = c->since_ns + 2 * d->ns;

	return (w == &c->up && now < connected ? connected : now) + d->ns;
}

static void queue(struct way *w, const struct piece *as,
		  const unsigned char *bytes)
{
	struct piece *p = malloc(sizeof(*p) + as->n);

	if (!p)
		die("malloc");
	*p = *as;
	memcpy(p->bytes, bytes, p->n);
	if (w->first)
		w->last->next = p;
	else
		w->first = p;
	w->last = p;
	w->queued += p->n;
	w->bytes += p->n;
}

static void receive(const struct delay *d, struct conn *c, struct way *w)
{
	unsigned char bytes[PIECE];
	ssize_t n = recv(w->from, bytes, PIECE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	w->ended = n <= 0;
	queue(w,
	      &(struct piece){ .due_ns = due(d, c, w),
			       .turn = w == &c->up ? c->down.turn + 1 :
						     c->up.turn,
			       .n = n > 0 ? (size_t)n : 0 },
	      bytes);
}

/* The first piece, or some of it; true when the other side took all of it. */
static bool pass_on(struct way *w)
{
	struct piece *p = w->first;
	ssize_t n = send(w->to, p->bytes + p->at, p->n - p->at,
			 MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0) {
		w->over = errno != EAGAIN && errno != EINTR;
		return false;
	}
	w->turn = p->turn;
	w->queued -= (size_t)n;
	p->at += (size_t)n;
	return p->at == p->n;
}

/* What is due, as far as the other side takes it. */
static void deliver(struct way *w, int64_t now)
{
	while (!w->over && w->first && w->first->due_ns <= now) {
		struct piece *p = w->first;

		if (p->n == 0)
			w->over = true;
		else if (!pass_on(w))
			return;
		w->first = p->next;
		free(p);
	}
}

/* ---- the loop */

/* What to wait for; the time of the next piece is in *next. */
static short wanted(const struct way *in, const struct way *out, int64_t now,
		    int64_t *next)
{
	short events = 0;

	if (!in->ended && in->queued < QUEUED_MAX)
		events |= POLLIN;
	if (out->first && out->first->due_ns <= now)
		events |= POLLOUT;
	else if (out->first && out->first->due_ns < *next)
		*next = out->first->due_ns;
	return events;
}

static void serve(const struct delay *d, struct conn *c, short client,
		  short server)
{
	int64_t now = now_ns();

	if ((client & (POLLIN | POLLHUP | POLLERR)) && !c->up.ended)
		receive(d, c, &c->up);
	if ((server & (POLLIN | POLLHUP | POLLERR)) && !c->down.ended)
		receive(d, c, &c->down);
	deliver(&c->up, now);
	deliver(&c->down, now);
	if (c->up.over || c->down.over)
		finish(c);
}

static bool step(struct delay *d)
{
	struct pollfd fds[2 + 2 * CONNS_MAX];
	int64_t now = now_ns(), next = NEVER;
	struct timespec timeout;

	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = d->listener, .events = POLLIN };
	for (size_t i = 0; i < CONNS_MAX; i++) {
		struct conn *c = &d->conns[i];
		struct pollfd *f = &fds[2 + 2 * i];

		f[0] = f[1] = (struct pollfd){ .fd = -1 };
		if (!c->open)
			continue;
		f[0].events = wanted(&c->up, &c->down, now, &next);
		f[1].events = wanted(&c->down, &c->up, now, &next);
		/* A side that has ended would say so again and again. */
		f[0].fd = f[0].events ? c->up.from : -1;
		f[1].fd = f[1].events ? c->down.from : -1;
	}
	now = next == NEVER || next <= now ? 0 : next - now;
	timeout = (struct timespec){ .tv_sec = now / NS, .tv_nsec = now % NS };
	if (ppoll(fds, 2 + 2 * CONNS_MAX, next == NEVER ? NULL : &timeout,
		  NULL) < 0)
		return errno == EINTR;
	for (size_t i = 0; i < CONNS_MAX; i++)
		if (d->conns[i].open)
			serve(d, &d->conns[i], fds[2 + 2 * i].revents,
			      fds[3 + 2 * i].revents);
	if (fds[1].revents)
		take_client(d);
	return !fds[0].revents;
}

int main(int argc, char **argv)
{
	static struct delay d;
	struct sockaddr_in at = local(0);
	socklen_t size = sizeof(at);

	if (argc != 3) {
		fputs("usage: delay PORT MS\n", stderr);
		return 2;
	}
	d.target = (uint16_t)strtoul(argv[1], NULL, 10);
	d.ns = (int64_t)(strtod(argv[2], NULL) * 1e6);
	signal(SIGPIPE, SIG_IGN);
	d.listener = socket(AF_INET, SOCK_STREAM, 0);
	if (d.listener < 0 ||
	    bind(d.listener, (struct sockaddr *)&at, size) < 0 ||
	    listen(d.listener, 50) < 0 ||
	    getsockname(d.listener, (struct sockaddr *)&at, &size) < 0)
		die("listen");
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	while (step(&d))
		;
	return 0;
}
