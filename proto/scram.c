/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "base64.h"
#include "scram.h"
#include "scram_keys.h"

#include <string.h>

#define NONCE_MAX 1024	       /* of both sides together */
#define SALT_MAX 1024	       /* bytes, decoded */
#define MESSAGE_MAX 8192       /* anything that is put together here */
#define SIGNATURE_TEXT 44      /* characters of base64 for 32 bytes */
#define SHOWN_MAX ((size_t)80) /* of what the server says went wrong */

void pgw_scram_init(struct pgw_scram *s, const struct pgw_scram_params *params)
{
	*s = (struct pgw_scram){ .params = *params };
	if (s->params.max_iterations == 0)
		s->params.max_iterations = PGW_SCRAM_MAX_ITERATIONS;
	pgw_buf_init(&s->auth_message, MESSAGE_MAX);
}

void pgw_scram_release(struct pgw_scram *s)
{
	pgw_buf_release(&s->auth_message);
	pgw_wipe(s, sizeof(*s));
}

bool pgw_scram_nonce(char out[PGW_SCRAM_NONCE_SIZE], struct pgw_err *err)
{
	unsigned char bytes[PGW_SCRAM_NONCE_LEN / 4 * 3];
	struct pgw_buf text;
	bool ok = false;

	if (!pgw_random(bytes, sizeof(bytes), err))
		return false;
	pgw_buf_init(&text, PGW_SCRAM_NONCE_SIZE);
	pgw_base64_encode(&text, (struct pgw_view){ bytes, sizeof(bytes) });
	pgw_buf_put_u8(&text, 0);
	if (text.failed) {
		pgw_fail(err, PGW_E_NOMEM, "out of memory");
	} else {
		memcpy(out, text.data, PGW_SCRAM_NONCE_SIZE);
		ok = true;
	}
	pgw_buf_release(&text);
	return ok;
}

/* Nothing else can follow a step that failed. */
static bool take_turn(struct pgw_scram *s, enum pgw_scram_step now,
		      struct pgw_err *err)
{
	enum pgw_scram_step then = s->step;

	s->step = PGW_SCRAM_OVER;
	if (then != now)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"SCRAM message out of turn");
	return true;
}

static bool whole(const struct pgw_buf *b, struct pgw_err *err)
{
	if (b->failed)
		return pgw_fail(err, PGW_E_NOMEM, "out of memory");
	return true;
}

static void put_view(struct pgw_buf *out, struct pgw_view v)
{
	pgw_buf_put(out, v.p, v.n);
}

static void put_user(struct pgw_buf *out, const char *user)
{
	for (; user && *user; user++) {
		if (*user == '=')
			pgw_buf_put_text(out, "=3D");
		else if (*user == ',')
			pgw_buf_put_text(out, "=2C");
		else
			pgw_buf_put(out, user, 1);
	}
}

bool pgw_scram_first(struct pgw_scram *s, struct pgw_buf *out,
		     struct pgw_err *err)
{
	struct pgw_buf *bare = &s->auth_message;

	if (!take_turn(s, PGW_SCRAM_NEW, err))
		return false;
	if (!s->params.client_key != !s->params.server_key)
		return pgw_fail(err, PGW_E_CONFIG,
				"scram_client_key and scram_server_key are "
				"only good together");
	pgw_buf_put_text(bare, "n=");
	put_user(bare, s->params.user);
	pgw_buf_put_text(bare, ",r=");
	pgw_buf_put_text(bare, s->params.nonce);
	pgw_buf_put_text(out, s->params.gs2);
	put_view(out, pgw_buf_view(bare));
	if (!whole(bare, err) || !whole(out, err))
		return false;
	s->step = PGW_SCRAM_FIRST_SENT;
	return true;
}

/* ---- server-first */

struct challenge {
	struct pgw_view nonce; /* ours and the server's */
	struct pgw_view salt;  /* base64 */
	struct pgw_view count; /* of iterations, decimal */
};

static bool malformed(struct pgw_err *err, const char *what)
{
	return pgw_fail(err, PGW_E_PROTOCOL,
			"the server's SCRAM message is wrong: %s", what);
}

