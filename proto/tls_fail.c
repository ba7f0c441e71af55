/* SPDX-License-Identifier: MIT */
/* Why TLS failed, and what to do about it. */
#include <config.h>

#include "tls_inner.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#define OWN                                                               \
	"the server wants a certificate of ours that it trusts: look at " \
	"sslcert and sslkey"
#define VERSIONS                                          \
	"both sides must know TLS 1.2 or newer: look at " \
	"ssl_min_protocol_version, ssl_max_protocol_version and the server's"
#define NOT_TLS                                                           \
	"what came is not TLS: is it a PostgreSQL server, and nobody in " \
	"between?"

/* Alerts are what the server says of us; the others are what we found. */
static const struct {
	int reason;
	const char *hint;
} hints[] = {
	{ SSL_R_WRONG_VERSION_NUMBER, NOT_TLS },
	{ SSL_R_PACKET_LENGTH_TOO_LONG, NOT_TLS },
	{ SSL_R_UNSUPPORTED_PROTOCOL, VERSIONS },
	{ SSL_R_NO_PROTOCOLS_AVAILABLE, VERSIONS },
	{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, VERSIONS },
	{ SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, OWN },
	{ SSL_R_TLSV1_ALERT_UNKNOWN_CA, OWN },
	{ SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, OWN },
	{ SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, OWN },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, OWN },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, OWN },
	{ SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, OWN },
	{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
	  "the two sides have no cipher or signature in common, or the server "
	  "wants a certificate of ours (sslcert)" },
	{ SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL,
	  "what listens there does not speak PostgreSQL's protocol" },
};

static const char *hint_for(int reason)
{
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].reason == reason)
			return hints[i].hint;
	return NULL;
}

bool pgw_tls_fail(const struct pgw_tls *t, const char *what,
		  struct pgw_err *err)
{
	unsigned long code = ERR_peek_error();
	int reason = ERR_GET_REASON(code);
	const char *text = ERR_reason_error_string(code);
	bool nomem = pgw_tls_nomem();
	const char *hint = ERR_GET_LIB(code) == ERR_LIB_SSL ? hint_for(reason) :
							      NULL;

	ERR_clear_error();
	if (nomem)
		return pgw_fail(err, PGW_E_NOMEM, "no memory for TLS");
	if (t->verdict.reason != X509_V_OK)
		return pgw_tls_verdict_fail(&t->verdict, err);
	pgw_fail(err, PGW_E_TLS, "%s: %s", what,
		 text ? text : "OpenSSL does not say why");
	return hint ? pgw_hint(err, "%s", hint) : false;
}
