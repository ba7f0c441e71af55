/* SPDX-License-Identifier: MIT */
/*
 * What goes wrong between a program and its machine: preloaded into it, this
 * makes one allocation or one system call fail, and counts them all.
 *
 *   FAULT=KIND,N     the N-th of that kind fails, counted from 1
 *   FAULT=KIND,N+    so do all after it
 *   FAULT=KIND       none fails
 *   FAULT_SEEN=FILE  two numbers of 8 bytes: how many there were, and failed
 *
 * KIND is alloc, or a word of kinds[] below.  System calls are caught by
 * seccomp, so that none escapes that the C library makes by itself.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- which one fails */

struct seen {
	uint64_t calls, failed;
};

static struct seen unseen;
static struct seen *seen = &unseen;
static uint64_t first = UINT64_MAX, last;

static bool fails(void)
{
	uint64_t n = __atomic_add_fetch(&seen->calls, 1, __ATOMIC_RELAXED);

	if (n < first || n > last)
		return false;
	__atomic_add_fetch(&seen->failed, 1, __ATOMIC_RELAXED);
	return true;
}

/* ---- allocations */

static bool starves;

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t alignment, size_t n);

static bool is_starved(void)
{
	if (!starves || !fails())
		return false;
	errno = ENOMEM;
	return true;
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
#pragma GCC visibility push(default) /* all of the program is to find them */

void *malloc(size_t n)
{
	return is_starved() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return is_starved() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return is_starved() ? NULL : __libc_realloc(p, n);
}

void *reallocarray(void *p, size_t n, size_t size)
{
	if (size != 0 && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return is_starved() ? NULL : __libc_realloc(p, n * size);
}

void *memalign(size_t alignment, size_t n)
{
	return is_starved() ? NULL : __libc_memalign(alignment, n);
}

void *aligned_alloc(size_t alignment, size_t n)
{
	return memalign(alignment, n);
}

int posix_memalign(void **p, size_t alignment, size_t n)
{
	void *got = memalign(alignment, n);

	if (!got)
		return ENOMEM;
	*p = got;
	return 0;
}

#pragma GCC visibility pop

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

/* ---- system calls */

enum {
	INTERRUPTED = 1, /* as if a handler had run */
	SHORT = 2,	 /* one byte is moved, whatever was asked for */
	NOT_YET = 4,	 /* a socket that was ready is not */
	NO_DESCRIPTOR = 8,
	READING = 16, /* of a file, or of what is known of one */
	WRITING = 32, /* to anything but a socket */
	SENDING = 64, /* by a socket, and so is what follows */
	RECEIVING = 128,
	CONNECTING = 256,
};

static const struct kind {
	const char *name;
	unsigned bit;
	int error;
} kinds[] = {
	{ "eintr", INTERRUPTED, EINTR },
	{ "short", SHORT, 0 },
	{ "eagain", NOT_YET, EAGAIN },
	{ "emfile", NO_DESCRIPTOR, EMFILE },
	{ "eio", READING, EIO },
	{ "enospc", WRITING, ENOSPC },
	{ "epipe", SENDING, EPIPE },
	{ "reset", RECEIVING, ECONNRESET },
	{ "refused", CONNECTING, ECONNREFUSED },
};

static const struct call {
	int nr;
	unsigned kinds;
	int length; /* the argument that says how many bytes, or 0 */
} calls[] = {
	{ SYS_read, INTERRUPTED | SHORT | NOT_YET | READING | RECEIVING, 2 },
	{ SYS_pread64, INTERRUPTED | SHORT | READING, 2 },
	{ SYS_readv, INTERRUPTED | NOT_YET | READING | RECEIVING, 0 },
	{ SYS_write, INTERRUPTED | SHORT | NOT_YET | WRITING | SENDING, 2 },
	{ SYS_pwrite64, INTERRUPTED | SHORT | WRITING, 2 },
	{ SYS_writev, INTERRUPTED | NOT_YET | WRITING | SENDING, 0 },
	{ SYS_recvfrom, INTERRUPTED | SHORT | NOT_YET | RECEIVING, 2 },
	{ SYS_recvmsg, INTERRUPTED | NOT_YET | RECEIVING, 0 },
	{ SYS_sendto, INTERRUPTED | SHORT | NOT_YET | SENDING, 2 },
	{ SYS_sendmsg, INTERRUPTED | NOT_YET | SENDING, 0 },
	{ SYS_connect, INTERRUPTED | CONNECTING, 0 },
	{ SYS_accept4, INTERRUPTED | NO_DESCRIPTOR, 0 },
	{ SYS_ppoll, INTERRUPTED, 0 },
	{ SYS_pselect6, INTERRUPTED, 0 },
	{ SYS_epoll_pwait, INTERRUPTED, 0 },
	{ SYS_clock_nanosleep, INTERRUPTED, 0 },
	{ SYS_openat, INTERRUPTED | NO_DESCRIPTOR | READING, 0 },
	{ SYS_getdents64, READING, 0 },
	{ SYS_fsync, INTERRUPTED | WRITING, 0 },
	{ SYS_fdatasync, INTERRUPTED | WRITING, 0 },
	{ SYS_ftruncate, INTERRUPTED | WRITING, 0 },
	{ SYS_flock, INTERRUPTED, 0 },
	{ SYS_getrandom, INTERRUPTED, 0 },
	{ SYS_close, INTERRUPTED, 0 },
	{ SYS_socket, NO_DESCRIPTOR, 0 },
	{ SYS_pipe2, NO_DESCRIPTOR, 0 },
	{ SYS_dup, NO_DESCRIPTOR, 0 },
	{ SYS_epoll_create1, NO_DESCRIPTOR, 0 },
	{ SYS_eventfd2, NO_DESCRIPTOR, 0 },
#ifdef SYS_open /* what old machines have besides */
	{ SYS_open, INTERRUPTED | NO_DESCRIPTOR | READING, 0 },
	{ SYS_accept, INTERRUPTED | NO_DESCRIPTOR, 0 },
	{ SYS_poll, INTERRUPTED, 0 },
	{ SYS_select, INTERRUPTED, 0 },
	{ SYS_epoll_wait, INTERRUPTED, 0 },
	{ SYS_nanosleep, INTERRUPTED, 0 },
	{ SYS_pipe, NO_DESCRIPTOR, 0 },
#endif
};

static const struct kind *kind;

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define RESULT(c) ((c)->uc_mcontext.gregs[REG_RAX])

static long argument(const ucontext_t *c, int i)
{
	static const int registers[] = { REG_RDI, REG_RSI, REG_RDX,
					 REG_R10, REG_R8,  REG_R9 };

	return (long)c->uc_mcontext.gregs[registers[i]];
}
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define RESULT(c) ((c)->uc_mcontext.regs[0])

static long argument(const ucontext_t *c, int i)
{
	return (long)c->uc_mcontext.regs[i];
}
#else
#error "where are the arguments of a system call on this machine?"
#endif

static const struct call *call_of(int nr)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (calls[i].nr == nr)
			return &calls[i];
	return NULL;
}

static bool is_socket(long fd)
{
	int type;
	socklen_t size = sizeof(type);

	return getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
}

static bool is_file(long fd)
{
	struct stat s;

	return fstat((int)fd, &s) == 0 &&
	       (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode));
}

