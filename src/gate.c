/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "gate.h"

#include <string.h>
#include <strings.h>

/* ---- secrets */

static void digest(unsigned char out[PGW_SHA256_LEN], struct pgw_view v)
{
	struct pgw_sha256 h;

	pgw_sha256_init(&h);
	pgw_sha256_update(&h, v.p, v.n);
	pgw_sha256_final(&h, out);
}

static struct pgw_view trimmed(struct pgw_view v)
{
	while (v.n > 0 && strchr(" \t\r", v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && strchr(" \t\r", v.p[v.n - 1]))
		v.n--;
	return v;
}

static struct pgw_view next_line(struct pgw_view *rest)
{
	const unsigned char *end = memchr(rest->p, '\n', rest->n);
	struct pgw_view line = *rest;

	line.n = end ? (size_t)(end - rest->p) : rest->n;
	rest->p += line.n + (end != NULL);
	rest->n -= line.n + (end != NULL);
	return trimmed(line);
}

size_t mz_gate_add(struct mz_gate *g, struct mz_arena *a, struct pgw_view text,
		   enum mz_right right)
{
	size_t before = g->nkeys;

	while (text.n > 0) {
		struct pgw_view line = next_line(&text);
		struct mz_gate_key *key;

		if (line.n == 0)
			continue;
		g->keys = mz_grow(a, g->keys, g->nkeys, &g->room,
				  sizeof(*g->keys));
		key = &g->keys[g->nkeys++];
		digest(key->sha256, line);
		key->right = right;
	}
	return g->nkeys - before;
}

/* Takes as long whichever byte is another. */
static bool is_same(const unsigned char *a, const unsigned char *b)
{
	unsigned char difference = 0;

	for (size_t i = 0; i < PGW_SHA256_LEN; i++)
		difference |= (unsigned char)(a[i] ^ b[i]);
	return difference == 0;
}

enum mz_right mz_gate_right(const struct mz_gate *g, const char *authorization)
{
	static const char scheme[] = "Bearer ";
	enum mz_right right = MZ_RIGHT_NONE;
	unsigned char sha256[PGW_SHA256_LEN];

