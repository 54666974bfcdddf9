/* SPDX-License-Identifier: MIT */
/* The IPv6 fixed header (RFC 8200 3) as bytes. */
#ifndef TAPLINE_WIRE_IP6_H
#define TAPLINE_WIRE_IP6_H

#include "lib/bytes.h"

#define IP6_HLEN 40u

struct ip6_hdr {
	u8 tclass;
	u32 flow; /* 20 bits */
	u16 payload_len;
	u8 nexthdr, hop_limit;
	u8 saddr[16], daddr[16];
};

/* False: fewer than 40 bytes or version not 6. */
bool ip6_parse(const u8 *p, u32 len, struct ip6_hdr *h);
void ip6_build(u8 *p, const struct ip6_hdr *h);

#endif
