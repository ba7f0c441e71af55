/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "command.h"
#include "create.h"
#include "json_kit.h"

#include <string.h>

#define INSTALLED_KIT "node_modules/drizzle-kit/package.json"

/* Drizzle 1.x refuses a journal, so its being installed decides. */
static enum mz_layout layout_of(const struct mz_options *o)
{
	switch (o->layout) {
	case MZ_FOLDER_JOURNAL:
		return MZ_LAYOUT_JOURNAL;
	case MZ_FOLDER_FOLDERS:
		return MZ_LAYOUT_FOLDERS;
	case MZ_FOLDER_PLAIN:
		return MZ_LAYOUT_PLAIN;
	case MZ_FOLDER_AUTO:
		break;
	}
	return mz_kit_major(INSTALLED_KIT) >= 1 ? MZ_LAYOUT_FOLDERS :
						  MZ_LAYOUT_JOURNAL;
}

/* migrations.prefix of the configuration, if that says one. */
static enum mz_numbering numbering_of(const struct mz_drizzle_config *config)
{
	static const struct {
		const char *word;
		enum mz_numbering numbering;
	} words[] = { { "timestamp", MZ_NUMBERING_TIME },
		      { "supabase", MZ_NUMBERING_TIME },
		      { "unix", MZ_NUMBERING_UNIX },
		      { "none", MZ_NUMBERING_NONE } };

	const struct mz_config_value *v;

	if (!config)
		return MZ_NUMBERING_INDEX;
	v = &config->values[MZ_CONFIG_PREFIX];
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (v->kind == MZ_CONFIG_LITERAL &&
		    strcmp(v->text, words[i].word) == 0)
			return words[i].numbering;
	return MZ_NUMBERING_INDEX;
}

static void show(struct mz_context *c, const struct mz_created *made)
{
	struct mz_new n = { .tag = made->tag,
			    .layout = mz_layout_name(made->layout),
			    .when = made->when,
			    .files = { made->path, made->snapshot } };

	mz_report_new(&c->report, &n);
	if (made->journal)
		mz_report_remark(&c->report, "entered in %s", made->journal);
	if (made->note)
		mz_report_warning(&c->report, "%s", made->note);
}

bool cmd_new(struct mz_context *c, struct mz_err *err)
{
	struct mz_create wanted = { .name = c->opt.args[0],
				    .strict = c->opt.layout != MZ_FOLDER_AUTO,
				    .now = mz_now_ms() };
	struct mz_created made;

	if (!mz_settle_folder(c, err) ||
	    !mz_settings_config(&c->settings, &c->opt, &c->arena, err))
		return false;
	if (mz_context_where(c).bundle) {
		mz_fail(err, MZ_usage,
			"the folder of a bundle cannot be added to");
		return mz_hint(err, "name the one that it was made of with "
				    "--dir, and make the bundle anew");
	}
	wanted.dir = c->opt.dir;
	wanted.layout = layout_of(&c->opt);
	wanted.numbering = numbering_of(c->settings.config);
	if (!mz_create(&made, &c->arena, &wanted, err))
		return false;
	show(c, &made);
	return true;
}
