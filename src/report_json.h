/* SPDX-License-Identifier: MIT */
/* How an object of JSON is made: for the files report_json*.c alone. */
#ifndef MZ_REPORT_JSON_H
#define MZ_REPORT_JSON_H

#include "line.h"
#include "voices.h"

#include <jansson.h>

/*
 * Foreign text as a string.  JSON escapes control characters by itself, but
 * takes UTF-8 only.
 */
json_t *mz_json_text(struct pgw_view text);

/* A new object with that "event", and what it is made of. */
json_t *mz_json_event_of(const char *name);
void mz_json_put_text(json_t *o, const char *key,
		      const char *text); /* or null */
void mz_json_put_some(json_t *o, const char *key,
		      const char *text); /* or none */
void mz_json_put_int(json_t *o, const char *key, int64_t n);
void mz_json_put_size(json_t *o, const char *key, size_t n);
void mz_json_put_bool(json_t *o, const char *key, bool value);
void mz_json_put_ms(json_t *o, uint64_t us);
void mz_json_put_place(json_t *o, const char *file, size_t line, size_t column);
void mz_json_put_backend(json_t *o, const struct mz_backend *b);

/* The line that o makes, to be released; releases o.  False without memory. */
bool mz_json_line(struct mz_report *r, json_t *o,
		  struct mz_line *l) PGW_MUST_CHECK;

/* Print o and release it. */
void mz_json_say(struct mz_report *r, json_t *o);

#endif
