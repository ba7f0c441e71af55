/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "reading.h"
#include "tls_der.h"
#include "tls_lookup.h"
#include "tls_pem.h"
#include "tls_trust.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Where distributions have them; the first that has any is taken. */
static const char *const system_files[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
	"/etc/pki/tls/cacert.pem",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

/* ---- files */

static const char *const kinds[] = {
	[PGW_PEM_CERTIFICATE] = "certificate",
	[PGW_PEM_CRL] = "revocation list",
};

/* All of what the user named has to be good. */
static bool read_named(const char *path, enum pgw_pem_kind kind,
		       struct pgw_buf *out, struct pgw_err *err)
{
	struct pgw_pem found;

	if (!pgw_pem_file(path, kind, out, &found, err))
		return false;
	if (found.bad > 0)
		pgw_fail(err, PGW_E_TLS, "%s %zu in it is damaged", kinds[kind],
			 found.bad);
	else if (found.count == 0)
		pgw_fail(err, PGW_E_TLS, "there is no %s in it", kinds[kind]);
	else
		return true;
	pgw_buf_release(out);
	return false;
}

static bool is_there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* HASH.0, or HASH.r0 of a revocation list. */
static bool is_hashed(const char *name, enum pgw_pem_kind kind)
{
	size_t n = strspn(name, "0123456789abcdef");

	if (n != 8 || name[n++] != '.')
		return false;
	if (kind == PGW_PEM_CRL && name[n++] != 'r')
		return false;
	return isdigit((unsigned char)name[n]);
}

static bool check_dir(const char *path, enum pgw_pem_kind kind,
		      struct pgw_err *err)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	bool found = false;

	if (!dir)
		return pgw_fail(err, PGW_E_TLS, "%s", strerror(errno));
	while (!found && (entry = readdir(dir)))
		found = is_hashed(entry->d_name, kind);
	closedir(dir);
	if (found)
		return true;
	pgw_fail(err, PGW_E_TLS, "there is no %s by hash in it", kinds[kind]);
	return pgw_hint(err, "run: openssl rehash %s", path);
}

/* ---- roots */

static bool named_roots(struct pgw_lookup *l, const struct pgw_tls_settings *s,
			struct pgw_err *err)
{
	if (!s->root || (!s->root_given && !is_there(s->root)))
		return true;
	if (read_named(s->root, PGW_PEM_CERTIFICATE, &l->roots, err))
		return true;
	if (err->code == PGW_E_NOMEM)
		return false;
	pgw_wrap(err, "cannot use sslrootcert \"%s\"", s->root);
	return pgw_hint(err, "sslrootcert is a PEM file with the certificate "
			     "of the authority that signed the server's, or "
			     "system, for the public authorities");
}

/* False also when there are none. */
static bool try_file(struct pgw_lookup *l, const char *path,
		     struct pgw_err *err)
{
	struct pgw_pem found;

	if (!pgw_pem_file(path, PGW_PEM_CERTIFICATE, &l->roots, &found, err))
		return false;
	if (found.count > 0)
		return true;
	pgw_buf_release(&l->roots);
	return pgw_fail(err, PGW_E_TLS, "there is no certificate in it");
}

static bool try_dirs(struct pgw_lookup *l, const char *dirs,
		     struct pgw_err *err)
{
	const char *rest = dirs;
	struct pgw_view dir;

	pgw_fail(err, PGW_E_TLS, "it names no directory");
	while (pgw_lookup_dir(&rest, &dir)) {
		char *path = pgw_text(dir);
		bool ok = path ? check_dir(path, PGW_PEM_CERTIFICATE, err) :
				 pgw_nomem(err);

		pgw_text_free(path);
		if (ok)
			l->root_dirs = dirs;
		if (ok || err->code == PGW_E_NOMEM)
			return ok;
	}
	return false;
}

/* They may be there to trust fewer: then nobody else is trusted either. */
static bool environment_roots(struct pgw_lookup *l,
			      const struct pgw_tls_settings *s,
			      struct pgw_err *err)
{
	const char *file = s->system_file, *dirs = s->system_dirs;

	if (dirs && !try_dirs(l, dirs, err) && err->code == PGW_E_NOMEM)
		return false;
	if (file && !try_file(l, file, err) && err->code == PGW_E_NOMEM)
		return false;
	if (pgw_lookup_has_roots(l))
		return true;
	pgw_wrap(err, "cannot use %s \"%s\"",
		 file ? "SSL_CERT_FILE" : "SSL_CERT_DIR", file ? file : dirs);
	return pgw_hint(err, "sslrootcert=system follows these variables of "
			     "the environment: unset them, or set them right");
}

