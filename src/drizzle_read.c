/* SPDX-License-Identifier: MIT */
/* The text of a drizzle.config.*: where its object is and what it holds. */
#include <config.h>

#include "drizzle_config.h"

#include "js.h"
#include "sql.h"

#include <string.h>

/* Constants that name constants, and calls around the object. */
#define HOPS_MAX 8

/* Of the source of an unclear value. */
#define SOURCE_MAX 60

static const struct {
	enum mz_config_scope scope;
	const char *key;
} fields[] = {

#define FIELD(name, scope, key, option) { MZ_CONFIG_##scope, key },
	MZ_CONFIG_FIELDS(FIELD)
#undef FIELD
};

static const char *const scope_keys[] = {
#define SCOPE(name, key) key,
	MZ_CONFIG_SCOPES(SCOPE)
#undef SCOPE
};

/* The object that an object of this scope stands in. */
static const enum mz_config_scope parents[] = {
	[MZ_CONFIG_ROOT] = MZ_CONFIG_SCOPE_COUNT,
	[MZ_CONFIG_MIGRATIONS] = MZ_CONFIG_ROOT,
	[MZ_CONFIG_CREDENTIALS] = MZ_CONFIG_ROOT,
	[MZ_CONFIG_SSL_OBJECT] = MZ_CONFIG_CREDENTIALS,
};

struct reader {
	struct mz_drizzle_config *c;
	struct pgw_view text;
	size_t objects[MZ_CONFIG_SCOPE_COUNT]; /* behind its {; 0 = none */
};

/* ---- what is unclear */

/* Some of what stands there; texts and numbers may be secret. */
static const char *source_at(const struct reader *r, size_t at)
{
	struct mz_js js = mz_js_at(r->text, at);
	struct mz_arena *a = r->c->arena;
	const char *all = "";
	size_t end = at;
	int depth = 0;

	while (strlen(all) < SOURCE_MAX) {
		struct mz_js_token t = mz_js_next(&js);
		const char *text = "\"...\"";

		depth += mz_js_bracket(&js, t);
		if (t.kind == MZ_JS_END || t.kind == MZ_JS_BROKEN ||
		    depth < 0 ||
		    (depth == 0 &&
		     (mz_js_is(&js, t, ",") || mz_js_is(&js, t, ";"))))
			return all;
		if (t.kind == MZ_JS_WORD || t.kind == MZ_JS_SYMBOL)
			text = mz_js_text(&js, t, a);
		all = mz_printf(a, "%s%s%s", all,
				all[0] && t.start > end ? " " : "", text);
		end = t.end;
	}
	return mz_printf(a, "%s ...", all);
}

static struct mz_config_value unclear(const struct reader *r, size_t at)
{
	struct mz_config_value v = { .kind = MZ_CONFIG_UNCLEAR };
	struct mz_js js = mz_js_at(r->text, at);

	v.source = source_at(r, at);
	mz_sql_place(r->text, mz_js_next(&js).start, &v.line, &v.column);
	return v;
}

/* All that an object of this scope might hold, deeper ones included. */
static void set_scope(struct reader *r, enum mz_config_scope scope,
		      const struct mz_config_value *v)
{
	for (size_t i = 0; i < MZ_CONFIG_FIELD_COUNT; i++) {
		enum mz_config_scope s = fields[i].scope;

		while (s != scope && s != MZ_CONFIG_SCOPE_COUNT)
			s = parents[s];
		if (s == scope)
			r->c->values[i] = *v;
	}
	for (size_t i = 0; i < MZ_CONFIG_SCOPE_COUNT; i++) {
		if (parents[i] == scope)
			r->objects[i] = 0;
	}
}

/* ---- constants */

/* const NAME: TYPE = VALUE; false when this is none of that name. */
static bool const_value(struct mz_js js, const char *name, size_t *at)
{
	struct mz_js_token t = mz_js_next(&js);

	if (!mz_js_is(&js, t, name))
		return false;
	for (;;) {
		t = mz_js_next(&js);
		if (mz_js_is(&js, t, "=")) {
			*at = js.at;
			return true;
		}
		if (mz_js_is(&js, t, ";") || !mz_js_skip(&js, t))
			return false;
	}
}

