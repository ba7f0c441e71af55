/* SPDX-License-Identifier: MIT */
/* What an image is called, and for which machine its program is. */
#include <config.h>

#include "image.h"

#include <elf.h>
#include <string.h>

/* ---- the name */

#define NAME_MAX_BYTES 255
#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool is_part(const char *p, size_t n)
{
	static const char between[] = LOWER "._-";

	for (size_t i = 0; i < n; i++)
		if (!strchr(between, p[i]))
			return false;
	return n > 0 && strchr(LOWER, p[0]) && strchr(LOWER, p[n - 1]);
}

/* A registry may have capitals and a port, the path behind it not. */
static bool is_name(const char *p, size_t n)
{
	const char *slash = memchr(p, '/', n);
	size_t first = slash ? (size_t)(slash - p) : 0;

	if (slash && memchr(p, ':', first)) {
		if (strspn(p, LOWER UPPER ".-:") < first)
			return false;
		n -= first + 1;
		p = slash + 1;
	}
	for (;;) {
		slash = memchr(p, '/', n);
		if (!is_part(p, slash ? (size_t)(slash - p) : n))
			return false;
		if (!slash)
			return true;
		n -= (size_t)(slash - p) + 1;
		p = slash + 1;
	}
}

static bool is_tag(const char *tag)
{
	size_t n = strlen(tag);

	return n > 0 && n <= 128 && tag[0] != '.' && tag[0] != '-' &&
	       strspn(tag, LOWER UPPER "._-") == n;
}

bool mz_image_name(struct mz_image *i, struct mz_arena *a, const char *name,
		   struct mz_err *err)
{
	const char *slash = strrchr(name, '/');
	const char *colon = strrchr(slash ? slash : name, ':');
	size_t n = colon ? (size_t)(colon - name) : strlen(name);

	if (strlen(name) <= NAME_MAX_BYTES && is_name(name, n) &&
	    (!colon || is_tag(colon + 1))) {
		i->name = mz_printf(a, "%s%s", name, colon ? "" : ":latest");
		return true;
	}
	mz_fail(err, MZ_usage, "'%s' is no name for an image", name);
	return mz_hint(err, "such as migrate:1.2 or registry.example.org/team/"
			    "migrate:1.2, in small letters");
}

/* ---- the program */

static const char *machine_name(unsigned machine)
{
	switch (machine) {
	case EM_X86_64:
		return "amd64";
	case EM_AARCH64:
		return "arm64";
	case EM_RISCV:
		return "riscv64";
	case EM_PPC64:
		return "ppc64le";
	default:
		return NULL;
	}
}

static bool asks_for_loader(struct pgw_view v, const Elf64_Ehdr *head)
{
	for (size_t i = 0; i < head->e_phnum; i++) {
		Elf64_Phdr one;

		if (head->e_phoff > v.n ||
		    (v.n - head->e_phoff) / sizeof(one) <= i)
			return true;
		memcpy(&one, v.p + head->e_phoff + i * sizeof(one),
		       sizeof(one));
		if (one.p_type == PT_INTERP)
			return true;
	}
	return false;
}

bool mz_image_of_program(struct mz_image *i, struct pgw_view program,
			 const char *path, struct mz_err *err)
{
	Elf64_Ehdr head = { 0 };

	if (program.n >= sizeof(head))
		memcpy(&head, program.p, sizeof(head));
	if (memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
	    head.e_ident[EI_CLASS] == ELFCLASS64 &&
	    head.e_ident[EI_DATA] == ELFDATA2LSB &&
	    head.e_phentsize == sizeof(Elf64_Phdr))
		i->architecture = machine_name(head.e_machine);
	if (!i->architecture) {
		mz_fail(err, MZ_usage, "%s is for a machine that is not known",
			path);
		return mz_at(err, path, 0, 0);
	}
	if (!asks_for_loader(program, &head))
		return true;
	mz_fail(err, MZ_usage,
		"%s needs shared libraries, which an image does not have",
		path);
	mz_hint(err, "name the program of a release with --from-binary, or "
		     "build it with --enable-static-binary");
	return mz_at(err, path, 0, 0);
}
