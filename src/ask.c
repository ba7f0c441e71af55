/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "ask.h"

#include "signals.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What was typed, without its end; "" at the end of the file. */
static bool read_answer(struct mz_context *c, char *answer, size_t size)
{
	size_t n = 0;

	/* a terminal gives a line at a time */
	while (n < size - 1) {
		ssize_t got;

		if (!mz_signals_input(c, STDIN_FILENO))
			return false;
		got = read(STDIN_FILENO, answer + n, size - 1 - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
		if (memchr(answer, '\n', n))
			break;
	}
	if (!memchr(answer, '\n', n))
		mz_report_usage(&c->report, "\n"); /* nobody has typed it */
	answer[n] = '\0';
	answer[strcspn(answer, "\r\n")] = '\0';
	return true;
}

bool mz_ask(struct mz_context *c, const char *question, struct mz_err *err)
{
	char answer[64];

	if (!isatty(STDIN_FILENO)) {
		mz_fail(err, MZ_usage,
			"nothing was changed: there is nobody to ask, because "
			"standard input is no terminal");
		return mz_hint(err, "--yes does it without asking; --dry-run "
				    "only shows it");
	}
	mz_report_question(&c->report, question);
	if (!read_answer(c, answer, sizeof(answer))) {
		mz_report_usage(&c->report, "\n");
		mz_fail(err, MZ_connect, "interrupted; nothing was changed");
		err->signal = -1;
		return false;
	}
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0 ||
	       mz_fail(err, MZ_refused, "nothing was changed");
}
