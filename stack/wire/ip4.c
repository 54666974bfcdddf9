/* SPDX-License-Identifier: MIT */
/* The IPv4 header and its options as bytes (RFC 791 3.1): reading, checking, building. Pure
 * functions. */
#include "wire/ip4.h"

#include "lib/checksum.h"

void ip4_send_check(u8 *p)
{
	ip4_set_check(p, 0);
	ip4_set_check(p, ip_fast_csum(p, p[0] & 15u));
}

u8 ip4_decrease_ttl(u8 *p)
{
	be16 from = load_be16(p + 8);

	p[8]--;
	ip4_set_check(p, csum_replace2(ip4_check(p), from, load_be16(p + 8)));
	return p[8];
}

enum ip4_parse_result ip4_parse(const u8 *p, u32 len, struct ip4_hdr *h)
{
	if (len < IP4_HLEN)
		return IP4_SHORT;
	if (ip4_version(p) != 4 || ip4_ihl(p) < IP4_HLEN)
		return IP4_VERSION;
	if (len < ip4_ihl(p))
		return IP4_SHORT;
	h->ihl = (u8)ip4_ihl(p);
	h->tos = ip4_tos(p);
	h->tot_len = (u16)ip4_tot_len(p);
	h->id = ip4_id(p);
	h->frag = ip4_frag(p);
	h->ttl = ip4_ttl(p);
	h->protocol = ip4_protocol(p);
	h->check = ip4_check(p);
	h->saddr = ip4_saddr(p);
	h->daddr = ip4_daddr(p);
	if (ip_fast_csum(p, h->ihl / 4u))
		return IP4_CSUM;
	if (h->tot_len < h->ihl || h->tot_len > len)
		return IP4_LENGTH;
	return IP4_OK;
}

void ip4_build(u8 *p, const struct ip4_hdr *h)
{
	p[0] = (u8)(0x40 | h->ihl / 4);
	p[1] = h->tos;
	put_be16(p + 2, h->tot_len);
	put_be16(p + 4, h->id);
	put_be16(p + 6, h->frag);
	p[8] = h->ttl;
	p[9] = h->protocol;
	store_be16(p + 10, h->check);
	store_be32(p + 12, h->saddr);
	store_be32(p + 16, h->daddr);
}

u32 ip4_option_next(const u8 *options, u32 len, u32 offset, u8 *type, u32 *optlen)
{
	*optlen = 0;
	*type = IPOPT_END;
	if (offset >= len)
		return 0;
	*type = options[offset];
	if (*type == IPOPT_END || *type == IPOPT_NOOP) {
		*optlen = 1;
		return *type == IPOPT_END || offset + 1 >= len ? 0 : offset + 1;
	}
	if (offset + 1 >= len || options[offset + 1] < 2 || options[offset + 1] > len - offset)
		return 0;
	*optlen = options[offset + 1];
	return offset + *optlen >= len ? 0 : offset + *optlen;
}
