/* SPDX-License-Identifier: MIT */
/*
 * A program with libmizzle in it, for tests in other languages: it knows
 * nothing but mizzle.h, and tells in JSON, a line each, what it was told.
 *
 *   library_tool [NAME=VALUE...] [VERB...] [-- ...]
 *
 * What stands between two -- is one handle, in a thread of its own, all of
 * which begin at once.  NAME is a field of struct mizzle_options, or
 *   cancel=KIND   mizzle_cancel when an event of that kind comes
 * VERB is alarms (a signal each half millisecond from here on, which ends
 * what waits), starve=N (the N-th allocation of ours fails from here on, once),
 * migrate, status or tls (what OpenSSL's configuration says of it). A line on
 * stdin, and SIGUSR1, cancel the first handle.
 */
#include <config.h>

#include "mizzle.h"

#include <dirent.h>
#include <jansson.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define THREADS_MAX 16

static const char *const kind_names[] = {
	"?",	   "start",   "begin",	   "applied", "statement", "progress",
	"waiting", "blocked", "unblocked", "notice",  "note",	   "warning",
};

/* ---- allocations of ours: see -Wl,--wrap */

static _Thread_local long left = -1;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool is_starved(void)
{
	if (left > 0)
		left--;
	if (left != 0)
		return false;
	left = -1;
	return true;
}

void *__wrap_malloc(size_t n)
{
	return is_starved() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_starved() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
	return is_starved() ? NULL : __real_realloc(p, n);
}

/* ---- one handle */

struct runner {
	int number;
	struct mizzle_options o;
	struct mizzle *m;
	char **verbs;
	const char *cancel;
	pthread_t thread;
	bool ok;
};

static pthread_barrier_t together;
static pthread_mutex_t printing = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t closing = PTHREAD_MUTEX_INITIALIZER;
static struct mizzle *first; /* NULL when it is closed */

static void say(const struct runner *r, const char *what, json_t *o)
{
	long was = left;
	char *text;

	left = -1; /* this is not ours */
	json_object_set_new(o, "event", json_string(what));
	json_object_set_new(o, "thread", json_integer(r->number));
	text = json_dumps(o, JSON_COMPACT);
	pthread_mutex_lock(&printing);
	puts(text ? text : "{}");
	fflush(stdout);
	pthread_mutex_unlock(&printing);
	free(text);
	json_decref(o);
	left = was;
}

