/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv4: segments that no connection's socket sends: resets, and ACKs of requests and of
 * TIME-WAIT sockets (net/ipv4/tcp_ipv4.c, ip_send_unicast_reply). Addresses and ports of the
 * segment that arrived turned round; don't fragment, identification 0.
 */
#include "ipv4/ip_options.h"
#include "lib/checksum.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_md5.h"

/* What an answer is sent with, where there is something to take it from. */
struct reply_arg {
	u32 oif, mark, priority;
	u8 tos;
};

/* ---- checksum ---- */

void __tcp_v4_send_check(struct sk_buff *skb, be32 saddr, be32 daddr)
{
	u8 *th = tcp_hdr(skb);
	u32 psum = csum_tcpudp_nofold(saddr, daddr, skb->len, IPPROTO_TCP, 0);

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

/* Headers of everything below, in front of the segment. */
#define REPLY_HEADROOM (LL_MAX_HEADER + IP4_HLEN_MAX)

static struct rtable *reply_route(struct net *net, struct sk_buff *skb, const struct reply_arg *arg,
				  const struct inet_opts *opt)
{
	const u8 *iph = ip_hdr(skb), *th = tcp_hdr(skb);
	struct flowi4 fl4 = { .oif = arg->oif,
			      .mark = arg->mark,
			      .saddr = ip4_daddr(iph),
			      .daddr = opt->opt.srr ? opt->opt.faddr : ip4_saddr(iph),
			      .sport = tcp_dest(th),
			      .dport = tcp_source(th),
			      .tos = arg->tos & 0x1c,
			      .proto = IPPROTO_TCP,
			      /* It was ours when the segment came in. */
			      .flags = FLOWI_FLAG_ANYSRC };
	int err;

	return ip_route_output_key(net, &fl4, &err);
}

/* Sends a header `h` (`len` bytes with options) in answer to skb. */
static void ip_send_unicast_reply(struct net *net, struct sk_buff *skb, const u8 *h, u32 len,
				  const struct reply_arg *arg)
{
	const u8 *iph = ip_hdr(skb);
	/* What ip_build_and_send_pkt() reads of the kernel's own socket (ipv4_tcp_sk). */
	const struct sock ctl = { .net = net,
				  .sk_protocol = IPPROTO_TCP,
				  .inet_pmtudisc = IP_PMTUDISC_DO,
				  .inet_uc_ttl = -1,
				  .sk_mark = arg->mark,
				  .sk_priority = arg->priority };
	struct inet_opts opt;
	struct sk_buff *nskb;
	struct rtable *rt;

	if (ip_options_echo_from(net, &opt, skb, &tcp_v4_skb_parm(skb)->opt))
		return;
	rt = reply_route(net, skb, arg, &opt);
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
	__tcp_v4_send_check(nskb, ip4_daddr(iph), ip4_saddr(iph));
	ip_build_and_send_pkt(net, nskb, &ctl, ip4_daddr(iph), ip4_saddr(iph),
			      opt.opt.optlen ? &opt : NULL, arg->tos, 0);
}

/* ---- resets ---- */

/* Behind a header of `doff` bytes at h whose options it goes in front of: room is there. The new
 * length. */
static u32 reply_sign(u8 *h, u32 doff, struct sk_buff *skb, const struct tcp_md5sig_key *key)
{
	const struct inet_addr saddr = inet_addr4(ip4_daddr(ip_hdr(skb))),
			       daddr = inet_addr4(ip4_saddr(ip_hdr(skb)));
	u32 len = doff + TCPOLEN_MD5SIG_ALIGNED;

	memmove(h + TCP_HLEN + TCPOLEN_MD5SIG_ALIGNED, h + TCP_HLEN, doff - TCP_HLEN);
	tcp_md5_write(h + TCP_HLEN);
	h[12] = (u8)(len / 4 << 4);
	tcp_md5_sign(h, len, AF_INET, &saddr, &daddr, key);
	return len;
}

/* The key that a segment for sk (may be NULL) was signed with. */
static const struct tcp_md5sig_key *reply_key(const struct sock *sk, const struct sk_buff *skb)
{
	const struct inet_addr addr = inet_addr4(ip4_saddr(ip_hdr(skb)));

	return sk ? tcp_md5_do_lookup(sk, AF_INET, &addr) : NULL;
}

static void send_reset(struct net *net, struct sk_buff *skb, const struct reply_arg *arg,
		       const struct tcp_md5sig_key *key, u32 reason)
{
	u32 len = TCP_HLEN;
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	const u8 *th = tcp_hdr(skb);
	struct tcp_hdr rep = { .source = tcp_dest(th),
			       .dest = tcp_source(th),
			       .doff = TCP_HLEN,
			       .flags = TCPHDR_RST };
	u8 bytes[TCP_HLEN + TCPOLEN_MD5SIG_ALIGNED];

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
	if (key)
		len = reply_sign(bytes, TCP_HLEN, skb, key);
	ip_send_unicast_reply(net, skb, bytes, len, arg);
}

void tcp_v4_send_reset(struct sock *sk, struct sk_buff *skb, u32 reason)
{
	struct reply_arg arg = { .tos = ip4_tos(ip_hdr(skb)) & ~INET_ECN_MASK & 0xff };

	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST)
		return;
	if (sk) {
		arg.oif = sk->sk_bound_dev_if;
		arg.mark = sk->sk_mark;
		arg.priority = sk->sk_priority;
	} else if (!skb->dst || skb_rtable(skb)->rt_type != RTN_LOCAL) {
		/* RFC 1122 4.2.3.10: nothing sent to many is answered. */
		return;
	}
	send_reset(skb->net, skb, &arg, reply_key(sk, skb), reason);
}

