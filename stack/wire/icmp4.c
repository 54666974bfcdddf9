/* SPDX-License-Identifier: MIT */
/* ICMP messages as bytes (RFC 792). Pure functions. */
#include "wire/icmp4.h"

bool icmp4_is_error(u8 type)
{
	switch (type) {
	case ICMP_ECHOREPLY:
	case ICMP_ECHO:
	case ICMP_TIMESTAMP:
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REQUEST:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESS:
	case ICMP_ADDRESSREPLY:
		return false;
	default:
		return true;
	}
}

bool icmp4_parse(const u8 *p, u32 len, struct icmp4_hdr *h)
{
	if (len < ICMP4_HLEN)
		return false;
	h->type = p[0];
	h->code = p[1];
	h->check = load_be16(p + 2);
	h->rest = get_be32(p + 4);
	return true;
}

void icmp4_build(u8 *p, const struct icmp4_hdr *h)
{
	p[0] = h->type;
	p[1] = h->code;
	store_be16(p + 2, h->check);
	put_be32(p + 4, h->rest);
}
