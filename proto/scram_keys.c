/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "saslprep.h"
#include "scram_keys.h"

#include <string.h>

#define SLICE 1024u /* iterations between two questions to go_on */

/* RFC 5802's Hi(), which is PBKDF2 with one block. */
static bool hash_password(const struct pgw_scram *s,
			  const struct pgw_hmac *password, struct pgw_buf *salt,
			  unsigned char out[PGW_SHA256_LEN],
			  struct pgw_err *err)
{
	unsigned char u[PGW_SHA256_LEN];
	bool ok = true;

	pgw_buf_put_u32(salt, 1);
	if (salt->failed)
		return pgw_fail(err, PGW_E_NOMEM, "out of memory");
	pgw_hmac(password, pgw_buf_view(salt), u);
	memcpy(out, u, sizeof(u));
	for (uint32_t i = 1; ok && i < s->iterations; i++) {
		pgw_hmac(password, (struct pgw_view){ u, sizeof(u) }, u);
		for (size_t k = 0; k < sizeof(u); k++)
			out[k] ^= u[k];
		if (i % SLICE == 0 && s->params.go_on)
			ok = s->params.go_on(s->params.ctx, err);
	}
	pgw_wipe(u, sizeof(u));
	return ok;
}

bool pgw_scram_salt(const struct pgw_scram *s, struct pgw_buf *salt,
		    unsigned char salted[PGW_SHA256_LEN], struct pgw_err *err)
{
	struct pgw_buf prepared;
	struct pgw_hmac h;
	bool ok;

	memset(salted, 0, PGW_SHA256_LEN);
	if (s->params.client_key && s->params.server_key)
		return true;
	if (s->params.password.n > PGW_PASSWORD_MAX)
		return pgw_fail(err, PGW_E_LIMIT,
				"the password is longer than %zu bytes",
				PGW_PASSWORD_MAX);
	/* A code point of 3 bytes becomes 18 of up to 3 bytes at the worst. */
	pgw_buf_init(&prepared, 18 * PGW_PASSWORD_MAX);
	pgw_saslprep(&prepared, s->params.password);
	ok = !prepared.failed;
	if (!ok) {
		pgw_fail(err, PGW_E_NOMEM, "out of memory");
	} else {
		pgw_hmac_init(&h, pgw_buf_view(&prepared));
		ok = hash_password(s, &h, salt, salted, err);
		pgw_wipe(&h, sizeof(h));
	}
	pgw_buf_release(&prepared);
	return ok;
}

static void hmac_with(const unsigned char key[PGW_SHA256_LEN],
		      struct pgw_view data, unsigned char out[PGW_SHA256_LEN])
{
	struct pgw_hmac h;

	pgw_hmac_init(&h, (struct pgw_view){ key, PGW_SHA256_LEN });
	pgw_hmac(&h, data, out);
	pgw_wipe(&h, sizeof(h));
}

/* The two keys, from the salted password unless they were given. */
static void derive(const struct pgw_scram_params *params,
		   const unsigned char salted[PGW_SHA256_LEN],
		   unsigned char client[PGW_SHA256_LEN],
		   unsigned char server[PGW_SHA256_LEN])
{
	if (params->client_key && params->server_key) {
		memcpy(client, params->client_key, PGW_SHA256_LEN);
		memcpy(server, params->server_key, PGW_SHA256_LEN);
		return;
	}
	hmac_with(salted, pgw_view_of("Client Key"), client);
	hmac_with(salted, pgw_view_of("Server Key"), server);
}

void pgw_scram_sign(struct pgw_scram *s,
		    const unsigned char salted[PGW_SHA256_LEN],
		    unsigned char proof[PGW_SHA256_LEN])
{
	struct pgw_view message = pgw_buf_view(&s->auth_message);

	struct keys {
		unsigned char client[PGW_SHA256_LEN];
		unsigned char stored[PGW_SHA256_LEN];
		unsigned char server[PGW_SHA256_LEN];
		struct pgw_sha256 hash;
	} k = { .hash = { { 0 } } };

	derive(&s->params, salted, k.client, k.server);
	pgw_sha256_init(&k.hash);
	pgw_sha256_update(&k.hash, k.client, sizeof(k.client));
	pgw_sha256_final(&k.hash, k.stored);
	hmac_with(k.stored, message, proof);
	for (size_t i = 0; i < PGW_SHA256_LEN; i++)
		proof[i] ^= k.client[i];
	hmac_with(k.server, message, s->server_signature);
	pgw_wipe(&k, sizeof(k));
}
