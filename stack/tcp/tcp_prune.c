/* SPDX-License-Identifier: MIT */
/*
 * Room for a segment that the receive buffer, or the memory of all TCP, has none for: first what
 * waits is copied together (tcp_collapse), then what waits out of order goes, the highest first
 * (RFC 2018 8). (tcp_try_rmem_schedule, tcp_prune_queue of net/ipv4/tcp_input.c.)
 *
 * Invariants: collapsing loses no byte and moves no sequence number; SYN and FIN are not copied;
 * work is bounded by what is queued: one walk, and tiny segments that it would not help are not
 * looked at again and again (CVE-2018-5390).
 */
#include "tcp/tcp.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_ofo_queue.h"

/* SKB_MAX_ORDER(0, 0): what a page holds behind a packet's shared info. */
#define COLLAPSE_MAX 3776u

/* One of the two queues: the receive queue, or the segments out of order. */
struct queue {
	struct sk_buff_head *list; /* NULL: out of order */
	struct sk_buff *tail; /* not any more part of what is looked at; NULL: to the end */
};

static struct sk_buff *next_of(const struct queue *q, const struct sk_buff *skb)
{
	return q->list ? skb->next : tcp_ofo_next(skb);
}

static bool has_syn_or_fin(const struct sk_buff *skb)
{
	return TCP_SKB_CB(skb)->tcp_flags & (TCPHDR_SYN | TCPHDR_FIN);
}

/* All its bytes stand elsewhere: it goes. Returns the next. */
static struct sk_buff *collapse_one(struct sock *sk, const struct queue *q, struct sk_buff *skb)
{
	struct sk_buff *next = next_of(q, skb);

	if (q->list) {
		skb_unlink(q->list, skb);
		consume_skb(skb);
	} else {
		tcp_ofo_consume(sk, skb);
	}
	MIB_INC(sk->net, TcpExtTCPRcvCollapsed);
	return next;
}

/* Copying together pays from here on: it costs more memory than its bytes need, holds bytes from
 * before `start`, or the next one overlaps. */
static bool worth_it(const struct sock *sk, const struct queue *q, const struct sk_buff *skb,
		     u32 start)
{
	const struct sk_buff *next = next_of(q, skb);

	if (!has_syn_or_fin(skb) && (tcp_win_from_space(sk, skb->truesize) > skb->len ||
				     before(TCP_SKB_CB(skb)->seq, start)))
		return true;
	return next && next != q->tail && TCP_SKB_CB(skb)->end_seq != TCP_SKB_CB(next)->seq;
}

/* The first segment from `head` on that is worth it; *start: its first byte that counts. */
static struct sk_buff *find_first(struct sock *sk, const struct queue *q, struct sk_buff *head,
				  u32 *start)
{
	struct sk_buff *skb = head;

	while (skb && skb != q->tail) {
		if (!before(*start, TCP_SKB_CB(skb)->end_seq)) {
			skb = collapse_one(sk, q, skb);
			continue;
		}
		if (worth_it(sk, q, skb, *start))
			return has_syn_or_fin(skb) ? NULL : skb;
		*start = TCP_SKB_CB(skb)->end_seq;
		skb = next_of(q, skb);
	}
	return NULL;
}

/* A packet for bytes from `seq` on, charged; in the receive queue it stands before `skb`. */
static struct sk_buff *new_packet(struct sock *sk, const struct queue *q, struct sk_buff *skb,
				  u32 seq, u32 len)
{
	struct sk_buff *nskb = alloc_skb(net_world(sk->net), len);

	if (!nskb)
		return NULL;
	nskb->net = sk->net;
	memcpy(nskb->cb, skb->cb, sizeof(skb->cb));
	TCP_SKB_CB(nskb)->seq = seq;
	TCP_SKB_CB(nskb)->end_seq = seq;
	skb_set_owner_r(nskb, sk);
	if (!q->list)
		return nskb;
	if (skb->prev)
		skb_append(q->list, skb->prev, nskb);
	else
		skb_queue_head(q->list, nskb);
	return nskb;
}

/* Fills nskb with `room` bytes of what follows `skb`, which go. Returns where to go on, NULL: at
 * the end, or at a SYN or FIN. */
static struct sk_buff *fill(struct sock *sk, const struct queue *q, struct sk_buff *nskb,
			    struct sk_buff *skb, u32 room)
{
	struct tcp_skb_cb *cb = TCP_SKB_CB(nskb);

	while (room) {
		s32 n = (s32)(TCP_SKB_CB(skb)->end_seq - cb->end_seq);

		if (n > 0) {
			u32 take = min_u32((u32)n, room);
			u8 *to = skb_put(nskb, take);

			if (!skb_copy_bits(skb, cb->end_seq - TCP_SKB_CB(skb)->seq, to, take))
				BUG("a segment holds fewer bytes than its numbers say");
			cb->end_seq += take;
			room -= take;
		}
		if (before(cb->end_seq, TCP_SKB_CB(skb)->end_seq))
			continue;
		skb = collapse_one(sk, q, skb);
		if (!skb || skb == q->tail || has_syn_or_fin(skb))
			return NULL;
	}
	return skb;
}

