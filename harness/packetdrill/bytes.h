/* SPDX-License-Identifier: MIT */
/*
 * Script packets as bytes, and what the matching needs of the bytes of a frame.
 */
#ifndef TAPLINE_PACKETDRILL_BYTES_H
#define TAPLINE_PACKETDRILL_BYTES_H

#include "packetdrill/runner.h"

#define PD_MAX_OPTION_BYTES 40

static inline void pd_put16(u8 *p, u32 n)
{
	p[0] = (u8)(n >> 8);
	p[1] = (u8)n;
}

static inline void pd_put32(u8 *p, u32 n)
{
	pd_put16(p, n >> 16);
	pd_put16(p + 2, n);
}

static inline u32 pd_get16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

static inline u32 pd_get32(const u8 *p)
{
	return pd_get16(p) << 16 | pd_get16(p + 2);
}

/*
 * Writes the options of a script packet as they are on the wire. `outbound`: the host's, so that
 * SACK edges are of remote numbers and the echo is the script's. Where `*ts` comes back not
 * negative a time stamp option's body lies there. Returns the length, more than
 * PD_MAX_OPTION_BYTES when they do not fit.
 */
u32 pd_options_build(const struct pd_run *r, const struct pd_flow *f, const struct pd_packet *p,
		     u8 *out, int *ts, const struct pd_option **ts_option);

/* Writes an IP header before `len` bytes of payload; returns its length. */
u32 pd_ip_put(u8 *p, const struct pd_address *src, const struct pd_address *dst, u8 proto,
	      const struct pd_ip_marks *m, u32 len);
/* True, and what differs, when an octet of TOS is not what the marks want. */
bool pd_tos_differs(const struct pd_ip_marks *m, u32 tos, struct strbuf *what);

/* The event's encapsulations around an inner packet; the length, 0: the script failed. */
u32 pd_encap_put(struct pd_run *r, const struct pd_event *e, u8 *out, const u8 *inner, u32 len);
/*
 * Compares a frame's encapsulations with those of a script packet: *inner is where the packet in
 * them begins. False, and what differs.
 */
bool pd_encap_take(struct pd_run *r, const struct pd_packet *p, const u8 *frame, u32 len,
		   u32 *inner, struct strbuf *what);

#endif