void tcp_v4_timewait_reset(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	const struct reply_arg arg = { .oif = tw->tw_common.skc_bound_dev_if,
				       .mark = tw->tw_mark,
				       .priority = tw->tw_priority,
				       .tos = ip4_tos(ip_hdr(skb)) & ~INET_ECN_MASK & 0xff };

	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST))
		send_reset(tw->tw_common.skc_net, skb, &arg, NULL,
			   SK_RST_REASON_TCP_TIMEWAIT_SOCKET);
}

/* ---- ACKs ---- */

/* Numbers of an ACK; the time stamp option goes with it when tsecr is not 0. */
struct ack_arg {
	u32 seq, ack, win, tsval, tsecr;
};

static void tcp_v4_send_ack(struct net *net, struct sk_buff *skb, const struct ack_arg *a,
			    const struct reply_arg *arg, const struct tcp_md5sig_key *key)
{
	const u8 *th = tcp_hdr(skb);
	struct tcp_hdr rep = { .source = tcp_dest(th),
			       .dest = tcp_source(th),
			       .doff = TCP_HLEN,
			       .flags = TCPHDR_ACK,
			       .seq = a->seq,
			       .ack_seq = a->ack,
			       .window = (u16)a->win };
	u8 bytes[TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED + TCPOLEN_MD5SIG_ALIGNED];
	u32 len;

	if (a->tsecr) {
		rep.doff = TCP_HLEN + TCPOLEN_TSTAMP_ALIGNED;
		put_be32(bytes + TCP_HLEN, 0x0101080a); /* NOP NOP TS 10 */
		put_be32(bytes + TCP_HLEN + 4, a->tsval);
		put_be32(bytes + TCP_HLEN + 8, a->tsecr);
	}
	tcp_build(bytes, &rep);
	MIB_INC(net, TcpOutSegs);
	len = key ? reply_sign(bytes, rep.doff, skb, key) : rep.doff;
	ip_send_unicast_reply(net, skb, bytes, len, arg);
}

void tcp_v4_timewait_ack(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	struct net *net = tw->tw_common.skc_net;
	const struct reply_arg arg = { .oif = tw->tw_common.skc_bound_dev_if,
				       .mark = tw->tw_mark,
				       .priority = tw->tw_priority,
				       .tos = tw->tw_tos };
	const struct ack_arg a = { .seq = tw->tw_snd_nxt,
				   .ack = tw->tw_rcv_nxt,
				   .win = tw->tw_rcv_wnd >> tw->tw_rcv_wscale,
				   .tsval = tcp_clock_ms(net->host) + tw->tw_ts_offset,
				   .tsecr = tw->tw_ts_recent };

	tcp_v4_send_ack(net, skb, &a, &arg, NULL);
}

void tcp_v4_reqsk_send_ack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	const struct tcp_request_sock *treq = tcp_rsk(req);
	const struct reply_arg arg = { .mark = req->ir_mark,
				       .priority = sk->sk_priority,
				       .tos = ip4_tos(ip_hdr(skb)) & ~INET_ECN_MASK & 0xff };
	const struct ack_arg a = { .seq = treq->snt_isn + 1,
				   .ack = treq->rcv_nxt,
				   .win = tcp_synack_window(req) >> req->rcv_wscale,
				   .tsval = tcp_rsk_tsval(req),
				   .tsecr = req->ts_recent };

	tcp_v4_send_ack(sk->net, skb, &a, &arg, reply_key(sk, skb));
}