	if (g->nkeys == 0)
		return MZ_RIGHT_MIGRATE;
	if (!authorization ||
	    strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return MZ_RIGHT_NONE;
	digest(sha256,
	       trimmed(pgw_view_of(authorization + sizeof(scheme) - 1)));
	for (size_t i = 0; i < g->nkeys; i++)
		if (is_same(sha256, g->keys[i].sha256) &&
		    g->keys[i].right > right)
			right = g->keys[i].right;
	return right;
}

/* ---- addresses */

#define ADDRESS_BYTES 16

/* Up to three decimal digits; false past 255. */
static bool take_number(const char **p, unsigned *out)
{
	const char *start = *p;

	*out = 0;
	while (**p >= '0' && **p <= '9' && *p - start < 3)
		*out = *out * 10 + (unsigned)(*(*p)++ - '0');
	return *p > start && *out <= 255;
}

/* a.b.c.d as ::ffff:a.b.c.d */
static bool parse_four(const char *text, size_t n,
		       unsigned char out[ADDRESS_BYTES])
{
	const char *p = text;
	unsigned v;

	memset(out, 0, ADDRESS_BYTES);
	out[10] = out[11] = 0xFF;
	for (size_t i = 12; i < ADDRESS_BYTES; i++) {
		if (i > 12 && *p++ != '.')
			return false;
		if (!take_number(&p, &v))
			return false;
		out[i] = (unsigned char)v;
	}
	return (size_t)(p - text) == n;
}

static int lower(char c)
{
	return c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c;
}

static bool take_hex(const char **p, unsigned *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *start = *p, *at;

	*out = 0;
	while (**p && *p - start < 4 && (at = strchr(digits, lower(**p)))) {
		*out = *out * 16 + (unsigned)(at - digits);
		(*p)++;
	}
	return *p > start;
}

/* Without a part in dots; :: stands for as many zeros as are missing. */
static bool parse_sixteen(const char *text, size_t n,
			  unsigned char out[ADDRESS_BYTES])
{
	size_t at = 0, gap = ADDRESS_BYTES + 1;
	const char *p = text, *end = text + n;
	unsigned v;

	memset(out, 0, ADDRESS_BYTES);
	while (p < end) {
		if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
			if (gap <= ADDRESS_BYTES)
				return false;
			gap = at;
			p += 2;
			continue;
		}
		if (at > 0 && p[-1] != ':' && *p++ != ':')
			return false;
		if (at + 2 > ADDRESS_BYTES || !take_hex(&p, &v))
			return false;
		out[at++] = (unsigned char)(v >> 8);
		out[at++] = (unsigned char)v;
	}
	if (gap > ADDRESS_BYTES)
		return at == ADDRESS_BYTES;
	memmove(out + ADDRESS_BYTES - (at - gap), out + gap, at - gap);
	memset(out + gap, 0, ADDRESS_BYTES - at);
	return at < ADDRESS_BYTES;
}

static bool parse_address(const char *text, size_t n,
			  unsigned char out[ADDRESS_BYTES], bool *four)
{
	static const char mapped[] = "::ffff:";
	size_t skip = sizeof(mapped) - 1;

	*four = !memchr(text, ':', n);
	if (*four)
		return parse_four(text, n, out);
	if (n > skip && strncasecmp(text, mapped, skip) == 0 &&
	    memchr(text, '.', n))
		return parse_four(text + skip, n - skip, out);
	return parse_sixteen(text, n, out);
}

/* ---- guessing */

#define FREE_FAILURES 5u
#define PAUSE_MAX_MS INT64_C(60000)
#define FORGET_MS (10 * PAUSE_MAX_MS)

static bool is_zero(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}

static uint64_t hash_bytes(const void *data, size_t n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

/* Whoever has an IPv6 network has all its addresses: its first half counts. */
static uint64_t hash_of(const char *address)
{
	unsigned char bytes[ADDRESS_BYTES];
	size_t n = strlen(address);
	bool four;

	if (!parse_address(address, n, bytes, &four))
		return hash_bytes(address, n);
	if (bytes[10] == 0xFF && bytes[11] == 0xFF && is_zero(bytes, 10))
		return hash_bytes(bytes, ADDRESS_BYTES);
	return hash_bytes(bytes, ADDRESS_BYTES / 2);
}

static size_t slot_of(uint64_t whom)
{
	return (size_t)(whom % MZ_GATE_SLOTS);
}

int64_t mz_gate_pause(const struct mz_gate *g, const char *address,
		      int64_t now_ms)
{
	uint64_t whom = hash_of(address);
	const struct mz_gate_slot *s = &g->slots[slot_of(whom)];
	int64_t pause = PAUSE_MAX_MS, left;
	unsigned over;

	if (s->whom != whom || s->failures < FREE_FAILURES)
		return 0;
	over = s->failures - FREE_FAILURES;
	if (over < 6)
		pause = INT64_C(1000) << over;
	left = s->since_ms + pause - now_ms;
	return left > 0 ? left : 0;
}

/* Another address in the same slot takes it over only when it is old. */
void mz_gate_failed(struct mz_gate *g, const char *address, int64_t now_ms)
{
	uint64_t whom = hash_of(address);
	struct mz_gate_slot *s = &g->slots[slot_of(whom)];

	if (now_ms - s->since_ms > FORGET_MS)
		*s = (struct mz_gate_slot){ 0 };
	if (s->whom != whom && s->failures >= FREE_FAILURES)
		return;
	if (s->whom != whom)
		*s = (struct mz_gate_slot){ .whom = whom };
	if (s->failures < FREE_FAILURES + 6)
		s->failures++;
	s->since_ms = now_ms;
}

void mz_gate_passed(struct mz_gate *g, const char *address)
{
	uint64_t whom = hash_of(address);
	struct mz_gate_slot *s = &g->slots[slot_of(whom)];

	if (s->whom == whom)
		*s = (struct mz_gate_slot){ 0 };
}

/* ---- hosts and origins */

/* Without its port; what is in brackets may have colons.  "" = it is none. */
static struct pgw_view without_port(const char *host)
{
	const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;
	size_t n = bracket ? (size_t)(bracket - host) + 1 : strcspn(host, ":");
	const char *rest = host + n;

	if (*rest == ':')
		rest += 1 + strspn(rest + 1, "0123456789");
	return (struct pgw_view){ (const unsigned char *)host, *rest ? 0 : n };
}

static bool is_name(struct pgw_view v, const char *name)
{
	return strlen(name) == v.n &&
	       strncasecmp((const char *)v.p, name, v.n) == 0;
}

bool mz_gate_host(const struct mz_gate *g, const char *host)
{
	static const char *const own[] = { "localhost", "127.0.0.1", "[::1]" };
	struct pgw_view name = without_port(host ? host : "");

	if (g->any_host)
		return true;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (is_name(name, own[i]))
			return true;
	for (size_t i = 0; i < g->nhosts; i++)
		if (is_name(name, g->hosts[i]))
			return true;
	return false;
}

bool mz_gate_origin(const char *host, const char *origin,
		    const char *sec_fetch_site)
{
	const char *behind;

	/* a browser that says so knows better than proxies let us see */
	if (sec_fetch_site)
		return strcmp(sec_fetch_site, "same-origin") == 0 ||
		       strcmp(sec_fetch_site, "none") == 0;
	if (!origin)
		return true;
	behind = strstr(origin, "://");
	return host && behind && strcasecmp(behind + 3, host) == 0;
}

/* ---- networks */

static bool has_prefix(const unsigned char *a, const unsigned char *b,
		       unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool mz_gate_within(const char *network, const char *address)
{
	unsigned char net[ADDRESS_BYTES], one[ADDRESS_BYTES];
	size_t n = strcspn(network, "/");
	unsigned bits = 128;
	bool four, other;

	if (!parse_address(network, n, net, &four) ||
	    !parse_address(address, strlen(address), one, &other))
		return false;
	if (network[n] == '/') {
		const char *p = network + n + 1;

		if (!take_number(&p, &bits) || *p || bits > (four ? 32u : 128u))
			return false;
		bits += four ? 96 : 0;
	}
	return has_prefix(net, one, bits);
}

bool mz_gate_is_one(const char *const *networks, size_t n, const char *address)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(networks[i], address) == 0 ||
		    mz_gate_within(networks[i], address))
			return true;
	return false;
}

void mz_gate_trim(char *out, size_t size, const char *text, size_t n)
{
	struct pgw_view v =
		trimmed((struct pgw_view){ (const unsigned char *)text, n });

	out[0] = '\0';
	if (v.n >= size)
		return;
	memcpy(out, v.p, v.n);
	out[v.n] = '\0';
}
