/* SPDX-License-Identifier: MIT */
/*
 * Lines of text in the making: composed in memory, written at once.  What is
 * foreign goes through mz_line_foreign, what is ours through the others.
 */
#ifndef MZ_LINE_H
#define MZ_LINE_H

#include "report.h"

enum mz_paint {
	MZ_PAINT_BOLD = 1,
	MZ_PAINT_DIM = 2,
	MZ_PAINT_RED = 31,
	MZ_PAINT_GREEN = 32,
	MZ_PAINT_YELLOW = 33,
	MZ_PAINT_CYAN = 36,
};

struct mz_line {
	struct pgw_buf text;
	bool color;
};

/* Every further line of foreign text begins so: none can pass for ours. */
#define MZ_CONTINUED "  | "

void mz_line_init(struct mz_line *l, bool color);
void mz_line_put(struct mz_line *l, const char *ours);
void mz_line_printf(struct mz_line *l, const char *fmt, ...) PGW_PRINTF(2, 3);
void mz_line_blanks(struct mz_line *l, size_t n);

/* ours in a colour, if there are colours. */
void mz_line_paint(struct mz_line *l, enum mz_paint paint, const char *ours);
const char *mz_paint_on(const struct mz_line *l, enum mz_paint paint);
const char *mz_paint_off(const struct mz_line *l);

/* Made harmless; with prefix NULL on one line. */
void mz_line_foreign(struct mz_line *l, const char *text, const char *prefix);

/* "0.3 ms", "41 ms", "2.4 s", "3 min 12 s" */
void mz_line_time(struct mz_line *l, uint64_t us);

/* Write it to r->out or r->err and release it. */
void mz_line_out(struct mz_line *l, struct mz_report *r);
void mz_line_err(struct mz_line *l, struct mz_report *r);

/* Write bytes; failures are remembered in r. */
void mz_write(struct mz_report *r, FILE *to, struct pgw_view bytes);

/* Take the progress line away, if there is one. */
void mz_progress_clear(struct mz_report *r);
void mz_progress_event(struct mz_report *r, const struct mz_event *e);

#endif
