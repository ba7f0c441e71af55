/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "tls_own.h"

#include "outside.h"
#include "tls_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define FILE_MAX_BYTES (1u << 20)

/* ---- files: opened once, so that what was checked is what is read */

struct own_file {
	const char *keyword, *path;
	struct pgw_buf text;
	bool missing; /* err says so, too */
};

static bool nomem(struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_NOMEM, "out of memory");
}

static bool fail(const struct own_file *f, struct pgw_err *err, const char *why)
{
	return pgw_fail(err, PGW_E_TLS, "cannot use %s \"%.250s\": %s",
			f->keyword, f->path, why);
}

/* What OpenSSL says of it; its queue is empty afterwards. */
static bool fail_why(const struct own_file *f, struct pgw_err *err,
		     const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(code);
	bool no_memory = pgw_tls_nomem();

	ERR_clear_error();
	if (no_memory)
		return nomem(err);
	fail(f, err, what);
	return why ? pgw_hint(err, "OpenSSL says: %s", why) : false;
}

static bool put_chunk(struct own_file *f, const unsigned char *chunk, size_t n,
		      struct pgw_err *err)
{
	if (n > f->text.max - f->text.len)
		return fail(f, err, "it is larger than 1 MiB");
	pgw_buf_put(&f->text, chunk, n);
	return !f->text.failed || nomem(err);
}

static bool read_all(struct own_file *f, int fd, struct pgw_err *err)
{
	unsigned char chunk[4096];
	bool ok = true;
	ssize_t n = 1;

	while (ok && n != 0) {
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			ok = put_chunk(f, chunk, (size_t)n, err);
		else if (n < 0 && errno != EINTR)
			ok = fail(f, err, strerror(errno));
	}
	explicit_bzero(chunk, sizeof(chunk)); /* it may be a key */
	return ok;
}

/* Without waiting: what looks like a file may be a pipe. */
static bool read_file(struct own_file *f,
		      bool (*check)(const struct own_file *,
				    const struct stat *, struct pgw_err *),
		      struct pgw_err *err)
{
	int fd = pgw_open(f->path, O_RDONLY | O_NONBLOCK);
	struct stat st;
	bool ok;

	pgw_buf_init(&f->text, FILE_MAX_BYTES);
	f->missing = fd < 0 && (errno == ENOENT || errno == ENOTDIR);
	if (fd < 0)
		return fail(f, err, strerror(errno));
	if (fstat(fd, &st) != 0)
		ok = fail(f, err, strerror(errno));
	else
		ok = check(f, &st, err) && read_all(f, fd, err);
	close(fd);
	return ok;
}

static bool check_plain(const struct own_file *f, const struct stat *st,
			struct pgw_err *err)
{
	return S_ISREG(st->st_mode) || fail(f, err, "it is not a plain file");
}

/* The system's keys may be for a group; a user's are for him alone. */
static bool check_private(const struct own_file *f, const struct stat *st,
			  struct pgw_err *err)
{
	mode_t too_much = st->st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO :
					    S_IRWXG | S_IRWXO;

	if (!check_plain(f, st, err))
		return false;
	if (st->st_uid != 0 && geteuid() != 0 && st->st_uid != geteuid())
		return fail(f, err, "it belongs to another user");
	if (!(st->st_mode & too_much))
		return true;
	pgw_fail(err, PGW_E_TLS,
		 "cannot use %s \"%.250s\": others may read it (mode %04o)",
		 f->keyword, f->path, (unsigned)st->st_mode & 07777);
	return pgw_hint(err, "a private key is for its owner alone: chmod 0600 "
			     "(or 0640 when it is root's)");
}

static bool is_pem(const struct own_file *f)
{
	static const char begin[] = "-----BEGIN ";

	return f->text.len > 0 && memmem(f->text.data, f->text.len, begin,
					 sizeof(begin) - 1) != NULL;
}

static BIO *bio_of(const struct own_file *f)
{
	const void *data = f->text.len > 0 ? (void *)f->text.data : "";

	return BIO_new_mem_buf(data, (int)f->text.len);
}

/* ---- the passphrase */

struct passphrase {
	const char *text; /* NULL = none */
	bool asked, too_long;
};

/* In place of OpenSSL's own, which would ask on the terminal. */
static int on_passphrase(char *buf, int size, int writing, void *arg)
{
	struct passphrase *p = arg;
	size_t n = p->text ? strlen(p->text) : 0;

	(void)writing;
	p->asked = true;
	p->too_long = n > (size_t)size;
	if (!p->text || p->too_long)
		return -1;
	memcpy(buf, p->text, n);
	return (int)n;
}

/* ---- certificates */

static bool use_leaf(SSL_CTX *ctx, const struct own_file *f, X509 *leaf,
		     struct pgw_err *err)
{
	if (!leaf)
		return fail_why(f, err, "there is no certificate in it");
	return SSL_CTX_use_certificate(ctx, leaf) == 1 ||
	       fail_why(f, err, "OpenSSL refuses the certificate");
}

/* The rest of a PEM file: who signed it, up to the root that servers know. */
static bool use_chain(SSL_CTX *ctx, const struct own_file *f, BIO *text,
		      struct pgw_err *err)
{
	struct passphrase none = { .text = NULL };
	unsigned long code;
	X509 *cert;

	while ((cert = PEM_read_bio_X509(text, NULL, on_passphrase, &none))) {
		if (SSL_CTX_add0_chain_cert(ctx, cert) == 1)
			continue;
		X509_free(cert);
		return fail_why(f, err, "OpenSSL refuses a certificate");
	}
	code = ERR_peek_last_error();
	if (ERR_GET_LIB(code) != ERR_LIB_PEM ||
	    ERR_GET_REASON(code) != PEM_R_NO_START_LINE)
		return fail_why(f, err, "a certificate in it is damaged");
	ERR_clear_error();
	return true;
}

