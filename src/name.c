/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "name.h"

#include "pgw.h"

#include <string.h>

/* ---- order */

/* What one character weighs; the primaries of a whole name decide first. */
struct weight {
	uint32_t primary, accent, upper;
};

/* U+00C0 to U+00FF: the letter under the accent; - is a letter of its own. */
static const char latin1[] = "AAAAAA-CEEEEIIII-NOOOOO-OUUUUY--"
			     "aaaaaa-ceeeeiiii-nooooo-ouuuuy-y";

/* CLDR's root collation; other control characters do not count at all. */
static const char before_letters[] =
	"\t\n\v\f\r _-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789";

#define LETTER_A ((uint32_t)sizeof(before_letters))
#define AFTER_Z (LETTER_A + 26)

static struct weight weight_of(uint32_t cp)
{
	struct weight w = { 0 };
	const char *at;

	if (cp >= 0xc0 && cp <= 0xff && latin1[cp - 0xc0] != '-') {
		w.accent = cp | 0x20; /* one for both cases */
		cp = (unsigned char)latin1[cp - 0xc0];
	}
	if (cp >= 'A' && cp <= 'Z') {
		w.upper = 1;
		cp += 'a' - 'A';
	}
	if (cp >= 'a' && cp <= 'z') {
		w.primary = LETTER_A + (cp - 'a');
	} else if (cp >= 0x80) {
		w.primary = AFTER_Z + cp;
	} else {
		at = strchr(before_letters, (int)cp);
		if (cp != 0 && at)
			w.primary = (uint32_t)(at - before_letters) + 1;
	}
	return w;
}

/* The next character that counts; primary 0 at the end. */
static struct weight next_weight(const char **name)
{
	struct weight w = { 0 };

	while (**name != '\0' && w.primary == 0) {
		const unsigned char *p = (const unsigned char *)*name;
		uint32_t cp;
		size_t n = pgw_utf8_next(p, strlen(*name), &cp);

		if (n == 0) {
			cp = 0xfffd;
			n = 1;
		}
		*name += n;
		w = weight_of(cp);
	}
	return w;
}

static int order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int mz_name_compare(const char *a, const char *b)
{
	const char *p = a, *q = b;
	int accent = 0, upper = 0;
	struct weight v, w;

	do {
		v = next_weight(&p);
		w = next_weight(&q);
		if (v.primary != w.primary)
			return order(v.primary, w.primary);
		if (accent == 0)
			accent = order(v.accent, w.accent);
		if (upper == 0)
			upper = order(v.upper, w.upper);
	} while (v.primary != 0);
	if (accent != 0)
		return accent;
	return upper != 0 ? upper : strcmp(a, b);
}

/* ---- time */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The first n UTF-16 units, each as a char; what is not ASCII becomes '?'. */
static void first_units(const char *name, char *out, size_t n)
{
	size_t at = 0;

	memset(out, 0, n);
	while (at < n && *name != '\0') {
		uint32_t cp;
		size_t length = pgw_utf8_next((const unsigned char *)name,
					      strlen(name), &cp);

		if (length == 0) {
			cp = 0xfffd;
			length = 1;
		}
		out[at++] = (char)(cp < 0x80 ? cp : '?');
		if (cp > 0xffff && at < n)
			out[at++] = '?';
		name += length;
	}
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* parseInt: spaces, a sign, 0x, then as many digits as there are. */
static bool parse_int(const char *p, size_t n, int64_t *out)
{
	int64_t sign = 1, value = 0;
	int base = 10;
	size_t at = 0, first;

	while (at < n && p[at] != '\0' && strchr("\t\n\v\f\r ", p[at]))
		at++;
	if (at < n && (p[at] == '-' || p[at] == '+'))
		sign = p[at++] == '-' ? -1 : 1;
	if (n - at >= 2 && p[at] == '0' && (p[at + 1] | 0x20) == 'x') {
		base = 16;
		at += 2;
	}
	first = at;
	while (at < n && hex_digit(p[at]) < base)
		value = value * base + hex_digit(p[at++]);
	*out = sign * value;
	return at > first;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* Days since 1970 of a month's first day; month is from 0, of any size. */
static int64_t days_of_month(int64_t year, int64_t month)
{
	static const int before[] = { 306, 337, 0,   31,  61,  92,
				      122, 153, 184, 214, 245, 275 };
	int64_t y = year + floor_div(month, 12);
	int64_t m = month - floor_div(month, 12) * 12;

	if (m < 2)
		y--; /* years from March on have their leap day at the end */
	return y * 365 + floor_div(y, 4) - floor_div(y, 100) +
	       floor_div(y, 400) + before[m] - 719468;
}

bool mz_name_time(const char *name, int64_t *ms)
{
	static const struct {
		size_t at, n;
	} parts[] = { { 0, 4 }, { 4, 2 },  { 6, 2 },
		      { 8, 2 }, { 10, 2 }, { 12, 2 } };

	char units[14];
	int64_t v[6], days;

	first_units(name, units, sizeof(units));
	for (size_t i = 0; i < 6; i++) {
		if (!parse_int(units + parts[i].at, parts[i].n, &v[i]))
			return false;
	}
	if (v[0] >= 0 && v[0] <= 99)
		v[0] += 1900; /* so does Date.UTC */
	days = days_of_month(v[0], v[1] - 1) + v[2] - 1;
	*ms = (((days * 24 + v[3]) * 60 + v[4]) * 60 + v[5]) * 1000;
	return true;
}

bool mz_name_plain_time(const char *name, int64_t *ms)
{
	int64_t value = 0;
	size_t n = 0;

	while (is_digit(name[n]) && n < 15)
		value = value * 10 + (name[n++] - '0');
	if (n == 14)
		return mz_name_time(name, ms);
	*ms = n == 13 ? value : value * 1000;
	return n == 13 || (n >= 1 && n <= 10);
}

bool mz_name_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}