static bool system_roots(struct pgw_lookup *l, const struct pgw_tls_settings *s,
			 struct pgw_err *err)
{
	if (s->system_file || s->system_dirs)
		return environment_roots(l, s, err);
	for (size_t i = 0; i < sizeof(system_files) / sizeof(*system_files);
	     i++) {
		if (try_file(l, system_files[i], err))
			return true;
		if (err->code == PGW_E_NOMEM)
			return false;
	}
	if (pgw_bundle()->count > 0) {
		l->bundle = pgw_bundle();
		return true;
	}
	pgw_fail(err, PGW_E_TLS,
		 "sslrootcert=system: this machine has no certificates of "
		 "public authorities, and none are built in");
	return pgw_hint(err, "install ca-certificates, name a file with "
			     "SSL_CERT_FILE or sslrootcert, or build with "
			     "--with-ca-bundle");
}

/* ---- revocation lists */

/* What it led to comes after it in OpenSSL's list. */
static bool is_nomem(void)
{
	unsigned long code;
	bool found = false;

	while ((code = ERR_get_error()) != 0)
		found |= ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE;
	return found;
}

static bool add_crls(X509_STORE *store, struct pgw_view crls,
		     struct pgw_err *err)
{
	const unsigned char *p = crls.p, *end = crls.p + crls.n;

	for (size_t i = 1; p < end; i++) {
		X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)(end - p));
		bool ok = crl && X509_STORE_add_crl(store, crl) == 1;

		X509_CRL_free(crl);
		if (!ok && is_nomem())
			return pgw_nomem(err);
		if (!ok)
			return pgw_fail(err, PGW_E_TLS,
					"revocation list %zu in it is damaged",
					i);
	}
	return true;
}

static bool crl_file(X509_STORE *store, const char *path, struct pgw_err *err)
{
	struct pgw_buf crls;
	bool ok;

	if (!read_named(path, PGW_PEM_CRL, &crls, err))
		return false;
	ok = add_crls(store, pgw_buf_view(&crls), err);
	pgw_buf_release(&crls);
	return ok;
}

static bool crl_fail(const char *keyword, const char *path, struct pgw_err *err)
{
	if (err->code == PGW_E_NOMEM)
		return false;
	pgw_wrap(err, "cannot use %s \"%s\"", keyword, path);
	if (err->hint[0] != '\0')
		return false;
	return pgw_hint(err, "it takes the revocation lists of all authorities "
			     "in the server's chain, as PEM");
}

/* Those by default go with the root by default, as with libpq. */
static bool wants_crl_file(const struct pgw_tls_settings *s)
{
	if (!s->crl)
		return false;
	return s->crl_given || (!s->root_system && is_there(s->crl));
}

static bool revocation(X509_STORE *store, struct pgw_lookup *l,
		       const struct pgw_tls_settings *s, struct pgw_err *err)
{
	bool file = wants_crl_file(s);

	if (file && !crl_file(store, s->crl, err))
		return crl_fail("sslcrl", s->crl, err);
	if (s->crl_dir && !check_dir(s->crl_dir, PGW_PEM_CRL, err))
		return crl_fail("sslcrldir", s->crl_dir, err);
	l->crl_dir = s->crl_dir;
	if ((file || s->crl_dir) &&
	    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK |
						X509_V_FLAG_CRL_CHECK_ALL) != 1)
		return pgw_nomem(err);
	return true;
}

/* ---- */

bool pgw_tls_trust(SSL_CTX *ctx, const struct pgw_tls_settings *s, bool *roots,
		   struct pgw_err *err)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	struct pgw_lookup *l = pgw_lookup_new();
	bool ok;

	*roots = false;
	if (!l)
		return pgw_nomem(err);
	ERR_set_mark();
	ok = s->root_system ? system_roots(l, s, err) : named_roots(l, s, err);
	ok = ok && revocation(store, l, s, err);
	ERR_pop_to_mark();
	*roots = ok && pgw_lookup_has_roots(l);
	if (ok && pgw_lookup_give(l, store, err))
		return true;
	pgw_lookup_free(l);
	return false;
}
