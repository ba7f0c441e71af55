/* SPDX-License-Identifier: MIT */
#include <config.h>

#include "flight.h"

void mz_flight_push(struct mz_flight *f, const struct mz_sent *sent)
{
	f->ring[(f->first + f->count) % MZ_FLIGHT_MAX] = *sent;
	f->count++;
}

struct mz_sent mz_flight_pop(struct mz_flight *f)
{
	struct mz_sent sent = f->ring[f->first];

	f->first = (f->first + 1) % MZ_FLIGHT_MAX;
	f->count--;
	return sent;
}

bool mz_flight_has(const struct mz_flight *f, enum mz_purpose purpose)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->ring[(f->first + i) % MZ_FLIGHT_MAX].purpose == purpose)
			return true;
	return false;
}
