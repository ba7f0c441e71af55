/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tls_peer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

bool pgw_tls_nomem(void)
{
	return ERR_GET_REASON(ERR_peek_error()) == ERR_R_MALLOC_FAILURE;
}

/* ---- the chain */

static void put_time(const ASN1_TIME *time, char *out, size_t size)
{
	struct tm tm;

	if (time && ASN1_TIME_to_tm(time, &tm))
		strftime(out, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const ASN1_TIME *limit(int reason, X509_STORE_CTX *ctx, const X509 *cert)
{
	X509_CRL *crl = X509_STORE_CTX_get0_current_crl(ctx);

	switch (reason) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return cert ? X509_get0_notAfter(cert) : NULL;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return cert ? X509_get0_notBefore(cert) : NULL;
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return crl ? X509_CRL_get0_nextUpdate(crl) : NULL;
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return crl ? X509_CRL_get0_lastUpdate(crl) : NULL;
	default:
		return NULL;
	}
}

static void take_verdict(X509_STORE_CTX *ctx, struct pgw_tls_verdict *v)
{
	const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	int reason = X509_STORE_CTX_get_error(ctx);

	*v = (struct pgw_tls_verdict){ .reason = reason };
	if (reason == X509_V_OK) /* it failed before it looked */
		v->reason = X509_V_ERR_UNSPECIFIED;
	v->depth = X509_STORE_CTX_get_error_depth(ctx);
	if (cert) {
		pgw_tls_name_text(X509_get_subject_name(cert), v->subject);
		pgw_tls_name_text(X509_get_issuer_name(cert), v->issuer);
	}
	put_time(limit(reason, ctx, cert), v->until, sizeof(v->until));
}

/* Later, the list that is out of date is forgotten. */
static int on_problem(int ok, X509_STORE_CTX *ctx)
{
	if (!ok)
		take_verdict(ctx, X509_STORE_CTX_get_app_data(ctx));
	return ok;
}

static int on_chain(X509_STORE_CTX *ctx, void *arg)
{
	struct pgw_tls_verdict *verdict = arg;

	if (!X509_STORE_CTX_set_app_data(ctx, verdict)) {
		verdict->reason = X509_V_ERR_OUT_OF_MEM;
		return 0;
	}
	X509_STORE_CTX_set_verify_cb(ctx, on_problem);
	if (X509_verify_cert(ctx) > 0)
		return 1;
	if (verdict->reason == X509_V_OK)
		take_verdict(ctx, verdict);
	/* Only a failure with a reason is told to the server as such. */
	X509_STORE_CTX_set_error(ctx, verdict->reason);
	return 0;
}

void pgw_tls_verify(SSL_CTX *ctx, struct pgw_tls_verdict *verdict)
{
	*verdict = (struct pgw_tls_verdict){ .reason = X509_V_OK };
	SSL_CTX_set_cert_verify_callback(ctx, on_chain, verdict);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
}

/* ---- what to do about it */

#define UNKNOWN                                                             \
	"no authority that is trusted here signed it: name the provider's " \
	"CA file with sslrootcert=FILE (RDS, Supabase and Cloud SQL have "  \
	"their own), or take public ones with sslrootcert=system"
#define SELF_SIGNED                                                      \
	"only a copy of it can prove that it is the right one: name it " \
	"with sslrootcert=FILE, or use sslmode=require, which checks "   \
	"nothing, or give the server one of an authority"
#define MISSING_LINK                                                     \
	"the server must send the certificates between its own and the " \
	"authority's too (ssl_cert_file), or sslrootcert names the "     \
	"wrong authority"
#define NO_AUTHORITY \
	"who signed it is no authority that may: the server needs another one"
#define WEAK                                                             \
	"its key or its digest is too weak today: the server needs one " \
	"with RSA of 2048 bits or more, or P-256, and SHA-256"
#define BAD_CRL "fetch the current list for sslcrl or sslcrldir"
#define FORGED "somebody may be in between, or the wrong authority is named"

static const struct {
	int reason;
	const char *hint;
} hints[] = {
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, UNKNOWN },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, UNKNOWN },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, UNKNOWN },
	{ X509_V_ERR_CERT_UNTRUSTED, UNKNOWN },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SELF_SIGNED },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, MISSING_LINK },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, FORGED },
	{ X509_V_ERR_CERT_REVOKED,
	  "its authority took it back (sslcrl, sslcrldir): the server needs a "
	  "new one" },
	{ X509_V_ERR_UNABLE_TO_GET_CRL,
	  "sslcrl and sslcrldir must have a list of each authority in the "
	  "chain; this one's is missing" },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, BAD_CRL },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, BAD_CRL },
	{ X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, BAD_CRL },
	{ X509_V_ERR_INVALID_CA, NO_AUTHORITY },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, NO_AUTHORITY },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, NO_AUTHORITY },
	{ X509_V_ERR_PERMITTED_VIOLATION, NO_AUTHORITY },
	{ X509_V_ERR_EXCLUDED_VIOLATION, NO_AUTHORITY },
	{ X509_V_ERR_INVALID_PURPOSE,
	  "it is made for something else than servers (extended key usage): "
	  "the server needs another one" },
	{ X509_V_ERR_EE_KEY_TOO_SMALL, WEAK },
	{ X509_V_ERR_CA_KEY_TOO_SMALL, WEAK },
	{ X509_V_ERR_CA_MD_TOO_WEAK, WEAK },
};

