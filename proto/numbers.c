/* SPDX-License-Identifier: MIT */
/* The values of single keywords that are numbers. */
#include <config.h>

#include "reading.h"

#define MAX_ITERATIONS 1000000u

/* What libpq leaves to luck: a peer that is gone should be noticed. */
#define CONNECT_TIMEOUT_S 15u
#define IDLE_S 30u
#define INTERVAL_S 10u
#define COUNT 3u
#define SECONDS_MAX 32767u
#define COUNT_MAX 127u

bool pgw_settle_int(const char *text, int32_t *value)
{
	int64_t v = 0;
	bool negative, any = false;

	while (pgw_is_blank(*text))
		text++;
	negative = *text == '-';
	if (*text == '-' || *text == '+')
		text++;
	for (; *text >= '0' && *text <= '9'; text++) {
		v = v * 10 + (*text - '0');
		any = true;
		if (v > (int64_t)INT32_MAX + 1)
			return false;
	}
	while (pgw_is_blank(*text))
		text++;
	v = negative ? -v : v;
	if (!any || *text != '\0' || v > INT32_MAX)
		return false;
	*value = (int32_t)v;
	return true;
}

/* A negative number is as good as 0. */
static bool number(const struct pgw_config *cfg, enum pgw_keyword k,
		   uint32_t *to, struct pgw_err *err)
{
	const char *value = cfg->raw.set[k].value;
	int32_t v;

	if (!value)
		return true;
	if (!pgw_settle_int(value, &v)) {
		pgw_fail(err, PGW_E_CONFIG,
			 "invalid integer value \"%s\" for connection "
			 "option \"%s\"",
			 value, pgw_keyword_rows[k].name);
		return pgw_blame(cfg, k, "a whole number, at most 2147483647",
				 err);
	}
	*to = v > 0 ? (uint32_t)v : 0;
	return true;
}

/* Linux takes no more of these; it would say so only at the socket. */
static bool limited(const struct pgw_config *cfg, enum pgw_keyword k,
		    uint32_t most, uint32_t *to, struct pgw_err *err)
{
	if (!number(cfg, k, to, err))
		return false;
	return *to <= most || pgw_fail(err, PGW_E_CONFIG,
				       "\"%s\" may be at most %u, but is %u",
				       pgw_keyword_rows[k].name, (unsigned)most,
				       (unsigned)*to);
}

static bool settle_keepalives(struct pgw_config *cfg, struct pgw_err *err)
{
	const char *value = cfg->raw.set[PGW_KW_keepalives].value;
	uint32_t ignored = 0;
	int32_t on = 1;

	if (!number(cfg, PGW_KW_keepalives, &ignored, err))
		return false;
	if (value && pgw_settle_int(value, &on))
		cfg->keepalives = on != 0;
	return limited(cfg, PGW_KW_keepalives_idle, SECONDS_MAX,
		       &cfg->keepalives_idle_s, err) &&
	       limited(cfg, PGW_KW_keepalives_interval, SECONDS_MAX,
		       &cfg->keepalives_interval_s, err) &&
	       limited(cfg, PGW_KW_keepalives_count, COUNT_MAX,
		       &cfg->keepalives_count, err);
}

bool pgw_settle_numbers(struct pgw_config *cfg, struct pgw_err *err)
{
	uint32_t timeout_s = CONNECT_TIMEOUT_S;

	cfg->keepalives = true;
	cfg->keepalives_idle_s = IDLE_S;
	cfg->keepalives_interval_s = INTERVAL_S;
	cfg->keepalives_count = COUNT;
	cfg->max_iterations = MAX_ITERATIONS;
	if (!number(cfg, PGW_KW_connect_timeout, &timeout_s, err))
		return false;
	cfg->connect_timeout_ms = timeout_s < UINT32_MAX / 1000 ?
					  timeout_s * 1000 :
					  UINT32_MAX;
	return settle_keepalives(cfg, err) &&
	       number(cfg, PGW_KW_tcp_user_timeout, &cfg->tcp_user_timeout_ms,
		      err);
}
