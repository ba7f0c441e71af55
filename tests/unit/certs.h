/* SPDX-License-Identifier: MIT */
/* What tests/certs.sh makes, in a folder of the test's own. */
#ifndef CERTS_H
#define CERTS_H

#include "unit.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTS_PATH 256

/* The folder; NULL until certs_make. */
static char certs_dir[64];

static inline bool certs_run(const char *what)
{
	char command[CERTS_PATH];

	snprintf(command, sizeof(command), "%s %s >/dev/null", what, certs_dir);
	/* NOLINTNEXTLINE(cert-env33-c): nothing in it is of others */
	return system(command) == 0;
}

/* Once, in main: the tests themselves are processes of their own. */
static inline void certs_make(void)
{
	if (!certs_run("openssl version")) {
		printf("skipped: there is no openssl here\n");
		exit(77);
	}
	strcpy(certs_dir, "/tmp/mizzle-certs-XXXXXX");
	if (!mkdtemp(certs_dir) ||
	    !certs_run("sh '" SRCDIR "/tests/certs.sh'")) {
		printf("the certificates could not be made\n");
		exit(EXIT_FAILURE);
	}
}

static inline void certs_remove(void)
{
	(void)certs_run("rm -r");
}

/* As UNIT_MAIN, for tests that want the certificates. */
#define UNIT_MAIN_WITH_CERTS(name, ...)                               \
	int main(void)                                                \
	{                                                             \
		const TTest *tests[] = { __VA_ARGS__ };               \
		int status;                                           \
                                                                      \
		certs_make();                                         \
		status = unit_main(name, tests,                       \
				   sizeof(tests) / sizeof(tests[0])); \
		certs_remove();                                       \
		return status;                                        \
	}

struct certs_path {
	char text[CERTS_PATH];
};

static inline struct certs_path certs_path(const char *name)
{
	struct certs_path p;

	snprintf(p.text, sizeof(p.text), "%s/%s", certs_dir, name);
	return p;
}

#endif