/* Copies [start, end) together, from the first segment on where it pays. */
static void tcp_collapse(struct sock *sk, const struct queue *q, struct sk_buff *head, u32 start,
			 u32 end)
{
	struct sk_buff *skb = find_first(sk, q, head, &start);
	struct sk_buff_head done;

	skb_queue_head_init(&done);
	while (skb && before(start, end)) {
		u32 room = min_u32(COLLAPSE_MAX, end - start);
		struct sk_buff *nskb = new_packet(sk, q, skb, start, room);

		if (!nskb)
			break;
		skb = fill(sk, q, nskb, skb, room);
		start = TCP_SKB_CB(nskb)->end_seq;
		if (!q->list)
			skb_queue_tail(&done, nskb);
	}
	/* Only now: the tree holds no segment twice. */
	while ((skb = skb_dequeue(&done)) != NULL)
		tcp_ofo_add(sk, skb);
}

/* Each run of segments without a gap is copied together. (tcp_collapse_ofo_queue) */
static void collapse_ofo_queue(struct sock *sk)
{
	struct sk_buff *head = tcp_ofo_first(sk), *skb;
	u32 sum_tiny = 0;

	for (; head; head = skb) {
		u32 start = TCP_SKB_CB(head)->seq, end = TCP_SKB_CB(head)->end_seq;
		u32 truesize = head->truesize;

		for (skb = tcp_ofo_next(head); skb && !after(TCP_SKB_CB(skb)->seq, end);
		     skb = tcp_ofo_next(skb)) {
			truesize += skb->truesize;
			if (after(TCP_SKB_CB(skb)->end_seq, end))
				end = TCP_SKB_CB(skb)->end_seq;
		}
		if (truesize != head->truesize || end - start >= COLLAPSE_MAX) {
			const struct queue q = { .tail = skb };

			tcp_collapse(sk, &q, head, start, end);
		} else {
			sum_tiny += truesize;
			if (sum_tiny > (u32)sk->sk_rcvbuf >> 3)
				return;
		}
	}
}

/* The buffer counts what packets cost; what comes is taken by its bytes. */
static bool tcp_can_ingest(const struct sock *sk, const struct sk_buff *skb)
{
	return sk->sk_rmem_alloc + skb->len <= (u32)sk->sk_rcvbuf;
}

bool tcp_prune_ofo_queue(struct sock *sk, const struct sk_buff *in_skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	s32 goal = sk->sk_rcvbuf >> 3;
	bool pruned = false;

	while (tp->loss->ooo_last_skb) {
		struct sk_buff *last = tp->loss->ooo_last_skb;

		/* Never for one that is higher still. */
		if (after(TCP_SKB_CB(in_skb)->seq, TCP_SKB_CB(last)->seq))
			break;
		pruned = true;
		goal -= (s32)last->truesize;
		tcp_ofo_drop(sk, last, SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE);
		if (goal > 0 && tp->loss->ooo_last_skb)
			continue;
		if (tcp_can_ingest(sk, in_skb) && !sk_under_memory_pressure(sk))
			break;
		goal = sk->sk_rcvbuf >> 3;
	}
	if (pruned) {
		MIB_INC(sk->net, TcpExtOfoPruned);
		/* What was told is no more true: start over. */
		tp->rx_opt.num_sacks = 0;
	}
	return pruned;
}

/* 0: there is room now; -1: there is none. */
static int tcp_prune_queue(struct sock *sk, const struct sk_buff *in_skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	const struct queue rcv = { .list = &sk->receive_queue };

	if (!sk->sk_rmem_alloc)
		return -1;
	MIB_INC(sk->net, TcpExtPruneCalled);
	if (!tcp_can_ingest(sk, in_skb))
		tcp_clamp_window(sk);
	else if (sk_under_memory_pressure(sk))
		tcp_adjust_rcv_ssthresh(sk);
	if (tcp_can_ingest(sk, in_skb))
		return 0;
	collapse_ofo_queue(sk);
	tcp_collapse(sk, &rcv, skb_peek(&sk->receive_queue), tp->copied_seq, tp->rcv_nxt);
	if (tcp_can_ingest(sk, in_skb))
		return 0;
	tcp_prune_ofo_queue(sk, in_skb);
	if (tcp_can_ingest(sk, in_skb))
		return 0;
	/* The peer sends more than we ever let it: it is dropped, and comes again. */
	MIB_INC(sk->net, TcpExtRcvPruned);
	tp->pred_flags = 0;
	return -1;
}

int tcp_try_rmem_schedule(struct sock *sk, const struct sk_buff *skb, u32 size)
{
	if (tcp_can_ingest(sk, skb) && sk_rmem_schedule(sk, size))
		return 0;
	if (tcp_prune_queue(sk, skb) < 0)
		return -1;
	while (!sk_rmem_schedule(sk, size))
		if (!tcp_prune_ofo_queue(sk, skb))
			return -1;
	return 0;
}
