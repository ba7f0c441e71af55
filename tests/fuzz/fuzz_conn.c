/* SPDX-License-Identifier: MIT */
/*
 * A whole connection, with a server that is written in lines, each of them a
 * message; a dot ends what comes at once.  Then a history is read over it, and
 * what follows from it is planned: whatever the rows are, the plan is sound.
 * Or a COPY is run, and cancelled.  The first byte says how we connect and what
 * we do.
 *
 *   r1\t2\t\N  DataRow            c SELECT 1   CommandComplete
 *   q1\t2\t\N  the same behind a RowDescription of as many columns
 *   t a b      RowDescription     e 42P01 no   ErrorResponse; n the same
 *   z T        ReadyForQuery      s name value ParameterStatus
 *   a 0        Authentication     x 53 00      bytes as they are
 *   g          all that a server says of itself, and that it is ready
 */
#include <config.h>

#include "conn.h"
#include "fuzz.h"
#include "plan.h"
#include "upgrade.h"

#include <errno.h>
#include <sys/socket.h>

#define TEXT_MAX 4096
#define PACKETS_MAX 200

/* ---- the socket: what the server says is there before it is asked */

static struct {
	int fd;	    /* for the next who wants a socket; -1 = there is none */
	bool hasty; /* more than the answer is there already */
} network = { .fd = -1 };

int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t n);
int __wrap_setsockopt(int fd, int level, int option, const void *value,
		      socklen_t n);
ssize_t __wrap_recv(int fd, void *to, size_t n, int flags);
ssize_t __real_recv(int fd, void *to, size_t n, int flags);

int __wrap_socket(int family, int type, int protocol)
{
	int fd = network.fd;

	(void)family, (void)type, (void)protocol;
	network.fd = -1;
	errno = EMFILE;
	return fd;
}

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t n)
{
	(void)fd, (void)sa, (void)n;
	return 0;
}

int __wrap_setsockopt(int fd, int level, int option, const void *value,
		      socklen_t n)
{
	(void)fd, (void)level, (void)option, (void)value, (void)n;
	return 0;
}

ssize_t __wrap_recv(int fd, void *to, size_t n, int flags)
{
	if ((flags & MSG_PEEK) && !network.hasty) {
		errno = EAGAIN;
		return -1;
	}
	return __real_recv(fd, to, n, flags);
}

/* ---- messages */

static size_t begin(struct pgw_buf *b, char type)
{
	pgw_buf_put(b, &type, 1);
	pgw_buf_put_u32(b, 0);
	return b->len;
}

static void end(struct pgw_buf *b, size_t at)
{
	uint32_t n = (uint32_t)(b->len - at + 4);

	for (int i = 0; i < 4; i++)
		b->data[at - 1 - (size_t)i] = (unsigned char)(n >> (8 * i));
}

static void put_column(struct pgw_buf *b, struct pgw_view v)
{
	if (pgw_view_is(v, "\\N")) {
		pgw_buf_put_u32(b, UINT32_MAX);
		return;
	}
	pgw_buf_put_u32(b, (uint32_t)v.n);
	pgw_buf_put(b, v.p, v.n);
}

static uint16_t count(struct pgw_view v, char separator)
{
	uint16_t n = 1;

	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == (unsigned char)separator)
			n++;
	return n;
}

static void put_row(struct pgw_buf *b, char type, struct pgw_view line)
{
	size_t at = begin(b, type);
	uint16_t n = line.n ? count(line, '\t') : 0;

	pgw_buf_put_u16(b, n);
	while (n-- > 0)
		put_column(b, take_part(&line, '\t'));
	end(b, at);
}

static void put_text(struct pgw_buf *b, struct pgw_view v)
{
	pgw_buf_put(b, v.p, v.n);
	pgw_buf_put(b, "", 1);
}

static void put_columns(struct pgw_buf *b, char type, struct pgw_view line)
{
	size_t at = begin(b, type);
	uint16_t n = line.n ? count(line, ' ') : 0;

	pgw_buf_put_u16(b, n);
	while (n-- > 0) {
		put_text(b, take_part(&line, ' '));
		pgw_buf_put(b, "\0\0\0\0\0\0\0\0\0\x19\xff\xff\0\0\0\0\0\0",
			    18);
	}
	end(b, at);
}

/* A row, and before it its columns, without names. */
static void put_result(struct pgw_buf *b, char type, struct pgw_view line)
{
	static const unsigned char blanks[64] = "                              "
						"                             ";
	uint16_t n = line.n ? count(line, '\t') : 0;

	if (n == 0 || n > sizeof(blanks))
		return;
	put_columns(b, 'T', (struct pgw_view){ blanks, n - 1u });
	put_row(b, type, line);
}

static void put_error(struct pgw_buf *b, char type, struct pgw_view line)
{
	size_t at = begin(b, type);

	pgw_buf_put_text(b, "SERROR");
	pgw_buf_put(b, "\0C", 2);
	put_text(b, take_part(&line, ' '));
	pgw_buf_put_text(b, "M");
	put_text(b, line);
	pgw_buf_put(b, "", 1);
	end(b, at);
}