static bool hint_of_time(const struct pgw_tls_verdict *v, struct pgw_err *err)
{
	const char *when = v->until[0] != '\0' ? v->until :
						 "a time that is no time";

	switch (v->reason) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return pgw_hint(err,
				"it was valid until %s: it must be "
				"renewed, unless the clock here is wrong",
				when);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return pgw_hint(err,
				"it is valid from %s on: look at the "
				"clock of this machine",
				when);
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return pgw_hint(err,
				"the revocation list was valid until %s: "
				"" BAD_CRL,
				when);
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return pgw_hint(err,
				"the revocation list is valid from %s on: "
				"look at the clock of this machine",
				when);
	default:
		return false;
	}
}

bool pgw_tls_verdict_fail(const struct pgw_tls_verdict *v, struct pgw_err *err)
{
	const char *who = v->depth == 0 ? "the server's certificate" :
					  "the chain of the server's "
					  "certificate";

	if (v->reason == X509_V_ERR_OUT_OF_MEM)
		return pgw_fail(err, PGW_E_NOMEM, "out of memory");
	pgw_fail(err, PGW_E_TLS,
		 "%s is not accepted: %s (depth %d, subject %.150s, issuer "
		 "%.150s)",
		 who, X509_verify_cert_error_string(v->reason), v->depth,
		 v->subject[0] != '\0' ? v->subject : "without a name",
		 v->issuer[0] != '\0' ? v->issuer : "without a name");
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].reason == v->reason)
			return pgw_hint(err, "%s", hints[i].hint);
	return hint_of_time(v, err);
}

/* ---- what binds a login to it */

/* The digest of the signature, but nothing weaker than SHA-256. */
static int digest_of(X509 *cert)
{
	int digest = NID_undef, key = NID_undef;

	if (!X509_get_signature_info(cert, &digest, &key, NULL, NULL))
		return NID_undef;
	return digest == NID_md5 || digest == NID_sha1 ? NID_sha256 : digest;
}

static bool put_digest(X509 *cert, const EVP_MD *md, struct pgw_buf *out,
		       struct pgw_err *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (X509_digest(cert, md, digest, &n) != 1 && !pgw_tls_nomem())
		return pgw_fail(err, PGW_E_TLS,
				"the server's certificate cannot be hashed");
	if (n == 0)
		return pgw_fail(err, PGW_E_NOMEM, "out of memory");
	pgw_buf_put(out, digest, n);
	return !out->failed || pgw_fail(err, PGW_E_NOMEM, "out of memory");
}

bool pgw_tls_end_point(X509 *cert, struct pgw_buf *out, struct pgw_err *err)
{
	int digest = digest_of(cert);
	EVP_MD *md;
	bool ok;

	out->len = 0;
	if (digest == NID_undef)
		return true;
	ERR_clear_error();
	md = EVP_MD_fetch(NULL, OBJ_nid2sn(digest), NULL);
	if (!md && pgw_tls_nomem())
		return pgw_fail(err, PGW_E_NOMEM, "out of memory");
	/* Without it there is nothing to bind to, as if there were no hash. */
	ok = !md || put_digest(cert, md, out, err);
	EVP_MD_free(md);
	ERR_clear_error();
	return ok;
}
