/* SPDX-License-Identifier: MIT */
/* The UDP header as bytes (RFC 768). Pure functions. */
#include "wire/udp.h"

bool udp_parse(const u8 *p, u32 len, struct udp_hdr *h)
{
	if (len < UDP_HLEN)
		return false;
	h->source = udp_source(p);
	h->dest = udp_dest(p);
	h->len = (u16)udp_len(p);
	h->check = udp_check(p);
	return true;
}

void udp_build(u8 *p, const struct udp_hdr *h)
{
	put_be16(p, h->source);
	put_be16(p + 2, h->dest);
	put_be16(p + 4, h->len);
	store_be16(p + 6, h->check);
}
