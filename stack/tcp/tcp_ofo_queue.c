/* SPDX-License-Identifier: MIT */
/*
 * The out-of-order queue: segments in the window above RCV.NXT, in a tree by sequence number, so
 * that a flood of tiny ones costs O(log n) each (tcp_data_queue_ofo, tcp_ofo_queue).
 *
 * Invariants: segments are sorted and disjoint and lie above rcv_nxt; ooo_last_skb is the highest;
 * ofo_truesize is the sum of their truesizes and part of sk_rmem_alloc.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_rcv.h"
#include "tcp/tcp_input.h"
#include "tcp/tcp_ofo_queue.h"
#include "tcp/tcp_recovery.h"

static struct sk_buff *rb_to_skb(const struct rb_node *n)
{
	return n ? container_of(n, struct sk_buff, rbnode) : NULL;
}

struct sk_buff *tcp_ofo_first(const struct sock *sk)
{
	return rb_to_skb(rb_first(&tcp_sk(sk)->loss->out_of_order_queue));
}

struct sk_buff *tcp_ofo_next(const struct sk_buff *skb)
{
	return rb_to_skb(rb_next(&skb->rbnode));
}

static void ofo_unlink(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->loss->ooo_last_skb == skb)
		tcp_loss_own(tp)->ooo_last_skb = rb_to_skb(rb_prev(&skb->rbnode));
	rb_erase(&skb->rbnode, &tcp_loss_own(tp)->out_of_order_queue);
	tcp_loss_own(tp)->ofo_truesize -= skb->truesize;
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
}

void tcp_ofo_drop(struct sock *sk, struct sk_buff *skb, enum skb_drop_reason reason)
{
	ofo_unlink(sk, skb);
	kfree_skb_reason(skb, reason);
}

void tcp_ofo_consume(struct sock *sk, struct sk_buff *skb)
{
	ofo_unlink(sk, skb);
	consume_skb(skb);
}

/* Where seq belongs: the link to hang a node at, and its parent. `*hit`: a segment that holds all
 * of [seq, end_seq). `*prev`: one that covers its beginning. */
static struct rb_node **ofo_place(struct sock *sk, u32 seq, u32 end_seq, struct rb_node **parent,
				  struct sk_buff **hit, struct sk_buff **same,
				  struct sk_buff **prev)
{
	struct rb_node **p = &tcp_loss_own(tcp_sk(sk))->out_of_order_queue.node;

	*parent = NULL;
	*hit = NULL;
	*same = NULL;
	*prev = NULL;
	while (*p) {
		struct sk_buff *at = rb_to_skb(*p);

		*parent = *p;
		if (before(seq, TCP_SKB_CB(at)->seq)) {
			p = &(*p)->left;
			continue;
		}
		if (before(seq, TCP_SKB_CB(at)->end_seq)) {
			if (!after(end_seq, TCP_SKB_CB(at)->end_seq)) {
				*hit = at;
				return NULL;
			}
			if (seq == TCP_SKB_CB(at)->seq) {
				*same = at;
				return p;
			}
			*prev = at;
		}
		p = &(*p)->right;
	}
	return p;
}

/* Segments that the new one covers go; D-SACK tells of them. */
static void ofo_remove_covered(struct sock *sk, struct sk_buff *skb)
{
	u32 end_seq = TCP_SKB_CB(skb)->end_seq;
	struct sk_buff *next;

	while ((next = tcp_ofo_next(skb)) != NULL) {
		if (!after(end_seq, TCP_SKB_CB(next)->seq))
			return;
		if (before(end_seq, TCP_SKB_CB(next)->end_seq)) {
			tcp_dsack_extend(sk, TCP_SKB_CB(next)->seq, end_seq);
			return;
		}
		tcp_dsack_extend(sk, TCP_SKB_CB(next)->seq, TCP_SKB_CB(next)->end_seq);
		MIB_INC(sk->net, TcpExtTCPOFOMerge);
		tcp_ofo_drop(sk, next, SKB_DROP_REASON_TCP_OFOMERGE);
	}
}

/* The tree gets a node at `link`; its segment is charged already. */
static void ofo_link(struct sock *sk, struct sk_buff *skb, struct rb_node *parent,
		     struct rb_node **link)
{
	struct tcp_sock *tp = tcp_sk(sk);

	tcp_loss_own(tp)->ofo_truesize += skb->truesize;
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &tcp_loss_own(tp)->out_of_order_queue);
}

static void ofo_insert(struct sock *sk, struct sk_buff *skb, struct rb_node *parent,
		       struct rb_node **link)
{
	struct tcp_sock *tp = tcp_sk(sk);