/* What is said of a descriptor must be true of this one. */
static bool applies(const struct call *call, long fd)
{
	if (!call || !(call->kinds & kind->bit))
		return false;
	switch (kind->bit) {
	case NOT_YET:
		return is_socket(fd) &&
		       (fcntl((int)fd, F_GETFL) & O_NONBLOCK) != 0;
	case SENDING:
	case RECEIVING:
		return is_socket(fd);
	case WRITING:
		return !is_socket(fd);
	case READING:
		return call->nr != SYS_read || is_file(fd);
	default:
		return true;
	}
}

static long pass(int nr, const long a[6])
{
	long got = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return got < 0 ? -errno : got;
}

/*
 * Interrupted, a connection goes on being made, and what is closed is closed.
 */
static bool is_done_anyway(int nr)
{
	return kind->bit == INTERRUPTED &&
	       (nr == SYS_connect || nr == SYS_close);
}

static long answer(int nr, long a[6])
{
	const struct call *call = call_of(nr);

	if (!applies(call, a[0]) || !fails())
		return pass(nr, a);
	if (kind->bit == SHORT) {
		if (call->length && a[call->length] > 1)
			a[call->length] = 1;
		return pass(nr, a);
	}
	if (is_done_anyway(nr))
		(void)pass(nr, a);
	return -kind->error;
}

