/* SPDX-License-Identifier: MIT */
/*
 * Runs a program and says what it cost: measure FILE COMMAND [ARGUMENT...]
 *
 * FILE gets a line: exit status (-N: killed by signal N), microseconds that
 * passed, of user and of system time, and the most memory in KiB.  The memory
 * of who starts a program counts for it until it does, so this must be small:
 * of what runs under Python, less than Python's is never seen.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
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

int main(int argc, char **argv)
{
	struct rusage used;
	long long start, end;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fputs("usage: measure FILE COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	start = now_us();
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execv(argv[2], argv + 2);
		die(argv[2]);
	}
	if (wait4(pid, &status, 0, &used) < 0)
		die("wait4");
	end = now_us();
	f = fopen(argv[1], "we");
	if (!f)
		die(argv[1]);
	fprintf(f, "%d %lld %lld %lld %ld\n",
		WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status),
		end - start, us_of(used.ru_utime), us_of(used.ru_stime),
		used.ru_maxrss);
	return fclose(f) == 0 ? 0 : 1;
}
