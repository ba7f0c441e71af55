/* SPDX-License-Identifier: MIT */
/*
 * Messages of the server, one after the other: what can be decoded can be
 * shown, and is the same bytes when it is encoded again.
 */
#include <config.h>

#include "diag.h"
#include "msg.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct pgw_msg *m, struct pgw_view bytes)
{
	struct pgw_buf again;

	pgw_buf_init(&again, bytes.n + 100);
	pgw_msg_encode(&again, m);
	if (again.failed || again.len != bytes.n ||
	    memcmp(again.data, bytes.p, bytes.n) != 0)
		abort();
	pgw_buf_release(&again);
}

/* A line, printable, whatever the message holds. */
static void check_trace(const struct pgw_msg *m, size_t n)
{
	struct pgw_buf line;

	pgw_buf_init(&line, 4 * n + 1000);
	pgw_msg_trace(&line, m);
	if (line.failed)
		abort();
	for (size_t i = 0; i < line.len; i++)
		if (line.data[i] < ' ' || line.data[i] > '~')
			abort();
	pgw_buf_release(&line);
}

static void check_diag(const struct pgw_msg *m)
{
	const struct pgw_diag diag = { m->error.fields };
	struct pgw_err err;

	pgw_diag_to_err(&diag, &err);
	if (err.code != PGW_E_SERVER || err.msg[0] == '\0')
		abort();
	(void)pgw_diag_is_fatal(&diag);
	(void)pgw_diag_number(&diag, PGW_DIAG_POSITION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view rest = { data, size };
	struct pgw_err err = { 0 };
	struct pgw_msg m;
	size_t used;

	while (rest.n > 0 && pgw_msg_decode(rest, &m, &used, &err)) {
		if (used == 0)
			return 0;
		if (used > rest.n)
			abort();
		check_round_trip(&m, (struct pgw_view){ rest.p, used });
		check_trace(&m, used);
		if (m.id == PGW_MSG_error)
			check_diag(&m);
		rest.p += used;
		rest.n -= used;
	}
	if (rest.n > 0 && err.msg[0] == '\0')
		abort();
	return 0;
}
