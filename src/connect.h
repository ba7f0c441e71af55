/* SPDX-License-Identifier: MIT */
/*
 * From options, environment and files to the settled configuration of a
 * connection.
 */
#ifndef MZ_CONNECT_H
#define MZ_CONNECT_H

#include "command.h"
#include "db.h"

/*
 * Where the database is: --url or --url-file, DATABASE_URL, libpq's PG*
 * variables when they name a host or a service, the dbCredentials of
 * drizzle.config.*, libpq's presets.  Also settles opt.wait.  What the user
 * should know of it is told as remarks.  Statuses: usage.  *cfg is to be
 * released when this succeeded.
 */
bool mz_connect_config(struct mz_context *c, struct pgw_config *cfg,
		       struct mz_err *err) PGW_MUST_CHECK;

/* A database by that configuration, to be opened; cfg must outlive it. */
struct mz_db mz_connect_db(struct mz_context *c, const struct pgw_config *cfg);

/*
 * Settle it all, the history's place too, and let look have the database, which
 * it opens; close it.
 */
bool mz_connect_look(struct mz_context *c,
		     bool (*look)(struct mz_context *c, struct mz_db *db,
				  struct mz_err *err),
		     struct mz_err *err) PGW_MUST_CHECK;

/* The same before it is checked, as libpq understands it: --print-config. */
bool mz_connect_understand(struct mz_context *c, struct pgw_conninfo *info,
			   struct mz_err *err) PGW_MUST_CHECK;

#endif
