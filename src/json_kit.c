/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "json_kit.h"

#include "file.h"
#include "json_edit.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SNAPSHOT_MAX ((size_t)256 << 20)
#define NEWEST_VERSION 9
#define ORIGIN "00000000-0000-0000-0000-000000000000"

/* ---- reading a snapshot */

static bool bad_snapshot(const char *path, const char *what, struct mz_err *err)
{
	mz_fail(err, MZ_usage, "%s %s", path, what);
	mz_hint(err, "restore it from version control; the new migration "
		     "continues it");
	return mz_at(err, path, 0, 0);
}

static int version_of(const json_t *root)
{
	const char *text = json_string_value(json_object_get(root, "version"));

	return text && strspn(text, "0123456789") == strlen(text) &&
			       strlen(text) <= 4 ?
		       (int)strtol(text, NULL, 10) :
		       0;
}

/* prevIds, or prevId alone. */
static bool read_parents(struct mz_snapshot *s, struct mz_arena *a,
			 const json_t *root)
{
	const json_t *many = json_object_get(root, "prevIds");
	const json_t *one = json_object_get(root, "prevId");
	size_t n = many ? json_array_size(many) : 1;
	const char **parents = mz_alloc_array(a, n + 1, sizeof(*parents));

	s->has_prev_id = !many;
	s->parents = parents;
	for (size_t i = 0; i < n; i++) {
		const json_t *v = many ? json_array_get(many, i) : one;

		if (!json_is_string(v))
			return false;
		parents[s->nparents++] = mz_strdup(a, json_string_value(v));
	}
	return n > 0;
}

static void add_names(struct mz_names *n, struct mz_arena *a,
		      const json_t *texts)
{
	size_t count = n->count + json_array_size(texts), i;
	const char **list = mz_alloc_array(a, count + 1, sizeof(*list));
	const json_t *v;

	if (n->count > 0)
		memcpy(list, n->list, n->count * sizeof(*list));
	n->list = list;
	json_array_foreach(texts, i, v) if (json_is_string(v))
		list[n->count++] = mz_strdup(a, json_string_value(v));
}

static void read_footprints(struct mz_snapshot *s, struct mz_arena *a,
			    const json_t *footprints)
{
	const json_t *v;
	size_t i;

	json_array_foreach(footprints, i, v)
	{
		add_names(&s->writes, a, json_object_get(v, "writes"));
		add_names(&s->writes, a, json_object_get(v, "sharedWrites"));
		add_names(&s->reads, a, json_object_get(v, "reads"));
	}
}

static bool is_uuid_text(const json_t *v)
{
	const char *text = json_string_value(v);

	return text && text[0] && strlen(text) <= 64 &&
	       strspn(text, "0123456789abcdefABCDEF-") == strlen(text);
}

static bool read_snapshot(struct mz_snapshot *s, struct mz_arena *a,
			  const json_t *root, struct mz_err *err)
{
	const json_t *id = json_object_get(root, "id");

	s->version = version_of(root);
	if (s->version == 0 || !is_uuid_text(id) || !read_parents(s, a, root))
		return bad_snapshot(s->path, "is no snapshot of drizzle-kit",
				    err);
	s->id = mz_strdup(a, json_string_value(id));
	s->ends = mz_printf(a, "\"%s\"", s->id);
	read_footprints(s, a, json_object_get(root, "footprints"));
	s->has_meta = json_object_get(root, "_meta") != NULL;
	s->has_renames = json_object_get(root, "renames") != NULL;
	if (s->version <= NEWEST_VERSION)
		return true;
	bad_snapshot(s->path, "is of a newer drizzle-kit", err);
	return mz_hint(err,
		       "snapshots up to version %d are known here: use "
		       "drizzle-kit generate --custom",
		       NEWEST_VERSION);
}

static bool parse_snapshot(struct mz_snapshot *s, struct mz_arena *a,
			   struct mz_err *err)
{
	json_error_t e = { 0 };
	json_t *root = json_loadb(s->text.n > 0 ? (const char *)s->text.p : "",
				  s->text.n,
				  JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &e);
	bool ok;

