/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv4: segments that no connection's socket sends: resets, and ACKs of requests and of
 * TIME-WAIT sockets (net/ipv4/tcp_ipv4.c, ip_send_unicast_reply). Addresses and ports of the
 * segment that arrived turned round; don't fragment, identification 0.
 */
#include "ipv4/ip_options.h"
#include "lib/checksum.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_reply.h"

/* What an answer is sent with, where there is something to take it from. */
struct reply_arg {
	u32 oif, mark, priority;
	u8 tos;
};

/* ---- checksum ---- */

void __tcp_v4_send_check(struct sk_buff *skb, be32 saddr, be32 daddr)
{
	__tcp_send_check(skb, csum_tcpudp_nofold(saddr, daddr, skb->len, IPPROTO_TCP, 0));
}

/* ---- sending ---- */

/* Headers of everything below, in front of the segment. */
#define REPLY_HEADROOM (LL_MAX_HEADER + IP4_HLEN_MAX)

static u32 reply_mark(const struct net *net, const struct sk_buff *skb, const struct reply_arg *arg)
{
	u32 reflected = ip4_reply_mark(net, skb);

	return reflected ? reflected : arg->mark;
}

static struct rtable *reply_route(struct net *net, struct sk_buff *skb, const struct reply_arg *arg,
				  const struct inet_opts *opt)
{
	const u8 *iph = ip_hdr(skb), *th = tcp_hdr(skb);
	struct flowi4 fl4 = { .oif = arg->oif,
			      .mark = reply_mark(net, skb, arg),
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

static struct tcp_reply_to reply_to(struct net *net, const struct sk_buff *skb)
{
	return (struct tcp_reply_to){ .net = net,
				      .skb = skb,
				      .family = AF_INET,
				      .saddr = inet_addr4(ip4_saddr(ip_hdr(skb))),
				      .daddr = inet_addr4(ip4_daddr(ip_hdr(skb))) };
}

/* Sends a reply to skb. */
static void ip_send_unicast_reply(struct net *net, struct sk_buff *skb, const struct tcp_reply *rep,
				  const struct reply_arg *arg)
{
	const u8 *iph = ip_hdr(skb);
	/* What ip_build_and_send_pkt() reads of the kernel's own socket (ipv4_tcp_sk). */
	const struct sock ctl = { .net = net,
				  .sk_protocol = IPPROTO_TCP,
				  .inet_pmtudisc = IP_PMTUDISC_DO,
				  .inet_uc_ttl = -1,
				  .sk_mark = reply_mark(net, skb, arg),
				  .sk_priority = arg->priority };
	struct inet_opts opt;
	struct sk_buff *nskb;
	struct rtable *rt;

	if (ip_options_echo_from(net, &opt, skb, &tcp_v4_skb_parm(skb)->opt))
		return;
	rt = reply_route(net, skb, arg, &opt);
	if (!rt)
		return;
	nskb = tcp_reply_skb(net, rep, REPLY_HEADROOM, &rt->dst);
	if (!nskb)
		return;
	__tcp_v4_send_check(nskb, ip4_daddr(iph), ip4_saddr(iph));
	ip_build_and_send_pkt(net, nskb, &ctl, ip4_daddr(iph), ip4_saddr(iph),
			      opt.opt.optlen ? &opt : NULL, arg->tos, 0);
}

/* ---- resets ---- */

static void send_reset(const struct tcp_reply_to *to, struct sk_buff *skb,
		       const struct reply_arg *arg, u32 reason)
{
	struct tcp_reply rep;

	tcp_reply_reset(to, reason, &rep);
	ip_send_unicast_reply(to->net, skb, &rep, arg);
}

void tcp_v4_send_reset(struct sock *sk, struct sk_buff *skb, u32 reason)
{
	struct reply_arg arg = { .tos = ip4_tos(ip_hdr(skb)) & ~INET_ECN_MASK & 0xff };
	struct tcp_reply_to to = reply_to(skb->net, skb);

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
	if (tcp_reply_reset_key(&to, sk, NULL))
		send_reset(&to, skb, &arg, reason);
}

static struct reply_arg timewait_arg(const struct inet_timewait_sock *tw, u8 tos)
{
	return (struct reply_arg){ .oif = tw->tw_common.skc_bound_dev_if,
				   .mark = tw->tw_mark,
				   .priority = tw->tw_priority,
				   .tos = tos };
}

void tcp_v4_timewait_reset(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	const struct reply_arg arg = timewait_arg(tw, ip4_tos(ip_hdr(skb)) & ~INET_ECN_MASK & 0xff);
	struct tcp_reply_to to = reply_to(tw->tw_common.skc_net, skb);

	if (!(TCP_SKB_CB(skb)->tcp_flags & TCPHDR_RST) && tcp_reply_reset_key(&to, NULL, tw))
		send_reset(&to, skb, &arg, SK_RST_REASON_TCP_TIMEWAIT_SOCKET);
}

/* ---- ACKs ---- */

void tcp_v4_timewait_ack(const struct inet_timewait_sock *tw, struct sk_buff *skb)
{
	const struct reply_arg arg = timewait_arg(tw, tw->tw_tos);
	struct tcp_reply_to to = reply_to(tw->tw_common.skc_net, skb);
	struct tcp_reply rep;

	if (!tcp_reply_timewait_key(&to, tw))
		return;
	tcp_reply_timewait(&to, tw, &rep);
	ip_send_unicast_reply(to.net, skb, &rep, &arg);
}

void tcp_v4_reqsk_send_ack(struct sock *sk, struct sk_buff *skb, struct request_sock *req)
{
	const struct reply_arg arg = { .mark = req->ir_mark,
				       .priority = sk->sk_priority,
				       .tos = ip4_tos(ip_hdr(skb)) & ~INET_ECN_MASK & 0xff };
	struct tcp_reply_to to = reply_to(sk->net, skb);
	struct tcp_reply rep;

	if (!tcp_reply_request_key(&to, sk, req))
		return;
	tcp_reply_request(&to, req, tcp_reply_request_seq(sk, req), &rep);
	ip_send_unicast_reply(to.net, skb, &rep, &arg);
}
