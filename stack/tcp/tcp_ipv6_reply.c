/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv6: segments that no connection's socket sends (net/ipv6/tcp_ipv6.c:
 * tcp_v6_send_response). tcp_ipv4_reply.c is its like.
 */
#include "inet/inet_timewait_sock.h"
#include "lib/checksum.h"
#include "tcp/tcp_ipv6.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_reply.h"

/* ---- checksum (RFC 8200 8.1) ---- */

static void addr_bytes(u8 b[16], const struct inet_addr *a)
{
	for (u32 i = 0; i < 4; i++)
		store_be32(b + 4 * i, a->w[i]);
}

void __tcp_v6_send_check(struct sk_buff *skb, const struct inet_addr *saddr,
			 const struct inet_addr *daddr)
{
	u8 s[16], d[16];

	addr_bytes(s, saddr);
	addr_bytes(d, daddr);
	__tcp_send_check(skb, csum_ipv6_nofold(s, d, skb->len, IPPROTO_TCP, 0));
}

/* ---- sending ---- */

#define REPLY_HEADROOM (LL_MAX_HEADER + IP6_HLEN)

static struct tcp_reply_to reply_to(struct net *net, const struct sk_buff *skb)
{
	return (struct tcp_reply_to){ .net = net,
				      .skb = skb,
				      .family = AF_INET6,
				      .saddr = ipv6_saddr(skb),
				      .daddr = ipv6_daddr(skb) };
}

/* Sends a reply. */
static void send_response(const struct tcp_reply_to *to, const struct tcp_reply *rep, u32 oif,
			  u8 tclass)
{
	const struct inet_addr saddr = to->daddr, daddr = to->saddr;
	struct net *net = to->net;
	const struct ip6_xmit_args args = { .saddr = &saddr,
					    .daddr = &daddr,
					    .hop_limit = -1,
					    .tclass = tclass,
					    .protocol = IPPROTO_TCP };
	struct flowi6 fl6 = { .oif = oif, .saddr = saddr, .daddr = daddr };
	struct sk_buff *nskb;
	struct rt6_info *rt;
	int err;

	rt = ip6_route_output(net, &fl6, &err);
	if (!rt)
		return;
	nskb = tcp_reply_skb(net, rep, REPLY_HEADROOM, &rt->dst);
	if (!nskb)
		return;
	__tcp_v6_send_check(nskb, &saddr, &daddr);
	ip6_xmit(net, NULL, nskb, &args);
}

/* ---- resets ---- */

static u8 reply_tclass(const struct sk_buff *skb)
{
	return ipv6_tclass(ipv6_hdr(skb)) & 0xfc; /* RFC 3168 6.1.5: without ECN */
}

static void send_reset(const struct tcp_reply_to *to, u32 oif, u32 reason)
{
	struct tcp_reply rep;

	if (TCP_SKB_CB(to->skb)->tcp_flags & TCPHDR_RST)
		return;
	tcp_reply_reset(to, reason, &rep);
	send_response(to, &rep, oif, reply_tclass(to->skb));
}

void tcp_v6_send_reset(struct sock *sk, struct sk_buff *skb, u32 reason)
{
	struct tcp_reply_to to = reply_to(skb->net, skb);

	/* RFC 9293 3.10.7.1; nothing that was not for us alone is answered. */
	if (!sk && !ipv6_chk_addr(skb->net, &to.daddr))
		return;
	if (tcp_reply_reset_key(&to, sk, NULL))
		send_reset(&to, sk ? sk->sk_bound_dev_if : 0, reason);
}

void tcp_v6_timewait_reset(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	struct tcp_reply_to to = reply_to(tw->tw_common.skc_net, skb);

	if (tcp_reply_reset_key(&to, NULL, tw))
		send_reset(&to, tw->tw_common.skc_bound_dev_if, SK_RST_REASON_TCP_TIMEWAIT_SOCKET);
}

/* ---- ACKs ---- */

void tcp_v6_timewait_ack(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	struct tcp_reply_to to = reply_to(tw->tw_common.skc_net, skb);
	struct tcp_reply rep;

	if (!tcp_reply_timewait_key(&to, tw))
		return;
	tcp_reply_timewait(&to, tw, &rep);
	send_response(&to, &rep, tw->tw_common.skc_bound_dev_if, tw->tw_tos);
}

void tcp_v6_reqsk_send_ack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	struct tcp_reply_to to = reply_to(sk->net, skb);
	struct tcp_reply rep;

	if (!tcp_reply_request_key(&to, sk, req))
		return;
	tcp_reply_request(&to, req, tcp_reply_request_seq(sk, req), &rep);
	send_response(&to, &rep, sk->sk_bound_dev_if, reply_tclass(skb));
}
