/* SPDX-License-Identifier: MIT */
/* Making a bundle, see bundle.h: the same folder gives the same bytes. */
#ifndef MZ_PACK_H
#define MZ_PACK_H

#include "folder.h"
#include "fresh.h"
#include "self.h"

struct mz_packing {
	const struct mz_folder *folder;
	const char *name;		 /* what it is called in the bundle */
	const char *schema, *table;	 /* of the history; "" = the preset */
	size_t files;			 /* filled: how many there are */
	uint64_t bytes;			 /* filled: of all texts */
	struct mz_payload_facts payload; /* filled */
};

/*
 * What a command could ask the folder for: its journal, the scripts, those
 * that undo them, snapshots.  Paths are below the folder, in the order in
 * which a bundle has them: what a run reads first.
 */
struct mz_contents {
	const char **paths;
	size_t count, room;
};

bool mz_contents_list(struct mz_contents *c, struct mz_arena *a,
		      const struct mz_folder *f,
		      struct mz_err *err) PGW_MUST_CHECK;

/* Write the program, behind it the folder, and the mark. */
bool mz_pack(struct mz_packing *p, struct mz_arena *a,
	     const struct mz_program *program, struct mz_fresh *out,
	     struct mz_err *err) PGW_MUST_CHECK;

#endif
