/* SPDX-License-Identifier: MIT */
/*
 * Who may ask the server for what: secrets, hosts, origins, and how fast
 * somebody may guess.  Pure: addresses are texts, times are handed in.
 */
#ifndef MZ_GATE_H
#define MZ_GATE_H

#include "arena.h"
#include "error.h"

/* What a secret opens, the least first. */
enum mz_right {
	MZ_RIGHT_NONE,
	MZ_RIGHT_READ,
	MZ_RIGHT_MIGRATE,
};

/* Addresses that failed are remembered by a hash, so many at a time. */
#define MZ_GATE_SLOTS 1024

struct mz_gate {
	struct mz_gate_key {
		unsigned char sha256[PGW_SHA256_LEN];
		enum mz_right right;
	} * keys;

	size_t nkeys, room;
	const char *const *hosts; /* what Host may say, too */
	size_t nhosts;
	bool any_host; /* it may say anything */

	struct mz_gate_slot {
		uint64_t whom;
		unsigned failures;
		int64_t since_ms; /* of the last one */
	} slots[MZ_GATE_SLOTS];
};

/* Each line of text is a secret; blank ones are none.  Gives how many. */
size_t mz_gate_add(struct mz_gate *g, struct mz_arena *a, struct pgw_view text,
		   enum mz_right right);

/* What the header Authorization opens; everything when there are no secrets.
 * NULL is no header. */
enum mz_right mz_gate_right(const struct mz_gate *g, const char *authorization);

/*
 * After a few failures in a row each further one costs an address a pause that
 * doubles, up to a minute.  How many ms it still has to wait.
 */
int64_t mz_gate_pause(const struct mz_gate *g, const char *address,
		      int64_t now_ms);
void mz_gate_failed(struct mz_gate *g, const char *address, int64_t now_ms);
void mz_gate_passed(struct mz_gate *g, const char *address);

/* Host names this machine itself, or one of g->hosts. */
bool mz_gate_host(const struct mz_gate *g, const char *host);

/*
 * A page of another origin must not ask us to do something; what is no browser
 * sends neither header.
 */
bool mz_gate_origin(const char *host, const char *origin,
		    const char *sec_fetch_site);

/* One of a comma-separated list, without blanks; out is "" when too long. */
void mz_gate_trim(char *out, size_t size, const char *text, size_t n);

/* Whether address is within one of the networks; "unix" is one, too. */
bool mz_gate_is_one(const char *const *networks, size_t n, const char *address);

/* "10.0.0.0/8" or "::1": whether address is one of them. */
bool mz_gate_within(const char *network, const char *address);

#endif
