/* SPDX-License-Identifier: MIT */
/* Who we are: sslcert, sslkey, sslpassword, as PEM or DER. */
#ifndef PGW_TLS_OWN_H
#define PGW_TLS_OWN_H

#include "conninfo.h"

#include <openssl/ssl.h>

/*
 * Give ctx our certificate and its key, unless sslcertmode=disable or there is
 * none.  *own tells whether there is one.  Never asks on a terminal.  Errors:
 * TLS (a file that cannot be used), NOMEM.
 */
bool pgw_tls_own(SSL_CTX *ctx, const struct pgw_tls_settings *s, bool *own,
		 struct pgw_err *err) PGW_MUST_CHECK;

#endif
