/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "line.h"
#include "report.h"
#include "steady.h"
#include "voices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LABEL_MAX (64u << 10)

void mz_report_init(struct mz_report *r, FILE *out, FILE *err)
{
	*r = (struct mz_report){ .out = out,
				 .err = err,
				 .out_fd = out ? fileno(out) : -1,
				 .err_fd = err ? fileno(err) : -1,
				 .command = "" };
	pgw_buf_init(&r->label, LABEL_MAX);
	pgw_buf_init(&r->detail, LABEL_MAX);
}

void mz_report_steady(struct mz_report *r)
{
	FILE *out = r->out, *err = r->err;

	r->out = mz_steady(out, &r->out_fd, _IOFBF);
	r->owns_out = r->out != out;
	r->err = mz_steady(err, &r->err_fd, _IONBF);
	r->owns_err = r->err != err;
}

void mz_report_init_for(struct mz_report *r, const struct mz_audience *a)
{
	mz_report_init(r, NULL, NULL);
	r->audience = a;
}

/* ---- what the options and the surroundings ask for */

typedef const char *(*lookup)(const char *name);

static bool is_set(lookup env, const char *name)
{
	const char *value = env(name);

	return value && value[0] != '\0';
}

/* no-color.org and bixense.com/clicolors, as far as they are agreed upon */
static bool wants_color(const struct mz_options *o, lookup env, bool terminal)
{
	const char *force = env("CLICOLOR_FORCE");

	if (o->color != MZ_COLOR_AUTO)
		return o->color == MZ_COLOR_ALWAYS;
	if (is_set(env, "NO_COLOR"))
		return false;
	return (force && force[0] && strcmp(force, "0") != 0) || terminal;
}

/* A terminal that can redraw a line, with somebody in front of it. */
static bool is_live(int fd, lookup env)
{
	const char *term = env("TERM");

	return isatty(fd) && term && term[0] && strcmp(term, "dumb") != 0 &&
	       !is_set(env, "CI");
}

static bool open_trace(struct mz_report *r, const char *path,
		       struct mz_err *err)
{
	int fd;

