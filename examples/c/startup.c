/* SPDX-License-Identifier: MIT */
/*
 * A server that brings its database up to date before it takes requests.
 *
 *	cc -o startup startup.c $(pkg-config --cflags --libs mizzle)
 *	DATABASE_URL=postgresql://... ./startup [FOLDER]
 *
 * However many replicas start at once, each migration is applied exactly once:
 * the others wait, and find nothing to do.  SIGTERM and SIGINT end a migration
 * that runs: it is cancelled and rolled back.  The exit status is mizzle's.
 */
#define _POSIX_C_SOURCE 200809L

#include <mizzle.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mizzle *migrator;

static void on_signal(int number)
{
	(void)number;
	mizzle_cancel(migrator);
}

static void end_on(int number, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };

	sigemptyset(&action.sa_mask);
	sigaction(number, &action, NULL);
}

/* A server, or a file, has said it: no control character reaches the log. */
static void say(const char *what, const char *text)
{
	fprintf(stderr, "%s: ", what);
	for (; *text; text++)
		putc((unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text,
		     stderr);
	putc('\n', stderr);
}

static void on_event(void *ctx, const struct mizzle_event *e)
{
	(void)ctx;
	switch (e->kind) {
	case MIZZLE_EVENT_APPLIED:
		fprintf(stderr, "[%" PRIu64 "/%" PRIu64 "] %" PRIu64 " ms ",
			e->number, e->total, e->us / 1000);
		say("applied", e->tag);
		break;
	case MIZZLE_EVENT_WAITING:
		say("waiting", e->text);
		break;
	case MIZZLE_EVENT_BLOCKED:
		say("blocked", e->text);
		break;
	case MIZZLE_EVENT_NOTICE:
		say(e->severity, e->text);
		break;
	case MIZZLE_EVENT_WARNING:
		say("warning", e->text);
		break;
	default: /* there may be more kinds some day */
		break;
	}
}

static void explain(const struct mizzle_error *e)
{
	say(e->name, e->message);
	if (e->line > 0)
		fprintf(stderr, "  at line %" PRIu64 ", column %" PRIu64 "\n",
			e->line, e->column);
	if (e->file[0])
		say("  in", e->file);
	if (e->source[0])
		say("  it says", e->source);
	if (e->sql_message[0])
		say(e->sqlstate, e->sql_message);
	if (e->hint[0])
		say("hint", e->hint);
}

static int migrate(const char *folder)
{
	struct mizzle_options o;
	int code;

	mizzle_options_init(&o, sizeof(o));
	o.url = getenv("DATABASE_URL");
	o.dir = folder;
	o.wait = 60000;	       /* the database may start at the same time */
	o.lock_timeout = 5000; /* and nobody waits for us longer than that */
	o.event = on_event;
	code = mizzle_open(&migrator, &o);
	end_on(SIGTERM, on_signal);
	end_on(SIGINT, on_signal);
	if (code == MIZZLE_OK)
		code = mizzle_migrate(migrator);
	if (code == MIZZLE_OK)
		fprintf(stderr, "%" PRIu64 " applied, %" PRIu64 " there\n",
			mizzle_result(migrator)->applied,
			mizzle_result(migrator)->total);
	else
		explain(mizzle_error(migrator));
	end_on(SIGTERM, SIG_DFL);
	end_on(SIGINT, SIG_DFL);
	mizzle_close(migrator);
	return code;
}

int main(int argc, char **argv)
{
	int code = migrate(argc > 1 ? argv[1] : "drizzle");

	if (code != MIZZLE_OK)
		return code;
	puts("ready"); /* here the server begins to take requests */
	return 0;
}
