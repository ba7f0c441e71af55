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
 */
#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>

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
STUB(getservbyname);
STUB(getservbyport_r);
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

int __wrap_getnameinfo(const struct sockaddr *address, socklen_t size,
		       char *host, socklen_t host_size, char *service,
		       socklen_t service_size, int flags)
{
	(void)address;
	(void)size;
	(void)host;
	(void)host_size;
	(void)service;
	(void)service_size;
	(void)flags;
	return EAI_FAIL;
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

/* No file is found: UTC, or what TZ itself spells out. */
void __wrap___tzfile_read(const char *file, size_t extra, char **room)
{
	(void)file;
	(void)extra;
	(void)room;
}

/* NOLINTEND(readability-function-size,readability-non-const-parameter) */
