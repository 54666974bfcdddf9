/* SPDX-License-Identifier: MIT */
/* ARP packets as bytes (RFC 826). Pure functions. */
#include "wire/arp.h"

bool arp_parse(const u8 *p, u32 len, struct arp_hdr *h)
{
	memset(h, 0, sizeof(*h));
	if (len < 8)
		return false;
	h->hrd = get_be16(p);
	h->pro = get_be16(p + 2);
	h->hln = p[4];
	h->pln = p[5];
	h->op = get_be16(p + 6);
	if (len < ARP_HLEN || h->hln != 6 || h->pln != 4)
		return false;
	memcpy(h->sha, p + 8, 6);
	h->spa = load_be32(p + 14);
	memcpy(h->tha, p + 18, 6);
	h->tpa = load_be32(p + 24);
	return true;
}

void arp_build(u8 *p, const struct arp_hdr *h)
{
	put_be16(p, h->hrd);
	put_be16(p + 2, h->pro);
	p[4] = h->hln;
	p[5] = h->pln;
	put_be16(p + 6, h->op);
	memcpy(p + 8, h->sha, 6);
	store_be32(p + 14, h->spa);
	memcpy(p + 18, h->tha, 6);
	store_be32(p + 24, h->tpa);
}
