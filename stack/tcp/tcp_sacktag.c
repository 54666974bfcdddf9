/* SPDX-License-Identifier: MIT */
/*
 * The scoreboard (RFC 2018 5, RFC 6675 in spirit): SACK blocks of an ACK mark segments of the
 * retransmission queue (tcp_sacktag_write_queue). Ranges that earlier ACKs told of are skipped, so
 * that an ACK costs what is new in it.
 *
 * Invariants: sacked_out, lost_out and retrans_out are the sums of the packets whose sacked says
 * so; nothing is both SACKed and lost; highest_sack is the segment behind the highest SACKed one.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_ack.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_recovery.h"
#include "tcp/tcp_rtx_queue.h"

u32 tcp_highest_sack_seq(const struct tcp_sock *tp)
{
	if (!tp->sacked_out)
		return tp->snd_una;
	return tp->loss->highest_sack ? TCP_SKB_CB(tp->loss->highest_sack)->seq : tp->snd_nxt;
}

void tcp_highest_sack_reset(struct sock *sk)
{
	tcp_loss_own(tcp_sk(sk))->highest_sack = tcp_rtx_queue_head(sk);
}

void tcp_advance_highest_sack(struct sock *sk, struct sk_buff *skb)
{
	tcp_loss_own(tcp_sk(sk))->highest_sack = tcp_rtx_queue_next(skb);
}

/* RFC 2018, and for a D-SACK RFC 2883: does the block speak of what we sent? */
static bool sack_block_valid(const struct tcp_sock *tp, bool is_dsack, u32 start, u32 end)
{
	if (after(end, tp->snd_nxt) || !before(start, end))
		return false;
	if (!before(start, tp->snd_nxt))
		return false;
	if (after(start, tp->snd_una))
		return true;
	if (!is_dsack || !tp->loss->undo_marker)
		return false;
	if (after(end, tp->snd_una))
		return false;
	if (!before(start, tp->loss->undo_marker))
		return true;
	if (!after(end, tp->loss->undo_marker))
		return false;
	return !before(start, end - tp->max_window);
}

/* How many segments the D-SACK stands for; 0: it is dubious. */
static u32 dsack_seen(struct tcp_sock *tp, u32 start, u32 end, struct tcp_sacktag_state *state)
{
	u32 len = end - start, dup_segs = 1;

	if (len > tp->max_window)
		return 0;
	if (len > tp->mss_cache)
		dup_segs = (len + tp->mss_cache - 1) / tp->mss_cache;
	else if (tp->loss->tlp_high_seq && tp->loss->tlp_high_seq == end)
		state->flag |= FLAG_DSACK_TLP;
	tcp_loss_own(tp)->dsack_dups += dup_segs;
	if (tp->loss->dsack_dups > tp->loss->total_retrans)
		return 0;
	tp->rx_opt.sack_ok |= TCP_DSACK_SEEN;
	if (!(state->flag & FLAG_DSACK_TLP))
		tp->rack.dsack_seen = 1;
	state->flag |= FLAG_DSACKING_ACK;
	state->sack_delivered += dup_segs;
	return dup_segs;
}

static void undo_retrans_less(struct tcp_sock *tp, u32 n)
{
	if (tp->loss->undo_marker && tp->loss->undo_retrans > 0)
		tcp_loss_own(tp)->undo_retrans =
			(u32)tp->loss->undo_retrans > n ? tp->loss->undo_retrans - (s32)n : 0;
}

/* RFC 2883 4: is the first block a D-SACK? */
static bool check_dsack(struct sock *sk, u32 ack_seq, const struct tcp_sack_block *sp,
			u32 num_sacks, u32 prior_snd_una, struct tcp_sacktag_state *state)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 dup_segs;

	if (before(sp[0].start_seq, ack_seq)) {
		MIB_INC(sk->net, TcpExtTCPDSACKRecv);
	} else if (num_sacks > 1 && !after(sp[0].end_seq, sp[1].end_seq) &&
		   !before(sp[0].start_seq, sp[1].start_seq)) {
		MIB_INC(sk->net, TcpExtTCPDSACKOfoRecv);
	} else {
		return false;
	}
	dup_segs = dsack_seen(tp, sp[0].start_seq, sp[0].end_seq, state);
	if (!dup_segs) {
		MIB_INC(sk->net, TcpExtTCPDSACKIgnoredDubious);
		return false;
	}
	MIB_ADD(sk->net, TcpExtTCPDSACKRecvSegs, dup_segs);
	/* Data that is forgotten already: it can only be counted. */
	if (!after(sp[0].end_seq, prior_snd_una) && after(sp[0].end_seq, tp->loss->undo_marker))
		undo_retrans_less(tp, dup_segs);
	return true;
}

