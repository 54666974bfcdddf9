/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv6: segments that no connection's socket sends (net/ipv6/tcp_ipv6.c:
 * tcp_v6_send_response). tcp_ipv4_reply.c is its like.
 */
#include "inet/inet_timewait_sock.h"
#include "lib/checksum.h"
#include "tcp/tcp_ipv6.h"

/* ---- checksum (RFC 8200 8.1) ---- */

static void addr_bytes(u8 b[16], const struct inet_addr *a)
{
	for (u32 i = 0; i < 4; i++)
		store_be32(b + 4 * i, a->w[i]);
}

void __tcp_v6_send_check(struct sk_buff *skb, const struct inet_addr *saddr,
			 const struct inet_addr *daddr)
{
	u8 *th = tcp_hdr(skb), s[16], d[16];
	u32 psum;

	addr_bytes(s, saddr);
	addr_bytes(d, daddr);
	psum = csum_ipv6_nofold(s, d, skb->len, IPPROTO_TCP, 0);
	if (TCP_SKB_CB(skb)->payload_csum) {
		store_be16(th + 16, 0);
		store_be16(th + 16,
			   csum_fold(csum_add(psum, csum_partial(th, tcp_doff(th), skb->csum))));
		skb->ip_summed = CHECKSUM_NONE;
		return;
	}
	store_be16(th + 16, csum_fold_raw(psum));
	skb->csum_start = (u16)(th - skb->head);
	skb->csum_offset = 16;
	skb->ip_summed = CHECKSUM_PARTIAL;
}

/* ---- sending ---- */

#define REPLY_HEADROOM (LL_MAX_HEADER + IP6_HLEN)

/* Sends a header `h` (`len` bytes with options) in answer to skb. */
static void send_response(struct net *net, struct sk_buff *skb, const u8 *h, u32 len, u32 oif,
			  u8 tclass)
{
	const struct inet_addr saddr = ipv6_daddr(skb), daddr = ipv6_saddr(skb);
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
	nskb = alloc_skb(skb->world, REPLY_HEADROOM + len);
	if (!nskb) {
		dst_release(&rt->dst);
		return;
	}
	skb_reserve(nskb, REPLY_HEADROOM);
	memcpy(skb_put(nskb, len), h, len);
	skb_reset_transport_header(nskb);
	nskb->net = net;
	skb_dst_set(nskb, &rt->dst);
	TCP_SKB_CB(nskb)->payload_csum = 0;
	__tcp_v6_send_check(nskb, &saddr, &daddr);
	ip6_xmit(net, NULL, nskb, &args);
}

/* ---- resets ---- */

static u8 reply_tclass(const struct sk_buff *skb)
{
	return ipv6_tclass(ipv6_hdr(skb)) & 0xfc; /* RFC 3168 6.1.5: without ECN */
}

static void send_reset(struct net *net, struct sk_buff *skb, u32 oif, u32 reason)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const u8 *th = tcp_hdr(skb);
	struct tcp_hdr rep = { .source = tcp_dest(th),
			       .dest = tcp_source(th),
			       .doff = TCP_HLEN,
			       .flags = TCPHDR_RST };
	u8 bytes[TCP_HLEN];

	if (cb->tcp_flags & TCPHDR_RST)
		return;
	if (cb->tcp_flags & TCPHDR_ACK) {
		rep.seq = cb->ack_seq;
	} else {
		rep.flags |= TCPHDR_ACK;
		rep.ack_seq = cb->end_seq;
	}
	tcp_build(bytes, &rep);
	trace(net_world(net), net->host, TRACE_TCP_SEND_RESET, rep.source, rep.dest, reason, 0);
	MIB_INC(net, TcpOutSegs);
	MIB_INC(net, TcpOutRsts);
	send_response(net, skb, bytes, TCP_HLEN, oif, reply_tclass(skb));
}

void tcp_v6_send_reset(struct sock *sk, struct sk_buff *skb, u32 reason)
{
	/* RFC 9293 3.10.7.1; nothing that was not for us alone is answered. */
	const struct inet_addr daddr = ipv6_daddr(skb);

	if (!sk && !ipv6_chk_addr(skb->net, &daddr))
		return;
	send_reset(skb->net, skb, sk ? sk->sk_bound_dev_if : 0, reason);
}

void tcp_v6_timewait_reset(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	send_reset(tw->tw_common.skc_net, skb, tw->tw_common.skc_bound_dev_if,
		   SK_RST_REASON_TCP_TIMEWAIT_SOCKET);
}

/* ---- ACKs ---- */

/* Numbers of an ACK; the time stamp option goes with it when tsecr is not 0. */
struct ack_arg {
	u32 seq, ack, win, tsval, tsecr;
};

static void send_ack(struct net *net, struct sk_buff *skb, const struct ack_arg *a, u32 oif,
		     u8 tclass)
{
	const u8 *th = tcp_hdr(skb);
	struct tcp_hdr rep = { .source = tcp_dest(th),
			       .dest = tcp_source(th),
			       .doff = TCP_HLEN,
			       .flags = TCPHDR_ACK,
			       .seq = a->seq,
			       .ack_seq = a->ack,
			       .window = (u16)a->win };
	u8 bytes[TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED];

	if (a->tsecr) {
		rep.doff = TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED;
		put_be32(bytes + TCP_HLEN, 0x0101080a); /* NOP NOP TS 10 */
		put_be32(bytes + TCP_HLEN + 4, a->tsval);
		put_be32(bytes + TCP_HLEN + 8, a->tsecr);
	}
	tcp_build(bytes, &rep);
	MIB_INC(net, TcpOutSegs);
	send_response(net, skb, bytes, rep.doff, oif, tclass);
}

void tcp_v6_timewait_ack(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	struct net *net = tw->tw_common.skc_net;
	const struct ack_arg a = { .seq = tw->tw_snd_nxt,
				   .ack = tw->tw_rcv_nxt,
				   .win = tw->tw_rcv_wnd >> tw->tw_rcv_wscale,
				   .tsval = tcp_clock_ms(net->host) + tw->tw_ts_offset,
				   .tsecr = tw->tw_ts_recent };

	send_ack(net, skb, &a, tw->tw_common.skc_bound_dev_if, tw->tw_tos);
}

void tcp_v6_reqsk_send_ack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct ack_arg a = { .seq = treq->snt_isn + 1,
				   .ack = treq->rcv_nxt,
				   .win = tcp_synack_window(req) >> req->rcv_wscale,
				   .tsval = tcp_rsk_tsval(req),
				   .tsecr = req->ts_recent };

	send_ack(sk->net, skb, &a, sk->sk_bound_dev_if, reply_tclass(skb));
}