	/* Without SACK an ACK counts as a duplicate only while its window is the same. */
	if (tcp_is_sack(tp))
		tcp_grow_window(sk, skb);
	skb_set_owner_r(skb, sk);
	ofo_link(sk, skb, parent, link);
	ofo_remove_covered(sk, skb);
	if (!tcp_ofo_next(skb))
		tcp_loss_own(tp)->ooo_last_skb = skb;
}

void tcp_ofo_add(struct sock *sk, struct sk_buff *skb)
{
	struct rb_node **link = &tcp_loss_own(tcp_sk(sk))->out_of_order_queue.node, *parent = NULL;

	while (*link) {
		parent = *link;
		link = before(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(rb_to_skb(parent))->seq) ?
			       &parent->left :
			       &parent->right;
	}
	ofo_link(sk, skb, parent, link);
	if (!tcp_ofo_next(skb))
		tcp_loss_own(tcp_sk(sk))->ooo_last_skb = skb;
}

/* The segment's data is there already, all of it. The block that it lies in is the one that the
 * latest segment came for: RFC 2018 4 wants it reported first. */
static void ofo_duplicate(struct sock *sk, struct sk_buff *skb)
{
	MIB_INC(sk->net, TcpExtTCPOFOMerge);
	tcp_dsack_set(sk, TCP_SKB_CB(skb)->seq, TCP_SKB_CB(skb)->end_seq);
	if (tcp_is_sack(tcp_sk(sk)))
		tcp_sack_new_ofo_skb(sk, TCP_SKB_CB(skb)->seq, TCP_SKB_CB(skb)->end_seq);
	kfree_skb_reason(skb, SKB_DROP_REASON_TCP_OFOMERGE);
}

/* The new one begins where `same` does and is longer: it takes its node. */
static void ofo_replace(struct sock *sk, struct sk_buff *same)
{
	tcp_dsack_extend(sk, TCP_SKB_CB(same)->seq, TCP_SKB_CB(same)->end_seq);
	MIB_INC(sk->net, TcpExtTCPOFOMerge);
	tcp_ofo_drop(sk, same, SKB_DROP_REASON_TCP_OFOMERGE);
}

void tcp_data_queue_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 seq = TCP_SKB_CB(skb)->seq, end_seq = TCP_SKB_CB(skb)->end_seq;
	struct sk_buff *hit, *same, *prev;
	struct rb_node *parent, **link;

	/* Behind all others: the usual case. */
	if (tp->loss->ooo_last_skb && !before(seq, TCP_SKB_CB(tp->loss->ooo_last_skb)->end_seq)) {
		parent = &tp->loss->ooo_last_skb->rbnode;
		ofo_insert(sk, skb, parent, &parent->right);
		if (tcp_is_sack(tp))
			tcp_sack_new_ofo_skb(sk, seq, end_seq);
		return;
	}
	link = ofo_place(sk, seq, end_seq, &parent, &hit, &same, &prev);
	if (hit) {
		ofo_duplicate(sk, skb);
		return;
	}
	if (prev)
		tcp_dsack_set(sk, seq, TCP_SKB_CB(prev)->end_seq);
	if (same) {
		ofo_replace(sk, same);
		link = ofo_place(sk, seq, end_seq, &parent, &hit, &same, &prev);
		ASSERT(link && !hit && !same);
	}
	ofo_insert(sk, skb, parent, link);
	if (tcp_is_sack(tp))
		tcp_sack_new_ofo_skb(sk, seq, end_seq);
}

void tcp_ofo_queue(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	u32 dsack_high = tp->rcv_nxt;
	struct sk_buff *skb;

	while ((skb = tcp_ofo_first(sk)) != NULL) {
		struct tcp_skb_cb *cb = TCP_SKB_CB(skb);

		if (after(cb->seq, tp->rcv_nxt))
			return;
		if (before(cb->seq, dsack_high)) {
			/* What of it came twice, and no more (RFC 2883 4). */
			u32 end = before(cb->end_seq, dsack_high) ? cb->end_seq : dsack_high;

			tcp_dsack_extend(sk, cb->seq, end);
		}
		if (!after(cb->end_seq, tp->rcv_nxt)) {
			tcp_ofo_drop(sk, skb, SKB_DROP_REASON_TCP_OFO_DROP);
			continue;
		}
		ofo_unlink(sk, skb);
		skb_queue_tail(&sk->receive_queue, skb);
		tcp_rcv_nxt_update(tp, cb->end_seq);
		if (cb->tcp_flags & TCPHDR_FIN) {
			tcp_fin(sk);
			/* Nothing may follow a FIN; tcp_fin() purged the queue. */
			return;
		}
	}
}

void tcp_ofo_queue_purge(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);

	while (tp->loss->ooo_last_skb)
		tcp_ofo_drop(sk, tp->loss->ooo_last_skb, SKB_DROP_REASON_SOCKET_CLOSE);
}