/* Take "x=value" and leave the comma behind it, if any. */
static bool attribute(struct pgw_cur *c, char name, struct pgw_view *value)
{
	struct pgw_cur ahead = *c;
	struct pgw_view rest;
	size_t n = 0;

	if (pgw_cur_u8(&ahead) != (unsigned char)name ||
	    pgw_cur_u8(&ahead) != '=' || ahead.bad)
		return false;
	*c = ahead;
	rest = pgw_cur_rest(&ahead);
	while (n < rest.n && rest.p[n] != ',')
		n++;
	*value = pgw_cur_take(c, n);
	return true;
}

static bool comma(struct pgw_cur *c)
{
	return pgw_cur_u8(c) == ',';
}

static bool parse_challenge(struct challenge *ch, struct pgw_view message,
			    struct pgw_err *err)
{
	struct pgw_cur c = pgw_cur_of(message);
	struct pgw_view extension;

	if (attribute(&c, 'm', &extension))
		return pgw_fail(err, PGW_E_UNSUPPORTED,
				"the server demands a SCRAM extension (m=)");
	if (!attribute(&c, 'r', &ch->nonce) || !comma(&c))
		return malformed(err, "no nonce");
	if (!attribute(&c, 's', &ch->salt) || !comma(&c))
		return malformed(err, "no salt");
	if (!attribute(&c, 'i', &ch->count))
		return malformed(err, "no iteration count");
	if (!pgw_cur_done(&c))
		return malformed(err, "something follows the iteration count");
	return true;
}

static bool nonce_is_good(const struct pgw_scram *s, struct pgw_view nonce,
			  struct pgw_err *err)
{
	size_t ours = strlen(s->params.nonce);

	if (nonce.n > NONCE_MAX)
		return malformed(err, "its nonce is too long");
	for (size_t i = 0; i < nonce.n; i++)
		if (nonce.p[i] < 0x21 || nonce.p[i] > 0x7e)
			return malformed(err, "its nonce is not printable");
	if (nonce.n < ours || !pgw_same(nonce.p, s->params.nonce, ours))
		return malformed(err, "its nonce does not begin with ours");
	if (nonce.n == ours)
		return malformed(err, "it adds nothing to our nonce");
	return true;
}

static bool count_is_good(struct pgw_scram *s, struct pgw_view count,
			  struct pgw_err *err)
{
	uint32_t max = s->params.max_iterations;
	uint64_t n = 0;

	if (count.n == 0 || count.p[0] == '0')
		return malformed(err, "the iteration count is not positive");
	for (size_t i = 0; i < count.n; i++) {
		if (count.p[i] < '0' || count.p[i] > '9')
			return malformed(err,
					 "the iteration count is no number");
		/* Stays above any limit without wrapping. */
		n = n > UINT32_MAX ? n : n * 10 + count.p[i] - '0';
	}
	if (n > max) {
		pgw_fail(err, PGW_E_LIMIT,
			 "the server asks for more than %u SCRAM iterations",
			 max);
		return pgw_hint(err, "lower scram_iterations on the server and "
				     "set the password again, or raise "
				     "the limit here");
	}
	s->iterations = (uint32_t)n;
	return true;
}

static bool decode_salt(struct pgw_buf *salt, struct pgw_view text,
			struct pgw_err *err)
{
	if (text.n > SALT_MAX / 3 * 4 + 4)
		return malformed(err, "its salt is too long");
	if (!pgw_base64_decode(salt, text))
		return malformed(err, "its salt is not base64");
	if (!whole(salt, err))
		return false;
	if (salt->len == 0)
		return malformed(err, "its salt is empty");
	if (salt->len > SALT_MAX)
		return malformed(err, "its salt is too long");
	return true;
}

/* ---- client-final */

static void put_binding(const struct pgw_scram *s, struct pgw_buf *out)
{
	struct pgw_buf plain;

	pgw_buf_init(&plain, MESSAGE_MAX);
	pgw_buf_put_text(&plain, s->params.gs2);
	put_view(&plain, s->params.cbind);
	pgw_base64_encode(out, pgw_buf_view(&plain));
	out->failed |= plain.failed;
	pgw_buf_release(&plain);
}

/* The whole message but its proof. */
static bool put_bare_final(const struct pgw_scram *s, struct pgw_buf *out,
			   struct pgw_view nonce, struct pgw_err *err)
{
	pgw_buf_put_text(out, "c=");
	put_binding(s, out);
	pgw_buf_put_text(out, ",r=");
	put_view(out, nonce);
	return whole(out, err);
}