/* Where the value of a constant of the file's outermost level begins. */
static bool find_const(const struct reader *r, const char *name, size_t *at)
{
	struct mz_js js = mz_js_at(r->text, 0);
	struct mz_js_token t;

	do {
		t = mz_js_next(&js);
		if (mz_js_is(&js, t, "const") && const_value(js, name, at))
			return true;
	} while (mz_js_skip(&js, t));
	return false;
}

/* Nothing follows that would make another value of it. */
static bool ends_here(struct mz_js js)
{
	for (;;) {
		struct mz_js_token t = mz_js_next(&js);

		if (mz_js_is(&js, t, "as") || mz_js_is(&js, t, "satisfies"))
			mz_js_next(&js);
		else if (!mz_js_is(&js, t, "!"))
			return t.kind == MZ_JS_END ||
			       (t.kind == MZ_JS_WORD &&
				!mz_js_is(&js, t, "in") &&
				!mz_js_is(&js, t, "instanceof")) ||
			       mz_js_is(&js, t, ",") || mz_js_is(&js, t, ";") ||
			       mz_js_is(&js, t, "}") || mz_js_is(&js, t, ")");
	}
}

/* ---- one value */

/* What stands for a variable that is not set: ?? "text" */
static bool read_fallback(const struct reader *r, struct mz_js *js,
			  struct mz_config_value *v)
{
	struct mz_js behind = *js;
	struct mz_js_token t = mz_js_next(&behind);

	if (mz_js_is(&behind, t, "!")) {
		*js = behind;
		t = mz_js_next(&behind);
	}
	if (!mz_js_is(&behind, t, "??") && !mz_js_is(&behind, t, "||"))
		return true;
	v->empty_counts = mz_js_is(&behind, t, "??");
	t = mz_js_next(&behind);
	if (t.kind != MZ_JS_STRING)
		return false;
	v->text = mz_js_string(&behind, t, r->c->arena);
	*js = behind;
	return v->text;
}

/* Behind "process": .env.NAME or .env["NAME"] */
static bool read_variable(const struct reader *r, struct mz_js *js,
			  struct mz_config_value *v)
{
	struct mz_js_token t;

	if (!mz_js_is(js, mz_js_next(js), ".") ||
	    !mz_js_is(js, mz_js_next(js), "env"))
		return false;
	t = mz_js_next(js);
	if (mz_js_is(js, t, ".")) {
		t = mz_js_next(js);
		if (t.kind != MZ_JS_WORD)
			return false;
		v->variable = mz_js_text(js, t, r->c->arena);
	} else if (mz_js_is(js, t, "[")) {
		t = mz_js_next(js);
		if (t.kind != MZ_JS_STRING ||
		    !mz_js_is(js, mz_js_next(js), "]"))
			return false;
		v->variable = mz_js_string(js, t, r->c->arena);
	}
	v->kind = MZ_CONFIG_VARIABLE;
	return v->variable && read_fallback(r, js, v) && ends_here(*js);
}

static bool read_literal(const struct reader *r, const struct mz_js *js,
			 struct mz_js_token t, struct mz_config_value *v)
{
	v->kind = MZ_CONFIG_LITERAL;
	if (t.kind == MZ_JS_STRING)
		v->text = mz_js_string(js, t, r->c->arena);
	else if (t.kind == MZ_JS_NUMBER || mz_js_is(js, t, "true") ||
		 mz_js_is(js, t, "false"))
		v->text = mz_js_text(js, t, r->c->arena);
	else if (mz_js_is(js, t, "undefined") || mz_js_is(js, t, "null"))
		v->kind = MZ_CONFIG_ABSENT;
	else
		return false;
	return (v->text || v->kind == MZ_CONFIG_ABSENT) && ends_here(*js);
}

static struct mz_config_value read_value(const struct reader *r, size_t at)
{
	size_t next = at;

