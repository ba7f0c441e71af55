/* SPDX-License-Identifier: MIT */
/*
 * Runs a program with as little as a container may leave it:
 * jail ROOT UID MIB[d] pid1|child COMMAND [ARGUMENT...]
 *
 * ROOT becomes the root, read-only, in mounts of its own, and nothing else is
 * mounted.  The program is user and group UID without capabilities, with MIB
 * MiB of address space (with "d": of data; 0: as much as it likes).  It dies by
 * SIGSYS if it starts a process or executes a program.  With pid1 it is the
 * first process of a PID namespace; SIGTERM is passed on.
 */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif

#define LOW_HALF(n) \
	(offsetof(struct seccomp_data, args) + (n) * sizeof(uint64_t))
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
/* How many of the next instructions to leave out if it is, and if not. */
#define IS(value, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define HAS(bits, yes, no) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))

static _Noreturn void die(const char *what)
{
	perror(what);
	_exit(125);
}

static void must(int status, const char *what)
{
	if (status != 0)
		die(what);
}

/*
 * One execve is ours: it is told by the address of its path, of which the
 * program that comes knows nothing.  clone3 hides its flags in memory; libc
 * does without it.
 */
static void forbid_processes(const char *path)
{
	struct sock_filter rules[] = {
		LOAD(offsetof(struct seccomp_data, arch)),
		IS(ARCH, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(offsetof(struct seccomp_data, nr)),
		IS(__NR_clone3, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		IS(__NR_execveat, 0, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
#ifdef __NR_fork
		IS(__NR_fork, 1, 0),
		IS(__NR_vfork, 0, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
#endif
		IS(__NR_clone, 0, 4),
		LOAD(LOW_HALF(0)),
		HAS(CLONE_THREAD, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		RETURN(SECCOMP_RET_ALLOW),
		IS(__NR_execve, 0, 3),
		LOAD(LOW_HALF(0)),
		IS((uint32_t)(uintptr_t)path, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
}

static void enter(const char *root)
{
	must(unshare(CLONE_NEWNS), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	must(mount(root, root, NULL, MS_BIND, NULL), "bind");
	must(mount(NULL, root, NULL,
		   MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NODEV | MS_NOSUID,
		   NULL),
	     "read-only");
	must(chroot(root), root);
	must(chdir("/"), "/");
}

static void limit(const char *text)
{
	char *end;
	rlim_t mib = strtoul(text, &end, 10);
	struct rlimit most = { mib << 20, mib << 20 }, none = { 0, 0 };

	if (mib > 0)
		must(setrlimit(*end == 'd' ? RLIMIT_DATA : RLIMIT_AS, &most),
		     "setrlimit");
	must(setrlimit(RLIMIT_CORE, &none), "setrlimit");
}

static void become(const char *text)
{
	uid_t uid = (uid_t)strtoul(text, NULL, 10);

	must(setgroups(0, NULL), "setgroups");
	must(setresgid(uid, uid, uid), "setresgid");
	must(setresuid(uid, uid, uid), "setresuid");
}

static _Noreturn void run(char **argv)
{
	static char *const environment[] = { NULL };

	enter(argv[1]);
	become(argv[2]);
	forbid_processes(argv[5]);
	limit(argv[3]);
	execve(argv[5], argv + 5, environment);
	die(argv[5]);
}

static volatile pid_t child;

static void pass_on(int number)
{
	kill(child, number);
}

static int run_first(char **argv)
{
	struct sigaction action = { .sa_handler = pass_on };
	int status;

	must(unshare(CLONE_NEWPID), "unshare");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		run(argv);
	sigaction(SIGTERM, &action, NULL);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc < 6) {
		fputs("usage: jail ROOT UID MIB[d] pid1|child COMMAND...\n",
		      stderr);
		return 2;
	}
	if (strcmp(argv[4], "pid1") == 0)
		return run_first(argv);
	run(argv);
}
