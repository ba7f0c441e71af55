/* SPDX-License-Identifier: MIT */
/* require_auth: which methods of authentication the server may ask for. */
#include <config.h>

#include "reading.h"

static const struct {
	const char *name;
	unsigned bit;
} methods[] = {
	{ "password", PGW_AUTH_PASSWORD },
	{ "md5", PGW_AUTH_MD5 },
	{ "gss", PGW_AUTH_GSS },
	{ "sspi", PGW_AUTH_SSPI },
	{ "scram-sha-256", PGW_AUTH_SCRAM },
	{ "oauth", PGW_AUTH_OAUTH },
	{ "none", PGW_AUTH_NONE },
};

static unsigned bit_of(struct pgw_view name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (pgw_view_is(name, methods[i].name))
			return methods[i].bit;
	return 0;
}

static bool fail(struct pgw_err *err, const char *before, struct pgw_view v,
		 const char *after)
{
	return pgw_fail(err, PGW_E_CONFIG, "%s \"%.*s\"%s", before, (int)v.n,
			(const char *)v.p, after);
}

/* All the methods are named, or all are excluded. */
struct choice {
	unsigned seen;
	bool first, negated;
};

static bool add(struct choice *c, struct pgw_view part, struct pgw_err *err)
{
	struct pgw_view method = part;
	bool negated = part.n > 0 && part.p[0] == '!';
	unsigned bit;

	if (negated) {
		method.p++;
		method.n--;
	}
	if (c->first)
		c->negated = negated;
	c->first = false;
	if (negated && !c->negated)
		return fail(err, "negative require_auth method", part,
			    " cannot be mixed with non-negative methods");
	if (!negated && c->negated)
		return fail(err, "require_auth method", part,
			    " cannot be mixed with negative methods");
	bit = bit_of(method);
	if (bit == 0)
		return fail(err, "invalid require_auth value:", method, "");
	if (c->seen & bit)
		return fail(err, "require_auth method", part,
			    " is specified more than once");
	c->seen |= bit;
	return true;
}

bool pgw_settle_require_auth(struct pgw_config *cfg, struct pgw_err *err)
{
	const char *value = cfg->raw.set[PGW_KW_require_auth].value;
	struct pgw_list list = { value };
	struct choice choice = { .first = true };
	struct pgw_view part;

	cfg->require_auth = PGW_AUTH_ANY;
	if (!value || value[0] == '\0')
		return true;
	while (pgw_list_next(&list, &part))
		if (!add(&choice, part, err))
			return pgw_blame(cfg, PGW_KW_require_auth,
					 "some of password, md5, gss, sspi, "
					 "scram-sha-256, oauth, none (or of "
					 "!password, !md5, ...)",
					 err);
	cfg->require_auth = choice.negated ? PGW_AUTH_ANY & ~choice.seen :
					     choice.seen;
	cfg->require_auth_given = true;
	return true;
}