static json_t *text(const char *s)
{
	json_t *t = json_string(s);

	return t ? t : json_string("(not UTF-8)");
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static void on_event(void *ctx, const struct mizzle_event *e)
{
	struct runner *r = ctx;
	long was = left;
	json_t *o;

	left = -1;
	o = json_object();
	json_object_set_new(o, "tag", text(e->tag));
	json_object_set_new(o, "hash", text(e->hash));
	json_object_set_new(o, "file", text(e->file));
	json_object_set_new(o, "text", text(e->text));
	json_object_set_new(o, "severity", text(e->severity));
	json_object_set_new(o, "sqlstate", text(e->sqlstate));
	json_object_set_new(o, "detail", text(e->detail));
	json_object_set_new(o, "hint", text(e->hint));
	json_object_set_new(o, "phase", text(e->phase));
	json_object_set_new(o, "percent", json_integer(e->percent));
	json_object_set_new(o, "number", number(e->number));
	json_object_set_new(o, "total", number(e->total));
	json_object_set_new(o, "statement", number(e->statement));
	json_object_set_new(o, "statements", number(e->statements));
	json_object_set_new(o, "line", number(e->line));
	json_object_set_new(o, "us", number(e->us));
	json_object_set_new(o, "pid", json_integer(e->pid));
	say(r, kind_names[e->kind], o);
	left = was;
	if (r->cancel && strcmp(r->cancel, kind_names[e->kind]) == 0)
		mizzle_cancel(r->m);
}

static void on_migration(void *ctx, const struct mizzle_migration *l)
{
	json_t *o = json_object();

	json_object_set_new(o, "tag", text(l->tag));
	json_object_set_new(o, "state", text(mizzle_state_name(l->state)));
	json_object_set_new(o, "hash", text(l->hash));
	json_object_set_new(o, "recorded", json_integer(l->recorded));
	json_object_set_new(o, "recorded_hash", text(l->recorded_hash));
	json_object_set_new(o, "recorded_at", text(l->recorded_at));
	json_object_set_new(o, "note", text(l->note));
	json_object_set_new(o, "when", json_integer(l->when));
	say(ctx, "migration", o);
}

static void tell_end(const struct runner *r, const char *verb, int32_t code)
{
	const struct mizzle_error *e = mizzle_error(r->m);
	const struct mizzle_result *result = mizzle_result(r->m);
	json_t *o, *counts;
	int n;

	left = -1;
	o = json_object();
	counts = json_object();
	for (n = 0; n < MIZZLE_STATES; n++)
		json_object_set_new(counts, mizzle_state_name(n),
				    number(result->counts[n]));
	json_object_set_new(o, "verb", text(verb));
	json_object_set_new(o, "returned", json_integer(code));
	json_object_set_new(o, "code", json_integer(e->code));
	json_object_set_new(o, "fate", json_integer(e->fate));
	json_object_set_new(o, "name", text(e->name));
	json_object_set_new(o, "message", text(e->message));
	json_object_set_new(o, "hint", text(e->hint));
	json_object_set_new(o, "tag", text(e->tag));
	json_object_set_new(o, "file", text(e->file));
	json_object_set_new(o, "source", text(e->source));
	json_object_set_new(o, "line", number(e->line));
	json_object_set_new(o, "column", number(e->column));
	json_object_set_new(o, "sqlstate", text(e->sqlstate));
	json_object_set_new(o, "sql_message", text(e->sql_message));
	json_object_set_new(o, "sql_detail", text(e->sql_detail));
	json_object_set_new(o, "sql_hint", text(e->sql_hint));
	json_object_set_new(o, "sql_context", text(e->sql_context));
	json_object_set_new(o, "applied", number(result->applied));
	json_object_set_new(o, "pending", number(result->pending));
	json_object_set_new(o, "total", number(result->total));
	json_object_set_new(o, "us", number(result->us));
	json_object_set_new(o, "round_trips", number(result->round_trips));
	json_object_set_new(o, "counts", counts);
	say(r, "end", o);
}

/* What a program would get that asks OpenSSL for a context now. */
static void tell_tls(const struct runner *r)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	json_t *o = json_object();

	json_object_set_new(o, "least",
			    json_integer(
				    ctx ? SSL_CTX_get_min_proto_version(ctx) :
					  -1));
	SSL_CTX_free(ctx);
	say(r, "tls", o);
}

static void on_alarm(int number_of_it)
{
	(void)number_of_it;
}

