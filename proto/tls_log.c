/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tls_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

bool pgw_tls_open_key_log(struct pgw_tls *t, struct pgw_err *err)
{
	const char *path = t->cfg->tls.key_log;

	if (!path || !path[0])
		return true;
	t->key_log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			     0600);
	return t->key_log_fd >= 0 ||
	       pgw_fail(err, PGW_E_TLS, "sslkeylogfile=%s: %s", path,
			strerror(errno));
}

/* One write a line: several may append to the file at once. */
void pgw_tls_log_keys(struct pgw_tls *t, const char *line)
{
	struct pgw_buf whole;

	pgw_buf_init(&whole, LINE_MAX_BYTES);
	pgw_buf_put_text(&whole, line);
	pgw_buf_put_text(&whole, "\n");
	if (!whole.failed)
		(void)!write(t->key_log_fd, whole.data, whole.len);
	pgw_buf_release(&whole);
}

void pgw_tls_close_key_log(struct pgw_tls *t)
{
	if (t->key_log_fd >= 0)
		close(t->key_log_fd);
}
