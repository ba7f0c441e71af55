/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "drizzle_config.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *get(void *ctx, const char *name)
{
	(void)ctx;
	return name[0] == 'A' ? "a" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mz_config_env env = { .get = get };
	struct mz_drizzle_config c;
	struct mz_arena arena;
	const char *value;

	mz_arena_init(&arena);
	mz_drizzle_config_parse(&c, &arena, "drizzle.config.ts",
				(struct pgw_view){ data, size });
	for (int i = 0; i < MZ_CONFIG_FIELD_COUNT; i++) {
		struct mz_err err = { 0 };

		if (!mz_drizzle_config_get(&c, (enum mz_config_field)i, &env,
					   &value, &err) &&
		    (!err.msg[0] || !err.hint[0]))
			abort();
		if (!mz_drizzle_config_conninfo(&c, &env, &value, &err) &&
		    !err.msg[0])
			abort();
	}
	mz_arena_release(&arena);
	return 0;
}
