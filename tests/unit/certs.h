/* SPDX-License-Identifier: MIT */
/* What tests/certs.sh makes, in a folder of the test's own. */
#ifndef CERTS_H
#define CERTS_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTS_PATH 256

/* The folder; NULL until certs_make. */
static char certs_dir[64];

static inline void certs_run(const char *what)
{
	char command[CERTS_PATH];

	snprintf(command, sizeof(command), "%s %s >/dev/null", what, certs_dir);
	if (system(command) != 0) {
		printf("failed: %s\n", command);
		exit(EXIT_FAILURE);
	}
}

/* Once, in main: the tests themselves are processes of their own. */
static inline void certs_make(void)
{
	strcpy(certs_dir, "/tmp/mizzle-certs-XXXXXX");
	if (system("openssl version >/dev/null 2>&1") != 0) {
		printf("skipped: there is no openssl here\n");
		exit(77);
	}
	if (!mkdtemp(certs_dir))
		exit(EXIT_FAILURE);
	certs_run("sh '" SRCDIR "/tests/certs.sh'");
}

static inline void certs_remove(void)
{
	certs_run("rm -r");
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
