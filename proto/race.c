/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "race.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * RFC 8305: 250 ms between two starts, 10 ms at least.  It is less when else
 * the last one would not start within the first half of the time.
 */
#define STAGGER_MS 250
#define STAGGER_LEAST_MS 10

#define NAMED_MAX 3 /* addresses that an error names for each reason */

static size_t count(const struct pgw_race *r, enum pgw_running state)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->runners[i].state == state;
	return n;
}

static struct pgw_runner *first(struct pgw_race *r, enum pgw_running state)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->runners[i].state == state)
			return &r->runners[i];
	return NULL;
}

/* ---- the order */

/* From *at on, the next address that is or is not of a family. */
static bool find(const struct pgw_addrs *addrs, int family, bool is, size_t *at)
{
	while (*at < addrs->n && (addrs->a[*at].sa.ss_family == family) != is)
		++*at;
	return *at < addrs->n;
}

void pgw_race_init(struct pgw_race *r, const struct pgw_addrs *addrs)
{
	int family = addrs->n ? addrs->a[0].sa.ss_family : AF_UNSPEC;
	size_t at[2] = { 0, 0 }; /* of the other family, of the first's */
	bool own = true;

	*r = (struct pgw_race){ .n = 0 };
	while (r->n < addrs->n) {
		if (!find(addrs, family, own, &at[own]))
			own = !own;
		if (!find(addrs, family, own, &at[own]))
			return;
		r->runners[r->n++] = (struct pgw_runner){
			.addr = addrs->a[at[own]++], .fd = -1
		};
		own = !own;
	}
}

/* ---- what was wrong */

/* Of several reasons the one that helps most: who refuses is there. */
static int weight(const struct pgw_runner *runner)
{
	bool v4 = runner->addr.sa.ss_family == AF_INET;

	switch (runner->problem) {
	case ENETUNREACH:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return v4;
	case ETIMEDOUT:
		return 4;
	case ECONNREFUSED:
		return 6;
	default:
		return 2 + v4;
	}
}

static const struct pgw_runner *main_reason(const struct pgw_race *r)
{
	const struct pgw_runner *best = NULL;

	for (size_t i = 0; i < r->n; i++) {
		const struct pgw_runner *runner = &r->runners[i];

		if (runner->state == PGW_RUN_FAILED &&
		    (!best || weight(runner) > weight(best)))
			best = runner;
	}
	return best;
}

struct line {
	char text[PGW_ERR_MAX];
	size_t n;
};

static void put(struct line *l, const char *text)
{
	size_t n = strnlen(text, sizeof(l->text) - 1 - l->n);

	memcpy(l->text + l->n, text, n);
	l->n += n;
	l->text[l->n] = '\0';
}

/* Is it the first with its reason? */
static bool is_first(const struct pgw_race *r, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (r->runners[k].state == PGW_RUN_FAILED &&
		    r->runners[k].problem == r->runners[i].problem)
			return false;
	return r->runners[i].state == PGW_RUN_FAILED;
}

/* "10.0.0.1:5432, 10.0.0.2:5432 and 3 more: Connection refused" */
static void put_reason(struct line *l, const struct pgw_race *r, size_t i)
{
	int family = r->runners[i].addr.sa.ss_family;
	int problem = r->runners[i].problem;
	char text[PGW_ADDR_TEXT];
	struct pgw_err reason;
	size_t n = 0;

	for (; i < r->n; i++) {
		if (r->runners[i].state != PGW_RUN_FAILED ||
		    r->runners[i].problem != problem || n++ >= NAMED_MAX)
			continue;
		pgw_addr_text(&r->runners[i].addr, text, sizeof(text));
		put(l, n > 1 ? ", " : "");
		put(l, text);
	}
	if (n > NAMED_MAX) {
		snprintf(text, sizeof(text), " and %zu more", n - NAMED_MAX);
		put(l, text);
	}
	pgw_sock_refuse(problem, family, &reason);
	put(l, ": ");
	put(l, reason.msg);
}

/* Nobody answered: all in one line, and a hint for the main reason. */
static bool explain(const struct pgw_race *r, struct pgw_err *err)
{
	const struct pgw_runner *reason = main_reason(r);
	struct line l = { .n = 0 };
	bool more = false;

	if (!reason)
		return pgw_fail(err, PGW_E_RESOLVE, "there is no address left");
	put(&l, "connect to ");
	put(&l, r->name ? r->name : "");
	put(&l, r->name ? ": " : "");
	for (size_t i = 0; i < r->n; i++) {
		if (!is_first(r, i))
			continue;
		put(&l, more ? "; " : "");
		put_reason(&l, r, i);
		more = true;
	}
	pgw_sock_refuse(reason->problem, reason->addr.sa.ss_family, err);
	memcpy(err->msg, l.text, sizeof(err->msg));
	return false;
}

/* ---- running */

static void stop(struct pgw_runner *runner, int problem)
{
	if (runner->fd >= 0)
		close(runner->fd);
	runner->fd = -1;
	runner->state = PGW_RUN_FAILED;
	runner->problem = problem;
}

