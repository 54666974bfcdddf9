/* SPDX-License-Identifier: MIT */
/*
 * ECN (tcp_ecn.h; the TCP_ECN functions of net/ipv4/tcp_input.c and tcp_output.c).
 * net.ipv4.tcp_ecn: 0 never, 1 asked for and given, 2 given to who asks; 3 accurate ECN (RFC 9768)
 * asked for and given, 4 given while ECN is asked for, 5 given.
 *
 * Invariants: only new data is sent as ECN-capable, neither ACKs nor what is sent again (RFC 3168
 * 6.1.4, 6.1.5), unless the congestion control insists; ECE is sent from a CE mark on until a CWR
 * (RFC 3168 6.1.3).
 */
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_accecn.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_input.h"

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
	s64 mode = sk->net->sysctl.tcp_ecn;
	bool accecn = mode == 3;

	tp->ecn_flags = 0;
	tcp_accecn_free(sk);
	if (mode != 1 && mode != 4 && !accecn && !tcp_ca_needs_ecn(sk) &&
	    !route_has_ecn(sk->dst_cache))
		return;
	if (tcp_ca_needs_ecn(sk))
		INET_ECN_xmit(sk);
	TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_ECE | TCPHDR_CWR;
	tp->ecn_flags = TCP_ECN_MODE_RFC3168;
	if (!accecn || !tcp_accecn_alloc(sk))
		return;
	TCP_SKB_CB(skb)->tcp_flags |= TCPHDR_AE;
	tp->ecn_flags = TCP_ECN_MODE_PENDING;
	tp->rare->accecn->syn_ect_snt = sk->inet_tos & INET_ECN_MASK;
}

void tcp_ecn_clear_syn(const struct sock *sk, struct sk_buff *skb)
{
	/* RFC 9768 3.1.4.1: accurate ECN is asked for twice. */
	if (tcp_ecn_mode(tcp_sk(sk)) == TCP_ECN_MODE_PENDING && inet_csk(sk)->icsk_retransmits <= 1)
		return;
	/* ecn_flags are cleared when the SYN-ACK comes, which will have no ECE. */
	if ((TCP_SKB_CB(skb)->tcp_flags & TCPHDR_SYN_ECN) == TCPHDR_SYN_ECN &&
	    sk->net->sysctl.tcp_ecn_fallback)
		TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_ACE;
}

/* RFC 9768 table 2. */
void tcp_ecn_rcv_synack(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u8 ace = tcp_accecn_ace(tcp_hdr(skb));

	if (tcp_ecn_mode(tp) != TCP_ECN_MODE_PENDING) {
		if ((ace & 3) != 1)
			tcp_ecn_mode_set(tp, TCP_ECN_DISABLED);
	} else if (!ace || ace == 7) {
		/* No ECN there, or one that sends back what it gets. */
		tcp_ecn_mode_set(tp, TCP_ECN_DISABLED);
	} else if (ace == 1 || ace == 5) {
		tcp_ecn_mode_set(tp, TCP_ECN_MODE_RFC3168);
	} else {
		tcp_accecn_rcv_synack(sk, skb);
		return;
	}
	tcp_accecn_free(sk);
}

void tcp_ecn_rcv_syn(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const u8 *th = tcp_hdr(skb);

	if (tcp_ecn_mode(tp) == TCP_ECN_MODE_PENDING) {
		if (tcp_accecn_syn_requested(th)) {
			tp->rare->accecn->syn_ect_rcv = TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK;
			tp->rare->accecn->prev_ecnfield = tp->rare->accecn->syn_ect_rcv;
			tcp_ecn_mode_set(tp, TCP_ECN_MODE_ACCECN);
			return;
		}
		tcp_ecn_mode_set(tp, TCP_ECN_MODE_RFC3168);
	}
	if ((tcp_flags(th) & (TCPHDR_ECE | TCPHDR_CWR)) != (TCPHDR_ECE | TCPHDR_CWR))
		tcp_ecn_mode_set(tp, TCP_ECN_DISABLED);
	tcp_accecn_free(sk);
}

void tcp_ecn_send_synack(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	TCP_SKB_CB(skb)->tcp_flags &= (u16) ~(TCPHDR_CWR | TCPHDR_AE);
	if (!tcp_ecn_mode(tp))
		TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_ECE;
	else if (tcp_ca_needs_ecn(sk))
		INET_ECN_xmit(sk);
	if (!tcp_ecn_mode_accecn(tp))
		return;
	TCP_SKB_CB(skb)->tcp_flags &= (u16)~TCPHDR_ACE;
	TCP_SKB_CB(skb)->tcp_flags |= tcp_accecn_reflector_flags(tp->rare->accecn->syn_ect_rcv);
	tp->rare->accecn->syn_ect_snt = sk->inet_tos & INET_ECN_MASK;
}

