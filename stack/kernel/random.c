/* SPDX-License-Identifier: MIT */
/*
 * Random streams of a world: splitmix64 (Steele, Lea, Flood 2014) each, its start a SipHash of the
 * stream's name under the world's seed. What has to resist an attacker (ISN, ports, ids) uses
 * SipHash with a key drawn from here, as in the kernel.
 */
#include "kernel/random.h"

#include "kernel/random_init.h"
#include "kernel/world.h"
#include "lib/str.h"
#include "stack/assert.h"

static const char *const stream_names[] = {
#define X(NAME) #NAME,
	RANDOM_STREAMS(X)
#undef X
};

void random_init(struct world *w)
{
	const struct siphash_key key = { { w->seed, 0x7461706c696e6521ull } };

	for (u32 i = 0; i < RANDOM_STREAM_COUNT; i++)
		w->random[i] = siphash((const u8 *)stream_names[i], str_len(stream_names[i]), &key);
}

u64 get_random_u64(struct world *w, enum random_stream s)
{
	w->random[s] += 0x9e3779b97f4a7c15ull;
	return mix64(w->random[s]);
}

u32 get_random_u32(struct world *w, enum random_stream s)
{
	return (u32)(get_random_u64(w, s) >> 32);
}

u32 get_random_u32_below(struct world *w, enum random_stream s, u32 ceil)
{
	u32 floor = (u32)-ceil % ceil;
	u64 m;

	ASSERT(ceil > 0);
	/* Lemire 2019: multiply, refuse the few that would make some results likelier. */
	do {
		m = (u64)get_random_u32(w, s) * ceil;
	} while ((u32)m < floor);
	return (u32)(m >> 32);
}

void get_random_siphash_key(struct world *w, enum random_stream s, struct siphash_key *key)
{
	key->key[0] = get_random_u64(w, s);
	key->key[1] = get_random_u64(w, s);
}