	for (size_t hops = 0; hops < HOPS_MAX; hops++) {
		struct mz_js js = mz_js_at(r->text, next);
		struct mz_config_value v = { .kind = MZ_CONFIG_ABSENT };
		struct mz_js_token t = mz_js_next(&js);

		mz_sql_place(r->text, t.start, &v.line, &v.column);
		if (read_literal(r, &js, t, &v))
			return v;
		v = (struct mz_config_value){ .line = v.line,
					      .column = v.column };
		if (mz_js_is(&js, t, "process")) {
			if (read_variable(r, &js, &v))
				return v;
			break;
		}
		if (t.kind != MZ_JS_WORD || !ends_here(js) ||
		    !find_const(r, mz_js_text(&js, t, r->c->arena), &next))
			break;
	}
	return unclear(r, at);
}

/* ---- objects */

/* From a value to behind the { of the object that it is; 0 = unclear. */
static size_t object_at(const struct reader *r, size_t at)
{
	for (size_t hops = 0; hops < HOPS_MAX; hops++) {
		struct mz_js js = mz_js_at(r->text, at);
		struct mz_js_token t = mz_js_next(&js);

		if (mz_js_is(&js, t, "{"))
			return js.at;
		if (mz_js_is(&js, t, "(") || mz_js_is(&js, t, "defineConfig")) {
			at = js.at; /* it is further in */
		} else if (t.kind != MZ_JS_WORD || !ends_here(js) ||
			   !find_const(r, mz_js_text(&js, t, r->c->arena),
				       &at)) {
			return 0;
		}
	}
	return 0;
}

/* Up to the comma behind a value, or to the bracket that ends the object. */
static void skip_value(struct mz_js *js)
{
	for (;;) {
		struct mz_js before = *js;
		struct mz_js_token t = mz_js_next(js);

		if (mz_js_is(js, t, "}")) {
			*js = before;
			return;
		}
		if (mz_js_is(js, t, ",") || !mz_js_skip(js, t))
			return;
	}
}

static void enter_object(struct reader *r, enum mz_config_scope scope,
			 size_t at)
{
	struct mz_config_value v = { .kind = MZ_CONFIG_ABSENT };

	r->objects[scope] = 0;
	set_scope(r, scope, &v);
	r->objects[scope] = object_at(r, at);
	if (r->objects[scope] > 0)
		return;
	v = read_value(r, at); /* migrations: undefined */
	if (v.kind != MZ_CONFIG_ABSENT)
		v = unclear(r, at);
	set_scope(r, scope, &v);
}

/* ssl is a value or an object. */
static void read_ssl(struct reader *r, size_t at)
{
	struct mz_config_value *v = &r->c->values[MZ_CONFIG_SSL];

	*v = read_value(r, at);
	r->c->values[MZ_CONFIG_REJECT] = (struct mz_config_value){ 0 };
	r->objects[MZ_CONFIG_SSL_OBJECT] = v->kind == MZ_CONFIG_UNCLEAR ?
						   object_at(r, at) :
						   0;
	r->c->has_ssl_object = r->objects[MZ_CONFIG_SSL_OBJECT] > 0;
	if (r->c->has_ssl_object)
		*v = (struct mz_config_value){ 0 };
}

static void read_member(struct reader *r, enum mz_config_scope scope,
			const char *key, size_t at)
{
	if (scope == MZ_CONFIG_CREDENTIALS && strcmp(key, "ssl") == 0) {
		read_ssl(r, at);
		return;
	}
	for (size_t i = 0; i < MZ_CONFIG_SCOPE_COUNT; i++) {
		if (parents[i] == scope && strcmp(key, scope_keys[i]) == 0)
			enter_object(r, (enum mz_config_scope)i, at);
	}
	for (size_t i = 0; i < MZ_CONFIG_FIELD_COUNT; i++) {
		if (fields[i].scope == scope && strcmp(key, fields[i].key) == 0)
			r->c->values[i] = read_value(r, at);
	}
	/* a certificate of one's own: more than a mode can say */
	if (scope == MZ_CONFIG_SSL_OBJECT &&
	    strcmp(key, "rejectUnauthorized") != 0)
		r->c->values[MZ_CONFIG_SSL] = unclear(r, at);
}