/* Without SA_RESTART: each interrupts a system call. */
static void begin_alarms(void)
{
	struct itimerval often = { { 0, 500 }, { 0, 500 } };
	struct sigaction action = { .sa_handler = on_alarm };

	sigemptyset(&action.sa_mask);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static bool prepares(const char *verb, const struct runner *r)
{
	if (strcmp(verb, "tls") == 0)
		tell_tls(r);
	else if (strcmp(verb, "alarms") == 0)
		begin_alarms();
	else if (strncmp(verb, "starve=", 7) == 0)
		left = atol(verb + 7);
	else
		return false;
	return true;
}

static void *run(void *ctx)
{
	struct runner *r = ctx;
	char **verb;

	pthread_barrier_wait(&together);
	for (verb = r->verbs; *verb && strcmp(*verb, "--") != 0; verb++) {
		int32_t code;

		if (prepares(*verb, r))
			continue;
		code = strcmp(*verb, "status") == 0 ?
			       mizzle_status(r->m, on_migration, r) :
			       mizzle_migrate(r->m);
		tell_end(r, *verb, code);
	}
	return NULL;
}

/* ---- the command line */

#define TEXT(name)                                                      \
	{                                                               \
#name, offsetof(struct mizzle_options, name), TAKE_TEXT \
	}
#define LONG(name)                                                      \
	{                                                               \
#name, offsetof(struct mizzle_options, name), TAKE_LONG \
	}
#define INT(name)                                                      \
	{                                                              \
#name, offsetof(struct mizzle_options, name), TAKE_INT \
	}

static const struct {
	const char *name;
	size_t at;

	enum { TAKE_TEXT, TAKE_LONG, TAKE_INT } how;
} fields[] = {
	TEXT(url),	    TEXT(dir),
	TEXT(schema),	    TEXT(table),
	TEXT(to),	    TEXT(approve),
	LONG(wait),	    LONG(lock_wait),
	LONG(lock_timeout), LONG(statement_timeout),
	INT(lock_retries),  INT(transaction),
	INT(out_of_order),  INT(allow_modified),
	INT(allow_missing), INT(require_approval),
	INT(no_monitor),    INT(statements),
	INT(environment),
};

static bool take(struct runner *r, const char *word)
{
	size_t n = strcspn(word, "=");
	char *field = (char *)&r->o;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value = word + n + 1;
		int64_t number64 = word[n] ? atoll(value) : 0;
		int32_t number32 = (int32_t)number64;

		if (strlen(fields[i].name) != n ||
		    strncmp(fields[i].name, word, n) != 0)
			continue;
		if (fields[i].how == TAKE_TEXT)
			memcpy(field + fields[i].at, &value, sizeof(value));
		else if (fields[i].how == TAKE_LONG)
			memcpy(field + fields[i].at, &number64,
			       sizeof(number64));
		else
			memcpy(field + fields[i].at, &number32,
			       sizeof(number32));
		return true;
	}
	if (strncmp(word, "cancel=", 7) == 0)
		r->cancel = word + 7;
	return strncmp(word, "cancel=", 7) == 0;
}

/* The words of one handle; returns where the next one begins. */
static char **set_up(struct runner *r, int n, char **words)
{
	int32_t code;

	r->number = n;
	mizzle_options_init(&r->o, sizeof(r->o));
	r->o.event = on_event;
	r->o.ctx = r;
	while (*words && take(r, *words))
		words++;
	r->verbs = words;
	code = mizzle_open(&r->m, &r->o);
	if (code != MIZZLE_OK)
		tell_end(r, "open", code);
	while (*words && strcmp(*words, "--") != 0)
		words++;
	return *words ? words + 1 : words;
}

/* NOLINTNEXTLINE(bugprone-signal-handler,cert-sig30-c): it is made for that */
static void on_signal(int number_of_it)
{
	(void)number_of_it;
	mizzle_cancel(first); /* NOLINT(bugprone-signal-handler,cert-sig30-c) */
}

static void *listen_to_stdin(void *ctx)
{
	char byte;

	(void)ctx;
	if (read(STDIN_FILENO, &byte, 1) != 1)
		return NULL;
	pthread_mutex_lock(&closing);
	mizzle_cancel(first);
	pthread_mutex_unlock(&closing);
	return NULL;
}

/* At first, and again when all handles are closed. */
static int descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

int main(int argc, char **argv)
{
	static struct runner runners[THREADS_MAX];
	char **words = argv + 1;
	int before = descriptors();
	pthread_t listener;
	unsigned n = 0;

	(void)argc;
	signal(SIGUSR1, on_signal);
	while (*words && n < THREADS_MAX) {
		words = set_up(&runners[n], (int)n, words);
		n++;
	}
	first = runners[0].m;
	if (n == 0 || pthread_barrier_init(&together, NULL, n) != 0 ||
	    pthread_create(&listener, NULL, listen_to_stdin, NULL) != 0 ||
	    pthread_detach(listener) != 0)
		return 99;
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&runners[i].thread, NULL, run,
				   &runners[i]) != 0)
			return 99;
	for (unsigned i = 0; i < n; i++)
		pthread_join(runners[i].thread, NULL);
	signal(SIGUSR1, SIG_IGN);
	pthread_mutex_lock(&closing);
	first = NULL;
	for (unsigned i = 0; i < n; i++)
		mizzle_close(runners[i].m);
	pthread_mutex_unlock(&closing);
	say(&runners[0], "closed",
	    json_pack("{si}", "descriptors", descriptors() - before));
	return 0;
}
