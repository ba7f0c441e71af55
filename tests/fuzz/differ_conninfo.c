/* SPDX-License-Identifier: MIT */
/*
 * The installed libpq and we read the same connection strings: millions of
 * them, made by mutation of strings that once were of interest and by a
 * grammar.  Each difference must be one of those that we want.
 *
 *   differ_conninfo COUNT [FILE-OF-STRINGS]
 *
 * LIBPQ names the library, SEED the beginning of the random numbers.  Without
 * a libpq the exit status is 77.
 */
#include <config.h>

#include "../unit/unescape.h"
#include "conninfo.h"
#include "reading.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	TEXT = 1024,  /* of a string, with its NUL */
	SEEDS = 2048, /* strings to begin with */
	SHOWN = 20,   /* differences that are printed */
};

/* ---- libpq, as its manual declares it */

struct option {
	char *keyword, *envvar, *compiled, *val, *label, *dispchar;
	int dispsize;
};

struct libpq {
	struct option *(*parse)(const char *text, char **message);
	void (*free_options)(struct option *options);
	void (*free_text)(void *text);
	int version; /* 180004 */
};

static void *symbol(void *library, const char *name)
{
	void *found = dlsym(library, name);

	if (!found) {
		fprintf(stderr, "%s\n", dlerror());
		exit(EXIT_FAILURE);
	}
	return found;
}

static struct libpq open_libpq(void)
{
	const char *path = getenv("LIBPQ");
	void *library = dlopen(path ? path : "libpq.so.5", RTLD_NOW);
	struct libpq pq;
	int (*version)(void);

	if (!library) {
		printf("skipped: %s\n", dlerror());
		exit(77);
	}
	/* POSIX lets a void * hold a function; ISO C has no cast for it. */
	*(void **)&pq.parse = symbol(library, "PQconninfoParse");
	*(void **)&pq.free_options = symbol(library, "PQconninfoFree");
	*(void **)&pq.free_text = symbol(library, "PQfreemem");
	*(void **)&version = symbol(library, "PQlibVersion");
	pq.version = version();
	return pq;
}

/* ---- random strings */

struct maker {
	uint64_t random;
	char (*seeds)[TEXT];
	size_t nseeds;
	char text[TEXT];
	size_t n;
};

static uint32_t below(struct maker *m, uint32_t limit)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 7;
	m->random ^= m->random << 17;
	return limit > 0 ? (uint32_t)(m->random >> 32) % limit : 0;
}

static bool one_in(struct maker *m, uint32_t n)
{
	return below(m, n) == 0;
}

static void put(struct maker *m, const char *text, size_t n)
{
	if (n > TEXT - 1 - m->n)
		n = TEXT - 1 - m->n;
	memcpy(m->text + m->n, text, n);
	m->n += n;
}

static void put_text(struct maker *m, const char *text)
{
	put(m, text, strlen(text));
}

static const char *const pieces[] = {
	"%20",
	"%00",
	"%2C",
	"%2c",
	"%3D",
	"%26",
	"%40",
	"%3A",
	"%2F",
	"%25",
	"%",
	"%4",
	"%zz",
	"%C3%A9",
	"\xc3\xa9",
	"\xff",
	"\x01",
	"\x7f",
	"@",
	":",
	"/",
	"//",
	"?",
	"&",
	"&&",
	"=",
	"==",
	",",
	",,",
	"[",
	"]",
	"[::1]",
	"[]",
	"[",
	"#",
	";",
	"'",
	"''",
	"\\",
	"\\\\",
	"\\'",
	"\"",
	"$",
	"+",
	"!",
	" ",
	"  ",
	"\t",
	"\n",
	"\r",
	"\v",
	"\f",
	"a",
	"0",
	"1",
	"true",
	"h",
	"host",
	"localhost",
	"127.0.0.1",
	"/tmp",
	"%2Ftmp",
	"5432",
	"05432",
	"99999",
	"-1",
	"db",
	"user",
	"secret",
	"postgres",
	"postgres:",
	"postgres://",
	"postgresql://",
	"POSTGRES://",
	"ssl",
	"ssl=true",
	"ssl=1",
	"requiressl",
	"requiressl=1",
	"requiressl=0",
	"sslmode=require",
	"system",
	"service=s",
	"replication",
	"Host",
	"verify-full",
	"prefer",
};

