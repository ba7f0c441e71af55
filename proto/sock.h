/* SPDX-License-Identifier: MIT */
/*
 * A TCP or Unix socket.  Every wait ends at an absolute deadline, and when the
 * interrupt descriptor becomes readable.
 */
#ifndef PGW_SOCK_H
#define PGW_SOCK_H

#include "addr.h"
#include "clock.h"
#include "err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct pgw_sock {
	int fd;		  /* -1 = closed */
	int interrupt_fd; /* -1 = none */
	int64_t deadline; /* on pgw_clock_ms(), or PGW_FOREVER */
};

/* What a TCP connection asks of the kernel; 0 = the system's own value. */
struct pgw_tcp {
	bool keepalives;
	uint32_t idle_s, interval_s, count, user_timeout_ms;
};

/*
 * Poll fds[1] and so on, for at most timeout_ms (-1 = no such limit), within
 * k's deadline and interrupt, for which fds[0] must be left free.  True when
 * something is ready or timeout_ms are over.  Errors: TIMEOUT, INTERRUPTED,
 * IO.
 */
struct pollfd;
bool pgw_sock_poll(const struct pgw_sock *k, struct pollfd *fds, size_t n,
		   int timeout_ms, struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Connect k, whose interrupt_fd and deadline are set.  tcp is not looked at
 * for a Unix socket.  Errors: REFUSED (also when there is no way there),
 * TIMEOUT, INTERRUPTED, CONFIG (the kernel takes no such tcp), IO.  After a
 * failure k is closed.
 */
bool pgw_sock_open(struct pgw_sock *k, const struct pgw_addr *a,
		   const struct pgw_tcp *tcp,
		   struct pgw_err *err) PGW_MUST_CHECK;
void pgw_sock_close(struct pgw_sock *k);

/*
 * The steps of that, for whoever tries several addresses at once.  begin makes
 * the socket *fd and starts; *problem is an errno: 0 when it is connected,
 * EINPROGRESS when it will become writable, or why there is no way.  False
 * when the options cannot be set, which is so everywhere.  After either
 * failure the socket is closed.  outcome is the same errno once it has become
 * writable.  refuse says what a problem is; false.
 */
bool pgw_sock_begin(int *fd, const struct pgw_addr *a,
		    const struct pgw_tcp *tcp, int *problem,
		    struct pgw_err *err) PGW_MUST_CHECK;
int pgw_sock_outcome(int fd, const struct pgw_addr *a);
bool pgw_sock_refuse(int problem, int family, struct pgw_err *err);

/*
 * Reads at least one byte or fails, and waits for that as long as it may.
 * Gives 0 at the end of the stream, and -1 after filling err.  A deadline that
 * has passed and an interrupt are noticed even when there is no need to wait.
 * Errors: CLOSED, TIMEOUT, INTERRUPTED, IO.
 */
ssize_t pgw_sock_read(struct pgw_sock *k, void *buf, size_t n,
		      struct pgw_err *err);

/* Bytes to move both ways; either may be absent, not both. */
struct pgw_move {
	void *in;
	size_t room;
	const void *out;
	size_t pending;
	size_t got, put; /* how many bytes were moved */
	bool eof;	 /* the stream has ended */
};

/*
 * Wait until either way can go on, then move what can be moved without more
 * waiting; what was received is never lost to a failure of sending.
 */
bool pgw_sock_move(struct pgw_sock *k, struct pgw_move *m,
		   struct pgw_err *err) PGW_MUST_CHECK;

/* Whether there is something to read already; the end of the stream is not. */
bool pgw_sock_has_input(const struct pgw_sock *k);

/* Uid of the process that listens at the other end of a Unix socket. */
bool pgw_sock_peer_uid(const struct pgw_sock *k, unsigned *uid,
		       struct pgw_err *err) PGW_MUST_CHECK;

#endif
