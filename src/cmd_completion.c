/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"
#include "complete.h"
#include "folder.h"
#include "sanitise.h"

#include <string.h>

static const struct {
	const char *name;
	void (*put)(struct pgw_buf *b);
} shells[] = {

#define SHELL(name) { #name, mz_complete_##name },
	MZ_SHELLS(SHELL)
#undef SHELL
};

#define NSHELLS (sizeof(shells) / sizeof(shells[0]))

static bool unknown_shell(const char *name, struct mz_err *err)
{
	const char *names[NSHELLS];
	const char *near;

	for (size_t i = 0; i < NSHELLS; i++)
		names[i] = shells[i].name;
	near = mz_nearest(name, names, NSHELLS);
	mz_fail(err, MZ_usage, "completion: '%s' is not one of %s", name,
		mz_command_rows[MZ_CMD_completion].arguments);
	return near ? mz_hint(err, "did you mean %s?", near) : false;
}

static bool print_script(struct mz_context *c, size_t shell, struct mz_err *err)
{
	struct mz_fact facts[2] = {
		{ .key = "shell", .text = shells[shell].name },
		{ .key = "script" },
	};
	struct pgw_buf b;

	pgw_buf_init(&b, MZ_SCRIPT_MAX);
	shells[shell].put(&b);
	pgw_buf_put_u8(&b, 0);
	if (b.failed) {
		pgw_buf_release(&b);
		return mz_fail(err, MZ_internal, "the script is too long");
	}
	facts[1].text = (const char *)b.data;
	if (c->opt.json)
		mz_report_facts(&c->report, "completion", facts, 2);
	else
		mz_report_text(&c->report, facts[1].text);
	pgw_buf_release(&b);
	return true;
}

/* Shown as something else, or on more than one line, it would be no help. */
static bool is_plain(const char *tag)
{
	struct pgw_view text = pgw_view_of(tag);
	uint32_t cp;

	while (mz_next_char(&text, &cp))
		if (cp == 0xFFFD || cp == '\n' || cp == '\t')
			return false;
	return true;
}

/* What the scripts ask for; whatever is wrong with a migration, it has a tag.
 */
static bool print_tags(struct mz_context *c, struct mz_err *err)
{
	struct mz_findings findings;
	struct mz_folder folder;

	mz_findings_init(&findings, &c->arena);
	if (!mz_settle_folder(c, err) ||
	    !mz_folder_load_all(&folder, &findings, mz_context_where(c), err))
		return false;
	for (size_t i = 0; i < folder.count; i++) {
		const char *tag = folder.migrations[i].tag;
		struct mz_fact fact = { .key = "tag", .text = tag };

		if (c->opt.json)
			mz_report_facts(&c->report, "tag", &fact, 1);
		else if (is_plain(tag))
			mz_report_text(&c->report,
				       mz_printf(&c->arena, "%s\n", tag));
	}
	return true;
}

bool cmd_completion(struct mz_context *c, struct mz_err *err)
{
	const char *name = c->opt.args[0];

	if (strcmp(name, "tags") == 0)
		return print_tags(c, err);
	for (size_t i = 0; i < NSHELLS; i++)
		if (strcmp(name, shells[i].name) == 0)
			return print_script(c, i, err);
	return unknown_shell(name, err);
}
