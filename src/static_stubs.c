/* SPDX-License-Identifier: MIT */
/*
 * For a static program only.  OpenSSL and c-ares can load modules and ask the
 * C library for names; in a static program both would pull in the host's
 * shared libraries, another C library among them.  None of it is used here, so
 * the linker (--wrap, see configure.ac) puts these in the place of the real
 * ones: no module can be loaded and every name is unknown.
 *
 * Nor is local time used, but glibc reads the machine's zone for gmtime_r and
 * strftime, too.  __tzfile_read is a name inside of glibc: where it is called
 * otherwise, this does nothing, and a test of the opened files fails.
 *
 * And random numbers come from the kernel and not from /dev/urandom, which an
 * empty root may not have: c-ares would then number its questions by rand(),
 * so that everybody could answer them.
 */
#include <config.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The real ones have so many parameters. */
/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter) */

#define STUB(name) extern __typeof__(name) __wrap_##name
STUB(dladdr);
STUB(dlclose);
STUB(dlerror);
STUB(dlopen);
STUB(dlsym);
STUB(freeaddrinfo);
STUB(gai_strerror);
STUB(getaddrinfo);
STUB(gethostbyname);
STUB(getnameinfo);
STUB(getprotobynumber);
STUB(getservbyname);
STUB(getservbyport_r);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__real_fopen(const char *path, const char *mode);
void __wrap_json_object_seed(size_t seed);
void __real_json_object_seed(size_t seed);
void __wrap___tzfile_read(const char *file, size_t extra, char **room);

int __wrap_dladdr(const void *address, Dl_info *info)
{
	(void)address;
	(void)info;
	return 0;
}

int __wrap_dlclose(void *handle)
{
	(void)handle;
	return -1;
}

char *__wrap_dlerror(void)
{
	static char text[] = "a static program loads no modules";

	return text;
}

void *__wrap_dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	(void)handle;
	(void)name;
	return NULL;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

const char *__wrap_gai_strerror(int code)
{
	(void)code;
	return "a static program has no resolver of the C library";
}

int __wrap_getaddrinfo(const char *name, const char *service,
		       const struct addrinfo *hints, struct addrinfo **list)
{
	(void)name;
	(void)service;
	(void)hints;
	(void)list;
	return EAI_FAIL;
}

struct hostent *__wrap_gethostbyname(const char *name)
{
	(void)name;
	return NULL;
}

/* libevent asks who a client is, in numbers, and ends when it is not told. */
int __wrap_getnameinfo(const struct sockaddr *address, socklen_t size,
		       char *host, socklen_t host_size, char *service,
		       socklen_t service_size, int flags)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;
	bool is_four = address->sa_family == AF_INET;
	uint16_t port = is_four ? four->sin_port : six->sin6_port;

	(void)flags;
	if (size < (is_four ? sizeof(*four) : sizeof(*six)) ||
	    !inet_ntop(address->sa_family,
		       is_four ? (const void *)&four->sin_addr :
				 (const void *)&six->sin6_addr,
		       host, host_size))
		return EAI_FAMILY;
	snprintf(service, service_size, "%u", (unsigned)ntohs(port));
	return 0;
}

struct protoent *__wrap_getprotobynumber(int number)
{
	(void)number;
	return NULL;
}

struct servent *__wrap_getservbyname(const char *name, const char *protocol)
{
	(void)name;
	(void)protocol;
	return NULL;
}

int __wrap_getservbyport_r(int port, const char *protocol,
			   struct servent *entry, char *buffer, size_t size,
			   struct servent **found)
{
	(void)port;
	(void)protocol;
	(void)entry;
	(void)buffer;
	(void)size;
	*found = NULL;
	return ENOENT;
}

static ssize_t read_random(void *cookie, char *out, size_t n)
{
	(void)cookie;
	return getrandom(out, n, 0);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	cookie_io_functions_t random = { .read = read_random };

	return strcmp(path, "/dev/urandom") == 0 ?
		       fopencookie(NULL, "r", random) :
		       __real_fopen(path, mode);
}

/* Whoever writes the JSON could make all its keys collide, otherwise. */
void __wrap_json_object_seed(size_t seed)
{
	if (seed == 0 && getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	__real_json_object_seed(seed);
}

/* No file is found: UTC, or what TZ itself spells out. */
void __wrap___tzfile_read(const char *file, size_t extra, char **room)
{
	(void)file;
	(void)extra;
	(void)room;
}

/* NOLINTEND(readability-function-size,readability-non-const-parameter) */
