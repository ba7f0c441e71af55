/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"
#include "file.h"
#include "image.h"
#include "outfile.h"
#include "pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool load(struct mz_context *c, struct mz_folder *f, struct mz_err *err)
{
	return mz_settle_folder(c, err) && mz_settle_history(c, err) &&
	       mz_folder_load(f, &c->arena, mz_context_where(c), err);
}

/* ---- making one */

/* The last part of its full path, so that it is the same from everywhere. */
static const char *name_of(struct mz_arena *a, const struct mz_folder *f)
{
	char *full = f->bundle ? NULL : realpath(f->dir, NULL);
	const char *slash = full ? strrchr(full, '/') : NULL;
	const char *name = f->bundle	     ? f->bundle->dir :
			   slash && slash[1] ? mz_strdup(a, slash + 1) :
					       "migrations";

	free(full);
	return name;
}

/* What somebody has set is set in the bundle; a preset stays one. */
static const char *said(const struct mz_options *o, enum mz_option_id id,
			const char *value)
{
	return o->from[id] == MZ_FROM_PRESET ? "" : value;
}

static const char *hex(struct mz_arena *a, const unsigned char *p, size_t n)
{
	char *out = mz_alloc(a, 2 * n + 1);

	mz_hex(out, p, n);
	return out;
}

static struct mz_fact number(const char *key, uint64_t n)
{
	return (struct mz_fact){ .key = key,
				 .kind = MZ_FACT_NUMBER,
				 .text = "",
				 .number = (int64_t)n };
}

static struct mz_fact text(const char *name, const char *value)
{
	return (struct mz_fact){ .name = name, .key = name, .text = value };
}

static void show(struct mz_context *c, const struct mz_packing *p,
		 const struct mz_fresh *out)
{
	struct mz_arena *a = &c->arena;
	uint64_t behind = p->payload.size;
	const struct mz_fact facts[] = {
		text("file", c->opt.output),
		text("folder", mz_printf(a, "%s: %zu migrations in %zu files",
					 p->name, p->folder->count, p->files)),
		text("history",
		     mz_printf(a, "%s.%s", c->opt.schema, c->opt.table)),
		{ .name = "size",
		  .key = "size",
		  .kind = MZ_FACT_NUMBER,
		  .number = (int64_t)out->size,
		  .text = mz_printf(a,
				    "%" PRIu64 " bytes, %" PRIu64
				    " of them the folder (%" PRIu64
				    " unpacked)",
				    out->size, behind, p->bytes) },
		number("migrations", p->folder->count),
		number("files", p->files),
		number("packed", behind),
		number("unpacked", p->bytes),
		text("sha256", hex(a, p->payload.sha256, PGW_SHA256_LEN)),
	};

	mz_report_facts(&c->report, "bundle", facts,
			sizeof(facts) / sizeof(facts[0]));
}

static void show_image(struct mz_context *c, const struct mz_image *i,
		       const struct mz_fresh *out)
{
	struct mz_arena *a = &c->arena;
	const struct mz_fact facts[] = {
		text("file", out->path),
		text("image", i->name),
		text("platform", mz_printf(a, "linux/%s", i->architecture)),
		text("digest", mz_printf(a, "sha256:%s", i->manifest.digest)),
		{ .name = "size",
		  .key = "size",
		  .kind = MZ_FACT_NUMBER,
		  .number = (int64_t)out->size,
		  .text = mz_printf(a, "%" PRIu64 " bytes", out->size) },
	};

	mz_report_facts(&c->report, "image", facts,
			sizeof(facts) / sizeof(facts[0]));
}

/* For archives that are to be the same again: reproducible-builds.org */
static bool source_date(const struct mz_context *c, uint64_t *seconds,
			struct mz_err *err)
{
	const char *value = c->settings.env("SOURCE_DATE_EPOCH");
	size_t n = value ? strlen(value) : 0;

	*seconds = 0;
	if (n == 0)
		return true;
	if (n > 10 || strspn(value, "0123456789") != n ||
	    (*seconds = strtoull(value, NULL, 10)) >= UINT64_C(1) << 33) {
		mz_fail(err, MZ_usage, "SOURCE_DATE_EPOCH is not a time: %s",
			value);
		return mz_hint(err, "it is in seconds since 1970");
	}
	return true;
}

static bool check_labels(const mz_kind_texts *labels, struct mz_err *err)
{
	for (size_t i = 0; i < labels->n; i++) {
		if (labels->list[i][strcspn(labels->list[i], "=")] == '=' &&
		    labels->list[i][0] != '=')
			continue;
		mz_fail(err, MZ_usage, "--label %s is not KEY=VALUE",
			labels->list[i]);
		return mz_hint(err, "such as org.opencontainers.image.revision"
				    "=$(git rev-parse HEAD)");
	}
	return true;
}

static bool write_image(struct mz_context *c, struct mz_image *i,
			struct mz_fresh *program, struct mz_err *err)
{
	struct mz_fresh out;
	bool ok;

