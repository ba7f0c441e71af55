/* SPDX-License-Identifier: MIT */
/* The report's two voices: text for people and JSON for programs. */
#ifndef MZ_VOICES_H
#define MZ_VOICES_H

#include "report.h"

void mz_text_event(struct mz_report *r, const struct mz_event *e);
void mz_text_error(struct mz_report *r, const struct mz_err *err);
void mz_text_result(struct mz_report *r, const struct mz_result *result,
		    const struct mz_err *err);
void mz_text_listed(struct mz_report *r, const struct mz_listed *list,
		    size_t n);
void mz_text_planned(struct mz_report *r, const struct mz_planned *list,
		     size_t n);
void mz_text_new(struct mz_report *r, const struct mz_new *n);
void mz_text_files(struct mz_report *r, const struct mz_listed_file *list,
		   size_t n);
void mz_text_repairs(struct mz_report *r, const struct mz_repair *list,
		     size_t n);
void mz_text_finding(struct mz_report *r, const struct mz_finding *f);
void mz_text_facts(struct mz_report *r, const struct mz_fact *facts, size_t n);

void mz_text_lockers(struct mz_report *r, const struct mz_locker *list,
		     size_t n);

/* Who blocks a statement, and one that takes long: report_watch.c. */
void mz_text_blocked(struct mz_report *r, const struct mz_event *e);
void mz_text_still(struct mz_report *r, const struct mz_running *run);

/* True once for every half minute that a statement takes. */
bool mz_still_is_due(struct mz_report *r, const struct mz_running *run);

/* level is "note" or "warning". */
void mz_text_remark(struct mz_report *r, const char *level, const char *text);

void mz_json_event(struct mz_report *r, const struct mz_event *e);
void mz_json_error(struct mz_report *r, const struct mz_err *err);
void mz_json_result(struct mz_report *r, const struct mz_result *result,
		    const struct mz_err *err);
void mz_json_listed(struct mz_report *r, const struct mz_listed *list,
		    size_t n);
void mz_json_planned(struct mz_report *r, const struct mz_planned *list,
		     size_t n);
void mz_json_new(struct mz_report *r, const struct mz_new *n);
void mz_json_files(struct mz_report *r, const struct mz_listed_file *list,
		   size_t n);
void mz_json_repairs(struct mz_report *r, const struct mz_repair *list,
		     size_t n);
void mz_json_finding(struct mz_report *r, const struct mz_finding *f);
void mz_json_facts(struct mz_report *r, const char *event,
		   const struct mz_fact *facts, size_t n);
void mz_json_lockers(struct mz_report *r, const struct mz_locker *list,
		     size_t n);
void mz_json_remark(struct mz_report *r, const char *level, const char *text);

/* A line for GitHub Actions on stderr; kind is "error" or "warning". */
struct mz_annotation {
	const char *kind;
	const char *file; /* "" or NULL when there is none */
	size_t line, column;
	const char *message, *more; /* more may be NULL */
};

void mz_annotate(struct mz_report *r, const struct mz_annotation *a);

const char *mz_planned_transaction_name(enum mz_planned_transaction t);

#endif