static bool use_pem(SSL_CTX *ctx, const struct own_file *f, BIO *text,
		    struct pgw_err *err)
{
	struct passphrase none = { .text = NULL };
	X509 *leaf = PEM_read_bio_X509_AUX(text, NULL, on_passphrase, &none);
	bool ok = use_leaf(ctx, f, leaf, err) && use_chain(ctx, f, text, err);

	X509_free(leaf);
	return ok;
}

static bool use_der(SSL_CTX *ctx, const struct own_file *f, BIO *text,
		    struct pgw_err *err)
{
	X509 *leaf = d2i_X509_bio(text, NULL);
	bool ok = use_leaf(ctx, f, leaf, err);

	X509_free(leaf);
	return ok;
}

static bool use_certificates(SSL_CTX *ctx, const struct own_file *f,
			     struct pgw_err *err)
{
	BIO *text = bio_of(f);
	bool ok;

	if (!text)
		return nomem(err);
	ok = is_pem(f) ? use_pem(ctx, f, text, err) :
			 use_der(ctx, f, text, err);
	BIO_free(text);
	return ok;
}

/* ---- the key */

static EVP_PKEY *read_der_key(BIO *text, struct passphrase *p)
{
	EVP_PKEY *key = d2i_PrivateKey_bio(text, NULL);

	if (key || BIO_reset(text) != 1)
		return key;
	return d2i_PKCS8PrivateKey_bio(text, NULL, on_passphrase, p);
}

static bool bad_key(const struct own_file *f, const struct passphrase *p,
		    struct pgw_err *err)
{
	if (!p->asked || pgw_tls_nomem())
		return fail_why(f, err,
				"there is no private key in it that "
				"can be read");
	ERR_clear_error();
	if (!p->text) {
		fail(f, err, "it is encrypted, and no sslpassword is given");
		return pgw_hint(err, "name its passphrase with sslpassword, in "
				     "a service file rather than in a URL");
	}
	if (p->too_long)
		return fail(f, err, "sslpassword is too long");
	fail(f, err, "it cannot be decrypted with sslpassword");
	return pgw_hint(err, "the passphrase is wrong, or the file is damaged "
			     "or encrypted as nobody does any more (openssl "
			     "pkcs8 -topk8 -v2 aes256 makes it anew)");
}

static bool use_matching(SSL_CTX *ctx, const struct own_file *f, EVP_PKEY *key,
			 const char *cert, struct pgw_err *err)
{
	if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) == 1)
		return SSL_CTX_use_PrivateKey(ctx, key) == 1 ||
		       fail_why(f, err, "OpenSSL refuses the key");
	ERR_clear_error();
	return pgw_fail(err, PGW_E_TLS,
			"sslkey \"%.200s\" is not the key of sslcert "
			"\"%.200s\"",
			f->path, cert);
}

static bool use_key(SSL_CTX *ctx, const struct own_file *f,
		    const struct pgw_tls_settings *s, struct pgw_err *err)
{
	struct passphrase p = { .text = s->key_password };
	BIO *text = bio_of(f);
	EVP_PKEY *key;
	bool ok;

	if (!text)
		return nomem(err);
	key = is_pem(f) ?
		      PEM_read_bio_PrivateKey(text, NULL, on_passphrase, &p) :
		      read_der_key(text, &p);
	BIO_free(text);
	ok = key ? use_matching(ctx, f, key, s->cert, err) :
		   bad_key(f, &p, err);
	EVP_PKEY_free(key);
	return ok;
}

static bool read_key(SSL_CTX *ctx, const struct pgw_tls_settings *s,
		     struct pgw_err *err)
{
	struct own_file f = { .keyword = "sslkey", .path = s->key };
	bool ok;

	if (!s->key)
		return pgw_fail(err, PGW_E_TLS,
				"sslcert \"%.250s\" needs a key: sslkey is not "
				"given",
				s->cert);
	ok = read_file(&f, check_private, err) && use_key(ctx, &f, s, err);
	pgw_buf_release(&f.text);
	return ok;
}

/* ---- */

/* Whoever names a key wants it to be used. */
static bool have_none(const struct pgw_tls_settings *s, struct pgw_err *err)
{
	if (!s->key_given)
		return true;
	pgw_fail(err, PGW_E_TLS,
		 "sslkey \"%.250s\" is given, but there is no certificate for "
		 "it",
		 s->key);
	return pgw_hint(err, "name it with sslcert=FILE");
}

static bool use_own(SSL_CTX *ctx, const struct pgw_tls_settings *s, bool *own,
		    struct pgw_err *err)
{
	struct own_file f = { .keyword = "sslcert", .path = s->cert };
	bool ok;

	if (!s->cert)
		return have_none(s, err);
	ok = read_file(&f, check_plain, err);
	if (!ok && f.missing && !s->cert_given) {
		*err = (struct pgw_err){ .code = PGW_OK };
		ok = have_none(s, err);
	} else {
		ok = ok && use_certificates(ctx, &f, err) &&
		     read_key(ctx, s, err);
		*own = ok;
	}
	pgw_buf_release(&f.text);
	return ok;
}

bool pgw_tls_own(SSL_CTX *ctx, const struct pgw_tls_settings *s, bool *own,
		 struct pgw_err *err)
{
	bool ok;

	ERR_clear_error();
	*own = false;
	ok = s->certmode == PGW_CERT_DISABLE || use_own(ctx, s, own, err);
	ERR_clear_error();
	return ok;
}
