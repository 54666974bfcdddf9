/* SPDX-License-Identifier: MIT */
/*
 * ECN (tcp_ecn.h; the TCP_ECN functions of net/ipv4/tcp_input.c and tcp_output.c).
 * net.ipv4.tcp_ecn: 0 never, 1 asked for and given, 2 given to who asks.
 *
 * Invariants: only new data is sent as ECN-capable, neither ACKs nor what is sent again (RFC 3168
 * 6.1.4, 6.1.5), unless the congestion control insists; ECE is sent from a CE mark on until a CWR
 * (RFC 3168 6.1.3).
 */
#include "tcp/tcp_ecn.h"

/* ---- opening ---- */

static bool route_has_ecn(const struct dst_entry *dst)
{
	return dst && dst_metric(dst, RTAX_FEATURES) & RTAX_FEATURE_ECN;
}

bool tcp_ecn_allowed(const struct sock *sk, const struct dst_entry *dst)
{
	return sk->net->sysctl.tcp_ecn || route_has_ecn(dst);
}

void tcp_ecn_send_syn(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->ecn_flags = 0;
	if (sk->net->sysctl.tcp_ecn != 1 && !tcp_ca_needs_ecn(sk) && !route_has_ecn(sk->dst_cache))
		return;
	if (tcp_ca_needs_ecn(sk))
		INET_ECN_xmit(sk);
	TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_ECE | TCPHDR_CWR;
	tp->ecn_flags = TCP_ECN_OK;
}

void tcp_ecn_clear_syn(const struct sock *sk, struct sk_buff *skb)
{
	/* ecn_flags are cleared when the SYN-ACK comes, which will have no ECE. */
	if ((TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN_ECN) == TCPHDR_SYN_ECN &&
	    sk->net->sysctl.tcp_ecn_fallback)
		TCP_SKB_CB(skb)->tcp_flags &= (u16) ~(TCPHDR_ECE | TCPHDR_CWR);
}

void tcp_ecn_rcv_synack(struct tcp_sock *tp, u8 flags)
{
	if ((flags & (TCPHDR_ECE | TCPHDR_CWR)) != TCPHDR_ECE)
		tp->ecn_flags &= (u8)~TCP_ECN_OK;
}

void tcp_ecn_rcv_syn(struct tcp_sock *tp, u8 flags)
{
	if ((flags & (TCPHDR_ECE | TCPHDR_CWR)) != (TCPHDR_ECE | TCPHDR_CWR))
		tp->ecn_flags &= (u8)~TCP_ECN_OK;
}

void tcp_ecn_send_synack(struct sock *sk, struct sk_buff *skb)
{
	TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_CWR;
	if (!(tcp_sk(sk)->ecn_flags & TCP_ECN_OK))
		TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_ECE;
	else if (tcp_ca_needs_ecn(sk))
		INET_ECN_xmit(sk);
}

void tcp_ecn_create_request(struct request_sock *req, const struct sk_buff *skb,
			    const struct sock *listener, const struct dst_entry *dst)
{
	const u8 *th = tcp_hdr(skb);
	bool ect = TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK, reserved = th[12] & 0x0f;
	bool may;

	if ((tcp_flags(th) & (TCPHDR_ECE | TCPHDR_CWR)) != (TCPHDR_ECE | TCPHDR_CWR))
		return;
	may = tcp_ecn_allowed(listener, dst);
	/* RFC 3168 6.1.1: a SYN is not ECN-capable; one that is was marked by somebody's mistake,
	 * or by a congestion control that means it (RFC 8257 3.1, RFC 8311 4.3). */
	if (((!ect || reserved) && may) || tcp_ca_needs_ecn(listener))
		req->ecn_ok = 1;
}

/* ---- out ---- */

u8 tcp_ecn_send(struct sock *sk, const struct sk_buff *skb, u32 len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 flags = 0;

	if (!(tp->ecn_flags & TCP_ECN_OK))
		return 0;
	if (len && !before(TCP_SKB_CB(skb)->seq, tp->snd_nxt)) {
		INET_ECN_xmit(sk);
		if (tp->ecn_flags & TCP_ECN_QUEUE_CWR) {
			tp->ecn_flags &= (u8)~TCP_ECN_QUEUE_CWR;
			flags |= TCPHDR_CWR;
		}
	} else if (!tcp_ca_needs_ecn(sk)) {
		INET_ECN_dontxmit(sk);
	}
	if (tp->ecn_flags & TCP_ECN_DEMAND_CWR)
		flags |= TCPHDR_ECE;
	return flags;
}

/* ---- in ---- */

void tcp_data_ecn_check(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (!(tp->ecn_flags & TCP_ECN_OK))
		return;
	switch (TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK) {
	case INET_ECN_NOT_ECT:
		/* Not marked, and others were: most likely it was sent again. */
		if (tp->ecn_flags & TCP_ECN_SEEN)
			tcp_enter_quickack_mode(sk, 2);
		return;
	case INET_ECN_CE:
		if (tcp_ca_needs_ecn(sk))
			tcp_ca_event(sk, CA_EVENT_ECN_IS_CE);
		if (!(tp->ecn_flags & TCP_ECN_DEMAND_CWR)) {
			/* The sender's window may be very small. */
			tcp_enter_quickack_mode(sk, 2);
			tp->ecn_flags |= TCP_ECN_DEMAND_CWR;
		}
		break;
	default:
		if (tcp_ca_needs_ecn(sk))
			tcp_ca_event(sk, CA_EVENT_ECN_NO_CE);
	}
	tp->ecn_flags |= TCP_ECN_SEEN;
}

void tcp_ecn_accept_cwr(struct sock *sk, const struct sk_buff *skb)
{
	if (!(tcp_flags(tcp_hdr(skb)) & TCPHDR_CWR))
		return;
	tcp_sk(sk)->ecn_flags &= (u8)~TCP_ECN_DEMAND_CWR;
	/* Its window may be one segment now. */
	if (TCP_SKB_CB(skb)->seq != TCP_SKB_CB(skb)->end_seq)
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
}
