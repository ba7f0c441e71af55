/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "steady.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

static bool wait_for_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int ready;

	do
		ready = poll(&p, 1, -1);
	while (ready < 0 && errno == EINTR);
	return ready > 0;
}

/* A write that cannot be done now is done when it can. */
static bool is_for_now(int fd, int error)
{
	if (error == EAGAIN)
		return wait_for_room(fd);
	return error == EINTR;
}

/* fopencookie(3): fewer than n bytes is an error. */
static ssize_t put(void *cookie, const char *data, size_t n)
{
	int fd = *(const int *)cookie;
	size_t done = 0;

	while (done < n) {
		ssize_t more = write(fd, data + done, n - done);

		if (more > 0)
			done += (size_t)more;
		else if (more == 0 || !is_for_now(fd, errno))
			break;
	}
	return (ssize_t)done;
}

FILE *mz_steady(FILE *f, int *fd, int buffering)
{
	FILE *steady =
		*fd < 0 ? NULL :
			  fopencookie(fd, "w",
				      (cookie_io_functions_t){ .write = put });

	if (!steady)
		return f;
	setvbuf(steady, NULL, buffering, BUFSIZ);
	return steady;
}
