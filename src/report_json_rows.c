/* SPDX-License-Identifier: MIT */
/* Results as JSON: the columns once, then an object a row. */
#include <config.h>

#include "report_json.h"
#include "report_rows.h"

#include <stdio.h>

/* Print o, which is not flushed, and release it. */
static void say(struct mz_rows *t, json_t *o)
{
	struct mz_line l;

	if (mz_json_line(t->r, o, &l))
		mz_rows_write(t, &l.text);
}

void mz_json_columns(struct mz_rows *t)
{
	json_t *o = mz_json_event_of("columns"), *list = json_array();

	for (size_t i = 0; i < t->n; i++) {
		const struct mz_column *c = &t->list[i];
		json_t *column = json_object();

		json_object_set_new(column, "name",
				    mz_json_text(pgw_view_of(c->name)));
		json_object_set_new(column, "type", json_integer(c->type));
		json_array_append_new(list, column);
	}
	json_object_set_new(o, "columns", list);
	say(t, o);
}

/* A name that was there before is counted: a, a_2, a_3. */
static void add_value(json_t *o, const char *name, json_t *value)
{
	json_t *key = mz_json_text(pgw_view_of(name));
	const char *clean = json_string_value(key);
	char numbered[512];

	if (clean && json_object_get(o, clean)) {
		for (unsigned n = 2; n < UINT16_MAX; n++) {
			snprintf(numbered, sizeof(numbered), "%.480s_%u", clean,
				 n);
			if (!json_object_get(o, numbered))
				break;
		}
		clean = numbered;
	}
	json_object_set_new(o, clean ? clean : "", value);
	json_decref(key);
}

void mz_json_row(struct mz_rows *t, const struct pgw_row *row)
{
	struct pgw_view cols = row->cols, value;
	json_t *o = mz_json_event_of("row"), *values = json_object();

	for (size_t i = 0; i < t->n && pgw_column_next(&cols, &value); i++)
		add_value(values, t->list[i].name,
			  value.p ? mz_json_text(value) : json_null());
	json_object_set_new(o, "row", values);
	say(t, o);
}

void mz_json_copy(struct mz_rows *t, struct pgw_view data)
{
	json_t *o = mz_json_event_of("copy");

	json_object_set_new(o, "data", mz_json_text(data));
	say(t, o);
}