	if (program->error)
		return mz_cannot_write(program->path, program->error, err);
	ok = mz_fresh_open(&out, &c->arena, c->opt.oci, 0666, err) &&
	     mz_image_write(i, &c->arena, program, &out, err) &&
	     mz_fresh_place(&out, err);
	mz_fresh_abandon(&out);
	if (ok)
		show_image(c, i, &out);
	return ok;
}

/* What of the image does not depend on the bundle. */
static bool plan_image(struct mz_context *c, struct mz_image *i,
		       const struct mz_packing *p,
		       const struct mz_program *program, struct mz_err *err)
{
	*i = (struct mz_image){ .title = p->name,
				.labels = c->opt.label.list,
				.nlabels = c->opt.label.n };
	return !c->opt.oci ||
	       (source_date(c, &i->seconds, err) &&
		check_labels(&c->opt.label, err) &&
		mz_image_name(i, &c->arena, c->opt.tag, err) &&
		mz_image_of_program(i, program->file, program->path, err));
}

/* The executable is made in any case, and kept when it was asked for. */
static bool write_all(struct mz_context *c, struct mz_packing *p,
		      const struct mz_program *program, struct mz_err *err)
{
	const char *path = c->opt.output ? c->opt.output : c->opt.oci;
	struct mz_fresh out;
	struct mz_image image;
	bool ok = plan_image(c, &image, p, program, err) &&
		  mz_fresh_open(&out, &c->arena, path, 0777, err);

	if (!ok)
		return false;
	ok = mz_pack(p, &c->arena, program, &out, err) &&
	     (!c->opt.oci || write_image(c, &image, &out, err)) &&
	     (!c->opt.output || mz_fresh_place(&out, err));
	mz_fresh_abandon(&out);
	if (ok && c->opt.output)
		show(c, p, &out);
	return ok;
}

static bool make(struct mz_context *c, struct mz_err *err)
{
	struct mz_folder f;
	struct mz_packing p = { .folder = &f };
	struct mz_program program;
	bool ok;

	if (!load(c, &f, err))
		return false;
	p.name = name_of(&c->arena, &f);
	p.schema = said(&c->opt, MZ_OPT_schema, c->opt.schema);
	p.table = said(&c->opt, MZ_OPT_table, c->opt.table);
	ok = mz_program_open(&program, c->opt.from_binary, err) &&
	     write_all(c, &p, &program, err);
	mz_program_close(&program);
	return ok;
}

/* ---- what is in one */

static bool list(struct mz_context *c, struct mz_err *err)
{
	struct mz_contents contents;
	struct mz_listed_file *files;
	struct mz_folder f;

	if (!load(c, &f, err) ||
	    !mz_contents_list(&contents, &c->arena, &f, err))
		return false;
	files = mz_alloc_array(&c->arena, contents.count + 1, sizeof(*files));
	for (size_t i = 0; i < contents.count; i++) {
		const char *path = mz_printf(&c->arena, "%s/%s", f.dir,
					     contents.paths[i]);
		struct mz_file file;

		if (!mz_file_open_in(&file, f.bundle, path))
			return mz_file_fail(&file, err);
		mz_file_close(&file);
		files[i] = (struct mz_listed_file){ contents.paths[i],
						    file.size };
	}
	mz_report_files(&c->report, files, contents.count);
	return true;
}

static bool extract_one(struct mz_making *m, struct mz_bundle *b,
			const struct mz_packed *packed, const char *dir,
			struct mz_err *err)
{
	const char *to = mz_printf(m->arena, "%s/%s", dir, packed->path);
	const char *from = mz_printf(m->arena, "%s/%s", b->dir, packed->path);
	struct mz_file file;
	struct pgw_buf text;
	bool ok;

	pgw_buf_init(&text, MZ_FILE_MAX);
	ok = mz_making_dirs(m,
			    mz_strndup(m->arena, to,
				       (size_t)(strrchr(to, '/') - to)),
			    err) &&
	     (mz_file_read_in(&file, b, from, &text) ||
	      mz_file_fail(&file, err)) &&
	     mz_making_file(m, to, pgw_buf_view(&text), err);
	pgw_buf_release(&text);
	return ok;
}

static bool extract(struct mz_context *c, struct mz_err *err)
{
	struct mz_making made;
	bool ok;

	if (!c->bundle) {
		mz_fail(err, MZ_usage, "this program is no bundle");
		return mz_hint(err, "run the bundle itself: FILE bundle "
				    "--extract DIR");
	}
	mz_making_init(&made, &c->arena);
	ok = mz_making_dirs(&made, c->opt.extract, err);
	for (size_t i = 0; ok && i < c->bundle->count; i++)
		ok = extract_one(&made, c->bundle, &c->bundle->files[i],
				 c->opt.extract, err);
	if (!ok)
		mz_making_undo(&made);
	return ok;
}

bool cmd_bundle(struct mz_context *c, struct mz_err *err)
{
	const struct mz_options *o = &c->opt;

	if ((o->output || o->oci) + (o->extract != NULL) + o->list != 1) {
		mz_fail(err, MZ_usage,
			"bundle does one of -o FILE or --oci FILE, --list, "
			"and --extract DIR");
		return mz_hint(err, "mizzle bundle -o FILE makes one");
	}
	if (o->list)
		return list(c, err);
	return o->extract ? extract(c, err) : make(c, err);
}
