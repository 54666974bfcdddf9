/* SPDX-License-Identifier: MIT */
/* The IPv6 fixed header as bytes (RFC 8200 3). Pure functions. */
#include "wire/ip6.h"

bool ip6_parse(const u8 *p, u32 len, struct ip6_hdr *h)
{
	u32 first;

	if (len < IP6_HLEN || p[0] >> 4 != 6)
		return false;
	first = get_be32(p);
	h->tclass = (u8)(first >> 20);
	h->flow = first & 0xfffff;
	h->payload_len = get_be16(p + 4);
	h->nexthdr = p[6];
	h->hop_limit = p[7];
	memcpy(h->saddr, p + 8, 16);
	memcpy(h->daddr, p + 24, 16);
	return true;
}

void ip6_build(u8 *p, const struct ip6_hdr *h)
{
	put_be32(p, 6u << 28 | (u32)h->tclass << 20 | (h->flow & 0xfffff));
	put_be16(p + 4, h->payload_len);
	p[6] = h->nexthdr;
	p[7] = h->hop_limit;
	memcpy(p + 8, h->saddr, 16);
	memcpy(p + 24, h->daddr, 16);
}