/* A segment that is SACKed for the first time. */
static u8 sack_one_new(struct sock *sk, struct tcp_sacktag_state *state, const struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	u64 xmit_time = tcp_skb_timestamp_us(skb);
	u32 pcount = tcp_skb_pcount(skb);
	u8 sacked = cb->sacked;

	tcp_rack_advance(tp, sacked, cb->end_seq, xmit_time);
	if (sacked & TCPCB_SACKED_RETRANS) {
		/* Not marked lost: the retransmission is believed to be under way still. */
		if (sacked & TCPCB_LOST) {
			sacked &= (u8) ~(TCPCB_LOST | TCPCB_SACKED_RETRANS);
			tp->lost_out -= pcount;
			tp->retrans_out -= pcount;
		}
	} else {
		if (!(sacked & TCPCB_RETRANS)) {
			/* Never sent again and below others SACKed: it was reordered. */
			if (before(cb->seq, tcp_highest_sack_seq(tp)) &&
			    before(cb->seq, state->reord))
				state->reord = cb->seq;
			if (!after(cb->end_seq, tp->loss->high_seq))
				state->flag |= FLAG_ORIG_SACK_ACKED;
			if (!state->first_sackt)
				state->first_sackt = xmit_time;
			state->last_sackt = xmit_time;
		}
		if (sacked & TCPCB_LOST) {
			sacked &= (u8)~TCPCB_LOST;
			tp->lost_out -= pcount;
		}
	}
	state->flag |= FLAG_DATA_SACKED;
	tp->sacked_out += pcount;
	state->sack_delivered += pcount;
	state->delivered_bytes += cb->end_seq - cb->seq;
	return sacked | TCPCB_SACKED_ACKED;
}

static void sacktag_one(struct sock *sk, struct tcp_sacktag_state *state, struct sk_buff *skb,
			bool dup)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	bool was_sacked = cb->sacked & TCPCB_SACKED_ACKED;
	u8 sacked = cb->sacked;

	if (dup && sacked & TCPCB_RETRANS) {
		if (after(cb->end_seq, tp->loss->undo_marker))
			undo_retrans_less(tp, tcp_skb_pcount(skb));
		if (was_sacked && before(cb->seq, state->reord))
			state->reord = cb->seq;
	}
	if (!was_sacked)
		sacked = sack_one_new(sk, state, skb);
	if (dup && sacked & TCPCB_SACKED_RETRANS) {
		sacked &= (u8)~TCPCB_SACKED_RETRANS;
		tp->retrans_out -= tcp_skb_pcount(skb);
	}
	cb->sacked = sacked;
	if (was_sacked)
		return;
	tcp_rate_skb_delivered(sk, skb, state->rate);
	list_del_init(&cb->tx.tsorted);
	if (!before(cb->seq, tcp_highest_sack_seq(tp)))
		tcp_advance_highest_sack(sk, skb);
}

/* A super-segment that the block covers in part is cut at a packet's end. True: the first part is
 * covered now. */
static bool match_skb(struct sock *sk, struct sk_buff *skb, u32 start, u32 end)
{
	const struct tcp_skb_cb *cb = TCP_SKB_CB(skb);
	bool whole = !after(start, cb->seq) && !before(end, cb->end_seq);
	u32 mss = tcp_skb_mss(skb), len;

	if (whole || tcp_skb_pcount(skb) <= 1 || !after(cb->end_seq, start))
		return whole;
	if (!after(start, cb->seq)) {
		len = (end - cb->seq) / mss * mss;
		if (!len)
			return false;
	} else {
		len = (start - cb->seq + mss - 1) / mss * mss;
		if (len >= skb->len)
			return false;
		tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, len, mss);
		return false; /* the second part comes next */
	}
	return tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, len, mss) == 0;
}

/* The segments of a block [start, end), from the one on that holds `from`. */
static void sacktag_range(struct sock *sk, struct tcp_sacktag_state *state, u32 from, u32 start,
			  u32 end, bool dup)
{
	struct sk_buff *skb = tcp_rtx_queue_find(sk, from);

	while (skb && before(TCP_SKB_CB(skb)->seq, end)) {
		if (match_skb(sk, skb, start, end))
			sacktag_one(sk, state, skb, dup);
		skb = tcp_rtx_queue_next(skb);
	}
}

/* The parts of a block that no earlier ACK told of. A segment across the end of what one told of is
 * in the block as a whole. */
static void sacktag_block(struct sock *sk, struct tcp_sacktag_state *state, u32 start, u32 end)
{
	const struct tcp_loss *loss = tcp_sk(sk)->loss;
	u32 from = start;

	for (u32 i = 0; i < TCP_NUM_SACKS && before(from, end); i++) {
		const struct tcp_sack_block *cache = &loss->recv_cache[i];

		if (cache->start_seq == cache->end_seq || !after(cache->end_seq, from))
			continue;
		if (!before(cache->start_seq, end))
			break;
		if (before(from, cache->start_seq))
			sacktag_range(sk, state, from, start, cache->start_seq, false);
		from = cache->end_seq;
	}
	if (before(from, end))
		sacktag_range(sk, state, from, start, end, false);
}

