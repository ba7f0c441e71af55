/* SPDX-License-Identifier: MIT */
/* A host, a NUL byte, and the certificate that it shows. */
#include <config.h>

#include "tls_peer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

enum { HOST_MAX = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_printable(const char *text, size_t room)
{
	size_t n = strnlen(text, room);

	if (n == room)
		abort();
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			abort();
}

static void check_host(X509 *cert, const char *host)
{
	struct pgw_err err = { .code = PGW_OK };

	if (pgw_tls_is_for(cert, host, &err)) {
		if (host[0] == '\0')
			abort();
		return;
	}
	if (err.code != PGW_E_TLS)
		abort();
	/* The host itself is the user's. */
	check_printable(err.hint, sizeof(err.hint));
}

static void check_cert(X509 *cert, const char *host)
{
	char text[PGW_TLS_NAME_MAX];
	struct pgw_err err = { .code = PGW_OK };
	struct pgw_buf out;

	check_host(cert, host);
	check_host(cert, "127.0.0.1");
	pgw_tls_name_text(X509_get_subject_name(cert), text);
	check_printable(text, sizeof(text));
	pgw_tls_name_text(X509_get_issuer_name(cert), text);
	check_printable(text, sizeof(text));
	pgw_buf_init(&out, EVP_MAX_MD_SIZE);
	if (pgw_tls_end_point(cert, &out, &err) ? out.len > EVP_MAX_MD_SIZE :
						  err.code != PGW_E_TLS)
		abort();
	pgw_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	const unsigned char *der = nul ? nul + 1 : NULL;
	char host[HOST_MAX];
	X509 *cert;

	if (!nul || (size_t)(nul - data) >= sizeof(host))
		return 0;
	memcpy(host, data, (size_t)(der - data));
	cert = d2i_X509(NULL, &der, (long)(data + size - der));
	if (cert)
		check_cert(cert, host);
	X509_free(cert);
	ERR_clear_error();
	return 0;
}