/* Those that have not arrived may run again. */
static void call_back(struct pgw_race *r)
{
	struct pgw_runner *runner;

	while ((runner = first(r, PGW_RUN_UNDER_WAY))) {
		close(runner->fd);
		runner->fd = -1;
		runner->state = PGW_RUN_WAITS;
	}
}

static void give_up(struct pgw_race *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->runners[i].state == PGW_RUN_WAITS ||
		    r->runners[i].state == PGW_RUN_UNDER_WAY)
			stop(&r->runners[i], ETIMEDOUT);
}

static int64_t stagger(const struct pgw_race *r, int64_t left)
{
	size_t waiting = count(r, PGW_RUN_WAITS);
	int64_t share = left / 2 / (int64_t)(waiting ? waiting : 1);

	if (share > STAGGER_MS)
		return STAGGER_MS;
	return share < STAGGER_LEAST_MS ? STAGGER_LEAST_MS : share;
}

/* Start those whose time has come. */
static bool start_due(struct pgw_race *r, const struct pgw_sock *k,
		      struct pgw_err *err)
{
	struct pgw_runner *runner;

	while (pgw_clock_ms() >= r->next_ms &&
	       (runner = first(r, PGW_RUN_WAITS))) {
		int problem;

		if (count(r, PGW_RUN_UNDER_WAY) == PGW_RACE_SOCKETS)
			stop(first(r, PGW_RUN_UNDER_WAY), ETIMEDOUT);
		if (!pgw_sock_begin(&runner->fd, &runner->addr, &r->tcp,
				    &problem, err))
			return false;
		if (problem != 0 && problem != EINPROGRESS) {
			stop(runner, problem);
			continue;
		}
		runner->state = PGW_RUN_UNDER_WAY;
		r->next_ms = pgw_clock_ms() +
			     stagger(r, k->deadline - pgw_clock_ms());
	}
	return true;
}

/* Who has arrived?  Whoever stumbles makes way for the next. */
static struct pgw_runner *look(struct pgw_race *r, const struct pollfd *fds)
{
	struct pgw_runner *winner = NULL;

	for (size_t i = 0; i < r->n; i++) {
		struct pgw_runner *runner = &r->runners[i];
		int problem;

		if (runner->state != PGW_RUN_UNDER_WAY || !(fds++)->revents ||
		    winner)
			continue;
		problem = pgw_sock_outcome(runner->fd, &runner->addr);
		if (problem == 0) {
			winner = runner;
			continue;
		}
		stop(runner, problem);
		r->next_ms = 0;
	}
	return winner;
}

static bool watch(struct pgw_race *r, const struct pgw_sock *k,
		  struct pgw_runner **winner, struct pgw_err *err)
{
	struct pollfd fds[1 + PGW_RACE_SOCKETS];
	int64_t pause = r->next_ms - pgw_clock_ms();
	size_t n = 1;

	for (size_t i = 0; i < r->n; i++)
		if (r->runners[i].state == PGW_RUN_UNDER_WAY)
			fds[n++] = (struct pollfd){ .fd = r->runners[i].fd,
						    .events = POLLOUT };
	if (!first(r, PGW_RUN_WAITS))
		pause = -1;
	else if (pause < 0)
		pause = 0;
	if (!pgw_sock_poll(k, fds, n, (int)pause, err))
		return false;
	*winner = look(r, fds + 1);
	return true;
}

static bool run(struct pgw_race *r, const struct pgw_sock *k,
		struct pgw_runner **winner, struct pgw_err *err)
{
	r->next_ms = 0;
	while (!*winner) {
		if (!start_due(r, k, err))
			return false;
		if (!first(r, PGW_RUN_UNDER_WAY))
			return true; /* all have failed */
		if (!watch(r, k, winner, err))
			return false;
	}
	return true;
}

/* A Unix socket has no rivals. */
static bool run_alone(struct pgw_runner *only, struct pgw_sock *k,
		      struct pgw_addr *winner, struct pgw_err *err)
{
	*winner = only->addr;
	only->state = PGW_RUN_WON;
	return pgw_sock_open(k, winner, &(struct pgw_tcp){ 0 }, err);
}

bool pgw_race_run(struct pgw_race *r, struct pgw_sock *k,
		  struct pgw_addr *winner, struct pgw_err *err)
{
	struct pgw_runner *who = first(r, PGW_RUN_WAITS);
	bool ok;

	if (who && who->addr.sa.ss_family == AF_UNIX)
		return run_alone(who, k, winner, err);
	who = NULL;
	ok = run(r, k, &who, err);
	if (who) {
		k->fd = who->fd;
		*winner = who->addr;
		who->fd = -1;
		who->state = PGW_RUN_WON;
	}
	if (ok)
		call_back(r);
	else
		give_up(r);
	if (ok || err->code == PGW_E_TIMEOUT)
		return who || explain(r, err);
	return pgw_wrap(err, "connect to %s", r->name ? r->name : "the server");
}

bool pgw_race_goes_on(const struct pgw_race *r)
{
	return count(r, PGW_RUN_WAITS) > 0;
}