static void put_piece(struct maker *m)
{
	if (one_in(m, 4))
		put_text(m, pgw_keyword_rows[below(m, PGW_KEYWORDS)].name);
	else
		put_text(m,
			 pieces[below(m, sizeof(pieces) / sizeof(pieces[0]))]);
}

/* What may stand between delimiters, now and then with one in it. */
static void put_word(struct maker *m)
{
	uint32_t n = below(m, 4);

	while (n-- > 0) {
		if (one_in(m, 8))
			put_piece(m);
		else
			put(m, &"abcxyz0189._-~"[below(m, 14)], 1);
	}
}

static void put_uri(struct maker *m)
{
	put_text(m, one_in(m, 2) ? "postgres://" : "postgresql://");
	if (one_in(m, 2)) {
		put_word(m);
		if (one_in(m, 2)) {
			put_text(m, ":");
			put_word(m);
		}
		put_text(m, "@");
	}
	for (bool more = true; more;) {
		put_text(m, one_in(m, 4) ? "[::1]" : "");
		put_word(m);
		put_text(m, one_in(m, 2) ? ":" : "");
		put_word(m);
		more = one_in(m, 3);
		put_text(m, more ? "," : "");
	}
	put_text(m, one_in(m, 8) ? "" : "/");
	put_word(m);
	for (const char *mark = "?"; one_in(m, 2); mark = "&") {
		put_text(m, mark);
		put_piece(m);
		put_text(m, "=");
		put_word(m);
	}
}

static void put_blanks(struct maker *m)
{
	while (one_in(m, 3))
		put(m, &" \t\n\r\v\f"[below(m, 6)], 1);
}

static void put_pairs(struct maker *m)
{
	do {
		bool quoted = one_in(m, 3);

		put_blanks(m);
		if (one_in(m, 8))
			put_piece(m);
		else
			put_text(m,
				 pgw_keyword_rows[below(m, PGW_KEYWORDS)].name);
		put_blanks(m);
		put_text(m, one_in(m, 20) ? "" : "=");
		put_blanks(m);
		put_text(m, quoted ? "'" : "");
		put_word(m);
		put_text(m, quoted ? "'" : "");
		put_text(m, one_in(m, 10) ? "" : " ");
	} while (one_in(m, 2));
}

static void mutate(struct maker *m)
{
	char rest[TEXT];
	size_t at = below(m, (uint32_t)m->n + 1), n = m->n - at, cut;

	memcpy(rest, m->text + at, n);
	m->n = at;
	switch (below(m, 4)) {
	case 0: /* a byte or a piece more */
		put_piece(m);
		put(m, rest, n);
		break;
	case 1: /* some bytes less */
		cut = below(m, 4);
		put(m, rest + (cut < n ? cut : n), n - (cut < n ? cut : n));
		break;
	case 2: /* another byte */
		put(m, (const char[]){ (char)(1 + below(m, 255)) }, 1);
		put(m, rest + (n > 0), n - (n > 0));
		break;
	default: /* the end of another */
		cut = below(m, (uint32_t)m->nseeds);
		n = strlen(m->seeds[cut]);
		at = below(m, (uint32_t)n + 1);
		put(m, m->seeds[cut] + at, n - at);
	}
}

static void make(struct maker *m)
{
	uint32_t kind = below(m, 8);

	m->n = 0;
	if (kind == 0)
		put_pairs(m);
	else if (kind <= 2)
		put_uri(m);
	else
		put_text(m, m->seeds[below(m, (uint32_t)m->nseeds)]);
	for (uint32_t n = below(m, kind <= 2 ? 2 : 5); n > 0; n--)
		mutate(m);
	m->text[m->n] = '\0';
}

static void add_seed(struct maker *m, const char *text)
{
	if (m->nseeds < SEEDS && strlen(text) < TEXT)
		strcpy(m->seeds[m->nseeds++], text);
}

