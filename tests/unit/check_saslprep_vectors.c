/* SPDX-License-Identifier: MIT */
/* What PostgreSQL's own function says, for every code point there is. */
#include <config.h>

#include "saslprep.h"
#include "shared.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct bytes {
	unsigned char p[4096];
	size_t n;
};

static struct bytes unhex(const char *text)
{
	struct bytes b = { .n = strlen(text) / 2 };

	ck_assert_uint_le(b.n, sizeof(b.p));
	for (size_t i = 0; i < b.n; i++) {
		const char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		b.p[i] = (unsigned char)strtoul(digits, NULL, 16);
	}
	return b;
}

/* Surrogates too: as the three bytes that are not UTF-8. */
static struct bytes around(uint32_t cp)
{
	struct bytes b = { .p = "a", .n = 1 };
	int more = cp < 0x80 ? 0 : cp < 0x800 ? 1 : cp < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = { 0, 0xc0, 0xe0, 0xf0 };

	b.p[b.n++] = (unsigned char)(lead[more] | cp >> 6 * more);
	while (more-- > 0)
		b.p[b.n++] = (unsigned char)(0x80 | (cp >> 6 * more & 0x3f));
	b.p[b.n++] = 'b';
	return b;
}

static bool prepares_to(const struct bytes *in, const struct bytes *want)
{
	struct pgw_buf out;
	bool ok;

	pgw_buf_init(&out, 1 << 16);
	pgw_saslprep(&out, (struct pgw_view){ in->p, in->n });
	ok = !out.failed && out.len == want->n &&
	     memcmp(out.data, want->p, want->n) == 0;
	pgw_buf_release(&out);
	return ok;
}

static void check_range(const char *line)
{
	char kind[16], text[256] = "";
	char *rest;
	unsigned long first = strtoul(line, &rest, 16);
	unsigned long last = strtoul(rest, &rest, 16);

	ck_assert_int_ge(sscanf(rest, "%15s %255s", kind, text), 1);
	ck_assert_uint_le(first, last);
	for (uint32_t cp = (uint32_t)first; cp <= last; cp++) {
		struct bytes in = around(cp), want = in;

		if (strcmp(kind, "map") == 0)
			want = unhex(text);
		ck_assert_msg(prepares_to(&in, &want), "U+%04X", cp);
	}
}

START_TEST(every_code_point_agrees)
{
	FILE *f = shared_open("vectors/saslprep-codepoints.tsv");
	char line[1024];
	size_t n = 0;

	while (fgets(line, sizeof(line), f)) {
		if (line[0] == '#')
			continue;
		check_range(line);
		n++;
	}
	fclose(f);
	ck_assert_uint_eq(n, 4298);
}

END_TEST

START_TEST(whole_passwords_agree)
{
	FILE *f = shared_open("vectors/saslprep-vectors.tsv");
	static char line[16384], input[8192], output[8192];
	size_t n = 0;

	while (fgets(line, sizeof(line), f)) {
		struct bytes in, want;

		if (line[0] == '#')
			continue;
		ck_assert_int_eq(sscanf(line, "%8191s %*s %8191s", input,
					output),
				 2);
		in = unhex(input);
		want = unhex(output);
		ck_assert_msg(prepares_to(&in, &want), "%s", input);
		n++;
	}
	fclose(f);
	ck_assert_uint_ge(n, 114);
}

END_TEST

int main(void)
{
	const TTest *tests[] = { every_code_point_agrees,
				 whole_passwords_agree };

	fclose(shared_open("vectors/saslprep-codepoints.tsv"));
	return unit_main("saslprep_vectors", tests, 2);
}
