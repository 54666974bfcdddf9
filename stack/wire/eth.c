/* SPDX-License-Identifier: MIT */
/* Ethernet headers and VLAN tags as bytes. Pure functions. */
#include "wire/eth.h"

bool eth_parse(const u8 *p, u32 len, struct eth_hdr *h)
{
	if (len < ETH4_HLEN)
		return false;
	memcpy(h->dst, p, 6);
	memcpy(h->src, p + 6, 6);
	h->type = eth_type(p);
	return true;
}

void eth_build(u8 *p, const struct eth_hdr *h)
{
	memcpy(p, h->dst, 6);
	memcpy(p + 6, h->src, 6);
	put_be16(p + 12, h->type);
}

bool vlan_parse(const u8 *p, u32 len, struct vlan_tag *t)
{
	if (len < VLAN4_HLEN)
		return false;
	t->tci = get_be16(p);
	t->type = get_be16(p + 2);
	return true;
}

void vlan_build(u8 *p, const struct vlan_tag *t)
{
	put_be16(p, t->tci);
	put_be16(p + 2, t->type);
}
