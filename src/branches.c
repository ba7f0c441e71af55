/* SPDX-License-Identifier: MIT */
/*
 * The snapshots of folders name their parents.  Where a merge left several
 * that are nobody's parent, the next one joins them, as drizzle-kit's does,
 * unless they touch the same things: then drizzle-kit has to decide, and an
 * empty migration that joined them would keep it from ever telling.
 */
#include <config.h>

#include "creating.h"

#include <string.h>
#include <unistd.h>

#define MOST_ENDS 64 /* bits of a mask */

struct node {
	const char *tag, *path, *id;
	int version;
	const char **parents;
	size_t nparents;
	struct mz_names writes, reads;
	uint64_t ends; /* which of them it leads to */
};

struct graph {
	struct mz_creating *w;
	struct node *nodes; /* in the order of the folder */
	size_t count;
	size_t ends[MOST_ENDS]; /* of nodes, the newest first */
	size_t nends;
};

/* ---- reading */

static const char **copy(struct mz_arena *a, const char *const *list, size_t n)
{
	const char **to = mz_alloc_array(a, n + 1, sizeof(*to));

	for (size_t i = 0; i < n; i++)
		to[i] = mz_strdup(a, list[i]);
	return to;
}

static struct mz_names copy_names(struct mz_arena *a, const struct mz_names *n)
{
	return (struct mz_names){ copy(a, n->list, n->count), n->count };
}

/* Without its text, which may be large. */
static bool load_node(struct mz_creating *w, struct node *n)
{
	struct mz_snapshot s;
	struct mz_arena a;
	bool ok;

	mz_arena_init(&a);
	ok = mz_snapshot_load(&s, &a, n->path, w->err);
	if (ok) {
		n->id = mz_strdup(w->arena, s.id);
		n->version = s.version;
		n->parents = copy(w->arena, s.parents, s.nparents);
		n->nparents = s.nparents;
		n->writes = copy_names(w->arena, &s.writes);
		n->reads = copy_names(w->arena, &s.reads);
	}
	mz_arena_release(&a);
	return ok;
}

static bool load_graph(struct graph *g)
{
	const struct mz_folder *f = &g->w->folder;

	g->nodes = mz_alloc_array(g->w->arena, f->count + 1, sizeof(*g->nodes));
	for (size_t i = 0; i < f->count; i++) {
		struct node *one = &g->nodes[g->count];

		one->tag = f->migrations[i].tag;
		one->path = mz_printf(g->w->arena, "%s/%s/snapshot.json",
				      f->dir, one->tag);
		if (access(one->path, F_OK) != 0)
			continue; /* written by hand */
		if (!load_node(g->w, one))
			return false;
		g->count++;
	}
	return true;
}

/* ---- the ends */

static bool names_parent(const struct node *n, const char *id)
{
	for (size_t k = 0; k < n->nparents; k++)
		if (strcmp(n->parents[k], id) == 0)
			return true;
	return false;
}

static bool is_parent(const struct graph *g, const char *id)
{
	for (size_t i = 0; i < g->count; i++)
		if (names_parent(&g->nodes[i], id))
			return true;
	return false;
}

static bool find_ends(struct graph *g)
{
	const char *dir = g->w->folder.dir;

	for (size_t i = g->count; i-- > 0 && g->nends < MOST_ENDS;) {
		struct node *n = &g->nodes[i];

		if (is_parent(g, n->id))
			continue;
		n->ends = UINT64_C(1) << g->nends;
		g->ends[g->nends++] = i;
	}
	if (g->nends > 0 && g->nends < MOST_ENDS)
		return true;
	mz_fail(g->w->err, MZ_usage, "%s: %s", dir,
		g->nends == 0 ? "every snapshot is the parent of another one" :
				"too many snapshots are nobody's parent");
	mz_hint(g->w->err, "restore them from version control");
	return mz_at(g->w->err, dir, 0, 0);
}

/* ---- whether they can be joined */

/* What a node leads to, its parents lead to, too. */
static void spread(struct graph *g)
{
	bool more;

	do {
		more = false;
		for (size_t i = g->count; i-- > 0;)
			for (size_t k = 0; k < g->count; k++) {
				const struct node *child = &g->nodes[i];
				struct node *parent = &g->nodes[k];

				if ((child->ends & ~parent->ends) == 0 ||
				    !names_parent(child, parent->id))
					continue;
				parent->ends |= child->ends;
				more = true;
			}
	} while (more);
}

static bool meet(const struct mz_names *a, const struct mz_names *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t k = 0; k < b->count; k++)
			if (strcmp(a->list[i], b->list[k]) == 0)
				return true;
	return false;
}

/* Stricter than drizzle-kit, which lets equal changes pass. */
static bool conflict(const struct node *a, const struct node *b)
{
	return (a->ends & b->ends) == 0 &&
	       (a->version < 9 || b->version < 9 ||
		meet(&a->writes, &b->writes) || meet(&a->writes, &b->reads) ||
		meet(&b->writes, &a->reads));
}

static bool refuse(const struct graph *g, const struct node *a,
		   const struct node *b)
{
	struct mz_err *err = g->w->err;

	mz_fail(err, MZ_usage,
		"%s and %s are on two branches, and may conflict", a->tag,
		b->tag);
	mz_hint(err, "drizzle-kit check tells what it is; drizzle-kit "
		     "generate --custom joins them if it can");
	return mz_at(err, b->path, 0, 0);
}

static bool joinable(struct graph *g)
{
	spread(g);
	for (size_t i = 0; i < g->count; i++)
		for (size_t k = i + 1; k < g->count; k++)
			if (conflict(&g->nodes[i], &g->nodes[k]))
				return refuse(g, &g->nodes[i], &g->nodes[k]);
	return true;
}

static const char *ids_of(const struct graph *g)
{
	const char *ids = "";

	for (size_t i = 0; i < g->nends; i++)
		ids = mz_printf(g->w->arena, "%s%s\"%s\"", ids, i ? "," : "",
				g->nodes[g->ends[i]].id);
	return ids;
}

bool mz_ancestor_of_folders(struct mz_creating *w, struct mz_ancestor *out)
{
	struct graph g = { .w = w };

	if (!load_graph(&g))
		return false;
	out->found = g.count > 0;
	if (!out->found)
		return true;
	if (!find_ends(&g) || (g.nends > 1 && !joinable(&g)) ||
	    !mz_snapshot_load(&out->snapshot, w->arena, g.nodes[g.ends[0]].path,
			      w->err))
		return false;
	out->snapshot.ends = ids_of(&g);
	return true;
}