static void put_status(struct pgw_buf *b, char type, struct pgw_view line)
{
	size_t at = begin(b, type);

	put_text(b, take_part(&line, ' '));
	put_text(b, line);
	end(b, at);
}

static void put_letter(struct pgw_buf *b, char type, struct pgw_view line)
{
	size_t at = begin(b, type);

	if (type == 'R')
		pgw_buf_put_u32(b, line.n ? line.p[0] - (uint32_t)'0' : 0);
	else
		pgw_buf_put(b, line.n ? (const char *)line.p : "I", 1);
	end(b, at);
}

static void put_hex(struct pgw_buf *b, char type, struct pgw_view line)
{
	static const char digits[] = "0123456789abcdef";

	(void)type;
	for (size_t i = 0; i + 1 < line.n; i += 2) {
		const char *high = strchr(digits, line.p[i]);
		const char *low = strchr(digits, line.p[i + 1]);

		if (high && low && line.p[i] && line.p[i + 1])
			pgw_buf_put(b,
				    &(char){ (char)((high - digits) * 16 +
						    (low - digits)) },
				    1);
	}
}

static void put_tag(struct pgw_buf *b, char type, struct pgw_view line)
{
	size_t at = begin(b, type);

	put_text(b, line);
	end(b, at);
}

static void put_greeting(struct pgw_buf *b, char type, struct pgw_view line)
{
	static const char *const settings[] = {
		"server_version 18.0",
		"client_encoding UTF8",
		"standard_conforming_strings on",
	};

	(void)line;
	put_letter(b, 'R', (struct pgw_view){ 0 });
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		put_status(b, 'S', pgw_view_of(settings[i]));
	put_letter(b, type, (struct pgw_view){ 0 });
}

static void put_line(struct pgw_buf *b, struct pgw_view line)
{
	static const struct {
		char letter, type;
		void (*put)(struct pgw_buf *b, char type, struct pgw_view line);
	} kinds[] = {
		{ 'r', 'D', put_row },	    { 't', 'T', put_columns },
		{ 'q', 'D', put_result },   { 'e', 'E', put_error },
		{ 'n', 'N', put_error },    { 's', 'S', put_status },
		{ 'a', 'R', put_letter },   { 'z', 'Z', put_letter },
		{ 'c', 'C', put_tag },	    { 'x', 0, put_hex },
		{ 'g', 'Z', put_greeting },
	};

	uint8_t letter = take_byte(&line);

	if (letter != 'r' && letter != 'q' && line.n > 0 && line.p[0] == ' ')
		take_byte(&line);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (letter == (unsigned char)kinds[i].letter)
			kinds[i].put(b, kinds[i].type, line);
}

