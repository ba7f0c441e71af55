/* SPDX-License-Identifier: MIT */
/*
 * Test data of others, which is not in the tree: $SHARED, or ../shared beside
 * it.  A test that needs it says so and exits with 77 where it is absent.
 */
#ifndef SHARED_H
#define SHARED_H

#include <stdio.h>
#include <stdlib.h>

static inline FILE *shared_open(const char *name)
{
	const char *dir = getenv("SHARED");
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir ? dir : SRCDIR "/../shared",
		 name);
	f = fopen(path, "r");
	if (!f) {
		printf("skipped: %s is not here\n", path);
		exit(77);
	}
	return f;
}

#endif
