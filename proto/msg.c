/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "answer.h"
#include "msg.h"

#include <stdio.h>
#include <string.h>

enum { FRONT, BACK };

#define NO_FIELDS

#define BIG PGW_BODY_MAX
#define HUGE PGW_QUERY_MAX

/* Encoding, decoding and tracing of each kind of field. */

static void enc_u8(struct pgw_buf *b, uint8_t v)
{
	pgw_buf_put_u8(b, v);
}

static void enc_u16(struct pgw_buf *b, uint16_t v)
{
	pgw_buf_put_u16(b, v);
}

static void enc_u32(struct pgw_buf *b, uint32_t v)
{
	pgw_buf_put_u32(b, v);
}

static void enc_str(struct pgw_buf *b, const char *v)
{
	pgw_buf_put_str(b, v);
}

static void enc_rest(struct pgw_buf *b, struct pgw_view v)
{
	pgw_buf_put(b, v.p, v.n);
}

static void enc_text(struct pgw_buf *b, struct pgw_view v)
{
	enc_rest(b, v);
	enc_u8(b, 0);
}

static void enc_secret(struct pgw_buf *b, struct pgw_view v)
{
	enc_rest(b, v);
}

static void enc_blob(struct pgw_buf *b, struct pgw_view v)
{
	enc_u32(b, (uint32_t)v.n);
	enc_rest(b, v);
}

static struct pgw_view pgw_cur_blob(struct pgw_cur *c)
{
	return pgw_cur_take(c, pgw_cur_u32(c));
}

static struct pgw_view pgw_cur_text(struct pgw_cur *c)
{
	return pgw_view_of(pgw_cur_str(c));
}

static struct pgw_view pgw_cur_secret(struct pgw_cur *c)
{
	return pgw_cur_rest(c);
}

static void trace_bytes(struct pgw_buf *b, struct pgw_view v)
{
	char hex[5];

	pgw_buf_put_text(b, " \"");
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] >= ' ' && v.p[i] < 0x7f) {
			pgw_buf_put(b, &v.p[i], 1);
		} else {
			snprintf(hex, sizeof(hex), "\\x%02x", v.p[i]);
			pgw_buf_put_text(b, hex);
		}
	}
	pgw_buf_put_text(b, "\"");
}

static void trace_u32(struct pgw_buf *b, uint32_t v)
{
	char num[12];

	snprintf(num, sizeof(num), " %u", v);
	pgw_buf_put_text(b, num);
}

static void trace_u16(struct pgw_buf *b, uint16_t v)
{
	trace_u32(b, v);
}

static void trace_u8(struct pgw_buf *b, uint8_t v)
{
	trace_bytes(b, (struct pgw_view){ &v, 1 });
}

static void trace_str(struct pgw_buf *b, const char *v)
{
	trace_bytes(b, pgw_view_of(v));
}

static void trace_rest(struct pgw_buf *b, struct pgw_view v)
{
	trace_bytes(b, v);
}

static void trace_text(struct pgw_buf *b, struct pgw_view v)
{
	trace_bytes(b, v);
}

static void trace_secret(struct pgw_buf *b, struct pgw_view v)
{
	(void)v;
	pgw_buf_put_text(b, " ***");
}

static void trace_blob(struct pgw_buf *b, struct pgw_view v)
{
	trace_bytes(b, v);
}

/* The table. */

static const struct {
	const char *name;
	uint32_t max;
	unsigned char tag;
	unsigned char dir;
} infos[] = {

#define MSG(dir, tag, name, max, fields) { #name, max, tag, dir },
#include "messages.def"
#undef MSG
};

const char *pgw_msg_name(enum pgw_msg_id id)
{
	return infos[id].name;
}

static void encode_body(struct pgw_buf *b, const struct pgw_msg *m)
{
	switch (m->id) {
#define FIELD(kind, field) enc_##kind(b, v->field);
#define MSG(dir, tag, name, max, fields)                   \
	case PGW_MSG_##name: {                             \
		const struct pgw_msg_##name *v = &m->name; \
		(void)v;                                   \
		fields                                     \
	} break;
#include "messages.def"
#undef MSG
#undef FIELD
	case PGW_MSG_COUNT:
		break;
	}
}

