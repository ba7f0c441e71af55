/* SPDX-License-Identifier: MIT */
/* TLS of the server: a certificate, its key, and TLS 1.2 or newer. */
#ifndef MZ_HTTP_TLS_H
#define MZ_HTTP_TLS_H

#include "error.h"

struct event_base;
struct bufferevent;

/* An SSL_CTX; NULL and err when the files do not make one. */
void *mz_tls_new(const char *cert, const char *key, struct mz_err *err);
void mz_tls_free(void *tls);

/* For libevent: what a new connection is read by. */
struct bufferevent *mz_tls_bufferevent(struct event_base *base, void *tls);

#endif
