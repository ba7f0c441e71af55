/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD_MAX 4096

const char *pgw_env(const char *name)
{
	return getenv(name);
}

static const char *env(void *ctx, const char *name)
{
	(void)ctx;
	return pgw_env(name);
}

/* ---- files */

int pgw_open(const char *path, int flags)
{
	int fd;

	/* a file system that is far away may be interrupted */
	do
		fd = open(path, flags | O_CLOEXEC | O_NOCTTY, 0);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static enum pgw_found read_all(int fd, struct pgw_buf *text)
{
	unsigned char chunk[4096];
	enum pgw_found found = PGW_FOUND;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			found = PGW_FOUND_NOT;
		if (n <= 0)
			break;
		if ((size_t)n > text->max - text->len) {
			found = PGW_FOUND_TOO_LARGE;
			break;
		}
		pgw_buf_put(text, chunk, (size_t)n);
		if (text->failed) {
			found = PGW_FOUND_NOMEM;
			break;
		}
	}
	explicit_bzero(chunk, sizeof(chunk)); /* it may be a password file */
	return found;
}

/* Without waiting: what looks like a file may be a pipe. */
static enum pgw_found file(void *ctx, const char *path, struct pgw_buf *text,
			   unsigned *mode, bool *regular)
{
	int fd = pgw_open(path, O_RDONLY | O_NONBLOCK);
	enum pgw_found found = PGW_FOUND_NOT;
	struct stat st;

	(void)ctx;
	if (fd < 0)
		return found;
	if (fstat(fd, &st) == 0) {
		*mode = st.st_mode & 07777;
		*regular = S_ISREG(st.st_mode);
		found = *regular ? read_all(fd, text) : PGW_FOUND;
	}
	close(fd);
	return found;
}

static bool is_dir(void *ctx, const char *path)
{
	struct stat st;

	(void)ctx;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- who runs us */

/* Fields of a line of passwd(5). */
enum {
	NAME,
	PASSWORD,
	UID,
	GID,
	GECOS,
	HOME,
	SHELL,
	FIELDS,
};

/* Cut line at its colons; false when a field is missing. */
static bool cut(char *line, char *fields[FIELDS])
{
	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < FIELDS; i++) {
		size_t n = strcspn(line, ":");
		bool last = line[n] == '\0';

		fields[i] = line;
		line[n] = '\0';
		if (last)
			return i == FIELDS - 1;
		line += n + 1;
	}
	return true;
}

/* Append what passwd(5) says of a user; home may be NULL. */
static void read_passwd(unsigned long uid, struct pgw_buf *name,
			struct pgw_buf *home)
{
	FILE *f = fopen("/etc/passwd", "re");
	char *line = NULL, *fields[FIELDS];
	char number[32];
	size_t room = 0;

	if (!f)
		return;
	snprintf(number, sizeof(number), "%lu", uid);
	while (getline(&line, &room, f) >= 0) {
		if (!cut(line, fields) || strcmp(fields[UID], number) != 0)
			continue;
		pgw_buf_put_text(name, fields[NAME]);
		if (home)
			pgw_buf_put_text(home, fields[HOME]);
		break;
	}
	free(line);
	fclose(f);
}

void pgw_user_name(unsigned uid, struct pgw_buf *name)
{
	read_passwd(uid, name, NULL);
}

static const char *known(struct pgw_system *s, const struct pgw_buf *b)
{
	if (!s->asked) {
		s->asked = true;
		read_passwd(geteuid(), &s->user, &s->home);
		pgw_buf_put_u8(&s->user, 0);
		pgw_buf_put_u8(&s->home, 0);
	}
	return b->failed ? "" : (const char *)b->data;
}

static const char *os_user(void *ctx)
{
	struct pgw_system *s = ctx;

	return known(s, &s->user);
}

static const char *home(void *ctx)
{
	struct pgw_system *s = ctx;
	const char *dir = pgw_env("HOME");

	return dir && dir[0] != '\0' ? dir : known(s, &s->home);
}

void pgw_outside_system(struct pgw_outside *o, struct pgw_system *s)
{
	*s = (struct pgw_system){ .asked = false };
	pgw_buf_init(&s->user, FIELD_MAX);
	pgw_buf_init(&s->home, FIELD_MAX);
	*o = (struct pgw_outside){
		.env = env,
		.file = file,
		.os_user = os_user,
		.home = home,
		.is_dir = is_dir,
		.ctx = s,
	};
}

void pgw_system_release(struct pgw_system *s)
{
	pgw_buf_release(&s->user);
	pgw_buf_release(&s->home);
}
