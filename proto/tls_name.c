/* SPDX-License-Identifier: MIT */
/* The names in certificates: whom one is for, and how people read them. */
#include <config.h>

#include "reading.h"
#include "tls_peer.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define LIST_MAX 160 /* of names in a hint */

enum { IPV4 = 4, IPV6 = 16 };

static char printable(char c)
{
	if (c < ' ' || c > '~')
		return '?';
	return c;
}

/* ---- as people read them */

void pgw_tls_name_text(const X509_NAME *name, char out[PGW_TLS_NAME_MAX])
{
	static const char more[] = "...";
	BIO *text = BIO_new(BIO_s_mem());
	size_t n = 0;
	char *data;
	long len;

	out[0] = '\0';
	if (text && X509_NAME_print_ex(text, name, 0, XN_FLAG_RFC2253) >= 0) {
		len = BIO_get_mem_data(text, &data);
		for (; n < (size_t)len && n < PGW_TLS_NAME_MAX - 1; n++)
			out[n] = printable(data[n]);
		out[n] = '\0';
		if (n < (size_t)len)
			memcpy(out + n - (sizeof(more) - 1), more,
			       sizeof(more));
	}
	BIO_free(text);
}

/* ---- whom it is for */

struct look {
	const char *host;
	const ASN1_OCTET_STRING *address; /* of the host; NULL: a name */
	bool typed;   /* there is a name of the kind that the host is */
	bool matches; /* one of them is the host's */
	bool odd;     /* an address stands among the host names */
	size_t count;
	char first[LIST_MAX];
	char list[LIST_MAX];
};

/* What does not fit is left out: nobody reads a hundred names. */
static void list_name(struct look *l, struct pgw_view name)
{
	size_t n = strlen(l->list);
	size_t before = l->count > 0 ? 2 : 0;

	if (l->count++ == 0)
		for (size_t i = 0; i < name.n && i < LIST_MAX - 1; i++)
			l->first[i] = printable((char)name.p[i]);
	if (name.n >= LIST_MAX - n - before)
		return;
	if (n > 0)
		memcpy(l->list + n, ", ", before);
	n += n > 0 ? before : 0;
	for (size_t i = 0; i < name.n; i++)
		l->list[n++] = printable((char)name.p[i]);
	l->list[n] = '\0';
}

/* A star is a whole label, the first one, and stands for one. */
static bool is_wildcard_for(const char *pattern, const char *host)
{
	size_t label = strcspn(host, ".");

	return pattern[0] == '*' && pattern[1] == '.' && pattern[2] != '\0' &&
	       label > 0 && host[label] == '.' &&
	       pgw_same_name(pattern + 1, host + label);
}

static bool look_at_text(struct look *l, const ASN1_STRING *s, bool *matches,
			 struct pgw_err *err)
{
	struct pgw_view name = { ASN1_STRING_get0_data(s),
				 (size_t)ASN1_STRING_length(s) };
	char *text;

	if (name.n > 0 && memchr(name.p, '\0', name.n))
		return pgw_fail(err, PGW_E_TLS,
				"a name in the server's certificate has a NUL "
				"byte in it");
	list_name(l, name);
	text = pgw_text(name);
	if (!text)
		return pgw_nomem(err);
	/* An address is nobody's subdomain. */
	if (name.n > 0 && (pgw_same_name(text, l->host) ||
			   (!l->address && is_wildcard_for(text, l->host))))
		*matches = true;
	pgw_text_free(text);
	return true;
}

static bool look_at_dns(struct look *l, const ASN1_STRING *s,
			struct pgw_err *err)
{
	if (l->address) /* what looks like it is still a name */
		return look_at_text(l, s, &l->odd, err);
	l->typed = true;
	return look_at_text(l, s, &l->matches, err);
}

