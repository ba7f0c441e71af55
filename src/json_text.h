/* SPDX-License-Identifier: MIT */
/* Foreign text as a JSON string; struct json_t is jansson's. */
#ifndef MZ_JSON_TEXT_H
#define MZ_JSON_TEXT_H

#include "pgw.h"

struct json_t;

/* JSON escapes control characters by itself, but takes UTF-8 only. */
struct json_t *mz_json_text(struct pgw_view text);

#endif
