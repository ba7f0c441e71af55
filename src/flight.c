/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "flight.h"

void mz_flight_init(struct mz_flight *f)
{
	f->ring = f->few;
	f->size = MZ_FLIGHT_FIRST;
	f->first = 0;
	f->count = 0;
}

void mz_flight_grow(struct mz_flight *f, struct mz_arena *a)
{
	size_t size = f->size * 2;
	struct mz_sent *ring;

	if (size > MZ_FLIGHT_MAX)
		return;
	ring = mz_alloc_array(a, size, sizeof(*ring));
	for (size_t i = 0; i < f->count; i++)
		ring[i] = f->ring[(f->first + i) % f->size];
	f->ring = ring;
	f->size = size;
	f->first = 0;
}

void mz_flight_push(struct mz_flight *f, const struct mz_sent *sent)
{
	f->ring[(f->first + f->count) % f->size] = *sent;
	f->count++;
}

struct mz_sent mz_flight_pop(struct mz_flight *f)
{
	struct mz_sent sent = f->ring[f->first];

	f->first = (f->first + 1) % f->size;
	f->count--;
	return sent;
}

bool mz_flight_has(const struct mz_flight *f, enum mz_purpose purpose)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->ring[(f->first + i) % f->size].purpose == purpose)
			return true;
	return false;
}
