/* SPDX-License-Identifier: MIT */
/*
 * Small segments that are sent again become one where they fit into one (tcp_retrans_try_collapse
 * of net/ipv4/tcp_output.c; RFC 9293 3.8.1 leaves it to the sender).
 *
 * Invariants: only single segments are joined, none of which the peer has SACKed; an end of record,
 * a SYN and bytes of the user's memory (MSG_ZEROCOPY) stay apart; counts of what is out, lost and
 * retransmitted lose the segment that went.
 */
#include "tcp/tcp_loss.h"
#include "tcp/tcp_send.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rtx_queue.h"

bool tcp_skb_can_collapse(const struct sk_buff *to, const struct sk_buff *from)
{
	return !TCP_SKB_CB(to)->eor && !(TCP_SKB_CB(from)->tcp_flags & TCPHDR_SYN);
}

static bool can_take_part(const struct sk_buff *skb)
{
	return tcp_skb_pcount(skb) <= 1 && !skb_cloned(skb) &&
	       !(TCP_SKB_CB(skb)->sacked & TCPCB_SACKED_ACKED);
}

/* Time stamps that were asked for (tcp_skb_collapse_tstamp). */
static void collapse_tstamp(struct sk_buff *skb, const struct sk_buff *next)
{
	const struct skb_shared_info *from = skb_shinfo(next);
	struct skb_shared_info *to = skb_shinfo(skb);

	if (!from->tx_flags && !TCP_SKB_CB(next)->txstamp_ack)
		return;
	to->tx_flags |= from->tx_flags;
	to->tskey = from->tskey;
	TCP_SKB_CB(skb)->txstamp_ack |= TCP_SKB_CB(next)->txstamp_ack;
}

/* The next segment's bytes, flags and place. False: it can not be. */
static bool collapse_retrans(struct sock *sk, struct sk_buff *skb, struct sk_buff *next)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb), *ncb = TCP_SKB_CB(next);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 n = next->len;

	if (n && (skb_shinfo(skb)->ubuf || skb_shinfo(next)->ubuf || tcp_skb_make_room(skb, n, n)))
		return false;
	if (n)
		memcpy(skb_put(skb, n), next->data, n);
	skb->truesize += n;
	next->truesize -= n;
	cb->payload_csum = 0;
	cb->end_seq = ncb->end_seq;
	cb->tcp_flags |= ncb->tcp_flags;
	cb->sacked |= ncb->sacked & TCPCB_EVER_RETRANS;
	cb->eor = ncb->eor;
	if (tp->loss->retransmit_skb_hint == next)
		tcp_loss_own(tp)->retransmit_skb_hint = skb;
	if (tp->loss->highest_sack == next)
		tcp_loss_own(tp)->highest_sack = skb;
	tcp_adjust_pcount(sk, next, (s32)tcp_skb_pcount(next));
	collapse_tstamp(skb, next);
	tcp_rtx_queue_unlink_and_free(sk, next);
	return true;
}

void tcp_retrans_try_collapse(struct sock *sk, struct sk_buff *to, u32 space)
{
	if (!sk->net->sysctl.tcp_retrans_collapse || TCP_SKB_CB(to)->tcp_flags & TCPHDR_SYN ||
	    !can_take_part(to))
		return;
	for (;;) {
		struct sk_buff *next = tcp_rtx_queue_next(to);

		if (!next || !can_take_part(next) || !tcp_skb_can_collapse(to, next) ||
		    to->len + next->len > space ||
		    after(TCP_SKB_CB(next)->end_seq, tcp_wnd_end(tcp_sk(sk))) ||
		    !collapse_retrans(sk, to, next))
			return;
	}
}
