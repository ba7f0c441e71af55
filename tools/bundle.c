/* SPDX-License-Identifier: MIT */
/* bundle [FILE]: the certificates of a PEM file, or none, as C. */
#include <config.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

struct bundle {
	unsigned char *der;
	size_t size, count;
};

/*
 * What a root says of itself with its own key proves nothing and is never
 * checked; noughts in its place make the bundle half as large.  The value is
 * what a certificate ends with.
 */
static void blank_signature(const X509 *cert, unsigned char *end)
{
	const ASN1_BIT_STRING *signature;

	X509_get0_signature(&signature, NULL, cert);
	if (X509_NAME_cmp(X509_get_subject_name(cert),
			  X509_get_issuer_name(cert)) == 0)
		memset(end - signature->length, 0, (size_t)signature->length);
}

static bool add(struct bundle *b, X509 *cert)
{
	int n = i2d_X509(cert, NULL);
	unsigned char *grown, *end;

	if (n <= 0)
		return false;
	grown = realloc(b->der, b->size + (size_t)n);
	if (!grown)
		return false;
	b->der = grown;
	end = grown + b->size;
	b->size += (size_t)i2d_X509(cert, &end);
	blank_signature(cert, end);
	b->count++;
	return true;
}

/* All of them, and nothing that looks like one and cannot be read. */
static bool read_all(struct bundle *b, BIO *in)
{
	X509 *cert;
	bool ok = true;

	while (ok && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
		ok = add(b, cert);
		X509_free(cert);
	}
	return ok && b->count > 0 &&
	       ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static void write_bytes(const unsigned char *p, size_t n)
{
	printf("static const unsigned char packed[] = {");
	for (size_t i = 0; i < n; i++)
		printf("%s%u,", i % 16 == 0 ? "\n\t" : "", p[i]);
	printf("%s};\n\n", n == 0 ? "0" : "\n");
}

static bool write_source(const struct bundle *b)
{
	uLongf n = compressBound((uLong)b->size);
	unsigned char *packed = malloc(n);
	bool ok = packed && compress2(packed, &n, b->der, (uLong)b->size,
				      Z_BEST_COMPRESSION) == Z_OK;

	if (ok) {
		printf("/* Written by tools/bundle. */\n"
		       "#include <config.h>\n\n#include \"tls_bundle.h\"\n\n");
		write_bytes(packed, b->count == 0 ? 0 : n);
		printf("const struct pgw_bundle *pgw_bundle(void)\n{\n"
		       "\tstatic const struct pgw_bundle bundle = {\n"
		       "\t\tpacked, sizeof(packed), %zu, %zu\n\t};\n\n"
		       "\treturn &bundle;\n}\n",
		       b->size, b->count);
	}
	free(packed);
	return ok && fflush(stdout) == 0 && !ferror(stdout);
}

int main(int argc, char **argv)
{
	struct bundle b = { .size = 0 };
	BIO *in = NULL;
	bool ok = argc <= 2;

	if (argc == 2) {
		in = BIO_new_file(argv[1], "r");
		ok = in && read_all(&b, in);
		if (!ok)
			fprintf(stderr, "bundle: %s: not (only) certificates\n",
				argv[1]);
	}
	ok = ok && write_source(&b);
	BIO_free(in);
	free(b.der);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
