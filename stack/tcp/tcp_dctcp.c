/* SPDX-License-Identifier: MIT */
/*
 * DCTCP (RFC 8257; net/ipv4/tcp_dctcp.c): the window shrinks by the share of bytes that were
 * marked, which the receiver tells exactly, segment by segment.
 *
 * Invariants: alpha, the moving average of that share, is in 1/1024, at most 1024; while the CE
 * state holds every ACK carries it, and at every change an ACK with the old one goes first
 * (RFC 8257 3.2).
 */
#include "tcp/tcp_ecn.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_output.h"

#define DCTCP_MAX_ALPHA 1024u
#define DCTCP_SHIFT_G	4u

struct dctcp {
	u32 old_delivered, old_delivered_ce;
	u32 prior_rcv_nxt;
	u32 alpha;
	u32 next_seq; /* the round trip ends here */
	u32 ce_state;
	u32 loss_cwnd;
};

_Static_assert(sizeof(struct dctcp) <= ICSK_CA_PRIV_WORDS * sizeof(u64), "fits");

static struct dctcp *dctcp_of(const struct sock *sk)
{
	return inet_csk_ca(sk);
}

static void reset(const struct tcp_sock *tp, struct dctcp *ca)
{
	ca->next_seq = tp->snd_nxt;
	ca->old_delivered = tp->delivered;
	ca->old_delivered_ce = tp->delivered_ce;
}

/* After the fall back to Reno: not enabled. */
static u32 dctcp_reno_get_info(const struct sock *sk, u8 *info)
{
	(void)sk;
	memset(info, 0, 16);
	return 16;
}

/* Without ECN it is Reno. */
static const struct tcp_congestion_ops dctcp_reno = {
	.name = "dctcp-reno",
	.ssthresh = tcp_reno_ssthresh,
	.cong_avoid = tcp_reno_cong_avoid,
	.undo_cwnd = tcp_reno_undo_cwnd,
	.get_info = dctcp_reno_get_info,
};

static void dctcp_init(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = dctcp_of(sk);

	if (!tcp_ecn_mode(tp) && sk->sk_state != TCP_LISTEN && sk->sk_state != TCP_CLOSE) {
		inet_csk(sk)->icsk_ca_ops = &dctcp_reno;
		INET_ECN_dontxmit(sk);
		return;
	}
	*ca = (struct dctcp){ .prior_rcv_nxt = tp->rcv_nxt, .alpha = DCTCP_MAX_ALPHA };
	reset(tp, ca);
}

/* RFC 8257 3.3: cwnd * (1 - alpha / 2). */
static u32 dctcp_ssthresh(struct sock *sk)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = dctcp_of(sk);

	ca->loss_cwnd = tp->snd_cwnd;
	return max_u32(tp->snd_cwnd - (u32)((u64)tp->snd_cwnd * ca->alpha >> 11), 2);
}

/* RFC 8257 3.3: alpha = (1 - g) * alpha + g * F, once a round trip. */
static void dctcp_update_alpha(struct sock *sk, u32 flags)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = dctcp_of(sk);
	u32 delivered = tp->delivered - ca->old_delivered;
	u32 ce = tp->delivered_ce - ca->old_delivered_ce, less;

	(void)flags;
	if (before(tp->snd_una, ca->next_seq))
		return;
	less = ca->alpha >> DCTCP_SHIFT_G;
	ca->alpha -= less ? less : ca->alpha;
	if (ce) {
		ce = (ce << (10 - DCTCP_SHIFT_G)) / max_u32(1, delivered);
		ca->alpha = min_u32(ca->alpha + ce, DCTCP_MAX_ALPHA);
	}
	reset(tp, ca);
}

/* RFC 8257 3.5: to a loss as anybody. */
static void react_to_loss(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	dctcp_of(sk)->loss_cwnd = tp->snd_cwnd;
	tp->snd_ssthresh = max_u32(tp->snd_cwnd >> 1, 2);
}

static void dctcp_state(struct sock *sk, u8 new_state)
{
	if (new_state == TCP_CA_Recovery && new_state != inet_csk(sk)->icsk_ca_state)
		react_to_loss(sk);
}

static void set_ece(struct tcp_sock *tp, bool ce)
{
	if (ce)
		tp->ecn_flags |= TCP_ECN_DEMAND_CWR;
	else
		tp->ecn_flags &= (u8)~TCP_ECN_DEMAND_CWR;
}

/* RFC 8257 3.2, figure 1. */
static void ece_ack_update(struct sock *sk, bool ce)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	struct dctcp *ca = dctcp_of(sk);

	if (ca->ce_state != ce) {
		if (icsk->icsk_ack.pending & ICSK_ACK_TIMER) {
			set_ece(tp, ca->ce_state);
			__tcp_send_ack(sk, ca->prior_rcv_nxt, 0);
		}
		icsk->icsk_ack.pending |= ICSK_ACK_NOW;
	}
	ca->prior_rcv_nxt = tp->rcv_nxt;
	ca->ce_state = ce;
	set_ece(tp, ce);
}

static void dctcp_cwnd_event(struct sock *sk, enum tcp_ca_event event)
{
	if (event == CA_EVENT_ECN_IS_CE || event == CA_EVENT_ECN_NO_CE)
		ece_ack_update(sk, event == CA_EVENT_ECN_IS_CE);
	else if (event == CA_EVENT_LOSS)
		react_to_loss(sk);
}

/* struct tcp_dctcp_info: enabled, ce_state, alpha, marked and all bytes of this round trip. */
static u32 dctcp_get_info(const struct sock *sk, u8 *info)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	const struct dctcp *ca = dctcp_of(sk);

	put_le16(info, 1);
	put_le16(info + 2, (u16)ca->ce_state);
	put_le32(info + 4, ca->alpha);
	put_le32(info + 8, tp->mss_cache * (tp->delivered_ce - ca->old_delivered_ce));
	put_le32(info + 12, tp->mss_cache * (tp->delivered - ca->old_delivered));
	return 16;
}

static u32 dctcp_undo_cwnd(struct sock *sk)
{
	return max_u32(tcp_sk(sk)->snd_cwnd, dctcp_of(sk)->loss_cwnd);
}

const struct tcp_congestion_ops tcp_dctcp = {
	.name = "dctcp",
	.init = dctcp_init,
	.in_ack_event = dctcp_update_alpha,
	.cwnd_event = dctcp_cwnd_event,
	.ssthresh = dctcp_ssthresh,
	.cong_avoid = tcp_reno_cong_avoid,
	.undo_cwnd = dctcp_undo_cwnd,
	.set_state = dctcp_state,
	.needs_ecn = true,
	.get_info = dctcp_get_info,
};
