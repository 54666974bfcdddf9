/* SPDX-License-Identifier: MIT */
/*
 * Targets that change a packet and let it go on: TCPMSS (net/netfilter/xt_TCPMSS.c; RFC 4459 3.2),
 * TTL and HL (xt_HL.c), CONNMARK (xt_connmark.c).
 *
 * Invariant: a changed header has its checksum changed with it; one that the device is to make
 * (CHECKSUM_PARTIAL) covers the pseudo header only.
 */
#include "nf/xt.h"

#include "core/dst.h"
#include "ipv4/ip.h"
#include "ipv4/route.h"
#include "ipv6/ip6_route.h"
#include "lib/checksum.h"
#include "nf/nf_conntrack.h"
#include "wire/tcp.h"

/* ---- TCPMSS ---- */

/* tcpmss_reverse_mtu(): of the way back to the sender; UINT32_MAX: there is none. */
static u32 reverse_mtu(const struct xt_packet *p)
{
	const u8 *nh = skb_network_header(p->skb);
	u32 mtu = UINT32_MAX;
	int err;

	if (p->state->pf == AF_INET) {
		struct flowi4 fl4 = { .daddr = ip4_saddr(nh) };
		struct rtable *rt = ip_route_output_key(p->state->net, &fl4, &err);

		if (rt)
			mtu = dst_mtu(&rt->dst);
		if (rt)
			dst_release(&rt->dst);
	} else {
		struct flowi6 fl6 = { .oif = 0 };
		struct rt6_info *rt;

		memcpy(&fl6.daddr, nh + 8, 16);
		rt = ip6_route_output(p->state->net, &fl6, &err);
		if (rt)
			mtu = dst_mtu(&rt->dst);
		if (rt)
			dst_release(&rt->dst);
	}
	return mtu;
}

/* The MSS to be had; 0: no way is wide enough for any. */
static u32 wanted_mss(const struct xt_packet *p, const struct xt_spec *s)
{
	u32 headers = (p->state->pf == AF_INET6 ? 40u : 20u) + TCP_HLEN, mtu;

	if (s->target_op == XT_TCPMSS_SET)
		return s->target_value;
	mtu = p->skb->dst ? min_u32(dst_mtu(p->skb->dst), reverse_mtu(p)) : 0;
	return mtu > headers ? mtu - headers : 0;
}

static void replace_word(u8 *th, u8 *word, u16 value, bool partial)
{
	be16 old = load_be16(word), check = load_be16(th + 16);

	put_be16(word, value);
	if (!partial)
		store_be16(th + 16, csum_replace2(check, old, htons(value)));
}

/* The MSS of an option. At an odd place its bytes are halves of two words of the sum, where the
 * same change counts with its bytes swapped (RFC 1071 2 (B)). */
static void set_mss(u8 *th, u8 *at, u16 mss, bool odd, bool partial)
{
	be16 old = load_be16(at), check = load_be16(th + 16), new;

	put_be16(at, mss);
	new = load_be16(at);
	if (odd) {
		old = (be16)(old << 8 | old >> 8);
		new = (be16)(new << 8 | new >> 8);
	}
	if (!partial)
		store_be16(th + 16, csum_replace2(check, old, new));
}