static void on_call(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;
	int saved = errno;
	long a[6];

	(void)number;
	for (int i = 0; i < 6; i++)
		a[i] = argument(c, i);
	RESULT(c) = answer(info->si_syscall, a);
	errno = saved;
}

#define LOAD(member, behind)               \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
		 (unsigned)offsetof(struct seccomp_data, member) + (behind))
#define IF_EQUAL(value, then, other) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (then), (other))
#define IF_AT_LEAST(value, then, other) \
	BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (value), (then), (other))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define STUB_LENGTH 64 /* no more of syscall() is looked at */

/* Calls of these numbers trap, unless it is our own syscall() that makes them.
 */
static bool trap_calls(void)
{
	struct sock_filter filter[7 + 2 * COUNT(calls) + 1];
	uintptr_t stub = (uintptr_t)syscall;
	uint32_t low = (uint32_t)stub, high = (uint32_t)((uint64_t)stub >> 32);
	struct sock_fprog program = { .filter = filter };
	size_t n = 0;

	filter[n++] = (struct sock_filter)LOAD(instruction_pointer, 4);
	filter[n++] = (struct sock_filter)IF_EQUAL(high, 0, 4);
	filter[n++] = (struct sock_filter)LOAD(instruction_pointer, 0);
	filter[n++] = (struct sock_filter)IF_AT_LEAST(low, 0, 2);
	filter[n++] = (struct sock_filter)IF_AT_LEAST(low + STUB_LENGTH, 1, 0);
	filter[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	filter[n++] = (struct sock_filter)LOAD(nr, 0);
	for (size_t i = 0; i < COUNT(calls); i++) {
		if (!(calls[i].kinds & kind->bit))
			continue;
		filter[n++] =
			(struct sock_filter)IF_EQUAL((uint32_t)calls[i].nr, 0,
						     1);
		filter[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_TRAP);
	}
	filter[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- what is asked for */

static _Noreturn void refuse(const char *why)
{
	fprintf(stderr, "shim: %s\n", why);
	_exit(125);
}

static void share(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	void *at;

	if (fd < 0 || ftruncate(fd, sizeof(*seen)) != 0)
		refuse("cannot open FAULT_SEEN");
	at = mmap(NULL, sizeof(*seen), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  0);
	if (at == MAP_FAILED)
		refuse("cannot map FAULT_SEEN");
	close(fd);
	seen = at;
	*seen = (struct seen){ 0 };
}

static void choose(const char *comma)
{
	char *end;

	if (!*comma)
		return;
	first = strtoull(comma + 1, &end, 10);
	last = *end == '+' ? UINT64_MAX : first;
	if (first == 0 || strlen(end) != (*end == '+'))
		refuse("FAULT=KIND,N or KIND,N+");
}

static void catch_calls(const char *name, size_t length)
{
	struct sigaction action = { .sa_sigaction = on_call,
				    .sa_flags = SA_SIGINFO | SA_NODEFER };

	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strlen(kinds[i].name) == length &&
		    memcmp(kinds[i].name, name, length) == 0)
			kind = &kinds[i];
	if (!kind)
		refuse("what is to fail?");
	sigaction(SIGSYS, &action, NULL);
	if (!trap_calls())
		refuse("no seccomp here");
}

__attribute__((constructor)) static void begin(void)
{
	const char *fault = getenv("FAULT"), *path = getenv("FAULT_SEEN");
	size_t length = fault ? strcspn(fault, ",") : 0;

	if (!fault)
		return;
	if (path)
		share(path);
	choose(fault + length);
	starves = length == 5 && memcmp(fault, "alloc", 5) == 0;
	if (!starves)
		catch_calls(fault, length);
}
