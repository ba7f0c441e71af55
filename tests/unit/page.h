/* SPDX-License-Identifier: MIT */
/* A report that writes to memory, and what it must have written. */
#ifndef PAGE_H
#define PAGE_H

#include "report.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

struct page {
	struct mz_report r;
	char *out, *err;
	size_t nout, nerr;
	FILE *fout, *ferr;
};

static inline void page_open(struct page *p)
{
	*p = (struct page){ .out = NULL };
	p->fout = open_memstream(&p->out, &p->nout);
	p->ferr = open_memstream(&p->err, &p->nerr);
	ck_assert(p->fout && p->ferr);
	mz_report_init(&p->r, p->fout, p->ferr);
	p->r.command = "migrate";
}

static inline void page_is(struct page *p, const char *out, const char *err)
{
	ck_assert(mz_report_close(&p->r));
	fclose(p->fout);
	fclose(p->ferr);
	ck_assert_str_eq(p->out, out);
	ck_assert_str_eq(p->err, err);
	free(p->out);
	free(p->err);
}

#endif
