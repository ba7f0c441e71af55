/* SPDX-License-Identifier: MIT */
/* What is prepared is prepared: doing it again may change nothing. */
#include <config.h>

#include "saslprep.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool equal(struct pgw_view a, struct pgw_view b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pgw_view in = { data, size };
	struct pgw_buf once, twice;
	size_t bad;

	pgw_buf_init(&once, 1 << 21);
	pgw_buf_init(&twice, 1 << 21);
	pgw_saslprep(&once, in);
	if (size > PGW_PASSWORD_MAX) {
		if (!once.failed)
			abort();
	} else if (once.failed) {
		abort();
	} else if (!equal(pgw_buf_view(&once), in)) {
		if (!pgw_utf8_valid(pgw_buf_view(&once), &bad))
			abort();
		pgw_saslprep(&twice, pgw_buf_view(&once));
		if (!twice.failed &&
		    !equal(pgw_buf_view(&once), pgw_buf_view(&twice)))
			abort();
	}
	pgw_buf_release(&once);
	pgw_buf_release(&twice);
	return 0;
}
