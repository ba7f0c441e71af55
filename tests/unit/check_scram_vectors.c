/* SPDX-License-Identifier: MIT */
/* Whole exchanges that real servers have accepted. */
#include <config.h>

#include "scram.h"
#include "shared.h"
#include "unit.h"

#include <jansson.h>
#include <string.h>

static const char *field(const json_t *v, const char *name)
{
	const char *text = json_string_value(json_object_get(v, name));

	ck_assert_msg(text != NULL, "no %s", name);
	return text;
}

static void unhex(struct pgw_buf *out, const char *text)
{
	pgw_buf_init(out, 1 << 16);
	for (; text[0] && text[1]; text += 2) {
		const char digits[3] = { text[0], text[1], '\0' };

		pgw_buf_put_u8(out, (uint8_t)strtoul(digits, NULL, 16));
	}
	ck_assert(!out->failed);
}

static void check_exchange(const json_t *v, bool by_keys)
{
	const char *name = field(v, "name");
	struct pgw_scram s;
	struct pgw_buf password, cbind, client, server, out;
	struct pgw_err err = { 0 };

	unhex(&password, by_keys ? "" : field(v, "password_hex"));
	unhex(&client, field(v, "client_key_hex"));
	unhex(&server, field(v, "server_key_hex"));
	unhex(&cbind, field(v, "cbind_data_hex"));
	pgw_buf_init(&out, 1 << 16);
	pgw_scram_init(&s, &(struct pgw_scram_params){
				   .password = pgw_buf_view(&password),
				   .client_key = by_keys ? client.data : NULL,
				   .server_key = by_keys ? server.data : NULL,
				   .user = strstr(name, "RFC") ? "user" : "",
				   .nonce = field(v, "client_nonce"),
				   .gs2 = field(v, "gs2"),
				   .cbind = pgw_buf_view(&cbind),
			   });
	ck_assert(pgw_scram_first(&s, &out, &err));
	ck_assert_msg(pgw_view_is(pgw_buf_view(&out), field(v, "client_first")),
		      "%s: client-first", name);
	pgw_buf_drop(&out, out.len);
	ck_assert_msg(pgw_scram_final(&s, pgw_view_of(field(v, "server_first")),
				      &out, &err),
		      "%s: %s", name, err.msg);
	ck_assert_msg(pgw_view_is(pgw_buf_view(&out), field(v, "client_final")),
		      "%s: client-final", name);
	ck_assert_msg(pgw_scram_verify(&s,
				       pgw_view_of(field(v, "server_final")),
				       &err),
		      "%s: %s", name, err.msg);
	pgw_scram_release(&s);
	pgw_buf_release(&out);
	pgw_buf_release(&client);
	pgw_buf_release(&server);
	pgw_buf_release(&cbind);
	pgw_buf_release(&password);
}

START_TEST(every_recorded_exchange_succeeds)
{
	FILE *f = shared_open("vectors/scram-vectors.json");
	json_error_t problem;
	json_t *all = json_loadf(f, 0, &problem);
	size_t i;

	fclose(f);
	ck_assert_msg(all != NULL, "%s", problem.text);
	for (i = 0; i < json_array_size(all); i++) {
		check_exchange(json_array_get(all, i), false);
		check_exchange(json_array_get(all, i), true);
	}
	ck_assert_uint_eq(i, 40);
	json_decref(all);
}

END_TEST

int main(void)
{
	const TTest *tests[] = { every_recorded_exchange_succeeds };

	fclose(shared_open("vectors/scram-vectors.json"));
	return unit_main("scram_vectors", tests, 1);
}
