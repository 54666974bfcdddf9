/* SPDX-License-Identifier: MIT */
/* The UDP header (RFC 768) as bytes. */
#ifndef TAPLINE_WIRE_UDP_H
#define TAPLINE_WIRE_UDP_H

#include "lib/bytes.h"

#define UDP_HLEN 8u

static inline u16 udp_source(const u8 *p)
{
	return get_be16(p);
}
static inline u16 udp_dest(const u8 *p)
{
	return get_be16(p + 2);
}
static inline u32 udp_len(const u8 *p)
{
	return get_be16(p + 4);
}
static inline be16 udp_check(const u8 *p)
{
	return load_be16(p + 6);
}

struct udp_hdr {
	u16 source, dest, len;
	be16 check;
};

/* False: fewer than 8 bytes. */
bool udp_parse(const u8 *p, u32 len, struct udp_hdr *h);
void udp_build(u8 *p, const struct udp_hdr *h);

#endif
