/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "outside.h"
#include "unit.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pgw_system sys;
static struct pgw_outside o;

static enum pgw_found read_file(const char *path, struct pgw_buf *text,
				unsigned *mode, bool *regular)
{
	*mode = 0;
	*regular = false;
	pgw_buf_init(text, 1000);
	return o.file(o.ctx, path, text, mode, regular);
}

START_TEST(a_file_is_read_with_its_mode)
{
	char path[] = "check_outside_XXXXXX";
	int fd = mkstemp(path);
	struct pgw_buf text;
	unsigned mode;
	bool regular;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, "hello", 5), 5);
	ck_assert_int_eq(fchmod(fd, 0640), 0);
	ck_assert_int_eq(read_file(path, &text, &mode, &regular), PGW_FOUND);
	ck_assert(pgw_view_is(pgw_buf_view(&text), "hello"));
	ck_assert_uint_eq(mode, 0640);
	ck_assert(regular);
	pgw_buf_release(&text);

	ck_assert_int_eq(ftruncate(fd, 1001), 0);
	ck_assert_int_eq(read_file(path, &text, &mode, &regular),
			 PGW_FOUND_TOO_LARGE);
	pgw_buf_release(&text);
	close(fd);
	unlink(path);
	ck_assert_int_eq(read_file(path, &text, &mode, &regular),
			 PGW_FOUND_NOT);
}

END_TEST

START_TEST(a_pipe_is_not_waited_for)
{
	char path[] = "check_outside_XXXXXX";
	int fd = mkstemp(path);
	struct pgw_buf text;
	unsigned mode;
	bool regular;

	ck_assert_int_ge(fd, 0);
	close(fd);
	unlink(path);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(read_file(path, &text, &mode, &regular), PGW_FOUND);
	ck_assert(!regular);
	ck_assert_uint_eq(text.len, 0);
	unlink(path);
}

END_TEST

START_TEST(the_environment_and_the_home_are_the_programs)
{
	ck_assert_int_eq(setenv("PGUSER", "x", 1), 0);
	ck_assert_str_eq(o.env(o.ctx, "PGUSER"), "x");
	ck_assert_int_eq(unsetenv("PGUSER"), 0);
	ck_assert_ptr_null(o.env(o.ctx, "PGUSER"));
	ck_assert_int_eq(setenv("HOME", "/some/where", 1), 0);
	ck_assert_str_eq(o.home(o.ctx), "/some/where");
}

END_TEST

START_TEST(who_runs_us_is_read_from_the_file)
{
	const char *name = o.os_user(o.ctx), *home;

	ck_assert_int_eq(unsetenv("HOME"), 0);
	home = o.home(o.ctx);
	if (name[0] == '\0')
		ck_assert_str_eq(home, "");
	else
		ck_assert_int_eq(home[0], '/');
	if (geteuid() == 0 && name[0] != '\0')
		ck_assert_str_eq(name, "root");
}

END_TEST

START_TEST(a_directory_is_told_from_a_file)
{
	ck_assert(o.is_dir(o.ctx, "/"));
	ck_assert(!o.is_dir(o.ctx, "/dev/null"));
	ck_assert(!o.is_dir(o.ctx, "/no/such/place"));
}

END_TEST

int main(void)
{
	const TTest *tests[] = {
		a_file_is_read_with_its_mode,
		a_pipe_is_not_waited_for,
		the_environment_and_the_home_are_the_programs,
		who_runs_us_is_read_from_the_file,
		a_directory_is_told_from_a_file,
	};
	int status;

	pgw_outside_system(&o, &sys);
	status = unit_main("outside", tests, sizeof(tests) / sizeof(tests[0]));
	pgw_system_release(&sys);
	return status;
}