static void address_text(struct pgw_view a, char *out, size_t size)
{
	const unsigned char *p = a.p;
	size_t n = 0;

	if (a.n == IPV4)
		snprintf(out, size, "%u.%u.%u.%u", p[0], p[1], p[2], p[3]);
	for (size_t i = 0; a.n == IPV6 && i < IPV6; i += 2)
		n += (size_t)snprintf(out + n, size - n, "%s%x",
				      i > 0 ? ":" : "",
				      (unsigned)(p[i] << 8 | p[i + 1]));
}

static bool look_at_address(struct look *l, const ASN1_OCTET_STRING *s,
			    struct pgw_err *err)
{
	struct pgw_view a = { ASN1_STRING_get0_data(s),
			      (size_t)ASN1_STRING_length(s) };
	char text[64];

	if (a.n != IPV4 && a.n != IPV6)
		return pgw_fail(err, PGW_E_TLS,
				"the server's certificate has an IP address of "
				"%zu bytes in it",
				a.n);
	address_text(a, text, sizeof(text));
	list_name(l, pgw_view_of(text));
	if (!l->address)
		return true;
	l->typed = true;
	if (ASN1_OCTET_STRING_cmp(s, l->address) == 0)
		l->matches = true;
	return true;
}

static bool look_at_all(struct look *l, const GENERAL_NAMES *names,
			struct pgw_err *err)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS &&
		    !look_at_dns(l, name->d.dNSName, err))
			return false;
		if (name->type == GEN_IPADD &&
		    !look_at_address(l, name->d.iPAddress, err))
			return false;
	}
	return true;
}

static bool look_at_subject(struct look *l, X509 *cert, struct pgw_err *err)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (i < 0)
		return true;
	return look_at_text(l,
			    X509_NAME_ENTRY_get_data(
				    X509_NAME_get_entry(subject, i)),
			    &l->matches, err);
}

static bool look_at(struct look *l, X509 *cert, struct pgw_err *err)
{
	int critical = -1;
	GENERAL_NAMES *names;
	bool ok;

	ERR_clear_error();
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
	if (!names && pgw_tls_nomem())
		return pgw_nomem(err);
	if (!names && critical != -1)
		return pgw_fail(err, PGW_E_TLS,
				"the names in the server's certificate cannot "
				"be read");
	ok = look_at_all(l, names, err);
	GENERAL_NAMES_free(names);
	return ok && (l->typed || look_at_subject(l, cert, err));
}

static bool other_host(const struct look *l, struct pgw_err *err)
{
	if (l->count == 0)
		return pgw_fail(err, PGW_E_TLS,
				"the server's certificate has no name in it, "
				"so it cannot be for \"%.120s\"",
				l->host);
	if (l->odd) {
		pgw_fail(err, PGW_E_TLS,
			 "the server's certificate has %s as a host name only, "
			 "not as an address",
			 l->host);
		return pgw_hint(err,
				"the server needs a certificate with "
				"IP:%s among its alternative names",
				l->host);
	}
	if (l->count == 1)
		pgw_fail(err, PGW_E_TLS,
			 "the server's certificate is for \"%s\", not for "
			 "\"%.120s\"",
			 l->first, l->host);
	else
		pgw_fail(err, PGW_E_TLS,
			 "the server's certificate is for \"%s\" and %zu other "
			 "name%s, not for \"%.120s\"",
			 l->first, l->count - 1, l->count > 2 ? "s" : "",
			 l->host);
	return pgw_hint(err,
			"host must be one of %s; where to go may be said "
			"apart, with hostaddr",
			l->list[0] != '\0' ? l->list : "its names");
}

bool pgw_tls_is_for(X509 *cert, const char *host, struct pgw_err *err)
{
	struct look l = { .host = host };
	ASN1_OCTET_STRING *address;
	bool ok;

	ERR_clear_error();
	l.address = address = a2i_IPADDRESS(host);
	if (!address && pgw_tls_nomem())
		return pgw_nomem(err);
	ok = look_at(&l, cert, err) && (l.matches || other_host(&l, err));
	ASN1_OCTET_STRING_free(address);
	ERR_clear_error();
	return ok;
}
