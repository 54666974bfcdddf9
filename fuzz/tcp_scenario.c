/* SPDX-License-Identifier: MIT */
/* tcp_state_machine: the streams of both sides, and time. */
#include "tcp_scenario.h"

bool has_cookies(const struct scenario *sc)
{
	return (sc->host & 3) == 1 || (sc->host & 3) == 2;
}

/*
 * A cookie's acknowledgement makes a connection again after the first has ended. Its window need
 * not reach as far as the first one's did, and its scale is the one that the echoed time stamp
 * says.
 */
void may_have_ended(const struct scenario *sc, struct conn *c)
{
	if (has_cookies(sc))
		c->reborn = true;
}

/*
 * A cookie holds no window: the connection that its acknowledgement makes has the one that the
 * listener's options give by then (cookie_v4_check).
 */
void listener_changed(struct scenario *sc)
{
	if (!has_cookies(sc))
		return;
	for (u32 i = 0; i < CONNS; i++)
		if (sc->c[i].answered)
			sc->c[i].edge_known = false;
}

u8 peer_byte(u32 conn, u32 seq)
{
	u32 x = (seq ^ conn << 28) * 2654435761u;

	return (u8)(x >> 24 ^ x >> 13);
}

u8 host_byte(u32 conn, u32 off)
{
	u32 x = (off + 1 + (conn << 24)) * 2246822519u;

	return (u8)(x >> 24 ^ x >> 11);
}

u32 get32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

void put32(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 24);
	p[1] = (u8)(v >> 16);
	p[2] = (u8)(v >> 8);
	p[3] = (u8)v;
}

void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

bool seq_le(u32 a, u32 b)
{
	return b - a < 1u << 31;
}

void run(struct fuzz_world *f, u64 ns)
{
	FUZZ_CHECK(world_run(f->w, world_now(f->w) + ns) == WORLD_TIME, "a storm of events");
}
