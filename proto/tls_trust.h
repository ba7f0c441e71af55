/* SPDX-License-Identifier: MIT */
/*
 * Whom we trust: sslrootcert, sslcrl, sslcrldir.  The roots of the system are
 * looked up by name, one at a time, when a chain asks for them; reading all
 * would cost more than the rest of the handshake.
 */
#ifndef PGW_TLS_TRUST_H
#define PGW_TLS_TRUST_H

#include "conninfo.h"

#include <openssl/ssl.h>

/*
 * Give ctx the roots and the revocation lists that the settings name.  *roots
 * tells whether there are any: without, nothing can be verified.  A file that
 * was named and cannot be read is an error, one by default is not there.
 * *s must outlive ctx.  Errors: TLS, NOMEM.
 */
bool pgw_tls_trust(SSL_CTX *ctx, const struct pgw_tls_settings *s, bool *roots,
		   struct pgw_err *err) PGW_MUST_CHECK;

#endif
