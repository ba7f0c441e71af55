/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "outside.h"
#include "reading.h"
#include "tls_der.h"
#include "tls_pem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- from text to DER */

enum {
	BLANK = 64,
	PAD,
	WRONG,
};

struct scan {
	const unsigned char *at, *end;
	unsigned char *out; /* never ahead of at */
	uint8_t values[256];
};

static void set_values(uint8_t values[256])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";

	memset(values, WRONG, 256);
	for (unsigned i = 0; i < BLANK; i++)
		values[(unsigned char)alphabet[i]] = (uint8_t)i;
	values[' '] = values['\t'] = values['\r'] = values['\n'] = BLANK;
	values['='] = PAD;
}

static bool skip(struct scan *s, const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(s->end - s->at) < n || memcmp(s->at, text, n) != 0)
		return false;
	s->at += n;
	return true;
}

/* Base64 up to the first dash. */
static bool body(struct scan *s)
{
	unsigned have = 0, pads = 0;
	uint32_t word = 0;

	for (; s->at < s->end && *s->at != '-'; s->at++) {
		uint8_t v = s->values[*s->at];

		if (v == BLANK)
			continue;
		if (v == WRONG || (pads > 0 && v != PAD))
			return false;
		pads += v == PAD;
		word = word << 6 | (v & 63u);
		if (++have < 4)
			continue;
		*s->out++ = (unsigned char)(word >> 16);
		*s->out++ = (unsigned char)(word >> 8);
		*s->out++ = (unsigned char)word;
		have = 0;
	}
	if (have != 0 || pads > 2)
		return false;
	s->out -= pads;
	return true;
}

static bool is_good(struct pgw_view der, enum pgw_pem_kind kind)
{
	struct pgw_cur c = pgw_cur_of(der);
	struct pgw_view name;

	pgw_der_take(&c, PGW_DER_SEQUENCE);
	return pgw_cur_done(&c) &&
	       (kind != PGW_PEM_CERTIFICATE || pgw_der_subject(der, &name));
}

static bool block(struct scan *s, const char *label, enum pgw_pem_kind kind)
{
	unsigned char *start = s->out;

	if (body(s) && skip(s, "-----END ") && skip(s, label) &&
	    is_good((struct pgw_view){ start, (size_t)(s->out - start) }, kind))
		return true;
	s->out = start;
	return false;
}

void pgw_pem_decode(struct pgw_buf *text, enum pgw_pem_kind kind,
		    struct pgw_pem *found)
{
	static const char begin[] = "-----BEGIN ";
	static const char *const labels[] = {
		[PGW_PEM_CERTIFICATE] = "CERTIFICATE-----",
		[PGW_PEM_CRL] = "X509 CRL-----",
	};
	struct scan s = { .at = text->data, .out = text->data };

	*found = (struct pgw_pem){ .count = 0 };
	if (text->len == 0)
		return;
	if (is_good(pgw_buf_view(text), kind)) {
		found->count = 1;
		return;
	}
	set_values(s.values);
	s.end = s.at + text->len;
	while ((s.at = memmem(s.at, (size_t)(s.end - s.at), begin,
			      sizeof(begin) - 1))) {
		s.at += sizeof(begin) - 1;
		if (!skip(&s, labels[kind]))
			continue;
		if (block(&s, labels[kind], kind))
			found->count++;
		else if (found->bad == 0)
			found->bad = found->count + 1;
	}
	text->len = (size_t)(s.out - text->data);
}

/* ---- files */

static bool too_large(struct pgw_err *err)
{
	return pgw_fail(err, PGW_E_TLS, "it is larger than %u MiB",
			PGW_PEM_MAX >> 20);
}

static bool read_all(int fd, struct pgw_buf *out, struct pgw_err *err)
{
	unsigned char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pgw_fail(err, PGW_E_TLS, "%s", strerror(errno));
		if (n == 0)
			return true;
		if ((size_t)n > out->max - out->len)
			return too_large(err);
		pgw_buf_put(out, chunk, (size_t)n);
		if (out->failed)
			return pgw_nomem(err);
	}
}

/* Not a pipe: the next connection could not read it again. */
static bool check_kind(int fd, struct pgw_err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return pgw_fail(err, PGW_E_TLS, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pgw_fail(err, PGW_E_TLS, "it is not a plain file");
	return st.st_size <= PGW_PEM_MAX || too_large(err);
}

bool pgw_pem_file(const char *path, enum pgw_pem_kind kind, struct pgw_buf *out,
		  struct pgw_pem *found, struct pgw_err *err)
{
	int fd = pgw_open(path, O_RDONLY | O_NONBLOCK);
	bool ok;

	pgw_buf_init(out, PGW_PEM_MAX);
	if (fd < 0)
		return pgw_fail(err, PGW_E_TLS, "%s", strerror(errno));
	ok = check_kind(fd, err) && read_all(fd, out, err);
	close(fd);
	if (ok)
		pgw_pem_decode(out, kind, found);
	else
		pgw_buf_release(out);
	return ok;
}