/* Write all of it, a packet for each read. */
static void say(int fd, struct pgw_view text)
{
	struct pgw_buf packet;
	size_t packets = 0;

	pgw_buf_init(&packet, 1u << 16);
	while (packets < PACKETS_MAX && (text.n > 0 || packet.len > 0)) {
		struct pgw_view line = take_part(&text, '\n');

		if (!pgw_view_is(line, ".") && text.n > 0) {
			put_line(&packet, line);
			continue;
		}
		put_line(&packet, line);
		if (packet.len == 0 || packet.failed ||
		    send(fd, packet.data, packet.len,
			 MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
		pgw_buf_drop(&packet, packet.len);
		packets++;
	}
	pgw_buf_release(&packet);
}

/* ---- what we ask */

static bool is_eol(void *ctx, size_t i, const char *hash)
{
	(void)ctx;
	return i % 2 == 0 && hash[0] == 'e';
}

static void make_folder(struct mz_folder *f, struct mz_migration *m)
{
	static const char *const tags[] = { "0000_a", "0001_b", "0002_c",
					    "0003_d" };

	*f = (struct mz_folder){ .dir = "drizzle",
				 .layout = MZ_LAYOUT_JOURNAL,
				 .migrations = m,
				 .count = 4 };
	for (size_t i = 0; i < 4; i++)
		m[i] = (struct mz_migration){ .tag = tags[i],
					      .hash = { (char)('a' + i) },
					      .when = 1000 * (int64_t)i };
}

/* Each migration and each row has its place, once. */
static void check_plan(struct mz_plan *p, struct mz_arena *a,
		       const struct mz_folder *f, const struct mz_history *h)
{
	struct mz_wish wish = { .order = MZ_ORDER_APPLY,
				.allow_modified = true,
				.allow_missing = true };
	struct mz_upgrade u;
	struct mz_err err;
	size_t recorded = 0;

	must(p->listed >= f->count);
	must(p->listed + p->duplicates <= f->count + h->count);
	for (size_t i = 0; i < p->listed; i++) {
		must(p->list[i].tag != NULL);
		recorded += p->rows[i] != NULL;
	}
	must(recorded + p->duplicates == h->count);
	must(mz_plan_choose(p, a, &wish, &err));
	must(p->todo_count == mz_plan_pending(p));
	mz_upgrade_match(&u, a, f, h);
	must(u.unmatched <= h->count);
	(void)!mz_upgrade_agrees(&u, a, h, &err);
	mz_upgrade_note(p, a);
}

static void read_history(struct mz_db *db, struct mz_arena *a)
{
	struct mz_migration migrations[4];
	struct mz_err err = { 0 };
	struct mz_history h;
	struct mz_folder f;
	struct mz_table t;
	struct mz_plan p;

	must(mz_table_init(&t, a, "drizzle", "__drizzle_migrations", &err));
	if (!mz_history_read(&h, a, db, &t, &err)) {
		must(err.msg[0] && err.status != MZ_ok);
		return;
	}
	for (size_t i = 1; i < h.count; i++)
		must(h.rows[i - 1].id <= h.rows[i].id && h.rows[i].hash);
	if (!mz_history_rights(&h, a, db, &t, &err)) {
		must(err.msg[0]);
		return;
	}
	if (h.has_partials && !mz_partials_read(&h.partials, a, db, &t, &err)) {
		must(err.msg[0]);
		return;
	}
	(void)!mz_history_writable(&h, &t, &err);
	make_folder(&f, migrations);
	mz_plan_make(&p, a, &f, &h, &(struct mz_eol){ is_eol, NULL });
	check_plan(&p, a, &f, &h);
}

static void on_columns(void *ctx, const struct pgw_columns *columns)
{
	(void)ctx;
	must(columns->n == 0 || columns->fields.n > 0);
}

static void on_copy(void *ctx, struct pgw_view data)
{
	struct pgw_buf *kept = ctx;

	pgw_buf_put(kept, data.p, data.n);
}

/* A COPY whichever way the server wants it; then somebody has enough. */
static void run_copy(struct mz_db *db)
{
	struct pgw_view rows = pgw_view_of("1\n2\n");
	const struct pgw_copy_source from = { pgw_copy_view, &rows };
	struct pgw_err err = { 0 };
	struct pgw_buf kept;

	pgw_buf_init(&kept, 1u << 22);
	pgw_conn_answers(db->conn, NULL, NULL, &kept);
	pgw_conn_results(db->conn, on_columns, on_copy);
	must(pgw_conn_copy(db->conn, pgw_view_of("copy"), &from, &err) ||
	     err.msg[0]);
	must(pgw_conn_cancel(db->conn, 1000, &err) || err.msg[0]);
	must(pgw_conn_host(db->conn) && pgw_conn_address(db->conn)[0]);
	(void)!pgw_conn_agrees(db->conn, &err);
	pgw_buf_release(&kept);
}

static const char *const strings[] = {
	"host=/tmp user=u",
	"hostaddr=127.0.0.1 user=u sslmode=prefer password=secret",
	"hostaddr=127.0.0.1 user=u sslmode=require password=secret",
	"hostaddr=127.0.0.1 user=u sslnegotiation=direct sslmode=require",
	"host=/tmp user=u target_session_attrs=read-write",
	"hostaddr=127.0.0.1 user=u sslmode=disable require_auth=scram-sha-256",
	"host=/tmp user=u password=secret max_protocol_version=latest",
	"host=/tmp,/tmp user=u target_session_attrs=prefer-standby",
};

/* What we say without TLS, to whom that must not be said, has no secret. */
static void check_said(int fd, bool tls)
{
	unsigned char said[8192];
	ssize_t n;

	while ((n = __real_recv(fd, said, sizeof(said), MSG_DONTWAIT)) > 0)
		must(!tls || !memmem(said, (size_t)n, "secret", 6));
}

static void play(const char *string, int fd, bool copies)
{
	const struct pgw_outside o = { .env = NULL };
	struct pgw_conninfo c;
	struct pgw_config cfg;
	struct mz_arena arena;
	struct pgw_err err = { 0 };
	struct mz_db db = { .cfg = &cfg, .interrupt_fd = -1 };

	mz_arena_init(&arena);
	pgw_conninfo_init(&c);
	must(pgw_conninfo_parse(&c, string, &err) &&
	     pgw_conninfo_complete(&c, &o, &err) &&
	     pgw_config_settle(&cfg, &c, &o, &err));
	if (!mz_db_connect(&db, 0, &err))
		must(err.code != PGW_OK && err.msg[0]);
	else if (copies)
		run_copy(&db);
	else
		read_history(&db, &arena);
	mz_db_close(&db);
	check_said(fd, strstr(string, "sslmode=require") != NULL);
	pgw_config_release(&cfg);
	pgw_conninfo_release(&c);
	mz_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pgw_view text = { data, size };
	uint8_t first = take_byte(&text);
	int ends[2];

	if (text.n > TEXT_MAX)
		return 0;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
	say(ends[1], text);
	must(shutdown(ends[1], SHUT_WR) == 0);
	network.fd = ends[0];
	network.hasty = first & 8;
	play(strings[first % 8], ends[1], first & 16);
	if (network.fd >= 0)
		close(network.fd);
	network.fd = -1;
	close(ends[1]);
	return 0;
}
