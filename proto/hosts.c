/* SPDX-License-Identifier: MIT */
/* The lists of hosts, addresses and ports, and each host's password. */
#include <config.h>

#include "reading.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 5432
#define PORT_MAX 65535

/* Where the packages of the distributions put the socket, and the sources. */
static const char *const socket_dirs[] = { "/var/run/postgresql", "/tmp" };

#define SOCKET_DIRS (sizeof(socket_dirs) / sizeof(socket_dirs[0]))

static const char *default_dir(const struct pgw_outside *o)
{
	for (size_t i = 0; o->is_dir && i < SOCKET_DIRS; i++)
		if (o->is_dir(o->ctx, socket_dirs[i]))
			return socket_dirs[i];
	return socket_dirs[SOCKET_DIRS - 1];
}

static bool fill_addrs(struct pgw_config *cfg, struct pgw_err *err)
{
	struct pgw_list l = { pgw_given(cfg, PGW_KW_hostaddr) };
	struct pgw_view item;

	for (size_t i = 0; pgw_list_next(&l, &item); i++)
		if (item.n > 0 &&
		    !pgw_text_set(&cfg->hosts[i].hostaddr, item, err))
			return false;
	return true;
}

static bool fill_names(struct pgw_config *cfg, struct pgw_err *err)
{
	const char *names = pgw_given(cfg, PGW_KW_host);
	struct pgw_list l = { names };
	struct pgw_view item;

	if (names && pgw_list_count(names) != cfg->nhosts) {
		pgw_fail(err, PGW_E_CONFIG,
			 "could not match %zu host names to %zu "
			 "hostaddr values",
			 pgw_list_count(names), cfg->nhosts);
		return pgw_blame_both(cfg, PGW_KW_host, PGW_KW_hostaddr, err);
	}
	for (size_t i = 0; pgw_list_next(&l, &item); i++)
		if (!pgw_text_set(&cfg->hosts[i].host, item, err))
			return false;
	return true;
}

static bool fill_default(struct pgw_host *h, const struct pgw_outside *o,
			 struct pgw_err *err)
{
	bool named = h->host && h->host[0] != '\0';
	const char *missing = h->hostaddr ? "" : default_dir(o);

	if (!named && !pgw_text_set(&h->host, pgw_view_of(missing), err))
		return false;
	h->local = !h->hostaddr && (h->host[0] == '/' || h->host[0] == '@');
	return true;
}

/* What is no number in a URI may be half a password, so it is not quoted. */
static bool bad_port(const struct pgw_config *cfg, struct pgw_view item,
		     const char *before, const char *after, struct pgw_err *err)
{
	bool string = cfg->raw.set[PGW_KW_port].source == PGW_FROM_STRING;

	if (!cfg->raw.uri || !string) {
		pgw_fail(err, PGW_E_CONFIG, "%s \"%.*s\"%s", before,
			 (int)item.n, (const char *)item.p, after);
		return pgw_blame(cfg, PGW_KW_port, "1 to 65535", err);
	}
	pgw_fail(err, PGW_E_CONFIG,
		 "invalid port in the connection string (not shown: it may be "
		 "a part of the password)");
	return pgw_hint(err, "ports are 1 to 65535; in a user name or password "
			     "write \"@\" as %%40, \":\" as %%3A, \"/\" as "
			     "%%2F");
}

static bool set_port(const struct pgw_config *cfg, struct pgw_host *h,
		     struct pgw_view item, struct pgw_err *err)
{
	char text[32] = "";
	int32_t port;

	h->port = DEFAULT_PORT;
	if (item.n == 0)
		return true;
	if (item.n < sizeof(text))
		memcpy(text, item.p, item.n);
	if (!pgw_settle_int(text, &port))
		return bad_port(cfg, item, "invalid integer value",
				" for connection option \"port\"", err);
	if (port < 1 || port > PORT_MAX)
		return bad_port(cfg, item, "invalid port number:", "", err);
	h->port = (uint16_t)port;
	return true;
}

/* One port for all the hosts, or one for each. */
static bool fill_ports(struct pgw_config *cfg, struct pgw_err *err)
{
	const char *ports = pgw_given(cfg, PGW_KW_port);
	struct pgw_list l = { ports ? ports : "" };
	size_t n = pgw_list_count(l.at);
	struct pgw_view item = { NULL, 0 };

	if (n != 1 && n != cfg->nhosts) {
		pgw_fail(err, PGW_E_CONFIG,
			 "could not match %zu port numbers to %zu hosts", n,
			 cfg->nhosts);
		return pgw_blame(cfg, PGW_KW_port,
				 "one for all hosts, or one "
				 "for each",
				 err);
	}
	for (size_t i = 0; i < cfg->nhosts; i++) {
		if (i < n)
			pgw_list_next(&l, &item);
		if (!set_port(cfg, &cfg->hosts[i], item, err))
			return false;
	}
	return true;
}

