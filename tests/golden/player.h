/* SPDX-License-Identifier: MIT */
/* A recorded server: it insists on hearing what it heard then. */
#ifndef PLAYER_H
#define PLAYER_H

#include "golden.h"

#include <stdio.h>
#include <string.h>

#define PLAYER_MAX 16384

struct turn {
	char side;
	size_t from, to;
};

struct player {
	unsigned char bytes[PLAYER_MAX];
	size_t len;
	struct pgw_view binding;
	struct turn turns[32];
	size_t turn, count;
	size_t step; /* bytes per read */
};

static inline FILE *player_open(const char *version, const char *name,
				const char *ext)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/tests/golden/%s/%s.%s", SRCDIR,
		 version, name, ext);
	return fopen(path, "r");
}

/* False when there is no such recording, or it is too long. */
static inline bool player_load(struct player *p, const char *version,
			       const char *name)
{
	FILE *f = player_open(version, name, "wire");
	unsigned byte;
	char side;

	*p = (struct player){ .step = PLAYER_MAX };
	if (!f)
		return false;
	while (p->count < 32 && fscanf(f, " %c", &side) == 1) {
		if (p->count == 0 || p->turns[p->count - 1].side != side)
			p->turns[p->count++] = (struct turn){ side, p->len, 0 };
		while (p->len < PLAYER_MAX && fscanf(f, "%2x", &byte) == 1)
			p->bytes[p->len++] = (unsigned char)byte;
		p->turns[p->count - 1].to = p->len;
	}
	fclose(f);
	if (p->count > 0 && p->turns[0].side == '=') {
		p->binding = (struct pgw_view){ p->bytes, p->turns[0].to };
		p->turns[0].from = p->turns[0].to;
	}
	return p->count < 32 && p->len < PLAYER_MAX;
}

static inline struct turn *player_turn(struct player *p)
{
	while (p->turn < p->count &&
	       p->turns[p->turn].from == p->turns[p->turn].to)
		p->turn++;
	return &p->turns[p->turn < p->count ? p->turn : p->count - 1];
}

/* Nothing is left to be said. */
static inline bool player_done(struct player *p)
{
	const struct turn *t = player_turn(p);

	return t->from == t->to;
}

static inline ssize_t player_read(void *ctx, void *buf, size_t n,
				  struct pgw_err *err)
{
	struct player *p = ctx;
	struct turn *t = player_turn(p);
	size_t left = t->to - t->from;

	if (left > 0 && t->side != '<') {
		pgw_fail(err, PGW_E_USAGE, "it is our turn to speak");
		return -1;
	}
	if (n > p->step)
		n = p->step;
	if (n > left)
		n = left;
	memcpy(buf, p->bytes + t->from, n);
	t->from += n;
	return (ssize_t)n;
}

static inline bool player_write(void *ctx, struct pgw_view v,
				struct pgw_err *err)
{
	struct player *p = ctx;
	struct turn *t = player_turn(p);

	if (t->side != '>' || v.n > t->to - t->from ||
	    memcmp(v.p, p->bytes + t->from, v.n) != 0)
		return pgw_fail(err, PGW_E_USAGE,
				"not what was said at byte %zu", t->from);
	t->from += v.n;
	return true;
}

#endif
