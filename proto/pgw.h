/* SPDX-License-Identifier: MIT */
/*
 * libpgw: a PostgreSQL wire client.  This is the only header that its users
 * include.  A connection blocks, under a deadline; code that uses it reads
 * from top to bottom.  Nothing in the library is global: many connections may
 * live in many threads, each used by one thread at a time.
 */
#ifndef PGW_H
#define PGW_H

#include "clock.h"
#include "conn.h"
#include "conninfo.h"
#include "crypto.h"
#include "err.h"
#include "outside.h"
#include "utf8.h"

#endif