/* A string a line, escaped. */
static void read_seeds(struct maker *m, const char *path)
{
	static const char *const own[] = {
		"",
		"postgresql://user:secret@host:5432/db?sslmode=require",
		"postgres://h1:1,h2:2,[::1]:3/db?target_session_attrs=any",
		"postgres:///db?host=/tmp&port=5432&application_name=x%20y",
		"host=localhost port=5432 dbname='a b' password='it\\'s'",
	};
	static char line[1 << 16];
	FILE *f = path ? fopen(path, "r") : NULL;

	m->seeds = calloc(SEEDS, sizeof(*m->seeds));
	if (!m->seeds || (path && !f)) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		add_seed(m, own[i]);
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		unescape(line);
		add_seed(m, line);
	}
	if (f)
		fclose(f);
}

/* ---- the differences that we want */

struct reading {
	struct option *theirs; /* NULL = refused */
	struct pgw_conninfo ours;
	bool accepted;		    /* by us */
	const char *text, *keyword; /* what differs; NULL = being accepted */
};

static bool is_newer(const struct libpq *pq, const struct reading *r)
{
	/* An old one refuses what it does not know. */
	return pq->version < 180000 && !r->theirs && r->accepted;
}

static bool has_blank(const struct libpq *pq, const struct reading *r)
{
	return pq->version < 170000 && pgw_uri_prefix(r->text) > 0 &&
	       strchr(r->text, ' ');
}

static struct reason {
	const char *why;
	bool (*holds)(const struct libpq *pq, const struct reading *r);
	size_t n;
} reasons[] = {
	{ "blanks in URIs are data for libpq before 17, for us as for newer "
	  "ones a mistake",
	  has_blank, 0 },
	{ "keywords of libpq 18 are unknown to an older one", is_newer, 0 },
};

static void report(const struct reading *r)
{
	printf("DIFFERS %s: ", r->keyword ? r->keyword : "");
	for (const char *p = r->text; *p; p++)
		printf(*p >= ' ' && *p <= '~' && *p != '\\' ? "%c" : "\\x%02x",
		       (unsigned char)*p);
	printf("\n  libpq %s, we %s\n", r->theirs ? "reads it" : "refuses it",
	       r->accepted ? "read it" : "refuse it");
}

/* ---- one string */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same(struct reading *r)
{
	if (!r->theirs != !r->accepted)
		return false;
	for (struct option *o = r->theirs; o && o->keyword; o++) {
		enum pgw_keyword k = pgw_keyword_of(pgw_view_of(o->keyword));

		if (!same_text(o->val, k == PGW_KEYWORDS ?
					       NULL :
					       r->ours.set[k].value)) {
			r->keyword = o->keyword;
			return false;
		}
	}
	return true;
}

static bool explained(const struct libpq *pq, struct reading *r)
{
	if (same(r))
		return true;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].holds(pq, r)) {
			reasons[i].n++;
			return true;
		}
	return false;
}

static bool compare(const struct libpq *pq, const char *text, size_t *read)
{
	struct reading r = { .text = text };
	struct pgw_err err;
	char *message = NULL;
	bool ok;

	pgw_conninfo_init(&r.ours);
	r.ours.repair = false;
	r.accepted = pgw_conninfo_parse(&r.ours, text, &err);
	r.theirs = pq->parse(text, &message);
	ok = explained(pq, &r);
	if (!ok)
		report(&r);
	*read += r.accepted;
	pq->free_text(message);
	pq->free_options(r.theirs);
	pgw_conninfo_release(&r.ours);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	const char *seed = getenv("SEED");
	struct libpq pq = open_libpq();
	struct maker m = {
		.random = 0x9e3779b97f4a7c15u ^
			  (seed ? strtoul(seed, NULL, 10) : 0),
	};
	size_t bad = 0, read = 0;

	read_seeds(&m, argc > 2 ? argv[2] : NULL);
	for (size_t i = 0; i < m.nseeds; i++)
		bad += !compare(&pq, m.seeds[i], &read);
	for (unsigned long i = 0; i < count && bad < SHOWN; i++) {
		make(&m);
		bad += !compare(&pq, m.text, &read);
	}
	printf("libpq %d, %lu strings and %zu to begin with, %zu were read\n",
	       pq.version, count, m.nseeds, read);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		printf("%zu differ: %s\n", reasons[i].n, reasons[i].why);
	printf("%zu differ and should not\n", bad);
	free(m.seeds);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
