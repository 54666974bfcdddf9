/* SPDX-License-Identifier: MIT */
/* The TCP header and the walk over its options (RFC 9293 3.1, 3.2). Pure functions. */
#include "wire/tcp.h"

bool tcp_parse(const u8 *p, u32 len, struct tcp_hdr *h)
{
	if (len < TCP_HLEN || tcp_doff(p) < TCP_HLEN || tcp_doff(p) > len)
		return false;
	h->source = tcp_source(p);
	h->dest = tcp_dest(p);
	h->seq = tcp_seq(p);
	h->ack_seq = tcp_ack_seq(p);
	h->doff = (u8)tcp_doff(p);
	h->res = p[12] & 15;
	h->flags = tcp_flags(p);
	h->window = tcp_window(p);
	h->check = tcp_check(p);
	h->urg_ptr = tcp_urg_ptr(p);
	return true;
}

void tcp_build(u8 *p, const struct tcp_hdr *h)
{
	put_be16(p, h->source);
	put_be16(p + 2, h->dest);
	put_be32(p + 4, h->seq);
	put_be32(p + 8, h->ack_seq);
	p[12] = (u8)(h->doff / 4 << 4 | (h->res & 15));
	p[13] = h->flags;
	put_be16(p + 14, h->window);
	store_be16(p + 16, h->check);
	put_be16(p + 18, h->urg_ptr);
}

u32 tcp_option_next(const u8 *options, u32 len, u32 offset, u8 *kind, u32 *optlen)
{
	*optlen = 0;
	*kind = TCPOPT_EOL;
	if (offset >= len)
		return 0;
	*kind = options[offset];
	if (*kind == TCPOPT_EOL || *kind == TCPOPT_NOP) {
		*optlen = 1;
		return *kind == TCPOPT_EOL || offset + 1 >= len ? 0 : offset + 1;
	}
	if (offset + 1 >= len || options[offset + 1] < 2 || options[offset + 1] > len - offset)
		return 0;
	*optlen = options[offset + 1];
	return offset + *optlen >= len ? 0 : offset + *optlen;
}
