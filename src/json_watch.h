/* SPDX-License-Identifier: MIT */
/* What report_json.c and report_json_watch.c have of each other. */
#ifndef MZ_JSON_WATCH_H
#define MZ_JSON_WATCH_H

#include "report.h"

struct json_t;

/* Of report_json.c: an object with its event, foreign text, and print it. */
struct json_t *mz_json_begin(const char *event);
void mz_json_put(struct json_t *o, const char *key, const char *text);
void mz_json_say(struct mz_report *r, struct json_t *o);

/* Of report_json_watch.c. */
void mz_json_waiting(struct mz_report *r, const struct mz_event *e);
void mz_json_blocked(struct mz_report *r, const struct mz_event *e);
void mz_json_progress(struct mz_report *r, const struct mz_running *run);

#endif