	if (!root) {
		mz_fail(err, MZ_usage, "%s is not valid JSON: %s", s->path,
			e.text);
		mz_hint(err, "after a merge conflict, generate it again with "
			     "drizzle-kit; or restore it from version control");
		return mz_at(err, s->path, e.line > 0 ? (size_t)e.line : 1,
			     e.column > 0 ? (size_t)e.column : 1);
	}
	ok = read_snapshot(s, a, root, err);
	json_decref(root);
	return ok;
}

bool mz_snapshot_load(struct mz_snapshot *s, struct mz_arena *a,
		      const char *path, struct mz_err *err)
{
	struct pgw_buf text;
	struct mz_file f;
	bool ok;

	*s = (struct mz_snapshot){ .path = path };
	pgw_buf_init(&text, SNAPSHOT_MAX);
	ok = mz_file_read(&f, path, &text) || mz_file_fail(&f, err);
	if (ok) {
		s->text.p = (const unsigned char *)
			mz_strndup(a, (const char *)text.data, text.len);
		s->text.n = text.len;
		ok = parse_snapshot(s, a, err);
	}
	pgw_buf_release(&text);
	return ok;
}

/* ---- writing one */

static bool make_uuid(char out[MZ_UUID_LEN + 1], struct mz_err *err)
{
	static const char digits[] = "0123456789abcdef";

	unsigned char bytes[16];
	struct pgw_err e;
	size_t at = 0;

	if (!pgw_random(bytes, sizeof(bytes), &e))
		return mz_fail(err, MZ_internal, "%s", e.msg);
	bytes[6] = (unsigned char)((bytes[6] & 0x0f) | 0x40); /* version 4 */
	bytes[8] = (unsigned char)((bytes[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		out[at++] = digits[bytes[i] >> 4];
		out[at++] = digits[bytes[i] & 15];
	}
	out[at] = '\0';
	return true;
}

static bool written(const struct pgw_buf *out, struct mz_err *err)
{
	return !out->failed || mz_fail(err, MZ_internal, "out of memory");
}

/* JSON of a few texts, then the form that drizzle-kit gives it. */
static bool put_made(struct pgw_buf *out, const char *const *parts,
		     struct mz_err *err)
{
	struct pgw_buf plain;

	pgw_buf_init(&plain, SNAPSHOT_MAX);
	for (size_t i = 0; parts[i]; i++)
		pgw_buf_put_text(&plain, parts[i]);
	mz_json_rewrite(out, pgw_buf_view(&plain), NULL, 0);
	out->failed = out->failed || plain.failed;
	pgw_buf_release(&plain);
	return written(out, err);
}

#define NO_RENAMES "{\"columns\":{},\"schemas\":{},\"tables\":{}}"
#define FIRST_OF_7                                                       \
	"\",\"prevId\":\"" ORIGIN                                        \
	"\",\"version\":\"7\",\"dialect\":\"postgresql\",\"tables\":{}," \
	"\"enums\":{},\"schemas\":{},\"views\":{},\"sequences\":{},"     \
	"\"roles\":{},\"policies\":{},\"_meta\":" NO_RENAMES "}"

/* The whole state again, as versions before 9 keep it. */
static bool put_copy(struct pgw_buf *out, const struct mz_snapshot *last,
		     const char *id, struct mz_err *err)
{
	char own[MZ_UUID_LEN + 3], parent[80];
	struct mz_json_edit edits[4] = {
		{ "id", own, false, 0 },
		{ last->has_prev_id ? "prevId" : "prevIds", parent, false, 0 }
	};
	size_t n = 2;

	snprintf(own, sizeof(own), "\"%s\"", id);
	snprintf(parent, sizeof(parent),
		 last->has_prev_id ? "\"%s\"" : "[\"%s\"]", last->id);
	if (last->has_meta)
		edits[n++] = (struct mz_json_edit){ "_meta", NO_RENAMES, false,
						    0 };
	if (last->has_renames)
		edits[n++] = (struct mz_json_edit){ "renames", "[]", false, 0 };
	mz_json_rewrite(out, last->text, edits, n);
	for (size_t i = 0; i < n; i++)
		if (edits[i].done != 1)
			return bad_snapshot(last->path,
					    "writes its keys in a strange way",
					    err);
	return written(out, err);
}

bool mz_snapshot_next(struct pgw_buf *out, const struct mz_snapshot *last,
		      int version, struct mz_err *err)
{
	char id[MZ_UUID_LEN + 1];

	if (!make_uuid(id, err))
		return false;
	if (last && last->version < 9)
		return put_copy(out, last, id, err);
	if (!last && version == 7)
		return put_made(out,
				(const char *[]){ "{\"id\":\"", id, FIRST_OF_7,
						  NULL },
				err);
	return put_made(out,
			(const char *[]){
				"{\"type\":", last ? "\"diff\"" : "\"base\"",
				",\"version\":\"9\",\"dialect\":\"postgres\",",
				"\"id\":\"", id, "\",\"prevIds\":[",
				last ? last->ends : "\"" ORIGIN "\"",
				"],\"footprints\":[],",
				last ? "\"deltas\":[]}" : "\"ddl\":[]}", NULL },
			err);
}

/* ---- the journal */

/* Of the entry before, of the journal itself, or today's. */
static const char *entry_version(const json_t *root, const json_t *last)
{
	const json_t *v = json_object_get(last, "version");

	if (!json_is_string(v))
		v = json_object_get(root, "version");
	return json_is_string(v) ? json_string_value(v) : "7";
}

static char *entry_text(const json_t *root, const struct mz_kit_entry *e)
{
	const json_t *entries = json_object_get(root, "entries");
	size_t n = json_array_size(entries);
	const json_t *last = n > 0 ? json_array_get(entries, n - 1) : NULL;
	bool breakpoints = !json_is_false(json_object_get(last, "breakpoints"));
	json_t *o = json_pack("{s:I,s:s,s:I,s:s,s:b}", "idx",
			      (json_int_t)e->idx, "version",
			      entry_version(root, last), "when",
			      (json_int_t)e->when, "tag", e->tag, "breakpoints",
			      (int)breakpoints);
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	json_decref(o);
	return text;
}

bool mz_kit_journal(struct pgw_buf *out, struct pgw_view text, const char *path,
		    const struct mz_kit_entry *e, struct mz_err *err)
{
	json_t *root = json_loadb((const char *)text.p, text.n, JSON_ALLOW_NUL,
				  NULL);
	char *value = root ? entry_text(root, e) : NULL;
	struct mz_json_edit edit = { "entries", value, true, 0 };

	json_decref(root);
	if (!value)
		return mz_fail(err, MZ_internal, "out of memory");
	mz_json_rewrite(out, text, &edit, 1);
	free(value);
	if (edit.done == 1)
		return written(out, err);
	mz_fail(err, MZ_usage, "%s has \"entries\" %s", path,
		edit.done ? "twice" : "written in a strange way");
	mz_hint(err, "repair it there, or restore it from version control");
	return mz_at(err, path, 1, 1);
}

/* ---- which drizzle-kit */

int mz_kit_major(const char *package_json)
{
	struct pgw_buf text;
	struct mz_file f;
	const char *version;
	json_t *root = NULL;
	int major = -1;

	pgw_buf_init(&text, 1u << 20);
	if (mz_file_read(&f, package_json, &text) && text.len > 0)
		root = json_loadb((const char *)text.data, text.len, 0, NULL);
	version = json_string_value(json_object_get(root, "version"));
	if (version && version[0] >= '0' && version[0] <= '9')
		major = (int)strtol(version, NULL, 10);
	json_decref(root);
	pgw_buf_release(&text);
	return major;
}
