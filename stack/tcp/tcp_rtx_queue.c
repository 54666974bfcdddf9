/* SPDX-License-Identifier: MIT */
/*
 * The retransmission queue: segments sent and not yet acknowledged, in a tree by sequence number,
 * so that SACK finds its segments without a walk (net/ipv4/tcp_output.c, tcp_rtx_queue_*).
 *
 * Invariants: segments are sorted and do not overlap; rtx_last is the highest; every one's truesize
 * is part of sk_wmem_queued.
 */
#include "tcp/tcp.h"
#include "tcp/tcp_loss.h"
#include "tcp/tcp_output.h"
#include "tcp/tcp_rtx_queue.h"

static struct sk_buff *rb_to_skb(const struct rb_node *n)
{
	return n ? container_of(n, struct sk_buff, rbnode) : NULL;
}

struct sk_buff *tcp_rtx_queue_head(const struct sock *sk)
{
	return rb_to_skb(rb_first(&tcp_sk(sk)->tcp_rtx_queue));
}

struct sk_buff *tcp_rtx_queue_tail(const struct sock *sk)
{
	return tcp_sk(sk)->rtx_last;
}

struct sk_buff *tcp_rtx_queue_next(const struct sk_buff *skb)
{
	return rb_to_skb(rb_next(&skb->rbnode));
}

struct sk_buff *tcp_rtx_queue_prev(const struct sk_buff *skb)
{
	return rb_to_skb(rb_prev(&skb->rbnode));
}

void tcp_rtx_queue_insert(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *last = tp->rtx_last;

	if (last) {
		ASSERT(!before(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(last)->end_seq));
		rb_link_node(&skb->rbnode, &last->rbnode, &last->rbnode.right);
	} else {
		rb_link_node(&skb->rbnode, NULL, &tp->tcp_rtx_queue.node);
	}
	rb_insert_color(&skb->rbnode, &tp->tcp_rtx_queue);
	tp->rtx_last = skb;
}

void tcp_rtx_queue_insert_split(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct rb_node **link = &tp->tcp_rtx_queue.node, *parent = NULL;

	while (*link) {
		const struct sk_buff *other = rb_to_skb(*link);

		parent = *link;
		link = before(TCP_SKB_CB(skb)->seq, TCP_SKB_CB(other)->seq) ? &parent->left :
									      &parent->right;
	}
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &tp->tcp_rtx_queue);
	if (before(TCP_SKB_CB(tp->rtx_last)->seq, TCP_SKB_CB(skb)->seq))
		tp->rtx_last = skb;
}

void tcp_rtx_queue_unlink(struct sock *sk, struct sk_buff *skb)
{
	struct tcp_sock *tp = tcp_sk(sk);

	if (tp->rtx_last == skb)
		tp->rtx_last = tcp_rtx_queue_prev(skb);
	list_del_init(&TCP_SKB_CB(skb)->tx.tsorted);
	rb_erase(&skb->rbnode, &tp->tcp_rtx_queue);
	skb->next = NULL;
	skb->prev = NULL;
	skb->dev = NULL;
}

void tcp_rtx_queue_unlink_and_free(struct sock *sk, struct sk_buff *skb)
{
	tcp_rtx_queue_unlink(sk, skb);
	tcp_wmem_free_skb(sk, skb);
}

struct sk_buff *tcp_rtx_queue_find(const struct sock *sk, u32 seq)
{
	struct rb_node *n = tcp_sk(sk)->tcp_rtx_queue.node;
	struct sk_buff *best = NULL;

	while (n) {
		struct sk_buff *skb = rb_to_skb(n);

		if (before(seq, TCP_SKB_CB(skb)->end_seq)) {
			best = skb;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best;
}

void tcp_rtx_queue_purge(struct sock *sk)
{
	struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *skb;

	if (tcp_loss_seen(tp)) {
		tcp_loss_own(tp)->highest_sack = NULL;
		tcp_loss_own(tp)->retransmit_skb_hint = NULL;
	}
	while ((skb = tp->rtx_last) != NULL)
		tcp_rtx_queue_unlink_and_free(sk, skb);
}
