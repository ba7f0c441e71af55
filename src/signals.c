/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/*
 * The ends of the pipe: the one thing in the program that is static, because a
 * handler has no other way to know it.
 */
static int pipe_read = -1, pipe_write = -1;

/*
 * Terminals and wrappers often give one wish to stop twice, and what ends in
 * the middle of cancelling leaves the statement running on the server; so only
 * the third signal is taken as impatience.
 */
#define PATIENCE 2

static int signals_so_far(void)
{
	int bytes = 0;

	return ioctl(pipe_read, FIONREAD, &bytes) == 0 ? bytes : 0;
}

static void on_signal(int number)
{
	int saved = errno;
	unsigned char byte = (unsigned char)number;

	if (signals_so_far() >= PATIENCE)
		_exit(128 + number);
	if (write(pipe_write, &byte, 1) != 1)
		_exit(128 + number);
	errno = saved;
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

bool mz_signals_wait(int fd, int interrupt_fd, struct mz_err *err)
{
	struct pollfd p[] = { { .fd = interrupt_fd, .events = POLLIN },
			      { .fd = fd, .events = POLLIN } };

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR)
			return mz_fail(err, MZ_internal, "cannot wait: %s",
				       strerror(errno));
	if (!p[0].revents)
		return true;
	mz_fail(err, MZ_connect, "interrupted");
	err->signal = -1;
	return false;
}

bool mz_signals_catch(struct mz_context *c, struct mz_err *err)
{
	/* PID 1 has no default action: it needs the handlers */
	static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_flags = SA_RESTART };
	int ends[2];

	if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0)
		return mz_fail(err, MZ_internal, "cannot make a pipe: %s",
			       strerror(errno));
	pipe_read = c->interrupt_fd = ends[0];
	pipe_write = c->signal_fd = ends[1];
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		struct sigaction before;

		/* nohup; but scripts start with & what they mean to stop */
		if (caught[i] == SIGHUP &&
		    sigaction(SIGHUP, NULL, &before) == 0 &&
		    before.sa_handler == SIG_IGN)
			continue;
		action.sa_handler = on_signal;
		sigaction(caught[i], &action, NULL);
	}
	/* what cannot be written, as ulimit -f says, is an error like others */
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL);
	return true;
}

int mz_context_signal(const struct mz_context *c)
{
	unsigned char byte;

	if (!is_readable(c->interrupt_fd) ||
	    read(c->interrupt_fd, &byte, 1) != 1)
		return 0;
	/* back into the pipe: the descriptor stays readable */
	return write(c->signal_fd, &byte, 1) == 1 ? byte : 128;
}

bool mz_signals_input(const struct mz_context *c, int fd)
{
	struct pollfd p[] = {
		{ .fd = c->interrupt_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		continue;
	return p[0].revents == 0;
}

bool mz_signals_fill_standard(void)
{
	int fd;

	for (fd = 0; fd <= STDERR_FILENO && fcntl(fd, F_GETFD) >= 0;)
		fd++;
	if (fd > STDERR_FILENO)
		return true;
	/*
	 * A directory can be opened everywhere, and neither read nor written:
	 * output that would go to a closed descriptor stays an error.
	 */
	do
		fd = open("/", O_RDONLY | O_DIRECTORY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}