static void count_discard(const struct sock *sk, bool first_dsack, u32 ack_seq, u32 end_seq)
{
	const struct tcp_sock *tp = tcp_sk(sk);

	if (!first_dsack) {
		/* What is old because ACKs changed places is not counted. */
		if (ack_seq == tp->snd_una || after(end_seq, tp->snd_una))
			MIB_INC(sk->net, TcpExtTCPSACKDiscard);
	} else if (tp->loss->undo_marker)
		MIB_INC(sk->net, TcpExtTCPDSACKIgnoredOld);
	else
		MIB_INC(sk->net, TcpExtTCPDSACKIgnoredNoUndo);
}

/* Reads the valid blocks into sp. *dup: sp[0] is a D-SACK above snd_una. Returns their number. */
static u32 read_blocks(struct sock *sk, const struct sk_buff *ack_skb, u32 prior_snd_una,
		       struct tcp_sacktag_state *state, struct tcp_sack_block *sp, bool *dup)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const u8 *opt = tcp_hdr(ack_skb) + TCP_SKB_CB(ack_skb)->sacked;
	u32 n = min_u32(TCP_NUM_SACKS, (opt[1] - TCPOLEN_SACK_BASE) / TCPOLEN_SACK_PERBLOCK);
	u32 used = 0;
	struct tcp_sack_block wire[TCP_NUM_SACKS] = { { 0 } };
	bool dsack;

	for (u32 i = 0; i < n; i++) {
		wire[i].start_seq = get_be32(opt + 2 + 8 * i);
		wire[i].end_seq = get_be32(opt + 6 + 8 * i);
	}
	dsack = check_dsack(sk, TCP_SKB_CB(ack_skb)->ack_seq, wire, n, prior_snd_una, state);
	*dup = false;
	if (!tp->packets_out)
		return 0;
	for (u32 i = 0; i < n; i++) {
		bool is_dsack = dsack && i == 0;

		if (!sack_block_valid(tp, is_dsack, wire[i].start_seq, wire[i].end_seq)) {
			count_discard(sk, is_dsack, TCP_SKB_CB(ack_skb)->ack_seq, wire[i].end_seq);
			continue;
		}
		if (!after(wire[i].end_seq, prior_snd_una))
			continue;
		*dup |= is_dsack;
		sp[used++] = wire[i];
	}
	return used;
}

static void sort_blocks(struct tcp_sack_block *sp, u32 n)
{
	for (u32 i = 1; i < n; i++) {
		struct tcp_sack_block b = sp[i];
		u32 j = i;

		for (; j > 0 && after(sp[j - 1].start_seq, b.start_seq); j--)
			sp[j] = sp[j - 1];
		sp[j] = b;
	}
}

/* For the next ACK, whose blocks are mostly the same. */
static void remember_blocks(struct tcp_loss *loss, const struct tcp_sack_block *sp, u32 n)
{
	memset(loss->recv_cache, 0, sizeof(loss->recv_cache));
	for (u32 i = 0; i < n; i++)
		loss->recv_cache[i] = sp[i];
}

u32 tcp_sacktag_write_queue(struct sock *sk, const struct sk_buff *ack_skb, u32 prior_snd_una,
			    struct tcp_sacktag_state *state)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct tcp_loss *loss = tcp_loss_get(sk);
	struct tcp_sack_block sp[TCP_NUM_SACKS];
	bool dup;
	u32 n;

	state->flag = 0;
	state->reord = tp->snd_nxt;
	if (!loss)
		return 0;
	if (!tp->sacked_out)
		tcp_highest_sack_reset(sk);
	/* Too old to tell anything. */
	if (before(TCP_SKB_CB(ack_skb)->ack_seq, prior_snd_una - tp->max_window))
		return 0;
	n = read_blocks(sk, ack_skb, prior_snd_una, state, sp, &dup);
	if (!n)
		goto out;
	if (dup)
		sacktag_range(sk, state, sp[0].start_seq, sp[0].start_seq, sp[0].end_seq, true);
	if (!tp->sacked_out)
		memset(loss->recv_cache, 0, sizeof(loss->recv_cache));
	sort_blocks(sp, n);
	for (u32 i = 0; i < n; i++)
		sacktag_block(sk, state, sp[i].start_seq, sp[i].end_seq);
	remember_blocks(loss, sp, n);
	if (inet_csk(sk)->icsk_ca_state != TCP_CA_Loss || loss->undo_marker)
		tcp_check_sack_reordering(sk, state->reord, 0);
out:
	ASSERT((s32)tp->sacked_out >= 0 && (s32)tp->lost_out >= 0 && (s32)tp->retrans_out >= 0);
	return state->flag;
}
