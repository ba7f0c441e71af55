/* SPDX-License-Identifier: MIT */
/* page NAME TYPE FILE ...: the files of the server's page, packed, as C. */
#include <config.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FILE_MAX ((size_t)1 << 20)

static unsigned char text[FILE_MAX], packed[FILE_MAX];

static bool read_file(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	bool ok;

	if (!f)
		return false;
	*n = fread(text, 1, FILE_MAX, f);
	ok = !ferror(f) && *n < FILE_MAX;
	return fclose(f) == 0 && ok;
}

/* gzip, as browsers take it; without a time, so that it is the same again. */
static bool pack(size_t *n)
{
	z_stream z = { .next_in = text, .avail_in = (uInt)*n };
	bool ok;

	z.next_out = packed;
	z.avail_out = FILE_MAX;
	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 16 + MAX_WBITS, 9,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
	*n = z.total_out;
	deflateEnd(&z);
	return ok;
}

static void write_bytes(int number, size_t n)
{
	printf("static const unsigned char packed_%d[] = {", number);
	for (size_t i = 0; i < n; i++)
		printf("%s%u,", i % 16 == 0 ? "\n\t" : "", packed[i]);
	printf("\n};\n\n");
}

int main(int argc, char **argv)
{
	size_t sizes[16], unpacked[16];
	int count = (argc - 1) / 3;

	if (argc < 4 || (argc - 1) % 3 != 0 || count > 16)
		return EXIT_FAILURE;
	printf("#include <config.h>\n\n#include \"serve.h\"\n\n");
	for (int i = 0; i < count; i++) {
		size_t *n = &sizes[i];

		if (!read_file(argv[3 * i + 3], n)) {
			fprintf(stderr, "cannot read %s\n", argv[3 * i + 3]);
			return EXIT_FAILURE;
		}
		unpacked[i] = *n;
		if (!pack(n))
			return EXIT_FAILURE;
		write_bytes(i, *n);
	}
	printf("const struct mz_page_file mz_page_files[] = {\n");
	for (int i = 0; i < count; i++)
		printf("\t{ \"%s\", \"%s\", packed_%d, %zu, %zu },\n",
		       argv[3 * i + 1], argv[3 * i + 2], i, sizes[i],
		       unpacked[i]);
	printf("};\nconst size_t mz_page_count = %d;\n", count);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
