/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

/* ---- reading it */

struct where {
	struct sockaddr_storage address;
	socklen_t size;
};

static bool unknown(const char *where, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "cannot listen on '%s': it is no address",
		where);
	return mz_hint(err, "such as 127.0.0.1:8080, [::1]:8080, 0.0.0.0:80, "
			    "or unix:/run/mizzle.sock");
}

static bool parse_port(const char *text, uint16_t *port)
{
	char *end;
	unsigned long v;

	if (text[0] < '0' || text[0] > '9')
		return false;
	v = strtoul(text, &end, 10);
	*port = (uint16_t)v;
	return *end == '\0' && v <= 65535;
}

static bool parse_inet(struct where *w, const char *host, uint16_t port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&w->address;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&w->address;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons(port);
		w->size = sizeof(*four);
		return true;
	}
	if (inet_pton(AF_INET6, host, &six->sin6_addr) != 1)
		return false;
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(port);
	w->size = sizeof(*six);
	return true;
}

/* "8080" and ":8080" mean this machine only, as without --listen. */
static bool parse_tcp(struct where *w, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	char host[INET6_ADDRSTRLEN] = "127.0.0.1";
	uint16_t port;

	if (!parse_port(colon ? colon + 1 : text, &port))
		return false;
	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		return false;
	}
	if (n >= sizeof(host))
		return false;
	if (n > 0) {
		memcpy(host, text, n);
		host[n] = '\0';
	}
	return parse_inet(w, host, port);
}

static bool parse_unix(struct where *w, const char *path)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&w->address;

	un->sun_family = AF_UNIX;
	if (path[0] == '\0' || strlen(path) >= sizeof(un->sun_path))
		return false;
	strncpy(un->sun_path, path, sizeof(un->sun_path) - 1);
	w->size = sizeof(*un);
	return true;
}

static bool is_loopback(const struct where *w)
{
	const struct sockaddr_in *four = (const void *)&w->address;
	const struct sockaddr_in6 *six = (const void *)&w->address;

	switch (w->address.ss_family) {
	case AF_INET:
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	default:
		return true;
	}
}

static bool parse(struct where *w, const char *text)
{
	static const char scheme[] = "unix:";
	size_t n = sizeof(scheme) - 1;

	*w = (struct where){ 0 };
	return strncmp(text, scheme, n) == 0 ? parse_unix(w, text + n) :
					       parse_tcp(w, text);
}

bool mz_listen_parse(struct mz_listen *l, struct mz_arena *a, const char *where,
		     struct mz_err *err)
{
	struct where w;

	*l = (struct mz_listen){ .fd = -1 };
	if (!parse(&w, where))
		return unknown(where, err);
	l->is_unix = w.address.ss_family == AF_UNIX;
	l->is_loopback = is_loopback(&w);
	l->shown = mz_strdup(a, where);
	return true;
}

/* ---- listening */

static bool cannot(const char *where, int error, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "cannot listen on %s: %s", where,
		strerror(error));
	switch (error) {
	case EADDRINUSE:
		return mz_hint(err, "another process does: stop it, or name "
				    "another port with --listen");
	case EACCES:
		return mz_hint(err, "ports below 1024 are for root: name "
				    "another one with --listen");
	case EADDRNOTAVAIL:
		return mz_hint(err, "this machine does not have that address");
	default:
		return false;
	}
}

/* One that nobody listens on any more is a left-over. */
static void remove_stale(const struct where *w)
{
	const struct sockaddr_un *un = (const void *)&w->address;
	struct stat st;
	int fd;

	if (stat(un->sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const void *)un, w->size) != 0 &&
	    errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

static bool open_socket(struct mz_listen *l, const struct where *w)
{
	int on = 1;

	l->fd = socket(w->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return false;
	if (l->is_unix)
		remove_stale(w);
	else
		setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(l->fd, (const void *)&w->address, w->size) == 0 &&
	       listen(l->fd, BACKLOG) == 0;
}

/* What others see, with the port that the kernel has chosen. */
static const char *show(const struct mz_listen *l, struct mz_arena *a)
{
	struct where w = { .size = sizeof(w.address) };
	const struct sockaddr_in *four = (const void *)&w.address;
	const struct sockaddr_in6 *six = (const void *)&w.address;
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(l->fd, (void *)&w.address, &w.size);
	if (w.address.ss_family == AF_INET) {
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
		return mz_printf(a, "%s:%u", host,
				 (unsigned)ntohs(four->sin_port));
	}
	inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
	return mz_printf(a, "[%s]:%u", host, (unsigned)ntohs(six->sin6_port));
}

bool mz_listen_open(struct mz_listen *l, struct mz_arena *a, const char *where,
		    struct mz_err *err)
{
	struct where w;
	int error;

	if (!parse(&w, where))
		return unknown(where, err);
	if (open_socket(l, &w)) {
		if (l->is_unix)
			l->path = mz_strdup(a, where + strlen("unix:"));
		else
			l->shown = show(l, a);
		return true;
	}
	error = errno;
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	return cannot(where, error, err);
}

void mz_listen_remove(const struct mz_listen *l)
{
	if (l->path)
		unlink(l->path);
}