static const char *read_key(const struct reader *r, const struct mz_js *js,
			    struct mz_js_token t)
{
	if (t.kind == MZ_JS_STRING)
		return mz_js_string(js, t, r->c->arena);
	if (t.kind == MZ_JS_WORD || t.kind == MZ_JS_NUMBER)
		return mz_js_text(js, t, r->c->arena);
	return NULL;
}

/* One member, of which t is the first token. */
static void read_one(struct reader *r, enum mz_config_scope scope,
		     struct mz_js *js, struct mz_js_token t)
{
	const char *key = read_key(r, js, t);
	struct mz_js behind = *js;
	struct mz_js_token next = mz_js_next(&behind);
	struct mz_config_value v;

	if (key && mz_js_is(&behind, next, ":")) {
		*js = behind;
		read_member(r, scope, key, js->at);
	} else if (key && (mz_js_is(&behind, next, ",") ||
			   mz_js_is(&behind, next, "}") ||
			   mz_js_is(&behind, next, "("))) {
		read_member(r, scope, key, t.start); /* { out } or out() {} */
	} else { /* ...others, [computed] or what we do not understand */
		v = unclear(r, t.start);
		set_scope(r, scope, &v);
		*js = mz_js_at(r->text, t.start);
	}
	skip_value(js);
}

static void read_object(struct reader *r, enum mz_config_scope scope)
{
	struct mz_js js = mz_js_at(r->text, r->objects[scope]);
	struct mz_config_value v;

	for (;;) {
		struct mz_js_token t = mz_js_next(&js);

		if (mz_js_is(&js, t, "}"))
			return;
		if (t.kind == MZ_JS_END || t.kind == MZ_JS_BROKEN) {
			v = unclear(r, t.start);
			set_scope(r, scope, &v);
			return;
		}
		if (!mz_js_is(&js, t, ","))
			read_one(r, scope, &js, t);
	}
}

/* ---- the file */

/* What the file exports; 0 when it does not say. */
static size_t exported_at(const struct reader *r)
{
	static const char *const exports[][5] = {
		{ "export", "default" },
		{ "module", ".", "exports", "=" },
		{ "exports", ".", "default", "=" },
	};
	struct mz_js js = mz_js_at(r->text, 0);
	struct mz_js_token t;

	do {
		t = mz_js_next(&js);
		for (size_t i = 0; i < sizeof(exports) / sizeof(exports[0]);
		     i++) {
			struct mz_js ahead = js;
			struct mz_js_token u = t;
			size_t k = 0;

			while (exports[i][k] &&
			       mz_js_is(&ahead, u, exports[i][k]) &&
			       exports[i][++k])
				u = mz_js_next(&ahead);
			if (!exports[i][k])
				return ahead.at;
		}
	} while (mz_js_skip(&js, t));
	return 0;
}

void mz_drizzle_config_parse(struct mz_drizzle_config *c, struct mz_arena *a,
			     const char *path, struct pgw_view text)
{
	struct reader r = { .c = c, .text = text };
	struct mz_js js = mz_js_at(text, 0);
	struct mz_config_value v;

	*c = (struct mz_drizzle_config){ .path = path, .arena = a };
	if (mz_js_is(&js, mz_js_next(&js), "{")) /* JSON */
		r.objects[MZ_CONFIG_ROOT] = js.at;
	else
		r.objects[MZ_CONFIG_ROOT] = object_at(&r, exported_at(&r));
	if (r.objects[MZ_CONFIG_ROOT] == 0) {
		v = unclear(&r, exported_at(&r));
		if (exported_at(&r) == 0)
			v.source = "";
		set_scope(&r, MZ_CONFIG_ROOT, &v);
	}
	for (size_t i = 0; i < MZ_CONFIG_SCOPE_COUNT; i++) {
		if (r.objects[i] > 0)
			read_object(&r, (enum mz_config_scope)i);
	}
}
