/* SPDX-License-Identifier: MIT */
/*
 * Changing a few values of a JSON object and writing it as JSON.stringify(x,
 * null, 2) does.  Everything else is copied as it stands: numbers keep their
 * digits, keys their order.
 */
#ifndef MZ_JSON_EDIT_H
#define MZ_JSON_EDIT_H

#include "pgw.h"

struct mz_json_edit {
	const char *key;   /* of the outermost object */
	const char *value; /* JSON */
	bool append;	   /* to the array that is there; else in its place */
	size_t done;	   /* how often the key was there */
};

/* text is known to be JSON, and an object. */
void mz_json_rewrite(struct pgw_buf *out, struct pgw_view text,
		     struct mz_json_edit *edits, size_t n);

#endif