void tcp_ecn_create_request(struct request_sock *req, const struct sk_buff *skb,
			    const struct sock *listener, const struct dst_entry *dst)
{
	const u8 *th = tcp_hdr(skb);
	bool ect = TCP_SKB_CB(skb)->ip_dsfield & INET_ECN_MASK, reserved = th[12] & 0x0f;
	bool may;

	if (listener->net->sysctl.tcp_ecn >= 3 && tcp_accecn_syn_requested(th)) {
		req->ecn_ok = 1;
		tcp_rsk(req)->accecn_ok = 1;
		tcp_rsk(req)->syn_ect_rcv = TCP_SKB_CB(skb)->ip_dsfield & 3u;
		return;
	}
	if ((tcp_flags(th) & (TCPHDR_ECE | TCPHDR_CWR)) != (TCPHDR_ECE | TCPHDR_CWR))
		return;
	may = tcp_ecn_allowed(listener, dst);
	/* RFC 3168 6.1.1: a SYN is not ECN-capable; one that is was marked by somebody's mistake,
	 * or by a congestion control that means it (RFC 8257 3.1, RFC 8311 4.3). */
	if (((!ect || reserved) && may) || tcp_ca_needs_ecn(listener))
		req->ecn_ok = 1;
}

u16 tcp_ecn_make_synack(const struct request_sock *req)
{
	if (tcp_rsk(req)->accecn_ok)
		return tcp_accecn_reflector_flags(tcp_rsk(req)->syn_ect_rcv);
	return req->ecn_ok ? TCPHDR_ECE : 0;
}

void tcp_ecn_openreq_child(struct sock *sk, const struct request_sock *req,
			   const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tp->ecn_flags = req->ecn_ok ? TCP_ECN_MODE_RFC3168 : TCP_ECN_DISABLED;
	if (tcp_rsk(req)->accecn_ok)
		tcp_accecn_openreq_child(sk, req, skb);
}

/* ---- out ---- */

/* RFC 9768 2.5.3: every segment is ECN-capable and has the counter of CE marks. */
static u16 accecn_send(struct sock *sk, const struct sk_buff *skb)
{
	struct tcp_accecn *acc = tcp_sk(sk)->rare->accecn;

	if (acc->fail_mode & TCP_ACCECN_ACE_FAIL_RECV)
		INET_ECN_dontxmit(sk);
	else
		INET_ECN_xmit(sk);
	/* The third ACK of the handshake has what it answers there. */
	if (TCP_SKB_CB(skb)->tcp_flags & TCPHDR_ACE)
		return 0;
	acc->received_ce_pending = 0;
	return tcp_accecn_flags(acc->received_ce + TCP_ACCECN_CEP_INIT);
}

u16 tcp_ecn_send(struct sock *sk, const struct sk_buff *skb, u32 len)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u16 flags = 0;

	if (!tcp_ecn_mode(tp))
		return 0;
	if (tcp_ecn_mode_accecn(tp))
		return accecn_send(sk, skb);
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

	if (!tcp_ecn_mode(tp))
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
		if (!(tp->ecn_flags & TCP_ECN_DEMAND_CWR) && tcp_ecn_mode_rfc3168(tp)) {
			/* The sender's window may be very small. */
			tcp_enter_quickack_mode(sk, 2);
			tp->ecn_flags |= TCP_ECN_DEMAND_CWR;
		}
		break;
	default:
		if (tcp_ca_needs_ecn(sk))
			tcp_ca_event(sk, CA_EVENT_ECN_NO_CE);
	}
	if (tcp_ecn_mode_rfc3168(tp))
		tp->ecn_flags |= TCP_ECN_SEEN;
}

void tcp_ecn_accept_cwr(struct sock *sk, const struct sk_buff *skb)
{
	if (!tcp_ecn_mode_rfc3168(tcp_sk(sk)) || !(tcp_flags(tcp_hdr(skb)) & TCPHDR_CWR))
		return;
	tcp_sk(sk)->ecn_flags &= (u8)~TCP_ECN_DEMAND_CWR;
	/* Its window may be one segment now. */
	if (TCP_SKB_CB(skb)->seq != TCP_SKB_CB(skb)->end_seq)
		inet_csk(sk)->icsk_ack.pending |= ICSK_ACK_NOW;
}