static bool decode_body(struct pgw_cur *c, struct pgw_msg *m)
{
	switch (m->id) {
#define FIELD(kind, field) v->field = pgw_cur_##kind(c);
#define MSG(dir, tag, name, max, fields)             \
	case PGW_MSG_##name: {                       \
		struct pgw_msg_##name *v = &m->name; \
		(void)v;                             \
		fields                               \
	} break;
#include "messages.def"
#undef MSG
#undef FIELD
	case PGW_MSG_COUNT:
		break;
	}
	return pgw_cur_done(c);
}

static void trace_body(struct pgw_buf *b, const struct pgw_msg *m)
{
	switch (m->id) {
#define FIELD(kind, field) trace_##kind(b, v->field);
#define MSG(dir, tag, name, max, fields)                   \
	case PGW_MSG_##name: {                             \
		const struct pgw_msg_##name *v = &m->name; \
		(void)v;                                   \
		fields                                     \
	} break;
#include "messages.def"
#undef MSG
#undef FIELD
	case PGW_MSG_COUNT:
		break;
	}
}

void pgw_msg_encode(struct pgw_buf *out, const struct pgw_msg *m)
{
	size_t length_at;

	if (infos[m->id].tag)
		pgw_buf_put_u8(out, infos[m->id].tag);
	length_at = out->len;
	pgw_buf_put_u32(out, 0);
	encode_body(out, m);
	pgw_buf_set_u32(out, length_at, (uint32_t)(out->len - length_at));
}

static bool find_back(uint8_t tag, enum pgw_msg_id *id)
{
	for (unsigned i = 0; i < PGW_MSG_COUNT; i++) {
		if (infos[i].dir == BACK && infos[i].tag == tag) {
			*id = (enum pgw_msg_id)i;
			return true;
		}
	}
	return false;
}

bool pgw_msg_peek(struct pgw_view in, struct pgw_frame *frame)
{
	struct pgw_cur c = pgw_cur_of(in);

	frame->tag = pgw_cur_u8(&c);
	frame->length = (size_t)pgw_cur_u32(&c) + 1;
	return !c.bad;
}

bool pgw_field_next(struct pgw_view *fields, struct pgw_field *field)
{
	struct pgw_cur c = pgw_cur_of(*fields);

	field->name = pgw_cur_str(&c);
	pgw_cur_take(&c, 6); /* table, column */
	field->type = pgw_cur_u32(&c);
	pgw_cur_take(&c, 8); /* size, modifier, format */
	*fields = pgw_cur_rest(&c);
	return !c.bad;
}

bool pgw_msg_decode(struct pgw_view in, struct pgw_msg *m, size_t *used,
		    struct pgw_err *err)
{
	struct pgw_frame frame;
	struct pgw_cur body;

	*used = 0;
	if (!pgw_msg_peek(in, &frame))
		return true;
	if (!find_back(frame.tag, &m->id))
		return pgw_fail(err, PGW_E_PROTOCOL,
				"unknown message type 0x%02x", frame.tag);
	if (frame.length < 5 || frame.length - 5 > infos[m->id].max)
		return pgw_fail(err, PGW_E_PROTOCOL,
				"%s message with a length of %zu",
				pgw_msg_name(m->id), frame.length - 1);
	if (in.n < frame.length)
		return true;
	body = pgw_cur_of((struct pgw_view){ in.p + 5, frame.length - 5 });
	if (!decode_body(&body, m))
		return pgw_fail(err, PGW_E_PROTOCOL, "malformed %s message",
				pgw_msg_name(m->id));
	*used = frame.length;
	return true;
}

void pgw_msg_trace(struct pgw_buf *out, const struct pgw_msg *m)
{
	pgw_buf_put_text(out, infos[m->id].dir == FRONT ? "F " : "B ");
	pgw_buf_put_text(out, pgw_msg_name(m->id));
	trace_body(out, m);
}

bool pgw_column_next(struct pgw_view *cols, struct pgw_view *value)
{
	struct pgw_cur c = pgw_cur_of(*cols);
	uint32_t n = pgw_cur_u32(&c);

	*value = (struct pgw_view){ 0 };
	if (n != UINT32_MAX)
		*value = pgw_cur_take(&c, n);
	*cols = pgw_cur_rest(&c);
	return !c.bad;
}
