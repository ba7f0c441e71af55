/* SPDX-License-Identifier: MIT */
/*
 * Every allocation of reading and settling is made to fail in turn.  Linked
 * with --wrap=malloc, so that only our own allocations are counted.
 */
#include <config.h>

#include "conninfo.h"
#include "outside_fake.h"
#include "unit.h"

#define KEY "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="

static int countdown = -1;

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);

void *__wrap_malloc(size_t n)
{
	if (countdown == 0)
		return NULL;
	if (countdown > 0)
		countdown--;
	return __real_malloc(n);
}

static const char *const strings[] = {
	" 'postgres://u:a@b@h1:1,h2:2/d?schema=x&passfile=f&options=-cx%3D1' ",
	"service=s user=u password=p hostaddr=1.2.3.4 application_name=a "
	"requirepeer=me sslmode=no-verify scram_client_key=" KEY
	" require_auth=!none pgbouncer=true ssl=1 search_path=a",
	"passfile=f",
	"host=h sslcert=c sslkey=k sslpassword=p sslrootcert=r sslcrl=l "
	"sslcrldir=d sslkeylogfile=f "
	"sslcertmode=require",
	"",
};

static bool whole(const char *text, struct pgw_err *err)
{
	static const char *const env[] = { "PGTZ",   "x",	    "PGGEQO",
					   "on",     "PGDATESTYLE", "ISO",
					   "PGPORT", "7",	    NULL };
	struct fake f = { .env = env,
			  .user = "me",
			  .home = "/h",
			  .path = "/h/.pg_service.conf",
			  .mode = 0644,
			  .text = pgw_view_of("[s]\nhost=h\nport=5\n") };
	struct pgw_outside o;
	struct pgw_conninfo c;
	struct pgw_config cfg;
	bool ok;

	if (text[0] != 's') {
		f.path = text[0] == 'p' ? "f" : "/h/.pgpass";
		f.mode = text[0] == 'p' ? 0600 : 0644;
		f.text = pgw_view_of("*:*:*:*:p\\w\n");
	}
	o = fake_outside(&f);
	pgw_conninfo_init(&c);
	ok = pgw_conninfo_parse(&c, text, err) &&
	     pgw_conninfo_complete(&c, &o, err) &&
	     pgw_config_settle(&cfg, &c, &o, err);
	if (ok)
		pgw_config_release(&cfg);
	pgw_conninfo_release(&c);
	return ok;
}

static void check_each(const char *text)
{
	struct pgw_err err = { 0 };
	int n;

	for (n = 0; n < 1000; n++) {
		bool ok;

		countdown = n;
		ok = whole(text, &err);
		countdown = -1; /* Check allocates too */
		if (ok)
			break;
		ck_assert_msg(err.code == PGW_E_NOMEM, "%s: %s", text, err.msg);
	}
	ck_assert_int_gt(n, 20);
	ck_assert_int_lt(n, 1000);
}

START_TEST(each_allocation_may_fail)
{
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		check_each(strings[i]);
}

END_TEST

UNIT_MAIN("conninfo_oom", each_allocation_may_fail)
