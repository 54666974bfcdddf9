/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv6, the way in (net/ipv6/tcp_ipv6.c): tcp_v6_rcv checks a segment, whose owner
 * tcp_demux.c finds; tcp_v6_err finds that of an ICMPv6 error.
 *
 * Invariant: behind tcp_v6_rcv() the checksum of a segment is right and its header is linear.
 */
#include "inet/inet_timewait_sock.h"
#include "tcp/tcp_ao.h"
#include "ipv6/ipv6_sockglue.h"
#include "tcp/tcp_ipv6.h"
#include "core/offload.h"
#include "lib/checksum.h"
#include "tcp/tcp_observe.h"
#include "tcp/tcp_offload.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

/* ---- in ---- */

static const struct tcp_family tcp_family_ipv6 = {
	.family = AF_INET6,
	.rsk_ops = &tcp_request_sock_ipv6_ops,
	.send_reset = tcp_v6_send_reset,
	.timewait_reset = tcp_v6_timewait_reset,
	.timewait_ack = tcp_v6_timewait_ack,
};

static int tcp_v6_rcv(struct sk_buff *skb)
{
	struct net *net = skb->net;
	struct tcp_rcv_key k;
	const u8 *th, *iph;

	if (!tcp_rcv_header(net, skb))
		return 0;
	if (!ip6_checksum_complete(skb, IPPROTO_TCP))
		return tcp_rcv_csum_error(net, skb);
	th = skb->data;
	if (skb->dev->anyip)
		tcp_observe(net, th);
	iph = ipv6_hdr(skb);
	k = (struct tcp_rcv_key){ .saddr = ipv6_saddr(skb),
				  .daddr = ipv6_daddr(skb),
				  .sport = tcp_source(th),
				  .dport = tcp_dest(th),
				  .dif = skb->dev->ifindex,
				  .dsfield = ipv6_tclass(iph),
				  .ttl = iph[7] };
	return tcp_demux(&tcp_family_ipv6, net, skb, &k);
}

/* ---- ICMPv6 errors ---- */

#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_NOROUTE	    0
#define ICMPV6_PKT_TOOBIG   2

/*
 * RFC 9293 3.9.2.2, RFC 5461: an error ends an attempt to open; of a connection that stands it is
 * only remembered, for when it times out.
 */
static void tcp_v6_err_sk(struct sk_buff *skb, struct sock *sk, const u8 *iph, u8 type, u8 code,
			  u32 info)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct request_sock *fastopen = tp->rare->fastopen_rsk;
	u32 snd_una = fastopen ? tcp_rsk(fastopen)->snt_isn : tp->snd_una, seq = tcp_seq(skb->data);
	s32 err;

	if (sk->sk_state == TCP_CLOSE)
		return;
	/* That of the message, unlike with IPv4: RFC 5082. */
	if (skb_network_header(skb)[7] < sk->inet_min_ttl) {
		MIB_INC(sk->net, TcpExtTCPMinTTLDrop);
		return;
	}
	/* RFC 5927 4.1: about a segment that is under way, or forged. */
	if (sk->sk_state != TCP_LISTEN && !between(seq, snd_una, tp->snd_nxt)) {
		MIB_INC(sk->net, TcpExtOutOfWindowIcmps);
		return;
	}
	if (type == ICMPV6_PKT_TOOBIG) {
		if (sk->sk_state != TCP_LISTEN && ip6_sk_accept_pmtu(sk))
			tcp_v6_mtu_reduced(sk, info);
		return;
	}
	icmpv6_err_convert(type, code, &err);
	/* A fast open child that was accepted is a connection as others. */
	if ((sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV) &&
	    !(fastopen && !fastopen->sk)) {
		ipv6_icmp_error(sk, skb, iph, err, info);
		sk->sk_err = (s16)err;
		tcp_write_queue_purge(sk);
		tcp_done(sk);
		if (!(sk->sk_flags & SOCK_DEAD))
			sk_error_report(sk);
		return;
	}
	if (sk->sk_state != TCP_LISTEN && !fastopen && type == ICMPV6_DEST_UNREACH &&
	    code == ICMPV6_NOROUTE)
		tcp_ld_RTO_revert(sk, seq);
	if (sk->pinet6->recverr) {
		sk->sk_err = (s16)err;
		sk_error_report(sk);
	} else {
		sk->sk_err_soft = (u8)err;
	}
}

static void tcp_v6_err(struct sk_buff *skb, const u8 *iph, u8 type, u8 code, u32 info)
{
	struct net *net = skb->net;
	const u8 *th = skb->data;
	struct inet_addr laddr, faddr;
	u32 seq = tcp_seq(th);
	struct sock_common *skc;
	struct sock *sk;

	for (u32 i = 0; i < 4; i++) {
		laddr.w[i] = load_be32(iph + 8 + 4 * i);
		faddr.w[i] = load_be32(iph + 24 + 4 * i);
	}
	/* The quoted segment is ours: its source is the local side. */
	skc = __inet_lookup_established(inet_hashinfo_of(net), net, AF_INET6, &faddr, tcp_dest(th),
					&laddr, tcp_source(th), skb->dev->ifindex);
	if (!skc) {
		MIB_INC(net, Icmp6InErrors);
		return;
	}
	if (tcp_ao_ignore_icmp(skc, type, code) || skc->skc_kind == SKC_TIMEWAIT)
		return;
	if (skc->skc_kind == SKC_REQUEST) {
		s32 err;

		tcp_req_err(inet_reqsk(skc), seq, icmpv6_err_convert(type, code, &err));
		return;
	}
	sk = inet_sk_of(skc);
	sock_hold(sk);
	tcp_v6_err_sk(skb, sk, iph, type, code, info);
	sock_put(sk);
}

/* ---- boot ---- */

static const struct inet6_protocol tcpv6_protocol = { .handler = tcp_v6_rcv,
						      .err_handler = tcp_v6_err };

static u32 tcp6_pseudo(const u8 *iph, u32 len)
{
	return csum_ipv6_nofold(iph + 8, iph + 24, len, IPPROTO_TCP, 0);
}

static struct sk_buff *tcp6_gro_receive(struct sk_buff_head *held, struct sk_buff *skb)
{
	u32 psum = tcp6_pseudo(ipv6_hdr(skb), skb_gro_len(skb));

	/* What can not be merged is checked later. */
	if (!NAPI_GRO_CB(skb)->flush && !skb_gro_checksum_validate(skb, psum)) {
		NAPI_GRO_CB(skb)->flush = 1;
		return NULL;
	}
	return tcp_gro_receive(held, skb, ipv6_gro_flush);
}

static void tcp6_gro_complete(struct sk_buff *skb, u32 thoff)
{
	store_be16(skb->data + thoff + 16,
		   csum_fold_raw(tcp6_pseudo(ipv6_hdr(skb), skb->len - thoff)));
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV6;
	tcp_gro_complete(skb);
}

static const struct net_offload tcpv6_offload = {
	.callbacks = { .gso_segment = tcp_gso_segment,
		       .gro_receive = tcp6_gro_receive,
		       .gro_complete = tcp6_gro_complete },
};

int tcpv6_init(struct host *h)
{
	int err = inet6_add_protocol(h, IPPROTO_TCP, &tcpv6_protocol);

	return err ? err : inet6_add_offload(h, IPPROTO_TCP, &tcpv6_offload);
}

void tcpv6_exit(struct host *h)
{
	inet6_del_protocol(h, IPPROTO_TCP, &tcpv6_protocol);
}