/* A SYN without the option gets one, of no more than the default (RFC 9293 3.7.1). */
static bool add_mss(const struct xt_packet *p, u32 mss, u32 doff)
{
	bool v6 = p->state->pf == AF_INET6;
	bool partial = p->skb->ip_summed == CHECKSUM_PARTIAL;
	u32 tcp_len = p->skb->len - p->thoff;
	be16 check;
	u8 *th, *nh;

	if (pskb_expand_head(p->skb, 0, TCPOLEN_MSS))
		return false;
	skb_put(p->skb, TCPOLEN_MSS);
	th = p->skb->data + p->thoff;
	nh = skb_network_header(p->skb);
	memmove(th + TCP_HLEN + TCPOLEN_MSS, th + TCP_HLEN, doff - TCP_HLEN);
	memset(th + TCP_HLEN, 0, TCPOLEN_MSS);
	/* Of the pseudo header: the length. */
	check = load_be16(th + 16);
	check = partial ? (be16)~csum_replace2((be16)~check, htons((u16)tcp_len),
					       htons((u16)(tcp_len + TCPOLEN_MSS))) :
			  csum_replace2(check, htons((u16)tcp_len),
					htons((u16)(tcp_len + TCPOLEN_MSS)));
	store_be16(th + 16, check);
	replace_word(th, th + TCP_HLEN, 0x0204, partial);
	replace_word(th, th + TCP_HLEN + 2, (u16)min_u32(mss, v6 ? 1220 : 536), partial);
	replace_word(th, th + 12, (u16)(get_be16(th + 12) + 0x1000), partial);
	if (v6) {
		put_be16(nh + 4, (u16)(get_be16(nh + 4) + TCPOLEN_MSS));
		return true;
	}
	check = csum_replace2(load_be16(nh + 10), load_be16(nh + 2),
			      htons((u16)(get_be16(nh + 2) + TCPOLEN_MSS)));
	ip4_set_tot_len(nh, get_be16(nh + 2) + TCPOLEN_MSS);
	ip4_set_check(nh, check);
	return true;
}

/* tcpmss_mangle_packet(): it is lowered, never raised. */
bool xt_tcpmss_target(const struct xt_packet *p, const struct xt_spec *s)
{
	struct sk_buff *skb = p->skb;
	u32 mss, doff;
	s32 at;
	u8 *th;

	if (p->fragoff)
		return true;
	if (skb->len < p->thoff + TCP_HLEN || skb_ensure_writable(skb, skb->len))
		return false;
	th = skb->data + p->thoff;
	doff = tcp_doff(th);
	mss = wanted_mss(p, s);
	if (doff < TCP_HLEN || skb->len < p->thoff + doff || !mss)
		return false;
	at = xt_tcp_option(th + TCP_HLEN, doff - TCP_HLEN, TCPOPT_MSS, TCPOLEN_MSS);
	if (at >= 0) {
		u8 *value = th + TCP_HLEN + at + 2;

		if (get_be16(value) > mss)
			set_mss(th, value, (u16)mss, at % 2, skb->ip_summed == CHECKSUM_PARTIAL);
		return true;
	}
	if (skb->len > p->thoff + doff || doff > TCP_HLEN_MAX - TCPOLEN_MSS)
		return true;
	return add_mss(p, mss, doff);
}

/* ---- TTL, HL ---- */

bool xt_ttl_target(const struct xt_packet *p, const struct xt_spec *s)
{
	bool v6 = p->state->pf == AF_INET6;
	u32 nhoff = (u32)skb_network_offset(p->skb), old, ttl;
	u8 *nh;

	if (skb_ensure_writable(p->skb, nhoff + (v6 ? 40 : IP4_HLEN)))
		return false;
	nh = skb_network_header(p->skb);
	old = nh[v6 ? 7 : 8];
	ttl = s->target_op == XT_TTL_SET ? s->target_value :
	      s->target_op == XT_TTL_INC ? min_u32(old + s->target_value, 255) :
	      old > s->target_value	 ? old - s->target_value :
					   0;
	if (v6) {
		nh[7] = (u8)ttl;
		return true;
	}
	ip4_set_check(nh, csum_replace2(load_be16(nh + 10), htons((u16)(old << 8 | nh[9])),
					htons((u16)(ttl << 8 | nh[9]))));
	ip4_set_ttl(nh, (u8)ttl);
	return true;
}

/* ---- CONNMARK ---- */

void xt_connmark_target(const struct xt_packet *p, const struct xt_spec *s)
{
	struct sk_buff *skb = p->skb;
	u32 ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct)
		return;
	if (s->target_op == XT_MARK_SET)
		ct->mark = (ct->mark & ~s->mark_mask) ^ s->mark;
	else if (s->target_op == XT_CONNMARK_SAVE)
		ct->mark = (ct->mark & ~s->mark_mask) ^ (skb->mark & s->mark);
	else
		skb->mark = (skb->mark & ~s->mark) ^ (ct->mark & s->mark_mask);
}
