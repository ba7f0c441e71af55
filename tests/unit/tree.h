/* SPDX-License-Identifier: MIT */
/* A folder of one's own, made of a few files, that goes away again. */
#ifndef TREE_H
#define TREE_H

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
	char dir[64];
	char path[1024]; /* of tree_path */
};

static inline void tree_init(struct tree *t)
{
	strcpy(t->dir, "/tmp/mizzle-test-XXXXXX");
	ck_assert(mkdtemp(t->dir) != NULL);
}

/* Valid until the next call. */
static inline const char *tree_path(struct tree *t, const char *name)
{
	int n = snprintf(t->path, sizeof(t->path), "%s/%s", t->dir, name);

	ck_assert(n > 0 && (size_t)n < sizeof(t->path));
	return t->path;
}

/* Directories on the way are made. */
static inline void tree_put_bytes(struct tree *t, const char *name,
				  const void *data, size_t n)
{
	FILE *f;

	tree_path(t, name);
	for (char *p = t->path + strlen(t->dir) + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		mkdir(t->path, 0755);
		*p = '/';
	}
	f = fopen(t->path, "wb");
	ck_assert_msg(f != NULL, "cannot write %s", t->path);
	ck_assert_uint_eq(fwrite(data, 1, n, f), n);
	ck_assert_int_eq(fclose(f), 0);
}

static inline void tree_put(struct tree *t, const char *name, const char *text)
{
	tree_put_bytes(t, name, text, strlen(text));
}

static inline int tree_remove(const char *path, const struct stat *st, int type,
			      struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_release(struct tree *t)
{
	nftw(t->dir, tree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
