/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "dotenv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *name, *value;
	struct mz_arena arena;
	struct mz_dotenv d;
	size_t before;

	mz_arena_init(&arena);
	mz_dotenv_init(&d, &arena, (struct pgw_view){ data, size });
	for (before = d.at; mz_dotenv_next(&d, &name, &value); before = d.at) {
		if (d.at <= before || !name[0] || strlen(value) > size)
			abort();
	}
	mz_arena_release(&arena);
	return 0;
}
