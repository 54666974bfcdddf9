/* SPDX-License-Identifier: MIT */
/*
 * TCP over IPv4, the way in (net/ipv4/tcp_ipv4.c): tcp_v4_rcv checks a segment, whose owner
 * tcp_demux.c finds; tcp_v4_err finds that of an ICMP error.
 *
 * Invariant: behind tcp_v4_rcv() the checksum of a segment is right and its header is linear.
 */
#include "ipv4/icmp.h"
#include "core/skb_path.h"
#include "ipv4/ip_sockglue.h"
#include "lib/checksum.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_demux.h"
#include "tcp/tcp_ipv4.h"
#include "tcp/tcp_observe.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_minisocks.h"
#include "tcp/tcp_rtx_queue.h"
#include "tcp/tcp_timer.h"
#include "tcp/tcp_user.h"

/* ---- in ---- */

static const struct tcp_family tcp_family_ipv4 = {
	.family = AF_INET,
	.rsk_ops = &tcp_request_sock_ipv4_ops,
	.send_reset = tcp_v4_send_reset,
	.timewait_reset = tcp_v4_timewait_reset,
	.timewait_ack = tcp_v4_timewait_ack,
};

int tcp_v4_rcv(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	struct tcp_rcv_key k;
	const u8 *th, *iph;

	skb_path(skb, SKB_PATH_TCP_V4_RCV);
	if (skb->pkt_type != PACKET_HOST) {
		kfree_skb_reason(skb, SKB_DROP_REASON_OTHERHOST);
		return 0;
	}
	if (!tcp_rcv_header(net, skb))
		return 0;
	th = skb->data;
	iph = ip_hdr(skb);
	if (!skb_checksum_complete(skb, csum_tcpudp_nofold(ip4_saddr(iph), ip4_daddr(iph), skb->len,
							   IPPROTO_TCP, 0)))
		return tcp_rcv_csum_error(net, skb);
	if (skb->dev->anyip)
		tcp_observe(net, th);
	k = (struct tcp_rcv_key){ .saddr = inet_addr4(ip4_saddr(iph)),
				  .daddr = inet_addr4(ip4_daddr(iph)),
				  .sport = tcp_source(th),
				  .dport = tcp_dest(th),
				  .dif = skb->dev->ifindex,
				  .dsfield = ip4_tos(iph),
				  .ttl = ip4_ttl(iph) };
	return tcp_demux(&tcp_family_ipv4, net, skb, &k);
}

/* ---- ICMP errors ---- */

/* What an ICMP message means to a connection: errno, 0: nothing more. */
static s32 tcp_v4_err_meaning(struct sk_buff *skb, struct sock *sk, u32 info, u32 seq)
{
	const u8 *icmp = skb_transport_header(skb);
	u32 code = icmp4_code(icmp);

	switch (icmp4_type(icmp)) {
	case ICMP_REDIRECT:
		if (sk->sk_state != TCP_LISTEN)
			ipv4_sk_redirect(skb, sk);
		return 0;
	case ICMP_PARAMETERPROB:
		return EPROTO;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP_DEST_UNREACH:
		if (code > NR_ICMP_UNREACH)
			return 0;
		if (code == ICMP_FRAG_NEEDED) {
			if (sk->sk_state == TCP_LISTEN)
				return 0;
			tcp_v4_mtu_reduced(sk, info);
			return 0;
		}
		if (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH)
			tcp_ld_RTO_revert(sk, seq);
		return icmp_err_convert(code)->error;
	default: /* source quench and others: RFC 6633 */
		return 0;
	}
}

/* RFC 9293 3.9.2.2: what must abort no connection (MUST-56), not even one that is being opened. */
static bool is_hint(const struct sk_buff *skb)
{
	const u8 *icmp = skb_transport_header(skb);
	u32 type = icmp4_type(icmp), code = icmp4_code(icmp);

	if (type == ICMP_DEST_UNREACH)
		return code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH ||
		       code == ICMP_SR_FAILED;
	return type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETERPROB;
}

/*
 * RFC 5461: in Linux any error ends an attempt to open. Of a connection that stands it is only
 * remembered, for when it times out.
 */
static void tcp_v4_err_sk(struct sk_buff *skb, struct sock *sk, u32 info, u32 seq)
{
	const u8 *iph = skb->data;
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct request_sock *fastopen = tp->rare->fastopen_rsk;
	u32 ihl = ip4_ihl(iph), snd_una = fastopen ? tcp_rsk(fastopen)->snt_isn : tp->snd_una;
	s32 err;

	if (sk->sk_state == TCP_CLOSE)
		return;
	if (ip4_ttl(iph) < sk->inet_min_ttl) {
		MIB_INC(sk->net, TcpExtTCPMinTTLDrop);
		return;
	}
	/* RFC 5927 4.1: about a segment that is under way, or forged. */
	if (sk->sk_state != TCP_LISTEN && !between(seq, snd_una, tp->snd_nxt)) {
		MIB_INC(sk->net, TcpExtOutOfWindowIcmps);
		return;
	}
	err = tcp_v4_err_meaning(skb, sk, info, seq);
	if (!err)
		return;
	/* A fast open child that was accepted is a connection as others. */
	if ((sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV) &&
	    !(fastopen && !fastopen->sk) && !(net_world(sk->net)->profile_rfc && is_hint(skb))) {
		if (sk->inet_recverr)
			ip_icmp_error(sk, skb, err, sk->inet_dport, info, ihl);
		sk->sk_err = (s16)err;
		tcp_write_queue_purge(sk);
		tcp_done(sk);
		if (!(sk->sk_flags & SOCK_DEAD))
			sk_error_report(sk);
	} else if (sk->inet_recverr) {
		sk->sk_err = (s16)err;
		sk_error_report(sk);
	} else {
		sk->sk_err_soft = (u8)err;
	}
}

int tcp_v4_err(struct sk_buff *skb, u32 info)
{
	struct net *net = dev_net(skb->dev);
	const u8 *iph = skb->data, *th = iph + ip4_ihl(iph), *icmp = skb_transport_header(skb);
	struct inet_addr laddr = inet_addr4(ip4_saddr(iph)), faddr = inet_addr4(ip4_daddr(iph));
	u32 seq = tcp_seq(th), code = icmp4_code(icmp);
	struct sock_common *skc;
	struct sock *sk;

	/* The quoted segment is ours: its source is the local side. */
	skc = __inet_lookup_established(inet_hashinfo_of(net), net, AF_INET, &faddr, tcp_dest(th),
					&laddr, tcp_source(th), skb->dev->ifindex);
	if (!skc) {
		MIB_INC(net, IcmpInErrors);
		return -ENOENT;
	}
	if (tcp_ao_ignore_icmp(skc, icmp4_type(icmp), (u8)code) || skc->skc_kind == SKC_TIMEWAIT)
		return 0;
	if (skc->skc_kind == SKC_REQUEST) {
		tcp_req_err(inet_reqsk(skc), seq,
			    icmp4_type(icmp) == ICMP_PARAMETERPROB ||
				    icmp4_type(icmp) == ICMP_TIME_EXCEEDED ||
				    (icmp4_type(icmp) == ICMP_DEST_UNREACH &&
				     (code == ICMP_NET_UNREACH || code == ICMP_HOST_UNREACH)));
		return 0;
	}
	sk = inet_sk_of(skc);
	sock_hold(sk);
	tcp_v4_err_sk(skb, sk, info, seq);
	sock_put(sk);
	return 0;
}