static bool fill_identity(struct pgw_config *cfg, const struct pgw_outside *o,
			  struct pgw_err *err)
{
	const char *user = pgw_given(cfg, PGW_KW_user);
	const char *dbname = pgw_given(cfg, PGW_KW_dbname);

	if (!user)
		user = o->os_user ? o->os_user(o->ctx) : "";
	if (user[0] == '\0') {
		pgw_fail(err, PGW_E_CONFIG,
			 "no user name is given, and the operating system "
			 "knows none");
		return pgw_hint(err, "put it into the connection string, or "
				     "set PGUSER");
	}
	return pgw_text_set(&cfg->user, pgw_view_of(user), err) &&
	       pgw_text_set(&cfg->dbname, pgw_view_of(dbname ? dbname : user),
			    err);
}

/* ---- passwords */

static bool set_passfile(struct pgw_config *cfg, const struct pgw_outside *o,
			 struct pgw_err *err)
{
	const char *path = pgw_given(cfg, PGW_KW_passfile);
	const char *password = pgw_given(cfg, PGW_KW_password), *home;
	struct pgw_buf b;
	bool ok;

	if (path)
		return pgw_text_set(&cfg->passfile, pgw_view_of(path), err);
	if (password && password[0] != '\0')
		return true; /* whose home it is need not be known */
	home = o->home ? o->home(o->ctx) : "";
	if (home[0] == '\0')
		return true;
	pgw_buf_init(&b, strlen(home) + sizeof("/.pgpass"));
	pgw_buf_put_text(&b, home);
	pgw_buf_put_text(&b, "/.pgpass");
	ok = b.failed ? pgw_nomem(err) :
			pgw_text_set(&cfg->passfile, pgw_buf_view(&b), err);
	pgw_buf_release(&b);
	return ok;
}

/* The default directories are localhost to the password file. */
static const char *name_for_passfile(const struct pgw_host *h)
{
	if (h->host[0] == '\0')
		return h->hostaddr;
	for (size_t i = 0; i < SOCKET_DIRS; i++)
		if (strcmp(h->host, socket_dirs[i]) == 0)
			return "localhost";
	return h->host;
}

static bool find_passwords(struct pgw_config *cfg, const struct pgw_passfile *f,
			   struct pgw_err *err)
{
	const char *ports = pgw_given(cfg, PGW_KW_port);
	struct pgw_list l = { ports ? ports : "" };
	struct pgw_view item = { NULL, 0 };
	char *port = NULL;
	bool ok = true;

	/* A port is compared as it was written: 05432 is not 5432. */
	for (size_t i = 0; ok && i < cfg->nhosts; i++) {
		struct pgw_host *h = &cfg->hosts[i];
		const char *wanted[] = { name_for_passfile(h), NULL,
					 cfg->dbname, cfg->user };

		pgw_list_next(&l, &item);
		ok = pgw_text_set(&port,
				  item.n > 0 ? item : pgw_view_of("5432"), err);
		wanted[1] = port;
		ok = ok && pgw_passfile_find(f, wanted, &h->password, err);
		h->from_passfile = h->password != NULL;
	}
	pgw_text_free(port);
	return ok;
}

static bool fill_passwords(struct pgw_config *cfg, const struct pgw_outside *o,
			   struct pgw_err *err)
{
	const char *password = pgw_given(cfg, PGW_KW_password);
	struct pgw_passfile f = { NULL, { .max = 0 } };
	bool ok;

	for (size_t i = 0; password && i < cfg->nhosts; i++)
		if (!pgw_text_set(&cfg->hosts[i].password,
				  pgw_view_of(password), err))
			return false;
	if (password || !set_passfile(cfg, o, err))
		return password != NULL;
	if (!cfg->passfile)
		return true;
	f.path = cfg->passfile;
	ok = pgw_passfile_read(&f, o, &cfg->notices, err) &&
	     find_passwords(cfg, &f, err);
	pgw_passfile_release(&f);
	return ok;
}

bool pgw_settle_hosts(struct pgw_config *cfg, const struct pgw_outside *o,
		      struct pgw_err *err)
{
	const char *list = pgw_given(cfg, PGW_KW_hostaddr);

	if (!list)
		list = pgw_given(cfg, PGW_KW_host);
	cfg->nhosts = list ? pgw_list_count(list) : 1;
	cfg->hosts = malloc(cfg->nhosts * sizeof(*cfg->hosts));
	if (!cfg->hosts) {
		cfg->nhosts = 0;
		return pgw_nomem(err);
	}
	memset(cfg->hosts, 0, cfg->nhosts * sizeof(*cfg->hosts));
	if (!fill_addrs(cfg, err) || !fill_names(cfg, err))
		return false;
	for (size_t i = 0; i < cfg->nhosts; i++)
		if (!fill_default(&cfg->hosts[i], o, err))
			return false;
	return fill_ports(cfg, err) && fill_identity(cfg, o, err) &&
	       fill_passwords(cfg, o, err);
}
