/* SPDX-License-Identifier: MIT */
/*
 * Messages: what messages.def lists, as C.  No state, no I/O, no allocation
 * but the growth of the buffer that is written to.
 */
#ifndef PGW_MSG_H
#define PGW_MSG_H

#include "buf.h"
#include "err.h"

typedef uint8_t pgw_kind_u8;
typedef uint16_t pgw_kind_u16;
typedef uint32_t pgw_kind_u32;
typedef const char *pgw_kind_str;
typedef struct pgw_view pgw_kind_text;
typedef struct pgw_view pgw_kind_blob;
typedef struct pgw_view pgw_kind_rest;
typedef struct pgw_view pgw_kind_secret;

#define NO_FIELDS char none;
#define FIELD(kind, name) pgw_kind_##kind name;
#define MSG(dir, tag, name, max, fields) \
	struct pgw_msg_##name {          \
		fields                   \
	};
#include "messages.def"
#undef MSG
#undef FIELD
#undef NO_FIELDS

enum pgw_msg_id {

#define MSG(dir, tag, name, max, fields) PGW_MSG_##name,
#include "messages.def"
#undef MSG
	PGW_MSG_COUNT
};

struct pgw_msg {
	enum pgw_msg_id id;

	union {
#define MSG(dir, tag, name, max, fields) struct pgw_msg_##name name;
#include "messages.def"
#undef MSG
	};
};

/*
 * The largest body of a message of the server, but for rows and COPY data that
 * somebody wants: those may have what the server can send, 1 GiB.
 */
#define PGW_BODY_MAX (8u << 20)

/* Versions of the protocol, as they are sent. */
#define PGW_PROTOCOL_3_0 0x00030000u
#define PGW_PROTOCOL_3_2 0x00030002u

/* The largest Query body that a server takes (PQ_LARGE_MESSAGE_LIMIT). */
#define PGW_QUERY_MAX 0x3ffffffeu

const char *pgw_msg_name(enum pgw_msg_id id);

/* Append m to out, framed.  A failure shows in out->failed. */
void pgw_msg_encode(struct pgw_buf *out, const struct pgw_msg *m);

/*
 * What stands at the front of in, as far as its header tells: *length is the
 * whole message's.  False when five bytes are not yet there.
 */
struct pgw_frame {
	unsigned char tag;
	size_t length; /* of the whole message, the tag included */
};

bool pgw_msg_peek(struct pgw_view in, struct pgw_frame *frame);

/*
 * Take the server's next message off the front of in.  On success *used is
 * the number of bytes it took, or 0 if it is not all there yet.  The message
 * points into in.
 */
bool pgw_msg_decode(struct pgw_view in, struct pgw_msg *m, size_t *used,
		    struct pgw_err *err) PGW_MUST_CHECK;

/*
 * Append one line that shows m, as tests and --trace print it, without its
 * line end.  Passwords, proofs and cancel keys are shown as ***.
 */
void pgw_msg_trace(struct pgw_buf *out, const struct pgw_msg *m);

#endif
