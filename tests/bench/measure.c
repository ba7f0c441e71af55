/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and says what it cost:
 * measure FILE [-n TIMES] COMMAND [ARGUMENT...]
 *
 * FILE gets a line: exit status (-N: killed by signal N), microseconds that
 * passed, of user and of system time, and the most memory in KiB.  Of several
 * times, one after the other, it is the mean, and the first that fails is the
 * last.  The memory of who starts a program counts for it until it does, so
 * this must be small: of what runs under Python, less than Python's is never
 * seen.
 */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long us_of(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

static long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(127);
}

/* Once; adds to *used what it cost, and returns its status. */
static int run(char **command, struct rusage *used)
{
	struct rusage one;
	pid_t pid = fork();
	int status;

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execv(command[0], command);
		die(command[0]);
	}
	if (wait4(pid, &status, 0, &one) < 0)
		die("wait4");
	timeradd(&used->ru_utime, &one.ru_utime, &used->ru_utime);
	timeradd(&used->ru_stime, &one.ru_stime, &used->ru_stime);
	if (one.ru_maxrss > used->ru_maxrss)
		used->ru_maxrss = one.ru_maxrss;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int tell(const char *name, int status, long long us, long times,
		const struct rusage *used)
{
	FILE *f = fopen(name, "we");

	if (!f)
		die(name);
	fprintf(f, "%d %lld %lld %lld %ld\n", status, us / times,
		us_of(used->ru_utime) / times, us_of(used->ru_stime) / times,
		used->ru_maxrss);
	return fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	bool several = argc > 4 && strcmp(argv[2], "-n") == 0;
	long times = several ? strtol(argv[3], NULL, 10) : 1, done = 0;
	struct rusage used = { 0 };
	int status = 0;
	long long start;

	if (argc < 3 || times < 1) {
		fputs("usage: measure FILE [-n TIMES] COMMAND [ARGUMENT...]\n",
		      stderr);
		return 2;
	}
	start = now_us();
	while (done < times && status == 0) {
		status = run(argv + (several ? 4 : 2), &used);
		done++;
	}
	return tell(argv[1], status, now_us() - start, done, &used);
}
