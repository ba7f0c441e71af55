/* SPDX-License-Identifier: MIT */
/*
 * A hostile server: the input's first line is server-first, the rest is
 * server-final.  It does not know the password, so it must never be believed.
 */
#include <config.h>

#include "scram.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pgw_scram_params params = {
		.password = pgw_view_of("pencil"),
		.nonce = "fyko",
		.gs2 = "n,,",
		.max_iterations = 8,
	};
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	struct pgw_scram s;
	struct pgw_buf out;
	struct pgw_err err;

	pgw_buf_init(&out, 1 << 16);
	pgw_scram_init(&s, &params);
	if (pgw_scram_first(&s, &out, &err) &&
	    pgw_scram_final(&s, (struct pgw_view){ data, n }, &out, &err) &&
	    end &&
	    pgw_scram_verify(&s, (struct pgw_view){ end + 1, size - n - 1 },
			     &err))
		abort();
	if (s.verified)
		abort();
	pgw_scram_release(&s);
	pgw_buf_release(&out);
	return 0;
}