	if (strcmp(path, "-") == 0) {
		r->trace = r->err;
		return true;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
		  0600);
	if (fd >= 0)
		r->trace = fdopen(fd, "w");
	if (r->trace)
		return true;
	mz_fail(err, MZ_usage, "cannot write the trace to %s: %s", path,
		strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

bool mz_report_setup(struct mz_report *r, const struct mz_options *o,
		     const char *(*env)(const char *name), struct mz_err *err)
{
	const char *github = env("GITHUB_ACTIONS");
	bool err_live = is_live(r->err_fd, env);

	r->command = mz_command_rows[o->command].name;
	r->json = o->json;
	r->quiet = o->quiet;
	r->verbose = o->verbose && !o->quiet;
	r->color_out = wants_color(o, env, is_live(r->out_fd, env));
	r->color_err = wants_color(o, env, err_live);
	r->out_is_terminal = isatty(r->out_fd);
	r->live = err_live && !o->quiet;
	r->github = github && strcmp(github, "true") == 0;
	return !o->trace || open_trace(r, o->trace, err);
}

static void close_stream(struct mz_report *r, FILE *f, bool ours)
{
	errno = 0;
	if ((fflush(f) != 0 || ferror(f)) && r->write_errno == 0)
		r->write_errno = errno ? errno : EIO;
	if (ours && fclose(f) != 0 && r->write_errno == 0)
		r->write_errno = errno;
}

bool mz_report_close(struct mz_report *r)
{
	mz_progress_clear(r);
	close_stream(r, r->out, r->owns_out);
	if (r->trace && r->trace != r->err)
		close_stream(r, r->trace, true);
	r->trace = NULL;
	close_stream(r, r->err, false);
	pgw_buf_release(&r->label);
	pgw_buf_release(&r->detail);
	if (r->write_errno == ENOMEM)
		fputs("error: out of memory: not all could be said; what was "
		      "not committed is rolled back\n",
		      r->err);
	else if (r->write_errno != 0)
		fprintf(r->err, "error: cannot write the output: %s\n",
			strerror(r->write_errno));
	if (r->owns_err)
		fclose(r->err);
	return r->write_errno == 0;
}

/* ---- what is told */

static void on_event(void *ctx, const struct mz_event *e)
{
	struct mz_report *r = ctx;

	if (r->audience) {
		mz_tell(&r->audience->events, e);
		return;
	}
	if (e->kind == MZ_EV_PROGRESS &&
	    !(r->closely ? e->running->tag != NULL :
			   mz_still_is_due(r, e->running))) {
		mz_progress_event(r, e);
		return;
	}
	if (r->json)
		mz_json_event(r, e);
	mz_text_event(r, e);
}

struct mz_listener mz_report_listener(struct mz_report *r)
{
	return (struct mz_listener){
		.event = on_event,
		.ctx = r,
		.statements = r->audience ? r->audience->events.statements :
					    r->verbose || r->live,
	};
}

void mz_report_trace(void *ctx, const char *text)
{
	struct mz_report *r = ctx;
	struct mz_line l;

	if (!r->trace)
		return;
	mz_line_init(&l, false);
	mz_line_foreign(&l, text, NULL);
	mz_line_put(&l, "\n");
	if (r->trace == r->err)
		mz_progress_clear(r);
	mz_write(r, r->trace, pgw_buf_view(&l.text));
	pgw_buf_release(&l.text);
}

static void remark(struct mz_report *r, enum mz_event_kind kind,
		   const char *text)
{
	const char *level = kind == MZ_EV_WARNING ? "warning" : "note";

	if (r->audience) {
		mz_tell(&r->audience->events,
			&(struct mz_event){ .kind = kind, .text = text });
		return;
	}
	if (r->json)
		mz_json_remark(r, level, text);
	mz_text_remark(r, level, text);
}

PGW_PRINTF(3, 0)

static void vremark(struct mz_report *r, enum mz_event_kind kind,
		    const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		r->write_errno = ENOMEM;
		return;
	}
	remark(r, kind, text);
	free(text);
}

void mz_report_remark(struct mz_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vremark(r, MZ_EV_REMARK, fmt, ap);
	va_end(ap);
}

void mz_report_warning(struct mz_report *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vremark(r, MZ_EV_WARNING, fmt, ap);
	va_end(ap);
}

void mz_report_error(struct mz_report *r, const struct mz_err *err)
{
	if (err->msg[0] == '\0')
		return;
	if (r->json)
		mz_json_error(r, err);
	mz_text_error(r, err);
}

void mz_report_result(struct mz_report *r, const struct mz_result *result,
		      const struct mz_err *err)
{
	if (r->json)
		mz_json_result(r, result, err);
	else
		mz_text_result(r, result, err);
}

/* ---- results */

void mz_report_listed(struct mz_report *r, const struct mz_listed *list,
		      size_t n)
{
	if (r->audience)
		r->audience->listed(r->audience->events.ctx, list, n);
	else if (r->json)
		mz_json_listed(r, list, n);
	else
		mz_text_listed(r, list, n);
}

void mz_result_count(struct mz_result *result, const struct mz_listed *list,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		result->counts[list[i].state]++;
}

void mz_report_planned(struct mz_report *r, const struct mz_planned *list,
		       size_t n)
{
	if (r->json)
		mz_json_planned(r, list, n);
	else
		mz_text_planned(r, list, n);
}

void mz_report_new(struct mz_report *r, const struct mz_new *n)
{
	if (r->json)
		mz_json_new(r, n);
	else
		mz_text_new(r, n);
}

const char *mz_planned_transaction_name(enum mz_planned_transaction t)
{
	switch (t) {
	case MZ_PLANNED_OWN:
		return "own";
	case MZ_PLANNED_SHARED:
		return "shared";
	case MZ_PLANNED_NONE:
		break;
	}
	return "none";
}

void mz_report_script(struct mz_report *r, const struct mz_shown_script *s)
{
	mz_json_script(r, s);
}

void mz_report_files(struct mz_report *r, const struct mz_listed_file *list,
		     size_t n)
{
	if (r->json)
		mz_json_files(r, list, n);
	else
		mz_text_files(r, list, n);
}

void mz_report_repairs(struct mz_report *r, const struct mz_repair *list,
		       size_t n)
{
	if (r->json)
		mz_json_repairs(r, list, n);
	else
		mz_text_repairs(r, list, n);
}

void mz_report_finding(struct mz_report *r, const struct mz_finding *f)
{
	if (r->json)
		mz_json_finding(r, f);
	else
		mz_text_finding(r, f);
}

void mz_report_lockers(struct mz_report *r, const struct mz_locker *list,
		       size_t n)
{
	if (r->json)
		mz_json_lockers(r, list, n);
	else
		mz_text_lockers(r, list, n);
}

void mz_report_facts(struct mz_report *r, const char *event,
		     const struct mz_fact *facts, size_t n)
{
	if (r->json)
		mz_json_facts(r, event, facts, n);
	else
		mz_text_facts(r, facts, n);
}

void mz_report_text(struct mz_report *r, const char *text)
{
	struct mz_line l;

	mz_line_init(&l, false);
	if (r->out_is_terminal) {
		mz_line_foreign(&l, text, "");
		mz_line_put(&l, "\n");
	} else {
		mz_line_put(&l, text);
	}
	mz_line_out(&l, r);
}

void mz_report_usage(struct mz_report *r, const char *text)
{
	struct mz_line l;

	mz_line_init(&l, false);
	mz_line_put(&l, text);
	mz_line_err(&l, r);
}
