/* SPDX-License-Identifier: MIT */
/* tls-server-end-point, as two libpqs and two servers agreed on it. */
#include <config.h>

#include "rows.h"
#include "tls_peer.h"
#include "unit.h"

static void hex_of(struct pgw_view v, char *out)
{
	for (size_t i = 0; i < v.n; i++)
		sprintf(out + 2 * i, "%02x", v.p[i]);
	out[2 * v.n] = '\0';
}

/* file, signature algorithm, hash, its value or - */
static void check_row(char *columns[], void *ctx)
{
	char name[128], hex[2 * EVP_MAX_MD_SIZE + 1];
	struct pgw_err err = { 0 };
	struct pgw_buf got;
	FILE *f;
	X509 *cert;

	(void)ctx;
	snprintf(name, sizeof(name), "vectors/certs/%s", columns[0]);
	f = shared_open(name);
	cert = PEM_read_X509(f, NULL, NULL, NULL);
	fclose(f);
	ck_assert_ptr_nonnull(cert);
	pgw_buf_init(&got, EVP_MAX_MD_SIZE);
	ck_assert(pgw_tls_end_point(cert, &got, &err));
	hex_of(pgw_buf_view(&got), hex);
	ck_assert_str_eq(got.len == 0 ? "-" : hex, columns[3]);
	pgw_buf_release(&got);
	X509_free(cert);
}

START_TEST(every_signature_binds_as_libpq_binds_it)
{
	ck_assert_uint_eq(each_row("vectors/tls-server-end-point.tsv",
				   check_row, NULL),
			  16);
}

END_TEST

int main(void)
{
	const TTest *tests[] = { every_signature_binds_as_libpq_binds_it };

	fclose(shared_open("vectors/tls-server-end-point.tsv"));
	return unit_main("tls_vectors", tests, 1);
}