static bool answer(struct pgw_scram *s, const struct challenge *ch,
		   struct pgw_view server_first, struct pgw_buf *bare,
		   struct pgw_err *err)
{
	unsigned char salted[PGW_SHA256_LEN];
	struct pgw_buf *auth = &s->auth_message;
	struct pgw_buf salt;
	bool ok;

	pgw_buf_init(&salt, SALT_MAX + 4);
	ok = decode_salt(&salt, ch->salt, err) &&
	     put_bare_final(s, bare, ch->nonce, err);
	if (ok) {
		pgw_buf_put_u8(auth, ',');
		put_view(auth, server_first);
		pgw_buf_put_u8(auth, ',');
		put_view(auth, pgw_buf_view(bare));
		ok = whole(auth, err) && pgw_scram_salt(s, &salt, salted, err);
	}
	if (ok) {
		unsigned char proof[PGW_SHA256_LEN];

		pgw_scram_sign(s, salted, proof);
		pgw_buf_put_text(bare, ",p=");
		pgw_base64_encode(bare,
				  (struct pgw_view){ proof, sizeof(proof) });
	}
	pgw_wipe(salted, sizeof(salted));
	pgw_buf_release(&salt);
	return ok && whole(bare, err);
}

bool pgw_scram_final(struct pgw_scram *s, struct pgw_view server_first,
		     struct pgw_buf *out, struct pgw_err *err)
{
	struct challenge ch = { .count = { NULL, 0 } };
	struct pgw_buf message;
	bool ok;

	if (!take_turn(s, PGW_SCRAM_FIRST_SENT, err) ||
	    !parse_challenge(&ch, server_first, err) ||
	    !nonce_is_good(s, ch.nonce, err) ||
	    !count_is_good(s, ch.count, err))
		return false;
	pgw_buf_init(&message, MESSAGE_MAX);
	ok = answer(s, &ch, server_first, &message, err);
	if (ok) {
		put_view(out, pgw_buf_view(&message));
		ok = whole(out, err);
	}
	pgw_buf_release(&message);
	if (ok)
		s->step = PGW_SCRAM_FINAL_SENT;
	return ok;
}

/* ---- server-final */

static bool refused(struct pgw_view why, struct pgw_err *err)
{
	char shown[SHOWN_MAX + 1];
	size_t n;

	for (n = 0; n < why.n && n < SHOWN_MAX; n++) {
		shown[n] = '?';
		if (why.p[n] >= 0x20 && why.p[n] < 0x7f)
			shown[n] = (char)why.p[n];
	}
	shown[n] = '\0';
	return pgw_fail(err, PGW_E_AUTH, "the server refused our proof: %s",
			shown);
}

static bool signature_holds(const struct pgw_scram *s, struct pgw_view text,
			    struct pgw_err *err)
{
	struct pgw_buf theirs;
	bool ok;

	pgw_buf_init(&theirs, SIGNATURE_TEXT);
	ok = text.n == SIGNATURE_TEXT && pgw_base64_decode(&theirs, text) &&
	     (theirs.failed || theirs.len == PGW_SHA256_LEN);
	if (!ok) {
		malformed(err, "its signature is not 32 bytes in base64");
	} else if (!whole(&theirs, err)) {
		ok = false;
	} else if (!pgw_same(theirs.data, s->server_signature,
			     PGW_SHA256_LEN)) {
		pgw_fail(err, PGW_E_AUTH,
			 "the server could not prove that it knows us");
		ok = pgw_hint(err, "this may not be the server it claims to "
				   "be: check the address, and use "
				   "sslmode=verify-full");
	}
	pgw_buf_release(&theirs);
	return ok;
}

bool pgw_scram_verify(struct pgw_scram *s, struct pgw_view server_final,
		      struct pgw_err *err)
{
	struct pgw_cur c = pgw_cur_of(server_final);
	struct pgw_view value;

	if (!take_turn(s, PGW_SCRAM_FINAL_SENT, err))
		return false;
	if (attribute(&c, 'e', &value))
		return refused(value, err);
	if (!attribute(&c, 'v', &value))
		return malformed(err, "no signature");
	if (!pgw_cur_done(&c))
		return malformed(err, "something follows the signature");
	s->verified = signature_holds(s, value, err);
	return s->verified;
}
