/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "report_memory.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define GONE "out of memory; what was not committed is rolled back"

#define STACK_LEAST (256u << 10)
#define STACK_USUAL (8u << 20)

bool mz_memory_has_stack(FILE *err)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) != 0 ||
	    limit.rlim_cur >= STACK_LEAST)
		return true;
	limit.rlim_cur = limit.rlim_max < STACK_USUAL ? limit.rlim_max :
							STACK_USUAL;
	if (limit.rlim_cur >= STACK_LEAST &&
	    setrlimit(RLIMIT_STACK, &limit) == 0)
		return true;
	fputs("error: out of memory: the stack is limited to less than 256 "
	      "KiB; allow more (ulimit -s 256)\n",
	      err);
	return false;
}

/* Libraries ask for memory and say nothing of who we are. */
static const struct mz_report *report;

_Noreturn void mz_memory_gone(const struct mz_report *r)
{
	if (r->drawn)
		fputs("\r\033[K", r->err);
	if (r->json)
		fprintf(r->out,
			"{\"event\":\"error\",\"code\":\"internal\","
			"\"message\":\"" GONE "\"}\n"
			"{\"event\":\"result\",\"command\":\"%s\","
			"\"ok\":false,\"code\":\"internal\"}\n",
			r->command);
	fputs("error: " GONE "\n", r->err);
	fflush(r->out);
	_exit(MZ_internal); /* who asked may be in the midst of anything */
}

static void *get(size_t n)
{
	void *p = n > 0 ? malloc(n) : NULL;

	if (n > 0 && !p && report)
		mz_memory_gone(report);
	return p;
}

static void *crypto_get(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return get(n);
}

static void *crypto_resize(void *p, size_t n, const char *file, int line)
{
	void *more = n > 0 ? realloc(p, n) : NULL;

	(void)file;
	(void)line;
	if (n > 0 && !more && report)
		mz_memory_gone(report);
	if (n == 0)
		free(p);
	return more;
}

static void crypto_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}

void mz_memory_or_end(const struct mz_report *r)
{
	report = r;
	if (!r)
		return;
	json_set_alloc_funcs(get, free);
	/* it does not take others any more when it has memory: so be it */
	(void)pgw_crypto_memory(crypto_get, crypto_resize, crypto_free);
}
